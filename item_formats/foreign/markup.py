"""Content as markup: the text between the tags of a QTI element, XHTML and MathML without namespace prefixes.

Foreign formats hand their content over as such strings; nothing reaches an item that was not written here.
"""

from __future__ import annotations

import re
from copy import deepcopy
from html import escape, unescape
from typing import TYPE_CHECKING

from lxml import etree, html

from item_formats.findings import ItemError
from item_formats.foreign.formulas.finding import formula_markup
from item_formats.foreign.formulas.latex_writing import mathml_to_latex
from item_formats.parsing import local_name, parse, split_name
from item_formats.text import BLOCKS, as_markup, forbidden_characters, visible_text, without_formatting
from item_formats.vocabulary import MATHML, QTI

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

GAP = '<qti-text-entry-interaction response-identifier="RESPONSE"/>'  # where a candidate writes, inside a stem
PICTURE = "￼"  # stands for a picture in text that only compares or describes

_INLINE = "a abbr b bdi bdo br cite code dfn em i img kbd q rb rp rt ruby samp small span strong sub sup tt var"
_FLOW = """
    blockquote caption col colgroup dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot
    th thead tr ul
"""
_KNOWN = frozenset((_INLINE + _FLOW).split())
_RENAMED = {"u": "span", "ins": "span", "s": "span", "strike": "span", "del": "span", "center": "div", "font": "span"}
_CLASSES = {"u": "qti-underline", "ins": "qti-underline", "center": "qti-align-center"}
_ACTIVE = "script style iframe object embed template form input button select textarea audio video canvas svg"
_DROPPED_WHOLE = frozenset(_ACTIVE.split())
_DRAWN = frozenset({"math", "img", "qti-text-entry-interaction"})  # what `visible_text` has no word for
_TEXTS_OR_MATH = re.compile(r"<math.*?</math>|<[^>]*>|[^<]+", re.DOTALL)
_VOID = frozenset({"br", "hr", "img", "col"})
_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "img": ("src", "alt", "width", "height"),
    "a": ("href",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
}
_ADDRESS = re.compile(r"(https?|mailto):|[^:]*$|data:image/(png|jpeg|gif|webp);base64,", re.IGNORECASE)


def content_markup(element: etree._Element, *, without: Collection[str] = ()) -> str:
    """What stands inside an element of an item, as markup; `without` are names of elements left out whole."""
    pieces: list[str] = []
    _write_content(element, pieces, QTI, without)
    return "".join(pieces)


def element_markup(element: etree._Element) -> str:
    pieces: list[str] = []
    _write(element, pieces, QTI, ())
    return "".join(pieces)


def parsed(markup: str) -> etree._Element:
    """The markup as the content of a ``<div>``."""
    return parse(f'<div xmlns="{QTI}">{markup}</div>'.encode())


def plain_text(markup: str) -> str | None:
    """The text of markup that is nothing but text and line breaks, else None."""
    root = parsed(markup)
    if any(local_name(element) != "br" for element in root.iterdescendants()):
        return None
    text = visible_text(root)
    return text if as_markup(text) == markup else None


def readable_text(markup: str) -> str:
    """Everything a reader sees, formulas as LaTeX, a sign for each picture: for checking and comparing."""
    return _told(parsed(markup), picture=PICTURE)


def text_with_latex(element: etree._Element, *, without: frozenset[str] = frozenset()) -> str:
    r"""The element's visible text with each formula as ``\( \)``, or ``\[ \]`` where it stands by itself."""
    return _told(element, picture="", without=without)


def as_blocks(markup: str) -> str:
    """The markup with text that stands beside blocks in paragraphs, so that it can be the content of a body."""
    root = parsed(markup)
    if not any(_is_block(child) for child in root):
        return f"<p>{markup}</p>"
    pieces: list[str] = []
    run: list[str] = [escape(without_formatting(root.text or ""), quote=False)]

    def finish() -> None:
        text = "".join(run).strip()
        if text:
            pieces.append(f"<p>{text}</p>")
        run.clear()

    for child in root:
        if _is_block(child):
            finish()
            _write(child, pieces, QTI, ())
        else:
            _write(child, run, QTI, ())
        run.append(escape(without_formatting(child.tail or ""), quote=False))
    finish()
    return "".join(pieces)


def from_blocks(element: etree._Element, *, without: Collection[str] = ()) -> str:
    """The content of an element, without the one paragraph around it: undoes `as_blocks`."""
    children = [child for child in element if local_name(child) and local_name(child) not in without]
    stray = (element.text or "") + "".join(child.tail or "" for child in element)
    if len(children) == 1 and local_name(children[0]) == "p" and not children[0].attrib and not stray.strip():
        return content_markup(children[0], without=without)
    return content_markup(element, without=without).strip()


def markup_of_html(
    source: str, *, picture: Callable[[str], str | None] = lambda address: address
) -> tuple[str, list[str]]:
    """Markup from any HTML, and the names of elements that could not be kept.

    `picture` gives the address a picture gets in the item, or None when there is no such picture.
    """
    source = _without_forbidden(source)
    if not source.strip():
        return "", []
    if "<" not in source and "&" not in source:
        return escape(source.strip(), quote=False), []
    try:
        parts: list[object] = list(html.fragments_fromstring(source))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return escape(source.strip(), quote=False), ["html"]
    lost: list[str] = []
    pieces: list[str] = []
    for part in parts:
        if isinstance(part, str):
            pieces.append(escape(part, quote=False))
        elif isinstance(part, etree._Element):
            _clean(part, pieces, lost, picture, in_math=False)
            pieces.append(escape(part.tail or "", quote=False))
    return _without_outer_paragraph(_without_forbidden("".join(pieces).strip())), lost


def _without_forbidden(text: str) -> str:
    for character in set(forbidden_characters(text)):
        text = text.replace(character, "")
    return text


def formulas_in_markup(markup: str) -> str:
    r"""LaTeX in the text of markup as MathML; what cannot be read stays as it is."""
    if "\\" not in markup and "$" not in markup:
        return markup

    def replaced(found: re.Match[str]) -> str:
        written, problems = formula_markup(unescape(found[0]))
        return found[0] if problems or "<math" not in written else written

    return _TEXTS_OR_MATH.sub(lambda found: found[0] if found[0].startswith("<") else replaced(found), markup)


def html_of_markup(markup: str, *, gap: str = "_____", latex: bool = True) -> str:
    r"""Markup as HTML: the sign `gap` for each gap, formulas as ``\( \)`` (what Moodle and MathJax read) or MathML."""
    root = parsed(markup)
    if latex:
        _formulas_as_latex(root)
    for interaction in list(root.iter(f"{{{QTI}}}qti-text-entry-interaction")):
        _put_text(interaction, gap)
    return content_markup(root)


def _told(element: etree._Element, *, picture: str, without: frozenset[str] = frozenset()) -> str:
    if not any(local_name(child) in _DRAWN for child in element.iterdescendants()):
        return visible_text(element, without=without)
    copied = deepcopy(element)
    copied.tail = None
    _formulas_as_latex(copied)
    for image in list(copied.iter(f"{{{QTI}}}img")):
        _put_text(image, picture)
    for interaction in list(copied.iter(f"{{{QTI}}}qti-text-entry-interaction")):
        _put_text(interaction, "____")
    return visible_text(copied, without=without)


def _formulas_as_latex(root: etree._Element) -> None:
    for math in list(root.iter(f"{{{MATHML}}}math")):
        latex = mathml_to_latex(math)
        block = math.get("display") == "block"
        _put_text(math, rf"\[{latex}\]" if block else rf"\({latex}\)")


def _put_text(element: etree._Element, text: str) -> None:
    """Put text where an element stands."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    text += element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
    parent.remove(element)


def _attributes(element: etree._Element) -> list[tuple[str, str]]:
    return sorted((str(name), str(value)) for name, value in element.attrib.items())


def _is_block(element: etree._Element) -> bool:
    name = local_name(element)
    return name in BLOCKS or name in {"hr", "figure", "dl"}


def _write_content(element: etree._Element, pieces: list[str], namespace: str, without: Collection[str]) -> None:
    def text(value: str | None) -> str:
        value = value or ""
        return escape(value if local_name(element) == "pre" else without_formatting(value), quote=False)

    pieces.append(text(element.text))
    for child in element:
        name = local_name(child)
        if name and name not in without:
            _write(child, pieces, namespace, without)
        pieces.append(text(child.tail))


def _write(element: etree._Element, pieces: list[str], namespace: str, without: Collection[str]) -> None:
    own, name = split_name(element)
    if own not in {QTI, MATHML}:  # speech markup and the like: its text is the content
        _write_content(element, pieces, namespace, without)
        return
    attributes = f' xmlns="{own}"' if own != namespace else ""
    attributes += "".join(
        f' {key}="{escape(str(value))}"' for key, value in _attributes(element) if not str(key).startswith("{")
    )
    if not len(element) and not element.text:
        pieces.append(f"<{name}{attributes}/>")
        return
    pieces.append(f"<{name}{attributes}>")
    if name == "annotation":
        pieces.append(escape(element.text or "", quote=False))
    else:
        _write_content(element, pieces, own, without)
    pieces.append(f"</{name}>")


def _without_outer_paragraph(markup: str) -> str:
    try:
        return from_blocks(parsed(markup))
    except ItemError:  # deeper than an item may be
        return markup


def _clean(
    element: etree._Element,
    pieces: list[str],
    lost: list[str],
    picture: Callable[[str], str | None],
    *,
    in_math: bool,
) -> None:
    tag: object = element.tag
    if not isinstance(tag, str):
        return
    name = tag.rpartition("}")[2].rpartition(":")[2].lower()
    if name in _DROPPED_WHOLE:
        lost.append(name)
        return
    if name == "math" or in_math:
        opening, closing = _math_tags(element, name)
    elif name == "img":
        pieces.append(_picture(element, lost, picture))
        return
    else:
        if name not in _KNOWN and name not in _RENAMED and name not in {"body", "html", "head", "section", "article"}:
            lost.append(name)
        opening, closing = _tags(element, name)
    pieces.append(opening)
    if not opening.endswith("/>"):
        inner: list[str] = [escape(element.text or "", quote=False)]
        for child in element:
            _clean(child, inner, lost, picture, in_math=in_math or name == "math")
            inner.append(escape(child.tail or "", quote=False))
        content = "".join(inner)
        bare_rows = name == "table" and "<tbody>" not in content
        pieces.append(_with_body(content) if bare_rows else content)
    pieces.append(closing)


def _tags(element: etree._Element, name: str) -> tuple[str, str]:
    """How an element begins and ends in an item; "" for one whose content alone is kept."""
    known = _RENAMED.get(name, name)
    if known not in _KNOWN:
        return "", ""
    attributes = "".join(
        f' {key}="{escape(element.get(key, ""))}"'
        for key in _ATTRIBUTES.get(known, ())
        if element.get(key) and (key != "href" or _ADDRESS.match(element.get(key, "").strip()))
    )
    if known == "a" and not attributes:
        known = "span"
    style = _CLASSES.get(name)
    if style:
        attributes += f' class="{style}"'
    if known in _VOID:
        return f"<{known}{attributes}/>", ""
    if known == "span" and not attributes:
        return "", ""
    return f"<{known}{attributes}>", f"</{known}>"


def _math_tags(element: etree._Element, name: str) -> tuple[str, str]:
    kept = "".join(
        f' {key}="{escape(str(value))}"'
        for key, value in _attributes(element)
        if re.fullmatch("[a-z]+", str(key)) and not str(key).startswith("on") and key not in {"xmlns", "style", "href"}
    )
    space = f' xmlns="{MATHML}"' if name == "math" else ""
    return f"<{name}{space}{kept}>", f"</{name}>"


def _picture(element: etree._Element, lost: list[str], picture: Callable[[str], str | None]) -> str:
    address = element.get("src", "").strip()
    kept = picture(address) if _ADDRESS.match(address) else None
    if not kept:
        lost.append(f"img {address[:60]}")
        return escape(element.get("alt", ""))
    sizes = "".join(
        f' {key}="{value}"' for key in ("width", "height") if re.fullmatch(r"\d{1,5}", value := element.get(key, ""))
    )
    return f'<img src="{escape(kept)}" alt="{escape(element.get("alt", ""))}"{sizes}/>'


def _with_body(content: str) -> str:
    """The rows of a table in a ``<tbody>``, which QTI wants; captions, columns and a head stay before it."""
    start = content.find("<tr")
    return content if start < 0 else f"{content[:start]}<tbody>{content[start:]}</tbody>"
