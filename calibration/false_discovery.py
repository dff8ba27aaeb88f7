"""Many tests at once: at most a stated share of the rejections is expected to be false (Benjamini & Hochberg, 1995)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def adjusted_p_values(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """P-values (m,) adjusted for the false discovery rate; NaN stays NaN and does not count."""
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    m = len(order)
    raw = p[order] * m / np.arange(1, m + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return adjusted


def benjamini_hochberg(p: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """Which hypotheses (m,) to reject so that the expected share of false rejections is at most `rate`."""
    return np.asarray(adjusted_p_values(p) <= rate)
