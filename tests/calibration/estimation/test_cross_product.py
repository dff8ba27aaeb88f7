"""Standard errors from the persons' scores: against differences of every person's own log-likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError, Responses, calibrate
from calibration.estimation.blocks import block_responses
from calibration.estimation.cross_product import cross_product
from calibration.estimation.expectation import posterior
from calibration.estimation.information import in_vector
from calibration.estimation.population import Grid
from calibration.estimation.unknowns import Tables
from tests.calibration.simulated import two_parameter_scores


def simulated(N: int = 400, J: int = 5) -> Responses:
    rng = np.random.default_rng(4)
    table = two_parameter_scores(rng, rng.standard_normal(N), np.linspace(0.7, 1.6, J), np.linspace(-1, 1, J))
    table[rng.random(table.shape) < 0.1] = np.nan
    return Responses.from_matrix(table)


def test_the_cross_product_is_that_of_the_gradients_of_single_persons() -> None:
    data = simulated()
    fit = calibrate(data).fit
    assert fit is not None
    layout, unknowns, grid = block_responses(data), fit.unknowns, Grid(fit.nodes)
    vector = unknowns.vector()

    def log_likelihoods(at: np.ndarray) -> np.ndarray:
        tables = Tables.of(unknowns.at(at), grid, layout.start)
        return np.concatenate([posterior(block, tables, layout)[1] for block in layout])

    step = 1e-5 * np.eye(len(vector))
    scores = np.stack([(log_likelihoods(vector + h) - log_likelihoods(vector - h)) / 2e-5 for h in step], axis=1)
    found = in_vector(cross_product(layout, unknowns, Tables.of(unknowns, grid, layout.start)), unknowns)
    np.testing.assert_allclose(found, scores.T @ scores, rtol=1e-5, atol=1e-5)


def test_where_the_model_holds_the_three_kinds_agree() -> None:
    data = simulated(N=6000)
    kinds = ("observed", "cross-product", "sandwich")
    errors = [[se for item in calibrate(data, errors=kind).items for se in item.se.values()] for kind in kinds]
    np.testing.assert_allclose(errors[1], errors[0], rtol=0.06)
    np.testing.assert_allclose(errors[2], errors[0], rtol=0.06)


def test_the_sandwich_is_made_of_both() -> None:
    data = simulated(N=600)
    observed, cross, sandwich = (calibrate(data, errors=kind).fit for kind in ("observed", "cross-product", "sandwich"))
    assert observed is not None
    assert cross is not None
    assert sandwich is not None
    assert observed.covariance is not None
    assert cross.covariance is not None
    assert sandwich.covariance is not None
    made = observed.covariance @ np.linalg.inv(cross.covariance) @ observed.covariance
    np.testing.assert_allclose(sandwich.covariance, made, rtol=1e-6, atol=1e-12)


def test_too_few_persons_are_refused_with_the_number_needed() -> None:
    with pytest.raises(CalibrationError, match="10 parameters need 50 persons, there are 40"):
        calibrate(simulated(N=40), errors="sandwich")
