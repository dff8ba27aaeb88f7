"""A blueprint on a pool, in numbers: which items may, must and must not stand together, and on what sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from engine.assembly.aims import Aim, aim_of
from engine.blueprints import Blueprint, BlueprintError, Rule
from engine.blueprints.blueprint import named
from engine.blueprints.checking import check_on_pool
from engine.blueprints.rules import BETWEEN_FORMS
from engine.pools import Pool, with_predicted

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """Sums with bounds: low <= matrix · x <= high, R rows over J items, each with the name of its rule."""

    names: tuple[str, ...]
    matrix: csr_array
    low: Vector
    high: Vector

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Groups:
    """Items by a label (J,), -1 for none: of each label `low` to `high` items (L,) stand on a form.

    With `optional`, none of them may do as well.
    """

    rule: str
    labels: NDArray[np.int32]
    low: Vector
    high: Vector
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Implication:
    """Where an item of `given` stands on a form, low to high items of `then` do, masks (J,)."""

    rule: str
    given: Mask
    then: Mask
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Letters:
    """Items with a key of one letter: `letter` (J,) is its number, -1 for other items; `free` ones can be shuffled."""

    rule: Rule
    names: tuple[str, ...]
    letter: NDArray[np.int32]
    free: Mask


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything an assembly needs of a blueprint on a pool of J items, compiled once."""

    pool: Pool
    blueprint: Blueprint
    marks: Vector
    eligible: Mask
    required: Mask
    rows: Rows
    groups: tuple[Groups, ...]
    enemies: NDArray[np.intp]  # (P, 2)
    implications: tuple[Implication, ...]
    letters: tuple[Letters, ...]
    aim: Aim | None
    parallel: Rule | None  # the overlap between parallel forms, and of a spare with any
    spare: Rule | None

    @property
    def length(self) -> int:
        return self.blueprint.length

    @property
    def disjoint(self) -> bool:
        """Do parallel forms share no item?"""
        return self.parallel is not None and self.parallel.shared(self.length) == 0


def compile_paper(pool: Pool, blueprint: Blueprint, *, earlier: dict[str, Sequence[str]] | None = None) -> Paper:
    """The blueprint on this pool; `earlier` are the items of papers that overlap rules name.

    Raises BlueprintError and PoolError, naming rule, column or item, for what does not fit together.
    """
    check_on_pool(pool, blueprint)
    if blueprint.target is not None and blueprint.target.predict:
        pool = with_predicted(pool, blueprint.target.predict)
    overlaps = {rule.forms: rule for rule in blueprint.rules if rule.what == "overlap"}
    aim = aim_of(pool, blueprint)
    rows = _Collector(len(pool))
    marks = blueprint.item_marks(pool)
    rows.add("length", np.ones(len(pool)), blueprint.length, blueprint.length)
    for rule in blueprint.rules:
        _add_sums(rows, pool, blueprint, rule, earlier or {})
        if rule.what == "at_most_one_per":
            _add_several(rows, pool, rule)
    rules = blueprint.rules
    eligible, required = blueprint.eligible(pool), np.zeros(len(pool), bool)
    for rule in rules:
        if rule.what == "include":
            required |= _included(pool, rule, eligible)
    return Paper(
        pool=pool,
        blueprint=blueprint,
        marks=marks,
        eligible=eligible,
        required=required,
        rows=rows.rows(),
        groups=tuple(_groups(pool, rule) for rule in rules if rule.what in _GROUPED),
        enemies=_enemy_pairs(pool, rules),
        implications=tuple(
            Implication(rule.id, pool.where(rule.where), pool.where(rule.then), *rule.bounds)
            for rule in rules
            if rule.what == "if_then"
        ),
        letters=tuple(_letters(pool, rule) for rule in rules if rule.what == "key_balance"),
        aim=aim,
        parallel=overlaps.get("parallel"),
        spare=overlaps.get("spare"),
    )


class _Collector:
    """Gathers rows, then makes one sparse matrix of them."""

    def __init__(self, items: int) -> None:
        self.items = items
        self.names: list[str] = []
        self.parts: list[csr_array] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def add(self, name: str, coefficients: Vector, low: float, high: float) -> None:
        if np.isfinite(low) or np.isfinite(high):
            self.names.append(name)
            self.parts.append(csr_array(coefficients[None, :]))
            self.low.append(low)
            self.high.append(high)

    def rows(self) -> Rows:
        matrix = csr_array(vstack(self.parts)) if self.parts else csr_array((0, self.items))
        return Rows(tuple(self.names), matrix, np.array(self.low), np.array(self.high))


def _add_sums(
    rows: _Collector, pool: Pool, blueprint: Blueprint, rule: Rule, earlier: dict[str, Sequence[str]]
) -> None:
    if rule.what == "count":
        rows.add(rule.id, pool.where(rule.where).astype(float), *rule.counts(blueprint.length))
    elif rule.what == "sum":
        amounts = blueprint.amounts(pool, rule)
        inside = np.where(pool.where(rule.where), amounts, 0.0)
        rows.add(rule.id, inside, *rule.bounds)
        if rule.share is not None:
            low, high = rule.shares
            if low > 0:
                rows.add(rule.id, inside - low * amounts, 0.0, np.inf)
            rows.add(rule.id, inside - high * amounts, -np.inf, 0.0)
    elif rule.what == "mean":
        amounts, members = blueprint.amounts(pool, rule), pool.where(rule.where) & blueprint.has_amount(pool, rule)
        low, high = rule.bounds
        if np.isfinite(low):
            rows.add(rule.id, np.where(members, amounts - low, 0.0), 0.0, np.inf)
        if np.isfinite(high):
            rows.add(rule.id, np.where(members, amounts - high, 0.0), -np.inf, 0.0)
    elif rule.what == "overlap" and rule.forms not in BETWEEN_FORMS:
        if rule.forms not in earlier:
            known = ", ".join(map(repr, earlier)) or "none"
            raise BlueprintError(f"{rule.named}: no earlier paper {rule.forms!r} was given; there are: {known}")
        old = pool.where({"id": list(earlier[rule.forms])}, strict=False)
        rows.add(rule.id, old.astype(float), -np.inf, rule.shared(blueprint.length))


def _add_several(rows: _Collector, pool: Pool, rule: Rule) -> None:
    """At most one item of each value that some item has beside another one: labels know the first value only."""
    column = pool.coded(rule.of)
    if column.single:
        return
    held = values_held(pool, rule)
    beside = np.setdiff1d(np.arange(len(column.codes)), column.start[:-1])
    for value in np.unique(column.codes[beside]):
        members = held[[value]].toarray()[0]
        if column.values[value] and members.sum() > 1:
            rows.add(rule.id, members, -np.inf, 1.0)


def values_held(pool: Pool, rule: Rule) -> csr_array:
    """Which of the items that a rule speaks of have which value of its column `of`, (V, J) of 0 and 1."""
    column = pool.coded(rule.of)
    items = np.repeat(np.arange(len(pool)), np.diff(column.start))
    inside = pool.where(rule.where)[items]
    places = (column.codes[inside], items[inside])
    held = csr_array((np.ones(len(places[0])), places), shape=(len(column.values), len(pool)))
    held.sum_duplicates()
    held.data[:] = 1.0
    return held


def _included(pool: Pool, rule: Rule, eligible: Mask) -> Mask:
    for item in rule.items:
        if item not in pool.coded("id").values:
            raise BlueprintError(f"{rule.named}: item {item!r} is not in the pool")
    chosen = named(pool, rule)
    barred = np.flatnonzero(chosen & ~eligible)
    if len(barred):
        raise BlueprintError(
            f"{rule.named}: item {pool.ids[barred[0]]!r} must stand on the form, but another rule bars it or the "
            "target needs parameters that it does not have"
        )
    return chosen


_GROUPED = frozenset({"at_most_one_per", "one_per", "all_or_none", "set_size"})


def _groups(pool: Pool, rule: Rule) -> Groups:
    codes, values = pool.codes(rule.of)
    named_cell = np.array([bool(value) for value in values])
    inside = (pool.where(rule.where) if rule.where else np.ones(len(pool), bool)) & named_cell[codes]
    found, labels = np.unique(codes[inside], return_inverse=True)
    label = np.full(len(pool), -1, np.int32)
    label[inside] = labels
    sizes = np.bincount(labels, minlength=len(found)).astype(float)
    low, high = np.zeros(len(found)), np.ones(len(found))
    if rule.what == "one_per":
        low = high
    elif rule.what == "all_or_none":
        low = high = sizes
    elif rule.what == "set_size":
        low = np.full(len(found), max(rule.bounds[0], 0.0))
        high = np.minimum(sizes, rule.bounds[1])
    return Groups(rule.id, label, low, high, optional=rule.what in {"all_or_none", "set_size"})


def _enemy_pairs(pool: Pool, rules: Sequence[Rule]) -> NDArray[np.intp]:
    """Pairs of positions that the pool's column `enemies` keeps apart; enemies outside the pool do not count."""
    rule = next((rule for rule in rules if rule.what == "enemies"), None)
    if rule is None:
        return np.zeros((0, 2), np.intp)
    column, inside = pool.coded("enemies"), pool.where(rule.where)
    at = {item: j for j, item in enumerate(pool.ids)}
    place = np.array([at.get(name, -1) for name in column.values], np.intp)
    foes = place[column.codes]
    items = np.repeat(np.arange(len(pool)), np.diff(column.start))
    keep = (foes >= 0) & (foes != items) & inside[items] & inside[foes]
    pairs = np.sort(np.stack([items[keep], foes[keep]], axis=1), axis=1)
    return np.unique(pairs, axis=0).reshape(-1, 2)


def _letters(pool: Pool, rule: Rule) -> Letters:
    column = pool.coded(rule.of)
    one = (np.diff(column.start) == 1) & pool.where(rule.where)
    codes, values = pool.codes(rule.of)
    names = tuple(sorted({values[code] for code in np.unique(codes[one])} - {""}))
    if not names:
        raise BlueprintError(f"{rule.named}: no item has a single key in the column {rule.of!r}")
    number = np.array([names.index(value) if value in names else -1 for value in values], np.int32)
    letter = np.where(one, number[codes], -1).astype(np.int32)
    free = pool.where({"shuffle": "yes"}, strict=False) if "shuffle" in pool.attributes else np.zeros(len(pool), bool)
    one_letter = np.array([len(name) == 1 for name in names])  # true and false have no options to shuffle
    return Letters(rule, names, letter, free & (letter >= 0) & one_letter[letter])
