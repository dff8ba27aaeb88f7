"""The rules as a linear model in which every rule can give way, at a price that is set anew for each question.

Each row of a form's model gets a column for how far it is missed on either side. With a price on those of some rules,
none on those of others and no room for the rest, one model answers: do these rules contradict each other, and by how
much must those give way? The relaxed model is kept by the solver from one answer to the next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack, vstack

from engine.assembly.models import add_form
from engine.assembly.solver import Model, program, solve
from engine.diagnosis.question import LENGTH, MARKS, Question

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

TOLERANCE = 1e-7
KERNEL = 4  # times the length: items that the integer model looks at first
DUAL, PRIMAL = 1, 4  # what is quicker from an earlier answer: bounds have moved, or prices have
MEASURED = frozenset({"sum", "mean", "key_balance"})  # rules whose amounts are not numbers of items
SMALL = 400  # items that it looks at in any case


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says: x (n,) of the items, slack (S,), and its price; None for x where nothing was found.

    `proven` says that there is nothing cheaper, or, without x, that there is nothing at all. `kernel` are the positions
    in the pool of the items that were looked at.
    """

    x: Vector | None
    slack: Vector
    price: float
    proven: bool
    kernel: Positions


class Elastic:
    """The elastic model of a question: R rules, n items, S slack columns.

    `row`, `rule`, `sign`, `label` (S,) say which row and rule a slack column belongs to, 1 where the row is too low and
    -1 where it is too high; `price` (S,) is what a unit costs: relative to the bound, times the rule's priority.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.times = question.forms if question.disjoint else 1
        self.items = question.items
        model = Model()
        add_form(model, question.bare, self.items, times=self.times)
        self._add_apart(model)
        self._open(model)
        self._matrix = self.model.matrix
        self._reduced = np.zeros(len(self.items))
        self._begun = False
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, bool | int | str] = {"output_flag": False, "threads": 1, "parallel": "off", "random_seed": 0}
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(program(self.model, relaxed=True))

    def _add_apart(self, model: Model) -> None:
        """Required and barred items, and the marks that a form must expect."""
        question, x = self.question, np.arange(len(self.items), dtype=np.int32)
        times = float(self.times)
        for name, mask in question.required.items():
            for j in np.flatnonzero(mask[self.items]):
                model.add_row(name, x[[j]], 1.0, times, np.inf)
        for name, mask in question.barred.items():
            if mask[self.items].any():
                model.add_row(name, x[mask[self.items]], 1.0, -np.inf, 0.0)
        if question.aim is not None:
            low, high = question.aim.marks_bounds
            for t in np.flatnonzero(np.isfinite(low)):
                row = question.aim.item_marks[self.items, t]
                model.add_row(MARKS, x, row, times * low[t], times * high[t])

    def _open(self, model: Model) -> None:
        """A slack column for every finite bound of every row that may give way; shares follow the length."""
        matrix, names = model.matrix, list(model.row_names)
        low, high = np.array(model.row_lower), np.array(model.row_upper)
        shares = {rule.id for rule in self.question.blueprint.rules if rule.what == "count" and rule.share is not None}
        both = [r for r, name in enumerate(names) if name in shares and np.isfinite(low[r]) and np.isfinite(high[r])]
        if both:  # one row for each share: they follow the length at their own rates
            matrix, names = csr_array(vstack([matrix, matrix[both]])), names + [names[r] for r in both]
            low, high = np.append(low, np.full(len(both), -np.inf)), np.append(high, high[both])
            high[both] = np.inf
        open_ = np.array([not self._links(name, *b) for name, *b in zip(names, low, high, strict=True)], bool)
        below, above = np.flatnonzero(np.isfinite(low) & open_), np.flatnonzero(np.isfinite(high) & open_)
        self.rules = tuple(dict.fromkeys(names))
        number = {name: r for r, name in enumerate(self.rules)}
        self.row = np.concatenate([below, above])
        self.sign = np.concatenate([np.ones(len(below)), -np.ones(len(above))])
        self.bound = np.concatenate([low[below], high[above]])
        self.row_rule = np.array([number[name] for name in names], np.intp)
        self.rule = self.row_rule[self.row]
        self.priority = np.array([self.question.priority(name) for name in self.rules])
        scales = [self._scale(names[r], bound) for r, bound in zip(self.row, self.bound, strict=True)]
        self.price = self.priority[self.rule] / np.array(scales)
        slack = csr_array((self.sign, (self.row, np.arange(len(self.row)))), shape=(len(names), len(self.row)))
        slack = self._following(slack, shares, names, low, high)
        self.model = Model()
        first = self.model.add_columns(len(model.cost), lower=model.lower, upper=model.upper, integer=False)
        self.model.integer[:] = model.integer
        self.slack = self.model.add_columns(len(self.row), upper=np.inf, integer=False)
        self.model.add_rows(names, csr_array(hstack([matrix, slack])), np.append(first, self.slack), low, high)

    def _links(self, name: str, low: float, high: float) -> bool:
        """Does a row only tie a helping column to the items? Such a row says nothing that could give way."""
        rule = self.question.rule(name)
        if rule is None:
            return False
        return (rule.what == "key_balance" and low == high) or (rule.what == "if_then" and low < 0 and high == 0)

    def _following(
        self, slack: csr_array, shares: Collection[str], names: Sequence[str], low: Vector, high: Vector
    ) -> csr_array:
        """Bounds that are shares of the length move with the slack of the length."""
        length = self.question.blueprint.length
        of_length = np.flatnonzero([names[r] == LENGTH for r in self.row])
        rows, rates = [], []
        for r, name in enumerate(names):
            rule = self.question.rule(name)
            if name not in shares or rule is None:
                continue
            bound, own, share = (
                (low[r], rule.min, rule.shares[0]) if np.isfinite(low[r]) else (high[r], rule.max, rule.shares[1])
            )
            if own is None or bound != own * self.times:
                rows.append(r)
                rates.append(share)
        if not rows or not length:
            return slack
        values = np.outer(rates, self.sign[of_length]).ravel()
        places = (np.repeat(rows, len(of_length)), np.tile(of_length, len(rows)))
        return csr_array(slack + csr_array((values, places), shape=slack.shape))

    def _scale(self, name: str, bound: float) -> float:
        """What an amount of a rule's row is measured by: its bound, or what takes the place of a bound of 0."""
        rule = self.question.rule(name)
        length = self.question.blueprint.length * self.times
        if name == MARKS and self.question.aim is not None:
            target = self.question.aim.target
            return max(min(target.marks_tolerance, target.marks_between_forms / 2), 1e-3) * self.times
        if rule is not None and rule.what in {"mean", "sum"} and bound == 0:  # a mean, or a share of a sum
            amounts = np.abs(self.question.blueprint.amounts(self.question.pool, rule)[self.items])
            return max(float(amounts.mean()) * length, 1e-3)
        if rule is not None and rule.what == "key_balance" and bound == 0:
            return float(length)
        return max(abs(bound), 1.0)

    @property
    def names(self) -> tuple[str, ...]:
        """The rules that can give way; that forms share no item is a bound of the columns and has no row."""
        parallel = self.question.bare.parallel
        return (*self.rules, parallel.id) if self.times > 1 and parallel is not None else self.rules

    # The relaxed model

    def shared(self, names: Collection[str]) -> bool:
        """Is the rule that forms share no item among these?"""
        parallel = self.question.bare.parallel
        return self.times > 1 and parallel is not None and parallel.id in names

    def conflict(self, dropped: Collection[str]) -> frozenset[str] | None:
        """Rules other than `dropped` that contradict each other even for fractions of items; None where they do not.

        The rules with a price in the least total violation of them all: the certificate of Farkas.
        """
        price = np.where(self._of(dropped), 0.0, self.price / self.priority[self.rule])
        loose = self.shared(dropped)
        self._highs.setOptionValue("simplex_strategy", PRIMAL if self._begun else DUAL)
        self._begun = True
        solution = self._relax(price, np.full(len(price), np.inf), float(self.times) if loose else 1.0)
        if self._highs.getInfo().objective_function_value <= TOLERANCE:
            return None
        duals = np.array(solution.row_dual)
        found = {self.rules[r] for r in self.row_rule[np.abs(duals) > TOLERANCE]} - set(dropped)
        full = (np.array(solution.col_dual)[: len(self.items)] < -TOLERANCE).any()
        if full and self.times > 1 and not loose and self.question.bare.parallel is not None:
            found.add(self.question.bare.parallel.id)
        return frozenset(found)

    def amounts(self, soft: Collection[str]) -> Answer:
        """The least that the `soft` rules must give way so that fractions of items keep all others."""
        open_ = self._of(soft)
        top = float(self.times) if self.shared(soft) else 1.0
        self._highs.setOptionValue("simplex_strategy", DUAL)
        solution = self._relax(np.where(open_, self.price, 0.0), np.where(open_, np.inf, 0.0), top)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return Answer(None, np.zeros(0), np.inf, proven=True, kernel=self.items)
        values = np.array(solution.col_value)
        self._reduced = np.array(solution.col_dual)[: len(self.items)]
        price = float(self._highs.getInfo().objective_function_value)
        return Answer(values[: len(self.items)], values[self.slack], price, proven=True, kernel=self.items)

    def _relax(self, price: Vector, room: Vector, top: float) -> highspy.HighsSolution:
        count, n = len(self.slack), len(self.items)
        self._highs.changeColsCost(count, self.slack, price)
        self._highs.changeColsBounds(count, self.slack, np.zeros(count), room)
        self._highs.changeColsBounds(n, np.arange(n, dtype=np.int32), np.zeros(n), np.full(n, top))
        self._highs.run()
        return self._highs.getSolution()

    def _of(self, names: Collection[str]) -> Mask:
        return np.asarray(np.array([name in names for name in self.rules], bool)[self.rule])

    # Whole items

    def whole(self, soft: Collection[str], *, dropped: Collection[str] = (), nodes: int) -> Answer:
        """A form that keeps every rule but the `soft`, which give way as little as can be, and the `dropped`.

        First out of the items that the relaxed model likes best, then, where that has none, out of all.
        """
        relaxed = self.amounts({*soft, *dropped})
        if relaxed.x is None:
            return relaxed
        kernel = self._kernel(relaxed.x)
        answer = self._integer(kernel, soft, dropped, nodes)
        if kernel.all():
            return answer
        if answer.x is None:
            return self._integer(np.ones(len(self.items), bool), soft, dropped, nodes)
        bound = self.amounts(soft).price if dropped else relaxed.price
        step = self._step(soft)
        if step > 0:
            bound = step * np.ceil(bound / step - TOLERANCE)
        return replace(answer, proven=bool(answer.price <= bound + TOLERANCE))

    def _step(self, soft: Collection[str]) -> float:
        """What prices of the `soft` rules are multiples of, for whole items; 0 where they can be anything."""
        open_ = self._of(soft)
        rules = [self.question.rule(self.rules[r]) for r in np.unique(self.rule[open_])]
        counted = all(rule is None or rule.what not in MEASURED for rule in rules) and MARKS not in soft
        prices = np.unique(np.round(self.price[open_], 12))
        whole = (self.bound[open_] == np.round(self.bound[open_])).all()
        return float(prices[0]) if counted and whole and len(prices) == 1 else 0.0

    def _kernel(self, x: Vector) -> Mask:
        """Items in use or nearly so (Angelelli, Mansini & Speranza, 2010), item sets whole."""
        size = max(KERNEL * self.question.blueprint.length, SMALL)
        chosen = x > TOLERANCE
        chosen[np.argsort(np.where(chosen, -np.inf, np.abs(self._reduced)), kind="stable")[:size]] = True
        for groups in self.question.bare.groups:
            labels = groups.labels[self.items]
            if groups.optional or groups.low.any():
                chosen |= (labels >= 0) & np.isin(labels, labels[chosen & (labels >= 0)])
        return chosen

    def _integer(self, kernel: Mask, soft: Collection[str], dropped: Collection[str], nodes: int) -> Answer:
        keep = np.ones(len(self.model.cost), bool)
        keep[: len(self.items)] = kernel
        free = self._of(dropped)
        open_ = self._of(soft) & ~free
        keep[self.slack] = open_
        rows = ~np.array([name in dropped for name in self.rules], bool)[self.row_rule]
        model, old = Model(), self.model
        columns = model.add_columns(int(keep.sum()), lower=old.lower[keep], upper=old.upper[keep], integer=False)
        model.integer[:] = old.integer[keep]
        cost = np.zeros(len(old.cost))
        cost[self.slack[open_]] = self.price[open_]
        model.cost[:] = cost[keep]
        low, high = np.array(old.row_lower)[rows], np.array(old.row_upper)[rows]
        matrix = csr_array(self._matrix[rows][:, keep])
        model.add_rows(["row"] * int(rows.sum()), matrix, columns, low, high)
        solution = solve(model, nodes=nodes, gap=1e-7)
        if solution.x is None:
            return Answer(None, np.zeros(0), np.inf, proven=solution.infeasible, kernel=self.items[kernel])
        values = np.zeros(len(old.cost))
        values[keep] = solution.x
        proven = bool(solution.objective <= solution.bound + 1e-6)
        x, slack = np.round(values[: len(self.items)]), values[self.slack]
        return Answer(x, slack, solution.objective, proven, kernel=self.items[kernel])
