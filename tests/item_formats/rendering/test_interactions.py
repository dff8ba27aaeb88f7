"""The 22 interactions as HTML: controls, print and key say the same thing in three ways."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from item_formats import Item, for_candidate, read_item, render_item
from item_formats.rendering.interactions.graphics import shape_of
from tests.item_formats.documents import SCORE, correct, declaration, document
from tests.item_formats.rendering.pages import parse_html, text_of, with_class
from tests.item_formats.rendering.samples import MEDIA, NAMES, sample

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

NOT_ANSWERED_HERE = {"custom", "portable_custom"}


def controls(page: ET.Element) -> list[ET.Element]:
    return [one for one in page.iter() if one.tag in {"input", "select", "textarea", "button"}]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [None, 5])
def test_every_variant_is_well_formed_and_says_the_prompt(name: str, seed: int | None) -> None:
    item = sample(name)
    lines = for_candidate(item).stem_text.split("\n")  # of a custom interaction candidates see no foreign element
    wanted = next((text for text in lines if text.strip()), "")[:4]
    for variant in ({}, {"answer_key": True}, {"printed": True}, {"printed": True, "answer_key": True}):
        page = parse_html(render_item(item, seed=seed, media=MEDIA, **variant))  # type: ignore[arg-type]
        assert wanted in text_of(page)
        identifiers = [one.get("id") for one in page.iter() if one.get("id")]
        assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("name", NAMES)
def test_on_the_screen_there_is_a_control_for_every_response_and_in_print_none(name: str) -> None:
    item = sample(name)
    declared = {declaration.identifier for declaration in item.response_declarations}
    named = {
        re.split(r"[/:]", control.get("name", ""))[1]
        for control in controls(parse_html(render_item(item, media=MEDIA)))
        if control.get("name")
    }
    assert named == (set() if name in NOT_ANSWERED_HERE else declared)
    assert controls(parse_html(render_item(item, media=MEDIA, printed=True))) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name_to_be_read_aloud(name: str) -> None:
    page = parse_html(render_item(sample(name), media=MEDIA))
    labelled = {control for label in page.iter("label") for control in label.iter()}
    for control in controls(page):
        if control.get("type") != "hidden" and control.tag != "button":
            assert control in labelled or control.get("aria-label") or control.get("aria-labelledby")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_fetched_and_nothing_runs_but_the_script_of_the_page(name: str) -> None:
    html = render_item(sample(name), media=MEDIA)
    page = parse_html(html)
    for element in page.iter():
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on"), attribute
            if attribute in {"src", "href", "data", "poster", "action"}:
                assert value.startswith("data:"), value
    assert ("<script>" in html) == ("script-src 'sha256-" in html)
    assert "http" not in re.sub(r"data:[^\"]*", "", html.partition("<body>")[2])


@pytest.mark.parametrize("name", NAMES)
def test_the_candidates_page_does_not_depend_on_the_key(name: str) -> None:
    item = sample(name)
    for variant in ({}, {"printed": True}):
        assert render_item(item, media=MEDIA, **variant) == render_item(for_candidate(item), media=MEDIA, **variant)  # type: ignore[arg-type]


ANSWERS = {
    "associate": "C—B；D—A",
    "choice": "AC",
    "end_attempt": "（1）0.5　（2）无",
    "extended_text": "由考评员评分",
    "gap_match": "训练集—（1）；测试集—（2）",
    "graphic_associate": "A—C；B—C",
    "graphic_gap_match": "蓝色标签：存储—左；绿色标签：交换机—右",
    "graphic_order": "A → C → B",
    "hotspot": "B",
    "hottext": "反复调整超参数",
    "inline_choice": "震荡不收敛",
    "match": "精确率—TP+FP；召回率—TP+FN",
    "order": "C → B → A → D",
    "position_object": "(120, 40)、(200, 40)",
    "select_point": "(120, 40)",
    "slider": "5",
    "text_entry": "0.85",
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("printed", [False, True])
def test_the_key_is_said_in_words(name: str, printed: bool) -> None:
    page = parse_html(render_item(sample(name), answer_key=True, printed=printed, media=MEDIA))
    (explained,) = with_class(page, "explanation")
    said = {text_of(term): text_of(told) for term, told in zip(explained.iter("dt"), explained.iter("dd"), strict=True)}
    assert said["答案"] == ANSWERS[name]


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("associate", ["SUPER", "CLASS", "UNSUPER", "CLUSTER"]),
        ("gap_match", ["TRAIN", "TEST"]),
        ("graphic_gap_match", ["L1", "L2"]),
        ("graphic_order", ["1", "3", "2"]),
        ("inline_choice", ["LOW"]),
        ("order", ["3", "2", "1", "4"]),
    ],
)
def test_with_the_key_the_lists_are_set_and_locked(name: str, chosen: list[str]) -> None:
    page = parse_html(render_item(sample(name), answer_key=True, media=MEDIA))
    lists = list(page.iter("select"))
    assert all("disabled" in one.attrib for one in lists)
    assert [option.get("value") for one in lists for option in one if "selected" in option.attrib] == chosen


@pytest.mark.parametrize("name", ["choice", "hotspot", "hottext", "match"])
def test_with_the_key_the_boxes_are_set_and_locked(name: str) -> None:
    item = sample(name)
    page = parse_html(render_item(item, answer_key=True, media=MEDIA))
    assert all("disabled" in one.attrib for one in page.iter("input"))
    checked = [one.get("value") for one in page.iter("input") if "checked" in one.attrib]
    assert checked == list(item.response_declarations[0].correct)


def test_what_scorers_are_told_stands_in_the_copy_with_the_key_only() -> None:
    assert "每种办法 1.5 分" in render_item(sample("extended_text"), answer_key=True)
    assert "每种办法 1.5 分" not in render_item(sample("extended_text"))


def test_mapped_marks_stand_beside_the_key() -> None:
    page = parse_html(render_item(sample("match"), answer_key=True))
    said = [text_of(told) for told in with_class(page, "explanation")[0].iter("dd")]
    assert said[1] == "精确率—TP+FP：1 分，召回率—TP+FN：1 分，精确率—TP+FN：-0.5 分，其余 0 分"


# Shuffling


@given(st.integers())
@settings(max_examples=25)
def test_shuffled_options_are_the_same_options_and_fixed_ones_stay(seed: int) -> None:
    def values(html: str) -> list[str]:
        return [one.get("value", "") for one in parse_html(html).iter("input")]

    shown = values(render_item(sample("choice"), seed=seed))
    assert sorted(shown) == ["A", "B", "C", "D"]
    assert shown[3] == "D"
    assert values(render_item(sample("choice"), seed=seed)) == shown


def test_seeds_give_different_orders_and_letters_follow_the_page() -> None:
    orders = set()
    for seed in range(20):
        page = parse_html(render_item(sample("choice"), seed=seed, answer_key=True))
        texts = [text_of(label) for label in page.iter("label")]
        orders.add(tuple(texts))
        right = sorted(text[0] for text in texts if "缺失值" in text or "重复记录" in text)
        assert text_of(next(with_class(page, "explanation")[0].iter("dd"))) == "".join(right)
    assert len(orders) == 6


def test_what_may_not_be_shuffled_is_not() -> None:
    assert render_item(sample("hottext"), seed=3) == render_item(sample("hottext"))
    assert render_item(sample("gap_match"), seed=3) == render_item(sample("gap_match"))


# Details


def interaction(markup: str, cardinality: str = "single", base_type: str = "identifier") -> Item:
    declared = declaration(correct("a"), cardinality=cardinality, base_type=base_type)
    return read_item(document(f"{declared}{SCORE}<qti-item-body>{markup}</qti-item-body>"))


def choice(attributes: str) -> str:
    return (
        f'<qti-choice-interaction response-identifier="RESPONSE" {attributes}><qti-prompt>?</qti-prompt>'
        + "".join(f'<qti-simple-choice identifier="{name}">{name * 2}</qti-simple-choice>' for name in "abc")
        + "</qti-choice-interaction>"
    )


@pytest.mark.parametrize(
    ("attributes", "hint"),
    [
        ('max-choices="0"', "可选多项"),
        ('max-choices="2"', "最多选 2 项"),
        ('max-choices="2" min-choices="2"', "选 2 项"),
        ('max-choices="3" min-choices="2"', "选 2 至 3 项"),
        ('max-choices="0" min-choices="2"', "至少选 2 项"),
    ],
)
def test_how_many_to_choose_is_said(attributes: str, hint: str) -> None:
    page = parse_html(render_item(interaction(choice(attributes), "multiple")))
    assert [text_of(one) for one in with_class(page, "hint")] == [hint]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("", ["A", "B", "C"]),
        ("qti-labels-decimal", ["1", "2", "3"]),
        ("qti-labels-lower-alpha", ["a", "b", "c"]),
        ("qti-labels-cjk-ideographic", ["一", "二", "三"]),
        ("qti-labels-none", []),
    ],
)
def test_labels_follow_the_shared_vocabulary(labels: str, expected: list[str]) -> None:
    page = parse_html(render_item(interaction(choice(f'class="{labels}" max-choices="1"'))))
    assert [text_of(one) for one in with_class(page, "label")] == expected


def test_a_text_entry_knows_its_keyboard_and_length() -> None:
    entry = '<p><qti-text-entry-interaction response-identifier="RESPONSE" expected-length="12"/></p>'
    page = parse_html(render_item(interaction(entry, base_type="integer")))
    (control,) = page.iter("input")
    assert (control.get("inputmode"), control.get("size"), control.get("aria-label")) == ("numeric", "12", "第 1 空")


def test_several_texts_get_a_box_each_and_lines_in_print() -> None:
    essay = (
        '<qti-extended-text-interaction response-identifier="RESPONSE" max-strings="3" expected-lines="2">'
        "<qti-prompt>?</qti-prompt></qti-extended-text-interaction>"
    )
    item = interaction(essay, "multiple", "string")
    page = parse_html(render_item(item))
    assert [box.get("aria-label") for box in page.iter("textarea")] == ["作答 1", "作答 2", "作答 3"]
    assert len(with_class(parse_html(render_item(item, printed=True)), "rule")) == 6


def test_a_matrix_takes_one_column_a_row_where_a_row_may_be_used_once() -> None:
    one = parse_html(render_item(sample("match")))
    assert {control.get("type") for control in one.iter("input")} == {"radio"}
    assert len({control.get("name") for control in one.iter("input")}) == 2
    several = read_item(sample("match").xml.replace(b'match-max="1"', b'match-max="2"'))
    assert {control.get("type") for control in parse_html(render_item(several)).iter("input")} == {"checkbox"}


def test_print_has_two_lists_to_match() -> None:
    page = parse_html(render_item(sample("match"), printed=True, answer_key=True))
    left, right = with_class(page, "lists")[0]
    assert [text_of(row) for row in left] == ["1. 精确率（A）", "2. 召回率（B）"]
    assert [text_of(row) for row in right] == ["A. TP+FP", "B. TP+FN"]


def test_a_picture_that_is_not_in_the_package_is_described_and_its_areas_still_show() -> None:
    page = parse_html(render_item(sample("hotspot")))
    assert "机房平面图" in text_of(with_class(page, "not-shown")[0])
    assert len(with_class(page, "area")) == 4
    assert len(list(page.iter("input"))) == 4


@pytest.mark.parametrize(
    ("kind", "coords", "box"),
    [
        ("rect", "10,20,30,40", (10, 20, 30, 40)),
        ("circle", "50,50,10", (40, 40, 60, 60)),
        ("ellipse", "50,50,10,20", (40, 30, 60, 70)),
        ("poly", "0,0,10,5,4,20", (0, 0, 10, 20)),
        ("default", "", (0, 0, 200, 100)),
        ("rect", "1,2,x", (0, 0, 200, 100)),
        ("circle", "1e999,1,1", (-1, 0, 1, 2)),
        ("poly", "1,2,3", (0, 0, 200, 100)),
    ],
)
def test_areas_have_a_box(kind: str, coords: str, box: tuple[float, ...]) -> None:
    shape = shape_of(kind, coords, (200, 100))
    assert (shape.left, shape.top, shape.right, shape.bottom) == box


def test_a_custom_interaction_is_named_and_its_markup_made_harmless() -> None:
    markup = (
        '<qti-portable-custom-interaction response-identifier="RESPONSE" module="m" '
        'custom-interaction-type-identifier="urn:a&lt;b"><qti-interaction-markup>'
        '<div onclick="x()"><p style="x">see</p><img src="http://x/y.png" alt=""/>'
        "<script>alert(1)</script></div></qti-interaction-markup></qti-portable-custom-interaction>"
    )
    html = render_item(interaction(markup, base_type="string"))
    page = parse_html(html)
    assert "urn:a<b" in text_of(with_class(page, "device")[0])
    assert text_of(with_class(page, "foreign")[0]).strip() == "see"
    for gone in ("onclick", "alert", "http:", 'style="x'):
        assert gone not in html.partition("<body>")[2]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=10)
def test_texts_cannot_leave_their_place(name: str, data: st.DataObject) -> None:
    """Whatever stands in texts and attributes: the page stays well formed and the same elements stay on it."""
    item = sample(name)
    hostile = data.draw(
        st.sampled_from(['"><script>x</script>', "'><img src=x onerror=y>", "</select></textarea>&lt;", "]]>"])
    )
    root = read_item(item.xml).root
    for element in root.iter("*"):
        for attribute in ("hotspot-label", "object-label", "title", "placeholder-text", "alt", "data-prompt", "label"):
            if attribute in element.attrib:
                element.set(attribute, hostile)
        if element.text and element.text.strip() and "value" not in str(element.tag):
            element.text = hostile
    from item_formats.model import item_of

    changed = item_of(root)
    for variant in ({}, {"answer_key": True}, {"printed": True}):
        html = render_item(changed, media=MEDIA, **variant)  # type: ignore[arg-type]
        tags = {element.tag for element in parse_html(html).iter()}
        assert "onerror" not in {name for element in parse_html(html).iter() for name in element.attrib}
        assert html.count("<script") <= 1
        assert "script" not in tags or "script-src" in html
