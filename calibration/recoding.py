"""Scores as categories: every item's scores from 0, without gaps, and what each category is worth.

Data in parts are coded alike: the scores seen in every part make one coding, which is then applied to each. Parameters
remember the coding (`ItemParameters.scores`), so that later responses mean the same whatever scores happen to be among
them: an item whose lowest score nobody got this time does not become harder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.models import ItemParameters
from calibration.responses import NOT_REACHED, OMITTED, Responses, ResponsesError
from calibration.screening import Flag

Seen = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Coding:
    """The scores (K) of every item that has at least two, as categories 0 … K - 1.

    `marks` has the worth of categories that are not worth 0, 1, 2, …; `excluded` the items without variance, with the
    reason.
    """

    scores: Mapping[str, tuple[int, ...]]
    marks: Mapping[str, tuple[float, ...]]
    excluded: Mapping[str, str]
    flags: tuple[Flag, ...]

    @property
    def items(self) -> tuple[str, ...]:
        return tuple(self.scores)

    @property
    def categories(self) -> NDArray[np.intp]:
        """(J,)."""
        return np.array([len(scores) for scores in self.scores.values()], np.intp)

    @property
    def unusual(self) -> dict[str, tuple[int, ...]]:
        """The scores of items whose categories do not have the scores 0, 1, 2, …."""
        return {name: scores for name, scores in self.scores.items() if scores != tuple(range(len(scores)))}


def scores_seen(responses: Responses) -> Seen:
    """The scores of every item, as they stood in the data, that persons with a weight have."""
    rows = responses.used_rows
    if not (responses.weight > 0).all():
        rows = np.flatnonzero(responses.used & (responses.weight > 0)[responses.person])
    score = responses.given_scores
    width = int(score.max(initial=0)) + 1
    cell = responses.item[rows].astype(np.int64) * width + score[rows]
    keys = np.flatnonzero(np.bincount(cell, minlength=len(responses.items) * width))
    first = np.searchsorted(keys // width, np.arange(len(responses.items) + 1))
    scores = (keys % width).tolist()
    return {name: frozenset(scores[first[j] : first[j + 1]]) for j, name in enumerate(responses.items)}


def coding_of(
    parts: Iterable[Seen],
    marks: Mapping[str, tuple[float, ...]] | None = None,
    *,
    anchors: Mapping[str, ItemParameters] | None = None,
) -> Coding:
    """One coding for data in parts; `marks` are known worths of an item's scores from 0 on, or from its
    lowest score where there are too few of them for that.

    A score in the middle that nobody got has no category, and a flag says so. Anchors keep the coding that their
    parameters have, and stay where everybody has the same score: that says how able these persons are. Raises
    ResponsesError for a score that an anchor's parameters do not know.
    """
    together: dict[str, frozenset[int]] = {}
    for seen in parts:
        for name, of_part in seen.items():
            together[name] = together.get(name, frozenset()) | of_part
    known = marks or {}
    kept: dict[str, tuple[int, ...]] = {}
    worth: dict[str, tuple[float, ...]] = {}
    excluded: dict[str, str] = {}
    flags: list[Flag] = []
    for name, found in together.items():
        scores: tuple[int, ...] = tuple(sorted(found))
        if anchors and name in anchors and scores:
            kept[name] = anchors[name].category_scores
            strange = sorted(found - set(kept[name]))
            if strange:
                raise ResponsesError(f"item {name}: score {strange[0]}, but {_known_scores(anchors[name])}")
            continue
        if len(scores) < 2:
            excluded[name] = "no-variance" if scores else "no-responses"
            continue
        kept[name] = scores
        gaps = sorted(set(range(scores[0], scores[-1])) - found)
        lowest = 0 if scores[-1] < len(known.get(name, ())) else scores[0]
        if name in known and scores[-1] - lowest < len(known[name]):
            worth[name] = tuple(known[name][score - lowest] for score in scores)
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
    return Coding(kept, worth, excluded, tuple(flags))


def coded(responses: Responses, coding: Coding) -> Responses:
    """The responses to the coding's items, in its order, with categories for scores.

    A response whose score the coding does not know, because only persons of weight 0 have it, is left out.
    """
    plain = coding.items == responses.items and not responses.shift and not coding.unusual
    if plain and (responses.weight > 0).all() and responses.used.all():
        return responses
    score = responses.given_scores
    width = int(score.max(initial=0)) + 1
    table = np.full((len(responses.items), width), -1, np.int16)
    number = np.full(len(responses.items), -1, np.int32)
    place = {name: j for j, name in enumerate(coding.items)}
    for j, name in enumerate(responses.items):
        if name in place:
            number[j] = place[name]
            scores = np.array(coding.scores[name])
            inside = scores < width
            table[j, scores[inside]] = np.flatnonzero(inside)
    category = table[responses.item, score]
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
        shift={},
    )


def by_rater(responses: Responses) -> tuple[Responses, NDArray[np.intp], NDArray[np.intp]]:
    """Ratings as responses to items of each rater, `item / rater`, and which item and which rater each is of, (J,)."""
    R = len(responses.raters)
    rater = responses.rater if responses.rater is not None else np.zeros(len(responses.item), np.int32)
    pairs, at = np.unique(responses.item.astype(np.int64) * R + rater, return_inverse=True)
    item_of, rater_of = (pairs // R).astype(np.intp), (pairs % R).astype(np.intp)
    at = at.reshape(-1)
    order = np.lexsort((at, responses.person))
    rated = replace(
        responses,
        items=tuple(f"{responses.items[j]} / {responses.raters[r]}" for j, r in zip(item_of, rater_of, strict=True)),
        person=responses.person[order],
        item=at[order].astype(np.int32),
        score=responses.score[order],
        status=responses.status[order],
        option=None,
        rater=None,
        raters=(),
        position=None,
        seconds=None,
        key={},
        shift={},
        marks={},
    )
    return rated, item_of, rater_of


def in_categories_of(items: Sequence[ItemParameters], responses: Responses) -> Responses:
    """The responses with the categories that the parameters know for scores; items without parameters are as they were.

    An omission is the lowest category. Raises ResponsesError for a score that the parameters of its item do not know.
    """
    known = {item.id: item for item in items}
    with_parameters = [known.get(name) for name in responses.items]
    most = np.array([np.iinfo(np.int16).max if item is None else item.categories - 1 for item in with_parameters])
    plain = not any(item.scores for item in with_parameters if item is not None)
    if plain and not known.keys() & responses.shift.keys() and responses.score.max(initial=0) <= most.min(initial=0):
        return responses
    score = responses.given_scores
    width = int(score.max(initial=0)) + 1
    table = np.full((len(responses.items), width), -1, np.int16)
    for j, item in enumerate(with_parameters):
        if item is None:
            low = responses.shift.get(responses.items[j], 0)
            table[j, low:] = np.arange(width - low)
            continue
        scores = np.array(item.category_scores)
        inside = scores < width
        table[j, scores[inside]] = np.flatnonzero(inside)
    category = table[responses.item, score]
    silent = (responses.status == OMITTED) | (responses.status == NOT_REACHED)
    category[silent & np.array([item is not None for item in with_parameters])[responses.item]] = 0
    unknown = np.flatnonzero(category < 0)
    if unknown.size:
        row = unknown[0]
        name = responses.items[responses.item[row]]
        raise ResponsesError(
            f"person {responses.persons[responses.person[row]]}, item {name}: score {score[row]}, "
            f"but {_known_scores(known[name])}"
        )
    shift = {name: by for name, by in responses.shift.items() if name not in known}
    return replace(responses, score=category, shift=shift)


def _known_scores(item: ItemParameters) -> str:
    if item.scores:
        return f"its parameters know the scores {', '.join(map(str, item.scores))}"
    return f"its parameters know the scores 0…{item.categories - 1}"
