"""A distribution of ability that is not normal is found with the items."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError, ItemParameters, Responses, calibrate
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
