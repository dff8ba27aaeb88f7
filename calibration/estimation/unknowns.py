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
class Testlets:
    """Item sets: items of testlet t answer to theta + gamma_t, gamma_t ~ N(0, sd²) (Bradlow, Wainer & Wang, 1999).

    `inner` (S,) are the nodes of gamma / sd and `log_weights` (S,) the logs of their weights. A testlet that adds
    nothing has its sd at the bound, no longer `free`.
    """

    names: tuple[str, ...]
    sd: Matrix  # (T,)
    free: NDArray[np.bool_]  # (T,)
    inner: Matrix
    log_weights: Matrix

    @classmethod
    def start(cls, names: tuple[str, ...]) -> Testlets:
        # spacing 0.67: a testlet's few items leave gamma wide; of its variance 2e-5 is beyond 5, 1e-7 beyond 6
        return cls(names, np.full(len(names), 0.5), np.ones(len(names), bool), *_standard_nodes(19))

    def finer(self) -> Testlets:
        """The same with nodes half as far apart."""
        inner, log_weights = _standard_nodes(2 * len(self.inner) - 1)
        return replace(self, inner=inner, log_weights=log_weights)

    def nodes(self, testlet: int, nodes: Matrix) -> Matrix:
        """Theta + gamma for every pair of an outer and an inner node, (Q · S,)."""
        return np.asarray((nodes[:, None] + self.sd[testlet] * self.inner).reshape(-1))


def _standard_nodes(size: int) -> tuple[Matrix, Matrix]:
    """Equally spaced nodes (S,) over N(0, 1) ± 6 and the logs of their weights."""
    inner = np.linspace(-6.0, 6.0, size)
    log_density = -0.5 * inner**2
    return inner, np.asarray(log_density - np.log(np.exp(log_density).sum()))


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
    testlets: Testlets | None = None

    @property
    def item_sets(self) -> Testlets:
        """The testlets, where it is known that there are some."""
        if self.testlets is None:
            raise AssertionError("no testlets")
        return self.testlets

    @property
    def are_lines(self) -> bool:
        """Whether the log odds of all items are lines (2PL)."""
        return all(batch.is_line for batch in self.batches)

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
        """The free parameters: the items', the population's, the logs of the testlets' free standard deviations."""
        items = [self.tied] if self.tied is not None else [batch.parameters[batch.free] for batch in self.batches]
        testlets = [np.log(self.testlets.sd[self.testlets.free])] if self.testlets is not None else []
        return np.concatenate([*items, self.population.vector(), *testlets])

    def at(self, vector: Matrix) -> Unknowns:
        B = self.item_size
        items, population, testlets = np.split(vector, [B, B + self.population.size])
        moved = replace(self, population=self.population.at(population))
        if self.testlets is not None:
            sd = self.testlets.sd.copy()
            sd[self.testlets.free] = np.exp(testlets)
            moved = replace(moved, testlets=replace(self.testlets, sd=sd))
        if self.ties is not None and self.origin is not None:
            return replace(moved.with_own(self.origin + self.ties @ items), tied=items)
        batches, first = [], 0
        for batch in self.batches:
            parameters = batch.parameters.copy()
            size = int(batch.free.sum())
            parameters[batch.free] = items[first : first + size]
            batches.append(batch.at(parameters))
            first += size
        return replace(moved, batches=tuple(batches))

    def all_free(self) -> Unknowns:
        """The same with the testlets at the bound free again, as a search starts."""
        if self.testlets is None:
            return self
        return replace(self, testlets=replace(self.testlets, free=np.ones_like(self.testlets.free)))

    def with_shape_kept(self) -> Unknowns:
        """The same with the distribution of ability as it is, no longer to be found."""
        population = self.population
        if population.shape is None:
            return self
        return replace(self, population=replace(population, shape=replace(population.shape, free=False)))

    def nodes_of(self, batch: Batch, nodes: Matrix) -> Matrix:
        """The abilities that a batch's items answer to: the grid's nodes, or those with a testlet's share added."""
        if batch.testlet < 0 or self.testlets is None:
            return nodes
        return self.testlets.nodes(batch.testlet, nodes)

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
        """Log P of the stacked categories at each node, (C, Q); 0 for those of testlets."""
        out = np.zeros((int(start[-1]), len(nodes)), nodes.dtype)
        for batch in self.batches:
            if batch.testlet < 0:
                out[rows(batch, start)] = batch.log_probability(nodes)
        return out

    def log_probability_in(self, testlet: int, nodes: Matrix, start: NDArray[np.intp]) -> Matrix:
        """Log P of the stacked categories at each pair of nodes, (C, Q · S); 0 outside the testlet."""
        out = np.zeros((int(start[-1]), len(nodes) * len(self.testlets.inner) if self.testlets is not None else 0))
        for batch in self.batches:
            if batch.testlet == testlet:
                out[rows(batch, start)] = batch.log_probability(self.nodes_of(batch, nodes))
        return out


@dataclass(frozen=True, slots=True)
class Tables:
    """What an E-step needs of the unknowns: nodes (Q,), log P of the categories (C, Q), log prior weights (G, Q)."""

    nodes: Matrix
    log_probability: Matrix
    log_weights: Matrix

    @classmethod
    def of(cls, unknowns: Unknowns, grid: Grid, start: NDArray[np.intp], *, single: bool = False) -> Tables:
        """In double precision, or in `single` for a pass whose step is large."""
        log_P = unknowns.log_probability(grid.in_precision(single=single and unknowns.are_lines), start)
        log_weights = grid.log_weights(unknowns.population)
        if single:
            log_P, log_weights = np.asarray(log_P, np.float32), np.asarray(log_weights, np.float32)
        return cls(grid.nodes, log_P, log_weights)


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
