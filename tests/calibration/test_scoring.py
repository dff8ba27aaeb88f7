"""Abilities against brute-force integration, and the cut against the equation that defines it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad

from calibration import ItemParameters, ParameterTable, ReferenceForm, Responses, Scale, ScaleError, eap_scores
from tests.calibration.simulated import Array

NAN = np.nan


def items_of(a: Array, b: Array) -> list[ItemParameters]:
    return [ItemParameters(f"item{j + 1}", "2PL", float(a[j]), float(b[j])) for j in range(len(a))]


def brute_force(scores: Array, items: list[ItemParameters], scale: Scale) -> tuple[float, float]:
    """Posterior mean and standard deviation of one person by adaptive quadrature."""

    def density(theta: float, power: int) -> float:
        value = np.exp(-0.5 * ((theta - scale.mean) / scale.sd) ** 2) * theta**power
        for u, item in zip(scores, items, strict=True):
            if not np.isnan(u):
                P = 1 / (1 + np.exp(-scale.D * item.a * (theta - item.b)))
                value *= P if u == 1 else 1 - P
        return float(value)

    low, high = scale.mean - 9 * scale.sd, scale.mean + 9 * scale.sd
    moments = [quad(density, low, high, args=(power,), epsabs=0, epsrel=1e-10, limit=200)[0] for power in range(3)]
    mean = moments[1] / moments[0]
    return mean, (moments[2] / moments[0] - mean**2) ** 0.5


@pytest.mark.parametrize("scale", [Scale(), Scale(mean=0.5, sd=1.5), Scale(D=1.7), Scale(mean=-1, sd=0.6, D=1.702)])
def test_eap_is_the_posterior_mean_by_brute_force(scale: Scale) -> None:
    rng = np.random.default_rng(2)
    items = items_of(rng.uniform(0.5, 2, 8), rng.normal(0, 1, 8))
    table = rng.integers(0, 2, (6, 8)).astype(float)
    table[2:, :3] = NAN
    scores = eap_scores(Responses.from_matrix(table), items, scale)
    for i in range(6):
        mean, sd = brute_force(table[i], items, scale)
        assert scores.theta[i] == pytest.approx(mean, abs=1e-5)
        assert scores.se[i] == pytest.approx(sd, abs=1e-5)


def test_items_are_found_by_id_whatever_their_order_and_unknown_ones_are_passed_over() -> None:
    items = items_of(np.array([1.0, 2.0]), np.array([-1.0, 1.0]))
    responses = Responses.from_matrix(np.array([[1, 1, 0]], float), items=["item2", "elsewhere", "item1"])
    mean, sd = brute_force(np.array([0.0, 1.0]), items, Scale())
    scores = eap_scores(responses, items[::-1])
    assert (scores.theta[0], scores.se[0]) == (pytest.approx(mean, abs=1e-6), pytest.approx(sd, abs=1e-6))


def test_a_scale_written_in_whole_numbers_scores_like_any_other() -> None:
    items, responses = items_of(np.ones(2), np.zeros(2)), Responses.from_matrix(np.array([[1.0, 1.0]]))
    assert eap_scores(responses, items, Scale(mean=0, sd=1)).theta == eap_scores(responses, items, Scale()).theta
    assert eap_scores(responses, items).theta[0] == pytest.approx(brute_force(np.ones(2), items, Scale())[0], abs=1e-6)


def test_a_person_without_responses_is_the_population() -> None:
    responses = Responses.from_matrix(np.array([[1, 0], [NAN, NAN]]))
    scores = eap_scores(responses, items_of(np.ones(2), np.zeros(2)), Scale(mean=0.3, sd=1.2))
    assert (scores.theta[1], scores.se[1]) == (0.3, 1.2)
    assert scores.persons == ("1", "2")


def test_a_person_of_weight_0_is_scored_all_the_same() -> None:
    responses = Responses.from_matrix(np.array([[1, 1], [1, 1]], float), weight=np.array([1.0, 0.0]))
    theta = eap_scores(responses, items_of(np.ones(2), np.zeros(2))).theta
    assert theta[0] == theta[1] > 0.5


def test_parameters_with_guessing_are_refused() -> None:
    guessing = [ItemParameters("item1", "3PL", 1.0, 0.0, c=0.25)]
    with pytest.raises(ScaleError, match="item item1: scores need c = 0 and d = 1"):
        eap_scores(Responses.from_matrix(np.array([[1.0]])), guessing)


@given(
    a=arrays(float, 5, elements=st.floats(0.3, 2.5)),
    b=arrays(float, 5, elements=st.floats(-3, 2)),
    marks=arrays(float, 5, elements=st.sampled_from([0.5, 1.0, 2.0, 0.37])),
    share=st.floats(0.2, 0.9),
    D=st.sampled_from([1.0, 1.702]),
)
def test_at_the_cut_the_stated_share_of_the_marks_is_expected(
    a: Array, b: Array, marks: Array, share: float, D: float
) -> None:
    scale = Scale(D=D)
    form = ReferenceForm(ParameterTable.of(items_of(a, b), scale), marks, scale)
    T = form.expected_marks([-6, 6])
    if not T[0] < share * form.total < T[1]:
        with pytest.raises(ScaleError, match="is never reached"):
            form.cut(share)
        return
    cut = form.cut(share)
    assert float(form.expected_marks(cut)[0]) == pytest.approx(share * marks.sum(), abs=1e-9)
    assert float(form.percent(cut)[0]) == pytest.approx(100 * share, abs=1e-8)


def test_expected_marks_are_the_sum_by_hand() -> None:
    form = ReferenceForm(ParameterTable.of(items_of(np.array([1.0, 2.0]), np.array([0.0, 1.0]))), np.array([0.5, 1.0]))
    # At theta = 1: 0.5 · 1/(1 + e⁻¹) + 1 · 0.5 = 0.8655293 of 1.5 marks
    assert form.expected_marks(1.0)[0] == pytest.approx(0.8655293, abs=1e-7)
    assert form.percent(1.0)[0] == pytest.approx(57.7019524, abs=1e-6)


def test_a_cut_follows_the_scale_of_the_population() -> None:
    scale = Scale(mean=20, sd=4)
    form = ReferenceForm(
        ParameterTable.of(items_of(np.full(3, 0.5), np.array([18.0, 20.0, 22.0])), scale), np.ones(3), scale
    )
    assert form.cut(0.5) == pytest.approx(20.0, abs=1e-9)


def test_a_reference_form_that_does_not_increase_has_no_cut() -> None:
    form = ReferenceForm(ParameterTable.of(items_of(np.array([0.3, -2.0]), np.zeros(2))), np.ones(2))
    with pytest.raises(
        ScaleError, match="do not increase with ability on the reference form; remove items with a <= 0"
    ):
        form.cut()
