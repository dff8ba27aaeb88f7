"""Responses that are a full table already: the same blocks without sorting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Responses
from calibration.estimation.blocks import BLOCK_PERSONS, block_responses
from calibration.estimation.likelihood import log_likelihood
from calibration.responses import NOT_REACHED


@pytest.mark.parametrize("names", [None, ("c", "a"), ("b", "c", "d", "a")])
def test_a_table_gives_the_likelihoods_that_its_rows_give(names: tuple[str, ...] | None) -> None:
    """One more person with a gap makes the same responses no table."""
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 3, (BLOCK_PERSONS + 5, 4)).astype(float)
    short = np.append(scores[0, :3], np.nan)
    table = Responses.from_matrix(scores, list("abcd"))
    long = Responses.from_matrix(np.vstack([scores, short]), list("abcd"))
    log_probability = np.log(rng.uniform(0.1, 1, (12 if names != ("c", "a") else 6, 5)))
    found = []
    for data in (table, long):
        layout = block_responses(data, names)
        out = np.zeros((len(data.persons), 5))
        for block in layout:
            out[block.persons] = log_likelihood(block, log_probability, layout)
        found.append(out[: len(scores)])
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)
    assert [len(block.persons) for block in block_responses(table, names)] == [BLOCK_PERSONS, 5]


def test_what_is_no_table_is_not_taken_for_one() -> None:
    scores = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    data = Responses.from_matrix(scores, weight=np.array([1.0, 0.0, 2.0]))
    assert [block.persons.tolist() for block in block_responses(data)] == [[0, 2]]
    (block,) = block_responses(data, keep_weightless=True)
    assert (block.persons.tolist(), block.weight.tolist()) == ([0, 1, 2], [1.0, 0.0, 2.0])
    hasty = replace(data, status=np.array([0, NOT_REACHED, 0, 0, 0, 0], np.uint8))
    assert sum(block.codes.size for block in block_responses(hasty, keep_weightless=True)) == 5
