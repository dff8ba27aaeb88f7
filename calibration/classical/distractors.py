"""What each option drew, and from whom: option curves, distractors nobody needs, and items with two right answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.classical.items import ItemStatistics, OptionStatistics
from calibration.false_discovery import benjamini_hochberg
from calibration.responses import Responses, ResponsesError, right_options
from calibration.screening import FALSE_DISCOVERY_RATE, LEAST_CHOSEN, Flag, correlation_below_zero
from calibration.subsets import alike_persons

FUNCTIONING_SHARE = 0.05  # a distractor that draws fewer does not function (Haladyna & Downing, 1993)
LEAST_PERSONS = 100  # behind an item before a rare option is called idle

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OptionCurves:
    """Who chose what: `shares` (options, G) of each of G groups by score on the other items, lowest first.

    `n` (G,) persons are in the groups, whose mean rest score is `rest_share` (G,) of the best possible. `chosen`
    (options,) counts persons; the last option `""` is silence, where there is any.
    """

    item: str
    options: tuple[str, ...]
    key: str | None
    n: tuple[float, ...]
    rest_share: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...]
    chosen: tuple[float, ...]


def option_curves(responses: Responses, item: str, groups: int = 5) -> OptionCurves:
    """The options of `item` by ability, persons ranked by their rest score among those with the same items.

    Raises ResponsesError for an item that is not there, or responses without option codes.
    """
    if item not in responses.items:
        raise ResponsesError(f"item {item!r} is not in the responses")
    found = option_curves_of_items(responses, [item], groups)
    if item not in found:
        raise ResponsesError(f"item {item}: nobody has it together with another item")
    return found[item]


def option_curves_of_items(
    responses: Responses, items: Sequence[str] | None = None, groups: int = 5
) -> dict[str, OptionCurves]:
    """The option curves of `items` (all), but for those that nobody has together with another item.

    Raises ResponsesError for responses without option codes.
    """
    if responses.option is None:
        raise ResponsesError("the responses hold scores, not the options chosen: give a key when reading them")
    top = np.zeros(len(responses.items))
    np.maximum.at(top, responses.item, responses.score)
    sets = [
        (alike, alike.scores.sum(axis=1), float(top[alike.items].sum()))
        for alike in alike_persons(responses)
        if len(alike.items) > 1 and alike.weight.sum() > 0 and alike.options is not None
    ]
    places: dict[int, list[tuple[int, int]]] = {}
    for number, (alike, _, _) in enumerate(sets):
        for column, j in enumerate(alike.items.tolist()):
            places.setdefault(j, []).append((number, column))
    position = {name: j for j, name in enumerate(responses.items)}
    found = {}
    for name in items if items is not None else responses.items:
        j = position[name]
        parts = []
        for number, column in places.get(j, ()):
            alike, total, best = sets[number]
            if alike.options is not None:
                rest = total - alike.scores[:, column]
                share = rest / max(best - top[j], 1)
                group = _rest_groups(rest, alike.weight, groups)
                parts.append((group, share, alike.options[:, column], alike.weight))
        if parts:
            found[name] = _option_curves(responses, name, parts, groups)
    return found


def _rest_groups(rest: NDArray[np.integer], weight: FloatArray, groups: int) -> NDArray[np.intp]:
    """Equal groups by rest score; persons of one score stay together."""
    values, level = np.unique(rest, return_inverse=True)
    size = np.bincount(level, weight, len(values))
    middle = (np.cumsum(size) - size / 2) / size.sum()
    return np.asarray(np.minimum((middle * groups).astype(int), groups - 1)[level], np.intp)


def _option_curves(
    responses: Responses,
    item: str,
    parts: Sequence[tuple[NDArray[np.intp], FloatArray, NDArray[np.int16], FloatArray]],
    groups: int,
) -> OptionCurves:
    of, at, chose, w = (np.concatenate([part[n] for part in parts]) for n in range(4))
    n = np.bincount(of, w, groups)
    names = sorted(np.unique(chose[chose >= 0]), key=lambda k: responses.options[k])
    codes = [*names, *([-1] if (chose < 0).any() else [])]
    counts = np.stack([np.bincount(of, w * (chose == k), groups) for k in codes])
    shares = np.divide(counts, n, out=np.full_like(counts, np.nan), where=n > 0)
    rest_share = np.divide(np.bincount(of, w * at, groups), n, out=np.full(groups, np.nan), where=n > 0)
    return OptionCurves(
        item=item,
        options=tuple(responses.options[k] if k >= 0 else "" for k in codes),
        key=";".join(sorted(right_options(responses.key[item]))) if item in responses.key else None,
        n=tuple(n.tolist()),
        rest_share=tuple(rest_share.tolist()),
        shares=tuple(map(tuple, shares.tolist())),
        chosen=tuple(counts.sum(axis=1).tolist()),
    )


def distractor_flags(statistics: Sequence[ItemStatistics], *, rate: float = FALSE_DISCOVERY_RATE) -> tuple[Flag, ...]:
    """Items with a second option that draws the able (`double-key`), and options hardly anybody chose (`idle-option`).

    A double key is suspected where another option's correlation with the rest score is above 0 as well as the key's,
    each tested one-sided and all items together at a false discovery rate of `rate`; the option must have drawn 5 % of
    the persons. An option counts as idle below 5 % among at least 100 persons; not in items where several options
    are chosen together, whose codes are combinations. Options nobody chose at all are not seen here.
    """
    rivals = [
        (s, option)
        for s in statistics
        for option in s.options
        if not option.is_key and option.n >= LEAST_CHOSEN and option.share >= FUNCTIONING_SHARE
    ]
    p = np.array([_both_draw_the_able(s, option) for s, option in rivals])
    flags = [
        Flag(
            s.item,
            "double-key",
            f"option {option.option} draws the able as the key does (r = {option.correlation:.2f} beside "
            f"{s.point_biserial:.2f}, chosen by {option.n:.0f} of {s.n:.0f}): is it right as well?",
        )
        for (s, option), hit in zip(rivals, benjamini_hochberg(p, rate), strict=True)
        if hit
    ]
    for s in statistics:
        idle = [o for o in s.options if not o.is_key and o.share < FUNCTIONING_SHARE]
        if s.n >= LEAST_PERSONS and idle and all(len(o.option) == 1 for o in s.options):
            drew = ", ".join(f"{o.option} ({o.n:.0f})" for o in idle)
            flags.append(
                Flag(s.item, "idle-option", f"of {s.n:.0f} persons hardly anybody chose {drew}: no distractor for them")
            )
    return tuple(sorted(flags, key=lambda flag: (flag.item, flag.code)))


def _both_draw_the_able(s: ItemStatistics, option: OptionStatistics) -> float:
    return max(
        correlation_below_zero(-option.correlation, s.effective_n),
        correlation_below_zero(-s.point_biserial, s.effective_n),
    )
