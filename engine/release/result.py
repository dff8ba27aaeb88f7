"""A release: the chosen items, why each, how well all public items mirror the bank, and what they give away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.release.effect import Effects
from engine.release.policy import Limits, Publish, Readiness
from engine.release.proof import Papers
from engine.release.quotas import ceiling_of, floor_of


@dataclass(frozen=True, slots=True)
class Share:
    """A stratum of its own share, before and after the round, and the decision that it is ready.

    `share` is the policy's; `rounds_left` more rounds are needed to reach it where the policy bounds a round.
    """

    values: tuple[str, ...]
    items: int
    share: float
    public_before: int
    published: int
    rounds_left: int
    readiness: Readiness | None

    @property
    def reached(self) -> float:
        """The share that is public once the round is out: published / (published + secret accepted)."""
        return (self.public_before + self.published) / self.items


@dataclass(frozen=True, slots=True)
class Stratum:
    """A margin or a cell of a stratum (`of`): what was proportional, and how many are public."""

    kind: str
    of: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[str, ...]
    items: int
    quota: float
    published: int

    @property
    def deviation(self) -> float:
        return self.published - self.quota

    @property
    def proportional(self) -> bool:
        """Is it the floor or the ceiling of the quota?"""
        return floor_of(self.quota) <= self.published <= ceiling_of(self.quota)


@dataclass(frozen=True, slots=True)
class Kept:
    """The secret items that the values of a column keep: the fewest, and where."""

    column: str
    value: str
    fewest: int
    values: int


@dataclass(frozen=True, slots=True)
class Usage:
    """How exposed items went: among all counted items that were secret before the round, and among those published.

    Mean uses are None where the pool does not count them.
    """

    exposed: int
    exposed_published: int
    mean_uses: float | None
    mean_uses_published: float | None


@dataclass(frozen=True, slots=True)
class Release:
    """What one round publishes, and the evidence.

    `information_share` is the part of the bank's information that is public at each ability, `information_quotient`
    that part relative to the share of the items, which the policy bounds. `held_back` counts why items could not be
    chosen, `notes` say where the policy could not be met in full.
    """

    items: tuple[str, ...]
    reasons: Mapping[str, str]
    by: tuple[str, ...]
    shares: tuple[Share, ...]
    strata: tuple[Stratum, ...]
    kept: tuple[Kept, ...]
    ks_difficulty: float
    ks_discrimination: float
    information_share: Mapping[float, float]
    information_quotient: Mapping[float, float]
    limits: Limits
    usage: Usage
    held_back: Mapping[str, int]
    notes: tuple[str, ...]
    publish: Publish
    seed: int
    pool_digest: str
    versions: Mapping[str, str]
    papers: Papers | None = None
    effects: Effects | None = None
    seconds: float = field(default=0.0, compare=False)

    @property
    def public(self) -> int:
        """How many items are public once the round is out."""
        return sum(share.public_before + share.published for share in self.shares)

    @property
    def counted(self) -> int:
        """How many items the shares are of."""
        return sum(share.items for share in self.shares)

    @property
    def worst_margin(self) -> float:
        """The largest deviation of a margin from its quota, in items."""
        return self._worst("margin")

    @property
    def worst_cell(self) -> float:
        """The largest deviation of a crossed cell from its quota, in items."""
        return self._worst("cell")

    def _worst(self, kind: str) -> float:
        return max((abs(s.deviation) for s in self.strata if s.kind == kind), default=0.0)


def kolmogorov_smirnov(
    sample: NDArray[np.float64], whole: NDArray[np.float64], weights: NDArray[np.float64] | None = None
) -> float:
    """The largest distance between the distribution functions of a sample (n,) and of a bank (J,), weighted (J,).

    NaN where one of them has no values (Kolmogorov, 1933; Smirnov, 1939).
    """
    weights = np.ones(len(whole)) if weights is None else weights
    if not len(sample) or not weights.sum() > 0:
        return float("nan")
    order = np.argsort(whole, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
    points = np.concatenate([sample, whole])
    one = np.searchsorted(np.sort(sample), points, side="right") / len(sample)
    other = reached[np.searchsorted(whole[order], points, side="right")]
    return float(np.abs(one - other).max())
