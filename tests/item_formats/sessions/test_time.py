"""Time limits of tests, parts, sections and items. Time comes with the events."""

from __future__ import annotations

import pytest

from item_formats.sessions import (
    BeginAttempt,
    EndAttempt,
    JumpTo,
    MoveNext,
    Save,
    SessionError,
    TestState,
    Tick,
    item_variables,
    seconds_left,
    step,
)
from tests.item_formats.sessions.papers import (
    after,
    answer,
    begun,
    branch,
    limit,
    linear,
    paper,
    part,
    ref,
    right,
    section,
)


def refused(state: TestState, *events: object) -> SessionError:
    with pytest.raises(SessionError) as refusal:
        after(state, *events)  # type: ignore[arg-type]
    return refusal.value


def score(state: TestState, key: str = "A.1") -> object:
    return item_variables(state, key)["SCORE"]


def test_time_is_counted_where_it_is_spent() -> None:
    inner = section("B", identifier="inner")
    state = begun(paper(part(section(ref("A") + inner))), "A B")
    state = after(state, Tick(seconds=1), BeginAttempt(seconds=2), Tick(seconds=4), EndAttempt(seconds=8))
    state = after(state, MoveNext(seconds=16), BeginAttempt(seconds=32), EndAttempt(seconds=64))
    assert state.seconds == {"": 127.0, "P": 127.0, "S": 127.0, "inner": 96.0}
    assert (state.items["A.1"].seconds, state.items["B.1"].seconds) == (12.0, 64.0)


def test_an_answer_exactly_at_the_limit_is_in_time_and_one_after_it_is_not() -> None:
    state = after(begun(paper(part(section(ref("A", limit(60))))), "A"), BeginAttempt())
    assert score(after(state, EndAttempt({"RESPONSE": "A"}, seconds=60))) == 1.0
    refusal = refused(state, EndAttempt({"RESPONSE": "A"}, seconds=60.5))
    assert refusal.code == "time-is-up"
    assert (score(refusal.state), refusal.state.items["A.1"].phase) == (0.0, "closed")
    assert refused(refusal.state, BeginAttempt()).code == "time-is-up"


def test_what_was_saved_in_time_counts() -> None:
    state = after(begun(paper(part(section(ref("A", limit(60))))), "A"), BeginAttempt(), Save({"RESPONSE": "A"}))
    assert score(after(state, Tick(seconds=61))) == 1.0


def test_late_answers_are_taken_and_marked_where_allowed() -> None:
    state = after(begun(paper(part(section(ref("A", limit(60, late=True))))), "A"), BeginAttempt())
    late = after(state, EndAttempt({"RESPONSE": "A"}, seconds=90))
    assert (score(late), late.items["A.1"].late) == (1.0, True)
    assert not after(state, EndAttempt({"RESPONSE": "A"}, seconds=30)).items["A.1"].late


def test_the_test_is_over_when_its_time_is() -> None:
    test = paper(part(section("A B"), submission="simultaneous"), limits=limit(100))
    state = after(begun(test, "A B"), BeginAttempt(), EndAttempt({"RESPONSE": "A"}, seconds=50), MoveNext())
    state = after(state, BeginAttempt(), Save({"RESPONSE": "A"}, seconds=40))
    over = refused(state, EndAttempt({"RESPONSE": "A"}, seconds=11))
    assert (over.code, over.state.status) == ("time-is-up", "ended")
    assert after(state, Tick(seconds=11)).status == "ended"
    assert (score(over.state, "A.1"), score(over.state, "B.1")) == (1.0, 1.0)


def test_a_section_out_of_time_is_left_for_the_next() -> None:
    first = section(limit(30) + ref("A") + ref("B"), identifier="first")
    state = begun(paper(part(first + section("C", identifier="last"))), "A B C")
    state = after(state, Tick(seconds=31))
    assert refused(state, BeginAttempt()).code == "time-is-up"
    assert refused(state, JumpTo("B")).code == "time-is-up"
    assert after(state, MoveNext()).current == "C.1"


def test_a_part_out_of_time_is_handed_in() -> None:
    first = part(limit(30) + section("A B"), identifier="P1", submission="simultaneous")
    state = begun(paper(first + part(section("C", identifier="T"), identifier="P2")), "A B C")
    state = after(answer(state), Tick(seconds=31))
    assert (score(state), state.handed_in) == (1.0, ("P1",))
    assert after(state, MoveNext()).current == "C.1"


def test_nobody_enters_what_has_no_time_left() -> None:
    state = begun(paper(part(section(ref("A", limit(10)) + ref("B")))), "A B")
    state = after(state, BeginAttempt(), MoveNext(seconds=10))
    assert refused(state, JumpTo("A")).code == "time-is-up"


def test_minimum_times_of_items_hold_in_linear_parts_only() -> None:
    inside = section(ref("A", limit(shortest=20)) + ref("B"))
    state = after(begun(paper(linear(inside)), "A B"), BeginAttempt())
    assert refused(state, EndAttempt({"RESPONSE": "A"}, seconds=19)).code == "too-early"
    assert refused(state, MoveNext(seconds=19)).code == "too-early"
    assert after(state, EndAttempt({"RESPONSE": "A"}, seconds=20), MoveNext()).current == "B.1"
    free = after(begun(paper(part(inside)), "A B"), BeginAttempt())
    assert after(free, EndAttempt({"RESPONSE": "A"}, seconds=1), MoveNext()).current == "B.1"


def test_a_refused_event_costs_its_time_once() -> None:
    inside = section(ref("A", limit(shortest=20)) + ref("B"))
    state = after(begun(paper(linear(inside)), "A B"), BeginAttempt())
    waiting = refused(state, MoveNext(seconds=12)).state
    assert waiting.items["A.1"].seconds == 12.0
    assert after(waiting, MoveNext(seconds=8)).current == "B.1"


def test_minimum_times_of_sections_parts_and_the_test_hold_when_they_are_left() -> None:
    first = section(limit(shortest=5) + ref("A"), identifier="first")
    for test, needed in (
        (paper(linear(first + section("B", identifier="last"))), 5),
        (paper(part(limit(shortest=6) + section("A")) + part(section("B", identifier="T"), identifier="Q")), 6),
        (paper(part(section("A")), limits=limit(shortest=7)), 7),
    ):
        state = begun(test, "A B")
        assert refused(state, MoveNext(seconds=needed - 1)).code == "too-early"
        assert step(state, MoveNext(seconds=needed)).current in {"B.1", None}


def test_seconds_left_is_what_the_nearest_limit_leaves() -> None:
    inside = section(limit(60) + ref("A", limit(45)) + ref("B"))
    state = begun(paper(part(inside), limits=limit(100)), "A B")
    assert seconds_left(state) == 45.0
    assert seconds_left(after(state, BeginAttempt(), Tick(seconds=20))) == 25.0
    assert seconds_left(after(state, MoveNext(seconds=20))) == 40.0
    assert seconds_left(begun(paper(part(section("A"))), "A")) is None


def test_rules_may_ask_for_durations() -> None:
    spent = (
        '<qti-duration-gte><qti-variable identifier="{}"/>'
        '<qti-base-value base-type="duration">30</qti-base-value></qti-duration-gte>'
    )
    for name in ("A.duration", "S.duration", "P.duration", "PAPER.duration", "duration"):
        rule = branch("C", spent.format(name))
        test = paper(linear(section(ref("A", rule) + ref("B") + ref("C"))))
        state = after(begun(test, "A B C"), BeginAttempt())
        assert step(state, MoveNext(seconds=30)).current == "C.1"
        assert step(state, MoveNext(seconds=29)).current == "B.1"


def test_rules_see_what_time_running_out_hands_in() -> None:
    inside = section(ref("A", branch("C", right("A")) + limit(10)) + ref("B") + ref("C"))
    state = after(begun(paper(linear(inside)), "A B C"), BeginAttempt(), Save({"RESPONSE": "A"}))
    assert step(state, MoveNext(seconds=11)).current == "C.1"
    assert step(state, MoveNext(seconds=9)).current == "B.1"


def test_a_minimum_that_can_no_longer_be_reached_keeps_nobody() -> None:
    inside = section(limit(10) + ref("A", limit(shortest=20)) + ref("B"), identifier="first")
    state = begun(paper(linear(inside + section("C", identifier="last"))), "A B C")
    state = after(state, BeginAttempt(), Tick(seconds=11))
    assert after(state, MoveNext()).current == "C.1"


def test_when_a_part_is_out_of_time_what_was_saved_in_it_is_handed_in() -> None:
    first = part(limit(30) + section("A B"), identifier="P1")
    state = begun(paper(first + part(section("C", identifier="T"), identifier="P2")), "A B C")
    state = after(state, BeginAttempt(), Save({"RESPONSE": "A"}), MoveNext(), Tick(seconds=31))
    assert (score(state), score(state, "B.1")) == (1.0, 0.0)
    assert [state.items[key].phase for key in ("A.1", "B.1", "C.1")] == ["closed", "closed", "initial"]


def test_a_section_out_of_time_in_a_simultaneous_part_is_processed_with_the_part() -> None:
    first = section(limit(30) + ref("A"), identifier="first")
    test = paper(part(first + section("B", identifier="last"), submission="simultaneous"))
    state = after(begun(test, "A B"), BeginAttempt(), Save({"RESPONSE": "A"}), Tick(seconds=31))
    assert (score(state), state.items["A.1"].phase) == (0.0, "closed")
    assert score(after(state, MoveNext(), MoveNext())) == 1.0
