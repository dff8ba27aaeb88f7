"""What the report flags: items that do not fit, raters, groups, anchors and item sets, each with its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from calibration.fit import ItemFit
from calibration.fit.item_fit import MEAN_SQUARES
from calibration.raters import RatingFit
from calibration.responses import Responses
from calibration.screening import Flag

if TYPE_CHECKING:
    from calibration.report.evidence import Evidence

SURE_T, SURE_P = 3.0, 0.01  # beyond chance: of mean squares, and of the test beside a curve that differs


def findings(responses: Responses | None, told: Sequence[Flag]) -> list[Flag]:
    """What is odd about the responses, where no flag says it yet."""
    if responses is None:
        return []
    said = {(flag.item, flag.code) for flag in told}
    said |= {(item, "unused-category") for item, code in said if code == "unused-score"}
    said |= {(item, "no-responses") for item, code in said if code == "no-variance"}
    items = set(responses.items) | set(responses.key)
    flags = []
    for one in responses.findings:
        if one.about in items or not one.about:
            flag = Flag(one.about, one.code, one.message)
        else:  # a person
            flag = Flag("", "persons-without-responses", f"{one.about} {one.message}")
        if (flag.item, flag.code) not in said:
            flags.append(flag)
    return flags


def fit_flags(evidence: Evidence, backwards: set[str]) -> list[Flag]:
    """The flags of item fit that are large and beyond chance, with the numbers behind them.

    With about 200 persons an item, mean squares and curves differ by chance as much as the limits of size alone allow.
    """
    found = []
    for item, row in sorted(evidence.item_fit.items()):
        if np.isfinite(row.s_x2_p):
            p, test = row.s_x2_p, f"S-X² = {row.s_x2:.1f} on {row.s_x2_df} df"
            size = f"RMSEA = {row.s_x2_rmsea:.2f}, n = {row.s_x2_n:.0f}"
        else:
            p, test = row.residual_p, f"residual χ² = {row.residual_x2:.1f} on {row.residual_df} df"
            size = f"n = {row.n:.0f}"
        squares = f"infit {row.infit:.2f} (t = {row.infit_t:.1f}), outfit {row.outfit:.2f} (t = {row.outfit_t:.1f})"
        noisy = any(value > MEAN_SQUARES[1] and t > SURE_T for value, t in _mean_squares(row))
        overfit = any(value < MEAN_SQUARES[0] and t < -SURE_T for value, t in _mean_squares(row))
        reasons = {
            "misfit": ("misfit" in row.flags, f"{test}, p = {p:.2g}, {size}"),
            "noisy": (noisy, squares),
            "overfit": (overfit, squares),
            "curve-differs": (
                "curve-differs" in row.flags and p < SURE_P,
                f"RMSD = {row.rmsd:.3f}; {test}, p = {p:.2g}",
            ),
            "weak": (
                "weak" in row.flags and item not in backwards,
                f"item-rest r = {row.item_rest:.2f}, n = {row.item_rest_n:.0f}",
            ),
            "routed": ("routed" in row.flags, "persons got it because of earlier answers"),
        }
        found += [Flag(item, code, reason) for code, (hit, reason) in reasons.items() if hit]
    return found


def _mean_squares(row: ItemFit | RatingFit) -> tuple[tuple[float, float], tuple[float, float]]:
    return (row.infit, row.infit_t), (row.outfit, row.outfit_t)


def rater_flags(evidence: Evidence) -> list[Flag]:
    """Raters and rated items whose marks are more, or less, varied than a severity explains."""
    found = []
    for item, row in [("", one) for one in evidence.rater_fit] + list(evidence.rated_item_fit.items()):
        said = f"infit {row.infit:.2f} (t = {row.infit_t:.1f}), outfit {row.outfit:.2f} (t = {row.outfit_t:.1f})"
        noisy, overfit = ("noisy", "overfit") if item else ("erratic-rater", "flat-rater")
        said = said if item else f"{row.name}: {said}, {row.n:.0f} ratings"
        if any(value > MEAN_SQUARES[1] and t > SURE_T for value, t in _mean_squares(row)):
            found.append(Flag(item, noisy, said))
        elif any(value < MEAN_SQUARES[0] and t < -SURE_T for value, t in _mean_squares(row)):
            found.append(Flag(item, overfit, said))
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
    for row in evidence.curve_dif:
        if row.flagged:
            found.setdefault(row.item, []).append(f"{row.focal}: RMSD = {row.rmsd:.2f}, MD = {row.md:+.2f}")
    return [Flag(item, "dif", "; ".join(reasons)) for item, reasons in found.items()]


def drift_flags(evidence: Evidence) -> list[Flag]:
    if evidence.drift is None:
        return []
    return [
        Flag(one.item, "drift", f"b {one.displacement:+.2f}, robust z {one.robust_z:.1f}, RMSD {one.rmsd:.3f}")
        for one in evidence.drift.flagged
    ]


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
        if len(members) < 2:
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
