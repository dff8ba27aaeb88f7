"""Angoff standard setting: judges say how many of the barely qualified would do each item; the cut is the sum.

A modified Angoff study has rounds: after each the judges see one another's ratings, and often how candidates really did
(reality data), and rate again. Ratings are shares of the item's marks, 0 to 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class StandardSettingError(ValueError):
    """Ratings or bookmarks that make no cut; the message says where and what was expected."""


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings (rounds, judges, items) from 0 to 1 for the shares of the items' marks; complete within a round."""

    rounds: tuple[str, ...]
    judges: tuple[str, ...]
    items: tuple[str, ...]
    table: FloatArray


@dataclass(frozen=True, slots=True)
class JudgeStatistics:
    """One judge: own cut as a share of the marks, correlation and root mean square distance to the others' means.

    `reality_correlation` and `reality_gap` (mean of rating less p-value) compare with how candidates did.
    """

    judge: str
    cut: float
    agreement: float
    distance: float
    reality_correlation: float
    reality_gap: float


@dataclass(frozen=True, slots=True)
class AngoffRound:
    """One round: the cut in marks and as a share of them, with standard errors, variance components and judges.

    `se_judges` generalises over judges with these items; `se` over judges and items (Brennan & Lockwood, 1980, eq. 9),
    both of the share. `dependability` is that of the mean over judges as a measure of the items (Φ for the items as
    objects); `variance` maps judge, item and residual to their components.
    """

    round: str
    n_judges: int
    n_items: int
    marks: float
    total_marks: float
    cut: float
    se_judges: float
    se: float
    variance: Mapping[str, float]
    dependability: float
    items: Mapping[str, float]
    item_sd: Mapping[str, float]
    judges: tuple[JudgeStatistics, ...]


def angoff(
    ratings: Ratings,
    *,
    marks: Mapping[str, float] | None = None,
    reality: Mapping[str, float] | None = None,
) -> tuple[AngoffRound, ...]:
    """The cut of each round. `marks` are the items' (default 1 each), `reality` their p-values among candidates.

    Raises StandardSettingError for fewer than two judges or items, or an item without marks.
    """
    if len(ratings.judges) < 2 or len(ratings.items) < 2:
        raise StandardSettingError("a cut with a standard error needs two judges and two items at least")
    absent = [item for item in ratings.items if marks is not None and item not in marks]
    if absent:
        raise StandardSettingError(f"item {absent[0]} has no marks")
    worth = np.array([(marks or {}).get(item, 1.0) for item in ratings.items])
    if worth.min() < 0 or worth.sum() <= 0:
        raise StandardSettingError("marks must be positive")
    return tuple(
        _round(name, ratings, table, worth, reality or {})
        for name, table in zip(ratings.rounds, ratings.table, strict=True)
    )


def _round(
    name: str, ratings: Ratings, table: FloatArray, worth: FloatArray, reality: Mapping[str, float]
) -> AngoffRound:
    n_j, n_i = table.shape
    weighted = table * worth * n_i / worth.sum()  # its mean over items is the share of the marks
    judge, item, residual = variance_components(weighted)
    cut = float(weighted.mean())
    return AngoffRound(
        round=name,
        n_judges=n_j,
        n_items=n_i,
        marks=cut * float(worth.sum()),
        total_marks=float(worth.sum()),
        cut=cut,
        se_judges=float(weighted.mean(axis=1).std(ddof=1) / np.sqrt(n_j)),
        se=float(np.sqrt(judge / n_j + item / n_i + residual / (n_j * n_i))),
        variance={"judge": judge, "item": item, "residual": residual},
        dependability=item / (item + judge / n_j + residual / n_j) if item > 0 else 0.0,
        items=dict(zip(ratings.items, table.mean(axis=0).tolist(), strict=True)),
        item_sd=dict(zip(ratings.items, table.std(axis=0, ddof=1).tolist(), strict=True)),
        judges=tuple(_judge(j, ratings, table, weighted, reality) for j in range(n_j)),
    )


def variance_components(table: FloatArray) -> tuple[float, float, float]:
    """Judge, item and residual variance of a crossed table (judges, items), from mean squares; negative ones are 0."""
    n_j, n_i = table.shape
    grand = table.mean()
    judges, items = table.mean(axis=1) - grand, table.mean(axis=0) - grand
    ms_judge = n_i * float(judges @ judges) / (n_j - 1)
    ms_item = n_j * float(items @ items) / (n_i - 1)
    rest = table - grand - judges[:, None] - items
    residual = float(np.sum(rest**2)) / ((n_j - 1) * (n_i - 1))
    return max((ms_judge - residual) / n_i, 0.0), max((ms_item - residual) / n_j, 0.0), residual


def _judge(
    j: int, ratings: Ratings, table: FloatArray, weighted: FloatArray, reality: Mapping[str, float]
) -> JudgeStatistics:
    others = np.delete(table, j, axis=0).mean(axis=0)
    known = np.array([item in reality for item in ratings.items])
    p = np.array([reality[item] for item in ratings.items if item in reality])
    return JudgeStatistics(
        judge=ratings.judges[j],
        cut=float(weighted[j].mean()),
        agreement=_correlation(table[j], others),
        distance=float(np.sqrt(np.mean((table[j] - others) ** 2))),
        reality_correlation=_correlation(table[j][known], p),
        reality_gap=float(np.mean(table[j][known] - p)) if known.any() else float("nan"),
    )


def _correlation(x: FloatArray, y: FloatArray) -> float:
    if len(x) < 3 or x.std() < 1e-12 or y.std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def read_ratings(path: Path, *, percent: bool = False) -> Ratings:
    """Ratings from a CSV: long (`judge,item,rating[,round]`) or wide (`judge[,round]`, then a column an item).

    Shares from 0 to 1, or 0 to 100 with `percent`. Raises StandardSettingError for a rating out of range, one that
    stands twice, and one that is missing, naming row, judge and item.
    """
    header, rows = read_table(path)
    names = [name.lower() for name in header]
    if "judge" not in names:
        raise StandardSettingError(f"{path}, row 1: no column judge; expected judge,item,rating or judge and the items")
    long = {"item", "rating"} <= set(names)
    cells: dict[tuple[str, str, str], float] = {}
    for number, row in rows:
        record = dict(zip(names, row, strict=True))
        round_, judge = record.get("round", "1") or "1", record["judge"]
        pairs = (
            [(record["item"], record["rating"])]
            if long
            else [
                (name, cell)
                for name, low, cell in zip(header, names, row, strict=True)
                if low not in {"judge", "round"}
            ]
        )
        for item, cell in pairs:
            if (round_, judge, item) in cells:
                raise StandardSettingError(f"{path}, row {number}: judge {judge}, item {item} is rated twice")
            cells[round_, judge, item] = _share(cell, percent, f"{path}, row {number}, item {item}")
    rounds, judges, items = (tuple(dict.fromkeys(key[part] for key in cells)) for part in range(3))
    for key in ((r, j, i) for r in rounds for j in judges for i in items):
        if key not in cells:
            raise StandardSettingError(f"{path}: judge {key[1]} has no rating of item {key[2]} in round {key[0]}")
    table = np.array([[[cells[r, j, i] for i in items] for j in judges] for r in rounds])
    return Ratings(rounds, judges, items, table.reshape(len(rounds), len(judges), len(items)))


def read_numbers(path: Path, column: str) -> dict[str, float]:
    """A CSV `item,<column>` as a mapping. Raises StandardSettingError, naming the row."""
    header, rows = read_table(path)
    names = [name.lower() for name in header]
    if "item" not in names or column not in names:
        raise StandardSettingError(f"{path}, row 1: expected the columns item,{column}")
    out = {}
    for number, row in rows:
        try:
            out[row[names.index("item")]] = float(row[names.index(column)])
        except ValueError:
            raise StandardSettingError(f"{path}, row {number}: {row[names.index(column)]!r} is not a number") from None
    return out


def read_pairs(path: Path, first: str, second: str) -> dict[str, str]:
    """A CSV `<first>,<second>` as a mapping of text. Raises StandardSettingError for another header."""
    header, rows = read_table(path)
    names = [name.lower() for name in header]
    if first not in names or second not in names:
        raise StandardSettingError(f"{path}, row 1: expected the columns {first},{second}")
    return {row[names.index(first)]: row[names.index(second)] for _, row in rows}


def read_pages(path: Path) -> dict[str, int]:
    """Bookmarks from a CSV `judge,page`. Raises StandardSettingError for a page that is no whole number."""
    pages = read_pairs(path, "judge", "page")
    bad = next((judge for judge, page in pages.items() if not page.isdigit()), None)
    if bad is not None:
        raise StandardSettingError(f"{path}, judge {bad}: page {pages[bad]!r} is not a whole number")
    return {judge: int(page) for judge, page in pages.items()}


def _share(cell: str, percent: bool, place: str) -> float:  # noqa: FBT001
    top = 100.0 if percent else 1.0
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= top:
        hint = "" if percent else "; for percentages ask for percent"
        raise StandardSettingError(f"{place}: {cell!r}; expected a rating from 0 to {top:g}{hint}")
    return value / top


def read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and numbered rows of a CSV. Raises StandardSettingError where it is none or a row is ragged."""
    try:
        lines = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise StandardSettingError(f"{path}: not CSV in UTF-8 ({error})") from None
    rows = [(number, [cell.strip() for cell in line]) for number, line in enumerate(lines, start=1) if line]
    if len(rows) < 2:
        raise StandardSettingError(f"{path}: a header and at least one row are needed")
    header = rows[0][1]
    ragged = next((number for number, row in rows if len(row) != len(header)), None)
    if ragged is not None:
        raise StandardSettingError(f"{path}, row {ragged}: not as many cells as the header has ({len(header)})")
    return header, rows[1:]
