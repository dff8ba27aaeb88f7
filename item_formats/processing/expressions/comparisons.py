"""Comparing values: match, orders of numbers and durations, equality with tolerance or after rounding."""

from __future__ import annotations

import math
import operator
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from item_formats.parsing import bad_attribute, is_true
from item_formats.processing.expressions.registry import (
    Expression,
    Number,
    Operands,
    Setting,
    expression,
    number_of,
    real,
    refusal,
    scalar_of,
    setting,
    setting_of,
    whole,
    wrong_type,
)
from item_formats.processing.values import Value, single, truth, values_match

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Context

_MOST_FIGURES = 300  # a float has about 310 digits before its point; more would only build long numbers


@expression("qti-match", 2, 2)
def match(element: etree._Element, operands: Operands) -> Expression:
    first, second = operands

    def evaluate(context: Context) -> Value | None:
        one, other = first(context), second(context)
        if one is None or other is None:
            return None
        if one.cardinality != other.cardinality or one.base_type != other.base_type:
            expected = f"two values of one type; the first is {one.cardinality} {one.base_type or ''}".rstrip()
            raise wrong_type(element, other, expected)
        return truth(bool(values_match(one, other)))

    return evaluate


@expression("qti-lt", 2, 2)
def less(element: etree._Element, operands: Operands) -> Expression:
    return _ordered(element, operands, operator.lt)


@expression("qti-gt", 2, 2)
def greater(element: etree._Element, operands: Operands) -> Expression:
    return _ordered(element, operands, operator.gt)


@expression("qti-lte", 2, 2)
def at_most(element: etree._Element, operands: Operands) -> Expression:
    return _ordered(element, operands, operator.le)


@expression("qti-gte", 2, 2)
def at_least(element: etree._Element, operands: Operands) -> Expression:
    return _ordered(element, operands, operator.ge)


@expression("qti-duration-lt", 2, 2)
def shorter(element: etree._Element, operands: Operands) -> Expression:
    return _durations_ordered(element, operands, operator.lt)


@expression("qti-duration-gte", 2, 2)
def not_shorter(element: etree._Element, operands: Operands) -> Expression:
    return _durations_ordered(element, operands, operator.ge)


@expression("qti-equal", 2, 2)
def equal(element: etree._Element, operands: Operands) -> Expression:
    """Equal numbers, or a second number within the tolerance around the first (t0 below, t1 above)."""
    mode = element.get("tolerance-mode", "exact")
    if mode == "exact":
        return _ordered(element, operands, operator.eq)
    if mode not in {"absolute", "relative"}:
        raise bad_attribute(element, "tolerance-mode", "exact, absolute or relative")
    texts = element.get("tolerance", "").split()
    if len(texts) not in {1, 2}:
        raise bad_attribute(element, "tolerance", "one number, or two: below and above")
    below, above = (setting_of(element, "tolerance", text, "float") for text in (texts[0], texts[-1]))
    lower = operator.ge if is_true(element, "include-lower-bound", default=True) else operator.gt
    upper = operator.le if is_true(element, "include-upper-bound", default=True) else operator.lt

    def evaluate(context: Context) -> Value | None:
        pair = _two_numbers(element, operands, context)
        tolerances = (real(below(context)), real(above(context)))
        if any(not tolerance >= 0 for tolerance in tolerances):
            raise refusal(element, "bad-attribute", "a tolerance of qti-equal is negative: it must be 0 or more")
        if pair is None:
            return None
        low, high = _bounds(pair[0], tolerances, relative=mode == "relative")
        y = _exactly(pair[1])
        return truth(lower(y, low) and upper(y, high))

    return evaluate


@expression("qti-equal-rounded", 2, 2)
def equal_rounded(element: etree._Element, operands: Operands) -> Expression:
    rounding, figures = _rounding(element), setting(element, "figures", "integer")

    def evaluate(context: Context) -> Value | None:
        pair = _two_numbers(element, operands, context)
        places = _figures(element, figures, context)
        return None if pair is None else truth(rounding(pair[0], places) == rounding(pair[1], places))

    return evaluate


@expression("qti-round-to", 1, 1)
def round_to(element: etree._Element, operands: Operands) -> Expression:
    """To significant figures or decimal places of the number as it is written; 5 rounds away from 0."""
    (operand,) = operands
    rounding, figures = _rounding(element), setting(element, "figures", "integer")

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        places = _figures(element, figures, context)
        if value is None:
            return None
        result = rounding(number_of(element, value), places)
        return None if math.isnan(result) else single("float", result)

    return evaluate


def to_significant_figures(number: Number, figures: int) -> float:
    if number == 0 or not math.isfinite(number):
        return float(number)
    exact = _exactly(number)
    return float(exact.quantize(Decimal(1).scaleb(exact.adjusted() - figures + 1), rounding=ROUND_HALF_UP))


def to_decimal_places(number: Number, figures: int) -> float:
    if not math.isfinite(number) or abs(number) >= 1e16:  # such floats have no decimal places
        return float(number)
    return float(_exactly(number).quantize(Decimal(1).scaleb(-min(figures, 20)), rounding=ROUND_HALF_UP))


_ROUNDING = {
    "significantFigures": to_significant_figures,
    "decimalPlaces": to_decimal_places,
    "significantFigure": to_significant_figures,  # as some engines write it
    "decimalPlace": to_decimal_places,
}


def _rounding(element: etree._Element) -> Callable[[Number, int], float]:
    mode = element.get("rounding-mode", "significantFigures")
    if mode not in _ROUNDING:
        raise bad_attribute(element, "rounding-mode", "significantFigures or decimalPlaces")
    return _ROUNDING[mode]


def _figures(element: etree._Element, figures: Setting, context: Context) -> int:
    number = whole(figures(context))
    least = 1 if _rounding(element) is to_significant_figures else 0
    if not least <= number <= _MOST_FIGURES:
        raise refusal(element, "bad-attribute", f"figures is {number}; expected {least} to {_MOST_FIGURES}")
    return number


def _exactly(number: Number) -> Decimal:
    """The number as it is written: 0.1 is a tenth here, so that bounds at 0.7 + 0.1 hold 0.8."""
    return Decimal(repr(number))


def _bounds(x: Number, tolerances: tuple[float, float], *, relative: bool) -> tuple[Decimal, Decimal]:
    if not all(map(math.isfinite, (x, *tolerances))):
        return (Decimal("-Infinity"), Decimal("Infinity")) if math.isfinite(x) else (_exactly(x), _exactly(x))
    exact, (below, above) = _exactly(x), map(_exactly, tolerances)
    if relative:
        ends = (exact * (1 - below / 100), exact * (1 + above / 100))
        return min(ends), max(ends)  # a negative number turns them round
    return exact - below, exact + above


def _two_numbers(element: etree._Element, operands: Operands, context: Context) -> tuple[Number, Number] | None:
    one, other = (operand(context) for operand in operands)
    x = None if one is None else number_of(element, one)
    y = None if other is None else number_of(element, other)
    return None if x is None or y is None or math.isnan(x) or math.isnan(y) else (x, y)


def _ordered(element: etree._Element, operands: Operands, compare: Callable[[Number, Number], bool]) -> Expression:
    def evaluate(context: Context) -> Value | None:
        pair = _two_numbers(element, operands, context)
        return None if pair is None else truth(compare(*pair))

    return evaluate


def _durations_ordered(
    element: etree._Element, operands: Operands, compare: Callable[[Number, Number], bool]
) -> Expression:
    def evaluate(context: Context) -> Value | None:
        values = [operand(context) for operand in operands]
        seconds = [None if value is None else scalar_of(element, value, "duration") for value in values]
        x, y = (part if isinstance(part, (int, float)) else None for part in seconds)
        return None if x is None or y is None else truth(compare(x, y))

    return evaluate
