"""Who may act: adding persons, giving and taking tokens, and finding who calls."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select

from authoring.audit.chain import record
from authoring.columns import now
from authoring.errors import BankError, ConflictError, UnknownError
from authoring.people.actors import Actor, Caller, Right, Role
from authoring.people.tables import AccessToken, Person, PersonRole, TokenRight

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

PERSON = Person.__table__
ROLE = PersonRole.__table__
TOKEN = AccessToken.__table__
RIGHT = TokenRight.__table__

TOKEN_PREFIX = "tiku_"  # noqa: S105  # so that a token left in a file is recognised by people and by secret scanners
_PERSON_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """A token as it may be listed: everything but the token."""

    id: int
    label: str
    rights: tuple[Right, ...]
    expires_at: datetime | None
    revoked_at: datetime | None


def add_person(session: Session, actor: Actor, code: str, name: str, roles: Iterable[Role] = ()) -> Actor:
    """A new person with their roles, as the actor they will be."""
    if not _PERSON_CODE.fullmatch(code):
        raise BankError("person-code", f"person code {code!r}: expected 1-32 of a-z 0-9 . _ -, for example li.na")
    if not name.strip():
        raise BankError("person-name", f"person {code}: expected a name")
    if session.scalar(select(PERSON.c.id).where(PERSON.c.code == code)):
        raise ConflictError("person-exists", f"there is a person {code!r} already")
    person = Person(code=code, name=name.strip(), created_at=now())
    session.add(person)
    session.flush()
    held = frozenset(roles)
    if held:
        session.execute(insert(ROLE), [{"person_id": person.id, "role": role} for role in sorted(held)])
    record(session, actor, "person.added", ("person", code), roles=sorted(held))
    return Actor(person.id, code, person.name, held)


def find_actor(session: Session, code: str) -> Actor:
    """The person with this code, ready to act."""
    row = session.execute(select(PERSON.c.id, PERSON.c.name).where(PERSON.c.code == code)).one_or_none()
    if row is None:
        near = get_close_matches(code, session.scalars(select(PERSON.c.code)).all(), n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UnknownError("unknown-person", f"there is no person {code!r}{hint}: `tiku user list` shows them")
    roles = session.scalars(select(ROLE.c.role).where(ROLE.c.person_id == row.id)).all()
    return Actor(row.id, code, row.name, frozenset(roles))


def list_people(session: Session) -> list[tuple[Actor, tuple[TokenSummary, ...]]]:
    """Everybody, by code, with the tokens they hold."""
    tokens: dict[int, list[TokenSummary]] = {}
    rights: dict[int, list[Right]] = {}
    for token_id, right in session.execute(select(RIGHT.c.token_id, RIGHT.c.access_right)):
        rights.setdefault(token_id, []).append(right)
    columns = (TOKEN.c.id, TOKEN.c.person_id, TOKEN.c.label, TOKEN.c.expires_at, TOKEN.c.revoked_at)
    for row in session.execute(select(*columns).order_by(TOKEN.c.id)):
        held = tuple(sorted(rights.get(row.id, [])))
        tokens.setdefault(row.person_id, []).append(
            TokenSummary(row.id, row.label, held, row.expires_at, row.revoked_at)
        )
    codes = session.scalars(select(PERSON.c.code).order_by(PERSON.c.code)).all()
    people = [find_actor(session, code) for code in codes]
    return [(person, tuple(tokens.get(person.person(), ()))) for person in people]


def issue_token(
    session: Session,
    actor: Actor,
    person: str,
    rights: Iterable[Right],
    *,
    label: str = "",
    expires_at: datetime | None = None,
) -> str:
    """A new token for the person with this code. This is the only time anybody sees it."""
    owner = find_actor(session, person)
    wanted = sorted(set(rights))
    if not wanted:
        raise BankError("token-rights", f"a token for {person} with no right opens nothing: name at least one")
    if expires_at is not None and expires_at <= now():
        raise BankError("token-expiry", f"the token would expire at {expires_at.isoformat()}, which is past")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    row = AccessToken(
        person_id=owner.person(), digest=_digest(token), label=label, created_at=now(), expires_at=expires_at
    )
    session.add(row)
    session.flush()
    session.execute(insert(RIGHT), [{"token_id": row.id, "access_right": right} for right in wanted])
    record(session, actor, "token.issued", ("person", person), token_id=row.id, rights=wanted, label=label)
    return token


def revoke_token(session: Session, actor: Actor, token_id: int) -> None:
    """From now on the token opens nothing."""
    row = session.get(AccessToken, token_id)
    if row is None:
        raise UnknownError("unknown-token", f"there is no token {token_id}: `tiku user list` shows them")
    if row.revoked_at is not None:
        raise ConflictError("token-revoked", f"token {token_id} was revoked at {row.revoked_at.isoformat()}")
    row.revoked_at = now()
    owner = session.scalar(select(PERSON.c.code).where(PERSON.c.id == row.person_id)) or ""
    record(session, actor, "token.revoked", ("person", owner), token_id=token_id)


def caller_of(session: Session, token: str) -> Caller | None:
    """Who calls with this token; None if it is unknown, expired or revoked."""
    row = session.execute(
        select(TOKEN.c.id, PERSON.c.id.label("person_id"), PERSON.c.code, PERSON.c.name)
        .join(PERSON, PERSON.c.id == TOKEN.c.person_id)
        .where(
            TOKEN.c.digest == _digest(token),
            TOKEN.c.revoked_at.is_(None),
            or_(TOKEN.c.expires_at.is_(None), TOKEN.c.expires_at > now()),
        )
    ).one_or_none()
    if row is None:
        return None
    rights = frozenset(session.scalars(select(RIGHT.c.access_right).where(RIGHT.c.token_id == row.id)))
    roles = frozenset(session.scalars(select(ROLE.c.role).where(ROLE.c.person_id == row.person_id)))
    return Caller(Actor(row.person_id, row.code, row.name, roles), row.id, rights)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
