"""Anchors of a small bank: their parameters have errors, which are no misfit of theirs and no drift."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Calibration, ItemParameters, Responses, calibrate
from calibration.fit.persons import fitted
from calibration.fit.residuals import residual_fit
from calibration.fit.summed_scores import collapsed, rest_score_distributions, summed_score_fit
from calibration.fit.unknowns import probability_derivatives
from calibration.priors import DEFAULT_PRIORS
from calibration.report.anchors import anchors_again
from calibration.report.findings import drifted
from tests.calibration.fit import simulated

J = 16


def anchored(
    seed: int, *, moved: float = 0.0, errors: bool = True, bank_persons: int = 150
) -> tuple[Calibration, Responses]:
    """800 persons on 12 anchors from a small bank and 4 new items; the first anchor's b has moved by `moved`."""
    rng = np.random.default_rng(seed)
    items = simulated.two_parameter_items(rng, J)
    items[0] = replace(items[0], a=1.3, b=(-0.5,))
    earlier = simulated.scores(rng, items, rng.normal(0, 1, bank_persons))
    bank = calibrate(simulated.responses(earlier, items), priors=DEFAULT_PRIORS)
    now = [replace(items[0], b=(items[0].b[0] + moved,)), *items[1:]]
    new = simulated.responses(simulated.scores(rng, now, rng.normal(0.3, 1.1, 800)), items)
    anchors = bank.items[:12] if errors else [replace(item, se={}, covariance=()) for item in bank.items[:12]]
    return calibrate(new, priors=DEFAULT_PRIORS, anchors=anchors, scale=bank.scale), new


def test_anchors_of_150_persons_fit_as_often_as_chance_has_it() -> None:
    """72 anchors without fault: with exact parameters a third is beyond 5 %, with their errors about 5 %."""
    rows = {}
    for errors in (True, False):
        fits = [row for seed in range(6) for row in anchored(seed, errors=errors)[0].fit_items(draws=0)[:12]]
        rows[errors] = [
            float(np.mean([row.s_x2_p < 0.05 for row in fits])),
            float(np.mean([row.residual_p < 0.05 for row in fits])),
            float(sum("misfit" in row.flags for row in fits)),
        ]
    assert rows[True][0] <= 0.12
    assert rows[True][1] <= 0.12
    assert rows[True][2] == 0
    assert min(rows[False][:2]) > 0.25


def test_an_anchor_that_moved_is_still_found_and_no_other() -> None:
    for seed in range(3):
        calibration, responses = anchored(seed, moved=1.2, bank_persons=500)
        assert "misfit" in calibration.fit_items(draws=0)[0].flags
        assert [one.item for one in drifted(anchors_again(calibration, responses))] == [calibration.items[0].id]


def test_error_of_an_anchor_is_the_generalized_least_squares_form() -> None:
    """The statistic against rᵀ (V + J Σ Jᵀ)⁻ r written out, with V the covariance of multinomial counts."""
    calibration, responses = anchored(5)
    data = fitted(responses, calibration.items, calibration.scale, (0.3, 1.1))
    j = 3
    item: ItemParameters = data.items[j]
    P = data.curves.probability(data.nodes).reshape(J, 2, -1)
    rest, prior = rest_score_distributions(list(P))[j], data.weights[0]
    codes = np.concatenate([block.codes for block in data.layout])
    total = codes.sum(axis=1, dtype=int)
    observed = np.zeros((J + 1, 2))
    np.add.at(observed, (total, codes[:, j]), 1.0)

    def share(p: np.ndarray) -> np.ndarray:
        joint = np.zeros((J + 1, 2))
        joint[:-1, 0], joint[1:, 1] = rest @ (p[0] * prior), rest @ (p[1] * prior)
        return joint / joint.sum(axis=1, keepdims=True)

    n = observed[1:-1].sum(axis=1, keepdims=True)
    slopes = probability_derivatives(data)[j]
    steps = [(share(P[j] + 1e-6 * s) - share(P[j] - 1e-6 * s))[1:-1] / 2e-6 * n for s in slopes]
    seen, E, *slope = collapsed(observed[1:-1], share(P[j])[1:-1] * n, *steps)
    V = np.diag(E[:, 0] * E[:, 1] / E.sum(axis=1))  # of the wrong answers; the right ones mirror them
    D = np.stack([one[:, 0] for one in slope], axis=1)
    r = (seen - E)[:, 0]
    expected = r @ np.linalg.solve(V + D @ np.array(item.covariance) @ D.T, r)
    assert summed_score_fit(data).statistic[j] == pytest.approx(expected, rel=1e-6)
    assert expected < 0.99 * (r**2 / np.diag(V)).sum()


def test_errors_of_nothing_change_nothing() -> None:
    calibration, responses = anchored(6, errors=False)
    nothing = [replace(item, covariance=((0.0, 0.0), (0.0, 0.0))) for item in calibration.items]
    exact, zero = (fitted(responses, items, calibration.scale, (0.3, 1.1)) for items in (calibration.items, nothing))
    assert summed_score_fit(zero).statistic[:12] == pytest.approx(summed_score_fit(exact).statistic[:12])
    counts = np.full((2 * J, len(exact.nodes)), 800 / len(exact.nodes) / 2)
    assert residual_fit(zero, counts)[0][:12] == pytest.approx(residual_fit(exact, counts)[0][:12], nan_ok=True)
