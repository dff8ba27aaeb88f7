"""S-X²: observed and expected responses to an item at each summed score (Orlando & Thissen, 2000; 2003).

For polytomous items as Kang & Chen (2008) generalised it. Persons are compared only within sets who had exactly the
same items, because summed scores of different items mean different things; sets are pooled by adding their χ². Sets
that were selected by ability, or that hold items given by ability, are left out: what a summed score says of an item is
then another thing than in the population.

The curve of an anchor was estimated from other persons, with an error of its own: where its covariance is known, what
that error explains is taken off (the residuals' covariance is that of counts plus J Σ Jᵀ, with J the derivatives of the
expected counts in the anchor's parameters, Σ their covariance), and the degrees of freedom stay those of known curves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted, same_item_sets
from calibration.fit.selection import Selection, selection
from calibration.fit.unknowns import anchor_errors, probability_derivatives
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
    errors = anchor_errors(data)
    slopes = probability_derivatives(data) if errors else []
    against = {j: np.zeros((root.shape[1], 1 + root.shape[1])) for j, root in errors.items()}
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
            had = observed[1:-1].sum(axis=1, keepdims=True)
            moved = _moved(rest, joint, share, slopes[j] * prior, errors[j])[:, 1:-1] * had if j in errors else []
            seen, E, *moved = collapsed(observed[1:-1], share[1:-1] * had, *moved)
            if len(E) < 2:
                continue
            cell = E > 0
            if j in errors:
                slope = np.stack(moved)[:, cell] / np.sqrt(E[cell])
                against[j] += slope @ np.column_stack([(seen[cell] - E[cell]) / np.sqrt(E[cell]), slope.T])
            out.statistic[j] += float(((seen[cell] - E[cell]) ** 2 / E[cell]).sum())
            out.cells[j] += int(cell.sum()) - len(E)
            out.n[j] += float(weight.sum())
            out.sets[j] += 1
    for j, sums in against.items():  # Woodbury: rᵀ (V + J Jᵀ)⁻ r = rᵀ V⁻ r - gᵀ (1 + Jᵀ V⁻ J)⁻¹ g, g = Jᵀ V⁻ r
        g, within = sums[:, 0], sums[:, 1:]
        out.statistic[j] -= float(g @ np.linalg.solve(np.eye(len(g)) + within, g))
    return out


def _moved(rest: Matrix, joint: Matrix, share: Matrix, slopes: Matrix, root: Matrix) -> Matrix:
    """Change of the shares (S, K) of an item's categories with each column of `root` (p, r), its error: (r, S, K).

    `slopes` (p, K, Q) are the derivatives of P(category) times the density of ability.
    """
    change = np.zeros((root.shape[1], *joint.shape))
    for k in range(joint.shape[1]):
        change[:, k : k + len(rest), k] = (rest @ (slopes[:, k].T @ root)).T
    total = joint.sum(axis=1, keepdims=True)
    change -= share * change.sum(axis=2, keepdims=True)
    return np.asarray(np.divide(change, total, out=np.zeros_like(change), where=total > 0))


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


def collapsed(observed: Matrix, expected: Matrix, *others: Matrix, least: float = LEAST_EXPECTED) -> list[Matrix]:
    """The tables (scores, categories) with cells joined until every expected one is 0 or at least `least`.

    The order is that of R mirt, so that its numbers come out: scores at which a category is impossible join the next
    one where all are possible; scores nobody has go, scores one person has join the next; within a score the smallest
    cell joins its smaller neighbour; rare last categories join the one before; and scores that still have too small a
    cell join the neighbour with fewer persons. Expected cells of 0 are no cells. `others` are joined in the same way.
    """
    tables = _possible_scores(np.stack([observed, expected, *others]))
    tables = _join_single_persons(tables[:, tables[0].sum(axis=1) > 0])
    if tables.shape[2] > 2:
        for row in range(tables.shape[1]):
            tables[:, row] = _join_categories(tables[:, row], least)
        tables = _join_rare_columns(tables, least)
    return list(_join_scores(tables, least))


def _possible_scores(tables: Matrix) -> Matrix:
    _, S, K = tables.shape  # scores 1 … S
    low, high = K - 2, S - (K - 2)  # rows before `low` and from `high` on lack a category
    if low <= 0 or low >= high:
        return tables
    tables[:, low] += tables[:, :low].sum(axis=1)
    tables[:, high - 1] += tables[:, high:].sum(axis=1)
    return tables[:, low:high]


def _join_single_persons(tables: Matrix) -> Matrix:
    kept = np.ones(tables.shape[1], bool)
    for row in range(tables.shape[1] - 1):
        if tables[0, row].sum() == 1:
            tables[:, row + 1] += tables[:, row]
            kept[row] = False
    tables = tables[:, kept]
    if tables.shape[1] > 1 and tables[0, -1].sum() == 1:
        tables[:, -2] += tables[:, -1]
        tables = tables[:, :-1]
    return tables


def _join_categories(row: Matrix, least: float) -> Matrix:
    """One score's cells, joined while one is too small and more than two are left; filled up with 0 on the right."""
    cells = list(row.T)
    while len(cells) > 2 and min(cell[1] for cell in cells) < least:
        e = [float(cell[1]) for cell in cells]
        smallest = max(k for k, value in enumerate(e) if value == min(e))
        if smallest == 0:
            into = 1
        elif smallest == len(e) - 1 or e[smallest - 1] <= e[smallest + 1]:
            into = smallest - 1
        else:
            into = smallest + 1
        cells[into] = cells[into] + cells[smallest]
        del cells[smallest]
    out = np.zeros_like(row)
    out[:, : len(cells)] = np.stack(cells, axis=1)
    return out


def _join_rare_columns(tables: Matrix, least: float) -> Matrix:
    while tables.shape[2] > 2 and tables[1, :, -1].sum() < least * np.ceil(0.1 * tables.shape[1]):
        tables[:, :, -2] += tables[:, :, -1]
        tables = tables[:, :, :-1]
    kept = np.ones(tables.shape[2], bool)
    for column in range(tables.shape[2] - 1, 0, -1):
        if (tables[1, :, column] > 0).mean() < 0.05:
            kept[column] = False
            tables[:, :, column - 1] += tables[:, :, column]
    return tables[:, :, kept]


def _join_scores(tables: Matrix, least: float) -> Matrix:
    while tables.shape[1] > 1:
        E, persons = tables[1], tables[0].sum(axis=1)
        small = np.flatnonzero(((least > E) & (E != 0)).any(axis=1))
        if not small.size:
            break
        row = int(small[0])
        if row == 0:
            into = 1
        elif row == len(E) - 1 or persons[row - 1] <= persons[row + 1]:
            into = row - 1
        else:
            into = row + 1
        tables[:, into] += tables[:, row]
        tables = np.delete(tables, row, axis=1)
    return tables
