"""The calibration report: one HTML file with warnings first, and its numbers beside it as JSON or CSV.

`gather` collects the evidence once; every section is a function of it that gives HTML, and most have a second one that
gives the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calibration.classical import ItemStatistics
from calibration.files import write_text_whole
from calibration.pages import report_page
from calibration.report.curves import curves_section
from calibration.report.data import data_numbers, data_section, estimation_numbers, estimation_section
from calibration.report.dif import dif_numbers, dif_section
from calibration.report.evidence import Evidence, gather
from calibration.report.fit import dependence_section, fit_numbers, model_fit_section, person_fit_section
from calibration.report.flags import FLAG_NAMES
from calibration.report.information import information_numbers, information_section
from calibration.report.items import item_numbers, items_section
from calibration.report.linking import linking_numbers, linking_section
from calibration.report.population import groups_section, population_numbers, raters_section, sets_section
from calibration.report.reliability import reliability_numbers, reliability_section
from calibration.report.warnings import warnings_numbers, warnings_section
from calibration.report.words import finite
from calibration.report.wright_map import map_numbers, wright_map_section
from calibration.responses import Responses
from calibration.result import Calibration
from calibration.screening import Flag

__all__ = [
    "FLAG_NAMES",
    "Evidence",
    "gather",
    "numbers_of",
    "page_of",
    "report_numbers",
    "write_numbers",
    "write_report",
]

TITLE = "题目参数标定报告 Calibration report"
SECTIONS = (
    warnings_section,
    data_section,
    estimation_section,
    items_section,
    information_section,
    wright_map_section,
    groups_section,
    raters_section,
    sets_section,
    reliability_section,
    model_fit_section,
    dependence_section,
    person_fit_section,
    dif_section,
    linking_section,
    curves_section,
)


def write_report(
    path: Path,
    calibration: Calibration,
    responses: Responses | None = None,
    statistics: Sequence[ItemStatistics] | None = None,
    flags: Sequence[Flag] | None = None,
    *,
    title: str = TITLE,
    lead: str = "",
    **about: Any,  # noqa: ANN401
) -> None:
    """Write the report of a calibration to `path`, whole or not at all.

    `lead` says whose responses these are. `responses`, `statistics`, `flags` and the other arguments (`cut`, `form`,
    `share`, `labels`, `item_sets`, `everything`) are those of `gather`.
    """
    evidence = gather(calibration, responses, statistics, flags, **about)
    write_text_whole(path, page_of(evidence, title=title, lead=lead))


def page_of(evidence: Evidence, *, title: str = TITLE, lead: str = "") -> str:
    """The report as one HTML document."""
    made = [part for part in (section(evidence) for section in SECTIONS) if part]
    return report_page(title, _contents(made) + "\n".join(made), lead=lead, wide=True)


def _contents(sections: Sequence[str]) -> str:
    """Links to the sections, from their own ids and headings."""
    lines = []
    for part in sections:
        name = part[part.index('id="') + 4 :].split('"', 1)[0]
        heading = part[part.index("<h2>") + 4 : part.index("</h2>")]
        lines.append(f'<li><a href="#{name}">{heading}</a></li>')
    return f'<nav class="contents" aria-label="目录 contents"><ol>{"".join(lines)}</ol></nav>\n'


def report_numbers(calibration: Calibration, responses: Responses | None = None, **about: Any) -> dict[str, Any]:  # noqa: ANN401
    """Every number of the report as plain JSON data; arguments as for `gather`."""
    return numbers_of(gather(calibration, responses, **about))


def numbers_of(evidence: Evidence) -> dict[str, Any]:
    """The numbers of evidence that is gathered already."""
    document = {
        "warnings": warnings_numbers(evidence),
        "data": data_numbers(evidence),
        "estimation": estimation_numbers(evidence),
        "items": item_numbers(evidence),
        "information": information_numbers(evidence),
        "map": map_numbers(evidence),
        "population": population_numbers(evidence),
        "reliability": reliability_numbers(evidence),
        "fit": fit_numbers(evidence),
        "dif": dif_numbers(evidence),
        "linking": linking_numbers(evidence),
        "left_out": dict(evidence.left_out),
    }
    numbers: dict[str, Any] = finite(document)
    return numbers


def write_numbers(path: Path, evidence: Evidence) -> None:
    """Write the numbers: all as JSON, or the items as CSV where the name ends in `.csv`; whole or not at all."""
    if path.suffix.lower() == ".csv":
        from calibration.exchange.tables import write_rows  # noqa: PLC0415

        rows = [
            {name: "" if value is None else value for name, value in finite(row).items()}
            | {"flags": " ".join(row["flags"]), "reasons": "; ".join(row["reasons"])}
            for row in item_numbers(evidence)
        ]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = write_rows(columns, [{name: row.get(name, "") for name in columns} for row in rows])
        write_text_whole(path, text)
        return
    write_text_whole(path, json.dumps(numbers_of(evidence), ensure_ascii=False, allow_nan=False, indent=1) + "\n")
