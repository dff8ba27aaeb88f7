"""Cumulative logit regression (McCullagh, 1980), which for two categories is logistic regression.

P(Y ≥ k | x) = logistic(α_k + x β), α_1 > … > α_{K-1}, fitted to counts of the categories at each x by Fisher scoring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MAX_ITERATIONS = 60
FARTHEST = 30.0  # a linear predictor beyond separates the data: there is no finite estimate


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """Slopes β with standard errors, thresholds α, and the log-likelihood; `converged` is False where data separate."""

    slopes: FloatArray
    se: FloatArray
    thresholds: FloatArray
    log_likelihood: float
    converged: bool


def ordinal_regression(counts: FloatArray, x: FloatArray) -> OrdinalFit:
    """Fit to `counts` (L, K) of the categories in each of L cells with covariates `x` (L, p), without an intercept.

    Categories that nobody has are joined to the next one: their threshold is at infinity and says nothing.
    """
    counts = counts[:, counts.sum(axis=0) > 0]
    K, p = counts.shape[1], x.shape[1]
    if K < 2:
        return OrdinalFit(np.full(p, np.nan), np.full(p, np.nan), np.zeros(0), 0.0, converged=False)
    above = counts[:, ::-1].cumsum(axis=1)[:, ::-1].sum(axis=0)
    share = above[1:] / above[0]
    beta = np.concatenate([np.log(share / (1 - share)), np.zeros(p)])
    value, gradient, information = _derivatives(counts, x, beta)
    converged = False
    for _ in range(MAX_ITERATIONS):
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        if float(step @ gradient) < 1e-12 * (1 + abs(value)):
            converged = True
            break
        trial = _derivatives(counts, x, beta + step)
        while not trial[0] >= value - 1e-10 * abs(value):  # also while thresholds are out of order (NaN)
            step /= 2
            trial = _derivatives(counts, x, beta + step)
        beta = np.asarray(beta + step)
        value, gradient, information = trial
        if np.abs(beta[: K - 1]).max() > FARTHEST or np.abs(x @ beta[K - 1 :]).max() > FARTHEST:
            break
    se = np.sqrt(np.diag(np.linalg.inv(information))[K - 1 :]) if converged else np.full(p, np.nan)
    return OrdinalFit(beta[K - 1 :], se, beta[: K - 1], float(value), converged)


def _derivatives(counts: FloatArray, x: FloatArray, beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, gradient, and Fisher information of (α, β)."""
    L, K = counts.shape
    z = beta[: K - 1] + (x @ beta[K - 1 :])[:, None]
    upper = 1 / (1 + np.exp(-z))
    P = -np.diff(np.column_stack([np.ones(L), upper, np.zeros(L)]), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(np.sum(counts * np.log(P), where=counts > 0))
        slope = upper * (1 - upper)
        score = slope * (counts[:, 1:] / P[:, 1:] - counts[:, :-1] / P[:, :-1])
        n = counts.sum(axis=1)
        diagonal = n[:, None] * slope**2 * (1 / P[:, 1:] + 1 / P[:, :-1])
        beside = -n[:, None] * slope[:, :-1] * slope[:, 1:] / P[:, 1:-1]
    design = np.concatenate(
        [np.broadcast_to(np.eye(K - 1), (L, K - 1, K - 1)), np.repeat(x[:, None, :], K - 1, axis=1)], axis=2
    )
    gradient = np.einsum("lk,lkm->m", score, design)
    information = np.einsum("lk,lkm,lkn->mn", diagonal, design, design)
    if K > 2:
        cross = np.einsum("lk,lkm,lkn->mn", beside, design[:, :-1], design[:, 1:])
        information = information + cross + cross.T
    return value, gradient, information
