"""The expressions of QTI 3, by family; `compile_expression` makes a function of an expression element."""

from item_formats.processing.expressions import (
    basic,
    chance,
    comparisons,
    containers,
    logic,
    mathematics,
    numbers,
    shapes,
    tests,
    text,
)
from item_formats.processing.expressions.registry import Expression, compile_expression, expression_names

FAMILIES = (basic, logic, numbers, comparisons, mathematics, containers, text, shapes, chance, tests)  # registered

__all__ = ["FAMILIES", "Expression", "compile_expression", "expression_names"]
