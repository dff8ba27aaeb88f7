"""Expression cases from another engine's suite: one expression with operands or variables, and its value or error.

The cases are not in the repository. They are written as QTI 2: the expression is upgraded inside an item made for it.
Operands stand in as variables, so that any value can be one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from item_formats import ItemError, read_item
from item_formats.parsing import qti
from item_formats.processing import Declaration, Value, compile_expression, plain, read_declarations
from item_formats.processing.scope import Scope
from item_formats.processing.values import READERS, container, read_scalar, record, single, written
from tests.item_formats.item_cases import same

if TYPE_CHECKING:
    from collections.abc import Mapping

Case = dict[str, Any]

_ITEM = (
    '<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p2" identifier="i" title="t" adaptive="false" '
    'timeDependent="false">{}<outcomeDeclaration identifier="RESULT" cardinality="single" baseType="float"/>'
    "<itemBody><p/></itemBody><responseProcessing>"
    '<setOutcomeValue identifier="RESULT">{}</setOutcomeValue></responseProcessing></assessmentItem>'
)
_KINDS = {"ResponseVariable": "response", "OutcomeVariable": "outcome", "TemplateVariable": "template"}


def run_expression_case(case: Case) -> list[str]:
    """What differs between the value (or refusal) the case names and ours; [] when nothing does."""
    try:
        got = _evaluated(case)
    except ItemError as error:
        return [] if "expected_error" in case else [f"expected {case.get('expected')}, got the error {error}"]
    if "expected_error" in case:
        return [f"expected an error, got {_told(got)}"]
    expected = case.get("expected", case.get("expected_shape"))
    if expected is None or got is None:
        return [] if expected is None and got is None else [f"expected {expected}, got {_told(got)}"]
    agrees = expected["cardinality"] == got.cardinality and expected.get("base_type") == got.base_type
    agrees = agrees and ("expected" not in case or same(_plain(expected), plain(got)))
    if agrees and got.cardinality == "ordered" and "expected" in case:  # `same` compares as multisets
        agrees = len(got.items) == len(parts := _plain(expected)) and all(map(same, parts, plain(got)))
    return [] if agrees else [f"expected {expected}, got {_told(got)}"]


def _evaluated(case: Case) -> Value | None:
    declared = "".join(_declaration(name, told) for name, told in (case.get("variables") or {}).items())
    item = read_item(_ITEM.format(declared, case["expression_xml_2x"]).encode())
    (expression,) = item.root.find(f".//{qti('qti-set-outcome-value')}")
    declarations = read_declarations(item.root)
    del declarations["RESULT"]
    values = {name: _value(told["value"]) for name, told in (case.get("variables") or {}).items()}
    if "operands" in case:
        for child in list(expression):
            expression.remove(child)
        for number, told in enumerate(case["operands"]):
            name = f"OPERAND{number}"
            etree.SubElement(expression, qti("qti-variable"), identifier=name)
            values[name] = _value(told)
            declarations[name] = Declaration("outcome", name, "single", "string")
    return compile_expression(expression)(Scope(declarations, values, seed=1))


def _declaration(name: str, told: Mapping[str, Any]) -> str:
    kind = _KINDS[told["kind"]]
    base_type = f'baseType="{told["base_type"]}"' if told["base_type"] else ""
    inside = "".join(
        f"<{element}>{_written(told[key])}</{element}>"
        for key, element in (("default", "defaultValue"), ("correct", "correctResponse"))
        if told.get(key)
    )
    inside += (told.get("mapping") or "") + (told.get("area_mapping") or "")
    attributes = f'identifier="{name}" cardinality="{told["cardinality"]}" {base_type}'
    return f"<{kind}Declaration {attributes}>{inside}</{kind}Declaration>"


def _written(told: Mapping[str, Any]) -> str:
    values = told["value"] if isinstance(told["value"], list) else [told["value"]]
    return "".join(f"<value>{written(value)}</value>" for value in values)


def _value(told: Mapping[str, Any] | None) -> Value | None:
    """An operand; containers with places left empty, and base types of before QTI 3, are built as they are told."""
    if told is None or told["value"] is None:
        return None
    base_type, value = told.get("base_type"), told["value"]
    if told["cardinality"] == "record":
        return record({name: _value(part) for name, part in dict(value).items()})
    if base_type not in READERS:
        return Value(told["cardinality"], base_type, tuple(value))
    if told["cardinality"] == "single":
        return single(base_type, read_scalar(written(value), base_type))
    items = [None if part is None else read_scalar(written(part), base_type) for part in value]
    return container(told["cardinality"], base_type, items)


def _plain(told: Mapping[str, Any]) -> Any:
    """What a case expects, as plain data: durations, which its source writes as ``P2D``, in seconds."""
    value = told["value"]
    if told.get("base_type") != "duration":
        return value
    return [_seconds(part) for part in value] if isinstance(value, list) else _seconds(value)


def _seconds(told: object) -> object:
    return read_scalar(told, "duration") if isinstance(told, str) else told


def _told(value: Value | None) -> str:
    return "NULL" if value is None else f"{value.cardinality} {value.base_type} {plain(value)!r}"
