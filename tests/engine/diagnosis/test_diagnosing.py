"""Why not: small pools against every form there is, large ones against the rule that was added to a feasible paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.banks import EARLIER as LAST_YEAR
from benchmarks.banks import bank, earlier_papers
from benchmarks.banks import blueprint as paper_of
from engine import Blueprint, InfeasibleBlueprintError, Pool, PoolError, Rule, Target, assemble, diagnose, recount
from engine.assembly.ordering import arrange
from engine.assembly.paper import compile_paper
from engine.diagnosis.examining import IMPOSSIBLE, Diagnosis
from tests.engine.diagnosis.brute import EARLIER, cheapest, feasible, keeps
from tests.engine.samples import SHARE_NOTHING, item, random_rows, real_blueprint, sample_pool, small_blueprint

PLACES = ({"type": "single"}, {"type": "multiple"}, {"section": "S1"}, {"section": "S2"}, {"grade": ["1", "2"]})
ITEMS = 9


@st.composite
def rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    """Two to six rules of any kind, possible together or not."""
    kinds = st.sampled_from(["count", "share", "sum", "mean", "at_most_one_per", "set_size", "exclude", "if_then"])
    chosen = draw(st.lists(kinds, min_size=1, max_size=4))
    chosen += draw(st.lists(st.sampled_from(["enemies", "include", "overlap"]), max_size=2, unique=True))
    return tuple(_rule(draw, f"{kind} {n}", kind) for n, kind in enumerate(chosen))


def _rule(draw: st.DrawFn, name: str, kind: str) -> Rule:
    where = draw(st.sampled_from(PLACES))
    least, room, priority = draw(st.integers(0, 4)), draw(st.integers(0, 1)), float(draw(st.sampled_from([1, 1, 2, 3])))
    made = {
        "count": Rule(name, "count", where=where, min=least, max=least + room if room else None),
        "share": Rule(name, "count", where=where, share=0.4 if room else (0.25, 0.5)),
        "sum": Rule(name, "sum", of="marks" if room else "minutes", where=where, min=least / 2, max=least / 2 + 1),
        "mean": Rule(name, "mean", of="grade", where=where, max=1.0 + least),
        "at_most_one_per": Rule(name, "at_most_one_per", of="section" if room else "point"),
        "set_size": Rule(name, "set_size", of="section", min=2, max=2 + room),
        "exclude": Rule(name, "exclude", where=where),
        "if_then": Rule(name, "if_then", where=where, then={"type": "multiple"}, min=max(least, 1)),
        "enemies": Rule(name, "enemies"),
        "include": Rule(name, "include", items=("i0001", "i0004")),
        "overlap": Rule(name, "overlap", forms=EARLIER, max=1),
    }[kind]
    return replace(made, priority=priority)


def small_pool(seed: int) -> Pool:
    pool = Pool.from_rows(random_rows(seed, ITEMS))
    for where in PLACES:
        try:
            pool.where(where)
        except PoolError:  # a rule on a value that no item has is refused, not diagnosed
            assume(False)
    return pool


def rows_of(pool: Pool, items: Sequence[str]) -> list[dict[str, object]]:
    return [pool.row(pool.ids.index(name)) for name in items]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), rules())
def test_the_least_change_is_as_cheap_as_the_cheapest_rules_that_any_form_misses(
    seed: int, made: tuple[Rule, ...]
) -> None:
    pool, old = small_pool(seed), ("i0000", "i0001", "i0002", "i0003")
    blueprint = small_blueprint(*made)
    diagnosis = diagnose(pool, blueprint, earlier={EARLIER: old})
    assert diagnosis.cost == pytest.approx(cheapest(pool, blueprint, old))
    assert diagnosis.feasible == (diagnosis.cost == 0)
    assert diagnosis.least or diagnosis.feasible
    proposed = diagnosis.proposal or blueprint
    [form] = diagnosis.witness
    assert len(set(form)) == blueprint.length
    numbered = [rule for rule in proposed.rules if "not" not in rule.where]  # what brute.py can read
    assert all(keeps(rows_of(pool, form), rule, proposed, old) for rule in numbered)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), rules())
def test_a_contradiction_is_one_and_nothing_can_be_left_out_of_it(seed: int, made: tuple[Rule, ...]) -> None:
    pool, old = small_pool(seed), ("i0000", "i0001", "i0002", "i0003")
    blueprint = small_blueprint(*made)
    diagnosis = diagnose(pool, blueprint, earlier={EARLIER: old})
    assume(not diagnosis.feasible)
    assert diagnosis.conflict
    assert diagnosis.irreducible
    rest = [rule for rule in made if rule.id in diagnosis.conflict]
    assert not feasible(pool, blueprint, rest, old)
    if "length" in diagnosis.conflict:  # brute.py counts forms of the blueprint's length only
        for one in rest:
            assert feasible(pool, blueprint, [rule for rule in rest if rule is not one], old)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), rules(), st.sampled_from(["count", "sum", "mean", "at most", "exclude"]))
def test_an_impossible_rule_added_to_a_feasible_paper_is_in_the_contradiction(
    seed: int, made: tuple[Rule, ...], kind: str
) -> None:
    pool, old = small_pool(seed), ("i0000", "i0001", "i0002", "i0003")
    blueprint = small_blueprint(*made)
    assume(feasible(pool, blueprint, made, old))
    impossible = {
        "count": Rule("impossible", "count", where={"type": "multiple"}, min=5),
        "sum": Rule("impossible", "sum", of="marks", min=4.5),
        "mean": Rule("impossible", "mean", of="grade", min=5.5),
        "at most": Rule("impossible", "count", where={}, max=3),
        "exclude": Rule("impossible", "exclude", where={"section": ["S1", "S2", "S3"]}),
    }[kind]
    diagnosis = diagnose(pool, replace(blueprint, rules=(*made, impossible)), earlier={EARLIER: old})
    assert diagnosis.status == IMPOSSIBLE
    assert "impossible" in diagnosis.conflict
    assert diagnosis.cost <= impossible.priority
    assert len(diagnosis.witness) == 1
    again = diagnose(pool, diagnosis.proposal or blueprint, earlier={EARLIER: old})
    assert again.feasible


IMPOSSIBLE_HERE = [
    Rule("too many there", "count", where={"section": "A-1"}, min=40),
    Rule("quick", "sum", of="minutes", max=20),
    Rule("a whole point", "include", where={"point": "D-1-0003"}),
    Rule("letters as they fall", "key_balance", of="key", where={"type": "single"}, share=(0.24, 0.2501)),
    Rule("old ones", "mean", of="uses", min=4.5),
    Rule("published", "sum", of="marks", where={"published": "yes"}, share=(0.5, 1.0)),
    Rule("whole sets of four", "set_size", of="stimulus", min=4, max=6),
]


@pytest.fixture(scope="module")
def large() -> tuple[Pool, Blueprint, dict[str, tuple[str, ...]]]:
    pool = bank(1000)
    return pool, paper_of(60), earlier_papers(pool, 60)


@pytest.mark.parametrize("rule", IMPOSSIBLE_HERE, ids=lambda rule: rule.id)
def test_every_kind_of_rule_takes_part(large: tuple[Pool, Blueprint, dict[str, tuple[str, ...]]], rule: Rule) -> None:
    pool, blueprint, earlier = large
    diagnosis = diagnose(pool, replace(blueprint, rules=(*blueprint.rules, rule)), earlier=earlier)
    assert diagnosis.status == IMPOSSIBLE
    assert rule.id in diagnosis.conflict
    assert diagnosis.cost <= 1.0
    assert len(diagnosis.witness[0]) == 60
    assert diagnosis.proposal is not None
    assert diagnose(pool, diagnosis.proposal, earlier=earlier).feasible
    members = np.array([pool.ids.index(name) for name in diagnosis.witness[0]])
    proposal = replace(diagnosis.proposal, order=("type",))  # runs of a key are a matter of order: leave it room
    order, shuffles = arrange(compile_paper(pool, proposal, earlier=earlier), members)
    form = {"A": [pool.ids[j] for j in order]}
    lines = recount(pool, proposal, form, earlier=earlier, shuffles={"A": shuffles})
    assert [line for line in lines if not line.ok] == []


def test_the_real_paper_can_be_made_and_a_third_lacks_three_singles() -> None:
    pool, blueprint = sample_pool(), real_blueprint()
    assert diagnose(pool, blueprint, forms=2).feasible
    diagnosis = diagnose(pool, blueprint, forms=3)
    singles = next(one for one in diagnosis.shortages if one.rule == "type single")
    flagged = sum(
        kind == "single" and mark == "yes"
        for kind, mark in zip(pool.column("type"), pool.column("flagged"), strict=True)
    )
    assert (singles.wanted, singles.held) == (3 * 140, 420 - flagged)
    assert diagnosis.most_forms == 2
    [change] = diagnosis.changes
    assert (change.rule, change.old) == ("parallel forms share nothing", 0)
    assert isinstance(change.new, float)
    assert shared(diagnosis) <= change.new
    rules_of_a_form = [rule for rule in blueprint.rules if rule.what != "overlap"]
    assert all(keeps(rows_of(pool, items), rule, blueprint) for items in diagnosis.witness for rule in rules_of_a_form)


def shared(diagnosis: Diagnosis) -> int:
    papers = [set(items) for items in diagnosis.witness]
    return max(len(one & other) for one in papers for other in papers if one is not other)


def test_what_is_dear_stays_and_what_is_cheap_gives_way() -> None:
    rows = [item(f"i{j}", grade="1" if j < 3 else "5", section="S1" if j < 3 else "S2") for j in range(8)]
    pool = Pool.from_rows(rows)
    on_sections = Rule("section", "count", where={"section": "S2"}, min=2)
    on_grades = Rule("grade", "count", where={"grade": "1"}, min=3)
    cheap = diagnose(pool, small_blueprint(on_sections, on_grades))
    assert [(one.rule, one.old, one.new) for one in cheap.changes] == [("grade", 3.0, 2.0)]
    dear = diagnose(pool, small_blueprint(on_sections, replace(on_grades, priority=5)))
    assert [(one.rule, one.old, one.new) for one in dear.changes] == [("section", 2.0, 1.0)]


def test_the_length_gives_way_last() -> None:
    pool = Pool.from_rows([item(f"i{j}") for j in range(3)])
    diagnosis = diagnose(pool, small_blueprint(Rule("half", "count", where={"type": "single"}, share=(0.5, 1.0))))
    assert [one.text for one in diagnosis.changes] == ["length: 4 → 3 items"]
    assert diagnosis.shortages[0].rule == "length"
    assert "only 3 items may be chosen" in diagnosis.shortages[0].message


def test_information_beyond_the_pool_is_lowered_to_what_it_can_give() -> None:
    pool = Pool.from_rows([item(f"i{j}", a=1.0, b=0.0) for j in range(10)])
    target = Target(theta=(0.0,), information=(2.0,), marks_tolerance=0.0)
    diagnosis = diagnose(pool, small_blueprint(target=target))
    [change] = diagnosis.changes
    assert change.rule == "information"
    assert change.new == pytest.approx(4 * 0.25)  # four items of a = 1 at their own difficulty
    assert diagnosis.witness


def test_marks_that_cannot_be_expected_name_the_target() -> None:
    rng = np.random.default_rng(5)
    rows = [item(f"i{j}", b=float(rng.normal()), section="S1" if j < 6 else "S2") for j in range(12)]
    hard = [item(f"h{j}", b=3.0, section="S3") for j in range(4)]
    pool = Pool.from_rows(rows + hard)
    reference = tuple(row["id"] for row in rows[:4])
    target = Target(reference=tuple(map(str, reference)), marks_tolerance=0.05, marks_between_forms=1.0, goal=0.9)
    only_hard = Rule("only hard ones", "count", where={"section": "S3"}, min=4)
    diagnosis = diagnose(pool, small_blueprint(only_hard, target=target))
    assert set(diagnosis.conflict) >= {"expected marks"} or diagnosis.shortages
    assert {one.rule for one in diagnosis.changes} <= {"expected marks", "only hard ones"}
    assert diagnosis.witness


def test_an_assembly_that_fails_says_why_and_what_helps() -> None:
    pool = Pool.from_rows([item(f"i{j}", section="S1" if j < 3 else "S2") for j in range(12)])
    with pytest.raises(InfeasibleBlueprintError) as caught:
        assemble(pool, small_blueprint(Rule("ones", "count", where={"section": "S1"}, min=4)))
    assert "rule 'ones' wants 4, but the pool holds 3" in str(caught.value)
    assert "the least change: rule 'ones': min 4 → 3 items" in str(caught.value)
    assert [(one.rule, one.amount) for one in caught.value.shortfalls] == [("ones", 1.0)]


def test_forms_that_share_nothing_are_counted_together() -> None:
    pool = Pool.from_rows([item(f"i{j}", section="S1" if j < 7 else "S2") for j in range(20)])
    ones = Rule("ones", "count", where={"section": "S1"}, min=2)
    blueprint = small_blueprint(ones, SHARE_NOTHING)
    assert diagnose(pool, blueprint, forms=3).feasible
    diagnosis = diagnose(pool, blueprint, forms=4)
    [short] = diagnosis.shortages
    assert (short.rule, short.wanted, short.held) == ("ones", 8, 7)
    assert diagnosis.most_forms == 3
    assert set(diagnosis.conflict) == {"ones", "nothing shared"}
    assert [one.text for one in diagnosis.changes] in (
        ["rule 'ones': min 2 → 1 items"],
        ["rule 'nothing shared': two forms may share 0 → 1 items"],
    )


def test_last_years_paper_takes_part(large: tuple[Pool, Blueprint, dict[str, tuple[str, ...]]]) -> None:
    pool, blueprint, earlier = large
    all_old = {LAST_YEAR: pool.ids[:950]}
    diagnosis = diagnose(pool, blueprint, earlier=all_old)
    assert diagnosis.status == IMPOSSIBLE
    assert "last year's" in diagnosis.conflict
    assert diagnosis.changes[0].rule == "last year's"
    assert earlier
