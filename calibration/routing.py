"""Were items given because of answers that the data do not hold?

Where answers decide which items follow, the likelihood is right as long as those answers are in the data: what they say
of ability is then known (Rubin, 1976; Mislevy & Wu, 1996; Eggen & Verhelst, 2011). Where they are not, or where the
persons are of several populations that nobody named, one population is taken for people who differ, and difficulties
lean towards those who had the item. Two signs tell it from booklets given at random and from routing that is in the
data:

Sets of items. Two sets of persons with different items differ in ability on the items both had, and these items do not
say who got which. A rule that follows answers does separate the sets on them: those above a cut here, those below
there, with no overlap but what chance was let in on purpose. So a pair of sets that differs is explained where the
answers to the common items tell the two apart (by their sum, or by the linear discriminant of Fisher, 1936), or where
one of them is told apart so from a third set that shares items with it which the other lacks: what decided may be
there. Where most persons are of no such set, items were chosen one by one, and the sets say nothing.

First items, in place of the sets where positions are known. Before the first item nobody has answered anything; so
those who began with an item must be as able as the others.

What neither sees: sets that share no items (the finding `disconnected`), sets inside other sets (they look like tests
that were not finished), items chosen one by one whose positions are not known, and persons in whom the common items
find no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, take_persons
from calibration.estimation.expectation import normalised
from calibration.estimation.likelihood import log_likelihood
from calibration.estimation.partitions import Partitions
from calibration.models import Curves, ItemParameters, Scale
from calibration.responses import Responses
from calibration.screening import Flag

Matrix = NDArray[np.float64]

LEAST_PERSONS = 100  # of a set, in the sample
LEAST_TOGETHER = 8  # of a set, in a block: fewer, and they are of no set as large as that
LEAST_SHARE = 0.8  # of a group's persons who are of such sets
MOST_SETS = 30  # of a group, the largest: 435 pairs
SAMPLE = 20_000  # persons looked at
LEAST_OWN = 0.1  # share of a set's items that the other does not have: less is a test that was not finished
LEAST_SHIFT = 0.25  # standard deviations of ability
LEAST_Z = 4.0  # standard errors
FALSE_ALARM = 1e-4  # of all comparisons of a calibration together
TOLD_APART = 0.95  # P(the one of the one set has more): a rule that follows answers, with a tenth left to chance
RIDGE = 0.01  # of the mean variance, for the discriminant of items that leave no variance
NODES = np.linspace(-5.0, 5.0, 41)
CODE = "routed-without-routing"
NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class ItemSet:
    """Persons of one group with the same items (j,): categories (n, j) and weights (n,)."""

    items: NDArray[np.intp]
    codes: NDArray[np.uint8]
    weight: Matrix

    @property
    def persons(self) -> float:
        return float(self.weight.sum())


def routing_flags(
    persons: Partitions,
    items: Sequence[ItemParameters],
    scale: Scale,
    population: tuple[Matrix, Matrix],
    first: NDArray[np.intp] | None = None,
) -> list[Flag]:
    """At most one flag, about the pair of sets or the first item that differs most.

    `items` are those of `persons` in their order, `population` the mean and standard deviation of ability of each
    group, (G,) each; `first` (N,) is the item each person began with, by position, -1 where it is not known.
    """
    sample, _ = persons.sample(SAMPLE)
    if first is None:
        found = list(_between_sets(sample, items, scale, population))
    else:
        found = list(_by_first_item(sample, items, scale, population, first))
    return [Flag("", CODE, max(found)[1])] if found else []


def item_sets(layout: ResponseBlocks) -> list[list[ItemSet]]:
    """The sets of at least LEAST_PERSONS persons, by group, the largest first; not of groups that have few such."""
    parts: dict[tuple[int, bytes], list[ItemSet]] = {}
    everyone: dict[int, float] = {}
    for block in layout:
        for group in np.unique(block.group):
            own = block if (block.group == group).all() else take_persons(block, np.flatnonzero(block.group == group))
            everyone[int(group)] = everyone.get(int(group), 0.0) + float(own.weight.sum())
            for part in _alike(own):
                parts.setdefault((int(group), part.items.tobytes()), []).append(part)
    groups: dict[int, list[ItemSet]] = {}
    for (group, _), same in parts.items():
        if sum(part.persons for part in same) >= LEAST_PERSONS:
            whole = ItemSet(
                same[0].items,
                np.concatenate([part.codes for part in same]),
                np.concatenate([part.weight for part in same]),
            )
            groups.setdefault(group, []).append(whole)
    return [
        sorted(sets, key=lambda one: -one.persons)
        for group, sets in sorted(groups.items())
        if sum(one.persons for one in sets) >= LEAST_SHARE * everyone[group]
    ]


def _alike(block: Block) -> Iterator[ItemSet]:
    """The persons of a block in sets, without those whose items few others of it have."""
    if block.row_start is None and block.complete:
        yield ItemSet(block.items.astype(np.intp), block.codes, block.weight)
        return
    if block.row_start is not None:
        edges, answered = block.row_start.tolist(), block.items.tobytes()
        size = block.items.itemsize
        kinds = [answered[first * size : last * size] for first, last in pairwise(edges)]
    else:
        kinds = [row.tobytes() for row in np.packbits(block.codes != MISSING, axis=1)]
    members: dict[bytes, list[int]] = {}
    for i, kind in enumerate(kinds):
        members.setdefault(kind, []).append(i)
    for chosen in members.values():
        if len(chosen) < LEAST_TOGETHER:
            continue
        weight = block.weight[chosen]
        if block.row_start is not None:
            spans = [slice(block.row_start[i], block.row_start[i + 1]) for i in chosen]
            yield ItemSet(block.items[spans[0]].astype(np.intp), np.stack([block.codes[s] for s in spans]), weight)
        else:
            seen = block.codes[chosen[0]] != MISSING
            yield ItemSet(block.items[seen].astype(np.intp), block.codes[chosen][:, seen], weight)


def _between_sets(
    layout: ResponseBlocks, items: Sequence[ItemParameters], scale: Scale, population: tuple[Matrix, Matrix]
) -> Iterator[tuple[float, str]]:
    """How far the sets of each pair that nothing explains are apart, and a sentence about it."""
    groups = [sets[:MOST_SETS] for sets in item_sets(layout) if len(sets) > 1]
    if not groups:
        return
    slope = _slopes(items, scale, population)
    limit = _limit(sum(len(sets) * (len(sets) - 1) // 2 for sets in groups))
    for sets in groups:
        pairs = _pairs(sets, slope, limit)
        explained = [pair for pair in pairs if pair.told_apart]
        for pair in pairs:
            if not pair.told_apart and not any(pair.parted_before(other) for other in explained):
                yield abs(pair.shift), _about(pair, sets, items)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two sets, by number, that differ by `shift` standard deviations on the items of `common`."""

    first: int
    second: int
    common: frozenset[int]
    shift: float
    told_apart: bool

    def parted_before(self, other: _Pair) -> bool:
        """Whether the other pair has one of these sets and a third, which had items with it that the second lacks."""
        return bool({self.first, self.second} & {other.first, other.second}) and not other.common <= self.common


def _pairs(sets: Sequence[ItemSet], slope: Matrix, limit: float) -> list[_Pair]:
    """The pairs of sets that differ in ability."""
    means = [one.weight @ one.codes / one.persons for one in sets]
    found = []
    for a, one in enumerate(sets):
        for b in range(a + 1, len(sets)):
            other = sets[b]
            common, at_one, at_other = np.intersect1d(one.items, other.items, assume_unique=True, return_indices=True)
            own = min(1 - len(common) / len(one.items), 1 - len(common) / len(other.items))
            gained = float(slope[common].sum())
            if not len(common) or own < LEAST_OWN or gained <= 0:
                continue
            shift = float(means[a][at_one].sum() - means[b][at_other].sum()) / gained
            if abs(shift) < LEAST_SHIFT:
                continue
            mine, theirs = one.codes[:, at_one].astype(float), other.codes[:, at_other].astype(float)
            error = np.sqrt(_variance(mine.sum(axis=1), one) + _variance(theirs.sum(axis=1), other)) / gained
            if abs(shift) > limit * error:
                apart = _told_apart(mine, one.weight, theirs, other.weight)
                found.append(_Pair(a, b, frozenset(common.tolist()), shift, apart))
    return found


def _variance(marks: Matrix, of: ItemSet) -> float:
    """Of the mean of marks (n,)."""
    mean = of.weight @ marks / of.persons
    return float(of.weight @ (marks - mean) ** 2) / of.persons**2


def _told_apart(one: Matrix, weight: Matrix, other: Matrix, other_weight: Matrix) -> bool:
    """Whether the answers to the common items, (n, j) and (m, j), say which set a person is of."""
    n, m = weight.sum(), other_weight.sum()
    difference = weight @ one / n - other_weight @ other / m
    within = sum(
        (w[:, None] * (table - w @ table / w.sum())).T @ (table - w @ table / w.sum())
        for table, w in ((one, weight), (other, other_weight))
    ) / (n + m)
    ridge = RIDGE * max(float(np.trace(within)) / len(within), 1e-9)
    discriminant = np.linalg.solve(within + ridge * np.eye(len(within)), difference)
    for direction in (np.sign(difference.sum()) * np.ones(len(difference)), discriminant):
        if _share_above(one @ direction, weight, other @ direction, other_weight) >= TOLD_APART:
            return True
    return False


def _share_above(one: Matrix, weight: Matrix, other: Matrix, other_weight: Matrix) -> float:
    """P(X > Y) + P(X = Y) / 2 for X of the one and Y of the other (Mann & Whitney, 1947)."""
    order = np.argsort(other)
    values, total = np.round(other[order], 9), np.concatenate([[0.0], np.cumsum(other_weight[order])])
    x = np.round(one, 9)
    below = total[np.searchsorted(values, x, "left")] + total[np.searchsorted(values, x, "right")]
    return float(weight @ below / (2 * weight.sum() * total[-1]))


def _slopes(items: Sequence[ItemParameters], scale: Scale, population: tuple[Matrix, Matrix]) -> Matrix:
    """What a standard deviation of ability adds to each item's expected category, (J,): E[category · z] over N(0, 1).

    In the population of all groups together.
    """
    curves = Curves.of(items, scale)
    mean, sd = population
    category = np.arange(len(curves.marks)) - np.repeat(curves.start[:-1], curves.categories)
    spread = np.sqrt(np.mean(sd**2 + (mean - mean.mean()) ** 2))
    expected = curves.sum_items(category[:, None] * curves.probability(mean.mean() + spread * NODES))
    density = np.exp(-0.5 * NODES**2)
    return np.asarray(expected @ (NODES * density) / density.sum())


def _limit(comparisons: int) -> float:
    """Standard errors that a difference has to have, for so many comparisons (Bonferroni)."""
    from scipy.special import ndtri  # noqa: PLC0415  (0.1 s at import)

    return max(LEAST_Z, float(-ndtri(FALSE_ALARM / (2 * comparisons))))


def _about(pair: _Pair, sets: Sequence[ItemSet], items: Sequence[ItemParameters]) -> str:
    one, other = (sets[k] for k in ((pair.first, pair.second) if pair.shift > 0 else (pair.second, pair.first)))
    return (
        f"{one.persons:.0f} persons with {_named(np.setdiff1d(one.items, other.items), items)} are abler than "
        f"{other.persons:.0f} with {_named(np.setdiff1d(other.items, one.items), items)}, by {abs(pair.shift):.2f} "
        f"standard deviations on the {len(pair.common)} items that both had, and these do not say who got which. "
        + ADVICE
    )


ADVICE = (
    "Difficulties lean towards those who had the item. If earlier answers decided which items were given, add all of "
    "those answers to the data; if the persons are of different populations, name the column that tells them apart as "
    "their group"
)


def _named(which: NDArray[np.intp], items: Sequence[ItemParameters]) -> str:
    names = ", ".join(items[j].id for j in which[:NAMES_SHOWN].tolist())
    return names + (f" and {len(which) - NAMES_SHOWN} more items" if len(which) > NAMES_SHOWN else "")


def first_items(responses: Responses) -> NDArray[np.intp] | None:
    """The item that each person began with, (N,), -1 where its position is not known; None without positions."""
    if responses.position is None:
        return None
    person, item, position = responses.person, responses.item, responses.position
    known = np.flatnonzero(position > 0)
    order = known[np.lexsort((item[known], position[known], person[known]))]
    who, at = np.unique(person[order], return_index=True)
    first = np.full(len(responses.persons), -1, np.intp)
    first[who] = item[order][at]
    return first


def _by_first_item(
    layout: ResponseBlocks,
    items: Sequence[ItemParameters],
    scale: Scale,
    population: tuple[Matrix, Matrix],
    first: NDArray[np.intp],
) -> Iterator[tuple[float, str]]:
    """How far those who began with an item are from the others of their group, where they are, and a sentence.

    In posterior means, which shrink towards the group: a difference is understated.
    """
    mean, sd = population
    curves = Curves.of(items, scale)
    nodes = np.linspace(float((mean - 5 * sd).min()), float((mean + 5 * sd).max()), 2 * len(NODES))
    log_weight = -0.5 * ((nodes - mean[:, None]) / sd[:, None]) ** 2
    J, G = len(items), len(mean)
    sums = np.zeros((3, G, J))
    for block in layout:
        began = first[block.persons]
        known = began >= 0
        if not known.any():
            continue
        density, _ = normalised(log_likelihood(block, curves.log_probability(nodes), layout) + log_weight[block.group])
        z = (density @ nodes - mean[block.group]) / sd[block.group]
        at = block.group[known] * J + began[known]
        for power in range(3):
            sums[power] += np.bincount(at, (block.weight * z**power)[known], G * J).reshape(G, J)
    n, total, square = sums
    everyone = sums.sum(axis=2, keepdims=True)
    rest, of_rest, square_of_rest = everyone - sums
    compared = (n >= LEAST_PERSONS) & (rest >= LEAST_PERSONS)
    limit = _limit(max(int(compared.sum()), 1))
    for g, j in np.argwhere(compared):
        shift = total[g, j] / n[g, j] - of_rest[g, j] / rest[g, j]
        error = np.sqrt(
            (square[g, j] / n[g, j] - (total[g, j] / n[g, j]) ** 2) / n[g, j]
            + (square_of_rest[g, j] / rest[g, j] - (of_rest[g, j] / rest[g, j]) ** 2) / rest[g, j]
        )
        if abs(shift) >= LEAST_SHIFT and abs(shift) > limit * error:
            yield (
                float(abs(shift)),
                f"{n[g, j]:.0f} persons who began with {items[j].id} are {'abler' if shift > 0 else 'less able'} than "
                f"those who began with another item, by {abs(shift):.2f} standard deviations, although nobody had "
                "answered anything yet. " + ADVICE,
            )
