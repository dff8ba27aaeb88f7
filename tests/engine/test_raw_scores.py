"""Raw marks: the recursion against every pattern of answers, and what knowing published items does."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.raw_scores
from calibration import ParameterTable, ReferenceForm, Scale, mark_decisions
from engine import effect_of_knowing, pass_probability

MIXED = np.array([0.5, 1.0, 0.5, 0.5, 1.0, 2.0, 0.5, 1.0])


def parameters(a: np.ndarray, b: np.ndarray) -> ParameterTable:
    J = len(a)
    return ParameterTable(tuple(f"q{j}" for j in range(J)), a, b, np.zeros(J), np.ones(J))


def some_parameters(J: int, seed: int = 2) -> ParameterTable:
    rng = np.random.default_rng(seed)
    return parameters(rng.lognormal(0, 0.3, J), rng.normal(-0.4, 1, J))


def by_every_pattern(P: np.ndarray, marks: np.ndarray, share: float) -> float:
    """P(marks >= share of all) by adding up the 2^J patterns of answers."""
    return sum(
        float(np.prod(np.where(pattern, P, 1 - P)))
        for pattern in product([True, False], repeat=len(P))
        if marks @ np.array(pattern) >= share * marks.sum() - 1e-9
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), J=st.integers(1, 8), share=st.sampled_from([0.25, 0.5, 0.6, 2 / 3, 1.0]))
def test_the_chance_to_pass_is_the_sum_over_all_patterns(seed: int, J: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    P, marks = rng.uniform(0.02, 0.98, (J, 3)), rng.permutation(MIXED)[:J]
    passing = pass_probability(P, marks, share)
    assert passing.shape == (3,)
    for q in range(3):
        assert passing[q] == pytest.approx(by_every_pattern(P[:, q], marks, share), abs=1e-12)


def test_exactly_the_share_of_the_marks_passes() -> None:
    P = np.full((5, 1), 0.5)
    assert pass_probability(P, np.ones(5), 0.6)[0] == pytest.approx(16 / 32)  # 3, 4 or 5 of 5
    assert pass_probability(P, np.ones(5), 0.61)[0] == pytest.approx(6 / 32)  # 4 or 5 of 5


def test_an_item_without_marks_decides_nothing() -> None:
    P = np.array([[0.3], [0.9]])
    assert pass_probability(P, np.array([1.0, 0.0]), 0.6)[0] == pytest.approx(0.3)


def test_the_chance_to_pass_agrees_with_simulated_candidates() -> None:
    rng = np.random.default_rng(11)
    P, marks = rng.uniform(0.4, 0.8, 60), rng.choice([0.5, 1.0], 60)
    raw = (rng.random((200_000, 60)) < P) @ marks
    simulated = (raw >= 0.6 * marks.sum() - 1e-9).mean()
    assert pass_probability(P[:, None], marks)[0] == pytest.approx(simulated, abs=4 * 0.5 / 200_000**0.5)


def accuracy_of(table: ParameterTable, marks: np.ndarray, scale: Scale, cut: float) -> float:
    """The accuracy that an assembled form states: raw marks decide at 60 %, theta is right at the cut."""
    form = ReferenceForm.of_table(table, marks, scale)
    return mark_decisions(form.curves, [0.6 * form.total], scale, theta_cuts=[cut]).accuracy


def test_accuracy_agrees_with_simulated_candidates() -> None:
    rng = np.random.default_rng(12)
    table, marks, scale = some_parameters(30), rng.choice([0.5, 1.0], 30), Scale(mean=0.2, sd=1.1)
    cut = ReferenceForm.of_table(table, marks, scale).cut(0.6)
    theta = scale.mean + scale.sd * rng.standard_normal(100_000)
    raw = (rng.random((100_000, 30)) < table.probability(theta).T) @ marks
    right = ((raw >= 0.6 * marks.sum() - 1e-9) == (theta >= cut)).mean()
    assert accuracy_of(table, marks, scale, cut) == pytest.approx(right, abs=0.006)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), J=st.integers(2, 40))
def test_accuracy_is_better_than_a_coin_and_never_perfect(seed: int, J: int) -> None:
    table = some_parameters(J, seed)
    cut = ReferenceForm.of_table(table, np.ones(J)).cut(0.6)
    assert 0.5 < accuracy_of(table, np.ones(J), Scale(), cut) < 1


def test_a_longer_form_decides_better() -> None:
    short, long = some_parameters(20), some_parameters(20)
    doubled = parameters(np.tile(long.a, 4), np.tile(long.b, 4))
    cut = ReferenceForm.of_table(short, np.ones(20)).cut(0.6)
    assert accuracy_of(doubled, np.ones(80), Scale(), cut) > accuracy_of(short, np.ones(20), Scale(), cut)


FORM = some_parameters(40)
MARKS = np.where(np.arange(40) % 8 == 0, 1.0, 0.5)
CUT = ReferenceForm.of_table(FORM, MARKS).cut(0.60)


def test_nothing_known_is_no_effect() -> None:
    effect = effect_of_knowing(FORM, MARKS, Scale(), CUT, 0.0)
    assert effect.marks_at_cut == pytest.approx(0.60 * MARKS.sum(), abs=1e-9)
    theta = np.linspace(-5, 5, 161)
    weights = np.where(theta < CUT, np.exp(-(theta**2) / 2), 0)
    passing = pass_probability(FORM.probability(theta), MARKS)
    assert effect.false_passes == pytest.approx(weights @ passing / weights.sum(), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(shares=st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_the_more_is_known_the_more_marks_and_false_passes(shares: list[float]) -> None:
    less, more = (effect_of_knowing(FORM, MARKS, Scale(), CUT, share) for share in shares)
    assert less.marks_at_cut <= more.marks_at_cut + 1e-12
    assert less.false_passes <= more.false_passes + 1e-12


def test_everything_known_passes_nearly_everybody() -> None:
    effect = effect_of_knowing(FORM, MARKS, Scale(), CUT, 1.0)
    assert effect.marks_at_cut >= 0.97 * MARKS.sum()
    assert effect.false_passes == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("ability", "known"), [(0.55, 0.1111), (0.50, 0.20), (0.45, 0.2727), (0.35, 0.3846)])
def test_expected_marks_follow_the_budget_formula(
    monkeypatch: pytest.MonkeyPatch, ability: float, known: float
) -> None:
    """A share d known and always right gives d + (1 - d) π: π = 0.50 needs d = (0.60 - π) / (1 - π) = 20 %."""
    form = parameters(np.ones(20), np.full(20, -np.log(ability / (1 - ability))))
    effect = effect_of_knowing(form, np.ones(20), Scale(), 0.0, known)
    assert effect.marks_at_cut == pytest.approx(20 * (0.97 * known + (1 - known) * ability))
    monkeypatch.setattr(engine.raw_scores, "RIGHT_WHEN_KNOWN", 1.0)
    sure = effect_of_knowing(form, np.ones(20), Scale(), 0.0, known)
    assert sure.marks_at_cut == pytest.approx(0.60 * 20, abs=2e-3)


def test_an_item_easier_than_that_is_not_made_harder_by_knowing_it() -> None:
    easy = parameters(np.ones(5), np.full(5, -10.0))
    effect = effect_of_knowing(easy, np.ones(5), Scale(), 0.0, 1.0)
    assert effect.marks_at_cut == pytest.approx(5 / (1 + np.exp(-10)))
