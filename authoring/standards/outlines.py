"""Reading an outline document and checking it against the rule book (《命题技术规程》 and its predecessors).

The rows of a theory weight table are 职业道德, 基础知识 and each 职业功能. In an outline the first two are sections of
基本要求, so: an area named 基本要求 or 相关知识 is a heading and the areas below it are rows, any other top area is a
row itself; `weight_row` in the document overrules this. Weights are shares of marks, out of 100.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from authoring.errors import BankError
from authoring.standards.schemas import AreaDocument, OutlineDocument, PointDocument
from item_formats import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HEADINGS = frozenset({"基本要求", "相关知识"})
WEIGHT_TOLERANCE = Decimal("0.5")  # what rounding the weights of many sections may add up to
LEAST_POINTS = 200  # a level has at least this many points
LEAST_POINTS_PER_WEIGHT = 2  # and each area at least this many per unit of weight
# shares of X, Y, Z among the points whose importance is known
LEAST_CORE, MOST_GENERAL, MOST_AUXILIARY = 0.80, 0.15, 0.05


@dataclass(frozen=True, slots=True)
class PlacedArea:
    """An area in its outline: `depth` 0 for the top, `row` if the weight table has it, its weight given or summed."""

    area: AreaDocument
    parent: str | None
    depth: int
    row: bool
    weight: Decimal | None


def read_outline(source: bytes | str | Mapping[str, Any]) -> OutlineDocument:
    """An outline from JSON text or parsed JSON. Raises `BankError` naming the field that is not as expected."""
    try:
        if isinstance(source, (bytes, str)):
            return msgspec.json.decode(source, type=OutlineDocument)
        return msgspec.convert(source, OutlineDocument)
    except msgspec.DecodeError as error:
        raise BankError("outline-document", f"the outline cannot be read: {error}") from None


def outline_digest(document: OutlineDocument) -> str:
    """SHA-256 (hex) of what the document says, whatever its layout."""
    return hashlib.sha256(msgspec.json.encode(document, order="deterministic")).hexdigest()


def placed_areas(document: OutlineDocument) -> list[PlacedArea]:
    """Every area of the document, parents first, in its order."""
    return [placed for area in document.areas for placed in _place(area, None, 0, row_above=False)]


def check_outline(document: OutlineDocument) -> tuple[Finding, ...]:
    """What is wrong (errors) or unusual (warnings) in an outline."""
    areas = placed_areas(document)
    points = [point for placed in areas for point in placed.area.points]
    return (
        *_repeated("area", [placed.area.code for placed in areas]),
        *_repeated("point", [point.code for point in points]),
        *_weights(areas),
        *_point_counts(areas, len(points)),
        *_importance(document, points),
    )


def _place(area: AreaDocument, parent: str | None, depth: int, *, row_above: bool) -> Iterator[PlacedArea]:
    heading = area.name in HEADINGS or any(_declares_row(section) for section in area.sections)
    row = area.weight_row if area.weight_row is not None else not row_above and not heading
    yield PlacedArea(area, parent, depth, row, _weight(area))
    for section in area.sections:
        yield from _place(section, area.code, depth + 1, row_above=row_above or row)


def _declares_row(area: AreaDocument) -> bool:
    return bool(area.weight_row) or any(_declares_row(section) for section in area.sections)


def _weight(area: AreaDocument) -> Decimal | None:
    if area.weight is not None:
        return round(Decimal(str(area.weight)), 2)
    below = [_weight(section) for section in area.sections]
    known = [weight for weight in below if weight is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(below) else None


def _repeated(kind: str, codes: Iterable[str]) -> Iterator[Finding]:
    for code, count in Counter(codes).items():
        if count > 1:
            message = f"the {kind} code {code} is used {count} times: give each {kind} its own"
            yield Finding("error", f"repeated-{kind}", message, column=code)


def _weights(areas: list[PlacedArea]) -> Iterator[Finding]:
    rows = [placed for placed in areas if placed.row]
    missing = [placed.area.code for placed in rows if placed.weight is None]
    if len(missing) == len(rows):
        yield Finding("warning", "no-weights", "the outline gives no weights: no blueprint can be made from it")
        return
    if missing:
        yield Finding("error", "missing-weight", f"no weight for {', '.join(missing)}: give every row of the table one")
        return
    total = sum((placed.weight or Decimal(0) for placed in rows), Decimal(0))
    if abs(total - 100) > WEIGHT_TOLERANCE:
        written = " + ".join(f"{placed.area.name} {_plain(placed.weight)}" for placed in rows)
        yield Finding("error", "weights-sum", f"the weights must add up to 100, they make {_plain(total)}: {written}")
    for placed in areas:
        below = [section.weight for section in areas if section.parent == placed.area.code]
        if placed.area.weight is None or not below or None in below:
            continue
        parts = sum((weight or Decimal(0) for weight in below), Decimal(0))
        if placed.weight is not None and abs(parts - placed.weight) > WEIGHT_TOLERANCE:
            message = (
                f"{placed.area.name} weighs {_plain(placed.weight)}, its sections {_plain(parts)}: make them agree"
            )
            yield Finding("error", "section-weights", message, column=placed.area.code)


def _point_counts(areas: list[PlacedArea], total: int) -> Iterator[Finding]:
    if total < LEAST_POINTS:
        message = f"the outline has {total} points: a level has at least {LEAST_POINTS}"
        yield Finding("warning", "few-points", message)
    for placed in areas:
        if placed.weight is None:
            continue
        needed, held = LEAST_POINTS_PER_WEIGHT * placed.weight, _points_under(placed.area)
        if held < needed:
            weighs = f"{placed.area.name} weighs {_plain(placed.weight)}"
            message = f"{weighs} and has {held} points: expected at least {_plain(needed)}"
            yield Finding("warning", "few-points-for-weight", message, column=placed.area.code)


def _plain(weight: Decimal | None) -> str:
    return "none" if weight is None else f"{weight.normalize():f}"


def _points_under(area: AreaDocument) -> int:
    return len(area.points) + sum(_points_under(section) for section in area.sections)


def _importance(document: OutlineDocument, points: list[PointDocument]) -> Iterator[Finding]:
    counts = Counter(point.importance for point in points)
    if counts[None]:
        message = f"the importance of {counts[None]} of {len(points)} points is unknown: add X, Y or Z with who says so"
        yield Finding("warning", "importance-unknown", message)
    known = len(points) - counts[None]
    if not known:
        return
    shares = {letter: counts[letter] / known for letter in ("X", "Y", "Z")}
    for letter, broken, expected in (
        ("X", shares["X"] < LEAST_CORE, f"at least {LEAST_CORE:.0%}"),
        ("Y", shares["Y"] > MOST_GENERAL, f"at most {MOST_GENERAL:.0%}"),
        ("Z", shares["Z"] > MOST_AUXILIARY, f"at most {MOST_AUXILIARY:.0%}"),
    ):
        if broken:
            message = f"{letter} makes {shares[letter]:.1%} of the {known} points with known importance: {expected}"
            yield Finding("warning", "importance-share", message)
    if document.importance_provenance:
        return
    unsaid = [point.code for point in points if point.importance and not point.importance_provenance]
    if unsaid:
        message = f"nobody answers for the importance of {len(unsaid)} points: add importance_provenance"
        yield Finding("error", "importance-without-provenance", message, column=unsaid[0])
