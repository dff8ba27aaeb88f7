"""Low-order margins of responses: what is observed, what the model expects, how they vary and what moves them.

A margin is a function of one item, or a product of functions of two: f(x_i) or f(x_i)·g(x_j). With f the indicators of
the categories above 0 these are all univariate and bivariate proportions (M2; Maydeu-Olivares & Joe, 2005); with f the
category score, means and mean products (M2*; Maydeu-Olivares & Joe, 2006; Cai & Hansen, 2013); C2 has indicators for
one item and scores for two (Cai & Monro, 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Kind = Literal["M2", "M2*", "C2"]


@dataclass(frozen=True, slots=True)
class Margins:
    """S margins over J items. `functions` holds values over the stacked categories, (F, C), of the item `of` (F,).

    Margin s is the product of the functions `first` and `second` (S,); `second` is -1 for margins of one item.
    """

    functions: Matrix
    of: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]

    @property
    def items(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The item or two of each margin, (S,) each; twice the same for one."""
        one = self.of[self.first]
        return one, np.where(self.second >= 0, self.of[self.second], one)

    def take(self, kept: NDArray[np.bool_]) -> Margins:
        return Margins(self.functions, self.of, self.first[kept], self.second[kept])


def margins(categories: NDArray[np.intp], kind: Kind) -> Margins:
    """The margins of items with K categories each, one item first, then pairs in order."""
    K = categories
    start = np.concatenate([[0], np.cumsum(K)])
    functions: list[Matrix] = []
    of: list[int] = []
    indicator: list[list[int]] = []
    score: list[int] = []
    for j, size in enumerate(K):
        indicator.append([])
        for k in range(1, size):
            row = np.zeros(start[-1])
            row[start[j] + k] = 1.0
            indicator[j].append(len(functions))
            functions.append(row)
            of.append(j)
        row = np.zeros(start[-1])
        row[start[j] : start[j + 1]] = np.arange(size)
        score.append(len(functions))
        functions.append(row)
        of.append(j)
    alone = [[f] for f in score] if kind == "M2*" else indicator
    paired = indicator if kind == "M2" else [[f] for f in score]
    first = [f for own in alone for f in own]
    second = [-1] * len(first)
    for i, j in combinations(range(len(K)), 2):
        for f in paired[i]:
            for g in paired[j]:
                first.append(f)
                second.append(g)
    return Margins(np.array(functions), np.array(of, np.intp), np.array(first, np.intp), np.array(second, np.intp))


def expected(which: Margins, P: Matrix, prior: Matrix) -> tuple[Matrix, Matrix]:
    """Expected margins (S,) and the covariance matrix (S, S) of the margins of one person, from P (C, Q)."""
    means = which.functions @ P
    one, two = means[which.first], np.where(which.second[:, None] >= 0, means[which.second], 1.0)
    product = one * two
    value = product @ prior
    covariance = (product * prior) @ product.T - np.outer(value, value)
    _add_shared_items(covariance, which, P, prior, means)
    return value, covariance


def _add_shared_items(covariance: Matrix, which: Margins, P: Matrix, prior: Matrix, means: Matrix) -> None:
    """What two margins have in common beyond ability: the items that stand in both."""
    first_item, second_item = which.items
    pair = which.second >= 0
    for j in np.unique(first_item):
        in_first, in_second = np.flatnonzero(first_item == j), np.flatnonzero(pair & (second_item == j))
        members = np.concatenate([in_first, in_second])
        own = np.concatenate([which.first[in_first], which.second[in_second]])
        partner = np.concatenate([which.second[in_first], which.first[in_second]])
        other = np.where(partner[:, None] >= 0, means[partner], 1.0)
        for f in np.unique(own):
            for g in np.unique(own):
                shared = (which.functions[f] * which.functions[g]) @ P - means[f] * means[g]
                rows, columns = own == f, own == g
                block = (other[rows] * (shared * prior)) @ other[columns].T
                covariance[np.ix_(members[rows], members[columns])] += block
    both: dict[tuple[int, int], list[int]] = {}
    for s in np.flatnonzero(pair):
        both.setdefault((int(first_item[s]), int(second_item[s])), []).append(int(s))
    for same in both.values():
        at = np.array(same)
        f, g = which.functions[which.first[at]], which.functions[which.second[at]]
        m, n = means[which.first[at]], means[which.second[at]]
        shared_f = np.einsum("sc,tc,cq->stq", f, f, P) - m[:, None] * m
        shared_g = np.einsum("sc,tc,cq->stq", g, g, P) - n[:, None] * n
        covariance[np.ix_(at, at)] += (shared_f * shared_g) @ prior


def jacobian(
    which: Margins, P: Matrix, prior: Matrix, derivatives: Sequence[Matrix], start: NDArray[np.intp]
) -> Matrix:
    """Derivatives of the expected margins in the items' parameters, (S, Σ p), from those of P, (p, K, Q) an item."""
    means = which.functions @ P
    begin = np.concatenate([[0], np.cumsum([len(d) for d in derivatives])])
    out = np.zeros((len(which.first), begin[-1]))
    first_item, _ = which.items
    for j, derivative in enumerate(derivatives):
        columns = slice(begin[j], begin[j + 1])
        rows = slice(start[j], start[j + 1])
        for own, partner, at in (
            (which.first, which.second, np.flatnonzero(first_item == j)),
            (which.second, which.first, np.flatnonzero((which.second >= 0) & (which.of[which.second] == j))),
        ):
            other = np.where(partner[at, None] >= 0, means[partner[at]], 1.0) * prior
            moved = np.einsum("sk,pkq->spq", which.functions[own[at], rows], derivative)
            out[at, columns] = np.einsum("spq,sq->sp", moved, other)
    return out


def observed(which: Margins, chosen: Matrix, had: Matrix, weight: Matrix) -> tuple[Matrix, Matrix]:
    """Sums of each margin over persons (S,), and the weighted number of persons behind each (S,).

    `chosen` (n, C) is 1 for the category chosen, `had` (n, J) is 1 for an item had.
    """
    values = chosen @ which.functions.T
    of_pair = values.T @ (weight[:, None] * values)
    pair = which.second >= 0
    total = np.where(pair, of_pair[which.first, which.second], weight @ values[:, which.first])
    persons = had.T @ (weight[:, None] * had)
    first_item, second_item = which.items
    return total, persons[first_item, second_item]
