"""Who the persons are: groups, covariates, raters, item sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from calibration.pages import INK, table
from calibration.report.drawing import Frame, text
from calibration.report.evidence import Evidence
from calibration.report.words import figure, fixed, folded, interval, left_out, note, section, with_se
from calibration.result import Estimate

RATERS_OPEN = 30


def groups_section(evidence: Evidence) -> str:
    """Means and standard deviations of groups with their standard errors, or the latent regression."""
    calibration = evidence.calibration
    parts = []
    if len(calibration.groups) > 1 or (calibration.groups and calibration.scale.anchors):
        rows = [
            [g.name or "全体 all", f"{g.n:.0f}", with_se(g.mean.value, g.mean.se, 3), with_se(g.sd.value, g.sd.se, 3)]
            for g in calibration.groups
        ]
        parts.append(
            table(
                ("组 group", "n", "平均能力 mean θ", "标准差 SD of θ"),
                rows,
                numeric=(1, 2, 3),
                html=(2, 3),
                pictures=(),
                row_names=True,
                caption="groups",
            )
        )
        parts.append(_forest({g.name or "all": g.mean for g in calibration.groups}, "平均能力 mean θ", "group means"))
        parts.append(
            note(
                "没有标准误的组是量表的参照组（N(0, 1)，或由锚题确定）。",
                "A group without a standard error fixes the scale.",
            )
        )
    if calibration.regression:
        rows = [[name, with_se(one.value, one.se, 3)] for name, one in calibration.regression.items()]
        parts.append("<h3>潜在回归 Latent regression</h3>")
        parts.append(
            table(
                ("变量 covariate", "系数 coefficient"),
                rows,
                numeric=(1,),
                html=(1,),
                pictures=(),
                row_names=True,
                caption="latent regression",
            )
        )
    return section("groups", "考生总体 Population", *parts)


def raters_section(evidence: Evidence) -> str:
    """Severity, fit and agreement of raters."""
    severities = evidence.calibration.raters
    if not severities:
        return ""
    fits = {row.name: row for row in evidence.rater_fit}
    rows = []
    for name, estimate in sorted(severities.items(), key=lambda one: -one[1].value):
        fit = fits.get(name)
        rows.append(
            [
                name,
                f"{fit.n:.0f}" if fit is not None else "–",
                with_se(estimate.value, estimate.se, 3),
                fixed(fit.infit if fit is not None else None),
                fixed(fit.infit_t if fit is not None else None, 1),
                fixed(fit.outfit if fit is not None else None),
                fixed(fit.outfit_t if fit is not None else None, 1),
            ]
        )
    header = ("评分员 rater", "评分数 n", "严厉度 severity", "infit", "t", "outfit", "t")
    shown = table(header, rows, numeric=range(1, 7), html=(2,), pictures=(), row_names=True, caption="raters")
    if len(rows) > RATERS_OPEN:
        shown = folded(f"{len(rows)} 名评分员 raters", shown)
    else:
        severe = dict(sorted(severities.items(), key=lambda one: -one[1].value))
        shown += _forest(severe, "严厉度 severity (logits)", "severity of raters")
    about = note(
        "严厉度以 logit 计，均值为 0，正者严；infit、outfit 高于 1.3 者评分随意，低于 0.7 者评分缺少变化。",
        "Severity in logits, mean 0, positive is severe; mean squares above 1.3: erratic, below 0.7: too "
        "little variation.",
    )
    several = any(np.isfinite(one.icc2) for one in evidence.agreement.values())
    agreement = [
        [
            item,
            f"{one.k:.1f}",
            f"{fixed(one.icc1)} {interval(*one.icc1_interval)}",
            fixed(one.icc1k),
            *([fixed(one.icc2), fixed(one.icc3)] if several else []),
        ]
        for item, one in evidence.agreement.items()
    ]
    icc = ""
    if agreement:
        columns = ["题号 item", "每人评分员数 raters a person", "ICC(1) [95 %]", "ICC(1, k)"]
        columns += ["ICC(2, 1)", "ICC(3, 1)"] if several else []
        icc = "<h3>一致性 Agreement</h3>" + table(
            columns,
            agreement,
            numeric=range(1, len(columns)),
            row_names=True,
            caption="intraclass correlations",
        )
    pairs = [
        [f"{pair.raters[0]} – {pair.raters[1]}", f"{pair.n}", fixed(pair.exact), fixed(pair.quadratic.kappa)]
        for pair in evidence.rater_pairs
        if pair.item == "*"
    ]
    kappa = ""
    if pairs:
        kappa = table(
            ("评分员对 pair, all items", "n", "完全一致 exact", "二次加权 κ quadratic"),
            pairs,
            numeric=range(1, 4),
            row_names=True,
            caption="pairs of raters",
        )
        kappa = folded(f"{len(pairs)} 对评分员 pairs of raters", kappa, unfold=len(pairs) <= 15)
    return section(
        "raters",
        "评分员 Raters",
        about,
        shown,
        icc,
        kappa,
        left_out(evidence.left_out, "rater_fit", "agreement", "rater_pairs"),
    )


def sets_section(evidence: Evidence) -> str:
    """What the items of each set share beyond ability."""
    spread = evidence.calibration.testlets
    if not spread:
        return ""
    members: dict[str, list[str]] = {}
    for item, name in evidence.calibration.item_sets.items():
        members.setdefault(name, []).append(item)
    rows = [
        [name, ", ".join(members.get(name, ())), with_se(one.value, one.se, 3), fixed(one.value**2, 3)]
        for name, one in spread.items()
    ]
    shown = table(
        ("题组 item set", "题目 items", "组内效应标准差 SD", "方差 variance"),
        rows,
        numeric=(2, 3),
        html=(2,),
        pictures=(),
        row_names=True,
        caption="item sets",
    )
    about = note(
        "题组效应的标准差：同组题目在能力之外的共同部分；与能力的标准差（约 1）相比，0.3 以下可忽略。",
        "Standard deviation of what the items of a set share beyond ability, to be compared with that of ability "
        "(about 1): below 0.3 it hardly matters.",
    )
    return section("sets", "题组 Item sets", about, shown)


def _forest(estimates: Mapping[str, Estimate], axis: str, label: str) -> str:
    """Estimates with 95 % intervals, one below the other."""
    values = np.array([one.value for one in estimates.values()])
    half = np.array([1.96 * (one.se or 0.0) for one in estimates.values()])
    low, high = float(min((values - half).min(), 0)), float(max((values + half).max(), 0))
    pad = max(0.08 * (high - low), 0.1)
    n = len(values)
    frame = Frame((low - pad, high + pad), (0, n), 560, 48 + 22 * n, left=150, right=16, top=6, bottom=40)
    content = Frame(frame.x, (0, 1), 560, 48 + 22 * n, 150, 16, 6, 40).axes(axis, x_ticks=8, y_ticks=0)
    content += frame.upright(0.0, color="#9aa4b1", dash="")
    for j, (name, value, error) in enumerate(zip(estimates, values, half, strict=True)):
        y = float(frame.down(n - j - 0.5))
        ends = frame.across([value - error, value + error])
        content += f'<path d="M{ends[0]:.1f} {y:.1f}H{ends[1]:.1f}" stroke="{INK}" stroke-width="2"/>'
        content += f'<circle cx="{float(frame.across(value)):.1f}" cy="{y:.1f}" r="4" fill="{INK}"/>'
        content += text(142, y + 4, name if len(name) < 20 else name[:19] + "…", anchor="end")
    return figure(frame.svg(content, label), "95 % 区间 intervals")


def population_numbers(evidence: Evidence) -> dict[str, Any]:
    """Groups, regression, raters and item sets."""
    calibration = evidence.calibration
    return {
        "groups": [asdict(group) for group in calibration.groups],
        "regression": {name: asdict(one) for name, one in calibration.regression.items()},
        "raters": [asdict(row) | {"severity": asdict(calibration.raters[row.name])} for row in evidence.rater_fit]
        or {name: asdict(one) for name, one in calibration.raters.items()},
        "agreement": {item: asdict(one) for item, one in evidence.agreement.items()},
        "rater_pairs": [asdict(pair) for pair in evidence.rater_pairs],
        "item_sets": {
            name: asdict(one) | {"items": [item for item, of in calibration.item_sets.items() if of == name]}
            for name, one in calibration.testlets.items()
        },
    }
