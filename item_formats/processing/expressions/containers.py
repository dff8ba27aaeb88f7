"""Containers and records: building them, their members and their fields."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.processing.expressions.registry import (
    Expression,
    Operands,
    expression,
    refusal,
    setting,
    whole,
    wrong_type,
)
from item_formats.processing.values import Scalar, Value, container, single, truth

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.processing.context import Context

CONTAINERS = frozenset({"multiple", "ordered"})
_MOST_ITEMS = 100_000  # of a repeat: a number in a document must not fill the memory


@expression("qti-multiple", 0, None)
def multiple(element: etree._Element, operands: Operands) -> Expression:
    return lambda context: _gathered(element, operands, context, "multiple")


@expression("qti-ordered", 0, None)
def ordered(element: etree._Element, operands: Operands) -> Expression:
    return lambda context: _gathered(element, operands, context, "ordered")


@expression("qti-repeat", 1, None)
def repeat(element: etree._Element, operands: Operands) -> Expression:
    """Sub-expressions in turn, evaluated anew each time (so random ones differ)."""
    times = setting(element, "number-repeats", "integer")

    def evaluate(context: Context) -> Value | None:
        number = whole(times(context))
        parts: list[Value] = []
        size = 0
        for _ in range(number):
            found = _gathered(element, operands, context, "ordered")
            if found is None:
                return None
            parts.append(found)
            size += len(found.items)
            if size > _MOST_ITEMS:
                raise refusal(element, "too-large", f"repeat makes more than {_MOST_ITEMS:,} values: repeat less")
        return (
            container("ordered", parts[0].base_type, [item for part in parts for item in part.items]) if parts else None
        )

    return evaluate


@expression("qti-container-size", 1, 1)
def container_size(element: etree._Element, operands: Operands) -> Expression:
    (operand,) = operands

    def evaluate(context: Context) -> Value | None:
        value = _container(element, operand(context))
        return single("integer", 0 if value is None else len(value.items))

    return evaluate


@expression("qti-index", 1, 1)
def index(element: etree._Element, operands: Operands) -> Expression:
    """The n-th member of an ordered container, counted from 1; NULL past its end."""
    (operand,), place = operands, setting(element, "n", "integer")

    def evaluate(context: Context) -> Value | None:
        value, n = operand(context), whole(place(context))
        if n < 1:
            raise refusal(element, "bad-attribute", f"n of qti-index is {n}; expected 1 or more")
        if value is None:
            return None
        if value.cardinality != "ordered":
            raise wrong_type(element, value, "an ordered container")
        return _member(value, value.items[n - 1]) if n <= len(value.items) else None

    return evaluate


@expression("qti-field-value", 1, 1)
def field_value(element: etree._Element, operands: Operands) -> Expression:
    (operand,), name = operands, element.get("field-identifier", "")

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is not None and value.cardinality != "record":
            raise wrong_type(element, value, "a record")
        return None if value is None else value.fields.get(name)

    return evaluate


@expression("qti-member", 2, 2)
def member(element: etree._Element, operands: Operands) -> Expression:
    """Whether a single value is in a container; one value stands for a container of one."""
    first, second = operands

    def evaluate(context: Context) -> Value | None:
        one, among = _single(element, first(context)), second(context)
        if among is not None and among.cardinality != "single":
            _container(element, among)
        if one is None or among is None:
            return None
        _same_type(element, one, among)
        return truth(one.items[0] in among.items)

    return evaluate


@expression("qti-delete", 2, 2)
def delete(element: etree._Element, operands: Operands) -> Expression:
    """The container without every occurrence of the value."""
    first, second = operands

    def evaluate(context: Context) -> Value | None:
        one, among = _single(element, first(context)), _container(element, second(context))
        if one is None or among is None:
            return None
        _same_type(element, one, among)
        return container(among.cardinality, among.base_type, [item for item in among.items if item != one.items[0]])

    return evaluate


@expression("qti-contains", 2, 2)
def contains(element: etree._Element, operands: Operands) -> Expression:
    """Whether the first container holds the second: as often as it does, or, ordered, as a run of neighbours."""
    first, second = operands

    def evaluate(context: Context) -> Value | None:
        whole_value, part = _container(element, first(context)), _container(element, second(context))
        if whole_value is None or part is None:
            return None
        _same_type(element, whole_value, part)
        if whole_value.cardinality != part.cardinality:
            raise wrong_type(
                element, part, f"two containers of one cardinality; the first is {whole_value.cardinality}"
            )
        if part.cardinality == "multiple":
            return truth(Counter(part.items) <= Counter(whole_value.items))
        length = len(part.items)
        starts = range(len(whole_value.items) - length + 1)
        return truth(any(whole_value.items[start : start + length] == part.items for start in starts))

    return evaluate


@expression("qti-random", 1, 1)
def random(element: etree._Element, operands: Operands) -> Expression:
    (operand,) = operands

    def evaluate(context: Context) -> Value | None:
        value = _container(element, operand(context))
        return None if value is None else _member(value, context.random.choice(value.items))

    return evaluate


def _member(value: Value, item: Scalar | None) -> Value | None:
    return None if item is None else single(value.base_type or "", item)


def _gathered(element: etree._Element, operands: Operands, context: Context, cardinality: str) -> Value | None:
    """The values of all operands in one container; NULL ones are left out."""
    values = [value for value in (operand(context) for operand in operands) if value is not None]
    for value in values:
        if value.cardinality not in {"single", cardinality} or value.base_type != values[0].base_type:
            expected = f"single or {cardinality} values of one base type ({values[0].base_type or 'none is a record'})"
            raise wrong_type(element, value, expected)
    return (
        container(cardinality, values[0].base_type, [item for value in values for item in value.items])
        if values
        else None
    )


def _single(element: etree._Element, value: Value | None) -> Value | None:
    if value is not None and value.cardinality != "single":
        raise wrong_type(element, value, "a single value first")
    return value


def _container(element: etree._Element, value: Value | None) -> Value | None:
    if value is not None and value.cardinality not in CONTAINERS:
        raise wrong_type(element, value, "a multiple or ordered container")
    return value


def _same_type(element: etree._Element, one: Value, other: Value) -> None:
    if one.base_type != other.base_type:
        raise wrong_type(element, other, f"values of one base type; the first is {one.base_type}")
