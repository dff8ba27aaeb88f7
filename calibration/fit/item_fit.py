"""Does each item behave as its parameters say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.classical import item_statistics
from calibration.false_discovery import benjamini_hochberg
from calibration.fit.mean_squares import conditional_mean_squares, marginal_mean_squares
from calibration.fit.observed_curves import NOTABLE_RMSD, curve_differences
from calibration.fit.persons import Method, abilities, expected_counts, fitted
from calibration.fit.plausible import DRAWS, plausible_fit
from calibration.fit.residuals import residual_fit
from calibration.fit.selection import selection
from calibration.fit.summed_scores import LEAST_SET, summed_score_fit
from calibration.fit.unknowns import item_unknowns
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

Matrix = NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.05
NOTABLE_RMSEA = 0.05  # of S-X² or the residual χ²: with thousands of persons every item is off by a little
MEAN_SQUARES = (0.7, 1.3)  # Wright & Linacre (1994), run-of-the-mill tests
NOTABLE_T = 3.0  # of a mean square: among hundreds of items 2 is nothing
LOW_ITEM_REST = 0.10

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ItemFit:
    """How one item fits; `n` persons had it, and every statistic names the persons behind it. NaN where there is none.

    `s_x2` is pooled over `s_x2_sets` sets of persons with the same items; sets selected by ability are no use to it.
    `residual_x2` and `pv_q1` are of everybody, however items were given; the latter is the more conservative.
    `outfit` and `infit` are marginal, or conditional on an estimate of ability (`mean_squares` says which).
    `flags`: misfit (S-X², or the residual χ² where there is no S-X², beyond chance at a false discovery rate of 5 %
    with an RMSEA above 0.05), curve-differs (beyond chance as well, with RMSD > 0.10), noisy and overfit (infit or
    outfit outside 0.7 to 1.3 with |t| > 3), weak (item-rest correlation < 0.10), routed.
    """

    item: str
    model: str
    n: float
    s_x2: float
    s_x2_df: int
    s_x2_p: float
    s_x2_rmsea: float
    s_x2_n: float
    s_x2_sets: int
    residual_x2: float
    residual_df: int
    residual_p: float
    pv_q1: float
    pv_q1_df: float
    pv_q1_p: float
    mean_squares: str
    outfit: float
    outfit_t: float
    infit: float
    infit_t: float
    item_rest: float
    item_rest_n: float
    rmsd: float
    md: float
    flags: tuple[str, ...] = ()

    def row(self) -> dict[str, object]:
        """The result as one row."""
        row: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        return row | {"flags": " ".join(self.flags)}


def item_fit(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    population: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    mean_squares: Method | str = "marginal",
    theta: Matrix | None = None,
    least_set: float = LEAST_SET,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[ItemFit, ...]:
    """Fit of every item that has parameters and responses, in the order of `items`.

    `population` as in `fitted`. `mean_squares` is marginal, or eap, map or wle for infit and outfit at that estimate
    of ability; `theta` (N,) gives estimates of one's own. S-X² uses sets of at least `least_set` persons. `draws`
    plausible values a person make PV-Q1 (0: none); `seed` is theirs.
    """
    data = fitted(responses, items, scale, population)
    counts = expected_counts(data)
    pooled = counts.sum(axis=0)
    n = np.round(data.curves.sum_items(pooled).sum(axis=1), 6)
    if theta is not None or mean_squares != "marginal":
        at = theta if theta is not None else abilities(data, mean_squares)  # type: ignore[arg-type]
        squares, _ = conditional_mean_squares(data, at)
        kind = "given" if theta is not None else str(mean_squares)
    else:
        squares, kind = marginal_mean_squares(data, pooled), "marginal"
    chosen = selection(data)
    summed = summed_score_fit(data, least_set=least_set, chosen=chosen)
    J = len(data.items)
    q1, q1_cells = plausible_fit(data, draws=draws, seed=seed) if draws else (np.full(J, np.nan), np.zeros(J))
    residual, residual_df = residual_fit(data, pooled)
    rmsd, md = _over_groups(*curve_differences(data, counts))
    rest = {statistic.item: statistic for statistic in item_statistics(data.responses)}
    rows = []
    for j, item in enumerate(data.items):
        m = item_unknowns(item, data.scale)
        own_only = m - 1 if item.model in {"Rasch", "PCM", "RSM", "1PL"} else m  # PV-Q1 does not ask for the spread
        df = int(summed.cells[j]) - m
        s_x2 = _tested(summed.statistic[j], df, summed.n[j])
        along = _tested(residual[j], residual_df[j], n[j])
        pv = _tested(q1[j], q1_cells[j] - max(own_only, 0), n[j])
        rows.append(
            ItemFit(
                item=item.id,
                model=item.model,
                n=float(n[j]),
                s_x2=s_x2[0],
                s_x2_df=max(df, 0),
                s_x2_p=s_x2[1],
                s_x2_rmsea=s_x2[2],
                s_x2_n=float(summed.n[j]),
                s_x2_sets=int(summed.sets[j]),
                residual_x2=along[0],
                residual_df=int(residual_df[j]),
                residual_p=along[1],
                pv_q1=pv[0],
                pv_q1_df=float(max(q1_cells[j] - max(own_only, 0), 0.0)),
                pv_q1_p=pv[1],
                mean_squares=kind,
                outfit=float(squares.outfit[j]),
                outfit_t=float(squares.outfit_t[j]),
                infit=float(squares.infit[j]),
                infit_t=float(squares.infit_t[j]),
                item_rest=rest[item.id].point_biserial,
                item_rest_n=rest[item.id].effective_n,
                rmsd=float(rmsd[j]),
                md=float(md[j]),
                flags=("routed",) if chosen.routed[j] else (),
            )
        )
    return _flagged(rows)


def _over_groups(rmsd: Matrix, md: Matrix, n: Matrix) -> tuple[Matrix, Matrix]:
    with np.errstate(divide="ignore", invalid="ignore"):
        share = n / n.sum(axis=0)
        return np.sqrt(np.nansum(share * rmsd**2, axis=0)), np.nansum(share * md, axis=0)


def _tested(statistic: float, df: float, n: float) -> tuple[float, float, float]:
    """χ², p and RMSEA, NaN without degrees of freedom."""
    from scipy.special import chdtrc  # noqa: PLC0415  (0.1 s at import)

    if not (df > 0 and np.isfinite(statistic)):
        return NAN, NAN, NAN
    rmsea = np.sqrt(max(statistic - df, 0.0) / (df * max(n - 1, 1.0)))
    return float(statistic), float(chdtrc(df, statistic)), float(rmsea)


def _flagged(rows: list[ItemFit]) -> tuple[ItemFit, ...]:
    def decided(row: ItemFit) -> tuple[float, float]:
        if np.isfinite(row.s_x2_p):
            return row.s_x2_p, row.s_x2_rmsea
        return row.residual_p, _tested(row.residual_x2, row.residual_df, row.n)[2]

    p = np.array([decided(row)[0] for row in rows])
    beyond = benjamini_hochberg(np.where(np.isfinite(p), p, 1.0), FALSE_DISCOVERY_RATE)
    out = []
    for row, hit in zip(rows, beyond, strict=True):
        flags = list(row.flags)
        squares = ((row.outfit, row.outfit_t), (row.infit, row.infit_t))
        if hit and decided(row)[1] > NOTABLE_RMSEA:
            flags.append("misfit")
        if any(square > MEAN_SQUARES[1] and t > NOTABLE_T for square, t in squares):
            flags.append("noisy")
        if any(square < MEAN_SQUARES[0] and t < -NOTABLE_T for square, t in squares):
            flags.append("overfit")
        if hit and row.rmsd > NOTABLE_RMSD:
            flags.append("curve-differs")
        if row.item_rest < LOW_ITEM_REST:
            flags.append("weak")
        out.append(replace(row, flags=tuple(flags)))
    return tuple(out)
