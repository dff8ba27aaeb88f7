"""Classical item statistics from blocks of persons: `item_statistics` for responses that are too many to hold.

Sums of squares and products are taken once over every block and joined over all persons with the same items, so that
the way persons are cut into blocks changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.classical import ItemStatistics
from calibration.estimation.block_stream import StreamedResponses
from calibration.estimation.blocks import MISSING, Block, ResponseBlocks

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sums:
    """Weighted sums over persons with the same items: of 1, scores u (j,), u², total T, T², u·T."""

    items: NDArray[np.intp]
    w: float
    u: Matrix
    uu: Matrix
    t: float
    tt: float
    ut: Matrix

    @classmethod
    def over(cls, items: NDArray[np.intp], table: Matrix, weight: Matrix) -> _Sums:
        T = table.sum(axis=1)
        wT = weight * T
        u, uu = weight @ table, weight @ table**2
        return cls(items, float(weight.sum()), u, uu, float(wT.sum()), float(wT @ T), wT @ table)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.items,
            self.w + other.w,
            self.u + other.u,
            self.uu + other.uu,
            self.t + other.t,
            self.tt + other.tt,
            self.ut + other.ut,
        )


@dataclass(frozen=True, slots=True)
class ClassicalSums:
    """What classical statistics need of some persons; sums of several parts add up. n and total are (J,)."""

    n: Matrix
    total: Matrix
    sets: dict[bytes, _Sums]

    def __add__(self, other: ClassicalSums) -> ClassicalSums:
        sets = dict(self.sets)
        for items, found in other.sets.items():
            sets[items] = sets[items] + found if items in sets else found
        return ClassicalSums(self.n + other.n, self.total + other.total, sets)


def classical_sums(layout: ResponseBlocks, worth: Matrix) -> ClassicalSums:
    """The sums over the persons of a layout; `worth` (J, K) is the score of each category."""
    J = len(layout.categories)
    n, total = np.zeros(J), np.zeros(J)
    sums: dict[bytes, _Sums] = {}
    for block in layout:
        _add_scores(block, n, total, worth)
        for items, codes, weight in _alike(block):
            found = _Sums.over(items, worth[items, codes], weight)
            known = sums.get(items.tobytes())
            sums[items.tobytes()] = found if known is None else known + found
    return ClassicalSums(n, total, sums)


def worths(categories: NDArray[np.intp], items: Sequence[str], scores: Mapping[str, tuple[int, ...]]) -> Matrix:
    """The score of each category above the lowest, (J, K): by `scores` for items that stand there, else 0, 1, 2, ….

    A constant taken from an item's scores changes no correlation.
    """
    worth = np.broadcast_to(np.arange(categories.max(initial=2), dtype=float), (len(items), max(categories, default=2)))
    worth = worth.copy()
    for j, name in enumerate(items):
        if name in scores:
            worth[j, : len(scores[name])] = np.subtract(scores[name], scores[name][0])
    return worth


def streamed_statistics(streamed: StreamedResponses) -> tuple[ItemStatistics, ...]:
    """n, proportion of the maximum score and corrected point-biserial of every item (Henrysson, 1963).

    The same as `item_statistics` of the same responses, without statistics of options. Persons who share their items
    with few are compared only within the block they stand in; `effective_n` counts who was compared.
    """
    layout = streamed.blocks
    worth = worths(layout.categories, streamed.items, streamed.scores)
    lowest = np.array([streamed.scores.get(name, (streamed.shift.get(name, 0),))[0] for name in streamed.items])
    return statistics_of(
        classical_sums(layout, worth), streamed.items, layout.categories, worth, lowest, streamed.omitted
    )


def statistics_of(
    sums: ClassicalSums,
    items: Sequence[str],
    categories: NDArray[np.intp],
    worth: Matrix,
    lowest: NDArray[np.int64],
    omitted: NDArray[np.int64],
) -> tuple[ItemStatistics, ...]:
    """Statistics from sums of scores above the `lowest` (J,) of each item, as `streamed_statistics` has them."""
    J, n = len(items), sums.n
    uu, tt, ut, compared, sets = (np.zeros(J) for _ in range(5))
    for s in sums.sets.values():
        if s.w < 2:
            continue
        compared[s.items] += s.w
        sets[s.items] += 1
        uu[s.items] += s.uu - s.u**2 / s.w
        tt[s.items] += s.tt - s.t**2 / s.w
        ut[s.items] += s.ut - s.u * s.t / s.w
    rest = tt - 2 * ut + uu
    varies = (uu > 1e-12 * n) & (rest > 1e-12 * (tt + uu))  # what is left of a difference is no variance
    r = np.full(J, np.nan)
    r[varies] = (ut - uu)[varies] / np.sqrt(uu[varies] * rest[varies])
    total = sums.total + lowest * n
    top = np.maximum(worth[np.arange(J), categories - 1] + lowest, 1)
    return tuple(
        ItemStatistics(
            item=name,
            n=float(n[j]),
            p_value=float(total[j] / (n[j] * top[j])) if n[j] else float("nan"),
            point_biserial=float(r[j]),
            effective_n=float(max(compared[j] - sets[j] + 1, 0)),
            omitted=int(omitted[j]),
        )
        for j, name in enumerate(items)
    )


def _add_scores(block: Block, n: Matrix, total: Matrix, worth: Matrix) -> None:
    """Add the weighted number of persons and their scores to those of each item, in place."""
    if block.row_start is not None:
        weight = np.repeat(block.weight, np.diff(block.row_start))
        n += np.bincount(block.items, weight, len(n))
        total += np.bincount(block.items, weight * worth[block.items, block.codes], len(n))
    elif block.complete:
        n[block.items] += block.weight.sum()
        total[block.items] += block.weight @ worth[block.items, block.codes]
    else:
        seen = block.codes != MISSING
        n[block.items] += block.weight @ seen
        codes = np.where(seen, block.codes, 0)
        total[block.items] += block.weight @ np.where(seen, worth[block.items, codes], 0.0)


def _alike(block: Block) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8], Matrix]]:
    """Persons of a block with the same items: the items (j,), categories (m, j), weights (m,)."""
    if block.row_start is not None:
        starts = block.row_start
        patterns = [block.items[starts[i] : starts[i + 1]].tobytes() for i in range(len(block.persons))]
    elif block.complete:
        yield block.items, block.codes, block.weight
        return
    else:
        patterns = [row.tobytes() for row in np.packbits(block.codes != MISSING, axis=1)]
    members: dict[bytes, list[int]] = {}
    for i, pattern in enumerate(patterns):
        members.setdefault(pattern, []).append(i)
    for persons in members.values():
        weight = block.weight[persons]
        if weight.sum() < 2:
            continue
        if block.row_start is not None:
            spans = [slice(block.row_start[i], block.row_start[i + 1]) for i in persons]
            yield block.items[spans[0]], np.stack([block.codes[span] for span in spans]), weight
        else:
            seen = block.codes[persons[0]] != MISSING
            yield block.items[seen], block.codes[persons][:, seen], weight
