"""`tiku bank`: bringing items into a bank."""

from __future__ import annotations

from pathlib import Path

import click

from authoring.options import database_option, json_option, opened, print_json


@click.group()
def bank() -> None:
    """Bring items into a bank."""


@bank.command("import")
@click.argument("file", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--standard", "standard", required=True, metavar="ID|CODE", help="The standard's id or occupation code.")
@click.option("--as", "person", required=True, metavar="PERSON", help="Code of the author who answers for the items.")
@database_option
@json_option
def import_file(file: Path, standard: str, person: str, database: str | None, as_json: bool) -> None:
    """Put the good rows of a table into the bank as drafts, and report the others. Exit 1 if a row was refused.

    The same file again adds nothing. Of items the bank has, only 互斥 is changed.

    Example: tiku bank import items.csv --standard 4-04-05-05 --as li.na --database demo-out/bank.db
    """
    from dataclasses import replace

    from authoring.database import reading, writing
    from authoring.items.rules import import_items
    from authoring.people.rules import find_actor
    from authoring.standards.rules import standard_named
    from item_formats import read_items_csv

    table = read_items_csv(file)
    with opened(database) as opened_bank:
        with reading(opened_bank) as session:
            actor, standard_id = find_actor(session, person), standard_named(session, standard)
        with writing(opened_bank, actor) as session:
            report = import_items(session, actor, standard_id, table)
    findings = [replace(finding, file=str(file)) for finding in report.findings]
    errors = len(report.errors)
    if as_json:
        print_json(
            {
                "standard": standard_id,
                "created": report.created,
                "unchanged": report.unchanged,
                "enemies_changed": report.enemies_changed,
                "errors": errors,
                "warnings": len(findings) - errors,
                "findings": [finding.as_json() for finding in findings],
            }
        )
    else:
        for finding in findings:
            click.echo(str(finding))
        changed = f", {len(report.enemies_changed)} with other 互斥" if report.enemies_changed else ""
        click.echo(
            f"{len(report.created)} created, {len(report.unchanged)} unchanged{changed}, "
            f"{errors} errors, {len(findings) - errors} warnings"
        )
    if errors:
        raise click.exceptions.Exit(1)
