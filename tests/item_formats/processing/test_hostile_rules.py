"""Whatever the rules say: a value, or an `ItemError` that names what is wrong. Never another exception."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from item_formats import ItemError, read_item, score
from item_formats.processing import expression_names
from tests.item_formats.documents import SCORE, document

NAMES = sorted(name.removeprefix("qti-") for name in expression_names())
ATTRIBUTES = (
    "min", "max", "step", "n", "figures", "tolerance", "tolerance-mode", "rounding-mode", "number-repeats", "name",
    "identifier", "pattern", "shape", "coords", "case-sensitive", "base-type", "field-identifier", "weight-identifier",
)  # fmt: skip
TEXTS = st.sampled_from(
    ["", "0", "1", "-1", "3", "0.5", "1e308", "INF", "NaN", "true", "A", "A B", "10 20", "0,0,9,9", "PT1M", "(a+)+b",
     "rect", "circle", "absolute", "decimalPlaces", "mean", "atan2", "exp", "RESPONSE", "N", "L", "999999999999999999"]
)  # fmt: skip
BASE_TYPES = st.sampled_from(["integer", "float", "boolean", "string", "identifier", "pair", "point", "duration"])


def written(name: str, attributes: dict[str, str], inside: list[str]) -> str:
    told = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<qti-{name}{told}>{''.join(inside)}</qti-{name}>"


LEAVES = st.one_of(
    st.tuples(BASE_TYPES, TEXTS).map(lambda told: f'<qti-base-value base-type="{told[0]}">{told[1]}</qti-base-value>'),
    st.sampled_from(["RESPONSE", "N", "L", "NOBODY"]).map(lambda name: f'<qti-variable identifier="{name}"/>'),
    st.just("<qti-null/>"),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        written,
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(ATTRIBUTES), TEXTS, max_size=3),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)
VARIABLES = (
    '<qti-response-declaration identifier="RESPONSE" cardinality="multiple" base-type="point">'
    '<qti-area-mapping default-value="1"><qti-area-map-entry shape="circle" coords="10,20,5" mapped-value="2"/>'
    "</qti-area-mapping></qti-response-declaration>"
    '<qti-outcome-declaration identifier="N" cardinality="single" base-type="integer">'
    "<qti-default-value><qti-value>3</qti-value></qti-default-value></qti-outcome-declaration>"
    '<qti-outcome-declaration identifier="L" cardinality="ordered" base-type="float">'
    "<qti-default-value><qti-value>0.5</qti-value><qti-value>-2</qti-value></qti-default-value>"
    "</qti-outcome-declaration>"
)


@settings(max_examples=400)
@given(EXPRESSIONS, st.sampled_from(["SCORE", "N", "L", "NOBODY"]))
def test_any_expression_gives_a_value_or_an_error_in_words(expression: str, target: str) -> None:
    rules = f'<qti-set-outcome-value identifier="{target}">{expression}</qti-set-outcome-value>'
    source = document(f"{VARIABLES}{SCORE}<qti-response-processing>{rules}</qti-response-processing>")
    try:
        got = set(score(read_item(source), {"RESPONSE": ["10 20", "3.5 4"]}, seed=1))
    except ItemError as error:
        got = {finding.item for finding in error.findings if finding.message and finding.line}
    assert got in ({"SCORE", "N", "L"}, {"foreign"})


SHORT = st.text(max_size=3)
RESPONSES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=9),
    st.lists(SHORT),
    st.dictionaries(SHORT, st.one_of(st.integers(), SHORT)),
)


@given(RESPONSES)
def test_any_response_gives_a_value_or_an_error_in_words(response: object) -> None:
    for cardinality in ("single", "multiple", "record"):
        declared = f'<qti-response-declaration identifier="R" cardinality="{cardinality}"'
        declared += "/>" if cardinality == "record" else ' base-type="float"/>'
        null = '<qti-is-null><qti-variable identifier="R"/></qti-is-null>'
        given_up = '<qti-outcome-declaration identifier="NULL" cardinality="single" base-type="boolean"/>'
        rules = f'<qti-set-outcome-value identifier="NULL">{null}</qti-set-outcome-value>'
        item = read_item(document(f"{declared}{given_up}<qti-response-processing>{rules}</qti-response-processing>"))
        try:
            got = score(item, {"R": response})["NULL"]
        except ItemError as error:
            got = error.findings[0].message
        assert got in {True, False} or str(got).startswith("R ")
