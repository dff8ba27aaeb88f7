"""Agreement with other engines' results on the shared data: every parameter within 1e-3, none with a better likelihood.

Targets are mirt's EM results (standard errors by Oakes' identity, good to a few thousandths), TAM's where responses are
missing, and direct maximisation in base R where there are priors (observed information).
"""

from __future__ import annotations

import csv
import json
from typing import Any

import numpy as np
import pytest

from calibration import Calibration, LogitNormal, LogNormal, Priors, Responses, calibrate, read_responses
from tests.shared import shared

OAKES, DIRECT = 5e-3, 1e-3  # relative, of standard errors


def reference(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(shared(f"data/calibration/reference/{name}.json").read_text(encoding="utf-8"))
    return document


def table(name: str) -> Responses:
    """A table of scores, with a column of frequencies where it ends in one."""
    with shared(f"data/calibration/{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    values = np.array([[float(cell) for cell in row] for row in rows])
    if header[-1].lower() in {"freq", "frequency", "n"}:
        return Responses.from_matrix(values[:, :-1], header[:-1], weight=values[:, -1])
    return Responses.from_matrix(values, header)


def check_fit(result: Calibration, found: dict[str, Any]) -> None:
    assert result.converged
    assert result.log_likelihood > found["fit"]["logLik"] - 1e-3
    assert result.log_likelihood == pytest.approx(found["fit"]["logLik"], abs=2e-3)
    assert result.n_persons == found["N"]
    assert result.integration_error < 1e-3


def in_slopes_and_intercepts(result: Calibration) -> dict[tuple[str, str], tuple[float, float | None]]:
    """(item, parameter) → value and standard error, as mirt has them: slope a1, intercepts d or d1, d2, …."""
    assert result.fit is not None
    out: dict[tuple[str, str], tuple[float, float | None]] = {}
    names = [item.id for item in result.items]
    for batch, blocks in zip(result.fit.unknowns.batches, result.fit.item_covariance, strict=True):
        for at, j in enumerate(batch.items):
            for k, value in enumerate(batch.parameters[at]):
                name = "a1" if k == 0 else ("d" if batch.categories == 2 else f"d{k}")
                se = float(np.sqrt(blocks[at][k, k]))
                out[names[j], name] = float(value), se if batch.free[at, k] else None
    return out


@pytest.mark.parametrize(
    ("data", "of", "model"),
    [
        ("lsat6_tab", "lsat6__2PL", "2PL"),
        ("lsat7_tab", "lsat7__2PL", "2PL"),
        ("lsat6_tab", "lsat6__Rasch", "Rasch"),
        ("science", "science__gpcm", "GPCM"),
        ("science", "science__graded", "GRM"),
        ("science", "science__PCM", "PCM"),
    ],
)
def test_mirts_results_are_met(data: str, of: str, model: str) -> None:
    found, responses = reference(of), table(data)
    result = calibrate(responses, model=model)
    check_fit(result, found)
    own = in_slopes_and_intercepts(result)
    compared = 0
    for row in found["parameters_slope_intercept"]:
        if row["par"] == "COV_11":
            assert result.scale.sd**2 == pytest.approx(row["est"], abs=1e-3)
        if (row["item"], row["par"]) not in own:
            continue
        value, se = own[row["item"], row["par"]]
        assert value == pytest.approx(row["est"], abs=1e-3), (row["item"], row["par"])
        if row["se"] is not None:
            assert se == pytest.approx(row["se"], rel=OAKES), (row["item"], row["par"])
            compared += 1
    assert compared == found["estimation"]["n_estimated"] - (model in {"Rasch", "PCM"})


@pytest.mark.parametrize(
    ("of", "model", "priors"),
    [
        ("lsat7__2PL_prior_lnorm", "2PL", Priors(LogNormal(0, 0.5))),
        ("lsat7__3PL_prior_norm_lnorm", "3PL", Priors(LogNormal(0, 0.5), c=LogitNormal(-1.1, 2.0))),
    ],
)
def test_direct_maximisation_with_priors_is_met(of: str, model: str, priors: Priors) -> None:
    found = reference(of)
    assert found.get("well_posed", True)
    result = calibrate(table("lsat7_tab"), model=model, priors=priors, tolerance=1e-6)
    assert result.converged
    assert result.log_likelihood + result.log_prior > found["objective"] - 1e-3
    assert result.log_likelihood == pytest.approx(found["logLik"], abs=1e-3)
    assert result.log_prior == pytest.approx(found["logPrior"], abs=1e-3)
    assert [item.id for item in result.items] == [row["item"] for row in found["parameters"]]
    for item, row in zip(result.items, found["parameters"], strict=True):
        assert item.a == pytest.approx(row["a"], abs=1e-3)
        assert item.b[0] == pytest.approx(row["b"], abs=1e-3)
        assert item.se["a"] == pytest.approx(row["se_a"], rel=DIRECT)
        assert item.se["b"] == pytest.approx(row["se_b"], rel=DIRECT)
        if model == "3PL":
            assert item.c == pytest.approx(row["g"], abs=1e-3)
            assert item.se["c"] == pytest.approx(row["se_g"], rel=DIRECT)


def test_incomplete_rasch_data_agree_with_tam() -> None:
    found = reference("sim_rasch_missing__Rasch_61")
    responses = read_responses(shared("data/calibration/sim_rasch_missing.csv"))
    result = calibrate(responses, model="Rasch")
    assert responses.counts["not_administered"] > 20_000
    assert result.log_likelihood > found["logLik"] - 1e-3
    assert result.log_likelihood == pytest.approx(found["logLik"], abs=2e-3)
    assert result.scale.sd**2 == pytest.approx(found["variance"], abs=1e-3)
    assert [item.id for item in result.items] == [row["par"] for row in found["xsi"]]
    np.testing.assert_allclose([item.b[0] for item in result.items], [row["est"] for row in found["xsi"]], atol=1e-3)
