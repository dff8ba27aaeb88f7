"""Files people saved from Excel: encodings, damage, quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats.foreign.csv_text import read_records, without_controls

HEADER = "编号,题干\n"


def codes(content: bytes) -> list[str]:
    records, findings = read_records(content, file="t.csv", known_words=["题干"])
    if any(finding.severity == "error" and finding.code != "broken-csv" for finding in findings):
        assert records == []
    return [finding.code for finding in findings]


def cells(content: bytes) -> list[tuple[int, tuple[str, ...]]]:
    records, findings = read_records(content, file="t.csv", known_words=["题干"])
    assert findings == []
    return [(record.row, record.cells) for record in records]


def test_utf8_is_read_with_and_without_byte_order_mark() -> None:
    text = HEADER + "Q1,什么是过拟合？\n"
    expected = [(1, ("编号", "题干")), (2, ("Q1", "什么是过拟合？"))]
    assert cells(text.encode()) == expected
    assert cells(text.encode("utf-8-sig")) == expected


def test_rows_are_numbered_as_the_spreadsheet_does_also_after_cells_with_lines_and_empty_rows() -> None:
    assert cells(b'a,b\r\n"1\r\n2",x\r\n,\r\n\r\n3,4\r\n') == [
        (1, ("a", "b")),
        (2, ("1\n2", "x")),
        (5, ("3", "4")),
    ]


def test_text_gets_nfc_and_nothing_more() -> None:
    assert cells("e\u0301,Ａ①\n".encode()) == [(1, ("é", "Ａ①"))]


def test_gb18030_is_refused_with_the_way_to_save_as_utf8() -> None:
    records, findings = read_records((HEADER + "Q1,过拟合\n").encode("gb18030"), file="t.csv", known_words=["题干"])
    (finding,) = findings
    assert (records, finding.code, finding.file) == ([], "encoding-gb18030", "t.csv")
    assert "CSV UTF-8" in finding.message


def test_other_encodings_are_refused_with_the_place() -> None:
    assert codes((HEADER + "Q1,x\n").encode("utf-16")) == ["encoding-utf16"]
    records, findings = read_records(b"a,b\nc,\xff\xfe\xfd\n", file="t.csv", known_words=["题干"])
    assert (records, findings[0].code, findings[0].line) == ([], "encoding", 2)


@pytest.mark.parametrize(
    "damaged",
    [
        "锟斤拷锟斤拷",
        "样本\ufffd比例",
        "什么是过拟合？".encode().decode("latin-1"),
        "什么是过拟合".encode().decode("cp1252", errors="ignore"),
        "caf" + "é".encode().decode("latin-1"),
        "数据标注".encode().decode("gb18030"),
    ],
    ids=["gbk of replacement", "replacement", "latin-1", "cp1252", "é", "gbk"],
)
def test_mojibake_refuses_the_whole_file_and_shows_the_cell(damaged: str) -> None:
    records, findings = read_records(
        (HEADER + f"Q1,好的题目\nQ2,{damaged}\n").encode(), file="t.csv", known_words=["题干"]
    )
    assert records == []
    assert {finding.code for finding in findings} == {"mojibake"}
    assert findings[1].line == 3


@given(st.text(st.characters(codec="gb2312", categories=["Lo", "Nd", "Po", "Ps", "Pe"]), min_size=1, max_size=60))
def test_ordinary_chinese_is_never_called_damaged(text: str) -> None:
    written = text.replace('"', '""')
    damage = "锟斤" in text or "烫烫烫" in text or "屯屯屯" in text
    assert ("mojibake" in codes(f'"{written}"'.encode())) == damage


@pytest.mark.parametrize("text", ["naïve Bayes", "café – crème", "β₁ ≤ 0.5 °C", "“引号”——省略……", "Ångström ±3 µm"])
def test_accents_and_symbols_are_not_mojibake(text: str) -> None:
    assert codes(text.encode()) == []


def test_a_quote_left_open_keeps_the_rows_before_it() -> None:
    records, findings = read_records(b'a,b\n1,2\n3,"4\n5,6\n', file="t.csv", known_words=["a"])
    assert [record.cells for record in records] == [("a", "b"), ("1", "2")]
    assert [(finding.code, finding.line) for finding in findings] == [("broken-csv", 3)]


def test_control_characters_are_taken_out_and_named() -> None:
    assert without_controls("过\x07拟\u0085合\n第二行\t") == ("过拟合\n第二行\t", ["U+0007", "U+0085"])
    assert without_controls("\ufeff过拟合\uffff") == ("过拟合", ["U+FEFF", "U+FFFF"])
    assert without_controls("干净") == ("干净", [])
