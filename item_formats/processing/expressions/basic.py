"""Values themselves: written out, of variables, of responses through their mappings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from item_formats.findings import ItemError
from item_formats.parsing import bad_attribute, local_name
from item_formats.processing.expressions.registry import Expression, Operands, expression, refusal
from item_formats.processing.values import NUMERIC, READERS, Value, read_scalar, single

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.processing.context import Context, CustomOperator
    from item_formats.processing.variables import Declaration

_CONSTANTS = {"pi": math.pi, "e": math.e}


@expression("qti-base-value")
def base_value(element: etree._Element, _: Operands) -> Expression:
    base_type = element.get("base-type", "")
    if base_type not in READERS:
        raise bad_attribute(element, "base-type", f"one of {', '.join(READERS)}")
    text = element.text or ""
    try:
        value = single(base_type, read_scalar(text, base_type)) if text.strip() or base_type == "string" else None
    except ValueError:
        raise refusal(element, "bad-value", f"“{text}” is not of base-type {base_type}") from None
    return lambda _: value


@expression("qti-null")
def null(_element: etree._Element, _: Operands) -> Expression:
    return lambda _: None


@expression("qti-variable")
def variable(element: etree._Element, _: Operands) -> Expression:
    """The value of a variable; NULL for one nobody declared. A weight multiplies numbers into floats."""
    name, weight = _name(element), element.get("weight-identifier")
    if weight is None:
        return lambda context: context.variable(name)

    def weighted(context: Context) -> Value | None:
        value = context.variable(name)
        if value is None or value.base_type not in NUMERIC:
            return value
        factor = context.weight(name, weight)
        items = tuple(part * factor for part in value.items if isinstance(part, (int, float)))
        return Value(value.cardinality, "float", items)

    return weighted


@expression("qti-default")
def default(element: etree._Element, _: Operands) -> Expression:
    name = _name(element)
    return lambda context: context.default(name)


@expression("qti-correct")
def correct(element: etree._Element, _: Operands) -> Expression:
    name = _name(element)

    def evaluate(context: Context) -> Value | None:
        declaration, value = _response(element, context, name), context.correct(name)
        if value is None and declaration.unclear_correct is not None:
            raise ItemError(declaration.unclear_correct)
        return value

    return evaluate


@expression("qti-map-response")
def map_response(element: etree._Element, _: Operands) -> Expression:
    """The sum of what the response's distinct values are worth; see `Mapping.total` for NULL and bounds."""
    name = _name(element)

    def evaluate(context: Context) -> Value | None:
        mapping = _response(element, context, name).mapping
        if mapping is None:
            message = f"map-response needs a mapping, and {name} has none: add <qti-mapping>"
            raise refusal(element, "no-mapping", message)
        return Value("single", "float", (mapping.total(context.variable(name)),))

    return evaluate


@expression("qti-map-response-point")
def map_response_point(element: etree._Element, _: Operands) -> Expression:
    name = _name(element)

    def evaluate(context: Context) -> Value | None:
        declaration = _response(element, context, name)
        if declaration.area_mapping is None or declaration.base_type != "point":
            message = f"map-response-point needs points with an area mapping, which {name} is not: add it"
            raise refusal(element, "no-mapping", message)
        return Value("single", "float", (declaration.area_mapping.total(context.variable(name)),))

    return evaluate


@expression("qti-math-constant")
def math_constant(element: etree._Element, _: Operands) -> Expression:
    name = element.get("name", "")
    if name not in _CONSTANTS:
        raise bad_attribute(element, "name", " or ".join(_CONSTANTS))
    value = single("float", _CONSTANTS[name])
    return lambda _: value


@expression("qti-custom-operator", 0, None)
def custom_operator(element: etree._Element, operands: Operands) -> Expression:
    """Kept in the document; executed as the caller says (`score`), else refused by name when it comes to it."""
    names = [name for name in (element.get("class"), element.get("definition")) if name]

    def evaluate(context: Context) -> Value | None:
        for name in names:
            operator = context.custom_operator(name)
            if operator is not None:
                return _operated(element, name, operator, [operand(context) for operand in operands])
        named = " or ".join(names) or "without a name"
        message = f"the custom operator {named} is not known here: use operators of QTI, or have a person score"
        raise refusal(element, "custom-operator", message)

    return evaluate


def _operated(element: etree._Element, name: str, operator: CustomOperator, values: list[Value | None]) -> Value | None:
    try:
        result = operator(*values)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # somebody else's code
        message = f"the custom operator {name} cannot work with what it was given: {error}"
        raise refusal(element, "custom-operator", message) from error
    if result is None or isinstance(result, Value):
        return result
    message = f"the custom operator {name} gave {type(result).__name__}; expected a Value, or None for NULL"
    raise refusal(element, "custom-operator", message)


def _name(element: etree._Element) -> str:
    name = element.get("identifier")
    if not name:
        raise refusal(element, "missing-attribute", f"{local_name(element)} has no identifier: name the variable")
    return name


def _response(element: etree._Element, context: Context, name: str) -> Declaration:
    declaration = context.declaration(name)
    if declaration is None or declaration.kind != "response":
        message = f"{local_name(element)} asks for the response {name}, which is not declared"
        raise refusal(element, "dangling-response", message)
    return declaration
