"""What marks do candidates of an ability expect of an item? By the formulas of the models, written out once more.

The recount uses these, and nothing of `calibration`: where the two differ, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import exp
from typing import Any

ADJACENT = frozenset({"PCM", "RSM", "GPCM"})


def expected_share(cells: Mapping[str, Any], theta: float, D: float) -> float:
    """The share of its marks that an item gives on average at `theta`, from the cells of its row of parameters.

    P = c + (d − c) / (1 + exp(−D a (θ − b))) where it is right or wrong (Birnbaum, 1968; d: Barton & Lord, 1981); else
    Σ mark_k P_k over the largest mark, a category k being worth k unless `mark0, mark1, …` say so.
    """
    listed = _listed(cells, "b", 1), _listed(cells, "slope", 0), _listed(cells, "intercept", 0)
    if not any(listed):
        return float(cells["c"] + (cells["d"] - cells["c"]) * _logistic(D * cells["a"] * (theta - cells["b"])))
    chances = _chances(str(cells["model"]).upper(), cells.get("a"), *listed, theta, D)
    marks = _listed(cells, "mark", 0) or list(range(len(chances)))
    return sum(mark * chance for mark, chance in zip(marks, chances, strict=True)) / max(marks)


def _chances(
    model: str,
    a: float | None,
    b: Sequence[float],
    slopes: Sequence[float],
    intercepts: Sequence[float],
    theta: float,
    D: float,
) -> list[float]:
    """P of each category: graded by differences of cumulative curves (Samejima, 1969), else in proportion to exp(z_k).

    z_k is D (slope_k θ) + intercept_k (Bock, 1972), or the sum of D a (θ − b_h) over the steps h up to k (Masters,
    1982; Andrich, 1978; Muraki, 1992).
    """
    slope = 1.0 if a is None else a
    if model in ADJACENT:
        z = [0.0, *accumulate(D * slope * (theta - step) for step in b)]
    elif model == "GRM":
        at_least = [1.0, *(_logistic(D * slope * (theta - step)) for step in b), 0.0]
        return [at_least[k] - at_least[k + 1] for k in range(len(b) + 1)]
    else:
        z = [D * rise * theta + start for rise, start in zip(slopes, intercepts, strict=True)]
    top = max(z)
    weights = [exp(one - top) for one in z]
    return [weight / sum(weights) for weight in weights]


def _logistic(z: float) -> float:
    """1 / (1 + exp(−z)), whatever the size of z."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def _listed(cells: Mapping[str, Any], kind: str, first: int) -> list[float]:
    """The values of `kind1, kind2, …` as far as they go."""
    values: list[float] = []
    while isinstance(cells.get(f"{kind}{first + len(values)}"), float | int):
        values.append(float(cells[f"{kind}{first + len(values)}"]))
    return values
