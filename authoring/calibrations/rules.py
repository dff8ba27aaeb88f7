"""Sittings and calibrations in the bank: what was answered, and what came of it."""

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
from authoring.people.actors import Role
from calibration import ExchangeError, parameters_document, parameters_from_document, right_options
from item_formats import read_item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    import calibration as cal
    from authoring.people.actors import Actor

SITTING = Sitting.__table__
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
    answered_versions(session, responses.items)
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
    """Keep a calibration and what it says of every version that was answered, its parameters whole; its id.

    Raises
    ------
    BankError
        `not-converged` if the run did not converge: its numbers are not for use. `no-sitting` without sittings.
        `bad-parameters` if parameters make no curve or are not those of their model.
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
    document = parameters_document(result.items, result.scale)
    try:
        parameters_from_document(document, "the calibration")
    except ExchangeError as error:
        raise BankError("bad-parameters", str(error)) from None
    parameters = {row["id"]: row for row in document["items"]}
    items = {item.id: item for item in result.items}
    classical = {one.item: one for one in statistics}
    answered = list(dict.fromkeys([*classical, *items]))
    # what was withdrawn since it was answered still has its statistics
    versions = answered_versions(session, answered, ANSWERABLE | {ItemState.WITHDRAWN})
    row = Calibration(
        standard_id=standard_id,
        model=result.model,
        scale=document["scale"],
        settings={
            "priors": result.priors,
            "nodes": result.nodes,
            "estimate": result.estimate,
            "se_kind": result.se_kind,
        },
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
    raised: dict[str, list[str]] = {}
    for flag in flags:
        raised.setdefault(flag.item, []).append(flag.code)
    rows = []
    for code in answered:
        item, one = items.get(code), classical.get(code)
        rows.append(
            {
                "calibration_id": calibration_id,
                "version_id": versions[code],
                "n": round(one.n if one else item.n if item else 0),
                "p_value": _known(one.p_value) if one else None,
                "point_biserial": _known(one.point_biserial) if one else None,
                "model": item.model if item else None,
                "a": item.a if item and item.b else None,  # a nominal item has slopes instead
                "b": _known(item.difficulty) if item else None,
                "se_a": item.se.get("a") if item else None,
                "se_b": item.se.get("b") if item else None,
                "parameters": parameters.get(code),
                "flags": " ".join(raised.get(code, [])),
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


def answered_versions(
    session: Session, codes: Sequence[str], in_use: frozenset[ItemState] = ANSWERABLE
) -> dict[str, int]:
    """The version of each item that candidates met, as `versions_met` has it.

    Raises UnknownError for an item that is not in the bank, ConflictError `not-in-use` for one that no candidate can
    have met.
    """
    versions = versions_met(session, codes, in_use)
    early = [code for code in codes if code not in versions]
    if early:
        raise ConflictError("not-in-use", f"{early[0]} was answered, but never let into pretest: check the item codes")
    return versions


def versions_met(session: Session, codes: Sequence[str], in_use: frozenset[ItemState] = ANSWERABLE) -> dict[str, int]:
    """The version of each item that candidates meet: the newest, or the accepted one while a newer is written.

    Items that no candidate meets are left out. Raises UnknownError for one that is not in the bank.
    """
    items = standings(session, codes)
    versions = {item.code: item.version_id for item in items if item.state in in_use}
    older = [item.item_id for item in items if item.state not in in_use and item.accepted_number is not None]
    accepted = (VERSION.c.item_id == ITEM.c.id) & (VERSION.c.number == ITEM.c.accepted_number)
    for batch in batches(older):
        query = select(ITEM.c.code, VERSION.c.id).join(VERSION, accepted).where(ITEM.c.id.in_(batch))
        versions |= {row[0]: row[1] for row in session.execute(query)}
    return versions


def _known(number: float) -> float | None:
    """NaN is no value that both databases keep."""
    return None if isnan(number) else number
