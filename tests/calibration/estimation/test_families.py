"""Curves in slopes and intercepts: the published formulas, and their derivatives by differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.estimation.families import Batch, curvature, gradient, gradient_and_fisher
from calibration.estimation.specification import own_parameters
from calibration.models import MODELS
from tests.calibration.estimation.differences import jacobian_of
from tests.calibration.simulated import Array, probabilities, some_items

NODES = np.linspace(-4, 4, 9)
SHAPES = [(model, K) for model in MODELS for K in ((2,) if model in {"Rasch", "1PL", "2PL", "3PL", "4PL"} else (3, 5))]


def batch_of(model: str, K: int) -> Batch:
    own = [own_parameters(item, 1.0) for item in some_items(model, J=3, K=K)]
    parameters = np.stack([numbers for _, numbers in own])
    return Batch(own[0][0], K, np.arange(3), parameters, np.ones(parameters.shape, bool))


@pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}, {shape[1]}")
def batch(request: pytest.FixtureRequest) -> Batch:
    return batch_of(*request.param)


@pytest.mark.parametrize(("model", "K"), SHAPES)
def test_probabilities_are_the_models(model: str, K: int) -> None:
    expected = np.stack([probabilities(item, NODES) for item in some_items(model, J=3, K=K)])
    np.testing.assert_allclose(np.exp(batch_of(model, K).log_probability(NODES)), expected, atol=1e-12)


def scores_by_differences(batch: Batch) -> Array:
    _m, p = batch.parameters.shape

    def log_probability(shift: Array) -> Array:
        return batch.at(batch.parameters + shift).log_probability(NODES)

    return np.moveaxis(jacobian_of(log_probability, np.zeros(p), 1e-3), -1, 2)


def test_scores_are_the_derivatives(batch: Batch) -> None:
    np.testing.assert_allclose(batch.scores(NODES), scores_by_differences(batch), atol=1e-7)


def test_score_terms_make_the_scores_up_to_what_does_not_depend_on_ability(batch: Batch) -> None:
    m, p = batch.parameters.shape
    total = np.zeros((m, batch.categories, p, len(NODES)))
    for term in batch.score_terms(NODES):
        by_category = np.ones((batch.categories, len(term.parameters)))
        if term.by_category is not None:
            by_category = term.by_category
        curves = np.broadcast_to(term.curves, (m, len(term.parameters), len(NODES)))
        total[:, :, term.parameters] += by_category[:, :, None] * curves[:, None]
    away = batch.scores(NODES) - total
    np.testing.assert_allclose(away - away[..., :1], 0, atol=1e-12)


def test_a_score_has_expectation_zero(batch: Batch) -> None:
    P = np.exp(batch.log_probability(NODES))
    np.testing.assert_allclose(np.einsum("mkq,mkpq->mpq", P, batch.scores(NODES)), 0, atol=1e-12)


def test_gradient_fisher_and_curvature_are_those_of_expected_counts(batch: Batch) -> None:
    rng = np.random.default_rng(2)
    m, p = batch.parameters.shape
    counts = rng.uniform(0, 5, (m, batch.categories, len(NODES)))

    def objective(shift: Array) -> Array:
        return (counts * batch.at(batch.parameters + shift).log_probability(NODES)).sum(axis=(1, 2))

    slope, fisher = gradient_and_fisher(batch, counts, NODES)
    np.testing.assert_allclose(slope, jacobian_of(objective, np.zeros(p), 1e-3), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(gradient(batch, counts, NODES), slope, rtol=1e-12)

    def gradient_at(shift: Array) -> Array:
        return gradient(batch.at(batch.parameters + shift), counts, NODES)

    np.testing.assert_allclose(
        curvature(batch, counts, NODES), -jacobian_of(gradient_at, np.zeros(p), 1e-3), rtol=1e-5, atol=1e-5
    )
    # Fisher: the curvature where the counts are what the model expects
    expected = counts.sum(axis=1, keepdims=True) * np.exp(batch.log_probability(NODES))
    np.testing.assert_allclose(fisher, curvature(batch, expected, NODES), rtol=1e-5, atol=1e-4)
    assert np.linalg.eigvalsh(fisher).min() > 0


def test_curves_hold_far_out(batch: Batch) -> None:
    far = np.array([-60.0, 60.0])
    log_P = batch.log_probability(far)
    assert (log_P[:, :, :].max(axis=1) <= 0).all()
    np.testing.assert_allclose(np.exp(log_P).sum(axis=1), 1, atol=1e-12)
    assert np.isfinite(batch.scores(far)).all()


def test_what_makes_no_curve_is_not_allowed() -> None:
    graded = batch_of("GRM", 4)
    assert graded.allowed(graded.parameters).all()
    crossed = graded.parameters.copy()
    crossed[1, 2] = crossed[1, 1] + 0.1  # P(X ≥ 2) above P(X ≥ 1)
    np.testing.assert_array_equal(graded.allowed(crossed), [True, False, True])
    four = batch_of("4PL", 2)
    crossed = four.parameters.copy()
    crossed[2, 2] = crossed[2, 3] + 0.1  # c above d
    np.testing.assert_array_equal(four.allowed(crossed), [True, True, False])


def test_asymptotes_at_their_ends_are_the_models_without_them() -> None:
    plain = batch_of("2PL", 2)
    ends = replace(
        plain,
        parameters=np.column_stack([plain.parameters, np.full(3, -np.inf), np.full(3, np.inf)]),
        free=np.ones((3, 4), bool),
    )
    np.testing.assert_allclose(ends.log_probability(NODES), plain.log_probability(NODES), atol=1e-12)


def test_items_on_another_scale_have_the_same_curves(batch: Batch) -> None:
    moved = batch.on_scale(0.3, 1.4)
    np.testing.assert_allclose(moved.log_probability((NODES - 0.3) / 1.4), batch.log_probability(NODES), atol=1e-12)


def test_curves_are_as_precise_as_the_nodes() -> None:
    batch = batch_of("2PL", 2)
    single = batch.log_probability(NODES.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, batch.log_probability(NODES), atol=1e-6)
