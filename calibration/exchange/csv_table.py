"""Our own CSV of parameters: a row an item, everything that the JSON file holds of it, and the scale in every row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from calibration.exchange.document import item_document, parameters_from_document
from calibration.exchange.errors import ExchangeError
from calibration.exchange.tables import EMPTY_CELLS, number, read_rows, write_rows
from calibration.models import DICHOTOMOUS, ItemParameters, ModelError, Scale, model_named

_LISTS = {"b": "b", "slopes": "slope", "intercepts": "intercept", "steps": "step", "marks": "mark", "scores": "score"}
_NUMBERS = ("a", "c", "d", "location", "n")
_SCALE = {"scale": "id", "D": "D", "mean": "mean", "sd": "sd"}


def parameters_csv(items: Sequence[ItemParameters], scale: Scale | None = None) -> str:
    """Items as CSV: id, model, a, b, c, d, b1 …, slope0 …, se_a …, n, scale, D, mean, sd, anchor.

    `covariance` holds the rows of the block's lower triangle, all numbers separated by `;`. Of the scale's anchors
    those among the items are kept.
    """
    on = scale or Scale()
    rows = [_row(item) | _scale_cells(on, item) for item in items]
    found = dict.fromkeys(name for row in rows for name in row)
    first = ["id", "version", "model", "a", "b", "c", "d"]
    last = ["n", *_SCALE, "anchor"]
    middle = sorted((name for name in found if name not in {*first, *last}), key=_column_order)
    return write_rows([name for name in (*first, *middle, *last) if name in found or name in {"id", "model"}], rows)


def items_from_csv(text: str, where: str) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items and scale from our CSV, or from any table with id, model and parameter columns.

    Columns that are no parameters are refused, so that a misspelt one is not lost. Raises ExchangeError naming
    row, item and field.
    """
    documents, anchors = [], []
    scales: dict[tuple[str, ...], str] = {}
    for place, row in read_rows(text.lstrip("\ufeff"), where, ("id", "model")):
        documents.append(_document(row, f"{place}, item {row['id']}"))
        if row.get("anchor", "") in {"1", "TRUE", "true", "yes"}:
            anchors.append(row["id"])
        scales.setdefault(tuple(row.get(name, "") for name in _SCALE), place)
    if len(scales) > 1:
        raise ExchangeError(f"{list(scales.values())[1]}: on another scale than the rows before; link them first")
    scale: dict[str, Any] = {"anchors": anchors}
    for cells, place in scales.items():
        for (column, field), cell in zip(_SCALE.items(), cells, strict=True):
            if cell not in EMPTY_CELLS:
                scale[field] = cell if field == "id" else number(cell, place, column)
    return parameters_from_document({"items": documents, "scale": scale}, where)


def _row(item: ItemParameters) -> dict[str, object]:
    document = item_document(item)
    row: dict[str, object] = {name: value for name, value in document.items() if isinstance(value, (str, float))}
    for field, column in _LISTS.items():
        values = document.get(field)
        if isinstance(values, list):
            row |= {f"{column}{k}": value for k, value in enumerate(values, start=_start(field))}
    row |= {f"se_{name}": value for name, value in item.se.items()}
    if item.covariance:
        row["covariance"] = ";".join(repr(line[k]) for j, line in enumerate(item.covariance) for k in range(j + 1))
    return row


def _scale_cells(scale: Scale, item: ItemParameters) -> dict[str, object]:
    cells: dict[str, object] = {"scale": scale.id, "D": scale.D, "mean": scale.mean, "sd": scale.sd}
    return cells | {"anchor": int(item.id in scale.anchors)} if scale.anchors else cells


def _column_order(name: str) -> tuple[int, str, int]:
    kinds = ("b", "slope", "intercept", "location", "step", "mark", "score", "se_", "covariance")
    match = re.fullmatch(r"(.*?)(\d*)", name)
    stem, digits = (match[1], match[2]) if match else (name, "")
    kind = next((n for n, prefix in enumerate(kinds) if stem.startswith(prefix)), len(kinds))
    return kind, stem, int(digits or 0)


def _document(row: Mapping[str, str], place: str) -> dict[str, Any]:
    try:
        model = model_named(row["model"])
    except ModelError as error:
        raise ExchangeError(f"{place}, field model: {error}") from None
    document: dict[str, Any] = {"id": row["id"], "model": model, "se": {}}
    lists: dict[str, dict[int, float]] = {}
    for name, cell in row.items():
        if name not in {"id", "model", "anchor", *_SCALE} and cell not in EMPTY_CELLS:
            _take(name, cell, place, document, lists)
    for field, column in _LISTS.items():
        values = lists.get(column, {})
        start = _start(field)
        missing = [k for k in range(start, start + len(values)) if k not in values]
        if missing:
            raise ExchangeError(f"{place}, field {column}{missing[0]}: missing")
        if values:
            document[field] = [values[k] for k in sorted(values)]
    if model in DICHOTOMOUS and isinstance(document.get("b"), list) and len(document["b"]) == 1:
        document["b"] = document["b"][0]  # a table of mixed formats may have b1 only
    return document


def _take(name: str, cell: str, place: str, document: dict[str, Any], lists: dict[str, dict[int, float]]) -> None:
    """One cell to its field of the document, or to its place in a list."""
    match = re.fullmatch(r"(b|slope|intercept|step|mark|score)(\d+)", name)
    if name == "version":
        document["version"] = cell
    elif name in _NUMBERS or name == "b":
        document[name] = number(cell, place, name)
    elif name.startswith("se_"):
        document["se"][name.removeprefix("se_")] = number(cell, place, name)
    elif name == "covariance":
        document["covariance"] = _symmetric([number(one, place, name) for one in cell.split(";")], place)
    elif match:
        lists.setdefault(match[1], {})[int(match[2])] = number(cell, place, name)
    else:
        raise ExchangeError(f"{place}, field {name}: not a column of parameters")


def _start(field: str) -> int:
    """Thresholds and steps count from 1, as in b1; what each category has counts from category 0."""
    return 1 if field in {"b", "steps"} else 0


def _symmetric(triangle: Sequence[float], place: str) -> list[list[float]]:
    size = int((2 * len(triangle)) ** 0.5)
    if size * (size + 1) // 2 != len(triangle):
        raise ExchangeError(f"{place}, field covariance: {len(triangle)} numbers are not a lower triangle")
    block = [[0.0] * size for _ in range(size)]
    at = 0
    for j in range(size):
        for k in range(j + 1):
            block[j][k] = block[k][j] = triangle[at]
            at += 1
    return block
