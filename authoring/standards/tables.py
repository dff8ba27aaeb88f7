"""Standards and their outlines. Every row about an occupation hangs, at the end, on a standard."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlmodel import Field

from authoring.columns import BankTable, Hundredths, RevisedTable, UtcDateTime, code_text, text_enum


class Level(StrEnum):
    """The eight skill levels (新八级), lowest first; 5 is the lowest of the numbered ones."""

    APPRENTICE = "apprentice"
    L5 = "L5"
    L4 = "L4"
    L3 = "L3"
    L2 = "L2"
    L1 = "L1"
    SPECIAL = "special"
    CHIEF = "chief"


class Track(StrEnum):
    """国家职业资格, 职业技能等级, 专项职业能力."""

    QUALIFICATION = "qualification"
    SKILL_LEVEL = "skill_level"
    SPECIAL_ABILITY = "special_ability"


class StandardSource(StrEnum):
    """What kind of document the standard is."""

    NATIONAL_STANDARD = "national_standard"
    FILED_NORM = "filed_norm"
    SPECIAL_ABILITY_NORM = "special_ability_norm"
    ENTERPRISE_NORM = "enterprise_norm"


class Component(StrEnum):
    """The part of the exam an outline is for."""

    THEORY = "theory"
    SKILL = "skill"


class Importance(StrEnum):
    """重要程度: X core, Y general, Z auxiliary. Unknown is NULL, never a guess."""

    X = "X"
    Y = "Y"
    Z = "Z"


class Standard(RevisedTable, table=True):
    """One level of one edition of one direction of an occupation: a code alone has several standards at once."""

    __tablename__ = "standard"
    __table_args__ = (UniqueConstraint("occupation_code", "direction", "edition", "level"),)

    id: int | None = Field(default=None, primary_key=True)
    occupation_code: str = Field(sa_type=code_text(32))
    direction: str = Field(default="", sa_type=String(64))  # "" = the occupation has no directions
    edition: str = Field(default="", sa_type=String(32))  # "" = not stated by the source
    level: Level = Field(sa_type=text_enum(Level))
    occupation: str = Field(sa_type=String(128))
    track: Track = Field(sa_type=text_enum(Track))
    source: StandardSource = Field(sa_type=text_enum(StandardSource))
    filing_no: str | None = Field(default=None, sa_type=String(64))
    provenance: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Outline(BankTable, table=True):
    """要素细目表 of one component, with where it and its weights come from. Weights are shares of marks."""

    __tablename__ = "outline"
    __table_args__ = (UniqueConstraint("standard_id", "component"),)

    id: int | None = Field(default=None, primary_key=True)
    standard_id: int = Field(foreign_key="standard.id")
    component: Component = Field(sa_type=text_enum(Component))
    provenance: str = Field(sa_type=Text)
    weights_provenance: str | None = Field(default=None, sa_type=Text)
    digest: str = Field(sa_type=String(64))  # of the document it was loaded from


class Area(BankTable, table=True):
    """鉴定范围. `weight_row` marks the rows of the weight table (职业道德, 基础知识 and each 职业功能)."""

    __tablename__ = "area"
    __table_args__ = (UniqueConstraint("outline_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    outline_id: int = Field(foreign_key="outline.id")
    parent_id: int | None = Field(default=None, foreign_key="area.id")
    code: str = Field(sa_type=code_text(32))
    name: str = Field(sa_type=String(128))
    weight: Decimal | None = Field(default=None, sa_type=Hundredths)  # NULL = the source gives none
    weight_row: bool = Field(default=False)
    position: int  # in the order of the outline, over the whole of it


class Point(BankTable, table=True):
    """鉴定点, the smallest thing an item is bound to."""

    __tablename__ = "point"
    __table_args__ = (
        UniqueConstraint("outline_id", "code"),
        CheckConstraint("importance IS NULL OR importance_provenance IS NOT NULL", name="importance_has_provenance"),
    )

    id: int | None = Field(default=None, primary_key=True)
    outline_id: int = Field(foreign_key="outline.id")
    area_id: int = Field(foreign_key="area.id", index=True)
    code: str = Field(sa_type=code_text(32))
    source_code: str | None = Field(default=None, sa_type=String(32))  # as printed in the source
    name: str = Field(sa_type=String(256))
    importance: Importance | None = Field(default=None, sa_type=text_enum(Importance))
    importance_provenance: str | None = Field(default=None, sa_type=Text)
    position: int
