"""Sittings, calibrations, and the statistics of item versions that came out of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text
from sqlmodel import Field

from authoring.columns import BankTable, UtcDateTime, code_text


class Sitting(BankTable, table=True):
    """One batch of candidates who answered one form; the responses stay in their file, known by its digest."""

    __tablename__ = "sitting"
    __table_args__ = (CheckConstraint("candidates > 0", name="candidates_above_0"),)

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(sa_type=code_text(), unique=True)
    standard_id: int = Field(foreign_key="standard.id", index=True)
    candidates: int
    simulated: bool
    file_digest: str = Field(sa_type=String(64))
    population: str = Field(sa_type=Text)  # who they were, in words; for simulated ones the model and seed
    created_by_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class Calibration(BankTable, table=True):
    """One run: model, scale, settings, and the evidence that it converged."""

    __tablename__ = "calibration"

    id: int | None = Field(default=None, primary_key=True)
    standard_id: int = Field(foreign_key="standard.id", index=True)
    model: str = Field(sa_type=String(32))
    scale: dict[str, Any] = Field(sa_type=JSON)
    settings: dict[str, Any] = Field(sa_type=JSON)
    log_likelihood: float
    converged: bool
    evidence: dict[str, Any] = Field(sa_type=JSON)
    created_by_id: int = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_type=UtcDateTime)


class CalibrationSitting(BankTable, table=True):
    """Which sittings a calibration used."""

    __tablename__ = "calibration_sitting"

    calibration_id: int = Field(foreign_key="calibration.id", primary_key=True)
    sitting_id: int = Field(foreign_key="sitting.id", primary_key=True)


class ItemStatistics(BankTable, table=True):
    """What a calibration says of one version: classical always, parameters where the model was run.

    `parameters` is the item as a parameter file has it, with everything its model has; model, a, b (the mean of several
    thresholds) and their errors stand beside it to be asked for.
    """

    __tablename__ = "item_statistics"
    __table_args__ = (CheckConstraint("n >= 0", name="n_from_0"),)

    calibration_id: int = Field(foreign_key="calibration.id", primary_key=True)
    version_id: int = Field(foreign_key="item_version.id", primary_key=True, index=True)
    n: int
    p_value: float | None = None
    point_biserial: float | None = None  # corrected for the item; NULL where nothing varies
    model: str | None = Field(default=None, sa_type=String(32))  # NULL = left out of the model's run
    a: float | None = None
    b: float | None = None
    se_a: float | None = None
    se_b: float | None = None
    parameters: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    flags: str = Field(default="", sa_type=Text)  # names of flags, separated by spaces
