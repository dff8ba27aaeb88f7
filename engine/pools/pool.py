"""A pool: items in order of id, what they measure, and what they are about."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration import Curves, ItemParameters, ParameterTable, ReferenceForm, Scale, write_text_whole
from engine.pools.columns import Column, Condition, Mask, Value, nested, text_of
from engine.pools.errors import PoolError
from engine.pools.parameters import (
    NUMBERS,
    cells_of_parameters,
    check_dichotomous,
    curve_of_cells,
    is_parameter,
    numbers_of_cells,
)

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pool:
    """J items in order of id: the columns of `attributes`, and what is known of how they measure.

    `parameters` holds a, b, c, d of every item, NaN where it is not calibrated; an item of several categories stands
    there with its slope and the mean of its thresholds (what sorts and spreads it), and with its own curve in `curves`,
    by position. `predicted` marks items whose parameters were foretold from their grades, not estimated.
    """

    ids: tuple[str, ...]
    parameters: ParameterTable
    attributes: Mapping[str, tuple[Value, ...]]
    curves: Mapping[int, ItemParameters] = field(default_factory=dict)
    predicted: Mask = field(default_factory=lambda: np.zeros(0, bool))
    scale: Scale = field(default_factory=Scale)
    _columns: dict[str, Column] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], *, scale: Scale | None = None) -> Pool:
        """A pool from one mapping an item: `id`, its parameters where it is calibrated, and any attributes.

        Parameters are an ItemParameters under `parameters`, or the cells `a, b, c, d`, or `model, a, b1, b2, …` (and
        `slope0 …, intercept0 …`) of an item of several categories. Raises PoolError for a repeated or missing id, and
        for parameters that make no curve.
        """
        on = scale or Scale()
        ordered = sorted(rows, key=lambda row: str(row.get("id") or ""))
        ids = _ids_of(rows, ordered)
        given = [row.get("parameters") for row in ordered]
        cells = [cells_of_parameters(one) | dict(row) if one else row for one, row in zip(given, ordered, strict=True)]
        numbers = np.array([numbers_of_cells(row) for row in cells]).reshape(-1, len(NUMBERS))
        curves = {j: curve for j, row in enumerate(cells) if (curve := curve_of_cells(row, given[j])) is not None}
        check_dichotomous(ids, numbers)
        for j, curve in curves.items():
            numbers[j] = curve.a, curve.difficulty, 0.0, 1.0
        a, b, c, d = np.ascontiguousarray(numbers.T)
        names = dict.fromkeys(name for row in cells for name in row if name != "id" and not is_parameter(name))
        return cls(
            ids=ids,
            parameters=ParameterTable(ids, a, b, c, d, on.D),
            attributes={name: tuple(row.get(name) for row in cells) for name in names},
            curves=curves,
            predicted=np.zeros(len(ids), bool),
            scale=on,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def calibrated(self) -> Mask:
        """Which items have parameters, estimated or predicted, (J,)."""
        mask = np.isfinite(self.parameters.a) & np.isfinite(self.parameters.b)
        mask[list(self.curves)] = True  # a nominal item has a curve and no difficulty
        return mask

    @property
    def dichotomous(self) -> Mask:
        """Which items are calibrated and right or wrong, (J,)."""
        mask = self.calibrated
        mask[list(self.curves)] = False
        return mask

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the pool as its CSV file would hold it: what a result was chosen from."""
        held = {"id": list(self.ids)} | {name: cells for name in self._header()[1:] if any(cells := self._cells(name))}
        return hashlib.sha256(json.dumps(held, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def take(self, items: Mask | Positions) -> Pool:
        """The pool of some items, given as a mask (J,) or positions."""
        chosen = np.sort(np.flatnonzero(items) if np.asarray(items).dtype == bool else np.asarray(items, np.intp))
        at = {int(j): n for n, j in enumerate(chosen)}
        return Pool(
            ids=tuple(self.ids[j] for j in chosen),
            parameters=self.parameters.take(chosen),
            attributes={name: tuple(cells[j] for j in chosen) for name, cells in self.attributes.items()},
            curves={at[j]: curve for j, curve in self.curves.items() if j in at},
            predicted=self.predicted[chosen],
            scale=self.scale,
        )

    def row(self, j: int) -> dict[str, Any]:
        """One item with id, the parameters it has and attributes."""
        return (
            {"id": self.ids[j]} | self._parameter_cells(j) | {name: cells[j] for name, cells in self.attributes.items()}
        )

    def column(self, name: str) -> tuple[Value, ...]:
        """An attribute of every item. Raises PoolError, with the nearest name, where there is none."""
        if name not in self.attributes:
            near = get_close_matches(name, self.attributes, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(self.attributes)}"
            raise PoolError(f"the pool has no column {name!r}{hint}")
        return self.attributes[name]

    def coded(self, name: str) -> Column:
        """An attribute as a coded column, made once. Raises PoolError where there is none."""
        if name not in self._columns:
            self._columns[name] = Column.of(self.ids if name == "id" else self.column(name))
        return self._columns[name]

    def codes(self, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        """The first value of every item as a code (J,), and the texts that codes stand for, in order."""
        column = self.coded(name)
        return column.first(), column.values

    def numbers(self, name: str) -> NDArray[np.float64]:
        """An attribute as numbers (J,), NaN where a cell holds none."""
        column = self.coded(name)
        return column.numbers[column.first()]

    def where(self, condition: Condition, *, strict: bool = True) -> Mask:
        """Items that meet a condition, (J,): column = value, [values], {min, max} or {prefix}; `not` and `any` combine.

        Raises PoolError for a column that the pool lacks, for a malformed condition and, when `strict`, for a value
        that no item has.
        """
        mask = np.ones(len(self), bool)
        for name, wanted in condition.items():
            if name == "not":
                mask &= ~self.where(nested("not", wanted), strict=strict)
            elif name == "any":
                if not isinstance(wanted, list | tuple):
                    raise PoolError(f"any = {wanted!r}: expected a list of conditions")
                parts = [self.where(nested("any", one), strict=strict) for one in wanted]
                mask &= np.logical_or.reduce([np.zeros(len(self), bool), *parts])
            else:
                mask &= self.coded(name).meets(name, wanted, strict=strict)
        return mask

    def information(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Fisher information of every item at each theta (Q,), (J, Q); 0 where an item is not calibrated."""
        values = np.nan_to_num(self.parameters.information(theta))
        if self.curves:
            values[list(self.curves)] = Curves.of(list(self.curves.values()), self.scale).information(theta)
        return values

    def expected_share(self, theta: ArrayLike) -> NDArray[np.float64]:
        """The share of its marks that each item gives on average at each theta (Q,), (J, Q); 0 uncalibrated."""
        values = np.nan_to_num(self.parameters.probability(theta))
        if self.curves:
            curves = list(self.curves.values())
            most = np.array([max(curve.category_marks) for curve in curves])
            values[list(self.curves)] = Curves.of(curves, self.scale).expected_marks(theta) / most[:, None]
        return values

    def item_parameters(self, j: int) -> ItemParameters:
        """The parameters of one calibrated item."""
        if j in self.curves:
            return self.curves[j]
        a, b, c, d = (float(getattr(self.parameters, name)[j]) for name in NUMBERS)
        return ItemParameters(self.ids[j], "4PL" if d < 1 else "3PL" if c > 0 else "2PL", a, (b,), c, d)

    def reference_form(self, items: Positions, marks: NDArray[np.float64]) -> ReferenceForm:
        """A form of calibrated items (j,), each worth `marks` (j,) in all."""
        if not any(int(j) in self.curves for j in items):
            return ReferenceForm.of_table(self.parameters.take(items), marks, self.scale)
        return ReferenceForm.of([self.item_parameters(int(j)) for j in items], self.scale, marks)

    def write_csv(self, path: Path) -> None:
        """The pool as CSV, as `read_pool` reads it."""
        header = self._header()
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*(self._cells(name) for name in header), strict=True))
        write_text_whole(path, target.getvalue())

    def _header(self) -> list[str]:
        wide = dict.fromkeys(name for j in self.curves for name in self._parameter_cells(j) if name not in NUMBERS)
        return ["id", *NUMBERS, *wide, *(name for name in self.attributes if name not in wide)]

    def _cells(self, name: str) -> list[str]:
        """A column of the CSV file, (J,) texts."""
        if name == "id":
            return list(self.ids)
        if name in self.attributes:
            return self.coded(name).texts()
        cells = [""] * len(self)
        if name in NUMBERS:
            column = getattr(self.parameters, name).tolist()
            for j in np.flatnonzero(self.dichotomous & ~self.predicted).tolist():
                cells[j] = repr(column[j])
        for j in self.curves:
            cells[j] = text_of(self._parameter_cells(j).get(name))
        return cells

    def _parameter_cells(self, j: int) -> dict[str, Value]:
        if j in self.curves:
            return cells_of_parameters(self.curves[j])
        numbers = {name: float(getattr(self.parameters, name)[j]) for name in NUMBERS}
        return dict(numbers) if np.isfinite(numbers["a"]) and np.isfinite(numbers["b"]) else {}


def _ids_of(rows: Sequence[Mapping[str, Any]], ordered: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    for number, row in enumerate(rows, start=1):
        if not str(row.get("id") or ""):
            raise PoolError(f"item {number}: no id")
    ids = tuple(str(row["id"]) for row in ordered)
    for one, other in pairwise(ids):
        if one == other:
            raise PoolError(f"item {one!r} stands twice in the pool")
    return ids
