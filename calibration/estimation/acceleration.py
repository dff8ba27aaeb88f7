"""Anderson acceleration of a fixed-point map (Anderson, 1965; Walker & Ni, 2011)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

MEMORY = 5


class Anderson:
    """Mixes the last few steps of a map x → G(x), so that the residual G(x) - x is least."""

    def __init__(self) -> None:
        self.images: list[Matrix] = []
        self.residuals: list[Matrix] = []

    def forget(self) -> None:
        self.images.clear()
        self.residuals.clear()

    def next(self, x: Matrix, image: Matrix) -> Matrix:
        """The point to go on from after `image` = G(x)."""
        residual = image - x
        self.images = [*self.images, image][-MEMORY - 1 :]
        self.residuals = [*self.residuals, residual][-MEMORY - 1 :]
        if len(self.residuals) < 2:
            return image
        changes = np.stack([residual - before for before in self.residuals[:-1]], axis=1)
        moves = np.stack([image - before for before in self.images[:-1]], axis=1)
        gram = changes.T @ changes
        size = float(np.trace(gram))
        if not size > 1e-200:  # nothing moves any more
            return image
        gram += 1e-12 * size * np.eye(len(gram))
        return np.asarray(image - moves @ np.linalg.solve(gram, changes.T @ residual))
