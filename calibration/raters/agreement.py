"""Do raters agree, and whose marks need a third scorer?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, Responses, ResponsesError

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]

THIRD_SCORER_GAP = 0.30  # of the item's marks
NONE: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """Of n targets scored by k raters each, with intervals at `level`; names as in Shrout and Fleiss (1979).

    `icc1` (each target has raters of its own), `icc2` (the same raters, drawn at random: absolute agreement), `icc3`
    (these raters: consistency); `…k` are those of the mean of the k raters. `icc2` and `icc3` are NaN in a one-way
    design, where `k` is the average number of raters.
    """

    n: int
    k: float
    icc1: float
    icc1_interval: Interval
    icc1k: float
    icc1k_interval: Interval
    icc2: float
    icc2_interval: Interval
    icc2k: float
    icc2k_interval: Interval
    icc3: float
    icc3_interval: Interval
    icc3k: float
    icc3k_interval: Interval
    level: float


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's weighted kappa of two raters, its standard error, and the n ratings behind it."""

    kappa: float
    se: float
    n: float


@dataclass(frozen=True, slots=True)
class RaterPair:
    """Two raters on one item (or all): how often they agree, by how much the second is more generous, and kappas."""

    item: str
    raters: tuple[str, str]
    n: int
    exact: float
    adjacent: float
    difference: float
    kappa: Kappa
    linear: Kappa
    quadratic: Kappa


@dataclass(frozen=True, slots=True)
class ThirdScorer:
    """A response whose raters differ by more than the share allowed of the item's marks."""

    person: str
    item: str
    scores: Mapping[str, int]
    gap: int
    top: int


def intraclass_correlations(table: FloatArray, *, level: float = 0.95) -> IntraclassCorrelations:
    """From a complete table of scores, targets × raters (n, k) (Shrout & Fleiss, 1979; McGraw & Wong, 1996, table 7).

    Raises ResponsesError for fewer than two targets or raters, or a gap in the table.
    """
    n, k = table.shape
    if n < 2 or k < 2 or np.isnan(table).any():
        raise ResponsesError("intraclass correlations need a complete table of two targets and two raters at least")
    grand = table.mean()
    between = k * float(np.sum((table.mean(axis=1) - grand) ** 2)) / (n - 1)
    raters = n * float(np.sum((table.mean(axis=0) - grand) ** 2)) / (k - 1)
    within = float(np.sum((table - table.mean(axis=1, keepdims=True)) ** 2)) / (n * (k - 1))
    error = (within * n * (k - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    one, one_interval = _one_way(between, within, n, k, level)
    F, df = _ratio(between, error), ((n - 1), (n - 1) * (k - 1))
    low, high = _f_limits(F, *df, level)
    two = _ratio(between - error, between + (k - 1) * error + k * (raters - error) / n)
    two_interval = _agreement_interval(between, raters, error, two, n, k, level)
    return IntraclassCorrelations(
        n=n,
        k=k,
        icc1=one,
        icc1_interval=one_interval,
        icc1k=_mean_of(one, k),
        icc1k_interval=(_mean_of(one_interval[0], k), _mean_of(one_interval[1], k)),
        icc2=two,
        icc2_interval=two_interval,
        icc2k=_ratio(between - error, between + (raters - error) / n),
        icc2k_interval=(_mean_of(two_interval[0], k), _mean_of(two_interval[1], k)),
        icc3=_ratio(between - error, between + (k - 1) * error),
        icc3_interval=((low - 1) / (low + k - 1), (high - 1) / (high + k - 1)),
        icc3k=_ratio(between - error, between),
        icc3k_interval=(1 - 1 / low, 1 - 1 / high) if low > 0 else NONE,
        level=level,
    )


def one_way_correlation(groups: Sequence[FloatArray], *, level: float = 0.95) -> IntraclassCorrelations:
    """ICC(1) where targets have different raters, and different numbers of them (McGraw & Wong, 1996, case 1).

    `groups` holds the scores of each target; those with one score say nothing. The interval takes the average number
    of raters n_0 = (Σk - Σk² / Σk) / (n - 1) for k.
    """
    many = [np.asarray(scores, float) for scores in groups if len(scores) > 1]
    if len(many) < 2:
        raise ResponsesError("two targets with two scores each are the least for an intraclass correlation")
    sizes = np.array([len(scores) for scores in many])
    means = np.array([scores.mean() for scores in many])
    n, total = len(many), int(sizes.sum())
    grand = float(sizes @ means) / total
    between = float(sizes @ (means - grand) ** 2) / (n - 1)
    within = sum(float(np.sum((scores - m) ** 2)) for scores, m in zip(many, means, strict=True)) / (total - n)
    k = (total - float(np.sum(sizes**2)) / total) / (n - 1)
    one, interval = _one_way(between, within, n, k, level)
    nan = float("nan")
    return IntraclassCorrelations(
        n,
        k,
        one,
        interval,
        _mean_of(one, k),
        (_mean_of(interval[0], k), _mean_of(interval[1], k)),
        *(nan, NONE) * 4,
        level=level,
    )


def weighted_kappa(table: FloatArray, weights: str = "quadratic") -> Kappa:
    """Kappa of a table of counts (K, K), first rater × second (Cohen, 1960, 1968).

    `weights` of agreement: `none`, `linear` 1 - |i - j| / (K - 1), or `quadratic` 1 - (i - j)² / (K - 1)². Standard
    error by Fleiss, Cohen and Everitt (1969, eq. 13). NaN where both raters used one category only.
    """
    K, n = len(table), float(table.sum())
    gap = np.abs(np.subtract.outer(np.arange(K), np.arange(K))) / max(K - 1, 1)
    powers = {"none": (gap > 0).astype(float), "linear": gap, "quadratic": gap**2}
    if weights not in powers:
        raise ResponsesError(f"weights {weights!r}; choose none, linear or quadratic")
    w = 1 - powers[weights]
    P = table / n
    rows, columns = P.sum(axis=1), P.sum(axis=0)
    observed, expected = float(np.sum(w * P)), float(rows @ w @ columns)
    if expected >= 1:
        return Kappa(float("nan"), float("nan"), n)
    by_row, by_column = w @ columns, rows @ w
    spread = w * (1 - expected) - (by_row[:, None] + by_column[None, :]) * (1 - observed)
    variance = float(np.sum(P * spread**2)) - (observed * expected - 2 * expected + observed) ** 2
    return Kappa((observed - expected) / (1 - expected), float(np.sqrt(max(variance, 0) / n) / (1 - expected) ** 2), n)


def rater_pairs(responses: Responses) -> tuple[RaterPair, ...]:
    """Every two raters who scored the same persons on an item, item by item; `*` is all items together."""
    rows, raters = rated(responses)
    found: list[RaterPair] = []
    pooled: dict[tuple[int, int], list[FloatArray]] = {}
    for j, item in enumerate(responses.items):
        table = _table(responses, rows, raters, j)
        for first, second in combinations(np.flatnonzero((~np.isnan(table)).any(axis=0)), 2):
            both = table[~np.isnan(table[:, [first, second]]).any(axis=1)][:, [first, second]]
            if len(both):
                pooled.setdefault((int(first), int(second)), []).append(both)
                found.append(_pair(item, responses, int(first), int(second), both))
    if len(responses.items) > 1:
        found += [
            _pair("*", responses, first, second, np.concatenate(parts)) for (first, second), parts in pooled.items()
        ]
    return tuple(found)


def rater_agreement(responses: Responses, *, level: float = 0.95) -> dict[str, IntraclassCorrelations]:
    """Intraclass correlations of each item: two-way where the same raters scored everybody, else one-way.

    Persons scored once say nothing about agreement; items with fewer than two persons scored twice are left out.
    """
    rows, raters = rated(responses)
    results = {}
    for j, item in enumerate(responses.items):
        table = _table(responses, rows, raters, j)
        scored = ~np.isnan(table)
        table, scored = table[scored.sum(axis=1) > 1], scored[scored.sum(axis=1) > 1]
        if len(table) < 2:
            continue
        used = scored.any(axis=0)
        if scored[:, used].all():
            results[item] = intraclass_correlations(table[:, used], level=level)
        else:
            results[item] = one_way_correlation([row[has] for row, has in zip(table, scored, strict=True)], level=level)
    return results


def third_scorer(
    responses: Responses, *, gap: float = THIRD_SCORER_GAP, top: Mapping[str, int] | None = None
) -> tuple[ThirdScorer, ...]:
    """Responses whose raters differ by more than `gap` of the item's marks: a third rater should look.

    `top` gives the marks of items; without it the highest score seen on the item stands for them.
    """
    responses = responses.unshifted()
    rows, raters = rated(responses)
    flags = []
    highest = np.zeros(len(responses.items), int)
    np.maximum.at(highest, responses.item[rows], responses.score[rows])
    pair = responses.person[rows].astype(np.int64) * len(responses.items) + responses.item[rows]
    for mine in np.split(rows, np.flatnonzero(np.diff(pair)) + 1):
        j = int(responses.item[mine[0]])
        marks = (top or {}).get(responses.items[j], int(highest[j]))
        scores = responses.score[mine]
        spread = int(scores.max() - scores.min()) if len(mine) else 0
        if spread > gap * marks:
            given = {responses.raters[r]: int(s) for r, s in zip(raters[mine], scores, strict=True)}
            flags.append(
                ThirdScorer(responses.persons[responses.person[mine[0]]], responses.items[j], given, spread, marks)
            )
    return tuple(flags)


def rated(responses: Responses) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The rows with a score, and the rater of every row. Raises ResponsesError where no raters are named."""
    if responses.rater is None:
        raise ResponsesError("the responses name no raters: add a rater column")
    return np.flatnonzero(responses.status != NOT_REACHED), responses.rater


def _table(responses: Responses, rows: NDArray[np.intp], raters: NDArray[np.int32], item: int) -> FloatArray:
    """Scores of an item's persons by each rater, (n, R), NaN where a rater did not score them."""
    mine = rows[responses.item[rows] == item]
    persons, row = np.unique(responses.person[mine], return_inverse=True)
    table = np.full((len(persons), len(responses.raters)), np.nan)
    table[row, raters[mine]] = responses.score[mine]
    return table


def _pair(item: str, responses: Responses, first: int, second: int, both: FloatArray) -> RaterPair:
    K = int(both.max()) + 1
    counts = np.bincount((both[:, 0] * K + both[:, 1]).astype(int), minlength=K * K).reshape(K, K).astype(float)
    gap = both[:, 1] - both[:, 0]
    return RaterPair(
        item=item,
        raters=(responses.raters[first], responses.raters[second]),
        n=len(both),
        exact=float(np.mean(gap == 0)),
        adjacent=float(np.mean(np.abs(gap) <= 1)),
        difference=float(gap.mean()),
        kappa=weighted_kappa(counts, "none"),
        linear=weighted_kappa(counts, "linear"),
        quadratic=weighted_kappa(counts, "quadratic"),
    )


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else float("nan")


def _mean_of(icc: float, k: float) -> float:
    """Spearman and Brown's reliability of the mean of k raters."""
    return k * icc / (1 + (k - 1) * icc)


def _f_limits(F: float, df1: float, df2: float, level: float) -> Interval:
    from scipy.special import fdtri  # noqa: PLC0415  (scipy is not loaded with the package)

    p = (1 + level) / 2
    return float(F / fdtri(df1, df2, p)), float(F * fdtri(df2, df1, p))


def _one_way(between: float, within: float, n: int, k: float, level: float) -> tuple[float, Interval]:
    if within <= 0:
        return (1.0, (1.0, 1.0)) if between > 0 else (float("nan"), NONE)
    low, high = _f_limits(between / within, n - 1, n * (k - 1), level)
    return (between - within) / (between + (k - 1) * within), ((low - 1) / (low + k - 1), (high - 1) / (high + k - 1))


def _agreement_interval(
    between: float, raters: float, error: float, icc: float, n: int, k: int, level: float
) -> Interval:
    """McGraw and Wong (1996, table 7), ICC(A,1), with Satterthwaite's degrees of freedom."""
    from scipy.special import fdtri  # noqa: PLC0415

    if not np.isfinite(icc) or error <= 0 or icc >= 1:
        return NONE
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    v = (a * raters + b * error) ** 2 / ((a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1)))
    p = (1 + level) / 2
    f_low, f_high = float(fdtri(n - 1, v, p)), float(fdtri(v, n - 1, p))
    rest = k * raters + (k * n - k - n) * error
    low = n * (between - f_low * error) / (f_low * rest + n * between)
    high = n * (f_high * between - error) / (rest + n * f_high * between)
    return low, high
