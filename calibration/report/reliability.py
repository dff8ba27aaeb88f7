"""How dependable scores are: of the marks of each form, of the test in its population, of the estimates at hand."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

from calibration.pages import facts, table
from calibration.report.evidence import Evidence
from calibration.report.words import fixed, folded, interval, left_out, note, section

FORMS_OPEN = 12


def reliability_section(evidence: Evidence) -> str:
    """Coefficients with intervals."""
    pairs = [
        ("边际信度 marginal", fixed(evidence.marginal_reliability, 3)),
        ("经验信度 empirical (EAP)", fixed(evidence.empirical_reliability, 3)),
    ]
    rows = [
        [
            form or "1",
            f"{one.n:.0f}",
            f"{one.items}",
            fixed(one.mean, 1),
            fixed(one.sd, 2),
            f"{fixed(one.alpha, 3)} {interval(*one.alpha_interval, 3)}",
            f"{fixed(one.omega, 3)} {interval(*one.omega_interval, 3)}",
            fixed(one.sem, 2),
        ]
        for form, one in evidence.reliability.items()
    ]
    shown = ""
    if rows:
        header = ("卷 form", "n", "题目 items", "均分 mean", "SD", "α [95 %]", "ω [95 %]", "SEM")
        shown = table(header, rows, numeric=range(1, 8), row_names=True, caption="classical reliability")
        if len(rows) > FORMS_OPEN:
            shown = folded(f"{len(rows)} 卷 forms", shown)
    notes = sorted({note for one in evidence.reliability.values() for note in one.notes})
    return section(
        "reliability",
        "信度 Reliability",
        facts(pairs),
        shown,
        f'<p class="note">{escape("; ".join(notes[:4]))}</p>' if notes else "",
        note(
            "边际信度指全部题目在总体中的信度；经验信度指本次能力估计的信度；α、ω 为各卷原始分的信度，SEM 以分计。",
            "Marginal: what all items would promise in the population (of all of them, also where nobody had all); "
            "empirical: of the estimates at hand; α and ω of each form's marks, SEM in marks.",
        ),
        note(
            "经验信度把题组内的题目当作独立，偏高；边际信度已计入题组。",
            "The empirical reliability takes the items of a set as independent and is too high; the marginal one "
            "counts sets as sets.",
        )
        if evidence.calibration.item_sets
        else "",
        left_out(evidence.left_out, "reliability"),
    )


def reliability_numbers(evidence: Evidence) -> dict[str, Any]:
    """The coefficients."""
    return {
        "marginal": evidence.marginal_reliability,
        "empirical": evidence.empirical_reliability,
        "forms": {form or "1": asdict(one) for form, one in evidence.reliability.items()},
    }
