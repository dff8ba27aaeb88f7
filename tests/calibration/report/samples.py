"""Responses with groups, sets, raters and anchors, drawn from known parameters."""

from __future__ import annotations

import dataclasses

import numpy as np

from calibration import Responses


def grouped(*, persons: int = 900, seed: int = 7) -> Responses:
    """Three groups, 10 dichotomous items and two of four categories; I4 is harder for the last group.

    S1 … S4 share an effect of standard deviation 0.9.
    """
    rng = np.random.default_rng(seed)
    group = (np.arange(persons) % 3).astype(np.int32)
    theta = rng.normal(size=persons) + np.array([0.0, 0.5, -0.4])[group]
    shared = 0.9 * rng.normal(size=persons)
    columns, names = [], []
    for j, b in enumerate(np.linspace(-1.2, 1.2, 6)):
        moved = b + 1.2 * ((j == 3) & (group == 2))
        columns.append(rng.random(persons) < 1 / (1 + np.exp(-1.2 * (theta - moved))))
        names.append(f"I{j + 1}")
    for j, b in enumerate((-0.5, 0.0, 0.4, 0.8)):
        columns.append(rng.random(persons) < 1 / (1 + np.exp(-1.3 * (theta + shared - b))))
        names.append(f"S{j + 1}")
    for j in range(2):
        columns.append(partial_credit(rng, theta, np.array([-1.0, 0.2, 1.1]) + 0.3 * j))
        names.append(f"P{j + 1}")
    scores = np.stack(columns, axis=1).astype(float)
    return dataclasses.replace(Responses.from_matrix(scores, names), group=group, groups=("东", "中", "西"))


def partial_credit(rng: np.random.Generator, theta: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Scores (N,) of a partial credit item with steps b."""
    z = np.concatenate([np.zeros((len(theta), 1)), np.cumsum(theta[:, None] - b, axis=1)], axis=1)
    P = np.exp(z - z.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return (rng.random((len(theta), 1)) > np.cumsum(P, axis=1)).sum(axis=1)


def rated(*, persons: int = 300, seed: int = 5) -> Responses:
    """Five tasks, each marked by two of six raters; R1 marks at random, R6 is severe by 1 logit."""
    rng = np.random.default_rng(seed)
    theta = 1.2 * rng.normal(size=persons)
    severity = np.array([0.0, -0.5, -0.3, 0.0, 0.3, 1.0])
    rows = []
    for i in range(persons):
        for t in range(5):
            for r in sorted(rng.choice(6, 2, replace=False)):
                score = partial_credit(rng, theta[[i]], np.array([-1.2, 0, 1.2]) + 0.2 * (t - 2) + severity[r])[0]
                rows.append((i, t, r, rng.integers(4) if r == 0 and rng.random() < 0.5 else score))
    person, item, rater, score = np.array(rows).T
    return Responses(
        persons=tuple(f"考生{i + 1}" for i in range(persons)),
        items=tuple(f"任务{t + 1}" for t in range(5)),
        person=person.astype(np.int32),
        item=item.astype(np.int32),
        score=score.astype(np.int16),
        status=np.zeros(len(rows), np.uint8),
        weight=np.ones(persons),
        form=np.zeros(persons, np.int32),
        forms=("",),
        rater=rater.astype(np.int32),
        raters=tuple(f"R{r + 1}" for r in range(6)),
    )
