"""Persons, the roles they hold, and their access tokens (only a digest of each is kept)."""

from datetime import datetime

from sqlalchemy import String
from sqlmodel import Field

from authoring.columns import BankTable, RevisedTable, UtcDateTime, code_text, text_enum
from authoring.people.actors import Right, Role


class Person(RevisedTable, table=True):
    """Somebody who works with the bank."""

    __tablename__ = "person"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=code_text(32), unique=True)
    name: str = Field(sa_type=String(64))
    created_at: datetime = Field(sa_type=UtcDateTime)


class PersonRole(BankTable, table=True):
    """A role somebody holds."""

    __tablename__ = "person_role"

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    role: Role = Field(sa_type=text_enum(Role), primary_key=True)


class AccessToken(RevisedTable, table=True):
    """A bearer token. The token itself is shown once and never stored: `digest` is its SHA-256."""

    __tablename__ = "access_token"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    digest: str = Field(sa_type=String(64), unique=True)
    label: str = Field(sa_type=String(64))
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TokenRight(BankTable, table=True):
    """A right a token carries."""

    __tablename__ = "token_right"

    token_id: int = Field(foreign_key="access_token.id", primary_key=True)
    access_right: Right = Field(sa_type=text_enum(Right), primary_key=True)  # "right" is a word of SQL
