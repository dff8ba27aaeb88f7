"""Persons against thresholds on one scale (Wright & Masters, 1982), with raters where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.pages import ACCENT, INK, MUTED, SERIES
from calibration.report.drawing import DASHES, Frame, legend, number, text, ticks
from calibration.report.evidence import Evidence
from calibration.report.words import figure, left_out, note, section

Matrix = NDArray[np.float64]

NAMED = 45  # thresholds that are written out; more are bars
HEIGHT, WIDTH = 560.0, 860.0
MIDDLE = 330.0  # where the scale stands
BIN = 0.25
ROW = 12.0  # pixels between names


def wright_map_section(evidence: Evidence) -> str:
    """The map, upright: abilities to the left, thresholds to the right."""
    found = thresholds(evidence)
    if not found:
        return ""
    low, high = evidence.span
    frame = Frame((0.0, 1.0), (low, high), WIDTH, HEIGHT, left=10, right=10, top=22, bottom=14)
    marks = ticks(low, high, 11)
    content = "".join(
        f'<path d="M10 {float(frame.down(v)):.1f}H{WIDTH - 10:g}" stroke="#eef1f4"/>'
        + text(MIDDLE - 6, float(frame.down(v)) + 4, number(v, marks), anchor="end", color=MUTED)
        for v in marks
    )
    content += f'<path d="M{MIDDLE:g} {frame.top:g}V{HEIGHT - frame.bottom:g}" stroke="#9aa4b1"/>'
    content += text(MIDDLE - 40, 14, "考生 persons", anchor="end", color=INK)
    content += text(MIDDLE + 12, 14, "题目阈值 thresholds", color=INK)
    content += _persons(evidence, frame)
    content += _named(found, frame) if len(found) <= NAMED else _bars(found, frame)
    content += _raters(evidence, frame)
    if evidence.cut is not None:
        y = float(frame.down(evidence.cut))
        content += f'<path d="M10 {y:.1f}H{WIDTH - 10:g}" stroke="{ACCENT}" stroke-dasharray="5 4"/>'
    entries = [("考生（似真值）persons, plausible values", "#9fb4cc", "area")]
    groups = evidence.calibration.groups
    if len(groups) > 1:
        entries += [
            (f"{group.name}: 均值 mean ± 1 SD", SERIES[(g + 1) % len(SERIES)], "")
            for g, group in enumerate(groups[: len(SERIES)])
        ]
    if len(found) > NAMED:
        entries.append(("阈值个数 number of thresholds", "#c9a58f", "area"))
    if evidence.cut is not None:
        entries.append((f"合格线 cut, θ = {evidence.cut:.2f}", ACCENT, DASHES[1]))
    outside = sum(not low <= value <= high for _, value in found)
    beyond = (
        f" {outside} 个阈值在图外，画在边上 thresholds are beyond the map and stand at its edge." if outside else ""
    )
    chart = frame.svg(content, "Wright map: persons to the left, thresholds to the right, on one scale")
    caption = (
        "左：考生能力分布；右：题目难度或步阈，同一量表。 Abilities left, difficulties and step thresholds right."
        + beyond
    )
    return section(
        "map",
        "考生与题目 Persons and items (Wright map)",
        figure(chart, caption, legend(entries)),
        note(
            "题目少的能力区间，测量不准；远离考生的题目，信息很少。",
            "Where persons have no items beside them they are measured badly; items far from the persons tell little.",
        ),
        left_out(evidence.left_out, "scores"),
    )


def thresholds(evidence: Evidence) -> list[tuple[str, float]]:
    """Name and place of every threshold: the item, with .k for the k-th step of a polytomous one."""
    found = []
    for item in evidence.calibration.items:
        for k, b in enumerate(item.b):
            if np.isfinite(b):
                found.append((item.id if len(item.b) == 1 else f"{item.id}.{k + 1}", float(b)))
    return sorted(found, key=lambda one: one[1])


def _persons(evidence: Evidence, frame: Frame) -> str:
    """The distribution of plausible values as bars to the left, and each group's mean with its spread."""
    content = ""
    if evidence.scores is not None and evidence.scores.draws.size and evidence.responses is not None:
        weight = np.repeat(evidence.responses.weight, evidence.scores.draws.shape[1])
        share, edges = _shares(evidence.scores.draws.reshape(-1), weight, evidence.span)
        room = MIDDLE - 60
        for value, low, high in zip(share / max(share.max(), 1e-12), edges[:-1], edges[1:], strict=True):
            top, base = float(frame.down(high)), float(frame.down(low))
            if value > 0:
                content += (
                    f'<rect x="{MIDDLE - 36 - room * value:.1f}" y="{top + 0.5:.1f}" width="{room * value:.1f}" '
                    f'height="{base - top - 1:.1f}" fill="#9fb4cc"/>'
                )
    groups = evidence.calibration.groups
    if len(groups) > 1:
        for g, group in enumerate(groups[: len(SERIES)]):
            x, color = 16 + 10 * g, SERIES[(g + 1) % len(SERIES)]
            ends = frame.down([group.mean.value - group.sd.value, group.mean.value + group.sd.value])
            content += f'<path d="M{x} {ends[0]:.1f}V{ends[1]:.1f}" stroke="{color}" stroke-width="2"/>'
            content += f'<circle cx="{x}" cy="{float(frame.down(group.mean.value)):.1f}" r="4" fill="{color}"/>'
    return content


def _shares(values: Matrix, weight: Matrix, span: tuple[float, float]) -> tuple[Matrix, Matrix]:
    edges = np.arange(span[0], span[1] + BIN / 2, BIN)
    counts, _ = np.histogram(np.clip(values, span[0], span[1] - 1e-9), edges, weights=weight)
    return counts / max(counts.sum(), 1e-12), edges


def _named(found: Sequence[tuple[str, float]], frame: Frame) -> str:
    """Thresholds by name, beside the scale; names that would overlap move to the next column."""
    columns: list[float] = []
    content, x = "", MIDDLE + 14
    widest = min(max(_width(name) for name, _ in found) + 14, 220)
    for name, value in found:
        y = float(frame.down(value))
        at = next((c for c, last in enumerate(columns) if last - y >= ROW), len(columns))
        if at == len(columns):
            columns.append(y)
        columns[at] = y
        shown = name if _width(name) <= 206 else name[:28] + "…"
        left = x + at * widest
        content += f'<path d="M{left - 8:.1f} {y:.1f}h5" stroke="{INK}" stroke-width="2"/>'
        content += text(left, y + 4, shown, color=INK)
    return content


def _width(words: str) -> float:
    """About how wide words are in pixels, at 11 px: Chinese characters twice the others."""
    return sum(11.0 if ord(c) > 0x2E80 else 6.2 for c in words)


def _bars(found: Sequence[tuple[str, float]], frame: Frame) -> str:
    share, edges = _shares(np.array([value for _, value in found]), np.ones(len(found)), frame.y)
    counts = share * len(found)
    room, content = WIDTH - MIDDLE - 140, ""
    for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        if n > 0.5:
            top, base = float(frame.down(high)), float(frame.down(low))
            width = room * n / counts.max()
            content += (
                f'<rect x="{MIDDLE + 12:g}" y="{top + 0.5:.1f}" width="{width:.1f}" height="{base - top - 1:.1f}" '
                f'fill="#c9a58f"/>'
            )
            content += text(MIDDLE + 16 + width, (top + base) / 2 + 4, f"{n:.0f}", color=MUTED)
    return content


def _raters(evidence: Evidence, frame: Frame) -> str:
    raters = sorted(evidence.calibration.raters.items(), key=lambda one: one[1].value)
    if not raters or len(raters) > NAMED:
        return ""
    content = text(WIDTH - 110, 14, "评分员 raters", color=SERIES[3])
    last = np.inf
    for name, estimate in raters:
        y = float(frame.down(estimate.value))
        last = min(y, last - ROW)
        content += f'<path d="M{WIDTH - 122:g} {y:.1f}L{WIDTH - 113:g} {last:.1f}" stroke="{SERIES[3]}"/>'
        content += text(WIDTH - 110, last + 4, name if _width(name) < 95 else name[:12] + "…", color=SERIES[3])
    return content


def map_numbers(evidence: Evidence) -> dict[str, Any]:
    """The thresholds, and the distribution of plausible values in quarter steps."""
    numbers: dict[str, Any] = {"thresholds": dict(thresholds(evidence))}
    if evidence.scores is not None and evidence.scores.draws.size and evidence.responses is not None:
        weight = np.repeat(evidence.responses.weight, evidence.scores.draws.shape[1])
        share, edges = _shares(evidence.scores.draws.reshape(-1), weight, evidence.span)
        numbers["persons"] = {"from": edges[:-1].tolist(), "share": share.tolist()}
    return numbers
