"""One person at a time: a prepared form that scores in some twenty microseconds, for a server or an adaptive test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.models import Curves, ItemParameters, Scale
from calibration.scoring.errors import ScaleError
from calibration.scoring.quadrature import WIDEST, Population, Quadrature, information_within, limits_of

Matrix = NDArray[np.float64]

NOT_SEEN = -1


@dataclass(frozen=True, slots=True)
class Scorer:
    """Items ready to score: log P of their categories on a quadrature; build it with `Scorer.of`."""

    ids: tuple[str, ...]
    categories: NDArray[np.intp]  # (J,)
    start: NDArray[np.intp]  # (J,), first row of each item
    quadrature: Quadrature
    row_of: Mapping[str, tuple[int, int]]  # first row and K of an item
    powers: Matrix  # (Q, 2), centred nodes and their squares
    middle: float

    @classmethod
    def of(
        cls,
        items: Sequence[ItemParameters],
        scale: Scale | None = None,
        *,
        mean: float | None = None,
        sd: float | None = None,
    ) -> Scorer:
        """Prepare `items` for persons from theta ~ N(mean, sd²), by default the scale's population."""
        on = scale or Scale()
        curves = Curves.of(items, on)
        population = Population.of(on.mean if mean is None else mean, on.sd if sd is None else sd)
        limits = limits_of(curves, population)
        spacing = population.spacing(WIDEST, information_within(curves, limits))
        quadrature = Quadrature.over(curves, population, limits, spacing)
        middle = float(quadrature.nodes[len(quadrature.nodes) // 2])
        x = quadrature.nodes - middle
        first, K = curves.start[:-1], curves.categories
        rows = dict(zip(curves.ids, zip(first.tolist(), K.tolist(), strict=True), strict=True))
        return cls(curves.ids, K, first, quadrature, rows, np.stack([x, x**2], axis=1), middle)

    def eap(self, codes: ArrayLike) -> tuple[float, float]:
        """Posterior mean and SD of a person with categories `codes` (J,), NOT_SEEN (-1) for items not administered."""
        seen = np.asarray(codes)
        if seen.shape != self.start.shape:
            raise ScaleError(f"{seen.size} codes for {len(self.start)} items: one for each, -1 for an item not seen")
        least = seen.min(initial=0)
        if least < NOT_SEEN or (seen >= self.categories).any():
            j = int(np.flatnonzero((seen >= self.categories) | (seen < NOT_SEEN))[0])
            raise ScaleError(f"item {self.ids[j]}: score {seen[j]}; expected 0…{self.categories[j] - 1}, or -1")
        rows = self.start + seen
        return self._moments(rows if least >= 0 else rows[seen >= 0])

    def eap_of(self, scores: Mapping[str, int]) -> tuple[float, float]:
        """Posterior mean and SD of a person from item id → score. Raises ScaleError for an unknown item or score."""
        rows = []
        for item, score in scores.items():
            first, K = self.row_of.get(item, (0, 0))
            if not 0 <= score < K:
                raise ScaleError(
                    f"item {item}: score {score}; expected 0…{K - 1}" if K else f"item {item!r} has no parameters"
                )
            rows.append(first + score)
        return self._moments(np.array(rows, np.intp))

    def posterior(self, codes: ArrayLike) -> Matrix:
        """Posterior weights at `quadrature.nodes`, (Q,), summing to 1; codes as for `eap`, not checked."""
        seen = np.asarray(codes)
        return self._posterior(self.start[seen >= 0] + seen[seen >= 0])

    def _posterior(self, rows: NDArray[np.intp]) -> Matrix:
        log_density = np.add.reduce(self.quadrature.log_probability.take(rows, axis=0), axis=0)
        log_density += self.quadrature.log_density[0]
        log_density -= np.maximum.reduce(log_density)
        density = np.exp(log_density, out=log_density)
        density /= np.add.reduce(density)
        return np.asarray(density)

    def _moments(self, rows: NDArray[np.intp]) -> tuple[float, float]:
        mean, square = (self._posterior(rows) @ self.powers).tolist()
        return self.middle + mean, max(square - mean * mean, 0.0) ** 0.5
