"""Typed views of what a document declares: responses, outcomes, template and context variables, and their tables.

Values stay the texts the document writes; `processing` reads them by cardinality and base type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.parsing import first_children, integer_attribute, is_true, line_of, number_attribute, qti

if TYPE_CHECKING:
    from lxml import etree


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value of a record: the name and base type of its field, and its text."""

    field: str
    base_type: str
    text: str


@dataclass(frozen=True, slots=True)
class MapEntry:
    key: str
    value: float
    case_sensitive: bool | None  # None where the document does not say: no


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[MapEntry, ...]
    default: float
    lower: float | None
    upper: float | None

    @property
    def distinct(self) -> tuple[MapEntry, ...]:
        """The entries, those with the very same key as one: the sum of their target values (docs/qti-rulings.md)."""
        worths: dict[tuple[str, bool | None], float] = {}
        for entry in self.entries:
            place = (entry.key, entry.case_sensitive)
            worths[place] = worths.get(place, 0.0) + entry.value
        return tuple(MapEntry(key, worth, case_sensitive) for (key, case_sensitive), worth in worths.items())


@dataclass(frozen=True, slots=True)
class AreaMapEntry:
    """`shape` is circle, rect, poly, ellipse or default; `coords` its numbers as HTML's area writes them."""

    shape: str
    coords: str
    value: float


@dataclass(frozen=True, slots=True)
class AreaMapping:
    entries: tuple[AreaMapEntry, ...]
    default: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class MatchTable:
    """Whole numbers to texts of the outcome's base type; `default` None is NULL."""

    entries: tuple[tuple[int, str], ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class InterpolationEntry:
    source: float
    include_boundary: bool
    target: str


@dataclass(frozen=True, slots=True)
class InterpolationTable:
    entries: tuple[InterpolationEntry, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class ResponseDeclaration:
    """`correct` and `default` are texts; of a record they are empty and the fields stand in `*_fields`."""

    identifier: str
    cardinality: str
    base_type: str
    correct: tuple[str, ...]
    default: tuple[str, ...]
    mapping: Mapping | None
    area_mapping: AreaMapping | None = None
    correct_fields: tuple[FieldValue, ...] = ()
    default_fields: tuple[FieldValue, ...] = ()
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class OutcomeDeclaration:
    identifier: str
    cardinality: str
    base_type: str
    default: tuple[str, ...]
    normal_maximum: float | None
    external_scored: str | None
    normal_minimum: float | None = None
    mastery_value: float | None = None
    interpretation: str | None = None
    views: tuple[str, ...] = ()
    match_table: MatchTable | None = None
    interpolation_table: InterpolationTable | None = None
    default_fields: tuple[FieldValue, ...] = ()
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TemplateDeclaration:
    """A variable of template processing; `parameter` and `mathematical` say where its value replaces its name."""

    identifier: str
    cardinality: str
    base_type: str
    default: tuple[str, ...]
    parameter: bool = False
    mathematical: bool = False
    default_fields: tuple[FieldValue, ...] = ()
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ContextDeclaration:
    identifier: str
    cardinality: str
    base_type: str
    default: tuple[str, ...]
    default_fields: tuple[FieldValue, ...] = ()
    line: int | None = field(default=None, compare=False)


def response_declarations(root: etree._Element) -> tuple[ResponseDeclaration, ...]:
    return tuple(_response_declaration(element) for element in root.iterchildren(qti("qti-response-declaration")))


def outcome_declarations(root: etree._Element) -> tuple[OutcomeDeclaration, ...]:
    return tuple(_outcome_declaration(element) for element in root.iterchildren(qti("qti-outcome-declaration")))


def template_declarations(root: etree._Element) -> tuple[TemplateDeclaration, ...]:
    return tuple(_template_declaration(element) for element in root.iterchildren(qti("qti-template-declaration")))


def context_declarations(root: etree._Element) -> tuple[ContextDeclaration, ...]:
    return tuple(_context_declaration(element) for element in root.iterchildren(qti("qti-context-declaration")))


def _template_declaration(element: etree._Element) -> TemplateDeclaration:
    default, default_fields = _values(first_children(element).get(_DEFAULT))
    return TemplateDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        default=default,
        parameter=is_true(element, "param-variable"),
        mathematical=is_true(element, "math-variable"),
        default_fields=default_fields,
        line=line_of(element),
    )


def _context_declaration(element: etree._Element) -> ContextDeclaration:
    default, default_fields = _values(first_children(element).get(_DEFAULT))
    return ContextDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        default=default,
        default_fields=default_fields,
        line=line_of(element),
    )


_DEFAULT, _CORRECT, _VALUE = qti("qti-default-value"), qti("qti-correct-response"), qti("qti-value")
_MAPPING, _AREA_MAPPING = qti("qti-mapping"), qti("qti-area-mapping")
_MATCH_TABLE, _INTERPOLATION_TABLE = qti("qti-match-table"), qti("qti-interpolation-table")


def _values(parent: etree._Element | None) -> tuple[tuple[str, ...], tuple[FieldValue, ...]]:
    """The values an element holds: plain ones as texts, those of a record with their fields."""
    texts: list[str] = []
    fields: list[FieldValue] = []
    for value in () if parent is None else parent:
        if value.tag != _VALUE:
            continue
        text, name = (value.text or "").strip(), value.get("field-identifier")
        if name is None:
            texts.append(text)
        else:
            fields.append(FieldValue(name, value.get("base-type", ""), text))
    return tuple(texts), tuple(fields)


def _response_declaration(element: etree._Element) -> ResponseDeclaration:
    children = first_children(element)
    correct, correct_fields = _values(children.get(_CORRECT))
    default, default_fields = _values(children.get(_DEFAULT))
    mapping, areas = children.get(_MAPPING), children.get(_AREA_MAPPING)
    return ResponseDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        correct=correct,
        default=default,
        mapping=None if mapping is None else mapping_of(mapping),
        area_mapping=None if areas is None else area_mapping_of(areas),
        correct_fields=correct_fields,
        default_fields=default_fields,
        line=line_of(element),
    )


def mapping_of(element: etree._Element) -> Mapping:
    return Mapping(
        entries=tuple(
            MapEntry(
                key=entry.get("map-key", ""),
                value=number_attribute(entry, "mapped-value") or 0.0,
                case_sensitive=is_true(entry, "case-sensitive") if "case-sensitive" in entry.attrib else None,
            )
            for entry in element.iterchildren(qti("qti-map-entry"))
        ),
        default=number_attribute(element, "default-value") or 0.0,
        lower=number_attribute(element, "lower-bound"),
        upper=number_attribute(element, "upper-bound"),
    )


def area_mapping_of(element: etree._Element) -> AreaMapping:
    return AreaMapping(
        entries=tuple(
            AreaMapEntry(
                entry.get("shape", ""), entry.get("coords", ""), number_attribute(entry, "mapped-value") or 0.0
            )
            for entry in element.iterchildren(qti("qti-area-map-entry"))
        ),
        default=number_attribute(element, "default-value") or 0.0,
        lower=number_attribute(element, "lower-bound"),
        upper=number_attribute(element, "upper-bound"),
    )


def _outcome_declaration(element: etree._Element) -> OutcomeDeclaration:
    children = first_children(element)
    default, default_fields = _values(children.get(_DEFAULT))
    matches, steps = children.get(_MATCH_TABLE), children.get(_INTERPOLATION_TABLE)
    return OutcomeDeclaration(
        identifier=element.get("identifier", ""),
        cardinality=element.get("cardinality", ""),
        base_type=element.get("base-type", ""),
        default=default,
        normal_maximum=number_attribute(element, "normal-maximum"),
        external_scored=element.get("external-scored"),
        normal_minimum=number_attribute(element, "normal-minimum"),
        mastery_value=number_attribute(element, "mastery-value"),
        interpretation=element.get("interpretation"),
        views=tuple(element.get("view", "").split()),
        match_table=None if matches is None else _match_table(matches),
        interpolation_table=None if steps is None else _interpolation_table(steps),
        default_fields=default_fields,
        line=line_of(element),
    )


def _match_table(element: etree._Element) -> MatchTable:
    return MatchTable(
        entries=tuple(
            (integer_attribute(entry, "source-value", 0, signed=True), entry.get("target-value", ""))
            for entry in element.iterchildren(qti("qti-match-table-entry"))
        ),
        default=element.get("default-value"),
    )


def _interpolation_table(element: etree._Element) -> InterpolationTable:
    return InterpolationTable(
        entries=tuple(
            InterpolationEntry(
                source=number_attribute(entry, "source-value") or 0.0,
                include_boundary=is_true(entry, "include-boundary", default=True),
                target=entry.get("target-value", ""),
            )
            for entry in element.iterchildren(qti("qti-interpolation-table-entry"))
        ),
        default=element.get("default-value"),
    )
