"""What was released or simulated, as one HTML page each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration import ReferenceForm, chart_svg, facts, new_chart, report_page, table, write_text_whole
from engine.adaptive import TestDesign
from engine.pools import Pool
from engine.simulation import Simulation, content_shares, percent_on

INK, ACCENT, MUTED = "#1d3557", "#c1121f", "#6c757d"
SERIES = ("#1d3557", "#2a9d8f", "#e76f51", "#7b2cbf")


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def write_adaptive_report(
    path: Path,
    simulation: Simulation,
    pool: Pool,
    design: TestDesign,
    reference: ReferenceForm,
    *,
    cut_share: float = 0.60,
    lead: str = "",
) -> None:
    """Length, precision, content, exposure and decisions of a simulated adaptive test."""
    cut = reference.cut(cut_share)
    decisions = simulation.decisions(cut)
    percent = percent_on(simulation, reference)
    stop = design.stop
    body = (
        facts(
            [
                ("模拟考生 examinees", str(len(simulation.theta))),
                ("平均题数 mean length", f"{simulation.length.mean():.1f}"),
                ("题数范围 shortest–longest", f"{simulation.length.min()}–{simulation.length.max()}"),
                ("平均标准误 mean SE", f"{simulation.standard_error.mean():.3f}"),
                ("均方根误差 RMSE", f"{simulation.rmse:.3f}"),
                ("偏差 bias", f"{simulation.bias:+.3f}"),
                ("合格判定准确率 accuracy", f"{decisions['accuracy']:.1%}"),
                ("误判合格 false pass", f"{decisions['false_pass']:.1%}"),
                ("误判不合格 false fail", f"{decisions['false_fail']:.1%}"),
                ("最高曝光率 highest exposure", f"{simulation.exposure.max():.1%}"),
                ("从未使用 never used", f"{(simulation.exposure == 0).mean():.1%}"),
                ("两人重复率 overlap", f"{simulation.overlap:.1%}"),
            ]
        )
        + '<p class="note">'
        f"θ ~ N({design.start.mean:g}, {design.start.sd:g}²)；EAP；{stop.min_items}–{stop.max_items} 题 items，"
        f"SE ≤ {stop.standard_error:g}；在信息最大的 {design.exposure.best} 题中抽取 drawn among the best "
        f"{design.exposure.best}；合格线 cut θ = {cut:.3f}（参照卷 {cut_share:.0%} of the reference form）。"
        f"报告成绩为参照卷期望百分数，平均 {percent.mean():.1f}。 "
        "Results are reported as percent on the reference form."
        "</p>"
        + "<h2>精度 Precision</h2>"
        + _figure(_scatter(simulation, cut), "每点一名模拟考生，虚线为合格线。 One dot an examinee; dashed: the cut.")
        + _figure(_lengths(simulation), "测验长度分布。 How many tests ended after how many items.")
        + "<h2>内容 Content</h2>"
        + _content(simulation, pool, design)
        + "<h2>曝光 Exposure</h2>"
        + _figure(_exposures(simulation), "各题曝光率由高到低。 Exposure of each item, highest first.")
    )
    write_text_whole(path, report_page("自适应测验模拟报告 Adaptive test simulation", body, lead=lead))


def _scatter(simulation: Simulation, cut: float) -> str:
    figure, axes = new_chart(7.0, 4.6)
    wrong = (simulation.theta >= cut) != (simulation.estimate >= cut)
    for mask, color, label in ((~wrong, INK, "decided rightly"), (wrong, ACCENT, "decided wrongly")):
        axes.plot(
            simulation.theta[mask], simulation.estimate[mask], ".", color=color, markersize=4, alpha=0.7, label=label
        )
    axes.axvline(cut, color=MUTED, linestyle="--", linewidth=1)
    axes.axhline(cut, color=MUTED, linestyle="--", linewidth=1)
    axes.set_xlabel("true theta")
    axes.set_ylabel("estimated theta")
    axes.legend(frameon=False, fontsize=8)
    return chart_svg(figure, "estimated against true ability")


def _lengths(simulation: Simulation) -> str:
    figure, axes = new_chart(height=2.6)
    values, counts = np.unique(simulation.length, return_counts=True)
    axes.bar(values, counts, color=SERIES[1], width=0.8)
    axes.set_xlabel("items asked")
    axes.set_ylabel("examinees")
    return chart_svg(figure, "test lengths")


def _exposures(simulation: Simulation) -> str:
    figure, axes = new_chart(height=2.8)
    axes.fill_between(np.arange(len(simulation.ids)), np.sort(simulation.exposure)[::-1], color=SERIES[2], linewidth=0)
    axes.set_xlabel("items, most exposed first")
    axes.set_ylabel("exposure rate")
    return chart_svg(figure, "exposure rates")


def _content(simulation: Simulation, pool: Pool, design: TestDesign) -> str:
    if not design.content.by:
        return "<p>未设内容约束。 No content rule.</p>"
    total = sum(design.content.weights.values())
    rows = [
        [value, f"{design.content.weights.get(value, 0.0) / total:.1%}", f"{share:.1%}"]
        for value, share in content_shares(simulation, pool, design.content.by).items()
    ]
    return table((f"{design.content.by}", "权重 weight", "实际 asked"), rows, numeric=(1, 2), sortable=False)
