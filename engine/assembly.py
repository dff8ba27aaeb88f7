"""How are parallel papers found? One form after another, each with the forms still to come kept possible.

While a form is chosen, the rest are represented by a shadow form: fractional, disjoint from the form, bound by the same
rules as many times as forms remain (van der Linden & Adema, 1998). Without it the first form takes what the last one
cannot do without. Expected marks are hard rows; the largest relative deviation of the information is what is minimised.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor

import numpy as np
from numpy.typing import NDArray

from calibration import ReferenceForm
from engine.blueprints import Blueprint, InfeasibleBlueprintError, Rule, reference_form, rule_amounts
from engine.pools import Pool
from engine.raw_scores import classification_accuracy
from engine.recount import RecountLine, recount
from engine.solver import Model, Shortfall, Solution, shortfalls, solve

QUANTUM = 9  # decimals kept of information and expected marks: the same model on every machine
NODES = 3000
FORM_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its items in order, and what it promises.

    `deviation` is the largest relative difference of its information from the target, `bound` the least any form could
    have had (NaN without a target); `expected_marks` and `information` are at `Assembly.theta`.
    """

    name: str
    spare: bool
    items: tuple[str, ...]
    deviation: float
    bound: float
    expected_marks: tuple[float, ...]
    information: tuple[float, ...]
    accuracy: float


@dataclass(frozen=True, slots=True)
class Assembly:
    """Forms that meet a blueprint, how near they come to its target, and the recount that shows it."""

    forms: tuple[Form, ...]
    theta_cut: float
    theta: tuple[float, ...]
    target_marks: tuple[float, ...]
    target_information: tuple[float, ...]
    seed: int
    pool_digest: str
    seconds: float
    recount: tuple[RecountLine, ...]

    def form(self, name: str) -> Form:
        return next(form for form in self.forms if form.name == name)


@dataclass(frozen=True, slots=True)
class _Aim:
    """The target in numbers: nodes (T,), expected marks and information of the reference form and of every item."""

    cut: float
    theta: NDArray[np.float64]
    marks: NDArray[np.float64]
    information: NDArray[np.float64]
    item_marks: NDArray[np.float64]  # (J, T)
    item_information: NDArray[np.float64]  # (J, T)
    reference: ReferenceForm


def _aim(pool: Pool, blueprint: Blueprint) -> _Aim | None:
    if blueprint.target is None:
        return None
    reference, weights = reference_form(pool, blueprint)
    cut = reference.cut(blueprint.target.cut_share)
    theta = cut + np.array(blueprint.target.theta_from_cut)
    marks = blueprint.item_marks(pool)
    known = pool.calibrated[:, None]
    P = np.where(known, pool.parameters.probability(theta), 0.0).astype(float)
    information = np.where(known, pool.parameters.information(theta), 0.0).astype(float)
    return _Aim(
        cut=cut,
        theta=theta,
        marks=np.round(reference.expected_marks(theta), QUANTUM),
        information=np.round(weights @ information, QUANTUM),
        item_marks=np.round(marks[:, None] * P, QUANTUM),
        item_information=np.round(information, QUANTUM),
        reference=reference,
    )


def assemble(
    pool: Pool, blueprint: Blueprint, *, forms: int = 1, spares: int = 0, seed: int = 0, nodes: int = NODES
) -> Assembly:
    """`forms` parallel forms and `spares` that may share some items with them, recounted.

    The same pool, blueprint, seed and solver version give the same forms. Raises InfeasibleBlueprintError, with the
    rules that must give way, when there is no such set of forms; PoolError and BlueprintError for input that does not
    fit together.
    """
    begun = time.perf_counter()
    _check_counts(pool, blueprint, forms)
    aim = _aim(pool, blueprint)
    chosen: list[NDArray[np.intp]] = []
    built: list[Form] = []
    between = {rule.forms: rule for rule in blueprint.rules if rule.what == "overlap"}
    for f in range(forms + spares):
        spare = f >= forms
        rule = between.get("spare" if spare else "parallel")
        earlier = chosen if rule is not None else []
        model, x = _form_model(pool, blueprint, aim, earlier, rule)
        if not spare:
            _add_shadows(model, pool, blueprint, aim, x, chosen, between, forms - f - 1, spares)
        solution = _solve(model, blueprint, seed + f, nodes)
        if solution.x is None:
            raise _infeasible(model, blueprint, FORM_NAMES[f], f, nodes)
        members = np.flatnonzero(solution.x[x] > 0.5)
        chosen.append(members)
        built.append(_form(pool, blueprint, aim, members, solution, FORM_NAMES[f], spare=spare))
    named = {form.name: form.items for form in built}
    return Assembly(
        forms=tuple(built),
        theta_cut=aim.cut if aim else float("nan"),
        theta=tuple(aim.theta.tolist()) if aim else (),
        target_marks=tuple(aim.marks.tolist()) if aim else (),
        target_information=tuple(aim.information.tolist()) if aim else (),
        seed=seed,
        pool_digest=pool.digest,
        seconds=time.perf_counter() - begun,
        recount=recount(
            pool,
            blueprint,
            named,
            spares=[form.name for form in built if form.spare],
            targets=list(zip(aim.theta.tolist(), aim.marks.tolist(), strict=True)) if aim else (),
        ),
    )


def _solve(model: Model, blueprint: Blueprint, seed: int, nodes: int) -> Solution:
    goal = blueprint.target.information_goal if blueprint.target is not None else None
    return solve(model, seed=seed, nodes=nodes, good_enough=goal)


def _check_counts(pool: Pool, blueprint: Blueprint, forms: int) -> None:
    """Refuse at once what counting shows to be impossible: a rule that wants more than the pool holds.

    Parallel forms that share nothing want it as many times as there are forms.
    """
    disjoint = any(rule.what == "overlap" and rule.forms == "parallel" and rule.share == 0 for rule in blueprint.rules)
    times = forms if disjoint else 1
    allowed = blueprint.eligible(pool)
    marks = blueprint.item_marks(pool)
    wanted = [("length", float(times * blueprint.length), float(allowed.sum()))]
    for rule in blueprint.rules:
        if rule.what in {"count", "sum"}:
            have = float(np.maximum(rule_amounts(pool, rule, marks), 0.0)[pool.where(rule.where) & allowed].sum())
            wanted.append((rule.id, times * rule.bounds[0], have))
    short = [(name, least, have) for name, least, have in wanted if have < least - 1e-9]
    if short:
        who = "the rule wants" if times == 1 else f"{times} forms with no item in common want"
        lines = [f"rule {name!r}: the pool holds {have:g} eligible, {who} {least:g}" for name, least, have in short[:3]]
        raise InfeasibleBlueprintError(
            "; ".join(lines) + (f"; and {len(short) - 3} rules more" if len(short) > 3 else ""),
            tuple(Shortfall(name, least - have) for name, least, have in short),
        )


def _form_model(
    pool: Pool,
    blueprint: Blueprint,
    aim: _Aim | None,
    earlier: Sequence[NDArray[np.intp]],
    overlap: Rule | None,
) -> tuple[Model, NDArray[np.int32]]:
    """The model of one form beside `earlier` ones; its item columns (J,)."""
    J = len(pool)
    model = Model()
    x = model.add_columns(J, integer=True)
    allowed = blueprint.eligible(pool)
    for j in np.flatnonzero(~allowed):
        model.upper[j] = 0.0
    _rule_rows(model, pool, blueprint, x, 1)
    _marks_rows(model, blueprint, aim, x, 1)
    if aim is not None:
        deviation = model.add_columns(1, upper=np.inf, cost=1.0, integer=False)
        for t, wanted in enumerate(aim.information):
            columns = np.concatenate([x, deviation])
            name = f"information at {aim.theta[t]:.2f}"
            values = aim.item_information[:, t]
            model.add_row(name, columns, np.append(values, -wanted), -np.inf, wanted)
            model.add_row(name, columns, np.append(values, wanted), wanted, np.inf)
    if overlap is not None:
        for members in earlier:
            model.add_row(overlap.id, x[members], 1.0, 0.0, _shared_items(overlap, blueprint))
    return model, x


def _shared_items(overlap: Rule, blueprint: Blueprint) -> float:
    """How many items of a form may stand in another."""
    return float(floor((overlap.share if overlap.share is not None else 1.0) * blueprint.length + 1e-9))


def _add_shadows(
    model: Model,
    pool: Pool,
    blueprint: Blueprint,
    aim: _Aim | None,
    x: NDArray[np.int32],
    earlier: Sequence[NDArray[np.intp]],
    between: Mapping[str, Rule],
    parallel_to_come: int,
    spares_to_come: int,
) -> None:
    """Fractional forms that stand for those to come: the parallel ones together, disjoint from `x`, and one spare."""
    J = len(pool)
    allowed = blueprint.eligible(pool)
    parallel, spare = between.get("parallel"), between.get("spare")
    if parallel_to_come and parallel is not None and parallel.share == 0:
        shadow = model.add_columns(J, integer=False)
        used = np.isin(np.arange(J), np.concatenate([np.zeros(0, np.intp), *earlier]))
        for j in np.flatnonzero(~allowed | used):
            model.upper[shadow[j]] = 0.0
        _rule_rows(model, pool, blueprint, shadow, parallel_to_come)
        _marks_rows(model, blueprint, aim, shadow, parallel_to_come)
        for j in np.flatnonzero(allowed & ~used):
            model.add_row("forms to come", np.array([x[j], shadow[j]], np.int32), 1.0, -np.inf, 1.0)
    if spares_to_come and spare is not None:
        shadow, shared = model.add_columns(J, integer=False), model.add_columns(J, integer=False)
        for j in np.flatnonzero(~allowed):
            model.upper[shadow[j]] = 0.0
        _rule_rows(model, pool, blueprint, shadow, 1)
        _marks_rows(model, blueprint, aim, shadow, 1)
        for j in np.flatnonzero(allowed):
            columns = np.array([x[j], shadow[j], shared[j]], np.int32)
            model.add_row("spare to come", columns, np.array([1.0, 1.0, -1.0]), -np.inf, 1.0)
        for columns in (shared, *(shadow[members] for members in earlier)):
            model.add_row(spare.id, columns, 1.0, -np.inf, _shared_items(spare, blueprint))


def _rule_rows(model: Model, pool: Pool, blueprint: Blueprint, x: NDArray[np.int32], forms: int) -> None:
    """The blueprint's rules on item columns that stand for `forms` forms together."""
    marks = blueprint.item_marks(pool)
    model.add_row("length", x, 1.0, forms * blueprint.length, forms * blueprint.length)
    for rule in blueprint.rules:
        if rule.what in {"count", "sum"}:
            members = np.flatnonzero(pool.where(rule.where))
            low, high = rule.bounds
            model.add_row(rule.id, x[members], rule_amounts(pool, rule, marks)[members], forms * low, forms * high)
        elif rule.what == "at_most_one_per":
            for members in _groups(pool, rule.of):
                if len(members) > forms:
                    model.add_row(rule.id, x[members], 1.0, -np.inf, float(forms))
        elif rule.what == "enemies" and forms == 1:
            for i, j in enemy_pairs(pool):
                model.add_row(rule.id, x[[i, j]], 1.0, -np.inf, 1.0)


def _marks_rows(model: Model, blueprint: Blueprint, aim: _Aim | None, x: NDArray[np.int32], forms: int) -> None:
    if aim is None or blueprint.target is None:
        return
    allowed = min(blueprint.target.marks_tolerance, blueprint.target.marks_between_forms / 2)
    slack = allowed - 1e-6  # the solver's own tolerance stays inside ours
    for t, wanted in enumerate(aim.marks):
        name = f"expected marks at {aim.theta[t]:.2f}"
        model.add_row(name, x, aim.item_marks[:, t], forms * (wanted - slack), forms * (wanted + slack))


def _groups(pool: Pool, column: str) -> list[NDArray[np.intp]]:
    members: dict[str, list[int]] = {}
    for j, value in enumerate(pool.column(column)):
        if value is not None:
            members.setdefault(str(value), []).append(j)
    return [np.array(group) for group in members.values()]


def enemy_pairs(pool: Pool) -> list[tuple[int, int]]:
    """Pairs of positions that the pool's column `enemies` keeps apart; enemies outside the pool do not count."""
    at = {item: j for j, item in enumerate(pool.ids)}
    pairs = set()
    for j, names in enumerate(pool.column("enemies")):
        listed = names if isinstance(names, tuple) else (str(names),) if names else ()
        pairs |= {(min(j, at[name]), max(j, at[name])) for name in listed if name in at and at[name] != j}
    return sorted(pairs)


def _infeasible(model: Model, blueprint: Blueprint, name: str, earlier: int, nodes: int) -> InfeasibleBlueprintError:
    rules = [rule.id for rule in blueprint.rules]
    soft = [row for row in dict.fromkeys(model.row_names) if row in rules or row.startswith("expected marks")]
    short = shortfalls(model, soft, nodes=min(nodes, 500))
    after = f" after {earlier} earlier forms" if earlier else ""
    if not short:
        return InfeasibleBlueprintError(
            f"form {name}: no form found{after} within {nodes} nodes, and no single rule to blame; "
            "allow more nodes or loosen the rules"
        )
    blame = "; ".join(f"rule {one.rule!r} must give way by {one.amount:.4g}" for one in short)
    return InfeasibleBlueprintError(f"form {name}: the rules cannot all be met{after}: {blame}", short)


def _form(
    pool: Pool,
    blueprint: Blueprint,
    aim: _Aim | None,
    members: NDArray[np.intp],
    solution: Solution,
    name: str,
    *,
    spare: bool,
) -> Form:
    ordered = _ordered(pool, blueprint, members)
    items = tuple(pool.ids[j] for j in ordered)
    if aim is None:
        return Form(name, spare, items, float("nan"), float("nan"), (), (), float("nan"))
    information = aim.item_information[members].sum(axis=0)
    return Form(
        name=name,
        spare=spare,
        items=items,
        deviation=float(np.abs(information / aim.information - 1).max()),
        bound=max(0.0, solution.bound),
        expected_marks=tuple(aim.item_marks[members].sum(axis=0).tolist()),
        information=tuple(information.tolist()),
        accuracy=classification_accuracy(
            pool.parameters.take(members),
            blueprint.item_marks(pool)[members],
            aim.reference.scale,
            aim.cut,
            blueprint.target.cut_share if blueprint.target is not None else 0.60,
        ),
    )


def _ordered(pool: Pool, blueprint: Blueprint, members: NDArray[np.intp]) -> list[int]:
    """Positions in the order a candidate meets them: by the blueprint's columns (marked kinds in the order of [marks]),
    id last.
    """
    kinds = list(blueprint.marks)

    def rank(j: int) -> tuple[object, ...]:
        keys: list[object] = []
        for column in blueprint.order:
            value = str(pool.column(column)[j])
            keys.append((kinds.index(value), "") if column == blueprint.marks_by else (0, value))
        return (*keys, pool.ids[j])

    return sorted((int(j) for j in members), key=rank)


def form_overlaps(assembly: Assembly) -> dict[tuple[str, str], int]:
    """Items that two forms share, for every pair."""
    return {
        (one.name, other.name): len(set(one.items) & set(other.items)) for one, other in combinations(assembly.forms, 2)
    }
