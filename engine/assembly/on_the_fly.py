"""A fresh form for every candidate from the same rules (linear on the fly, Folk & Smith, 2002), in a tenth of a second.

A few forms are assembled; each fresh one starts from one of them and exchanges nearly all of its items, one after the
other, for items that keep every rule, the least used ones first, and is then brought back to the target. Item sets are
exchanged whole, for sets whose items are to the exact rules what theirs are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.assembly.forms import assembly_of, mended
from engine.assembly.kernel import Found, find_form
from engine.assembly.keys import UnbalancedKeysError
from engine.assembly.paper import Groups, Paper, compile_paper
from engine.assembly.result import Assembly
from engine.assembly.swaps import Exchange, Standing, exchange_of, improve
from engine.blueprints import Blueprint, BlueprintError
from engine.blueprints.rules import BETWEEN_FORMS
from engine.diagnosis import explain
from engine.pools import Pool

Mask = NDArray[np.bool_]

TRIED = 12  # items that may take the place of one
AGAIN = 5  # times that a form is drawn whose keys cannot be balanced
PER_BASE = 40  # fresh forms that start from one assembled form


def assemble_on_the_fly(
    pool: Pool,
    blueprint: Blueprint,
    count: int,
    *,
    seed: int = 0,
    earlier: Mapping[str, Sequence[str]] | None = None,
) -> Assembly:
    """`count` forms, one a candidate, each of which meets the blueprint and its target's goal; recounted.

    Overlap between these forms is kept low by use: rules on parallel forms and spares do not count. The same pool,
    blueprint, seed and versions give the same forms. Raises InfeasibleBlueprintError where no form meets the rules, and
    BlueprintError for a blueprint without a target.
    """
    if blueprint.target is None:
        raise BlueprintError("forms on the fly are equal by their target: the blueprint needs a [target]")
    apart = tuple(rule for rule in blueprint.rules if rule.what != "overlap" or rule.forms not in BETWEEN_FORMS)
    paper = compile_paper(pool, replace(blueprint, rules=apart), earlier=dict(earlier or {}))
    return assembly_of(
        paper, lambda: list(fresh_forms(paper, count, seed=seed)), forms=count, seed=seed, earlier=earlier
    )


def fresh_forms(paper: Paper, count: int, *, seed: int = 0) -> Iterator[Found]:
    """The forms one by one, as positions in the pool; see `assemble_on_the_fly`."""
    aim = paper.aim
    assert aim is not None, "forms on the fly need a target"  # noqa: S101 - their caller has said so
    rng = np.random.default_rng(seed)
    candidates = np.flatnonzero(paper.eligible)
    exchange = exchange_of(paper, candidates, aim)
    uses = np.zeros(len(candidates))
    exchangeable = _by_bound(exchange)
    optional = [groups for groups in paper.groups if groups.optional]
    sets = optional[0] if len(optional) == 1 else None  # of sets under several rules none is exchanged
    labels = sets.labels[candidates] if sets is not None else np.zeros(0, np.int32)
    start: Mask | None = None
    for number in range(count):
        if start is None or number % PER_BASE == 0:
            base = find_form(paper, candidates, seed=seed + number)
            if base is None:
                raise explain(paper, forms=1, failed="A", earlier=0)
            start = np.isin(candidates, base.items)
        for trial in range(AGAIN):
            form = Standing.of(exchange, start)
            if sets is not None:
                form = _with_other_sets(form, sets, labels, uses, rng)
            now = improve(exchange, _renewed(form, exchangeable, uses, rng), goal=aim.target.goal, seed=seed + number)
            deviation = float(aim.deviation(aim.features[candidates[now]].sum(axis=0)))
            try:
                found = mended(paper, Found(candidates[now], deviation, 0.0, np.nan), candidates, None, seed=seed)
            except UnbalancedKeysError:
                if trial == AGAIN - 1:
                    raise
            else:
                break
        uses += np.isin(candidates, found.items)
        yield found


def _by_bound(exchange: Exchange) -> Mapping[int, NDArray[np.intp]]:
    """The candidates that exact rules treat alike, by their number."""
    order = np.argsort(exchange.bound, kind="stable")
    keys, first = np.unique(exchange.bound[order], return_index=True)
    parts = np.split(order, first[1:])
    return {int(key): part[exchange.movable[part]] for key, part in zip(keys, parts, strict=True)}


def _with_other_sets(
    form: Standing,
    sets: Groups,
    labels: NDArray[np.int32],
    uses: NDArray[np.float64],
    rng: np.random.Generator,
) -> Standing:
    """The form with other item sets where the rules allow it; `labels` (n,) are the candidates' sets, -1 for none."""
    held = np.unique(labels[form.now & (labels >= 0)])
    others = rng.permutation(np.setdiff1d(labels[labels >= 0], held))
    used = np.bincount(labels[labels >= 0], weights=uses[labels >= 0], minlength=len(sets.low))
    for label in held:
        leaving = np.flatnonzero(form.now & (labels == label))
        for other in others[np.argsort(used[others], kind="stable")]:
            if not sets.low[other] <= len(leaving) <= sets.high[other]:
                continue
            after = form.copy()
            for out, into in _paired(form.exchange, leaving, np.flatnonzero(labels == other)):
                after.put(out, into)
            if not (after.now & (labels == label)).any() and after.keeps_every_rule:
                form, others = after, others[others != other]
                break
    return form


def _paired(exchange: Exchange, leaving: NDArray[np.intp], waiting: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Each of `leaving` with one of `waiting` that exact rules treat alike; as far as there are any."""
    pairs, left = [], waiting.tolist()
    for out in leaving.tolist():
        into = next((one for one in left if exchange.bound[one] == exchange.bound[out]), None)
        if into is not None:
            left.remove(into)
            pairs.append((out, into))
    return pairs


def _renewed(
    form: Standing,
    exchangeable: Mapping[int, NDArray[np.intp]],
    uses: NDArray[np.float64],
    rng: np.random.Generator,
) -> Mask:
    """A form none of whose movable items need be those it started from: each is exchanged for a little used one."""
    exchange = form.exchange
    for out in rng.permutation(np.flatnonzero(form.now & exchange.movable)):
        waiting = exchangeable[int(exchange.bound[out])]
        drawn = waiting[rng.integers(len(waiting), size=3 * TRIED)]
        drawn = drawn[~form.now[drawn]]
        drawn = drawn[np.argsort(uses[drawn], kind="stable")][:TRIED]
        allowed = np.flatnonzero(form.allows(np.full(len(drawn), out), drawn))
        if len(allowed):
            form.put(int(out), int(drawn[allowed[0]]))
    return form.now
