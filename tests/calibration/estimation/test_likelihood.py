"""Persons' log-likelihoods by adaptive quadrature, one at a time; tables, gaps and sparse blocks the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad_vec

from calibration import ItemParameters, Responses, calibrate
from calibration.estimation import blocks
from calibration.estimation.blocks import Block, ResponseBlocks, block_responses
from calibration.estimation.expectation import expect, posterior
from calibration.estimation.likelihood import add_counts, log_likelihood
from calibration.estimation.population import Grid, Population
from calibration.estimation.unknowns import Tables
from calibration.models import Curves
from tests.calibration.estimation.cases import FIXED, MIXED, mixed_sample
from tests.calibration.simulated import Array, draw, probabilities, responses_to, some_items, two_parameter_scores


def products(items: list[ItemParameters], scores: Array, theta: Array) -> Array:
    """Π P(response | theta) of each person, NaN for no response, (N, Q)."""
    out = np.ones((len(scores), len(theta)))
    for item, column in zip(items, scores.T, strict=True):
        seen = ~np.isnan(column)
        out[seen] *= probabilities(item, theta)[column[seen].astype(int)]
    return out


def normal(x: Array, mean: float, sd: float) -> Array:
    return np.asarray(np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * np.sqrt(2 * np.pi)))


def log_integrals(density: Callable[[float], Array], mean: float, sd: float) -> Array:
    """Log ∫ of each person's density (N,), by adaptive quadrature to ten digits."""
    low, high = mean - 9 * sd, mean + 9 * sd
    peak = np.max([density(theta) for theta in np.linspace(low, high, 60)], axis=0)
    return np.log(quad_vec(lambda theta: density(theta) / peak, low, high, epsabs=1e-10, epsrel=0)[0]) + np.log(peak)


def by_quadrature(items: Sequence[ItemParameters], scores: Array, mean: float, sd: float) -> Array:
    def density(theta: float) -> Array:
        at = np.array([theta])
        return (products(list(items), scores, at) * normal(at, mean, sd))[:, 0]

    return log_integrals(density, mean, sd)


def test_mixed_formats_with_gaps_are_integrated() -> None:
    responses = mixed_sample(30)
    weight = np.random.default_rng(2).uniform(0.5, 3, 30)
    result = calibrate(replace(responses, weight=weight), model=MIXED, priors=FIXED, max_iterations=4)
    expected = weight @ by_quadrature(result.items, responses.dense(), 0, 1)
    # nodes 1.2 posterior standard deviations apart: 1e-6 of the likelihood of each of the 53 weighted persons
    assert result.log_likelihood == pytest.approx(expected, abs=5e-5)


def test_groups_are_integrated_over_their_own_distributions() -> None:
    items = some_items("GRM", J=3)
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(3, dtype=np.int32), 20)
    scores = draw(rng, items, rng.standard_normal(60) * (1 + group / 2) - group)
    scores[:8] = np.arange(8)[:, None] % 4
    responses = replace(responses_to(items, scores), group=group, groups=("x", "y", "z"))
    result = calibrate(responses, model="GRM", reference="y", priors=FIXED, max_iterations=20)
    assert [(g.mean.value == 0, g.sd.value == 1) for g in result.groups] == [(False,) * 2, (True,) * 2, (False,) * 2]
    expected = sum(
        by_quadrature(result.items, scores[group == g], of.mean.value, of.sd.value).sum()
        for g, of in enumerate(result.groups)
    )
    assert result.log_likelihood == pytest.approx(expected, abs=1e-6)


def test_testlets_are_double_integrals() -> None:
    items = some_items("2PL", J=5)
    rng = np.random.default_rng(7)
    scores = draw(rng, items, rng.standard_normal(40))
    scores[:2] = [[1] * 5, [0] * 5]
    scores[5, 1:3] = np.nan
    weight = rng.uniform(0.5, 2, 40)
    sets = {"2PL1": "one", "2PL2": "one", "2PL3": "two", "2PL4": "two"}
    result = calibrate(responses_to(items, scores, weight=weight), testlets=sets, priors=FIXED, max_iterations=5)
    found = list(result.items)
    z, w = np.polynomial.hermite_e.hermegauss(60)

    def density(theta: float) -> Array:
        value = products(found[:1], scores[:, :1], np.array([theta]))[:, 0] * normal(np.array(theta), 0, 1)
        for first, name in ((1, "one"), (3, "two")):
            both = slice(first, first + 2)
            at = theta + result.testlets[name].value * z
            value = value * (products(found[both], scores[:, both], at) @ w) / w.sum()
        return value

    assert {name: round(of.value, 2) for name, of in result.testlets.items()} != {"one": 0.5, "two": 0.5}
    assert result.log_likelihood == pytest.approx(weight @ log_integrals(density, 0, 1), abs=2e-6)


def test_a_posterior_is_bayes_rule_by_hand() -> None:
    # Two nodes of equal weight, one item with z = theta: P(1 | right) = P(1) / (P(1) + P(-1)) = logistic(1).
    item = ItemParameters("Q", "2PL", 1.0, (0.0,))
    nodes = np.array([-1.0, 1.0])
    tables = Tables(nodes, Curves.of([item]).log_probability(nodes), np.log([[0.5, 0.5]]))
    block = Block(np.array([0]), np.ones(1), np.zeros(1, np.int32), np.array([0]), np.array([[1]], np.uint8))
    layout = ResponseBlocks.of(np.array([2]), [block])
    density, log_l = posterior(block, tables, layout)
    np.testing.assert_allclose(density, [[1 - 0.7310585786, 0.7310585786]], atol=1e-9)
    assert log_l[0] == pytest.approx(np.log(0.5))
    sums = expect(layout, tables)
    np.testing.assert_allclose(sums.counts, [[0, 0], [1 - 0.7310585786, 0.7310585786]], atol=1e-9)
    assert sums.moments.first[0] == pytest.approx(2 * 0.7310585786 - 1)
    assert sums.moments.second[0] == pytest.approx(1)


def ragged(seed: int, N: int = 300) -> tuple[list[ItemParameters], Array]:
    """Mixed formats, nobody with the same items as another, and some with very few."""
    rng = np.random.default_rng(seed)
    items = [item for model in MIXED.values() for item in some_items(model, J=2)]
    scores = draw(rng, items, rng.standard_normal(N))
    scores[rng.random(scores.shape) < 0.4] = np.nan
    scores[-1] = np.nan  # and one with nothing
    return items, scores


@pytest.mark.parametrize("least_dense", [0.0, 0.1, 1.1], ids=["tables with gaps", "as it is", "sparse"])
@pytest.mark.parametrize("persons", [7, 2048])
def test_blocks_of_every_kind_have_each_persons_likelihood_and_counts(
    least_dense: float, persons: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LEAST_DENSE", least_dense)
    monkeypatch.setattr(blocks, "BLOCK_PERSONS", persons)
    items, scores = ragged(3, 90)
    nodes = np.linspace(-3, 3, 7)
    log_P = Curves.of(items).log_probability(nodes)
    categories = np.array([item.categories for item in items])
    layout = block_responses(responses_to(items, scores), categories=categories)
    rng = np.random.default_rng(1)
    found, counts = np.full((90, 7), np.nan), np.zeros_like(log_P)
    density = rng.random((90, 7))
    expected, expected_counts = np.zeros((90, 7)), np.zeros_like(log_P)
    for i, row in enumerate(scores):
        for j in np.flatnonzero(~np.isnan(row)):
            at = layout.start[j] + int(row[j])
            expected[i] += np.log(probabilities(items[j], nodes)[int(row[j])])
            if not np.isnan(row).all():
                expected_counts[at] += density[i]
    kinds = set()
    for block in layout:
        found[block.persons] = log_likelihood(block, log_P, layout)
        add_counts(counts, block, density[block.persons], layout)
        kinds.add(block.row_start is not None)
    assert kinds == {least_dense > 1}
    np.testing.assert_allclose(found[:-1], expected[:-1], atol=1e-10)
    assert np.isnan(found[-1]).all()  # who has nothing is in no block
    np.testing.assert_allclose(counts, expected_counts, atol=1e-9)


def test_single_precision_is_near_and_never_denormal() -> None:
    items, scores = ragged(5)
    layout = block_responses(responses_to(items, scores), categories=np.array([i.categories for i in items]))
    grid = Grid.covering(Population.standard(), 0.2)
    log_P = Curves.of(items).log_probability(grid.nodes)
    double = expect(layout, Tables(grid.nodes, log_P, grid.log_weights(Population.standard())))
    single = expect(
        layout,
        Tables(grid.nodes, log_P.astype(np.float32), grid.log_weights(Population.standard()).astype(np.float32)),
    )
    assert single.log_likelihood == pytest.approx(double.log_likelihood, rel=1e-6)
    np.testing.assert_allclose(single.counts, double.counts, atol=1e-3)
    steep = np.where(np.arange(len(grid.nodes)) == 30, 0.0, -500.0).astype(np.float32)
    tables = Tables(grid.nodes, np.tile(steep, (len(log_P), 1)), np.zeros((1, len(grid.nodes)), np.float32))
    for block in layout:
        density, _ = posterior(block, tables, layout)
        assert density.dtype == np.float32
        assert density[density > 0].min() > np.finfo(np.float32).tiny


@pytest.mark.parametrize("items", [6, 400])
def test_a_pass_in_single_precision_is_that_in_double_to_five_digits(items: int) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0.6, 1.8, items), rng.normal(size=items)
    scores = two_parameter_scores(rng, rng.standard_normal(500), a, b)
    layout = block_responses(Responses.from_matrix(scores))
    grid = Grid.covering(Population.standard(), 0.3 if items < 100 else 0.1)
    z = a[:, None] * (grid.nodes - b[:, None])
    log_P = -np.logaddexp(0, np.stack([z, -z], axis=1)).reshape(-1, len(grid.nodes))
    log_weights = grid.log_weights(Population.standard())
    double = expect(layout, Tables(grid.nodes, log_P, log_weights))
    single = expect(layout, Tables(grid.nodes, log_P.astype(np.float32), log_weights.astype(np.float32)))
    assert single.counts.dtype == np.float64
    assert single.log_likelihood == pytest.approx(double.log_likelihood, rel=1e-6)
    assert single.narrowest == pytest.approx(double.narrowest, rel=1e-3)
    np.testing.assert_allclose(single.counts, double.counts, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(single.moments.second, double.moments.second, rtol=1e-5)
