"""Which numbers of which kinds of items? A small integer programme over kinds, then a first choice inside each kind.

Sets of items that meet the same lines (margins, cells, order of publication) are of one kind: only how many of a kind
are published matters to the proportions, so the programme has a column a kind and not a column an item. The secret
items of points and modules are looked at when the sets are drawn; where a point proves to be in the way it becomes part
of the kind, and the programme is solved again (lazy rows). In the end every point is, and the programme is exact.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from engine.assembly.solver import Model, solve
from engine.release.policy import InfeasibleReleaseError
from engine.release.quotas import EXACT
from engine.release.standing import FIRST, Standing
from engine.release.strata import Demands, on_lines

OUTSIDE, LATER = 1000.0, 10.0  # what an item outside a cell's bounds costs, and one that should go later; deviation: 1
EXACT_SIZE = 1500  # up to so many sets the programme is exact at once
CELL = "cell "
COARSE = 0.5  # of a large programme: within half an item of the best
PART = 2.0
JITTER = 1e-4  # decides between equals, by the seed


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of items that go together as rows (U,): on which lines they stand, and their kind.

    `kinds` numbers sets that meet the same margins and cells; `order` is that of the set's first item, `keeps` the
    points and modules of its items, with how many of them.
    """

    items: tuple[NDArray[np.intp], ...]
    kinds: NDArray[np.intp]
    order: NDArray[np.intp]
    keeps: tuple[dict[int, int], ...]


def sets_of(demands: Demands, standing: Standing) -> Sets:
    """The sets that may be published, with their kinds; not those that would leave a point too few secret items."""
    room = room_of(demands, standing)
    lines_of = demands.keep_of.tolist()
    asked = [_counted([line for j in members.tolist() for line in lines_of[j]]) for members in standing.sets]
    fits = [all(n <= room[line] for line, n in keeps.items()) for keeps in asked]
    able = [members for members, fit in zip(standing.sets, fits, strict=True) if fit]
    lines = np.column_stack([demands.group_of, demands.margin_of, demands.cell_of])
    _, kind_of = np.unique(lines, axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    numbers: dict[tuple[int, ...], int] = {}
    kinds = [numbers.setdefault(tuple(sorted(kind_of[members].tolist())), len(numbers)) for members in able]
    return Sets(
        items=tuple(able),
        kinds=np.array(kinds, np.intp),
        order=np.array([standing.order[members].min() for members in able], np.intp),
        keeps=tuple(keeps for keeps, fit in zip(asked, fits, strict=True) if fit),
    )


def room_of(demands: Demands, standing: Standing) -> list[int]:
    """How many more items of every point and module may be published."""
    most = np.array([line.high for line in demands.keeps], np.intp)
    return [int(n) for n in most - on_lines(demands.keep_of, len(most), standing.public)]


def _counted(lines: list[int]) -> dict[int, int]:
    """How many items stand on each line."""
    counts: dict[int, int] = {}
    for line in lines:
        if line >= 0:
            counts[line] = counts.get(line, 0) + 1
    return counts


@dataclass(frozen=True, slots=True)
class Choice:
    """Chosen sets (U,), and by how many items cells lie outside the floor and ceiling of their quotas."""

    chosen: NDArray[np.bool_]
    outside: int


def choose(
    demands: Demands, standing: Standing, sets: Sets, spread: NDArray[np.float64], *, seed: int, nodes: int
) -> Choice:
    """Sets that meet every line; of one kind and order, those spread evenly over `spread` (U,), the difficulty.

    Least of all are the items outside the cells' bounds, then those published before others that should go first, then
    Σ |published - quota| of the cells. Raises InfeasibleReleaseError with what stands in the way.
    """
    rng = np.random.default_rng(seed)
    room = room_of(demands, standing)
    binding = set(range(len(room))) if len(sets.items) <= EXACT_SIZE else _crowded(sets, room)
    while True:
        members = _columns(sets, binding)
        jitter = np.round(JITTER * rng.random(len(members)), 9)
        numbers, outside = _numbers(demands, standing, sets, members, room, binding, jitter, seed, nodes)
        chosen, blocking = _draw(sets, members, numbers, room, spread, rng)
        if not blocking - binding:
            return Choice(chosen, outside)
        binding |= blocking


def _crowded(sets: Sets, room: list[int]) -> set[int]:
    """Points and modules that cannot publish all their items that should go first."""
    wanted = [0] * len(room)
    for keeps, order in zip(sets.keeps, sets.order.tolist(), strict=True):
        for line, n in keeps.items() if order == FIRST else ():
            wanted[line] += n
    return {line for line, n in enumerate(wanted) if n > room[line]}


def _columns(sets: Sets, binding: set[int]) -> list[NDArray[np.intp]]:
    """Sets by kind, order, and the binding points they ask: the columns of the programme."""
    found: dict[tuple[object, ...], list[int]] = {}
    rows = zip(sets.kinds.tolist(), sets.order.tolist(), sets.keeps, strict=True)
    for u, (kind, order, keeps) in enumerate(rows):
        bound = tuple(sorted((line, n) for line, n in keeps.items() if line in binding)) if binding else ()
        found.setdefault((kind, order, bound), []).append(u)
    return [np.array(found[key]) for key in sorted(found)]


def _numbers(
    demands: Demands,
    standing: Standing,
    sets: Sets,
    members: list[NDArray[np.intp]],
    room: list[int],
    binding: set[int],
    jitter: NDArray[np.float64],
    seed: int,
    nodes: int,
) -> tuple[NDArray[np.intp], int]:
    """How many sets of every column are published, and how many items that leaves outside the cells' bounds."""
    exact = len(binding) == len(room)
    for part, elastic in ((1.0, False), (1.0, True)) if exact else ((PART, False), (1.0, False), (1.0, True)):
        most = _most(demands, sets, members, part)
        model, over = _model(demands, standing, sets, members, most, room, binding, jitter, elastic=elastic)
        solution = solve(model, seed=seed, nodes=nodes, gap=0.01 * JITTER if exact else COARSE)
        if solution.x is not None:
            outside = round(solution.x[over].sum()) if elastic else 0
            return np.rint(solution.x[: len(members)]).astype(np.intp), outside
    blame = _in_the_way(model, seed, nodes) or f"none was found within {nodes} nodes"
    raise InfeasibleReleaseError(
        f"no set of items meets the policy: {blame}; lower the share, keep fewer secret items, drop a margin or "
        "withhold less"
    )


def _in_the_way(model: Model, seed: int, nodes: int) -> str:
    """Which lines must give way, and how far, so that the programme has a solution: least in all."""
    rows = [r for r, name in enumerate(model.row_names) if not name.startswith(CELL)]
    loose, count = Model(), len(model.cost)
    x = loose.add_columns(count, lower=model.lower, upper=model.upper, integer=True)
    slack = loose.add_columns(2 * len(rows), upper=np.inf, cost=1.0, integer=False)
    less = csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(model.row_names), len(rows)))
    matrix = csr_array(hstack([model.matrix, less, -less]))
    loose.add_rows(model.row_names, matrix, np.concatenate([x, slack]), model.row_lower, model.row_upper)
    solution = solve(loose, seed=seed, nodes=nodes)
    if solution.x is None:
        return ""
    amounts = solution.x[slack].reshape(2, -1).sum(axis=0)
    giving = [f"{model.row_names[rows[n]]} must give way by {amounts[n]:.4g}" for n in np.flatnonzero(amounts > 1e-6)]
    return "; ".join(giving[:5]) + (f"; and {len(giving) - 5} lines more" if len(giving) > 5 else "")


def _most(demands: Demands, sets: Sets, members: list[NDArray[np.intp]], part: float) -> list[int]:
    """How many sets of every column may be published: all, or of those that need not go first `part` times their share.

    A programme likes to publish all of some kinds and none of others, which empties points without need.
    """
    if part == 1.0:
        return [len(group) for group in members]
    reached = [demands.groups[demands.group_of[sets.items[group[0]][0]]].reached for group in members]
    return [
        len(group) if sets.order[group[0]] == FIRST else min(len(group), ceil(part * share * len(group)))
        for group, share in zip(members, reached, strict=True)
    ]


def _model(
    demands: Demands,
    standing: Standing,
    sets: Sets,
    members: list[NDArray[np.intp]],
    most: list[int],
    room: list[int],
    binding: set[int],
    jitter: NDArray[np.float64],
    *,
    elastic: bool,
) -> tuple[Model, NDArray[np.int32]]:
    """The programme, and its columns for items outside the cells' bounds (none unless `elastic`)."""
    samples = [sets.items[group[0]] for group in members]  # the sets of a column stand on the same lines
    slopes = np.array([line.slope for line in demands.cells] + [0.0])
    later = LATER * np.array([sets.order[group[0]] * len(sets.items[group[0]]) for group in members])
    model = Model()
    model.add_columns(
        len(members),
        cost=jitter + later + [slopes[demands.cell_of[one]].sum() for one in samples],
        upper=most,
        integer=True,
    )
    public = standing.public
    on_group = _rows([demands.group_of[one] for one in samples])
    for g, group in enumerate(demands.groups):
        need = group.target - group.public
        _add_row(model, f"the share of {demands.place(g)}", on_group[g], need, need)
    on_margin = _rows([demands.margin_of[one].ravel() for one in samples])
    for n, line in enumerate(demands.margins):
        before = int(public[line.members].sum())
        name = f"{line.name} in {demands.place(line.group)} ({line.low} to {line.high} public)"
        _add_row(model, name, on_margin[n], line.low - before, line.high - before)
    on_keep = _rows([demands.keep_of[one].ravel() for one in samples])
    for n in sorted(binding):
        _add_row(model, f"the secret items of {demands.keeps[n].name}", on_keep[n], -np.inf, room[n])
    on_cell = _rows([demands.cell_of[one] for one in samples])
    over: list[int] = []
    for n, line in enumerate(demands.cells):
        before = int(public[line.members].sum())
        extra: list[int] = []
        if elastic:
            beyond = OUTSIDE + np.array([1 - line.slope, 1 + line.slope])
            extra = model.add_columns(2, upper=np.inf, cost=beyond, integer=False).tolist()
            over += extra
        _add_row(model, CELL + line.name, on_cell[n], line.low - before, line.high - before, extra)
    return model, np.array(over, np.int32)


def _rows(lines: list[NDArray[np.intp]]) -> dict[int, dict[int, int]]:
    """For every line, how many items a set of each column has on it."""
    rows: dict[int, dict[int, int]] = defaultdict(dict)
    for column, those in enumerate(lines):
        for line, n in _counted(those.tolist()).items():
            rows[line][column] = n
    return rows


def _add_row(
    model: Model, name: str, row: dict[int, int], low: float, high: float, extra: list[int] | None = None
) -> None:
    columns = [*row, *(extra or ())]
    values = [*map(float, row.values()), *((-1.0, 1.0) if extra else ())]
    if columns or name.startswith(CELL):  # a cell without columns may be one that no set can fill
        model.add_row(name, np.array(columns, np.int32), np.array(values), low, high)
    elif low > EXACT or high < -EXACT:
        raise InfeasibleReleaseError(
            f"{name}: {low:g} to {high:g} more must be published, but every item there is barred, goes with one that "
            "is, or is the last secret one of its point"
        )


def _draw(
    sets: Sets,
    members: list[NDArray[np.intp]],
    numbers: NDArray[np.intp],
    room: list[int],
    spread: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], set[int]]:
    """So many sets of every column, evenly over `spread`, and the points that stand in the way where that fails."""
    draw = _Draw(sets, members, list(room))
    blocking: set[int] = set()
    slack = [1 - number / len(group) for group, number in zip(members, numbers.tolist(), strict=True)]
    single = [len(sets.items[group[0]]) == 1 for group in members]
    for column in np.lexsort((slack, single)).tolist():  # sets of several items first, then kinds with little choice
        group, number = members[column], int(numbers[column])
        if not number:
            continue
        ordered = group[np.argsort(spread[group], kind="stable")]
        wanted = np.floor((np.arange(number) + rng.random()) * len(group) / number).astype(np.intp)
        rest = np.delete(np.arange(len(group)), wanted)
        candidates = ordered[np.concatenate([wanted, rng.permutation(rest)])].tolist()
        for u in candidates:
            if number and draw.fits(u):
                draw.take(u)
                number -= 1
        for u in candidates if number else ():
            if number and u not in draw.chosen and draw.make_room(u):
                draw.take(u)
                number -= 1
        if number:
            blocking |= {line for u in candidates if u not in draw.chosen for line in draw.full(u)}
    chosen = np.zeros(len(sets.items), bool)
    chosen[list(draw.chosen)] = True
    return chosen, blocking


class _Draw:
    """Sets drawn so far, and the room that points and modules have left."""

    def __init__(self, sets: Sets, members: list[NDArray[np.intp]], room: list[int]) -> None:
        self.keeps, self.members, self.room = sets.keeps, members, room
        self.column = {u: column for column, group in enumerate(members) for u in group.tolist()}
        self.chosen: set[int] = set()
        self.on: dict[int, set[int]] = defaultdict(set)  # chosen sets of each point

    def full(self, u: int) -> list[int]:
        """The points that have no room for a set."""
        return [line for line, n in self.keeps[u].items() if self.room[line] < n]

    def fits(self, u: int) -> bool:
        return not self.full(u)

    def take(self, u: int) -> None:
        self.chosen.add(u)
        for line, n in self.keeps[u].items():
            self.room[line] -= n
            self.on[line].add(u)

    def give_back(self, u: int) -> None:
        self.chosen.remove(u)
        for line, n in self.keeps[u].items():
            self.room[line] += n
            self.on[line].remove(u)

    def make_room(self, u: int) -> bool:
        """Chosen sets of a full point give way to others of their column; is there room for `u` then?"""
        for line in self.full(u):
            for other in sorted(self.on[line]):
                if self.room[line] >= self.keeps[u][line]:
                    break
                column = self.column[other]
                for instead in self.members[column].tolist() if column != self.column[u] else ():
                    if instead not in self.chosen and line not in self.keeps[instead] and self.fits(instead):
                        self.give_back(other)
                        self.take(instead)
                        break
        return self.fits(u)
