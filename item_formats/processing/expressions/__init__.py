"""The expressions of QTI 3, by family; `compile_expression` makes a function of an expression element."""

from item_formats.processing.expressions.registry import Expression, compile_expression, expression_names

__all__ = ["Expression", "compile_expression", "expression_names"]
