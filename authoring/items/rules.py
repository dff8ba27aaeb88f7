"""Writing items into the bank: from a table of many, one by one, and new versions of those it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from authoring.audit.chain import record, record_many
from authoring.columns import AnyRow, now
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.items import tables
from authoring.items.duplicates import FoldedText, NearDuplicates, folded_text
from authoring.items.enemies import change_enemies
from authoring.items.tables import ItemState, ItemVersion
from authoring.people.actors import Role
from authoring.standards.rules import point_places
from item_formats import Finding, Item, ItemError, ItemRow, ItemType, choice_item, item_kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from authoring.items.schemas import ItemContent, NewItem, NewVersion
    from authoring.people.actors import Actor
    from authoring.standards.rules import PointPlace
    from item_formats import ItemTable

_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
ITEM = tables.Item.__table__
VERSION = ItemVersion.__table__


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: codes that are new drafts, codes the bank had just so, and what was found on the way.

    `enemies_changed` are codes the bank had with other 互斥; an item that no row is about may be among them.
    """

    created: tuple[str, ...]
    unchanged: tuple[str, ...]
    findings: tuple[Finding, ...]
    enemies_changed: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")


@dataclass(frozen=True, slots=True)
class _Known:
    """What the bank knows that rows are compared with."""

    places: Mapping[str, PointPlace]
    held: Mapping[str, AnyRow]  # items by code, with the digest of their newest version
    by_text: Mapping[str, str]  # text digest → code
    near: NearDuplicates


def import_items(session: Session, actor: Actor, standard_id: int, table: ItemTable) -> ImportReport:
    """Put the good rows of a table into the bank as drafts of the actor; the same table again adds nothing.

    A row is refused, with a finding, if its point is missing or unknown, if its grade is missing, if its code cannot
    be one or is taken by other content, or if the bank has the question under another code. Questions that are only
    similar come in with a warning. Of what the bank holds, only 互斥 changes (`change_enemies` says how).
    """
    actor.need(Role.AUTHOR)
    known = _known(session, standard_id)
    by_text = dict(known.by_text)
    findings = list(table.findings)
    new: list[tuple[ItemRow, FoldedText]] = []
    same: list[ItemRow] = []
    taken: set[str] = set()
    for row in table.rows:
        faults = [*_code_faults(row, taken), *_place_faults(row)]
        if faults:
            findings += faults
            continue
        taken.add(row.identifier)
        held = known.held.get(row.identifier)
        if held is not None:
            differing = _differences(row, held, known.places)
            if differing:
                message = (
                    f"the bank has {row.identifier} with other {', '.join(differing)}: give new content a new 编号"
                )
                findings.append(
                    Finding("error", "code-taken", message, line=row.row or None, column="编号", item=row.identifier)
                )
            else:
                same.append(row)
            continue
        text = folded_text(row.item)
        faults = [*_point_faults(row, known.places), *_text_findings(row, text, by_text, known.near)]
        findings += faults
        if any(fault.severity == "error" for fault in faults):
            continue
        by_text[text.digest] = row.identifier
        known.near.add(row.identifier, text)
        new.append((row, text))
    _insert(session, actor, standard_id, new, known.places)
    created = tuple(row.identifier for row, _ in new)
    enemies = change_enemies(session, actor, [*same, *(row for row, _ in new)], created)
    findings += enemies.findings
    findings.sort(key=lambda finding: finding.line or 0)
    unchanged = tuple(row.identifier for row in same if row.identifier not in enemies.changed)
    return ImportReport(created, unchanged, tuple(findings), tuple(sorted(enemies.changed)))


def create_item(session: Session, actor: Actor, new: NewItem) -> tuple[Finding, ...]:
    """Write one item into the bank as a draft of the actor; what is worth a look comes back as findings."""
    actor.need(Role.AUTHOR)
    item = _written(new.code, new)
    if session.scalar(select(ITEM.c.id).where(ITEM.c.code == new.code)):
        raise ConflictError("code-taken", f"the bank has an item {new.code} already: give the new one another code")
    row = ItemRow(
        identifier=new.code,
        item=item,
        point=new.point,
        grade=new.grade,
        marks=new.marks,
        congruence=new.congruence,
        source=new.source,
        enemies=tuple(new.enemies),
    )
    places = point_places(session, new.standard)
    text = folded_text(item)
    faults = [*_point_faults(row, places), *_same_text(session, new.code, text)]
    if faults:
        raise BankError(faults[0].code, faults[0].message, faults)
    _insert(session, actor, new.standard, [(row, text)], places)
    return change_enemies(session, actor, [row], [new.code]).findings


def add_version(session: Session, actor: Actor, code: str, new: NewVersion) -> None:
    """Give an item new content: the next version, a draft. The version a pool uses stays until this one is accepted."""
    actor.need(Role.AUTHOR)
    item = session.scalar(select(tables.Item).where(ITEM.c.code == code))
    if item is None or item.id is None:
        raise UnknownError("unknown-item", f"the bank has no item {code}")
    if item.state is ItemState.PUBLISHED:
        raise ConflictError("published-is-final", f"{code} is published: write a new item that supersedes it")
    if item.state not in {ItemState.DRAFT, ItemState.PRETEST, ItemState.ACCEPTED}:
        raise ConflictError("wrong-state", f"{code} is {tables.STATE_LABELS[item.state]}: it takes no new version now")
    if new.based_on != item.number:
        raise ConflictError(
            "changed-meanwhile", f"{code} is at version {item.number}, yours starts from {new.based_on}: read it again"
        )
    if new.type.value != item.item_type.value:
        raise BankError("type-changed", f"{code} is {item.item_type}: an item keeps its type, write a new one instead")
    content = _written(code, new)
    text = folded_text(content)
    current = session.scalar(
        select(VERSION.c.digest).where(VERSION.c.item_id == item.id, VERSION.c.number == item.number)
    )
    if current == content.digest:
        raise ConflictError("same-content", f"version {item.number} of {code} says exactly this already")
    faults = _same_text(session, code, text)
    if faults:
        raise BankError(faults[0].code, faults[0].message, faults)
    item.number += 1
    item.state = ItemState.DRAFT
    session.add(
        ItemVersion(
            item_id=item.id,
            number=item.number,
            xml=content.xml,
            digest=content.digest,
            folded_stem=text.stem,
            folded_options=text.options,
            text_digest=text.digest,
            author_id=actor.person(),
            created_at=now(),
        )
    )
    record(session, actor, "item.revised", ("item", code), version=item.number)


def _written(code: str, content: ItemContent) -> Item:
    try:
        return choice_item(
            identifier=code,
            item_type=ItemType(content.type),
            stem=content.stem,
            options=content.options,
            key=content.key,
            rationale=content.rationale,
        )
    except ItemError as error:
        raise BankError("item-wrong", "this cannot be an item: see the findings", error.findings) from None


def _known(session: Session, standard_id: int) -> _Known:
    columns = (
        ITEM.c.code,
        ITEM.c.standard_id,
        ITEM.c.point_id,
        ITEM.c.grade,
        ITEM.c.marks,
        ITEM.c.congruence,
        ITEM.c.source,
        VERSION.c.digest,
        VERSION.c.folded_stem,
        VERSION.c.folded_options,
        VERSION.c.text_digest,
    )
    newest = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.number)
    held = {row.code: row for row in session.execute(select(*columns).join(VERSION, newest).order_by(ITEM.c.code))}
    near = NearDuplicates()
    for row in held.values():
        if row.standard_id == standard_id:
            near.add(row.code, FoldedText(row.folded_stem, row.folded_options))
    by_text = {row.text_digest: row.code for row in held.values()}
    return _Known(point_places(session, standard_id), held, by_text, near)


def _differences(row: ItemRow, held: AnyRow, places: Mapping[str, PointPlace]) -> list[str]:
    place = places.get(row.point)
    pairs = {
        "content": (row.item.digest, held.digest),
        "知识点": (place.point_id if place else None, held.point_id),
        "难度": (row.grade, held.grade),
        "分数": (row.marks, held.marks),
        "一致性": (row.congruence, held.congruence),
        "出处": (row.source or "", held.source),
    }
    return [name for name, (written, stored) in pairs.items() if written != stored]


def _code_faults(row: ItemRow, taken: Collection[str]) -> Iterable[Finding]:
    """A code that papers could not use as a name, or that another item of the same import has."""
    if not _CODE.fullmatch(row.identifier):
        message = (
            f"“{row.identifier[:80]}” cannot be a code: a letter or _ first, then letters, digits, _ - or ., at most 64"
        )
        yield Finding("error", "bad-code", message, line=row.row or None, column="编号", item=row.identifier[:80])
    elif row.identifier in taken:
        message = f"two items have the code {row.identifier}: give each its own"
        yield Finding(
            "error", "duplicate-identifier", message, line=row.row or None, column="编号", item=row.identifier
        )


def _place_faults(row: ItemRow) -> Iterable[Finding]:
    """A point or grade that is missing: the bank never guesses where an item belongs."""
    beside = f"or in a table with 编号,知识点,难度 that --with names (编号 {row.identifier})"
    if not row.point:
        message = f"it has no point (知识点) of the outline: give one in the file, such as 知识点：A-A-A-001, {beside}"
        yield Finding("error", "no-point", message, line=row.row or None, column="知识点", item=row.identifier)
    if row.grade is None:
        message = f"it has no difficulty grade (难度): give 1 (易) to 5 (难) in the file, such as 难度：3, {beside}"
        yield Finding("error", "no-grade", message, line=row.row or None, column="难度", item=row.identifier)


def _point_faults(row: ItemRow, places: Mapping[str, PointPlace]) -> list[Finding]:
    if row.point in places:
        return []
    near = get_close_matches(row.point, places, n=1)
    hint = f"; the nearest is {near[0]} {places[near[0]].name}" if near else ""
    message = f"the outline has no point {row.point}{hint}"
    return [Finding("error", "unknown-point", message, line=row.row or None, column="知识点", item=row.identifier)]


def _text_findings(
    row: ItemRow, text: FoldedText, by_text: Mapping[str, str], near: NearDuplicates
) -> Iterable[Finding]:
    same = by_text.get(text.digest)
    if same is not None:
        message = f"the bank has this question as {same}: leave it out, or write another"
        yield Finding("error", "duplicate-item", message, line=row.row or None, column="题干", item=row.identifier)
        return
    similar = near.nearest(text)
    if similar is not None:
        alike = f"stem {similar.stem:.2f}" + ("" if similar.options is None else f", options {similar.options:.2f}")
        message = f"very like {similar.code} ({alike} of 1): make sure that neither gives the other away"
        yield Finding("warning", "near-duplicate", message, line=row.row or None, column="题干", item=row.identifier)


def _same_text(session: Session, code: str, text: FoldedText) -> list[Finding]:
    """An item, other than this one, whose newest version asks the same."""
    newest = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.number)
    query = select(ITEM.c.code).join(VERSION, newest).where(VERSION.c.text_digest == text.digest, ITEM.c.code != code)
    same = session.scalar(query.limit(1))
    if same is None:
        return []
    message = f"the bank has this question as {same}: change that item, or write another question"
    return [Finding("error", "duplicate-item", message, column="题干", item=code)]


def _insert(
    session: Session,
    actor: Actor,
    standard_id: int,
    rows: Sequence[tuple[ItemRow, FoldedText]],
    places: Mapping[str, PointPlace],
) -> None:
    if not rows:
        return
    at, author = now(), actor.person()
    items = [
        {
            "code": row.identifier,
            "standard_id": standard_id,
            "point_id": places[row.point].point_id,
            "item_type": item_kind(row.item),
            "grade": row.grade,
            "congruence": row.congruence,
            "marks": row.marks,
            "source": row.source or "",
            "owner_id": author,
            "state": ItemState.DRAFT,
            "number": 1,
            "created_at": at,
            "revision": 1,
        }
        for row, _ in rows
    ]
    ids = session.scalars(insert(ITEM).returning(ITEM.c.id, sort_by_parameter_order=True), items).all()
    versions = [
        {
            "item_id": item_id,
            "number": 1,
            "xml": row.item.xml,
            "digest": row.item.digest,
            "folded_stem": text.stem,
            "folded_options": text.options,
            "text_digest": text.digest,
            "author_id": author,
            "created_at": at,
        }
        for item_id, (row, text) in zip(ids, rows, strict=True)
    ]
    session.execute(insert(VERSION), versions)
    record_many(session, actor, "item.created", "item", [(row.identifier, {"version": 1}) for row, _ in rows])
