"""Sums over the items of a test: which a candidate saw, answered and got right, and their outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.processing.expressions.registry import Expression, Operands, expression, refusal
from item_formats.processing.values import NUMERIC, Scalar, Value, container, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Context, ItemResult


@expression("qti-number-selected")
def number_selected(element: etree._Element, _: Operands) -> Expression:
    return _count(element, lambda _: True)


@expression("qti-number-presented")
def number_presented(element: etree._Element, _: Operands) -> Expression:
    return _count(element, lambda item: item.presented)


@expression("qti-number-responded")
def number_responded(element: etree._Element, _: Operands) -> Expression:
    return _count(element, lambda item: item.responded)


@expression("qti-number-correct")
def number_correct(element: etree._Element, _: Operands) -> Expression:
    return _count(element, lambda item: item.correct is True)


@expression("qti-number-incorrect")
def number_incorrect(element: etree._Element, _: Operands) -> Expression:
    """Items that were attempted and whose responses do not all match."""
    return _count(element, lambda item: item.presented and item.correct is False)


@expression("qti-test-variables")
def variables_of_items(element: etree._Element, _: Operands) -> Expression:
    """The single values of a variable of all items in the subset; NULL ones are left out.

    Without a base type integers and floats count, and the result is integer when all are. A weight makes floats.
    """
    chosen, name = _subset(element), _required(element, "variable-identifier")
    weight, base_type = element.get("weight-identifier"), element.get("base-type")
    wanted = frozenset({base_type}) if base_type else NUMERIC

    def evaluate(context: Context) -> Value | None:
        types: set[str | None] = set()
        items: list[Scalar] = []
        for item in chosen(context):
            value = item.variable(name)
            if value is None or value.cardinality != "single" or value.base_type not in wanted:
                continue
            part = value.items[0]
            if part is None:
                continue
            if weight is not None and isinstance(part, (int, float)) and value.base_type in NUMERIC:
                types.add("float")
                items.append(part * item.weight(weight))
            else:
                types.add(value.base_type)
                items.append(part)
        if len(types) > 1:
            items = [float(part) for part in items if isinstance(part, (int, float))]
        return container("multiple", "float" if len(types) > 1 else next(iter(types), None), items)

    return evaluate


@expression("qti-outcome-maximum")
def outcome_maximum(element: etree._Element, _: Operands) -> Expression:
    """The normal maximums of an outcome; NULL as soon as one item declares none."""
    return _limits(element, 1, needed=True)


@expression("qti-outcome-minimum")
def outcome_minimum(element: etree._Element, _: Operands) -> Expression:
    """The normal minimums of an outcome; items that declare none are left out."""
    return _limits(element, 0, needed=False)


def _limits(element: etree._Element, place: int, *, needed: bool) -> Expression:
    chosen, name = _subset(element), _required(element, "outcome-identifier")
    weight = element.get("weight-identifier")

    def evaluate(context: Context) -> Value | None:
        limits: list[float] = []
        for item in chosen(context):
            bounds = item.bounds(name)
            limit = None if bounds is None else bounds[place]
            if limit is not None:
                limits.append(float(limit) * (item.weight(weight) if weight is not None else 1.0))
            elif needed and bounds is not None:
                return None
        return container("multiple", "float", limits)

    return evaluate


def _count(element: etree._Element, counts: Callable[[ItemResult], bool]) -> Expression:
    chosen = _subset(element)
    return lambda context: single("integer", sum(counts(item) for item in chosen(context)))


def _subset(element: etree._Element) -> Callable[[Context], list[ItemResult]]:
    section = element.get("section-identifier")
    included = frozenset(element.get("include-category", "").split())
    excluded = frozenset(element.get("exclude-category", "").split())

    def chosen(context: Context) -> list[ItemResult]:
        return [
            item
            for item in context.item_results()
            if (section is None or section in item.sections)
            and (not included or included.intersection(item.categories))
            and not excluded.intersection(item.categories)
        ]

    return chosen


def _required(element: etree._Element, attribute: str) -> str:
    value = element.get(attribute)
    if not value:
        raise refusal(element, "missing-attribute", f"{attribute} is missing: name the variable")
    return value
