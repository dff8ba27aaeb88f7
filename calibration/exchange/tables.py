"""CSV rows in and out, with the place of everything for messages."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from calibration.exchange.errors import ExchangeError

EMPTY_CELLS = frozenset({"", "NA", "NaN", "nan", "."})


def read_text(path: Path) -> str:
    """The text of a file. Raises ExchangeError where it is not UTF-8, OSError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ExchangeError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None


def read_ids(path: Path) -> list[str]:
    """Item ids from a file, one a line, or from the column `item` or `id` of a CSV.

    Raises ExchangeError for none and for one that stands twice.
    """
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(read_text(path), newline=""))]
    lines = [line for line in lines if any(line)]
    header = [cell.lower() for cell in lines[0]] if lines else []
    column = next((header.index(name) for name in ("item", "id", "anchor") if name in header), None)
    names = [line[0 if column is None else column] for line in lines[0 if column is None else 1 :]]
    if not names:
        raise ExchangeError(f"{path}: no item ids in it; expected one a line")
    twice = [name for n, name in enumerate(names) if name in names[:n]]
    if twice:
        raise ExchangeError(f"{path}: item {twice[0]!r} stands twice")
    return names


def read_rows(text: str, where: str, required: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Rows of a CSV with a header as (place, cells by column). Raises ExchangeError for a ragged row or header."""
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ExchangeError(f"{where}: not CSV ({error}); look for a quotation mark that is not closed") from None
    if not lines or not any(lines):
        raise ExchangeError(f"{where}: the file is empty; expected a header row with {', '.join(required)}")
    header = [cell.strip() for cell in lines[0]]
    missing = [name for name in required if name not in header]
    if missing:
        raise ExchangeError(f"{where}, row 1: no column {missing[0]}; expected {', '.join(required)}")
    repeated = [name for n, name in enumerate(header) if name and name in header[:n]]
    if repeated:
        raise ExchangeError(f"{where}, row 1: column {repeated[0]!r} stands twice")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        if len(line) != len(header):
            raise ExchangeError(f"{where}, row {number}: {len(line)} cells, the header has {len(header)}")
        rows.append((f"{where}, row {number}", {name: cell.strip() for name, cell in zip(header, line, strict=True)}))
    return rows


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with these columns; what a row does not have is empty. Numbers read back the same."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([number_text(row.get(name, "")) for name in columns])
    return out.getvalue()


def number_text(value: object) -> str:
    """A number as its shortest text that reads back the same; 1 for 1.0; other values as they are."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def count(text: str, place: str, field: str) -> int:
    """The cell as a whole number from 0. Raises ExchangeError."""
    if not text.isdecimal():
        raise ExchangeError(f"{place}, field {field}: expected a whole number, got {text!r}")
    return int(text)


def number(text: str, place: str, field: str) -> float:
    """The cell as a finite number. Raises ExchangeError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ExchangeError(f"{place}, field {field}: expected a number, got {text!r}")
    return value
