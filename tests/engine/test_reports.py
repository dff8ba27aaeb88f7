"""Reports: whole HTML pages that need nothing from elsewhere and show what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import ReferenceForm
from engine import (
    Simulation,
    simulate,
    write_adaptive_report,
)
from tests.engine.pages import assert_whole, facts_of, rows_under, written
from tests.engine.samples import (
    adaptive_design,
    adaptive_pool,
)

POOL = adaptive_pool()
DESIGN = adaptive_design(weights={"A": 3.0, "B": 1.0})
REFERENCE = ReferenceForm.of_table(POOL.parameters, np.ones(60))


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(POOL, DESIGN, examinees=80, seed=3)


def test_the_adaptive_report_states_length_precision_content_and_decisions(
    tmp_path: Path, simulation: Simulation
) -> None:
    text, page = written(
        tmp_path / "report.html",
        lambda path: write_adaptive_report(path, simulation, POOL, DESIGN, REFERENCE, lead="模拟"),
    )
    assert_whole(text, page)
    decisions = simulation.decisions(REFERENCE.cut(0.60))
    shown = facts_of(page)
    assert shown["模拟考生 examinees"] == "80"
    assert shown["平均题数 mean length"] == f"{simulation.length.mean():.1f}"
    assert shown["合格判定准确率 accuracy"] == f"{decisions['accuracy']:.1%}"
    assert shown["最高曝光率 highest exposure"] == f"{simulation.exposure.max():.1%}"
    content = rows_under(page, "Content")
    assert [row[:2] for row in content] == [["A", "75.0%"], ["B", "25.0%"]]
    assert sum(float(row[2].rstrip("%")) for row in content) == pytest.approx(100, abs=0.1)
    assert len(page.xpath("//*[name()='svg']")) == 3


def test_the_same_result_gives_the_same_page(tmp_path: Path, simulation: Simulation) -> None:
    pages = [
        written(tmp_path / name, lambda path: write_adaptive_report(path, simulation, POOL, DESIGN, REFERENCE))[0]
        for name in ("one.html", "two.html")
    ]
    assert pages[0] == pages[1]
