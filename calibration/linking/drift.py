"""What moved between two calibrations of the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from calibration.false_discovery import adjusted_p_values
from calibration.linking.anchors import AnchorRules, anchor_statistics, common_anchors, shifts, surely_moved
from calibration.linking.link import AnchorStatistics, Link
from calibration.linking.scales import link_scales
from calibration.models import ItemParameters, Scale


@dataclass(frozen=True, slots=True)
class DriftRules:
    """When an item is flagged.

    Its robust z beyond `robust_z` with a shift of at least `smallest_shift` and two standard errors; its
    Wald test significant at `alpha`, all items together (Benjamini & Hochberg), with curves at least `smallest_rmsd`
    apart, because with many persons everything is significant; or its curves more than `rmsd` apart.
    """

    robust_z: float = 2.7
    smallest_shift: float = 0.1
    alpha: float = 0.05
    smallest_rmsd: float = 0.02
    rmsd: float = 0.1


@dataclass(frozen=True, slots=True)
class Drift:
    """An item of two calibrations: new minus old, on the old scale.

    `wald` tests that all parameters are the same (Lord, 1980, eq. 14-1, with the error of the link), with `df` degrees
    of freedom; None where standard errors are not known.
    """

    item: str
    anchor: bool  # whether it took part in the link
    displacement: float
    displacement_se: float | None
    robust_z: float
    robust_z_slope: float
    wald: float | None
    df: int
    p: float | None
    p_adjusted: float | None
    rmsd: float
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftResult:
    """Every item of both calibrations, the link between them, and what could not be compared."""

    link: Link
    items: tuple[Drift, ...]
    not_compared: dict[str, str]

    @property
    def flagged(self) -> tuple[Drift, ...]:
        return tuple(one for one in self.items if one.flags)

    def document(self) -> dict[str, Any]:
        """The result as plain JSON data."""
        rows = [
            {
                name: None if isinstance(value, float) and not np.isfinite(value) else value
                for name, value in ((name, getattr(one, name)) for name in one.__slots__)
            }
            for one in self.items
        ]
        return {"link": self.link.document(), "items": rows, "not_compared": self.not_compared}


def item_drift(
    old: Sequence[ItemParameters],
    new: Sequence[ItemParameters],
    *,
    old_scale: Scale | None = None,
    new_scale: Scale | None = None,
    method: str = "stocking-lord",
    anchors: Sequence[str] | None = None,
    anchor_rules: AnchorRules | None = None,
    rules: DriftRules | None = None,
) -> DriftResult:
    """Items whose parameters moved from `old` to `new`, after linking on those that did not.

    The link leaves out anchors that moved (`anchor_rules`), so that they do not pull the others; every common item is
    then tested, anchors or not, with the error of the link counted in. Raises LinkError.
    """
    limits = rules or DriftRules()
    link = link_scales(
        new,
        old,
        new_scale=new_scale,
        base_scale=old_scale,
        method=method,
        anchors=anchors,
        rules=anchor_rules or AnchorRules(),
    )
    common = common_anchors(new, old)
    statistics = anchor_statistics(link, common)
    tests = [_wald(difference, covariance) for difference, covariance in shifts(link, common)]
    adjusted = adjusted_p_values(np.array([np.nan if p is None else p for _, _, p in tests]))
    found = []
    for one, (wald, df, p), p_adjusted in zip(statistics, tests, adjusted.tolist(), strict=True):
        item = Drift(
            one.item,
            one.item in link.anchors,
            -one.displacement,
            one.displacement_se,
            -one.robust_z,
            -one.robust_z_slope,
            wald,
            df,
            p,
            None if p is None else p_adjusted,
            one.rmsd,
            (),
        )
        found.append(_flagged(item, one, limits))
    return DriftResult(link, tuple(found), common.dropped)


def _wald(
    difference: np.ndarray[Any, np.dtype[np.float64]], covariance: np.ndarray[Any, np.dtype[np.float64]] | None
) -> tuple[float | None, int, float | None]:
    """δᵀ Σ⁻ δ over the parameters that have an error, its degrees of freedom and p."""
    from scipy.special import chdtrc  # noqa: PLC0415  # slow to import

    if covariance is None:
        return None, 0, None
    free = np.flatnonzero(np.diag(covariance) > 1e-12)
    if not free.size:
        return None, 0, None
    delta, block = difference[free], covariance[np.ix_(free, free)]
    df = int(np.linalg.matrix_rank(block, hermitian=True))
    wald = float(delta @ np.linalg.pinv(block, hermitian=True) @ delta)
    return wald, df, float(chdtrc(df, wald))


def _flagged(item: Drift, moved: AnchorStatistics, rules: DriftRules) -> Drift:
    flags = []
    for code, z, shift, se in (
        ("robust-z", moved.robust_z, moved.displacement, moved.displacement_se),
        ("robust-z-slope", moved.robust_z_slope, moved.log_slope, moved.log_slope_se),
    ):
        if abs(z) > rules.robust_z and surely_moved(shift, se, rules.smallest_shift):
            flags.append(code)
    if item.p_adjusted is not None and item.p_adjusted < rules.alpha and item.rmsd >= rules.smallest_rmsd:
        flags.append("wald")
    if item.rmsd > rules.rmsd:
        flags.append("rmsd")
    return replace(item, flags=tuple(flags))
