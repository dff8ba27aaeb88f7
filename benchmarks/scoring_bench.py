"""What scores cost: persons a CPU second on one core, from `Responses`, and one person's EAP in a server.

python -m benchmarks.scoring_bench

Every form has 40 items.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calibration import Curves, ItemParameters, Responses, Scorer, score_responses

Array = NDArray[np.float64]
RUNS = 5
ITEMS = 40
WANTED = {"eap": 1_500_000, "wle": 400_000}  # persons a second, 2PL


def cpu_seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median CPU seconds of some runs."""
    seconds = []
    for _ in range(runs):
        begun = time.process_time()
        work()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds)


def form(model: str) -> list[ItemParameters]:
    """Forty items of a model: log a ~ N(0, 0.3²), b ~ N(0, 1), c = 0.2; polytomous ones of five categories."""
    rng = np.random.default_rng(20260701)
    a, b = np.exp(rng.normal(0, 0.3, ITEMS)), rng.normal(0, 1, ITEMS)
    steps = (-1.2, -0.4, 0.4, 1.2) if model in {"GPCM", "GRM"} else (0.0,)
    return [
        ItemParameters(
            f"q{j}",
            model,
            float(a[j]) if model != "Rasch" else 1.0,
            tuple(float(b[j]) + s for s in steps),
            c=0.2 if model == "3PL" else 0.0,
        )
        for j in range(ITEMS)
    ]


def answers(items: list[ItemParameters], N: int, missing: float = 0.0) -> Responses:
    """Responses of N persons from N(0, 1), a share of them missing at random."""
    rng, curves = np.random.default_rng(7), Curves.of(items)
    P = curves.probability(rng.standard_normal(N))
    table = np.empty((N, len(items)))
    for j, (first, last) in enumerate(zip(curves.start[:-1], curves.start[1:], strict=True)):
        table[:, j] = (rng.random(N) > np.cumsum(P[first:last], axis=0)[:-1]).sum(axis=0)
    table[rng.random(table.shape) < missing] = np.nan
    return Responses.from_matrix(table, [item.id for item in items])


def line(name: str, persons: int, seconds: float, note: str = "") -> None:
    print(f"{name:<46}{persons / seconds:>12,.0f} persons/s   {note}")


def main() -> None:
    for model, N, methods in (
        ("2PL", 100_000, ("eap", "wle", "ml", "map", "eapsum", "pv")),
        ("Rasch", 100_000, ("eap", "wle")),
        ("GPCM", 20_000, ("eap", "wle")),
        ("3PL", 20_000, ("eap", "wle")),
        ("GRM", 20_000, ("eap", "wle")),
    ):
        items = form(model)
        data = answers(items, N)
        for method in methods:
            seconds = cpu_seconds(lambda m=method, d=data, i=items: score_responses(d, i, method=m))
            wanted = f"wanted ≥ {WANTED[method]:,}" if model == "2PL" and method in WANTED else ""
            line(f"{method}, {N:,} persons x {ITEMS} {model}", N, seconds, wanted)
    items = form("2PL")
    gaps = answers(items, 20_000, missing=0.2)
    for method in ("eap", "wle"):
        seconds = cpu_seconds(lambda m=method: score_responses(gaps, items, method=m), 3)
        line(f"{method}, 20,000 persons x {ITEMS} 2PL, 20 % missing", 20_000, seconds)
    scorer, codes = Scorer.of(items), np.random.default_rng(1).integers(0, 2, ITEMS)
    seconds = cpu_seconds(lambda: [scorer.eap(codes) for _ in range(2000)]) / 2000
    print(f"{'one EAP in a server, 40 2PL items':<46}{1e6 * seconds:>12.1f} µs          wanted ≤ 50")


if __name__ == "__main__":
    main()
