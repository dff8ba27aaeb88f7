"""What a rule found, at the element it speaks of; lines and columns are looked up when somebody is told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.parsers import expat

from item_formats.findings import Finding, ItemError
from item_formats.parsing import line_of, local_name, parse
from item_formats.vocabulary import kebab

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml import etree

    from item_formats.findings import Severity


@dataclass(frozen=True, slots=True)
class Found:
    severity: Severity
    code: str
    message: str
    element: etree._Element


def error(element: etree._Element, code: str, message: str) -> Found:
    return Found("error", code, message, element)


def warning(element: etree._Element, code: str, message: str) -> Found:
    return Found("warning", code, message, element)


def refused(element: etree._Element, failure: ItemError) -> Iterator[Found]:
    """What a reader refused, as found at the element it was reading."""
    for finding in failure.findings:
        yield Found(finding.severity, finding.code, finding.message, element)


def told(
    found: Iterable[Found], *, document: str | None, file: str | None = None, source: bytes | None = None
) -> list[Finding]:
    """Findings without repeats, errors first, then as they stand in the document.

    With `source`, the bytes the document was read from, places are exact to the column; without, lines are those the
    parser kept. `document` is the identifier findings name.
    """
    distinct = list({(one.severity, one.code, one.message, line_of(one.element)): one for one in found}.values())
    places = _Places(source) if source is not None and distinct else None
    findings = []
    for one in distinct:
        finding = Finding(one.severity, one.code, one.message, file=file, line=line_of(one.element), item=document)
        place = places.of(one.element) if places else None
        findings.append(finding if place is None else replace(finding, line=place[0], column=str(place[1])))
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[bool, int, int]:
    return finding.severity != "error", finding.line or 0, int(finding.column or 0)


class _Places:
    """Line and column of the start tags of a document, found by what survives an upgrade: their line and 3.0 name."""

    def __init__(self, source: bytes) -> None:
        self._starts: dict[tuple[int | None, str], list[tuple[int, int]]] = defaultdict(list)
        self._ranks: dict[etree._Element, int] = {}
        self._tree: etree._Element | None = None
        starts = _start_tags(source)
        try:
            elements = list(parse(source).iter("*"))
        except ItemError:
            return
        if len(elements) == len(starts):
            for element, start in zip(elements, starts, strict=True):
                self._starts[line_of(element), _newer(local_name(element))].append(start)

    def of(self, element: etree._Element) -> tuple[int, int] | None:
        starts = self._starts.get((line_of(element), _newer(local_name(element))), [])
        if len(starts) < 2:
            return starts[0] if starts else None
        rank = self._rank(element)
        return starts[rank] if rank < len(starts) else starts[-1]

    def _rank(self, element: etree._Element) -> int:
        """How many elements of the same name start on the same line before this one."""
        if not self._ranks:
            counts: dict[tuple[int | None, str], int] = defaultdict(int)
            self._tree = element.getroottree().getroot()  # keeps the proxies, and so the keys below, alive
            for one in self._tree.iter("*"):
                key = line_of(one), _newer(local_name(one))
                self._ranks[one] = counts[key]
                counts[key] += 1
        return self._ranks.get(element, 0)


def _newer(name: str) -> str:
    return kebab(name).removeprefix("qti-")


def _start_tags(source: bytes) -> list[tuple[int, int]]:
    """Line and column, from 1, of every start tag; [] where expat does not read the encoding."""
    parser = expat.ParserCreate()
    starts: list[tuple[int, int]] = []

    def start(_name: str, _attributes: dict[str, str]) -> None:
        starts.append((parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))

    parser.StartElementHandler = start
    try:
        parser.Parse(source, True)  # noqa: FBT003
    except (expat.ExpatError, LookupError, ValueError):
        return []
    return starts
