"""The cells of a pool that are parameters of the item, and the curve they make."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration import MODELS, ItemParameters, ModelError, check_parameters, model_named
from engine.pools.columns import Value, number_of, text_of
from engine.pools.errors import PoolError

NUMBERS = ("a", "b", "c", "d")
DEFAULTS = {"c": 0.0, "d": 1.0}
DICHOTOMOUS = MODELS[:5]
_LISTED = re.compile(r"(b|slope|intercept|mark)(\d+)")


def is_parameter(name: str) -> bool:
    """Is a column of that name one of the parameters? `model` is an attribute as well: rules may ask for it."""
    return name in NUMBERS or name == "parameters" or _LISTED.fullmatch(name) is not None


def numbers_of_cells(row: Mapping[str, Any]) -> tuple[float, ...]:
    """a, b, c, d of a row, NaN where there is none; without c and d these are 0 and 1."""
    return tuple(number_of(row.get(name), DEFAULTS.get(name, np.nan)) for name in NUMBERS)


def check_dichotomous(ids: Sequence[str], numbers: NDArray[np.float64]) -> None:
    """Raise PoolError, with the id, for items whose c and d (J, 4) leave no room for a curve; NaN is no parameter."""
    c, d = numbers[:, 2], numbers[:, 3]
    for j in np.flatnonzero(~np.isnan(c) & ~np.isnan(d) & ~((c >= 0) & (c < d) & (d <= 1))).tolist():
        raise PoolError(f"item {ids[j]!r}: c = {c[j]:g}, d = {d[j]:g}; needed is 0 ≤ c < d ≤ 1")


def curve_of_cells(row: Mapping[str, Any], given: ItemParameters | None) -> ItemParameters | None:
    """The curve of an item of several categories; None for an item that is right or wrong, or not calibrated.

    Raises PoolError, with the id, for thresholds without a model, or parameters that make no curve.
    """
    if given is not None:
        return None if given.model in DICHOTOMOUS else given
    lists: dict[str, dict[int, float]] = {}
    for name, cell in row.items():
        match = _LISTED.fullmatch(name)
        if match and cell not in {None, ""}:
            lists.setdefault(match[1], {})[int(match[2])] = number_of(cell)
    if not lists:
        return None
    try:
        model = model_named(text_of(row.get("model")))
        item = ItemParameters(
            id=str(row["id"]),
            model=model,
            a=number_of(row.get("a"), 1.0),
            b=_numbers(lists, "b", 1),
            slopes=_numbers(lists, "slope", 0),
            intercepts=_numbers(lists, "intercept", 0),
            marks=_numbers(lists, "mark", 0),
        )
        check_parameters([item])
    except ModelError as error:
        raise PoolError(f"item {row['id']!r}: {error}") from None
    return None if model in DICHOTOMOUS else item


def _numbers(lists: Mapping[str, Mapping[int, float]], kind: str, first: int) -> tuple[float, ...]:
    values = lists.get(kind, {})
    for k in range(first, first + len(values)):
        if not np.isfinite(values.get(k, np.nan)):
            raise ModelError(f"{kind}{k} is missing or not a number")
    return tuple(values[k] for k in sorted(values))


def cells_of_parameters(item: ItemParameters) -> dict[str, Value]:
    """Parameters as the cells of a row: what `from_rows` reads."""
    cells: dict[str, Value] = {"model": item.model}
    if item.model in DICHOTOMOUS:
        return cells | {"a": item.a, "b": item.difficulty, "c": item.c, "d": item.d}
    if item.model != "NRM":
        cells["a"] = item.a
    cells |= {f"b{k}": value for k, value in enumerate(item.b, start=1)}
    cells |= {f"slope{k}": value for k, value in enumerate(item.slopes)}
    cells |= {f"intercept{k}": value for k, value in enumerate(item.intercepts)}
    return cells | {f"mark{k}": value for k, value in enumerate(item.marks)}
