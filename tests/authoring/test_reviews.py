"""Three people look at an item before a candidate does."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from authoring.audit.tables import AuditEvent
from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.items.states import PUBLISH, standings, take_step
from authoring.items.tables import ItemState
from authoring.people.actors import SYSTEM, Actor, Role
from authoring.people.rules import add_person
from authoring.reviews.rules import BlindReview, accept, approve, blind_items, review, submit, withdraw
from authoring.reviews.tables import Review, Verdict
from item_formats import ItemType
from tests.authoring.conftest import Staff
from tests.authoring.sample import RATIONALE, accepted, add_items, calibrate, pretest, row

REVIEW = Review.__table__
EVENT = AuditEvent.__table__


@pytest.fixture
def all_rounder(bank: Bank) -> Actor:
    """Somebody who holds every role, whom only the separation of duties can stop."""
    with writing(bank, SYSTEM) as session:
        return add_person(session, SYSTEM, "quan.neng", "全能", list(Role))


def state_of(bank: Bank, code: str) -> ItemState:
    with reading(bank) as session:
        return standings(session, [code])[0].state


def submitted(bank: Bank, staff: Staff, standard_id: int, *codes: str) -> list[str]:
    add_items(bank, staff, standard_id, *(row(code) for code in codes))
    with writing(bank, staff.author) as session:
        submit(session, staff.author, codes)
    return list(codes)


def test_the_whole_way_of_an_item(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1"])
    assert state_of(bank, "Q1") is ItemState.IN_REVIEW
    with writing(bank, staff.reviewer) as session:
        (outcome,) = review(session, staff.reviewer, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    assert (outcome.verdict, outcome.answer_matches) == (Verdict.ACCEPT, True)
    assert state_of(bank, "Q1") is ItemState.IN_APPROVAL
    with writing(bank, staff.approver) as session:
        approve(session, staff.approver, ["Q1"])
    assert state_of(bank, "Q1") is ItemState.PRETEST
    calibrate(bank, staff.approver, standard_id, ["Q1"])
    with writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1"])
    assert state_of(bank, "Q1") is ItemState.ACCEPTED
    with reading(bank) as session:
        trail = session.execute(
            select(EVENT.c.action, EVENT.c.actor).where(EVENT.c.subject == "Q1").order_by(EVENT.c.id)
        )
        assert [tuple(event) for event in trail] == [
            ("item.created", "li.na"),
            ("item.submitted", "li.na"),
            ("item.reviewed", "wang.wei"),
            ("item.approved", "zhao.min"),
            ("item.accepted", "zhao.min"),
        ]


def test_the_reviewer_gets_the_item_without_its_key(bank: Bank, staff: Staff, standard_id: int) -> None:
    submitted(bank, staff, standard_id, "Q1")
    with reading(bank) as session:
        blind = blind_items(session, staff.reviewer, ["Q1"])["Q1"]
    assert blind.key == ""
    assert RATIONALE.encode() not in blind.xml
    assert len(blind.options) == 4


def test_a_blind_answer_that_is_not_the_key_forces_the_item_back(bank: Bank, staff: Staff, standard_id: int) -> None:
    submitted(bank, staff, standard_id, "Q1", "Q2")
    with writing(bank, staff.reviewer) as session:
        outcomes = review(
            session,
            staff.reviewer,
            [BlindReview("Q1", "C", Verdict.ACCEPT, "题目很好"), BlindReview("Q2", "B", Verdict.ACCEPT)],
        )
    assert [(one.code, one.verdict, one.answer_matches) for one in outcomes] == [
        ("Q1", Verdict.RETURN, False),
        ("Q2", Verdict.ACCEPT, True),
    ]
    assert (state_of(bank, "Q1"), state_of(bank, "Q2")) == (ItemState.DRAFT, ItemState.IN_APPROVAL)
    with reading(bank) as session:
        stored = session.execute(select(REVIEW.c.answer, REVIEW.c.verdict, REVIEW.c.comment)).all()
        assert tuple(stored[0]) == ("C", Verdict.RETURN, "题目很好")
        details = session.scalars(select(EVENT.c.detail).where(EVENT.c.action.in_(["item.returned", "item.reviewed"])))
        assert sorted(details) == ['{"answer_matches":false,"version":1}', '{"answer_matches":true,"version":1}']


@pytest.mark.parametrize(
    ("item_type", "answer", "matches"),
    [
        (ItemType.MULTIPLE, "DCA", True),
        (ItemType.MULTIPLE, "AC", False),
        (ItemType.TRUE_FALSE, "错", True),
        (ItemType.TRUE_FALSE, "√", False),
        (ItemType.SINGLE, " B ", True),
    ],
)
def test_answers_are_read_as_people_write_them(
    bank: Bank, staff: Staff, standard_id: int, item_type: ItemType, answer: str, matches: bool
) -> None:
    add_items(bank, staff, standard_id, row("Q1", item_type=item_type))
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1"])
    with writing(bank, staff.reviewer) as session:
        (outcome,) = review(session, staff.reviewer, [BlindReview("Q1", answer, Verdict.ACCEPT)])
    assert outcome.answer_matches is matches


@pytest.mark.parametrize(("answer", "rule"), [("", "blind-answer-needed"), ("E", "answer-not-possible")])
def test_an_item_is_not_judged_without_a_possible_answer(
    bank: Bank, staff: Staff, standard_id: int, answer: str, rule: str
) -> None:
    submitted(bank, staff, standard_id, "Q1")
    with pytest.raises(BankError) as refused, writing(bank, staff.reviewer) as session:
        review(session, staff.reviewer, [BlindReview("Q1", answer, Verdict.RETURN)])
    assert refused.value.rule == rule
    assert state_of(bank, "Q1") is ItemState.IN_REVIEW


def test_nobody_reviews_their_own_item(bank: Bank, staff: Staff, standard_id: int, all_rounder: Actor) -> None:
    own = Staff(all_rounder, staff.reviewer, staff.approver)
    submitted(bank, own, standard_id, "Q1")
    with pytest.raises(ForbiddenError) as refused, writing(bank, all_rounder) as session:
        review(session, all_rounder, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    assert refused.value.rule == "author-is-not-reviewer"
    assert refused.value.message == "Q1 was written by 全能: another reviews it"


def test_nobody_approves_or_accepts_their_own_item(
    bank: Bank, staff: Staff, standard_id: int, all_rounder: Actor
) -> None:
    own = Staff(all_rounder, staff.reviewer, staff.approver)
    submitted(bank, own, standard_id, "Q1")
    with writing(bank, staff.reviewer) as session:
        review(session, staff.reviewer, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    with pytest.raises(ForbiddenError) as refused, writing(bank, all_rounder) as session:
        approve(session, all_rounder, ["Q1"])
    assert refused.value.rule == "author-is-not-approver"
    with writing(bank, staff.approver) as session:
        approve(session, staff.approver, ["Q1"])
    calibrate(bank, staff.approver, standard_id, ["Q1"])
    with pytest.raises(ForbiddenError) as refused, writing(bank, all_rounder) as session:
        accept(session, all_rounder, ["Q1"])
    assert refused.value.rule == "author-is-not-approver"


def test_the_reviewer_does_not_approve(bank: Bank, staff: Staff, standard_id: int, all_rounder: Actor) -> None:
    submitted(bank, staff, standard_id, "Q1")
    with writing(bank, all_rounder) as session:
        review(session, all_rounder, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    with pytest.raises(ForbiddenError) as refused, writing(bank, all_rounder) as session:
        approve(session, all_rounder, ["Q1"])
    assert refused.value.rule == "reviewer-is-not-approver"


def test_every_step_needs_its_role(bank: Bank, staff: Staff, standard_id: int) -> None:
    submitted(bank, staff, standard_id, "Q1")
    with writing(bank, staff.author) as session:
        for step in (
            lambda: review(session, staff.author, [BlindReview("Q1", "B", Verdict.ACCEPT)]),
            lambda: approve(session, staff.author, ["Q1"]),
            lambda: accept(session, staff.author, ["Q1"]),
            lambda: withdraw(session, staff.author, ["Q1"], "x"),
            lambda: submit(session, staff.reviewer, ["Q1"]),
            lambda: blind_items(session, staff.author, ["Q1"]),
        ):
            with pytest.raises(ForbiddenError) as refused:
                step()
            assert refused.value.rule == "role-needed"


def test_the_order_of_the_steps_is_kept(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.approver) as session, pytest.raises(ConflictError, match=r"Q1: is 草稿.*starts from 终审"):
        approve(session, staff.approver, ["Q1"])
    with (
        writing(bank, staff.approver) as session,
        pytest.raises(ConflictError, match=r"item.accepted starts from 试测"),
    ):
        accept(session, staff.approver, ["Q1"])
    with writing(bank, staff.reviewer) as session, pytest.raises(ConflictError, match="starts from 初审"):
        review(session, staff.reviewer, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1"])
    with writing(bank, staff.author) as session, pytest.raises(ConflictError, match=r"item.submitted starts from 草稿"):
        submit(session, staff.author, ["Q1"])


def test_an_item_is_accepted_only_after_a_calibration(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"), row("Q2"))
    pretest(bank, staff, ["Q1", "Q2"])
    calibrate(bank, staff.approver, standard_id, ["Q1"])
    with pytest.raises(ConflictError) as refused, writing(bank, staff.approver) as session:
        accept(session, staff.approver, ["Q1", "Q2"])
    assert refused.value.rule == "calibrate-first"
    assert refused.value.message.startswith("Q2 has no statistics yet")
    assert state_of(bank, "Q1") is ItemState.PRETEST  # all or nothing


def test_an_approver_can_return_an_item_and_the_author_hands_it_in_again(
    bank: Bank, staff: Staff, standard_id: int
) -> None:
    submitted(bank, staff, standard_id, "Q1")
    with writing(bank, staff.reviewer) as session:
        review(session, staff.reviewer, [BlindReview("Q1", "B", Verdict.ACCEPT)])
    with writing(bank, staff.approver) as session:
        approve(session, staff.approver, ["Q1"], verdict=Verdict.RETURN, comment="与鉴定点不符")
    assert state_of(bank, "Q1") is ItemState.DRAFT
    pretest(bank, staff, ["Q1"])
    assert state_of(bank, "Q1") is ItemState.PRETEST


def test_only_its_author_hands_an_item_in(bank: Bank, staff: Staff, standard_id: int, all_rounder: Actor) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with pytest.raises(ForbiddenError) as refused, writing(bank, all_rounder) as session:
        submit(session, all_rounder, ["Q1"])
    assert refused.value.rule == "only-author-submits"


def test_one_unknown_or_doubled_code_stops_the_whole_list(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with pytest.raises(UnknownError, match="the bank has no item Q7"), writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1", "Q7"])
    assert state_of(bank, "Q1") is ItemState.DRAFT
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1", "Q1"])
    twice = [BlindReview("Q1", "B", Verdict.ACCEPT), BlindReview("Q1", "C", Verdict.ACCEPT)]
    with pytest.raises(BankError, match="in the list twice"), writing(bank, staff.reviewer) as session:
        review(session, staff.reviewer, twice)


def test_what_is_published_is_not_withdrawn(bank: Bank, staff: Staff, standard_id: int) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    with writing(bank, staff.approver) as session:
        take_step(session, staff.approver, PUBLISH, standings(session, ["Q1"]))
    with pytest.raises(ConflictError, match="Q1: is 公开"), writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q1"], "想收回")


def test_withdrawing_needs_a_reason_which_the_trail_keeps(bank: Bank, staff: Staff, standard_id: int) -> None:
    accepted(bank, staff, standard_id, row("Q1"))
    with pytest.raises(BankError, match="say why"), writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q1"], " ")
    with writing(bank, staff.approver) as session:
        withdraw(session, staff.approver, ["Q1"], "标准换版")
    with reading(bank) as session:
        detail = session.scalar(select(EVENT.c.detail).where(EVENT.c.action == "item.withdrawn"))
    assert detail == '{"reason":"标准换版","version":1}'
    assert state_of(bank, "Q1") is ItemState.WITHDRAWN


def test_two_who_move_the_same_item_do_not_both_succeed(bank: Bank, staff: Staff, standard_id: int) -> None:
    add_items(bank, staff, standard_id, row("Q1"))
    with reading(bank) as session:
        seen = standings(session, ["Q1"])
    with writing(bank, staff.author) as session:
        submit(session, staff.author, ["Q1"])
    from authoring.items.states import SUBMIT

    with pytest.raises(ConflictError) as refused, writing(bank, staff.author) as session:
        take_step(session, staff.author, SUBMIT, seen)
    assert refused.value.rule == "changed-meanwhile"
