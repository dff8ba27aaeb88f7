"""Sessions: readers that change nothing, writers that lose nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text, update

from authoring.audit.chain import link_waiting, record, verify
from authoring.columns import now
from authoring.database import Bank, connect, database_url, open_bank, reading, shown_name, writing
from authoring.errors import BankError, ConflictError
from authoring.people.actors import SYSTEM
from authoring.people.rules import add_person
from authoring.people.tables import Person
from authoring.standards.tables import Standard
from tests.authoring.conftest import SERVER, Staff

PERSON = Person.__table__
sqlite_only = pytest.mark.skipif(SERVER is not None, reason="about SQLite files")


def test_a_name_without_a_scheme_is_a_sqlite_file() -> None:
    assert str(database_url("banks/a.db")) == "sqlite:///banks/a.db"


def test_postgresql_goes_through_psycopg_3_and_never_shows_its_password() -> None:
    url = database_url("postgresql://u:secret@db/tiku")
    assert url.drivername == "postgresql+psycopg"
    assert shown_name(url) == "postgresql://u:***@db/tiku"


@pytest.mark.parametrize("name", ["mysql://u:secret@db/tiku", "sqlite://", "sqlite:///:memory:", "://"])
def test_other_databases_are_refused_without_their_password(name: str) -> None:
    with pytest.raises(BankError, match=r"expected a file or postgresql://") as refused:
        database_url(name)
    assert "secret" not in refused.value.message


def test_a_missing_bank_says_what_to_run_and_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(BankError, match=r"tiku db upgrade --database .*none\.db"):
        open_bank(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_bank_that_is_not_at_head_says_what_to_run(bank: Bank, database: str) -> None:
    with writing(bank, SYSTEM) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        record(session, SYSTEM, "test.done", ("test", "1"))
    with pytest.raises(BankError, match=r"is at revision 0000.*tiku db upgrade"):
        open_bank(database)


@sqlite_only
def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, only notes", encoding="utf-8")
    with pytest.raises(BankError, match=r"notes\.db cannot be used: file is not a database"):
        open_bank(tmp_path / "notes.db")


@sqlite_only
def test_sqlite_runs_as_the_design_says(bank: Bank) -> None:
    with reading(bank) as session:
        pragma = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "journal_size_limit")
        }
    assert pragma == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "journal_size_limit": 67_108_864,
    }


def test_a_reading_session_changes_nothing(bank: Bank) -> None:
    with pytest.raises(BankError, match="this session only reads"), reading(bank) as session:
        session.execute(insert(PERSON).values(code="a", name="a", created_at=now(), revision=1))
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(PERSON)) == 0


def test_a_reader_keeps_seeing_the_moment_it_began(bank: Bank) -> None:
    with reading(bank) as before:
        assert before.scalar(select(func.count()).select_from(PERSON)) == 0
        with writing(bank, SYSTEM) as session:
            add_person(session, SYSTEM, "li.na", "李娜")
        assert before.scalar(select(func.count()).select_from(PERSON)) == 0
    with reading(bank) as after:
        assert after.scalar(select(func.count()).select_from(PERSON)) == 1


def test_a_change_without_an_audit_event_is_refused_whole(bank: Bank) -> None:
    with pytest.raises(BankError, match="without an audit event"), writing(bank, SYSTEM) as session:
        session.execute(insert(PERSON).values(code="a", name="a", created_at=now(), revision=1))
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(PERSON)) == 0


def test_an_error_inside_a_transaction_leaves_nothing_behind(bank: Bank) -> None:
    with pytest.raises(ConflictError), writing(bank, SYSTEM) as session:
        [add_person(session, SYSTEM, "li.na", "李娜") for _ in range(2)]
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(PERSON)) == 0


def test_foreign_keys_hold(bank: Bank) -> None:
    with pytest.raises(ConflictError, match="the database refuses this"), writing(bank, SYSTEM) as session:
        session.execute(text("INSERT INTO person_role (person_id, role) VALUES (99, 'author')"))


def test_a_constraint_is_named_and_its_values_are_not(bank: Bank, staff: Staff) -> None:
    with pytest.raises(ConflictError) as refused, writing(bank, SYSTEM) as session:
        session.execute(insert(PERSON).values(code=staff.author.code, name="秘密", created_at=now(), revision=1))
    assert refused.value.rule == "constraint"
    assert "code" in refused.value.message
    assert "秘密" not in refused.value.message
    assert "li.na" not in refused.value.message


@sqlite_only
def test_a_database_that_stays_locked_is_said_to_be_busy(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authoring.database.BUSY_SECONDS", 0.05)
    one, other = connect(database), connect(database)
    try:
        with writing(one, SYSTEM) as holding:
            add_person(holding, SYSTEM, "li.na", "李娜")
            with pytest.raises(BankError, match="locked: try again"), writing(other, SYSTEM) as waiting:
                add_person(waiting, SYSTEM, "wang.wei", "王伟")
    finally:
        one.close()
        other.close()


@sqlite_only
def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_ever(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authoring.database.BUSY_SECONDS", 0.05)
    with writing(bank, SYSTEM), pytest.raises(BankError, match="nested"), writing(bank, SYSTEM):
        pass
    with writing(bank, SYSTEM) as session:  # and the turn was given back
        add_person(session, SYSTEM, "li.na", "李娜")


def test_threads_of_one_process_take_turns(bank: Bank) -> None:
    def add(start: int) -> None:
        for number in range(start, start + 10):
            with writing(bank, SYSTEM) as session:
                add_person(session, SYSTEM, f"p{number}", "某人")

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(PERSON)) == 30


WRITER = """
import sys
from authoring.audit.chain import link_waiting, record
from authoring.database import open_bank, writing
from authoring.errors import ConflictError
from authoring.people.actors import SYSTEM
from authoring.people.tables import Person
from sqlalchemy import select

bank = open_bank(sys.argv[1])
for turn in range(25):
    while True:
        try:
            with writing(bank, SYSTEM) as session:
                person = session.scalars(select(Person)).one()
                person.name = str(int(person.name) + 1)
                record(session, SYSTEM, "person.counted", ("person", person.code), turn=turn)
            break
        except ConflictError:
            continue  # PostgreSQL: somebody else was first, read again
    if turn % 5 == 0:
        link_waiting(bank)
bank.close()
"""


def test_two_processes_that_write_at_once_lose_nothing(bank: Bank, database: str) -> None:
    with writing(bank, SYSTEM) as session:
        add_person(session, SYSTEM, "counter", "0")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, database]) for _ in range(2)]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    link_waiting(bank)
    with reading(bank) as session:
        assert session.scalar(select(PERSON.c.name)) == "50"
        report = verify(session)
    assert report.ok
    assert (report.linked, report.waiting) == (51, 0)


def test_updates_are_writes_too(bank: Bank, staff: Staff) -> None:
    with pytest.raises(BankError, match="without an audit event"), writing(bank, staff.author) as session:
        session.execute(update(PERSON).values(name="某人"))
    with reading(bank) as session:
        assert "某人" not in session.scalars(select(PERSON.c.name)).all()
        assert session.scalars(select(Standard)).all() == []
