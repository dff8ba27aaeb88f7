"""PV-Q1: observed and expected responses in groups of plausible values (Chalmers & Ng, 2017).

A plausible value is drawn from a person's posterior, so that under the model it stands to the responses as ability
does, whichever items were given and however they were chosen: the statistic is valid for routed and incomplete data,
where those that group by summed scores are not. Q1 is Yen's (1981) χ² over ten groups, averaged over the draws, which
makes it a little conservative.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import Block
from calibration.estimation.likelihood import add_counts
from calibration.fit.persons import Fitted, posterior

Matrix = NDArray[np.float64]

DRAWS = 20
GROUPS = 10
LEAST_EXPECTED = 2.0  # persons in a cell; smaller ones join their neighbour
LEAST_PERSONS = 50  # behind an item


def plausible_fit(data: Fitted, *, draws: int = DRAWS, groups: int = GROUPS, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Q1 of each item averaged over `draws`, and cells less groups, (J,) each: the item's parameters are still to be
    taken off the latter. NaN where an item has fewer than LEAST_PERSONS persons.
    """
    rng = np.random.default_rng(seed)
    log_probability = data.curves.log_probability(data.nodes)
    P = np.exp(log_probability)
    counts = np.zeros((draws, *P.shape))
    for block in data.layout:
        density = posterior(block, data, log_probability)
        for draw in range(draws):
            add_counts(counts[draw], block, _drawn(rng, block, density), data.layout)
    J = len(data.items)
    statistic, cells = np.full((draws, J), np.nan), np.full((draws, J), np.nan)
    for j in range(J):
        rows = slice(data.curves.start[j], data.curves.start[j + 1])
        if counts[0, rows].sum() < LEAST_PERSONS:
            continue
        for draw in range(draws):
            statistic[draw, j], cells[draw, j] = _q1(counts[draw, rows], P[rows], groups)
    return statistic.mean(axis=0), cells.mean(axis=0)


def _drawn(rng: np.random.Generator, block: Block, density: Matrix) -> Matrix:
    """Persons at the node their plausible value falls on, (n, Q); a weight of 3 is three persons, each with a draw."""
    whole = np.round(block.weight)
    if np.abs(block.weight - whole).max() < 1e-9 and whole.max() > 1:
        return rng.multinomial(whole.astype(np.int64), density / density.sum(axis=1, keepdims=True)).astype(float)
    node = (density.cumsum(axis=1) < rng.random((len(density), 1))).sum(axis=1)
    out = np.zeros_like(density)
    out[np.arange(len(out)), np.minimum(node, density.shape[1] - 1)] = block.weight
    return out


def _q1(observed: Matrix, P: Matrix, groups: int) -> tuple[float, int]:
    """χ² of one item and its cells less groups, from persons in its categories at the nodes, (K, Q) both."""
    n = observed.sum(axis=0)
    group = np.minimum(((n.cumsum() - n / 2) * groups / n.sum()).astype(int), groups - 1)
    seen, E = np.zeros((groups, len(P))), np.zeros((groups, len(P)))
    np.add.at(seen, group, observed.T)
    np.add.at(E, group, (n * P).T)
    if len(P) == 2:
        kept = (E >= LEAST_EXPECTED).all(axis=1)
        return float(((seen[kept] - E[kept]) ** 2 / E[kept]).sum()), int(kept.sum())
    statistic, cells = 0.0, 0
    for o, e in zip(seen, E, strict=True):
        joined_o, joined_e = _joined(list(o), list(e))
        if len(joined_e) > 1:
            statistic += sum((x - y) ** 2 / y for x, y in zip(joined_o, joined_e, strict=True))
            cells += len(joined_e) - 1
    return statistic, cells


def _joined(o: list[float], e: list[float]) -> tuple[list[float], list[float]]:
    while len(e) > 1 and min(e) < LEAST_EXPECTED:
        k = e.index(min(e))
        into = 1 if k == 0 else k - 1 if k == len(e) - 1 or e[k - 1] <= e[k + 1] else k + 1
        o[into] += o[k]
        e[into] += e[k]
        del o[k], e[k]
    return o, e
