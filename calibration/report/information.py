"""How much the test tells at each ability: information and standard error, with the cut; item sets by what they add."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.models import Curves, ItemParameters
from calibration.pages import ACCENT, facts, table
from calibration.report.drawing import Frame, legend, series
from calibration.report.evidence import Evidence
from calibration.report.words import figure, fixed, note, section
from calibration.set_information import information_of

Matrix = NDArray[np.float64]

MOST_LINES = 6
POINTS = 121
LARGEST_SEM = 1.5


def information_section(evidence: Evidence) -> str:
    """Information and standard error of each form and of the reference form."""
    theta = np.linspace(*evidence.span, POINTS)
    lines = _lines(evidence, theta)
    top = max(float(curve.max()) for _, curve, _ in lines)
    entries, info, error = [], "", ""
    frame = Frame(evidence.span, (0.0, 1.05 * top or 1.0))
    sem = Frame(evidence.span, (0.0, LARGEST_SEM))
    for k, (name, curve, _) in enumerate(lines):
        color, dash = series(k)
        info += frame.line(theta, curve, color=color, dash=dash)
        with np.errstate(divide="ignore"):
            values = 1 / np.sqrt(np.maximum(curve, 1e-12))
        error += sem.line(theta, np.where(values <= LARGEST_SEM, values, np.nan), color=color, dash=dash)
        entries.append((name, color, dash))
    if evidence.cut is not None:
        info, error = frame.upright(evidence.cut) + info, sem.upright(evidence.cut) + error
        entries.append((f"合格线 cut, θ = {evidence.cut:.2f}", ACCENT, "5 4"))
    charts = '<div class="charts">' + "".join(
        (
            figure(
                frame.svg(frame.axes("θ 能力 ability", "信息 information") + info, "test information by ability"),
                "测验信息函数 Test information.",
            ),
            figure(
                sem.svg(sem.axes("θ 能力 ability", "标准误 SEM of θ") + error, "standard error of ability by ability"),
                "能力估计的标准误，1/√信息 Standard error of θ, 1/√information.",
            ),
        )
    )
    about = []
    forms = _forms(evidence)
    if len(forms) > MOST_LINES:
        about.append(
            note(f"只画前 {MOST_LINES} 卷，共 {len(forms)} 卷。 The first {MOST_LINES} of {len(forms)} forms.")
        )
    if evidence.calibration.item_sets:
        about.append(
            note(
                "题组按其组内得分和提供的信息计入；“若视为独立”是不计题组时会宣称的信息量，偏高。",
                "An item set counts with the information of its sum of marks, the set's own effect averaged out; "
                "“as if independent” is what would be claimed without the sets.",
            )
        )
    return section(
        "information",
        "测验信息与标准误 Test information and SEM",
        legend(entries),
        charts + "</div>",
        _at_cut(evidence),
        *about,
    )


def _at_cut(evidence: Evidence) -> str:
    """Information and SEM of each line at the cut and where it is best."""
    theta = np.linspace(*evidence.span, POINTS)
    at = information_numbers(evidence)["at_cut"]
    rows = []
    for name, curve, _ in _lines(evidence, theta):
        best = int(np.argmax(curve))
        row = [name, fixed(float(curve[best]), 1), fixed(float(theta[best])), fixed(float(curve[best]) ** -0.5, 3)]
        if evidence.cut is not None:
            row += [fixed(at[name]["information"], 1), fixed(at[name]["sem"], 3)]
        rows.append(row)
    header = ["卷 form", "最大信息 largest information", "于 θ = at", "标准误 SEM there"]
    if evidence.cut is not None:
        header += ["合格线信息 information at the cut", "合格线标准误 SEM at the cut"]
    shown = table(header, rows, numeric=range(1, len(header)), row_names=True, caption="information of forms")
    if evidence.form is None or evidence.cut is None:
        return shown
    form = evidence.form
    sem = 100 * float(form.conditional_sem([evidence.cut])[0]) / form.total
    pairs = [
        ("参照卷总分 marks of the form", f"{form.total:g}"),
        ("合格线 cut", f"{100 * evidence.share:g} %"),
        ("合格线能力 θ at the cut", f"{evidence.cut:.3f}"),
        ("线上分数标准误 SEM of marks there", f"{sem:.1f} %"),
    ]
    return facts(pairs) + shown


def _forms(evidence: Evidence) -> dict[str, list[ItemParameters]]:
    """The calibrated items of each form; all together where there is one form or no data."""
    items = evidence.calibration.items
    responses = evidence.responses
    if responses is None or len(responses.forms) < 2:
        return {"全部题目 all items": list(items)}
    known = {item.id: item for item in items}
    J = len(responses.items)
    cells = np.unique(responses.form[responses.person].astype(np.int64) * J + responses.item)
    found: dict[str, list[ItemParameters]] = {}
    for f, name in enumerate(responses.forms):
        members = [responses.items[j] for j in (cells[cells // J == f] % J).tolist()]
        found[name] = [known[item] for item in members if item in known]
    alike = {tuple(item.id for item in members): name for name, members in found.items() if members}
    return (
        {name: found[name] for name in alike.values()}
        if len(alike) <= 3 * MOST_LINES
        else {"全部题目 all items": list(items)}
    )


def _lines(evidence: Evidence, theta: Matrix) -> list[tuple[str, Matrix, int]]:
    """Name, information and number of items of each line."""
    calibration = evidence.calibration
    lines = []
    for name, members in list(_forms(evidence).items())[:MOST_LINES]:
        curve = information_of(members, calibration.scale, theta, calibration.item_sets, _spread(evidence))
        lines.append((f"{name} ({len(members)} 题 items)", curve, len(members)))
    if calibration.item_sets:
        plain = Curves.of(calibration.items, calibration.scale).information(theta).sum(axis=0)
        lines.append(("若视为独立 as if independent", plain, len(calibration.items)))
    if evidence.form is not None:
        plain = evidence.form.curves.information(theta).sum(axis=0)
        lines.append(
            (f"参照卷 reference form ({len(evidence.form.curves.ids)} 题 items)", plain, len(evidence.form.curves.ids))
        )
    return lines


def _spread(evidence: Evidence) -> dict[str, float]:
    return {name: estimate.value for name, estimate in evidence.calibration.testlets.items()}


def information_numbers(evidence: Evidence) -> dict[str, Any]:
    """Curves at 121 abilities, and their values at the cut."""
    theta = np.linspace(*evidence.span, POINTS)
    numbers: dict[str, Any] = {
        "theta": theta.tolist(),
        "information": {name: curve.tolist() for name, curve, _ in _lines(evidence, theta)},
        "at_cut": {},
    }
    if evidence.cut is not None:
        for name, curve, _ in _lines(evidence, np.array([evidence.cut])):
            value = float(curve[0])
            numbers["at_cut"][name] = {"information": value, "sem": float(value**-0.5) if value > 0 else None}
    return numbers
