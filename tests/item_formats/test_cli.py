"""`tiku item`, as somebody at a terminal meets it."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from item_formats import ItemRow, read_item, write_items_csv
from item_formats.cli import item
from tests.item_formats.documents import capitals, correct, multiple, single, true_false

if TYPE_CHECKING:
    from pathlib import Path


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
    (tmp_path / "bank" / "imsmanifest.xml").write_text("<manifest/>", encoding="utf-8")
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
