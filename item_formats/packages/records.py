"""Dataclasses as XML and back: what a field is called in a document stands at the field.

A record class is a frozen dataclass derived from `Record` whose fields are annotated with an `Attribute`, `Child` or
`Content`. `read_record` and `write_record` follow the annotations; what a document holds beyond them is kept in
`unknown` and written back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.parsing import line_of, local_name, parse, split_name, with_namespaces_escaped
from item_formats.text import forbidden_characters

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
# As XML Schema writes it, and as some engines do: a blank for the T, no seconds, ":" or "," before their fraction.
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.:,]([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_QNAME = re.compile(r"\s*([^\W\d][\w.\-]*):[^\W\d][\w.\-]*\s*\Z")
_NAME = re.compile(r"[^\W\d][\w.\-·]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record keeps besides its own fields: foreign elements (exclusive canonical XML) and attributes."""

    unknown: tuple[bytes, ...] = ()
    unknown_attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Codec:
    """A value as text and back; `read` raises ValueError, `expected` says what would have been right."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]
    expected: str


def _matching(pattern: re.Pattern[str], convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> object:
        text = text.strip()
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return convert(text)

    return read


def _read_boolean(text: str) -> bool:
    if text.strip() not in {"true", "1", "false", "0"}:
        raise ValueError(text)
    return text.strip() in {"true", "1"}


def _read_number(text: str) -> float:
    special = {"INF": math.inf, "+INF": math.inf, "-INF": -math.inf, "NaN": math.nan}.get(text.strip())
    return special if special is not None else float(_matching(_NUMBER, float)(text))


def write_number(value: float) -> str:
    """A number as XML Schema has it, the shortest text that reads back the same."""
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    return "NaN" if math.isnan(value) else repr(value)


def _read_moment(text: str) -> datetime:
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None or (match[3] and len(match[2]) == 5):
        raise ValueError(text)
    fraction = f".{match[3][:6]:0<6}" if match[3] else ""
    return datetime.fromisoformat(f"{match[1]}T{match[2]}{fraction}{match[4] or ''}")


def words(allowed: frozenset[str]) -> Codec:
    """One of a closed list of words."""

    def read(text: str) -> str:
        if text.strip() not in allowed:
            raise ValueError(text)
        return text.strip()

    return Codec(read, read, f"one of {', '.join(sorted(allowed))}")


TEXT = Codec(str, str, "text")
NAME = Codec(_matching(_NAME, str), _matching(_NAME, str), "an identifier: a letter or _ first, no spaces or colons")
LIST = Codec(lambda text: tuple(text.split()), " ".join, "words with spaces between")
BOOLEAN = Codec(_read_boolean, lambda value: "true" if value else "false", "true or false")
INTEGER = Codec(_matching(_INTEGER, int), str, "a whole number")
NUMBER = Codec(_read_number, write_number, "a number such as 0.5")
DATE_TIME = Codec(_read_moment, datetime.isoformat, "a moment such as 2026-03-01T09:30:00+08:00")
DATE = Codec(_matching(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), date.fromisoformat), date.isoformat, "a date")


@dataclass(frozen=True, slots=True)
class Attribute:
    """The field is an attribute; without a default in the class the document must have it."""

    name: str
    codec: Codec = TEXT


@dataclass(frozen=True, slots=True)
class Child:
    """The field is a child element, or all of them when it is a tuple; text through `codec`, or a record.

    `inside` names one element around all of them.
    """

    name: str
    codec: Codec = TEXT
    inside: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The field is the text of the element itself."""

    codec: Codec = TEXT


@dataclass(frozen=True, slots=True)
class _Plan:
    """The fields of a record class by where they stand."""

    attributes: tuple[tuple[str, Attribute, bool], ...]  # field, place, required
    content: tuple[str, Content] | None
    children: tuple[tuple[str, Child, type[Record] | None, bool], ...]  # field, place, record, many


_PLANS: dict[type[Record], _Plan] = {}


def _plan(record: type[Record]) -> _Plan:
    if record not in _PLANS:
        _PLANS[record] = _planned(record)
    return _PLANS[record]


def _planned(record: type[Record]) -> _Plan:
    required = {one.name for one in fields(record) if one.default is MISSING}
    attributes: list[tuple[str, Attribute, bool]] = []
    content: tuple[str, Content] | None = None
    children: list[tuple[str, Child, type[Record] | None, bool]] = []
    for name, hint in get_type_hints(record, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        declared, place = get_args(hint)
        if isinstance(place, Attribute):
            attributes.append((name, place, name in required))
        elif isinstance(place, Content):
            content = name, place
        else:
            kinds = (declared, *get_args(declared))
            inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Record)), None)
            children.append((name, place, inner, get_origin(declared) is tuple))
    return _Plan(tuple(attributes), content, tuple(children))


R = TypeVar("R", bound=Record)


def read_record(record: type[R], element: etree._Element, *, file: str | None = None, lenient: bool = False) -> R:
    """The record of an element; children count when they are in its namespace.

    `lenient` keeps what has a wrong value as unknown instead of raising (metadata are no reason to refuse an item).

    Raises
    ------
    ItemError
        A value that is none, or an attribute that is missing; not when lenient.
    """
    plan = _plan(record)
    reading = _Reading(file, lenient)
    values, used_attributes = reading.attributes(plan, element)
    if plan.content:
        values[plan.content[0]] = _decoded(plan.content[1], _text(element, file), element, file)
    children = [child for child in element if split_name(child)[1]]
    used: set[etree._Element] = set()
    if plan.content is None:
        for field, place, inner, many in plan.children:
            taken = reading.children(place, inner, element, many=many)
            used.update(child for child, _ in taken)
            if taken:
                found = tuple(value for _, several in taken for value in several)
                values[field] = found if many else found[0]
    return record(
        **values,
        unknown=tuple(fragment(child) for child in children if child not in used),
        unknown_attributes=tuple(
            (str(name), str(value)) for name, value in element.attrib.items() if name not in used_attributes
        ),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    file: str | None
    lenient: bool

    def attributes(self, plan: _Plan, element: etree._Element) -> tuple[dict[str, Any], set[str]]:
        values: dict[str, Any] = {}
        used: set[str] = set()
        for field, place, required in plan.attributes:
            text = element.get(place.name)
            if text is None:
                if required:
                    raise _missing(element, place, self.file)
                continue
            try:
                values[field] = _decoded(place, text, element, self.file)
                used.add(place.name)
            except ItemError:
                if not self.lenient or required:
                    raise
        return values, used

    def children(
        self, place: Child, inner: type[Record] | None, element: etree._Element, *, many: bool
    ) -> list[tuple[etree._Element, list[Any]]]:
        """The children that could be read, each with its values (several where they stand inside it)."""
        namespace = split_name(element)[0]
        wanted = f"{{{namespace}}}{place.name}" if namespace else place.name
        around = f"{{{namespace}}}{place.inside}" if namespace else place.inside
        found = list(element.iterchildren(around if place.inside else wanted))
        if len(found) > 1 and not self.lenient and (place.inside or not many):
            message = f"{local_name(element)} has {len(found)} times {place.inside or place.name}; expected one"
            raise ItemError(Finding("error", "repeated-element", message, file=self.file, line=line_of(found[1])))
        read = []
        for child in found if many and not place.inside else found[:1]:
            try:
                if place.inside:
                    if self.lenient and any(one.tag != wanted for one in child):
                        continue  # something else is in there: kept whole
                    several = [self.value(place, inner, one) for one in child.iterchildren(wanted)]
                else:
                    several = [self.value(place, inner, child)]
            except ItemError:
                if not self.lenient:
                    raise
                continue
            read.append((child, several))
        return read

    def value(self, place: Child, inner: type[Record] | None, element: etree._Element) -> object:
        if inner is not None:
            return read_record(inner, element, file=self.file, lenient=self.lenient)
        text = _text(element, self.file)
        if self.lenient and element.attrib:
            message = f"{local_name(element)} has attributes; expected none"
            raise ItemError(Finding("error", "bad-value", message, file=self.file, line=line_of(element)))
        return _decoded(place, text, element, self.file)


def _text(element: etree._Element, file: str | None) -> str:
    """The text of an element that has only text; comments in it do not cut it."""
    if any(split_name(child)[1] for child in element):
        message = f"{local_name(element)} has elements in it; expected text"
        raise ItemError(Finding("error", "bad-value", message, file=file, line=line_of(element)))
    return (element.text or "") + "".join(child.tail or "" for child in element)


_Place = Attribute | Child | Content


def _where(place: _Place, element: etree._Element) -> str:
    return f"{local_name(element)} {place.name}" if isinstance(place, Attribute) else local_name(element)


def _decoded(place: _Place, text: str, element: etree._Element, file: str | None) -> object:
    try:
        return place.codec.read(text)
    except ValueError:
        message = f"{_where(place, element)} is “{text[:60]}”; expected {place.codec.expected}"
        raise ItemError(Finding("error", "bad-value", message, file=file, line=line_of(element))) from None


def _missing(element: etree._Element, place: Attribute, file: str | None) -> ItemError:
    message = f"{local_name(element)} has no {place.name}: add {place.name}=“…” ({place.codec.expected})"
    return ItemError(Finding("error", "missing-attribute", message, file=file, line=line_of(element)))


def new_element(name: str, namespace: str) -> etree._Element:
    """An element whose namespace is the default one of the document."""
    prefixes = cast("dict[str, str]", {None: namespace})
    return etree.Element(f"{{{namespace}}}{name}", nsmap=prefixes)


def write_record(record: Record, name: str, namespace: str) -> etree._Element:
    """The element of a record, its children in the order of the fields, unknown ones last.

    Raises
    ------
    ItemError
        A value the document cannot hold, such as an identifier with spaces or a control character.
    """
    element = new_element(name, namespace)
    _fill(element, record, namespace)
    return element


def _fill(element: etree._Element, record: Record, namespace: str) -> None:
    plan = _plan(type(record))
    for field, place, required in plan.attributes:
        value = getattr(record, field)
        if required or value not in (None, (), ""):
            element.set(place.name, _encoded(place, value, element))
    if plan.content:
        field, text = plan.content
        element.text = _encoded(text, getattr(record, field), element)
    for field, child, _, many in plan.children:
        value = getattr(record, field)
        values = value if many else () if value is None else (value,)
        parent = etree.SubElement(element, f"{{{namespace}}}{child.inside}") if child.inside and values else element
        for one in values:
            added = etree.SubElement(parent, f"{{{namespace}}}{child.name}")
            if isinstance(one, Record):
                _fill(added, one, namespace)
            else:
                added.text = _encoded(child, one, added)
    for name, text_value in record.unknown_attributes:
        element.set(name, text_value)
    for foreign in record.unknown:
        element.append(parse(foreign))


def _encoded(place: _Place, value: object, element: etree._Element) -> str:
    try:
        text = str(place.codec.write(value))
    except ValueError:
        message = f"{_where(place, element)} cannot be “{str(value)[:60]}”; expected {place.codec.expected}"
        raise ItemError(Finding("error", "bad-value", message)) from None
    bad = forbidden_characters(text)
    if bad:
        message = f"{_where(place, element)} holds the character U+{ord(bad[0]):04X}, which XML cannot: remove it"
        raise ItemError(Finding("error", "control-character", message))
    return text


def fragment(element: etree._Element) -> bytes:
    """An element with all that is in it, as exclusive canonical XML: the same wherever it stands.

    Prefixes that only values use (``xsi:type="x:Name"``) stay declared.
    """
    named = {
        match[1]
        for one in element.iter("*")
        for value in (*one.attrib.values(), one.text or "")
        if (match := _QNAME.match(str(value)))
    }
    prefixes = sorted(named & {str(prefix) for prefix in element.nsmap})
    tail, element.tail = element.tail, None
    try:
        canonical = etree.tostring(
            element, method="c14n", exclusive=True, with_comments=True, inclusive_ns_prefixes=prefixes
        )
    except etree.C14NError as error:
        raise ItemError(Finding("error", "not-canonical", f"cannot be canonical XML: {error}")) from None
    finally:
        element.tail = tail
    return with_namespaces_escaped(canonical)


def document_bytes(root: etree._Element, *more_namespaces: str) -> bytes:
    """A document for people and programs: UTF-8, elements that hold only elements on lines of their own.

    Only elements in the namespace of the root and the others given are laid out so; what is foreign stays as it was.
    """
    _indent(root, 0, frozenset({split_name(root)[0], *more_namespaces}))
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _indent(element: etree._Element, level: int, namespaces: frozenset[str]) -> None:
    children = list(element)
    mixed = [element.text, *(child.tail for child in children)]
    if not children or any(mixed) or split_name(element)[0] not in namespaces:
        return
    element.text = "\n" + "  " * (level + 1)
    for child in children:
        _indent(child, level + 1, namespaces)
        child.tail = "\n" + "  " * (level + 1)
    children[-1].tail = "\n" + "  " * level
