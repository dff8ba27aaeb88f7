"""Persons in blocks: the responses as an estimation goes through them, many times over.

A block holds persons with the same items as a table of score categories; persons whose items nobody shares are
tabled together with gaps where that is dense enough, else kept as a sparse indicator of (item, category). Likelihoods
and expected counts are matrix products either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

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
    unweighted: bool = False


@dataclass(frozen=True, slots=True)
class ResponseBlocks:
    """Responses to J items with `categories` (J,) K each, whose stacked rows begin at `start` (J + 1,)."""

    categories: NDArray[np.intp]
    start: NDArray[np.intp]
    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, categories: NDArray[np.intp], blocks: Iterable[Block]) -> ResponseBlocks:
        return cls(categories, np.concatenate([[0], np.cumsum(categories)]).astype(np.intp), tuple(blocks))

    @property
    def persons(self) -> int:
        """Number of persons in the blocks."""
        return sum(len(block.persons) for block in self.blocks)

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
    if (np.diff(position[position >= 0]) < 0).any():  # back into order within each person
        order = np.lexsort((item, person))
        person, item, code = person[order], item[order], code[order]
    if categories is None:
        categories = np.full(len(names), 2, np.intp)
        np.maximum.at(categories, item, code.astype(np.intp) + 1)
    group = responses.group if responses.group is not None else np.zeros(len(responses.persons), np.int32)
    starts = edges_of(person, len(responses.persons))
    present = np.flatnonzero(np.diff(starts) > 0)
    builder = _Builder(person, item, code, starts, responses.weight, group)
    return ResponseBlocks.of(categories, builder.blocks(present, len(names)))


def edges_of(number: NDArray[np.integer[Any]], size: int) -> NDArray[np.intp]:
    """Where each of `size` numbers begins in a sorted array of them, and where the last ends, (size + 1,)."""
    return np.concatenate([[0], np.cumsum(np.bincount(number, minlength=size))]).astype(np.intp)


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
    weight = responses.weight
    blocks = (
        Block(p, weight[p], group[p], items, table[p[0] : p[-1] + 1], unweighted=bool((weight[p] == 1).all()))
        for p in _chunks(persons)
    )
    return ResponseBlocks.of(categories, blocks)


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
        alone = (sizes < LEAST_ALIKE) & (not few)
        rest: list[NDArray[np.intp]] = [present[order[np.repeat(alone, sizes)]]]
        for first, size in zip(edges[:-1][~alone], sizes[~alone], strict=True):
            members = present[order[first : first + size]]
            items = self.item[self.starts[members[0]] : self.starts[members[0] + 1]]
            if not self._have(members, items):
                rest.append(members)
                continue
            for chunk in _chunks(members):
                rows = self.starts[chunk][:, None] + np.arange(len(items))
                yield Block(*self._about(chunk), items, self.code[rows], unweighted=self._unweighted(chunk))
        yield from self._unlike(np.sort(np.concatenate(rest)))

    def _alike(self, present: NDArray[np.intp], J: int) -> NDArray[np.intp]:
        """A number for each person, equal for persons with the same items: they have the same sum of random numbers."""
        keys = np.random.default_rng(20250701).integers(0, 2**63, J, dtype=np.uint64)
        sums = np.add.reduceat(keys[self.item], self.starts[present]) if len(present) else np.zeros(0, np.uint64)
        _, alike = np.unique(sums, return_inverse=True)
        return np.asarray(alike.reshape(-1), np.intp)

    def _have(self, members: NDArray[np.intp], items: NDArray[np.intp]) -> bool:
        """Whether these items are what the members really had, and not only sets with the same sum."""
        if not (np.diff(self.starts)[members] == len(items)).all():
            return False
        return bool((self.item[self.starts[members][:, None] + np.arange(len(items))] == items).all())

    def _unlike(self, members: NDArray[np.intp]) -> Iterator[Block]:
        for chunk in _chunks(members):
            lengths = self.starts[chunk + 1] - self.starts[chunk]
            row_start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
            rows = np.arange(row_start[-1]) + np.repeat(self.starts[chunk] - row_start[:-1], lengths)
            items = np.flatnonzero(np.bincount(self.item[rows]))
            unweighted = self._unweighted(chunk)
            if len(rows) < LEAST_DENSE * len(chunk) * len(items):
                yield Block(
                    *self._about(chunk),
                    self.item[rows],
                    self.code[rows],
                    complete=False,
                    row_start=row_start,
                    unweighted=unweighted,
                )
                continue
            column = np.searchsorted(items, self.item[rows])
            codes = np.full((len(chunk), len(items)), MISSING, np.uint8)
            codes[np.repeat(np.arange(len(chunk)), lengths), column] = self.code[rows]
            complete = len(rows) == codes.size
            yield Block(*self._about(chunk), items, codes, complete=complete, unweighted=unweighted)

    def _about(self, chunk: NDArray[np.intp]) -> tuple[NDArray[np.intp], Matrix, NDArray[np.int32]]:
        return chunk, self.weight[chunk], self.group[chunk]

    def _unweighted(self, chunk: NDArray[np.intp]) -> bool:
        return bool((self.weight[chunk] == 1).all())


def take_persons(block: Block, chosen: NDArray[np.intp]) -> Block:
    about = {name: getattr(block, name)[chosen] for name in ("persons", "weight", "group")}
    if block.row_start is None:
        return replace(block, codes=block.codes[chosen], **about)
    lengths = np.diff(block.row_start)[chosen]
    row_start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
    at = np.arange(row_start[-1]) + np.repeat(block.row_start[chosen] - row_start[:-1], lengths)
    return replace(block, items=block.items[at], codes=block.codes[at], row_start=row_start, **about)


def dense_codes(block: Block, J: int) -> NDArray[np.uint8]:
    """Categories of all J items, (n, J), MISSING where a person did not have one."""
    codes = np.full((len(block.persons), J), MISSING, np.uint8)
    if block.row_start is None:
        codes[:, block.items] = block.codes
    else:
        codes[np.repeat(np.arange(len(codes)), np.diff(block.row_start)), block.items] = block.codes
    return codes


def only_items_of(block: Block, keep: NDArray[np.bool_]) -> Block:
    """The block with only the items of a mask (J,)."""
    chosen = keep[block.items]
    if block.row_start is None:
        return replace(block, items=block.items[chosen], codes=np.ascontiguousarray(block.codes[:, chosen]))
    person = np.repeat(np.arange(len(block.persons)), np.diff(block.row_start))[chosen]
    row_start = edges_of(person, len(block.persons))
    return replace(block, items=block.items[chosen], codes=block.codes[chosen], row_start=row_start)


def only_items(layout: ResponseBlocks, position: Sequence[int]) -> ResponseBlocks:
    """The layout with only the items at `position`, renumbered."""
    number = np.full(len(layout.categories), -1)
    number[list(position)] = np.arange(len(position))
    kept = [only_items_of(block, number >= 0) for block in layout]
    blocks = [replace(block, items=number[block.items]) for block in kept if block.items.size]
    return ResponseBlocks.of(layout.categories[list(position)], blocks)


def category_counts(layout: ResponseBlocks) -> Matrix:
    """Weighted number of persons in each of the stacked categories, (C,)."""
    counts = np.zeros(int(layout.start[-1]))
    for block in layout:
        if block.row_start is not None:
            weight = np.repeat(block.weight, np.diff(block.row_start))
            counts += np.bincount(layout.start[block.items] + block.codes, weight, len(counts))
            continue
        for k in range(int(layout.categories[block.items].max(initial=0))):
            reaches = layout.categories[block.items] > k
            counts[layout.start[block.items[reaches]] + k] += (block.weight @ (block.codes == k))[reaches]
    return counts


def every_kth(layout: ResponseBlocks, every: int) -> ResponseBlocks:
    """The layout with every k-th of its persons, in as few blocks as may be."""
    if every == 1:
        return layout
    blocks, first = [], 0
    for block in layout:
        chosen = np.arange((-first) % every, len(block.persons), every)
        first += len(block.persons)
        if chosen.size:
            blocks.append(take_persons(block, chosen))
    return replace(layout, blocks=tuple(joined(blocks)))


def joined(blocks: Sequence[Block]) -> list[Block]:
    """The same persons in as few blocks as may be: small tables of the same items become one."""
    alike: dict[bytes, list[Block]] = {}
    for number, block in enumerate(blocks):
        key = block.items.tobytes() if block.row_start is None and block.complete else bytes(f"alone {number}", "ascii")
        alike.setdefault(key, []).append(block)
    out = []
    for parts in alike.values():
        if len(parts) == 1:
            out += parts
            continue
        whole = replace(
            parts[0],
            persons=np.concatenate([part.persons for part in parts]),
            weight=np.concatenate([part.weight for part in parts]),
            group=np.concatenate([part.group for part in parts]),
            codes=np.concatenate([part.codes for part in parts]),
            unweighted=all(part.unweighted for part in parts),
        )
        size = len(whole.persons)
        for first in range(0, size, BLOCK_PERSONS):
            out.append(take_persons(whole, np.arange(first, min(first + BLOCK_PERSONS, size))))
    return out


def _chunks(members: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    for first in range(0, len(members), BLOCK_PERSONS):
        yield members[first : first + BLOCK_PERSONS]
