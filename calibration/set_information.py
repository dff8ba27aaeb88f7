"""Information of a test whose items come in sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.models import Curves, ItemParameters, Scale
from calibration.scoring import sum_score_likelihood

Matrix = NDArray[np.float64]


def information_of(
    items: Sequence[ItemParameters],
    scale: Scale,
    theta: Matrix,
    item_sets: Mapping[str, str],
    spread: Mapping[str, float],
) -> Matrix:
    """Fisher information of a test at each theta, (Q,).

    The items of a set answer to theta + gamma, gamma ~ N(0, spread²): the set adds the information of its sum of marks
    with gamma averaged out, Σ_s (dP_s / dtheta)² / P_s (compare Wainer, Bradlow & Wang, 2007, ch. 8).
    """
    sets: dict[str, list[ItemParameters]] = {}
    alone = []
    for item in items:
        name = item_sets.get(item.id)
        if name is not None and name in spread:
            sets.setdefault(name, []).append(item)
        else:
            alone.append(item)
    total = Curves.of(alone, scale).information(theta).sum(axis=0) if alone else np.zeros(len(theta))
    z = np.linspace(-5, 5, 41)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    h = 1e-4
    for name, members in sets.items():
        plain = [replace(item, marks=()) for item in members]
        curves = Curves.of(plain, scale)

        def averaged(at: Matrix, curves: Curves = curves, sd: float = spread[name]) -> Matrix:
            nodes = (at[:, None] + sd * z).reshape(-1)
            _, likelihood = sum_score_likelihood(curves.probability(nodes), curves.start, curves.marks)
            return np.asarray(likelihood.reshape(len(likelihood), len(at), len(z)) @ weight)

        slope = (averaged(theta + h) - averaged(theta - h)) / (2 * h)
        total = total + (slope**2 / np.maximum(averaged(theta), 1e-300)).sum(axis=0)
    return np.asarray(total)
