"""Looking at items: lists, one item as its reader may see it, and the rows a pool is made from.

Whatever leaves here went through `item_formats.for_candidate`, unless the reader may see keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, select

from authoring.columns import AnyRow
from authoring.errors import UnknownError
from authoring.items import tables
from authoring.items.schemas import ItemPage, ItemSummary, ItemView, OptionView
from authoring.items.tables import ItemEnemy, ItemState, ItemVersion
from authoring.standards.rules import point_place, point_places
from authoring.standards.tables import Point
from item_formats import Item, for_candidate, read_item

if TYPE_CHECKING:
    from decimal import Decimal

    from sqlalchemy.orm import Session

    from authoring.standards.tables import Importance
    from item_formats import ItemKind

ITEM = tables.Item.__table__
VERSION = ItemVersion.__table__
ENEMY = ItemEnemy.__table__
POINT = Point.__table__

SUMMARY = (
    ITEM.c.code,
    ITEM.c.standard_id,
    ITEM.c.number,
    ITEM.c.item_type,
    ITEM.c.state,
    POINT.c.code.label("point"),
    ITEM.c.grade,
    ITEM.c.marks,
)


@dataclass(frozen=True, slots=True)
class PoolItem:
    """What assembly and release need to know of an accepted version; what it says is not part of it."""

    code: str
    version_id: int
    version: int
    digest: str
    item_type: ItemKind
    grade: int
    point: str
    section: str
    function: str
    importance: Importance | None
    marks: Decimal | None
    enemies: tuple[str, ...]
    published: bool


def list_items(
    session: Session,
    *,
    standard: int | None = None,
    item_type: ItemKind | None = None,
    state: ItemState | None = None,
    point: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> ItemPage:
    """A page of items in the order of their codes, starting after one."""
    query = select(*SUMMARY).join(POINT, POINT.c.id == ITEM.c.point_id).order_by(ITEM.c.code).limit(limit + 1)
    for column, wanted in (
        (ITEM.c.standard_id, standard),
        (ITEM.c.item_type, item_type),
        (ITEM.c.state, state),
        (POINT.c.code, point),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if after is not None:
        query = query.where(ITEM.c.code > after)
    rows = session.execute(query).all()
    page = [ItemSummary(**_summary(row)) for row in rows[:limit]]
    return ItemPage(page, page[-1].code if len(rows) > limit else None)


def view_item(session: Session, code: str, *, keys: bool) -> ItemView:
    """An item's newest version, for a reader who may see keys or may not."""
    columns = (*SUMMARY, ITEM.c.point_id, VERSION.c.xml, VERSION.c.created_at)
    row = session.execute(_newest(columns, code)).one_or_none()
    if row is None:
        raise UnknownError("unknown-item", f"the bank has no item {code}")
    item = read_item(row.xml)
    shown = item if keys else for_candidate(item)
    _, place = point_place(session, row.point_id)
    view = {
        "section": place.section,
        "function": place.function,
        "importance": place.importance,
        "created_at": row.created_at,
        "language": shown.language,
        "stem": shown.stem_text,
        "options": [OptionView(option.identifier, option.text) for option in shown.options],
    }
    if keys:
        view |= {"key": item.key, "rationale": item.rationale, "digest": item.digest}
    return ItemView(**_summary(row), **view)


def item_document(session: Session, code: str, *, keys: bool) -> Item:
    """An item's newest version as a document, for a reader who may see keys or may not."""
    xml = session.scalar(_newest((VERSION.c.xml,), code))
    if xml is None:
        raise UnknownError("unknown-item", f"the bank has no item {code}")
    item = read_item(xml)
    return item if keys else for_candidate(item)


def pool_items(session: Session, standard_id: int) -> list[PoolItem]:
    """The accepted versions of a standard's items, by code. Withdrawn items are not among them."""
    columns = (
        ITEM.c.id,
        ITEM.c.code,
        VERSION.c.id.label("version_id"),
        VERSION.c.number,
        VERSION.c.digest,
        ITEM.c.item_type,
        ITEM.c.grade,
        POINT.c.code.label("point"),
        ITEM.c.marks,
        ITEM.c.state,
    )
    accepted = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.accepted_number)
    query = select(*columns).join(VERSION, accepted).join(POINT, POINT.c.id == ITEM.c.point_id)
    rows = session.execute(query.where(ITEM.c.standard_id == standard_id).order_by(ITEM.c.code)).all()
    codes = {row.id: row.code for row in rows}
    enemies: dict[int, list[str]] = {}
    for first, second in session.execute(select(ENEMY.c.first_id, ENEMY.c.second_id)):
        if first in codes and second in codes:
            enemies.setdefault(first, []).append(codes[second])
            enemies.setdefault(second, []).append(codes[first])
    places = point_places(session, standard_id)
    return [
        PoolItem(
            code=row.code,
            version_id=row.version_id,
            version=row.number,
            digest=row.digest,
            item_type=row.item_type,
            grade=row.grade,
            point=row.point,
            section=places[row.point].section,
            function=places[row.point].function,
            importance=places[row.point].importance,
            marks=row.marks,
            enemies=tuple(sorted(enemies.get(row.id, []))),
            published=row.state is ItemState.PUBLISHED,
        )
        for row in rows
    ]


def _newest(columns: tuple[Any, ...], code: str) -> Select[*tuple[Any, ...]]:
    newest = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.number)
    query = select(*columns).select_from(ITEM).join(VERSION, newest).join(POINT, POINT.c.id == ITEM.c.point_id)
    return query.where(ITEM.c.code == code)


def _summary(row: AnyRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "standard": row.standard_id,
        "version": row.number,
        "type": row.item_type,
        "state": row.state,
        "point": row.point,
        "grade": row.grade,
        "marks": None if row.marks is None else float(row.marks),
    }
