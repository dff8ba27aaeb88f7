"""Item sets summed: the items of a set as one polytomous item, whose score is the sum of their marks.

Items that share a text or a case go together beyond ability. A sum of them is one item, which keeps that in: the rest
of the test and the sum are independent given ability, where the single items were not (Thissen, Steinberg & Mooney,
1989). What it costs is what the single answers tell beyond their sum.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from calibration.models import DICHOTOMOUS, ItemParameters, model_named
from calibration.patterns import ordered_patterns, settings_of
from calibration.responses import ANSWERED, NOT_REACHED, OMITTED, Responses, ResponsesError
from calibration.responses.values import shifted
from calibration.screening import Flag

Setting = TypeVar("Setting")
SetMethod = Literal["testlet", "collapse", "ignore"]

SET_METHODS: tuple[SetMethod, ...] = ("testlet", "collapse", "ignore")
FINEST_MARK = 100  # parts of a mark


def members_of(item_sets: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Item → set as set → items."""
    found: dict[str, list[str]] = {}
    for item, name in item_sets.items():
        found.setdefault(name, []).append(item)
    return {name: tuple(items) for name, items in found.items()}


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Responses with sets summed, the items that each sum is of, and what was left out."""

    responses: Responses
    sums: Mapping[str, tuple[str, ...]]
    flags: tuple[Flag, ...]


def collapse_sets(responses: Responses, item_sets: Mapping[str, str], *, least: int = 2) -> Collapsed:
    """The responses with one polytomous item, of the set's name, for the items of every set of `least` items or more.

    Its score is the sum of marks, on their common unit where they are not whole. Who was not given all items of a set
    has no sum, and who did not reach one of them has not reached the sum; an item that nobody was given is no part of
    it. Flags say what was left out. Raises ResponsesError for an item that is not in the data, a set named as an item
    is, a set that nobody was given whole, and for responses of several raters.
    """
    known = {name: j for j, name in enumerate(responses.items)}
    for item, name in item_sets.items():
        if item not in known:
            raise ResponsesError(f"item set {name}: item {item} is not in the data")
    if item_sets and responses.rater is not None and len(responses.raters) > 1:
        raise ResponsesError("ratings: an item set has as many sums as raters; choose or average the ratings first")
    given = np.bincount(responses.item, minlength=len(responses.items)) > 0
    flags: list[Flag] = []
    summed: dict[str, tuple[str, ...]] = {}
    for name, members in members_of(item_sets).items():
        if name in known:
            raise ResponsesError(f"item set {name}: an item has that name; its sum needs one of its own")
        missing = [item for item in members if not given[known[item]]]
        if missing:
            flags.append(Flag("", "set-without-item", f"item set {name}: nobody was given {', '.join(missing)}"))
        kept = tuple(item for item in members if item not in missing)
        if len(kept) >= least:
            summed[name] = kept
        elif kept:
            flags.append(one_item_flag(name, kept[0]))
    return Collapsed(_with_sums(responses, summed, flags), summed, tuple(flags))


def one_item_flag(name: str, item: str) -> Flag:
    """A set that is no set."""
    return Flag("", "set-of-one-item", f"item set {name}: {item} is its only item with responses that vary: no set")


def with_sums_of(items: Sequence[ItemParameters], responses: Responses) -> Responses:
    """The responses with the sums that parameters of summed sets are of, where they have the single items instead."""
    have = set(responses.items)
    sums = {item.id: item.sum_of for item in items if item.sum_of and item.id not in have and have >= set(item.sum_of)}
    if not sums:
        return responses
    return collapse_sets(responses, {member: name for name, of in sums.items() for member in of}, least=1).responses


def _with_sums(responses: Responses, summed: Mapping[str, tuple[str, ...]], flags: list[Flag]) -> Responses:
    if not summed:
        return responses
    set_of = {item: name for name, items in summed.items() for item in items}
    names = tuple(dict.fromkeys(set_of.get(item, item) for item in responses.items))
    number = {name: j for j, name in enumerate(names)}
    to_new = np.array([number[set_of.get(item, item)] for item in responses.items], np.int32)
    in_set = np.array([item in set_of for item in responses.items])[responses.item]
    alone = np.flatnonzero(~in_set)
    person, item, score, status = [responses.person[alone]], [to_new[responses.item[alone]]], [], []
    score.append(responses.score[alone])
    status.append(responses.status[alone])
    shift = {name: by for name, by in responses.shift.items() if name not in set_of}
    marks = {name: worth for name, worth in responses.marks.items() if name not in set_of}
    seconds = [responses.seconds[alone]] if responses.seconds is not None else None
    position = [responses.position[alone]] if responses.position is not None else None
    for name, members in summed.items():
        rows = np.flatnonzero(in_set & (to_new[responses.item] == number[name]))
        who, at = np.unique(responses.person[rows], return_inverse=True)
        whole = np.bincount(at, minlength=len(who)) == len(members)
        if not whole.any():
            raise ResponsesError(
                f"item set {name}: nobody was given all of {', '.join(members)}: a sum needs them all; model the set "
                "as a testlet, or name a set for each form"
            )
        if not whole.all():
            flags.append(
                Flag(
                    "",
                    "set-given-in-part",
                    f"item set {name}: {int((~whole).sum())} of {len(who)} persons were given only some of its items "
                    "and have no sum of it",
                )
            )
        sums, worth = _sums(responses, rows, at, len(who))
        silent = np.bincount(at, responses.status[rows] == NOT_REACHED, len(who)) > 0
        omitted = np.bincount(at, responses.status[rows] == OMITTED, len(who)) == len(members)
        kind = np.where(silent, NOT_REACHED, np.where(omitted, OMITTED, ANSWERED)).astype(np.uint8)
        sums[silent] = 0
        counted = whole & ~silent
        _, by = shifted((name,), np.zeros(int(counted.sum()), np.intp), sums[counted])
        lowest = by.get(name, 0)
        shift |= by
        if worth:
            marks[name] = worth[lowest:]
        person.append(who[whole])
        item.append(np.full(int(whole.sum()), number[name], np.int32))
        score.append(np.maximum(sums - lowest, 0)[whole].astype(np.int16))
        status.append(kind[whole])
        if seconds is not None and responses.seconds is not None:
            spent = np.bincount(at, responses.seconds[rows], len(who))
            seconds.append(spent[whole].astype(np.float32))
        if position is not None and responses.position is not None:
            first = np.full(len(who), np.iinfo(np.int32).max, np.int32)
            np.minimum.at(first, at, responses.position[rows])
            position.append(first[whole])
    every_person, every_item = np.concatenate(person), np.concatenate(item)
    order = np.lexsort((every_item, every_person))
    option = None
    if responses.option is not None:
        none = np.full(len(every_item) - len(alone), -1, np.int32)
        option = np.concatenate([responses.option[alone], none])[order]
    return replace(
        responses,
        items=names,
        person=every_person[order].astype(np.int32),
        item=every_item[order],
        score=np.concatenate(score)[order],
        status=np.concatenate(status)[order],
        option=option,
        key={name: of for name, of in responses.key.items() if name not in set_of},
        rater=None,
        raters=(),
        position=np.concatenate(position)[order] if position is not None else None,
        seconds=np.concatenate(seconds)[order] if seconds is not None else None,
        shift=shift,
        marks=marks,
    )


def _sums(
    responses: Responses, rows: NDArray[np.intp], at: NDArray[np.intp], N: int
) -> tuple[NDArray[np.int64], tuple[float, ...]]:
    """Sums (N,) of the marks of some rows, in units of a mark, and what each sum is worth where the unit is not 1."""
    own = np.unique(responses.item[rows])
    K = int(responses.score[rows].max(initial=0)) + 1
    table = np.zeros((len(responses.items), K))
    for j in own:
        name = responses.items[j]
        worth = responses.marks.get(name) or tuple(float(k + responses.shift.get(name, 0)) for k in range(K))
        table[j, : min(K, len(worth))] = worth[:K]
    unit = lcm(*(Fraction(mark).limit_denominator(FINEST_MARK).denominator for mark in np.unique(table[own]).tolist()))
    value = np.where(responses.status[rows] == ANSWERED, table[responses.item[rows], responses.score[rows]], 0.0)
    sums = np.round(np.bincount(at, value, N) * unit).astype(np.int64)
    worth_of_sums = () if unit == 1 else tuple(k / unit for k in range(int(sums.max(initial=0)) + 1))
    return sums, worth_of_sums


def models_with_sums(
    model: str | Mapping[str, str], items: Sequence[str], sums: Mapping[str, tuple[str, ...]]
) -> str | Mapping[str, str]:
    """The models of `items` as models of the same with sets summed: `sums` (set → items) as partial credit.

    A model named for the set by its name, or a polytomous one by a pattern, is kept; else it is PCM where its items'
    is Rasch, GPCM where it is another dichotomous one, and that of its first item where that is polytomous.
    """
    if not sums:
        return model
    given = {"*": model} if isinstance(model, str) else dict(model)
    ordered = ordered_patterns(given, [*items, *sums], "model")
    found = settings_with_sums(given, items, sums)
    for name, members in sums.items():
        if name in given:
            continue
        fitting = settings_of(name, given, ordered) or settings_of(members[0], given, ordered)
        if fitting:
            of_items = model_named(fitting[0])
            found[name] = {"Rasch": "PCM"}.get(of_items, "GPCM") if of_items in DICHOTOMOUS else of_items
    return found


def settings_with_sums(
    settings: Mapping[str, Setting], items: Sequence[str], sums: Mapping[str, tuple[str, ...]]
) -> dict[str, Setting]:
    """Settings by item or pattern without those that are only of items which are summed."""
    gone = {item for members in sums.values() for item in members}
    left = [*(item for item in items if item not in gone), *sums]
    kept = {}
    for pattern, setting in settings.items():
        one = {pattern: setting}
        fits_left = any(settings_of(item, one, [pattern]) for item in left)
        if fits_left or not any(settings_of(item, one, [pattern]) for item in gone):
            kept[pattern] = setting
    return kept


def read_item_sets(path: Path) -> dict[str, str]:
    """Item → set from a CSV file with columns item and set. Raises ResponsesError naming the row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ResponsesError(f"{path}: not UTF-8 CSV ({error})") from None
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        item, name = (row.get("item") or "").strip(), (row.get("set") or "").strip()
        if not item or (not name and "set" not in row):
            raise ResponsesError(f"{path}, row {number}: expected columns item and set")
        if item in found and found[item] != name:
            raise ResponsesError(f"{path}, row {number}: item {item} is in set {found[item]} and in {name or 'none'}")
        if name:  # an item without a set is on its own
            found[item] = name
    if not found:
        raise ResponsesError(f"{path}: no item has a set; expected columns item and set, a row each")
    return found
