"""Two sets of responses compared by the names of persons, items and codes, whatever their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from calibration import Responses


def rows(responses: Responses) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """(person, item, rater) → everything known of the response and of the person."""
    found: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for r in range(len(responses.score)):
        i, j = responses.person[r], responses.item[r]
        rater = "" if responses.rater is None or responses.rater[r] < 0 else responses.raters[responses.rater[r]]
        option = None if responses.option is None else responses.option[r]
        found[responses.persons[i], responses.items[j], rater] = (
            int(responses.score[r]),
            int(responses.status[r]),
            float(responses.weight[i]),
            responses.forms[responses.form[i]],
            None if responses.group is None else responses.groups[responses.group[i]],
            None if option is None or option < 0 else responses.options[option],
            None if responses.position is None else int(responses.position[r]),
            None if responses.seconds is None else str(responses.seconds[r]),
        )
    assert len(found) == len(responses.score)
    return found


def assert_same(one: Responses, other: Responses) -> None:
    """Same persons, items and rows; same shift and marks; each sorted by person, item and rater."""
    assert set(one.persons) == set(other.persons)
    assert set(one.items) == set(other.items)
    assert rows(one) == rows(other)
    assert (one.shift, one.marks) == (other.shift, other.marks)
    assert one.counts == other.counts
    for responses in (one, other):
        rater = np.zeros(len(responses.score)) if responses.rater is None else responses.rater
        order = np.lexsort((rater, responses.item, responses.person))
        np.testing.assert_array_equal(order, np.arange(len(responses.score)))
