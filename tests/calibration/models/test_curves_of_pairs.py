"""Curves at a theta for each item, curves of tables, and derivatives where P runs out of digits."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import Curves, ItemParameters, ParameterTable, Scale
from tests.calibration.scoring.forms import MIXED, category_probabilities


def test_pairs_of_items_and_thetas_have_the_curves_of_each_item() -> None:
    curves = Curves.of(MIXED)
    item = np.array([0, 7, 5, 2, 2, 6, 1, 3, 4, 7], np.intp)
    theta = np.linspace(-2.5, 2.5, len(item))
    seen = []
    for positions, P, first, second in curves.pairs(item, theta):
        for r, at in enumerate(positions):
            rows = slice(curves.start[item[at]], curves.start[item[at] + 1])
            wanted = [curves.probability(theta[at]), *curves.log_derivatives(theta[at])]
            for found, matrix in zip((P, first, second), wanted, strict=True):
                np.testing.assert_allclose(found[r], matrix[rows, 0], atol=1e-13)
        seen += positions.tolist()
    assert sorted(seen) == list(range(len(item)))


def test_probabilities_are_those_of_the_definitions_and_derivatives_their_differences() -> None:
    curves, theta, h = Curves.of(MIXED), np.linspace(-4, 4, 17), 1e-5
    P = curves.probability(theta)
    np.testing.assert_allclose(P, np.concatenate([category_probabilities(item, theta) for item in MIXED]), atol=1e-14)
    np.testing.assert_allclose(np.exp(curves.log_probability(theta)), P, atol=1e-14)
    first, second = curves.log_derivatives(theta)
    np.testing.assert_allclose(
        first, (curves.log_probability(theta + h) - curves.log_probability(theta - h)) / (2 * h), atol=1e-8
    )
    np.testing.assert_allclose(
        second, (curves.log_derivatives(theta + h)[0] - curves.log_derivatives(theta - h)[0]) / (2 * h), atol=1e-8
    )


@pytest.mark.parametrize(("c", "d"), [(0.0, 1.0), (0.2, 1.0), (0.0, 0.9), (0.2, 0.9)])
def test_derivatives_far_out_are_the_limits(c: float, d: float) -> None:
    """Log P of a wrong answer falls with slope a, of a right one rises with it, unless there is an asymptote."""
    first, second = Curves.of([ItemParameters("q", "4PL", 1.5, (0.0,), c=c, d=d)]).log_derivatives([-1000.0, 1000.0])
    np.testing.assert_allclose(first, [[0.0, -1.5 if d == 1 else 0.0], [1.5 if c == 0 else 0.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(second, 0.0, atol=1e-12)


def test_curves_of_a_table_are_those_of_its_items() -> None:
    scale = Scale(D=1.7)
    table = ParameterTable.of(MIXED[:4], scale)
    curves, theta = Curves.of_table(table, [1, 2, 0.5, 1]), np.linspace(-3, 3, 7)
    np.testing.assert_allclose(curves.probability(theta)[1::2], table.probability(theta), atol=1e-14)
    np.testing.assert_allclose(curves.information(theta), table.information(theta), atol=1e-13)
    assert curves.marks.tolist() == [0, 1, 0, 2, 0, 0.5, 0, 1]


def test_rows_of_some_items() -> None:
    curves = Curves.of(MIXED)
    rows, start = curves.rows_of(np.array([4, 1], np.intp))
    assert rows.tolist() == [8, 9, 10, 11, 2, 3]
    assert start.tolist() == [0, 4, 6]
