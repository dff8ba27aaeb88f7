"""Releases: what may be published, what the public sees of it, and that it is never taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Any

import pytest
from msgspec import convert
from sqlalchemy import delete, select, update

import engine
from authoring.audit.chain import record
from authoring.audit.tables import AuditEvent
from authoring.calibrations.pools import calibrated_pool
from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.items import states
from authoring.items.rules import add_version
from authoring.items.schemas import NewVersion
from authoring.items.states import Step, standings, take_step
from authoring.items.tables import ItemState
from authoring.people.actors import Actor, Role
from authoring.releases.rules import public_items, publish
from authoring.releases.tables import Release, ReleaseItem
from authoring.reviews.rules import accept, submit, withdraw
from authoring.standards.rules import load_outline
from item_formats import CandidateProfile
from item_formats import Item as ItemDocument
from tests.authoring.conftest import Staff
from tests.authoring.paper_bank import assembled, fill, person, save
from tests.authoring.sample import RATIONALE, add_items, outline, row

EVENT = AuditEvent.__table__
RELEASE = Release.__table__
RELEASE_ITEM = ReleaseItem.__table__
READY = engine.Readiness("孙丽", date(2026, 11, 1), "the theory part is ready")
POLICY = engine.ReleasePolicy(0.25, (READY,), margins=("section", "type"), cells=("section", "type"))
STEPS = [step for step in vars(states).values() if isinstance(step, Step)]


@pytest.fixture
def owner(bank: Bank) -> Actor:
    return person(bank, "sun.li", Role.ADMINISTRATOR)


@pytest.fixture
def calibration_id(bank: Bank, staff: Staff, standard_id: int) -> int:
    return fill(bank, staff, standard_id)


@pytest.fixture
def chosen(bank: Bank, standard_id: int, calibration_id: int) -> engine.Release:
    """Six of twenty-four items."""
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, calibration_id)
    return engine.choose_release(pool, POLICY, seed=11)


def published(
    bank: Bank, actor: Actor, standard_id: int, chosen: engine.Release, shown: engine.Publish | None = None
) -> int:
    if shown is not None:
        chosen = replace(chosen, publish=shown)
    with writing(bank, actor) as session:
        return publish(session, actor, standard_id, chosen, POLICY)


def states_of(bank: Bank, codes: tuple[str, ...]) -> set[ItemState]:
    with reading(bank) as session:
        return {item.state for item in standings(session, codes)}


def test_a_release_is_kept_with_its_policy_its_reasons_and_its_costs(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    row = engine.EffectRow(0.1, 1.0, 61.5, 0.22)
    effects = engine.Effects((row,), 0.2, "paper A", 12, 0.0, 1.0, -0.4, 0.6, 0.97, 0.08)
    release = published(bank, owner, standard_id, replace(chosen, effects=effects))
    with reading(bank) as session:
        held = session.execute(select(RELEASE)).one()
        reasons = session.execute(select(RELEASE_ITEM.c.version_id, RELEASE_ITEM.c.reason)).all()
        versions = {item.version_id: item.code for item in standings(session, chosen.items)}
    assert len(chosen.items) == 6
    assert (held.id, held.standard_id, held.share, held.seed) == (release, standard_id, 0.25, 11)
    assert (held.readiness, held.created_by_id) == ("孙丽, 2026-11-01: the theory part is ready", owner.person_id)
    assert held.profile == {"stem": True, "options": True, "key": False, "rationale": False, "marking_table": False}
    assert held.policy["margins"] == ["section", "type"]
    assert held.policy["readiness"][0]["date"] == "2026-11-01"
    assert held.report["worst_margin"] == chosen.worst_margin < 1
    assert held.report["effects"]["rows"] == [
        {"share": 0.1, "memorised": 1.0, "marks_at_cut": 61.5, "false_passes": 0.22}
    ]
    assert held.report["effects"]["right"] == 0.97
    assert held.report["papers_left"] is None
    assert held.report["shares"][0]["published"] == 6
    assert held.report["pool_digest"] == chosen.pool_digest
    assert {versions[version]: reason for version, reason in reasons} == chosen.reasons


def test_numbers_that_are_not_known_are_null_and_not_nan(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    published(bank, owner, standard_id, chosen)  # of items without parameters
    with reading(bank) as session:
        report = session.scalar(select(RELEASE.c.report))
    assert report is not None
    assert report["ks_difficulty"] is report["ks_discrimination"] is None
    assert json.dumps(report, allow_nan=False)


def test_publishing_is_recorded_for_the_release_and_for_each_item(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    release = published(bank, owner, standard_id, chosen, engine.Publish(key=True))
    with reading(bank) as session:
        (event,) = session.execute(select(EVENT).where(EVENT.c.action == "release.published")).all()
        items = session.execute(select(EVENT).where(EVENT.c.action == "item.published")).all()
    assert (event.actor, event.subject_kind, event.subject) == ("sun.li", "release", str(release))
    assert json.loads(event.detail) == {
        "items": 6,
        "share": 0.25,
        "seed": 11,
        "shown": ["stem", "options", "key"],
        "pool_digest": chosen.pool_digest,
    }
    assert {item.subject: json.loads(item.detail) for item in items} == {
        code: {"release": release, "version": 1} for code in chosen.items
    }


def test_nothing_is_published_before_somebody_said_it_is_ready(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    undecided = replace(chosen, shares=tuple(replace(share, readiness=None) for share in chosen.shares))
    with pytest.raises(BankError, match="record who decided") as error:
        published(bank, owner, standard_id, undecided)
    assert error.value.rule == "not-ready"
    assert states_of(bank, chosen.items) == {ItemState.ACCEPTED}


def test_an_item_of_a_paper_is_not_published(
    bank: Bank, owner: Actor, standard_id: int, calibration_id: int, chosen: engine.Release
) -> None:
    organizer = person(bank, "zhou.tao", Role.ORGANIZER)
    assembly, blueprint = assembled(bank, standard_id, calibration_id)
    save(bank, organizer, standard_id, assembly, blueprint)
    in_paper, *_ = sorted(set(assembly.forms[0].items))
    some = replace(chosen, items=(in_paper,), reasons={in_paper: "why not"})
    with pytest.raises(ConflictError, match=f"{in_paper} stands in paper A") as error:
        published(bank, owner, standard_id, some)
    assert error.value.rule == "in-a-paper"
    with reading(bank) as session:
        assert session.execute(select(RELEASE)).all() == []
    assert states_of(bank, (in_paper,)) == {ItemState.ACCEPTED}


def test_one_item_that_is_not_accepted_stops_the_whole_release(
    bank: Bank, staff: Staff, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    add_items(bank, staff, standard_id, row("D1"))
    mixed = replace(chosen, items=(*chosen.items, "D1"), reasons={**chosen.reasons, "D1": "why not"})
    with pytest.raises(ConflictError, match="D1: is 草稿") as error:
        published(bank, owner, standard_id, mixed)
    assert error.value.rule == "wrong-state"
    with reading(bank) as session:
        assert session.execute(select(RELEASE)).all() == session.execute(select(RELEASE_ITEM)).all() == []
    assert states_of(bank, chosen.items) == {ItemState.ACCEPTED}


def test_items_of_another_standard_are_not_published_for_this_one(
    bank: Bank, owner: Actor, chosen: engine.Release
) -> None:
    with writing(bank, owner) as session:
        other = load_outline(session, owner, outline(edition="2030")).id or 0
    with pytest.raises(ConflictError, match=r"is an item of another standard") as error:
        published(bank, owner, other, chosen)
    assert error.value.rule == "other-standard"
    assert states_of(bank, chosen.items) == {ItemState.ACCEPTED}


def test_an_item_is_published_once(bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release) -> None:
    first = published(bank, owner, standard_id, chosen)
    with pytest.raises(ConflictError, match="is 公开") as error:
        published(bank, owner, standard_id, chosen)
    assert error.value.rule == "wrong-state"
    with reading(bank) as session:
        assert session.scalars(select(RELEASE.c.id)).all() == [first]


def test_what_is_published_left_the_pool_of_secrets(
    bank: Bank, owner: Actor, standard_id: int, calibration_id: int, chosen: engine.Release
) -> None:
    published(bank, owner, standard_id, chosen)
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, calibration_id)
    marked = dict(zip(pool.ids, pool.column("published"), strict=True))
    assert {code for code, value in marked.items() if value == "yes"} == set(chosen.items)
    assert set(marked.values()) == {"yes", "no"}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.action)
def test_no_step_leads_back_from_published(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release, step: Step
) -> None:
    published(bank, owner, standard_id, chosen)
    with pytest.raises(ConflictError, match="is 公开") as error, writing(bank, owner) as session:
        take_step(session, owner, step, standings(session, chosen.items))
    assert error.value.rule == "wrong-state"
    assert states_of(bank, chosen.items) == {ItemState.PUBLISHED}
    assert len(STEPS) == 7


def test_nobody_withdraws_rewrites_or_resubmits_what_is_public(
    bank: Bank, staff: Staff, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    published(bank, owner, standard_id, chosen)
    code = next(item for item in chosen.items if item.startswith("S"))
    with pytest.raises(ConflictError, match="is 公开"), writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, [code], "regretted")
    with pytest.raises(ConflictError, match="is 公开"), writing(bank, staff.approver) as session:
        accept(session, staff.approver, [code])
    with pytest.raises(ConflictError, match="is 公开"), writing(bank, staff.author) as session:
        submit(session, staff.author, [code])
    change = {"type": "single", "stem": "改", "options": ["子", "丑"], "key": "A", "based_on": 1}
    with pytest.raises(ConflictError, match="write a new item that supersedes it") as error:
        _rewrite(bank, staff.author, code, change)
    assert error.value.rule == "published-is-final"
    assert states_of(bank, chosen.items) == {ItemState.PUBLISHED}


def _rewrite(bank: Bank, author: Actor, code: str, change: dict[str, Any]) -> None:
    with writing(bank, author) as session:
        add_version(session, author, code, convert(change, NewVersion))


@pytest.mark.parametrize("change", [delete(RELEASE_ITEM), update(RELEASE_ITEM).values(reason="another")])
def test_the_database_itself_keeps_what_was_published(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release, change: Any
) -> None:
    published(bank, owner, standard_id, chosen)
    with pytest.raises(BankError, match=r"the database refuses this|release_item is history"):
        _tamper(bank, owner, change)
    with reading(bank) as session:
        held = session.scalars(select(RELEASE_ITEM.c.reason)).all()
    assert sorted(held) == sorted(chosen.reasons.values())


def _tamper(bank: Bank, actor: Actor, change: Any) -> None:
    with writing(bank, actor) as session:
        session.execute(change)
        record(session, actor, "release.tampered", ("release", "1"))


SHOWN: dict[
    str, Callable[[ItemDocument], bool]
] = {  # what of an item each flag of the profile shows, and nothing else does
    "stem": lambda item: "（ ）" in item.stem_text,
    "options": lambda item: all(option.text for option in item.options),
    "key": lambda item: item.correct == ("B",),
    "rationale": lambda item: RATIONALE in item.xml.decode(),
    "marking_table": lambda item: b"qti-response-processing" in item.xml,
}


@pytest.mark.parametrize("flag", [field.name for field in fields(CandidateProfile)])
def test_the_public_sees_what_the_profile_shows_each_part_by_itself(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release, flag: str
) -> None:
    nothing = dict.fromkeys(asdict(CandidateProfile()), False)
    only = published(bank, owner, standard_id, chosen, engine.Publish(**(nothing | {flag: True})))
    with reading(bank) as session:
        items = public_items(session, only)
    assert [item.identifier for item in items] == sorted(chosen.items)
    singles = [item for item in items if item.identifier.startswith("S")]
    assert singles
    for item in singles:
        assert {name for name, shows in SHOWN.items() if shows(item)} == {flag}


def test_the_usual_release_shows_stems_and_options_alone(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    release = published(bank, owner, standard_id, chosen)
    with reading(bank) as session:
        items = public_items(session, release)
    for item in items:
        assert (item.correct, item.key, item.rationale) == ((), "", None)
        assert b"qti-correct-response" not in item.xml
        assert b"qti-response-processing" not in item.xml
        assert RATIONALE.encode() not in item.xml
        assert len(item.stem_text) > 20
        assert all(option.text for option in item.options)


def test_two_releases_have_each_their_own_items(
    bank: Bank, owner: Actor, standard_id: int, chosen: engine.Release
) -> None:
    first = tuple(chosen.items[:2])
    one = published(bank, owner, standard_id, replace(chosen, items=first))
    two = published(bank, owner, standard_id, replace(chosen, items=chosen.items[2:]), engine.Publish(key=True))
    with reading(bank) as session:
        shown = {release: public_items(session, release) for release in (one, two)}
    assert [item.identifier for item in shown[one]] == sorted(first)
    assert [item.identifier for item in shown[two]] == sorted(chosen.items[2:])
    assert not any(item.correct for item in shown[one])
    assert all(item.correct for item in shown[two])


def test_a_release_that_is_not_there_is_named(bank: Bank) -> None:
    with reading(bank) as session, pytest.raises(UnknownError, match="there is no release 5"):
        public_items(session, 5)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_publishes(bank: Bank, standard_id: int, chosen: engine.Release, role: Role) -> None:
    with pytest.raises(ForbiddenError, match="needs the role 'administrator'"):
        published(bank, person(bank, "qian.kun", role), standard_id, chosen)
    assert states_of(bank, chosen.items) == {ItemState.ACCEPTED}
