"""Counts, contradiction and least change, in this order: what a diagnosis holds and how it is come by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np
from numpy.typing import NDArray

from engine.assembly.aims import Aim
from engine.assembly.kernel import find_form
from engine.assembly.paper import Paper
from engine.blueprints import Blueprint, BlueprintError, Rule
from engine.diagnosis.changes import Change, changed, reached, sharing
from engine.diagnosis.conflicts import Least, Work, contradiction, irreducible, least_change
from engine.diagnosis.counting import Shortage, shortages
from engine.diagnosis.elastic import Elastic
from engine.diagnosis.question import Question, compiled, without_goal

Positions = NDArray[np.intp]
Make = Callable[[Paper, Positions | None], tuple[Positions, ...] | None]

MET, IMPOSSIBLE, UNKNOWN = "can be met", "cannot be met", "not found"
ROUNDS = 3  # changed rules move the reference form, and with it the marks that a form must expect


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a pool does not give `forms` papers of a blueprint, and the least that would have to change.

    `status` is "can be met", "cannot be met" or, where neither a form nor a proof that there is none was found within
    the work allowed, "not found". `conflict` are rules that cannot all be kept, empty where none was found;
    `irreducible` says that they can as soon as any of them is left out. `changes` lead to the blueprint `proposal`,
    which `witness` (item ids of each form) keeps; the sum of their rules' priorities is `cost`, and `least` says
    that no other change is known to be cheaper. Without a witness the proposal could not be confirmed.
    """

    status: str
    forms: int
    shortages: tuple[Shortage, ...] = ()
    conflict: tuple[str, ...] = ()
    irreducible: bool = False
    changes: tuple[Change, ...] = ()
    cost: float = 0.0
    least: bool = False
    proposal: Blueprint | None = None
    witness: tuple[tuple[str, ...], ...] = ()

    @property
    def feasible(self) -> bool:
        return self.status == MET

    @property
    def most_forms(self) -> int:
        """How many forms the counts alone allow, at most; `forms` where they do not fall short."""
        short = [one.held / one.wanted for one in self.shortages if one.held < one.wanted]
        return min((floor(self.forms * share + 1e-9) for share in short), default=self.forms)


def examine(question: Question, make: Make, *, work: Work) -> Diagnosis:
    """The diagnosis of a question.

    `make` gives the forms of a paper, if it can out of items that are handed to it, or None: it confirms a proposal.
    """
    short = shortages(question)
    elastic = Elastic(question)
    found = elastic.conflict(()) or frozenset[str]()
    if not short and not found:
        paper = compiled(question, question.blueprint)
        question = replace(question, aim=paper.aim)
        short = shortages(question)
        elastic = elastic if paper.aim is None else Elastic(question)
        found = contradiction(elastic, work)
        if not short and not found:
            forms = _as_asked(question, elastic, paper, make, work)
            if forms is not None:
                return Diagnosis(MET, question.forms, witness=_named(question, forms))
    conflict, sure = irreducible(elastic, found, work) if found else (frozenset[str](), False)
    diagnosis = Diagnosis(
        IMPOSSIBLE if short or found else UNKNOWN,
        question.forms,
        short,
        tuple(name for name in elastic.names if name in conflict),
        sure,
    )
    known = [conflict] if conflict else []
    for _ in range(ROUNDS):
        least = least_change(elastic, work, known)
        if least is None:
            break
        diagnosis, aim = _with_change(diagnosis, elastic, least, make)
        if diagnosis.witness or aim is None:
            break
        known = [] if question.aim is not None else known
        elastic = Elastic(replace(question, aim=aim))  # what the changed rules let a form expect
    return diagnosis


def _as_asked(
    question: Question, elastic: Elastic, paper: Paper, make: Make, work: Work
) -> tuple[Positions, ...] | None:
    if question.forms > 1:
        return make(without_goal(paper), None)
    answer = elastic.whole((), nodes=work.nodes)
    return None if answer.x is None else (elastic.items[answer.x > 0.5],)


def _with_change(diagnosis: Diagnosis, elastic: Elastic, least: Least, make: Make) -> tuple[Diagnosis, Aim | None]:
    """The diagnosis with these changes and the forms that confirm them, and the aim of the changed blueprint."""
    question = elastic.question
    blueprint, changes = changed(elastic, least.rules, least.answer)
    cost, paper = least.cost, _paper(question, blueprint)
    aim = None if paper is None else paper.aim
    if aim is not None:
        blueprint, more = reached(replace(question, aim=aim, blueprint=blueprint), blueprint)
        if more:
            changes, cost, paper = changes + more, cost + 1.0, _paper(question, blueprint)
    at_hand = least.answer.kernel if elastic.times == 1 else None
    parallel = question.bare.parallel
    gives_way = parallel is not None and parallel.id in least.rules
    forms = None if paper is None or gives_way else make(without_goal(paper), at_hand)
    if forms is None and paper is not None and parallel is not None and question.forms > 1:
        shared = _sharing(replace(question, blueprint=blueprint), parallel, make)
        if shared is not None:
            blueprint, change, forms = shared
            changes += (change,)
            cost += 0.0 if gives_way else question.priority(parallel.id)
        elif gives_way:
            text = f"rule {parallel.id!r}: let forms share more than {parallel.shared(blueprint.length)} items"
            changes += (Change(parallel.id, "max", None, None, text),)
    found = () if forms is None else _named(question, forms)
    confirmed = least.proven and forms is not None
    return replace(diagnosis, changes=changes, cost=cost, least=confirmed, proposal=blueprint, witness=found), aim


def _paper(question: Question, blueprint: Blueprint) -> Paper | None:
    """A proposed blueprint on the pool; None where it does not fit together."""
    try:
        return compiled(question, blueprint)
    except BlueprintError:
        return None


def _sharing(question: Question, parallel: Rule, make: Make) -> tuple[Blueprint, Change, tuple[Positions, ...]] | None:
    """The fewest items that forms must share, by bisection, each number tried by making the forms."""
    low, high = parallel.shared(question.blueprint.length), question.blueprint.length
    best = None
    while high > low:
        middle = high if best is None else (low + high) // 2
        if middle == low:
            break
        blueprint, change = sharing(question.blueprint, parallel, middle)
        paper = _paper(question, blueprint)
        forms = None if paper is None else make(without_goal(paper), None)
        if forms is not None:
            best, high = (blueprint, change, forms), middle
        elif best is None:
            return None
        else:
            low = middle
    return best


def form_of(
    paper: Paper, at_hand: Positions | None, *, nodes: int, everywhere: bool = False
) -> tuple[Positions, ...] | None:
    """One form of a paper, out of the items at hand or, `everywhere`, out of all that are eligible."""
    for part in (at_hand, np.arange(len(paper.pool)) if everywhere else None):
        found = None if part is None else find_form(paper, part[paper.eligible[part]], nodes=nodes)
        if found is not None:
            return (found.items,)
    return None


def _named(question: Question, forms: Sequence[Positions]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(question.pool.ids[j] for j in form) for form in forms)
