"""Why does a pool not give the papers of a blueprint, and what is the least change that helps?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.assembly.forms import find_forms
from engine.assembly.paper import Paper, Positions
from engine.blueprints import Blueprint, InfeasibleBlueprintError
from engine.diagnosis.conflicts import Work
from engine.diagnosis.examining import Diagnosis, examine, form_of
from engine.diagnosis.question import ask
from engine.pools import Pool

NODES = 1000
SOLVES = 400


def diagnose(
    pool: Pool,
    blueprint: Blueprint,
    *,
    forms: int = 1,
    earlier: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    nodes: int = NODES,
    solves: int = SOLVES,
) -> Diagnosis:
    """Can the pool give `forms` parallel papers? If not: what falls short, what contradicts what, the least change.

    `earlier` are the items of papers that overlap rules name. The search stops at `solves` models and at `nodes`
    branch-and-bound nodes of each that needs whole items. Raises PoolError and BlueprintError for input that does not
    fit together.
    """
    question = ask(pool, blueprint, forms=forms, earlier=earlier)

    def make(paper: Paper, at_hand: Positions | None) -> tuple[Positions, ...] | None:
        if forms == 1:
            return form_of(paper, at_hand, nodes=nodes, everywhere=True)
        try:
            return tuple(found.items for found in find_forms(paper, forms, seed=seed, nodes=nodes))
        except InfeasibleBlueprintError:
            return None

    return examine(question, make, work=Work(solves, nodes))
