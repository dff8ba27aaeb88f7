"""Screening: the tests behind the flags, the planted faults of the sample bank, and sound items left in peace."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from calibration import (
    ItemStatistics,
    OptionStatistics,
    Responses,
    item_statistics,
    pool_responses,
    read_key,
    read_responses,
    screen,
)
from calibration.screening import correlation_below_zero, correlation_exceeds
from tests.calibration.simulated import Array, two_parameter_scores

SITTINGS = Path(__file__).parents[2] / "examples" / "ai_trainer_l3" / "sittings"


def multiple_choice(rng: np.random.Generator, a: Array, b: Array, N: int = 210) -> Responses:
    """Scored choices: a right answer is A, a wrong one B, C or D without regard to ability."""
    table = two_parameter_scores(rng, rng.standard_normal(N), a, b)
    code = np.where(table.ravel() == 1, 0, rng.integers(1, 4, table.size)).astype(np.int16)
    scored = Responses.from_matrix(table)
    return dataclasses.replace(scored, option=code, options=("A", "B", "C", "D"), key=dict.fromkeys(scored.items, "A"))


@pytest.mark.parametrize(
    ("r_jk", "r_jh", "r_kh", "n", "z"),
    [
        (0.8066, 0.2383, 0.2255, 177, 8.5460),  # vignette of R's rmcorr, by cocor::cocor.dep.groups.overlap
        (0.0228, 0.3522, 0.3718, 553, -7.1345),  # the same function on other data; correlations printed to 4 digits
    ],
)
def test_steigers_test_agrees_with_published_output(r_jk: float, r_jh: float, r_kh: float, n: int, z: float) -> None:
    p = correlation_exceeds(max(r_jk, r_jh), min(r_jk, r_jh), r_kh, n)
    assert stats.norm.isf(p) == pytest.approx(abs(z), abs=2e-3)


def test_steigers_test_holds_its_size_on_normal_data() -> None:
    rng = np.random.default_rng(11)
    R = np.array([[1, 0.3, 0.3], [0.3, 1, -0.4], [0.3, -0.4, 1]])
    samples = rng.multivariate_normal(np.zeros(3), R, size=(2000, 100))
    p = []
    for sample in samples:
        r = np.corrcoef(sample.T)
        p.append(correlation_exceeds(r[0, 1], r[0, 2], r[1, 2], 100))
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.015)  # 3 Monte-Carlo standard errors


def test_a_correlation_below_zero_is_tested_by_fishers_z() -> None:
    # arctanh(-0.25)·√(103 - 3) = -2.5541; Φ(-2.5541) = 0.005323
    assert correlation_below_zero(-0.25, 103) == pytest.approx(0.005323, abs=1e-6)
    assert correlation_below_zero(0.25, 103) == pytest.approx(1 - 0.005323, abs=1e-6)


@pytest.mark.parametrize("n", [0, 3])
def test_too_few_persons_or_no_variance_prove_nothing(n: int) -> None:
    assert correlation_below_zero(-0.9, n) == 1.0
    assert correlation_exceeds(0.9, -0.9, -0.5, n) == 1.0
    assert correlation_below_zero(float("nan"), 100) == 1.0
    assert correlation_exceeds(0.5, float("nan"), -0.5, 100) == 1.0


def test_the_planted_faults_of_the_sample_sittings_are_flagged_and_nothing_else() -> None:
    key = read_key(SITTINGS / "keys.csv")
    responses = pool_responses([read_responses(SITTINGS / f"{s}.csv", key=key) for s in range(1, 7)])
    with (SITTINGS / "truth.csv").open(encoding="utf-8", newline="") as file:
        planted = {row["fault"]: row["item"] for row in csv.DictReader(file) if row["fault"]}
    flags = screen(item_statistics(responses))
    assert {flag.item for flag in flags} == set(planted.values())
    codes = {(flag.item, flag.code) for flag in flags}
    assert (planted["keyed wrongly in these sittings"], "key-suspect") in codes
    assert (planted["everybody gets it right"], "no-variance") in codes
    assert (planted["negative discrimination"], "negative-discrimination") in codes


def test_the_key_message_names_the_option_to_look_at() -> None:
    rng = np.random.default_rng(4)
    responses = multiple_choice(rng, np.full(30, 1.5), np.linspace(-1, 1, 30))
    keyed_wrong = dataclasses.replace(responses, key=dict(responses.key) | {"item7": "B"})
    right = np.array([keyed_wrong.key[keyed_wrong.items[j]] for j in keyed_wrong.item])
    assert keyed_wrong.option is not None
    chosen = np.array(keyed_wrong.options)[keyed_wrong.option]
    rescored = dataclasses.replace(keyed_wrong, score=(chosen == right).astype(np.int16))
    flags = [flag for flag in screen(item_statistics(rescored)) if flag.code == "key-suspect"]
    assert [flag.item for flag in flags] == ["item7"]
    assert flags[0].message.startswith("option A (r = 0.")
    assert "goes with ability better than key B (r = -0." in flags[0].message


def one_item(rivals: int, r_rival: float, drawn: int) -> ItemStatistics:
    """An item of 100 persons whose key has r = 0, with equal rivals."""
    key = OptionStatistics("A", 50, 0.5, 0.0, 1.0, is_key=True)
    others = [OptionStatistics("BCD"[k], drawn, drawn / 100, r_rival, -0.3, is_key=False) for k in range(rivals)]
    return ItemStatistics("Q", 100, 0.5, 0.0, 100, 0, (key, *others))


def test_an_option_hardly_anybody_drew_proves_nothing() -> None:
    assert screen([one_item(1, 0.9, drawn=4)]) == ()
    assert [flag.code for flag in screen([one_item(1, 0.9, drawn=5)])] == ["key-suspect"]


def test_more_options_need_more_evidence() -> None:
    p = correlation_exceeds(0.41, 0.0, -0.3, 100)
    assert 0.01 / 3 < p < 0.01 / 2  # enough for one rival or two, not for the best of three (Bonferroni)
    assert [len(screen([one_item(rivals, 0.41, drawn=20)])) for rivals in (1, 2, 3)] == [1, 1, 0]


def test_sound_items_are_left_in_peace() -> None:
    flagged = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b = np.exp(rng.normal(-0.05, 0.3, 100)), rng.normal(-0.9, 1.0, 100)
        flagged += len(screen(item_statistics(multiple_choice(rng, a, b))))
    assert flagged == 0  # 1 % a run at most: 0.2 of 20 runs


def test_items_that_measure_nothing_are_flagged_no_more_often_than_stated() -> None:
    # The hardest case for a one-sided test: a correlation of exactly 0. At a rate of 1 % a run with any flag of either
    # kind has probability 2 % at most, so 3 of 20 runs would be a surprise of one in 140.
    runs = 0
    for seed in range(20):
        rng = np.random.default_rng(1000 + seed)
        a = np.repeat([0.0, 1.0], 50)
        flags = screen(item_statistics(multiple_choice(rng, a, rng.normal(0, 0.5, 100))))
        runs += bool(flags)
    assert runs <= 2


def test_no_variance_is_a_finding_and_no_comparison_is_none() -> None:
    everybody = ItemStatistics("easy", n=50, p_value=1.0, point_biserial=float("nan"), effective_n=50, omitted=0)
    nobody_comparable = ItemStatistics(
        "alone", n=50, p_value=0.5, point_biserial=float("nan"), effective_n=1, omitted=0
    )
    not_reached = ItemStatistics(
        "late", n=0, p_value=float("nan"), point_biserial=float("nan"), effective_n=0, omitted=0
    )
    flags = screen([everybody, nobody_comparable, not_reached])
    assert [(flag.item, flag.code) for flag in flags] == [("easy", "no-variance")]
