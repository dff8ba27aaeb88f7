"""The marks a rater of average severity would have given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import block_responses, edges_of
from calibration.estimation.likelihood import log_likelihood
from calibration.models.curves import Curves
from calibration.models.parameters import ItemParameters, Scale
from calibration.raters.agreement import rated
from calibration.recoding import in_categories_of
from calibration.responses import Responses, ResponsesError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FairMarks:
    """One person: marks received (mean over an item's raters), fair marks, theta behind them with standard error."""

    person: str
    observed: float
    fair: float
    theta: float
    se: float


def fair_marks(
    responses: Responses,
    items: Sequence[ItemParameters],
    severities: Mapping[str, float],
    scale: Scale | None = None,
) -> tuple[FairMarks, ...]:
    """The marks expected of each person under a rater of severity 0 (Linacre, 1989: the fair average).

    Theta solves the likelihood of all ratings, each rater's severity added to the thresholds, with Jeffreys' weight
    √information so that full and empty marks stay finite (Warm, 1989). Marks are summed over the person's items. Raises
    ResponsesError for an item without parameters or a rater without a severity.
    """
    rows, raters = rated(responses)
    known = {item.id: item for item in items}
    missing = [name for name in responses.items if name not in known]
    if missing:
        raise ResponsesError(f"item {missing[0]} has no parameters")
    strangers = [name for name in responses.raters if name not in severities]
    if strangers:
        raise ResponsesError(f"rater {strangers[0]} has no severity")
    responses = in_categories_of(items, responses)
    R = len(responses.raters)
    facet = responses.item[rows].astype(np.int64) * R + raters[rows]
    present, at = np.unique(facet, return_inverse=True)
    virtual = [_shifted(known[responses.items[f // R]], responses, int(f), severities) for f in present]
    scale = scale or Scale()
    nodes = scale.mean + scale.sd * np.linspace(-8, 8, 641)
    curves = Curves.of(virtual, scale)
    order = np.lexsort((at, responses.person[rows]))
    ratings = replace(
        responses,
        items=tuple(item.id for item in virtual),
        person=responses.person[rows][order],
        item=at[order].astype(np.int32),
        score=responses.score[rows][order],
        status=responses.status[rows][order],
        option=None,
        rater=None,
        position=None,
        seconds=None,
        key={},
        shift={},
    )
    layout = block_responses(ratings, categories=curves.categories, keep_weightless=True)
    table, information = curves.log_probability(nodes), curves.information(nodes)
    plain = Curves.of([known[name] for name in responses.items], scale).expected_marks(nodes)
    marks = [known[name].category_marks for name in responses.items]
    results: dict[int, FairMarks] = {}
    edges = edges_of(responses.person[rows], len(responses.persons))
    for block in layout:
        loglik = log_likelihood(block, table, layout)
        for row, person in enumerate(block.persons):
            mine = rows[edges[person] : edges[person + 1]]
            facets = at[edges[person] : edges[person + 1]]
            total = information[facets].sum(axis=0)
            best = loglik[row] + 0.5 * np.log(total)
            theta = _peak(best, nodes)
            own = np.unique(responses.item[mine])
            given = sum(
                float(np.mean([marks[j][s] for s in responses.score[mine[responses.item[mine] == j]]])) for j in own
            )
            fair = float(sum(np.interp(theta, nodes, plain[j]) for j in own))
            se = float(1 / np.sqrt(np.interp(theta, nodes, total)))
            results[int(person)] = FairMarks(responses.persons[person], given, fair, theta, se)
    return tuple(results[i] for i in sorted(results))


def _shifted(item: ItemParameters, responses: Responses, facet: int, severities: Mapping[str, float]) -> ItemParameters:
    if item.model == "NRM":
        raise ResponsesError(f"item {item.id}: a nominal item has no thresholds for a rater to be severe on")
    rater = responses.raters[facet % len(responses.raters)]
    by = severities[rater]
    return replace(item, id=f"{item.id}\t{rater}", b=tuple(b + by for b in item.b), location=None, steps=())


def _peak(values: FloatArray, nodes: FloatArray) -> float:
    at = int(np.clip(values.argmax(), 1, len(nodes) - 2))
    low, middle, high = values[at - 1 : at + 2]
    curvature = low - 2 * middle + high
    shift = float(np.clip((low - high) / (2 * curvature), -1, 1)) if curvature < 0 else 0.0
    return float(nodes[at] + shift * (nodes[1] - nodes[0]))
