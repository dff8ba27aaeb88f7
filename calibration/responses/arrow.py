"""Arrow tables, and whatever can become one: Parquet, pandas, polars."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from calibration.responses.cells import ResponsesError
from calibration.responses.sheets import Column, Sheet, check_header, column_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds


@runtime_checkable
class ArrowTable(Protocol):
    """A table that can be handed over as Arrow (the PyCapsule interface): pandas, polars, Arrow itself."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})


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


def parquet_dataset(path: Path) -> ds.Dataset:
    """A Parquet file, or all those in a folder in the order of their names, as an Arrow data set.

    Text columns keep the dictionaries they are written with. Raises ResponsesError for what cannot be read.
    """
    datasets = arrow("pyarrow.dataset")
    files = sorted(f for f in path.rglob("*") if f.suffix.lower() in PARQUET_SUFFIXES) if path.is_dir() else [path]
    if not files:
        raise ResponsesError(f"{path}: no Parquet file in the folder; expected files that end in .parquet")
    text = ["person", "item", "score", "response", "group", "form", "rater"]
    try:
        schema = datasets.dataset(files[0], format="parquet").schema
        read_as = datasets.ParquetFileFormat(dictionary_columns=[n for n in schema.names if n.lower() in text])
        return datasets.dataset(files, format=read_as)
    except (arrow().ArrowException, OSError) as error:
        raise ResponsesError(f"{path}: not Parquet ({_first_line(error)})") from None


def read_parquet_sheet(path: Path) -> Sheet:
    """A Parquet file or folder as a sheet; rows are numbered from 1."""
    dataset = parquet_dataset(path)
    try:
        table = dataset.to_table()
    except (arrow().ArrowException, OSError) as error:
        raise ResponsesError(f"{path}: cannot be read ({_first_line(error)})") from None
    return sheet_of_arrow(table, str(path))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def sheet_of_table(table: ArrowTable, source: str = "table") -> Sheet:
    """A pandas, polars or Arrow table (anything with `__arrow_c_stream__`) as a sheet; rows are numbered from 1.

    A pandas index counts as a column where it has a name.
    """
    converted = arrow().table(table)
    unnamed = [name for name in converted.column_names if name.startswith("__index_level_")]
    return sheet_of_arrow(converted.drop_columns(unnamed), source)


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
