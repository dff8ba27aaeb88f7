"""Test feedback: during the test and at the end, of the test and of its parts."""

from __future__ import annotations

from item_formats.sessions import EndTest, JumpTo, MoveNext, TestState, feedback_shown
from tests.item_formats.sessions.papers import after, answer, begun, paper, part, section, set_outcome

RESULT = set_outcome("RESULT", '<qti-variable identifier="A.RESPONSE"/>')


def feedback(access: str, show_hide: str = "show") -> str:
    """Feedback for the answer A."""
    return f"""<qti-test-feedback identifier="A" access="{access}" outcome-identifier="RESULT"
                 show-hide="{show_hide}" title="{access} {show_hide}"><qti-content-body>合格</qti-content-body>
               </qti-test-feedback>"""


def shown(state: TestState) -> list[str]:
    return [found.title for found in feedback_shown(state)]


def session(of_test: str = "", of_part: str = "") -> TestState:
    parts = part(section("A B") + of_part, identifier="P1") + part(section("C", identifier="T"), identifier="P2")
    return begun(paper(parts, outcomes="RESULT:identifier", rules=RESULT, feedback=of_test), "A B C")


def test_during_feedback_shows_as_soon_as_something_is_handed_in() -> None:
    state = session(feedback("during"))
    assert shown(state) == []
    assert shown(answer(state, "A")) == ["during show"]
    assert shown(answer(state, "B")) == []
    assert shown(after(answer(state, "A"), EndTest())) == []


def test_feedback_at_the_end_waits_for_it() -> None:
    state = answer(session(feedback("atEnd")), "A")
    assert shown(state) == []
    assert shown(after(state, EndTest())) == ["atEnd show"]


def test_hidden_feedback_shows_when_the_value_is_another() -> None:
    state = session(feedback("atEnd", show_hide="hide"))
    assert shown(after(answer(state, "A"), EndTest())) == []
    assert shown(after(answer(state, "B"), EndTest())) == ["atEnd hide"]


def test_feedback_of_a_part_goes_by_the_part() -> None:
    state = answer(session(of_part=feedback("during") + feedback("atEnd")), "A")
    assert shown(state) == ["during show"]
    assert shown(after(state, MoveNext(), MoveNext())) == ["atEnd show"]
    assert shown(after(state, JumpTo("C"), JumpTo("A"))) == ["during show"]
    assert shown(after(state, EndTest())) == ["atEnd show"]
