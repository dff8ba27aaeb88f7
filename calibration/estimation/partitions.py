"""The persons of a calibration in parts, so that passes over them can be spread over threads or machines.

A part is a `ResponseBlocks`. A pass applies a function to every part and adds the results up in the parts' order, so
that the sums do not depend on who was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import ResponseBlocks, category_counts, every_kth, joined

Matrix = NDArray[np.float64]


class Sweep(Protocol):
    """Applies a function of (part, *arguments) to every part: results in the order of the parts."""

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> list[Any]: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Partitions:
    """Responses of all parts to the same items; `categories` (J,) and `start` (J + 1,) as in `ResponseBlocks`."""

    categories: NDArray[np.intp]
    start: NDArray[np.intp]
    persons: int
    sweep: Sweep

    @classmethod
    def of(cls, layout: ResponseBlocks, threads: int = 1) -> Partitions:
        """One part, or as many as there are threads: array arithmetic lets other threads run."""
        if threads <= 1 or len(layout.blocks) < 2 * threads:
            return cls(layout.categories, layout.start, layout.persons, _one_by_one([layout]))
        parts = [replace(layout, blocks=blocks) for blocks in _shares(layout.blocks, threads)]
        return cls(layout.categories, layout.start, layout.persons, _in_threads(parts, threads))

    def total(self, function: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
        """The sum over the parts."""
        return reduce(add, self.sweep(function, *arguments))

    def sample(self, persons: int) -> tuple[ResponseBlocks, float]:
        """About as many persons as asked for, every k-th of every block, and the share they are of all."""
        every = max(1, self.persons // persons)
        parts: list[ResponseBlocks] = self.sweep(every_kth, every)
        blocks = [block for part in parts for block in part.blocks]
        sample = replace(parts[0], blocks=tuple(joined(blocks) if every > 1 else blocks))
        return sample, sample.persons / self.persons

    def category_counts(self) -> Matrix:
        """Weighted number of persons in each of the stacked categories, (C,)."""
        return np.asarray(self.total(category_counts))


def _one_by_one(parts: Sequence[ResponseBlocks]) -> Sweep:
    def sweep(function: Callable[..., Any], *arguments: Any) -> list[Any]:  # noqa: ANN401
        return [function(part, *arguments) for part in parts]

    return sweep


def _in_threads(parts: Sequence[ResponseBlocks], threads: int) -> Sweep:
    pool = ThreadPoolExecutor(threads)

    def sweep(function: Callable[..., Any], *arguments: Any) -> list[Any]:  # noqa: ANN401
        return list(pool.map(lambda part: function(part, *arguments), parts))

    return sweep


def _shares(blocks: Sequence[Any], shares: int) -> list[tuple[Any, ...]]:
    """Blocks in `shares` runs of about as many persons each."""
    persons = np.cumsum([len(block.persons) for block in blocks])
    edges = np.searchsorted(persons, persons[-1] * np.arange(1, shares) / shares)
    return [tuple(part) for part in np.split(np.array(blocks, dtype=object), edges) if len(part)]
