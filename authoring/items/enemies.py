"""Pairs of items that may not meet in one paper (互斥): what rows say of them, compared with what the bank holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from authoring.audit.chain import record_many
from authoring.items import tables
from authoring.items.tables import ItemEnemy
from item_formats import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session

    from authoring.people.actors import Actor
    from item_formats import ItemRow

ITEM = tables.Item.__table__
ENEMY = ItemEnemy.__table__

Pair = tuple[int, int]  # ids of items, the lower first


@dataclass(frozen=True, slots=True)
class EnemyChanges:
    """Codes of items the bank had before that have other enemies now, and names that are no item of the bank."""

    changed: frozenset[str]
    findings: tuple[Finding, ...]


def change_enemies(session: Session, actor: Actor, rows: Sequence[ItemRow], created: Collection[str]) -> EnemyChanges:
    """Store the pairs that the rows name, and remove those they no longer name.

    A pair counts once, whichever of its two rows names it. So it is removed only if both items are among the rows and
    neither names the other: one row alone cannot tell. Pairs of two `created` items are part of their creation, every
    other change is recorded as `item.enemies_changed`.
    """
    if not rows:
        return EnemyChanges(frozenset(), ())
    ids = {row.code: row.id for row in session.execute(select(ITEM.c.code, ITEM.c.id))}
    named, findings = _named_pairs(rows, ids)
    held: set[Pair] = {(row.first_id, row.second_id) for row in session.execute(select(ENEMY))}
    listed = {ids[row.identifier] for row in rows}
    added = sorted(named - held)
    removed = sorted(pair for pair in held - named if listed.issuperset(pair))
    if added:
        session.execute(insert(ENEMY), [{"first_id": first, "second_id": second} for first, second in added])
    if removed:
        this = (ENEMY.c.first_id == bindparam("first")) & (ENEMY.c.second_id == bindparam("second"))
        session.execute(delete(ENEMY).where(this), [{"first": first, "second": second} for first, second in removed])
    codes = {item_id: code for code, item_id in ids.items()}
    changes = _recorded_changes(added, removed, codes, created)
    record_many(session, actor, "item.enemies_changed", "item", sorted(changes.items()))
    concerned = {codes[item_id] for pair in (*added, *removed) for item_id in pair}
    return EnemyChanges(frozenset(concerned - set(created)), tuple(findings))


def _named_pairs(rows: Sequence[ItemRow], ids: dict[str, int]) -> tuple[set[Pair], list[Finding]]:
    pairs: set[Pair] = set()
    findings = []
    for row in rows:
        for enemy in row.enemies:
            if enemy in ids and enemy != row.identifier:
                first, second = sorted((ids[row.identifier], ids[enemy]))
                pairs.add((first, second))
                continue
            message = f"互斥 names {enemy}, which is not another item of the bank: the pair is not stored"
            findings.append(
                Finding("warning", "unknown-enemy", message, line=row.row or None, column="互斥", item=row.identifier)
            )
    return pairs, findings


def _recorded_changes(
    added: Sequence[Pair], removed: Sequence[Pair], codes: dict[int, str], created: Collection[str]
) -> dict[str, dict[str, list[str]]]:
    """Code → the codes it was paired with (`added`) and parted from (`removed`); each pair stands under one code."""
    new = set(created)
    changes: dict[str, dict[str, list[str]]] = {}
    for what, pairs in (("added", added), ("removed", removed)):
        for first, second in pairs:
            if not {codes[first], codes[second]} <= new:
                change = changes.setdefault(codes[first], {"added": [], "removed": []})
                change[what].append(codes[second])
    return changes
