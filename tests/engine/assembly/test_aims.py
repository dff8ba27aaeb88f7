"""Targets in numbers: the paper the pool is on average, and what forms are held against."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import ReferenceForm
from engine import Blueprint, InfeasibleBlueprintError, Pool, Rule, Target, assemble, reference_form
from engine.assembly.aims import reference_weights
from tests.engine.samples import item, real_blueprint, sample_pool, small_blueprint


def both(pool: Pool, blueprint: Blueprint) -> tuple[ReferenceForm, np.ndarray]:
    return reference_form(pool, blueprint), reference_weights(pool, blueprint)


def test_the_reference_form_keeps_every_exact_rule() -> None:
    pool, blueprint = sample_pool(), real_blueprint()
    reference, weights = both(pool, blueprint)
    exact = [rule for rule in blueprint.rules if rule.what in {"count", "sum"} and rule.min == rule.max]
    assert len(exact) == 3 + 6
    for rule in exact:
        inside = pool.where(rule.where)
        assert float((weights * blueprint.amounts(pool, rule))[inside].sum()) == pytest.approx(rule.min, abs=1e-9)
    assert reference.total == pytest.approx(100, abs=1e-9)
    assert weights.sum() == pytest.approx(190, abs=1e-9)
    assert np.all(weights[~blueprint.eligible(pool)] == 0)
    assert np.all(weights[blueprint.eligible(pool)] > 0)


def test_the_reference_form_solves_the_cut() -> None:
    reference, weights = both(sample_pool(), real_blueprint())
    cut = reference.cut(0.60)
    P = sample_pool().parameters.probability([cut])[:, 0]
    kept = weights > 0
    marks = real_blueprint().item_marks(sample_pool())
    assert float((weights * marks)[kept] @ P[kept]) == pytest.approx(60, abs=1e-9)


def test_the_reference_form_has_the_length_even_when_no_rule_fixes_every_type() -> None:
    rows = [item(f"s{j}", type="single") for j in range(6)] + [item(f"m{j}", type="multiple") for j in range(2)]
    rules = [
        Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
        Rule("none of point s0", "count", where={"point": "s0"}, min=0, max=0),
    ]
    reference, weights = both(Pool.from_rows(rows), small_blueprint(*rules, length=4, target=Target()))
    assert dict(zip(Pool.from_rows(rows).ids, weights.round(9).tolist(), strict=True)) == {
        "m0": 0.5,
        "m1": 0.5,
        "s0": 0.0,
        **{f"s{j}": 0.6 for j in range(1, 6)},
    }
    assert reference.total == pytest.approx(1 * 1.0 + 3 * 0.5)


def test_an_exact_rule_that_nothing_meets_has_no_reference_form() -> None:
    pool = Pool.from_rows([item("q1", type="single"), item("q2", type="multiple", flagged="yes")])
    rules = [
        Rule("multiples", "count", where={"type": "multiple"}, min=1, max=1),
        Rule("flagged", "exclude", where={"flagged": "yes"}),
    ]
    with pytest.raises(
        InfeasibleBlueprintError, match="rule 'multiples' wants 1, but no eligible item of the pool meets it"
    ):
        reference_form(pool, small_blueprint(*rules, length=1))


def test_a_pool_with_too_few_calibrated_items_says_how_many_lack_parameters() -> None:
    rows = [item(f"i{j}", a=1.0 if j < 3 else None, b=0.0 if j < 3 else None) for j in range(9)]
    blueprint = Blueprint(
        title="", length=5, minutes=0, marks_by="type", marks={"single": 1.0}, rules=(), target=Target()
    )
    with pytest.raises(InfeasibleBlueprintError, match=r"wants 5 items, but only 3 .* 6 of 9 lack the parameters"):
        assemble(Pool.from_rows(rows), blueprint)
