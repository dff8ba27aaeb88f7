"""Abilities as roots: maximum likelihood, Warm's weighted likelihood and the mode of the posterior, of any models.

What is solved is g(theta) = d log L / d theta + c(theta) = 0 with c = 0 (ML), J / (2 I) (WLE; Warm, 1989, and for
several categories Penfield & Bergeron, 2005), or -(theta - mean) / sd² (MAP). g is exact at the nodes of a grid, where
the cell with the best root is found, and at every step after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks
from calibration.estimation.likelihood import log_likelihood
from calibration.models import Curves
from calibration.scoring.expected import persons_with_items
from calibration.scoring.quadrature import WIDEST, Population, information_within, most_of_one_person, total
from calibration.scoring.weighted import Interpolation, ItemSet, category_weights, mode_function

Matrix = NDArray[np.float64]

LAST_STEP = 1e-6  # a Newton step that small leaves an error of about its square
MOST_STEPS = 60  # bisection alone needs 30


MODES = ("ml", "wle", "map")


class Modes:
    """Estimates by one method, block by block, within bounds."""

    def __init__(
        self,
        method: str,
        curves: Curves,
        layout: ResponseBlocks,
        population: Population,
        bounds: tuple[float, float],
    ) -> None:
        self.method, self.curves, self.layout, self.population, self.bounds = method, curves, layout, population, bounds
        self.weights = category_weights(curves)
        self.with_items = persons_with_items(layout)
        self.functions: dict[tuple[bytes, int], Interpolation | None] = {}
        self.search: _Search | None = None

    def estimates(self, block: Block) -> tuple[Matrix, Matrix, NDArray[np.int8]]:
        """Estimate, standard error and side of a block's persons, each (n,).

        side is -1 or 1 where the maximum is not inside the bounds: the estimate is the bound, its standard error NaN.
        """
        n = len(block.persons)
        theta, se, side = np.empty(n), np.empty(n), np.zeros(n, np.int8)
        groups = np.unique(block.group) if self.method == "map" else np.array([0])
        functions = [self._function(block, int(group)) for group in groups]
        if any(function is None for function in functions):
            return self._solved(block)
        t = log_likelihood(block, self.weights[:, None], self.layout)[:, 0]
        for group, function in zip(groups, functions, strict=True):
            of_group = slice(None) if len(groups) == 1 else np.flatnonzero(block.group == group)
            assert function is not None  # noqa: S101  (said above)
            theta[of_group], se[of_group] = function.at(t[of_group]).T
            side[of_group] = (t[of_group] >= function.knots[-1]).astype(np.int8) - (t[of_group] <= function.knots[0])
        self._mark(theta, se, side)
        return theta, se, side

    def _mark(self, theta: Matrix, se: Matrix, side: NDArray[np.int8]) -> None:
        theta[side < 0], theta[side > 0] = self.bounds
        se[side != 0] = np.nan

    def _function(self, block: Block, group: int) -> Interpolation | None:
        """The estimate as a function of the weighted score, where there is one and enough persons are worth it."""
        if block.row_start is not None or not block.complete:
            return None
        key = (block.items.tobytes(), group)
        if key not in self.functions:
            item_set = ItemSet.of(self.curves, self.weights, block.items)
            knots = item_set.mode_knots(self.bounds) if item_set.sufficient else np.inf
            self.functions[key] = None
            if 2 * self.with_items[key[0]] > knots:
                prior = float(self.population.mean[group]), float(self.population.sd[group])
                self.functions[key] = mode_function(self.method, item_set, self.curves, self.bounds, prior, int(knots))
        return self.functions[key]

    def _solved(self, block: Block) -> tuple[Matrix, Matrix, NDArray[np.int8]]:
        if self.search is None:
            most = most_of_one_person(information_within(self.curves, self.bounds), self.layout)
            self.search = _Search.over(self.curves, self.bounds, WIDEST * max(most, 1e-6) ** -0.5)
        x = self.search.nodes
        mean, sd = self.population.mean[block.group], self.population.sd[block.group]
        value, g = self.search.objective(self.method, block, self.layout, mean, sd)
        cell, side = _best_cell(value, g, ends_count=self.method != "wle")
        theta, se = np.empty(len(side)), np.empty(len(side))
        inside = np.flatnonzero(side == 0)
        at = cell[inside]
        theta[inside], information = _solve(
            self.method,
            _Answers.of(block, inside),
            self.curves,
            (x[at], x[at + 1]),
            (g[inside, at], g[inside, at + 1]),
            mean[inside],
            sd[inside],
        )
        se[inside] = np.maximum(information, 1e-300) ** -0.5
        self._mark(theta, se, side)
        return theta, se, side


@dataclass(frozen=True, slots=True)
class _Search:
    """What the search for cells needs at its nodes (Q,): of categories (C, Q), of items (J, Q)."""

    nodes: Matrix
    log_probability: Matrix
    first: Matrix
    information: Matrix
    bias: Matrix  # J of Warm (1989): Σ P' P'' / P

    @classmethod
    def over(cls, curves: Curves, bounds: tuple[float, float], spacing: float) -> _Search:
        nodes = np.linspace(*bounds, max(int(np.ceil((bounds[1] - bounds[0]) / spacing)), 16) + 1)
        first, second = curves.log_derivatives(nodes)
        log_probability = curves.log_probability(nodes)
        P = np.exp(log_probability)
        information, bias = curves.sum_items(P * first**2), curves.sum_items(P * first * (second + first**2))
        return cls(nodes, log_probability, first, information, bias)

    def objective(
        self, method: str, block: Block, layout: ResponseBlocks, mean: Matrix, sd: Matrix
    ) -> tuple[Matrix, Matrix]:
        """What is maximised, up to a constant, and its derivative g, at the nodes: each (n, Q)."""
        value = log_likelihood(block, self.log_probability, layout)
        g = log_likelihood(block, self.first, layout)
        if method == "map":
            z = (self.nodes - mean[:, None]) / sd[:, None]
            return value - 0.5 * z**2, g - z / sd[:, None]
        if method == "wle":
            c = total(block, self.bias, layout) / (2 * np.maximum(total(block, self.information, layout), 1e-300))
            steps = (c[:, 1:] + c[:, :-1]) / 2 * np.diff(self.nodes)
            return value + np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0))), g + c
        return value, g


def _best_cell(value: Matrix, g: Matrix, *, ends_count: bool) -> tuple[NDArray[np.intp], NDArray[np.int8]]:
    """The cell (n,) with the best maximum, and -1 or 1 where a bound is better (or, else, where there is no other)."""
    falls = (g[:, :-1] > 0) & (g[:, 1:] <= 0)
    height = np.where(falls, np.maximum(value[:, :-1], value[:, 1:]), -np.inf)
    cell = height.argmax(axis=1)
    best = height[np.arange(len(cell)), cell]
    low = np.where(g[:, 0] <= 0, value[:, 0], -np.inf)
    high = np.where(g[:, -1] > 0, value[:, -1], -np.inf)
    end = np.maximum(low, high)
    beaten = best < end if ends_count else ~falls.any(axis=1)
    side = np.where(beaten, np.where(high >= low, 1, -1), 0).astype(np.int8)
    return cell, side


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers one by one, (R,): whose of n persons, to which item, in which category."""

    person: NDArray[np.intp]
    item: NDArray[np.intp]
    code: NDArray[np.uint8]

    @classmethod
    def of(cls, block: Block, persons: NDArray[np.intp]) -> _Answers:
        if block.row_start is not None:
            sizes = np.diff(block.row_start)
            everybody = cls(np.repeat(np.arange(len(sizes)), sizes), block.items, block.codes)
        else:
            codes = block.codes
            row, column = np.nonzero(codes != MISSING)
            everybody = cls(row, block.items[column], codes[row, column])
        number = np.full(len(block.persons), -1, np.intp)
        number[persons] = np.arange(len(persons))
        return everybody.renumbered(number)

    def renumbered(self, number: NDArray[np.intp]) -> _Answers:
        """The answers of the persons with a new number (from 0)."""
        chosen = number[self.person] >= 0
        return _Answers(number[self.person[chosen]], self.item[chosen], self.code[chosen])


def _solve(
    method: str,
    answers: _Answers,
    curves: Curves,
    cells: tuple[Matrix, Matrix],
    at_ends: tuple[Matrix, Matrix],
    mean: Matrix,
    sd: Matrix,
) -> tuple[Matrix, Matrix]:
    """Roots of g in cells whose ends have g > 0 and g <= 0, by Newton steps kept in the cell; the information there.

    That is the observed one, -dg / d theta, for ML and MAP (Efron & Hinkley, 1978), the expected one for WLE (Warm).
    """
    low, high = cells[0].copy(), cells[1].copy()
    theta = low + at_ends[0] / np.maximum(at_ends[0] - at_ends[1], 1e-300) * (high - low)
    information = np.ones(len(theta))
    active = np.arange(len(theta))
    slope_before: tuple[Matrix, Matrix] | None = None
    for _ in range(MOST_STEPS):
        if not len(active):
            break
        at = theta[active]
        g, h, expected = _equation(method, answers, curves, at, mean[active], sd[active])
        information[active] = expected if method == "wle" else -h
        low[active] = np.where(g > 0, at, low[active])
        high[active] = np.where(g > 0, high[active], at)
        if method == "wle" and slope_before is not None:  # the weight's own slope is seen from step to step
            moved = at - slope_before[0]
            secant = np.divide(g - slope_before[1], moved, out=h.copy(), where=np.abs(moved) > 1e-7)
            h = np.where(secant < 0, secant, h)
        newton = at - np.divide(g, h, out=np.full_like(g, np.inf), where=h < 0)
        inside = (newton >= low[active]) & (newton <= high[active])
        theta[active] = np.where(inside, newton, (low[active] + high[active]) / 2)
        going = np.abs(theta[active] - at) > LAST_STEP
        number = np.full(len(active), -1, np.intp)
        number[going] = np.arange(going.sum())
        slope_before = at[going], g[going]
        answers, active = answers.renumbered(number), active[going]
    return theta, information


def _equation(
    method: str, answers: _Answers, curves: Curves, theta: Matrix, mean: Matrix, sd: Matrix
) -> tuple[Matrix, Matrix, Matrix]:
    """The g of each person at their theta, its slope (for WLE without that of the weight), the information."""
    R, n = len(answers.person), len(theta)
    columns = np.zeros((4, R))  # first, second, information, bias of each answer
    for chosen, P, first, second in curves.pairs(answers.item, theta[answers.person]):
        code = answers.code[chosen].astype(np.intp)
        rows = np.arange(len(chosen))
        columns[0, chosen], columns[1, chosen] = first[rows, code], second[rows, code]
        if method == "wle":
            change = P * first
            columns[2, chosen] = np.einsum("rk,rk->r", change, first)
            columns[3, chosen] = np.einsum("rk,rk->r", change, second + first**2)
    g, h, information, bias = (np.bincount(answers.person, column, n).astype(float) for column in columns)
    if method == "map":
        return g - (theta - mean) / sd**2, h - sd**-2.0, information
    if method == "wle":
        return g + bias / (2 * np.maximum(information, 1e-300)), h, information
    return g, h, information
