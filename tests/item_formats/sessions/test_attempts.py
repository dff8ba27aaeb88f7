"""Attempts at items: how many, what is handed in when, what may be looked at."""

from __future__ import annotations

import pytest

from item_formats.sessions import (
    BeginAttempt,
    Comment,
    EndAttempt,
    EndTest,
    JumpTo,
    MoveNext,
    Resume,
    Review,
    Save,
    SessionError,
    ShowSolution,
    Skip,
    Suspend,
    TestState,
    Tick,
    attempts_left,
    begin_test,
    item_feedback_shown,
    item_variables,
    step,
)
from tests.item_formats.sessions.papers import (
    TOTAL,
    after,
    answer,
    begun,
    control,
    item,
    linear,
    paper,
    part,
    ref,
    section,
)


def one(settings: str = "", *, mode: str = "nonlinear", submission: str = "individual") -> TestState:
    inside = settings + section("A B")
    return begun(paper(part(inside, navigation=mode, submission=submission)), "A B")


def refusal_of(state: TestState, *events: object) -> str:
    with pytest.raises(SessionError) as refusal:
        after(state, *events)  # type: ignore[arg-type]
    return refusal.value.code


def outcome(state: TestState, name: str = "SCORE", key: str = "A.1") -> object:
    return item_variables(state, key)[name]


def test_an_attempt_begins_and_is_handed_in() -> None:
    state = one()
    assert (outcome(state, "completionStatus"), outcome(state)) == ("not_attempted", 0.0)
    state = after(state, BeginAttempt())
    assert (outcome(state, "completionStatus"), state.items["A.1"].attempts) == ("unknown", 1)
    state = after(state, EndAttempt({"RESPONSE": "A"}, seconds=12))
    assert (outcome(state, "completionStatus"), outcome(state)) == ("completed", 1.0)
    assert item_variables(state, "A.1", kind="response") == {"RESPONSE": "A", "numAttempts": 1, "duration": 12.0}


def test_an_item_has_one_attempt_unless_told_otherwise() -> None:
    assert refusal_of(answer(one()), BeginAttempt()) == "no-attempts-left"
    twice = answer(answer(one(control(max_attempts="2")), "B"), "A")
    assert (outcome(twice), attempts_left(twice, "A.1")) == (1.0, 0)
    assert refusal_of(twice, BeginAttempt()) == "no-attempts-left"


def test_max_attempts_0_is_as_often_as_wanted() -> None:
    state = one(control(max_attempts="0"))
    for option in "BCBCA":
        state = answer(state, option)
    assert (outcome(state), state.items["A.1"].attempts, attempts_left(state, "A.1")) == (1.0, 5, None)


def test_beginning_an_open_attempt_again_goes_on_with_it() -> None:
    assert after(one(), BeginAttempt(), BeginAttempt()).items["A.1"].attempts == 1


def test_nothing_is_handed_in_without_an_attempt() -> None:
    assert refusal_of(one(), EndAttempt({"RESPONSE": "A"})) == "no-attempt"


def test_an_attempt_survives_going_away_and_coming_back() -> None:
    state = after(one(), BeginAttempt(), MoveNext())
    assert state.items["A.1"].phase == "suspended"
    state = after(state, JumpTo("A"), EndAttempt({"RESPONSE": "A"}))
    assert (outcome(state), state.items["A.1"].attempts) == (1.0, 1)


def test_what_is_saved_is_handed_in_with_the_attempt_but_not_before() -> None:
    state = after(one(), BeginAttempt(), Save({"RESPONSE": "A"}))
    assert outcome(state) == 0.0
    assert outcome(after(state, EndAttempt())) == 1.0
    assert outcome(after(state, EndAttempt({"RESPONSE": "B"}))) == 0.0
    assert outcome(after(state, EndTest())) == 1.0
    assert outcome(after(state, Skip())) == 0.0


def test_an_attempt_left_open_with_nothing_saved_stays_unknown_at_the_end() -> None:
    state = after(one(), BeginAttempt(), EndTest())
    assert outcome(state, "completionStatus") == "unknown"


@pytest.mark.parametrize(
    ("responses", "code"),
    [
        ({"ANSWER": "A"}, "unknown-response"),
        ({"SCORE": "1"}, "unknown-response"),
        ({"RESPONSE": "D"}, "bad-response"),
        ({"RESPONSE": ["A", "B"]}, "bad-response"),
        ({"RESPONSE": "not an identifier"}, "bad-response"),
    ],
)
def test_what_cannot_be_a_response_is_refused_and_the_attempt_stays_open(
    responses: dict[str, object], code: str
) -> None:
    state = after(one(), BeginAttempt())
    assert refusal_of(state, EndAttempt(responses)) == code
    assert outcome(after(state, EndAttempt({"RESPONSE": "A"}))) == 1.0


def test_controls_are_inherited_setting_by_setting() -> None:
    inside = control(max_attempts="0", allow_comment="true") + section(
        control(max_attempts="3") + ref("A", control(allow_skipping="false")) + ref("B")
    )
    state = begun(paper(part(inside)), "A B")
    refs = state.definition.refs
    assert (refs["A"].control.max_attempts, refs["B"].control.max_attempts) == (3, 3)
    assert (refs["A"].control.allow_comment, refs["A"].control.allow_skipping) == (True, False)
    assert refs["B"].control.allow_skipping


def test_skipping_is_handing_in_without_an_answer() -> None:
    state = after(one(), Skip())
    assert (outcome(state), outcome(state, "completionStatus")) == (0.0, "completed")
    strict = one(control(allow_skipping="false"))
    assert refusal_of(strict, Skip()) == "skipping-not-allowed"
    assert refusal_of(strict, BeginAttempt(), EndAttempt()) == "skipping-not-allowed"
    assert outcome(answer(strict)) == 1.0


def test_in_a_linear_part_nobody_passes_an_item_that_must_be_answered() -> None:
    strict = one(control(allow_skipping="false"), mode="linear")
    assert refusal_of(strict, MoveNext()) == "skipping-not-allowed"
    assert after(answer(strict), MoveNext()).current == "B.1"
    assert after(one(mode="linear"), MoveNext()).current == "B.1"
    assert after(one(control(allow_skipping="false")), MoveNext()).current == "B.1"


def test_an_item_that_asks_nothing_is_not_skipped() -> None:
    text = item("A", "<qti-item-body><p>请阅读。</p></qti-item-body>")
    state = begin_test(paper(linear(control(allow_skipping="false") + section("A"))), {"A.xml": text}, 1)
    assert after(state, MoveNext()).status == "ended"


class TestSimultaneous:
    def test_nothing_is_scored_before_the_part_is_handed_in(self) -> None:
        test = paper(part(section("A B"), submission="simultaneous"), outcomes="TOTAL", rules=TOTAL)
        state = answer(begun(test, "A B"))
        assert (outcome(state), outcome(state, "completionStatus"), state.outcomes["TOTAL"]) == (0.0, "unknown", 0.0)
        state = answer(after(state, MoveNext()))
        state = after(state, MoveNext())
        assert (outcome(state), outcome(state, key="B.1"), state.outcomes["TOTAL"]) == (1.0, 1.0, 2.0)

    def test_answers_may_be_changed_until_then_in_one_attempt(self) -> None:
        state = answer(one(submission="simultaneous"), "B")
        state = answer(after(state, MoveNext(), JumpTo("A")), "A")
        assert state.items["A.1"].attempts == 1
        assert outcome(after(state, EndTest())) == 1.0

    def test_skipping_and_validation_are_free(self) -> None:
        strict = control(allow_skipping="false", validate_responses="true")
        state = answer(one(strict, mode="linear", submission="simultaneous"), None)
        assert after(state, MoveNext()).current == "B.1"

    def test_items_nobody_attempted_stay_so(self) -> None:
        state = after(answer(one(submission="simultaneous")), EndTest())
        assert outcome(state, "completionStatus", "B.1") == "not_attempted"

    def test_a_part_handed_in_takes_no_more(self) -> None:
        first = part(section("A"), identifier="P1", submission="simultaneous")
        state = begun(paper(first + part(section("B", identifier="T"), identifier="P2")), "A B")
        state = after(answer(state), MoveNext(), JumpTo("A"))
        assert refusal_of(state, BeginAttempt()) == "part-handed-in"

    def test_going_away_from_a_part_does_not_hand_it_in(self) -> None:
        first = part(section("A"), identifier="P1", submission="simultaneous")
        state = begun(paper(first + part(section("B", identifier="T"), identifier="P2")), "A B")
        state = answer(after(answer(state, "B"), JumpTo("B"), JumpTo("A")), "A")
        assert state.handed_in == ()
        assert outcome(after(state, EndTest())) == 1.0


ADAPTIVE = """
  <qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier"/>
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
  <qti-item-body><p>?</p></qti-item-body>
  <qti-response-processing>
    <qti-set-outcome-value identifier="SCORE"><qti-sum><qti-variable identifier="SCORE"/>
      <qti-base-value base-type="float">1</qti-base-value></qti-sum></qti-set-outcome-value>
    <qti-response-condition>
      <qti-response-if><qti-match><qti-variable identifier="RESPONSE"/>
        <qti-base-value base-type="identifier">completed</qti-base-value></qti-match>
        <qti-set-outcome-value identifier="completionStatus">
          <qti-base-value base-type="identifier">completed</qti-base-value></qti-set-outcome-value></qti-response-if>
      <qti-response-else><qti-set-outcome-value identifier="completionStatus">
        <qti-base-value base-type="identifier">incomplete</qti-base-value></qti-set-outcome-value></qti-response-else>
    </qti-response-condition>
  </qti-response-processing>"""


def test_an_adaptive_item_says_itself_when_it_is_over() -> None:
    test = paper(part(control(max_attempts="1") + section("A")))
    state = begin_test(test, {"A.xml": item("A", ADAPTIVE, adaptive=True)}, 1)
    state = answer(answer(state, "incomplete"), "incomplete")
    assert (outcome(state), outcome(state, "completionStatus")) == (2.0, "incomplete")
    assert after(state, BeginAttempt()).items["A.1"].completion_status == "incomplete"
    state = answer(state, "completed")
    assert (outcome(state), outcome(state, "completionStatus")) == (3.0, "completed")
    assert refusal_of(state, BeginAttempt()) == "no-attempts-left"


def test_review_and_solution_come_after_the_last_attempt_where_allowed() -> None:
    state = one(control(show_solution="true"))
    assert refusal_of(state, Review()) == "not-finished"
    assert after(answer(state), Review()).items["A.1"].phase == "review"
    assert after(answer(state), Review(), ShowSolution()).items["A.1"].phase == "solution"
    assert after(answer(state), Review(), MoveNext()).items["A.1"].phase == "closed"
    assert refusal_of(answer(one()), ShowSolution()) == "solution-not-allowed"
    assert refusal_of(answer(one(control(allow_review="false"))), Review()) == "review-not-allowed"


def test_item_feedback_shows_between_attempts_and_afterwards_where_allowed() -> None:
    assert not item_feedback_shown(answer(one()), "A.1")
    assert item_feedback_shown(answer(one(control(show_feedback="true"))), "A.1")
    between = answer(one(control(max_attempts="2")))
    assert item_feedback_shown(between, "A.1")
    assert not item_feedback_shown(answer(between), "A.1")
    waiting = answer(one(control(show_feedback="true"), submission="simultaneous"))
    assert not item_feedback_shown(waiting, "A.1")
    silent = one(control(max_attempts="0"), submission="simultaneous")
    assert item_feedback_shown(after(waiting, EndTest()), "A.1")
    assert not item_feedback_shown(after(answer(silent), EndTest()), "A.1")


def test_remarks_are_kept_where_allowed() -> None:
    assert refusal_of(one(), Comment("题干有误")) == "comment-not-allowed"
    assert after(one(control(allow_comment="true")), Comment("题干有误")).items["A.1"].comment == "题干有误"


def test_a_suspended_session_rests_until_it_is_resumed() -> None:
    state = after(one(), BeginAttempt(), Suspend())
    assert (state.status, state.items["A.1"].phase) == ("suspended", "suspended")
    assert refusal_of(state, MoveNext()) == "session-suspended"
    state = after(state, Tick(seconds=100), Resume(seconds=1000), EndAttempt({"RESPONSE": "A"}, seconds=3))
    assert (outcome(state), state.items["A.1"].seconds) == (1.0, 3.0)
    assert refusal_of(state, Resume()) == "not-suspended"


def test_time_that_cannot_pass_is_refused() -> None:
    for seconds in (-1.0, float("nan"), float("inf")):
        assert refusal_of(one(), Tick(seconds=seconds)) == "bad-seconds"


def test_events_leave_the_state_before_them_alone() -> None:
    state = one()
    before = repr(state)
    step(state, BeginAttempt(seconds=5))
    assert repr(state) == before
