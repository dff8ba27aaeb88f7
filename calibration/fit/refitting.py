"""Calibrations in which some items are free between two groups, by the estimator of this package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.reporting import joint_covariance
from calibration.fit.dif import GroupedFit
from calibration.fit.persons import FitError
from calibration.models import ItemParameters
from calibration.responses import NOT_REACHED, Responses

if TYPE_CHECKING:
    from calibration.result import Calibration

Matrix = NDArray[np.float64]


def grouped_fitter(
    responses: Responses, items: Sequence[ItemParameters], names: tuple[str, str]
) -> Callable[[frozenset[str]], GroupedFit]:
    """What `dif_likelihood_ratio` and `dif_wald_refitted` call: calibrations of the persons of two groups.

    Every item keeps the model it has in `items`; items freed get parameters for each group, the others common ones.
    """
    two = of_groups(responses, names)
    model = {item.id: item.model for item in items}
    kept = frozenset(model)
    known: dict[frozenset[str], GroupedFit] = {}

    def fit(freed: frozenset[str]) -> GroupedFit:
        if freed not in known:
            known[freed] = _fit(*split_by_group(only_items(two, kept), freed), model, names)
        return known[freed]

    return fit


def _fit(
    responses: Responses, meaning: dict[str, tuple[str, str]], model: dict[str, str], names: tuple[str, str]
) -> GroupedFit:
    from calibration.calibrating import calibrate  # noqa: PLC0415  (results offer fit: the import would be a circle)

    models = {item: model[meaning.get(item, (item, ""))[0]] for item in responses.items}
    one = set(models.values())
    result = calibrate(responses, model=one.pop() if len(one) == 1 else models)
    groups: dict[str, tuple[ItemParameters, ...]] = {}
    for name in names:
        own = [item for item in result.items if meaning.get(item.id, ("", name))[1] == name]
        groups[name] = tuple(replace(item, id=meaning.get(item.id, (item.id, ""))[0]) for item in own)
    population = {group.name: group for group in result.groups}
    return GroupedFit(
        result.log_likelihood,
        groups,
        {name: population[name].mean.value for name in names},
        {name: population[name].sd.value for name in names},
        _joint_covariances(result, meaning, names),
    )


def _joint_covariances(
    result: Calibration, meaning: dict[str, tuple[str, str]], names: tuple[str, str]
) -> dict[str, Matrix]:
    """Of every item freed, the covariance of its parameters in both groups; none without the whole information."""
    if result.fit is None or result.fit.covariance is None or not result.converged:
        return {}
    number = {meaning[item.id]: j for j, item in enumerate(result.items) if item.id in meaning}
    return {
        item: joint_covariance(
            result.fit.unknowns, result.fit.covariance, [number[item, name] for name in names], D=result.scale.D
        )
        for item in dict.fromkeys(item for item, _ in number)
        if all((item, name) in number for name in names)
    }


def of_groups(responses: Responses, names: tuple[str, str]) -> Responses:
    """The responses with the persons of other groups at weight 0, and these two groups alone."""
    if responses.group is None:
        raise FitError("the responses are of one group; name the column that tells groups apart")
    missing = [name for name in names if name not in responses.groups]
    if missing:
        raise FitError(f"no group {missing[0]!r}; the groups are {', '.join(responses.groups)}")
    number = np.array([names.index(name) if name in names else -1 for name in responses.groups])[responses.group]
    return replace(
        responses,
        weight=np.where(number >= 0, responses.weight, 0.0),
        group=np.maximum(number, 0).astype(np.int32),
        groups=names,
    )


def only_items(responses: Responses, kept: frozenset[str]) -> Responses:
    """The responses to the items of `kept`."""
    keep = np.array([name in kept for name in responses.items])
    number = np.cumsum(keep) - 1
    rows = keep[responses.item]
    columns: dict[str, Any] = {
        name: None if getattr(responses, name) is None else getattr(responses, name)[rows]
        for name in ("person", "score", "status", "option", "rater", "position", "seconds")
    }
    items = tuple(name for name, hit in zip(responses.items, keep, strict=True) if hit)
    return replace(responses, items=items, item=number[responses.item[rows]].astype(np.int32), **columns)


def split_by_group(responses: Responses, freed: frozenset[str]) -> tuple[Responses, dict[str, tuple[str, str]]]:
    """Responses in which each item of `freed` is an item of its own in every group, and what each new id stands for.

    Calibrating them frees those items between the groups: the way to the likelihood ratio with any estimator.
    """
    if responses.group is None:
        raise FitError("the responses are of one group; name the column that tells groups apart")
    names: list[str] = []
    meaning: dict[str, tuple[str, str]] = {}
    new = np.empty((len(responses.items), len(responses.groups)), np.int32)
    for j, item in enumerate(responses.items):
        if item not in freed:
            new[j] = len(names)
            names.append(item)
            continue
        for g, group in enumerate(responses.groups):
            new[j, g] = len(names)
            names.append(f"{item}@{group}")
            meaning[names[-1]] = (item, group)
    moved = new[responses.item, responses.group[responses.person]]
    return replace(responses, items=tuple(names), item=moved.astype(np.int32), key={}), meaning


def group_counts(responses: Responses, names: tuple[str, str]) -> dict[str, tuple[float, float]]:
    """Weighted persons of two groups behind each item."""
    if responses.group is None:
        return {}
    used = responses.status != NOT_REACHED
    group = responses.group[responses.person]
    weight = responses.weight[responses.person]
    counts = [
        np.bincount(
            responses.item[used & (group == responses.groups.index(name))],
            weight[used & (group == responses.groups.index(name))],
            len(responses.items),
        )
        for name in names
    ]
    return {item: (float(counts[0][j]), float(counts[1][j])) for j, item in enumerate(responses.items)}
