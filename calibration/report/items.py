"""Every item in a row: classical statistics, parameters with standard errors, fit, curve and flags."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from calibration.fit.item_fit import ItemFit
from calibration.models import ItemParameters
from calibration.own_data import items_alone
from calibration.pages import table
from calibration.report.curves import characteristic_curve, shared_axes
from calibration.report.evidence import Evidence
from calibration.report.flags import UNTAGGED, flag_name, is_serious
from calibration.report.warnings import link_to
from calibration.report.words import NONE, fixed, left_out, note, probability, section, with_se
from calibration.showing import parameter

MOST_THRESHOLDS = 5  # in columns of their own
ITEM_COLUMNS = ("题号 item", "模型", "n", "p", "r")


def items_section(evidence: Evidence) -> str:
    """The table, flagged items first; every column sorts."""
    names = _parameter_columns(evidence)
    fitted = bool(evidence.item_fit or evidence.rated_item_fit)
    header = [*ITEM_COLUMNS, *names, *(["拟合 p", "infit", "outfit"] if fitted else []), "曲线 curve", "标记 flags"]
    flags = evidence.flags_of
    every = list(evidence.statistics) or [item.id for item in evidence.calibration.items]
    every += [item.id for item in evidence.calibration.items if item.id not in set(every)]
    serious = {item for item in every if any(is_serious(flag.code) for flag in flags.get(item, ()))}
    order = sorted(every, key=lambda item: (item not in serious, item))
    parameters = {item.id: item for item in evidence.calibration.items}
    drawn = {item.id: item for item in items_alone(evidence.calibration)}
    rows = [_row(evidence, name, parameters.get(name), drawn.get(name), names, fitted=fitted) for name in order]
    curve = len(header) - 2
    shown = table(
        header,
        rows,
        numeric=range(2, curve),
        html=(0, *range(5, curve), curve, curve + 1),
        pictures=(curve,),
        flagged=[at for at, name in enumerate(order) if name in serious],
        row_names=True,
        caption="items",
    )
    if len(header) > 16:
        shown = f'<div class="scroll">{shown}</div>'
    about = note(
        "n：考生数；p：得分率；r：校正题总相关（卷内合并）；± 为标准误；拟合 p：S-X²，按能力发题者为残差 χ²；"
        "infit、outfit：均方，1 为合乎模型；曲线为期望得分率，点为观测。点击题号看大图。",
        "p: share of the highest score; r: corrected item-total correlation, pooled within forms; ± standard errors; "
        "fit p: S-X², for routed items the residual χ²; infit, outfit: mean squares, 1 is what the model expects; dots "
        "are observed. Click an item's name for its card, a heading to sort.",
    )
    return section(
        "items",
        "题目 Items",
        about,
        shared_axes(evidence),
        shown,
        left_out(evidence.left_out, "statistics", "item_fit"),
    )


def _parameter_columns(evidence: Evidence) -> list[str]:
    """Names of parameters that have a column; nominal items and long scales show theirs on their cards."""
    items = [item for item in evidence.calibration.items if item.model != "NRM"]
    found = {name for item in items for name in item.parameter_names}
    thresholds = max((len(item.b) for item in items if item.categories > 2), default=0)
    names: list[str] = [name for name in ("a", "b") if name in found or (name == "b" and thresholds)]
    if 0 < thresholds <= MOST_THRESHOLDS:
        names += [f"b{k + 1}" for k in range(thresholds)]
    return names + [name for name in ("c", "d") if name in found]


def _row(
    evidence: Evidence,
    name: str,
    item: ItemParameters | None,
    drawn: ItemParameters | None,
    names: list[str],
    *,
    fitted: bool,
) -> list[str]:
    statistics = evidence.statistics.get(name)
    label = evidence.labels.get(name, "")
    first = link_to(evidence, name) + (f'<span class="note">{escape(label)}</span>' if label else "")
    row = [
        first,
        item.model if item is not None else NONE,
        f"{statistics.n:.0f}" if statistics is not None else f"{item.n:.0f}" if item is not None else NONE,
        fixed(statistics.p_value if statistics is not None else None),
        fixed(statistics.point_biserial if statistics is not None else None),
    ]
    row += [_parameter(item, column) for column in names]
    if fitted:
        row += _fit_cells(evidence, name)
    curve = ""
    if drawn is not None:
        seen = evidence.observed.get(name)
        curve = characteristic_curve(drawn, seen, evidence.span, evidence.calibration.scale)
    tags = "".join(
        f'<span class="tag{"" if is_serious(flag.code) else " mild"}" title="{escape(flag.message, quote=True)}">'
        f"{escape(flag_name(flag.code))}</span>"
        for flag in evidence.flags_of.get(name, ())
        if flag.code not in UNTAGGED
    )
    return [*row, curve, tags]


def _parameter(item: ItemParameters | None, column: str) -> str:
    if item is None or item.model == "NRM":
        return NONE
    if column in item.parameter_names:
        return with_se(parameter(item, column), item.se.get(column))
    return with_se(item.difficulty, None) if column == "b" else ""


def _fit_cells(evidence: Evidence, name: str) -> list[str]:
    if name in evidence.item_fit:
        row = evidence.item_fit[name]
        return [probability(_decisive_p(row)), fixed(row.infit), fixed(row.outfit)]
    if name in evidence.rated_item_fit:
        rated = evidence.rated_item_fit[name]
        return [NONE, fixed(rated.infit), fixed(rated.outfit)]
    return [NONE] * 3


def _decisive_p(row: ItemFit) -> float:
    return row.s_x2_p if np.isfinite(row.s_x2_p) else row.residual_p


def item_numbers(evidence: Evidence) -> list[dict[str, Any]]:
    """One entry an item: everything the report says of it."""
    parameters = {item.id: item for item in evidence.calibration.items}
    names = list(evidence.statistics) + [name for name in parameters if name not in evidence.statistics]
    rows = []
    for name in names:
        item, one = parameters.get(name), evidence.statistics.get(name)
        fit, rated = evidence.item_fit.get(name), evidence.rated_item_fit.get(name)
        row: dict[str, Any] = {
            "id": name,
            "label": evidence.labels.get(name, ""),
            "model": item.model if item is not None else None,
            "n": one.n if one is not None else item.n if item is not None else 0.0,
            "p": one.p_value if one is not None else None,
            "mean": one.mean if one is not None else None,
            "sd": one.sd if one is not None else None,
            "item_rest": one.point_biserial if one is not None else None,
            "omitted": one.omitted if one is not None else None,
        }
        if item is not None:
            row |= {key: parameter(item, key) for key in item.parameter_names}
            row |= {f"{key}_se": item.se.get(key) for key in item.parameter_names}
        if fit is not None:
            told = ("item", "model", "n", "item_rest", "flags")
            row |= {key: value for key, value in fit.row().items() if key not in told}
        if rated is not None:
            row |= {key: getattr(rated, key) for key in ("outfit", "outfit_t", "infit", "infit_t")}
        flags = evidence.flags_of.get(name, ())
        row |= {"flags": [flag.code for flag in flags], "reasons": [flag.message for flag in flags]}
        rows.append(row)
    return rows
