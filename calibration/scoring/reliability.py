"""How much of the differences between scores is true."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from calibration.models import Curves, ItemParameters, Scale
from calibration.responses import Responses
from calibration.scoring.decisions import population_nodes


def marginal_reliability(items: Sequence[ItemParameters] | Curves, scale: Scale | None = None) -> float:
    """Reliability that the test promises in the scale's population: the mean of I / (I + 1 / sd²) over theta.

    I is the test information (Green, Bock, Humphreys, Linn & Reckase, 1984, with 1 / (I + 1 / sd²) as error variance).
    """
    on = scale or Scale()
    curves = items if isinstance(items, Curves) else Curves.of(items, on)
    theta, weight = population_nodes(on)
    information = curves.information(theta).sum(axis=0)
    return float(weight @ (information / (information + on.sd**-2.0)))


def reliability_as_given(responses: Responses, items: Sequence[ItemParameters], scale: Scale | None = None) -> float:
    """Marginal reliability of what each person was given, averaged over the (weighted) persons; NaN for nobody.

    For ratings, where an item counts as often as it was rated (`items` are those of the raters, see `as_rated`), and
    for forms of different length.
    """
    on = scale or Scale()
    place = {item.id: j for j, item in enumerate(items)}
    column = np.array([place.get(name, -1) for name in responses.items])[responses.item]
    had = np.zeros((len(responses.persons), len(items)), bool)
    had[responses.person[column >= 0], column[column >= 0]] = True
    sets, of = np.unique(had, axis=0, return_inverse=True)
    persons = np.bincount(of.reshape(-1), responses.weight, len(sets)) * sets.any(axis=1)
    if not persons.sum() > 0:
        return float("nan")
    theta, weight = population_nodes(on)
    information = sets @ Curves.of(items, on).information(theta)
    return float(persons @ (information / (information + on.sd**-2.0)) @ weight / persons.sum())


def empirical_reliability(
    theta: ArrayLike, se: ArrayLike, method: str = "eap", weight: ArrayLike | None = None
) -> float:
    """Reliability of the scores at hand: of estimates (N,) with standard errors; NaN with fewer than two.

    For posterior estimates (eap, map, eapsum, pv) var(theta) / (var(theta) + mean(SE²)), because their errors are not
    in their variance; for ml and wle 1 - mean(SE²) / var(theta) (Adams, 2005).
    """
    estimate, error = np.asarray(theta, float), np.asarray(se, float)
    weights = np.ones(len(estimate)) if weight is None else np.asarray(weight, float)
    use = np.isfinite(estimate) & np.isfinite(error) & (weights > 0)
    estimate, error, weights = estimate[use], error[use], weights[use]
    total = weights.sum()
    if total <= 1:
        return float("nan")
    mean = weights @ estimate / total
    variance = weights @ (estimate - mean) ** 2 / (total - 1)
    noise = weights @ error**2 / total
    if method in {"ml", "wle"}:
        return float(1 - noise / variance) if variance > 0 else float("nan")
    return float(variance / (variance + noise))
