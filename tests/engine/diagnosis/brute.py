"""Every form of a small pool, and the cheapest rules that one must miss: plain loops, no solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

from engine import Blueprint, Pool, Rule
from engine.diagnosis.question import CHEAP, GRADES

Row: TypeAlias = Mapping[str, Any]
EARLIER = "last year"


def meets(row: Row, where: Mapping[str, Any]) -> bool:
    """Conditions of values and lists of them."""
    choices = {name: wanted if isinstance(wanted, list) else [wanted] for name, wanted in where.items()}
    return all(str(row[name]) in map(str, wanted) for name, wanted in choices.items())


def within(low: float, value: float, high: float) -> bool:
    return low - 1e-9 <= value <= high + 1e-9


def _sum(rule: Rule, members: Sequence[Row], blueprint: Blueprint) -> bool:
    amounts = [blueprint.marks[row["type"]] if rule.of == "marks" else float(row[rule.of]) for row in members]
    return within(rule.bounds[0], sum(amounts), rule.bounds[1])


def _mean(rule: Rule, members: Sequence[Row]) -> bool:
    values = [float(row[rule.of]) for row in members]
    return not values or within(rule.bounds[0], sum(values) / len(values), rule.bounds[1])


def _sizes(rule: Rule, members: Sequence[Row]) -> list[int]:
    return list(Counter(row[rule.of] for row in members if row[rule.of]).values())


def _apart(members: Sequence[Row]) -> bool:
    here = {row["id"] for row in members}
    return not any(foe in here for row in members for foe in row["enemies"])


def keeps(form: Sequence[Row], rule: Rule, blueprint: Blueprint, earlier: Sequence[str] = ()) -> bool:
    """Does a form keep a rule?"""
    low, high = rule.bounds
    members = [row for row in form if meets(row, rule.where)]
    ways: dict[str, Callable[[], bool]] = {
        "count": lambda: rule.counts(blueprint.length)[0] <= len(members) <= rule.counts(blueprint.length)[1],
        "sum": lambda: _sum(rule, members, blueprint),
        "mean": lambda: _mean(rule, members),
        "at_most_one_per": lambda: max(_sizes(rule, members), default=0) <= 1,
        "set_size": lambda: all(low <= size <= high for size in _sizes(rule, members)),
        "enemies": lambda: _apart(members),
        "exclude": lambda: not members,
        "include": lambda: set(rule.items) <= {row["id"] for row in form},
        "if_then": lambda: not members or low <= sum(meets(row, rule.then) for row in form) <= high,
        "overlap": lambda: sum(row["id"] in earlier for row in form) <= rule.shared(blueprint.length),
    }
    return ways[rule.what]()


def forms(pool: Pool, length: int) -> Iterator[tuple[Row, ...]]:
    return combinations([pool.row(j) for j in range(len(pool))], length)


def price(rule: Rule) -> float:
    """What a change of a rule costs: its priority; cheap where it speaks of grades alone."""
    on_grades = rule.where and GRADES.issuperset(rule.where)
    return CHEAP if rule.priority == 1 and on_grades else rule.priority


def cheapest(pool: Pool, blueprint: Blueprint, earlier: Sequence[str] = ()) -> float:
    """The least price of rules that a form of the blueprint's length misses; 0 where a form keeps them all."""
    return min(
        sum(price(rule) for rule in blueprint.rules if not keeps(form, rule, blueprint, earlier))
        for form in forms(pool, blueprint.length)
    )


def feasible(pool: Pool, blueprint: Blueprint, rules: Sequence[Rule], earlier: Sequence[str] = ()) -> bool:
    """Does a form of the blueprint's length keep all these rules?"""
    return any(all(keeps(form, rule, blueprint, earlier) for rule in rules) for form in forms(pool, blueprint.length))
