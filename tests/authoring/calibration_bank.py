"""Sittings and calibrations to put into a bank: small, and with every number given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import convert

import calibration as cal
from authoring.calibrations.rules import register_sitting, save_calibration
from authoring.database import writing
from authoring.items.rules import add_version
from authoring.items.schemas import NewVersion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authoring.database import Bank
    from authoring.people.actors import Actor
    from tests.authoring.conftest import Staff

DATA = "person,Q1,Q2\n1,B,B\n2,A,B\n"


def answers(*items: str, persons: int = 2) -> cal.Responses:
    return cal.Responses.from_matrix(np.eye(persons, len(items)), items)


def register(
    bank: Bank, actor: Actor, standard_id: int, file: Path, *items: str, code: str = "2026-1", population: str = "test"
) -> int:
    file.write_text(DATA, encoding="utf-8")
    with writing(bank, actor) as session:
        return register_sitting(
            session, actor, standard_id, code, file, answers(*items), simulated=True, population=population
        )


def result(*items: cal.ItemParameters, **changes: Any) -> cal.Calibration:
    usual: dict[str, Any] = {
        "model": "2PL",
        "items": items,
        "excluded": {},
        "scale": cal.Scale(),
        "priors": "none",
        "n_persons": 210,
        "log_likelihood": -1234.5,
        "log_prior": 0.0,
        "converged": True,
        "max_gradient": 1e-6,
        "iterations": 12,
        "integration_error": 1e-9,
        "seconds": 0.1,
        "nodes": 61,
        "se_kind": "observed information",
        "data_digest": "d" * 64,
    }
    return cal.Calibration(**(usual | changes))


def statistics(item: str, **changes: Any) -> cal.ItemStatistics:
    one = cal.ItemStatistics(item, n=210.0, p_value=0.7, point_biserial=0.31, effective_n=205.0, omitted=3)
    return replace(one, **changes)


def save(
    bank: Bank,
    actor: Actor,
    standard_id: int,
    sittings: Sequence[int],
    run: cal.Calibration,
    *found: cal.ItemStatistics,
    flags: Sequence[cal.Flag] = (),
) -> int:
    with writing(bank, actor) as session:
        return save_calibration(session, actor, standard_id, sittings, run, found, flags)


def revised(bank: Bank, staff: Staff, code: str) -> None:
    """A new version of an item, a draft."""
    change = {
        "type": "single",
        "stem": "换了一种问法（ ）。",
        "options": ["子", "丑", "寅", "卯"],
        "key": "B",
        "based_on": 1,
    }
    with writing(bank, staff.author) as session:
        add_version(session, staff.author, code, convert(change, NewVersion))
