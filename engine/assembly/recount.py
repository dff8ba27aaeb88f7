"""Are the rules really kept? Every rule counted again from the items alone.

This module shares nothing with the model that chose the items: plain loops over rows, exact fractions for marks, and
its own formula for expected marks. When the two disagree, one of them is wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, floor
from typing import Any

from engine.blueprints import Blueprint, Rule
from engine.pools import Pool, PoolError

ROUNDING = 1e-6


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
    """Every rule on every form, given as name → item ids; `targets` are (theta, expected marks) pairs.

    Raises PoolError for an item that the pool does not hold.
    """
    rows = {item: pool.row(j) for j, item in enumerate(pool.ids)}
    lines: list[RecountLine] = []
    for name, items in forms.items():
        for item in items:
            if item not in rows:
                raise PoolError(f"form {name}: item {item!r} is not in the pool")
        form = [rows[item] for item in items]
        lines.append(_line(name, "length", blueprint.length, blueprint.length, len(form)))
        lines.append(_line(name, "no item twice", None, 0, len(items) - len(set(items))))
        total = sum(Fraction(str(marks)) * count for marks, count in _marks_counts(form, blueprint).items())
        lines.append(_line(name, "total marks", None, None, float(total)))
        for rule in blueprint.rules:
            lines.extend(_rule_lines(name, rule, form, blueprint, forms, spares))
        tolerance = blueprint.target.marks_tolerance if blueprint.target is not None else 0.0
        for theta, wanted in targets:
            have = sum(_marks(row, blueprint) * _probability(row, theta, pool.parameters.D) for row in form)
            lines.append(_line(name, f"expected marks at {theta:.2f}", wanted - tolerance, wanted + tolerance, have))
    lines.extend(_between(forms, rows, blueprint, pool, targets))
    return tuple(lines)


def _between(
    forms: Mapping[str, Sequence[str]],
    rows: Mapping[str, Mapping[str, Any]],
    blueprint: Blueprint,
    pool: Pool,
    targets: Sequence[tuple[float, float]],
) -> list[RecountLine]:
    lines = []
    most = blueprint.target.marks_between_forms if blueprint.target is not None else None
    for theta, _ in targets if len(forms) > 1 else ():
        expected = [
            sum(_marks(rows[item], blueprint) * _probability(rows[item], theta, pool.parameters.D) for item in items)
            for items in forms.values()
        ]
        rule = f"difference of expected marks at {theta:.2f}"
        lines.append(_line("/".join(forms), rule, None, most, max(expected) - min(expected)))
    return lines


def _rule_lines(
    name: str,
    rule: Rule,
    form: Sequence[Mapping[str, Any]],
    blueprint: Blueprint,
    forms: Mapping[str, Sequence[str]],
    spares: Sequence[str],
) -> list[RecountLine]:
    if rule.what == "count":
        return [_line(name, rule.id, rule.min, rule.max, sum(_meets(row, rule.where) for row in form))]
    if rule.what == "sum":
        value = sum(
            Fraction(str(_marks(row, blueprint) if rule.of == "marks" else row[rule.of] or 0))
            for row in form
            if _meets(row, rule.where)
        )
        return [_line(name, rule.id, rule.min, rule.max, float(value))]
    if rule.what == "at_most_one_per":
        most = max(Counter(str(row[rule.of]) for row in form if row[rule.of] is not None).values(), default=0)
        return [_line(name, rule.id, None, 1, most)]
    if rule.what == "enemies":
        here = {row["id"] for row in form}
        pairs = {frozenset((row["id"], foe)) for row in form for foe in _enemies(row) if foe in here}
        return [_line(name, rule.id, None, 0, sum(len(pair) == 2 for pair in pairs))]
    if rule.what == "exclude":
        return [_line(name, rule.id, None, 0, sum(_meets(row, rule.where) for row in form))]
    return _overlap_lines(name, rule, blueprint, forms, spares)


def _overlap_lines(
    name: str, rule: Rule, blueprint: Blueprint, forms: Mapping[str, Sequence[str]], spares: Sequence[str]
) -> list[RecountLine]:
    if (name in spares) != (rule.forms == "spare"):
        return []
    here = set(forms[name])
    others = [other for other in forms if other != name and (name in spares or other not in spares)]
    limit = floor(Fraction(str(rule.share)) * blueprint.length + Fraction(1, 10**9))  # a third of 3 is 1
    return [_line(name, f"{rule.id} ({other})", None, limit, len(here & set(forms[other]))) for other in others]


def _enemies(row: Mapping[str, Any]) -> tuple[str, ...]:
    listed = row["enemies"]
    return listed if isinstance(listed, tuple) else (str(listed),) if listed else ()


def _line(form: str, rule: str, low: float | None, high: float | None, value: float) -> RecountLine:
    holds = (low is None or value >= low - ROUNDING) and (high is None or value <= high + ROUNDING)
    return RecountLine(form, rule, low, high, float(value), holds)


def _marks(row: Mapping[str, Any], blueprint: Blueprint) -> float:
    return blueprint.marks[str(row[blueprint.marks_by])]


def _marks_counts(form: Sequence[Mapping[str, Any]], blueprint: Blueprint) -> Counter[float]:
    return Counter(_marks(row, blueprint) for row in form)


def _probability(row: Mapping[str, Any], theta: float, D: float) -> float:
    return float(row["c"] + (row["d"] - row["c"]) / (1 + exp(-D * row["a"] * (theta - row["b"]))))


def _meets(row: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():
        if name == "not":
            holds = not _meets(row, wanted)
        elif name == "any":
            holds = any(_meets(row, one) for one in wanted)
        else:
            holds = _value_meets(row[name], wanted)
        if not holds:
            return False
    return True


def _value_meets(value: object, wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        if "prefix" in wanted:
            return str(value or "").startswith(str(wanted["prefix"]))
        try:
            number = float(str(value))
        except ValueError:
            return False
        return bool(wanted.get("min", float("-inf")) <= number <= wanted.get("max", float("inf")))
    choices = wanted if isinstance(wanted, list | tuple) else [wanted]
    held = value if isinstance(value, tuple) else ("" if value is None else value,)
    return any(_same(one, choice) for one in held for choice in choices)


def _same(one: object, other: object) -> bool:
    """3, 3.0 and "3" are the same grade; "3.0" is another text."""
    texts = {str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in (one, other)}
    return len(texts) == 1
