"""Papers: an approved object made from an assembled form, with everything needed to make it again."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, String, Text, UniqueConstraint
from sqlmodel import Field

from authoring.columns import BankTable, Hundredths, RevisedTable, UtcDateTime, code_text, text_enum
from item_formats import ItemKind


class PaperState(StrEnum):
    """Where a paper stands."""

    DRAFT = "draft"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Paper(RevisedTable, table=True):
    """A paper, and the blueprint and seed it was made from."""

    __tablename__ = "paper"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes_above_0"),)

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=code_text(), unique=True)
    standard_id: int = Field(foreign_key="standard.id", index=True)
    title: str = Field(sa_type=String(256))
    minutes: int
    total_marks: Decimal = Field(sa_type=Hundredths)
    seed: int = Field(sa_type=BigInteger)
    blueprint_digest: str = Field(sa_type=String(64))
    blueprint: str = Field(sa_type=Text)  # canonical JSON
    state: PaperState = Field(default=PaperState.DRAFT, sa_type=text_enum(PaperState))
    created_by_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class PaperItem(BankTable, table=True):
    """One place of a paper: which version stands there, in which section, for how many marks."""

    __tablename__ = "paper_item"
    __table_args__ = (
        UniqueConstraint("paper_id", "version_id"),
        CheckConstraint("position >= 1", name="position_from_1"),
    )

    paper_id: int = Field(foreign_key="paper.id", primary_key=True)
    position: int = Field(primary_key=True)
    section: str = Field(sa_type=String(128))  # the heading, for example 一、判断题
    item_type: ItemKind = Field(sa_type=text_enum(ItemKind, "item_type"))
    version_id: int = Field(foreign_key="item_version.id", index=True)
    marks: Decimal = Field(sa_type=Hundredths)
