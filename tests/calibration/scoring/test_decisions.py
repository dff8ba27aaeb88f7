"""Decisions at a cut against simulated candidates, closed forms and the sum over every pattern."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from calibration import Curves, ItemParameters, ReferenceForm, Scale, ScaleError, mark_decisions, theta_decisions
from calibration.scoring import population_nodes
from tests.calibration.scoring.forms import MIXED, drawn, two_parameter_items


def test_decisions_by_theta_by_hand() -> None:
    """Two persons half a standard error above and one below the cut: Φ(0.5) = 0.6914625, Φ(1) = 0.8413447."""
    found = theta_decisions([0.2, -0.4], [0.4, 0.4], [0.0])
    right, other = 0.6914625, 0.8413447
    assert found.accuracy == pytest.approx((right + other) / 2, abs=1e-7)
    assert found.false_positive == pytest.approx((1 - right) / 2, abs=1e-7)
    assert found.false_negative == pytest.approx((1 - other) / 2, abs=1e-7)
    consistency = (right**2 + (1 - right) ** 2 + other**2 + (1 - other) ** 2) / 2
    assert found.consistency == pytest.approx(consistency, abs=1e-7)
    above = (right + 1 - other) / 2
    chance = above**2 + (1 - above) ** 2
    assert found.kappa == pytest.approx((consistency - chance) / (1 - chance), abs=1e-7)


def test_decisions_by_theta_into_four_categories_agree_with_simulated_candidates() -> None:
    rng = np.random.default_rng(3)
    estimate, se, cuts = rng.normal(0, 1, 400_000), rng.uniform(0.2, 0.5, 400_000), np.array([-0.8, 0.1, 1.0])
    true = estimate + se * rng.standard_normal(400_000)
    found = theta_decisions(estimate, se, cuts)
    decided, really = np.searchsorted(cuts, estimate, side="right"), np.searchsorted(cuts, true, side="right")
    assert found.accuracy == pytest.approx((decided == really).mean(), abs=0.003)
    assert found.false_positive == pytest.approx((decided > really).mean(), abs=0.003)
    again = np.searchsorted(cuts, estimate + se * rng.standard_normal(400_000), side="right")
    assert found.consistency == pytest.approx((again == really).mean(), abs=0.003)
    np.testing.assert_allclose(found.table, np.histogram2d(really, decided, bins=4)[0] / 400_000, atol=0.003)


def test_weights_count_as_persons_and_unknown_estimates_are_left_out() -> None:
    once = theta_decisions([0.2, -0.4, -0.4], [0.4, 0.4, 0.4], [0.0])
    weighed = theta_decisions([0.2, -0.4, 9.0, 1.0], [0.4, 0.4, np.nan, 0.4], [0.0], [1, 2, 5, 0])
    assert weighed.accuracy == pytest.approx(once.accuracy)
    assert weighed.kappa == pytest.approx(once.kappa)


def test_decisions_by_marks_agree_with_simulated_candidates_of_any_models() -> None:
    """Marks 0.5, 1 and 2, two cuts; 200,000 candidates sit two parallel forms."""
    marked = [
        replace(item, id=f"{item.id}{n}", marks=tuple(0.5 * k for k in range(item.categories)))
        for item in MIXED
        for n in range(3)
    ]
    marked[1] = replace(marked[1], marks=(0.0, 2.0))
    scale, cuts = Scale(mean=0.3, sd=1.1), np.array([6.0, 11.5])
    curves = Curves.of(marked)
    found = mark_decisions(curves, cuts, scale)
    theta = 0.3 + 1.1 * np.random.default_rng(5).standard_normal(200_000)
    totals = []
    for seed in (6, 7):
        categories = drawn(marked, theta, seed).astype(int)
        totals.append(curves.marks[curves.start[:-1] + categories].sum(axis=1))
    decided, again = (np.searchsorted(cuts, total + 1e-9, side="right") for total in totals)
    form = ReferenceForm(curves, scale)
    really = np.searchsorted(cuts, form.expected_marks(theta), side="right")
    assert found.accuracy == pytest.approx((decided == really).mean(), abs=0.004)
    assert found.false_negative == pytest.approx((decided < really).mean(), abs=0.004)
    assert found.consistency == pytest.approx((decided == again).mean(), abs=0.004)
    chance = np.bincount(decided, minlength=3) / 200_000 @ (np.bincount(again, minlength=3) / 200_000)
    assert found.kappa == pytest.approx(((decided == again).mean() - chance) / (1 - chance), abs=0.008)
    np.testing.assert_allclose(found.table.sum(axis=0), np.bincount(decided, minlength=3) / 200_000, atol=0.004)


def test_one_item_is_decided_by_its_curve() -> None:
    """One item, cut at one mark, true cut at b: accuracy = 2 ∫ over theta > 0 of P(theta) φ(theta)."""
    item = ItemParameters("q", "2PL", 1.4, (0.0,))
    found = mark_decisions(Curves.of([item]), [1.0], theta_cuts=[0.0])
    nodes = np.linspace(0, 9, 200_001)
    P = 1 / (1 + np.exp(-1.4 * nodes))
    density = norm.pdf(nodes)
    wanted = 2 * np.trapezoid(P * density, nodes)
    assert found.accuracy == pytest.approx(wanted, abs=1e-8)
    assert found.consistency == pytest.approx(2 * np.trapezoid((P**2 + (1 - P) ** 2) * density, nodes), abs=1e-8)


def test_nodes_integrate_functions_that_jump_at_a_cut() -> None:
    """P(X > c, Y > c) of a bivariate normal, from the conditional distribution: a closed form of scipy's."""
    scale, cut, rho = Scale(mean=1.0, sd=2.0), 1.7, 0.8
    theta, weight = population_nodes(scale, [cut])
    assert weight.sum() == pytest.approx(1.0, abs=1e-14)
    assert weight @ theta == pytest.approx(1.0, abs=1e-12)
    assert weight @ (theta - 1) ** 2 == pytest.approx(4.0, abs=1e-6)
    z, c = (theta - 1) / 2, (cut - 1) / 2
    above = norm.sf((c - rho * z) / (1 - rho**2) ** 0.5)
    wanted = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([-c, -c])
    assert weight[theta >= cut] @ above[theta >= cut] == pytest.approx(wanted, abs=1e-6)


def test_a_longer_form_decides_better() -> None:
    items = two_parameter_items(np.full(10, 1.2), np.linspace(-1, 1, 10))
    four = [replace(item, id=f"{item.id}-{n}") for item in items for n in range(4)]
    short, long = mark_decisions(Curves.of(items), [6.0]), mark_decisions(Curves.of(four), [24.0])
    assert long.accuracy > short.accuracy > 0.5
    assert long.consistency > short.consistency
    assert long.kappa > short.kappa


def test_cuts_that_decide_nothing_are_refused() -> None:
    curves = Curves.of(two_parameter_items(np.ones(3), np.zeros(3)))
    with pytest.raises(ScaleError, match="cuts stand in ascending order"):
        mark_decisions(curves, [2.0, 1.0])
    with pytest.raises(ScaleError, match=r"expects 0.0…3.0 marks: a cut of 4 is never reached"):
        mark_decisions(curves, [4.0])
    with pytest.raises(ScaleError, match="2 cuts in marks and 1 in theta"):
        mark_decisions(curves, [1.0, 2.0], theta_cuts=[0.0])
    with pytest.raises(ScaleError, match="no person has an estimate with a standard error"):
        theta_decisions([0.0], [np.nan], [0.0])
