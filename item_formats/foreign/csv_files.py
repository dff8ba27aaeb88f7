"""Items as CSV in UTF-8."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.findings import Finding
from item_formats.foreign.columns import COLUMNS, REQUIRED
from item_formats.foreign.csv_text import read_records
from item_formats.foreign.table import ItemRow, ItemTable, read_rows, written_table
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read_items_csv(path: Path) -> ItemTable:
    """Items of a CSV file in UTF-8 (with or without byte order mark).

    A row with an error is reported and left out whole; a row with warnings is kept. A file in another encoding, with
    mojibake or without a required column is refused: no rows, and findings that say how to mend it.
    """
    file = str(path)
    records, findings = read_records(path.read_bytes(), file=file, known_words=REQUIRED)
    rows, row_findings = read_rows(records)
    if not records and not findings:
        message = f"the file has no rows; expected the header {','.join(COLUMNS)}"
        findings.append(Finding("error", "empty-file", message))
    return ItemTable(tuple(rows), tuple(replace(finding, file=file) for finding in findings + row_findings))


def write_items_csv(path: Path, rows: Iterable[ItemRow]) -> None:
    """Write rows so that `read_items_csv` gives them back; with a byte order mark, which Excel needs.

    Raises
    ------
    ItemError
        An item that says more than a row can hold (markup, own title, other processing, more than five options).
    """
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(written_table(rows))
    write_whole(path, text.getvalue().encode("utf-8-sig"))
