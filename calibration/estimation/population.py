"""Who the persons are: normal distributions of ability, by group or by regression, and the grid they need.

Every group g has mean = origin + design · coefficients and a standard deviation that it may share with others. Free
means of groups are a design of zeros and ones; a latent regression has a group for every distinct row of covariates,
one standard deviation for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

REACH = 6.0  # standard deviations of every group that the grid covers: the mass beyond is 2e-9
START_SPACING = 0.4  # standard deviations
WIDEST_SPACING = 1.2  # posterior standard deviations: the trapezoidal rule then errs by about exp(-2π²/1.2²) = 1e-6
MOST_NODES = 2000
SMALLEST_SD = 1e-3


@dataclass(frozen=True, slots=True)
class Shape:
    """A density of standardised ability as it was found: its values at nodes (S,), of mean 0 and variance 1.

    `free` says that it is still to be found.
    """

    nodes: Matrix
    density: Matrix
    free: bool = True

    @classmethod
    def normal(cls) -> Shape:
        nodes = np.linspace(-REACH, REACH, 121)
        return cls(nodes, np.exp(-0.5 * nodes**2))

    def at(self, z: Matrix) -> Matrix:
        """The density at standardised abilities, up to a factor; next to nothing beyond the nodes."""
        return np.asarray(np.maximum(np.interp(z, self.nodes, self.density, left=0.0, right=0.0), 1e-12))

    @classmethod
    def of_mass(cls, nodes: Matrix, mass: Matrix) -> tuple[Shape, float, float]:
        """The shape of a distribution (Q,) over equally spaced nodes, and the mean and standard deviation it had."""
        share = mass / mass.sum()
        mean = float(share @ nodes)
        sd = float(np.sqrt(share @ (nodes - mean) ** 2))
        return cls((nodes - mean) / sd, share * sd / (nodes[1] - nodes[0])), mean, sd


@dataclass(frozen=True, slots=True)
class Population:
    """Abilities of G groups: theta ~ N(origin + design · coefficients, sd²)."""

    origin: Matrix  # (G,), the mean without regression
    design: Matrix  # (G, P)
    coefficients: Matrix  # (P,)
    fixed_sd: Matrix  # (G,), used where sd_of is -1
    sd_of: NDArray[np.intp]  # (G,), which of the free standard deviations
    free_sd: Matrix  # (S,)
    shape: Shape | None = None  # of the standardised ability, where it is not normal

    @classmethod
    def of_groups(
        cls, mean: Matrix, sd: Matrix, free_mean: NDArray[np.bool_], free_sd: NDArray[np.bool_]
    ) -> Population:
        """Groups with means and standard deviations (G,) of their own, of which some are free."""
        design = np.eye(len(mean))[:, free_mean]
        sd_of = np.where(free_sd, np.cumsum(free_sd) - 1, -1)
        return cls(np.where(free_mean, 0.0, mean), design, mean[free_mean], sd, sd_of, sd[free_sd])

    @classmethod
    def standard(cls, groups: int = 1) -> Population:
        """The first group N(0, 1), which identifies the scale; the others free."""
        free = np.arange(groups) > 0
        return cls.of_groups(np.zeros(groups), np.ones(groups), free, free)

    @classmethod
    def regressed(cls, covariates: Matrix, *, free_sd: bool) -> Population:
        """Theta = covariates (G, P) · coefficients + e, e ~ N(0, sd²); sd is 1 unless it is free."""
        G, P = covariates.shape
        sd_of = np.zeros(G, np.intp) if free_sd else np.full(G, -1)
        return cls(np.zeros(G), covariates, np.zeros(P), np.ones(G), sd_of, np.ones(int(free_sd)))

    @property
    def mean(self) -> Matrix:
        """(G,)."""
        return np.asarray(self.origin + self.design @ self.coefficients)

    @property
    def sd(self) -> Matrix:
        """(G,)."""
        if not len(self.free_sd):
            return self.fixed_sd
        return np.asarray(np.where(self.sd_of >= 0, self.free_sd[self.sd_of], self.fixed_sd))

    @property
    def size(self) -> int:
        """Number of estimated coefficients and standard deviations."""
        return len(self.coefficients) + len(self.free_sd)

    @property
    def sd_design(self) -> Matrix:
        """Which free standard deviation each group has, (G, S), zeros and ones."""
        return np.asarray(np.eye(len(self.free_sd) + 1)[self.sd_of][:, : len(self.free_sd)])

    def is_reference(self) -> NDArray[np.bool_]:
        """Which groups (G,) are N(0, 1) for good."""
        return np.asarray((self.design == 0).all(axis=1) & (self.sd_of < 0) & (self.origin == 0) & (self.fixed_sd == 1))

    def is_standardised(self) -> bool:
        """Whether some groups are N(0, 1), and every other has a mean and a standard deviation of its own."""
        others = ~self.is_reference()
        own = np.zeros((len(others), int(others.sum())))
        own[others] = np.eye(own.shape[1])
        alone = self.design.shape == own.shape and bool((self.design == own).all()) and not self.origin[others].any()
        return not others.all() and alone and sorted(self.sd_of[others]) == list(range(own.shape[1]))

    def on_scale(self, mean: float, sd: float) -> Population:
        """The same abilities as (ability - mean) / sd, save those of reference groups; `is_standardised`."""
        return replace(self, coefficients=(self.coefficients - mean) / sd, free_sd=self.free_sd / sd)

    def vector(self) -> Matrix:
        """Coefficients, then the logs of the free standard deviations."""
        return np.concatenate([self.coefficients, np.log(self.free_sd)])

    def at(self, vector: Matrix) -> Population:
        P = len(self.coefficients)
        return replace(self, coefficients=vector[:P], free_sd=np.exp(vector[P:]))


@dataclass(frozen=True, slots=True)
class Moments:
    """What the E-step leaves of every group (G,): persons, Σ E[theta], Σ E[theta²]."""

    persons: Matrix
    first: Matrix
    second: Matrix

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.persons + other.persons, self.first + other.first, self.second + other.second)

    def about(self, mean: Matrix) -> tuple[Matrix, Matrix]:
        """Σ E[theta - mean] and Σ E[(theta - mean)²], (G,) each."""
        return self.first - self.persons * mean, self.second - 2 * mean * self.first + self.persons * mean**2


def maximised(population: Population, moments: Moments) -> Population:
    """The M-step: least squares for the coefficients, pooled residual variances (Mislevy, 1985)."""
    coefficients = population.coefficients
    if len(coefficients):
        weight = moments.persons / population.sd**2
        weighted = population.design * weight[:, None]
        target = (moments.first - moments.persons * population.origin) / population.sd**2
        gram = weighted.T @ population.design
        gram += 1e-12 * max(float(np.trace(gram)), 1e-300) * np.eye(len(gram))
        coefficients = np.asarray(np.linalg.solve(gram, population.design.T @ target), float)
    moved = replace(population, coefficients=coefficients)
    if not len(population.free_sd):
        return moved
    _, spread = moments.about(moved.mean)
    S = population.sd_design
    variance = (S.T @ spread) / np.maximum(S.T @ moments.persons, 1e-300)
    return replace(moved, free_sd=np.sqrt(np.maximum(variance, SMALLEST_SD**2)))


def gradient(population: Population, moments: Moments) -> Matrix:
    """Gradient of the expected complete-data log-likelihood in `Population.vector`."""
    away, spread = moments.about(population.mean)
    of_log_sd = spread / population.sd**2 - moments.persons
    return np.concatenate([population.design.T @ (away / population.sd**2), population.sd_design.T @ of_log_sd])


def complete_information(population: Population, moments: Moments) -> Matrix:
    """Minus the Hessian of the expected complete-data log-likelihood in `Population.vector`."""
    away, spread = moments.about(population.mean)
    sd, A, S = population.sd, population.design, population.sd_design
    upper = A.T @ (A * (moments.persons / sd**2)[:, None])
    cross = A.T @ (S * (2 * away / sd**2)[:, None])
    lower = S.T @ (S * (2 * spread / sd**2)[:, None])
    return np.block([[upper, cross], [cross.T, lower]])


@dataclass(frozen=True, slots=True)
class Grid:
    """Equally spaced quadrature nodes (Q,)."""

    nodes: Matrix

    @classmethod
    def covering(cls, population: Population, spacing: float, *, reach: float = REACH) -> Grid:
        """Nodes over every group's mean ± `reach` standard deviations, at most `spacing` apart."""
        mean, sd = population.mean, population.sd
        low, high = float((mean - reach * sd).min()), float((mean + reach * sd).max())
        size = min(max(int(np.ceil((high - low) / spacing)), 2) + 1, MOST_NODES)
        return cls(np.linspace(low, high, size))

    @property
    def spacing(self) -> float:
        return float(self.nodes[1] - self.nodes[0])

    def in_precision(self, *, single: bool) -> Matrix:
        """The nodes in double precision, or in `single`, which the curves at them then are in."""
        return np.asarray(self.nodes, np.float32 if single else np.float64)

    def covers(self, population: Population) -> bool:
        """Whether half a standard deviation less than REACH is still covered, so that a moving group needs no new grid
        at every step.
        """
        mean, sd = population.mean, population.sd
        reach = REACH - 0.5
        return bool(self.nodes[0] <= (mean - reach * sd).min() and self.nodes[-1] >= (mean + reach * sd).max())

    def log_weights(self, population: Population) -> Matrix:
        """Logs of each group's weights (G, Q), which sum to 1."""
        z = (self.nodes - population.mean[:, None]) / population.sd[:, None]
        log_density = -0.5 * z**2 if population.shape is None else np.log(population.shape.at(z))
        return np.asarray(log_density - np.log(np.exp(log_density).sum(axis=1, keepdims=True)))
