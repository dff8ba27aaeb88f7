"""What a calibration costs: median CPU seconds of three runs, standard errors included, one BLAS thread.

python -m benchmarks.calibration_bench

girth is measured beside where it is installed; the project does not depend on it. CPU time counts every thread, so a
second BLAS thread flatters nothing; `make bench` allows one.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import (
    DEFAULT_PRIORS,
    Calibration,
    Responses,
    calibrate,
    eap_scores,
    pool_responses,
    read_key,
    read_responses,
)

Array = NDArray[np.float64]
SITTINGS = Path(__file__).parents[1] / "examples" / "ai_trainer_l3" / "sittings"
RUNS = 3


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Median CPU seconds of RUNS runs, and what the last one gave."""
    seconds, result = [], None
    for _ in range(RUNS):
        begun = time.process_time()
        result = work()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), result


def complete_data(N: int, J: int) -> tuple[Array, Array, Array]:
    """Scores (N, J) under 2PL, and the parameters a, b (J,) behind them."""
    rng = np.random.default_rng(20260701)
    a, b = np.exp(rng.normal(0, 0.3, J)), rng.normal(0, 1, J)
    P = 1 / (1 + np.exp(-a * (rng.standard_normal(N)[:, None] - b)))
    return (rng.random((N, J)) < P).astype(float), a, b


def line(name: str, seconds: float, note: str) -> None:
    print(f"{name:<46}{seconds:>9.3f} s   {note}")


def _estimates(result: Calibration) -> tuple[Array, Array]:
    return np.array([item.a for item in result.items]), np.array([item.b for item in result.items])


def _girth(table: Array, a: Array, b: Array) -> None:
    if importlib.util.find_spec("girth") is None:
        print(f"{'girth twopl_mml, the same data, no SE':<46}girth not installed")
        return
    girth = importlib.import_module("girth")
    seconds, found = cpu_seconds(lambda: girth.twopl_mml(table.T.astype(int)))
    difference = np.abs(found["Discrimination"] - a).max(), np.abs(found["Difficulty"] - b).max()
    line(
        "girth twopl_mml, the same data, no SE",
        seconds,
        f"differs by at most {difference[0]:.4f} (a), {difference[1]:.4f} (b)",
    )


def main() -> None:
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        print("note: OPENBLAS_NUM_THREADS is not 1; `make bench` sets it")
    table, _, _ = complete_data(20_000, 40)
    data = Responses.from_matrix(table)
    seconds, result = cpu_seconds(lambda: calibrate(data))
    line("2PL, 20,000 x 40, with SE", seconds, f"{result.iterations} passes, converged: {result.converged}")
    _girth(table, *_estimates(result))
    seconds, scores = cpu_seconds(lambda: eap_scores(data, result.items))
    line("EAP, 20,000 persons x 40", seconds, f"{len(scores.theta) / seconds:,.0f} persons a second")

    key = read_key(SITTINGS / "keys.csv")
    seconds, bank = cpu_seconds(
        lambda: pool_responses([read_responses(SITTINGS / f"{s}.csv", key=key) for s in range(1, 7)])
    )
    line("read the sample sittings, 630 x 190 of 570", seconds, f"{len(bank.score):,} responses")
    seconds, result = cpu_seconds(lambda: calibrate(bank, priors=DEFAULT_PRIORS))
    line("2PL of the sample bank, default priors, with SE", seconds, f"{result.iterations} passes, {result.se_kind}")


if __name__ == "__main__":
    main()
