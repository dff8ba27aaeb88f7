"""Small charts drawn by hand: hundreds of them stand on a page, so each is a few hundred bytes of SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.pages import ACCENT, INK, MUTED, SERIES

GRID = "#e3e6ea"
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")  # so that series differ without their colour too

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The box of a chart: the ranges of x and y it shows, its size in pixels, and the margins for numbers and names."""

    x: Range
    y: Range
    width: float = 560.0
    height: float = 260.0
    left: float = 46.0
    right: float = 10.0
    top: float = 10.0
    bottom: float = 36.0

    def across(self, x: ArrayLike) -> NDArray[np.float64]:
        """Pixels from the left of values of x; beyond the range at its ends."""
        share = (np.clip(np.asarray(x, float), *self.x) - self.x[0]) / (self.x[1] - self.x[0])
        return np.asarray(self.left + share * (self.width - self.left - self.right))

    def down(self, y: ArrayLike) -> NDArray[np.float64]:
        """Pixels from the top of values of y; beyond the range at its ends."""
        share = (np.clip(np.asarray(y, float), *self.y) - self.y[0]) / (self.y[1] - self.y[0])
        return np.asarray(self.height - self.bottom - share * (self.height - self.top - self.bottom))

    def path(self, x: ArrayLike, y: ArrayLike) -> str:
        """The `d` of a line through points; gaps where a value is not finite."""
        X, Y = self.across(x), self.down(y)
        parts, pen = [], "M"
        for a, b, there in zip(X.tolist(), Y.tolist(), np.isfinite(X + Y).tolist(), strict=True):
            if there:
                parts.append(f"{pen}{short(a)} {short(b)}")
            pen = "L" if there else "M"
        return "".join(parts)

    def line(self, x: ArrayLike, y: ArrayLike, *, color: str = INK, width: float = 1.7, dash: str = "") -> str:
        """A line through points."""
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<path d="{self.path(x, y)}" stroke="{color}" stroke-width="{width:g}"{dashed}/>'

    def area(self, x: ArrayLike, y: ArrayLike, *, color: str) -> str:
        """The area between a line and the bottom of the chart."""
        first, last = (float(self.across(at)) for at in (np.asarray(x, float)[0], np.asarray(x, float)[-1]))
        base = self.height - self.bottom
        return f'<path d="{self.path(x, y)}L{last:.1f} {base:g}L{first:.1f} {base:g}Z" fill="{color}"/>'

    def upright(self, x: float, *, color: str = ACCENT, dash: str = "5 4") -> str:
        """A line from top to bottom at x."""
        at = float(self.across(x))
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        return f'<path d="M{at:.1f} {self.top:g}V{self.height - self.bottom:g}" stroke="{color}"{dashed}/>'

    def points(self, x: ArrayLike, y: ArrayLike, *, color: str, radius: float = 2.4) -> str:
        """Dots: strokes of no length with round ends, the shortest way to write them."""
        dots = "".join(
            f"M{short(a)} {short(b)}h0" for a, b in zip(self.across(x).tolist(), self.down(y).tolist(), strict=True)
        )
        return f'<path class="dots" d="{dots}" stroke="{color}" stroke-width="{2 * radius:g}"/>' if dots else ""

    def whiskers(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, color: str) -> str:
        """Vertical intervals."""
        d = "".join(
            f"M{short(a)} {short(b)}V{short(c)}"
            for a, b, c in zip(self.across(x).tolist(), self.down(low).tolist(), self.down(high).tolist(), strict=True)
        )
        return f'<path d="{d}" stroke="{color}" stroke-width="1"/>' if d else ""

    def axes(self, x_name: str = "", y_name: str = "", *, x_ticks: int = 9, y_ticks: int = 5) -> str:
        """Grid, numbers and names of both axes; with 0 ticks an axis has no numbers."""
        base, end = self.height - self.bottom, self.width - self.right
        xs, ys = ticks(*self.x, x_ticks), ticks(*self.y, y_ticks) if y_ticks else []
        grid = "".join(f"M{float(self.across(v)):.1f} {self.top:g}V{base:g}" for v in xs)
        grid += "".join(f"M{self.left:g} {float(self.down(v)):.1f}H{end:g}" for v in ys)
        numbers = "".join(
            text(float(self.across(v)), base + 14, number(v, xs), anchor="middle", color=MUTED) for v in xs
        )
        numbers += "".join(
            text(self.left - 5, float(self.down(v)) + 4, number(v, ys), anchor="end", color=MUTED) for v in ys
        )
        if x_name:
            numbers += text((self.left + end) / 2, self.height - 4, x_name, anchor="middle")
        if y_name:
            middle = (self.top + base) / 2
            numbers += (
                f'<text transform="translate(12 {middle:.0f}) rotate(-90)" text-anchor="middle" fill="#333">'
                f"{escape(y_name)}</text>"
            )
        return (
            f'<path d="{grid}" stroke="{GRID}"/><path d="M{self.left:g} {base:g}H{end:g}" stroke="#9aa4b1"/>{numbers}'
        )

    def svg(self, content: str, label: str, *, kind: str = "chart") -> str:
        """The chart as an inline image that screen readers call `label`."""
        return (
            f'<svg class="{kind}" role="img" aria-label="{escape(label, quote=True)}" width="{self.width:g}" '
            f'height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}" fill="none">{content}</svg>'
        )


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within a range, at most about `most` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first = np.ceil(low / step - 1e-9)
    return [
        float(v) for v in (first + np.arange(max(int(np.floor((high - first * step) / step + 1e-9)) + 1, 0))) * step
    ]


def number(value: float, among: Sequence[float]) -> str:
    """A tick's number, with the decimals its neighbours need."""
    step = among[1] - among[0] if len(among) > 1 else 1.0
    decimals = max(0, int(np.ceil(-np.log10(step) - 1e-9)))
    if abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    shown = f"{value:.{decimals}f}"
    return shown.removeprefix("-") if float(shown) == 0 else shown


def short(pixels: float) -> str:
    """A place in pixels to a tenth, without a zero that says nothing."""
    return f"{pixels:.1f}".removesuffix(".0")


def shared(symbols: Mapping[str, str]) -> str:
    """What many charts have in common, by the id that `use` calls it by."""
    inside = "".join(f'<symbol id="{name}" overflow="visible">{content}</symbol>' for name, content in symbols.items())
    return f'<svg class="unseen" aria-hidden="true" width="0" height="0" fill="none">{inside}</svg>'


def use(name: str) -> str:
    """What is `shared` under that name."""
    return f'<use href="#{name}"/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", color: str = "#333", more: str = "") -> str:
    """Words in a chart."""
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{at} fill="{color}"{more}>{escape(words)}</text>'


def legend(entries: Sequence[tuple[str, str, str]]) -> str:
    """What colours and dashes mean: (words, colour, dash); a dash of `dot` or `area` shows those instead of a line."""
    items = []
    for words, color, dash in entries:
        if dash == "dot":
            mark = f'<circle cx="13" cy="6" r="3.2" fill="{color}"/>'
        elif dash == "area":
            mark = f'<path d="M0 1h26v10h-26z" fill="{color}"/>'
        else:
            dashed = f' stroke-dasharray="{dash}"' if dash else ""
            mark = f'<path d="M0 6h26" stroke="{color}" stroke-width="2"{dashed}/>'
        items.append(
            f'<li><svg width="26" height="12" viewBox="0 0 26 12" aria-hidden="true">{mark}</svg>{escape(words)}</li>'
        )
    return f'<ul class="legend">{"".join(items)}</ul>'


def series(k: int) -> tuple[str, str]:
    """Colour and dash of the k-th of several lines."""
    return SERIES[k % len(SERIES)], DASHES[k % len(DASHES)]
