"""mirt's tables (R): `mod2values(mod)` in and out, `coef(mod, as.data.frame = TRUE)` in, as CSV.

mirt has D = 1 and slope-intercept form: dich a1, d, g, u with P = g + (u - g) · logistic(a1 · theta + d); graded a1,
d1 … with P(X ≥ k) = logistic(a1 · theta + d_k); gpcm and nominal a1, ak0 …, d0 … with log P_k = a1 · ak_k · theta + d_k
(Chalmers, 2012).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from calibration.exchange.errors import ExchangeError
from calibration.exchange.slope_intercept import category_terms, divided_by_total, without_constant
from calibration.exchange.tables import EMPTY_CELLS, number, read_rows, write_rows
from calibration.models import DICHOTOMOUS, ItemParameters, Scale

_COLUMNS = (
    *("group", "item", "class", "name", "parnum", "value", "lbound", "ubound", "est", "const", "nconst"),
    *("prior.type", "prior_1", "prior_2"),
)
_GROUP_ROWS = frozenset({"GROUP", "GroupPars"})
_OTHER_ROWS = frozenset({"RANDOM", "BETA", "LRRANDOM"})


def mirt_values(items: Sequence[ItemParameters], scale: Scale | None = None) -> str:
    """Items as the CSV of mirt's values table, for `mirt(data, 1, pars = …)`; D is taken into the slopes.

    Items of the rating scale become `gpcm` ones, with the same curves. The population becomes MEAN_1 and COV_11.
    """
    plain, on = without_constant(items, scale or Scale())
    rows: list[dict[str, object]] = []
    for item in plain:
        kind, terms = _terms(item)
        for name, (value, estimated) in terms.items():
            bounds = ("0", "1") if name in {"g", "u"} else ("-Inf", "Inf")
            rows.append(_row(item.id, kind, name, len(rows) + 1, value, estimated=estimated, bounds=bounds))
    rows.append(_row("GROUP", "GroupPars", "MEAN_1", len(rows) + 1, on.mean, estimated=False, bounds=("-Inf", "Inf")))
    rasch = any(item.model in {"Rasch", "PCM"} for item in plain)
    rows.append(_row("GROUP", "GroupPars", "COV_11", len(rows) + 1, on.sd**2, estimated=rasch, bounds=("0", "Inf")))
    return write_rows(_COLUMNS, rows)


def items_from_mirt(text: str, where: str, *, group: str | None = None) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items and population from a values table, or from `coef(…, as.data.frame = TRUE)` (with SE or intervals).

    A slope that is 1 and was not estimated makes Rasch and PCM items, a lower asymptote that was estimated or is above
    0 a 3PL. Of several groups one must be named. Raises ExchangeError naming row and item.
    """
    header = text.lstrip("\ufeff").split("\n", 1)[0]
    if "value" in re.split(r'[",\s]+', header):
        return _from_values(text, where, group)
    return _from_coefficients(text, where)


def _terms(item: ItemParameters) -> tuple[str, dict[str, tuple[float, bool]]]:
    """Mirt's class, and value and whether it is estimated by name."""
    free = item.model not in {"Rasch", "PCM"}
    if item.model in DICHOTOMOUS:
        terms = {"a1": (item.a, free), "d": (-item.a * item.b[0], True)}
        asymptotes = {"g": (item.c, item.model in {"3PL", "4PL"}), "u": (item.d, item.model == "4PL")}
        return "dich", terms | asymptotes
    if item.model == "GRM":
        return "graded", {"a1": (item.a, True)} | {f"d{k}": (-item.a * b, True) for k, b in enumerate(item.b, start=1)}
    slopes, intercepts = category_terms(item)
    K = item.categories
    # mirt fixes ak_0 = 0 and ak_(K-1) = K - 1; where the last slope is 0 only ak can hold the others
    a1 = slopes[-1] / (K - 1) or 1.0
    nominal = item.model == "NRM"
    terms = {"a1": (a1, free)}
    terms |= {
        f"ak{k}": (slope / a1 if nominal else float(k), nominal and 0 < k < K - 1) for k, slope in enumerate(slopes)
    }
    terms |= {f"d{k}": (intercept, k > 0) for k, intercept in enumerate(intercepts)}
    return "nominal" if nominal else "gpcm", terms


def _row(
    item: str, kind: str, name: str, parnum: int, value: float, *, estimated: bool, bounds: tuple[str, str]
) -> dict[str, object]:
    return {
        "group": "all",
        "item": item,
        "class": kind,
        "name": name,
        "parnum": parnum,
        "value": value,
        "lbound": bounds[0],
        "ubound": bounds[1],
        "est": "TRUE" if estimated else "FALSE",
        "const": "none",
        "nconst": "none",
        "prior.type": "none",
        "prior_1": "NaN",
        "prior_2": "NaN",
    }


def _from_values(text: str, where: str, group: str | None) -> tuple[tuple[ItemParameters, ...], Scale]:
    rows = read_rows(text.lstrip("\ufeff"), where, ("item", "name", "value"))
    groups = list(dict.fromkeys(row["group"] for _, row in rows if "group" in row))
    if len(groups) > 1 and group is None:
        raise ExchangeError(f"{where}: holds the groups {', '.join(groups)}; say which to read")
    if group is not None and group not in groups:
        raise ExchangeError(f"{where}: no group {group!r}; it holds {', '.join(groups) or 'no groups'}")
    values: dict[str, dict[str, float]] = {}
    free: dict[str, set[str]] = {}
    equal: dict[str, list[tuple[str, str]]] = {}
    for place, row in rows:
        if group is not None and row["group"] != group:
            continue
        item, name = row["item"], row["name"]
        if item in _OTHER_ROWS:
            raise ExchangeError(f"{place}: {item} belongs to a regression of the ability, which parameters cannot hold")
        if name in values.setdefault(item, {}):
            raise ExchangeError(f"{place}, item {item}: {name} stands twice")
        values[item][name] = number(row["value"], place, "value")
        if row.get("est", "TRUE").upper() in {"TRUE", "T", "1"}:
            free.setdefault(item, set()).add(name)
        if name == "a1" and row.get("const", "none") not in {"none", *EMPTY_CELLS}:
            equal.setdefault(row["const"], []).append((item, name))
    one_slope = {item for members in equal.values() if len(members) > 1 for item, _ in members}
    population = next((values.pop(name) for name in _GROUP_ROWS if name in values), {})
    items = tuple(
        _item(item, terms, free.get(item, set()), f"{where}, item {item}", one_slope=item in one_slope)
        for item, terms in values.items()
    )
    return items, _population(population, where)


def _population(values: Mapping[str, float], where: str) -> Scale:
    if any(name not in {"MEAN_1", "COV_11"} for name in values):
        other = next(name for name in values if name not in {"MEAN_1", "COV_11"})
        raise ExchangeError(f"{where}, GROUP: {other} belongs to a model of several dimensions; one is known here")
    variance = values.get("COV_11", 1.0)
    if variance <= 0:
        raise ExchangeError(f"{where}, GROUP: COV_11 must be above 0, got {variance:g}")
    return Scale(mean=values.get("MEAN_1", 0.0), sd=variance**0.5)


def _item(
    name: str, terms: Mapping[str, float], free: set[str], place: str, *, one_slope: bool = False
) -> ItemParameters:
    if "a2" in terms:
        raise ExchangeError(f"{place}: a2 belongs to a model of several dimensions; one is known here")
    K = sum(re.fullmatch(r"d\d+", key) is not None for key in terms)
    if "a1" not in terms or not (K or "d" in terms):
        raise ExchangeError(
            f"{place}: parameters {', '.join(terms)}; known are dich (a1, d, g, u), graded (a1, d1, …) and gpcm or "
            "nominal (a1, ak0, …, d0, …)"
        )
    a = terms["a1"]
    if "ak0" in terms:
        _exactly(terms, ["a1", *(f"ak{k}" for k in range(K)), *(f"d{k}" for k in range(K))], place)
        slopes = [a * terms[f"ak{k}"] for k in range(K)]
        return divided_by_total(name, slopes, [terms[f"d{k}"] for k in range(K)], fixed="a1" not in free)
    if a == 0:
        raise ExchangeError(f"{place}: its slope a1 is 0, so it has no difficulty")
    if K:
        _exactly(terms, ["a1", *(f"d{k}" for k in range(1, K + 1))], place)
        return ItemParameters(name, "GRM", a=a, b=tuple(-terms[f"d{k}"] / a for k in range(1, K + 1)))
    whole = {"g": 0.0, "u": 1.0} | dict(terms)
    _exactly(whole, ["a1", "d", "g", "u"], place)
    model = _dichotomous_model(whole["g"], whole["u"], a, {"a" if one == "a1" else one for one in free})
    if model == "2PL" and one_slope:
        model = "1PL"
    return ItemParameters(name, model, a=a, b=(-whole["d"] / a,), c=whole["g"], d=whole["u"])


def _dichotomous_model(c: float, d: float, a: float, free: set[str]) -> str:
    if d != 1 or "u" in free:
        return "4PL"
    if c != 0 or "g" in free:
        return "3PL"
    return "Rasch" if a == 1 and "a" not in free else "2PL"


def _exactly(terms: Mapping[str, float], names: Sequence[str], place: str) -> None:
    missing = [name for name in names if name not in terms]
    if missing:
        raise ExchangeError(f"{place}: {missing[0]} is missing")
    extra = sorted(set(terms) - set(names))
    if extra:
        raise ExchangeError(f"{place}: {extra[0]} is not known beside {', '.join(names)}")


def _from_coefficients(text: str, where: str) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Row names are item.parameter; a value without an interval or SE was not estimated."""
    rows = read_rows(text.lstrip("\ufeff"), where, ("par",))
    label = (
        next((name for name in rows[0][1] if name not in {"par", "SE", "CI_2.5", "CI_97.5"}), None) if rows else None
    )
    if label is None:
        raise ExchangeError(f"{where}: no row names; write it with write.csv(coef(mod, as.data.frame = TRUE), …)")
    errors_known = any(column in rows[0][1] for column in ("SE", "CI_2.5"))
    values: dict[str, dict[str, float]] = {}
    free: dict[str, set[str]] = {}
    errors: dict[str, dict[str, float]] = {}
    for place, row in rows:
        item, dot, name = row[label].rpartition(".")
        if not dot or not item:
            raise ExchangeError(f"{place}: {row[label]!r} is not item.parameter")
        values.setdefault(item, {})[name] = number(row["par"], place, "par")
        se = _coefficient_error(row, place)
        if se is not None or not errors_known:
            free.setdefault(item, set()).add(name)
        if se is not None:
            errors.setdefault(item, {})[name] = se
    population = values.pop("GroupPars", {})
    items = []
    for item, terms in values.items():
        place, estimated = f"{where}, item {item}", free.get(item, set())
        if not errors_known:  # then only the values themselves say what was fixed
            estimated = estimated - {"a1"} if terms.get("a1") == 1 else estimated
            estimated -= {"g"} if terms.get("g") == 0 else set()
            estimated -= {"u"} if terms.get("u") == 1 else set()
        if "b" in terms or "b1" in terms:
            items.append(_traditional(item, terms, estimated, errors.get(item, {}), place))
        else:
            items.append(_item(item, terms, estimated, place))
    return tuple(items), _population(population, where)


def _coefficient_error(row: Mapping[str, str], place: str) -> float | None:
    if row.get("SE", "NA") not in EMPTY_CELLS:
        return number(row["SE"], place, "SE")
    if row.get("CI_2.5", "NA") not in EMPTY_CELLS and row.get("CI_97.5", "NA") not in EMPTY_CELLS:
        width = number(row["CI_97.5"], place, "CI_97.5") - number(row["CI_2.5"], place, "CI_2.5")
        return width / (2 * 1.959963984540054)  # the 97.5 % point of N(0, 1)
    return None


def _traditional(
    name: str, terms: Mapping[str, float], free: set[str], errors: Mapping[str, float], place: str
) -> ItemParameters:
    """Items of `IRTpars = TRUE`, whose b's are ours."""
    if "b" not in terms:
        raise ExchangeError(
            f"{place}: with IRTpars = TRUE graded and partial credit items look alike; write the table without it"
        )
    c, d = terms.get("g", 0.0), terms.get("u", 1.0)
    a = terms.get("a", 1.0)
    model = _dichotomous_model(c, d, a, free)
    ours = {"a": "a", "b": "b", "g": "c", "u": "d"}
    item = ItemParameters(name, model, a=a, b=(terms["b"],), c=c, d=d)
    se = {ours[key]: value for key, value in errors.items() if key in ours and ours[key] in item.parameter_names}
    return ItemParameters(name, model, a=a, b=(terms["b"],), c=c, d=d, se=se)
