"""Items in the bank: imported whole or reported, versions that stay as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from sqlalchemy import func, select

from authoring.audit.tables import AuditEvent
from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.items.rules import ImportReport, add_version, create_item, import_items
from authoring.items.schemas import NewItem, NewVersion
from authoring.items.states import PUBLISH, standings, take_step
from authoring.items.tables import Item, ItemEnemy, ItemState, ItemVersion
from authoring.items.views import item_document, list_items, pool_items, view_item
from authoring.reviews.rules import submit, withdraw
from authoring.standards.rules import load_outline
from item_formats import ItemTable, ItemType, read_items_csv
from tests.authoring.conftest import Staff
from tests.authoring.sample import RATIONALE, accepted, add_items, calibrate, pretest, row, table

ITEM = Item.__table__
VERSION = ItemVersion.__table__
SAMPLE = Path(__file__).parents[2] / "examples" / "ai_trainer_l3"


def counts(bank: Bank) -> tuple[int, int, int]:
    """Items, versions and audit events about items."""
    with reading(bank) as session:
        return (
            session.scalar(select(func.count()).select_from(ITEM)) or 0,
            session.scalar(select(func.count()).select_from(VERSION)) or 0,
            session.scalar(
                select(func.count()).select_from(AuditEvent).where(AuditEvent.__table__.c.subject_kind == "item")
            )
            or 0,
        )


def run_import(bank: Bank, staff: Staff, standard_id: int, items: ItemTable) -> ImportReport:
    with writing(bank, staff.author) as session:
        return import_items(session, staff.author, standard_id, items)


def new_item(**changes: Any) -> NewItem:
    usual: dict[str, Any] = {
        "code": "N1",
        "standard": 1,
        "type": "single",
        "stem": "新写的一道题（ ）。",
        "options": ["甲", "乙", "丙", "丁"],
        "key": "C",
        "rationale": RATIONALE,
        "point": "B-A-A-001",
        "grade": 3,
        "marks": 0.5,
    }
    return convert(usual | changes, NewItem)


def new_version(**changes: Any) -> NewVersion:
    usual: dict[str, Any] = {
        "type": "single",
        "stem": "改过的一道题（ ）。",
        "options": ["甲", "乙", "丙", "丁"],
        "key": "D",
        "based_on": 1,
    }
    return convert(usual | changes, NewVersion)


def test_good_rows_become_drafts_of_the_importer_with_one_version_and_one_event_each(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    report = run_import(bank, staff, standard_id, table(row("Q1", marks=Decimal("0.5")), row("Q2", congruence=4)))
    assert (report.created, report.unchanged, report.findings) == (("Q1", "Q2"), (), ())
    assert counts(bank) == (2, 2, 2)
    with reading(bank) as session:
        held = session.execute(select(ITEM).where(ITEM.c.code == "Q1")).one()
        stored = session.execute(select(VERSION.c.xml, VERSION.c.digest).where(VERSION.c.item_id == held.id)).one()
    assert (held.state, held.number, held.accepted_number, held.marks) == (ItemState.DRAFT, 1, None, Decimal("0.5"))
    assert (held.owner_id, held.grade, held.item_type) == (staff.author.person_id, 2, ItemType.SINGLE)
    assert (stored.xml, stored.digest) == (row("Q1").item.xml, row("Q1").item.digest)


def test_a_second_import_of_the_same_file_adds_nothing(bank: Bank, staff: Staff, standard_id: int) -> None:
    items = table(row("Q1", enemies=("Q2",)), row("Q2", item_type=ItemType.TRUE_FALSE), row("Q3"))
    run_import(bank, staff, standard_id, items)
    before = counts(bank)
    report = run_import(bank, staff, standard_id, items)
    assert (report.created, report.unchanged, report.findings) == ((), ("Q1", "Q2", "Q3"), ())
    assert counts(bank) == before == (3, 3, 3)


def test_the_sample_bank_goes_in_whole_and_once(bank: Bank, staff: Staff) -> None:
    with writing(bank, staff.author) as session:
        document = (SAMPLE / "outline.json").read_bytes()
        from authoring.standards.outlines import read_outline

        sample_id = load_outline(session, staff.author, read_outline(document)).id or 0
    items = read_items_csv(SAMPLE / "items.csv")
    report = run_import(bank, staff, sample_id, items)
    assert (len(report.created), report.errors) == (570, ())
    assert not [finding for finding in report.findings if finding.code == "near-duplicate"]
    again = run_import(bank, staff, sample_id, items)
    assert (len(again.created), len(again.unchanged)) == (0, 570)


def test_a_bad_row_is_reported_and_the_others_come_in(bank: Bank, staff: Staff, standard_id: int) -> None:
    report = run_import(bank, staff, standard_id, table(row("Q1"), row("Q2", point="A-A-A-01"), row("Q3")))
    assert report.created == ("Q1", "Q3")
    (finding,) = report.errors
    assert (finding.code, finding.line, finding.column, finding.item) == ("unknown-point", 3, "知识点", "Q2")
    assert "the nearest is A-A-A-001 职业道德第1点" in finding.message


def test_findings_of_the_file_stay_in_the_report_in_the_order_of_rows(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    from item_formats import Finding

    items = replace(
        table(row("Q1", point="X"), row("Q9", point="Y")),
        findings=(Finding("error", "empty-stem", "题干 is empty", line=5, column="题干", item="Q4"),),
    )
    report = run_import(bank, staff, standard_id, items)
    assert [(finding.line, finding.code) for finding in report.findings] == [
        (2, "unknown-point"),
        (5, "empty-stem"),
        (10, "unknown-point"),
    ]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"stem": "别的题目（ ）。"}, "content"),
        ({"key": "C"}, "content"),
        ({"point": "A-A-A-002"}, "知识点"),
        ({"grade": 5}, "难度"),
        ({"marks": Decimal(1)}, "分数"),
        ({"source": "教材"}, "出处"),
        ({"congruence": 1}, "一致性"),
    ],
)
def test_a_code_with_other_content_is_reported_and_nothing_is_overwritten(
    bank: Bank, staff: Staff, standard_id: int, change: dict[str, Any], named: str
) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    report = run_import(bank, staff, standard_id, table(row("Q1", **change)))
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.column) == ("code-taken", "error", "编号")
    assert f"with other {named}:" in finding.message
    with reading(bank) as session:
        assert session.scalars(select(VERSION.c.digest)).all() == [row("Q1").item.digest]


def test_a_question_the_bank_has_under_another_code_is_refused(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1", stem="同一道题（ ）。", options=["甲", "乙", "丙", "丁"]))
    again = row("Q2", stem="同一道题（　）。", options=["丁", "丙", "乙", "甲"])
    report = run_import(bank, staff, standard_id, table(again))
    assert [(finding.code, finding.severity) for finding in report.findings] == [("duplicate-item", "error")]
    assert "as Q1" in report.findings[0].message
    assert counts(bank)[0] == 1


def test_a_near_duplicate_comes_in_with_a_warning(bank: Bank, staff: Staff, standard_id: int) -> None:
    stem = "训练数据标注完成之后，质检人员应当首先进行的工作环节是（ ）。"
    options = ["抽样检查标注结果", "直接交付客户使用", "删除原始采集数据", "更换标注工具版本"]
    add_items(bank, staff, standard_id, row("Q1", stem=stem, options=options))
    similar = row("Q2", stem=stem.replace("首先", "最先"), options=options)
    report = run_import(bank, staff, standard_id, table(similar))
    assert report.created == ("Q2",)
    (finding,) = report.findings
    assert (finding.code, finding.severity, finding.line) == ("near-duplicate", "warning", 3)
    assert finding.message.startswith("very like Q1 (stem 0.")


def test_near_duplicates_within_one_file_are_found_too(bank: Bank, staff: Staff, standard_id: int) -> None:
    stem = "数据脱敏之后的个人信息在任何情况下都不能再识别到特定自然人。"
    first = row("Q1", item_type=ItemType.TRUE_FALSE, stem=stem)
    second = row("Q2", item_type=ItemType.TRUE_FALSE, stem=stem.replace("不能", "能"), key="√")
    report = run_import(bank, staff, standard_id, table(first, second))
    assert [(finding.code, finding.item) for finding in report.findings] == [("near-duplicate", "Q2")]


def test_enemies_are_stored_once_whichever_row_names_them(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1", enemies=("Q2",)), row("Q2", enemies=("Q1",)), row("Q3"))
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(ItemEnemy)) == 1


def test_an_enemy_that_comes_later_is_paired_by_the_next_import(bank: Bank, staff: Staff, standard_id: int) -> None:
    items = table(row("Q1", enemies=("Q2",)), row("Q2", point="none"))
    report = run_import(bank, staff, standard_id, items)
    assert [(f.code, f.severity) for f in report.findings] == [("unknown-enemy", "warning"), ("unknown-point", "error")]
    run_import(bank, staff, standard_id, table(row("Q1", enemies=("Q2",)), row("Q2")))
    with reading(bank) as session:
        assert session.scalar(select(func.count()).select_from(ItemEnemy)) == 1


def enemy_events(bank: Bank) -> list[tuple[str, Any]]:
    event = AuditEvent.__table__.c
    query = select(event.subject, event.detail).where(event.action == "item.enemies_changed").order_by(event.id)
    with reading(bank) as session:
        return [(subject, json.loads(detail)) for subject, detail in session.execute(query)]


def pairs(bank: Bank) -> set[tuple[str, str]]:
    with reading(bank) as session:
        codes = {item.id: item.code for item in session.execute(select(ITEM.c.id, ITEM.c.code))}
        return {(codes[first], codes[second]) for first, second in session.execute(select(ItemEnemy.__table__))}


def test_a_file_with_another_enemy_changes_only_that_and_says_so_once(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    add_items(bank, staff, standard_id, row("Q1"), row("Q2"), row("Q3"))
    changed = table(row("Q1", enemies=("Q2",)), row("Q2", enemies=("Q1",)), row("Q3"))
    report = run_import(bank, staff, standard_id, changed)
    assert (report.created, report.unchanged, report.enemies_changed) == ((), ("Q3",), ("Q1", "Q2"))
    assert enemy_events(bank) == [("Q1", {"added": ["Q2"], "removed": []})]
    again = run_import(bank, staff, standard_id, changed)
    assert (again.unchanged, again.enemies_changed) == (("Q1", "Q2", "Q3"), ())
    assert (pairs(bank), len(enemy_events(bank)), counts(bank)) == ({("Q1", "Q2")}, 1, (3, 3, 4))


def test_a_pair_goes_when_both_rows_are_there_and_neither_names_the_other(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    add_items(bank, staff, standard_id, row("Q1", enemies=("Q2", "Q3")), row("Q2"), row("Q3"))
    alone = run_import(bank, staff, standard_id, table(row("Q2"), row("Q3")))  # the row that names them is elsewhere
    assert (alone.unchanged, pairs(bank)) == (("Q2", "Q3"), {("Q1", "Q2"), ("Q1", "Q3")})
    moved = run_import(bank, staff, standard_id, table(row("Q1"), row("Q2", enemies=("Q1",)), row("Q3")))
    assert (moved.unchanged, moved.enemies_changed) == (("Q2",), ("Q1", "Q3"))
    assert pairs(bank) == {("Q1", "Q2")}
    assert enemy_events(bank) == [("Q1", {"added": [], "removed": ["Q3"]})]


def test_a_new_enemy_of_an_item_the_bank_has_is_recorded(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    report = run_import(bank, staff, standard_id, table(row("Q2", enemies=("Q1",))))
    assert (report.created, report.enemies_changed) == (("Q2",), ("Q1",))
    with writing(bank, staff.author) as session:
        create_item(session, staff.author, new_item(enemies=["Q1"]))
    assert enemy_events(bank) == [("Q1", {"added": ["Q2"], "removed": []}), ("Q1", {"added": ["N1"], "removed": []})]


def test_a_refused_row_changes_no_enemies(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1", enemies=("Q2",)), row("Q2"), row("Q3"))
    report = run_import(bank, staff, standard_id, table(row("Q1", grade=5, enemies=("Q3",)), row("Q2")))
    assert [finding.code for finding in report.findings] == ["code-taken"]
    assert (report.unchanged, pairs(bank), enemy_events(bank)) == (("Q2",), {("Q1", "Q2")}, [])


def test_only_authors_import(bank: Bank, staff: Staff, standard_id: int) -> None:
    with pytest.raises(ForbiddenError, match="role 'author'"), writing(bank, staff.reviewer) as session:
        import_items(session, staff.reviewer, standard_id, table(row("Q1")))
    assert counts(bank) == (0, 0, 0)


def test_an_item_is_created_with_its_version_and_event_in_one_transaction(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    assert standard_id == 1
    with writing(bank, staff.author) as session:
        assert create_item(session, staff.author, new_item(enemies=["nobody"]))[0].code == "unknown-enemy"
    assert counts(bank) == (1, 1, 1)
    with reading(bank) as session:
        view = view_item(session, "N1", keys=True)
    assert (view.stem, view.key, view.rationale, view.marks) == ("新写的一道题（ ）。", "C", RATIONALE, 0.5)
    assert (view.section, view.function, view.importance, view.state) == ("B-A", "B", "X", "draft")
    assert [option.text for option in view.options] == ["甲", "乙", "丙", "丁"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"point": "Z"}, "unknown-point"),
        ({"key": "E"}, "item-wrong"),
        ({"options": ["甲", "甲", "乙", "丙"]}, "item-wrong"),
        ({"standard": 7}, "unknown-outline"),
    ],
)
def test_an_item_that_cannot_be_is_refused_whole(
    bank: Bank, staff: Staff, standard_id: int, change: dict[str, Any], rule: str
) -> None:
    with pytest.raises(BankError) as refused, writing(bank, staff.author) as session:
        create_item(session, staff.author, new_item(**change))
    assert refused.value.rule == rule
    assert counts(bank) == (0, 0, 0)
    assert standard_id == 1


def test_a_taken_code_and_a_known_question_are_refused(bank: Bank, staff: Staff, standard_id: int) -> None:
    assert standard_id == 1
    with writing(bank, staff.author) as session:
        create_item(session, staff.author, new_item())
    with pytest.raises(ConflictError, match="has an item N1 already"), writing(bank, staff.author) as session:
        create_item(session, staff.author, new_item(stem="另一道（ ）。"))
    with pytest.raises(BankError, match="has this question as N1"), writing(bank, staff.author) as session:
        create_item(session, staff.author, new_item(code="N2", key="A"))


def test_a_new_version_is_a_draft_and_the_old_one_stays_as_it_was(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q1", new_version())
    with reading(bank) as session:
        versions = session.execute(select(VERSION.c.number, VERSION.c.digest).order_by(VERSION.c.number)).all()
        view = view_item(session, "Q1", keys=True)
    assert [number for number, _ in versions] == [1, 2]
    assert versions[0].digest == row("Q1").item.digest
    assert (view.version, view.stem, view.key, view.state) == (2, "改过的一道题（ ）。", "D", "draft")


def test_a_pool_keeps_the_accepted_version_while_a_newer_one_is_reviewed(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q1", new_version())
    with reading(bank) as session:
        assert [(item.code, item.version) for item in pool_items(session, standard_id)] == [("Q1", 1)]
        assert [item.digest for item in pool_items(session, standard_id)] == [row("Q1").item.digest]
    pretest(bank, staff, ["Q1"], key="D")
    calibrate(bank, staff.approver, standard_id, ["Q1"])
    from authoring.reviews.rules import accept

    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1"])
    with reading(bank) as session:
        assert [(item.code, item.version) for item in pool_items(session, standard_id)] == [("Q1", 2)]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"based_on": 2}, "changed-meanwhile"),
        ({"type": "true_false", "options": [], "key": "√", "stem": "对。"}, "type-changed"),
        ({"key": "Z"}, "item-wrong"),
    ],
)
def test_a_version_that_cannot_be_is_refused(
    bank: Bank, staff: Staff, standard_id: int, change: dict[str, Any], rule: str
) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with pytest.raises(BankError) as refused, writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q1", new_version(**change))
    assert refused.value.rule == rule
    assert counts(bank)[1] == 1


def test_the_same_content_is_no_new_version(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    same = row("Q1").item
    content = {
        "stem": same.stem_text,
        "options": [option.text for option in same.options],
        "key": same.key,
        "rationale": same.rationale,
    }
    with pytest.raises(ConflictError, match="says exactly this already"), writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q1", new_version(**content))


def test_no_version_while_others_look_at_it_nor_after_it_is_public(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1"])
    with pytest.raises(ConflictError, match="Q1 is 初审"), writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q1", new_version())
    accepted(bank, staff, standard_id, row("Q2"))
    with writing(bank, staff.approver) as session:
        take_step(session, staff.approver, PUBLISH, standings(session, ["Q2"]))
    with pytest.raises(ConflictError) as refused, writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q2", new_version())
    assert refused.value.rule == "published-is-final"
    with pytest.raises(UnknownError), writing(bank, staff.author) as session:
        add_version(session, staff.author, "Q3", new_version())


def test_pages_follow_each_other_without_gap_or_overlap(bank: Bank, staff: Staff, standard_id: int) -> None:
    codes = [f"Q{n}" for n in (10, 9, 2, 33, 1, 4, 25)]
    add_items(bank, staff, standard_id, *(row(code) for code in codes))
    seen: list[str] = []
    after, pages = None, 0
    with reading(bank) as session:
        while True:
            page = list_items(session, after=after, limit=3)
            seen += [item.code for item in page.items]
            pages += 1
            after = page.next
            if after is None:
                break
    assert seen == sorted(codes)
    assert pages == 3


def test_a_page_that_ends_the_list_exactly_has_no_next(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"), row("Q2"))
    with reading(bank) as session:
        assert list_items(session, limit=2).next is None
        assert list_items(session, limit=1).next == "Q1"
        assert list_items(session, after="Q2").items == []


def test_lists_filter_by_standard_type_state_and_point(bank: Bank, staff: Staff, standard_id: int) -> None:
    true_false = row("Q2", item_type=ItemType.TRUE_FALSE, point="B-B-A-001")
    add_items(bank, staff, standard_id, row("Q1"), true_false, row("Q3", point="B-B-A-001"))
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q3"])
    with reading(bank) as session:
        for filters, expected in (
            ({"standard": standard_id}, ["Q1", "Q2", "Q3"]),
            ({"standard": standard_id + 1}, []),
            ({"item_type": ItemType.TRUE_FALSE}, ["Q2"]),
            ({"state": ItemState.IN_REVIEW}, ["Q3"]),
            ({"point": "B-B-A-001"}, ["Q2", "Q3"]),
            ({"point": "B-B-A-001", "state": ItemState.DRAFT}, ["Q2"]),
        ):
            page = list_items(session, **filters)  # type: ignore[arg-type]
            assert [item.code for item in page.items] == expected


def test_a_pool_holds_accepted_items_with_their_place_and_their_enemies(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    codes = accepted(
        bank,
        staff,
        standard_id,
        row("Q1", enemies=("Q2", "Q3"), marks=Decimal("0.5")),
        row("Q2", point="B-A-A-004"),
    )
    add_items(bank, staff, standard_id, row("Q3"))  # a draft: in no pool, and no enemy in one
    with reading(bank) as session:
        first, second = pool_items(session, standard_id)
    assert [first.code, second.code] == codes
    assert (first.section, first.function, first.importance, first.marks) == ("A-A", "A-A", "X", Decimal("0.5"))
    assert (second.point, second.section, second.function) == ("B-A-A-004", "B-A", "B")
    assert (first.enemies, second.enemies) == (("Q2",), ("Q1",))
    assert (first.digest, first.version, first.published) == (row("Q1").item.digest, 1, False)


def test_published_items_are_marked_and_withdrawn_ones_leave_the_pool(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    accepted(bank, staff, standard_id, row("Q1"), row("Q2"))
    with writing(bank, staff.approver) as session:
        take_step(session, staff.approver, PUBLISH, standings(session, ["Q1"]))
        withdraw(session, staff.approver, ["Q2"], "标准换版")
    with reading(bank) as session:
        assert [(item.code, item.published) for item in pool_items(session, standard_id)] == [("Q1", True)]


def test_a_document_without_the_right_to_keys_says_nothing_of_the_key(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with reading(bank) as session:
        shown = item_document(session, "Q1", keys=False)
        assert item_document(session, "Q1", keys=True).key == "B"
    assert shown.key == ""
    assert RATIONALE.encode() not in shown.xml
    assert b"qti-correct-response" not in shown.xml
    assert b"qti-response-processing" not in shown.xml
