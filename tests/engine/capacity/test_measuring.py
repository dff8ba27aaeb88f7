"""How many papers a bank holds: small banks against every way to choose, the real one against its own numbers."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import Blueprint, Pool, Rule
from engine.capacity import capacity
from engine.capacity.measuring import sharing_nothing
from tests.engine.diagnosis.brute import keeps
from tests.engine.samples import item, random_pool, real_blueprint, sample_pool, small_blueprint

MULTIPLE = Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1)
POINTS = Rule("one item a point", "at_most_one_per", of="point")
RULES = {"multiples": MULTIPLE, "points": POINTS, "enemies": Rule("enemies apart", "enemies")}


def most_disjoint(pool: Pool, blueprint: Blueprint) -> int:
    """The most disjoint forms among all that keep the rules: every way is tried."""
    rows = [pool.row(j) for j in range(len(pool))]
    good = [
        frozenset(form)
        for form in combinations(range(len(pool)), blueprint.length)
        if all(keeps([rows[j] for j in form], rule, blueprint) for rule in blueprint.rules)
    ]

    def most(used: frozenset[int], first: int) -> int:
        free = [n for n in range(first, len(good)) if not good[n] & used]
        return max((1 + most(used | good[n], n + 1) for n in free), default=0)

    return most(frozenset(), 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]), st.sets(st.sampled_from(sorted(RULES)), min_size=1))
def test_the_papers_are_as_many_as_any_way_to_choose_gives(seed: int, length: int, names: set[str]) -> None:
    pool = random_pool(seed, 9)
    assume("multiple" in pool.column("type"))
    blueprint = small_blueprint(*(RULES[name] for name in sorted(names)), length=length)
    result = capacity(pool, blueprint, ahead=0)
    most = most_disjoint(pool, blueprint)
    assert result.papers <= most <= result.bound
    assert result.papers >= most - 1  # one after another is not always the best way to share out nine items
    used = [name for form in result.forms for name in form]
    assert len(used) == len(set(used)) == length * result.papers
    assert all(
        keeps([pool.row(pool.ids.index(name)) for name in form], rule, blueprint)
        for form in result.forms
        for rule in blueprint.rules
    )


def bank_of(multiples: int, singles: int) -> Pool:
    kinds = ["multiple"] * multiples + ["single"] * singles
    return Pool.from_rows([item(f"i{j:02d}", type=kind, point=f"P{j % 4}") for j, kind in enumerate(kinds)])


def test_what_runs_out_first_and_what_to_write() -> None:
    two = Rule("multiples", "count", where={"type": "multiple"}, min=2)
    result = capacity(bank_of(7, 20), small_blueprint(two), ahead=2, cells=("type",))
    assert (result.papers, result.bound) == (3, 3)  # seven multiples, two a paper
    assert [(one.rule, one.need, one.supply, one.papers) for one in result.rules] == [
        ("multiples", 2.0, 7.0, 3),
        ("length", 4.0, 27.0, 6),
    ]
    assert result.cells[0].cell == {"type": "multiple"}
    first, second = result.steps
    assert (first.papers, first.fewest, first.assembled) == (4, 1, True)
    assert [(dict(line.cell), line.items) for line in first.lines] == [({"type": "multiple"}, 1)]
    assert first.prices["multiples"] == pytest.approx(1.0)
    assert (second.papers, second.fewest, second.assembled) == (5, 2, True)


def test_every_order_is_for_points_that_are_short() -> None:
    once = [POINTS, Rule("one there", "count", where={"point": "P3"}, min=1)]
    rows = [item(f"i{j:02d}", point=f"P{j % 4}") for j in range(8)] + [item(f"x{j}", point=f"Q{j}") for j in range(8)]
    result = capacity(Pool.from_rows(rows), small_blueprint(*once), ahead=1, cells=("point", "type"))
    assert result.papers == 2  # two items of P3
    [step] = result.steps
    assert [(dict(line.cell), line.items) for line in step.lines] == [({"point": "P3", "type": "single"}, 1)]
    assert step.assembled


def test_required_items_stand_on_one_paper_only() -> None:
    result = capacity(bank_of(0, 20), small_blueprint(Rule("this", "include", items=("i00",))), ahead=0)
    assert (result.papers, result.bound) == (1, 1)


def test_a_rule_without_any_item_leaves_no_paper() -> None:
    pool = Pool.from_rows([item(f"i{j}", uses="9") for j in range(8)])
    rested = Rule("rested", "exclude", where={"uses": {"min": 5}})
    result = capacity(pool, small_blueprint(rested), ahead=0)
    assert (result.papers, result.bound, result.forms) == (0, 0, ())


def test_papers_that_may_share_items_are_counted_as_if_they_might_not() -> None:
    shared = Rule("shared", "overlap", forms="parallel", share=0.5)
    blueprint = sharing_nothing(small_blueprint(shared))
    assert [(rule.id, rule.share) for rule in blueprint.rules] == [("shared", 0.0)]


def test_the_sample_bank_gives_two_papers_and_lacks_three_items_for_a_third() -> None:
    result = capacity(sample_pool(), real_blueprint(), ahead=1)
    assert (result.papers, result.bound) == (2, 2)
    assert result.rules[0].rule == "function E"
    assert (result.rules[0].need, result.rules[0].supply) == (5.0, 14.5)
    [step] = result.steps
    assert step.fewest == 3  # functions B, C and E each lack half a mark
    assert {name for name, price in step.prices.items() if price == 1.0} >= {"function B", "function C", "function E"}
    assert step.assembled
