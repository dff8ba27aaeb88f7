"""A blueprint: the rules of a paper, what its items are worth, and what it is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.blueprints.errors import BlueprintError
from engine.blueprints.rules import BETWEEN_FORMS, Rule, check_rule
from engine.blueprints.targets import Target
from engine.blueprints.weights import rules_of_weights
from engine.pools import Pool

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A paper's rules.

    `marks` gives marks by values of the column `marks_by`, `item_minutes` minutes by those of `minutes_by`: the same
    item may be worth half a mark here and one there. What they do not name has the pool's own columns `marks` and
    `minutes`. `minutes` is the time of the paper. `order` sorts the items of a form by columns; those with one value of
    the column `together` (an item set) stay together.
    """

    title: str
    length: int
    minutes: float
    marks_by: str
    marks: Mapping[str, float]
    rules: tuple[Rule, ...]
    order: tuple[str, ...] = ()
    target: Target | None = None
    minutes_by: str = "type"
    item_minutes: Mapping[str, float] = field(default_factory=dict)
    together: str = ""

    def __post_init__(self) -> None:
        if self.length <= 0:
            raise BlueprintError(f"length = {self.length}; a paper has at least one item")
        seen: set[str] = set()
        overlaps: dict[str, str] = {}
        for rule in self.rules:
            if rule.id in seen:
                raise BlueprintError(f"{rule.named} stands twice; every rule needs a name of its own")
            seen.add(rule.id)
            check_rule(rule)
            if rule.what == "overlap" and overlaps.setdefault(rule.forms, rule.id) != rule.id:
                forms = f"{rule.forms} forms" if rule.forms in BETWEEN_FORMS else repr(rule.forms)
                raise BlueprintError(f"{rule.named}: {overlaps[rule.forms]!r} bounds the overlap of {forms} already")

    @classmethod
    def from_weights(
        cls,
        *,
        title: str,
        minutes: float,
        types: Mapping[str, tuple[int, float]],
        functions: Mapping[str, float],
        sections: Mapping[str, float] | None = None,
        section_tolerance: float = 0.5,
        shares: Mapping[str, Mapping[str, float | tuple[float, float]]] | None = None,
        spare_overlap: float = 0.20,
        target: Target | None = None,
    ) -> Blueprint:
        """The blueprint of a weight table and a paper form.

        `types` gives (number of items, marks each) by item type; `functions` the weights, which are shares of the marks
        and are met exactly, rounded to whole (half) marks by largest remainder; `sections`, within them, to
        `section_tolerance` marks; `shares` the share of items by column and value, as in {"importance": {"X": 0.8}}.
        Flagged and published items are barred, a point is asked once at most, enemies are kept apart, parallel forms
        share no item and a spare at most `spare_overlap` with each. Raises BlueprintError when the weights do not sum
        to 100.
        """
        rules = rules_of_weights(
            types,
            functions,
            sections or {},
            section_tolerance=section_tolerance,
            shares=shares or {},
            spare_overlap=spare_overlap,
        )
        return cls(
            title=title,
            length=sum(count for count, _ in types.values()),
            minutes=minutes,
            marks_by="type",
            marks={kind: marks for kind, (_, marks) in types.items()},
            rules=rules,
            order=("type", "section", "point"),
            target=target,
        )

    def item_marks(self, pool: Pool) -> Vector:
        """Marks of every item of the pool on this paper, (J,), 0 for items that are not eligible.

        Raises BlueprintError for an eligible item without marks.
        """
        return _needed(pool, "marks", self.marks_by, self.marks, self.eligible(pool))

    def item_times(self, pool: Pool) -> Vector:
        """Minutes of every item of the pool on this paper, (J,), as `item_marks`."""
        return _needed(pool, "minutes", self.minutes_by, self.item_minutes, self.eligible(pool))

    def known_times(self, pool: Pool) -> Vector:
        """Minutes of every item of the pool on this paper, (J,), NaN where neither paper nor pool says."""
        return _amounts(pool, "minutes", self.minutes_by, self.item_minutes)

    def amounts(self, pool: Pool, rule: Rule) -> Vector:
        """What each item adds to a count, sum or mean, (J,); an empty cell adds nothing.

        Raises BlueprintError where the column holds something other than a number.
        """
        if rule.what == "count":
            return np.ones(len(pool))
        if rule.of == "marks":
            return self.item_marks(pool)
        if rule.of == "minutes" and self.item_minutes:
            return self.item_times(pool)
        numbers, (codes, values) = pool.numbers(rule.of), pool.codes(rule.of)
        for j in np.flatnonzero(~np.isfinite(numbers)):
            if values[codes[j]]:
                raise BlueprintError(
                    f"{rule.named} sums {rule.of}, but item {pool.ids[j]!r} has {rule.of} = {values[codes[j]]!r}, "
                    "not a number"
                )
        return np.nan_to_num(numbers)

    def has_amount(self, pool: Pool, rule: Rule) -> NDArray[np.bool_]:
        """Items that have what a mean is over, (J,): an empty cell does not count as 0."""
        if rule.of == "marks" or (rule.of == "minutes" and self.item_minutes):
            return np.ones(len(pool), bool)
        return np.isfinite(pool.numbers(rule.of))

    def eligible(self, pool: Pool) -> NDArray[np.bool_]:
        """Items that no `exclude` rule bars and, where a target needs parameters, that are calibrated; (J,)."""
        needed = self.target is not None and self.target.needs_parameters
        allowed = pool.calibrated.copy() if needed else np.ones(len(pool), bool)
        for rule in self.rules:
            if rule.what == "exclude":
                allowed &= ~named(pool, rule)  # a value that no item has bars none
        return allowed

    def document(self) -> dict[str, Any]:
        """The blueprint as plain JSON data, wherever it was read."""
        document = asdict(self)
        for rule in document["rules"]:
            del rule["place"]
        return document


def named(pool: Pool, rule: Rule) -> NDArray[np.bool_]:
    """The items that an `include` or `exclude` speaks of, (J,): those of `where`, and those named."""
    mask = pool.where(rule.where, strict=False) if rule.where else np.zeros(len(pool), bool)
    return mask | pool.where({"id": rule.items}, strict=False) if rule.items else mask


def _amounts(pool: Pool, what: str, by: str, table: Mapping[str, float]) -> Vector:
    """What the table says by the column `by`, or else the pool's own column; NaN where neither does, (J,)."""
    own = pool.numbers(what) if what in pool.attributes else np.full(len(pool), np.nan)
    if not table:
        return own
    codes, values = pool.codes(by)
    listed = np.array([table.get(value, np.nan) for value in values])[codes]
    return np.where(np.isfinite(listed), listed, own)


def _needed(pool: Pool, what: str, by: str, table: Mapping[str, float], eligible: NDArray[np.bool_]) -> Vector:
    amounts = _amounts(pool, what, by, table)
    missing = np.flatnonzero(~np.isfinite(amounts) & eligible)
    if len(missing):
        item = missing[0]
        held = f"no entry for {by} = {pool.column(by)[item]!r}, which the pool holds" if table else "no entries"
        raise BlueprintError(f"[{what}] has {held}, and item {pool.ids[item]!r} has no {what} of its own")
    return np.nan_to_num(amounts)
