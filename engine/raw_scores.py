"""How many marks does a candidate of some ability get on a form, and does that pass?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration import ParameterTable, Scale, sum_score_likelihood

RIGHT_WHEN_KNOWN = 0.97  # even an item known by heart is misread or misclicked now and then


def pass_probability(P: NDArray[np.float64], marks: NDArray[np.float64], share: float = 0.60) -> NDArray[np.float64]:
    """P(marks >= share of the form's) at each ability, (Q,), for P(right) (J, Q) and marks (J,).

    Summed over the distribution of marks (`calibration.sum_score_likelihood`).
    """
    J, Q = P.shape
    categories, worth = np.empty((2 * J, Q)), np.zeros(2 * J)
    categories[0::2], categories[1::2] = 1 - P, P
    worth[1::2] = marks
    sums, likelihood = sum_score_likelihood(categories, 2 * np.arange(J + 1), worth)
    return np.asarray(likelihood[sums >= share * marks.sum() - 1e-9].sum(axis=0))


def population(scale: Scale, nodes: int = 161) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Abilities over the scale's population ± 5 SD and their weights, which sum to 1."""
    z = np.linspace(-5, 5, nodes)
    weights = np.exp(-0.5 * z**2)
    return scale.mean + scale.sd * z, weights / weights.sum()


@dataclass(frozen=True, slots=True)
class Effect:
    """What knowing published items by heart does, when they carry `known_share` of a form's marks.

    `marks_at_cut` is expected of a candidate at the cut; `false_passes` the share of true failers who pass.
    """

    known_share: float
    marks_at_cut: float
    false_passes: float


def effect_of_knowing(
    table: ParameterTable,
    marks: NDArray[np.float64],
    scale: Scale,
    cut: float,
    known_share: float,
    share: float = 0.60,
) -> Effect:
    """The worst case: every candidate knows the published items, and these are `known_share` of the form at random.

    A known item is answered right with probability 0.97 where that is more than the model says (Stocking, Ward &
    Potenza, 1998, put 1).
    """
    theta, weights = population(scale)
    theta, weights = np.append(theta, cut), np.append(weights, 0.0)
    P = table.probability(theta)
    mixed = known_share * np.maximum(P, RIGHT_WHEN_KNOWN) + (1 - known_share) * P
    below = np.where(theta < cut, weights, 0.0)
    passing = pass_probability(mixed, marks, share)
    return Effect(known_share, float(marks @ mixed[:, -1]), float(below @ passing / below.sum()))
