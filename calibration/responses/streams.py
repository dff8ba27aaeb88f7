"""Responses that memory does not hold: Parquet files read in chunks of whole persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.responses.arrow import arrow, parquet_errors, parquet_files, read_as_dictionary, sheet_of_arrow
from calibration.responses.cells import MAX_CATEGORIES, ResponsesError
from calibration.responses.keys import Key
from calibration.responses.layouts import OnForm, is_long, item_columns, items_on_forms
from calibration.responses.reading import OmittedPolicy, ScoringRules, score_sheet
from calibration.responses.sheets import run_starts
from calibration.responses.values import Responses

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_RESPONSES = 2_000_000  # about 150 MB while a chunk is made


def stream_responses(
    path: Path,
    *,
    batch_rows: int | None = None,
    key: Key | None = None,
    marks: Mapping[str, Sequence[float]] | None = None,
    max_score: int = MAX_CATEGORIES - 1,
    omitted: OmittedPolicy = "wrong",
    shift: Mapping[str, int] | None = None,
) -> Iterator[Responses]:
    """Chunks of the responses in a Parquet file, or in all those of a folder in the order of their names.

    Every chunk has the same list of items (as `read_responses` has it) and whole persons: of about `batch_rows` rows
    of the files, by default as many as hold 2 million responses. A long file has all rows of a person one after the
    other, a person has one row of a wide file; both are checked before the first chunk. Scores are not shifted unless
    a `shift` is given: what the lowest score is, only the end of a stream knows. The other arguments are those of
    `read_responses`.

    Raises ResponsesError for what `read_responses` refuses, and for a person whose rows stand apart; rows are counted
    through the files in their order.
    """
    source = ParquetSource.of(Path(path))
    rules = ScoringRules(key, marks or {}, max_score, omitted, shift or {})
    items, on_form = source.survey()
    rows = batch_rows or (BATCH_RESPONSES if source.long else max(1, BATCH_RESPONSES // max(len(items), 1)))
    first, silent = 1, True
    for table in source.tables(rows):
        sheet = sheet_of_arrow(table, str(path), first)
        first += table.num_rows
        chunk = score_sheet(sheet, rules, items, on_form, may_be_empty=True)
        silent = silent and not len(chunk.score)
        yield chunk
    if silent:
        raise ResponsesError(f"{path}: no responses; expected one row a person, or one a response")


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """Parquet files that are read one after the other, and the columns they all have."""

    path: Path
    files: list[Path]
    header: list[str]

    @classmethod
    def of(cls, path: Path) -> ParquetSource:
        files = parquet_files(path)
        header: list[str] = []
        for file in files:
            with parquet_errors(file):
                names = arrow("pyarrow.parquet").read_schema(file).names
            if header and sorted(names) != sorted(header):
                other = min({*names} ^ {*header})
                raise ResponsesError(f"{file}: column {other!r} is not in all files of the folder")
            header = header or names
        return cls(path, files, header)

    @property
    def long(self) -> bool:
        return is_long(self.header)

    def written(self, name: str) -> str | None:
        """The name of a column as the files write it, given in lower case."""
        return next((column for column in self.header if column.lower() == name), None)

    def batches(self, rows: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        parquet = arrow("pyarrow.parquet")
        for file in self.files:
            with parquet_errors(file):
                # without pre-buffering, or a row group of any size would be held whole
                opened = parquet.ParquetFile(file, read_dictionary=read_as_dictionary(self.header), pre_buffer=False)
                yield from opened.iter_batches(rows, columns=columns)

    def tables(self, rows: int) -> Iterator[pa.Table]:
        """Tables of about so many rows, cut where a person ends."""
        table_of = arrow().Table.from_batches
        person = self.written("person")
        if not self.long or person is None:
            yield from (table_of([batch]) for batch in self.batches(rows, self.header) if batch.num_rows)
            return
        pending: list[pa.RecordBatch] = []
        for batch in self.batches(rows, self.header):
            if not batch.num_rows:
                continue
            last = int(run_starts(_comparable(batch.column(person)))[-1])
            if last == 0 and (not pending or _same_person(pending[-1], batch, person)):
                pending.append(batch)
                continue
            if last == 0:
                yield table_of(pending)
                pending = [batch]
                continue
            yield table_of([*pending, batch.slice(0, last)])
            pending = [batch.slice(last)]
        if pending:
            yield table_of(pending)

    def survey(self) -> tuple[tuple[str, ...], OnForm | None]:
        """The items in the order of the data, and which are on which form of wide data, after a first reading.

        Raises ResponsesError for a person whose rows do not stand together.
        """
        person, form = self.written("person"), self.written("form")
        persons = _Persons(self.path, long=self.long)
        items: dict[str, None] = {} if self.long else dict.fromkeys(item_columns(self.header))
        on_form: dict[str, NDArray[np.bool_]] = {}
        wanted = [self.written("item")] if self.long else list(items) if form is not None else []
        columns = [name for name in (person, form, *wanted) if name is not None]
        if self.long and form is not None:
            columns.remove(form)
        for batch in self.batches(BATCH_RESPONSES if self.long else BATCH_RESPONSES // 100, columns) if columns else ():
            if person is not None:
                persons.add(batch.column(person))
            if self.long:
                found = arrow("pyarrow.compute").unique(batch.column(wanted[0]))
                names = sheet_of_arrow(arrow().table({"item": found}), str(self.path)).columns["item"]
                items.update(dict.fromkeys(names.texts[code] for code in names.codes))
            elif form is not None:
                for name, on in items_on_forms(sheet_of_arrow(arrow().Table.from_batches([batch]), "")).items():
                    on_form[name] = on | on_form.get(name, np.False_)
        persons.check()
        return tuple(items), on_form if form is not None and not self.long else None


def _comparable(column: pa.Array) -> NDArray[np.generic]:
    """Values that are equal where those of a column are."""
    module = arrow()
    if module.types.is_dictionary(column.type):
        codes = column.indices
    elif module.types.is_integer(column.type) and not column.null_count:
        codes = column
    else:
        codes = column.dictionary_encode().indices
    return np.asarray((codes.fill_null(-1) if codes.null_count else codes).to_numpy(zero_copy_only=False))


def _same_person(one: pa.RecordBatch, other: pa.RecordBatch, person: str) -> bool:
    return bool(one.column(person)[-1].as_py() == other.column(person)[0].as_py())


class _Persons:
    """Whether each person's rows stand together, from 64-bit hashes: persons may be too many to keep their names."""

    def __init__(self, path: Path, *, long: bool) -> None:
        self.path, self.long = path, long
        self.hashes: list[NDArray[np.int64]] = []
        self.rows: list[NDArray[np.int64]] = []
        self.seen = 0
        self.last: object = None

    def add(self, column: pa.Array) -> None:
        if not len(column):
            return
        starts = run_starts(_comparable(column)) if self.long else np.arange(len(column))
        if self.long and self.seen and column[0].as_py() == self.last:
            starts = starts[1:]
        names = column.take(arrow().array(starts)).to_pylist()
        self.hashes.append(np.fromiter(map(hash, names), np.int64, len(names)))
        self.rows.append(starts + self.seen + 1)
        self.seen += len(column)
        self.last = column[-1].as_py()

    def check(self) -> None:
        if not self.hashes:
            return
        hashes, rows = np.concatenate(self.hashes), np.concatenate(self.rows)
        order = np.argsort(hashes, kind="stable")
        twice = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        if twice.size:
            first = twice[np.argmin(order[twice + 1])]
            before, again = rows[order[first]], rows[order[first + 1]]
            advice = "sort the file by person (`sort_by_person`)" if self.long else "give each person one row"
            raise ResponsesError(f"{self.path}, row {again}: the person of row {before} stands here again; {advice}")
