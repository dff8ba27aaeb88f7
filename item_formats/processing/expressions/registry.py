"""Expressions by element name: each is compiled once into a function from a context to a value.

An operator is registered next to its neighbours with `expression`, whose compiler sees the element; the operand helpers
below read sub-expressions the way QTI types them: NULL stays None, another type is an error that names the operator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import bad_attribute, is_qti, line_of, local_name
from item_formats.processing.context import Context
from item_formats.processing.values import NUMERIC, Scalar, Value, read_scalar

if TYPE_CHECKING:
    from lxml import etree

Expression = Callable[[Context], Value | None]
Operands = tuple[Expression, ...]
Operator = Callable[["etree._Element", Operands], Expression]
Number = int | float

_DEEPEST = 100  # each level is a few calls deep when it is evaluated
_EXPRESSIONS: dict[str, tuple[Operator, int, int | None]] = {}
_REFERENCE = re.compile(r"(?P<braced>\{)?(?P<name>[^\W\d][\w.\-]*)(?(braced)\})")


def expression(name: str, least: int = 0, most: int | None = 0) -> Callable[[Operator], Operator]:
    """Registers the compiler of an expression that takes `least` to `most` sub-expressions (None: any number)."""

    def register(operator: Operator) -> Operator:
        _EXPRESSIONS[name] = (operator, least, most)
        return operator

    return register


def expression_names() -> frozenset[str]:
    """Element names of every expression that is understood."""
    return frozenset(_EXPRESSIONS)


def compile_expression(element: etree._Element, *, depth: int = 0) -> Expression:
    """The function an expression element stands for; `depth` says how many expressions are around it.

    Raises
    ------
    ItemError
        Not an expression, nested too deeply, the wrong number of sub-expressions, or attributes that make no sense.
        What only shows with values (a text added to a number) is raised when the function is called.
    """
    name = local_name(element)
    if not is_qti(element) or name not in _EXPRESSIONS:
        raise refusal(element, "unknown-expression", f"<{name}> is no expression of QTI 3")
    if depth > _DEEPEST:
        raise refusal(element, "too-deep", f"expressions are nested more than {_DEEPEST} deep: use variables between")
    operator, least, most = _EXPRESSIONS[name]
    operands = tuple(compile_expression(child, depth=depth + 1) for child in element if local_name(child))
    if len(operands) < least or (most is not None and len(operands) > most):
        expected = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        message = f"{name} takes {expected} sub-expressions, got {len(operands)}"
        raise refusal(element, "wrong-operands", message)
    return operator(element, operands)


def refusal(element: etree._Element, code: str, message: str) -> ItemError:
    return ItemError(Finding("error", code, message, line=line_of(element)))


def wrong_type(element: etree._Element, value: Value, expected: str) -> ItemError:
    given = f"{value.cardinality} {value.base_type or ''}".strip()
    return refusal(element, "wrong-type", f"{local_name(element)} takes {expected}, got {given}")


def scalar_of(element: etree._Element, value: Value, base_type: str) -> Scalar | None:
    """What a single value of a base type holds."""
    if value.cardinality != "single" or value.base_type != base_type:
        raise wrong_type(element, value, f"a single {base_type}")
    return value.items[0]


def number_of(element: etree._Element, value: Value) -> Number:
    """The number a single integer or float holds."""
    item = value.items[0] if value.cardinality == "single" else None
    if value.base_type not in NUMERIC or not isinstance(item, (int, float)):
        raise wrong_type(element, value, "single numbers")
    return item


def truth_of(element: etree._Element, value: Value | None) -> bool | None:
    return None if value is None else bool(scalar_of(element, value, "boolean"))


def text_of(element: etree._Element, value: Value) -> str:
    return str(scalar_of(element, value, "string"))


Setting = Callable[[Context], Scalar]


def setting(element: etree._Element, attribute: str, base_type: str, default: Scalar | None = None) -> Setting:
    """An attribute that is a number or names a variable that holds one when the expression is evaluated.

    QTI 3 names it bare; in braces, as patterns name theirs and older documents all, it is the same.
    """
    return setting_of(element, attribute, element.get(attribute), base_type, default)


def setting_of(
    element: etree._Element, attribute: str, text: str | None, base_type: str, default: Scalar | None = None
) -> Setting:
    literal: Scalar | None = default
    if text is not None:
        try:
            literal = read_scalar(text, base_type)
        except ValueError:
            reference = _REFERENCE.fullmatch(text.strip())
            if reference is None:
                raise bad_attribute(element, attribute, f"a value of type {base_type} or a variable") from None
            return _looked_up(element, attribute, reference["name"], base_type)
    if literal is None:
        message = f"{local_name(element)} has no {attribute}: add it"
        raise refusal(element, "missing-attribute", message)
    return lambda _: literal


def whole(number: Scalar) -> int:
    return number if isinstance(number, int) else int(float(str(number)))


def real(number: Scalar) -> float:
    return float(number) if isinstance(number, (int, float)) else float(str(number))


def _looked_up(element: etree._Element, attribute: str, name: str, base_type: str) -> Setting:
    allowed = NUMERIC if base_type == "float" else {base_type}

    def look_up(context: Context) -> Scalar:
        value = context.variable(name)
        item = value.items[0] if value is not None and value.cardinality == "single" else None
        if value is None or item is None or value.base_type not in allowed:
            message = f'{attribute}="{name}" of {local_name(element)} needs a variable {name} with a {base_type}'
            raise refusal(element, "bad-reference", message)
        return item

    return look_up
