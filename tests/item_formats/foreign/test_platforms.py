"""Questions from and for learning platforms: Moodle XML, GIFT, Aiken."""

from __future__ import annotations

import base64
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from item_formats import ItemError, ItemRow, score
from item_formats.foreign import (
    ItemTable,
    read_aiken,
    read_gift,
    read_moodle,
    write_aiken,
    write_gift,
    write_moodle,
)
from item_formats.foreign.formulas import latex_to_mathml
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.foreign.reading_back import question_of
from item_formats.text import as_markup
from tests.item_formats.documents import multiple, single, true_false
from tests.item_formats.foreign.papers import choice, errors, png, row, warnings
from tests.item_formats.foreign.test_building import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def read(reader: Callable[[Path], ItemTable], folder: Path, text: str | bytes) -> ItemTable:
    path = folder / "questions.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return reader(path)


def only(table: ItemTable) -> Question:
    """The one question that was read, without its code."""
    assert errors(table) == []
    (made,) = table.rows
    return replace(question_of(made.item)[0], identifier="", title=None)


def asked(kind: Kind, stem: str, *choices: tuple[str, str] | tuple[str, str, str], **changes: object) -> Question:
    made = tuple(Choice(text, Decimal(share), *feedback) for text, share, *feedback in choices)
    return Question("", kind, stem, made, **changes)  # type: ignore[arg-type]


def words(*answers: tuple[str, str]) -> tuple[tuple[Answer, ...], ...]:
    return (tuple(Answer(text, Decimal(share)) for text, share in answers),)


GIFT = {
    "one right": ("2+2?{=4 ~5 ~3}", asked(Kind.SINGLE, "2+2?", ("4", "1"), ("5", "0"), ("3", "0"))),
    "name and comment": (
        "// 注释\n::标题:: 首都是？{\n=北京#对\n~上海#不对\n}",
        asked(Kind.SINGLE, "首都是？", ("北京", "1", "对"), ("上海", "0", "不对")),
    ),
    "part of the marks": (
        "选{=甲 ~%50%乙 ~丙}",
        asked(Kind.SINGLE, "选", ("甲", "1"), ("乙", "0.5"), ("丙", "0"), partial=True),
    ),
    "several": (
        "选{~%50%甲 ~%50%乙 ~%-100%丙}",
        asked(Kind.MULTIPLE, "选", ("甲", "0.5"), ("乙", "0.5"), ("丙", "-1"), partial=True),
    ),
    "true": ("地球是圆的。{T}", asked(Kind.TRUE_FALSE, "地球是圆的。", ("正确", "1"), ("错误", "0"))),
    "false": (
        "错的。{FALSE#错了#对了}",
        asked(Kind.TRUE_FALSE, "错的。", ("正确", "0", "错了"), ("错误", "1", "对了")),
    ),
    "words": ("首都？{=北京 =%50%京}", Question("", Kind.GAPS, "首都？", answers=words(("北京", "1"), ("京", "0.5")))),
    "missing word": (
        "首都是{=北京 ~上海}。",
        asked(Kind.SINGLE, "首都是 _____ 。", ("北京", "1"), ("上海", "0")),
    ),
    "number": (
        "π？{#3.14:0.01}",
        Question("", Kind.NUMBER, "π？", answers=((Answer("3.14", Decimal(1), Decimal("0.01")),),)),
    ),
    "range": ("几？{#1..5}", Question("", Kind.NUMBER, "几？", answers=((Answer("3", Decimal(1), Decimal(2)),),))),
    "numbers": (
        "几？{#=1822:0 =%50%1822:2}",
        Question("", Kind.NUMBER, "几？", answers=((Answer("1822"), Answer("1822", Decimal("0.5"), Decimal(2))),)),
    ),
    "matching": (
        "配{=甲 -> 一 =乙 -> 二 = -> 三}",
        Question("", Kind.MATCHING, "配", pairs=(("甲", "一"), ("乙", "二")), unmatched=("三",)),
    ),
    "essay": ("论述{}", Question("", Kind.ESSAY, "论述")),
    "escapes": (
        r"1 \= 1 \{\} \: \~ \# 换\n行{=A\=B ~C\#D}",
        asked(Kind.SINGLE, "1 = 1 {} : ~ # 换<br/>行", ("A=B", "1"), ("C#D", "0")),
    ),
    "html": (
        "[html]<b>甲</b>&amp;乙{=<i>1</i> ~2}",
        asked(Kind.SINGLE, "<b>甲</b>&amp;乙", ("<i>1</i>", "1"), ("2", "0")),
    ),
    "general feedback": ("问{=甲 ~乙####因为}", asked(Kind.SINGLE, "问", ("甲", "1"), ("乙", "0"), rationale="因为")),
}


@pytest.mark.parametrize("name", GIFT)
def test_gift_reads(tmp_path: Path, name: str) -> None:
    text, question = GIFT[name]
    assert only(read(read_gift, tmp_path, text)) == question


def test_gift_has_titles_codes_points_and_grades_in_their_places(tmp_path: Path) -> None:
    text = "$CATEGORY: $course$/甲\n\n// [id:Q7] [tag:知识点:A-1] [tag:难度:4]\n::题目一:: 问{T}\n"
    table = read(read_gift, tmp_path, text)
    (made,) = table.rows
    assert (made.identifier, made.item.title, made.point, made.grade, made.row) == ("Q7", "题目一", "A-1", 4, 3)
    assert warnings(table) == ["category"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("问{#abc}", "broken-question"),
        ("问{=有*号}", "broken-question"),
        ("问{~甲 ~乙}", "empty-key"),
        ("问{T}\n\n问{T}", "duplicate-identifier"),
        ("锟斤拷{T}", "mojibake"),
        (b"\xff\xfe", "encoding"),
        ("", "no-questions"),
    ],
)
def test_broken_gift_is_told(tmp_path: Path, text: str | bytes, code: str) -> None:
    assert code in {found for found, _, _ in errors(read(read_gift, tmp_path, text))}


def test_a_description_is_left_out_and_told(tmp_path: Path) -> None:
    table = read(read_gift, tmp_path, "只是说明。\n\n问{T}")
    assert (len(table.rows), warnings(table)) == (1, ["not-a-question"])


def multichoice(answers: str, *, more: str = "<single>true</single>") -> str:
    return f"""<quiz><question type="multichoice"><name><text>题</text></name>
      <questiontext format="html"><text><![CDATA[<p>下列<b>正确</b>的是</p>]]></text></questiontext>
      {more}<shuffleanswers>1</shuffleanswers>{answers}</question></quiz>"""


def answer(fraction: str, text: str, more: str = "") -> str:
    return f'<answer fraction="{fraction}" format="html"><text>{text}</text>{more}</answer>'


def quiz(kind: str, content: str, stem: str = "问") -> str:
    return (
        f'<quiz><question type="{kind}"><name><text>题</text></name><questiontext format="html"><text>{stem}</text>'
        f"</questiontext>{content}</question></quiz>"
    )


STEM = "下列<b>正确</b>的是"
MOODLE = {
    "one right": (
        multichoice(answer("100", "甲") + answer("0", "乙", "<feedback format='html'><text>错</text></feedback>")),
        asked(Kind.SINGLE, STEM, ("甲", "1"), ("乙", "0", "错")),
    ),
    "several": (
        multichoice(answer("50", "甲") + answer("50", "乙") + answer("-100", "丙"), more="<single>false</single>"),
        asked(Kind.MULTIPLE, STEM, ("甲", "0.5"), ("乙", "0.5"), ("丙", "-1"), partial=True),
    ),
    "all or nothing": (
        quiz("multichoiceset", answer("100", "甲") + answer("100", "乙") + answer("0", "丙")),
        asked(Kind.MULTIPLE, "问", ("甲", "1"), ("乙", "1"), ("丙", "0")),
    ),
    "true or false": (
        quiz("truefalse", answer("0", "true") + answer("100", "false")),
        asked(Kind.TRUE_FALSE, "问", ("正确", "0"), ("错误", "1")),
    ),
    "words": (
        quiz("shortanswer", "<usecase>1</usecase>" + answer("100", "北京") + answer("50", "京") + answer("0", "*")),
        Question("", Kind.GAPS, "问", answers=words(("北京", "1"), ("京", "0.5")), case_sensitive=True),
    ),
    "number": (
        quiz("numerical", answer("100", "3.14", "<tolerance>0.01</tolerance>")),
        Question("", Kind.NUMBER, "问", answers=((Answer("3.14", Decimal(1), Decimal("0.01")),),)),
    ),
    "essay": (
        quiz("essay", '<graderinfo format="html"><text>&lt;p&gt;要点&lt;/p&gt;</text></graderinfo>'),
        Question("", Kind.ESSAY, "问", model_answer="要点"),
    ),
    "matching": (
        quiz(
            "matching",
            "".join(
                f'<subquestion format="html"><text>{source}</text><answer><text>{target}</text></answer></subquestion>'
                for source, target in (("甲", "一"), ("乙", "二"), ("", "三"))
            ),
        ),
        Question("", Kind.MATCHING, "问", pairs=(("甲", "一"), ("乙", "二")), unmatched=("三",)),
    ),
    "formula": (
        quiz("essay", "", stem=r"求 \(x^2\) 与 $y$"),
        Question("", Kind.ESSAY, f"求 {latex_to_mathml('x^2')} 与 {latex_to_mathml('y')}"),
    ),
}


@pytest.mark.parametrize("name", MOODLE)
def test_moodle_reads(tmp_path: Path, name: str) -> None:
    text, question = MOODLE[name]
    assert only(read(read_moodle, tmp_path, text)) == question


@pytest.mark.parametrize(
    ("kind", "code"),
    [("cloze", "unsupported-type"), ("ddwtos", "unsupported-type"), ("calculated", "unsupported-type")],
)
def test_types_without_a_counterpart_are_told_with_the_line(tmp_path: Path, kind: str, code: str) -> None:
    assert errors(read(read_moodle, tmp_path, quiz(kind, ""))) == [(code, 1, None)]


def test_pictures_in_moodle_become_media(tmp_path: Path) -> None:
    file = f'<file name="a b.png" path="/" encoding="base64">{base64.b64encode(png()).decode()}</file>'
    text = quiz("essay", "").replace(
        "<text>问</text>", f'<text>&lt;img src="@@PLUGINFILE@@/a%20b.png" alt="图"&gt;问</text>{file}'
    )
    table = read(read_moodle, tmp_path, text)
    (name,) = table.media
    assert table.media[name] == png()
    assert only(table).stem == f'<img alt="图" src="../{name}"/>问'
    missing = read(read_moodle, tmp_path, quiz("essay", "", stem='&lt;img src="@@PLUGINFILE@@/x.png" alt="图"&gt;问'))
    assert "missing-picture" in warnings(missing)


def test_what_moodle_says_beyond_a_question_is_told(tmp_path: Path) -> None:
    extra = "<hint><text>想想</text></hint><correctfeedback><text>棒</text></correctfeedback>"
    extra += "<tags><tag><text>旧</text></tag></tags>"
    table = read(read_moodle, tmp_path, multichoice(answer("100", "甲") + answer("0", "乙"), more=extra))
    assert (len(table.rows), warnings(table)) == (1, ["simplified"] * 3)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<quiz><question", "not-xml"),
        ("<html/>", "not-moodle"),
        ('<!DOCTYPE quiz [<!ENTITY a "b">]><quiz>&a;</quiz>', "doctype"),
        ("<quiz>" + "<a>" * 100 + "</a>" * 100 + "</quiz>", "too-deep"),
        (multichoice(answer("x", "甲")), "broken-question"),
        (multichoice(answer("0", "甲") + answer("0", "乙")), "empty-key"),
        (quiz("shortanswer", answer("100", "北*")), "broken-question"),
        ("<quiz/>", "no-questions"),
    ],
)
def test_broken_moodle_is_told(tmp_path: Path, text: str, code: str) -> None:
    assert [found for found, _, _ in errors(read(read_moodle, tmp_path, text))] == [code]


AIKEN = "首都是？\nA. 上海\nB) 北京\nANSWER: B\n\n地球是圆的。\nA. True\nB. False\nANSWER: A\n"


def test_aiken_reads(tmp_path: Path) -> None:
    table = read(read_aiken, tmp_path, AIKEN)
    assert [(r.item.stem_text, r.item.key, r.row) for r in table.rows] == [
        ("首都是？", "B", 1),
        ("地球是圆的。", "√", 6),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("问\nA. 甲\nB. 乙\n", ("broken-question", 1, None)),
        ("问\nA. 甲\nB. 乙\nANSWER: C\n", ("key-not-an-option", 1, None)),
        ("问\nA. 甲\n杂\nANSWER: A", ("broken-question", 3, None)),
    ],
)
def test_broken_aiken_is_told(tmp_path: Path, text: str, found: tuple[str, int, None]) -> None:
    assert found in errors(read(read_aiken, tmp_path, text))


def again(
    write: Callable[[Path, Iterable[ItemRow]], object],
    reader: Callable[[Path], ItemTable],
    folder: Path,
    *rows: ItemRow,
) -> ItemTable:
    path = folder / "out"
    write(path, rows)
    return reader(path)


PICTURELESS = sorted(set(ALL) - {"picture", "gaps"})


@pytest.mark.parametrize("name", PICTURELESS)
def test_moodle_written_is_read_back_equal(tmp_path: Path, name: str) -> None:
    made = row(ALL[name], point="A-1", grade=3, marks=Decimal(2))
    table = again(write_moodle, read_moodle, tmp_path, made)
    assert table.findings == ()
    assert table.rows == (made,)


@pytest.mark.parametrize("name", sorted(set(PICTURELESS) - {"essay"}))
def test_gift_written_is_read_back_equal(tmp_path: Path, name: str) -> None:
    made = row(ALL[name], point="A-1", grade=3)
    table = again(write_gift, read_gift, tmp_path, made)
    assert table.findings == ()
    assert table.rows == (made,)


def test_bank_items_go_to_moodle_and_back(tmp_path: Path) -> None:
    rows = tuple(ItemRow(item.identifier, item) for item in (single(), multiple(), true_false()))
    found = write_moodle(tmp_path / "m.xml", rows)
    assert [(finding.code, finding.item) for finding in found] == [("needs-plugin", "Q2")]
    assert read_moodle(tmp_path / "m.xml").rows == rows


def test_without_the_plugin_a_wrong_option_takes_the_marks_away_as_all_or_nothing_would(tmp_path: Path) -> None:
    found = write_moodle(tmp_path / "m.xml", [ItemRow("Q2", multiple())], plugin=False)
    assert [finding.code for finding in found] == ["partial-credit"]
    (made,) = read_moodle(tmp_path / "m.xml").rows
    assert score(made.item, {"RESPONSE": ["A", "B", "D"]})["SCORE"] == pytest.approx(1, abs=1e-6)
    assert score(made.item, {"RESPONSE": ["A", "B", "D", "C"]})["SCORE"] == 0


def test_pictures_go_to_moodle_and_back(tmp_path: Path) -> None:
    name = "media/802769b7ac77d81a.png"
    pictured = row(choice(stem=f'如图<img alt="图" src="../{name}"/>（ ）。'))
    write_moodle(tmp_path / "m.xml", [pictured], media={name: png()})
    table = read_moodle(tmp_path / "m.xml")
    assert list(table.media.values()) == [png()]
    with pytest.raises(ItemError, match="was not given"):
        write_moodle(tmp_path / "n.xml", [pictured])


@pytest.mark.parametrize(
    ("write", "question"),
    [
        (write_gift, ALL["picture"]),
        (write_gift, ALL["gaps"]),
        (write_moodle, ALL["gaps"]),
        (write_aiken, ALL["shares"]),
        (write_aiken, ALL["essay"]),
        (write_aiken, ALL["picture"]),
    ],
)
def test_what_a_format_cannot_say_is_refused_and_nothing_is_written(
    tmp_path: Path, write: Callable[[Path, list[ItemRow]], object], question: Question
) -> None:
    with pytest.raises(ItemError) as raised:
        write(tmp_path / "out", [row(question)])
    assert raised.value.findings[0].code == "not-expressible"
    assert list(tmp_path.iterdir()) == []


# Without dollar signs: $0$ is a formula when it is read.
texts = st.text("数据，。（）ab0 =~#{}:\\\\n<&>\"'%-", min_size=1, max_size=20).map(str.strip).filter(bool)


@settings(max_examples=60)
@given(st.lists(texts, min_size=3, max_size=5, unique_by=lambda text: "".join(text.split())), st.data())
def test_any_text_survives_moodle_and_gift(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], data: st.DataObject
) -> None:
    stem, *options = written
    key = data.draw(st.integers(0, len(options) - 1))
    choices = tuple(Choice(as_markup(text), Decimal(place == key)) for place, text in enumerate(options))
    made = row(choice(stem=as_markup(f"问{stem}"), choices=choices, rationale=as_markup(stem)))
    folder = tmp_path_factory.mktemp("platform")
    for write, reader in ((write_moodle, read_moodle), (write_gift, read_gift)):
        table = again(write, reader, folder, made)
        assert [r.item for r in table.rows] == [made.item], reader.__name__


@pytest.mark.parametrize(
    "text", ["%0%", "%100%甲", "[html]<b>", "[plain]", "// 注释", "$CATEGORY: 甲", "::名::", "T", "\\n", "a->b"]
)
def test_texts_that_look_like_gift_survive_it(tmp_path: Path, text: str) -> None:
    choices = tuple(Choice(as_markup(option), Decimal(option == text)) for option in ("乙", text, "丙"))
    made = row(choice(stem=as_markup(text), choices=choices, rationale=as_markup(text)))
    assert again(write_gift, read_gift, tmp_path, made).rows == (made,)
    word = row(Question("Q2", Kind.GAPS, as_markup(text), answers=words((text.replace("->", ""), "1"))))
    assert again(write_gift, read_gift, tmp_path, word).rows == (word,)


def test_aiken_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    found = write_aiken(path, [ItemRow("Q1", single()), ItemRow("Q3", true_false(rationale=None))])
    assert [(finding.code, finding.item) for finding in found] == [("simplified", "Q1")]
    table = read_aiken(path)
    assert [(made.item.stem_text, made.item.key) for made in table.rows] == [
        (single().stem_text, "A"),
        (true_false().stem_text, "×"),
    ]
