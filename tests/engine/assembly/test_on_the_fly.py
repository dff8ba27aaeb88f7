"""Forms on the fly: every one keeps every rule and its target, and they differ."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from benchmarks.banks import bank, blueprint, earlier_papers
from engine import BlueprintError, InfeasibleBlueprintError, Rule, Target, assemble_on_the_fly
from tests.engine.samples import random_pool, small_blueprint

POOL, PAPER = bank(1200), blueprint(60, goal=0.02)
EARLIER = earlier_papers(POOL, 60)


def test_every_form_keeps_every_rule_and_its_target() -> None:
    assembly = assemble_on_the_fly(POOL, PAPER, 12, seed=3, earlier=EARLIER)
    assert len(assembly.forms) == 12
    assert [line for line in assembly.recount if not line.ok] == []
    assert all(form.deviation <= 0.02 for form in assembly.forms)
    shares = [len(set(a.items) & set(b.items)) / 60 for a, b in combinations(assembly.forms, 2)]
    assert np.mean(shares) < 0.25  # a tenth of the eligible items are on a form; item sets stay with their base


def test_the_same_seed_gives_the_same_forms_and_another_gives_others() -> None:
    first, again, other = (assemble_on_the_fly(POOL, PAPER, 2, seed=seed, earlier=EARLIER) for seed in (5, 5, 6))
    assert [form.items for form in first.forms] == [form.items for form in again.forms]
    assert [form.items for form in first.forms] != [form.items for form in other.forms]


def test_without_a_target_there_is_nothing_that_makes_forms_equal() -> None:
    with pytest.raises(BlueprintError, match="needs a \\[target\\]"):
        assemble_on_the_fly(random_pool(1, 40), small_blueprint(length=5), 2)


def test_a_blueprint_that_cannot_be_met_is_refused() -> None:
    impossible = small_blueprint(Rule("many", "count", where={"section": "S1"}, min=9), length=10, target=Target())
    few = random_pool(1, 20).take(np.arange(20))
    with pytest.raises(InfeasibleBlueprintError, match="many"):
        assemble_on_the_fly(few, impossible, 2)
