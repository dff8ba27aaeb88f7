"""Variables from their declarations: response, outcome, template and context variables, with what maps their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from item_formats.declarations import mapping_of
from item_formats.findings import Finding, ItemError
from item_formats.parsing import bad_attribute, is_qti, is_true, line_of, local_name, number_attribute, qti
from item_formats.processing.areas import Area, read_area
from item_formats.processing.values import (
    CARDINALITIES,
    NUMERIC,
    READERS,
    Scalar,
    Value,
    read_plain,
    read_scalar,
    read_value,
    record,
    single,
    written,
)

if TYPE_CHECKING:
    from lxml import etree

KINDS = {
    "qti-response-declaration": "response",
    "qti-outcome-declaration": "outcome",
    "qti-template-declaration": "template",
    "qti-context-declaration": "context",
}


@dataclass(frozen=True, slots=True)
class Mapping:
    """What values are worth: `exact` by value, `folded` by case-folded text, the rest `default`; within bounds.

    `nothing` is what NULL is worth: the entry for the empty text, where there is one, else the default.
    """

    exact: dict[Scalar | None, float]
    folded: dict[str, float]
    default: float
    nothing: float
    lower: float | None
    upper: float | None

    def total(self, value: Value | None) -> float:
        """The sum of what each distinct value is worth (QTI 3, *map response*: duplicates count once)."""
        if value is None:
            return _bounded(self.nothing, self.lower, self.upper)
        distinct = dict.fromkeys("" if part is None else part for part in value.items)
        return _bounded(sum(self._worth(part) for part in distinct), self.lower, self.upper)

    def _worth(self, part: Scalar) -> float:
        if part in self.exact:
            return self.exact[part]
        return self.folded.get(part.casefold(), self.default) if isinstance(part, str) else self.default


@dataclass(frozen=True, slots=True)
class AreaMapping:
    areas: tuple[tuple[Area, float], ...]
    default: float
    lower: float | None
    upper: float | None

    def total(self, value: Value | None) -> float:
        """The sum over distinct points; of areas that overlap the first listed takes the point, and each counts once.

        Points in no area are worth the default, each.
        """
        if value is None:
            return _bounded(self.default, self.lower, self.upper)
        points = dict.fromkeys(part for part in value.items if isinstance(part, tuple))
        places = [self._place(float(x), float(y)) for x, y in points]
        total = sum(self.areas[place][1] for place in dict.fromkeys(places) if place is not None)
        return _bounded(total + self.default * places.count(None), self.lower, self.upper)

    def _place(self, x: float, y: float) -> int | None:
        return next((place for place, (area, _) in enumerate(self.areas) if area(x, y)), None)


@dataclass(frozen=True, slots=True)
class MatchTable:
    targets: dict[int, Value | None]
    default: Value | None

    def look_up(self, source: float | None) -> Value | None:
        """The target of an integer; a number between integers has none."""
        if source is None or source != source // 1:
            return self.default
        return self.targets.get(int(source), self.default)


@dataclass(frozen=True, slots=True)
class InterpolationTable:
    """Entries in the order they are written: source value, whether the value itself belongs to it, target."""

    entries: tuple[tuple[float, bool, Value | None], ...]
    default: Value | None

    def look_up(self, source: float | None) -> Value | None:
        """The target of the first entry whose source value is at most `source` (less, when without its boundary)."""
        if source is None:
            return self.default
        for start, inclusive, target in self.entries:
            if start < source or (inclusive and start == source):
                return target
        return self.default


@dataclass(frozen=True, slots=True)
class Declaration:
    """A variable as it is declared. `base_type` is None for records, `kind` one of the values of `KINDS`.

    `unclear_correct` says why the correct response that is written is none: it concerns only rules that ask for it.
    """

    kind: str
    identifier: str
    cardinality: str
    base_type: str | None
    default: Value | None = None
    correct: Value | None = None
    mapping: Mapping | None = None
    area_mapping: AreaMapping | None = None
    lookup: MatchTable | InterpolationTable | None = None
    normal_minimum: float | None = None
    normal_maximum: float | None = None
    mastery_value: float | None = None
    external_scored: str | None = None
    line: int | None = None
    unclear_correct: Finding | None = None

    @property
    def start(self) -> Value | None:
        """What the variable holds before anything happened: outcomes that are single numbers start at 0 (QTI 3)."""
        if self.default is None and self.kind == "outcome" and self.cardinality == "single":
            return {"integer": _ZERO, "float": _ZERO_FLOAT}.get(self.base_type or "")
        return self.default


_ZERO = single("integer", 0)
_ZERO_FLOAT = single("float", 0.0)


def read_declarations(parent: etree._Element) -> dict[str, Declaration]:
    """All variables an item or a test declares, by identifier.

    Raises
    ------
    ItemError
        A declaration that cannot be read, or two of one name.
    """
    declared: dict[str, Declaration] = {}
    for child in parent:
        if not is_qti(child) or local_name(child) not in KINDS:
            continue
        declaration = read_declaration(child)
        if declaration.identifier in declared:
            message = f"{declaration.identifier} is declared twice: give each variable its own name"
            raise ItemError(Finding("error", "repeated-declaration", message, line=line_of(child)))
        declared[declaration.identifier] = declaration
    return declared


def read_declaration(element: etree._Element) -> Declaration:
    """The variable a declaration element declares.

    Raises
    ------
    ItemError
        A cardinality or base type QTI does not have, or a value that is not of the type.
    """
    identifier, cardinality = element.get("identifier", ""), element.get("cardinality", "")
    base_type = None if cardinality == "record" else element.get("base-type")
    if cardinality not in CARDINALITIES:
        raise bad_attribute(element, "cardinality", f"one of {', '.join(CARDINALITIES)}")
    if cardinality != "record" and base_type not in READERS:
        message = f'{identifier} has base-type="{base_type}"; expected one of {", ".join(READERS)}'
        raise ItemError(Finding("error", "unknown-base-type", message, line=line_of(element)))
    mapping, areas = element.find(qti("qti-mapping")), element.find(qti("qti-area-mapping"))
    correct, unclear_correct = None, None
    try:
        correct = read_values(element, "qti-correct-response", cardinality, base_type)
    except ItemError as error:
        unclear_correct = error.findings[0]
        if unclear_correct.code != "too-many-values":
            raise
    return Declaration(
        kind=KINDS[local_name(element)],
        identifier=identifier,
        cardinality=cardinality,
        base_type=base_type,
        default=read_values(element, "qti-default-value", cardinality, base_type),
        correct=correct,
        unclear_correct=unclear_correct,
        mapping=None if mapping is None or base_type is None else read_mapping(mapping, base_type),
        area_mapping=None if areas is None else read_area_mapping(areas),
        lookup=_read_lookup(element, base_type),
        normal_minimum=number_attribute(element, "normal-minimum"),
        normal_maximum=number_attribute(element, "normal-maximum"),
        mastery_value=number_attribute(element, "mastery-value"),
        external_scored=element.get("external-scored"),
        line=line_of(element),
    )


def read_values(parent: etree._Element, name: str, cardinality: str, base_type: str | None) -> Value | None:
    """The value a `qti-default-value` or `qti-correct-response` inside a declaration writes; NULL without one."""
    holder = parent.find(qti(name))
    if holder is None:
        return None
    values = [child for child in holder if local_name(child)]
    for child in values:
        if child.tag != qti("qti-value"):
            message = f"{name} holds <{local_name(child)}>; expected <qti-value>"
            raise ItemError(Finding("error", "unexpected-element", message, line=line_of(child)))
    if not values and (holder.text or "").strip():
        message = f"{name} holds text of its own; expected it in <qti-value>"
        raise ItemError(Finding("error", "unexpected-element", message, line=line_of(holder)))
    where = f"{name} of {parent.get('identifier', '')}"
    try:
        if cardinality == "record":
            return record({child.get("field-identifier", ""): _record_field(child, where) for child in values})
        # indentation around a value is not part of it, not even of a string
        texts = [(child.text or "").strip() for child in values]
        return read_value(texts, base_type=base_type or "", cardinality=cardinality, name=where)
    except ItemError as error:
        first = error.findings[0]
        raise ItemError(Finding("error", first.code, first.message, line=line_of(holder))) from None


def read_mapping(element: etree._Element, base_type: str) -> Mapping:
    exact: dict[Scalar | None, float] = {}
    folded: dict[str, float] = {}
    declared = mapping_of(element)
    for entry in declared.distinct:
        if entry.key == "":
            exact.setdefault("", entry.value)
        elif base_type == "string" and not entry.case_sensitive:
            folded.setdefault(entry.key.casefold(), entry.value)
        else:
            exact.setdefault(_key(element, entry.key, base_type), entry.value)
            # of identifiers only where an entry asks for it: by default two options, A and a, stay two
            if base_type == "identifier" and entry.case_sensitive is False:
                folded.setdefault(entry.key.casefold(), entry.value)
    nothing = exact.get("", declared.default)
    return Mapping(exact, folded, declared.default, nothing, declared.lower, declared.upper)


def read_area_mapping(element: etree._Element) -> AreaMapping:
    return AreaMapping(
        tuple(
            (read_area(entry), number_attribute(entry, "mapped-value") or 0.0)
            for entry in element.iterchildren(qti("qti-area-map-entry"))
        ),
        number_attribute(element, "default-value") or 0.0,
        number_attribute(element, "lower-bound"),
        number_attribute(element, "upper-bound"),
    )


def typed(declaration: Declaration, value: object) -> Value | None:
    """A plain value (see `values.read_plain`) as the variable holds it."""
    return read_plain(
        value, base_type=declaration.base_type, cardinality=declaration.cardinality, name=declaration.identifier
    )


def coerced(value: Value | None, cardinality: str, base_type: str | None) -> Value | None:
    """The value as a variable of another type may hold it; None where it is NULL.

    An integer becomes a float and a whole float an integer; text and identifiers and addresses become each other; one
    value becomes a container of one.

    Raises
    ------
    ValueError
        The types do not go together.
    """
    if value is None or (value.cardinality == cardinality and value.base_type == base_type):
        return value
    if value.cardinality not in {cardinality, "single"} or "record" in {value.cardinality, cardinality}:
        raise ValueError(f"{value.cardinality} for {cardinality}")
    items = value.items
    if value.base_type != base_type:
        items = tuple(None if part is None else _coerced_scalar(part, value.base_type, base_type) for part in items)
    return Value(cardinality, base_type, items)


_TEXTUAL = frozenset({"string", "identifier", "uri"})


def _coerced_scalar(part: Scalar, given: str | None, wanted: str | None) -> Scalar:
    if isinstance(part, (int, float)) and given in NUMERIC:
        if wanted == "float" or (given == "integer" and wanted == "duration"):
            return float(part)
        if wanted == "integer" and part == part // 1:
            return int(part)
    if isinstance(part, float) and {given, wanted} == {"float", "duration"}:
        return part
    if wanted == "string":
        return written(part)
    if given in _TEXTUAL and wanted is not None and wanted in _TEXTUAL:
        try:
            return read_scalar(written(part), wanted)
        except ValueError:
            raise ValueError(f"“{written(part)}” for {wanted}") from None
    raise ValueError(f"{given} {written(part)} for {wanted}")


def _bounded(total: float, lower: float | None, upper: float | None) -> float:
    if lower is not None:
        total = max(total, lower)
    return total if upper is None else min(total, upper)


def _key(mapping: etree._Element, key: str, base_type: str) -> Scalar:
    try:
        return read_scalar(key, base_type)
    except ValueError:
        entry = next(one for one in mapping.iterchildren(qti("qti-map-entry")) if one.get("map-key") == key)
        raise bad_attribute(entry, "map-key", f"a value of base-type {base_type}") from None


def _record_field(element: etree._Element, where: str) -> Value | None:
    text = (element.text or "").strip()
    name = f"{element.get('field-identifier')} in {where}"
    return read_value((text,), base_type=element.get("base-type", "string"), cardinality="single", name=name)


def _read_lookup(element: etree._Element, base_type: str | None) -> MatchTable | InterpolationTable | None:
    table = element.find(qti("qti-match-table"))
    if table is not None:
        targets: dict[int, Value | None] = {}
        for entry in table.iterchildren(qti("qti-match-table-entry")):
            source = number_attribute(entry, "source-value")
            if source is None or source != source // 1:
                raise bad_attribute(entry, "source-value", "an integer")
            targets.setdefault(int(source), _target(entry, "target-value", base_type))
        return MatchTable(targets, _target(table, "default-value", base_type))
    table = element.find(qti("qti-interpolation-table"))
    if table is None:
        return None
    entries = []
    for entry in table.iterchildren(qti("qti-interpolation-table-entry")):
        start = number_attribute(entry, "source-value")
        if start is None:
            raise bad_attribute(entry, "source-value", "a number")
        inclusive = is_true(entry, "include-boundary", default=True)
        entries.append((start, inclusive, _target(entry, "target-value", base_type)))
    return InterpolationTable(tuple(entries), _target(table, "default-value", base_type))


def _target(element: etree._Element, attribute: str, base_type: str | None) -> Value | None:
    text = element.get(attribute)
    if text is None or text == "":
        return None
    name = f"{attribute} of {local_name(element)}"
    try:
        return read_value((text,), base_type=base_type or "", cardinality="single", name=name)
    except ItemError:
        raise bad_attribute(element, attribute, f"a value of base-type {base_type}") from None
