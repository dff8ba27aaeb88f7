"""Column types mean the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from authoring.audit.chain import record
from authoring.columns import Hundredths, UtcDateTime, now, text_enum
from authoring.database import Bank, reading, writing
from authoring.errors import ConflictError
from authoring.items.tables import ItemState
from authoring.people.actors import SYSTEM
from authoring.people.tables import AccessToken, Person
from tests.authoring.conftest import Staff

DIALECTS = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]


@given(st.floats(0, 3e10), st.integers(-14 * 60, 14 * 60))
def test_a_moment_comes_back_as_the_same_moment_in_utc(seconds: float, minutes: int) -> None:
    aware = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes)))
    for dialect in DIALECTS:
        stored = UtcDateTime().process_bind_param(aware, dialect)
        back = UtcDateTime().process_result_value(stored, dialect)
        assert back == aware
        assert back is not None
        assert back.tzinfo is UTC


def test_a_naive_datetime_is_refused(bank: Bank) -> None:
    with pytest.raises(StatementError, match="no time zone"), writing(bank, SYSTEM) as session:
        session.execute(
            insert(Person.__table__).values(code="a", name="a", created_at=now().replace(tzinfo=None), revision=1)
        )


def test_times_survive_the_database(bank: Bank, staff: Staff) -> None:
    beijing = datetime(2026, 3, 1, 0, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with writing(bank, SYSTEM) as session:
        token = AccessToken(person_id=staff.author.person(), digest="0" * 64, label="", created_at=beijing)
        session.add(token)
        record(session, SYSTEM, "token.issued", ("person", "li.na"))
    with reading(bank) as session:
        held = session.get(AccessToken, token.id)
        assert held is not None
        assert held.created_at.isoformat() == "2026-02-28T16:30:00.123456+00:00"


@given(st.decimals(min_value=-10_000, max_value=10_000, places=2, allow_nan=False))
def test_marks_and_weights_are_exact(value: Decimal) -> None:
    for dialect in DIALECTS:
        stored = Hundredths().process_bind_param(value, dialect)
        assert isinstance(stored, int)
        assert Hundredths().process_result_value(stored, dialect) == value


def test_a_third_of_a_mark_is_refused_instead_of_rounded() -> None:
    with pytest.raises(ValueError, match="more than two decimal places"):
        Hundredths().process_bind_param(Decimal("0.333"), DIALECTS[0])


def test_a_text_enum_is_checked_in_python_and_by_the_database(bank: Bank, staff: Staff) -> None:
    column = text_enum(ItemState)
    assert column.enums == [state.value for state in ItemState]
    assert column.name == "item_state"
    with pytest.raises(ConflictError, match="ck_person_role_role"), writing(bank, SYSTEM) as session:
        session.execute(
            text("INSERT INTO person_role (person_id, role) VALUES (:person, 'king')"),
            {"person": staff.author.person()},
        )


def rename(session: Session, person: Person) -> None:
    session.add(person)
    person.name = "李那"
    record(session, SYSTEM, "person.renamed", ("person", person.code))


def test_an_update_from_a_stale_copy_is_refused(bank: Bank, staff: Staff) -> None:
    with writing(bank, SYSTEM) as session:
        stale = session.get(Person, staff.author.person())
        assert stale is not None
        revision = stale.revision
    with writing(bank, SYSTEM) as session:
        session.execute(text("UPDATE person SET name = '李娜娜', revision = revision + 1 WHERE code = 'li.na'"))
        record(session, SYSTEM, "person.renamed", ("person", "li.na"))
    with pytest.raises(ConflictError, match="somebody else changed this"), writing(bank, SYSTEM) as session:
        rename(session, stale)
    with reading(bank) as session:
        held = session.get(Person, staff.author.person())
        assert held is not None
        assert (held.name, held.revision) == ("李娜娜", revision + 1)


def test_now_is_aware() -> None:
    assert now().utcoffset() == timedelta(0)
