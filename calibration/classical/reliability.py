"""How dependable a total score is: coefficient alpha, stratified alpha, omega total, standard error of measurement.

Everything rests on the covariances of the items, each taken over the persons who have both. Where two items were never
given to the same person there is no covariance and no reliability of their sum: ask by form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, Responses, ResponsesError
from calibration.subsets import some_items, some_persons

SMALL_SAMPLE = 200  # below it intervals are wide and curves are not worth fitting

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]
NONE: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of the total of `items` items: mean and sd of the total, coefficients with intervals, what an item costs.

    `n` is the weighted number of persons, `pair_n` the least number behind one covariance. `alpha_interval` is Feldt's
    (1965), exact for normal and essentially tau-equivalent items; `alpha_se` and `omega_interval` assume no
    distribution (delta method on fourth moments). After a bootstrap both intervals are its percentiles. `sem` is the
    standard error of measurement by alpha, `sem_omega` by omega. `notes` say what a reader has to know.
    """

    items: int
    n: float
    pair_n: float
    mean: float
    sd: float
    alpha: float
    alpha_interval: Interval
    alpha_se: float
    omega: float
    omega_interval: Interval
    sem: float
    sem_omega: float
    stratified_alpha: float | None
    alpha_without: Mapping[str, float]
    loadings: Mapping[str, float]
    level: float
    notes: tuple[str, ...] = ()


def reliability(
    responses: Responses,
    *,
    strata: Mapping[str, str] | None = None,
    level: float = 0.95,
    bootstrap: int = 0,
    seed: int = 0,
) -> Reliability:
    """The reliability of the total over all items of `responses`.

    `strata` (item → part of the test) asks for stratified alpha as well (Cronbach, Schönemann & McKie, 1965, eq. 8).
    `bootstrap` > 0 replaces the intervals by percentiles over that many samples of persons. Weights count persons.
    Raises ResponsesError for fewer than two items or persons, for two items that no two persons share, and for an item
    without a stratum.
    """
    if len(responses.items) < 2:
        raise ResponsesError("reliability needs at least two items")
    X, seen = _table(responses)
    w = responses.weight
    S, n = pairwise_covariance(X, seen, w)
    _check_pairs(n, responses.items)
    alpha, J = coefficient_alpha(S), len(S)
    harmonic_n = float(J * (J - 1) / (np.sum(1 / n) - np.sum(1 / np.diag(n))))
    D = np.where(seen, X - (w @ X) / (w @ seen), 0.0)
    loadings = one_factor_loadings(S) if J > 2 else None
    omega, omega_interval, notes = float("nan"), NONE, []
    if loadings is None:
        notes.append(
            "omega needs three items at least, with a common factor" if J < 3 else "no common factor: no omega"
        )
    else:
        omega = coefficient_omega(S, loadings)
        omega_se = _standard_error(_omega_slope(S, loadings), S, n, D, seen, w)
        omega_interval = _interval(omega, omega_se, level)
        if np.any(loadings**2 > np.diag(S)):
            notes.append("an item's loading exceeds its standard deviation (Heywood case): do not trust omega")
    alpha_interval = feldt_interval(alpha, harmonic_n, J, level)
    if bootstrap:
        alpha_interval, omega_interval = _bootstrap(X, seen, w, bootstrap, seed, level)
    variance = float(S.sum())
    if harmonic_n < SMALL_SAMPLE:
        notes.append(f"{harmonic_n:.0f} persons: fewer than {SMALL_SAMPLE}, mind the width of the intervals")
    if not seen.all():
        notes.append(f"incomplete: covariances over {n.min():.0f} to {n.max():.0f} persons each")
    names = responses.items
    return Reliability(
        items=J,
        n=float(w.sum()),
        pair_n=float(n.min()),
        mean=float(np.sum((w @ X) / (w @ seen))),
        sd=float(np.sqrt(variance)) if variance > 0 else float("nan"),
        alpha=alpha,
        alpha_interval=alpha_interval,
        alpha_se=_standard_error(_alpha_slope(S), S, n, D, seen, w),
        omega=omega,
        omega_interval=omega_interval,
        sem=_measurement_error(variance, alpha),
        sem_omega=_measurement_error(variance, omega),
        stratified_alpha=stratified_alpha(S, _stratum_numbers(names, strata)) if strata is not None else None,
        alpha_without={
            name: coefficient_alpha(np.delete(np.delete(S, j, axis=0), j, axis=1)) if J > 2 else float("nan")
            for j, name in enumerate(names)
        },
        loadings=dict(zip(names, loadings.tolist(), strict=True)) if loadings is not None else {},
        level=level,
        notes=tuple(notes),
    )


def reliability_by_form(
    responses: Responses, *, strata: Mapping[str, str] | None = None, level: float = 0.95
) -> dict[str, Reliability]:
    """The reliability of each form's total, from those who sat it; a form of one item or one person is left out."""
    by_form = {}
    for f, name in enumerate(responses.forms):
        part = some_persons(responses, responses.form == f)
        seen = np.unique(part.item[part.status != NOT_REACHED])
        if len(part.persons) > 1 and len(seen) > 1:
            part = some_items(part, [responses.items[j] for j in seen])
            by_form[name] = reliability(part, strata=strata, level=level)
    return by_form


def pairwise_covariance(X: FloatArray, seen: NDArray[np.bool_], weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Covariances (J, J) of items, each over the persons who have both, and the weighted number of these.

    `X` (N, J) holds scores, 0 where `seen` is false. Divisor n - 1; NaN where n < 2.
    """
    O = seen.astype(float)  # noqa: E741  (the indicator of the observed, as in the literature)
    n = (O * weight[:, None]).T @ O
    centre = (weight @ X) / np.maximum(weight @ O, 1e-300)
    Y = np.where(seen, X - centre, 0.0)  # about nearly the mean: no digits are lost
    products, sums = (Y * weight[:, None]).T @ Y, (Y * weight[:, None]).T @ O
    with np.errstate(divide="ignore", invalid="ignore"):
        S = (products - sums * sums.T / n) / (n - 1)
    return np.where(n > 1, S, np.nan), n


def coefficient_alpha(S: FloatArray) -> float:
    """Coefficient alpha of the sum of items with covariances S (Cronbach, 1951); NaN where the sum has no variance."""
    k, variance = len(S), float(S.sum())
    return k / (k - 1) * (1 - float(np.trace(S)) / variance) if variance > 0 else float("nan")


def stratified_alpha(S: FloatArray, stratum: NDArray[np.intp]) -> float:
    """1 - Σ_i σ_i² (1 - α_i) / σ² over the parts i of a test; a part of one item counts as unreliable (α_i = 0)."""
    unreliable = 0.0
    for part in np.unique(stratum):
        block = S[np.ix_(stratum == part, stratum == part)]
        alpha = coefficient_alpha(block) if len(block) > 1 else 0.0
        unreliable += float(block.sum()) * (1 - alpha)
    return 1 - unreliable / float(S.sum())


def one_factor_loadings(S: FloatArray, tolerance: float = 1e-10) -> FloatArray | None:
    """Loadings (J,) of one common factor that leave the least squared off-diagonal residuals (minres; Harman, 1960).

    Newton's method on Σ_{j≠i} (s_ij - λ_i λ_j) λ_j = 0, begun with principal axes; None where there is no such factor.
    """
    communality = np.abs(S - np.diag(np.diag(S))).max(axis=0)
    loadings = np.zeros(len(S))
    for _ in range(20):
        values, vectors = np.linalg.eigh(S - np.diag(np.diag(S)) + np.diag(communality))
        if values[-1] <= 0:
            return None
        loadings = vectors[:, -1] * np.sqrt(values[-1])
        communality = loadings**2
    loadings = loadings * (1.0 if loadings.sum() >= 0 else -1.0)
    for _ in range(100):
        residual = S - np.outer(loadings, loadings)
        np.fill_diagonal(residual, 0.0)
        gradient = residual @ loadings
        try:
            step = np.linalg.solve(_minres_jacobian(S, loadings), gradient)
        except np.linalg.LinAlgError:
            return None
        loadings = loadings - step
        if np.abs(step).max() <= tolerance * max(np.abs(loadings).max(), 1e-300):
            return np.asarray(loadings) if loadings.sum() > 0 else None
    return None


def coefficient_omega(S: FloatArray, loadings: FloatArray) -> float:
    """Omega total of one factor, (Σλ)² / variance of the total (McDonald, 1999, eq. 6.20b)."""
    return float(loadings.sum() ** 2 / S.sum())


def feldt_interval(alpha: float, n: float, items: int, level: float = 0.95) -> Interval:
    """Interval for coefficient alpha: (1 - α) / (1 - α̂) ~ F with (n - 1), (n - 1)(items - 1) df (Feldt, 1965)."""
    from scipy.special import fdtri  # noqa: PLC0415  (scipy is not loaded with the package)

    if not (np.isfinite(alpha) and n > 1):
        return NONE
    df1, df2, tail = n - 1, (n - 1) * (items - 1), (1 - level) / 2
    return (
        float(1 - (1 - alpha) * fdtri(df1, df2, 1 - tail)),
        float(1 - (1 - alpha) * fdtri(df1, df2, tail)),
    )


def _table(responses: Responses) -> tuple[FloatArray, NDArray[np.bool_]]:
    scores = responses.unshifted().dense()
    seen = ~np.isnan(scores)
    return np.where(seen, scores, 0.0), seen


def _check_pairs(n: FloatArray, items: Sequence[str]) -> None:
    if n.min() < 2:
        i, j = divmod(int(n.argmin()), len(n))
        raise ResponsesError(
            f"items {items[i]} and {items[j]}: {n.min():.0f} persons have both, so their sum has no reliability; "
            "ask by form, or for fewer items"
        )


def _stratum_numbers(items: Sequence[str], strata: Mapping[str, str]) -> NDArray[np.intp]:
    missing = [item for item in items if item not in strata]
    if missing:
        raise ResponsesError(f"item {missing[0]} has no stratum; {len(missing)} of {len(items)} items lack one")
    return np.unique([strata[item] for item in items], return_inverse=True)[1].astype(np.intp)


def _measurement_error(variance: float, reliability_: float) -> float:
    return float(np.sqrt(variance * (1 - reliability_))) if variance > 0 and reliability_ <= 1 else float("nan")


def _alpha_slope(S: FloatArray) -> FloatArray:
    """Derivative of alpha in S."""
    k, variance = len(S), S.sum()
    return np.asarray(k / (k - 1) * (np.trace(S) / variance**2 - np.eye(k) / variance))


def _minres_jacobian(S: FloatArray, loadings: FloatArray) -> FloatArray:
    jacobian = S - 2 * np.outer(loadings, loadings)
    np.fill_diagonal(jacobian, loadings**2 - loadings @ loadings)
    return jacobian


def _omega_slope(S: FloatArray, loadings: FloatArray) -> FloatArray:
    """Derivative of omega in S, the loadings moving with S by the implicit function theorem."""
    variance, total = S.sum(), loadings.sum()
    pull = np.linalg.solve(_minres_jacobian(S, loadings).T, np.ones(len(S)))
    by_loadings = -np.outer(pull, loadings)
    np.fill_diagonal(by_loadings, 0.0)
    return np.asarray(2 * total / variance * by_loadings - total**2 / variance**2)


def _standard_error(
    slope: FloatArray, S: FloatArray, n: FloatArray, D: FloatArray, seen: NDArray[np.bool_], weight: FloatArray
) -> float:
    """Delta method without a distribution: the influence of each person on a function of S (Maydeu-Olivares, 2007)."""
    O = seen.astype(float)  # noqa: E741
    share = slope / n
    influence = ((D @ share) * D).sum(axis=1) - ((O @ (share * S)) * O).sum(axis=1)
    return float(np.sqrt(weight @ influence**2))


def _interval(estimate: float, se: float, level: float) -> Interval:
    """Symmetric for log(1 - estimate), so that its ends stay below 1."""
    if not (np.isfinite(se) and estimate < 1):
        return NONE
    half = _normal_quantile((1 + level) / 2) * se / (1 - estimate)
    return float(1 - (1 - estimate) * np.exp(half)), float(1 - (1 - estimate) * np.exp(-half))


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist  # noqa: PLC0415

    return NormalDist().inv_cdf(p)


def _bootstrap(
    X: FloatArray, seen: NDArray[np.bool_], weight: FloatArray, samples: int, seed: int, level: float
) -> tuple[Interval, Interval]:
    rng = np.random.default_rng(seed)
    alphas, omegas = [], []
    for _ in range(samples):
        drawn = rng.multinomial(round(weight.sum()), weight / weight.sum()).astype(float)
        S, n = pairwise_covariance(X, seen, drawn)
        if n.min() < 2 or S.sum() <= 0:
            continue
        alphas.append(coefficient_alpha(S))
        loadings = one_factor_loadings(S) if len(S) > 2 else None
        if loadings is not None:
            omegas.append(coefficient_omega(S, loadings))
    return _percentiles(alphas, level), _percentiles(omegas, level)


def _percentiles(values: Sequence[float], level: float) -> Interval:
    if len(values) < 2:
        return NONE
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
