"""A fresh bank for every test: a SQLite file, or a PostgreSQL database where TIKU_TEST_DATABASE_URL names a server."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text

from authoring.database import Bank, open_bank, writing
from authoring.migrations.running import upgrade
from authoring.people.actors import SYSTEM, Actor, Role
from authoring.people.rules import add_person
from authoring.standards.rules import load_outline
from tests.authoring.sample import outline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = os.environ.get("TIKU_TEST_DATABASE_URL")


@dataclass(frozen=True, slots=True)
class Staff:
    """Three people, as the review needs them."""

    author: Actor
    reviewer: Actor
    approver: Actor


@pytest.fixture(scope="session")
def empty_bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bank with its tables and nothing in them, to be copied."""
    if SERVER is None:
        file = tmp_path_factory.mktemp("template") / "bank.db"
        upgrade(file)
        yield str(file)
        return
    name = f"tiku_template_{uuid.uuid4().hex}"
    on_server(f"CREATE DATABASE {name}")
    upgrade(server_database(name))
    yield name
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(empty_bank: str, tmp_path: Path) -> Iterator[str]:
    """Where a bank with its tables and nothing in them is: a file name or a URL."""
    if SERVER is None:
        yield str(shutil.copy(empty_bank, tmp_path / "bank.db"))
        return
    name = f"tiku_test_{uuid.uuid4().hex}"
    on_server(f"CREATE DATABASE {name} TEMPLATE {empty_bank}")
    yield server_database(name)
    on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def bank(database: str) -> Iterator[Bank]:
    opened = open_bank(database)
    yield opened
    opened.close()


@pytest.fixture
def staff(bank: Bank) -> Staff:
    with writing(bank, SYSTEM) as session:
        return Staff(
            author=add_person(session, SYSTEM, "li.na", "李娜", [Role.AUTHOR]),
            reviewer=add_person(session, SYSTEM, "wang.wei", "王伟", [Role.REVIEWER]),
            approver=add_person(session, SYSTEM, "zhao.min", "赵敏", [Role.APPROVER]),
        )


@pytest.fixture
def analyst(bank: Bank) -> Actor:
    with writing(bank, SYSTEM) as session:
        return add_person(session, SYSTEM, "chen.jing", "陈静", [Role.PSYCHOMETRICIAN])


@pytest.fixture
def standard_id(bank: Bank, staff: Staff) -> int:
    with writing(bank, staff.author) as session:
        standard = load_outline(session, staff.author, outline())
        assert standard.id is not None
        return standard.id


def server_database(name: str) -> str:
    return make_url(str(SERVER)).set(database=name).render_as_string(hide_password=False)


def on_server(statement: str) -> None:
    engine = create_engine(make_url(str(SERVER)).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
