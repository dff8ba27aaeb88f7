"""Priors in slopes and intercepts: the densities, the chain rule, and means that float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibration import DEFAULT_PRIORS, NO_PRIORS, Beta, LogitNormal, LogNormal, Normal, Priors
from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.families import Batch
from calibration.estimation.specification import own_parameters
from calibration.models import ItemParameters
from tests.calibration.estimation.differences import gradient_of, jacobian_of
from tests.calibration.simulated import Array, some_items

FIXED = Priors(LogNormal(0.2, 0.5), Normal(-0.5, 1.5), Beta(5, 17), LogitNormal(2.5, 0.7))
FLOATING = Priors(LogNormal(None, 0.4), Normal(None, 2.0), LogitNormal(-1.2, 0.6), Beta(17, 5))
CLONES = Priors(Normal(1.0, 0.3), Normal(None, 0.3, "clones"))


def batches_of(models: Sequence[str], D: float = 1.0, J: int = 4) -> list[Batch]:
    batches, first = [], 0
    for model in models:
        own = [own_parameters(item, D) for item in some_items(model, J=J)]
        parameters = np.stack([numbers for _, numbers in own])
        K = 2 if own[0][0] == "logistic" else 4
        batches.append(Batch(own[0][0], K, first + np.arange(J), parameters, np.ones(parameters.shape, bool)))
        first += J
    return batches


MODELS = ("2PL", "4PL", "GRM", "GPCM")


def moved(batches: Sequence[Batch], own: Array) -> list[Batch]:
    sizes = np.cumsum([batch.parameters.size for batch in batches])[:-1]
    return [batch.at(part) for batch, part in zip(batches, np.split(own, sizes), strict=True)]


def own_of(batches: Sequence[Batch]) -> Array:
    return np.concatenate([batch.parameters.reshape(-1) for batch in batches])


def hessian_of_terms(beliefs: Beliefs, batches: Sequence[Batch]) -> Array:
    """Minus the Hessian of the log prior, from the blocks and the families' shares."""
    terms = prior_terms(beliefs, batches)
    M = len(own_of(batches))
    out, first = np.zeros((M, M)), 0
    for stack in terms.curvature:
        for block in stack:
            out[first : first + len(block), first : first + len(block)] = block
            first += len(block)
    for vectors, precision in zip(terms.shared, terms.precision, strict=True):
        v = np.concatenate([part.reshape(-1) for part in vectors])
        out -= np.outer(v, v) / precision
    return out


@pytest.mark.parametrize("D", [1.0, 1.7])
@pytest.mark.parametrize("priors", [FIXED, FLOATING, CLONES, DEFAULT_PRIORS], ids=str)
@settings(max_examples=2)
@given(seed=st.integers(0, 2**32 - 1))
def test_gradient_and_hessian_are_those_of_the_density(priors: Priors, D: float, seed: int) -> None:
    batches = batches_of(MODELS, D, J=2)
    beliefs = Beliefs.of(batches, [priors] * 8, D)
    own = own_of(batches) + np.random.default_rng(seed).uniform(-0.2, 0.2, len(own_of(batches)))
    at = moved(batches, own)

    def gradient(x: Array) -> Array:
        return np.concatenate([part.reshape(-1) for part in prior_terms(beliefs, moved(batches, x)).gradient])

    def value(x: Array) -> float:
        return prior_terms(beliefs, moved(batches, x)).value

    np.testing.assert_allclose(gradient(own), gradient_of(value, own, 1e-3), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(hessian_of_terms(beliefs, at), -jacobian_of(gradient, own, 1e-3), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("D", [1.0, 1.7])
def test_the_densities_are_scipys(D: float) -> None:
    # b of a GPCM from its definition: every step has the density.
    batches = batches_of(MODELS, D)
    found = prior_terms(Beliefs.of(batches, [FIXED] * 16, D), batches).value
    items = [item for model in MODELS for item in some_items(model)]
    expected = sum(
        stats.lognorm(s=0.5, scale=np.exp(0.2)).logpdf(item.a) + stats.norm(-0.5, 1.5).logpdf(item.b).sum()
        for item in items
    )
    for item in items:
        if item.model == "4PL":
            expected += stats.beta(5, 17).logpdf(item.c)
            expected += stats.norm(2.5, 0.7).logpdf(np.log(item.d / (1 - item.d)))
    # a prior of a is one of the slope D · a: the same but for the factor D of every density
    factor = 16 * np.log(D)
    assert found == pytest.approx(expected - factor, abs=1e-9)


def test_a_floating_prior_knows_only_differences() -> None:
    batches = batches_of(["2PL"])
    beliefs = Beliefs.of(batches, [DEFAULT_PRIORS] * 4)
    once = prior_terms(beliefs, batches)
    (batch,) = batches
    stretched = batch.at(batch.parameters * [3.0, 1.0])
    assert prior_terms(beliefs, [stretched]).value == pytest.approx(once.value, abs=1e-12)
    alike = batch.at(np.column_stack([np.full(4, 2.2), batch.parameters[:, 1]]))
    np.testing.assert_allclose(prior_terms(beliefs, [alike]).gradient[0], 0, atol=1e-12)
    # log a ~ N(mean of log a, sd²): a density of log a, without 1 / a
    log_a = np.log(batch.parameters[:, 0])
    assert once.value == pytest.approx(stats.norm(log_a.mean(), 0.5).logpdf(log_a).sum(), abs=1e-12)


def test_families_float_apart_from_each_other_and_over_formats() -> None:
    batches = batches_of(["2PL", "3PL"])
    families = [Priors(b=Normal(None, 0.3, name)) for name in ("x", "x", "y", "y") * 2]
    beliefs = Beliefs.of(batches, families)
    assert beliefs.families == 2
    b = np.array([item.b[0] for model in ("2PL", "3PL") for item in some_items(model)])
    of_x = np.tile([True, True, False, False], 2)
    expected = sum(stats.norm(b[part].mean(), 0.3).logpdf(b[part]).sum() for part in (of_x, ~of_x))
    assert prior_terms(beliefs, batches).value == pytest.approx(expected, abs=1e-12)


def test_no_priors_say_nothing_nor_do_those_of_fixed_parameters() -> None:
    batches = batches_of(["2PL"])
    assert not Beliefs.of(batches, [NO_PRIORS] * 4)
    assert prior_terms(Beliefs(), batches).value == 0
    held = [replace(batch, free=np.zeros_like(batch.free)) for batch in batches]
    assert not Beliefs.of(held, [FIXED] * 4)
    nominal = batches_of(["NRM"])
    assert not Beliefs.of(nominal, [FIXED] * 4)


def test_a_prior_on_b_of_a_rasch_item_leaves_the_slope_alone() -> None:
    item = ItemParameters("R", "Rasch", 1.0, (0.7,))
    family, own = own_parameters(item, 1.0)
    batch = Batch(family, 2, np.array([0]), own[None], np.array([[False, True]]))
    terms = prior_terms(Beliefs.of([batch], [Priors(b=Normal(0.2, 0.5))]), [batch])
    assert terms.value == pytest.approx(stats.norm(0.2, 0.5).logpdf(0.7), abs=1e-12)
    assert terms.gradient[0][0, 1] == pytest.approx((0.7 - 0.2) / 0.25)  # intercept = -b
