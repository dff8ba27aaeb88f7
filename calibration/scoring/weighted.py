"""Items whose answers speak through one number: scores of many persons by interpolation.

For logistic items without asymptotes, partial credit and nominal items log P_k = w_k theta - A(theta) + const, so the
weighted score t = Σ w of a person's categories is sufficient for theta (Birnbaum, 1968; Andersen, 1977). Of persons
with the same items every estimate is then one smooth function of t. It is computed at knots, with its derivative, and
read off between them by cubic Hermite interpolation (error h⁴ / 384 of the fourth derivative: below 1e-7 here).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.models import Curves
from calibration.scoring.posterior import normalised
from calibration.scoring.quadrature import Quadrature

Matrix = NDArray[np.float64]


def category_weights(curves: Curves) -> Matrix:
    """The w of each category, (C,); NaN for items that have none (3PL, 4PL, graded with more than two categories)."""
    weights = np.full(len(curves.marks), np.nan)
    for group in curves.groups:
        if group.family == "divide":
            weights[group.rows] = group.slope
        elif group.family == "logistic":
            plain = (group.lower == 0) & (group.upper == 1)
            weights[group.rows[plain]] = group.slope[plain, None] * np.array([0.0, 1.0])
    return weights


@dataclass(frozen=True, slots=True)
class Interpolation:
    """M functions of t known at knots (K,), with `values` (K, M); beyond the knots those at the ends.

    Between knots they are the cubics with the `coefficients` (K - 1, 4, M) in the share of the cell; `spacing` is that
    of equally spaced knots, else 0.
    """

    knots: Matrix
    values: Matrix
    coefficients: Matrix
    spacing: float

    @classmethod
    def hermite(cls, knots: Matrix, values: Matrix, slopes: Matrix, spacing: float = 0.0) -> Interpolation:
        """From values and derivatives at the knots, each (K, M)."""
        width = np.diff(knots)[:, None]
        low, high = slopes[:-1] * width, slopes[1:] * width
        rise = np.diff(values, axis=0)
        cubic = [values[:-1], low, 3 * rise - 2 * low - high, low + high - 2 * rise]
        return cls(knots, values, np.stack(cubic, axis=1), spacing)

    def at(self, t: Matrix) -> Matrix:
        """The functions at each t (n,), (n, M)."""
        last = len(self.knots) - 2
        if self.spacing:
            place = np.clip((t - self.knots[0]) / self.spacing, 0.0, last + 1.0)
            cell = np.minimum(place.astype(np.intp), last)
            u = place - cell
        else:
            inside = np.clip(t, self.knots[0], self.knots[-1])
            cell = np.minimum(np.searchsorted(self.knots, inside, side="right") - 1, last)
            u = (inside - self.knots[cell]) / (self.knots[cell + 1] - self.knots[cell])
        c = self.coefficients[cell]
        share = u[:, None]
        return np.asarray(c[:, 0] + share * (c[:, 1] + share * (c[:, 2] + share * c[:, 3])))


@dataclass(frozen=True, slots=True)
class ItemSet:
    """What persons with the same items share: weights and rows of their categories, item by item."""

    rows: NDArray[np.intp]  # (C',) of the stacked categories
    start: NDArray[np.intp]  # (j,) first of each item among them
    weights: Matrix  # (C',)

    @classmethod
    def of(cls, curves: Curves, weights: Matrix, items: NDArray[np.intp]) -> ItemSet:
        rows, start = curves.rows_of(items)
        return cls(rows, start[:-1], weights[rows])

    @property
    def sufficient(self) -> bool:
        """Whether all items have weights, and some of them say something."""
        return bool(np.isfinite(self.weights).all() and np.ptp(self.weights) > 0)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and highest t."""
        return (
            float(np.minimum.reduceat(self.weights, self.start).sum()),
            float(np.maximum.reduceat(self.weights, self.start).sum()),
        )

    def posterior_knots(self, sd: float) -> int:
        """Knots in t between which a posterior moves by a twentieth of its standard deviation at most."""
        low, high = self.range
        return int(20 * sd * (high - low)) + 8

    def mode_knots(self, bounds: tuple[float, float]) -> int:
        """Knots in theta between which the log-odds of any two categories of an item move by 0.03 at most."""
        high, low = (of.reduceat(self.weights, self.start) for of in (np.maximum, np.minimum))
        return int((high - low).max() * (bounds[1] - bounds[0]) / 0.03) + 8


def posterior_function(
    item_set: ItemSet, quadrature: Quadrature, group: int, above: Matrix, knots: int
) -> Interpolation:
    """EAP, posterior SD and P(theta ≥ each cut) as functions of t; `above` (Q, cuts) are the cuts' weights."""
    t = np.linspace(*item_set.range, knots)
    # log L = t theta - A(theta), with A = w theta - log P of any one category of each item
    first = item_set.start
    A = item_set.weights[first].sum() * quadrature.nodes - quadrature.log_probability[item_set.rows[first]].sum(axis=0)
    density = normalised(t[:, None] * quadrature.nodes - A + quadrature.log_density[group])
    middle = quadrature.nodes[len(quadrature.nodes) // 2]
    x = quadrature.nodes - middle
    powers = density @ np.stack([x, x**2, x**3], axis=1)
    mean = powers[:, 0]
    variance = powers[:, 1] - mean**2
    third = powers[:, 2] - 3 * mean * powers[:, 1] + 2 * mean**3
    sd = np.sqrt(np.maximum(variance, 1e-300))
    # an exponential family: the derivative of E(f) in t is Cov(f, theta)
    pass_ = density @ above
    pass_slope = density @ (above * x[:, None]) - pass_ * mean[:, None]
    values = np.column_stack([middle + mean, sd, pass_])
    slopes = np.column_stack([variance, third / (2 * sd), pass_slope])
    return Interpolation.hermite(t, values, slopes, float(t[1] - t[0]))


def mode_function(
    method: str,
    item_set: ItemSet,
    curves: Curves,
    bounds: tuple[float, float],
    prior: tuple[float, float],
    knots: int,
) -> Interpolation | None:
    """Estimate and standard error as functions of t, or None where there may be several estimates for one t.

    The equation of the estimate is t = F(theta): F is the expected t (ML), plus (theta - mean) / sd² (MAP), less
    k3 / (2 k2) (WLE: J = k3 in these models), k2 and k3 being the cumulants of t at theta.
    """
    theta = np.linspace(*bounds, knots)
    k1, k2, k3, k4 = _cumulants(item_set, curves.probability(theta)[item_set.rows])
    mean, sd = prior
    precision = 0.0
    if method == "map":
        precision = sd**-2.0
        F, slope = k1 + (theta - mean) * precision, k2 + precision
    elif method == "wle":
        F, slope = k1 - k3 / (2 * k2), k2 - (k4 * k2 - k3**2) / (2 * k2**2)
    else:
        F, slope = k1, k2
    use = _rising(F, slope, item_set.range)
    if use is None:
        return None
    information = k2 + precision
    values = np.column_stack([theta, information**-0.5])[use]
    slopes = np.column_stack([1 / slope, -0.5 * k3 * information**-1.5 / slope])[use]
    return Interpolation.hermite(F[use], values, slopes)


def _rising(F: Matrix, slope: Matrix, wanted: tuple[float, float]) -> slice | None:
    """The knots between which F takes the values of t that are wanted, if it rises there and so takes each once.

    Beyond them it need not: where all answers are certain, the weight of WLE is all there is. At the bounds F may be
    flat to the last digit.
    """
    lowest, highest = wanted
    below, above = np.flatnonzero(lowest > F), np.flatnonzero(highest < F)
    first = below[-1] if len(below) else 0
    last = above[0] if len(above) else len(F) - 1
    size = float(np.abs(F).max(initial=1.0))
    rises = first + np.flatnonzero(np.diff(F[first : last + 1]) > 1e-12 * size)
    if len(rises) < 8:
        return None
    use = slice(rises[0], rises[-1] + 2)
    return use if np.all(np.diff(F[use]) > 0) and np.all(slope[use] > 0) else None


def _cumulants(item_set: ItemSet, P: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """First four cumulants of t at each theta from the P of the set's categories (C', Q), each (Q,)."""
    sizes = np.diff(np.append(item_set.start, len(item_set.weights)))
    mean = np.add.reduceat(item_set.weights[:, None] * P, item_set.start, axis=0)
    off = item_set.weights[:, None] - np.repeat(mean, sizes, axis=0)
    moments = [P * off * off]
    for _ in range(2):
        moments.append(moments[-1] * off)
    m2, m3, m4 = (np.add.reduceat(moment, item_set.start, axis=0) for moment in moments)
    return mean.sum(axis=0), m2.sum(axis=0), m3.sum(axis=0), (m4 - 3 * m2**2).sum(axis=0)
