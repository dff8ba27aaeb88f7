"""Command-line options that several verbs of the bank share."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from authoring.settings import DATABASE_VARIABLE, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authoring.database import Bank

Command = Any  # what click's decorators pass on


def database_option(command: Command) -> Command:
    """`--database FILE|URL`, None when it is not given."""
    usual = f"SQLite file or postgresql:// URL  [default: ${DATABASE_VARIABLE}, else {Settings().database}]"
    decorate: Callable[[Command], Command] = click.option("--database", metavar="FILE|URL", help=usual)
    return decorate(command)


def json_option(command: Command) -> Command:
    """`--json`: one JSON document on stdout and nothing else there."""
    decorate: Callable[[Command], Command] = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document."
    )
    return decorate(command)


def print_json(document: Any) -> None:  # noqa: ANN401  # whatever JSON can hold
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@contextmanager
def opened(database: str | None, *, link: bool = True) -> Iterator[Bank]:
    """The bank a command works on. What the command recorded is linked into the audit chain at its end."""
    from authoring.audit.chain import link_waiting  # noqa: PLC0415  # `tiku --help` needs no database
    from authoring.database import open_bank  # noqa: PLC0415

    bank = open_bank(read_settings(database=database).database)
    try:
        yield bank
        if link:
            link_waiting(bank)
    finally:
        bank.close()
