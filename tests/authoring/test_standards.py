"""Standards in the bank: loaded once, asked by point and by weight."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.standards.rules import (
    list_standards,
    load_outline,
    point_place,
    point_places,
    view_standard,
    weight_table,
)
from authoring.standards.tables import Importance, Level, Point
from tests.authoring.conftest import Staff
from tests.authoring.sample import outline


def test_every_point_knows_its_section_its_function_and_its_importance(bank: Bank, standard_id: int) -> None:
    with reading(bank) as session:
        places = point_places(session, standard_id)
        ethics, flow = places["A-A-A-001"], places["B-A-A-004"]
        assert point_place(session, flow.point_id) == ("B-A-A-004", flow)
    assert len(places) == 16
    assert (ethics.section, ethics.function, ethics.function_name) == ("A-A", "A-A", "职业道德")
    assert (flow.section, flow.section_name, flow.function, flow.function_name) == ("B-A", "流程", "B", "业务分析")
    assert (ethics.importance, flow.importance) == (Importance.X, Importance.Y)


def test_the_weight_table_has_its_rows_and_the_sections_below(bank: Bank, standard_id: int) -> None:
    with reading(bank) as session:
        table = weight_table(session, standard_id)
    assert [(row.code, row.weight) for row in table.rows] == [("A-A", 20), ("A-B", 30), ("B", 50)]
    assert [(row.code, row.weight) for row in table.sections] == [("A-A", 20), ("A-B", 30), ("B-A", 25), ("B-B", 25)]
    assert table.provenance == "made up for tests, weights"
    assert sum(row.weight or Decimal(0) for row in table.rows) == 100


def test_the_same_outline_again_changes_nothing(bank: Bank, staff: Staff, standard_id: int) -> None:
    with writing(bank, staff.author) as session:
        assert load_outline(session, staff.author, outline()).id == standard_id
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(Point.__table__)) == 16


def test_another_outline_of_the_same_standard_is_a_conflict(bank: Bank, staff: Staff, standard_id: int) -> None:
    changed = outline()
    changed["areas"][0]["sections"][0]["points"][0]["name"] = "别的"
    with pytest.raises(ConflictError, match="give the new one its own edition"), writing(bank, staff.author) as session:
        load_outline(session, staff.author, changed)
    assert standard_id == 1


def test_one_code_has_several_standards_at_once(bank: Bank, staff: Staff, standard_id: int) -> None:
    """The trap in real data: by code alone, editions, directions and levels overwrite each other."""
    with writing(bank, staff.author) as session:
        others = [
            load_outline(session, staff.author, outline(**change)).id
            for change in ({"edition": "2024"}, {"direction": "语音"}, {"level": 4})
        ]
    with reading(bank) as session:
        assert len({standard_id, *others}) == len(list_standards(session)) == 4
        assert {view_standard(session, number or 0).level for number in others} == {Level.L3, Level.L4}


def test_a_wrong_outline_leaves_no_standard_behind(bank: Bank, staff: Staff) -> None:
    document = outline()
    document["areas"][1]["sections"][0]["weight"] = 10
    with pytest.raises(BankError) as refused, writing(bank, staff.author) as session:
        load_outline(session, staff.author, document)
    assert [finding.code for finding in refused.value.findings] == ["weights-sum"]
    with reading(bank) as session:
        assert list_standards(session) == []


def test_the_view_shows_every_provenance_and_the_order_of_the_outline(bank: Bank, standard_id: int) -> None:
    with reading(bank) as session:
        view = view_standard(session, standard_id)
    (theory,) = view.outlines
    assert (view.provenance, theory.weights_provenance) == ("made up for tests", "made up for tests, weights")
    assert theory.weights_are == "shares of marks"
    assert [(row.name, row.weight) for row in theory.weight_table] == [
        ("职业道德", 20),
        ("基础知识", 30),
        ("业务分析", 50),
    ]
    assert [area.code for area in theory.areas] == ["A", "B"]
    assert [section.code for section in theory.areas[0].sections] == ["A-A", "A-B"]
    points = theory.areas[1].sections[1].points
    assert [(point.code, point.importance) for point in points] == [
        (f"B-B-A-00{n}", "XXXY"[n - 1]) for n in range(1, 5)
    ]
    assert {point.importance_provenance for point in points} == {"sample"}


def test_what_is_not_there_is_named(bank: Bank, staff: Staff) -> None:
    assert staff.author.person_id is not None
    with reading(bank) as session:
        for ask in (view_standard, point_places, weight_table):
            with pytest.raises(UnknownError, match="standard 9"):
                ask(session, 9)
