"""Who looked at which version of an item, and what they found."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, String, Text
from sqlmodel import Field

from authoring.columns import BankTable, UtcDateTime, text_enum


class Stage(StrEnum):
    """初审 by a reviewer who answers blind, 终审 by an approver."""

    REVIEW = "review"
    APPROVE = "approve"


class Verdict(StrEnum):
    """Pass the item on, or return it to its author."""

    ACCEPT = "accept"
    RETURN = "return"


class Review(BankTable, table=True):
    """One person's verdict on one version. `answer` is what a reviewer answered before seeing the key."""

    __tablename__ = "review"
    __table_args__ = (
        CheckConstraint("stage = 'approve' OR answer IS NOT NULL", name="review_is_blind"),
        CheckConstraint(
            "verdict = 'return' OR stage = 'approve' OR answer_matches IS TRUE", name="mismatch_forces_return"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="item_version.id", index=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    stage: Stage = Field(sa_type=text_enum(Stage))
    answer: str | None = Field(default=None, sa_type=String(64))
    answer_matches: bool | None = None
    verdict: Verdict = Field(sa_type=text_enum(Verdict))
    comment: str = Field(default="", sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
