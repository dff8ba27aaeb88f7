"""In which order does a candidate meet the items of a form?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from engine.assembly.keys import Ties, Unit, balance_keys
from engine.assembly.paper import Paper
from engine.blueprints import Blueprint
from engine.pools import Pool

Key = tuple[int, float, str]  # numbers before texts before empty cells
NOTHING: Key = (2, 0.0, "")


def arrange(paper: Paper, members: NDArray[np.intp], *, seed: int = 0) -> tuple[list[int], Mapping[str, str]]:
    """Positions in the order a candidate meets them, and the order of options (`Form.shuffles`) that balances the keys.

    Items stand by the blueprint's columns: the marked kinds in the order of [marks], `difficulty` by b where the pool
    has no such column, numbers by size, others as text, empty cells last. An item set stands as one, in the order of
    the column `set_order` or by id, where its first item falls. Items that all columns hold equal stand by id, but may
    change places where a `key_balance` asks for it. Raises UnbalancedKeysError for keys that cannot be balanced so.
    """
    return balance_keys(paper, tied_units(paper, members), seed=seed)


def tied_units(paper: Paper, members: NDArray[np.intp]) -> Ties:
    """What stands together, in order, those apart that the blueprint's columns hold equal."""
    pool, blueprint = paper.pool, paper.blueprint
    ranks = [_rank(pool, blueprint, column) for column in blueprint.order]

    def rank(unit: Unit) -> tuple[Key, ...]:
        return tuple(one(unit[0]) for one in ranks)

    units = sorted(_units(pool, blueprint.together, sorted(members.tolist())), key=lambda unit: (rank(unit), unit[0]))
    return [list(tied) for _, tied in groupby(units, key=rank)]


def _units(pool: Pool, together: str, members: list[int]) -> list[Unit]:
    if not together:
        return [(j,) for j in members]
    codes, values = pool.codes(together)
    place = _numbered(pool, "set_order") if "set_order" in pool.attributes else lambda _: NOTHING
    sets: dict[object, list[int]] = {}
    for j in members:
        sets.setdefault(values[codes[j]] or j, []).append(j)
    return [tuple(sorted(unit, key=lambda j: (place(j), j))) for unit in sets.values()]


def _rank(pool: Pool, blueprint: Blueprint, column: str) -> Callable[[int], Key]:
    """What items are sorted by in one column; positions in a pool are in the order of ids."""
    if column == "difficulty" and column not in pool.attributes:
        return lambda j: _number(float(pool.parameters.b[j]), "")
    if column != blueprint.marks_by or not blueprint.marks:
        return _numbered(pool, column)
    kinds = {kind: float(n) for n, kind in enumerate(blueprint.marks)}
    codes, values = pool.codes(column)
    return lambda j: _number(kinds.get(values[codes[j]], float("nan")), values[codes[j]])


def _numbered(pool: Pool, column: str) -> Callable[[int], Key]:
    coded = pool.coded(column)
    codes = coded.first()
    return lambda j: _number(float(coded.numbers[codes[j]]), coded.values[codes[j]])


def _number(value: float, text: str) -> Key:
    if isfinite(value):
        return (0, value, "")
    return (1, 0.0, text) if text else NOTHING
