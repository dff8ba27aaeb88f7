"""Arrow tables, and whatever can become one: Parquet, pandas, polars."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from calibration.responses.cells import ResponsesError
from calibration.responses.sheets import Column, Sheet, check_header, column_of

if TYPE_CHECKING:
    import pyarrow as pa


@runtime_checkable
class ArrowTable(Protocol):
    """A table that can be handed over as Arrow (the PyCapsule interface): pandas, polars, Arrow itself."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
REPEATING = frozenset({"person", "item", "response", "group", "form", "rater"})


def arrow(part: str = "pyarrow") -> ModuleType:
    """The module pyarrow, or a part of it. Raises ResponsesError where it is not installed."""
    try:
        return importlib.import_module(part)
    except ImportError:
        raise ResponsesError(
            "Parquet, pandas, polars and Arrow tables need pyarrow: pip install 'tiku[tables]', or give a CSV file"
        ) from None


def is_parquet(path: Path) -> bool:
    """Whether responses at that place are Parquet: by the ending of the name, or a folder."""
    return path.suffix.lower() in PARQUET_SUFFIXES or path.is_dir()


def parquet_files(path: Path) -> list[Path]:
    """The Parquet file at a path, or all those in the folder there, in the order of their names."""
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in PARQUET_SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise ResponsesError(f"{path}: no Parquet file in the folder; expected files that end in .parquet")
    return files


def read_as_dictionary(header: Iterable[str]) -> list[str]:
    """The columns whose texts repeat, which keep the dictionaries they are written with."""
    return [name for name in header if name.lower() in REPEATING]


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Turn what Arrow says of a file it cannot read into a ResponsesError."""
    try:
        yield
    except (arrow().ArrowException, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResponsesError(f"{path}: cannot be read as Parquet ({reason})") from None


def read_parquet_sheet(path: Path) -> Sheet:
    """A Parquet file or folder as a sheet; rows are numbered from 1, through all files. Raises ResponsesError."""
    parquet = arrow("pyarrow.parquet")
    tables = []
    for file in parquet_files(path):
        with parquet_errors(file):
            opened = parquet.ParquetFile(file)
            header = read_as_dictionary(opened.schema_arrow.names)
            tables.append(parquet.ParquetFile(file, read_dictionary=header).read())
    with parquet_errors(path):
        return sheet_of_arrow(arrow().concat_tables(tables), str(path))


def sheet_of_table(table: ArrowTable, source: str = "table") -> Sheet:
    """A pandas, polars or Arrow table (anything with `__arrow_c_stream__`) as a sheet; rows are numbered from 1.

    A pandas index counts as a column where it has a name.
    """
    converted = arrow().table(table)
    unnamed = [name for name in converted.column_names if name.startswith("__index_level_")]
    return sheet_of_arrow(converted.drop_columns(unnamed), source)


def sheet_of_batches(batches: Iterator[pa.RecordBatch], source: str = "batches") -> Sheet:
    """Arrow batches of one schema as a sheet; rows are numbered from 1 through all. Raises ResponsesError."""
    module = arrow()
    held = list(batches)
    strange = next((batch for batch in held if not isinstance(batch, module.RecordBatch)), None)
    if strange is not None or not held:
        found = "nothing" if strange is None else f"a {type(strange).__name__}"
        raise ResponsesError(f"{source}: the iterator gave {found}; expected Arrow record batches")
    try:
        return sheet_of_arrow(module.Table.from_batches(held), source)
    except module.ArrowException as error:
        raise ResponsesError(f"{source}: the batches do not make one table ({error})") from None


def sheet_of_arrow(table: pa.Table, source: str, first_row: int = 1) -> Sheet:
    """An Arrow table as a sheet whose first row has the number `first_row`."""
    check_header(source, table.column_names)
    columns = {name: _column(table.column(name), name, source) for name in table.column_names}
    return Sheet(source, columns, np.arange(first_row, first_row + table.num_rows))


def _column(chunks: pa.ChunkedArray, name: str, source: str) -> Column:
    """An Arrow column as codes into its distinct values; nulls are empty cells."""
    module = arrow()
    try:
        encoded = chunks if module.types.is_dictionary(chunks.type) else chunks.dictionary_encode()
        array = encoded.unify_dictionaries().combine_chunks()
    except module.ArrowException:
        raise ResponsesError(f"{source}, column {name!r}: {chunks.type} is neither numbers nor text") from None
    if isinstance(array, module.ChunkedArray):
        array = module.concat_arrays(array.chunks) if array.num_chunks else module.array([], array.type)
    values = array.dictionary.to_pylist()
    codes = array.indices
    if codes.null_count:
        codes = codes.cast(module.int32()).fill_null(len(values))
        values = [*values, None]
    return column_of(codes.to_numpy(zero_copy_only=False).astype(np.int32, copy=False), values)
