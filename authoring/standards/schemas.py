"""What standards look like from outside: the outline document that comes in, the views that go out."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from authoring.standards.tables import Component, StandardSource, Track
from item_formats import Finding

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=32)]
Text = Annotated[str, Meta(min_length=1, max_length=4000)]
ImportanceLetter = Literal["X", "Y", "Z"]


class PointDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """鉴定点. Without `importance` it is unknown, which is not the same as auxiliary."""

    code: Code
    name: Name
    source_code: Annotated[str, Meta(max_length=32)] | None = None
    importance: ImportanceLetter | None = None
    importance_provenance: Text | None = None


class AreaDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """鉴定范围: sections below it, or points, or both. `weight_row` says so where the usual rule does not hold."""

    code: Code
    name: Name
    weight: Annotated[float, Meta(ge=0, le=100)] | None = None
    weight_row: bool | None = None
    sections: list["AreaDocument"] = []
    points: list[PointDocument] = []


class OutlineDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """An outline with the standard it belongs to, as people keep it in a JSON file."""

    occupation_code: Annotated[str, Meta(pattern=r"^\d(-\d{2}){3}$")]
    occupation: Name
    level: Literal[1, 2, 3, 4, 5, "apprentice", "special", "chief"]
    provenance: Text
    areas: Annotated[list[AreaDocument], Meta(min_length=1)]
    direction: Annotated[str, Meta(max_length=64)] = ""
    edition: Annotated[str, Meta(max_length=32)] = ""
    track: Track = Track.SKILL_LEVEL
    source: StandardSource = StandardSource.NATIONAL_STANDARD
    filing_no: Annotated[str, Meta(max_length=64)] | None = None
    component: Component = Component.THEORY
    weights_provenance: Text | None = None
    importance_provenance: Text | None = None


class StandardSummary(Struct, frozen=True, kw_only=True):
    """A standard in a list."""

    id: int
    occupation_code: str
    occupation: str
    direction: str
    edition: str
    level: str
    track: str
    source: str
    filing_no: str | None
    provenance: str


class PointView(Struct, frozen=True):
    """A point, and who says how important it is (null = nobody: unknown)."""

    code: str
    name: str
    source_code: str | None
    importance: str | None
    importance_provenance: str | None


class AreaView(Struct, frozen=True):
    """An area with what it holds, in the order of the outline. Weights are shares of marks, out of 100."""

    code: str
    name: str
    weight: float | None
    weight_row: bool
    sections: list["AreaView"]
    points: list[PointView]


class WeightView(Struct, frozen=True):
    """A row of the weight table."""

    code: str
    name: str
    weight: float | None


class OutlineView(Struct, frozen=True):
    """One component's outline and weight table, each with its provenance."""

    component: str
    provenance: str
    weights_provenance: str | None
    weights_are: str
    weight_table: list[WeightView]
    areas: list[AreaView]


class StandardView(StandardSummary, frozen=True, kw_only=True):
    """A standard whole."""

    outlines: list[OutlineView]


class LoadedStandard(Struct, frozen=True):
    """The answer to a new outline: the standard, and what is worth knowing about the document."""

    standard: StandardSummary
    findings: list[Finding]
