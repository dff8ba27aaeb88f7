"""`tiku audit`: prove that the audit trail is whole, and take a copy out of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from authoring.options import database_option, json_option, opened, print_json

if TYPE_CHECKING:
    from authoring.audit.chain import ChainReport


@click.group()
def audit() -> None:
    """Verify and export the audit trail.

    Example: tiku audit verify --database demo-out/bank.db
    """


@audit.command("verify")
@database_option
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier export: the bank must still hold every event of it.",
)
@json_option
def verify(database: str | None, against: Path | None, as_json: bool) -> None:
    """Check the bank's hash chain: nothing changed, removed, reordered or left out.

    Example: tiku audit verify --database demo-out/bank.db --against audit.jsonl
    """
    from authoring.audit import chain
    from authoring.audit.export import read_export
    from authoring.database import reading

    exported = read_export(against) if against else []
    with opened(database, link=False) as bank, reading(bank) as session:
        report = chain.verify(session, against=exported)
    _show(report, as_json=as_json)


@audit.command("verify-file")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def verify_file(file: Path, as_json: bool) -> None:
    """Check an exported audit.jsonl by itself, without the bank.

    Example: tiku audit verify-file audit.jsonl
    """
    from authoring.audit.chain import check_chain
    from authoring.audit.export import read_export

    _show(check_chain(read_export(file)), as_json=as_json)


@audit.command("export")
@database_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("audit.jsonl"), show_default=True)
def export_file(database: str | None, out: Path) -> None:
    """Write every linked event, one JSON document a line, in the order of the chain.

    Example: tiku audit export --database demo-out/bank.db --out audit.jsonl
    """
    from authoring.audit.chain import link_waiting
    from authoring.audit.export import export
    from authoring.database import reading

    with opened(database) as bank:
        link_waiting(bank)
        with reading(bank) as session:
            count = export(session, out)
    click.echo(f"{out}: {count} events")


def _show(report: ChainReport, *, as_json: bool) -> None:
    if as_json:
        faults = [
            {"kind": fault.kind, "seq": fault.seq, "event": fault.event_id, "message": fault.message}
            for fault in report.faults
        ]
        print_json(
            {"ok": report.ok, "linked": report.linked, "head": report.head, "waiting": report.waiting, "faults": faults}
        )
    else:
        waiting = f", {report.waiting} waiting to be linked" if report.waiting else ""
        click.echo(f"{report.linked} events linked, head {report.head}{waiting}")
        for fault in report.faults:
            click.echo(f"{fault.kind}: {fault.message}")
        click.echo("the chain is whole" if report.ok else "the chain is BROKEN")
    if not report.ok:
        raise click.exceptions.Exit(1)
