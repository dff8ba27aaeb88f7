"""MathML as Word's formulas, which people can go on editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from item_formats.foreign.formulas.nodes import elements_in, text_of
from item_formats.foreign.formulas.omml_reading import ACCENTS, APPLY, OMML, OVERBAR, SCRIPTS, STYLES, UNDERBAR
from item_formats.parsing import local_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_NARY = frozenset("∑∏∐∫∬∭∮∯∰⋀⋁⋂⋃⨀⨁⨂⨄⨆")
_OPENING, _CLOSING = frozenset("([{⟨⌈⌊|‖∣"), frozenset(")]}⟩⌉⌋|‖∣")
_COMBINING = {spacing: combining for combining, spacing in reversed(ACCENTS.items())} | {
    "ˆ": "\u0302",
    "˜": "\u0303",
    "⃗": "\u20d7",
}
_OVERBARS = OVERBAR + "―¯\u0304"  # LaTeX's \overline is written with a horizontal bar
_LIMITS = frozenset({"lim", "max", "min", "sup", "inf", "limsup", "liminf"})  # what stands under them is their limit
_BRACES = frozenset("⏞⏟⏜⏝⎴⎵︷︸")
_SCRIPTED = {"munder": ("limLow", "lim"), "mover": ("limUpp", "lim"), "msub": ("sSub", "sub"), "msup": ("sSup", "sup")}


def mathml_to_omml(math: etree._Element) -> etree._Element:
    """An ``m:oMath`` element; what OMML has no structure for keeps its content."""
    formula = _omml("oMath")
    formula.extend(_content(math))
    return formula


def _omml(name: str, *children: etree._Element) -> etree._Element:
    element = etree.Element(f"{{{OMML}}}{name}", nsmap={"m": OMML})
    element.extend(children)
    return element


def _valued(name: str, value: str) -> etree._Element:
    element = _omml(name)
    element.set(f"{{{OMML}}}val", value)
    return element


def _slot(name: str, *nodes: etree._Element) -> etree._Element:
    return _omml(name, *(made for node in nodes for made in _converted(node)))


def _run(text: str, *properties: etree._Element) -> etree._Element:
    written = _omml("t")
    written.text = text
    if text != text.strip():
        written.set(_XML_SPACE, "preserve")
    return _omml("r", *([_omml("rPr", *properties)] if properties else []), written)


def _content(parent: etree._Element) -> list[etree._Element]:
    return _sequence(elements_in(parent))


def _sequence(nodes: Sequence[etree._Element]) -> list[etree._Element]:
    """A row, in which an operator takes what follows and a function name its argument."""
    made: list[etree._Element] = []
    place = 0
    while place < len(nodes):
        node = nodes[place]
        following = nodes[place + 1] if place + 1 < len(nodes) else None
        if following is not None and _is_operator(following, APPLY) and place + 2 < len(nodes):
            made.append(_omml("func", _slot("fName", node), _slot("e", nodes[place + 2])))
            place += 3
        elif following is not None and _is_limit(node):
            argument, *rest = _sequence(nodes[place + 1 :]) or [_run("")]
            return [*made, _omml("func", _omml("fName", _limit(node)), _omml("e", argument)), *rest]
        elif following is not None and _nary_sign(node) is not None:
            made.append(_nary(node, following))
            place += 2
        else:
            made += _converted(node)
            place += 1
    return made


def _converted(node: etree._Element) -> list[etree._Element]:
    convert = _ELEMENTS.get(local_name(node))
    return _content(node) if convert is None else convert(node)


def _text(node: etree._Element) -> str:
    return text_of(node).strip(" \t\r\n")


def _is_operator(node: etree._Element, sign: str) -> bool:
    return local_name(node) == "mo" and _text(node) == sign


def _is_limit(node: etree._Element) -> bool:
    """lim, max … with what stands under it: in OMML a function whose name has a limit."""
    return local_name(node) in {"msub", "munder"} and len(node) == 2 and _text(node[0]) in _LIMITS


def _limit(node: etree._Element) -> etree._Element:
    name = _run(_text(node[0]), _valued("sty", "p"))
    return _omml("limLow", _omml("e", name), _slot("lim", node[1]))


def _identifier(node: etree._Element) -> list[etree._Element]:
    text = _text(node)
    variant = node.get("mathvariant") or ("italic" if len(text) == 1 else "normal")
    for script, name in SCRIPTS.items():
        if variant.removeprefix("bold-") == name:
            style = [_valued("sty", "b")] if variant.startswith("bold-") else []
            return [_run(text, _valued("scr", script), *style)]
    slope = {name: style for style, name in STYLES.items()}.get(variant, "i")
    return [_run(text, *([] if slope == "i" else [_valued("sty", slope)]))] if text else []


def _number(node: etree._Element) -> list[etree._Element]:
    text = _text(node)
    style = "b" if (node.get("mathvariant") or "").startswith("bold") else "p" if text.isalpha() else ""
    return [_run(text, *([_valued("sty", style)] if style else []))] if text else []


def _words(node: etree._Element) -> list[etree._Element]:
    text = text_of(node).replace("\u00a0", " ")
    return [_run(text, _omml("nor"))] if text else []


def _space(node: etree._Element) -> list[etree._Element]:
    return [] if node.get("linebreak") else [_run(" ", _omml("nor"))]


def _first(node: etree._Element) -> list[etree._Element]:
    return _converted(node[0]) if len(node) else []


def _fraction(node: etree._Element) -> list[etree._Element]:
    kind = "skw" if node.get("bevelled") == "true" else ""
    if node.get("linethickness") in {"0", "0pt", "0px", "0em"}:
        kind = "noBar"
    properties = [_omml("fPr", _valued("type", kind))] if kind else []
    top, bottom = _children(node, 2)
    return [_omml("f", *properties, _slot("num", *top), _slot("den", *bottom))]


def _children(node: etree._Element, count: int) -> list[list[etree._Element]]:
    """Each child in a list of its own, empty lists where a broken formula lacks one."""
    children = elements_in(node)
    return [children[place : place + 1] for place in range(count)]


def _square_root(node: etree._Element) -> list[etree._Element]:
    hidden = _omml("radPr", _valued("degHide", "1"))
    return [_omml("rad", hidden, _omml("deg"), _omml("e", *_content(node)))]


def _root(node: etree._Element) -> list[etree._Element]:
    base, degree = _children(node, 2)
    return [_omml("rad", _slot("deg", *degree), _slot("e", *base))]


def _scripted(node: etree._Element) -> list[etree._Element]:
    name, slot = _SCRIPTED[local_name(node)]
    base, script = _children(node, 2)
    return [_omml(name, _slot("e", *base), _slot(slot, *script))]


def _both_scripts(node: etree._Element) -> list[etree._Element]:
    base, below, above = _children(node, 3)
    return [_omml("sSubSup", _slot("e", *base), _slot("sub", *below), _slot("sup", *above))]


def _under_and_over(node: etree._Element) -> list[etree._Element]:
    base, below, above = _children(node, 3)
    inner = _omml("limLow", _slot("e", *base), _slot("lim", *below))
    return [_omml("limUpp", _omml("e", inner), _slot("lim", *above))]


def _above_or_below(node: etree._Element) -> list[etree._Element]:
    base, script = _children(node, 2)
    above = local_name(node) == "mover"
    sign = _text(script[0]) if script and local_name(script[0]) == "mo" else ""
    short = bool(base) and len(text_of(base[0]).strip()) == 1  # \vec v is an accent, an arrow over AB is not
    if above and sign in _COMBINING and (node.get("accent") == "true" or short or sign not in "←→↔"):
        return [_omml("acc", _omml("accPr", _valued("chr", _COMBINING[sign])), _slot("e", *base))]
    if sign and sign in (_OVERBARS if above else UNDERBAR + "¯\u0332―"):
        return [_omml("bar", _omml("barPr", _valued("pos", "top" if above else "bot")), _slot("e", *base))]
    if sign in _BRACES:
        pos = _valued("pos", "top" if above else "bot")
        return [_omml("groupChr", _omml("groupChrPr", _valued("chr", sign), pos), _slot("e", *base))]
    return _scripted(node)


def _scripts_around(node: etree._Element) -> list[etree._Element]:
    children = elements_in(node)
    names = [local_name(child) for child in children]
    split = names.index("mprescripts") if "mprescripts" in names else len(children)
    base, after, before = children[:1], children[1:split], children[split + 1 :]
    made = [inner for part in base for inner in _converted(part)]
    for place in range(0, len(after), 2):
        below, above = after[place : place + 1], after[place + 1 : place + 2]
        made = [_omml("sSubSup", _omml("e", *made), _slot("sub", *below), _slot("sup", *above))]
    for place in range(0, len(before), 2):
        below, above = before[place : place + 1], before[place + 1 : place + 2]
        made = [_omml("sPre", _slot("sub", *below), _slot("sup", *above), _omml("e", *made))]
    return made


def _nary_sign(node: etree._Element) -> tuple[str, bool] | None:
    """The sign of a big operator with limits, and whether they stand above and below it."""
    name = local_name(node)
    core = node[0] if name in {"msub", "msup", "msubsup", "munder", "mover", "munderover"} and len(node) else node
    sign = _text(core) if local_name(core) == "mo" else ""
    return (sign, name.startswith(("mu", "mo")) and core is not node) if sign in _NARY and sign else None


def _nary(node: etree._Element, argument: etree._Element) -> etree._Element:
    sign, stacked = _nary_sign(node) or ("∑", True)
    name = local_name(node)
    children = [] if name == "mo" else list(node)[1:]
    below = children[:1] if name in {"msub", "munder", "msubsup", "munderover"} else []
    above = children[-1:] if name in {"msup", "mover", "msubsup", "munderover"} else []
    properties = _omml("naryPr", _valued("chr", sign), _valued("limLoc", "undOvr" if stacked else "subSup"))
    if not below:
        properties.append(_valued("subHide", "1"))
    if not above:
        properties.append(_valued("supHide", "1"))
    return _omml("nary", properties, _slot("sub", *below), _slot("sup", *above), _slot("e", argument))


def _mrow(node: etree._Element) -> list[etree._Element]:
    children = elements_in(node)
    if len(children) >= 2 and _is_fence(children[0], _OPENING) and _is_fence(children[-1], _CLOSING):
        return [_delimited(_text(children[0]), _text(children[-1]), children[1:-1])]
    if len(children) >= 2 and _stretches(children[0], _OPENING):  # the brace of cases, with nothing behind them
        return [_delimited(_text(children[0]), "", children[1:])]
    if len(children) >= 2 and _stretches(children[-1], _CLOSING):
        return [_delimited("", _text(children[-1]), children[:-1])]
    return _sequence(children)


def _stretches(node: etree._Element, signs: frozenset[str]) -> bool:
    return local_name(node) == "mo" and _text(node) in signs and node.get("fence") == "true"


def _is_fence(node: etree._Element, signs: frozenset[str]) -> bool:
    if local_name(node) != "mo":
        return False
    return node.get("fence") == "true" or (_text(node) in signs and node.get("fence") != "false")


def _delimited(opening: str, closing: str, content: Sequence[etree._Element]) -> etree._Element:
    parts: list[list[etree._Element]] = [[]]
    separator = "|"
    for node in content:
        if local_name(node) == "mo" and node.get("separator") == "true":
            separator = _text(node)
            parts.append([])
        else:
            parts[-1].append(node)
    properties = _omml("dPr", _valued("begChr", opening), _valued("sepChr", separator), _valued("endChr", closing))
    return _omml("d", properties, *(_omml("e", *_sequence(part)) for part in parts))


def _fenced(node: etree._Element) -> list[etree._Element]:
    separator = (node.get("separators", ",").strip() or " ")[0]
    properties = _omml(
        "dPr",
        _valued("begChr", node.get("open", "(")),
        _valued("sepChr", separator),
        _valued("endChr", node.get("close", ")")),
    )
    return [_omml("d", properties, *(_slot("e", child) for child in node))]


def _table(node: etree._Element) -> list[etree._Element]:
    rows = [row for row in node if local_name(row) in {"mtr", "mlabeledtr"}]
    if node.get("columnalign") == "left" and all(len(row) == 1 for row in rows):
        return [_omml("eqArr", *(_omml("e", *_content(row[0])) for row in rows))]
    return [_omml("m", *(_omml("mr", *(_omml("e", *_content(cell)) for cell in row)) for row in rows))]


def _enclosed(node: etree._Element) -> list[etree._Element]:
    content = _content(node)
    return [_omml("borderBox", _omml("e", *content))] if "box" in node.get("notation", "longdiv") else content


def _phantom(node: etree._Element) -> list[etree._Element]:
    return [_omml("phant", _omml("phantPr", _valued("show", "0")), _omml("e", *_content(node)))]


def _nothing(_: etree._Element) -> list[etree._Element]:
    return []


_ELEMENTS: dict[str, Callable[[etree._Element], list[etree._Element]]] = {
    "mi": _identifier,
    "mn": _number,
    "mo": _number,
    "mtext": _words,
    "ms": _words,
    "mspace": _space,
    "semantics": _first,
    "annotation": _nothing,
    "annotation-xml": _nothing,
    "none": _nothing,
    "mrow": _mrow,
    "mfrac": _fraction,
    "msqrt": _square_root,
    "mroot": _root,
    "msub": _scripted,
    "msup": _scripted,
    "msubsup": _both_scripts,
    "munder": _above_or_below,
    "mover": _above_or_below,
    "munderover": _under_and_over,
    "mmultiscripts": _scripts_around,
    "mfenced": _fenced,
    "mtable": _table,
    "menclose": _enclosed,
    "mphantom": _phantom,
}
