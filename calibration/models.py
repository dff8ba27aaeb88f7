"""What an item response model says: probability of success, information, and the parameters of an item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

ModelName = Literal["Rasch", "1PL", "2PL"]
MODELS: tuple[ModelName, ...] = ("Rasch", "1PL", "2PL")


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale that parameters are on: P = c + (d - c) · logistic(D · a · (theta - b)); theta ~ N(mean, sd²)."""

    id: str = "theta"
    D: float = 1.0
    mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True, slots=True)
class ItemParameters:
    """One item on a scale. `se` holds the standard errors by parameter; `covariance` that of (a, b); `n` persons."""

    id: str
    model: str
    a: float
    b: float
    c: float = 0.0
    d: float = 1.0
    se: Mapping[str, float] = field(default_factory=dict)
    covariance: float = 0.0
    n: float = 0.0
    version: str | None = None


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
        a, b, c, d = np.array([(item.a, item.b, item.c, item.d) for item in items], float).reshape(-1, 4).T
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
