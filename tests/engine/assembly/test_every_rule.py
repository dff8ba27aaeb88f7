"""Every kind of rule against brute force: all forms of small pools enumerated, kept or broken in the plainest words."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import ceil, floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import (
    Assembly,
    Blueprint,
    BlueprintError,
    InfeasibleBlueprintError,
    Pool,
    Rule,
    Target,
    assemble,
    recount,
)
from engine.assembly.aims import aim_of
from engine.assembly.ordering import tied_units
from engine.assembly.paper import compile_paper
from tests.engine.samples import item

Row = dict[str, Any]
MARKS = {"single": 0.5, "multiple": 1.0}
EARLIER = {"last": ("i00", "i02", "i04", "i06")}
LENGTH = 4


def rows_of(seed: int, count: int) -> list[Row]:
    """Items with sets, keys, enemies and a number that some of them lack; every value that rules name does occur."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for j in range(count):
        foe = int(rng.integers(count))
        rows.append(
            item(
                f"i{j:02d}",
                a=float(rng.lognormal(0, 0.3)),
                b=float(rng.normal()),
                type=("single", "multiple")[j] if j < 2 else str(rng.choice(["single", "multiple"], p=[0.7, 0.3])),
                section=f"S{j + 1}" if j < 3 else f"S{rng.integers(1, 4)}",
                point=f"P{rng.integers(count - 2)}",
                minutes=str(rng.integers(1, 4) / 2),
                uses=None if rng.random() < 0.2 else str(rng.integers(0, 4)),
                stimulus="T1" if j in {3, 4} else "T2" if j in {5, 6, 7} else None,
                key="AB"[j] if j < 2 else str(rng.choice(["A", "B"])),
                shuffle="yes" if rng.random() < 0.4 else "no",
                enemies=(f"i{foe:02d}",) if foe != j and rng.random() < 0.3 else (),
            )
        )
    return rows


def keeps(rule: Rule, form: list[Row], everyone: list[Row]) -> bool:  # noqa: C901, PLR0911, PLR0912  (a case a kind)
    """One rule on one form, without looking at the order of its items."""

    def meets(row: Row, where: Any) -> bool:
        return all(row[name] == value for name, value in where.items())

    def worth(row: Row) -> float:
        return MARKS[row["type"]] if rule.of == "marks" else float(row[rule.of] or 0)

    low, high = rule.bounds
    inside = [row for row in form if meets(row, rule.where)]
    groups = Counter(row[rule.of] for row in inside if row[rule.of]) if rule.of and rule.of != "marks" else Counter()
    match rule.what:
        case "count":
            if isinstance(rule.share, tuple):
                low, high = max(low, rule.share[0] * len(form)), min(high, rule.share[1] * len(form))
            elif rule.share is not None:
                low, high = max(low, floor(rule.share * len(form))), min(high, ceil(rule.share * len(form)))
            return low - 1e-9 <= len(inside) <= high + 1e-9
        case "sum":
            total, whole = sum(map(worth, inside)), sum(map(worth, form))
            least, most = (0, 1) if not isinstance(rule.share, tuple) else rule.share
            return low - 1e-9 <= total <= high + 1e-9 and least * whole - 1e-9 <= total <= most * whole + 1e-9
        case "mean":
            known = [float(row[rule.of]) for row in inside if row[rule.of] is not None]
            return not known or low - 1e-9 <= sum(known) / len(known) <= high + 1e-9
        case "at_most_one_per":
            return all(n <= 1 for n in groups.values())
        case "one_per":
            return all(groups[value] == 1 for value in {row[rule.of] for row in everyone if meets(row, rule.where)})
        case "enemies":
            return not any(one["id"] in other["enemies"] for one in inside for other in inside)
        case "all_or_none":
            sizes = Counter(row[rule.of] for row in everyone)
            return all(n == sizes[value] for value, n in groups.items())
        case "set_size":
            return all(low <= n <= high for n in groups.values())
        case "include":
            return set(rule.items) <= {row["id"] for row in form}
        case "exclude":
            return not any(meets(row, rule.where) for row in form)
        case "if_then":
            return not inside or low <= sum(meets(row, rule.then) for row in form) <= high
        case "overlap":
            most = floor((rule.share or 0) * len(form) + 1e-9) if rule.share is not None else rule.max
            return sum(row["id"] in EARLIER["last"] for row in form) <= most
        case "key_balance":
            fixed = Counter(row["key"] for row in inside if row["shuffle"] != "yes")
            free = sum(row["shuffle"] == "yes" for row in inside)
            least, most = rule.share[0] * len(inside) - 1e-9, rule.share[1] * len(inside) + 1e-9  # type: ignore[index]
            return any(
                least <= fixed["A"] + n <= most and least <= fixed["B"] + free - n <= most for n in range(free + 1)
            )
    raise AssertionError(rule.what)


RULES = (
    Rule("count", "count", where={"section": "S1"}, min=1, max=2),
    Rule("count share", "count", where={"section": "S2"}, share=0.3),
    Rule("count shares", "count", where={"type": "single"}, share=(0.5, 0.75)),
    Rule("marks", "sum", of="marks", where={"section": "S1"}, min=1, max=1.5),
    Rule("marks share", "sum", of="marks", where={"type": "multiple"}, share=(0.2, 0.45)),
    Rule("time", "sum", of="minutes", max=4),
    Rule("mean", "mean", of="uses", where={"type": "single"}, min=1, max=1.75),
    Rule("points", "at_most_one_per", of="point"),
    Rule("sections", "one_per", of="section", where={"type": "multiple"}),
    Rule("foes", "enemies"),
    Rule("whole sets", "all_or_none", of="stimulus"),
    Rule("parts of sets", "set_size", of="stimulus", min=2, max=2),
    Rule("anchor", "include", items=("i03",)),
    Rule("barred", "exclude", where={"section": "S3"}),
    Rule("so then", "if_then", where={"section": "S2"}, then={"type": "multiple"}, min=1, max=2),
    Rule("last paper", "overlap", forms="last", share=0.25),
    Rule("keys", "key_balance", of="key", share=(0.4, 0.6)),
)


def blueprint_of(rules: list[Rule], target: Target | None = None, order: tuple[str, ...] = ("type",)) -> Blueprint:
    return Blueprint("small", LENGTH, 10.0, "type", MARKS, tuple(rules), order, target)


def admissible(rows: list[Row], rules: list[Rule]) -> set[tuple[str, ...]]:
    return {
        tuple(row["id"] for row in form)
        for form in combinations(rows, LENGTH)
        if all(keeps(rule, list(form), rows) for rule in rules)
    }


def attempt(pool: Pool, blueprint: Blueprint) -> Assembly | None:
    try:
        return assemble(pool, blueprint, earlier=EARLIER)
    except BlueprintError:  # infeasible, or an include that an exclude bars
        return None


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_form_that_is_found_keeps_the_rule_and_one_is_found_where_there_is_one(rule: Rule, seed: int) -> None:
    rows = rows_of(seed, 9)
    found, possible = attempt(Pool.from_rows(rows), blueprint_of([rule])), admissible(rows, [rule])
    assert (found is None) == (not possible)
    if found is not None:
        assert tuple(sorted(found.forms[0].items)) in possible
        assert all(line.ok for line in found.recount)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rules=st.lists(st.sampled_from(RULES), min_size=2, max_size=5, unique_by=lambda rule: rule.id),
)
def test_several_rules_together(seed: int, rules: list[Rule]) -> None:
    rows = rows_of(seed, 10)
    found, possible = attempt(Pool.from_rows(rows), blueprint_of(rules)), admissible(rows, rules)
    assert (found is None) == (not possible)
    if found is not None:
        assert tuple(sorted(found.forms[0].items)) in possible
        assert all(line.ok for line in found.recount)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    rules=st.lists(st.sampled_from(RULES), max_size=3, unique_by=lambda rule: rule.id),
    match=st.sampled_from(["information", "absolute", "numbers", "marks", "maximize", "maximin", "moments"]),
)
def test_the_objective_is_the_best_of_all_forms(seed: int, rules: list[Rule], match: str) -> None:
    rows = rows_of(seed, 10)
    pool = Pool.from_rows(rows)
    loose: dict[str, Any] = {"marks_tolerance": 0, "marks_between_forms": 0, "goal": 0}
    target = {
        "absolute": Target(deviation="absolute", **loose),
        "numbers": Target(theta=(-0.5, 0.5), information=(0.2, 0.3), **loose),
        "moments": Target(match="moments", of="minutes", **loose),
    }.get(match) or Target(match=match, **loose)
    possible = admissible(rows, rules)
    found = attempt(pool, blueprint_of(rules, target))
    assert (found is None) == (not possible)
    if found is None:
        return
    aim = aim_of(pool, blueprint_of(rules, target))
    assert aim is not None
    at = {name: j for j, name in enumerate(pool.ids)}

    def sums(names: tuple[str, ...]) -> np.ndarray:
        return aim.features[[at[name] for name in names]].sum(axis=0)  # type: ignore[union-attr]

    if aim.matching:
        best = min(np.abs((sums(form) - aim.wanted) / aim.unit).max() for form in possible)
        assert found.forms[0].deviation == pytest.approx(best, abs=2e-6)
    else:
        best = max((sums(form) / aim.unit).min() for form in possible)
        assert (sums(found.forms[0].items) / aim.unit).min() == pytest.approx(best, abs=2e-6)


def test_the_recount_sees_each_rule_broken_that_plain_words_call_broken() -> None:
    """All forms of a pool, each rule: the recount and the plain words agree, form by form."""
    rows = rows_of(11, 9)
    pool = Pool.from_rows(rows)
    broken = Counter[str]()
    for rule in RULES:
        if rule.what == "key_balance":  # needs the letters an assembly shuffled
            continue
        blueprint = blueprint_of([rule])
        forms = {"-".join(row["id"] for row in form): list(form) for form in combinations(rows, LENGTH)}
        lines = recount(pool, blueprint, {n: [row["id"] for row in form] for n, form in forms.items()}, earlier=EARLIER)
        held = {
            name: all(line.ok for line in lines if line.form == name and line.rule.startswith(rule.id))
            for name in forms
        }
        for name, form in forms.items():
            assert held[name] == keeps(rule, form, rows), (rule.id, name)
            broken[rule.id] += not held[name]
    assert min(broken.values()) > 0


def test_the_order_of_a_form_leaves_open_only_what_its_columns_hold_equal() -> None:
    pool = Pool.from_rows(rows_of(3, 10))
    paper = compile_paper(pool, blueprint_of([], order=("type", "section")))
    for tied in tied_units(paper, np.arange(10)):
        kinds = {(pool.column("type")[j], pool.column("section")[j]) for unit in tied for j in unit}
        assert len(kinds) == 1


def test_an_item_of_several_points_meets_no_other_of_any_of_them() -> None:
    """Five items in a chain of points, neighbours sharing one: at most three of them go together, the odd ones."""
    ring = [item(f"i{j}", point=(f"P{j}", f"P{j + 1}")) for j in range(5)]
    rows = [*ring, *(item(f"z{j}", point=None) for j in range(3))]
    rule = Rule("one a point", "at_most_one_per", of="point")
    for seed in range(5):
        assembly = assemble(Pool.from_rows(rows), plain(6, rule), seed=seed)
        assert {one for one in assembly.form("A").items if one[0] == "i"} == {"i0", "i2", "i4"}
        assert all(line.ok for line in assembly.recount)
    with pytest.raises(InfeasibleBlueprintError, match="one a point"):
        assemble(Pool.from_rows(rows), plain(7, rule))


def test_a_point_named_twice_in_a_cell_is_asked_once() -> None:
    rows = [item("i0", point=("P1", "P1")), item("i1", point="P2")]
    assembly = assemble(Pool.from_rows(rows), plain(2, Rule("one a point", "at_most_one_per", of="point")))
    assert all(line.ok for line in assembly.recount)


@pytest.mark.parametrize("what", ["one_per", "all_or_none", "set_size"])
def test_an_item_of_two_sets_is_refused(what: str) -> None:
    rows = [item("i0", stimulus=("T1", "T2")), item("i1", stimulus="T1"), item("i2", stimulus=None)]
    rule = Rule("sets", what, of="stimulus", **({"min": 1} if what == "set_size" else {}))
    with pytest.raises(BlueprintError, match="item 'i0' has several values in the column stimulus, T1;T2"):
        assemble(Pool.from_rows(rows), plain(1, rule))
    narrowed = Rule("sets", what, of="stimulus", where={"not": {"id": "i0"}}, min=rule.min)
    assert assemble(Pool.from_rows(rows), plain(1, narrowed)).form("A").items


def test_an_included_item_cannot_stand_on_two_papers_that_share_nothing() -> None:
    rules = Rule("must", "include", items=("i00",)), Rule("apart", "overlap", forms="parallel", share=0.0)
    pool = Pool.from_rows([item(f"i{j:02d}") for j in range(20)])
    with pytest.raises(InfeasibleBlueprintError, match="rule 'must' requires 1 items on each of 2 forms"):
        assemble(pool, plain(4, *rules), forms=2)
    shared = assemble(pool, plain(4, rules[0], Rule("apart", "overlap", forms="parallel", max=1)), forms=2)
    assert all("i00" in form.items for form in shared.forms)


def plain(length: int, *rules: Rule) -> Blueprint:
    """A paper with no target: marks of 1."""
    return Blueprint(title="", length=length, minutes=0, marks_by="type", marks={"single": 1.0}, rules=rules)


@pytest.mark.parametrize("options", ["ABCD", "abcd", "1234"])
def test_shuffling_loses_no_option_where_some_keys_are_of_several_letters(options: str) -> None:
    """Nobody's key is the second letter alone, yet every item prints its four options."""
    keys = [options[0], options[2], options[3], options[:2]] * 5
    rows = [item(f"i{j:02d}", key=key, shuffle="yes", options="4") for j, key in enumerate(keys)]
    rule = Rule("letters", "key_balance", of="key", share=(0.0, 0.6))
    form = assemble(Pool.from_rows(rows), plain(20, rule)).form("A")
    assert len(form.shuffles) == 15
    assert all("".join(sorted(order)) == options for order in form.shuffles.values())


def test_true_bars_and_counts_what_says_yes() -> None:
    rows = [item(f"i{j}", flagged="yes" if j < 3 else "no") for j in range(6)]
    rules = Rule("clean", "exclude", where={"flagged": True}), Rule("none", "count", where={"flagged": False}, min=3)
    assembly = assemble(Pool.from_rows(rows), plain(3, *rules))
    assert assembly.form("A").items == ("i3", "i4", "i5")
    assert all(line.ok for line in assembly.recount)
    broken = {line.rule: line.ok for line in recount(Pool.from_rows(rows), plain(3, *rules), {"A": ["i0", "i4", "i5"]})}
    assert (broken["clean"], broken["none"]) == (False, False)
