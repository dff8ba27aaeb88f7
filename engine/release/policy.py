"""What a release must be: the policy, as an organization would write it down. docs/release.md explains every key."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from engine.toml_files import read_document, refuse_unknown, typed, value_of

THETA = tuple(x / 2 for x in range(-6, 7))  # where information is bounded and reported: -3 (0.5) 3


class ReleaseError(ValueError):
    """A release policy that cannot be used; the message says what is wrong with it."""


class InfeasibleReleaseError(ReleaseError):
    """No set of items meets the policy; the message says which part of it stands in the way."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """A decision on record that a stratum is ready to be published; `where` gives its values of the `by` columns."""

    decided_by: str
    date: date
    reference: str
    where: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("decided_by", "reference"):
            if not getattr(self, name).strip():
                raise ReleaseError(f"{name} is empty: say who decided, when, and where the decision is kept")


@dataclass(frozen=True, slots=True)
class StratumPolicy:
    """What differs in the strata that `where` names; what is None is as in the rest of the policy."""

    where: Mapping[str, Any]
    share: float | None = None
    max_per_round: float | None = None
    margins: tuple[str, ...] | None = None
    cells: tuple[str, ...] | None = None
    keep: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        _check_shares(self.share, self.max_per_round)
        _check_keep(self.keep or {})


@dataclass(frozen=True, slots=True)
class Exposed:
    """From how many uses, or which exposure rate, an item counts as exposed and is published first."""

    uses: float = 3.0
    rate: float = 0.20


@dataclass(frozen=True, slots=True)
class Limits:
    """How far published items may differ from the bank.

    `lowest` and `highest` bound the information given away, as parts of the share of the bank's; `difficulty` and
    `discrimination` the Kolmogorov-Smirnov distances of b and a.
    """

    lowest: float = 0.90
    highest: float = 1.02
    difficulty: float = 0.05
    discrimination: float = 0.10

    def __post_init__(self) -> None:
        if not 0 <= self.lowest < self.highest:
            raise ReleaseError(f"lowest = {self.lowest:g}, highest = {self.highest:g}: expected 0 <= lowest < highest")
        if not (self.difficulty >= 0 and self.discrimination >= 0):
            raise ReleaseError("difficulty and discrimination are distances: expected 0 or more")


@dataclass(frozen=True, slots=True)
class Publish:
    """What of an item the public gets, each part by its own switch (`item_formats.CandidateProfile`)."""

    stem: bool = True
    options: bool = True
    key: bool = False
    rationale: bool = False
    marking_table: bool = False

    def __post_init__(self) -> None:
        if not any(asdict(self).values()):
            raise ReleaseError("every switch is off: nothing of the items would be published")


@dataclass(frozen=True, slots=True)
class Earlier:
    """Items that were public in a year, for rotation: the points they ask are published last."""

    year: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """What a release must be.

    `share` of the items of every stratum (the crossed values of the columns `by`) is public once the release is out,
    published / (published + secret accepted), those with `published` = yes included: a round adds the difference, at
    most `max_per_round` of the stratum. Columns given as None are the usual ones that the pool has.

    `margins` are columns whose values keep their proportions within one item, `cells` are crossed and get the floor or
    the ceiling of their quota; `keep` secret items stay with every value of a column; `withhold` lists conditions on
    items that are never published, besides reserved, anchor and field-test items. `scope` says which items the release
    is about. `marks_cap` is the share of a paper's marks that published items may carry.
    """

    share: float
    readiness: tuple[Readiness, ...] = ()
    by: tuple[str, ...] | None = None
    max_per_round: float = 1.0
    margins: tuple[str, ...] | None = None
    cells: tuple[str, ...] | None = None
    keep: Mapping[str, int] | None = None
    strata: tuple[StratumPolicy, ...] = ()
    scope: Mapping[str, Any] = field(default_factory=dict)
    withhold: tuple[Mapping[str, Any], ...] = ()
    exposed: Exposed = field(default_factory=Exposed)
    limits: Limits = field(default_factory=Limits)
    publish: Publish = field(default_factory=Publish)
    year: int | None = None
    rotation_years: int = 3
    earlier: tuple[Earlier, ...] = ()
    marks_cap: float = 0.20

    def __post_init__(self) -> None:
        _check_shares(self.share, self.max_per_round)
        _check_keep(self.keep or {})
        if self.rotation_years < 0:
            raise ReleaseError(f"rotation_years = {self.rotation_years}: expected 0 or more")
        if not 0 <= self.marks_cap <= 1:
            raise ReleaseError(f"marks_cap = {self.marks_cap:g}: expected a share of a paper's marks, 0 to 1")


def _check_shares(share: float | None, max_per_round: float | None) -> None:
    if share is not None and not 0 < share < 1:
        raise ReleaseError(f"share = {share:g}: expected a share of the bank between 0 and 1")
    if max_per_round is not None and not 0 < max_per_round <= 1:
        raise ReleaseError(f"max_per_round = {max_per_round:g}: expected a share of the bank above 0, 1 at most")


def _check_keep(keep: Mapping[str, int]) -> None:
    for column, number in keep.items():
        if number < 0:
            raise ReleaseError(f"keep: {column} = {number}: expected 0 or more secret items")


def read_policy(path: Path) -> ReleasePolicy:
    """A policy from TOML. Raises ReleaseError naming the table and the key."""
    document = read_document(path, ReleaseError)
    tables = {"readiness": Readiness, "stratum": StratumPolicy, "earlier": Earlier}
    for name, kind in tables.items():
        if name in document:
            rows = typed(document[name], list[dict[str, Any]], f"{path}: {name}", ReleaseError)
            places = [f"{path}, [[{name}]] {n}" for n in range(1, len(rows) + 1)]
            if kind is Earlier:
                rows = [_with_listed_items(row, path, place) for row, place in zip(rows, places, strict=True)]
            document[name] = tuple(
                value_of(kind, row, place, ReleaseError) for row, place in zip(rows, places, strict=True)
            )
    for name, single in {"exposed": Exposed, "limits": Limits, "publish": Publish}.items():
        if name in document:
            document[name] = value_of(single, document[name], f"{path}, [{name}]", ReleaseError)
    _refuse_strata(document, path)
    if "stratum" in document:
        document["strata"] = document.pop("stratum")
    return value_of(ReleasePolicy, document, str(path), ReleaseError)


def _refuse_strata(document: Mapping[str, Any], path: Path) -> None:
    """In a file the strata are [[stratum]] rows; every other key is a field of the policy."""
    fields = dict.fromkeys(name for name in ReleasePolicy.__dataclass_fields__ if name != "strata")
    refuse_unknown(document, fields | {"stratum": None}, str(path), ReleaseError)


def _with_listed_items(row: dict[str, Any], path: Path, place: str) -> dict[str, Any]:
    """`file` names the list of an earlier release (its column `id`), beside the policy."""
    if "file" not in row:
        return row
    if "items" in row:
        raise ReleaseError(f"{place}: give items or the file that lists them, not both")
    listed = path.parent / typed(row["file"], str, f"{place}: file", ReleaseError)
    try:
        with listed.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "id" not in (reader.fieldnames or ()):
                raise ReleaseError(f"{place}: {listed} has no column 'id'")
            items = [line["id"] for line in reader if line["id"]]
    except OSError as error:
        raise ReleaseError(f"{place}: cannot read {listed}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{place}: {listed} is not UTF-8 at byte {error.start}") from None
    except csv.Error as error:
        raise ReleaseError(f"{place}: {listed} is not CSV: {error}") from None
    return {name: value for name, value in row.items() if name != "file"} | {"items": items}
