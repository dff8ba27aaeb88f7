"""What the values of variables make visible: feedback, template content, printed variables, numbers in formulas.

A plain value is what `score` gives: a number, a text, True or False, a list of them, a dict for a record, None for
NULL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from lxml import etree

from item_formats.parsing import MATHML, integer_attribute, is_true, local_name, qti, split_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Scalar: TypeAlias = "bool | float | str | bytes | Sequence[object]"
PlainValue: TypeAlias = "Scalar | Mapping[str, object] | None"

_FEEDBACK = frozenset({"qti-feedback-block", "qti-feedback-inline", "qti-modal-feedback"})
_TEMPLATED = frozenset({"qti-template-block", "qti-template-inline"})
_FORMAT = re.compile(r"([^%]*)%([-+ 0#]*)(\d{0,3})(?:\.(\d{1,2}))?([diouxXeEfgGrRs])(.*)", re.DOTALL)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def shows(value: PlainValue, element: etree._Element) -> bool:
    """Whether the value of the variable an element names shows it: it is, or contains, the element's identifier.

    ``show-hide="hide"`` hides the element then, and shows it otherwise.
    """
    identifier = element.get("identifier", "")
    values = value if isinstance(value, (list, tuple, set, frozenset)) else () if value is None else (value,)
    matches = any(written(one) == identifier for one in values)
    return matches is (element.get("show-hide", "show") != "hide")


def show_values(root: etree._Element, values: Mapping[str, PlainValue]) -> None:
    """Change a tree into what these values show: nothing of it depends on a variable afterwards.

    Feedback and template content that is shown stands as ordinary content, the rest is gone, choices hidden by the
    template are gone, printed variables are their text and variables in formulas are numbers.
    """
    for element in list(root.iter("*")):
        if element is root or not _is_within(element, root):
            continue
        name = local_name(element)
        variable = element.get("outcome-identifier" if name in _FEEDBACK else "template-identifier")
        if name == "qti-printed-variable":
            _put_numbers(element, values)
            _print(element, values.get(element.get("identifier", "")), _base_type(root, element))
        elif variable is not None and name not in {"qti-template-default", "qti-template-variable"}:
            if shows(values.get(variable), element):
                _make_ordinary(element, name, root)
            else:
                take_out(element)
    _fill_formulas(root, values)


def _make_ordinary(element: etree._Element, name: str, root: etree._Element) -> None:
    """What is shown becomes content like any other; modal feedback goes to the end of the body."""
    if name not in _FEEDBACK | _TEMPLATED:  # a choice
        del element.attrib["template-identifier"]
        if "show-hide" in element.attrib:
            del element.attrib["show-hide"]
        return
    _unwrap(element)
    body = root.find(qti("qti-item-body"))
    if name == "qti-modal-feedback" and body is not None:
        element.tail = None
        body.append(element)


def _put_numbers(printed: etree._Element, values: Mapping[str, PlainValue]) -> None:
    """Attributes that name the variable with their number get the number."""
    for attribute in ("index", "base"):
        number = values.get(printed.get(attribute, "").strip("{}"))
        if number is not None:
            printed.set(attribute, written(number))


def written(value: object) -> str:
    """A plain value as QTI writes it: true, 3, 2.5, "A B" for a pair."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    if isinstance(value, (list, tuple)):
        return " ".join(map(written, value))
    return "" if value is None else str(value)


def take_out(element: etree._Element) -> None:
    """Take an element out of its tree; text after it stays, the line break that set it off in the file goes."""
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail or ""
    if tail.strip() or "\n" not in tail:
        _append_before(element, parent, tail)
    element.tail = None
    parent.remove(element)
    if len(parent) == 0 and not (parent.text or "").strip():
        parent.text = None


def _append_before(element: etree._Element, parent: etree._Element, text: str) -> None:
    previous = element.getprevious()
    if previous is not None:
        previous.tail = (previous.tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _is_within(element: etree._Element, root: etree._Element) -> bool:
    return any(ancestor is root for ancestor in element.iterancestors())


def _unwrap(element: etree._Element) -> None:
    """Shown content becomes an ordinary div or span; of feedback only the body shows."""
    name = local_name(element)
    content = element.find(qti("qti-content-body"))
    title = element.get("title")
    element.tag = qti("span" if name.endswith("inline") else "div")
    element.attrib.clear()
    if content is None:
        return
    for child in list(element):
        if child is not content:
            element.remove(child)
    element.text = None
    if title:
        heading = etree.Element(qti("strong"))
        heading.text = title
        element.insert(0, heading)
    content.tag = qti("div")


def _base_type(root: etree._Element, printed: etree._Element) -> str:
    identifier = printed.get("identifier")
    for declaration in root.iterchildren("*"):
        if declaration.get("identifier") == identifier and local_name(declaration).endswith("-declaration"):
            return declaration.get("base-type", "")
    return ""


def _print(element: etree._Element, value: PlainValue, base_type: str) -> None:
    """Replace a printed variable by a span with its text."""
    parts = _printed_parts(element, value, base_type)
    powers = is_true(element, "power-form")
    tail = element.tail
    element.clear()
    element.tail = tail
    element.tag = qti("span")
    for part in parts:
        mantissa, _, exponent = part.partition("e") if powers else (part, "", "")
        _append(element, f"{mantissa} × 10" if exponent else part)
        if exponent:
            raised = etree.SubElement(element, qti("sup"))
            raised.text = str(int(exponent))


def _append(element: etree._Element, text: str) -> None:
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _printed_parts(element: etree._Element, value: PlainValue, base_type: str) -> list[str]:
    """The text in pieces, so that each number may have a power of its own."""
    if value is None:
        return []
    if not isinstance(value, dict):
        values = list(value) if isinstance(value, list) else [value]
        index = element.get("index")
        if index is not None and index.strip().isdigit():
            values = values[int(index) - 1 : int(index)]
        entries = [_formatted(element, one, base_type) for one in values]
    else:
        indicator, field = element.get("mapping-indicator", "="), element.get("field")
        if field is not None:
            return [_formatted(element, value.get(field), "")]
        entries = [f"{name}{indicator}{_formatted(element, one, '')}" for name, one in value.items()]
    delimiter = element.get("delimiter", ";")
    return [part for entry in entries for part in (delimiter, entry)][1:]


def _formatted(element: etree._Element, value: object, base_type: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return written(value)
    pattern = _FORMAT.fullmatch(element.get("format", ""))
    whole = base_type == "integer" or isinstance(value, int)
    if pattern is None:
        base = integer_attribute(element, "base", 10)
        return _in_base(int(value), base) if whole and 2 <= base <= 36 else written(value)
    before, flags, width, precision, kind, after = pattern.groups()
    if kind in "rRs":  # QTI: %r rounds to significant figures
        text = written(value) if kind == "s" else f"{value:.{int(precision or 6)}g}"
        return f"{before}{text:>{int(width or 0)}}{after}"
    number = int(value) if kind in "diouxX" else float(value)
    spec = f"%{flags}{width}{'.' + precision if precision else ''}{'d' if kind in 'iu' else kind}"
    return f"{before}{spec % number}{after}"


def _in_base(number: int, base: int) -> str:
    digits = ""
    rest = abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return f"-{digits}" if number < 0 else digits


def _fill_formulas(root: etree._Element, values: Mapping[str, PlainValue]) -> None:
    """Template variables declared as math variables stand in formulas as identifiers."""
    wanted = {
        declaration.get("identifier", ""): declaration.get("base-type", "")
        for declaration in root.iterchildren(qti("qti-template-declaration"))
        if is_true(declaration, "math-variable")
    }
    for element in root.iter(f"{{{MATHML}}}mi", f"{{{MATHML}}}ci"):
        name = (element.text or "").strip()
        value = values.get(name)
        if name in wanted and value is not None:
            number = "mn" if split_name(element)[1] == "mi" else "cn"
            element.tag = f"{{{MATHML}}}{number}"
            element.text = written(value)
