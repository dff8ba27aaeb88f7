"""A release as one HTML page: which items, why, how they mirror the bank, what they cost, and what remains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from calibration import chart_svg, facts, new_chart, report_page, table, write_text_whole
from engine.release.effect import Effects
from engine.release.proof import Papers
from engine.release.result import Release, Stratum

INK, ACCENT, MUTED = "#1d3557", "#c1121f", "#6c757d"
PARTS = {
    "stem": "题干 stem",
    "options": "选项 options",
    "key": "答案 key",
    "rationale": "解析 rationale",
    "marking_table": "评分表 marking table",
}


def write_release_report(
    path: Path, release: Release, *, labels: Mapping[str, str] | None = None, lead: str = ""
) -> None:
    """The page; `labels` are words for items, by id."""
    write_text_whole(path, release_page(release, labels=labels, lead=lead))


def release_page(release: Release, *, labels: Mapping[str, str] | None = None, lead: str = "") -> str:
    """The page as text; `labels` are words for items, by id."""
    named = labels or {}
    margins = [s for s in release.strata if s.kind == "margin"]
    cells = sorted((s for s in release.strata if s.kind == "cell"), key=lambda s: -abs(s.deviation))
    header = ("题号 item", *(("内容 content",) if named else ()), "理由 reason")
    items = [[item, *([named.get(item, "")] if named else []), reason] for item, reason in release.reasons.items()]
    body = (
        _facts(release)
        + _notes(release)
        + "<h2>公开比例 Shares</h2>"
        + '<p class="note">比例 = 已公开 ÷（已公开 + 保密入库），逐轮累计。 '
        "Share: published / (published + secret accepted), cumulative over rounds.</p>"
        + _shares(release)
        + f'<p class="note">公开内容 What is published: {_published_parts(release)}</p>'
        + _effects(release.effects)
        + _papers(release.papers)
        + "<h2>代表性 Margins</h2>"
        + '<p class="note">配额为按比例应公开的题数，偏差在一题以内。 '
        "Quota: the proportional number; every margin is within one item of it.</p>"
        + _strata(release, margins)
        + f"<details><summary>交叉格 Cells ({len(cells)})</summary>{_strata(release, cells)}</details>"
        + "<h2>信息 Information given away</h2>"
        + _information(release)
        + _held_back(release)
        + "<h2>公开题目 Published items</h2>"
        + table(header, items)
        + f'<p class="note">种子 seed {release.seed}；题库 pool {release.pool_digest[:16]}；'
        + escape(", ".join(f"{name} {number}" for name, number in release.versions.items()))
        + "</p>"
    )
    return report_page("试题公开报告 Release report", body, lead=lead)


def _facts(release: Release) -> str:
    rows = [
        ("本轮公开 published now", str(len(release.items))),
        ("累计公开 public in all", f"{release.public} / {release.counted}"),
        ("边际最大偏差 worst margin", f"{release.worst_margin:.2f}"),
        ("交叉格最大偏差 worst cell", f"{release.worst_cell:.2f}"),
        ("难度 KS difficulty", f"{release.ks_difficulty:.3f}"),
        ("区分度 KS discrimination", f"{release.ks_discrimination:.3f}"),
    ]
    rows += [
        (f"每 {one.column} 至少留 secret kept", f"{one.fewest} ({one.values} {one.column}s)") for one in release.kept
    ]
    usage = release.usage
    if usage.exposed:
        rows.append(("已曝光或漂移 exposed or drifting", f"{usage.exposed_published} / {usage.exposed}"))
    if usage.mean_uses is not None and usage.mean_uses_published is not None:
        rows.append(("平均使用次数 mean uses", f"{usage.mean_uses_published:.2f}（库 bank {usage.mean_uses:.2f}）"))
    return facts(rows)


def _notes(release: Release) -> str:
    if not release.notes:
        return '<p class="note">政策各项均已满足。 Everything in the policy is met.</p>'
    return (
        "<h2>未能满足之处 What could not be met</h2><ul>"
        + "".join(f"<li>{escape(note)}</li>" for note in release.notes)
        + "</ul>"
    )


def _published_parts(release: Release) -> str:
    return "、".join(PARTS[name] for name, shown in asdict(release.publish).items() if shown)


def _shares(release: Release) -> str:
    header = (
        "范围 stratum",
        "题数 items",
        "政策 policy",
        "原已公开 public before",
        "本轮 now",
        "公开后 after",
        "尚需轮次 rounds left",
        "就绪决定 readiness decision",
    )
    rows = [
        [
            " × ".join(value or "–" for value in share.values) or "全库 the bank",
            str(share.items),
            f"{share.share:.1%}",
            str(share.public_before),
            str(share.published),
            f"{share.reached:.1%}",
            str(share.rounds_left),
            "–"
            if share.readiness is None
            else f"{share.readiness.decided_by}, {share.readiness.date}, {share.readiness.reference}",
        ]
        for share in release.shares
    ]
    return table(header, rows, numeric=range(1, 7), sortable=False)


def _effects(effects: Effects | None) -> str:
    head = "<h2>影响 Effect on scores</h2>"
    if effects is None:
        return head + '<p class="note">没有参数，无法估计。 Without parameters it cannot be said.</p>'
    rows = [
        [
            f"{e.share:.0%}" + (" 上限 cap" if e.share == effects.cap else ""),
            f"{e.memorised:.0%}",
            f"{e.marks_at_cut:.1f}",
            f"{e.false_passes:.1%}",
        ]
        for e in effects.rows
    ]
    header = (
        "公开题占分 share of marks",
        "背会的比例 memorised",
        "合格线考生得分率 % of marks at the cut",
        "误判合格 false passes",
    )
    return (
        head + f'<p class="note">总体 population θ ~ N({effects.mean:g}, {effects.sd:g}²)；'
        f"合格线 cut θ = {effects.cut:.3f}，"
        f"即 {effects.pass_share:.0%} 的分数 of the marks；背会的题答对概率 P(right | known) = {effects.right:g}；"
        f"{escape(effects.paper)}（{effects.items} 题 items）。"
        f"误判合格：低于合格线的考生中得到 {effects.pass_share:.0%} 以上分数者的比例，不背题时 {effects.now:.1%}。 "
        f"False passes: share of candidates below the cut who reach {effects.pass_share:.0%} of the marks; "
        f"{effects.now:.1%} when nothing is memorised.</p>" + table(header, rows, numeric=range(4), sortable=False)
    )


def _papers(papers: Papers | None) -> str:
    head = "<h2>今后试卷 Future papers</h2>"
    if papers is None:
        return head + '<p class="note">未检验：请给出命题蓝图。 Not shown: give a blueprint and a number of papers.</p>'
    kept, rules = papers.rules
    more = "至少 at least " if papers.left == papers.limit else ""
    how = "先组卷，再从其余题中选公开题 assembled first, their items withheld" if papers.kept_back else ""
    return (
        head
        + facts(
            [
                ("要求 asked", str(papers.asked)),
                ("由保密题组成 assembled of secret items", str(len(papers.forms))),
                ("还可组卷 papers left", f"{more}{papers.left}"),
                ("规则复核 rules recounted", f"{kept} / {rules}"),
                ("信息最大偏差 information off target", f"{papers.deviation:.2%}"),
            ]
        )
        + (f'<p class="note">{how}</p>' if how else "")
    )


def _strata(release: Release, strata: Sequence[Stratum]) -> str:
    header = ("维度 column", "值 value", "题数 items", "配额 quota", "公开 public", "偏差 deviation")
    rows = [
        [
            " × ".join(stratum.columns),
            " × ".join(value or "–" for value in stratum.values),
            str(stratum.items),
            f"{stratum.quota:.2f}",
            str(stratum.published),
            f"{stratum.deviation:+.2f}",
        ]
        for stratum in strata
    ]
    if release.by:
        header = ("范围 stratum", *header)  # type: ignore[assignment]
        rows = [[" × ".join(s.of), *row] for s, row in zip(strata, rows, strict=True)]
    flagged = [n for n, stratum in enumerate(strata) if not stratum.proportional]
    return table(header, rows, numeric=range(len(header) - 4, len(header)), flagged=flagged)


def _information(release: Release) -> str:
    figure, axes = new_chart(height=2.6)
    theta, limits = list(release.information_quotient), release.limits
    axes.axhspan(limits.lowest, limits.highest, color=MUTED, alpha=0.15, linewidth=0, label="allowed")
    axes.axhline(1.0, color=MUTED, linestyle="--", linewidth=1)
    axes.plot(theta, list(release.information_quotient.values()), color=INK, marker="o", markersize=4, label="public")
    axes.margins(y=0.3)
    axes.set_xlabel("theta (ability)")
    axes.set_ylabel("relative to the share")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    caption = (
        "公开题的信息 ÷（比例 × 全库信息），灰带为允许范围。 Information of public items / (share × the bank's); grey: "
        "what the policy allows."
    )
    rows = [
        [f"{at:g}", f"{release.information_share[at]:.1%}", f"{1 - release.information_share[at]:.1%}", f"{value:.3f}"]
        for at, value in release.information_quotient.items()
    ]
    header = ("θ", "公开 public", "保密 left secret", "相对比例 relative to the share")
    return (
        f"<figure>{chart_svg(figure, 'information given away')}<figcaption>{caption}</figcaption></figure>"
        f"<details><summary>数值 Numbers</summary>{table(header, rows, numeric=range(4), sortable=False)}</details>"
    )


def _held_back(release: Release) -> str:
    if not release.held_back:
        return ""
    rows = [[why, str(number)] for why, number in release.held_back.items()]
    return "<h2>不予公开 Held back</h2>" + table(("理由 why", "题数 items"), rows, numeric=(1,), sortable=False)
