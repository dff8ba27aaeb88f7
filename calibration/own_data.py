"""The responses of a calibration as its parameters speak of them, for everything that follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.models import ItemParameters
from calibration.recoding import by_rater, coded, coding_of, in_categories_of, scores_seen
from calibration.responses import Responses, ResponsesError

if TYPE_CHECKING:
    from calibration.result import Calibration

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OwnData:
    """Responses with categories for scores and without the items left out.

    With raters every item as rated by each of them is an item of its own; `of_item` and `of_rater` (J,) say whose.
    Items of sets are as `averaged_over_set` has them: every item by itself is right, that the items of a set go
    together is not seen. `population` is the mean and standard deviation of ability of each group of the responses,
    (G,) each.
    """

    responses: Responses
    items: tuple[ItemParameters, ...]
    population: tuple[Matrix, Matrix]
    of_item: tuple[str, ...]
    of_rater: tuple[str, ...] = ()


def own_data(calibration: Calibration) -> OwnData:
    """What `fit` and `scoring` take; scores are categories already, so that the items know no others.

    Categories are those of the parameters, whatever scores happen to be among the responses: an anchor keeps the lowest
    score that nobody has this time. Raises CalibrationError where the calibration has no responses with it,
    ResponsesError for a score that the parameters of its item do not know.
    """
    from calibration.result import CalibrationError  # noqa: PLC0415  (results use this module)

    responses = calibration.responses
    if responses is None:
        raise CalibrationError(
            "this calibration has no responses with it (it was read from a file, streamed or distributed): read "
            "responses and call the functions of calibration.scoring and calibration.fit with them"
        )
    known = {item.id: item for item in calibration.items}
    data = coded(responses, coding_of([scores_seen(responses)], anchors=known))
    population = own_population(calibration)
    if data.rater is None or len(data.raters) < 2:
        data = replace(data, rater=None, raters=())
        items = tuple(replace(item, scores=()) for item in items_alone(calibration))
        return OwnData(data, items, population, tuple(item.id for item in items))
    severity = {name: estimate.value for name, estimate in calibration.raters.items()}
    return rated_items(data, [replace(item, scores=()) for item in calibration.items], severity, population)


def items_alone(calibration: Calibration) -> tuple[ItemParameters, ...]:
    """The items, those of sets as they behave on their own (see `averaged_over_set`)."""
    sets, spread, D = calibration.item_sets, calibration.testlets, calibration.scale.D
    return tuple(
        averaged_over_set(item, spread[sets[item.id]].value, D) if item.id in sets else item
        for item in calibration.items
    )


def rated_items(
    responses: Responses,
    items: Sequence[ItemParameters],
    severity: dict[str, float],
    population: tuple[Matrix, Matrix],
) -> OwnData:
    """Ratings as responses to items of the raters: the thresholds of each moved by the rater's severity."""
    known = {item.id: item for item in items}
    rated, item_of, rater_of = by_rater(responses)
    of_item = tuple(responses.items[j] for j in item_of)
    of_rater = tuple(responses.raters[r] for r in rater_of)
    moved = tuple(
        replace(known[name], id=own, b=tuple(b + severity[who] for b in known[name].b), location=None, steps=())
        for own, name, who in zip(rated.items, of_item, of_rater, strict=True)
    )
    return OwnData(rated, moved, population, of_item, of_rater)


def as_rated(
    responses: Responses, items: Sequence[ItemParameters], severity: Mapping[str, float]
) -> tuple[Responses, tuple[ItemParameters, ...]]:
    """Ratings of any persons as responses to the items of their raters, for scoring (see `ratings_of`)."""
    rated = ratings_of(responses, items, severity)
    return rated.responses, rated.items


def ratings_of(responses: Responses, items: Sequence[ItemParameters], severity: Mapping[str, float]) -> OwnData:
    """Ratings of any persons as `own_data` has those of a calibration, without items that were not calibrated.

    The population is N(0, 1), for nothing is known of it here. Raises ResponsesError for a rater without a severity,
    and for a score that the parameters of its item do not know.
    """
    stranger = next((name for name in responses.raters if name not in severity), None)
    if stranger is not None:
        raise ResponsesError(f"rater {stranger} has no severity; calibrated are {', '.join(severity)}")
    known = {item.id for item in items}
    data = in_categories_of(items, responses)
    rater = data.rater if data.rater is not None else np.full(len(data.item), -1, np.int32)
    rows = np.flatnonzero(np.array([name in known for name in data.items])[data.item])
    if (rater[rows] < 0).any():
        row = rows[np.flatnonzero(rater[rows] < 0)[0]]
        raise ResponsesError(
            f"person {data.persons[data.person[row]]}, item {data.items[data.item[row]]}: no rater, "
            "where others have one"
        )
    kept = replace(
        data,
        person=data.person[rows],
        item=data.item[rows],
        score=data.score[rows],
        status=data.status[rows],
        rater=rater[rows],
        option=None,
        position=None,
        seconds=None,
    )
    nobody = (np.zeros(1), np.ones(1))
    return rated_items(kept, [replace(item, scores=()) for item in items], dict(severity), nobody)


def averaged_over_set(item: ItemParameters, sd: float, D: float = 1.0) -> ItemParameters:
    """The item of a set as it behaves on its own, what the set shares (gamma ~ N(0, sd²)) averaged out.

    a* = a / √(1 + (k·D·a·sd)²) with k = 16√3 / 15π (Zeger, Liang & Albert, 1988), close for logistic and graded items
    and rougher for partial credit; nominal items stay as they are. b, c and d stay.
    """
    if item.model == "NRM":
        return item
    k = 16 * np.sqrt(3) / (15 * np.pi)
    model = {"Rasch": "2PL", "1PL": "2PL", "PCM": "GPCM", "RSM": "GPCM"}.get(item.model, item.model)
    return replace(
        item, model=model, a=float(item.a / np.sqrt(1 + (k * D * item.a * sd) ** 2)), location=None, steps=()
    )


def each_as_regressed(data: OwnData, expected: Matrix, sd: float) -> OwnData:
    """The data with a population N(expected, sd²) for persons (N,) of each expected ability, in place of groups."""
    mean, group = np.unique(expected, return_inverse=True)
    grouped = replace(data.responses, group=group.reshape(-1).astype(np.int32), groups=tuple(map(str, mean)))
    return replace(data, responses=grouped, population=(mean, np.full(len(mean), sd)))


def population_note(calibration: Calibration) -> str:
    """What tests of fit leave out of the distribution of ability, in words; empty where it is normal by group."""
    if calibration.regression:
        return (
            "ability is a mixture, N(what the covariates predict, residual variance), and is taken as one normal "
            "distribution of the same mean and spread here; errors of the regression's coefficients are not counted"
        )
    if calibration.fit is not None and calibration.fit.unknowns.population.shape is not None:
        return "the distribution of ability was found with the items, and is taken as normal here"
    return ""


def own_population(calibration: Calibration) -> tuple[Matrix, Matrix]:
    """Mean and standard deviation of ability of each group, (G,).

    After a latent regression there is one group, with the mean and spread of all persons together.
    """
    if calibration.groups:
        return (
            np.array([group.mean.value for group in calibration.groups]),
            np.array([group.sd.value for group in calibration.groups]),
        )
    if calibration.fit is None:
        return np.array([calibration.scale.mean]), np.array([calibration.scale.sd])
    found, persons = calibration.fit.unknowns.population, calibration.fit.sums.moments.persons
    share = persons / persons.sum()
    mean = float(share @ found.mean)
    variance = float(share @ (found.sd**2 + (found.mean - mean) ** 2))
    return np.array([mean]), np.array([np.sqrt(variance)])
