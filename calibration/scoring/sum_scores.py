"""Sums of marks: what they can be, how likely each is at an ability, and what ability they speak for.

Marks may be fractions (0.5, 1, 2 …): sums are counted in their greatest common divisor, found by exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks
from calibration.estimation.likelihood import log_likelihood
from calibration.models import Curves, ItemParameters, Scale
from calibration.scoring.errors import ScaleError
from calibration.scoring.expected import Posteriors
from calibration.scoring.posterior import moments, normalised
from calibration.scoring.quadrature import WIDEST, Population, Quadrature, information_within, limits_of

Matrix = NDArray[np.float64]

MOST_SUMS = 100_000  # marks with more different sums than that are typed wrong
LARGEST_DENOMINATOR = 10_000  # so that 0.3333333333333333 is a third


def sum_score_likelihood(probability: Matrix, start: ArrayLike, marks: ArrayLike) -> tuple[Matrix, Matrix]:
    """The sums of marks that can come about, (S,) ascending, and P(sum | node), (S, Q).

    `probability` (C, Q) and `marks` (C,) are of the stacked categories of J items, whose rows begin at `start`
    (J + 1,). The recursion of Lord & Wingersky (1984), for several categories Thissen, Pommerich, Billeaud & Williams
    (1995), on the greatest common divisor of the marks. Raises ScaleError for marks without a common unit worth the
    name.
    """
    at = np.asarray(start, int)
    steps, unit, lowest, denominator = _in_units(at, np.asarray(marks, float))
    widest = [int(steps[first:last].max()) for first, last in pairwise(at)]
    highest = sum(widest)
    if highest >= MOST_SUMS:
        raise ScaleError(
            f"the marks have {highest + 1:,} different sums (their unit is {unit / denominator:g}): round them, "
            "e.g. to 0.5"
        )
    likelihood = np.zeros((highest + 1, probability.shape[1]))
    possible = np.zeros(highest + 1, bool)
    likelihood[0], possible[0] = 1.0, True
    size = 1  # of what is filled so far
    for (first, last), width in zip(pairwise(at), widest, strict=True):
        before, could = likelihood[:size].copy(), possible[:size].copy()
        likelihood[:size], possible[:size] = 0.0, False
        for row in range(first, last):
            gained = slice(steps[row], steps[row] + size)
            likelihood[gained] += probability[row] * before
            possible[gained] |= could
        size += width
    sums = np.flatnonzero(possible)
    return (lowest + unit * sums) / denominator, likelihood[sums]


def add_item(distribution: Matrix, curve: Matrix) -> Matrix:
    """The distribution (S, Q) of a summed score with one more item (K, Q), (S + K - 1, Q)."""
    S, K = len(distribution), len(curve)
    out = np.zeros((S + K - 1, curve.shape[1]))
    for k in range(K):
        out[k : k + S] += distribution * curve[k]
    return out


def _in_units(start: NDArray[np.int_], marks: Matrix) -> tuple[NDArray[np.int_], int, int, int]:
    """What each category adds to its item's lowest mark, in units; the unit and the lowest sum, over a denominator."""
    distinct, which = np.unique(marks, return_inverse=True)
    exact = [Fraction(mark).limit_denominator(LARGEST_DENOMINATOR) for mark in distinct.tolist()]
    denominator = lcm(*(fraction.denominator for fraction in exact))
    for mark, fraction in zip(distinct.tolist(), exact, strict=True):
        if abs(float(fraction) - mark) > 1e-9 or denominator > LARGEST_DENOMINATOR**2:
            raise ScaleError(f"marks of {mark!r} have no unit in which sums can be counted: round them, e.g. to 0.5")
    counted = np.array([int(fraction * denominator) for fraction in exact], int)[which]
    if len(start) == 1:
        return counted, 1, 0, 1
    lowest = np.minimum.reduceat(counted, start[:-1])
    added = counted - np.repeat(lowest, np.diff(start))
    unit = int(np.gcd.reduce(added)) or denominator
    return added // unit, unit, int(lowest.sum()), denominator


@dataclass(frozen=True, slots=True)
class SumScoreTable:
    """What each possible sum of marks says: `theta` (EAP), `se` and `probability` in the population, each (S,)."""

    marks: Matrix
    theta: Matrix
    se: Matrix
    probability: Matrix


def sum_score_table(
    items: Sequence[ItemParameters] | Curves,
    scale: Scale | None = None,
    *,
    mean: float | None = None,
    sd: float | None = None,
) -> SumScoreTable:
    """Expected abilities given the sum of marks alone (Thissen & Orlando, 2001), theta ~ N(mean, sd²).

    The population is that of the scale unless `mean` and `sd` say otherwise. Raises ScaleError as
    `sum_score_likelihood` does.
    """
    on = scale or Scale()
    curves = items if isinstance(items, Curves) else Curves.of(items, on)
    population = Population.of(on.mean if mean is None else mean, on.sd if sd is None else sd)
    limits = limits_of(curves, population)
    spacing = population.spacing(WIDEST, information_within(curves, limits))
    return _table(curves, np.arange(len(curves.ids)), Quadrature.over(curves, population, limits, spacing), 0)


def _table(curves: Curves, items: NDArray[np.intp], quadrature: Quadrature, group: int) -> SumScoreTable:
    rows, start = curves.rows_of(items)
    marks, likelihood = sum_score_likelihood(np.exp(quadrature.log_probability[rows]), start, curves.marks[rows])
    weights = np.exp(quadrature.log_density[group] - quadrature.log_density[group].max())
    probability = likelihood @ (weights / weights.sum())
    with np.errstate(divide="ignore"):  # a sum that cannot be reached at a node has no density there
        theta, se = moments(normalised(np.log(likelihood) + quadrature.log_density[group]), quadrature.nodes)
    return SumScoreTable(marks, theta, se, probability)


class SumScoreTables:
    """Expected abilities from sums of marks, block by block: a table for each set of items that persons saw."""

    def __init__(self, curves: Curves, layout: ResponseBlocks, posteriors: Posteriors) -> None:
        self.curves, self.layout, self.posteriors = curves, layout, posteriors
        self.tables: dict[tuple[bytes, int], SumScoreTable] = {}

    def estimates(self, block: Block) -> tuple[Matrix, Matrix]:
        """EAP and SE of a block's persons, each (n,)."""
        sums = log_likelihood(block, self.curves.marks[:, None], self.layout)[:, 0]
        theta, se = np.empty_like(sums), np.empty_like(sums)
        for persons, items in _same_items(block):
            for group in np.unique(block.group[persons]):
                rows = persons[block.group[persons] == group]
                table = self._table(items, int(group))
                at = np.searchsorted((table.marks[1:] + table.marks[:-1]) / 2, sums[rows])
                theta[rows], se[rows] = table.theta[at], table.se[at]
        return theta, se

    def _table(self, items: NDArray[np.intp], group: int) -> SumScoreTable:
        key = (items.tobytes(), group)
        if key not in self.tables:
            self.tables[key] = _table(self.curves, items, self.posteriors.quadrature, group)
        return self.tables[key]


def _same_items(block: Block) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Persons of a block (their rows in it) who saw the same items, and these."""
    if block.row_start is not None:
        for row, (first, last) in enumerate(pairwise(block.row_start)):
            yield np.array([row]), block.items[first:last]
        return
    if block.complete:
        yield np.arange(len(block.persons)), block.items
        return
    patterns, which = np.unique(block.codes != MISSING, axis=0, return_inverse=True)
    for number, seen in enumerate(patterns):
        yield np.flatnonzero(which.reshape(-1) == number), block.items[seen]
