"""Bringing a database to the tables this tiku works with, and finding where it differs from them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, inspect, text

from authoring.database import connect, connect_existing, database_errors, database_url, revision, shown_name
from authoring.errors import BankError
from authoring.migrations import GUARDS, HEAD
from authoring.tables import metadata

VERSIONS = Path(__file__).parent / "versions"


def upgrade(database: str | Path) -> tuple[str | None, str]:
    """Create the bank or bring it to the newest tables, in one transaction: (revision before, revision after)."""
    url = database_url(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").absolute().parent.is_dir():
        raise BankError("no-folder", f"cannot make {shown_name(url)}: its folder does not exist")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        Path(url.database or "").touch(mode=0o600)  # items and keys are its owner's; SQLite's other files follow it
    bank = connect(database)
    try:
        with database_errors(bank), bank.writers.kw["bind"].begin() as connection:
            before = revision(connection)
            known = {script.revision for script in scripts().walk_revisions()}
            if before is not None and before not in known:
                raise BankError("newer-database", f"{shown_name(url)} is at {before}, which this tiku does not know")
            command.upgrade(_config(connection), "head")
            after = revision(connection)
    finally:
        bank.close()
    return before, after or ""


def differences(database: str | Path) -> tuple[str, ...]:
    """What keeps the database from being exactly what this tiku expects; empty if nothing does."""
    bank = connect_existing(database)
    try:
        with database_errors(bank), bank.readers.kw["bind"].connect() as connection:
            found = revision(connection)
            if found != HEAD:
                return (f"the database is at revision {found}, expected {HEAD}: run `tiku db upgrade`",)
            return (*_table_differences(connection), *_check_differences(connection), *_missing_guards(connection))
    finally:
        bank.close()


def draft_migration(message: str, folder: Path = VERSIONS) -> Path:
    """A new file in `versions/` (or `folder`) with what only the code has yet, to be read and mended.

    After it: raise `HEAD`, write the guards again if SQLite makes a guarded table anew, run the tests.
    """
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "head.db"
        upgrade(database)
        bank = connect(database)
        try:
            with bank.readers.kw["bind"].connect() as connection:
                config = _config(connection)
                config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
                config.set_main_option("path_separator", "os")
                config.set_main_option("version_locations", os.pathsep.join(sorted({str(VERSIONS), str(folder)})))
                number = f"{int(HEAD) + 1:04}"
                written = command.revision(config, message, autogenerate=True, rev_id=number, version_path=str(folder))
        finally:
            bank.close()
    if not isinstance(written, Script):
        raise BankError("migration", "alembic wrote no migration: is there another head?")
    return Path(written.path)


def scripts() -> ScriptDirectory:
    """The migrations as alembic sees them."""
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _table_differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [f"the tables differ from the code: {change}" for change in compare_metadata(context, metadata)]


def _check_differences(connection: Connection) -> list[str]:
    """CHECK constraints, which alembic does not compare: their names and the words in them (text enums live there)."""
    inspector = inspect(connection)
    messages = []
    for table in metadata.sorted_tables:
        checks = [constraint for constraint in table.constraints if isinstance(constraint, CheckConstraint)]
        wanted = {
            str(check.name): _words(check.sqltext.compile(compile_kwargs={"literal_binds": True})) for check in checks
        }
        held = {str(check["name"]): _words(check["sqltext"]) for check in inspector.get_check_constraints(table.name)}
        messages += [
            f"table {table.name}: the constraint {name} is not as in the code"
            for name in sorted(wanted.keys() | held.keys())
            if wanted.get(name) != held.get(name)
        ]
    return messages


def _words(condition: object) -> frozenset[str]:
    return frozenset(re.findall(r"'([^']*)'", str(condition)))


def _missing_guards(connection: Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if connection.dialect.name == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    held = set(connection.execute(text(query)).scalars())
    return [f"the trigger {name} is gone: history can be rewritten" for name in sorted(GUARDS - held)]
