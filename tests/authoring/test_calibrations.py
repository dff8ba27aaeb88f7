"""Sittings and calibrations in the bank: what is refused, and which version gets which numbers."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import calibration as cal
from authoring.audit.tables import AuditEvent
from authoring.calibrations.pools import calibrated_pool
from authoring.calibrations.rules import key_differences
from authoring.calibrations.tables import Calibration, CalibrationSitting, ItemStatistics, Sitting
from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.items.states import PUBLISH, standings, take_step
from authoring.items.tables import Item, ItemVersion
from authoring.people.actors import SYSTEM, Actor, Role
from authoring.people.rules import add_person
from authoring.reviews.rules import accept, withdraw
from authoring.standards.rules import load_outline
from item_formats import ItemType
from tests.authoring.calibration_bank import DATA, register, result, revised, save, statistics
from tests.authoring.conftest import Staff
from tests.authoring.sample import accepted, add_items, outline, pretest, row

EVENT = AuditEvent.__table__
SITTING = Sitting.__table__
CALIBRATION = Calibration.__table__
USED = CalibrationSitting.__table__
STATISTICS = ItemStatistics.__table__
VERSION = ItemVersion.__table__
ITEM = Item.__table__


@pytest.fixture
def tried(bank: Bank, staff: Staff, standard_id: int) -> list[str]:
    """Three items in pretest."""
    codes = add_items(bank, staff, standard_id, row("Q1"), row("Q2", point="B-B-A-004", grade=5), row("Q3"))
    pretest(bank, staff, codes)
    return codes


def stored(bank: Bank, calibration_id: int) -> dict[tuple[str, int], Any]:
    """The statistics of a calibration by item and version number."""
    query = (
        select(ITEM.c.code, VERSION.c.number, STATISTICS)
        .join(VERSION, VERSION.c.id == STATISTICS.c.version_id)
        .join(ITEM, ITEM.c.id == VERSION.c.item_id)
        .where(STATISTICS.c.calibration_id == calibration_id)
    )
    with reading(bank) as session:
        return {(one.code, one.number): one for one in session.execute(query)}


@pytest.mark.usefixtures("tried")
def test_a_sitting_is_kept_with_its_population_and_the_digest_of_its_file(
    bank: Bank, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1", "Q2", population="105 candidates, N(0, 1)")
    digest = hashlib.sha256(DATA.encode()).hexdigest()
    with reading(bank) as session:
        held = session.execute(select(SITTING).where(SITTING.c.id == sitting)).one()
        event = session.execute(select(EVENT).where(EVENT.c.action == "sitting.registered")).one()
    assert (held.code, held.standard_id, held.candidates, held.simulated) == ("2026-1", standard_id, 2, True)
    assert (held.population, held.file_digest) == ("105 candidates, N(0, 1)", digest)
    assert held.created_by_id == analyst.person_id
    assert (event.actor, event.subject_kind, event.subject) == ("chen.jing", "sitting", "2026-1")
    assert event.detail == f'{{"candidates":2,"file_digest":"{digest}","items":2,"simulated":true}}'


@pytest.mark.usefixtures("tried")
def test_answers_to_items_that_were_never_in_use_are_refused(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    add_items(bank, staff, standard_id, row("Q7"))
    file = tmp_path / "1.csv"
    with pytest.raises(UnknownError, match="the bank has no item Q8"):
        register(bank, analyst, standard_id, file, "Q1", "Q8")
    with pytest.raises(ConflictError, match="Q7 was answered, but never let into pretest") as early:
        register(bank, analyst, standard_id, file, "Q1", "Q7")
    assert early.value.rule == "not-in-use"
    with writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q3"], "leaked")
    with pytest.raises(ConflictError, match="Q3 was answered"):
        register(bank, analyst, standard_id, file, "Q1", "Q3")
    with reading(bank) as session:
        assert session.execute(select(SITTING)).all() == []


@pytest.mark.usefixtures("tried")
def test_accepted_and_published_items_are_answered_too(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q4"), row("Q5"))
    with writing(bank, analyst) as session:
        take_step(session, analyst, PUBLISH, standings(session, ["Q5"]))
    assert register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1", "Q4", "Q5") > 0


@pytest.mark.usefixtures("tried")
def test_a_sitting_is_registered_once(bank: Bank, analyst: Actor, standard_id: int, tmp_path: Path) -> None:
    register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    with pytest.raises(ConflictError, match="there is a sitting '2026-1' already") as again:
        register(bank, analyst, standard_id, tmp_path / "2.csv", "Q2")
    assert again.value.rule == "sitting-exists"
    assert register(bank, analyst, standard_id, tmp_path / "2.csv", "Q2", code="2026-2") > 0


def test_a_calibration_keeps_every_number_beside_its_version(
    bank: Bank, analyst: Actor, standard_id: int, tried: list[str], tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *tried)
    one = cal.ItemParameters("Q1", "2PL", a=1.25, b=(-0.5,), se={"a": 0.2, "b": 0.1}, n=210)
    two = cal.ItemParameters("Q2", "2PL", a=0.1, b=(4.0,), se={}, n=208)
    flags = [cal.Flag("Q2", "key-suspect", "m"), cal.Flag("Q2", "negative-discrimination", "m")]
    flags.append(cal.Flag("Q3", "no-variance", "m"))
    run = result(one, two, excluded={"Q3": "no-variance"}, priors="a ~ lognormal", log_likelihood=-77.25)
    saved = save(
        bank,
        analyst,
        standard_id,
        [sitting],
        run,
        statistics("Q1"),
        statistics("Q2", n=207.6, p_value=0.25, point_biserial=-0.125),
        statistics("Q3", p_value=1.0, point_biserial=math.nan),
        flags=flags,
    )
    rows = stored(bank, saved)
    assert set(rows) == {("Q1", 1), ("Q2", 1), ("Q3", 1)}
    q1, q2, q3 = rows["Q1", 1], rows["Q2", 1], rows["Q3", 1]
    assert (q1.n, q1.p_value, q1.point_biserial, q1.flags) == (210, 0.7, 0.31, "")
    assert (q1.model, q1.a, q1.b, q1.se_a, q1.se_b) == ("2PL", 1.25, -0.5, 0.2, 0.1)
    assert (q2.n, q2.p_value, q2.point_biserial) == (208, 0.25, -0.125)
    assert (q2.a, q2.b, q2.se_a, q2.se_b) == (0.1, 4.0, None, None)
    assert q2.flags == "key-suspect negative-discrimination"
    assert (q3.p_value, q3.point_biserial, q3.model, q3.a, q3.b, q3.flags) == (
        1.0,
        None,
        None,
        None,
        None,
        "no-variance",
    )
    with reading(bank) as session:
        held = session.execute(select(CALIBRATION).where(CALIBRATION.c.id == saved)).one()
        assert session.scalars(select(USED.c.sitting_id).where(USED.c.calibration_id == saved)).all() == [sitting]
    assert (held.model, held.log_likelihood, held.converged) == ("2PL", -77.25, True)
    assert held.scale == {"id": "theta", "D": 1.0, "mean": 0.0, "sd": 1.0, "anchors": []}
    assert held.settings == {
        "priors": "a ~ lognormal",
        "nodes": 61,
        "estimate": "mode",
        "se_kind": "observed information",
    }
    assert held.evidence["n_persons"] == 210
    assert held.evidence["data_digest"] == "d" * 64


def test_the_trail_names_flagged_items_and_no_parameter(
    bank: Bank, analyst: Actor, standard_id: int, tried: list[str], tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *tried)
    one = cal.ItemParameters("Q1", "2PL", a=1.2345, b=(-0.5432,))
    save(
        bank, analyst, standard_id, [sitting], result(one), statistics("Q1"), flags=[cal.Flag("Q1", "key-suspect", "")]
    )
    with reading(bank) as session:
        event = session.execute(select(EVENT).where(EVENT.c.action == "calibration.saved")).one()
    assert (event.actor, event.subject_kind) == ("chen.jing", "calibration")
    assert '"flagged":["Q1"]' in event.detail
    assert "1.2345" not in event.detail
    assert "0.5432" not in event.detail


@pytest.mark.usefixtures("tried")
def test_a_run_that_did_not_converge_is_not_kept(bank: Bank, analyst: Actor, standard_id: int, tmp_path: Path) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    with pytest.raises(BankError, match="did not converge: allow more iterations") as refused:
        save(bank, analyst, standard_id, [sitting], result(converged=False), statistics("Q1"))
    assert refused.value.rule == "not-converged"
    with reading(bank) as session:
        assert session.execute(select(CALIBRATION)).all() == []


@pytest.mark.usefixtures("tried")
def test_a_calibration_rests_on_registered_sittings_of_its_standard(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    with writing(bank, staff.author) as session:
        other = load_outline(session, staff.author, outline(edition="2030")).id or 0
    with pytest.raises(BankError, match="name the sittings"):
        save(bank, analyst, standard_id, [], result(), statistics("Q1"))
    with pytest.raises(UnknownError, match=f"has no sitting {sitting + 1}"):
        save(bank, analyst, standard_id, [sitting, sitting + 1], result(), statistics("Q1"))
    with pytest.raises(UnknownError, match=f"the standard {other} has no sitting {sitting}"):
        save(bank, analyst, other, [sitting], result(), statistics("Q1"))


def test_a_draft_of_a_next_version_gets_no_numbers_from_answers_to_the_last(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    revised(bank, staff, "Q1")
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    one = cal.ItemParameters("Q1", "2PL", a=1.5, b=(0.25,))
    saved = save(bank, analyst, standard_id, [sitting], result(one), statistics("Q1"))
    assert set(stored(bank, saved)) == {("Q1", 1)}
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, saved)
    assert (pool.row(0)["a"], pool.row(0)["version"]) == (1.5, "1")
    pretest(bank, staff, ["Q1"])
    with pytest.raises(ConflictError, match="Q1 has no statistics yet"), writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1"])


def test_a_version_in_pretest_gets_the_numbers_and_may_then_be_accepted(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tmp_path: Path
) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    revised(bank, staff, "Q1")
    pretest(bank, staff, ["Q1"])
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    saved = save(bank, analyst, standard_id, [sitting], result(), statistics("Q1"))
    assert set(stored(bank, saved)) == {("Q1", 2)}
    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1"])


def test_a_version_rewritten_since_it_was_tried_leaves_its_numbers_to_none(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tried: list[str], tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *tried)
    revised(bank, staff, "Q1")
    with pytest.raises(ConflictError, match="Q1 was answered, but never let into pretest"):
        save(bank, analyst, standard_id, [sitting], result(), statistics("Q1"))


def test_an_item_withdrawn_since_it_was_answered_keeps_its_numbers(
    bank: Bank, staff: Staff, analyst: Actor, standard_id: int, tried: list[str], tmp_path: Path
) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", *tried)
    with writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q3"], "leaked")
    saved = save(bank, analyst, standard_id, [sitting], result(), statistics("Q1"), statistics("Q3", n=55))
    assert stored(bank, saved)["Q3", 1].n == 55


@pytest.mark.usefixtures("tried")
def test_an_item_nobody_reached_has_no_proportion(bank: Bank, analyst: Actor, standard_id: int, tmp_path: Path) -> None:
    sitting = register(bank, analyst, standard_id, tmp_path / "1.csv", "Q1")
    nobody = statistics("Q1", n=0.0, p_value=math.nan, point_biserial=math.nan)
    saved = save(bank, analyst, standard_id, [sitting], result(), nobody)
    assert (stored(bank, saved)["Q1", 1].n, stored(bank, saved)["Q1", 1].p_value) == (0, None)


def test_the_key_check_finds_exactly_the_changed_keys(bank: Bank, staff: Staff, standard_id: int) -> None:
    rows = [row("Q1"), row("Q2"), row("Q3", item_type=ItemType.TRUE_FALSE), row("Q4", item_type=ItemType.MULTIPLE)]
    add_items(bank, staff, standard_id, *rows)
    right = {"Q1": "B", "Q2": "B", "Q3": "×", "Q4": "ACD"}
    with reading(bank) as session:
        assert key_differences(session, right) == {}
        assert key_differences(session, right | {"Q2": "C"}) == {"Q2": ("C", "B")}
        assert key_differences(session, {"Q4": "AC", "Q3": "√", "Q1": "B"}) == {
            "Q3": ("√", "×"),
            "Q4": ("AC", "ACD"),
        }
        with pytest.raises(UnknownError, match="the bank has no item Q9"):
            key_differences(session, {"Q9": "A"})


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PSYCHOMETRICIAN])
def test_only_a_psychometrician_registers_and_calibrates(bank: Bank, role: Role, tmp_path: Path) -> None:
    with writing(bank, SYSTEM) as session:
        other = add_person(session, SYSTEM, "qian.kun", "钱坤", [role])
    with pytest.raises(ForbiddenError, match="needs the role 'psychometrician'"):
        register(bank, other, 1, tmp_path / "1.csv", "Q1")
    with pytest.raises(ForbiddenError, match="needs the role 'psychometrician'"):
        save(bank, other, 1, [1], result(), statistics("Q1"))
