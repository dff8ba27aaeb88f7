"""Tables of cells, as they stand in a file, before anybody says what they mean.

Every column is a list of distinct texts and, for each row, which of them it holds: what a cell means is then asked
once a text and not once a cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.responses.cells import ResponsesError, plain

CELLS_AT_ONCE = 2_000  # so few that Python's garbage collector does not go over the rows again and again


@dataclass(frozen=True, slots=True)
class Column:
    """`texts[codes[i]]` is the text in row i, without spaces around it."""

    codes: NDArray[np.int32]
    texts: tuple[str, ...]

    def compact(self) -> Column:
        """The same column with the texts it uses, in the order in which they first occur."""
        first = self.first_rows()
        order = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(self.codes))]
        if np.array_equal(order, np.arange(len(self.texts))):
            return self
        number = np.zeros(len(self.texts), np.int32)
        number[order] = np.arange(len(order))
        return Column(number[self.codes], tuple(self.texts[v] for v in order))

    def first_rows(self) -> NDArray[np.intp]:
        """The row in which each text first occurs, (V,); the number of rows for one that does not."""
        n = len(self.codes)
        first = np.full(len(self.texts), n, np.intp)
        changes = run_starts(self.codes)  # a run of one text needs one look
        first[self.codes[changes[::-1]]] = changes[::-1]  # the last assignment stays: the first row
        return first

    def numbers(self) -> NDArray[np.float64]:
        """The column as numbers: NaN where a cell holds none."""
        values = np.full(len(self.texts), np.nan)
        for v in np.flatnonzero(np.bincount(self.codes, minlength=len(self.texts))):
            try:
                values[v] = float(self.texts[v])
            except ValueError:
                continue
        return values[self.codes]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns by name, all of one length, from a `source` that messages name.

    `rows` (n,) are the numbers of its rows, which begin after `header_rows` rows.
    """

    source: str
    columns: Mapping[str, Column]
    rows: NDArray[np.int64]
    header_rows: int = 0

    def named(self) -> dict[str, Column]:
        """The columns by their names in lower case."""
        return {name.lower(): column for name, column in self.columns.items()}


def run_starts(codes: NDArray[Any]) -> NDArray[np.intp]:
    """Where a value differs from the one before it, beginning with 0 (none for no values)."""
    return np.concatenate([np.zeros(min(len(codes), 1), np.intp), np.flatnonzero(codes[1:] != codes[:-1]) + 1])


def _csv_lines(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """The header of a CSV file, and an iterator over its other rows."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise ResponsesError(f"{path}, row {row}: not UTF-8; save the file as UTF-8 CSV") from None
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [cell.strip() for cell in next(lines, [])]
    except csv.Error as error:
        raise _not_csv(path, error) from None
    if not header:
        raise ResponsesError(f"{path}: the file is empty; expected a header row")
    check_header(str(path), header)
    return header, lines


def _not_csv(path: Path, error: csv.Error) -> ResponsesError:
    return ResponsesError(f"{path}: not CSV ({error}); look for a quotation mark that is not closed")


def check_header(source: str, header: list[str]) -> None:
    """Raise ResponsesError for a column that stands twice or has no name."""
    if "" in header:
        raise ResponsesError(f"{source}, row 1: column {header.index('') + 1} has no name; name it or remove it")
    repeated = [name for n, name in enumerate(header) if name in header[:n]]
    if repeated:
        raise ResponsesError(f"{source}, row 1: column {repeated[0]!r} stands twice")


def read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and rows of a small CSV file, each with its number, cells without spaces around them.

    Raises ResponsesError for a file that is empty, not UTF-8, not CSV or ragged.
    """
    header, lines = _csv_lines(path)
    rows = []
    try:
        for number, line in enumerate(lines, start=2):
            if line:
                _check_length(path, number, line, len(header))
                rows.append((number, [cell.strip() for cell in line]))
    except csv.Error as error:
        raise _not_csv(path, error) from None
    return header, rows


def _check_length(path: Path, number: int, line: list[str], expected: int) -> None:
    if len(line) != expected:
        raise ResponsesError(f"{path}, row {number}: {len(line)} cells, the header has {expected}")


class _Codes(dict[str, int]):
    """Texts in the order in which they were first looked up."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


def read_csv_sheet(path: Path) -> Sheet:
    """A CSV file as a sheet; rows are numbered as in the file, the header being row 1.

    Raises ResponsesError for a file that is empty, not UTF-8, not CSV or ragged.
    """
    header, lines = _csv_lines(path)
    width, codes = len(header), _Codes()
    tables, numbers, number = [], [], 2
    try:
        while batch := list(islice(lines, max(1, CELLS_AT_ONCE // width))):
            number_of = np.arange(number, number + len(batch))
            number += len(batch)
            if {*map(len, batch)} != {width}:
                for at, line in zip(number_of, batch, strict=True):
                    if line:
                        _check_length(path, int(at), line, width)
                number_of = number_of[[bool(line) for line in batch]]
            cells = map(codes.__getitem__, chain.from_iterable(batch))
            tables.append(np.fromiter(cells, np.int32, len(number_of) * width))
            numbers.append(number_of)
    except csv.Error as error:
        raise _not_csv(path, error) from None
    table = np.concatenate(tables).reshape(-1, width) if tables else np.zeros((0, width), np.int32)
    texts, table = _without_spaces(list(codes), table)
    columns = {name: Column(np.ascontiguousarray(table[:, n]), texts) for n, name in enumerate(header)}
    return Sheet(str(path), columns, np.concatenate(numbers) if numbers else np.zeros(0, np.int64), 1)


def _without_spaces(raw: list[str], table: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    stripped = [text.strip() for text in raw]
    if stripped == raw:
        return tuple(raw), table
    codes = _Codes()
    lookup = np.array([codes[text] for text in stripped], np.int32)
    return tuple(codes), lookup[table]


def sheet_of_arrays(columns: Mapping[str, Any], source: str = "columns") -> Sheet:
    """Numpy arrays (n,) by name as a sheet; rows are numbered from 1.

    Whole numbers may be floats; NaN and None are empty cells. Raises ResponsesError for columns of different lengths.
    """
    check_header(source, list(columns))
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    n = len(next(iter(arrays.values()))) if arrays else 0
    for name, array in arrays.items():
        if array.ndim != 1 or len(array) != n:
            raise ResponsesError(f"{source}: column {name!r} has the shape {array.shape}, the first has ({n},)")
    return Sheet(source, {name: column_of_array(array) for name, array in arrays.items()}, np.arange(1, n + 1))


def column_of_array(array: NDArray[Any]) -> Column:
    """A numpy array (n,) of numbers, text or objects as a column."""
    if array.dtype.kind == "O":
        array = np.array([text_of(value) for value in array.tolist()], dtype=np.dtypes.StringDType())
    values, codes = np.unique(array, return_inverse=True)
    return column_of(codes.astype(np.int32), values.tolist())


def column_of(codes: NDArray[np.int32], values: list[Any]) -> Column:
    """Codes into a list of distinct values of any type, as a column; values that read the same become one."""
    texts = _Codes()
    kinds = {*map(type, values)}
    written = map(str, values) if kinds == {int} else map(str.strip, values) if kinds == {str} else map(text_of, values)
    lookup = np.fromiter(map(texts.__getitem__, written), np.int32, len(values))
    same = len(texts) == len(values)
    return Column(codes if same else lookup[codes], tuple(texts))


def text_of(value: object) -> str:
    """A value as a CSV file would say it: `1` for 1, 1.0 and true, nothing for None and NaN."""
    if value is None or value != value:  # noqa: PLR0124  (NaN is not itself)
        return ""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else plain(repr(value))
    return str(value).strip()
