"""A form whose keys no order and no shuffling balances: another item for one in the way, every rule kept.

Where keys are fixed and the order leaves nothing open, how often a key stands in a row is decided by which items are
chosen. The linear model does not know the order, so the form it gives is mended here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.assembly.kernel import Found
from engine.assembly.keys import UnbalancedKeysError
from engine.assembly.ordering import arrange
from engine.assembly.paper import Letters, Paper, Rows

Mask = NDArray[np.bool_]
Positions = NDArray[np.intp]

TRIES = 30
TOLERANCE = 1e-7


def without_long_runs(
    paper: Paper, found: Found, candidates: Positions, beside: Rows | None = None, *, seed: int = 0
) -> Found:
    """The form, with items exchanged for others of `candidates` until its keys can be balanced.

    Of the exchanges that keep every rule, the one that stays nearest to the target is made. Raises
    UnbalancedKeysError where exchanges do not help.
    """
    if all(letters.rule.run is None for letters in paper.letters):
        return found
    items, left = found.items, set[tuple[int, int]]()
    for _ in range(TRIES):
        try:
            arrange(paper, items, seed=seed)
        except UnbalancedKeysError as error:
            pair = _nearest(paper, found, items, np.array(error.items), candidates, beside, left)
            if pair is None:
                raise
            left |= {pair, pair[::-1]}
            items = np.sort(np.append(items[items != pair[0]], pair[1]))
        else:
            break
    else:
        arrange(paper, items, seed=seed)  # raises, if it still must
    if paper.aim is None or np.array_equal(items, found.items):
        return replace(found, items=items)
    deviation = float(paper.aim.deviation(paper.aim.features[items].sum(axis=0), found.best))
    return replace(found, items=items, deviation=deviation, bound=min(found.bound, deviation))


def _nearest(
    paper: Paper,
    found: Found,
    items: Positions,
    stretch: Positions,
    candidates: Positions,
    beside: Rows | None,
    left: set[tuple[int, int]],
) -> tuple[int, int] | None:
    """The exchange (out, in) of an item of the stretch for one with another key that stays nearest to the target."""
    waiting = np.setdiff1d(candidates, items)
    best: tuple[float, int, int] | None = None
    for out in stretch[~paper.required[stretch]].tolist():
        into = waiting[_other_key(paper, out, waiting)]
        into = into[_kept(paper, items, out, into, beside)]
        into = into[[(out, other) not in left for other in into.tolist()]]
        if not len(into):
            continue
        deviation = np.zeros(len(into))
        if paper.aim is not None:
            features = paper.aim.features
            deviation = paper.aim.deviation(features[items].sum(axis=0) - features[out] + features[into], found.best)
        n = int(np.argmin(deviation))
        if best is None or deviation[n] < best[0]:
            best = float(deviation[n]), out, int(into[n])
    return best and best[1:]


def _other_key(paper: Paper, out: int, waiting: Positions) -> Mask:
    """Those that do not have the same fixed key under any rule on runs."""
    other = np.ones(len(waiting), bool)
    for letters in paper.letters:
        if letters.rule.run is not None and letters.letter[out] >= 0:
            other &= (letters.letter[waiting] != letters.letter[out]) | letters.free[waiting]
    return other


def _kept(paper: Paper, items: Positions, out: int, into: Positions, beside: Rows | None) -> Mask:
    """Which of `into` may stand on the form for `out`, every rule kept; (n,)."""
    kept = np.ones(len(into), bool)
    for rows in (paper.rows, beside):
        if rows is not None and len(rows):
            sums = rows.matrix[:, items].sum(axis=1)[:, None] + rows.matrix[:, into].toarray()
            sums = sums - rows.matrix[:, [out]].toarray()
            kept &= ((sums >= rows.low[:, None] - TOLERANCE) & (sums <= rows.high[:, None] + TOLERANCE)).all(axis=0)
    rest = items[items != out]
    for groups in paper.groups:
        old, new = groups.labels[out], groups.labels[into]
        if groups.optional:
            kept &= (new < 0) & (old < 0)
            continue
        counts = np.bincount(groups.labels[rest][groups.labels[rest] >= 0], minlength=len(groups.high))
        kept &= (new < 0) | (counts[new] + 1 <= groups.high[new])
        kept &= (old < 0) | (new == old) | (counts[old] >= groups.low[old])
    ends = np.concatenate([paper.enemies, paper.enemies[:, ::-1]])
    kept &= ~np.isin(into, ends[np.isin(ends[:, 0], rest), 1])
    for one in paper.implications:
        kept &= (one.given[into] == one.given[out]) & (one.then[into] == one.then[out])
    for letters in paper.letters:
        kept &= _shares_kept(letters, rest, into)
    if paper.aim is not None:
        low, high = paper.aim.marks_bounds
        marks = paper.aim.item_marks[rest].sum(axis=0) + paper.aim.item_marks[into]
        kept &= ((marks >= low) & (marks <= high)).all(axis=1)
    return kept


def _shares_kept(letters: Letters, rest: Positions, into: Positions) -> Mask:
    """With which of `into` the fixed and the shuffled keys can have their shares, (n,)."""
    if letters.rule.share is None:
        return np.ones(len(into), bool)
    low, high = letters.rule.shares
    slack = 0.0 if isinstance(letters.rule.share, tuple) else 1 - 1e-6
    fixed = np.bincount(
        letters.letter[rest[(letters.letter[rest] >= 0) & ~letters.free[rest]]], minlength=len(letters.names)
    )
    kinds = np.where(letters.free[into], len(letters.names), letters.letter[into])
    kept = np.ones(len(into), bool)
    for kind in np.unique(kinds).tolist():
        counts, shuffled = fixed.copy(), int(letters.free[rest].sum()) + (kind == len(letters.names))
        if 0 <= kind < len(letters.names):
            counts[kind] += 1
        among = counts.sum() + shuffled
        least, most = np.ceil(low * among - slack - 1e-9), np.floor(high * among + slack + 1e-9)
        possible = np.maximum(least - counts, 0).sum() <= shuffled <= (most - counts).sum() and (counts <= most).all()
        kept[kinds == kind] = possible
    return kept
