"""Expected abilities, chances to be above a cut and draws: everything that is an integral over the posterior."""

from __future__ import annotations

from collections import Counter
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import Block, ResponseBlocks
from calibration.estimation.likelihood import log_likelihood
from calibration.models import Curves
from calibration.scoring.posterior import draws, moments, posterior
from calibration.scoring.quadrature import (
    FINER,
    WIDEST,
    Population,
    Quadrature,
    information_within,
    limits_of,
    most_of_one_person,
)
from calibration.scoring.weighted import Interpolation, ItemSet, category_weights, posterior_function

Matrix = NDArray[np.float64]


class Posteriors:
    """Posterior distributions, block by block, on a quadrature that is made finer where a block asks for it.

    `cuts` (cuts,) are abilities whose P(theta ≥ cut | responses) is wanted; they, and draws (`finer`), need nodes at
    half the spacing.
    """

    def __init__(
        self, curves: Curves, layout: ResponseBlocks, population: Population, cuts: Matrix, *, finer: bool
    ) -> None:
        self.curves, self.layout, self.population, self.cuts = curves, layout, population, cuts
        self.widest = FINER if finer or len(cuts) else WIDEST
        self.weights = category_weights(curves)
        self.functions: dict[tuple[bytes, int], Interpolation] = {}

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Abilities beyond which no posterior reaches."""
        return limits_of(self.curves, self.population)

    @cached_property
    def quadrature(self) -> Quadrature:
        information = information_within(self.curves, self.limits)
        spacing = self.population.spacing(self.widest, information, most_of_one_person(information, self.layout))
        return Quadrature.over(self.curves, self.population, self.limits, spacing)

    def expected(self, block: Block) -> tuple[Matrix, Matrix, Matrix]:
        """EAP (n,), posterior SD (n,) and P(theta ≥ each cut) (n, cuts) of a block's persons."""
        item_set = self._weighted(block)
        if item_set is None:
            return self._integrated(block)[1:]
        t = log_likelihood(block, self.weights[:, None], self.layout)[:, 0]
        first = int(block.group[0])
        found = self._function(block.items, item_set, first).at(t)
        for group in np.unique(block.group[block.group != first]):
            rows = block.group == group
            found[rows] = self._function(block.items, item_set, int(group)).at(t[rows])
        return found[:, 0], found[:, 1], found[:, 2:]

    def drawn(self, block: Block, uniform: Matrix) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """The same, and plausible values where the posteriors' distribution functions reach `uniform` (n, M)."""
        density, theta, se, above = self._integrated(block)
        return theta, se, above, draws(density, self.quadrature, uniform)

    def _integrated(self, block: Block) -> tuple[Matrix, Matrix, Matrix, Matrix]:
        """Posteriors on a quadrature that is fine enough for the narrowest of them, and what is expected."""
        while True:
            density = posterior(block, self.quadrature, self.layout)
            theta, se = moments(density, self.quadrature.nodes)
            if self._fine_for(float(se.min())):
                return density, theta, se, np.clip(density @ self.quadrature.above(self.cuts), 0.0, 1.0)

    def _fine_for(self, narrowest: float) -> bool:
        """Whether the quadrature is fine enough for a posterior with that SD; if not, it is made finer."""
        spacing = self.quadrature.spacing
        if spacing <= self.widest * narrowest:
            return True
        finer = max(0.9 * self.widest * narrowest, spacing / 2)  # an SD on nodes too far apart may be far too small
        self.quadrature = Quadrature.over(self.curves, self.population, self.limits, finer)
        self.functions = {}
        return False

    def _weighted(self, block: Block) -> ItemSet | None:
        """The items of a block as a set, where so many persons saw them that interpolation is worth its knots."""
        if block.row_start is not None or not block.complete:
            return None
        item_set = ItemSet.of(self.curves, self.weights, block.items)
        if not item_set.sufficient:
            return None
        knots = item_set.posterior_knots(float(self.population.sd.max()))
        return item_set if self.with_items[block.items.tobytes()] > knots else None

    def _function(self, items: NDArray[np.intp], item_set: ItemSet, group: int) -> Interpolation:
        key = (items.tobytes(), group)
        while key not in self.functions:
            knots = item_set.posterior_knots(float(self.population.sd[group]))
            above = self.quadrature.above(self.cuts)
            function = posterior_function(item_set, self.quadrature, group, above, knots)
            if self._fine_for(float(function.values[:, 1].min())):
                self.functions[key] = function
        return self.functions[key]

    @cached_property
    def with_items(self) -> Counter[bytes]:
        return persons_with_items(self.layout)


def persons_with_items(layout: ResponseBlocks) -> Counter[bytes]:
    """How many persons of complete tables saw each set of items (by the bytes of its positions)."""
    count: Counter[bytes] = Counter()
    for block in layout:
        if block.row_start is None and block.complete:
            count[block.items.tobytes()] += len(block.persons)
    return count
