"""The paper as a QTI 3 test: sections, items in order, marks as weights, the total as outcome."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Literal

from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError
from item_formats.parsing import QTI, canonical_bytes, parse
from item_formats.text import plain_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARKS = "MARKS"  # the weight identifier; a mark is the weight of an item scored 0 to 1

# Identifier, title, and the items with their marks.
Section = tuple[str, str, "Sequence[tuple[str, Decimal | float | int]]"]


@dataclass(frozen=True, slots=True)
class TestDocument:
    """A QTI 3 assessment test; `item_ids` in the order of the paper, `total_marks` their sum."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    identifier: str
    title: str
    xml: bytes
    digest: str
    item_ids: tuple[str, ...]
    total_marks: Decimal


def build_test(
    identifier: str,
    title: str,
    sections: Iterable[Section],
    *,
    time_limit_seconds: int | None = None,
    navigation: Literal["linear", "nonlinear"] = "nonlinear",
) -> TestDocument:
    """One test part, handed in as a whole, its sections in order; SCORE is the sum of item scores times marks.

    Candidates may go back and forth unless `navigation` is linear, as on paper. References are relative to a
    ``tests/`` folder beside ``items/``.

    Raises
    ------
    ItemError
        An identifier that cannot be one, an item used twice, marks that are not above 0, an empty section.
    """
    parts = [
        _Part(name, heading, tuple((item, Decimal(str(marks))) for item, marks in items))
        for name, heading, items in sections
    ]
    faults = _faults(identifier, parts)
    if faults:
        raise ItemError(*faults)
    total = sum((marks for part in parts for _, marks in part.items), Decimal(0))
    limit = f'\n  <qti-time-limits max-time="{time_limit_seconds}"/>' if time_limit_seconds is not None else ""
    xml = _TEST.format(
        namespace=QTI,
        identifier=identifier,
        title=escape(title),
        total=plain_marks(total),
        limit=limit,
        navigation=navigation,
        sections="".join(map(_section, parts)),
        weight=MARKS,
    )
    canonical = canonical_bytes(parse(xml.encode()))
    return TestDocument(
        identifier=identifier,
        title=title,
        xml=canonical,
        digest=hashlib.sha256(canonical).hexdigest(),
        item_ids=tuple(item for part in parts for item, _ in part.items),
        total_marks=total,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    identifier: str
    title: str
    items: tuple[tuple[str, Decimal], ...]


def _faults(identifier: str, parts: Sequence[_Part]) -> list[Finding]:
    faults = []
    if not parts:
        faults.append(Finding("error", "no-section", f"the test {identifier} has no section: give it one with items"))
    used = [part.identifier for part in parts] + [item for part in parts for item, _ in part.items]
    for name in [identifier, *used]:
        if not IDENTIFIER.fullmatch(name):
            message = f"“{name}” cannot be an identifier: a letter or _ first, then letters, digits, _ - or ."
            faults.append(Finding("error", "bad-identifier", message))
    for name, times in Counter(used).items():
        if times > 1:
            message = f"{name} names {times} parts of the test {identifier}: use each item and section name once"
            faults.append(Finding("error", "repeated-identifier", message, item=name))
    for part in parts:
        if not part.items:
            message = f"the section {part.identifier} has no items: give it some or leave it out"
            faults.append(Finding("error", "empty-section", message))
        for item, marks in part.items:
            if not marks.is_finite() or marks <= 0:
                message = f"the item is worth {marks} marks in {part.identifier}; expected a number above 0"
                faults.append(Finding("error", "bad-marks", message, item=item))
    return faults


def _section(part: _Part) -> str:
    references = "".join(
        _REFERENCE.format(item=item, weight=MARKS, marks=plain_marks(marks)) for item, marks in part.items
    )
    return _SECTION.format(identifier=part.identifier, title=escape(part.title), references=references)


_TEST = """<qti-assessment-test xmlns="{namespace}" identifier="{identifier}" title="{title}">
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="{total}">
    <qti-default-value><qti-value>0</qti-value></qti-default-value>
  </qti-outcome-declaration>{limit}
  <qti-test-part identifier="PART" navigation-mode="{navigation}" submission-mode="simultaneous">{sections}
  </qti-test-part>
  <qti-outcome-processing>
    <qti-set-outcome-value identifier="SCORE">
      <qti-sum><qti-test-variables variable-identifier="SCORE" weight-identifier="{weight}"/></qti-sum>
    </qti-set-outcome-value>
  </qti-outcome-processing>
</qti-assessment-test>"""
_SECTION = """
    <qti-assessment-section identifier="{identifier}" title="{title}" visible="true">{references}
    </qti-assessment-section>"""
_REFERENCE = """
      <qti-assessment-item-ref identifier="{item}" href="../items/{item}.xml">
        <qti-weight identifier="{weight}" value="{marks}"/>
      </qti-assessment-item-ref>"""
