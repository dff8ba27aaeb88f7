"""The page: one well-formed file that stands alone, with what needs attention first."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lxml import etree, html

from calibration import (
    DEFAULT_PRIORS,
    Calibration,
    Evidence,
    ReferenceForm,
    Responses,
    calibrate,
    gather,
    page_of,
    pool_responses,
    read_key,
    read_responses,
    report_numbers,
    write_numbers,
    write_report,
)
from tests.calibration import lsat
from tests.calibration.report import samples

SITTINGS = Path(__file__).parents[3] / "examples" / "ai_trainer_l3" / "sittings"
LEAD = "simulated responses <1.csv>"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    text: str
    page: etree._Element
    evidence: Evidence
    labels: dict[str, str]


def parsed(text: str) -> etree._Element:
    return html.document_fromstring(text, parser=html.HTMLParser(encoding="utf-8"))


@pytest.fixture(scope="module")
def run() -> Run:
    """The report of two of the sample bank's sittings, with a cut and a label that needs escaping."""
    key = read_key(SITTINGS / "keys.csv")
    responses = pool_responses([read_responses(SITTINGS / f"{s}.csv", key=key) for s in (1, 5)])
    labels = {responses.items[0]: "a < b & 「甲」"}
    evidence = gather(calibrate(responses, priors=DEFAULT_PRIORS), cut=-0.4, labels=labels)
    text = page_of(evidence, lead=LEAD)
    return Run(text, parsed(text), evidence, labels)


@pytest.fixture(scope="module")
def groups() -> Calibration:
    return calibrate(samples.grouped(), model={"*": "2PL", "P*": "GPCM"})


@pytest.fixture(scope="module")
def raters() -> Calibration:
    return calibrate(samples.rated(), model="PCM")


def section(page: etree._Element, name: str) -> etree._Element:
    (found,) = page.xpath("//section[@id = $name]", name=name)
    return found


def test_it_is_well_formed_markup(run: Run, groups: Calibration, raters: Calibration) -> None:
    for text in (run.text, page_of(gather(groups)), page_of(gather(raters))):
        body = text[text.index("<main>") : text.index("</main>") + len("</main>")]
        main = etree.fromstring(body.encode(), etree.XMLParser(recover=False, huge_tree=True))
        assert main.tag == "main"  # every element closed, every & escaped
        ids = main.xpath("//@id")
        assert len(ids) == len(set(ids))
        targets = {reference[1:] for reference in main.xpath("//@href")}
        assert targets <= set(ids)


def test_it_loads_nothing_from_elsewhere(run: Run) -> None:
    assert not run.page.xpath("//link | //img | //iframe | //script[@src] | //object")
    references = run.page.xpath("//@href | //@src | //@*[local-name() = 'href']")
    assert references
    assert all(reference.startswith("#") for reference in references)
    assert "http://" not in run.text.replace("http://www.w3.org/", "")
    assert "https://" not in run.text
    assert "url(http" not in run.text


def test_headings_go_down_one_step_at_a_time_and_headers_say_what_they_head(run: Run) -> None:
    levels = [int(heading.tag[1]) for heading in run.page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert not run.page.xpath("//th[not(@scope)]")
    assert not run.page.xpath("//table[contains(@class, 'sortable')]/thead//th[not(button)][text() != '曲线 curve']")
    assert not run.page.xpath("//svg[not(@aria-label) and not(@aria-hidden)]")
    assert run.page.get("lang") == "zh-CN"


def test_warnings_come_first_with_their_reasons(run: Run) -> None:
    assert run.page.xpath("//section")[0].get("id") == "warnings"
    shown = section(run.page, "warnings").text_content()
    assert {"no-variance", "negative-discrimination", "idle-option"} <= {flag.code for flag in run.evidence.flags}
    for flag in run.evidence.flags:
        assert flag.item in shown
        assert flag.message in shown


def test_flagged_items_stand_first_and_stand_out(run: Run) -> None:
    rows = section(run.page, "items").xpath(".//tbody/tr")
    assert len(rows) == len(run.evidence.statistics)
    marked = [row.get("class") == "flagged" for row in rows]
    assert marked == sorted(marked, reverse=True)
    assert {row.find("th").text_content()[:9] for row, red in zip(rows, marked, strict=True) if red} >= {
        "AIT3-0029",
        "AIT3-0159",
    }


def test_the_rows_carry_the_numbers(run: Run) -> None:
    items = {item.id: item for item in run.evidence.calibration.items}
    statistics, fits = run.evidence.statistics, run.evidence.item_fit
    for row in section(run.page, "items").xpath(".//tbody/tr"):
        name = row.find("th").text_content()[:9]
        cells = [cell.text_content() for cell in row.iter("td")]
        one = statistics[name]
        r = f"{one.point_biserial:.2f}" if np.isfinite(one.point_biserial) else "–"
        assert cells[1:4] == [f"{one.n:.0f}", f"{one.p_value:.2f}", r.replace("-0.00", "0.00")]
        if name not in items:
            assert cells[4:6] == ["–", "–"]
            continue
        item = items[name]
        assert cells[4] == f"{item.a:.2f} ±{item.se['a']:.2f}"
        assert float(cells[5].split()[0]) == pytest.approx(item.b[0], abs=0.0051)
        assert float(cells[7]) == pytest.approx(fits[name].infit, abs=0.0051)


def test_every_calibrated_item_has_a_small_curve_a_card_and_its_options(run: Run) -> None:
    names = sorted(item.id for item in run.evidence.calibration.items)
    small = section(run.page, "items").xpath(".//td/svg/@aria-label")
    assert sorted(small) == [f"characteristic curve of {name}" for name in names]
    cards = section(run.page, "curves").xpath(".//article")
    assert sorted(card.get("id") for card in cards) == [f"item-{name}" for name in names]
    assert all(len(card.findall(".//svg")) == 2 for card in cards)


def test_names_and_notes_are_shown_as_text(run: Run) -> None:
    assert "a < b & 「甲」" in run.page.text_content()
    assert LEAD in run.page.text_content()


def test_the_summary_counts_people_items_and_silence(run: Run) -> None:
    shown = section(run.page, "data").text_content()
    assert run.evidence.responses is not None
    counts = run.evidence.responses.counts
    assert f"answered{counts['answered']}" in shown
    assert f"omitted{counts['omitted']}" in shown
    assert "persons210" in shown
    assert "θ at the cut-0.400" in section(run.page, "estimation").text_content()


def test_the_same_run_writes_the_same_bytes(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "again.html"
    calibration = run.evidence.calibration
    write_report(path, calibration, calibration.responses, lead=LEAD, cut=-0.4, labels=run.labels)
    assert path.read_text(encoding="utf-8") == run.text


def test_a_run_that_did_not_converge_is_not_to_be_used(tmp_path: Path) -> None:
    responses = lsat.responses(lsat.LSAT7)
    write_report(tmp_path / "r.html", calibrate(responses, max_iterations=2))
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "NOT CONVERGED: do not use these numbers" in text
    assert "未收敛" in text[: text.index('id="data"')]


def test_nothing_flagged_is_said_in_words(tmp_path: Path) -> None:
    responses = lsat.responses(lsat.LSAT6)
    calibrate(responses).report(tmp_path / "r.html")
    assert "No item is flagged." in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_groups_bring_means_and_differences_and_find_the_planted_one(groups: Calibration) -> None:
    evidence = gather(groups)
    page = parsed(page_of(evidence))
    assert {flag.item for flag in evidence.flags if flag.code == "dif"} == {"I4"}
    means = {row.find("th").text_content(): row for row in section(page, "groups").xpath(".//tbody/tr")}
    for group in groups.groups:
        assert float(means[group.name].findall("td")[1].text_content().split()[0]) == pytest.approx(
            group.mean.value, abs=0.00051
        )
    assert len(section(page, "dif").xpath(".//figure")) == 2  # two focal groups
    assert section(page, "curves").xpath(".//svg[contains(@aria-label, 'curves of the 4 categories')]")


def test_sets_that_are_not_modelled_are_a_warning(groups: Calibration) -> None:
    evidence = gather(groups, item_sets={f"S{j}": "阅读" for j in range(1, 5)})
    (told,) = [flag for flag in evidence.flags if flag.code == "overstated-information"]
    assert "阅读 (4 items)" in told.message
    q3 = evidence.dependence
    assert q3 is not None
    at = [q3.items.index(f"S{j}") for j in range(1, 5)]
    assert f"{np.nanmean(q3.q3[np.ix_(at, at)]) - q3.mean_q3:+.2f}" in told.message


def test_raters_have_their_section_and_the_erratic_one_is_named(raters: Calibration) -> None:
    evidence = gather(raters)
    assert [flag.message.split(":")[0] for flag in evidence.flags if flag.code == "erratic-rater"] == ["R1"]
    shown = section(parsed(page_of(evidence)), "raters").text_content()
    for rater, severity in raters.raters.items():
        assert rater in shown
        assert f"{severity.value:.3f}" in shown


def test_anchors_are_estimated_again_and_the_moved_one_is_named() -> None:
    responses = dataclasses.replace(samples.grouped(persons=3000), group=None, groups=())
    free = calibrate(responses, model={"*": "2PL", "P*": "GPCM"})
    anchors = [
        dataclasses.replace(item, b=(item.b[0] + 0.8,)) if item.id == "I3" else item
        for item in free.items
        if item.id[0] in "IS"
    ]
    again = calibrate(responses, model={"*": "2PL", "P*": "GPCM"}, anchors=anchors, scale=free.scale)
    evidence = gather(again)
    assert [flag.item for flag in evidence.flags if flag.code == "drift"] == ["I3"]
    assert evidence.drift is not None
    moved = {one.item: one.displacement for one in evidence.drift.items}
    assert moved["I3"] == pytest.approx(-0.8, abs=0.02)
    assert all(abs(value) < 0.02 for item, value in moved.items() if item != "I3")


def test_a_reference_form_brings_its_cut() -> None:
    calibration = calibrate(lsat.responses(lsat.LSAT7))
    form = ReferenceForm.of(calibration.items, calibration.scale)
    evidence = gather(calibration, form=form, share=0.6)
    assert evidence.cut == pytest.approx(form.cut(0.6))
    numbers = report_numbers(calibration, form=form, share=0.6)["information"]["at_cut"]
    information = float(form.curves.information([form.cut(0.6)]).sum())
    assert {round(row["information"], 9) for row in numbers.values()} == {round(information, 9)}


def test_without_responses_the_parameters_alone_are_reported() -> None:
    calibration = dataclasses.replace(calibrate(lsat.responses(lsat.LSAT7)), responses=None)
    page = parsed(page_of(gather(calibration)))
    assert len(section(page, "curves").xpath(".//article")) == 5
    assert "rests on parameters alone" in section(page, "data").text_content()
    assert not page.xpath("//section[@id = 'persons']//table")


def test_dear_parts_are_left_out_with_a_sentence_unless_asked(groups: Calibration) -> None:
    many = dataclasses.replace(groups)
    evidence = gather(many)
    assert evidence.model_dif  # 12 items: cheap
    rng = np.random.default_rng(1)
    theta = rng.normal(size=3000)
    wide = (rng.random((3000, 60)) < 1 / (1 + np.exp(-theta[:, None]))).astype(float)
    data = dataclasses.replace(
        Responses.from_matrix(wide), group=(np.arange(3000) % 2).astype(np.int32), groups=("A", "B")
    )
    left = gather(calibrate(data, model="1PL")).left_out
    assert "ask for it with --report-all" in left["model_dif"]


def test_numbers_are_json_without_nan_and_items_are_csv(run: Run, tmp_path: Path) -> None:
    write_numbers(tmp_path / "r.json", run.evidence)
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert {row["id"] for row in document["items"]} == set(run.evidence.statistics)
    write_numbers(tmp_path / "r.csv", run.evidence)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text(encoding="utf-8"))))
    of_json = {row["id"]: row for row in document["items"]}
    for row in rows:
        wanted = of_json[row["id"]]
        assert row["flags"].split() == wanted["flags"]
        for name in ("a", "b", "a_se", "s_x2", "infit", "p"):
            assert (float(row[name]) if row[name] else None) == wanted.get(name)
