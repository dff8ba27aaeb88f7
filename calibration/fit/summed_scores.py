"""S-X²: observed and expected responses to an item at each summed score (Orlando & Thissen, 2000; 2003).

For polytomous items as Kang & Chen (2008) generalised it. Persons are compared only within sets who had exactly the
same items, because summed scores of different items mean different things; sets are pooled by adding their χ². Sets
that were selected by ability, or that hold items given by ability, are left out: what a summed score says of an item is
then another thing than in the population.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted, same_item_sets
from calibration.fit.selection import Selection, selection
from calibration.scoring.sum_scores import add_item

Matrix = NDArray[np.float64]

LEAST_SET = 100  # weighted persons in a set worth comparing: below, collapsing leaves hardly a cell
LEAST_EXPECTED = 1.0  # persons in a cell


@dataclass(frozen=True, slots=True)
class SummedScoreFit:
    """χ² of each item (J,), its degrees of freedom before the item's parameters are taken off, persons and sets."""

    statistic: Matrix
    cells: Matrix
    n: Matrix
    sets: NDArray[np.intp]


def summed_score_fit(data: Fitted, *, least_set: float = LEAST_SET, chosen: Selection | None = None) -> SummedScoreFit:
    """S-X² of every item, pooled over the sets of at least `least_set` persons of one group with the same items."""
    by_ability = chosen or selection(data)
    J = len(data.items)
    out = SummedScoreFit(np.zeros(J), np.zeros(J), np.zeros(J), np.zeros(J, np.intp))
    P = data.curves.probability(data.nodes)
    for items, group, codes, weight in _sets(data, least_set, by_ability):
        curves = [P[data.curves.start[j] : data.curves.start[j + 1]] for j in items]
        prior = data.weights[group]
        total = codes.sum(axis=1, dtype=np.intp)
        for column, (j, rest) in enumerate(zip(items, rest_score_distributions(curves), strict=True)):
            own = curves[column]
            joint = np.zeros((len(rest) + len(own) - 1, len(own)))
            for k, probability in enumerate(own):
                joint[k : k + len(rest), k] = rest @ (probability * prior)
            observed = np.zeros_like(joint)
            np.add.at(observed, (total, codes[:, column]), weight)
            share = np.divide(joint, joint.sum(axis=1, keepdims=True), out=np.zeros_like(joint), where=joint > 0)
            seen, E = collapsed(observed[1:-1], share[1:-1] * observed[1:-1].sum(axis=1, keepdims=True))
            if len(E) < 2:
                continue
            cell = E > 0
            out.statistic[j] += float(((seen[cell] - E[cell]) ** 2 / E[cell]).sum())
            out.cells[j] += int(cell.sum()) - len(E)
            out.n[j] += float(weight.sum())
            out.sets[j] += 1
    return out


_Set = tuple[NDArray[np.intp], int, NDArray[np.uint8], Matrix]


def _sets(data: Fitted, least_set: float, by_ability: Selection) -> Iterator[_Set]:
    """Items, group, codes (n, j) and weights of persons of one group who had the same items, at least two of them."""
    for same in same_item_sets(data.layout):
        if by_ability.routed[same.items].any():
            continue
        for g in np.unique(same.group):
            own = same.group == g
            weight = same.weight[own]
            if weight.sum() >= least_set and not by_ability.selected(same.persons[own], weight):
                yield same.items, int(g), same.codes[own], weight


def rest_score_distributions(curves: Sequence[Matrix]) -> list[Matrix]:
    """For each item, P(summed score of all the others | node), (S + 1, Q), from P of categories (K, Q) each.

    The recursion of Lord & Wingersky (1984), for polytomous items Thissen et al. (1995), along a binary tree, so that
    J items take J log J steps and not J².
    """
    return list(_without_one(curves, np.ones((1, curves[0].shape[1]))))


def _without_one(curves: Sequence[Matrix], outside: Matrix) -> Iterator[Matrix]:
    if len(curves) == 1:
        yield outside
        return
    half = len(curves) // 2
    left, right = outside, outside
    for curve in curves[half:]:
        left = add_item(left, curve)
    for curve in curves[:half]:
        right = add_item(right, curve)
    yield from _without_one(curves[:half], left)
    yield from _without_one(curves[half:], right)


def collapsed(observed: Matrix, expected: Matrix, least: float = LEAST_EXPECTED) -> tuple[Matrix, Matrix]:
    """Both tables (scores, categories) with cells joined until every expected one is 0 or at least `least`.

    The order is that of R mirt, so that its numbers come out: scores at which a category is impossible join the next
    one where all are possible; scores nobody has go, scores one person has join the next; within a score the smallest
    cell joins its smaller neighbour; rare last categories join the one before; and scores that still have too small a
    cell join the neighbour with fewer persons. Expected cells of 0 are no cells.
    """
    seen, E = _possible_scores(observed.copy(), expected.copy())
    kept = seen.sum(axis=1) > 0
    seen, E = seen[kept], E[kept]
    seen, E = _join_single_persons(seen, E)
    if seen.shape[1] > 2:
        for row in range(len(E)):
            seen[row], E[row] = _join_categories(seen[row], E[row], least)
        seen, E = _join_rare_columns(seen, E, least)
    return _join_scores(seen, E, least)


def _possible_scores(seen: Matrix, E: Matrix) -> tuple[Matrix, Matrix]:
    S, K = E.shape  # scores 1 … S
    low, high = K - 2, S - (K - 2)  # rows before `low` and from `high` on lack a category
    if low <= 0 or low >= high:
        return seen, E
    for table in (seen, E):
        table[low] += table[:low].sum(axis=0)
        table[high - 1] += table[high:].sum(axis=0)
    return seen[low:high], E[low:high]


def _join_single_persons(seen: Matrix, E: Matrix) -> tuple[Matrix, Matrix]:
    kept = np.ones(len(seen), bool)
    for row in range(len(seen) - 1):
        if seen[row].sum() == 1:
            seen[row + 1] += seen[row]
            E[row + 1] += E[row]
            kept[row] = False
    seen, E = seen[kept], E[kept]
    if len(seen) > 1 and seen[-1].sum() == 1:
        seen[-2] += seen[-1]
        E[-2] += E[-1]
        seen, E = seen[:-1], E[:-1]
    return seen, E


def _join_categories(seen: Matrix, E: Matrix, least: float) -> tuple[Matrix, Matrix]:
    """One score's cells, joined while one is too small and more than two are left; filled up with 0 on the right."""
    o, e = list(seen), list(E)
    while len(e) > 2 and min(e) < least:
        smallest = max(k for k, value in enumerate(e) if value == min(e))
        if smallest == 0:
            into = 1
        elif smallest == len(e) - 1 or e[smallest - 1] <= e[smallest + 1]:
            into = smallest - 1
        else:
            into = smallest + 1
        o[into] += o[smallest]
        e[into] += e[smallest]
        del o[smallest], e[smallest]
    empty = [0.0] * (len(E) - len(e))
    return np.array(o + empty), np.array(e + empty)


def _join_rare_columns(seen: Matrix, E: Matrix, least: float) -> tuple[Matrix, Matrix]:
    while E.shape[1] > 2 and E[:, -1].sum() < least * np.ceil(0.1 * len(E)):
        for table in (seen, E):
            table[:, -2] += table[:, -1]
        seen, E = seen[:, :-1], E[:, :-1]
    kept = np.ones(E.shape[1], bool)
    for column in range(E.shape[1] - 1, 0, -1):
        if (E[:, column] > 0).mean() < 0.05:
            kept[column] = False
            for table in (seen, E):
                table[:, column - 1] += table[:, column]
    return seen[:, kept], E[:, kept]


def _join_scores(seen: Matrix, E: Matrix, least: float) -> tuple[Matrix, Matrix]:
    while len(E) > 1:
        small = np.flatnonzero(((least > E) & (E != 0)).any(axis=1))
        if not small.size:
            break
        row = int(small[0])
        if row == 0:
            into = 1
        elif row == len(E) - 1 or seen[row - 1].sum() <= seen[row + 1].sum():
            into = row - 1
        else:
            into = row + 1
        for table in (seen, E):
            table[into] += table[row]
        seen, E = np.delete(seen, row, axis=0), np.delete(E, row, axis=0)
    return seen, E
