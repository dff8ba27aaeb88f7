"""Classical item statistics from blocks of persons: `item_statistics` for responses that are too many to hold.

Sums of squares and products are taken once over every block and joined over all persons with the same items, so that
the way persons are cut into blocks changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.classical import ItemStatistics
from calibration.estimation.block_stream import StreamedResponses
from calibration.estimation.blocks import MISSING, Block

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


def streamed_statistics(streamed: StreamedResponses) -> tuple[ItemStatistics, ...]:
    """n, proportion of the maximum score and corrected point-biserial of every item (Henrysson, 1963).

    The same as `item_statistics` of the same responses, without statistics of options. Persons who share their items
    with few are compared only within the block they stand in; `effective_n` counts who was compared.
    """
    J = len(streamed.items)
    n, total = np.zeros(J), np.zeros(J)
    sums: dict[bytes, _Sums] = {}
    for block in streamed.blocks:
        _add_scores(block, n, total)
        for items, table, weight in _alike(block):
            found = _Sums.over(items, table, weight)
            known = sums.get(items.tobytes())
            sums[items.tobytes()] = found if known is None else known + found
    uu, tt, ut, compared, sets = (np.zeros(J) for _ in range(5))
    for s in sums.values():
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
    lowest = np.array([streamed.shift.get(name, 0) for name in streamed.items])
    total += lowest * n
    top = np.maximum(streamed.blocks.categories - 1 + lowest, 1)
    return tuple(
        ItemStatistics(
            item=name,
            n=float(n[j]),
            p_value=float(total[j] / (n[j] * top[j])) if n[j] else float("nan"),
            point_biserial=float(r[j]),
            effective_n=float(max(compared[j] - sets[j] + 1, 0)),
            omitted=int(streamed.omitted[j]),
        )
        for j, name in enumerate(streamed.items)
    )


def _add_scores(block: Block, n: Matrix, total: Matrix) -> None:
    """Add the weighted number of persons and their scores to those of each item, in place."""
    if block.row_start is not None:
        weight = np.repeat(block.weight, np.diff(block.row_start))
        n += np.bincount(block.items, weight, len(n))
        total += np.bincount(block.items, weight * block.codes, len(n))
    elif block.complete:
        n[block.items] += block.weight.sum()
        total[block.items] += block.weight @ block.codes
    else:
        seen = block.codes != MISSING
        n[block.items] += block.weight @ seen
        total[block.items] += block.weight @ np.where(seen, block.codes, 0)


def _alike(block: Block) -> Iterator[tuple[NDArray[np.intp], Matrix, Matrix]]:
    """Persons of a block with the same items: the items (j,), scores (m, j), weights (m,)."""
    if block.row_start is not None:
        starts = block.row_start
        patterns = [block.items[starts[i] : starts[i + 1]].tobytes() for i in range(len(block.persons))]
    elif block.complete:
        yield block.items, block.codes.astype(float), block.weight
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
            yield block.items[spans[0]], np.stack([block.codes[span] for span in spans]).astype(float), weight
        else:
            seen = block.codes[persons[0]] != MISSING
            yield block.items[seen], block.codes[persons][:, seen].astype(float), weight
