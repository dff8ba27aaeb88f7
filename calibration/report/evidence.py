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
from calibration.fit.methods import dif
from calibration.fit.model_fit import MOST_MARGINS
from calibration.fit.persons import expected_counts, fitted
from calibration.linking import LinkError
from calibration.linking.drift import DriftResult
from calibration.models import ModelError
from calibration.own_data import OwnData, own_data, own_population, population_note
from calibration.raters import RatingFit, rater_agreement, rater_pairs, rating_fit
from calibration.raters.agreement import IntraclassCorrelations, RaterPair
from calibration.report.anchors import anchors_again
from calibration.report.findings import dif_flags, drift_flags, findings, fit_flags, rater_flags, set_flags
from calibration.report.observed import Observed, observed_shares
from calibration.responses import Responses, ResponsesError
from calibration.result import Calibration, CalibrationError
from calibration.scoring import (
    ReferenceForm,
    ScaleError,
    Scores,
    empirical_reliability,
    population_nodes,
    score_responses,
)
from calibration.screening import Flag, screen
from calibration.set_information import information_of

AFFORDABLE = 5.0  # seconds for one part; what takes longer is left out unless it is asked for
PLAUSIBLE_VALUES = 5
SEED = 0
CAUSES = (FitError, ResponsesError, ScaleError, LinkError, ModelError, CalibrationError)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A calibration with what its responses say about it.

    Parts that these data do not have, or that were too expensive, are None or empty; `left_out` says why, by the
    name of the part. `span` is the range of ability that charts show, `cut` the ability at the cut of the reference
    form `form` (at the share `share` of its marks) or the one given.
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

    def part(self, name: str, seconds: float, make: Callable[[], T]) -> T | None:
        """What `make` gives, if about `seconds` are not too many."""
        if seconds > AFFORDABLE and not self.everything:
            self.left_out[name] = (
                f"left out: it takes about {seconds:.0f} seconds on these data; ask for it with --report-all "
                "(everything=True)"
            )
            return None
        try:
            return make()
        except CAUSES as error:
            self.left_out[name] = str(error)
            return None


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
    known = (
        tuple(statistics) if statistics is not None else parts.part("statistics", 0, lambda: _statistics(data)) or ()
    )
    found = tuple(flags) if flags is not None else screen(known)
    evidence = Evidence(
        calibration=calibration,
        responses=data,
        statistics={one.item: one for one in known},
        flags=(),
        labels=labels or {},
        span=(float(np.floor(2 * (mean - 4 * sd).min()) / 2), float(np.ceil(2 * (mean + 4 * sd).max()) / 2)),
        cut=form.cut(share) if form is not None and cut is None else cut,
        form=form,
        share=share,
        marginal_reliability=_marginal(calibration),
    )
    own = parts.part("data", 0, lambda: own_data(replace(calibration, responses=data))) if data is not None else None
    if data is not None and own is not None:
        evidence = _of_ratings(evidence, data, own, parts) if own.of_rater else _of_items(evidence, data, own, parts)
        evidence = _of_persons(evidence, data, own, parts)
    told = [*calibration.warnings, *found]
    told += findings(data, told, calibration.scale.anchors)
    told += distractor_flags(known)
    told += fit_flags(evidence, {flag.item for flag in found if flag.code == "negative-discrimination"})
    told += [*rater_flags(evidence), *dif_flags(evidence), *drift_flags(evidence)]
    told += set_flags(evidence, item_sets or {})
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
    """The reliability that all items promise in the groups' populations, weighted by their persons; sets as sets."""
    spread = {name: estimate.value for name, estimate in calibration.testlets.items()}
    weights = [group.n for group in calibration.groups] or [1.0]
    each = []
    for mean, sd in zip(*own_population(calibration), strict=True):
        theta, weight = population_nodes(replace(calibration.scale, mean=float(mean), sd=float(sd)))
        information = information_of(calibration.items, calibration.scale, theta, calibration.item_sets, spread)
        each.append(float(weight @ (information / (information + sd**-2.0))))
    return float(np.average(each, weights=weights)) if sum(weights) > 0 else float("nan")


def _of_persons(evidence: Evidence, responses: Responses, own: OwnData, parts: _Parts) -> Evidence:
    """Scores, fit of persons, what was observed beside the curves, and anchors."""
    calibration, R = evidence.calibration, len(own.responses.item)
    mean, sd = own.population

    def scored() -> Scores:
        return score_responses(
            own.responses,
            own.items,
            calibration.scale,
            method="pv",
            mean=mean,
            sd=sd,
            plausible_values=PLAUSIBLE_VALUES,
            seed=SEED,
        )

    def fitting() -> PersonFit:
        return person_fit(own.responses, own.items, calibration.scale, own.population)

    scores = parts.part("scores", 2e-7 * R, scored)
    reliable = float("nan")
    if scores is not None:
        reliable = empirical_reliability(scores.theta, scores.se, "eap", own.responses.weight)
    drift = None
    if calibration.scale.anchors:
        drift = parts.part("drift", 5e-6 * R, lambda: anchors_again(calibration, responses))
    return replace(
        evidence,
        scores=scores,
        empirical_reliability=reliable,
        observed=parts.part("observed", 1e-7 * R, lambda: _observed(own, evidence)) or {},
        options=parts.part("options", 1e-6 * R, lambda: _options(responses)) or {},
        person_fit=parts.part("person_fit", 3e-6 * R, fitting),
        drift=drift,
    )


def _of_items(evidence: Evidence, responses: Responses, own: OwnData, parts: _Parts) -> Evidence:
    """Fit of items, pairs and the model, reliability of marks, and differences between groups."""
    data, items, scale, population = own.responses, own.items, evidence.calibration.scale, own.population
    R, N, J = len(data.item), len(data.persons), len(items)
    C = sum(item.categories for item in items)
    margins = J * (J + 1) / 2 * len(population[0])
    work = 2e-10 * margins**3 + 1e-6 * R if margins <= MOST_MARGINS else 0.0  # above it is refused, with the reason

    def whole_model() -> ModelFit:
        return replace(model_fit(data, items, scale, population), note=population_note(evidence.calibration))

    fits = parts.part("item_fit", 2e-6 * R + 1e-5 * J**2, lambda: item_fit(data, items, scale, population)) or ()
    evidence = replace(
        evidence,
        item_fit={row.item: row for row in fits},
        model_fit=parts.part("model_fit", work, whole_model),
        dependence=parts.part(
            "dependence", 2e-9 * N * float(C) ** 2, lambda: local_dependence(data, items, scale, population)
        ),
        reliability=parts.part("reliability", 1e-6 * R + 1e-8 * J**3.0, lambda: reliability_by_form(responses)) or {},
    )
    groups = data.groups
    if data.group is None or len(groups) < 2:
        return evidence

    def by_model() -> tuple[ItemDif, ...]:
        return tuple(
            row
            for focal in groups[1:]
            for row in dif(data, items, scale, reference=groups[0], focal=focal)
            if isinstance(row, ItemDif)
        )

    refits = 2 * J * (len(groups) - 1)
    return replace(
        evidence,
        matched_dif=parts.part("matched_dif", 1e-6 * R * len(groups), lambda: mantel_haenszel_dif(data)) or (),
        curve_dif=parts.part("curve_dif", 1e-6 * R, lambda: dif_rmsd(data, items, scale)) or (),
        model_dif=parts.part("model_dif", refits * (1e-6 * R + 0.02), by_model) or (),
    )


def _of_ratings(evidence: Evidence, responses: Responses, own: OwnData, parts: _Parts) -> Evidence:
    """Fit and agreement of raters; what needs one score a person and item is not there, and says so."""
    R = len(own.responses.item)
    parts.left_out |= {
        "item_fit": "ratings: infit and outfit of items are over all their raters; S-X² has no meaning",
        "model_fit": "ratings: neither the whole model nor pairs of items are compared with them",
        "reliability": "ratings: see the agreement of raters",
    }
    if len(responses.groups) > 1:
        parts.left_out["dif"] = "ratings: groups are not compared item by item"
    raters, items = parts.part("rater_fit", 1e-6 * R, lambda: rating_fit(own, evidence.calibration.scale)) or ((), ())
    return replace(
        evidence,
        rater_fit=raters,
        rated_item_fit={row.name: row for row in items},
        agreement=parts.part("agreement", 1e-5 * R, lambda: rater_agreement(responses)) or {},
        rater_pairs=parts.part("rater_pairs", 1e-5 * R, lambda: rater_pairs(responses)) or (),
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
