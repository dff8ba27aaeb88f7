"""Conditional likelihood: brute force over all response patterns, properties, and recovery."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import optimize

from calibration import ItemParameters, Responses, ResponsesError
from calibration.estimation.andersen import andersen_test
from calibration.estimation.conditional import ConditionalFit, conditional_fit
from tests.calibration import lsat
from tests.calibration.simulated import Array, booklets, two_parameter_scores

NAN = np.nan


def patterns_likelihood(b: list[Array], table: Array, weight: Array) -> float:
    """Conditional log-likelihood of thresholds by enumeration of every pattern with the same items and total."""
    value = 0.0
    for row, w in zip(table, weight, strict=True):
        items = np.flatnonzero(~np.isnan(row))
        cumulative = [np.concatenate([[0.0], -np.cumsum(b[j])]) for j in items]
        total = int(row[items].sum())
        same = [
            sum(c[x] for c, x in zip(cumulative, pattern, strict=True))
            for pattern in product(*(range(len(c)) for c in cumulative))
            if sum(pattern) == total
        ]
        value += w * (sum(c[int(row[j])] for c, j in zip(cumulative, items, strict=True)) - np.logaddexp.reduce(same))
    return float(value)


def thresholds(fit: ConditionalFit) -> list[Array]:
    return [np.array(item.b) for item in fit.items]


def polytomous(rng: np.random.Generator, N: int, b: list[list[float]]) -> Array:
    theta = rng.standard_normal(N)
    columns = []
    for steps in b:
        z = np.cumsum(np.column_stack([np.zeros(N), *(theta - step for step in steps)]), axis=1)
        P = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        columns.append((rng.random((N, 1)) > P.cumsum(axis=1)).sum(axis=1))
    return np.column_stack(columns).astype(float)


def test_lsat6_is_what_brute_force_maximisation_finds() -> None:
    data = lsat.responses(lsat.LSAT6)
    fit = conditional_fit(data)
    table, weight = data.dense(), data.weight

    def minus(free: Array) -> float:
        return -patterns_likelihood([np.array([x]) for x in [*free, -free.sum()]], table, weight)

    best = optimize.minimize(minus, np.zeros(4), method="BFGS", options={"gtol": 1e-5})
    b = np.concatenate(thresholds(fit))
    np.testing.assert_allclose(b[:4], best.x, atol=2e-6)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-8)
    assert fit.n_persons == 1000 - 3 - 298  # neither nothing nor everything right
    assert fit.converged
    assert b.sum() == pytest.approx(0, abs=1e-12)
    # Standard errors: the inverse of the brute-force curvature in the four free difficulties.
    h = 1e-3
    H = np.zeros((4, 4))
    for i, j in product(range(4), repeat=2):
        e, f = np.eye(4)[i] * h, np.eye(4)[j] * h
        H[i, j] = (minus(b[:4] + e + f) - minus(b[:4] + e - f) - minus(b[:4] - e + f) + minus(b[:4] - e - f)) / (
            4 * h * h
        )
    np.testing.assert_allclose([item.se["b"] for item in fit.items[:4]], np.sqrt(np.diag(np.linalg.inv(H))), rtol=1e-4)


def test_partial_credit_with_booklets_is_what_brute_force_says() -> None:
    rng = np.random.default_rng(5)
    table = polytomous(rng, 60, [[-0.5], [-1.0, 0.7], [0.4, 0.1], [0.2], [-0.8, 0.0, 1.1]])
    table[:30, 0] = NAN
    table[30:, 3] = NAN
    fit = conditional_fit(Responses.from_matrix(table))
    assert [item.model for item in fit.items] == ["Rasch", "PCM", "PCM", "Rasch", "PCM"]
    at = thresholds(fit)
    assert fit.log_likelihood == pytest.approx(patterns_likelihood(at, table, np.ones(60)), abs=1e-9)
    flat = np.concatenate(at)
    for k in range(len(flat)):  # a maximum: the gradient by finite differences is 0
        moved = []
        for step in (1e-4, -1e-4):
            other = flat.copy()
            other[k] += step
            parts = np.split(other, np.cumsum([len(b) for b in at])[:-1])
            moved.append(patterns_likelihood(parts, table, np.ones(60)))
        assert (moved[0] - moved[1]) / 2e-4 == pytest.approx(0, abs=1e-5)
    assert np.mean([item.difficulty for item in fit.items]) == pytest.approx(0, abs=1e-12)


def test_the_first_item_can_be_the_origin() -> None:
    data = lsat.responses(lsat.LSAT7)
    mean, first = conditional_fit(data), conditional_fit(data, normalisation="first")
    assert first.items[0].b == pytest.approx((0.0,), abs=1e-12)
    assert first.items[0].se["b"] == pytest.approx(0.0, abs=1e-7)
    gaps = [one.b[0] - other.b[0] for one, other in zip(mean.items, first.items, strict=True)]
    assert np.ptp(gaps) < 1e-10
    # A difference of two items has one standard error, wherever the origin is.
    for fit in (mean, first):
        C = fit.covariance
        assert C[1, 1] + C[2, 2] - 2 * C[1, 2] == pytest.approx(
            mean.covariance[1, 1] + mean.covariance[2, 2] - 2 * mean.covariance[1, 2], rel=1e-9
        )


def test_weights_are_persons_and_their_order_does_not_matter() -> None:
    data = lsat.responses(lsat.LSAT7)
    repeated = np.repeat(data.dense(), data.weight.astype(int), axis=0)
    np.random.default_rng(1).shuffle(repeated)
    one, other = conditional_fit(data), conditional_fit(Responses.from_matrix(repeated))
    np.testing.assert_allclose(np.concatenate(thresholds(one)), np.concatenate(thresholds(other)), atol=1e-9)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-7)


def test_two_items_have_their_closed_form() -> None:
    # b_2 - b_1 = log(n_10 / n_01) with variance 1 / n_10 + 1 / n_01 (Rasch, 1960).
    table = np.array([[1, 0]] * 30 + [[0, 1]] * 12 + [[1, 1]] * 9 + [[0, 0]] * 4, float)
    fit = conditional_fit(Responses.from_matrix(table))
    assert fit.items[1].b[0] - fit.items[0].b[0] == pytest.approx(np.log(30 / 12), abs=1e-9)
    assert fit.covariance[0, 0] * 4 == pytest.approx(1 / 30 + 1 / 12, rel=1e-9)


def test_two_hundred_items_far_apart_come_back() -> None:
    rng = np.random.default_rng(2)
    b = np.linspace(-5, 5, 200)
    table = two_parameter_scores(rng, rng.normal(0, 2.5, 1500), np.ones(200), b)
    fit = conditional_fit(Responses.from_matrix(table))
    assert fit.converged
    got = np.array([item.b[0] for item in fit.items])
    z = (got - b) / np.array([item.se["b"] for item in fit.items])
    assert np.mean(z**2) == pytest.approx(1, abs=0.35)  # sd of the mean of 200 squares: 0.1
    assert fit.max_gradient < 1e-8


def test_totals_are_split_into_bands_where_one_ability_cannot_serve_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    table = two_parameter_scores(rng, rng.normal(0, 2, 200), np.ones(20), np.linspace(-2, 2, 20))
    whole = conditional_fit(Responses.from_matrix(table))
    monkeypatch.setattr("calibration.estimation.conditional.LEAST_PROBABILITY", 0.05)
    split = conditional_fit(Responses.from_matrix(table))
    np.testing.assert_allclose(np.concatenate(thresholds(split)), np.concatenate(thresholds(whole)), atol=1e-9)
    np.testing.assert_allclose(split.covariance, whole.covariance, atol=1e-12)
    assert split.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-8)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_booklets() -> None:
    covered = []
    b = np.linspace(-2, 2, 16)
    for seed in range(150):
        rng = np.random.default_rng(seed)
        scores = two_parameter_scores(rng, rng.gamma(2, 1, 400) - 2, np.ones(16), b)
        fit = conditional_fit(Responses.from_matrix(booklets(scores, rng)))
        covered += [abs(item.b[0] - true) < 1.96 * item.se["b"] for item, true in zip(fit.items, b, strict=True)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)  # 2,400 intervals


def test_items_without_variance_are_left_out_and_said_so() -> None:
    table = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 1], [1, 0, 1]], float)
    fit = conditional_fit(Responses.from_matrix(table, ["a", "b", "c"]))
    assert [item.id for item in fit.items] == ["a", "b"]
    assert fit.excluded == {"c": "no-variance"}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[1, 0], [1, 0], [1, 1], [0, 0]], "do not put them on one scale"),  # nobody has item 2 alone
        ([[1, 0, NAN, NAN], [0, 1, NAN, NAN], [NAN, NAN, 1, 0], [NAN, NAN, 0, 1]], "do not put them on one scale"),
        ([[0, 2], [2, 0], [1, 1], [1, 0]], None),
        ([[0, 2], [2, 0], [0, 1]], "nobody has score 1"),
        ([[1, 1], [0, 0]], "either nothing or everything right"),
        ([[1, 0]], "fewer than two items have different scores"),
    ],
)
def test_data_that_cannot_order_the_items_are_refused(table: list[list[float]], message: str | None) -> None:
    data = Responses.from_matrix(np.array(table, float))
    if message is None:
        assert conditional_fit(data).converged
        return
    with pytest.raises(ResponsesError, match=message):
        conditional_fit(data)


def test_an_unknown_normalisation_is_refused() -> None:
    with pytest.raises(ResponsesError, match="choose mean or first"):
        conditional_fit(lsat.responses(lsat.LSAT7), normalisation="sum")


# Andersen's test


def test_andersens_statistic_is_the_sum_of_its_parts() -> None:
    data = lsat.responses(lsat.LSAT7)
    test = andersen_test(data)
    low, high = test.fits["low"], test.fits["high"]
    whole = conditional_fit(data)
    assert test.statistic == pytest.approx(2 * (low.log_likelihood + high.log_likelihood - whole.log_likelihood))
    assert test.df == 4
    assert low.n_persons + high.n_persons == whole.n_persons
    difference, z, p = test.wald["item3"]
    assert difference == pytest.approx(high.items[2].b[0] - low.items[2].b[0])
    assert z == pytest.approx(difference / np.hypot(low.items[2].se["b"], high.items[2].se["b"]))
    assert 0 < p < 0.05  # item 3 discriminates most (2PL slope 1.7 beside 0.7 to 1.1)


@pytest.mark.slow
def test_andersens_test_holds_its_size_under_the_rasch_model() -> None:
    p = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        table = two_parameter_scores(rng, rng.standard_normal(250), np.ones(6), np.linspace(-1, 1, 6))
        p.append(andersen_test(Responses.from_matrix(table)).p)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.047)  # 3 Monte-Carlo standard errors
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.107)


def test_andersens_test_finds_an_item_that_one_group_finds_harder() -> None:
    rng = np.random.default_rng(8)
    b = np.tile(np.linspace(-1, 1, 8), (600, 1))
    group = ["a"] * 300 + ["b"] * 300
    b[300:, 2] += 1.0
    P = 1 / (1 + np.exp(-(rng.standard_normal((600, 1)) - b)))
    test = andersen_test(Responses.from_matrix((rng.random(P.shape) < P).astype(float)), group)
    assert test.p < 1e-3
    assert max(test.wald, key=lambda item: test.wald[item][1]) == "item3"


def test_an_item_that_does_not_vary_in_a_group_is_left_out() -> None:
    table = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1]] * 5, float)
    table[15:, 3] = 1
    test = andersen_test(Responses.from_matrix(table), ["x"] * 15 + ["y"] * 15)
    assert test.excluded == {"item4": "no-variance in group y"}
    assert test.df == 2
    with pytest.raises(ResponsesError, match="two or more groups"):
        andersen_test(Responses.from_matrix(table), ["x"] * 30)


def test_the_fit_is_usable_as_item_parameters() -> None:
    fit = conditional_fit(lsat.responses(lsat.LSAT6))
    item = fit.items[0]
    assert isinstance(item, ItemParameters)
    assert (item.n, item.a) == (1000, 1.0)
    assert item.covariance[1][1] == pytest.approx(item.se["b"] ** 2)
    assert item.parameter_names == ("a", "b")
