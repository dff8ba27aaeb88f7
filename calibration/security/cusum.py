"""Has a used item become known? Cumulative sums of what it gains over sittings (Veerkamp & Glas, 2000).

At each sitting the item's score is compared with what the candidates' other, secure items promise; the standardised
surplus z enters S_t = max(0, S_{t-1} + z_t - k), and the item is out of control when S_t > h. A known item gains a
little at every sitting, which a test of each sitting by itself would miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from calibration.models.curves import Curves
from calibration.models.parameters import ItemParameters, Scale
from calibration.recoding import in_categories_of
from calibration.responses import NOT_REACHED, Responses
from calibration.security.abilities import abilities, parted

FloatArray = NDArray[np.float64]

REFERENCE = 0.5  # k: half the surplus, in standard errors, that is to be found quickest
RUN_LENGTH = 500.0  # sittings without a false alarm, on average, for one item
NODES = 64


@dataclass(frozen=True, slots=True)
class CusumChart:
    """One item over T sittings; NaN where it was not given.

    `observed` and `expected` are mean scores as shares of the highest, `z` the standardised surplus, `sums` the
    cumulative sum after each sitting. `signal` is the first sitting (from 0) at which it exceeded `h`, or None.
    """

    item: str
    n: tuple[float, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    z: tuple[float, ...]
    sums: tuple[float, ...]
    signal: int | None
    k: float
    h: float


def cusum_charts(
    sittings: Sequence[Responses],
    watched: Sequence[str],
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    k: float = REFERENCE,
    run_length: float = RUN_LENGTH,
) -> tuple[CusumChart, ...]:
    """A chart of each watched item over the sittings, in the order given.

    Abilities come from the items not watched; `h` is chosen so that an item nobody knows runs `run_length` sittings to
    a false alarm. Where the parameters have standard errors, that of the difficulty is part of the standard error of
    every surplus. Raises ResponsesError where a watched item has no parameters or no secure items are left.
    """
    secure, suspects = parted(items, watched)
    h = decision_interval(run_length, k)
    rows = [_surplus(sitting, secure, suspects, scale) for sitting in sittings]
    charts = []
    for j, item in enumerate(suspects):
        n, observed, expected, z = (tuple(float(row[what][j]) for row in rows) for what in range(4))
        sums = cumulative_sums(np.array(z), k)
        beyond = np.flatnonzero(sums > h)
        signal = int(beyond[0]) if beyond.size else None
        charts.append(CusumChart(item.id, n, observed, expected, z, tuple(sums.tolist()), signal, k, h))
    return tuple(charts)


def cumulative_sums(z: FloatArray, k: float = REFERENCE) -> FloatArray:
    """One-sided upper sums of surpluses (T,); a sitting without the item (NaN) leaves the sum as it was."""
    out, total = np.empty(len(z)), 0.0
    for t, value in enumerate(z):
        total = max(0.0, total + value - k) if np.isfinite(value) else total
        out[t] = total
    return out


def average_run_length(h: float, k: float = REFERENCE, shift: float = 0.0) -> float:
    """Sittings until S > h when z ~ N(shift, 1), on average (Page's integral equation; Goel & Wu, 1971).

    L(s) = 1 + Φ(k - shift - s) L(0) + ∫_0^h φ(y - s + k - shift) L(y) dy, solved on Gauss–Legendre nodes.
    """
    x, w = _nodes()
    y, w = (x + 1) * h / 2, w * h / 2
    points = np.concatenate([[0.0], y])
    reset = np.array([0.5 * (1 + erf((k - shift - s) / sqrt(2))) for s in points])
    kernel = np.exp(-0.5 * (y - points[:, None] + k - shift) ** 2) / sqrt(2 * np.pi)
    system = np.eye(len(points)) - np.column_stack([reset, kernel * w])
    return float(np.linalg.solve(system, np.ones(len(points)))[0])


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w


def decision_interval(run_length: float, k: float = REFERENCE) -> float:
    """The h at which an item in control runs `run_length` sittings to a false alarm, on average."""
    low, high = 0.0, 1.0
    while average_run_length(high, k) < run_length:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if average_run_length(middle, k) < run_length else (low, middle)
    return (low + high) / 2


def _surplus(
    sitting: Responses, secure: Sequence[ItemParameters], suspects: Sequence[ItemParameters], scale: Scale | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Weighted n, observed and expected share, and z of each suspect item at a sitting."""
    sitting = in_categories_of([*secure, *suspects], sitting)
    known = abilities(sitting, secure, scale)
    curves = Curves.of(suspects, scale)
    P = curves.probability(known.nodes)
    category = np.arange(len(curves.marks)) - np.repeat(curves.start[:-1], curves.categories)
    mean, square = curves.sum_items(category[:, None] * P), curves.sum_items(category[:, None] ** 2 * P)
    first, _ = curves.log_derivatives(known.nodes)
    slope = curves.sum_items(category[:, None] * P * first)
    number = {name: j for j, name in enumerate(sitting.items)}
    out = np.full((4, len(suspects)), np.nan)
    out[0] = 0.0
    for j, item in enumerate(suspects):
        rows = np.flatnonzero((sitting.item == number.get(item.id, -1)) & (sitting.status != NOT_REACHED))
        rows = rows[known.known[sitting.person[rows]]]
        persons = sitting.person[rows]
        w = sitting.weight[persons]
        if w.sum() <= 0:
            continue
        posterior = known.posterior[persons]
        expected = posterior @ mean[j]
        variance = float(w @ (posterior @ square[j] - expected**2))
        drift = float(w @ (posterior @ slope[j])) * _difficulty_se(item)
        surplus = float(w @ (sitting.score[rows] - expected))
        top = item.categories - 1
        out[:, j] = (
            w.sum(),
            float(w @ sitting.score[rows]) / w.sum() / top,
            float(w @ expected) / w.sum() / top,
            surplus / sqrt(variance + drift**2) if variance > 0 else np.nan,
        )
    return out[0], out[1], out[2], out[3]


def _difficulty_se(item: ItemParameters) -> float:
    """Standard error of the mean threshold; 0 where unknown."""
    names = [name for name in item.parameter_names if name.startswith("b")]
    at = [item.parameter_names.index(name) for name in names]
    if item.covariance and at:
        block = np.array(item.covariance)[np.ix_(at, at)]
        return float(np.sqrt(max(block.mean(), 0.0)))
    return float(item.se.get("b", 0.0))
