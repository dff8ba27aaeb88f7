"""From models by name to unknowns with start values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.families import Batch, Family
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Population
from calibration.estimation.unknowns import Testlets, Unknowns, tie
from calibration.models import DICHOTOMOUS, ItemParameters, ModelError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix = NDArray[np.float64]

FIXED_SLOPE = ("Rasch", "PCM", "RSM")
START_GUESSING = 0.15
START_SLIPPING = 0.95


@dataclass(frozen=True, slots=True)
class Facet:
    """Ratings: the real item and the rater of every item of the layout, (J,), and their names.

    A rater's severity is taken from the log odds of every step: log P_k / P_{k-1} = theta - b_k - severity (Linacre,
    1989); severities sum to 0.
    """

    item: NDArray[np.intp]
    rater: NDArray[np.intp]
    items: tuple[str, ...]
    raters: tuple[str, ...]


def specify(
    persons: Partitions,
    items: Sequence[str],
    models: Sequence[str],
    population: Population,
    *,
    anchors: Mapping[str, ItemParameters] | None = None,
    D: float = 1.0,
    facet: Facet | None = None,
    testlets: Mapping[str, str] | None = None,
) -> Unknowns:
    """The unknowns of `models` (J,) for `items` (J,), at start values taken from the category counts.

    Anchored items keep their parameters. Raises ModelError for a model that does not fit the number of categories.
    """
    anchors = anchors or {}
    testlets = testlets or {}
    sets = tuple(dict.fromkeys(testlets[name] for name in items if name in testlets))
    counts = persons.category_counts()
    alike: dict[tuple[str, Family, int, int, int], list[int]] = {}
    kept: dict[int, Matrix] = {}
    for j, (name, model) in enumerate(zip(items, models, strict=True)):
        K, testlet = int(persons.categories[j]), sets.index(testlets[name]) if name in testlets else -1
        if name in anchors:
            family, kept[j] = _anchored(anchors[name], K, D)
            alike.setdefault(("", family, anchors[name].categories, len(kept[j]), testlet), []).append(j)
        else:
            alike.setdefault((model, family_of(name, model, K), K, 0, testlet), []).append(j)
    batches = []
    for (model, family, K, _, testlet), members in alike.items():
        if model:
            own = _start(model, family, counts[persons.start[members][:, None] + np.arange(K)], population, D)
            free = np.ones(own.shape, bool)
            free[:, 0] = model not in FIXED_SLOPE
        else:
            own = np.stack([kept[j] for j in members])
            free = np.zeros(own.shape, bool)
        batches.append(Batch(family, K, np.array(members), own, free, testlet))
    unknowns = Unknowns(tuple(batches), population, testlets=Testlets.start(sets) if sets else None)
    tied = {"1PL", "RSM"} & {model for name, model in zip(items, models, strict=True) if name not in anchors}
    return _tied(unknowns, models, D, facet) if tied or facet is not None else unknowns


def family_of(item: str, model: str, K: int) -> Family:
    """The family of curves of a model with K categories. Raises ModelError for a dichotomous model of more than two."""
    if model in DICHOTOMOUS and K > 2:
        raise ModelError(
            f"item {item} has {K} score categories, but {model} is for items scored 0 or 1; "
            "give it PCM, GPCM, GRM or NRM, by its id or a pattern"
        )
    if model == "NRM":
        return "nominal"
    if K == 2:
        return "logistic"
    return "graded" if model == "GRM" else "partial credit"


def own_parameters(item: ItemParameters, D: float) -> tuple[Family, Matrix]:
    """An item's slopes and intercepts, as its family has them."""
    if item.model == "NRM":
        slopes, intercepts = np.array(item.slopes), np.array(item.intercepts)
        return "nominal", np.concatenate([D * (slopes - slopes[0])[1:], (intercepts - intercepts[0])[1:]])
    slope, b = D * item.a, np.array(item.b)
    family = family_of(item.id, item.model, item.categories)
    if family == "partial credit":
        return family, np.concatenate([[slope], -slope * np.cumsum(b)])
    own = np.concatenate([[slope], -slope * b])
    if family == "logistic" and (item.c > 0 or item.d < 1):
        with np.errstate(divide="ignore"):
            own = np.append(own, np.log(item.c) - np.log1p(-item.c))
            if item.d < 1:
                own = np.append(own, np.log(item.d) - np.log1p(-item.d))
    return family, own


def _anchored(anchor: ItemParameters, K: int, D: float) -> tuple[Family, Matrix]:
    """An anchor's own parameters. Raises ModelError where it has fewer categories than the responses."""
    if anchor.categories < K:
        raise ModelError(
            f"anchor {anchor.id}: {anchor.categories} categories, but the responses have {K}; "
            "score them alike or leave the anchor out"
        )
    return own_parameters(anchor, D)


def _start(model: str, family: Family, counts: Matrix, population: Population, D: float) -> Matrix:
    """Start values (m, p) from the category counts (m, K) of items of one model."""
    m, K = counts.shape
    share = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    usual = 1.6 / (K - 1) if family == "partial credit" else 1.0  # partial credit adds up a slope for every step
    slope = D if model in FIXED_SLOPE else usual
    mean = float(population.mean.mean())
    slopes = np.full((m, 1), slope)
    if family in {"nominal", "partial credit"}:
        k = np.arange(1, K)
        intercepts = np.log(share[:, 1:] / share[:, :1]) - slope * mean * k
        return np.concatenate([slopes if family == "partial credit" else slopes * k, intercepts], axis=1)
    above = np.cumsum(share[:, ::-1], axis=1)[:, ::-1][:, 1:]  # P(X ≥ k)
    guessing = START_GUESSING if model in {"3PL", "4PL"} else 0.0
    slipping = START_SLIPPING if model == "4PL" else 1.0
    above = np.clip((above - guessing) / (slipping - guessing), 0.02, 0.98)
    # what marginalising over theta takes from a logit (Camilli, 1994: logistic(z) is nearly Φ(z / 1.7))
    spread = float(np.sqrt(1 + (slope * population.sd.mean() / 1.7) ** 2))
    asymptotes = {"3PL": [guessing], "4PL": [guessing, slipping]}.get(model, [])
    logits = np.tile([np.log(c / (1 - c)) for c in asymptotes], (m, 1))
    return np.concatenate([slopes, spread * np.log(above / (1 - above)) - slope * mean, logits], axis=1)


def _tied(unknowns: Unknowns, models: Sequence[str], D: float, facet: Facet | None) -> Unknowns:
    """One slope for all 1PL items, shared steps for the rating scales of K categories, severities of raters."""
    columns = _Columns()
    origin = np.concatenate([batch.parameters.reshape(-1) for batch in unknowns.batches])
    row = 0
    for batch in unknowns.batches:
        for at, j in enumerate(batch.items):
            own, free = batch.parameters[at], batch.free[at]
            name = (facet.item[j] if facet is not None else j,)
            for k in range(batch.size):
                if free[k]:
                    origin[row + k] = 0.0
                    _add_own(columns, row + k, k, models[j], batch.categories, name, own, D)
                if facet is not None and k > 0:
                    _add_severity(columns, row + k, k, int(facet.rater[j]), len(facet.raters), D)
            row += batch.size
    return tie(unknowns, columns.matrix(row), np.array(columns.start), origin, tuple(columns.number))


def _add_own(
    columns: _Columns, row: int, k: int, model: str, K: int, name: tuple[int, ...], own: Matrix, D: float
) -> None:
    if model == "1PL" and k == 0:
        columns.add(row, ("slope",), 1.0, own[0])
    elif model == "RSM" and k > 0:
        _add_rating_scale(columns, row, k, K, name, own, D)
    else:
        columns.add(row, (*name, k), 1.0, own[k])


def _add_rating_scale(
    columns: _Columns, row: int, k: int, K: int, name: tuple[int, ...], own: Matrix, D: float
) -> None:
    """intercept_k = -D (k · location + Σ_{h ≤ k} step_h), Σ step = 0 (Andrich, 1978)."""
    location = -own[K - 1] / (D * (K - 1))
    columns.add(row, (*name, "location"), -D * k, location)
    if k < K - 1:
        for h in range(1, k + 1):
            columns.add(row, ("step", K, h), -D, 0.0)


def _add_severity(columns: _Columns, row: int, k: int, rater: int, raters: int, D: float) -> None:
    """intercept_k gets -D · k · severity; the last rater's is minus the sum of the others'."""
    if rater < raters - 1:
        columns.add(row, ("rater", rater), -D * k, 0.0)
        return
    for other in range(raters - 1):
        columns.add(row, ("rater", other), D * k, 0.0)


class _Columns:
    """The columns of a matrix of ties, named as they come."""

    def __init__(self) -> None:
        self.number: dict[tuple[object, ...], int] = {}
        self.start: list[float] = []
        self.entries: list[tuple[int, int, float]] = []

    def add(self, row: int, name: tuple[object, ...], coefficient: float, start: float) -> None:
        if name not in self.number:
            self.number[name] = len(self.start)
            self.start.append(float(start))
        self.entries.append((row, self.number[name], coefficient))

    def matrix(self, rows: int) -> csr_array:
        from scipy import sparse  # noqa: PLC0415  (only tied parameters need it)

        row, column, value = (np.array(part) for part in zip(*self.entries, strict=True))
        return sparse.csr_array((value, (row, column)), shape=(rows, len(self.start)))


def without_raters(unknowns: Unknowns) -> Unknowns:
    """The same unknowns with every rater of severity 0: items as no rater in particular marks them."""
    if unknowns.ties is None or unknowns.tied is None:
        return unknowns
    keep = np.array([name[0] != "rater" for name in unknowns.tied_names], float)
    return replace(unknowns, ties=unknowns.ties * keep).at(unknowns.vector())
