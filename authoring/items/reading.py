"""Items from files of every format, as the bank can keep them: whole documents that need nothing beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from item_formats import (
    Finding,
    ItemError,
    ItemTable,
    check,
    errors_among,
    read_content,
    read_placings,
    self_contained,
)

if TYPE_CHECKING:
    from pathlib import Path

    from item_formats import Content, ItemRow, Placing


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """The good items of a file or folder, and findings on all of them; `places` says where each item was read."""

    table: ItemTable
    places: dict[str, str]


def read_import(path: Path, beside: Path | None = None) -> ImportedFile:
    """Everything at `path` that is an item, with point and grade from the table `beside` where that names them.

    The bank keeps items alone: pictures, sounds and films are embedded, stimuli copied into the items that refer to
    them. An item that is no good, by `check` or because something it shows is not there, is left out and reported;
    tests and sections are reported too, since papers are assembled in the bank.

    Raises
    ------
    OSError
        A file that cannot be read.
    """
    content = read_content([path])
    findings = list(content.findings)
    placings: dict[str, Placing] = {}
    if beside is not None:
        placings, faults = read_placings(beside)
        findings += faults
    places: dict[str, str] = {}
    for place, document in content.placed.items():
        places.setdefault(document.digest, place)
    rows: list[ItemRow] = []
    for row in content.rows:
        placed = placings[row.identifier].of(row) if row.identifier in placings else row
        try:
            kept, told = _kept(placed, places[row.item.digest], content)
        except ItemError as error:
            findings += _located(error.findings, path, places[row.item.digest], row)
            continue
        findings += _located(told, path, places[row.item.digest], row)
        rows.append(kept)
    unused = sorted(placings.keys() - {row.identifier for row in content.rows})
    if unused:
        message = f"{len(unused)} rows name no item of {path}, the first is {unused[0]}: check the codes"
        findings.append(Finding("warning", "unused-row", message, file=str(beside)))
    left = len(content.tests) + len(content.sections)
    if left:
        message = f"{left} tests and sections are left out: the bank takes items, and assembles papers itself"
        findings.append(Finding("warning", "left-out", message, file=str(path)))
    if not content.rows and not findings:
        message = "no item was found: name a QTI file, a package, a table, or a folder that holds them"
        findings.append(Finding("error", "nothing-to-import", message, file=str(path)))
    named = {row.identifier: _shown(path, places[row.item.digest]) for row in content.rows}
    return ImportedFile(ItemTable(tuple(rows), tuple(findings)), named)


def _kept(row: ItemRow, place: str, content: Content) -> tuple[ItemRow, tuple[Finding, ...]]:
    """The row as the bank keeps it, and what had to change."""
    item, findings = self_contained(row.item, place, content.placed, content.files)
    faults = errors_among(check(item))
    if faults:
        raise ItemError(*faults)
    return replace(row, item=item), findings


def _located(findings: tuple[Finding, ...], path: Path, place: str, row: ItemRow) -> list[Finding]:
    """Findings with the file, and of tables the row."""
    told = [replace(one, file=_shown(path, place), item=one.item or row.identifier) for one in findings]
    return [replace(one, line=row.row, column=None) for one in told] if row.row else told


def _shown(path: Path, place: str) -> str:
    """A place as people know it: the file they named, or the one inside it."""
    _, inside, rest = f"/{place}".partition(f"/{path.name}/")
    is_document = bool(inside) and (path.is_dir() or path.suffix.lower() == ".zip")
    return f"{path}/{rest}" if is_document else str(path)
