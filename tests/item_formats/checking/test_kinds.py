"""Tables of `checking` against the registries of those who do the work."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from item_formats import check, read_item
from item_formats.bindings import BINDINGS
from item_formats.checking.expressions import SIGNATURES
from item_formats.processing import expression_names
from item_formats.processing.expressions.registry import _EXPRESSIONS
from item_formats.skill_tasks import Criterion, SkillTask, skill_task
from item_formats.vocabulary import BASE_TYPES, ELEMENTS, INTERACTIONS


def test_every_interaction_has_its_variable() -> None:
    assert set(BINDINGS) == set(INTERACTIONS)
    assert len(BINDINGS) == 22
    assert all(binding.base_types <= set(BASE_TYPES) for binding in BINDINGS.values())


def test_every_expression_has_its_types() -> None:
    assert set(SIGNATURES) == expression_names()
    assert len(SIGNATURES) == 64


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_as_many_operands_are_checked_as_are_compiled(name: str) -> None:
    _, least, most = _EXPRESSIONS[name]
    assert (SIGNATURES[name].least, SIGNATURES[name].most) == (least, most)


def task() -> SkillTask:
    return SkillTask(
        identifier="T1",
        code="1.1.1",
        title="数据标注",
        minutes=30,
        marks=Decimal(10),
        work=("标注十张图片。",),
        criteria=(Criterion("M1", Decimal(6), "标注完整"), Criterion("M2", Decimal(4), "标注正确")),
    )


def test_a_skill_task_that_adds_up_is_only_told_that_people_score_it() -> None:
    assert {finding.code for finding in check(skill_task(task()))} <= {"scored-elsewhere"}


def test_a_skill_task_whose_outcome_is_worth_something_else_is_an_error() -> None:
    item = skill_task(task())
    changed = read_item(item.xml.replace(b'normal-maximum="6"', b'normal-maximum="5"'))
    assert "marks-differ" in {finding.code for finding in check(changed)}


def test_the_page_on_qti_names_every_element() -> None:
    page = (Path(__file__).parent.parent.parent.parent / "docs" / "qti.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([a-z0-9-]+)`", page))
    assert [name for name in ELEMENTS if name.removeprefix("qti-") not in told and name not in told] == []
