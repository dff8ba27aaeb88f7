"""Which items are best written next? Those with which the fewest buy one more paper.

Beside the items of the bank stand items that could be written, one kind for each cell. The fewest of them with which
one more paper fits is a linear program over all papers together (its duals price each rule in items); what it orders
is then written as drafts into the bank, and the papers are assembled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.assembly.models import add_form
from engine.assembly.paper import Paper
from engine.assembly.solver import Model, solve
from engine.capacity.supply import cells_of
from engine.pools import Pool, Value

Vector = NDArray[np.float64]
Positions = NDArray[np.intp]
Compile = Callable[[Pool], Paper]

KINDS = 20_000  # kinds of items that could be written; beyond, only those that the bank has already
NODES = 200
FRESH = {"uses": "0", "enemies": (), "stimulus": None}  # what nothing new has
DRAFT = "new item"


@dataclass(frozen=True, slots=True)
class WritingLine:
    """So many items of a cell (column → value) to write."""

    cell: Mapping[str, str]
    items: int


@dataclass(frozen=True, slots=True)
class Step:
    """What to write, beyond the steps before, so that the bank gives `papers` papers.

    Fewer than `fewest` cannot do it; what is ordered beyond leaves the assembly room. `prices` says what stands in the
    way: by how many items the order would be shorter if a rule asked for one less (one mark, one minute) on all papers
    together. `assembled` says that the papers were made with drafts of the items.
    """

    papers: int
    fewest: int
    lines: tuple[WritingLine, ...]
    prices: Mapping[str, float]
    assembled: bool

    @property
    def items(self) -> int:
        return sum(line.items for line in self.lines)


class Writing:
    """The bank with one draft of every kind of item that could be written, compiled once."""

    def __init__(
        self, pool: Pool, eligible: NDArray[np.bool_], columns: Sequence[str], by: str, paper_of: Compile
    ) -> None:
        self.pool, self.columns = pool, tuple(columns)
        self.rows = [pool.row(j) for j in range(len(pool))]
        self.kinds = _kinds(pool, eligible, columns)
        self.drafts = drafts(pool, eligible, columns, self.kinds, by)
        bank = Pool.from_rows([*self.rows, *(_named(row, n, 0) for n, row in enumerate(self.drafts))], scale=pool.scale)
        self.paper = paper_of(bank)
        is_draft = np.array([name.startswith(DRAFT) for name in bank.ids], bool)
        self.kind = np.where(is_draft, np.cumsum(is_draft) - 1, -1)

    def order(self, papers: int, already: Vector, *, spare: float = 0.0) -> tuple[Vector, Mapping[str, float]] | None:
        """How many of each kind (K,) to write so that so many papers, and a share of one to `spare`, fit.

        `already` (K,) are ordered. None where no order helps.
        """
        paper = self.paper
        items = np.flatnonzero(paper.eligible)
        model = Model()
        x, _ = add_form(model, paper, items, times=papers)
        new = self.kind[items] >= 0
        kinds, columns = self.kind[items][new], x[new]
        scale = 1 + spare / papers  # every bound is so many times that of one paper
        model.row_lower = [scale * bound for bound in model.row_lower]
        model.row_upper = [scale * bound for bound in model.row_upper]
        model.integer[:] = False
        model.cost[columns] = 1.0
        model.lower[columns] = already[kinds]
        model.upper[columns] = np.inf
        relaxed = solve(model, relaxed=True)
        if relaxed.x is None:
            return None
        prices: Counter[str] = Counter()
        for name, dual in zip(model.row_names, np.abs(relaxed.duals).tolist(), strict=True):
            prices[name] = max(prices[name], round(dual, 6))
        model.integer[columns] = True
        whole = solve(model, nodes=NODES, gap=0.999)
        chosen = np.zeros(len(self.kinds))
        if whole.x is not None:
            chosen[kinds] = np.round(whole.x[columns])
        else:
            chosen[kinds] = np.ceil(relaxed.x[columns] - 1e-7)
        return chosen, {name: price for name, price in prices.most_common() if price > 0}

    def bank_with(self, counts: Vector) -> Pool:
        """The bank with so many drafts (K,) of each kind."""
        written = [_named(self.drafts[k], k, n) for k in np.flatnonzero(counts).tolist() for n in range(int(counts[k]))]
        return Pool.from_rows([*self.rows, *written], scale=self.pool.scale)

    def lines(self, counts: Vector) -> tuple[WritingLine, ...]:
        """The counts (K,) as an order, the largest first."""
        named = [
            WritingLine(dict(zip(self.columns, self.kinds[k], strict=True)), int(counts[k]))
            for k in np.flatnonzero(counts).tolist()
        ]
        return tuple(sorted(named, key=lambda one: (-one.items, *one.cell.values())))


def drafts(
    pool: Pool, eligible: NDArray[np.bool_], columns: Sequence[str], kinds: Sequence[tuple[str, ...]], by: str
) -> list[dict[str, Any]]:
    """A draft of each kind, as a row of a pool: like the items of its cell.

    An attribute that one of the cell's columns decides (the section of a point) is what it decides; any other is what
    most items with the same value of the column `by` (the type) have. Parameters are the median of items with its value
    in the last column, difficulty where there is one, that has calibrated ones.
    """
    chosen = np.flatnonzero(eligible)
    others = [name for name in pool.attributes if name not in columns and name not in FRESH]
    deciding = {name: _decided(pool, name, columns) or _usual(pool, name, columns, by, chosen) for name in others}
    parameters = [_median(pool, chosen, column) for column in columns]
    made = []
    for kind in kinds:
        row: dict[str, Any] = {name: value for name, value in FRESH.items() if name in pool.attributes}
        row |= dict(zip(columns, kind, strict=True))
        row |= {name: decided.get(kind[n], decided.get("")) for name, (n, decided) in deciding.items()}
        if "shuffle" in row:
            row["shuffle"] = "yes"  # a key can be written as any letter
        known = [table[value] for table, value in zip(parameters, kind, strict=True) if value in table]
        made.append(row | (known[-1] if known else {}))
    return made


def _kinds(pool: Pool, eligible: NDArray[np.bool_], columns: Sequence[str]) -> list[tuple[str, ...]]:
    cells, number = cells_of(pool, columns)
    held = [cells[n] for n in np.unique(number[eligible])]
    values = [sorted({cell[n] for cell in held} - {""}) for n in range(len(columns))]
    count = int(np.prod([len(one) for one in values]))
    return list(product(*values)) if 0 < count <= KINDS else held


def _decided(pool: Pool, name: str, columns: Sequence[str]) -> tuple[int, dict[str, Value]] | None:
    """The first of the columns whose value decides that of `name`, and how; None where none does."""
    cells = pool.attributes[name]
    for n, column in enumerate(columns):
        codes, values = pool.codes(column)
        decided: dict[str, Value] = {}
        if all(
            decided.setdefault(values[code], cell) == cell for code, cell in zip(codes.tolist(), cells, strict=True)
        ):
            return n, decided
    return None


def _usual(pool: Pool, name: str, columns: Sequence[str], by: str, chosen: Positions) -> tuple[int, dict[str, Value]]:
    """What most of the chosen items have for each value of the column `by`, and, under "", what most of all have."""
    cells = pool.attributes[name]
    n = columns.index(by) if by in columns else 0
    codes, values = pool.codes(columns[n])
    counts: dict[str, Counter[Value]] = {"": Counter(cells[j] for j in chosen)}
    for j in chosen if by in columns else ():
        counts.setdefault(values[codes[j]], Counter())[cells[j]] += 1
    return n, {value: count.most_common(1)[0][0] for value, count in counts.items() if count}


def _median(pool: Pool, chosen: Positions, column: str) -> dict[str, dict[str, float]]:
    """Median parameters of the items with each value of a column."""
    known = chosen[pool.dichotomous[chosen]]
    codes, values = pool.codes(column)
    table = pool.parameters
    numbers = np.stack([table.a, table.b, table.c, table.d], axis=1)
    return {
        values[code]: dict(zip("abcd", np.median(numbers[known[codes[known] == code]], axis=0).tolist(), strict=True))
        for code in np.unique(codes[known]).tolist()
    }


def _named(row: Mapping[str, Any], kind: int, number: int) -> dict[str, Any]:
    return {**row, "id": f"{DRAFT} {kind:06d}-{number:03d}"}
