"""`tiku item`: check, convert, score and render items, tests and packages."""

from __future__ import annotations

import json
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from item_formats.documents import Document
    from item_formats.findings import Finding
    from item_formats.model import Item

as_json = click.option("--json", "json_output", is_flag=True, help="Print one JSON document on stdout.")
existing = click.Path(exists=True, path_type=Path)
FORMATS = ("qti3", "qti22", "qti21", "csv", "xlsx", "docx", "moodle", "gift", "aiken")


class Refused(click.ClickException):
    """The input is wrong: one line a finding on stderr, exit 1."""

    exit_code = 1

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


@click.group(epilog="Example: tiku item check items/ bank.zip examples/ai_trainer_l3/items.csv")
def item() -> None:
    """Check, convert, score and render items (QTI 2.0 to 3.0, packages, CSV, Excel, Word, Moodle, GIFT, Aiken)."""


@item.command(epilog="Example: tiku item check items/ bank.zip examples/ai_trainer_l3/items.csv")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=existing)
@click.option(
    "--schema",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the XSDs of QTI 3.0: validate against them too.",
)
@as_json
def check(paths: tuple[Path, ...], schema: Path | None, json_output: bool) -> None:
    """Findings on items, tests and stimuli: QTI files, folders, packages, tables. Exit 1 if there is an error."""
    from item_formats.checking.collections import check_paths
    from item_formats.findings import errors_among

    with _refusing():
        report = check_paths(paths, schema_dir=schema)
    findings = report.findings
    errors = len(errors_among(findings))
    if json_output:
        counts = {"items": report.items, "documents": report.documents}
        told = [finding.as_json() for finding in findings]
        _print_json({**counts, "errors": errors, "warnings": len(findings) - errors, "findings": told})
    else:
        for finding in findings:
            click.echo(str(finding))
        others = f" and {report.documents - report.items} other documents" if report.documents > report.items else ""
        click.echo(f"{report.items} items{others}, {errors} errors, {len(findings) - errors} warnings")
    if errors:
        raise SystemExit(1)


@item.command(epilog="Example: tiku item score items/Q0001.xml --response RESPONSE=B")
@click.argument("path", metavar="[ITEM]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--response", "responses", multiple=True, metavar="ID=VALUE", help="A response; repeat it for more.")
@click.option("--seed", type=int, help="Seed of a cloned item (template processing).")
@click.option(
    "--cases",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help='File of lines {"id", "item", "responses", "seed"?}; prints lines {"id", "outcomes"}. "-" reads stdin.',
)
@as_json
def score(
    path: Path | None, responses: tuple[str, ...], seed: int | None, cases: Path | None, json_output: bool
) -> None:
    """Outcomes of one attempt. VALUE is an option, or the letters of several (ABD); nothing after = is no answer."""
    if (path is None) == (cases is None):
        raise click.UsageError("give an ITEM with --response, or --cases FILE.jsonl")
    if cases is not None:
        _score_cases(cases, json_output=json_output)
    elif path is not None:
        _score_item(path, responses, seed, json_output=json_output)


@item.command(epilog="Example: tiku item render paper.zip --key --out paper.html")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=existing)
@click.option("--out", "destination", required=True, type=click.Path(dir_okay=False, path_type=Path), help="HTML file.")
@click.option("--key", "answer_key", is_flag=True, help="Mark the key and add the rationale (解析).")
@click.option("--print", "printed", is_flag=True, help="For paper: lines to write on instead of fields.")
@click.option("--seed", type=int, help="Shuffle the options that may be shuffled, and clone from this seed.")
@as_json
def render(
    paths: tuple[Path, ...], destination: Path, answer_key: bool, printed: bool, seed: int | None, json_output: bool
) -> None:
    """One HTML page with the items, tests and stimuli of files, folders, packages or tables, as a candidate sees them.

    A test shows its sections, instructions and items, each item the stimuli it refers to; what stands in a test is not
    shown again beside it.
    """
    from item_formats.findings import Finding, ItemError, errors_among
    from item_formats.model import Item
    from item_formats.rendering import clone_findings
    from item_formats.rendering import render as render_page
    from item_formats.sources import read_content
    from item_formats.surroundings import leading, with_referred
    from item_formats.writing import write_whole

    with _refusing():
        content = with_referred(read_content(paths))
        if errors_among(content.findings):
            raise ItemError(*content.findings)
        if not content.placed:
            message = "nothing to show was found: name QTI files, packages, tables, or folders that hold them"
            raise ItemError(Finding("error", "nothing-to-render", message, file=", ".join(map(str, paths))))
        page = render_page(
            leading(content),
            documents=content.placed,
            answer_key=answer_key,
            printed=printed,
            seed=seed,
            media=content.files,
        )
        write_whole(destination, page.encode())
    counts = _counted(content.placed.values())
    items = [one for one in content.placed.values() if isinstance(one, Item)]
    findings = [found for one in items for found in clone_findings(one, seed)]
    if json_output:
        _print_json({**counts, "out": str(destination), "findings": [finding.as_json() for finding in findings]})
    else:
        for finding in findings:
            click.echo(str(finding), err=True)
        told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        click.echo(f"{told} written to {destination}")


@item.command(epilog="Example: tiku item convert items.csv items.zip")
@click.argument("source", metavar="SRC", type=existing)
@click.argument("destination", metavar="DST", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(FORMATS), help="Format of DST; without it the name of DST tells.")
@click.option("--skip-bad", is_flag=True, help="Convert what is good and report the rest, instead of refusing.")
@as_json
def convert(source: Path, destination: Path, to: str | None, skip_bad: bool, json_output: bool) -> None:
    """Items, tests and packages from any format to another: SRC is a file or a folder.

    QTI goes into a package when DST ends in .zip, one document when it ends in .xml, else into a new folder.
    """
    from item_formats.destinations import dated, format_for, write_content
    from item_formats.findings import Finding, ItemError, errors_among
    from item_formats.sources import read_content

    with _refusing():
        content = read_content([source])
        held = len(content.rows) + len(content.tests) + len(content.sections) + len(content.stimuli)
        if errors_among(content.findings) and not (skip_bad and held):
            raise ItemError(*content.findings)
        if not held:
            message = "nothing to convert was found: name a QTI file, a package, a table, or a folder that holds them"
            raise ItemError(Finding("error", "nothing-to-convert", message, file=str(source)), *content.findings)
        format_ = to or format_for(destination)
        # What is written dates from its source, so that converting again gives the same bytes.
        written = write_content(content, destination, format_, name=source.stem, modified=dated([source]))
    findings = [*content.findings, *written.findings]
    if not json_output:
        for finding in findings:
            click.echo(str(finding), err=True)
    told = [finding.as_json() for finding in findings]
    _done(json_output, {"items": written.items, "out": str(destination), "findings": told})


@contextmanager
def _refusing() -> Iterator[None]:
    from item_formats.findings import ItemError
    from item_formats.foreign import MissingExtraError

    try:
        yield
    except ItemError as error:
        raise Refused(error.findings) from None
    except MissingExtraError as error:
        raise click.ClickException(str(error)) from None
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


def _score_item(path: Path, responses: Sequence[str], seed: int | None, *, json_output: bool) -> None:
    from item_formats.model import read_item
    from item_formats.processing import score as score_item

    with _refusing():
        scored = read_item(path)
        outcomes = score_item(scored, _responses(scored, responses), seed=seed)
    if json_output:
        _print_json({"item": scored.identifier, "outcomes": outcomes})
    else:
        for name, value in outcomes.items():
            click.echo(f"{name} = {json.dumps(value, ensure_ascii=False)}")


def _score_cases(cases: Path, *, json_output: bool) -> None:
    from item_formats.scoring_cases import score_cases

    with _refusing():
        is_stdin = str(cases) == "-"
        content = sys.stdin.buffer.read() if is_stdin else cases.read_bytes()
        scored = score_cases(
            content, file="stdin" if is_stdin else str(cases), folder=None if is_stdin else cases.parent
        )
        lines: list[dict[str, Any]] = []
        for one in scored:
            lines.append(one.as_json())
            for finding in one.findings:
                click.echo(str(finding), err=True)
            if not json_output:
                click.echo(json.dumps(lines[-1], ensure_ascii=False))
    if json_output:
        _print_json({"cases": lines})
    if any("findings" in line for line in lines):
        raise SystemExit(1)


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


def _counted(documents: Iterable[Document]) -> dict[str, int]:
    """How many documents there are of each kind."""
    kinds = Counter(type(one).__name__ for one in documents)
    names = {"Item": "items", "Test": "tests", "Section": "sections", "Stimulus": "stimuli"}
    return {name: kinds[kind] for kind, name in names.items()}
