"""The linear model and its solver, on programs whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from engine.assembly.solver import Model, solve


def knapsack(room: float = 10.0, *, seed: int = 4, count: int = 12) -> tuple[Model, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    worth, weight = rng.integers(1, 20, count).astype(float), rng.integers(1, 8, count).astype(float)
    model = Model()
    x = model.add_columns(count, cost=-worth, integer=True)
    model.add_row("room", x, weight, -np.inf, room)
    return model, worth, weight


@pytest.mark.parametrize("seed", range(5))
def test_a_knapsack_is_solved_to_the_end(seed: int) -> None:
    model, worth, weight = knapsack(seed=seed)
    every = np.array([[(pick >> j) & 1 for j in range(12)] for pick in range(2**12)], float)
    best = (every @ worth)[every @ weight <= 10].max()
    solution = solve(model)
    assert solution.x is not None
    assert -solution.objective == pytest.approx(best)
    assert solution.bound == pytest.approx(solution.objective)
    assert solution.x @ weight <= 10 + 1e-9


def test_without_whole_numbers_it_is_the_linear_program() -> None:
    model, worth, weight = knapsack()
    solution = solve(model, relaxed=True)
    peer = milp(-worth, constraints=LinearConstraint(weight[None], -np.inf, 10), bounds=Bounds(0, 1))
    assert solution.objective == pytest.approx(peer.fun)
    assert solution.bound == pytest.approx(peer.fun)


def test_good_enough_ends_the_search_with_something_that_good() -> None:
    model, worth, _ = knapsack(room=25.0, count=40)
    best = solve(model).objective
    quick = solve(model, good_enough=0.5 * best)
    assert best <= quick.objective <= 0.5 * best
    assert quick.x is not None
    assert -worth @ quick.x == pytest.approx(quick.objective)


def test_what_cannot_be_has_no_values() -> None:
    model = Model()
    x = model.add_columns(3, integer=True)
    model.add_row("few", x, 1.0, -np.inf, 1.0)
    model.add_row("many", x, 1.0, 2.0, np.inf)
    for relaxed in (False, True):
        solution = solve(model, relaxed=relaxed)
        assert solution.x is None
        assert solution.infeasible


def test_rows_of_a_matrix_are_rows_one_by_one() -> None:
    one, many = Model(), Model()
    weights = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 1.0]])
    for model in (one, many):
        x = model.add_columns(3, cost=[-3.0, -2.0, -4.0], integer=True)
    for row in weights:
        one.add_row("r", x[row > 0], row[row > 0], -np.inf, 3.0)
    many.add_rows(["r", "r"], csr_array(weights), x, -np.inf, 3.0)
    assert np.array_equal(one.matrix.toarray(), many.matrix.toarray())
    assert solve(one).objective == solve(many).objective == -7


def test_the_same_seed_gives_the_same_values() -> None:
    model, *_ = knapsack(room=25.0, count=40)
    one, again = solve(model, seed=3), solve(model, seed=3)
    assert one.x is not None
    assert again.x is not None
    assert np.array_equal(one.x, again.x)
    assert one.nodes == again.nodes
