"""Differential item functioning: effects in closed form, tests against each other, errors and power by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import ItemParameters, Responses, calibrate
from calibration.fit import (
    FitError,
    GroupedFit,
    ItemDif,
    curve_effect,
    dif_likelihood_ratio,
    dif_rmsd,
    dif_wald,
    dif_wald_refitted,
    flag_dif,
    grouped_fitter,
    purified,
    sibtest,
    split_by_group,
)
from tests.calibration.fit import simulated

# effects


def test_areas_are_rajus() -> None:
    """Raju (1988): signed area (c = 0, d = 1) -(b_F - b_R); unsigned for equal slopes |b_F - b_R|, else eq. 14."""
    one, other = ItemParameters("x", "2PL", 1.2, (0.3,)), ItemParameters("x", "2PL", 1.2, (0.8,))
    effect = curve_effect(one, other)
    assert (effect.signed_area, effect.unsigned_area) == pytest.approx((-0.5, 0.5), abs=1e-4)
    steep = ItemParameters("x", "2PL", 2.0, (0.8,))
    effect = curve_effect(one, steep)
    assert effect.signed_area == pytest.approx(-0.5, abs=1e-4)
    a1, a2, shift = 1.2, 2.0, 0.5
    unsigned = abs(2 * (a2 - a1) / (a1 * a2) * np.log(1 + np.exp(a1 * a2 * shift / (a2 - a1))) - shift)
    assert effect.unsigned_area == pytest.approx(unsigned, abs=1e-3)
    guessed = [replace(item, model="3PL", c=0.2) for item in (one, other)]
    assert curve_effect(guessed[0], guessed[1]).signed_area == pytest.approx(-0.5 * 0.8, abs=1e-4)


def test_area_between_graded_items_is_the_sum_over_thresholds() -> None:
    """Cohen, Kim & Baker (1993): expected scores are sums of boundary curves, whose areas are Raju's."""
    one = ItemParameters("x", "GRM", 1.5, (-1.0, 0.2, 1.1))
    other = replace(one, b=(-0.8, 0.6, 1.0))
    assert curve_effect(one, other).signed_area == pytest.approx(-(0.2 + 0.4 - 0.1), abs=1e-4)


def test_mean_differences_weigh_by_the_focal_group() -> None:
    """Meade (2010), by Monte Carlo over the focal group."""
    one, other = ItemParameters("x", "2PL", 1.0, (0.0,)), ItemParameters("x", "2PL", 1.6, (0.4,))
    effect = curve_effect(one, other, mean=-0.5, sd=1.2)
    theta = np.random.default_rng(1).normal(-0.5, 1.2, 400_000)
    first, second = (1 / (1 + np.exp(-item.a * (theta - item.b[0]))) for item in (one, other))
    assert effect.mean_difference == pytest.approx((second - first).mean(), abs=1e-3)
    assert effect.mean_absolute_difference == pytest.approx(np.abs(second - first).mean(), abs=1e-3)
    pooled = np.sqrt((first.var() + second.var()) / 2)
    assert effect.essd == pytest.approx((second - first).mean() / pooled, abs=5e-3)


@pytest.mark.parametrize(("shift", "size"), [(0.0, "A"), (0.15, "A"), (0.35, "B"), (0.8, "C")])
def test_sizes_follow_the_limits_of_standardised_differences(shift: float, size: str) -> None:
    one = ItemParameters("x", "2PL", 1.2, (0.0,))
    assert curve_effect(one, replace(one, b=(shift,))).size == size


# Wald


def test_wald_is_lords_chi_square() -> None:
    """Lord (1980, p. 223) with two parameters, written out."""
    one = ItemParameters("x", "2PL", 1.0, (0.0,), covariance=((0.02, 0.003), (0.003, 0.01)), n=500)
    other = ItemParameters("x", "2PL", 1.3, (0.4,), covariance=((0.03, -0.002), (-0.002, 0.02)), n=400)
    row = dif_wald([one], [other])[0]
    v = np.array([-0.3, -0.4])
    S = np.array([[0.05, 0.001], [0.001, 0.03]])
    assert row.statistic == pytest.approx(v @ np.linalg.inv(S) @ v)
    assert (row.df, row.n_reference, row.n_focal, row.effect.size) == (2, 500, 400, "B")
    assert row.p == pytest.approx(np.exp(-row.statistic / 2))  # χ² with 2 degrees of freedom


def test_wald_with_a_joint_covariance_takes_the_common_error_out() -> None:
    one = ItemParameters("x", "2PL", 1.0, (0.0,))
    other = replace(one, b=(0.4,))
    joint = np.diag([0.02, 0.01, 0.03, 0.02])
    joint[1, 3] = joint[3, 1] = 0.005
    row = dif_wald([one], [other], joint={"x": joint})[0]
    assert row.statistic == pytest.approx(0.16 / (0.03 - 0.01))


def test_wald_does_not_compare_what_was_not_estimated() -> None:
    one = ItemParameters("x", "Rasch", 1.0, (0.0,), covariance=((0.0, 0.0), (0.0, 0.01)))
    row = dif_wald([one], [replace(one, b=(0.3,))])[0]
    assert row.df == 1
    assert row.statistic == pytest.approx(0.09 / 0.02)
    with pytest.raises(FitError, match="no item has a covariance"):
        dif_wald([ItemParameters("x", "2PL", 1.0, (0.0,))], [ItemParameters("x", "2PL", 1.0, (0.0,))])
    with pytest.raises(FitError, match="item x: 2PL in one group and GRM in the other"):
        dif_wald([ItemParameters("x", "2PL", 1.0, (0.0,))], [ItemParameters("x", "GRM", 1.0, (0.0, 1.0))])


# purification and likelihood ratio


def row(item: str, p: float) -> ItemDif:
    return ItemDif(item, "test", "R", "F", 1, 1, p=p)


def test_purification_goes_on_until_the_anchors_stay() -> None:
    """A test whose accusations depend on its anchors: with the worst item among them an innocent one is accused."""
    seen: list[frozenset[str]] = []

    def test(anchors: frozenset[str]) -> tuple[ItemDif, ...]:
        seen.append(anchors)
        innocent = 0.001 if "bad" in anchors else 0.5
        return flag_dif([row("bad", 1e-9), row("innocent", innocent), row("a", 0.5), row("b", 0.5)])

    rows = purified(test, ["bad", "innocent", "a", "b"])
    assert [r.item for r in rows if r.flagged] == ["bad"]
    assert [r.anchor for r in rows] == [False, True, True, True]
    assert seen == [frozenset({"bad", "innocent", "a", "b"}), frozenset("ab"), frozenset({"innocent", "a", "b"})]
    assert purified(test, ["bad", "innocent", "a", "b"], rounds=1)[1].flagged


def test_likelihood_ratio_is_twice_the_gain_and_flagged_items_stay_free() -> None:
    items = [ItemParameters(name, "2PL", 1.0, (0.0,)) for name in "abcd"] + [ItemParameters("e", "Rasch", 1.0, (0.0,))]
    gains = {"a": 20.0, "b": 0.5, "c": 0.0, "d": 0.0, "e": 1.0}
    asked: set[frozenset[str]] = set()

    def fit(freed: frozenset[str]) -> float:
        assert freed not in asked  # the same calibration is not run twice
        asked.add(freed)
        return -1000 + sum(gains[item] for item in freed)

    rows = {r.item: r for r in dif_likelihood_ratio(items, fit)}
    assert [rows[name].statistic for name in "abcde"] == pytest.approx([40, 1, 0, 0, 2])
    assert [rows[name].df for name in "ae"] == [2, 1]
    assert rows["a"].p == pytest.approx(np.exp(-20))
    assert [name for name in "abcde" if rows[name].flagged] == ["a"]
    assert not rows["a"].anchor
    assert frozenset("ab") in asked


def grouped(seed: int, N: int, shift: float) -> tuple[list[ItemParameters], Responses, NDArray[np.int32]]:
    """Ten items; the fourth is `shift` harder for the second group, which is as able as the first."""
    rng = np.random.default_rng(seed)
    items = simulated.two_parameter_items(rng, 10)
    group = np.repeat([0, 1], N // 2).astype(np.int32)
    theta = rng.normal(0, 1, N)
    table = simulated.scores(rng, items, theta)
    harder = [replace(items[3], b=(items[3].b[0] + shift,))]
    table[group == 1, 3] = simulated.scores(rng, harder, theta[group == 1])[:, 0]
    return items, simulated.responses(table, items, group), group


def test_splitting_items_keeps_every_response() -> None:
    _, data, group = grouped(31, 200, 0.0)
    split, meaning = split_by_group(data, frozenset({"Q4"}))
    assert meaning == {"Q4@R": ("Q4", "R"), "Q4@F": ("Q4", "F")}
    table = split.dense()
    names = list(split.items)
    assert np.isnan(table[group == 1][:, names.index("Q4@R")]).all()
    assert table[group == 1][:, names.index("Q4@F")].tolist() == data.dense()[group == 1][:, 3].tolist()
    assert (np.diff(split.person * 100 + split.item) > 0).all()


def test_likelihood_ratio_and_wald_of_this_package_agree_and_find_the_item() -> None:
    items, data, _ = grouped(32, 3000, 0.6)
    fit = grouped_fitter(data, items, ("R", "F"))
    by_ratio = dif_likelihood_ratio(items, fit, names=("R", "F"), rounds=2)
    by_wald = dif_wald_refitted(items, fit, names=("R", "F"), rounds=2)
    for rows in (by_ratio, by_wald):
        assert [r.item for r in rows if r.flagged] == ["Q4"]
        assert rows[3].effect.signed_area == pytest.approx(-0.6, abs=0.15)
    for one, other in zip(by_ratio, by_wald, strict=True):  # equal in large samples, farther apart where there is DIF
        near = 0.05 if one.item != "Q4" else 0.2
        assert other.statistic == pytest.approx(one.statistic, rel=near)


def test_grouped_fits_may_come_without_parameters() -> None:
    items = [ItemParameters(name, "2PL", 1.0, (0.0,)) for name in "ab"]
    rows = dif_likelihood_ratio(items, lambda freed: GroupedFit(-10.0 + len(freed)))
    assert all(np.isnan(r.effect.essd) and r.statistic == 2 for r in rows)


# observed curves


def test_rmsd_finds_the_item_though_the_groups_differ_in_ability() -> None:
    rng = np.random.default_rng(33)
    items = simulated.two_parameter_items(rng, 20)
    group = np.repeat([0, 1], 3000).astype(np.int32)
    theta = np.where(group == 0, rng.normal(0, 1, 6000), rng.normal(-0.8, 1.2, 6000))
    table = simulated.scores(rng, items, theta)
    harder = [replace(items[3], b=(items[3].b[0] + 1.2,))]
    table[group == 1, 3] = simulated.scores(rng, harder, theta[group == 1])[:, 0]
    rows = dif_rmsd(simulated.responses(table, items, group), items)
    assert [(r.item, r.focal) for r in rows if r.flagged] == [("Q4", "F")]
    found = next(r for r in rows if r.flagged)
    expected = [1 / (1 + np.exp(-items[3].a * (theta[group == 1] - b))) for b in (harder[0].b[0], items[3].b[0])]
    assert found.md == pytest.approx((expected[0] - expected[1]).mean(), rel=0.1)
    assert found.rmsd == pytest.approx(np.sqrt(((expected[0] - expected[1]) ** 2).mean()), rel=0.1)
    assert not found.anchor
    assert max(r.rmsd for r in rows if r.item != "Q4") < 0.05


def test_groups_are_asked_for_by_name() -> None:
    items, data, _ = grouped(34, 200, 0.0)
    with pytest.raises(FitError, match="responses are of one group"):
        dif_rmsd(replace(data, group=None, groups=()), items)
    with pytest.raises(FitError, match="no group 'X'; the groups are R, F"):
        dif_rmsd(data, items, reference="X")
    with pytest.raises(FitError, match="no group 'X'"):
        grouped_fitter(data, items, ("R", "X"))
    with pytest.raises(FitError, match="responses are of one group"):
        sibtest(replace(data, group=None, groups=()))


# SIBTEST


def test_sibtest_measures_the_mean_difference_of_the_equally_able() -> None:
    """β is E(P_R - P_F) over both groups' abilities (Shealy & Stout, 1993, eq. 8), though the groups differ."""
    rng = np.random.default_rng(35)
    items = simulated.two_parameter_items(rng, 30)
    group = np.repeat([0, 1], 10_000).astype(np.int32)
    theta = rng.normal(-0.5 * group, 1)
    table = simulated.scores(rng, items, theta)
    harder = [replace(items[3], b=(items[3].b[0] + 1.0,))]
    table[group == 1, 3] = simulated.scores(rng, harder, theta[group == 1])[:, 0]
    rows = sibtest(simulated.responses(table, items, group))
    P = [1 / (1 + np.exp(-items[3].a * (theta - b))) for b in (items[3].b[0], harder[0].b[0])]
    assert rows[3].beta == pytest.approx((P[0] - P[1]).mean(), abs=0.02)
    assert [r.item for r in rows if r.flagged] == ["Q4"]
    assert max(abs(r.beta) for r in rows if r.item != "Q4") < 0.03


def test_sibtest_of_polytomous_items_is_on_the_scale_of_the_maximum_score() -> None:
    rng = np.random.default_rng(36)
    items = simulated.graded_items(rng, 12)
    group = np.repeat([0, 1], 4000).astype(np.int32)
    theta = rng.normal(0, 1, 8000)
    table = simulated.scores(rng, items, theta)
    harder = [replace(items[3], b=tuple(b + 0.8 for b in items[3].b))]
    table[group == 1, 3] = simulated.scores(rng, harder, theta[group == 1])[:, 0]
    rows = sibtest(simulated.responses(table, items, group))
    effect = curve_effect(items[3], harder[0])
    assert rows[3].beta == pytest.approx(-effect.mean_difference / 3, abs=0.02)
    assert [r.item for r in rows if r.flagged] == ["Q4"]


@pytest.mark.slow
def test_type_one_errors_and_power() -> None:
    """200 replications without difference and with one of 0.5: rejections at 5 % of every test."""
    rejected: dict[str, list[float]] = {"lr": [], "wald": [], "sibtest": []}
    power: dict[str, list[float]] = {"lr": [], "wald": [], "sibtest": []}
    for seed in range(200):
        for shift, into in ((0.0, rejected), (0.5, power)):
            items, data, _ = grouped(1000 + seed, 2000, shift)
            studied = [items[3]]
            fit = grouped_fitter(data, items, ("R", "F"))
            into["lr"].append(dif_likelihood_ratio(items, fit, names=("R", "F"), studied=["Q4"], rounds=1)[0].p < 0.05)
            into["wald"].append(dif_wald_refitted(studied, fit, names=("R", "F"), rounds=1)[0].p < 0.05)
            into["sibtest"].append(sibtest(data)[3].p < 0.05)
    for method, hits in rejected.items():
        assert 0.02 <= np.mean(hits) <= 0.09, method  # 0.05 ± 2.6 standard errors
        assert np.mean(power[method]) > 0.85, method


@pytest.mark.parametrize("method", ["lr", "wald"])
def test_an_item_without_parameters_in_a_group_does_not_keep_the_others_from_their_test(method: str) -> None:
    rng = np.random.default_rng(8)
    group = np.arange(600) % 2
    right = 1 / (1 + np.exp(np.linspace(-1, 1, 6) - rng.normal(size=(600, 1))))
    scores = (rng.random((600, 6)) < right).astype(float)
    scores[group == 1, 0] = 1 if method == "lr" else np.nan  # nobody gets it wrong, or nobody has it
    data = replace(Responses.from_matrix(scores), group=group.astype(np.int32), groups=("ref", "foc"))
    rows = {row.item: row for row in calibrate(data).dif(method, reference="ref", focal="foc")}
    assert len(rows) == 6
    assert rows["item1"].effect.size == ""
    assert all(np.isfinite(rows[f"item{j}"].p) and rows[f"item{j}"].effect.size for j in range(2, 7))
    # freed, its responses in that group have probability 1, as where they are left out; not administered, no test
    assert rows["item1"].flagged is (method == "lr")
