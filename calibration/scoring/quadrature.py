"""Where posteriors live: nodes far enough and close enough for every person that can come.

On equally spaced nodes the integral of a bell curve is exact to exp(-2 (pi · SD / spacing)²) (Poisson's summation
formula): 1e-6 at a spacing of 1.2 SD. With few items posteriors are no bell curves, and 1.2 SD leaves errors of 1e-4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.estimation.blocks import Block, ResponseBlocks
from calibration.estimation.likelihood import log_likelihood
from calibration.models import Curves

Matrix = NDArray[np.float64]

WIDEST = 0.8  # spacing in the smallest posterior SD: moments good to 1e-7
FINER = 0.5  # where a posterior is cut or drawn from as well
STEEPEST = 0.6  # spacing in (the information of the most informative item)^-½: a single step is resolved too
NEGLIGIBLE = 20.0  # exp(-20) = 2e-9 of its height is where a posterior ends


@dataclass(frozen=True, slots=True)
class Population:
    """Theta ~ N(mean, sd²) in each of G groups, (G,)."""

    mean: Matrix
    sd: Matrix

    @classmethod
    def of(cls, mean: ArrayLike, sd: ArrayLike) -> Population:
        means, sds = np.broadcast_arrays(np.atleast_1d(np.asarray(mean, float)), np.asarray(sd, float))
        return cls(means, sds)

    def spacing(self, widest: float, information: Matrix, most: float | None = None) -> float:
        """Spacing of nodes at `widest` of the smallest posterior SD at most, and close enough for the steepest item.

        From the information of items (J, Q); `most` is the most that one person's items have, by default all of them.
        """
        everything = float(information.sum(axis=0).max(initial=0.0)) if most is None else most
        steepest = float(information.max(initial=0.0))
        spacing = float(widest * (1 / self.sd.min() ** 2 + everything) ** -0.5)
        return min(spacing, STEEPEST * widest / WIDEST * steepest**-0.5) if steepest > 0 else spacing


@dataclass(frozen=True, slots=True)
class Quadrature:
    """Equally spaced nodes (Q,), log density of the population at them (G, Q), log P of the categories (C, Q)."""

    nodes: Matrix
    log_density: Matrix
    log_probability: Matrix

    @classmethod
    def over(cls, curves: Curves, population: Population, limits: tuple[float, float], spacing: float) -> Quadrature:
        count = max(int(np.ceil((limits[1] - limits[0]) / spacing)), 4) + 1
        nodes = np.linspace(*limits, count)
        z = (nodes - population.mean[:, None]) / population.sd[:, None]
        return cls(nodes, -0.5 * z**2, curves.log_probability(nodes))

    @property
    def spacing(self) -> float:
        return float(self.nodes[1] - self.nodes[0])

    def above(self, cuts: Matrix) -> Matrix:
        """Weights (Q, cuts) whose product with a posterior at the nodes (summing to 1) is P(theta ≥ cut).

        The integral of the posterior's cardinal series, ½ + Si(pi (node - cut) / spacing) / pi for each node.
        """
        from scipy.special import sici  # noqa: PLC0415  (only where a cut is asked for)

        reach = np.pi * (self.nodes[:, None] - cuts) / self.spacing
        return np.asarray(0.5 + sici(reach)[0] / np.pi)


def limits_of(curves: Curves, population: Population) -> tuple[float, float]:
    """Abilities below and above which no posterior reaches, whatever the answers were.

    The pattern that at every theta pulls hardest upwards bounds all others in likelihood ratio; its posterior ends
    where its log density is 20 below the top. The same downwards. A higher mean adds a rising line to the log density,
    so that of populations with one spread those of the lowest and the highest mean have the ends.
    """
    ends = []
    for sd in np.unique(population.sd):
        means = population.mean[population.sd == sd]
        ends += [_limits(curves, float(mean), float(sd)) for mean in {means.min(), means.max()}]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _limits(curves: Curves, mean: float, sd: float) -> tuple[float, float]:
    half = 8.0
    while True:
        z = np.linspace(-half, half, int(8 * half) + 1)
        nodes = mean + sd * z
        first, _ = curves.log_derivatives(nodes)
        up = _integral(_of_items(np.maximum, first, curves), nodes) - 0.5 * z**2
        down = _integral(_of_items(np.minimum, first, curves), nodes) - 0.5 * z**2
        high = np.flatnonzero(up > up.max() - NEGLIGIBLE)[-1]
        low = np.flatnonzero(down > down.max() - NEGLIGIBLE)[0]
        if low > 0 and high < len(z) - 1:
            return float(nodes[low - 1]), float(nodes[high + 1])
        half *= 2


def _of_items(largest: np.ufunc, rows: Matrix, curves: Curves) -> Matrix:
    if not curves.ids:
        return np.zeros(rows.shape[1])
    return np.asarray(largest.reduceat(rows, curves.start[:-1], axis=0).sum(axis=0))


def _integral(values: Matrix, nodes: Matrix) -> Matrix:
    """Integral up to each node (trapezoids)."""
    steps = (values[1:] + values[:-1]) / 2 * np.diff(nodes)
    return np.concatenate([[0.0], np.cumsum(steps)])


def information_within(curves: Curves, limits: tuple[float, float]) -> Matrix:
    """Information of the items at 81 places within the limits, (J, 81)."""
    return curves.information(np.linspace(*limits, 81))


def most_of_one_person(information: Matrix, layout: ResponseBlocks) -> float:
    """The most information (of (J, Q)) that the items of any one person have anywhere."""
    return max((float(total(block, information, layout).max()) for block in layout), default=0.0)


def total(block: Block, of_items: Matrix, layout: ResponseBlocks) -> Matrix:
    """Sums of (J, Q) over the items each person of a block saw: (n, Q), or (1, Q) where all saw the same."""
    if block.row_start is None and block.complete:
        return np.asarray(of_items[block.items].sum(axis=0, keepdims=True))
    return log_likelihood(block, np.repeat(of_items, layout.categories, axis=0), layout)
