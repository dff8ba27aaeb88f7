"""The calibration report: one HTML file with warnings first, then information, then every item with its curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.classical import ItemStatistics
from calibration.files import write_text_whole
from calibration.models import ItemParameters, ParameterTable
from calibration.pages import ACCENT, INK, MUTED, SERIES, chart_svg, facts, new_chart, report_page, table
from calibration.responses import NOT_REACHED, Responses
from calibration.result import Calibration
from calibration.scoring import eap_scores
from calibration.screening import Flag

CURVE_RANGE = 4.0
OBSERVED_GROUPS = 7
FLAG_NAMES = {
    "no-variance": "无变异 no variance",
    "negative-discrimination": "区分度为负 negative discrimination",
    "key-suspect": "答案存疑 key suspect",
}
PARAMETER_HEADER = ("a", "SE", "b", "SE")


def write_report(
    path: Path,
    calibration: Calibration,
    responses: Responses,
    statistics: Sequence[ItemStatistics],
    flags: Sequence[Flag],
    *,
    title: str = "题目参数标定报告 Calibration report",
    lead: str = "",
    cut: float | None = None,
    labels: Mapping[str, str] | None = None,
) -> None:
    """Write the report to `path`.

    `lead` says whose responses these are, `cut` is an ability, `labels` describe items. Flagged items stand first.
    """
    body = "\n".join(
        [
            _summary(calibration, responses, cut),
            _warnings(calibration, flags, labels or {}),
            _information(calibration, responses, cut),
            _difficulties(calibration, responses, cut),
            _items(calibration, responses, statistics, flags, cut, labels or {}),
        ]
    )
    write_text_whole(path, report_page(title, body, lead=lead))


def _summary(calibration: Calibration, responses: Responses, cut: float | None) -> str:
    counts = responses.counts
    pairs = [
        ("考生 persons", f"{calibration.n_persons}"),
        ("题目 items", f"{len(calibration.items)} + {len(calibration.excluded)}"),
        ("作答 answered", f"{counts['answered']}"),
        ("漏答 omitted", f"{counts['omitted']}"),
        ("未施测 not administered", f"{counts['not_administered']}"),
        ("模型 model", calibration.model),
        ("对数似然 log-likelihood", f"{calibration.log_likelihood:.2f}"),
    ]
    if cut is not None:
        pairs.append(("合格线能力 θ at the cut", f"{cut:.3f}"))
    state = "converged" if calibration.converged else "NOT CONVERGED: do not use these numbers"
    return (
        "<h2>数据与模型 Data and model</h2>"
        + facts(pairs)
        + '<p class="note">'
        + escape(
            f"{state} after {calibration.iterations} EM passes, largest gradient {calibration.max_gradient:.1e}, "
            f"{calibration.nodes} quadrature nodes. Priors: {calibration.priors}. "
            f"Standard errors: {calibration.se_kind}. "
            f"P = 1 / (1 + exp(-D·a·(θ - b))), D = {calibration.scale.D:g}, θ ~ N(0, {calibration.scale.sd:.3g}²). "
            "题目数后的加数为未进入标定的题目 (the number after + counts items left out)."
        )
        + "</p>"
    )


def _warnings(calibration: Calibration, flags: Sequence[Flag], labels: Mapping[str, str]) -> str:
    if not flags and calibration.converged:
        return "<h2>警示 Warnings</h2><p>没有需要处理的题目。 No item is flagged.</p>"
    rows = [[flag.item, labels.get(flag.item, ""), FLAG_NAMES[flag.code], flag.message] for flag in flags]
    return (
        '<h2>警示 Warnings</h2><div class="warn">'
        + table(("题号 item", "内容 content", "标记 flag", "依据 what was seen"), rows, sortable=False)
        + '</div><p class="note">检验按 Benjamini–Hochberg 控制错误发现率为 1%。 '
        "All items are tested together at a false discovery rate of 1 %.</p>"
    )


def _forms(responses: Responses) -> dict[str, set[int]]:
    """Items of each form that somebody saw."""
    return {
        name: set(responses.item[responses.form[responses.person] == f].tolist())
        for f, name in enumerate(responses.forms)
    }


def _information(calibration: Calibration, responses: Responses, cut: float | None) -> str:
    theta = np.linspace(-CURVE_RANGE, CURVE_RANGE, 161)
    parameters = {item.id: item for item in calibration.items}
    figure, axes = new_chart()
    forms = list(_forms(responses).items())
    for f, (name, members) in enumerate(forms[: len(SERIES)]):
        items = [parameters[responses.items[j]] for j in sorted(members) if responses.items[j] in parameters]
        curve = ParameterTable.of(items, calibration.scale).information(theta).sum(axis=0)
        axes.plot(theta, curve, color=SERIES[f], linewidth=1.6, label=f"form {name or '1'} ({len(items)} items)")
    if cut is not None:
        axes.axvline(cut, color=ACCENT, linestyle="--", linewidth=1.2, label=f"cut, theta = {cut:.2f}")
    which = f"（前 {len(SERIES)} 卷，共 {len(forms)} 卷 the first of them）" * (len(forms) > len(SERIES))
    axes.set_xlabel("theta (ability)")
    axes.set_ylabel("test information")
    axes.legend(frameon=False, fontsize=8)
    return (
        "<h2>测验信息 Test information</h2><figure>"
        + chart_svg(figure, "test information of each form")
        + f"<figcaption>各卷的信息函数 Information of each form{which}"
        f"{'；虚线为合格线 the dashed line is the cut' * (cut is not None)}.</figcaption></figure>"
    )


def _difficulties(calibration: Calibration, responses: Responses, cut: float | None) -> str:
    scores = eap_scores(responses, calibration.items, calibration.scale)
    figure, axes = new_chart(height=3.0)
    bins = np.arange(-CURVE_RANGE, CURVE_RANGE + 0.01, 0.25)
    for values, weights, color, label, sign in (
        (scores.theta, responses.weight, SERIES[1], "persons (EAP)", 1),
        (np.array([item.difficulty for item in calibration.items]), None, INK, "items (b)", -1),
    ):
        counts, _ = np.histogram(np.clip(values, -CURVE_RANGE, CURVE_RANGE), bins, weights=weights)
        axes.bar(bins[:-1], sign * counts / counts.sum(), width=0.23, align="edge", color=color, label=label)
    if cut is not None:
        axes.axvline(cut, color=ACCENT, linestyle="--", linewidth=1.2)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlabel("theta (ability) and b (difficulty)")
    axes.set_ylabel("share: persons up, items down")
    axes.legend(frameon=False, fontsize=8)
    return (
        "<h2>考生与题目 Persons and items</h2><figure>"
        + chart_svg(figure, "distribution of abilities and difficulties")
        + "<figcaption>上：考生能力；下：题目难度。 Abilities above, difficulties below, on one scale."
        "</figcaption></figure>"
    )


def observed_proportions(
    responses: Responses, theta: NDArray[np.float64], groups: int = OBSERVED_GROUPS
) -> list[list[tuple[float, float]]]:
    """For each item, (mean theta, proportion of right answers) in `groups` equal groups of its persons by theta.

    Weights count as persons; persons of the same ability stay in one group, so that few patterns make fewer groups.
    """
    used = (responses.status != NOT_REACHED) & (responses.weight[responses.person] > 0)
    item, person, score = responses.item[used], responses.person[used], responses.score[used]
    weight = responses.weight[person]
    order = np.lexsort((theta[person], item))
    starts = np.searchsorted(item[order], np.arange(len(responses.items) + 1))
    points: list[list[tuple[float, float]]] = []
    for j in range(len(responses.items)):
        rows = order[starts[j] : starts[j + 1]]
        w, ability = weight[rows], theta[person[rows]]
        if w.sum() < 5 * groups:
            points.append([])
            continue
        middle = np.cumsum(w) - w / 2
        first = np.searchsorted(ability, ability)  # persons of one ability share the group of the first of them
        group = np.minimum((groups * middle[first] / w.sum()).astype(int), groups - 1)
        n = np.bincount(group, w, groups)
        means = (np.bincount(group, w * x, groups)[n > 0] / n[n > 0] for x in (ability, score[rows]))
        points.append([(float(t), float(p)) for t, p in zip(*means, strict=True)])
    return points


def characteristic_curve(
    item: ItemParameters, observed: Sequence[tuple[float, float]], D: float, cut: float | None
) -> str:
    """A small SVG of an item's curve with observed proportions, drawn by hand: hundreds stand on a page."""
    width, height = 132.0, 52.0

    def x(theta: float) -> float:
        return (float(np.clip(theta, -CURVE_RANGE, CURVE_RANGE)) + CURVE_RANGE) / (2 * CURVE_RANGE) * width

    def y(p: float) -> float:
        return 2 + (1 - p) * (height - 4)

    nodes = np.linspace(-CURVE_RANGE, CURVE_RANGE, 33)
    P = ParameterTable.of([item]).probability(D * nodes + (1 - D) * item.difficulty)[0]
    path = "M" + "L".join(f"{x(t):.1f} {y(p):.1f}" for t, p in zip(nodes, P, strict=True))
    dots = "".join(f'<circle cx="{x(t):.1f}" cy="{y(p):.1f}" r="2"/>' for t, p in observed)
    line = ""
    if cut is not None:
        line = f'<path d="M{x(cut):.1f} 0V{height:g}" stroke="{ACCENT}" stroke-dasharray="2 2"/>'
    label = escape(f"characteristic curve of {item.id}", quote=True)
    box = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    rules = f"M0 {y(0):g}H{width:g}M0 {y(0.5):g}H{width:g}M0 {y(1):g}H{width:g}"
    return (
        f'<svg role="img" aria-label="{label}" {box} fill="none"><path d="{rules}" stroke="#dfe3e8"/>{line}'
        f'<path d="{path}" stroke="{INK}" stroke-width="1.6"/><g fill="{SERIES[2]}">{dots}</g></svg>'
    )


def _items(
    calibration: Calibration,
    responses: Responses,
    statistics: Sequence[ItemStatistics],
    flags: Sequence[Flag],
    cut: float | None,
    labels: Mapping[str, str],
) -> str:
    parameters = {item.id: item for item in calibration.items}
    flagged: dict[str, list[str]] = {}
    for flag in flags:
        flagged.setdefault(flag.item, []).append(FLAG_NAMES[flag.code])
    observed = observed_proportions(responses, eap_scores(responses, calibration.items, calibration.scale).theta)
    header = ["题号 item", "n", "p", "r", *PARAMETER_HEADER, "特征曲线 curve", "标记 flags"]
    rows, marked = [], []
    for j, s in enumerate(statistics):
        item = parameters.get(s.item)
        numbers = (
            ["–"] * 4
            if item is None
            else [_number(v) for v in (item.a, item.se.get("a"), item.difficulty, item.se.get("b"))]
        )
        curve = characteristic_curve(item, observed[j], calibration.scale.D, cut) if item is not None else ""
        name = f'{escape(s.item)}<br/><span class="note">{escape(labels.get(s.item, ""))}</span>'
        rows.append(
            [
                name,
                f"{s.n:.0f}",
                f"{s.p_value:.2f}",
                _number(s.point_biserial),
                *numbers,
                curve,
                "；".join(flagged.get(s.item, [])),
            ]
        )
        if s.item in flagged:
            marked.append(j)
    order = sorted(range(len(rows)), key=lambda j: (j not in marked, statistics[j].item))
    return (
        "<h2>题目 Items</h2>"
        '<p class="note">p：答对率；r：校正点二列相关（卷内合并）；a、b：区分度与难度及标准误；曲线上的点为观测比例。 '
        "p: proportion right; r: corrected point-biserial, pooled within forms; "
        "dots are observed proportions by ability.</p>"
        + table(
            header,
            [rows[j] for j in order],
            numeric=range(1, 8),
            html=(0, 8),
            flagged=[n for n, j in enumerate(order) if j in set(marked)],
        )
    )


def _number(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.2f}"
