"""Where does every item stand before the round: public, barred, free, and which items can only go together?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from engine.pools import Pool
from engine.release.policy import ReleaseError, ReleasePolicy

FIRST, ORDINARY, LAST = 0, 1, 2  # in which order items are published
YES = frozenset({"yes", "true", "1", "是"})
NO = frozenset({"", "no", "false", "0", "否"})
NEVER = {  # columns of yes and no whose items are never published, whatever the policy says
    "reserved": "留用 reserved",
    "anchor": "锚题 anchor item",
    "field_test": "试测题 field-test item",
}

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """Every item (J,) before the round.

    `counted` items are what shares are of: in scope and accepted. `why_not` says why an item may not be published
    ("" where it may). `sets` are the positions of free items that go together, mostly one; `together` names, for each
    set of several items or with public companions, what joins it. `order` is FIRST for exposed and drifting items and
    LAST for those of points published lately; `why_first` and `lately` (year, 0 for never) say so.
    """

    counted: Mask
    public: Mask
    why_not: tuple[str, ...]
    sets: tuple[NDArray[np.intp], ...]
    together: Mapping[int, str]
    order: NDArray[np.intp]
    why_first: tuple[str, ...]
    lately: NDArray[np.intp]

    @property
    def free(self) -> Mask:
        """Items that this round may publish, (J,)."""
        return np.array([not why for why in self.why_not], bool)


def standing_of(pool: Pool, policy: ReleasePolicy) -> Standing:
    """Where the items of the pool stand. Raises ReleaseError and PoolError for columns and values that do not fit."""
    public = marked(pool, "published")
    in_scope = pool.where(policy.scope) if policy.scope else np.ones(len(pool), bool)
    counted = in_scope & (public | ~marked(pool, "field_test"))
    why_not = np.full(len(pool), "", object)
    for n, condition in enumerate(policy.withhold, start=1):
        why_not[pool.where(condition, strict=False)] = f"保留 withheld by condition {n}"
    for name, why in NEVER.items():
        why_not[marked(pool, name)] = why
    why_not[~in_scope] = "不在范围 out of scope"
    why_not[public] = "已公开 public already"
    groups, joined = _friends(pool)
    sets: list[NDArray[np.intp]] = []
    together: dict[int, str] = {}
    halved = np.zeros(len(pool), bool)
    for members, what in zip(groups, joined, strict=True):
        secret = members[~public[members]]
        barred = secret[why_not[secret] != ""]
        if len(barred):
            free = secret[why_not[secret] == ""]
            why_not[free] = f"与 {pool.ids[barred[0]]} 同进退 goes with {pool.ids[barred[0]]}, which is not published"
        elif len(secret):
            if len(members) > 1:
                together[len(sets)] = what
                halved[secret] = len(secret) < len(members)
            sets.append(secret)
    why_first = _why_first(pool, policy, halved)
    lately = _published_lately(pool, policy, public)
    order = np.where(lately > 0, LAST, ORDINARY)
    order[[bool(why) for why in why_first]] = FIRST
    return Standing(counted, public, tuple(why_not.tolist()), tuple(sets), together, order, why_first, lately)


def marked(pool: Pool, name: str) -> Mask:
    """Items whose column `name` says yes, (J,); none where the pool has no such column.

    Raises ReleaseError, naming the item, for a cell that is neither yes nor no.
    """
    found = np.zeros(len(pool), bool)
    if name not in pool.attributes:
        return found
    codes, values = pool.codes(name)
    for code, value in enumerate(values):
        if value.lower() not in YES | NO:
            item = pool.ids[int(np.argmax(codes == code))]
            raise ReleaseError(f"item {item!r}: {name} = {value!r}: expected yes or no")
    return np.array([value.lower() in YES for value in values], bool)[codes]


def _friends(pool: Pool) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Items that can only go together, in order of their first item, and what joins each group.

    Who knows a published item also knows its enemies (they give each other away) and the other items of its stimulus.
    """
    stimulus = texts_of(pool, "stimulus")
    at = {item: j for j, item in enumerate(pool.ids)}
    first: dict[str, int] = {}
    pairs = [(first.setdefault(value, j), j) for j, value in enumerate(stimulus) if value]
    for j, names in enumerate(texts_of(pool, "enemies")):
        pairs += [(j, at[name]) for name in names.split(";") if name in at]
    groups = _joined(len(pool), pairs)
    joined = []
    for group in groups:
        shared = [stimulus[j] for j in group.tolist() if stimulus[j]] if len(group) > 1 else []
        joined.append(f"题组 item set {shared[0]}" if len(shared) > 1 else "互斥题 enemies")
    return groups, joined


def _joined(count: int, pairs: Sequence[tuple[int, int]]) -> list[NDArray[np.intp]]:
    """The connected groups of 0 … count - 1, each and all in order."""
    root = list(range(count))

    def find(j: int) -> int:
        while root[j] != j:
            root[j] = root[root[j]]
            j = root[j]
        return j

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    members: dict[int, list[int]] = {}
    for j in range(count):
        members.setdefault(find(j), []).append(j)
    return [np.array(group) for group in members.values()]


def texts_of(pool: Pool, name: str) -> list[str]:
    """The cells of a column, "" for an item without a value or a pool without such a column."""
    return pool.coded(name).texts() if name in pool.attributes else [""] * len(pool)


def _numbers(pool: Pool, name: str) -> NDArray[np.float64]:
    """A column of numbers (J,), NaN where empty or where the pool has no such column. Raises ReleaseError for words."""
    if name not in pool.attributes:
        return np.full(len(pool), np.nan)
    numbers = pool.numbers(name)
    codes, values = pool.codes(name)
    words = np.array([bool(value) for value in values])[codes] & np.isnan(numbers)
    if words.any():
        j = int(np.argmax(words))
        raise ReleaseError(f"item {pool.ids[j]!r}: {name} = {values[codes[j]]!r}: expected a number")
    return numbers


def _why_first(pool: Pool, policy: ReleasePolicy, halved: Mask) -> tuple[str, ...]:
    """Why an item is among the first to go: it has drifted, is exposed already or has public companions; else ""."""
    uses, rate, drifting = _numbers(pool, "uses"), _numbers(pool, "exposure"), marked(pool, "drift")
    reasons = []
    for j in range(len(pool)):
        why = []
        if drifting[j]:
            why.append("参数漂移 its parameters drift")
        if uses[j] >= policy.exposed.uses:
            why.append(f"已曝光 exposed: used {uses[j]:g} times")
        if rate[j] >= policy.exposed.rate:
            why.append(f"已曝光 exposed: met by {rate[j]:.0%} of candidates")
        if halved[j]:
            why.append("同组题已公开 its companions are public")
        reasons.append("；".join(why))
    return tuple(reasons)


def _published_lately(pool: Pool, policy: ReleasePolicy, public: Mask) -> NDArray[np.intp]:
    """The last year, within `rotation_years`, that an item of the same point was published; (J,), 0 for none."""
    year_of: dict[int, int] = {}
    for j, year in enumerate(_numbers(pool, "published_year")):
        if public[j] and np.isfinite(year):
            year_of[j] = int(year)
    at = {item: j for j, item in enumerate(pool.ids)}
    for earlier in policy.earlier:
        for item in earlier.items:
            if item in at:  # items that have left the bank since are no item's neighbours
                year_of[at[item]] = max(earlier.year, year_of.get(at[item], 0))
    now = policy.year if policy.year is not None else max(year_of.values(), default=0) + 1
    points = [point or module for point, module in zip(texts_of(pool, "point"), texts_of(pool, "module"), strict=True)]
    last: dict[str, int] = {}
    for j, year in year_of.items():
        if points[j] and now - year <= policy.rotation_years:
            last[points[j]] = max(year, last.get(points[j], 0))
    return np.array([last.get(point, 0) for point in points], np.intp)


def known_column(name: str, columns: Sequence[str], place: str) -> None:
    """Raise ReleaseError, with the nearest name, for a column that is not among `columns`."""
    if name not in columns:
        near = get_close_matches(name, columns, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(columns) or 'none'}"
        raise ReleaseError(f"{place}: no column {name!r}; {hint}")
