"""The linear model and its solver, on programs whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from engine.solver import Model, shortfalls, solve


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
    assert solve(model).x is None
    assert solve(model, relaxed=True).x is None


def test_the_same_seed_gives_the_same_values() -> None:
    model, *_ = knapsack(room=25.0, count=40)
    one, again = solve(model, seed=3), solve(model, seed=3)
    assert one.x is not None
    assert again.x is not None
    assert np.array_equal(one.x, again.x)
    assert one.nodes == again.nodes


def test_the_rows_that_may_give_way_are_named_with_the_least_amount() -> None:
    model = Model()
    x = model.add_columns(4, integer=True)
    model.add_row("few", x, 1.0, -np.inf, 1.0)
    model.add_row("many", x, 1.0, 3.0, np.inf)
    (few,) = shortfalls(model, ["few"])
    assert (few.rule, few.amount) == ("few", pytest.approx(2))
    (many,) = shortfalls(model, ["many"])
    assert (many.rule, many.amount) == ("many", pytest.approx(2))
    assert sum(one.amount for one in shortfalls(model, ["few", "many"])) == pytest.approx(2)
    assert shortfalls(model, []) == ()


def test_what_only_whole_items_miss_is_found_too() -> None:
    model = Model()
    x = model.add_columns(3, integer=True)
    model.add_row("odd marks", x, 2.0, 3.0, 3.0)  # half an item would do
    assert solve(model, relaxed=True).x is not None
    (odd,) = shortfalls(model, ["odd marks"])
    assert odd.amount == pytest.approx(1)
