"""The audit trail: recording events, linking them into a hash chain, and proving that nobody touched it.

`record` writes an event in the transaction of the change it speaks of. One sequencer, `link_events`, later gives
each event its place: hash = SHA-256 of the canonical JSON of (seq, previous hash, event). So a changed, removed or
reordered event no longer fits its neighbours; an exported `audit.jsonl` also betrays a chain that was forged anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from authoring.audit.tables import AuditEvent, AuditHead
from authoring.columns import AnyRow, now
from authoring.database import ACTOR, EVENTS, reading, writing
from authoring.errors import BankError
from authoring.people.actors import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from authoring.database import Bank
    from authoring.people.actors import Actor

GENESIS = "0" * 64  # what the first event's prev_hash is
GRACE = timedelta(seconds=10)  # the server links within a second; an event older than this should have a place

EVENT = AuditEvent.__table__
HEAD_ROW = AuditHead.__table__

_ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
_CONTENT_NAMES = {"stem", "option", "options", "key", "keys", "answer", "answers", "rationale", "xml", "processing"}
_SECRET_NAMES = _CONTENT_NAMES | {"parameters", "a", "b", "c", "d", "token", "password"}
_LONGEST_VALUE = 500  # an event says what happened; texts of that size are content

Scalar = str | int | float | bool | None
Detail = Scalar | list[Any] | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is hashed and exported; `seq`, `prev_hash` and `hash` are None until it is linked."""

    id: int
    at: str  # ISO 8601 in UTC, microseconds
    actor: str
    action: str
    subject_kind: str
    subject: str
    detail: Mapping[str, Any]
    seq: int | None
    prev_hash: str | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One thing wrong with the chain: kind is changed, removed, reordered, unlinked or missing."""

    kind: str
    seq: int | None
    event_id: int | None
    message: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying found: how many events are linked, the last hash, how many still wait, and the faults."""

    linked: int
    head: str
    waiting: int
    faults: tuple[ChainFault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def record(session: Session, actor: Actor, action: str, subject: tuple[str, str], **detail: Detail) -> None:
    """Add an event to the running transaction. `action` is `noun.verb`, `subject` is (kind, code or id).

    Raises
    ------
    BankError
        If the detail could carry a secret (a stem, key, parameter, token …) or the actor is not the transaction's.
    """
    record_many(session, actor, action, subject[0], [(subject[1], detail)])


def record_many(
    session: Session, actor: Actor, action: str, kind: str, events: Sequence[tuple[str, Mapping[str, Any]]]
) -> None:
    """Like `record` for many subjects of one kind, in one statement."""
    if session.info.get(ACTOR) != actor:
        raise BankError("one-actor", f"the transaction is not {actor.code}'s: use `with writing(bank, actor)`")
    if not _ACTION.fullmatch(action):
        raise BankError("audit-action", f"audit action {action!r}: expected noun.verb, for example item.accepted")
    if not events:
        return
    at = now()
    common = {"at": at, "actor": actor.code, "action": action, "subject_kind": kind}
    rows = [common | {"subject": subject, "detail": canonical(_safe(detail))} for subject, detail in events]
    session.execute(insert(EVENT), rows)
    session.info[EVENTS] += len(rows)


def link_events(session: Session) -> int:
    """Give every unlinked event its place in the chain, in the order they were recorded; how many were linked.

    The sequencer: it locks the chain's head, so that two of them cannot link at once. Run it in its own transaction.
    """
    head = session.execute(select(HEAD_ROW.c.seq, HEAD_ROW.c.hash).with_for_update()).one()
    waiting = [
        event_of(row) for row in session.execute(select(EVENT).where(EVENT.c.seq.is_(None)).order_by(EVENT.c.id))
    ]
    if not waiting:
        return 0
    seq, last = head.seq, head.hash
    places = []
    for event in waiting:
        seq += 1
        linked = replace(event, seq=seq, prev_hash=last)
        last = event_hash(linked)
        places.append({"event_id": event.id, "seq": seq, "prev_hash": linked.prev_hash, "hash": last})
    session.execute(update(EVENT).where(EVENT.c.id == bindparam("event_id")), places)
    session.execute(update(HEAD_ROW).values(seq=seq, hash=last))
    session.info[EVENTS] += len(places)  # the chain is its own record: linking needs no event beside it
    return len(waiting)


def link_waiting(bank: Bank) -> int:
    """Link what waits to be linked; takes the writer's lock only if something does."""
    with reading(bank) as session:
        if not session.scalar(select(func.count()).select_from(EVENT).where(EVENT.c.seq.is_(None))):
            return 0
    with writing(bank, SYSTEM) as session:
        return link_events(session)


def verify(session: Session, *, against: Iterable[Event] = (), grace: timedelta = GRACE) -> ChainReport:
    """Check the bank's chain, and that it still holds every event of an earlier export (`against`)."""
    rows = session.execute(select(EVENT).order_by(EVENT.c.seq.is_(None), EVENT.c.seq, EVENT.c.id)).all()
    events = [event_of(row) for row in rows]
    head = session.execute(select(HEAD_ROW.c.seq, HEAD_ROW.c.hash)).one_or_none()
    report = check_chain(events, grace=grace)
    faults = list(report.faults)
    last = max(map(_place, events), default=0)
    if head is None:
        faults.append(ChainFault("removed", None, None, "the head of the chain is gone"))
    elif head.seq > last:
        faults.append(ChainFault("removed", head.seq, None, f"the chain ends at {last}, its head says {head.seq}"))
    elif (head.seq, head.hash) != (last, report.head):
        faults.append(ChainFault("changed", head.seq, None, "the head of the chain does not name its last event"))
    held = {_place(event): event.hash for event in events if event.seq is not None}
    faults += [
        ChainFault("missing", event.seq, event.id, f"event {event.seq} of the export is not in the bank as exported")
        for event in against
        if held.get(_place(event)) != event.hash
    ]
    return replace(report, faults=tuple(faults))


def check_chain(events: Sequence[Event], *, grace: timedelta = GRACE) -> ChainReport:
    """Check events by themselves (a bank's, or a file's): every place taken once, every hash right, none left out."""
    written = [event for event in events if event.seq is not None]
    linked = sorted(written, key=_place)
    waiting = [event for event in events if event.seq is None]
    by_links = _places_by_links(linked)
    faults = [
        ChainFault("reordered", event.seq, event.id, f"event {event.seq} stands where event {place.seq} belongs")
        for event, place in zip(written, linked, strict=True)
        if event.seq != place.seq
    ]
    expected, last = 1, GENESIS  # last: the hash the next event must follow, "" after an event that is not in order
    for event in linked:
        seq = _place(event)
        fault = _fault(event, by_links)
        if seq > expected:
            gone = f"event {expected} is" if seq == expected + 1 else f"events {expected} to {seq - 1} are"
            faults.append(ChainFault("removed", expected, None, f"{gone} gone"))
        elif seq < expected:
            fault = ChainFault("changed", seq, event.id, f"two events claim place {seq}")
        elif fault is None and last and event.prev_hash != last:
            fault = ChainFault("changed", seq, event.id, f"event {seq} does not follow the event before it")
        if fault is not None:
            faults.append(fault)
        expected, last = seq + 1, "" if fault else event.hash or ""
    oldest_allowed = (now() - grace).astimezone(UTC)
    faults += [
        ChainFault("unlinked", None, event.id, f"the event {event.id} of {event.at} has no place in the chain")
        for event in waiting
        if datetime.fromisoformat(event.at) <= oldest_allowed
    ]
    head = linked[-1].hash or "" if linked else GENESIS
    return ChainReport(len(linked), head, len(waiting), tuple(faults))


def event_hash(event: Event) -> str:
    """SHA-256 (hex) of an event in its place: of everything but its own hash."""
    content = asdict(event)
    del content["hash"]
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def _fault(event: Event, by_links: Mapping[int, int]) -> ChainFault | None:
    """What is wrong with an event by itself: its hash is not that of its content in its place."""
    if event_hash(event) == event.hash:
        return None
    belongs = by_links.get(event.id)
    if belongs is not None and event_hash(replace(event, seq=belongs)) == event.hash:
        return ChainFault("reordered", event.seq, event.id, f"event {belongs} was moved to place {event.seq}")
    return ChainFault("changed", event.seq, event.id, f"event {event.seq} is not what was recorded")


def _place(event: Event) -> int:
    return event.seq or 0


def _places_by_links(linked: Sequence[Event]) -> dict[int, int]:
    """Event id → place, found by following hashes from the first event: what the places were before a reordering."""
    following = {event.prev_hash or "": event for event in linked}
    places: dict[int, int] = {}
    last = GENESIS
    while last in following:
        event = following.pop(last)
        places[event.id] = len(places) + 1
        last = event.hash or ""
    return places


def event_of(row: AnyRow) -> Event:
    """A row of the table as an event."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    return Event(
        id=row.id,
        at=at,
        actor=row.actor,
        action=row.action,
        subject_kind=row.subject_kind,
        subject=row.subject,
        detail=json.loads(row.detail),
        seq=row.seq,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def _safe(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    for name, value in detail.items():
        values = value if isinstance(value, (list, tuple)) else (value,)
        if name in _SECRET_NAMES:
            raise BankError(
                "secret-in-audit", f"an audit event may not carry {name!r}: name the thing, not its content"
            )
        for one in values:
            if not isinstance(one, Scalar) or (isinstance(one, str) and len(one) > _LONGEST_VALUE):
                raise BankError("secret-in-audit", f"audit detail {name!r}: expected short texts and numbers")
    return detail


def canonical(content: Mapping[str, Any]) -> str:
    """JSON with one way to write everything, so that equal contents have equal hashes."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
