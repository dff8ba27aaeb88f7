"""Everything a report says, gathered once: the page and the numbers beside it are two ways of writing it down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from calibration.classical import ItemStatistics, item_statistics
from calibration.classical.dif import MantelHaenszel, mantel_haenszel_dif
from calibration.classical.distractors import OptionCurves, distractor_flags, option_curves_of_items
from calibration.classical.reliability import Reliability, reliability_by_form
from calibration.fit import (
    FitError,
    ItemDif,
    ItemFit,
    LocalDependence,
    ModelFit,
    PersonFit,
    dif_rmsd,
    item_fit,
    local_dependence,
    model_fit,
    person_fit,
)
from calibration.fit.item_fit import MEAN_SQUARES
from calibration.fit.methods import dif
from calibration.fit.model_fit import MOST_MARGINS
from calibration.fit.persons import expected_counts, fitted
from calibration.linking import LinkError
from calibration.linking.drift import DriftResult
from calibration.models import ModelError
from calibration.own_data import OwnData, own_data, own_population
from calibration.raters import RatingFit, rater_agreement, rater_pairs, rating_fit
from calibration.raters.agreement import IntraclassCorrelations, RaterPair
from calibration.report.anchors import anchors_again
from calibration.report.observed import Observed, observed_shares
from calibration.responses import Responses, ResponsesError
from calibration.result import Calibration, CalibrationError
from calibration.scoring import (
    ReferenceForm,
    ScaleError,
    Scores,
    empirical_reliability,
    marginal_reliability,
    score_responses,
)
from calibration.screening import Flag, screen

AFFORDABLE = 5.0  # seconds for one part; what takes longer is left out unless it is asked for
PLAUSIBLE_VALUES = 5
SEED = 0
SURE_T, SURE_P = 3.0, 0.01  # beyond chance: of mean squares, and of the test beside a curve that differs
CAUSES = (FitError, ResponsesError, ScaleError, LinkError, ModelError, CalibrationError)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A calibration with what its responses say about it.

    Parts that these data do not have, or that were too expensive, are None or empty; `left_out` says why, by the name of
    the part. `span` is the range of ability that charts show, `cut` the ability at the cut of the reference form `form`
    (at the share `share` of its marks) or the one given.
    """

    calibration: Calibration
    responses: Responses | None
    statistics: Mapping[str, ItemStatistics]
    flags: tuple[Flag, ...]
    labels: Mapping[str, str]
    span: tuple[float, float]
    cut: float | None = None
    form: ReferenceForm | None = None
    share: float = 0.60
    scores: Scores | None = None
    observed: Mapping[str, Observed] = field(default_factory=dict)
    options: Mapping[str, OptionCurves] = field(default_factory=dict)
    item_fit: Mapping[str, ItemFit] = field(default_factory=dict)
    model_fit: ModelFit | None = None
    dependence: LocalDependence | None = None
    person_fit: PersonFit | None = None
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    marginal_reliability: float = float("nan")
    empirical_reliability: float = float("nan")
    matched_dif: tuple[MantelHaenszel, ...] = ()
    curve_dif: tuple[ItemDif, ...] = ()
    model_dif: tuple[ItemDif, ...] = ()
    drift: DriftResult | None = None
    rater_fit: tuple[RatingFit, ...] = ()
    rated_item_fit: Mapping[str, RatingFit] = field(default_factory=dict)
    agreement: Mapping[str, IntraclassCorrelations] = field(default_factory=dict)
    rater_pairs: tuple[RaterPair, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def flags_of(self) -> dict[str, tuple[Flag, ...]]:
        """The flags of each item that has any."""
        found: dict[str, tuple[Flag, ...]] = {}
        for flag in self.flags:
            found[flag.item] = (*found.get(flag.item, ()), flag)
        return found


class _Parts:
    """The parts of the evidence: each is tried, and the reason kept where it cannot be had."""

    def __init__(self, *, everything: bool) -> None:
        self.everything = everything
        self.left_out: dict[str, str] = {}

    def part(self, name: str, seconds: float, make: Callable[[], T], otherwise: T) -> T:
        """What `make` gives, if it is worth about `seconds`."""
        if seconds > AFFORDABLE and not self.everything:
            self.left_out[name] = (
                f"left out: it takes about {seconds:.0f} seconds on these data; ask for it with --report-all "
                "(everything=True)"
            )
            return otherwise
        try:
            return make()
        except CAUSES as error:
            self.left_out[name] = str(error)
            return otherwise


def gather(
    calibration: Calibration,
    responses: Responses | None = None,
    statistics: Sequence[ItemStatistics] | None = None,
    flags: Sequence[Flag] | None = None,
    *,
    cut: float | None = None,
    form: ReferenceForm | None = None,
    share: float = 0.60,
    labels: Mapping[str, str] | None = None,
    item_sets: Mapping[str, str] | None = None,
    everything: bool = False,
) -> Evidence:
    """The evidence about a calibration, from its own responses or those given.

    `statistics` and `flags` are computed where they are not given. `cut` is an ability; or `form` is a reference form
    and `share` what must be reached of its marks. `labels` describe items. `item_sets` (item → set) names sets that the
    calibration did not model, so that the report can say what that costs. With `everything` no part is left out for the
    time it takes. Raises ScaleError for a form that has no cut.
    """
    data = responses if responses is not None else calibration.responses
    parts = _Parts(everything=everything)
    mean, sd = own_population(calibration)
    span = (float(np.floor(2 * (mean - 4 * sd).min()) / 2), float(np.ceil(2 * (mean + 4 * sd).max()) / 2))
    at_cut = form.cut(share) if form is not None and cut is None else cut
    known = tuple(statistics) if statistics is not None else parts.part("statistics", 0, lambda: _statistics(data), ())
    found = tuple(flags) if flags is not None else screen(known)
    evidence = Evidence(
        calibration=calibration,
        responses=data,
        statistics={one.item: one for one in known},
        flags=(),
        labels=labels or {},
        span=span,
        cut=at_cut,
        form=form,
        share=share,
        marginal_reliability=_marginal(calibration),
    )
    if data is not None:
        own = parts.part("data", 0, lambda: own_data(replace(calibration, responses=data)), None)
        if own is not None:
            evidence = _of_responses(evidence, data, own, parts)
    told = [*calibration.warnings, *found, *_findings(data, [*calibration.warnings, *found]), *distractor_flags(known)]
    told += _fit_flags(evidence, {flag.item for flag in found if flag.code == "negative-discrimination"})
    told += _rater_flags(evidence) + _dif_flags(evidence) + _drift_flags(evidence) + _set_flags(evidence, item_sets or {})
    return replace(evidence, flags=tuple(dict.fromkeys(told)), left_out=parts.left_out)


def _statistics(responses: Responses | None) -> tuple[ItemStatistics, ...]:
    """Classical statistics; with raters counts and means only, as there is no one score a person."""
    if responses is None:
        return ()
    if responses.rater is None or len(responses.raters) < 2:
        return item_statistics(responses)
    counts = responses.category_counts()
    n = counts.sum(axis=1)
    k = np.arange(counts.shape[1])
    mean = np.divide(counts @ k, n, out=np.full(len(n), np.nan), where=n > 0)
    square = np.divide(counts @ k**2, n, out=np.full(len(n), np.nan), where=n > 0)
    top = [int(np.flatnonzero(row).max(initial=1)) for row in counts]
    return tuple(
        ItemStatistics(
            item=name,
            n=float(n[j]),
            p_value=float(mean[j] / top[j]),
            point_biserial=float("nan"),
            effective_n=0.0,
            omitted=0,
            mean=float(mean[j]),
            sd=float(np.sqrt(max(square[j] - mean[j] ** 2, 0.0))),
            top=top[j],
        )
        for j, name in enumerate(responses.items)
    )


def _marginal(calibration: Calibration) -> float:
    mean, sd = own_population(calibration)
    n = np.array([group.n for group in calibration.groups]) if calibration.groups else np.ones(1)
    scale = calibration.scale
    each = [
        marginal_reliability(calibration.items, replace(scale, mean=float(m), sd=float(s)))
        for m, s in zip(mean, sd, strict=True)
    ]
    return float(np.average(each, weights=n)) if n.sum() > 0 else float("nan")


def _of_responses(evidence: Evidence, responses: Responses, own: OwnData, parts: _Parts) -> Evidence:
    calibration = evidence.calibration
    scale, about = calibration.scale, (own.responses, own.items, calibration.scale, own.population)
    R, N, J = len(own.responses.item), len(own.responses.persons), len(own.items)
    C = sum(item.categories for item in own.items)
    rated = bool(own.of_rater)
    mean, sd = own.population
    scores = parts.part(
        "scores",
        2e-7 * R,
        lambda: score_responses(
            own.responses,
            own.items,
            scale,
            method="pv",
            mean=mean,
            sd=sd,
            plausible_values=PLAUSIBLE_VALUES,
            seed=SEED,
        ),
        None,
    )
    observed = parts.part("observed", 1e-7 * R, lambda: _observed(own, evidence), {})
    fits = () if rated else parts.part("item_fit", 2e-6 * R + 1e-5 * J**2, lambda: item_fit(*about), ())
    raters, rated_items = ((), ())
    if rated:
        parts.left_out["item_fit"] = "ratings: infit and outfit of items are over all their raters; S-X² has no meaning"
        raters, rated_items = parts.part("rater_fit", 1e-6 * R, lambda: rating_fit(own, scale), ((), ()))
    margins = J * (J + 1) / 2 * len(mean)
    work = 2e-10 * margins**3 + 1e-6 * R if margins <= MOST_MARGINS else 0.0  # above it is refused, with the reason
    whole = None if rated else parts.part("model_fit", work, lambda: model_fit(*about), None)
    if rated:
        parts.left_out["model_fit"] = "ratings: neither the whole model nor pairs of items are compared with them"
    paired = (
        None if rated else parts.part("dependence", 2e-9 * N * float(C) ** 2, lambda: local_dependence(*about), None)
    )
    persons = parts.part("person_fit", 3e-6 * R, lambda: person_fit(*about), None)
    reliable = parts.part("reliability", 1e-6 * R + 1e-8 * float(J) ** 3, lambda: _reliability(responses), {})
    matched, curves, modelled = _dif(own, evidence, parts)
    drift = None
    if scale.anchors:
        drift = parts.part("drift", 5e-6 * R, lambda: anchors_again(calibration, responses), None)
    agreement = parts.part("agreement", 1e-5 * R, lambda: rater_agreement(responses), {}) if rated else {}
    pairs = parts.part("rater_pairs", 1e-5 * R, lambda: rater_pairs(responses), ()) if rated else ()
    options = parts.part("options", 1e-6 * R, lambda: _options(responses), {})
    return replace(
        evidence,
        scores=scores,
        observed=observed,
        options=options,
        item_fit={row.item: row for row in fits},
        model_fit=whole,
        dependence=paired,
        person_fit=persons,
        reliability=reliable,
        empirical_reliability=float("nan")
        if scores is None
        else empirical_reliability(scores.theta, scores.se, "eap", own.responses.weight),
        matched_dif=matched,
        curve_dif=curves,
        model_dif=modelled,
        drift=drift,
        rater_fit=raters,
        rated_item_fit={row.name: row for row in rated_items},
        agreement=agreement,
        rater_pairs=pairs,
    )


def _observed(own: OwnData, evidence: Evidence) -> dict[str, Observed]:
    data = fitted(own.responses, own.items, evidence.calibration.scale, own.population)
    names = {item.id: name for item, name in zip(own.items, own.of_item, strict=True)}
    of_item = [names[item.id] for item in data.items]
    return observed_shares(data, expected_counts(data).sum(axis=0), of_item)


def _options(responses: Responses) -> dict[str, OptionCurves]:
    if responses.option is None:
        return {}
    return option_curves_of_items(responses)


def _reliability(responses: Responses) -> dict[str, Reliability]:
    if responses.rater is not None and len(responses.raters) > 1:
        raise ResponsesError("ratings: see the raters' agreement")
    return reliability_by_form(responses)


def _dif(
    own: OwnData, evidence: Evidence, parts: _Parts
) -> tuple[tuple[MantelHaenszel, ...], tuple[ItemDif, ...], tuple[ItemDif, ...]]:
    data, scale, groups = own.responses, evidence.calibration.scale, own.responses.groups
    if data.group is None or len(groups) < 2 or own.of_rater:
        if own.of_rater and len(groups) > 1:
            parts.left_out["dif"] = "ratings: groups are not compared item by item"
        return (), (), ()
    R, J = len(data.item), len(own.items)
    matched = parts.part("matched_dif", 1e-6 * R * len(groups), lambda: mantel_haenszel_dif(data), ())
    curves = parts.part("curve_dif", 1e-6 * R, lambda: dif_rmsd(data, own.items, scale), ())
    one_fit = 1e-6 * R + 0.02

    def modelled() -> tuple[ItemDif, ...]:
        return tuple(
            row for focal in groups[1:] for row in dif(data, own.items, scale, reference=groups[0], focal=focal)
        )

    by_model = parts.part("model_dif", 2 * J * (len(groups) - 1) * one_fit, modelled, ())
    return matched, curves, by_model


def _findings(responses: Responses | None, told: Sequence[Flag]) -> list[Flag]:
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


def _fit_flags(evidence: Evidence, backwards: set[str]) -> list[Flag]:
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
            "curve-differs": ("curve-differs" in row.flags and p < SURE_P, f"RMSD = {row.rmsd:.3f}; {test}, p = {p:.2g}"),
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


def _rater_flags(evidence: Evidence) -> list[Flag]:
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


def _dif_flags(evidence: Evidence) -> list[Flag]:
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


def _drift_flags(evidence: Evidence) -> list[Flag]:
    if evidence.drift is None:
        return []
    return [
        Flag(one.item, "drift", f"b {one.displacement:+.2f}, robust z {one.robust_z:.1f}, RMSD {one.rmsd:.3f}")
        for one in evidence.drift.flagged
    ]


def _set_flags(evidence: Evidence, item_sets: Mapping[str, str]) -> list[Flag]:
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
