"""Improving a form by exchanging one of its items for another, every rule kept all the while.

Items that count the same in every rule (a class) can be exchanged freely as far as sums go, so those exchanges are
looked at first, all of them; others are drawn, and their sums checked. What is made smaller is the largest deviation
from the target, and among equals its mean square: the swap phase of Swanson & Stocking's (1993) heuristic, on exact sums.
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

DRAWN = 20_000  # exchanges between classes that are looked at in one round
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
    bound: NDArray[np.int64]  # (n,), the same number: may be exchanged if the sums allow
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
    tied: list[NDArray[np.int64]] = [np.zeros(len(items), np.int64)]
    movable = ~paper.required[items]
    once = []
    for groups in paper.groups:
        labels = groups.labels[items]
        if groups.optional:
            movable &= labels < 0
        elif groups.low.any():
            tied.append(labels.astype(np.int64))
        else:
            once.append(labels)
    for one in paper.implications:
        tied.append(one.given[items] + 2 * one.then[items].astype(np.int64))
    for letters in paper.letters:
        tied.append(np.where(letters.free, len(letters.names), letters.letter)[items].astype(np.int64))
    bound = hashed(np.stack(tied, axis=1))
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
    if not len(exchange.aim.wanted):
        return now
    for _ in range(swaps):
        sums = exchange.features[now].sum(axis=0)
        if exchange.aim.deviation(sums, bound) <= goal:
            break
        pair = _best(exchange, now, _within_classes(exchange, now), sums, bound)
        if pair is None:
            pair = _best(exchange, now, _drawn(exchange, now, rng), sums, bound)
        if pair is None:
            break
        now[pair[0]], now[pair[1]] = False, True
    return now


Pairs = tuple[Positions, Positions]


def _within_classes(exchange: Exchange, now: Mask) -> Pairs:
    """All exchanges of a chosen item for another of its class, as (out, in)."""
    leaving = np.flatnonzero(now & exchange.movable)
    waiting = np.flatnonzero(~now & exchange.movable)
    waiting = waiting[np.argsort(exchange.alike[waiting], kind="stable")]
    keys = exchange.alike[waiting]
    first, last = (np.searchsorted(keys, exchange.alike[leaving], side=side) for side in ("left", "right"))
    count = last - first
    out = np.repeat(leaving, count)
    place = np.arange(len(out)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return out, waiting[place]


def _drawn(exchange: Exchange, now: Mask, rng: np.random.Generator) -> Pairs:
    leaving, waiting = np.flatnonzero(now & exchange.movable), np.flatnonzero(~now & exchange.movable)
    if not len(leaving) or not len(waiting):
        return leaving[:0], waiting[:0]
    out, into = rng.choice(leaving, DRAWN), rng.choice(waiting, DRAWN)
    keep = exchange.bound[out] == exchange.bound[into]
    return out[keep], into[keep]


def _best(exchange: Exchange, now: Mask, pairs: Pairs, sums: Vector, bound: float) -> tuple[int, int] | None:
    """The allowed exchange that comes nearest to the target; None where none comes nearer than the form is."""
    out, into = pairs
    after = sums + exchange.features[into] - exchange.features[out]
    before = _merit(exchange.aim, sums, bound)
    merit = _merit(exchange.aim, after, bound)
    promising = np.flatnonzero(merit < before - TOLERANCE)
    promising = promising[np.argsort(merit[promising], kind="stable")]
    for start in range(0, len(promising), 256):
        part = promising[start : start + 256]
        allowed = allowed_pairs(exchange, now, out[part], into[part])
        if allowed.any():
            best = part[np.argmax(allowed)]
            return int(out[best]), int(into[best])
    return None


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
