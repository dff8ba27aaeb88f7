"""Areas of a picture: the five shapes, and whether a point is in one. Edges belong to their area."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from item_formats.parsing import bad_attribute

if TYPE_CHECKING:
    from lxml import etree

Point = tuple[float, float]
Area = Callable[[float, float], bool]

_SEPARATORS = re.compile(r"[\s,]+")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_COUNTS = {"circle": 3, "rect": 4, "ellipse": 4, "default": 0}
_CLOSE = 1e-9  # of a pixel: what rounding leaves of a point that lies on an edge


def read_area(element: etree._Element) -> Area:
    """The area an element's `shape` and `coords` describe, as a function of a point.

    Coordinates are those of HTML: rect left, top, right, bottom; circle centre and radius; ellipse centre and both
    radii; poly its corners (closed by itself). `default` is the whole picture.

    Raises
    ------
    ItemError
        Another shape, or coordinates that are not numbers or not as many as the shape has.
    """
    shape = element.get("shape", "")
    texts = [text for text in _SEPARATORS.split(element.get("coords", "")) if text]
    if not all(_NUMBER.fullmatch(text) for text in texts):
        raise bad_attribute(element, "coords", "numbers with commas between, such as 0,0,20,10")
    numbers = [float(text) for text in texts]
    if shape == "poly":
        if len(numbers) < 6 or len(numbers) % 2:
            raise bad_attribute(element, "coords", "three corners or more, two numbers each")
        return _polygon(list(zip(numbers[::2], numbers[1::2], strict=True)))
    if shape not in _COUNTS:
        raise bad_attribute(element, "shape", "circle, default, ellipse, poly or rect")
    if shape != "default" and len(numbers) != _COUNTS[shape]:
        raise bad_attribute(element, "coords", f"{_COUNTS[shape]} numbers for a {shape}")
    return _SHAPES[shape](numbers)


def _rectangle(numbers: list[float]) -> Area:
    left, top, right, bottom = numbers
    return lambda x, y: left <= x <= right and top <= y <= bottom


def _circle(numbers: list[float]) -> Area:
    centre_x, centre_y, radius = numbers
    return lambda x, y: (x - centre_x) ** 2 + (y - centre_y) ** 2 <= radius**2


def _ellipse(numbers: list[float]) -> Area:
    """Both sides are multiplied by the radii, so that a radius of 0 is a line and no division by zero."""
    centre_x, centre_y, across, down = numbers
    return lambda x, y: (
        abs(x - centre_x) <= across
        and abs(y - centre_y) <= down
        and ((x - centre_x) * down) ** 2 + ((y - centre_y) * across) ** 2 <= (across * down) ** 2
    )


def _polygon(corners: list[Point]) -> Area:
    edges = list(pairwise([*corners, corners[0]]))

    def inside(x: float, y: float) -> bool:
        if any(_on_edge(x, y, start, end) for start, end in edges):
            return True
        crossings = sum(
            (start[1] > y) != (end[1] > y) and x < (end[0] - start[0]) * (y - start[1]) / (end[1] - start[1]) + start[0]
            for start, end in edges
        )
        return crossings % 2 == 1

    return inside


def _on_edge(x: float, y: float, start: Point, end: Point) -> bool:
    area = (end[0] - start[0]) * (y - start[1]) - (end[1] - start[1]) * (x - start[0])
    within = min(start[0], end[0]) <= x <= max(start[0], end[0]) and min(start[1], end[1]) <= y <= max(start[1], end[1])
    return within and abs(area) <= _CLOSE


_SHAPES: dict[str, Callable[[list[float]], Area]] = {
    "rect": _rectangle,
    "circle": _circle,
    "ellipse": _ellipse,
    "default": lambda _: lambda _x, _y: True,
}
