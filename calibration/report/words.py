"""How the report writes sections, numbers and what it leaves out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

NONE = "–"


def section(name: str, title: str, *content: str) -> str:
    """A section under a heading of the second level; nothing where it has no content."""
    inside = "\n".join(part for part in content if part)
    return f'<section id="{name}"><h2>{escape(title)}</h2>\n{inside}</section>' if inside else ""


def note(*sentences: str) -> str:
    """A paragraph that explains."""
    return f'<p class="note">{escape(" ".join(sentences))}</p>'


def left_out(left: Mapping[str, str], *names: str) -> str:
    """Why parts are not there."""
    return "".join(note(f"未给出 Not given: {left[name]}.") for name in names if name in left)


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NONE
    shown = f"{value:.{digits}f}"
    return shown.removeprefix("-") if float(shown) == 0 else shown


def probability(p: float | None) -> str:
    """A p-value: two digits that count, and `<0.0001` below that."""
    if p is None or not math.isfinite(p):
        return NONE
    return "<0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def with_se(value: float | None, se: float | None, digits: int = 2) -> str:
    """A number with its standard error small beside it, as HTML."""
    if value is None or not math.isfinite(value):
        return NONE
    error = f' <span class="se">±{se:.{digits}f}</span>' if se is not None and math.isfinite(se) else ""
    return f"{fixed(value, digits)}{error}"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """An interval in brackets."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def folded(summary: str, content: str, *, unfold: bool = False) -> str:
    """Content behind a line to click on."""
    start = '<details open="open">' if unfold else "<details>"
    return f"{start}<summary>{escape(summary)}</summary>\n{content}\n</details>"


def figure(chart: str, caption: str, before: str = "") -> str:
    """A chart with its caption; `before` is a legend."""
    return f"<figure>{before}{chart}<figcaption>{escape(caption)}</figcaption></figure>"


def finite(value: Any) -> Any:  # noqa: ANN401
    """The same data with null for numbers that are none, which JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value
