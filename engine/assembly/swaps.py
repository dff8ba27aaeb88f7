"""Improving a form by exchanging one of its items for another, or two for two, every rule kept all the while.

Exchanges between items that exact rules treat alike are looked at all together: what they do to the target first, and of
the best what they do to the other rules. What is made smaller is the largest deviation from the target, and among
equals its mean square: the swap phase of Swanson & Stocking's (1993) heuristic, on exact sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from engine.assembly.aims import Aim
from engine.assembly.paper import Paper, Rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

LOOKED_AT = 100_000  # exchanges that are looked at in one round
CHECKED = 256  # the best of them whose rules are checked at a time
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
    features: Matrix  # (n, F)
    aim: Aim
    alike: NDArray[np.int64]  # (n,), the same number: the same in every rule
    bound: NDArray[np.int64]  # (n,), the same number: exact rules treat them alike
    movable: Mask  # (n,)
    once: tuple[NDArray[np.int32], ...]  # labels (n,) of which a form has one at most
    enemies: csr_array  # (n, n)


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
            once.append(labels)
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
        features=aim.features[items],
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
    exchange: Exchange, chosen: Mask, *, goal: float, bound: float = np.nan, seed: int = 0, swaps: int = 400
) -> Mask:
    """The candidates of a form (n,), exchanged until the deviation is at most `goal` or nothing found helps.

    `bound` is what sums to be made large are measured by. The form must keep every rule; it still does afterwards.
    """
    rng = np.random.default_rng(seed)
    now = chosen.copy()
    for _ in range(swaps):
        sums = exchange.features[now].sum(axis=0)
        if exchange.aim.deviation(sums, bound) <= goal:
            break
        pairs = _pairs(exchange, now, rng)
        steps = _best(exchange, now, pairs, sums, bound) or _best_two(exchange, now, pairs, sums, bound, rng)
        if not steps:
            break
        for out, into in steps:
            now[out], now[into] = False, True
    return now


Pairs = tuple[Positions, Positions]
Steps = list[tuple[int, int]]


def _pairs(exchange: Exchange, now: Mask, rng: np.random.Generator) -> Pairs:
    """Exchanges (out, in) that exact rules allow: all of them, or a draw where there are too many."""
    leaving = np.flatnonzero(now & exchange.movable)
    waiting = np.flatnonzero(~now & exchange.movable)
    waiting = waiting[np.argsort(exchange.bound[waiting], kind="stable")]
    keys = exchange.bound[waiting]
    first, last = (np.searchsorted(keys, exchange.bound[leaving], side=side) for side in ("left", "right"))
    count = last - first
    out = np.repeat(leaving, count)
    place = np.arange(len(out)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    if len(out) > LOOKED_AT:
        drawn = np.sort(rng.choice(len(out), LOOKED_AT, replace=False))
        out, place = out[drawn], place[drawn]
    return out, waiting[place]


def _best(exchange: Exchange, now: Mask, pairs: Pairs, sums: Vector, bound: float) -> Steps:
    """The allowed exchange that comes nearest to the target; none where none comes nearer than the form is."""
    out, into = pairs
    merit = _merit(exchange.aim, sums + exchange.features[into] - exchange.features[out], bound)
    promising = np.flatnonzero(merit < _merit(exchange.aim, sums, bound) - TOLERANCE)
    promising = promising[np.argsort(merit[promising], kind="stable")]
    for start in range(0, len(promising), CHECKED):
        part = promising[start : start + CHECKED]
        allowed = allowed_pairs(exchange, now, out[part], into[part])
        if allowed.any():
            best = part[np.argmax(allowed)]
            return [(int(out[best]), int(into[best]))]
    return []


def _best_two(
    exchange: Exchange, now: Mask, pairs: Pairs, sums: Vector, bound: float, rng: np.random.Generator
) -> Steps:
    """Two exchanges that together come nearer, out of some that are allowed, where no single one does."""
    drawn = rng.permutation(len(pairs[0]))[: 8 * PAIRED]
    out, into = pairs[0][drawn], pairs[1][drawn]
    allowed = np.flatnonzero(allowed_pairs(exchange, now, out, into))[:PAIRED]
    out, into = out[allowed], into[allowed]
    change = exchange.features[into] - exchange.features[out]
    merit = _merit(exchange.aim, sums + change[:, None] + change[None], bound)
    merit[(out[:, None] == out[None]) | (into[:, None] == into[None])] = np.inf
    first, second = np.nonzero(np.triu(merit < _merit(exchange.aim, sums, bound) - TOLERANCE))
    for n in np.argsort(merit[first, second], kind="stable")[:CHECKED]:
        i, j = first[n], second[n]
        after = now.copy()
        after[out[i]], after[into[i]] = False, True
        if allowed_pairs(exchange, after, out[j : j + 1], into[j : j + 1])[0]:
            return [(int(out[i]), int(into[i])), (int(out[j]), int(into[j]))]
    return []


def _merit(aim: Aim, sums: Matrix, bound: float) -> Vector:
    """Less is better: the deviation, and a little of its mean square."""
    worst = aim.deviation(sums, bound)
    if not aim.matching:
        return worst
    return np.asarray(worst + 0.05 * np.sqrt((((sums - aim.wanted) / aim.unit) ** 2).mean(axis=-1)))


def allowed_pairs(exchange: Exchange, now: Mask, out: Positions, into: Positions) -> Mask:
    """Which exchanges keep every rule, (P,)."""
    marks = exchange.marks[now].sum(axis=0) + exchange.marks[into] - exchange.marks[out]
    allowed = ((marks >= exchange.marks_low) & (marks <= exchange.marks_high)).all(axis=1)
    apart = np.flatnonzero(allowed & (exchange.alike[out] != exchange.alike[into]))
    if len(apart):
        rows = exchange.rows[now].sum(axis=0) + exchange.rows[into[apart]] - exchange.rows[out[apart]]
        allowed[apart] = ((rows >= exchange.low - 1e-7) & (rows <= exchange.high + 1e-7)).all(axis=1)
    for labels in exchange.once:
        count = np.bincount(labels[now & (labels >= 0)], minlength=int(labels.max(initial=-1)) + 2)
        new, old = labels[into], labels[out]
        allowed &= (new < 0) | (count[new] == 0) | (new == old)
    if exchange.enemies.nnz:
        met = exchange.enemies @ now.astype(float)
        facing = np.asarray(exchange.enemies[into, out]).ravel()
        allowed &= met[into] - facing < 0.5
    return allowed
