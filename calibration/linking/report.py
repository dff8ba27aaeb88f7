"""A link as one page: A and B, every anchor, and how the curves of both scales lie."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from calibration.files import write_text_whole
from calibration.linking.link import Link
from calibration.models import Curves, ItemParameters
from calibration.pages import ACCENT, INK, MUTED, chart_svg, facts, new_chart, report_page, table


def write_link_report(
    path: Path, link: Link, new: Sequence[ItemParameters], base: Sequence[ItemParameters], *, lead: str = ""
) -> None:
    """Write the report of a link as one self-contained HTML file."""
    write_text_whole(path, report_page("等值连接报告 Linking report", _body(link, new, base), lead=lead))


def _body(link: Link, new: Sequence[ItemParameters], base: Sequence[ItemParameters]) -> str:
    se = link.se
    head = [
        ("A", f"{link.A:.4f}" + (f" (SE {se[0]:.4f})" if se else "")),
        ("B", f"{link.B:.4f}" + (f" (SE {se[1]:.4f})" if se else "")),
        ("method", link.method),
        ("anchors kept", str(len(link.anchors))),
        ("left out", str(len(link.dropped))),
    ]
    parts = [facts(head)]
    parts += [f"<p>{escape(note)}</p>" for note in link.notes]
    if link.dropped:
        parts.append("<h2>Anchors left out</h2>" + table(("item", "reason"), list(link.dropped.items())))
    rows = [
        (
            one.item,
            _number(one.displacement),
            "" if one.displacement_se is None else _number(one.displacement_se),
            _number(one.robust_z),
            _number(one.robust_z_slope),
            f"{one.d2:.5f}",
            _number(one.rmsd),
        )
        for one in link.statistics
    ]
    header = ("item", "displacement of b", "SE", "robust z (b)", "robust z (log a)", "d²", "RMSD")
    parts.append("<h2>Anchors kept</h2>" + table(header, rows, numeric=range(1, 7)))
    parts.append("<h2>Difficulties</h2>" + _difficulties(link, new, base))
    parts.append("<h2>Expected marks of the anchors</h2>" + _expected(link, new, base))
    return "\n".join(parts)


def _pairs(
    link: Link, new: Sequence[ItemParameters], base: Sequence[ItemParameters]
) -> tuple[list[ItemParameters], list[ItemParameters]]:
    ours, theirs = {item.id: item for item in new}, {item.id: item for item in base}
    return [ours[name] for name in link.anchors], [theirs[name] for name in link.anchors]


def _difficulties(link: Link, new: Sequence[ItemParameters], base: Sequence[ItemParameters]) -> str:
    figure, axes = new_chart(height=4.2)
    ours, theirs = {item.id: item for item in new}, {item.id: item for item in base}
    for names, colour, label in ((link.anchors, INK, "kept"), (tuple(link.dropped), ACCENT, "left out")):
        both = [(ours[name], theirs[name]) for name in names]
        points = [(one, other) for one, other in both if len(one.b) == len(other.b)]
        x = [b for one, _ in points for b in one.b]
        y = [b for _, other in points for b in other.b]
        if x:
            axes.scatter(x, y, s=18, color=colour, label=label)
    low, high = axes.get_xlim()
    ends = np.array([low, high])
    axes.plot(ends, link.theta(ends), color=MUTED, linewidth=1, label="A · b + B")
    axes.set_xlabel(f"b on {link.new.id} (new)")
    axes.set_ylabel(f"b on {link.base.id} (base)")
    axes.legend(frameon=False)
    return chart_svg(figure, "difficulties of the anchors on both scales")


def _expected(link: Link, new: Sequence[ItemParameters], base: Sequence[ItemParameters]) -> str:
    figure, axes = new_chart()
    theta = link.base.mean + link.base.sd * np.linspace(-4, 4, 161)
    ours, theirs = _pairs(link, new, base)
    axes.plot(theta, Curves.of(theirs, link.base).expected_marks(theta).sum(axis=0), color=INK, label="base")
    there = Curves.of(ours, link.new).expected_marks((theta - link.B) / link.A).sum(axis=0)
    axes.plot(theta, there, color=ACCENT, linestyle="--", label="new, linked")
    axes.set_xlabel("theta on the base scale")
    axes.set_ylabel("expected marks")
    axes.legend(frameon=False)
    return chart_svg(figure, "expected marks of the anchors on both scales")


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"
