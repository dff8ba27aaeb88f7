"""Scores as categories: every item's scores from 0, without gaps, and what each category is worth.

Data in parts are coded alike: the scores seen in every part make one coding, which is then applied to each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, Responses
from calibration.screening import Flag

Seen = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Coding:
    """The scores (K) of every item that has at least two, as categories 0 … K - 1.

    `marks` has the scores of items whose categories are not worth 0, 1, 2, …; `shift` the lowest score of items that
    do not start at 0; `excluded` the items without variance, with the reason.
    """

    scores: Mapping[str, tuple[int, ...]]
    marks: Mapping[str, tuple[float, ...]]
    shift: Mapping[str, int]
    excluded: Mapping[str, str]
    flags: tuple[Flag, ...]

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(self.scores)

    @property
    def categories(self) -> NDArray[np.intp]:
        """(J,)."""
        return np.array([len(scores) for scores in self.scores.values()], np.intp)


def scores_seen(responses: Responses) -> Seen:
    """The scores of every item that persons with a weight have."""
    counted = (responses.status != NOT_REACHED) & (responses.weight > 0)[responses.person]
    low, width = _range(responses)
    present = np.zeros(len(responses.items) * width, bool)
    present[responses.item[counted].astype(np.int64) * width + (responses.score[counted] - low)] = True
    keys = np.flatnonzero(present)
    first = np.searchsorted(keys // width, np.arange(len(responses.items) + 1))
    scores = (keys % width + low).tolist()
    return {name: frozenset(scores[first[j] : first[j + 1]]) for j, name in enumerate(responses.items)}


def coding_of(parts: Iterable[Seen], marks: Mapping[str, tuple[float, ...]] | None = None) -> Coding:
    """One coding for data in parts; `marks` are known worths of an item's scores from the lowest to the highest.

    A score in the middle that nobody got has no category, and a flag says so.
    """
    together: dict[str, frozenset[int]] = {}
    for seen in parts:
        for name, of_part in seen.items():
            together[name] = together.get(name, frozenset()) | of_part
    known = marks or {}
    kept: dict[str, tuple[int, ...]] = {}
    worth: dict[str, tuple[float, ...]] = {}
    shift: dict[str, int] = {}
    excluded: dict[str, str] = {}
    flags: list[Flag] = []
    for name, found in together.items():
        scores: tuple[int, ...] = tuple(sorted(found))
        if len(scores) < 2:
            excluded[name] = "no-variance" if scores else "no-responses"
            continue
        kept[name] = scores
        if scores[0] != 0:
            shift[name] = scores[0]
        gaps = sorted(set(range(scores[0], scores[-1])) - found)
        if name in known and scores[-1] < len(known[name]):
            worth[name] = tuple(known[name][score] for score in scores)
        elif gaps:
            worth[name] = tuple(float(score - scores[0]) for score in scores)
        if gaps:
            flags.append(
                Flag(
                    name,
                    "unused-score",
                    f"nobody got {', '.join(map(str, gaps))}: {len(scores)} categories, worth "
                    f"{', '.join(f'{mark:g}' for mark in worth[name])} marks",
                )
            )
    return Coding(kept, worth, shift, excluded, tuple(flags))


def coded(responses: Responses, coding: Coding) -> Responses:
    """The responses to the coding's items, in its order, with categories for scores.

    A response whose score the coding does not know, because only persons of weight 0 have it, is left out.
    """
    low, width = _range(responses)
    table = np.full((len(responses.items), width), -1, np.int16)
    number = np.full(len(responses.items), -1, np.int32)
    place = {name: j for j, name in enumerate(coding.items)}
    for j, name in enumerate(responses.items):
        if name in place:
            number[j] = place[name]
            scores = np.array(coding.scores[name]) - low
            inside = (scores >= 0) & (scores < width)
            table[j, scores[inside]] = np.flatnonzero(inside)
    category = table[responses.item, responses.score - low]
    kept = np.flatnonzero((category >= 0) & (responses.status != NOT_REACHED))
    item = number[responses.item[kept]]
    if np.any(np.diff(number[number >= 0]) < 0):  # other order of items than the coding's: back into order by person
        order = np.lexsort((item, responses.person[kept]))
        kept, item = kept[order], item[order]

    return replace(
        responses,
        items=coding.items,
        person=responses.person[kept],
        item=item,
        score=category[kept],
        status=responses.status[kept],
        option=responses.option[kept] if responses.option is not None else None,
        rater=responses.rater[kept] if responses.rater is not None else None,
        position=responses.position[kept] if responses.position is not None else None,
        seconds=responses.seconds[kept] if responses.seconds is not None else None,
    )


def _range(responses: Responses) -> tuple[int, int]:
    """The lowest score, and how many there are from it to the highest."""
    low = int(responses.score.min(initial=0))
    return low, int(responses.score.max(initial=0)) - low + 1
