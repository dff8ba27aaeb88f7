"""The migrations make exactly the tables the code speaks of, and the guards of history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, inspect, select, text
from sqlalchemy.exc import IntegrityError

from authoring.audit.chain import record
from authoring.calibrations.tables import ItemStatistics
from authoring.columns import UtcDateTime
from authoring.database import Bank, connect, revision, writing
from authoring.errors import BankError
from authoring.items.tables import Item, ItemVersion
from authoring.migrations import GUARDS, HEAD
from authoring.migrations.running import differences, draft_migration, scripts, upgrade
from authoring.people.actors import SYSTEM
from authoring.tables import metadata
from calibration import ItemParameters, parameters_from_document
from tests.authoring.conftest import SERVER
from tests.authoring.sample import accepted, row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.authoring.conftest import Staff


STATISTICS = ItemStatistics.__table__
ITEM = Item.__table__
VERSION = ItemVersion.__table__
NEXT = f"{int(HEAD) + 1:04}"


def test_head_is_the_newest_migration() -> None:
    assert scripts().get_heads() == [HEAD]


def test_the_migrated_tables_are_those_of_the_code(database: str) -> None:
    assert differences(database) == ()
    assert {"item_version", "audit_event", "release_item"} <= metadata.tables.keys()


@pytest.mark.skipif(SERVER is not None, reason="makes a SQLite file")
def test_upgrading_makes_a_bank_once(tmp_path: Path) -> None:
    assert upgrade(tmp_path / "new.db") == (None, HEAD)
    assert upgrade(tmp_path / "new.db") == (HEAD, HEAD)


@pytest.mark.skipif(SERVER is not None, reason="makes a SQLite file")
def test_a_bank_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BankError, match="its folder does not exist"):
        upgrade(tmp_path / "none" / "new.db")


def test_a_database_of_a_newer_tiku_is_left_alone(bank: Bank, database: str) -> None:
    with writing(bank, SYSTEM) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        record(session, SYSTEM, "test.done", ("test", "1"))
    with pytest.raises(BankError, match="is at 9999, which this tiku does not know"):
        upgrade(database)
    assert differences(database) == (f"the database is at revision 9999, expected {HEAD}: run `tiku db upgrade`",)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("ALTER TABLE review ADD COLUMN mood TEXT", "mood"),
        ("DROP INDEX ix_point_area_id", "ix_point_area_id"),
        ("DROP TRIGGER audit_event_no_delete", "audit_event_no_delete"),
    ],
)
def test_what_differs_is_found_and_named(bank: Bank, database: str, damage: str, said: str) -> None:
    on = " ON audit_event" if SERVER is not None and "TRIGGER" in damage else ""
    with bank.engine.begin() as connection:
        connection.execute(text(damage + on))
    found = differences(database)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.skipif(SERVER is not None, reason="writes SQLite's schema table")
def test_an_enum_that_lost_a_value_is_found(bank: Bank, database: str) -> None:
    with bank.engine.begin() as connection:
        connection.execute(text("PRAGMA writable_schema = ON"))
        connection.execute(
            text("UPDATE sqlite_master SET sql = replace(sql, ', ''withdrawn''', '') WHERE name = 'item'")
        )
        connection.execute(text("PRAGMA writable_schema = OFF"))
    bank.engine.dispose()
    assert differences(database) == ("table item: the constraint ck_item_item_state is not as in the code",)


def test_a_migration_can_be_undone_and_done_again(database: str) -> None:
    from alembic import command

    from authoring.migrations import running

    bank = connect(database)
    with bank.writers.kw["bind"].begin() as connection:
        command.downgrade(running._config(connection), "base")
    with bank.engine.connect() as connection:
        assert revision(connection) is None
    bank.close()
    assert upgrade(database) == (None, HEAD)
    assert differences(database) == ()


def test_a_bank_of_the_first_version_takes_every_kind_of_item_after_the_upgrade(
    bank: Bank, staff: Staff, standard_id: int, database: str
) -> None:
    from alembic import command

    from authoring.migrations import running

    accepted(bank, staff, standard_id, row("Q1"))
    connecting = connect(database)
    with connecting.writers.kw["bind"].begin() as connection:
        command.downgrade(running._config(connection), "0001")
    statement = text("UPDATE item SET item_type = 'text_entry' WHERE code = 'Q1'")
    with pytest.raises(IntegrityError, match="item_type"), connecting.engine.begin() as connection:
        connection.execute(statement)
    assert upgrade(database) == ("0001", HEAD)
    with connecting.engine.begin() as connection:
        connection.execute(statement)
        assert connection.execute(text("SELECT item_type FROM item")).scalars().all() == ["text_entry"]
    with pytest.raises(IntegrityError, match="item_type"), connecting.engine.begin() as connection:
        connection.execute(text("UPDATE item SET item_type = 'nonsense'"))
    connecting.close()
    assert differences(database) == ()


def test_a_bank_of_the_second_version_keeps_what_it_knew_of_parameters(
    bank: Bank, staff: Staff, standard_id: int, database: str
) -> None:
    """Of Rasch, 1PL and 2PL a and b are all there is; of other models the rest is gone, and is not made up."""
    from alembic import command

    from authoring.migrations import running

    codes = accepted(bank, staff, standard_id, *(row(f"Q{n}") for n in range(6)))
    connecting = connect(database)
    with connecting.writers.kw["bind"].begin() as connection:
        command.downgrade(running._config(connection), "0002")
    held = [
        ("Q0", "2PL", 1.25, 1 / 3, 0.2, 0.1),
        ("Q1", "Rasch", 1.0, -0.5, None, 0.07),
        ("Q2", "3PL", 1.5, 0.5, 0.2, 0.1),
        ("Q3", "GRM", 1.4, 0.1, 0.1, None),
        ("Q4", "NRM", 1.0, None, None, None),
        ("Q5", None, None, None, None, None),
    ]
    statement = text(
        "UPDATE item_statistics SET model = :model, a = :a, b = :b, se_a = :se_a, se_b = :se_b WHERE version_id ="
        " (SELECT v.id FROM item_version v JOIN item i ON i.id = v.item_id WHERE i.code = :code)"
    )
    names = ("code", "model", "a", "b", "se_a", "se_b")
    with connecting.engine.begin() as connection:
        assert "parameters" not in {column["name"] for column in inspect(connection).get_columns("item_statistics")}
        connection.execute(statement, [dict(zip(names, one, strict=True)) for one in held])
    assert upgrade(database) == ("0002", HEAD)
    with connecting.engine.connect() as connection:
        rows = connection.execute(
            select(ITEM.c.code, STATISTICS)
            .join(VERSION, VERSION.c.item_id == ITEM.c.id)
            .join(STATISTICS, STATISTICS.c.version_id == VERSION.c.id)
            .order_by(ITEM.c.code)
        ).all()
        lost = connection.execute(text("SELECT count(*) FROM item_statistics WHERE parameters IS NULL")).scalar_one()
    assert [(one.code, one.model, one.a, one.b, one.se_a, one.se_b) for one in rows] == held
    kept = parameters_from_document({"items": [one.parameters for one in rows[:2]]}, "the bank")[0]
    assert kept == (
        ItemParameters("Q0", "2PL", 1.25, (1 / 3,), se={"a": 0.2, "b": 0.1}, n=210),
        ItemParameters("Q1", "Rasch", 1.0, (-0.5,), se={"b": 0.07}, n=210),
    )
    assert [one.parameters for one in rows[2:]] == [None] * 4
    assert lost == 4  # NULL in the database, not the JSON null
    assert len(rows) == len(codes)
    connecting.close()
    assert differences(database) == ()


def test_a_drafted_migration_holds_what_the_tables_have_and_the_migrations_have_not(
    tmp_path: Path,
) -> None:
    assert "batch_op" not in draft_migration("nothing changes", tmp_path).read_text(encoding="utf-8")
    (tmp_path / f"r{NEXT}_nothing_changes.py").unlink()
    review = metadata.tables["review"]
    column = Column("seen_at", UtcDateTime())
    review.append_column(column)
    try:
        drafted = draft_migration("reviews say when", tmp_path)
    finally:
        review._columns.remove(column)
    written = drafted.read_text(encoding="utf-8")
    assert drafted.name == f"r{NEXT}_reviews_say_when.py"
    assert f"down_revision = '{HEAD}'" in written
    assert "batch_op.add_column(sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True))" in written
    compile(written, drafted, "exec")


@pytest.mark.parametrize(
    "rewriting",
    [
        "UPDATE item_version SET digest = 'x'",
        "DELETE FROM item_version",
        "DELETE FROM audit_event",
        "UPDATE audit_event SET actor = 'nobody'",
        "UPDATE audit_event SET subject = 'x' WHERE seq IS NULL",
    ],
)
def test_history_cannot_be_rewritten(bank: Bank, staff: Staff, standard_id: int, rewriting: str) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    with pytest.raises(Exception, match="is history: it cannot be changed"), bank.engine.begin() as connection:
        connection.execute(text(rewriting))


def test_every_guard_is_in_the_database(bank: Bank) -> None:
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if SERVER is not None:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with bank.engine.connect() as connection:
        assert set(connection.execute(text(query)).scalars()) == GUARDS
