"""Shares, readiness, margins of strata, skill modules; and what is refused, everything named."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine import (
    InfeasibleReleaseError,
    Pool,
    PoolError,
    Readiness,
    ReleaseError,
    ReleasePolicy,
    StratumPolicy,
    choose_release,
)
from tests.engine.release.banks import POLICY, READY, after, chosen, policy
from tests.engine.samples import item, random_pool


def levels() -> Pool:
    """Level 3: 40 items of theory and 20 skill tasks in 4 modules; level 4: 30 items of theory."""
    rows = [item(f"t3-{n:02}", level="3", component="theory", section=f"S{n % 3}", module=None) for n in range(40)]
    rows += [
        item(f"s3-{n:02}", level="3", component="skill", type="task", section=None, point=None, module=f"M{n % 4}")
        for n in range(20)
    ]
    rows += [item(f"t4-{n:02}", level="4", component="theory", section=f"S{n % 3}", module=None) for n in range(30)]
    return Pool.from_rows([row | {"a": 1.0 + n % 7 / 10, "b": n % 11 / 5 - 1} for n, row in enumerate(rows)])


def ready(level: str, component: str) -> Readiness:
    return replace(READY, where={"level": level, "component": component})


ALL = (ready("3", "theory"), ready("3", "skill"), ready("4", "theory"))
OPEN = {"keep": {"module": 1}}


def test_every_stratum_has_its_own_share() -> None:
    strata = (
        StratumPolicy({"component": "skill"}, share=0.4, keep={"module": 2}),
        StratumPolicy({"level": 4}, share=0.1),
    )
    release = choose_release(levels(), policy(0.2, readiness=ALL, strata=strata, **OPEN), seed=3)
    assert {share.values: (share.published, share.items) for share in release.shares} == {
        ("3", "skill"): (8, 20),
        ("3", "theory"): (8, 40),
        ("4", "theory"): (3, 30),
    }
    assert release.by == ("level", "component")
    assert [share.readiness.where["component"] for share in release.shares if share.readiness] == [
        "skill",
        "theory",
        "theory",
    ]


def test_skill_tasks_are_published_per_module_and_every_module_keeps_secret_ones() -> None:
    """40 tasks as in the public guide of the AI trainer, eight modules of five: half of each, three at most."""
    rows = [
        item(f"{m}-{n}", component="skill", module=f"{m}", type="task", section=None, point=None)
        for m in range(8)
        for n in range(5)
    ]
    pool = Pool.from_rows(rows)
    asked = ReleasePolicy(0.5, (replace(READY, where={"component": "skill"}),), keep={"module": 2})
    release = choose_release(pool, asked, seed=1)
    counts = np.array([sum(name.startswith(f"{m}-") for name in release.items) for m in range(8)])
    assert len(release.items) == 20
    assert set(counts.tolist()) == {2, 3}
    (kept,) = release.kept
    assert (kept.column, kept.fewest, kept.values) == ("module", 2, 8)
    assert all("module" in reason for reason in release.reasons.values())


def test_the_scope_leaves_everything_else_alone() -> None:
    asked = policy(0.4, readiness=(ready("3", "skill"),), scope={"component": "skill"})
    release = choose_release(levels(), asked, seed=1)
    assert len(release.items) == 8
    assert all(name.startswith("s3") for name in release.items)
    assert release.counted == 20


def test_a_round_adds_no_more_than_it_may_and_says_how_many_are_left() -> None:
    pool = random_pool(2, 100)
    asked = policy(0.3, max_per_round=0.12, keep={})
    first = choose_release(pool, asked, seed=1)
    assert len(first.items) == 12
    assert first.shares[0].rounds_left == 2
    assert "a round is bounded: 12.0% are public after it, the policy's share is 30.0%" in first.notes[0]
    second = choose_release(after(pool, first), asked, seed=1)
    third = choose_release(after(after(pool, first), second), asked, seed=1)
    assert (len(second.items), len(third.items), third.shares[0].rounds_left) == (12, 6, 0)
    assert third.shares[0].reached == 0.3
    assert not any("bounded" in note for note in third.notes)


def test_shares_that_are_not_whole_are_rounded_together() -> None:
    """Five strata of 10 items at 25 %: 12.5 items are 13, not five times 2 or 3."""
    rows = [item(f"{level}{n}", level=f"{level}", point=None) for level in range(1, 6) for n in range(10)]
    decisions = tuple(replace(READY, where={"level": f"{level}"}) for level in range(1, 6))
    release = choose_release(Pool.from_rows(rows), policy(0.25, readiness=decisions), seed=1)
    assert [share.published for share in release.shares] == [3, 3, 3, 2, 2]


def test_field_test_items_are_not_of_the_bank_yet() -> None:
    rows = [item(f"q{n}", point=None, field_test="yes" if n < 10 else "no") for n in range(30)]
    release = choose_release(Pool.from_rows(rows), policy(0.25), seed=1)
    assert (len(release.items), release.counted) == (5, 20)


def test_what_was_public_too_much_moves_the_rest_and_is_said() -> None:
    """All of S1 is public already: S2 and S3 share what is left."""
    rows = [
        item(f"{s}{n:02}", section=s, point=None, published="yes" if s == "S1" else "no")
        for s in ("S1", "S2", "S3")
        for n in range(10)
    ]
    release = choose_release(Pool.from_rows(rows), policy(0.6, margins=("section",), cells=()), seed=1)
    assert {s.values[0]: s.published for s in release.strata} == {"S1": 10, "S2": 4, "S3": 4}
    assert any("S1: 已公开 10，配额 quota 6.00" in note for note in release.notes)


# What is refused


def test_nothing_is_released_before_somebody_said_it_is_ready() -> None:
    with pytest.raises(ReleaseError, match="nobody has decided that the bank is ready") as caught:
        choose_release(random_pool(1, 20), ReleasePolicy(0.2))
    assert not isinstance(caught.value, InfeasibleReleaseError)
    with pytest.raises(ReleaseError, match=r"level 3 × component skill, level 4 × component theory is ready .*where"):
        choose_release(levels(), policy(0.2, readiness=ALL[:1]))


def test_a_decision_must_say_for_what_it_is() -> None:
    with pytest.raises(ReleaseError, match=r"\[\[readiness\]\] 1: where names no level"):
        choose_release(levels(), policy(0.2))
    with pytest.raises(ReleaseError, match=r"\[\[readiness\]\] 2: where: no column 'levle'; did you mean 'level'"):
        choose_release(levels(), policy(0.2, readiness=(ALL[0], replace(READY, where={"levle": "3"}))))
    with pytest.raises(ReleaseError, match=r"no item has component = 'skil'; did you mean 'skill'"):
        choose_release(levels(), policy(0.2, readiness=(ready("3", "skil"),)))


def test_a_stratum_that_takes_part_of_no_round_needs_no_decision() -> None:
    """What has its share already is not published now."""
    pool = levels()
    rows = [pool.row(j) | {"published": "yes" if name < "s3-10" else "no"} for j, name in enumerate(pool.ids)]
    rows = [row | {"published": "yes"} if str(row["id"]) >= "t4-20" else row for row in rows]
    release = choose_release(Pool.from_rows(rows), policy(0.25, readiness=(ready("3", "theory"),), **OPEN), seed=1)
    assert all(name.startswith("t3") for name in release.items)


def test_strata_and_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(ReleaseError, match=r"\[\[stratum\]\] 1: no item has level = '9'; there are 3, 4"):
        choose_release(levels(), policy(0.2, readiness=ALL, strata=(StratumPolicy({"level": 9}, share=0.1),)))
    with pytest.raises(PoolError, match="no column 'grades'; did you mean 'grade'"):
        choose_release(random_pool(1, 10), policy(0.5, margins=("grades",)))
    with pytest.raises(PoolError, match="no column 'modul'"):
        choose_release(random_pool(1, 10), policy(0.5, keep={"modul": 1}))
    with pytest.raises(PoolError, match="no item has section = 'S9'"):
        choose_release(random_pool(1, 60), policy(0.5, scope={"section": "S9"}))


def test_marks_and_numbers_that_are_none_name_the_item() -> None:
    for column, cell, message in (
        ("anchor", "maybe", "item 'q1': anchor = 'maybe': expected yes or no"),
        ("published", "x", "item 'q1': published = 'x': expected yes or no"),
        ("uses", "many", "item 'q1': uses = 'many': expected a number"),
    ):
        rows = [item("q0"), item("q1", **{column: cell})]
        with pytest.raises(ReleaseError, match=message):
            choose_release(Pool.from_rows(rows), policy(0.5))


def test_a_share_that_withholding_does_not_allow_is_counted() -> None:
    pool = Pool.from_rows([item(f"q{n}", flagged="yes" if n else None) for n in range(10)])
    with pytest.raises(InfeasibleReleaseError, match="means 3 public ones; 0 are public already and 1 more may be"):
        choose_release(pool, replace(POLICY, share=0.3))


def test_every_stratum_that_is_short_is_named() -> None:
    barred = policy(0.5, readiness=ALL, withhold=({"component": "skill"}, {"level": "4"}))
    with pytest.raises(InfeasibleReleaseError) as caught:
        choose_release(levels(), barred)
    assert "level 3 × component skill: share 0.5 of 20 items means 10 public ones" in str(caught.value)
    assert "level 4 × component theory: share 0.5 of 30 items means 15 public ones" in str(caught.value)


def test_a_margin_that_withholding_does_not_allow_is_named() -> None:
    pool = Pool.from_rows([item(f"{s}{n}", section=s, point=None) for s in "AB" for n in range(10)])
    with pytest.raises(
        InfeasibleReleaseError, match=r"section A in the bank: 10 items, of which 4 must be .* but 0 may"
    ):
        choose_release(pool, policy(0.4, margins=("section",), withhold=({"section": "A"},)))


def test_a_round_with_nothing_left_to_add_says_so() -> None:
    pool = random_pool(1, 50)
    first = choose_release(pool, policy(0.2, keep={}))
    with pytest.raises(InfeasibleReleaseError, match="means 10 public ones; 10 are public already"):
        choose_release(after(pool, first), policy(0.2, keep={}))
    with pytest.raises(InfeasibleReleaseError, match=r"share 0\.01 of 10 items means 0 public ones"):
        choose_release(random_pool(1, 10), policy(0.01))


def test_points_that_leave_nothing_to_publish_are_in_the_message() -> None:
    pool = Pool.from_rows([item(f"q{n}") for n in range(10)])  # a point each: nothing may go
    with pytest.raises(InfeasibleReleaseError, match="3 to 3 more must be published, but every item there is barred"):
        choose_release(pool, policy(0.3))


def test_what_stands_in_the_way_together_is_named_with_how_far() -> None:
    """Half of the bank at points of two items, of which one stays: S1 can give 5 of its 10, and must give 7."""
    rows = [item(f"A{n:02}", section="S1", point=f"P{n // 2}") for n in range(10)]
    rows += [item(f"B{n:02}", section="S2", point=None) for n in range(10)]
    with pytest.raises(InfeasibleReleaseError) as caught:
        choose_release(Pool.from_rows(rows), policy(0.7, margins=("section",), cells=()))
    amounts = re.findall(r"(?:the secret items of point P\d|section S1 .*?) must give way by (\d)", str(caught.value))
    assert sum(map(int, amounts)) == 2
    assert "lower the share, keep fewer secret items, drop a margin or withhold less" in str(caught.value)


def test_dates_of_decisions_are_dates() -> None:
    release = choose_release(random_pool(1, 50), policy(0.2, keep={}))
    assert release.shares[0].readiness == Readiness("孙丽", date(2026, 11, 20), "会议纪要 12 号")


def test_members_of_a_release_are_those_of_its_pool() -> None:
    pool = levels()
    release = choose_release(pool, policy(0.2, readiness=ALL, **OPEN), seed=5)
    assert chosen(pool, release).sum() == len(release.items) == sum(share.published for share in release.shares)
