"""The life of an item: which steps there are, from where they may be taken, and taking them.

草稿 → 初审 → 终审 → 试测 → 入库 → 公开; a returned item is a draft again; 停用 from anywhere but 公开, because what is
published can only be superseded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import CursorResult, select, update

from authoring.audit.chain import record_many
from authoring.errors import ConflictError, UnknownError
from authoring.items.tables import STATE_LABELS, Item, ItemState, ItemVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from authoring.audit.chain import Detail
    from authoring.people.actors import Actor

ITEM = Item.__table__
VERSION = ItemVersion.__table__

NAMES_A_QUERY = 5000  # both databases bound how many values one statement may carry


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the life cycle, named as the audit trail names it."""

    action: str
    starts: frozenset[ItemState]
    end: ItemState


SUBMIT = Step("item.submitted", frozenset({ItemState.DRAFT}), ItemState.IN_REVIEW)
REVIEW = Step("item.reviewed", frozenset({ItemState.IN_REVIEW}), ItemState.IN_APPROVAL)
APPROVE = Step("item.approved", frozenset({ItemState.IN_APPROVAL}), ItemState.PRETEST)
RETURN = Step("item.returned", frozenset({ItemState.IN_REVIEW, ItemState.IN_APPROVAL}), ItemState.DRAFT)
ACCEPT = Step("item.accepted", frozenset({ItemState.PRETEST}), ItemState.ACCEPTED)
PUBLISH = Step("item.published", frozenset({ItemState.ACCEPTED}), ItemState.PUBLISHED)
WITHDRAW = Step(
    "item.withdrawn", frozenset(ItemState) - {ItemState.PUBLISHED, ItemState.WITHDRAWN}, ItemState.WITHDRAWN
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an item stands: its state, and the version that state is of."""

    item_id: int
    code: str
    state: ItemState
    version_id: int
    number: int
    author_id: int
    accepted_number: int | None


def standings(session: Session, codes: Sequence[str]) -> list[Standing]:
    """Where the named items stand, in the order named. Raises `UnknownError` naming those the bank does not hold."""
    columns = (
        ITEM.c.id,
        ITEM.c.code,
        ITEM.c.state,
        VERSION.c.id,
        ITEM.c.number,
        VERSION.c.author_id,
        ITEM.c.accepted_number,
    )
    query = select(*columns).join(VERSION, (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.number))
    found: dict[str, Standing] = {}
    for names in batches(codes):
        found |= {row[1]: Standing(*row) for row in session.execute(query.where(ITEM.c.code.in_(names)))}
    unknown = [code for code in codes if code not in found]
    if unknown:
        raise UnknownError("unknown-item", f"the bank has no item {_some(unknown)}")
    return [found[code] for code in dict.fromkeys(codes)]


def take_step(
    session: Session,
    actor: Actor,
    step: Step,
    items: Sequence[Standing],
    details: Mapping[str, Mapping[str, Detail]] | None = None,
) -> None:
    """Move items to the end of a step, and record it for each; `details` adds to the events, by code.

    Raises
    ------
    ConflictError
        `wrong-state` if an item is not where the step starts, `changed-meanwhile` if somebody moved one just now.
    """
    refuse_wrong_state(items, step)
    change: dict[str, Any] = {"state": step.end, "revision": ITEM.c.revision + 1}
    if step is ACCEPT:
        change["accepted_number"] = ITEM.c.number
    elif step is WITHDRAW:
        change["accepted_number"] = None
    moved = 0
    for batch in batches([item.item_id for item in items]):
        ours = update(ITEM).where(ITEM.c.id.in_(batch), ITEM.c.state.in_(step.starts)).values(change)
        result = session.execute(ours)
        moved += result.rowcount if isinstance(result, CursorResult) else 0
    if moved != len(items):
        raise ConflictError("changed-meanwhile", "somebody else moved one of these items just now: read them again")
    events = [(item.code, {"version": item.number, **(details or {}).get(item.code, {})}) for item in items]
    record_many(session, actor, step.action, "item", events)


def refuse_wrong_state(items: Sequence[Standing], step: Step) -> None:
    """Raise `wrong-state`, naming the items, unless all are where the step starts."""
    wrong = [item for item in items if item.state not in step.starts]
    if wrong:
        starts = " or ".join(STATE_LABELS[state] for state in ItemState if state in step.starts)
        raise ConflictError(
            "wrong-state",
            f"{_some([item.code for item in wrong])}: is {STATE_LABELS[wrong[0].state]}, "
            f"{step.action} starts from {starts}",
        )


def batches(values: Iterable[Any]) -> Iterable[tuple[Any, ...]]:
    """Values in groups small enough for one statement."""
    ordered = list(values)
    return [tuple(ordered[start : start + NAMES_A_QUERY]) for start in range(0, len(ordered), NAMES_A_QUERY)]


def _some(codes: Sequence[str]) -> str:
    return ", ".join(codes[:5]) + (f" and {len(codes) - 5} more" if len(codes) > 5 else "")
