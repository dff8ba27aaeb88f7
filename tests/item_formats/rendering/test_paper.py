"""The printed paper and the examiner's copy."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from item_formats import ItemType, PaperItem, PaperSection, PaperSheet, for_candidate, paper_sections, render_paper
from item_formats.rendering.paper import option_columns
from tests.item_formats.documents import multiple, single, true_false
from tests.item_formats.rendering.pages import parse_html, text_of, with_class
from tests.item_formats.rendering.samples import MEDIA, sample

if TYPE_CHECKING:
    from item_formats import Item

TRUE_FALSES = [true_false(identifier=f"T{n}", stem=f"第{n}句话是对的。", key="√×"[n % 2]) for n in range(3)]
SINGLES = [
    single(identifier=f"S{n}", stem=f"第{n}个问题的答案是（ ）。", key="ABCD"[n % 4], rationale=f"解释{n}")
    for n in range(22)
]
MULTIPLES = [multiple(identifier=f"M{n}", stem=f"第{n}个多选题（ ）。", key="ABE") for n in range(2)]
PAPER = PaperSheet(
    title="人工智能训练师（三级）理论知识试卷",
    code="A",
    minutes=90,
    series="职业技能等级认定统一试卷",
    secrecy="机密★启用前",
    sections=paper_sections(
        [
            (ItemType.TRUE_FALSE, [(item, 0.5) for item in TRUE_FALSES]),
            (ItemType.SINGLE, [(item, 0.5) for item in SINGLES]),
            (ItemType.MULTIPLE, [(item, 1) for item in MULTIPLES]),
        ]
    ),
)


def test_the_head_carries_title_code_time_marks_and_secrecy() -> None:
    page = parse_html(render_paper(PAPER))
    (head,) = with_class(page, "masthead")
    text = text_of(head)
    for printed in ("人工智能训练师（三级）理论知识试卷", "（A卷）", "90分钟", "满分：14.5分", "机密★启用前"):
        assert printed in text
    assert [text_of(title) for title in page.iter("h1")] == [PAPER.title]


def test_the_first_page_has_room_for_name_number_and_unit_and_a_score_table() -> None:
    page = parse_html(render_paper(PAPER))
    (seal,) = with_class(page, "seal")
    assert [text_of(field) for field in with_class(seal, "fields")[0]] == ["单位：", "姓名：", "准考证号："]
    (scores,) = with_class(page, "scores")
    assert [text_of(cell) for cell in scores.iter("th")] == ["题　号", "一", "二", "三", "总　分", "得　分", "评分人"]
    assert len(list(scores.iter("td"))) == 8


def test_items_are_numbered_through_all_sections_in_their_order() -> None:
    page = parse_html(render_paper(PAPER))
    assert [text_of(number) for number in with_class(page, "number")] == [f"{n}." for n in range(1, 28)]
    lists = with_class(page, "items")
    assert [one.get("start") for one in lists] == ["1", "4", "26"]
    stems = [text_of(stem) for stem in with_class(page, "stem")]
    assert "第0句话是对的。" in stems[0]
    assert "第0个问题的答案是" in stems[3]
    assert "第1个多选题" in stems[26]


def test_true_false_items_are_answered_before_their_number_and_choices_in_their_blank() -> None:
    page = parse_html(render_paper(PAPER))
    stems = with_class(page, "stem")
    assert text_of(stems[0]).startswith("（\u3000\u3000\u3000）1.")
    assert "答案是（\u3000\u3000\u3000）。" in text_of(stems[3])


def test_options_are_lettered_and_true_false_items_have_none() -> None:
    page = parse_html(render_paper(PAPER))
    options = with_class(page, "options")
    assert len(options) == len(SINGLES) + len(MULTIPLES)
    assert [text_of(label) for label in with_class(options[-1], "label")] == ["A.", "B.", "C.", "D.", "E."]


def test_the_candidates_paper_does_not_depend_on_the_key() -> None:
    def paper(items: list[Item]) -> PaperSheet:
        return PaperSheet(
            title="卷", code="A", minutes=9, sections=paper_sections([(ItemType.SINGLE, [(item, 1) for item in items])])
        )

    pages = {render_paper(paper([single(key=key, rationale=f"选{key}")])) for key in "ABCD"}
    assert len(pages) == 1
    assert render_paper(paper([for_candidate(single())])) in pages


def test_the_examiners_copy_has_a_key_table_by_section() -> None:
    page = parse_html(render_paper(PAPER, answer_key=True))
    tables = with_class(page, "keys")
    assert [text_of(next(table.iter("caption"))) for table in tables] == [
        "一、判断题",
        "二、单项选择题",
        "三、多项选择题",
    ]
    keys = {}
    for table in tables:
        for group in table.iter("tbody"):
            numbers, answers = group.findall("tr")
            printed = zip(numbers.findall("th")[1:], answers.findall("td"), strict=False)
            keys |= {int(text_of(number)): text_of(answer) for number, answer in printed}
    expected = [item.key for item in (*TRUE_FALSES, *SINGLES, *MULTIPLES)]
    assert keys == dict(enumerate(expected, start=1))


def test_the_examiners_copy_marks_the_key_in_place_and_gives_the_rationale() -> None:
    page = parse_html(render_paper(PAPER, answer_key=True))
    assert "参考答案" in text_of(with_class(page, "masthead")[0])
    right = [[text_of(label) for label in with_class(one, "label")] for one in with_class(page, "right")]
    assert [label for (label,) in right[:4]] == ["A.", "B.", "C.", "D."]
    explanations = [text_of(one) for one in with_class(page, "explanation")]
    assert len(explanations) == 27
    assert explanations[3] == "答案：A　解析：解释0"
    assert "（ √ ）" in text_of(with_class(page, "stem")[0])


def test_unequal_marks_stand_behind_each_item() -> None:
    sections = paper_sections([(ItemType.SINGLE, [(single(), 1), (single(identifier="Q9"), 2.5)])])
    page = parse_html(render_paper(PaperSheet(title="卷", code="", minutes=9, sections=sections)))
    assert [text_of(stem).rpartition("。")[2] for stem in with_class(page, "stem")] == ["（1分）", "（2.5分）"]
    assert "卷）" not in text_of(with_class(page, "masthead")[0])


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        (["是", "否", "不定", "以上"], 4),
        (["准确率", "召回率", "F1 值", "八个汉字八个汉字"], 4),
        (["准确率", "召回率", "F1 值", "十二个汉字十二个汉字十二"], 2),
        (["甲", "乙", "丙", "一" * 25], 1),
        (["abcdefgh", "b", "c", "0123456789abcde"], 4),
        (["甲", "乙", "丙", "丁", "戊"], 5),
        (["甲", "乙", "丙", "丁", "十个汉字十个汉字十个"], 3),
        (["对", "一" * 25], 1),
    ],
)
def test_options_stand_side_by_side_as_far_as_the_longest_allows(options: list[str], columns: int) -> None:
    assert option_columns(multiple(options=options, key="AB")) == columns


def test_texts_of_the_paper_are_escaped_everywhere() -> None:
    hostile = '<script>"</style>\\'
    paper = PaperSheet(
        title=hostile,
        code=hostile,
        minutes=9,
        series=hostile,
        secrecy=hostile,
        notes=(hostile,),
        sections=paper_sections([(ItemType.SINGLE, [(single(rationale=hostile, stem=hostile), 1)])]),
    )
    for answer_key in (False, True):
        html = render_paper(paper, answer_key=answer_key)
        assert "<script" not in html
        assert html.count("</style>") == 1
        parse_html(html)


def test_pages_are_laid_out_for_a4_without_breaking_items() -> None:
    html = render_paper(PAPER)
    assert "size: A4" in html
    assert "break-inside: avoid" in html
    assert 'counter(page) " 页' in html
    for outside in ("http:", "https:", "url(", "@import", "<script", "<link"):
        assert outside not in html


def test_the_same_paper_gives_the_same_page() -> None:
    assert render_paper(PAPER) == render_paper(PAPER)


def test_items_of_other_kinds_stand_in_their_printed_form_with_their_pictures() -> None:
    items = tuple(PaperItem(sample(name), Decimal(2)) for name in ("text_entry", "match", "hotspot"))
    sheet = PaperSheet(title="卷", code="", minutes=9, sections=(PaperSection("一、其他", "", items),))
    html = render_paper(sheet, media=MEDIA)
    page = parse_html(html)
    assert not [one for one in page.iter() if one.tag in {"input", "select", "textarea"}]
    assert [text_of(one)[:3] for one in with_class(page, "other")] == ["1.1", "2.把", "3.点"]
    assert html.count("data:image/png;base64,") == 1
    assert "精确率（A）" not in text_of(page)
    key = parse_html(render_paper(sheet, answer_key=True, media=MEDIA))
    assert "精确率（A）" in text_of(key)
    assert [text_of(next(one.iter("dd"))) for one in with_class(key, "explanation")] == [
        "0.85",
        "精确率—TP+FP；召回率—TP+FN",
        "B",
    ]
    assert not with_class(key, "keys")
