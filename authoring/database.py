"""The bank's database: opening it, and the two ways of using it, `reading` and `writing`.

One style everywhere: synchronous sessions. On SQLite a writing transaction starts with BEGIN IMMEDIATE (anything
else lost updates under four processes) and a reading one with plain BEGIN, a snapshot in WAL mode; the driver's own
transaction handling is off. On PostgreSQL readers are REPEATABLE READ, READ ONLY.
"""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from authoring.errors import BankError, ConflictError
from authoring.migrations import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection, ExecutionContext
    from sqlalchemy.pool import ConnectionPoolEntry

    from authoring.people.actors import Actor

BUSY_SECONDS = 10.0  # how long a writer waits for another process's transaction
JOURNAL_BYTES = 64 * 1024 * 1024  # a checkpoint truncates the write-ahead log to at most this
ACCESS = "tiku_access"  # execution option: "read" or "write"
CHANGES = "tiku_changes"  # connection info: statements that changed rows in this transaction
ACTOR = "tiku_actor"  # session info: who acts in this transaction
EVENTS = "tiku_events"  # session info: audit events recorded in this transaction


@dataclass(frozen=True, slots=True)
class Bank:
    """An open bank. Its engine's pool is shared by readers and writers; `close` gives the connections back."""

    url: URL
    engine: Engine
    readers: sessionmaker[Session]
    writers: sessionmaker[Session]
    turn: threading.Lock | None  # SQLite has one writer: threads of this process queue here, not in busy-waits

    def close(self) -> None:
        self.engine.dispose()


def database_url(database: str | Path) -> URL:
    """The URL of a bank given as a file name or a URL; PostgreSQL always goes through psycopg 3."""
    name = str(database)
    if "://" not in name:
        return URL.create("sqlite", database=name)
    try:
        url = make_url(name)
    except ArgumentError:
        raise BankError("database", "the database URL cannot be read: expected a file or postgresql://…") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise BankError(
            "database",
            f"cannot keep a bank in {url.render_as_string(hide_password=True)!r}: expected a file or postgresql://…",
        )
    return url


def connect(database: str | Path) -> Bank:
    """The bank without asking whether its tables are there and current (`open_bank` asks)."""
    url = database_url(database)
    # hide_parameters: an error message or a log line must never carry an item or a key
    options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": url.get_backend_name() != "sqlite"}
    if url.get_backend_name() == "sqlite":
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise BankError("database", f"{error.name} is missing: pip install 'tiku[postgresql]'") from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        read, write = {}, {}
    else:
        read = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        write = {"isolation_level": "READ COMMITTED"}
    event.listen(engine, "begin", _forget_changes)
    event.listen(engine, "before_cursor_execute", _notice_changes)
    return Bank(
        url=url,
        engine=engine,
        readers=sessionmaker(engine.execution_options(**{ACCESS: "read"}, **read), autoflush=False),
        writers=sessionmaker(engine.execution_options(**{ACCESS: "write"}, **write), expire_on_commit=False),
        turn=threading.Lock() if url.get_backend_name() == "sqlite" else None,
    )


def connect_existing(database: str | Path) -> Bank:
    """Like `connect`, but a file that is not there is an error and stays absent."""
    url = database_url(database)
    shown = shown_name(url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise BankError("no-bank", f"there is no bank at {shown}: make one with `tiku db upgrade --database {shown}`")
    return connect(database)


def open_bank(database: str | Path) -> Bank:
    """The bank at a file name or URL. Raises `BankError` with the command to run if its tables are not current."""
    bank = connect_existing(database)
    shown = shown_name(bank.url)
    try:
        with reading(bank) as session:
            found = revision(session.connection())
    except BaseException:
        bank.close()
        raise
    if found != HEAD:
        bank.close()
        has = f"is at revision {found}" if found else "holds no tiku tables"
        raise BankError(
            "not-at-head",
            f"the database {shown} {has}, this tiku works with {HEAD}: run `tiku db upgrade --database {shown}`",
        )
    return bank


def shown_name(url: URL) -> str:
    """The database as a person may read it: the file, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def revision(connection: Connection) -> str | None:
    """The migration the database is at, None if it has never been one of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def reading(bank: Bank) -> Iterator[Session]:
    """A session that sees one moment of the bank and can change nothing."""
    with bank.readers() as session, database_errors(bank):
        yield session


@contextmanager
def writing(bank: Bank, actor: Actor) -> Iterator[Session]:
    """One transaction by one actor: committed whole at the end, or not at all.

    Raises
    ------
    BankError
        `unaudited-change` if rows changed and no audit event was recorded with them.
    ConflictError
        `changed-meanwhile` if a row was changed by somebody else since it was read.
    """
    with _turn(bank), bank.writers() as session, database_errors(bank):
        session.info[ACTOR] = actor
        session.info[EVENTS] = 0
        yield session
        session.flush()
        if session.in_transaction() and session.connection().info.get(CHANGES) and not session.info[EVENTS]:
            raise BankError("unaudited-change", "rows changed without an audit event: call audit.record in the rule")
        session.commit()


@contextmanager
def _turn(bank: Bank) -> Iterator[None]:
    if bank.turn is None:
        yield
        return
    if not bank.turn.acquire(timeout=BUSY_SECONDS):
        raise BankError("database-busy", "another thread kept the bank locked (or `writing` was nested): try again")
    try:
        yield
    finally:
        bank.turn.release()


@contextmanager
def database_errors(bank: Bank) -> Iterator[None]:
    """Errors of the database that a person can act on, in their words (never the driver's, which quote values)."""
    try:
        yield
    except StaleDataError:
        raise ConflictError(
            "changed-meanwhile", "somebody else changed this since you read it: read it again, then repeat the change"
        ) from None
    except IntegrityError as error:
        named = re.search(r'constraint (?:failed: )?"?([\w., ]+)', str(error.orig))
        raise ConflictError(
            "constraint", f"the database refuses this: it breaks {named[1] if named else 'a constraint'}"
        ) from None
    except DatabaseError as error:
        reason = str(error.orig).splitlines()[0]
        if "locked" in reason or "busy" in reason:
            raise BankError("database-busy", f"another program kept {shown_name(bank.url)} locked: try again") from None
        raise BankError("database", f"the database {shown_name(bank.url)} cannot be used: {reason}") from None


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_size_limit={JOURNAL_BYTES}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get(ACCESS) == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _forget_changes(connection: Connection) -> None:
    connection.info[CHANGES] = 0


def _notice_changes(
    connection: Connection,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _executemany: bool,  # noqa: FBT001  # the signature of SQLAlchemy's event
) -> None:
    if not isinstance(context, DefaultExecutionContext) or not (
        context.isinsert or context.isupdate or context.isdelete
    ):
        return
    if connection.get_execution_options().get(ACCESS) == "read":
        raise BankError("read-only", "this session only reads: change the bank inside `with writing(bank, actor)`")
    connection.info[CHANGES] = connection.info.get(CHANGES, 0) + 1
