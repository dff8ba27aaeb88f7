"""Which numbers of which kinds of items? A small integer programme over kinds, then a first choice inside each kind.

Sets of items that meet the same lines (margins, cells, order of publication) are of one kind: only how many of a kind
are published matters to the proportions, so the programme has a column a kind and not a column an item. The secret
items of points and modules are looked at when the sets are drawn; where a point proves to be in the way it becomes part
of the kind, and the programme is solved again (lazy rows). In the end every point is, and the programme is exact.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.release.policy import InfeasibleReleaseError
from engine.release.quotas import EXACT
from engine.release.standing import Standing
from engine.release.strata import Demands
from engine.solver import Model, shortfalls, solve

OUTSIDE, LATER = 1000.0, 10.0  # what an item outside a cell's bounds costs, and one that should go later; deviation: 1
EXACT_SIZE = 1500  # up to so many sets the programme is exact at once
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
    """The sets that may be published, with their kinds."""
    lines = np.column_stack([demands.group_of, demands.margin_of, demands.cell_of])
    _, kind_of = np.unique(lines, axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    numbers: dict[tuple[int, ...], int] = {}
    kinds = [
        numbers.setdefault(tuple(sorted(kind_of[members].tolist())), len(numbers)) for members in standing.sets
    ]
    return Sets(
        items=standing.sets,
        kinds=np.array(kinds, np.intp),
        order=np.array([standing.order[members].min() for members in standing.sets], np.intp),
        keeps=tuple(_counted(demands.keep_of[members].ravel()) for members in standing.sets),
    )


def _counted(lines: NDArray[np.intp]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for line in lines.tolist():
        if line >= 0:
            counts[line] += 1
    return dict(counts)


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
    room = np.array([line.high - int(standing.public[line.members].sum()) for line in demands.keeps])
    binding = set(range(len(demands.keeps))) if len(sets.items) <= EXACT_SIZE else set()
    while True:
        kinds, members = _kinds(sets, binding)
        jitter = np.round(JITTER * rng.random(len(members)), 9)
        numbers, outside = _numbers(demands, standing, sets, members, room, binding, jitter, seed, nodes)
        chosen, blocking = _draw(sets, members, numbers, room, spread, rng)
        if not blocking - binding:
            return Choice(chosen, outside)
        binding |= blocking


def _kinds(sets: Sets, binding: set[int]) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Sets by kind, order, and the binding points they ask: the columns of the programme."""
    found: dict[tuple[object, ...], list[int]] = {}
    for u, keeps in enumerate(sets.keeps):
        bound = tuple(sorted((line, n) for line, n in keeps.items() if line in binding))
        found.setdefault((int(sets.kinds[u]), int(sets.order[u]), bound), []).append(u)
    members = [np.array(found[key]) for key in sorted(found)]
    column = np.empty(len(sets.items), np.intp)
    for k, group in enumerate(members):
        column[group] = k
    return column, members


def _numbers(
    demands: Demands,
    standing: Standing,
    sets: Sets,
    members: list[NDArray[np.intp]],
    room: NDArray[np.intp],
    binding: set[int],
    jitter: NDArray[np.float64],
    seed: int,
    nodes: int,
) -> tuple[NDArray[np.intp], int]:
    """How many sets of every column are published, and how many items that leaves outside the cells' bounds."""
    for elastic in (False, True):
        model, over = _model(demands, standing, sets, members, room, binding, jitter, elastic=elastic)
        solution = solve(model, seed=seed, nodes=nodes, gap=0.01 * JITTER)
        if solution.x is not None:
            outside = int(round(solution.x[over].sum())) if elastic else 0
            return np.rint(solution.x[: len(members)]).astype(np.intp), outside
    soft = [name for name in dict.fromkeys(model.row_names) if not name.startswith("cell")]
    blame = "; ".join(f"{one.rule} must give way by {one.amount:.4g}" for one in shortfalls(model, soft)[:5])
    raise InfeasibleReleaseError(
        f"no set of items meets the policy: {blame or f'none was found within {nodes} nodes'}; "
        "lower the share, keep fewer secret items, drop a margin or withhold less"
    )


def _model(
    demands: Demands,
    standing: Standing,
    sets: Sets,
    members: list[NDArray[np.intp]],
    room: NDArray[np.intp],
    binding: set[int],
    jitter: NDArray[np.float64],
    *,
    elastic: bool,
) -> tuple[Model, NDArray[np.int32]]:
    """The programme, and its columns for items outside the cells' bounds (none unless `elastic`)."""
    on_group, on_margin, on_cell, on_keep = (defaultdict[int, dict[int, int]](dict) for _ in range(4))
    cost = jitter.copy()
    for column, group in enumerate(members):
        one = sets.items[group[0]]  # the sets of a column stand on the same lines
        for rows, lines in (
            (on_group, demands.group_of[one]),
            (on_margin, demands.margin_of[one].ravel()),
            (on_cell, demands.cell_of[one]),
        ):
            for line, n in _counted(lines).items():
                rows[line][column] = n
        for line, n in sets.keeps[group[0]].items():
            if line in binding:
                on_keep[line][column] = n
        cost[column] += LATER * sets.order[group[0]] * len(one)
        cost[column] += sum(demands.cells[c].slope for c in demands.cell_of[one].tolist() if c >= 0)
    model = Model()
    model.add_columns(len(members), cost=cost, integer=True)
    model.upper = [float(len(group)) for group in members]
    public = standing.public
    for g, one in enumerate(demands.groups):
        need = one.target - one.public
        _add_row(model, f"the share of {demands.place(g)}", on_group[g], need, need)
    for number, line in enumerate(demands.margins):
        before = int(public[line.members].sum())
        name = f"{line.name} in {demands.place(line.group)} ({line.low} to {line.high} public)"
        _add_row(model, name, on_margin[number], line.low - before, line.high - before)
    for number in sorted(binding):
        name = f"the secret items of {demands.keeps[number].name}"
        _add_row(model, name, on_keep[number], -np.inf, int(room[number]))
    over: list[int] = []
    for number, line in enumerate(demands.cells):
        before = int(public[line.members].sum())
        extra: list[int] = []
        if elastic:
            beyond = OUTSIDE + np.array([1 - line.slope, 1 + line.slope])
            extra = model.add_columns(2, upper=np.inf, cost=beyond, integer=False).tolist()
            over += extra
        _add_row(model, f"cell {line.name}", on_cell[number], line.low - before, line.high - before, extra)
    return model, np.array(over, np.int32)


def _add_row(
    model: Model, name: str, row: dict[int, int], low: float, high: float, extra: list[int] | None = None
) -> None:
    columns = [*row, *(extra or ())]
    values = [*map(float, row.values()), *((-1.0, 1.0) if extra else ())]
    if columns:
        model.add_row(name, np.array(columns, np.int32), np.array(values), low, high)
    elif low > EXACT or high < -EXACT:
        raise InfeasibleReleaseError(f"{name}: nothing more may be published there, {low:g} to {high:g} must be")


def _draw(
    sets: Sets,
    members: list[NDArray[np.intp]],
    numbers: NDArray[np.intp],
    room: NDArray[np.intp],
    spread: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], set[int]]:
    """So many sets of every column, evenly over `spread`, and the points that stand in the way where that fails."""
    chosen = np.zeros(len(sets.items), bool)
    left = room.copy()
    blocking: set[int] = set()
    slack = [(len(group) - number) / len(group) for group, number in zip(members, numbers.tolist(), strict=True)]
    for column in np.argsort(slack, kind="stable").tolist():
        group, number = members[column], int(numbers[column])
        if not number:
            continue
        ordered = group[np.argsort(spread[group], kind="stable")]
        start = rng.random()
        wanted = np.floor((np.arange(number) + start) * len(group) / number).astype(np.intp)
        rest = np.setdiff1d(np.arange(len(group)), wanted)
        for u in ordered[np.concatenate([wanted, rng.permutation(rest)])].tolist():
            if number and all(left[line] >= n for line, n in sets.keeps[u].items()):
                chosen[u] = True
                number -= 1
                for line, n in sets.keeps[u].items():
                    left[line] -= n
        if number:
            blocking |= {line for u in group for line, n in sets.keeps[u].items() if not chosen[u] and left[line] < n}
    return chosen, blocking
