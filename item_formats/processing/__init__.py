"""Processing: outcomes of an item from what a candidate answered, and clones of items from a seed."""

from item_formats.processing.context import Assignable, Context, CustomOperator, ItemResult
from item_formats.processing.expressions import compile_expression, expression_names
from item_formats.processing.feedback import is_shown
from item_formats.processing.item_session import ItemState, attempt, begin_item, score
from item_formats.processing.programs import compiled, person_findings
from item_formats.processing.rules import compile_rules
from item_formats.processing.templates import TEMPLATES
from item_formats.processing.values import Plain, Value, plain, read_plain, single
from item_formats.processing.variables import Declaration, read_declarations

__all__ = [
    "TEMPLATES",
    "Assignable",
    "Context",
    "CustomOperator",
    "Declaration",
    "ItemResult",
    "ItemState",
    "Plain",
    "Value",
    "attempt",
    "begin_item",
    "compile_expression",
    "compile_rules",
    "compiled",
    "expression_names",
    "is_shown",
    "person_findings",
    "plain",
    "read_declarations",
    "read_plain",
    "score",
    "single",
]
