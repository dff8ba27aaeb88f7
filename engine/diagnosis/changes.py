"""From a form that misses some rules to the changed rules that it keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assembly.paper import values_held
from engine.blueprints import Blueprint, Rule
from engine.blueprints.rules import BETWEEN_FORMS
from engine.blueprints.weights import smallest_mark
from engine.diagnosis.elastic import Answer, Elastic
from engine.diagnosis.question import LENGTH, MARKS, REACH, Question, unreached

Vector = NDArray[np.float64]

TOLERANCE = 1e-6
MANY = 50  # different amounts of a column beyond which its sums have no unit
NAMED = 5  # items or values that a message names


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed of a rule: the `part` (min, max, share, …), its old and its new value, and both in words.

    For rules without numbers `new` holds the items, or the values of the rule's column, that are excepted.
    """

    rule: str
    part: str
    old: float | None
    new: float | tuple[str, ...] | None
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """Items in use: x (J,) of the pool in all, on so many forms, and what rows of the model are missed by."""

    question: Question
    elastic: Elastic
    x: Vector
    slack: Vector

    @property
    def forms(self) -> int:
        return self.elastic.times

    def each(self, worth: Vector) -> float:
        """What a form has of something, `worth` (J,) by item, on average."""
        return float(worth @ self.x) / self.forms

    def missed(self, name: str, sign: int) -> Vector:
        """By how much the rows of a rule are missed from below (1) or above (-1)."""
        elastic = self.elastic
        mine = (elastic.rule == elastic.rules.index(name)) & (elastic.sign == sign)
        return np.asarray(self.slack[mine] / self.forms)


def changed(elastic: Elastic, rules: Collection[str], answer: Answer) -> tuple[Blueprint, tuple[Change, ...]]:
    """The blueprint whose `rules` give way as far as the answer does, and every change of it."""
    question = elastic.question
    x = np.zeros(len(question.pool))
    if answer.x is not None:
        x[elastic.items] = answer.x
    held = Held(question, elastic, x, answer.slack)
    blueprint, changes = question.blueprint, []
    if LENGTH in rules:
        blueprint, change = _length(held, blueprint)
        changes.append(change)
    new_rules: list[Rule] = []
    for rule in blueprint.rules:
        if rule.id in rules and (rule.what != "overlap" or rule.forms not in BETWEEN_FORMS):
            made, change_of_rule = _CHANGES[rule.what](held, blueprint, rule)
            new_rules += [] if made is None else [made]
            changes += change_of_rule
        else:
            new_rules.append(rule)
    blueprint = replace(blueprint, rules=tuple(new_rules))
    if MARKS in rules:
        blueprint, change = _marks(held, blueprint)
        changes.append(change)
    return blueprint, tuple(changes)


def reached(question: Question, blueprint: Blueprint) -> tuple[Blueprint, tuple[Change, ...]]:
    """The blueprint with the information that the best items give, where its target, the question's aim, wants more."""
    aim, changes = question.aim, []
    if aim is None or blueprint.target is None:
        return blueprint, ()
    information = aim.wanted.copy()
    for t, wanted, most in unreached(question):
        information[t] = floor(most * 1e3) / 1e3
        text = f"[target] information at theta = {aim.theta[t]:.2f}: {wanted:.4g} → {information[t]:.4g}"
        changes.append(Change(REACH, "information", wanted, float(information[t]), text))
    if not changes:
        return blueprint, ()
    target = replace(blueprint.target, information=tuple(information.tolist()))
    return replace(blueprint, target=target), tuple(changes)


def sharing(blueprint: Blueprint, rule: Rule, shared: int) -> tuple[Blueprint, Change]:
    """The blueprint whose parallel forms may share so many items."""
    old = rule.shared(blueprint.length)
    new = replace(rule, share=None, max=float(shared))
    rules = tuple(new if one.id == rule.id else one for one in blueprint.rules)
    text = f"rule {rule.id!r}: two forms may share {old} → {shared} items"
    return replace(blueprint, rules=rules), Change(rule.id, "max", float(old), float(shared), text)


def _length(held: Held, blueprint: Blueprint) -> tuple[Blueprint, Change]:
    old = blueprint.length
    have = held.each(np.ones(len(held.x)))
    length = max(1, floor(have + TOLERANCE) if have < old else ceil(have - TOLERANCE))
    return replace(blueprint, length=length), Change(LENGTH, "length", old, length, f"length: {old} → {length} items")


def _marks(held: Held, blueprint: Blueprint) -> tuple[Blueprint, Change]:
    aim, target = held.question.aim, blueprint.target
    assert aim is not None  # noqa: S101  # only a target has expected marks
    assert target is not None  # noqa: S101
    have = held.x @ aim.item_marks / held.forms
    new = ceil(float(np.abs(have - aim.marks).max()) * 1e3 + 1e-2) / 1e3
    old = min(target.marks_tolerance, target.marks_between_forms / 2)
    between = max(target.marks_between_forms, 2 * new)
    tolerance = max(target.marks_tolerance, new)
    text = f"[target] expected marks may differ by ± {old:g} → ± {new:g}"
    return (
        replace(blueprint, target=replace(target, marks_tolerance=tolerance, marks_between_forms=between)),
        Change(MARKS, "marks_tolerance", old, new, text),
    )


def _count(held: Held, blueprint: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    have = held.each(held.question.pool.where(rule.where).astype(float))
    low, high = rule.counts(blueprint.length)
    length, changes = blueprint.length, []
    new = rule
    if have < low - TOLERANCE:
        least = floor(have + TOLERANCE)
        new = replace(new, min=None if new.min is None else min(new.min, float(least)))
        if new.share is not None and new.shares[0] * length > least - 1:
            new = replace(new, share=(min(least / length, new.shares[0]), _most(rule, length)))
        changes.append(_of_number(rule.id, "min", low, least, "items"))
    if have > high + TOLERANCE:
        most = ceil(have - TOLERANCE)
        new = replace(new, max=None if new.max is None else max(new.max, float(most)))
        if new.share is not None and new.shares[1] * length < most + 1:
            least_share = new.shares[0] if isinstance(new.share, tuple) else floor(rule.shares[0] * length) / length
            new = replace(new, share=(least_share, min(1.0, max(most / length, new.shares[1]))))
        changes.append(_of_number(rule.id, "max", high, most, "items"))
    return new, changes


def _most(rule: Rule, length: int) -> float:
    """The largest share, of a number that whole items need not meet the next above it."""
    return rule.shares[1] if isinstance(rule.share, tuple) else min(1.0, ceil(rule.shares[1] * length) / length)


def _sum(held: Held, blueprint: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    amounts = blueprint.amounts(held.question.pool, rule)
    have = held.each(np.where(held.question.pool.where(rule.where), amounts, 0.0))
    new, changes = rule, []
    low, high = rule.bounds
    unit = _unit(amounts)
    if have < low - TOLERANCE:
        new = replace(new, min=_down(have, unit))
        changes.append(_of_number(rule.id, "min", low, _down(have, unit), rule.of))
    if have > high + TOLERANCE:
        new = replace(new, max=_up(have, unit))
        changes.append(_of_number(rule.id, "max", high, _up(have, unit), rule.of))
    total = held.each(amounts)
    if rule.share is not None and total:
        share, (least, most) = have / total, rule.shares
        if share < least - TOLERANCE:
            new = replace(new, share=(_down(share, TOLERANCE), most))
            changes.append(_of_number(rule.id, "share", least, _down(share, TOLERANCE), f"of the {rule.of}"))
        elif share > most + TOLERANCE:
            new = replace(new, share=(least, _up(share, TOLERANCE)))
            changes.append(_of_number(rule.id, "share", most, _up(share, TOLERANCE), f"of the {rule.of}"))
    return new, changes


def _mean(held: Held, blueprint: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    members = held.question.pool.where(rule.where)
    count = held.each(members.astype(float))
    have = held.each(np.where(members, blueprint.amounts(held.question.pool, rule), 0.0)) / max(count, TOLERANCE)
    low, high = rule.bounds
    if have < low - TOLERANCE / 10:
        return replace(rule, min=_down(have, TOLERANCE)), [_of_number(rule.id, "min", low, _down(have, TOLERANCE), "")]
    if have > high + TOLERANCE / 10:
        return replace(rule, max=_up(have, TOLERANCE)), [_of_number(rule.id, "max", high, _up(have, TOLERANCE), "")]
    return rule, []


def _grouped(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule | None, list[Change]]:
    groups = next(one for one in held.question.bare.groups if one.rule == rule.id)
    inside = groups.labels >= 0
    count = np.bincount(groups.labels[inside], held.x[inside], minlength=len(groups.low)) / held.forms
    broken = (count < groups.low - TOLERANCE) | (count > groups.high + TOLERANCE)
    if groups.optional:
        if held.forms > 1:
            return None, [Change(rule.id, "rule", None, None, f"rule {rule.id!r}: leave it out")]
        broken &= count > TOLERANCE
    codes, values = held.question.pool.codes(rule.of)
    names = {values[codes[j]] for j in np.flatnonzero(inside) if broken[groups.labels[j]]}
    if rule.what == "at_most_one_per":  # an item may have other values beside the first
        often = values_held(held.question.pool, rule) @ held.x / held.forms > 1 + TOLERANCE
        names |= {values[code] for code in np.flatnonzero(often)} - {""}
    freed = tuple(sorted(names))
    if not freed:
        return rule, []
    text = f"rule {rule.id!r}: {_number(len(freed), rule.of)} excepted: {_listed(freed)}"
    return replace(rule, where=_without(rule.where, {rule.of: list(freed)})), [
        Change(rule.id, "where", None, freed, text)
    ]


def _enemies(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    ids, pairs = held.question.pool.ids, held.question.bare.enemies
    met = [(ids[i], ids[j]) for i, j in pairs.tolist() if held.x[i] + held.x[j] > 1 + TOLERANCE]
    freed = tuple(dict.fromkeys(one for one, _ in met))
    text = f"rule {rule.id!r}: let meet {_listed([f'{one} and {other}' for one, other in met])}"
    return replace(rule, where=_without(rule.where, {"id": list(freed)})), [Change(rule.id, "where", None, freed, text)]


def _include(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule | None, list[Change]]:
    ids = held.question.pool.ids
    left_out = held.question.required[rule.id] & (held.x < held.forms - TOLERANCE)
    freed = tuple(ids[j] for j in np.flatnonzero(left_out))
    text = f"rule {rule.id!r}: {_number(len(freed), 'item')} no longer required: {_listed(freed)}"
    return _less(rule, freed), [Change(rule.id, "items", None, freed, text)]


def _exclude(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule | None, list[Change]]:
    used = held.question.barred[rule.id] & (held.x > TOLERANCE)
    freed = tuple(held.question.pool.ids[j] for j in np.flatnonzero(used))
    text = f"rule {rule.id!r}: let in {_number(len(freed), 'barred item')}: {_listed(freed)}"
    return _less(rule, freed), [Change(rule.id, "items", None, freed, text)]


def _less(rule: Rule, freed: Sequence[str]) -> Rule | None:
    """An include or exclude that no longer speaks of these items; None where it speaks of none any more."""
    where = _without(rule.where, {"id": list(freed)}) if rule.where else rule.where
    items = tuple(item for item in rule.items if item not in freed)
    return replace(rule, where=where, items=items) if where or items else None


def _if_then(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    have = held.each(held.question.pool.where(rule.then).astype(float))
    low, high = rule.bounds
    if have < low - TOLERANCE:
        least = floor(have + TOLERANCE)
        return replace(rule, min=float(least)), [_of_number(rule.id, "min", low, least, "items")]
    most = ceil(have - TOLERANCE)
    return replace(rule, max=float(most)), [_of_number(rule.id, "max", high, most, "items")]


def _overlap(held: Held, blueprint: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    r = held.question.bare.rows.names.index(rule.id)
    have = ceil(held.each(np.asarray(held.question.bare.rows.matrix[[r]].todense()).ravel()) - TOLERANCE)
    old = rule.shared(blueprint.length)
    return replace(rule, share=None, max=float(have)), [_of_number(rule.id, "max", old, have, "items")]


def _key_balance(held: Held, _: Blueprint, rule: Rule) -> tuple[Rule, list[Change]]:
    letters = next(one for one in held.question.bare.letters if one.rule.id == rule.id)
    among = max(held.each((letters.letter >= 0).astype(float)), TOLERANCE)
    (low, high), changes = rule.shares, []
    below, above = held.missed(rule.id, 1).max(initial=0.0) / among, held.missed(rule.id, -1).max(initial=0.0) / among
    least, most = max(0.0, _down(low - below, TOLERANCE)), min(1.0, _up(high + above, TOLERANCE))
    if below > TOLERANCE:
        changes.append(_of_number(rule.id, "share", low, least, "of each letter at least"))
    if above > TOLERANCE:
        changes.append(_of_number(rule.id, "share", high, most, "of each letter at most"))
    return replace(rule, share=(min(low, least), max(high, most))), changes


_CHANGES: Mapping[str, Callable[[Held, Blueprint, Rule], tuple[Rule | None, list[Change]]]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "at_most_one_per": _grouped,
    "one_per": _grouped,
    "all_or_none": _grouped,
    "set_size": _grouped,
    "enemies": _enemies,
    "include": _include,
    "exclude": _exclude,
    "if_then": _if_then,
    "overlap": _overlap,
    "key_balance": _key_balance,
}


def _of_number(rule: str, part: str, old: float, new: float, of: str) -> Change:
    return Change(rule, part, float(old), float(new), f"rule {rule!r}: {part} {old:g} → {new:g} {of}".rstrip())


def _without(where: Mapping[str, Any], condition: Mapping[str, Any]) -> dict[str, Any]:
    """The condition `where`, and not the other."""
    already = where.get("not")
    return {**where, "not": dict(condition) if already is None else {"any": [already, dict(condition)]}}


def _unit(amounts: Vector) -> float:
    """What sums of these amounts are multiples of."""
    different = np.unique(np.abs(amounts[amounts != 0]))
    return smallest_mark(different.tolist()) if 0 < len(different) <= MANY else TOLERANCE


def _down(value: float, unit: float) -> float:
    return round(floor(value / unit + TOLERANCE) * unit, 9)


def _up(value: float, unit: float) -> float:
    return round(ceil(value / unit - TOLERANCE) * unit, 9)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
