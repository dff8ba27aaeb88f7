"""Information from the persons' scores: the cross-product, and what the sandwich needs of it.

At the maximum the sum over persons of score times score estimates the information as well as the curvature does, where
the model holds; where it does not, the two differ, and the sandwich H⁻¹ B H⁻¹ (Huber, 1967; White, 1982) keeps
standard errors honest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, ResponseBlocks, dense_codes, take_persons
from calibration.estimation.expectation import posterior
from calibration.estimation.population import Population
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

SLICE_PERSONS = 256  # at a time: every category of every item has a score for each


def cross_product(layout: ResponseBlocks, unknowns: Unknowns, tables: Tables) -> Matrix:
    """Σ over persons of weight · score · score', (M + S,) squared: the items' own parameters, then the population's.

    A person's score is the expected complete-data score under his posterior (Fisher's identity; Louis, 1982).
    """
    size = unknowns.own_size + unknowns.population.size
    out = np.zeros((size, size))
    tables_of_scores = [batch.scores(tables.nodes) for batch in unknowns.batches]
    for block in layout:
        for first in range(0, len(block.persons), SLICE_PERSONS):
            part = take_persons(block, np.arange(first, min(first + SLICE_PERSONS, len(block.persons))))
            density, _ = posterior(part, tables, layout)
            codes = dense_codes(part, len(layout.categories))
            columns = [
                _own_scores(density, scores, codes[:, batch.items])
                for batch, scores in zip(unknowns.batches, tables_of_scores, strict=True)
            ]
            columns.append(_population_scores(unknowns.population, density, tables.nodes, part.group))
            rows = np.concatenate(columns, axis=1)
            out += rows.T @ (rows * part.weight[:, None])
    return out


def _own_scores(density: Matrix, scores: Matrix, codes: NDArray[np.uint8]) -> Matrix:
    """Expected scores of the categories chosen, (n, m · p), from tables (m, K, p, Q); 0 for items not had."""
    m, K, p, Q = scores.shape
    every = (density @ scores.reshape(m * K * p, Q).T).reshape(-1, m, K, p)
    at = np.where(codes == MISSING, 0, codes).astype(np.intp)
    chosen = np.take_along_axis(every, at[:, :, None, None], axis=2)[:, :, 0]
    return np.asarray(np.where((codes == MISSING)[:, :, None], 0.0, chosen).reshape(len(codes), m * p))


def _population_scores(population: Population, density: Matrix, nodes: Matrix, group: NDArray[np.int32]) -> Matrix:
    """Expected derivatives of the log density of ability in the population's vector, (n, S)."""
    mean, sd = population.mean[group], population.sd[group]
    first, second = (density @ np.stack([nodes, nodes**2], axis=1)).T
    of_mean = (first - mean) / sd**2
    of_log_sd = (second - 2 * mean * first + mean**2) / sd**2 - 1
    return np.concatenate(
        [population.design[group] * of_mean[:, None], population.sd_design[group] * of_log_sd[:, None]], axis=1
    )
