"""A distribution of ability that is not normal is found with the items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import CalibrationError, ItemParameters, Progress, Responses, calibrate, read_state, write_state
from calibration.estimation.population import Grid
from tests.calibration.simulated import two_parameter_scores


def two_humps(N: int, seed: int = 7) -> tuple[Responses, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    theta = np.where(rng.random(N) < 0.7, rng.normal(-0.6, 0.5, N), rng.normal(1.4, 0.5, N))
    theta = (theta - theta.mean()) / theta.std()
    a, b = np.exp(rng.normal(0, 0.2, 25)), rng.normal(0, 1.2, 25)
    return Responses.from_matrix(two_parameter_scores(rng, theta, a, b)), a, b


def test_two_humps_are_found_and_the_items_are_nearer_their_truth() -> None:
    data, _, b = two_humps(3000)
    normal, empirical = calibrate(data), calibrate(data, latent="empirical")
    assert empirical.converged
    assert empirical.log_likelihood > normal.log_likelihood + 50
    error = [np.std([item.b[0] for item in result.items] - b) for result in (normal, empirical)]
    assert error[1] < 0.8 * error[0]
    assert empirical.fit is not None
    shape = empirical.fit.unknowns.population.shape
    assert shape is not None
    low, between, high = shape.at(np.array([-0.6, 0.5, 1.3]))
    assert low > 2 * between
    assert high > 1.3 * between


def test_a_normal_distribution_comes_out_as_one() -> None:
    rng = np.random.default_rng(3)
    table = two_parameter_scores(rng, rng.standard_normal(4000), np.full(25, 1.2), np.linspace(-2, 2, 25))
    result = calibrate(Responses.from_matrix(table), latent="empirical")
    assert result.fit is not None
    shape = result.fit.unknowns.population.shape
    assert shape is not None
    spacing = np.diff(shape.nodes)[0]
    assert shape.density.sum() * spacing == pytest.approx(1, abs=1e-9)
    assert (shape.density * shape.nodes).sum() * spacing == pytest.approx(0, abs=1e-9)
    assert (shape.density * shape.nodes**2).sum() * spacing == pytest.approx(1, abs=1e-9)
    # a histogram becomes rougher with every step, and where the search stops hangs on the rounding of 180 steps
    np.testing.assert_allclose(shape.at(np.array([-1.0, 0.0, 1.0])), [0.242, 0.399, 0.242], atol=0.08)


def test_anchors_already_say_where_ability_is() -> None:
    data, a, b = two_humps(200)
    with pytest.raises(CalibrationError, match="without anchors"):
        calibrate(data, latent="empirical", anchors=[ItemParameters("item1", "2PL", a[0], (b[0],))])


def test_converged_says_that_items_and_distribution_both_stand_still() -> None:
    """The gradient of the items is 0 where they end, and a step of EM moves next to nobody along ability."""
    data, _, _ = two_humps(1000)
    result = calibrate(data, latent="empirical")
    assert result.converged
    assert result.max_gradient < 1e-3
    assert result.fit is not None
    before = Grid(result.fit.nodes).log_weights(result.fit.unknowns.population)[0]
    mass = result.fit.sums.mass
    assert np.abs(np.cumsum(mass / mass.sum() - np.exp(before))).max() < 1.5e-4
    assert not calibrate(data, latent="empirical", tolerance=1e-7, max_iterations=60).converged


def test_a_saved_state_holds_the_distribution(tmp_path: Path) -> None:
    data, _, _ = two_humps(1000)
    told: list[Progress] = []
    whole = calibrate(data, latent="empirical", on_iteration=told.append)
    path = tmp_path / "state.json"
    write_state(path, told[60], "digest")
    again = read_state(path, "digest")
    assert again == told[60]
    assert len(again.shape) > 100
    likelihoods: list[float] = []
    resumed = calibrate(
        data, latent="empirical", start=again, on_iteration=lambda now: likelihoods.append(now.log_likelihood)
    )
    assert likelihoods[0] == pytest.approx(told[60].log_likelihood, abs=1e-3)
    assert len(likelihoods) < len(told) - 40
    assert resumed.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.05)
    with pytest.raises(CalibrationError, match="--latent empirical"):
        calibrate(data, start=again)
