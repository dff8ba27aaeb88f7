"""Item sets: the E-step when items of a set share more than ability.

An item of testlet t answers to theta + gamma_t. Given theta the testlets are independent, so that a person's
likelihood is a product of one-dimensional integrals (dimension reduction; Gibbons & Hedeker, 1992): the work grows with
the number of testlets, not with a power of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, take_persons
from calibration.estimation.expectation import Sums, normalised
from calibration.estimation.likelihood import add_counts, log_likelihood
from calibration.estimation.population import Grid, Moments
from calibration.estimation.unknowns import Unknowns

Matrix = NDArray[np.float64]

SLICE_PERSONS = 256  # at a time: their pairs of nodes are a thousand columns each


def expect_testlets(layout: ResponseBlocks, unknowns: Unknowns, grid: Grid) -> Sums:
    """Sums over the persons of `layout`, with the expected counts at pairs of nodes of every testlet."""
    testlets = unknowns.testlets
    if testlets is None:
        raise AssertionError("no testlets")
    Q, S, T = len(grid.nodes), len(testlets.inner), len(testlets.names)
    members = _members(unknowns, T, len(layout.categories))
    log_weights = grid.log_weights(unknowns.population)
    outer = unknowns.log_probability(grid.nodes, layout.start)
    pairs = [unknowns.log_probability_in(t, grid.nodes, layout.start) for t in range(T)]
    G = len(log_weights)
    counts, inner = np.zeros_like(outer), tuple(np.zeros((len(outer), Q * S)) for _ in range(T))
    persons, first, second = np.zeros(G), np.zeros(G), np.zeros(G)
    testlet_persons, testlet_spread = np.zeros(T), np.zeros(T)
    log_l, narrowest, mass = 0.0, np.inf, np.zeros(Q)
    for block in _slices(layout):
        alone = _only(block, members[0])
        joint = log_likelihood(alone, outer, layout) if alone.items.size else np.zeros((len(block.persons), Q))
        joint += log_weights[block.group]
        parts: list[tuple[Block, Matrix] | None] = []
        for t in range(T):
            own = _only(block, members[t + 1])
            if not own.items.size:
                parts.append(None)
                continue
            within = log_likelihood(own, pairs[t], layout).reshape(-1, Q, S) + testlets.log_weights
            peak = within.max(axis=2, keepdims=True)
            np.exp(within - peak, out=within)
            total = within.sum(axis=2, keepdims=True)
            within /= total
            joint += (peak + np.log(total))[:, :, 0]
            parts.append((own, within))
        density, log_likelihoods = normalised(joint)
        mean, square = density @ grid.nodes, density @ grid.nodes**2
        narrowest = min(narrowest, float((square - mean**2).min()))
        log_l += float(block.weight @ log_likelihoods)
        persons += np.bincount(block.group, block.weight, G)
        first += np.bincount(block.group, block.weight * mean, G)
        second += np.bincount(block.group, block.weight * square, G)
        density *= block.weight[:, None]
        mass += density.sum(axis=0)
        if alone.items.size:
            add_counts(counts, alone, density, layout)
        for t, part in enumerate(parts):
            if part is None:
                continue
            own, within = part
            within *= density[:, :, None]
            has = _has(own)  # persons of the slice who had none of the items say nothing of the testlet
            testlet_persons[t] += float(block.weight[has].sum())
            testlet_spread[t] += float(within[has].sum(axis=(0, 1)) @ testlets.inner**2) * testlets.sd[t] ** 2
            add_counts(inner[t], own, within.reshape(len(within), Q * S), layout)
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


def numeric_information(gradient: Callable[[Matrix], Matrix], vector: Matrix, step: float = 1e-4) -> Matrix:
    """Observed information (P, P) as central differences of the gradient of the marginal log-likelihood."""
    P = len(vector)
    out = np.empty((P, P))
    for k in range(P):
        shift = np.zeros(P)
        shift[k] = step
        out[:, k] = (gradient(vector - shift) - gradient(vector + shift)) / (2 * step)
    return np.asarray((out + out.T) / 2)


def _members(unknowns: Unknowns, T: int, J: int) -> list[NDArray[np.bool_]]:
    """Masks (J,) of the items of no testlet, then of every testlet."""
    masks = [np.zeros(J, bool) for _ in range(T + 1)]
    for batch in unknowns.batches:
        masks[batch.testlet + 1][batch.items] = True
    return masks


def _only(block: Block, keep: NDArray[np.bool_]) -> Block:
    """The block with only the items of a mask (J,)."""
    chosen = keep[block.items]
    if block.row_start is None:
        return replace(block, items=block.items[chosen], codes=np.ascontiguousarray(block.codes[:, chosen]))
    person = np.repeat(np.arange(len(block.persons)), np.diff(block.row_start))[chosen]
    row_start = np.searchsorted(person, np.arange(len(block.persons) + 1))
    return replace(block, items=block.items[chosen], codes=block.codes[chosen], row_start=row_start)


def _has(block: Block) -> NDArray[np.bool_]:
    """Which persons (n,) have an item of the block."""
    if block.row_start is not None:
        return np.asarray(np.diff(block.row_start) > 0)
    if block.complete:
        return np.ones(len(block.persons), bool)
    return np.asarray((block.codes != MISSING).any(axis=1))


def _slices(layout: ResponseBlocks) -> list[Block]:
    return [
        take_persons(block, np.arange(first, min(first + SLICE_PERSONS, len(block.persons))))
        for block in layout
        for first in range(0, len(block.persons), SLICE_PERSONS)
    ]
