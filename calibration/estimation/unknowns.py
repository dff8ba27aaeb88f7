"""Everything an estimation has to find, as one vector: the items' free parameters and the population's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.families import Batch
from calibration.estimation.population import Grid, Population

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unknowns:
    """Batches of items and the population they were answered by.

    The items' own parameters, batch by batch and item by item, are M numbers. Without `ties` the free ones of them are
    the vector's; with `ties` (M, B) they are `origin` + ties · vector, which is how one slope serves many items, steps
    are shared by a rating scale, or a rater's severity shifts all that he marked.
    """

    batches: tuple[Batch, ...]
    population: Population
    ties: csr_array | None = None
    origin: Matrix | None = None
    tied: Matrix | None = None  # the B tied numbers
    tied_names: tuple[tuple[object, ...], ...] = ()

    @property
    def own_size(self) -> int:
        """M, the number of the items' own parameters, free or not."""
        return sum(batch.parameters.size for batch in self.batches)

    @property
    def item_size(self) -> int:
        """B, the number of free parameters of the items."""
        if self.tied is not None:
            return len(self.tied)
        return sum(int(batch.free.sum()) for batch in self.batches)

    def vector(self) -> Matrix:
        """The free parameters: the items', then the population's."""
        if self.tied is not None:
            return np.concatenate([self.tied, self.population.vector()])
        return np.concatenate([*(batch.parameters[batch.free] for batch in self.batches), self.population.vector()])

    def at(self, vector: Matrix) -> Unknowns:
        items, population = np.split(vector, [self.item_size])
        if self.ties is not None and self.origin is not None:
            own = self.origin + self.ties @ items
            return replace(self.with_own(own), tied=items, population=self.population.at(population))
        batches, first = [], 0
        for batch in self.batches:
            parameters = batch.parameters.copy()
            size = int(batch.free.sum())
            parameters[batch.free] = items[first : first + size]
            batches.append(batch.at(parameters))
            first += size
        return replace(self, batches=tuple(batches), population=self.population.at(population))

    def with_own(self, own: Matrix) -> Unknowns:
        """The same with the items' own parameters (M,)."""
        sizes = np.cumsum([batch.parameters.size for batch in self.batches])[:-1]
        parts = zip(self.batches, np.split(own, sizes), strict=True)
        return replace(self, batches=tuple(batch.at(part) for batch, part in parts))

    def free_positions(self) -> NDArray[np.intp]:
        """Where among the M own parameters the free ones stand; without ties."""
        free = [batch.free.reshape(-1) for batch in self.batches]
        return np.flatnonzero(np.concatenate(free)) if free else np.zeros(0, np.intp)

    def log_probability(self, nodes: Matrix, start: NDArray[np.intp]) -> Matrix:
        """Log P of the stacked categories at each node, (C, Q)."""
        out = np.empty((int(start[-1]), len(nodes)))
        for batch in self.batches:
            out[rows(batch, start)] = batch.log_probability(nodes)
        return out


@dataclass(frozen=True, slots=True)
class Tables:
    """What an E-step needs of the unknowns: nodes (Q,), log P of the categories (C, Q), log prior weights (G, Q)."""

    nodes: Matrix
    log_probability: Matrix
    log_weights: Matrix

    @classmethod
    def of(cls, unknowns: Unknowns, grid: Grid, start: NDArray[np.intp], *, single: bool = False) -> Tables:
        dtype = np.float32 if single else np.float64
        return cls(
            grid.nodes,
            unknowns.log_probability(grid.nodes, start).astype(dtype, copy=False),
            grid.log_weights(unknowns.population).astype(dtype, copy=False),
        )


def rows(batch: Batch, start: NDArray[np.intp]) -> NDArray[np.intp]:
    """Stacked rows (m, K) of a batch's categories."""
    return start[batch.items][:, None] + np.arange(batch.categories)


def tie(
    unknowns: Unknowns, ties: csr_array, tied: Matrix, origin: Matrix, names: tuple[tuple[object, ...], ...]
) -> Unknowns:
    """The unknowns with the items' own parameters held to `origin` + ties · tied."""
    held = replace(unknowns, ties=ties, origin=origin, tied=tied, tied_names=names)
    return held.at(held.vector())


def split_own(batches: Sequence[Batch], values: Matrix) -> list[Matrix]:
    """(M, …) values of the own parameters as (m, p, …) for each batch."""
    sizes = np.cumsum([batch.parameters.size for batch in batches])[:-1]
    parts = zip(batches, np.split(values, sizes), strict=True)
    return [part.reshape(*batch.parameters.shape, *values.shape[1:]) for batch, part in parts]
