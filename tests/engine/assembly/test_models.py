"""The rows of key balance allow exactly the forms whose keys can be dealt, and do not push out what can be shuffled."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from benchmarks.banks import bank, blueprint, earlier_papers
from engine import Rule, assemble
from engine.assembly.models import form_model
from engine.assembly.paper import Paper, compile_paper
from engine.assembly.solver import solve
from tests.engine.samples import keyed_pool, small_blueprint


def dealt(paper: Paper, items: tuple[int, ...]) -> bool:
    """Is there a key for every item to be shuffled that gives each letter its share? Every dealing is tried."""
    (letters,) = paper.letters
    low, high = (share * len(items) for share in letters.rule.shares)
    if isinstance(letters.rule.share, tuple):
        low, high = np.ceil(low - 1e-9), np.floor(high + 1e-9)
    else:
        low, high = np.floor(low + 1e-9), np.ceil(high - 1e-9)
    choices = [range(len(letters.names)) if letters.free[j] else (letters.letter[j],) for j in items]
    return any(
        low <= min(counts) and max(counts) <= high
        for keys in product(*choices)
        if len(counts := np.bincount(keys, minlength=len(letters.names)))
    )


@pytest.mark.parametrize("share", [(0.2, 0.3), (0.2, 0.4), (0.25, 1.0), (0.0, 0.4), 0.25])
@pytest.mark.parametrize("length", [4, 5])
def test_forms_are_allowed_where_a_dealing_of_the_keys_exists(share: float | tuple[float, float], length: int) -> None:
    pool = keyed_pool(8, seed=2, shuffle=0.4)
    paper = compile_paper(pool, small_blueprint(Rule("keys", "key_balance", of="key", share=share), length=length))
    assert 1 <= paper.letters[0].free.sum() <= 6
    allowed = {}
    for items in combinations(range(8), length):
        form = form_model(paper, np.arange(8))
        form.model.lower[form.x[list(items)]] = 1.0
        allowed[items] = solve(form.model).x is not None
    assert allowed == {items: dealt(paper, items) for items in allowed}


def test_items_that_can_be_shuffled_are_not_pushed_out() -> None:
    pool = bank(1000)
    paper, earlier = blueprint(100), earlier_papers(pool, 100)
    shuffled = [len(assemble(pool, paper, seed=seed, earlier=earlier).forms[0].shuffles) for seed in range(4)]
    assert np.mean(shuffled) > 0.15 * 70  # half of the 70 singles of a form could be
