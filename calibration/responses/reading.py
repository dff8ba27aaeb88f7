"""From a sheet of cells, wide or long, to scored responses; every mistake is reported with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.responses.arrow import ArrowTable, is_parquet, read_parquet_sheet, sheet_of_batches, sheet_of_table
from calibration.responses.cells import (
    ANSWERED,
    MAX_CATEGORIES,
    NOT_REACHED,
    OMITTED,
    ResponsesError,
    number_in,
    status_of,
)
from calibration.responses.keys import Key, score_table
from calibration.responses.layouts import OnForm, Rows, repeated, rows_of, weights_of
from calibration.responses.sheets import Column, Sheet, column_of_array, read_csv_sheet, sheet_of_arrays
from calibration.responses.values import Responses, lowest_scores

if TYPE_CHECKING:
    import pyarrow as pa

OmittedPolicy: TypeAlias = Literal["wrong", "missing"]
Source: TypeAlias = "str | Path | ArrowTable | Iterator[pa.RecordBatch] | Mapping[str, ArrayLike] | NDArray[Any]"


def read_responses(
    source: Source,
    *,
    key: Key | None = None,
    marks: Mapping[str, Sequence[float]] | None = None,
    max_score: int = MAX_CATEGORIES - 1,
    omitted: OmittedPolicy = "wrong",
    shift: Mapping[str, int] | None = None,
    items: Sequence[str] | None = None,
    group: str | None = None,
) -> Responses:
    """Responses from a file or a table, wide or long (docs/calibrate.md describes both).

    `source` is the path of a CSV or Parquet file or of a folder of Parquet files; a pandas, polars or Arrow table
    or an iterator of Arrow batches; a mapping of column names to arrays (n,); or a table of scores (N, J), NaN where
    not administered.

    With a `key` (item → right option, several as `A;C`, or the marks of each option) the cells are the options chosen;
    without one they are whole scores from 0 to `max_score`. `marks` say what each score category of an item is worth
    where that is not 0, 1, …. `omitted` scores an omission as 0 ("wrong") or has it ignored ("missing").

    Scores of an item that vary and start above 0 are shifted to start at 0; with a `shift` (that of an earlier
    calibration) exactly its items are. `items` states the order of the items, and that there are no others; `group`
    names the column that tells groups apart where it is not called so.

    Raises ResponsesError for an unknown item, a score outside its range, a repeated person or person–item(–rater)
    pair, a ragged row or a negative weight, naming the row and column.
    """
    rules = ScoringRules(key, marks or {}, max_score, omitted, shift)
    sheet = sheet_of(source)
    return score_sheet(sheet if group is None else _grouped_by(sheet, group), rules, items)


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """How cells become scores: the arguments of `read_responses` of the same names."""

    key: Key | None = None
    marks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    max_score: int = MAX_CATEGORIES - 1
    omitted: OmittedPolicy = "wrong"
    shift: Mapping[str, int] | None = None


def sheet_of(source: Source) -> Sheet:
    """The sheet of a file, a table, batches, a mapping of arrays or a table of scores. Raises ResponsesError."""
    if isinstance(source, (str, Path)):
        path = Path(source)
        return read_parquet_sheet(path) if is_parquet(path) else read_csv_sheet(path)
    if isinstance(source, Mapping):
        return sheet_of_arrays(source)
    if isinstance(source, ArrowTable):
        return sheet_of_table(source)
    if isinstance(source, Iterator):
        return sheet_of_batches(source)
    if not isinstance(source, np.ndarray):
        raise ResponsesError(
            f"a {type(source).__name__} holds no responses: expected a path, a table (pandas, polars, Arrow), an "
            "iterator of Arrow batches, a mapping of columns, or an array of persons × items"
        )
    if source.ndim == 2:
        columns = {f"item{j + 1}": column_of_array(source[:, j]) for j in range(source.shape[1])}
        return Sheet("table", columns, np.arange(1, len(source) + 1))
    raise ResponsesError(f"an array of the shape {source.shape} is no table of scores: expected persons × items")


def _grouped_by(sheet: Sheet, group: str) -> Sheet:
    """The sheet with the column of that name as the column `group`. Raises ResponsesError where there is none."""
    written = next((name for name in sheet.columns if name.lower() == group.lower()), None)
    if written is None:
        raise ResponsesError(f"{sheet.source}, row 1: no column {group!r} to tell groups apart")
    others = {name: column for name, column in sheet.columns.items() if name.lower() not in {"group", group.lower()}}
    return replace(sheet, columns=others | {"group": sheet.columns[written]})


def score_sheet(
    sheet: Sheet,
    rules: ScoringRules,
    items: Sequence[str] | None = None,
    on_form: OnForm | None = None,
    *,
    may_be_empty: bool = False,
) -> Responses:
    """The responses of a sheet, scored. Raises ResponsesError.

    `items` are those of `read_responses`; `on_form` says which items are on the form of a person of a wide sheet that
    is only a part of the data (default: those that anybody of the form in this sheet has an entry for).
    """
    rows = rows_of(sheet, keyed=rules.key is not None, on_form=on_form)
    if not len(rows.person) and not may_be_empty:
        raise ResponsesError(f"{sheet.source}: no responses; expected one row a person below the header")
    if rules.key is not None:
        _check_key(sheet, rows, rules.key)
    if items is not None:
        rows = _with_items(sheet, rows, items)
    return _sorted(sheet, rows, _scored(sheet, rows, rules))


def _with_items(sheet: Sheet, rows: Rows, items: Sequence[str]) -> Rows:
    number = {name: j for j, name in enumerate(items)}
    unknown = [name for name in rows.items if name not in number]
    if unknown:
        raise ResponsesError(f"{sheet.source}: item {unknown[0]!r} is not among the {len(items)} items that were named")
    lookup = np.array([number[name] for name in rows.items], np.int32)
    return replace(rows, items=tuple(items), item=lookup[rows.item])


def _check_key(sheet: Sheet, rows: Rows, key: Key) -> None:
    for j, name in enumerate(rows.items):
        if name not in key:
            raise ResponsesError(
                f"{sheet.source}, {rows.item_place(j)}: item {name!r} has no key; add it to the key or remove the item"
            )


def _scored(sheet: Sheet, rows: Rows, rules: ScoringRules) -> Responses:
    """The rows with what their cells mean, in the order of the file."""
    names = sheet.named()
    kinds = status_of(list(rows.texts))
    status = kinds[rows.value]
    option: NDArray[np.int32] | None = None
    options: tuple[str, ...] = ()
    shift: dict[str, int] = {}
    if rules.key is not None:
        table, marks = score_table(rows.items, rows.texts, rules.key, kinds == ANSWERED)
        option, options = _options(rows, status)
    else:
        table, shift = _plain_scores(sheet, rows, kinds, rules)
        marks = {name: tuple(map(float, rules.marks[name])) for name in rows.items if name in rules.marks}
    score = table[rows.item, rows.value]
    if rules.key is None and marks:
        _check_marks(sheet, rows, score, marks)
    ignored = 0
    if rules.omitted == "missing":
        ignored = int(np.count_nonzero(status == OMITTED))
        status = np.where(status == OMITTED, np.uint8(NOT_REACHED), status)
    form = Column(names["form"].codes[rows.person_row], names["form"].texts).compact() if "form" in names else None
    group = _groups(sheet, names["group"], rows.person_row) if "group" in names else None
    rater, raters = _raters(rows.rater)
    return Responses(
        persons=rows.persons,
        items=rows.items,
        person=rows.person,
        item=rows.item,
        score=score,
        status=status,
        weight=weights_of(sheet, names, rows.person_row),
        form=form.codes if form is not None else np.zeros(len(rows.persons), np.int32),
        forms=form.texts if form is not None else ("",),
        option=option,
        options=options,
        key=dict(rules.key or {}),
        group=group.codes if group is not None else None,
        groups=group.texts if group is not None else (),
        rater=rater,
        raters=raters,
        position=rows.position,
        seconds=rows.seconds,
        shift=shift,
        marks=marks,
        omissions_ignored=ignored,
    )


def _options(rows: Rows, status: NDArray[np.uint8]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The response codes chosen, in the order in which they first occur; -1 where none was."""
    answered = status == ANSWERED
    chosen = Column(rows.value[answered], rows.texts).compact()
    option = np.full(len(rows.value), -1, np.int32)
    option[answered] = chosen.codes
    return option, chosen.texts


def _raters(column: Column | None) -> tuple[NDArray[np.int32] | None, tuple[str, ...]]:
    """Raters by number, -1 where a row names none."""
    if column is None:
        return None, ()
    named = [name for name in column.texts if name]
    lookup = np.array([named.index(name) if name else -1 for name in column.texts], np.int32)
    return lookup[column.codes], tuple(named)


def _groups(sheet: Sheet, column: Column, person_row: NDArray[np.intp]) -> Column:
    group = Column(column.codes[person_row], column.texts).compact()
    if "" in group.texts:
        row = person_row[np.flatnonzero(group.codes == group.texts.index(""))[0]]
        raise ResponsesError(f"{sheet.source}, row {sheet.rows[row]}: the group is empty; name every person's group")
    return group


def _plain_scores(
    sheet: Sheet, rows: Rows, kinds: NDArray[np.uint8], rules: ScoringRules
) -> tuple[NDArray[np.int16], dict[str, int]]:
    """The category that every text is of every item, (J, V), where texts are scores; and what shifting took away."""
    answer = kinds == ANSWERED
    values = np.array([number_in(text) for text in rows.texts])
    values[~answer] = 0
    bad = np.isnan(values) | (values != np.round(values)) | (np.abs(values) > 1e6)
    if bad.any():
        r = int(np.flatnonzero(bad[rows.value])[0])
        raise ResponsesError(
            f"{sheet.source}, {rows.place(r)}: {rows.texts[rows.value[r]]!r} is not a score; "
            f"expected 0…{rules.max_score}, or give a key if the file holds the options chosen"
        )
    score = values.astype(np.int64)
    present = np.zeros((len(rows.items), len(values)), bool)
    present[rows.item, rows.value] = True
    if rules.shift is None:
        item, text = np.nonzero(present & (answer | ((kinds == OMITTED) & (rules.omitted == "wrong"))))
        by = lowest_scores(len(rows.items), item, score[text])
    else:
        by = np.array([rules.shift.get(name, 0) for name in rows.items], np.int64)
    table = np.where(answer, score - by[:, None], 0)
    outside = present & ((table < 0) | (table > rules.max_score))
    if outside.any():
        r = int(np.flatnonzero(outside[rows.item, rows.value])[0])
        lowest = int(by[rows.item[r]])
        note = f" (the lowest of item {rows.items[rows.item[r]]!r}, {lowest}, counts as 0)" if lowest else ""
        if rules.max_score == 1:
            note += "; more scores than two are for PCM, RSM, GPCM, GRM or NRM"
        raise ResponsesError(
            f"{sheet.source}, {rows.place(r)}: score {score[rows.value[r]]} is outside 0…{rules.max_score}{note}"
        )
    return table.astype(np.int16), {name: int(k) for name, k in zip(rows.items, by, strict=True) if k}


def _check_marks(sheet: Sheet, rows: Rows, score: NDArray[np.int16], marks: Mapping[str, tuple[float, ...]]) -> None:
    known = np.array([len(marks.get(name, ())) or MAX_CATEGORIES for name in rows.items])
    over = np.flatnonzero(score >= known[rows.item])
    if over.size:
        r = int(over[0])
        name = rows.items[rows.item[r]]
        raise ResponsesError(
            f"{sheet.source}, {rows.place(r)}: score {rows.texts[rows.value[r]]}, but marks are named for only "
            f"{len(marks[name])} categories of item {name!r}"
        )


def _sorted(sheet: Sheet, rows: Rows, responses: Responses) -> Responses:
    """The responses by person, item and rater. Raises ResponsesError for a row that stands twice."""
    raters = len(responses.raters) + 1
    pair = rows.person.astype(np.int64) * len(responses.items) + rows.item
    if responses.rater is not None:
        pair = pair * raters + responses.rater + 1
    if len(pair) < 2 or (pair[1:] > pair[:-1]).all():
        return responses
    order = np.argsort(pair, kind="stable")
    if (np.diff(pair[order]) == 0).any():
        row, before = repeated(pair) or (0, 0)
        person, item = responses.persons[rows.person[row]], responses.items[rows.item[row]]
        by = ""
        if responses.rater is not None and responses.rater[row] >= 0:
            by = f", rater {responses.raters[responses.rater[row]]!r}"
        here, there = (rows.place(r).split(",")[0] for r in (row, before))
        raise ResponsesError(f"{sheet.source}, {here}: person {person!r}, item {item!r}{by} already stands in {there}")
    per_row = ("person", "item", "score", "status", "option", "rater", "position", "seconds")
    columns: dict[str, Any] = {name: getattr(responses, name) for name in per_row}
    return replace(responses, **{name: column[order] for name, column in columns.items() if column is not None})
