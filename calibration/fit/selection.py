"""Was who got an item decided by ability? Margins and summed scores are fair only where it was not.

Persons who had an item, or a set of items, are compared with everybody of their groups: mean of ability, and spread
(that of the posterior means plus the mean posterior variance). Posterior means shrink towards the group, so that a
difference is understated and never invented. Not a test of routing, but it finds what matters: adaptive tests,
multistage tests and forms by level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted, posterior_moments, tables

Matrix = NDArray[np.float64]

LEAST_SHIFT = 0.25  # of the mean, in standard deviations, and of the variance, as a share
LEAST_Z = 4.0  # standard errors


@dataclass(frozen=True, slots=True)
class Selection:
    """Each person's posterior mean and total of squares, (N,), centred and scaled by their group; items (J,) routed."""

    z: Matrix
    square: Matrix
    routed: NDArray[np.bool_]

    def selected(self, persons: NDArray[np.intp], weight: Matrix) -> bool:
        """Whether these persons differ from their groups in ability."""
        n = np.array([weight.sum()])
        return bool(_differs(n, np.array([weight @ self.z[persons]]), np.array([weight @ self.square[persons]]))[0])


def selection(data: Fitted) -> Selection:
    """Which items, and which persons, were selected by ability."""
    mean, sd = posterior_moments(data)
    responses = data.responses
    group = responses.group if responses.group is not None else np.zeros(len(mean), np.int32)
    z, square = np.zeros_like(mean), np.zeros_like(mean)
    for g in range(len(data.mean)):
        own = (group == g) & np.isfinite(mean) & (responses.weight > 0)
        if not own.any():
            continue
        weight = responses.weight[own] / responses.weight[own].sum()
        centre = weight @ mean[own]
        variance = weight @ ((mean[own] - centre) ** 2 + sd[own] ** 2)
        z[own] = (mean[own] - centre) / np.sqrt(variance)
        square[own] = z[own] ** 2 + sd[own] ** 2 / variance
    sums = np.zeros((3, len(data.items)))
    for table in tables(data):
        about = np.stack([np.ones(len(table.persons)), z[table.persons], square[table.persons]]) * table.weight
        sums[:, table.items] += about @ table.had
    return Selection(z, square, _differs(*sums))


def _differs(n: Matrix, first: Matrix, second: Matrix) -> NDArray[np.bool_]:
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(first / n)
        spread = np.abs(second / n - (first / n) ** 2 - 1)
        return np.asarray(
            ((shift >= LEAST_SHIFT) & (shift * np.sqrt(n) >= LEAST_Z))
            | ((spread >= LEAST_SHIFT) & (spread * np.sqrt(n / 2) >= LEAST_Z))
        )
