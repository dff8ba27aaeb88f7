"""Reports: whole HTML pages that need nothing from elsewhere and show what was found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import html

from calibration import ReferenceForm
from engine import (
    Assembly,
    RecountLine,
    Simulation,
    assemble,
    form_overlaps,
    simulate,
    write_adaptive_report,
    write_assembly_report,
)
from tests.engine.samples import (
    adaptive_design,
    adaptive_pool,
    random_pool,
    real_blueprint,
    small_blueprint,
)

Page = html.HtmlElement
POOL = adaptive_pool()
DESIGN = adaptive_design(weights={"A": 3.0, "B": 1.0})
REFERENCE = ReferenceForm.of_table(POOL.parameters, np.ones(60))


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(POOL, DESIGN, examinees=80, seed=3)


def written(path: Path, write: Callable[[Path], None]) -> tuple[str, Page]:
    write(path)
    text = path.read_text(encoding="utf-8")
    return text, html.fromstring(text.encode())


def rows_under(page: Page, heading: str) -> list[list[str]]:
    """The body rows of the first table after the heading that contains `heading`."""
    (table,) = page.xpath(f"(//h2[contains(., '{heading}')]/following::table)[1]")
    return [[cell.text_content() for cell in row] for row in table.xpath("./tbody/tr")]


def facts_of(page: Page) -> dict[str, str]:
    return {item.text: item.find("b").text for item in page.xpath("//ul[@class='facts']/li")}


def assert_whole(text: str, page: Page) -> None:
    assert text.startswith("<!DOCTYPE html>")
    assert page.get("lang") == "zh-CN"
    assert page.xpath("//link | //img | //iframe | //*[@src]") == []
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert not re.search(r"https?://|src=|url\((?!#)|@import", without_names)
    ids = page.xpath("//@id")
    assert all(target in ids for target in re.findall(r"url\(#([^)]+)\)", text))


def test_the_assembly_report_has_a_row_for_each_recounted_line(tmp_path: Path, real_assembly: Assembly) -> None:
    text, page = written(
        tmp_path / "report.html", lambda path: write_assembly_report(path, real_assembly, real_blueprint(), lead="题库")
    )
    assert_whole(text, page)
    rows = rows_under(page, "Recount")
    assert [(row[0], row[1]) for row in rows] == [(line.form, line.rule) for line in real_assembly.recount]
    assert {row[5] for row in rows} == {"符合 yes", "–"}
    assert facts_of(page)["规则复核 rules recounted"] == f"{len(rows)} / {len(rows)}"
    assert [row[0] for row in rows_under(page, "Forms")] == ["A", "B", "C"]
    assert rows_under(page, "Forms")[2][1:3] == ["备用 spare", "190"]
    shared = form_overlaps(real_assembly)
    assert rows_under(page, "Forms")[0][6] == f"A/B 0, A/C {shared['A', 'C']}"
    assert len(page.xpath("//*[name()='svg']")) == 2


def test_a_broken_rule_stands_out(tmp_path: Path, real_assembly: Assembly) -> None:
    spoiled = replace(real_assembly, recount=(RecountLine("A", "enemies apart", None, 0, 2.0, ok=False),))
    _, page = written(tmp_path / "report.html", lambda path: write_assembly_report(path, spoiled, real_blueprint()))
    (row,) = page.xpath("//tr[@class='flagged']")
    assert [cell.text_content() for cell in row] == ["A", "enemies apart", "", "0", "2", "不符 NO"]
    assert facts_of(page)["规则复核 rules recounted"] == "0 / 1"


def test_without_a_target_there_is_no_chart(tmp_path: Path) -> None:
    blueprint = replace(small_blueprint(), title="a < b & c")
    text, page = written(
        tmp_path / "report.html",
        lambda path: write_assembly_report(path, assemble(random_pool(1, 10), blueprint), blueprint),
    )
    assert_whole(text, page)
    assert page.xpath("//*[name()='svg']") == []
    assert "“a < b & c”" in page.text_content()


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
