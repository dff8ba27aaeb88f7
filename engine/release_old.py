"""Which items are published? A share of the bank that mirrors it, so that what candidates practise is what the bank
asks.

Margins (section, type, difficulty grade …) come within one item of proportional, crossed cells as near as they can;
every assessment point keeps secret items; the seed decides only between sets that are equally good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pools import Pool, Value
from engine.solver import Model, solve
from engine.toml_files import read_document, value_of

QUANTILES = 20
GAP = 1.0  # items: distributions within one item of the best possible are good enough to stop
INFORMATION_THETA = tuple(np.arange(-3.0, 3.01, 0.5).tolist())


class ReleaseError(ValueError):
    """A release policy that cannot be used; the message says what is wrong with it."""


class InfeasibleReleaseError(ReleaseError):
    """No set of items meets the policy; the message says which part of it stands in the way."""


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """What a release must be.

    `share` of the pool's items is public after this round, those with `published` = yes included: a round adds the
    difference, and the proportions are those of all public items. `margins` are columns
    whose values keep their proportions within one item; `cells` are crossed as near as can be. `keep_per_point` secret
    items stay with every value of `point`. `withhold` lists conditions on items that are never published.
    """

    share: float
    margins: tuple[str, ...] = ("section", "type", "grade")
    cells: tuple[str, ...] = ("section", "type", "grade")
    point: str = "point"
    keep_per_point: int = 1
    withhold: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ReleaseError(f"share = {self.share:g}: expected a share of the bank between 0 and 1")
        if self.keep_per_point < 0:
            raise ReleaseError(f"keep_per_point = {self.keep_per_point}: expected 0 or more")


@dataclass(frozen=True, slots=True)
class Stratum:
    """A margin or a cell: what was proportional, and what was published."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    items: int
    quota: float
    published: int

    @property
    def deviation(self) -> float:
        return self.published - self.quota


@dataclass(frozen=True, slots=True)
class Release:
    """The chosen items, why each, how well all public items now mirror the bank, and what they give away."""

    items: tuple[str, ...]
    reasons: Mapping[str, str]
    strata: tuple[Stratum, ...]
    ks_difficulty: float
    ks_discrimination: float
    information_share: Mapping[float, float]
    seed: int
    pool_digest: str

    def worst(self, columns: int) -> float:
        """The largest deviation from quota over margins (`columns` = 1) or cells (more)."""
        return max(
            (abs(s.deviation) for s in self.strata if (len(s.columns) == 1) == (columns == 1)),
            default=0.0,
        )


def read_policy(path: Path) -> ReleasePolicy:
    """A policy from TOML (docs/release.md describes it). Raises ReleaseError naming the key."""
    return value_of(ReleasePolicy, read_document(path, ReleaseError), str(path), ReleaseError)


def choose_release(pool: Pool, policy: ReleasePolicy, *, seed: int = 0, nodes: int = 2000) -> Release:
    """Choose the items of one round. Raises InfeasibleReleaseError when margins, points and share cannot all be met."""
    public, allowed = already_public(pool), np.ones(len(pool), bool)
    for condition in policy.withhold:
        allowed &= ~pool.where(condition, strict=False)  # a value that no item has withholds none
    allowed |= public  # what is public stays public
    count = round(policy.share * len(pool))
    if not public.sum() < count <= allowed.sum():
        raise InfeasibleReleaseError(
            f"share {policy.share:g} of {len(pool)} items means {count} public ones; {public.sum()} are public already "
            f"and {(allowed & ~public).sum()} more may be published"
        )
    model, x, cells = _model(pool, policy, public, allowed, count, seed)
    solution = solve(model, seed=seed, nodes=nodes)
    if solution.x is None:
        raise InfeasibleReleaseError(
            f"no {count} items keep the margins of {', '.join(policy.margins)} within one item and "
            f"{policy.keep_per_point} secret items at every {policy.point}; lower the share or drop a margin"
        )
    _prefer_equal_distributions(model, pool, x, cells, float(solution.x[cells].sum()), count / len(pool))
    nearer = solve(model, seed=seed, nodes=nodes, gap=GAP)
    best = solution.x if nearer.x is None else nearer.x
    return _release(pool, policy, np.flatnonzero(best[x] > 0.5), seed)


def _model(
    pool: Pool,
    policy: ReleasePolicy,
    public: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    count: int,
    seed: int,
) -> tuple[Model, NDArray[np.int32], NDArray[np.int32]]:
    """The model of a round, its item columns (J,) and the columns of the cells' deviations, which are its cost."""
    rng = np.random.default_rng(seed)
    model = Model()
    x = model.add_columns(len(pool), cost=np.round(1e-4 * rng.random(len(pool)), 9), integer=True)
    for j in np.flatnonzero(~allowed):
        model.upper[j] = 0.0
    for j in np.flatnonzero(public):
        model.lower[j] = 1.0
    model.add_row("share", x, 1.0, count, count)
    exact = count / len(pool)
    for column in policy.margins:
        for _, members in strata(pool, (column,)):
            quota = exact * len(members)
            model.add_row(f"margin {column}", x[members], 1.0, floor(quota + 1e-9), ceil(quota - 1e-9))
    for (point,), members in strata(pool, (policy.point,)):
        if not point:
            continue
        model.add_row("secret items a point", x[members], 1.0, -np.inf, max(0, len(members) - policy.keep_per_point))
    groups = [members for _, members in strata(pool, policy.cells)]
    cells = model.add_columns(len(groups), upper=np.inf, cost=1.0, integer=False)
    for away, members in zip(cells, groups, strict=True):
        quota = exact * len(members)
        columns = np.append(x[members], away)
        model.add_row("cell", columns, np.append(np.ones(len(members)), -1.0), -np.inf, quota)
        model.add_row("cell", columns, np.append(np.ones(len(members)), 1.0), quota, np.inf)
    return model, x, cells


def _prefer_equal_distributions(
    model: Model, pool: Pool, x: NDArray[np.int32], cells: NDArray[np.int32], deviation: float, exact: float
) -> None:
    """Among the sets whose cells deviate no more than `deviation`, prefer those whose b and a are spread as the bank's.

    For both parameters the largest gap between published and proportional counts below a vigintile of the bank is the
    cost: it bounds the Kolmogorov-Smirnov distance to within a twentieth of the items.
    """
    model.cost = [0.0] * len(model.cost)
    model.add_row("cells as near as can be", cells, 1.0, -np.inf, deviation + 1e-6)
    calibrated = np.flatnonzero(pool.calibrated)
    for parameter in (pool.parameters.b, pool.parameters.a):
        ordered = calibrated[np.argsort(parameter[calibrated], kind="stable")]
        gap = model.add_columns(1, upper=np.inf, cost=1.0, integer=False)
        for part in range(1, QUANTILES):
            below = ordered[: len(ordered) * part // QUANTILES]
            columns, quota = np.concatenate([x[below], gap]), exact * len(below)
            model.add_row("distribution", columns, np.append(np.ones(len(below)), -1.0), -np.inf, quota)
            model.add_row("distribution", columns, np.append(np.ones(len(below)), 1.0), quota, np.inf)


def already_public(pool: Pool) -> NDArray[np.bool_]:
    """Items that earlier rounds published, (J,): `published` = yes, where the pool has such a column."""
    known = "published" in pool.attributes
    return pool.where({"published": "yes"}, strict=False) if known else np.zeros(len(pool), bool)


def strata(pool: Pool, columns: Sequence[str]) -> list[tuple[tuple[str, ...], NDArray[np.intp]]]:
    """Items by the crossed values of columns, in order of the values; an empty cell is the value ""."""
    members: dict[tuple[str, ...], list[int]] = {}
    values = [pool.column(name) for name in columns]
    for j in range(len(pool)):
        members.setdefault(tuple("" if column[j] is None else str(column[j]) for column in values), []).append(j)
    return [(key, np.array(members[key])) for key in sorted(members)]


def _release(pool: Pool, policy: ReleasePolicy, chosen: NDArray[np.intp], seed: int) -> Release:
    exact = len(chosen) / len(pool)
    rows = []
    for columns in (*((name,) for name in policy.margins), policy.cells):
        for values, members in strata(pool, columns):
            published = len(np.intersect1d(members, chosen))
            rows.append(Stratum(columns, values, len(members), exact * len(members), published))
    calibrated = pool.calibrated
    known = np.intersect1d(chosen, np.flatnonzero(calibrated))
    information = np.where(calibrated[:, None], pool.parameters.information(INFORMATION_THETA), 0.0)
    whole = information.sum(axis=0)
    given = np.divide(information[known].sum(axis=0), whole, out=np.full(len(whole), np.nan), where=whole > 0)
    reasons = {}
    cells = [pool.column(name) for name in policy.cells]
    points = pool.column(policy.point)
    secret = Counter(point for j, point in enumerate(points) if j not in set(chosen.tolist()))
    added = chosen[~already_public(pool)[chosen]]
    for j in added:
        stratum = " × ".join(str(column[j] or "–") for column in cells)
        reasons[pool.ids[j]] = f"代表 represents {stratum}{_kept(points[j], secret)}"
    return Release(
        items=tuple(pool.ids[j] for j in added),
        reasons=reasons,
        strata=tuple(rows),
        ks_difficulty=kolmogorov_smirnov(pool.parameters.b[known], pool.parameters.b[calibrated]),
        ks_discrimination=kolmogorov_smirnov(pool.parameters.a[known], pool.parameters.a[calibrated]),
        information_share=dict(zip(INFORMATION_THETA, given.tolist(), strict=True)),
        seed=seed,
        pool_digest=pool.digest,
    )


def _kept(point: Value, secret: Counter[Value]) -> str:
    return f"；考核点留有保密题 its point keeps secret: {secret[point]}" if point else ""


def kolmogorov_smirnov(sample: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    """The largest distance between two empirical distribution functions; NaN where one has no values."""
    if not len(sample) or not len(whole):
        return float("nan")
    points = np.concatenate([sample, whole])
    one = np.searchsorted(np.sort(sample), points, side="right") / len(sample)
    other = np.searchsorted(np.sort(whole), points, side="right") / len(whole)
    return float(np.abs(one - other).max())
