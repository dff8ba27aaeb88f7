"""What an item says, as safe HTML: known elements and attributes are written anew, everything else is left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from item_formats.candidate import CRITERION, VETO
from item_formats.choice import BLANK
from item_formats.model import RATIONALE
from item_formats.parsing import MATHML, QTI, SSML, XML_LANG, local_name, split_name
from item_formats.rendering.pictures import picture_of
from item_formats.text import BLOCKS, visible_text, without_formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

WRITE_IN = '<span class="blank">（\u3000\u3000\u3000）</span>'  # room to write a letter by hand


@dataclass(frozen=True, slots=True)
class View:
    """How an item is shown.

    `prefix` begins every name and identifier on the page, so that items do not meet. `answers` are the correct
    responses by response identifier when the key is shown, None when it is not; `areas` the shapes that earn marks.
    `seed` shuffles what may be shuffled.
    `options_apart` leaves the options of choice interactions to whoever lays out the page.
    """

    prefix: str = "item-1"
    printed: bool = False
    seed: int | None = None
    media: Mapping[str, bytes] = field(default_factory=dict)
    answers: Mapping[str, tuple[str, ...]] | None = None
    areas: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    blank: str = WRITE_IN
    options_apart: bool = False

    @property
    def with_key(self) -> bool:
        return self.answers is not None

    def correct(self, response: str) -> tuple[str, ...]:
        return () if self.answers is None else self.answers.get(response, ())

    def number(self, response: str) -> int:
        """The place of an interaction among those of the item, from 1."""
        return self.numbers.get(response, 1)


WRITERS: dict[str, Callable[[etree._Element, View], str]] = {}  # filled by the modules of `interactions`

_HTML_NAMES = """
    p div span strong em b i u small big tt sub sup code pre kbd samp var q abbr acronym cite dfn blockquote address
    ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr td th ruby rt rp bdo bdi figure figcaption
    details summary br hr
"""
_MATH_NAMES = """
    math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom menclose
    msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr semantics
"""
_MATH_ATTRIBUTE_NAMES = """
    display displaystyle scriptlevel mathvariant mathsize accent accentunder stretchy symmetric fence separator form
    largeop movablelimits minsize maxsize lspace rspace width height depth voffset linethickness bevelled numalign
    denomalign notation columnalign rowalign columnspacing rowspacing columnlines rowlines frame columnspan rowspan dir
"""
_HTML = frozenset(_HTML_NAMES.split())
_MATH = frozenset(_MATH_NAMES.split())
_VOID = frozenset({"br", "hr", "col"})
_RENAMED = {"big": "span", "tt": "code", "acronym": "abbr"}
_PLAIN_BLOCKS = frozenset({"article", "aside", "footer", "header", "nav", "section", "qti-content-body"})
_ATTRIBUTES = frozenset({"dir", "colspan", "rowspan", "scope", "span", "start", "reversed", "value", "open", "title"})
_MATH_ATTRIBUTES = frozenset(_MATH_ATTRIBUTE_NAMES.split())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT_NAMES = """
    script style iframe template param source track annotation annotation-xml head title meta link base form input
    qti-feedback-block qti-feedback-inline qti-modal-feedback qti-simple-choice qti-stylesheet qti-catalog-info
"""
_SILENT = frozenset(_SILENT_NAMES.split())
_EMBEDDED = frozenset({"img", "object", "picture", "audio", "video"})


def children_html(element: etree._Element, view: View, *, without: frozenset[str] = frozenset()) -> str:
    """What an element holds; children named in `without` are left out, the text behind them is not."""
    return _inner(element, view, without).strip()


def _inner(element: etree._Element, view: View, without: frozenset[str] = frozenset()) -> str:
    pieces = [_text(element.text, view)]
    for child in element:
        if local_name(child) not in without:
            pieces.append(element_html(child, view))
        pieces.append(_text(child.tail, view))
    return "".join(pieces)


def element_html(element: etree._Element, view: View) -> str:
    namespace, name = split_name(element)
    if not name or name in _SILENT or (name == "qti-rubric-block" and not _for_candidates(element)):
        return ""
    if namespace == MATHML:
        return _formula(element, name, view)
    if namespace == SSML:
        return children_html(element, view)
    writer = WRITERS.get(name) if namespace == QTI else None
    return writer(element, view) if writer is not None else _html(element, name, view)


def _html(element: etree._Element, name: str, view: View) -> str:
    if name == "qti-rubric-block":
        content = element.find(f"{{{QTI}}}qti-content-body")
        return f'<div class="instructions">{children_html(element if content is None else content, view)}</div>'
    if name in _EMBEDDED:
        return embedded_html(element, view)
    if name in _HTML:
        return _written(element, name, _ATTRIBUTES, view)
    if name in _HEADINGS:  # headings lose their rank: the page has an outline of its own
        return f'<p class="heading">{children_html(element, view)}</p>'
    if name in _PLAIN_BLOCKS:
        return f"<div>{children_html(element, view)}</div>"
    return children_html(element, view)  # unknown wrappers go and what they hold stays


def embedded_html(element: etree._Element, view: View) -> str:
    """A picture, sound or film from the package; its description where the file is not there."""
    picture = picture_of(element, view.media)
    if picture.kind == "image":
        size = "".join(
            f' {name}="{length:g}"' for name, length in (("width", picture.width), ("height", picture.height)) if length
        )
        return f'<img src="{picture.address}" alt="{escape(picture.alt)}"{size}>'
    if picture.kind in {"audio", "video"} and not view.printed:
        described = escape(picture.alt or "媒体")
        source = f'src="{picture.address}" aria-label="{described}"'
        return f'<{picture.kind} controls preload="metadata" {source}></{picture.kind}>'
    name = {"audio": "音频", "video": "视频"}.get(picture.kind or local_name(element), "图")
    return f'<span class="not-shown">[{name}：{escape(picture.alt or "无说明")}]</span>'


def text_html(text: str) -> str:
    """Plain text with its line breaks and runs of spaces."""
    return _spaced(escape(text, quote=False)).replace("\n", "<br>")


def _for_candidates(rubric: etree._Element) -> bool:
    return rubric.get("use") not in {RATIONALE, CRITERION, VETO} and "candidate" in rubric.get("view", "").split()


def _formula(element: etree._Element, name: str, view: View) -> str:
    if name == "mfenced":
        return _fenced(element, view)
    if name not in _MATH:
        return ""
    return _written(element, name, _MATH_ATTRIBUTES, view)


def _fenced(element: etree._Element, view: View) -> str:
    """Browsers no longer draw `mfenced`; the brackets and separators it stands for they do (MathML 3, 3.3.8)."""
    separators = "".join(element.get("separators", ",").split())
    parts = [part for part in (element_html(child, view) for child in element) if part]
    pieces = []
    for place, part in enumerate(parts):
        if place and separators:
            pieces.append(f"<mo>{escape(separators[min(place, len(separators)) - 1])}</mo>")
        pieces.append(part)
    opening, closing = escape(element.get("open", "(")), escape(element.get("close", ")"))
    return f"<mrow><mo>{opening}</mo>{''.join(pieces)}<mo>{closing}</mo></mrow>"


def _written(element: etree._Element, name: str, allowed: frozenset[str], view: View) -> str:
    attributes = "".join(
        f' {attribute}="{escape(element.get(attribute, ""))}"' for attribute in sorted(allowed & set(element.attrib))
    )
    language = element.get(XML_LANG) or element.get("lang")
    if language:
        attributes = f' lang="{escape(language)}"{attributes}'
    shared = [word for word in element.get("class", "").split() if word.startswith("qti-")]
    if shared:
        attributes += f' class="{escape(" ".join(shared))}"'
    if name in _VOID:
        return f"<{name}{attributes}>"
    inner = escape(visible_text(element)) if name == "pre" else _inner(element, view)
    inner = inner.strip() if name in BLOCKS else inner
    written = _RENAMED.get(name, name)
    return f"<{written}{attributes}>{inner}</{written}>"


def _text(text: str | None, view: View) -> str:
    if not text:
        return ""
    return BLANK.sub(lambda _: view.blank, _spaced(escape(without_formatting(text), quote=False)))


def _spaced(text: str) -> str:
    """Runs of spaces are code or a table drawn by hand: browsers would make one space of them."""
    return text.replace("  ", "\u00a0 ")
