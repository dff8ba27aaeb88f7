"""Bookmark standard setting, and cuts from what is known of candidates: borderline and contrasting groups.

Items stand in a booklet by the ability at which a candidate does them with the response probability (2/3 by default);
a judge puts the bookmark on the first page that the barely qualified would not master (Lewis, Mitzel & Green, 1996).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.classical.angoff import StandardSettingError
from calibration.classical.ordinal import ordinal_regression
from calibration.models.curves import Curves
from calibration.models.parameters import ItemParameters, Scale

FloatArray = NDArray[np.float64]

RESPONSE_PROBABILITY = 2 / 3
FARTHEST = 20.0  # standard deviations: beyond, an item is never done with that probability


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ordered booklet: an item, the score on it that counts as done, and where it is done."""

    page: int
    item: str
    score: int
    theta: float


@dataclass(frozen=True, slots=True)
class BookmarkCut:
    """The cut: theta, its standard error over judges, marks expected there, their share of all, each judge's theta."""

    theta: float
    se: float
    marks: float
    share: float
    total_marks: float
    judges: Mapping[str, float]
    statistic: str
    response_probability: float


def ordered_booklet(
    items: Sequence[ItemParameters], scale: Scale | None = None, *, response_probability: float = RESPONSE_PROBABILITY
) -> tuple[Page, ...]:
    """The pages in order: every score from 1 of every item at the theta where P(score or better) is reached.

    Ties go by item. Raises StandardSettingError for a nominal item and for one that guessing alone solves that often,
    or that nobody ever does.
    """
    if not 0 < response_probability < 1:
        raise StandardSettingError(f"response probability {response_probability:g}; expected a number between 0 and 1")
    nominal = next((item.id for item in items if item.model == "NRM"), None)
    if nominal is not None:
        raise StandardSettingError(f"item {nominal}: a nominal item has no order of scores")
    scale = scale or Scale()
    curves = Curves.of(items, scale)
    of_item = np.repeat(np.arange(len(items)), curves.categories)
    score = np.arange(len(of_item)) - curves.start[of_item]
    rows = np.flatnonzero(score > 0)
    low = np.full(len(rows), scale.mean - FARTHEST * scale.sd)
    high = np.full(len(rows), scale.mean + FARTHEST * scale.sd)
    for _ in range(60):
        middle = (low + high) / 2
        reached = _or_better(curves, rows, of_item, middle) >= response_probability
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    theta = (low + high) / 2
    for row, place in zip(rows, theta, strict=True):
        if abs(place - scale.mean) > (FARTHEST - 1e-6) * scale.sd:
            item = items[of_item[row]]
            why = "is reached by guessing" if place < scale.mean else "is never reached"
            raise StandardSettingError(
                f"item {item.id}, score {score[row]}: a response probability of {response_probability:.2f} {why}"
            )
    entries = sorted(
        (float(place), items[of_item[row]].id, int(score[row])) for row, place in zip(rows, theta, strict=True)
    )
    return tuple(Page(n, item, k, place) for n, (place, item, k) in enumerate(entries, start=1))


def _or_better(curves: Curves, rows: NDArray[np.intp], of_item: NDArray[np.intp], theta: FloatArray) -> FloatArray:
    """P(the score of a stacked row or a better one) at a theta of each row."""
    P = curves.probability(theta)
    below = np.concatenate([np.zeros((1, P.shape[1])), P.cumsum(axis=0)])
    column = np.arange(len(rows))
    return np.asarray(below[curves.start[of_item[rows] + 1], column] - below[rows, column])


def bookmark_cut(
    booklet: Sequence[Page],
    bookmarks: Mapping[str, int],
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    statistic: str = "median",
    response_probability: float = RESPONSE_PROBABILITY,
) -> BookmarkCut:
    """The cut of judges' page numbers: theta of the page before the bookmark, and the marks expected there.

    A bookmark one page past the end says that everything is mastered. `statistic` is `median` (standard error 1.2533 ·
    sd / √n, as for normal judges) or `mean`. Raises StandardSettingError for a page that cannot be.
    """
    if statistic not in {"median", "mean"}:
        raise StandardSettingError(f"statistic {statistic!r}; choose median or mean")
    if not bookmarks:
        raise StandardSettingError("no bookmarks")
    for judge, page in bookmarks.items():
        if not 2 <= page <= len(booklet) + 1:
            raise StandardSettingError(
                f"judge {judge}: page {page}; expected 2 to {len(booklet) + 1}, the first page the borderline "
                "candidate does not master"
            )
    thetas = {judge: booklet[page - 2].theta for judge, page in bookmarks.items()}
    values = np.array(list(thetas.values()))
    theta = float(np.median(values) if statistic == "median" else values.mean())
    factor = 1.2533 if statistic == "median" else 1.0
    se = factor * float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    curves = Curves.of(items, scale)
    marks = float(curves.expected_marks(theta).sum())
    total = float(sum(max(item.category_marks) for item in items))
    return BookmarkCut(theta, se, marks, marks / total, total, thetas, statistic, response_probability)


def borderline_cut(scores: Sequence[float]) -> tuple[float, float]:
    """The median score of candidates judged borderline, and its standard error (1.2533 · sd / √n)."""
    values = np.asarray(scores, float)
    if len(values) < 2:
        raise StandardSettingError("two borderline candidates at least are needed")
    return float(np.median(values)), 1.2533 * float(values.std(ddof=1) / np.sqrt(len(values)))


def contrasting_cut(scores: Sequence[float], qualified: Sequence[bool]) -> tuple[float, float]:
    """The score at which a candidate is as likely judged qualified as not, by logistic regression, with standard error.

    Standard error by the delta method. Raises StandardSettingError where the groups do not overlap or do not differ.
    """
    x, y = np.asarray(scores, float), np.asarray(qualified, bool)
    if len(x) != len(y) or y.all() or not y.any():
        raise StandardSettingError("both qualified and unqualified candidates are needed")
    counts = np.column_stack([~y, y]).astype(float)
    centre = x.mean()
    fit = ordinal_regression(counts, (x - centre)[:, None])
    if not fit.converged:
        raise StandardSettingError("the scores separate the two groups completely: any cut between them fits")
    slope = float(fit.slopes[0])
    if slope <= 0:
        raise StandardSettingError("qualified candidates do not score higher: there is no cut")
    cut = centre - float(fit.thresholds[0]) / slope
    p = 1 / (1 + np.exp(-(fit.thresholds[0] + slope * (x - centre))))
    w = p * (1 - p)
    design = np.column_stack([np.ones(len(x)), x - centre])
    covariance = np.linalg.inv(design.T @ (design * w[:, None]))
    gradient = np.array([-1 / slope, float(fit.thresholds[0]) / slope**2])
    return float(cut), float(np.sqrt(gradient @ covariance @ gradient))
