"""Random numbers from the seed of the session, so that a clone can be made again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from item_formats.processing.expressions.registry import (
    Expression,
    Operands,
    expression,
    real,
    refusal,
    setting,
    whole,
)
from item_formats.processing.values import Value, single

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.processing.context import Context


@expression("qti-random-integer")
def random_integer(element: etree._Element, _: Operands) -> Expression:
    """One of min, min + step, min + 2·step … up to max, each as likely."""
    least = setting(element, "min", "integer", 0)
    most = setting(element, "max", "integer")
    step = setting(element, "step", "integer", 1)

    def evaluate(context: Context) -> Value | None:
        low, high, by = whole(least(context)), whole(most(context)), whole(step(context))
        if by < 1 or low > high:
            message = f"random-integer has min {low}, max {high}, step {by}: max is at least min, step at least 1"
            raise refusal(element, "bad-attribute", message)
        return single("integer", low + by * context.random.randrange((high - low) // by + 1))

    return evaluate


@expression("qti-random-float")
def random_float(element: etree._Element, _: Operands) -> Expression:
    least, most = setting(element, "min", "float", 0.0), setting(element, "max", "float")

    def evaluate(context: Context) -> Value | None:
        low, high = real(least(context)), real(most(context))
        if not low <= high or not math.isfinite(high - low):
            raise refusal(element, "bad-attribute", f"random-float has min {low:g}, max {high:g}: max is at least min")
        return single("float", context.random.uniform(low, high))

    return evaluate
