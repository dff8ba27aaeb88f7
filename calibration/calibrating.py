"""From responses to one calibration."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from calibration.describing import (
    groups_of,
    items_of,
    means_missing,
    raters_of,
    regressed_to,
    regression_of,
    scale_of,
    testlets_of,
    warnings_of,
)
from calibration.estimation.beliefs import Beliefs, without_prior
from calibration.estimation.fitting import FULL_INFORMATION, NO_MAXIMUM, NOT_IDENTIFIED, Errors, Fit, fit
from calibration.estimation.population import Shape
from calibration.estimation.posterior_means import Moments, posterior_means
from calibration.estimation.reporting import with_means
from calibration.estimation.specification import FIXED_SLOPE, specify
from calibration.estimation.unknowns import Unknowns
from calibration.item_sets import SetMethod, settings_with_sums
from calibration.models import ItemParameters, ModelError, Scale, parameter_names
from calibration.overstated import overstated_flags, overstated_information
from calibration.own_data import averaged_over_set
from calibration.patterns import PatternError
from calibration.preparing import Prepared, prepare
from calibration.priors import NO_PRIORS, PriorError, Priors, priors_of_items, read_priors
from calibration.responses import Responses, read_responses
from calibration.responses.reading import Source
from calibration.result import Calibration, CalibrationError
from calibration.routing import routing_flags
from calibration.screening import Flag

Matrix = NDArray[np.float64]
PointEstimate = Literal["mode", "mean"]

POSTERIOR = "posterior, by importance sampling"
POSTERIOR_BLOCKS = "posterior, by importance sampling, per-item blocks"
PERSONS_A_PARAMETER = 5  # below which a cross-product says more of the sample than of the information


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search is: what `on_iteration` is told, and what `start` takes up again.

    `shape` holds standardised abilities and their densities where the distribution of ability is found with the items.
    """

    iteration: int
    log_likelihood: float
    vector: tuple[float, ...]
    shape: tuple[tuple[float, float], ...] = ()


def calibrate(
    responses: Responses | Source,
    *,
    model: str | Mapping[str, str] = "2PL",
    priors: Priors | Mapping[str, Priors] | str | None = None,
    anchors: Sequence[ItemParameters] = (),
    scale: Scale | None = None,
    reference: str | None = None,
    covariates: Mapping[str, Matrix] | None = None,
    testlets: Mapping[str, str] | None = None,
    sets: SetMethod = "testlet",
    latent: Literal["normal", "empirical"] = "normal",
    errors: Errors = "observed",
    estimate: PointEstimate = "mode",
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[Progress], None] | None = None,
    start: Progress | Sequence[float] | None = None,
    threads: int = 1,
) -> Calibration:
    """Calibrate items by marginal maximum likelihood (posterior modes where there are priors).

    Parameters
    ----------
    responses
        Responses, or whatever `read_responses` makes them of.
    model
        A model for all items, or models by item id or pattern: ``{"*": "2PL", "CR*": "GPCM"}``. 1PL has one slope for
        all its items; Rasch, PCM and RSM have a = 1, and the standard deviation of ability is estimated.
    priors
        Priors for all items, or by id or pattern; or in words, as ``"default"`` or ``"a=lognormal(0, 0.5)"``.
    anchors
        Items with parameters that are kept; every group's mean and standard deviation are then free and estimated with
        the new items (fixed-item calibration; Kim, 2006, MEM). `scale` is the anchors' scale.
    reference
        The group that is N(0, 1) without anchors (its standard deviation is free where slopes are fixed): the first.
    covariates
        Columns (N,) of a latent regression theta = Σ coefficient · covariate + e (Mislevy, 1985), e ~ N(0, 1) where
        slopes are free; they take the place of groups.
    testlets
        Item id → item set: its items answer to theta + gamma of the set, gamma ~ N(0, sd²), whose sd is estimated
        (Bradlow, Wainer & Wang, 1999). Their a and b are those at gamma = 0.
    sets
        What is made of the item sets: ``"testlet"`` as above; ``"collapse"`` sums each to one polytomous item of the
        set's name (`collapse_sets`), of the model named for it, else GPCM, with Rasch items PCM; ``"ignore"`` leaves
        them out of the model, and the result says by how much their information is overstated.
    latent
        ``"empirical"`` finds the distribution of ability with the items, standardised, instead of taking it as normal
        (Mislevy, 1984; Woods, 2007): for one group, without anchors or tied parameters.
    errors
        Where standard errors come from: the observed information, the cross-product of the persons' scores, or the
        sandwich of both. The latter two need 5 persons a parameter.
    estimate
        ``"mean"`` gives items with the means of their posterior distribution, its standard deviations as `se` and its
        `covariance`; every estimated parameter then needs a prior. The search, `log_likelihood`, `max_gradient` and the
        population remain those of the mode.
    on_iteration, start
        Called after every step; what it was last told, or its vector, goes on from there.
    threads
        Passes over the persons are spread over so many threads; the sums are added in one order.

    New items that everybody or nobody got right are left out (`excluded`): there is nothing to estimate. Standard
    errors are left out where the run did not converge or the data do not identify a parameter (`se_kind` says so).
    Ratings, that is responses with raters, are calibrated as many-facet Rasch models (Linacre, 1989).

    Raises CalibrationError for a model that is not known or does not fit an item, for priors the model cannot have,
    for means without priors, and for anchors without responses; ResponsesError when nothing is left to fit.
    """
    began = time.process_time()
    try:
        data = responses if isinstance(responses, Responses) else read_responses(responses)
        prepared = prepare(
            data,
            model=model,
            anchors={item.id: item for item in anchors},
            scale=scale,
            reference=reference,
            covariates=covariates,
            testlets=testlets,
            sets=sets,
            latent=latent,
            threads=threads,
        )
        if prepared.sums and isinstance(priors, Mapping):
            priors = settings_with_sums(priors, data.items, prepared.sums)
        return run(
            prepared,
            priors=read_priors(priors) if isinstance(priors, str) else priors,
            errors=errors,
            estimate=estimate,
            tolerance=tolerance,
            max_iterations=max_iterations,
            on_iteration=on_iteration,
            start=start,
            began=began,
        )
    except (ModelError, PatternError, PriorError) as error:
        raise CalibrationError(str(error)) from None


def run(
    prepared: Prepared,
    *,
    priors: Priors | Mapping[str, Priors] | None = None,
    errors: Errors = "observed",
    estimate: PointEstimate = "mode",
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[Progress], None] | None = None,
    start: Progress | Sequence[float] | None = None,
    began: float | None = None,
) -> Calibration:
    """The calibration of what is prepared, wherever its persons are."""
    began = time.process_time() if began is None else began
    items, models, scale = prepared.items, prepared.models, prepared.scale
    unknowns = specify(
        prepared.persons,
        items,
        models,
        prepared.population,
        anchors=prepared.anchors,
        D=scale.D,
        facet=prepared.facet,
        testlets=prepared.testlets,
    )
    if start is not None:
        unknowns = _taken_up(unknowns, start)
    chosen = _priors(items, models, priors)
    if errors != "observed":
        _enough_persons(errors, prepared, unknowns, chosen)
    beliefs = Beliefs.of(unknowns.batches, chosen, scale.D)
    if estimate == "mean":
        _means_exist(prepared, unknowns, beliefs)

    def report(iteration: int, log_likelihood: float, at: Unknowns) -> None:
        if on_iteration is not None:
            shape = at.population.shape
            bars = () if shape is None else tuple(zip(shape.nodes.tolist(), shape.density.tolist(), strict=True))
            on_iteration(Progress(iteration, log_likelihood, tuple(at.all_free().vector().tolist()), bars))

    result = fit(
        prepared.persons,
        unknowns,
        beliefs,
        tolerance=tolerance,
        max_iterations=max_iterations,
        on_iteration=report,
        errors=errors,
    )
    regressed = prepared.covariates is not None
    found = items_of(prepared, result)
    moments: list[Moments] = []
    if estimate == "mean" and result.converged and result.se_kind != NOT_IDENTIFIED:
        moments = posterior_means(prepared.persons, result, beliefs, D=scale.D)
        found = with_means(found, result.unknowns, moments)
    overstated = overstated_information(prepared, result, chosen)
    return Calibration(
        model=models[0] if len(set(models)) == 1 else "mixed",
        items=found,
        excluded=prepared.excluded,
        scale=scale_of(prepared, result),
        priors=_priors_text(priors, chosen),
        n_persons=round(float(result.sums.moments.persons.sum())),
        log_likelihood=result.log_likelihood,
        log_prior=result.log_prior,
        converged=result.converged,
        max_gradient=result.max_gradient,
        iterations=result.iterations,
        integration_error=result.integration_error,
        nodes=len(result.nodes),
        se_kind=_se_kind(result, moments),
        seconds=round(time.process_time() - began, 3),
        data_digest=prepared.data_digest,
        estimate="mean" if moments else "mode",
        groups=() if regressed else groups_of(result, prepared.groups),
        regression=regression_of(result, prepared.covariates or ()) if regressed else {},
        regressed_to=regressed_to(prepared, result),
        raters=raters_of(prepared, result),
        testlets=testlets_of(result),
        item_sets=prepared.testlets,
        overstated=dict(overstated.of_set) if overstated is not None else {},
        shift={name: scores[0] for name, scores in prepared.scores.items() if scores[0]},
        free_parameters=len(result.unknowns.vector()),
        warnings=(
            *prepared.flags,
            *overstated_flags(prepared.ignored_sets, overstated),
            *warnings_of(result),
            *(means_missing(prepared.items, result, moments) if estimate == "mean" else ()),
            *_routing(prepared, found, result),
        ),
        responses=prepared.responses,
        fit=result,
    )


def _se_kind(result: Fit, moments: Sequence[Moments]) -> str:
    if not result.converged:
        return NO_MAXIMUM
    if moments:
        return POSTERIOR if result.covariance is not None else POSTERIOR_BLOCKS
    return result.se_kind


def _routing(prepared: Prepared, items: Sequence[ItemParameters], result: Fit) -> list[Flag]:
    """Whether items seem to have been given because of answers that are not in the data."""
    if prepared.facet is not None:
        return []  # who rated whom is no routing
    testlets = testlets_of(result)
    alone = [
        averaged_over_set(item, testlets[prepared.testlets[item.id]].value, prepared.scale.D)
        if item.id in prepared.testlets
        else item
        for item in items
    ]
    population = result.unknowns.population
    return routing_flags(
        prepared.persons, alone, prepared.scale, (population.mean, population.sd), prepared.first_items
    )


def _enough_persons(errors: Errors, prepared: Prepared, unknowns: Unknowns, priors: Sequence[Priors]) -> None:
    parameters = len(unknowns.vector())
    if prepared.persons.persons < PERSONS_A_PARAMETER * parameters:
        raise CalibrationError(
            f"{errors} standard errors of {parameters} parameters need {PERSONS_A_PARAMETER * parameters} persons, "
            f"there are {prepared.persons.persons}: use those of the observed information"
        )
    if parameters > FULL_INFORMATION or unknowns.testlets is not None or any(p != NO_PRIORS for p in priors):
        raise CalibrationError(
            f"{errors} standard errors are for up to {FULL_INFORMATION} parameters, without priors or item sets: use "
            "those of the observed information"
        )


def _means_exist(prepared: Prepared, unknowns: Unknowns, beliefs: Beliefs) -> None:
    """Raise CalibrationError where posterior means are not offered, or need not exist."""
    kind = "raters" if prepared.facet is not None else "item sets" if unknowns.testlets is not None else ""
    if kind:
        raise CalibrationError(f"posterior means are for models without {kind}: estimate modes")
    if unknowns.ties is not None:
        raise CalibrationError(
            "posterior means are for items with parameters of their own, and those of 1PL and RSM are shared: estimate "
            "modes, or take Rasch, 2PL, PCM or GPCM"
        )
    for batch, bare in zip(unknowns.batches, without_prior(beliefs, unknowns.batches), strict=True):
        for j, of_item in zip(batch.items, bare, strict=True):
            if of_item.any():
                _no_prior(prepared.items[j], prepared.models[j], int(np.argmax(of_item)), batch.categories)


def _no_prior(item: str, model: str, parameter: int, categories: int) -> NoReturn:
    if model == "NRM":
        raise CalibrationError(f"item {item}: posterior means need priors, and NRM has none: estimate modes")
    name = parameter_names(model, categories)[parameter]
    raise CalibrationError(
        f"item {item}: posterior means need a prior on every parameter, and {name} of {model} has none: give all of "
        "them, such as a=lognormal(floating, 0.5), b=normal(0, 2), c=beta(5, 17), d=beta(17, 5), or estimate modes"
    )


def _taken_up(unknowns: Unknowns, start: Progress | Sequence[float]) -> Unknowns:
    vector, bars = (start.vector, start.shape) if isinstance(start, Progress) else (start, ())
    if len(vector) != len(unknowns.vector()):
        raise CalibrationError(
            f"the saved state has {len(vector)} parameters, this calibration {len(unknowns.vector())}: "
            "go on with the same responses, models and priors"
        )
    if bars:
        if unknowns.population.shape is None:
            raise CalibrationError(
                "the saved state is of a run that finds the distribution of ability, this one takes it as normal: "
                "go on with --latent empirical"
            )
        nodes, density = np.array(bars, float).T
        unknowns = replace(unknowns, population=replace(unknowns.population, shape=Shape(nodes, density)))
    return unknowns.at(np.asarray(vector, float))


def _priors(items: Sequence[str], models: Sequence[str], priors: Priors | Mapping[str, Priors] | None) -> list[Priors]:
    chosen = []
    for item, model, of_item in zip(items, models, priors_of_items(items, priors), strict=True):
        one_slope = model in FIXED_SLOPE or model == "1PL"
        kept = of_item
        if one_slope and of_item.a is not None:
            if of_item.a.mean is not None:
                raise CalibrationError(f"item {item}: prior {of_item.a} on a, but {model} has one slope for all items")
            kept = replace(kept, a=None)  # around the items' own mean, a prior says nothing of one slope
        if kept.b is not None and kept.a is None and not one_slope:
            raise CalibrationError(
                f"item {item}: a prior on b needs one on a as well: where a slope may cross 0, "
                "b = -intercept / a has no meaning; give a one too, such as lognormal(floating, 0.5), or default priors"
            )
        if kept.c is not None and model not in {"3PL", "4PL"}:
            kept = replace(kept, c=None)
        if kept.d is not None and model != "4PL":
            kept = replace(kept, d=None)
        chosen.append(kept if model != "NRM" else NO_PRIORS)
    return chosen


def _priors_text(given: Priors | Mapping[str, Priors] | None, chosen: Sequence[Priors]) -> str:
    """The priors that act, by item or pattern where there are several."""
    texts = list(dict.fromkeys(str(priors) for priors in chosen))
    if len(texts) == 1:
        return texts[0]
    if isinstance(given, Mapping):
        idle = {p: None for p in ("a", "b", "c", "d") if all(getattr(priors, p) is None for priors in chosen)}
        acting = [(name, replace(priors, **idle)) for name, priors in given.items()]
        named = [f"{name}: {priors}" for name, priors in acting if priors != NO_PRIORS]
        return "; ".join(named[:8]) + (f"; and {len(named) - 8} more" if len(named) > 8 else "")
    return "; ".join(texts[:8])
