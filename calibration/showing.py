"""A calibration as a terminal and a notebook show it: warnings first, then the items worth a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

import numpy as np

if TYPE_CHECKING:
    from calibration.models import ItemParameters
    from calibration.result import Calibration, Estimate

ROWS_SHOWN = 12
Table = tuple[str, list[str], list[list[str]]]  # its title, header and rows


def summary(calibration: Calibration) -> str:
    """One line: model, size, likelihood, convergence, priors, standard errors."""
    state = "converged" if calibration.converged else "NOT CONVERGED"
    error = calibration.integration_error
    integration = f", integration error {error:.1e}" if np.isfinite(error) else ""
    errors = f"standard errors from the {calibration.se_kind}" if calibration.converged else "no standard errors"
    means = "parameters are posterior means; " if calibration.estimate == "mean" else ""
    return (
        f"{calibration.model}, {len(calibration.items)} items, {calibration.n_persons} persons: "
        f"log-likelihood {calibration.log_likelihood:.3f}, {state} after {calibration.iterations} iterations "
        f"(largest gradient {calibration.max_gradient:.1e}{integration}); "
        f"priors {calibration.priors}; {means}{errors}"
    )


def as_text(calibration: Calibration) -> str:
    """For a terminal."""
    lines = [summary(calibration)]
    lines += [f"  {flag.item or 'warning'}: {flag.code}: {flag.message}" for flag in calibration.warnings]
    left_out = list(calibration.excluded.items())
    if left_out:
        named = ", ".join(f"{item} ({why})" for item, why in left_out[:ROWS_SHOWN])
        lines.append(f"  left out: {named}" + (" …" if len(left_out) > ROWS_SHOWN else ""))
    lines += [f"  summed: {item.id} = {' + '.join(item.sum_of)}" for item in calibration.items if item.sum_of]
    for title, header, rows in _tables(calibration):
        lines += ["", title, *_aligned([header, *rows])]
    return "\n".join(lines)


def as_html(calibration: Calibration) -> str:
    """For a notebook."""
    parts = [f"<p>{escape(summary(calibration))}</p>"]
    if calibration.warnings:
        items = "".join(
            f"<li><b>{escape(flag.item or 'warning')}</b> {escape(flag.code)}: {escape(flag.message)}</li>"
            for flag in calibration.warnings
        )
        parts.append(f"<ul>{items}</ul>")
    parts += [
        f"<p>{escape(item.id)} = {escape(' + '.join(item.sum_of))}</p>" for item in calibration.items if item.sum_of
    ]
    for title, header, rows in _tables(calibration):
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        parts.append(
            f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
    return "<div>" + "".join(parts) + "</div>"


def noteworthy(calibration: Calibration, most: int = ROWS_SHOWN) -> list[ItemParameters]:
    """All items where there are few; else the flagged, then the weakest slopes and the least certain difficulties."""
    items = list(calibration.items)
    if len(items) <= most:
        return items
    chosen: dict[str, ItemParameters] = {item.id: item for item in items if calibration.flags.get(item.id)}
    weakest = sorted(items, key=lambda item: item.a if item.model != "NRM" else np.inf)
    vaguest = sorted(items, key=lambda item: -max(item.se.values(), default=0.0))
    for pair in zip(weakest, vaguest, strict=True):
        for item in pair:
            if len(chosen) < most:
                chosen.setdefault(item.id, item)
    order = {item.id: j for j, item in enumerate(items)}
    return sorted(islice(chosen.values(), most), key=lambda item: order[item.id])


def _tables(calibration: Calibration) -> Iterator[Table]:
    shown = noteworthy(calibration)
    if len(shown) == len(calibration.items):
        title = "items"
    else:
        title = (
            f"{len(shown)} of {len(calibration.items)} items: "
            "flagged ones, the weakest slopes, the largest standard errors"
        )
    yield title, *_items(shown, calibration)
    if len(calibration.groups) > 1 or (calibration.groups and calibration.scale.anchors):
        header = ["group", "persons", "mean", "se", "sd", "se"]
        rows = [[g.name or "all", f"{g.n:.0f}", *_estimate(g.mean), *_estimate(g.sd)] for g in calibration.groups]
        yield "groups", header, rows
    for title, name, estimates in (
        ("regression of ability", "covariate", calibration.regression),
        ("raters: severity in logits", "rater", calibration.raters),
        ("item sets: standard deviation of what a set shares", "set", calibration.testlets),
    ):
        if estimates:
            rows = [[label, *_estimate(estimate)] for label, estimate in estimates.items()]
            more = f" (the first {ROWS_SHOWN} of {len(rows)})" if len(rows) > ROWS_SHOWN else ""
            yield title + more, [name, "estimate", "se"], rows[:ROWS_SHOWN]


def _items(items: Sequence[ItemParameters], calibration: Calibration) -> tuple[list[str], list[list[str]]]:
    names = list(dict.fromkeys(name for item in items for name in item.parameter_names))
    names.sort(key=lambda name: ("ab cd".find(name[0]) if len(name) < 5 else 9, name))
    header = ["item", "model", "n", *(cell for name in names for cell in (name, "se")), "flags"]
    rows = []
    for item in items:
        row = [item.id, item.model, f"{item.n:.0f}"]
        for name in names:
            known = name in item.parameter_names
            row += [_number(parameter(item, name)) if known else "", _number(item.se.get(name))]
        rows.append([*row, " ".join(calibration.flags.get(item.id, ()))])
    return header, rows


def parameter(item: ItemParameters, name: str) -> float:
    """The parameter of that name of `parameter_names`."""
    from calibration.fit.unknowns import parameter_value  # noqa: PLC0415  (only what is shown needs it)

    return parameter_value(item, name)


def _estimate(estimate: Estimate) -> list[str]:
    return [_number(estimate.value), _number(estimate.se)]


def _number(value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"{value:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell: the first and the last to the left, numbers to the right."""
    widths = [max(_width(row[c]) for row in rows) for c in range(len(rows[0]))]
    words = [all(not cell or not _is_number(cell) for cell in column) for column in zip(*rows[1:], strict=True)]
    return [
        "  "
        + "  ".join(
            cell + " " * (width - _width(cell)) if left else " " * (width - _width(cell)) + cell
            for cell, width, left in zip(row, widths, words, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(words: str) -> int:
    """Columns of a terminal: Chinese characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in words)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
