"""What was observed, to be laid beside an item's curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted

Matrix = NDArray[np.float64]

GROUPS = 8
LEAST_PERSONS = 5.0  # behind a point
CONFIDENCE = 1.96


@dataclass(frozen=True, slots=True)
class Observed:
    """Shares of the categories, (K, G), among persons of about the same ability: `theta` and `n` (G,).

    Every person counts at each ability by the posterior probability of it, so that the points lie on the curves where
    the model holds, in short tests as in long ones (Bock & Aitkin, 1981: their artificial data).
    """

    theta: Matrix
    n: Matrix
    share: Matrix

    @property
    def score(self) -> Matrix:
        """Mean score as a share of the highest, (G,): the proportion right of a dichotomous item."""
        K = len(self.share)
        return np.asarray(np.arange(K) @ self.share / (K - 1))

    def interval(self) -> tuple[Matrix, Matrix]:
        """Wilson's (1927) 95 % interval of the proportion right of a dichotomous item, (G,) each."""
        p, n, z = self.share[1], self.n, CONFIDENCE
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        return np.asarray(middle - half), np.asarray(middle + half)


def observed_shares(data: Fitted, counts: Matrix, of_item: Sequence[str], groups: int = GROUPS) -> dict[str, Observed]:
    """From expected persons in each category at each node, `counts` (C, Q).

    `of_item` (J,) names the item that each of the data's items is part of: those of one name are taken together. The
    nodes of an item are joined to `groups` groups of about as many persons, each of at least LEAST_PERSONS.
    """
    together: dict[str, Matrix] = {}
    start = data.curves.start
    for j, name in enumerate(of_item):
        own = counts[start[j] : start[j + 1]]
        together[name] = together[name] + own if name in together else own
    found = {}
    for name, own in together.items():
        n = own.sum(axis=0)
        total = float(n.sum())
        G = min(groups, int(total / LEAST_PERSONS))
        if G < 2:
            continue
        middle = np.cumsum(n) - n / 2
        group = np.minimum((G * middle / total).astype(int), G - 1)
        size = np.bincount(group, n, G)
        kept = size >= LEAST_PERSONS / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            theta = np.bincount(group, n * data.nodes, G) / size
            share = np.stack([np.bincount(group, row, G) for row in own]) / size
        found[name] = Observed(theta[kept], np.asarray(size[kept], float), share[:, kept])
    return found
