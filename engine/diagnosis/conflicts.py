"""Which rules contradict each other, and which of them must give way so that the rest can be kept?

The cheapest rules to give up are a cheapest set that meets every contradiction. Contradictions are found one by one, by
asking whether the rules outside the set found so far can be kept (Parker & Ryan, 1996: minimum weight covers of the
irreducible inconsistent subsets of linear inequalities); each answer is a form or another contradiction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

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
    """A part of contradictory rules that still contradict each other, and whether surely none of it can be left out.

    By deletion (Chinneck & Dravnieks, 1991): on fractions of items and then, for one form, on whole ones.
    """
    kept = set(rules)
    everything = set(elastic.names)
    if elastic.conflict(everything - kept) is not None:
        for rule in sorted(rules):
            if rule in kept and work.spend():
                kept = set(elastic.conflict(everything - kept | {rule}) or kept)
    if elastic.times > 1:
        return frozenset(kept), work.solves >= 0
    return _of_whole_items(elastic, kept, work)


def _of_whole_items(elastic: Elastic, rules: Collection[str], work: Work) -> tuple[frozenset[str], bool]:
    """Contradictory rules less those that whole items show to be needless, and whether surely all others are needed."""
    kept, everything, sure = set(rules), set(elastic.names), True
    for rule in sorted(rules):
        if len(kept) == 1:
            break
        if not work.spend():
            return frozenset(kept), False
        answer = elastic.whole((), dropped=everything - kept | {rule}, nodes=work.nodes)
        if answer.x is None and answer.proven:
            kept.remove(rule)
        sure &= answer.x is not None or answer.proven
    return frozenset(kept), sure


def least_change(elastic: Elastic, work: Work, known: Sequence[frozenset[str]] = ()) -> Least | None:
    """The cheapest rules that must give way and the least amounts, fractions of items where several forms are meant.

    `known` are contradictions found already. None where the work that is allowed did not suffice for any.
    """
    search = _Search(elastic, known)
    while pending := search.candidates(work):
        best = _best_of(pending, search, work)
        if best is not None:
            return best
    return None


def _best_of(pending: Sequence[tuple[float, frozenset[str]]], search: _Search, work: Work) -> Least | None:
    """Of sets of rules with their relaxed amounts, cheapest first, the one whose whole amounts are least."""
    elastic, best = search.elastic, None
    for price, chosen in pending:
        if best is not None and price >= best.answer.price - SAME:
            break
        if elastic.times > 1:
            return Least(chosen, search.cost(chosen), elastic.amounts(chosen), search.proven)
        answer = elastic.whole(chosen, nodes=work.nodes)
        if answer.x is None:
            search.exclude(chosen, work, proven=answer.proven)
        elif best is None or answer.price < best.answer.price - SAME:
            best = Least(chosen, search.cost(chosen), answer, answer.proven)
    return None if best is None else replace(best, proven=best.proven and search.proven)


class _Search:
    """The contradictions found so far, and the sets of rules that have been looked at.

    `proven` says that no cheaper set has been passed over for want of work.
    """

    def __init__(self, elastic: Elastic, known: Sequence[frozenset[str]]) -> None:
        self.elastic = elastic
        self.names = elastic.names
        self.weights = np.array([elastic.question.priority(name) for name in self.names])
        self.conflicts = list(known)
        self.done: list[frozenset[str]] = []
        self.proven = True

    def candidates(self, work: Work) -> list[tuple[float, frozenset[str]]]:
        """The cheapest sets without which fractions of items keep all rules, with their least amounts, in that order.

        All have the same cost; empty where the work has run out, or every set has been looked at.
        """
        level = np.inf
        found: list[tuple[float, frozenset[str]]] = []
        while len(found) < ALTERNATIVES and work.spend():
            chosen = self.cheapest()
            if chosen is None or self.cost(chosen) > level + SAME:
                break
            more = self.elastic.conflict(chosen)
            if more:
                self.conflicts.append(more)
                continue
            self.done.append(chosen)
            level = self.cost(chosen)
            amounts = self.elastic.amounts(chosen)
            if amounts.x is not None:
                found.append((round(amounts.price, 9), chosen))
        self.proven &= work.solves >= 0 and len(found) < ALTERNATIVES
        return sorted(found, key=lambda one: (one[0], sorted(one[1])))

    def exclude(self, chosen: frozenset[str], work: Work, *, proven: bool) -> None:
        """More rules than these must give way, these perhaps among them."""
        self.done.remove(chosen)
        others = frozenset(self.names) - chosen
        self.conflicts.append(_of_whole_items(self.elastic, others, work)[0] if proven else others)
        self.proven &= proven

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
