"""What an assembly says when it finds no form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.assembly.paper import Paper, Positions
from engine.blueprints import InfeasibleBlueprintError, Shortfall
from engine.blueprints.rules import BETWEEN_FORMS
from engine.diagnosis.conflicts import Work
from engine.diagnosis.examining import Diagnosis, examine, form_of
from engine.diagnosis.question import ask

NODES = 300
SOLVES = 60
NAMED = 4  # rules whose counts a message gives


def explain(paper: Paper, *, forms: int, failed: str, earlier: int) -> InfeasibleBlueprintError:
    """The error that says why form `failed`, after `earlier` ones, of `forms` could not be found."""
    question = ask(paper.pool, paper.blueprint, forms=forms, earlier=_earlier(paper))

    def make(changed: Paper, at_hand: Positions | None) -> tuple[Positions, ...] | None:
        return form_of(changed, at_hand, nodes=NODES) if forms == 1 else None

    diagnosis = examine(question, make, work=Work(SOLVES, NODES))
    after = f" after {earlier} earlier form{'s' if earlier > 1 else ''}" if earlier else ""
    shortfalls = tuple(
        Shortfall(one.rule, float(abs(one.old - one.new)))
        for one in diagnosis.changes
        if isinstance(one.new, float) and one.old is not None
    ) or tuple(Shortfall(one.rule, float(abs(one.wanted - one.held))) for one in diagnosis.shortages)
    return InfeasibleBlueprintError(f"form {failed}: {message(diagnosis)}{after}", shortfalls)


def message(diagnosis: Diagnosis) -> str:
    """A diagnosis in one paragraph."""
    parts = [one.message for one in diagnosis.shortages[:NAMED]]
    if len(diagnosis.shortages) > NAMED:
        parts.append(f"{len(diagnosis.shortages) - NAMED} more rules want more than the pool holds")
    if not parts and len(diagnosis.conflict) > 1:
        parts = [f"these rules cannot all be kept: {', '.join(map(repr, diagnosis.conflict))}"]
    elif not parts and diagnosis.conflict:
        parts = [f"rule {diagnosis.conflict[0]!r} cannot be kept"]
    parts = parts or ["no form was found within the work allowed, and no rule that stands in the way"]
    if diagnosis.changes:
        least = "the least change" if diagnosis.least else "a change that may help"
        parts.append(f"{least}: {'; '.join(one.text for one in diagnosis.changes)}")
    return "; ".join(parts)


def _earlier(paper: Paper) -> dict[str, Sequence[str]]:
    """The earlier papers, from the rows that bound the overlap with them."""
    papers: dict[str, Sequence[str]] = {}
    for rule in paper.blueprint.rules:
        if rule.what == "overlap" and rule.forms not in BETWEEN_FORMS:
            items = paper.rows.matrix[[paper.rows.names.index(rule.id)]].indices
            papers[rule.forms] = tuple(paper.pool.ids[j] for j in np.sort(items))
    return papers
