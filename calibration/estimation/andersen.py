"""Andersen's test: do groups of persons agree on the difficulties of the items, as a Rasch model says they must?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from calibration.estimation.conditional import ConditionalFit, category_counts, conditional_fit, without_variance
from calibration.responses import NOT_REACHED, Responses, ResponsesError
from calibration.subsets import some_items, some_persons


@dataclass(frozen=True, slots=True)
class AndersenTest:
    """Do groups of persons agree on the items? Likelihood ratio over all items, Wald per threshold between two groups.

    `fits` holds the conditional fit of each group over the items that vary in all of them; `wald` maps the threshold
    (item, or item and step) to (difference of group 2 and 1, z, p) and is empty for more than two groups.
    """

    statistic: float
    df: int
    p: float
    fits: Mapping[str, ConditionalFit]
    wald: Mapping[str, tuple[float, float, float]]
    excluded: Mapping[str, str]


def andersen_test(responses: Responses, split: Sequence[str] | None = None) -> AndersenTest:
    """Andersen's (1973) likelihood-ratio test of the Rasch or partial credit model, with Wald tests per item.

    `split` (N,) names each person's group; without it persons are split by the share of their highest possible total
    into halves as equal as can be, among those with neither nothing nor all of it. Raises ResponsesError for fewer than
    two groups and where a group alone cannot be fitted.
    """
    from scipy.special import chdtrc  # noqa: PLC0415  (scipy is not loaded with the package)

    labels = np.asarray(split if split is not None else _score_split(responses))
    names = sorted({str(name) for name in labels.tolist()}, reverse=split is None)  # low before high
    if len(names) < 2:
        raise ResponsesError("Andersen's test compares two or more groups of persons")
    parts = {name: some_persons(responses, labels == name) for name in names}
    excluded: dict[str, str] = {}
    for name, part in parts.items():
        for item, reason in (_without_category(part, responses) | without_variance(part)).items():
            excluded.setdefault(item, f"{reason} in group {name}")
    kept = [item for item in responses.items if item not in excluded]
    fits = {name: conditional_fit(some_items(part, kept)) for name, part in parts.items()}
    whole = conditional_fit(some_items(responses, kept))
    statistic = 2 * (sum(fit.log_likelihood for fit in fits.values()) - whole.log_likelihood)
    df = (len(names) - 1) * (len(whole.covariance) - 1)
    return AndersenTest(
        statistic=float(statistic),
        df=df,
        p=float(chdtrc(df, max(statistic, 0.0))),
        fits=fits,
        wald=_wald(*fits.values()) if len(fits) == 2 else {},
        excluded=excluded,
    )


def _wald(one: ConditionalFit, other: ConditionalFit) -> dict[str, tuple[float, float, float]]:
    difference = np.concatenate([item.b for item in other.items]) - np.concatenate([item.b for item in one.items])
    se = np.sqrt(np.diag(one.covariance) + np.diag(other.covariance))
    names = [
        item.id if len(item.b) == 1 else f"{item.id}:{step + 1}" for item in one.items for step in range(len(item.b))
    ]
    z = difference / se
    return {
        name: (float(d), float(value), erfc(abs(value) / sqrt(2)))
        for name, d, value in zip(names, difference, z, strict=True)
    }


def _score_split(responses: Responses) -> list[str]:
    used = responses.status != NOT_REACHED
    top = np.zeros(len(responses.items))
    np.maximum.at(top, responses.item[used], responses.score[used])
    N = len(responses.persons)
    score = np.bincount(responses.person[used], responses.score[used], N)
    full = np.bincount(responses.person[used], top[responses.item[used]], N)
    share = np.divide(score, full, out=np.zeros(N), where=full > 0)
    weight = np.where((share > 0) & (share < 1), responses.weight, 0.0)  # those who say something
    levels, of_person = np.unique(share, return_inverse=True)
    below = np.cumsum(np.bincount(of_person, weight, len(levels)))
    candidates = np.flatnonzero((below > 0) & (below < weight.sum()))
    if not candidates.size:
        raise ResponsesError("all totals that say something are the same: there is no split by score")
    cut = levels[candidates[np.abs(below[candidates] - weight.sum() / 2).argmin()]]
    return ["low" if value <= cut else "high" for value in share]


def _without_category(part: Responses, whole: Responses) -> dict[str, str]:
    """Items that lack, in a part of the persons, a category they have among all."""
    return {
        item: "category-unused"
        for item, mine, all_ in zip(part.items, category_counts(part), category_counts(whole), strict=True)
        if np.any((all_ > 0) & (np.pad(mine, (0, len(all_) - len(mine))) == 0))
    }
