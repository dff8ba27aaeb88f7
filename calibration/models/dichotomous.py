"""Dichotomous items as columns: probability of success and information of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.models.parameters import ItemParameters, Scale


@dataclass(frozen=True, slots=True)
class ParameterTable:
    """Item parameters as columns, each (J,), for arithmetic over many items at once."""

    ids: tuple[str, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]
    d: NDArray[np.float64]
    D: float = 1.0

    @classmethod
    def of(cls, items: Sequence[ItemParameters], scale: Scale | None = None) -> ParameterTable:
        a, b, c, d = np.array([(item.a, item.difficulty, item.c, item.d) for item in items], float).reshape(-1, 4).T
        return cls(tuple(item.id for item in items), a, b, c, d, (scale or Scale()).D)

    def take(self, positions: NDArray[np.intp]) -> ParameterTable:
        """The rows at `positions`, in that order."""
        ids = tuple(self.ids[j] for j in positions)
        return ParameterTable(ids, self.a[positions], self.b[positions], self.c[positions], self.d[positions], self.D)

    def probability(self, theta: ArrayLike) -> NDArray[np.float64]:
        """P(success) at each theta (Q,) for each item, (J, Q)."""
        return probability(theta, self.a, self.b, self.c, self.d, self.D)

    def information(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Fisher information at each theta (Q,) of each item, (J, Q)."""
        return information(theta, self.a, self.b, self.c, self.d, self.D)


def logistic(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def probability(
    theta: ArrayLike,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    D: float = 1.0,
) -> NDArray[np.float64]:
    """P(success), (J, Q), for items (J,) at abilities theta (Q,): the four-parameter logistic (Barton & Lord, 1981)."""
    z = D * a[:, None] * (np.atleast_1d(np.asarray(theta, float)) - b[:, None])
    return c[:, None] + (d - c)[:, None] * logistic(z)


def information(
    theta: ArrayLike,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
    d: NDArray[np.float64],
    D: float = 1.0,
) -> NDArray[np.float64]:
    """Item information (J, Q): P'² / (P (1 - P)) (Lord, 1980, eq. 5-5), with P of `probability`."""
    star = logistic(D * a[:, None] * (np.atleast_1d(np.asarray(theta, float)) - b[:, None]))
    P = c[:, None] + (d - c)[:, None] * star
    slope = D * a[:, None] * (d - c)[:, None] * star * (1 - star)
    variance = P * (1 - P)
    return np.divide(slope**2, variance, out=np.zeros_like(slope), where=variance > 0)
