"""Releases in the bank: publishing a chosen share, for good, and the package the public gets."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isnan
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from authoring.audit.chain import record
from authoring.columns import now
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.items import states
from authoring.items.states import standings, take_step
from authoring.items.tables import Item as ItemRow
from authoring.items.tables import ItemVersion
from authoring.papers.rules import papers_with
from authoring.people.actors import Role
from authoring.releases.tables import Release, ReleaseItem
from item_formats import CandidateProfile, Item, for_candidate, read_item

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    import engine
    from authoring.people.actors import Actor

RELEASE = Release.__table__
RELEASE_ITEM = ReleaseItem.__table__
VERSION = ItemVersion.__table__
ITEM = ItemRow.__table__


def publish(
    session: Session,
    actor: Actor,
    standard_id: int,
    chosen: engine.Release,
    policy: engine.ReleasePolicy,
) -> int:
    """Publish the chosen items as the policy's switches say; the release's id.

    The decision that they are ready comes with the release, which is refused without it. Publishing cannot be undone:
    what is public is only ever superseded.

    Raises
    ------
    BankError
        `not-ready` without a recorded decision that the occupation is ready for it.
    ConflictError
        `in-a-paper` if an item stands in a paper, `wrong-state` if one is not an accepted, secret item,
        `other-standard` if one belongs to another standard.
    """
    actor.need(Role.ADMINISTRATOR)
    ready = [share.readiness for share in chosen.shares if share.published]
    if not ready or None in ready:
        raise BankError("not-ready", "record who decided that this occupation, level and component is ready, and when")
    used = papers_with(session, list(chosen.items))
    if used:
        item, papers = next(iter(sorted(used.items())))
        raise ConflictError("in-a-paper", f"{item} stands in paper {papers[0]}: items of papers are not published")
    other = select(ITEM.c.code).where(ITEM.c.code.in_(chosen.items), ITEM.c.standard_id != standard_id)
    strange = session.scalars(other.order_by(ITEM.c.code)).all()
    if strange:
        raise ConflictError("other-standard", f"{strange[0]} is an item of another standard than {standard_id}")
    items = standings(session, chosen.items)
    row = Release(
        standard_id=standard_id,
        share=policy.share,
        seed=chosen.seed,
        policy=_plain(asdict(policy)),
        readiness="\n".join(
            f"{one.decided_by}, {one.date.isoformat()}: {one.reference}" for one in ready if one is not None
        ),
        profile=asdict(chosen.publish),
        report={
            "pool_digest": chosen.pool_digest,
            "worst_margin": chosen.worst_margin,
            "worst_cell": chosen.worst_cell,
            "ks_difficulty": _known(chosen.ks_difficulty),
            "ks_discrimination": _known(chosen.ks_discrimination),
            "shares": [_plain(asdict(share)) for share in chosen.shares],
            "effects": None if chosen.effects is None else asdict(chosen.effects),
            "papers_left": None if chosen.papers is None else chosen.papers.left,
            "notes": list(chosen.notes),
            "versions": dict(chosen.versions),
        },
        created_by_id=actor.person(),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    take_step(session, actor, states.PUBLISH, items, {item.code: {"release": row.id} for item in items})
    rows = [
        {"release_id": row.id, "version_id": item.version_id, "reason": chosen.reasons[item.code]} for item in items
    ]
    session.execute(insert(RELEASE_ITEM), rows)
    shown = [name for name, shows in asdict(chosen.publish).items() if shows]
    record(
        session,
        actor,
        "release.published",
        ("release", str(row.id)),
        items=len(items),
        share=policy.share,
        seed=chosen.seed,
        shown=shown,
        pool_digest=chosen.pool_digest,
    )
    return row.id or 0


def public_items(session: Session, release_id: int) -> tuple[Item, ...]:
    """The items of a release as the public sees them: stripped to the release's profile, by code."""
    profile = session.scalar(select(RELEASE.c.profile).where(RELEASE.c.id == release_id))
    if profile is None:
        raise UnknownError("unknown-release", f"there is no release {release_id}")
    query = select(VERSION.c.xml).join(RELEASE_ITEM, RELEASE_ITEM.c.version_id == VERSION.c.id)
    documents = session.scalars(query.where(RELEASE_ITEM.c.release_id == release_id))
    shown = CandidateProfile(**profile)
    stripped = [for_candidate(read_item(xml), shown) for xml in documents]
    return tuple(sorted(stripped, key=lambda item: item.identifier))


def _plain(value: Any) -> Any:  # noqa: ANN401  # JSON data of any depth
    """The same data with dates as ISO 8601 writes them."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=str))


def _known(number: float) -> float | None:
    """JSON has no NaN, which stands for items without parameters."""
    return None if isnan(number) else number
