"""The E-step: posterior distributions of ability, and what they sum to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import Block, ResponseBlocks
from calibration.estimation.families import Batch
from calibration.estimation.likelihood import add_counts, chosen_categories, column_sums, log_likelihood
from calibration.estimation.population import Moments
from calibration.estimation.unknowns import Tables, rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix = NDArray[np.float64]

LEAST_LOG = -80.0  # of a density in single precision: below e^-87 arithmetic with denormals is slow


@dataclass(frozen=True, slots=True)
class Sums:
    """What the persons sum to: expected counts (C, Q), moments of every group, the log-likelihood.

    For testlets also the counts (C, Q · S) at pairs of nodes of each, and the persons and Σ E[gamma²] (T,).
    """

    counts: Matrix
    moments: Moments
    log_likelihood: float
    narrowest: float  # the smallest posterior standard deviation
    mass: Matrix  # persons at each node, (Q,)
    inner: tuple[Matrix, ...] = ()
    testlet_persons: Matrix = field(default_factory=lambda: np.zeros(0))
    testlet_spread: Matrix = field(default_factory=lambda: np.zeros(0))

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.counts + other.counts,
            self.moments + other.moments,
            self.log_likelihood + other.log_likelihood,
            min(self.narrowest, other.narrowest),
            self.mass + other.mass,
            tuple(mine + theirs for mine, theirs in zip(self.inner, other.inner, strict=True)),
            self.testlet_persons + other.testlet_persons,
            self.testlet_spread + other.testlet_spread,
        )

    def of(self, batch: Batch, start: NDArray[np.intp]) -> Matrix:
        """Expected counts of a batch's categories, (m, K, Q), at the nodes its items answer to."""
        return (self.counts if batch.testlet < 0 else self.inner[batch.testlet])[rows(batch, start)]


def posterior(
    block: Block, tables: Tables, layout: ResponseBlocks, X: Matrix | csr_array | None = None
) -> tuple[Matrix, Matrix]:
    """P(node | responses), (n, Q), and log-likelihood (n,) of a block's persons; `X` as in `log_likelihood`."""
    joint = log_likelihood(block, tables.log_probability, layout, X)
    one_group = len(tables.log_weights) == 1 or bool((block.group == block.group[0]).all())
    joint += tables.log_weights[block.group[0]] if one_group else tables.log_weights[block.group]
    return normalised(joint)


def normalised(joint: Matrix) -> tuple[Matrix, Matrix]:
    """Rows of log density (n, Q), overwritten, as densities that sum to 1, and the logs of their sums (n,)."""
    peak = joint.max(axis=1, keepdims=True)
    joint -= peak
    if joint.dtype == np.float32:
        np.maximum(joint, LEAST_LOG, out=joint)
    density = np.exp(joint, out=joint)
    total = density @ np.ones((density.shape[1], 1), density.dtype)
    density *= 1 / total
    return density, (peak + np.log(total))[:, 0]


def expect(layout: ResponseBlocks, tables: Tables) -> Sums:
    """Sums over the persons of `layout` at the parameters in `tables`, each block in the precision of the tables."""
    G, (C, Q) = len(tables.log_weights), tables.log_probability.shape
    counts = np.zeros((C, Q))
    persons, first, second = np.zeros(G), np.zeros(G), np.zeros(G)
    log_l, narrowest, mass = 0.0, np.inf, np.zeros(Q)
    dtype = tables.log_probability.dtype
    powers = np.stack([tables.nodes, tables.nodes**2], axis=1).astype(dtype)
    for block in layout:
        X = chosen_categories(block, layout, dtype)
        density, log_likelihoods = posterior(block, tables, layout, X)
        moments = density @ powers
        narrowest = min(narrowest, float((moments[:, 1] - moments[:, 0] ** 2).min()))
        log_l += float(block.weight @ log_likelihoods)
        persons += np.bincount(block.group, block.weight, G)
        first += np.bincount(block.group, block.weight * moments[:, 0], G)
        second += np.bincount(block.group, block.weight * moments[:, 1], G)
        if not block.unweighted:
            density *= block.weight[:, None]
        mass += column_sums(density)
        add_counts(counts, block, density, layout, X)
    return Sums(counts, Moments(persons, first, second), log_l, float(np.sqrt(max(narrowest, 0.0))), mass)
