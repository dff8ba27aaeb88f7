"""Are the rules really kept? Every rule counted again from the items alone.

This module shares nothing with the model that chose the items: plain loops over the cells of items, exact fractions,
its own reading of conditions and shares, its own formulas for expected marks. When the two disagree, one is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.assembly.cells import (
    ItemRow,
    amount_of,
    ceil_of,
    ends_of,
    floor_of,
    fraction,
    marks_of,
    meets,
    minutes_of,
    values_of,
)
from engine.assembly.expected import expected_share
from engine.blueprints import Blueprint, BlueprintError, Rule
from engine.pools import Pool, PoolError

ROUNDING = 1e-6
BETWEEN = ("parallel", "spare")


@dataclass(frozen=True, slots=True)
class RecountLine:
    """One rule on one form: its bounds, what was counted, and whether it holds."""

    form: str
    rule: str
    min: float | None
    max: float | None
    value: float
    ok: bool


def recount(
    pool: Pool,
    blueprint: Blueprint,
    forms: Mapping[str, Sequence[str]],
    *,
    spares: Sequence[str] = (),
    targets: Sequence[tuple[float, float]] = (),
    earlier: Mapping[str, Sequence[str]] | None = None,
    shuffles: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[RecountLine, ...]:
    """Every rule on every form, given as name → item ids in order; `targets` are (theta, expected marks) pairs.

    `spares` names the forms that are spares, `earlier` gives the items of papers that overlap rules name, `shuffles`
    the order of options by form and item (`Form.shuffles`). A rule on item sets has a line for each set on the form.
    Raises PoolError for an item that the pool does not hold, BlueprintError for an earlier paper that is not given.
    """
    at = {item: j for j, item in enumerate(pool.ids)}
    for name, items in forms.items():
        for item in items:
            if item not in at:
                raise PoolError(f"form {name}: item {item!r} is not in the pool")
    rows = {name: [ItemRow(pool, at[item]) for item in items] for name, items in forms.items()}
    counting = _Counting(pool, blueprint, forms, tuple(spares), earlier or {}, shuffles or {}, {})
    lines: list[RecountLine] = []
    for name, form in rows.items():
        lines += _whole(name, form, blueprint)
        for rule in blueprint.rules:
            lines += [_line(name, *one) for one in counting.of(name, rule, form)]
        lines += _shuffled(name, form, counting.shuffles.get(name, {}))
    return (*lines, *_expectations(rows, blueprint, targets))


Rows = Sequence[ItemRow]
Counted = tuple[str, float | None, float | None, float]  # rule, min, max, value


def _whole(name: str, form: Rows, blueprint: Blueprint) -> list[RecountLine]:
    items = [row["id"] for row in form]
    marks, minutes = [marks_of(row, blueprint) for row in form], [minutes_of(row, blueprint) for row in form]
    lines = [
        _line(name, "length", blueprint.length, blueprint.length, len(form)),
        _line(name, "no item twice", None, 0, len(items) - len(set(items))),
        _line(name, "total marks", None, None, float(sum(one for one in marks if one is not None))),
    ]
    if None not in minutes:
        lines.append(_line(name, "total minutes", None, None, float(sum(one for one in minutes if one is not None))))
    return lines


def _expectations(
    forms: Mapping[str, Rows], blueprint: Blueprint, targets: Sequence[tuple[float, float]]
) -> Iterator[RecountLine]:
    """Expected marks at each ability: of every form, and the largest difference between two."""
    if not targets or blueprint.target is None:
        return
    tolerance, most = blueprint.target.marks_tolerance, blueprint.target.marks_between_forms
    expected: dict[str, list[float]] = {}
    for name, form in forms.items():
        worth = [(float(marks_of(row, blueprint) or 0), row.pool.row(row.j), row.pool.scale.D) for row in form]
        expected[name] = [sum(m * expected_share(cells, theta, D) for m, cells, D in worth) for theta, _ in targets]
        for (theta, wanted), value in zip(targets, expected[name], strict=True):
            low, high = (wanted - tolerance, wanted + tolerance) if tolerance > 0 else (None, None)
            yield _line(name, f"expected marks at {theta:.2f}", low, high, value)
    for t, (theta, _) in enumerate(targets if len(forms) > 1 else ()):
        values = [of_form[t] for of_form in expected.values()]
        rule = f"difference of expected marks at {theta:.2f}"
        yield _line("/".join(forms), rule, None, most if most > 0 else None, max(values) - min(values))


@dataclass(frozen=True, slots=True)
class _Counting:
    """What rules are counted against: the pool, the other forms, earlier papers, and how options were shuffled."""

    pool: Pool
    blueprint: Blueprint
    forms: Mapping[str, Sequence[str]]
    spares: tuple[str, ...]
    earlier: Mapping[str, Sequence[str]]
    shuffles: Mapping[str, Mapping[str, str]]
    found: dict[str, Any]  # what a rule has to know of the whole pool, by rule

    def of(self, name: str, rule: Rule, form: Rows) -> list[Counted]:  # noqa: PLR0911
        """The lines of a rule on a form."""
        inside = [row for row in form if meets(row, rule.where)]
        if rule.what == "count":
            return [(rule.id, *_both((rule.min, rule.max), _whole_share(rule, self.blueprint.length)), len(inside))]
        if rule.what in {"sum", "mean"}:
            return _amounts(rule, inside, form, self.blueprint)
        if rule.what == "enemies":
            return [(rule.id, None, 0, _meetings(inside))]
        if rule.what in {"include", "exclude"}:
            return [self._named(rule, form)]
        if rule.what == "if_then":
            asked = sum(meets(row, rule.then) for row in form)
            return [(rule.id, rule.min, rule.max, asked) if inside else (rule.id, None, None, asked)]
        if rule.what == "overlap":
            return list(self._overlaps(name, rule))
        if rule.what == "key_balance":
            return list(self._keys(name, rule, form))
        return self._groups(rule, _items_of_values(rule, inside))

    def _named(self, rule: Rule, form: Rows) -> Counted:
        """The items of an `exclude` that stand on the form, or those of an `include` that do not."""

        def meant(row: ItemRow) -> bool:
            return row["id"] in rule.items or (bool(rule.where) and meets(row, rule.where))

        if rule.what == "exclude":
            return rule.id, None, 0, sum(meant(row) for row in form)
        here = {row["id"] for row in form}
        wanted = self._known(rule, lambda: [row["id"] for row in self._everyone() if meant(row)])
        return rule.id, len(wanted), None, sum(item in here for item in wanted)

    def _groups(self, rule: Rule, counts: Counter[str]) -> list[Counted]:
        """At most one, exactly one, all or none, or so many of each value of a column."""
        if rule.what == "at_most_one_per":
            return [(rule.id, None, 1, max(counts.values(), default=0))]
        if rule.what == "one_per":
            asked = self._known(rule, lambda: self._asked(rule))
            return [(rule.id, 1, 1, max((counts[value] for value in asked), key=lambda n: abs(n - 1), default=1))]
        if rule.what == "set_size":
            return [(f"{rule.id} ({value})", rule.min, rule.max, n) for value, n in sorted(counts.items())]
        sizes = self._known(
            rule,
            lambda: _items_of_values(rule, (row for row in self._everyone() if meets(row, rule.where))),
        )
        return [(f"{rule.id} ({value})", sizes[value], sizes[value], n) for value, n in sorted(counts.items())]

    def _overlaps(self, name: str, rule: Rule) -> Iterator[Counted]:
        most = floor_of(fraction(1 if rule.share is None else ends_of(rule.share)[1]) * self.blueprint.length)
        limit = most if rule.max is None else min(most, rule.max)
        here = set(self.forms[name])
        if rule.forms not in BETWEEN:
            if rule.forms not in self.earlier:
                raise BlueprintError(f"rule {rule.id!r}: no earlier paper {rule.forms!r} was given")
            yield rule.id, None, limit, len(here & set(self.earlier[rule.forms]))
        elif (name in self.spares) == (rule.forms == "spare"):
            for other, items in self.forms.items():
                if other != name and (name in self.spares or other not in self.spares):
                    yield f"{rule.id} ({other})", None, limit, len(here & set(items))

    def _keys(self, name: str, rule: Rule, form: Rows) -> Iterator[Counted]:
        """The share of each letter among the printed keys, and the longest run of one in the order of the form."""
        shuffles = self.shuffles.get(name, {})
        printed = [_printed(row, rule, shuffles.get(row["id"])) for row in form]
        keys = Counter(letter for letter in printed if letter)
        if rule.share is not None and keys:
            low, high = (fraction(end) for end in ends_of(rule.share))
            n = keys.total()
            if not isinstance(rule.share, tuple):  # as nearly as whole items allow
                low, high = Fraction(floor_of(low * n), n), Fraction(ceil_of(high * n), n)
            for letter in self._known(rule, lambda: self._letters(rule)):
                yield f"{rule.id} ({letter})", float(low), float(high), float(Fraction(keys[letter], n))
        if rule.run is not None:
            yield f"{rule.id} (longest run)", None, rule.run, _longest_run(printed)

    def _letters(self, rule: Rule) -> list[str]:
        found: set[str] = set()
        for row in self._everyone():
            key = _single_key(row[rule.of])
            if key and key not in found and meets(row, rule.where):
                found.add(key)
        return sorted(found)

    def _asked(self, rule: Rule) -> list[str]:
        """The values of a column among the items of the pool that a rule speaks of."""
        return sorted(
            {value for row in self._everyone() if meets(row, rule.where) for value in values_of(row[rule.of])}
        )

    def _everyone(self) -> Iterator[ItemRow]:
        return (ItemRow(self.pool, j) for j in range(len(self.pool)))

    def _known(self, rule: Rule, count: Any) -> Any:  # noqa: ANN401
        if rule.id not in self.found:
            self.found[rule.id] = count()
        return self.found[rule.id]


def _whole_share(rule: Rule, length: int) -> tuple[float | None, float | None]:
    """The least and the most items that a share of a form means: a pair within it, a number to the next whole item."""
    if rule.share is None:
        return None, None
    low, high = (fraction(end) * length for end in ends_of(rule.share))
    return (ceil_of(low), floor_of(high)) if isinstance(rule.share, tuple) else (floor_of(low), ceil_of(high))


def _both(
    one: tuple[float | None, float | None], other: tuple[float | None, float | None]
) -> tuple[float | None, float | None]:
    """The bounds that two pairs of bounds make together."""
    low, high = ([end for end in ends if end is not None] for ends in zip(one, other, strict=True))
    return max(low, default=None), min(high, default=None)


def _amounts(rule: Rule, inside: Rows, form: Rows, blueprint: Blueprint) -> list[Counted]:
    """The lines of a sum or a mean; an item without the number adds nothing and is not counted."""
    values = [value for row in inside if (value := amount_of(row, rule.of, blueprint)) is not None]
    total = sum(values, Fraction())
    if rule.what == "mean":
        if not values:
            return [(rule.id, None, None, 0.0)]
        return [(rule.id, rule.min, rule.max, float(total / len(values)))]
    lines: list[Counted] = []
    if rule.share is None or rule.min is not None or rule.max is not None:
        lines.append((rule.id, rule.min, rule.max, float(total)))
    whole = sum((amount_of(row, rule.of, blueprint) or 0 for row in form), Fraction())
    if rule.share is not None:
        low, high = ends_of(rule.share)
        lines.append((f"{rule.id} (share)", low, high, float(total / whole) if whole else low))
    return lines


def _items_of_values(rule: Rule, rows: Iterable[ItemRow]) -> Counter[str]:
    """How many items have each value of a column; a value that one cell repeats is one item's all the same."""
    return Counter(value for row in rows for value in dict.fromkeys(values_of(row[rule.of])))


def _meetings(form: Rows) -> int:
    """How many pairs of enemies stand on a form."""
    here = {row["id"] for row in form}
    pairs = {frozenset((row["id"], foe)) for row in form for foe in values_of(row["enemies"]) if foe in here}
    return sum(len(pair) == 2 for pair in pairs)


def _shuffled(name: str, form: Rows, shuffles: Mapping[str, str]) -> list[RecountLine]:
    """Options stand in another order only where the item allows it, and none is lost."""
    if not shuffles:
        return []
    allowed = {row["id"] for row in form if row.has("shuffle") and meets(row, {"shuffle": "yes"})}
    wrong = sum(item not in allowed or len(set(order)) < len(order) for item, order in shuffles.items())
    return [_line(name, "options shuffled where allowed", None, 0, wrong)]


def _printed(row: ItemRow, rule: Rule, order: str | None) -> str:
    """The key as a candidate's paper has it; empty where the rule does not speak of the item."""
    key = _single_key(row[rule.of])
    if not key or not meets(row, rule.where):
        return ""
    return key if order is None else sorted(order)[order.index(key)]


def _single_key(cell: object) -> str:
    values = values_of(cell)
    return values[0] if len(values) == 1 else ""


def _longest_run(printed: Sequence[str]) -> int:
    longest = current = 0
    before = ""
    for letter in printed:
        current = 0 if not letter else current + 1 if letter == before else 1
        longest, before = max(longest, current), letter
    return longest


def _line(form: str, rule: str, low: float | None, high: float | None, value: float) -> RecountLine:
    holds = (low is None or value >= low - ROUNDING) and (high is None or value <= high + ROUNDING)
    return RecountLine(form, rule, low, high, float(value), holds)
