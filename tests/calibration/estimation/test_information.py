"""The gradient and the observed information against differences, for estimations of every kind."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest

from calibration.estimation import information, testlet_information, testlets
from calibration.estimation.beliefs import Beliefs
from calibration.estimation.blocks import ResponseBlocks, take_persons
from calibration.estimation.information import (
    missing_information,
    observed_information,
    orthonormal_polynomials,
)
from calibration.estimation.testlet_information import missing_information_of_testlets
from calibration.estimation.unknowns import Tables
from tests.calibration.estimation.cases import Case, case_of, cases, sample
from tests.calibration.estimation.differences import gradient_of, jacobian_of
from tests.calibration.simulated import Array

CASES = cases()
KINDS = tuple(CASES)


@cache
def case_named(kind: str) -> Case:
    return CASES[kind]()


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest) -> Case:
    return case_named(request.param)


def observed(case: Case) -> Array:
    layout = case.layout
    if case.unknowns.testlets is not None:
        missing = missing_information_of_testlets(layout, case.unknowns, case.grid)
    else:
        missing = missing_information(layout, case.unknowns, Tables.of(case.unknowns, case.grid, layout.start))
    sums = case.sums(case.unknowns)
    return observed_information(missing, case.unknowns, sums, case.grid.nodes, layout.start, case.beliefs)


def test_the_gradient_is_that_of_the_log_posterior(case: Case) -> None:
    gradient = case.gradient(case.vector)
    assert np.abs(gradient).max() > 1  # no maximum: a derivative left out would show
    np.testing.assert_allclose(gradient, gradient_of(case.objective, case.vector, 1e-3), rtol=1e-5, atol=1e-5)


# Parseval's sum ends at 1e-7 of the missing information: standard errors then err by less than 5e-5 of themselves.
def test_the_observed_information_is_the_curvature(case: Case) -> None:
    expected = -jacobian_of(case.gradient, case.vector, 1e-3)
    size = np.sqrt(np.abs(np.outer(expected.diagonal(), expected.diagonal())))
    np.testing.assert_array_less(np.abs(observed(case) - expected) / size, 1e-4)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "testlets" in kind])
def test_the_information_of_sets_is_exact(kind: str) -> None:
    case = case_named(kind)
    expected = -jacobian_of(case.gradient, case.vector, 1e-3)
    size = np.sqrt(np.abs(np.outer(expected.diagonal(), expected.diagonal())))
    np.testing.assert_array_less(np.abs(observed(case) - expected) / size, 1e-5)


def test_the_information_of_a_set_with_next_to_nothing_in_common_is_exact() -> None:
    # 2 E[z²] and Var(z²) are then nearly equal: a difference of the two would be quadrature error
    case = case_named("testlets")
    vector = case.vector
    vector[-1] = np.log(0.05)
    at = replace(case, unknowns=case.unknowns.at(vector))
    expected = -jacobian_of(at.gradient, vector, 1e-3)
    np.testing.assert_allclose(observed(at)[-1], expected[-1], rtol=1e-4, atol=1e-6)


def test_a_held_set_has_no_column() -> None:
    case = case_named("testlets")
    free = case_named("testlets").unknowns.item_sets.free.copy()
    free[0] = False
    held = replace(case, unknowns=replace(case.unknowns, testlets=replace(case.unknowns.item_sets, free=free)))
    keep = np.delete(np.arange(len(case.vector)), len(case.vector) - 2)
    np.testing.assert_allclose(observed(held), observed(case)[np.ix_(keep, keep)], rtol=1e-5, atol=1e-5)


def test_a_share_of_the_persons_stands_for_all_in_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_named("testlets")
    whole = missing_information_of_testlets(case.layout, case.unknowns, case.grid)
    doubled = missing_information_of_testlets(_doubled(case), case.unknowns, case.grid, 0.5)
    np.testing.assert_allclose(doubled, 2 * whole, rtol=1e-6, atol=1e-6)
    monkeypatch.setattr(testlets, "SLICE_PERSONS", 7)
    monkeypatch.setattr(testlets, "MOST_ANSWERS", 2)  # the numbers of the answers are told anew at every item
    monkeypatch.setattr(testlet_information, "SLICE_SCORES", 1)
    small = missing_information_of_testlets(case.layout, case.unknowns, case.grid)
    np.testing.assert_allclose(small, whole, rtol=1e-5, atol=1e-6)


def test_polynomials_are_orthonormal_under_each_persons_posterior() -> None:
    rng = np.random.default_rng(1)
    nodes = np.linspace(-6, 6, 41)
    density = np.exp(-0.5 * ((nodes - rng.normal(size=(5, 1))) / rng.uniform(0.5, 1.2, (5, 1))) ** 2)
    density /= density.sum(axis=1, keepdims=True)
    weighted = np.stack(list(islice(orthonormal_polynomials(density, nodes), 8)))  # density · φ_r
    values = np.concatenate([np.ones((1, *density.shape)), weighted / density])
    gram = np.einsum("rnq,snq,nq->nrs", values, values, density)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(9), gram.shape), atol=1e-8)


def test_a_share_of_the_persons_stands_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every person twice, one after the other: every second one, counted twice, is the whole.
    case = case_named("GRM")
    layout = case.layout
    tables = Tables.of(case.unknowns, case.grid, layout.start)
    whole = missing_information(layout, case.unknowns, tables)
    doubled = missing_information(_doubled(case), case.unknowns, tables, 0.5)
    np.testing.assert_allclose(doubled, 2 * whole, rtol=1e-10, atol=1e-10)
    monkeypatch.setattr(information, "SLICE_PERSONS", 7)
    np.testing.assert_allclose(missing_information(layout, case.unknowns, tables), whole, rtol=1e-5, atol=1e-6)


def _doubled(case: Case) -> ResponseBlocks:
    layout = case.layout
    blocks = [take_persons(block, np.repeat(np.arange(len(block.persons)), 2)) for block in layout]
    return replace(layout, blocks=tuple(blocks))


def test_without_priors_there_is_no_prior_in_the_gradient() -> None:
    case = case_of(sample("2PL"), model="2PL")
    assert not case.beliefs
    assert case.beliefs == Beliefs()


@pytest.mark.parametrize("model", ["2PL", "3PL", "GRM", "GPCM"])
def test_higher_orders_from_fewer_persons_are_nearly_the_same(model: str) -> None:
    case = case_of(sample(model, N=6000), model=model)
    tables = Tables.of(case.unknowns, case.grid, case.layout.start)
    whole = missing_information(case.layout, case.unknowns, tables)
    thinned = missing_information(case.layout, case.unknowns, tables, thinning=4)
    size = np.sqrt(np.outer(whole.diagonal(), whole.diagonal()))
    difference = np.abs(thinned - whole) / size
    assert 0 < difference.max() < 0.02


def test_higher_orders_from_fewer_persons_are_nearly_the_same_in_sets() -> None:
    case = case_named("testlets")
    block = case.layout.blocks[0]
    anyone = np.random.default_rng(2).integers(0, len(block.persons), 4000)
    many = replace(case.layout, blocks=(take_persons(block, anyone),))
    whole = missing_information_of_testlets(many, case.unknowns, case.grid)
    thinned = missing_information_of_testlets(many, case.unknowns, case.grid, thinning=4)
    size = np.sqrt(np.abs(np.outer(whole.diagonal(), whole.diagonal())))
    assert 0 < (np.abs(thinned - whole) / size).max() < 0.02


@pytest.mark.parametrize("size", [97, 1000, 2048])
def test_a_share_is_exact_where_blocks_are_no_multiple_of_it(size: int) -> None:
    # Everybody answers alike: any share of the persons stands for all of them, however the blocks are cut.
    case = case_of(sample("2PL", N=50))
    tables = Tables.of(case.unknowns, case.grid, case.layout.start)
    block = case.layout.blocks[0]
    first = take_persons(block, np.zeros(size, np.intp))
    layout = replace(case.layout, blocks=(first, first, first))
    whole = missing_information(layout, case.unknowns, tables)
    np.testing.assert_allclose(missing_information(layout, case.unknowns, tables, 1 / 25), whole, rtol=1e-9, atol=1e-9)
