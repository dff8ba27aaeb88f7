"""Whether what a candidate hands in keeps the limits of the interactions (`validate-responses` asks for it)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.bindings import BINDINGS, offer_of
from item_formats.findings import ItemError
from item_formats.parsing import integer_attribute, is_qti, is_true, local_name, qti
from item_formats.processing.expressions.patterns import Pattern, PatternError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

    from item_formats.model import Item
    from item_formats.processing.values import Value

_ORDERING = frozenset({"qti-order-interaction", "qti-graphic-order-interaction"})
_WRITING = frozenset({"qti-text-entry-interaction", "qti-extended-text-interaction"})


def invalid_responses(item: Item, responses: Mapping[str, Value | None]) -> list[str]:
    """What the responses lack or have too much of, a sentence each; [] when they are valid (QTI 3, *interaction*)."""
    body = item.root.find(qti("qti-item-body"))
    if body is None:
        return []
    wrong = []
    for element in body.iter():
        if is_qti(element) and local_name(element) in BINDINGS:
            name = element.get("response-identifier", "")
            value = responses.get(name)
            parts = () if value is None else tuple(part for part in value.items if part is not None)
            wrong += [f"{name}: {what}" for what in _wrong(element, parts)]
    return wrong


def _wrong(element: etree._Element, parts: tuple[object, ...]) -> Iterator[str]:
    name = local_name(element)
    binding = BINDINGS[name]
    if name in _ORDERING:
        yield from _ordered(element, len(parts))
    elif binding.limits:
        yield from _counted(element, len(parts), binding.limits, most=binding.most or 0)
    if binding.targets:
        yield from _matched(element, parts)
    if name == "qti-inline-choice-interaction":
        required = is_true(element, "required") or _whole(element, "min-choices", 0) > 0
        if required and not parts:
            yield "a choice must be made"
    elif name in _WRITING:
        yield from _written(element, tuple(map(str, parts)))


def _counted(element: etree._Element, count: int, what: str, *, most: int) -> Iterator[str]:
    least, most = _whole(element, f"min-{what}", 0), _whole(element, f"max-{what}", most)
    if count < least:
        yield f"{count} {what}, at least {least} are asked for"
    if most and count > most:
        yield f"{count} {what}, at most {most} are allowed"


def _ordered(element: etree._Element, count: int) -> Iterator[str]:
    """Without min-choices every choice must be put in order, whatever max-choices says (QTI 3, *order interaction*)."""
    if element.get("min-choices") is None:
        choices = len(offer_of(element).choices)
        if count != choices:
            yield f"{count} choices put in order, all {choices} are asked for"
    else:
        yield from _counted(element, count, "choices", most=0)


def _matched(element: etree._Element, parts: tuple[object, ...]) -> Iterator[str]:
    """How often each choice is used, and that required gaps are filled."""
    used = Counter(str(name) for part in parts if isinstance(part, tuple) for name in part)
    for child in element.iter():
        identifier = child.get("identifier")
        if identifier is None or not is_qti(child):
            continue
        if child.get("match-max") is not None:
            least, most = _whole(child, "match-min", 0), _whole(child, "match-max", 0)
            if used[identifier] < least:
                yield f"{identifier} is used {used[identifier]} times, at least {least} are asked for"
            if most and used[identifier] > most:
                yield f"{identifier} is used {used[identifier]} times, at most {most} are allowed"
        elif local_name(child) == "qti-gap" and is_true(child, "required") and not used[identifier]:
            yield f"the gap {identifier} must be filled"


def _written(element: etree._Element, texts: tuple[str, ...]) -> Iterator[str]:
    if local_name(element) == "qti-extended-text-interaction":
        yield from _counted(element, len(texts), "strings", most=0)
    mask = element.get("pattern-mask")
    if mask is None:
        return
    try:
        pattern = Pattern(mask)
    except PatternError:  # as below
        return
    for text in texts or ("",):  # nothing written is the empty text
        if not pattern.matches(text):
            yield f"“{text}” is not of the form asked for"


def _whole(element: etree._Element, name: str, default: int) -> int:
    try:
        return integer_attribute(element, name, default)
    except ItemError:  # `check` names it; nobody can be kept from handing in by a limit that says nothing
        return default
