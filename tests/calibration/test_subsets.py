"""Parts of responses are what reading those parts alone would give."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Responses, ResponsesError
from calibration.responses import NOT_REACHED
from calibration.subsets import alike_persons, some_items, some_persons

NAN = np.nan


@given(st.integers(0, 2**32 - 1))
def test_alike_persons_are_a_partition_with_the_persons_own_scores(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 3, (12, 4)).astype(float)
    table[rng.random((12, 4)) < 0.4] = NAN
    data = Responses.from_matrix(table)
    seen: list[int] = []
    for alike in alike_persons(data):
        seen += alike.persons.tolist()
        for row, person in enumerate(alike.persons):
            expected = np.full(4, NAN)
            expected[alike.items] = alike.scores[row]
            np.testing.assert_array_equal(expected, data.dense()[person])
    assert sorted(seen) == [i for i in range(12) if not np.isnan(table[i]).all()]
    item_sets = [tuple(alike.items) for alike in alike_persons(data)]
    assert len(set(item_sets)) == len(item_sets)


def test_some_persons_and_items_are_the_rows_and_columns() -> None:
    table = np.array([[1, 0, NAN], [0, 2, 1], [NAN, 1, 1]])
    data = Responses.from_matrix(table, ["a", "b", "c"], weight=np.array([1.0, 2.0, 3.0]))
    persons = some_persons(data, np.array([True, False, True]))
    np.testing.assert_array_equal(persons.dense(), table[[0, 2]])
    assert persons.weight.tolist() == [1.0, 3.0]
    assert persons.persons == ("1", "3")
    items = some_items(data, ["c", "a"])
    assert items.items == ("a", "c")
    np.testing.assert_array_equal(items.dense(), table[:, [0, 2]])
    with pytest.raises(ResponsesError, match="'z' is not in the responses"):
        some_items(data, ["z"])


def test_not_reached_items_are_not_shared() -> None:
    data = Responses.from_matrix(np.ones((2, 2)))
    status = data.status.copy()
    status[1] = NOT_REACHED
    sets = alike_persons(dataclasses.replace(data, status=status))
    assert [alike.items.tolist() for alike in sets] == [[0], [0, 1]]


def test_two_scores_of_one_response_are_refused() -> None:
    data = Responses.from_matrix(np.ones((1, 2)))
    with pytest.raises(ResponsesError, match="person 1, item item1: scored more than once"):
        alike_persons(dataclasses.replace(data, item=np.zeros(2, np.int32)))
