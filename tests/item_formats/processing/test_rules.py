"""Rules: conditions, what they set, tables, exits and fragments; and how rules that cannot be run are refused."""

from __future__ import annotations

import pytest

from item_formats import ItemError, attempt, begin_item, read_item, score
from item_formats.processing import CustomOperator, Value, compile_rules, single
from tests.item_formats.documents import SCORE, document
from tests.item_formats.processing.evaluation import element_of

NUMBER = '<qti-response-declaration identifier="N" cardinality="single" base-type="float"/>'
GRADE = (
    '<qti-outcome-declaration identifier="GRADE" cardinality="single" base-type="identifier">{}'
    "</qti-outcome-declaration>"
)


def item(rules: str, declarations: str = "") -> bytes:
    return document(f"{NUMBER}{SCORE}{declarations}<qti-response-processing>{rules}</qti-response-processing>")


def outcome(rules: str, number: object = None, *, declarations: str = "", name: str = "SCORE") -> object:
    return score(read_item(item(rules, declarations)), {"N": number})[name]


def refusal(rules: str, number: object = None, declarations: str = "") -> str:
    with pytest.raises(ItemError) as caught:
        outcome(rules, number, declarations=declarations)
    assert caught.value.findings[0].line is not None
    return caught.value.findings[0].code


def points(number: float, name: str = "SCORE") -> str:
    return (
        f'<qti-set-outcome-value identifier="{name}"><qti-base-value base-type="float">{number}</qti-base-value>'
        "</qti-set-outcome-value>"
    )


def below(limit: float) -> str:
    return f'<qti-lt><qti-variable identifier="N"/><qti-base-value base-type="float">{limit}</qti-base-value></qti-lt>'


CONDITION = (
    f"<qti-response-condition><qti-response-if>{below(0)}{points(-1)}</qti-response-if>"
    f"<qti-response-else-if>{below(10)}{points(1)}</qti-response-else-if>"
    f"<qti-response-else-if>{below(20)}{points(2)}</qti-response-else-if>"
    f"<qti-response-else>{points(3)}</qti-response-else></qti-response-condition>"
)


@pytest.mark.parametrize(("number", "expected"), [(-5, -1.0), (5, 1.0), (10, 2.0), (20, 3.0), (None, 3.0)])
def test_a_condition_follows_its_first_true_branch_and_null_is_not_true(number: object, expected: float) -> None:
    assert outcome(CONDITION, number) == expected


def only_if(rules: str) -> str:
    """Rules for numbers below 0."""
    branch = f"<qti-response-if>{below(0)}{rules}</qti-response-if>"
    return f"<qti-response-condition>{branch}</qti-response-condition>"


def test_a_condition_without_a_true_branch_does_nothing() -> None:
    assert outcome(points(7) + only_if(points(-1)), 5) == 7.0


def test_a_condition_with_an_else_branch_alone_follows_it() -> None:
    alone = f"<qti-response-condition><qti-response-else>{points(2)}</qti-response-else></qti-response-condition>"
    assert outcome(alone, 5) == 2.0


def test_rules_see_what_rules_before_them_set() -> None:
    one_more = (
        '<qti-set-outcome-value identifier="SCORE"><qti-sum><qti-variable identifier="SCORE"/>'
        '<qti-base-value base-type="integer">1</qti-base-value></qti-sum></qti-set-outcome-value>'
    )
    assert outcome(one_more * 3) == 3.0


def test_an_exit_ends_everything_also_from_inside() -> None:
    leave = only_if(f"{points(-1)}<qti-exit-response/>{points(-2)}")
    assert outcome(leave + points(5), -1) == -1.0
    assert outcome(leave + points(5), 1) == 5.0


def test_a_fragment_is_its_rules_and_an_exit_in_it_leaves_all_of_them() -> None:
    fragment = "<qti-response-processing-fragment>{}</qti-response-processing-fragment>"
    assert outcome(fragment.format(points(2)) + CONDITION, 5) == 1.0
    assert outcome(fragment.format(points(2) + "<qti-exit-response/>") + points(3)) == 2.0


TABLE = (
    '<qti-interpolation-table default-value="fail">'
    '<qti-interpolation-table-entry source-value="90" target-value="A"/>'
    '<qti-interpolation-table-entry source-value="75" include-boundary="false" target-value="B"/>'
    '<qti-interpolation-table-entry source-value="60" target-value="C"/></qti-interpolation-table>'
)
LOOK_UP = '<qti-lookup-outcome-value identifier="GRADE"><qti-variable identifier="N"/></qti-lookup-outcome-value>'


@pytest.mark.parametrize(
    ("number", "grade"),
    [(100, "A"), (90, "A"), (89.9, "B"), (75.1, "B"), (75, "C"), (60, "C"), (59, "fail"), (None, "fail")],
)
def test_an_interpolation_table_takes_the_first_entry_at_most_the_number(number: object, grade: str) -> None:
    assert outcome(LOOK_UP, number, declarations=GRADE.format(TABLE), name="GRADE") == grade


@pytest.mark.parametrize(("number", "grade"), [(1, "low"), (2, "high"), (3, None), (1.5, None), (None, None)])
def test_a_match_table_takes_the_entry_of_the_integer_else_its_default(number: object, grade: str | None) -> None:
    table = (
        '<qti-match-table><qti-match-table-entry source-value="1" target-value="low"/>'
        '<qti-match-table-entry source-value="2" target-value="high"/></qti-match-table>'
    )
    assert outcome(LOOK_UP, number, declarations=GRADE.format(table), name="GRADE") == grade


def test_an_outcome_takes_the_type_of_its_declaration() -> None:
    text = '<qti-outcome-declaration identifier="TEXT" cardinality="multiple" base-type="string"/>'
    rules = '<qti-set-outcome-value identifier="TEXT"><qti-variable identifier="N"/></qti-set-outcome-value>'
    assert outcome(rules, 1234567.5, declarations=text, name="TEXT") == ["1234567.5"]


SET = '<qti-set-outcome-value identifier="SCORE">{}</qti-set-outcome-value>'
GUARDED = "<qti-response-condition><qti-response-if>{}</qti-response-if></qti-response-condition>"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (points(1, "NOBODY"), "dangling-variable"),
        (points(1, "N"), "dangling-variable"),
        ('<qti-set-outcome-value identifier="SCORE"/>', "wrong-operands"),
        ("<qti-set-outcome-value><qti-null/></qti-set-outcome-value>", "wrong-operands"),
        (LOOK_UP.replace("GRADE", "SCORE"), "no-table"),
        ("<qti-set-response-value identifier='N'><qti-null/></qti-set-response-value>", "unknown-rule"),
        ("<qti-response-condition/>", "processing-not-understood"),
        (GUARDED.format(""), "wrong-operands"),
        (GUARDED.format('<qti-variable identifier="N"/>'), "wrong-type"),
        ('<include xmlns="http://www.w3.org/2001/XInclude" href="rules.xml"/>', "include-not-followed"),
        (SET.format('<qti-custom-operator class="org.example.Grade"/>'), "custom-operator"),
        (SET.format('<qti-base-value base-type="string">many</qti-base-value>'), "wrong-type"),
    ],
)
def test_a_rule_that_cannot_be_run_is_refused_when_it_is_reached(rules: str, code: str) -> None:
    assert refusal(rules, 5) == code
    never = only_if(rules)
    assert outcome(points(4) + never, 5) == 4.0


def test_rules_are_refused_at_once_where_they_must_not_fail_later() -> None:
    with pytest.raises(ItemError, match="set-response-value"):
        compile_rules(element_of("<outcome-processing><set-response-value/></outcome-processing>"))


HALVED = (
    '<qti-custom-operator class="org.example.Half" definition="urn:x:half"><qti-variable identifier="N"/>'
    "</qti-custom-operator>"
)


def half(value: Value | None, *_: Value | None) -> Value | None:
    return None if value is None else single("float", float(str(value.items[0])) / 2)


@pytest.mark.parametrize("name", ["org.example.Half", "urn:x:half"])
def test_a_custom_operator_does_what_the_caller_says_by_its_class_or_definition(name: str) -> None:
    halved = read_item(item(SET.format(HALVED)))
    assert score(halved, {"N": 7}, custom_operators={name: half}) == {"SCORE": 3.5}
    assert score(halved, {"N": None}, custom_operators={name: half}) == {"SCORE": None}
    begun = begin_item(halved, custom_operators={name: half})
    assert attempt(halved, begun, {"N": 5}, custom_operators={name: half}).outcomes == {"SCORE": 2.5}
    with pytest.raises(ItemError, match=r"org\.example\.Half or urn:x:half is not known"):  # the same compiled program
        score(halved, {"N": 7}, custom_operators={"org.example.Other": half})


@pytest.mark.parametrize(
    ("operator", "said"),
    [
        (lambda _: 3.5, "gave float; expected a Value"),
        (lambda value: value.no_such_part, "cannot work with what it was given"),
        (lambda: None, "cannot work with what it was given"),
        (lambda _: single("string", "three"), "convert it first"),
    ],
)
def test_a_custom_operator_that_fails_is_a_refusal(operator: CustomOperator, said: str) -> None:
    halved = read_item(item(SET.format(HALVED)))
    with pytest.raises(ItemError, match=said):
        score(halved, {"N": 7}, custom_operators={"org.example.Half": operator})
