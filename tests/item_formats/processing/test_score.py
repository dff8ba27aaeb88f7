"""Scores of the standard templates, NULL, and refusal of what would score everybody wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError, for_candidate, read_item, score
from item_formats.processing import compiled
from tests.item_formats.documents import (
    SCORE,
    capitals,
    correct,
    declaration,
    document,
    mapping,
    multiple,
    processing,
    single,
    true_false,
)


def score_of(source: bytes, *response: str) -> object:
    return score(read_item(source), {"RESPONSE": list(response)})["SCORE"]


def code_of(source: bytes, responses: dict[str, list[str]]) -> str:
    with pytest.raises(ItemError) as caught:
        score(read_item(source), responses)
    assert caught.value.findings[0].item == "foreign"
    return caught.value.findings[0].code


def test_match_correct_gives_one_mark_or_none() -> None:
    item = single(key="C")
    assert [score(item, {"RESPONSE": letter})["SCORE"] for letter in "ABCD"] == [0.0, 0.0, 1.0, 0.0]
    assert score(true_false(key="×"), {"RESPONSE": "F"}) == {"SCORE": 1.0}


@given(st.sets(st.sampled_from("ABCDE")))
def test_multiple_response_is_all_or_nothing(chosen: set[str]) -> None:
    expected = 1.0 if chosen == {"A", "B", "D"} else 0.0
    assert score(multiple(key="ABD"), {"RESPONSE": sorted(chosen, reverse=True)}) == {"SCORE": expected}


@pytest.mark.parametrize("nothing", [None, "", [], [""]])
def test_no_answer_scores_nothing_and_is_no_error(nothing: str | list[str] | None) -> None:
    assert score(single(), {"RESPONSE": nothing}) == {"SCORE": 0.0}
    assert score(single(), {}) == {"SCORE": 0.0}


def test_map_response_adds_what_each_choice_is_worth() -> None:
    source = capitals(mapping({"beijing": 1, "rome": 1.5, "lyon": -2}), "map_response")
    assert score_of(source, "beijing", "rome") == 2.5
    assert score_of(source, "beijing", "lyon") == -1.0
    assert score_of(source) == 0.0


def test_map_response_stays_within_its_bounds() -> None:
    source = capitals(
        mapping({"beijing": 1, "rome": 1, "lyon": -2}, 'lower-bound="0" upper-bound="1.5"'), "map_response"
    )
    assert score_of(source, "beijing", "rome") == 1.5
    assert score_of(source, "lyon") == 0.0
    assert score_of(source) == 0.0


def test_a_choice_without_entry_scores_the_default_of_the_mapping() -> None:
    source = capitals(mapping({"beijing": 1}, 'default-value="-0.25"'), "map_response")
    assert score_of(source, "beijing", "lyon", "rome") == 0.5


def test_duplicate_values_count_once() -> None:
    source = capitals(mapping({"beijing": 1}), "map_response")
    assert score_of(source, "beijing", "beijing") == 1.0


@pytest.mark.parametrize(
    ("typed", "case_sensitive", "expected"),
    [("Rome", "false", 2.0), ("ROME", "false", 2.0), ("ROME", "true", 0.0), ("Rome", "true", 2.0)],
)
def test_text_entries_of_a_mapping_ignore_case_unless_they_say_otherwise(
    typed: str, case_sensitive: str, expected: float
) -> None:
    entry = (
        f'<qti-mapping><qti-map-entry map-key="Rome" mapped-value="2" case-sensitive="{case_sensitive}"/></qti-mapping>'
    )
    declared = declaration(entry, cardinality="single", base_type="string")
    assert score_of(document(declared + SCORE + processing("map_response")), typed) == expected


def test_numbers_map_by_value_not_by_spelling() -> None:
    declared = declaration(mapping({"1.50": 1}), cardinality="single", base_type="float")
    assert score_of(document(declared + SCORE + processing("map_response")), "1.5") == 1.0


def test_pairs_match_in_either_direction_and_directed_pairs_do_not() -> None:
    for base_type, expected in (("pair", 1.0), ("directedPair", 0.0)):
        declared = declaration(correct("A B"), cardinality="single", base_type=base_type)
        assert score_of(document(declared + SCORE + processing("match_correct")), "B A") == expected


def test_a_default_response_counts_where_nothing_was_answered() -> None:
    declared = "<qti-default-value><qti-value>rome</qti-value></qti-default-value>" + correct("rome")
    source = capitals(declared, cardinality="single", max_choices=1)
    assert score_of(source) == 1.0
    assert score_of(source, "lyon") == 0.0


def test_outcomes_start_at_their_defaults() -> None:
    others = (
        '<qti-outcome-declaration identifier="FEEDBACK" cardinality="single" base-type="identifier"/>'
        '<qti-outcome-declaration identifier="MAXSCORE" cardinality="single" base-type="float">'
        "<qti-default-value><qti-value>2</qti-value></qti-default-value></qti-outcome-declaration>"
        '<qti-outcome-declaration identifier="TAGS" cardinality="multiple" base-type="string">'
        "<qti-default-value><qti-value>a</qti-value><qti-value>b</qti-value></qti-default-value>"
        "</qti-outcome-declaration>"
        '<qti-outcome-declaration identifier="COUNT" cardinality="single" base-type="integer"/>'
    )
    source = document(declaration(correct("a")) + SCORE + others + processing("match_correct"))
    assert score(read_item(source), {}) == {
        "SCORE": 0.0,
        "FEEDBACK": None,
        "MAXSCORE": 2.0,
        "TAGS": ["a", "b"],
        "COUNT": 0.0,
    }


def test_processing_that_is_not_understood_is_refused_by_name() -> None:
    rules = "<qti-response-processing><qti-response-condition/></qti-response-processing>"
    own = document(declaration(correct("a")) + SCORE + rules)
    assert code_of(own, {}) == "processing-not-understood"
    foreign = document(declaration(correct("a")) + SCORE + processing("match_nothing"))
    with pytest.raises(ItemError, match="match_nothing is not known"):
        score(read_item(foreign), {})


def test_a_candidates_copy_cannot_be_scored() -> None:
    with pytest.raises(ItemError, match="candidate's copy"):
        score(for_candidate(single()), {"RESPONSE": "A"})


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (capitals(""), "no-correct-answer"),
        (capitals(correct("rome"), "map_response"), "no-mapping"),
        (document(declaration(correct("a")) + processing("match_correct")), "missing-outcome"),
        (document(SCORE + processing("match_correct")), "dangling-response"),
    ],
)
def test_an_item_that_would_score_everybody_wrongly_is_refused(source: bytes, code: str) -> None:
    assert code_of(source, {}) == code


@pytest.mark.parametrize(
    ("responses", "code"),
    [
        ({"RESPONSE": ["paris"]}, "response-not-an-option"),
        ({"ANSWER": ["rome"]}, "unknown-response"),
        ({"RESPONSE": ["not an identifier"]}, "bad-value"),
    ],
)
def test_responses_that_cannot_be_are_refused(responses: dict[str, list[str]], code: str) -> None:
    item = read_item(capitals(correct("rome")))
    with pytest.raises(ItemError) as caught:
        score(item, responses)
    assert caught.value.findings[0].code == code


@pytest.mark.parametrize(("typed", "expected"), [("1.5", 1.0), ("1,5", 0.0), ("一点五", 0.0), ("", 0.0)])
def test_what_is_typed_for_a_number_and_is_none_is_no_value(typed: str, expected: float) -> None:
    declared = declaration(correct("1.5"), cardinality="single", base_type="float")
    body = '<qti-item-body><p><qti-text-entry-interaction response-identifier="RESPONSE"/></p></qti-item-body>'
    item = read_item(document(declared + SCORE + body + processing("match_correct")))
    assert score(item, {"RESPONSE": typed})["SCORE"] == expected


def test_two_answers_to_a_single_choice_are_refused() -> None:
    with pytest.raises(ItemError, match="takes one value, got 2: A, B"):
        score(single(), {"RESPONSE": ["A", "B"]})


TWO_KEYS = "<qti-correct-response><qti-value>a</qti-value><qti-value>b</qti-value></qti-correct-response>"


def test_two_correct_responses_of_a_single_one_are_refused_where_they_are_asked_for() -> None:
    answer = declaration(TWO_KEYS, cardinality="single") + SCORE
    assert code_of(document(answer + processing("match_correct")), {"RESPONSE": ["a"]}) == "too-many-values"
    asked = '<qti-match><qti-variable identifier="RESPONSE"/><qti-correct identifier="RESPONSE"/></qti-match>'
    assert code_of(document(answer + own_rules(asked)), {"RESPONSE": ["a"]}) == "too-many-values"


@pytest.mark.parametrize(("response", "expected"), [("a", 1.0), ("b", 1.0), ("c", 0.0)])
def test_rules_that_do_not_ask_for_the_correct_response_score_without_one(response: str, expected: float) -> None:
    among = "".join(f'<qti-base-value base-type="identifier">{key}</qti-base-value>' for key in "ab")
    member = f'<qti-member><qti-variable identifier="RESPONSE"/><qti-multiple>{among}</qti-multiple></qti-member>'
    source = document(declaration(TWO_KEYS, cardinality="single") + SCORE + own_rules(member))
    assert score_of(source, response) == expected


def own_rules(test: str) -> str:
    """Response processing that gives one mark where `test` holds."""
    mark = '<qti-base-value base-type="float">1</qti-base-value>'
    return (
        f"<qti-response-processing><qti-response-condition><qti-response-if>{test}"
        f'<qti-set-outcome-value identifier="SCORE">{mark}</qti-set-outcome-value>'
        "</qti-response-if></qti-response-condition></qti-response-processing>"
    )


def test_an_item_is_compiled_once_for_its_digest() -> None:
    assert compiled(single()) is compiled(read_item(single().xml))
