"""Questions as QTI items and back: every kind, with markup, pictures and formulas."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError, ItemType, choice_item, score
from item_formats.foreign.building import build, number
from item_formats.foreign.formulas import latex_to_mathml
from item_formats.foreign.markup import GAP, as_blocks, from_blocks, markup_of_html, parsed, plain_text
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.foreign.reading_back import question_of
from item_formats.model import read_item
from item_formats.text import as_markup
from tests.item_formats.documents import written_items
from tests.item_formats.foreign.papers import choice
from tests.shared import shared

SQUARE = latex_to_mathml("x^2")
ALL = {
    "choice with a formula": choice(stem=f"求{SQUARE}的<em>值</em>（ ）。"),
    "choice with feedback": choice(choices=(Choice("甲", feedback="再想想"), Choice("乙", Decimal(1), "对"))),
    "table in the stem": choice(stem="<p>见下表</p><table><tbody><tr><td>1</td></tr></tbody></table><p>选（ ）</p>"),
    "picture": choice(stem='如图<img alt="流程图" src="../media/a.png"/>所示（ ）。'),
    "shares": choice(
        key="AB",
        partial=True,
        choices=(Choice("甲", Decimal("0.5")), Choice("乙", Decimal("0.5"), "好"), Choice("丙", Decimal("-0.25"))),
    ),
    "true or false": Question("Q1", Kind.TRUE_FALSE, "对的。", (Choice("正确"), Choice("错误", Decimal(1)))),
    "word": Question("Q1", Kind.GAPS, "首都是", answers=((Answer("北京"), Answer("京", Decimal("0.5"))),)),
    "gaps": Question(
        "Q1",
        Kind.GAPS,
        f"首都是{GAP}，最大的是{GAP}。",
        answers=((Answer("北京"),), (Answer("上海"),)),
        case_sensitive=True,
    ),
    "number": Question(
        "Q1",
        Kind.NUMBER,
        "圆周率",
        answers=((Answer("3.14", Decimal(1), Decimal("0.005")), Answer("3", Decimal("0.5"))),),
    ),
    "essay": Question("Q1", Kind.ESSAY, "论述过拟合。", model_answer="要点一<br/>要点二", rationale="见教材"),
    "matching": Question(
        "Q1", Kind.MATCHING, "配对", pairs=(("甲", "一"), ("乙", "二"), ("丙", "一")), unmatched=("三",)
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_every_kind_comes_back_as_the_question_it_was(name: str) -> None:
    item = build(ALL[name])
    assert question_of(item) == (ALL[name], [])
    assert question_of(read_item(item.xml)) == (ALL[name], [])


@pytest.mark.parametrize("name", ALL)
def test_every_kind_validates_against_the_schema(name: str) -> None:
    path = shared("qti/schemas/qtiv3p0/imsqti_asiv3p0_sbacv1p0_v1p0.xsd")
    schema = _schema(str(path))
    schema.assertValid(etree.fromstring(build(ALL[name]).xml))


_SCHEMAS: dict[str, etree.XMLSchema] = {}


def _schema(path: str) -> etree.XMLSchema:
    if path not in _SCHEMAS:
        _SCHEMAS[path] = etree.XMLSchema(etree.parse(path))
    return _SCHEMAS[path]


@given(written_items())
def test_plain_choice_questions_give_the_bytes_of_choice_item(written: dict[str, object]) -> None:
    keys = written.pop("keys")
    item = choice_item(**written, key=keys[0])  # type: ignore[arg-type, index]
    question, lost = question_of(item)
    assert build(question) == item
    assert lost == []
    assert question.stem == as_markup(str(written["stem"]))


@pytest.mark.parametrize(
    ("name", "responses", "expected"),
    [
        ("choice with feedback", {"RESPONSE": "B"}, {"SCORE": 1.0, "FEEDBACK": "B"}),
        ("choice with feedback", {"RESPONSE": "A"}, {"SCORE": 0.0, "FEEDBACK": "A"}),
        ("shares", {"RESPONSE": ["A", "C"]}, {"SCORE": 0.25}),
        ("shares", {"RESPONSE": ["C"]}, {"SCORE": 0.0}),
        ("word", {"RESPONSE": "京"}, {"SCORE": 0.5}),
        ("gaps", {"RESPONSE1": "北京", "RESPONSE2": "广州"}, {"SCORE": 0.5}),
        ("gaps", {"RESPONSE1": "北京", "RESPONSE2": "上海"}, {"SCORE": 1.0}),
        ("gaps", {"RESPONSE1": None, "RESPONSE2": "上海"}, {"SCORE": 0.5}),
        ("number", {"RESPONSE": "3.142"}, {"SCORE": 1.0}),
        ("number", {"RESPONSE": "3"}, {"SCORE": 0.5}),
        ("number", {"RESPONSE": "2"}, {"SCORE": 0.0}),
        ("matching", {"RESPONSE": ["S1 T1", "S2 T2", "S3 T1"]}, {"SCORE": 1.0}),
        ("matching", {"RESPONSE": ["S1 T1", "S2 T1"]}, {"SCORE": 1 / 3}),
    ],
)
def test_items_score_as_the_question_says(name: str, responses: dict[str, object], expected: dict[str, object]) -> None:
    outcomes = score(build(ALL[name]), responses)  # type: ignore[arg-type]
    for outcome, value in expected.items():
        assert outcomes[outcome] == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        (choice(stem=" "), ["empty-stem"]),
        (choice(identifier="1 2"), ["bad-identifier"]),
        (choice(choices=(Choice("甲", Decimal(1)),)), ["option-count"]),
        (choice(choices=(Choice("甲", Decimal(1)), Choice("甲"))), ["repeated-option"]),
        (choice(choices=(Choice("甲", Decimal(1)), Choice(" "))), ["empty-option"]),
        (choice(choices=(Choice("甲"), Choice("乙"))), ["empty-key"]),
        (choice(choices=(Choice("甲", Decimal(1)), Choice("乙", Decimal(1)))), ["too-many-keys"]),
        (replace(ALL["gaps"], answers=((Answer("北京"),),)), ["gap-count"]),
        (replace(ALL["word"], answers=()), ["empty-key"]),
        (replace(ALL["word"], answers=((Answer("北京", Decimal(0)),),)), ["empty-key"]),
        (replace(ALL["matching"], pairs=(("甲", "一"),)), ["too-few-pairs"]),
    ],
)
def test_what_cannot_be_a_question_is_told_by_its_parts(question: Question, codes: list[str]) -> None:
    with pytest.raises(ItemError) as raised:
        build(question)
    assert [finding.code for finding in raised.value.findings] == codes


def test_options_that_are_different_pictures_do_not_repeat_each_other() -> None:
    choices = tuple(Choice(f'<img src="../media/{n}.png" alt=""/>', Decimal(n == 1)) for n in range(4))
    assert build(choice(choices=choices)).key == "B"


def test_an_item_with_its_own_processing_is_refused_and_one_with_more_content_is_told() -> None:
    item = build(choice())
    other = item.xml.replace(b"match_correct.xml", b"map_response_point.xml")
    with pytest.raises(ItemError, match="response processing is its own"):
        question_of(read_item(other))
    more = item.xml.replace(
        b"</qti-simple-choice>",
        b'<qti-feedback-inline outcome-identifier="F" identifier="x" show-hide="show">!</qti-feedback-inline>'
        b"</qti-simple-choice>",
        1,
    )
    question, (finding,) = question_of(read_item(more))
    assert question == choice()
    assert (finding.severity, finding.code) == ("warning", "simplified")
    assert "qti-feedback-inline" in finding.message


@pytest.mark.parametrize(
    ("source", "markup", "lost"),
    [
        ("<p>甲<b>乙</b></p>", "甲<b>乙</b>", []),
        ("a < b", "a &lt; b", []),
        ("1<br>2", "1<br/>2", []),
        ("<u>下划线</u>", '<span class="qti-underline">下划线</span>', []),
        ("<p>甲</p><p>乙</p>", "<p>甲</p><p>乙</p>", []),
        ("<table><tr><td>1</td></tr></table>", "<table><tbody><tr><td>1</td></tr></tbody></table>", []),
        ("甲<script>alert(1)</script>乙", "甲乙", ["script"]),
        ('<span onclick="x()" style="color:red">甲</span>', "甲", []),
        ('<a href="javascript:x()">甲</a>', "甲", []),
        ('<a href="https://example.org/">甲</a>', '<a href="https://example.org/">甲</a>', []),
        ("<marquee>甲</marquee>", "甲", ["marquee"]),
        ('<img src="javascript:x" alt="图">', "图", ["img javascript:x"]),
    ],
)
def test_html_becomes_markup_and_nothing_active_comes_along(source: str, markup: str, lost: list[str]) -> None:
    assert markup_of_html(source) == (markup, lost)


@given(st.text("<>&\"'/= abpimg甲\x00\x07;#1", max_size=60))
def test_any_html_gives_markup_that_parses(source: str) -> None:
    markup, _ = markup_of_html(source)
    assert from_blocks(parsed(as_blocks(markup))) is not None


@given(st.text("甲<&>\n x", min_size=1, max_size=20))
def test_plain_text_survives_markup(text: str) -> None:
    text = "\n".join(line.strip() for line in text.split("\n")).strip()
    assert plain_text(as_markup(text)) in {text, None}


def test_numbers_are_written_without_exponents() -> None:
    assert [number(Decimal(text)) for text in ("1E-7", "100", "0.500", "-0.25")] == ["0.0000001", "100", "0.5", "-0.25"]


def test_item_types_of_built_questions_are_recognised() -> None:
    assert build(ALL["true or false"]).item_type is ItemType.TRUE_FALSE
    assert build(ALL["shares"]).item_type is ItemType.MULTIPLE
