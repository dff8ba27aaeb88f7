"""Standards in the bank: loading an outline, and asking where a point stands and what an area weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from authoring.audit.chain import record
from authoring.columns import AnyRow, now
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.standards.outlines import check_outline, outline_digest, placed_areas, read_outline
from authoring.standards.schemas import (
    AreaView,
    OutlineDocument,
    OutlineView,
    PointView,
    StandardSummary,
    StandardView,
    WeightView,
)
from authoring.standards.tables import Area, Component, Importance, Level, Outline, Point, Standard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from sqlalchemy.orm import Session

    from authoring.people.actors import Actor

STANDARD = Standard.__table__
OUTLINE = Outline.__table__
AREA = Area.__table__
POINT = Point.__table__

WEIGHTS_ARE = "shares of marks"


@dataclass(frozen=True, slots=True)
class PointPlace:
    """Where a point stands: `function` is the row of the weight table above it, `section` the weighted area."""

    point_id: int
    name: str
    section: str
    section_name: str
    function: str
    function_name: str
    importance: Importance | None


@dataclass(frozen=True, slots=True)
class WeightRow:
    """A row of the weight table, or a section below one. `weight` is a share of marks, out of 100."""

    code: str
    name: str
    weight: Decimal | None


@dataclass(frozen=True, slots=True)
class WeightTable:
    """What each function and section of an outline weighs, and who says so."""

    provenance: str | None
    rows: tuple[WeightRow, ...]
    sections: tuple[WeightRow, ...]


def load_outline(session: Session, actor: Actor, document: OutlineDocument | Mapping[str, Any]) -> Standard:
    """Put an outline into the bank, with its standard. The same document again changes nothing.

    Raises
    ------
    BankError
        If the document is wrong; its findings say where (`check_outline` gives the warnings as well).
    ConflictError
        If the bank has this component of this standard with other content.
    """
    outline = document if isinstance(document, OutlineDocument) else read_outline(document)
    errors = [finding for finding in check_outline(outline) if finding.severity == "error"]
    if errors:
        raise BankError("outline-wrong", f"the outline is not loaded: {errors[0].message}", errors)
    digest = outline_digest(outline)
    standard = _find_or_add_standard(session, outline)
    held = session.scalar(
        select(OUTLINE.c.digest).where(OUTLINE.c.standard_id == standard.id, OUTLINE.c.component == outline.component)
    )
    if held == digest:
        return standard
    if held is not None:
        raise ConflictError(
            "outline-exists",
            f"{outline.occupation} {standard.level} has another {outline.component} outline already: "
            "give the new one its own edition",
        )
    row = Outline(
        standard_id=standard.id or 0,
        component=outline.component,
        provenance=outline.provenance,
        weights_provenance=outline.weights_provenance,
        digest=digest,
    )
    session.add(row)
    session.flush()
    points = _add_areas(session, row.id or 0, outline)
    record(
        session,
        actor,
        "standard.outline_loaded",
        ("standard", str(standard.id)),
        occupation_code=standard.occupation_code,
        component=str(outline.component),
        points=points,
        digest=digest,
    )
    return standard


def standard_named(session: Session, name: str) -> int:
    """The id of the standard that a person names by its id or, if it is the only one with it, its occupation code."""
    by_id = STANDARD.c.id == int(name) if name.isdecimal() else STANDARD.c.occupation_code == name
    columns = (STANDARD.c.id, STANDARD.c.occupation, STANDARD.c.direction, STANDARD.c.edition, STANDARD.c.level)
    found = session.execute(select(*columns).where(by_id).order_by(STANDARD.c.id)).all()
    if len(found) == 1:
        return int(found[0].id)
    if found:
        choice = "; ".join(f"{row.id} {' '.join(filter(None, map(str, row[1:])))}" for row in found)
        raise BankError("which-standard", f"{len(found)} standards have the code {name}: give an id of {choice}")
    held = session.execute(select(STANDARD.c.id, STANDARD.c.occupation_code).order_by(STANDARD.c.id)).all()
    known = ", ".join(f"{row.id} ({row.occupation_code})" for row in held) or "none"
    raise UnknownError("unknown-standard", f"there is no standard {name}; the bank has: {known}")


def point_places(session: Session, standard_id: int, component: Component = Component.THEORY) -> dict[str, PointPlace]:
    """Every point of a standard by its code, with the section and function it counts for."""
    outline_id = _outline(session, standard_id, component).id
    areas = {row.id: row for row in session.execute(select(AREA).where(AREA.c.outline_id == outline_id))}
    above = {area_id: _function_and_section(area_id, areas) for area_id in areas}
    columns = (POINT.c.id, POINT.c.code, POINT.c.name, POINT.c.area_id, POINT.c.importance)
    rows: Iterable[AnyRow] = session.execute(
        select(*columns).where(POINT.c.outline_id == outline_id).order_by(POINT.c.position)
    )
    places: dict[str, PointPlace] = {}
    for row in rows:
        places[row.code] = _place(row, *above[row.area_id])
    return places


def weight_table(session: Session, standard_id: int, component: Component = Component.THEORY) -> WeightTable:
    """The weights of a standard's functions, and of the sections below them, in the order of the outline."""
    outline = _outline(session, standard_id, component)
    query = select(AREA).where(AREA.c.outline_id == outline.id).order_by(AREA.c.position)
    areas = {row.id: row for row in session.execute(query)}
    rows = [area for area in areas.values() if area.weight_row]
    sections = {section.id: section for _, section in (_function_and_section(area_id, areas) for area_id in areas)}
    holding = set(session.scalars(select(POINT.c.area_id).where(POINT.c.outline_id == outline.id)))
    with_points = {_function_and_section(area_id, areas)[1].id for area_id in holding}
    return WeightTable(
        outline.weights_provenance,
        tuple(WeightRow(area.code, area.name, area.weight) for area in rows),
        tuple(WeightRow(a.code, a.name, a.weight) for a in sections.values() if a.id in with_points),
    )


def point_place(session: Session, point_id: int) -> tuple[str, PointPlace]:
    """One point's code and place, by its id."""
    point = session.execute(select(POINT).where(POINT.c.id == point_id)).one()
    areas = {row.id: row for row in session.execute(select(AREA).where(AREA.c.outline_id == point.outline_id))}
    return point.code, _place(point, *_function_and_section(point.area_id, areas))


def list_standards(session: Session) -> list[StandardSummary]:
    """Every standard, by occupation and level."""
    rows = session.execute(select(STANDARD).order_by(STANDARD.c.occupation_code, STANDARD.c.level, STANDARD.c.id))
    return [StandardSummary(**_summary(row)) for row in rows]


def summary_of(standard: Standard) -> StandardSummary:
    """A standard as lists show it."""
    return StandardSummary(**{name: getattr(standard, name) for name in StandardSummary.__struct_fields__})


def view_standard(session: Session, standard_id: int) -> StandardView:
    """A standard with its outlines, weights and every provenance."""
    row = session.execute(select(STANDARD).where(STANDARD.c.id == standard_id)).one_or_none()
    if row is None:
        raise UnknownError("unknown-standard", f"there is no standard {standard_id}: GET /standards lists them")
    outlines = session.execute(select(OUTLINE).where(OUTLINE.c.standard_id == standard_id).order_by(OUTLINE.c.id))
    return StandardView(**_summary(row), outlines=[_view_outline(session, outline) for outline in outlines.all()])


def _find_or_add_standard(session: Session, outline: OutlineDocument) -> Standard:
    level = Level(f"L{outline.level}" if isinstance(outline.level, int) else outline.level)
    held = session.scalar(
        select(Standard).where(
            STANDARD.c.occupation_code == outline.occupation_code,
            STANDARD.c.direction == outline.direction,
            STANDARD.c.edition == outline.edition,
            STANDARD.c.level == level,
        )
    )
    if held is not None:
        return held
    standard = Standard(
        occupation_code=outline.occupation_code,
        direction=outline.direction,
        edition=outline.edition,
        level=level,
        occupation=outline.occupation,
        track=outline.track,
        source=outline.source,
        filing_no=outline.filing_no,
        provenance=outline.provenance,
        created_at=now(),
    )
    session.add(standard)
    session.flush()
    return standard


def _add_areas(session: Session, outline_id: int, outline: OutlineDocument) -> int:
    ids: dict[str, int] = {}
    points: list[dict[str, Any]] = []
    for position, placed in enumerate(placed_areas(outline), 1):
        area = Area(
            outline_id=outline_id,
            parent_id=ids.get(placed.parent) if placed.parent else None,
            code=placed.area.code,
            name=placed.area.name,
            weight=placed.weight,
            weight_row=placed.row,
            position=position,
        )
        session.add(area)
        session.flush()
        ids[placed.area.code] = area.id or 0
        points += [
            {
                "outline_id": outline_id,
                "area_id": area.id,
                "code": point.code,
                "source_code": point.source_code,
                "name": point.name,
                "importance": point.importance,
                "importance_provenance": (
                    point.importance_provenance or outline.importance_provenance if point.importance else None
                ),
                "position": len(points) + place,
            }
            for place, point in enumerate(placed.area.points, 1)
        ]
    if points:
        session.execute(insert(POINT), points)
    return len(points)


def _outline(session: Session, standard_id: int, component: Component) -> AnyRow:
    row = session.execute(
        select(OUTLINE).where(OUTLINE.c.standard_id == standard_id, OUTLINE.c.component == component)
    ).one_or_none()
    if row is None:
        raise UnknownError("unknown-outline", f"the bank has no {component} outline of the standard {standard_id}")
    return row


def _function_and_section(area_id: int, areas: Mapping[int, AnyRow]) -> tuple[AnyRow, AnyRow]:
    """The weight-table row above an area (or itself), and the nearest area above (or itself) that has a weight."""
    chain = [areas[area_id]]
    while chain[-1].parent_id is not None:
        chain.append(areas[chain[-1].parent_id])
    function = next((area for area in chain if area.weight_row), chain[-1])
    section = next((area for area in chain if area.weight is not None), chain[0])
    return function, section


def _place(point: AnyRow, function: AnyRow, section: AnyRow) -> PointPlace:
    return PointPlace(point.id, point.name, section.code, section.name, function.code, function.name, point.importance)


def _summary(row: AnyRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in StandardSummary.__struct_fields__}


def _view_outline(session: Session, outline: AnyRow) -> OutlineView:
    areas = session.execute(select(AREA).where(AREA.c.outline_id == outline.id).order_by(AREA.c.position)).all()
    points: dict[int, list[PointView]] = {area.id: [] for area in areas}
    for row in session.execute(select(POINT).where(POINT.c.outline_id == outline.id).order_by(POINT.c.position)):
        points[row.area_id].append(
            PointView(row.code, row.name, row.source_code, row.importance, row.importance_provenance)
        )
    below: dict[int | None, list[AreaView]] = {}
    for area in reversed(areas):  # children come after their parents, so their views are ready first
        weight = None if area.weight is None else float(area.weight)
        sections = below.pop(area.id, [])[::-1]
        view = AreaView(area.code, area.name, weight, area.weight_row, sections, points[area.id])
        below.setdefault(area.parent_id, []).append(view)
    table = [
        WeightView(area.code, area.name, None if area.weight is None else float(area.weight))
        for area in areas
        if area.weight_row
    ]
    return OutlineView(
        outline.component,
        outline.provenance,
        outline.weights_provenance,
        WEIGHTS_ARE,
        table,
        below.get(None, [])[::-1],
    )
