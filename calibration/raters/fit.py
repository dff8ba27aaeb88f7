"""Do raters mark as a severity and nothing else would say? Infit and outfit of raters, and of items over all raters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fit.mean_squares import marginal_sums
from calibration.fit.persons import expected_counts, fitted
from calibration.models import Scale
from calibration.own_data import OwnData

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RatingFit:
    """A rater, or an item over all its raters: `n` ratings, and mean squares with their t values (Linacre, 1989).

    Above 1 the marks are more haphazard than the model says, below 1 they are less varied (a rater who keeps to the
    middle, or copies).
    """

    name: str
    n: float
    outfit: float
    outfit_t: float
    infit: float
    infit_t: float


def rating_fit(data: OwnData, scale: Scale) -> tuple[tuple[RatingFit, ...], tuple[RatingFit, ...]]:
    """Of the raters and of the items, over the posterior of ability. The ratings are those of `own_data`."""
    parts = fitted(data.responses, data.items, scale, data.population)
    sums = marginal_sums(parts, expected_counts(parts).sum(axis=0))
    place = {item.id: j for j, item in enumerate(data.items)}
    at = [place[item.id] for item in parts.items]

    def over(names: Sequence[str]) -> tuple[RatingFit, ...]:
        labels = list(dict.fromkeys(names[j] for j in at))
        number = np.array([labels.index(names[j]) for j in at])
        squares = sums.together(number, len(labels)).mean_squares()
        n = np.bincount(number, sums.n, len(labels))
        return tuple(
            RatingFit(
                name,
                float(n[r]),
                float(squares.outfit[r]),
                float(squares.outfit_t[r]),
                float(squares.infit[r]),
                float(squares.infit_t[r]),
            )
            for r, name in enumerate(labels)
        )

    return over(data.of_rater), over(data.of_item)
