"""Persons and tokens: who acts, and what a token is worth."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from authoring.audit.chain import record
from authoring.columns import now
from authoring.database import Bank, reading, writing
from authoring.errors import BankError, ConflictError, ForbiddenError, UnknownError
from authoring.people.actors import SYSTEM, Actor, Right, Role
from authoring.people.rules import add_person, caller_of, find_actor, issue_token, list_people, revoke_token
from authoring.people.tables import AccessToken
from tests.authoring.conftest import Staff

TOKEN = AccessToken.__table__


def token_for(bank: Bank, code: str, *rights: Right, days: int | None = None) -> str:
    with writing(bank, SYSTEM) as session:
        expires = now() + timedelta(days=days) if days else None
        return issue_token(session, SYSTEM, code, rights, label="test", expires_at=expires)


def test_a_person_comes_back_with_their_roles(bank: Bank) -> None:
    with writing(bank, SYSTEM) as session:
        added = add_person(session, SYSTEM, "li.na", " 李娜 ", [Role.AUTHOR, Role.REVIEWER, Role.AUTHOR])
    with reading(bank) as session:
        assert find_actor(session, "li.na") == added
    assert added.name == "李娜"
    assert added.roles == {Role.AUTHOR, Role.REVIEWER}


@pytest.mark.parametrize("code", ["", "Li", "李娜", "a b", "-a", "a" * 33, "a/b"])
def test_a_person_code_is_short_and_plain(bank: Bank, code: str) -> None:
    with pytest.raises(BankError, match="expected 1-32 of a-z"), writing(bank, SYSTEM) as session:
        add_person(session, SYSTEM, code, "某人")


def test_two_persons_cannot_share_a_code(bank: Bank, staff: Staff) -> None:
    with pytest.raises(ConflictError, match=r"there is a person 'li\.na' already"), writing(bank, SYSTEM) as session:
        add_person(session, SYSTEM, staff.author.code, "别人")


def test_an_unknown_person_is_answered_with_the_nearest(bank: Bank, staff: Staff) -> None:
    with reading(bank) as session, pytest.raises(UnknownError, match=r"did you mean 'li\.na'"):
        find_actor(session, "li.nan")
    assert staff.author.code == "li.na"


def test_a_role_that_is_missing_is_named_in_both_languages(staff: Staff) -> None:
    staff.author.need(Role.AUTHOR)
    with pytest.raises(ForbiddenError, match=r"needs the role 'approver' \(终审\).*they hold: author"):
        staff.author.need(Role.APPROVER)


def test_the_system_is_nobody() -> None:
    with pytest.raises(ForbiddenError, match="is not a person"):
        SYSTEM.person()


def test_a_token_opens_what_its_rights_say_for_its_owner(bank: Bank, staff: Staff) -> None:
    token = token_for(bank, "li.na", Right.ITEMS_READ, Right.ITEMS_WRITE)
    with reading(bank) as session:
        caller = caller_of(session, token)
    assert caller is not None
    assert caller.actor == staff.author
    assert caller.rights == {Right.ITEMS_READ, Right.ITEMS_WRITE}


def test_only_the_digest_of_a_token_is_stored(bank: Bank, staff: Staff) -> None:
    token = token_for(bank, staff.author.code, Right.ITEMS_READ)
    assert token.startswith("tiku_")
    with reading(bank) as session:
        assert session.scalars(select(TOKEN.c.digest)).all() == [hashlib.sha256(token.encode()).hexdigest()]
        dump = [
            str(row)
            for table in ("access_token", "audit_event", "token_right")
            for row in session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
        ]
    assert len(dump) > 3
    assert token not in "".join(dump)


def test_tokens_differ_and_others_open_nothing(bank: Bank, staff: Staff) -> None:
    first = token_for(bank, staff.author.code, Right.ITEMS_READ)
    assert first != token_for(bank, staff.author.code, Right.ITEMS_READ)
    with reading(bank) as session:
        for wrong in ("", "tiku_", first[:-1], first.upper()):
            assert caller_of(session, wrong) is None


def test_an_expired_token_opens_nothing(bank: Bank, staff: Staff) -> None:
    token = token_for(bank, staff.author.code, Right.ITEMS_READ, days=1)
    with reading(bank) as session:
        assert caller_of(session, token) is not None
    with writing(bank, SYSTEM) as session:
        session.execute(update(TOKEN).values(expires_at=now() - timedelta(seconds=1)))
        record(session, SYSTEM, "token.expired", ("person", "li.na"))
    with reading(bank) as session:
        assert caller_of(session, token) is None


def test_a_revoked_token_opens_nothing_and_is_revoked_once(bank: Bank, staff: Staff) -> None:
    token = token_for(bank, staff.author.code, Right.ITEMS_READ)
    with writing(bank, SYSTEM) as session:
        revoke_token(session, SYSTEM, 1)
    with reading(bank) as session:
        assert caller_of(session, token) is None
    with pytest.raises(ConflictError, match="was revoked at"), writing(bank, SYSTEM) as session:
        revoke_token(session, SYSTEM, 1)
    with pytest.raises(UnknownError, match="there is no token 7"), writing(bank, SYSTEM) as session:
        revoke_token(session, SYSTEM, 7)


def test_a_token_without_rights_or_with_a_past_end_is_refused(bank: Bank, staff: Staff) -> None:
    code = staff.author.code
    with pytest.raises(BankError, match="name at least one"), writing(bank, SYSTEM) as session:
        issue_token(session, SYSTEM, code, [])
    with pytest.raises(BankError, match="which is past"), writing(bank, SYSTEM) as session:
        issue_token(session, SYSTEM, code, [Right.ITEMS_READ], expires_at=now())


def test_the_list_shows_everything_but_tokens(bank: Bank, staff: Staff) -> None:
    token = token_for(bank, "wang.wei", Right.ITEMS_READ, Right.AUDIT_READ)
    with reading(bank) as session:
        people = list_people(session)
    assert [person for person, _ in people] == [staff.author, staff.reviewer, staff.approver]
    (summary,) = people[1][1]
    assert (summary.label, summary.rights) == ("test", (Right.AUDIT_READ, Right.ITEMS_READ))
    assert token not in repr(people)


def test_an_actor_compares_by_what_they_are() -> None:
    assert Actor(1, "a", "A", frozenset({Role.AUTHOR})) == Actor(1, "a", "A", frozenset({Role.AUTHOR}))
