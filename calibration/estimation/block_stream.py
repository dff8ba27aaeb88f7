"""Blocks of persons from chunks of responses: one byte a response, in memory or, above a stated size, in a file.

What an estimation goes through many times is read and scored once. The file is temporary and has no name; the
operating system keeps as much of it in memory as it likes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, block_responses
from calibration.responses import NOT_REACHED, OMITTED, Responses, ResponsesError

MEMORY = 512 * 2**20  # bytes of tables that are kept in memory before the rest goes to the file


@dataclass(frozen=True, slots=True)
class StreamedResponses:
    """What is kept of a stream: its blocks, and what they do not say.

    Persons are numbered in the order of the stream, `n_persons` of them. `omitted` (J,) counts the omissions of each
    item; `counts`, `shift` and `marks` are those of `Responses`; blocks number their group by `groups`. `scores` has
    the scores, as they stood in the data, of the categories of items with a score between that nobody got.
    """

    blocks: ResponseBlocks
    items: tuple[str, ...]
    n_persons: int
    counts: Mapping[str, int]
    omitted: NDArray[np.int64]
    shift: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    scores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def block_stream(
    chunks: Iterable[Responses], *, memory: int = MEMORY, keep_weightless: bool = False, folder: str | None = None
) -> StreamedResponses:
    """The responses of all chunks in blocks; every chunk has the same items, and no person stands in two.

    Above `memory` bytes, tables go to a temporary file (in `folder`, by default where the system keeps such files).
    Scores of an item that vary and start above 0 over the whole stream are shifted to start at 0, unless the item has a
    key; a score that nobody got has no category. Raises ResponsesError for chunks of different items, for raters, and
    for a stream without chunks.
    """
    stream = _Stream(_Tables(memory, folder))
    for chunk in chunks:
        stream.add(chunk, keep_weightless=keep_weightless)
    return stream.done()


@dataclass(slots=True)
class _Stream:
    """What has come of a stream so far; blocks wait without their tables, which `tables` keeps by number."""

    tables: _Tables
    blocks: list[tuple[Block, int, int | None]] = field(default_factory=list)  # block, its codes, its items if sparse
    items: tuple[str, ...] | None = None
    item_sets: dict[bytes, NDArray[np.intp]] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    persons: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    shift: dict[str, int] = field(default_factory=dict)
    marks: dict[str, tuple[float, ...]] = field(default_factory=dict)
    keyed: set[str] = field(default_factory=set)
    low: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    high: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, MISSING), bool))
    omitted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, chunk: Responses, *, keep_weightless: bool) -> None:
        if self.items is None:
            self.items, J = chunk.items, len(chunk.items)
            self.low, self.high, self.omitted = np.full(J, MISSING), np.full(J, -1), np.zeros(J, np.int64)
            self.seen = np.zeros((J, MISSING), bool)
        if chunk.items != self.items:
            raise ResponsesError("chunks of different items; give every chunk the same list of items")
        if len(chunk.raters) > 1:
            raise ResponsesError("responses of several raters cannot be streamed; read them whole")
        numbers = [self.groups.setdefault(name, len(self.groups)) for name in chunk.groups]
        group = np.array(numbers or [0], np.int32)
        for block in block_responses(chunk, keep_weightless=keep_weightless):
            codes, sparse_items, items = self.tables.put(block.codes), None, np.zeros(0, np.intp)
            if block.row_start is not None:
                sparse_items = self.tables.put(block.items)
            else:  # one copy for all blocks with the same items; a view would keep the whole chunk
                items = self.item_sets.setdefault(block.items.tobytes(), block.items.copy())
            waiting = replace(
                block,
                persons=block.persons + self.persons,
                group=group[block.group],
                items=items,
                codes=np.zeros(0, np.uint8),
            )
            self.blocks.append((waiting, codes, sparse_items))
        self._count(chunk)
        self.persons += len(chunk.persons)
        self.keyed |= chunk.key.keys()
        self.shift.update(chunk.shift)
        self.marks.update(chunk.marks)

    def _count(self, chunk: Responses) -> None:
        J, K = len(chunk.items), int(chunk.score.max(initial=0)) + 1
        used = chunk.status != NOT_REACHED
        item, score = (chunk.item, chunk.score) if used.all() else (chunk.item[used], chunk.score[used])
        seen = np.zeros((J, K), bool)
        seen[item, score] = True
        counted = chunk.weight[chunk.person if used.all() else chunk.person[used]] > 0
        self.seen[item[counted], score[counted]] = True
        present = seen.any(axis=1)
        self.low[present] = np.minimum(self.low, seen.argmax(axis=1))[present]
        self.high[present] = np.maximum(self.high, K - 1 - seen[:, ::-1].argmax(axis=1))[present]
        self.omitted += np.bincount(chunk.item[chunk.status == OMITTED], minlength=J)
        self.counts = {name: self.counts.get(name, 0) + n for name, n in chunk.counts.items()}

    def done(self) -> StreamedResponses:
        if self.items is None:
            raise ResponsesError("no chunk of responses: the stream is empty")
        keyed = np.array([name in self.keyed for name in self.items])
        by = np.where((self.high > self.low) & ~keyed, self.low, 0)
        arrays = self.tables.all()
        blocks = tuple(
            replace(block, codes=arrays[codes], items=block.items if items is None else arrays[items])
            for block, codes, items in self.blocks
        )
        categories = np.maximum(self.high - by + 1, 2)
        table = np.maximum(np.arange(MISSING + 1) - by[:, None], 0)
        gaps = {}
        for j, seen in enumerate(self.seen):
            scores = np.flatnonzero(seen)
            if len(scores) > 1 and len(scores) < categories[j]:
                gaps[j], categories[j] = scores, len(scores)
                table[j] = np.searchsorted(scores, np.arange(MISSING + 1)).clip(max=len(scores) - 1)
        if by.any() or gaps:
            table[:, MISSING] = MISSING
            for block in blocks:
                block.codes[...] = table.astype(np.uint8)[block.items, block.codes]
        shift = {name: int(k) + self.shift.get(name, 0) for name, k in zip(self.items, by, strict=True)}
        return StreamedResponses(
            blocks=ResponseBlocks.of(categories.astype(np.intp), blocks),
            items=self.items,
            n_persons=self.persons,
            counts=self.counts,
            omitted=self.omitted,
            shift={name: k for name, k in shift.items() if k},
            marks=self.marks,
            groups=tuple(self.groups),
            scores={
                self.items[j]: tuple(int(k) + self.shift.get(self.items[j], 0) for k in scores)
                for j, scores in gaps.items()
            },
        )


class _Tables:
    """Arrays put away one after the other, and had back all at once: first in memory, then in a temporary file."""

    def __init__(self, memory: int, folder: str | None) -> None:
        self.memory, self.folder = memory, folder
        self.held: list[NDArray[Any] | tuple[int, tuple[int, ...], np.dtype[Any]]] = []
        self.bytes = self.written = 0
        self.file: IO[bytes] | None = None

    def put(self, array: NDArray[Any]) -> int:
        """Its number in the list of `all`."""
        self.bytes += array.nbytes
        if self.bytes <= self.memory:
            self.held.append(array)
        else:
            if self.file is None:
                self.file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  (lives as long as the map of it)
            padding = -self.written % 8  # numbers of 8 bytes stand at multiples of 8
            self.file.write(bytes(padding))
            self.file.write(np.ascontiguousarray(array).data)
            self.held.append((self.written + padding, array.shape, array.dtype))
            self.written += padding + array.nbytes
        return len(self.held) - 1

    def all(self) -> list[NDArray[Any]]:
        """All arrays in the order in which they were put away; those of the file can be written to as well."""
        whole: NDArray[np.uint8] = np.zeros(0, np.uint8)
        if self.file is not None:
            self.file.flush()
            whole = np.memmap(self.file, np.uint8, "r+", shape=(self.written,))
            self.file.close()  # the map keeps it
        arrays: list[NDArray[Any]] = []
        for held in self.held:
            if isinstance(held, tuple):
                at, shape, dtype = held
                size = int(np.prod(shape)) * dtype.itemsize
                arrays.append(np.asarray(whole[at : at + size]).view(dtype).reshape(shape))
            else:
                arrays.append(held)
        return arrays
