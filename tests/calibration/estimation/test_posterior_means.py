"""Posterior means, against quadrature over an item's parameters and in the limits where they are known."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta, norm

from calibration import (
    Beta,
    CalibrationError,
    ItemParameters,
    LogNormal,
    Normal,
    Priors,
    Responses,
    Scale,
    block_stream,
    calibrate,
    calibrate_stream,
)
from calibration.estimation import posterior_means as module
from calibration.estimation.beliefs import Beliefs
from calibration.estimation.fitting import fit
from calibration.estimation.population import Population
from calibration.estimation.posterior_means import posterior_means
from calibration.estimation.specification import specify
from calibration.preparing import prepare
from tests.calibration.simulated import Array, draw, probabilities, responses_to, some_items

PRIORS = Priors(LogNormal(0.1, 0.4), Normal(0.2, 1.2), Beta(5, 17), Beta(17, 5))
NODES = np.linspace(-6, 6, 121)


def some_data(model: str, N: int, J: int = 5, K: int = 3, seed: int = 3) -> tuple[list[ItemParameters], Responses]:
    items, rng = some_items(model, J=J, K=K), np.random.default_rng(seed)
    return items, responses_to(items, draw(rng, items, rng.standard_normal(N)))


def by_quadrature(items: list[ItemParameters], scores: Array, weight: Array, axes: list[Array]) -> tuple[Array, Array]:
    """Mean and covariance of the first item's a, b …, c, d given the other items and N(0, 1), on a product of `axes`.

    The axes are of a, b_1 …, c, d; the density on them is the priors' times Σ weight · log P(responses).
    """
    others = np.tile(norm.pdf(NODES), (len(scores), 1))
    for j, item in enumerate(items[1:], start=1):
        others *= probabilities(item, NODES)[scores[:, j].astype(int)]
    thresholds = len(items[0].b)
    points, logs = [], []
    for point in product(*axes):
        a, b, rest = point[0], point[1 : 1 + thresholds], point[1 + thresholds :]
        if (np.diff(b) <= 0).any():
            continue
        item = replace(items[0], a=a, b=b, **dict(zip("cd", rest, strict=False)))
        likelihood = (others * probabilities(item, NODES)[scores[:, 0].astype(int)]).sum(axis=1)
        prior = norm.logpdf(np.log(a), 0.1, 0.4) - np.log(a) + norm.logpdf(b, 0.2, 1.2).sum()
        prior += sum(beta.logpdf(x, *of) for x, of in zip(rest, ((5, 17), (17, 5)), strict=False))
        points.append(point)
        logs.append(weight @ np.log(likelihood) + prior)
    share = np.exp(np.array(logs) - max(logs))
    share /= share.sum()
    values = np.array(points)
    mean = share @ values
    return mean, (values - mean).T @ ((values - mean) * share[:, None])


AXES = {
    "2PL": [np.linspace(0.2, 2.5, 40), np.linspace(-3.5, 1.0, 40)],
    "3PL": [np.linspace(0.2, 3.5, 20), np.linspace(-3.5, 2.0, 20), np.linspace(0.01, 0.7, 14)],
    "GRM": [np.linspace(0.2, 2.2, 18), np.linspace(-4.0, 0.2, 18), np.linspace(-1.5, 2.5, 18)],
    "GPCM": [np.linspace(0.2, 2.2, 18), np.linspace(-4.0, 1.2, 18), np.linspace(-2.5, 2.5, 18)],
}


@pytest.mark.parametrize("model", AXES)
def test_moments_are_those_of_quadrature(model: str) -> None:
    items, data = some_data(model, 80)
    weight = np.tile([1.0, 2.0], 40)
    data = replace(data, weight=weight)
    prepared = prepare(data, model=model, anchors={item.id: item for item in items[1:]})
    unknowns = specify(
        prepared.persons,
        prepared.items,
        prepared.models,
        Population.standard(),  # known, as the other items are: what is found is the item's own posterior
        anchors=prepared.anchors,
    )
    beliefs = Beliefs.of(unknowns.batches, [PRIORS] * len(items))
    moments = posterior_means(prepared.persons, fit(prepared.persons, unknowns, beliefs), beliefs)
    (found,) = [of for of, batch in zip(moments, unknowns.batches, strict=True) if 0 in batch.items]
    scores = data.score.reshape(80, len(items))
    mean, covariance = by_quadrature(items, scores, weight, AXES[model])
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((found.mean[0] - mean) / sd).max() < 0.05
    assert np.abs((found.covariance[0] - covariance) / np.outer(sd, sd)).max() < 0.08
    assert found.effective[0] > 0.5
    assert sum(of.found.sum() for of in moments) == 1  # of anchors there is nothing to find


def test_means_are_modes_where_there_are_many_data() -> None:
    _, data = some_data("2PL", 20_000, J=6)
    modes = calibrate(data, priors=replace(PRIORS, c=None, d=None))
    means = calibrate(data, priors=replace(PRIORS, c=None, d=None), estimate="mean")
    assert (modes.estimate, means.estimate) == ("mode", "mean")
    for mode, mean in zip(modes.items, means.items, strict=True):
        assert abs(mean.a - mode.a) < 0.1 * mode.se["a"]
        assert abs(mean.b[0] - mode.b[0]) < 0.1 * mode.se["b"]
        # what the other items' errors add included: without it the errors of b are a tenth smaller
        assert mean.se == pytest.approx(mode.se, rel=0.03)
        assert np.array(mean.covariance) == pytest.approx(np.array(mode.covariance), rel=0.1, abs=1e-5)
    for name in ("log_likelihood", "log_prior", "converged", "max_gradient", "groups"):
        assert getattr(means, name) == getattr(modes, name)


def test_means_of_slopes_lie_above_their_modes_in_4pl() -> None:
    # test_recovery: with parameters from the priors the modes are 0.07 below the means
    _, data = some_data("4PL", 2000, J=12)
    modes, means = (calibrate(data, model="4PL", priors=PRIORS, estimate=of) for of in ("mode", "mean"))
    above = np.array([mean.a - mode.a for mode, mean in zip(modes.items, means.items, strict=True)])
    assert (above > 0).all()
    assert 0.02 < above.mean() < 0.3


def test_anchors_and_fixed_slopes_stay() -> None:
    items, data = some_data("Rasch", 300, J=6)
    result = calibrate(data, model="Rasch", anchors=items[:2], priors=Priors(b=Normal(0, 2)), estimate="mean")
    assert result.items[:2] == tuple(items[:2])
    for item in result.items[2:]:
        assert item.a == 1.0
        assert set(item.se) == {"b"}
        assert np.array(item.covariance)[0].tolist() == [0.0, 0.0]


def test_mixed_models_in_groups_with_gaps_are_as_many_threads_and_a_stream_have_them() -> None:
    rng = np.random.default_rng(8)
    items = [*some_items("2PL", J=4), *some_items("3PL", J=4), *some_items("4PL", J=4)]
    models = {item.id: item.model for item in items}
    scores = draw(rng, items, np.concatenate([rng.standard_normal(300), rng.normal(0.5, 1.2, 300)]))
    scores[rng.random(scores.shape) < 0.3] = np.nan
    data = responses_to(items, scores)
    grouped = replace(data, group=np.repeat(np.arange(2, dtype=np.int32), 300), groups=("x", "y"))
    result = calibrate(grouped, model=models, priors=PRIORS, estimate="mean")
    assert result.items == calibrate(grouped, model=models, priors=PRIORS, estimate="mean").items
    assert all(set(item.se) == set(item.parameter_names) for item in result.items)
    assert not [flag for flag in result.warnings if flag.code == "mode-kept"]
    alone = calibrate(data, model=models, priors=PRIORS, estimate="mean")
    streamed = calibrate_stream(block_stream([data]), model=models, priors=PRIORS, estimate="mean")
    for one, other in zip(alone.items, streamed.items, strict=True):
        assert (other.a, other.b[0], other.c, other.d) == pytest.approx((one.a, one.b[0], one.c, one.d), abs=1e-4)


def test_a_weight_of_two_is_two_persons() -> None:
    items, data = some_data("3PL", 200)
    scores = data.score.reshape(200, len(items)).astype(float)
    weighted = calibrate(replace(data, weight=np.full(200, 2.0)), model="3PL", priors=PRIORS, estimate="mean")
    twice = calibrate(responses_to(items, np.vstack([scores, scores])), model="3PL", priors=PRIORS, estimate="mean")
    for one, other in zip(weighted.items, twice.items, strict=True):
        assert (one.a, one.b[0], one.c) == pytest.approx((other.a, other.b[0], other.c), abs=1e-4)
        assert one.se == pytest.approx(other.se, rel=1e-3)


def test_the_metric_of_a_is_the_scales() -> None:
    _, data = some_data("2PL", 300)
    plain = calibrate(data, priors=Priors(LogNormal(0.0, 0.4), Normal(0, 1)), estimate="mean")
    shifted = Priors(LogNormal(-np.log(1.7), 0.4), Normal(0, 1))
    scaled = calibrate(data, priors=shifted, scale=Scale(D=1.7), estimate="mean")
    for one, other in zip(plain.items, scaled.items, strict=True):
        assert other.a * 1.7 == pytest.approx(one.a, rel=1e-4)
        assert other.se["a"] * 1.7 == pytest.approx(one.se["a"], rel=1e-3)
        assert other.b == pytest.approx(one.b, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "item 2PL0: posterior means need a prior on every parameter, and a of 2PL has none"),
        ({"priors": "default"}, "and b of 2PL has none: give all of them, such as"),
        ({"model": "3PL", "priors": "a=lognormal(0, 0.5), b=normal(0, 2)"}, "and c of 3PL has none"),
        ({"model": "NRM"}, "NRM has none: estimate modes"),
        ({"model": "1PL", "priors": "b=normal(0, 2)"}, "those of 1PL and RSM are shared"),
        ({"testlets": {"2PL0": "set", "2PL1": "set"}}, "models without item sets: estimate modes"),
    ],
)
def test_what_has_no_means_is_refused(options: dict[str, object], message: str) -> None:
    _, data = some_data("2PL", 100)
    with pytest.raises(CalibrationError) as refused:
        calibrate(data, estimate="mean", **options)  # type: ignore[arg-type]
    assert message in str(refused.value)


def test_ratings_have_no_means() -> None:
    _, data = some_data("PCM", 60)
    rater = (np.arange(len(data.score)) % 2).astype(np.int32)
    with pytest.raises(CalibrationError, match="models without raters"):
        calibrate(replace(data, rater=rater, raters=("A", "B")), model="PCM", priors="b=normal(0, 2)", estimate="mean")


def test_a_floating_mean_of_one_item_is_no_prior() -> None:
    items, data = some_data("2PL", 100)
    kept = items[1:]
    with pytest.raises(CalibrationError, match="a of 2PL has none"):
        calibrate(data, anchors=kept, priors=Priors(LogNormal(None, 0.5), Normal(0, 1)), estimate="mean")


def test_modes_are_kept_and_said_where_there_is_no_maximum() -> None:
    _, data = some_data("3PL", 300)
    result = calibrate(data, model="3PL", priors=PRIORS, estimate="mean", max_iterations=2)
    assert result.estimate == "mode"
    assert {flag.code for flag in result.warnings} >= {"not-converged", "modes-kept"}


def test_an_item_whose_draws_say_too_little_keeps_its_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_EFFECTIVE", 1.01)
    _, data = some_data("3PL", 300)
    modes, means = (calibrate(data, model="3PL", priors=PRIORS, estimate=of) for of in ("mode", "mean"))
    assert means.items == modes.items
    flags = [flag for flag in means.warnings if flag.code == "mode-kept"]
    assert [flag.item for flag in flags] == [item.id for item in modes.items]


def test_the_result_says_which_it_is(tmp_path: Path) -> None:
    _, data = some_data("2PL", 200)
    for estimate in ("mode", "mean"):
        result = calibrate(data, priors=replace(PRIORS, c=None, d=None), estimate=estimate)  # type: ignore[arg-type]
        result.save(tmp_path / "params.json")
        assert json.loads((tmp_path / "params.json").read_text())["estimate"] == estimate
        assert ("parameters are posterior means" in str(result)) == (estimate == "mean")
        result.report(tmp_path / "report.html")
        page = (tmp_path / "report.html").read_text()
        assert ("Parameters are posterior means" in page) == (estimate == "mean")
    assert result.se_kind == "posterior, by importance sampling"
