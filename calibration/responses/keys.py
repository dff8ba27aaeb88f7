"""Keys: what each response to an item is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from calibration.responses.cells import MAX_CATEGORIES, ResponsesError, number_in, plain
from calibration.responses.sheets import read_rows

# The right option (`A`), several right ones (`A;C`), or the marks of each option that earns any ({"A": 2, "B": 0.5}).
KeyOfItem: TypeAlias = str | Mapping[str, float]
Key: TypeAlias = Mapping[str, KeyOfItem]


def right_options(key: KeyOfItem) -> frozenset[str]:
    """The options that earn all the marks of an item."""
    if isinstance(key, str):
        return frozenset(code for code in map(str.strip, key.split(";")) if code)
    best = max(key.values(), default=0.0)
    return frozenset(code for code, marks in key.items() if marks == best)


@dataclass(frozen=True, slots=True)
class ScoredOptions:
    """The key of an item as score categories: `category` of each option it names, `other` for every other and for
    omissions, `marks` of each category ascending (empty for 0, 1).
    """

    category: Mapping[str, int]
    other: int
    marks: tuple[float, ...]


def scored_options(item: str, key: KeyOfItem) -> ScoredOptions:
    """Options as score categories: options of equal marks are one category, in the order of their marks.

    Raises ResponsesError for a key that names no option, has marks that are not numbers or none above 0.
    """
    if isinstance(key, str):
        if not right_options(key):
            raise ResponsesError(f"item {item!r}: the key is empty")
        return ScoredOptions({plain(code): 1 for code in right_options(key)}, 0, ())
    values = {plain(code): float(marks) for code, marks in key.items()}
    if not np.isfinite(list(values.values())).all():
        raise ResponsesError(f"item {item!r}: the key has marks that are not numbers")
    if max(values.values(), default=0.0) <= 0:
        raise ResponsesError(f"item {item!r}: no option of the key earns marks")
    marks = sorted({0.0, *values.values()})
    if len(marks) > MAX_CATEGORIES:
        raise ResponsesError(f"item {item!r}: {len(marks)} different marks; at most {MAX_CATEGORIES} categories")
    category = {code: marks.index(value) for code, value in values.items()}
    return ScoredOptions(category, marks.index(0.0), () if marks == [0.0, 1.0] else tuple(marks))


def score_table(
    items: Sequence[str], texts: Sequence[str], key: Key, answer: NDArray[np.bool_]
) -> tuple[NDArray[np.int16], dict[str, tuple[float, ...]]]:
    """Category of every text as a response to every item, (J, V), and the marks of items whose are not 0, 1.

    `answer` (V,) says which texts are answers at all; the others earn nothing.
    """
    index: dict[str, list[int]] = {}
    for v in np.flatnonzero(answer).tolist():
        index.setdefault(plain(texts[v]), []).append(v)
    table = np.zeros((len(items), len(texts)), np.int16)
    marks = {}
    for j, item in enumerate(items):
        scored = scored_options(item, key[item])
        table[j] = scored.other
        for code, category in scored.category.items():
            table[j, index.get(code, [])] = category
        if scored.marks:
            marks[item] = scored.marks
    return table, marks


def read_key(path: Path) -> dict[str, KeyOfItem]:
    """The key of a sitting, item → right option or the marks of each option, from a CSV.

    Columns `item,key`: the right option, or several (`A;C`); with a third column `marks`, what it is worth. Columns
    `item,response,score`: a row an option that earns marks, those without a row earn none. Raises ResponsesError for
    another header, an item or option that stands twice, an empty key, or marks that are not numbers, naming the row.
    """
    header, rows = read_rows(path)
    at = {name.lower(): n for n, name in enumerate(header)}
    if {"item", "response", "score"} <= at.keys():
        return _partial_credit(path, [(n, r[at["item"]], r[at["response"]], r[at["score"]]) for n, r in rows])
    if not {"item", "key"} <= at.keys():
        raise ResponsesError(f"{path}, row 1: expected the columns item,key or item,response,score")
    key: dict[str, KeyOfItem] = {}
    for number, row in rows:
        item, code = row[at["item"]], row[at["key"]]
        if item in key:
            raise ResponsesError(f"{path}, row {number}: item {item!r} has a second key")
        if not right_options(code):
            raise ResponsesError(f"{path}, row {number}: the key is empty")
        key[item] = code
        worth = row[at["marks"]] if "marks" in at else ""
        if worth:
            marks = number_in(worth)
            if not 0 < marks < np.inf:
                raise ResponsesError(f"{path}, row {number}: marks {worth!r}; expected a number above 0")
            key[item] = dict.fromkeys(sorted(right_options(code)), marks)
    return key


def _partial_credit(path: Path, rows: Sequence[tuple[int, str, str, str]]) -> dict[str, KeyOfItem]:
    key: dict[str, dict[str, float]] = {}
    for number, item, response, score in rows:
        marks = number_in(score)
        if not np.isfinite(marks):
            raise ResponsesError(f"{path}, row {number}: score {score!r}; expected a number")
        if not response:
            raise ResponsesError(f"{path}, row {number}: the response is empty")
        if response in key.setdefault(item, {}):
            raise ResponsesError(f"{path}, row {number}: item {item!r} has a second score for {response!r}")
        key[item][response] = marks
    for item, options in key.items():
        if max(options.values()) <= 0:
            raise ResponsesError(f"{path}: no response to item {item!r} earns marks")
    return dict(key)


def read_marks(path: Path) -> dict[str, tuple[float, ...]]:
    """What each score category of an item is worth, from a CSV with the columns `item,marks` (`0;0.5;1;2`).

    Raises ResponsesError for another header, an item that stands twice, and marks that are not numbers or do not
    ascend, naming the row.
    """
    header, rows = read_rows(path)
    at = {name.lower(): n for n, name in enumerate(header)}
    if not {"item", "marks"} <= at.keys():
        raise ResponsesError(f"{path}, row 1: expected the columns item,marks")
    marks: dict[str, tuple[float, ...]] = {}
    for number, row in rows:
        item, listed = row[at["item"]], tuple(number_in(cell.strip()) for cell in row[at["marks"]].split(";"))
        if item in marks:
            raise ResponsesError(f"{path}, row {number}: item {item!r} stands twice")
        if len(listed) < 2 or not np.isfinite(listed).all() or min(np.diff(listed)) <= 0:
            expected = "expected those of every category, ascending, like 0;1;2"
            raise ResponsesError(f"{path}, row {number}: marks {row[at['marks']]!r}; {expected}")
        marks[item] = listed
    return marks
