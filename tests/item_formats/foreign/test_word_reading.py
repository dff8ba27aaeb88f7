"""Word question lists in the layouts teachers type them."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Cm
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats.foreign import read_word
from item_formats.foreign.formulas import latex_to_mathml, mathml_to_omml
from item_formats.foreign.question import Kind
from item_formats.foreign.reading_back import question_of
from item_formats.foreign.word.numbering import numeral
from item_formats.model import ItemType
from tests.item_formats.foreign.papers import OPTIONS, errors, png, told, warnings, word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from docx.document import Document
    from docx.text.paragraph import Paragraph

TEXTS = ["图像分类", "聚类", "降维", "关联规则挖掘"]
STEM = "下列属于有监督学习的是（ ）。"


@pytest.mark.parametrize(
    "number", ["1．", "1.", "1、", "1）", "（1）", "(1)", "第1题：", "第1题 ", "1 ．", "  1． "], ids=repr
)
def test_numbers_of_every_style_begin_a_question(tmp_path: Path, number: str) -> None:
    read = word(tmp_path, f"{number}{STEM}", *OPTIONS, "答案：A")
    assert told(read) == [(STEM, TEXTS, "A")]
    assert errors(read) == []


@pytest.mark.parametrize(
    "lines",
    [
        OPTIONS,
        ["A．图像分类 B．聚类 C．降维 D．关联规则挖掘"],
        ["A．图像分类\tB．聚类", "C．降维\tD．关联规则挖掘"],
        ["A.图像分类  B.聚类  C.降维  D.关联规则挖掘"],
        ["A、图像分类B、聚类C、降维D、关联规则挖掘"],
        ["（A）图像分类（B）聚类", "（C）降维（D）关联规则挖掘"],
        ["(A) 图像分类", "(B) 聚类", "(C) 降维", "(D) 关联规则挖掘"],
        ["A) 图像分类", "B) 聚类", "C) 降维", "D) 关联规则挖掘"],
        ["A：图像分类", "B：聚类", "C：降维", "D：关联规则挖掘"],
        ["A 图像分类   B 聚类   C 降维   D 关联规则挖掘"],
        ["A 图像分类   B 聚类", "C 降维   D 关联规则挖掘"],
        ["A．图像分类\nB．聚类\nC．降维\nD．关联规则挖掘"],
    ],
    ids=range(12),
)
def test_options_stand_on_lines_of_their_own_or_side_by_side(tmp_path: Path, lines: list[str]) -> None:
    read = word(tmp_path, f"1．{STEM}", *lines, "答案：A")
    assert told(read) == [(STEM, TEXTS, "A")]
    assert errors(read) == []


def test_options_may_follow_the_stem_on_its_line(tmp_path: Path) -> None:
    read = word(tmp_path, f"1．{STEM}A．图像分类 B．聚类 C．降维 D．关联规则挖掘", "答案：A")
    assert told(read) == [(STEM, TEXTS, "A")]


def test_a_whole_question_in_one_paragraph_with_line_breaks(tmp_path: Path) -> None:
    read = word(tmp_path, "\n".join([f"1．{STEM}", *OPTIONS, "答案：A", "解析：需要标签。"]))
    assert told(read) == [(STEM, TEXTS, "A")]
    assert read.rows[0].item.rationale == "需要标签。"


def test_options_in_a_table(tmp_path: Path) -> None:
    def table(document: Document) -> None:
        cells = document.add_table(2, 2)
        for place, text in enumerate(OPTIONS):
            cells.cell(place // 2, place % 2).text = text

    assert told(word(tmp_path, f"1．{STEM}", table, "答案：A")) == [(STEM, TEXTS, "A")]


@pytest.mark.parametrize(
    ("stem", "lines"),
    [
        ("下列属于有监督学习的是（A）。", ()),
        ("下列属于有监督学习的是（ A ）。", ()),
        ("下列属于有监督学习的是( A )。", ()),
        ("下列属于有监督学习的是（\u3000A\u3000）。", ()),
        (STEM, ("答案：A",)),
        (STEM, ("答案:A",)),
        (STEM, ("【答案】A",)),
        (STEM, ("［答案］A",)),
        (STEM, ("正确答案：A。",)),
        (STEM, ("参考答案：A",)),
        (STEM, ("标准答案： A",)),
        (STEM, ("答案 A",)),
        (STEM, ("答案是A。",)),
        ("下列属于有监督学习的是（A）。", ("答案：A",)),
        (STEM, ("参考答案", "1．A")),
        (STEM, ("参考答案及解析", "1. A")),
        (STEM, ("附：参考答案", "1、A")),
    ],
)
def test_answers_stand_in_the_blank_on_a_line_or_at_the_end(tmp_path: Path, stem: str, lines: tuple[str, ...]) -> None:
    read = word(tmp_path, f"1．{stem}", *OPTIONS, *lines)
    assert told(read) == [(STEM, TEXTS, "A")]
    assert errors(read) == []


def test_a_blank_that_was_typed_wide_stays_wide(tmp_path: Path) -> None:
    (stem, _, _) = told(word(tmp_path, "1．有监督学习是（\u3000\u3000）。", *OPTIONS, "答案：A"))[0]
    assert stem == "有监督学习是（\u3000\u3000）。"


def test_an_abbreviation_in_brackets_is_no_answer(tmp_path: Path) -> None:
    (stem, _, key) = told(word(tmp_path, "1．增强现实（AR）属于（ ）。", *OPTIONS, "答案：C"))[0]
    assert (stem, key) == ("增强现实（AR）属于（ ）。", "C")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("√", "√"),
        ("×", "×"),
        ("对", "√"),
        ("错", "×"),
        ("正确", "√"),
        ("错误", "×"),
        ("T", "√"),
        ("F", "×"),
        ("✓", "√"),
    ],
)
def test_judgements_are_answered_in_many_ways(tmp_path: Path, written: str, key: str) -> None:
    for lines in ([f"1．地球是圆的。（{written}）"], ["1．地球是圆的。（ ）", f"答案：{written}"]):
        read = word(tmp_path, "一、判断题", *lines)
        assert told(read) == [("地球是圆的。", ["正确", "错误"], key)]
        assert errors(read) == []


def test_the_mark_of_a_judgement_may_stand_before_its_number(tmp_path: Path) -> None:
    read = word(tmp_path, "一、判断题", "（√）1．地球是圆的。", "（×）2．太阳绕着地球转。")
    assert told(read) == [("地球是圆的。", ["正确", "错误"], "√"), ("太阳绕着地球转。", ["正确", "错误"], "×")]


@pytest.mark.parametrize("written", ["ABD", "A、B、D", "A,B,D", "A B D", "A，B，D"])
def test_several_letters_are_read_with_any_separator(tmp_path: Path, written: str) -> None:
    read = word(tmp_path, "一、多项选择题", f"1．{STEM}", *OPTIONS, f"答案：{written}")
    assert [(row.item.key, row.item.item_type) for row in read.rows] == [("ABD", ItemType.MULTIPLE)]


def test_headings_give_type_and_marks(tmp_path: Path) -> None:
    read = word(
        tmp_path,
        "人工智能训练师（三级）理论知识试卷",
        "一、判断题（共2题，每题0.5分，共1分）",
        "1．地球是圆的。（√）",
        "2．一加一等于三。（×）",
        "二、单项选择题（第3题～第4题）",
        "（第3题～第4题。选择一个正确的答案，每题1分，满分2分。）",
        f"3．{STEM}",
        *OPTIONS,
        "答案：A",
        "（三）多选题（每小题2分）",
        f"1．{STEM}不选",
        *OPTIONS,
        "答案：AB",
    )
    assert errors(read) == []
    assert [(row.item.item_type, row.marks) for row in read.rows] == [
        (ItemType.TRUE_FALSE, Decimal("0.5")),
        (ItemType.TRUE_FALSE, Decimal("0.5")),
        (ItemType.SINGLE, Decimal(1)),
        (ItemType.MULTIPLE, Decimal(2)),
    ]


def test_type_and_marks_may_stand_in_the_question(tmp_path: Path) -> None:
    read = word(
        tmp_path, f"1．【多选题】（2分）{STEM}", *OPTIONS, "答案：AB", f"2．{STEM}别的（3分）", *OPTIONS, "答案：C"
    )
    assert [(row.item.item_type, row.marks) for row in read.rows] == [
        (ItemType.MULTIPLE, Decimal(2)),
        (ItemType.SINGLE, Decimal(3)),
    ]
    assert read.rows[1].item.stem_text == f"{STEM}别的"


def test_lines_after_a_question_say_what_the_bank_keeps(tmp_path: Path) -> None:
    read = word(
        tmp_path,
        f"1．{STEM}",
        *OPTIONS,
        "【答案】A【解析】需要标签。",
        "聚类不需要。",
        "难度：较易  知识点：A-A-A-001",
        "编号：Q0007",
        "出处：教材第3章",
        "一致性：5  互斥：Q0008;Q0009  分数：1.5",
    )
    assert errors(read) == []
    (row,) = read.rows
    assert row.item.rationale == "需要标签。\n聚类不需要。"
    assert (row.identifier, row.point, row.grade, row.marks, row.congruence, row.source, row.enemies, row.row) == (
        "Q0007",
        "A-A-A-001",
        2,
        Decimal("1.5"),
        5,
        "教材第3章",
        ("Q0008", "Q0009"),
        1,
    )


def two(stem: str = "第{}问是（ ）。") -> list[str]:
    return [line for number in (1, 2) for line in (f"{number}．{stem.format(number)}", *OPTIONS)]


@pytest.mark.parametrize(
    "lines",
    [
        ["1．A  2．C"],
        ["1-2 AC"],
        ["1～2：AC"],
        ["1—2．A C"],
        ["1.A 解析：因为。", "2.C"],
        ["1．答案：A", "2．【答案】C"],
        ["1、A；2、C。"],
    ],
)
def test_answers_at_the_end_are_given_to_their_questions(tmp_path: Path, lines: list[str]) -> None:
    read = word(tmp_path, *two(), "参考答案", *lines)
    assert errors(read) == []
    assert [row.item.key for row in read.rows] == ["A", "C"]


def test_answers_at_the_end_go_by_section(tmp_path: Path) -> None:
    read = word(
        tmp_path,
        "一、判断题",
        "1．天是蓝的。",
        "2．地是红的。",
        "二、单选题",
        *two(),
        "三、多选题",
        *two("第{}个多选题是（ ）。"),
        "参考答案",
        "一、判断题",
        "1．√ 2．×",
        "二、单选题",
        "1-2 AC",
        "三、多选题",
        "1-2 AB ACD",
    )
    assert errors(read) == []
    assert [row.item.key for row in read.rows] == ["√", "×", "A", "C", "AB", "ACD"]


@pytest.mark.parametrize("upright", [False, True])
def test_an_answer_table_at_the_end(tmp_path: Path, upright: bool) -> None:
    cells = [["题号", "1", "2"], ["答案", "A", "C"]]
    if upright:
        cells = [["题号", "答案", "解析"], ["1", "A", "因为甲"], ["2", "C", ""]]

    def table(document: Document) -> None:
        made = document.add_table(len(cells), len(cells[0]))
        for number, line in enumerate(cells):
            for place, text in enumerate(line):
                made.cell(number, place).text = text

    read = word(tmp_path, *two(), "参考答案", table)
    assert [row.item.key for row in read.rows] == ["A", "C"]
    assert read.rows[0].item.rationale == ("因为甲" if upright else None)


def test_answers_that_cannot_be_placed_are_told(tmp_path: Path) -> None:
    read = word(tmp_path, "一、单选题", *two(), "二、多选题", *two("第{}个多选题是（ ）。"), "参考答案", "1．A")
    assert ("unclear-answers", 24, "答案") in errors(read)
    assert read.rows == ()
    short = word(tmp_path, *two(), "参考答案", "1-2 A")
    assert ("unclear-answers", 12, None) in errors(short)


def test_numbered_statements_inside_a_question_do_not_begin_another(tmp_path: Path) -> None:
    read = word(
        tmp_path,
        "1．下列说法：",
        "（1）甲",
        "（2）乙",
        "1.子项一",
        "正确的是（ ）。",
        *OPTIONS,
        "答案：A",
        f"2．{STEM}",
        *OPTIONS,
        "答案：B",
    )
    assert errors(read) == []
    assert [row.item.stem_text for row in read.rows] == [
        "下列说法：\n（1）甲\n（2）乙\n1.子项一\n正确的是（ ）。",
        STEM,
    ]


def test_a_decimal_number_is_no_question_number(tmp_path: Path) -> None:
    read = word(tmp_path, "1．圆周率约为（ ）。", "3.14 是近似值", *OPTIONS, "答案：A")
    assert read.rows[0].item.stem_text == "圆周率约为（ ）。\n3.14 是近似值"


def test_a_missing_number_is_told(tmp_path: Path) -> None:
    read = word(tmp_path, f"1．{STEM}", *OPTIONS, "答案：A", f"3．{STEM}再", *OPTIONS, "答案：B")
    assert (len(read.rows), warnings(read)) == (2, ["number-gap"])


def numbered(text: str) -> Callable[[Document], None]:
    return lambda document: document.add_paragraph(text, style="List Number") and None


def test_automatic_numbers_of_questions_are_resolved(tmp_path: Path) -> None:
    read = word(tmp_path, numbered(STEM), *OPTIONS, "答案：A", numbered("另一问是（ ）。"), *OPTIONS, "答案：B")
    assert [row.item.key for row in read.rows] == ["A", "B"]


def test_automatic_letters_of_options_and_chinese_sections_are_resolved(tmp_path: Path) -> None:
    def list_of(document: Document) -> None:
        numbering = document.part.numbering_part.element
        levels = (("chineseCounting", "%1、"), ("decimal", "%2．"), ("upperLetter", "%3．"))
        written = "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{fmt}"/><w:lvlText w:val="{text}"/></w:lvl>'
            for level, (fmt, text) in enumerate(levels)
        )
        abstract = f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">{written}</w:abstractNum>'
        numbering.insert(0, parse_xml(abstract))
        numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))
        for level, text in (
            (0, "判断题"),
            (1, "地球是圆的。（√）"),
            (0, "单项选择题"),
            *(
                (level, text)
                for stem in (STEM, "另一问是（ ）。")
                for level, text in [(1, stem), *((2, o) for o in TEXTS)]
            ),
        ):
            properties = document.add_paragraph(text)._p.get_or_add_pPr()
            inner = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="90"/></w:numPr>'
            properties.append(parse_xml(inner))

    read = word(tmp_path, list_of, "参考答案", "二、单选题", "1-2 CD")
    assert told(read) == [("地球是圆的。", ["正确", "错误"], "√"), (STEM, TEXTS, "C"), ("另一问是（ ）。", TEXTS, "D")]


@pytest.mark.parametrize(
    ("fmt", "count", "written"),
    [
        ("decimal", 12, "12"),
        ("decimalZero", 3, "03"),
        ("upperLetter", 28, "BB"),
        ("lowerLetter", 2, "b"),
        ("upperRoman", 14, "XIV"),
        ("lowerRoman", 9, "ix"),
        ("chineseCounting", 10, "十"),
        ("chineseCountingThousand", 21, "二十一"),
        ("japaneseCounting", 105, "一百〇五"),
        ("chineseLegalSimplified", 12, "壹拾贰".removeprefix("壹")),
        ("decimalFullWidth", 12, "１２"),
        ("decimalEnclosedCircle", 3, "③"),
        ("ideographTraditional", 2, "乙"),
        ("ideographDigital", 10, "一〇"),
        ("none", 5, ""),
        ("hebrew1", 5, "5"),
    ],
)
def test_numbering_formats_of_word(fmt: str, count: int, written: str) -> None:
    assert numeral(count, fmt) == written


def test_formulas_pictures_tables_and_raised_figures_stay_in_place(tmp_path: Path) -> None:
    def question(document: Document) -> None:
        paragraph = document.add_paragraph("1．当")
        paragraph._p.append(mathml_to_omml(etree.fromstring(latex_to_mathml(r"\frac{a}{b}"))))
        paragraph.add_run("时，H")
        paragraph.add_run("2").font.subscript = True
        paragraph.add_run("O 如图")
        drawn = paragraph.add_run().add_picture(io.BytesIO(png()), width=Cm(2))
        drawn._inline.docPr.set("descr", "红色方块")
        paragraph.add_run("所示（ ）。")
        table = document.add_table(1, 2)
        table.cell(0, 0).text, table.cell(0, 1).text = "左", "右"

    read = word(tmp_path, question, *OPTIONS, "答案：A")
    assert errors(read) == []
    assert warnings(read) == []
    (name,) = read.media
    assert read.media[name] == png()
    stem = question_of(read.rows[0].item)[0].stem
    assert stem == (
        '<p>当<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>时，'
        "H<sub>2</sub>O "
        f'如图<img alt="红色方块" height="38" src="../{name}" width="76"/>所示（ ）。</p>'
        "<table><tbody><tr><td>左</td><td>右</td></tr></tbody></table>"
    )


def test_merged_cells_keep_their_spans(tmp_path: Path) -> None:
    def table(document: Document) -> None:
        made = document.add_table(2, 3)
        made.cell(0, 0).merge(made.cell(1, 0)).text = "高"
        made.cell(0, 1).merge(made.cell(0, 2)).text = "宽"
        made.cell(1, 1).text, made.cell(1, 2).text = "甲", "乙"

    (row,) = word(tmp_path, "1．见表", table, "选（ ）。", *OPTIONS, "答案：A").rows
    stem = question_of(row.item)[0].stem
    assert '<tr><td rowspan="2">高</td><td colspan="2">宽</td></tr><tr><td>甲</td><td>乙</td></tr>' in stem


def test_emphasis_stays_but_a_stem_bold_throughout_is_only_looks(tmp_path: Path) -> None:
    def bold(document: Document) -> None:
        for number, words in (
            (1, [("有监督", False), ("不是", True), ("（ ）。", False)]),
            (2, [("全部粗体（ ）。", True)]),
        ):
            paragraph = document.add_paragraph(f"{number}．")
            for text, strong in words:
                paragraph.add_run(text).bold = strong
            for option in OPTIONS:
                document.add_paragraph(option)

    read = word(tmp_path, bold, "参考答案", "1-2 AB")
    assert [question_of(row.item)[0].stem for row in read.rows] == [
        "有监督<strong>不是</strong>（ ）。",
        "全部粗体（ ）。",
    ]


def underlined(paragraph: Paragraph, text: str) -> None:
    paragraph.add_run(text).underline = True


def test_an_underlined_blank_is_the_blank_of_a_choice_and_the_gap_of_a_completion(tmp_path: Path) -> None:
    def stem(document: Document) -> None:
        paragraph = document.add_paragraph("1．有监督学习是")
        underlined(paragraph, "      ")
        paragraph.add_run("。")

    assert told(word(tmp_path, stem, *OPTIONS, "答案：A"))[0][0] == "有监督学习是（ ）。"
    (row,) = word(tmp_path, "一、填空题", stem, "答案：图像分类").rows
    question = question_of(row.item)[0]
    assert (question.kind, question.answers[0][0].text) == (Kind.GAPS, "图像分类")
    assert question.stem.startswith("有监督学习是<qti-text-entry")


def test_completions_and_essays(tmp_path: Path) -> None:
    read = word(
        tmp_path,
        "一、填空题（每空1分）",
        "1．首都是____，最大的城市是____。",
        "答案：北京；上海",
        "二、简答题",
        "1．什么是过拟合？",
        "答案：训练集上好，",
        "测试集上差。",
        "解析：见教材。",
    )
    assert errors(read) == []
    gaps, essay = (question_of(row.item)[0] for row in read.rows)
    assert [answers[0].text for answers in gaps.answers] == ["北京", "上海"]
    assert (essay.kind, essay.model_answer, essay.rationale) == (
        Kind.ESSAY,
        "训练集上好，<br/>测试集上差。",
        "见教材。",
    )


def test_full_width_punctuation_and_letters_in_text_are_untouched(tmp_path: Path) -> None:
    stem = "“ＡＩ”——人工智能，属于（ ）；①②！"
    assert told(word(tmp_path, f"1．{stem}", *OPTIONS, "答案：A"))[0][0] == stem


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([f"1．{STEM}", *OPTIONS, "答案：Ａ"], ("full-width", 6, "答案")),
        (["1．有监督学习是（Ａ）。", *OPTIONS], ("full-width", 1, "答案")),
        ([f"1．{STEM}", *OPTIONS, "答案：E"], ("key-not-an-option", 6, "答案")),
        ([f"1．{STEM}", *OPTIONS, "答案：随便"], ("bad-key", 6, "答案")),
        ([f"1．{STEM}", *OPTIONS], ("empty-key", 1, "答案")),
        (["1．有监督学习是（B）。", *OPTIONS, "答案：A"], ("answers-differ", 6, "答案")),
        (["一、选择题", f"1．{STEM}", "a. 甲", "b. 乙"], ("no-options", 2, "选项A")),
        ([f"1．{STEM}", "没有选项"], ("no-answer", 1, "答案")),
        (["一、单选题", f"1．{STEM}", "没有选项", "答案：A"], ("option-count", 2, "选项A")),
        ([f"1．{STEM}", *OPTIONS, "答案：A", "难度：9"], ("bad-grade", 7, "难度")),
        ([f"1．{STEM}", *OPTIONS, "答案：A", "编号：１号"], ("full-width", 7, "编号")),
        ([f"1．{STEM}", "A．甲", "B．甲", "C．乙", "D．丙", "答案：A"], ("repeated-option", 1, "选项B")),
        (["一、单选题", f"1．{STEM}", *OPTIONS, "答案：AB"], ("too-many-keys", 7, "答案")),
        ([f"1．{STEM}", *OPTIONS, "答案：A", f"2．{STEM}", *OPTIONS, "答案：A"], ("duplicate-stem", 7, "题干")),
    ],
)
def test_faults_name_the_paragraph_and_leave_the_question_out(
    tmp_path: Path, lines: list[str], found: tuple[str, int, str]
) -> None:
    read = word(tmp_path, *lines)
    assert found in errors(read)
    assert len(read.rows) == (1 if found[0] == "duplicate-stem" else 0)


def test_full_width_labels_are_warnings_for_they_are_not_kept(tmp_path: Path) -> None:
    read = word(tmp_path, f"１．{STEM}", "Ａ．图像分类", *OPTIONS[1:], "答案：A")
    assert told(read) == [(STEM, TEXTS, "A")]
    assert warnings(read) == ["full-width", "full-width"]


def test_the_same_list_read_again_gives_the_same_codes(tmp_path: Path) -> None:
    lines = [f"1．{STEM}", *OPTIONS, "答案：A"]
    first, again = word(tmp_path, *lines), word(tmp_path, "前言", *lines)
    assert [row.item for row in first.rows] == [row.item for row in again.rows]


def test_latex_typed_in_word_becomes_mathml(tmp_path: Path) -> None:
    (row,) = word(tmp_path, "1．若$x^2=4$，则 x 为（ ）。", *OPTIONS, "答案：A").rows
    assert b"<msup>" in row.item.xml


def test_hidden_text_notes_and_unreadable_signs_are_told(tmp_path: Path) -> None:
    def hidden(document: Document) -> None:
        document.add_paragraph(f"1．{STEM}").add_run("（答案是A）").font.hidden = True

    assert warnings(word(tmp_path, hidden, *OPTIONS, "答案：A")) == ["hidden-text"]

    def sign(document: Document) -> None:
        run = document.add_paragraph("1．地球是圆的。").add_run()
        run._r.append(parse_xml(f'<w:sym {nsdecls("w")} w:font="Wingdings" w:char="F0FC"/>'))
        other = document.add_paragraph("2．标记是").add_run()
        other._r.append(parse_xml(f'<w:sym {nsdecls("w")} w:font="Webdings" w:char="F041"/>'))

    assert ("symbol-font", 2, None) in errors(word(tmp_path, sign))


def test_a_picture_browsers_cannot_show_leaves_its_question_out(tmp_path: Path) -> None:
    def drawn(document: Document) -> None:
        document.add_paragraph(f"1．{STEM}").add_run().add_picture(io.BytesIO(png()))

    word(tmp_path, drawn, *OPTIONS, "答案：A", "2．另一问是（ ）。", *OPTIONS, "答案：B")
    path = tmp_path / "questions.docx"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("image1.png", "image1.wmf"), content.replace(b"image1.png", b"image1.wmf"))
    read = read_word(path)
    assert ("picture-format", 1, None) in errors(read)
    assert [row.item.key for row in read.rows] == ["B"]


def test_mojibake_refuses_the_document(tmp_path: Path) -> None:
    read = word(tmp_path, f"1．{STEM}", *OPTIONS, "答案：A", "2．锟斤拷（ ）", *OPTIONS, "答案：A")
    assert read.rows == ()
    assert {code for code, _, _ in errors(read)} == {"mojibake"}


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


BODY = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{}</w:body></w:document>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "damaged-zip"),
        (b"PK\x03\x04 cut", "damaged-zip"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "not-a-docx"),
        (archive(**{"a.txt": b"x"}), "not-a-docx"),
        (archive(**{"word/document.xml": b"<w:document"}), "not-xml"),
        (archive(**{"word/document.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}), "doctype"),
        (archive(**{"word/document.xml": b"<a>" * 5000 + b"</a>" * 5000}), "not-xml"),
        (archive(**{"word/document.xml": b" " * 20_000_000}), "zip-bomb"),
        (archive(**{"word/document.xml": BODY.format("").encode()}), "no-questions"),
    ],
)
def test_broken_and_hostile_files_give_findings(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.docx"
    path.write_bytes(content)
    read = read_word(path)
    assert (read.rows, [found for found, _, _ in errors(read)]) == ((), [code])


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "一、单选题（每题1分）",
                "参考答案",
                "1．甲（ ）",
                "2．乙",
                "A．一 B．二",
                "答案：A",
                "1-3 ABC",
                "【解析】",
                "（1）",
                "二、",
                "C．",
                "难度：",
            ]
        ),
        st.text("ABＡ（）()12．.、:：√一题答案 \t", max_size=12),
    ),
    max_size=12,
)


@given(LINES)
def test_whatever_is_typed_gives_questions_or_findings(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    read = word(tmp_path_factory.mktemp("any"), *lines)
    assert read.rows or read.findings


@given(st.integers(0, 4000), st.binary(max_size=4))
def test_a_damaged_document_gives_findings_and_never_an_exception(
    tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    document = docx.Document()
    document.add_paragraph("1．地球是圆的。（√）")
    path = folder / "x.docx"
    document.save(str(path))
    content = path.read_bytes()
    place = place * len(content) // 4000
    path.write_bytes(content[:place] + damage + content[place + len(damage) :])
    read = read_word(path)
    assert read.rows or errors(read)
