"""The table people edit: good rows kept, bad rows reported with row, column and what was expected."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError, ItemRow, ItemTable, ItemType, choice_item, read_items_csv, write_items_csv
from tests.item_formats.documents import single, written_items

GOOD = {
    "编号": "Q1",
    "题型": "单选",
    "知识点": "A-A-A-001",
    "难度": "3",
    "题干": "下列属于有监督学习任务的是（ ）。",
    "选项A": "图像分类",
    "选项B": "聚类",
    "选项C": "降维",
    "选项D": "关联规则挖掘",
    "选项E": "",
    "答案": "A",
    "解析": "图像分类需要带标签的样本。",
    "出处": "教材第3章",
    "互斥": "Q7; Q9",
}
TRUE_FALSE = {"题型": "判断", "题干": "测试集可以用来调参。", "答案": "×"} | {f"选项{letter}": "" for letter in "ABCDE"}
MULTIPLE = {"题型": "多选", "题干": "下列属于数据清洗的有（ ）。", "选项E": "换显卡", "答案": "AB"}


def table(folder: Path, *rows: dict[str, str], encoding: str = "utf-8") -> ItemTable:
    """The table of these rows, each the good row with changes."""
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(column for row in rows for column in (GOOD | row)))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(GOOD | row for row in rows)
    path = folder / "items.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return read_items_csv(path)


def findings_of(folder: Path, **changes: str) -> list[tuple[str, str, str | None]]:
    """Severity, code and column of everything found in one changed row, which always stands in row 2."""
    read = table(folder, changes)
    assert {finding.line for finding in read.findings} <= {2}
    assert bool(read.rows) == all(finding.severity == "warning" for finding in read.findings)
    return [(finding.severity, finding.code, finding.column) for finding in read.findings]


def test_a_row_becomes_an_item_with_what_the_bank_keeps_beside_it(tmp_path: Path) -> None:
    read = table(tmp_path, {"分数": "0.5", "一致性": "4"})
    assert read.findings == ()
    (row,) = read.rows
    assert row.item == single()
    assert (row.identifier, row.point, row.grade, row.marks) == ("Q1", "A-A-A-001", 3, Decimal("0.5"))
    assert (row.congruence, row.source, row.enemies, row.row) == (4, "教材第3章", ("Q7", "Q9"), 2)


def test_the_three_types_are_read(tmp_path: Path) -> None:
    read = table(tmp_path, {}, TRUE_FALSE | {"编号": "Q2"}, MULTIPLE | {"编号": "Q3"})
    assert read.findings == ()
    assert [(row.item.item_type, row.item.key) for row in read.rows] == [
        (ItemType.SINGLE, "A"),
        (ItemType.TRUE_FALSE, "×"),
        (ItemType.MULTIPLE, "AB"),
    ]


def test_columns_may_stand_in_any_order_and_optional_ones_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("答案,题干,难度,知识点,题型,编号\n√,地球是圆的。,1,A-1,判断,E1\n", encoding="utf-8-sig")
    read = read_items_csv(path)
    assert read.findings == ()
    assert [(row.identifier, row.item.key, row.source, row.enemies) for row in read.rows] == [("E1", "√", None, ())]


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"编号": ""}, "bad-identifier", "编号"),
        ({"编号": "１号"}, "full-width", "编号"),
        ({"题型": "论述"}, "unknown-type", "题型"),
        ({"题型": ""}, "unknown-type", "题型"),
        ({"知识点": ""}, "empty-point", "知识点"),
        ({"知识点": "Ａ-1"}, "full-width", "知识点"),
        ({"难度": "6"}, "bad-grade", "难度"),
        ({"难度": "0"}, "bad-grade", "难度"),
        ({"难度": ""}, "bad-grade", "难度"),
        ({"难度": "３"}, "full-width", "难度"),
        ({"题干": "  "}, "empty-stem", "题干"),
        ({"答案": ""}, "empty-key", "答案"),
        ({"答案": "Ａ"}, "full-width", "答案"),
        ({"答案": "E"}, "key-not-an-option", "答案"),
        ({"答案": "AC"}, "too-many-keys", "答案"),
        ({"答案": "1"}, "bad-key", "答案"),
        ({"选项D": ""}, "option-count", "选项D"),
        ({"选项E": "第五个"}, "option-count", "选项E"),
        ({"选项B": "", "选项D": "x"}, "empty-option", "选项B"),
        ({"选项C": "聚类"}, "repeated-option", "选项C"),
        ({"选项A": "Ａ．图像分类"}, "full-width", "选项A"),
        ({"互斥": "Q7；Q9"}, "full-width", "互斥"),
        ({"互斥": "Q1"}, "bad-enemy", "互斥"),
        ({"互斥": "Q7,Q9"}, "bad-enemy", "互斥"),
        ({"分数": "0"}, "bad-marks", "分数"),
        ({"分数": "半分"}, "bad-marks", "分数"),
        ({"一致性": "9"}, "bad-congruence", "一致性"),
        (MULTIPLE | {"答案": "A"}, "too-few-keys", "答案"),
        (MULTIPLE | {"选项D": "", "选项E": ""}, "option-count", "选项D"),
        (TRUE_FALSE | {"选项A": "对"}, "true-false-with-options", "选项A"),
        (TRUE_FALSE | {"答案": "A"}, "bad-key", "答案"),
        (TRUE_FALSE | {"答案": "Ｔ"}, "full-width", "答案"),
    ],
)
def test_a_row_that_cannot_be_an_item_is_left_out_with_code_and_column(
    tmp_path: Path, changes: dict[str, str], code: str, column: str
) -> None:
    assert ("error", code, column) in findings_of(tmp_path, **changes)


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"题干": "下列属于有监督学习任务的是什么？"}, "no-blank", "题干"),
        ({"题干": "下列属于有监督学习任务的是（A）。"}, "answer-in-stem", "题干"),
        ({"题干": "有监督\x07学习是（ ）。"}, "control-character", "题干"),
        ({"选项B": "B. 聚类"}, "option-carries-label", "选项B"),
        ({"选项B": "10²", "选项C": "102"}, "options-look-alike", "选项A"),
        (TRUE_FALSE | {"题干": "测试集可以用来调参"}, "no-full-stop", "题干"),
    ],
)
def test_a_row_with_warnings_is_kept(tmp_path: Path, changes: dict[str, str], code: str, column: str) -> None:
    assert findings_of(tmp_path, **changes) == [("warning", code, column)]


def test_control_characters_do_not_reach_the_item(tmp_path: Path) -> None:
    assert table(tmp_path, {"题干": "有\x07监督是（ ）。"}).rows[0].item.stem_text == "有监督是（ ）。"


def test_full_width_codes_say_which_half_width_to_type(tmp_path: Path) -> None:
    (finding,) = table(tmp_path, {"答案": "Ａ"}).findings
    assert finding.message == "答案 is “Ａ”; type “A” with half-width characters"


def test_every_fault_of_a_row_is_told_in_the_order_of_its_columns(tmp_path: Path) -> None:
    found = findings_of(tmp_path, 难度="9", 题干="", 答案="Z", 选项C="聚类")
    assert [(code, column) for _, code, column in found] == [
        ("bad-grade", "难度"),
        ("empty-stem", "题干"),
        ("no-blank", "题干"),
        ("repeated-option", "选项C"),
        ("key-not-an-option", "答案"),
    ]


def test_good_rows_are_kept_beside_bad_ones_and_rows_are_numbered_as_in_the_spreadsheet(tmp_path: Path) -> None:
    read = table(tmp_path, {}, {"编号": "Q2", "题干": "甲（ ）", "答案": "X"}, {"编号": "Q3", "题干": "乙（ ）"})
    assert [(row.identifier, row.row) for row in read.rows] == [("Q1", 2), ("Q3", 4)]
    (finding,) = read.findings
    assert (finding.line, finding.item, finding.file) == (3, "Q2", str(tmp_path / "items.csv"))


def test_a_second_use_of_an_identifier_is_refused_with_the_row_of_the_first(tmp_path: Path) -> None:
    read = table(tmp_path, {}, {"题干": "别的问题（ ）。"})
    (finding,) = read.findings
    assert (finding.code, finding.line, len(read.rows)) == ("duplicate-identifier", 3, 1)
    assert "row 2" in finding.message


def test_the_same_question_is_refused_whatever_its_width_spacing_and_order_of_options(tmp_path: Path) -> None:
    twin = {
        "编号": "Q2",
        "题干": "下列属于 有监督学习任务的是（\u3000）。",
        "选项A": "聚类",
        "选项B": "图像分类",
        "答案": "B",
    }
    read = table(tmp_path, {}, twin)
    assert [(finding.code, finding.line, finding.column) for finding in read.findings] == [
        ("duplicate-stem", 3, "题干")
    ]


def test_the_same_stem_with_other_options_is_another_question(tmp_path: Path) -> None:
    assert len(table(tmp_path, {}, {"编号": "Q2", "选项B": "时间序列分解"}).rows) == 2


def test_a_table_without_codes_gets_codes_made_from_the_wording(tmp_path: Path) -> None:
    """The header people use: 题型, 题干, 答案, 选项A …, 知识点, 难度, 一致性, 分数, 解析, 出处."""
    path = tmp_path / "t.csv"
    path.write_text(
        "题型,题干,答案,选项A,选项B,选项C,选项D,知识点,难度,一致性,分数,解析,出处\n"
        "单选,下列属于有监督学习的是（ ）。,A,图像分类,聚类,降维,关联规则,A-B-001,3,5,1,带标签,教材\n"
        "判断,测试集可以用来调参。,×,,,,,A-B-001,2,4,0.5,,\n",
        encoding="utf-8",
    )
    read = read_items_csv(path)
    assert [(finding.severity, finding.code, finding.column) for finding in read.findings] == [
        ("warning", "code-made", "编号")
    ]
    assert [(row.grade, row.congruence, row.marks) for row in read.rows] == [(3, 5, Decimal(1)), (2, 4, Decimal("0.5"))]
    codes = [row.identifier for row in read.rows]
    assert len(set(codes)) == 2
    assert all(code.startswith("Q-") for code in codes)
    assert [row.identifier for row in read_items_csv(path).rows] == codes


@pytest.mark.parametrize("column", ["题型", "知识点", "难度", "题干", "答案"])
def test_a_missing_column_refuses_the_file_by_its_name(tmp_path: Path, column: str) -> None:
    path = tmp_path / "t.csv"
    columns = [name for name in GOOD if name != column]
    path.write_text(",".join(columns) + "\n" + ",".join(GOOD[name] for name in columns), encoding="utf-8")
    read = read_items_csv(path)
    assert [(finding.code, finding.column, finding.line) for finding in read.findings] == [
        ("missing-column", column, 1)
    ]
    assert read.rows == ()


def test_an_unknown_column_is_a_warning(tmp_path: Path) -> None:
    read = table(tmp_path, {"备注": "x"})
    assert [(finding.severity, finding.code, finding.column) for finding in read.findings] == [
        ("warning", "unknown-column", "备注")
    ]
    assert len(read.rows) == 1


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("编号,题型,知识点,难度,题干,答案,选项Ａ", "full-width"),
        ("编号,题型,知识点,难度,题干,答案,答案", "repeated-column"),
        ("编号;题型;知识点;难度;题干;答案", "separator"),
        ("", "empty-file"),
    ],
)
def test_headers_that_need_mending(tmp_path: Path, header: str, code: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(header, encoding="utf-8")
    read = read_items_csv(path)
    assert [finding.code for finding in read.findings] == [code]
    assert read.findings[0].file == str(path)


def test_a_comma_without_quotes_is_found(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "编号,题型,知识点,难度,题干,答案\nQ1,判断,A,1,甲，乙。,√\nQ2,判断,A,1,甲,乙。,√\n", encoding="utf-8"
    )
    read = read_items_csv(path)
    assert [row.identifier for row in read.rows] == ["Q1"]
    assert "too-many-cells" in {finding.code for finding in read.findings}


def test_another_encoding_and_mojibake_refuse_the_file(tmp_path: Path) -> None:
    assert [finding.code for finding in table(tmp_path, {}, encoding="gb18030").findings] == ["encoding-gb18030"]
    damaged = table(tmp_path, {}, {"编号": "Q2", "题干": "锟斤拷（ ）"})
    assert damaged.rows == ()
    assert {finding.code for finding in damaged.findings} == {"mojibake"}


# What cells hold: quotes, commas, lines, markup, signs that spreadsheets take for formulas, wide and raised letters.
cell_texts = st.text("数据标注模型，。（）ABab01 \"',;<>&=+\n²Ａ", min_size=1, max_size=30).map(str.strip).filter(bool)
# An option that begins like its own label is refused in a table, so it cannot come back from one.
cell_texts = cell_texts.filter(lambda text: not text.startswith(tuple(f"{letter}）" for letter in "ABＡ")))


@st.composite
def item_rows(draw: st.DrawFn) -> tuple[ItemRow, ...]:
    rows = []
    for number in range(draw(st.integers(1, 4))):
        written = draw(written_items(cell_texts))
        keys = written.pop("keys")
        changes = {
            "identifier": f"Q{number}",
            "stem": f"第{number}题{written['stem']}",
            "key": draw(st.sampled_from(keys)),  # type: ignore[arg-type]
        }
        row = ItemRow(
            identifier=f"Q{number}",
            item=choice_item(**written | changes),  # type: ignore[arg-type]
            point=draw(st.sampled_from(["A-A-A-001", "B-B-012"])),
            grade=draw(st.integers(1, 5)),
            marks=draw(st.none() | st.sampled_from([Decimal("0.5"), Decimal(1), Decimal("2.50")])),
            congruence=draw(st.none() | st.integers(1, 5)),
            source=draw(st.none() | st.just("教材，第 3 章")),
            enemies=draw(st.sampled_from([(), ("X1",), ("X1", "X2")])),
        )
        rows.append(row)
    return tuple(rows)


@given(item_rows())
def test_rows_written_are_read_back_equal(rows: tuple[ItemRow, ...]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "items.csv"
        write_items_csv(path, rows)
        read = read_items_csv(path)
    assert read.rows == rows


def test_lines_and_runs_of_spaces_survive_the_table(tmp_path: Path) -> None:
    item = single(stem="执行下列代码的输出是（ ）。\nif x:\n    print(1)", rationale='说"是"\n\n再说，', key="D")
    row = ItemRow("Q1", item, "A-1", 2)
    write_items_csv(tmp_path / "t.csv", [row])
    assert read_items_csv(tmp_path / "t.csv").rows == (row,)


def test_the_file_opens_in_excel_as_utf8(tmp_path: Path) -> None:
    write_items_csv(tmp_path / "t.csv", [ItemRow("Q1", single(), "A-1", 2)])
    content = (tmp_path / "t.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf" + "编号,题型,知识点,难度,题干,选项A".encode())
    assert "分数".encode() not in content


def test_an_item_that_says_more_than_a_row_can_hold_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ItemError, match="more than a row of a table can hold"):
        write_items_csv(tmp_path / "t.csv", [ItemRow("Q1", single(title="另有标题"), "A-1", 2)])
    assert list(tmp_path.iterdir()) == []
