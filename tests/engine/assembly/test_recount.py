"""The recount: it agrees with the model, shares nothing with it, and sees every rule that is broken."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path

import pytest

from engine import (
    Assembly,
    Blueprint,
    InfeasibleBlueprintError,
    Pool,
    PoolError,
    RecountLine,
    Rule,
    Target,
    assemble,
    recount,
)
from tests.engine.samples import item, random_pool, real_blueprint, sample_pool, small_blueprint

RULES = (
    Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
    Rule("marks of S1", "sum", of="marks", where={"section": "S1"}, min=1, max=1),
    Rule("time", "sum", of="minutes", max=6),
    Rule("points", "at_most_one_per", of="point"),
    Rule("foes", "enemies"),
    Rule("clean", "exclude", where={"flagged": "yes"}),
    Rule("apart", "overlap", forms="parallel", share=0.0),
    Rule("spare", "overlap", forms="spare", share=0.2),
)
OTHERS = (
    item("multiple", type="multiple", section="S2"),
    item("in S1", section="S1"),
    item("slow", section="S2", minutes="5"),
    item("point 1 again", section="S2", point="P1"),
    item("foe of A1", section="S2", enemies=("A1",)),
    item("foe A2 names", section="S2"),
    item("flagged", section="S2", flagged="yes"),
)


def five_items(form: str) -> list[dict[str, object]]:
    """Two of S1 at half a mark, two of S2 without a point, one multiple: a form that keeps RULES."""
    return [
        item(f"{form}1", section="S1", point="P1"),
        item(f"{form}2", section="S1", point="P2", enemies=("foe A2 names",) if form == "A" else ()),
        item(f"{form}3", section="S2", point=None),
        item(f"{form}4", section="S2", point=None),
        item(f"{form}5", section="S2", point="P5", type="multiple"),
    ]


OWN = ("recount.py", "cells.py", "expected.py")
ALONE = {
    *("__future__", "collections", "collections.abc", "dataclasses", "fractions", "functools", "itertools", "math"),
    *("typing", "engine.blueprints", "engine.pools", "engine.assembly.cells", "engine.assembly.expected"),
}
POOL = Pool.from_rows([*five_items("A"), *five_items("B"), *five_items("C"), *OTHERS])  # type: ignore[list-item]
FORMS = {name: [f"{name}{n}" for n in range(1, 6)] for name in "ABC"} | {"C": ["C1", "C2", "A3", "C4", "C5"]}


def counted(forms: Mapping[str, Sequence[str]]) -> tuple[RecountLine, ...]:
    return recount(POOL, small_blueprint(*RULES, length=5), forms, spares=["C"])


def broken(lines: Sequence[RecountLine]) -> set[tuple[str, str, float]]:
    return {(line.form, line.rule, line.value) for line in lines if not line.ok}


def test_forms_that_keep_every_rule_have_a_line_for_each_and_all_hold() -> None:
    lines = counted(FORMS)
    of_a = [(line.rule, line.min, line.max, line.value) for line in lines if line.form == "A"]
    assert of_a == [
        ("length", 5, 5, 5),
        ("no item twice", None, 0, 0),
        ("total marks", None, None, 3.0),
        ("total minutes", None, None, 5.0),
        ("multiples", 1, 1, 1),
        ("marks of S1", 1, 1, 1),
        ("time", None, 6, 5),
        ("points", None, 1, 1),
        ("foes", None, 0, 0),
        ("clean", None, 0, 0),
        ("apart (B)", None, 0, 0),
    ]
    assert [(line.rule, line.max, line.value) for line in lines if line.form == "C"][-2:] == [
        ("spare (A)", 1, 1),
        ("spare (B)", 1, 0),
    ]
    assert broken(lines) == set()


@pytest.mark.parametrize(
    ("form", "items", "expected"),
    [
        ("A", "A1 A2 A3 A5", {("A", "length", 4.0)}),
        ("A", "A1 A2 A3 A3 A5", {("A", "no item twice", 1.0)}),
        ("A", "A1 A2 multiple A4 A5", {("A", "multiples", 2.0)}),
        ("A", "A1 A2 in+S1 A4 A5", {("A", "marks of S1", 1.5)}),
        ("A", "A1 A2 slow A4 A5", {("A", "time", 9.0)}),
        ("A", "A1 A2 point+1+again A4 A5", {("A", "points", 2.0)}),
        ("A", "A1 A2 foe+of+A1 A4 A5", {("A", "foes", 1.0)}),
        ("A", "A1 A2 foe+A2+names A4 A5", {("A", "foes", 1.0)}),
        ("A", "A1 A2 flagged A4 A5", {("A", "clean", 1.0)}),
        ("A", "A1 A2 B3 A4 A5", {("A", "apart (B)", 1.0), ("B", "apart (A)", 1.0)}),
        ("C", "C1 C2 A3 A4 C5", {("C", "spare (A)", 2.0)}),
        ("C", "C1 C2 A3 B4 C5", set()),
    ],
)
def test_one_changed_item_breaks_exactly_its_rule(form: str, items: str, expected: set[tuple[str, str, float]]) -> None:
    changed = [name.replace("+", " ") for name in items.split()]
    assert broken(counted(FORMS | {form: changed})) == expected


def test_spares_are_compared_with_each_other_and_parallel_forms_only_among_themselves() -> None:
    forms = FORMS | {"D": ["C1", "C2", "A4", "C4", "C5"]}
    lines = recount(POOL, small_blueprint(*RULES, length=5), forms, spares=["C", "D"])
    assert broken(lines) == {("C", "spare (D)", 4.0), ("D", "spare (C)", 4.0)}


def one_item_forms(first: float, second: float, target: Target) -> set[tuple[str, str, float]]:
    """Which lines break for two forms of one item worth 10 marks, expected right with these chances at theta 0."""
    pool = Pool.from_rows([item("q1", b=-log(first / (1 - first))), item("q2", b=-log(second / (1 - second)))])
    blueprint = Blueprint("", 1, 1.0, "type", {"single": 10.0}, (), (), target)
    lines = recount(pool, blueprint, {"A": ["q1"], "B": ["q2"]}, targets=[(0.0, 5.0)])
    return {(form, rule, round(value, 6)) for form, rule, value in broken(lines)}


def test_expected_marks_are_recounted_on_each_form_and_between_them() -> None:
    target = Target(marks_tolerance=0.5, marks_between_forms=0.5)
    assert one_item_forms(0.52, 0.48, target) == set()
    assert one_item_forms(0.53, 0.47, target) == {("A/B", "difference of expected marks at 0.00", 0.6)}
    assert one_item_forms(0.56, 0.52, target) == {("A", "expected marks at 0.00", 5.6)}


def test_conditions_mean_the_same_items_as_in_the_pool() -> None:
    pool = random_pool(5, 40)
    conditions: list[dict[str, object]] = [
        {"type": "single"},
        {"grade": 3},
        {"grade": ["1", 5]},
        {"grade": {"min": 2, "max": 4}},
        {"point": {"prefix": "P000"}},
        {"flagged": ""},
        {"not": {"section": "S1"}},
        {"any": [{"section": "S1"}, {"type": "multiple", "grade": {"min": 4}}]},
        {"type": {"min": 1}},
    ]
    rules = [Rule(str(n), "count", where=condition, min=0) for n, condition in enumerate(conditions)]
    lines = recount(pool, small_blueprint(*rules), {"A": pool.ids})
    values = {line.rule: line.value for line in lines}
    for rule, condition in zip(rules, conditions, strict=True):
        assert values[rule.id] == pool.where(condition).sum(), condition


def test_an_item_the_pool_does_not_hold_is_refused() -> None:
    with pytest.raises(PoolError, match="form A: item 'A9' is not in the pool"):
        counted({"A": ["A9"]})


def test_it_agrees_with_the_model_on_the_real_papers(real_assembly: Assembly) -> None:
    assert broken(real_assembly.recount) == set()
    per_form = 3 + len(real_blueprint().rules) - 2 + 5  # length, twice, total; the rules; five abilities
    overlaps = 1 + 1 + 2  # A with B, B with A, C with both
    assert len(real_assembly.recount) == 3 * per_form + overlaps + 5
    for t, theta in enumerate(real_assembly.theta):
        for form in real_assembly.forms:
            (line,) = [
                line
                for line in real_assembly.recount
                if (line.form, line.rule) == (form.name, f"expected marks at {theta:.2f}")
            ]
            assert line.value == pytest.approx(form.expected_marks[t], abs=1e-6)


def test_it_sees_a_tampered_real_paper(real_assembly: Assembly) -> None:
    pool = sample_pool()
    forms = {form.name: list(form.items) for form in real_assembly.forms}
    flagged = pool.ids[int(pool.where({"flagged": "yes"}).argmax())]
    forms["A"][50] = flagged
    lines = recount(pool, real_blueprint(), forms, spares=["C"])
    assert ("A", "no flagged items", 1.0) in broken(lines)


def test_it_shares_nothing_with_the_model() -> None:
    folder = Path(inspect.getfile(recount)).parent
    trees = [ast.parse((folder / name).read_text(encoding="utf-8")) for name in OWN]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert modules <= ALONE
    methods = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    shared = {"counts", "shared", "shares", "amounts", "item_marks", "item_times", "coded", "expected_share"}
    assert methods & shared == set()


def test_exactly_one_of_each_value_counts_values_whose_items_are_barred() -> None:
    rows = [item(f"q{j}", module="AB"[j % 2], flagged="yes" if j % 2 else None) for j in range(6)]
    modules = Rule("modules", "one_per", of="module")
    paper = small_blueprint(modules, Rule("whole", "exclude", where={"flagged": "yes"}), length=2)
    lines = recount(Pool.from_rows(rows), paper, {"A": ["q0", "q2"]})
    (line,) = [line for line in lines if line.rule == "modules"]
    assert (line.min, line.max, line.ok) == (1, 1, False)
    with pytest.raises(InfeasibleBlueprintError, match="modules"):
        assemble(Pool.from_rows(rows), paper)
