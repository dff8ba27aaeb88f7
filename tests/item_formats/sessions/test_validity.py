"""Responses within the limits of their interactions."""

from __future__ import annotations

import pytest

from item_formats.processing import Value, read_plain
from item_formats.sessions import BeginAttempt, EndAttempt, SessionError, begin_test
from item_formats.sessions.validity import invalid_responses
from tests.item_formats.sessions.papers import after, control, item, paper, part, section


def choices(element: str, names: str = "ABC", **attributes: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return "".join(f'<{element} identifier="{name}"{written}>{name}</{element}>' for name in names)


def interaction(name: str, inside: str = "", **attributes: str) -> str:
    written = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f'<qti-{name} response-identifier="RESPONSE"{written}>{inside}</qti-{name}>'


def wrong(body: str, base_type: str, answer: list[object] | None, cardinality: str = "multiple") -> list[str]:
    asked = item("A", f"<qti-item-body>{body}</qti-item-body>")
    value: Value | None = read_plain(answer, base_type=base_type, cardinality=cardinality, name="RESPONSE")
    return invalid_responses(asked, {"RESPONSE": value})


SIMPLE = choices("qti-simple-choice")
ASSOCIABLE = choices("qti-simple-associable-choice", "ABCD", match_max="1")
CHOICE, ORDER = "choice-interaction", "order-interaction"
GAPS = '<qti-gap-text identifier="A" match-max="2">甲</qti-gap-text><p><qti-gap identifier="G"/>'
REQUIRED = GAPS + '<qti-gap identifier="H" required="true"/></p>'


@pytest.mark.parametrize(
    ("body", "base_type", "valid", "invalid"),
    [
        (interaction(CHOICE, SIMPLE, max_choices="2", min_choices="1"), "identifier", ["A"], None),
        (interaction(CHOICE, SIMPLE, max_choices="2"), "identifier", None, ["A", "B", "C"]),
        (interaction(CHOICE, SIMPLE), "identifier", ["A"], ["A", "B"]),
        (interaction("hottext-interaction", max_choices="1"), "identifier", ["A"], ["A", "B"]),
        (interaction("hotspot-interaction", max_choices="0", min_choices="2"), "identifier", ["A", "B"], ["A"]),
        (interaction("select-point-interaction", max_choices="1"), "point", ["1 2"], ["1 2", "3 4"]),
        (interaction("position-object-interaction", max_choices="2"), "point", ["1 2"], ["1 2", "3 4", "5 6"]),
        (interaction("associate-interaction", ASSOCIABLE, max_associations="0"), "pair", ["A B"], ["A B", "A C"]),
        (interaction("match-interaction", ASSOCIABLE, max_associations="1"), "directedPair", ["A B"], ["A B", "C D"]),
        (interaction("gap-match-interaction", REQUIRED), "directedPair", ["A G", "A H"], ["A G"]),
        (interaction("inline-choice-interaction", required="true"), "identifier", ["A"], None),
        (interaction("inline-choice-interaction", min_choices="1"), "identifier", ["A"], None),
        (interaction("text-entry-interaction", pattern_mask="[0-9]{4}"), "string", ["2026"], ["26"]),
        (interaction("text-entry-interaction", pattern_mask="[0-9]{4}"), "string", ["2026"], None),
        (interaction("extended-text-interaction", max_strings="1"), "string", ["一"], ["一", "二"]),
        (interaction("extended-text-interaction", min_strings="2"), "string", ["一", "二"], ["一"]),
    ],
)
def test_limits(body: str, base_type: str, valid: list[object] | None, invalid: list[object] | None) -> None:
    assert wrong(body, base_type, valid) == []
    assert len(wrong(body, base_type, invalid)) == 1


def test_without_a_minimum_everything_must_be_put_in_order() -> None:
    every = interaction(ORDER, SIMPLE, max_choices="2")
    assert wrong(every, "identifier", ["C", "A", "B"], "ordered") == []
    assert len(wrong(every, "identifier", ["C", "A"], "ordered")) == 1
    some = interaction(ORDER, SIMPLE, min_choices="1", max_choices="2")
    assert wrong(some, "identifier", ["C"], "ordered") == []
    assert len(wrong(some, "identifier", ["C", "A", "B"], "ordered")) == 1


def test_what_asks_for_nothing_may_be_left_empty() -> None:
    for name in ("inline-choice-interaction", "text-entry-interaction", "choice-interaction", "slider-interaction"):
        assert wrong(interaction(name), "identifier", None) == []


def test_a_choice_that_must_be_matched() -> None:
    least = choices("qti-simple-associable-choice", match_max="2", match_min="1")
    found = wrong(interaction("associate-interaction", least, max_associations="0"), "pair", ["A B"])
    assert found == ["RESPONSE: C is used 0 times, at least 1 are asked for"]


def test_a_gap_match_without_a_maximum_fills_every_gap() -> None:
    assert wrong(interaction("gap-match-interaction", GAPS + "</p>"), "directedPair", ["A G", "A G"]) == []


TEXT = """
  <qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="string"/>
  <qti-item-body><p><qti-text-entry-interaction response-identifier="RESPONSE" pattern-mask="[a-z]+"/></p>
  </qti-item-body>"""


def test_only_sessions_that_validate_refuse_and_the_attempt_stays_open() -> None:
    bank = {"A.xml": item("A", TEXT)}
    free = after(begin_test(paper(part(section("A"))), bank, 1), BeginAttempt())
    assert after(free, EndAttempt({"RESPONSE": "ABC"})).items["A.1"].phase == "closed"
    strict = paper(part(control(validate_responses="true") + section("A")))
    state = after(begin_test(strict, bank, 1), BeginAttempt())
    with pytest.raises(SessionError) as refusal:
        after(state, EndAttempt({"RESPONSE": "ABC"}))
    assert refusal.value.code == "invalid-response"
    assert after(refusal.value.state, EndAttempt({"RESPONSE": "abc"})).items["A.1"].attempts == 1
