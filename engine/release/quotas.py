"""How many items does each stratum owe? Proportional numbers, and the whole numbers nearest to them."""

from __future__ import annotations

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

EXACT = 1e-9  # a quota this near a whole number is that number


def floor_of(quota: float) -> int:
    """The whole number below a quota."""
    return floor(quota + EXACT)


def ceiling_of(quota: float) -> int:
    """The whole number above a quota."""
    return ceil(quota - EXACT)


def largest_remainder(quotas: NDArray[np.float64], total: int) -> NDArray[np.intp]:
    """Whole numbers (S,) that sum to `total`, each the floor or the ceiling of its quota (S,) (Hamilton, 1791).

    The largest remainders get the items left over once every stratum has its floor; of equal ones the first. It is the
    choice that minimises Σ |number - quota|. Raises ValueError where floors or ceilings cannot sum to the total.
    """
    numbers = np.floor(quotas + EXACT)
    remainders = np.where(np.abs(quotas - numbers) < EXACT, 0.0, quotas - numbers)
    left = total - int(numbers.sum())
    if not 0 <= left <= np.count_nonzero(remainders):
        raise ValueError(f"quotas that sum to {quotas.sum():g} cannot be rounded to sum to {total}")
    numbers[np.argsort(-remainders, kind="stable")[:left]] += 1
    return numbers.astype(np.intp)
