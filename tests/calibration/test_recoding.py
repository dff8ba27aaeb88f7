"""Scores as categories: gaps closed, the same for data in parts, what is left out named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration import Responses
from calibration.recoding import coded, coding_of, scores_seen

TABLE = np.array([[0.0, 1, 2, 1, 0], [1, 3, 4, 1, np.nan], [0, 1, 2, 1, np.nan], [1, 5, 2, 1, np.nan]])


def test_every_items_scores_become_categories_from_0() -> None:
    data = Responses.from_matrix(TABLE)
    coding = coding_of([scores_seen(data)])
    assert coding.items == ("item1", "item2", "item3")
    assert coding.excluded == {"item4": "no-variance", "item5": "no-variance"}
    np.testing.assert_array_equal(coding.categories, [2, 3, 2])
    # from_matrix lets item2 and item3 start at 0; nobody got 1 or 3 (item2), 1 (item3) above that
    assert coding.marks == {"item2": (0.0, 2.0, 4.0), "item3": (0.0, 2.0)}
    assert [(flag.item, flag.code) for flag in coding.flags] == [("item2", "unused-score"), ("item3", "unused-score")]
    np.testing.assert_array_equal(coded(data, coding).dense(), [[0, 0, 0], [1, 1, 1], [0, 0, 0], [1, 2, 0]])


def test_parts_are_coded_as_the_whole() -> None:
    data = Responses.from_matrix(TABLE)
    first = replace(data, person=data.person[:9] * 1, item=data.item[:9], score=data.score[:9], status=data.status[:9])
    rest = replace(data, person=data.person[9:], item=data.item[9:], score=data.score[9:], status=data.status[9:])
    assert coding_of([scores_seen(first), scores_seen(rest)]) == coding_of([scores_seen(data)])


def test_a_score_of_weightless_persons_only_is_no_category() -> None:
    data = Responses.from_matrix(TABLE, weight=np.array([1.0, 1, 1, 0]))
    coding = coding_of([scores_seen(data)])
    np.testing.assert_array_equal(coding.categories, [2, 2, 2])
    kept = coded(data, coding)
    assert np.isnan(kept.dense()[3, 1])
    np.testing.assert_array_equal(kept.dense()[:, 0], [0, 1, 0, 1])


def test_known_marks_are_those_of_the_categories() -> None:
    data = Responses.from_matrix(TABLE[:, :3])
    coding = coding_of([scores_seen(data)], {"item2": (0.0, 0.5, 1.0, 1.5, 3.0)})
    assert coding.marks["item2"] == (0.0, 1.0, 3.0)
