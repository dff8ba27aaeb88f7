"""Skill tasks: one document, three readers, marks that add up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import CandidateProfile, ItemError, check, for_candidate, read_item
from item_formats.skill_tasks import (
    Criterion,
    SkillTask,
    Supply,
    Veto,
    is_skill_task,
    mark_skill_task,
    read_skill_task,
    skill_task,
    skill_task_findings,
)
from tests.item_formats.documents import single
from tests.shared import shared

ANNOTATION = SkillTask(
    identifier="SK-2-1-1",
    code="2.1.1",
    title="图像数据的标注与质检",
    minutes=20,
    marks=Decimal(15),
    site=("计算机 1 台，装有标注软件", "图像 20 张"),
    work=("按标注规范框出图中的车辆和行人。\n每个框与目标的边缘相差不超过 3 像素。", "导出 COCO 格式，存为 a.json。"),
    skills=("能使用矩形框标注工具",),
    quality=("漏标率不大于 5%",),
    criteria=(
        Criterion("M1", Decimal(6), "车辆标注完整，每漏一个扣 1 分", "12 个"),
        Criterion("M2", Decimal("4.5"), "行人标注完整", "9 个"),
        Criterion("M3", Decimal("4.5"), "导出的文件能被读取 <json> & 字段齐全"),
    ),
    vetoes=(Veto("V1", "删除或改动原始数据"), Veto("V2", "违反用电安全规程")),
    site_supplies=(Supply("计算机", "内存 16 GB 以上", "1 台/人"), Supply("标注软件", note="已安装")),
    candidate_supplies=(Supply("准考证", "", "1 张"), Supply("签字笔", "黑色", "1 支")),
    preparation_notes=("考前 30 分钟检查网络已断开。",),
)


def test_a_task_comes_back_as_it_went_in() -> None:
    item = skill_task(ANNOTATION)
    assert read_skill_task(item) == ANNOTATION
    assert read_skill_task(read_item(item.xml)) == ANNOTATION
    assert skill_task_findings(item) == []


_line = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=9
)
_lines = st.lists(_line, min_size=1, max_size=3).map("\n".join)


@given(
    st.lists(st.tuples(_lines, st.decimals("0.5", "40", places=1)), min_size=1, max_size=5),
    st.lists(_lines, min_size=1),
)
def test_any_text_and_marks_come_back(rows: list[tuple[str, Decimal]], work: list[str]) -> None:
    criteria = tuple(Criterion(f"M{number}", marks, text) for number, (text, marks) in enumerate(rows, start=1))
    task = SkillTask("T", "1.1", "题", 10, sum((marks for _, marks in rows), Decimal(0)), tuple(work), criteria)
    assert read_skill_task(skill_task(task)) == task


def test_every_criterion_has_an_outcome_a_person_scores() -> None:
    outcomes = {outcome.identifier: outcome for outcome in skill_task(ANNOTATION).outcome_declarations}
    assert {name: outcome.normal_maximum for name, outcome in outcomes.items()} == {
        "M1": 6,
        "M2": 4.5,
        "M3": 4.5,
        "V1": None,
        "V2": None,
        "SCORE": 15,
    }
    assert {name for name, outcome in outcomes.items() if outcome.external_scored == "human"} == {
        "M1",
        "M2",
        "M3",
        "V1",
        "V2",
    }
    assert outcomes["V1"].base_type == "boolean"


def test_marks_add_up_and_a_veto_takes_them_all() -> None:
    item = skill_task(ANNOTATION)
    marks = {"M1": 5, "M2": Decimal("4.5"), "M3": 2.5}
    assert mark_skill_task(item, marks) == {"M1": 5, "M2": 4.5, "M3": 2.5, "V1": False, "V2": False, "SCORE": 12}
    assert mark_skill_task(item, marks, ["V2"])["SCORE"] == 0
    assert mark_skill_task(item, marks, ["V2"])["M1"] == 5
    assert mark_skill_task(item, {})["SCORE"] == 0
    without = skill_task(replace(ANNOTATION, vetoes=()))
    assert mark_skill_task(without, {"M3": 4.5})["SCORE"] == 4.5


@pytest.mark.parametrize(
    ("marks", "vetoes", "code"),
    [
        ({"M1": 6.5}, [], "bad-marks"),
        ({"M1": -1}, [], "bad-marks"),
        ({"M9": 1}, [], "unknown-criterion"),
        ({"SCORE": 15}, [], "unknown-criterion"),
        ({"M1": 1}, ["V9"], "unknown-criterion"),
    ],
)
def test_marks_nobody_can_give_are_refused(marks: dict[str, float], vetoes: list[str], code: str) -> None:
    with pytest.raises(ItemError) as caught:
        mark_skill_task(skill_task(ANNOTATION), marks, vetoes)
    assert [finding.code for finding in caught.value.findings] == [code]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"marks": Decimal(20)}, ["marks-sum"]),
        ({"criteria": ()}, ["no-criteria"]),
        ({"work": ("  ",)}, ["no-work"]),
        ({"minutes": 0}, ["bad-minutes"]),
        ({"identifier": "2 1"}, ["bad-identifier"]),
        ({"vetoes": (Veto("M1", "x"),)}, ["repeated-criterion"]),
        ({"vetoes": (Veto("SCORE", "x"),)}, ["bad-identifier"]),
        ({"criteria": (Criterion("M1", Decimal(15), " "),)}, ["empty-criterion"]),
        ({"criteria": (Criterion("M1", Decimal(0), "x"),)}, ["bad-marks", "marks-sum"]),
        ({"title": "a\x07"}, ["control-character"]),
    ],
)
def test_a_task_with_faults_is_refused_with_all_of_them(changes: dict[str, object], codes: list[str]) -> None:
    with pytest.raises(ItemError) as caught:
        skill_task(replace(ANNOTATION, **changes))  # type: ignore[arg-type]
    assert [finding.code for finding in caught.value.findings] == codes


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('normal-maximum="6"', 'normal-maximum="7"', "marks-differ"),
        ("<dd>6</dd>", "<dd>7</dd>", "marks-sum"),
        ("<dd>6</dd>", "<dd>six</dd>", "bad-marks"),
        ('external-scored="human" identifier="M1"', 'identifier="M1"', "not-scored-by-a-person"),
        ('<qti-variable identifier="V2"></qti-variable>', "", "veto-without-effect"),
        ('identifier="M3"', 'identifier="M4"', "dangling-criterion"),
        ("<dt>配分</dt>", "<dt>分</dt>", "bad-criterion"),
        ("20分钟", "很久", "bad-minutes"),
    ],
)
def test_a_document_that_contradicts_itself_is_found_out(old: str, new: str, code: str) -> None:
    xml = skill_task(ANNOTATION).xml.decode()
    assert old in xml
    assert code in [finding.code for finding in skill_task_findings(read_item(xml.replace(old, new).encode()))]


def test_other_items_are_no_skill_tasks() -> None:
    assert not is_skill_task(single())
    assert skill_task_findings(single()) == []
    with pytest.raises(ItemError, match="no skill task"):
        read_skill_task(single())


def test_the_candidate_sees_the_task_and_no_criterion() -> None:
    copy = for_candidate(skill_task(ANNOTATION))
    seen = read_skill_task(copy)
    assert (seen.code, seen.work, seen.quality) == (ANNOTATION.code, ANNOTATION.work, ANNOTATION.quality)
    assert (seen.criteria, seen.vetoes, seen.site_supplies, seen.marks) == ((), (), (), 0)
    for secret in ("每漏一个扣", "12 个", "改动原始数据", "断开", "normal-maximum"):
        assert secret not in copy.xml.decode()


def test_the_marking_table_can_be_published() -> None:
    shown = read_skill_task(for_candidate(skill_task(ANNOTATION), CandidateProfile(marking_table=True)))
    assert (shown.criteria, shown.vetoes, shown.marks) == (ANNOTATION.criteria, ANNOTATION.vetoes, ANNOTATION.marks)
    assert shown.site_supplies == ()


def test_the_document_is_valid_qti() -> None:
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(shared("qti/schemas") / "qtiv3p0/imsqti_asiv3p0_sbacv1p0_v1p0.xsd"))
    schema.assertValid(etree.fromstring(skill_task(ANNOTATION).xml))
    schema.assertValid(etree.fromstring(for_candidate(skill_task(ANNOTATION)).xml))


def test_check_finds_what_does_not_add_up_and_asks_nothing_a_task_does_not_have() -> None:
    item = skill_task(ANNOTATION)
    assert check(item) == []
    wrong = read_item(item.xml.replace(b"<dd>6</dd>", b"<dd>7</dd>"))
    assert {(finding.severity, finding.code) for finding in check(wrong)} == {
        ("error", "marks-sum"),
        ("error", "marks-differ"),
    }
