"""A second opinion on standard errors: draw the items' estimates anew, do everything again, and see what varies."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.linking.errors import LinkError
from calibration.linking.vectors import covariance_block, parameter_vector, square_root, with_parameters
from calibration.models import ItemParameters

Matrix = NDArray[np.float64]


def draw_items(items: Sequence[ItemParameters], rng: np.random.Generator) -> tuple[ItemParameters, ...]:
    """Items with parameters drawn from N(estimates, covariance block); items are independent of one another.

    Draws outside the range of a model are brought back to it: c and d to 0…1, graded thresholds into order, a to at
    least 0.01. Raises LinkError for an item without standard errors.
    """
    drawn = []
    for item in items:
        block = covariance_block(item)
        if block is None:
            raise LinkError(f"item {item.id}: no standard errors, so that nothing can be drawn around its estimates")
        vector = parameter_vector(item)
        moved = vector + square_root(block) @ rng.standard_normal(len(vector))
        drawn.append(with_parameters(item, _within_range(item, moved)))
    return tuple(drawn)


def bootstrap_errors(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    statistic: Callable[[Sequence[ItemParameters], Sequence[ItemParameters]], Matrix],
    *,
    replications: int = 200,
    seed: int = 0,
) -> Matrix:
    """Standard deviation of `statistic(new, base)` over draws of all items (parametric bootstrap)."""
    rng = np.random.default_rng(seed)
    values = [statistic(draw_items(new, rng), draw_items(base, rng)) for _ in range(replications)]
    return np.asarray(np.std(values, axis=0, ddof=1))


def _within_range(item: ItemParameters, vector: Matrix) -> Matrix:
    names = item.parameter_names
    out = vector.copy()
    if item.model == "NRM":
        return out
    out[0] = max(out[0], 0.01)
    if item.model == "GRM":
        b = np.sort(out[1:])
        out[1:] = b + 1e-9 * np.arange(len(b))
    if "c" in names:
        out[names.index("c")] = np.clip(out[names.index("c")], 0.0, 0.99 * item.d)
    if "d" in names:
        out[names.index("d")] = np.clip(out[names.index("d")], out[names.index("c")] + 1e-6, 1.0)
    return out
