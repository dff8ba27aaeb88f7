"""Improving a form by exchanging one of its items for another, or two for two, every rule kept all the while.

Exchanges between items that exact rules treat alike are looked at all together: what they do to the target first, and
of the best what they do to the other rules. What is made smaller is the largest deviation from the target, and among
equals its mean square: the swap phase of Swanson & Stocking's (1993) heuristic, on exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from engine.assembly.aims import Aim
from engine.assembly.clock import time_is_up
from engine.assembly.paper import Paper, Rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

SWAPS = 400  # at most, one after the other
LOOKED_AT = 8_000  # exchanges that are looked at in one round
CHECKED = 256  # the best of them whose rules are checked at a time
KICKS, KICK = 20, 6  # times to start again, and exchanges at random before each
PAIRED = 300  # exchanges that are tried two by two
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Exchange:
    """What exchanges among n candidate items of a pool are judged by; everything is laid out by candidate."""

    items: Positions  # (n,), positions in the pool
    rows: Matrix  # (n, R), what each adds to the rules' sums
    low: Vector  # (R,)
    high: Vector
    marks: Matrix  # (n, T)
    marks_low: Vector
    marks_high: Vector
    features: Matrix  # (F, n), in units of the target
    aim: Aim
    alike: NDArray[np.int64]  # (n,), the same number: the same in every rule
    bound: NDArray[np.int64]  # (n,), the same number: exact rules treat them alike
    movable: Mask  # (n,)
    once: tuple[tuple[NDArray[np.int32], int], ...]  # labels (n,) of which a form has one at most, and that of none
    enemies: csr_array  # (n, n)


@dataclass(slots=True)
class Standing:
    """A form among the candidates, with the sums that its exchanges are judged by."""

    exchange: Exchange
    now: Mask  # (n,)
    rows: Vector
    marks: Vector
    features: Vector  # (F,)
    counts: list[NDArray[np.intp]]  # of each label of `once`, the last for none
    met: Vector  # (n,), enemies of each candidate on the form
    best: float = np.nan  # the sum that a target to be made large cannot exceed

    @classmethod
    def of(cls, exchange: Exchange, chosen: Mask, best: float = np.nan) -> Standing:
        """A form given as a mask of the candidates (n,)."""
        members = np.flatnonzero(chosen)
        return cls(
            exchange=exchange,
            now=chosen.copy(),
            rows=exchange.rows[members].sum(axis=0),
            marks=exchange.marks[members].sum(axis=0),
            features=exchange.features[:, members].sum(axis=1),
            counts=[np.bincount(labels[members], minlength=none + 1) for labels, none in exchange.once],
            met=exchange.enemies @ chosen.astype(float),
            best=best,
        )

    def copy(self) -> Standing:
        return replace(self, now=self.now.copy(), counts=[count.copy() for count in self.counts], met=self.met.copy())

    @property
    def deviation(self) -> float:
        return float(self.deviations(self.features[:, None])[0])

    def deviations(self, sums: Matrix) -> Vector:
        """The deviation of forms with these sums (F, P), (P,)."""
        if self.exchange.aim.matching:
            wanted = self.exchange.aim.wanted / self.exchange.aim.unit
            return np.asarray(np.abs(sums - wanted[:, None]).max(axis=0))
        return np.asarray(1 - sums.min(axis=0) / self.best)

    def merit(self, sums: Matrix) -> Vector:
        """What is made smaller, (P,): the root mean square of the deviations, and a little of the largest."""
        worst = self.deviations(sums)
        if not self.exchange.aim.matching:
            return worst
        apart = sums - (self.exchange.aim.wanted / self.exchange.aim.unit)[:, None]
        return np.asarray(0.3 * worst + np.sqrt((apart * apart).sum(axis=0) / len(sums)))

    def put(self, out: int, into: int) -> None:
        """Exchange one item for another."""
        exchange = self.exchange
        self.now[out], self.now[into] = False, True
        self.rows = self.rows + exchange.rows[into] - exchange.rows[out]
        self.marks = self.marks + exchange.marks[into] - exchange.marks[out]
        self.features = self.features + exchange.features[:, into] - exchange.features[:, out]
        for (labels, _), count in zip(exchange.once, self.counts, strict=True):
            count[labels[out]] -= 1
            count[labels[into]] += 1
        for item, change in ((out, -1.0), (into, 1.0)):
            ends = slice(exchange.enemies.indptr[item], exchange.enemies.indptr[item + 1])
            self.met[exchange.enemies.indices[ends]] += change

    @property
    def keeps_every_rule(self) -> bool:
        """Of those that exchanges are judged by: all but the rules on item sets."""
        exchange = self.exchange
        once = all(not (count[:none] > 1).any() for count, (_, none) in zip(self.counts, exchange.once, strict=True))
        inside = (self.rows >= exchange.low - 1e-7) & (self.rows <= exchange.high + 1e-7)
        marks = (self.marks >= exchange.marks_low) & (self.marks <= exchange.marks_high)
        return once and bool(inside.all() and marks.all() and not (self.met[self.now] > 0).any())

    def allows(self, out: Positions, into: Positions) -> Mask:
        """Which exchanges keep every rule, (P,)."""
        exchange = self.exchange
        marks = self.marks + exchange.marks[into] - exchange.marks[out]
        allowed: Mask = np.asarray(((marks >= exchange.marks_low) & (marks <= exchange.marks_high)).all(axis=1))
        for (labels, none), count in zip(exchange.once, self.counts, strict=True):
            new = labels[into]
            allowed &= (new == none) | (count[new] == 0) | (new == labels[out])
        apart = np.flatnonzero(allowed & (exchange.alike[out] != exchange.alike[into]))
        if len(apart):
            rows = self.rows + exchange.rows[into[apart]] - exchange.rows[out[apart]]
            allowed[apart] = ((rows >= exchange.low - 1e-7) & (rows <= exchange.high + 1e-7)).all(axis=1)
        for n in np.flatnonzero(allowed & (self.met[into] > 0)):
            allowed[n] = self.met[into[n]] - exchange.enemies[into[n], out[n]] < 0.5
        return allowed


def exchange_of(paper: Paper, items: Positions, aim: Aim, beside: Rows | None = None) -> Exchange:
    """The exchanges among candidate items, as the paper judges them."""
    rows = paper.rows.matrix[:, items].toarray().T
    low, high = paper.rows.low, paper.rows.high
    if beside is not None and len(beside):
        rows = np.hstack([rows, beside.matrix[:, items].toarray().T])
        low, high = np.concatenate([low, beside.low]), np.concatenate([high, beside.high])
    tied = [np.round(1e6 * rows[:, low == high]).astype(np.int64)]
    movable = ~paper.required[items]
    once = []
    for groups in paper.groups:
        labels = groups.labels[items]
        if groups.optional:
            movable &= labels < 0
        elif groups.low.any():
            tied.append(labels.astype(np.int64)[:, None])
        else:
            none = len(groups.high)
            once.append((np.where(labels < 0, none, labels), none))
    tied += [np.stack([one.given, one.then], axis=1)[items].astype(np.int64) for one in paper.implications]
    tied += [np.where(one.free, -2, one.letter)[items, None].astype(np.int64) for one in paper.letters]
    bound = hashed(np.hstack(tied))
    alike = hashed(np.column_stack([np.round(rows * 1e6).astype(np.int64), bound]))
    marks_low, marks_high = aim.marks_bounds
    return Exchange(
        items=items,
        rows=rows,
        low=low,
        high=high,
        marks=aim.item_marks[items],
        marks_low=marks_low,
        marks_high=marks_high,
        features=np.ascontiguousarray((aim.features[items] / aim.unit).T),
        aim=aim,
        alike=alike,
        bound=bound,
        movable=movable,
        once=tuple(once),
        enemies=_enemies(paper, items),
    )


def _enemies(paper: Paper, items: Positions) -> csr_array:
    place = np.full(len(paper.pool), -1)
    place[items] = np.arange(len(items))
    pairs = place[paper.enemies]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    return csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(items), len(items)))


def hashed(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each row (n, R) of whole numbers: equal rows have equal numbers, others (all but surely) not."""
    weights = np.random.default_rng(20260701).integers(1, 2**62, rows.shape[1], dtype=np.int64) | 1
    with np.errstate(over="ignore"):
        return np.asarray((rows * weights).sum(axis=1))


def improve(
    exchange: Exchange, chosen: Mask, *, goal: float, best: float = np.nan, seed: int = 0, kicks: int = KICKS
) -> Mask:
    """The candidates of a form (n,), exchanged until the deviation is at most `goal` or nothing found helps.

    Where nothing helps, a few items are exchanged at random and it is tried again, `kicks` times (iterated local
    search, Lourenço, Martin & Stützle, 2003); the best form is kept. `best` is what sums to be made large are measured
    by. The form must keep every rule; it still does afterwards.
    """
    rng = np.random.default_rng(seed)
    nearest = Standing.of(exchange, chosen, best)
    _descend(nearest, goal, rng)
    for _ in range(kicks):
        if nearest.deviation <= goal or time_is_up():
            break
        tried = nearest.copy()
        _kick(tried, rng)
        _descend(tried, goal, rng)
        if tried.deviation < nearest.deviation:
            nearest = tried
    return nearest.now


def _descend(form: Standing, goal: float, rng: np.random.Generator) -> None:
    for _ in range(SWAPS):
        if form.deviation <= goal or time_is_up():
            break
        pairs = _pairs(form, rng)
        steps = _best(form, pairs) or _best_two(form, pairs, rng)
        if not steps:
            break
        for out, into in steps:
            form.put(out, into)


def _kick(form: Standing, rng: np.random.Generator) -> None:
    """A few exchanges at random."""
    for _ in range(KICK):
        out, into = _pairs(form, rng)
        drawn = rng.integers(len(out), size=min(64, len(out)))
        allowed = np.flatnonzero(form.allows(out[drawn], into[drawn]))
        if len(allowed):
            form.put(int(out[drawn[allowed[0]]]), int(into[drawn[allowed[0]]]))


Pairs = tuple[Positions, Positions]
Steps = list[tuple[int, int]]


def _pairs(form: Standing, rng: np.random.Generator) -> Pairs:
    """Exchanges (out, in) that exact rules allow: all of them, or a draw where there are too many."""
    exchange = form.exchange
    leaving = np.flatnonzero(form.now & exchange.movable)
    waiting = np.flatnonzero(~form.now & exchange.movable)
    waiting = waiting[np.argsort(exchange.bound[waiting], kind="stable")]
    keys = exchange.bound[waiting]
    first, last = (np.searchsorted(keys, exchange.bound[leaving], side=side) for side in ("left", "right"))
    count = last - first
    start = np.cumsum(count) - count
    total = int(count.sum())
    drawn = np.arange(total)
    if total > LOOKED_AT:  # every so manieth, from somewhere
        drawn = ((np.arange(LOOKED_AT) + rng.random()) * (total / LOOKED_AT)).astype(np.intp)
    which = np.searchsorted(start + count, drawn, side="right")
    return leaving[which], waiting[drawn - start[which] + first[which]]


def _best(form: Standing, pairs: Pairs) -> Steps:
    """The allowed exchange that comes nearest to the target; none where none comes nearer than the form is."""
    out, into = pairs
    merit = form.merit(form.features[:, None] + form.exchange.features[:, into] - form.exchange.features[:, out])
    promising = np.flatnonzero(merit < form.merit(form.features[:, None])[0] - TOLERANCE)
    promising = promising[np.argsort(merit[promising], kind="stable")]
    for start in range(0, len(promising), CHECKED):
        part = promising[start : start + CHECKED]
        allowed = form.allows(out[part], into[part])
        if allowed.any():
            best = part[np.argmax(allowed)]
            return [(int(out[best]), int(into[best]))]
    return []


def _best_two(form: Standing, pairs: Pairs, rng: np.random.Generator) -> Steps:
    """Two exchanges that together come nearer, out of some that are allowed, where no single one does."""
    drawn = rng.integers(len(pairs[0]), size=min(8 * PAIRED, len(pairs[0])))
    out, into = pairs[0][drawn], pairs[1][drawn]
    allowed = np.flatnonzero(form.allows(out, into))[:PAIRED]
    out, into = out[allowed], into[allowed]
    change = form.exchange.features[:, into] - form.exchange.features[:, out]
    first, second = np.triu_indices(len(allowed), 1)
    merit = form.merit(form.features[:, None] + change[:, first] + change[:, second])
    usable = (merit < form.merit(form.features[:, None])[0] - TOLERANCE) & (out[first] != out[second])
    promising = np.flatnonzero(usable & (into[first] != into[second]))
    for n in promising[np.argsort(merit[promising], kind="stable")][:CHECKED]:
        i, j = first[n], second[n]
        after = form.copy()
        after.put(int(out[i]), int(into[i]))
        if after.allows(out[j : j + 1], into[j : j + 1])[0]:
            return [(int(out[i]), int(into[i])), (int(out[j]), int(into[j]))]
    return []
