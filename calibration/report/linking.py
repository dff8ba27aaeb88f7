"""Where anchors put the scale: do they still say what they did?"""

from __future__ import annotations

from typing import Any

import numpy as np

from calibration.pages import ACCENT, INK, MUTED, facts, table
from calibration.report.drawing import Frame, legend
from calibration.report.evidence import Evidence
from calibration.report.findings import drifted
from calibration.report.words import figure, fixed, folded, left_out, note, probability, section, with_se

ROWS_OPEN = 40


def linking_section(evidence: Evidence) -> str:
    """Anchors estimated anew beside the others: displacement, tests, curves apart."""
    scale, drift = evidence.calibration.scale, evidence.drift
    if not scale.anchors:
        return ""
    title = "锚题与漂移 Anchors and drift"
    fixed_anchors = f"<p>量表由 {len(scale.anchors)} 道锚题固定。 {len(scale.anchors)} anchors fix the scale.</p>"
    if drift is None:
        return section("linking", title, fixed_anchors, left_out(evidence.left_out, "drift"))
    link, moved = drift.link, {one.item for one in drifted(drift)}
    se = link.se
    pairs = [
        ("A", f"{link.A:.3f}" + (f" ± {se[0]:.3f}" if se else "")),
        ("B", f"{link.B:.3f}" + (f" ± {se[1]:.3f}" if se else "")),
        ("稳定锚题 stable", f"{len(link.anchors)}"),
        ("漂移 flagged", f"{len(moved)}"),
    ]
    ordered = sorted(drift.items, key=lambda one: (one.item not in moved, -abs(one.displacement)))
    rows = [
        [
            one.item,
            with_se(one.displacement, one.displacement_se),
            fixed(one.robust_z, 1),
            fixed(one.robust_z_slope, 1),
            fixed(one.wald, 1),
            probability(one.p_adjusted),
            fixed(one.rmsd, 3),
            "是 yes" if one.anchor else "否 no",
            " ".join(one.flags) if one.item in moved else "",
        ]
        for one in ordered
    ]
    header = (
        "锚题 anchor",
        "b 位移 displacement",
        "robust z (b)",
        "robust z (a)",
        "Wald",
        "p 校正 adjusted",
        "RMSD",
        "用于连接 in the link",
        "标记 flags",
    )
    marked = [at for at, one in enumerate(ordered) if one.item in moved]
    shown = table(
        header, rows, numeric=range(1, 7), html=(1,), pictures=(), flagged=marked, row_names=True, caption="anchors"
    )
    if len(rows) > ROWS_OPEN:
        shown = folded(f"{len(rows)} 道锚题 anchors", shown)
    not_compared = "; ".join(f"{item}: {why}" for item, why in drift.not_compared.items())
    return section(
        "linking",
        title,
        fixed_anchors,
        facts(pairs),
        _chart(evidence),
        shown,
        note(
            "锚题与其他题目一起自由重估，再以稳定者连接回锚题量表；位移为重估难度减原难度。",
            "Anchors were estimated anew with the other items and linked back on those that stayed (theta = A · new + "
            "B); displacement is new minus old difficulty, on the anchors' scale.",
            not_compared,
        ),
    )


def _chart(evidence: Evidence) -> str:
    drift = evidence.drift
    if drift is None:
        return ""
    moved = {one.item for one in drifted(drift)}
    place = {item.id: item.difficulty for item in evidence.calibration.items}
    points = [(place[one.item], place[one.item] + one.displacement, one.item in moved) for one in drift.items]
    points = [point for point in points if np.isfinite(point[0] + point[1])]
    if not points:
        return ""
    x, y = np.array([p[0] for p in points]), np.array([p[1] for p in points])
    marked = np.array([p[2] for p in points])
    low, high = float(min(x.min(), y.min())) - 0.4, float(max(x.max(), y.max())) + 0.4
    frame = Frame((low, high), (low, high), 380, 360, left=50, bottom=40)
    content = frame.axes("原难度 b as anchored", "重估难度 b re-estimated", x_ticks=7, y_ticks=7)
    content += frame.line([low, high], [low, high], color=MUTED, dash="5 4", width=1.2)
    content += frame.points(x[~marked], y[~marked], color=INK, radius=3.2)
    content += frame.points(x[marked], y[marked], color=ACCENT, radius=4.2)
    entries = [("稳定 stable", INK, "dot"), ("漂移 flagged", ACCENT, "dot")]
    chart = frame.svg(content, "difficulties of anchors as they were and re-estimated")
    return figure(chart, "虚线上为不变。 On the dashed line nothing has changed.", legend(entries))


def linking_numbers(evidence: Evidence) -> dict[str, Any]:
    """Anchors, the link back to them, and each one's drift."""
    return {
        "anchors": list(evidence.calibration.scale.anchors),
        "drift": None if evidence.drift is None else evidence.drift.document(),
    }
