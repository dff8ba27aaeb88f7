"""Responses drawn from known parameters of any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration import Curves, ItemParameters, Responses

Array = NDArray[np.float64]


def scores(rng: np.random.Generator, items: Sequence[ItemParameters], theta: Array) -> Array:
    """Category scores (N, J) of persons theta (N,)."""
    curves = Curves.of(items)
    P = curves.probability(theta)
    out = np.empty((len(theta), len(items)))
    for j in range(len(items)):
        above = P[curves.start[j] : curves.start[j + 1]].cumsum(axis=0)
        out[:, j] = (rng.random(len(theta)) > above[:-1]).sum(axis=0)
    return out


def responses(table: Array, items: Sequence[ItemParameters], group: NDArray[np.int32] | None = None) -> Responses:
    made = Responses.from_matrix(table, [item.id for item in items])
    if group is None:
        return made
    return replace(made, group=group.astype(np.int32), groups=tuple("RFG"[: int(group.max()) + 1]))


def two_parameter_items(rng: np.random.Generator, J: int) -> list[ItemParameters]:
    a, b = rng.lognormal(0.1, 0.25, J), rng.normal(0, 1, J)
    return [ItemParameters(f"Q{j + 1}", "2PL", float(a[j]), (float(b[j]),)) for j in range(J)]


def graded_items(rng: np.random.Generator, J: int, K: int = 4) -> list[ItemParameters]:
    a = rng.lognormal(0.2, 0.25, J)
    b = np.sort(rng.normal(0, 0.9, (J, K - 1)) + 0.6 * np.linspace(-1, 1, K - 1), axis=1) + 0.05 * np.arange(K - 1)
    return [ItemParameters(f"Q{j + 1}", "GRM", float(a[j]), tuple(b[j].tolist())) for j in range(J)]
