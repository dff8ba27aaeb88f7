"""Classical DIF: published 2 × 2 × K tables, permutation, independent regressions, planted differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from calibration import Responses, ResponsesError
from calibration.classical.dif import (
    common_odds_ratio,
    ets_category,
    jodoin_gierl_category,
    logistic_dif,
    mantel_haenszel_dif,
    mantel_test,
    polytomous_category,
    standardised_mean_difference,
)
from calibration.classical.ordinal import ordinal_regression
from tests.calibration.simulated import Array, booklets, two_parameter_scores

# Strata of (reference wrong, right), (focal wrong, right).
# Penicillin and rabbits, Agresti (1990), p. 231; men and women admitted by six departments of Berkeley, 1973.
RABBITS = np.array([[[6, 0], [5, 0]], [[3, 3], [6, 0]], [[0, 6], [4, 2]], [[1, 5], [0, 6]], [[0, 2], [0, 5]]], float)
ADMISSIONS = np.array(
    [
        [[313, 512], [19, 89]],
        [[207, 353], [8, 17]],
        [[205, 120], [391, 202]],
        [[279, 138], [244, 131]],
        [[138, 53], [299, 94]],
        [[351, 22], [317, 24]],
    ],
    float,
)


def two_groups(
    seed: int, N: int = 3000, J: int = 20, harder: float = 0.0, impact: float = 0.5
) -> tuple[Array, list[str]]:
    """Scores of N persons, half of them focal and abler by -impact; item 3 is harder for these."""
    rng = np.random.default_rng(seed)
    group = np.where(np.arange(N) % 2 == 0, "R", "F")
    theta = rng.standard_normal(N) - impact * (group == "F")
    b = np.tile(np.linspace(-1.5, 1.5, J), (N, 1))
    b[group == "F", 2] += harder
    P = 1 / (1 + np.exp(-1.2 * (theta[:, None] - b)))
    return (rng.random(P.shape) < P).astype(float), group.tolist()


def test_berkeley_admissions_are_as_r_prints_them() -> None:
    # R, mantelhaen.test(UCBAdmissions): X-squared 1.4269, p 0.2323, odds ratio 0.9046968 (0.7719074 to 1.0603298)
    chi2, p = mantel_test(ADMISSIONS)
    assert (round(chi2, 4), round(p, 4)) == (1.4269, 0.2323)
    alpha, se = common_odds_ratio(ADMISSIONS)
    assert alpha == pytest.approx(0.9046968, abs=5e-8)
    limits = alpha * np.exp(np.array([-1, 1]) * stats.norm.ppf(0.975) * se)
    np.testing.assert_allclose(limits, [0.7719074, 1.0603298], atol=5e-8)


def test_penicillin_and_rabbits_are_as_r_prints_them() -> None:
    # R, mantelhaen.test(Rabbits): X-squared 3.9286, p 0.04747, odds ratio 7 (1.026713 to 47.725133)
    chi2, p = mantel_test(RABBITS)
    assert (round(chi2, 4), round(p, 5)) == (3.9286, 0.04747)
    alpha, se = common_odds_ratio(RABBITS)
    assert alpha == pytest.approx(7)
    limits = 7 * np.exp(np.array([-1, 1]) * stats.norm.ppf(0.975) * se)
    np.testing.assert_allclose(limits, [1.026713, 47.725133], rtol=1e-6)


def test_one_stratum_has_the_odds_ratio_of_its_table() -> None:
    table = np.array([[[10, 30], [20, 25]]], float)
    alpha, se = common_odds_ratio(table)
    assert alpha == pytest.approx(30 * 20 / (10 * 25))
    assert se == pytest.approx(np.sqrt(1 / 10 + 1 / 30 + 1 / 20 + 1 / 25))  # Woolf's, for one table


def test_mantels_variance_is_that_of_all_permutations() -> None:
    rng = np.random.default_rng(3)
    scores = [rng.integers(0, 4, 30), rng.integers(0, 4, 24)]
    sizes = [12, 10]  # focal persons
    counts = np.stack(
        [
            np.stack([np.bincount(x[m:], minlength=4), np.bincount(x[:m], minlength=4)])
            for x, m in zip(scores, sizes, strict=True)
        ]
    ).astype(float)
    observed = sum(x[:m].sum() for x, m in zip(scores, sizes, strict=True))
    shuffles = np.array(
        [[rng.permutation(x)[:m].sum() for x, m in zip(scores, sizes, strict=True)] for _ in range(20_000)]
    ).sum(axis=1)
    expected = sum(m * x.mean() for x, m in zip(scores, sizes, strict=True))
    chi2, p = mantel_test(counts)
    assert chi2 == pytest.approx((observed - expected) ** 2 / shuffles.var(), rel=0.04)
    assert p == pytest.approx(stats.chi2.sf(chi2, 1))
    # The same permutations are the standard error of the standardised mean difference.
    differences = []
    for _ in range(5000):
        parts = []
        for x, m in zip(scores, sizes, strict=True):
            y = rng.permutation(x)
            parts.append(y[:m].mean() - y[m:].mean())
        differences.append(np.dot(parts, sizes) / sum(sizes))
    smd, se = standardised_mean_difference(counts)
    assert se == pytest.approx(np.std(differences), rel=0.04)
    by_hand = sum(m * (x[:m].mean() - x[m:].mean()) for x, m in zip(scores, sizes, strict=True)) / sum(sizes)
    assert smd == pytest.approx(by_hand)


def test_the_tables_are_those_of_persons_with_the_same_total() -> None:
    table, group = two_groups(1, N=400, J=6, harder=0.8)
    result = mantel_haenszel_dif(Responses.from_matrix(table), group=group, reference="R", rounds=0)[2]
    total, focal = table.sum(axis=1), np.array(group) == "F"
    strata = [
        [[np.sum((total == s) & (focal == g) & (table[:, 2] == x)) for x in (0, 1)] for g in (False, True)]
        for s in range(7)
        if len(set(focal[total == s].tolist())) == 2
    ]
    counts = np.array(strata, float)
    assert (result.chi2, result.p) == pytest.approx(mantel_test(counts))
    alpha, se = common_odds_ratio(counts)
    assert (result.alpha, result.delta, result.se_delta) == pytest.approx((alpha, -2.35 * np.log(alpha), 2.35 * se))
    assert (result.item, result.reference, result.focal, result.strata) == ("item3", "R", "F", len(strata))


def test_a_planted_difference_is_found_and_purified_and_the_others_left_in_peace() -> None:
    table, group = two_groups(2, harder=0.9)
    data = Responses.from_matrix(table)
    results = mantel_haenszel_dif(data, group=group, reference="R")
    found = {r.item: r.category for r in results if r.category != "A"}
    assert found == {"item3": "C-"}
    planted = results[2]
    assert not planted.anchor
    assert planted.rounds == 1
    assert planted.delta == pytest.approx(-2.35 * 1.2 * 0.9, abs=3 * planted.se_delta)
    logistic = logistic_dif(data, group=group, reference="R")
    assert min(logistic, key=lambda r: r.p_adjusted).item == "item3"
    assert logistic[2].log_odds == pytest.approx(-1.2 * 0.9, abs=3 * logistic[2].se_log_odds + 0.1)
    assert logistic[2].nonuniform[2] > 0.001


def test_forms_are_matched_within_themselves() -> None:
    table, group = two_groups(4, N=4000, J=24, harder=0.9)
    seen = booklets(table, np.random.default_rng(1))
    results = mantel_haenszel_dif(Responses.from_matrix(seen), group=group, reference="R", levels=8)
    assert [r.item for r in results if r.category[0] in "BC"] == ["item3"]
    assert {round((r.n_reference + r.n_focal) / 2000, 1) for r in results} == {1.0}  # half of the persons each
    logistic = logistic_dif(Responses.from_matrix(seen), group=group, reference="R")
    assert [r.item for r in logistic if r.p_adjusted < 1e-4] == ["item3"]


@pytest.mark.slow
def test_without_a_difference_the_tests_hold_their_size() -> None:
    mh, lr = [], []
    for seed in range(25):
        table, group = two_groups(100 + seed, N=1200, J=30, impact=0.0)
        data = Responses.from_matrix(table)
        mh += [r.p for r in mantel_haenszel_dif(data, group=group, rounds=0)]
        lr += [r.total[2] for r in logistic_dif(data, group=group, rounds=0)]
    assert np.mean(np.array(mh) < 0.05) == pytest.approx(0.045, abs=0.025)  # the continuity correction is conservative
    assert np.mean(np.array(lr) < 0.05) == pytest.approx(0.05, abs=0.025)


def test_every_focal_group_is_compared_with_the_reference() -> None:
    table, _ = two_groups(5, N=600, J=8)
    group = [["a", "b", "c"][i % 3] for i in range(600)]
    results = mantel_haenszel_dif(Responses.from_matrix(table), group=group, reference="b", rounds=0)
    assert [(r.reference, r.focal) for r in results] == [("b", "a")] * 8 + [("b", "c")] * 8
    only = mantel_haenszel_dif(Responses.from_matrix(table), group=group, reference="b", focal=["c"], rounds=0)
    assert only == results[8:]


def test_rest_score_matching_leaves_the_item_out() -> None:
    table, group = two_groups(6, N=500, J=5)
    result = mantel_haenszel_dif(Responses.from_matrix(table), group=group, matching="rest", rounds=0)[0]
    rest, focal = table[:, 1:].sum(axis=1), np.array(group) == "F"
    counts = np.array(
        [
            [[np.sum((rest == s) & (focal == g) & (table[:, 0] == x)) for x in (0, 1)] for g in (False, True)]
            for s in range(5)
        ],
        float,
    )
    assert result.chi2 == pytest.approx(mantel_test(counts)[0])


def test_polytomous_items_get_a_standardised_mean_difference() -> None:
    rng = np.random.default_rng(7)
    focal = np.arange(3000) % 2 == 1
    group = np.where(focal, "F", "R").tolist()
    theta = rng.standard_normal(3000) - 0.4 * focal
    table = two_parameter_scores(rng, theta, np.full(24, 1.2), np.linspace(-1.5, 1.5, 24))
    z = np.cumsum(np.column_stack([np.zeros(3000), *(theta - 0.8 * focal - step for step in (-1, 0, 1))]), axis=1)
    P = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    marks = (rng.random((3000, 1)) > P.cumsum(axis=1)).sum(axis=1)
    data = Responses.from_matrix(np.column_stack([table, marks]))
    results = mantel_haenszel_dif(data, group=group, reference="R")
    assert np.isnan(results[-1].delta)
    assert {r.item: r.category for r in results if r.category != "A"} == {"item25": "C-"}
    assert results[-1].effect == pytest.approx(results[-1].smd / marks.std(), rel=0.01)
    ordinal = logistic_dif(data, group=group, reference="R")
    assert min(ordinal, key=lambda r: r.p_adjusted).item == "item25"
    assert ordinal[-1].log_odds < -0.8


@pytest.mark.parametrize(
    ("delta", "se", "p", "category"),
    [
        (0.9, 0.1, 0.001, "A"),
        (-1.2, 0.1, 0.06, "A"),
        (-1.2, 0.1, 0.001, "B-"),
        (1.6, 0.5, 0.01, "B+"),  # large, but not significantly above 1
        (1.6, 0.3, 0.01, "C+"),
        (-2.0, 0.2, 0.001, "C-"),
    ],
)
def test_ets_classes(delta: float, se: float, p: float, category: str) -> None:
    assert ets_category(delta, se, p) == category


def test_classes_of_effect_sizes() -> None:
    assert [polytomous_category(e, 0.01) for e in (0.17, 0.2, -0.25, -0.26)] == ["A", "B+", "B-", "C-"]
    assert polytomous_category(0.5, 0.2) == "A"
    assert [jodoin_gierl_category(r, 0.01, -1.0) for r in (0.034, 0.035, 0.070, 0.071)] == ["A", "B-", "B-", "C-"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no groups"),
        ({"group": ["a"] * 40}, "only group 'a'"),
        ({"group": ["a", "b"] * 20, "reference": "z"}, "'z' is none of a, b"),
        ({"group": ["a", "b"] * 20, "matching": "theta"}, "choose total or rest"),
        ({"group": ["a", "b"]}, "2 groups for 40 persons"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict[str, object], message: str) -> None:
    table = two_groups(9, N=40, J=4)[0]
    with pytest.raises(ResponsesError, match=message):
        mantel_haenszel_dif(Responses.from_matrix(table), **arguments)  # type: ignore[arg-type]


# The regression behind it


@pytest.mark.parametrize("K", [2, 3, 4])
def test_cumulative_logits_agree_with_direct_maximisation(K: int) -> None:
    rng = np.random.default_rng(K)
    x = rng.normal(size=(300, 2))
    y = np.clip(np.round(x @ [0.8, -0.5] + rng.logistic(size=300) + K / 2 - 0.5), 0, K - 1).astype(int)
    counts = np.eye(K)[y]
    fit = ordinal_regression(counts, x)

    def minus(beta: Array) -> float:
        z = beta[: K - 1] + (x @ beta[K - 1 :])[:, None]
        upper = np.column_stack([np.ones(300), 1 / (1 + np.exp(-z)), np.zeros(300)])
        P = upper[np.arange(300), y] - upper[np.arange(300), y + 1]
        return float(-np.log(np.maximum(P, 1e-300)).sum())

    start = np.concatenate([np.linspace(1, -1, K - 1), [0.0, 0.0]])
    best = optimize.minimize(
        minus, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 20000}
    )
    np.testing.assert_allclose([*fit.thresholds, *fit.slopes], best.x, atol=2e-4)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert fit.converged


def test_a_two_by_two_table_is_its_log_odds_ratio() -> None:
    fit = ordinal_regression(np.array([[10.0, 30.0], [20.0, 25.0]]), np.array([[0.0], [1.0]]))
    assert fit.slopes[0] == pytest.approx(np.log(25 / 20) - np.log(30 / 10), abs=1e-7)
    assert fit.se[0] == pytest.approx(np.sqrt(1 / 10 + 1 / 30 + 1 / 20 + 1 / 25), rel=1e-6)


def test_separated_data_have_no_estimate() -> None:
    fit = ordinal_regression(np.array([[10.0, 0.0], [0.0, 25.0]]), np.array([[0.0], [1.0]]))
    assert not fit.converged
    assert np.isnan(fit.se[0])


def test_data_set_apart_by_simulated_scores_do_not_depend_on_order() -> None:
    rng = np.random.default_rng(3)
    table = two_parameter_scores(rng, rng.standard_normal(300), np.ones(8), np.linspace(-1, 1, 8))
    group = [["R", "F"][i % 2] for i in range(300)]
    order = rng.permutation(300)
    one = mantel_haenszel_dif(Responses.from_matrix(table), group=group, reference="R")
    other = mantel_haenszel_dif(Responses.from_matrix(table[order]), group=[group[i] for i in order], reference="R")
    assert [r.chi2 for r in one] == pytest.approx([r.chi2 for r in other], rel=1e-9)
