"""What runs out first? Supply against what a paper needs, rule by rule and cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

from engine.diagnosis.counting import supply
from engine.diagnosis.question import LENGTH, Question
from engine.pools import Pool

Positions = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class RuleSupply:
    """What a rule needs on each paper, what the bank holds of it, and for how many papers that is enough."""

    rule: str
    need: float
    supply: float
    papers: int


@dataclass(frozen=True, slots=True)
class CellSupply:
    """Items of a cell (column → value): how many may be chosen, how many are left, how many a paper takes.

    `papers` is how many papers of that need the supply lasts for, infinite where no paper takes one.
    """

    cell: Mapping[str, str]
    supply: int
    left: int
    need: float
    papers: float


def of_rules(question: Question, papers: int) -> tuple[RuleSupply, ...]:
    """Rules that want something, those that run out first before others, for one paper more than `papers`.

    Where at most one item a point stands on a form, so many of each point count as there are papers.
    """
    asked = replace(question, forms=papers + 1)
    rows, length = question.bare.rows, question.blueprint.length
    found = []
    for r, name in enumerate(rows.names):
        worth = np.asarray(rows.matrix[[r]].todense()).ravel()
        need = float(rows.low[r])
        if need <= 0 or not np.isfinite(need) or (worth < 0).any():
            continue
        held, _ = supply(asked, worth, len(worth) if name == LENGTH else length * (papers + 1))
        found.append(RuleSupply(name, need, held, floor(held / need + 1e-9)))
    return tuple(sorted(found, key=lambda one: (one.supply / one.need, one.rule)))


def of_cells(question: Question, forms: Sequence[Positions], columns: Sequence[str]) -> tuple[CellSupply, ...]:
    """Cells of each column alone and of all together, those that run out first before others.

    What a paper needs of a cell is what the papers that were assembled hold of it on average.
    """
    ways = dict.fromkeys([*((column,) for column in columns), tuple(columns)])
    eligible = question.eligible
    used = np.zeros(len(question.pool))
    for form in forms:
        used[form] += 1
    found = []
    for way in ways:
        cells, number = cells_of(question.pool, way)
        held = np.bincount(number[eligible], minlength=len(cells))
        taken = np.bincount(number, used, minlength=len(cells))
        for cell, have, gone in zip(cells, held.tolist(), taken.tolist(), strict=True):
            need = gone / len(forms) if forms else 0.0
            lasts = have / need if need else inf
            found.append(CellSupply(dict(zip(way, cell, strict=True)), have, have - int(gone), need, lasts))
    return tuple(sorted(found, key=lambda one: (one.papers, len(one.cell), one.left, *one.cell.values())))


def cells_of(pool: Pool, columns: Sequence[str]) -> tuple[list[tuple[str, ...]], NDArray[np.intp]]:
    """The cells of the pool, as values of the columns, and the number of each item's, (J,)."""
    codes = np.stack([pool.codes(column)[0] for column in columns], axis=1)
    found, number = np.unique(codes, axis=0, return_inverse=True)
    values = [pool.codes(column)[1] for column in columns]
    cells = [tuple(value[code] for value, code in zip(values, row, strict=True)) for row in found.tolist()]
    return cells, np.asarray(number.reshape(-1), np.intp)
