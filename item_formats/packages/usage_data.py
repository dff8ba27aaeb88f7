"""Usage data: statistics of items as QTI carries them, from 2.0 to 3.0 in, 3.0 out.

The names of the usual statistics are those of `item_statistics`; QTI leaves names to a glossary, and `GLOSSARY` says
that they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

from item_formats.findings import Finding, ItemError
from item_formats.packages.records import (
    BOOLEAN,
    DATE,
    INTEGER,
    NAME,
    NUMBER,
    Attribute,
    Child,
    Content,
    Record,
    document_bytes,
    fragment,
    new_element,
    read_record,
    words,
    write_number,
    write_record,
)
from item_formats.parsing import line_of, parse, read_source, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lxml import etree

USAGE_DATA = "http://www.imsglobal.org/xsd/imsqti_usagedata_v3p0"
FORMER_USAGE_DATA = "http://www.imsglobal.org/xsd/imsqti_usagedata_v2p2"
GLOSSARY = "urn:tiku:statistics"
_FORMER = frozenset(
    {
        "http://www.imsglobal.org/xsd/imsqti_v2p0",
        "http://www.imsglobal.org/xsd/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/imsqti_usagedata_v2p1",
        FORMER_USAGE_DATA,
        "http://www.imsglobal.org/xsd/imsqti_v2p2",
        "",
    }
)
_OBJECTS = words(frozenset({"test", "testpart", "section", "item", "outcome", "interaction", "choice"}))
BASE_TYPE = words(
    frozenset(
        {"boolean", "directedPair", "duration", "file", "float", "identifier", "integer"}
        | {"pair", "point", "string", "uri"}
    )
)


@dataclass(frozen=True, slots=True)
class Target(Record):
    """What a statistic is about; `part` is a choice or interaction of it, say."""

    identifier: Annotated[str, Attribute("identifier")]
    part: Annotated[str | None, Attribute("partIdentifier", NAME)] = None
    object_type: Annotated[str | None, Attribute("objectType", _OBJECTS)] = None


@dataclass(frozen=True, slots=True)
class StatisticValue(Record):
    text: Annotated[str, Content()] = ""
    base_type: Annotated[str | None, Attribute("baseType", BASE_TYPE)] = None
    field: Annotated[str | None, Attribute("fieldIdentifier", NAME)] = None


@dataclass(frozen=True, slots=True)
class MappedShare(Record):
    """What the statistic is for one key, e.g. the share of candidates who chose option B."""

    key: Annotated[str, Attribute("mapKey")]
    value: Annotated[float, Attribute("mappedValue", NUMBER)]
    case_sensitive: Annotated[bool | None, Attribute("caseSensitive", BOOLEAN)] = None


@dataclass(frozen=True, slots=True)
class Shares(Record):
    entries: Annotated[tuple[MappedShare, ...], Child("mapEntry")] = ()
    lower_bound: Annotated[float | None, Attribute("lowerBound", NUMBER)] = None
    upper_bound: Annotated[float | None, Attribute("upperBound", NUMBER)] = None
    default: Annotated[float | None, Attribute("defaultValue", NUMBER)] = None


@dataclass(frozen=True, slots=True)
class Statistic(Record):
    """What ordinary and categorized statistics have in common."""

    name: Annotated[str, Attribute("name", NAME)]
    context: Annotated[str, Attribute("context")]
    targets: Annotated[tuple[Target, ...], Child("targetObject")] = ()
    glossary: Annotated[str | None, Attribute("glossary")] = None
    case_count: Annotated[int | None, Attribute("caseCount", INTEGER)] = None
    standard_error: Annotated[float | None, Attribute("stdError", NUMBER)] = None
    standard_deviation: Annotated[float | None, Attribute("stdDeviation", NUMBER)] = None
    last_updated: Annotated[date | None, Attribute("lastUpdated", DATE)] = None


@dataclass(frozen=True, slots=True)
class ItemStatistic(Statistic):
    """An ordinary statistic: one value for its targets, valid in the `context` (a URI: which candidates, when)."""

    value: Annotated[StatisticValue | None, Child("value")] = None

    @property
    def number(self) -> float | None:
        """The value as a number; None where it is none."""
        try:
            return None if self.value is None else float(NUMBER.read(self.value.text))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class CategorizedStatistic(Statistic):
    """A statistic with a value for each category, such as how often each option was chosen."""

    mapping: Annotated[Shares | None, Child("mapping")] = None

    @property
    def shares(self) -> dict[str, float]:
        return {} if self.mapping is None else {entry.key: entry.value for entry in self.mapping.entries}


@dataclass(frozen=True, slots=True)
class UsageData:
    """Statistics in the order of the document."""

    statistics: tuple[ItemStatistic | CategorizedStatistic, ...] = ()
    glossary: str | None = None
    unknown: tuple[bytes, ...] = ()

    def of(self, identifier: str) -> dict[str, float]:
        """The ordinary statistics of an item by name, the latest of each name."""
        return {
            statistic.name: statistic.number
            for statistic in self.statistics
            if isinstance(statistic, ItemStatistic)
            and statistic.number is not None
            and any(target.identifier == identifier and target.part is None for target in statistic.targets)
        }


def item_statistics(
    item: str,
    *,
    context: str,
    n: int | None = None,
    p_value: float | None = None,
    point_biserial: float | None = None,
    a: float | None = None,
    b: float | None = None,
    c: float | None = None,
    standard_errors: Mapping[str, float] | None = None,
    choices: Mapping[str, float] | None = None,
    updated: date | None = None,
) -> list[ItemStatistic | CategorizedStatistic]:
    """The usual statistics of an item; what is None is left out.

    Named ``n``, ``pValue`` (share of the marks reached), ``pointBiserial``, ``irtA``, ``irtB``, ``irtC`` and, with the
    share of candidates by option in `choices`, ``choiceShare``. `standard_errors` goes by the same names, and every
    statistic also says `n`. `context` is a URI for the candidates and the scale the numbers hold for.
    """
    target = (Target(identifier=item, object_type="item"),)
    errors = standard_errors or {}
    numbers = {"pValue": p_value, "pointBiserial": point_biserial, "irtA": a, "irtB": b, "irtC": c}
    found: list[ItemStatistic | CategorizedStatistic] = []
    if n is not None:
        count = StatisticValue(text=str(n), base_type="integer")
        found.append(ItemStatistic(name="n", context=context, targets=target, value=count, last_updated=updated))
    found += [
        ItemStatistic(
            name=name,
            context=context,
            targets=target,
            value=StatisticValue(text=write_number(value), base_type="float"),
            case_count=n,
            standard_error=errors.get(name),
            last_updated=updated,
        )
        for name, value in numbers.items()
        if value is not None
    ]
    if choices:
        entries = tuple(MappedShare(key=key, value=value) for key, value in choices.items())
        found.append(
            CategorizedStatistic(
                name="choiceShare",
                context=context,
                targets=target,
                mapping=Shares(entries=entries),
                case_count=n,
                last_updated=updated,
            )
        )
    return found


def read_usage_data(source: bytes | Path, *, file: str | None = None) -> UsageData:
    """Usage data of any version.

    Raises
    ------
    ItemError
        Not XML, not usage data, or a number, date or name that is none.
    """
    content, path = read_source(source)
    return usage_data_of(parse(content, file=file or path), file=file or path)


def usage_data_of(root: etree._Element, *, file: str | None = None) -> UsageData:
    """The usage data of a parsed document."""
    namespace, name = split_name(root)
    if name != "usageData" or (namespace != USAGE_DATA and namespace not in _FORMER):
        message = f'the document is <{name} xmlns="{namespace}">; expected <usageData xmlns="{USAGE_DATA}">'
        raise ItemError(Finding("error", "not-usage-data", message, file=file, line=line_of(root)))
    statistics: list[ItemStatistic | CategorizedStatistic] = []
    unknown: list[bytes] = []
    for element in root:
        kind = split_name(element)[1] if split_name(element)[0] == namespace else ""
        if kind == "ordinaryStatistic":
            statistics.append(read_record(ItemStatistic, element, file=file))
            _check(statistics[-1], kind, file, line_of(element))
        elif kind == "categorizedStatistic":
            statistics.append(read_record(CategorizedStatistic, element, file=file))
            _check(statistics[-1], kind, file, line_of(element))
        elif split_name(element)[1]:
            unknown.append(fragment(element))
    return UsageData(tuple(statistics), root.get("glossary"), tuple(unknown))


def _check(
    statistic: ItemStatistic | CategorizedStatistic, name: str, file: str | None, line: int | None = None
) -> None:
    missing = []
    if not statistic.targets:
        missing.append("targetObject")
    if isinstance(statistic, ItemStatistic) and statistic.value is None:
        missing.append("value")
    if isinstance(statistic, CategorizedStatistic) and not (statistic.mapping and statistic.mapping.entries):
        missing.append("mapping with a mapEntry")
    if missing:
        message = f"{name} {statistic.name} has no {' and no '.join(missing)}: say what it is about and its value"
        raise ItemError(Finding("error", "missing-element", message, file=file, line=line))


def write_usage_data(usage: UsageData) -> bytes:
    """The document as QTI 3.

    Raises
    ------
    ItemError
        A name, number or text QTI cannot hold; a statistic without target or value.
    """
    root = new_element("usageData", USAGE_DATA)
    if usage.glossary is not None:
        root.set("glossary", usage.glossary)
    for statistic in usage.statistics:
        name = "ordinaryStatistic" if isinstance(statistic, ItemStatistic) else "categorizedStatistic"
        _check(statistic, name, None)
        root.append(write_record(statistic, name, USAGE_DATA))
    root.extend(parse(xml) for xml in usage.unknown)
    return document_bytes(root)


def usage_data(statistics: Iterable[ItemStatistic | CategorizedStatistic]) -> UsageData:
    """Statistics named by `item_statistics` as one document."""
    return UsageData(tuple(statistics), GLOSSARY)
