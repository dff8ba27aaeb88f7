"""Order and keys: columns, item sets, letters in their shares, no run too long, by brute force where it is small."""

from __future__ import annotations

from itertools import groupby, permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Blueprint, InfeasibleBlueprintError, Pool, Rule, assemble
from engine.assembly.keys import UnbalancedKeysError
from engine.assembly.ordering import arrange, tied_units
from engine.assembly.paper import compile_paper
from tests.engine.samples import item, keyed_pool, random_rows, small_blueprint


def ordered(pool: Pool, *columns: str, together: str = "") -> str:
    blueprint = Blueprint("", len(pool), 1.0, "type", {"multiple": 1.0, "single": 1.0}, (), columns, together=together)
    line, shuffles = arrange(compile_paper(pool, blueprint), np.arange(len(pool)))
    assert shuffles == {}
    return " ".join(pool.ids[j] for j in line)


def test_types_stand_as_in_the_table_of_marks_numbers_by_size_empty_cells_last() -> None:
    pool = Pool.from_rows(
        [
            item("a", type="single", grade="10"),
            item("b", type="single", grade="9"),
            item("c", type="multiple", grade=None),
            item("d", type="multiple", grade="hard"),
            item("e", type="multiple", grade="2"),
        ]
    )
    assert ordered(pool, "type", "grade") == "e d c b a"
    assert ordered(pool, "grade") == "e b a d c"
    assert ordered(pool) == "a b c d e"


def test_difficulty_is_b_unless_the_pool_has_such_a_column() -> None:
    rows = [item("a", b=1.0), item("b", b=-1.0), item("c", a=None, b=None), item("d", b=0.0)]
    assert ordered(Pool.from_rows(rows), "difficulty") == "b d a c"
    graded = [row | {"difficulty": grade} for row, grade in zip(rows, ["4", "3", "2", "1"], strict=True)]
    assert ordered(Pool.from_rows(graded), "difficulty") == "d c b a"


def test_a_set_stands_together_in_its_order_where_its_first_item_falls() -> None:
    rows = [
        item("a", section="S1"),
        item("b", section="S2", stimulus="T", set_order="10"),
        item("c", section="S3", stimulus="T", set_order="9"),
        item("d", section="S3"),
        item("e", section="S2"),
        item("f", section="S4", stimulus="T", set_order=None),
    ]
    assert ordered(Pool.from_rows(rows), "section", together="stimulus") == "a e c b f d"
    without = [{name: cell for name, cell in row.items() if name != "set_order"} for row in rows]
    assert ordered(Pool.from_rows(without), "section", together="stimulus") == "a b c f e d"


def longest_run(keys: list[str]) -> int:
    return max(sum(1 for _ in same) for _, same in groupby(keys))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), shuffle=st.sampled_from([0.4, 0.7, 1.0]), run=st.integers(1, 3))
def test_letters_have_their_shares_and_no_run_is_too_long(seed: int, shuffle: float, run: int) -> None:
    pool = keyed_pool(24, seed, shuffle=shuffle)
    rule = Rule("letters", "key_balance", of="key", share=(0.2, 0.3), run=run + (shuffle < 1))
    paper = compile_paper(pool, small_blueprint(rule, length=24))
    try:
        line, shuffles = arrange(paper, np.arange(24), seed=seed)
    except UnbalancedKeysError:
        assert shuffle < 1
        return
    own = pool.column("key")
    printed = []
    for j in line:
        order = shuffles.get(pool.ids[j], "ABCD")
        assert sorted(order) == list("ABCD")
        assert (pool.ids[j] in shuffles) == (pool.column("shuffle")[j] == "yes")
        printed.append("ABCD"[order.index(str(own[j]))])
    assert all(5 <= printed.count(letter) <= 7 for letter in "ABCD")
    assert longest_run(printed) <= run + (shuffle < 1)
    assert arrange(paper, np.arange(24), seed=seed) == (line, shuffles)


def possible_by_trying_all(pool: Pool, tied: list[list[tuple[int, ...]]], rule: Rule) -> bool:
    """Is there an order of the ties and a choice of letters that balances the keys?"""
    own, free = pool.column("key"), pool.column("shuffle")
    low, high = rule.shares
    for order in product(*(permutations(units) for units in tied)):
        line = [j for units in order for unit in units for j in unit]
        for keys in product(*("AB" if free[j] == "yes" else str(own[j]) for j in line)):
            shares = [keys.count(letter) / len(keys) for letter in "AB"]
            if all(low - 1e-9 <= s <= high + 1e-9 for s in shares) and longest_run(list(keys)) <= (rule.run or 99):
                return True
    return False


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), run=st.integers(1, 3), length=st.integers(3, 7))
def test_what_can_be_balanced_is_and_what_cannot_is_refused(seed: int, run: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = random_rows(seed, length)
    for j, row in enumerate(rows):
        row |= {
            "key": "AB"[j] if j < 2 else str(rng.choice(["A", "B"])),
            "shuffle": str(rng.choice(["yes", "no"], p=[0.3, 0.7])),
        }
    pool = Pool.from_rows(rows)
    rule = Rule("letters", "key_balance", of="key", share=(0.3, 0.7), run=run)
    paper = compile_paper(pool, small_blueprint(rule, length=length))
    possible = possible_by_trying_all(pool, tied_units(paper, np.arange(length)), rule)
    try:
        arrange(paper, np.arange(length), seed=seed)
    except UnbalancedKeysError:
        assert not possible
    else:
        assert possible


def test_an_item_with_three_options_never_gets_a_fourth() -> None:
    rows = [item(f"q{j}", key="ABCD"[j % 4], shuffle="yes", options="3" if j % 4 < 3 else "4") for j in range(12)]
    pool = Pool.from_rows(rows)
    rule = Rule("letters", "key_balance", of="key", share=0.25, run=2)
    _, shuffles = arrange(compile_paper(pool, small_blueprint(rule, length=12)), np.arange(12))
    lengths = {name: len(order) for name, order in shuffles.items()}
    assert lengths == {row["id"]: int(str(row["options"])) for row in rows}


def test_a_stretch_that_nothing_breaks_is_named() -> None:
    pool = Pool.from_rows([item(f"q{j}", key="A" if j < 4 else "B", point=f"P{j}", shuffle="no") for j in range(6)])
    rule = Rule("letters", "key_balance", of="key", run=3)
    blueprint = Blueprint("", 6, 1.0, "type", {"single": 1.0}, (rule,), ("point",))
    with pytest.raises(InfeasibleBlueprintError, match="rule 'letters'") as caught:
        assemble(pool, blueprint)
    message = str(caught.value)
    assert "places 1 to 4 of the form ('q0' … 'q3') have the key 'A', 4 in a row where 3 are allowed" in message
    assert caught.value.shortfalls[0].amount == 1
    assert assemble(pool, Blueprint("", 6, 1.0, "type", {"single": 1.0}, (rule,))).form("A").items  # free to move


def test_where_keys_are_fixed_other_items_are_chosen() -> None:
    """Order by point leaves nothing open, so only other items break the runs."""
    rng = np.random.default_rng(4)
    rows = [
        item(f"q{j:02d}", key="true" if j < 30 else "false", point=f"P{j:02d}", b=float(rng.normal()))
        for j in range(60)
    ]
    rule = Rule("truth", "key_balance", of="key", share=(0.4, 0.6), run=2)
    order = {row["id"]: str(rng.integers(100)) for row in rows}
    pool = Pool.from_rows([row | {"place": order[str(row["id"])]} for row in rows])
    assembly = assemble(pool, Blueprint("", 20, 1.0, "type", {"single": 1.0}, (rule,), ("place",)))
    keys = dict(zip(pool.ids, map(str, pool.column("key")), strict=True))
    printed = [keys[name] for name in assembly.forms[0].items]
    assert longest_run(printed) <= 2
    assert 8 <= printed.count("true") <= 12
    assert all(line.ok for line in assembly.recount)
