"""Parts of responses: some of the persons, some of the items, and persons who had the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import edges_of
from calibration.responses import NOT_REACHED, Responses, ResponsesError

HASH_SEED = 20250701


@dataclass(frozen=True, slots=True)
class AlikePersons:
    """Persons (n,) with the same `items` (j,), their scores (n, j), option codes (n, j) or None, and weights (n,)."""

    persons: NDArray[np.intp]
    items: NDArray[np.intp]
    scores: NDArray[np.int16]
    options: NDArray[np.int16] | None
    weight: NDArray[np.float64]


def alike_persons(responses: Responses) -> tuple[AlikePersons, ...]:
    """The sets of persons who reached the same items, in the order of each set's first person.

    Raises ResponsesError where an item of a person was scored by several raters: one score a person is needed here.
    """
    used = responses.status != NOT_REACHED
    person, item, score = responses.person[used], responses.item[used], responses.score[used]
    option = responses.option[used] if responses.option is not None else None
    twice = np.flatnonzero((np.diff(person) == 0) & (np.diff(item) == 0))
    if twice.size:
        raise ResponsesError(
            f"person {responses.persons[person[twice[0]]]}, item {responses.items[item[twice[0]]]}: scored more than "
            "once; choose one rater, or agree on a score, before asking for classical statistics"
        )
    starts = edges_of(person, len(responses.persons))
    present = np.flatnonzero(np.diff(starts) > 0)
    if not present.size:
        return ()
    keys = np.random.default_rng(HASH_SEED).integers(0, 2**63, (2, len(responses.items)), dtype=np.uint64)
    sums = np.stack([np.add.reduceat(key[item], starts[present]) for key in keys], axis=1)
    _, first, alike = np.unique(sums, axis=0, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))[alike.reshape(-1)]
    order = np.argsort(rank, kind="stable")
    edges = np.flatnonzero(np.diff(rank[order], prepend=-1))
    sets = []
    for members in np.split(present[order], edges[1:]):
        items = item[starts[members[0]] : starts[members[0] + 1]].astype(np.intp)
        rows = starts[members][:, None] + np.arange(len(items))
        codes = option[rows] if option is not None else None
        sets.append(AlikePersons(members, items, score[rows], codes, responses.weight[members]))
    return tuple(sets)


def some_persons(responses: Responses, keep: NDArray[np.bool_]) -> Responses:
    """The responses of the persons marked in `keep` (N,); items, forms and groups keep their numbers."""
    number = np.cumsum(keep) - 1
    return replace(
        _rows(responses, keep[responses.person], number[responses.person]),
        persons=tuple(name for name, kept in zip(responses.persons, keep, strict=True) if kept),
        weight=responses.weight[keep],
        form=responses.form[keep],
        group=responses.group[keep] if responses.group is not None else None,
    )


def some_items(responses: Responses, items: Sequence[str]) -> Responses:
    """The responses to `items`, which keep the order they have; persons stay, even those left with nothing.

    Raises ResponsesError for an item that is not there.
    """
    wanted = set(items)
    unknown = sorted(wanted - set(responses.items))
    if unknown:
        raise ResponsesError(f"item {unknown[0]!r} is not in the responses")
    keep = np.array([name in wanted for name in responses.items])
    part = _rows(responses, keep[responses.item], responses.person)
    number = np.cumsum(keep) - 1
    return replace(
        part,
        items=tuple(name for name in responses.items if name in wanted),
        item=number[part.item].astype(np.int32),
        key={name: code for name, code in responses.key.items() if name in wanted},
        shift={name: by for name, by in responses.shift.items() if name in wanted},
    )


def _rows(responses: Responses, keep: NDArray[np.bool_], person: NDArray[np.integer]) -> Responses:
    return replace(
        responses,
        person=person[keep].astype(np.int32),
        item=responses.item[keep],
        score=responses.score[keep],
        status=responses.status[keep],
        option=responses.option[keep] if responses.option is not None else None,
        rater=responses.rater[keep] if responses.rater is not None else None,
        position=responses.position[keep] if responses.position is not None else None,
        seconds=responses.seconds[keep] if responses.seconds is not None else None,
    )
