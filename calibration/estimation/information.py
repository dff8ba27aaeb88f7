"""How sure the parameters are: the observed information of the marginal likelihood (Louis, 1982).

Observed = complete - missing. The complete part is the curvature of the expected complete-data likelihood; the missing
part is the sum over persons of the posterior covariance of their score vectors. A score is a smooth function of
ability, so its covariance is a short sum: with φ_1, φ_2, … the polynomials orthonormal under the person's posterior,
Cov(s, s') = Σ_r E[s φ_r] E[s' φ_r] (Parseval), whose terms fall like the posterior variance to the power r.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, dense_codes, every_kth, take_persons
from calibration.estimation.expectation import Sums, posterior
from calibration.estimation.families import Batch, curvature
from calibration.estimation.population import Population
from calibration.estimation.population import complete_information as complete_population_information
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

ORDERS = 30  # most polynomials: five items need twenty, forty items six
NEGLIGIBLE = 1e-7  # of the missing information's trace: where the sum stops
FEW = 32  # persons of a slice
SLICE_PERSONS = 512  # at a time: a person's scores are a row as long as all parameters


def orthonormal_polynomials(density: Matrix, nodes: Matrix, thinning: int = 1) -> Iterator[Matrix]:
    """Density · φ_r, (n, Q), for r = 1, 2, …, by the three-term recurrence (Stieltjes; Gautschi, 2004, §2.2.3).

    Every further order is that of every `thinning`-th person of the order before, as long as FEW are left.
    """
    before, last, weighted = np.zeros_like(density), np.ones_like(density), density
    size = np.zeros((len(density), 1))
    while True:
        now = nodes - ((weighted * last) @ nodes)[:, None]
        now *= last
        before *= size
        now -= before
        weighted = density * now
        size = np.sqrt(np.maximum(np.einsum("nq,nq->n", weighted, now), 1e-300))[:, None]
        now /= size
        weighted /= size
        before, last = last, now
        yield weighted
        if thinning > 1 and len(density) >= thinning * FEW:
            density, before, last, size, weighted = (
                array[::thinning] for array in (density, before, last, size, weighted)
            )


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the scores of a batch's items (m,): its curves (c · m, Q), or (1, Q) for all, and the rows it adds to.

    `by_category` (c, MISSING + 1) is 0 for MISSING; None stands for 1 whatever was answered.
    """

    items: NDArray[np.intp]
    rows: slice
    by_category: Matrix | None
    curves: Matrix


def terms_of(batches: Sequence[Batch], nodes: Matrix) -> tuple[list[Term], NDArray[np.intp]]:
    """The terms of some items' scores, and in which row their own parameters stand: parameter by parameter, so that a
    term's rows are next to each other.
    """
    terms: list[Term] = []
    order: list[NDArray[np.intp]] = []
    first = 0
    for batch in batches:
        m, p = batch.parameters.shape
        for term in batch.score_terms(nodes):
            c = len(term.parameters)
            table = None
            if term.by_category is not None:
                table = np.zeros((c, MISSING + 1))
                table[:, : batch.categories] = np.broadcast_to(term.by_category, (batch.categories, c)).T
            begin = first + int(term.parameters[0]) * m
            curves = term.curves[None] if term.curves.ndim == 1 else term.curves.swapaxes(0, 1).reshape(c * m, -1)
            terms.append(Term(batch.items, slice(begin, begin + c * m), table, curves))
        order.append(first + (np.arange(p) * m + np.arange(m)[:, None]).reshape(-1))
        first += m * p
    return terms, np.concatenate(order) if order else np.zeros(0, np.intp)


def answers_to(term: Term, codes: NDArray[np.intp], *, complete: bool) -> Matrix | None:
    """What the answers (J, n) of persons make of a term, (c · m, n) or (m, n); None for 1 everywhere."""
    own = codes[term.items]
    if term.by_category is None:
        return None if complete else np.tile(own != MISSING, (term.curves.shape[0] // len(own), 1)).astype(float)
    return np.take(term.by_category, own, axis=1).reshape(-1, codes.shape[1])


def add_terms(rows: Matrix, terms: Sequence[Term], answers: Sequence[Matrix | None], weighted: Matrix) -> None:
    """Add Σ_q weighted · scores to rows (…, n) of persons; `weighted` is (n, Q), `answers` those to each term."""
    if not terms:
        return
    values = np.concatenate([term.curves for term in terms]) @ weighted.T
    edges = np.cumsum([len(term.curves) for term in terms])[:-1]
    for term, answer, part in zip(terms, answers, np.split(values, edges), strict=True):
        rows[term.rows] += part if answer is None else part * answer


def missing_information(
    layout: ResponseBlocks,
    unknowns: Unknowns,
    tables: Tables,
    share: float = 1.0,
    thinning: int = 1,
) -> Matrix:
    """Σ over persons of the posterior covariance of the scores, (M + S,) squared, from a `share` of the persons.

    The items' own parameters come first, then the population's vector. With `thinning` every further order comes from
    fewer persons: the first is 94 to 97 % of the whole for 40 items, the second most of the rest.
    """
    M, S = unknowns.own_size, unknowns.population.size
    out = np.zeros((M + S, M + S))
    terms, order_of_own = terms_of(unknowns.batches, tables.nodes)
    sample = every_kth(layout, round(1 / share))
    for block in _slices(sample):
        density, _ = posterior(block, tables, layout)
        codes = dense_codes(block, len(layout.categories)).T.astype(np.intp)
        complete = block.complete and block.codes.shape == codes.T.shape
        answers = [answers_to(term, codes, complete=complete) for term in terms]
        group, root_weight = block.group, np.sqrt(block.weight)
        total, scores = 0.0, []
        for order, weighted in enumerate(orthonormal_polynomials(density, tables.nodes, thinning), start=1):
            if len(weighted) < len(group):
                root_weight = root_weight[::thinning] * np.sqrt(len(group) / len(weighted))
                group, answers = group[::thinning], [None if a is None else a[:, ::thinning] for a in answers]
            of_order = np.zeros((M + S, len(weighted)))
            add_terms(of_order, terms, answers, weighted)
            if S:
                of_order[M:] = population_scores(unknowns.population, weighted, tables.nodes, group).T
            of_order *= root_weight
            scores.append(of_order)
            size = float(np.vdot(of_order, of_order))
            total += size
            if order >= ORDERS or size <= NEGLIGIBLE * total:
                break
        together = np.concatenate(scores, axis=1)
        out += together @ together.T
    back = np.concatenate([order_of_own, M + np.arange(S)])
    return np.asarray(out[np.ix_(back, back)] * (layout.persons / max(sample.persons, 1)))


def population_scores(population: Population, weighted: Matrix, nodes: Matrix, group: NDArray[np.int32]) -> Matrix:
    """Σ_q weighted · derivatives of the log density of ability in the population's vector, (n, S)."""
    mean, sd = population.mean[group], population.sd[group]
    first, second = (weighted @ np.stack([nodes, nodes**2], axis=1)).T
    # φ_r sums to 0 under the density, so that constants drop out
    of_mean, of_log_sd = first / sd**2, (second - 2 * mean * first) / sd**2
    return np.concatenate(
        [population.design[group] * of_mean[:, None], population.sd_design[group] * of_log_sd[:, None]], axis=1
    )


def _slices(layout: ResponseBlocks) -> Iterator[Block]:
    for block in layout:
        for first in range(0, len(block.persons), SLICE_PERSONS):
            yield take_persons(block, np.arange(first, min(first + SLICE_PERSONS, len(block.persons))))


def complete_information(
    unknowns: Unknowns, sums: Sums, nodes: Matrix, start: NDArray[np.intp], beliefs: Beliefs
) -> tuple[list[Matrix], Matrix]:
    """Curvature of the expected complete-data objective: (m, p, p) for every batch, and that of the population.

    Priors are in it, a floating mean's share of rank one is not.
    """
    blocks = [curvature(batch, sums.of(batch, start), unknowns.nodes_of(batch, nodes)) for batch in unknowns.batches]
    if beliefs:
        blocks = [H + bend for H, bend in zip(blocks, prior_terms(beliefs, unknowns.batches).curvature, strict=True)]
    return blocks, complete_population_information(unknowns.population, sums.moments)


def observed_information(
    missing: Matrix, unknowns: Unknowns, sums: Sums, nodes: Matrix, start: NDArray[np.intp], beliefs: Beliefs
) -> Matrix:
    """Observed information of the vector of the unknowns, priors included, (P, P), from `missing_information`, with
    testlets from `missing_information_of_testlets`.
    """
    M, S = unknowns.own_size, unknowns.population.size
    full = -missing
    blocks, of_groups = complete_information(unknowns, sums, nodes, start, beliefs)
    first = 0
    for batch, H in zip(unknowns.batches, blocks, strict=True):
        m, p = batch.parameters.shape
        at = first + np.arange(m * p).reshape(m, p)
        full[at[:, :, None], at[:, None, :]] += H
        first += m * p
    full[M : M + S, M : M + S] += of_groups
    if beliefs:
        terms = prior_terms(beliefs, unknowns.batches)
        for vectors, precision in zip(terms.shared, terms.precision, strict=True):
            v = np.concatenate([part.reshape(-1) for part in vectors])
            full[:M, :M] -= np.outer(v, v) / precision
    return in_vector(full, unknowns)


def in_vector(full: Matrix, unknowns: Unknowns) -> Matrix:
    """A matrix (M + S,) squared over the items' own parameters and the population, over the unknowns' vector."""
    M = unknowns.own_size
    if unknowns.ties is None:
        keep = np.concatenate([unknowns.free_positions(), np.arange(M, len(full))])
        return np.asarray(full[np.ix_(keep, keep)])
    E = unknowns.ties
    upper = E.T @ (E.T @ full[:M, :M]).T
    cross = E.T @ full[:M, M:]
    return np.block([[upper, cross], [cross.T, full[M:, M:]]])
