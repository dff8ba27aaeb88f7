"""What is odd about responses and need not stop a run, each in a sentence that names the item or person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from calibration.responses.values import Responses

NAMES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity: its code, the item or person it is about (empty: the whole data), and a sentence to act on.

    Codes: no-variance, unused-category, no-responses (an item or a person), key-without-item, shifted, disconnected.
    """

    code: str
    about: str
    message: str

    def __str__(self) -> str:
        return f"{self.about}: {self.code}: {self.message}" if self.about else f"{self.code}: {self.message}"


def find(responses: Responses, anchors: Collection[str] = ()) -> tuple[Finding, ...]:
    """All findings, those about items in the order of the items, then persons, then the design.

    Items whose parameters are known (`anchors`) join what no person joins.
    """
    found = [*_items(responses), *_persons(responses)]
    unknown = [item for item in responses.key if item not in set(responses.items)]
    found += [Finding("key-without-item", item, "has a key, but no column or row of the data") for item in unknown]
    components = _joined_by(anchors, design_components(responses))
    if len(components) > 1:
        found.append(Finding("disconnected", "", disconnected(components)))
    return tuple(found)


def _items(responses: Responses) -> list[Finding]:
    found = []
    counts = responses.category_counts()
    answered = np.bincount(responses.item[responses.used_rows], minlength=len(responses.items))
    seen = counts > 0
    categories_seen, highest = seen.sum(axis=1), seen.shape[1] - seen[:, ::-1].argmax(axis=1)
    plain = (categories_seen > 1) & (categories_seen == highest)
    for j, item in enumerate(responses.items):
        low = responses.shift.get(item, 0)
        if plain[j] and not low and item not in responses.marks:
            continue
        if low:
            found.append(Finding("shifted", item, f"its lowest score, {low}, counts as 0, and so on upwards"))
        if not answered[j]:
            found.append(Finding("no-responses", item, "nobody answered it: nothing can be said about it"))
            continue
        categories = np.flatnonzero(counts[j])
        if len(categories) == 1:
            score = int(categories[0]) + low
            found.append(Finding("no-variance", item, f"everybody has the score {score}: nothing can be estimated"))
        elif len(categories):
            top = max(int(categories[-1]) + 1, len(responses.marks.get(item, ())))
            empty = [k + low for k in range(top) if not counts[j, k : k + 1].any()]
            if empty:
                scores = ", ".join(map(str, empty))
                advice = "the steps beside it cannot be estimated: join categories or use another model"
                found.append(Finding("unused-category", item, f"nobody has the score {scores}; {advice}"))
    return found


def _persons(responses: Responses) -> list[Finding]:
    answered = np.bincount(responses.person[responses.used_rows], minlength=len(responses.persons))
    silent = np.flatnonzero(answered == 0)
    found = [
        Finding("no-responses", responses.persons[i], "answered nothing: counts for nothing")
        for i in silent[:NAMES_SHOWN]
    ]
    if len(silent) > NAMES_SHOWN:
        found.append(Finding("no-responses", "", f"{len(silent) - NAMES_SHOWN} more persons answered nothing"))
    return found


def design_components(responses: Responses) -> tuple[tuple[str, ...], ...]:
    """Items in groups that no person links: two items are of one group where a chain of persons joins them.

    Groups stand in the order of their first item. Items without responses and persons of weight 0 join nothing; the
    items without responses are left out. Across groups, scores are comparable only by assumption: that all persons are
    of one population, or through anchors.
    """
    J = len(responses.items)
    rows = responses.used_rows
    if not (responses.weight > 0).all():
        rows = np.flatnonzero(responses.used & (responses.weight > 0)[responses.person])
    item, person = responses.item[rows], responses.person[rows]
    answered = np.bincount(item, minlength=J)
    label = np.arange(J)
    sizes = np.bincount(person)
    if responses.rater is None and sizes.max(initial=0) == np.count_nonzero(answered):  # somebody had every item
        label[:] = 0
        person = person[:0]
    sizes = sizes[sizes > 0]
    first = np.cumsum(sizes) - sizes  # rows are sorted by person
    while len(person):  # the lowest label goes from items to persons and back until it is everywhere it can reach
        of_person = np.minimum.reduceat(label[item], first)
        reached = label.copy()
        np.minimum.at(reached, item, np.repeat(of_person, sizes))
        reached = reached[reached]
        if np.array_equal(reached, label):
            break
        label = reached
    groups: dict[int, list[str]] = {}
    for j in np.flatnonzero(answered):
        groups.setdefault(int(label[j]), []).append(responses.items[j])
    return tuple(map(tuple, groups.values()))


def _joined_by(anchors: Collection[str], components: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """The groups of items with those that hold an anchor as one."""
    known = set(anchors)
    apart = tuple(group for group in components if not known.intersection(group))
    joined = tuple(item for group in components if known.intersection(group) for item in group)
    return (joined, *apart) if joined else apart


def disconnected(components: tuple[tuple[str, ...], ...]) -> str:
    """The groups of items of a disconnected design, in a sentence."""
    groups = "; ".join(
        ", ".join(group[:NAMES_SHOWN]) + (f" and {len(group) - NAMES_SHOWN} more" if len(group) > NAMES_SHOWN else "")
        for group in components[:NAMES_SHOWN]
    )
    more = f"; and {len(components) - NAMES_SHOWN} more groups" if len(components) > NAMES_SHOWN else ""
    return (
        f"{len(components)} groups of items share no persons: {groups}{more}. Their scales are comparable only if all "
        "persons are of one population; else add persons or anchors that join them, or the answers that decided who "
        "got which, or calibrate each group by itself"
    )
