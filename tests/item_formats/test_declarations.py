"""What documents declare, as typed views."""

from __future__ import annotations

import pytest

from item_formats import ItemError, read_item
from item_formats.declarations import (
    AreaMapEntry,
    AreaMapping,
    ContextDeclaration,
    FieldValue,
    InterpolationEntry,
    InterpolationTable,
    MatchTable,
    TemplateDeclaration,
)
from tests.item_formats.documents import document
from tests.item_formats.fixtures import fixture

RICH = read_item(fixture("documents/rich_item.xml"))


def test_records_have_fields() -> None:
    (response,) = RICH.response_declarations
    assert (response.cardinality, response.base_type, response.correct) == ("record", "", ())
    assert response.correct_fields == (FieldValue("x", "integer", "1"), FieldValue("name", "string", "甲"))


def test_outcomes_have_bounds_tables_and_readers() -> None:
    score, level = RICH.outcome_declarations
    assert (score.default, score.normal_maximum, score.normal_minimum, score.mastery_value) == (("0",), 2.0, -1.0, 1.0)
    assert score.views == ("scorer", "tutor")
    assert score.match_table == MatchTable(((-1, "float"),), "0")
    assert score.interpolation_table is None
    assert level.interpolation_table == InterpolationTable(
        (InterpolationEntry(0.6, include_boundary=False, target="high"),), "low"
    )


def test_an_outcome_a_person_sets_says_so() -> None:
    (score,) = read_item(fixture("interactions/extended_text.xml")).outcome_declarations
    assert score.external_scored == "human"


def test_template_and_context_variables_are_declared_too() -> None:
    assert RICH.template_declarations == (TemplateDeclaration("N", "single", "integer", ("3",), mathematical=True),)
    assert RICH.context_declarations == (ContextDeclaration("SITE", "single", "string", ("北京",)),)


def test_points_map_to_values_by_areas() -> None:
    (response,) = read_item(fixture("interactions/position_object.xml")).response_declarations
    assert response.correct == ("120 40", "200 40")
    assert response.area_mapping == AreaMapping(
        (AreaMapEntry("rect", "90,10,150,70", 1.0), AreaMapEntry("circle", "200,40,30", 0.5)), 0.0, None, 1.5
    )


def test_a_source_value_that_is_no_whole_number_is_an_error() -> None:
    table = '<qti-match-table><qti-match-table-entry source-value="1.5" target-value="a"/></qti-match-table>'
    item = read_item(
        document(f'<qti-outcome-declaration identifier="A" cardinality="single">{table}</qti-outcome-declaration>')
    )
    with pytest.raises(ItemError, match="expected a whole number"):
        _ = item.outcome_declarations
