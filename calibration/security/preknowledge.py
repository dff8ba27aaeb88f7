"""Who knew the items? The score on suspect items against what the secure ones promise.

Three looks at the same question, from the most to the least assuming: the likelihood ratio of two abilities (Sinharay,
2017), the predictive distribution of the suspect score (Wang, Liu & Hambleton, 2017), and a regression of the suspect
on the secure score that needs no item parameters. All p-values are one-sided: only doing better on the suspect part
counts. A small p is a reason to look at a candidate's papers and times, never a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from calibration.false_discovery import adjusted_p_values
from calibration.models.curves import Curves
from calibration.models.parameters import ItemParameters, Scale
from calibration.recoding import in_categories_of
from calibration.responses import Responses, ResponsesError
from calibration.scoring.sum_scores import add_item
from calibration.security.abilities import abilities, parted, person_likelihoods
from calibration.subsets import alike_persons, some_items

FloatArray = NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.05
FINE_NODES = 481  # spacing 1/40 of the population SD: a parabola through three of them is exact to 1e-6
LEAST_PERSONS = 20  # with the same items, for a regression


@dataclass(frozen=True, slots=True)
class Preknowledge:
    """One person: observed and expected score on the suspect items, z, one-sided p, and whether it stands out.

    `p_adjusted` is Benjamini and Hochberg's over all persons examined; `flagged` where it is below the rate asked for.
    `z` is the signed root likelihood ratio L_s, the standardised surplus, or the studentised residual.
    """

    person: str
    suspect_items: int
    observed: float
    expected: float
    z: float
    p: float
    p_adjusted: float
    flagged: bool


def likelihood_ratio_check(
    responses: Responses,
    suspect: Sequence[str],
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    rate: float = FALSE_DISCOVERY_RATE,
) -> tuple[Preknowledge, ...]:
    """Sinharay's (2017) L_s: is the ability on the suspect items higher than on the secure ones?

    L_s = ± sqrt(2 (l_suspect + l_secure - l_all)), each log-likelihood at its own maximum within 6 population SDs,
    negative where the ability on the suspect items is the lower; N(0, 1) for many items. Only persons with both kinds.
    """
    secure, suspects = parted(items, suspect)
    responses = in_categories_of(items, responses)
    scale = scale or Scale()
    nodes = scale.mean + scale.sd * np.linspace(-6, 6, FINE_NODES)
    on_secure, has_secure = person_likelihoods(responses, secure, nodes, scale)
    on_suspect, has_suspect = person_likelihoods(responses, suspects, nodes, scale)
    both = np.flatnonzero(has_secure & has_suspect)
    (l_s, at_s), (l_c, at_c), (l_all, _) = (
        _maximum(values[both], nodes) for values in (on_secure, on_suspect, on_secure + on_suspect)
    )
    z = np.sqrt(np.maximum(2 * (l_c + l_s - l_all), 0.0)) * np.where(at_c >= at_s, 1.0, -1.0)
    expected_at = np.stack([np.interp(at_s, nodes, row) for row in _expected_scores(suspects, nodes, scale)])
    observed, expected, n = _suspect_scores(responses, suspects, both, expected_at)
    return _results(responses, both, n, observed, expected, z, _upper_tails(z), rate)


def predictive_check(
    responses: Responses,
    suspect: Sequence[str],
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    rate: float = FALSE_DISCOVERY_RATE,
) -> tuple[Preknowledge, ...]:
    """P(suspect score ≥ observed | secure responses), exact by Lord and Wingersky's recursion over the posterior.

    Wang, Liu and Hambleton's (2017) predictive check without simulation: the posterior of each person's theta comes
    from the secure items alone, over a normal population fitted to them. Only persons with both kinds of items.
    """
    secure, suspects = parted(items, suspect)
    responses = in_categories_of(items, responses)
    known = abilities(responses, secure, scale)
    curves = Curves.of(suspects, scale)
    P = curves.probability(known.nodes)
    rows = {item.id: P[curves.start[j] : curves.start[j + 1]] for j, item in enumerate(suspects)}
    persons, observed, expected, z, p, n = [], [], [], [], [], []
    part = some_items(responses, [item.id for item in suspects if item.id in responses.items])
    for alike in alike_persons(part):
        mine = known.known[alike.persons]
        if not mine.any():
            continue
        distribution = reduce(add_item, [rows[part.items[j]] for j in alike.items])
        given = known.posterior[alike.persons[mine]] @ distribution.T
        score = alike.scores[mine].sum(axis=1)
        values = np.arange(given.shape[1])
        mean = given @ values
        sd = np.sqrt(np.maximum(given @ values**2 - mean**2, 1e-300))
        tail = given[:, ::-1].cumsum(axis=1)[:, ::-1]
        persons.append(alike.persons[mine])
        observed.append(score.astype(float))
        expected.append(mean)
        z.append((score - mean) / sd)
        p.append(np.minimum(tail[np.arange(len(score)), score], 1.0))
        n.append(np.full(len(score), len(alike.items)))
    return _sorted_results(responses, persons, n, observed, expected, z, p, rate)


def regression_check(
    responses: Responses, suspect: Sequence[str], *, rate: float = FALSE_DISCOVERY_RATE
) -> tuple[Preknowledge, ...]:
    """The suspect score regressed on the secure score, without item parameters.

    Within each set of at least 20 persons with the same items; z is the externally studentised residual, p its t-tail.
    The regression itself is bent by those who knew the items, so where many did, few stand out. Raises ResponsesError
    where no set is large enough.
    """
    from scipy.special import stdtr  # noqa: PLC0415  (scipy is not loaded with the package)

    wanted = set(suspect)
    unknown = sorted(wanted - set(responses.items))
    if unknown:
        raise ResponsesError(f"suspect item {unknown[0]!r} is not in the responses")
    is_suspect = np.array([name in wanted for name in responses.items])
    persons, observed, expected, z, p, n = [], [], [], [], [], []
    for alike in alike_persons(responses):
        mine = is_suspect[alike.items]
        size = len(alike.persons)
        if size < LEAST_PERSONS or not mine.any() or mine.all():
            continue
        y = alike.scores[:, mine].sum(axis=1).astype(float)
        X = np.column_stack([np.ones(size), alike.scores[:, ~mine].sum(axis=1)])
        if np.ptp(X[:, 1]) == 0:
            continue
        inverse = np.linalg.inv(X.T @ X)
        fitted = X @ (inverse @ (X.T @ y))
        leverage = np.einsum("ij,jk,ik->i", X, inverse, X)
        residual = y - fitted
        left_out = np.maximum(residual @ residual - residual**2 / (1 - leverage), 1e-12) / (size - 3)
        t = residual / np.sqrt(left_out * (1 - leverage))
        persons.append(alike.persons)
        observed.append(y)
        expected.append(fitted)
        z.append(t)
        p.append(stdtr(size - 3, -t))
        n.append(np.full(size, int(mine.sum())))
    if not persons:
        raise ResponsesError(
            f"no {LEAST_PERSONS} persons have the same secure and suspect items: use a check with item parameters"
        )
    return _sorted_results(responses, persons, n, observed, expected, z, p, rate)


def _maximum(values: FloatArray, nodes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Highest value of each row and where it is, by a parabola through the best node and its neighbours."""
    at = np.clip(values.argmax(axis=1), 1, len(nodes) - 2)
    row = np.arange(len(values))
    low, middle, high = values[row, at - 1], values[row, at], values[row, at + 1]
    curvature = low - 2 * middle + high
    shift = np.where(curvature < 0, (low - high) / (2 * np.where(curvature < 0, curvature, 1.0)), 0.0)
    shift = np.clip(shift, -1, 1)
    best = middle - 0.25 * (low - high) * shift
    edge = values.max(axis=1)
    return np.where(curvature < 0, np.maximum(best, edge), edge), nodes[at] + shift * (nodes[1] - nodes[0])


def _expected_scores(items: Sequence[ItemParameters], nodes: FloatArray, scale: Scale | None) -> FloatArray:
    curves = Curves.of(items, scale)
    category = np.arange(len(curves.marks)) - np.repeat(curves.start[:-1], curves.categories)
    return curves.sum_items(category[:, None] * curves.probability(nodes))


def _suspect_scores(
    responses: Responses, suspects: Sequence[ItemParameters], persons: NDArray[np.intp], expected_at: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Observed and expected score of each person over the suspect items they had, and how many these are."""
    number = {item.id: j for j, item in enumerate(suspects)}
    at = np.full(len(responses.persons), -1)
    at[persons] = np.arange(len(persons))
    part = some_items(responses, [item.id for item in suspects if item.id in responses.items])
    observed, expected, n = np.zeros(len(persons)), np.zeros(len(persons)), np.zeros(len(persons), np.intp)
    for alike in alike_persons(part):
        here = at[alike.persons]
        mine = here >= 0
        which = np.array([number[part.items[j]] for j in alike.items], np.intp)
        observed[here[mine]] = alike.scores[mine].sum(axis=1)
        expected[here[mine]] = expected_at[np.ix_(which, here[mine])].sum(axis=0)
        n[here[mine]] = len(which)
    return observed, expected, n


def _upper_tails(z: FloatArray) -> FloatArray:
    return np.array([0.5 * erfc(value / sqrt(2)) for value in z])


def _sorted_results(
    responses: Responses,
    persons: list[NDArray[np.intp]],
    n: list[NDArray[np.intp]],
    observed: list[FloatArray],
    expected: list[FloatArray],
    z: list[FloatArray],
    p: list[FloatArray],
    rate: float,
) -> tuple[Preknowledge, ...]:
    if not persons:
        return ()
    who = np.concatenate(persons)
    order = np.argsort(who)
    score, promise, surplus, tail = (np.concatenate(values)[order] for values in (observed, expected, z, p))
    return _results(responses, who[order], np.concatenate(n)[order], score, promise, surplus, tail, rate)


def _results(
    responses: Responses,
    persons: NDArray[np.intp],
    n: NDArray[np.intp],
    observed: FloatArray,
    expected: FloatArray,
    z: FloatArray,
    p: FloatArray,
    rate: float,
) -> tuple[Preknowledge, ...]:
    adjusted = adjusted_p_values(p)
    return tuple(
        Preknowledge(
            person=responses.persons[i],
            suspect_items=int(n[row]),
            observed=float(observed[row]),
            expected=float(expected[row]),
            z=float(z[row]),
            p=float(p[row]),
            p_adjusted=float(adjusted[row]),
            flagged=bool(adjusted[row] <= rate),
        )
        for row, i in enumerate(persons)
    )
