"""The demo judged by its files alone: every promise of the papers, the release and the reports counted again."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sqlite3
import zipfile
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from authoring.audit.chain import check_chain
from authoring.audit.export import read_export
from authoring.cli import main
from tests.authoring.demo_output import (
    COUNTS,
    FUNCTIONS,
    MARKS,
    SAMPLE,
    SampleItem,
    cut,
    expected_marks,
    package_items,
    page,
    paper_test,
    parameters,
    planted_faults,
    raked,
    sample_items,
    section_weights,
    squeezed,
)

PAPERS = ("A", "B", "C")
GOOD_ROW = "AIT3-0571"  # the one row of items_with_faults.csv that can be an item
ITEMS = sample_items()
FROM_CUT = (-1.5, -0.75, 0.0, 0.75, 1.5)
REPEATED = (
    "params.json",
    "pool.csv",
    "import-report.csv",
    "release/release.csv",
    "release/release.zip",
    *(f"papers/{paper}{ending}" for paper in PAPERS for ending in (".zip", ".html", "-key.html")),
)


@dataclass(frozen=True, slots=True)
class Demo:
    """One run of the command: the folder it wrote, and what it printed."""

    out: Path
    result: Result

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.result.stdout)
        return document

    def published(self) -> set[str]:
        return set(package_items(self.out / "release" / "release.zip"))

    def eligible(self) -> list[SampleItem]:
        barred = self.published() | planted_faults()
        return [item for code, item in ITEMS.items() if code not in barred]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "out"
    return Demo(out, CliRunner().invoke(main, ["demo", "--out", str(out), "--json"]))


def paper(demo: Demo, name: str) -> list[SampleItem]:
    """The items of a paper in order, by its QTI test."""
    return [ITEMS[code] for code in paper_test(demo.out / "papers" / f"{name}.zip").items]


def test_json_is_one_document_on_stdout_and_nothing_else(demo: Demo) -> None:
    assert demo.result.exit_code == 0
    assert demo.result.stdout.count("\n") == 1
    assert set(demo.document) == {"steps", "files", "recount", "seconds"}
    assert len(demo.document["recount"]) > 90
    assert all(line["ok"] for line in demo.document["recount"])


def test_the_list_of_files_is_what_is_in_the_folder(demo: Demo) -> None:
    listed = [row["file"] for row in demo.document["files"]]
    found = {file.relative_to(demo.out).as_posix() for file in demo.out.rglob("*") if file.is_file()}
    assert set(listed) == found - {".tiku-demo"}
    assert len(listed) == len(set(listed))
    assert found > {f"papers/{name}{ending}" for name in PAPERS for ending in (".html", "-key.html", ".zip")}
    assert found > {"release/release.zip", "calibration.html", "adaptive.html", "params.json", "audit.jsonl", "bank.db"}
    assert all((demo.out / name).stat().st_size > 500 for name in listed)


def test_every_provenance_and_every_simulation_is_said(demo: Demo) -> None:
    steps = demo.document["steps"]
    said = " ".join(row["result"] for row in steps)
    outline = json.loads((SAMPLE / "outline.json").read_text(encoding="utf-8"))
    for provenance in ("provenance", "weights_provenance", "importance_provenance"):
        assert outline[provenance] in said
    assert "6 SIMULATED sittings of 105" in said
    assert "500 simulated examinees" in said
    assert "570 drafts from items.csv; a second import adds 0" in said


def test_each_faulty_row_is_reported_with_its_row_and_column(demo: Demo) -> None:
    with (demo.out / "import-report.csv").open(encoding="utf-8", newline="") as file:
        errors = [row for row in csv.DictReader(file) if row["severity"] == "error"]
    with (SAMPLE / "items_with_faults.csv").open(encoding="utf-8", newline="") as file:
        rows = {str(number): row["编号"] for number, row in enumerate(csv.DictReader(file), start=2)}
    good = {row for row, code in rows.items() if code == GOOD_ROW}
    assert len(good) == 1  # it is kept, as a draft, beside ten that cannot be items
    assert {row["row"]: row["item"] for row in errors} == {row: code for row, code in rows.items() if row not in good}
    assert all(row["column"] and row["code"] and len(row["message"]) > 20 for row in errors)


def test_simulated_data_are_called_so_wherever_they_show(demo: Demo) -> None:
    for name in ("calibration.html", "adaptive.html", "papers/report.html", "release/report.html", "params.json"):
        assert "simulated" in (demo.out / name).read_text(encoding="utf-8").lower(), name


def test_the_record_of_the_release_states_its_effect(demo: Demo) -> None:
    with closing(sqlite3.connect(demo.out / "bank.db")) as bank:
        (report,) = bank.execute("SELECT report FROM release").fetchone()
    record = json.loads(report)
    effects = record["effects"]
    passes = {(row["share"], row["memorised"]): row["false_passes"] for row in effects["rows"]}
    assert set(passes) == {(share, memorised) for share in (0.1, 0.2, 0.3, 0.5) for memorised in (0.3, 1.0)}
    assert passes[0.1, 1.0] < passes[0.2, 1.0] < passes[0.3, 1.0] < passes[0.5, 1.0]
    assert 0 < effects["now"] < 0.15 < passes[0.1, 1.0]
    assert (effects["mean"], effects["sd"], effects["right"], effects["items"]) == (0.0, 1.0, 0.97, 190)
    assert record["papers_left"] == 2


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_has_the_real_form(demo: Demo, name: str) -> None:
    test = paper_test(demo.out / "papers" / f"{name}.zip")
    assert Counter(ITEMS[code].type for code in test.items) == COUNTS
    assert all(marks == MARKS[ITEMS[code].type] for code, marks in test.entries)
    assert sum(marks for _, marks in test.entries) == 100
    assert (test.maximum, test.seconds) == ("100", "5400")
    assert [(title, len(section)) for title, section in test.sections] == [
        ("一、判断题", 40),
        ("二、单项选择题", 140),
        ("三、多项选择题", 10),
    ]
    assert test.title.endswith(f"理论知识试卷 {name}")


@pytest.mark.parametrize("name", PAPERS)
def test_functions_are_exact_and_sections_within_half_a_mark(demo: Demo, name: str) -> None:
    functions: dict[str, float] = defaultdict(float)
    sections: dict[str, float] = defaultdict(float)
    for item in paper(demo, name):
        functions[item.function] += MARKS[item.type]
        sections[item.section] += MARKS[item.type]
    assert functions == FUNCTIONS
    weights = section_weights()
    assert set(sections) == set(weights)
    assert len(weights) == 9
    assert all(abs(sections[code] - weight) <= 0.5 for code, weight in weights.items())


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_asks_a_point_once_and_keeps_enemies_apart(demo: Demo, name: str) -> None:
    items = paper(demo, name)
    codes = {item.code for item in items}
    assert len(codes) == len(items) == 190
    assert len({item.point for item in items}) == 190
    assert [(item.code, enemy) for item in items for enemy in item.enemies if enemy in codes] == []


def test_parallel_papers_share_nothing_and_the_spare_a_fifth_at_most(demo: Demo) -> None:
    a, b, c = ({item.code for item in paper(demo, name)} for name in PAPERS)
    assert a & b == set()
    assert len(a & c) <= 38
    assert len(b & c) <= 38


def test_no_paper_holds_a_flagged_or_a_published_item(demo: Demo) -> None:
    used = {item.code for name in PAPERS for item in paper(demo, name)}
    assert used & planted_faults() == set()
    assert used & demo.published() == set()
    assert len(used) >= 380


def test_the_package_holds_the_items_of_its_test_whole(demo: Demo) -> None:
    for name in PAPERS:
        documents = package_items(demo.out / "papers" / f"{name}.zip")
        assert sorted(documents) == sorted(item.code for item in paper(demo, name))
        for code, document in documents.items():
            assert ITEMS[code].rationale in _unescaped(document)
            assert document.count("<qti-correct-response>") == 1


def test_expected_marks_agree_with_the_target_and_with_each_other(demo: Demo) -> None:
    known = parameters(demo.out / "params.json")
    reference = raked(demo.eligible())
    theta_cut = cut(reference, known)
    papers = [{item.code: MARKS[item.type] for item in paper(demo, name)} for name in PAPERS]
    assert sum(reference.values()) == pytest.approx(100, abs=1e-9)
    for distance in FROM_CUT:
        wanted = expected_marks(reference, known, theta_cut + distance)
        expected = [expected_marks(marks, known, theta_cut + distance) for marks in papers]
        assert max(expected) - min(expected) <= 1.0
        assert all(abs(each - wanted) <= 0.5 for each in expected)
        if distance == 0:
            assert wanted == pytest.approx(60, abs=1e-9)


def test_the_reports_name_the_cut_that_follows_from_the_parameters(demo: Demo) -> None:
    theta_cut = cut(raked(demo.eligible()), parameters(demo.out / "params.json"))
    assert theta_cut == pytest.approx(-0.48, abs=0.1)
    for report in ("papers/report.html", "calibration.html"):
        assert f"θatthecut{theta_cut:.3f}" in page(demo.out / report).text


def test_information_is_matched_at_the_five_abilities(demo: Demo) -> None:
    """Fisher information Σ a²PQ of each paper within 2 % of the reference form's (Target: as near as can be)."""
    known = parameters(demo.out / "params.json")
    eligible = demo.eligible()
    reference = raked(eligible)
    theta_cut = cut(reference, known)
    parts = {item.code: reference[item.code] / MARKS[item.type] for item in eligible}
    for theta in (theta_cut + distance for distance in FROM_CUT):
        wanted = sum(part * _information(*known[code], theta) for code, part in parts.items())
        for name in PAPERS:
            found = sum(_information(*known[item.code], theta) for item in paper(demo, name))
            assert found == pytest.approx(wanted, rel=0.02)


def test_exactly_the_planted_faults_are_flagged(demo: Demo) -> None:
    document = json.loads((demo.out / "params.json").read_text(encoding="utf-8"))
    calibrated = {row["id"]: row["flags"] for row in document["items"]}
    assert len(calibrated) == 569
    assert document["converged"] is True
    assert set(calibrated) | set(document["excluded"]) == set(ITEMS)
    assert {code for code, flags in calibrated.items() if flags} | set(document["excluded"]) == planted_faults()
    assert "key-suspect" in calibrated["AIT3-0360"]  # keyed wrongly in the sittings
    assert "negative-discrimination" in calibrated["AIT3-0029"]
    assert document["excluded"] == {"AIT3-0159": "no-variance"}


def test_parameters_come_back_from_the_simulated_answers(demo: Demo) -> None:
    """Against the values the answers were drawn from: most lie within two standard errors."""
    with (SAMPLE / "sittings" / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["item"]: (float(row["a"]), float(row["b"])) for row in csv.DictReader(file) if not row["fault"]}
    rows = {row["id"]: row for row in json.loads((demo.out / "params.json").read_text(encoding="utf-8"))["items"]}
    near = {
        name: sum(abs(rows[item][name] - truth[item][place]) <= 2 * rows[item]["se"][name] for item in truth)
        for place, name in enumerate("ab")
    }
    assert len(truth) == 567
    assert near["a"] / 567 > 0.90
    assert near["b"] / 567 > 0.90


def test_the_calibration_page_says_simulated_and_warns_of_each_flagged_item(demo: Demo) -> None:
    parsed = page(demo.out / "calibration.html")
    source = (demo.out / "calibration.html").read_text(encoding="utf-8")
    (warning,) = re.findall(r'<div class="warn">(.*?)</div>', source, re.DOTALL)
    assert "SIMULATEDRESPONSES" in parsed.text
    assert set(re.findall(r"AIT3-\d{4}", warning)) == planted_faults()
    assert all(code in parsed.text for code in ITEMS)
    assert sum(tag == "svg" for tag, _ in parsed.opened) >= 569  # a curve an item, and the charts


@pytest.mark.parametrize(
    "name", ["calibration.html", "adaptive.html", "papers/report.html", "release/report.html", "papers/A.html"]
)
def test_pages_load_nothing_from_elsewhere(demo: Demo, name: str) -> None:
    parsed = page(demo.out / name)
    assert not {"img", "iframe", "link"} & {tag for tag, _ in parsed.opened}
    addresses = [attributes.get(key) or "" for _, attributes in parsed.opened for key in ("src", "href", "xlink:href")]
    assert all(address.startswith("#") for address in addresses if address)


@pytest.mark.parametrize("name", PAPERS)
def test_the_printed_paper_is_numbered_through_and_holds_no_key(demo: Demo, name: str) -> None:
    parsed = page(demo.out / "papers" / f"{name}.html")
    numbers = [
        int(attributes["value"] or 0) for tag, attributes in parsed.opened if tag == "li" and "value" in attributes
    ]
    assert numbers == list(range(1, 191))
    assert "考试时间：90分钟满分：100分" in parsed.text
    for heading in ("一、判断题", "二、单项选择题", "三、多项选择题"):
        assert heading in parsed.text
    rest = parsed.text
    for item in paper(demo, name):  # in the order of the QTI test
        before, stem, rest = rest.partition(squeezed(item.stem))
        assert stem, f"{item.code} is not where the test has it"
        assert len(before) < 400
    assert "答案：" not in parsed.text
    assert [code for code, item in ITEMS.items() if squeezed(item.rationale) in parsed.text] == []
    assert not {"answer", "right", "explanation"} & {
        word for _, attributes in parsed.opened for word in (attributes.get("class") or "").split()
    }


@pytest.mark.parametrize("name", PAPERS)
def test_the_key_copy_is_secret_and_explains_every_item(demo: Demo, name: str) -> None:
    parsed = page(demo.out / "papers" / f"{name}-key.html")
    items = paper(demo, name)
    assert "机密" in parsed.text
    given = re.findall(r"答案：([A-E]+|[√×])", parsed.text)
    assert given == [item.key for item in items]
    assert all(squeezed(item.rationale) in parsed.text for item in items)


def test_a_tenth_is_published_and_mirrors_the_bank(demo: Demo) -> None:
    published = demo.published()
    bank = [item for code, item in ITEMS.items() if code not in planted_faults()]
    assert len(published) == 57 == round(0.10 * len(bank))
    assert published <= {item.code for item in bank}
    for margin in ("section", "type", "grade"):
        whole = Counter(getattr(item, margin) for item in bank)
        shown = Counter(getattr(ITEMS[code], margin) for code in published)
        for value, count in whole.items():
            assert abs(shown[value] - count * 57 / len(bank)) < 1


def test_every_point_keeps_a_secret_item(demo: Demo) -> None:
    secret = {item.point for item in demo.eligible()}
    assert {ITEMS[code].point for code in demo.published()} <= secret


def test_the_public_package_holds_questions_and_no_trace_of_keys(demo: Demo) -> None:
    package = demo.out / "release" / "release.zip"
    with zipfile.ZipFile(package) as archive:
        content = "".join(archive.read(name).decode("utf-8") for name in archive.namelist())
    content += package.read_bytes().decode("utf-8", errors="replace")  # names, comments and all
    for code, document in package_items(package).items():
        assert ITEMS[code].stem in _unescaped(document)
        assert all(option in _unescaped(document) for option in ITEMS[code].options)
    for word in (
        "qti-correct-response",
        "qti-response-processing",
        "qti-mapping",
        "rptemplates",
        "rubric",
        "qti-value",
    ):
        assert word not in content
    assert [code for code, item in ITEMS.items() if item.rationale in _unescaped(content)] == []


def test_each_published_item_has_its_reason(demo: Demo) -> None:
    with (demo.out / "release" / "release.csv").open(encoding="utf-8", newline="") as file:
        reasons = {row["item"]: row["reason"] for row in csv.DictReader(file)}
    assert set(reasons) == demo.published()
    for code, reason in reasons.items():
        item = ITEMS[code]
        assert f"{item.section} × {item.type} × {item.grade}" in reason
    assert all(code in page(demo.out / "release" / "report.html").text for code in reasons)


def test_the_bank_holds_what_the_files_say(demo: Demo) -> None:
    with closing(sqlite3.connect(f"file:{demo.out / 'bank.db'}?mode=ro", uri=True)) as bank:
        states: dict[str, set[str]] = {}
        for code, state in bank.execute("SELECT code, state FROM item"):
            states.setdefault(state, set()).add(code)
        query = (
            "SELECT item.code FROM paper_item JOIN paper ON paper.id = paper_id "
            "JOIN item_version ON item_version.id = version_id JOIN item ON item.id = item_id "
            "WHERE paper.code = ? AND paper.state = 'approved' ORDER BY position"
        )
        papers = {name: [code for (code,) in bank.execute(query, (name,))] for name in PAPERS}
        hands = bank.execute(
            "SELECT v.author_id, one.person_id, two.person_id FROM item_version v "
            "JOIN review one ON one.version_id = v.id AND one.stage = 'review' "
            "JOIN review two ON two.version_id = v.id AND two.stage = 'approve'"
        ).fetchall()
        sittings = bank.execute("SELECT candidates, simulated FROM sitting").fetchall()
    assert states == {
        "draft": {GOOD_ROW},
        "accepted": {item.code for item in demo.eligible()},
        "published": demo.published(),
        "pretest": planted_faults(),
    }
    assert papers == {name: [item.code for item in paper(demo, name)] for name in PAPERS}
    assert len(hands) == 570
    assert all(len(set(three)) == 3 for three in hands)  # author, reviewer and approver are three people
    assert sittings == [(105, 1)] * 6


def test_the_audit_trail_verifies_and_carries_no_content(demo: Demo) -> None:
    events = read_export(demo.out / "audit.jsonl")
    report = check_chain(events)
    assert report.faults == ()
    assert report.linked == len(events)
    actions = Counter(event.action for event in events)
    assert (actions["item.created"], actions["item.submitted"], actions["item.reviewed"]) == (571, 570, 570)
    assert (actions["item.accepted"], actions["item.published"]) == (567, 57)
    assert (actions["paper.assembled"], actions["paper.approved"], actions["release.published"]) == (3, 3, 1)
    names = {name for event in events for name in event.detail}
    assert not names & {"stem", "options", "key", "answer", "rationale", "xml", "a", "b", "parameters"}
    told = squeezed((demo.out / "audit.jsonl").read_text(encoding="utf-8"))
    for item in ITEMS.values():
        assert squeezed(item.stem) not in told
        assert squeezed(item.rationale) not in told
    verdicts = {event.subject: event.detail for event in events if event.action == "item.reviewed"}
    assert set(verdicts) == set(ITEMS)  # which says that an answer was right, and never which it was
    assert all(set(detail) == {"version", "answer_matches"} for detail in verdicts.values())


def test_a_second_run_replaces_the_folder_whole_and_says_the_same(demo: Demo) -> None:
    before = {name: _digest(demo.out / name) for name in REPEATED}
    audited = _digest(demo.out / "audit.jsonl")
    assert (demo.out / ".tiku-demo").is_file()
    (demo.out / "papers" / "stray.txt").write_text("from outside", encoding="utf-8")
    again = CliRunner().invoke(main, ["demo", "--out", str(demo.out)])
    assert again.exit_code == 0
    assert not (demo.out / "papers" / "stray.txt").exists()
    assert [file.name for file in demo.out.parent.iterdir()] == ["out"]
    assert {name: _digest(demo.out / name) for name in REPEATED} == before
    assert _digest(demo.out / "audit.jsonl") != audited  # another day's events: the run was made, not kept
    assert "BROKEN" not in again.stdout
    assert re.search(r"; (\d+) of \1 recounted rules kept", again.stdout)
    assert f"{demo.out}/papers/A.html" in again.stdout


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _information(a: float, b: float, theta: float) -> float:
    p = expected_marks({"one": 1.0}, {"one": (a, b)}, theta)
    return a * a * p * (1 - p)


def _unescaped(document: str) -> str:
    return document.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
