"""Posterior distributions of ability on a quadrature: their moments, the chance to be above a cut, draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import Block, ResponseBlocks
from calibration.estimation.likelihood import log_likelihood
from calibration.scoring.quadrature import Quadrature

Matrix = NDArray[np.float64]


def posterior(block: Block, quadrature: Quadrature, layout: ResponseBlocks) -> Matrix:
    """Posterior weights of a block's persons at the nodes, (n, Q), rows summing to 1."""
    log_density = log_likelihood(block, quadrature.log_probability, layout)
    log_density += quadrature.log_density[block.group]
    return normalised(log_density)


def normalised(log_density: Matrix) -> Matrix:
    """The rows of exp(log_density), made to sum to 1, in place."""
    log_density -= log_density.max(axis=1, keepdims=True)
    density = np.exp(log_density, out=log_density)
    density /= density.sum(axis=1, keepdims=True)
    return density


def moments(density: Matrix, nodes: Matrix) -> tuple[Matrix, Matrix]:
    """Means and standard deviations of posteriors (n, Q), each (n,)."""
    middle = nodes[len(nodes) // 2]  # squares of centred nodes lose fewer digits
    x = nodes - middle
    mean, square = (density @ np.stack([x, x**2], axis=1)).T
    return middle + mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def draws(density: Matrix, quadrature: Quadrature, uniform: Matrix) -> Matrix:
    """Plausible values (Mislevy, 1991): where the distribution functions of posteriors (n, Q) reach `uniform` (n, M).

    Between nodes the distribution function is the cubic that has the posterior's density as its slope at both.
    """
    nodes, h = quadrature.nodes, quadrature.spacing
    distribution = np.clip(density @ (1 - quadrature.above(nodes)), 0.0, 1.0)
    distribution = np.maximum.accumulate(distribution, axis=1)
    out = np.empty_like(uniform)
    rows = np.arange(len(density))
    for m in range(uniform.shape[1]):
        u = uniform[:, m]
        cell = np.clip((distribution < u[:, None]).sum(axis=1) - 1, 0, len(nodes) - 2)
        low, high = distribution[rows, cell], distribution[rows, cell + 1]
        out[:, m] = nodes[cell] + h * _inverse_cubic(u, low, high, density[rows, cell], density[rows, cell + 1])
    return out


def _inverse_cubic(u: Matrix, low: Matrix, high: Matrix, slope_low: Matrix, slope_high: Matrix) -> Matrix:
    """Where in [0, 1] the Hermite cubic from `low` to `high` with these slopes reaches u, by bisection and Newton."""
    a, b = np.zeros_like(u), np.ones_like(u)
    x = np.clip((u - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
    for _ in range(30):
        value = (
            (1 + 2 * x) * (1 - x) ** 2 * low
            + x**2 * (3 - 2 * x) * high
            + x * (1 - x) ** 2 * slope_low
            - x**2 * (1 - x) * slope_high
        )
        a, b = np.where(value < u, x, a), np.where(value < u, b, x)
        slope = 6 * x * (1 - x) * (high - low) + (1 - x) * (1 - 3 * x) * slope_low + x * (3 * x - 2) * slope_high
        step = x - np.divide(value - u, slope, out=np.full_like(u, np.inf), where=slope > 1e-300)
        new = np.where((step >= a) & (step <= b), step, (a + b) / 2)
        if np.abs(new - x).max(initial=0.0) < 1e-10:
            return new
        x = new
    return x
