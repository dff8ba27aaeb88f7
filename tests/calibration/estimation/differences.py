"""Derivatives by differences, to hold the written ones against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.calibration.simulated import Array


def gradient_of(objective: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """Central differences of fourth order, (n,)."""
    near, far = h * np.eye(len(x)), 2 * h * np.eye(len(x))
    return np.array(
        [
            (8 * (objective(x + e) - objective(x - e)) - (objective(x + f) - objective(x - f))) / (12 * h)
            for e, f in zip(near, far, strict=True)
        ]
    )


def jacobian_of(function: Callable[[Array], Array], x: Array, h: float = 1e-4) -> Array:
    """Central differences of fourth order of a vector, (…, n)."""
    near, far = h * np.eye(len(x)), 2 * h * np.eye(len(x))
    columns = [
        (8 * (function(x + e) - function(x - e)) - (function(x + f) - function(x - f))) / (12 * h)
        for e, f in zip(near, far, strict=True)
    ]
    return np.stack(columns, axis=-1)


def hessian_of(objective: Callable[[Array], float], x: Array, h: float = 1e-3) -> Array:
    """Second differences, (n, n)."""
    n = len(x)
    steps = h * np.eye(n)
    H = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            plus = objective(x + steps[i] + steps[j]) - objective(x + steps[i] - steps[j])
            H[i, j] = H[j, i] = (plus - objective(x - steps[i] + steps[j]) + objective(x - steps[i] - steps[j])) / (
                4 * h * h
            )
    return H
