"""How a value lies in a column: the base of every table and the column types both databases understand.

SQLite and PostgreSQL hold the same things: text enums with a CHECK, UTC times that know it, decimals as whole
hundredths. Everything here is about columns; sessions are in `authoring.database`.
"""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, Enum, Integer, MetaData, Row, String, Table
from sqlalchemy.orm import declared_attr, registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

bank_registry = registry(metadata=MetaData(naming_convention=NAMING_CONVENTION))
metadata = bank_registry.metadata


class BankTable(SQLModel, registry=bank_registry):
    """The base of every table of the bank."""

    __table__: ClassVar[Table]


class RevisedTable(BankTable):
    """A table whose rows change: an update made from a stale copy is refused (optimistic locking on `revision`)."""

    revision: int = Field(default=1, nullable=False)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805  # a class-level declaration
        # pydantic looks at the bare base, which has no table; SQLAlchemy asks again once the table exists
        return {"version_id_col": cls.__table__.c.revision} if hasattr(cls, "__table__") else {}


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in, aware UTC out, on both databases. A naive datetime is refused: nobody knows when it is."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: give an aware datetime, for example datetime.now(UTC)")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Hundredths(TypeDecorator[Decimal]):
    """A decimal with at most two places (marks, weights), stored as whole hundredths: exact on SQLite too."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is None:
            return None
        hundredths = value * 100
        if hundredths != int(hundredths):
            raise ValueError(f"{value} has more than two decimal places: marks and weights are kept in hundredths")
        return int(hundredths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value) / 100


def text_enum(kind: type[StrEnum], name: str | None = None) -> Enum:
    """Text in the column, `kind` in Python, and a CHECK constraint that names every allowed value."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        values_callable=lambda members: [member.value for member in members],
        length=32,
        name=name or "".join("_" + c.lower() if c.isupper() else c for c in kind.__name__).lstrip("_"),
    )


def code_text(length: int = 64) -> TypeEngine[str]:
    """A code that people write and pages are sorted by: byte order on both databases, whatever the locale."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


AnyRow = Row[*tuple[Any, ...]]  # a row of a Core query: columns by name


def now() -> datetime:
    return datetime.now(UTC)
