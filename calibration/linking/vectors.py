"""Parameters of an item as a vector with its covariance: what every error that travels through a link is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.models import DICHOTOMOUS, Curves, ItemParameters, Scale

Matrix = NDArray[np.float64]
_STEP = 1e-5  # of a central difference: its error is about 1e-10 of the curve


def parameter_vector(item: ItemParameters) -> Matrix:
    """The parameters (p,) in the order of `item.parameter_names`."""
    if item.model == "NRM":
        return np.array((*item.slopes[1:], *item.intercepts[1:]))
    asymptotes = {"3PL": (item.c,), "4PL": (item.c, item.d)}.get(item.model, ())
    return np.array((item.a, *item.b, *asymptotes))


def with_parameters(item: ItemParameters, vector: Matrix) -> ItemParameters:
    """The item with other values of its parameters, the reverse of `parameter_vector`.

    The location of a rating scale follows as the mean of its thresholds.
    """
    values = tuple(float(value) for value in vector)
    K = item.categories
    if item.model == "NRM":
        slopes, intercepts = values[: K - 1], values[K - 1 :]
        return replace(item, slopes=(item.slopes[0], *slopes), intercepts=(item.intercepts[0], *intercepts))
    b = values[1:K]
    changed = replace(item, a=values[0], b=b)
    if item.steps:
        location = sum(b) / len(b) - sum(item.steps) / len(item.steps)
        changed = replace(changed, location=location, steps=tuple(one - location for one in b))
    if item.model == "3PL":
        return replace(changed, c=values[K])
    return replace(changed, c=values[K], d=values[K + 1]) if item.model == "4PL" else changed


def covariance_block(item: ItemParameters) -> Matrix | None:
    """Covariance of the parameters, (p, p): the block, or squared standard errors where only those are known.

    A parameter without a standard error is one that was fixed. None where nothing is known.
    """
    if item.covariance:
        return np.array(item.covariance, float)
    if not item.se:
        return None
    return np.diag([item.se.get(name, 0.0) ** 2 for name in item.parameter_names])


def square_root(covariance: Matrix) -> Matrix:
    """R with R Rᵀ = covariance (p, p), for matrices that need not be of full rank."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def is_dichotomous(item: ItemParameters) -> bool:
    return item.model in DICHOTOMOUS


@dataclass(frozen=True, slots=True)
class CurveSlopes:
    """How probabilities and their slopes in theta change with parameter number p of the item: each (P, C, Q)."""

    probability: Matrix
    slope: Matrix  # of dP / d theta


def curve_slopes(items: Sequence[ItemParameters], scale: Scale, theta: Matrix) -> CurveSlopes:
    """Derivatives of all curves in the items' parameters by central differences.

    The curves of an item depend on its own parameters only, so that number p of all items is moved at once. Items with
    fewer than P parameters have zeros, and so have parameters that are fixed at an end of their range.
    """
    vectors = [parameter_vector(item) for item in items]
    P, Q = max(len(vector) for vector in vectors), len(theta)
    C = sum(item.categories for item in items)
    out = CurveSlopes(np.zeros((P, C, Q)), np.zeros((P, C, Q)))
    rows = np.repeat(np.arange(len(items)), [item.categories for item in items])
    for p in range(P):
        steps = np.array([_step(item, vector, p) for item, vector in zip(items, vectors, strict=True)])
        sides = []
        for sign in (1.0, -1.0):
            moved = []
            for item, vector, step in zip(items, vectors, steps, strict=True):
                other = vector.copy()
                if step:
                    other[p] += sign * step
                moved.append(with_parameters(item, other))
            sides.append(_curves_and_slopes(moved, scale, theta))
        width = np.where(steps > 0, 2 * steps, np.inf)[rows][:, None]
        out.probability[p] = (sides[0][0] - sides[1][0]) / width
        out.slope[p] = (sides[0][1] - sides[1][1]) / width
    return out


def _curves_and_slopes(items: Sequence[ItemParameters], scale: Scale, theta: Matrix) -> tuple[Matrix, Matrix]:
    curves = Curves.of(items, scale)
    P = curves.probability(theta)
    return P, P * curves.log_derivatives(theta)[0]


def _step(item: ItemParameters, vector: Matrix, p: int) -> float:
    if p >= len(vector):
        return 0.0
    name = item.parameter_names[p]
    if name == "c":
        return min(_STEP, item.c / 2, (item.d - item.c) / 2)
    if name == "d":
        return min(_STEP, (1 - item.d) / 2, (item.d - item.c) / 2)
    if item.model == "GRM" and name != "a":
        gaps = np.diff(item.b)
        return float(min(_STEP, gaps.min() / 4)) if len(gaps) else _STEP
    return _STEP
