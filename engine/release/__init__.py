"""Which items are published? A share of the bank that mirrors it, so that what candidates practise is what is asked."""

from engine.release.effect import EffectRow, Effects, effects_of
from engine.release.policy import (
    Earlier,
    Exposed,
    InfeasibleReleaseError,
    Limits,
    Publish,
    Readiness,
    ReleaseError,
    ReleasePolicy,
    StratumPolicy,
    read_policy,
)
from engine.release.proof import Papers
from engine.release.quotas import largest_remainder
from engine.release.releasing import choose_release
from engine.release.report import write_release_report
from engine.release.result import Kept, Release, Share, Stratum, Usage, kolmogorov_smirnov

__all__ = [
    "Earlier",
    "EffectRow",
    "Effects",
    "Exposed",
    "InfeasibleReleaseError",
    "Kept",
    "Limits",
    "Papers",
    "Publish",
    "Readiness",
    "Release",
    "ReleaseError",
    "ReleasePolicy",
    "Share",
    "Stratum",
    "StratumPolicy",
    "Usage",
    "choose_release",
    "effects_of",
    "kolmogorov_smirnov",
    "largest_remainder",
    "read_policy",
    "write_release_report",
]
