"""Abilities against R's mirt and TAM, against numerical integration and maximisation, and in the hard cases."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

import calibration.scoring.expected
import calibration.scoring.modes
from calibration import ItemParameters, Responses, ResponsesError, Scale, ScaleError, eap_scores, score_responses
from calibration.responses import NOT_REACHED
from tests.calibration.scoring.forms import (
    MIXED,
    REFERENCE,
    drawn,
    information,
    log_likelihood,
    mirt_result,
    posterior_moments,
    responses,
    two_parameter_items,
)

NAN = np.nan
TAGS = ("lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm", "science__PCM")


@pytest.fixture
def no_interpolation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every person is integrated and solved for on their own."""
    empty = calibration.scoring.expected.Counter()
    monkeypatch.setattr(calibration.scoring.expected, "persons_with_items", lambda _: empty)
    monkeypatch.setattr(calibration.scoring.modes, "persons_with_items", lambda _: empty)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("method", ["ml", "map", "eap", "wle"])
def test_scores_are_those_of_mirt(tag: str, method: str) -> None:
    """Theta to 1e-5 and SE to 1e-4, which is how well the reference itself is known (its EAP takes [-6, 6])."""
    found, items, scale = mirt_result(tag)
    table = np.array(found["persons_first20_patterns"]["patterns"], float) - (1 if tag.startswith("science") else 0)
    scores = score_responses(responses(table, items), items, scale, method=method)
    wanted = found["persons_first20_patterns"]["scores"][method.upper()]
    theta = np.array([NAN if isinstance(value, str) else value for value in wanted["theta"]], float)
    se = np.array([NAN if value is None or isinstance(value, str) else value for value in wanted["se"]], float)
    known = ~np.isnan(theta)
    assert known.sum() >= 19
    np.testing.assert_allclose(scores.theta[known], theta[known], atol=1e-5)
    assert (scores.flag[~known] == 1).all()  # mirt: -Inf; here the lower bound, and no standard error
    assert np.isnan(scores.se[~known]).all()
    if method != "wle":  # mirt takes the curvature of the weighted likelihood there
        np.testing.assert_allclose(scores.se[known], se[known], atol=1e-4)


def test_scores_of_booklets_are_those_of_tam() -> None:
    path = REFERENCE / "reference" / "sim_rasch_missing__Rasch_61.json"
    if not path.exists():
        pytest.skip("the reference result of TAM is not at hand")
    found = json.loads(path.read_text(encoding="utf-8"))
    with (REFERENCE / "sim_rasch_missing.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    table = np.array([[float(cell) if cell else NAN for cell in row] for row in rows])
    items = [ItemParameters(row["item"], "Rasch", 1.0, (row["beta"],)) for row in found["item_irt"]]
    scale, data = Scale(sd=found["variance"] ** 0.5), Responses.from_matrix(table, header)
    wle, eap = (score_responses(data, items, scale, method=method) for method in ("wle", "eap"))
    for name, scores, estimate, error in (("WLE", wle, "theta", "se"), ("EAP", eap, "EAP", "SD")):
        wanted = found[f"{name}_first20"]
        np.testing.assert_allclose(scores.theta[:20], [row[estimate] for row in wanted], atol=2e-6)
        np.testing.assert_allclose(scores.se[:20], [row[error] for row in wanted], atol=2e-6)


@pytest.mark.parametrize("scale", [Scale(), Scale(mean=0.5, sd=1.5), Scale(mean=-1, sd=0.6)])
def test_expected_abilities_and_chances_are_integrals_of_the_posterior(scale: Scale) -> None:
    table = drawn(MIXED, np.linspace(-2, 2, 8))
    table[4:, :3] = NAN
    table[6:, 5] = NAN
    scores = score_responses(responses(table, MIXED), MIXED, scale, cuts=[0.3, 1.0])
    for i in range(8):
        for c, cut in enumerate((0.3, 1.0)):
            mean, sd, above = posterior_moments(table[i], MIXED, scale, cut)
            assert scores.theta[i] == pytest.approx(mean, abs=1e-7)
            assert scores.se[i] == pytest.approx(sd, abs=1e-6)
            assert scores.above[i, c] == pytest.approx(above, abs=1e-6)


@pytest.mark.parametrize("method", ["ml", "map"])
def test_modes_are_maxima(method: str) -> None:
    table = drawn(MIXED, np.linspace(-1.5, 1.5, 12))
    table[6:, :3] = NAN
    scores = score_responses(responses(table, MIXED), MIXED, Scale(mean=0.2, sd=1.3), method=method)

    def objective(theta: float, row: Any) -> float:
        prior = 0.5 * ((theta - 0.2) / 1.3) ** 2 if method == "map" else 0.0
        return prior - log_likelihood(theta, row, MIXED)

    for i in np.flatnonzero(scores.flag == 0):
        best = minimize_scalar(objective, bounds=(-8, 8), args=(table[i],), method="bounded", options={"xatol": 1e-9})
        assert scores.theta[i] == pytest.approx(best.x, abs=1e-6)
        h = 1e-3
        around = [objective(scores.theta[i] + step, table[i]) for step in (-h, 0.0, h)]
        curvature = (around[0] - 2 * around[1] + around[2]) / h**2
        assert scores.se[i] == pytest.approx(curvature**-0.5, rel=1e-4)
    assert (scores.flag == 0).sum() >= 10


def test_warms_estimate_solves_its_equation_for_any_models() -> None:
    """d log L + J / (2 I) = 0, all by finite differences of the models' definitions."""
    table = drawn(MIXED, np.linspace(-1.5, 1.5, 12))
    table[6:, :3] = NAN
    scores = score_responses(responses(table, MIXED), MIXED, method="wle")

    def equation(theta: float, row: Any) -> float:
        h = 1e-4
        slope = (log_likelihood(theta + h, row, MIXED) - log_likelihood(theta - h, row, MIXED)) / (2 * h)
        info, J = information(theta, row, MIXED)
        return float(slope + J / (2 * info))

    assert (scores.flag == 0).all()
    for i in range(12):
        at = scores.theta[i]
        assert brentq(equation, at - 0.3, at + 0.3, args=(table[i],)) == pytest.approx(at, abs=2e-5)
        assert scores.se[i] == pytest.approx(information(at, table[i], MIXED)[0] ** -0.5, rel=1e-4)


def test_warms_estimate_of_rasch_items_is_the_posterior_mode_under_jeffreys_prior() -> None:
    """Warm (1989): for items of a logistic model without asymptotes the weight is the root of the information."""
    items = [ItemParameters(f"q{j}", "Rasch", 1.0, (b,)) for j, b in enumerate((-1.5, -0.5, 0.0, 0.7, 1.9))]
    table = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], float)
    scores = score_responses(responses(table, items), items, method="wle")
    for i in range(4):
        best = minimize_scalar(
            lambda t, row: -log_likelihood(t, row, items) - 0.5 * np.log(information(t, row, items)[0]),
            bounds=(-8, 8),
            args=(table[i],),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert scores.theta[i] == pytest.approx(best.x, abs=1e-5)
    assert np.isfinite(scores.theta).all()  # all wrong and all right have an estimate


@pytest.mark.usefixtures("no_interpolation")
@pytest.mark.parametrize("method", ["eap", "map", "ml", "wle"])
def test_interpolation_over_the_weighted_score_changes_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many persons with the same 2PL, partial-credit and nominal items: one by one, and read off one function."""
    items = [item for item in MIXED if item.model not in {"3PL", "4PL", "GRM"}]
    items += two_parameter_items(np.exp(np.random.default_rng(3).normal(0, 0.4, 20)), np.linspace(-2, 2, 20))
    table = drawn(items, np.random.default_rng(4).normal(0, 1.2, 6000))
    data, scale = responses(table, items), Scale(mean=0.1, sd=1.2)
    one_by_one = score_responses(data, items, scale, method=method, cuts=[0.2])
    monkeypatch.undo()
    together = score_responses(data, items, scale, method=method, cuts=[0.2])
    np.testing.assert_array_equal(one_by_one.flag, together.flag)
    assert not np.array_equal(one_by_one.theta, together.theta)  # they did take two ways
    np.testing.assert_allclose(together.theta, one_by_one.theta, atol=1e-7)
    np.testing.assert_allclose(together.se, one_by_one.se, atol=1e-6)
    np.testing.assert_allclose(together.above, one_by_one.above, atol=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), J=st.integers(1, 30), sd=st.sampled_from([0.3, 1.0, 4.0]))
def test_the_quadrature_is_fine_and_wide_enough(seed: int, J: int, sd: float) -> None:
    """A quadrature of a quarter of the spacing gives the same."""
    rng = np.random.default_rng(seed)
    items = two_parameter_items(rng.lognormal(0.2, 0.6, J), rng.normal(0, 2, J))
    data, scale = responses(rng.integers(0, 2, (20, J)).astype(float), items), Scale(mean=1.0, sd=sd)
    scores = eap_scores(data, items, scale)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration.scoring.expected, "WIDEST", 0.2)
        finer = eap_scores(data, items, scale)
    np.testing.assert_allclose(scores.theta, finer.theta, atol=3e-6 * sd)
    np.testing.assert_allclose(scores.se, finer.se, atol=3e-6 * sd)


def test_two_hundred_items_and_a_wide_population() -> None:
    """Likelihoods down to exp(-140) and posteriors 40 times narrower than the population, far outside [-6, 6]."""
    rng = np.random.default_rng(5)
    items = two_parameter_items(rng.lognormal(0.2, 0.3, 200), rng.uniform(-12, 12, 200))
    scale = Scale(sd=5.0)
    theta = np.array([-11.0, -6.5, 0.0, 4.0, 9.0])
    table = drawn(items, theta)
    scores = eap_scores(responses(table, items), items, scale)
    for i in range(5):
        mean, sd, _ = posterior_moments(table[i], items, scale)
        assert scores.theta[i] == pytest.approx(mean, abs=1e-6)
        assert scores.se[i] == pytest.approx(sd, abs=1e-6)
    assert np.abs(scores.theta - theta).max() < 4 * scores.se.max()


def test_one_item_steep_as_a_wall() -> None:
    items = [ItemParameters("wall", "2PL", 30.0, (0.0,)), ItemParameters("mild", "2PL", 1.0, (0.5,))]
    table = np.array([[1, 0], [0, 0]], float)
    scores = eap_scores(responses(table, items), items)
    for i in range(2):
        mean, sd, _ = posterior_moments(table[i], items, Scale())
        assert scores.theta[i] == pytest.approx(mean, abs=2e-4)
        assert scores.se[i] == pytest.approx(sd, abs=2e-4)


@pytest.mark.parametrize("N", [3, 4000])
def test_all_right_and_all_wrong_are_at_the_bounds_of_maximum_likelihood(N: int) -> None:
    items = two_parameter_items(np.array([0.8, 1.0, 1.5]), np.array([-1.0, 0.0, 1.0]))
    table = np.tile([[1.0, 1, 1], [0, 0, 0], [1, 0, 1]], (N // 3 + 1, 1))
    scores = score_responses(responses(table, items), items, Scale(mean=0.5, sd=1.2), method="ml")
    np.testing.assert_allclose(scores.theta[:2], [12.5, -11.5])  # mean ± 10 SD
    assert np.isnan(scores.se[:2]).all()
    assert scores.flag[:3].tolist() == [2, 1, 0]
    assert scores.bounds == (-11.5, 12.5)
    narrow = score_responses(responses(table, items), items, method="ml", bounds=(-4, 4))
    np.testing.assert_allclose(narrow.theta[:2], [4, -4])
    assert abs(narrow.theta[2]) < 4


def test_the_better_of_two_maxima_is_found() -> None:
    """With guessing the likelihood of a hard item right and an easy one wrong has a maximum at minus infinity too."""
    items = [ItemParameters(f"q{j}", "3PL", 2.5, (b,), c=0.25) for j, b in enumerate((-2.0, -1.5, 1.0, 1.5, 2.0))]
    table = np.array([[0.0, 0, 1, 1, 1], [1, 0, 1, 1, 1]])
    scores = score_responses(responses(table, items), items, method="ml")
    grid = np.linspace(-10, 10, 4001)
    for i in range(2):
        logs = [log_likelihood(t, table[i], items) for t in grid]
        assert scores.theta[i] == pytest.approx(grid[int(np.argmax(logs))], abs=0.006)
    assert scores.flag.tolist() == [1, 0]


def test_sparse_designs_are_scored_like_dense_ones() -> None:
    """Each person took 8 of 300 items: as a long table, and one at a time."""
    rng = np.random.default_rng(6)
    items = [replace(MIXED[j % 8], id=f"q{j}") for j in range(300)]
    theta = rng.standard_normal(40)
    table = drawn(items, theta)
    for i in range(40):
        table[i, rng.permutation(300)[8:]] = NAN
    data = responses(table, items)
    for method in ("eap", "map", "wle", "eapsum"):
        scores = score_responses(data, items, method=method)
        for i in (0, 17, 39):
            seen = ~np.isnan(table[i])
            mine = [item for item, here in zip(items, seen, strict=True) if here]
            alone = score_responses(responses(table[i : i + 1, seen], mine), mine, method=method)
            assert scores.theta[i] == pytest.approx(alone.theta[0], abs=1e-6)
            assert scores.se[i] == pytest.approx(alone.se[0], abs=1e-6)
        assert (scores.answered == 8).all()


def test_groups_have_populations_of_their_own() -> None:
    items = two_parameter_items(np.array([1.0, 1.5]), np.array([0.0, 0.5]))
    table = np.array([[1, 0], [1, 0], [NAN, NAN]])
    data = replace(responses(table, items), group=np.array([0, 1, 1], np.int32), groups=("north", "south"))
    scores = score_responses(data, items, mean=[0.0, 1.0], sd=[1.0, 0.5])
    for i, scale in enumerate((Scale(), Scale(mean=1.0, sd=0.5))):
        mean, sd, _ = posterior_moments(table[i], items, scale)
        assert (scores.theta[i], scores.se[i]) == (pytest.approx(mean, abs=1e-6), pytest.approx(sd, abs=1e-6))
    assert (scores.theta[2], scores.se[2]) == (1.0, 0.5)
    many = replace(
        responses(np.tile([[1.0, 0.0]], (3000, 1)), items),
        group=np.arange(3000, dtype=np.int32) % 2,
        groups=("north", "south"),
    )
    for method in ("eap", "map", "eapsum"):
        two = score_responses(many, items, method=method, mean=[0.0, 1.0], sd=[1.0, 0.5])
        each = [
            score_responses(responses(table[:1], items), items, Scale(mean=m, sd=s), method=method)
            for m, s in ((0, 1), (1, 0.5))
        ]
        np.testing.assert_allclose(two.theta[:2], [one.theta[0] for one in each], atol=1e-6)
        np.testing.assert_allclose(two.theta[2:], np.tile(two.theta[:2], 1499), atol=1e-12)


def test_plausible_values_are_draws_from_the_posterior() -> None:
    """4000 persons with one pattern: their draws have its mean, SD and quantiles within 4 Monte-Carlo errors."""
    table = np.tile([[1.0, 1, 0, 1, 2, 1, 3, 2]], (4000, 1))
    data = responses(table, MIXED)
    scores = score_responses(data, MIXED, method="pv", plausible_values=4, seed=8, cuts=[0.5])
    mean, sd, above = posterior_moments(table[0], MIXED, Scale(), 0.5)
    assert scores.draws.shape == (4000, 4)
    assert scores.theta[0] == pytest.approx(mean, abs=1e-6)
    assert scores.draws.mean() == pytest.approx(mean, abs=4 * sd / 16000**0.5)
    assert scores.draws.std() == pytest.approx(sd, rel=4 / (2 * 16000) ** 0.5)
    assert (scores.draws >= 0.5).mean() == pytest.approx(above, abs=4 * 0.5 / 16000**0.5)
    again = score_responses(data, MIXED, method="pv", plausible_values=4, seed=8)
    np.testing.assert_array_equal(again.draws, scores.draws)
    other = score_responses(data, MIXED, method="pv", plausible_values=4, seed=9)
    assert not np.array_equal(other.draws, scores.draws)


def test_a_draw_at_a_quantile_is_the_posteriors_quantile() -> None:
    from calibration.models import Curves
    from calibration.scoring.posterior import draws, normalised
    from calibration.scoring.quadrature import FINER, Population, Quadrature

    quadrature = Quadrature.over(Curves.of(MIXED), Population.of(0.3, 1.0), (-6.0, 6.6), FINER)
    density = normalised(quadrature.log_density.copy())  # the population itself: normal quantiles are known
    u = np.array([[0.001, 0.025, 0.25, 0.5, 0.8, 0.975, 0.999]])
    normal = [-3.0902323, -1.9599640, -0.6744898, 0.0, 0.8416212, 1.9599640, 3.0902323]
    np.testing.assert_allclose(draws(density, quadrature, u)[0], 0.3 + np.array(normal), atol=3e-3)


def test_a_person_without_responses_is_the_population_or_unknown() -> None:
    items = two_parameter_items(np.ones(2), np.zeros(2))
    data = responses(np.array([[1, 0], [NAN, NAN]]), items)
    scale = Scale(mean=0.3, sd=1.2)
    for method in ("eap", "map", "eapsum", "pv"):
        scores = score_responses(data, items, scale, method=method, cuts=[0.3])
        assert (scores.theta[1], scores.se[1]) == (0.3, 1.2)
        assert scores.above[1, 0] == pytest.approx(0.5)
    for method in ("ml", "wle"):
        scores = score_responses(data, items, scale, method=method)
        assert np.isnan([scores.theta[1], scores.se[1]]).all()
    assert scores.persons == ("1", "2")
    assert (scores.flag.tolist(), scores.answered.tolist()) == ([0, 3], [2, 0])


def test_items_are_found_by_id_whatever_their_order_and_unknown_ones_are_passed_over() -> None:
    items = two_parameter_items(np.array([1.0, 2.0]), np.array([-1.0, 1.0]))
    data = Responses.from_matrix(np.array([[1, 7, 0]], float), items=["item2", "elsewhere", "item1"])
    mean, sd, _ = posterior_moments(np.array([0.0, 1.0]), items, Scale())
    scores = eap_scores(data, items[::-1])
    assert (scores.theta[0], scores.se[0]) == (pytest.approx(mean, abs=1e-6), pytest.approx(sd, abs=1e-6))


def test_no_item_with_parameters_leaves_everybody_unknown() -> None:
    scores = eap_scores(Responses.from_matrix(np.array([[1.0]]), ["elsewhere"]), MIXED)
    assert (scores.theta.tolist(), scores.se.tolist(), scores.flag.tolist()) == ([0.0], [1.0], [3])


def test_what_was_not_reached_does_not_count() -> None:
    items = two_parameter_items(np.ones(2), np.zeros(2))
    data = responses(np.array([[1.0, 0.0], [1.0, NAN]]), items)
    hasty = replace(data, status=np.array([0, NOT_REACHED, 0], np.uint8))
    scores = eap_scores(hasty, items)
    assert scores.theta[0] == scores.theta[1] > 0


def test_a_person_of_weight_0_is_scored_all_the_same() -> None:
    items = two_parameter_items(np.ones(2), np.zeros(2))
    data = replace(responses(np.ones((2, 2)), items), weight=np.array([1.0, 0.0]))
    theta = eap_scores(data, items).theta
    assert theta[0] == theta[1] > 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "best"}, "method 'best' is not known; choose one of eap, map, ml, wle, eapsum, pv"),
        ({"sd": 0.0}, "the population needs a finite mean and an SD above 0"),
        ({"mean": [0.0, NAN], "sd": 1.0}, "the population needs a finite mean"),
    ],
)
def test_what_makes_no_scores_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        score_responses(responses(drawn(MIXED, np.zeros(2)), MIXED), MIXED, **change)


def test_a_score_that_the_parameters_do_not_know_is_named() -> None:
    items = two_parameter_items(np.ones(2), np.zeros(2))
    data = responses(np.array([[1.0, 0.0], [1.0, 2.0]]), items)
    with pytest.raises(ResponsesError, match=r"person 2, item item2: score 2, but its parameters know the scores 0…1"):
        eap_scores(data, items)


def test_groups_without_a_population_are_refused() -> None:
    items = two_parameter_items(np.ones(1), np.zeros(1))
    data = replace(responses(np.ones((3, 1)), items), group=np.array([0, 1, 2], np.int32), groups=("a", "b", "c"))
    with pytest.raises(ScaleError, match="2 population means and SDs for 3 groups"):
        score_responses(data, items, mean=[0.0, 1.0], sd=[1.0, 1.0])
