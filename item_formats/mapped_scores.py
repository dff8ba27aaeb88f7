"""The least and the most a mapping can give for an answer, before anybody answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from item_formats.declarations import Mapping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from item_formats.declarations import AreaMapping

Range = tuple[float, float]


def mapped_range(
    mapping: Mapping | AreaMapping,
    *,
    single: bool,
    most: float = math.inf,
    choices: Sequence[str] = (),
    unanswered: float | None = None,
) -> Range:
    """What one response can be worth: `single` or of up to `most` values, which are `choices` where there are any.

    `unanswered` is the worth of no answer at all, where that is not left to the mapping, which gives its default
    (docs/qti-rulings.md); the template map_response gives 0. Bounds of the mapping hold for everything it gives.
    """
    if isinstance(mapping, Mapping):
        entries = [(entry.key, entry.value) for entry in mapping.distinct]
    else:
        entries = [(area.coords, area.value) for area in mapping.entries]
    if choices:
        worths = dict(reversed(entries))
        gains = [worths.get(choice, mapping.default) for choice in choices]
        others = None  # nothing else can be answered
    else:
        gains, others = [worth for _, worth in entries], mapping.default
    given = [*gains] if others is None else [*gains, others]
    least, best = (min(given), max(given)) if single else _of_several(gains, others, most)
    nothing = [mapping.default] if unanswered is None else []
    reached = [_bounded(mapping, worth) for worth in (least, best, *nothing)]
    if unanswered is not None:
        reached.append(unanswered)
    return min(reached), max(reached)


def _of_several(gains: Sequence[float], others: float | None, most: float) -> Range:
    """Of one value or up to `most` different ones; those without an entry are as many as there may be."""
    count = int(min(len(gains), most))
    best = sum(sorted((gain for gain in gains if gain > 0), reverse=True)[:count])
    least = sum(sorted(gain for gain in gains if gain < 0)[:count])
    if others is not None:
        best += others * most if others > 0 else 0.0
        least += others * most if others < 0 else 0.0
    one = [*gains] if others is None else [*gains, others]
    return (least or min(one)), (best or max(one))


def _bounded(mapping: Mapping | AreaMapping, worth: float) -> float:
    if mapping.lower is not None:
        worth = max(worth, mapping.lower)
    return worth if mapping.upper is None else min(worth, mapping.upper)
