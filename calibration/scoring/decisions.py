"""How often a decision at a cut is right, and how often it would be the same again.

By theta, from estimates and their standard errors (Rudner, 2001, 2005); by marks, from the distribution of sums of
marks on a form (Lee, 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.models import Curves, Scale
from calibration.scoring.errors import ScaleError
from calibration.scoring.sum_scores import sum_score_likelihood

Matrix = NDArray[np.float64]

PANEL_NODES = 48  # Gauss-Legendre nodes between two cuts
REACH = 6.0  # in SD: what is left of the population beyond is 2e-9


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions into cuts + 1 categories.

    `accuracy`: P(decided category = true category); `false_positive` and `false_negative`: P(decided higher, lower than
    true); `consistency`: P(two parallel tests decide the same); `kappa`: consistency beyond chance (Cohen, 1960).
    `table` (true, decided) are the joint probabilities.
    """

    accuracy: float
    false_positive: float
    false_negative: float
    consistency: float
    kappa: float
    table: Matrix

    @classmethod
    def of(cls, decided: Matrix, true: NDArray[np.intp], weight: Matrix) -> Decisions:
        """From P(decided category) (n, K) and the true category (n,) of n weighted persons or nodes."""
        table = np.zeros((decided.shape[1], decided.shape[1]))
        np.add.at(table, true, weight[:, None] * decided)
        return cls.with_table(table, float(weight @ (decided**2).sum(axis=1)), weight @ decided)

    @classmethod
    def with_table(cls, table: Matrix, consistency: float, margin: Matrix) -> Decisions:
        chance = float((margin**2).sum())
        kappa = (consistency - chance) / (1 - chance) if chance < 1 else float("nan")
        above, below = np.triu(table, 1).sum(), np.tril(table, -1).sum()
        return cls(float(np.trace(table)), float(above), float(below), consistency, kappa, table)


def theta_decisions(theta: ArrayLike, se: ArrayLike, cuts: ArrayLike, weight: ArrayLike | None = None) -> Decisions:
    """Accuracy and consistency of decisions by estimates theta (N,) with standard errors at `cuts` (Rudner, 2005).

    True ability is taken as N(theta, se²) around the estimate: accuracy is the mean P(true category = that of the
    estimate); consistency is the mean Σ P(category)². Persons without a finite standard error are left out; `weight`
    (N,) weighs the others. Raises ScaleError where nobody is left.
    """
    from scipy.special import ndtr  # noqa: PLC0415  (`import calibration` stays quick)

    estimates, errors, at = np.asarray(theta, float), np.asarray(se, float), _ascending(cuts)
    weights = np.ones(len(estimates)) if weight is None else np.asarray(weight, float)
    use = np.isfinite(estimates) & np.isfinite(errors) & (errors > 0) & (weights > 0)
    if not use.any():
        raise ScaleError("no person has an estimate with a standard error: decisions cannot be judged")
    weights = weights[use] / weights[use].sum()
    below = ndtr((at - estimates[use, None]) / errors[use, None])
    likely = np.diff(np.pad(below, ((0, 0), (1, 1)), constant_values=(0.0, 1.0)), axis=1)
    table = np.zeros((len(at) + 1, len(at) + 1))
    np.add.at(table.T, np.searchsorted(at, estimates[use], side="right"), weights[:, None] * likely)
    return Decisions.with_table(table, float(weights @ (likely**2).sum(axis=1)), weights @ likely)


def mark_decisions(
    curves: Curves,
    mark_cuts: ArrayLike,
    scale: Scale | None = None,
    *,
    theta_cuts: ArrayLike | None = None,
) -> Decisions:
    """Accuracy and consistency of decisions by the marks on a fixed form, in a population (Lee, 2010).

    A person is decided to be in the category above a cut with at least `mark_cuts` marks; truly there when theta is at
    least the cut in `theta_cuts`, or (default) when the marks expected at theta are at least the cut in marks. The
    population is the scale's, theta ~ N(mean, sd²); it is integrated by Gauss-Legendre rules between the cuts.
    Raises ScaleError for marks without a common unit, and where the expected marks never reach a cut.
    """
    on = scale or Scale()
    marks_at = _ascending(mark_cuts)
    at = np.array([_reaching(curves, cut, on) for cut in marks_at]) if theta_cuts is None else _ascending(theta_cuts)
    if len(at) != len(marks_at):
        raise ScaleError(f"{len(marks_at)} cuts in marks and {len(at)} in theta: give as many of each")
    theta, weight = population_nodes(on, at)
    sums, likelihood = sum_score_likelihood(curves.probability(theta), curves.start, curves.marks)
    decided = category_probability(sums, likelihood, marks_at)
    return Decisions.of(decided, np.searchsorted(at, theta, side="right"), weight)


def category_probability(sums: Matrix, likelihood: Matrix, mark_cuts: Matrix) -> Matrix:
    """P(marks in each of cuts + 1 categories) at each node, (Q, cuts + 1), from P(sum | node) (S, Q)."""
    category = np.searchsorted(mark_cuts, sums + 1e-9, side="right")
    found = np.zeros((len(mark_cuts) + 1, likelihood.shape[1]))
    np.add.at(found, category, likelihood)
    return found.T


def population_nodes(scale: Scale, cuts: ArrayLike = ()) -> tuple[Matrix, Matrix]:
    """Nodes over the scale's population ± 6 SD with weights that sum to 1, for functions that jump at `cuts`."""
    z = (np.asarray(cuts, float) - scale.mean) / scale.sd
    edges = np.unique(np.concatenate([[-REACH, 0.0, REACH], np.clip(z, -REACH, REACH)]))
    x, w = np.polynomial.legendre.leggauss(PANEL_NODES)
    half = np.diff(edges)[:, None] / 2
    nodes = (edges[:-1, None] + half * (x + 1)).reshape(-1)
    weight = (half * w).reshape(-1) * np.exp(-0.5 * nodes**2)
    return scale.mean + scale.sd * nodes, weight / weight.sum()


def _ascending(cuts: ArrayLike) -> Matrix:
    at = np.atleast_1d(np.asarray(cuts, float))
    if not len(at) or np.any(np.diff(at) <= 0):
        raise ScaleError("cuts stand in ascending order, and there is at least one")
    return at


def _reaching(curves: Curves, marks: float, scale: Scale) -> float:
    """Where the expected marks reach `marks`."""
    low, high = scale.mean - 10 * scale.sd, scale.mean + 10 * scale.sd
    least, most = curves.expected_marks([low, high]).sum(axis=0)
    if not least < marks < most:
        raise ScaleError(f"the form expects {least:.1f}…{most:.1f} marks: a cut of {marks:g} is never reached")
    for _ in range(80):
        middle = (low + high) / 2
        below = float(curves.expected_marks(middle).sum()) < marks
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2
