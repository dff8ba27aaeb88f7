"""`tiku item`: check, score, render and convert items."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from item_formats.findings import Finding
    from item_formats.model import Item

as_json = click.option("--json", "json_output", is_flag=True, help="Print one JSON document on stdout.")
existing = click.Path(exists=True, path_type=Path)


class Refused(click.ClickException):
    """The input is wrong: one line a finding on stderr, exit 1."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


@click.group()
def item() -> None:
    """Check, score, render and convert items (QTI 3, CSV)."""


@item.command(epilog="Example: tiku item check items/ examples/ai_trainer_l3/items.csv")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=existing)
@as_json
def check(paths: tuple[Path, ...], json_output: bool) -> None:
    """Findings on items: QTI 3 files, folders of them, CSV tables. Exit 1 if there is an error."""
    from item_formats.findings import errors_among

    with _refusing():
        items, findings = _checked(paths)
    errors = len(errors_among(findings))
    if json_output:
        counts = {"items": items, "errors": errors, "warnings": len(findings) - errors}
        _print_json({**counts, "findings": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{items} items, {errors} errors, {len(findings) - errors} warnings")
    if errors:
        raise SystemExit(1)


@item.command(epilog="Example: tiku item score items/Q0001.xml --response RESPONSE=B")
@click.argument("path", metavar="ITEM", type=existing)
@click.option("--response", "responses", multiple=True, metavar="ID=VALUE", help="A response; repeat it for more.")
@as_json
def score(path: Path, responses: tuple[str, ...], json_output: bool) -> None:
    """Outcomes of one attempt. VALUE is an option, or the letters of several (ABD); nothing after = is no answer."""
    from item_formats.model import read_item
    from item_formats.processing import score as score_item

    with _refusing():
        scored = read_item(path)
        outcomes = score_item(scored, _responses(scored, responses))
    if json_output:
        _print_json({"item": scored.identifier, "outcomes": outcomes})
    else:
        for name, value in outcomes.items():
            click.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}")


@item.command(epilog="Example: tiku item render items/Q0001.xml items/Q0002.xml --out preview.html")
@click.argument("paths", metavar="ITEM...", nargs=-1, required=True, type=existing)
@click.option("--out", "destination", required=True, type=click.Path(dir_okay=False, path_type=Path), help="HTML file.")
@click.option("--key", "answer_key", is_flag=True, help="Mark the key and add the rationale (解析).")
@as_json
def render(paths: tuple[Path, ...], destination: Path, answer_key: bool, json_output: bool) -> None:
    """One HTML page with the items (QTI 3 files, folders, CSV tables), as a candidate sees them."""
    from item_formats.rendering import render_items
    from item_formats.writing import write_whole

    with _refusing():
        items = _items(paths)
        write_whole(destination, render_items(items, answer_key=answer_key).encode())
    _done(json_output, {"items": len(items), "out": str(destination)})


@item.command(epilog="Example: tiku item convert items.csv items.zip")
@click.argument("source", metavar="SRC.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("destination", metavar="DST", type=click.Path(path_type=Path))
@click.option("--skip-bad", is_flag=True, help="Convert the good rows and report the others, instead of refusing.")
@as_json
def convert(source: Path, destination: Path, skip_bad: bool, json_output: bool) -> None:
    """A CSV table to QTI 3: DST is a new folder of items, or a content package when its name ends in .zip."""
    from item_formats.findings import errors_among
    from item_formats.foreign import read_items_csv
    from item_formats.packages import write_package

    with _refusing():
        table = read_items_csv(source)
        if errors_among(table.findings) and not (skip_bad and table.rows):
            raise Refused(table.findings)
        items = [row.item for row in table.rows]
        if destination.suffix.lower() == ".zip":
            # The package dates from its source, so that converting again gives the same bytes.
            modified = datetime.fromtimestamp(source.stat().st_mtime, tz=UTC)
            write_package(
                destination, identifier=_identifier(source), title=source.stem, items=items, modified=modified
            )
        else:
            _write_folder(destination, items)
    if not json_output:
        for finding in table.findings:
            click.echo(str(finding), err=True)
    findings = [finding.as_json() for finding in table.findings]
    _done(json_output, {"items": len(items), "out": str(destination), "findings": findings})


@contextmanager
def _refusing() -> Iterator[None]:
    from item_formats.findings import ItemError

    try:
        yield
    except ItemError as error:
        raise Refused(error.findings) from None
    except OSError as error:
        message = f"{error.filename or 'file'}: {error.strerror or error}"
        raise click.ClickException(message) from None


def _print_json(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _done(json_output: bool, document: dict[str, Any]) -> None:
    if json_output:
        _print_json(document)
    else:
        click.echo(f"{document['items']} items written to {document['out']}")


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """The item files and tables that paths name or folders hold, and whether the file itself was named."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for found in sorted(path.rglob("*")):
            if found.suffix.lower() in {".xml", ".csv"} and found.name != "imsmanifest.xml":
                yield found, False


def _checked(paths: Sequence[Path]) -> tuple[int, list[Finding]]:
    """How many items could be read, and what was found."""
    from item_formats.checking import check as check_item
    from item_formats.findings import Finding, ItemError
    from item_formats.foreign import read_items_csv
    from item_formats.model import read_item

    count = 0
    findings: list[Finding] = []
    for file, named in _files(paths):
        if file.suffix.lower() == ".csv":
            table = read_items_csv(file)
            count += len(table.rows)
            findings += table.findings
            continue
        try:
            findings += check_item(read_item(file), file=str(file))
            count += 1
        except ItemError as error:  # a folder may hold tests and other documents beside the items
            beside = not named and all(finding.code == "not-an-item" for finding in error.findings)
            findings += (
                [replace(finding, severity="warning") for finding in error.findings] if beside else error.findings
            )
    if not count and not findings:
        message = "no item was found: name QTI files (.xml), CSV tables, or folders that hold them"
        findings.append(Finding("error", "nothing-to-check", message, file=", ".join(map(str, paths))))
    return count, findings


def _items(paths: Sequence[Path]) -> list[Item]:
    from item_formats.findings import Finding, ItemError, errors_among
    from item_formats.foreign import read_items_csv
    from item_formats.model import read_item

    items: list[Item] = []
    for file, _ in _files(paths):
        if file.suffix.lower() == ".csv":
            table = read_items_csv(file)
            if errors_among(table.findings):
                raise ItemError(*table.findings)
            items += [row.item for row in table.rows]
        else:
            items.append(read_item(file))
    if not items:
        message = "no item was found: name QTI files (.xml), CSV tables, or folders that hold them"
        raise ItemError(Finding("error", "nothing-to-render", message, file=", ".join(map(str, paths))))
    return items


def _responses(item: Item, given: Sequence[str]) -> dict[str, list[str]]:
    """Responses by identifier, from ID=VALUE; letters of several options become their identifiers."""
    from item_formats.choice import parse_response_code

    responses: dict[str, list[str]] = {}
    for entry in given:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            message = f"“{entry}” is not ID=VALUE, such as RESPONSE=B"
            raise click.BadParameter(message, param_hint="--response")
        values = responses.setdefault(name, [])
        is_option = any(option.identifier == value for option in item.options)
        if value and item.item_type is not None and not is_option:
            values += parse_response_code(item, value)
        elif value:
            values.append(value)
    return responses


def _identifier(source: Path) -> str:
    """The package's identifier: the file's name where it can be one."""
    from item_formats.choice import IDENTIFIER

    return source.stem if IDENTIFIER.fullmatch(source.stem) else "items"


def _write_folder(destination: Path, items: Sequence[Item]) -> None:
    from item_formats.findings import Finding, ItemError

    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        message = "the destination exists and is not an empty folder: name a new one, or a .zip"
        raise ItemError(Finding("error", "destination-exists", message, file=str(destination)))
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as staged:
        folder = Path(staged) / "items"
        folder.mkdir()
        for one in items:
            (folder / f"{one.identifier}.xml").write_bytes(one.xml)
        folder.replace(destination)
