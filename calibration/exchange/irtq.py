"""irtQ's item metadata (R): a data frame id, cats, model, par.1, par.2, … as CSV.

DRM, 1PLM, 2PLM and 3PLM have a, b, g; GRM, GPCM and PCM have a and the K - 1 thresholds (Lim & Wells, 2020). The table
does not say which D it is for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from calibration.exchange.errors import ExchangeError
from calibration.exchange.slope_intercept import without_constant
from calibration.exchange.tables import EMPTY_CELLS, number, read_rows, write_rows
from calibration.models import DICHOTOMOUS, ItemParameters, Scale

_MODELS = {"Rasch": "1PLM", "1PL": "1PLM", "2PL": "2PLM", "3PL": "3PLM", "GRM": "GRM", "PCM": "PCM"}
_MODELS |= {"GPCM": "GPCM", "RSM": "GPCM"}


def irtq_metadata(items: Sequence[ItemParameters], scale: Scale | None = None) -> str:
    """Items as the CSV of irtQ's metadata, for D = 1 (irtQ's default); D is taken into the slopes.

    Items of the rating scale become GPCM ones. Raises ExchangeError for 4PL and nominal items, which irtQ has not.
    """
    plain, _ = without_constant(items, scale or Scale())
    rows: list[dict[str, object]] = []
    for item in plain:
        if item.model not in _MODELS:
            raise ExchangeError(f"item {item.id}: irtQ has no {item.model} items")
        parameters = (item.a, item.b[0], item.c) if item.model in DICHOTOMOUS else (item.a, *item.b)
        cells: dict[str, object] = {"id": item.id, "cats": item.categories, "model": _MODELS[item.model]}
        rows.append(cells | {f"par.{k}": value for k, value in enumerate(parameters, start=1)})
    widest = max((len(row) - 3 for row in rows), default=3)
    columns = [f"par.{k}" for k in range(1, widest + 1)]
    filled = [dict.fromkeys(columns, "NA") | row for row in rows]
    return write_rows(["id", "cats", "model", *columns], filled)


def items_from_irtq(text: str, where: str, *, D: float = 1.0) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items from irtQ's metadata, on a scale with the constant D. Raises ExchangeError naming row and item."""
    items = []
    for line, row in read_rows(text.lstrip("\ufeff"), where, ("id", "cats", "model", "par.1")):
        place = f"{line}, item {row['id']}"
        given = [
            number(row[name], place, name)
            for name in sorted(
                (name for name in row if re.fullmatch(r"par\.\d+", name)), key=lambda name: int(name[4:])
            )
            if row[name] not in EMPTY_CELLS
        ]
        K, model = number(row["cats"], place, "cats"), row["model"].upper()
        if model in {"DRM", "1PLM", "2PLM", "3PLM"}:
            items.append(_dichotomous(row["id"], model, K, given, place))
        elif model in {"GRM", "GPCM", "PCM"}:
            if K < 2 or len(given) != K:
                raise ExchangeError(
                    f"{place}: {len(given)} parameters for {K:g} categories; expected a and {K - 1:g} thresholds"
                )
            if model == "PCM" and given[0] != 1:
                raise ExchangeError(f"{place}, field par.1: PCM fixes a = 1, got {given[0]:g}")
            items.append(ItemParameters(row["id"], model, a=given[0], b=tuple(given[1:])))
        else:
            raise ExchangeError(f"{place}, field model: {row['model']!r} is not known to irtQ")
    return tuple(items), Scale(D=D)


def _dichotomous(name: str, model: str, K: float, given: Sequence[float], place: str) -> ItemParameters:
    if K != 2 or not 2 <= len(given) <= 3:
        raise ExchangeError(f"{place}: {len(given)} parameters and {K:g} categories; {model} has a, b, g and 2")
    a, b, g = (*given, 0.0)[:3]
    if model in {"1PLM", "2PLM"} and g != 0:
        raise ExchangeError(f"{place}, field par.3: {model} has no lower asymptote, got {g:g}")
    if model == "1PLM":
        return ItemParameters(name, "Rasch" if a == 1 else "1PL", a=a, b=(b,))
    three = model == "3PLM" or g != 0
    return ItemParameters(name, "3PL" if three else "2PL", a=a, b=(b,), c=g)
