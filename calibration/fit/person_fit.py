"""Does each person answer as their ability says? lz, lz*, infit and outfit of persons.

lz standardises the log-likelihood of the responses (Drasgow, Levine & Williams, 1985) as if ability were known; with
an estimate in its place its variance is too small and misfit is missed. lz* (Snijders, 2001; Sinharay, 2016, for
polytomous items) takes the estimation into account and is close to N(0, 1) from about twenty items on. Large negative
values are responses that do not fit the ability: right on hard and wrong on easy items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.false_discovery import benjamini_hochberg
from calibration.fit.mean_squares import MeanSquares, conditional_mean_squares
from calibration.fit.persons import Fitted, Table, abilities, fitted, tables
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

Matrix = NDArray[np.float64]

FEWEST_ITEMS = 10  # for a flag: with fewer the distribution of lz* is far from normal


@dataclass(frozen=True, slots=True)
class PersonFit:
    """Fit of persons, (N,) each in the order of `persons`; NaN for those without responses.

    `n_items` counts their responses; `theta` is the estimate of ability that `method` names; `p` is lz*'s lower tail.
    """

    persons: tuple[str, ...]
    method: str
    n_items: NDArray[np.intp]
    theta: Matrix
    lz: Matrix
    lz_star: Matrix
    p: Matrix
    outfit: Matrix
    outfit_t: Matrix
    infit: Matrix
    infit_t: Matrix

    def rows(self) -> list[dict[str, object]]:
        """One row a person."""
        names = [name for name in self.__slots__ if name not in {"persons", "method"}]
        columns = [getattr(self, name).tolist() for name in names]
        return [
            {"person": person, **dict(zip(names, values, strict=True))}
            for person, *values in zip(self.persons, *columns, strict=True)
        ]

    def unusual(self, rate: float = 0.01) -> NDArray[np.intp]:
        """Persons whose lz* is too low for chance at a false discovery rate of `rate`, the most unusual first."""
        p = np.where((self.n_items >= FEWEST_ITEMS) & np.isfinite(self.p), self.p, 1.0)
        hits = np.flatnonzero(benjamini_hochberg(p, rate))
        return hits[np.argsort(p[hits], kind="stable")]


def person_fit(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    population: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    method: Literal["map", "wle", "eap"] = "wle",
    theta: Matrix | None = None,
) -> PersonFit:
    """Fit of every person, at the estimate of ability that `method` names or at `theta` (N,).

    The correction of lz* holds for estimates that solve an equation, map and wle; with eap it is an approximation.
    """
    data = fitted(responses, items, scale, population, keep_weightless=True)
    at = abilities(data, method) if theta is None else np.asarray(theta, float)
    lz, lz_star, n_items = _standardised(data, at)
    _, squares = conditional_mean_squares(data, at)
    return _result(responses, "given" if theta is not None else method, n_items, at, lz, lz_star, squares)


def _result(
    responses: Responses,
    method: str,
    n_items: NDArray[np.intp],
    theta: Matrix,
    lz: Matrix,
    lz_star: Matrix,
    squares: MeanSquares,
) -> PersonFit:
    from scipy.special import ndtr  # noqa: PLC0415  (0.1 s at import)

    return PersonFit(
        responses.persons,
        method,
        n_items,
        theta,
        lz,
        lz_star,
        np.asarray(ndtr(lz_star)),
        squares.outfit,
        squares.outfit_t,
        squares.infit,
        squares.infit_t,
    )


def _standardised(data: Fitted, theta: Matrix) -> tuple[Matrix, Matrix, NDArray[np.intp]]:
    N = len(data.responses.persons)
    lz, lz_star, n_items = np.full(N, np.nan), np.full(N, np.nan), np.zeros(N, np.intp)
    for table in tables(data):
        n_items[table.persons] = table.had.sum(axis=1)
        lz[table.persons], lz_star[table.persons] = _of_table(table, theta[table.persons])
    return lz, lz_star, n_items


def _of_table(table: Table, theta: Matrix) -> tuple[Matrix, Matrix]:
    curves = table.curves
    had = table.had.T
    log_P = curves.log_probability(theta)
    P = np.exp(log_P)
    weight = np.where(P > 0, log_P, 0.0)  # P · log P → 0
    score, _ = curves.log_derivatives(theta)  # P′ / P
    chosen = curves.start[:-1, None] + np.where(had, table.codes.T, 0)

    def total(rows: Matrix) -> Matrix:
        return np.asarray((curves.sum_items(rows) * had).sum(axis=0), float)

    def statistic(w: Matrix) -> Matrix:
        """Σ over items of w at the chosen category less its mean, over the standard deviation of that."""
        mean = curves.sum_items(P * w)
        variance = ((curves.sum_items(P * w**2) - mean**2) * had).sum(axis=0)
        at_chosen = np.take_along_axis(w, chosen, axis=0)
        deviation = np.where(had, at_chosen - mean, 0.0).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(variance > 1e-12, deviation / np.sqrt(variance), np.nan))

    # Snijders' c: the part of the weights that goes with the score, which the estimate of ability takes out
    c = total(P * score * weight) / np.maximum(total(P * score**2), 1e-300)
    return statistic(weight), statistic(weight - c * score)
