"""How near could any form come? The whole model of the whole eligible pool, branched until it is known or work ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.assembly.clock import time_is_up
from engine.assembly.kernel import Found
from engine.assembly.models import form_model
from engine.assembly.paper import Paper
from engine.assembly.runs import without_long_runs
from engine.assembly.solver import solve


def proved(paper: Paper, found: list[Found], *, seed: int = 0, nodes: int) -> list[Found]:
    """The forms with the bound that `nodes` nodes of one form's whole model prove: no form at all is nearer.

    A nearer form that turns up takes the place of the only one; of several, whose rules on each other the model leaves
    out, only the bound is told. Without a target there is nothing to prove.
    """
    aim = paper.aim
    if aim is None:
        return found
    candidates = np.flatnonzero(paper.eligible)
    form = form_model(paper, candidates)
    solution = solve(form.model, seed=seed, nodes=nodes)
    time_is_up()  # a limit that ended the proof is told
    if not np.isfinite(solution.bound):
        return found
    if not aim.matching:
        best = -solution.bound
        found = [_measured(paper, one, best) for one in found]
    if len(found) == 1 and solution.x is not None:
        items = form.items[solution.x[form.x] > 0.5]
        nearer = _measured(paper, replace(found[0], items=items), found[0].best)
        if nearer.deviation < found[0].deviation:
            mended = without_long_runs(paper, nearer, candidates, seed=seed)
            found = [mended] if mended.deviation < found[0].deviation else found
    bound = max(0.0, solution.bound) if aim.matching else 0.0
    return [replace(one, bound=min(bound, one.deviation)) for one in found]


def _measured(paper: Paper, one: Found, best: float) -> Found:
    """The form measured anew, a target to be made large by a `best` sum that none exceeds."""
    assert paper.aim is not None  # noqa: S101 - asked for above
    deviation = float(paper.aim.deviation(paper.aim.features[one.items].sum(axis=0), best))
    return replace(one, deviation=max(deviation, 0.0), best=best)
