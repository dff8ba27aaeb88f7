"""The paper as a QTI test."""

from __future__ import annotations

from decimal import Decimal

import pytest

from item_formats import ItemError, build_test
from item_formats.parsing import parse, qti

SECTIONS = [
    ("TF", "一、判断题", [("Q3", 0.5), ("Q4", Decimal("0.5"))]),
    ("SINGLE", "二、单项选择题", [("Q1", 1)]),
]


def test_sections_and_items_keep_their_order_and_marks_are_weights() -> None:
    test = build_test("A", "试卷 A", SECTIONS, time_limit_seconds=5400)
    root = parse(test.xml)
    assert [section.get("title") for section in root.iter(qti("qti-assessment-section"))] == [
        "一、判断题",
        "二、单项选择题",
    ]
    references = list(root.iter(qti("qti-assessment-item-ref")))
    assert [(one.get("identifier"), one.get("href")) for one in references] == [
        ("Q3", "../items/Q3.xml"),
        ("Q4", "../items/Q4.xml"),
        ("Q1", "../items/Q1.xml"),
    ]
    assert [one[0].get("value") for one in references] == ["0.5", "0.5", "1"]
    assert test.item_ids == ("Q3", "Q4", "Q1")


def test_the_total_is_the_sum_of_scores_times_marks() -> None:
    test = build_test("A", "试卷 A", SECTIONS)
    root = parse(test.xml)
    assert test.total_marks == Decimal(2)
    assert root.find(qti("qti-outcome-declaration")).get("normal-maximum") == "2"  # type: ignore[union-attr]
    (variables,) = root.iter(qti("qti-test-variables"))
    weights = {weight.get("identifier") for weight in root.iter(qti("qti-weight"))}
    assert variables.attrib == {"variable-identifier": "SCORE", "weight-identifier": "MARKS"}
    assert weights == {"MARKS"}


def test_candidates_may_go_back_and_forth_unless_told_otherwise() -> None:
    (part,) = parse(build_test("A", "A", SECTIONS).xml).iter(qti("qti-test-part"))
    assert (part.get("navigation-mode"), part.get("submission-mode")) == ("nonlinear", "simultaneous")
    (part,) = parse(build_test("A", "A", SECTIONS, navigation="linear").xml).iter(qti("qti-test-part"))
    assert part.get("navigation-mode") == "linear"


def test_a_time_limit_is_written_only_when_there_is_one() -> None:
    (limit,) = parse(build_test("A", "A", SECTIONS, time_limit_seconds=5400).xml).iter(qti("qti-time-limits"))
    assert limit.get("max-time") == "5400"
    assert not list(parse(build_test("A", "A", SECTIONS).xml).iter(qti("qti-time-limits")))


def test_the_same_paper_gives_the_same_document() -> None:
    assert build_test("A", "甲 & <乙>", SECTIONS) == build_test("A", "甲 & <乙>", SECTIONS)
    assert build_test("A", "甲", SECTIONS).digest != build_test("B", "甲", SECTIONS).digest


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        ([], "no-section"),
        ([("S", "s", [])], "empty-section"),
        ([("S", "s", [("Q1", 1), ("Q1", 1)])], "repeated-identifier"),
        ([("S", "s", [("Q1", 1)]), ("S", "s", [("Q2", 1)])], "repeated-identifier"),
        ([("S", "s", [("Q1", 0)])], "bad-marks"),
        ([("S", "s", [("Q1", float("nan"))])], "bad-marks"),
        ([("S", "s", [("../Q1", 1)])], "bad-identifier"),
    ],
)
def test_papers_that_cannot_be_are_refused(sections: list[object], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        build_test("A", "A", sections)  # type: ignore[arg-type]
    assert code in {finding.code for finding in caught.value.findings}
