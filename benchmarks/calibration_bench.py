"""What a calibration costs: median CPU seconds, standard errors and all checks included, one BLAS thread.

    python -m benchmarks.calibration_bench              # what a minute can hold
    python -m benchmarks.calibration_bench --large      # and a million persons

girth and the PyPI package mirt are measured beside on the same data in the same run where they are installed; the
project does not depend on them. CPU time counts every thread, so a second BLAS thread flatters nothing; `make bench`
allows one.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import (
    DEFAULT_PRIORS,
    Beta,
    Priors,
    Responses,
    block_stream,
    calibrate,
    calibrate_stream,
    pool_responses,
    read_key,
    read_responses,
)

Array = NDArray[np.float64]
SITTINGS = Path(__file__).parents[1] / "examples" / "ai_trainer_l3" / "sittings"
RUNS = 3
CHUNK = 20_000


def cpu_seconds(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Median CPU seconds of some runs, and what the last one gave."""
    seconds, result = [], None
    for _ in range(runs):
        begun = time.process_time()
        result = work()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), result


def line(name: str, seconds: float, note: str, goal: float | None = None) -> None:
    wanted = f"(≤ {goal:g})" if goal is not None else ""
    print(f"{name:<46}{seconds:>9.3f} s {wanted:<9} {note}", flush=True)


def dichotomous(N: int, J: int, guessing: float = 0.0) -> Array:
    """Scores (N, J) under 3PL."""
    rng = np.random.default_rng(20260701)
    a, b = np.exp(rng.normal(0, 0.3, J)), rng.normal(0, 1, J)
    P = guessing + (1 - guessing) / (1 + np.exp(-a * (rng.standard_normal(N)[:, None] - b)))
    return (rng.random((N, J)) < P).astype(float)


def five_categories(N: int, J: int) -> Array:
    """Scores 0 … 4, (N, J), under the graded model."""
    rng = np.random.default_rng(20260701)
    a = np.exp(rng.normal(0, 0.3, J))
    b = np.sort(rng.normal(0, 1.2, (J, 4)), axis=1) + np.linspace(-0.5, 0.5, 4)
    above = 1 / (1 + np.exp(-a[:, None] * (rng.standard_normal(N)[:, None, None] - b)))
    return (rng.random((N, J, 1)) < above).sum(axis=2).astype(float)


def sparse(N: int, each: int, J: int) -> Responses:
    """N persons with `each` of J items, drawn anew for everybody."""
    rng = np.random.default_rng(20260701)
    a, b, theta = np.exp(rng.normal(0, 0.3, J)), rng.normal(0, 1, J), rng.standard_normal(N)
    item = np.sort(np.argsort(rng.random((N, J)), axis=1)[:, :each], axis=1)
    score = rng.random((N, each)) < 1 / (1 + np.exp(-a[item] * (theta[:, None] - b[item])))
    return _long(N, J, each, item, score)


def _long(N: int, J: int, each: int, item: NDArray[np.intp], score: NDArray[np.bool_]) -> Responses:
    return Responses(
        persons=tuple(map(str, range(N))),
        items=tuple(f"item{j}" for j in range(J)),
        person=np.repeat(np.arange(N, dtype=np.int32), each),
        item=item.ravel().astype(np.int32),
        score=score.ravel().astype(np.int16),
        status=np.zeros(N * each, np.uint8),
        weight=np.ones(N),
        form=np.zeros(N, np.int32),
        forms=("1",),
    )


def chunks(N: int, J: int) -> Iterator[Responses]:
    """N persons with all of J items, in chunks."""
    rng = np.random.default_rng(20260701)
    a, b = np.exp(rng.normal(0, 0.3, J)), rng.normal(0, 1, J)
    item = np.tile(np.arange(J), (CHUNK, 1))
    for _ in range(N // CHUNK):
        P = 1 / (1 + np.exp(-a * (rng.standard_normal(CHUNK)[:, None] - b)))
        yield _long(CHUNK, J, J, item, rng.random((CHUNK, J)) < P)


def _peer(name: str, module: str, work: Callable[[Any], Any]) -> None:
    if importlib.util.find_spec(module) is None:
        print(f"{name:<46}{module} is not installed")
        return
    try:
        seconds, _ = cpu_seconds(lambda: work(importlib.import_module(module)), runs=1)
    except Exception as error:  # noqa: BLE001  (a peer that fails is a result, too)
        print(f"{name:<46}fails: {type(error).__name__}: {str(error)[:60]}")
        return
    line(name, seconds, "")


def complete() -> None:
    """The four models on 20,000 × 40, each beside its peers."""
    two, three, five = dichotomous(20_000, 40), dichotomous(20_000, 40, 0.2), five_categories(20_000, 40)
    guess = Priors(c=Beta(5, 17))
    work: list[tuple[str, Array, dict[str, Any], float, str, str]] = [
        ("2PL", two, {}, 0.3, "twopl_mml", "2PL"),
        ("3PL", three, {"model": "3PL", "priors": guess}, 0.6, "threepl_mml", "3PL"),
        ("GRM", five, {"model": "GRM"}, 0.8, "grm_mml", "GRM"),
        ("GPCM", five, {"model": "GPCM"}, 0.8, "gpcm_mml", "GPCM"),
    ]
    for model, table, arguments, goal, girth, mirt in work:
        data = Responses.from_matrix(table)
        seconds, result = cpu_seconds(lambda data=data, arguments=arguments: calibrate(data, **arguments))
        note = f"{result.iterations} passes, {result.nodes} nodes, integration error {result.integration_error:.0e}"
        line(f"{model}, 20,000 x 40, with SE", seconds, note, goal)
        codes = table.astype(int)
        if model in {"2PL", "GRM"} or "--peers" in sys.argv:
            _peer(f"  girth {girth}, no SE", "girth", lambda g, f=girth, codes=codes: getattr(g, f)(codes.T))
            _peer(f"  mirt (PyPI) {mirt}, with SE", "mirt", lambda m, f=mirt, codes=codes: m.fit_mirt(codes, f))


def incomplete() -> None:
    """Everybody other items; and the sample bank."""
    data = sparse(5_000, 60, 2_000)
    seconds, result = cpu_seconds(lambda: calibrate(data))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    note = f"{result.iterations} passes; this process at its peak so far {peak:.0f} MB"
    line("2PL, 5,000 persons x 60 of 2,000 items, with SE", seconds, note, 0.4)
    key = read_key(SITTINGS / "keys.csv")
    seconds, bank = cpu_seconds(
        lambda: pool_responses([read_responses(SITTINGS / f"{s}.csv", key=key) for s in range(1, 7)])
    )
    line("read the sample sittings, 630 x 190 of 570", seconds, f"{len(bank.score):,} responses")
    seconds, result = cpu_seconds(lambda: calibrate(bank, priors=DEFAULT_PRIORS))
    line("2PL of the sample bank, default priors, with SE", seconds, f"{result.iterations} passes, {result.se_kind}")


def large() -> None:
    """A million persons, from blocks of one byte a response."""
    for J, goal in ((50, 5.0), (200, 20.0)):
        streamed = block_stream(chunks(1_000_000, J))
        seconds, result = cpu_seconds(lambda streamed=streamed: calibrate_stream(streamed), runs=1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        note = f"{result.iterations} passes, {result.nodes} nodes, peak {peak:.2f} GB (≤ 1.5)"
        line(f"2PL, 1,000,000 x {J}, with SE", seconds, note, goal)
        del streamed


def main() -> None:
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        print("note: OPENBLAS_NUM_THREADS is not 1; `make bench` sets it")
    incomplete()
    complete()
    if "--large" in sys.argv:
        large()


if __name__ == "__main__":
    main()
