"""Simulated adaptive tests: the same as stepping through them one by one, and as good as theory says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import ReferenceForm
from engine import (
    Answered,
    DesignError,
    Pool,
    Simulation,
    Start,
    State,
    Stop,
    TestDesign,
    begin,
    content_shares,
    percent_on,
    simulate,
    step,
    tables_for,
)
from engine.simulation import examinee_seed
from tests.engine.samples import adaptive_design, adaptive_pool, item

POOL = adaptive_pool()
THETA = np.array([-2.0, -0.8, -0.1, 0.0, 0.3, 0.9, 1.7])


def stepped(pool: Pool, design: TestDesign, theta: np.ndarray, seed: int) -> list[State]:
    """The same simulated examinees, one after another through `step`."""
    tables = tables_for(design, pool)
    draws = np.random.default_rng(seed).random((len(theta), design.stop.max_items))
    at = {name: j for j, name in enumerate(pool.ids)}
    ends = []
    for i, ability in enumerate(theta):
        state = begin(design, tables, seed=examinee_seed(seed, i))
        while state.next_item is not None:
            j = at[state.next_item]
            P = 1 / (1 + np.exp(-pool.parameters.D * pool.parameters.a[j] * (ability - pool.parameters.b[j])))
            score = int(draws[i, len(state.answers)] < P)
            state = step(design, tables, state, Answered(state.next_item, score))
        ends.append(state)
    return ends


EXHAUSTED = Pool.from_rows([item(f"q{j}", b=j / 10, point=f"P{j // 2}") for j in range(16)])


@pytest.mark.parametrize("seed", [0, 1, 20])
@pytest.mark.parametrize(
    ("pool", "design"),
    [
        (POOL, adaptive_design(best=1)),
        (POOL, adaptive_design(best=5)),
        (POOL, adaptive_design(weights={"A": 1.0, "B": 2.0}, once=("point",))),
        (POOL, replace(adaptive_design(stop=Stop(3, 20, 0.4)), start=Start(0.5, 1.3))),
        (EXHAUSTED, adaptive_design(once=("point",), stop=Stop(8, 12, 0.01))),
    ],
    ids=["best one", "best five", "content", "precision", "exhausted"],
)
def test_all_at_once_is_the_same_as_one_by_one(pool: Pool, design: TestDesign, seed: int) -> None:
    together = simulate(pool, design, examinees=THETA, seed=seed)
    for i, state in enumerate(stepped(pool, design, THETA, seed)):
        asked = tuple(together.ids[j] for j in together.asked[i] if j >= 0)
        assert asked == tuple(answer.item for answer in state.answers)
        assert together.length[i] == len(state.answers)
        assert together.estimate[i] == pytest.approx(state.theta, abs=1e-9)
        assert together.standard_error[i] == pytest.approx(state.standard_error, abs=1e-9)


def same(one: Simulation, other: Simulation) -> bool:
    arrays = ("theta", "estimate", "standard_error", "length", "asked")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def test_the_same_seed_gives_the_same_simulation_and_another_another() -> None:
    design = adaptive_design()
    one, again = (simulate(POOL, design, examinees=50, seed=4) for _ in range(2))
    assert same(one, again)
    assert not same(one, simulate(POOL, design, examinees=50, seed=5))


def test_abilities_are_drawn_from_the_designs_population() -> None:
    design = replace(adaptive_design(stop=Stop(1, 1, 1.0)), start=Start(0.7, 0.5))
    theta = simulate(POOL, design, examinees=4000, seed=1).theta
    assert theta.mean() == pytest.approx(0.7, abs=4 * 0.5 / 4000**0.5)
    assert theta.std() == pytest.approx(0.5, abs=0.03)


def test_lengths_keep_their_limits_and_precise_tests_are_shorter() -> None:
    result = simulate(POOL, adaptive_design(stop=Stop(6, 20, 0.42)), examinees=200, seed=2)
    assert (result.length.min() >= 6, result.length.max() <= 20) == (True, True)
    early = result.length < 20
    assert early.any()
    assert np.all(result.standard_error[early] <= 0.42)


def test_exposures_sum_to_the_mean_length() -> None:
    result = simulate(POOL, adaptive_design(), examinees=150, seed=3)
    assert result.exposure.sum() == pytest.approx(result.length.mean())
    assert 0 <= result.exposure.min() <= result.exposure.max() <= 1


def test_overlap_is_the_mean_over_all_pairs_of_examinees() -> None:
    result = simulate(POOL, adaptive_design(stop=Stop(10, 10, 0.01)), examinees=40, seed=3)
    asked = [set(row.tolist()) for row in result.asked]
    shared = [len(asked[i] & asked[j]) / 10 for i in range(40) for j in range(i)]
    assert result.overlap == pytest.approx(np.mean(shared))


def test_one_examinee_overlaps_with_nobody() -> None:
    assert np.isnan(simulate(POOL, adaptive_design(), examinees=1).overlap)


def test_content_follows_the_weights() -> None:
    design = adaptive_design(weights={"A": 3.0, "B": 1.0}, stop=Stop(16, 16, 0.01))
    shares = content_shares(simulate(POOL, design, examinees=100, seed=3), POOL, "section")
    assert shares == {"A": pytest.approx(0.75), "B": pytest.approx(0.25)}


def test_the_reported_error_is_the_error_made() -> None:
    result = simulate(
        adaptive_pool(count=200), adaptive_design(best=1, stop=Stop(30, 30, 0.01)), examinees=1500, seed=8
    )
    assert result.bias == pytest.approx(0, abs=4 * result.rmse / 1500**0.5)
    assert result.rmse == pytest.approx(np.sqrt((result.standard_error**2).mean()), rel=0.08)
    assert np.corrcoef(result.theta, result.estimate)[0, 1] > 0.93


@pytest.mark.slow
def test_estimates_are_unbiased_over_the_population_to_a_hundredth() -> None:
    result = simulate(
        adaptive_pool(count=400), adaptive_design(best=5, stop=Stop(40, 40, 0.01)), examinees=40_000, seed=9
    )
    assert abs(result.bias) < 0.01
    assert result.rmse == pytest.approx(np.sqrt((result.standard_error**2).mean()), rel=0.02)


def test_decisions_are_counted_against_the_truth() -> None:
    result = Simulation(
        ids=("q",),
        theta=np.array([-1.0, -0.5, 0.5, 1.0, 0.0]),
        estimate=np.array([-1.0, 0.1, -0.1, 2.0, 0.0]),
        standard_error=np.full(5, 0.3),
        length=np.ones(5, np.intp),
        asked=np.zeros((5, 1), np.intp),
        seed=0,
        seconds=0.0,
    )
    assert result.decisions(0.0) == {"accuracy": 0.6, "false_pass": 0.2, "false_fail": 0.2, "pass_rate": 0.6}
    assert result.bias == pytest.approx((0.6 - 0.6 + 1.0) / 5)
    assert result.rmse == pytest.approx(np.sqrt((0.36 + 0.36 + 1.0) / 5))


def test_results_are_reported_as_percent_of_the_reference_form() -> None:
    result = simulate(POOL, adaptive_design(), examinees=30, seed=3)
    reference = ReferenceForm.of_table(POOL.parameters, np.full(60, 0.5))
    P = 1 / (1 + np.exp(-POOL.parameters.a[:, None] * (result.estimate - POOL.parameters.b[:, None])))
    assert percent_on(result, reference) == pytest.approx(100 * P.mean(axis=0))


def test_a_design_the_pool_cannot_serve_is_refused() -> None:
    with pytest.raises(DesignError, match="min_items = 61, but the pool has 60 calibrated items"):
        simulate(POOL, adaptive_design(stop=Stop(61, 70, 0.3)), examinees=1)
