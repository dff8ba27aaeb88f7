"""What papers, releases and simulations cost: median CPU seconds of three runs.

python -m benchmarks.engine_bench

scipy.optimize.milp, which knows no target value to stop at, gets the model of the same single paper and ten seconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from engine import (
    Blueprint,
    Content,
    Exposure,
    Pool,
    ReleasePolicy,
    Rule,
    Stop,
    Target,
    TestDesign,
    assemble,
    choose_release,
    simulate,
)
from engine.assembly import _aim, _form_model
from engine.pools import Value
from tests.engine.samples import real_blueprint, sample_pool

RUNS = 3
SECTIONS = {"S1": 0.1, "S2": 0.2, "S3": 0.3, "S4": 0.4}
MILP_SECONDS = 10.0


def generated_pool(items: int, seed: int = 20260701) -> Pool:
    """Calibrated items: four sections, two types, items / 2 points, five grades, an enemy for one item in ten."""
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
        ),
        target=Target(information_goal=0.005),
    )


def with_milp(pool: Pool, blueprint: Blueprint) -> float:
    """The deviation scipy.optimize.milp reaches on the same model within MILP_SECONDS; NaN when it finds no paper."""
    model, _ = _form_model(pool, blueprint, _aim(pool, blueprint), [], None)
    A = csr_array(
        (np.concatenate(model.values), np.concatenate(model.columns), np.array(model.starts)),
        shape=(len(model.row_names), len(model.cost)),
    )
    result = milp(
        np.array(model.cost),
        integrality=np.array(model.integer, int),
        bounds=Bounds(np.array(model.lower), np.array(model.upper)),
        constraints=LinearConstraint(A, np.array(model.row_lower), np.array(model.row_upper)),
        options={"time_limit": MILP_SECONDS},
    )
    return float("nan") if result.x is None else float(result.fun)


def cpu_seconds(work: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Median CPU seconds of the runs, and what the last one gave."""
    seconds, result = [], None
    for _ in range(runs):
        begun = time.process_time()
        result = work()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), result


def line(name: str, seconds: float, note: str) -> None:
    print(f"{name:<46}{seconds:>9.3f} s   {note}")


def main() -> None:
    """Print the table."""
    print("engine: papers, releases, adaptive tests (CPU seconds, median of three)")
    seconds, papers = cpu_seconds(lambda: assemble(sample_pool(), real_blueprint(), forms=2, spares=1, seed=7))
    worst = max(form.deviation for form in papers.forms)
    line("sample bank: papers A, B and a spare, 3 × 190", seconds, f"information within {worst:.2%}")

    pool, blueprint = generated_pool(1000), paper_of_150()
    seconds, paper = cpu_seconds(lambda: assemble(pool, blueprint, seed=7))
    line("one paper, 150 of 1,000 items", seconds, f"information within {paper.forms[0].deviation:.2%}")
    seconds, deviation = cpu_seconds(lambda: with_milp(pool, blueprint), runs=1)
    line(
        "  the same model, scipy.optimize.milp",
        seconds,
        f"information within {deviation:.2%} after at most {MILP_SECONDS:g} s, one run",
    )

    bank = generated_pool(2000)
    seconds, release = cpu_seconds(lambda: choose_release(bank, ReleasePolicy(0.1), seed=7))
    line("release of 10 % of 2,000 items", seconds, f"worst margin {release.worst(1):.2f}, cell {release.worst(2):.2f}")

    for best, content in ((1, Content()), (5, Content("section", SECTIONS, ("point",)))):
        design = TestDesign(content=content, exposure=Exposure(best), stop=Stop(30, 30, 0.01))
        seconds, result = cpu_seconds(lambda d=design: simulate(pool, d, examinees=1000, seed=7))  # type: ignore[misc]
        name = "drawn, with content" if content.by else "the best item"
        line(f"1,000 tests of 30 items, {name}", seconds, f"RMSE {result.rmse:.3f}")


if __name__ == "__main__":
    main()
