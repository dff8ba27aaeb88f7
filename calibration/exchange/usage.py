"""Parameters as plain statistics of items, a name and a number each: the shape of QTI usage data.

This module knows no XML; whoever has both packages turns rows into a document and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from calibration.exchange.document import item_document, item_from_document
from calibration.exchange.errors import ExchangeError
from calibration.exchange.tables import number
from calibration.models import ItemParameters, Scale

_NAMES = {"a": "irtA", "b": "irtB", "c": "irtC", "d": "irtD", "location": "irtLocation"}
_LISTS = {"b": "irtB", "slopes": "irtSlope", "intercepts": "irtIntercept", "steps": "irtStep"} | {
    "marks": "irtMark",
    "scores": "irtScore",
}

_ERRORS = {"slopes": "slope", "intercepts": "intercept"}  # what standard errors are called


@dataclass(frozen=True, slots=True)
class UsageStatistic:
    """One statistic of one item. `value` is a text for `irtModel`; `context` is a URI that names the scale."""

    item: str
    name: str
    value: float | str
    standard_error: float | None
    n: float
    context: str


def usage_statistics(items: Sequence[ItemParameters], scale: Scale | None = None) -> list[UsageStatistic]:
    """Rows `n`, `irtModel`, `irtA`, `irtB` (or `irtB1` …), `irtC`, `irtD`, `irtSlope1` … of each item.

    Covariances have no place in usage data and are lost; standard errors stay.
    """
    context = scale_uri(scale or Scale())
    rows = []
    for item in items:
        document = item_document(item)
        cells: list[tuple[str, float | str, float | None]] = [("irtModel", item.model, None)]
        if item.n:
            cells.append(("n", item.n, None))
        for field, name in _NAMES.items():
            value = document.get(field)
            if isinstance(value, float):
                cells.append((name, value, item.se.get(field)))
        for field, name in _LISTS.items():
            values = document.get(field)
            if isinstance(values, list):
                start = 1 if field in {"b", "steps"} else 0
                stem = _ERRORS.get(field, field)
                cells += [
                    (f"{name}{k}", value, item.se.get(f"{stem}{k}")) for k, value in enumerate(values, start=start)
                ]
        rows += [UsageStatistic(item.id, name, value, se, item.n, context) for name, value, se in cells]
    return rows


def items_from_usage(
    rows: Iterable[UsageStatistic], where: str, *, context: str | None = None
) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items from rows of usage data; other statistics are passed over, the last of a name counts.

    Without an `irtModel` the model is the smallest with the parameters given. The scale comes from the context URI
    where it is one of ours. Of several contexts one must be named. Raises ExchangeError naming item and statistic.
    """
    rows = [row for row in rows if row.name == "n" or row.name.startswith("irt")]
    contexts = list(dict.fromkeys(row.context for row in rows if row.name != "n"))
    if not contexts:
        raise ExchangeError(f"{where}: no item parameters in it (irtA, irtB, …)")
    if context is None and len(contexts) > 1:
        raise ExchangeError(f"{where}: parameters in the contexts {', '.join(contexts)}; say which to read")
    chosen = context or contexts[0]
    if chosen not in contexts:
        raise ExchangeError(f"{where}: no context {chosen!r}; it holds {', '.join(contexts)}")
    by_item: dict[str, dict[str, UsageStatistic]] = {}
    for row in rows:
        if row.context == chosen:
            by_item.setdefault(row.item, {})[row.name] = row
    items = tuple(_item(name, cells, where) for name, cells in by_item.items() if set(cells) - {"n"})
    return items, scale_of_uri(chosen)


def scale_uri(scale: Scale) -> str:
    """A URI that names a scale and what it needs to be understood."""
    query = urlencode({"D": repr(scale.D), "mean": repr(scale.mean), "sd": repr(scale.sd), "id": scale.id})
    return f"urn:tiku:scale?{query}"


def scale_of_uri(uri: str) -> Scale:
    """The scale of a URI that `scale_uri` made, the standard one under the name of any other."""
    parts = urlsplit(uri)
    if (parts.scheme, parts.path) != ("urn", "tiku:scale"):
        return Scale(id=uri)
    cells = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    D, mean, sd = (
        number(cells.get(name, usual), f"scale {uri}", name) for name, usual in (("D", "1"), ("mean", "0"), ("sd", "1"))
    )
    if D <= 0 or sd <= 0:
        raise ExchangeError(f"scale {uri}: D and sd must be above 0")
    return Scale(cells.get("id", "theta"), D, mean, sd)


def _item(name: str, cells: dict[str, UsageStatistic], where: str) -> ItemParameters:
    place = f"{where}, item {name}"
    document: dict[str, Any] = {"id": name, "se": {}}
    for row in cells.values():
        if row.name != "irtModel":
            _take(row, document, place)
    for field, label in _LISTS.items():
        places = document.get(field)
        if isinstance(places, dict):
            start = 1 if field in {"b", "steps"} else 0
            missing = [k for k in range(start, start + len(places)) if k not in places]
            if missing:
                raise ExchangeError(f"{place}: statistic {label}{missing[0]} is missing")
            document[field] = [places[k] for k in sorted(places)]
    document["model"] = str(cells["irtModel"].value) if "irtModel" in cells else _guessed(document, place)
    return item_from_document(document, place, where=where)


def _take(row: UsageStatistic, document: dict[str, Any], place: str) -> None:
    """One statistic to its field of the document; members of a list to a dictionary by number."""
    value = row.value if isinstance(row.value, float) else number(str(row.value), place, row.name)
    if row.name == "n":
        document["n"] = value
        return
    stem, digits = row.name.rstrip("0123456789"), row.name[len(row.name.rstrip("0123456789")) :]
    names = {label: field for field, label in (_LISTS if digits else _NAMES).items()}
    if stem not in names:
        known = ", ".join([*_NAMES.values(), *(f"{label}1" for label in _LISTS.values())])
        raise ExchangeError(f"{place}: statistic {row.name} is not a parameter; known are {known}")
    field = names[stem]
    if digits:
        document.setdefault(field, {})[int(digits)] = value
    else:
        document[field] = value
    if row.standard_error is not None:
        document["se"][f"{_ERRORS.get(field, field)}{digits}"] = row.standard_error


def _guessed(document: dict[str, Any], place: str) -> str:
    if "slopes" in document:
        return "NRM"
    if isinstance(document.get("b"), list):
        raise ExchangeError(f"{place}: several thresholds but no irtModel; GRM and GPCM cannot be told apart")
    model = "4PL" if document.get("d", 1.0) != 1 else "3PL" if document.get("c", 0.0) != 0 else "2PL"
    if model == "2PL" and "a" not in document:
        model = "Rasch"
    return model
