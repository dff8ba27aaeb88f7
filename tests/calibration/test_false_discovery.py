"""Many tests at once, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from calibration import adjusted_p_values, benjamini_hochberg


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_benjamini_hochberg_agrees_with_scipy(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.random(80), rng.random(20) ** 6])
    rejected = benjamini_hochberg(p, rate)
    np.testing.assert_array_equal(rejected, stats.false_discovery_control(p) <= rate)
    assert rejected.any()


def test_benjamini_hochberg_rejects_a_p_value_carried_by_larger_ones() -> None:
    # 0.03 > 0.05·1/3 by itself, but 0.04 <= 0.05·3/3 carries it (Benjamini & Hochberg, 1995, step-up).
    np.testing.assert_array_equal(benjamini_hochberg(np.array([0.03, 0.04, 0.035]), 0.05), [True] * 3)
    assert benjamini_hochberg(np.zeros(0), 0.05).size == 0


def test_adjusted_p_values_are_scipys() -> None:
    p = np.random.default_rng(1).random(40) ** 3
    np.testing.assert_allclose(adjusted_p_values(p), stats.false_discovery_control(p), atol=1e-12)
    with_gap = adjusted_p_values(np.array([0.01, np.nan, 0.04]))
    np.testing.assert_allclose(with_gap, [0.02, np.nan, 0.04])
