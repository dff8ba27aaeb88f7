"""Priors: their derivatives, their densities, and what they do to a scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from calibration import DEFAULT_PRIORS, NO_PRIORS, LogNormal, Normal, Priors, Responses, calibrate, eap_scores
from calibration.priors import prior_terms
from tests.calibration.simulated import Array, booklets, two_parameter_scores

FIXED = Priors(LogNormal(0.2, 0.5), Normal(-0.5, 1.5))
FLOATING = Priors(LogNormal(None, 0.4), Normal(None, 2.0))

slopes = arrays(float, 4, elements=st.floats(0.3, 3.0))
intercepts = arrays(float, 4, elements=st.floats(-3.0, 3.0))


def total(priors: Priors, x: Array) -> float:
    J = len(x) // 2
    return float(prior_terms(priors, x[:J], x[J:]).value.sum())


def gradient_by_differences(priors: Priors, x: Array, h: float = 1e-6) -> Array:
    steps = h * np.eye(len(x))
    return np.array([(total(priors, x + e) - total(priors, x - e)) / (2 * h) for e in steps])


@pytest.mark.parametrize("priors", [FIXED, FLOATING, DEFAULT_PRIORS], ids=str)
@given(slope=slopes, intercept=intercepts)
def test_the_gradient_is_that_of_the_density(priors: Priors, slope: Array, intercept: Array) -> None:
    expected = gradient_by_differences(priors, np.concatenate([slope, intercept]))
    gradient = prior_terms(priors, slope, intercept).gradient
    np.testing.assert_allclose(gradient.T.ravel(), expected, rtol=1e-5, atol=1e-5)


@given(slope=slopes, intercept=intercepts)
def test_the_hessian_is_that_of_the_density(slope: Array, intercept: Array) -> None:
    h = 1e-6
    hessian = prior_terms(FIXED, slope, intercept).hessian
    for k, (up, right) in enumerate([(h, 0.0), (0.0, h)]):
        above = prior_terms(FIXED, slope + up, intercept + right).gradient
        below = prior_terms(FIXED, slope - up, intercept - right).gradient
        np.testing.assert_allclose(hessian[:, k, :], (above - below) / (2 * h), rtol=1e-5, atol=1e-5)


def test_a_floating_hessian_leaves_out_the_share_of_the_mean() -> None:
    # log a_j - mean of log a: the second derivative is -(1 - 1/J) / (sd² a²) + …, the code keeps -1 / (sd² a²) + ….
    slope, intercept, h = np.array([0.7, 1.1, 1.6, 2.0]), np.zeros(4), 1e-5
    hessian = prior_terms(DEFAULT_PRIORS, slope, intercept).hessian[:, 0, 0]
    for j in range(4):
        e = h * np.eye(4)[j]
        above = prior_terms(DEFAULT_PRIORS, slope + e, intercept).gradient[j, 0]
        below = prior_terms(DEFAULT_PRIORS, slope - e, intercept).gradient[j, 0]
        share = 1 / (4 * 0.5**2 * slope[j] ** 2)
        assert (above - below) / (2 * h) == pytest.approx(hessian[j] + share, abs=1e-6)


def test_the_densities_are_scipys() -> None:
    a, b = np.array([0.6, 1.0, 1.7]), np.array([-2.0, 0.0, 1.2])
    value = prior_terms(FIXED, a, -a * b).value
    expected = stats.lognorm(s=0.5, scale=np.exp(0.2)).logpdf(a) + stats.norm(-0.5, 1.5).logpdf(b)
    np.testing.assert_allclose(value, expected, atol=1e-12)


def test_a_floating_prior_knows_only_differences() -> None:
    slope, intercept = np.array([0.5, 1.0, 1.5]), np.array([0.3, -0.2, 0.9])
    once = prior_terms(DEFAULT_PRIORS, slope, intercept).value
    stretched = prior_terms(DEFAULT_PRIORS, 3 * slope, intercept).value
    np.testing.assert_allclose(once, stretched, atol=1e-12)
    assert prior_terms(DEFAULT_PRIORS, np.full(3, 2.2), intercept).gradient == pytest.approx(np.zeros((3, 2)))


def test_no_priors_say_nothing() -> None:
    terms = prior_terms(NO_PRIORS, np.array([-1.0, 2.0]), np.array([0.0, 1.0]))
    assert not terms.value.any()
    assert not terms.gradient.any()
    assert not terms.hessian.any()


def test_priors_name_themselves_for_the_record() -> None:
    assert str(DEFAULT_PRIORS) == "a ~ lognormal(floating, 0.5)"
    assert str(FIXED) == "a ~ lognormal(0.2, 0.5), b ~ normal(-0.5, 1.5)"
    assert str(NO_PRIORS) == "none"


# Decision 0004: 300 easy items, each answered by 200 of 400 persons, as in the pretests of a bank.


@pytest.fixture(scope="module")
def easy_bank() -> Responses:
    rng = np.random.default_rng(5)
    b, a = rng.normal(-0.9, 1.0, 300), np.exp(rng.normal(np.log(0.95), 0.3, 300))
    return Responses.from_matrix(booklets(two_parameter_scores(rng, rng.standard_normal(400), a, b), rng))


def moved(responses: Responses, priors: Priors) -> tuple[float, float]:
    """How far the mean of the abilities is from 0, and their standard deviation from what N(0, 1) implies."""
    scores = eap_scores(responses, calibrate(responses, priors=priors).items)
    return float(scores.theta.mean()), float(scores.theta.std() - np.sqrt(1 - (scores.se**2).mean()))


def test_the_default_priors_leave_the_scale_where_it_was(easy_bank: Responses) -> None:
    assert (easy_bank.item_counts() == 200).all()
    mean, spread = moved(easy_bank, DEFAULT_PRIORS)
    assert abs(mean) < 0.05
    assert abs(spread) < 0.05


def test_a_fixed_prior_on_b_pulls_the_scale_with_it(easy_bank: Responses) -> None:
    mean, spread = moved(easy_bank, Priors(LogNormal(None, 0.5), Normal(0, 2)))
    assert mean > 0.1
    assert spread < -0.1


def test_a_fixed_density_of_a_stretches_the_scale(easy_bank: Responses) -> None:
    mean, spread = moved(easy_bank, Priors(LogNormal(0, 0.5)))
    assert abs(mean) < 0.05
    assert spread > 0.05
