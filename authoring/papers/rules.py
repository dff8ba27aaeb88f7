"""Papers: a blueprint from a standard's weight table, a form made into a paper, and the paper's documents."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from authoring.audit.chain import record
from authoring.columns import now
from authoring.errors import ConflictError, ForbiddenError, UnknownError
from authoring.items.tables import Item as ItemRow
from authoring.items.tables import ItemVersion
from authoring.items.views import pool_items
from authoring.papers.tables import Paper, PaperItem, PaperState
from authoring.people.actors import Role
from authoring.standards.rules import weight_table
from engine import Blueprint, Target
from item_formats import Item, PaperSheet, TestDocument, build_test, kind_label, paper_sections, read_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from authoring.people.actors import Actor
    from engine import Assembly, Blueprint, Form

PAPER = Paper.__table__
PAPER_ITEM = PaperItem.__table__
VERSION = ItemVersion.__table__
ITEM = ItemRow.__table__


def standard_blueprint(
    session: Session,
    standard_id: int,
    *,
    title: str,
    minutes: float,
    types: Mapping[str, tuple[int, float]],
    target: Target | None = None,
) -> Blueprint:
    """The blueprint of a standard's weight table in a paper form: `types` gives (items, marks each) by item type."""
    weights = weight_table(session, standard_id)
    return Blueprint.from_weights(
        title=title,
        minutes=minutes,
        types=types,
        functions={row.code: float(row.weight or 0) for row in weights.rows},
        sections={row.code: float(row.weight or 0) for row in weights.sections},
        target=target,
    )


def save_paper(
    session: Session,
    actor: Actor,
    standard_id: int,
    form: Form,
    assembly: Assembly,
    blueprint: Blueprint,
    *,
    code: str,
    title: str,
) -> None:
    """Keep an assembled form as a draft paper, with all that is needed to make it again.

    Raises
    ------
    ConflictError
        `paper-exists`, `not-of-assembly` if the form is not one that the recount is about, `recount-failed` if a rule
        of the blueprint does not hold on it, `published` if an item became public and the blueprint bars such items.
    UnknownError
        If an item of the form is not an accepted one of the standard.
    """
    actor.need(Role.ORGANIZER)
    if session.scalar(select(PAPER.c.id).where(PAPER.c.code == code)):
        raise ConflictError("paper-exists", f"there is a paper {code!r} already")
    if form not in assembly.forms:
        raise ConflictError("not-of-assembly", f"form {form.name} is not what was assembled and recounted")
    broken = [line.rule for line in assembly.recount if form.name in line.form.split("/") and not line.ok]
    if broken:
        raise ConflictError("recount-failed", f"form {form.name} breaks {', '.join(broken)}: assemble it again")
    known = {item.code: item for item in pool_items(session, standard_id)}
    strange = [item for item in form.items if item not in known]
    if strange:
        raise UnknownError("not-accepted", f"{strange[0]} is not an accepted item of the standard {standard_id}")
    public = [item for item in form.items if known[item].published]
    if public and any(rule.what == "exclude" and rule.where.get("published") == "yes" for rule in blueprint.rules):
        raise ConflictError("published", f"{public[0]} was published since the form was assembled: assemble it again")
    if blueprint.marks_by != "type":
        raise ConflictError(
            "marks-by", f"papers of the bank have marks by type, this blueprint by {blueprint.marks_by}"
        )
    marks = {item: Decimal(str(blueprint.marks[known[item].item_type])) for item in form.items}
    document = json.dumps(blueprint.document(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(document.encode()).hexdigest()
    paper = Paper(
        code=code,
        standard_id=standard_id,
        title=title,
        minutes=round(blueprint.minutes),
        total_marks=sum(marks.values(), Decimal(0)),
        seed=assembly.seed,
        blueprint_digest=digest,
        blueprint=document,
        state=PaperState.DRAFT,
        created_by_id=actor.person(),
        created_at=now(),
    )
    session.add(paper)
    session.flush()
    rows = [
        {
            "paper_id": paper.id,
            "position": position,
            "section": f"{kind_label(known[item].item_type)}题",
            "item_type": known[item].item_type,
            "version_id": known[item].version_id,
            "marks": marks[item],
        }
        for position, item in enumerate(form.items, start=1)
    ]
    session.execute(insert(PAPER_ITEM), rows)
    record(
        session,
        actor,
        "paper.assembled",
        ("paper", code),
        items=len(rows),
        seed=assembly.seed,
        blueprint_digest=digest,
        pool_digest=assembly.pool_digest,
        spare=form.spare,
    )


def approve_paper(session: Session, actor: Actor, code: str) -> None:
    """Approve a draft paper. Raises ForbiddenError `organizer-is-not-approver` for one's own paper."""
    actor.need(Role.APPROVER)
    paper = _paper(session, code)
    if paper.created_by_id == actor.person():
        raise ForbiddenError("organizer-is-not-approver", f"{code} was assembled by {actor.name}: another approves it")
    if paper.state is not PaperState.DRAFT:
        raise ConflictError("wrong-state", f"paper {code} is {paper.state}: only a draft is approved")
    paper.state = PaperState.APPROVED
    record(session, actor, "paper.approved", ("paper", code))


@dataclass(frozen=True, slots=True)
class PaperDocuments:
    """A paper as it leaves the bank: what is printed, and the QTI test with its items."""

    sheet: PaperSheet
    test: TestDocument
    items: tuple[Item, ...]


def paper_documents(session: Session, code: str, *, secrecy: str | None = None) -> PaperDocuments:
    """The sheet to print and the QTI test of a paper, from the very versions it was made of."""
    paper = _paper(session, code)
    rows = session.execute(
        select(PAPER_ITEM.c.item_type, PAPER_ITEM.c.marks, VERSION.c.xml)
        .join(VERSION, VERSION.c.id == PAPER_ITEM.c.version_id)
        .where(PAPER_ITEM.c.paper_id == paper.id)
        .order_by(PAPER_ITEM.c.position)
    ).all()
    entries = [(row.item_type, read_item(row.xml), row.marks) for row in rows]
    groups = [(kind, [(item, marks) for _, item, marks in group]) for kind, group in groupby(entries, lambda e: e[0])]
    sheet = PaperSheet(
        title=paper.title,
        code=code,
        minutes=paper.minutes,
        sections=paper_sections(groups),
        secrecy=secrecy,
    )
    test = build_test(
        f"paper-{code}",
        f"{paper.title} {code}",
        [
            (f"section-{place}", section.heading, [(one.item.identifier, one.marks) for one in section.items])
            for place, section in enumerate(sheet.sections, start=1)
        ],
        time_limit_seconds=paper.minutes * 60,
    )
    return PaperDocuments(sheet, test, tuple(item for _, item, _ in entries))


def papers_with(session: Session, codes: list[str]) -> dict[str, list[str]]:
    """Which of the named items stand in a paper that is not withdrawn: item code → paper codes."""
    query = (
        select(ITEM.c.code, PAPER.c.code)
        .join(VERSION, VERSION.c.item_id == ITEM.c.id)
        .join(PAPER_ITEM, PAPER_ITEM.c.version_id == VERSION.c.id)
        .join(PAPER, PAPER.c.id == PAPER_ITEM.c.paper_id)
        .where(ITEM.c.code.in_(codes), PAPER.c.state != PaperState.WITHDRAWN)
    )
    found: dict[str, list[str]] = {}
    for item, paper in session.execute(query):
        found.setdefault(item, []).append(paper)
    return found


def paper_uses(session: Session, standard_id: int) -> dict[str, int]:
    """How many papers each item of a standard stands on, in any version; withdrawn papers and 0 are left out."""
    query = (
        select(ITEM.c.code, func.count(PAPER.c.id.distinct()))
        .join(VERSION, VERSION.c.item_id == ITEM.c.id)
        .join(PAPER_ITEM, PAPER_ITEM.c.version_id == VERSION.c.id)
        .join(PAPER, PAPER.c.id == PAPER_ITEM.c.paper_id)
        .where(ITEM.c.standard_id == standard_id, PAPER.c.state != PaperState.WITHDRAWN)
        .group_by(ITEM.c.code)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _paper(session: Session, code: str) -> Paper:
    paper = session.scalar(select(Paper).where(PAPER.c.code == code))
    if paper is None:
        raise UnknownError("unknown-paper", f"there is no paper {code!r}")
    return paper
