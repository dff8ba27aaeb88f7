"""What papers cost: median CPU seconds over a few seeds, every kind of rule in every blueprint.

    python -m benchmarks.assembly_bench                # with scipy.optimize.milp beside, a minute a model
    python -m benchmarks.assembly_bench --alone        # without

`assemble` is everything: compiling the blueprint, the search, item order, keys, recount and pool digest; the search
alone stands below it. scipy.optimize.milp gets the same model of the whole eligible pool (all forms at once where there
are several) and the least deviation as its objective; its limit is a minute of the clock. Diagnosis and release follow.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from benchmarks import diagnosis_bench, release_bench
from benchmarks.banks import bank, blueprint, earlier_papers
from benchmarks.calibration_bench import line
from engine import Assembly, Blueprint, Pool, assemble, assemble_on_the_fly, read_pool
from engine.assembly.forms import find_forms
from engine.assembly.models import add_form
from engine.assembly.on_the_fly import fresh_forms
from engine.assembly.paper import Paper, compile_paper
from engine.assembly.solver import Model

SEEDS = (1, 2, 3)
LIMIT = 60.0  # seconds of the clock for scipy.optimize.milp
FRESH = 50  # forms on the fly
LARGEST = 100_000  # columns of a model that milp still gets


def over_seeds(work: Callable[[int], Any], seeds: Sequence[int] = SEEDS) -> tuple[float, list[Any]]:
    """Median CPU seconds over the seeds, and what each gave."""
    seconds, results = [], []
    for seed in seeds:
        begun = time.process_time()
        results.append(work(seed))
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), results


def papers(items: int, forms: int, length: int, goal: float, wanted: float, *, beside: bool) -> None:
    """So many disjoint forms: all of it, the search alone, and milp."""
    pool, paper = bank(items), blueprint(length, goal=goal)
    earlier = earlier_papers(pool, length)
    seconds, found = over_seeds(lambda seed: assemble(pool, paper, forms=forms, seed=seed, earlier=earlier))
    line(f"{forms} x {length} of {items:,}", seconds, _worst(found), wanted)
    compiled = compile_paper(pool, paper, earlier=dict(earlier))
    seconds, _ = over_seeds(lambda seed: find_forms(compiled, forms, seed=seed))
    line("  the search alone", seconds, "")
    if beside:
        _beside(compiled, forms)


def _worst(found: Sequence[Assembly]) -> str:
    """The largest deviation over the forms, and whether every rule held."""
    worst = [max(form.deviation for form in one.forms) for one in found]
    kept = all(row.ok for one in found for row in one.recount)
    return f"deviation {', '.join(f'{one:.2%}' for one in worst)}{'' if kept else '; A RULE IS BROKEN'}"


def _beside(paper: Paper, forms: int) -> None:
    """The same model of the whole eligible pool with scipy.optimize.milp."""
    items = np.flatnonzero(paper.eligible)
    if forms * len(items) > LARGEST:
        print(f"  scipy.optimize.milp: not tried, {forms * len(items):,} columns")
        return
    begun = time.process_time()
    deviation = with_milp(paper, items, forms)
    seconds = time.process_time() - begun
    note = "nothing found" if np.isnan(deviation) else f"deviation {deviation:.2%}"
    line("  scipy.optimize.milp", seconds, f"{note} within {LIMIT:g} s")


def with_milp(paper: Paper, items: np.ndarray[Any, np.dtype[np.intp]], forms: int) -> float:
    """The largest deviation that milp reaches within LIMIT; NaN where it finds no forms."""
    model, columns = Model(), []
    worst = []
    for _ in range(forms):
        x, deviation = add_form(model, paper, items)
        columns.append(x)
        worst.append(deviation)
    if forms > 1:
        each = np.stack(columns, axis=1)
        once = csr_array((np.ones(each.size), np.arange(each.size), forms * np.arange(len(items) + 1)))
        model.add_rows(["nothing shared"] * len(items), once, each.ravel(), -np.inf, 1.0)
    result = milp(
        model.cost,
        integrality=model.integer.astype(int),
        bounds=Bounds(model.lower, model.upper),
        constraints=LinearConstraint(model.matrix, np.array(model.row_lower), np.array(model.row_upper)),
        options={"time_limit": LIMIT},
    )
    return float("nan") if result.x is None else float(result.x[np.concatenate(worst)].max())


def without(items: int, length: int) -> None:
    """What expected marks and key balance cost: the same paper without either."""
    pool, paper = bank(items), blueprint(length)
    earlier = earlier_papers(pool, length)
    assert paper.target is not None
    loose = replace(paper.target, marks_tolerance=0.0, marks_between_forms=0.0)
    unkeyed = tuple(rule for rule in paper.rules if rule.what != "key_balance")
    for name, one in (
        ("without expected marks", replace(paper, target=loose)),
        ("without key balance", replace(paper, rules=unkeyed)),
        ("without both", replace(paper, target=loose, rules=unkeyed)),
    ):
        seconds, found = over_seeds(lambda seed, one=one: assemble(pool, one, seed=seed, earlier=earlier))  # type: ignore[misc]
        line(f"  1 x {length} of {items:,} {name}", seconds, _worst(found))


def memory(items: int, length: int) -> None:
    """The peak of a process that reads the pool from a file and assembles a paper."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pool.csv"
        bank(items).write_csv(file)
        command = [sys.executable, "-m", "benchmarks.assembly_bench", "--in-a-process", str(file), str(length)]
        before, after = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    own = float(after) - float(before)
    print(f"{f'  memory, 1 x {length} of {items:,}':<46}{after:>9} MB (≤ 150)  {own:.0f} MB of it the assembly")


def _in_a_process(file: Path, length: int) -> None:
    """Peak memory in MB after reading, and after assembling."""
    pool: Pool = read_pool(file)
    paper: Blueprint = blueprint(length)
    peak = [_peak()]
    assemble(pool, paper, seed=1, earlier=earlier_papers(pool, length))
    peak.append(_peak())
    print(*(f"{one:.0f}" for one in peak))


def _peak() -> float:
    """MB that this process has held at most; getrusage would count the process that began it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(status.split("VmHWM:")[1].split()[0]) / 1024


def on_the_fly(items: int, length: int) -> None:
    """Fresh forms, ordered and recounted, and the search alone."""
    pool, paper = bank(items), blueprint(length)
    earlier = earlier_papers(pool, length)
    seconds, found = over_seeds(lambda seed: assemble_on_the_fly(pool, paper, FRESH, seed=seed, earlier=earlier))
    worst = max(form.deviation for one in found for form in one.forms)
    line(f"{FRESH} x {length} of {items:,} on the fly", seconds, f"{FRESH / seconds:.1f} a second (≥ 10); {worst:.2%}")
    compiled = compile_paper(pool, paper, earlier=dict(earlier))
    seconds, _ = over_seeds(lambda seed: list(fresh_forms(compiled, FRESH, seed=seed)))
    line("  the search alone", seconds, f"{FRESH / seconds:.1f} a second")


def main() -> None:
    """Print the table."""
    if "--in-a-process" in sys.argv:
        _in_a_process(Path(sys.argv[-2]), int(sys.argv[-1]))
        return
    beside = "--alone" not in sys.argv
    print(f"papers, every kind of rule (CPU seconds, median of {len(SEEDS)} seeds; deviation of each)")
    for items, wanted in ((1_000, 0.5), (5_000, 0.7), (20_000, 1.0)):
        papers(items, 1, 150, 0.005, wanted, beside=beside)
        memory(items, 150)
    for items in (1_000, 5_000, 20_000):
        without(items, 150)
    papers(1_000, 4, 100, 0.005, 3.0, beside=beside)
    papers(5_000, 10, 150, 0.005, 5.0, beside=beside)
    papers(20_000, 20, 150, 0.002, 20.0, beside=beside)
    on_the_fly(5_000, 100)
    diagnosis_bench.diagnosis()
    release_bench.release(20_000, 10, 10.0)


if __name__ == "__main__":
    main()
