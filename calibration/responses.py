"""Who answered what: the data of a calibration.

A response is one row (person, item, score) of a long table, so that incomplete designs cost what they hold and nothing
more. Three kinds of silence are kept apart: *not administered* has no row; *omitted* has a row with score 0; *not
reached* has a row that a calibration ignores and a total of marks counts as 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ANSWERED, OMITTED, NOT_REACHED = 0, 1, 2

OMITTED_CELLS = frozenset({"", "NA", "."})
NOT_REACHED_CELL = "@NR"
RESERVED_COLUMNS = frozenset({"person", "form", "group", "weight", "freq", "position", "seconds", "rater"})


class ResponsesError(ValueError):
    """Responses that cannot be used; the message names file, row and column and says what was expected."""


@dataclass(frozen=True, slots=True)
class Responses:
    """Scored responses in long form, sorted by person, then item.

    `person`, `item` (R,) index into `persons` (N) and `items` (J); `score` (R,) is 0, 1, …; `status` (R,) is ANSWERED,
    OMITTED or NOT_REACHED. `option` (R,) indexes `options`, the distinct response codes, where the file held the
    options chosen instead of scores (-1 for none). `weight` (N,) weighs persons. `form` (N,) indexes `forms`: persons
    with the same form saw the same items.

    With raters a person has a row for each rater of an item, sorted by person, item, rater.
    """

    persons: tuple[str, ...]
    items: tuple[str, ...]
    person: NDArray[np.int32]
    item: NDArray[np.int32]
    score: NDArray[np.int16]
    status: NDArray[np.uint8]
    weight: NDArray[np.float64]
    form: NDArray[np.int32]
    forms: tuple[str, ...]
    option: NDArray[np.int16] | None = None
    options: tuple[str, ...] = ()
    key: Mapping[str, str] = field(default_factory=dict)
    group: NDArray[np.int32] | None = None  # (N,), indexes `groups`; None: all persons are of one group
    groups: tuple[str, ...] = ()
    rater: NDArray[np.int32] | None = None  # (R,), indexes `raters`; None: no raters
    raters: tuple[str, ...] = ()
    position: NDArray[np.int32] | None = None  # (R,), place of the item in the person's test, from 1; 0 unknown
    seconds: NDArray[np.float32] | None = None  # (R,), time spent on the item, NaN unknown
    shift: Mapping[str, int] = field(default_factory=dict)  # what was taken from the scores of an item to start at 0

    @property
    def counts(self) -> dict[str, int]:
        """How many responses were answered, omitted and not reached, and how many pairs were not administered."""
        kinds = np.bincount(self.status, minlength=3)
        return {
            "answered": int(kinds[ANSWERED]),
            "omitted": int(kinds[OMITTED]),
            "not_reached": int(kinds[NOT_REACHED]),
            "not_administered": len(self.persons) * len(self.items) - len(self.score),
        }

    def dense(self) -> NDArray[np.float64]:
        """Scores as (N, J), NaN where not administered or not reached."""
        table = np.full((len(self.persons), len(self.items)), np.nan)
        used = self.status != NOT_REACHED
        table[self.person[used], self.item[used]] = self.score[used]
        return table

    def item_counts(self) -> NDArray[np.float64]:
        """Weighted number of persons behind each item, (J,)."""
        used = self.status != NOT_REACHED
        return np.bincount(self.item[used], self.weight[self.person[used]], len(self.items)).astype(float)

    @classmethod
    def from_matrix(
        cls,
        scores: NDArray[np.float64],
        items: Sequence[str] | None = None,
        *,
        persons: Sequence[str] | None = None,
        weight: NDArray[np.float64] | None = None,
    ) -> Responses:
        """Responses from a table of scores (N, J), NaN = not administered.

        Raises ResponsesError when a score is not a whole number from 0.
        """
        N, J = scores.shape
        person, item = np.nonzero(~np.isnan(scores))
        score = scores[person, item]
        bad = np.flatnonzero((score < 0) | (score != np.round(score)))
        names = tuple(items) if items is not None else tuple(f"item{j + 1}" for j in range(J))
        if bad.size:
            first = bad[0]
            raise ResponsesError(
                f"row {person[first] + 1}, item {names[item[first]]}: score {score[first]:g}; scores are 0, 1, 2, …"
            )
        administered = ~np.isnan(scores)
        _, form = np.unique(administered, axis=0, return_inverse=True)
        return cls(
            persons=tuple(persons) if persons is not None else tuple(str(i + 1) for i in range(N)),
            items=names,
            person=person.astype(np.int32),
            item=item.astype(np.int32),
            score=score.astype(np.int16),
            status=np.zeros(len(score), np.uint8),
            weight=np.ones(N) if weight is None else np.asarray(weight, float),
            form=form.reshape(N).astype(np.int32),
            forms=tuple(str(f + 1) for f in range(int(form.max(initial=-1)) + 1)),
        )


@dataclass(slots=True)
class _Rows:
    """The rows of a file while it is read; `where` remembers the line of each person for messages."""

    path: Path
    key: Mapping[str, str] | None
    max_score: int
    persons: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    weights: list[float] = field(default_factory=list)
    person_forms: list[str] = field(default_factory=list)
    cells: list[tuple[int, int, int, int, int]] = field(default_factory=list)  # person, item, score, status, option

    def item_index(self, name: str, place: str) -> int:
        if self.key is not None and name not in self.key:
            raise ResponsesError(
                f"{self.path}, {place}: item {name!r} has no key; add it to the key or remove the item"
            )
        return self.items.setdefault(name, len(self.items))

    def add(self, person: int, item: int, name: str, cell: str, place: str) -> None:
        if cell == NOT_REACHED_CELL:
            self.cells.append((person, item, 0, NOT_REACHED, -1))
        elif cell in OMITTED_CELLS:
            self.cells.append((person, item, 0, OMITTED, -1))
        elif self.key is not None:
            option = self.options.setdefault(cell, len(self.options))
            self.cells.append((person, item, int(cell == self.key[name]), ANSWERED, option))
        else:
            self.cells.append((person, item, self.score(cell, place), ANSWERED, -1))

    def score(self, cell: str, place: str) -> int:
        try:
            value = int(cell)
        except ValueError:
            raise ResponsesError(
                f"{self.path}, {place}: {cell!r} is not a score; expected 0…{self.max_score}, "
                "or give a key if the file holds the options chosen"
            ) from None
        if not 0 <= value <= self.max_score:
            raise ResponsesError(f"{self.path}, {place}: score {value} is outside 0…{self.max_score}")
        return value

    def responses(self) -> Responses:
        if not self.cells:
            raise ResponsesError(f"{self.path}: no responses; expected one row a person below the header")
        table = np.array(self.cells, dtype=np.int64)
        table = table[np.lexsort((table[:, 1], table[:, 0]))]
        forms = {name: f for f, name in enumerate(dict.fromkeys(self.person_forms))}
        return Responses(
            persons=tuple(self.persons),
            items=tuple(self.items),
            person=table[:, 0].astype(np.int32),
            item=table[:, 1].astype(np.int32),
            score=table[:, 2].astype(np.int16),
            status=table[:, 3].astype(np.uint8),
            weight=np.array(self.weights),
            form=np.array([forms[name] for name in self.person_forms], np.int32),
            forms=tuple(forms),
            option=table[:, 4].astype(np.int16) if self.key is not None else None,
            options=tuple(self.options),
            key=dict(self.key) if self.key is not None else {},
        )


def read_responses(path: Path, *, key: Mapping[str, str] | None = None, max_score: int = 1) -> Responses:
    """Responses from a CSV file, wide or long (docs/calibrate.md describes both).

    With a `key` (item → right option) the cells are the options chosen and are scored 0/1 against it; without one they
    are scores from 0 to `max_score`. Raises ResponsesError for an unknown item, a score outside its range, a repeated
    person or person-item pair, a ragged row or a negative weight, naming the row and column.
    """
    header, lines = _csv_rows(path)
    rows = _Rows(path, key, max_score)
    names = {name.lower() for name in header}
    if {"person", "item"} <= names and ({"score", "response"} & names):
        _read_long(header, lines, rows)
    else:
        _read_wide(header, lines, rows)
    return rows.responses()


def _csv_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header, and all rows with the header's, of a CSV file in which every row is as long as the header."""
    content = path.read_bytes()
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        raise ResponsesError(f"{path}, row {row}: not UTF-8; save the file as UTF-8 CSV") from None
    except csv.Error as error:
        raise ResponsesError(f"{path}: not CSV ({error}); look for a quotation mark that is not closed") from None
    if not lines:
        raise ResponsesError(f"{path}: the file is empty; expected a header row")
    header = [cell.strip() for cell in lines[0]]
    repeated = [name for n, name in enumerate(header) if name in header[:n]]
    if repeated:
        raise ResponsesError(f"{path}, row 1: column {repeated[0]!r} stands twice")
    for number, line in enumerate(lines[1:], start=2):
        if line and len(line) != len(header):
            raise ResponsesError(f"{path}, row {number}: {len(line)} cells, the header has {len(header)}")
    return header, lines


def _weight(cell: str, path: Path, number: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if not 0 <= value < np.inf:
        raise ResponsesError(f"{path}, row {number}: weight {cell!r}; expected a number from 0")
    return value


def _read_wide(header: list[str], lines: list[list[str]], rows: _Rows) -> None:
    special = {name.lower(): n for n, name in enumerate(header) if name.lower() in RESERVED_COLUMNS}
    person_column, form_column = special.get("person"), special.get("form")
    weight_column = special.get("weight", special.get("freq"))
    item_columns = [(n, name) for n, name in enumerate(header) if n not in special.values()]
    indices = {n: rows.item_index(name, f"row 1, column {name}") for n, name in item_columns}
    body = [(number, [cell.strip() for cell in line]) for number, line in enumerate(lines[1:], start=2) if line]
    on_form: dict[str, set[int]] = {}
    for _, line in body:
        form = line[form_column] if form_column is not None else ""
        seen = on_form.setdefault(form, set())
        seen.update(n for n, _ in item_columns if line[n] not in OMITTED_CELLS)
    first_row: dict[str, int] = {}
    for number, line in body:
        name = line[person_column] if person_column is not None else str(number - 1)
        if name in first_row:
            raise ResponsesError(f"{rows.path}, row {number}: person {name!r} already stands in row {first_row[name]}")
        first_row[name] = number
        person = rows.persons.setdefault(name, len(rows.persons))
        rows.weights.append(_weight(line[weight_column], rows.path, number) if weight_column is not None else 1.0)
        form = line[form_column] if form_column is not None else ""
        rows.person_forms.append(form)
        for n, item in item_columns:
            administered = n in on_form[form] if form_column is not None else line[n] not in OMITTED_CELLS
            if administered:
                rows.add(person, indices[n], item, line[n], f"row {number}, column {item}")


def _read_long(header: list[str], lines: list[list[str]], rows: _Rows) -> None:
    at = {name.lower(): n for n, name in enumerate(header)}
    value = at["response"] if rows.key is not None and "response" in at else at.get("score", at.get("response", -1))
    first_row: dict[tuple[int, int], int] = {}
    persons: dict[str, tuple[float, str]] = {}
    for number, raw in enumerate(lines[1:], start=2):
        if not raw:
            continue
        line = [cell.strip() for cell in raw]
        name = line[at["person"]]
        weight_column = at.get("weight", at.get("freq"))
        weight = _weight(line[weight_column], rows.path, number) if weight_column is not None else 1.0
        about = (weight, line[at["form"]] if "form" in at else "")
        if persons.setdefault(name, about) != about:
            raise ResponsesError(f"{rows.path}, row {number}: person {name!r} has another form or weight than before")
        person = rows.persons.setdefault(name, len(rows.persons))
        if person == len(rows.weights):
            rows.weights.append(weight)
            rows.person_forms.append(about[1])
        item_name = line[at["item"]]
        item = rows.item_index(item_name, f"row {number}")
        if (person, item) in first_row:
            raise ResponsesError(
                f"{rows.path}, row {number}: person {name!r}, item {item_name!r} "
                f"already stands in row {first_row[person, item]}"
            )
        first_row[person, item] = number
        rows.add(person, item, item_name, line[value], f"row {number}, column {header[value]}")


def pool_responses(parts: Sequence[Responses]) -> Responses:
    """Several sittings as one set of responses; persons are told apart by sitting, items are joined by id.

    Raises ResponsesError when a sitting is given twice, or when the same item carries two keys: which of them a person
    was scored by would be lost.
    """
    for s, part in enumerate(parts):
        twin = next((t for t in range(s) if _same(parts[t], part)), None)
        if twin is not None:
            raise ResponsesError(
                f"sittings {twin + 1} and {s + 1} hold the same persons with the same answers: give each sitting once"
            )
    items = tuple(dict.fromkeys(name for part in parts for name in part.items))
    index = {name: j for j, name in enumerate(items)}
    options = tuple(dict.fromkeys(code for part in parts for code in part.options))
    option_index = {code: k for k, code in enumerate(options)}
    forms = tuple(f"{s + 1}/{name}" for s, part in enumerate(parts) for name in part.forms)
    key: dict[str, str] = {}
    for part in parts:
        for name, code in part.key.items():
            if key.setdefault(name, code) != code:
                raise ResponsesError(f"item {name}: keyed {key[name]} in one sitting and {code} in another")
    persons_before = np.concatenate([[0], np.cumsum([len(part.persons) for part in parts])])
    forms_before = np.concatenate([[0], np.cumsum([len(part.forms) for part in parts])])
    rows = [
        np.stack(
            [
                part.person + persons_before[s],
                np.array([index[name] for name in part.items])[part.item],
                part.score,
                part.status,
                _remap(part, option_index),
            ]
        )
        for s, part in enumerate(parts)
    ]
    table = np.concatenate(rows, axis=1)
    table = table[:, np.lexsort((table[1], table[0]))]
    return Responses(
        persons=tuple(f"{s + 1}/{name}" for s, part in enumerate(parts) for name in part.persons),
        items=items,
        person=table[0].astype(np.int32),
        item=table[1].astype(np.int32),
        score=table[2].astype(np.int16),
        status=table[3].astype(np.uint8),
        weight=np.concatenate([part.weight for part in parts]),
        form=np.concatenate([part.form + forms_before[s] for s, part in enumerate(parts)]).astype(np.int32),
        forms=forms,
        option=table[4].astype(np.int16) if all(part.option is not None for part in parts) else None,
        options=options,
        key=key,
    )


def _same(one: Responses, other: Responses) -> bool:
    if (one.persons, one.items, one.options) != (other.persons, other.items, other.options):
        return False
    columns = ("person", "item", "score", "status")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)


def _remap(part: Responses, option_index: Mapping[str, int]) -> NDArray[np.int64]:
    if part.option is None:
        return np.full(len(part.score), -1)
    lookup = np.array([option_index[code] for code in part.options] + [-1])
    return lookup[part.option]


def read_key(path: Path) -> dict[str, str]:
    """The key of a sitting, item → right option, from a CSV with the columns `item,key`.

    Raises ResponsesError for another header, an item with two keys or an empty key, naming the row.
    """
    header, lines = _csv_rows(path)
    if not {"item", "key"} <= set(header):
        raise ResponsesError(f"{path}, row 1: expected the columns item,key")
    at_item, at_key = header.index("item"), header.index("key")
    rows = [
        (number, line[at_item].strip(), line[at_key].strip()) for number, line in enumerate(lines[1:], start=2) if line
    ]
    for (_, before, _), (number, item, _) in pairwise(sorted(rows, key=lambda row: row[1])):
        if before == item:
            raise ResponsesError(f"{path}, row {number}: item {item!r} has a second key")
    empty = [number for number, _, code in rows if not code]
    if empty:
        raise ResponsesError(f"{path}, row {empty[0]}: the key is empty")
    return {item: code for _, item, code in rows}
