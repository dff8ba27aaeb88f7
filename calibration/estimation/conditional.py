"""Conditional maximum likelihood of the Rasch and the partial credit model: item parameters without a population.

Given a person's total score the ability drops out of the likelihood (Andersen, 1972), so nothing is assumed about who
sat the test. What remains are the elementary symmetric functions γ_r of the items of each set of persons with the same
items. They are taken as the distribution of the total score at some ability: its terms are positive and at most 1, so
that neither the sums nor their first and second derivatives lose digits or overflow, however long the test. Where one
ability cannot serve all totals, the totals are split into bands with an ability each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.models.parameters import ItemParameters
from calibration.responses import NOT_REACHED, Responses, ResponsesError
from calibration.subsets import alike_persons, some_items

FloatArray = NDArray[np.float64]

LEAST_PROBABILITY = 1e-200  # of an observed total at the ability of its band, before the band is split
MAX_ITERATIONS = 100
FARTHEST = 40.0  # logits: thresholds beyond are on their way to infinity


@dataclass(frozen=True, slots=True)
class ConditionalFit:
    """Thresholds by conditional maximum likelihood.

    `items` carry their thresholds, standard errors and covariance blocks; `covariance` (M, M) is of all thresholds,
    item by item, and singular because the scale has no origin of its own (`normalisation`: the mean difficulty, or the
    first item's, is 0). `n_persons` counts those who say something: not the totals 0 and full. `excluded` names items
    left out, with the reason.
    """

    items: tuple[ItemParameters, ...]
    covariance: FloatArray
    log_likelihood: float
    converged: bool
    iterations: int
    max_gradient: float
    n_persons: float
    normalisation: str
    excluded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Persons with the same items and totals in one band: how many have each total, and each category of each item."""

    items: NDArray[np.intp]
    totals: FloatArray  # (R + 1,)
    ability: float  # where the totals are likely, so that nothing underflows


@dataclass(frozen=True, slots=True)
class _Layout:
    """Thresholds of J items with K categories each, stacked; `start` (J + 1,)."""

    steps: NDArray[np.intp]  # (J,), K - 1
    start: NDArray[np.intp]
    counts: FloatArray  # (M,), persons in category h ≥ 1 of each item
    sheets: tuple[_Sheet, ...]


def conditional_fit(responses: Responses, *, normalisation: str = "mean", tolerance: float = 1e-9) -> ConditionalFit:
    """The Rasch model (items scored 0/1) or the partial credit model, by Newton's method on the conditional likelihood.

    `normalisation` is `mean` (item difficulties average 0) or `first` (the first item's difficulty is 0). Persons may
    have different items; persons of weight w count w times. Standard errors are from the observed information. Items
    everybody has the same score on are left out. Raises ResponsesError where a category was never used, or where the
    data cannot order the items on one scale: some items were always done at least as well as the others by everybody
    who had both (Fischer, 1981), or no person joins two parts of the design.
    """
    if normalisation not in {"mean", "first"}:
        raise ResponsesError(f"normalisation {normalisation!r}; choose mean or first")
    excluded = without_variance(responses)
    kept = [item for item in responses.items if item not in excluded]
    if len(kept) < 2:
        raise ResponsesError(
            "fewer than two items have different scores: conditional likelihood has nothing to compare"
        )
    data = some_items(responses, kept)
    layout, n_persons = _layout(data)
    _check_connected(data)
    b, value, gradient, information, iterations, converged = _newton(layout, tolerance)
    origin = _origin(layout, normalisation)
    move = np.eye(len(b)) - np.outer(np.ones(len(b)), origin)
    covariance = move @ _inverse_without_origin(information) @ move.T
    n = data.item_counts()
    return ConditionalFit(
        items=_parameters(kept, layout, move @ b, covariance if converged else None, n),
        covariance=covariance,
        log_likelihood=value,
        converged=converged,
        iterations=iterations,
        max_gradient=float(np.abs(gradient).max()),
        n_persons=n_persons,
        normalisation=normalisation,
        excluded=excluded,
    )


def without_variance(responses: Responses) -> dict[str, str]:
    """Items on which everybody has the same score, with the reason to leave them out."""
    used = (responses.status != NOT_REACHED) & (responses.weight > 0)[responses.person]
    low, high = np.full(len(responses.items), np.iinfo(np.int16).max), np.full(len(responses.items), -1)
    np.minimum.at(low, responses.item[used], responses.score[used])
    np.maximum.at(high, responses.item[used], responses.score[used])
    return {item: "no-variance" for item, a, b in zip(responses.items, low, high, strict=True) if a >= b}


def category_counts(responses: Responses) -> list[FloatArray]:
    """The weighted number of persons with each score of each item, up to the highest score seen."""
    used = responses.status != NOT_REACHED
    K = int(responses.score.max(initial=0)) + 1
    code = responses.item[used].astype(np.int64) * K + responses.score[used]
    counts = np.bincount(code, responses.weight[responses.person[used]], len(responses.items) * K).astype(float)
    return [row[: int(np.flatnonzero(row).max(initial=0)) + 1] for row in counts.reshape(-1, K)]


def _layout(responses: Responses) -> tuple[_Layout, float]:
    counts = category_counts(responses)
    for item, persons in zip(responses.items, counts, strict=True):
        empty = np.flatnonzero(persons == 0)
        if empty.size:
            raise ResponsesError(
                f"item {item}: nobody has score {empty[0]}, so its threshold is not finite; merge the category with "
                "its neighbour, or leave the item out"
            )
    steps = np.array([len(persons) - 1 for persons in counts], np.intp)
    start = np.concatenate([[0], np.cumsum(steps)]).astype(np.intp)
    sheets, informative, used = [], 0.0, np.zeros(start[-1])
    for alike in alike_persons(responses):
        full = int(steps[alike.items].sum())
        total = alike.scores.sum(axis=1, dtype=np.int64)
        says = (total > 0) & (total < full) & (alike.weight > 0)
        if not says.any():
            continue
        weight = alike.weight[says]
        informative += float(weight.sum())
        sheets.append(_Sheet(alike.items, np.bincount(total[says], weight, full + 1).astype(float), 0.0))
        for column, j in enumerate(alike.items):
            chosen = np.bincount(alike.scores[says, column], weight, steps[j] + 1)
            used[start[j] : start[j + 1]] += chosen[1:]
    if not sheets:
        raise ResponsesError("everybody has either nothing or everything right: conditional likelihood is silent")
    return _Layout(steps, start, used, tuple(sheets)), informative


def _check_connected(responses: Responses) -> None:
    """Items are connected from i to j where somebody scored above the least on i and below the most on j."""
    from scipy.sparse import csr_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    J = len(responses.items)
    arcs = np.zeros((J, J), bool)
    top = np.array([len(counts) - 1 for counts in category_counts(responses)])
    for alike in alike_persons(responses):
        heavy = alike.weight > 0
        some, not_all = (alike.scores > 0)[heavy], (alike.scores < top[alike.items])[heavy]
        arcs[np.ix_(alike.items, alike.items)] |= some.T.astype(np.float32) @ not_all.astype(np.float32) > 0
    n, part = connected_components(csr_array(arcs), directed=True, connection="strong")
    if n > 1:
        smallest = np.flatnonzero(part == np.bincount(part).argmin())
        names = ", ".join(responses.items[j] for j in smallest[:5]) + (", …" if len(smallest) > 5 else "")
        raise ResponsesError(
            f"items {names}: the responses do not put them on one scale with the others (nobody took both, or whoever "
            "did, did always better on the one side); collect more responses, or leave them out"
        )


def _newton(layout: _Layout, tolerance: float) -> tuple[FloatArray, float, FloatArray, FloatArray, int, bool]:
    """Maximise over the stacked thresholds b; log ε of category h is -(b_1 + … + b_h)."""
    M = int(layout.start[-1])
    within = np.zeros((M, M))  # d (b_1 + … + b_h) / d b
    for first, last in zip(layout.start[:-1], layout.start[1:], strict=True):
        within[first:last, first:last] = np.tri(last - first)
    b: FloatArray = np.zeros(M)
    step: FloatArray = np.zeros(M)
    iterations = 0
    value, gradient, information = _at(layout, within, b)
    for iterations in range(MAX_ITERATIONS + 1):
        step = np.asarray(np.linalg.solve(information + _ridge(information), gradient), float)
        if np.abs(step).max() < tolerance or np.abs(b).max() > FARTHEST or iterations == MAX_ITERATIONS:
            break
        step *= min(1.0, 2.0 / np.abs(step).max())
        trial = _at(layout, within, b + step)
        while trial[0] < value - 1e-9 * abs(value):
            step /= 2
            trial = _at(layout, within, b + step)
        b = np.asarray(b + step)
        value, gradient, information = trial
    return b, value, gradient, information, iterations, bool(np.abs(step).max() < tolerance)


def _at(layout: _Layout, within: FloatArray, b: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, gradient and observed information at thresholds b."""
    log_epsilon = -(within @ b)
    sheets = tuple(_banded(layout, log_epsilon))
    value, expected, covariance = _symmetric_functions(layout, sheets, log_epsilon)
    return value, within.T @ (expected - layout.counts), within.T @ covariance @ within


def _ridge(information: FloatArray) -> FloatArray:
    """Fills the one direction without information, that of the origin."""
    return np.full(information.shape, np.trace(information) / information.shape[0] ** 2)


def _inverse_without_origin(information: FloatArray) -> FloatArray:
    """Generalised inverse whose null space is the shift of all thresholds."""
    M = len(information)
    try:
        inverse = np.linalg.inv(information + _ridge(information))
    except np.linalg.LinAlgError:
        return np.full((M, M), np.nan)
    centre = np.eye(M) - 1 / M
    return np.asarray(centre @ inverse @ centre)


def _origin(layout: _Layout, normalisation: str) -> FloatArray:
    """Weights (M,) of the thresholds whose weighted sum is 0 after the move."""
    by_item = np.repeat(1 / layout.steps, layout.steps)
    if normalisation == "first":
        by_item[layout.start[1] :] = 0.0
        return by_item
    return by_item / len(layout.steps)


def _banded(layout: _Layout, log_epsilon: FloatArray) -> Iterator[_Sheet]:
    """The sheets with totals split until each observed total is likely enough at its band's ability."""
    for sheet in layout.sheets:
        terms = _terms(layout, sheet.items, log_epsilon)
        waiting = [np.flatnonzero(sheet.totals)]
        while waiting:
            totals = waiting.pop()
            ability = _ability_of(terms, totals)
            if ability is None:
                waiting += [totals[: len(totals) // 2], totals[len(totals) // 2 :]]
                continue
            kept = np.zeros_like(sheet.totals)
            kept[totals] = sheet.totals[totals]
            yield _Sheet(sheet.items, kept, ability)


def _terms(layout: _Layout, items: NDArray[np.intp], log_epsilon: FloatArray) -> FloatArray:
    """Log ε of all categories of some items, (j, K), with -inf for categories an item does not have."""
    steps = layout.steps[items]
    terms = np.full((len(items), int(steps.max()) + 1), -np.inf)
    terms[:, 0] = 0.0
    row = np.repeat(np.arange(len(items)), steps)
    column = np.arange(len(row)) - np.repeat(np.cumsum(steps) - steps, steps)
    terms[row, column + 1] = log_epsilon[np.repeat(layout.start[items], steps) + column]
    return terms


def _probabilities(terms: FloatArray, ability: float) -> tuple[list[FloatArray], float]:
    """P of each item's categories, which is ε up to a factor that drops out; and the log of all items' sums."""
    z = terms + ability * np.arange(terms.shape[1])
    top = z.max(axis=1, keepdims=True)
    p = np.exp(z - top)
    sums = p.sum(axis=1, keepdims=True)
    sizes = np.isfinite(terms).sum(axis=1)
    rows = [row[:size] for row, size in zip(p / sums, sizes, strict=True)]
    return rows, float(np.sum(top) + np.log(sums).sum())


def _ability_of(terms: FloatArray, totals: NDArray[np.intp]) -> float | None:
    """An ability at which all of `totals` are likely enough; None where there is none (one total always has it)."""
    full = int(np.isfinite(terms[:, 1:]).sum())
    middle = (totals[0] + totals[-1]) / 2
    share = middle / full
    guess = float(np.log(share / (1 - share)) - terms[:, 1].mean())
    if _forward(_probabilities(terms, guess)[0])[-1][totals].min() >= LEAST_PROBABILITY:
        return guess
    low, high = -200.0, 200.0
    for _ in range(60):
        guess = (low + high) / 2
        expected = sum(float(row @ np.arange(len(row))) for row in _probabilities(terms, guess)[0])
        low, high = (guess, high) if expected < middle else (low, guess)
    if len(totals) > 1 and _forward(_probabilities(terms, guess)[0])[-1][totals].min() < LEAST_PROBABILITY:
        return None
    return guess


def _forward(rows: Sequence[FloatArray]) -> list[FloatArray]:
    """Distributions of the total over the first 0, 1, …, j items."""
    out = [np.ones(1)]
    for row in rows:
        out.append(np.convolve(out[-1], row))
    return out


def _symmetric_functions(
    layout: _Layout, sheets: Sequence[_Sheet], log_epsilon: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Conditional log-likelihood, and Σ over persons of E and Cov of the category indicators given their totals."""
    value = float(layout.counts @ log_epsilon)
    M = len(log_epsilon)
    expected, covariance = np.zeros(M), np.zeros((M, M))
    for sheet in sheets:
        rows, log_sums = _probabilities(_terms(layout, sheet.items, log_epsilon), sheet.ability)
        total = np.flatnonzero(sheet.totals)
        forward = _forward(rows)
        # log γ_r = log P(R = r | θ) - θ r + Σ log of the items' normalising sums
        log_gamma = np.log(forward[-1][total]) - sheet.ability * total + log_sums
        value -= float(sheet.totals[total] @ log_gamma)
        index = np.concatenate([np.arange(layout.start[j], layout.start[j + 1]) for j in sheet.items])
        mean, of_sheet = _moments(rows, forward, sheet.totals)
        expected[index] += mean
        covariance[np.ix_(index, index)] += of_sheet
    return value, expected, covariance


def _moments(p: list[FloatArray], forward: list[FloatArray], totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Σ_r n_r E(x | r) and Σ_r n_r Cov(x | r) of the indicators x of categories h ≥ 1, stacked."""
    R = len(totals)
    seen = np.flatnonzero(totals)
    distribution = forward[-1]
    M = sum(len(row) - 1 for row in p)
    # Given each total by itself: P(category h of item j | r), (M, seen totals).
    given = np.empty((M, len(seen)))
    backward = np.zeros((R, len(seen)))  # P(items from j on add what is missing to the total | total before j)
    backward[seen, np.arange(len(seen))] = 1.0
    common = totals[seen] / distribution[seen]
    first = M
    later: list[FloatArray] = []  # the backward functional of all totals together, after each item
    for j in range(len(p) - 1, -1, -1):
        row, before = p[j], forward[j]
        later.append(backward @ common)
        first -= len(row) - 1
        pulled = np.zeros_like(backward)
        for h, probability in enumerate(row):
            pulled[: R - h] += probability * backward[h:]
            if h:
                given[first + h - 1] = probability * (before @ backward[h : h + len(before)])
        backward = pulled
    later.reverse()
    given /= distribution[seen]
    mean = given @ totals[seen]
    joint = np.zeros((M, M))
    forced = np.zeros((M, R))  # distribution of the total so far with one category of an earlier item forced
    first = 0
    for j, row in enumerate(p):
        last = first + len(row) - 1
        for h in range(1, len(row)):
            column = row[h] * (forced[:first, : R - h] @ later[j][h:])
            joint[:first, first + h - 1] = column
        moved = np.zeros_like(forced[:first])
        for h, probability in enumerate(row):
            moved[:, h:] += probability * forced[:first, : R - h]
        forced[:first] = moved
        for h in range(1, len(row)):
            forced[first + h - 1, h : h + len(forward[j])] = row[h] * forward[j]
        first = last
    joint += joint.T
    joint[np.diag_indices(M)] = mean
    return mean, joint - (given * totals[seen]) @ given.T


def _parameters(
    names: Sequence[str], layout: _Layout, b: FloatArray, covariance: FloatArray | None, n: FloatArray
) -> tuple[ItemParameters, ...]:
    items = []
    for j, name in enumerate(names):
        mine = slice(layout.start[j], layout.start[j + 1])
        K = int(layout.steps[j])
        labels = ("b",) if K == 1 else tuple(f"b{h + 1}" for h in range(K))
        block = np.zeros((K + 1, K + 1))  # a is 1 and certain
        se: dict[str, float] = {}
        if covariance is not None and np.isfinite(covariance).all():
            block[1:, 1:] = covariance[mine, mine]
            se = dict(zip(labels, np.sqrt(np.diag(covariance)[mine]).tolist(), strict=True))
        items.append(
            ItemParameters(
                name,
                "Rasch" if K == 1 else "PCM",
                b=tuple(b[mine].tolist()),
                se=se,
                covariance=tuple(map(tuple, block.tolist())) if se else (),
                n=float(n[j]),
            )
        )
    return tuple(items)
