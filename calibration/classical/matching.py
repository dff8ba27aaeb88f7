"""Persons of two groups matched on their score on the other items: the tables every classical study of DIF starts from.

A total is only comparable between persons who had the same items, so strata are formed within each set of identically
administered items.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.responses import Responses, ResponsesError
from calibration.subsets import AlikePersons, alike_persons

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matched:
    """Counts of an item's categories by stratum and group, (L, 2, K), reference before focal.

    `score` (L,) is the mean matching score of a stratum, `alike` (L,) the set of identical items it belongs to.
    """

    counts: FloatArray
    score: FloatArray
    alike: NDArray[np.intp]

    def both(self) -> Matched:
        """The strata in which both groups have somebody."""
        kept = (self.counts.sum(axis=2) > 0).all(axis=1)
        return Matched(self.counts[kept], self.score[kept], self.alike[kept])


@dataclass(frozen=True, slots=True)
class TwoGroups:
    """The reference and one focal group: their persons, by sets with the same items, and who of them is focal."""

    reference: str
    focal: str
    sets: tuple[tuple[AlikePersons, NDArray[np.bool_], NDArray[np.bool_]], ...]  # persons, is reference, is focal


def group_pairs(
    responses: Responses, group: Sequence[str] | None, reference: str | None, focal: Iterable[str] | None
) -> list[TwoGroups]:
    """Each focal group against the reference (by default the first group named).

    `group` (N,) names each person's group where the responses do not. Raises ResponsesError for fewer than two groups
    or a name that is none.
    """
    if group is not None:
        if len(group) != len(responses.persons):
            raise ResponsesError(f"{len(group)} groups for {len(responses.persons)} persons")
        names, labels = tuple(dict.fromkeys(group)), np.asarray(group)
    elif responses.group is not None:
        names, labels = responses.groups, np.array(responses.groups)[responses.group]
    else:
        raise ResponsesError("no groups: give the responses a group column, or name a group for each person")
    against = reference if reference is not None else names[0]
    others = tuple(focal) if focal is not None else tuple(name for name in names if name != against)
    unknown = [name for name in (against, *others) if name not in names]
    if unknown:
        raise ResponsesError(f"group {unknown[0]!r} is none of {', '.join(names)}")
    if not others:
        raise ResponsesError(f"only group {against!r} is there: differences need two groups")
    sets = alike_persons(responses)
    return [
        TwoGroups(against, name, tuple((s, labels[s.persons] == against, labels[s.persons] == name) for s in sets))
        for name in others
    ]


def matched_tables(
    pair: TwoGroups, items: Sequence[str], anchors: frozenset[str], matching: str, levels: int | None
) -> dict[str, Matched]:
    """A table for each item: persons matched on the anchors' total, with (`total`) or without (`rest`) the item itself.

    `levels` asks for so many strata of about equal size in each set (thick matching) instead of one for each score.
    """
    if matching not in {"total", "rest"}:
        raise ResponsesError(f"matching {matching!r}; choose total or rest")
    is_anchor = np.array([item in anchors for item in items])
    parts: dict[int, list[Matched]] = {}
    top = np.zeros(len(items), int)
    for alike, _, _ in pair.sets:
        np.maximum.at(top, alike.items, alike.scores.max(axis=0, initial=0))
    for number, (alike, is_reference, is_focal) in enumerate(pair.sets):
        if not (is_reference.any() and is_focal.any()):
            continue
        chosen = is_reference | is_focal
        scores, weight = alike.scores[chosen].astype(np.int64), alike.weight[chosen]
        group = is_focal[chosen].astype(np.int64)
        anchor_total = scores[:, is_anchor[alike.items]].sum(axis=1)
        for column, j in enumerate(alike.items):
            x = scores[:, column]
            criterion = anchor_total - x if is_anchor[j] else anchor_total
            criterion = criterion + x if matching == "total" else criterion
            stratum, score = _strata(criterion, weight, levels)
            K = int(top[j]) + 1
            cell = (stratum * 2 + group) * K + x
            counts = np.bincount(cell, weight, len(score) * 2 * K).reshape(-1, 2, K).astype(float)
            parts.setdefault(int(j), []).append(Matched(counts, score, np.full(len(score), number)))
    return {
        items[j]: Matched(
            np.concatenate([part.counts for part in some]),
            np.concatenate([part.score for part in some]),
            np.concatenate([part.alike for part in some]),
        )
        for j, some in sorted(parts.items())
    }


def _strata(
    criterion: NDArray[np.int64], weight: FloatArray, levels: int | None
) -> tuple[NDArray[np.int64], FloatArray]:
    values, stratum = np.unique(criterion, return_inverse=True)
    size = np.bincount(stratum, weight, len(values))
    if levels is not None and len(values) > levels:
        middle = (np.cumsum(size) - size / 2) / size.sum()
        thick = np.minimum((middle * levels).astype(np.int64), levels - 1)
        _, thick = np.unique(thick, return_inverse=True)
        total = np.bincount(thick, size)
        return thick[stratum], np.bincount(thick, size * values) / np.maximum(total, 1e-300)
    return stratum.astype(np.int64), values.astype(float)
