"""Items given because of answers that the data do not hold are told from booklets at random and from routing within."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from calibration import ItemParameters, Responses, calibrate
from tests.calibration.simulated import Array, booklets, two_parameter_scores

CODE = "routed-without-routing"


def flagged(responses: Responses, model: str = "2PL", **options: Any) -> list[str]:
    result = calibrate(responses, model=model, tolerance=1e-3, **options)
    return [flag.message for flag in result.warnings if flag.code == CODE]


def of(scores: Array, **kept: Array) -> Responses:
    return Responses.from_matrix(scores, [f"Q{j}" for j in range(scores.shape[1])], **kept)


def drawn(rng: np.random.Generator, theta: Array, b: Array) -> Array:
    return two_parameter_scores(rng, theta, np.exp(rng.normal(0.1, 0.3, len(b))), b)


def two_stages(rng: np.random.Generator, N: int, *, anchors: int = 10, by_chance: float = 0.0) -> Array:
    """15 routing items, 15 easy and 15 hard ones by their sum, and items that everybody has and that decide nothing."""
    b = rng.normal(0, 1, 45 + anchors) + np.repeat([0, -0.5, 0.5, 0], [15, 15, 15, anchors])
    scores = drawn(rng, rng.standard_normal(N), b)
    marks = scores[:, :15].sum(axis=1)
    hard = marks > np.median(marks)
    hard ^= rng.random(N) < by_chance
    scores[np.ix_(hard, np.arange(15, 30))] = np.nan
    scores[np.ix_(~hard, np.arange(30, 45))] = np.nan
    return scores


def three_stages(rng: np.random.Generator, N: int) -> Array:
    """10 routing items, one of two panels at random with an easy and a hard module each, and a third stage that both
    panels share: sets that differ in panel alone have little in common, and differ in ability by the third stage.
    """
    scores = drawn(rng, rng.standard_normal(N), rng.normal(0, 1, 70))
    seen = np.zeros_like(scores, bool)
    seen[:, :10] = True
    module = 2 * (scores[:, :10].sum(axis=1) > 5) + (rng.random(N) < 0.5)
    for m in range(4):
        seen[module == m, 10 + 10 * m : 20 + 10 * m] = True
    good = np.where(seen, scores, 0).sum(axis=1) > np.where(module > 1, 12, 8)
    seen[good, 50:60] = seen[~good, 60:] = True
    return np.where(seen, scores, np.nan)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("anchors", [5, 15])
def test_modules_without_the_items_that_decided_are_flagged(seed: int, anchors: int) -> None:
    scores = two_stages(np.random.default_rng([seed, anchors]), 600, anchors=anchors)[:, 15:]
    (message,) = flagged(of(scores))
    assert f"on the {anchors} items that both had" in message
    assert "with Q15, Q16, Q17 and 12 more items are abler than" in message
    assert "add all of those answers to the data" in message


@pytest.mark.parametrize("seed", range(3))
def test_routing_that_is_in_the_data_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert not flagged(of(two_stages(rng, 1500)))
    assert not flagged(of(two_stages(rng, 1500, by_chance=0.02)))
    assert not flagged(of(three_stages(rng, 1500)))


@pytest.mark.parametrize("seed", range(3))
def test_booklets_at_random_are_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = drawn(rng, rng.standard_normal(1200), rng.normal(0, 1, 40))
    assert not flagged(of(booklets(scores, rng, deals=3)))


def test_populations_that_nobody_named_are_flagged_and_named_ones_are_not() -> None:
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1], 500)
    scores = drawn(rng, rng.standard_normal(1000) + 0.7 * group, rng.normal(0, 1, 40))
    scores[:500, 25:] = scores[500:, :15] = np.nan
    (message,) = flagged(of(scores))
    assert message.startswith("500 persons with Q25, Q26, Q27 and 12 more items are abler than 500 with Q0, Q1, Q2")
    shift = float(message.split(" by ")[1].split()[0])
    assert shift == pytest.approx(0.7 / np.sqrt(1 + 0.7**2 / 4), abs=0.2)  # standard deviations of all persons together
    assert not flagged(replace(of(scores), group=group.astype(np.int32), groups=("A", "B")))


def test_tests_that_were_not_finished_are_no_routing() -> None:
    rng = np.random.default_rng(6)
    theta = rng.standard_normal(900)
    scores = drawn(rng, theta, rng.normal(0, 1, 30))
    scores[theta < -0.7, 20:] = np.nan
    assert not flagged(of(scores))


def test_weighted_rows_are_as_good_as_repeated_ones() -> None:
    scores = two_stages(np.random.default_rng(7), 60)[:, 15:]
    repeated, weighted = of(np.repeat(scores, 10, axis=0)), of(scores, weight=np.full(60, 10.0))
    assert flagged(repeated, "Rasch")
    assert flagged(repeated, "Rasch") == flagged(weighted, "Rasch")


# Item by item: no two persons have the same items, and only positions tell


B = np.linspace(-1.5, 1.5, 12)


def adaptive(rng: np.random.Generator, N: int) -> tuple[Array, Array]:
    """Four of 12 items each, the first of two at random, then the nearest to a mark that goes up and down."""
    theta, at = rng.standard_normal(N), np.zeros(N)
    scores, position = np.full((N, 12), np.nan), np.zeros((N, 12), int)
    for turn in range(4):
        away = np.where(np.isnan(scores), np.abs(B - at[:, None]), np.inf)
        item = np.where(turn == 0, rng.integers(5, 7, N), away.argmin(axis=1))
        right = rng.random(N) < 1 / (1 + np.exp(-1.5 * (theta - B[item])))
        scores[np.arange(N), item], position[np.arange(N), item] = right, turn + 1
        at += np.where(right, 0.8, -0.8) / (turn + 1)
    return scores, position


@pytest.mark.parametrize(("without", "seen"), [(0, False), (1, True)])
def test_an_adaptive_test_that_begins_with_its_second_item_is_flagged(without: int, seen: bool) -> None:
    scores, position = adaptive(np.random.default_rng(8), 2000)
    scores[(position > 0) & (position <= without)] = np.nan
    known = [ItemParameters(f"Q{j}", "2PL", 1.5, (float(b),)) for j, b in enumerate(B)][:-1]
    placed = replace(of(scores), position=position[~np.isnan(scores)].astype(np.int32))
    messages = flagged(placed, anchors=known, max_iterations=20)
    assert bool(messages) == seen
    assert not flagged(of(scores), anchors=known, max_iterations=20)  # and nothing is said where nothing can be
    if seen:
        assert "persons who began with" in messages[0]
        assert "although nobody had answered anything yet" in messages[0]
