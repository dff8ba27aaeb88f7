"""Differential item functioning without a model of ability: Mantel–Haenszel, Mantel, and logistic regression.

An item functions differently when persons of two groups who do equally well on the rest of the test do not do equally
well on it. That is a reason to read the item, not yet a proof that it is unfair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import erfc, log, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from calibration.classical.matching import Matched, TwoGroups, group_pairs, matched_tables
from calibration.classical.ordinal import OrdinalFit, ordinal_regression
from calibration.false_discovery import adjusted_p_values
from calibration.responses import Responses

FloatArray = NDArray[np.float64]

SIGNIFICANT = 0.05
PURIFICATION_ROUNDS = 10
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """One item, one focal group against the reference.

    `alpha` is the common odds ratio (> 1: the reference group does better), `delta` = -2.35 ln α on the ETS delta scale
    (negative: harder for the focal group) with `se_delta`; NaN for polytomous items, which have the standardised mean
    difference `smd` (focal less reference, in score points) with `se_smd` and `effect` = smd / SD of the item.
    `category` is A (negligible), B or C (large) with the sign of who is favoured: `C-` is against the focal group.
    `p_adjusted` is Benjamini and Hochberg's. `anchor` tells whether the item stayed in the matching score.
    """

    item: str
    reference: str
    focal: str
    n_reference: float
    n_focal: float
    strata: int
    chi2: float
    p: float
    p_adjusted: float
    alpha: float
    delta: float
    se_delta: float
    smd: float
    se_smd: float
    effect: float
    category: str
    anchor: bool = True
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class LogisticDif:
    """One item, one focal group against the reference, by nested (ordinal) logistic regressions on the matching score.

    `uniform` (1 df) tests the group, `nonuniform` the product of group and score, `total` both; each as (χ², df, p).
    `log_odds` is the group's coefficient in the uniform model (negative: harder for the focal group) with its standard
    error. `r2_change` are changes of Nagelkerke's R² for the uniform step and for both. `category` is A (negligible),
    B (moderate) or C (large), with the sign of the uniform effect. NaN where the data separate the groups.
    """

    item: str
    reference: str
    focal: str
    n_reference: float
    n_focal: float
    uniform: tuple[float, int, float]
    nonuniform: tuple[float, int, float]
    total: tuple[float, int, float]
    log_odds: float
    se_log_odds: float
    r2_change: tuple[float, float]
    p_adjusted: float
    category: str
    anchor: bool = True
    rounds: int = 0


Result = TypeVar("Result", MantelHaenszel, LogisticDif)


def mantel_haenszel_dif(
    responses: Responses,
    *,
    group: Sequence[str] | None = None,
    reference: str | None = None,
    focal: Iterable[str] | None = None,
    matching: str = "total",
    levels: int | None = None,
    rounds: int = PURIFICATION_ROUNDS,
) -> tuple[MantelHaenszel, ...]:
    """Mantel–Haenszel statistics of every item that both groups had (Holland & Thayer, 1988; Mantel, 1963).

    Groups are those of the responses, or `group` (N,); each focal group is compared with `reference` (the first).
    Persons are matched on the total (`matching` = `total`, the item included, as Holland and Thayer advise) or the rest
    score, at each score or in `levels` strata, within sets of identically administered items. Up to `rounds` times the
    items of class B and C are taken out of the matching score and everything is done again (0: not at all). Raises
    ResponsesError for groups that are not there.
    """
    pairs = group_pairs(responses, group, reference, focal)
    results: list[MantelHaenszel] = []
    for pair in pairs:
        anchors, done, found = _purified(pair, responses.items, matching, levels, rounds, _mantel_haenszel)
        adjusted = adjusted_p_values(np.array([f.p for f in found]))
        results += [
            replace(f, p_adjusted=float(p), anchor=f.item in anchors, rounds=done)
            for f, p in zip(found, adjusted, strict=True)
        ]
    return tuple(results)


def logistic_dif(
    responses: Responses,
    *,
    group: Sequence[str] | None = None,
    reference: str | None = None,
    focal: Iterable[str] | None = None,
    matching: str = "total",
    rounds: int = PURIFICATION_ROUNDS,
) -> tuple[LogisticDif, ...]:
    """Logistic regression DIF of every item that both groups had (Swaminathan & Rogers, 1990; Zumbo, 1999).

    Arguments as in `mantel_haenszel_dif`; each set of identically administered items has its own intercept and slope
    of the matching score. Polytomous items have cumulative logits.
    """
    pairs = group_pairs(responses, group, reference, focal)
    results: list[LogisticDif] = []
    for pair in pairs:
        anchors, done, found = _purified(pair, responses.items, matching, None, rounds, _logistic)
        adjusted = adjusted_p_values(np.array([f.total[2] for f in found]))
        results += [
            replace(f, p_adjusted=float(p), anchor=f.item in anchors, rounds=done)
            for f, p in zip(found, adjusted, strict=True)
        ]
    return tuple(results)


def _purified(
    pair: TwoGroups,
    items: Sequence[str],
    matching: str,
    levels: int | None,
    rounds: int,
    study: Callable[[str, TwoGroups, Matched], Result],
) -> tuple[frozenset[str], int, list[Result]]:
    """Repeat a study without the items it accuses in the matching score, until it accuses the same ones again."""
    anchors, tried, done = frozenset(items), set[frozenset[str]](), 0
    while True:
        tables = matched_tables(pair, items, anchors, matching, levels)
        results = [study(item, pair, table) for item, table in tables.items()]
        tried.add(anchors)
        kept = frozenset(items) - {result.item for result in results if result.category[0] in "BC"}
        if done == rounds or kept in tried or not kept:
            return anchors, done, results
        anchors, done = kept, done + 1


def _mantel_haenszel(item: str, pair: TwoGroups, matched: Matched) -> MantelHaenszel:
    counts = matched.both().counts
    K = counts.shape[2]
    chi2, p = mantel_test(counts)
    alpha, se_log = common_odds_ratio(counts) if K == 2 else (NAN, NAN)
    delta, se_delta = (-2.35 * log(alpha), 2.35 * se_log) if 0 < alpha < np.inf else (NAN, NAN)
    smd, se_smd = standardised_mean_difference(counts)
    both, score = counts.sum(axis=(0, 1)), np.arange(K)
    n = both.sum()
    sd = sqrt(max(float(both @ score**2) / n - (float(both @ score) / n) ** 2, 0.0)) if n else NAN
    effect = smd / sd if sd else NAN
    category = ets_category(delta, se_delta, p) if K == 2 else polytomous_category(effect, p)
    return MantelHaenszel(
        item=item,
        reference=pair.reference,
        focal=pair.focal,
        n_reference=float(counts[:, 0].sum()),
        n_focal=float(counts[:, 1].sum()),
        strata=len(counts),
        chi2=chi2,
        p=p,
        p_adjusted=NAN,
        alpha=alpha,
        delta=delta,
        se_delta=se_delta,
        smd=smd,
        se_smd=se_smd,
        effect=effect,
        category=category,
    )


def mantel_test(counts: FloatArray) -> tuple[float, float]:
    """Chi-square (1 df) and p that two groups score alike within strata; `counts` (L, 2, K), scores 0 … K - 1.

    Mantel's (1963) test of the focal group's score sum; for two categories with the continuity correction of 1/2 it is
    Mantel and Haenszel's (1959). NaN where no stratum has variance.
    """
    if not len(counts):
        return NAN, NAN
    score = np.arange(counts.shape[2])
    group, column = counts.sum(axis=2), counts.sum(axis=1)
    n = group.sum(axis=1)
    expected = group[:, 1] * (column @ score) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, _hypergeometric(group, column, score, n), 0.0)
    difference = abs(float(np.sum(counts[:, 1] @ score - expected)))
    if counts.shape[2] == 2:
        difference = max(difference - 0.5, 0.0)
    if variance.sum() <= 0:
        return NAN, NAN
    chi2 = difference**2 / float(variance.sum())
    return chi2, erfc(sqrt(chi2 / 2))


def _hypergeometric(group: FloatArray, column: FloatArray, score: NDArray[np.intp], n: FloatArray) -> FloatArray:
    """Variance of the focal group's score sum in each stratum, all margins fixed."""
    return np.asarray(group[:, 0] * group[:, 1] / (n**2 * (n - 1)) * (n * (column @ score**2) - (column @ score) ** 2))


def common_odds_ratio(counts: FloatArray) -> tuple[float, float]:
    """Mantel and Haenszel's (1959) odds ratio of reference to focal, and the standard error of its logarithm.

    `counts` (L, 2, 2), wrong before right. Variance of Robins, Breslow and Greenland (1986), which is Phillips and
    Holland's (1987). (NaN, NaN) where it is 0 or infinite.
    """
    B, A = counts[:, 0, 0], counts[:, 0, 1]
    D, C = counts[:, 1, 0], counts[:, 1, 1]
    n = A + B + C + D
    R, S = A * D / n, B * C / n
    if not (R.sum() > 0 and S.sum() > 0):
        return NAN, NAN
    P, Q = (A + D) / n, (B + C) / n
    variance = (
        (P @ R) / (2 * R.sum() ** 2) + np.sum(P * S + Q * R) / (2 * R.sum() * S.sum()) + (Q @ S) / (2 * S.sum() ** 2)
    )
    return float(R.sum() / S.sum()), float(np.sqrt(variance))


def standardised_mean_difference(counts: FloatArray) -> tuple[float, float]:
    """Mean score of the focal less the reference group, strata weighted by the focal group (Dorans & Kulick, 1986).

    The standard error holds all margins fixed (Zwick & Thayer, 1996, eq. 8).
    """
    if not len(counts):
        return NAN, NAN
    score = np.arange(counts.shape[2])
    group, column = counts.sum(axis=2), counts.sum(axis=1)
    means = (counts @ score) / group
    weight = group[:, 1] / group[:, 1].sum()
    n = group.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, _hypergeometric(group, column, score, n), 0.0)
    se = np.sqrt(np.sum(weight**2 * (1 / group[:, 0] + 1 / group[:, 1]) ** 2 * variance))
    return float(weight @ (means[:, 1] - means[:, 0])), float(se)


def ets_category(delta: float, se: float, p: float) -> str:
    """The ETS class (Zieky, 1993): A unless |Δ| ≥ 1 and significant; C where |Δ| ≥ 1.5 and significantly above 1."""
    if not np.isfinite(delta + se + p) or abs(delta) < 1 or p >= SIGNIFICANT:
        return "A"
    large = abs(delta) >= 1.5 and (abs(delta) - 1) / se > 1.645  # one-sided 5 %
    return ("C" if large else "B") + ("-" if delta < 0 else "+")


def polytomous_category(effect: float, p: float) -> str:
    """The class of SMD / SD: A up to 0.17 or not significant, B up to 0.25, C beyond (Zwick, Thayer & Mazzeo, 1997)."""
    if not np.isfinite(effect + p) or abs(effect) <= 0.17 or p >= SIGNIFICANT:
        return "A"
    return ("C" if abs(effect) > 0.25 else "B") + ("-" if effect < 0 else "+")


def _logistic(item: str, pair: TwoGroups, matched: Matched) -> LogisticDif:
    counts = np.concatenate([matched.counts[:, 0], matched.counts[:, 1]])  # reference cells, then focal ones
    present = counts.sum(axis=1) > 0
    base = _set_columns(matched)
    focal = np.repeat([0.0, 1.0], len(matched.score))[:, None]
    criterion = _standardised(matched)
    design = np.column_stack([np.concatenate([base, base]), focal, focal * np.tile(criterion, 2)[:, None]])
    counts, design = counts[present], design[present]
    p = base.shape[1]
    plain, uniform, both = (ordinal_regression(counts, design[:, : p + more]) for more in range(3))
    null = ordinal_regression(counts, np.zeros((len(counts), 0))).log_likelihood
    total = _likelihood_ratio(plain, both, 2)
    r2 = [_nagelkerke(fit, null, float(counts.sum())) for fit in (plain, uniform, both)]
    return LogisticDif(
        item=item,
        reference=pair.reference,
        focal=pair.focal,
        n_reference=float(matched.counts[:, 0].sum()),
        n_focal=float(matched.counts[:, 1].sum()),
        uniform=_likelihood_ratio(plain, uniform, 1),
        nonuniform=_likelihood_ratio(uniform, both, 1),
        total=total,
        log_odds=float(uniform.slopes[p]) if uniform.converged else NAN,
        se_log_odds=float(uniform.se[p]) if uniform.converged else NAN,
        r2_change=(r2[1] - r2[0], r2[2] - r2[0]),
        p_adjusted=NAN,
        category=jodoin_gierl_category(r2[2] - r2[0], total[2], float(uniform.slopes[p])),
    )


def _set_columns(matched: Matched) -> FloatArray:
    """The matching score of each set by itself, and an intercept of every set but the first."""
    sets = np.unique(matched.alike)
    mine = matched.alike[:, None] == sets
    return np.column_stack([mine * _standardised(matched)[:, None], mine[:, 1:].astype(float)])


def _standardised(matched: Matched) -> FloatArray:
    """The matching score with mean 0 and SD 1 in each set."""
    weight = matched.counts.sum(axis=(1, 2))
    out = np.empty(len(matched.score))
    for number in np.unique(matched.alike):
        mine = matched.alike == number
        score, w = matched.score[mine], weight[mine] / weight[mine].sum()
        mean = w @ score
        out[mine] = (score - mean) / max(sqrt(float(w @ (score - mean) ** 2)), 1e-12)
    return out


def _likelihood_ratio(small: OrdinalFit, large: OrdinalFit, df: int) -> tuple[float, int, float]:
    if not (small.converged and large.converged):
        return NAN, df, NAN
    chi2 = max(2 * (large.log_likelihood - small.log_likelihood), 0.0)
    p = erfc(sqrt(chi2 / 2)) if df == 1 else float(np.exp(-chi2 / 2))
    return chi2, df, p


def _nagelkerke(fit: OrdinalFit, null: float, n: float) -> float:
    """Nagelkerke's (1991) R², (1 - exp(2 (l_0 - l) / n)) / (1 - exp(2 l_0 / n))."""
    if not fit.converged or null >= 0:
        return NAN
    return float(-np.expm1(2 * (null - fit.log_likelihood) / n) / -np.expm1(2 * null / n))


def jodoin_gierl_category(r2_change: float, p: float, log_odds: float) -> str:
    """The class of a change of R² (Jodoin & Gierl, 2001): A below 0.035 or not significant, B below 0.070, C beyond."""
    if not np.isfinite(r2_change + p) or r2_change < 0.035 or p >= SIGNIFICANT:
        return "A"
    return ("C" if r2_change > 0.070 else "B") + ("-" if log_odds < 0 else "+")
