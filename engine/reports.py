"""What was assembled, released or simulated, as one HTML page each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from calibration import ReferenceForm, chart_svg, facts, new_chart, report_page, table, write_text_whole
from engine.adaptive import TestDesign
from engine.assembly import Assembly, RecountLine, form_overlaps
from engine.blueprints import Blueprint
from engine.pools import Pool
from engine.simulation import Simulation, content_shares, percent_on

INK, ACCENT, MUTED = "#1d3557", "#c1121f", "#6c757d"
SERIES = ("#1d3557", "#2a9d8f", "#e76f51", "#7b2cbf")
LINES = ("-", "--", ":", "-.")
YES, NO = "符合 yes", "不符 NO"


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def write_assembly_report(path: Path, assembly: Assembly, blueprint: Blueprint, *, lead: str = "") -> None:
    """The forms, their information against the target, and the recount of every rule."""
    overlaps = form_overlaps(assembly)
    rows = []
    for form in assembly.forms:
        shared = ", ".join(f"{'/'.join(pair)} {n}" for pair, n in overlaps.items() if form.name in pair)
        cut_marks = _at_cut(assembly, form.expected_marks)
        kind = "备用 spare" if form.spare else "平行 parallel"
        numbers = [f"{form.deviation:.2%}", f"{cut_marks:.2f}", f"{form.accuracy:.1%}"]
        rows.append([form.name, kind, str(len(form.items)), *numbers, shared])
    header = (
        "卷 form",
        "类别 kind",
        "题数 items",
        "信息最大偏差 deviation",
        "合格线处期望分 marks at cut",
        "判定准确率 accuracy",
        "重复题 shared",
    )
    lines = [
        [line.form, line.rule, _bound(line.min), _bound(line.max), f"{line.value:.4g}", _verdict(line)]
        for line in assembly.recount
    ]
    recount_header = ("卷 form", "规则 rule", "下限 min", "上限 max", "复核值 counted", "结论 ok")
    broken = [n for n, line in enumerate(assembly.recount) if not line.ok]
    body = (
        facts(
            [
                ("试卷 forms", str(len(assembly.forms))),
                ("合格线能力 θ at the cut", f"{assembly.theta_cut:.3f}"),
                ("规则复核 rules recounted", f"{len(assembly.recount) - len(broken)} / {len(assembly.recount)}"),
                ("种子 seed", str(assembly.seed)),
            ]
        )
        + "<h2>试卷 Forms</h2>"
        + table(header, rows, numeric=range(2, 6), sortable=False)
        + '<p class="note">判定准确率：按该卷原始分判定合格与否，与真实能力一致的考生比例。 '
        "Accuracy: share of the population that the form's raw marks put on the right side of the cut.</p>"
        + ("<h2>目标 Target</h2>" + _target_charts(assembly, blueprint) if assembly.theta else "")
        + "<h2>逐条复核 Recount of every rule</h2>"
        + '<p class="note">复核程序只看试题本身，不用组卷模型。 '
        "The recount looks at the items alone, not at the model.</p>"
        + table(recount_header, lines, numeric=range(2, 5), flagged=broken)
        + f'<p class="note">题库 pool {assembly.pool_digest[:16]}；命题蓝图 blueprint “{escape(blueprint.title)}”</p>'
    )
    write_text_whole(path, report_page("组卷报告 Assembly report", body, lead=lead))


def _at_cut(assembly: Assembly, values: Sequence[float]) -> float:
    if not values:
        return float("nan")
    return values[int(np.argmin(np.abs(np.array(assembly.theta) - assembly.theta_cut)))]


def _verdict(line: RecountLine) -> str:
    if line.min is None and line.max is None:
        return "–"
    return YES if line.ok else NO


def _target_charts(assembly: Assembly, blueprint: Blueprint) -> str:
    """Information beside its target, and by how many marks the expectations differ from theirs."""
    information, axes = new_chart(height=3.0)
    axes.plot(assembly.theta, assembly.target_information, color=ACCENT, marker="_", markersize=18, linewidth=0)
    difference, below = new_chart(height=2.6)
    if blueprint.target is not None:
        allowed = blueprint.target.marks_tolerance
        below.axhspan(-allowed, allowed, color=MUTED, alpha=0.12, linewidth=0, label="allowed")
    for f, form in enumerate(assembly.forms):
        style: dict[str, Any] = {
            "color": SERIES[f % len(SERIES)],
            "marker": "o",
            "markersize": 4,
            "linestyle": LINES[f % len(LINES)],
        }
        axes.plot(assembly.theta, form.information, label=form.name, **style)
        off = np.array(form.expected_marks) - assembly.target_marks
        below.plot(assembly.theta, off, label=form.name, **style)
    for chart, name in ((axes, "information"), (below, "expected marks - target")):
        chart.axvline(assembly.theta_cut, color=MUTED, linestyle="--", linewidth=1)
        chart.set_xlabel("theta (ability); the dashed line is the cut")
        chart.set_ylabel(name)
        chart.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return _figure(
        chart_svg(information, "information against target"),
        "各卷信息，红横线为目标。 Information of each form; red dashes: the target.",
    ) + _figure(
        chart_svg(difference, "expected marks against target"),
        "各卷期望分与目标之差（分），灰带为允许范围。 Marks expected above or below the target; grey: what is allowed.",
    )


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


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
