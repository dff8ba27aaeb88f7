"""Assembly against brute force on small pools, and its promises on the real papers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import (
    Assembly,
    Blueprint,
    InfeasibleBlueprintError,
    Pool,
    PoolError,
    Rule,
    Target,
    assemble,
    form_overlaps,
    reference_form,
)
from engine.assembly.aims import reference_weights
from engine.pools import Value
from tests.engine.samples import (
    SHARE_NOTHING,
    item,
    random_pool,
    random_rows,
    real_blueprint,
    sample_pool,
    small_blueprint,
)

MARKS = {"single": 0.5, "multiple": 1.0}
LOOSE = Target(marks_tolerance=50, marks_between_forms=100, goal=0)


def amount(rule: Rule, row: dict[str, Value]) -> float:
    if any(str(row[name]) != str(value) for name, value in rule.where.items()):
        return 0.0
    if rule.what == "count":
        return 1.0
    return MARKS[str(row["type"])] if rule.of == "marks" else float(str(row[rule.of]))


def keeps(rule: Rule, form: list[dict[str, Value]]) -> bool:
    """One rule on one form, in the plainest words."""
    if rule.what in {"count", "sum"}:
        low, high = rule.bounds
        return low - 1e-9 <= sum(amount(rule, row) for row in form) <= high + 1e-9
    if rule.what == "at_most_one_per":
        return len({row[rule.of] for row in form}) == len(form)
    if rule.what == "enemies":
        return not any(one["id"] in other["enemies"] for one in form for other in form)  # type: ignore[operator]
    return not any(row["flagged"] == "yes" for row in form)


def admissible(pool: Pool, blueprint: Blueprint) -> list[tuple[int, ...]]:
    """Every form that keeps the rules, by trying all."""
    rows = [pool.row(j) for j in range(len(pool))]
    return [
        members
        for members in combinations(range(len(pool)), blueprint.length)
        if all(keeps(rule, [rows[j] for j in members]) for rule in blueprint.rules if rule.what != "overlap")
    ]


@st.composite
def random_rules(draw: st.DrawFn) -> list[Rule]:
    """Zero to five rules of different kinds with random bounds."""
    rules = []
    for n in range(draw(st.integers(0, 3))):
        column, value = draw(
            st.sampled_from([("type", "single"), ("type", "multiple"), ("section", "S1"), ("section", "S2")])
        )
        what, of = draw(st.sampled_from([("count", ""), ("sum", "marks"), ("sum", "minutes")]))
        low = draw(st.sampled_from([None, 0, 0.5, 1, 1.5, 2, 3]))
        width = draw(st.sampled_from([0, 0.5, 1] if low is None else [None, 0, 0.5, 1]))
        high = None if width is None else (low or 0) + width
        rules.append(Rule(f"{n}", what, of=of, where={column: value}, min=low, max=high))
    extra = [
        Rule("points", "at_most_one_per", of="point"),
        Rule("foes", "enemies"),
        Rule("clean", "exclude", where={"flagged": "yes"}),
    ]
    return rules + draw(st.lists(st.sampled_from(extra), unique_by=lambda rule: rule.id))


def full_pool(seed: int, count: int) -> Pool:
    """A random pool in which every value that a rule may name does occur."""
    rows = random_rows(seed, count)
    for row, (kind, section) in zip(rows, [("single", "S1"), ("multiple", "S2"), ("single", "S3")], strict=False):
        row |= {"type": kind, "section": section}
    return Pool.from_rows(rows)


def attempt(pool: Pool, blueprint: Blueprint) -> Assembly | InfeasibleBlueprintError:
    try:
        return assemble(pool, blueprint)
    except InfeasibleBlueprintError as error:
        return error


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(4, 12),
    length=st.integers(1, 5),
    rules=random_rules(),
)
def test_a_form_is_found_exactly_when_some_subset_keeps_the_rules(
    seed: int, count: int, length: int, rules: list[Rule]
) -> None:
    pool, blueprint = full_pool(seed, count), small_blueprint(*rules, length=length)
    possible = {tuple(pool.ids[j] for j in members) for members in admissible(pool, blueprint)}
    found = attempt(pool, blueprint)
    if isinstance(found, Assembly):
        assert tuple(sorted(found.forms[0].items)) in possible
        assert all(line.ok for line in found.recount)
    else:
        assert not possible


def least_deviation(pool: Pool, blueprint: Blueprint) -> float:
    """The least deviation of all forms that keep the rules, by trying all; infinite when there is none."""
    reference, weights = reference_form(pool, blueprint), reference_weights(pool, blueprint)
    theta = reference.cut(0.60) + np.array(LOOSE.theta_from_cut)
    information = pool.parameters.information(theta)
    target = weights @ information
    off = [np.abs(information[list(m)].sum(axis=0) / target - 1).max() for m in admissible(pool, blueprint)]
    return float(min(off, default=np.inf))


# The same examples every time: on about one in ten thousand of such problems HiGHS 1.15 is wrong (see below).
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), length=st.integers(2, 5), rules=random_rules())
def test_the_deviation_is_the_least_of_all_forms_that_keep_the_rules(seed: int, length: int, rules: list[Rule]) -> None:
    pool, blueprint = full_pool(seed, 11), small_blueprint(*rules, length=length, target=LOOSE)
    found = attempt(pool, blueprint)
    if isinstance(found, InfeasibleBlueprintError):
        assert not admissible(pool, blueprint)
        return
    least = least_deviation(pool, blueprint)
    assert found.forms[0].deviation == pytest.approx(least, abs=2e-6)
    assert found.forms[0].bound == pytest.approx(least, abs=2e-6)


@pytest.mark.xfail(reason="HiGHS 1.15.1 calls a worse form optimal; when this passes, drop derandomize above")
def test_the_solver_is_right_about_the_least_deviation() -> None:
    rules = [
        Rule("S2", "count", where={"section": "S2"}, min=3),
        Rule("singles", "sum", of="marks", where={"type": "single"}, max=1),
        Rule("foes", "enemies"),
    ]
    pool, blueprint = full_pool(764, 11), small_blueprint(*rules, length=4, target=LOOSE)
    assert least_deviation(pool, blueprint) == pytest.approx(0.233378, abs=1e-6)
    assert assemble(pool, blueprint).forms[0].deviation == pytest.approx(0.233378, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), tolerance=st.sampled_from([0.05, 0.1, 0.2]))
def test_expected_marks_are_a_hard_rule(seed: int, tolerance: float) -> None:
    target = Target(marks_tolerance=tolerance, marks_between_forms=1, theta_from_cut=(-1, 0, 1), goal=0)
    pool, blueprint = random_pool(seed, 10), small_blueprint(length=4, target=target)
    reference = reference_form(pool, blueprint)
    theta = reference.cut(0.60) + np.array(target.theta_from_cut)
    expected = blueprint.item_marks(pool)[:, None] * pool.parameters.probability(theta)
    wanted = reference.expected_marks(theta)
    off = [np.abs(expected[list(m)].sum(axis=0) - wanted).max() for m in combinations(range(10), 4)]
    if abs(min(off) - tolerance) < 1e-5:  # too near to call
        return
    found = attempt(pool, blueprint)
    if isinstance(found, Assembly):
        assert np.abs(np.array(found.forms[0].expected_marks) - wanted).max() <= tolerance + 1e-6
    else:
        assert min(off) > tolerance
        assert all(short.rule == "expected marks" for short in found.shortfalls)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_parallel_forms_share_nothing_and_spares_no_more_than_allowed(seed: int) -> None:
    rules = [
        SHARE_NOTHING,
        Rule("spare", "overlap", forms="spare", share=0.5),
        Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
        Rule("points", "at_most_one_per", of="point"),
    ]
    pool, blueprint = random_pool(seed, 40), small_blueprint(*rules, length=4)
    assume(pool.where({"type": "multiple"}, strict=False).sum() >= 3)  # one for each parallel form
    assembly = assemble(pool, blueprint, forms=3, spares=2, seed=seed)
    assert [(form.name, form.spare) for form in assembly.forms] == [
        ("A", False),
        ("B", False),
        ("C", False),
        ("D", True),
        ("E", True),
    ]
    overlaps = form_overlaps(assembly)
    assert all(shared == (0 if set(pair) <= set("ABC") else min(shared, 2)) for pair, shared in overlaps.items())
    assert len(overlaps) == 10
    assert all(line.ok for line in assembly.recount)


def test_two_spares_are_not_the_same_paper() -> None:
    rules = [SHARE_NOTHING, Rule("spare", "overlap", forms="spare", share=0.25)]
    assembly = assemble(random_pool(1, 30), small_blueprint(*rules, length=4), spares=2)
    assert form_overlaps(assembly)["B", "C"] <= 1


def test_the_first_form_leaves_what_the_second_cannot_do_without() -> None:
    """Alone, the best form takes a and b or c; then nothing of S1 or no multiple is left for another."""
    pool = Pool.from_rows(
        [
            item("a", type="multiple", section="S1", a=1.0),
            item("b", type="single", section="S1", a=3.0**0.5),
            item("c", type="multiple", section="S2", a=3.0**0.5),
            item("d", type="single", section="S2", a=1.0),
        ]
    )
    rules = [
        Rule("S1", "count", where={"section": "S1"}, min=1),
        Rule("multiples", "count", where={"type": "multiple"}, min=1),
        SHARE_NOTHING,
    ]
    blueprint = small_blueprint(*rules, length=2, target=replace(LOOSE, cut_share=0.5, theta_from_cut=(0.0,)))
    (alone,) = assemble(pool, blueprint).forms
    assert alone.deviation == pytest.approx(0, abs=1e-6)
    rest = Pool.from_rows([pool.row(j) for j, name in enumerate(pool.ids) if name not in alone.items])
    with pytest.raises((InfeasibleBlueprintError, PoolError)):
        assemble(rest, blueprint)

    together = assemble(pool, blueprint, forms=2)
    assert {frozenset(form.items) for form in together.forms} == {frozenset("ad"), frozenset("bc")}


def test_items_stand_in_the_blueprints_order() -> None:
    pool = Pool.from_rows(
        [
            item("1", type="multiple", section="S1"),
            item("2", type="single", section="S2"),
            item("4", type="single", section="S1"),
            item("3", type="single", section="S1"),
        ]
    )
    assert assemble(pool, small_blueprint()).forms[0].items == ("3", "4", "2", "1")


# What is refused


SIX = Pool.from_rows(
    [item(f"s{j}", type="single", section="S1", point=f"P{j}") for j in range(4)]
    + [item(f"m{j}", type="multiple", section="S2", point=f"P{j}") for j in range(2)]
)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Rule("r", "count", where={"tipe": "single"}, min=1), "the pool has no column 'tipe'; did you mean 'type'?"),
        (Rule("r", "count", where={"type": "singel"}, min=1), "no item has type = 'singel'; did you mean 'single'?"),
        (Rule("r", "at_most_one_per", of="pint"), "the pool has no column 'pint'; did you mean 'point'?"),
    ],
)
def test_a_rule_on_nothing_is_wrong_input(rule: Rule, message: str) -> None:
    with pytest.raises(PoolError) as caught:
        assemble(SIX, small_blueprint(rule))
    assert str(caught.value) == f"rule 'r': {message}"


# The real papers


def test_the_real_papers_are_parallel_and_the_spare_shares_a_fifth_at_most(real_assembly: Assembly) -> None:
    assert [len(form.items) for form in real_assembly.forms] == [190, 190, 190]
    overlaps = form_overlaps(real_assembly)
    assert overlaps["A", "B"] == 0
    assert max(overlaps["A", "C"], overlaps["B", "C"]) <= 38
    assert all(line.ok for line in real_assembly.recount)


def test_the_real_papers_are_equally_hard_and_equally_informative(real_assembly: Assembly) -> None:
    expected = np.array([form.expected_marks for form in real_assembly.forms])
    assert real_assembly.target_marks[2] == pytest.approx(60, abs=1e-6)
    assert np.abs(expected - real_assembly.target_marks).max() <= 0.5
    assert np.ptp(expected, axis=0).max() <= 1
    assert max(form.deviation for form in real_assembly.forms) <= 0.01
    assert all(0 <= form.bound <= form.deviation for form in real_assembly.forms)
    assert all(0.9 < form.accuracy < 1 for form in real_assembly.forms)


def test_the_real_papers_begin_with_true_false_and_end_with_multiple_response(real_assembly: Assembly) -> None:
    kind = dict(zip(sample_pool().ids, sample_pool().column("type"), strict=True))
    for form in real_assembly.forms:
        assert [kind[name] for name in form.items] == ["true_false"] * 40 + ["single"] * 140 + ["multiple"] * 10


def test_the_same_inputs_give_the_same_papers_whatever_the_order_of_rows(real_assembly: Assembly) -> None:
    pool = sample_pool()
    rows = [pool.row(j) for j in np.random.default_rng(1).permutation(len(pool))]
    again = assemble(Pool.from_rows(rows), real_blueprint(), forms=2, spares=1, seed=7)
    assert replace(again, seconds=0.0) == replace(real_assembly, seconds=0.0)


def test_another_seed_gives_other_papers() -> None:
    pool, blueprint = random_pool(2, 60), small_blueprint(length=10, target=Target(goal=0.2))
    forms = {assemble(pool, blueprint, seed=seed).forms[0].items for seed in range(6)}
    assert len(forms) > 1


def test_without_a_target_nothing_is_promised_about_marks() -> None:
    assembly = assemble(SIX, small_blueprint())
    assert (assembly.theta, assembly.target_marks, assembly.forms[0].expected_marks) == ((), (), ())
    assert np.isnan([assembly.theta_cut, assembly.forms[0].deviation, assembly.forms[0].accuracy]).all()


def test_a_goal_out_of_reach_gives_the_nearest_found_with_its_deviation() -> None:
    pool, blueprint = random_pool(8, 200), small_blueprint(length=12, target=Target(goal=1e-9))
    assembly = assemble(pool, blueprint, forms=2, seed=1)
    assert assembly.status == "best found"
    assert all(1e-9 < form.deviation < 0.05 for form in assembly.forms)
    assert all(0 <= form.bound <= form.deviation for form in assembly.forms)
