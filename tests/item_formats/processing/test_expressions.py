"""Every expression: its value, NULL, the types it takes and refuses."""

from __future__ import annotations

import pytest

from item_formats import ItemError
from item_formats.processing import expression_names
from tests.item_formats.processing.evaluation import applied, evaluate, refused, told, val

# QTI 3.0, the group of expressions in the schema, by hand.
ALL = """
    and any-n base-value container-size contains correct custom-operator default delete divide duration-gte duration-lt
    equal equal-rounded field-value gcd gt gte index inside integer-divide integer-modulus integer-to-float is-null lcm
    lt lte map-response map-response-point match math-constant math-operator max member min multiple not null
    number-correct number-incorrect number-presented number-responded number-selected or ordered outcome-maximum
    outcome-minimum pattern-match power product random random-float random-integer repeat round round-to
    stats-operator string-match substring subtract sum test-variables truncate variable
"""


def test_all_expressions_of_the_schema_are_understood() -> None:
    assert expression_names() == {f"qti-{name}" for name in ALL.split()}


T, F, N = "boolean:true", "boolean:false", None

VALUES: list[tuple[str, tuple[object, ...], dict[str, object], object]] = [
    # logic
    ("and", (T, T), {}, True),
    ("and", (T, F), {}, False),
    ("and", (T, N), {}, None),
    ("and", (N, F), {}, False),
    ("or", (F, F), {}, False),
    ("or", (F, T), {}, True),
    ("or", (F, N), {}, None),
    ("or", (N, T), {}, True),
    ("not", (T,), {}, False),
    ("not", (F,), {}, True),
    ("not", (N,), {}, None),
    ("any-n", (T, T, F, N), {"min": 3, "max": 4}, None),
    ("any-n", (T, F, F, N), {"min": 3, "max": 4}, False),
    ("any-n", (T, T, T, N), {"min": 3, "max": 4}, True),
    ("any-n", (T, T, T), {"min": 1, "max": 2}, False),
    ("any-n", (T, T, N), {"min": 1, "max": 2}, None),
    ("is-null", (N,), {}, True),
    ("is-null", ("integer:0",), {}, False),
    ("is-null", ("string:",), {}, True),
    # arithmetic
    ("sum", ("integer:1", "multiple integer:2 3"), {}, 6),
    ("sum", ("integer:1", "float:0.5"), {}, 1.5),
    ("sum", ("integer:1", N), {}, None),
    ("sum", ("float:INF", "float:-INF"), {}, None),
    ("product", ("integer:4", "ordered integer:2 3"), {}, 24),
    ("product", ("integer:4", "float:0.5"), {}, 2.0),
    ("product", ("integer:999999999999999999", "integer:999999999999999999"), {}, None),
    ("product", ("integer:999999999999999999", "integer:999999999999999999", "integer:0"), {}, 0),
    ("product", ("integer:999999999999999999", "integer:1000000000000", "float:0.5"), {}, 4.99999999999999999e29),
    ("product", ("integer:0", "float:INF"), {}, None),
    ("lcm", ("integer:999999999999999989", "integer:999999999999999877"), {}, None),
    ("truncate", ("float:1e300",), {}, None),
    ("subtract", ("integer:7", "integer:9"), {}, -2),
    ("subtract", ("integer:7", "float:0.5"), {}, 6.5),
    ("divide", ("integer:7", "integer:2"), {}, 3.5),
    ("divide", ("integer:6", "integer:2"), {}, 3.0),
    ("divide", ("integer:7", "integer:0"), {}, None),
    ("divide", ("integer:7", N), {}, None),
    ("power", ("integer:2", "integer:10"), {}, 1024.0),
    ("power", ("integer:-8", "float:0.5"), {}, None),
    ("power", ("integer:0", "integer:-1"), {}, None),
    ("power", ("float:10", "integer:400"), {}, None),
    ("integer-divide", ("integer:7", "integer:2"), {}, 3),
    ("integer-divide", ("integer:-7", "integer:2"), {}, -4),
    ("integer-divide", ("integer:7", "integer:0"), {}, None),
    ("integer-modulus", ("integer:7", "integer:3"), {}, 1),
    ("integer-modulus", ("integer:49", "integer:-5"), {}, -1),
    ("integer-modulus", ("integer:7", "integer:0"), {}, None),
    ("truncate", ("float:-2.7",), {}, -2),
    ("truncate", ("float:INF",), {}, "INF"),
    ("round", ("float:2.5",), {}, 3),
    ("round", ("float:-2.5",), {}, -2),
    ("round", ("float:-2.6",), {}, -3),
    ("round", ("float:NaN",), {}, None),
    ("round", (N,), {}, None),
    ("integer-to-float", ("integer:3",), {}, 3.0),
    ("integer-to-float", (N,), {}, None),
    ("min", ("integer:3", "multiple integer:5 2"), {}, 2),
    ("max", ("integer:3", "float:2.5"), {}, 3.0),
    ("max", ("integer:3", "string:x"), {}, None),
    ("min", ("integer:3", N), {}, None),
    ("gcd", ("integer:12", "multiple integer:18 30"), {}, 6),
    ("gcd", ("integer:0", "integer:0"), {}, 0),
    ("lcm", ("integer:4", "integer:6"), {}, 12),
    ("lcm", ("integer:4", "integer:0"), {}, 0),
    ("lcm", ("integer:4", N), {}, None),
    ("round-to", ("float:1239451",), {"figures": 3}, 1240000.0),
    ("round-to", ("float:0.0012345",), {"figures": 2, "rounding_mode": "significantFigures"}, 0.0012),
    ("round-to", ("float:5.055",), {"figures": 2, "rounding_mode": "decimalPlaces"}, 5.06),
    ("round-to", ("float:-1.5",), {"figures": 0, "rounding_mode": "decimalPlaces"}, -2.0),
    ("round-to", ("float:-INF",), {"figures": 2}, "-INF"),
    ("round-to", ("float:NaN",), {"figures": 2}, None),
    # comparisons
    ("match", ("identifier:A", "identifier:A"), {}, True),
    ("match", ("multiple identifier:A B", "multiple identifier:B A"), {}, True),
    ("match", ("ordered identifier:A B", "ordered identifier:B A"), {}, False),
    ("match", ("pair:A B", "pair:B A"), {}, True),
    ("match", ("record a=integer:1", "record a=integer:1"), {}, True),
    ("match", ("identifier:A", N), {}, None),
    ("lt", ("integer:1", "float:1.5"), {}, True),
    ("lt", ("integer:1", N), {}, None),
    ("gt", ("integer:1", "float:1.5"), {}, False),
    ("lte", ("integer:2", "float:2"), {}, True),
    ("gte", ("integer:1", "float:1.5"), {}, False),
    ("gte", ("float:NaN", "float:1.5"), {}, None),
    ("duration-lt", ("duration:59", "duration:PT1M"), {}, True),
    ("duration-gte", ("duration:59", "duration:PT1M"), {}, False),
    ("duration-gte", ("duration:60", N), {}, None),
    ("equal", ("integer:1", "float:1"), {}, True),
    ("equal", ("float:0.7", "float:0.8"), {"tolerance_mode": "absolute", "tolerance": "0.1"}, True),
    ("equal", ("integer:10", "float:9"), {"tolerance_mode": "absolute", "tolerance": "1 3"}, True),
    ("equal", ("integer:10", "float:13.5"), {"tolerance_mode": "absolute", "tolerance": "1 3"}, False),
    ("equal", ("integer:200", "float:180"), {"tolerance_mode": "relative", "tolerance": "10"}, True),
    ("equal", ("integer:-200", "float:-181"), {"tolerance_mode": "relative", "tolerance": "10"}, True),
    (
        "equal",
        ("integer:10", "integer:11"),
        {"tolerance_mode": "absolute", "tolerance": "1", "include_upper_bound": False},
        False,
    ),
    (
        "equal",
        ("integer:10", "integer:9"),
        {"tolerance_mode": "absolute", "tolerance": "1", "include_lower_bound": False},
        False,
    ),
    ("equal", ("integer:10", N), {"tolerance_mode": "absolute", "tolerance": "1"}, None),
    ("equal-rounded", ("float:3.175", "float:3.183"), {"figures": 3}, True),
    ("equal-rounded", ("float:3.175", "float:3.1749"), {"figures": 3, "rounding_mode": "significantFigures"}, False),
    ("equal-rounded", ("float:1.684", "float:1.676"), {"figures": 2, "rounding_mode": "decimalPlaces"}, True),
    ("equal-rounded", ("float:1.684", N), {"figures": 2, "rounding_mode": "decimalPlaces"}, None),
    # containers
    ("multiple", ("integer:1", N, "multiple integer:2 2"), {}, [1, 2, 2]),
    ("multiple", (), {}, None),
    ("ordered", ("string:b", "ordered string:a c"), {}, ["b", "a", "c"]),
    ("ordered", (N,), {}, None),
    ("repeat", ("integer:1", "ordered integer:2 3"), {"number_repeats": 2}, [1, 2, 3, 1, 2, 3]),
    ("repeat", ("integer:1",), {"number_repeats": 0}, None),
    ("repeat", (N,), {"number_repeats": 2}, None),
    ("container-size", ("multiple integer:4 4",), {}, 2),
    ("container-size", (N,), {}, 0),
    ("index", ("ordered string:a b c",), {"n": 2}, "b"),
    ("index", ("ordered string:a b c",), {"n": 4}, None),
    ("index", (N,), {"n": 1}, None),
    ("field-value", ("record a=integer:1 b=string:x",), {"field_identifier": "b"}, "x"),
    ("field-value", ("record a=integer:1",), {"field_identifier": "z"}, None),
    ("field-value", (N,), {"field_identifier": "z"}, None),
    ("member", ("integer:2", "multiple integer:1 2"), {}, True),
    ("member", ("pair:B A", "ordered pair:A B | C D"), {}, True),
    ("member", ("integer:3", "ordered integer:1 2"), {}, False),
    ("member", (N, "ordered integer:1 2"), {}, None),
    ("delete", ("integer:2", "multiple integer:2 1 2"), {}, [1]),
    ("delete", ("integer:2", "ordered integer:2"), {}, None),
    ("delete", ("integer:2", N), {}, None),
    ("contains", ("multiple string:A B C", "multiple string:C A"), {}, True),
    ("contains", ("multiple string:A B C", "multiple string:B B"), {}, False),
    ("contains", ("ordered string:A B C", "ordered string:B C"), {}, True),
    ("contains", ("ordered string:A B C", "ordered string:A C"), {}, False),
    ("contains", (N, "ordered string:A C"), {}, None),
    ("random", ("multiple integer:7 7",), {}, 7),
    ("random", (N,), {}, None),
    # text
    ("string-match", ("string:Ab", "string:aB"), {"case_sensitive": True}, False),
    ("string-match", ("string:Ab", "string:aB"), {"case_sensitive": False}, True),
    ("string-match", ("string:Straße", "string:STRASSE"), {"case_sensitive": False}, True),
    ("string-match", ("string:hello world", "string:world"), {"case_sensitive": True, "substring": True}, True),
    ("string-match", ("string:甲", N), {"case_sensitive": True}, None),
    ("substring", ("string:学习", "string:机器学习"), {"case_sensitive": True}, True),
    ("substring", ("string:机器学习", "string:学习"), {"case_sensitive": True}, False),
    ("substring", ("string:HELL", "string:shell"), {"case_sensitive": False}, True),
    ("substring", (N, "string:shell"), {"case_sensitive": False}, None),
    ("pattern-match", ("string:2026-01",), {"pattern": r"\d{4}-\d{2}"}, True),
    ("pattern-match", ("string:x2026-01",), {"pattern": r"\d{4}-\d{2}"}, False),
    ("pattern-match", (N,), {"pattern": ".*"}, None),
    # shapes
    ("inside", ("point:5 5",), {"shape": "rect", "coords": "0,0,5,10"}, True),
    ("inside", ("point:6 5",), {"shape": "rect", "coords": "0,0,5,10"}, False),
    ("inside", ("multiple point:90 90 | 1 1",), {"shape": "circle", "coords": "0,0,2"}, True),
    ("inside", (N,), {"shape": "circle", "coords": "0,0,2"}, None),
    # functions by name
    ("math-operator", ("float:0",), {"name": "sin"}, 0.0),
    ("math-operator", ("float:0",), {"name": "cos"}, 1.0),
    ("math-operator", ("float:0",), {"name": "tan"}, 0.0),
    ("math-operator", ("float:0",), {"name": "sec"}, 1.0),
    ("math-operator", ("float:0",), {"name": "csc"}, None),
    ("math-operator", ("float:0",), {"name": "cot"}, None),
    ("math-operator", ("integer:1",), {"name": "asin"}, 1.5707963267948966),
    ("math-operator", ("integer:1",), {"name": "acos"}, 0.0),
    ("math-operator", ("integer:1",), {"name": "atan"}, 0.7853981633974483),
    ("math-operator", ("integer:1", "integer:1"), {"name": "atan2"}, 0.7853981633974483),
    ("math-operator", ("integer:1",), {"name": "asec"}, 0.0),
    ("math-operator", ("integer:0",), {"name": "asec"}, None),
    ("math-operator", ("integer:1",), {"name": "acsc"}, 1.5707963267948966),
    ("math-operator", ("integer:0",), {"name": "acot"}, 1.5707963267948966),
    ("math-operator", ("integer:0",), {"name": "sinh"}, 0.0),
    ("math-operator", ("integer:1000",), {"name": "sinh"}, "INF"),
    ("math-operator", ("integer:-1000",), {"name": "sinh"}, "-INF"),
    ("math-operator", ("integer:0",), {"name": "cosh"}, 1.0),
    ("math-operator", ("integer:0",), {"name": "tanh"}, 0.0),
    ("math-operator", ("integer:0",), {"name": "sech"}, 1.0),
    ("math-operator", ("integer:1000",), {"name": "sech"}, 0.0),
    ("math-operator", ("integer:0",), {"name": "csch"}, None),
    ("math-operator", ("integer:0",), {"name": "coth"}, None),
    ("math-operator", ("integer:1000",), {"name": "log"}, 3.0),
    ("math-operator", ("integer:0",), {"name": "log"}, None),
    ("math-operator", ("integer:1",), {"name": "ln"}, 0.0),
    ("math-operator", ("integer:-1",), {"name": "ln"}, None),
    ("math-operator", ("integer:0",), {"name": "exp"}, 1.0),
    ("math-operator", ("integer:-3",), {"name": "abs"}, 3.0),
    ("math-operator", ("float:-0.1",), {"name": "signum"}, -1),
    ("math-operator", ("float:-0.1",), {"name": "floor"}, -1),
    ("math-operator", ("float:0.1",), {"name": "ceil"}, 1),
    ("math-operator", ("float:INF",), {"name": "ceil"}, "INF"),
    ("math-operator", ("float:3.141592653589793",), {"name": "toDegrees"}, 180.0),
    ("math-operator", ("integer:180",), {"name": "toRadians"}, 3.141592653589793),
    ("math-operator", (N,), {"name": "sin"}, None),
    ("stats-operator", ("multiple integer:2 4 9",), {"name": "mean"}, 5.0),
    ("stats-operator", ("ordered float:2 4 9",), {"name": "sampleVariance"}, 13.0),
    ("stats-operator", ("ordered float:1 5",), {"name": "popVariance"}, 4.0),
    ("stats-operator", ("ordered float:1 5",), {"name": "popSD"}, 2.0),
    ("stats-operator", ("ordered float:1 3 5",), {"name": "sampleSD"}, 2.0),
    ("stats-operator", ("multiple integer:2",), {"name": "sampleSD"}, None),
    ("stats-operator", ("multiple float:2 NaN",), {"name": "mean"}, None),
    ("stats-operator", (N,), {"name": "mean"}, None),
]


@pytest.mark.parametrize(("name", "operands", "attributes", "expected"), VALUES)
def test_value(name: str, operands: tuple[object, ...], attributes: dict[str, object], expected: object) -> None:
    got = applied(name, *operands, **attributes)
    found = None if got is None else told(got)[1]  # type: ignore[index]
    assert found == expected
    assert type(found) is type(expected)


REFUSED: list[tuple[str, tuple[object, ...], dict[str, object], str]] = [
    ("and", (T, "integer:1"), {}, "wrong-type"),
    ("or", ("multiple boolean:true",), {}, "wrong-type"),
    ("not", ("string:x",), {}, "wrong-type"),
    ("any-n", ("string:x",), {"min": 1, "max": 2}, "wrong-type"),
    ("any-n", (T,), {"min": 1}, "missing-attribute"),
    ("any-n", (T,), {"min": "LEAST", "max": 2}, "bad-reference"),
    ("sum", ("integer:1", "string:x"), {}, "wrong-type"),
    ("sum", (), {}, "wrong-operands"),
    ("product", ("record a=integer:1",), {}, "wrong-type"),
    ("max", ("float:2", "record a=integer:1"), {}, "wrong-type"),
    ("subtract", ("integer:1",), {}, "wrong-operands"),
    ("subtract", ("integer:1", "multiple integer:1"), {}, "wrong-type"),
    ("divide", ("integer:1", "boolean:true"), {}, "wrong-type"),
    ("integer-divide", ("integer:1", "float:1"), {}, "wrong-type"),
    ("integer-modulus", ("float:1", "integer:1"), {}, "wrong-type"),
    ("integer-to-float", ("float:1",), {}, "wrong-type"),
    ("gcd", ("float:1",), {}, "wrong-type"),
    ("round", ("duration:60",), {}, "wrong-type"),
    ("round-to", ("float:1",), {"figures": 0}, "bad-attribute"),
    ("round-to", ("float:1",), {"figures": 1, "rounding_mode": "up"}, "bad-attribute"),
    ("match", ("identifier:A", "string:A"), {}, "wrong-type"),
    ("match", ("identifier:A", "multiple identifier:A"), {}, "wrong-type"),
    ("lt", ("integer:1", "point:1 2"), {}, "wrong-type"),
    ("duration-lt", ("duration:1", "integer:1"), {}, "wrong-type"),
    ("equal", ("integer:1", "integer:1"), {"tolerance_mode": "near"}, "bad-attribute"),
    ("equal", ("integer:1", "integer:1"), {"tolerance_mode": "absolute"}, "bad-attribute"),
    ("equal", ("integer:1", "integer:1"), {"tolerance_mode": "absolute", "tolerance": "-1"}, "bad-attribute"),
    ("equal", ("integer:1", "integer:1"), {"tolerance_mode": "absolute", "tolerance": "T0"}, "bad-reference"),
    ("multiple", ("integer:1", "string:x"), {}, "wrong-type"),
    ("multiple", ("ordered integer:1",), {}, "wrong-type"),
    ("ordered", ("record a=integer:1",), {}, "wrong-type"),
    ("repeat", ("multiple integer:1",), {"number_repeats": 1}, "wrong-type"),
    ("repeat", ("integer:1",), {"number_repeats": 999999999}, "too-large"),
    ("container-size", ("integer:1",), {}, "wrong-type"),
    ("index", ("ordered integer:1",), {"n": 0}, "bad-attribute"),
    ("index", ("multiple integer:1",), {"n": 1}, "wrong-type"),
    ("field-value", ("integer:1",), {"field_identifier": "a"}, "wrong-type"),
    ("member", ("multiple integer:1", "multiple integer:1"), {}, "wrong-type"),
    ("member", ("integer:1", "multiple float:1"), {}, "wrong-type"),
    ("delete", ("integer:1", "integer:1"), {}, "wrong-type"),
    ("contains", ("multiple integer:1", "ordered integer:1"), {}, "wrong-type"),
    ("random", ("integer:1",), {}, "wrong-type"),
    ("string-match", ("string:x", "integer:1"), {"case_sensitive": True}, "wrong-type"),
    ("substring", ("string:x", "multiple string:x"), {"case_sensitive": True}, "wrong-type"),
    ("pattern-match", ("integer:1",), {"pattern": "1"}, "wrong-type"),
    ("pattern-match", ("string:x",), {}, "missing-attribute"),
    ("pattern-match", ("string:x",), {"pattern": "(x"}, "bad-pattern"),
    ("inside", ("integer:1",), {"shape": "rect", "coords": "0,0,1,1"}, "wrong-type"),
    ("inside", ("point:1 1",), {"shape": "star", "coords": "0,0,1,1"}, "bad-attribute"),
    ("inside", ("point:1 1",), {"shape": "rect", "coords": "0,0,1"}, "bad-attribute"),
    ("math-operator", ("integer:1",), {"name": "sine"}, "bad-attribute"),
    ("math-operator", ("integer:1",), {"name": "atan2"}, "wrong-operands"),
    ("math-operator", ("string:1",), {"name": "sin"}, "wrong-type"),
    ("stats-operator", ("integer:1",), {"name": "mean"}, "wrong-type"),
    ("stats-operator", ("multiple string:1",), {"name": "mean"}, "wrong-type"),
    ("stats-operator", ("multiple integer:1",), {"name": "median"}, "bad-attribute"),
    ("number-selected", (), {}, "outside-a-test"),
    ("average", (), {}, "unknown-expression"),
]


@pytest.mark.parametrize(("name", "operands", "attributes", "code"), REFUSED)
def test_refusal(name: str, operands: tuple[object, ...], attributes: dict[str, object], code: str) -> None:
    refusal = refused(name, *operands, **attributes)
    assert refusal.code == code
    assert len(refusal.message) > 15


def test_a_refusal_tells_the_line_of_the_document() -> None:
    with pytest.raises(ItemError) as caught:
        evaluate('<sum>\n\n<not><base-value base-type="integer">1</base-value></not></sum>')
    assert caught.value.findings[0].line == 3


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<base-value base-type="integer"> 12 </base-value>', ("integer", 12)),
        ('<base-value base-type="string"> 12 </base-value>', ("string", " 12 ")),
        ('<base-value base-type="string"></base-value>', None),
        ('<base-value base-type="pair">A B</base-value>', ("pair", "A B")),
        ('<base-value base-type="duration">PT1M</base-value>', ("duration", 60.0)),
        ("<null/>", None),
        ('<math-constant name="pi"/>', ("float", 3.141592653589793)),
        ('<math-constant name="e"/>', ("float", 2.718281828459045)),
        ('<variable identifier="NOBODY"/>', None),
        ('<default identifier="NOBODY"/>', None),
    ],
)
def test_values_written_out(xml: str, expected: object) -> None:
    assert told(evaluate(xml)) == expected


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ('<base-value base-type="integer">1.5</base-value>', "bad-value"),
        ('<base-value base-type="colour">red</base-value>', "bad-attribute"),
        ('<math-constant name="tau"/>', "bad-attribute"),
        ("<variable/>", "missing-attribute"),
        ('<correct identifier="NOBODY"/>', "dangling-response"),
        ('<map-response identifier="NOBODY"/>', "dangling-response"),
        ('<map-response-point identifier="NOBODY"/>', "dangling-response"),
        ('<test-variables section-identifier="S"/>', "missing-attribute"),
        ('<custom-operator class="org.example.Trim"/>', "custom-operator"),
        ('<random-integer min="5" max="4"/>', "bad-attribute"),
        ('<random-integer min="5" max="9" step="0"/>', "bad-attribute"),
        ('<random-integer min="5"/>', "missing-attribute"),
        ('<random-float min="5" max="4"/>', "bad-attribute"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_by_name(xml: str, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        evaluate(xml)
    assert caught.value.findings[0].code == code


def test_attributes_can_name_variables() -> None:
    values = {"LIST": "ordered string:a b c", "N": "integer:3", "T0": "float:0.5", "X": "float:10", "Y": "float:9.5"}
    assert evaluate('<index n="N"><variable identifier="LIST"/></index>', values) == val("string:c")
    equal = (
        '<equal tolerance-mode="absolute" tolerance="T0"><variable identifier="X"/><variable identifier="Y"/></equal>'
    )
    assert evaluate(equal, values) == val("boolean:true")
    with pytest.raises(ItemError, match="needs a variable X with a integer"):
        evaluate('<index n="X"><variable identifier="LIST"/></index>', values)


def test_in_braces_or_bare_a_variable_is_the_same_and_half_braces_are_none() -> None:
    values = {"LIST": "ordered string:a b c", "N": "integer:3"}
    assert evaluate('<index n="{N}"><variable identifier="LIST"/></index>', values) == val("string:c")
    with pytest.raises(ItemError, match="expected a value of type integer or a variable"):
        evaluate('<index n="{N"><variable identifier="LIST"/></index>', values)


def test_a_pattern_can_be_held_by_a_variable() -> None:
    xml = '<pattern-match pattern="{MASK}"><variable identifier="CODE"/></pattern-match>'
    assert evaluate(xml, {"MASK": r"string:[A-Z]\d+", "CODE": "string:Q17"}) == val("boolean:true")
    assert evaluate(xml, {"MASK": r"string:[A-Z]\d+", "CODE": "string:17"}) == val("boolean:false")
    assert evaluate(xml, {"CODE": "string:17"}) is None


def test_a_custom_operator_nobody_reaches_does_no_harm() -> None:
    xml = '<and><base-value base-type="boolean">false</base-value><custom-operator class="x"/></and>'
    assert evaluate(xml) == val("boolean:false")


def test_expressions_nested_too_deeply_are_refused_and_deep_ones_evaluated() -> None:
    inside = '<base-value base-type="boolean">true</base-value>'
    assert evaluate("<not>" * 90 + inside + "</not>" * 90) == val("boolean:true")
    with pytest.raises(ItemError) as caught:
        evaluate("<not>" * 120 + inside + "</not>" * 120)
    assert caught.value.findings[0].code == "too-deep"
