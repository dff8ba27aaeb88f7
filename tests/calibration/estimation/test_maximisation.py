"""The step that takes the scale up at once: it changes no probability, goes up, and stands still at the maximum."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from calibration import DEFAULT_PRIORS, LogNormal, Priors, Responses, calibrate
from calibration.estimation import maximisation
from calibration.estimation.beliefs import Beliefs
from calibration.estimation.maximisation import maximise
from calibration.estimation.population import Grid
from calibration.estimation.unknowns import Unknowns
from tests.calibration.estimation.cases import Case, case_of, sample
from tests.calibration.simulated import draw, responses_to, some_items

WIDE = {
    "2PL": lambda: case_of(sample("2PL", N=200), model="2PL"),
    "3PL": lambda: case_of(sample("3PL", N=200), model="3PL"),
    "GRM, missing": lambda: case_of(sample("GRM", N=200, missing=True), model="GRM"),
    "GPCM, groups": lambda: case_of(sample("GPCM", N=200, groups=3), model="GPCM"),
    "NRM": lambda: case_of(sample("NRM", N=200), model="NRM"),
}
HELD = {
    "Rasch": lambda: case_of(sample("Rasch"), model="Rasch"),
    "a regression": lambda: case_of(sample("2PL"), model="2PL", covariates={"x": np.arange(70) % 3 - 1.0}),
}


def stepped(case: Case, beliefs: Beliefs | None = None) -> Unknowns:
    sums = case.sums(case.unknowns)
    return maximise(case.unknowns, sums, case.grid.nodes, case.layout.start, beliefs or Beliefs())


def likelihood(case: Case, unknowns: Unknowns) -> float:
    grid = Grid.covering(unknowns.population, 0.1, reach=8)
    return replace(case, grid=grid).sums(unknowns).log_likelihood


@pytest.mark.parametrize("kind", WIDE)
def test_the_step_is_em_with_the_references_mean_and_spread_free(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = WIDE[kind]()
    expanded, plain = stepped(case), _plain(case, monkeypatch)
    moments = case.sums(case.unknowns).moments
    mean = moments.first / moments.persons
    sd = np.sqrt(moments.second / moments.persons - mean**2)
    free = replace(
        plain.population,
        origin=mean,
        design=plain.population.design[:, :0],
        coefficients=np.zeros(0),
        fixed_sd=sd,
        sd_of=np.full(len(mean), -1),
        free_sd=np.zeros(0),
    )
    as_found = likelihood(case, replace(plain, population=free))
    assert likelihood(case, expanded) == pytest.approx(as_found, abs=1e-7)
    assert likelihood(case, expanded) > likelihood(case, plain) > likelihood(case, case.unknowns)


def _plain(case: Case, monkeypatch: pytest.MonkeyPatch) -> Unknowns:
    with monkeypatch.context() as patch:
        patch.setattr(maximisation, "_scale_is_convention", lambda _: False)
        return stepped(case)


@pytest.mark.parametrize("kind", HELD)
def test_a_scale_that_something_else_holds_is_left(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = HELD[kind]()
    np.testing.assert_array_equal(stepped(case).vector(), _plain(case, monkeypatch).vector())


def test_priors_and_anchors_hold_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    of_slopes = case_of(sample("2PL"), Priors(a=LogNormal(0.1, 0.5)), model="2PL")
    held = stepped(of_slopes, of_slopes.beliefs)
    with monkeypatch.context() as patch:
        patch.setattr(maximisation, "_scale_is_convention", lambda _: False)
        np.testing.assert_array_equal(held.vector(), stepped(of_slopes, of_slopes.beliefs).vector())
    items = some_items("2PL")
    anchored = case_of(sample("2PL"), model="2PL", anchors={items[0].id: items[0]})
    np.testing.assert_array_equal(stepped(anchored).vector(), _plain(anchored, monkeypatch).vector())


@pytest.mark.parametrize("groups", [1, 2])
def test_the_maximum_stands_still(groups: int) -> None:
    data = sample("2PL", N=400, groups=groups)
    result = calibrate(data, tolerance=1e-8)
    assert result.fit is not None
    case = case_of(data, model="2PL")
    case = replace(case, unknowns=result.fit.unknowns, grid=Grid.covering(result.fit.unknowns.population, 0.1, reach=7))
    np.testing.assert_allclose(stepped(case).vector(), case.vector, atol=2e-7)


def test_it_takes_fewer_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(17)
    items = [replace(item, id=f"Q{j}") for j, item in enumerate(some_items("2PL", J=300))]
    scores = draw(rng, items, rng.standard_normal(1500))
    scores[rng.random(scores.shape) > 0.1] = np.nan
    run = partial(calibrate, responses_to(items, scores))
    quick = run()
    monkeypatch.setattr(maximisation, "_scale_is_convention", lambda _: False)
    slow = run()
    assert quick.converged
    assert slow.converged
    assert quick.iterations < slow.iterations
    assert quick.log_likelihood == pytest.approx(slow.log_likelihood, abs=1e-4)


def test_steps_of_items_with_asymptotes_do_not_go_to_and_fro() -> None:
    # One of 300 items with some 270 responses each bends more than twice as much as its expected information says.
    rng = np.random.default_rng(3)
    theta, a, b = rng.normal(size=2000), np.exp(rng.normal(0, 0.3, 300)), rng.normal(size=300)
    scores = (rng.random((2000, 300)) < 1 / (1 + np.exp(-a * (theta[:, None] - b)))).astype(float)
    scores[np.argsort(rng.random(scores.shape), axis=1) >= 40] = np.nan
    result = calibrate(Responses.from_matrix(scores), model="3PL", priors=DEFAULT_PRIORS, max_iterations=100)
    assert result.converged
