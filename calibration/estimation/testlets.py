"""Item sets: the E-step when items of a set share more than ability.

An item of testlet t answers to theta + gamma_t. Given theta the testlets are independent, so that a person's
likelihood is a product of one-dimensional integrals (dimension reduction; Gibbons & Hedeker, 1992): the work grows with
the number of testlets, not with a power of it. Persons who answered the items of a testlet alike share its integrals,
of which four items scored 0 or 1 leave sixteen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, dense_codes, only_items_of, take_persons
from calibration.estimation.expectation import Sums, normalised
from calibration.estimation.likelihood import add_counts, log_likelihood
from calibration.estimation.population import Grid, Moments
from calibration.estimation.unknowns import Unknowns

Matrix = NDArray[np.float64]

SLICE_PERSONS = 1024  # at a time: answers that nobody shares are a thousand pairs of nodes each
MOST_ANSWERS = 2**62  # that one number tells apart


@dataclass(frozen=True, slots=True)
class Answers:
    """The different answers (U of them) of a slice's persons (n) to the items of a testlet.

    `within` (U, Q, S) is P(gamma | theta, answers), `which` (n,) the answers of each person; `any_item` (U,) is false
    for those of persons who had none of the items, and who say nothing of the testlet.
    """

    block: Block
    which: NDArray[np.intp]
    within: Matrix
    any_item: NDArray[np.bool_]

    def summed(self, of_persons: Matrix) -> Matrix:
        """Rows (n, …) of the persons as sums (U, …) over those who answered alike."""
        order = np.argsort(self.which, kind="stable")
        first = np.searchsorted(self.which[order], np.arange(len(self.any_item)))
        return np.asarray(np.add.reduceat(of_persons[order], first, axis=0))


@dataclass(frozen=True, slots=True)
class Slice:
    """Some persons with their answers by testlet, P(theta | responses) (n, Q) and log-likelihoods (n,)."""

    block: Block
    alone: Block  # with only the items of no testlet
    answers: list[Answers]
    density: Matrix
    log_likelihoods: Matrix


def expect_testlets(layout: ResponseBlocks, unknowns: Unknowns, grid: Grid) -> Sums:
    """Sums over the persons of `layout`, with the expected counts at pairs of nodes of every testlet."""
    testlets = unknowns.item_sets
    Q, S, T, G = len(grid.nodes), len(testlets.inner), len(testlets.names), len(unknowns.population.origin)
    C = int(layout.start[-1])
    counts, inner = np.zeros((C, Q)), tuple(np.zeros((C, Q * S)) for _ in range(T))
    persons, first, second = np.zeros(G), np.zeros(G), np.zeros(G)
    testlet_persons, testlet_spread = np.zeros(T), np.zeros(T)
    log_l, narrowest, mass = 0.0, np.inf, np.zeros(Q)
    for part in slices_of(layout, unknowns, grid):
        block, density = part.block, part.density
        mean, square = density @ grid.nodes, density @ grid.nodes**2
        narrowest = min(narrowest, float((square - mean**2).min()))
        log_l += float(block.weight @ part.log_likelihoods)
        persons += np.bincount(block.group, block.weight, G)
        first += np.bincount(block.group, block.weight * mean, G)
        second += np.bincount(block.group, block.weight * square, G)
        weighted = density * block.weight[:, None]
        mass += weighted.sum(axis=0)
        if part.alone.items.size:
            add_counts(counts, part.alone, weighted, layout)
        for t, answers in enumerate(part.answers):
            if not answers.any_item.any():
                continue
            joint = answers.within * answers.summed(weighted)[:, :, None]
            of_gamma = joint[answers.any_item].sum(axis=(0, 1))
            testlet_persons[t] += of_gamma.sum()
            testlet_spread[t] += of_gamma @ testlets.inner**2 * testlets.sd[t] ** 2
            add_counts(inner[t], answers.block, joint.reshape(len(joint), Q * S), layout)
    return Sums(
        counts,
        Moments(persons, first, second),
        log_l,
        float(np.sqrt(max(narrowest, 0.0))),
        mass,
        inner,
        testlet_persons,
        testlet_spread,
    )


def slices_of(layout: ResponseBlocks, unknowns: Unknowns, grid: Grid) -> Iterator[Slice]:
    """The persons of the layout, some at a time, with their posterior distributions."""
    testlets = unknowns.item_sets
    Q, S, T = len(grid.nodes), len(testlets.inner), len(testlets.names)
    members = _members(unknowns, T, len(layout.categories))
    log_weights = grid.log_weights(unknowns.population)
    outer = unknowns.log_probability(grid.nodes, layout.start)
    pairs = [unknowns.log_probability_in(t, grid.nodes, layout.start) for t in range(T)]
    for whole in layout:
        for first in range(0, len(whole.persons), SLICE_PERSONS):
            block = take_persons(whole, np.arange(first, min(first + SLICE_PERSONS, len(whole.persons))))
            alone = only_items_of(block, members[0])
            codes = dense_codes(block, len(layout.categories))
            joint = log_likelihood(alone, outer, layout) if alone.items.size else np.zeros((len(codes), Q))
            joint += log_weights[block.group]
            answers = []
            for t in range(T):
                own, which = _alike(block, codes, np.flatnonzero(members[t + 1]), layout.categories)
                within = log_likelihood(own, pairs[t], layout).reshape(-1, Q, S) + testlets.log_weights
                peak = within.max(axis=2, keepdims=True)
                np.exp(within - peak, out=within)
                total = within.sum(axis=2, keepdims=True)
                within /= total
                joint += (peak + np.log(total))[which, :, 0]
                answers.append(Answers(own, which, within, (own.codes != MISSING).any(axis=1)))
            yield Slice(block, alone, answers, *normalised(joint))


def _alike(
    block: Block, codes: NDArray[np.uint8], items: NDArray[np.intp], categories: NDArray[np.intp]
) -> tuple[Block, NDArray[np.intp]]:
    """The different answers to some items as persons of a block, and which of them each person gave."""
    own = codes[:, items]
    key, told_apart = np.zeros(len(own), np.int64), 1
    for column, K in zip(own.T, categories[items].tolist(), strict=True):
        if told_apart > MOST_ANSWERS // (K + 1):
            found, key = np.unique(key, return_inverse=True)
            told_apart = len(found)
        key = key * (K + 1) + np.where(column == MISSING, K, column)
        told_apart *= K + 1
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    table = np.ascontiguousarray(own[first])
    one = take_persons(block, first)
    complete = not (table == MISSING).any()
    return replace(one, items=items, codes=table, complete=complete, row_start=None), which.reshape(-1)


def _members(unknowns: Unknowns, T: int, J: int) -> list[NDArray[np.bool_]]:
    """Masks (J,) of the items of no testlet, then of every testlet."""
    masks = [np.zeros(J, bool) for _ in range(T + 1)]
    for batch in unknowns.batches:
        masks[batch.testlet + 1][batch.items] = True
    return masks
