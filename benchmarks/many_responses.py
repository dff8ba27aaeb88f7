"""Responses in Parquet, more than fit in memory: what it costs to read them into blocks, to describe and to calibrate
them, in two threads.

python -m benchmarks.many_responses [persons] [items] [long | wide]     (default 100,000 x 100: 10 million responses)

The data are the same wherever and however often they are made: 2PL, one generator a chunk of persons.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from calibration import calibrate_stream
from calibration.classical_stream import streamed_statistics
from calibration.estimation.block_stream import block_stream
from calibration.responses import stream_responses

T = TypeVar("T")

SEED = 20261001
PERSONS_AT_ONCE = 20_000
THREADS = 2


def item_parameters(J: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes a and difficulties b (J,) behind the responses."""
    rng = np.random.default_rng([SEED, J])
    return np.exp(rng.normal(0, 0.3, J)), rng.normal(0, 1, J)


def score_chunks(N: int, J: int) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """First person and scores (n, J) of every chunk of persons."""
    a, b = (values.astype(np.float32) for values in item_parameters(J))
    for first in range(0, N, PERSONS_AT_ONCE):
        rng = np.random.default_rng([SEED, J, first])
        theta = rng.standard_normal(min(PERSONS_AT_ONCE, N - first), dtype=np.float32)
        P = 1 / (1 + np.exp(-a * (theta[:, None] - b)))
        yield first, (rng.random(P.shape, dtype=np.float32) < P).astype(np.int8)


def write_long(path: Path, N: int, J: int, *, text: bool = False) -> None:
    """`person, item, score`, a row a response; persons as whole numbers, or as text."""
    names = pa.array([f"I{j + 1:03}" for j in range(J)])
    person_type = pa.string() if text else pa.int32()
    schema = pa.schema(
        [("person", person_type), ("item", pa.dictionary(pa.int16(), pa.string())), ("score", pa.int8())]
    )
    with pq.ParquetWriter(path, schema) as writer:
        for first, scores in score_chunks(N, J):
            n = len(scores)
            person = pa.array(np.repeat(np.arange(first + 1, first + n + 1, dtype=np.int32), J)).cast(person_type)
            item = pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(J, dtype=np.int16), n)), names)
            writer.write_table(pa.table([person, item, pa.array(scores.reshape(-1))], schema=schema))


def write_wide(path: Path, N: int, J: int) -> None:
    """`person`, then a column an item, a row a person."""
    fields = [("person", pa.int32()), *((f"I{j + 1:03}", pa.int8()) for j in range(J))]
    schema = pa.schema(fields)
    with pq.ParquetWriter(path, schema) as writer:
        for first, scores in score_chunks(N, J):
            person = pa.array(np.arange(first + 1, first + len(scores) + 1, dtype=np.int32))
            columns = [pa.array(np.ascontiguousarray(scores[:, j])) for j in range(J)]
            writer.write_table(pa.table([person, *columns], schema=schema))


def timed(name: str, work: Callable[[], T]) -> T:
    """What the work gives; its wall and CPU seconds and the most memory so far are printed."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<46}{wall:>8.2f} s wall {cpu:>8.2f} s CPU   peak {peak:,.0f} MB")
    return result


def main(N: int = 100_000, J: int = 100, only: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        for layout, write in (("long", write_long), ("wide", write_wide)):
            if only not in {"", layout}:
                continue
            path = Path(folder) / f"{layout}.parquet"
            write(path, N, J)
            print(f"{layout}: {N:,} persons x {J} items, {path.stat().st_size / 2**20:,.0f} MB of Parquet")
            streamed = timed("  read into blocks", lambda path=path: block_stream(stream_responses(path)))
            statistics = timed("  n, p, item-rest correlation", lambda streamed=streamed: streamed_statistics(streamed))
            assert sum(s.n for s in statistics) == N * J
            result = timed("  2PL, with SE", lambda streamed=streamed: calibrate_stream(streamed, threads=THREADS))
            print(f"    {result.iterations} passes, {result.nodes} nodes, converged: {result.converged}")
            del streamed
            path.unlink()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
