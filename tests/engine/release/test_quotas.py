"""Largest remainders: worked examples, and the properties that define the method."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.release.quotas import ceiling_of, floor_of, largest_remainder


def test_the_textbook_example() -> None:
    """Balinski & Young's example of Hamilton's method: 26 seats for five states of 9061, 7179, 5259, 3319, 1182."""
    populations = np.array([9061, 7179, 5259, 3319, 1182])
    assert largest_remainder(populations / populations.sum() * 26, 26).tolist() == [9, 7, 5, 4, 1]


def test_of_equal_remainders_the_first_goes_up() -> None:
    assert largest_remainder(np.array([0.5, 0.5, 1.0]), 2).tolist() == [1, 0, 1]


def test_a_quota_that_is_whole_but_for_rounding_is_whole() -> None:
    assert (floor_of(0.1 * 3 * 10), ceiling_of(0.1 * 3 * 10)) == (3, 3)
    assert largest_remainder(np.array([0.1 * 3 * 10, 0.6]), 4).tolist() == [3, 1]


@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.sampled_from([0.1, 0.25, 0.3, 0.37, 0.5]))
def test_no_other_rounding_is_nearer(sizes: list[int], share: float) -> None:
    quotas = share * np.array(sizes)
    total = int(np.floor(quotas.sum() + 0.5))
    numbers = largest_remainder(quotas, total)
    assert numbers.sum() == total
    assert (np.abs(numbers - quotas) < 1 + 1e-9).all()
    distances = [np.abs(np.array(n) - quotas).sum() for n in product(range(8), repeat=len(sizes)) if sum(n) == total]
    assert np.abs(numbers - quotas).sum() == pytest.approx(min(distances))


def test_a_total_that_no_rounding_gives_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sum to 1\.5 cannot be rounded to sum to 4"):
        largest_remainder(np.array([0.5, 1.0]), 4)
