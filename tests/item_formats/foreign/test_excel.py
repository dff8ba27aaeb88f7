"""Workbooks people made: what cells show, other headers, what is not read; and workbooks out."""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pytest
from hypothesis import given, settings
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.drawing.image import Image

from item_formats import ItemError, ItemRow, ItemTable
from item_formats.foreign import MissingExtraError, read_excel, read_items_csv, write_excel, write_items_csv
from item_formats.foreign.excel import as_typed
from tests.item_formats.documents import single
from tests.item_formats.foreign.papers import choice, errors, png, row, told
from tests.item_formats.foreign.test_table import GOOD, item_rows

TITLES = [
    "编号",
    "题型",
    "知识点",
    "难度",
    "题干",
    "选项A",
    "选项B",
    "选项C",
    "选项D",
    "选项E",
    "答案",
    "解析",
    "出处",
    "互斥",
]


def sheet_of(book: openpyxl.Workbook, *changes: dict[str, object], header: list[str] = TITLES) -> None:
    sheet = book.active
    sheet.append(header)
    for change in changes:
        cells: dict[str, object] = GOOD | change
        sheet.append([cells.get(column) for column in header])


def read(folder: Path, book: openpyxl.Workbook) -> ItemTable:
    path = folder / "items.xlsx"
    book.save(path)
    return read_excel(path)


def warned(table: ItemTable) -> list[str]:
    return [finding.code for finding in table.findings if finding.severity == "warning"]


def test_a_workbook_reads_as_the_same_table_in_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {"难度": 3}, {"编号": "Q2", "题干": "另一问（ ）。", "难度": 9})
    table = read(tmp_path, book)
    assert table.rows == (ItemRow("Q1", single(), "A-A-A-001", 3, source="教材第3章", enemies=("Q7", "Q9")),)
    assert errors(table) == [("bad-grade", 3, "难度")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.5, "0.5"),
        (0.1 + 0.2, "0.3"),
        (1e20, "100000000000000000000"),
        (-2.50, "-2.5"),
        (0.00001, "0.00001"),
        (True, "TRUE"),
        (dt.date(2024, 1, 31), "2024-01-31"),
        (dt.datetime(2024, 1, 31, 8, 30), "2024-01-31 08:30"),  # noqa: DTZ001  # cells have no time zone
        (dt.datetime(2024, 1, 31), "2024-01-31"),  # noqa: DTZ001
        (dt.time(8, 30), "08:30"),
        (dt.timedelta(hours=26, minutes=5), "26:05"),
        ("e\u0301\r\nＡ", "é\nＡ"),
        (None, ""),
    ],
)
def test_cells_read_as_people_typed_them(value: object, text: str) -> None:
    assert as_typed(value) == text


def test_per_cent_and_dates_in_options(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {"选项A": 0.1, "选项B": 0.255, "选项C": 1, "选项D": dt.date(2024, 1, 2)})
    book.active["F2"].number_format = "0%"
    book.active["G2"].number_format = "0.0%_);[Red]\\(0.0%\\)"
    table = read(tmp_path, book)
    assert told(table)[0][1] == ["10%", "25.5%", "1", "2024-01-02"]
    assert [(f.code, f.line, f.column) for f in table.findings] == [("date-cell", 2, "I")]


def test_formulas_are_read_as_their_values_and_said_when_they_have_none(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {"选项A": "=1+1"})
    assert ("formula-without-value", 2, "F") in errors(read(tmp_path, book))
    path = tmp_path / "items.xlsx"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    members[name] = (
        members[name].replace(b"<v></v>", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
    )
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    table = read_excel(path)
    assert told(table)[0][1][0] == "2"
    assert errors(table) == []


WILD = ["试题GUID", "题型(必填)", "题干（必填）", "答案*", "选项A", "选项B", "选项C", "选项D", "选项E"]
WILD += ["知识点一级", "知识点二级", "知识点三级", "知识点四级", "难度", "一致性", "分数", "试题解析", "试题来源"]


def test_the_header_of_existing_banks_is_understood_also_below_a_title(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["人工智能训练师题库"])
    sheet.append([])
    sheet.append(WILD)
    options = ["图像分类", "聚类", "降维", "关联", None]
    sheet.append(
        [
            "{3F25-04E0}",
            "单选",
            "有监督学习是（ ）。",
            "A",
            *options,
            "A",
            "B",
            "001",
            None,
            "中",
            5,
            0.5,
            "需要标签。",
            "教材",
        ]
    )
    sheet.append([None, "判断", "地球是圆的。", "对", *[None] * 5, "地理", "A-B", "A-B-002", None, 1, 4, 1, None, None])
    table = read(tmp_path, book)
    assert table.findings == ()
    first, second = table.rows
    assert (first.identifier, first.point, first.grade, first.marks, first.congruence, first.source, first.row) == (
        "G3F25-04E0",
        "A-B-001",
        3,
        Decimal("0.5"),
        5,
        "教材",
        4,
    )
    assert (second.identifier[:2], second.point) == ("Q-", "A-B-002")
    assert read_excel(tmp_path / "items.xlsx").rows == table.rows  # codes made from the wording are the same each time


def test_hidden_and_other_sheets_hidden_rows_and_pictures_are_said(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {})
    hidden = book.create_sheet("旧题")
    hidden.sheet_state = "hidden"
    hidden.append(TITLES)
    book.create_sheet("说明").append(["请勿修改"])
    book.active.row_dimensions[2].hidden = True
    book.active.add_image(Image(io.BytesIO(png())), "P1")
    table = read(tmp_path, book)
    assert len(table.rows) == 1
    assert sorted(warned(table)) == ["hidden-row", "hidden-sheet", "pictures-not-read", "sheet-without-items"]


def test_raised_figures_are_said_to_be_lost(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {})
    book.active["E2"] = CellRichText("x", TextBlock(InlineFont(vertAlign="superscript"), "2"), "是（ ）。")
    assert "formatting-lost" in warned(read(tmp_path, book))


def test_items_on_several_sheets_are_read_with_the_sheet_in_the_place(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {})
    second = book.create_sheet("第二批")
    second.append(TITLES)
    second.append([(GOOD | {"编号": "Q2", "题干": "另一问（ ）。"}).get(column) for column in TITLES])
    second.append([(GOOD | {"题干": "第三问（ ）。"}).get(column) for column in TITLES])
    table = read(tmp_path, book)
    assert [row.identifier for row in table.rows] == ["Q1", "Q2"]
    (finding,) = table.findings
    assert (finding.code, finding.line) == ("duplicate-identifier", 3)
    assert str(finding.file).endswith("items.xlsx[第二批]")


def test_full_width_codes_and_mojibake_are_found_as_in_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {"答案": "Ａ"})
    assert errors(read(tmp_path, book)) == [("full-width", 2, "答案")]
    damaged = openpyxl.Workbook()
    sheet_of(damaged, {}, {"编号": "Q2", "题干": "锟斤拷（ ）"})
    table = read(tmp_path, damaged)
    assert (table.rows, {code for code, _, _ in errors(table)}) == ((), {"mojibake"})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-workbook"),
        ("编号,题型".encode(), "not-a-workbook"),
        (b"PK\x03\x04 cut", "damaged-zip"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "not-a-workbook"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    table = read_excel(path)
    assert (table.rows, [found for found, _, _ in errors(table)]) == ((), [code])


def test_an_empty_workbook_says_which_header_is_expected(tmp_path: Path) -> None:
    table = read(tmp_path, openpyxl.Workbook())
    assert [code for code, _, _ in errors(table)] == ["empty-file"]


def test_formulas_in_latex_become_mathml_in_both_tables_and_come_back(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet_of(book, {"题干": "若$x^2=4$，则 x 为（ ）。", "选项A": r"\(\pm 2\)", "解析": r"\[x=\pm\sqrt{4}\]"})
    table = read(tmp_path, book)
    assert table.findings == ()
    assert table.rows[0].item.xml.count(b"<math") == 3
    write_excel(tmp_path / "again.xlsx", table.rows)
    write_items_csv(tmp_path / "again.csv", table.rows)
    assert read_excel(tmp_path / "again.xlsx").rows == read_items_csv(tmp_path / "again.csv").rows == table.rows


@settings(max_examples=20)
@given(item_rows())
def test_rows_written_are_read_back_equal(rows: tuple[ItemRow, ...]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items.xlsx"
        write_excel(path, rows)
        once = path.read_bytes()
        write_excel(path, rows)
        assert path.read_bytes() == once
        assert read_excel(path).rows == rows


def test_another_reader_sees_text_in_every_cell(tmp_path: Path) -> None:
    path = tmp_path / "items.xlsx"
    write_excel(path, [ItemRow("Q1", single(stem="=1+1 是（ ）。"), "A-1", 2)])
    sheet = openpyxl.load_workbook(path).active
    header, first = list(sheet.iter_rows(values_only=True))[:2]
    cells = dict(zip(header, first, strict=True))
    assert (cells["题干"], cells["难度"], cells["编号"]) == ("=1+1 是（ ）。", "2", "Q1")
    assert sheet.freeze_panes == "A2"
    assert any("判断,单选,多选" in rule.formula1 for rule in sheet.data_validations.dataValidation)


def test_an_item_with_markup_is_not_written(tmp_path: Path) -> None:
    rich = row(choice(stem="<em>重点</em>是（ ）。"), point="A", grade=1)
    with pytest.raises(ItemError, match="more than a row of a table can hold"):
        write_excel(tmp_path / "x.xlsx", [rich])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["python_calamine", "xlsxwriter"])
def test_a_missing_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"")
    with pytest.raises(MissingExtraError, match=r"pip install 'tiku\[office\]'"):
        read_excel(path) if module == "python_calamine" else write_excel(path, [])
