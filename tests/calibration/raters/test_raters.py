"""Raters: Shrout and Fleiss' table, published kappas, planted severities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from calibration import ItemParameters, Responses, ResponsesError, Scale
from calibration.raters import (
    fair_marks,
    intraclass_correlations,
    one_way_correlation,
    rater_agreement,
    rater_pairs,
    third_scorer,
    weighted_kappa,
)
from tests.calibration.simulated import Array

# Shrout & Fleiss (1979), table 2: six targets, four judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
# Hout, Duncan & Sobel (1987), in Agresti (2002), table 2.7 of the R package vcd (SexualFun): husbands and wives.
COUPLES = np.array([[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]], float)
NAN = np.nan


def rated(table: Array, items: list[str], raters: list[str]) -> Responses:
    """Responses from scores (persons, items, raters), NaN where a rater did not score."""
    person, item, rater = np.nonzero(~np.isnan(table))
    score = table[person, item, rater]
    N = len(table)
    return Responses(
        persons=tuple(f"p{i + 1}" for i in range(N)),
        items=tuple(items),
        person=person.astype(np.int32),
        item=item.astype(np.int32),
        score=score.astype(np.int16),
        status=np.zeros(len(score), np.uint8),
        weight=np.ones(N),
        form=np.zeros(N, np.int32),
        forms=("",),
        rater=rater.astype(np.int32),
        raters=tuple(raters),
    )


def test_intraclass_correlations_are_shrout_and_fleiss_own() -> None:
    icc = intraclass_correlations(SHROUT_FLEISS)
    # Their table 4: .17, .29, .71 and .44, .62, .91.
    single = [icc.icc1, icc.icc2, icc.icc3]
    of_four = [icc.icc1k, icc.icc2k, icc.icc3k]
    assert [round(value, 2) for value in single] == [0.17, 0.29, 0.71]
    assert [round(value, 2) for value in of_four] == [0.44, 0.62, 0.91]
    # Intervals as the R package psych prints them for this table.
    assert [round(end, 2) for end in icc.icc1_interval] == [-0.13, 0.72]
    assert [round(end, 2) for end in icc.icc2_interval] == [0.02, 0.76]
    assert [round(end, 2) for end in icc.icc3_interval] == [0.34, 0.95]
    assert [round(end, 2) for end in icc.icc1k_interval] == [-0.88, 0.91]
    assert [round(end, 2) for end in icc.icc2k_interval] == [0.07, 0.93]
    assert [round(end, 2) for end in icc.icc3k_interval] == [0.68, 0.99]


def test_one_way_is_the_same_where_everybody_has_as_many_raters() -> None:
    one, all_ = one_way_correlation(list(SHROUT_FLEISS)), intraclass_correlations(SHROUT_FLEISS)
    assert one.icc1 == pytest.approx(all_.icc1)
    assert one.icc1_interval == pytest.approx(all_.icc1_interval)
    assert np.isnan(one.icc2)


def test_the_one_way_interval_covers_with_unequal_numbers() -> None:
    hits = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        groups = [rng.normal() + rng.normal(0, 1, size) for size in rng.integers(1, 4, 60)]
        low, high = one_way_correlation(groups).icc1_interval
        hits.append(low < 0.5 < high)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize(
    ("weights", "kappa", "se"),
    [("none", 0.1293, 0.0686), ("linear", 0.2374, 0.0783)],  # R vcd, Kappa(SexualFun): unweighted, equal spacing
)
def test_kappas_are_as_vcd_prints_them(weights: str, kappa: float, se: float) -> None:
    result = weighted_kappa(COUPLES, weights)
    assert (round(result.kappa, 4), round(result.se, 4), result.n) == (kappa, se, 91)


def test_quadratic_kappa_is_the_agreement_correlation() -> None:
    # Fleiss & Cohen (1973): 2 s_xy / (s_x² + s_y² + (mean difference)²), moments with divisor n.
    x, y = (np.repeat(np.indices((4, 4))[axis].ravel(), COUPLES.ravel().astype(int)).astype(float) for axis in (0, 1))
    expected = 2 * np.cov(x, y, bias=True)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert weighted_kappa(COUPLES, "quadratic").kappa == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_the_standard_error_is_that_of_multinomial_samples(weights: str) -> None:
    rng = np.random.default_rng(4)
    P = COUPLES / COUPLES.sum()
    draws = [weighted_kappa(rng.multinomial(2000, P.ravel()).reshape(4, 4).astype(float), weights) for _ in range(1500)]
    assert np.std([d.kappa for d in draws]) == pytest.approx(np.mean([d.se for d in draws]), rel=0.06)


def test_pairs_say_how_far_two_raters_agree() -> None:
    table = np.full((4, 2, 3), NAN)
    table[:, 0, 0], table[:, 0, 1] = [3, 2, 4, 0], [3, 3, 2, 1]
    table[:2, 1, 0], table[:2, 1, 2] = [1, 0], [1, 0]
    pairs = {(p.item, p.raters): p for p in rater_pairs(rated(table, ["a", "b"], ["x", "y", "z"]))}
    assert set(pairs) == {("a", ("x", "y")), ("b", ("x", "z")), ("*", ("x", "y")), ("*", ("x", "z"))}
    first = pairs["a", ("x", "y")]
    assert (first.n, first.exact, first.adjacent, first.difference) == (4, 0.25, 0.75, 0.0)


def test_agreement_is_two_way_only_where_the_same_raters_scored_everybody() -> None:
    table = np.full((6, 2, 5), NAN)
    table[:, 0, :4] = SHROUT_FLEISS
    table[:3, 1, :2], table[3:, 1, 3:] = SHROUT_FLEISS[:3, :2], SHROUT_FLEISS[3:, 2:]
    found = rater_agreement(rated(table, ["a", "b"], list("vwxyz")))
    assert round(found["a"].icc2, 2) == 0.29
    assert np.isnan(found["b"].icc2)
    assert np.isfinite(found["b"].icc1)


def test_a_gap_beyond_the_share_asks_for_a_third_scorer() -> None:
    table = np.array([[[10, 7]], [[10, 6]], [[3, 3]], [[2, NAN]]])
    data = rated(table, ["task"], ["x", "y"])
    flags = third_scorer(data)  # 30 % of 10
    assert [(f.person, f.gap, f.top, dict(f.scores)) for f in flags] == [("p2", 4, 10, {"x": 10, "y": 6})]
    assert [f.person for f in third_scorer(data, top={"task": 5})] == ["p1", "p2"]
    assert third_scorer(data, gap=0.4) == ()


# Fair marks

TASKS = [ItemParameters(f"t{j}", "PCM", b=(-1.5 + 0.4 * j, -0.3 + 0.4 * j, 0.8 + 0.4 * j)) for j in range(4)]


def practical(seed: int, N: int, severity: Array) -> tuple[Responses, Array]:
    """Each person has one rater for all four tasks."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(N)
    table = np.full((N, 4, len(severity)), NAN)
    for i in range(N):
        r = i % len(severity)
        for j, item in enumerate(TASKS):
            z = np.concatenate([[0.0], np.cumsum(theta[i] - severity[r] - np.array(item.b))])
            P = np.exp(z) / np.exp(z).sum()
            table[i, j, r] = rng.choice(4, p=P)
    return rated(table, [t.id for t in TASKS], [f"r{k}" for k in range(len(severity))]), theta


def test_with_raters_of_severity_0_the_fair_marks_are_near_the_marks() -> None:
    data, _ = practical(1, 200, np.zeros(2))
    fair = fair_marks(data, TASKS, {"r0": 0.0, "r1": 0.0})
    # Jeffreys' weight solves Σ (x - E) + I' / (2 I) = 0: half a mark at most between marks and fair marks here.
    assert max(abs(f.observed - f.fair) for f in fair) < 0.55
    inside = [f for f in fair if 3 <= f.observed <= 9]
    assert np.mean([f.fair - f.observed for f in inside]) == pytest.approx(0, abs=0.1)


def test_a_severe_rater_costs_marks_and_the_fair_marks_give_them_back() -> None:
    data, theta = practical(2, 1200, np.array([-0.8, 0.8]))
    fair = fair_marks(data, TASKS, {"r0": -0.8, "r1": 0.8})
    severe = np.arange(1200) % 2 == 1
    observed, given = np.array([f.observed for f in fair]), np.array([f.fair for f in fair])
    assert observed[~severe].mean() - observed[severe].mean() > 2
    assert given[~severe].mean() - given[severe].mean() == pytest.approx(0, abs=3 * given.std() * (2 / 600) ** 0.5)
    got = np.array([f.theta for f in fair])
    assert np.corrcoef(got, theta)[0, 1] > np.corrcoef(observed, theta)[0, 1] + 0.08
    assert np.mean((got - theta)[4:-4]) == pytest.approx(0, abs=0.08)


def test_theta_of_a_dichotomous_item_solves_warms_equation() -> None:
    items = [ItemParameters(f"t{j}", "Rasch", b=(b,)) for j, b in enumerate((-1.0, 0.0, 0.5))]
    data = rated(np.array([[[1], [1], [0]]], float), ["t0", "t1", "t2"], ["x"])
    result = fair_marks(data, items, {"x": 0.3}, Scale())[0]
    P = 1 / (1 + np.exp(-(result.theta - 0.3 - np.array([-1.0, 0.0, 0.5]))))
    information, slope = np.sum(P * (1 - P)), np.sum(P * (1 - P) * (1 - 2 * P))
    assert 2 - P.sum() + slope / (2 * information) == pytest.approx(0, abs=1e-3)
    assert result.se == pytest.approx(information**-0.5, rel=1e-3)


def test_what_is_missing_is_named() -> None:
    data, _ = practical(3, 4, np.zeros(2))
    with pytest.raises(ResponsesError, match="rater r1 has no severity"):
        fair_marks(data, TASKS, {"r0": 0.0})
    with pytest.raises(ResponsesError, match="item t3 has no parameters"):
        fair_marks(data, TASKS[:3], {"r0": 0.0, "r1": 0.0})
    with pytest.raises(ResponsesError, match="name no raters"):
        rater_pairs(dataclasses.replace(data, rater=None))
    with pytest.raises(ResponsesError, match="complete table"):
        intraclass_correlations(np.array([[1.0, NAN], [2.0, 2.0]]))
    with pytest.raises(ResponsesError, match="choose none, linear or quadratic"):
        weighted_kappa(COUPLES, "cubic")
