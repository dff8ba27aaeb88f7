"""Reports: whole HTML pages that need nothing from elsewhere and show what was found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import ReferenceForm, Scale
from engine import (
    Release,
    ReleasePolicy,
    Simulation,
    choose_release,
    effect_of_knowing,
    simulate,
    write_adaptive_report,
    write_release_report,
)
from tests.engine.pages import assert_whole, facts_of, rows_under, written
from tests.engine.samples import (
    adaptive_design,
    adaptive_pool,
    real_blueprint,
    sample_pool,
)

POOL = adaptive_pool()
DESIGN = adaptive_design(weights={"A": 3.0, "B": 1.0})
REFERENCE = ReferenceForm.of_table(POOL.parameters, np.ones(60))


@pytest.fixture(scope="module")
def release() -> Release:
    return choose_release(sample_pool(), ReleasePolicy(0.1, withhold=({"flagged": "yes"},)), seed=7)


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(POOL, DESIGN, examinees=80, seed=3)


def test_the_release_report_lists_margins_cells_items_and_the_effect(tmp_path: Path, release: Release) -> None:
    pool = sample_pool()
    known = pool.parameters.take(pool.calibrated.nonzero()[0][:100])
    effect = effect_of_knowing(known, real_blueprint().item_marks(pool)[:100], Scale(), -0.4, 0.2)
    text, page = written(
        tmp_path / "report.html",
        lambda path: write_release_report(path, release, pool, [effect], labels={release.items[0]: "职业道德 <b>"}),
    )
    assert_whole(text, page)
    margins = rows_under(page, "Margins")
    assert len(margins) == 9 + 3 + 5
    assert sum(int(row[4]) for row in margins if row[0] == "type") == 57
    published = rows_under(page, "Published items")
    assert [row[0] for row in published] == list(release.items)
    assert published[0][1] == "职业道德 <b>"
    assert [row[-1] for row in published] == list(release.reasons.values())
    assert rows_under(page, "Effect") == [["20%", f"{effect.marks_at_cut:.1f}", f"{effect.false_passes:.1%}"]]
    assert facts_of(page)["公开题数 published"] == "57 / 570"
    (cells,) = page.xpath("//details//tbody")
    assert len(cells) == sum(len(s.columns) == 3 for s in release.strata)


def test_without_effects_and_labels_the_report_has_no_empty_tables(tmp_path: Path, release: Release) -> None:
    _, page = written(tmp_path / "report.html", lambda path: write_release_report(path, release, sample_pool(), []))
    assert "Effect" not in page.text_content()
    assert all(len(row) == 2 for row in rows_under(page, "Published items"))


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
