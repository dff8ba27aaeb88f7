"""Which rules contradict each other, and which of them must give way so that the rest can be kept?

The cheapest rules to give up are a cheapest set that meets every contradiction. Contradictions are found one by one, by
asking whether the rules outside the set found so far can be kept (Parker & Ryan, 1996: minimum weight covers of the
irreducible inconsistent subsets of linear inequalities); each answer is a form or another contradiction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from engine.assembly.solver import Model, solve
from engine.diagnosis.elastic import Answer, Elastic

ALTERNATIVES = 24  # sets of rules of one price whose amounts are compared
SAME = 1e-6


@dataclass(slots=True)
class Work:
    """What may still be spent: models to solve, and nodes on each that needs whole items."""

    solves: int
    nodes: int

    def spend(self) -> bool:
        self.solves -= 1
        return self.solves >= 0


@dataclass(frozen=True, slots=True)
class Least:
    """The rules that give way, the sum of their priorities, and how far; `proven` says that no other way is cheaper."""

    rules: frozenset[str]
    cost: float
    answer: Answer
    proven: bool


def contradiction(elastic: Elastic, work: Work) -> frozenset[str]:
    """Rules that cannot all be kept: for fractions of items or, where those keep them all, for whole items.

    Empty where there is a form, or where none was found and no proof that there is none.
    """
    found = elastic.conflict(())
    if found is not None:
        return found
    if elastic.times > 1:
        return frozenset()
    answer = elastic.whole((), nodes=work.nodes)
    return frozenset(elastic.rules) if answer.x is None and answer.proven else frozenset()


def irreducible(elastic: Elastic, rules: Collection[str], work: Work) -> tuple[frozenset[str], bool]:
    """A part of contradictory rules that contradict each other, none of which can be left out, and whether that is sure.

    By deletion (Chinneck & Dravnieks, 1991), first on fractions of items, then, for one form, on whole ones.
    """
    kept = set(rules)
    everything = set(elastic.names)
    sure = True
    if elastic.conflict(everything - kept) is not None:
        for rule in sorted(rules):
            if rule not in kept:
                continue
            if not work.spend():
                return frozenset(kept), False
            fewer = elastic.conflict(everything - kept | {rule})
            if fewer:
                kept = set(fewer)
    if elastic.times > 1:
        return frozenset(kept), sure
    for rule in sorted(kept):
        if len(kept) == 1:
            break
        if not work.spend():
            return frozenset(kept), False
        answer = elastic.whole((), dropped=everything - kept | {rule}, nodes=work.nodes)
        if answer.x is None and answer.proven:
            kept.remove(rule)
        elif answer.x is None:
            sure = False
    return frozenset(kept), sure


def least_change(elastic: Elastic, work: Work, known: Sequence[frozenset[str]] = ()) -> Least | None:
    """The cheapest rules that must give way and the least amounts, fractions of items where several forms are meant.

    `known` are contradictions found already. None where the work that is allowed did not suffice for any.
    """
    search = _Search(elastic, known)
    proven, best = True, None
    while best is None:
        level = np.inf
        pending: list[tuple[float, frozenset[str]]] = []
        while len(pending) < ALTERNATIVES and work.spend():
            chosen = search.cheapest()
            if chosen is None or search.cost(chosen) > level + SAME:
                break
            more = elastic.conflict(chosen)
            if more:
                search.conflicts.append(more)
                continue
            amounts = elastic.amounts(chosen)
            search.done.append(chosen)
            if amounts.x is not None:
                level = search.cost(chosen)
                pending.append((amounts.price, chosen))
        proven &= work.solves >= 0 and len(pending) < ALTERNATIVES
        if not pending:
            return None
        for price, chosen in sorted(pending, key=lambda one: (one[0], sorted(one[1]))):
            if best is not None and price >= best.answer.price - SAME:
                break
            if elastic.times > 1:
                best = Least(chosen, level, elastic.amounts(chosen), proven)
                break
            answer = elastic.whole(chosen, nodes=work.nodes)
            if answer.x is None:
                proven &= answer.proven
                if answer.proven:
                    search.conflicts.append(_of_whole_items(elastic, chosen, work))
            elif best is None or answer.price < best.answer.price - SAME:
                best = Least(chosen, level, answer, proven)
                proven &= answer.proven
        if best is not None:
            best = Least(best.rules, best.cost, best.answer, proven and best.answer.proven)
    return best


def _of_whole_items(elastic: Elastic, dropped: Collection[str], work: Work) -> frozenset[str]:
    """Contradictory rules outside `dropped`: all of them, less what deletion finds needless while the work lasts."""
    kept = set(elastic.rules) - set(dropped)
    for rule in sorted(kept):
        if not work.spend():
            break
        answer = elastic.whole((), dropped=set(elastic.rules) - kept | {rule}, nodes=work.nodes)
        if answer.x is None and answer.proven:
            kept.remove(rule)
    return frozenset(kept)


class _Search:
    """The contradictions found so far, and the sets of rules that have been looked at."""

    def __init__(self, elastic: Elastic, known: Sequence[frozenset[str]]) -> None:
        self.names = elastic.names
        self.weights = np.array([elastic.question.priority(name) for name in self.names])
        self.conflicts = list(known)
        self.done: list[frozenset[str]] = []

    def cost(self, chosen: Collection[str]) -> float:
        return float(sum(w for name, w in zip(self.names, self.weights, strict=True) if name in chosen))

    def cheapest(self) -> frozenset[str] | None:
        """The cheapest set that meets every contradiction and holds none that was looked at."""
        if frozenset() in self.done:
            return None
        model = Model()
        columns = model.add_columns(len(self.names), cost=self.weights, integer=True)
        self._add(model, columns, self.conflicts, 1.0, np.inf)
        self._add(model, columns, self.done, -np.inf, -1.0)
        solution = solve(model, nodes=100_000)
        if solution.x is None:
            return None
        return frozenset(name for name, value in zip(self.names, solution.x, strict=True) if value > 0.5)

    def _add(self, model: Model, columns: object, sets: Sequence[frozenset[str]], low: float, high: float) -> None:
        """A row a set: at least `low` of it, or, below its whole size, at most all but one."""
        for one in sets:
            row = csr_array(np.array([[float(name in one) for name in self.names]]))
            model.add_rows(["set"], row, np.asarray(columns), low, len(one) + high)
