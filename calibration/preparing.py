"""What a calibration starts from: items with models, persons in parts, groups."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import MISSING, ResponseBlocks, block_responses, dense_codes, only_items
from calibration.estimation.fitting import fit
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Population, Shape
from calibration.estimation.specification import FIXED_SLOPE, Facet, specify
from calibration.item_sets import (
    SET_METHODS,
    Collapsed,
    SetMethod,
    collapse_sets,
    members_of,
    models_with_sums,
    one_item_flag,
)
from calibration.models import ItemParameters, Scale, model_named
from calibration.patterns import PatternError, ordered_patterns, settings_of
from calibration.recoding import Coding, by_rater, coded, coding_of, scores_seen
from calibration.responses import Responses, ResponsesError
from calibration.responses.findings import find
from calibration.result import CalibrationError
from calibration.routing import first_items
from calibration.screening import Flag

Matrix = NDArray[np.float64]

ANCHOR_STEPS = 50  # EM steps for the population of anchored items, before the new items join
WEIGHTS_ARE_COUNTS = (
    "not all weights are whole numbers: estimates are those of the weighted population, but standard errors and tests "
    "of fit take a weight of w as w persons, which sampling weights are not"
)
FACET_MODELS = ("Rasch", "PCM", "RSM")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that is settled before the search.

    With a facet the items are those of each rater; `counts` (J,) are weighted persons, `marks` and `excluded` as in
    `Coding`, `scores` those of items whose categories do not have the scores 0, 1, 2, …. With covariates `regressed`
    (N,) is the group of the population that each person's covariates make.
    """

    items: tuple[str, ...]
    models: tuple[str, ...]
    persons: Partitions
    counts: Matrix
    population: Population
    groups: tuple[str, ...]
    scale: Scale
    data_digest: str
    anchors: Mapping[str, ItemParameters] = field(default_factory=dict)
    covariates: tuple[str, ...] | None = None
    regressed: NDArray[np.int32] | None = None
    facet: Facet | None = None
    testlets: Mapping[str, str] = field(default_factory=dict)
    sums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # set → the items it is the sum of
    ignored_sets: Mapping[str, str] = field(default_factory=dict)  # item → a set that is no part of the model
    marks: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    scores: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    responses: Responses | None = None
    first_items: NDArray[np.intp] | None = None  # (N,), which item a person began with, -1 where nobody knows


def prepare(
    responses: Responses,
    *,
    model: str | Mapping[str, str] = "2PL",
    anchors: Mapping[str, ItemParameters] | None = None,
    scale: Scale | None = None,
    reference: str | None = None,
    covariates: Mapping[str, Matrix] | None = None,
    testlets: Mapping[str, str] | None = None,
    sets: SetMethod = "testlet",
    latent: Literal["normal", "empirical"] = "normal",
    threads: int = 1,
) -> Prepared:
    """What `calibrate` starts from. Raises as it does."""
    scale, anchors = scale or Scale(), anchors or {}
    item_sets, data_digest = _checked(testlets, sets, responses), digest(responses)
    sums: Mapping[str, tuple[str, ...]] = {}
    of_sets: Sequence[Flag] = ()
    if sets == "collapse":
        collapsed, model = _collapsed(responses, model, item_sets, anchors)
        responses, sums, of_sets = collapsed.responses, collapsed.sums, collapsed.flags
    data = _coded(responses, model, anchors)
    if covariates is None:
        data, responses, empty = _without_empty_groups(data, responses, reference)
    else:
        empty = []
    facet, data = _facets(data)
    if facet is not None and anchors:
        raise CalibrationError("ratings and anchors together are not estimated: calibrate the ratings, then link")
    anchored = {name: anchors[name] for name in data.items if name in anchors}
    if anchors and not anchored:
        raise CalibrationError(
            f"none of the {len(anchors)} anchors has responses that vary (the first is {next(iter(anchors))}): "
            "give anchors that were administered"
        )
    grouped, population, names = _population(data.responses, data.models, anchored, reference, covariates)
    layout = block_responses(grouped, data.items, categories=data.categories)
    modelled: Mapping[str, str] = {}
    if sets == "testlet" and item_sets:
        if facet is not None:
            raise CalibrationError(
                "ratings and item sets together are not estimated: calibrate the ratings without sets"
            )
        modelled, of_sets = divided(item_sets, data.items, layout)
    if anchored:
        population = _anchored_population(layout, data.items, data.models, population, anchored, scale.D)
    if latent == "empirical":
        population = _shapeless(population, data, anchored, modelled)
    without = len(responses.persons) - np.count_nonzero(np.bincount(data.responses.person))
    flags = [*data.coding.flags, *_odd(responses, anchored), *empty, *of_sets]
    if without:
        flags.append(Flag("", "persons-without-responses", f"{without} persons have no response that counts"))
    return Prepared(
        items=data.items,
        models=tuple(data.models),
        persons=Partitions.of(layout, threads),
        counts=data.responses.item_counts(),
        population=population,
        groups=names if covariates is None else (),
        scale=scale,
        data_digest=data_digest,
        anchors=anchored,
        covariates=tuple(covariates) if covariates is not None else None,
        regressed=grouped.group if covariates is not None else None,
        facet=facet,
        testlets=modelled,
        sums=sums,
        ignored_sets=item_sets if sets == "ignore" else {},
        marks=data.marks,
        scores=data.coding.unusual,
        excluded=data.coding.excluded,
        flags=tuple(flags),
        responses=responses,
        first_items=first_items(data.responses),
    )


def _odd(responses: Responses, anchors: Collection[str]) -> list[Flag]:
    """What is odd about the data and has no other place in the result."""
    told = {"no-variance", "unused-category", "no-responses"}
    odd = [Flag(found.about, found.code, found.message) for found in find(responses, anchors) if found.code not in told]
    if (responses.weight != np.round(responses.weight)).any():
        odd.append(Flag("", "weights", WEIGHTS_ARE_COUNTS))
    return odd


@dataclass(frozen=True, slots=True)
class _Coded:
    """Coded responses, and the model, number of categories (J,) and marks of every item."""

    responses: Responses
    coding: Coding
    items: tuple[str, ...]
    models: list[str]
    categories: NDArray[np.intp]
    marks: Mapping[str, tuple[float, ...]]


def _coded(responses: Responses, model: str | Mapping[str, str], anchors: Mapping[str, ItemParameters]) -> _Coded:
    marks = {name: (nan,) * responses.shift.get(name, 0) + worth for name, worth in responses.marks.items()}
    coding = coding_of([scores_seen(responses)], marks, anchors=anchors)
    if not coding.items:
        raise ResponsesError("no item has both right and wrong answers: nothing can be calibrated")
    models = models_of(coding.items, model)
    return _Coded(coded(responses, coding), coding, coding.items, models, coding.categories, coding.marks)


def _without_empty_groups(
    data: _Coded, responses: Responses, reference: str | None
) -> tuple[_Coded, Responses, list[Flag]]:
    """Both without the groups of whom nobody counts, and a flag for each of these.

    Raises CalibrationError where the reference is one.
    """
    if responses.group is None or not len(responses.groups):
        return data, responses, []
    counted = np.zeros(len(responses.persons), bool)
    counted[data.responses.person] = True
    counted &= responses.weight > 0
    persons = np.bincount(responses.group[counted], minlength=len(responses.groups))
    kept = np.flatnonzero(persons)
    if len(kept) == len(persons):
        return data, responses, []
    if reference is not None and reference in responses.groups and not persons[responses.groups.index(reference)]:
        raise CalibrationError(
            f"reference group {reference!r} has no person with a response that counts: choose one of "
            f"{', '.join(responses.groups[g] for g in kept)}"
        )
    number = np.searchsorted(kept, np.arange(len(persons))).clip(max=len(kept) - 1)
    groups = tuple(responses.groups[g] for g in kept)
    flags = [
        Flag(
            "",
            "group-without-persons",
            f"group {responses.groups[g]} has no person with a response that counts: it has no mean and is left out; "
            "check the column of groups and the weights",
        )
        for g in np.flatnonzero(persons == 0)
    ]
    group = number[responses.group].astype(np.int32)
    data = replace(data, responses=replace(data.responses, group=group, groups=groups))
    return data, replace(responses, group=group, groups=groups), flags


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


def _facets(data: _Coded) -> tuple[Facet | None, _Coded]:
    """With raters, every item as rated by each rater becomes an item of its own."""
    responses = data.responses
    if responses.rater is None or len(responses.raters) < 2:
        return None, data
    other = next((at for at, model in enumerate(data.models) if model not in FACET_MODELS), None)
    if other is not None:
        raise CalibrationError(
            f"item {data.items[other]}: ratings are calibrated as many-facet models, which are "
            f"{', '.join(FACET_MODELS)}, not {data.models[other]}"
        )
    nameless = np.flatnonzero(responses.rater < 0)
    if nameless.size:
        raise CalibrationError(
            f"person {responses.persons[responses.person[nameless[0]]]}, item "
            f"{responses.items[responses.item[nameless[0]]]}: no rater, where others have one; name one for every "
            "row, or calibrate the items without raters by themselves"
        )
    rated, item, rater = by_rater(responses)
    names = rated.items
    marks = {names[k]: data.marks[data.items[j]] for k, j in enumerate(item) if data.items[j] in data.marks}
    facet = Facet(item, rater, data.items, responses.raters)
    models = [data.models[j] for j in item]
    return facet, _Coded(rated, data.coding, names, models, data.categories[item], marks)


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


def _shapeless(
    population: Population, data: _Coded, anchored: Mapping[str, ItemParameters], testlets: Mapping[str, str] | None
) -> Population:
    """The population with its shape to be found. Raises CalibrationError where that is not estimated."""
    held = sorted({*FIXED_SLOPE, "1PL"} & set(data.models))
    if anchored or testlets or held or len(population.origin) > 1 or population.size:
        raise CalibrationError(
            "an empirical distribution of ability is found for one group, without anchors, item sets, raters or "
            f"covariates, and not with {', '.join(sorted({*FIXED_SLOPE, '1PL'}))}"
        )
    return replace(population, shape=Shape.normal())


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
    parts = Partitions.of(only_items(layout, position))
    unknowns = specify(
        parts, [items[j] for j in position], [models[j] for j in position], population, anchors=anchored, D=D
    )
    return fit(parts, unknowns, max_iterations=ANCHOR_STEPS).unknowns.population


def _checked(testlets: Mapping[str, str] | None, sets: str, responses: Responses) -> dict[str, str]:
    """The item sets. Raises CalibrationError for a way that is none and an item that is not in the data."""
    if sets not in SET_METHODS:
        raise CalibrationError(f"sets = {sets!r} is not known; choose one of {', '.join(SET_METHODS)}")
    item_sets = dict(testlets or {})
    known = set(responses.items)
    for item, name in item_sets.items():
        if not isinstance(name, str):
            raise CalibrationError(f"item sets: expected item → name of its set, got {item!r} → {name!r}")
        if item not in known:
            raise CalibrationError(f"item set {name}: item {item} has no responses")
    return item_sets


def _collapsed(
    responses: Responses,
    model: str | Mapping[str, str],
    item_sets: Mapping[str, str],
    anchors: Mapping[str, ItemParameters],
) -> tuple[Collapsed, str | Mapping[str, str]]:
    """Responses with the sets summed, and the models of what is left."""
    anchor = next((item for item in item_sets if item in anchors), None)
    if anchor is not None:
        raise CalibrationError(
            f"anchor {anchor} is in item set {item_sets[anchor]}, which is summed: anchor the sum, or model the sets "
            "as testlets"
        )
    collapsed = collapse_sets(responses, item_sets)
    return collapsed, models_with_sums(model, responses.items, collapsed.sums)


def divided(
    item_sets: Mapping[str, str], items: Sequence[str], layout: ResponseBlocks
) -> tuple[dict[str, str], list[Flag]]:
    """The item sets of at least two calibrated items that somebody had together: else nothing is seen to be shared."""
    kept: dict[str, str] = {}
    flags: list[Flag] = []
    number = {name: j for j, name in enumerate(items)}
    for name, members in members_of(item_sets).items():
        varied = [item for item in members if item in number]
        if len(varied) == 1:
            flags.append(one_item_flag(name, varied[0]))
        elif not varied:
            flags.append(Flag("", "set-without-items", f"item set {name}: none of its items has responses that vary"))
        elif not _together(layout, np.array([number[item] for item in varied])):
            flags.append(
                Flag(
                    "",
                    "set-apart",
                    f"item set {name}: nobody had two of its items, so that what they share is not seen: no set",
                )
            )
        else:
            kept |= dict.fromkeys(varied, name)
    return {item: kept[item] for item in items if item in kept}, flags


def _together(layout: ResponseBlocks, items: NDArray[np.intp]) -> bool:
    """Whether anybody had two of the items."""
    for block in layout:
        codes = dense_codes(block, len(layout.categories))[:, items]
        if ((codes != MISSING).sum(axis=1) > 1).any():
            return True
    return False


def digest(responses: Responses) -> str:
    """SHA-256 of the data a calibration saw, so that it can be found again."""
    sha = hashlib.sha256("\0".join((*responses.persons, "", *responses.items)).encode())
    for column in (responses.person, responses.item, responses.score, responses.status, responses.weight):
        sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()
