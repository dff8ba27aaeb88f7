"""The review of items: three people look at every version before candidates do.

The author submits; a reviewer, who is not the author, answers each item without seeing its key, and a wrong answer
sends it back whatever the reviewer thinks of it; an approver, who is neither of them, lets it into pretest (试测);
after a calibration it can be accepted (入库). All functions take many items and do all or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from authoring.calibrations.tables import ItemStatistics
from authoring.columns import now
from authoring.errors import BankError, ConflictError, ForbiddenError
from authoring.items import states
from authoring.items.states import Standing, standings, take_step
from authoring.items.tables import ItemVersion
from authoring.people.actors import Role
from authoring.reviews.answers import is_right
from authoring.reviews.tables import Review, Stage, Verdict
from item_formats import Item, ItemError, for_candidate, read_item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from authoring.people.actors import Actor

REVIEW = Review.__table__
VERSION = ItemVersion.__table__
STATISTICS = ItemStatistics.__table__


@dataclass(frozen=True, slots=True)
class BlindReview:
    """What a reviewer says of an item: their own answer, given before the key was seen, and a verdict.

    `answer` is B, ABD or √ of a choice item; of others what `is_right` takes.
    """

    code: str
    answer: str
    verdict: Verdict
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """What became of a review: the verdict that counts, and whether the blind answer was the key."""

    code: str
    verdict: Verdict
    answer_matches: bool


def submit(session: Session, actor: Actor, codes: Sequence[str]) -> None:
    """Hand drafts in for review. Only their authors do that."""
    actor.need(Role.AUTHOR)
    items = standings(session, codes)
    _refuse(
        [item for item in items if item.author_id != actor.person()],
        "only-author-submits",
        f"was not written by {actor.name}: its author hands it in",
    )
    take_step(session, actor, states.SUBMIT, items)


def blind_items(session: Session, actor: Actor, codes: Sequence[str]) -> dict[str, Item]:
    """The items as a reviewer gets them: without key, rationale and processing."""
    actor.need(Role.REVIEWER)
    items = standings(session, codes)
    return {code: for_candidate(item) for code, item in _documents(session, items).items()}


def review(session: Session, actor: Actor, reviews: Sequence[BlindReview]) -> tuple[ReviewOutcome, ...]:
    """Record blind reviews. An answer that is not the key forces the item back to its author.

    Raises
    ------
    ForbiddenError
        `role-needed`, or `author-is-not-reviewer`.
    BankError
        `blind-answer-needed`, or `answer-not-possible` if the answer is none the item allows.
    """
    actor.need(Role.REVIEWER)
    given = {one.code: one for one in reviews}
    if len(given) < len(reviews):
        raise BankError("reviewed-twice", "an item is in the list twice: one review of each")
    items = standings(session, list(given))
    _refuse_own(items, actor, "author-is-not-reviewer", "another reviews it")
    states.refuse_wrong_state(items, states.REVIEW)
    documents = _documents(session, items)
    outcomes = tuple(_outcome(documents[item.code], given[item.code]) for item in items)
    rows = [
        {
            "version_id": item.version_id,
            "person_id": actor.person(),
            "stage": Stage.REVIEW,
            "answer": given[item.code].answer.strip(),
            "answer_matches": outcome.answer_matches,
            "verdict": outcome.verdict,
            "comment": given[item.code].comment,
            "at": now(),
        }
        for item, outcome in zip(items, outcomes, strict=True)
    ]
    if rows:
        session.execute(insert(REVIEW), rows)
    details = {one.code: {"answer_matches": one.answer_matches} for one in outcomes}
    verdicts = {one.code: one.verdict for one in outcomes}
    _pass_or_return(session, actor, states.REVIEW, items, verdicts, details)
    return outcomes


def approve(
    session: Session, actor: Actor, codes: Sequence[str], *, verdict: Verdict = Verdict.ACCEPT, comment: str = ""
) -> None:
    """Let reviewed items into pretest, or return them.

    Raises
    ------
    ForbiddenError
        `role-needed`, `author-is-not-approver`, or `reviewer-is-not-approver`.
    """
    actor.need(Role.APPROVER)
    items = standings(session, codes)
    _refuse_own(items, actor, "author-is-not-approver", "another approves it")
    states.refuse_wrong_state(items, states.APPROVE)
    mine = select(REVIEW.c.version_id).where(REVIEW.c.person_id == actor.person(), REVIEW.c.stage == Stage.REVIEW)
    reviewed = set(session.scalars(mine))
    _refuse(
        [item for item in items if item.version_id in reviewed],
        "reviewer-is-not-approver",
        f"was reviewed by {actor.name}: another approves it",
    )
    rows = [
        {
            "version_id": item.version_id,
            "person_id": actor.person(),
            "stage": Stage.APPROVE,
            "verdict": verdict,
            "comment": comment,
            "at": now(),
        }
        for item in items
    ]
    if rows:
        session.execute(insert(REVIEW), rows)
    _pass_or_return(session, actor, states.APPROVE, items, {item.code: verdict for item in items}, {})


def accept(session: Session, actor: Actor, codes: Sequence[str]) -> None:
    """Take pretested items into the bank proper (入库): from now on a pool may use them.

    Raises
    ------
    ConflictError
        `calibrate-first` if a version has no statistics from a calibration yet.
    """
    actor.need(Role.APPROVER)
    items = standings(session, codes)
    _refuse_own(items, actor, "author-is-not-approver", "another accepts it")
    states.refuse_wrong_state(items, states.ACCEPT)
    calibrated = set(session.scalars(select(STATISTICS.c.version_id).distinct()))
    _refuse(
        [item for item in items if item.version_id not in calibrated],
        "calibrate-first",
        "has no statistics yet: calibrate its pretest sittings, then accept it",
        ConflictError,
    )
    take_step(session, actor, states.ACCEPT, items)


def withdraw(session: Session, actor: Actor, codes: Sequence[str], reason: str) -> None:
    """Take items out of use for good (停用). What is published cannot be withdrawn, only superseded."""
    actor.need(Role.APPROVER)
    if not reason.strip():
        raise BankError("reason-needed", "say why the items are withdrawn: the audit trail keeps it")
    items = standings(session, codes)
    take_step(session, actor, states.WITHDRAW, items, {item.code: {"reason": reason.strip()} for item in items})


def _pass_or_return(
    session: Session,
    actor: Actor,
    step: states.Step,
    items: Sequence[Standing],
    verdicts: Mapping[str, Verdict],
    details: Mapping[str, Mapping[str, bool]],
) -> None:
    for verdict, taken in ((Verdict.ACCEPT, step), (Verdict.RETURN, states.RETURN)):
        ours = [item for item in items if verdicts[item.code] is verdict]
        if ours:
            take_step(session, actor, taken, ours, details)


def _outcome(document: Item, given: BlindReview) -> ReviewOutcome:
    if not given.answer.strip():
        raise BankError("blind-answer-needed", f"{given.code}: answer the item before judging it")
    try:
        matches = is_right(document, given.answer)
    except ItemError as error:
        raise BankError("answer-not-possible", f"{given.code}: {error.findings[0].message}", error.findings) from None
    return ReviewOutcome(given.code, given.verdict if matches else Verdict.RETURN, matches)


def _documents(session: Session, items: Sequence[Standing]) -> dict[str, Item]:
    codes = {item.version_id: item.code for item in items}
    documents: dict[str, Item] = {}
    for batch in states.batches(list(codes)):
        rows = session.execute(select(VERSION.c.id, VERSION.c.xml).where(VERSION.c.id.in_(batch)))
        documents |= {codes[version_id]: read_item(xml) for version_id, xml in rows}
    return documents


def _refuse_own(items: Sequence[Standing], actor: Actor, rule: str, instead: str) -> None:
    own = [item for item in items if item.author_id == actor.person()]
    _refuse(own, rule, f"was written by {actor.name}: {instead}")


def _refuse(items: Sequence[Standing], rule: str, why: str, error: type[BankError] = ForbiddenError) -> None:
    if items:
        more = f" (and {len(items) - 1} more)" if len(items) > 1 else ""
        raise error(rule, f"{items[0].code}{more} {why}")
