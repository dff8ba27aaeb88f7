"""Items, their immutable versions, and which of them may not meet in one paper."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint
from sqlmodel import Field

from authoring.columns import BankTable, Hundredths, RevisedTable, UtcDateTime, code_text, text_enum
from item_formats import ItemKind


class ItemState(StrEnum):
    """Where an item stands (labels: `STATE_LABELS`; the allowed steps: `authoring.items.states`)."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    IN_APPROVAL = "in_approval"
    PRETEST = "pretest"
    ACCEPTED = "accepted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    ItemState.DRAFT: "草稿",
    ItemState.IN_REVIEW: "初审",
    ItemState.IN_APPROVAL: "终审",
    ItemState.PRETEST: "试测",
    ItemState.ACCEPTED: "入库",
    ItemState.PUBLISHED: "公开",
    ItemState.WITHDRAWN: "停用",
}


class Item(RevisedTable, table=True):
    """An item: its place in the outline and its state. What it says is in its versions.

    `state` is that of version `number`, the newest; a pool uses version `accepted_number`, which stays while a newer
    version is still under review.
    """

    __tablename__ = "item"
    __table_args__ = (
        CheckConstraint("grade BETWEEN 1 AND 5", name="grade_1_to_5"),
        CheckConstraint("congruence BETWEEN 1 AND 5", name="congruence_1_to_5"),
        CheckConstraint("marks > 0", name="marks_above_0"),
        CheckConstraint("accepted_number <= number", name="accepted_version_exists"),
        Index(None, "standard_id", "code"),
    )

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=code_text(), unique=True)
    standard_id: int = Field(foreign_key="standard.id")
    point_id: int = Field(foreign_key="point.id", index=True)
    item_type: ItemKind = Field(sa_type=text_enum(ItemKind, "item_type"))
    grade: int  # 难度, 1 easy to 5 hard, as the author judged it
    congruence: int | None = None  # 一致性, fit between item and point
    marks: Decimal | None = Field(default=None, sa_type=Hundredths)  # NULL = as the paper says
    source: str = Field(default="", sa_type=Text)  # 出处
    owner_id: int = Field(foreign_key="person.id")
    state: ItemState = Field(sa_type=text_enum(ItemState))
    number: int
    accepted_number: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)


class ItemVersion(BankTable, table=True):
    """What an item says, for ever: triggers refuse every update and delete."""

    __tablename__ = "item_version"
    __table_args__ = (UniqueConstraint("item_id", "number"), CheckConstraint("number >= 1", name="number_from_1"))

    id: int | None = Field(default=None, primary_key=True)
    item_id: int = Field(foreign_key="item.id")
    number: int
    xml: bytes  # canonical QTI 3
    digest: str = Field(sa_type=String(64))  # of the XML. It would betray the key: never shown without items:keys
    folded_stem: str = Field(sa_type=Text)  # NFKC text for finding duplicates
    folded_options: str = Field(sa_type=Text)  # sorted, one a line
    text_digest: str = Field(sa_type=String(64), index=True)  # of both: equal for the same question
    author_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class ItemEnemy(BankTable, table=True):
    """Two items that may not be in one paper, the lower id first."""

    __tablename__ = "item_enemy"
    __table_args__ = (CheckConstraint("first_id < second_id", name="ordered_pair"),)

    first_id: int = Field(foreign_key="item.id", primary_key=True)
    second_id: int = Field(foreign_key="item.id", primary_key=True, index=True)
