"""How sure the parameters are where items come in sets: the missing part of the observed information.

As without sets (`information`), Observed = complete - missing (Louis, 1982), and the missing part is the posterior
covariance of the scores. With testlets Cov(s) = Cov(E[s | theta]) + E[Cov(s | theta)]: the first is a sum over
polynomials of theta, the second has a block for every testlet, because they are independent given theta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, dense_codes, every_kth, take_persons
from calibration.estimation.information import (
    NEGLIGIBLE,
    ORDERS,
    Term,
    add_terms,
    answers_to,
    orthonormal_polynomials,
    population_scores,
    terms_of,
)
from calibration.estimation.population import Grid
from calibration.estimation.testlets import Answers, slices_of
from calibration.estimation.unknowns import Unknowns

Matrix = NDArray[np.float64]

SLICE_SCORES = 2_000_000  # at a time, of a testlet's answers at its pairs of nodes


def missing_information_of_testlets(
    layout: ResponseBlocks, unknowns: Unknowns, grid: Grid, share: float = 1.0, thinning: int = 1
) -> Matrix:
    """Σ over persons of the posterior covariance of the scores, (M + S + F,) squared, from a `share` of the persons.

    The items' own parameters come first, then the population's vector, then the logs of the F free standard deviations
    of the testlets, whose complete part is in it. `thinning` is that of `missing_information`.
    """
    testlets = unknowns.item_sets
    M, P, F = unknowns.own_size, unknowns.population.size, int(testlets.free.sum())
    size = M + P + 2 * F
    out = np.zeros((size, size))
    scores = [_scores_of(unknowns, t, grid.nodes) for t in range(len(testlets.names))]
    terms, own = _terms_alone(unknowns, grid.nodes)
    sample = every_kth(layout, round(1 / share))
    for part in slices_of(sample, unknowns, grid):
        block = part.block
        weighted = part.density * block.weight[:, None]
        means = []
        for of_testlet, answers in zip(scores, part.answers, strict=True):
            mean, covariance = _given_ability(of_testlet, answers, answers.summed(weighted))
            out[np.ix_(of_testlet.rows, of_testlet.rows)] += covariance
            means.append(mean[answers.which])
        codes = dense_codes(block, len(layout.categories)).T.astype(np.intp)
        alone = [answers_to(term, codes, complete=False) for term in terms]
        group, root_weight = block.group, np.sqrt(block.weight)
        total = 0.0
        for order, polynomial in enumerate(orthonormal_polynomials(part.density, grid.nodes, thinning), start=1):
            if len(polynomial) < len(group):
                root_weight = root_weight[::thinning] * np.sqrt(len(group) / len(polynomial))
                group, alone = group[::thinning], [None if a is None else a[:, ::thinning] for a in alone]
                means = [mean[::thinning] for mean in means]
            of_order = np.zeros((size, len(polynomial)))
            of_own = np.zeros((len(own), len(polynomial)))
            add_terms(of_own, terms, alone, polynomial)
            of_order[own] = of_own
            for of_testlet, mean in zip(scores, means, strict=True):
                of_order[of_testlet.rows] = (mean @ polynomial[:, :, None])[:, :, 0].T
            if P:
                of_order[M : M + P] = population_scores(unknowns.population, polynomial, grid.nodes, group).T
            of_order *= root_weight
            more = float(np.vdot(of_order, of_order))
            out += of_order @ of_order.T
            total += more
            if order >= ORDERS or more <= NEGLIGIBLE * total:
                break
    by_gamma, by_items = np.arange(M + P, M + P + F), np.arange(M + P + F, size)
    between = out[np.ix_(by_gamma, by_items)]
    out[np.ix_(by_gamma, by_gamma)] = (between + between.T) / 2
    return np.asarray(out[: M + P + F, : M + P + F] * (layout.persons / max(sample.persons, 1)))


@dataclass(frozen=True, slots=True)
class _Scores:
    """The scores of a testlet: those of its batches by category, at pairs of nodes, and of its log standard deviation.

    `rows` are where they stand among all. The log standard deviation has two, with one expectation: that of the
    density of gamma, `of_density` (Q · S,), and that of the items at theta + sd · z, which takes sd · z (Q · S,) times
    what ability does to them, `along` (rows of the items,). Minus the covariance of the two is the curvature, with
    no difference of large numbers where a set has next to nothing in common. Both are None where it is held.
    """

    rows: NDArray[np.intp]
    batches: list[tuple[NDArray[np.intp], Matrix]]  # items (m,), scores (m, K, p, Q · S)
    along: Matrix
    gamma: Matrix | None
    of_density: Matrix | None

    def chosen(self, block: Block) -> Matrix:
        """The scores at the answers of a block, (U, rows, Q · S)."""
        place = {int(item): at for at, item in enumerate(block.items)}
        parts = []
        for items, table in self.batches:
            codes = block.codes[:, [place[int(item)] for item in items]]
            missing = codes == MISSING
            own = table[np.arange(len(items)), np.where(missing, 0, codes)]  # (U, m, p, Q · S)
            own[missing] = 0.0
            parts.append(own.reshape(len(codes), -1, own.shape[-1]))
        of_items = np.concatenate(parts, axis=1)
        if self.gamma is None or self.of_density is None:
            return of_items
        some = (block.codes != MISSING).any(axis=1)[:, None, None]
        by_items = self.gamma * np.einsum("p,upq->uq", self.along, of_items)[:, None]
        return np.concatenate([of_items, some * self.of_density, by_items], axis=1)


def _scores_of(unknowns: Unknowns, testlet: int, nodes: Matrix) -> _Scores:
    testlets = unknowns.item_sets
    first, rows, batches, along = 0, [], [], []
    for batch in unknowns.batches:
        if batch.testlet == testlet:
            rows.append(first + np.arange(batch.parameters.size))
            batches.append((batch.items, batch.scores(unknowns.nodes_of(batch, nodes))))
            along.append(batch.along_ability().reshape(-1))
        first += batch.parameters.size
    gamma = of_density = None
    if testlets.free[testlet]:  # log density of gamma: -gamma² / (2 sd²) - log sd
        gamma = np.tile(testlets.sd[testlet] * testlets.inner, len(nodes))
        of_density = np.tile(testlets.inner**2 - 1, len(nodes))
        at = first + unknowns.population.size + int(testlets.free[:testlet].sum())
        rows.append(np.array([at, at + int(testlets.free.sum())]))
    return _Scores(np.concatenate(rows), batches, np.concatenate(along), gamma, of_density)


def _terms_alone(unknowns: Unknowns, nodes: Matrix) -> tuple[list[Term], NDArray[np.intp]]:
    """The terms of the items of no testlet, and which of the own parameters (M,) each of their rows is."""
    sizes = [batch.parameters.size for batch in unknowns.batches]
    position = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    alone = [number for number, batch in enumerate(unknowns.batches) if batch.testlet < 0]
    terms, order = terms_of([unknowns.batches[number] for number in alone], nodes)
    rows = np.empty(len(order), np.intp)
    rows[order] = np.concatenate([position[number] for number in alone]) if alone else order
    return terms, rows


def _given_ability(scores: _Scores, answers: Answers, weight: Matrix) -> tuple[Matrix, Matrix]:
    """E[s | theta] (U, p, Q) for each of the answers, and Σ weight · Cov(s | theta) over them and theta, (p, p)."""
    U, Q, S = answers.within.shape
    p = len(scores.rows)
    mean, covariance = np.zeros((U, p, Q)), np.zeros((p, p))
    step = max(1, SLICE_SCORES // (p * Q * S))
    for first in range(0, U, step):
        some = slice(first, min(first + step, U))
        within = answers.within[some]
        values = scores.chosen(take_persons(answers.block, np.arange(U)[some])).reshape(len(within), p, Q, S)
        mean[some] = np.einsum("upqs,uqs->upq", values, within)
        values -= mean[some][:, :, :, None]
        values *= np.sqrt(within * weight[some][:, :, None])[:, None]
        flat = values.transpose(1, 0, 2, 3).reshape(p, -1)
        covariance += flat @ flat.T
    return mean, covariance
