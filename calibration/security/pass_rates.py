"""Did the pass rate jump? Each sitting's against all before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

from calibration.responses import ResponsesError

LEAST_BEFORE = 3  # earlier sittings that show how much sittings differ anyway


@dataclass(frozen=True, slots=True)
class PassRate:
    """One sitting: its rate, that of the sittings before, z and the one-sided p of a rise; NaN for the first three."""

    sitting: int
    n: int
    rate: float
    before: float
    dispersion: float
    z: float
    p: float
    flagged: bool


def pass_rate_jumps(n: Sequence[int], passed: Sequence[int], *, level: float = 0.01) -> tuple[PassRate, ...]:
    """Compare the pass rate of each sitting with that of the earlier ones together.

    z = (p_t - p̄) / sqrt(φ p̄ (1 - p̄) (1 / n_t + 1 / Σ n)), where φ ≥ 1 is the Pearson dispersion of the earlier
    sittings: candidates differ from sitting to sitting, and a rate is only unusual if it is so beside that. So there is
    no test before three earlier sittings, and where φ > 1 z is held against Student's t with their degrees of freedom.
    A sitting that was flagged is left out of the later comparisons. Raises ResponsesError for counts that cannot be.
    """
    from scipy.special import stdtr  # noqa: PLC0415  (scipy is not loaded with the package)

    if len(n) != len(passed) or any(not 0 <= x <= m or m < 1 for m, x in zip(n, passed, strict=False)):
        raise ResponsesError("each sitting needs a number of candidates and how many of them passed")
    results: list[PassRate] = []
    kept: list[int] = []
    nan = float("nan")
    for t, (m, x) in enumerate(zip(n, passed, strict=True)):
        total = sum(n[s] for s in kept)
        before = sum(passed[s] for s in kept) / total if total else nan
        dispersion, z, p = nan, nan, nan
        if len(kept) >= LEAST_BEFORE and 0 < before < 1:
            dispersion = _dispersion([n[s] for s in kept], [passed[s] for s in kept], before)
            z = (x / m - before) / sqrt(dispersion * before * (1 - before) * (1 / m + 1 / total))
            p = float(stdtr(len(kept) - 1, -z)) if dispersion > 1 else 0.5 * erfc(z / sqrt(2))
        flagged = p < level
        results.append(PassRate(t, m, x / m, before, dispersion, z, p, flagged))
        if not flagged:
            kept.append(t)
    return tuple(results)


def _dispersion(n: Sequence[int], passed: Sequence[int], rate: float) -> float:
    """Pearson's χ² of the sittings over its degrees of freedom, at least 1."""
    chi2 = sum((x - m * rate) ** 2 / (m * rate * (1 - rate)) for m, x in zip(n, passed, strict=True))
    return max(1.0, chi2 / (len(n) - 1))
