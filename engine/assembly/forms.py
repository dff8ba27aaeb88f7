"""How are parallel papers found? One form after another, each leaving what the others need.

First by counting: of what a rule wants, a form takes no more than leaves enough for the forms to come. Where that does
not do, the forms to come stand in the model as fractional shadows, disjoint from the form and bound by the same rules
(van der Linden & Adema, 1998). Without either, the first form takes what the last one cannot do without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from calibration import mark_decisions
from engine.assembly.clock import part_of_the_time, time_is_up, time_limit, time_ran_out
from engine.assembly.kernel import Found, brought_back, find_form
from engine.assembly.keys import UnbalancedKeysError
from engine.assembly.ordering import arrange
from engine.assembly.paper import Paper, Rows, compile_paper
from engine.assembly.proving import proved
from engine.assembly.recount import recount
from engine.assembly.result import Assembly, Form
from engine.assembly.runs import without_long_runs
from engine.blueprints import Blueprint, InfeasibleBlueprintError, Rule
from engine.diagnosis import explain
from engine.pools import Pool

Positions = NDArray[np.intp]
NODES = 3000
SPENT = 5  # a form so many times as far from the target as another: the others have taken what it wanted
BACK = 5  # times that a form is brought back to its target after its keys were mended
PROOF = 100  # nodes of the whole model, where a proof is asked for


def form_name(number: int) -> str:
    """A, B, … Z, AA, AB, …: the names of forms 0, 1, …."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def assemble(
    pool: Pool,
    blueprint: Blueprint,
    *,
    forms: int = 1,
    spares: int = 0,
    seed: int = 0,
    nodes: int = NODES,
    earlier: Mapping[str, Sequence[str]] | None = None,
    seconds: float | None = None,
    prove: bool = False,
) -> Assembly:
    """`forms` parallel forms and `spares` that may share some items with them, recounted.

    `earlier` are the items of papers that overlap rules name. The same pool, blueprint, seed and solver version give
    the same forms, unless a limit of so many `seconds` ends a search. With `prove`, the whole model of a form is
    branched for PROOF nodes at most: `Form.bound` is then what no form falls below, and 0 where that work did not
    prove more. Raises InfeasibleBlueprintError, with the rules
    that must give way, when there is no such set of forms, or none was found in time; PoolError and BlueprintError for
    input that does not fit together.
    """
    paper = compile_paper(pool, blueprint, earlier=dict(earlier or {}))

    def search() -> list[Found]:
        found = find_forms(paper, forms, spares, seed=seed, nodes=nodes)
        return proved(paper, found, seed=seed, nodes=PROOF) if prove else found

    return assembly_of(
        paper,
        search,
        forms=forms,
        seed=seed,
        earlier=earlier,
        seconds=seconds,
    )


def assembly_of(
    paper: Paper,
    search: Callable[[], list[Found]],
    *,
    forms: int,
    seed: int,
    earlier: Mapping[str, Sequence[str]] | None,
    seconds: float | None = None,
) -> Assembly:
    """What a search finds, as an assembly: in order, timed and recounted; forms after the first `forms` are spares."""
    begun = time.perf_counter()
    with time_limit(seconds) as clock:
        found = search()
    built = [_form(paper, one, form_name(f), seed=seed, spare=f >= forms) for f, one in enumerate(found)]
    pool, aim = paper.pool, paper.aim
    measured = aim is not None and aim.reference is not None
    return Assembly(
        forms=tuple(built),
        theta_cut=aim.cut if aim else float("nan"),
        theta=tuple(aim.theta.tolist()) if aim else (),
        target_marks=tuple(aim.marks.tolist()) if aim else (),
        target_information=tuple(aim.information.tolist()) if aim else (),
        goal=aim.target.goal if aim else float("nan"),
        seed=seed,
        pool_digest=pool.digest,
        seconds=time.perf_counter() - begun,
        timed_out=clock.struck,
        predicted=int(pool.predicted[np.unique(np.concatenate([one.items for one in found]))].sum()),
        recount=recount(
            pool,
            paper.blueprint,
            {form.name: form.items for form in built},
            spares=[form.name for form in built if form.spare],
            targets=list(zip(aim.theta.tolist(), aim.marks.tolist(), strict=True)) if aim and measured else (),
            earlier=earlier or {},
            shuffles={form.name: form.shuffles for form in built},
        ),
    )


def find_forms(paper: Paper, forms: int, spares: int = 0, *, seed: int = 0, nodes: int = NODES) -> list[Found]:
    """`forms` parallel forms and then `spares`, as positions in the pool. Raises InfeasibleBlueprintError."""
    best: list[Found] | None = None
    failed = 0
    for shadows in (False, True) if forms + spares > 1 else (False,):
        found, failed = _one_after_another(paper, forms, spares, seed, nodes, shadows=shadows)
        if found is not None and (best is None or _worst(found) < _worst(best)):
            best = found
        if best is not None and (_worst(best) <= max(_goal(paper), SPENT * _least(best)) or time_is_up()):
            return best
    if best is None:
        if time_ran_out():
            raise InfeasibleBlueprintError(f"form {form_name(failed)}: none was found in time; allow more seconds")
        raise explain(paper, forms=forms, failed=form_name(failed), earlier=failed)
    return best


def _least(found: Sequence[Found]) -> float:
    return min(float(np.nan_to_num(one.deviation)) for one in found)


def _worst(found: Sequence[Found]) -> float:
    return max(float(np.nan_to_num(one.deviation)) for one in found)


def _goal(paper: Paper) -> float:
    return paper.aim.target.goal if paper.aim is not None else np.inf


def _one_after_another(
    paper: Paper, forms: int, spares: int, seed: int, nodes: int, *, shadows: bool
) -> tuple[list[Found] | None, int]:
    """The forms, or None and the number of the one that could not be found."""
    found: list[Found] = []
    for f in range(forms + spares):
        spare = f >= forms
        rule = paper.spare if spare else paper.parallel
        taken = [one.items for one in found]
        candidates = paper.eligible.copy()
        beside = [] if rule is None else [_overlap(paper, rule, items) for items in taken]
        to_come = 0 if spare or not paper.disjoint else forms - f - 1
        if not spare and paper.disjoint:
            for items in taken:
                candidates[items] = False
            beside = [_reserve(paper, candidates, to_come)] if to_come else []
        if not candidates[paper.required].all():  # what every form must hold, another holds already
            return None, f
        together = _together(beside)
        with part_of_the_time(forms + spares - f):
            one = find_form(
                paper,
                np.flatnonzero(candidates),
                beside=together,
                shadow=to_come if shadows else 0,
                seed=seed + f,
                nodes=nodes,
            )
        if one is None:
            return None, f
        found.append(mended(paper, one, np.flatnonzero(candidates), together, seed=seed))
    return found, 0


def mended(paper: Paper, one: Found, candidates: Positions, beside: Rows | None, *, seed: int) -> Found:
    """The form with keys that can be balanced, brought back to the target where that led a little away from it."""
    nearest = without_long_runs(paper, one, candidates, beside, seed=seed)
    for again in range(BACK if one.deviation <= _goal(paper) else 0):
        if nearest.deviation <= _goal(paper):
            break
        nearer = brought_back(paper, nearest, candidates, beside, seed=seed + again)
        try:
            nearer = without_long_runs(paper, nearer, candidates, beside, seed=seed)
        except UnbalancedKeysError:
            continue
        if nearer.deviation < nearest.deviation:
            nearest = nearer
    return nearest


def _overlap(paper: Paper, rule: Rule, items: Positions) -> Rows:
    row = np.zeros((1, len(paper.pool)))
    row[0, items] = 1.0
    return Rows((rule.id,), csr_array(row), np.array([-np.inf]), np.array([float(rule.shared(paper.length))]))


def _reserve(paper: Paper, candidates: NDArray[np.bool_], to_come: int) -> Rows:
    """What a form may take so that, counted rule by rule, as many forms as are `to_come` still find enough.

    Of items that a rule wants at least `low` of, `to_come` times that must be left; of those outside a rule that allows
    at most `high`, as many as forms of that length need beside it.
    """
    rows = paper.rows
    inside = candidates.astype(float)
    have = rows.matrix @ inside
    plain = np.asarray(rows.matrix.min(axis=1).todense()).ravel() >= 0
    high = np.where(plain & (rows.low > 0), have - to_come * rows.low, np.inf)
    counting = np.array([bool(np.isin(rows.matrix[r].data, (0.0, 1.0)).all()) for r in range(len(rows))], bool)
    others = inside.sum() - have
    low = np.where(
        counting & np.isfinite(rows.high), paper.length - (others - to_come * (paper.length - rows.high)), -np.inf
    )
    low = np.where(low <= np.maximum(rows.low, 0.0), -np.inf, low)
    high = np.where(high >= rows.high, np.inf, high)
    needed = np.flatnonzero(np.isfinite(low) | np.isfinite(high))
    return Rows(tuple(rows.names[r] for r in needed), csr_array(rows.matrix[needed]), low[needed], high[needed])


def _together(parts: Sequence[Rows]) -> Rows | None:
    kept = [part for part in parts if len(part)]
    if not kept:
        return None
    return Rows(
        tuple(name for part in kept for name in part.names),
        csr_array(vstack([part.matrix for part in kept])),
        np.concatenate([part.low for part in kept]),
        np.concatenate([part.high for part in kept]),
    )


def _form(paper: Paper, found: Found, name: str, *, seed: int, spare: bool) -> Form:
    aim, pool, members = paper.aim, paper.pool, found.items
    ordered, shuffles = arrange(paper, members, seed=seed)
    measured = aim is not None and aim.reference is not None
    accuracy = at_cut = float("nan")
    if aim is not None and aim.reference is not None:
        form = pool.reference_form(members, paper.marks[members])
        at_cut = float(form.expected_marks([aim.cut])[0])
        passing = aim.target.cut_share * form.total
        accuracy = mark_decisions(form.curves, [passing], form.scale, theta_cuts=[aim.cut]).accuracy
    return Form(
        name=name,
        spare=spare,
        items=tuple(pool.ids[j] for j in ordered),
        deviation=found.deviation,
        bound=found.bound,
        marks=float(paper.marks[members].sum()),
        minutes=_minutes(paper, members),
        expected_marks=tuple(aim.item_marks[members].sum(axis=0).tolist()) if aim is not None and measured else (),
        information=tuple(aim.item_information[members].sum(axis=0).tolist()) if aim is not None and measured else (),
        expected_at_cut=at_cut,
        accuracy=accuracy,
        shuffles=shuffles,
    )


def _minutes(paper: Paper, members: Positions) -> float:
    """What the items take where the minutes of all are known, or the time of the paper."""
    times = paper.blueprint.known_times(paper.pool)[members]
    return float(times.sum()) if np.isfinite(times).all() else paper.blueprint.minutes


__all__ = ["InfeasibleBlueprintError", "assemble", "find_forms", "form_name"]
