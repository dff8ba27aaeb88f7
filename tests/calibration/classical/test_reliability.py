"""Reliability: published values, closed forms, simulation of the intervals."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import Responses, ResponsesError
from calibration.classical.reliability import (
    coefficient_alpha,
    coefficient_omega,
    feldt_interval,
    one_factor_loadings,
    pairwise_covariance,
    reliability,
    reliability_by_form,
    stratified_alpha,
)
from calibration.subsets import some_persons
from tests.calibration import lsat
from tests.calibration.simulated import Array, two_parameter_scores

NAN = np.nan


def test_lsat6_is_as_ltm_prints_it() -> None:
    # R ltm 1.1, descript(LSAT): Cronbach's alpha of all items and without each.
    result = reliability(lsat.responses(lsat.LSAT6))
    assert round(result.alpha, 4) == 0.2950
    assert [round(a, 4) for a in result.alpha_without.values()] == [0.2754, 0.2376, 0.2168, 0.2459, 0.2663]
    assert (result.n, result.items, result.mean) == (1000, 5, pytest.approx(3.819))


def test_feldts_interval_agrees_with_published_output() -> None:
    # feldt1.return(0.913, 873, 20) of C. Evans, MRC Cognition and Brain Sciences Unit, statistics wiki
    assert feldt_interval(0.913, 873, 20) == pytest.approx((0.9044024, 0.9211588), abs=5e-8)


def test_alpha_of_parallel_items_is_spearman_and_browns() -> None:
    S = np.full((4, 4), 0.3) + 0.7 * np.eye(4)
    assert coefficient_alpha(S) == pytest.approx(4 * 0.3 / (1 + 3 * 0.3))
    loadings = one_factor_loadings(S)
    assert loadings is not None
    np.testing.assert_allclose(loadings, 0.3**0.5, atol=1e-10)
    assert coefficient_omega(S, loadings) == pytest.approx(coefficient_alpha(S))


def test_omega_of_one_factor_is_that_of_its_loadings() -> None:
    truth = np.array([0.9, 0.7, 0.5, 0.3, 0.8])
    S = np.outer(truth, truth) + np.diag([0.2, 0.4, 0.6, 0.9, 0.5])
    loadings = one_factor_loadings(S)
    assert loadings is not None
    np.testing.assert_allclose(loadings, truth, atol=1e-9)
    assert coefficient_omega(S, loadings) == pytest.approx(3.2**2 / (3.2**2 + 2.6))
    assert coefficient_alpha(S) < coefficient_omega(S, loadings)  # McDonald (1999), theorem 6.4


def test_stratified_alpha_by_hand() -> None:
    # Two strata of two parallel items each (r = 0.5 within, 0.2 between, variances 1): part variances 3, alphas 2/3,
    # total variance 4 + 2 (0.5 + 0.5 + 4·0.2) = 7.6; 1 - 2 · 3 · (1/3) / 7.6.
    S = np.full((4, 4), 0.2)
    S[:2, :2] = S[2:, 2:] = 0.5
    np.fill_diagonal(S, 1.0)
    assert stratified_alpha(S, np.array([0, 0, 1, 1])) == pytest.approx(1 - 2 / 7.6)
    assert coefficient_alpha(S) == pytest.approx(4 / 3 * (1 - 4 / 7.6))


def test_stratified_alpha_of_responses_needs_a_stratum_for_each_item() -> None:
    data = lsat.responses(lsat.LSAT7)
    strata = dict(zip(data.items, "aabbb", strict=True))
    assert reliability(data, strata=strata).stratified_alpha is not None
    del strata[data.items[4]]
    with pytest.raises(ResponsesError, match=f"item {data.items[4]} has no stratum; 1 of 5"):
        reliability(data, strata=strata)


def test_pairwise_covariances_are_numpys_over_the_persons_of_each_pair() -> None:
    rng = np.random.default_rng(4)
    table = rng.integers(0, 4, (60, 3)).astype(float)
    table[:10, 0], table[5:20, 2] = NAN, NAN
    S, n = pairwise_covariance(np.nan_to_num(table), ~np.isnan(table), np.ones(60))
    for i, j in [(0, 1), (0, 2), (1, 2), (0, 0)]:
        both = ~np.isnan(table[:, [i, j]]).any(axis=1)
        assert n[i, j] == both.sum()
        assert S[i, j] == pytest.approx(np.cov(table[both, i], table[both, j])[0, 1], abs=1e-12)


def test_weights_are_persons() -> None:
    data = lsat.responses(lsat.LSAT7)
    repeated = Responses.from_matrix(np.repeat(data.dense(), data.weight.astype(int), axis=0))
    one, other = reliability(data), reliability(repeated)
    for name in ("alpha", "omega", "sd", "sem", "alpha_se"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)
    assert one.omega_interval == pytest.approx(other.omega_interval, rel=1e-9)
    assert one.sem == pytest.approx(one.sd * (1 - one.alpha) ** 0.5)


def normal_scores(rng: np.random.Generator, N: int, loadings: Array) -> Array:
    """Rounded factor scores, so that they are whole numbers of many categories."""
    factor = rng.standard_normal((N, 1))
    noise = rng.standard_normal((N, len(loadings)))
    return np.clip(np.round(10 * (factor * loadings + noise) + 50), 0, 100)


@pytest.mark.slow
def test_intervals_cover_at_their_level() -> None:
    loadings = np.array([0.6, 0.9, 0.7, 1.1, 0.8, 0.5])
    S = np.outer(loadings, loadings) + np.eye(6)
    omega, alpha = coefficient_omega(S, loadings), coefficient_alpha(S)
    hits: list[tuple[bool, bool, bool]] = []
    for seed in range(400):
        table = normal_scores(np.random.default_rng(seed), 300, loadings)
        table[:60, 0] = NAN
        r = reliability(Responses.from_matrix(table))
        hits.append(
            (
                r.omega_interval[0] < omega < r.omega_interval[1],
                abs(r.alpha - alpha) < 1.96 * r.alpha_se,
                r.alpha_interval[0] < alpha < r.alpha_interval[1],
            )
        )
    np.testing.assert_allclose(np.mean(hits, axis=0), 0.95, atol=0.033)  # 3 Monte-Carlo standard errors


def test_the_bootstrap_agrees_with_the_delta_method_and_is_repeatable() -> None:
    data = lsat.responses(lsat.LSAT7)
    plain, drawn = reliability(data), reliability(data, bootstrap=400, seed=3)
    assert drawn.omega_interval == pytest.approx(plain.omega_interval, abs=0.015)
    half = (drawn.alpha_interval[1] - drawn.alpha_interval[0]) / 2
    assert half == pytest.approx(1.96 * plain.alpha_se, rel=0.15)
    assert reliability(data, bootstrap=400, seed=3).alpha_interval == drawn.alpha_interval


def test_by_form_is_the_reliability_of_the_persons_of_the_form() -> None:
    rng = np.random.default_rng(5)
    table = two_parameter_scores(rng, rng.standard_normal(400), np.full(12, 1.2), np.linspace(-1, 1, 12))
    table[:200, 8:], table[200:, :4] = NAN, NAN
    data = Responses.from_matrix(table)
    with pytest.raises(ResponsesError, match=r"items item1 and item9: 0 persons have both.*ask by form"):
        reliability(data)
    forms = reliability_by_form(data)
    assert [form.items for form in forms.values()] == [8, 8]
    first = reliability(Responses.from_matrix(table[:200, :8])).alpha
    assert first in [form.alpha for form in forms.values()]
    few = reliability_by_form(some_persons(data, np.arange(400) < 100))
    assert any("fewer than 200" in note for note in next(iter(few.values())).notes)


def test_too_little_is_refused_and_an_omega_that_is_none_says_so() -> None:
    with pytest.raises(ResponsesError, match="at least two items"):
        reliability(Responses.from_matrix(np.array([[1.0], [0.0]])))
    two = reliability(Responses.from_matrix(np.array([[1, 1], [0, 0], [1, 0], [1, 1]], float)))
    assert np.isnan(two.omega)
    assert any("three items" in note for note in two.notes)
