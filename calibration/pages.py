"""One look for every report: a self-contained HTML page with tables that sort and SVG charts whose text stays text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, ACCENT, MUTED = "#1d3557", "#c1121f", "#5f6871"
SERIES = ("#1d3557", "#2a9d8f", "#e76f51", "#7b2cbf", "#b08900", "#457b9d")


def _resource(name: str) -> str:
    return files("calibration").joinpath(name).read_text(encoding="utf-8")


def report_page(title: str, body: str, *, lead: str = "", wide: bool = False) -> str:
    """A whole HTML document; `body` is HTML, `title` and `lead` are text; `wide` for tables of many columns."""
    start = '<body class="wide">' if wide else "<body>"
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_resource('pages.css')}</style>\n</head>\n{start}\n<main>\n"
        f'<h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n{body}\n</main>\n'
        f"<script>{_resource('pages.js')}</script>\n</body>\n</html>\n"
    )


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A row of headline figures: (label, value) pairs of text."""
    rows = "".join(f"<li>{escape(label)}<b>{escape(value)}</b></li>" for label, value in pairs)
    return f'<ul class="facts">{rows}</ul>'


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    html: Sequence[int] = (),
    flagged: Sequence[int] = (),
    sortable: bool = True,
    pictures: Sequence[int] | None = None,
    row_names: bool = False,
    caption: str = "",
) -> str:
    """An HTML table of text cells.

    Columns in `html` hold ready markup, those in `numeric` are set right, rows in `flagged` stand out. Columns in
    `pictures` (those in `html` unless named) do not sort. With `row_names` the first cell of a row heads it. `caption`
    is for screen readers.
    """
    still = set(html if pictures is None else pictures)
    number = [' class="n"' if c in set(numeric) else "" for c in range(len(header))]
    heads = [
        f'<th scope="col"{number[c]}>'
        + (
            f'<button type="button">{escape(name)}</button></th>'
            if sortable and c not in still
            else f"{escape(name)}</th>"
        )
        for c, name in enumerate(header)
    ]
    marked = set(flagged)
    lines = []
    for r, row in enumerate(rows):
        cells = ""
        for c, cell in enumerate(row):
            tag, scope = ("th", ' scope="row"') if row_names and c == 0 else ("td", "")
            cells += f"<{tag}{scope}{number[c]}>{cell if c in html else escape(cell)}</{tag}>"
        lines.append(('<tr class="flagged">' if r in marked else "<tr>") + cells + "</tr>")
    kind = ' class="sortable"' if sortable else ""
    title = f'<caption class="unseen">{escape(caption)}</caption>' if caption else ""
    return (
        f"<table{kind}>{title}<thead><tr>{''.join(heads)}</tr></thead><tbody>\n"
        + "\n".join(lines)
        + "\n</tbody></table>"
    )


def new_chart(width: float = 9.0, height: float = 3.6) -> tuple[Figure, Axes]:
    """An empty chart, in inches, in the reports' style. Words in it stay Latin: Chinese belongs into the caption."""
    from matplotlib.figure import Figure  # noqa: PLC0415  (costs half a second, only reports need it)

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#e3e6ea", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def chart_svg(figure: Figure, label: str) -> str:
    """The chart as inline SVG, the same bytes for the same numbers, with `label` for screen readers."""
    import matplotlib as mpl  # noqa: PLC0415

    target = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": label, "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = target.getvalue()
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="{escape(label, quote=True)}" ', 1)
