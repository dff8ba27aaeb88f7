"""A named sparse linear model, and HiGHS to solve it: one thread, a fixed seed, stopped by work, never by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Model:
    """Rows low <= Σ coefficient · x <= high over columns with bounds and costs, minimised."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    columns: list[NDArray[np.int32]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)

    def add_columns(
        self, count: int, *, upper: float = 1.0, cost: float | NDArray[np.float64] = 0.0, integer: bool
    ) -> NDArray[np.int32]:
        """Columns from 0 to `upper`; their indices."""
        first = len(self.cost)
        self.cost.extend(np.broadcast_to(cost, count).tolist())
        self.lower.extend([0.0] * count)
        self.upper.extend([upper] * count)
        self.integer.extend([integer] * count)
        return np.arange(first, first + count, dtype=np.int32)

    def add_row(
        self,
        name: str,
        columns: NDArray[np.int32],
        values: NDArray[np.float64] | float,
        low: float,
        high: float,
    ) -> None:
        """A row; its name is the rule it stands for."""
        self.row_names.append(name)
        self.row_lower.append(low)
        self.row_upper.append(high)
        self.columns.append(columns)
        self.values.append(np.broadcast_to(np.asarray(values, float), columns.shape))
        self.starts.append(self.starts[-1] + len(columns))


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the columns (None when infeasible), the objective and the best bound on it, and the nodes searched."""

    x: NDArray[np.float64] | None
    objective: float
    bound: float
    nodes: int


def solve(
    model: Model,
    *,
    seed: int = 0,
    nodes: int = 5000,
    good_enough: float | None = None,
    gap: float = 1e-6,
    relaxed: bool = False,
) -> Solution:
    """The best values found within `nodes` branch-and-bound nodes; stops early at an objective of `good_enough`.

    It also stops within `gap` of the best possible objective, in its own units: a relative gap means nothing for
    objectives near 0.
    """
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "threads": 1,
        "parallel": "off",
        "random_seed": seed % 2**31,
        "mip_max_nodes": nodes,
        "mip_max_stall_nodes": nodes,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": gap,
        "mip_feasibility_tolerance": 1e-7,
    }
    if good_enough is not None:
        options["objective_target"] = good_enough
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.passModel(_program(model, relaxed=relaxed))
    highs.run()
    info = highs.getInfo()
    status = highs.getModelStatus()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if not found or status == highspy.HighsModelStatus.kInfeasible:
        return Solution(None, np.inf, np.inf, int(info.mip_node_count))
    x = np.array(highs.getSolution().col_value)
    bound = float(info.mip_dual_bound) if any(model.integer) and not relaxed else float(info.objective_function_value)
    return Solution(x, float(info.objective_function_value), bound, max(0, int(info.mip_node_count)))


def _program(model: Model, *, relaxed: bool) -> highspy.HighsLp:
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(model.cost), len(model.row_names)
    program.col_cost_ = np.array(model.cost)
    program.col_lower_, program.col_upper_ = np.array(model.lower), np.array(model.upper)
    program.row_lower_, program.row_upper_ = np.array(model.row_lower), np.array(model.row_upper)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.array(model.starts, np.int32)
    program.a_matrix_.index_ = np.concatenate(model.columns) if model.columns else np.zeros(0, np.int32)
    program.a_matrix_.value_ = np.concatenate(model.values) if model.values else np.zeros(0)
    if not relaxed:
        kinds = {True: highspy.HighsVarType.kInteger, False: highspy.HighsVarType.kContinuous}
        program.integrality_ = [kinds[one] for one in model.integer]
    return program


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A rule that cannot be met with the others, and by how much it must give way."""

    rule: str
    amount: float


def shortfalls(model: Model, names: Sequence[str], *, nodes: int = 500) -> tuple[Shortfall, ...]:
    """Which rows called `names` must give way, and how far, so that the model has a solution: an elastic run.

    The sum of the violations, each relative to its bound, is minimised with whole items, so that what is reported is
    enough; for the relaxed model where no whole items are found within `nodes`.
    """
    elastic = Model(
        cost=[0.0] * len(model.cost),
        lower=list(model.lower),
        upper=list(model.upper),
        integer=list(model.integer),
        row_names=list(model.row_names),
        row_lower=list(model.row_lower),
        row_upper=list(model.row_upper),
        starts=[0],
    )
    giving = set(names)
    slack: dict[int, str] = {}
    for r, name in enumerate(model.row_names):
        columns, values = model.columns[r], model.values[r]
        if name in giving:
            bounds = (model.row_lower[r], model.row_upper[r])
            size = max([1.0, *(abs(bound) for bound in bounds if np.isfinite(bound))])
            pair = elastic.add_columns(2, upper=np.inf, cost=1.0 / size, integer=False)
            slack |= {int(pair[0]): name, int(pair[1]): name}
            columns, values = np.concatenate([columns, pair]), np.concatenate([values, [1.0, -1.0]])
        elastic.columns.append(columns.astype(np.int32))
        elastic.values.append(np.asarray(values, float))
        elastic.starts.append(elastic.starts[-1] + len(columns))
    for relaxed in (False, True):
        solution = solve(elastic, nodes=nodes, relaxed=relaxed)
        if solution.x is None:
            continue
        amounts: dict[str, float] = {}
        for column, name in slack.items():
            if solution.x[column] > 1e-6:
                amounts[name] = amounts.get(name, 0.0) + float(solution.x[column])
        return tuple(Shortfall(name, amount) for name, amount in amounts.items())
    return ()
