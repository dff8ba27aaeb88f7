"""One rule of a paper: what it says, and whether it says something possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, inf, isfinite
from typing import Any

from engine.blueprints.errors import BlueprintError

ROUNDING = 1e-9
BETWEEN_FORMS = ("parallel", "spare")


@dataclass(frozen=True, slots=True)
class Rule:
    """One named rule of a paper. `where` picks the items it speaks of (all, unless said); what it says of them is:

    - `count`: min to max of them stand on the form, or a `share` of its items;
    - `sum`: the column `of`, summed over them, lies between min and max, or is a `share` of the form's whole sum
      (`marks` and `minutes` are the blueprint's own);
    - `mean`: the mean of the column `of` over them lies between min and max;
    - `at_most_one_per`, `one_per`: at most one of them, or exactly one, for each value of the column `of` (also
      for a value whose items are all barred: then there is no such form);
    - `enemies`: those that the column `enemies` pairs do not meet;
    - `all_or_none`: of those with one value of the column `of` (an item set) all stand on the form, or none;
    - `set_size`: of an item set min to max stand on the form, or none;
    - `include`, `exclude`: they, or the named `items`, must or must not stand on the form;
    - `if_then`: where one of them stands on the form, so do min to max of those that meet `then`;
    - `overlap`: at most `max` items or a `share` of the form's stand in each other form (`forms = "parallel"`: of two
      parallel forms; `"spare"`: of a spare and any other), or in the earlier paper that `forms` names;
    - `key_balance`: of the single letters in the column `of`, each is the key of a `share` from low to high of them,
      and none is the key of more than `run` items in a row. Options of items with `shuffle` = yes are shuffled to that
      end; for the others the items are chosen so.

    A `share` is a number, met as nearly as whole items allow, or a pair (low, high). `priority` says how dear it is to
    give way, against 1 for an ordinary rule; `place` says where the rule was read.
    """

    id: str
    what: str
    of: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    min: float | None = None
    max: float | None = None
    share: float | tuple[float, float] | None = None
    forms: str = ""
    items: tuple[str, ...] = ()
    then: Mapping[str, Any] = field(default_factory=dict)
    run: int | None = None
    priority: float = 1.0
    place: str = field(default="", compare=False)

    @property
    def named(self) -> str:
        """How messages speak of it: its id, and where it was read."""
        return f"rule {self.id!r}" + (f" ({self.place})" if self.place else "")

    @property
    def bounds(self) -> tuple[float, float]:
        """Min and max, infinite where the rule has none; shares apart."""
        return (-inf if self.min is None else self.min, inf if self.max is None else self.max)

    @property
    def shares(self) -> tuple[float, float]:
        """The least and the largest share, 0 and 1 where the rule has none."""
        if self.share is None:
            return 0.0, 1.0
        return self.share if isinstance(self.share, tuple) else (self.share, self.share)

    def counts(self, length: int) -> tuple[float, float]:
        """The least and the most items of a form of `length` that a `count` allows, its share included."""
        low, high = self.bounds
        if self.share is None:
            return low, high
        least, most = self.shares[0] * length, self.shares[1] * length
        whole = floor if isinstance(self.share, float | int) else ceil
        limit = ceil if isinstance(self.share, float | int) else floor
        least, most = whole(least + _nudge(whole)), limit(most + _nudge(limit))
        return max(low, float(least)), min(high, float(most))

    def shared(self, length: int) -> int:
        """How many items of a form of `length` an `overlap` lets stand in the other."""
        most = floor(self.shares[1] * length + ROUNDING)
        return most if self.max is None else min(most, floor(self.max + ROUNDING))


def _nudge(rounding: Callable[[float], int]) -> float:
    """A third of 3 is 1, whichever way it is rounded."""
    return ROUNDING if rounding is floor else -ROUNDING


_KEYS = {
    "count": ("min", "max", "share"),
    "sum": ("of", "min", "max", "share"),
    "mean": ("of", "min", "max"),
    "at_most_one_per": ("of",),
    "one_per": ("of",),
    "enemies": (),
    "all_or_none": ("of",),
    "set_size": ("of", "min", "max"),
    "include": ("items",),
    "exclude": ("items",),
    "if_then": ("then", "min", "max"),
    "overlap": ("forms", "max", "share"),
    "key_balance": ("of", "share", "run"),
}
KINDS = tuple(_KEYS)
_ALWAYS = frozenset({"id", "what", "where", "priority"})
_EMPTY: dict[str, object] = {
    "of": "",
    "where": {},
    "min": None,
    "max": None,
    "share": None,
    "forms": "",
    "items": (),
    "then": {},
    "run": None,
}


def check_rule(rule: Rule) -> None:
    """Raise BlueprintError, with the rule's id, for a rule that cannot be meant so."""
    if rule.what not in _KEYS:
        raise BlueprintError(f"{rule.named}: what = {rule.what!r}; choose one of {', '.join(KINDS)}")
    allowed = _ALWAYS.union(_KEYS[rule.what]).difference({"where"} if rule.what == "overlap" else ())
    for name, empty in _EMPTY.items():
        if name not in allowed and getattr(rule, name) != empty:
            raise BlueprintError(f"{rule.named}: `{name}` says nothing in a rule of `what = {rule.what!r}`")
    if "of" in allowed and not rule.of:
        raise BlueprintError(f"{rule.named}: `of` must name a column")
    _check_amounts(rule)
    if rule.what in {"include", "exclude"} and not rule.where and not rule.items:
        done = "barred" if rule.what == "exclude" else "included"
        raise BlueprintError(f"{rule.named}: `where` or `items` must say which items are {done}")
    if rule.what == "if_then" and not (rule.where and rule.then):
        raise BlueprintError(f"{rule.named}: an if_then needs `where` (if one of these) and `then` (so many of those)")
    if rule.what == "overlap" and (not rule.forms or (rule.share is None and rule.max is None)):
        raise BlueprintError(
            f"{rule.named}: an overlap needs forms = 'parallel', 'spare' or the name of an earlier paper, and a "
            f"share from 0 to 1 or max; got forms = {rule.forms!r}, share = {rule.share}, max = {rule.max}"
        )


def _check_amounts(rule: Rule) -> None:
    for name in ("min", "max", "priority"):
        value = getattr(rule, name)
        if value is not None and not isfinite(value):
            raise BlueprintError(f"{rule.named}: {name} = {value}: expected a number; leave out what has no bound")
    low, high = rule.bounds
    if low > high:
        raise BlueprintError(f"{rule.named}: min {low:g} is above max {high:g}")
    least, most = rule.shares
    if not 0 <= least <= most <= 1:
        raise BlueprintError(f"{rule.named}: share = {rule.share}: expected a share from 0 to 1, or low and high")
    if rule.what in {"mean", "if_then", "set_size"} and rule.min is None and rule.max is None:
        raise BlueprintError(f"{rule.named}: min or max must say how much")
    if rule.what in {"count", "sum"} and rule.min is None and rule.max is None and rule.share is None:
        raise BlueprintError(f"{rule.named}: min, max or share must say how much")
    if rule.what == "key_balance" and rule.share is None and rule.run is None:
        raise BlueprintError(f"{rule.named}: share = [low, high] of each letter, or run (the longest), must be said")
    if rule.run is not None and rule.run < 1:
        raise BlueprintError(f"{rule.named}: run = {rule.run}: the longest run is at least 1")
    if rule.priority <= 0:
        raise BlueprintError(f"{rule.named}: priority = {rule.priority:g}: expected a number above 0")
