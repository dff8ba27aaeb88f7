"""Sums of marks against the enumeration of every pattern of answers, and against mirt's tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import (
    Curves,
    ItemParameters,
    Scale,
    ScaleError,
    score_responses,
    sum_score_likelihood,
    sum_score_table,
)
from tests.calibration.scoring.forms import MIXED, drawn, mirt_result, responses
from tests.calibration.simulated import Array

MARKED = (
    replace(MIXED[1], marks=(0.0, 0.5)),
    replace(MIXED[2], marks=(0.0, 2.0)),
    replace(MIXED[4], marks=(0.0, 0.5, 1.0, 1.5)),
    replace(MIXED[6], marks=(0.0, 1.0, 1.5, 3.0)),
    replace(MIXED[7], marks=(-0.5, 0.0, 1.0)),
)


def by_every_pattern(P: Array, start: Array, marks: Array) -> dict[float, float]:
    """P(sum) by adding up all patterns, for P (C,) at one theta."""
    found: dict[float, float] = {}
    for rows in product(*(range(first, last) for first, last in pairwise(start))):
        total = round(sum(marks[row] for row in rows), 9)
        found[total] = found.get(total, 0.0) + float(np.prod([P[row] for row in rows]))
    return found


def test_sums_of_mixed_items_with_marks_of_any_kind() -> None:
    curves = Curves.of(MARKED)
    P = curves.probability([-1.0, 0.0, 2.0])
    sums, likelihood = sum_score_likelihood(P, curves.start, curves.marks)
    for q in range(3):
        wanted = by_every_pattern(P[:, q], curves.start, curves.marks)
        assert sums.tolist() == sorted(wanted)
        np.testing.assert_allclose(likelihood[:, q], [wanted[s] for s in sums], atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), J=st.integers(1, 7))
def test_sums_of_any_items(seed: int, J: int) -> None:
    rng = np.random.default_rng(seed)
    K = rng.integers(2, 5, J)
    start = np.concatenate([[0], np.cumsum(K)])
    marks = rng.choice([-0.25, 0.0, 0.5, 1.0, 1 / 3, 2.0], start[-1])
    P = rng.uniform(0.05, 1, start[-1])
    for first, last in pairwise(start):
        P[first:last] /= P[first:last].sum()
    sums, likelihood = sum_score_likelihood(P[:, None], start, marks)
    wanted: dict[float, float] = {}
    for total, chance in by_every_pattern(P, start, marks).items():
        key = round(total, 6)
        wanted[key] = wanted.get(key, 0.0) + chance
    np.testing.assert_allclose(sums, sorted(wanted), atol=1e-6)
    np.testing.assert_allclose(likelihood[:, 0], [wanted[key] for key in sorted(wanted)], atol=1e-13)


def test_only_sums_that_can_happen_are_listed() -> None:
    P = np.full((4, 1), 0.5)
    sums, likelihood = sum_score_likelihood(P, [0, 2, 4], [0, 2, 0, 3])
    assert sums.tolist() == [0, 2, 3, 5]
    assert likelihood[:, 0].tolist() == [0.25] * 4


def test_an_item_without_marks_and_no_items_at_all() -> None:
    sums, likelihood = sum_score_likelihood(np.array([[0.3], [0.7]]), [0, 2], [0, 0])
    assert (sums.tolist(), likelihood.tolist()) == ([0], [[1.0]])
    sums, likelihood = sum_score_likelihood(np.zeros((0, 2)), [0], [])
    assert (sums.tolist(), likelihood.tolist()) == ([0], [[1.0, 1.0]])


def test_two_hundred_items_keep_their_digits() -> None:
    """The binomial, by its closed form."""
    from scipy.stats import binom

    sums, likelihood = sum_score_likelihood(np.tile([[0.3], [0.7]], (200, 1)), 2 * np.arange(201), [0, 0.5] * 200)
    np.testing.assert_allclose(sums, 0.5 * np.arange(201))
    np.testing.assert_allclose(likelihood[:, 0], binom.pmf(np.arange(201), 200, 0.7), rtol=1e-10)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ((0, 1, 0, 0.123456789), "marks of 0.123456789 have no unit in which sums can be counted: round them"),
        ((0, 1, 0, 1000.0001), r"the marks have 10,010,002 different sums \(their unit is 0.0001\): round them"),
    ],
)
def test_marks_without_a_unit_are_refused(marks: tuple[float, ...], message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        sum_score_likelihood(np.full((4, 1), 0.5), [0, 2, 4], marks)


@pytest.mark.parametrize("tag", ["lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm"])
def test_tables_are_those_of_mirt(tag: str) -> None:
    """mirt integrates on 61 points over [-6, 6]: its last digits are its own."""
    found, items, scale = mirt_result(tag)
    table, wanted = sum_score_table(items, scale), found["EAPsum"]
    lowest = 4 if tag.startswith("science") else 0  # the categories of these data are 1…4
    assert (table.marks + lowest).tolist() == [row["Sum.Scores"] for row in wanted]
    np.testing.assert_allclose(table.theta, [row["F1"] for row in wanted], atol=2e-5)
    np.testing.assert_allclose(table.se, [row["SE_F1"] for row in wanted], atol=4e-5)
    np.testing.assert_allclose(found["N"] * table.probability, [row["expected"] for row in wanted], atol=1e-4)


def test_a_table_is_bayes_theorem() -> None:
    scale = Scale(mean=0.4, sd=1.5)
    curves = Curves.of(MARKED)
    nodes = np.linspace(-11, 12, 4001)
    sums, likelihood = sum_score_likelihood(curves.probability(nodes), curves.start, curves.marks)
    weights = np.exp(-0.5 * ((nodes - 0.4) / 1.5) ** 2)
    joint = likelihood * weights / weights.sum()
    table = sum_score_table(MARKED, scale)
    np.testing.assert_allclose(table.probability, joint.sum(axis=1), atol=1e-8)
    mean = joint @ nodes / joint.sum(axis=1)
    np.testing.assert_allclose(table.theta, mean, atol=1e-6)
    np.testing.assert_allclose(table.se**2, joint @ nodes**2 / joint.sum(axis=1) - mean**2, atol=1e-5)
    assert table.probability.sum() == pytest.approx(1.0, abs=1e-12)
    assert table.marks.tolist() == sums.tolist()
    other = sum_score_table(MARKED, mean=0.4, sd=1.5)
    np.testing.assert_array_equal(other.theta, table.theta)


def test_persons_are_scored_by_the_table_of_the_items_they_saw() -> None:
    table = drawn(MARKED, np.linspace(-1, 1, 6))
    table[3:, 1] = np.nan
    table[5, 4] = np.nan
    scores = score_responses(responses(table, MARKED), MARKED, method="eapsum")
    for i in range(6):
        seen = [j for j in range(5) if not np.isnan(table[i, j])]
        mine = sum_score_table([MARKED[j] for j in seen])
        total = sum(MARKED[j].category_marks[int(table[i, j])] for j in seen)
        at = int(np.abs(mine.marks - total).argmin())
        assert mine.marks[at] == pytest.approx(total)
        assert scores.theta[i] == pytest.approx(mine.theta[at], abs=1e-6)
        assert scores.se[i] == pytest.approx(mine.se[at], abs=1e-6)


def test_for_rasch_items_the_sum_says_all_there_is() -> None:
    items = [ItemParameters(f"q{j}", "Rasch", 1.0, (b,)) for j, b in enumerate((-1.0, 0.0, 0.5, 1.2))]
    data = responses(drawn(items, np.linspace(-2, 2, 30)), items)
    eap, eapsum = (score_responses(data, items, method=method) for method in ("eap", "eapsum"))
    np.testing.assert_allclose(eap.theta, eapsum.theta, atol=1e-12)
