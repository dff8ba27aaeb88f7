"""A named sparse linear model, and HiGHS to solve it: one thread, a fixed seed, stopped by work, never by the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from engine.assembly.clock import seconds_left

Vector = NDArray[np.float64]
Columns = NDArray[np.int32]


@dataclass(slots=True)
class Model:
    """Rows low <= Σ coefficient · x <= high over columns with bounds and costs, minimised; rows bear rules' names."""

    row_names: list[str] = field(default_factory=list)
    cost: Vector = field(default_factory=lambda: np.zeros(0))
    lower: Vector = field(default_factory=lambda: np.zeros(0))
    upper: Vector = field(default_factory=lambda: np.zeros(0))
    integer: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)  # entries of each row
    columns: list[Columns] = field(default_factory=list)
    values: list[Vector] = field(default_factory=list)

    def add_columns(
        self, count: int, *, lower: ArrayLike = 0.0, upper: ArrayLike = 1.0, cost: ArrayLike = 0.0, integer: bool
    ) -> Columns:
        """Columns between bounds, each one number or (count,); their indices."""
        first = len(self.cost)
        for name, value in (("cost", cost), ("lower", lower), ("upper", upper), ("integer", integer)):
            held = getattr(self, name)
            setattr(self, name, np.concatenate([held, np.broadcast_to(np.asarray(value, held.dtype), count)]))
        return np.arange(first, first + count, dtype=np.int32)

    def add_row(self, name: str, columns: Columns, values: ArrayLike, low: float, high: float) -> None:
        """A row; its name is the rule it stands for."""
        self.row_names.append(name)
        self.row_lower.append(low)
        self.row_upper.append(high)
        self.lengths.append(len(columns))
        self.columns.append(np.asarray(columns, np.int32))
        self.values.append(np.broadcast_to(np.asarray(values, float), len(columns)))

    def add_rows(
        self, names: Iterable[str], matrix: csr_array, columns: Columns, low: ArrayLike, high: ArrayLike
    ) -> None:
        """Rows of a sparse matrix (R, n) over `columns` (n,), with bounds (R,) or one for all."""
        rows = matrix.shape[0]
        self.row_names.extend(names)
        self.row_lower.extend(np.broadcast_to(np.asarray(low, float), rows).tolist())
        self.row_upper.extend(np.broadcast_to(np.asarray(high, float), rows).tolist())
        self.lengths.extend(np.diff(matrix.indptr).tolist())
        self.columns.append(columns[matrix.indices])
        self.values.append(np.asarray(matrix.data, float))

    @property
    def matrix(self) -> csr_array:
        """All rows, (R, C)."""
        columns = np.concatenate([np.zeros(0, np.int32), *self.columns])
        values = np.concatenate([np.zeros(0), *self.values])
        start = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int32)])
        return csr_array((values, columns, start), shape=(len(self.row_names), len(self.cost)))


@dataclass(frozen=True, slots=True)
class Solution:
    """Values of the columns (None when none were found), the objective, the best bound on it, and the nodes searched.

    `infeasible` says that there are none, not only that none were found. `duals` (R,) are those of a relaxed model.
    """

    x: Vector | None
    objective: float
    bound: float
    nodes: int
    infeasible: bool
    duals: Vector


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
    if np.isfinite(seconds_left()):
        options["time_limit"] = max(seconds_left(), 0.01)
    for name, value in options.items():
        highs.setOptionValue(name, value)
    highs.passModel(program(model, relaxed=relaxed))
    highs.run()
    info, status = highs.getInfo(), highs.getModelStatus()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    searched = max(0, int(info.mip_node_count))
    if not found or status == highspy.HighsModelStatus.kInfeasible:
        impossible = status == highspy.HighsModelStatus.kInfeasible
        return Solution(None, np.inf, np.inf, searched, infeasible=impossible, duals=np.zeros(0))
    values = highs.getSolution()
    objective = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if model.integer.any() and not relaxed else objective
    return Solution(
        np.array(values.col_value), objective, bound, searched, infeasible=False, duals=np.array(values.row_dual)
    )


def program(model: Model, *, relaxed: bool) -> highspy.HighsLp:
    matrix = model.matrix
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = matrix.shape[1], matrix.shape[0]
    program.col_cost_, program.col_lower_, program.col_upper_ = model.cost, model.lower, model.upper
    program.row_lower_, program.row_upper_ = np.array(model.row_lower), np.array(model.row_upper)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    program.a_matrix_.index_ = matrix.indices.astype(np.int32)
    program.a_matrix_.value_ = matrix.data
    if not relaxed and model.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        program.integrality_ = [kinds[one] for one in model.integer.tolist()]
    return program
