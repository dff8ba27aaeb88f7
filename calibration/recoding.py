"""Scores as categories: every item's scores from 0, without gaps, and what each category is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, Responses
from calibration.screening import Flag

MOST_CATEGORIES = 250  # categories are bytes, the last few of which mean something else


@dataclass(frozen=True, slots=True)
class Recoded:
    """Responses whose scores are categories 0 … K - 1 of the items that have at least two.

    `marks` has the scores of items whose categories are not worth 0, 1, 2, …; `shift` the lowest score of items that
    do not start at 0; `excluded` the items without variance, with the reason.
    """

    responses: Responses
    items: tuple[str, ...]
    categories: NDArray[np.intp]
    marks: Mapping[str, tuple[float, ...]]
    shift: Mapping[str, int]
    excluded: Mapping[str, str]
    flags: tuple[Flag, ...]


def recode(responses: Responses) -> Recoded:
    """Categories from scores. A score in the middle that nobody got has no category, and a flag says so.

    A persons' row whose score only persons of weight 0 have is left out.
    """
    counted = (responses.status != NOT_REACHED) & (responses.weight > 0)[responses.person]
    low = int(responses.score.min(initial=0))
    width = int(responses.score.max(initial=0)) - low + 1
    keys = responses.item.astype(np.int64) * width + (responses.score.astype(np.int64) - low)
    seen = np.unique(keys[counted])
    item_of, score_of = seen // width, seen % width + low
    first = np.searchsorted(item_of, np.arange(len(responses.items) + 1))
    categories = np.diff(first).astype(np.intp)
    at = np.minimum(np.searchsorted(seen, keys), max(len(seen) - 1, 0))
    usable = (seen[at] == keys) & (responses.status != NOT_REACHED) if len(seen) else np.zeros(len(keys), bool)
    code = (at - first[responses.item]).astype(np.int16)
    varied = categories > 1
    marks: dict[str, tuple[float, ...]] = {}
    shift: dict[str, int] = {}
    flags: list[Flag] = []
    for j in np.flatnonzero(varied):
        scores = score_of[first[j] : first[j + 1]]
        name = responses.items[j]
        if scores[0] != 0:
            shift[name] = int(scores[0])
        if scores[-1] - scores[0] != len(scores) - 1:
            marks[name] = tuple(float(score - scores[0]) for score in scores)
            missing = sorted(set(range(int(scores[0]), int(scores[-1]))) - set(scores.tolist()))
            flags.append(
                Flag(
                    name,
                    "unused-score",
                    f"nobody got {', '.join(map(str, missing))}: {len(scores)} categories, worth "
                    f"{', '.join(f'{mark:g}' for mark in marks[name])} marks",
                )
            )
    kept = usable & varied[responses.item]
    number = np.cumsum(varied) - 1
    option = responses.option[kept] if responses.option is not None else None
    recoded = replace(
        responses,
        items=tuple(name for name, keep in zip(responses.items, varied, strict=True) if keep),
        person=responses.person[kept],
        item=number[responses.item[kept]].astype(np.int32),
        score=code[kept],
        status=responses.status[kept],
        option=option,
        rater=responses.rater[kept] if responses.rater is not None else None,
        position=responses.position[kept] if responses.position is not None else None,
        seconds=responses.seconds[kept] if responses.seconds is not None else None,
    )
    excluded = {
        name: "no-variance" if K == 1 else "no-responses"
        for name, K in zip(responses.items, categories, strict=True)
        if K < 2
    }
    return Recoded(recoded, recoded.items, categories[varied], marks, shift, excluded, tuple(flags))
