"""Declarations: what variables start at, and what maps their values."""

from __future__ import annotations

import pytest

from item_formats import ItemError, read_item
from item_formats.processing import Declaration, plain, read_declarations
from item_formats.processing.variables import coerced
from tests.item_formats.documents import document
from tests.item_formats.processing.evaluation import evaluate, told, val


def declared(content: str) -> dict[str, Declaration]:
    return read_declarations(read_item(document(content)).root)


def response(content: str, cardinality: str = "single", base_type: str = "string") -> dict[str, Declaration]:
    written = f'base-type="{base_type}"' if base_type else ""
    return declared(
        f'<qti-response-declaration identifier="R" cardinality="{cardinality}" {written}>{content}'
        "</qti-response-declaration>"
    )


def mapped(declarations: dict[str, Declaration], value: object) -> object:
    return told(evaluate('<map-response identifier="R"/>', {"R": value}, declarations=declarations))[1]  # type: ignore[index]


def test_outcomes_that_are_single_numbers_start_at_0_all_others_at_null() -> None:
    variables = declared(
        "".join(
            f'<qti-outcome-declaration identifier="{name}" cardinality="{cardinality}" base-type="{base_type}"/>'
            for name, cardinality, base_type in [
                ("A", "single", "float"),
                ("B", "single", "integer"),
                ("C", "single", "string"),
                ("D", "multiple", "float"),
            ]
        )
        + '<qti-template-declaration identifier="E" cardinality="single" base-type="integer"/>'
    )
    assert [told(one.start) for one in variables.values()] == [("float", 0.0), ("integer", 0), None, None, None]
    assert [one.kind for one in variables.values()] == ["outcome"] * 4 + ["template"]


def test_defaults_and_correct_responses_are_typed_containers_and_records_too() -> None:
    variables = response(
        "<qti-correct-response>\n<qti-value> A B </qti-value><qti-value>C D</qti-value></qti-correct-response>",
        "multiple",
        "pair",
    )
    assert plain(variables["R"].correct) == ["A B", "C D"]
    fields = (
        '<qti-default-value><qti-value field-identifier="x" base-type="integer">3</qti-value>'
        '<qti-value field-identifier="y" base-type="float">0.5</qti-value></qti-default-value>'
    )
    assert plain(response(fields, "record", "")["R"].default) == {"x": 3, "y": 0.5}


INTEGER = (
    '<qti-outcome-declaration identifier="A" cardinality="single" base-type="integer">'
    "<qti-default-value>{}</qti-default-value></qti-outcome-declaration>"
)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('<qti-outcome-declaration identifier="A" cardinality="some" base-type="float"/>', "bad-attribute"),
        ('<qti-outcome-declaration identifier="A" cardinality="single" base-type="number"/>', "unknown-base-type"),
        ('<qti-outcome-declaration identifier="A" cardinality="single"/>', "unknown-base-type"),
        ('<qti-outcome-declaration identifier="A" cardinality="record"/>' * 2, "repeated-declaration"),
        (INTEGER.format("<qti-value>many</qti-value>"), "bad-value"),
        (INTEGER.format("<qti-wert>1</qti-wert>"), "unexpected-element"),
        (INTEGER.format("1"), "unexpected-element"),
    ],
)
def test_declarations_that_cannot_be_are_refused(content: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        declared(content)
    assert caught.value.findings[0].code == code
    assert caught.value.findings[0].line is not None


def test_null_maps_to_the_entry_with_an_empty_key_else_to_the_default() -> None:
    entry = '<qti-map-entry map-key="x" mapped-value="2"/>'
    empty = '<qti-map-entry map-key="" mapped-value="-1"/>'
    assert mapped(response(f'<qti-mapping default-value="3">{entry}</qti-mapping>'), None) == 3.0
    assert mapped(response(f'<qti-mapping default-value="3">{entry}{empty}</qti-mapping>'), None) == -1.0
    assert mapped(response(f'<qti-mapping default-value="3" upper-bound="1">{entry}</qti-mapping>'), None) == 1.0


def test_entries_with_the_same_key_add_up_within_the_bounds() -> None:
    entries = '<qti-map-entry map-key="x" mapped-value="1.5"/><qti-map-entry map-key="x" mapped-value="2.5"/>'
    assert mapped(response(f"<qti-mapping>{entries}</qti-mapping>"), "string:x") == 4.0
    assert mapped(response(f'<qti-mapping upper-bound="3">{entries}</qti-mapping>'), "string:x") == 3.0


def test_the_first_of_two_keys_that_differ_in_case_holds_and_an_exact_entry_goes_before_a_folded_one() -> None:
    entries = (
        '<qti-map-entry map-key="rome" mapped-value="1"/>'
        '<qti-map-entry map-key="Rome" mapped-value="2" case-sensitive="true"/>'
        '<qti-map-entry map-key="ROME" mapped-value="3"/>'
    )
    variables = response(f"<qti-mapping>{entries}</qti-mapping>")
    assert [mapped(variables, f"string:{text}") for text in ("Rome", "rome", "RoMe")] == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("base_type", "key", "value"),
    [
        ("integer", "7", "multiple integer:7 8"),
        ("pair", "A B", "multiple pair:B A | C D"),
        ("point", "10 20", "multiple point:10 20 | 1 1"),
        ("boolean", "1", "multiple boolean:true"),
        ("identifier", "a", "multiple identifier:a A"),
    ],
)
def test_keys_are_values_of_the_base_type(base_type: str, key: str, value: str) -> None:
    mapping = f'<qti-mapping><qti-map-entry map-key="{key}" mapped-value="2.5"/></qti-mapping>'
    assert mapped(response(mapping, "multiple", base_type), value) == 2.5


@pytest.mark.parametrize(("said", "expected"), [("", 0.0), (' case-sensitive="false"', 2.5)])
def test_identifiers_ignore_case_only_where_an_entry_says_so(said: str, expected: float) -> None:
    mapping = f'<qti-mapping><qti-map-entry map-key="Choice7" mapped-value="2.5"{said}/></qti-mapping>'
    assert mapped(response(mapping, "multiple", "identifier"), "multiple identifier:choice7") == expected


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(ItemError, match='map-key="many"'):
        response('<qti-mapping><qti-map-entry map-key="many" mapped-value="1"/></qti-mapping>', base_type="integer")


def test_map_response_needs_a_mapping() -> None:
    with pytest.raises(ItemError, match="needs a mapping, and R has none"):
        mapped(response(""), "string:x")


AREAS = (
    '<qti-area-mapping default-value="{}"{}>'
    '<qti-area-map-entry shape="rect" coords="0,0,10,10" mapped-value="1"/>'
    '<qti-area-map-entry shape="circle" coords="10,10,5" mapped-value="2"/></qti-area-mapping>'
)


@pytest.mark.parametrize(
    ("value", "default", "bounds", "expected"),
    [
        ("multiple point:5 5", 0, "", 1.0),
        ("multiple point:12 12", 0, "", 2.0),
        ("multiple point:9 9", 0, "", 1.0),  # in both: the first listed takes it
        ("multiple point:9 9 | 12 12", 0, "", 3.0),
        ("multiple point:5 5 | 6 6", 0, "", 1.0),  # an area counts once
        ("multiple point:90 90 | 5 5", -0.5, "", 0.5),
        ("multiple point:90 90 | 91 91", -0.5, "", -1.0),
        ("multiple point:90 90 | 91 91", -0.5, ' lower-bound="0"', 0.0),
        ("multiple point:5 5 | 12 12", 0, ' upper-bound="2"', 2.0),
        (None, 4, "", 4.0),
    ],
)
def test_points_are_worth_their_areas(value: object, default: float, bounds: str, expected: float) -> None:
    variables = response(AREAS.format(default, bounds), "multiple", "point")
    got = evaluate('<map-response-point identifier="R"/>', {"R": value}, declarations=variables)
    assert told(got) == ("float", expected)


def test_correct_and_default_look_up_the_declaration() -> None:
    variables = response(
        "<qti-default-value><qti-value>x</qti-value></qti-default-value>"
        "<qti-correct-response><qti-value>y</qti-value></qti-correct-response>"
    )
    assert told(evaluate('<correct identifier="R"/>', declarations=variables)) == ("string", "y")
    assert told(evaluate('<default identifier="R"/>', declarations=variables)) == ("string", "x")


@pytest.mark.parametrize(
    ("given", "cardinality", "base_type", "expected"),
    [
        ("integer:3", "single", "float", ("float", 3.0)),
        ("float:3", "single", "integer", ("integer", 3)),
        ("float:3", "single", "duration", ("duration", 3.0)),
        ("identifier:A", "single", "string", ("string", "A")),
        ("string:A", "single", "identifier", ("identifier", "A")),
        ("float:0.5", "single", "string", ("string", "0.5")),
        ("integer:3", "multiple", "integer", ("multiple integer", [3])),
        ("multiple integer:3 4", "multiple", "float", ("multiple float", [3.0, 4.0])),
        (None, "single", "float", None),
    ],
)
def test_values_become_what_a_variable_holds_when_nothing_is_lost(
    given: object, cardinality: str, base_type: str, expected: object
) -> None:
    assert told(coerced(val(given), cardinality, base_type)) == expected


@pytest.mark.parametrize(
    ("given", "cardinality", "base_type"),
    [
        ("float:0.5", "single", "integer"),
        ("float:INF", "single", "integer"),
        ("string:two words", "single", "identifier"),
        ("string:1", "single", "integer"),
        ("multiple integer:1", "single", "integer"),
        ("multiple integer:1", "ordered", "integer"),
        ("record a=integer:1", "single", "integer"),
        ("integer:1", "record", None),
    ],
)
def test_values_that_would_lose_something_are_refused(given: str, cardinality: str, base_type: str | None) -> None:
    with pytest.raises(ValueError, match=r" for (single|ordered|record|integer|identifier)$"):
        coerced(val(given), cardinality, base_type)
