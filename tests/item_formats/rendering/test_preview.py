"""Items on the screen."""

from __future__ import annotations

import pytest

from item_formats import Item, ItemError, for_candidate, read_item, render_item, render_items, score
from item_formats.rendering import clone_findings
from tests.item_formats.documents import capitals, correct, multiple, single, true_false
from tests.item_formats.fixtures import fixture
from tests.item_formats.rendering.pages import parse_html, text_of, with_class


def test_the_stem_names_the_group_of_controls() -> None:
    page = parse_html(render_item(single()))
    (group,) = page.iter("fieldset")
    (stem,) = [element for element in page.iter() if element.get("id") == group.get("aria-labelledby")]
    assert text_of(stem).startswith("下列属于有监督学习任务的是")


@pytest.mark.parametrize(
    ("item", "kind", "texts"),
    [
        (single(), "radio", ["A 图像分类", "B 聚类", "C 降维", "D 关联规则挖掘"]),
        (multiple(), "checkbox", ["A 处理缺失值", "B 去除重复记录", "C 增加网络层数", "D 修正格式错误", "E 更换显卡"]),
        (true_false(), "radio", ["√ 正确", "× 错误"]),
    ],
)
def test_every_option_is_a_labelled_control(item: Item, kind: str, texts: list[str]) -> None:
    page = parse_html(render_item(item))
    assert [text_of(label) for label in page.iter("label")] == texts
    controls = list(page.iter("input"))
    assert {control.get("type") for control in controls} == {kind}
    assert len({control.get("name") for control in controls}) == 1
    assert all("checked" not in control.attrib for control in controls)


def test_the_preview_does_not_depend_on_the_key() -> None:
    assert len({render_item(single(key=key, rationale=f"选{key}")) for key in "ABCD"}) == 1
    assert render_item(single()) == render_item(for_candidate(single()))


def test_with_the_key_the_right_options_say_so_in_words() -> None:
    page = parse_html(render_item(multiple(), answer_key=True))
    assert [text_of(one) for one in with_class(page, "right")] == [
        "A 处理缺失值✓ 正确答案",
        "B 去除重复记录✓ 正确答案",
        "D 修正格式错误✓ 正确答案",
    ]
    (explanation,) = with_class(page, "explanation")
    assert [text_of(part) for part in explanation] == ["答案", "ABD", "解析", "网络层数和显卡与数据无关。"]
    assert all("disabled" in control.attrib for control in page.iter("input"))


def test_several_items_share_a_page_and_no_control() -> None:
    page = parse_html(render_items([single(), true_false()]))
    assert [text_of(one) for one in with_class(page, "type")] == ["单选", "判断"]
    assert len({control.get("name") for control in page.iter("input")}) == 2
    identifiers = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(identifiers) == len(set(identifiers))


def test_each_item_keeps_its_language() -> None:
    page = parse_html(render_items([single(), read_item(capitals(correct("rome")))]))
    assert [article.get("lang") for article in page.iter("article")] == ["zh-CN", "en"]


def test_an_item_with_several_interactions_shows_them_all() -> None:
    source = capitals(correct("rome")).replace(
        b"</qti-item-body>", b'<p><qti-text-entry-interaction response-identifier="X"/></p></qti-item-body>'
    )
    page = parse_html(render_item(read_item(source)))
    assert text_of(with_class(page, "type")[0]) == "综合"
    assert [control.get("type") for control in page.iter("input")] == ["checkbox"] * 3 + ["text"]


def test_an_item_that_cannot_be_run_is_shown_as_it_is_written_and_scoring_it_refused() -> None:
    rich = read_item(fixture("documents/rich_item.xml"))  # a match table whose value is no number, as the XSD has it
    page = parse_html(render_item(rich))
    assert text_of(with_class(page, "not-shown")[0]) == "[本题的模板无法运行，按原样显示]"
    assert "取 N。请读题" in text_of(page)
    (finding,) = clone_findings(rich, None)
    assert (finding.severity, finding.code, finding.item, finding.line) == ("warning", "bad-attribute", "RICH", 11)
    with pytest.raises(ItemError, match="expected a value of base-type float"):
        score(rich, {})
    assert clone_findings(single(), None) == []
