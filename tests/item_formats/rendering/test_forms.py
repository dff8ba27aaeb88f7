"""Form fields of a rendered page as responses."""

from __future__ import annotations

import pytest

from item_formats import score
from item_formats.rendering import read_form
from tests.item_formats.rendering.samples import sample


@pytest.mark.parametrize(
    ("name", "fields", "response"),
    [
        ("choice", [("item-1/RESPONSE", "A"), ("item-1/RESPONSE", "C")], ["A", "C"]),
        ("hotspot", [("item-1/RESPONSE", "GPU")], "GPU"),
        ("match", [("item-1/RESPONSE:row:P", "P TP_FP"), ("item-1/RESPONSE:row:R", "R TP_FN")], ["P TP_FP", "R TP_FN"]),
        ("gap_match", [("item-1/RESPONSE:gap:G1", "TRAIN"), ("item-1/RESPONSE:gap:G2", "")], ["TRAIN G1"]),
        (
            "associate",
            [
                ("item-1/RESPONSE:pair:1:a", "SUPER"),
                ("item-1/RESPONSE:pair:1:b", "CLASS"),
                ("item-1/RESPONSE:pair:2:a", "UNSUPER"),
            ],
            ["SUPER CLASS"],
        ),
        (
            "order",
            [
                ("item-1/RESPONSE:place:CHECK", "3"),
                ("item-1/RESPONSE:place:CLEAN", "1"),
                ("item-1/RESPONSE:place:LABEL", "2"),
            ],
            ["CLEAN", "LABEL", "CHECK"],
        ),
        ("select_point", [("item-1/RESPONSE:point:1:x", "3"), ("item-1/RESPONSE:point:1:y", "4")], "3 4"),
        (
            "position_object",
            [(f"item-1/RESPONSE:point:{place}:{axis}", str(place)) for place in (10, 9) for axis in "xy"],
            ["9 9", "10 10"],
        ),
    ],
)
def test_parts_come_together_as_qti_writes_them(
    name: str, fields: list[tuple[str, str]], response: str | list[str]
) -> None:
    assert read_form(sample(name), fields) == {"RESPONSE": response}


def test_nothing_answered_is_no_response() -> None:
    assert read_form(sample("text_entry"), [("item-1/RESPONSE", "  ")]) == {}
    assert score(sample("text_entry"), read_form(sample("text_entry"), []))["SCORE"] == 0


def test_fields_of_other_items_and_unknown_ones_are_not_read() -> None:
    fields = [("item-2/RESPONSE", "A"), ("item-1/OTHER", "A"), ("csrf", "x"), ("item-1/RESPONSE", "B")]
    assert read_form(sample("choice"), fields) == {"RESPONSE": ["B"]}
    assert read_form(sample("choice"), fields, prefix="item-2") == {"RESPONSE": ["A"]}
