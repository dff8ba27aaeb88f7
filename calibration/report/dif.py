"""Do items say the same of equally able persons of different groups?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np

from calibration.classical.dif import MantelHaenszel
from calibration.pages import ACCENT, INK, SERIES, table
from calibration.report.drawing import Frame, legend, text
from calibration.report.evidence import Evidence
from calibration.report.words import figure, fixed, folded, left_out, note, probability, section

ROWS_OPEN = 25
IN_CHART = 30


def dif_section(evidence: Evidence) -> str:
    """Matched comparisons (Mantel–Haenszel) and observed curves (RMSD); the likelihood ratio where it was asked for."""
    responses = evidence.responses
    names = ("dif", "matched_dif", "curve_dif", "model_dif")
    if responses is None or len(responses.groups) < 2:
        return ""
    if not (evidence.matched_dif or evidence.curve_dif):
        return section("dif", "功能差异 Differential functioning", left_out(evidence.left_out, *names))
    parts = []
    for focal in dict.fromkeys(one.focal for one in evidence.matched_dif):
        own = [one for one in evidence.matched_dif if one.focal == focal]
        against = own[0].reference
        found = [one for one in own if one.category[:1] in {"B", "C"}]
        parts.append(f"<h3>{escape(focal)} 对 against {escape(against)}</h3>")
        parts.append(
            f"<p>{len(own)} 题比较，{len(found)} 题有中等或大的差异（B、C）。 "
            f"{len(own)} items compared, {len(found)} differ by a moderate or large amount.</p>"
        )
        parts.append(_chart(own))
        parts.append(_table(evidence, own))
    if evidence.model_dif:
        parts.append("<h3>似然比 Likelihood ratio</h3>" + _model_table(evidence))
    about = note(
        "按分数配对后比较两组（Mantel–Haenszel）；Δ 为 ETS 差异量尺，负值对目标组更难；|Δ| < 1 为 A，≥ 1.5 且显著为 C；"
        "多级计分题为标准化均差（SMD / SD）。RMSD：目标组观测曲线与共同曲线之差，> 0.10 为显著差异。",
        "Persons matched on their marks (Mantel–Haenszel); Δ on the ETS scale, negative is harder for the focal group; "
        "A negligible, B moderate, C large; polytomous items: standardised mean difference over SD. RMSD: the "
        "focal group's observed curve against the common one. A difference is a reason to read the item, not a proof "
        "of unfairness.",
    )
    return section("dif", "功能差异 Differential functioning", about, *parts, left_out(evidence.left_out, *names))


def _size(one: MantelHaenszel) -> tuple[float, float]:
    """Effect and its standard error in units of the limit of class B: 1 Δ, or 0.17 SD."""
    if np.isfinite(one.delta):
        return one.delta, one.se_delta
    sd = abs(one.smd / one.effect) if one.effect else np.nan
    return one.effect / 0.17, one.se_smd / sd / 0.17 if sd and np.isfinite(sd) else np.nan


def _chart(rows: Sequence[MantelHaenszel]) -> str:
    known = [(one, *_size(one)) for one in rows]
    known = [row for row in known if np.isfinite(row[1])]
    if len(known) < 2:
        return ""
    known.sort(key=lambda row: -abs(row[1]))
    known = sorted(known[:IN_CHART], key=lambda row: row[1])
    most = max(2.0, *(abs(value) + 1.96 * (error if np.isfinite(error) else 0) for _, value, error in known))
    most = min(most, 6.0)
    n = len(known)
    height = 48 + 17 * n
    frame = Frame((-most, most), (0, n), 640, height, left=150, right=16, top=6, bottom=40)
    band = frame.across([-1, 1])
    content = (
        f'<rect x="{band[0]:.1f}" y="6" width="{band[1] - band[0]:.1f}" height="{height - 46}" fill="#eef3f8"/>'
        + frame.axes("效应 effect (|1| = B)", x_ticks=9, y_ticks=0)
        + frame.upright(0.0, color="#9aa4b1", dash="")
    )
    for j, (one, value, error) in enumerate(known):
        y = float(frame.down(j + 0.5))
        color = {"B": SERIES[4], "C": ACCENT}.get(one.category[:1], INK)
        if np.isfinite(error):
            ends = frame.across([value - 1.96 * error, value + 1.96 * error])
            content += f'<path d="M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}" stroke="{color}" stroke-width="1.5"/>'
        content += f'<circle cx="{float(frame.across(value)):.1f}" cy="{y:.1f}" r="3.4" fill="{color}"/>'
        content += text(142, y + 4, one.item if len(one.item) < 22 else one.item[:21] + "…", anchor="end", color=color)
    entries = [
        ("A 可忽略 negligible", INK, "dot"),
        ("B 中等 moderate", SERIES[4], "dot"),
        ("C 大 large", ACCENT, "dot"),
    ]
    some = f"绝对值最大的 {n} 题。 The {n} largest." if n < len(rows) else ""
    caption = f"负值：对目标组更难；线为 95 % 区间。 Negative: harder for the focal group; 95 % intervals. {some}"
    return figure(frame.svg(content, "effects of differential functioning by item"), caption, legend(entries))


def _table(evidence: Evidence, rows: Sequence[MantelHaenszel]) -> str:
    curve = {(row.item, row.focal): row for row in evidence.curve_dif}
    header = ("题号 item", "n", "n 目标组 focal", "Δ", "SE", "SMD / SD", "p 校正 adjusted", "类 class", "RMSD", "MD")
    ordered = sorted(rows, key=lambda one: ("CBA".find(one.category[:1]), one.item))
    cells = []
    for one in ordered:
        seen = curve.get((one.item, one.focal))
        cells.append(
            [
                one.item,
                f"{one.n_reference:.0f}",
                f"{one.n_focal:.0f}",
                fixed(one.delta),
                fixed(one.se_delta),
                fixed(one.effect),
                probability(one.p_adjusted),
                one.category,
                fixed(seen.rmsd if seen is not None else None, 3),
                fixed(seen.md if seen is not None else None, 3),
            ]
        )
    marked = [at for at, one in enumerate(ordered) if one.category[:1] in {"B", "C"}]
    shown = table(
        header, cells, numeric=(1, 2, 3, 4, 5, 6, 8, 9), flagged=marked, row_names=True, caption="matched DIF"
    )
    return shown if len(cells) <= ROWS_OPEN else folded(f"{len(cells)} 题 items", shown)


def _model_table(evidence: Evidence) -> str:
    header = ("题号 item", "组 focal", "χ²", "df", "p", "有符号面积 signed area", "ESSD", "大小 size")
    rows = sorted(evidence.model_dif, key=lambda row: (not row.flagged, row.p if np.isfinite(row.p) else 1.0))
    cells = [
        [
            row.item,
            row.focal,
            fixed(row.statistic, 1),
            f"{row.df}",
            probability(row.p),
            fixed(row.effect.signed_area),
            fixed(row.effect.essd),
            row.effect.size,
        ]
        for row in rows
    ]
    marked = [at for at, row in enumerate(rows) if row.flagged]
    shown = table(header, cells, numeric=(2, 3, 4, 5, 6), flagged=marked, row_names=True, caption="likelihood ratio")
    return shown if len(cells) <= ROWS_OPEN else folded(f"{len(cells)} 行 rows", shown)


def dif_numbers(evidence: Evidence) -> dict[str, Any]:
    """All rows of all methods."""
    return {
        "matched": [asdict(one) for one in evidence.matched_dif],
        "curves": [row.row() for row in evidence.curve_dif],
        "likelihood_ratio": [row.row() for row in evidence.model_dif],
    }
