"""Twenty-four accepted items in four sections, enough for a paper of twelve: what papers and releases are tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

import engine
from authoring.calibrations.pools import calibrated_pool
from authoring.calibrations.tables import Calibration
from authoring.database import reading, writing
from authoring.papers.rules import save_paper, standard_blueprint
from authoring.people.actors import SYSTEM, Role
from authoring.people.rules import add_person
from item_formats import ItemType
from tests.authoring.sample import accepted, calibrate, row

if TYPE_CHECKING:
    from authoring.database import Bank
    from authoring.people.actors import Actor
    from tests.authoring.conftest import Staff

TYPES = {"true_false": (4, 0.5), "single": (8, 1.0)}  # 10 marks: functions 2, 3 and 5
SECTIONS = ("A-A", "A-B", "B-A", "B-B")


def fill(bank: Bank, staff: Staff, standard_id: int) -> int:
    """Four single choices and two true/false items a section, accepted; the id of a calibration that has them all."""
    singles = [row(f"S{s}{n}", point=f"{section}-A-{n:03}") for s, section in enumerate(SECTIONS) for n in (1, 2, 3, 4)]
    judged = [
        row(f"T{s}{n}", point=f"{section}-A-{n:03}", item_type=ItemType.TRUE_FALSE)
        for s, section in enumerate(SECTIONS)
        for n in (1, 4)
    ]
    codes = accepted(bank, staff, standard_id, *singles) + accepted(bank, staff, standard_id, *judged, key="×")
    calibrate(bank, staff.approver, standard_id, codes)
    with reading(bank) as session:
        return session.scalar(select(func.max(Calibration.__table__.c.id))) or 0


def person(bank: Bank, code: str, *roles: Role) -> Actor:
    with writing(bank, SYSTEM) as session:
        return add_person(session, SYSTEM, code, code, roles)


def assembled(bank: Bank, standard_id: int, calibration_id: int) -> tuple[engine.Assembly, engine.Blueprint]:
    """One form of the standard's blueprint."""
    with reading(bank) as session:
        pool = calibrated_pool(session, standard_id, calibration_id)
        blueprint = standard_blueprint(session, standard_id, title="小卷", minutes=45, types=TYPES)
    return engine.assemble(pool, blueprint, seed=7), blueprint


def save(
    bank: Bank, actor: Actor, standard_id: int, assembly: engine.Assembly, blueprint: engine.Blueprint, code: str = "A"
) -> None:
    """Keep the first form as a paper."""
    with writing(bank, actor) as session:
        save_paper(session, actor, standard_id, assembly.forms[0], assembly, blueprint, code=code, title="理论小卷")
