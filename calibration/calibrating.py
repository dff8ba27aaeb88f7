"""From responses to one calibration."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs
from calibration.estimation.blocks import ResponseBlocks, block_responses
from calibration.estimation.fitting import Fit, fit, own_covariance
from calibration.estimation.population import Population
from calibration.estimation.specification import FIXED_SLOPE, Facet, reported, specify, without_raters
from calibration.estimation.unknowns import Unknowns
from calibration.models import ItemParameters, ModelError, Scale, model_named
from calibration.patterns import PatternError, ordered_patterns, settings_of
from calibration.priors import NO_PRIORS, PriorError, Priors, priors_of_items
from calibration.recoding import Recoded, recode
from calibration.responses import Responses, ResponsesError
from calibration.result import Calibration, CalibrationError, Estimate, Group
from calibration.screening import Flag

Matrix = NDArray[np.float64]

ANCHOR_STEPS = 50  # EM steps for the population of anchored items, before the new items join
FACET_MODELS = ("Rasch", "PCM", "RSM")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a search is: what `on_iteration` is told, and what `start` takes up again."""

    iteration: int
    log_likelihood: float
    vector: tuple[float, ...]


def calibrate(
    responses: Responses,
    *,
    model: str | Mapping[str, str] = "2PL",
    priors: Priors | Mapping[str, Priors] | None = None,
    anchors: Sequence[ItemParameters] = (),
    scale: Scale | None = None,
    reference: str | None = None,
    covariates: Mapping[str, Matrix] | None = None,
    testlets: Mapping[str, str] | None = None,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[Progress], None] | None = None,
    start: Sequence[float] | None = None,
) -> Calibration:
    """Calibrate items by marginal maximum likelihood (posterior modes where there are priors).

    Parameters
    ----------
    model
        A model for all items, or models by item id or pattern: ``{"*": "2PL", "CR*": "GPCM"}``. 1PL has one slope for
        all its items; Rasch, PCM and RSM have a = 1, and the standard deviation of ability is estimated.
    priors
        Priors for all items, or by id or pattern.
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
    on_iteration, start
        Called after every step; the vector it was last told goes on from there.

    Items that everybody or nobody got right carry no information and are left out (`excluded`). Standard errors are
    left out where the run did not converge or the data do not identify a parameter (`se_kind` says so). Ratings, that
    is responses with raters, are calibrated as many-facet Rasch models (Linacre, 1989).

    Raises CalibrationError for a model that is not known or does not fit an item, for priors the model cannot have, and
    for anchors without responses; ResponsesError when nothing is left to fit.
    """
    began = time.process_time()
    try:
        return _calibrate(
            responses,
            model=model,
            priors=priors,
            anchors={item.id: item for item in anchors},
            scale=scale or Scale(),
            reference=reference,
            covariates=covariates,
            testlets=testlets,
            options={"tolerance": tolerance, "max_iterations": max_iterations},
            on_iteration=on_iteration,
            start=start,
            began=began,
        )
    except (ModelError, PatternError, PriorError) as error:
        raise CalibrationError(str(error)) from None


def _calibrate(
    responses: Responses,
    *,
    model: str | Mapping[str, str],
    priors: Priors | Mapping[str, Priors] | None,
    anchors: Mapping[str, ItemParameters],
    scale: Scale,
    reference: str | None,
    covariates: Mapping[str, Matrix] | None,
    testlets: Mapping[str, str] | None,
    options: dict[str, float],
    on_iteration: Callable[[Progress], None] | None,
    start: Sequence[float] | None,
    began: float,
) -> Calibration:
    data = recode(responses)
    if not data.items:
        raise ResponsesError("no item has both right and wrong answers: nothing can be calibrated")
    models = models_of(data.items, model)
    facet, data, models = _facets(data, models)
    anchored = {name: anchors[name] for name in data.items if name in anchors}
    if anchors and not anchored:
        raise CalibrationError(
            f"none of the {len(anchors)} anchors has responses that vary (the first is {next(iter(anchors))}): "
            "give anchors that were administered"
        )
    grouped, population, names = _population(data.responses, models, anchored, reference, covariates)
    layout = block_responses(grouped, data.items, categories=_with_anchors(data, anchored))
    if anchored:
        population = _anchored_population(layout, data.items, models, population, anchored, scale.D)
    sets = _testlets(testlets, data, facet)
    unknowns = specify(layout, data.items, models, population, anchors=anchored, D=scale.D, facet=facet, testlets=sets)
    chosen = _priors(data.items, models, priors)
    if start is not None:
        if len(start) != len(unknowns.vector()):
            raise CalibrationError(
                f"the saved state has {len(start)} parameters, this calibration {len(unknowns.vector())}: "
                "go on with the same responses, models and priors"
            )
        unknowns = unknowns.at(np.asarray(start, float))
    beliefs = Beliefs.of(unknowns.batches, chosen, scale.D)

    def report(iteration: int, log_likelihood: float, at: Unknowns) -> None:
        if on_iteration is not None:
            on_iteration(Progress(iteration, log_likelihood, tuple(at.vector().tolist())))

    result = fit(
        layout,
        unknowns,
        beliefs,
        tolerance=options["tolerance"],
        max_iterations=int(options["max_iterations"]),
        on_iteration=report,
    )
    counts = data.responses.item_counts()
    if facet is not None:
        items = _rated_items(facet, models, result, counts, scale.D, data)
    else:
        items = reported(
            data.items,
            models,
            result.unknowns,
            result.item_covariance,
            counts,
            D=scale.D,
            anchors=anchored,
            marks=data.marks,
            with_errors=result.converged,
        )
    described = _describe_population(result, names, regression=covariates is not None)
    return Calibration(
        model=models[0] if len(set(models)) == 1 else "mixed",
        items=items,
        excluded=data.excluded,
        scale=_scale(scale, result.unknowns.population, anchored, regression=covariates is not None),
        priors=_priors_text(priors, chosen),
        n_persons=round(float(sum(block.weight.sum() for block in layout))),
        log_likelihood=result.log_likelihood,
        log_prior=result.log_prior,
        converged=result.converged,
        max_gradient=result.max_gradient,
        iterations=result.iterations,
        integration_error=result.integration_error,
        nodes=len(result.nodes),
        se_kind=result.se_kind,
        seconds=round(time.process_time() - began, 3),
        data_digest=digest(responses),
        groups=described if covariates is None else (),
        regression=_describe_regression(result, list(covariates)) if covariates is not None else {},
        raters=_describe_raters(result, facet),
        testlets=_describe_testlets(result),
        shift=data.shift,
        free_parameters=len(result.unknowns.vector()),
        warnings=(*data.flags, *_warnings(result, data)),
        responses=responses,
        fit=result,
    )


def models_of(items: Sequence[str], model: str | Mapping[str, str]) -> list[str]:
    """The model of every item. Raises ModelError for a name that is none, PatternError for an item left out."""
    if isinstance(model, str):
        return [model_named(model)] * len(items)
    ordered = ordered_patterns(model, items, "model")
    found = []
    for item in items:
        fitting = settings_of(item, model, ordered)
        if not fitting:
            raise PatternError(f'item {item} has no model: name one for it, or for "*"')
        found.append(model_named(fitting[0]))
    return found


def _facets(data: Recoded, models: list[str]) -> tuple[Facet | None, Recoded, list[str]]:
    """With raters, every item as rated by each rater becomes an item of its own."""
    responses = data.responses
    if responses.rater is None or len(responses.raters) < 2:
        return None, data, models
    other = next((name for name, model in zip(data.items, models, strict=True) if model not in FACET_MODELS), None)
    if other is not None:
        raise CalibrationError(
            f"item {other}: ratings are calibrated as many-facet models, which are {', '.join(FACET_MODELS)}"
        )
    R = len(responses.raters)
    pairs, index = np.unique(responses.item.astype(np.int64) * R + responses.rater, return_inverse=True)
    item, rater = pairs // R, pairs % R
    names = tuple(f"{data.items[j]} / {responses.raters[r]}" for j, r in zip(item, rater, strict=True))
    order = np.lexsort((index, responses.person))
    rated = replace(
        responses,
        items=names,
        person=responses.person[order],
        item=index.reshape(-1)[order].astype(np.int32),
        score=responses.score[order],
        status=responses.status[order],
        option=None,
        rater=None,
        raters=(),
        position=None,
        seconds=None,
    )
    marks = {names[k]: data.marks[data.items[j]] for k, j in enumerate(item) if data.items[j] in data.marks}
    facet = Facet(item, rater, data.items, responses.raters)
    split = replace(data, responses=rated, items=names, categories=data.categories[item], marks=marks)
    return facet, split, [models[j] for j in item]


def _population(
    responses: Responses,
    models: Sequence[str],
    anchored: Mapping[str, ItemParameters],
    reference: str | None,
    covariates: Mapping[str, Matrix] | None,
) -> tuple[Responses, Population, tuple[str, ...]]:
    """Responses with groups as the population numbers them, the population, and the groups' names."""
    unit_slope = any(model in FIXED_SLOPE for model in models)
    if covariates is not None:
        return _regressed(responses, covariates, free_sd=unit_slope or bool(anchored), intercept=bool(anchored))
    names = responses.groups if responses.group is not None and len(responses.groups) else ("",)
    if reference is not None and reference not in names:
        raise CalibrationError(f"reference group {reference!r} is none of {', '.join(names)}")
    G = len(names)
    free_mean, free_sd = np.ones(G, bool), np.ones(G, bool)
    if not anchored:
        at = names.index(reference) if reference is not None else 0
        free_mean[at], free_sd[at] = False, unit_slope
    return responses, Population.of_groups(np.zeros(G), np.ones(G), free_mean, free_sd), names


def _regressed(
    responses: Responses, covariates: Mapping[str, Matrix], *, free_sd: bool, intercept: bool
) -> tuple[Responses, Population, tuple[str, ...]]:
    N = len(responses.persons)
    columns = []
    for name, values in covariates.items():
        column = np.asarray(values, float)
        if column.shape != (N,) or not np.isfinite(column).all():
            raise CalibrationError(f"covariate {name}: needed is one number for each of the {N} persons")
        if np.ptp(column) == 0:
            raise CalibrationError(f"covariate {name} is the same for everybody: it explains nothing, leave it out")
        columns.append(column)
    if intercept:
        columns.append(np.ones(N))
    rows, group = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    if np.linalg.matrix_rank(rows) < rows.shape[1]:
        raise CalibrationError(f"covariates {', '.join(covariates)}: one is a sum of others; leave it out")
    names = tuple(str(g + 1) for g in range(len(rows)))
    grouped = replace(responses, group=group.reshape(-1).astype(np.int32), groups=names)
    return grouped, Population.regressed(rows, free_sd=free_sd), names


def _with_anchors(data: Recoded, anchored: Mapping[str, ItemParameters]) -> NDArray[np.intp]:
    """Categories of every item: an anchor has those of its parameters, whether or not all were seen."""
    return np.array(
        [
            max(K, anchored[name].categories) if name in anchored else K
            for name, K in zip(data.items, data.categories, strict=True)
        ],
        np.intp,
    )


def _anchored_population(
    layout: ResponseBlocks,
    items: Sequence[str],
    models: Sequence[str],
    population: Population,
    anchored: Mapping[str, ItemParameters],
    D: float,
) -> Population:
    """What the anchors alone say of the groups: new items then start near where they belong."""
    position = [j for j, name in enumerate(items) if name in anchored]
    only = _only_items(layout, position)
    unknowns = specify(
        only, [items[j] for j in position], [models[j] for j in position], population, anchors=anchored, D=D
    )
    return fit(only, unknowns, max_iterations=ANCHOR_STEPS).unknowns.population


def _only_items(layout: ResponseBlocks, position: Sequence[int]) -> ResponseBlocks:
    """The layout with only the items at `position`, renumbered."""
    number = np.full(len(layout.categories), -1)
    number[list(position)] = np.arange(len(position))
    blocks = []
    for block in layout:
        kept = number[block.items] >= 0
        if block.row_start is None:
            blocks.append(replace(block, items=number[block.items[kept]], codes=block.codes[:, kept]))
            continue
        person = np.repeat(np.arange(len(block.persons)), np.diff(block.row_start))[kept]
        row_start = np.searchsorted(person, np.arange(len(block.persons) + 1))
        blocks.append(replace(block, items=number[block.items[kept]], codes=block.codes[kept], row_start=row_start))
    return ResponseBlocks.of(layout.categories[list(position)], [block for block in blocks if block.items.size])


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
                "b = -intercept / a has no meaning"
            )
        chosen.append(kept if model != "NRM" else NO_PRIORS)
    return chosen


def _priors_text(given: Priors | Mapping[str, Priors] | None, chosen: Sequence[Priors]) -> str:
    texts = list(dict.fromkeys(str(priors) for priors in chosen))
    if len(texts) == 1:
        return texts[0]
    if isinstance(given, Mapping):
        return "; ".join(f"{name}: {priors}" for name, priors in list(given.items())[:8]) + (
            f"; and {len(given) - 8} more" if len(given) > 8 else ""
        )
    return "; ".join(texts[:8])


def _scale(scale: Scale, population: Population, anchored: Mapping[str, ItemParameters], *, regression: bool) -> Scale:
    """The anchors' scale as it is, or the scale on which the reference group has the mean and sd found."""
    if anchored:
        return replace(scale, anchors=tuple(anchored))
    if regression:
        return replace(scale, mean=0.0, sd=float(population.sd[0]))
    fixed = np.flatnonzero((population.design != 0).sum(axis=1) == 0)
    at = int(fixed[0]) if fixed.size else 0
    return replace(scale, mean=float(population.mean[at]), sd=float(population.sd[at]))


def _population_errors(result: Fit) -> Matrix | None:
    """Covariance of the population's vector."""
    if result.covariance is None or not result.converged:
        return None
    B = result.unknowns.item_size
    S = result.unknowns.population.size
    return result.covariance[B : B + S, B : B + S]


def _describe_population(result: Fit, names: Sequence[str], *, regression: bool) -> tuple[Group, ...]:
    if regression:
        return ()
    population, covariance = result.unknowns.population, _population_errors(result)
    groups = []
    P = len(population.coefficients)
    for g, name in enumerate(names):
        mean_se = sd_se = None
        if covariance is not None:
            variance = float(population.design[g] @ covariance[:P, :P] @ population.design[g])
            mean_se = float(np.sqrt(variance)) if population.design[g].any() else None
            if population.sd_of[g] >= 0:
                at = P + population.sd_of[g]
                sd_se = float(population.sd[g] * np.sqrt(covariance[at, at]))
        groups.append(
            Group(
                name,
                float(result.sums.moments.persons[g]),
                Estimate(float(population.mean[g]), mean_se),
                Estimate(float(population.sd[g]), sd_se),
            )
        )
    return tuple(groups)


def _describe_regression(result: Fit, names: list[str]) -> dict[str, Estimate]:
    population, covariance = result.unknowns.population, _population_errors(result)
    P = len(population.coefficients)
    if len(names) < P:
        names = [*names, "(intercept)"]
    errors = [None] * P if covariance is None else np.sqrt(np.diagonal(covariance)[:P]).tolist()
    out = {
        name: Estimate(float(value), error)
        for name, value, error in zip(names, population.coefficients, errors, strict=True)
    }
    return out | {"(residual sd)": Estimate(float(population.sd[0]))}


def _describe_raters(result: Fit, facet: Facet | None) -> dict[str, Estimate]:
    """Severities in logits, with standard errors; they sum to 0."""
    if facet is None or result.unknowns.tied is None:
        return {}
    R, names = len(facet.raters), result.unknowns.tied_names
    pick = np.zeros((R, len(names)))
    for r in range(R - 1):
        column = names.index(("rater", r))
        pick[r, column], pick[R - 1, column] = 1.0, -1.0
    values = pick @ result.unknowns.tied
    errors: list[float | None] = [None] * R
    if result.covariance is not None and result.converged:
        B = len(names)
        errors = np.sqrt(np.diagonal(pick @ result.covariance[:B, :B] @ pick.T)).tolist()
    return {
        rater: Estimate(float(value), error) for rater, value, error in zip(facet.raters, values, errors, strict=True)
    }


def _testlets(testlets: Mapping[str, str] | None, data: Recoded, facet: Facet | None) -> dict[str, str]:
    """The item sets of at least two calibrated items: one alone shares nothing."""
    if not testlets:
        return {}
    if facet is not None:
        raise CalibrationError("ratings and item sets together are not estimated: sum each set to one polytomous item")
    known = {*data.items, *data.excluded}
    unknown = next((item for item in testlets if item not in known), None)
    if unknown is not None:
        raise CalibrationError(f"item set {testlets[unknown]}: item {unknown} has no responses")
    sizes = Counter(testlets[item] for item in data.items if item in testlets)
    return {item: testlets[item] for item in data.items if item in testlets and sizes[testlets[item]] > 1}


def _describe_testlets(result: Fit) -> dict[str, Estimate]:
    """Standard deviation of what each item set shares, with its standard error."""
    testlets = result.unknowns.testlets
    if testlets is None:
        return {}
    T = len(testlets.names)
    errors: list[float | None] = [None] * T
    if result.covariance is not None and result.converged:
        errors = (testlets.sd * np.sqrt(np.diagonal(result.covariance)[-T:])).tolist()
    return {name: Estimate(float(sd), se) for name, sd, se in zip(testlets.names, testlets.sd, errors, strict=True)}


def _rated_items(
    facet: Facet, models: Sequence[str], result: Fit, counts: Matrix, D: float, data: Recoded
) -> tuple[ItemParameters, ...]:
    """Items as no rater in particular marks them (the mean severity is 0)."""
    unknowns = without_raters(result.unknowns)
    covariance = result.item_covariance
    if result.covariance is not None:
        covariance = own_covariance(unknowns, result.covariance)
    every = reported(
        data.items, models, unknowns, covariance, counts, D=D, marks=data.marks, with_errors=result.converged
    )
    n = np.bincount(facet.item, counts, len(facet.items))
    _, first = np.unique(facet.item, return_index=True)
    return tuple(replace(every[k], id=facet.items[facet.item[k]], n=float(n[facet.item[k]])) for k in first)


def _warnings(result: Fit, data: Recoded) -> list[Flag]:
    found = []
    if not result.converged:
        found.append(
            Flag(
                "",
                "not-converged",
                f"the search ended after {result.iterations} iterations without a maximum: parameters are where it "
                "stopped, and have no standard errors. Try priors, fewer parameters or more iterations",
            )
        )
    if not result.monotone:
        found.append(Flag("", "not-monotone", "the likelihood fell in a step that cannot lower it: report this run"))
    if result.integration_error > 1e-3:
        found.append(
            Flag("", "integration-error", f"a finer grid would move a parameter by {result.integration_error:.1e}")
        )
    without = len(data.responses.persons) - len(np.unique(data.responses.person))
    if without:
        found.append(Flag("", "persons-without-responses", f"{without} persons have no response that counts"))
    return found


def digest(responses: Responses) -> str:
    """SHA-256 of the data a calibration saw, so that it can be found again."""
    sha = hashlib.sha256("\0".join((*responses.persons, "", *responses.items)).encode())
    for column in (responses.person, responses.item, responses.score, responses.status, responses.weight):
        sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()
