"""Findings on whatever paths name: files, folders, packages and tables, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.checking.documents import check, check_package
from item_formats.checking.schema import validate
from item_formats.documents import Document
from item_formats.findings import Finding, ItemError
from item_formats.model import Item
from item_formats.packages.reading import open_package
from item_formats.sources import beside, files_in, format_of, read_file, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(slots=True)
class Report:
    """How many items and documents (items among them) could be read, and what was found."""

    items: int = 0
    documents: int = 0
    findings: list[Finding] = field(default_factory=list)

    def count(self, document: object) -> None:
        self.documents += 1
        self.items += isinstance(document, Item)


def check_paths(paths: Sequence[Path], *, schema_dir: Path | None = None) -> Report:
    """Everything there is to say on what the paths hold; with `schema_dir`, what its schemas say too.

    Raises
    ------
    ItemError
        `schema_dir` holds no QTI 3 schema.
    OSError
        A file that cannot be read.
    """
    report = Report()
    for file, named in files_in(paths):
        kind = format_of(file)
        try:
            if kind == "package":
                _check_package(file, schema_dir, report)
            elif kind == "qti":
                _check_document(file, schema_dir, report)
            else:
                table = read_table(file, kind)
                report.items += len(table.rows)
                report.documents += len(table.rows)
                report.findings += table.findings
        except ItemError as error:  # a folder may hold other documents beside the items
            report.findings += beside(error, named=named)
    if not report.documents and not report.findings:
        message = "no item was found: name QTI files, packages, tables, or folders that hold them"
        report.findings.append(Finding("error", "nothing-to-check", message, file=", ".join(map(str, paths))))
    return report


def _check_document(file: Path, schema_dir: Path | None, report: Report) -> None:
    document, source = read_file(file)
    report.count(document)
    report.findings += document.reading_findings
    report.findings += check(document, file=str(file), source=source)
    if schema_dir is not None:
        report.findings += validate(document, schema_dir, file=str(file))


def _check_package(file: Path, schema_dir: Path | None, report: Report) -> None:
    with open_package(file) as package:
        for one in package.documents():
            report.count(one.document)
            if schema_dir is not None and isinstance(one.document, Document):
                report.findings += validate(one.document, schema_dir, file=f"{file}/{one.resource.path}")
        report.findings += check_package(package, place=lambda path: f"{file}/{path}")
