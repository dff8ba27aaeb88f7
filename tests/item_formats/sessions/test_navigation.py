"""The way through a test: modes, preconditions, branch rules and exits."""

from __future__ import annotations

import pytest

from item_formats import check
from item_formats.sessions import (
    BeginAttempt,
    EndAttempt,
    EndTest,
    JumpTo,
    MoveBack,
    MoveNext,
    SessionError,
    SessionRules,
    TestState,
    begin_test,
    item_variables,
    step,
)
from tests.item_formats.sessions.papers import (
    NO,
    YES,
    after,
    answer,
    begun,
    branch,
    items,
    linear,
    paper,
    part,
    pre,
    ref,
    right,
    section,
)


def way(state: TestState) -> list[str | None]:
    """The items met by going on, from the first to the end."""
    met = [state.current]
    while state.status == "running":
        state = step(state, MoveNext())
        met.append(state.current)
    return met


def refusal_of(state: TestState, *events: object) -> str:
    with pytest.raises(SessionError) as refusal:
        after(state, *events)  # type: ignore[arg-type]
    return refusal.value.code


def test_a_linear_part_goes_forward_only() -> None:
    state = after(begun(paper(linear(section("A B C"))), "A B C"), MoveNext())
    assert state.current == "B.1"
    assert refusal_of(state, MoveBack()) == "linear"
    assert refusal_of(state, JumpTo("A")) == "linear"
    assert way(state) == ["B.1", "C.1", None]


def test_a_nonlinear_part_goes_anywhere_also_in_other_parts() -> None:
    test = paper(part(section("A B"), identifier="P1") + part(section("C D", identifier="T"), identifier="P2"))
    state = begun(test, "A B C D")
    assert after(state, JumpTo(3), MoveBack(), MoveBack()).current == "B.1"
    assert after(state, JumpTo("D.1"), JumpTo("A")).current == "A.1"
    assert after(state, MoveBack()).current == "A.1"
    assert refusal_of(state, JumpTo(4)) == refusal_of(state, JumpTo("E")) == "no-such-item"


def test_nobody_jumps_back_into_a_linear_part() -> None:
    parts = part(section("A"), identifier="P1") + linear(section("B C", identifier="T"), identifier="P2")
    state = after(begun(paper(parts), "A B C"), JumpTo("B"))
    assert refusal_of(state, JumpTo("A")) == "linear"
    back = linear(section("A B"), identifier="P1") + part(section("C", identifier="T"), identifier="P2")
    state = after(begun(paper(back), "A B C"), MoveNext(), MoveNext())
    assert refusal_of(state, JumpTo("A")) == refusal_of(state, MoveBack()) == "linear"


def test_preconditions_of_items_and_sections_skip_them() -> None:
    inside = ref("A") + ref("B", pre(NO)) + section(pre(NO) + ref("C") + ref("D"), identifier="inner") + ref("E")
    assert way(begun(paper(linear(section(inside))), "A B C D E")) == ["A.1", "E.1", None]


def test_several_preconditions_must_all_hold_and_null_does_not() -> None:
    null = '<qti-variable identifier="A.RESPONSE"/>'
    is_b = f'<qti-match>{null}<qti-base-value base-type="identifier">B</qti-base-value></qti-match>'
    inside = ref("A") + ref("B", pre(YES) + pre(NO)) + ref("C", pre(is_b)) + ref("D", pre(YES) + pre(YES))
    assert way(begun(paper(linear(section(inside))), "A B C D")) == ["A.1", "D.1", None]


def test_a_precondition_may_ask_what_was_answered() -> None:
    test = paper(linear(section(ref("A") + ref("B", pre(right("A"))) + ref("C"))))
    assert way(answer(begun(test, "A B C"), "A")) == ["A.1", "B.1", "C.1", None]
    assert way(answer(begun(test, "A B C"), "B")) == ["A.1", "C.1", None]


def test_the_first_item_can_be_skipped_too_and_a_test_with_nothing_to_show_is_over() -> None:
    assert way(begun(paper(linear(section(ref("A", pre(NO)) + ref("B")))), "A B")) == ["B.1", None]
    assert begun(paper(linear(section(ref("A", pre(NO))))), "A").status == "ended"


def test_in_nonlinear_parts_only_the_part_itself_has_preconditions_and_branches() -> None:
    inside = ref("A", branch("C", YES)) + ref("B", pre(NO)) + ref("C")
    closed = part(pre(NO) + section("D", identifier="T"), identifier="Q")
    last = part(section("E", identifier="U"), identifier="R")
    test = paper(part(section(inside)) + closed + last)
    state = begun(test, "A B C D E")
    assert way(state) == ["A.1", "B.1", "C.1", "E.1", None]
    assert refusal_of(state, JumpTo("D")) == "precondition"


def test_a_delivery_may_heed_the_rules_of_nonlinear_parts() -> None:
    inside = ref("A", branch("C", YES)) + ref("B") + ref("C") + ref("D", pre(NO))
    rules = SessionRules(force_branch_rules=True, force_preconditions=True)
    state = begin_test(paper(part(section(inside))), items("A B C D"), 1, rules=rules)
    assert way(state) == ["A.1", "C.1", None]


def test_a_branch_leads_on_to_an_item_or_section_of_the_part() -> None:
    inner = section("C D", identifier="inner")
    for target, met in {"C": ["A.1", "C.1", "D.1"], "inner": ["A.1", "C.1", "D.1"], "D": ["A.1", "D.1"]}.items():
        test = paper(linear(section(ref("A", branch(target, YES)) + ref("B") + inner)))
        assert way(begun(test, "A B C D")) == [*met, None]


def test_a_branch_may_lead_to_one_appearance_of_an_item() -> None:
    again = section('<qti-selection select="4" with-replacement="true"/>' + ref("B"), identifier="again")
    for number in (1, 3, 4):
        test = paper(linear(section(ref("A", branch(f"B.{number}", YES))) + again))
        assert way(begun(test, "A B")) == ["A.1", *(f"B.{later}" for later in range(number, 5)), None]
        assert [found.code for found in check(test) if found.code.startswith("branch")] == []


def test_the_first_branch_rule_that_holds_is_followed() -> None:
    rules = branch("D", NO) + branch("C", right("A")) + branch("D", YES)
    test = paper(linear(section(ref("A", rules) + ref("B") + ref("C") + ref("D"))))
    assert way(answer(begun(test, "A B C D"), "A")) == ["A.1", "C.1", "D.1", None]
    assert way(answer(begun(test, "A B C D"), "B")) == ["A.1", "D.1", None]


def test_a_branch_that_does_not_lead_forward_is_passed_over() -> None:
    elsewhere = linear(section("D", identifier="T"), identifier="Q")
    inside = ref("A") + ref("B", branch("A", YES) + branch("B", YES) + branch("D", YES)) + ref("C")
    assert way(begun(paper(linear(section(inside)) + elsewhere), "A B C D")) == ["A.1", "B.1", "C.1", "D.1", None]


def test_the_target_of_a_branch_still_needs_its_preconditions() -> None:
    test = paper(linear(section(ref("A", branch("C", YES)) + ref("B") + ref("C", pre(NO)) + ref("D"))))
    assert way(begun(test, "A B C D")) == ["A.1", "D.1", None]


def test_the_rules_of_a_section_are_asked_when_it_is_over() -> None:
    first = section(branch("last", YES) + ref("A") + ref("B", pre(NO)), identifier="first")
    rest = section("C", identifier="middle") + section("D", identifier="last")
    assert way(begun(paper(linear(first + rest)), "A B C D")) == ["A.1", "D.1", None]


def test_the_rules_of_a_section_nobody_saw_are_not_asked() -> None:
    unseen = section(branch("EXIT_TEST", YES) + ref("B", pre(NO)), identifier="unseen")
    test = paper(linear(section("A", identifier="first") + unseen + section("C", identifier="last")))
    assert way(begun(test, "A B C")) == ["A.1", "C.1", None]


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ("EXIT_SECTION", ["A.1", "C.1", "D.1", "E.1", None]),
        ("EXIT_TESTPART", ["A.1", "E.1", None]),
        ("EXIT_TEST", ["A.1", None]),
        ("Q", ["A.1", "E.1", None]),
    ],
)
def test_exits_pass_over_the_rest_of_what_they_name(target: str, met: list[str | None]) -> None:
    inner = section(ref("A", branch(target, YES)) + ref("B"), identifier="inner")
    one = linear(section(inner + ref("C")) + section("D", identifier="T"))
    assert way(begun(paper(one + linear(section("E", identifier="U"), identifier="Q")), "A B C D E")) == met


def test_leaving_a_section_early_still_asks_the_rules_of_the_section() -> None:
    inner = section(branch("D", YES) + ref("A", branch("EXIT_SECTION", YES)) + ref("B"), identifier="inner")
    test = paper(linear(section(inner + ref("C") + ref("D"))))
    assert way(begun(test, "A B C D")) == ["A.1", "D.1", None]


def test_exit_section_from_a_section_ends_the_one_around_it() -> None:
    inner = section(branch("EXIT_SECTION", YES) + ref("A"), identifier="inner")
    test = paper(linear(section(inner + ref("B"), identifier="outer") + section("C", identifier="T")))
    assert way(begun(test, "A B C")) == ["A.1", "C.1", None]


def test_parts_branch_to_later_parts_in_either_mode() -> None:
    first = part(branch("R", YES) + section("A"), identifier="P")
    rest = part(section("B", identifier="T"), identifier="Q") + part(section("C", identifier="U"), identifier="R")
    assert way(begun(paper(first + rest), "A B C")) == ["A.1", "C.1", None]
    over = part(branch("EXIT_TEST", YES) + section("A"), identifier="P")
    assert way(begun(paper(over + rest), "A B C")) == ["A.1", None]


def test_moving_back_along_the_path_of_the_candidate() -> None:
    state = begin_test(paper(part(section("A B C D"))), items("A B C D"), 1, rules=SessionRules(track_path=True))
    state = after(state, MoveNext(), JumpTo("D"))
    assert after(state, MoveBack()).current == "B.1"
    assert after(state, MoveBack(), MoveBack()).current == "A.1"
    assert after(state, JumpTo("B"), MoveBack(), MoveBack()).current == "A.1"


def test_nothing_happens_after_the_end() -> None:
    state = after(begun(paper(part(section("A B"))), "A B"), EndTest())
    assert (state.status, state.current) == ("ended", None)
    for event in (MoveNext(), EndTest(), BeginAttempt(), EndAttempt(), JumpTo(0)):
        assert refusal_of(state, event) == "session-ended"


def test_a_branch_out_of_a_simultaneous_part_hands_it_in() -> None:
    first = section(ref("A", branch("R", YES)) + ref("B"))
    parts = linear(first, identifier="P", submission="simultaneous") + part(
        section("C", identifier="T"), identifier="R"
    )
    state = after(answer(begun(paper(parts), "A B C")), MoveNext())
    assert (state.current, state.handed_in, item_variables(state, "A.1")["SCORE"]) == ("C.1", ("P",), 1.0)


def test_a_linear_part_nobody_has_seen_may_be_jumped_into() -> None:
    parts = part(section("A"), identifier="P1") + linear(section("B", identifier="T"), identifier="P2")
    parts += part(section("C", identifier="U"), identifier="P3")
    assert after(begun(paper(parts), "A B C"), JumpTo("C"), JumpTo("B")).current == "B.1"
