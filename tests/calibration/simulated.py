"""Responses drawn from known parameters, for tests that ask whether the parameters come back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration import ItemParameters, Responses
from calibration.models import DICHOTOMOUS

Array = NDArray[np.float64]


def probabilities(item: ItemParameters, theta: Array) -> Array:
    """P of each category (K, Q) at abilities (Q,), D = 1: the models' formulas, written apart from the product's."""
    theta = np.asarray(theta, float)
    b = np.array(item.b)
    if item.model in DICHOTOMOUS:
        right = item.c + (item.d - item.c) / (1 + np.exp(-item.a * (theta - b[0])))
        return np.stack([1 - right, right])
    if item.model == "GRM":
        least = 1 / (1 + np.exp(-item.a * (theta - b[:, None])))  # P(X ≥ k)
        edges = np.vstack([np.ones_like(theta), least, np.zeros_like(theta)])
        return -np.diff(edges, axis=0)
    if item.model == "NRM":
        odds = np.exp(np.array(item.slopes)[:, None] * theta + np.array(item.intercepts)[:, None])
    else:
        steps = item.a * (theta - b[:, None])
        odds = np.exp(np.vstack([np.zeros_like(theta), np.cumsum(steps, axis=0)]))
    return np.asarray(odds / odds.sum(axis=0))


def draw(rng: np.random.Generator, items: Sequence[ItemParameters], theta: Array) -> Array:
    """Scores (N, J) of persons theta (N,), or theta (N, J) where each item is answered at an ability of its own."""
    own = np.broadcast_to(np.reshape(theta, (len(theta), -1)), (len(theta), len(items)))
    columns = []
    for j, item in enumerate(items):
        least = np.cumsum(probabilities(item, own[:, j]), axis=0)[:-1]
        columns.append((rng.random(len(own)) > least).sum(axis=0))
    return np.stack(columns, axis=1).astype(float)


def responses_to(items: Sequence[ItemParameters], scores: Array, **kept: Array) -> Responses:
    return Responses.from_matrix(scores, [item.id for item in items], **kept)


def some_items(model: str, J: int = 4, K: int = 4) -> list[ItemParameters]:
    """J items of a model, K categories where it may have more than two, unlike each other, on N(0, 1)."""
    location = np.linspace(-0.9, 0.9, J) if J > 1 else np.zeros(1)
    slope = np.tile([0.8, 1.4, 1.1, 1.7], J)[:J]
    steps = np.linspace(-1, 1, K - 1)
    items = []
    for j, (at, a) in enumerate(zip(location, slope, strict=True)):
        name, fixed = f"{model}{j}", model in {"Rasch", "PCM", "RSM"}
        one = 1.2 if model == "1PL" else a
        if model == "NRM":
            slopes = (0.0, *(a * np.arange(1, K) * np.linspace(0.7, 1, K - 1)))
            items.append(ItemParameters(name, model, slopes=slopes, intercepts=(0.0, *(-at - steps))))
        elif model in DICHOTOMOUS:
            c, d = (0.2 if model in {"3PL", "4PL"} else 0.0), (0.95 if model == "4PL" else 1.0)
            items.append(ItemParameters(name, model, 1.0 if fixed else float(one), (float(at),), c, d))
        else:
            b = tuple(float(at + s * (1 if model == "RSM" else 0.7 + 0.2 * (j % 4))) for s in steps)
            items.append(ItemParameters(name, model, 1.0 if fixed else float(a), b))
    return items


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
