"""The audit trail: what is recorded with a change, and how tampering shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from authoring.audit.chain import (
    GENESIS,
    Event,
    check_chain,
    event_hash,
    link_events,
    link_waiting,
    record,
    record_many,
    verify,
)
from authoring.audit.export import export, read_export
from authoring.audit.tables import AuditEvent
from authoring.database import Bank, reading, writing
from authoring.errors import BankError
from authoring.people.actors import SYSTEM
from tests.authoring.conftest import SERVER, Staff

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVENT = AuditEvent.__table__


def add_events(bank: Bank, count: int = 5, *, link: bool = True) -> None:
    with writing(bank, SYSTEM) as session:
        for number in range(count):
            record(session, SYSTEM, "item.counted", ("item", f"Q{number}"), number=number)
    if link:
        link_waiting(bank)


def tamper(bank: Bank, *statements: str) -> None:
    """What somebody with the database's password can do: drop the guards, then rewrite."""
    on = " ON audit_event" if SERVER is not None else ""
    with bank.engine.begin() as connection:
        for guard in ("audit_event_no_rewrite", "audit_event_no_delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {guard}{on}")
        for statement in statements:
            connection.exec_driver_sql(statement)


def faults(bank: Bank, **options: Any) -> list[tuple[str, int | None]]:
    with reading(bank) as session:
        return [(fault.kind, fault.seq) for fault in verify(session, **options).faults]


def chain_of(count: int) -> list[Event]:
    """A chain made by hand, to the definition."""
    events: list[Event] = []
    for seq in range(1, count + 1):
        last = events[-1].hash if events else GENESIS
        at = f"2026-03-01T00:00:{seq:02}.000000+00:00"
        event = Event(seq + 100, at, "li.na", "item.created", "item", f"Q{seq}", {"version": 1}, seq, last, None)
        events.append(replace(event, hash=event_hash(event)))
    return events


def test_the_hash_is_sha_256_of_the_canonical_json_of_the_event_in_its_place() -> None:
    (event,) = chain_of(1)
    written = (
        '{"action":"item.created","actor":"li.na","at":"2026-03-01T00:00:01.000000+00:00","detail":{"version":1},'
        '"id":101,"prev_hash":"' + "0" * 64 + '","seq":1,"subject":"Q1","subject_kind":"item"}'
    )
    assert event.hash == hashlib.sha256(written.encode()).hexdigest()


def test_events_are_linked_in_the_order_they_were_recorded(bank: Bank) -> None:
    add_events(bank, 3)
    add_events(bank, 2)
    with reading(bank) as session:
        rows = session.execute(select(EVENT).order_by(EVENT.c.id)).all()
        report = verify(session)
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert [row.prev_hash for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]
    assert (report.ok, report.linked, report.head, report.waiting) == (True, 5, rows[-1].hash, 0)


def test_linking_again_changes_nothing(bank: Bank) -> None:
    add_events(bank)
    assert link_waiting(bank) == 0
    with writing(bank, SYSTEM) as session:
        assert link_events(session) == 0
    assert faults(bank) == []


def test_an_event_is_only_stored_with_the_change_it_speaks_of(bank: Bank) -> None:
    with pytest.raises(BankError), writing(bank, SYSTEM) as session:
        record_many(session, SYSTEM, "item.counted", "item", [("Q1", {}), ("Q2", {"stem": "不该写"})])
    with reading(bank) as session:
        assert verify(session).linked + verify(session).waiting == 0


@pytest.mark.parametrize("name", ["stem", "key", "answer", "rationale", "xml", "a", "b", "token", "options"])
def test_a_secret_is_not_accepted_as_detail(bank: Bank, name: str) -> None:
    with pytest.raises(BankError, match="may not carry"), writing(bank, SYSTEM) as session:
        record(session, SYSTEM, "item.created", ("item", "Q1"), **{name: "B"})


@pytest.mark.parametrize("value", ["长" * 501, {"nested": 1}, [["nested"]], object()])
def test_detail_is_short_texts_and_numbers(bank: Bank, value: Any) -> None:
    with pytest.raises(BankError, match="expected short texts and numbers"), writing(bank, SYSTEM) as session:
        record(session, SYSTEM, "item.created", ("item", "Q1"), comment=value)


@pytest.mark.parametrize("action", ["created", "Item.created", "item.created.twice", "item created", ""])
def test_an_action_is_a_noun_and_a_verb(bank: Bank, action: str) -> None:
    with pytest.raises(BankError, match=r"expected noun\.verb"), writing(bank, SYSTEM) as session:
        record(session, SYSTEM, action, ("item", "Q1"))


def test_nobody_signs_an_event_for_somebody_else(bank: Bank, staff: Staff) -> None:
    with pytest.raises(BankError, match=r"is not wang\.wei's"), writing(bank, staff.author) as session:
        record(session, staff.reviewer, "item.reviewed", ("item", "Q1"))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_event SET detail = '{\"number\":9}' WHERE seq = 3", [("changed", 3)]),
        ("UPDATE audit_event SET actor = 'nobody' WHERE seq = 5", [("changed", 5)]),
        ("UPDATE audit_event SET subject = 'Q9' WHERE seq = 1", [("changed", 1)]),
        ("DELETE FROM audit_event WHERE seq = 2", [("removed", 2)]),
        ("DELETE FROM audit_event WHERE seq IN (2, 3)", [("removed", 2)]),
        ("DELETE FROM audit_event WHERE seq = 1", [("removed", 1)]),
        ("DELETE FROM audit_event WHERE seq = 5", [("removed", 5)]),
        ("DELETE FROM audit_event", [("removed", 5)]),
        ("UPDATE audit_head SET hash = prev.hash FROM audit_event AS prev WHERE prev.seq = 4", [("changed", 5)]),
        ("DELETE FROM audit_head", [("removed", None)]),
        ("UPDATE audit_event SET hash = prev_hash WHERE seq = 3", [("changed", 3)]),
    ],
)
def test_tampering_with_rows_is_found_and_placed(
    bank: Bank, statement: str, found: list[tuple[str, int | None]]
) -> None:
    add_events(bank)
    tamper(bank, statement)
    assert faults(bank) == found


def test_two_events_that_changed_places_are_found_as_reordered(bank: Bank) -> None:
    add_events(bank)
    tamper(
        bank,
        "UPDATE audit_event SET seq = 99 WHERE seq = 2",
        "UPDATE audit_event SET seq = 2 WHERE seq = 4",
        "UPDATE audit_event SET seq = 4 WHERE seq = 99",
    )
    assert faults(bank) == [("reordered", 2), ("reordered", 4)]


def test_an_event_that_lost_its_place_is_found_once_it_should_have_one(bank: Bank) -> None:
    add_events(bank)
    tamper(bank, "UPDATE audit_event SET seq = NULL, prev_hash = NULL, hash = NULL WHERE seq = 5")
    assert faults(bank) == [("removed", 5)]
    assert faults(bank, grace=timedelta(0)) == [("unlinked", None), ("removed", 5)]


def test_events_of_the_last_seconds_may_wait(bank: Bank) -> None:
    add_events(bank, 2, link=False)
    with reading(bank) as session:
        report = verify(session)
    assert (report.ok, report.linked, report.waiting) == (True, 0, 2)
    assert faults(bank, grace=timedelta(0)) == [("unlinked", None)] * 2


def test_an_export_betrays_a_chain_that_was_forged_anew(bank: Bank, tmp_path: Path) -> None:
    """Whoever can write the whole table can also hash it anew; the copy outside the database shows it."""
    add_events(bank)
    with reading(bank) as session:
        assert export(session, tmp_path / "audit.jsonl") == 5
    exported = read_export(tmp_path / "audit.jsonl")
    assert faults(bank, against=exported) == []
    tamper(
        bank,
        "UPDATE audit_event SET actor = 'nobody' WHERE subject = 'Q3'",
        "UPDATE audit_head SET seq = 0, hash = first.prev_hash FROM audit_event AS first WHERE first.seq = 1",
        "UPDATE audit_event SET seq = NULL, prev_hash = NULL, hash = NULL",
    )
    link_waiting(bank)
    assert faults(bank) == []
    assert faults(bank, against=exported) == [("missing", 4), ("missing", 5)]


def test_the_export_is_one_json_document_a_line_for_its_owner_only(bank: Bank, tmp_path: Path) -> None:
    add_events(bank, 3)
    add_events(bank, 1, link=False)
    file = tmp_path / "audit.jsonl"
    with reading(bank) as session:
        assert export(session, file) == 3
    lines = file.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[1])["detail"] == {"number": 1}
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.glob(".audit*")) == []


def swap(lines: list[str]) -> list[str]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


@pytest.mark.parametrize(
    ("edit", "kinds"),
    [
        (lambda lines: [line.replace('"Q2"', '"Q7"') for line in lines], {"changed"}),
        (lambda lines: lines[:1] + lines[2:], {"removed"}),
        (lambda lines: lines[1:], {"removed"}),
        (swap, {"reordered"}),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], {"changed"}),
    ],
)
def test_tampering_with_the_exported_file_is_found(
    bank: Bank, tmp_path: Path, edit: Callable[[list[str]], list[str]], kinds: set[str]
) -> None:
    add_events(bank)
    file = tmp_path / "audit.jsonl"
    with reading(bank) as session:
        export(session, file)
    assert check_chain(read_export(file)).ok
    lines = edit(file.read_text(encoding="utf-8").splitlines(keepends=True))
    file.write_text("".join(lines), encoding="utf-8")
    assert {fault.kind for fault in check_chain(read_export(file)).faults} == kinds


@pytest.mark.parametrize("line", ["", "not json", "[]", '{"id": 1}', '{"seq": 1, "surprise": 2}'])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "audit.jsonl").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(BankError, match="line 1 is not an audit event"):
        read_export(tmp_path / "audit.jsonl")


@given(st.integers(2, 12), st.data())
def test_no_event_of_a_chain_can_be_changed_unseen(count: int, data: st.DataObject) -> None:
    events = chain_of(count)
    assert check_chain(events).ok
    place = data.draw(st.integers(0, count - 1))
    field = data.draw(st.sampled_from(["at", "actor", "action", "subject_kind", "subject", "prev_hash", "hash"]))
    changed = replace(events[place], **{field: data.draw(st.text(max_size=8))})
    found = check_chain([*events[:place], changed, *events[place + 1 :]])
    assert not found.ok
    assert {fault.seq for fault in found.faults} <= {place + 1, place + 2}


@given(st.integers(1, 12), st.data())
def test_no_event_inside_a_chain_can_be_left_out_unseen(count: int, data: st.DataObject) -> None:
    events = chain_of(count + 1)
    place = data.draw(st.integers(0, count - 1))
    (fault,) = check_chain([*events[:place], *events[place + 1 :]]).faults
    assert (fault.kind, fault.seq) == ("removed", place + 1)
