"""What was assembled, as one HTML page: forms, how near they are to their target, every rule, order and keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from calibration import chart_svg, facts, new_chart, report_page, table, write_text_whole
from engine.assembly.aims import aim_of
from engine.assembly.recount import RecountLine
from engine.assembly.result import Assembly, Form, form_overlaps
from engine.blueprints import Blueprint, Target
from engine.pools import Pool

ACCENT, MUTED = "#c1121f", "#6c757d"
SERIES = ("#1d3557", "#2a9d8f", "#e76f51", "#7b2cbf")
LINES = ("-", "--", ":", "-.")
YES, NO = "符合 yes", "不符 NO"
WIDE = 5  # forms that still stand side by side on a page of ordinary width


def write_assembly_report(
    path: Path, assembly: Assembly, blueprint: Blueprint, pool: Pool | None = None, *, lead: str = ""
) -> None:
    """The page of `assembly_page` as a file, written whole or not at all."""
    write_text_whole(path, assembly_page(assembly, blueprint, pool, lead=lead))


def assembly_page(assembly: Assembly, blueprint: Blueprint, pool: Pool | None = None, *, lead: str = "") -> str:
    """The forms against their target, the recount of every rule and, with the pool, order and keys of every form."""
    broken = sum(not line.ok for line in assembly.recount)
    body = (
        facts(_headlines(assembly, broken))
        + "<h2>试卷 Forms</h2>"
        + _forms(assembly, blueprint)
        + _target(assembly, blueprint, pool)
        + "<h2>逐条复核 Recount of every rule</h2>"
        + '<p class="note">复核程序只看试题本身，不用组卷模型。 '
        "The recount looks at the items alone, not at the model.</p>"
        + _recount(assembly)
        + (_order_and_keys(assembly, blueprint, pool) if pool is not None else "")
        + f'<p class="note">题库 pool {assembly.pool_digest[:16]}；命题蓝图 blueprint “{escape(blueprint.title)}”</p>'
    )
    return report_page("组卷报告 Assembly report", body, lead=lead, wide=len(assembly.forms) > WIDE)


def _headlines(assembly: Assembly, broken: int) -> list[tuple[str, str]]:
    known = [("合格线能力 θ at the cut", f"{assembly.theta_cut:.3f}")] if assembly.theta else []
    predicted = [("参数为预测的题 predicted parameters", str(assembly.predicted))] if assembly.predicted else []
    counted = len(assembly.recount)
    return [
        ("试卷 forms", str(len(assembly.forms))),
        ("结果 status", assembly.status),
        *known,
        ("规则复核 rules recounted", f"{counted - broken} / {counted}"),
        *predicted,
        ("种子 seed", str(assembly.seed)),
    ]


def _forms(assembly: Assembly, blueprint: Blueprint) -> str:
    overlaps = form_overlaps(assembly)
    measured, aimed = bool(assembly.theta), blueprint.target is not None
    header = ["卷 form", "类别 kind", "题数 items", "分值 marks", "分钟 minutes"]
    header += ["偏差 deviation"] * aimed + ["合格线处期望分 marks at cut", "判定准确率 accuracy"] * measured
    rows = []
    for form in assembly.forms:
        shared = ", ".join(f"{'/'.join(pair)} {n}" for pair, n in overlaps.items() if form.name in pair)
        kind = "备用 spare" if form.spare else "平行 parallel"
        numbers = [str(len(form.items)), f"{form.marks:g}", f"{form.minutes:g}"]
        numbers += [_off(form.deviation, blueprint.target)] if blueprint.target is not None else []
        numbers += [f"{form.expected_at_cut:.2f}", f"{form.accuracy:.1%}"] * measured
        rows.append([form.name, kind, *numbers, shared])
    note = (
        '<p class="note">判定准确率：按该卷原始分判定合格与否，与真实能力一致的考生比例。 '
        "Accuracy: share of the population that the form's raw marks put on the right side of the cut.</p>"
    )
    columns = (*header, "重复题 shared")
    return table(columns, rows, numeric=range(2, len(header)), sortable=False) + (note if measured else "")


def _off(deviation: float, target: Target) -> str:
    absolute = target.match == "marks" or (target.match == "information" and target.deviation == "absolute")
    return f"{deviation:.3f}" if absolute else f"{deviation:.2%}"


# The target


def _target(assembly: Assembly, blueprint: Blueprint, pool: Pool | None) -> str:
    target = blueprint.target
    if target is None:
        return ""
    if target.match == "moments":
        return "" if pool is None else "<h2>目标 Target</h2>" + _moments(assembly, blueprint, target, pool)
    aims = {
        "information": "各卷信息，红横线为目标。 Information of each form; red dashes: the target.",
        "marks": "各卷信息，红横线为参照卷；目标是期望分。 Information of each form; red dashes: the reference form. "
        "What is matched are expected marks.",
        "maximize": "各卷信息，红横线为参照卷；合格线处越大越好。 Information of each form; red dashes: the reference "
        "form. At the cut it is as large as can be.",
        "maximin": "各卷信息，红横线为参照卷；最小处越大越好。 Information of each form; red dashes: the reference "
        "form. The least of it is as large as can be.",
    }
    wanted = target.information if target.match == "information" and target.information else None
    return (
        "<h2>目标 Target</h2>"
        + _figure(_information(assembly, wanted or assembly.target_information), aims[target.match])
        + _figure(
            _expected(assembly, target),
            "各卷期望分与目标之差（分），灰带为允许范围。 "
            "Marks expected above or below the target; grey: what is allowed.",
        )
    )


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"


def _style(f: int) -> dict[str, object]:
    return {"color": SERIES[f % 4], "marker": "o", "markersize": 4, "linestyle": LINES[(f // 4 + f) % 4]}


def _information(assembly: Assembly, wanted: Sequence[float]) -> str:
    figure, axes = new_chart(height=3.0)
    axes.plot(assembly.theta, wanted, color=ACCENT, marker="_", markersize=18, linewidth=0)
    for f, form in enumerate(assembly.forms):
        axes.plot(assembly.theta, form.information, label=form.name, **_style(f))  # type: ignore[arg-type]
    return _with_cut(figure, axes, assembly, "information", "information against target")


def _expected(assembly: Assembly, target: Target) -> str:
    figure, axes = new_chart(height=2.6)
    if target.marks_tolerance > 0:
        allowed = target.marks_tolerance
        axes.axhspan(-allowed, allowed, color=MUTED, alpha=0.12, linewidth=0, label="allowed")
    for f, form in enumerate(assembly.forms):
        off = np.array(form.expected_marks) - assembly.target_marks
        axes.plot(assembly.theta, off, label=form.name, **_style(f))  # type: ignore[arg-type]
    return _with_cut(figure, axes, assembly, "expected marks - target", "expected marks against target")


def _with_cut(figure: object, axes: object, assembly: Assembly, name: str, label: str) -> str:
    axes.axvline(assembly.theta_cut, color=MUTED, linestyle="--", linewidth=1)  # type: ignore[attr-defined]
    axes.set_xlabel("theta (ability); the dashed line is the cut")  # type: ignore[attr-defined]
    axes.set_ylabel(name)  # type: ignore[attr-defined]
    columns = 1 + len(assembly.forms) // 12
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0), ncols=columns)  # type: ignore[attr-defined]
    return chart_svg(figure, label)  # type: ignore[arg-type]


def _moments(assembly: Assembly, blueprint: Blueprint, target: Target, pool: Pool) -> str:
    """Mean and standard deviation of the column, form by form, against what is wanted."""
    aim = aim_of(pool, blueprint)
    mean, sd = (float(aim.wanted[0]), float(aim.wanted[1]) ** 0.5) if aim is not None else (np.nan, np.nan)
    at = {item: j for j, item in enumerate(pool.ids)}
    numbers = pool.numbers(target.of)
    values = [np.nan_to_num(numbers[[at[item] for item in form.items]]) for form in assembly.forms]
    figure, axes = new_chart(height=2.6)
    axes.axhspan(mean - sd, mean + sd, color=MUTED, alpha=0.12, linewidth=0, label="target, one SD")
    axes.axhline(mean, color=ACCENT, linestyle="--", linewidth=1)
    places = np.arange(len(values))
    spread = [float(one.std()) for one in values]
    axes.errorbar(places, [one.mean() for one in values], yerr=spread, fmt="o", color=SERIES[0], capsize=4)
    axes.set_xticks(places, [form.name for form in assembly.forms])
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.set_ylabel(target.of if target.of.isascii() else "value")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    rows = [["目标 target", f"{mean:.4f}", f"{sd:.4f}"]]
    rows += [
        [form.name, f"{one.mean():.4f}", f"{one.std():.4f}"] for form, one in zip(assembly.forms, values, strict=True)
    ]
    name = escape(target.of)
    return _figure(
        chart_svg(figure, "mean and spread against target"),
        f"各卷 {name} 的均值与标准差，灰带为目标。 Mean and standard deviation of {name}; grey: the target.",
    ) + table(("卷 form", "均值 mean", "标准差 SD"), rows, numeric=(1, 2), sortable=False)


# The rules


def _recount(assembly: Assembly) -> str:
    """A row for each rule and bounds, the forms side by side."""
    names = [form.name for form in assembly.forms]
    lines: dict[tuple[str, float | None, float | None], dict[str, RecountLine]] = {}
    for line in assembly.recount:
        lines.setdefault((line.rule, line.min, line.max), {})[line.form] = line
    place: dict[str, int] = {}
    for rule, _, _ in lines:
        place.setdefault(_stem(rule), len(place))
    header = ["规则 rule", "下限 min", "上限 max", *names, "结论 ok"]
    rows, flagged = [], []
    for n, ((rule, low, high), counted) in enumerate(sorted(lines.items(), key=lambda one: place[_stem(one[0][0])])):
        between = [line for form, line in counted.items() if form not in names]
        cells = [_number(counted[name].value) if name in counted else "" for name in names]
        if between:
            cells[0] = _number(between[0].value)
        broken = [form for form, line in counted.items() if not line.ok]
        verdict = f"{NO} ({', '.join(broken)})" if broken else "–" if low is None and high is None else YES
        rows.append([rule, _number(low), _number(high), *cells, verdict])
        flagged += [n] if broken else []
    return table(header, rows, numeric=range(1, len(header) - 1), flagged=flagged)


def _stem(rule: str) -> str:
    """A rule without what a line says of it: "letters (A)" and "letters (B)" are lines of one rule."""
    return rule.rsplit(" (", 1)[0]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5g}"


# Order and keys


def _order_and_keys(assembly: Assembly, blueprint: Blueprint, pool: Pool) -> str:
    """Every form item by item, and the row of its keys."""
    parts = ["<h2>题序与答案 Order and keys</h2>"]
    keyed = _key_column(blueprint)
    if keyed in pool.attributes:
        strips = []
        for form in assembly.forms:
            keys = [str(row[-2 if form.shuffles else -1]) for row in form_rows(form, pool, blueprint)[1:]]
            counts = Counter(key for key in keys if key)
            held = ", ".join(f"{key} {n}" for key, n in sorted(counts.items()) if ";" not in key)
            strips.append([form.name, " ".join(key or "·" for key in keys), held, str(len(form.shuffles))])
        header = ("卷 form", "答案 keys in order", "各答案题数 how often", "选项打乱 shuffled")
        parts.append(table(header, strips, numeric=(3,), sortable=False))
    more = [name for name in dict.fromkeys((*blueprint.order, blueprint.together)) if name in pool.attributes]
    cells = {name: dict(zip(pool.ids, pool.coded(name).texts(), strict=True)) for name in more}
    for form in assembly.forms:
        head, *rows = form_rows(form, pool, blueprint)
        shown = [
            [str(row[0]), str(row[1]), *(cells[name][str(row[1])] for name in more), *map(_cell, row[2:])]
            for row in rows
        ]
        titles = ["题序 position", "题号 item", *more, *map(str, head[2:])]
        numeric = [0, *range(2 + len(more), 2 + len(more) + ("minutes" in head) + 1)]
        parts.append(
            f"<details><summary>{form.name} ({len(rows)})</summary>{table(titles, shown, numeric=numeric)}</details>"
        )
    return "".join(parts)


def _cell(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _key_column(blueprint: Blueprint) -> str:
    return next((rule.of for rule in blueprint.rules if rule.what == "key_balance"), "key")


def form_rows(form: Form, pool: Pool, blueprint: Blueprint) -> list[list[object]]:
    """A form as the rows of its CSV file, header first: position, id, marks, minutes, the key as printed, options.

    Without minutes or keys in pool or blueprint there are no such columns; `options` (in the order in which they are
    printed) only where some are shuffled.
    """
    at = {item: j for j, item in enumerate(pool.ids)}
    columns: dict[str, Mapping[str, object]] = {"marks": _by_item(pool, blueprint.item_marks(pool).tolist())}
    if blueprint.item_minutes:
        columns["minutes"] = _by_item(pool, blueprint.item_times(pool).tolist())
    elif "minutes" in pool.attributes:
        columns["minutes"] = _by_item(pool, pool.coded("minutes").texts())
    keyed = _key_column(blueprint)
    if keyed in pool.attributes:
        keys = pool.coded(keyed).texts()
        columns["key"] = {item: form.printed_key(item, keys[at[item]]) for item in form.items}
    if form.shuffles:
        columns["options"] = {item: form.shuffles.get(item, "") for item in form.items}
    rows = [[n, item, *(cells[item] for cells in columns.values())] for n, item in enumerate(form.items, start=1)]
    return [["position", "id", *columns], *rows]


def _by_item(pool: Pool, cells: Sequence[object]) -> dict[str, object]:
    return dict(zip(pool.ids, cells, strict=True))
