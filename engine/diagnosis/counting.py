"""What can be seen by counting: each rule alone against what the pool holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.assembly.paper import Groups
from engine.blueprints import Rule
from engine.diagnosis.question import LENGTH, MARKS, REACH, Question, unreached

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Shortage:
    """A rule that the pool cannot meet whatever the other rules on content say: `wanted`, and the `held` at best."""

    rule: str
    wanted: float
    held: float
    message: str


def shortages(question: Question) -> tuple[Shortage, ...]:
    """The rules whose numbers the pool does not hold, in the order of the blueprint.

    Counted are the items that may be chosen, at most one a point (or what else an at_most_one_per names) on each form,
    each once where the forms share nothing.
    """
    ways = (_length, _sums, _groups, _required, _shared, _marks, _reach)
    return tuple(shortage for way in ways for shortage in way(question))


def supply(question: Question, worth: Vector, places: int, *, most: bool = True) -> tuple[float, str]:
    """The most (or least) that so many items can be worth (J,) in all, and the rule that keeps it so low, if one does.

    At most one item of each value stands on a form where an at_most_one_per says so.
    """
    eligible = question.eligible
    times = question.forms if question.disjoint else 1
    sense = 1.0 if most else -1.0
    best, by = _best(sense * worth[eligible], places), ""
    for groups in _single(question):
        labels = groups.labels[eligible]
        kept = _first_of_label(sense * worth[eligible], labels, times)
        value = _best(sense * worth[eligible][kept], places)
        if value < best - TOLERANCE:
            best, by = value, groups.rule
    return sense * best, by


def _single(question: Question) -> list[Groups]:
    return [one for one in question.bare.groups if not one.optional and (one.high <= 1).all()]


def _best(worth: Vector, places: int) -> float:
    count = min(places, len(worth))
    return float(np.sort(worth)[len(worth) - count :].sum())


def _first_of_label(worth: Vector, labels: NDArray[np.int32], times: int) -> Mask:
    """The `times` items of each label that are worth most, and all items without one."""
    order = np.lexsort((-worth, labels))
    ordered = labels[order]
    start = np.r_[True, ordered[1:] != ordered[:-1]]
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(start, np.arange(len(order)), 0))
    kept = np.zeros(len(order), bool)
    kept[order] = (rank < times) | (ordered < 0)
    return kept


def _length(question: Question) -> list[Shortage]:
    wanted, everyone = question.blueprint.length * _times(question), np.ones(len(question.pool))
    held, by = supply(question, everyone, len(everyone))
    if held >= wanted:
        return []
    why = f"can stand together under {by!r}" if by else f"may be chosen{_barring(question, everyone > 0)}"
    message = f"the paper has {question.blueprint.length} items{_for_forms(question)}, but only {held:g} items {why}"
    return [Shortage(LENGTH, wanted, held, message)]


def _sums(question: Question) -> list[Shortage]:
    found = []
    rows, times = question.bare.rows, _times(question)
    places = question.blueprint.length * times
    for r, name in enumerate(rows.names):
        rule = question.rule(name)
        if rule is None or rule.what == "mean" or (rule.what == "sum" and rule.share is not None):
            continue
        worth = np.asarray(rows.matrix[[r]].todense()).ravel()
        low, high = times * rows.low[r], times * rows.high[r]
        if np.isfinite(low):
            held, by = supply(question, worth, places)
            if held < low - TOLERANCE:
                found.append(Shortage(name, low, held, _too_few(question, rule, worth, rows.low[r], held, by)))
        if np.isfinite(high) and question.eligible.sum() >= places:
            held, by = supply(question, worth, places, most=False)
            if held > high + TOLERANCE:
                found.append(Shortage(name, high, held, _too_many(question, rule, rows.high[r], held)))
    return found


def _too_few(question: Question, rule: Rule, worth: Vector, low: float, held: float, by: str) -> str:
    unit = "" if rule.what != "sum" else f" {rule.of}"
    limit = f", at most one per {_rule_of(question, by)}" if by else ""
    return (
        f"rule {rule.id!r} wants {low:g}{unit}{_for_forms(question, low, unit)}, but the pool holds {held:g}{limit}"
        f"{_barring(question, worth != 0)}"
    )


def _too_many(question: Question, rule: Rule, high: float, held: float) -> str:
    unit = "" if rule.what != "sum" else f" {rule.of}"
    return (
        f"rule {rule.id!r} allows {high:g}{unit}{_for_forms(question, high, unit)}, but the fewest that "
        f"{question.blueprint.length} items of the pool can have is {held:g}"
    )


def _groups(question: Question) -> list[Shortage]:
    found = []
    for groups in question.bare.groups:
        least = float(groups.low.sum()) if not groups.optional else 0.0
        if least > question.blueprint.length:
            message = (
                f"rule {groups.rule!r} wants one item for each of {least:g} values, but the paper has "
                f"{question.blueprint.length} items"
            )
            found.append(Shortage(groups.rule, least, question.blueprint.length, message))
    return found


def _required(question: Question) -> list[Shortage]:
    found, times, length = [], _times(question), question.blueprint.length
    for name, mask in question.required.items():
        count, held = int(mask.sum()), int((mask & question.eligible).sum())
        if held < count:
            missing = question.pool.ids[int(np.flatnonzero(mask & ~question.eligible)[0])]
            found.append(
                Shortage(name, count, held, f"rule {name!r} requires {missing!r}, which {_why_not(question, missing)}")
            )
        elif count > length:
            found.append(
                Shortage(name, count, length, f"rule {name!r} requires {count} items, but the paper has {length}")
            )
        elif times > 1 and count:
            message = f"rule {name!r} requires {count} items on each of {times} forms that share no item"
            found.append(Shortage(name, count * times, count, message))
    return found


def _why_not(question: Question, item: str) -> str:
    j = question.pool.ids.index(item)
    by = [name for name, mask in question.barred.items() if mask[j]]
    return f"rule {by[0]!r} bars" if by else "has no parameters, which the target needs"


def _shared(question: Question) -> list[Shortage]:
    """So many forms that share a few items, two by two, need so many items in all (Bonferroni's inequality)."""
    parallel, forms, length = question.bare.parallel, question.forms, question.blueprint.length
    if parallel is None or forms == 1 or question.disjoint:
        return []
    shared, held = parallel.shared(length), int(question.eligible.sum())
    wanted = max(k * length - k * (k - 1) // 2 * shared for k in range(1, forms + 1))
    if held >= wanted:
        return []
    message = (
        f"rule {parallel.id!r} lets two forms share {shared} items: {forms} forms need {wanted}, the pool has {held}"
    )
    return [Shortage(parallel.id, wanted, held, message)]


def _marks(question: Question) -> list[Shortage]:
    aim = question.aim
    if aim is None:
        return []
    found, length = [], question.blueprint.length
    low, high = aim.marks_bounds
    for t in np.flatnonzero(np.isfinite(low)):
        most = float(np.sort(aim.item_marks[question.eligible, t])[-length:].sum())
        least = float(np.sort(aim.item_marks[question.eligible, t])[:length].sum())
        if most < low[t] or least > high[t]:
            wanted, held = (low[t], most) if most < low[t] else (high[t], least)
            way = "most" if most < low[t] else "least"
            found.append(
                Shortage(
                    MARKS,
                    float(wanted),
                    held,
                    f"[target] wants {low[t]:.4g} to {high[t]:.4g} expected marks at theta = {aim.theta[t]:.2f}, but "
                    f"the {way} that {length} items can have is {held:.4g}",
                )
            )
    return found


def _reach(question: Question) -> list[Shortage]:
    aim, length = question.aim, question.blueprint.length
    return [
        Shortage(
            REACH,
            wanted,
            most,
            f"[target] wants information {wanted:.4g} at theta = {aim.theta[t]:.2f}, but the {length} most informative "
            f"items that may be chosen give {most:.4g} there",
        )
        for t, wanted, most in unreached(question)
        if aim is not None
    ]


def _times(question: Question) -> int:
    return question.forms if question.disjoint else 1


def _for_forms(question: Question, each: float = 0.0, unit: str = "") -> str:
    times = _times(question)
    if times == 1:
        return ""
    in_all = f" ({times * each:g}{unit} in all)" if each else ""
    return f" on each of {times} forms that share none{in_all}"


def _rule_of(question: Question, name: str) -> str:
    rule = question.rule(name)
    return f"{rule.of} (rule {name!r})" if rule is not None else repr(name)


def _barring(question: Question, members: Mask) -> str:
    """What keeps items of these from being chosen, in words."""
    chosen = np.zeros(len(question.pool), bool)
    chosen[question.items] = True
    counts = {name: int((members & mask).sum()) for name, mask in question.barred.items()}
    parts = [f"{count} barred by {name!r}" for name, count in counts.items() if count]
    if (members & ~chosen).any():
        parts.append(f"{int((members & ~chosen).sum())} without the parameters that the target needs")
    return f" ({'; '.join(parts)})" if parts else ""
