"""The reference form: what a percentage and its cut mean."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.models import Curves, ItemParameters, ParameterTable, Scale
from calibration.scoring.errors import ScaleError

Matrix = NDArray[np.float64]

SEPARATOR = ";"  # between the marks of an item's categories in one cell
CUT_SD = 6.0  # a cut further than that from the population's mean divides nobody


@dataclass(frozen=True, slots=True)
class ReferenceForm:
    """Versions of items with marks for each category, on a scale: build it with `of`, `of_table` or `read_reference`.

    T(theta) = Σ marks · P(theta), of M = `total` marks; the cut is where T = share · M.
    """

    curves: Curves
    scale: Scale = field(default_factory=Scale)
    versions: tuple[str | None, ...] = ()

    @classmethod
    def of(
        cls, items: Sequence[ItemParameters], scale: Scale | None = None, marks: ArrayLike | None = None
    ) -> ReferenceForm:
        """A form of `items`, worth their own category marks, or `marks` (J,) in all, shared out in proportion to these.

        Marks may be fractions: a reference that follows a blueprint over a whole bank weighs each item by what its
        stratum is worth. Raises ScaleError for an item that is worth nothing but should be, or less than nothing.
        """
        worth = list(items)
        if marks is not None:
            worth = [_worth(item, float(m)) for item, m in zip(items, _all(marks, items), strict=True)]
        on = scale or Scale()
        return cls(Curves.of(worth, on), on, tuple(item.version for item in items))

    @classmethod
    def of_table(cls, table: ParameterTable, marks: ArrayLike, scale: Scale | None = None) -> ReferenceForm:
        """A form of dichotomous items that are worth `marks` (J,) when right; the table's D holds."""
        return cls(Curves.of_table(table, marks), scale or Scale(D=table.D), (None,) * len(table.ids))

    @property
    def item_marks(self) -> Matrix:
        """The most marks of each item, (J,)."""
        if not self.curves.ids:
            return np.zeros(0)
        return np.asarray(np.maximum.reduceat(self.curves.marks, self.curves.start[:-1]))

    @property
    def total(self) -> float:
        """M, the marks of the whole form."""
        return float(self.item_marks.sum())

    def expected_marks(self, theta: ArrayLike) -> Matrix:
        """T at each theta (Q,)."""
        return np.asarray(self.curves.expected_marks(theta).sum(axis=0))

    def marks_slope(self, theta: ArrayLike) -> Matrix:
        """T' at each theta (Q,)."""
        return np.asarray(self.curves.marks_slope(theta).sum(axis=0))

    def percent(self, theta: ArrayLike) -> Matrix:
        """100 T / M at each theta (Q,)."""
        return np.asarray(100 * self.expected_marks(theta) / self.total)

    def percent_se(self, theta: ArrayLike, se: ArrayLike) -> Matrix:
        """Standard error of the percentage of estimates with standard errors: 100 T' SE / M (delta method), (Q,)."""
        return np.asarray(100 * np.abs(self.marks_slope(theta)) * np.asarray(se, float) / self.total)

    def conditional_sem(self, theta: ArrayLike) -> Matrix:
        """Standard deviation of the marks of a person at each theta (Q,): what the form itself leaves to chance."""
        P = self.curves.probability(theta)
        marks = self.curves.marks[:, None]
        variance = self.curves.sum_items(P * marks**2) - self.curves.sum_items(P * marks) ** 2
        return np.asarray(np.sqrt(np.maximum(variance.sum(axis=0), 0.0)))

    def cut(self, share: float = 0.60) -> float:
        """The ability at which `share` of the marks is expected.

        Raises ScaleError where T does not increase (an item with a negative slope can do that) or does not reach the
        share within 6 SD of the scale's population.
        """
        if not self.curves.increasing:
            nodes = self.scale.mean + self.scale.sd * np.linspace(-CUT_SD, CUT_SD, 241)
            if np.any(self.marks_slope(nodes) < -1e-12 * self.total):
                raise ScaleError(
                    "expected marks do not increase with ability on the reference form; remove items with a <= 0"
                )
        low, high = (self.scale.mean + self.scale.sd * end for end in (-CUT_SD, CUT_SD))
        least, most = self.expected_marks([low, high])
        goal = share * self.total
        if not least < goal < most:
            raise ScaleError(
                f"the reference form expects {least:.1f}…{most:.1f} of {self.total:g} marks: {goal:g} is never reached"
            )
        return _root(
            lambda theta: float(self.expected_marks(theta)[0]) - goal, (low, least - goal), (high, most - goal)
        )


def _root(function: Callable[[float], float], low: tuple[float, float], high: tuple[float, float]) -> float:
    """Where an increasing function is 0, between two points (x, value): Illinois method (Dowell & Jarratt, 1971)."""
    (a, at_a), (b, at_b) = low, high
    for _ in range(200):
        x = b - at_b * (b - a) / (at_b - at_a)
        value = function(x)
        if value == 0 or abs(b - a) < 1e-14 or x in {a, b}:
            return x
        if (value > 0) != (at_b > 0):
            a, at_a = b, at_b
        else:
            at_a /= 2
        b, at_b = x, value
    return b


def _all(marks: ArrayLike, items: Sequence[ItemParameters]) -> Matrix:
    each = np.asarray(marks, float)
    if each.shape != (len(items),):
        raise ScaleError(f"marks for {each.size} items, but the form has {len(items)}")
    return each


def _worth(item: ItemParameters, marks: float) -> ItemParameters:
    own = item.category_marks
    if max(own) <= 0 or marks < 0:
        raise ScaleError(f"item {item.id}: marks of {marks:g} on categories worth {', '.join(f'{m:g}' for m in own)}")
    return replace(item, marks=tuple(m * marks / max(own) for m in own))


def read_reference(path: Path, items: Sequence[ItemParameters] = (), scale: Scale | None = None) -> ReferenceForm:
    """A reference form from a parameter file (JSON, items with or without `marks`) or from a CSV with `item,marks`.

    The CSV takes its parameters from `items`, on `scale`; several marks in a cell, apart by `;`, are those of the
    categories, one is the most the item is worth. Raises ScaleError (row and column) or what `read_parameters` raises;
    a form in JSON on another scale than `scale` is refused.
    """
    from calibration.result import read_parameters  # noqa: PLC0415  (result scores persons itself)

    if path.suffix.lower() != ".csv":
        on, own = read_parameters(path)
        if scale is not None and scale.id != on.id:
            raise ScaleError(f"{path}: the form is on scale {on.id!r}, the scores on {scale.id!r}: link them first")
        if not own:
            raise ScaleError(f"{path}: no items")
        return ReferenceForm.of(own, on)
    known = {item.id: item for item in items}
    form: dict[str, ItemParameters] = {}
    for number, (name, cell) in _rows(path):
        place = f"{path}, row {number}"
        if name not in known:
            raise ScaleError(f"{place}, column item: {name!r} has no parameters")
        if name in form:
            raise ScaleError(f"{place}, column item: {name!r} stands twice")
        form[name] = _marked(known[name], cell, place)
    if not form:
        raise ScaleError(f"{path}: no items below the header")
    return ReferenceForm.of(list(form.values()), scale)


def check_reference(path: Path, items: Collection[str], scale: Scale | None = None) -> None:
    """Raise what `read_reference` will, as far as it can be told from the names of the items alone.

    For before a calibration that takes long.
    """
    if path.suffix.lower() != ".csv":
        read_reference(path, (), scale)
        return
    known = {name: ItemParameters(name, "GPCM", b=(0.0,)) for name in items}
    for _, (name, cell) in _rows(path):
        if name in known:  # as many categories as there are marks: how many there will be is not known yet
            known[name] = replace(known[name], b=(0.0,) * max(cell.count(SEPARATOR), 1))
    read_reference(path, list(known.values()), scale)


def _rows(path: Path) -> list[tuple[int, tuple[str, str]]]:
    try:
        lines = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    except UnicodeDecodeError as error:
        raise ScaleError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8 CSV") from None
    except csv.Error as error:
        raise ScaleError(f"{path}: not CSV ({error})") from None
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    if not {"item", "marks"} <= set(header):
        raise ScaleError(f"{path}, row 1: expected the columns item,marks")
    at = header.index("item"), header.index("marks")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if line and len(line) != len(header):
            raise ScaleError(f"{path}, row {number}: {len(line)} cells, the header has {len(header)}")
        if line:
            rows.append((number, (line[at[0]].strip(), line[at[1]].strip())))
    return rows


def _marked(item: ItemParameters, cell: str, place: str) -> ItemParameters:
    try:
        marks = tuple(float(part) for part in cell.split(SEPARATOR))
    except ValueError:
        marks = (float("nan"),)
    if not np.isfinite(marks).all() or max(marks) <= 0:
        raise ScaleError(f"{place}, column marks: {cell!r}; expected a number above 0, or one for each category by ';'")
    if len(marks) == 1:
        return _worth(item, marks[0])
    if len(marks) != item.categories:
        raise ScaleError(
            f"{place}, column marks: {len(marks)} marks, but item {item.id!r} has {item.categories} categories"
        )
    return replace(item, marks=marks)
