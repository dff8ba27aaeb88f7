"""QTI values by base type and cardinality, NULL among them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError
from item_formats.processing.values import (
    BASE_TYPES,
    READERS,
    Value,
    container,
    plain,
    read_plain,
    read_value,
    record,
    single,
    values_match,
    written,
)


def value(*texts: str, base_type: str = "identifier", cardinality: str = "single") -> Value | None:
    return read_value(texts, base_type=base_type, cardinality=cardinality, name="RESPONSE")


def test_there_are_eleven_base_types_and_a_reader_for_each() -> None:
    assert len(BASE_TYPES) == 11
    assert set(READERS) == set(BASE_TYPES)


@pytest.mark.parametrize(
    ("text", "base_type", "expected"),
    [
        ("A", "identifier", "A"),
        ("选项甲", "identifier", "选项甲"),
        (" two words ", "string", " two words "),
        ("-7", "integer", -7),
        ("1e-2", "float", 0.01),
        ("INF", "float", math.inf),
        ("-INF", "float", -math.inf),
        ("true", "boolean", True),
        ("0", "boolean", False),
        ("B A", "pair", ("A", "B")),
        ("B A", "directedPair", ("B", "A")),
        ("102 -4", "point", (102, -4)),
        ("10.5 20", "point", (10.5, 20)),
        ("90", "duration", 90.0),
        ("P1DT2H3M4.5S", "duration", 93784.5),
        ("PT90M", "duration", 5400.0),
        ("https://example.org/x", "uri", "https://example.org/x"),
        ("answers/essay.docx", "file", "answers/essay.docx"),
    ],
)
def test_a_text_becomes_the_value_of_its_base_type(text: str, base_type: str, expected: object) -> None:
    read = value(text, base_type=base_type)
    assert read is not None
    assert read.items == (expected,)
    assert read.base_type == base_type


def test_what_is_not_a_number_is_a_float_too() -> None:
    read = value("NaN", base_type="float")
    assert read is not None
    assert math.isnan(float(str(read.items[0])))


@pytest.mark.parametrize(
    ("text", "base_type"),
    [
        ("1A", "identifier"),
        ("1.5", "integer"),
        ("1_0", "integer"),
        ("1,000", "integer"),
        ("1,000.5", "float"),
        ("nan", "float"),
        ("yes", "boolean"),
        ("A", "pair"),
        ("A B C", "directedPair"),
        ("1", "point"),
        ("PT", "duration"),
        ("P", "duration"),
    ],
)
def test_a_text_of_another_type_is_refused_with_the_name_of_the_variable(text: str, base_type: str) -> None:
    with pytest.raises(ItemError, match="RESPONSE") as caught:
        value(text, base_type=base_type)
    assert caught.value.findings[0].code == "bad-value"


@pytest.mark.parametrize("cardinality", ["single", "multiple", "ordered"])
def test_empty_texts_and_empty_containers_are_null(cardinality: str) -> None:
    assert value(cardinality=cardinality) is None
    assert value("", cardinality=cardinality) is None


def test_what_is_built_empty_is_null() -> None:
    assert single("string", "") is None
    assert container("ordered", "float", []) is None
    assert record({}) is None
    assert single("integer", 0) == Value("single", "integer", (0,))


def test_a_single_value_is_one_value() -> None:
    with pytest.raises(ItemError, match="takes one value, got 2: A, B"):
        value("A", "B")


def test_records_unknown_types_and_cardinalities_are_refused_by_name() -> None:
    with pytest.raises(ItemError, match="record"):
        value("A", cardinality="record")
    with pytest.raises(ItemError, match='base-type="colour"; expected one of identifier, string'):
        value("A", base_type="colour")
    with pytest.raises(ItemError, match='cardinality="several"'):
        value("A", cardinality="several")


def test_match_ignores_order_in_multiple_containers_only() -> None:
    for cardinality, expected in (("multiple", True), ("ordered", False)):
        ab, ba = value("A", "B", cardinality=cardinality), value("B", "A", cardinality=cardinality)
        assert values_match(ab, ba) is expected


def test_match_counts_how_often_a_value_stands_in_a_multiple_container() -> None:
    def several(*texts: str) -> Value | None:
        return value(*texts, cardinality="multiple")

    assert values_match(several("A", "A"), several("A")) is False
    assert values_match(several("A", "A", "B"), several("A", "B", "B")) is False
    assert values_match(several("A", "B", "A"), several("A", "A", "B")) is True


def test_match_with_null_is_null() -> None:
    assert values_match(None, value("A")) is None
    assert values_match(None, None) is None


def test_pairs_match_either_way_round_also_inside_containers() -> None:
    one = value("A B", "C D", base_type="pair", cardinality="multiple")
    other = value("D C", "B A", base_type="pair", cardinality="multiple")
    assert values_match(one, other) is True
    assert plain(one) == ["A B", "C D"]
    directed = [value(text, base_type="directedPair") for text in ("A B", "B A")]
    assert values_match(*directed) is False


def test_records_match_by_their_fields() -> None:
    one = record({"a": single("integer", 1), "b": None})
    assert values_match(one, record({"b": None, "a": single("integer", 1)})) is True
    assert values_match(one, record({"a": single("integer", 2), "b": None})) is False


@pytest.mark.parametrize(
    ("given", "base_type", "cardinality", "expected"),
    [
        ("A", "identifier", "single", "A"),
        ("A", "identifier", "multiple", ["A"]),
        (["A", "B"], "identifier", "ordered", ["A", "B"]),
        (7, "integer", "single", 7),
        (7, "float", "single", 7.0),
        (7, "string", "single", "7"),
        (1234567.5, "string", "single", "1234567.5"),
        (True, "boolean", "single", True),
        (["A", "B"], "directedPair", "single", "A B"),
        (["A B", "C D"], "directedPair", "multiple", ["A B", "C D"]),
        ([["A", "B"]], "pair", "multiple", ["A B"]),
        ([10, 20], "point", "single", "10 20"),
        ({"x": 1, "y": "text", "z": None}, None, "record", {"x": 1, "y": "text", "z": None}),
        ({"x": {"base_type": "float", "value": 1}}, None, "record", {"x": 1.0}),
        ([None, ""], "string", "multiple", None),
        (None, "float", "single", None),
    ],
)
def test_plain_data_becomes_a_value_and_plain_data_again(
    given: object, base_type: str | None, cardinality: str, expected: object
) -> None:
    read = read_plain(given, base_type=base_type, cardinality=cardinality, name="RESPONSE")
    assert plain(read) == expected
    assert type(plain(read)) is type(expected)


def test_a_record_is_given_by_names() -> None:
    with pytest.raises(ItemError, match="by name"):
        read_plain("A", base_type=None, cardinality="record", name="RESPONSE")


def test_infinities_are_written_as_text_in_plain_data() -> None:
    assert plain(single("float", math.inf)) == "INF"
    assert written(-math.inf) == "-INF"
    assert json.dumps(plain(single("float", math.nan))) == '"NaN"'


@given(st.floats(allow_nan=False))
def test_every_float_is_read_as_it_was_written(number: float) -> None:
    assert value(written(number), base_type="float") == Value("single", "float", (number,))


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_integers_never_get_separators_of_thousands(number: int) -> None:
    assert value(written(number), base_type="integer") == single("integer", number)
    assert set(written(number)) <= set("-0123456789")


@given(st.lists(st.sampled_from("ABCD"), min_size=1), st.randoms(use_true_random=False))
def test_a_multiple_container_matches_itself_in_any_order(items: list[str], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (container("multiple", "identifier", found) for found in (items, shuffled))
    assert values_match(one, other) is True
    assert values_match(other, container("multiple", "identifier", [*items, "A"])) is False
