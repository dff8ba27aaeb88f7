"""SIBTEST: do equally able persons of two groups differ on an item, matched by the score on the other items?

Shealy & Stout (1993), for polytomous items Chang, Mazzeo & Roussos (1996): no model of the item is needed. As the
matching score is fallible, the groups' item means at a score are moved to where both groups have the same true score
(the regression correction). Persons are matched within sets who had the same items; sets are pooled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import block_responses
from calibration.false_discovery import benjamini_hochberg
from calibration.fit.persons import FitError, same_item_sets
from calibration.responses import Responses

Matrix = NDArray[np.float64]

LEAST_AT_SCORE = 2  # persons of each group at a matching score for it to count
SMALL, LARGE = 0.059, 0.088  # of the maximum score (Roussos & Stout, 1996)


@dataclass(frozen=True, slots=True)
class SibtestResult:
    """One item: `beta` is the reference group's mean less the focal group's, over the item's maximum score.

    `n_reference` and `n_focal` were matched. `size` is A, B or C: |beta| below 0.059, below 0.088, or more (Roussos &
    Stout, 1996). `flagged`: beyond chance at a false discovery rate of 5 % and B or C.
    """

    item: str
    reference: str
    focal: str
    n_reference: float
    n_focal: float
    beta: float
    se: float
    p: float
    size: str
    flagged: bool = False

    def row(self) -> dict[str, object]:
        """The result as one row."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class _Pool:
    weighted: float = 0.0
    variance: float = 0.0
    persons: float = 0.0
    reference: float = 0.0
    focal: float = 0.0


def sibtest(
    responses: Responses,
    *,
    reference: str | None = None,
    focal: str | None = None,
    matching: tuple[str, ...] | None = None,
    rate: float = 0.05,
) -> tuple[SibtestResult, ...]:
    """SIBTEST of every item against the others, or against the items of `matching` (a studied item is left out of it).

    Raises FitError without two groups.
    """
    from scipy.special import ndtr  # noqa: PLC0415  (0.1 s at import)

    names = responses.groups
    if responses.group is None or len(names) < 2:
        raise FitError("the responses are of one group; name the column that tells groups apart")
    first = reference or names[0]
    second = focal or next(name for name in names if name != first)
    if not {first, second} <= set(names):
        raise FitError(f"no groups {first!r} and {second!r}; the groups are {', '.join(names)}")
    layout = block_responses(responses)
    pools = [_Pool() for _ in responses.items]
    match = np.array([matching is None or name in matching for name in responses.items])
    for same in same_item_sets(layout):
        own = [same.group == names.index(g) for g in (first, second)]
        groups = [(same.codes[rows].astype(float), same.weight[rows]) for rows in own]
        if min(w.sum() for _, w in groups) < 2 * LEAST_AT_SCORE:
            continue
        for column, j in enumerate(same.items):
            others = match[same.items]
            others[column] = False
            if others.sum() >= 2:
                _add(pools[j], [(x[:, column], x[:, others], w) for x, w in groups], int(layout.categories[j]) - 1)
    rows = []
    for name, pool in zip(responses.items, pools, strict=True):
        if not pool.persons or pool.variance <= 0:
            continue
        beta, se = pool.weighted / pool.persons, float(np.sqrt(pool.variance)) / pool.persons
        rows.append(
            SibtestResult(
                item=name,
                reference=first,
                focal=second,
                n_reference=pool.reference,
                n_focal=pool.focal,
                beta=beta,
                se=se,
                p=float(2 * ndtr(-abs(beta / se))),
                size="A" if abs(beta) < SMALL else "B" if abs(beta) < LARGE else "C",
            )
        )
    beyond = benjamini_hochberg(np.array([row.p for row in rows]), rate)
    return tuple(replace(row, flagged=bool(hit) and row.size != "A") for row, hit in zip(rows, beyond, strict=True))


_Part = tuple[
    Matrix, Matrix, Matrix
]  # of one group: item scores (n,), scores on the matching items (n, m), weights (n,)


def _add(pool: _Pool, groups: list[_Part], top: int) -> None:
    """Add one set's matching scores to an item's pool."""
    most = int(max(others.sum(axis=1).max() for _, others, _ in groups))
    n, mean, variance, true = (np.zeros((2, most + 1)) for _ in range(4))
    for g, (score, others, weight) in enumerate(groups):
        at = others.sum(axis=1).astype(np.intp)
        n[g] = np.bincount(at, weight, most + 1)
        first, second = (np.bincount(at, weight * score**power, most + 1) for power in (1, 2))
        mean[g] = np.divide(first, n[g], out=np.zeros(most + 1), where=n[g] > 0)
        spread = np.divide(second, n[g], out=np.zeros(most + 1), where=n[g] > 0) - mean[g] ** 2
        variance[g] = np.maximum(spread, 0.0) * n[g] / np.maximum(n[g] - 1, 1.0)
        centre = float(np.average(at, weights=weight))
        true[g] = centre + _alpha(others, weight) * (np.arange(most + 1) - centre)
    counted = np.flatnonzero((n >= LEAST_AT_SCORE).all(axis=0))
    if len(counted) < 3:
        return
    before, at, after = counted[:-2], counted[1:-1], counted[2:]
    slope = (mean[:, after] - mean[:, before]) / np.maximum(true[:, after] - true[:, before], 1e-9)
    moved = mean[:, at] + slope * (true[:, at].mean(axis=0) - true[:, at])
    persons = n[:, at].sum(axis=0)
    pool.weighted += float(persons @ (moved[0] - moved[1])) / top
    pool.variance += float(persons**2 @ (variance[:, at] / n[:, at]).sum(axis=0)) / top**2
    pool.persons += float(persons.sum())
    pool.reference += float(n[0, at].sum())
    pool.focal += float(n[1, at].sum())


def _alpha(scores: Matrix, weight: Matrix) -> float:
    """Cronbach's alpha, between 0.1 and 1: how much of a matching score is true."""
    covariance = np.cov(scores, rowvar=False, aweights=weight)
    total, m = covariance.sum(), scores.shape[1]
    alpha = m / (m - 1) * (1 - np.trace(covariance) / total) if total > 0 else 0.0
    return float(np.clip(alpha, 0.1, 1.0))
