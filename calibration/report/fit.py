"""Do the parameters describe the responses? The whole model, pairs of items, persons."""

from __future__ import annotations

from typing import Any

import numpy as np

from calibration.false_discovery import benjamini_hochberg
from calibration.fit.local_dependence import NOTABLE_LD, LocalDependence
from calibration.pages import ACCENT, facts, table
from calibration.report.drawing import Frame
from calibration.report.evidence import Evidence
from calibration.report.words import figure, fixed, folded, interval, left_out, note, probability, section
from calibration.screening import FALSE_DISCOVERY_RATE

PAIRS_SHOWN, PERSONS_SHOWN = 25, 25
CLOSE, ADEQUATE = (0.05, 0.05), (0.089, 0.08)  # RMSEA2 and SRMSR (Maydeu-Olivares & Joe, 2014; Hu & Bentler, 1999)


def model_fit_section(evidence: Evidence) -> str:
    """M2 or C2, RMSEA with its interval, SRMSR, CFI, TLI."""
    one = evidence.model_fit
    if one is None:
        return section("fit", "模型拟合 Model fit", left_out(evidence.left_out, "model_fit"))
    pairs = [
        (one.kind, f"{one.statistic:.1f}"),
        ("df", f"{one.df}"),
        ("p", probability(one.p)),
        ("RMSEA [90 %]", f"{one.rmsea:.3f} {interval(one.rmsea_low, one.rmsea_high, 3)}"),
        ("SRMSR", fixed(one.srmsr, 3)),
        ("CFI", fixed(one.cfi, 3)),
        ("TLI", fixed(one.tli, 3)),
    ]
    found = (one.rmsea, one.srmsr)
    if all(value <= limit for value, limit in zip(found, CLOSE, strict=True)):
        verdict = "拟合良好。 The fit is close."
    elif all(value <= limit for value, limit in zip(found, ADEQUATE, strict=True)):
        verdict = "拟合尚可。 The fit is adequate."
    else:
        verdict = "拟合不足：看题目拟合与局部依赖。 The fit is poor: see items and pairs."
    limits = "RMSEA ≤ 0.05、SRMSR ≤ 0.05 为良好 close，≤ 0.089、≤ 0.08 为尚可 adequate"
    persons = f"{one.n:.0f} persons; behind a pair of items {one.n_margin[0]:.0f} or more, median {one.n_margin[1]:.0f}"
    said = [
        verdict,
        f"{limits} (Maydeu-Olivares & Joe, 2014; Hu & Bentler, 1999).",
        f"{persons}; {one.left_out} margins with too few persons left out.",
    ]
    if one.routed:
        said.append(f"Not valid: {len(one.routed)} items were given by ability (routed).")
    if one.note:
        said.append(f"近似值。 Approximate: {one.note}.")
    return section("fit", "模型拟合 Model fit", facts(pairs), note(*said))


def dependence_section(evidence: Evidence) -> str:
    """Pairs that have more in common than ability."""
    found = evidence.dependence
    if found is None:
        return section("dependence", "局部依赖 Local dependence", left_out(evidence.left_out, "dependence"))
    rows = surely_dependent(found)
    if not rows:
        said = "没有题目对超出界限。 No pair of items is beyond the limits."
        return section("dependence", "局部依赖 Local dependence", f"<p>{said}</p>", _limits(found.mean_q3))
    cells = [
        [
            f"{row['first']} – {row['second']}",
            f"{row['n']:.0f}",
            fixed(float(str(row["q3"]))),
            fixed(float(str(row["q3_adjusted"]))),
            fixed(float(str(row["ld_z"])), 1),
        ]
        for row in rows
    ]
    header = ("题目对 pair", "n", "Q3", "Q3 − 均值 mean", "LD-X² z")
    shown = table(header, cells[:PAIRS_SHOWN], numeric=range(1, 5), row_names=True, caption="dependent pairs")
    if len(cells) > PAIRS_SHOWN:
        shown += folded(
            f"其余 {len(cells) - PAIRS_SHOWN} 对 more pairs",
            table(header, cells[PAIRS_SHOWN : 20 * PAIRS_SHOWN], numeric=range(1, 5), row_names=True, caption="more"),
        )
    head = f"<p>{len(rows)} 对题目超出界限。 {len(rows)} pairs are beyond the limits.</p>"
    return section("dependence", "局部依赖 Local dependence", head, shown, _limits(found.mean_q3))


def surely_dependent(found: LocalDependence) -> list[dict[str, Any]]:
    """The flagged pairs that chance does not explain: in a bank of hundreds of items a Q3 of 0.2 above the mean comes
    about by chance in thousands of pairs with a hundred persons each.

    Fisher's z of Q3 against the mean of all pairs, at a false discovery rate of 1 % over all pairs; a standardised
    LD-X² beyond the limit is beyond chance by itself.
    """
    from scipy.special import erfc  # noqa: PLC0415  (0.1 s at import)

    first, second = np.triu_indices(len(found.items), 1)
    q3, n = found.q3[first, second], found.n[first, second]
    known = np.isfinite(q3) & (n > 3)
    z = np.arctanh(np.clip(q3[known], -0.999999, 0.999999)) - np.arctanh(found.mean_q3 if known.any() else 0.0)
    p = np.ones(len(q3))
    p[known] = 0.5 * erfc(z * np.sqrt(n[known] - 3) / np.sqrt(2))
    hits = benjamini_hochberg(p, FALSE_DISCOVERY_RATE)
    place = {name: j for j, name in enumerate(found.items)}
    sure = np.zeros((len(found.items),) * 2, bool)
    sure[first[hits], second[hits]] = True
    return [
        row
        for row in found.rows()
        if sure[place[str(row["first"])], place[str(row["second"])]] or float(str(row["ld_z"])) >= NOTABLE_LD
    ]


def _limits(mean: float) -> str:
    return note(
        "界限：Q3 高于平均 0.20 且超出机遇（全部题目对的错误发现率 1%），或标准化 LD-X² ≥ 10；"
        f"全部题目对的平均 Q3 为 {fixed(mean, 3)}。",
        "Limits: Q3 at least 0.20 above the mean of all pairs and beyond chance (false discovery rate 1 % over all "
        "pairs), or standardised LD-X² of 10 or more; pairs with at least 50 persons. Dependent items repeat each "
        "other: treat them as a set.",
    )


def person_fit_section(evidence: Evidence) -> str:
    """The share of persons whose responses do not go with their ability, and who."""
    found = evidence.person_fit
    if found is None:
        return section("persons", "考生拟合 Person fit", left_out(evidence.left_out, "person_fit"))
    unusual = found.unusual()
    judged = int(((found.n_items >= 10) & np.isfinite(found.p)).sum())
    z = found.lz_star[np.isfinite(found.lz_star)]
    below = float((z < -1.645).mean()) if z.size else float("nan")
    pairs = [
        ("异常考生 unusual", f"{len(unusual)} / {judged}"),
        ("lz* < −1.645（期望 5 % expected）", f"{100 * below:.1f} %"),
    ]
    rows = [
        [
            found.persons[i],
            f"{found.n_items[i]}",
            fixed(float(found.theta[i])),
            fixed(float(found.lz_star[i])),
            fixed(float(found.infit[i])),
            fixed(float(found.outfit[i])),
        ]
        for i in unusual[:PERSONS_SHOWN]
    ]
    shown = ""
    if rows:
        header = ("考生 person", "题数 items", "θ", "lz*", "infit", "outfit")
        shown = table(header, rows, numeric=range(1, 6), row_names=True, caption="unusual persons")
        if len(unusual) > PERSONS_SHOWN:
            shown += note(f"前 {PERSONS_SHOWN} 名，共 {len(unusual)} 名。 The first {PERSONS_SHOWN} of {len(unusual)}.")
    few = "" if judged else note("少于 10 题，不作判断。 Fewer than 10 items: nobody is judged.")
    return section(
        "persons",
        "考生拟合 Person fit",
        facts(pairs),
        _histogram(z) if z.size > 1 else "",
        shown,
        few,
        note(
            "lz* 近似标准正态；很低者答对难题而答错易题（抄袭、预知、疲劳、误读）。异常按错误发现率 1% 判定。",
            "lz* is about standard normal; very low values are right on hard and wrong on easy items. Unusual: at a "
            "false discovery rate of 1 %, among persons with at least 10 items.",
        ),
    )


def _histogram(z: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    edges = np.linspace(-5, 4, 37)
    counts, _ = np.histogram(np.clip(z, -5, 3.999), edges)
    density = counts / (counts.sum() * (edges[1] - edges[0]))
    x = np.linspace(-5, 4, 91)
    normal = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    frame = Frame((-5, 4), (0, 1.08 * float(max(density.max(), normal.max()))), 560, 190, bottom=36)
    base = frame.height - frame.bottom
    bars = "".join(
        f'<rect x="{float(frame.across(low)) + 0.5:.1f}" y="{float(frame.down(d)):.1f}" '
        f'width="{float(frame.across(high) - frame.across(low)) - 1:.1f}" height="{base - float(frame.down(d)):.1f}" '
        f'fill="#9fb4cc"/>'
        for low, high, d in zip(edges[:-1], edges[1:], density, strict=True)
        if d > 0
    )
    content = frame.axes("lz*", "密度 density", x_ticks=10, y_ticks=4) + bars
    content += frame.line(x, normal, color=ACCENT, dash="5 4")
    return figure(
        frame.svg(content, "distribution of lz* of persons beside the normal distribution"),
        "考生的 lz*；虚线为标准正态 lz* of persons; dashed: the standard normal distribution.",
    )


def fit_numbers(evidence: Evidence) -> dict[str, Any]:
    """Fit of the model, dependent pairs, unusual persons."""
    one, pairs, persons = evidence.model_fit, evidence.dependence, evidence.person_fit
    numbers: dict[str, Any] = {"model": None if one is None else one.row()}
    numbers["pairs"] = None if pairs is None else {"mean_q3": pairs.mean_q3, "flagged": surely_dependent(pairs)}
    if persons is not None:
        unusual = persons.unusual()
        numbers["persons"] = {
            "method": persons.method,
            "judged": int(((persons.n_items >= 10) & np.isfinite(persons.p)).sum()),
            "unusual": [
                {"person": persons.persons[i], "lz_star": float(persons.lz_star[i]), "p": float(persons.p[i])}
                for i in unusual
            ],
        }
    return numbers
