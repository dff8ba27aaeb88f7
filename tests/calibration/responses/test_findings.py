"""Oddities that need not stop a run: each named, with its item or person, and nothing said of sound data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from calibration import Responses, design_components, read_responses
from calibration.responses.findings import find

NAN = np.nan


def found(responses: Responses) -> list[tuple[str, str]]:
    return [(finding.code, finding.about) for finding in responses.findings]


def test_sound_data_have_no_findings() -> None:
    assert Responses.from_matrix(np.array([[1.0, 0, 2], [0, 1, 1], [1, 1, 0]])).findings == ()


def test_each_oddity_is_named() -> None:
    table = np.array([[1.0, 0, 1, NAN, 1], [1, 2, 2, NAN, 0], [NAN, NAN, NAN, NAN, NAN]])
    responses = Responses.from_matrix(table, ["all", "gap", "from1", "none", "ok"], persons=["x", "y", "z"])
    assert found(responses) == [
        ("no-variance", "all"),
        ("unused-category", "gap"),
        ("shifted", "from1"),
        ("no-responses", "none"),
        ("no-responses", "z"),
    ]
    assert [f.message for f in responses.findings][:3] == [
        "everybody has the score 1: nothing can be estimated",
        "nobody has the score 1; the steps beside it cannot be estimated: join categories or use another model",
        "its lowest score, 1, counts as 0, and so on upwards",
    ]


def test_a_key_without_its_item_and_a_category_of_marks_that_nobody_got(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Q1\nA\nC\n", encoding="utf-8")
    responses = read_responses(path, key={"Q1": {"A": 2, "B": 1}, "Q7": "B"})
    assert found(responses) == [("unused-category", "Q1"), ("key-without-item", "Q7")]
    assert str(responses.findings[1]) == "Q7: key-without-item: has a key, but no column or row of the data"


def test_many_silent_persons_are_counted() -> None:
    table = np.full((30, 2), NAN)
    table[:2] = [[1, 0], [0, 1]]
    findings = Responses.from_matrix(table).findings
    assert len(findings) == 11
    assert str(findings[-1]) == "no-responses: 18 more persons answered nothing"


def test_a_design_in_pieces_names_the_items_of_each() -> None:
    table = np.array([[1.0, 0, NAN, NAN, NAN], [0, 1, NAN, NAN, NAN], [NAN, NAN, 1, 0, NAN], [NAN, NAN, 0, 1, NAN]])
    responses = Responses.from_matrix(table, ["a", "b", "c", "d", "e"])
    assert design_components(responses) == (("a", "b"), ("c", "d"))
    [finding] = [f for f in responses.findings if f.code == "disconnected"]
    assert finding.message.startswith(
        "2 groups of items share no persons: a, b; c, d. Their scales are comparable only"
    )
    joined = Responses.from_matrix(np.vstack([table, [NAN, 1, 1, NAN, NAN]]))
    assert len(design_components(joined)) == 1
    weightless = Responses.from_matrix(np.vstack([table, [NAN, 1, 1, NAN, NAN]]), weight=np.array([1.0, 1, 1, 1, 0]))
    assert len(design_components(weightless)) == 2


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=7))
def test_components_are_those_of_joining_items_person_by_person(rows: list[list[bool]]) -> None:
    mask = np.array(rows)
    responses = Responses.from_matrix(np.where(mask, 1.0, NAN), list("abcde"))
    groups: list[set[str]] = []
    for row in mask:
        mine = {"abcde"[j] for j in np.flatnonzero(row)}
        if mine:
            apart = [g for g in groups if not g & mine]
            groups = [*apart, mine.union(*(g for g in groups if g & mine))]
    assert sorted(map(sorted, groups)) == sorted(map(sorted, design_components(responses)))


def test_anchors_join_what_no_person_joins() -> None:
    table = np.full((6, 6), np.nan)
    table[:2, :2], table[2:4, 2:4], table[4:, 4:] = [[0, 1], [1, 0]], [[0, 1], [1, 0]], [[0, 1], [1, 0]]
    data = Responses.from_matrix(table, [*"abcdef"])

    def apart(*anchors: str) -> list[str]:
        return [one.message for one in find(data, anchors) if one.code == "disconnected"]

    assert apart()[0].startswith("3 groups of items share no persons: a, b; c, d; e, f.")
    assert apart("a", "d")[0].startswith("2 groups of items share no persons: a, b, c, d; e, f.")
    assert apart("a", "d", "e") == []
