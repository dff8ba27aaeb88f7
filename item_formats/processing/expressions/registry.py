"""Expressions by element name: each is compiled once into a function from a context to a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.parsing import is_qti, line_of, local_name
from item_formats.processing.context import Context
from item_formats.processing.values import Value

if TYPE_CHECKING:
    from lxml import etree

Expression = Callable[[Context], Value | None]
Operator = Callable[["etree._Element", tuple[Expression, ...]], Expression]

_EXPRESSIONS: dict[str, tuple[Operator, int, int | None]] = {}


def expression(name: str, least: int = 0, most: int | None = 0) -> Callable[[Operator], Operator]:
    """Registers the compiler of an expression that takes `least` to `most` sub-expressions (None: any number)."""

    def register(operator: Operator) -> Operator:
        _EXPRESSIONS[name] = (operator, least, most)
        return operator

    return register


def expression_names() -> frozenset[str]:
    """Element names of every expression that is understood."""
    return frozenset(_EXPRESSIONS)


def compile_expression(element: etree._Element) -> Expression:
    """The function an expression element stands for.

    Raises
    ------
    ItemError
        Not an expression, the wrong number of sub-expressions, or attributes that make no sense. What only shows with
        values (a text added to a number) is raised when the function is called.
    """
    name = local_name(element)
    if not is_qti(element) or name not in _EXPRESSIONS:
        raise refusal(element, "unknown-expression", f"<{name}> is no expression of QTI 3")
    operator, least, most = _EXPRESSIONS[name]
    operands = tuple(compile_expression(child) for child in element if local_name(child))
    if len(operands) < least or (most is not None and len(operands) > most):
        expected = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        message = f"{name} takes {expected} sub-expressions, got {len(operands)}"
        raise refusal(element, "wrong-operands", message)
    return operator(element, operands)


def refusal(element: etree._Element, code: str, message: str) -> ItemError:
    return ItemError(Finding("error", code, message, line=line_of(element)))
