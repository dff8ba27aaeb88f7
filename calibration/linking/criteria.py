"""Characteristic-curve linking: the A and B under which anchor items say the same on both scales.

Haebara (1980) compares the curves of each anchor, Stocking & Lord (1983) the expected marks of all anchors together.
With theta_base = A · theta_new + B the curves of an item of the new scale are, at theta of the base scale, its curves
at (theta - B) / A: nothing needs to be transformed, and the criterion is the same for every model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.linking.errors import LinkError
from calibration.linking.vectors import CurveSlopes, curve_slopes
from calibration.models import Curves, ItemParameters, Scale

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ThetaWeights:
    """Abilities (Q,) and their weights (Q,), which sum to 1."""

    nodes: Matrix
    weights: Matrix

    @classmethod
    def uniform(cls, n: int = 40, low: float = -4.0, high: float = 4.0) -> ThetaWeights:
        """Equal weights on n equally spaced points."""
        return cls(np.linspace(low, high, n), np.full(n, 1 / n))

    @classmethod
    def normal(cls, n: int = 41, *, mean: float = 0.0, sd: float = 1.0, width: float = 4.0) -> ThetaWeights:
        """Density of N(mean, sd²) on n equally spaced points, mean ± width · sd."""
        z = np.linspace(-width, width, n)
        density = np.exp(-0.5 * z**2)
        return cls(mean + sd * z, density / density.sum())

    @classmethod
    def of(cls, scale: Scale) -> ThetaWeights:
        """The population of a scale."""
        return cls.normal(mean=scale.mean, sd=scale.sd)

    @classmethod
    def given(cls, nodes: Sequence[float] | Matrix, weights: Sequence[float] | Matrix) -> ThetaWeights:
        """Points and weights from elsewhere; the weights are brought to a sum of 1. Raises LinkError."""
        theta, share = np.asarray(nodes, float), np.asarray(weights, float)
        if theta.shape != share.shape or theta.ndim != 1 or not len(theta):
            raise LinkError("quadrature points and weights must be two lists of the same length")
        if (share < 0).any() or not share.sum() > 0 or not np.isfinite(theta).all():
            raise LinkError("quadrature weights must be numbers from 0, not all of them 0")
        return cls(theta, share / share.sum())


@dataclass(frozen=True, slots=True)
class Solution:
    """A and B, and how they change with the parameters of each anchor, (2, p) per item."""

    A: float
    B: float
    criterion: float | None
    new: tuple[Matrix, ...]
    base: tuple[Matrix, ...]


@dataclass(frozen=True, slots=True)
class _Problem:
    """Anchors on both scales, the items in the same order."""

    new_items: Sequence[ItemParameters]
    base_items: Sequence[ItemParameters]
    new_scale: Scale
    base_scale: Scale
    new: Curves
    base: Curves
    on_base: ThetaWeights
    on_new: ThetaWeights | None  # None: the criterion looks at the base scale only
    per_item: bool  # Haebara

    def rows(self, values: Matrix) -> Matrix:
        """What is compared: probabilities (C, Q), or the expected marks of all anchors (1, Q)."""
        return values if self.per_item else (self.base.marks @ values)[None, :]

    def residuals(self, A: float, B: float) -> list[tuple[Matrix, Matrix, Matrix, Matrix]]:
        """Per direction: residual, its derivatives in A and in B, each (R, Q), and weights (Q,)."""
        theta = self.on_base.nodes
        u = (theta - B) / A
        there, slope = _with_slope(self.new, u)
        r = self.rows(self.base.probability(theta) - there)
        d = self.rows(slope) / A
        out = [(r, d * u, d, self.on_base.weights)]
        if self.on_new is not None:
            u = self.on_new.nodes
            there, slope = _with_slope(self.base, A * u + B)
            r, d = self.rows(there - self.new.probability(u)), self.rows(slope)
            out.append((r, d * u, d, self.on_new.weights))
        return out

    @property
    def half(self) -> float:
        """Haebara's sum runs over all categories; half of it counts a dichotomous item's difference once."""
        return 0.5 if self.per_item else 1.0

    def criterion(self, A: float, B: float) -> float:
        return self.half * float(sum((w * r**2).sum() for r, _, _, w in self.residuals(A, B)))

    def gradient_and_curvature(self, A: float, B: float) -> tuple[Matrix, Matrix]:
        """Gradient (2,) of the criterion, and its second derivatives (2, 2) were all residuals 0 (Gauss-Newton)."""
        g, H = np.zeros(2), np.zeros((2, 2))
        for r, dA, dB, w in self.residuals(A, B):
            J = np.stack([dA.ravel(), dB.ravel()])
            weighted = J * np.broadcast_to(w, r.shape).ravel()
            g += weighted @ r.ravel()
            H += weighted @ J.T
        return 2 * self.half * g, 2 * self.half * H


def characteristic_curve_link(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    new_scale: Scale,
    base_scale: Scale,
    *,
    per_item: bool,
    on_base: ThetaWeights,
    on_new: ThetaWeights | None = None,
    fixed_slope: bool = False,
    starts: Sequence[tuple[float, float]] = (),
    errors: bool = True,
) -> Solution:
    """A and B of Haebara (`per_item`) or Stocking & Lord, with their derivatives in the anchors' parameters.

    The criterion is Σ w (difference)² over `on_base`, plus the same over `on_new` where that is given (two
    directions); Haebara's adds up half the categories' squares. Marks of the categories are those of the base. The
    derivatives are those of an implicit function, -H⁻¹ ∂²F / ∂(A, B) ∂ξ (Ogasawara, 2001), left out without `errors`.
    Raises LinkError when no minimum is found.
    """
    same_marks = [replace(one, marks=other.marks) for one, other in zip(new, base, strict=True)]
    problem = _Problem(
        same_marks,
        base,
        new_scale,
        base_scale,
        Curves.of(same_marks, new_scale),
        Curves.of(base, base_scale),
        on_base,
        on_new,
        per_item,
    )
    A, B = _minimum(problem, fixed_slope=fixed_slope, starts=starts)
    if not errors:
        return Solution(A, B, problem.criterion(A, B), (), ())
    H = _hessian(problem, A, B)
    if fixed_slope:
        inverse: Matrix = np.diag([0.0, 1 / H[1, 1]])
    else:
        inverse = np.asarray(np.linalg.inv(H), float)
    cross_new, cross_base = _cross_derivatives(problem, A, B)
    return Solution(
        A,
        B,
        problem.criterion(A, B),
        tuple(-inverse @ one for one in cross_new),
        tuple(-inverse @ one for one in cross_base),
    )


def _minimum(problem: _Problem, *, fixed_slope: bool, starts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Gauss-Newton steps, damped (Levenberg, 1944; Marquardt, 1963), then Newton steps for the last digits."""
    usable = [(A, B) for A, B in starts if np.isfinite(A) and A > 0 and np.isfinite(B)]
    if not usable:
        usable = [(A, B) for A in ((1.0,) if fixed_slope else (0.6, 1.0, 1.6)) for B in np.linspace(-3, 3, 7).tolist()]
    at = {point: problem.criterion(*point) for point in usable}
    A, B = min(at, key=at.__getitem__)
    least, damping = at[A, B], 1e-3
    for _ in range(200):
        g, H = problem.gradient_and_curvature(A, B)
        step = _step(g, H + damping * np.diag(np.diag(H)), fixed_slope=fixed_slope)
        value = problem.criterion(A - step[0], B - step[1]) if step[0] < A else np.inf
        if value < least:
            A, B, least, damping = A - step[0], B - step[1], value, damping / 10
        else:
            damping *= 10
        if np.abs(step).max() < 1e-7 or damping > 1e12:
            break
    for _ in range(2):
        step = _step(problem.gradient_and_curvature(A, B)[0], _hessian(problem, A, B), fixed_slope=fixed_slope)
        A, B = A - step[0], B - step[1]
    g, H = problem.gradient_and_curvature(A, B)[0], _hessian(problem, A, B)
    free = slice(1, 2) if fixed_slope else slice(0, 2)
    if not (A > 0 and np.abs(g[free]).max() < 1e-9 and np.linalg.eigvalsh(H[free, free]).min() > 0):
        raise LinkError(
            f"no minimum of the criterion found near A = {A:.4g}, B = {B:.4g}; look at the anchors: their curves do "
            "not fix a scale (flat curves, or difficulties far from the weights over theta)"
        )
    return A, B


def _step(g: Matrix, H: Matrix, *, fixed_slope: bool) -> tuple[float, float]:
    if fixed_slope:
        return 0.0, float(g[1] / H[1, 1])
    dA, dB = np.linalg.lstsq(H, g)[0]
    return float(dA), float(dB)


def _hessian(problem: _Problem, A: float, B: float) -> Matrix:
    h = 1e-5
    columns = [
        problem.gradient_and_curvature(A + h * i, B + h * j)[0]
        - problem.gradient_and_curvature(A - h * i, B - h * j)[0]
        for i, j in ((1, 0), (0, 1))
    ]
    H = np.stack(columns, axis=1) / (2 * h)
    return np.asarray((H + H.T) / 2)


def _cross_derivatives(problem: _Problem, A: float, B: float) -> tuple[list[Matrix], list[Matrix]]:
    """∂(gradient) / ∂(parameters of an anchor), (2, p) per anchor, on the new and on the base scale."""
    directions = problem.residuals(A, B)
    theta = problem.on_base.nodes
    u = (theta - B) / A
    at_new = curve_slopes(problem.new_items, problem.new_scale, u)
    at_base = curve_slopes(problem.base_items, problem.base_scale, theta)
    to_new = _contribution(problem, directions[0], at_new, sign=-1, dJ=(u / A, 1 / A))
    to_base = _contribution(problem, directions[0], at_base, sign=1)
    if problem.on_new is not None:
        u = problem.on_new.nodes
        at_new = curve_slopes(problem.new_items, problem.new_scale, u)
        at_base = curve_slopes(problem.base_items, problem.base_scale, A * u + B)
        to_new += _contribution(problem, directions[1], at_new, sign=-1)
        to_base += _contribution(problem, directions[1], at_base, sign=1, dJ=(u, 1.0))
    return _per_item(to_new, problem.new_items), _per_item(to_base, problem.base_items)


def _contribution(
    problem: _Problem,
    direction: tuple[Matrix, Matrix, Matrix, Matrix],
    slopes: CurveSlopes,
    *,
    sign: int,
    dJ: tuple[Matrix | float, Matrix | float] | None = None,
) -> Matrix:
    """Σ w (J · ∂r/∂ξ + r · ∂J/∂ξ) for J in A and in B, (2, P, items)."""
    r, dA, dB, w = direction
    curves = problem.base
    factor = 2 * problem.half * (1.0 if problem.per_item else curves.marks[:, None])
    out = []
    for k, J in enumerate((dA, dB)):
        rows = sign * w * J * slopes.probability
        if dJ is not None:
            rows = rows + w * r * slopes.slope * dJ[k]
        rows = factor * rows
        out.append([curves.sum_items(one).sum(axis=1) for one in rows])
    return np.array(out)


def _per_item(table: Matrix, items: Sequence[ItemParameters]) -> list[Matrix]:
    return [table[:, : len(item.parameter_names), j] for j, item in enumerate(items)]


def _with_slope(curves: Curves, theta: Matrix) -> tuple[Matrix, Matrix]:
    P = curves.probability(theta)
    return P, P * curves.log_derivatives(theta)[0]
