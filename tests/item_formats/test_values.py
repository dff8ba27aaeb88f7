"""QTI values by base type and cardinality, NULL among them."""

from __future__ import annotations

import pytest

from item_formats import ItemError
from item_formats.values import Value, read_value, values_match


def value(*texts: str, base_type: str = "identifier", cardinality: str = "single") -> Value:
    return read_value(texts, base_type=base_type, cardinality=cardinality, name="RESPONSE")


@pytest.mark.parametrize(
    ("text", "base_type", "expected"),
    [
        ("A", "identifier", "A"),
        (" two words ", "string", " two words "),
        ("-7", "integer", -7),
        ("1e-2", "float", 0.01),
        ("true", "boolean", True),
        ("0", "boolean", False),
        ("B A", "pair", ("A", "B")),
        ("B A", "directedPair", ("B", "A")),
    ],
)
def test_a_text_becomes_the_value_of_its_base_type(text: str, base_type: str, expected: object) -> None:
    assert value(text, base_type=base_type) == (expected,)


@pytest.mark.parametrize(
    ("text", "base_type"),
    [("1A", "identifier"), ("1.5", "integer"), ("1_0", "integer"), ("nan", "float"), ("yes", "boolean"), ("A", "pair")],
)
def test_a_text_of_another_type_is_refused_with_the_name_of_the_variable(text: str, base_type: str) -> None:
    with pytest.raises(ItemError, match="RESPONSE") as caught:
        value(text, base_type=base_type)
    assert caught.value.findings[0].code == "bad-value"


@pytest.mark.parametrize("cardinality", ["single", "multiple", "ordered"])
def test_empty_texts_and_empty_containers_are_null(cardinality: str) -> None:
    assert value(cardinality=cardinality) is None
    assert value("", cardinality=cardinality) is None


def test_a_single_value_is_one_value() -> None:
    with pytest.raises(ItemError, match="takes one value, got 2: A, B"):
        value("A", "B")


def test_records_and_unknown_types_are_refused_by_name() -> None:
    with pytest.raises(ItemError, match="record"):
        value("A", cardinality="record")
    with pytest.raises(ItemError, match='base-type="colour"; expected one of identifier, string'):
        value("A", base_type="colour")


def test_match_ignores_order_in_multiple_containers_only() -> None:
    ab, ba = ("A", "B"), ("B", "A")
    assert values_match(ab, ba, cardinality="multiple") is True
    assert values_match(ab, ba, cardinality="ordered") is False


def test_match_counts_how_often_a_value_stands_in_a_multiple_container() -> None:
    assert values_match(("A", "A"), ("A",), cardinality="multiple") is False
    assert values_match(("A", "A", "B"), ("A", "B", "B"), cardinality="multiple") is False
    assert values_match(("A", "B", "A"), ("A", "A", "B"), cardinality="multiple") is True


def test_match_with_null_is_null() -> None:
    assert values_match(None, ("A",), cardinality="single") is None
    assert values_match(None, None, cardinality="single") is None
