"""Which items to look at before anyone is scored with them: faults shown by the responses themselves.

Every rule is a one-sided test over all items at once, held at a false discovery rate of 1 % (Benjamini & Hochberg,
1995): in a bank of hundreds of items a plain 5 % test would accuse dozens of sound ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from calibration.classical import ItemStatistics, OptionStatistics
from calibration.false_discovery import benjamini_hochberg

FALSE_DISCOVERY_RATE = 0.01
LEAST_CHOSEN = 5  # an option drawn by fewer persons says nothing about the key


@dataclass(frozen=True, slots=True)
class Flag:
    """One finding about one item: a code, and a sentence that says what was seen and what to do."""

    item: str
    code: str  # no-variance | negative-discrimination | key-suspect
    message: str


def _upper_tail(z: float) -> float:
    """P(Z > z) of N(0, 1), exact far out where 1 - P(Z <= z) would be 0."""
    return 0.5 * erfc(z / sqrt(2))


def correlation_below_zero(r: float, n: float) -> float:
    """P of H0: rho >= 0, by Fisher's z: small when the upper confidence limit of r is below 0."""
    if not np.isfinite(r) or n <= 3:
        return 1.0
    return _upper_tail(-float(np.arctanh(np.clip(r, -0.999999, 0.999999))) * sqrt(n - 3))


def correlation_exceeds(r_other: float, r_key: float, r_between: float, n: float) -> float:
    """P of H0: rho(other, rest) <= rho(key, rest), two correlations that share a variable (Steiger, 1980, eq. 15).

    `r_between` is the correlation of the two indicators themselves.
    """
    if not np.isfinite(r_other + r_key + r_between) or n <= 3:
        return 1.0
    mean = (r_other + r_key) / 2
    psi = r_between * (1 - 2 * mean**2) - 0.5 * mean**2 * (1 - 2 * mean**2 - r_between**2)
    s = min(psi / (1 - mean**2) ** 2, 0.999999)
    z = (np.arctanh(r_other) - np.arctanh(r_key)) * np.sqrt(n - 3) / np.sqrt(2 - 2 * s)
    return _upper_tail(float(z))


def screen(statistics: Sequence[ItemStatistics], *, rate: float = FALSE_DISCOVERY_RATE) -> tuple[Flag, ...]:
    """Flags for items without variance, with negative discrimination, and with a key that another option beats."""
    flags = [
        Flag(s.item, "no-variance", f"everybody has the same score (p = {s.p_value:.2f}): nothing can be estimated")
        for s in statistics
        if s.p_value in {0.0, 1.0}
    ]
    tested = [s for s in statistics if 0 < s.p_value < 1]
    backwards = np.array([correlation_below_zero(s.point_biserial, s.effective_n) for s in tested])
    flags += [
        Flag(
            s.item,
            "negative-discrimination",
            f"abler candidates do worse (corrected r = {s.point_biserial:.2f}, n = {s.n:.0f}): check key and wording",
        )
        for s, hit in zip(tested, benjamini_hochberg(backwards, rate), strict=True)
        if hit
    ]
    rivals = [(s, rival, p) for s in tested for rival, p in [_strongest_rival(s)] if rival is not None]
    flags += [
        Flag(s.item, "key-suspect", _key_message(s, rival))
        for (s, rival, _), hit in zip(rivals, benjamini_hochberg(np.array([p for *_, p in rivals]), rate), strict=True)
        if hit
    ]
    return tuple(sorted(flags, key=lambda flag: (flag.item, flag.code)))


def _strongest_rival(s: ItemStatistics) -> tuple[OptionStatistics | None, float]:
    """The option whose correlation exceeds the key's most clearly, and its p, Bonferroni-corrected for the options."""
    others = [o for o in s.options if not o.is_key and o.n >= LEAST_CHOSEN]
    if not others:
        return None, 1.0
    p = [correlation_exceeds(o.correlation, s.point_biserial, o.correlation_with_key, s.effective_n) for o in others]
    best = int(np.argmin(p))
    return others[best], min(1.0, p[best] * len(others))


def _key_message(s: ItemStatistics, rival: OptionStatistics) -> str:
    key = next((o.option for o in s.options if o.is_key), "the key")
    option = f"option {rival.option} (r = {rival.correlation:.2f})"
    return f"{option} goes with ability better than key {key} (r = {s.point_biserial:.2f}): check the key"
