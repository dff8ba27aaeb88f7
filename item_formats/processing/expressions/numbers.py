"""Arithmetic: a result is an integer when all its numbers are; NULL in, nothing defined or no number out, is NULL."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from item_formats.parsing import local_name
from item_formats.processing.expressions.registry import (
    Expression,
    Number,
    Operands,
    expression,
    number_of,
    wrong_type,
)
from item_formats.processing.values import NUMERIC, Value, single

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from item_formats.processing.context import Context


_LARGEST = 2**63  # of integers; beyond, a result is NULL as one that is not defined


def numeric(result: Number) -> Value | None:
    """A number as a value; what is not a number (INF − INF), or an integer of more than 64 bits, is NULL."""
    if isinstance(result, int):
        return single("integer", result) if -_LARGEST <= result < _LARGEST else None
    return None if math.isnan(result) else single("float", result)


@expression("qti-sum", 1, None)
def total(element: etree._Element, operands: Operands) -> Expression:
    return _over_all(element, operands, sum)


@expression("qti-product", 1, None)
def product(element: etree._Element, operands: Operands) -> Expression:
    return _over_all(element, operands, _product)


@expression("qti-min", 1, None)
def least(element: etree._Element, operands: Operands) -> Expression:
    """The least of all; a float as soon as one of them is. Text makes it NULL; records are refused."""
    return _over_all(element, operands, lambda numbers: _of_common_type(min(numbers), numbers), lenient=True)


@expression("qti-max", 1, None)
def most(element: etree._Element, operands: Operands) -> Expression:
    return _over_all(element, operands, lambda numbers: _of_common_type(max(numbers), numbers), lenient=True)


@expression("qti-gcd", 1, None)
def greatest_common_divisor(element: etree._Element, operands: Operands) -> Expression:
    return _over_all(element, operands, lambda numbers: math.gcd(*map(int, numbers)), integers=True)


@expression("qti-lcm", 1, None)
def least_common_multiple(element: etree._Element, operands: Operands) -> Expression:
    return _over_all(element, operands, _common_multiple, integers=True)


@expression("qti-subtract", 2, 2)
def subtract(element: etree._Element, operands: Operands) -> Expression:
    return _of_two(element, operands, lambda x, y: x - y)


@expression("qti-divide", 2, 2)
def divide(element: etree._Element, operands: Operands) -> Expression:
    return _of_two(element, operands, lambda x, y: None if y == 0 else x / y)


@expression("qti-power", 2, 2)
def power(element: etree._Element, operands: Operands) -> Expression:
    return _of_two(element, operands, math.pow)


@expression("qti-integer-divide", 2, 2)
def integer_divide(element: etree._Element, operands: Operands) -> Expression:
    """X ÷ y rounded down to the greatest integer at most that."""
    return _of_two(element, operands, lambda x, y: None if y == 0 else x // y, integers=True)


@expression("qti-integer-modulus", 2, 2)
def integer_modulus(element: etree._Element, operands: Operands) -> Expression:
    """X − z·y, where z is the integer division of x by y."""
    return _of_two(element, operands, lambda x, y: None if y == 0 else x - (x // y) * y, integers=True)


@expression("qti-round", 1, 1)
def rounded(element: etree._Element, operands: Operands) -> Expression:
    """The nearest integer, n where n ≤ x + ½ < n + 1; infinities stay floats."""
    return _to_integer(element, operands, lambda x: math.floor(x + 0.5))


@expression("qti-truncate", 1, 1)
def truncated(element: etree._Element, operands: Operands) -> Expression:
    return _to_integer(element, operands, math.trunc)


@expression("qti-integer-to-float", 1, 1)
def integer_to_float(element: etree._Element, operands: Operands) -> Expression:
    (operand,) = operands

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is None:
            return None
        if value.base_type != "integer":
            raise wrong_type(element, value, "a single integer")
        return single("float", float(number_of(element, value)))

    return evaluate


def _over_all(
    element: etree._Element,
    operands: Operands,
    combine: Callable[[list[Number]], Number],
    *,
    integers: bool = False,
    lenient: bool = False,
) -> Expression:
    """Over all numbers of all operands, single ones and containers alike."""
    allowed = frozenset({"integer"}) if integers else NUMERIC
    expected = "integers" if integers else "numbers"

    def evaluate(context: Context) -> Value | None:
        values = [operand(context) for operand in operands]
        numbers: list[Number] = []
        empty = False
        for value in values:
            if value is None:
                empty = True
            elif value.base_type in allowed:
                found = [part for part in value.items if isinstance(part, (int, float))]
                empty = empty or len(found) < len(value.items)
                numbers += found
            elif lenient and value.cardinality != "record":
                return None
            else:
                raise wrong_type(element, value, expected)
        return None if empty else numeric(_finite(combine, numbers))

    return evaluate


def _finite(combine: Callable[[list[Number]], Number], numbers: list[Number]) -> Number:
    try:
        return combine(numbers)
    except OverflowError:  # an integer beyond every float, times a float
        return math.nan


def _product(numbers: list[Number]) -> Number:
    """Left as soon as it is too large for an integer: thousands of factors would make millions of digits."""
    if 0 in numbers and all(map(math.isfinite, numbers)):
        return _of_common_type(0, numbers)
    total: Number = 1
    for number in numbers:
        total *= number
        if isinstance(total, int) and abs(total) > _LARGEST:
            return math.nan if all(isinstance(one, int) for one in numbers) else math.prod(map(float, numbers))
    return total


def _common_multiple(numbers: list[Number]) -> Number:
    common = 1
    for number in numbers if 0 not in numbers else [0]:
        common = math.lcm(common, int(number))
        if common > _LARGEST:
            return math.nan
    return common


def _of_common_type(result: Number, numbers: list[Number]) -> Number:
    return result if all(isinstance(number, int) for number in numbers) else float(result)


def _of_two(
    element: etree._Element,
    operands: Operands,
    combine: Callable[[Number, Number], Number | None],
    *,
    integers: bool = False,
) -> Expression:
    first, second = operands

    def evaluate(context: Context) -> Value | None:
        one, other = first(context), second(context)
        for value in (one, other):
            if value is not None and integers and value.base_type != "integer":
                raise wrong_type(element, value, f"single integers in {local_name(element)}")
        x = None if one is None else number_of(element, one)
        y = None if other is None else number_of(element, other)
        if x is None or y is None:
            return None
        try:
            result = combine(x, y)
        except (OverflowError, ValueError):  # too large to represent, or not defined, as (−20) to the power of 3.4
            return None
        return None if result is None else numeric(result)

    return evaluate


def _to_integer(element: etree._Element, operands: Operands, step: Callable[[Number], int]) -> Expression:
    (operand,) = operands

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is None:
            return None
        number = number_of(element, value)
        return numeric(step(number) if math.isfinite(number) else number)

    return evaluate
