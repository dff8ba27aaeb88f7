"""The curves of items: a small one for the table, and a card with characteristic, information and option curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from calibration.models import Curves, ItemParameters, Scale
from calibration.own_data import items_alone
from calibration.pages import ACCENT, INK, SERIES
from calibration.report.drawing import GRID, Frame, legend, series, shared, use
from calibration.report.evidence import Evidence
from calibration.report.flags import UNTAGGED, flag_name, is_serious
from calibration.report.observed import Observed
from calibration.report.warnings import anchor
from calibration.report.words import folded, left_out, note, section, with_se
from calibration.showing import parameter

Matrix = NDArray[np.float64]

DOT = SERIES[2]
AREA = "#dbe4ef"
FINE, COARSE = 41, 21  # points of a curve on a card and in the table
MOST_OPEN = 60  # cards that stand open
OPTION_COLORS = ("#2a9d8f", "#e76f51", "#7b2cbf", "#b08900", "#457b9d", "#8c564b", "#6c757d")


def characteristic_curve(
    item: ItemParameters,
    observed: Observed | None,
    span: tuple[float, float],
    scale: Scale | None = None,
) -> str:
    """The item's curve in 132 × 46 pixels: expected score as a share of the highest, with the observed shares."""
    frame = _small(span)
    theta = np.linspace(*span, COARSE)
    P = Curves.of([item], scale).probability(theta)
    K = len(P)
    content = use("spark-axes") + frame.line(theta, np.arange(K) @ P / (K - 1), width=1.6)
    if observed is not None:
        content += frame.points(observed.theta, observed.score, color=DOT, radius=1.9)
    return frame.svg(content, f"characteristic curve of {item.id}", kind="spark")


def _small(span: tuple[float, float]) -> Frame:
    return Frame(span, (0.0, 1.0), 132, 46, left=1, right=1, top=3, bottom=3)


def _left(span: tuple[float, float]) -> Frame:
    return Frame(span, (0.0, 1.0), 290, 176, left=32, right=6, top=6, bottom=20)


RIGHT = Frame((0.0, 100.0), (0.0, 1.0), 290, 176, left=32, right=40, top=6, bottom=20)


def shared_axes(evidence: Evidence) -> str:
    """The axes that all items' charts have in common."""
    small, left = _small(evidence.span), _left(evidence.span)
    rules = "".join(f"M1 {float(small.down(y)):g}H131" for y in (0, 0.5, 1))
    spark, axes = f'<path d="{rules}" stroke="{GRID}"/>', left.axes()
    if evidence.cut is not None:
        spark += small.upright(evidence.cut, dash="2 2")
        axes += left.upright(evidence.cut)
    return shared({"spark-axes": spark, "card-axes": axes, "option-axes": RIGHT.axes(x_ticks=6)})


def curves_section(evidence: Evidence) -> str:
    """A card an item: flagged ones open, the others folded where they are many."""
    calibration = evidence.calibration
    items = sorted(calibration.items, key=lambda item: item.id)
    drawn = {item.id: item for item in items_alone(calibration)}
    marked = {item for item, flags in evidence.flags_of.items() if any(is_serious(flag.code) for flag in flags)}
    first = [item for item in items if item.id in marked]
    rest = [item for item in items if item.id not in marked]
    theta = np.linspace(*evidence.span, FINE)
    curves = Curves.of([drawn[item.id] for item in items], calibration.scale)
    P, information = curves.probability(theta), curves.information(theta)
    place = {item.id: j for j, item in enumerate(items)}
    tallest = _ceiling(information.max(axis=1))

    def cards(some: Sequence[ItemParameters]) -> str:
        made = "".join(
            _card(
                evidence,
                item,
                theta,
                P[curves.start[place[item.id]] : curves.start[place[item.id] + 1]],
                information[place[item.id]],
                tallest,
            )
            for item in some
        )
        return f'<div class="cards{" pairs" if evidence.options else ""}">{made}</div>' if some else ""

    dichotomous = any(item.categories == 2 for item in items)
    entries = [("模型 model", INK, ""), ("观测 observed, 95 %", DOT, "dot"), ("信息 information", AREA, "area")]
    entries = entries if dichotomous else [("观测 observed", "#555555", "dot"), entries[2]]
    if evidence.cut is not None:
        entries.append(("合格线 cut", ACCENT, "5 4"))
    if evidence.options:
        entries.append(("正答 key", INK, ""))
    about = note(
        "左：θ 上各类别（或答对）的概率，点为观测比例；阴影为信息量，各题同一标尺"
        f"（顶端 = {tallest:.2g}）。多级计分题每条线为一个得分类别。"
        + ("右：各选项的选择比例，按其余题目得分率（%）分五组。" if evidence.options else ""),
        "Left: probability of each category (or of success) by ability, dots observed; shaded: information, on one "
        f"scale for all items (top = {tallest:.2g}). A polytomous item has a line for each score."
        + (
            " Right: share of each option in five groups by the score (%) on the other items."
            if evidence.options
            else ""
        ),
    )
    if calibration.item_sets:
        about += note(
            "题组内题目画的是组内效应平均后的曲线。", "Items of sets: curves with what the set shares averaged out."
        )
    body = cards(first)
    others = cards(rest)
    if len(rest) > MOST_OPEN:
        others = folded(f"其余 {len(rest)} 题 the other {len(rest)} items", others)
    return section(
        "curves",
        "题目曲线 Item curves",
        about + legend(entries),
        body,
        others,
        left_out(evidence.left_out, "observed", "options"),
    )


def _ceiling(peaks: Matrix) -> float:
    """The top of the information scale: the largest, unless a few items tower over the others."""
    return float(max(min(peaks.max(initial=0.0), 3 * np.quantile(peaks, 0.9)), 1e-6)) if len(peaks) else 1.0


def _card(
    evidence: Evidence, item: ItemParameters, theta: Matrix, P: Matrix, information: Matrix, tallest: float
) -> str:
    flags = evidence.flags_of.get(item.id, ())
    label = evidence.labels.get(item.id, "")
    tags = "".join(
        f'<span class="tag{"" if is_serious(flag.code) else " mild"}">{escape(flag_name(flag.code))}</span>'
        for flag in flags
        if flag.code not in UNTAGGED
    )
    estimates = "; ".join(
        f"{name} = {with_se(parameter(item, name), item.se.get(name))}" for name in item.parameter_names
    )
    charts = _characteristic(evidence, item, theta, P, information, tallest)
    if item.id in evidence.options:
        charts += _options(evidence, item.id)
    red = " flagged" if any(is_serious(flag.code) for flag in flags) else ""
    return (
        f'<article class="card{red}" id="{anchor(item.id)}"><h3>{escape(item.id)} '
        f'<span class="note">{escape(item.model)}, n = {item.n:.0f}</span></h3>'
        + (f"<p>{escape(label)}</p>" if label else "")
        + f"<p>{estimates}</p>"
        + (f"<p>{tags}</p>" if tags else "")
        + f'<div class="charts">{charts}</div></article>'
    )


def _characteristic(
    evidence: Evidence, item: ItemParameters, theta: Matrix, P: Matrix, information: Matrix, tallest: float
) -> str:
    frame = _left(evidence.span)
    content = frame.area(theta[::2], np.minimum(information[::2] / tallest, 1.0), color=AREA) + use("card-axes")
    observed = evidence.observed.get(item.id)
    if len(P) == 2:
        if observed is not None:
            content += frame.whiskers(observed.theta, *observed.interval(), color=DOT)
        content += frame.line(theta, P[1])
        if observed is not None:
            content += frame.points(observed.theta, observed.share[1], color=DOT, radius=2.2)
    else:
        content += _categories(frame, item, theta, P, observed, evidence.calibration.shift.get(item.id, 0))
    what = "characteristic curve" if len(P) == 2 else f"curves of the {len(P)} categories"
    seen = ", with observed proportions" if observed is not None else ""
    return frame.svg(content, f"{what} and information of {item.id}{seen}", kind="chart small")


def _categories(
    frame: Frame, item: ItemParameters, theta: Matrix, P: Matrix, observed: Observed | None, shift: int
) -> str:
    """A line a category, with its score at its peak."""
    content, scores = "", ""
    for k, row in enumerate(P):
        color, dash = series(k)
        content += frame.line(theta, row, color=color, dash=dash, width=1.5)
        if observed is not None and k < len(observed.share):
            content += frame.points(observed.theta, observed.share[k], color=color, radius=1.8)
        at = int(np.argmax(row))
        x = float(np.clip(frame.across(theta[at]), frame.left + 8, frame.width - frame.right - 8))
        y = max(float(frame.down(row[at])) - 4, frame.top + 9)
        mark = item.category_marks[k] + (0 if item.marks else shift)
        scores += (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{color}" stroke="#fff" stroke-width="3" '
            f'paint-order="stroke" font-weight="700">{mark:g}</text>'
        )
    return content + scores


def _options(evidence: Evidence, item: str) -> str:
    """The share of each option by score on the other items; the key is the heavy line."""
    curves = evidence.options[item]
    frame, x = RIGHT, 100 * np.array(curves.rest_share)
    keys = set((curves.key or "").split(";"))
    content = use("option-axes")
    ends: list[tuple[float, str, str]] = []
    others = 0
    for option, row in zip(curves.options, curves.shares, strict=True):
        right = option in keys and option != ""
        color = INK if right else OPTION_COLORS[others % len(OPTION_COLORS)]
        dash = "" if right else series(1 + others % 5)[1]
        others += not right
        y = np.array(row)
        content += frame.line(x, y, color=color, width=2.4 if right else 1.4, dash=dash)
        content += frame.points(x[np.isfinite(y)], y[np.isfinite(y)], color=color, radius=2.2 if right else 1.6)
        last = y[np.isfinite(y)]
        name = f"{option}*" if right else option or "漏答"
        ends.append((float(frame.down(last[-1])) if last.size else frame.top, name, color))
    end = float(frame.across(np.nanmax(x))) + 6 if np.isfinite(x).any() else frame.left
    for at, name, color in _apart(ends, 11.0, frame.top + 6, frame.height - frame.bottom):
        content += f'<text x="{end:.0f}" y="{at + 3:.0f}" fill="{color}">{escape(name)}</text>'
    return frame.svg(content, f"share of each option of {item} by score on the other items", kind="chart small")


def _apart(
    labels: Sequence[tuple[float, str, str]], gap: float, low: float, high: float
) -> list[tuple[float, str, str]]:
    """Labels moved apart vertically, in their order, within bounds."""
    ordered = sorted(labels)
    y = np.array([label[0] for label in ordered])
    for j in range(1, len(y)):
        y[j] = max(y[j], y[j - 1] + gap)
    y -= max(0.0, y[-1] - high) if len(y) else 0.0
    for j in range(len(y) - 2, -1, -1):
        y[j] = min(y[j], y[j + 1] - gap)
    y += max(0.0, low - y[0]) if len(y) else 0.0
    return [(float(at), name, color) for at, (_, name, color) in zip(y, ordered, strict=True)]
