"""The items something may be chosen from: parameters and attributes, one row an item."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import ParameterTable, Scale, write_text_whole

PARAMETERS = ("a", "b", "c", "d")
DEFAULTS = {"c": 0.0, "d": 1.0}
MANY = ";"

Value = str | float | tuple[str, ...] | None
Mask = NDArray[np.bool_]


class PoolError(ValueError):
    """A pool, or a condition on one, that cannot be used; the message names row, column or value."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Items in order of id; `attributes` holds columns of J values, `parameters` is NaN where uncalibrated."""

    ids: tuple[str, ...]
    parameters: ParameterTable
    attributes: Mapping[str, tuple[Value, ...]]

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Value]], *, scale: Scale | None = None) -> Pool:
        """A pool from one mapping an item, with `id`, parameters a, b (c, d) where calibrated, and any attributes.

        Raises PoolError for a repeated or missing id.
        """
        ids = [str(row.get("id") or "") for row in rows]
        for number, item in enumerate(ids, start=1):
            if not item:
                raise PoolError(f"item {number}: no id")
        if len(set(ids)) < len(ids):
            twice = next(item for n, item in enumerate(ids) if item in ids[:n])
            raise PoolError(f"item {twice!r} stands twice in the pool")
        ordered = sorted(rows, key=lambda row: str(row["id"]))
        names = dict.fromkeys(name for row in rows for name in row if name != "id" and name not in PARAMETERS)
        columns = {
            name: np.array([_number(row.get(name), DEFAULTS.get(name, np.nan)) for row in ordered])
            for name in PARAMETERS
        }
        table = ParameterTable(tuple(sorted(ids)), **columns, D=(scale or Scale()).D)
        return cls(table.ids, table, {name: tuple(row.get(name) for row in ordered) for name in names})

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def calibrated(self) -> Mask:
        """Which items have parameters, (J,)."""
        return np.isfinite(self.parameters.a) & np.isfinite(self.parameters.b)

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the pool as its CSV file would hold it: what a result was chosen from."""
        rows = [{name: text for name, value in self.row(j).items() if (text := _held(value))} for j in range(len(self))]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def row(self, j: int) -> dict[str, Any]:
        """One item with id, parameters and attributes."""
        numbers = {name: float(getattr(self.parameters, name)[j]) for name in PARAMETERS}
        if not self.calibrated[j]:
            numbers = {}
        return {"id": self.ids[j]} | numbers | {name: values[j] for name, values in self.attributes.items()}

    def column(self, name: str) -> tuple[Value, ...]:
        """An attribute of every item. Raises PoolError, with the nearest name, where there is none."""
        if name not in self.attributes:
            near = get_close_matches(name, self.attributes, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(self.attributes)}"
            raise PoolError(f"the pool has no column {name!r}{hint}")
        return self.attributes[name]

    def where(self, condition: Mapping[str, Any], *, strict: bool = True) -> Mask:
        """Items that meet a condition, (J,): column = value, [values], {min, max} or {prefix}; `not` and `any` combine.

        Raises PoolError for a column that the pool lacks, for a malformed condition and, when `strict`, for a value
        that no item has.
        """
        mask = np.ones(len(self), bool)
        for name, wanted in condition.items():
            if name == "not":
                mask &= ~self.where(_condition("not", wanted), strict=strict)
            elif name == "any":
                if not isinstance(wanted, list | tuple):
                    raise PoolError(f"any = {wanted!r}: expected a list of conditions")
                parts = [self.where(_condition("any", one), strict=strict) for one in wanted]
                mask &= np.logical_or.reduce([np.zeros(len(self), bool), *parts])
            else:
                mask &= self._matches(name, wanted, strict=strict)
        return mask

    def _matches(self, name: str, wanted: object, *, strict: bool) -> Mask:
        values = self.column(name)
        if isinstance(wanted, Mapping):
            if set(wanted) == {"prefix"}:
                return np.array([str(value or "").startswith(str(wanted["prefix"])) for value in values], bool)
            if not wanted or set(wanted) - {"min", "max"}:
                raise PoolError(f"{name} = {dict(wanted)!r}: expected min and/or max, or prefix alone")
            if not all(isinstance(bound, int | float) for bound in wanted.values()):
                raise PoolError(f"{name} = {dict(wanted)!r}: min and max are numbers")
            low, high = float(wanted.get("min", -np.inf)), float(wanted.get("max", np.inf))
            numbers = np.array([_number(value, np.nan) for value in values])
            return np.asarray((numbers >= low) & (numbers <= high))
        choices = {_text(one) for one in (wanted if isinstance(wanted, list | tuple) else [wanted])}
        held = [set(map(_text, value)) if isinstance(value, tuple) else {_text(value)} for value in values]
        known = set().union(*held) if held else set()
        for choice in sorted(choices - known) if strict else ():
            near = get_close_matches(choice, known, n=1)
            raise PoolError(f"no item has {name} = {choice!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return np.array([bool(choices & one) for one in held], bool)

    def write_csv(self, path: Path) -> None:
        """The pool as CSV, as `read_pool` reads it."""
        header = ["id", *PARAMETERS, *self.attributes]
        lines = [header, *([_cell(self.row(j).get(name)) for name in header] for j in range(len(self)))]
        target = _Lines()
        csv.writer(target, lineterminator="\n").writerows(lines)
        write_text_whole(path, "".join(target.lines))


def _condition(name: str, wanted: object) -> Mapping[str, Any]:
    if not isinstance(wanted, Mapping):
        raise PoolError(f'{name} = {wanted!r}: expected a condition, as in {{type = "single"}}')
    return wanted


class _Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


def read_pool(path: Path, *, scale: Scale | None = None) -> Pool:
    """A pool from a CSV file: `id, a, b, c, d` and any attributes; several values in a cell stand apart by `;`.

    Raises PoolError with row and column: a missing or repeated id or column, a parameter that is not a number, a row of
    another length than the header, a file that is not UTF-8.
    """
    row_of: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or ())
            _check_header(path, header)
            rows: list[dict[str, Value]] = []
            for number, raw in enumerate(reader, start=2):
                if None in raw or None in raw.values():
                    raise PoolError(f"{path}, row {number}: the row has another number of cells than the header")
                item = raw["id"].strip()
                if not item:
                    raise PoolError(f"{path}, row {number}, column id: empty; every item needs an id")
                if item in row_of:
                    raise PoolError(f"{path}, row {number}, column id: {item!r} stands in row {row_of[item]} already")
                row_of[item] = number
                values = {name: _value(path, number, name, cell.strip()) for name, cell in raw.items()}
                rows.append(values | {"id": item})
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8 CSV") from None
    except csv.Error as error:
        raise PoolError(f"{path}: not CSV: {error}") from None
    if not rows:
        raise PoolError(f"{path}: no items below the header")
    return Pool.from_rows(rows, scale=scale)


def _check_header(path: Path, header: Sequence[str]) -> None:
    if "id" not in header:
        raise PoolError(f"{path}, row 1: no column 'id'; it has {', '.join(header) or 'no header'}")
    for name in header:
        if header.count(name) > 1:
            raise PoolError(f"{path}, row 1: column {name!r} stands twice")


def _value(path: Path, number: int, name: str, cell: str) -> Value:
    if name in PARAMETERS:
        value = _number(cell, np.nan)
        if cell and not np.isfinite(value):
            raise PoolError(f"{path}, row {number}, column {name}: {cell!r} is not a number")
        return value if cell else None
    if name == "enemies":
        return tuple(part for part in cell.split(MANY) if part)
    return tuple(cell.split(MANY)) if MANY in cell else cell or None


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return MANY.join(value)
    return repr(value) if isinstance(value, float) else str(value)


def _held(value: Value) -> str:
    return MANY.join(value) if isinstance(value, tuple) else _text(value)


def _number(value: Value, default: float) -> float:
    try:
        return default if value is None or isinstance(value, tuple) or value == "" else float(value)
    except ValueError:
        return float("nan")


def _text(value: object) -> str:
    """A value as a cell of a CSV file would hold it, so that 3, 3.0 and "3" are the same grade."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
