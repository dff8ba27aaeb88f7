"""Persons in blocks: the responses as an estimation goes through them, many times over.

A block holds persons with the same items as a table of score categories; persons whose items nobody shares are
tabled together with gaps where that is dense enough, else kept as a sparse indicator of (item, category). Likelihoods
and expected counts are matrix products either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, Responses

Matrix = NDArray[np.float64]

BLOCK_PERSONS = 2048
LEAST_ALIKE = 64  # persons with the same items that are worth a block of their own
LEAST_DENSE = 0.1  # share of a table that must be filled for it not to be sparse
MISSING = 255  # marks a gap in a table of categories


@dataclass(frozen=True, slots=True)
class Block:
    """At most BLOCK_PERSONS persons; `persons`, `weight` and `group` are (n,).

    A table has `items` (j,) and `codes` (n, j), categories from 0 with MISSING for gaps (none if `complete`). A sparse
    block has `codes` (R,), `items` (R,) and `row_start` (n + 1,): the responses of each person one after the other.
    """

    persons: NDArray[np.intp]
    weight: Matrix
    group: NDArray[np.int32]
    items: NDArray[np.intp]
    codes: NDArray[np.uint8]
    complete: bool = True
    row_start: NDArray[np.intp] | None = None


@dataclass(frozen=True, slots=True)
class ResponseBlocks:
    """Responses to J items with `categories` (J,) K each, whose stacked rows begin at `start` (J + 1,)."""

    categories: NDArray[np.intp]
    blocks: tuple[Block, ...]

    @property
    def start(self) -> NDArray[np.intp]:
        return np.concatenate([[0], np.cumsum(self.categories)]).astype(np.intp)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)


def block_responses(
    responses: Responses,
    items: Sequence[str] | None = None,
    *,
    categories: NDArray[np.intp] | None = None,
    keep_weightless: bool = False,
) -> ResponseBlocks:
    """The responses to `items` (default: all), in blocks; items are renumbered in the order given.

    Persons without a response to them are left out; so are persons of weight 0, who add nothing to a likelihood,
    unless `keep_weightless`. `categories` (J,) defaults to what the data show.
    """
    names = responses.items if items is None else tuple(items)
    if _is_table(responses, names) and (keep_weightless or responses.weight.min(initial=1) > 0):
        return _table_blocks(responses, names, categories)
    number = {name: j for j, name in enumerate(names)}
    position = np.array([number.get(name, -1) for name in responses.items], np.intp)
    used = (responses.status != NOT_REACHED) & (position >= 0)[responses.item]
    if not keep_weightless:
        used &= (responses.weight > 0)[responses.person]
    person, item = responses.person[used], position[responses.item[used]]
    code = responses.score[used].astype(np.uint8)
    if items is not None:  # back into order within each person
        order = np.lexsort((item, person))
        person, item, code = person[order], item[order], code[order]
    if categories is None:
        categories = np.full(len(names), 2, np.intp)
        np.maximum.at(categories, item, code.astype(np.intp) + 1)
    group = responses.group if responses.group is not None else np.zeros(len(responses.persons), np.int32)
    starts = np.searchsorted(person, np.arange(len(responses.persons) + 1))
    present = np.flatnonzero(np.diff(starts) > 0)
    builder = _Builder(person, item, code, starts, responses.weight, group)
    return ResponseBlocks(categories, tuple(builder.blocks(present, len(names))))


def _is_table(responses: Responses, names: Sequence[str]) -> bool:
    """Whether everybody has one response to each of the items, so that the long form is a table already."""
    return (
        len(responses.score) == len(responses.persons) * len(responses.items) > 0
        and responses.rater is None
        and NOT_REACHED not in responses.status
        and len(names) > 0
        and set(names) <= set(responses.items)
    )


def _table_blocks(responses: Responses, names: Sequence[str], categories: NDArray[np.intp] | None) -> ResponseBlocks:
    table = responses.score.reshape(len(responses.persons), len(responses.items)).astype(np.uint8)
    if tuple(names) != responses.items:
        position = {name: j for j, name in enumerate(responses.items)}
        table = table[:, [position[name] for name in names]]
    if categories is None:
        categories = np.maximum(table.max(axis=0).astype(np.intp) + 1, 2)
    items, persons = np.arange(len(names)), np.arange(len(table))
    group = responses.group if responses.group is not None else np.zeros(len(table), np.int32)
    blocks = (Block(p, responses.weight[p], group[p], items, table[p[0] : p[-1] + 1]) for p in _chunks(persons))
    return ResponseBlocks(categories, tuple(blocks))


@dataclass(frozen=True, slots=True)
class _Builder:
    person: NDArray[np.int32]
    item: NDArray[np.intp]
    code: NDArray[np.uint8]
    starts: NDArray[np.intp]
    weight: Matrix
    group: NDArray[np.int32]

    def blocks(self, present: NDArray[np.intp], J: int) -> Iterator[Block]:
        alike = self._alike(present, J)
        order = np.argsort(alike, kind="stable")
        edges = np.flatnonzero(np.diff(alike[order], prepend=-1, append=alike.max(initial=0) + 1))
        sizes = np.diff(edges)
        few = len(sizes) <= 8  # as few sets as that are worth a block each, however small
        rest: list[NDArray[np.intp]] = []
        for first, size in zip(edges, sizes, strict=False):
            members = present[order[first : first + size]]
            if size < LEAST_ALIKE and not few:
                rest.append(members)
                continue
            items = self.item[self.starts[members[0]] : self.starts[members[0] + 1]]
            for chunk in _chunks(members):
                rows = self.starts[chunk][:, None] + np.arange(len(items))
                yield Block(chunk, self.weight[chunk], self.group[chunk], items, self.code[rows])
        if rest:
            yield from self._unlike(np.sort(np.concatenate(rest)))

    def _alike(self, present: NDArray[np.intp], J: int) -> NDArray[np.intp]:
        """A number for each person, equal for persons with the same items (two 64-bit sums of random numbers)."""
        keys = np.random.default_rng(20250701).integers(0, 2**63, (2, J), dtype=np.uint64)
        sums = np.stack([np.add.reduceat(key[self.item], self.starts[present]) for key in keys], axis=1)
        _, alike = np.unique(sums, axis=0, return_inverse=True)
        return np.asarray(alike.reshape(-1), np.intp)

    def _unlike(self, members: NDArray[np.intp]) -> Iterator[Block]:
        for chunk in _chunks(members):
            lengths = self.starts[chunk + 1] - self.starts[chunk]
            row_start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
            rows = np.arange(row_start[-1]) + np.repeat(self.starts[chunk] - row_start[:-1], lengths)
            items, column = np.unique(self.item[rows], return_inverse=True)
            about = (chunk, self.weight[chunk], self.group[chunk])
            if len(rows) < LEAST_DENSE * len(chunk) * len(items):
                yield Block(*about, self.item[rows], self.code[rows], complete=False, row_start=row_start)
                continue
            codes = np.full((len(chunk), len(items)), MISSING, np.uint8)
            codes[np.repeat(np.arange(len(chunk)), lengths), column] = self.code[rows]
            yield Block(*about, items, codes, complete=len(rows) == codes.size)


def _chunks(members: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(members), BLOCK_PERSONS):
        yield members[first : first + BLOCK_PERSONS]
