"""What the report flags: items that do not fit, raters, groups, anchors and item sets, each with its numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import erfc, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.false_discovery import adjusted_p_values, benjamini_hochberg
from calibration.fit import ItemFit
from calibration.fit.item_fit import MEAN_SQUARES
from calibration.linking.drift import Drift, DriftResult
from calibration.linking.vectors import covariance_block
from calibration.raters import RatingFit
from calibration.responses import Responses
from calibration.responses.findings import find
from calibration.screening import FALSE_DISCOVERY_RATE, Flag

if TYPE_CHECKING:
    from calibration.report.evidence import Evidence

DRIFT_RATE = 0.05
ENOUGH_FOR_RMSD = 250  # persons of a group: with fewer, RMSD is large by chance (Köhler, Robitzsch & Hartig, 2020)

Hits = NDArray[np.bool_]


def findings(responses: Responses | None, told: Sequence[Flag], anchors: Collection[str] = ()) -> list[Flag]:
    """What is odd about the responses, given the `anchors`, where no flag says it yet."""
    if responses is None:
        return []
    said = {(flag.item, flag.code) for flag in told}
    said |= {(item, "unused-category") for item, code in said if code == "unused-score"}
    said |= {(item, "no-responses") for item, code in said if code == "no-variance"}
    items = set(responses.items) | set(responses.key)
    flags = []
    for one in find(responses, anchors):
        if one.about in items or not one.about:
            flag = Flag(one.about, one.code, one.message)
        else:  # a person
            flag = Flag("", "persons-without-responses", f"{one.about} {one.message}")
        if (flag.item, flag.code) not in said:
            flags.append(flag)
    return flags


def fit_flags(evidence: Evidence, backwards: set[str]) -> list[Flag]:
    """The flags of item fit that are large and beyond chance, with the numbers behind them.

    With about 200 persons an item, mean squares and curves differ by chance as much as the limits of size alone allow;
    so each kind is tested for all items together as well. Items in `backwards` are not called weak a second time.
    """
    rows = sorted(evidence.item_fit.values(), key=lambda row: row.item)
    against = _anchored(evidence)
    differ = _beyond_chance([row.s_x2_p if np.isfinite(row.s_x2_p) else row.residual_p for row in rows])
    noisy, overfit = _noisy_and_overfit(rows)
    found = []
    for j, row in enumerate(rows):
        if np.isfinite(row.s_x2_p):
            test = f"S-X² = {row.s_x2:.1f} on {row.s_x2_df} df, p = {row.s_x2_p:.2g}"
            size = f"RMSEA = {row.s_x2_rmsea:.2f}, n = {row.s_x2_n:.0f}"
        else:
            test = f"residual χ² = {row.residual_x2:.1f} on {row.residual_df} df, p = {row.residual_p:.2g}"
            size = f"n = {row.n:.0f}"
        weak = "weak" in row.flags and row.item not in backwards
        reasons = {
            "misfit": ("misfit" in row.flags, f"{test}, {size}{against.get(row.item, '')}"),
            "noisy": (noisy[j], _squares(row)),
            "overfit": (overfit[j], _squares(row)),
            "curve-differs": ("curve-differs" in row.flags and differ[j], f"RMSD = {row.rmsd:.3f}; {test}"),
            "weak": (weak, f"item-rest r = {row.item_rest:.2f}, n = {row.item_rest_n:.0f}"),
            "routed": ("routed" in row.flags, "persons got it because of earlier answers"),
        }
        found += [Flag(row.item, code, reason) for code, (hit, reason) in reasons.items() if hit]
    return found


def _anchored(evidence: Evidence) -> dict[str, str]:
    """What the fit of each anchor was tested against, in words."""
    anchors = set(evidence.calibration.scale.anchors)
    return {
        item.id: "; an anchor, against the parameters it came with "
        + (
            "(their errors are counted)"
            if covariance_block(item) is not None
            else "(taken as exact, for no errors came with them: after a small calibration that alone is a misfit)"
        )
        for item in evidence.calibration.items
        if item.id in anchors
    }


def _beyond_chance(p_values: Sequence[float]) -> Hits:
    p = np.array(p_values, float)
    return benjamini_hochberg(np.where(np.isfinite(p), p, 1.0), FALSE_DISCOVERY_RATE)


def _noisy_and_overfit(rows: Sequence[ItemFit | RatingFit]) -> tuple[Hits, Hits]:
    """Which mean squares are too large, and which too small: beyond the limits, and beyond chance for all together."""
    squares = np.array([(row.infit, row.outfit) for row in rows]).reshape(-1, 2)
    t = np.array([(row.infit_t, row.outfit_t) for row in rows]).reshape(-1, 2)
    found = []
    for sign, beyond in ((1, squares > MEAN_SQUARES[1]), (-1, squares < MEAN_SQUARES[0])):
        largest = np.where(beyond & np.isfinite(t), sign * t, -np.inf).max(axis=1, initial=-np.inf)
        found.append(_beyond_chance([0.5 * erfc(value / sqrt(2)) for value in largest.tolist()]))
    return found[0], found[1]


def _squares(row: ItemFit | RatingFit) -> str:
    return f"infit {row.infit:.2f} (t = {row.infit_t:.1f}), outfit {row.outfit:.2f} (t = {row.outfit_t:.1f})"


def rater_flags(evidence: Evidence) -> list[Flag]:
    """Raters and rated items whose marks are more, or less, varied than a severity explains."""
    found = []
    for rows, codes in (
        (evidence.rater_fit, ("erratic-rater", "flat-rater")),
        (tuple(evidence.rated_item_fit.values()), ("noisy", "overfit")),
    ):
        for code, hits in zip(codes, _noisy_and_overfit(rows), strict=True):
            for row in [row for row, hit in zip(rows, hits, strict=True) if hit]:
                said = f"{_squares(row)}, {row.n:.0f} ratings"
                found.append(Flag("", code, f"{row.name}: {said}") if "rater" in code else Flag(row.name, code, said))
    return found


def dif_flags(evidence: Evidence) -> list[Flag]:
    """One flag an item: what the model says where it was asked, else what matching says."""
    found: dict[str, list[str]] = {}
    for one in evidence.matched_dif:
        if one.category[:1] in {"B", "C"}:
            size = f"Δ = {one.delta:.2f}" if np.isfinite(one.delta) else f"effect = {one.effect:.2f}"
            found.setdefault(one.item, []).append(
                f"{one.focal} against {one.reference}: Mantel–Haenszel {size} ({one.category}), "
                f"p = {one.p_adjusted:.2g}"
            )
    for row in evidence.model_dif:
        if row.flagged:
            found.setdefault(row.item, []).append(
                f"{row.focal} against {row.reference}: likelihood ratio χ² = {row.statistic:.1f} on {row.df} df, "
                f"size {row.effect.size}"
            )
    had_by = Counter(row.item for row in evidence.curve_dif)
    for row in evidence.curve_dif:
        if row.flagged and had_by[row.item] > 1 and row.n_focal >= ENOUGH_FOR_RMSD:
            found.setdefault(row.item, []).append(f"{row.focal}: RMSD = {row.rmsd:.2f}, MD = {row.md:+.2f}")
    return [Flag(item, "dif", "; ".join(reasons)) for item, reasons in found.items()]


def drifted(result: DriftResult) -> tuple[Drift, ...]:
    """The flagged anchors, without those that are no further away than chance explains.

    With 100 persons RMSD passes its limit for many, and the largest of twenty shifts is beyond two standard errors.
    Where the errors of both estimates are known, the Wald test of all parameters has to say so too, or the shift of b
    has to be beyond chance, all anchors together (Benjamini & Hochberg, 1995).
    """
    z = [abs(one.displacement / one.displacement_se) if one.displacement_se else 0.0 for one in result.items]
    shifted = adjusted_p_values(np.array([erfc(value / sqrt(2)) for value in z]))
    return tuple(
        one
        for one, p in zip(result.items, shifted.tolist(), strict=True)
        if one.flags and (one.p_adjusted is None or min(one.p_adjusted, p) < DRIFT_RATE)
    )


def drift_flags(evidence: Evidence) -> list[Flag]:
    """Anchors that moved."""
    if evidence.drift is None:
        return []
    return [
        Flag(
            one.item,
            "drift",
            f"b {one.displacement:+.2f} ({_shift_error(one)}), robust z {one.robust_z:.1f}, RMSD {one.rmsd:.3f}",
        )
        for one in drifted(evidence.drift)
    ]


def _shift_error(one: Drift) -> str:
    """The error of a shift, which holds those of both estimates and of the link."""
    if one.displacement_se is None:
        return "its error is not known, for the anchor came without one: in a small bank that may be chance"
    return f"SE {one.displacement_se:.2f}"


def set_flags(evidence: Evidence, item_sets: Mapping[str, str]) -> list[Flag]:
    """Item sets that were declared and not modelled, with how much their items have in common."""
    modelled = evidence.calibration.item_sets
    have = {item.id for item in evidence.calibration.items}
    ignored: dict[str, list[str]] = {}
    for item, name in item_sets.items():
        if item in have and item not in modelled:
            ignored.setdefault(name, []).append(item)
    found = []
    for name, members in ignored.items():
        said = any(flag.message.startswith(f"item set {name} (") for flag in evidence.calibration.warnings)
        if len(members) < 2 or said:
            continue
        common = ""
        if evidence.dependence is not None:
            at = [j for j, item in enumerate(evidence.dependence.items) if item in members]
            q3 = evidence.dependence.q3[np.ix_(at, at)]
            if np.isfinite(q3).any():
                common = f"; their residuals correlate {np.nanmean(q3) - evidence.dependence.mean_q3:+.2f} above others"
        found.append(
            Flag(
                "",
                "overstated-information",
                f"item set {name} ({len(members)} items) is not in the model: information and reliability are "
                f"overstated, standard errors too small{common}",
            )
        )
    return found
