"""Which items a candidate gets and in what order: selection and ordering of sections, with a seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.sessions.definition import ItemRef, Section

if TYPE_CHECKING:
    from item_formats.sessions.definition import Definition

MOST_STOPS = 10_000  # items and sections; selections of selections with replacement can ask for any number
_ALL = ""  # in the count of appearances: everything selected so far; no identifier is empty

# An item on its way through the sections: the reference, and the sections around it, outermost first. Each section
# carries which of its appearances this is, because a section can be selected twice.
_Placed = tuple[ItemRef, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Stop:
    """One item on the route of a candidate: the `occurrence`-th (from 1) appearance of the reference `ref`."""

    ref: str
    occurrence: int
    part: str
    sections: tuple[tuple[str, int], ...]

    @property
    def key(self) -> str:
        """The name of this appearance: ``Q01.2``."""
        return f"{self.ref}.{self.occurrence}"


def route_of(definition: Definition, seed: int) -> tuple[Stop, ...]:
    """The items of one candidate, in order; the same for the same test and seed.

    Raises
    ------
    ItemError
        More than `MOST_STOPS` items.
    """
    random = Random(f"{seed} route")  # noqa: S311  # to be reproduced, not to be secret
    appearances: Counter[str] = Counter()
    stops: list[Stop] = []
    for part in definition.parts:
        for section in part.sections:
            for ref, sections in _section(section, (), random, appearances):
                appearances[ref.identifier] += 1
                stops.append(Stop(ref.identifier, appearances[ref.identifier], part.identifier, sections))
    return tuple(stops)


def _section(
    section: Section, around: tuple[tuple[str, int], ...], random: Random, appearances: Counter[str]
) -> list[_Placed]:
    """The items of a section, selected and ordered."""
    return [placed for block in _ordered(section, around, random, appearances) for placed in block[1]]


def _ordered(
    section: Section, around: tuple[tuple[str, int], ...], random: Random, appearances: Counter[str]
) -> list[tuple[bool, list[_Placed]]]:
    """What a section shuffles: blocks that stay together, with whether they are fixed, in their final order.

    A child that is an invisible section without keep-together is no block: its own children are mixed with the rest.
    """
    appearances[section.identifier] += 1
    within = (*around, (section.identifier, appearances[section.identifier]))
    chosen = _selected(section, random)
    appearances[_ALL] += len(chosen)
    if appearances[_ALL] > MOST_STOPS:
        message = f"the selections of the test ask for more than {MOST_STOPS:,} items and sections: select fewer"
        raise ItemError(Finding("error", "route-too-long", message))
    blocks: list[tuple[bool, list[_Placed]]] = []
    for child in chosen:
        if isinstance(child, ItemRef):
            blocks.append((child.fixed, [(child, within)]))
        elif section.shuffle and not child.visible and not child.keep_together:
            blocks.extend(_ordered(child, within, random, appearances))
        else:
            blocks.append((child.fixed, _section(child, within, random, appearances)))
    if section.shuffle:
        loose = [place for place, (fixed, _) in enumerate(blocks) if not fixed]
        mixed = random.sample(loose, len(loose))
        moved = dict(zip(loose, mixed, strict=True))
        blocks = [blocks[moved.get(place, place)] for place in range(len(blocks))]
    return blocks


def _selected(section: Section, random: Random) -> list[Section | ItemRef]:
    """The children selected, in the order of the document; required ones are in, the rest is drawn."""
    children = section.children
    if section.select is None:
        return list(children)
    places = [place for place, child in enumerate(children) if child.required]
    left = section.select - len(places)
    if section.with_replacement:
        places += random.choices(range(len(children)), k=left) if left > 0 else []
    else:
        places += random.sample([place for place in range(len(children)) if place not in places], left)
    return [children[place] for place in sorted(places)]
