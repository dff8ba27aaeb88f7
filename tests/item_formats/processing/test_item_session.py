"""Sessions with one item: attempts, adaptive items, built-in variables, feedback, and outcomes people set."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from item_formats import ItemError, read_item
from item_formats.processing import ItemState, attempt, begin_item, person_findings, score
from tests.item_formats.documents import SCORE, correct, declaration, document, processing, single

TRIES = '<qti-outcome-declaration identifier="TRIES" cardinality="single" base-type="integer"/>'
ADVICE = '<qti-outcome-declaration identifier="ADVICE" cardinality="multiple" base-type="identifier"/>'
ONE_MORE = (
    '<qti-set-outcome-value identifier="TRIES"><qti-sum><qti-variable identifier="TRIES"/>'
    '<qti-base-value base-type="integer">1</qti-base-value></qti-sum></qti-set-outcome-value>'
)
IF_RIGHT = (
    '<qti-response-condition><qti-response-if><qti-match><qti-variable identifier="RESPONSE"/>'
    '<qti-correct identifier="RESPONSE"/></qti-match>{}</qti-response-if><qti-response-else>{}</qti-response-else>'
    "</qti-response-condition>"
)


def put(name: str, base_type: str, value: str) -> str:
    inside = f'<qti-base-value base-type="{base_type}">{value}</qti-base-value>'
    return f'<qti-set-outcome-value identifier="{name}">{inside}</qti-set-outcome-value>'


def copied(name: str, expression: str) -> str:
    return f'<qti-set-outcome-value identifier="{name}">{expression}</qti-set-outcome-value>'


def item_with(rules: str, *, declared: str = "", after: str = "", adaptive: bool = False) -> bytes:
    response = declaration(correct("b"), cardinality="single")
    return document(
        f"{response}{SCORE}{TRIES}{ADVICE}{declared}<qti-item-body><p/></qti-item-body>"
        f"<qti-response-processing>{rules}</qti-response-processing>{after}",
        attributes=' adaptive="true"' if adaptive else "",
    )


def test_a_session_begins_before_any_attempt() -> None:
    state = begin_item(read_item(item_with(ONE_MORE)), 7)
    assert state == ItemState(
        seed=7,
        outcomes={"SCORE": 0.0, "TRIES": 0, "ADVICE": None},
        responses={"RESPONSE": None},
    )
    assert (state.num_attempts, state.completion_status, state.duration) == (0, "not_attempted", 0.0)


def test_outcomes_start_anew_with_each_attempt_unless_the_item_is_adaptive() -> None:
    for adaptive, expected in ((False, [1, 1, 1]), (True, [1, 2, 3])):
        item = read_item(item_with(ONE_MORE, adaptive=adaptive))
        state = begin_item(item)
        tries = []
        for _ in range(3):
            state = attempt(item, state, {"RESPONSE": "a"})
            tries.append(state.outcomes["TRIES"])
        assert tries == expected
        assert state.num_attempts == 3


def test_an_adaptive_item_is_complete_when_its_rules_say_so() -> None:
    rules = IF_RIGHT.format(put("completionStatus", "identifier", "completed"), "")
    item = read_item(item_with(rules, adaptive=True))
    first = attempt(item, begin_item(item), {"RESPONSE": "a"})
    assert first.completion_status == "incomplete"
    assert attempt(item, first, {"RESPONSE": "b"}).completion_status == "completed"


def test_other_items_are_complete_when_they_were_processed() -> None:
    assert attempt(single(), begin_item(single()), {"RESPONSE": "A"}).completion_status == "completed"
    unprocessed = read_item(document(declaration("") + SCORE))
    assert attempt(unprocessed, begin_item(unprocessed), {}).completion_status == "unknown"


def test_a_status_qti_does_not_have_is_refused() -> None:
    item = read_item(item_with(put("completionStatus", "identifier", "done")))
    with pytest.raises(ItemError, match="expected one of not_attempted"):
        attempt(item, begin_item(item), {})


def test_rules_see_attempts_and_seconds() -> None:
    declared = '<qti-outcome-declaration identifier="LATE" cardinality="single" base-type="boolean"/>'
    slow = (
        '<qti-duration-gte><qti-variable identifier="duration"/><qti-base-value base-type="duration">PT1M'
        "</qti-base-value></qti-duration-gte>"
    )
    rules = copied("TRIES", '<qti-variable identifier="numAttempts"/>') + copied("LATE", slow)
    item = read_item(item_with(rules, declared=declared))
    first = attempt(item, begin_item(item), {}, seconds=45)
    second = attempt(item, first, {}, seconds=15.5)
    assert (first.outcomes["TRIES"], first.outcomes["LATE"]) == (1, False)
    assert (second.outcomes["TRIES"], second.outcomes["LATE"], second.duration) == (2, True, 60.5)
    assert score(item, {"numAttempts": 4, "duration": 90})["TRIES"] == 4


def test_a_response_that_is_not_named_keeps_its_value() -> None:
    rules = IF_RIGHT.format(put("SCORE", "float", "1"), "")
    item = read_item(item_with(rules))
    first = attempt(item, begin_item(item), {"RESPONSE": "b"})
    again = attempt(item, first, {})
    assert (again.outcomes["SCORE"], again.responses) == (1.0, {"RESPONSE": "b"})
    assert attempt(item, again, {"RESPONSE": None}).outcomes["SCORE"] == 0.0


def test_modal_feedback_shows_by_its_outcome() -> None:
    advice = "".join(
        f'<qti-modal-feedback outcome-identifier="ADVICE" identifier="{name}" show-hide="{show}">'
        "<qti-content-body><p>…</p></qti-content-body></qti-modal-feedback>"
        for name, show in [("right", "show"), ("wrong", "show"), ("never", "hide")]
    )
    rules = IF_RIGHT.format(put("ADVICE", "identifier", "right"), put("ADVICE", "identifier", "wrong"))
    item = read_item(item_with(rules, after=advice))
    state = begin_item(item)
    assert state.feedback == ()
    assert attempt(item, state, {"RESPONSE": "b"}).feedback == ("right", "never")
    assert attempt(item, state, {"RESPONSE": "a"}).feedback == ("wrong", "never")


def test_outcomes_a_person_sets_are_named() -> None:
    outcome = (
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" external-scored="{}" '
        'normal-maximum="10"/>'
    )
    essay = read_item(document(declaration("", cardinality="single", base_type="string") + outcome.format("human")))
    assert begin_item(essay).needs_person == ("SCORE",)
    assert attempt(essay, begin_item(essay), {"RESPONSE": "……"}).needs_person == ("SCORE",)
    assert score(essay, {"RESPONSE": "……"}) == {"SCORE": 0.0}
    (finding,) = person_findings(essay)
    assert (finding.severity, finding.code, finding.item) == ("warning", "scored-by-a-person", "foreign")
    machine = read_item(document(declaration("") + outcome.format("externalMachine")))
    assert begin_item(machine).needs_person == ()
    assert person_findings(machine) == []


def test_an_item_nobody_answers_keeps_its_outcomes() -> None:
    default = "<qti-default-value><qti-value>0</qti-value></qti-default-value></qti-outcome-declaration>"
    told = read_item(document(SCORE.replace("/>", ">") + default))
    assert score(told, {}) == {"SCORE": 0.0}


def test_a_state_is_plain_data_and_goes_on_from_it() -> None:
    item = read_item(item_with(ONE_MORE + put("ADVICE", "identifier", "x"), adaptive=True))
    state = attempt(item, begin_item(item, 5), {"RESPONSE": "a"}, seconds=2)
    stored = json.loads(json.dumps(asdict(state)))
    restored = ItemState(**{**stored, "feedback": tuple(stored["feedback"]), "needs_person": ()})
    assert restored == state
    assert attempt(item, restored, {"RESPONSE": "b"}) == attempt(item, state, {"RESPONSE": "b"})
    assert attempt(item, restored, {"RESPONSE": "b"}).outcomes["TRIES"] == 2


def test_chance_in_response_processing_is_the_same_again_and_differs_between_attempts() -> None:
    item = read_item(item_with(copied("TRIES", '<qti-random-integer min="0" max="1000000"/>')))
    first = attempt(item, begin_item(item, 5), {})
    second = attempt(item, first, {})
    assert attempt(item, begin_item(item, 5), {}) == first
    assert first.outcomes["TRIES"] != second.outcomes["TRIES"]


@pytest.mark.parametrize(
    ("given", "base_type", "cardinality", "answer"),
    [
        ("12", "integer", "single", 12),
        ("0.5", "float", "single", 0.5),
        ("true", "boolean", "single", True),
        ("3 4", "point", "single", "3 4"),
        ("a b", "directedPair", "multiple", ["a b"]),
        ("PT1M", "duration", "single", 60.0),
    ],
)
def test_responses_of_every_type_match_what_is_correct(
    given: str, base_type: str, cardinality: str, answer: object
) -> None:
    declared = declaration(correct(given), cardinality=cardinality, base_type=base_type)
    item = read_item(document(declared + SCORE + processing("match_correct")))
    state = attempt(item, begin_item(item), {"RESPONSE": answer})
    assert state.outcomes["SCORE"] == 1.0
    assert state.responses["RESPONSE"] == answer


def test_a_record_response_is_read_field_by_field() -> None:
    declared = '<qti-response-declaration identifier="RESPONSE" cardinality="record"/>'
    field = '<qti-field-value field-identifier="floatValue"><qti-variable identifier="RESPONSE"/></qti-field-value>'
    rules = f"<qti-response-processing>{copied('SCORE', field)}</qti-response-processing>"
    item = read_item(document(declared + SCORE + rules))
    assert score(item, {"RESPONSE": {"stringValue": "2.50", "floatValue": 2.5}}) == {"SCORE": 2.5}


def test_map_response_point_is_a_template() -> None:
    areas = (
        '<qti-area-mapping default-value="0"><qti-area-map-entry shape="circle" coords="102,113,16" mapped-value="1"/>'
        "</qti-area-mapping>"
    )
    declared = declaration(areas, cardinality="single", base_type="point")
    item = read_item(document(declared + SCORE + processing("map_response_point")))
    answers = ("110 110", "0 0", None)
    assert [score(item, {"RESPONSE": answer})["SCORE"] for answer in answers] == [1.0, 0.0, 0.0]
    without = read_item(document(declaration("", base_type="point") + SCORE + processing("map_response_point")))
    with pytest.raises(ItemError, match="needs an area mapping"):
        score(without, {})
