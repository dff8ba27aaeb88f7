"""Calibrations against published results and an independent likelihood, how searches end, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibration import (
    DEFAULT_PRIORS,
    Beta,
    Calibration,
    CalibrationError,
    ItemParameters,
    LogNormal,
    Normal,
    Priors,
    Progress,
    Responses,
    ResponsesError,
    calibrate,
    read_parameters,
    read_responses,
)
from calibration.estimation import fitting
from calibration.models import MODELS
from tests.calibration import lsat
from tests.calibration.estimation.differences import gradient_of, hessian_of
from tests.calibration.simulated import Array, draw, probabilities, responses_to, some_items, two_parameter_scores

NAN = np.nan
FIRM = Priors(LogNormal(0.0, 0.5), Normal(0.0, 2.0))  # one maximum, however small the data


def a_of(result: Calibration) -> Array:
    return np.array([item.a for item in result.items])


def b_of(result: Calibration) -> Array:
    """All thresholds, item by item."""
    return np.concatenate([item.b for item in result.items])


def standard_errors(result: Calibration, name: str) -> Array:
    return np.array([item.se[name] for item in result.items])


# Published results


@pytest.mark.parametrize(
    ("patterns", "model", "priors", "published"),
    [
        pytest.param(lsat.LSAT6, "2PL", None, lsat.LSAT6_2PL, id="LSAT-6 2PL"),
        pytest.param(lsat.LSAT7, "2PL", None, lsat.LSAT7_2PL, id="LSAT-7 2PL"),
        pytest.param(lsat.LSAT6, "Rasch", None, lsat.LSAT6_RASCH, id="LSAT-6 Rasch"),
        pytest.param(lsat.LSAT7, "2PL", Priors(LogNormal(0, 0.5)), lsat.LSAT7_2PL_LOGNORMAL, id="LSAT-7 lognormal"),
    ],
)
def test_published_estimates_are_met(
    patterns: dict[str, int], model: str, priors: Priors | None, published: lsat.Published
) -> None:
    result = calibrate(lsat.responses(patterns), model=model, priors=priors)
    assert result.converged
    assert result.n_persons == 1000
    assert result.log_likelihood == pytest.approx(published.log_likelihood, abs=1e-3)
    assert result.log_prior == pytest.approx(published.log_prior, abs=1e-3)
    assert result.scale.sd**2 == pytest.approx(published.variance, abs=1e-3)
    np.testing.assert_allclose(a_of(result), published.a, atol=1e-3)
    np.testing.assert_allclose(b_of(result), published.b, atol=1e-3)
    np.testing.assert_allclose(standard_errors(result, "b"), published.se_b, atol=1e-3)
    if published.se_a:
        np.testing.assert_allclose(standard_errors(result, "a"), published.se_a, atol=1e-3)


@pytest.mark.parametrize("polytomous", ["GRM", "GPCM", "NRM"])
def test_polytomous_models_of_two_categories_are_the_2pl(polytomous: str) -> None:
    # Published figures for LSAT-6 hold for every model that is the 2PL where there are two categories.
    result = calibrate(lsat.responses(lsat.LSAT6), model=polytomous)
    assert result.log_likelihood == pytest.approx(lsat.LSAT6_2PL.log_likelihood, abs=1e-3)
    if polytomous == "NRM":
        slope = np.array([item.slopes[1] for item in result.items])
        b = -np.array([item.intercepts[1] for item in result.items]) / slope
    else:
        slope, b = a_of(result), b_of(result)
        np.testing.assert_allclose(standard_errors(result, "b1"), lsat.LSAT6_2PL.se_b, atol=1e-3)
    np.testing.assert_allclose(slope, lsat.LSAT6_2PL.a, atol=1e-3)
    np.testing.assert_allclose(b, lsat.LSAT6_2PL.b, atol=1e-3)


def test_one_slope_is_the_rasch_model_on_another_scale() -> None:
    responses = lsat.responses(lsat.LSAT6)
    rasch, one_slope = calibrate(responses, model="rasch"), calibrate(responses, model="1pl")
    assert (rasch.model, one_slope.model) == ("Rasch", "1PL")
    assert one_slope.log_likelihood == pytest.approx(rasch.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(a_of(one_slope), rasch.scale.sd, atol=1e-6)
    np.testing.assert_allclose(a_of(one_slope) * b_of(one_slope), b_of(rasch), atol=1e-6)


# An independent likelihood: the estimates are where it is highest, the standard errors what its curvature says


def vector_of(result: Calibration) -> tuple[Array, Callable[[Array], tuple[list[ItemParameters], float]]]:
    """The reported free parameters as a vector, and items and standard deviation of ability from one."""
    names = [(j, name) for j, item in enumerate(result.items) for name in item.parameter_names if name in item.se]
    start = []
    for j, name in names:
        item = result.items[j]
        if name.startswith(("slope", "intercept")):
            values = item.slopes if name.startswith("slope") else item.intercepts
            start.append(values[int(name[-1])])
        else:
            start.append({"a": item.a, "c": item.c, "d": item.d}.get(name, item.b[int(name[1:] or 1) - 1]))
    free_sd = result.scale.sd != 1

    def items_at(x: Array) -> tuple[list[ItemParameters], float]:
        items = list(result.items)
        for (j, name), value in zip(names, x, strict=False):
            item = items[j]
            if name.startswith(("slope", "intercept")):
                field = "slopes" if name.startswith("slope") else "intercepts"
                values = list(getattr(item, field))
                values[int(name[-1])] = value
                items[j] = dataclasses.replace(item, **{field: tuple(values)})
            elif name.startswith("b"):
                b = list(item.b)
                b[int(name[1:] or 1) - 1] = value
                items[j] = dataclasses.replace(item, b=tuple(b))
            else:
                items[j] = dataclasses.replace(item, **{name: value})
        return items, float(x[-1]) if free_sd else 1.0

    return np.array(start + [result.scale.sd] * free_sd), items_at


def independent(result: Calibration, scores: Array, beta: tuple[float, float] | None) -> Callable[[Array], float]:
    """Marginal log-likelihood on 101 nodes, plus a Beta density of c and of 1 - d."""
    _, items_at = vector_of(result)
    z = np.linspace(-7, 7, 101)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    codes = np.nan_to_num(scores, nan=-1).astype(int)

    def objective(x: Array) -> float:
        items, sd = items_at(x)
        log_l = np.zeros((len(scores), len(z)))
        for j, item in enumerate(items):
            with np.errstate(invalid="ignore"):
                rows = np.vstack([np.log(probabilities(item, sd * z)), np.zeros_like(z)])  # the last for no response
            log_l += rows[codes[:, j]]
        value = float(np.log(np.exp(log_l) @ weight).sum())
        if beta is not None:
            value += sum(stats.beta(*beta).logpdf(item.c) for item in items if item.model in {"3PL", "4PL"})
            value += sum(stats.beta(*beta).logpdf(1 - item.d) for item in items if item.model == "4PL")
        return value

    return objective


@pytest.mark.parametrize("model", [model for model in MODELS if model not in {"1PL", "RSM"}])
def test_estimates_and_standard_errors_are_those_of_an_independent_likelihood(model: str) -> None:
    rng = np.random.default_rng(17)
    items = some_items(model, J=4 if model == "NRM" else 3, K=3)
    scores = draw(rng, items, rng.standard_normal({"NRM": 800, "4PL": 250}.get(model, 500)))
    scores[rng.random(scores.shape) < 0.1] = NAN
    beta = (5.0, 17.0) if model in {"3PL", "4PL"} else None
    priors = Priors(c=Beta(5, 17), d=Beta(17, 5), a=Normal(1.1, 0.3) if beta else None)
    result = calibrate(responses_to(items, scores), model=model, priors=priors if beta else None, tolerance=1e-7)
    assert result.converged
    x, _ = vector_of(result)
    plain = independent(result, scores, beta)

    def objective(x: Array) -> float:
        value = plain(x)
        if beta:
            of_item = len(result.items[0].parameter_names)
            value += float(stats.norm(1.1, 0.3).logpdf(x[::of_item]).sum())
        return value

    if beta:  # densities of c and d; the search is in their logits, whose maximum is at the same place
        assert result.log_prior == pytest.approx(objective(x) - result.log_likelihood, abs=1e-4)
    covariance = np.linalg.inv(-hessian_of(objective, x))
    newton = covariance @ gradient_of(objective, x, 1e-4)
    assert np.abs(newton).max() < 2e-5
    found = [item.se[name] for item in result.items for name in item.parameter_names if name in item.se]
    np.testing.assert_allclose(found, np.sqrt(covariance.diagonal())[: len(found)], rtol=1e-3)
    if result.scale.sd != 1:
        assert result.groups[0].sd.se == pytest.approx(covariance[-1, -1] ** 0.5, rel=1e-3)
    elif model in {"2PL", "GRM", "GPCM"}:  # and the covariances within an item
        size = len(result.items[0].parameter_names)
        np.testing.assert_allclose(result.items[0].covariance, covariance[:size, :size], rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("model", ["1PL", "RSM"])
def test_shared_parameters_are_the_maximum_of_an_independent_likelihood(model: str) -> None:
    rng = np.random.default_rng(18)
    items = some_items(model, J=3, K=4)
    scores = draw(rng, items, rng.standard_normal(400))
    result = calibrate(responses_to(items, scores), model=model, tolerance=1e-7)
    z = np.linspace(-8, 8, 161)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()

    def objective(x: Array) -> float:
        log_l = np.zeros((len(scores), len(z)))
        for j, item in enumerate(result.items):
            if model == "1PL":
                at, sd = dataclasses.replace(item, a=x[0], b=(x[1 + j],)), 1.0
            else:  # locations, steps 1 and 2 (the third is what makes their sum 0), sd
                steps = np.array([x[3], x[4], -x[3] - x[4]])
                at, sd = dataclasses.replace(item, b=tuple(x[j] + steps)), x[5]
            log_l += np.log(probabilities(at, sd * z))[scores[:, j].astype(int)]
        return float(np.log(np.exp(log_l) @ weight).sum())

    if model == "1PL":
        x = np.array([result.items[0].a, *b_of(result)])
        assert len(set(a_of(result))) == 1
    else:
        assert all(item.steps == pytest.approx(result.items[0].steps, abs=1e-12) for item in result.items)
        assert sum(result.items[0].steps) == pytest.approx(0, abs=1e-12)
        x = np.array([*(item.location for item in result.items), *result.items[0].steps[:2], result.scale.sd])
    covariance = np.linalg.inv(-hessian_of(objective, x))
    assert np.abs(covariance @ gradient_of(objective, x, 1e-4)).max() < 2e-5
    if model == "1PL":
        np.testing.assert_allclose(standard_errors(result, "a"), covariance[0, 0] ** 0.5, rtol=1e-3)
        np.testing.assert_allclose(standard_errors(result, "b"), np.sqrt(covariance.diagonal()[1:]), rtol=1e-3)
    else:
        of_first = np.array([1.0, 0, 0, 1, 0, 0])  # b1 = location + step 1
        assert result.items[0].se["b1"] == pytest.approx((of_first @ covariance @ of_first) ** 0.5, rel=1e-3)
        assert result.groups[0].sd.se == pytest.approx(covariance[-1, -1] ** 0.5, rel=1e-3)


def test_beyond_500_parameters_each_items_own_block_is_inverted_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "FULL_INFORMATION", 7)
    rng = np.random.default_rng(7)
    items = some_items("2PL")
    scores = draw(rng, items, rng.standard_normal(400))
    result = calibrate(responses_to(items, scores), tolerance=1e-8)
    x = np.array([value for item in result.items for value in (item.a, item.b[0])])

    def objective(x: Array) -> float:
        found = [dataclasses.replace(item, a=x[2 * j], b=(x[2 * j + 1],)) for j, item in enumerate(items)]
        z = np.linspace(-8, 8, 161)
        log_l = sum(np.log(probabilities(item, z))[scores[:, j].astype(int)] for j, item in enumerate(found))
        return float(np.log(np.exp(log_l) @ (stats.norm.pdf(z) * 0.1)).sum())

    information = -hessian_of(objective, x)
    assert result.converged
    assert np.abs(np.linalg.solve(information, gradient_of(objective, x, 1e-4))).max() < 1e-6
    for j, item in enumerate(result.items):
        covariance = np.linalg.inv(information[2 * j : 2 * j + 2, 2 * j : 2 * j + 2])
        assert item.se["a"] == pytest.approx(covariance[0, 0] ** 0.5, rel=1e-3)
        assert item.se["b"] == pytest.approx(covariance[1, 1] ** 0.5, rel=1e-3)
    assert result.se_kind == "observed information, per-item blocks"


# How a search goes and ends


def small_and_rough(seed: int) -> Responses:
    """Few persons and steep slopes: data on which an accelerated step often goes too far."""
    rng = np.random.default_rng(seed)
    J = int(rng.integers(3, 8))
    theta = rng.standard_normal(int(rng.integers(30, 200)))
    return Responses.from_matrix(two_parameter_scores(rng, theta, rng.uniform(0.3, 3, J), rng.normal(0, 1.2, J)))


def polytomous(model: str, N: int = 300) -> Responses:
    rng = np.random.default_rng(4)
    items = some_items(model, J=4)
    return responses_to(items, draw(rng, items, rng.standard_normal(N)))


@pytest.mark.parametrize("model", ["2PL", "GRM", "GPCM", "PCM", "NRM"])
def test_the_search_never_loses_likelihood(model: str) -> None:
    # 0, 2, 4: of the rough ones those without an endless slope, which is integrated the better the finer the grid gets
    several = [lsat.responses(lsat.LSAT6), lsat.responses(lsat.LSAT7), *map(small_and_rough, (0, 2, 4))]
    for data in several if model == "2PL" else [polytomous(model)]:
        path: list[Progress] = []
        result = calibrate(data, model=model, max_iterations=200, on_iteration=path.append)
        values = [progress.log_likelihood for progress in path]
        assert [progress.iteration for progress in path] == list(range(1, result.iterations + 1))
        assert len(values) > 3
        assert np.diff(values).min() > -1e-8 * abs(values[-1])
        assert values[-1] == pytest.approx(result.log_likelihood, abs=1e-6)
        assert result.fit is not None
        assert result.fit.monotone


def test_acceleration_saves_most_of_the_iterations() -> None:
    assert calibrate(lsat.responses(lsat.LSAT7)).iterations <= 30  # plain EM takes 128 to a similar tolerance


def test_a_run_that_does_not_converge_says_so_and_gives_no_standard_errors(tmp_path: Path) -> None:
    result = calibrate(lsat.responses(lsat.LSAT7), max_iterations=2)
    assert not result.converged
    assert "NOT CONVERGED after" in str(result)
    assert [flag.code for flag in result.warnings] == ["not-converged"]
    assert all(item.se == {} and item.covariance == () for item in result.items)
    assert all(group.mean.se is group.sd.se is None for group in result.groups)
    np.testing.assert_allclose(b_of(result), lsat.LSAT7_2PL.b, atol=1.5)  # what it has, it keeps
    result.save(tmp_path / "p.json")
    document = json.loads((tmp_path / "p.json").read_text(encoding="utf-8"))
    assert document["converged"] is False
    assert len(document["items"]) == 5
    assert document["warnings"][0]["code"] == "not-converged"


def test_start_goes_on_where_a_search_was() -> None:
    data = lsat.responses(lsat.LSAT7)
    path: list[Progress] = []
    whole = calibrate(data, tolerance=1e-7, on_iteration=path.append)
    resumed = calibrate(data, tolerance=1e-7, start=path[4].vector)
    assert resumed.iterations < whole.iterations
    assert resumed.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(b_of(resumed), b_of(whole), atol=1e-6)
    np.testing.assert_allclose(standard_errors(resumed, "b"), standard_errors(whole, "b"), rtol=1e-5)
    at_the_end = calibrate(data, tolerance=1e-5, start=path[-1].vector)
    assert at_the_end.iterations <= 3
    with pytest.raises(CalibrationError, match="the saved state has 3 parameters, this calibration 10"):
        calibrate(data, start=[0.0, 0.0, 0.0])


def test_a_long_sharp_test_gets_a_grid_as_fine_as_its_posteriors() -> None:
    rng = np.random.default_rng(9)
    table = two_parameter_scores(rng, rng.standard_normal(60), np.full(120, 2.5), np.linspace(-2.5, 2.5, 120))
    result = calibrate(Responses.from_matrix(table), priors=DEFAULT_PRIORS)
    assert result.fit is not None
    spacing = np.diff(result.fit.nodes)[0]
    assert result.nodes > 61
    assert spacing <= 1.2 * result.fit.sums.narrowest
    z = np.linspace(-8, 8, 2001)
    log_l = sum(
        np.log(probabilities(item, z) + 1e-300)[table[:, int(item.id[4:]) - 1].astype(int)] for item in result.items
    )
    finer = np.log(np.exp(log_l) @ (stats.norm.pdf(z) * 0.008)).sum()
    assert result.log_likelihood == pytest.approx(finer, abs=1e-4)


# What cannot be calibrated


def test_an_item_without_variance_is_left_out_with_the_reason() -> None:
    table = np.column_stack([lsat.responses(lsat.LSAT7).dense(), np.ones(32)])
    responses = Responses.from_matrix(table, weight=np.array(list(lsat.LSAT7.values()), float))
    result = calibrate(responses)
    assert dict(result.excluded) == {"item6": "no-variance"}
    np.testing.assert_allclose(b_of(result), lsat.LSAT7_2PL.b, atol=1e-3)


BINARY = [[1.0, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
ANCHOR = ItemParameters("elsewhere", "2PL", 1.0, (0.0,))


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        ([[1.0, 2], [0, 1], [1, 0]], {}, CalibrationError, "item item2 has 3 score categories, but 2PL is for items"),
        (BINARY, {"model": "9PL"}, CalibrationError, "'9PL' is not known; choose one of Rasch, 1PL, 2PL"),
        ([[1.0, 0], [1, 0]], {}, ResponsesError, "no item has both right and wrong answers"),
        (BINARY, {"priors": Priors(b=Normal(0, 1))}, CalibrationError, "item item1: a prior on b needs one on a as"),
        (BINARY, {"priors": FIRM, "model": "1PL"}, CalibrationError, "item item1: prior .* but 1PL has one slope"),
        (BINARY, {"model": {"CR*": "GPCM"}}, CalibrationError, r"model for 'CR\*': no item has that id"),
        (BINARY, {"model": {"item1": "2PL"}}, CalibrationError, "item item2 has no model"),
        (BINARY, {"priors": {"Q*": FIRM}}, CalibrationError, r"priors for 'Q\*': no item has that id"),
        (BINARY, {"anchors": [ANCHOR]}, CalibrationError, "none of the 1 anchors has responses"),
        (BINARY, {"reference": "x"}, CalibrationError, "reference group 'x' is none of"),
        (BINARY, {"covariates": {"age": np.ones(6)}}, CalibrationError, "covariate age is the same for everybody"),
        (BINARY, {"covariates": {"age": np.ones(5)}}, CalibrationError, "covariate age: needed is one number for each"),
        (BINARY, {"testlets": {"Q9": "one"}}, CalibrationError, "item set one: item Q9 has no responses"),
        ([[1.0, 1, 0, 0], [0, 1, 1, 0]], {"model": "1PL"}, CalibrationError, "item item1: its slope is 0, so"),
    ],
)
def test_what_cannot_be_calibrated_says_why(
    table: list[list[float]], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        calibrate(Responses.from_matrix(np.array(table)), **options)


def test_covariates_that_say_the_same_are_refused() -> None:
    one = np.arange(6.0)
    with pytest.raises(CalibrationError, match="covariates one, two: one is a sum of others"):
        calibrate(Responses.from_matrix(np.array(BINARY)), covariates={"one": one, "two": 2 * one})


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_a_weight_that_is_none_is_refused_with_its_row(weight: float) -> None:
    with pytest.raises(ResponsesError, match="row 3: weight"):
        Responses.from_matrix(np.array(BINARY), weight=np.array([1, 1, weight, 1, 1, 1]))


def test_an_anchor_of_fewer_categories_is_refused() -> None:
    data = polytomous("GPCM")
    anchor = ItemParameters("GPCM1", "GPCM", 1.0, (0.0, 1.0))
    with pytest.raises(ResponsesError, match="item GPCM1: score 3, but its parameters know the scores 0…2"):
        calibrate(data, model="GPCM", anchors=[anchor])


def codes(result: Calibration) -> list[tuple[str, str]]:
    return [(flag.item, flag.code) for flag in result.warnings]


def test_what_need_not_stop_a_run_is_a_flag() -> None:
    rng = np.random.default_rng(2)
    items = some_items("2PL", J=6)
    scores = draw(rng, items, rng.standard_normal(200))
    scores[:100, 3:] = NAN
    scores[100:, :3] = NAN  # two booklets that share nobody
    scores[7] = NAN
    result = calibrate(responses_to(items, scores), priors=FIRM)
    found = {flag.code: flag.message for flag in result.warnings}
    assert "2PL0, 2PL1, 2PL2; 2PL3, 2PL4, 2PL5" in found["disconnected"]
    assert found["persons-without-responses"] == "1 persons have no response that counts"
    assert result.n_persons == 199


@pytest.mark.parametrize("model", ["2PL", "Rasch"])
@pytest.mark.parametrize("empty", [0, 2])
def test_a_group_without_persons_is_a_flag_and_takes_nothing_away(model: str, empty: int) -> None:
    rng = np.random.default_rng(6)
    items = some_items(model, J=6)
    own = np.array([g for g in range(3) if g != empty], np.int32)[np.arange(400) % 2]
    scores = draw(rng, items, rng.standard_normal(400) + 0.5 * own)
    data = dataclasses.replace(responses_to(items, scores), group=own, groups=("x", "y", "z"))
    result = calibrate(data, model=model)
    assert result.converged
    assert [(flag.code, flag.message[:11]) for flag in result.warnings] == [
        ("group-without-persons", f"group {'xyz'[empty]} has")
    ]
    two = dataclasses.replace(data, group=np.arange(400, dtype=np.int32) % 2, groups=("first", "second"))
    expected = calibrate(two, model=model)
    assert result.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
    assert result.scale.sd == pytest.approx(expected.scale.sd, abs=1e-5)
    for found, item in zip(result.items, expected.items, strict=True):
        assert found.se["b"] == pytest.approx(item.se["b"], abs=1e-5)
    assert result.score().theta == pytest.approx(expected.score().theta, abs=1e-4)
    if empty == 0:
        with pytest.raises(CalibrationError, match="reference group 'x' has no person with a response"):
            calibrate(data, model=model, reference="x")


def test_a_score_that_nobody_got_is_named_and_the_marks_are_kept() -> None:
    data = polytomous("GPCM")
    two_to_three = np.where(data.score == 2, 3, data.score) * (data.item == 1) + data.score * (data.item != 1)
    result = calibrate(dataclasses.replace(data, score=two_to_three.astype(np.int16)), model="GPCM")
    assert ("GPCM1", "unused-score") in codes(result)
    assert (result.items[1].marks, result.items[1].categories) == ((0.0, 1.0, 3.0), 3)
    assert result.items[0].marks == ()


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    model=st.sampled_from(["2PL", "1PL", "Rasch", "3PL", "GRM", "GPCM", "PCM", "RSM", "NRM"]),
    priors=st.sampled_from([None, DEFAULT_PRIORS]),
)
def test_hopeless_data_end_in_a_valid_document_or_a_reason(seed: int, model: str, priors: Priors | None) -> None:
    rng = np.random.default_rng(seed)
    highest = 1 if model in {"1PL", "2PL", "3PL", "Rasch"} else int(rng.integers(1, 4))
    table = rng.integers(0, highest + 1, (rng.integers(2, 8), rng.integers(1, 5))).astype(float)
    table[rng.random(table.shape) < 0.2] = NAN
    try:
        result = calibrate(Responses.from_matrix(table), model=model, priors=priors, max_iterations=60)
    except (CalibrationError, ResponsesError):
        return
    json.dumps(result.document(), allow_nan=False)
    assert all(value > 0 for item in result.items for value in item.se.values())


def test_one_item_does_not_identify_its_slope_and_the_result_says_so() -> None:
    result = calibrate(Responses.from_matrix(np.array([[1.0], [0], [1]])))
    assert [item.se for item in result.items] == [{}]
    assert "singular" in result.se_kind
    assert codes(result) == [("", "not-identified")]
    with_a_prior = calibrate(Responses.from_matrix(np.array([[1.0], [0], [1]])), priors=FIRM)
    assert with_a_prior.items[0].se["a"] > 0.3
    assert with_a_prior.se_kind == "observed information"


# The result as a file


@pytest.mark.parametrize("model", MODELS)
def test_a_saved_calibration_reads_back(tmp_path: Path, model: str) -> None:
    data = lsat.responses(lsat.LSAT6) if model in {"Rasch", "1PL", "2PL", "3PL", "4PL"} else polytomous(model)
    result = calibrate(data, model=model, priors=DEFAULT_PRIORS if model in {"3PL", "4PL"} else None)
    path = tmp_path / "deep" / "params.json"
    result.save(path)
    scale, items = read_parameters(path)
    assert scale == result.scale
    assert items == result.items
    assert [p.name for p in path.parent.iterdir()] == ["params.json"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"items": [{"id": "a", "x": 1}]}', '{"scale": {"x": 1}, "items": []}', "ÿ"]
)
def test_a_file_that_holds_no_parameters_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(
        CalibrationError,
        match=r"p\.json(: none of the known formats|: expected an object|, item a, field x|, scale, field x|: no items"
        r"|, line 1: not UTF-8)",
    ):
        read_parameters(path)


def test_the_digest_is_of_the_data() -> None:
    responses = lsat.responses(lsat.LSAT7)
    flipped = dataclasses.replace(responses, score=np.concatenate([1 - responses.score[:1], responses.score[1:]]))
    digests = {calibrate(data, model=model).data_digest for data in (responses, flipped) for model in ("2PL", "1PL")}
    assert len(digests) == 2


def test_a_group_without_persons_is_named_and_left_out() -> None:
    rng = np.random.default_rng(3)
    items = some_items("2PL", J=8)
    scores = draw(rng, items, rng.standard_normal(600))
    group = np.repeat([0, 2, 1], [300, 290, 10]).astype(np.int32)
    weight = np.where(group == 1, 0.0, 1.0)
    three = replace(responses_to(items, scores, weight=weight), group=group, groups=("A", "gone", "B"))
    counted = group != 1
    two = replace(responses_to(items, scores[counted]), group=group[counted] // 2, groups=("A", "B"))
    one, other = calibrate(three), calibrate(two)
    assert [flag.message[:40] for flag in one.warnings if flag.code == "group-without-persons"] == [
        "group gone has no person with a response"
    ]
    assert [g.name for g in one.groups] == ["A", "B"]
    assert one.groups[1].mean.se == pytest.approx(other.groups[1].mean.se, rel=1e-6)
    for mine, theirs in zip(one.items, other.items, strict=True):
        assert mine.a == pytest.approx(theirs.a, abs=1e-7)
        assert mine.se == pytest.approx(theirs.se, rel=1e-5)
    assert len(one.score().theta) == 600
    with pytest.raises(CalibrationError, match=r"reference group 'gone' has no person .* choose one of A, B"):
        calibrate(three, reference="gone")


def test_above_500_parameters_the_integration_error_is_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    items = some_items("2PL", J=12)
    scores = draw(rng, items, rng.standard_normal(800))
    grouped = replace(responses_to(items, scores), group=np.repeat([0, 1], 400).astype(np.int32), groups=("A", "B"))
    monkeypatch.setattr("calibration.estimation.search.WIDEST_SPACING", 2.0)  # an error that can be seen
    monkeypatch.setattr("calibration.estimation.search.START_SPACING", 1.5)
    whole = calibrate(grouped, tolerance=1e-7)
    monkeypatch.setattr(fitting, "FULL_INFORMATION", 5)
    blocks = calibrate(grouped, tolerance=1e-7)
    assert blocks.se_kind == fitting.OBSERVED_BLOCKS
    assert whole.integration_error > 1e-6
    assert whole.integration_error / 5 < blocks.integration_error < 5 * whole.integration_error
    monkeypatch.undo()
    finest = calibrate(grouped, tolerance=1e-7)
    moved = max(abs(one.a - other.a) for one, other in zip(blocks.items, finest.items, strict=True))
    assert moved < 10 * blocks.integration_error  # it says how far a finer grid moves what was estimated


def test_only_priors_that_act_are_listed() -> None:
    rng = np.random.default_rng(5)
    items = [*some_items("2PL", J=5), *some_items("3PL", J=2)]
    data = responses_to(items, draw(rng, items, rng.standard_normal(400)))
    assert calibrate(data, priors=DEFAULT_PRIORS, max_iterations=3).priors == "a ~ lognormal(floating, 0.5)"
    mixed = calibrate(data, model={"*": "2PL", "3PL*": "3PL"}, priors={"*": DEFAULT_PRIORS}, max_iterations=3)
    assert mixed.priors == "*: a ~ lognormal(floating, 0.5), c ~ beta(5, 17)"
    assert calibrate(data, model="Rasch", priors=DEFAULT_PRIORS, max_iterations=3).priors == "none"


def test_responses_may_be_given_as_what_they_are_read_from(tmp_path: Path) -> None:
    rows = ["Item.1,Item.2,Item.3,Item.4,Item.5,freq", *(f"{','.join(p)},{n}" for p, n in lsat.LSAT7.items())]
    path = tmp_path / "lsat7.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    in_words = calibrate(path, priors="a=lognormal(0, 0.5)")
    written_out = calibrate(read_responses(path), priors=Priors(a=LogNormal(0, 0.5)))
    assert in_words.items == written_out.items
    assert in_words.priors == "a ~ lognormal(0, 0.5)"


def test_weights_that_are_no_counts_are_said_to_be_taken_as_counts() -> None:
    scores = np.array([[*map(float, pattern)] for pattern in lsat.LSAT7])
    counts = np.array([*lsat.LSAT7.values()], float)
    told = [flag.code for flag in calibrate(Responses.from_matrix(scores, weight=counts * 1.5)).warnings]
    assert told == ["weights"]
    assert calibrate(Responses.from_matrix(scores, weight=counts * 2)).warnings == ()


def test_a_run_without_a_maximum_claims_no_source_of_standard_errors() -> None:
    scores = np.array([[*map(float, pattern)] for pattern in lsat.LSAT7])
    counts = np.array([*lsat.LSAT7.values()], float)
    result = calibrate(Responses.from_matrix(scores, weight=counts), max_iterations=2)
    assert not result.converged
    assert result.se_kind == "none: the search did not converge"
    assert "no standard errors" in str(result).splitlines()[0]
    assert all(not item.se for item in result.items)
