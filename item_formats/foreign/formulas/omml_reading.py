"""Word's formulas (Office MathML, ECMA-376 part 1, 22.1) as MathML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.foreign.formulas.nodes import math_element
from item_formats.parsing import local_name, split_name
from item_formats.vocabulary import MATHML

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OMML = "http://schemas.openxmlformats.org/officeDocument/2006/math"
APPLY = "\u2061"  # function application, between sin and its argument
OVERBAR, UNDERBAR = "\u203e", "_"
# Combining accents of OMML and the spacing characters MathML writes for them.
ACCENTS = {
    "\u0300": "`",
    "\u0301": "´",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "¯",
    "\u0305": "¯",
    "\u0306": "˘",
    "\u0307": "˙",
    "\u0308": "¨",
    "\u030c": "ˇ",
    "\u20d6": "←",
    "\u20d7": "→",
    "\u20e1": "↔",
}
STYLES = {"p": "normal", "b": "bold", "i": "italic", "bi": "bold-italic"}
SCRIPTS = {
    "script": "script",
    "fraktur": "fraktur",
    "double-struck": "double-struck",
    "sans-serif": "sans-serif",
    "monospace": "monospace",
}

_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<words>[\u2e80-\u9fff\uff00-\uffef\u3000-\u303f]+)|(?P<space>\s+)"
    r"|(?P<letters>[^\W\d_]+)|(?P<sign>.)",
    re.DOTALL,
)
_ALIGNMENT = re.compile("&+")


def omml_to_mathml(formula: etree._Element) -> etree._Element:
    """A ``<math>`` element for an ``m:oMath`` or ``m:oMathPara`` (then ``display="block"``).

    What has no counterpart keeps its content in a row; nothing of the text of a formula is lost.
    """
    math = math_element()
    if local_name(formula) == "oMathPara":
        math.set("display", "block")
        lines = [child for child in formula if split_name(child) == (OMML, "oMath")]
        for place, line in enumerate(lines):
            if place:
                math.append(_element("mspace", linebreak="newline"))
            math.extend(_content(line))
    else:
        math.extend(_content(formula))
    return math


def _element(name: str, *children: etree._Element, **attributes: str) -> etree._Element:
    element = etree.Element(f"{{{MATHML}}}{name}", attributes)
    element.extend(children)
    return element


def _token(name: str, text: str, **attributes: str) -> etree._Element:
    element = _element(name, **attributes)
    element.text = text
    return element


def _content(parent: etree._Element | None) -> list[etree._Element]:
    found: list[etree._Element] = []
    for child in parent if parent is not None else ():
        namespace, name = split_name(child)
        if name in {"del", "moveFrom"}:  # a tracked deletion
            continue
        if namespace != OMML:
            found += _content(child) if name not in {"rPr", "bookmarkStart", "bookmarkEnd"} else []
            continue
        if name.endswith("Pr"):
            continue
        convert = _STRUCTURES.get(name)
        found += _content(child) if convert is None else convert(child)
    return found


def _row(nodes: Iterable[etree._Element]) -> etree._Element:
    nodes = list(nodes)
    return nodes[0] if len(nodes) == 1 else _element("mrow", *nodes)


def _part(parent: etree._Element, name: str) -> etree._Element:
    """The slot of a structure as one element, an empty row where it is empty."""
    return _row(_content(parent.find(f"{{{OMML}}}{name}")))


def _property(parent: etree._Element, name: str, default: str = "") -> str:
    """The value of ``<m:xPr><m:NAME m:val="…"/></m:xPr>``; a bare element is “on”."""
    for properties in parent:
        if split_name(properties)[0] == OMML and local_name(properties).endswith("Pr"):
            found = properties.find(f"{{{OMML}}}{name}")
            if found is not None:
                return str(found.get(f"{{{OMML}}}val", "1"))
    return default


def _is_on(parent: etree._Element, name: str) -> bool:
    return _property(parent, name, "0") in {"1", "on", "true"}


def _run(run: etree._Element) -> list[etree._Element]:
    text = "".join(part.text or "" for part in run if local_name(part) == "t")
    if not text:
        return []
    if _is_on(run, "nor"):
        return [_token("mtext", text.replace(" ", "\u00a0"))]
    text = _ALIGNMENT.sub("", text)
    style, script = _property(run, "sty", "i"), SCRIPTS.get(_property(run, "scr"))
    if script is None:
        variant = STYLES.get(style, "italic")
    else:
        bold = style in {"b", "bi"} and script in {"script", "fraktur", "sans-serif"}
        variant = f"bold-{script}" if bold else script
    return [node for found in _TOKEN.finditer(text) for node in _tokens(found, variant)]


def _tokens(found: re.Match[str], variant: str) -> list[etree._Element]:
    text = found[0]
    if found["words"]:
        return [_token("mtext", text)]
    if found["space"]:
        return [_token("mtext", "\u00a0" * len(text))]
    if found["letters"]:
        return _letters(text, variant)
    bold = {"mathvariant": "bold"} if variant.startswith("bold") else {}
    return [_token("mn" if found["number"] else "mo", text, **bold)]


def _letters(text: str, variant: str) -> list[etree._Element]:
    if variant == "italic":
        return [_token("mi", letter) for letter in text]
    if variant == "normal" and len(text) > 1:
        return [_token("mi", text)]  # a name of several letters is upright by itself
    return [_token("mi", letter, mathvariant=variant) for letter in text]


def _fraction(element: etree._Element) -> list[etree._Element]:
    kind = _property(element, "type", "bar")
    top, bottom = _part(element, "num"), _part(element, "den")
    if kind == "lin":
        return [_element("mrow", top, _token("mo", "/"), bottom)]
    attributes = {"noBar": {"linethickness": "0"}, "skw": {"bevelled": "true"}}.get(kind, {})
    return [_element("mfrac", top, bottom, **attributes)]


def _radical(element: etree._Element) -> list[etree._Element]:
    degree = _content(element.find(f"{{{OMML}}}deg"))
    if _is_on(element, "degHide") or not degree:
        return [_element("msqrt", *_content(element.find(f"{{{OMML}}}e")))]
    return [_element("mroot", _part(element, "e"), _row(degree))]


def _parts(name: str, *slots: str) -> Callable[[etree._Element], list[etree._Element]]:
    return lambda element: [_element(name, *(_part(element, slot) for slot in slots))]


def _before(element: etree._Element) -> list[etree._Element]:
    base, below, above = (_part(element, slot) for slot in ("e", "sub", "sup"))
    return [_element("mmultiscripts", base, _element("mprescripts"), below, above)]


def _nary(element: etree._Element) -> list[etree._Element]:
    sign = _property(element, "chr", "∫")
    default = "subSup" if sign in "∫∬∭∮∯∰" else "undOvr"
    stacked = _property(element, "limLoc", default) == "undOvr"
    operator = _token("mo", sign)
    below = None if _is_on(element, "subHide") else _part(element, "sub")
    above = None if _is_on(element, "supHide") else _part(element, "sup")
    if below is not None and above is not None:
        operator = _element("munderover" if stacked else "msubsup", operator, below, above)
    elif below is not None:
        operator = _element("munder" if stacked else "msub", operator, below)
    elif above is not None:
        operator = _element("mover" if stacked else "msup", operator, above)
    return [_element("mrow", operator, _part(element, "e"))]


def _delimited(element: etree._Element) -> list[etree._Element]:
    opening, closing = _property(element, "begChr", "("), _property(element, "endChr", ")")
    separator = _property(element, "sepChr", "|")
    row = _element("mrow", _token("mo", opening, fence="true"))
    for place, part in enumerate(element.iterchildren(f"{{{OMML}}}e")):
        if place:
            row.append(_token("mo", separator, separator="true"))
        row.append(_row(_content(part)))
    row.append(_token("mo", closing, fence="true"))
    return [row]


def _function(element: etree._Element) -> list[etree._Element]:
    return [_element("mrow", _part(element, "fName"), _token("mo", APPLY), _part(element, "e"))]


def _matrix(element: etree._Element) -> list[etree._Element]:
    rows = (
        _element("mtr", *(_element("mtd", *_content(cell)) for cell in row.iterchildren(f"{{{OMML}}}e")))
        for row in element.iterchildren(f"{{{OMML}}}mr")
    )
    return [_element("mtable", *rows)]


def _equations(element: etree._Element) -> list[etree._Element]:
    rows = (_element("mtr", _element("mtd", *_content(line))) for line in element.iterchildren(f"{{{OMML}}}e"))
    return [_element("mtable", *rows, columnalign="left")]


def _accent(element: etree._Element) -> list[etree._Element]:
    sign = _property(element, "chr", "\u0302")
    return [_element("mover", _part(element, "e"), _token("mo", ACCENTS.get(sign, sign)), accent="true")]


def _bar(element: etree._Element) -> list[etree._Element]:
    above = _property(element, "pos", "bot") == "top"
    name, sign = ("mover", OVERBAR) if above else ("munder", UNDERBAR)
    return [_element(name, _part(element, "e"), _token("mo", sign))]


def _grouped(element: etree._Element) -> list[etree._Element]:
    sign, above = _property(element, "chr", "⏟"), _property(element, "pos", "bot") == "top"
    return [_element("mover" if above else "munder", _part(element, "e"), _token("mo", sign, stretchy="true"))]


def _boxed(element: etree._Element) -> list[etree._Element]:
    return [_element("menclose", *_content(element.find(f"{{{OMML}}}e")), notation="box")]


def _phantom(element: etree._Element) -> list[etree._Element]:
    content = _content(element.find(f"{{{OMML}}}e"))
    return content if _property(element, "show", "1") in {"1", "on", "true"} else [_element("mphantom", *content)]


_STRUCTURES: dict[str, Callable[[etree._Element], list[etree._Element]]] = {
    "r": _run,
    "f": _fraction,
    "rad": _radical,
    "sSup": _parts("msup", "e", "sup"),
    "sSub": _parts("msub", "e", "sub"),
    "sSubSup": _parts("msubsup", "e", "sub", "sup"),
    "sPre": _before,
    "nary": _nary,
    "d": _delimited,
    "func": _function,
    "limLow": _parts("munder", "e", "lim"),
    "limUpp": _parts("mover", "e", "lim"),
    "m": _matrix,
    "eqArr": _equations,
    "acc": _accent,
    "bar": _bar,
    "groupChr": _grouped,
    "borderBox": _boxed,
    "phant": _phantom,
}
