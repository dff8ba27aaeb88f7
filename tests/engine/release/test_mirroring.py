"""How the published items mirror the bank: distributions, information, who goes first, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from engine import Earlier, Exposed, Limits, Pool, Release, choose_release
from engine.pools import Value
from engine.release import kolmogorov_smirnov
from engine.release.policy import THETA
from tests.engine.release.banks import POLICY, after, chosen, policy, rich_pool
from tests.engine.samples import item, sample_pool


@pytest.fixture(scope="module")
def tenth() -> Release:
    return choose_release(sample_pool(), POLICY, seed=7)


# Distances


def test_the_distance_of_a_worked_example() -> None:
    """Steps of 1/2 against steps of 1/4: after 2 the sample has all, the bank has half."""
    assert kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])) == 0.5
    weighted = kolmogorov_smirnov(np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]))
    assert weighted == 0.5
    assert np.isnan(kolmogorov_smirnov(np.zeros(0), np.array([1.0])))


@settings(max_examples=50, deadline=None)
@given(
    one=st.lists(st.floats(-3, 3), min_size=2, max_size=30), other=st.lists(st.floats(-3, 3), min_size=2, max_size=30)
)
def test_the_distance_is_kolmogorovs_and_smirnovs(one: list[float], other: list[float]) -> None:
    expected = ks_2samp(one, other, method="asymp").statistic
    assert kolmogorov_smirnov(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-12)
    twice = kolmogorov_smirnov(np.array(one), np.array(other), np.full(len(other), 2.0))
    assert twice == pytest.approx(expected, abs=1e-12)


def test_the_distances_are_of_the_calibrated_items(tenth: Release) -> None:
    pool, out = sample_pool(), chosen(sample_pool(), tenth)
    a, b, known = pool.parameters.a, pool.parameters.b, pool.calibrated
    assert tenth.ks_difficulty == pytest.approx(ks_2samp(b[out & known], b[known]).statistic)
    assert tenth.ks_discrimination == pytest.approx(ks_2samp(a[out & known], a[known]).statistic)


def test_difficulty_and_discrimination_are_within_the_limits_and_nearer_than_by_chance(tenth: Release) -> None:
    pool, rng = sample_pool(), np.random.default_rng(1)
    b = pool.parameters.b[pool.calibrated]
    random = [kolmogorov_smirnov(rng.choice(b, 57, replace=False), b) for _ in range(200)]
    assert tenth.ks_difficulty <= 0.05
    assert tenth.ks_discrimination <= 0.10
    assert tenth.ks_difficulty < np.quantile(random, 0.05)


# Information


def test_the_information_given_away_is_that_of_the_published_items(tenth: Release) -> None:
    pool, out = sample_pool(), chosen(sample_pool(), tenth)
    information = np.nan_to_num(pool.parameters.information(THETA))
    share = information[out].sum(axis=0) / information.sum(axis=0)
    assert tuple(tenth.information_share) == THETA == tuple(np.arange(-3, 3.5, 0.5))
    assert list(tenth.information_share.values()) == pytest.approx(share)
    assert list(tenth.information_quotient.values()) == pytest.approx(share / 0.1)


@pytest.mark.parametrize(("seed", "share"), [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.3)])
def test_information_stays_within_its_band(seed: int, share: float) -> None:
    release = choose_release(rich_pool(seed, 600), policy(share), seed=seed)
    assert all(0.90 <= value <= 1.02 for value in release.information_quotient.values())
    assert release.ks_difficulty <= 0.05
    assert release.ks_discrimination <= 0.10
    assert release.notes == ()


def test_a_narrower_band_is_kept_where_it_can_be() -> None:
    release = choose_release(rich_pool(1, 600), policy(0.3, limits=Limits(0.80, 0.92, discrimination=0.3)), seed=1)
    assert all(0.80 <= value <= 0.92 for value in release.information_quotient.values())


def test_limits_that_cannot_be_had_are_said_with_the_number() -> None:
    """The easy half of the bank is withheld: what is published is harder, and tells less of weak candidates."""
    rows = [item(f"q{n:03}", b=(n - 100) / 50, point=None) for n in range(200)]
    pool = Pool.from_rows([row | {"reserved": "yes" if n < 100 else "no"} for n, row in enumerate(rows)])
    release = choose_release(pool, policy(0.2, margins=(), cells=()), seed=1)
    assert release.ks_difficulty >= 0.5 - 1e-9
    (distance, band) = release.notes
    assert distance == f"难度 difficulty: KS {release.ks_difficulty:.3f} 超过 is above 0.05"
    assert f"θ = -3: {release.information_quotient[-3.0]:.3f}" in band
    assert release.information_quotient[-3.0] < 0.9
    assert release.held_back == {"留用 reserved": 100}


def test_a_pool_without_parameters_has_no_distances_and_no_information() -> None:
    pool = Pool.from_rows([item(f"q{n}", a=None, b=None, point=None) for n in range(10)])
    release = choose_release(pool, policy(0.2))
    assert len(release.items) == 2
    assert np.isnan([release.ks_difficulty, release.ks_discrimination, *release.information_share.values()]).all()
    assert release.effects is None
    assert release.notes == ()


def test_items_of_several_categories_count_with_their_information() -> None:
    """Partial-credit items stand beside right-or-wrong ones; the quotient is of both."""
    rows: list[dict[str, Value]] = [item(f"d{n:02}", b=n / 10 - 2, point=None) for n in range(40)]
    rows += [
        {"id": f"p{n:02}", "model": "PCM", "b1": n / 10 - 2.5, "b2": n / 10 - 1.5, "type": "essay"}
        | {"section": "S1", "grade": "3"}
        for n in range(40)
    ]
    pool = Pool.from_rows(rows)
    release = choose_release(pool, policy(0.25), seed=1)
    out = chosen(pool, release)
    assert (sum(name.startswith("p") for name in release.items), len(release.items)) == (10, 20)
    information = pool.information(THETA)
    quotient = information[out].sum(axis=0) / (0.25 * information.sum(axis=0))
    assert list(release.information_quotient.values()) == pytest.approx(quotient)
    assert (information[:, 6] > 0).all()


# Who goes first, who last


def test_exposed_and_drifting_items_go_first_as_far_as_the_margins_allow() -> None:
    """S1 has four exposed items and owes two; S2 has one drifting item and owes two."""
    rows = [
        item(
            f"{s}{n}",
            section=s,
            point=None,
            uses="7" if s == "A" and n < 4 else "0",
            exposure="0.31" if s == "B" and n == 8 else None,
            drift="yes" if s == "B" and n == 9 else "no",
        )
        for s in "AB"
        for n in range(10)
    ]
    release = choose_release(Pool.from_rows(rows), policy(0.2, margins=("section",), cells=()), seed=3)
    assert {name for name in release.items if name[0] == "B"} == {"B8", "B9"}
    assert {name for name in release.items if name[0] == "A"} < {"A0", "A1", "A2", "A3"}
    assert "参数漂移 its parameters drift" in release.reasons["B9"]
    assert "exposed: met by 31% of candidates" in release.reasons["B8"]
    assert all("exposed: used 7 times" in release.reasons[name] for name in release.items if name[0] == "A")
    usage = release.usage
    assert (usage.exposed, usage.exposed_published) == (6, 4)
    assert (usage.mean_uses, usage.mean_uses_published) == (1.4, 3.5)


def test_from_how_many_uses_an_item_is_exposed_is_the_policys_to_say() -> None:
    pool = Pool.from_rows([item(f"q{n}", point=None, uses=str(n)) for n in range(10)])
    release = choose_release(pool, policy(0.2, exposed=Exposed(uses=8)), seed=1)
    assert set(release.items) == {"q8", "q9"}


def test_items_that_are_not_exposed_have_no_such_reason() -> None:
    release = choose_release(rich_pool(3, 200), policy(0.2), seed=1)
    pool = rich_pool(3, 200)
    uses = dict(zip(pool.ids, pool.numbers("uses"), strict=True))
    drift = dict(zip(pool.ids, pool.column("drift"), strict=True))
    for name, reason in release.reasons.items():
        assert ("exposed: used" in reason) == (uses[name] >= 3)
        assert ("drift" in reason) == (drift[name] == "yes")
        assert "代表 represents S" in reason


def test_points_published_lately_go_last() -> None:
    """Of five points of four items, two were published in 2025 and one in 2020, long enough ago."""
    year = {"P0": 2025, "P1": 2025, "P2": 2020}
    rows = [
        item(
            f"{point}-{n}",
            point=point,
            published="yes" if n == 0 and point in year else "no",
            published_year=str(year[point]) if n == 0 and point in year else None,
        )
        for point in ("P0", "P1", "P2", "P3", "P4")
        for n in range(4)
    ]
    release = choose_release(Pool.from_rows(rows), policy(0.35, year=2026), seed=1)
    assert len(release.items) == 4
    assert {name[:2] for name in release.items} <= {"P2", "P3", "P4"}
    later = choose_release(Pool.from_rows(rows), policy(0.75, year=2026), seed=1)
    lately = [reason for name, reason in later.reasons.items() if name[:2] in {"P0", "P1"}]
    assert lately
    assert all("2025 年公开过同考核点的题" in reason for reason in lately)


def test_lists_of_earlier_releases_rotate_too() -> None:
    rows = [item(f"{point}-{n}", point=point) for point in ("P0", "P1") for n in range(4)]
    gone = (Earlier(2025, ("P0-0", "no longer here")),)
    release = choose_release(Pool.from_rows(rows), policy(0.25, year=2026, earlier=gone), seed=1)
    assert {name[:2] for name in release.items} == {"P1"}


# Sets go together


def test_sets_and_enemies_go_together_and_say_so() -> None:
    rows = [
        item(f"q{n}", point=None, stimulus="图 1" if n < 3 else None, uses="9" if n == 0 else "0") for n in range(9)
    ]
    release = choose_release(Pool.from_rows(rows), policy(1 / 3), seed=1)
    assert release.items == ("q0", "q1", "q2")
    assert "题组 item set 图 1: 与 q1, q2 同时公开 published with them" in release.reasons["q0"]
    rows = [item(f"q{n}", point=None, enemies=("q1",) if n == 0 else (), uses="9" if n == 1 else "0") for n in range(9)]
    release = choose_release(Pool.from_rows(rows), policy(2 / 9), seed=1)
    assert release.items == ("q0", "q1")
    assert "互斥题 enemies: 与 q1 同时公开" in release.reasons["q0"]


def test_what_goes_with_a_barred_item_stays_and_is_counted() -> None:
    rows = [
        item(f"q{n}", point=None, enemies=("q1",) if n == 0 else (), anchor="yes" if n == 1 else "no") for n in range(9)
    ]
    release = choose_release(Pool.from_rows(rows), policy(1 / 3), seed=1)
    assert not {"q0", "q1"} & set(release.items)
    assert release.held_back == {"同组有题不公开 goes with one that is not published": 1, "锚题 anchor item": 1}


def test_companions_of_public_items_go_first() -> None:
    rows = [
        item(f"q{n}", point=None, stimulus="T" if n < 2 else None, published="yes" if n == 0 else "no")
        for n in range(10)
    ]
    release = choose_release(Pool.from_rows(rows), policy(0.2), seed=1)
    assert release.items == ("q1",)
    assert "同组题已公开 its companions are public" in release.reasons["q1"]


def test_two_secret_items_are_kept_where_the_policy_says_so() -> None:
    pool = Pool.from_rows([item(f"{p}{n}", point=p, section="S1", grade="3") for p in "ABCD" for n in range(3)])
    release = choose_release(pool, policy(1 / 3, keep={"point": 2}))
    assert sorted(name[0] for name in release.items) == list("ABCD")
    (kept,) = release.kept
    assert (kept.column, kept.fewest, kept.values) == ("point", 2, 4)
    assert all("仍有保密题 keeps secret: 2" in reason for reason in release.reasons.values())


def test_a_later_round_measures_all_that_is_public() -> None:
    pool = rich_pool(9, 300)
    first = choose_release(pool, policy(0.1), seed=1)
    second = choose_release(after(pool, first), policy(0.3), seed=1)
    bank = pool.take(~pool.where({"field_test": "yes"}))
    out = chosen(bank, first) | chosen(bank, second)
    assert second.public == out.sum()
    assert second.ks_difficulty == pytest.approx(ks_2samp(bank.parameters.b[out], bank.parameters.b).statistic)
