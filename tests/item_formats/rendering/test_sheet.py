"""Sections of a paper, worded as the national papers word them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from item_formats import ItemType, PaperItem, PaperSection, PaperSheet, paper_sections
from item_formats.rendering.sheet import chinese_numeral
from item_formats.text import plain_marks
from tests.item_formats.documents import multiple, single, true_false


@pytest.mark.parametrize(
    ("number", "numeral"),
    [(1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (99, "九十九")],
)
def test_headings_count_in_chinese(number: int, numeral: str) -> None:
    assert chinese_numeral(number) == numeral


def test_there_is_no_heading_zero_or_hundred() -> None:
    for number in (0, 100):
        with pytest.raises(ValueError, match="1 to 99"):
            chinese_numeral(number)


def test_the_real_form_has_the_real_headings_and_instructions() -> None:
    sections = paper_sections(
        [
            (ItemType.TRUE_FALSE, [(true_false(), 0.5)] * 40),
            (ItemType.SINGLE, [(single(), Decimal("0.5"))] * 140),
            (ItemType.MULTIPLE, [(multiple(), 1)] * 10),
        ]
    )
    assert [section.heading for section in sections] == ["一、判断题", "二、单项选择题", "三、多项选择题"]
    assert sections[0].instruction == (
        "（第1题～第40题。将判断结果填入括号中，正确的填“√”，错误的填“×”。每题0.5分，满分20分。）"
    )
    assert sections[1].instruction.startswith("（第41题～第180题。")
    assert sections[1].instruction.endswith("每题0.5分，满分70分。）")
    assert sections[2].instruction.startswith("（第181题～第190题。")
    assert "错选、漏选、多选均不得分" in sections[2].instruction
    paper = PaperSheet(title="试卷", code="A", minutes=90, sections=sections)
    assert paper.total_marks == Decimal(100)
    assert paper.printed_notes[0] == "考试时间：90分钟，满分100分。"


def test_unequal_marks_are_announced_beside_the_items() -> None:
    (section,) = paper_sections([(ItemType.SINGLE, [(single(), 1), (single(), 2)])])
    assert "每题分值见题后，满分3分" in section.instruction


def test_a_section_of_one_item_names_one_number() -> None:
    (section,) = paper_sections([(ItemType.SINGLE, [(single(), 1)])])
    assert section.instruction.startswith("（第1题。")


def test_own_notes_replace_the_usual_ones() -> None:
    section = PaperSection("一、判断题", "", (PaperItem(true_false(), Decimal(1)),))
    paper = PaperSheet(title="试卷", code="", minutes=10, sections=(section,), notes=("只用铅笔。",))
    assert paper.printed_notes == ("只用铅笔。",)


def test_marks_are_printed_without_trailing_zeros() -> None:
    assert [plain_marks(Decimal(text)) for text in ("0.50", "20", "100.0", "1E+2")] == ["0.5", "20", "100", "100"]
