"""Populations and their grids: maximum, curvature and reach against closed forms and differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration.estimation.population import (
    Grid,
    Moments,
    Population,
    complete_information,
    gradient,
    maximised,
)
from tests.calibration.estimation.differences import gradient_of, jacobian_of
from tests.calibration.simulated import Array


def abilities(seed: int = 1) -> tuple[list[Array], Moments]:
    """Abilities of three groups as if they were seen, and their moments."""
    rng = np.random.default_rng(seed)
    theta = [rng.normal(g, 1 + 0.5 * g, 40 + 10 * g) for g in range(3)]
    counts = np.array([float(len(of)) for of in theta])
    return theta, Moments(counts, np.array([of.sum() for of in theta]), np.array([(of**2).sum() for of in theta]))


def log_density(population: Population, theta: list[Array]) -> float:
    return float(
        sum(
            stats.norm(mean, sd).logpdf(of).sum()
            for mean, sd, of in zip(population.mean, population.sd, theta, strict=True)
        )
    )


def three(free_mean: list[bool], free_sd: list[bool]) -> Population:
    return Population.of_groups(
        np.array([0.0, 0.3, 0.9]), np.array([1.0, 1.2, 0.8]), np.array(free_mean), np.array(free_sd)
    )


REGRESSED = Population.regressed(np.array([[1.0, 0], [1, 1], [0, 2]]), free_sd=True)
POPULATIONS = {
    "free groups": three([True] * 3, [True] * 3),
    "one reference": three([False, True, True], [False, True, True]),
    "Rasch": three([False, True, True], [True, True, True]),
    "regression": REGRESSED.at(np.array([0.2, 0.4, 0.1])),
}


@pytest.mark.parametrize("population", POPULATIONS.values(), ids=POPULATIONS)
def test_gradient_and_information_are_those_of_the_density(population: Population) -> None:
    theta, moments = abilities()
    x = population.vector()
    expected = gradient_of(lambda v: log_density(population.at(v), theta), x, 1e-3)
    np.testing.assert_allclose(gradient(population, moments), expected, rtol=1e-7, atol=1e-6)
    bend = -jacobian_of(lambda v: gradient(population.at(v), moments), x, 1e-3)
    np.testing.assert_allclose(complete_information(population, moments), bend, rtol=1e-6, atol=1e-6)


def test_the_maximum_is_each_groups_mean_and_spread() -> None:
    theta, moments = abilities()
    found = maximised(POPULATIONS["free groups"], moments)
    np.testing.assert_allclose(found.mean, [of.mean() for of in theta], rtol=1e-10)
    np.testing.assert_allclose(found.sd, [of.std() for of in theta], rtol=1e-10)
    held = maximised(POPULATIONS["one reference"], moments)
    assert (held.mean[0], held.sd[0]) == (0, 1)
    assert held.mean[2] == pytest.approx(theta[2].mean())
    spread_about_0 = np.sqrt(np.mean(theta[0] ** 2))
    assert maximised(POPULATIONS["Rasch"], moments).sd[0] == pytest.approx(spread_about_0)


def test_the_maximum_of_a_regression_is_least_squares_with_one_residual_spread() -> None:
    theta, moments = abilities()
    X = np.repeat(REGRESSED.design, [len(of) for of in theta], axis=0)
    y = np.concatenate(theta)
    coefficients, *_ = np.linalg.lstsq(X, y, rcond=None)
    found = maximised(REGRESSED, moments)
    np.testing.assert_allclose(found.coefficients, coefficients, rtol=1e-9)
    assert found.sd[0] == pytest.approx(np.sqrt(np.mean((y - X @ coefficients) ** 2)))


def test_a_grid_covers_every_group_and_integrates_its_moments() -> None:
    population = POPULATIONS["free groups"]
    grid = Grid.covering(population, 0.4)
    assert grid.nodes[0] == pytest.approx(min(population.mean - 6 * population.sd))
    assert grid.nodes[-1] == pytest.approx(max(population.mean + 6 * population.sd))
    assert grid.spacing <= 0.4 + 1e-12
    weights = np.exp(grid.log_weights(population))
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(weights @ grid.nodes, population.mean, atol=1e-7)
    np.testing.assert_allclose(weights @ grid.nodes**2, population.mean**2 + population.sd**2, rtol=1e-6)
    assert grid.covers(population)
    away = three([True] * 3, [True] * 3).at(np.array([2.0, 0, 0, 0, 0, 0]))
    assert not grid.covers(away)


@pytest.mark.parametrize(
    ("kind", "standardised"),
    [("free groups", False), ("one reference", True), ("Rasch", False), ("regression", False)],
)
def test_a_scale_is_convention_where_a_reference_is_standard_and_others_are_free(kind: str, standardised: bool) -> None:
    assert POPULATIONS[kind].is_standardised() == standardised


def test_the_same_abilities_on_another_scale() -> None:
    population = POPULATIONS["one reference"]
    moved = population.on_scale(0.5, 2.0)
    np.testing.assert_allclose(moved.mean, [0, (0.3 - 0.5) / 2, (0.9 - 0.5) / 2])
    np.testing.assert_allclose(moved.sd, [1, 0.6, 0.4])
    assert Population.standard(3).is_standardised()
    assert not three([False, True, True], [False, True, False]).is_standardised()
