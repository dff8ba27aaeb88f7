"""Infit and outfit: mean squared residuals, and t by the cube root of Wilson & Hilferty (Wright & Masters, 1982).

*Marginal* mean squares average over each person's posterior distribution (Adams & Wu, 2007; as TAM's `msq.itemfit`) and
centre on 1 where the model holds. *Conditional* ones put an estimate of ability in its place and lie below 1, the more
the shorter the test, since the estimate has been fitted to the same responses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted, ScoreMoments, Table, tables

Matrix = NDArray[np.float64]

LEAST_VARIANCE = 1e-10  # a score that cannot vary has no residual to square
WIDEST = 1.4142  # of the spread of a mean square, where the cube root is still of use (as in mirt)


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Outfit and infit with their t values, one for each item or person."""

    outfit: Matrix
    outfit_t: Matrix
    infit: Matrix
    infit_t: Matrix


@dataclass(frozen=True, slots=True)
class MeanSquareSums:
    """What mean squares are made of, for each item or person; sums of several add up."""

    n: Matrix
    outfit: Matrix  # Σ z²
    kurtosis: Matrix  # Σ C / V²
    residual: Matrix  # Σ (x - E)²
    variance: Matrix  # Σ V
    excess: Matrix  # Σ (C - V²)

    def together(self, number: NDArray[np.integer], size: int) -> MeanSquareSums:
        """The sums of those with the same number below `size`."""
        return MeanSquareSums(
            *(np.bincount(number, getattr(self, name), size).astype(float) for name in self.__slots__)
        )

    def mean_squares(self) -> MeanSquares:
        with np.errstate(divide="ignore", invalid="ignore"):
            outfit, infit = self.outfit / self.n, self.residual / self.variance
            q_outfit = np.sqrt(np.maximum(self.kurtosis / self.n**2 - 1 / self.n, 0.0))
            q_infit = np.sqrt(np.maximum(self.excess, 0.0)) / self.variance
            return MeanSquares(outfit, _cube_root_t(outfit, q_outfit), infit, _cube_root_t(infit, q_infit))


def _cube_root_t(mean_square: Matrix, q: Matrix) -> Matrix:
    q = np.minimum(q, WIDEST)
    return np.asarray((np.cbrt(mean_square) - 1) * 3 / q + q / 3)


def marginal_mean_squares(data: Fitted, counts: Matrix) -> MeanSquares:
    """Of items (J,), from the expected persons in each category at each node, (C, Q)."""
    return marginal_sums(data, counts).mean_squares()


def marginal_sums(data: Fitted, counts: Matrix) -> MeanSquareSums:
    """The sums behind `marginal_mean_squares`, (J,)."""
    curves = data.curves
    moments = ScoreMoments.at(curves, data.nodes)
    item = np.repeat(np.arange(len(curves.ids)), curves.categories)
    n = curves.sum_items(counts)
    squared = (data.category[:, None] - moments.mean[item]) ** 2
    V = np.maximum(moments.variance, LEAST_VARIANCE)
    residual = curves.sum_items(counts * squared)
    return MeanSquareSums(
        n=n.sum(axis=1),
        outfit=(residual / V).sum(axis=1),
        kurtosis=(n * moments.fourth / V**2).sum(axis=1),
        residual=residual.sum(axis=1),
        variance=(n * V).sum(axis=1),
        excess=(n * (moments.fourth - V**2)).sum(axis=1),
    )


def conditional_mean_squares(data: Fitted, theta: Matrix) -> tuple[MeanSquares, MeanSquares]:
    """Of items (J,) and of persons (N,), at abilities theta (N,)."""
    J, N = len(data.items), len(data.responses.persons)
    of_items, of_persons = np.zeros((6, J)), np.zeros((6, N))
    for table in tables(data):
        parts = residual_parts(table, theta[table.persons])
        of_items[:, table.items] += parts @ table.weight
        of_persons[:, table.persons] = parts.sum(axis=1)
    of_persons[:, of_persons[0] == 0] = np.nan
    return MeanSquareSums(*of_items).mean_squares(), MeanSquareSums(*of_persons).mean_squares()


def residual_parts(table: Table, theta: Matrix) -> Matrix:
    """What each response adds to the sums of `MeanSquareSums`, (6, j, n); 0 where there is none."""
    moments = ScoreMoments.at(table.curves, theta)
    had = table.had.T.astype(float)
    V = np.maximum(moments.variance, LEAST_VARIANCE)
    squared = (table.codes.T - moments.mean) ** 2
    return np.asarray(
        had * np.stack([np.ones_like(V), squared / V, moments.fourth / V**2, squared, V, moments.fourth - V**2])
    )
