"""One round of a release: choose, show that papers remain, and say what it costs.

What comes first, where not everything can be had: the share of every stratum, its margins, the secret items of points
and modules, sets kept whole and barred items; then cells at the floor or ceiling of their quota; then the limits of
information and distance; then exposed items before others and points published lately last; then cells as near to their
quota, and distributions as near to the bank's, as can be.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import ceil

import numpy as np
from numpy.typing import NDArray

from engine.assembly import Assembly
from engine.blueprints import Blueprint, InfeasibleBlueprintError
from engine.pools import Pool
from engine.release.choosing import Sets, choose, sets_of
from engine.release.effect import Effects, effects_of, typical_paper
from engine.release.policy import THETA, InfeasibleReleaseError, ReleasePolicy
from engine.release.proof import Assemble, assembler, papers_left, papers_of
from engine.release.quotas import EXACT
from engine.release.result import Kept, Release, Share, Stratum, Usage, kolmogorov_smirnov
from engine.release.spreading import spread, yardstick_of
from engine.release.standing import Standing, standing_of
from engine.release.strata import Demands, demands_of, on_lines

NODES = 2000


def choose_release(
    pool: Pool,
    policy: ReleasePolicy,
    *,
    seed: int = 0,
    blueprint: Blueprint | None = None,
    papers: int = 0,
    papers_limit: int = 0,
    make: Assemble | None = None,
    nodes: int = NODES,
) -> Release:
    """Choose the items of one round; with a blueprint, `papers` must be assembled from what stays secret.

    The same pool, policy, blueprint, seed and versions give the same release. How many papers are left is looked for up
    to `papers_limit`. `make` stands in for the assembly of a blueprint.

    Where the first choice leaves too few items for the papers, these are assembled first and their items withheld.
    Raises InfeasibleReleaseError when no set of items meets the policy or the papers cannot be had at all, ReleaseError
    and PoolError for input that does not fit together or a stratum that nobody declared ready.
    """
    begun = time.process_time()
    make = make or (assembler(pool, blueprint, seed) if blueprint is not None else None)
    standing = standing_of(pool, policy)
    found = _round(pool, policy, standing, seed, nodes)
    proof, assembly = None, None
    if make is not None and papers > 0:
        try:
            assembly, kept_back = make(pool.take(~(standing.public | found.chosen)), papers), False
        except InfeasibleBlueprintError:
            assembly, kept_back = _papers_first(pool, standing, make, papers), True
            standing = _without(standing, pool, assembly)
            found = _round(pool, policy, standing, seed, nodes)
        secret = pool.take(~(standing.public | found.chosen))
        limit = max(papers, papers_limit)
        left = papers if kept_back else papers_left(secret, make, known=papers, limit=limit)
        proof = papers_of(assembly, papers, left, papers if kept_back else limit, kept_back=kept_back)
    return replace(
        _release(pool, policy, standing, found, seed),
        papers=proof,
        effects=_effects(pool, policy, blueprint, assembly),
        seconds=time.process_time() - begun,
    )


@dataclass(frozen=True, slots=True)
class _Round:
    """The items of the round (J,), what was asked, what could be had, and how many items cells are off their bounds."""

    chosen: NDArray[np.bool_]
    demands: Demands
    sets: Sets
    outside: int


def _round(pool: Pool, policy: ReleasePolicy, standing: Standing, seed: int, nodes: int) -> _Round:
    demands = demands_of(pool, policy, standing)
    sets = sets_of(demands, standing)
    difficulty = np.nan_to_num(pool.parameters.b, nan=0.0)
    means = np.array([difficulty[members].mean() for members in sets.items])
    first = choose(demands, standing, sets, means, seed=seed, nodes=nodes)
    stick = yardstick_of(pool, demands, policy.limits)
    best = spread(demands, standing, sets, first.chosen, stick, seed=seed)
    chosen = np.zeros(len(pool), bool)
    for u in np.flatnonzero(best).tolist():
        chosen[sets.items[u]] = True
    return _Round(chosen, demands, sets, first.outside)


def _papers_first(pool: Pool, standing: Standing, make: Assemble, papers: int) -> Assembly:
    try:
        return make(pool.take(~standing.public), papers)
    except InfeasibleBlueprintError as error:
        raise InfeasibleReleaseError(
            f"{papers} future papers cannot be assembled even if nothing is published: {error}"
        ) from None


def _without(standing: Standing, pool: Pool, assembly: Assembly) -> Standing:
    """The standing once the items of papers are kept back, with the sets they belong to."""
    used = {item for form in assembly.forms for item in form.items}
    why = list(standing.why_not)
    for members in standing.sets:
        if any(pool.ids[j] in used for j in members.tolist()):
            for j in members.tolist():
                why[j] = "留作今后试卷 kept for future papers"
    sets = [(u, members) for u, members in enumerate(standing.sets) if not why[members[0]]]
    return replace(
        standing,
        why_not=tuple(why),
        sets=tuple(members for _, members in sets),
        together={n: standing.together[u] for n, (u, _) in enumerate(sets) if u in standing.together},
    )


def _effects(
    pool: Pool, policy: ReleasePolicy, blueprint: Blueprint | None, assembly: Assembly | None
) -> Effects | None:
    if blueprint is None or assembly is None:
        items = typical_paper(pool)
        paper = f"题库难度分布的 {len(items)} 题 {len(items)} items as hard as the bank"
        return effects_of(pool, items, np.ones(len(items)), cap=policy.marks_cap, paper=paper)
    at = {item: j for j, item in enumerate(pool.ids)}
    items = np.array([at[item] for item in assembly.forms[0].items])
    cut = assembly.theta_cut if np.isfinite(assembly.theta_cut) else None
    return effects_of(
        pool,
        items,
        blueprint.item_marks(pool)[items],
        cap=policy.marks_cap,
        paper=f"试卷 paper {assembly.forms[0].name}",
        cut=cut,
        pass_share=blueprint.target.cut_share if blueprint.target is not None else 0.60,
    )


def _release(pool: Pool, policy: ReleasePolicy, standing: Standing, found: _Round, seed: int) -> Release:
    demands, chosen = found.demands, found.chosen
    counted = demands.group_of >= 0
    public = (standing.public & counted) | chosen
    shares = np.array([group.reached for group in demands.groups])
    weight = np.where(counted, shares[demands.group_of], 0.0)
    a, b = pool.parameters.a, pool.parameters.b
    has_b, has_a = np.isfinite(b) & counted, np.isfinite(a) & counted
    information = pool.information(THETA)
    given = information[public].sum(axis=0)
    part = _ratio(given, information[counted].sum(axis=0))
    quotient = _ratio(given, weight @ information)
    ks = (
        kolmogorov_smirnov(b[has_b & public], b[has_b], weight[has_b]),
        kolmogorov_smirnov(a[has_a & public], a[has_a], weight[has_a]),
    )
    strata = _strata(demands, public)
    return Release(
        items=tuple(pool.ids[j] for j in np.flatnonzero(chosen)),
        reasons=_reasons(pool, standing, demands, chosen, public),
        by=demands.by,
        shares=_shares(demands, chosen),
        strata=strata,
        kept=_kept(demands, public),
        ks_difficulty=ks[0],
        ks_discrimination=ks[1],
        information_share=dict(zip(THETA, part.tolist(), strict=True)),
        information_quotient=dict(zip(THETA, quotient.tolist(), strict=True)),
        limits=policy.limits,
        usage=_usage(pool, standing, counted, chosen),
        held_back=_held_back(standing, found.sets, counted),
        notes=_notes(policy, demands, strata, ks, quotient, found.outside),
        publish=policy.publish,
        seed=seed,
        pool_digest=pool.digest,
        versions={name: version(name) for name in ("tiku", "highspy", "numpy")},
    )


def _held_back(standing: Standing, sets: Sets, counted: NDArray[np.bool_]) -> dict[str, int]:
    """Why items that are secret could not be chosen, and how many of them."""
    barred = Counter(
        "同组有题不公开 goes with one that is not published" if why.startswith("与") else why
        for why, public, counts in zip(standing.why_not, standing.public, counted, strict=True)
        if why and counts and not public
    )
    full = sum(map(len, standing.sets)) - sum(map(len, sets.items))
    if full:
        barred["考核点或模块须留保密题 its point or module keeps its last secret items"] = full
    return dict(barred)


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))


def _shares(demands: Demands, chosen: NDArray[np.bool_]) -> tuple[Share, ...]:
    rows = []
    for group in demands.groups:
        now = int(chosen[group.members].sum())
        left = max(0, group.goal - group.target)
        rows.append(
            Share(
                values=group.values,
                items=len(group.members),
                share=group.share,
                public_before=group.public,
                published=now,
                rounds_left=ceil(left / max(now, 1)),
                readiness=group.readiness,
            )
        )
    return tuple(rows)


def _strata(demands: Demands, public: NDArray[np.bool_]) -> tuple[Stratum, ...]:
    return tuple(
        Stratum(
            kind,
            demands.groups[line.group].values,
            line.columns,
            line.values,
            len(line.members),
            line.quota,
            int(public[line.members].sum()),
        )
        for kind, lines in (("margin", demands.margins), ("cell", demands.cells))
        for line in lines
    )


def _kept(demands: Demands, public: NDArray[np.bool_]) -> tuple[Kept, ...]:
    fewest: dict[str, list[tuple[int, str]]] = {}
    secrets = on_lines(demands.keep_of, len(demands.keeps), ~public)
    for line, secret in zip(demands.keeps, secrets.tolist(), strict=True):
        fewest.setdefault(line.columns[0], []).append((secret, line.values[0]))
    return tuple(Kept(column, min(found)[1], min(found)[0], len(found)) for column, found in fewest.items())


def _usage(pool: Pool, standing: Standing, counted: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Usage:
    secret = counted & ~standing.public
    first = np.array([bool(why) for why in standing.why_first], bool)
    uses = pool.numbers("uses") if "uses" in pool.attributes else np.full(len(pool), np.nan)
    return Usage(
        exposed=int((first & secret).sum()),
        exposed_published=int((first & chosen).sum()),
        mean_uses=_mean(uses[secret]),
        mean_uses_published=_mean(uses[chosen]),
    )


def _mean(numbers: NDArray[np.float64]) -> float | None:
    known = numbers[np.isfinite(numbers)]
    return float(known.mean()) if len(known) else None


def _reasons(
    pool: Pool, standing: Standing, demands: Demands, chosen: NDArray[np.bool_], public: NDArray[np.bool_]
) -> dict[str, str]:
    """Why each item was chosen, by id: what puts it first, the stratum it stands for, and what its point keeps."""
    secret = on_lines(demands.keep_of, len(demands.keeps), ~public)
    friends = {
        int(j): (what, [pool.ids[k] for k in standing.sets[u] if k != j])
        for u, what in standing.together.items()
        for j in standing.sets[u]
    }
    reasons = {}
    for j in np.flatnonzero(chosen).tolist():
        parts = [standing.why_first[j]] if standing.why_first[j] else []
        margins = [demands.margins[n] for n in demands.margin_of[j].tolist() if n >= 0]
        cell = demands.cells[demands.cell_of[j]] if demands.cell_of[j] >= 0 else None
        stood = cell.values if cell is not None else tuple(line.values[0] for line in margins)
        parts.append(f"代表 represents {' × '.join(value or '–' for value in stood) or 'the bank'}")
        if j in friends and friends[j][1]:
            parts.append(f"{friends[j][0]}: 与 {', '.join(friends[j][1])} 同时公开 published with them")
        for n in demands.keep_of[j].tolist():
            if n >= 0:
                line = demands.keeps[n]
                parts.append(f"{line.columns[0]} {line.values[0]} 仍有保密题 keeps secret: {secret[n]}")
        if standing.lately[j]:
            parts.append(f"{standing.lately[j]} 年公开过同考核点的题 an item of its point was published in that year")
        reasons[pool.ids[j]] = "；".join(parts)
    return reasons


def _notes(
    policy: ReleasePolicy,
    demands: Demands,
    strata: tuple[Stratum, ...],
    ks: tuple[float, float],
    quotient: NDArray[np.float64],
    outside: int,
) -> tuple[str, ...]:
    """Where the policy could not be met in full, with the number."""
    limits = policy.limits
    notes = [
        f"{demands.place(g)}: 本轮后公开 {group.reached:.1%}，目标 {group.share:.1%} "
        f"a round is bounded: {group.reached:.1%} are public after it, the policy's share is {group.share:.1%}"
        for g, group in enumerate(demands.groups)
        if group.target < group.goal
    ]
    notes += [
        f"{' × '.join(one.columns)} {' × '.join(one.values)}: 已公开 {one.published}，配额 quota {one.quota:.2f} "
        "what is public already is never taken back, and moves the proportions"
        for one in strata
        if one.kind == "margin" and not one.proportional
    ]
    cells = [s for s in strata if s.kind == "cell" and not s.proportional]
    if cells:
        worst = max(cells, key=lambda s: abs(s.deviation))
        notes.append(
            f"{len(cells)} 个交叉格不在配额上下取整之内 cells are outside the floor and ceiling of their quota, by "
            f"{outside} items in all; the furthest {' × '.join(worst.values)}: {worst.published} for {worst.quota:.2f}"
        )
    notes += [
        f"{name}: KS {distance:.3f} 超过 is above {limit:g}"
        for name, distance, limit in (
            ("难度 difficulty", ks[0], limits.difficulty),
            ("区分度 discrimination", ks[1], limits.discrimination),
        )
        if distance > limit + EXACT
    ]
    off_band = [
        f"θ = {theta:g}: {value:.3f}"
        for theta, value in zip(THETA, quotient.tolist(), strict=True)
        if value < limits.lowest - EXACT or value > limits.highest + EXACT
    ]
    if off_band:
        band = f"{limits.lowest:g}–{limits.highest:g}"
        notes.append(f"信息 information / (share × bank) 不在 is outside {band}: {', '.join(off_band)}")
    return tuple(notes)
