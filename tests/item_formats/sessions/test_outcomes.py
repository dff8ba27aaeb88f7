"""What a test makes of its items: weights, subsets, repeats, mappings, and when it is processed."""

from __future__ import annotations

import pytest

from item_formats.findings import ItemError
from item_formats.sessions import (
    BeginAttempt,
    EndAttempt,
    EndTest,
    JumpTo,
    MoveNext,
    TestState,
    begin_test,
    item_variables,
    score_test,
)
from tests.item_formats.sessions.papers import (
    TOTAL,
    after,
    answer,
    begun,
    branch,
    choice,
    item,
    items,
    linear,
    paper,
    part,
    ref,
    right,
    section,
    set_outcome,
)


def total_of(inside: str) -> str:
    return set_outcome("TOTAL", f"<qti-sum>{inside}</qti-sum>")


def scores(**more: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<qti-test-variables variable-identifier="SCORE"{written}/>'


def weight(value: float) -> str:
    return f'<qti-weight identifier="MARKS" value="{value}"/>'


def variable(identifier: str, **more: str) -> str:
    written = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<qti-variable identifier="{identifier}"{written}/>'


def test_the_test_is_processed_after_every_item_handed_in() -> None:
    state = begun(paper(part(section("A B")), outcomes="TOTAL", rules=TOTAL), "A B")
    totals = [state.outcomes["TOTAL"]]
    for name in ("A", "B"):
        state = answer(after(state, JumpTo(name)))
        totals.append(state.outcomes["TOTAL"])
    assert totals == [0.0, 1.0, 2.0]


def test_outcomes_begin_with_their_defaults_each_time() -> None:
    once_more = set_outcome("TOTAL", f"<qti-sum>{variable('TOTAL')}{variable('A.SCORE')}</qti-sum>")
    state = begun(paper(part(section("A B")), outcomes="TOTAL", rules=once_more), "A B")
    state = answer(after(answer(state), MoveNext()))
    assert state.outcomes["TOTAL"] == 1.0


def test_weights_sections_and_categories_choose_what_is_summed() -> None:
    inner = section(ref("C", weight(10), category="easy") + ref("D", category="hard"), identifier="inner")
    inside = section(ref("A", weight(0.5), category="easy common") + ref("B", weight(2)) + inner)
    expected = {
        scores(): 4.0,
        scores(weight_identifier="MARKS"): 13.5,
        scores(weight_identifier="OTHER"): 4.0,
        scores(section_identifier="inner"): 2.0,
        scores(section_identifier="S", include_category="easy"): 2.0,
        scores(include_category="easy hard", weight_identifier="MARKS"): 11.5,
        scores(exclude_category="easy"): 2.0,
        scores(include_category="easy", exclude_category="common"): 1.0,
    }
    for asked, total in expected.items():
        state = begun(paper(part(inside), outcomes="TOTAL", rules=total_of(asked)), "A B C D")
        for name in "ABCD":
            state = answer(after(state, JumpTo(name)))
        assert state.outcomes["TOTAL"] == total, asked


def test_a_weight_on_one_variable_multiplies_it() -> None:
    asked = total_of(variable("A.SCORE", weight_identifier="MARKS") + variable("B.SCORE", weight_identifier="MARKS"))
    test = paper(part(section(ref("A", weight(0.5)) + ref("B"))), outcomes="TOTAL", rules=asked)
    state = answer(after(answer(begun(test, "A B")), MoveNext()))
    assert state.outcomes["TOTAL"] == 1.5


def counts(state: TestState) -> dict[str, object]:
    return {name: state.outcomes[name] for name in ("SELECTED", "PRESENTED", "RESPONDED", "CORRECT", "INCORRECT")}


def test_items_are_counted_by_what_became_of_them() -> None:
    names = ("selected", "presented", "responded", "correct", "incorrect")
    rules = "".join(set_outcome(name.upper(), f"<qti-number-{name}/>") for name in names)
    declared = " ".join(f"{name.upper()}:integer" for name in names)
    no_key = item(
        "E",
        """<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="string"/>
           <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
           <qti-item-body><p>?</p></qti-item-body>""",
    )
    bank = {**items("A B C D"), "E": no_key}
    state = begin_test(paper(part(section("A B C D E")), outcomes=declared, rules=rules), bank, 1)
    assert counts(state) == dict.fromkeys(("SELECTED", "PRESENTED", "RESPONDED", "CORRECT", "INCORRECT"), 0)
    for name, option in (("A", "A"), ("B", "B"), ("C", None), ("E", "text")):
        state = answer(after(state, JumpTo(name)), option)
    assert counts(state) == {"SELECTED": 5, "PRESENTED": 4, "RESPONDED": 3, "CORRECT": 1, "INCORRECT": 2}


def test_what_could_be_reached_at_most() -> None:
    rule = set_outcome("TOTAL", '<qti-sum><qti-outcome-maximum outcome-identifier="SCORE"/></qti-sum>')
    state = answer(begun(paper(part(section("A B C")), outcomes="TOTAL", rules=rule), "A B C"), "B")
    assert state.outcomes["TOTAL"] == 3.0


REPEATED = '<qti-selection select="2" with-replacement="true"/>'


OF_APPEARANCES = "".join(
    set_outcome(name, variable(asked))
    for name, asked in {"FIRST": "A.1.SCORE", "SECOND": "A.2.SCORE", "LAST": "A.SCORE"}.items()
)


def test_appearances_of_one_item_are_asked_by_number_and_mean_nothing_without() -> None:
    test = paper(part(section(REPEATED + ref("A"))), outcomes="FIRST SECOND LAST", rules=OF_APPEARANCES)
    state = answer(begun(test, "A"), "A")
    assert (state.outcomes["FIRST"], state.outcomes["SECOND"], state.outcomes["LAST"]) == (1.0, 0.0, None)
    state = answer(after(state, MoveNext()), "B")
    assert (state.outcomes["FIRST"], state.outcomes["SECOND"], state.outcomes["LAST"]) == (1.0, 0.0, None)


@pytest.mark.parametrize(("answers", "scores"), [("AB", (1.0, 0.0, 0.0)), ("BA", (0.0, 1.0, 1.0))])
def test_in_simultaneous_parts_the_last_appearance_handed_in_goes_without_a_number(
    answers: str, scores: tuple[float, ...]
) -> None:
    inside = part(section(REPEATED + ref("A")), submission="simultaneous")
    state = begun(paper(inside, outcomes="FIRST SECOND LAST", rules=OF_APPEARANCES), "A")
    state = answer(after(answer(state, answers[0]), MoveNext()), answers[1])
    state = after(state, EndTest())
    assert tuple(state.outcomes[name] for name in ("FIRST", "SECOND", "LAST")) == scores


def test_a_mapped_variable_goes_by_its_new_name() -> None:
    mapping = '<qti-variable-mapping source-identifier="SCORE" target-identifier="POINTS"/>'
    rules = (
        set_outcome("OLD", f"<qti-sum>{scores()}</qti-sum>")
        + set_outcome("NEW", '<qti-sum><qti-test-variables variable-identifier="POINTS"/></qti-sum>')
        + set_outcome("ONE", variable("A.POINTS"))
    )
    state = answer(begun(paper(part(section(ref("A", mapping))), outcomes="OLD NEW ONE", rules=rules), "A"))
    assert (state.outcomes["OLD"], state.outcomes["NEW"], state.outcomes["ONE"]) == (None, 1.0, 1.0)
    assert item_variables(state, "A.1")["SCORE"] == 1.0


def test_variables_of_items_that_are_not_on_the_route_are_null() -> None:
    inside = section('<qti-selection select="1"/>' + ref("A", required="true") + ref("B"))
    rules = set_outcome("TOTAL", variable("B.SCORE"))
    state = answer(begun(paper(part(inside), outcomes="TOTAL", rules=rules), "A B"))
    assert state.outcomes["TOTAL"] is None


def test_exit_test_ends_the_processing_not_the_session() -> None:
    rules = set_outcome("TOTAL", variable("A.SCORE")) + "<qti-exit-test/>" + set_outcome("TOTAL", variable("B.SCORE"))
    state = answer(begun(paper(part(section("A B")), outcomes="TOTAL", rules=rules), "A B"))
    assert (state.outcomes["TOTAL"], state.status) == (1.0, "running")


def test_a_session_in_which_nothing_was_handed_in_is_processed_at_its_end() -> None:
    rules = set_outcome("TOTAL", "<qti-number-selected/>")
    state = begun(paper(part(section("A B")), outcomes="TOTAL:integer", rules=rules), "A B")
    assert state.outcomes["TOTAL"] == 0
    assert after(state, EndTest()).outcomes["TOTAL"] == 2


def test_the_end_by_itself_processes_nothing_again() -> None:
    rules = set_outcome("TOTAL", "<qti-number-presented/>")
    state = answer(begun(paper(part(section("A B")), outcomes="TOTAL:integer", rules=rules), "A B"))
    assert after(state, MoveNext(), BeginAttempt(), EndTest()).outcomes["TOTAL"] == 1


def test_branch_rules_see_the_outcomes_of_the_test() -> None:
    enough = f'<qti-gte>{variable("TOTAL")}<qti-base-value base-type="float">1</qti-base-value></qti-gte>'
    inside = linear(section(ref("A", branch("C", enough)) + ref("B") + ref("C")))
    test = paper(inside, outcomes="TOTAL", rules=TOTAL)
    assert after(answer(begun(test, "A B C"), "A"), MoveNext()).current == "C.1"
    assert after(answer(begun(test, "A B C"), "B"), MoveNext()).current == "B.1"


def test_a_value_of_another_type_is_refused_by_name() -> None:
    rules = set_outcome("TOTAL", variable("A.RESPONSE"))
    with pytest.raises(ItemError, match="TOTAL"):
        answer(begun(paper(part(section("A")), outcomes="TOTAL", rules=rules), "A"))


TEMPLATE = """
  <qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier"/>
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
  <qti-template-declaration identifier="WORTH" cardinality="single" base-type="float">
    <qti-default-value><qti-value>1</qti-value></qti-default-value></qti-template-declaration>
  <qti-item-body><p>?</p></qti-item-body>
  <qti-response-processing><qti-set-outcome-value identifier="SCORE"><qti-variable identifier="WORTH"/>
  </qti-set-outcome-value></qti-response-processing>"""


def worth(expression: str) -> str:
    return f'<qti-template-default template-identifier="WORTH">{expression}</qti-template-default>'


def test_a_test_sets_the_template_defaults_of_its_items() -> None:
    seven = worth('<qti-base-value base-type="float">7</qti-base-value>')
    bank = {"A": item("A", TEMPLATE), "B": item("B", TEMPLATE)}
    state = begin_test(paper(part(section(ref("A", seven) + ref("B")))), bank, 1)
    state = answer(after(answer(state), MoveNext()))
    assert (item_variables(state, "A.1")["SCORE"], item_variables(state, "B.1")["SCORE"]) == (7.0, 1.0)


@pytest.mark.parametrize(("navigation", "expected"), [("linear", 1.0), ("nonlinear", 0.0)])
def test_template_defaults_look_at_earlier_items_in_linear_parts_only(navigation: str, expected: float) -> None:
    bank = {"A": choice("A"), "B": item("B", TEMPLATE)}
    inside = part(section(ref("A") + ref("B", worth(variable("A.SCORE")))), navigation=navigation)
    state = answer(after(answer(begin_test(paper(inside), bank, 1)), MoveNext()))
    assert item_variables(state, "B.1")["SCORE"] == expected


CLONE = """
  <qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="integer"/>
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>
  <qti-template-declaration identifier="N" cardinality="single" base-type="integer"/>
  <qti-template-processing>
    <qti-set-template-value identifier="N"><qti-random-integer min="1" max="1000000"/></qti-set-template-value>
    <qti-set-correct-response identifier="RESPONSE"><qti-variable identifier="N"/></qti-set-correct-response>
  </qti-template-processing>
  <qti-item-body><p>?</p></qti-item-body>"""


def test_appearances_of_one_item_are_clones_of_their_own_the_same_for_the_seed() -> None:
    rules = set_outcome("TOTAL", "<qti-number-correct/>")
    test = paper(part(section(REPEATED + ref("A"))), outcomes="TOTAL", rules=rules)
    state, again = (begin_test(test, {"A": item("A", CLONE)}, 5) for _ in range(2))
    numbers = [item_variables(state, key, kind="template")["N"] for key in ("A.1", "A.2")]
    assert len(set(numbers)) == 2
    assert numbers == [item_variables(again, key, kind="template")["N"] for key in ("A.1", "A.2")]
    state = after(state, BeginAttempt(), EndAttempt({"RESPONSE": numbers[0]}))
    assert state.outcomes["TOTAL"] == 1.0


class TestWithoutASession:
    def test_test_outcomes_come_from_item_outcomes(self) -> None:
        inside = part(section(ref("A", weight(2)) + ref("B")))
        test = paper(inside, outcomes="TOTAL", rules=total_of(scores(weight_identifier="MARKS")))
        assert score_test(test, {"A": {"SCORE": 1}, "B": {"SCORE": 0.5}}) == {"TOTAL": 2.5}
        assert score_test(test, {"B": {"SCORE": 0.5}}) == {"TOTAL": 0.5}

    def test_with_the_items_correct_answers_are_known(self) -> None:
        test = paper(part(section("A B C")), outcomes="TOTAL", rules=set_outcome("TOTAL", "<qti-number-correct/>"))
        given: dict[str, dict[str, object]] = {
            "A": {"RESPONSE": "A"},
            "B": {"RESPONSE": "B"},
            "C": {"RESPONSE": "A", "numAttempts": 1},
        }
        assert score_test(test, given, items=items("A B C")) == {"TOTAL": 2.0}

    def test_appearances_are_named_by_number(self) -> None:
        test = paper(part(section("A")), outcomes="TOTAL", rules=TOTAL)
        assert score_test(test, {"A.1": {"SCORE": 1}, "A.2": {"SCORE": 2}}) == {"TOTAL": 3.0}

    @pytest.mark.parametrize(("submission", "last"), [("simultaneous", 0.5), ("individual", None)])
    def test_without_a_number_an_appearance_is_the_last_of_a_simultaneous_part(
        self, submission: str, last: float | None
    ) -> None:
        inside = part(section(REPEATED + ref("A")), submission=submission)
        test = paper(inside, outcomes="FIRST SECOND LAST", rules=OF_APPEARANCES)
        given: dict[str, dict[str, object]] = {"A.1": {"SCORE": 1.0}, "A.2": {"SCORE": 0.5}}
        assert score_test(test, given) == {"FIRST": 1.0, "SECOND": 0.5, "LAST": last}
        given["A.2"]["numAttempts"] = 0  # then the first was handed in last
        assert score_test(test, given)["LAST"] == (None if last is None else 1.0)

    def test_a_condition_of_the_session_agrees(self) -> None:
        test = paper(part(section("A B")), outcomes="TOTAL:boolean", rules=set_outcome("TOTAL", right("A")))
        state = answer(begun(test, "A B"))
        given: dict[str, dict[str, object]] = {"A": {**item_variables(state, "A.1")}}
        assert score_test(test, given, items=items("A B"))["TOTAL"] is state.outcomes["TOTAL"] is True
