"""What a release costs: CPU seconds of 30 % of a bank, alone and with ten papers assembled of what stays secret.

python -m benchmarks.release_bench [ITEMS …]
"""

from __future__ import annotations

import sys
from datetime import date

import numpy as np

from benchmarks.calibration_bench import cpu_seconds, line
from engine import Blueprint, Pool, Readiness, ReleasePolicy, Rule, Target, choose_release
from engine.pools import Value

SECTIONS = {"S1": 0.1, "S2": 0.2, "S3": 0.3, "S4": 0.4}
READY = Readiness("benchmark", date(2026, 7, 1), "no bank is published by it")


def generated_bank(items: int, seed: int = 20260701) -> Pool:
    """Calibrated items of four sections, two types, five grades, X/Y/Z, items / 2 points; some used, drifting, anchors,
    a tenth with an enemy.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Value]] = []
    for j in range(items):
        foe = int(rng.integers(items))
        rows.append(
            {
                "id": f"i{j:05d}",
                "a": float(rng.lognormal(0, 0.3)),
                "b": float(rng.normal(-0.5, 1)),
                "type": "single" if rng.random() < 0.8 else "multiple",
                "section": str(rng.choice(list(SECTIONS), p=list(SECTIONS.values()))),
                "point": f"P{rng.integers(items // 2):05d}",
                "grade": str(rng.integers(1, 6)),
                "importance": str(rng.choice(["X", "Y", "Z"], p=[0.8, 0.15, 0.05])),
                "uses": str(rng.poisson(1)),
                "drift": "yes" if rng.random() < 0.02 else "no",
                "anchor": "yes" if rng.random() < 0.03 else "no",
                "enemies": (f"i{foe:05d}",) if foe != j and rng.random() < 0.1 else (),
            }
        )
    return Pool.from_rows(rows)


def paper_of_150() -> Blueprint:
    """120 single and 30 multiple, sections in marks, grades within bounds, a point once, enemies apart."""
    return Blueprint(
        title="150 items",
        length=150,
        minutes=90,
        marks_by="type",
        marks={"single": 0.5, "multiple": 1.0},
        rules=(
            Rule("single", "count", where={"type": "single"}, min=120, max=120),
            *(
                Rule(f"section {s}", "sum", of="marks", where={"section": s}, min=90 * w - 0.5, max=90 * w + 0.5)
                for s, w in SECTIONS.items()
            ),
            *(Rule(f"grade {g}", "count", where={"grade": str(g)}, min=22, max=38) for g in range(1, 6)),
            Rule("points", "at_most_one_per", of="point"),
            Rule("enemies", "enemies"),
            Rule("apart", "overlap", forms="parallel", share=0.0),
        ),
        target=Target(goal=0.005),
    )


def release(items: int, papers: int, wanted: float | None = None) -> None:
    """30 % of so many items, with so many papers assembled of the rest."""
    bank = generated_bank(items)
    seconds, result = cpu_seconds(
        lambda: choose_release(
            bank,
            ReleasePolicy(0.3, (READY,)),
            seed=1,
            blueprint=paper_of_150() if papers else None,
            papers=papers,
            papers_limit=0,
        ),
        runs=1,
    )
    shown = 0 if result.papers is None else len(result.papers.forms)
    note = (
        f"worst margin {result.worst_margin:.2f}, cell {result.worst_cell:.2f}; KS {result.ks_difficulty:.4f}, "
        f"{result.ks_discrimination:.4f}; exposed first {result.usage.exposed_published} of {result.usage.exposed}"
    )
    line(f"release of 30 % of {items:,}, {shown} papers", seconds, note, wanted)


def main() -> None:
    """Print a line for each bank, without and with papers."""
    for items in [int(word) for word in sys.argv[1:]] or [2000, 20000]:
        for papers in (0, min(10, items // 500)):
            release(items, papers)


if __name__ == "__main__":
    main()
