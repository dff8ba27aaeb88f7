"""Responses drawn from known parameters, for tests that ask whether the parameters come back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def two_parameter_scores(rng: np.random.Generator, theta: Array, a: Array, b: Array) -> Array:
    """Scores (N, J) of persons theta (N,) on items a, b (J,)."""
    P = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
    return (rng.random(P.shape) < P).astype(float)


def booklets(scores: Array, rng: np.random.Generator, deals: int = 2, parts: int = 2) -> Array:
    """The same scores with NaN off each person's booklet: every item stands on `deals` of the deals * parts booklets.

    Persons are divided equally among the booklets.
    """
    N, J = scores.shape
    seen = np.full_like(scores, np.nan)
    of_person = np.arange(N) * deals * parts // N
    for deal in range(deals):
        order = rng.permutation(J)
        for part in range(parts):
            items = order[part * J // parts : (part + 1) * J // parts]
            cells = np.ix_(np.flatnonzero(of_person == deal * parts + part), items)
            seen[cells] = scores[cells]
    return seen
