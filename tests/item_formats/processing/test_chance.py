"""Random expressions: within their range, and the same for the same seed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.item_formats.processing.evaluation import evaluate, told


def drawn(xml: str, seed: int) -> float:
    kind, number = told(evaluate(xml, seed=seed))  # type: ignore[misc]
    assert kind in {"integer", "float"}
    return number


def test_a_random_integer_is_min_plus_some_steps() -> None:
    seen = {drawn('<random-integer min="2" max="11" step="3"/>', seed) for seed in range(200)}
    assert seen == {2, 5, 8, 11}


def test_a_random_integer_starts_at_0_and_can_be_negative() -> None:
    assert {drawn('<random-integer max="2"/>', seed) for seed in range(100)} == {0, 1, 2}
    assert {drawn('<random-integer min="-2" max="-1"/>', seed) for seed in range(100)} == {-2, -1}
    assert drawn('<random-integer min="4" max="4"/>', 1) == 4


@given(st.integers(), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_a_random_float_is_within_its_range(seed: int, least: float, width: float) -> None:
    number = drawn(f'<random-float min="{least!r}" max="{least + width!r}"/>', seed)
    assert least <= number <= least + width


@given(st.integers())
def test_the_same_seed_draws_the_same(seed: int) -> None:
    xml = '<random-integer min="0" max="1000000"/>'
    assert drawn(xml, seed) == drawn(xml, seed)


def test_seeds_draw_differently() -> None:
    assert len({drawn('<random-float max="1"/>', seed) for seed in range(50)}) == 50


def test_random_takes_each_member_of_a_container() -> None:
    xml = '<random><variable identifier="V"/></random>'
    values = {"V": "multiple identifier:A B C"}
    assert {told(evaluate(xml, values, seed=seed)) for seed in range(60)} == {
        ("identifier", "A"),
        ("identifier", "B"),
        ("identifier", "C"),
    }


def test_a_repeat_draws_anew_each_time() -> None:
    xml = '<repeat number-repeats="20"><random-integer min="1" max="6"/></repeat>'
    kind, numbers = told(evaluate(xml))  # type: ignore[misc]
    assert kind == "ordered integer"
    assert len(numbers) == 20
    assert len(set(numbers)) > 1
