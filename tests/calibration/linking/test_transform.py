"""Items on another scale say the same of the same persons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Curves, ItemParameters, Scale, transform_items, transform_scale
from calibration.linking.transform import constants_jacobian, transformation_jacobian
from calibration.linking.vectors import parameter_vector, with_parameters
from tests.calibration.linking.items import EVERY_MODEL, with_covariance

THETA = np.linspace(-4, 4, 33)


@given(st.floats(0.3, 3), st.floats(-2, 2), st.sampled_from([1.0, 1.7]), st.sampled_from([1.0, 1.7, 1.702]))
def test_curves_are_the_same_at_the_moved_ability(A: float, B: float, D: float, new_D: float) -> None:
    moved = transform_items(EVERY_MODEL, A, B, scale=Scale(D=D), D=new_D)
    before = Curves.of(EVERY_MODEL, Scale(D=D)).probability(THETA)
    after = Curves.of(moved, Scale(D=new_D)).probability(A * THETA + B)
    np.testing.assert_allclose(after, before, atol=1e-12)


def test_there_and_back_is_where_it_was() -> None:
    rng = np.random.default_rng(5)
    items = [with_covariance(item, rng) for item in EVERY_MODEL]
    A, B = 1.3, -0.4
    back = transform_items(transform_items(items, A, B), 1 / A, -B / A)
    for one, other in zip(items, back, strict=True):
        np.testing.assert_allclose(parameter_vector(other), parameter_vector(one), atol=1e-12)
        np.testing.assert_allclose(other.covariance, one.covariance, atol=1e-12)
        assert other.se == pytest.approx(one.se, abs=1e-12)
    assert back[6].location == pytest.approx(0.2)
    assert back[6].steps == pytest.approx((-0.9, -0.1, 1.0))


@pytest.mark.parametrize("item", EVERY_MODEL, ids=lambda item: item.model)
def test_jacobians_are_the_derivatives(item: ItemParameters) -> None:
    A, B, D, new_D, h = 1.2, 0.5, 1.7, 1.0, 1e-6
    vector = parameter_vector(item)

    def moved(values: np.ndarray, A: float, B: float) -> np.ndarray:
        (one,) = transform_items([with_parameters(item, values)], A, B, scale=Scale(D=D), D=new_D)
        return parameter_vector(one)

    numeric = np.stack(
        [(moved(vector + e, A, B) - moved(vector - e, A, B)) / (2 * h) for e in h * np.eye(len(vector))], axis=1
    )
    np.testing.assert_allclose(transformation_jacobian(item, A, B, D=D, ratio=D / new_D), numeric, atol=1e-8)
    by_A = (moved(vector, A + h, B) - moved(vector, A - h, B)) / (2 * h)
    by_B = (moved(vector, A, B + h) - moved(vector, A, B - h)) / (2 * h)
    np.testing.assert_allclose(
        constants_jacobian(item, A, B, D=D, ratio=D / new_D), np.stack([by_A, by_B], axis=1), atol=1e-8
    )


def test_standard_errors_of_the_textbook_case() -> None:
    item = ItemParameters(
        "x", "2PL", a=1.0, b=(0.5,), se={"a": 0.1, "b": 0.2}, covariance=((0.01, 0.005), (0.005, 0.04))
    )
    (moved,) = transform_items([item], 2.0, 1.0)
    assert (moved.a, moved.b) == (0.5, (2.0,))
    assert moved.se == pytest.approx({"a": 0.05, "b": 0.4})
    np.testing.assert_allclose(moved.covariance, [[0.0025, 0.005], [0.005, 0.16]])


def test_a_model_that_fixes_a_stays_only_where_the_unit_stays() -> None:
    rasch, pcm = EVERY_MODEL[0], EVERY_MODEL[5]
    assert [item.model for item in transform_items([rasch, pcm], 1.0, 0.7)] == ["Rasch", "PCM"]
    assert [item.model for item in transform_items([rasch, pcm], 1.5, 0.7)] == ["1PL", "GPCM"]


def test_nominal_intercepts_have_no_error_where_their_covariance_with_the_slopes_is_not_known() -> None:
    item = ItemParameters("x", "NRM", slopes=(0.0, 1.0), intercepts=(0.0, 0.5), se={"slope1": 0.1, "intercept1": 0.2})
    (moved,) = transform_items([item], 2.0, 1.0)
    assert moved.se == {"slope1": 0.05}


def test_the_population_moves_along() -> None:
    moved = transform_scale(Scale("new", D=1.7, mean=0.5, sd=1.2), 2.0, -1.0, id="bank", D=1.0)
    assert moved == Scale("bank", D=1.0, mean=0.0, sd=2.4)
