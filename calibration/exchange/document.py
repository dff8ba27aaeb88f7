"""Parameters as plain JSON data: what `tiku calibrate` writes and every other verb reads.

    {"scale": {"id", "D", "mean", "sd", "anchors"},
     "items": [{"id", "model", "a", "b", "c", "d", "se": {…}, "covariance": [[…]], "n", …}], …}

`b` is a number for a dichotomous item and a list of thresholds for a polytomous one; nominal items have `slopes` and
`intercepts` instead, rating scale items `location` and `steps` as well. `scores` say which score of the responses is
which category, where that is not 0, 1, …; `sum_of` names the items whose sum an item set is. What the model fixes may
be left out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from calibration.exchange.errors import ExchangeError
from calibration.models import DICHOTOMOUS, ItemParameters, ModelError, Scale, check_parameters, model_named

_SCALE_FIELDS = ("id", "D", "mean", "sd", "anchors")
_ITEM_FIELDS = frozenset(
    {"id", "model", "a", "b", "c", "d", "slopes", "intercepts", "location", "steps", "marks", "scores", "se"}
    | {"covariance", "n", "version", "sum_of"}
)


def parameters_document(items: Sequence[ItemParameters], scale: Scale | None = None) -> dict[str, Any]:
    """Items and their scale as JSON data, which `parameters_from_document` turns back into the same."""
    on = scale or Scale()
    return {"scale": scale_document(on), "items": [item_document(item) for item in items]}


def scale_document(scale: Scale) -> dict[str, Any]:
    """The scale as JSON data."""
    return {"id": scale.id, "D": scale.D, "mean": scale.mean, "sd": scale.sd, "anchors": list(scale.anchors)}


def item_document(item: ItemParameters) -> dict[str, Any]:
    """One item as JSON data."""
    row: dict[str, Any] = {"id": item.id, "model": item.model}
    if item.model == "NRM":
        row |= {"slopes": list(item.slopes), "intercepts": list(item.intercepts)}
    elif item.model in DICHOTOMOUS:
        row |= {"a": item.a, "b": item.b[0], "c": item.c, "d": item.d}
    else:
        row |= {"a": item.a, "b": list(item.b)}
    if item.location is not None:
        row |= {"location": item.location, "steps": list(item.steps)}
    if item.marks:
        row["marks"] = list(item.marks)
    if item.scores:
        row["scores"] = list(item.scores)
    if item.sum_of:
        row["sum_of"] = list(item.sum_of)
    row["se"] = dict(item.se)
    if item.covariance:
        row["covariance"] = [list(line) for line in item.covariance]
    row["n"] = item.n
    return row if item.version is None else row | {"version": item.version}


def parameters_from_document(
    document: object, where: str, *, also: Collection[str] = ("flags",)
) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items and scale from JSON data; `where` (a file name) begins every message.

    Other fields of the document are the business of whoever wrote it; in an item only those in `also` are passed over,
    so that a misspelt name is not a parameter silently left at its default. Raises ExchangeError naming item and field.
    """
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise ExchangeError(f'{where}: expected an object with "items": [...], as `tiku calibrate --out` writes')
    scale = _scale(document.get("scale", {}), where)
    items: list[ItemParameters] = []
    rows: dict[str, int] = {}
    for number, row in enumerate(document["items"], start=1):
        item = item_from_document(row, f"{where}, item {number}", where=where, also=also)
        if item.id in rows:
            raise ExchangeError(f"{where}, item {item.id}: stands twice, as number {rows[item.id]} and {number}")
        rows[item.id] = number
        items.append(item)
    return tuple(items), scale


def item_from_document(
    row: object, place: str, *, where: str = "", also: Collection[str] = ("flags",)
) -> ItemParameters:
    """One item from JSON data. `place` names it in messages until its id is known. Raises ExchangeError."""
    if not isinstance(row, dict):
        raise ExchangeError(f"{place}: expected an object with id, model, a, b, …; got {type(row).__name__}")
    name = row.get("id")
    if not isinstance(name, str) or not name:
        raise ExchangeError(f"{place}, field id: expected a text that is not empty, got {name!r}")
    place = f"{where}, item {name}" if where else f"item {name}"
    unknown = sorted(set(row) - _ITEM_FIELDS - set(also))
    if unknown:
        raise ExchangeError(
            f"{place}, field {unknown[0]}: not a field of an item; known are {', '.join(sorted(_ITEM_FIELDS))}"
        )
    if not isinstance(row.get("model"), str):
        raise ExchangeError(f"{place}, field model: expected the name of a model, got {row.get('model')!r}")
    version = row.get("version")
    if version is not None and not isinstance(version, str):
        raise ExchangeError(f"{place}, field version: expected a text, got {version!r}")
    try:
        model = model_named(row["model"])
        item = ItemParameters(
            id=name,
            model=model,
            a=_number(row, "a", place, 1.0 if model in {"Rasch", "PCM", "RSM", "NRM"} else None),
            b=_thresholds(row, model, place),
            c=_number(row, "c", place, 0.0),
            d=_number(row, "d", place, 1.0),
            slopes=_numbers(row, "slopes", place),
            intercepts=_numbers(row, "intercepts", place),
            location=_number(row, "location", place, 0.0) if row.get("location") is not None else None,
            steps=_numbers(row, "steps", place),
            marks=_numbers(row, "marks", place),
            scores=_scores(row, place),
            sum_of=_names(row, "sum_of", place),
            n=_number(row, "n", place, 0.0),
            version=version,
        )
        check_parameters([item])
    except ModelError as error:
        text = str(error).removeprefix(f"item {name}: ")
        raise ExchangeError(f"{place}: {text}") from None
    _check_meaning(item, place)
    return _with_errors(item, row, place)


def _scale(row: object, where: str) -> Scale:
    if not isinstance(row, dict):
        raise ExchangeError(f"{where}, scale: expected an object with {', '.join(_SCALE_FIELDS)}")
    unknown = sorted(set(row) - set(_SCALE_FIELDS))
    if unknown:
        raise ExchangeError(f"{where}, scale, field {unknown[0]}: known are {', '.join(_SCALE_FIELDS)}")
    name, anchors = row.get("id", "theta"), row.get("anchors", [])
    if not isinstance(name, str):
        raise ExchangeError(f"{where}, scale, field id: expected a text, got {name!r}")
    if not isinstance(anchors, (list, tuple)) or not all(isinstance(one, str) for one in anchors):
        raise ExchangeError(f"{where}, scale, field anchors: expected a list of item ids, got {anchors!r}")
    place = f"{where}, scale"
    D, mean, sd = (_number(row, field, place, usual) for field, usual in (("D", 1.0), ("mean", 0.0), ("sd", 1.0)))
    for field, value in (("D", D), ("sd", sd)):
        if value <= 0:
            raise ExchangeError(f"{place}, field {field}: must be above 0, got {value:g}")
    return Scale(name, D, mean, sd, tuple(anchors))


def _number(row: Mapping[str, Any], field: str, place: str, usual: float | None) -> float:
    value = row.get(field)
    if value is None:
        if usual is None:
            raise ExchangeError(f"{place}, field {field}: missing; expected a number")
        return usual
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ExchangeError(f"{place}, field {field}: expected a number, got {value!r}")
    return float(value)


def _numbers(row: Mapping[str, Any], field: str, place: str) -> tuple[float, ...]:
    values = row.get(field)
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)):
        raise ExchangeError(f"{place}, field {field}: expected a list of numbers, got {values!r}")
    return tuple(_number({field: value}, field, place, None) for value in values)


def _names(row: Mapping[str, Any], field: str, place: str) -> tuple[str, ...]:
    values = row.get(field) or ()
    if not isinstance(values, (list, tuple)) or not all(isinstance(one, str) and one for one in values):
        raise ExchangeError(f"{place}, field {field}: expected a list of item ids, got {values!r}")
    return tuple(values)


def _scores(row: Mapping[str, Any], place: str) -> tuple[int, ...]:
    values = _numbers(row, "scores", place)
    odd = next((value for value in values if value != round(value)), None)
    if odd is not None:
        raise ExchangeError(f"{place}, field scores: expected whole numbers, got {odd:g}")
    return tuple(map(int, values))


def _thresholds(row: Mapping[str, Any], model: str, place: str) -> tuple[float, ...]:
    b = row.get("b")
    if model == "NRM":
        if b not in (None, [], ()):
            raise ExchangeError(f"{place}, field b: a nominal item has slopes and intercepts instead")
        return ()
    if model in DICHOTOMOUS:
        if isinstance(b, (list, tuple)):
            if len(b) != 1:
                raise ExchangeError(f"{place}, field b: expected one number for {model}, got a list of {len(b)}")
            return _numbers(row, "b", place)
        return (_number(row, "b", place, None),)
    if not isinstance(b, (list, tuple)):
        raise ExchangeError(f"{place}, field b: expected the list of thresholds for {model}, got {b!r}")
    if not b:
        raise ExchangeError(f"{place}, field b: {model} needs at least one threshold")
    return _numbers(row, "b", place)


def _check_meaning(item: ItemParameters, place: str) -> None:
    """What makes curves, but not those that the model's name promises."""
    if item.model in {"Rasch", "PCM"} and item.a != 1:
        free = {"Rasch": "1PL", "PCM": "GPCM"}[item.model]
        raise ExchangeError(f"{place}, field a: {item.model} fixes a = 1, got {item.a:g}; name the model {free}")
    if item.model not in {"3PL", "4PL"} and item.c != 0:
        raise ExchangeError(f"{place}, field c: {item.model} has none, got {item.c:g}; name the model 3PL")
    if item.model != "4PL" and item.d != 1:
        raise ExchangeError(f"{place}, field d: {item.model} has none, got {item.d:g}; name the model 4PL")
    if item.model == "RSM" and item.location is not None:
        if len(item.steps) != len(item.b):
            raise ExchangeError(f"{place}, field steps: {len(item.steps)} steps for {len(item.b)} thresholds")
        off = max(abs(b - item.location - step) for b, step in zip(item.b, item.steps, strict=True))
        if off > 1e-6:
            raise ExchangeError(f"{place}, field b: not location + steps (off by {off:.2g})")


def _with_errors(item: ItemParameters, row: Mapping[str, Any], place: str) -> ItemParameters:
    errors = row.get("se", {})
    names = item.parameter_names
    if not isinstance(errors, dict):
        raise ExchangeError(f"{place}, field se: expected an object of standard errors, got {errors!r}")
    se = {}
    for name in errors:
        if name not in names and name != "location":
            raise ExchangeError(f"{place}, field se.{name}: {item.model} has the parameters {', '.join(names)}")
        se[name] = _number(errors, name, f"{place}, se", None)
        if se[name] < 0:
            raise ExchangeError(f"{place}, field se.{name}: must not be negative, got {se[name]:g}")
    lines = row.get("covariance") or ()
    if not isinstance(lines, (list, tuple)):
        raise ExchangeError(f"{place}, field covariance: expected a list of rows, got {lines!r}")
    covariance = tuple(_numbers({"covariance": line}, "covariance", place) for line in lines)
    if covariance:
        if len(covariance) != len(names) or any(len(line) != len(names) for line in covariance):
            raise ExchangeError(
                f"{place}, field covariance: expected {len(names)} × {len(names)} for {', '.join(names)}"
            )
        block = np.array(covariance)
        if not np.allclose(block, block.T, rtol=1e-6, atol=1e-12) or (np.diag(block) < 0).any():
            raise ExchangeError(f"{place}, field covariance: not a covariance matrix (symmetric, no negative variance)")
    if item.n < 0:
        raise ExchangeError(f"{place}, field n: must not be negative, got {item.n:g}")
    return replace(item, se=se, covariance=covariance)
