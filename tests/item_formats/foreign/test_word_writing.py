"""Editable papers: what is written reads back, and another reader sees a paper."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError, ItemRow, PaperItem, PaperSection, PaperSheet, choice_item
from item_formats.foreign import read_word, write_paper_word, write_word
from item_formats.foreign.formulas import OMML, latex_to_mathml, mathml_to_omml, omml_to_mathml
from item_formats.foreign.markup import element_markup
from item_formats.foreign.question import Choice, Kind, Question
from item_formats.foreign.word.office_xml import picture_size
from tests.item_formats.documents import multiple, single, true_false, written_items
from tests.item_formats.foreign.papers import choice, png, row
from tests.item_formats.foreign.test_building import ALL

FRACTION = element_markup(omml_to_mathml(mathml_to_omml(etree.fromstring(latex_to_mathml(r"\frac{a}{\sqrt{b}}")))))
PICTURE = "media/802769b7ac77d81a.png"


def paragraphs(path: Path) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(str(path)).paragraphs]


def test_a_question_list_comes_back_with_everything_the_bank_keeps(tmp_path: Path) -> None:
    path = tmp_path / "list.docx"
    rows = [
        ItemRow("Q3", true_false(), "A-1", 1, Decimal("0.5"), 5, "教材", ("Q9",)),
        ItemRow("Q1", single(), "A-2", 2, Decimal(1)),
        ItemRow("Q2", multiple(), "A-3", 5, Decimal(2), enemies=("Q7", "Q8")),
    ]
    assert write_word(path, rows, title="三级题库") == ()
    table = read_word(path)
    assert table.findings == ()
    assert table.rows == tuple(rows)
    assert paragraphs(path)[:3] == [
        "三级题库",
        "一、判断题（每题0.5分，共0.5分）",
        "1．测试集可以用来反复调整超参数。（\u3000）",
    ]


RICH = {
    "formula": choice(stem=f"当{FRACTION}时（ ）。"),
    "formula option": choice(choices=(Choice("甲"), Choice(FRACTION, Decimal(1)), Choice("丙"), Choice("丁"))),
    "formats": choice(stem='H<sub>2</sub>O <strong>不</strong>是<span class="qti-underline">酸</span>（ ）。'),
    "table": choice(
        stem='<p>见表</p><table><tbody><tr><td rowspan="2">甲</td><td>乙</td></tr><tr><td>丙</td></tr></tbody></table>'
        "<p>选（ ）。</p>"
    ),
    "lines": choice(stem="第一行<br/>第二行（ ）。", rationale="甲<br/>乙"),
    "code": choice(stem="输出（ ）。<br/>if x:<br/>    print(1)"),
    "essay": ALL["essay"],
    "gaps": replace(ALL["gaps"], case_sensitive=False),
}


@pytest.mark.parametrize("name", RICH)
def test_rich_content_comes_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "list.docx"
    write_word(path, [row(RICH[name])])
    table = read_word(path)
    assert [f for f in table.findings if f.severity == "error"] == []
    assert [made.item for made in table.rows] == [row(RICH[name]).item]


def test_formulas_are_words_own_and_pictures_come_along(tmp_path: Path) -> None:
    path = tmp_path / "list.docx"
    pictured = choice(stem=f'如图{FRACTION}<img alt="红色" height="20" src="../{PICTURE}" width="40"/>（ ）。')
    content = {PICTURE: png()}
    write_word(path, [row(pictured)], media=content)
    with zipfile.ZipFile(path) as archive:
        document = etree.fromstring(archive.read("word/document.xml"))
        assert archive.read(f"word/{PICTURE}") == png()
    assert len(list(document.iter(f"{{{OMML}}}rad"))) == 1
    table = read_word(path)
    assert list(table.media.values()) == [png()]
    assert b'alt="\xe7\xba\xa2\xe8\x89\xb2" height="20"' in table.rows[0].item.xml


def test_a_picture_that_was_not_given_writes_nothing(tmp_path: Path) -> None:
    pictured = row(choice(stem='<img alt="" src="../media/x.png"/>（ ）。'))
    with pytest.raises(ItemError, match="was not given"):
        write_word(tmp_path / "x.docx", [pictured])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("texts", "lines"),
    [
        (["短", "中", "长", "宽"], ["A．短\tB．中\tC．长\tD．宽"]),
        (
            ["十个汉字以上的选项文"] * 3 + ["短"],
            ["A．十个汉字以上的选项文甲\tB．十个汉字以上的选项文乙", "C．十个汉字以上的选项文丙\tD．短"],
        ),
        (["很长的选项" * 6, "乙", "丙", "丁"], ["A．" + "很长的选项" * 6, "B．乙", "C．丙", "D．丁"]),
    ],
)
def test_options_are_laid_out_by_their_length(tmp_path: Path, texts: list[str], lines: list[str]) -> None:
    texts = [text + mark if "十个" in text else text for text, mark in zip(texts, "甲乙丙丁", strict=True)]
    write_word(tmp_path / "x.docx", [ItemRow("Q1", single(options=texts))])
    assert paragraphs(tmp_path / "x.docx")[3 : 3 + len(lines)] == lines


def test_a_paper_for_candidates_carries_no_key(tmp_path: Path) -> None:
    path = tmp_path / "paper.docx"
    write_word(path, [ItemRow("Q1", single(), "A-1", 3), row(replace(RICH["gaps"], identifier="Q2"))], answer_key=False)
    text = "\n".join(paragraphs(path))
    assert "需要带标签" not in text
    assert "答案" not in text
    assert "北京" not in text
    assert "图像分类" in text


def test_a_paper_sheet_becomes_a_document_with_title_notes_and_sections(tmp_path: Path) -> None:
    section = PaperSection("一、判断题", "（第1题。每题1分。）", (PaperItem(true_false(), Decimal(1)),))
    other = PaperSection("二、单选题", "（第2题。每题1分。）", (PaperItem(single(), Decimal(1)),))
    sheet = PaperSheet("理论知识试卷", "A", 90, (section, other))
    write_paper_word(tmp_path / "a.docx", sheet)
    lines = paragraphs(tmp_path / "a.docx")
    assert lines[0] == "理论知识试卷（A）"
    assert "1. 考试时间：90分钟，满分2分。" in lines
    assert "2．下列属于有监督学习任务的是（\u3000\u3000）。" in lines  # room to write
    write_paper_word(tmp_path / "key.docx", sheet, answer_key=True)
    table = read_word(tmp_path / "key.docx")
    assert [made.item for made in table.rows] == [true_false(), single()]


@settings(max_examples=30)
@given(
    st.lists(
        written_items(
            st.text("数据标注模型，。、（）ab0 <&=+²Ａ", min_size=1, max_size=30).map(str.strip).filter(bool)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_lists_written_are_read_back_equal(written: list[dict[str, object]]) -> None:
    rows = []
    for number, arguments in enumerate(written):
        keys = arguments.pop("keys")
        stem = f"第{number}题：{arguments['stem']}（ ）是什么。"
        item = choice_item(**arguments | {"identifier": f"Q{number}", "stem": stem, "key": keys[0]})  # type: ignore[arg-type, index]
        rows.append(ItemRow(f"Q{number}", item, "A-1", 1))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.docx"
        write_word(path, rows)
        table = read_word(path)
    assert {made.identifier: made.item for made in table.rows} == {made.identifier: made.item for made in rows}


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.docx", "b.docx"):
        write_word(tmp_path / name, [ItemRow("Q1", single())])
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()


def test_what_a_list_has_no_place_for_is_said(tmp_path: Path) -> None:
    found = write_word(tmp_path / "x.docx", [row(ALL["shares"]), row(replace(ALL["word"], identifier="Q2"))])
    assert [(finding.code, finding.item) for finding in found] == [("simplified", "Q1"), ("simplified", "Q2")]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png(7, 9), (7, 9)),
        (b"GIF89a\x05\x00\x04\x00", (5, 4)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x03\x00\x02\x03", (2, 3)),
        (b"BM....", None),
    ],
)
def test_sizes_of_pictures(content: bytes, size: tuple[int, int] | None) -> None:
    assert picture_size(content) == size


def test_matching_questions_are_printed_without_the_order_that_gives_them_away(tmp_path: Path) -> None:
    asked = Question("Q1", Kind.MATCHING, "配对", pairs=(("甲", "乙二"), ("丙", "丁一")))
    write_word(tmp_path / "x.docx", [row(asked)], answer_key=False)
    assert paragraphs(tmp_path / "x.docx")[2:] == [
        "1．配对",
        "（1）甲（\u3000\u3000）",
        "（2）丙（\u3000\u3000）",
        "A．丁一",
        "B．乙二",
    ]
