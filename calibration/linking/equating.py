"""Marks on a new form that mean the same as marks on the base form (Kolen & Brennan, 2004, chapter 6)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.linking.criteria import ThetaWeights
from calibration.linking.errors import LinkError
from calibration.linking.link import Link
from calibration.linking.marks import marks_unit, sum_distribution
from calibration.linking.vectors import covariance_block, curve_slopes, square_root
from calibration.models import Curves, ItemParameters, Scale

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EquatingTable:
    """For every sum of marks on the new form (S,): its equivalent on the base form and the standard error of that.

    `theta` is the ability (base scale) that true-score equating goes through, NaN outside the range it reaches; it is
    None for observed-score equating.
    """

    method: str
    marks: Matrix
    equivalent: Matrix
    se: Matrix | None
    theta: Matrix | None
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The table as plain JSON data, column by column; null where a number is not known."""

        def plain(column: Matrix | None) -> list[float | None] | None:
            return None if column is None else [None if np.isnan(one) else float(one) for one in column]

        columns = {"marks": self.marks, "equivalent": self.equivalent, "se": self.se, "theta": self.theta}
        table = {name: plain(column) for name, column in columns.items()}
        return {"method": self.method, "table": table, "notes": list(self.notes)}

    def csv_text(self) -> str:
        """The table as CSV: marks, equivalent, and se and theta where known."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        columns: dict[str, Matrix] = {"marks": self.marks, "equivalent": self.equivalent}
        if self.se is not None:
            columns["se"] = self.se
        if self.theta is not None:
            columns["theta"] = self.theta
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow([f"{row[0]:g}", *("" if np.isnan(value) else f"{value:.6f}" for value in row[1:])])
        return out.getvalue()


def true_score_equating(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    link: Link | None = None,
    *,
    scale: Scale | None = None,
) -> EquatingTable:
    """Base-form marks with the same expected value: T_base(A · u + B) where T_new(u) = marks.

    `new` are the items of the new form on its own scale and `link` leads from there to the base's; without a link both
    forms are on `scale`. Sums that no ability expects (below the guessing of all items together, or above what slips
    leave) are interpolated linearly to the least and the most marks (Kolen's procedure, Kolen & Brennan, 2004,
    p. 177). Standard errors are by the delta method, of the items of both forms and of the link together; None where
    an item has none. Raises LinkError where expected marks do not increase with ability.
    """
    join = link if link is not None else identity_link(scale or Scale())
    X, Y = Curves.of(new, join.new), Curves.of(base, join.base)
    ends_X, ends_Y = _ends(new), _ends(base)
    unit = marks_unit(new)
    marks = np.asarray(ends_X.least + unit * np.arange(round((ends_X.most - ends_X.least) / unit) + 1), float)
    for curves, at, form in ((X, join.new, "new"), (Y, join.base, "base")):
        _check_increasing(curves, at, form)
    inside = (marks > ends_X.low) & (marks < ends_X.high)
    u = np.full(len(marks), np.nan)
    u[inside] = _abilities(X, marks[inside])
    equivalent = np.empty(len(marks))
    equivalent[inside] = Y.expected_marks(join.theta(u[inside])).sum(axis=0)
    below, above = marks <= ends_X.low, marks >= ends_X.high
    equivalent[below] = _between(marks[below], (ends_X.least, ends_X.low), (ends_Y.least, ends_Y.low), ends_Y.least)
    equivalent[above] = _between(marks[above], (ends_X.high, ends_X.most), (ends_Y.high, ends_Y.most), ends_Y.most)
    se = _true_score_errors(new, base, join, (X, Y), (ends_X, ends_Y), marks, u)
    return EquatingTable("true-score", marks, equivalent, se, join.theta(u))


def observed_score_equating(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    link: Link | None = None,
    *,
    scale: Scale | None = None,
    new_population: ThetaWeights | None = None,
    base_population: ThetaWeights | None = None,
    new_weight: float = 0.5,
) -> EquatingTable:
    """Base-form marks with the same percentile rank in a synthetic population.

    Each form's distribution of sums is that of the recursion of Lord & Wingersky (1984) over the abilities of both
    populations (each on its own scale; those of the scales unless given), the new one with `new_weight`, the base's
    with the rest; equivalents are equipercentile, from percentile ranks with sums spread evenly over half a unit to
    both sides (Kolen & Brennan, 2004, eq. 2.17-2.18, and sec. 6.6). Standard errors: `bootstrap_errors`.
    """
    if not 0 <= new_weight <= 1:
        raise LinkError(f"the new population's weight must be within 0…1, got {new_weight:g}")
    join = link if link is not None else identity_link(scale or Scale())
    on_new = new_population or ThetaWeights.of(join.new)
    on_base = base_population or ThetaWeights.of(join.base)
    theta = np.concatenate([join.theta(on_new.nodes), on_base.nodes])  # on the base scale
    weights = np.concatenate([new_weight * on_new.weights, (1 - new_weight) * on_base.weights])
    scores_X, given_X = sum_distribution(new, Curves.of(new, join.new), (theta - join.B) / join.A)
    scores_Y, given_Y = sum_distribution(base, Curves.of(base, join.base), theta)
    equivalent = equipercentile(given_X @ weights, scores_Y, given_Y @ weights)
    return EquatingTable("observed-score", scores_X, equivalent, None, None)


def percentile_ranks(frequency: Matrix) -> Matrix:
    """Percentile ranks (S,) of sums with these relative frequencies: 100 · (F(x - 1) + f(x) / 2)."""
    share = frequency / frequency.sum()
    return np.asarray(100 * (np.cumsum(share) - share / 2))


def equipercentile(frequency_X: Matrix, scores_Y: Matrix, frequency_Y: Matrix) -> Matrix:
    """Sums of Y (S,) that stand as each sum of X does, by equal percentile ranks (Kolen & Brennan, 2004, eq. 2.18).

    The equivalent lies in the interval of the sum of Y in which its cumulative share passes the rank; where it rests at
    the rank over sums that nobody has, in the middle of them.
    """
    rank = percentile_ranks(frequency_X) / 100
    share = frequency_Y / frequency_Y.sum()
    cumulative = np.cumsum(share)
    cumulative[-1] = 1.0
    unit = scores_Y[1] - scores_Y[0] if len(scores_Y) > 1 else 1.0
    rounding = 1e-12  # of sums of shares: a rank that differs by less from a cumulative share is that
    upper = np.searchsorted(cumulative, rank + rounding, side="right")
    lower = np.searchsorted(cumulative, rank - rounding, side="left")
    both = []
    for place in (np.minimum(upper, len(share) - 1), lower):
        before = np.where(place > 0, cumulative[place - 1], 0.0)
        inside = np.divide(rank - before, share[place], out=np.full(len(rank), 0.5), where=share[place] > 0)
        both.append(scores_Y[place] + unit * (inside - 0.5))
    return np.asarray((both[0] + both[1]) / 2)


def identity_link(scale: Scale) -> Link:
    """The link of a scale to itself."""
    return Link(1.0, 0.0, scale, scale, "one scale", errors={}, one_scale=True)


@dataclass(frozen=True, slots=True)
class _Ends:
    """Least and most marks, and the expected marks at theta = -inf and +inf."""

    least: float
    low: float
    high: float
    most: float


def _ends(items: Sequence[ItemParameters]) -> _Ends:
    low = high = 0.0
    for item in items:
        marks = item.category_marks
        if item.model == "NRM":
            low += marks[int(np.argmin(item.slopes))]
            high += marks[int(np.argmax(item.slopes))]
        elif len(marks) == 2 and item.model in {"3PL", "4PL"}:
            low += marks[0] + item.c * (marks[1] - marks[0])
            high += marks[0] + item.d * (marks[1] - marks[0])
        else:
            low, high = low + marks[0], high + marks[-1]
    return _Ends(
        sum(min(item.category_marks) for item in items), low, high, sum(max(item.category_marks) for item in items)
    )


def _check_increasing(curves: Curves, scale: Scale, form: str) -> None:
    theta = scale.mean + scale.sd * np.linspace(-6, 6, 121)
    if (curves.marks_slope(theta).sum(axis=0) <= 0).any():
        raise LinkError(
            f"expected marks on the {form} form do not increase with ability; leave out items with a negative slope"
        )


def _abilities(curves: Curves, marks: Matrix) -> Matrix:
    """Theta with these expected marks, by bisection to the last digit."""
    low, high = np.full(len(marks), -20.0), np.full(len(marks), 20.0)
    for _ in range(12):  # marks near an end are expected far out
        low = np.where(curves.expected_marks(low).sum(axis=0) > marks, 2 * low, low)
        high = np.where(curves.expected_marks(high).sum(axis=0) < marks, 2 * high, high)
    for _ in range(54):  # 40 · 2⁻⁵⁴ is below the last digit of theta
        middle = (low + high) / 2
        under = curves.expected_marks(middle).sum(axis=0) < marks
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.asarray((low + high) / 2)


def _between(x: Matrix, here: tuple[float, float], there: tuple[float, float], end: float) -> Matrix:
    """Linear interpolation from one interval to another; `end` where there is nothing between."""
    span = here[1] - here[0]
    if not span > 0:
        return np.full(len(x), end)
    return np.asarray(there[0] + (x - here[0]) / span * (there[1] - there[0]))


def _true_score_errors(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    link: Link,
    curves: tuple[Curves, Curves],
    ends: tuple[_Ends, _Ends],
    marks: Matrix,
    u: Matrix,
) -> Matrix | None:
    """Standard errors (S,): y = T_base(A · u + B; ξ_base) with T_new(u; ξ_new) = marks, all errors to first order."""
    blocks_new = [covariance_block(item) for item in new]
    blocks_base = [covariance_block(item) for item in base]
    if link.errors is None or any(block is None for block in (*blocks_new, *blocks_base)):
        return None
    X, Y = curves
    inside = ~np.isnan(u)
    at_X, at_Y = u[inside], link.theta(u[inside])
    slope_X, slope_Y = X.marks_slope(at_X).sum(axis=0), Y.marks_slope(at_Y).sum(axis=0)
    per_A_B = np.zeros((len(marks), 2))
    per_A_B[inside] = np.stack([slope_Y * at_X, slope_Y], axis=1)
    parts = {key: per_A_B @ part for key, part in link.errors.items()}
    d_X, d_Y = curve_slopes(new, link.new, at_X), curve_slopes(base, link.base, at_Y)
    forms = (
        (new, blocks_new, X, d_X.probability, -link.A * slope_Y / slope_X, "new"),
        (base, blocks_base, Y, d_Y.probability, np.ones(len(at_Y)), "base"),
    )
    for items, blocks, form, slopes, factor, which in forms:
        by_item = np.array([form.sum_items(form.marks[:, None] * one) for one in slopes])  # (P, J, S inside)
        for j, (item, block) in enumerate(zip(items, blocks, strict=True)):
            assert block is not None  # noqa: S101  (checked above)
            p = len(item.parameter_names)
            d = np.zeros((len(marks), p))
            d[inside] = (factor * by_item[:p, j]).T
            d[~inside] = _outside(item, ends, marks[~inside], which)
            own = d @ square_root(block)
            key = link.source(item, base=which == "base")
            parts[key] = parts[key] + own if key in parts else own
    return np.asarray(np.sqrt(sum(((part**2).sum(axis=1) for part in parts.values()), np.zeros(len(marks)))))


def _outside(item: ItemParameters, ends: tuple[_Ends, _Ends], marks: Matrix, which: str) -> Matrix:
    """Derivatives (S, p) of interpolated equivalents in the item's asymptotes."""
    out = np.zeros((len(marks), len(item.parameter_names)))
    X, Y = ends
    width = item.category_marks[1] - item.category_marks[0]
    for name, here, there, anchor in (
        ("c", X.low - X.least, Y.low - Y.least, X.least),
        ("d", X.high - X.most, Y.high - Y.most, X.most),
    ):
        if name not in item.parameter_names or here == 0:
            continue
        rows = marks <= X.low if name == "c" else marks >= X.high
        share = (marks[rows] - anchor) / here
        out[rows, item.parameter_names.index(name)] = width * (share if which == "base" else -share * there / here)
    return out


def with_errors(table: EquatingTable, se: Matrix, note: str) -> EquatingTable:
    """The table with standard errors from elsewhere, and how they were made."""
    return replace(table, se=se, notes=(*table.notes, note))
