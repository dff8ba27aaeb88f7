"""Bad input: each time the rule, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import (
    Blueprint,
    BlueprintError,
    InfeasibleBlueprintError,
    Pool,
    PoolError,
    Rule,
    Target,
    assemble,
    read_pool,
)
from tests.engine.samples import item, keyed_pool, random_pool, small_blueprint

POOL = keyed_pool(40)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            [Rule("r", "if_then", where={"type": "single"}, then={"tipe": "x"}, min=1)],
            "rule 'r': the pool has no column 'tipe'; did you mean 'type'?",
        ),
        ([Rule("r", "mean", of="minuts", max=1)], "rule 'r': the pool has no column 'minuts'; did you mean 'minutes'?"),
        ([Rule("r", "key_balance", of="kay", run=2)], "rule 'r': the pool has no column 'kay'; did you mean 'key'?"),
        (
            [Rule("r", "count", where={"type": "singel"}, min=1)],
            "rule 'r': no item has type = 'singel'; did you mean 'single'?",
        ),
        (
            [Rule(s, "count", where={"section": s}, share=(0.4, 0.5)) for s in ("S1", "S2", "S3")],
            "rules 'S1', 'S2', 'S3': their shares by section come to 1.2 at least, above 1",
        ),
        (
            [Rule(s, "sum", of="marks", where={"section": s}, share=(0, 0.3)) for s in ("S1", "S2", "S3")],
            "rules 'S1', 'S2', 'S3': every item is of one of them, but their shares by section come to 0.9 at most",
        ),
        (
            [Rule("r", "key_balance", of="key", share=(0.1, 0.2))],
            "rule 'r': 4 letters (A, B, C, D) with a share of 0.1 to 0.2 each cannot come to 1",
        ),
        ([Rule("r", "include", items=("i99",))], "rule 'r': item 'i99' is not in the pool"),
        (
            [Rule("r", "overlap", forms="last year", share=0)],
            "rule 'r': no earlier paper 'last year' was given; there are: none",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_names_itself(rules: list[Rule], message: str) -> None:
    with pytest.raises((BlueprintError, PoolError)) as caught:
        assemble(POOL, small_blueprint(*rules))
    assert str(caught.value) == message


def test_shares_that_overlap_need_not_add_up() -> None:
    rules = [
        Rule("low", "count", where={"grade": {"max": 4}}, share=(0.6, 1)),
        Rule("high", "count", where={"grade": {"min": 2}}, share=(0.6, 1)),
    ]
    assert all(line.ok for line in assemble(POOL, small_blueprint(*rules)).recount)


def test_an_order_by_a_column_that_is_not_there_is_refused_before_the_search() -> None:
    blueprint = Blueprint("", 4, 1.0, "type", {"single": 1.0, "multiple": 1.0}, (), ("kind",))
    with pytest.raises(PoolError, match="order: the pool has no column 'kind'"):
        assemble(POOL, blueprint)


def test_a_target_far_above_the_pool_is_told_with_both_numbers() -> None:
    target = Target(theta=(0.0,), information=(50.0,))
    with pytest.raises(InfeasibleBlueprintError) as caught:
        assemble(random_pool(1, 20), small_blueprint(target=target))
    assert "[target] wants information 50 at theta = 0.00, but the 4 most informative eligible items give" in str(
        caught.value
    )


def test_an_item_that_must_stand_but_has_no_parameters_is_named() -> None:
    pool = Pool.from_rows([item("q1", a=None, b=None), *(item(f"q{j}", b=float(j)) for j in range(2, 9))])
    with pytest.raises(
        BlueprintError, match=r"rule 'anchor': item 'q1' must stand on the form, but .* needs parameters"
    ):
        assemble(pool, small_blueprint(Rule("anchor", "include", items=("q1",)), target=Target()))
    form = assemble(pool, small_blueprint(target=Target(marks_tolerance=0, marks_between_forms=0))).forms[0]
    assert "q1" not in form.items


def test_an_id_that_stands_twice_is_told_with_both_rows(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("id,a,b\nq1,1,0\nq2,1,0\nq1,1,1\n", encoding="utf-8")
    with pytest.raises(PoolError, match="row 4, column id: 'q1' stands in row 2 already"):
        read_pool(tmp_path / "pool.csv")
