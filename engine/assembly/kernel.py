"""One form out of a large pool: a small part of the pool is searched, and widened until it is enough.

Rules leave an enormous choice in a large bank, so that a few hundred items hold forms as good as all of them do. A
seeded sample keeps every stratum that rules speak of; a mixed integer program over it, stopped early, gives a form that
keeps every rule (Angelelli, Mansini & Speranza, 2010, call such a part a kernel); exchanges with all candidates then
bring it to the target.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.assembly.aims import Aim
from engine.assembly.clock import time_is_up
from engine.assembly.models import FormModel, add_shadow, form_model
from engine.assembly.paper import Paper, Rows
from engine.assembly.solver import Model, solve
from engine.assembly.swaps import exchange_of, hashed, improve

Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

FIRST, LEAST = 4, 300  # times the length, and in all: the first part that is searched
WIDER = 3  # times as large is the next
GOLDEN = (5**0.5 - 1) / 2
ROUGH = 0.04  # of the target: from there exchanges are quicker than branching
EXACT = 1_500  # pools so small are searched whole where the goal is not met before
WORK = 150_000  # items times nodes of that search
CANDIDATES = 4_000  # exchanges look at so many items


@dataclass(frozen=True, slots=True)
class Found:
    """A form: its items, how far it is from the target, and the least any form could be (0 where that is not known).

    `best` is the sum that a target to be made large cannot exceed.
    """

    items: Positions
    deviation: float
    bound: float
    best: float


def find_form(
    paper: Paper,
    candidates: Positions,
    *,
    beside: Rows | None = None,
    shadow: int = 0,
    seed: int = 0,
    nodes: int = 3000,
) -> Found | None:
    """A form out of `candidates` that keeps every rule and comes within the target's goal, or as near as was found.

    With `shadow`, so many more forms stay possible out of what it leaves. None where there is none, or none was found
    within `nodes` of the whole model: `diagnose` says why.
    """
    rng = np.random.default_rng(seed)
    ordered, start = _in_strata(paper, candidates, rng), rng.random()
    size = max(FIRST * paper.length, LEAST)
    best: Found | None = None
    exact = len(candidates) <= EXACT
    while True:
        whole = 1.2 * size >= len(candidates)
        part = candidates if whole else candidates[_sample(paper, candidates, ordered, size, start)]
        found = _search(paper, part, candidates, beside, shadow, seed, nodes, whole=whole)
        widened = best is not None
        if found is not None and (best is None or found.deviation < best.deviation):
            best = found
        if whole or time_is_up() or (best is not None and best.deviation <= _goal(paper.aim)):
            return best
        if best is not None and widened and not exact:  # a goal out of reach is not worth a search of everything
            return best
        size *= WIDER


def sample_of(paper: Paper, candidates: Positions, size: int, seed: int) -> Positions:
    """About `size` of the candidates, a share of every stratum that rules speak of, more where a rule needs it."""
    rng = np.random.default_rng(seed)
    ordered = _in_strata(paper, candidates, rng)
    return candidates[_sample(paper, candidates, ordered, size, rng.random())]


def _goal(aim: Aim | None) -> float:
    return aim.target.goal if aim is not None else np.inf


def _in_strata(paper: Paper, candidates: Positions, rng: np.random.Generator) -> Positions:
    """Places of the candidates, those that the same rules speak of side by side, in the seed's order within."""
    inside = (paper.rows.matrix[:, candidates].toarray() != 0).T.astype(np.int64)
    lettered = [np.where(letters.free, -2, letters.letter)[candidates, None] for letters in paper.letters]
    strata = hashed(np.hstack([inside, *lettered]).astype(np.int64))
    return np.lexsort((rng.random(len(candidates)), strata))


def _sample(paper: Paper, candidates: Positions, ordered: Positions, size: int, start: float) -> Positions:
    """About `size` of the candidates: every so manieth of the ordered, so that each stratum has its share.

    Of what a rule wants, at least twice as much is there; item sets are there whole or not at all.
    """
    chosen = np.zeros(len(candidates), bool)
    chosen[ordered[((np.arange(size) + start) * len(candidates) / size).astype(np.intp)]] = True
    chosen |= paper.required[candidates]
    if paper.aim is not None and not paper.aim.matching:  # what is to be large is not where the dice fall
        chosen |= _largest(paper.aim, candidates, size)
    matrix = paper.rows.matrix[:, candidates]
    scattered = np.empty(len(candidates))  # some order in which every stratum is everywhere
    scattered[ordered] = (np.arange(len(candidates)) * GOLDEN) % 1.0
    for r in np.flatnonzero(matrix @ chosen < 2 * np.where(np.isfinite(paper.rows.low), paper.rows.low, 0.0)):
        members = matrix.indices[matrix.indptr[r] : matrix.indptr[r + 1]]
        members = members[np.argsort(scattered[members], kind="stable")]
        have = np.cumsum(np.where(chosen[members], 0.0, matrix[[r]].toarray()[0, members])) + (matrix[[r]] @ chosen)[0]
        chosen[members[: int(np.searchsorted(have, 2 * paper.rows.low[r])) + 1]] = True
    for groups in paper.groups:
        labels = groups.labels[candidates]
        if groups.optional:
            heads = chosen & (labels >= 0)
            first = np.unique(labels[labels >= 0], return_index=True)[1]
            lead = np.flatnonzero(labels >= 0)[first]
            kept = np.unique(labels[lead[chosen[lead]]])
            chosen[heads] = False
            chosen |= np.isin(labels, kept) & (labels >= 0)
        elif groups.low.any():
            for label in np.setdiff1d(labels[labels >= 0], labels[chosen]):
                chosen[np.flatnonzero(labels == label)[: max(3, size // len(groups.low))]] = True
    return np.flatnonzero(chosen)


def _largest(aim: Aim, candidates: Positions, size: int) -> Mask:
    sums = (aim.features[candidates] / aim.unit).min(axis=1)
    chosen = np.zeros(len(candidates), bool)
    chosen[np.argsort(-sums, kind="stable")[:size]] = True
    return chosen


def _search(
    paper: Paper,
    part: Positions,
    candidates: Positions,
    beside: Rows | None,
    shadow: int,
    seed: int,
    nodes: int,
    *,
    whole: bool,
) -> Found | None:
    form = form_model(paper, part, beside=beside)
    if shadow:
        add_shadow(form, paper, candidates, shadow)
    aim = paper.aim
    if aim is None:
        solution = solve(form.model, seed=seed, nodes=nodes)
        return None if solution.x is None else Found(_chosen(form, solution.x), float("nan"), float("nan"), np.nan)
    best = np.nan
    if aim.matching:
        solution = solve(near(form, aim), seed=seed, nodes=nodes)
        if solution.x is None and whole:
            solution = solve(form.model, seed=seed, nodes=nodes, good_enough=aim.target.goal)
    else:
        relaxed = solve(form.model, relaxed=True)
        if relaxed.x is None:
            return None
        best = -relaxed.objective
        solution = solve(form.model, seed=seed, nodes=nodes, good_enough=-best * (1 - aim.target.goal))
    if solution.x is None:
        return None
    items = _chosen(form, solution.x)
    reach = _reach(items, part, candidates, seed)
    exchange = exchange_of(paper, reach, aim, beside)
    now = improve(exchange, np.isin(reach, items), goal=aim.target.goal, best=best, seed=seed)
    items = reach[now]
    deviation = float(aim.deviation(aim.features[items].sum(axis=0), best))
    bound = 0.0
    if whole and aim.matching and deviation > aim.target.goal and (len(part) <= EXACT or deviation > ROUGH):
        again = solve(form.model, seed=seed, nodes=min(nodes, WORK // len(part)), good_enough=aim.target.goal)
        bound = max(0.0, again.bound)
        if again.x is not None and again.objective < deviation:
            items = _chosen(form, again.x)
            deviation = float(aim.deviation(aim.features[items].sum(axis=0)))
    return Found(items, deviation, min(bound, deviation), best)


def brought_back(paper: Paper, found: Found, candidates: Positions, beside: Rows | None, *, seed: int) -> Found:
    """The form after exchanges with the candidates that bring it back to the target's goal, or nearer to it."""
    aim = paper.aim
    if aim is None:
        return found
    reach = _reach(found.items, found.items, candidates, seed)
    exchange = exchange_of(paper, reach, aim, beside)
    now = improve(exchange, np.isin(reach, found.items), goal=aim.target.goal, best=found.best, seed=seed, kicks=2)
    deviation = float(aim.deviation(aim.features[reach[now]].sum(axis=0), found.best))
    return replace(found, items=reach[now], deviation=deviation, bound=min(found.bound, deviation))


def near(form: FormModel, aim: Aim) -> Model:
    """The model of any form that comes roughly near the target: found many times sooner than the nearest."""
    model = replace(form.model, cost=np.zeros(len(form.model.cost)), upper=form.model.upper.copy())
    model.upper[form.worst] = ROUGH * float(np.abs(aim.wanted / aim.unit).max())
    return model


def _reach(items: Positions, part: Positions, candidates: Positions, seed: int) -> Positions:
    """The items that exchanges look at: all candidates, or the part and a draw of the others."""
    if len(candidates) <= CANDIDATES:
        return candidates
    others = np.setdiff1d(candidates, part)
    drawn = np.random.default_rng(seed + 1).choice(
        others, max(0, min(CANDIDATES - len(part), len(others))), replace=False
    )
    return np.union1d(np.union1d(part, drawn), items)


def _chosen(form: FormModel, x: NDArray[np.float64]) -> Positions:
    return form.items[x[form.x] > 0.5]
