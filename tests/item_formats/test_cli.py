"""`tiku item`, as somebody at a terminal meets it."""

from __future__ import annotations

import base64
import json
import os
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from item_formats import ItemRow, read_item, read_package, write_items_csv
from item_formats.cli import item
from tests.item_formats.checking.examples import GOOD, TEMPLATED
from tests.item_formats.documents import capitals, correct, multiple, single, true_false
from tests.item_formats.foreign.papers import png
from tests.item_formats.packages.zips import manifest_xml, resource, zip_of
from tests.shared import shared

MANIFEST = """<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="M"><organizations/>
<resources><resource identifier="r" type="imsqti_item_xmlv3p0" href="items/q.xml"><file href="items/q.xml"/></resource>
</resources></manifest>"""


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(item, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.csv"
    rows = [ItemRow(one.identifier, one, "A-1", 3) for one in (single(), multiple(), true_false())]
    write_items_csv(path, rows)
    return path


@pytest.fixture
def bad_bank(bank: Path) -> Path:
    path = bank.with_name("bad.csv")
    path.write_text(bank.read_text(encoding="utf-8-sig") + "Q4,单选,A-1,9,甲（ ）,a,b,c,d,,B,,,\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("verb", ["check", "score", "render", "convert"])
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: tiku item {verb}" in result.stdout


def test_check_of_good_items_counts_them(bank: Path) -> None:
    result = run("check", bank)
    assert (result.exit_code, result.stdout) == (0, "3 items, 0 errors, 0 warnings\n")


def test_check_tells_file_row_column_and_code_and_exits_1(bad_bank: Path) -> None:
    result = run("check", bad_bank)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith(f"{bad_bank}:5:难度 error bad-grade: [Q4] 难度 is “9”")
    assert result.stdout.splitlines()[-1] == "3 items, 1 errors, 0 warnings"


def test_check_walks_through_folders_and_leaves_other_documents_beside_items_alone(tmp_path: Path) -> None:
    folder = tmp_path / "bank" / "items"
    folder.mkdir(parents=True)
    (folder / "q1.xml").write_bytes(single().xml)
    (folder / "q2.xml").write_bytes(capitals(correct("paris")))
    (folder / "notes.xml").write_text("<notes/>", encoding="utf-8")
    result = run("check", tmp_path / "bank", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["items"], report["errors"], report["warnings"]) == (1, 2, 2, 1)
    assert {(finding["code"], finding["severity"]) for finding in report["findings"]} == {
        ("key-not-an-option", "error"),
        ("dangling-outcome", "error"),
        ("not-qti", "warning"),
    }


def test_check_of_a_document_that_is_no_item_is_an_error_when_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.xml"
    path.write_text("<notes/>", encoding="utf-8")
    assert run("check", path).exit_code == 1


def test_check_of_an_empty_folder_says_that_there_is_nothing(tmp_path: Path) -> None:
    result = run("check", tmp_path)
    assert result.exit_code == 1
    assert "nothing-to-check" in result.stdout


@pytest.mark.parametrize(
    ("made", "response", "expected"),
    [
        (single(), "RESPONSE=A", 1.0),
        (single(), "RESPONSE=B", 0.0),
        (single(), "RESPONSE=", 0.0),
        (multiple(), "RESPONSE=ABD", 1.0),
        (multiple(), "RESPONSE=AB", 0.0),
        (true_false(), "RESPONSE=×", 1.0),
        (true_false(), "RESPONSE=T", 0.0),
    ],
)
def test_score_takes_answers_as_people_write_them(tmp_path: Path, made: object, response: str, expected: float) -> None:
    path = tmp_path / "q.xml"
    path.write_bytes(made.xml)  # type: ignore[attr-defined]
    result = run("score", path, "--response", response, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["outcomes"] == {"SCORE": expected}
    assert run("score", path, "--response", response).stdout == f"SCORE = {expected}\n"


def test_score_takes_several_values_of_one_response(tmp_path: Path) -> None:
    path = tmp_path / "q.xml"
    path.write_bytes(capitals(correct("rome", "beijing")))
    result = run("score", path, "--response", "RESPONSE=rome", "--response", "RESPONSE=beijing")
    assert result.stdout == "SCORE = 1.0\n"


@pytest.mark.parametrize(
    ("response", "code", "exit_code"),
    [("RESPONSE=Z", "response-not-an-option", 1), ("OTHER=A", "unknown-response", 1), ("RESPONSE", "ID=VALUE", 2)],
)
def test_score_of_impossible_answers_fails_on_stderr(tmp_path: Path, response: str, code: str, exit_code: int) -> None:
    path = tmp_path / "q.xml"
    path.write_bytes(single().xml)
    result = run("score", path, "--response", response)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert code in result.stderr


def test_render_writes_a_page_without_the_key_unless_asked(bank: Path) -> None:
    out = bank.with_name("page.html")
    result = run("render", bank, "--out", out)
    assert (result.exit_code, result.stdout) == (0, f"3 items written to {out}\n")
    assert "答案" not in out.read_text(encoding="utf-8")
    run("render", bank, "--out", out, "--key")
    assert "正确答案" in out.read_text(encoding="utf-8")


def test_render_into_a_missing_folder_is_one_line(bank: Path) -> None:
    result = run("render", bank, "--out", bank.parent / "nowhere" / "page.html")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {bank.parent / 'nowhere'}: the folder does not exist\n"


def test_convert_makes_a_folder_of_items(bank: Path) -> None:
    folder = bank.with_name("items")
    result = run("convert", bank, folder, "--json")
    assert json.loads(result.stdout) == {"items": 3, "out": str(folder), "findings": []}
    assert {path.name: read_item(path) for path in folder.iterdir()} == {
        "Q1.xml": single(),
        "Q2.xml": multiple(),
        "Q3.xml": true_false(),
    }
    assert sorted(path.name for path in bank.parent.iterdir()) == ["bank.csv", "items"]


def test_convert_makes_a_package_and_the_same_one_again(bank: Path) -> None:
    os.utime(bank, (1_760_000_000, 1_760_000_000))
    first, second = bank.with_name("1.zip"), bank.with_name("2.zip")
    assert run("convert", bank, first).exit_code == 0
    assert run("convert", bank, second).exit_code == 0
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.namelist() == ["imsmanifest.xml", "items/Q1.xml", "items/Q2.xml", "items/Q3.xml"]


def test_convert_refuses_a_table_with_errors_unless_told_to_skip_them(bad_bank: Path) -> None:
    folder = bad_bank.with_name("items")
    refused = run("convert", bad_bank, folder)
    assert (refused.exit_code, refused.stdout, folder.exists()) == (1, "", False)
    assert "bad-grade" in refused.stderr
    skipped = run("convert", bad_bank, folder, "--skip-bad")
    assert skipped.exit_code == 0
    assert "bad-grade" in skipped.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["Q1.xml", "Q2.xml", "Q3.xml"]


def test_convert_of_a_table_without_a_good_row_makes_nothing(bad_bank: Path) -> None:
    lines = bad_bank.read_text(encoding="utf-8").splitlines(keepends=True)
    bad_bank.write_text(lines[0] + lines[-1], encoding="utf-8")
    result = run("convert", bad_bank, bad_bank.with_name("items"), "--skip-bad")
    assert (result.exit_code, bad_bank.with_name("items").exists()) == (1, False)


def test_convert_does_not_touch_a_folder_that_holds_something(bank: Path) -> None:
    folder = bank.with_name("items")
    folder.mkdir()
    (folder / "precious.txt").write_text("x", encoding="utf-8")
    result = run("convert", bank, folder)
    assert result.exit_code == 1
    assert "bad-destination" in result.stderr
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_the_package_imports_quickly_enough_to_be_no_reason_to_wait() -> None:
    """No number here (tests are not timed): nothing heavy may be imported with the package."""
    import subprocess
    import sys

    program = "import sys, item_formats; print(','.join(m for m in ('numpy', 'scipy', 'click') if m in sys.modules))"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == ""


FIXTURES = Path(__file__).parent / "fixtures" / "interactions"


@pytest.mark.parametrize("name", ["bank.zip", "bank.xlsx", "bank.docx", "bank.gift", "bank.csv"])
def test_items_go_to_every_format_and_come_back_with_their_keys(bank: Path, tmp_path: Path, name: str) -> None:
    there, back = tmp_path / "there" / name, tmp_path / "back"
    there.parent.mkdir()
    assert run("convert", bank, there).exit_code == 0
    assert run("check", there).exit_code == 0
    assert run("convert", there, back).exit_code == 0
    assert sorted(read_item(path).key for path in back.rglob("*.xml")) == sorted(["A", "ABD", "×"])


def test_moodle_has_the_same_ending_as_qti_and_is_told_apart(bank: Path, tmp_path: Path) -> None:
    there = tmp_path / "moodle.xml"
    assert run("convert", bank, there, "--to", "moodle").exit_code == 0
    assert b"<quiz>" in there.read_bytes()
    assert run("check", there).stdout.startswith("3 items")


def test_convert_to_aiken_refuses_what_aiken_cannot_say(bank: Path, tmp_path: Path) -> None:
    result = run("convert", bank, tmp_path / "bank.txt")
    assert (result.exit_code, (tmp_path / "bank.txt").exists()) == (1, False)
    assert "not-expressible" in result.stderr


@pytest.mark.parametrize(("to", "namespace"), [("qti22", b"imsqti_v2p2"), ("qti21", b"imsqti_v2p1")])
def test_convert_to_qti_2_and_back_gives_the_same_item(tmp_path: Path, to: str, namespace: bytes) -> None:
    source, older, again = FIXTURES / "choice.xml", tmp_path / "older.xml", tmp_path / "again.xml"
    assert run("convert", source, older, "--to", to).exit_code == 0
    assert namespace in older.read_bytes()
    assert run("convert", older, again).exit_code == 0
    assert read_item(again).key == read_item(source).key


def test_a_package_becomes_a_package_again_with_its_media(tmp_path: Path) -> None:
    folder = tmp_path / "bank" / "items"
    folder.mkdir(parents=True)
    picture = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "bank" / "images").mkdir()
    (tmp_path / "bank" / "images" / "a.svg").write_bytes(picture)
    shown = GOOD.replace("<qti-item-body>", '<qti-item-body><p><img src="../images/a.svg" alt="a"/></p>')
    (folder / "q.xml").write_text(shown, encoding="utf-8")
    first, second, page = tmp_path / "1.zip", tmp_path / "2.zip", tmp_path / "page.html"
    assert run("convert", tmp_path / "bank", first).exit_code == 0
    assert run("convert", first, second).exit_code == 0
    with zipfile.ZipFile(second) as archive:
        assert archive.read("images/a.svg") == picture
    assert run("render", second, "--out", page).exit_code == 0
    assert 'src="data:image/svg+xml' in page.read_text(encoding="utf-8")


def test_media_outside_the_folder_above_an_item_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "secret.svg").write_text("<svg/>", encoding="utf-8")
    folder = tmp_path / "a" / "b" / "items"
    folder.mkdir(parents=True)
    (tmp_path / "a" / "b" / "link.svg").symlink_to(tmp_path / "secret.svg")
    for name, address in (("1", "../../../secret.svg"), ("2", "../link.svg")):
        shown = GOOD.replace("<qti-item-body>", f'<qti-item-body><p><img src="{address}" alt="a"/></p>')
        (folder / f"{name}.xml").write_text(shown.replace('"item"', f'"Q{name}"'), encoding="utf-8")
    run("convert", tmp_path / "a", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.svg"))


def test_check_tells_the_place_of_a_fault_inside_a_package(tmp_path: Path) -> None:
    bad = GOOD.replace("<qti-value>A<", "<qti-value>\n  C\n<")
    path = tmp_path / "bank.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("imsmanifest.xml", MANIFEST)
        archive.writestr("items/q.xml", bad)
    result = run("check", path)
    assert result.exit_code == 1
    assert f"{path}/items/q.xml:1:" in result.stdout
    assert "key-not-an-option" in result.stdout


def test_score_reads_cases_line_by_line_and_one_bad_case_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "q.xml").write_text(GOOD, encoding="utf-8")
    cases = [
        {"id": 1, "item": "q.xml", "responses": {"RESPONSE": "A"}},
        {"id": "two", "item": "q.xml", "responses": {"RESPONSE": None}},
        {"id": 3, "item": "nowhere.xml", "responses": {}},
        {"id": 4, "item": GOOD, "responses": {"RESPONSE": "B"}},
        {"id": 5, "item": TEMPLATED.decode(), "responses": {"RESPONSE": 7}, "seed": 3},
        {"id": 6, "item": "q.xml", "responses": {"OTHER": "A"}},
    ]
    path = tmp_path / "cases.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in cases) + "no case\n", encoding="utf-8")
    result = run("score", "--cases", path)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [line["id"] for line in lines] == [1, "two", 3, 4, 5, 6, None]
    assert lines[0] == {"id": 1, "outcomes": {"SCORE": 1.0}}
    assert lines[1] == {"id": "two", "outcomes": {"SCORE": 0.0}}
    assert lines[3]["outcomes"] == {"SCORE": 0.0}
    assert lines[4]["outcomes"]["SCORE"] in {0.0, 1.0}
    assert [line["findings"][0]["code"] for line in (lines[2], *lines[5:])] == [
        "no-file", "unknown-response", "bad-case",
    ]  # fmt: skip
    assert run("score", "--cases", path).stdout == result.stdout


def test_score_takes_an_item_or_cases_and_not_both(tmp_path: Path) -> None:
    assert run("score").exit_code == 2
    (tmp_path / "q.xml").write_text(GOOD, encoding="utf-8")
    assert run("score", tmp_path / "q.xml", "--cases", tmp_path / "q.xml").exit_code == 2


def test_check_with_a_folder_that_holds_no_schema_says_so(tmp_path: Path) -> None:
    result = run("check", FIXTURES / "choice.xml", "--schema", tmp_path)
    assert (result.exit_code, "no-schema" in result.stdout + result.stderr) == (1, True)


def test_check_with_the_schema_says_what_the_schema_says(tmp_path: Path) -> None:
    schemas = shared("qti/schemas")
    path = tmp_path / "q.xml"
    path.write_text(GOOD.replace("<qti-prompt>", "<qti-prompd/><qti-prompt>"), encoding="utf-8")
    result = run("check", path, "--schema", schemas)
    assert result.exit_code == 1
    assert "error schema: [item] the schema says: Element 'qti-prompd': This element is not expected." in result.stdout
    assert run("check", FIXTURES / "choice.xml", "--schema", schemas).exit_code == 0


def test_a_comment_among_response_rules_is_no_reason_to_crash(tmp_path: Path) -> None:
    path = tmp_path / "q.xml"
    path.write_text(GOOD.replace("<qti-response-condition>", "<!--x--><qti-response-condition>"), encoding="utf-8")
    assert run("convert", path, tmp_path / "q.gift").exit_code in {0, 1}


def exam(path: Path) -> Path:
    """A package with a test in one folder, its items in another, their stimulus and its picture in a third."""
    question = GOOD.replace('"item"', '"Q1"').replace(
        "<qti-item-body>",
        '<qti-assessment-stimulus-ref identifier="M" href="../stimuli/m.xml"/><qti-item-body>'
        '<p><img src="plan.png" alt="own plan"/></p>',
    )
    namespace = 'xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0"'
    stimulus = (
        f'<qti-assessment-stimulus {namespace} identifier="M" title="阅读材料"><qti-stimulus-body><p>一段话</p>'
        '<p><img src="plan.png" alt="plan of the stimulus"/></p></qti-stimulus-body></qti-assessment-stimulus>'
    )
    test = (
        f'<qti-assessment-test {namespace} identifier="T" title="模拟卷"><qti-test-part identifier="P" '
        'navigation-mode="linear" submission-mode="individual"><qti-assessment-section identifier="S" '
        'title="一、选择题" visible="true"><qti-rubric-block view="candidate" use="instructions">'
        "<qti-content-body><p>每题 1 分。</p></qti-content-body></qti-rubric-block>"
        '<qti-assessment-item-ref identifier="i" href="../items/deep/q.xml"/>'
        "</qti-assessment-section></qti-test-part></qti-assessment-test>"
    )
    members = {
        "tests/t.xml": test.encode(),
        "items/deep/q.xml": question.replace("../stimuli", "../../stimuli").encode(),
        "items/deep/plan.png": b"\x89PNG\r\n\x1a\nITEM",
        "items/q2.xml": GOOD.replace('"item"', '"Q2"').encode(),
        "stimuli/m.xml": stimulus.encode(),
        "stimuli/plan.png": b"\x89PNG\r\n\x1a\nSTIMULUS",
    }
    kinds = {"tests": "test", "items": "item", "stimuli": "stimulus"}
    entries = "".join(
        resource(f"r{place}", name, kinds[name.partition("/")[0]] if name.endswith(".xml") else "media")
        for place, name in enumerate(members)
    )
    for name, content in {"imsmanifest.xml": manifest_xml(entries), **members}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    names = [found for found in sorted(folder.rglob("*")) if found.is_file()]
    path.write_bytes(zip_of({found.relative_to(folder).as_posix(): found.read_bytes() for found in names}))
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_render_shows_a_test_as_a_page_with_its_items_and_their_stimuli(tmp_path: Path, *, packed: bool) -> None:
    folder, out = exam(tmp_path / "exam"), tmp_path / "page.html"
    result = run("render", zipped(folder) if packed else folder, "--out", out)
    assert result.stdout == f"2 items, 1 tests, 1 stimuli written to {out}\n"
    page = out.read_text(encoding="utf-8")
    places = [page.index(word) for word in ("<h2>模拟卷", "一、选择题", "每题 1 分。", "Q1<", "一段话", "Q2<")]
    assert places == sorted(places)
    assert page.count("Q1<") == page.count("一段话") == 1  # not again beside the test
    item, stimulus = (base64.b64encode(b"\x89PNG\r\n\x1a\n" + end).decode() for end in (b"ITEM", b"STIMULUS"))
    assert f'base64,{item}" alt="own plan"' in page
    assert f'base64,{stimulus}" alt="plan of the stimulus"' in page
    assert "正确答案" not in page
    run("render", folder, "--out", out, "--key")
    assert "正确答案" in out.read_text(encoding="utf-8")


def test_render_of_a_test_by_its_file_finds_what_lies_around_it(tmp_path: Path) -> None:
    folder, out = exam(tmp_path / "exam"), tmp_path / "page.html"
    assert run("render", folder / "tests" / "t.xml", "--out", out).stdout.startswith("1 items, 1 tests, 1 stimuli")
    page = out.read_text(encoding="utf-8")
    assert "<h1>模拟卷</h1>" in page
    assert "一段话" in page
    assert "Q2<" not in page


def test_render_shows_a_stimulus_alone(tmp_path: Path) -> None:
    folder, out = exam(tmp_path / "exam"), tmp_path / "page.html"
    assert run("render", folder / "stimuli" / "m.xml", "--out", out).stdout == f"1 stimuli written to {out}\n"
    page = out.read_text(encoding="utf-8")
    assert "<h1>阅读材料</h1>" in page
    assert "一段话" in page
    assert page.count("data:image/png") == 1


def test_render_does_not_read_what_lies_far_from_a_test(tmp_path: Path) -> None:
    (tmp_path / "far.xml").write_text(GOOD, encoding="utf-8")
    folder, out = exam(tmp_path / "deep" / "exam"), tmp_path / "page.html"
    test = folder / "tests" / "t.xml"
    test.write_bytes(test.read_bytes().replace(b"../items/deep/q.xml", b"../../../far.xml"))
    assert run("render", test, "--out", out).exit_code == 0
    assert "[试题：../../../far.xml]" in out.read_text(encoding="utf-8")


def test_an_unpacked_package_is_checked_and_converted_as_its_zip_is(tmp_path: Path) -> None:
    folder = exam(tmp_path / "exam")
    packed = zipped(folder)
    of_folder, of_zip = (json.loads(run("check", path, "--json").stdout) for path in (folder, packed))
    assert (of_folder["items"], of_folder["documents"], of_folder["errors"]) == (2, 4, 0)
    assert {**of_folder, "findings": []} == {**of_zip, "findings": []}
    assert run("convert", folder, tmp_path / "1.zip").exit_code == 0
    assert run("convert", packed, tmp_path / "2.zip").exit_code == 0
    assert read_package(tmp_path / "1.zip") == read_package(tmp_path / "2.zip")
    assert run("check", tmp_path, "--json").exit_code == 0  # found below a folder, too


def test_a_link_out_of_an_unpacked_package_is_told(tmp_path: Path) -> None:
    folder = exam(tmp_path / "exam")
    (folder / "items" / "deep" / "plan.png").unlink()
    (folder / "items" / "deep" / "plan.png").symlink_to("/etc/hostname")
    for verb in (["check", folder], ["render", folder, "--out", tmp_path / "x"], ["convert", folder, tmp_path / "y"]):
        result = run(*verb)
        assert result.exit_code == 1
        assert "error symlink: items/deep/plan.png is a link that leads out" in result.stdout + result.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("to", ["qti22", "qti21"])
def test_convert_writes_packages_of_qti_2_and_tells_what_they_cannot_say(tmp_path: Path, to: str) -> None:
    folder = exam(tmp_path / "exam")
    older, again = tmp_path / "older.zip", tmp_path / "again.zip"
    result = run("convert", folder, older, "--to", to, "--json")
    codes = {finding["code"] for finding in json.loads(result.stdout)["findings"]}
    assert (result.exit_code, codes) == (0, {"qti22": set(), "qti21": {"not-in-qti-2", "stimulus-copied"}}[to])
    assert run("check", older).exit_code == 0
    assert run("convert", older, again).exit_code == 0
    first, last = read_package(folder), read_package(again)
    assert (last.tests, last.media) == (first.tests, first.media)
    assert to == "qti21" or (last.items, last.stimuli) == (first.items, first.stimuli)
    assert last.items[1] == first.items[1]


def test_convert_of_a_table_goes_to_a_package_of_qti_2_at_once(bank: Path, tmp_path: Path) -> None:
    assert run("convert", bank, tmp_path / "bank.zip", "--to", "qti22").exit_code == 0
    assert read_package(tmp_path / "bank.zip").items == (single(), multiple(), true_false())


@pytest.mark.parametrize("name", ["bank.docx", "moodle.xml"])
def test_pictures_go_along_into_word_and_moodle(tmp_path: Path, name: str) -> None:
    (tmp_path / "items").mkdir()
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.png").write_bytes(png())
    shown = single().xml.replace(b"<p>", b'<p><img src="../media/a.png" alt="a"/>', 1)
    (tmp_path / "items" / "q.xml").write_bytes(shown)
    to = ["--to", "moodle"] if name.endswith(".xml") else []
    result = run("convert", tmp_path / "items", tmp_path / name, *to)
    assert result.exit_code == 0, result.stderr
    assert run("convert", tmp_path / name, tmp_path / "back.zip").exit_code == 0
    assert list(read_package(tmp_path / "back.zip").media.values()) == [png()]
