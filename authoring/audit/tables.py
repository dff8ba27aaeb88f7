"""The audit trail's tables."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlmodel import Field

from authoring.columns import BankTable, UtcDateTime, code_text


class AuditEvent(BankTable, table=True):
    """One thing done. The sequencer fills `seq`, `prev_hash` and `hash`, once; nothing else ever changes."""

    __tablename__ = "audit_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(sa_type=String(64))  # the person's code; not a foreign key: the trail outlives the person
    action: str = Field(sa_type=String(64))
    subject_kind: str = Field(sa_type=String(32))
    subject: str = Field(sa_type=code_text(128), index=True)
    detail: str = Field(sa_type=Text)  # canonical JSON, so that both databases keep the very bytes that were hashed
    seq: int | None = Field(default=None, unique=True)
    prev_hash: str | None = Field(default=None, sa_type=String(64))
    hash: str | None = Field(default=None, sa_type=String(64))


class AuditHead(BankTable, table=True):
    """The end of the chain: one row, locked by the sequencer while it links."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: int | None = Field(default=None, primary_key=True)
    seq: int
    hash: str = Field(sa_type=String(64))
