"""An adaptive test step by step: what is asked, what is believed, and when it ends."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from engine import (
    Answered,
    Content,
    DesignError,
    Exposure,
    Pool,
    Start,
    State,
    Stop,
    TestDesign,
    begin,
    read_design,
    step,
    tables_for,
)
from engine.adaptive import Tables
from tests.engine.samples import EXAMPLES, FUNCTIONS, adaptive_design, adaptive_pool, item, random_pool

POOL = adaptive_pool()
PLACE = {name: j for j, name in enumerate(POOL.ids)}


def answer_all(design: TestDesign, tables: Tables, scores: list[int], seed: int = 5) -> State:
    """The state after these scores, or at the end of the test if that comes first."""
    state = begin(design, tables, seed=seed)
    for score in scores:
        if state.next_item is None:
            break
        state = step(design, tables, state, Answered(state.next_item, score))
    return state


def brute_force(state: State, start: Start) -> tuple[float, float]:
    """Posterior mean and standard deviation of a state's answers by adaptive quadrature."""
    a, b = POOL.parameters.a, POOL.parameters.b

    def density(theta: float, power: int) -> float:
        value = np.exp(-0.5 * ((theta - start.mean) / start.sd) ** 2) * theta**power
        for answer in state.answers:
            P = 1 / (1 + np.exp(-a[PLACE[answer.item]] * (theta - b[PLACE[answer.item]])))
            value *= P if answer.score else 1 - P
        return float(value)

    low, high = start.mean - 9 * start.sd, start.mean + 9 * start.sd
    moments = [quad(density, low, high, args=(power,), epsabs=0, epsrel=1e-10, limit=200)[0] for power in range(3)]
    mean = moments[1] / moments[0]
    return mean, (moments[2] / moments[0] - mean**2) ** 0.5


@settings(max_examples=40, deadline=None)
@given(
    scores=st.lists(st.integers(0, 1), min_size=1, max_size=12),
    start=st.sampled_from([Start(), Start(-0.5, 0.9), Start(0.4, 1.8), Start(1.5, 0.8)]),
)
@example(scores=[0] * 12, start=Start(0.4, 1.8))
@example(scores=[1] * 12, start=Start(1.5, 0.8))
def test_ability_is_the_posterior_mean_by_brute_force(scores: list[int], start: Start) -> None:
    design = replace(adaptive_design(stop=Stop(12, 12, 0.1)), start=start)
    state = answer_all(design, tables_for(design, POOL), scores)
    expected, error = brute_force(state, design.start)
    assert len(state.answers) == len(scores)
    assert state.theta == pytest.approx(expected, abs=1e-4)
    assert state.standard_error == pytest.approx(error, abs=1e-4)


@pytest.mark.parametrize("mean", [-1.5, 0.0, 0.7])
def test_without_drawing_the_most_informative_item_comes_first(mean: float) -> None:
    design = replace(adaptive_design(best=1), start=Start(mean))
    information = POOL.parameters.information([mean])[:, 0]
    assert begin(design, tables_for(design, POOL), seed=1).next_item == POOL.ids[int(information.argmax())]


def test_every_next_item_is_the_most_informative_of_those_left_at_the_ability_so_far() -> None:
    design = adaptive_design(best=1, stop=Stop(10, 10, 0.01))
    tables = tables_for(design, POOL)
    state = begin(design, tables, seed=1)
    for score in (1, 0, 1, 1, 0, 0, 1, 0, 1, 1):
        asked = {answer.item for answer in state.answers}
        information = POOL.parameters.information([state.theta])[:, 0]
        left = [name for name in POOL.ids if name not in asked]
        assert state.next_item == max(left, key=lambda name: information[PLACE[name]])
        state = step(design, tables, state, Answered(state.next_item, score))
    assert state.ended == "max_items"


def test_the_first_item_comes_from_the_heaviest_area() -> None:
    design = adaptive_design(best=1, weights={"A": 1.0, "B": 3.0})
    information = np.where(POOL.where({"section": "B"}), POOL.parameters.information([0.0])[:, 0], 0)
    assert begin(design, tables_for(design, POOL), seed=1).next_item == POOL.ids[int(information.argmax())]


def test_the_next_item_is_drawn_evenly_from_the_best() -> None:
    design = adaptive_design(best=4)
    tables = tables_for(design, POOL)
    best = np.argsort(-POOL.parameters.information([0.0])[:, 0])[:4]
    firsts = [begin(design, tables, seed=seed).next_item for seed in range(400)]
    counts = {name: firsts.count(name) for name in set(firsts)}
    assert set(counts) == {POOL.ids[j] for j in best}
    assert all(abs(count - 100) < 4 * 75**0.5 for count in counts.values())


def test_areas_are_asked_in_proportion_at_every_length() -> None:
    design = adaptive_design(weights={"A": 3.0, "B": 1.0}, stop=Stop(16, 16, 0.01))
    state = answer_all(design, tables_for(design, POOL), [1, 0] * 8)
    areas = [POOL.column("section")[PLACE[answer.item]] for answer in state.answers]
    for n in range(1, 17):
        assert abs(areas[:n].count("B") - n / 4) < 1
    assert areas.count("B") == 4


def test_no_point_is_asked_twice_and_an_item_without_one_closes_nothing() -> None:
    design = adaptive_design(once=("point",), stop=Stop(12, 12, 0.01))
    state = answer_all(design, tables_for(design, POOL), [1] * 12)
    points = [POOL.column("point")[PLACE[answer.item]] for answer in state.answers]
    assert len(set(points)) == 12
    unbound = Pool.from_rows([item(f"q{j}", point=None) for j in range(12)])
    assert len(answer_all(design, tables_for(design, unbound), [1] * 12).answers) == 12


def test_a_test_ends_when_nothing_is_left_to_ask() -> None:
    pool = Pool.from_rows([item(f"q{j}", point=f"P{j // 2}") for j in range(12)])
    design = adaptive_design(once=("point",), stop=Stop(8, 12, 0.01))
    state = answer_all(design, tables_for(design, pool), [0] * 12)
    assert (len(state.answers), state.next_item, state.ended) == (6, None, "no items left")


@settings(max_examples=40, deadline=None)
@given(scores=st.lists(st.integers(0, 1), min_size=20, max_size=20), wanted=st.sampled_from([0.42, 0.5, 0.7]))
def test_a_test_ends_at_the_first_answer_that_is_precise_enough_or_the_last_allowed(
    scores: list[int], wanted: float
) -> None:
    design = adaptive_design(stop=Stop(4, 14, wanted))
    tables = tables_for(design, POOL)
    state = begin(design, tables, seed=9)
    for score in scores:
        assert state.next_item is not None
        state = step(design, tables, state, Answered(state.next_item, score))
        n, precise = len(state.answers), state.standard_error <= wanted
        expected = "max_items" if n == 14 else "standard_error" if precise and n >= 4 else ""
        assert state.ended == expected
        assert (state.next_item is None) == bool(expected)
        if expected:
            break
    assert state.ended


def test_the_stated_error_itself_is_precise_enough() -> None:
    long = adaptive_design(stop=Stop(6, 12, 0.01))
    reached = answer_all(long, tables_for(long, POOL), [1, 0, 1, 0, 1, 0])
    design = replace(long, stop=Stop(6, 12, reached.standard_error))
    assert answer_all(design, tables_for(design, POOL), [1, 0, 1, 0, 1, 0]).ended == "standard_error"


def test_an_answer_to_something_else_is_refused() -> None:
    design = adaptive_design()
    tables = tables_for(design, POOL)
    state = begin(design, tables, seed=1)
    other = next(name for name in POOL.ids if name != state.next_item)
    with pytest.raises(DesignError, match=f"the answer is to item '{other}'; asked was {state.next_item}"):
        step(design, tables, state, Answered(other, 1))
    over = answer_all(design, tables, [1] * 12)
    with pytest.raises(DesignError, match=rf"asked was nothing: the test ended \({over.ended}\)"):
        step(design, tables, over, Answered(other, 1))


def test_a_score_other_than_right_or_wrong_is_refused() -> None:
    design = adaptive_design()
    tables = tables_for(design, POOL)
    state = begin(design, tables, seed=1)
    assert state.next_item is not None
    with pytest.raises(DesignError, match="is scored 2: an adaptive test needs 0 or 1"):
        step(design, tables, state, Answered(state.next_item, 2))


def revived(state: State) -> State:
    """A state that went through a JSON column."""
    plain = json.loads(json.dumps(asdict(state)))
    return State(**plain | {"answers": tuple(Answered(**one) for one in plain["answers"])})


@settings(max_examples=20, deadline=None)
@given(scores=st.lists(st.integers(0, 1), min_size=12, max_size=12), stored_at=st.integers(0, 11))
def test_a_stored_test_goes_on_as_if_it_had_not_been_stored(scores: list[int], stored_at: int) -> None:
    design = adaptive_design(weights={"A": 2.0, "B": 1.0}, once=("point",), stop=Stop(12, 12, 0.01))
    tables = tables_for(design, POOL)
    through = answer_all(design, tables, scores)
    state = begin(design, tables, seed=5)
    for n, score in enumerate(scores):
        if n == stored_at:
            assert revived(state) == state
            state = revived(pickle.loads(pickle.dumps(state)))  # noqa: S301  (our own bytes)
        assert state.next_item is not None
        state = step(design, tables_for(design, POOL), state, Answered(state.next_item, score))
    assert state == through


def test_items_without_parameters_are_never_asked() -> None:
    pool = Pool.from_rows([item(f"q{j:02d}", **({} if j % 2 else {"a": None, "b": None})) for j in range(24)])
    design = adaptive_design(stop=Stop(12, 12, 0.01))
    state = answer_all(design, tables_for(design, pool), [1] * 12)
    assert {int(answer.item[1:]) % 2 for answer in state.answers} == {1}


# Designs


def test_the_example_design_asks_by_the_weight_table() -> None:
    assert read_design(EXAMPLES / "design.toml") == TestDesign(
        content=Content("function", FUNCTIONS, ("point",)), exposure=Exposure(5), stop=Stop(30, 80, 0.25)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[stop]\nmin_items = 5\nmax_items = 4\n", "[stop] min_items = 5, max_items = 4: need 0 < min_items <= max"),
        ("[stop]\nmin_items = 0\n", "[stop] min_items = 0, max_items = 60"),
        ('[stop]\nmin_items = "5"\n', "[stop]: min_items = '5': expected int, got str"),
        ("[stop]\nminimum = 5\n", "[stop]: 'minimum' is not known"),
        ("[exposure]\nbest = 0\n", "[exposure] best = 0: need at least 1"),
        ("[start]\nsd = 0\n", "[start] sd = 0: need more than 0"),
        ('[content]\nby = "function"\n', "[content]: `by` names the column whose values have `weights`: give both"),
        ("[content]\nweights = { A = 1 }\n", "[content]: `by` names the column"),
        ('[content]\nby = "f"\nweights = { A = -1, B = 2 }\n', "[content.weights]: weights are shares, 0 or more"),
        ('[content]\nby = "f"\nweights = { A = 0 }\n', "[content.weights]: weights are shares, 0 or more, not all 0"),
        ('[content]\nonce = "point"\n', "[content]: once = 'point': expected array, got str"),
        ("[stops]\n", "'stops' is not known; did you mean 'stop'?"),
        ("stop = 3\n", "[stop]: expected a table, got 3"),
    ],
)
def test_a_file_that_is_no_design_is_refused_with_table_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "design.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DesignError) as caught:
        read_design(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_a_pool_that_cannot_serve_the_design_is_refused() -> None:
    with pytest.raises(DesignError, match="min_items = 5, but the pool has 3 calibrated items"):
        tables_for(adaptive_design(), random_pool(1, 3))
    with pytest.raises(DesignError, match="'C' stands in the weights or in the pool, not in both"):
        tables_for(adaptive_design(weights={"A": 1.0, "B": 1.0, "C": 1.0}), POOL)
    with pytest.raises(DesignError, match="'B' stands in the weights or in the pool, not in both"):
        tables_for(adaptive_design(weights={"A": 1.0}), POOL)
    guessed = Pool.from_rows([item(f"q{j}", c=0.2) for j in range(6)])
    with pytest.raises(DesignError, match="items with c or d cannot be selected yet"):
        tables_for(adaptive_design(), guessed)
