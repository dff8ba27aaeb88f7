"""Papers: what may become one, who approves it, and that it stays what it was."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from msgspec import convert
from sqlalchemy import select, update

import engine
from authoring.audit.chain import record
from authoring.audit.tables import AuditEvent
from authoring.database import Bank, reading, writing
from authoring.demo.products import FORM, MINUTES
from authoring.errors import ConflictError, ForbiddenError, UnknownError
from authoring.items.rules import add_version
from authoring.items.schemas import NewVersion
from authoring.items.states import PUBLISH, standings, take_step
from authoring.items.views import item_document
from authoring.papers.rules import approve_paper, paper_documents, papers_with, save_paper, standard_blueprint
from authoring.papers.tables import Paper, PaperItem, PaperState
from authoring.people.actors import Actor, Role
from authoring.reviews.rules import accept, withdraw
from authoring.standards.outlines import read_outline
from authoring.standards.rules import load_outline
from item_formats import ItemType
from tests.authoring.conftest import Staff
from tests.authoring.demo_output import SAMPLE
from tests.authoring.paper_bank import TYPES, assembled, fill, person, save
from tests.authoring.sample import calibrate, pretest

EVENT = AuditEvent.__table__
PAPER = Paper.__table__
PAPER_ITEM = PaperItem.__table__

Assembled = tuple[engine.Assembly, engine.Blueprint]


@pytest.fixture
def organizer(bank: Bank) -> Actor:
    return person(bank, "zhou.tao", Role.ORGANIZER)


@pytest.fixture
def made(bank: Bank, staff: Staff, standard_id: int) -> Assembled:
    return assembled(bank, standard_id, fill(bank, staff, standard_id))


def refused(bank: Bank, actor: Actor, standard_id: int, made: Assembled, message: str) -> str:
    """The rule that stands against saving the form; nothing of it is kept."""
    with pytest.raises((ConflictError, UnknownError), match=message) as error:
        save(bank, actor, standard_id, *made)
    with reading(bank) as session:
        assert session.execute(select(PAPER)).all() == session.execute(select(PAPER_ITEM)).all() == []
        assert session.execute(select(EVENT).where(EVENT.c.subject_kind == "paper")).all() == []
    return error.value.rule


def state_of(bank: Bank, code: str) -> PaperState | None:
    with reading(bank) as session:
        return session.scalar(select(PAPER.c.state).where(PAPER.c.code == code))


def test_the_blueprint_is_the_weight_table_in_marks(bank: Bank, standard_id: int) -> None:
    with reading(bank) as session:
        blueprint = standard_blueprint(session, standard_id, title="小卷", minutes=45, types=TYPES)
    bounds = {rule.id: (rule.min, rule.max) for rule in blueprint.rules if rule.what in {"count", "sum"}}
    assert bounds == {
        "type true_false": (4, 4),
        "type single": (8, 8),
        "function A-A": (2, 2),  # 20, 30 and 50 percent of 10 marks
        "function A-B": (3, 3),
        "function B": (5, 5),
        "section A-A": (1.5, 2.5),
        "section A-B": (2.5, 3.5),
        "section B-A": (2, 3),
        "section B-B": (2, 3),
    }
    assert (blueprint.length, blueprint.minutes, blueprint.title) == (12, 45, "小卷")
    assert blueprint.marks == {"true_false": 0.5, "single": 1.0}
    assert blueprint.target is None


@pytest.mark.skipif(not (SAMPLE / "blueprint.toml").is_file(), reason="the sample has no blueprint file")
def test_the_samples_blueprint_file_says_what_the_bank_makes_of_its_weights(bank: Bank, staff: Staff) -> None:
    written = engine.read_blueprint(SAMPLE / "blueprint.toml")
    with writing(bank, staff.author) as session:
        document = read_outline((SAMPLE / "outline.json").read_bytes())
        sample = load_outline(session, staff.author, document).id or 0
        made = standard_blueprint(
            session, sample, title=written.title, minutes=MINUTES, types=FORM, target=engine.Target()
        )
    ours, theirs = made.document(), written.document()
    rules = [{rule["id"]: rule for rule in one.pop("rules")} for one in (ours, theirs)]
    assert set(rules[0]) == set(rules[1])
    for name, rule in rules[0].items():
        for part, value in rule.items():
            assert rules[1][name][part] == (pytest.approx(value) if isinstance(value, float) else value), name
    assert ours == theirs


def test_a_form_becomes_a_draft_with_all_that_made_it(
    bank: Bank, organizer: Actor, standard_id: int, made: Assembled
) -> None:
    assembly, blueprint = made
    save(bank, organizer, standard_id, assembly, blueprint)
    with reading(bank) as session:
        paper = session.execute(select(PAPER)).one()
        rows = session.execute(select(PAPER_ITEM).order_by(PAPER_ITEM.c.position)).all()
        versions = {item.version_id: item.code for item in standings(session, assembly.forms[0].items)}
        event = session.execute(select(EVENT).where(EVENT.c.action == "paper.assembled")).one()
    assert (paper.code, paper.title, paper.state, paper.minutes) == ("A", "理论小卷", PaperState.DRAFT, 45)
    assert (paper.total_marks, paper.seed, paper.created_by_id) == (Decimal(10), 7, organizer.person_id)
    assert paper.blueprint_digest == hashlib.sha256(paper.blueprint.encode()).hexdigest()
    assert json.loads(paper.blueprint) == json.loads(json.dumps(blueprint.document()))
    assert [row.position for row in rows] == list(range(1, 13))
    assert tuple(versions[row.version_id] for row in rows) == assembly.forms[0].items
    assert Counter((row.item_type, row.marks) for row in rows) == {
        (ItemType.TRUE_FALSE, Decimal("0.5")): 4,
        (ItemType.SINGLE, Decimal(1)): 8,
    }
    assert json.loads(event.detail) == {
        "items": 12,
        "seed": 7,
        "blueprint_digest": paper.blueprint_digest,
        "pool_digest": assembly.pool_digest,
        "spare": False,
    }


def test_a_form_with_a_broken_rule_is_no_paper(bank: Bank, organizer: Actor, standard_id: int, made: Assembled) -> None:
    assembly, blueprint = made
    for form in ("A", "B/A"):  # a rule of the form alone, and one between forms
        lines = [replace(line, ok=line.rule != "function B", form=form) for line in assembly.recount]
        broken = replace(assembly, recount=tuple(lines))
        assert refused(bank, organizer, standard_id, (broken, blueprint), "breaks function B") == "recount-failed"


def test_a_form_that_the_recount_is_not_about_is_no_paper(
    bank: Bank, organizer: Actor, standard_id: int, made: Assembled
) -> None:
    assembly, blueprint = made
    (form,) = assembly.forms
    swapped = replace(form, items=(*form.items[:-1], "S31" if form.items[-1] != "S31" else "S32"))
    with pytest.raises(ConflictError, match="not what was assembled") as error, writing(bank, organizer) as session:
        save_paper(session, organizer, standard_id, swapped, assembly, blueprint, code="A", title="小卷")
    assert error.value.rule == "not-of-assembly"
    assert state_of(bank, "A") is None


def test_a_form_with_an_item_that_is_not_accepted_is_no_paper(
    bank: Bank, staff: Staff, organizer: Actor, standard_id: int, made: Assembled
) -> None:
    gone = made[0].forms[0].items[3]
    with writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, [gone], "out of date")
    assert refused(bank, organizer, standard_id, made, f"{gone} is not an accepted item") == "not-accepted"


def test_a_form_with_an_item_published_meanwhile_is_no_paper(
    bank: Bank, organizer: Actor, standard_id: int, made: Assembled
) -> None:
    assembly, blueprint = made
    public = assembly.forms[0].items[5]
    with writing(bank, organizer) as session:
        take_step(session, organizer, PUBLISH, standings(session, [public]))
    assert refused(bank, organizer, standard_id, made, f"{public} was published since") == "published"
    without = [rule for rule in blueprint.rules if rule.where.get("published") != "yes"]
    save(bank, organizer, standard_id, assembly, replace(blueprint, rules=tuple(without)))  # who bars none gets them
    assert state_of(bank, "A") is PaperState.DRAFT


def test_a_paper_code_is_used_once(bank: Bank, organizer: Actor, standard_id: int, made: Assembled) -> None:
    save(bank, organizer, standard_id, *made)
    with pytest.raises(ConflictError, match="there is a paper 'A' already") as error:
        save(bank, organizer, standard_id, *made)
    assert error.value.rule == "paper-exists"
    save(bank, organizer, standard_id, *made, code="B")
    assert state_of(bank, "B") is PaperState.DRAFT


def test_another_than_the_organizer_approves_and_once(
    bank: Bank, staff: Staff, standard_id: int, made: Assembled
) -> None:
    both = person(bank, "liang.yong", Role.ORGANIZER, Role.APPROVER)
    save(bank, both, standard_id, *made)
    with pytest.raises(ForbiddenError, match="another approves it") as error, writing(bank, both) as session:
        approve_paper(session, both, "A")
    assert error.value.rule == "organizer-is-not-approver"
    assert state_of(bank, "A") is PaperState.DRAFT
    with writing(bank, staff.approver) as session:
        approve_paper(session, staff.approver, "A")
    assert state_of(bank, "A") is PaperState.APPROVED
    with pytest.raises(ConflictError, match="is approved: only a draft"), writing(bank, staff.approver) as session:
        approve_paper(session, staff.approver, "A")
    with reading(bank) as session:
        events = session.execute(select(EVENT.c.actor, EVENT.c.subject).where(EVENT.c.action == "paper.approved"))
        assert [tuple(event) for event in events] == [("zhao.min", "A")]


def test_the_documents_follow_the_form(bank: Bank, organizer: Actor, standard_id: int, made: Assembled) -> None:
    save(bank, organizer, standard_id, *made)
    with reading(bank) as session:
        documents = paper_documents(session, "A", secrecy="机密")
    items = made[0].forms[0].items
    sheet, test = documents.sheet, documents.test
    assert [section.heading for section in sheet.sections] == ["一、判断题", "二、单项选择题"]
    assert [len(section.items) for section in sheet.sections] == [4, 8]
    assert [section.marks for section in sheet.sections] == [Decimal(2), Decimal(8)]
    assert (sheet.title, sheet.code, sheet.minutes, sheet.secrecy) == ("理论小卷", "A", 45, "机密")
    assert tuple(entry.item.identifier for section in sheet.sections for entry in section.items) == items
    assert test.item_ids == items == tuple(item.identifier for item in documents.items)
    assert (test.identifier, test.title, test.total_marks) == ("paper-A", "理论小卷 A", Decimal(10))
    assert b'max-time="2700"' in test.xml
    assert all(item.correct for item in documents.items)  # whole: what a candidate sees is made when it is printed


def test_a_paper_keeps_the_versions_it_was_made_from(
    bank: Bank, staff: Staff, organizer: Actor, standard_id: int, made: Assembled
) -> None:
    save(bank, organizer, standard_id, *made)
    code = next(item for item in made[0].forms[0].items if item.startswith("S"))
    with reading(bank) as session:
        before = paper_documents(session, "A")
    change: dict[str, Any] = {"type": "single", "stem": "换了一种问法（ ）。", "key": "C", "based_on": 1}
    change["options"] = ["子", "丑", "寅", "卯"]
    with writing(bank, staff.author) as session:
        add_version(session, staff.author, code, convert(change, NewVersion))
    pretest(bank, staff, [code], "C")
    calibrate(bank, staff.approver, standard_id, [code])
    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, [code])
    with reading(bank) as session:
        after, accepted_now = paper_documents(session, "A"), item_document(session, code, keys=True)
    held = next(item for item in after.items if item.identifier == code)
    assert [item.digest for item in after.items] == [item.digest for item in before.items]
    assert after.test.digest == before.test.digest
    assert (held.key, accepted_now.key) == ("B", "C")
    assert "换了一种问法" in accepted_now.stem_text
    assert "换了一种问法" not in held.stem_text


def test_who_stands_in_which_paper(bank: Bank, organizer: Actor, standard_id: int, made: Assembled) -> None:
    save(bank, organizer, standard_id, *made)
    save(bank, organizer, standard_id, *made, code="B")
    used = made[0].forms[0].items[0]
    free = next(code for code in ("S01", "S02", "S03", "S04", "T01", "T04") if code not in made[0].forms[0].items)
    with reading(bank) as session:
        found = papers_with(session, [used, free])
    assert {item: sorted(papers) for item, papers in found.items()} == {used: ["A", "B"]}
    with writing(bank, organizer) as session:
        session.execute(update(PAPER).where(PAPER.c.code == "A").values(state=PaperState.WITHDRAWN))
        record(session, organizer, "paper.withdrawn", ("paper", "A"))
    with reading(bank) as session:
        assert papers_with(session, [used, free]) == {used: ["B"]}


def test_a_paper_that_is_not_there_is_named(bank: Bank, staff: Staff) -> None:
    with reading(bank) as session, pytest.raises(UnknownError, match="there is no paper 'Z'"):
        paper_documents(session, "Z")
    with writing(bank, staff.approver) as session, pytest.raises(UnknownError, match="there is no paper 'Z'"):
        approve_paper(session, staff.approver, "Z")


def test_papers_need_an_organizer_and_an_approver(bank: Bank, standard_id: int, made: Assembled) -> None:
    nobody = person(bank, "wu.ming", *(role for role in Role if role not in {Role.ORGANIZER, Role.APPROVER}))
    with pytest.raises(ForbiddenError, match="needs the role 'organizer'"):
        save(bank, nobody, standard_id, *made)
    with pytest.raises(ForbiddenError, match="needs the role 'approver'"), writing(bank, nobody) as session:
        approve_paper(session, nobody, "A")


def test_marks_go_by_type_in_the_bank(bank: Bank, organizer: Actor, standard_id: int, made: Assembled) -> None:
    assembly, blueprint = made
    by_section = replace(blueprint, marks_by="section", marks={"A-A": 0.5, "A-B": 0.5, "B-A": 0.5, "B-B": 0.5})
    assert refused(bank, organizer, standard_id, (assembly, by_section), "marks by type") == "marks-by"
