"""A second opinion: the same items calibrated by girth, an independent program, beside ours.

girth (Sanchez, 2021) integrates over 41 points on ±4.5, stops when no slope moves by 0.001, and solves each difficulty
of 2PL and GRM from the item's marginal proportions. That is only right when everybody had every item, so incomplete and
routed data are refused. Its partial credit model has a slope for each item: what we call GPCM.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.models.parameters import ItemParameters
from calibration.recoding import in_categories_of
from calibration.responses import NOT_REACHED, Responses

FloatArray = NDArray[np.float64]

# model asked for → the model of ours that is the same as girth's of that name
COMPARED = {"2PL": "2PL", "GRM": "GRM", "PCM": "GPCM", "GPCM": "GPCM", "Rasch": "Rasch"}
SLOPES_HELD = {"2PL": (0.2, 5.0), "GRM": (0.2, 5.0), "GPCM": (0.25, 4.0)}
MOST_PERSONS = 200_000  # girth keeps persons × nodes in memory several times


class ComparisonError(ValueError):
    """Data or parameters that cannot be compared with girth's; the message says why."""


@dataclass(frozen=True, slots=True)
class ItemComparison:
    """One item: our and girth's slope and thresholds, girth's less ours, also in our standard errors."""

    item: str
    a: float
    b: tuple[float, ...]
    girth_a: float
    girth_b: tuple[float, ...]
    a_difference: float
    b_difference: tuple[float, ...]
    largest_in_se: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All items, the largest differences, and notes on what makes the two differ. Rasch difficulties average 0."""

    model: str
    persons: int
    items: tuple[ItemComparison, ...]
    largest_a: float
    largest_b: float
    notes: tuple[str, ...]


def compare(responses: Responses, ours: Sequence[ItemParameters], model: str) -> Comparison:
    """Calibrate `responses` with girth and set the result beside `ours` (items of one model: see COMPARED).

    Raises ComparisonError where girth is not installed, for another model, for incomplete data, and where `ours` do not
    cover the same items.
    """
    spoken = {name.lower(): name for name in COMPARED}
    if model.lower() not in spoken:
        raise ComparisonError(f"girth offers no second opinion on {model}; choose one of 2PL, GRM, PCM, Rasch")
    same = COMPARED[spoken[model.lower()]]
    by_id = {item.id: item for item in ours}
    names = [name for name in responses.items if name in by_id]
    if not names:
        raise ComparisonError("the parameters are of none of these items")
    scores = complete_scores(in_categories_of([by_id[name] for name in names], responses), names)
    for name, column in zip(names, scores.T, strict=True):
        if by_id[name].categories != int(column.max()) + 1 or len(np.unique(column)) != int(column.max()) + 1:
            raise ComparisonError(
                f"item {name}: its parameters have {by_id[name].categories} categories, the responses use "
                f"{len(np.unique(column))}; girth joins categories nobody used, so the two cannot be compared"
            )
    slopes, thresholds = _girth(scores, same)
    if same == "Rasch":
        return _rasch([by_id[name] for name in names], slopes, thresholds, len(scores))
    items = tuple(
        _beside(by_id[name], by_id[name].b, float(a), tuple(b[~np.isnan(b)].tolist()))
        for name, a, b in zip(names, slopes, thresholds, strict=True)
    )
    return _comparison(same, len(scores), items, _notes(same, items))


def complete_scores(responses: Responses, names: Sequence[str]) -> FloatArray:
    """Scores (N, J), persons repeated by their weight. Raises ComparisonError with the reason where girth cannot."""
    if responses.rater is not None:
        raise ComparisonError("girth knows no raters: choose one score a response")
    if np.any(responses.status == NOT_REACHED):
        raise ComparisonError("some items were not reached; girth is compared on complete data only")
    columns = [responses.items.index(name) for name in names]
    table = responses.dense()[:, columns]
    gaps = int(np.isnan(table).sum())
    if gaps:
        raise ComparisonError(
            f"{gaps} of {table.size} responses are missing by design: girth solves each difficulty from a marginal "
            "proportion, which is biased where persons were given different items (forms, booklets, routed tests). "
            "Compare one form at a time"
        )
    if np.any(responses.weight != np.round(responses.weight)):
        raise ComparisonError("girth takes whole persons: weights must be whole numbers")
    if responses.weight.sum() > MOST_PERSONS:
        raise ComparisonError(f"more than {MOST_PERSONS} persons; compare on a sample")
    return np.asarray(np.repeat(table, responses.weight.astype(int), axis=0))


def _girth(scores: FloatArray, model: str) -> tuple[FloatArray, FloatArray]:
    """Slopes (J,) and thresholds (J, K - 1), NaN where an item has fewer."""
    try:
        import girth  # type: ignore[import-untyped]  # noqa: PLC0415  (an extra: only who compares needs it)
    except ImportError:
        raise ComparisonError("girth is not installed: pip install 'tiku[compare]'") from None
    estimators: Mapping[str, Any] = {
        "2PL": girth.twopl_mml,
        "GRM": girth.grm_mml,
        "GPCM": girth.pcm_mml,
        "Rasch": girth.rasch_conditional,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = estimators[model](scores.T.astype(int), options={"max_iteration": 500})
    J = scores.shape[1]
    thresholds = np.asarray(result["Difficulty"], float).reshape(J, -1)
    return np.broadcast_to(np.asarray(result["Discrimination"], float), (J,)).copy(), thresholds


def _rasch(ours: Sequence[ItemParameters], slopes: FloatArray, thresholds: FloatArray, persons: int) -> Comparison:
    mine, theirs = np.array([item.difficulty for item in ours]), thresholds[:, 0]
    mine, theirs = mine - mine.mean(), theirs - theirs.mean()
    items = tuple(
        _beside(item, (float(b),), float(a), (float(c),))
        for item, a, b, c in zip(ours, slopes, mine, theirs, strict=True)
    )
    notes = _notes("Rasch", items)
    if np.abs(thresholds).max() > 4.99:
        notes = (*notes, "girth holds difficulties to ±5")
    return _comparison("Rasch", persons, items, notes)


def _beside(item: ItemParameters, b: tuple[float, ...], girth_a: float, girth_b: tuple[float, ...]) -> ItemComparison:
    differences = tuple(theirs - mine for mine, theirs in zip(b, girth_b, strict=True))
    labels = ("b",) if len(b) == 1 else tuple(f"b{k + 1}" for k in range(len(b)))
    moved = [(girth_a - item.a, item.se.get("a")), *zip(differences, (item.se.get(x) for x in labels), strict=True)]
    in_se = [abs(by) / se for by, se in moved if se]
    return ItemComparison(
        item=item.id,
        a=item.a,
        b=b,
        girth_a=girth_a,
        girth_b=girth_b,
        a_difference=girth_a - item.a,
        b_difference=differences,
        largest_in_se=max(in_se) if in_se else float("nan"),
    )


def _notes(model: str, items: Sequence[ItemComparison]) -> tuple[str, ...]:
    if model == "Rasch":
        return ("girth: conditional likelihood; both with difficulties that average 0",)
    notes = ["girth stops when no slope moves by 0.001; differences of a few hundredths are its own"]
    low, high = SLOPES_HELD[model]
    held = [c.item for c in items if c.girth_a < low + 0.005 or c.girth_a > high - 0.005 or c.a < low]
    if held:
        notes.append(f"girth holds slopes between {low:g} and {high:g}: no opinion on {', '.join(held)}")
    return tuple(notes)


def _comparison(model: str, persons: int, items: tuple[ItemComparison, ...], notes: tuple[str, ...]) -> Comparison:
    return Comparison(
        model=model,
        persons=persons,
        items=items,
        largest_a=max(abs(c.a_difference) for c in items),
        largest_b=max(abs(by) for c in items for by in c.b_difference),
        notes=notes,
    )
