"""Observed against expected item curves: RMSD and MD (von Davier & Bezirhan, 2023; OECD, 2017).

The observed curve is the expected score of the persons whose posteriors lie at a node. As the model has a say in those
posteriors, differences are a little understated; they are measures of size, not tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted

Matrix = NDArray[np.float64]

NOTABLE_RMSD = 0.10  # of the maximum score; 0.12 and 0.15 are in use in large surveys


def curve_differences(data: Fitted, counts: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """RMSD, MD and persons of each item in each group, (G, J) each, from expected counts (G, C, Q).

    Differences are of the expected score over its maximum, averaged over the persons of the group who had the item.
    """
    curves = data.curves
    top = (curves.categories - 1)[:, None]
    expected = curves.sum_items(data.category[:, None] * curves.probability(data.nodes)) / top
    rmsd, md, n = (np.full((len(counts), len(curves.ids)), np.nan) for _ in range(3))
    for g, count in enumerate(counts):
        at_node = curves.sum_items(count)
        n[g] = at_node.sum(axis=1)
        score = curves.sum_items(data.category[:, None] * count) / top
        with np.errstate(divide="ignore", invalid="ignore"):
            share = at_node / n[g][:, None]
            difference = np.where(at_node > 1e-9, score / at_node - expected, 0.0)
            rmsd[g] = np.sqrt((share * difference**2).sum(axis=1))
            md[g] = (share * difference).sum(axis=1)
    return rmsd, md, n
