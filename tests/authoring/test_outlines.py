"""Outline documents: what makes one wrong, what makes one unusual."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.errors import BankError
from authoring.standards.outlines import check_outline, outline_digest, placed_areas, read_outline
from tests.authoring.sample import outline

SAMPLE = Path(__file__).parents[2] / "examples" / "ai_trainer_l3" / "outline.json"


def codes(document: dict[str, Any]) -> dict[str, str]:
    """Finding code → severity, of everything but the small size of the test outline."""
    small = {"few-points", "few-points-for-weight"}
    return {f.code: f.severity for f in check_outline(read_outline(document)) if f.code not in small}


def test_the_rows_of_the_weight_table_are_the_sections_of_the_basic_part_and_the_other_areas() -> None:
    rows = [(placed.area.name, placed.weight) for placed in placed_areas(read_outline(outline())) if placed.row]
    assert rows == [("职业道德", Decimal(20)), ("基础知识", Decimal(30)), ("业务分析", Decimal(50))]


def test_the_sample_outline_has_the_six_functions_of_the_published_table() -> None:
    document = read_outline(SAMPLE.read_bytes())
    rows = [(placed.area.name, placed.weight) for placed in placed_areas(document) if placed.row]
    assert rows == [
        ("职业道德", 5),
        ("基础知识", 10),
        ("业务分析", 20),
        ("智能训练", 30),
        ("智能系统设计", 30),
        ("培训与指导", 5),
    ]
    assert [f for f in check_outline(document) if f.severity == "error"] == []


def test_a_document_may_say_itself_which_areas_are_rows() -> None:
    document = outline()
    document["areas"][1]["weight_row"] = False
    for section in document["areas"][1]["sections"]:
        section["weight_row"] = True
    rows = [placed.area.code for placed in placed_areas(read_outline(document)) if placed.row]
    assert rows == ["A-A", "A-B", "B-A", "B-B"]


def test_a_good_outline_has_no_findings_but_its_size() -> None:
    assert codes(outline()) == {"importance-share": "warning"}  # 3 of 4 points are X, 75 % < 80 %


def test_weights_that_do_not_make_100_are_an_error_with_the_sum() -> None:
    document = outline()
    document["areas"][1]["sections"][0]["weight"] = 30
    assert codes(document)["weights-sum"] == "error"
    (finding,) = (f for f in check_outline(read_outline(document)) if f.code == "weights-sum")
    assert "they make 105" in finding.message


@given(st.integers(min_value=-80, max_value=80))
def test_rounding_may_cost_half_a_mark_and_no_more(hundredths: int) -> None:
    document = outline()
    document["areas"][1]["sections"][0]["weight"] = 25 + hundredths / 100
    assert ("weights-sum" in codes(document)) == (abs(hundredths) > 50)


def test_a_row_without_a_weight_beside_rows_with_one_is_an_error() -> None:
    document = outline()
    del document["areas"][0]["sections"][1]["weight"]
    assert codes(document)["missing-weight"] == "error"


def test_an_outline_without_any_weight_is_allowed() -> None:
    document = outline()
    for area in document["areas"]:
        for section in area["sections"]:
            del section["weight"]
    assert codes(document)["no-weights"] == "warning"


def test_an_area_and_its_sections_must_agree() -> None:
    document = outline()
    document["areas"][1] |= {"weight": 50}
    document["areas"][1]["sections"][0]["weight"] = 24
    assert codes(document) == {"section-weights": "error", "importance-share": "warning"}


@pytest.mark.parametrize(("place", "kind"), [("area", "repeated-area"), ("point", "repeated-point")])
def test_codes_are_used_once(place: str, kind: str) -> None:
    document = outline()
    sections = document["areas"][0]["sections"]
    if place == "area":
        sections[1]["code"] = sections[0]["code"]
    else:
        sections[1]["points"][0]["code"] = sections[0]["points"][0]["code"]
    assert codes(document)[kind] == "error"


def test_unknown_importance_is_said_and_not_counted() -> None:
    document = outline()
    for area in document["areas"]:
        for section in area["sections"]:
            section["points"][3]["importance"] = None
    findings = check_outline(read_outline(document))
    assert [f.message for f in findings if f.code == "importance-unknown"] == [
        "the importance of 4 of 16 points is unknown: add X, Y or Z with who says so"
    ]
    assert "importance-share" not in {f.code for f in findings}  # of the 12 known ones all are X


def test_importance_needs_somebody_who_says_so() -> None:
    document = outline()
    del document["importance_provenance"]
    assert codes(document)["importance-without-provenance"] == "error"


def test_few_points_for_the_weight_are_a_warning() -> None:
    findings = [f for f in check_outline(read_outline(outline())) if f.code == "few-points-for-weight"]
    assert [f.column for f in findings] == ["A", "A-A", "A-B", "B", "B-A", "B-B"]
    assert "基础知识 weighs 30 and has 4 points: expected at least 60" in [f.message for f in findings]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"level": 6}, r"\$\.level"),
        ({"occupation_code": "40405"}, r"\$\.occupation_code"),
        ({"areas": []}, r"\$\.areas"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"provenance": ""}, r"\$\.provenance"),
    ],
)
def test_a_field_that_is_not_as_expected_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BankError, match=said):
        read_outline(outline(**change))


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(BankError, match="the outline cannot be read"):
        read_outline("{")


def test_the_digest_is_of_the_content_not_of_the_layout() -> None:
    document = outline()
    shuffled = dict(reversed(document.items()))
    text = json.dumps(shuffled, ensure_ascii=False, indent=3)
    assert outline_digest(read_outline(text)) == outline_digest(read_outline(document))
    assert outline_digest(read_outline(outline(edition="2024"))) != outline_digest(read_outline(document))
