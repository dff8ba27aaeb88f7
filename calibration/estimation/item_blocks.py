"""Every item's own block of the observed information, as if all else were known.

Where there are too many parameters for the whole matrix, the blocks say how sure each item's parameters are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs
from calibration.estimation.blocks import MISSING, Block, ResponseBlocks
from calibration.estimation.expectation import Sums, posterior
from calibration.estimation.information import complete_information
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Grid, Population
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

RELIABLE = 1e-6  # share of a block's largest eigenvalue: the information is summed to that, less is rounding
SLICE_RESPONSES = 2_048  # at a time, each with the scores of its category
ROUNDING = 1e-5  # of scores as sums of a few curves, a hundredth of what standard errors are known to


@dataclass(frozen=True, slots=True)
class ItemBlocks:
    """Covariance (m, p, p) of the own parameters of every batch's items, NaN where the data do not identify them, and
    the information (S, S) of the population's vector: each as if all else were known.
    """

    covariance: list[Matrix]
    population: Matrix

    @classmethod
    def of(cls, persons: Partitions, unknowns: Unknowns, sums: Sums, grid: Grid, beliefs: Beliefs) -> ItemBlocks:
        """The blocks at the unknowns that `sums` come from, priors included."""
        complete = complete_item_information(unknowns, sums, grid.nodes, persons.start, beliefs)
        tables = Tables.of(unknowns, grid, persons.start)
        parts = persons.sweep(missing_item_information, unknowns, tables)
        covariance = [
            _inverses(H + sum(part[number] for part in parts), batch.free)
            for number, (H, batch) in enumerate(zip(complete, unknowns.batches, strict=True))
        ]
        size = unknowns.population.size
        population = persons.total(population_information, unknowns.population, tables) if size else np.zeros((0, 0))
        return cls(covariance, population)

    def step(self, unknowns: Unknowns, gradient: Matrix) -> Matrix:
        """Newton's step in the vector of the unknowns, item by item; NaN where an item has no block."""
        steps: list[Matrix] = []
        first = 0
        for batch, block in zip(unknowns.batches, self.covariance, strict=True):
            own = np.zeros(batch.parameters.shape)
            size = int(batch.free.sum())
            own[batch.free] = gradient[first : first + size]
            first += size
            steps.append((block @ own[:, :, None])[:, :, 0][batch.free])
        steps.append(np.asarray(np.linalg.lstsq(self.population, gradient[first:])[0], float))
        return np.concatenate(steps)


def population_information(layout: ResponseBlocks, population: Population, tables: Tables) -> Matrix:
    """Σ over persons of E[score] E[score]' of the population's vector, (S, S): its information, the items known."""
    out = np.zeros((population.size, population.size))
    powers = np.stack([tables.nodes, tables.nodes**2], axis=1)
    for block in layout:
        density, _ = posterior(block, tables, layout)
        first, second = (density @ powers).T
        mean, sd = population.mean[block.group], population.sd[block.group]
        of_mean, of_log_sd = (first - mean) / sd**2, (second - 2 * mean * first + mean**2) / sd**2 - 1
        rows = np.concatenate(
            [population.design[block.group] * of_mean[:, None], population.sd_design[block.group] * of_log_sd[:, None]],
            axis=1,
        )
        out += rows.T @ (block.weight[:, None] * rows)
    return out


def complete_item_information(
    unknowns: Unknowns, sums: Sums, nodes: Matrix, start: NDArray[np.intp], beliefs: Beliefs
) -> list[Matrix]:
    """Every item's own block (m, p, p) of the complete information, less Σ over persons of E[score score']."""
    blocks, _ = complete_information(unknowns, sums, nodes, start, beliefs)
    for number, batch in enumerate(unknowns.batches):
        table = batch.scores(nodes)
        blocks[number] -= np.einsum("mkq,mkpq,mkrq->mpr", sums.of(batch, start), table, table, optimize=True)
    return blocks


def missing_item_information(layout: ResponseBlocks, unknowns: Unknowns, tables: Tables) -> list[Matrix]:
    """Σ over persons of E[score] E[score]', (m, p, p) for every batch; with `complete_item_information` it makes every
    item's own block of the observed information.
    """
    scores = [_in_few_curves(batch.scores(tables.nodes)) for batch in unknowns.batches]
    blocks = [np.zeros((*batch.parameters.shape, batch.size)) for batch in unknowns.batches]
    batch_of = np.full(len(layout.categories), -1)
    place = np.zeros(len(layout.categories), np.intp)
    for number, batch in enumerate(unknowns.batches):
        batch_of[batch.items], place[batch.items] = number, np.arange(len(batch.items))
    for block in layout:
        density, _ = posterior(block, tables, layout)
        for number, (shares, curves) in enumerate(scores):
            _add_mean_scores(blocks[number], block, density @ curves.T, shares, batch_of == number, place)
    return blocks


def _in_few_curves(scores: Matrix) -> tuple[Matrix, Matrix]:
    """Scores (m, K, p, Q) as shares (m, K, p, R) of R curves (R, Q): smooth as they are, some twenty make them all.

    The curves are orthonormal; what is left out is below ROUNDING of the largest singular value.
    """
    flat = scores.reshape(-1, scores.shape[-1])
    values, vectors = np.linalg.eigh(flat.T @ flat)
    curves = vectors[:, values > ROUNDING**2 * values[-1]].T
    return (flat @ curves.T).reshape(*scores.shape[:-1], len(curves)), curves


def _add_mean_scores(
    out: Matrix,
    block: Block,
    means: Matrix,
    shares: Matrix,
    ours: NDArray[np.bool_],
    place: NDArray[np.intp],
) -> None:
    """Add Σ over persons of E[score] E[score]' to every item's block (m, p, p); `means` (n, R) are those of curves,
    of which the scores have `shares` (m, K, p, R).
    """
    if block.row_start is None:
        person, column = np.nonzero(block.codes != MISSING)
        item, code = block.items[column], block.codes[person, column]
    else:
        person = np.repeat(np.arange(len(means)), np.diff(block.row_start))
        item, code = block.items, block.codes
    mine = np.flatnonzero(ours[item])
    m, K, p, _ = shares.shape
    of_answer = shares.reshape(m * K, p, -1)
    for first in range(0, len(mine), SLICE_RESPONSES):
        rows = mine[first : first + SLICE_RESPONSES]
        who, which = person[rows], place[item[rows]]
        answer = np.take(of_answer, which * K + code[rows], axis=0)
        mean = np.einsum("rq,rpq->pr", np.take(means, who, axis=0), answer)
        weighted = mean * block.weight[who]
        for a in range(p):
            for b in range(p):
                out[:, a, b] += np.bincount(which, weighted[a] * mean[b], m)


def _inverses(information: Matrix, free: NDArray[np.bool_]) -> Matrix:
    """The inverse of every item's block (m, p, p) over its free parameters, NaN where it has none."""
    both = free[:, :, None] & free[:, None, :]
    diagonal = np.sqrt(np.abs(np.einsum("mpp->mp", information)))
    scale = np.where(free & (diagonal > 0), diagonal, 1.0)
    outer = scale[:, :, None] * scale[:, None, :]
    # fixed parameters stand apart with information 1
    scaled = np.where(both, information / outer, 0.0) + np.einsum(
        "mp,pq->mpq", (~free).astype(float), np.eye(free.shape[1])
    )
    values, vectors = np.linalg.eigh(np.where(np.isfinite(scaled), scaled, 0.0))
    known = values[:, 0] > RELIABLE * values[:, -1]
    inverse = (vectors / np.where(known[:, None], values, 1.0)[:, None, :]) @ vectors.transpose(0, 2, 1) / outer
    return np.asarray(np.where(known[:, None, None], np.where(both, inverse, 0.0), np.nan))
