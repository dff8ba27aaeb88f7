"""Sittings and calibrations in the bank: what was answered, what came of it, and the pool that papers are made from."""

from __future__ import annotations

import hashlib
from math import isnan
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from authoring.audit.chain import record
from authoring.calibrations.tables import Calibration, CalibrationSitting, ItemStatistics, Sitting
from authoring.columns import now
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.items.states import batches, standings
from authoring.items.tables import Item as ItemRow
from authoring.items.tables import ItemState, ItemVersion
from authoring.items.views import pool_items
from authoring.people.actors import Role
from calibration import Scale, right_options
from engine import Pool
from item_formats import read_item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    import calibration as cal
    from authoring.people.actors import Actor

SITTING = Sitting.__table__
CALIBRATION = Calibration.__table__
ITEM = ItemRow.__table__
VERSION = ItemVersion.__table__
STATISTICS = ItemStatistics.__table__

ANSWERABLE = frozenset({ItemState.PRETEST, ItemState.ACCEPTED, ItemState.PUBLISHED})


def register_sitting(
    session: Session,
    actor: Actor,
    standard_id: int,
    code: str,
    file: Path,
    responses: cal.Responses,
    *,
    simulated: bool,
    population: str,
) -> int:
    """Record a sitting whose responses were read from `file`; its id. The file stays where it is, known by its digest.

    Raises
    ------
    UnknownError
        If an item is not in the bank.
    ConflictError
        `not-in-use` if an item has not been let into pretest, `sitting-exists` if the code is taken.
    """
    actor.need(Role.PSYCHOMETRICIAN)
    if session.scalar(select(SITTING.c.id).where(SITTING.c.code == code)):
        raise ConflictError("sitting-exists", f"there is a sitting {code!r} already")
    _answered_versions(session, responses.items, ANSWERABLE)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    row = Sitting(
        code=code,
        standard_id=standard_id,
        candidates=len(responses.persons),
        simulated=simulated,
        file_digest=digest,
        population=population,
        created_by_id=actor.person(),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    record(
        session,
        actor,
        "sitting.registered",
        ("sitting", code),
        candidates=len(responses.persons),
        items=len(responses.items),
        simulated=simulated,
        file_digest=digest,
    )
    return row.id or 0


def save_calibration(
    session: Session,
    actor: Actor,
    standard_id: int,
    sittings: Sequence[int],
    result: cal.Calibration,
    statistics: Sequence[cal.ItemStatistics],
    flags: Sequence[cal.Flag],
) -> int:
    """Keep a calibration and what it says of every version that was answered; its id.

    Raises
    ------
    BankError
        `not-converged` if the run did not converge: its numbers are not for use. `no-sitting` without sittings.
    UnknownError
        If a sitting is not one of the standard, or an item is not in the bank.
    ConflictError
        `not-in-use` if an item has neither an accepted version nor one in pretest (any more).
    """
    actor.need(Role.PSYCHOMETRICIAN)
    if not result.converged:
        raise BankError("not-converged", "the calibration did not converge: allow more iterations or use a prior")
    if not sittings:
        raise BankError("no-sitting", "name the sittings that the responses come from: register them first")
    ours = set(session.scalars(select(SITTING.c.id).where(SITTING.c.standard_id == standard_id)))
    strange = [sitting for sitting in sittings if sitting not in ours]
    if strange:
        raise UnknownError("unknown-sitting", f"the standard {standard_id} has no sitting {strange[0]}")
    # what was withdrawn since it was answered still has its statistics
    versions = _answered_versions(session, [s.item for s in statistics], ANSWERABLE | {ItemState.WITHDRAWN})
    document = result.document()
    row = Calibration(
        standard_id=standard_id,
        model=result.model,
        scale=document["scale"],
        settings={"priors": result.priors, "nodes": result.nodes, "se_kind": result.se_kind},
        log_likelihood=result.log_likelihood,
        converged=result.converged,
        evidence={
            "n_persons": result.n_persons,
            "iterations": result.iterations,
            "max_gradient": result.max_gradient,
            "data_digest": result.data_digest,
        },
        created_by_id=actor.person(),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    calibration_id = row.id or 0
    session.execute(
        insert(CalibrationSitting.__table__),
        [{"calibration_id": calibration_id, "sitting_id": sitting} for sitting in sittings],
    )
    parameters = {item.id: item for item in result.items}
    raised: dict[str, list[str]] = {}
    for flag in flags:
        raised.setdefault(flag.item, []).append(flag.code)
    rows = []
    for one in statistics:
        item = parameters.get(one.item)
        rows.append(
            {
                "calibration_id": calibration_id,
                "version_id": versions[one.item],
                "n": round(one.n),
                "p_value": _known(one.p_value),
                "point_biserial": _known(one.point_biserial),
                "model": item.model if item else None,
                "a": item.a if item else None,
                "b": item.difficulty if item else None,
                "se_a": item.se.get("a") if item else None,
                "se_b": item.se.get("b") if item else None,
                "flags": " ".join(raised.get(one.item, [])),
            }
        )
    session.execute(insert(STATISTICS), rows)
    record(
        session,
        actor,
        "calibration.saved",
        ("calibration", str(calibration_id)),
        model=result.model,
        items=len(result.items),
        persons=result.n_persons,
        flagged=sorted(raised),
        data_digest=result.data_digest,
    )
    return calibration_id


def key_differences(session: Session, key: Mapping[str, cal.KeyOfItem]) -> dict[str, tuple[str, str]]:
    """Items that a sitting was scored by another key than the bank holds now: code → (then, now)."""
    versions = {item.version_id: item.code for item in standings(session, list(key))}
    differing = {}
    for batch in batches(list(versions)):
        for version_id, xml in session.execute(select(VERSION.c.id, VERSION.c.xml).where(VERSION.c.id.in_(batch))):
            code, bank_key = versions[version_id], read_item(xml).key
            then = ";".join(sorted(right_options(key[code])))
            if then != bank_key:
                differing[code] = (then, bank_key or "")
    return dict(sorted(differing.items()))


def calibrated_pool(session: Session, standard_id: int, calibration_id: int) -> Pool:
    """The accepted items of a standard with the parameters of one calibration: what papers and releases choose from.

    Columns: type, point, section, function, grade, importance, enemies, flagged, published, version.
    """
    query = select(STATISTICS).where(STATISTICS.c.calibration_id == calibration_id)
    known = {row.version_id: row for row in session.execute(query)}
    scale = session.scalar(select(CALIBRATION.c.scale).where(CALIBRATION.c.id == calibration_id))
    if not known or scale is None:
        raise UnknownError("unknown-calibration", f"there is no calibration {calibration_id} with statistics")
    rows = []
    for item in pool_items(session, standard_id):
        found = known.get(item.version_id)
        rows.append(
            {
                "id": item.code,
                "a": found.a if found else None,
                "b": found.b if found else None,
                "type": str(item.item_type),
                "point": item.point,
                "section": item.section,
                "function": item.function,
                "grade": str(item.grade),
                "importance": str(item.importance) if item.importance else "unknown",
                "enemies": item.enemies,
                "flagged": "yes" if found and found.flags else "no",
                "published": "yes" if item.published else "no",
                "version": str(item.version),
            }
        )
    return Pool.from_rows(rows, scale=Scale(**scale))


def _answered_versions(session: Session, codes: Sequence[str], in_use: frozenset[ItemState]) -> dict[str, int]:
    """The version of each item that candidates met: the newest, or the accepted one while a newer is written."""
    items = standings(session, codes)
    older = [item for item in items if item.state not in in_use]
    early = [item.code for item in older if item.accepted_number is None]
    if early:
        raise ConflictError("not-in-use", f"{early[0]} was answered, but never let into pretest: check the item codes")
    versions = {item.code: item.version_id for item in items}
    accepted = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.accepted_number)
    for batch in batches([item.item_id for item in older]):
        query = select(ITEM.c.code, VERSION.c.id).join(VERSION, accepted).where(ITEM.c.id.in_(batch))
        versions |= {row[0]: row[1] for row in session.execute(query)}
    return versions


def _known(number: float) -> float | None:
    """NaN is no value that both databases keep."""
    return None if isnan(number) else number
