"""The five shapes; edges belong to their area."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError
from item_formats.processing.areas import read_area
from tests.item_formats.processing.evaluation import element_of


def inside(shape: str, coords: str, x: float, y: float) -> bool:
    return read_area(element_of(f'<inside shape="{shape}" coords="{coords}"/>'))(x, y)


@pytest.mark.parametrize(
    ("shape", "coords", "within", "outside"),
    [
        ("rect", "0,0,20,10", [(0, 0), (20, 10), (7.5, 3)], [(21, 5), (5, -0.1)]),
        ("rect", "0 0 20 10", [(10, 5)], [(10, 11)]),
        ("circle", "5, 5, 5", [(5, 10), (8, 9), (5, 5)], [(9, 9), (0, 0)]),
        ("ellipse", "0,0,4,2", [(4, 0), (0, -2), (2, 1)], [(4, 2), (3, 1.5)]),
        ("ellipse", "0,0,4,0", [(4, 0)], [(5, 0), (0, 1)]),
        ("poly", "0,0,10,0,10,10,0,10", [(0, 5), (10, 10), (3, 3)], [(11, 3), (-1, 0)]),
        ("poly", "0,0,10,0,0,10", [(5, 5), (1, 1)], [(6, 6)]),
        ("poly", "0,0,10,0,10,10,5,2,0,10", [(1, 1), (9, 8)], [(5, 8)]),
        ("default", "", [(10_000, -3)], []),
    ],
)
def test_points_in_shapes(
    shape: str, coords: str, within: list[tuple[float, float]], outside: list[tuple[float, float]]
) -> None:
    assert [point for point in within if not inside(shape, coords, *point)] == []
    assert [point for point in outside if inside(shape, coords, *point)] == []


@pytest.mark.parametrize(
    ("shape", "coords"),
    [("rect", "0,0,1"), ("circle", "0,0,10%"), ("poly", "0,0,1,1"), ("poly", "0,0,1,1,2"), ("star", "0,0,1"), ("", "")],
)
def test_shapes_that_are_none_are_refused(shape: str, coords: str) -> None:
    with pytest.raises(ItemError, match=r"coords|shape"):
        inside(shape, coords, 0, 0)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(0, 40))
def test_a_circle_is_an_ellipse_with_equal_radii(x: int, y: int, radius: int) -> None:
    assert inside("circle", f"0,0,{radius}", x, y) is inside("ellipse", f"0,0,{radius},{radius}", x, y)
    assert inside("circle", f"0,0,{radius}", x, y) is (math.hypot(x, y) <= radius + 1e-9)


@given(st.integers(-5, 25), st.integers(-5, 15))
def test_a_rectangle_is_a_polygon_of_its_corners(x: int, y: int) -> None:
    assert inside("rect", "0,0,20,10", x, y) is inside("poly", "0,0,20,0,20,10,0,10", x, y)
