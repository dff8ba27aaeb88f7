"""Items of every format and kind into the bank: good ones are drafts, the others are told what they lack."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from authoring import cli
from authoring.database import Bank, reading, writing
from authoring.items.tables import Item, ItemState, ItemVersion
from authoring.reviews.answers import is_right
from authoring.reviews.rules import BlindReview, review, submit
from authoring.reviews.tables import Verdict
from item_formats import (
    ItemKind,
    item_kind,
    read_content,
    read_item,
    read_stimulus,
    write_gift,
    write_moodle,
    write_package,
    write_word,
)
from tests.authoring.sample import row
from tests.item_formats.documents import document
from tests.item_formats.fixtures import fixture
from tests.item_formats.packages.test_writing import MOMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.authoring.conftest import Staff

ITEM = Item.__table__
VERSION = ItemVersion.__table__
FIXTURES = Path(__file__).parents[1] / "item_formats" / "fixtures" / "interactions"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
QTI = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"


def tiku(database: str, path: Path, *more: object) -> Result:
    arguments = ["bank", "import", path, "--standard", "1", "--as", "li.na", "--database", database, *more]
    result = CliRunner().invoke(cli.main, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def report(database: str, path: Path, *more: object) -> dict[str, object]:
    document: dict[str, object] = json.loads(tiku(database, path, "--json", *more).stdout)
    return document


def kinds(bank: Bank) -> dict[str, str]:
    with reading(bank) as session:
        return {one.code: str(one.item_type) for one in session.execute(select(ITEM.c.code, ITEM.c.item_type))}


def versions(bank: Bank) -> int:
    with reading(bank) as session:
        return session.scalar(select(func.count()).select_from(VERSION)) or 0


def points(path: Path, codes: Sequence[str]) -> Path:
    lines = [f"{code},A-A-A-00{place % 4 + 1},{place % 5 + 1}" for place, code in enumerate(codes)]
    path.write_text("\n".join(["编号,知识点,难度", *lines]), encoding="utf-8")
    return path


def codes_of(told: dict[str, object], severity: str = "error") -> list[tuple[str, str | None]]:
    findings = told["findings"]
    assert isinstance(findings, list)
    return [(one["code"], one["item"]) for one in findings if one["severity"] == severity]


def test_items_of_every_interaction_become_drafts_of_their_kind(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    held = read_content([FIXTURES])
    named = [item.identifier for item in held.items]
    beside = points(tmp_path / "points.csv", named)
    told = report(database, FIXTURES, "--with", beside)
    assert set(codes_of(told)) == {("not-embedded", "portable-custom")}  # its modules
    created = told["created"]
    assert isinstance(created, list)
    assert set(created) == {name for name in named if name != "portable-custom"}
    assert kinds(bank) == {item.identifier: str(item_kind(item)) for item in held.items if item.identifier in created}
    assert len(set(kinds(bank).values())) >= 18
    again = report(database, FIXTURES, "--with", beside)
    assert (again["created"], sorted(map(str, again["unchanged"]))) == ([], sorted(map(str, created)))  # type: ignore[call-overload]
    assert versions(bank) == len(created)


@pytest.mark.parametrize("name", ["bank.docx", "bank.gift", "bank.xml"])
def test_formats_that_need_not_say_point_and_grade_are_told_what_to_do(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path, name: str
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    path = tmp_path / name
    bare = replace(row("Q2"), point="", grade=None)
    half = replace(row("Q3"), grade=None)
    write = {"docx": write_word, "gift": write_gift, "xml": write_moodle}[path.suffix[1:]]
    write(path, [row("Q1"), bare, half])
    told = report(database, path)
    assert told["created"] == ["Q1"]
    assert codes_of(told) == [("no-point", "Q2"), ("no-grade", "Q2"), ("no-grade", "Q3")]
    message = next(one["message"] for one in told["findings"] if one["code"] == "no-point")  # type: ignore[attr-defined]
    assert "知识点：A-A-A-001" in message
    assert "--with" in message
    assert all(one["file"] == str(path) for one in told["findings"])  # type: ignore[attr-defined]
    assert tiku(database, path).exit_code == 1
    beside = points(tmp_path / "points.csv", ["Q2", "Q3"])
    assert report(database, path, "--with", beside)["created"] == ["Q2", "Q3"]
    again = report(database, path, "--with", beside)
    assert (again["created"], again["unchanged"], versions(bank)) == ([], ["Q1", "Q2", "Q3"], 3)


def exam(path: Path) -> Path:
    shown = document(
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>'
        '<qti-assessment-stimulus-ref identifier="M" href="../stimuli/M.xml"/>'
        '<qti-item-body><p>读图<img src="../images/own.png" alt="own"/></p><qti-extended-text-interaction '
        'response-identifier="RESPONSE"/></qti-item-body>',
        identifier="E1",
    ).replace(
        b"<qti-outcome-declaration",
        b'<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="string"/>'
        b"<qti-outcome-declaration",
        1,
    )
    stimulus = (
        f'<qti-assessment-stimulus xmlns="{QTI}" identifier="M" title="材料"><qti-stimulus-body><p>一段材料'
        '<img src="plan.png" alt="plan"/></p></qti-stimulus-body></qti-assessment-stimulus>'
    ).encode()
    write_package(
        path,
        identifier="P",
        title="p",
        items=[read_item(shown), read_item(fixture("interactions/match.xml"))],
        stimuli=[read_stimulus(stimulus)],
        media={"images/own.png": PICTURE, "stimuli/plan.png": PICTURE + b"2"},
        modified=MOMENT,
    )
    return path


def test_a_package_comes_in_with_pictures_embedded_and_stimuli_copied(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    path = exam(tmp_path / "exam.zip")
    match_code = read_item(fixture("interactions/match.xml")).identifier
    beside = points(tmp_path / "points.csv", ["E1", match_code, "GONE"])
    told = report(database, path, "--with", beside)
    assert told["created"] == ["E1", match_code]
    assert codes_of(told) == []
    assert set(codes_of(told, "warning")) == {("stimulus-copied", "E1"), ("unused-row", None)}
    files = {one["code"]: one["file"] for one in told["findings"]}  # type: ignore[attr-defined]
    assert files == {"stimulus-copied": f"{path}/items/E1.xml", "unused-row": str(beside)}
    with reading(bank) as session:
        query = select(VERSION.c.xml).join(ITEM, ITEM.c.id == VERSION.c.item_id).where(ITEM.c.code == "E1")
        xml = session.scalar(query) or b""
    assert xml.count(b"data:image/png;base64,") == 2
    assert "一段材料".encode() in xml
    assert b"qti-assessment-stimulus-ref" not in xml
    again = report(database, path, "--with", beside)
    assert (again["created"], again["unchanged"]) == ([], ["E1", match_code])
    assert kinds(bank) == {"E1": "extended_text", match_code: "match"}


def test_an_item_that_is_no_good_is_left_out_and_the_others_come_in(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    folder = tmp_path / "items"
    folder.mkdir()
    good = row("Q1").item.xml
    (folder / "1.xml").write_bytes(good)
    (folder / "2.xml").write_bytes(row("Q2").item.xml.replace(b"<qti-value>B<", b"<qti-value>Z<"))
    (folder / "3.xml").write_bytes(good.replace(b"Q1", b"Q3").replace(b"<p>", b'<p><img src="gone.png" alt=""/>'))
    (folder / "4.xml").write_bytes(good.replace(b'"Q1"', '"题 4"'.encode()))
    (folder / "5.xml").write_bytes(b"<broken")
    (folder / "6.xml").write_bytes(row("Q6").item.xml.replace(b'"Q6"', b'"Q1"'))
    told = report(database, folder, "--with", points(tmp_path / "points.csv", ["Q1", "Q2", "Q3", "题4"]))
    assert told["created"] == ["Q1"]
    assert {code for code, _ in codes_of(told)} >= {
        "key-not-an-option",
        "not-embedded",
        "bad-code",
        "not-xml",
        "duplicate-identifier",
    }
    by_code = {one["code"]: one["file"] for one in told["findings"]}  # type: ignore[attr-defined]
    assert by_code["key-not-an-option"] == f"{folder}/2.xml"
    assert by_code["not-embedded"] == f"{folder}/3.xml"
    assert list(kinds(bank)) == ["Q1"]


def test_tests_are_told_and_left_out(staff: Staff, standard_id: int, database: str, tmp_path: Path) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    (tmp_path / "t.xml").write_bytes(fixture("documents/test.xml"))
    assert "left-out" in {code for code, _ in codes_of(report(database, tmp_path / "t.xml"), "warning")}
    (tmp_path / "empty").mkdir()
    assert codes_of(report(database, tmp_path / "empty")) == [("nothing-to-import", None)]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("知识点,难度\nA-A-A-001,3", "missing-column"),
        ("编号,难度\nQ1,9", "bad-grade"),
        ("编号,难度\nQ1,3\nQ1,4", "duplicate-identifier"),
        ("编号,难度\n,3", "empty-identifier"),
        ("", "empty-file"),
        ("编号,难度,分数\nQ1,3,很多", "bad-marks"),
        ("编号,难度\nQ1,３", "full-width"),
    ],
)
def test_a_table_beside_the_items_is_checked(
    staff: Staff, standard_id: int, database: str, tmp_path: Path, table: str, code: str
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    (tmp_path / "q.xml").write_bytes(row("Q1").item.xml)
    (tmp_path / "points.csv").write_text(table, encoding="utf-8")
    told = report(database, tmp_path / "q.xml", "--with", tmp_path / "points.csv")
    assert code in {found for found, _ in codes_of(told)}
    assert {one["file"] for one in told["findings"] if one["code"] == code} == {str(tmp_path / "points.csv")}  # type: ignore[attr-defined]


def test_pictures_tell_questions_apart_that_have_the_same_words(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path
) -> None:
    assert (standard_id, staff.author.code) == (1, "li.na")
    folder = tmp_path / "items"
    folder.mkdir()
    for place, code in enumerate(("Q1", "Q2", "Q3")):
        (folder / f"{code}.png").write_bytes(PICTURE + bytes([place // 2]))
        shown = f'<p><img src="{code}.png" alt="图"/>'.encode()
        (folder / f"{code}.xml").write_bytes(
            row("Q1").item.xml.replace(b'"Q1"', f'"{code}"'.encode()).replace(b"<p>", shown, 1)
        )
    told = report(database, folder, "--with", points(tmp_path / "points.csv", ["Q1", "Q2", "Q3"]))
    assert (told["created"], codes_of(told)) == (["Q1", "Q3"], [("duplicate-item", "Q2")])
    assert sorted(kinds(bank)) == ["Q1", "Q3"]


def values_of(name: str) -> list[str]:
    return list(read_item(fixture(f"interactions/{name}.xml")).response_declarations[0].correct)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("text_entry", ["-999"]),
        ("match", values_of("match")[:1]),
        ("order", values_of("order")[::-1]),
        ("gap_match", values_of("gap_match")[:1]),
    ],
)
def test_answers_to_items_of_other_kinds_are_right_when_they_earn_what_the_key_does(
    name: str, wrong: list[str]
) -> None:
    item = read_item(fixture(f"interactions/{name}.xml"))
    assert is_right(item, ";".join(values_of(name)))
    assert is_right(item, "；".join(f"{item.response_declarations[0].identifier}={value}" for value in values_of(name)))
    assert not is_right(item, "; ".join(wrong))


@pytest.mark.parametrize("name", ["text_entry", "match", "extended_text"])
def test_items_of_other_kinds_can_be_reviewed(
    bank: Bank, staff: Staff, standard_id: int, database: str, tmp_path: Path, name: str
) -> None:
    assert standard_id == 1
    code = read_item(fixture(f"interactions/{name}.xml")).identifier
    beside = points(tmp_path / "points.csv", [code])
    assert report(database, FIXTURES / f"{name}.xml", "--with", beside)["created"] == [code]
    with writing(bank, staff.author) as session:
        submit(session, staff.author, [code])
    with writing(bank, staff.reviewer) as session:
        answer = ";".join(values_of(name)) or "写了一些"
        (outcome,) = review(session, staff.reviewer, [BlindReview(code, answer, Verdict.ACCEPT)])
    assert outcome.answer_matches
    with reading(bank) as session:
        assert session.scalar(select(ITEM.c.state)) is ItemState.IN_APPROVAL


def test_every_kind_has_a_name_and_a_place_in_the_bank() -> None:
    assert {kind.value for kind in ItemKind} == set(ITEM.c.item_type.type.enums)
