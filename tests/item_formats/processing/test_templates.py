"""Clones: template processing with a seed, its constraints, and what it sets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import Item, ItemError, read_item, score
from item_formats.processing import attempt, begin_item
from tests.item_formats.documents import SCORE, document, processing


def clone_item(rules: str, *, declared: str = "", template: str = "match_correct") -> Item:
    """Adds two numbers: A and B are template variables, their sum is the correct response."""
    variables = "".join(
        f'<qti-template-declaration identifier="{name}" cardinality="single" base-type="integer">'
        f"<qti-default-value><qti-value>{start}</qti-value></qti-default-value></qti-template-declaration>"
        for name, start in (("A", 1), ("B", 2))
    )
    response = '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="integer"/>'
    body = (
        '<qti-item-body><p><qti-printed-variable identifier="A"/> + <qti-printed-variable identifier="B"/> = '
        '<qti-text-entry-interaction response-identifier="RESPONSE"/></p></qti-item-body>'
    )
    content = f"{response}{SCORE}{variables}{declared}"
    return read_item(
        document(
            f"{content}<qti-template-processing>{rules}</qti-template-processing>{body}{processing(template)}",
            identifier="sum",
        )
    )


def draw(name: str, least: int = 1, most: int = 9) -> str:
    return (
        f'<qti-set-template-value identifier="{name}"><qti-random-integer min="{least}" max="{most}"/>'
        "</qti-set-template-value>"
    )


SUM = '<qti-sum><qti-variable identifier="A"/><qti-variable identifier="B"/></qti-sum>'
KEY = f'<qti-set-correct-response identifier="RESPONSE">{SUM}</qti-set-correct-response>'
A_IS_LESS = '<qti-lt><qti-variable identifier="A"/><qti-variable identifier="B"/></qti-lt>'
NEVER = '<qti-lt><qti-variable identifier="A"/><qti-variable identifier="A"/></qti-lt>'


@given(st.integers(0, 2**63))
def test_a_clone_is_the_same_for_the_same_seed_and_its_key_fits_it(seed: int) -> None:
    item = clone_item(draw("A") + draw("B") + KEY)
    state = begin_item(item, seed)
    assert begin_item(item, seed) == state
    a, b = state.template_values["A"], state.template_values["B"]
    assert isinstance(a, int)
    assert isinstance(b, int)
    assert state.corrects == {"RESPONSE": a + b}
    assert attempt(item, state, {"RESPONSE": a + b}).outcomes == {"SCORE": 1.0}
    assert attempt(item, state, {"RESPONSE": a + b + 1}).outcomes == {"SCORE": 0.0}
    assert score(item, {"RESPONSE": a + b}, seed=seed) == {"SCORE": 1.0}


def test_seeds_give_different_clones_and_no_seed_always_one() -> None:
    item = clone_item(draw("A", 1, 1_000_000) + KEY)
    assert len({begin_item(item, seed).template_values["A"] for seed in range(20)}) > 15
    assert begin_item(item) == begin_item(item)


@given(st.integers(0, 10_000))
def test_a_constraint_holds_in_every_clone(seed: int) -> None:
    constraint = f"<qti-template-constraint>{A_IS_LESS}</qti-template-constraint>"
    values = begin_item(clone_item(draw("A") + draw("B") + constraint + KEY), seed).template_values
    assert values["A"] < values["B"]  # type: ignore[operator]


def test_a_constraint_that_never_holds_leaves_the_defaults_and_goes_on() -> None:
    constraint = f"<qti-template-constraint>{NEVER}</qti-template-constraint>"
    state = begin_item(clone_item(draw("A", 5) + draw("B", 5) + constraint + KEY), 3)
    assert state.template_values == {"A": 1, "B": 2}
    assert state.corrects == {"RESPONSE": 3}


def test_what_was_set_after_a_constraint_stays() -> None:
    constraint = f"<qti-template-constraint>{NEVER}</qti-template-constraint>"
    state = begin_item(clone_item(draw("A", 5) + constraint + draw("B", 7, 7)), 3)
    assert state.template_values == {"A": 1, "B": 7}


def test_an_exit_keeps_later_rules_from_running() -> None:
    leave = (
        "<qti-template-condition><qti-template-if>"
        f"{A_IS_LESS}<qti-exit-template/></qti-template-if></qti-template-condition>"
    )
    assert begin_item(clone_item(leave + draw("A", 5, 5)), 1).template_values == {"A": 1, "B": 2}


def test_template_conditions_choose_branches() -> None:
    condition = (
        f"<qti-template-condition><qti-template-if>{NEVER}{draw('A', 4, 4)}</qti-template-if>"
        f"<qti-template-else-if>{A_IS_LESS}{draw('A', 5, 5)}</qti-template-else-if>"
        f"<qti-template-else>{draw('A', 6, 6)}</qti-template-else></qti-template-condition>"
    )
    assert begin_item(clone_item(condition), 1).template_values["A"] == 5


def test_defaults_of_responses_and_outcomes_can_be_set() -> None:
    rules = (
        '<qti-set-default-value identifier="RESPONSE"><qti-base-value base-type="integer">3</qti-base-value>'
        "</qti-set-default-value>"
        '<qti-set-default-value identifier="MAXSCORE"><qti-base-value base-type="float">4</qti-base-value>'
        "</qti-set-default-value>"
    )
    declared = '<qti-outcome-declaration identifier="MAXSCORE" cardinality="single" base-type="float"/>'
    item = clone_item(rules + KEY, declared=declared)
    state = begin_item(item, 1)
    assert state.outcomes == {"SCORE": 0.0, "MAXSCORE": 4.0}
    assert attempt(item, state, {}).outcomes == {"SCORE": 1.0, "MAXSCORE": 4.0}  # 3 is also the right sum
    assert score(item, {}, seed=1) == {"SCORE": 1.0, "MAXSCORE": 4.0}


def test_a_test_can_give_templates_other_defaults() -> None:
    item = clone_item(KEY)
    assert begin_item(item, 1, template_defaults={"A": 40}).corrects == {"RESPONSE": 42}
    with pytest.raises(ItemError, match="no such template variable"):
        begin_item(item, 1, template_defaults={"SCORE": 40})


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ('<qti-set-template-value identifier="SCORE"><qti-null/></qti-set-template-value>', "dangling-variable"),
        ('<qti-set-correct-response identifier="A"><qti-null/></qti-set-correct-response>', "dangling-response"),
        ('<qti-set-default-value identifier="NOBODY"><qti-null/></qti-set-default-value>', "dangling-variable"),
        ("<qti-template-constraint/>", "wrong-operands"),
        ("<qti-shuffle/>", "unknown-rule"),
    ],
)
def test_template_rules_that_make_no_sense_are_refused(rules: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        begin_item(clone_item(rules), 1)
    assert caught.value.findings[0].code == code
    assert caught.value.findings[0].item == "sum"
