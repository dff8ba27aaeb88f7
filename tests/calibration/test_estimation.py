"""Estimation against published results, brute force and differences, and its invariances."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from calibration import (
    DEFAULT_PRIORS,
    Calibration,
    CalibrationError,
    ItemParameters,
    LogNormal,
    Normal,
    Priors,
    Responses,
    ResponsesError,
    calibrate,
    estimation,
    read_parameters,
    read_responses,
)
from calibration.estimation import Block, Grid, blocks_of, fit, posterior
from tests.calibration import lsat
from tests.calibration.simulated import Array, booklets, two_parameter_scores

NAN = np.nan
FIRM = Priors(LogNormal(0.0, 0.5), Normal(0.0, 2.0))  # one maximum, however small the data
SHARED = Path(__file__).parents[3] / "shared" / "data" / "calibration"


def a_of(result: Calibration) -> Array:
    return np.array([item.a for item in result.items])


def b_of(result: Calibration) -> Array:
    return np.array([item.b for item in result.items])


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


def test_one_slope_is_the_rasch_model_on_another_scale() -> None:
    responses = lsat.responses(lsat.LSAT6)
    rasch, one_slope = calibrate(responses, model="rasch"), calibrate(responses, model="1pl")
    assert (rasch.model, one_slope.model) == ("Rasch", "1PL")
    assert one_slope.log_likelihood == pytest.approx(rasch.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(a_of(one_slope), rasch.scale.sd, atol=1e-6)
    np.testing.assert_allclose(a_of(one_slope) * b_of(one_slope), b_of(rasch), atol=1e-6)


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data beside the checkout")
def test_incomplete_rasch_data_agree_with_tam() -> None:
    reference = json.loads((SHARED / "reference" / "sim_rasch_missing__Rasch_61.json").read_text(encoding="utf-8"))
    responses = read_responses(SHARED / "sim_rasch_missing.csv")
    result = calibrate(responses, model="Rasch")
    assert responses.counts["not_administered"] > 20_000
    assert result.log_likelihood == pytest.approx(reference["logLik"], abs=1e-3)
    assert result.scale.sd**2 == pytest.approx(reference["variance"], abs=1e-3)
    assert [item.id for item in result.items] == [row["par"] for row in reference["xsi"]]
    np.testing.assert_allclose(b_of(result), [row["est"] for row in reference["xsi"]], atol=1e-3)


# The likelihood


def marginal_log_likelihood(table: Array, weight: Array, a: Array, b: Array) -> float:
    """Σ weight · log ∫ Π P^u (1 - P)^(1 - u) φ(θ) dθ, person by person with adaptive quadrature."""
    total = 0.0
    for row, w in zip(table, weight, strict=True):
        seen = ~np.isnan(row)

        def density(theta: float, u: Array = row[seen], seen: Array = seen) -> float:
            P = 1 / (1 + np.exp(-a[seen] * (theta - b[seen])))
            return float(np.prod(np.where(u == 1, P, 1 - P)) * np.exp(-0.5 * theta**2) / np.sqrt(2 * np.pi))

        total += w * np.log(quad(density, -10, 10, epsabs=0, epsrel=1e-11, limit=200)[0])
    return float(total)


def test_the_log_likelihood_is_the_integral_by_brute_force() -> None:
    rng = np.random.default_rng(1)
    table = two_parameter_scores(rng, rng.standard_normal(40), np.array([0.6, 1.0, 1.8, 1.2]), np.linspace(-1, 1, 4))
    table[rng.random(table.shape) < 0.2] = NAN
    weight = rng.uniform(0.5, 3, 40)
    result = calibrate(Responses.from_matrix(table, weight=weight), priors=FIRM)
    expected = marginal_log_likelihood(table, weight, a_of(result), b_of(result))
    assert result.log_likelihood == pytest.approx(expected, abs=1e-6)


def test_a_posterior_is_bayes_rule_by_hand() -> None:
    # Two nodes of equal weight, one item with z = theta: P(1 | right) = P(1) / (P(1) + P(-1)) = logistic(1).
    grid = Grid(np.array([-1.0, 1.0]), np.log([0.5, 0.5]))
    block = Block(np.array([0]), np.array([0]), np.array([[1.0]]), None, np.ones(1))
    density, log_l = posterior(block, grid, np.array([1.0]), np.array([0.0]))
    np.testing.assert_allclose(density, [[1 - 0.7310585786, 0.7310585786]], atol=1e-9)
    assert log_l[0] == pytest.approx(np.log(0.5))


def small_and_rough(seed: int) -> Responses:
    """Few persons and steep slopes: data on which an accelerated step often goes too far."""
    rng = np.random.default_rng(seed)
    J = int(rng.integers(3, 8))
    theta = rng.standard_normal(int(rng.integers(30, 200)))
    return Responses.from_matrix(two_parameter_scores(rng, theta, rng.uniform(0.3, 3, J), rng.normal(0, 1.2, J)))


def test_em_never_loses_likelihood() -> None:
    for data in (
        lsat.responses(lsat.LSAT6),
        lsat.responses(lsat.LSAT7),
        incomplete(3),
        *map(small_and_rough, range(6)),
    ):
        path: list[float] = []
        result = calibrate(data, max_iterations=200, on_iteration=lambda _, value, path=path: path.append(value))  # type: ignore[misc]
        assert len(path) == result.iterations > 5
        assert np.diff(path).min() > -1e-8 * abs(path[-1])
        assert path[-1] == result.log_likelihood


def test_acceleration_saves_most_of_the_iterations() -> None:
    assert calibrate(lsat.responses(lsat.LSAT7)).iterations <= 30  # plain EM takes 128 to a similar tolerance


def test_a_long_sharp_test_gets_a_grid_as_fine_as_its_posteriors() -> None:
    rng = np.random.default_rng(9)
    table = two_parameter_scores(rng, rng.standard_normal(60), np.full(120, 2.5), np.linspace(-2.5, 2.5, 120))
    blocks = blocks_of(Responses.from_matrix(table), np.ones(120, bool))
    result = fit(blocks, 120, DEFAULT_PRIORS, shared_slope=False)
    assert result.nodes > 61
    density, _ = posterior(blocks[0], Grid.normal(result.nodes), result.slope, result.intercept)
    nodes = Grid.normal(result.nodes).nodes
    narrowest = np.sqrt((density @ nodes**2 - (density @ nodes) ** 2).min())
    assert Grid.normal(result.nodes).spacing <= 1.2 * narrowest
    finer = sum(float(posterior(block, Grid.normal(961), result.slope, result.intercept)[1].sum()) for block in blocks)
    assert result.log_likelihood == pytest.approx(finer, abs=1e-6)


# Standard errors against second differences


def fine_log_likelihood(table: Array, a: Array, b: Array, sd: float = 1.0) -> float:
    """The marginal log-likelihood on 801 points: written apart from the product's."""
    theta = np.linspace(-8, 8, 801)
    weight = np.exp(-0.5 * theta**2)
    weight /= weight.sum()
    P = 1 / (1 + np.exp(-a[:, None] * (sd * theta - b[:, None])))
    right, seen = np.nan_to_num(table), ~np.isnan(table)
    return float(np.log(np.exp(right @ np.log(P) + (seen - right) @ np.log(1 - P)) @ weight).sum())


def second_differences(objective: Callable[[Array], float], x: Array, h: float = 1e-3) -> Array:
    n = len(x)
    steps = h * np.eye(n)
    H = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            plus = objective(x + steps[i] + steps[j]) - objective(x + steps[i] - steps[j])
            H[i, j] = (plus - objective(x - steps[i] + steps[j]) + objective(x - steps[i] - steps[j])) / (4 * h * h)
    return H


def incomplete(seed: int, N: int = 400) -> Responses:
    rng = np.random.default_rng(seed)
    table = two_parameter_scores(rng, rng.standard_normal(N), np.array([0.8, 1.2, 1.5, 1.0]), np.array([-1, 0, 0.5, 1]))
    table[rng.random(table.shape) < 0.15] = NAN
    return Responses.from_matrix(table)


def log_lognormal(a: Array) -> float:
    return float((-(np.log(a) ** 2) / (2 * 0.5**2) - np.log(a)).sum())


@pytest.mark.parametrize("priors", [None, Priors(LogNormal(0, 0.5))], ids=["no prior", "prior on a"])
def test_2pl_standard_errors_are_those_of_the_observed_information(priors: Priors | None) -> None:
    responses = incomplete(7)
    table = responses.dense()
    result = calibrate(responses, priors=priors, tolerance=1e-8)

    def objective(x: Array) -> float:
        return fine_log_likelihood(table, x[:4], x[4:]) + (log_lognormal(x[:4]) if priors else 0.0)

    covariance = np.linalg.inv(-second_differences(objective, np.concatenate([a_of(result), b_of(result)])))
    expected = np.sqrt(covariance.diagonal())
    np.testing.assert_allclose(standard_errors(result, "a"), expected[:4], rtol=2e-4)
    np.testing.assert_allclose(standard_errors(result, "b"), expected[4:], rtol=2e-4)
    np.testing.assert_allclose([item.covariance for item in result.items], covariance[:4, 4:].diagonal(), rtol=1e-3)
    assert result.se_kind == "observed information"


def test_beyond_500_parameters_each_items_own_block_is_inverted_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimation, "FULL_INFORMATION_PARAMETERS", 7)
    responses = incomplete(7)
    table = responses.dense()
    result = calibrate(responses, tolerance=1e-8)
    x = np.concatenate([a_of(result), b_of(result)])
    information = -second_differences(lambda x: fine_log_likelihood(table, x[:4], x[4:]), x)
    for j, item in enumerate(result.items):
        covariance = np.linalg.inv(information[np.ix_([j, j + 4], [j, j + 4])])
        assert item.se["a"] == pytest.approx(covariance[0, 0] ** 0.5, rel=2e-4)
        assert item.se["b"] == pytest.approx(covariance[1, 1] ** 0.5, rel=2e-4)
    assert result.se_kind == "observed information, per-item blocks"


@pytest.mark.parametrize("priors", [None, DEFAULT_PRIORS], ids=["no prior", "default priors"])
def test_1pl_standard_errors_know_that_the_slope_is_shared(priors: Priors | None) -> None:
    responses = incomplete(7)
    table = responses.dense()
    result = calibrate(responses, model="1PL", priors=priors, tolerance=1e-8)
    x = np.concatenate([a_of(result)[:1], b_of(result)])
    information = -second_differences(lambda x: fine_log_likelihood(table, np.full(4, x[0]), x[1:]), x)
    expected = np.sqrt(np.linalg.inv(information).diagonal())
    np.testing.assert_allclose(standard_errors(result, "a"), expected[0], rtol=2e-4)
    np.testing.assert_allclose(standard_errors(result, "b"), expected[1:], rtol=2e-4)
    assert result.priors == "none"


def test_rasch_standard_errors_know_that_the_variance_is_free() -> None:
    responses = incomplete(7)
    table = responses.dense()
    result = calibrate(responses, model="Rasch", tolerance=1e-8)
    x = np.concatenate([[result.scale.sd], b_of(result)])
    information = -second_differences(lambda x: fine_log_likelihood(table, np.ones(4), x[1:], x[0]), x)
    expected = np.sqrt(np.linalg.inv(information).diagonal())
    np.testing.assert_allclose(standard_errors(result, "b"), expected[1:], rtol=2e-4)
    assert all(set(item.se) == {"b"} and item.a == 1 for item in result.items)


# The same data in other clothes


@st.composite
def small_data(draw: st.DrawFn) -> Array:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    N, J = draw(st.integers(20, 60)), draw(st.integers(2, 5))
    table = two_parameter_scores(rng, rng.standard_normal(N), rng.uniform(0.5, 2, J), rng.normal(0, 0.5, J))
    table[rng.random((N, J)) < draw(st.sampled_from([0.0, 0.2]))] = NAN
    table[:2] = [[1] * J, [0] * J]
    return table


def parameters(responses: Responses) -> tuple[float, dict[str, tuple[float, float]]]:
    result = calibrate(responses, priors=FIRM, tolerance=1e-9)
    return result.log_likelihood, {item.id: (item.a, item.b) for item in result.items}


def assert_same(one: Responses, other: Responses) -> None:
    (log_likelihood, items), (other_log_likelihood, other_items) = parameters(one), parameters(other)
    assert log_likelihood == pytest.approx(other_log_likelihood, abs=1e-6)
    assert set(items) == set(other_items)
    for name, values in items.items():
        assert values == pytest.approx(other_items[name], abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(table=small_data(), seed=st.integers(0, 1000))
def test_the_order_of_persons_and_items_does_not_matter(table: Array, seed: int) -> None:
    rng = np.random.default_rng(seed)
    persons, items = rng.permutation(len(table)), rng.permutation(table.shape[1])
    names = [f"Q{j}" for j in range(table.shape[1])]
    assert_same(
        Responses.from_matrix(table, names),
        Responses.from_matrix(table[persons][:, items], [names[j] for j in items]),
    )


@settings(max_examples=20, deadline=None)
@given(table=small_data(), seed=st.integers(0, 1000))
def test_weights_are_repetitions(table: Array, seed: int) -> None:
    weight = np.random.default_rng(seed).integers(0, 4, len(table))
    weight[:2] = 1
    assert_same(
        Responses.from_matrix(table, weight=weight.astype(float)),
        Responses.from_matrix(np.repeat(table, weight, axis=0)),
    )


@settings(max_examples=20, deadline=None)
@given(table=small_data())
def test_long_and_wide_files_calibrate_to_the_same(tmp_path_factory: pytest.TempPathFactory, table: Array) -> None:
    cells = [(i, j, int(u)) for (i, j), u in np.ndenumerate(table) if not np.isnan(u)]
    path = tmp_path_factory.mktemp("long") / "r.csv"
    lines = ["person,item,score", *(f"{i},item{j + 1},{u}" for i, j, u in reversed(cells))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert_same(Responses.from_matrix(table), read_responses(path))


def test_ragged_designs_are_estimated_as_patterned_ones() -> None:
    rng = np.random.default_rng(21)
    table = two_parameter_scores(rng, rng.standard_normal(300), rng.uniform(0.7, 1.6, 10), rng.normal(0, 1, 10))
    table[rng.random(table.shape) < 0.4] = NAN
    responses = Responses.from_matrix(table)
    ragged = blocks_of(responses, np.ones(10, bool))
    assert any(block.mask is not None for block in ragged)
    patterned = [
        Block(np.array([i]), np.flatnonzero(~np.isnan(row)), row[None, ~np.isnan(row)], None, np.ones(1))
        for i, row in enumerate(table)
        if not np.isnan(row).all()
    ]
    one, other = (fit(blocks, 10, DEFAULT_PRIORS, shared_slope=False, tolerance=1e-9) for blocks in (ragged, patterned))
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(one.slope, other.slope, atol=1e-7)
    np.testing.assert_allclose(one.intercept, other.intercept, atol=1e-7)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-7)


def test_blocks_of_many_persons_are_cut_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    responses = incomplete(5)
    whole = calibrate(responses)
    monkeypatch.setattr(estimation, "BLOCK_PERSONS", 7)
    pieces = calibrate(responses)
    assert pieces.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(b_of(pieces), b_of(whole), atol=1e-9)


def test_not_reached_items_do_not_enter(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    rows = ["Q1,Q2,Q3", "1,1,@NR", "0,0,1", "1,0,1", "0,1,0", "1,1,1", "0,0,@NR"]
    path.write_text("\n".join(rows), encoding="utf-8")
    without = tmp_path / "w.csv"
    without.write_text("\n".join(rows).replace("@NR", ""), encoding="utf-8")
    assert_same(read_responses(path), read_responses(without))


# Recovery


def test_parameters_come_back_from_booklets() -> None:
    rng = np.random.default_rng(12)
    a, b = rng.uniform(0.7, 1.8, 30), rng.normal(0, 1, 30)
    table = booklets(two_parameter_scores(rng, rng.standard_normal(6000), a, b), rng)
    result = calibrate(Responses.from_matrix(table))
    assert np.abs((a_of(result) - a) / standard_errors(result, "a")).max() < 4
    assert np.abs((b_of(result) - b) / standard_errors(result, "b")).max() < 4
    assert np.sqrt(np.mean((b_of(result) - b) ** 2)) < 0.08


@pytest.mark.slow
def test_2pl_recovery_is_unbiased() -> None:
    rng = np.random.default_rng(2026)
    J, replications = 20, 60
    a, b = rng.uniform(0.6, 1.8, J), rng.uniform(-1.8, 1.8, J)
    errors = np.empty((replications, 2, J))
    z = np.empty((replications, 2, J))
    for r in range(replications):
        table = two_parameter_scores(rng, rng.standard_normal(2000), a, b)
        result = calibrate(Responses.from_matrix(table))
        errors[r] = a_of(result) - a, b_of(result) - b
        z[r] = errors[r] / [standard_errors(result, "a"), standard_errors(result, "b")]
    monte_carlo_se = errors.std(axis=0, ddof=1) / np.sqrt(replications)
    assert (np.abs(errors.mean(axis=0)) <= 3 * monte_carlo_se + 0.02).all()
    assert np.mean(np.abs(z) < 1.96) == pytest.approx(0.95, abs=0.02)


# What cannot be calibrated


def test_an_item_without_variance_is_left_out_with_the_reason() -> None:
    table = np.column_stack([lsat.responses(lsat.LSAT7).dense(), np.ones(32)])
    responses = Responses.from_matrix(table, weight=np.array(list(lsat.LSAT7.values()), float))
    result = calibrate(responses)
    assert dict(result.excluded) == {"item6": "no-variance"}
    np.testing.assert_allclose(b_of(result), lsat.LSAT7_2PL.b, atol=1e-3)


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        ([[1.0, 2], [0, 1]], {}, CalibrationError, "item item2: score 2, but 2PL is for items scored 0 or 1"),
        ([[1.0, 0], [0, 1]], {"model": "9PL"}, CalibrationError, "'9PL' is not known; choose one of Rasch, 1PL, 2PL"),
        ([[1.0, 0], [1, 0]], {}, ResponsesError, "no item has both right and wrong answers"),
        (
            [[1.0, 0], [0, 1]],
            {"priors": Priors(b=Normal(0, 1))},
            CalibrationError,
            "a prior on b needs one on a as well",
        ),
        ([[1.0, 0], [0, 1]], {"priors": FIRM, "model": "1PL"}, CalibrationError, "1PL has one slope for all items"),
        (
            [[1.0, 1, 0, 0], [0, 1, 1, 0]],
            {"model": "1PL"},
            CalibrationError,
            "item item1: its slope is 0, so",
        ),
    ],
)
def test_what_cannot_be_calibrated_says_why(
    table: list[list[float]], options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        calibrate(Responses.from_matrix(np.array(table)), **options)  # type: ignore[arg-type]


def test_a_run_that_does_not_converge_says_so_and_gives_no_standard_errors() -> None:
    result = calibrate(lsat.responses(lsat.LSAT7), max_iterations=3)
    assert not result.converged
    assert "NOT CONVERGED after 3 iterations" in str(result)
    assert all(item.se == {} for item in result.items)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    model=st.sampled_from(["2PL", "1PL", "Rasch"]),
    priors=st.sampled_from([None, DEFAULT_PRIORS]),
)
def test_hopeless_data_end_in_a_valid_document_or_a_reason(seed: int, model: str, priors: Priors | None) -> None:
    rng = np.random.default_rng(seed)
    table = (rng.random((rng.integers(2, 8), rng.integers(1, 5))) < rng.random()).astype(float)
    table[rng.random(table.shape) < 0.2] = NAN
    try:
        result = calibrate(Responses.from_matrix(table), model=model, priors=priors, max_iterations=200)
    except (CalibrationError, ResponsesError):
        return
    json.dumps(result.document(), allow_nan=False)
    assert all(value > 0 for item in result.items for value in item.se.values())


def test_one_item_does_not_identify_its_slope_and_the_result_says_so() -> None:
    result = calibrate(Responses.from_matrix(np.array([[1.0], [0], [1]])))
    assert [item.se for item in result.items] == [{}]
    assert "singular" in result.se_kind
    with_a_prior = calibrate(Responses.from_matrix(np.array([[1.0], [0], [1]])), priors=FIRM)
    assert with_a_prior.items[0].se["a"] > 0.3
    assert with_a_prior.se_kind == "observed information"


# The result as a file


def test_a_saved_calibration_reads_back(tmp_path: Path) -> None:
    result = calibrate(lsat.responses(lsat.LSAT6), model="Rasch")
    path = tmp_path / "deep" / "params.json"
    result.save(path)
    scale, items = read_parameters(path)
    assert scale == result.scale
    assert items == result.items
    assert [p.name for p in path.parent.iterdir()] == ["params.json"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"items": [{"id": "a"}]}', '{"scale": {"x": 1}, "items": []}', "\u00ff"]
)
def test_a_file_that_holds_no_parameters_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(
        CalibrationError, match=r"p\.json: not a parameter file .* expected what `tiku calibrate --out`"
    ):
        read_parameters(path)


def test_the_digest_is_of_the_data() -> None:
    responses = incomplete(7)
    flipped = dataclasses.replace(responses, score=np.concatenate([1 - responses.score[:1], responses.score[1:]]))
    digests = {calibrate(data, model=model).data_digest for data in (responses, flipped) for model in ("2PL", "1PL")}
    assert len(digests) == 2


def test_plain_items_keep_their_defaults() -> None:
    item = ItemParameters("Q", "2PL", 1.0, 0.0)
    assert (item.c, item.d, item.se, item.version) == (0.0, 1.0, {}, None)
