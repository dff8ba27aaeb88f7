"""Are the published items as hard, as discriminating and as informative as the bank? Swaps until they are.

A swap takes one chosen set back and publishes another instead. Between sets of one kind every margin and cell stays as
it is; where that does not bring the published items within the policy's limits, single items of different kinds are
swapped as far as the margins and cells allow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.pools import Pool
from engine.release.choosing import Sets, room_of
from engine.release.policy import THETA, Limits
from engine.release.standing import Standing
from engine.release.strata import Demands

PARTS = 40  # distributions are compared at so many quantiles of the bank
BEYOND, LATER, DEVIATION, SPREAD = 10.0, 1.0, 0.1, 0.02  # costs of an item: limits first, then order, cells, spread
SAFETY = 0.004  # of the information: aims lie inside the bounds
NEAR = 0.004  # of the public items: sums this near to their aims are there
WORK = 4_000_000  # swaps looked at
OUTS, INS = 24, 48


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Features of items (J, F) in units of items, and where their sums over all public items should lie (F,).

    The first features count the items whose difficulty (then discrimination) is at most a quantile of the bank, the
    last ones hold information. Beyond `low` and `high` the policy's limits are missed; `aim` is the best.
    """

    features: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    aim: NDArray[np.float64]
    scale: float

    def beyond(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far sums (…, F) miss the limits, (…, F)."""
        return np.maximum(np.maximum(self.low - sums, sums - self.high), 0.0)

    def cost(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """What sums (…, F) cost, (…)."""
        return np.asarray(
            BEYOND * self.beyond(sums).sum(axis=-1) + SPREAD / self.scale * ((sums - self.aim) ** 2).sum(axis=-1)
        )

    def slope(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient of the cost, (F,)."""
        side = (sums > self.high).astype(float) - (sums < self.low)
        return np.asarray(BEYOND * side + 2 * SPREAD / self.scale * (sums - self.aim))


def yardstick_of(pool: Pool, demands: Demands, limits: Limits) -> Yardstick:
    """What the published items are measured by: the bank, every stratum weighted by the share of it that is public."""
    shares = np.array([group.reached for group in demands.groups])
    weight = np.where(demands.group_of >= 0, shares[demands.group_of], 0.0)
    information = np.round(pool.information(THETA), 9)
    whole = weight @ information
    count = max(float(weight @ pool.calibrated), 1.0)
    blocks, low, high, aim = [], [], [], []
    for parameter, limit in ((pool.parameters.b, limits.difficulty), (pool.parameters.a, limits.discrimination)):
        below = _below(parameter, weight)
        target = weight @ below
        allowed = max(limit - 1 / PARTS, limit / 4) * count
        blocks.append(below)
        low.append(target - allowed)
        high.append(target + allowed)
        aim.append(target)
    blocks.append(np.divide(information * count, whole, out=np.zeros_like(information), where=whole > 0))
    has = np.where(whole > 0, count, 0.0)
    bounds = ((limits.lowest + SAFETY), (limits.highest - SAFETY))
    low.append(has * bounds[0])
    high.append(has * bounds[1])
    aim.append(has * np.clip(1.0, limits.lowest + 5 * SAFETY, max(limits.highest - 5 * SAFETY, limits.lowest)))
    return Yardstick(np.hstack(blocks), np.concatenate(low), np.concatenate(high), np.concatenate(aim), count)


def _below(parameter: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which items lie at or below each quantile of the bank, (J, PARTS); the last column counts all that have one."""
    known = np.flatnonzero(np.isfinite(parameter) & (weight > 0))
    if not len(known):
        return np.zeros((len(parameter), 0))
    ordered = known[np.argsort(parameter[known], kind="stable")]
    reached = np.cumsum(weight[ordered])
    cuts = parameter[ordered[np.searchsorted(reached, reached[-1] * np.arange(1, PARTS + 1) / PARTS - 1e-9)]]
    return np.asarray((np.nan_to_num(parameter, nan=np.inf)[:, None] <= cuts).astype(float))


@dataclass(slots=True)
class _Search:
    """The search's state: which sets are chosen, and what that makes of every sum and line."""

    sets: Sets
    stick: Yardstick
    features: NDArray[np.float64]  # (U, F)
    fixed: NDArray[np.float64]  # cost of a set's order and cells, (U,)
    chosen: NDArray[np.bool_]
    sums: NDArray[np.float64]
    room: list[int]  # of points and modules
    work: int = WORK

    def fits(self, out: int, into: int) -> bool:
        """Do points and modules keep their secret items?"""
        given = self.sets.keeps[out]
        return all(self.room[line] + given.get(line, 0) >= n for line, n in self.sets.keeps[into].items())

    def swap(self, out: int, into: int) -> None:
        self.chosen[out], self.chosen[into] = False, True
        self.sums += self.features[into] - self.features[out]
        for line, n in self.sets.keeps[out].items():
            self.room[line] += n
        for line, n in self.sets.keeps[into].items():
            self.room[line] -= n

    def gains(self, outs: NDArray[np.intp], ins: NDArray[np.intp]) -> NDArray[np.float64]:
        """What every swap would change the cost by, (outs, ins)."""
        self.work -= len(outs) * len(ins)
        sums = self.sums + self.features[ins][None, :, :] - self.features[outs][:, None, :]
        return np.asarray(
            self.stick.cost(sums) - self.stick.cost(self.sums) + self.fixed[ins] - self.fixed[outs][:, None]
        )

    def met(self) -> bool:
        """Are the policy's limits kept?"""
        return not self.stick.beyond(self.sums).any()

    def near(self) -> bool:
        """Is nothing to be gained that anybody would see?"""
        return bool(np.abs(self.sums - self.stick.aim).max() <= max(NEAR * self.stick.scale, 1.0))


def spread(
    demands: Demands, standing: Standing, sets: Sets, chosen: NDArray[np.bool_], stick: Yardstick, *, seed: int
) -> NDArray[np.bool_]:
    """The chosen sets (U,) after all swaps that pay; the numbers of every margin stay within its bounds."""
    rng = np.random.default_rng([seed, 1])
    features = np.array([stick.features[members].sum(axis=0) for members in sets.items])
    features = features.reshape(len(sets.items), -1)
    sizes = np.array([len(members) for members in sets.items], float)
    slopes = np.array([line.slope for line in demands.cells] + [0.0])  # the last for items that stand in no cell
    cells = np.array([slopes[demands.cell_of[members]].sum() for members in sets.items])
    room = room_of(demands, standing)
    for u in np.flatnonzero(chosen).tolist():
        for line, n in sets.keeps[u].items():
            room[line] -= n
    search = _Search(
        sets=sets,
        stick=stick,
        features=features,
        fixed=LATER * sets.order * sizes + DEVIATION * cells,
        chosen=chosen.copy(),
        sums=stick.features[standing.public & (demands.group_of >= 0)].sum(axis=0) + features[chosen].sum(axis=0),
        room=room,
    )
    if features.shape[1]:
        _within_kinds(search, rng)
        _between_kinds(search, demands, standing, rng)
    return search.chosen


def _within_kinds(search: _Search, rng: np.random.Generator) -> None:
    by_kind: dict[int, list[int]] = {}
    for u, kind in enumerate(search.sets.kinds.tolist()):
        by_kind.setdefault(kind, []).append(u)
    kinds = [np.array(members) for members in by_kind.values() if len(members) > 1]
    improving = True
    while improving and search.work > 0 and not search.near():
        improving = False
        slope = search.stick.slope(search.sums)
        for k in rng.permutation(len(kinds)).tolist():
            members = kinds[k]
            outs, ins = members[search.chosen[members]], members[~search.chosen[members]]
            if not len(outs) or not len(ins):
                continue
            if len(outs) > OUTS or len(ins) > INS:
                outs = _promising(-(search.features[outs] @ slope + search.fixed[outs]), outs, OUTS, rng)
                ins = _promising(search.features[ins] @ slope + search.fixed[ins], ins, INS, rng)
            improving |= _best_swap(search, outs, ins)


def _promising(
    score: NDArray[np.float64], units: NDArray[np.intp], number: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Half of them those of the least score, half drawn."""
    if len(units) <= number:
        return units
    best = np.argpartition(score, number // 2)[: number // 2]
    return np.unique(np.concatenate([units[best], rng.choice(units, number // 2, replace=False)]))


def _best_swap(search: _Search, outs: NDArray[np.intp], ins: NDArray[np.intp]) -> bool:
    """Make the swap that pays most among those that leave points and modules their secret items, if any pays."""
    gains = search.gains(outs, ins)
    for pair in np.argsort(gains, axis=None, kind="stable")[:20].tolist():
        o, i = divmod(pair, len(ins))
        if gains[o, i] > -1e-7:
            return False
        if search.fits(int(outs[o]), int(ins[i])):
            search.swap(int(outs[o]), int(ins[i]))
            return True
    return False


def _between_kinds(search: _Search, demands: Demands, standing: Standing, rng: np.random.Generator) -> None:
    """Swaps of single items of a stratum between kinds, while the limits are missed or the bank is small."""
    small = len(search.sets.items) <= 3000
    single = np.array([u for u, members in enumerate(search.sets.items) if len(members) == 1], np.intp)
    if not len(single) or not (small or not search.met()):
        return
    item = np.full(len(search.sets.items), -1)
    item[single] = [search.sets.items[u][0] for u in single]
    public = standing.public.copy()
    for u in np.flatnonzero(search.chosen).tolist():
        public[search.sets.items[u]] = True
    margins = np.array([int(public[line.members].sum()) for line in demands.margins] + [0])
    cells = np.array([int(public[line.members].sum()) for line in demands.cells] + [0])
    low, high = (np.array([getattr(line, side) for line in demands.margins] + [0]) for side in ("low", "high"))
    floor, ceiling = (np.array([getattr(line, side) for line in demands.cells] + [0]) for side in ("low", "high"))
    improving = True
    while improving and search.work > 0 and not search.near() and (small or not search.met()):
        improving = False
        outs = single[search.chosen[single]]
        slope = search.stick.slope(search.sums)
        if len(outs) > 400:
            outs = _promising(-(search.features[outs] @ slope + search.fixed[outs]), outs, 400, rng)
        for u in rng.permutation(outs).tolist():
            out = item[u]
            ins = single[~search.chosen[single] & (demands.group_of[item[single]] == demands.group_of[out])]
            search.work -= len(ins)
            of, to = demands.margin_of[out], demands.margin_of[item[ins]]
            fine = ((of == to) | ((margins[of] > low[of]) & (margins[to] < high[to]))).all(axis=1)
            home, cell = demands.cell_of[out], demands.cell_of[item[ins]]
            fine &= (home == cell) | ((cells[home] > floor[home]) & (cells[cell] < ceiling[cell]))
            ins = ins[fine]
            if not len(ins):
                continue
            slope = search.stick.slope(search.sums)
            ins = _promising(search.features[ins] @ slope + search.fixed[ins], ins, INS, rng)
            before = search.chosen[ins].copy()
            if _best_swap(search, np.array([u]), ins):
                improving = True
                into = item[ins[search.chosen[ins] & ~before][0]]
                for counts, lines in ((margins, demands.margin_of), (cells, demands.cell_of[:, None])):
                    np.subtract.at(counts, lines[out], 1)
                    np.add.at(counts, lines[into], 1)
