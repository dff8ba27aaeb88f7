"""Points in areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.processing.areas import read_area
from item_formats.processing.expressions.registry import Expression, Operands, expression, wrong_type
from item_formats.processing.values import Value, truth

if TYPE_CHECKING:
    from lxml import etree

    from item_formats.processing.context import Context


@expression("qti-inside", 1, 1)
def inside(element: etree._Element, operands: Operands) -> Expression:
    """Whether a point, or any point of a container, lies in the area."""
    (operand,), area = operands, read_area(element)

    def evaluate(context: Context) -> Value | None:
        value = operand(context)
        if value is None:
            return None
        if value.base_type != "point":
            raise wrong_type(element, value, "points")
        return truth(any(isinstance(part, tuple) and area(float(part[0]), float(part[1])) for part in value.items))

    return evaluate
