"""Correlations of pairs of items over the persons who had both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over the persons who had both items: persons, values of the first, their squares, products; (J, J) each."""

    n: Matrix
    value: Matrix
    square: Matrix
    product: Matrix

    @classmethod
    def zeros(cls, J: int) -> PairSums:
        return cls(*(np.zeros((J, J)) for _ in range(4)))

    def add(self, items: NDArray[np.intp], values: Matrix, had: Matrix, weight: Matrix) -> None:
        """Add persons with `values` (n, j) on the items (j,), 0 where `had` (n, j) is 0."""
        at = np.ix_(items, items)
        weighted = weight[:, None] * had
        self.n[at] += had.T @ weighted
        self.value[at] += values.T @ weighted
        self.square[at] += (values**2).T @ weighted
        self.product[at] += values.T @ (weight[:, None] * values)

    def correlations(self) -> Matrix:
        """Pearson correlations, NaN where fewer than two persons had both or one does not vary."""
        with np.errstate(divide="ignore", invalid="ignore"):
            covariance = self.product - self.value * self.value.T / self.n
            spread = np.sqrt(np.maximum(self.square - self.value**2 / self.n, 0.0))
            return np.asarray(np.where(spread * spread.T > 1e-12, covariance / (spread * spread.T), np.nan))
