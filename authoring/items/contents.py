"""What the documents of accepted items say that a choice among them asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from authoring.items import tables
from authoring.items.tables import ItemVersion
from item_formats import ItemKind, copied_stimulus, is_skill_task, read_item, read_skill_task

if TYPE_CHECKING:
    from decimal import Decimal

    from sqlalchemy.orm import Session

    from item_formats import Item

ITEM = tables.Item.__table__
VERSION = ItemVersion.__table__

CHOICES = frozenset({ItemKind.TRUE_FALSE, ItemKind.SINGLE, ItemKind.MULTIPLE})
ROWS_AT_A_TIME = 500  # documents in memory at once


@dataclass(frozen=True, slots=True)
class Content:
    """Of one version: the key of a choice item, whether anything in it may be shuffled, and what it takes and gives."""

    key: tuple[str, ...]  # B, √, or A, C and D; empty where no letter is right
    shuffle: bool
    stimulus: str | None
    marks: Decimal | None  # these two of a skill task alone
    minutes: int | None


def read_contents(session: Session, standard_id: int) -> dict[int, Content]:
    """The contents of the accepted versions of a standard's items, by version id."""
    accepted = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.accepted_number)
    query = (
        select(VERSION.c.id, VERSION.c.xml, ITEM.c.item_type)
        .join(ITEM, accepted)
        .where(ITEM.c.standard_id == standard_id)
    )
    rows = session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME))
    return {version: _content(read_item(xml), kind) for version, xml, kind in rows}


def _content(item: Item, kind: ItemKind) -> Content:
    choice = kind in CHOICES  # nothing but one choice interaction: the others need not be looked for
    interactions = item.choice_interactions if choice else item.interactions
    task = read_skill_task(item) if kind is ItemKind.SKILL_TASK and is_skill_task(item) else None
    return Content(
        key=_letters(item) if choice else (),
        shuffle=any(getattr(one, "shuffle", False) for one in interactions),
        stimulus=copied_stimulus(item),
        marks=task.marks if task else None,
        minutes=task.minutes if task else None,
    )


def _letters(item: Item) -> tuple[str, ...]:
    letters = {option.identifier: option.label for option in item.options}
    return tuple(letters.get(identifier, identifier) for identifier in item.correct)
