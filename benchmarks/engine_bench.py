"""What the sample bank's papers, a release and simulated adaptive tests cost: median CPU seconds of three runs.

python -m benchmarks.engine_bench
"""

from __future__ import annotations

from benchmarks.calibration_bench import cpu_seconds, line
from benchmarks.release_bench import generated_bank
from engine import Content, Exposure, Stop, TestDesign, assemble, simulate
from tests.engine.samples import real_blueprint, sample_pool

SECTIONS = {"S1": 0.1, "S2": 0.2, "S3": 0.3, "S4": 0.4}


def main() -> None:
    """Print the table."""
    print("engine: the sample bank's papers, adaptive tests (CPU seconds, median of three)")
    seconds, papers = cpu_seconds(lambda: assemble(sample_pool(), real_blueprint(), forms=2, spares=1, seed=7))
    worst = max(form.deviation for form in papers.forms)
    line("sample bank: papers A, B and a spare, 3 × 190", seconds, f"information within {worst:.2%}")
    pool = generated_bank(1000)
    for best, content in ((1, Content()), (5, Content("section", SECTIONS, ("point",)))):
        design = TestDesign(content=content, exposure=Exposure(best), stop=Stop(30, 30, 0.01))
        seconds, result = cpu_seconds(lambda d=design: simulate(pool, d, examinees=1000, seed=7))  # type: ignore[misc]
        name = "drawn, with content" if content.by else "the best item"
        line(f"1,000 tests of 30 items, {name}", seconds, f"RMSE {result.rmse:.3f}")


if __name__ == "__main__":
    main()
