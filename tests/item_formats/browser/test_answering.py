"""Every interaction is answered with the keyboard alone, and what was answered scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from item_formats import Item, read_item, render_item, score
from item_formats.rendering import read_form
from tests.item_formats.rendering.samples import MEDIA, sample

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

FIELDS = """() => [...new FormData(document.querySelector("form")).entries()]
    .map(([name, value]) => [name, value instanceof File ? value.name : value])"""


def answered(page: Page, item: Item) -> dict[str, str | list[str]]:
    return read_form(item, [(name, value) for name, value in page.evaluate(FIELDS)])


def press(page: Page, keys: str) -> None:
    """Keys apart by spaces; `"text` types text."""
    for key in keys.split():
        if key.startswith('"'):
            page.keyboard.type(key[1:])
        else:
            page.keyboard.press(key)


# From the top of the page: what is pressed, what is then answered. Shuffled choices stand in the order of the
# candidate's copy: CLUSTER CLASS SUPER UNSUPER, CHECK LABEL CLEAN DELIVER, SAME LOW FAST.
KEYS: dict[str, tuple[str, object]] = {
    "associate": ('Tab "C Tab "B Tab "D Tab "A', ["SUPER CLASS", "UNSUPER CLUSTER"]),
    "choice": ("Tab Space Tab Tab Space", ["A", "C"]),
    "end_attempt": ('Tab "0.5', "0.5"),
    "extended_text": ('Tab "过拟合 Enter "正则化', "过拟合\n正则化"),
    "gap_match": ('Tab "A Tab "B', ["TRAIN G1", "TEST G2"]),
    "graphic_associate": ('Tab "A Tab "C Tab "B Tab "C', ["STORE SWITCH", "GPU SWITCH"]),
    "graphic_gap_match": ('Tab "A Tab "B', ["L1 STORE", "L2 SWITCH"]),
    "graphic_order": (
        "Tab ArrowDown Tab ArrowDown ArrowDown ArrowDown Tab ArrowDown ArrowDown",
        ["STORE", "SWITCH", "GPU"],
    ),
    "hotspot": ("Tab ArrowDown", "GPU"),
    "hottext": ("Tab ArrowDown", "W2"),
    "inline_choice": ("Tab ArrowDown ArrowDown", "LOW"),
    "match": ("Tab Space Tab Space ArrowRight", ["P TP_FP", "R TP_FN"]),
    "order": (
        "Tab ArrowDown ArrowDown ArrowDown Tab ArrowDown ArrowDown Tab ArrowDown Tab End",
        ["CLEAN", "LABEL", "CHECK", "DELIVER"],
    ),
    "position_object": ('Tab "120 Tab "40 Tab "200 Tab "40', ["120 40", "200 40"]),
    "select_point": ('Tab "120 Tab "40', "120 40"),
    "slider": ("Tab ArrowRight ArrowRight ArrowRight ArrowRight ArrowRight", "5"),
    "text_entry": ('Tab "0.85', "0.85"),
}
SCORED_BY_A_PERSON = {"extended_text"}


@pytest.mark.parametrize("name", KEYS)
def test_the_keyboard_is_enough(show: Callable[[str], Page], name: str) -> None:
    item = sample(name)
    keys, expected = KEYS[name]
    page = show(render_item(item, media=MEDIA))
    press(page, keys)
    responses = answered(page, item)
    assert responses == {"RESPONSE": expected}
    if name not in SCORED_BY_A_PERSON:
        assert score(item, responses)["SCORE"] == (item.max_score or 1)


def test_asking_for_a_hint_is_an_answer(show: Callable[[str], Page]) -> None:
    item = sample("end_attempt")
    page = show(render_item(item))
    press(page, "Tab Tab Space")
    assert answered(page, item) == {"HINT": "true"}


def test_a_drawing_is_made_with_arrow_keys_and_the_space_bar(show: Callable[[str], Page]) -> None:
    item = sample("drawing")
    page = show(render_item(item))
    assert answered(page, item) == {}
    press(page, "Tab Space ArrowRight ArrowRight ArrowDown")
    assert page.locator("output").inner_text() == "落笔"
    press(page, "Space")
    drawn = answered(page, item)["RESPONSE"]
    assert isinstance(drawn, str)
    assert drawn.startswith("data:image/png;base64,")
    press(page, "Tab Enter")  # undo
    assert answered(page, item) == {}


def test_a_file_is_chosen_from_the_keyboard(show: Callable[[str], Page], page: Page, tmp_path: Path) -> None:
    item = sample("upload")
    with page.expect_file_chooser(timeout=5000) as chooser:  # listens from before the page is there
        show(render_item(item))
        press(page, "Tab Enter")
    (tmp_path / "标注.json").write_text("{}", encoding="utf-8")
    chooser.value.set_files(tmp_path / "标注.json")
    assert answered(page, item) == {"RESPONSE": "标注.json"}


def test_a_sound_that_was_heard_is_counted(show: Callable[[str], Page]) -> None:
    item = sample("media")
    page = show(render_item(item))
    press(page, "Tab Space")
    page.locator("output").filter(has_text="1").wait_for(timeout=5000)
    assert answered(page, item) == {"RESPONSE": "1"}


def test_points_are_also_set_by_clicking(show: Callable[[str], Page]) -> None:
    item = sample("position_object")
    page = show(render_item(item))
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    for x in (120, 200):
        page.mouse.click(stage["x"] + stage["width"] * x / 240, stage["y"] + stage["height"] * 40 / 160)
    given = answered(page, item)["RESPONSE"]
    assert [tuple(round(float(number), -1) for number in point.split()) for point in given] == [(120, 40), (200, 40)]
    assert page.locator(".mark img").count() == 2


def test_no_more_points_than_asked_for_and_more_where_any_number_may_be(show: Callable[[str], Page]) -> None:
    several = sample("select_point").xml.replace(b'max-choices="1"', b'max-choices="0"')
    page = show(render_item(read_item(several)))
    assert page.locator(".points > div").count() == 3
    page.get_by_role("button", name="再加一点").press("Enter")
    page.keyboard.type("7")
    press(page, 'Tab "8')
    assert page.locator(".points > div").count() == 4
    several_points = read_item(
        several.replace(b'cardinality="single" identifier="RESPONSE"', b'cardinality="multiple" identifier="RESPONSE"')
    )
    assert answered(page, several_points) == {"RESPONSE": ["7 8"]}


def test_no_more_boxes_than_may_be_checked(show: Callable[[str], Page]) -> None:
    item = read_item(sample("choice").xml.replace(b'max-choices="0"', b'max-choices="2"'))
    page = show(render_item(item))
    press(page, "Tab Space Tab Space")
    assert page.locator("input:disabled").count() == 2
    press(page, "Space")
    assert page.locator("input:disabled").count() == 0


def test_a_place_taken_twice_is_said(show: Callable[[str], Page]) -> None:
    page = show(render_item(sample("order")))
    press(page, "Tab ArrowDown Tab ArrowDown")
    assert page.locator("[aria-invalid=true]").count() == 2
    assert page.get_by_role("status").inner_text() == "有几项的次序同为第 1"
    press(page, "ArrowDown")
    assert page.locator("[aria-invalid=true]").count() == 0


def test_without_scripts_everything_but_drawing_by_hand_can_be_answered(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    path = tmp_path / "page.html"
    for name, control in (("drawing", "input[type=file]"), ("slider", "input[type=number]"), ("order", "select")):
        path.write_text(render_item(sample(name)), encoding="utf-8")
        page.goto(path.as_uri())
        assert page.locator(control).first.is_visible()
        assert not page.locator("canvas, .tools").count() or not page.locator("canvas").is_visible()
    context.close()
