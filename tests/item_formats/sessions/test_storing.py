"""Sessions stored and restored: at any point, with no difference afterwards."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats.findings import ItemError
from item_formats.sessions import (
    BeginAttempt,
    Comment,
    EndAttempt,
    EndTest,
    Event,
    JumpTo,
    MoveBack,
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
    begin_test,
    restore,
    step,
    store,
)
from tests.item_formats.sessions.papers import (
    TOTAL,
    answer,
    begun,
    branch,
    choice,
    control,
    item,
    items,
    limit,
    linear,
    paper,
    part,
    pre,
    ref,
    right,
    section,
)
from tests.item_formats.sessions.test_attempts import ADAPTIVE
from tests.item_formats.sessions.test_outcomes import CLONE

_REPEATED = '<qti-selection select="3" with-replacement="true"/><qti-ordering shuffle="true"/>'
_FIRST = section(control(max_attempts="0", allow_comment="true") + ref("A", limit(50)) + ref("B"), identifier="S1")
_SECOND = linear(
    section(ref("C", branch("E", right("C"))) + ref("D", pre(right("A"))) + ref("E"), identifier="S2"), identifier="P2"
)
_THIRD = part(limit(90, late=True) + section(_REPEATED + ref("F") + ref("G"), identifier="S3"), identifier="P3")
_LAST = part(
    section(control(show_solution="true") + ref("H"), identifier="S4"), identifier="P4", submission="simultaneous"
)
RICH = paper(part(_FIRST, identifier="P1") + _SECOND + _THIRD + _LAST, outcomes="TOTAL", rules=TOTAL, limits=limit(500))
BANK = {**items("A B C D E H"), "F": item("F", ADAPTIVE, adaptive=True), "G": item("G", CLONE)}

seconds = st.sampled_from([0.0, 1.0, 7.5, 30.0])
options = st.sampled_from(["A", "B", "incomplete", "completed", "12", None])
responses = st.builds(lambda option: {"RESPONSE": option}, options)
events = st.one_of(
    st.builds(BeginAttempt, seconds=seconds),
    st.builds(EndAttempt, responses, seconds=seconds),
    st.builds(Save, responses, seconds=seconds),
    st.builds(MoveNext, seconds=seconds),
    st.builds(MoveBack, seconds=seconds),
    st.builds(JumpTo, st.integers(-1, 9), seconds=seconds),
    st.builds(Skip, seconds=seconds),
    st.builds(Comment, st.text(max_size=3), seconds=seconds),
    st.builds(Tick, seconds=seconds),
    st.sampled_from([Review(), ShowSolution(), Suspend(), Resume(), EndTest()]),
)


def happen(state: TestState, event: Event) -> TestState:
    """One event, refused or not."""
    try:
        return step(state, event)
    except SessionError as refusal:
        return refusal.state


@given(st.integers(0, 50), st.lists(events, max_size=25), st.data())
def test_a_session_stored_and_restored_between_any_two_events_ends_the_same(
    seed: int, happening: list[Event], data: st.DataObject
) -> None:
    straight = interrupted = begin_test(RICH, BANK, seed)
    for event in happening:
        straight = happen(straight, event)
        if data.draw(st.booleans(), label="interrupted"):
            interrupted = restore(store(interrupted), RICH, BANK)
        interrupted = happen(interrupted, event)
    assert interrupted == straight
    assert store(interrupted) == store(straight)


@given(st.integers(0, 50), st.lists(events, max_size=25))
def test_whatever_happens_a_session_stays_sound(seed: int, happening: list[Event]) -> None:
    state = begin_test(RICH, BANK, seed)
    for event in happening:
        before, state = state, happen(state, event)
        assert (state.position is None) == (state.status == "ended")
        assert set(state.items) == {stop.key for stop in state.route}
        assert state.route == before.route
        for key, session in state.items.items():
            assert session.attempts >= before.items[key].attempts
            assert session.seconds >= before.items[key].seconds
            assert session.visited >= before.items[key].visited
            assert (session.phase == "interacting") <= (key == state.current)
        assert state.seconds.get("", 0.0) <= 500 + 30


def test_a_stored_session_is_json_without_the_test() -> None:
    stored = json.loads(store(answer(begun(paper(part(section("A"))), "A"))))
    assert stored["items"]["A.1"]["item"]["outcomes"]["SCORE"] == 1.0
    assert "qti-" not in json.dumps(stored)


def test_a_session_is_not_restored_for_another_test_or_other_items() -> None:
    test, bank = paper(part(section("A"))), items("A")
    stored = store(begin_test(test, bank, 1))
    for other_test, other_bank in (
        (paper(part(section("A"), identifier="Q")), bank),
        (test, {"A": choice("A", key="B")}),
    ):
        with pytest.raises(ItemError) as refusal:
            restore(stored, other_test, other_bank)
        assert refusal.value.findings[0].code == "another-test"


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        (b"", "not-a-session"),
        (b"[]", "not-a-session"),
        (b"{}", "not-a-session"),
        (b'{"format": 0, "test": ""}', "session-format"),
    ],
)
def test_other_bytes_are_no_session(stored: bytes, code: str) -> None:
    with pytest.raises(ItemError) as refusal:
        restore(stored, paper(part(section("A"))), items("A"))
    assert refusal.value.findings[0].code == code
