"""How many papers that share no item does a bank give? As many as can really be assembled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.assembly.aims import QUANTUM, Aim
from engine.assembly.forms import find_forms
from engine.assembly.models import add_form
from engine.assembly.paper import Paper
from engine.assembly.solver import Model, solve
from engine.blueprints import Blueprint, InfeasibleBlueprintError, Rule
from engine.capacity.supply import CellSupply, RuleSupply, of_cells, of_rules
from engine.capacity.writing import Step, Writing
from engine.diagnosis.question import Question, ask, compiled, without_goal
from engine.pools import Pool

Positions = NDArray[np.intp]
Forms = list[Positions]

UP_TO = 20
AHEAD = 2
NODES = 1000
SPARE = (0.0, 0.05, 0.15, 0.3)  # of a paper: what an order leaves over, so that an assembly finds its way
CELLS = ("point", "type", "grade")


@dataclass(frozen=True, slots=True)
class Capacity:
    """`papers` papers were assembled that share no item; more than `bound` there cannot be (of at most `up_to` asked).

    `rules` and `cells` say what runs out first, `steps` what to write for one paper more, and another.
    """

    papers: int
    bound: int
    up_to: int
    forms: tuple[tuple[str, ...], ...]
    rules: tuple[RuleSupply, ...]
    cells: tuple[CellSupply, ...]
    steps: tuple[Step, ...]


def capacity(
    pool: Pool,
    blueprint: Blueprint,
    *,
    up_to: int = UP_TO,
    ahead: int = AHEAD,
    cells: Sequence[str] = (),
    earlier: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    nodes: int = NODES,
) -> Capacity:
    """How many more papers of the blueprint, up to `up_to`, that share no item, the bank gives, shown by making them.

    Papers keep every rule and expect the marks they should; how near their information comes to the target is not
    looked at. `cells` are the columns by which supply is told and items are ordered (point, type and grade, as far as
    the pool has them, unless said), for `ahead` papers more than there are. Raises PoolError and BlueprintError for
    input that does not fit together.
    """
    blueprint = sharing_nothing(blueprint)
    question = ask(pool, blueprint, earlier=earlier)
    columns = tuple(cells) or tuple(name for name in CELLS if name in pool.attributes)
    whole = _whole(question)
    paper = None if whole is None else without_goal(whole)
    bound = 0 if paper is None else most_that_fit(paper, up_to)
    found = [] if paper is None else _most_made(paper, bound, seed, nodes)
    steps = (
        tuple(
            _steps(
                question,
                None if whole is None else whole.aim,
                len(found),
                bound - len(found),
                ahead,
                columns,
                seed,
                nodes,
            )
        )
        if columns
        else ()
    )
    return Capacity(
        papers=len(found),
        bound=bound,
        up_to=up_to,
        forms=tuple(tuple(pool.ids[j] for j in form) for form in found),
        rules=of_rules(question, len(found)),
        cells=of_cells(question, found, columns) if columns else (),
        steps=steps,
    )


def sharing_nothing(blueprint: Blueprint) -> Blueprint:
    """The blueprint whose parallel papers share no item."""
    others = tuple(rule for rule in blueprint.rules if not (rule.what == "overlap" and rule.forms == "parallel"))
    held = next((rule.id for rule in blueprint.rules if rule not in others), "papers share nothing")
    return replace(blueprint, rules=(*others, Rule(held, "overlap", forms="parallel", share=0.0)))


def _whole(question: Question) -> Paper | None:
    """The paper with its aim; None where a rule has no item at all."""
    try:
        return compiled(question, question.blueprint)
    except InfeasibleBlueprintError:
        return None


def most_that_fit(paper: Paper, up_to: int) -> int:
    """The most papers, up to so many, for which fractions of items are enough: no more can be assembled."""
    if paper.required.any():
        up_to = min(up_to, 1)  # an item that must stand on every paper stands on one
    low, high = 0, up_to
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(paper, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _fits(paper: Paper, papers: int) -> bool:
    model = Model()
    add_form(model, paper, np.flatnonzero(paper.eligible), times=papers)
    return solve(model, relaxed=True).x is not None


def _most_made(paper: Paper, bound: int, seed: int, nodes: int) -> Forms:
    """As many papers as can be assembled, by bisection from the bound down."""
    best: Forms = []
    low, high, tried = 0, bound, bound
    while low < high:
        made = _made(paper, tried, seed, nodes)
        if made is None:
            high = tried - 1
        else:
            best, low = made, tried
        tried = (low + high + 1) // 2
    return best


def _made(paper: Paper, papers: int, seed: int, nodes: int) -> Forms | None:
    try:
        return [found.items for found in find_forms(paper, papers, seed=seed, nodes=nodes)]
    except InfeasibleBlueprintError:
        return None


def _steps(
    question: Question,
    aim: Aim | None,
    papers: int,
    room: int,
    ahead: int,
    columns: Sequence[str],
    seed: int,
    nodes: int,
) -> Iterator[Step]:
    """What to write for each of the papers to come, one after another.

    `room` papers that fit could not be assembled: so many must fit beyond those that are to be assembled.
    """

    def with_drafts(bank: Pool) -> Paper:
        asked = ask(bank, question.blueprint, earlier=question.earlier)
        paper = replace(asked.bare, eligible=asked.eligible)
        return paper if aim is None else without_goal(replace(paper, aim=_on(aim, paper)))

    writing = Writing(question.pool, question.eligible, columns, question.blueprint.marks_by, with_drafts)
    ordered = np.zeros(len(writing.kinds))
    for more in range(papers + 1, papers + ahead + 1):
        least = writing.order(more, ordered)
        if least is None:
            return
        counts, prices, made = *least, False
        for spare in SPARE:
            order = writing.order(more, ordered, spare=room + spare)
            if order is None or (spare and (order[0] == counts).all()):
                continue
            counts, prices = order[0], prices or order[1]
            whole = _with(question, writing, counts)
            made = whole is not None and _made(whole, more, seed, nodes) is not None
            if made:
                break
        yield Step(more, int((least[0] - ordered).sum()), writing.lines(counts - ordered), prices, made)
        ordered = counts


def _with(question: Question, writing: Writing, counts: NDArray[np.float64]) -> Paper | None:
    """The paper on the bank with so many drafts of each kind."""
    whole = _whole(ask(writing.bank_with(counts), question.blueprint, earlier=question.earlier))
    return None if whole is None else without_goal(whole)


def _on(aim: Aim, paper: Paper) -> Aim:
    """The same marks to be expected, of the items of another bank."""
    shares = paper.pool.expected_share(aim.theta) if len(aim.theta) else np.zeros((len(paper.pool), 0))
    return replace(aim, item_marks=np.round(paper.marks[:, None] * shares, QUANTUM))
