"""Reports of test sessions: what was reached, in the candidate's order, as far as it is known."""

from __future__ import annotations

from datetime import UTC, datetime

from item_formats.packages import check_result, read_result, result_of_session, write_result
from item_formats.packages.results import SessionIdentifier
from item_formats.sessions import BeginAttempt, EndAttempt, EndTest, Event, MoveNext, Save, TestState, begin_test, step
from tests.item_formats.sessions.papers import TOTAL, item, items, linear, paper, section

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
PAPER = paper(linear(section("Q1 Q2 Q3")), outcomes="TOTAL", rules=TOTAL)


def after(*events: Event) -> TestState:
    state = begin_test(PAPER, items("Q1 Q2 Q3"), 1)
    for event in events:
        state = step(state, event)
    return state


ANSWERED = (
    BeginAttempt(),
    EndAttempt({"RESPONSE": "A"}, seconds=12.5),
    MoveNext(),
    BeginAttempt(),
    Save({"RESPONSE": "C"}, seconds=3),
)


def test_a_running_session_reports_what_was_reached() -> None:
    state = after(*ANSWERED)
    where = SessionIdentifier(source="urn:example:hall", identifier="S7")
    result = read_result(
        write_result(result_of_session(PAPER, state, datestamp=MOMENT, candidate="C1", sessions=[where]))
    )
    assert result.context is not None
    assert (result.context.candidate, result.context.sessions) == ("C1", (where,))
    assert result.test is not None
    assert [(one.identifier, one.plain) for one in result.test.outcomes] == [("TOTAL", 1.0)]
    first, second = result.items
    assert (first.identifier, first.place, first.status) == ("Q1", 1, "final")
    assert {one.identifier: one.plain for one in first.responses} == {
        "RESPONSE": "A",
        "numAttempts": 1,
        "duration": 12.5,
    }
    assert {one.identifier: one.plain for one in first.outcomes} == {"SCORE": 1.0, "completionStatus": "completed"}
    assert (second.identifier, second.place, second.status) == ("Q2", 2, "pendingSubmission")
    assert second.responses[0].plain == "C"
    assert check_result(result) == []


def test_an_ended_session_has_the_final_total() -> None:
    state = after(*ANSWERED, EndTest())
    result = result_of_session(PAPER, state, datestamp=MOMENT)
    assert result.test is not None
    assert result.test.outcomes[0].plain == 1.0
    assert [one.status for one in result.items] == ["final", "final"]


def test_an_outcome_for_a_person_is_pending_until_it_is_set() -> None:
    essay = item(
        "Q1",
        '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="string"/>'
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="string" external-scored="human"/>'
        '<qti-item-body><qti-extended-text-interaction response-identifier="RESPONSE"/></qti-item-body>',
    )
    test = paper(linear(section("Q1")))
    state = begin_test(test, {"Q1": essay}, 1)
    for event in (BeginAttempt(), EndAttempt({"RESPONSE": "论述"})):
        state = step(state, event)
    (result,) = result_of_session(test, state, datestamp=MOMENT).items
    assert result.status == "pendingExternalScoring"
    assert result.outcomes[0].plain is None


def test_the_key_of_a_clone_is_its_own() -> None:
    clone = item(
        "Q1",
        '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="integer"/>'
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>'
        '<qti-template-declaration identifier="N" cardinality="single" base-type="integer"/>'
        '<qti-template-processing><qti-set-template-value identifier="N"><qti-random-integer min="3" max="900"/>'
        '</qti-set-template-value><qti-set-correct-response identifier="RESPONSE"><qti-variable identifier="N"/>'
        "</qti-set-correct-response></qti-template-processing>"
        '<qti-item-body><p><qti-text-entry-interaction response-identifier="RESPONSE"/></p></qti-item-body>'
        "<qti-response-processing "
        'template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>',
    )
    test = paper(linear(section("Q1")))
    state = begin_test(test, {"Q1": clone}, 5)
    for event in (BeginAttempt(), EndAttempt({"RESPONSE": 1})):
        state = step(state, event)
    (result,) = result_of_session(test, state, datestamp=MOMENT).items
    correct = result.responses[0].correct
    assert correct is not None
    assert [value.text for value in correct.values] == [str(result.templates[0].plain)]
    assert result.outcomes[0].plain == 0.0
