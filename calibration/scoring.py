"""Abilities of persons, and the reference form that turns them into percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.estimation.blocks import block_responses
from calibration.estimation.expectation import posterior
from calibration.estimation.population import Grid, Population
from calibration.estimation.unknowns import Tables
from calibration.models import Curves, ItemParameters, ParameterTable, Scale
from calibration.responses import Responses


class ScaleError(ValueError):
    """Parameters on which scores, a cut or a percentage have no meaning."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Expected a posteriori abilities and posterior standard deviations, (N,) in the order of `persons`."""

    persons: tuple[str, ...]
    theta: NDArray[np.float64]
    se: NDArray[np.float64]


def eap_scores(responses: Responses, items: Sequence[ItemParameters], scale: Scale | None = None) -> Scores:
    """Expected a posteriori abilities (Bock & Mislevy, 1982) under theta ~ N(scale.mean, scale.sd²).

    Persons without a response on a calibrated item get the population's mean and standard deviation. Raises ScaleError
    for an item with a guessing or slipping parameter.
    """
    on = scale or Scale()
    known = {item.id: item for item in items}
    names = [item for item in responses.items if item in known]
    layout = block_responses(responses, names, keep_weightless=True)
    population = Population.of_groups(np.array([on.mean]), np.array([on.sd]), np.zeros(1, bool), np.zeros(1, bool))
    grid = Grid.covering(population, 0.1 * on.sd)
    tables = Tables(
        grid.nodes, Curves.of([known[n] for n in names], on).log_probability(grid.nodes), grid.log_weights(population)
    )
    theta = np.full(len(responses.persons), on.mean, float)
    se = np.full(len(responses.persons), on.sd, float)
    for block in layout:
        density, _ = posterior(block, tables, layout)
        mean = density @ grid.nodes
        theta[block.persons] = mean
        se[block.persons] = np.sqrt(np.maximum(density @ grid.nodes**2 - mean**2, 0.0))
    return Scores(responses.persons, theta, se)


@dataclass(frozen=True, slots=True)
class ReferenceForm:
    """Items with marks on a named scale: what a percentage and its cut mean.

    T(theta) = Σ marks · P(theta); the cut is where T = share · M. `marks` (J,) may be fractions: a reference that
    follows a blueprint over a whole bank weighs each item by what its stratum is worth.
    """

    table: ParameterTable
    marks: NDArray[np.float64]
    scale: Scale = field(default_factory=Scale)

    @property
    def total(self) -> float:
        return float(self.marks.sum())

    def expected_marks(self, theta: ArrayLike) -> NDArray[np.float64]:
        """T at each theta (Q,)."""
        return np.asarray(self.marks @ self.table.probability(theta))

    def percent(self, theta: ArrayLike) -> NDArray[np.float64]:
        return 100 * self.expected_marks(theta) / self.total

    def cut(self, share: float = 0.60) -> float:
        """The ability at which `share` of the marks is expected, by bisection.

        Raises ScaleError where T does not increase (an item with a negative slope can do that) or never reaches the
        share.
        """
        nodes = self.scale.mean + self.scale.sd * np.linspace(-6, 6, 241)
        T = self.expected_marks(nodes)
        if np.any(np.diff(T) <= 0):
            raise ScaleError(
                "expected marks do not increase with ability on the reference form; remove items with a <= 0"
            )
        goal = share * self.total
        if not T[0] < goal < T[-1]:
            raise ScaleError(
                f"the reference form expects {T[0]:.1f}…{T[-1]:.1f} of {self.total:g} marks: {goal:g} is never reached"
            )
        low, high = float(nodes[0]), float(nodes[-1])
        for _ in range(80):
            middle = (low + high) / 2
            if float(self.expected_marks(middle)[0]) < goal:
                low = middle
            else:
                high = middle
        return (low + high) / 2
