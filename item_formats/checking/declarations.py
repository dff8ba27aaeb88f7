"""Rules on variables: what is declared, of what type, worth what, and whether anybody sets or uses it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.checking.facts import BUILT_IN
from item_formats.checking.found import Found, error, refused, warning
from item_formats.findings import ItemError
from item_formats.parsing import bad_attribute, is_true, number_attribute, qti
from item_formats.processing.areas import read_area
from item_formats.processing.values import BASE_TYPES, CARDINALITIES, READERS, read_scalar, read_value
from item_formats.processing.variables import read_declaration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts, Variable


def variables_are_declared_well(facts: Facts) -> Iterator[Found]:
    for name, times in Counter(variable.identifier for variable in facts.declared).items():
        if times > 1 or not name:
            message = f"{name or 'the empty identifier'} is declared {times} times: give each variable its own name"
            yield error(facts.root, "repeated-declaration", message)
    for variable in facts.declared:
        element = variable.element
        if element is None:
            continue
        yield from _name_stands(variable, element)
        found = list(_type_stands(variable, element))
        yield from found
        if not found:
            yield from _values_stand(variable, element)
            yield from _mapping_stands(variable)
            yield from _lookup_stands(variable, element)


def _name_stands(variable: Variable, element: etree._Element) -> Iterator[Found]:
    if variable.identifier:
        yield from identifier_stands(element, variable.identifier)
    built_in = BUILT_IN.get(variable.identifier)
    if built_in is not None and (variable.cardinality, variable.base_type) != (
        built_in.cardinality,
        built_in.base_type,
    ):
        message = (
            f"{variable.identifier} is built in as {built_in.cardinality} {built_in.base_type}, but declared as "
            f"{variable.cardinality} {variable.base_type}: leave the declaration out, or call the variable otherwise"
        )
        yield error(element, "built-in-redeclared", message)


def identifier_stands(element: etree._Element, identifier: str) -> Iterator[Found]:
    try:
        read_scalar(identifier, "identifier")
    except ValueError:
        message = (
            f'"{identifier}" is no identifier: begin with a letter or _, then letters, digits, and the marks _ - . only'
        )
        yield error(element, "bad-identifier", message)


def _type_stands(variable: Variable, element: etree._Element) -> Iterator[Found]:
    name, cardinality, base_type = variable.identifier, variable.cardinality, variable.base_type
    if cardinality not in CARDINALITIES:
        message = f'{name} has cardinality="{cardinality}"; expected one of {", ".join(CARDINALITIES)}'
        yield error(element, "bad-cardinality", message)
    elif cardinality != "record" and base_type not in READERS:
        message = f'{name} has base-type="{base_type}"; expected one of {", ".join(BASE_TYPES)}'
        yield error(element, "bad-base-type", message)
    external = element.get("external-scored")
    if external is not None and external not in {"human", "externalMachine"}:
        yield from refused(element, bad_attribute(element, "external-scored", "human or externalMachine"))


def _values_stand(variable: Variable, element: etree._Element) -> Iterator[Found]:
    if variable.cardinality == "record":
        for value in element.iter(qti("qti-value")):
            if not value.get("field-identifier"):
                message = f"a value of the record {variable.identifier} has no field: add field-identifier"
                yield error(value, "field-without-name", message)
            if value.get("base-type", "string") not in READERS:
                yield from refused(value, bad_attribute(value, "base-type", ", ".join(BASE_TYPES)))
        return
    for what, name in (("default value", "qti-default-value"), ("correct response", "qti-correct-response")):
        holder = variable.child(name)
        if holder is None:
            continue
        texts = [value.text or "" for value in holder.iterchildren(qti("qti-value"))]
        if not any(text.strip() for text in texts) and variable.base_type != "string":
            message = f"the {what} of {variable.identifier} holds no value: add qti-value, or leave the element out"
            yield warning(holder, "empty-value", message)
        try:
            read_value(
                texts,
                base_type=variable.base_type,
                cardinality=variable.cardinality,
                name=f"the {what} of {variable.identifier}",
            )
        except ItemError as failure:
            yield from refused(holder, failure)


def _mapping_stands(variable: Variable) -> Iterator[Found]:
    mapping, areas = variable.child("qti-mapping"), variable.child("qti-area-mapping")
    if mapping is not None:
        yield from _bounds_stand(mapping)
        entries = list(mapping.iterchildren(qti("qti-map-entry")))
        if not entries:
            yield warning(mapping, "empty-mapping", f"the mapping of {variable.identifier} maps nothing: add entries")
        yield from _numbers_stand(entries, "mapped-value")
        yield from _map_keys_stand(variable, entries)
        if variable.cardinality == "record" or variable.base_type in {"file", "duration"}:
            message = f"{variable.identifier} is {variable.cardinality} {variable.base_type}, which nothing can map"
            yield error(mapping, "mapping-of-wrong-type", message)
    if areas is not None:
        yield from _bounds_stand(areas)
        entries = list(areas.iterchildren(qti("qti-area-map-entry")))
        yield from _numbers_stand(entries, "mapped-value")
        for entry in entries:
            yield from area_stands(entry)
        if variable.base_type != "point":
            message = f"{variable.identifier} is {variable.base_type}; areas map points only: use qti-mapping"
            yield error(areas, "mapping-of-wrong-type", message)


def area_stands(element: etree._Element) -> Iterator[Found]:
    try:
        read_area(element)
    except ItemError as failure:
        yield from refused(element, failure)


def _map_keys_stand(variable: Variable, entries: list[etree._Element]) -> Iterator[Found]:
    seen: set[object] = set()
    texts: set[str] = set()
    for entry in entries:
        text = entry.get("map-key")
        if text is None:
            yield error(entry, "missing-attribute", "qti-map-entry has no map-key: add it")
            continue
        if text == "":
            continue
        key: object = text
        try:
            key = read_scalar(text, variable.base_type)
        except ValueError:
            yield from refused(entry, bad_attribute(entry, "map-key", f"a value of base-type {variable.base_type}"))
        if variable.base_type == "string" and not is_true(entry, "case-sensitive"):
            key = text.casefold()
        if key in seen:
            counted = "both entries count" if text in texts else "only its first entry counts"
            message = f'the map key "{text}" stands twice: {counted}, remove one'
            yield warning(entry, "repeated-map-key", message)
        seen.add(key)
        texts.add(text)


def _numbers_stand(entries: list[etree._Element], attribute: str) -> Iterator[Found]:
    for entry in entries:
        if attribute not in entry.attrib:
            yield error(entry, "missing-attribute", f"the map entry has no {attribute}: add it")
            continue
        try:
            number_attribute(entry, attribute)
        except ItemError as failure:
            yield from refused(entry, failure)


def _bounds_stand(mapping: etree._Element) -> Iterator[Found]:
    try:
        number_attribute(mapping, "default-value")
        lower, upper = number_attribute(mapping, "lower-bound"), number_attribute(mapping, "upper-bound")
    except ItemError as failure:
        yield from refused(mapping, failure)
        return
    if lower is not None and upper is not None and lower > upper:
        message = f"lower-bound {lower:g} is above upper-bound {upper:g}: exchange them"
        yield error(mapping, "impossible-bounds", message)


def _lookup_stands(variable: Variable, element: etree._Element) -> Iterator[Found]:
    """Tables and the numbers of an outcome, as `processing` will read them."""
    if variable.kind != "outcome":
        return
    try:
        read_declaration(element)
    except ItemError as failure:
        yield from refused(element, failure)
        return
    table = variable.child("qti-interpolation-table")
    if table is None:
        return
    starts = [
        number_attribute(entry, "source-value") or 0.0
        for entry in table.iterchildren(qti("qti-interpolation-table-entry"))
    ]
    for place in range(1, len(starts)):
        if starts[place] >= min(starts[:place]):
            message = (
                f"the entry for {starts[place]:g} is never reached: the first entry at or below a value counts, so "
                "write entries from the largest source-value to the smallest"
            )
            yield warning(table, "unreachable-entry", message)


def variables_are_used(facts: Facts) -> Iterator[Found]:
    for variable in facts.declared:
        element, name = variable.element, variable.identifier
        if element is None or name in BUILT_IN:
            continue
        is_set = name in facts.sets or (name == "SCORE" and facts.template is not None)
        if variable.kind == "outcome":
            if variable.element is not None and element.get("external-scored"):
                yield from _names_who_scores(variable, element)
            elif not is_set and not variable.default and facts.processing is not None:
                message = f"nothing ever sets the outcome {name}: set it in the processing, or remove the declaration"
                yield warning(element, "outcome-never-set", message)
            yield from _starts_somewhere(facts, variable, element)
        elif variable.kind == "template":
            if name not in facts.uses and name not in _formula_variables(facts):
                message = f"nothing shows or uses the template variable {name}: use it, or remove the declaration"
                yield warning(element, "unused-declaration", message)
            elif not is_set and not variable.default:
                message = f"the template variable {name} is used but never set, so it is NULL: set it or give a default"
                yield warning(element, "template-never-set", message)


def _names_who_scores(variable: Variable, element: etree._Element) -> Iterator[Found]:
    who = "a person" if element.get("external-scored") == "human" else "another program"
    message = (
        f'{who} sets {variable.identifier} (external-scored="{element.get("external-scored")}"): scoring leaves it'
    )
    yield warning(element, "scored-elsewhere", message)


def _starts_somewhere(facts: Facts, variable: Variable, element: etree._Element) -> Iterator[Found]:
    """Numbers start at 0; anything else that is read starts as NULL unless it has a default."""
    if variable.default or (variable.cardinality == "single" and variable.base_type in {"integer", "float"}):
        return
    readers = [one for one in facts.uses.get(variable.identifier, ()) if one.tag == qti("qti-variable")]
    if variable.identifier in facts.sets and readers:
        message = (
            f"{variable.identifier} is read by an expression and has no default value, so it may be NULL: "
            "add qti-default-value"
        )
        yield warning(element, "missing-default", message)


def _formula_variables(facts: Facts) -> frozenset[str]:
    """Names inside MathML, where template variables stand as identifiers (``mi``, ``ci``)."""
    names = ("{http://www.w3.org/1998/Math/MathML}mi", "{http://www.w3.org/1998/Math/MathML}ci")
    return frozenset((one.text or "").strip() for one in facts.root.iter(*names))
