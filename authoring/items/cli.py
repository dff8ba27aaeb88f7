"""`tiku bank`: bringing items into a bank, and what is known of them out of it."""

from __future__ import annotations

from pathlib import Path

import click

from authoring.options import database_option, json_option, opened, print_json


@click.group()
def bank() -> None:
    """Bring items into a bank, take what is known of them out of it.

    Example: tiku bank import items.csv --standard 4-04-05-05 --as li.na --database demo-out/bank.db
    """


@bank.command("import")
@click.argument("file", metavar="PATH", type=click.Path(exists=True, path_type=Path))
@click.option("--standard", "standard", required=True, metavar="ID|CODE", help="The standard's id or occupation code.")
@click.option(
    "--with",
    "beside",
    metavar="FILE.csv",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Table of 编号, 知识点, 难度 (分数, 一致性, 出处, 互斥) for items whose own file does not say it.",
)
@click.option("--as", "person", required=True, metavar="PERSON", help="Code of the author who answers for the items.")
@database_option
@json_option
def import_file(
    file: Path, standard: str, beside: Path | None, person: str, database: str | None, as_json: bool
) -> None:
    """Put the good items of PATH into the bank as drafts, and report the others. Exit 1 if an item was refused.

    PATH is whatever `tiku item check` takes: CSV, Excel, Word, Moodle, GIFT, Aiken, QTI files, packages, folders. Every
    item needs a point of the outline and a difficulty grade, in the file or in the table that --with names. The same
    file again adds nothing. Of items the bank has, only 互斥 is changed.

    Example: tiku bank import items.csv --standard 4-04-05-05 --as li.na --database demo-out/bank.db
    Example: tiku bank import package.zip --with points.csv --standard 4-04-05-05 --as li.na --database demo-out/bank.db
    """
    from dataclasses import replace

    from authoring.database import reading, writing
    from authoring.items.reading import read_import
    from authoring.items.rules import import_items
    from authoring.people.rules import find_actor
    from authoring.standards.rules import standard_named

    imported = read_import(file, beside)
    with opened(database) as opened_bank:
        with reading(opened_bank) as session:
            actor, standard_id = find_actor(session, person), standard_named(session, standard)
        with writing(opened_bank, actor) as session:
            report = import_items(session, actor, standard_id, imported.table)
    places = imported.places
    findings = [
        finding if finding.file else replace(finding, file=places.get(finding.item or "", str(file)))
        for finding in report.findings
    ]
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


@bank.command("anchors")
@click.option("--standard", required=True, metavar="ID|CODE", help="The standard's id or occupation code.")
@click.option("--calibration", "chosen", type=int, metavar="ID", help="[default: the standard's newest]")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Parameters as JSON.")
@database_option
@json_option
def write_anchors(standard: str, chosen: int | None, out: Path, database: str | None, as_json: bool) -> None:
    """Write the parameters that keep new sittings on the bank's scale, for `tiku calibrate --anchors`.

    They are those of one calibration, whole: every parameter with its standard errors and covariances. Left out are
    items that the calibration flagged, and items that were rewritten or withdrawn since.

    Example: tiku bank anchors --standard 4-04-05-05 --out bank.json --database demo-out/bank.db
    """
    from authoring.calibrations.pools import anchor_parameters, calibration_of
    from authoring.database import reading
    from authoring.standards.rules import standard_named
    from calibration import write_parameter_file

    with opened(database) as opened_bank, reading(opened_bank) as session:
        calibration = calibration_of(session, standard_named(session, standard), chosen)
        items, scale = anchor_parameters(session, calibration)
    write_parameter_file(out, items, scale, "json")
    if as_json:
        print_json({"calibration": calibration, "scale": scale.id, "anchors": [item.id for item in items]})
    else:
        click.echo(f"{out}: {len(items)} anchors of calibration {calibration}, on the scale {scale.id!r}")
