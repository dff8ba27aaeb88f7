"""Marks of a form: their common unit, and how likely each sum of marks is at an ability."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from calibration.linking.errors import LinkError
from calibration.models import Curves, ItemParameters

Matrix = NDArray[np.float64]


def marks_unit(items: Sequence[ItemParameters]) -> float:
    """The greatest common divisor of all differences between categories' marks: 0.5 where items carry 0.5, 1 and 2.

    Raises LinkError for marks that have none (finer than thousandths), naming the item.
    """
    steps: set[Fraction] = set()
    for item in items:
        marks = [Fraction(mark).limit_denominator(1000) for mark in item.category_marks]
        if any(abs(float(exact) - mark) > 1e-9 for exact, mark in zip(marks, item.category_marks, strict=True)):
            raise LinkError(f"item {item.id}: marks {item.category_marks} are finer than thousandths; round them")
        steps |= {abs(mark - marks[0]) for mark in marks[1:]}
    steps -= {Fraction(0)}
    if not steps:
        raise LinkError("every category of every item has the same marks: there are no sums to equate")
    denominator = lcm(*(step.denominator for step in steps))
    return gcd(*(int(step * denominator) for step in steps)) / denominator


def sum_distribution(items: Sequence[ItemParameters], curves: Curves, theta: Matrix) -> tuple[Matrix, Matrix]:
    """All sums of marks from the least to the most, one unit apart (S,), and P(sum | theta) (S, Q)."""
    unit = marks_unit(items)
    scores, likelihood = sum_score_likelihood(curves.probability(theta), curves.start, curves.marks)
    least = sum(min(item.category_marks) for item in items)
    most = sum(max(item.category_marks) for item in items)
    n = round((most - least) / unit) + 1
    grid, whole = least + unit * np.arange(n), np.zeros((n, len(theta)))
    np.add.at(whole, np.rint((scores - least) / unit).astype(int), likelihood)
    return np.asarray(grid, float), whole


# TO BE REPLACED at merge by `calibration.scoring.sum_scores.sum_score_likelihood`, which has this signature.
def sum_score_likelihood(probability: Matrix, start: NDArray[np.intp], marks: Matrix) -> tuple[Matrix, Matrix]:
    """P(sum of marks | theta) by the recursion of Lord & Wingersky (1984) on the marks' greatest common divisor.

    `probability` (C, Q), `start` (J + 1,) and `marks` (C,) are those of `Curves`. Gives sums (S,) and (S, Q).
    """
    J = len(start) - 1
    lowest = np.array([marks[start[j] : start[j + 1]].min() for j in range(J)])
    steps = [
        Fraction(float(mark - lowest[j])).limit_denominator(1000)
        for j in range(J)
        for mark in marks[start[j] : start[j + 1]]
    ]
    denominator = lcm(*(step.denominator for step in steps))
    whole = gcd(*(int(step * denominator) for step in steps)) or 1
    units = np.array([int(step * denominator) // whole for step in steps])
    tops = [int(units[start[j] : start[j + 1]].max()) for j in range(J)]
    total = np.zeros((sum(tops) + 1, probability.shape[1]))
    total[0] = 1.0
    reached = 0
    for j in range(J):
        after = np.zeros_like(total)
        for row in range(start[j], start[j + 1]):
            after[units[row] : units[row] + reached + 1] += total[: reached + 1] * probability[row]
        total, reached = after, reached + tops[j]
    return np.asarray(lowest.sum() + whole / denominator * np.arange(len(total)), float), total
