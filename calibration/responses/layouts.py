"""Wide and long sheets as the same rows: who, which item, which text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from calibration.responses.cells import OMITTED, ResponsesError, status_of
from calibration.responses.sheets import Column, Sheet

RESERVED_COLUMNS = frozenset({"person", "form", "group", "weight", "freq", "position", "seconds", "rater"})

OnForm: TypeAlias = Mapping[str, NDArray[np.bool_]]  # form → which of the item columns are on it, (J,)


@dataclass(frozen=True, slots=True)
class Rows:
    """Responses in the order of the file, unscored: each has a `value`, a code into `texts`.

    `place(r)` names where row r stands, for a message, `item_place(j)` where item j first does; `person_row` (N,) are
    sheet rows that say what a person's form, group and weight are.
    """

    persons: tuple[str, ...]
    items: tuple[str, ...]
    person: NDArray[np.int32]
    item: NDArray[np.int32]
    value: NDArray[np.int32]
    texts: tuple[str, ...]
    person_row: NDArray[np.intp]
    place: Callable[[int], str]
    item_place: Callable[[int], str]
    rater: Column | None = None
    position: NDArray[np.int32] | None = None
    seconds: NDArray[np.float32] | None = None


def rows_of(sheet: Sheet, *, keyed: bool, on_form: OnForm | None = None) -> Rows:
    """The responses of a sheet: long where it has the columns person, item and score or response, else wide.

    `keyed` data take the column `response` where there is a `score` too. Raises ResponsesError.
    """
    names = sheet.named()
    if not len(sheet.rows):
        raise ResponsesError(f"{sheet.source}: no responses; expected one row a person below the header")
    if "item" in names and "person" not in names and {"score", "response"} & names.keys():
        raise ResponsesError(f"{sheet.source}, row 1: a long table without the column person; expected person,item,…")
    if is_long(sheet.columns):
        return _long_rows(sheet, names, keyed=keyed)
    return _wide_rows(sheet, names, on_form)


def is_long(header: Iterable[str]) -> bool:
    """Whether columns of these names are those of a long table."""
    names = {name.lower() for name in header}
    return {"person", "item"} <= names and bool({"score", "response"} & names)


def item_columns(header: Iterable[str]) -> list[str]:
    """The columns of a wide table that are items."""
    return [name for name in header if name.lower() not in RESERVED_COLUMNS]


def _wide_rows(sheet: Sheet, names: Mapping[str, Column], on_form: OnForm | None) -> Rows:
    columns = item_columns(sheet.columns)
    if not columns:
        raise ResponsesError(f"{sheet.source}, row 1: no column of an item; expected one column an item")
    n, J = len(sheet.rows), len(columns)
    table, texts = _one_dictionary((sheet.columns[name] for name in columns), n)
    administered = (status_of(list(texts)) != OMITTED)[table]
    if "form" in names:
        form = names["form"].compact()
        on = on_form or _entries_by_form(administered, form)
        administered = np.stack([on[name] for name in form.texts])[form.codes]
    if administered.all():
        row, item = np.repeat(np.arange(n), J), np.tile(np.arange(J), n)
    else:
        row, item = np.nonzero(administered)
    rater = names["rater"].compact() if "rater" in names else None
    person = _persons_of_wide(sheet, names, rater)
    person_row = person.first_rows()
    _check_constant(sheet, names, person, person_row)
    return Rows(
        persons=person.texts,
        items=tuple(columns),
        person=person.codes[row],
        item=item.astype(np.int32),
        value=table[row, item] if J * n != len(row) else table.reshape(-1),
        texts=texts,
        person_row=person_row,
        place=lambda r: f"row {sheet.rows[row[r]]}, column {columns[item[r]]}",
        item_place=lambda j: f"row 1, column {columns[j]}",
        rater=None if rater is None else Column(rater.codes[row], rater.texts),
    )


def items_on_forms(sheet: Sheet) -> OnForm:
    """Which items of a wide sheet are on each form: those that anybody of the form has an entry for."""
    table, texts = _one_dictionary((sheet.columns[name] for name in item_columns(sheet.columns)), len(sheet.rows))
    return _entries_by_form((status_of(list(texts)) != OMITTED)[table], sheet.named()["form"].compact())


def _entries_by_form(entry: NDArray[np.bool_], form: Column) -> OnForm:
    order = np.argsort(form.codes, kind="stable")
    starts = np.searchsorted(form.codes[order], np.arange(len(form.texts)))
    return dict(zip(form.texts, np.logical_or.reduceat(entry[order], starts, axis=0), strict=True))


def _one_dictionary(columns: Iterable[Column], n: int) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The cells of several columns as codes (n, J) into one list of texts."""
    listed = list(columns)
    table = np.empty((n, len(listed)), np.int32)
    texts: dict[str, int] = {}
    for j, column in enumerate(listed):
        used = np.flatnonzero(np.bincount(column.codes, minlength=len(column.texts)))
        lookup = np.zeros(len(column.texts), np.int32)
        lookup[used] = [texts.setdefault(column.texts[v], len(texts)) for v in used]
        table[:, j] = lookup[column.codes]
    return table, tuple(texts)


def _persons_of_wide(sheet: Sheet, names: Mapping[str, Column], rater: Column | None) -> Column:
    """Who each row is about; a person has one row, or one for each rater."""
    if "person" not in names:
        return Column(np.arange(len(sheet.rows), dtype=np.int32), tuple(map(str, sheet.rows - sheet.header_rows)))
    person = names["person"].compact()
    _check_named(sheet, person, "person")
    pair = person.codes.astype(np.int64)
    if rater is not None:
        pair = pair * len(rater.texts) + rater.codes
    again = repeated(pair)
    if again is not None:
        row, before = again
        name = person.texts[person.codes[row]]
        by = f", rater {rater.texts[rater.codes[row]]!r}," if rater is not None else ""
        raise ResponsesError(
            f"{sheet.source}, row {sheet.rows[row]}: person {name!r}{by} already stands in row {sheet.rows[before]}"
        )
    return person


def repeated(pair: NDArray[np.int64]) -> tuple[int, int] | None:
    """The first row whose pair stood before, and the row where it did; None when all differ."""
    if len(pair) < 2 or (pair[1:] > pair[:-1]).all():
        return None
    order = np.argsort(pair, kind="stable")
    twice = np.flatnonzero(np.diff(pair[order]) == 0)
    if not twice.size:
        return None
    first = twice[np.argmin(order[twice + 1])]
    return int(order[first + 1]), int(order[first])


def _long_rows(sheet: Sheet, names: Mapping[str, Column], *, keyed: bool) -> Rows:
    value_name = "response" if "response" in names and (keyed or "score" not in names) else "score"
    written = next(name for name in sheet.columns if name.lower() == value_name)
    person, item, value = names["person"].compact(), names["item"].compact(), names[value_name].compact()
    _check_named(sheet, person, "person")
    _check_named(sheet, item, "item")
    person_row = person.first_rows()
    _check_constant(sheet, names, person, person_row)
    return Rows(
        persons=person.texts,
        items=item.texts,
        person=person.codes,
        item=item.codes,
        value=value.codes,
        texts=value.texts,
        person_row=person_row,
        place=lambda r: f"row {sheet.rows[r]}, column {written}",
        item_place=lambda j: f"row {sheet.rows[np.flatnonzero(item.codes == j)[0]]}",
        rater=names["rater"].compact() if "rater" in names else None,
        position=_positions(sheet, names["position"]) if "position" in names else None,
        seconds=_seconds(sheet, names["seconds"]) if "seconds" in names else None,
    )


def _check_named(sheet: Sheet, column: Column, what: str) -> None:
    if "" in column.texts:
        row = int(np.flatnonzero(column.codes == column.texts.index(""))[0])
        raise ResponsesError(f"{sheet.source}, row {sheet.rows[row]}: the {what} is empty")


def _check_constant(sheet: Sheet, names: Mapping[str, Column], person: Column, person_row: NDArray[np.intp]) -> None:
    """What is said of a person is said in each of the person's rows alike."""
    about = [name for name in ("form", "weight", "freq", "group") if name in names]
    for name in about:
        codes = names[name].codes
        other = np.flatnonzero(codes != codes[person_row][person.codes])
        if other.size:
            row = int(other[0])
            others = "form or weight" if name != "group" else "group"
            raise ResponsesError(
                f"{sheet.source}, row {sheet.rows[row]}: person {person.texts[person.codes[row]]!r} "
                f"has another {others} than before"
            )


def _checked_numbers(
    sheet: Sheet, column: Column, wrong: Callable[[NDArray[np.float64]], NDArray[np.bool_]], expected: str
) -> NDArray[np.float64]:
    """A column as numbers, NaN where the cell is empty; `wrong` says which are refused (NaN always is)."""
    values = column.numbers()
    empty = (status_of(list(column.texts)) == OMITTED)[column.codes]
    bad = np.flatnonzero(~empty & (np.isnan(values) | wrong(values)))
    if bad.size:
        row = int(bad[0])
        text = column.texts[column.codes[row]]
        raise ResponsesError(f"{sheet.source}, row {sheet.rows[row]}: {expected.format(text=repr(text))}")
    values[empty] = np.nan
    return values


def _positions(sheet: Sheet, column: Column) -> NDArray[np.int32]:
    expected = "position {text}; expected 1, 2, …"
    values = _checked_numbers(sheet, column, lambda x: (x < 1) | (x != np.round(x)) | (x > 1e9), expected)
    return np.nan_to_num(values).astype(np.int32)


def _seconds(sheet: Sheet, column: Column) -> NDArray[np.float32]:
    expected = "seconds {text}; expected a number from 0"
    return _checked_numbers(sheet, column, lambda x: (x < 0) | np.isinf(x), expected).astype(np.float32)


def weights_of(sheet: Sheet, names: Mapping[str, Column], person_row: NDArray[np.intp]) -> NDArray[np.float64]:
    column = names.get("weight", names.get("freq"))
    if column is None:
        return np.ones(len(person_row))
    values = column.numbers()
    bad = np.flatnonzero(~((values >= 0) & (values < np.inf)))
    if bad.size:
        text = column.texts[column.codes[bad[0]]]
        raise ResponsesError(f"{sheet.source}, row {sheet.rows[bad[0]]}: weight {text!r}; expected a number from 0")
    return np.asarray(values[person_row])
