"""Named functions of numbers: math-operator and stats-operator."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from item_formats.parsing import bad_attribute
from item_formats.processing.expressions.numbers import numeric
from item_formats.processing.expressions.registry import (
    Expression,
    Number,
    Operands,
    expression,
    number_of,
    refusal,
    wrong_type,
)
from item_formats.processing.values import NUMERIC, Value, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Context


@expression("qti-math-operator", 1, None)
def math_operator(element: etree._Element, operands: Operands) -> Expression:
    """A function by name; outside its natural domain, at its poles and for what is not a number it is NULL."""
    name = element.get("name", "")
    takes = 2 if name == "atan2" else 1
    if name not in FUNCTIONS and name != "atan2":
        raise bad_attribute(element, "name", f"one of {', '.join(sorted([*FUNCTIONS, 'atan2']))}")
    if len(operands) != takes:
        message = f"the function {name} takes {takes} sub-expressions, got {len(operands)}"
        raise refusal(element, "wrong-operands", message)
    function: Callable[..., Number] = math.atan2 if takes == 2 else FUNCTIONS[name]

    def evaluate(context: Context) -> Value | None:
        values = [operand(context) for operand in operands]
        numbers = [None if value is None else number_of(element, value) for value in values]
        if any(number is None or math.isnan(number) for number in numbers):
            return None
        try:
            return numeric(function(*numbers))
        except (ValueError, ZeroDivisionError):
            return None
        except OverflowError:
            return _beyond(name, real(numbers[0]))

    return evaluate


@expression("qti-stats-operator", 1, 1)
def stats_operator(element: etree._Element, operands: Operands) -> Expression:
    """Mean, variance or standard deviation of a container; of a sample with n − 1, so NULL for one value."""
    name = element.get("name", "")
    if name not in STATISTICS:
        raise bad_attribute(element, "name", f"one of {', '.join(STATISTICS)}")
    (operand,), statistic = operands, STATISTICS[name]

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is None:
            return None
        if value.cardinality not in {"multiple", "ordered"} or value.base_type not in NUMERIC:
            raise wrong_type(element, value, "a container of numbers")
        numbers = [float(part) for part in value.items if isinstance(part, (int, float)) and math.isfinite(part)]
        if len(numbers) < len(value.items):
            return None
        try:
            return single("float", statistic(numbers))
        except (statistics.StatisticsError, OverflowError):
            return None

    return evaluate


def real(number: Number | None) -> float:
    return math.nan if number is None else float(number)


def _beyond(name: str, x: float) -> Value | None:
    """What a function tends to where its value is too large for a float."""
    if name in {"csch", "sech"}:
        return single("float", math.copysign(0.0, x) if name == "csch" else 0.0)
    return single("float", -math.inf if name == "sinh" and x < 0 else math.inf)


def _finite(x: Number) -> Number:
    if not math.isfinite(x):
        raise ValueError(x)
    return x


def _acot(x: Number) -> float:
    """Of the branch that is continuous in arctan(1/x): (−π/2, π/2], π/2 at 0."""
    return math.pi / 2 if x == 0 else math.atan(1 / x)


def _signum(x: Number) -> int:
    return (x > 0) - (x < 0)


def _whole(step: Callable[[Number], int]) -> Callable[[Number], Number]:
    return lambda x: step(x) if math.isfinite(x) else float(x)


def _reciprocal(function: Callable[[float], float]) -> Callable[[Number], float]:
    return lambda x: 1 / function(x)


FUNCTIONS: dict[str, Callable[[Number], Number]] = {
    "sin": lambda x: math.sin(_finite(x)),
    "cos": lambda x: math.cos(_finite(x)),
    "tan": lambda x: math.tan(_finite(x)),
    "sec": lambda x: 1 / math.cos(_finite(x)),
    "csc": lambda x: 1 / math.sin(_finite(x)),
    "cot": lambda x: 1 / math.tan(_finite(x)),
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "asec": lambda x: math.acos(1 / x),
    "acsc": lambda x: math.asin(1 / x),
    "acot": _acot,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "sech": _reciprocal(math.cosh),
    "csch": _reciprocal(math.sinh),
    "coth": _reciprocal(math.tanh),
    "log": math.log10,
    "ln": math.log,
    "exp": math.exp,
    "abs": lambda x: float(abs(x)),
    "signum": _signum,
    "floor": _whole(math.floor),
    "ceil": _whole(math.ceil),
    "toDegrees": math.degrees,
    "toRadians": math.radians,
}
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.fmean,
    "sampleVariance": statistics.variance,
    "sampleSD": statistics.stdev,
    "popVariance": statistics.pvariance,
    "popSD": statistics.pstdev,
}
