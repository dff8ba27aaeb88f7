"""Who is chosen: proportional, barred items never, sets whole, points with secrets; as near as any admissible set."""

from __future__ import annotations

from itertools import combinations, product
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InfeasibleReleaseError, Pool, choose_release
from engine.release.choosing import LATER, OUTSIDE
from tests.engine.release.banks import POLICY, after, chosen, friends, groups, policy, rich_pool
from tests.engine.samples import item, random_pool, sample_pool

MARGINS = ("section", "type", "grade", "importance")
EPS = 1e-9


def within_one(public: np.ndarray, inside: np.ndarray, share: float) -> bool:
    return floor(share * inside.sum() + EPS) <= (public & inside).sum() <= ceil(share * inside.sum() - EPS)


def test_a_tenth_of_570_items_is_57_and_every_margin_and_cell_is_proportional() -> None:
    pool = sample_pool()
    release = choose_release(pool, POLICY, seed=7)
    out = chosen(pool, release)
    assert len(release.items) == len(set(release.items)) == 57 == release.public
    assert (release.counted, release.pool_digest) == (570, pool.digest)
    for columns in (("section",), ("type",), ("grade",), ("section", "type", "grade")):
        assert all(within_one(out, inside, 0.1) for inside in groups(pool, *columns))
    assert release.worst_margin < 1
    assert release.worst_cell < 1
    assert release.notes == ()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.sampled_from([60, 150]), share=st.sampled_from([0.1, 0.2, 0.3]))
def test_no_demand_is_ever_broken(seed: int, count: int, share: float) -> None:
    pool = rich_pool(seed, count)
    try:
        release = choose_release(pool, policy(share), seed=seed)
    except InfeasibleReleaseError:
        return
    out = chosen(pool, release)
    counted = ~pool.where({"field_test": "yes"}, strict=False)
    bank = pool.take(counted)
    inside_out = chosen(bank, release)
    reached = inside_out.sum() / len(bank)
    assert inside_out.sum() == out.sum() == floor(share * len(bank) + 0.5)
    for column in MARGINS:
        assert all(within_one(inside_out, inside, reached) for inside in groups(bank, column))
    for barred in ("reserved", "anchor", "field_test"):
        assert not (out & pool.where({barred: "yes"}, strict=False)).any()
    for point in groups(bank, "point"):
        assert (point & ~inside_out).sum() >= 1
    for together in friends(pool):
        assert together <= set(release.items) or not together & set(release.items)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_shares_are_cumulative_over_two_rounds_and_nothing_is_taken_back(seed: int) -> None:
    pool = rich_pool(seed, 120)
    bank = pool.take(~pool.where({"field_test": "yes"}, strict=False))
    try:
        first = choose_release(pool, policy(0.1), seed=1)
        second = choose_release(after(pool, first), policy(0.25), seed=2)
    except InfeasibleReleaseError:
        return
    assert not set(first.items) & set(second.items)
    public = chosen(bank, first) | chosen(bank, second)
    assert public.sum() == second.public == floor(0.25 * len(bank) + 0.5)
    share = public.sum() / len(bank)
    for column in MARGINS:
        assert all(within_one(public, inside, share) for inside in groups(bank, column))
    (row,) = second.shares
    assert (row.public_before, row.published) == (len(first.items), len(second.items))


def test_the_same_seed_gives_the_same_release_and_another_seed_others_as_good() -> None:
    pool = sample_pool()
    one, again, other = (choose_release(pool, POLICY, seed=seed) for seed in (7, 7, 8))
    assert again == one
    assert set(other.items) != set(one.items)
    deviations = [sum(abs(s.deviation) for s in r.strata if s.kind == "cell") for r in (one, other)]
    assert deviations[0] == pytest.approx(deviations[1], abs=1e-6)


def test_the_order_of_the_rows_does_not_matter() -> None:
    pool = rich_pool(5, 80)
    rows = [pool.row(j) for j in range(80)]
    backwards = Pool.from_rows(rows[::-1])
    assert choose_release(pool, policy(0.2), seed=3) == choose_release(backwards, policy(0.2), seed=3)


# Nothing admissible is better


def cost_of(pool: Pool, out: np.ndarray, share: float, order: np.ndarray) -> float:
    """What the programme minimises, counted from the items: cells outside, later items, Σ |published - quota|."""
    total = LATER * order[out].sum()
    for inside in groups(pool, "type", "section"):
        quota, public = share * inside.sum(), (out & inside).sum()
        outside = max(0, floor(quota + EPS) - public, public - ceil(quota - EPS))
        total += OUTSIDE * outside + abs(public - quota)
    return total


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.2, 0.3, 0.5]))
def test_brute_force_finds_no_better_set(seed: int, share: float) -> None:
    """Of all sets of 10 uncalibrated items that keep margins, points and companions, none costs less."""
    pool = rich_pool(seed, 10, parameters=False)
    pool = pool.take(~pool.where({"field_test": "yes"}, strict=False))
    barred = pool.where({"any": [{"reserved": "yes"}, {"anchor": "yes"}]}, strict=False)
    drifting = pool.where({"drift": "yes"}, strict=False)
    exposed = pool.numbers("uses") >= 3
    wanted = floor(share * len(pool) + 0.5)
    reached = wanted / len(pool)
    families = [np.isin(np.array(pool.ids), list(family)) for family in friends(pool)]
    order = np.ones(len(pool))
    for family in families:
        order[family] = 0 if (family & (drifting | exposed)).any() else 1
    least = np.inf
    for members in combinations(range(len(pool)), wanted):
        out = np.isin(np.arange(len(pool)), members)
        if (out & barred).any() or any((out & family).any() and not (family <= out).all() for family in families):
            continue
        if not all((point & ~out).any() for point in groups(pool, "point")):
            continue
        if all(within_one(out, inside, reached) for inside in groups(pool, "type")):
            least = min(least, cost_of(pool, out, reached, order))
    asked = policy(share, margins=("type",), cells=("type", "section"))
    if np.isinf(least):
        with pytest.raises(InfeasibleReleaseError):
            choose_release(pool, asked, seed=seed)
        return
    release = choose_release(pool, asked, seed=seed)
    assert cost_of(pool, chosen(pool, release), reached, order) == pytest.approx(least, abs=0.01)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_parameters_do_not_move_cells_out_of_their_bounds(seed: int) -> None:
    pool = random_pool(seed, 40)
    bare = Pool.from_rows([pool.row(j) | {"a": None, "b": None} for j in range(40)])
    asked = policy(0.3, margins=("type", "section"), cells=("type", "section"), keep={})
    off = []
    for one in (pool, bare):
        release = choose_release(one, asked, seed=seed)
        off.append(sum(not s.proportional for s in release.strata if s.kind == "cell"))
    assert off[0] == off[1]


def test_cells_that_cannot_be_proportional_are_said_with_the_number() -> None:
    """Two of four cells are withheld whole: what they owe is published elsewhere, and said."""
    rows = [
        item(f"{t}{s}{n}", type=t, section=s, point=None, a=None, b=None)
        for t, s in product(["single", "multiple"], ["S1", "S2"])
        for n in range(10)
    ]
    diagonal = {"any": [{"type": "single", "section": "S1"}, {"type": "multiple", "section": "S2"}]}
    release = choose_release(
        Pool.from_rows(rows),
        policy(0.2, margins=("type", "section"), cells=("type", "section"), withhold=(diagonal,)),
    )
    published = {s.values: s.published for s in release.strata if s.kind == "cell"}
    assert published == {
        ("single", "S1"): 0,
        ("single", "S2"): 4,
        ("multiple", "S1"): 4,
        ("multiple", "S2"): 0,
    }
    (note,) = (n for n in release.notes if "cells" in n)
    assert "4 个交叉格" in note
    assert "by 8 items in all" in note


# Large banks go by kinds


def test_the_coarse_programme_of_a_large_bank_keeps_every_demand() -> None:
    pool = rich_pool(11, 4000)
    release = choose_release(pool, policy(0.3), seed=4)
    bank = pool.take(~pool.where({"field_test": "yes"}))
    out = chosen(bank, release)
    share = out.sum() / len(bank)
    assert out.sum() == floor(0.3 * len(bank) + 0.5)
    for columns in (*((name,) for name in MARGINS), ("section", "type", "grade")):
        assert all(within_one(out, inside, share) for inside in groups(bank, *columns))
    codes, values = bank.codes("point")
    assert np.bincount(codes[~out], minlength=len(values)).min() >= 1
    assert not (chosen(pool, release) & pool.where({"any": [{"reserved": "yes"}, {"anchor": "yes"}]})).any()
    at = {name: n for n, name in enumerate(pool.ids)}
    everyone = chosen(pool, release)
    for j, foes in enumerate(pool.column("enemies")):
        assert all(everyone[j] == everyone[at[foe]] for foe in foes or ())
    assert (release.ks_difficulty, release.ks_discrimination) < (0.02, 0.02)
