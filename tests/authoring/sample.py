"""A small bank to test with: an outline of four sections, items that are nothing like each other, a calibration."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from authoring.audit.chain import record
from authoring.calibrations.tables import Calibration, ItemStatistics
from authoring.columns import now
from authoring.database import writing
from authoring.items.rules import import_items
from authoring.items.states import standings
from authoring.reviews.rules import BlindReview, accept, approve, review, submit
from authoring.reviews.tables import Verdict
from item_formats import ItemRow, ItemTable, ItemType, choice_item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from authoring.database import Bank
    from authoring.people.actors import Actor
    from tests.authoring.conftest import Staff

RATIONALE = "这一句解析只给能看答案的人看"


def outline(**changes: Any) -> dict[str, Any]:
    """Four sections of 20 + 30 + 25 + 25, two points each; the weight table has 职业道德, 基础知识 and 业务分析."""

    def section(code: str, name: str, weight: float) -> dict[str, Any]:
        points = [
            {"code": f"{code}-A-{n:03}", "name": f"{name}第{n}点", "importance": "XXXY"[n - 1]} for n in range(1, 5)
        ]
        return {"code": code, "name": name, "weight": weight, "points": points}

    return {
        "occupation_code": "4-04-05-05",
        "occupation": "人工智能训练师",
        "level": 3,
        "edition": "2021",
        "provenance": "made up for tests",
        "weights_provenance": "made up for tests, weights",
        "importance_provenance": "sample",
        "areas": [
            {
                "code": "A",
                "name": "基本要求",
                "sections": [section("A-A", "职业道德", 20), section("A-B", "基础知识", 30)],
            },
            {"code": "B", "name": "业务分析", "sections": [section("B-A", "流程", 25), section("B-B", "优化", 25)]},
        ],
    } | changes


def words(seed: str, count: int) -> str:
    """Chinese characters that share no bigrams to speak of with those of another seed."""
    chosen = random.Random(seed)  # noqa: S311  # repeatable, not secret
    return "".join(chr(chosen.randrange(0x4E00, 0x9FA5)) for _ in range(count))


def row(code: str, *, item_type: ItemType = ItemType.SINGLE, **changes: Any) -> ItemRow:
    """A row of an item table: a single choice with key B unless told otherwise."""
    content: dict[str, Any] = {"key": "B", "stem": f"{words(code, 24)}（ ）。", "rationale": RATIONALE}
    content["options"] = [words(f"{code}{letter}", 8) for letter in "ABCD"]
    if item_type is ItemType.TRUE_FALSE:
        content |= {"key": "×", "options": (), "stem": f"{words(code, 24)}。"}
    if item_type is ItemType.MULTIPLE:
        content |= {"key": "ACD"}
    content |= {name: changes.pop(name) for name in tuple(changes) if name in content}
    item = choice_item(identifier=code, item_type=item_type, **content)
    usual: dict[str, Any] = {"point": "A-A-A-001", "grade": 2, "row": int("0" + "".join(filter(str.isdigit, code))) + 1}
    return ItemRow(identifier=code, item=item, **(usual | changes))


def table(*rows: ItemRow) -> ItemTable:
    return ItemTable(rows=rows, findings=())


def add_items(bank: Bank, staff: Staff, standard_id: int, *rows: ItemRow) -> list[str]:
    """Import rows as drafts of the author; their codes."""
    with writing(bank, staff.author) as session:
        report = import_items(session, staff.author, standard_id, table(*rows))
    assert report.errors == ()
    return list(report.created)


def pretest(bank: Bank, staff: Staff, codes: Sequence[str], key: str = "B") -> None:
    """Take drafts through submission, blind review and approval."""
    with writing(bank, staff.author) as session:
        submit(session, staff.author, codes)
    with writing(bank, staff.reviewer) as session:
        review(session, staff.reviewer, [BlindReview(code, key, Verdict.ACCEPT) for code in codes])
    with writing(bank, staff.approver) as session:
        approve(session, staff.approver, codes)


def calibrate(bank: Bank, actor: Actor, standard_id: int, codes: Sequence[str]) -> None:
    """Statistics for the newest versions, as a calibration would leave them."""
    with writing(bank, actor) as session:
        calibration = Calibration(
            standard_id=standard_id,
            model="2PL",
            scale={"id": "test"},
            settings={},
            log_likelihood=-1.0,
            converged=True,
            evidence={},
            created_by_id=actor.person(),
            created_at=now(),
        )
        session.add(calibration)
        session.flush()
        rows = [
            {"calibration_id": calibration.id, "version_id": item.version_id, "n": 210, "flags": ""}
            for item in standings(session, codes)
        ]
        session.execute(insert(ItemStatistics.__table__), rows)
        record(session, actor, "calibration.stored", ("calibration", str(calibration.id)), items=len(rows))


def accepted(bank: Bank, staff: Staff, standard_id: int, *rows: ItemRow, key: str = "B") -> list[str]:
    """Items that went the whole way into the bank."""
    codes = add_items(bank, staff, standard_id, *rows)
    pretest(bank, staff, codes, key)
    calibrate(bank, staff.approver, standard_id, codes)
    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, codes)
    return codes
