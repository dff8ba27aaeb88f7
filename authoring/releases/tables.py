"""Releases: the act of publishing a share of the bank. Nothing published is ever taken back, only superseded."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field

from authoring.columns import BankTable, UtcDateTime


class Release(BankTable, table=True):
    """One round: the share aimed at, the policy, who said the occupation is ready, and what the round cost."""

    __tablename__ = "release"
    __table_args__ = (CheckConstraint("share > 0 AND share <= 1", name="share_above_0_to_1"),)

    id: int | None = Field(default=None, primary_key=True)
    standard_id: int = Field(foreign_key="standard.id", index=True)
    share: float  # published / (published + secret accepted), cumulative over rounds
    seed: int = Field(sa_type=BigInteger)
    policy: dict[str, Any] = Field(sa_type=JSON)
    readiness: str = Field(sa_type=Text)
    profile: dict[str, Any] = Field(sa_type=JSON)  # stem, options, key, rationale, marking_table: what was shown
    report: dict[str, Any] = Field(sa_type=JSON)
    created_by_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class ReleaseItem(BankTable, table=True):
    """A version that was published, in which round and why. A version is published once."""

    __tablename__ = "release_item"
    __table_args__ = (UniqueConstraint("version_id"),)

    release_id: int = Field(foreign_key="release.id", primary_key=True)
    version_id: int = Field(foreign_key="item_version.id", primary_key=True)
    reason: str = Field(sa_type=Text)
