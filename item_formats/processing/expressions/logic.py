"""Truth: and, or, not, any-n, is-null, with NULL as “cannot be said”."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.processing.expressions.registry import Expression, Operands, expression, setting, truth_of, whole
from item_formats.processing.values import FALSE, TRUE, Value, truth

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.processing.context import Context


@expression("qti-and", 1, None)
def every(element: etree._Element, operands: Operands) -> Expression:
    """False as soon as one is false, NULL when the others are true and one is NULL."""
    return _decided(element, operands, by=False)


@expression("qti-or", 1, None)
def some(element: etree._Element, operands: Operands) -> Expression:
    """True as soon as one is true, NULL when the others are false and one is NULL."""
    return _decided(element, operands, by=True)


def _decided(element: etree._Element, operands: Operands, *, by: bool) -> Expression:
    def evaluate(context: Context) -> Value | None:
        known = True
        for operand in operands:
            stated = truth_of(element, operand(context))
            if stated is by:
                return truth(by)
            known = known and stated is not None
        return truth(not by) if known else None

    return evaluate


@expression("qti-not", 1, 1)
def negation(element: etree._Element, operands: Operands) -> Expression:
    (operand,) = operands

    def evaluate(context: Context) -> Value | None:
        stated = truth_of(element, operand(context))
        return None if stated is None else truth(not stated)

    return evaluate


@expression("qti-any-n", 1, None)
def any_n(element: etree._Element, operands: Operands) -> Expression:
    """Whether `min` to `max` are true; NULL when it depends on those that are NULL."""
    least, most = setting(element, "min", "integer"), setting(element, "max", "integer")

    def evaluate(context: Context) -> Value | None:
        stated = [truth_of(element, operand(context)) for operand in operands]
        true, unknown = stated.count(True), stated.count(None)
        low, high = whole(least(context)), whole(most(context))
        if low <= true and true + unknown <= high:
            return TRUE
        return FALSE if true > high or true + unknown < low else None

    return evaluate


@expression("qti-is-null", 1, 1)
def is_null(_element: etree._Element, operands: Operands) -> Expression:
    (operand,) = operands
    return lambda context: truth(operand(context) is None)
