"""What every statistic of fit starts from: the curves, the persons in blocks, and who the persons are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks, block_responses
from calibration.estimation.likelihood import add_counts, log_likelihood
from calibration.item_sets import with_sums_of
from calibration.models import Curves, ItemParameters, Scale
from calibration.recoding import in_categories_of
from calibration.responses import Responses
from calibration.scoring.scores import NO_RESPONSES, score_responses

Matrix = NDArray[np.float64]
Method = Literal["eap", "map", "wle"]

REACH = 6.0  # standard deviations of every group that the quadrature covers
START_SPACING = 0.2  # standard deviations: 61 nodes for one group
MOST_NODES = 961
TABLE_CELLS = 1_000_000  # categories × persons worked on at a time: 8 MB an array


class FitError(ValueError):
    """A statistic of fit that these responses or parameters do not allow; the message says which and what would."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Responses beside the J items that have parameters, with quadrature nodes (Q,) and log weights (G, Q).

    `mean` and `sd` (G,) are the groups' distributions of ability. `layout` numbers items as `items` does, persons as
    `responses` does.
    """

    responses: Responses
    items: tuple[ItemParameters, ...]
    scale: Scale
    curves: Curves
    layout: ResponseBlocks
    nodes: Matrix
    log_weights: Matrix
    mean: Matrix
    sd: Matrix

    @property
    def group_names(self) -> tuple[str, ...]:
        return self.responses.groups if self.responses.group is not None else ("all",)

    @property
    def weights(self) -> Matrix:
        """Quadrature weights of each group, (G, Q); each row sums to 1."""
        return np.asarray(np.exp(self.log_weights))

    @property
    def category(self) -> Matrix:
        """The category score 0, 1, … of each stacked row, (C,)."""
        return np.asarray(np.arange(self.curves.start[-1]) - np.repeat(self.curves.start[:-1], self.curves.categories))


def fitted(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    population: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    keep_weightless: bool = False,
) -> Fitted:
    """Responses and parameters put together; items without responses, and responses without parameters, are left out.

    `population` holds the mean and the standard deviation of ability of each group of `responses`, (G,) each; one
    number serves all groups; None takes those of `scale`. Raises ResponsesError for a score that an item's
    parameters do not know, FitError where nothing is left or the population does not fit the groups.
    """
    on = scale or Scale()
    if responses.rater is not None:
        raise FitError(
            "responses with raters: fit is computed for one rating a person and item; choose or average them"
        )
    responses = with_sums_of(items, responses)
    answered = set(np.array(responses.items, dtype=object)[np.unique(responses.item)])
    used = tuple(item for item in items if item.id in answered)
    if not used:
        raise FitError("none of the items with parameters has responses: are these the parameters of this test?")
    curves = Curves.of(used, on)
    G = max(len(responses.groups), 1) if responses.group is not None else 1
    mean, sd = _population(population if population is not None else (on.mean, on.sd), G)
    coded = in_categories_of(used, responses)
    layout = block_responses(
        coded, [item.id for item in used], categories=curves.categories, keep_weightless=keep_weightless
    )
    nodes = _nodes(curves, layout, mean, sd)
    return Fitted(responses, used, on, curves, layout, nodes, _log_weights(nodes, mean, sd), mean, sd)


def _log_weights(nodes: Matrix, mean: Matrix, sd: Matrix) -> Matrix:
    log_density = -0.5 * ((nodes - mean[:, None]) / sd[:, None]) ** 2
    return np.asarray(log_density - np.log(np.exp(log_density).sum(axis=1, keepdims=True)))


def _population(population: tuple[ArrayLike, ArrayLike], G: int) -> tuple[Matrix, Matrix]:
    mean, sd = (np.atleast_1d(np.asarray(part, float)) for part in population)
    if len(mean) not in {1, G} or len(sd) not in {1, G}:
        raise FitError(f"{len(mean)} means and {len(sd)} standard deviations of ability for {G} groups")
    if not (np.isfinite(mean).all() and np.isfinite(sd).all() and (sd > 0).all()):
        raise FitError("means of ability must be finite and standard deviations positive")
    return np.broadcast_to(mean, G).copy(), np.broadcast_to(sd, G).copy()


def _nodes(curves: Curves, layout: ResponseBlocks, mean: Matrix, sd: Matrix) -> Matrix:
    """Nodes over every group, at most as far apart as the posterior of the best measured person is wide."""
    low, high = float((mean - REACH * sd).min()), float((mean + REACH * sd).max())
    information = curves.information(np.linspace(low, high, 49))
    most = max((_most_information(block, information) for block in layout), default=0.0)
    spacing = min(START_SPACING * float(sd.min()), 1 / np.sqrt(most + 1 / float(sd.max()) ** 2))
    half = min(int(np.ceil((high - low) / spacing / 2)), MOST_NODES // 2)
    return np.linspace(low, high, 2 * max(half, 30) + 1)


def _most_information(block: Block, information: Matrix) -> float:
    """A bound of the information on any person of a block, from that of the items (J, Q)."""
    if block.row_start is None:
        return float(information[block.items].sum(axis=0).max())
    longest = int(np.diff(block.row_start).max())
    return float(np.sort(information[np.unique(block.items)], axis=0)[-longest:].sum(axis=0).max())


def posterior(block: Block, data: Fitted, log_probability: Matrix) -> Matrix:
    """P(node | responses) of a block's persons, (n, Q), each under its group's distribution."""
    joint = log_likelihood(block, log_probability, data.layout) + data.log_weights[block.group]
    joint -= joint.max(axis=1, keepdims=True)
    density = np.exp(joint)
    return np.asarray(density / density.sum(axis=1, keepdims=True))


def expected_counts(data: Fitted) -> Matrix:
    """Expected persons of each group in each category at each node, given all their responses, (G, C, Q)."""
    log_probability = data.curves.log_probability(data.nodes)
    counts = np.zeros((len(data.mean), *log_probability.shape))
    for block in data.layout:
        density = posterior(block, data, log_probability) * block.weight[:, None]
        for g in np.unique(block.group):
            add_counts(counts[g], block, density * (block.group == g)[:, None], data.layout)
    return counts


@dataclass(frozen=True, slots=True)
class SameItems:
    """All persons who had exactly the items (j,): codes (n, j), weights, groups and numbers (n,)."""

    items: NDArray[np.intp]
    codes: NDArray[np.uint8]
    weight: Matrix
    group: NDArray[np.int32]
    persons: NDArray[np.intp]


def same_item_sets(layout: ResponseBlocks) -> Iterator[SameItems]:
    """The sets of persons with the same two items or more; where there are many, those of enough to have a block."""
    parts: dict[bytes, list[Block]] = {}
    for block in layout:
        if block.row_start is None and block.complete and len(block.items) > 1:
            parts.setdefault(block.items.tobytes(), []).append(block)
    for same in parts.values():
        yield SameItems(
            same[0].items,
            np.concatenate([block.codes for block in same]),
            np.concatenate([block.weight for block in same]),
            np.concatenate([block.group for block in same]),
            np.concatenate([block.persons for block in same]),
        )


@dataclass(frozen=True, slots=True)
class Table:
    """Persons with their responses as codes (n, j) to the items (j,), MISSING where there is none."""

    persons: NDArray[np.intp]
    weight: Matrix
    group: NDArray[np.int32]
    items: NDArray[np.intp]
    codes: NDArray[np.uint8]
    curves: Curves  # of these items

    @property
    def had(self) -> NDArray[np.bool_]:
        return np.asarray(self.codes != MISSING)


def tables(data: Fitted) -> Iterator[Table]:
    """The persons of `data` as tables, small enough that categories × persons fit TABLE_CELLS."""
    for block in data.layout:
        for table, _ in _tables_of(block, data):
            yield table


def tables_with_posteriors(data: Fitted) -> Iterator[tuple[Table, Matrix]]:
    """The same with the persons' P(node | responses), (n, Q)."""
    log_probability = data.curves.log_probability(data.nodes)
    for block in data.layout:
        density = posterior(block, data, log_probability)
        for table, part in _tables_of(block, data):
            yield table, density[part]


def _tables_of(block: Block, data: Fitted) -> Iterator[tuple[Table, slice]]:
    items, codes = _dense(block)
    curves = Curves.of([data.items[j] for j in items], data.scale)
    step = max(TABLE_CELLS // int(curves.start[-1]), 1)
    for first in range(0, len(block.persons), step):
        part = slice(first, first + step)
        yield Table(block.persons[part], block.weight[part], block.group[part], items, codes[part], curves), part


def _dense(block: Block) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    if block.row_start is None:
        return block.items, block.codes
    items, column = np.unique(block.items, return_inverse=True)
    codes = np.full((len(block.persons), len(items)), MISSING, np.uint8)
    codes[np.repeat(np.arange(len(block.persons)), np.diff(block.row_start)), column] = block.codes
    return items, codes


@dataclass(frozen=True, slots=True)
class ScoreMoments:
    """Mean, variance and fourth central moment of each item's category score given ability, (j, n) each."""

    mean: Matrix
    variance: Matrix
    fourth: Matrix

    @classmethod
    def at(cls, curves: Curves, theta: Matrix) -> ScoreMoments:
        P = curves.probability(theta)
        item = np.repeat(np.arange(len(curves.ids)), curves.categories)
        category = (np.arange(len(P)) - curves.start[item])[:, None]
        mean = curves.sum_items(category * P)
        squared = (category - mean[item]) ** 2
        return cls(mean, curves.sum_items(squared * P), curves.sum_items(squared**2 * P))


def posterior_moments(data: Fitted) -> tuple[Matrix, Matrix]:
    """Posterior means and standard deviations of ability of all persons, (N,); NaN for those without responses."""
    mean, sd = (np.full(len(data.responses.persons), np.nan) for _ in range(2))
    log_probability = data.curves.log_probability(data.nodes)
    for block in data.layout:
        density = posterior(block, data, log_probability)
        mean[block.persons] = density @ data.nodes
        sd[block.persons] = np.sqrt(np.maximum(density @ data.nodes**2 - mean[block.persons] ** 2, 0.0))
    return mean, sd


def group_populations(
    responses: Responses, items: Sequence[ItemParameters], scale: Scale | None = None, *, tolerance: float = 1e-6
) -> tuple[Matrix, Matrix]:
    """Mean and standard deviation of ability of each group, (G,), by marginal maximum likelihood at these parameters.

    EM (Bock & Aitkin, 1981) with the items held fixed; for comparing groups on one scale, or when the persons are not
    those of the calibration. A group without responses keeps the mean and standard deviation of `scale`.
    """
    population: tuple[Matrix, Matrix] | None = None
    for _ in range(10):  # the nodes follow the groups: once is enough unless they are far from the scale's population
        data = fitted(responses, items, scale, population)
        population = _maximised(data, tolerance)
        moved = np.abs(population[0] - data.mean) / data.sd + np.abs(np.log(population[1] / data.sd))
        if moved.max() < 0.5:
            break
    return population if population is not None else (data.mean, data.sd)


def _maximised(data: Fitted, tolerance: float) -> tuple[Matrix, Matrix]:
    """Means and standard deviations (G,) at the maximum, from the persons' likelihoods at the nodes."""
    log_probability = data.curves.log_probability(data.nodes)
    kept: list[tuple[Matrix, NDArray[np.int32], Matrix]] = []
    for block in data.layout:
        joint = log_likelihood(block, log_probability, data.layout)
        kept.append((np.exp(joint - joint.max(axis=1, keepdims=True)), block.group, block.weight))
    likelihood, group, weight = (np.concatenate([part[n] for part in kept]) for n in range(3))
    mean, sd = data.mean.copy(), data.sd.copy()
    for g in np.unique(group):
        own, w = likelihood[group == g], weight[group == g]
        w = w / w.sum()
        for _ in range(500):
            prior = np.exp(-0.5 * ((data.nodes - mean[g]) / sd[g]) ** 2)
            total = own @ prior
            share = prior * ((w / np.maximum(total, 1e-300)) @ own)  # of everybody's posteriors at the nodes
            share /= share.sum()
            new_mean = float(share @ data.nodes)
            new_sd = max(float(np.sqrt(share @ (data.nodes - new_mean) ** 2)), 0.05)  # one person has no spread
            change = max(abs(new_mean - mean[g]), abs(new_sd - sd[g]))
            mean[g], sd[g] = new_mean, new_sd
            if change < tolerance:
                break
    return mean, sd


def abilities(data: Fitted, method: Method = "eap") -> Matrix:
    """Abilities (N,) of all persons of the responses as `score_responses` gives them, within the quadrature's nodes.

    NaN for those without a response to the items.
    """
    ends = (float(data.nodes[0]), float(data.nodes[-1]))
    scores = score_responses(
        data.responses, data.items, data.scale, method=method, mean=data.mean, sd=data.sd, bounds=ends
    )
    return np.where(scores.flag == NO_RESPONSES, np.nan, scores.theta)
