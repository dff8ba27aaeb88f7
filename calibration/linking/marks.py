"""Marks of a form: their common unit, and how likely each sum of marks is at an ability."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from calibration.linking.errors import LinkError
from calibration.models import Curves, ItemParameters
from calibration.scoring.sum_scores import sum_score_likelihood

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
