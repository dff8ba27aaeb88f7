"""Known items, candidates who knew them, and pass rates: published run lengths, exact enumeration, simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats

from calibration import ItemParameters, Responses, ResponsesError, Scale
from calibration.security import (
    average_run_length,
    cusum_charts,
    decision_interval,
    likelihood_ratio_check,
    pass_rate_jumps,
    predictive_check,
    regression_check,
)
from calibration.security.abilities import abilities
from calibration.security.cusum import cumulative_sums
from tests.calibration.simulated import Array

A = np.exp(np.random.default_rng(1).normal(0, 0.25, 60))
B = np.random.default_rng(2).normal(0, 1, 60)
ITEMS = [ItemParameters(f"i{j}", "2PL", float(a), (float(b),)) for j, (a, b) in enumerate(zip(A, B, strict=True))]
NAMES = [item.id for item in ITEMS]
SUSPECT = NAMES[:20]


def sat(seed: int, N: int, mean: float = 0.0, cheats: int = 0, leak: float = 0.0) -> Responses:
    """Responses to all items; the first `cheats` persons know the suspect ones, item i0 is given away to a share."""
    rng = np.random.default_rng(seed)
    P = 1 / (1 + np.exp(-A * (rng.normal(mean, 1, (N, 1)) - B)))
    P[:cheats, :20] = np.maximum(P[:cheats, :20], 0.95)
    P[:, 0] += leak * (1 - P[:, 0])
    return Responses.from_matrix((rng.random(P.shape) < P).astype(float), NAMES)


# CUSUM


@pytest.mark.parametrize(
    ("h", "shift", "length"),
    [
        # Montgomery, Introduction to Statistical Quality Control, table 9.3 (k = 1/2); its run length in control is
        # of a two-sided scheme, half that of one side.
        (4, 0, 2 * 168),
        (5, 0, 2 * 465),
        (4, 0.5, 26.6),
        (5, 0.5, 38.0),
        (4, 1.0, 8.38),
        (5, 1.0, 10.4),
        (4, 2.0, 3.34),
        (5, 2.0, 4.01),
    ],
)
def test_run_lengths_agree_with_the_published_table(h: float, shift: float, length: float) -> None:
    assert average_run_length(h, 0.5, shift) == pytest.approx(length, rel=0.005)


def test_run_lengths_agree_with_simulation() -> None:
    z = np.random.default_rng(5).normal(0, 1, (4000, 400))
    total, length, running = np.zeros(4000), np.full(4000, np.nan), np.ones(4000, bool)
    for t in range(400):
        total = np.maximum(0, total + z[:, t] - 0.5)
        length[running & (total > 2)] = t + 1
        running &= total <= 2
    assert not running.any()
    assert length.mean() == pytest.approx(average_run_length(2.0), abs=3 * length.std() / 4000**0.5)


def test_the_decision_interval_is_the_inverse() -> None:
    assert average_run_length(decision_interval(370.4)) == pytest.approx(370.4, rel=1e-9)


def test_sums_by_hand() -> None:
    np.testing.assert_allclose(cumulative_sums(np.array([1.0, -2.0, 1.5, np.nan, 0.7]), 0.5), [0.5, 0.0, 1.0, 1.0, 1.2])


def test_surpluses_are_standard_normal_while_nobody_knows_the_item() -> None:
    rng = np.random.default_rng(9)
    sittings = [sat(1000 + s, 105, mean=rng.normal(0, 0.4)) for s in range(150)]
    charts = cusum_charts(sittings, NAMES[:6], ITEMS)
    z = np.array([chart.z for chart in charts])
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=3.5 / 150**0.5)
    np.testing.assert_allclose(z.std(axis=1), 1, atol=0.2)


def test_an_item_that_leaked_is_found_and_its_neighbours_are_not() -> None:
    sittings = [sat(300 + s, 105, leak=0.35 if s >= 10 else 0.0) for s in range(20)]
    leaked, *others = cusum_charts(sittings, NAMES[:4], ITEMS)
    assert leaked.signal is not None
    assert 10 <= leaked.signal <= 14
    assert all(chart.signal is None for chart in others)
    assert leaked.n == (105.0,) * 20
    assert leaked.observed[15] > leaked.expected[15]


def test_uncertain_parameters_widen_the_standard_error() -> None:
    sittings = [sat(3, 2000, leak=0.1)]
    sure = cusum_charts(sittings, ["i0"], ITEMS)[0]
    unsure = [ItemParameters("i0", "2PL", float(A[0]), (float(B[0]),), se={"b": 0.2}), *ITEMS[1:]]
    assert 0 < cusum_charts(sittings, ["i0"], unsure)[0].z[0] < 0.5 * sure.z[0]


def test_a_sitting_without_the_item_changes_nothing() -> None:
    from calibration.subsets import some_items

    first, second = sat(5, 105), some_items(sat(6, 105), NAMES[1:])
    chart = cusum_charts([first, second], ["i0"], ITEMS)[0]
    assert np.isnan(chart.z[1])
    assert chart.sums[1] == chart.sums[0]
    assert chart.n == (105.0, 0.0)


# Preknowledge


def test_the_population_is_estimated_from_the_secure_items() -> None:
    known = abilities(sat(11, 4000, mean=0.6), ITEMS[20:], Scale())
    assert known.mean == pytest.approx(0.6, abs=0.06)
    assert known.sd == pytest.approx(1.0, abs=0.06)
    np.testing.assert_allclose(known.posterior.sum(axis=1), 1)


def test_the_predictive_tail_is_that_of_all_patterns() -> None:
    data = sat(12, 60)
    suspect = NAMES[:4]
    results = predictive_check(data, suspect, ITEMS)
    known = abilities(data, ITEMS[4:])
    P = 1 / (1 + np.exp(-A[:4, None] * (known.nodes - B[:4, None])))
    table = data.dense()
    for i in (0, 7, 33):
        tail = sum(
            float(known.posterior[i] @ np.prod([p if x else 1 - p for p, x in zip(P, pattern, strict=True)], axis=0))
            for pattern in product((0, 1), repeat=4)
            if sum(pattern) >= table[i, :4].sum()
        )
        assert results[i].p == pytest.approx(tail, abs=1e-10)
        assert results[i].expected == pytest.approx(float(known.posterior[i] @ P.sum(axis=0)), abs=1e-10)
        assert results[i].person == data.persons[i]


def test_the_likelihood_ratio_is_that_of_direct_maximisation() -> None:
    data = sat(13, 40)
    table = data.dense()

    def best(row: Array, items: slice) -> tuple[float, float]:
        def minus(theta: float) -> float:
            z = A[items] * (theta - B[items])
            return float(np.sum(np.logaddexp(0, z) - row[items] * z))

        found = optimize.minimize_scalar(minus, bounds=(-6, 6), method="bounded", options={"xatol": 1e-10})
        return -float(found.fun), float(found.x)

    for i, result in enumerate(likelihood_ratio_check(data, SUSPECT, ITEMS)):
        (l_c, at_c), (l_s, at_s), (l_all, _) = (
            best(table[i], part) for part in (slice(0, 20), slice(20, 60), slice(0, 60))
        )
        z = np.sqrt(max(2 * (l_c + l_s - l_all), 0)) * (1 if at_c >= at_s else -1)
        assert result.z == pytest.approx(z, abs=2e-4)
        assert result.p == pytest.approx(stats.norm.sf(result.z))


def test_those_who_knew_are_found_and_the_rest_left_in_peace() -> None:
    data = sat(14, 1500, cheats=40)
    for check in (likelihood_ratio_check, predictive_check):
        results = check(data, SUSPECT, ITEMS)
        assert sum(r.flagged for r in results[:40]) >= 15  # a knower who is able anyway does not stand out
        assert sum(r.flagged for r in results[40:]) <= 6
    regression = regression_check(data, SUSPECT)
    assert sum(r.flagged for r in regression[:40]) >= 10
    assert sum(r.flagged for r in regression[40:]) <= 4


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_stated() -> None:
    p: dict[str, list[float]] = {"lr": [], "predictive": [], "regression": []}
    for seed in range(10):
        data = sat(500 + seed, 500)
        p["lr"] += [r.p for r in likelihood_ratio_check(data, SUSPECT, ITEMS)]
        p["predictive"] += [r.p for r in predictive_check(data, SUSPECT, ITEMS)]
        p["regression"] += [r.p for r in regression_check(data, SUSPECT)]
    assert np.mean(np.array(p["lr"]) < 0.05) == pytest.approx(0.05, abs=0.015)
    assert 0.02 < np.mean(np.array(p["predictive"]) < 0.05) < 0.05  # discrete: on the safe side
    assert np.mean(np.array(p["regression"]) < 0.05) < 0.06


def test_the_regressions_residual_is_that_of_leaving_the_person_out() -> None:
    data = sat(15, 50)
    results = regression_check(data, SUSPECT)
    table = data.dense()
    y, x = table[:, :20].sum(axis=1), table[:, 20:].sum(axis=1)
    i = 17
    others = np.delete(np.arange(50), i)
    fit = stats.linregress(x[others], y[others])
    residual = y[others] - fit.intercept - fit.slope * x[others]
    s = np.sqrt(residual @ residual / 47)
    spread = s * np.sqrt(1 + 1 / 49 + (x[i] - x[others].mean()) ** 2 / np.sum((x[others] - x[others].mean()) ** 2))
    t = (y[i] - fit.intercept - fit.slope * x[i]) / spread
    assert results[i].z == pytest.approx(t, abs=1e-9)
    assert results[i].p == pytest.approx(stats.t.sf(t, 47), abs=1e-9)


def test_partial_credit_items_can_be_suspect_too() -> None:
    rng = np.random.default_rng(16)
    marks = ItemParameters("m", "PCM", b=(-0.5, 0.5))
    table = np.column_stack([sat(16, 200).dense()[:, :30], rng.integers(0, 3, 200)])
    data = Responses.from_matrix(table, [*NAMES[:30], "m"])
    results = predictive_check(data, ["m"], [*ITEMS[:30], marks])
    assert {r.observed for r in results} == {0.0, 1.0, 2.0}
    assert all(r.p == pytest.approx(1) for r in results if r.observed == 0)


@pytest.mark.parametrize(
    ("suspect", "message"),
    [(["zz"], "'zz' has no parameters"), (NAMES, "both secure and suspect"), ([], "both secure and suspect")],
)
def test_parts_that_are_none_are_refused(suspect: list[str], message: str) -> None:
    with pytest.raises(ResponsesError, match=message):
        predictive_check(sat(1, 30), suspect, ITEMS)


def test_a_score_beyond_the_categories_names_person_and_item() -> None:
    data = Responses.from_matrix(np.array([[0.0, 2.0], [1.0, 1.0]]), ["i0", "i1"])
    with pytest.raises(ResponsesError, match="person 1, item i1: score 2, but its parameters know the scores 0…1"):
        predictive_check(data, ["i0"], ITEMS)


# Pass rates


def test_a_jump_is_found_and_does_not_spoil_what_follows() -> None:
    results = pass_rate_jumps([105] * 8, [60, 66, 58, 70, 63, 95, 64, 62])
    assert [r.sitting for r in results if r.flagged] == [5]
    before = (60 + 66 + 58 + 70 + 63) / 525
    chi2 = sum((x - 105 * before) ** 2 for x in (60, 66, 58, 70, 63)) / (105 * before * (1 - before))
    dispersion = max(1.0, chi2 / 4)
    z = (95 / 105 - before) / np.sqrt(dispersion * before * (1 - before) * (1 / 105 + 1 / 525))
    assert results[5].z == pytest.approx(z)
    assert results[6].before == pytest.approx(before)
    assert np.isnan(results[0].p)


def test_sittings_that_differ_anyway_need_a_higher_rate() -> None:
    steady = pass_rate_jumps([100] * 5, [60, 60, 60, 60, 78])[-1]
    restless = pass_rate_jumps([100] * 5, [45, 75, 48, 72, 78])[-1]
    assert steady.flagged
    assert not restless.flagged
    assert restless.dispersion > 5
    assert np.isnan(pass_rate_jumps([100] * 3, [45, 75, 99])[-1].p)  # two sittings do not show how much they differ


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ResponsesError, match="how many of them passed"):
        pass_rate_jumps([10], [11])
