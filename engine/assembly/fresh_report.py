"""Forms on the fly as one HTML page: no form by itself, but how near all are, how much they share, and every rule."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from calibration import chart_svg, facts, new_chart, report_page, table
from engine.assembly.exposure import exposure, quantiles
from engine.assembly.recount import RecountLine
from engine.assembly.report import ACCENT, MUTED, NO, SERIES, YES
from engine.assembly.result import Assembly
from engine.blueprints import Blueprint
from engine.pools import Pool

MOST_USED = 20


def fresh_page(assembly: Assembly, blueprint: Blueprint, pool: Pool, *, lead: str = "") -> str:
    """The forms together: their spread against the target, the use of items, and the recount over all forms."""
    used = exposure(assembly)
    kept = sum(line.ok for line in assembly.recount)
    shared = [("两卷平均重复 shared by two forms", f"{used.overlap:.1%}")] if len(assembly.forms) > 1 else []
    body = (
        facts(
            [
                ("试卷 forms", f"{len(assembly.forms):,}"),
                ("结果 status", assembly.status),
                ("规则复核 rules recounted", f"{kept:,} / {len(assembly.recount):,}"),
                ("用到的题 items used", f"{used.used:,} / {int(blueprint.eligible(pool).sum()):,}"),
                ("最高曝光 highest exposure", f"{used.most:.1%}"),
                *shared,
                ("种子 seed", str(assembly.seed)),
            ]
        )
        + "<h2>各卷范围 The forms together</h2>"
        + _ranges(assembly)
        + (_information(assembly) if assembly.theta else "")
        + "<h2>试题曝光 Exposure</h2>"
        + _uses(used.share)
        + "<h2>逐条复核 Recount of every rule, over all forms</h2>"
        + _recount(assembly)
        + f'<p class="note">题库 pool {assembly.pool_digest[:16]}；命题蓝图 blueprint “{escape(blueprint.title)}”</p>'
    )
    return report_page("随到随组报告 Forms on the fly", body, lead=lead)


def _ranges(assembly: Assembly) -> str:
    measured = bool(assembly.theta)
    columns = {
        "偏差 deviation": ([form.deviation for form in assembly.forms], ".2%"),
        "分值 marks": ([form.marks for form in assembly.forms], "g"),
        "分钟 minutes": ([form.minutes for form in assembly.forms], ".4g"),
    }
    if measured:
        columns["合格线处期望分 marks at cut"] = [form.expected_at_cut for form in assembly.forms], ".2f"
        columns["判定准确率 accuracy"] = [form.accuracy for form in assembly.forms], ".1%"
    rows = [[name, *(format(one, style) for one in quantiles(values))] for name, (values, style) in columns.items()]
    return table(("", "最小 least", "中位 median", "最大 most"), rows, numeric=(1, 2, 3), sortable=False)


def _information(assembly: Assembly) -> str:
    figure, axes = new_chart(height=3.0)
    told = np.array([form.information for form in assembly.forms])
    axes.fill_between(assembly.theta, told.min(axis=0), told.max(axis=0), color=SERIES[0], alpha=0.25, label="forms")
    axes.plot(assembly.theta, assembly.target_information, color=ACCENT, marker="_", markersize=18, linewidth=0)
    axes.axvline(assembly.theta_cut, color=MUTED, linestyle="--", linewidth=1)
    axes.set_xlabel("theta (ability); the dashed line is the cut")
    axes.set_ylabel("information")
    axes.legend(frameon=False, fontsize=8)
    caption = (
        "全部试卷的信息范围，红横线为参照卷。 "
        "Information of all forms, from the least to the most; red dashes: the reference form."
    )
    return f"<figure>{chart_svg(figure, 'information of all forms')}<figcaption>{caption}</figcaption></figure>"


def _uses(share: Mapping[str, float]) -> str:
    """How often items are used, and the most used of them."""
    figure, axes = new_chart(height=2.4)
    axes.hist(list(share.values()), bins=np.linspace(0, max(share.values()), 41).tolist(), color=SERIES[0])
    axes.set_xlabel("share of the forms that an item stands on")
    axes.set_ylabel("items")
    rows = [[item, f"{one:.1%}"] for item, one in list(share.items())[:MOST_USED]]
    return (
        f"<figure>{chart_svg(figure, 'exposure of items')}<figcaption>用到的题按曝光率的分布。 "
        "Items used, by exposure.</figcaption></figure>"
        f"<details><summary>最常用的 {len(rows)} 题 most used</summary>"
        f"{table(('题号 item', '曝光 exposure'), rows, numeric=(1,))}</details>"
    )


def _recount(assembly: Assembly) -> str:
    """A row for each rule and bounds: the least and the most of it on any form."""
    lines: dict[tuple[str, float | None, float | None], list[RecountLine]] = {}
    for line in assembly.recount:
        lines.setdefault((line.rule, line.min, line.max), []).append(line)
    rows, flagged = [], []
    for n, ((rule, low, high), counted) in enumerate(lines.items()):
        least, _, most = quantiles(line.value for line in counted)
        broken = sum(not line.ok for line in counted)
        verdict = f"{NO} ({broken})" if broken else "–" if low is None and high is None else YES
        bounds = ["" if one is None else f"{one:.5g}" for one in (low, high)]
        rows.append([rule, *bounds, f"{least:.5g}", f"{most:.5g}", str(len(counted)), verdict])
        flagged += [n] if broken else []
    header = ("规则 rule", "下限 min", "上限 max", "最小值 least", "最大值 most", "次数 counted", "结论 ok")
    return table(header, rows, numeric=range(1, 6), flagged=flagged)
