"""The command `tiku`: every verb of the four packages under one name, each loaded when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from authoring.errors import BankError
from authoring.options import database_option, json_option, print_json
from authoring.settings import DATABASE_VARIABLE, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

# verb → (module, attribute, what it does): `tiku --help` shows this and imports nothing
VERBS = {
    "demo": ("authoring.demo.cli", "demo", "The whole loop on the sample bank."),
    "item": ("item_formats.cli", "item", "Check, convert, score and render items."),
    "calibrate": ("calibration.cli", "calibrate", "Item parameters from responses."),
    "score": ("calibration.scoring.cli", "score", "Abilities and percentages from responses."),
    "classical": ("calibration.classical.cli", "classical", "Classical statistics, reliability, distractors."),
    "fit": ("calibration.fit.cli", "fit", "Fit of items, persons, pairs and model."),
    "dif": ("calibration.fit.cli", "dif", "Items that favour a group."),
    "link": ("calibration.linking.cli", "link", "Two calibrations on one scale."),
    "equate": ("calibration.linking.cli", "equate", "Marks of two forms made comparable."),
    "drift": ("calibration.linking.cli", "drift", "Items that changed between calibrations."),
    "compare": ("calibration.classical.cli", "compare", "A second opinion by girth."),
    "raters": ("calibration.classical.cli", "raters", "Agreement of raters, third scorers."),
    "security": ("calibration.security.cli", "security", "Items that became known, candidates who knew them."),
    "angoff": ("calibration.classical.cli", "angoff", "A cut score from judges' ratings."),
    "bookmark": ("calibration.classical.cli", "bookmark", "A cut score from an ordered booklet."),
    "params": ("authoring.calibrations.cli", "params", "Parameters from and to other programs' formats."),
    "assemble": ("engine.assembly.cli", "assemble", "Papers from a pool and a blueprint."),
    "diagnose": ("engine.diagnosis.cli", "diagnose", "Why a blueprint cannot be met, and the least change."),
    "capacity": ("engine.capacity.cli", "capacity", "How many more papers a bank gives, and what to write."),
    "release": ("engine.release.cli", "release", "Choose the share of a pool to publish."),
    "simulate": ("engine.cli", "simulate", "Simulate an adaptive test."),
    "serve": ("authoring.cli", "serve", "The bank's HTTP API."),
    "db": ("authoring.cli", "db", "Create, upgrade and check a bank's database."),
    "bank": ("authoring.items.cli", "bank", "Bring items into a bank; anchors out of it."),
    "user": ("authoring.people.cli", "user", "People, their roles and their access tokens."),
    "audit": ("authoring.audit.cli", "audit", "Verify and export the audit trail."),
}
INTERRUPTED = 130  # as a shell says of Ctrl-C
OURS = frozenset({"authoring", "engine", "calibration", "item_formats"})


class LazyGroup(click.Group):
    """A group that imports a verb when it is called, and turns our errors into one line on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module, attribute, _ = VERBS[cmd_name]
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(verb, summary) for verb, (_, _, summary) in VERBS.items()])

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  # as click has it
    ) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            raise _worded(error) from error.__cause__

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise _worded(error) from error.__cause__
        except (click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            sys.exit(INTERRUPTED)
        except Exception as error:
            if not _is_for_people(error):
                raise
            _fail(error)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tiku", prog_name="tiku")
def main() -> None:
    """An item bank (题库) with calibration, papers, adaptive tests and releases.

    Example: tiku demo --out demo-out
    """


@click.command()
@database_option
@click.option("--host", help="Address to listen on  [default: 127.0.0.1, this machine only]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: 8000]")
def serve(database: str | None, host: str | None, port: int | None) -> None:
    """Serve the bank's HTTP API until Ctrl-C.

    Example: tiku serve --database demo-out/bank.db --port 8000
    """
    import socket

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from authoring.database import open_bank, shown_name

    settings = read_settings(database=database, host=host, port=port)
    bank = open_bank(settings.database)  # say now, not in the worker, what is wrong with it
    named = shown_name(bank.url)
    bank.close()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BankError("address", f"cannot listen on {settings.host}:{settings.port}: {reason}") from None
    os.environ[DATABASE_VARIABLE] = settings.database  # what the worker process opens
    click.echo(f"tiku serves {named} on http://{settings.host}:{settings.port} (Ctrl-C ends it)")
    click.echo(f"  API page   http://{settings.host}:{settings.port}/schema  (any user name, a token as the password)")
    click.echo(f"  a token    tiku user token CODE --right items:read --right standards:read --database {named}")
    Granian(
        "authoring.app:served_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()


@click.group()
def db() -> None:
    """Create, upgrade and check a bank's database.

    Example: tiku db upgrade --database tiku.db
    """


@db.command("upgrade")
@database_option
@json_option
def db_upgrade(database: str | None, as_json: bool) -> None:
    """Create the bank, or bring it to the tables this version works with.

    Example: tiku db upgrade --database tiku.db
    """
    from authoring.database import database_url, shown_name
    from authoring.migrations.running import upgrade

    where = read_settings(database=database).database
    before, after = upgrade(where)
    named = shown_name(database_url(where))
    if as_json:
        print_json({"database": named, "before": before, "after": after})
    elif before is None:
        click.echo(f"{named}: created at {after}")
    else:
        click.echo(f"{named}: was at {before}, is at {after}")


@db.command("check")
@database_option
@json_option
def db_check(database: str | None, as_json: bool) -> None:
    """Check that the database is exactly what this version expects: revision, tables, constraints, triggers.

    Example: tiku db check --database tiku.db
    """
    from authoring.migrations.running import differences

    found = differences(read_settings(database=database).database)
    if as_json:
        print_json({"ok": not found, "differences": list(found)})
    else:
        _echo_lines(found or ["the database is as this version expects"])
    if found:
        raise click.exceptions.Exit(1)


def _echo_lines(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)


def _is_for_people(error: Exception) -> bool:
    """Whether an error says what a person did wrong: a file's, or one that our packages define for that."""
    return isinstance(error, OSError) or any(kind.__module__.split(".")[0] in OURS for kind in type(error).__mro__)


def _worded(error: click.ClickException) -> click.ClickException:
    """The error in the words every verb has: ``tiku: `` before what was wrong, whichever package says it."""
    usual = {click.ClickException.show, click.UsageError.show}
    if type(error).show not in usual:  # findings, and the help of a group without a verb
        return error

    def show(file: IO[Any] | None = None) -> None:
        context = error.ctx if isinstance(error, click.UsageError) else None
        if context is not None:
            click.echo(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n", file=file, err=True)
        click.echo(f"tiku: {error.format_message()}", file=file, err=True)

    error.show = show  # type: ignore[method-assign]
    return error


def _fail(error: Exception) -> NoReturn:
    message = str(error)
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    click.echo(f"tiku: {' '.join(message.split())}", err=True)
    raise click.exceptions.Exit(1) from error
