"""The report: one well-formed file that stands alone, with what needs attention first."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from lxml import etree, html

from calibration import (
    DEFAULT_PRIORS,
    Calibration,
    Flag,
    ItemStatistics,
    Responses,
    calibrate,
    item_statistics,
    pool_responses,
    read_key,
    read_responses,
    screen,
    write_report,
)
from calibration.report import _difficulties, characteristic_curve, observed_proportions
from tests.calibration import lsat

SITTINGS = Path(__file__).parents[2] / "examples" / "ai_trainer_l3" / "sittings"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    text: str
    page: etree._Element
    calibration: Calibration
    responses: Responses
    statistics: tuple[ItemStatistics, ...]
    flags: tuple[Flag, ...]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The report of two of the sample bank's sittings, with a cut and a label that needs escaping."""
    key = read_key(SITTINGS / "keys.csv")
    responses = pool_responses([read_responses(SITTINGS / f"{s}.csv", key=key) for s in (1, 5)])
    statistics = item_statistics(responses)
    flags = screen(statistics)
    calibration = calibrate(responses, priors=DEFAULT_PRIORS).with_flags(flags)
    path = tmp_path_factory.mktemp("report") / "report.html"
    labels = {responses.items[0]: "a < b & 「甲」"}
    lead = "simulated responses <1.csv>"
    write_report(path, calibration, responses, statistics, flags, lead=lead, cut=-0.4, labels=labels)
    text = path.read_text(encoding="utf-8")
    page = html.document_fromstring(text, parser=html.HTMLParser(encoding="utf-8"))
    return Run(text, page, calibration, responses, statistics, flags)


def item_rows(page: etree._Element) -> list[list[str]]:
    tables = page.xpath("//h2[contains(., 'Items')]/following::table")
    return [
        [cell.text_content() for cell in row.iter("td")] for row in tables[-1].iter("tr") if row.find("td") is not None
    ]


def test_it_is_well_formed_markup(run: Run) -> None:
    body = run.text[run.text.index("<main>") : run.text.index("</main>") + len("</main>")]
    main = etree.fromstring(body.encode(), etree.XMLParser(recover=False))  # every element closed, every & escaped
    assert main.tag == "main"
    assert run.text.startswith("<!DOCTYPE html>")
    assert run.page.get("lang") == "zh-CN"


def test_it_loads_nothing_from_elsewhere(run: Run) -> None:
    assert not run.page.xpath("//link | //img | //iframe | //script[@src] | //object")
    references = run.page.xpath("//@href | //@src | //@*[local-name() = 'href']")
    assert all(reference.startswith("#") for reference in references)
    without_namespaces = run.text.replace("http://www.w3.org/", "")
    assert "http://" not in without_namespaces
    assert "https://" not in without_namespaces
    assert "url(http" not in run.text


def test_flagged_items_stand_first_and_stand_out(run: Run) -> None:
    flagged = {flag.item for flag in run.flags}
    assert flagged
    rows = item_rows(run.page)
    assert len(rows) == len(run.responses.items)
    assert {row[0] for row in rows[: len(flagged)]} == flagged
    assert run.page.xpath("count(//tr[@class = 'flagged'])") == len(flagged)
    warnings = run.page.xpath("//div[@class = 'warn']")[0].text_content()
    assert all(flag.item in warnings and flag.message in warnings for flag in run.flags)


def test_every_calibrated_item_has_its_curve(run: Run) -> None:
    labels = run.page.xpath("//td/svg/@aria-label")
    assert sorted(labels) == sorted(f"characteristic curve of {item.id}" for item in run.calibration.items)
    assert len(run.page.xpath("//figure/svg")) == 2


def test_the_rows_carry_the_numbers(run: Run) -> None:
    items = {item.id: item for item in run.calibration.items}
    statistics = {s.item: s for s in run.statistics}
    for row in item_rows(run.page):
        name = next(item for item in statistics if row[0].startswith(item))
        assert row[1:4] == [f"{statistics[name].n:.0f}", f"{statistics[name].p_value:.2f}", shown(statistics[name])]
        if name in items:
            item = items[name]
            assert row[4:8] == [f"{v:.2f}" for v in (item.a, item.se["a"], item.b[0], item.se["b"])]
        else:
            assert row[4:9] == ["–", "–", "–", "–", ""]


def shown(statistics: ItemStatistics) -> str:
    return f"{statistics.point_biserial:.2f}" if np.isfinite(statistics.point_biserial) else "–"


def test_names_and_notes_are_shown_as_text(run: Run) -> None:
    assert "a < b & 「甲」" in run.page.text_content()
    assert "simulated responses <1.csv>" in run.page.text_content()


def test_the_summary_counts_people_items_and_silence(run: Run) -> None:
    shown = run.page.xpath("//ul[@class = 'facts']")[0].text_content()
    counts = run.responses.counts
    assert f"answered{counts['answered']}" in shown
    assert f"omitted{counts['omitted']}" in shown
    assert "persons210" in shown
    assert "θ at the cut-0.400" in shown


def test_the_same_run_writes_the_same_bytes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "again.html"
    labels = {run.responses.items[0]: "a < b & 「甲」"}
    lead = "simulated responses <1.csv>"
    write_report(path, run.calibration, run.responses, run.statistics, run.flags, lead=lead, cut=-0.4, labels=labels)
    assert path.read_text(encoding="utf-8") == run.text


def test_a_run_that_did_not_converge_is_not_to_be_used(tmp_path: Path) -> None:
    responses = lsat.responses(lsat.LSAT7)
    calibration = calibrate(responses, max_iterations=2)
    write_report(tmp_path / "r.html", calibration, responses, item_statistics(responses), ())
    assert "NOT CONVERGED: do not use these numbers" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_nothing_flagged_is_said_in_words(tmp_path: Path) -> None:
    responses = lsat.responses(lsat.LSAT7)
    write_report(tmp_path / "r.html", calibrate(responses), responses, item_statistics(responses), ())
    assert "No item is flagged." in (tmp_path / "r.html").read_text(encoding="utf-8")


# The parts


def test_observed_proportions_are_of_groups_of_equal_size() -> None:
    theta = np.linspace(-2, 2, 100)
    responses = Responses.from_matrix((theta > 0).astype(float)[:, None])
    (points,) = observed_proportions(responses, theta, groups=4)
    np.testing.assert_allclose([p for _, p in points], [0, 0, 1, 1])
    np.testing.assert_allclose([t for t, _ in points], theta.reshape(4, 25).mean(axis=1))


def test_observed_proportions_weigh_persons() -> None:
    weighted = lsat.responses(lsat.LSAT7)
    counts = weighted.weight.astype(int)
    repeated = Responses.from_matrix(np.repeat(weighted.dense(), counts, axis=0))
    theta = weighted.dense().sum(axis=1)  # any ability that is the same for the same answers
    for one, other in zip(
        observed_proportions(weighted, theta), observed_proportions(repeated, np.repeat(theta, counts)), strict=True
    ):
        np.testing.assert_allclose(sorted(one), sorted(other), atol=1e-12)
        assert len(one) >= 3


def test_the_chart_of_abilities_weighs_persons() -> None:
    weighted = lsat.responses(lsat.LSAT7)
    repeated = Responses.from_matrix(np.repeat(weighted.dense(), weighted.weight.astype(int), axis=0))
    calibration = calibrate(weighted)
    assert _difficulties(calibration, weighted, None) == _difficulties(calibration, repeated, None)


def test_too_few_persons_make_no_points() -> None:
    responses = Responses.from_matrix(np.array([[1.0], [0]] * 17))
    assert observed_proportions(responses, np.linspace(-1, 1, 34)) == [[]]


def test_a_curve_passes_one_half_at_its_difficulty() -> None:
    item = calibrate(lsat.responses(lsat.LSAT7)).items[0]
    level = dataclasses.replace(item, b=(0.0,))
    drawing = etree.fromstring(characteristic_curve(level, [(0.0, 0.5)], 1.0, None))
    path = drawing.findall("path")[1].get("d")
    assert "66.0 26.0" in path  # theta = 0 is the middle of 132, P = 0.5 the middle of 52
    dot = drawing.find("g/circle")
    assert (dot.get("cx"), dot.get("cy")) == ("66.0", "26.0")
