"""What memorised items do to the scores: by hand on a paper of equal items, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm

from calibration import Scale
from engine import Effects, Pool, ReleasePolicy, choose_release
from engine.release import effects_of
from engine.release.effect import typical_paper
from tests.engine.release.banks import READY, policy
from tests.engine.samples import item, random_pool, sample_pool


def equal_items(count: int = 20) -> Pool:
    return Pool.from_rows([item(f"q{n:02}", a=1.2, b=-0.5) for n in range(count)])


def effects(pool: Pool, cap: float = 0.25, **more: float) -> Effects:
    found = effects_of(pool, np.arange(len(pool)), np.ones(len(pool)), cap=cap, paper="paper A", **more)  # type: ignore[arg-type]
    assert found is not None
    return found


def by_hand(known: float, cut: float) -> float:
    """True failers of N(0, 1) who get 12 of 20 right when `known` of the items are right with probability 0.97."""
    theta = np.linspace(-5, 5, 4001)
    P = 1 / (1 + np.exp(-1.2 * (theta + 0.5)))
    mixed = known * np.maximum(P, 0.97) + (1 - known) * P
    weights = norm.pdf(theta) * (theta < cut)
    return float(weights @ binom.sf(11, 20, mixed) / weights.sum())


def test_the_table_is_of_the_cap_and_four_shares_at_a_third_and_all_memorised() -> None:
    table = effects(equal_items())
    assert [(row.share, row.memorised) for row in table.rows] == [
        (share, memorised) for share in (0.1, 0.2, 0.25, 0.3, 0.5) for memorised in (0.3, 1.0)
    ]
    assert (table.paper, table.items, table.mean, table.sd) == ("paper A", 20, 0.0, 1.0)
    assert (table.cap, table.pass_share, table.right) == (0.25, 0.6, 0.97)


def test_the_cut_is_where_the_paper_expects_60_percent() -> None:
    """1 / (1 + exp(-1.2 (theta + 0.5))) = 0.6 at theta = ln(1.5) / 1.2 - 0.5."""
    assert effects(equal_items()).cut == pytest.approx(np.log(1.5) / 1.2 - 0.5, abs=1e-6)


def test_false_passes_are_binomial_on_equal_items() -> None:
    """Quadrature on 161 and on 4001 nodes differs where the cut falls between two nodes: within a hundredth."""
    table = effects(equal_items(), cut=-0.15)
    assert table.now == pytest.approx(by_hand(0.0, -0.15), abs=0.01)
    for row in table.rows:
        assert row.false_passes == pytest.approx(by_hand(row.share * row.memorised, -0.15), abs=0.01)


def test_marks_at_the_cut_are_a_mixture() -> None:
    """At the cut 60 % are expected: d · 97 + (1 - d) · 60 once a share d is known."""
    for row in effects(equal_items()).rows:
        d = row.share * row.memorised
        assert row.marks_at_cut == pytest.approx(97 * d + 60 * (1 - d), abs=1e-4)


def test_candidates_drawn_one_by_one_agree() -> None:
    rng = np.random.default_rng(4)
    pool = random_pool(8, 40)
    table = effects(pool, cut=0.0)
    theta = rng.normal(size=60_000)
    theta = theta[theta < 0]
    P = pool.parameters.probability(theta)
    known = rng.random(P.shape) < 0.3
    right = rng.random(P.shape) < np.where(known, np.maximum(P, 0.97), P)
    row = next(row for row in table.rows if (row.share, row.memorised) == (0.3, 1.0))
    assert row.false_passes == pytest.approx((right.sum(axis=0) >= 24).mean(), abs=0.015)


def test_more_known_is_never_less_passed() -> None:
    passes = {row.share * row.memorised: row.false_passes for row in effects(sample_pool()).rows}
    ordered = [passes[known] for known in sorted(passes)]
    assert ordered == sorted(ordered)
    assert ordered[0] > effects(sample_pool()).now


def test_a_bank_on_another_scale_gives_the_same_effect() -> None:
    """theta of N(500, 100²) with b and a moved accordingly."""
    plain = equal_items()
    rows = [item(f"q{n:02}", a=1.2 / 100, b=450.0) for n in range(20)]
    moved = Pool.from_rows(rows, scale=Scale(mean=500.0, sd=100.0))
    one, other = effects(plain), effects(moved)
    assert other.cut == pytest.approx(500 + 100 * one.cut, abs=0.01)
    assert [row.false_passes for row in other.rows] == pytest.approx([row.false_passes for row in one.rows], abs=1e-6)


def test_a_typical_paper_is_as_hard_as_the_bank() -> None:
    pool = random_pool(5, 900)
    items = typical_paper(pool)
    assert len(set(items.tolist())) == 100
    b = pool.parameters.b
    assert b[items].mean() == pytest.approx(b.mean(), abs=0.01)
    assert b[items].std() == pytest.approx(b.std(), abs=0.03)


def test_a_release_states_the_policys_cap() -> None:
    release = choose_release(random_pool(5, 300), policy(0.2, marks_cap=0.15, keep={}), seed=1)
    assert release.effects is not None
    assert 0.15 in {row.share for row in release.effects.rows}
    assert "100 items as hard as the bank" in release.effects.paper


def test_what_cannot_be_said_is_none() -> None:
    """No parameters, or items so easy that nobody fails."""
    easy = Pool.from_rows([item(f"q{n}", b=-30.0, c=0.7, point=None) for n in range(10)])
    assert effects_of(easy, np.arange(10), np.ones(10), cap=0.2, paper="easy") is None
    bare = Pool.from_rows([item(f"q{n}", a=None, b=None, point=None) for n in range(10)])
    assert choose_release(bare, ReleasePolicy(0.2, (READY,))).effects is None
