"""Pools from files: CSV or Parquet, with the parameters in the same table or in a file of a calibration beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calibration import Scale, read_parameters
from engine.pools.columns import Value, number_of
from engine.pools.errors import PoolError
from engine.pools.parameters import is_parameter
from engine.pools.pool import Pool

MANY = ";"
LISTS = frozenset({"enemies"})  # columns whose cells are lists even with one value


def read_pool(path: Path, *, parameters: Path | None = None, scale: Scale | None = None) -> Pool:
    """A pool from a CSV or Parquet file: `id`, parameters (`a, b, c, d`, or `model, a, b1, b2, …`) and attributes.

    Several values in a cell stand apart by `;`. With `parameters`, a file of a calibration, these are the parameters,
    and its scale is the pool's. Raises PoolError with row and column: a missing or repeated id or column, a parameter
    that is not a number, a row of another length than the header, a file that is not UTF-8.
    """
    place_of: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for place, raw in _parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path):
        item = raw["id"].strip()
        if not item:
            raise PoolError(f"{path}, {place}, column id: empty; every item needs an id")
        if item in place_of:
            raise PoolError(f"{path}, {place}, column id: {item!r} stands in {place_of[item]} already")
        place_of[item] = place
        rows.append({name: _value(path, place, name, cell.strip()) for name, cell in raw.items()} | {"id": item})
    if not rows:
        raise PoolError(f"{path}: no items below the header")
    if parameters is not None:
        scale = _add_parameters(rows, parameters)
    try:
        return Pool.from_rows(rows, scale=scale)
    except PoolError as error:
        raise PoolError(f"{path}: {error}") from None


def _add_parameters(rows: Sequence[dict[str, Any]], path: Path) -> Scale:
    scale, items = read_parameters(path)
    known = {item.id: item for item in items}
    if not any(row["id"] in known for row in rows):
        raise PoolError(f"{path}: holds parameters of {len(known)} items, none of which is in the pool")
    for row in rows:
        for name in [name for name in row if is_parameter(name)]:
            del row[name]
        row["parameters"] = known.get(row["id"])
    return scale


def _csv_rows(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            _check_header(path, list(reader.fieldnames or ()))
            for number, raw in enumerate(reader, start=2):
                if None in raw or None in raw.values():
                    raise PoolError(f"{path}, row {number}: the row has another number of cells than the header")
                yield f"row {number}", raw
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8 CSV") from None
    except csv.Error as error:
        raise PoolError(f"{path}: not CSV: {error}") from None


def _parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise PoolError(f"{path}: reading Parquet needs pyarrow; install tiku[tables], or save it as CSV") from None
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(f"{path}: not Parquet: {error}") from None
    _check_header(path, table.column_names)
    for number, row in enumerate(table.to_pylist(), start=1):
        yield f"row {number}", {name: _cell(value) for name, value in row.items()}


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return MANY.join(map(str, value)) if isinstance(value, list) else str(value)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if "id" not in header:
        raise PoolError(f"{path}, row 1: no column 'id'; it has {', '.join(header) or 'no header'}")
    for name in header:
        if header.count(name) > 1:
            raise PoolError(f"{path}, row 1: column {name!r} stands twice")


def _value(path: Path, place: str, name: str, cell: str) -> Value:
    if is_parameter(name):
        value = number_of(cell)
        if cell and not np.isfinite(value):
            raise PoolError(f"{path}, {place}, column {name}: {cell!r} is not a number")
        return value if cell else None
    if name in LISTS:
        return tuple(part for part in cell.split(MANY) if part)
    return tuple(cell.split(MANY)) if MANY in cell else cell or None
