"""Abilities of persons with standard errors, by every usual method, for any mix of models and incomplete designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.estimation.blocks import MISSING, Block, block_responses
from calibration.item_sets import with_sums_of
from calibration.models import Curves, ItemParameters, Scale
from calibration.recoding import in_categories_of
from calibration.responses import Responses
from calibration.scoring.errors import ScaleError
from calibration.scoring.expected import Posteriors
from calibration.scoring.modes import Modes
from calibration.scoring.quadrature import Population
from calibration.scoring.sum_scores import SumScoreTables

Matrix = NDArray[np.float64]

METHODS = ("eap", "map", "ml", "wle", "eapsum", "pv")
BOUND_SD = 10.0  # bounds of ML, WLE and MAP in SD of the scale's population, unless others are asked for

FINE, AT_LOWER_BOUND, AT_UPPER_BOUND, NO_RESPONSES = range(4)
FLAGS = ("", "lower bound", "upper bound", "no responses")


@dataclass(frozen=True, slots=True)
class Scores:
    """Abilities and their standard errors, (N,) in the order of `persons`.

    `flag` (N,) is FINE, AT_LOWER_BOUND, AT_UPPER_BOUND (there is no finite estimate within `bounds`: theta is the
    bound, its standard error NaN) or NO_RESPONSES (`FLAGS` in words). `answered` (N,) counts the responses used.
    `above` (N, cuts) is P(theta ≥ cut | responses), `draws` (N, M) are plausible values.
    """

    persons: tuple[str, ...]
    theta: Matrix
    se: Matrix
    method: str = "eap"
    flag: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    answered: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))
    above: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    draws: Matrix = field(default_factory=lambda: np.zeros((0, 0)))
    bounds: tuple[float, float] = (-np.inf, np.inf)


def eap_scores(responses: Responses, items: Sequence[ItemParameters], scale: Scale | None = None) -> Scores:
    """Expected a posteriori abilities under theta ~ N(scale.mean, scale.sd²): `score_responses` with method "eap"."""
    return score_responses(responses, items, scale)


def score_responses(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    method: str = "eap",
    mean: ArrayLike | None = None,
    sd: ArrayLike | None = None,
    bounds: tuple[float, float] | None = None,
    cuts: ArrayLike = (),
    plausible_values: int = 5,
    seed: int = 0,
) -> Scores:
    """Score persons on the items that have parameters; items without are passed over.

    `method`:

    - "eap": posterior mean and SD (Bock & Mislevy, 1982);
    - "map": posterior mode, (observed information + 1 / sd²)^-½;
    - "ml": maximum likelihood, (observed information)^-½;
    - "wle": Warm's (1989) weighted likelihood, (test information)^-½;
    - "eapsum": posterior mean and SD given the sum of marks alone (Thissen et al., 1995);
    - "pv": "eap" with `plausible_values` random draws from every person's posterior, the same for the same `seed`.

    The population theta ~ N(mean, sd²) is that of the scale, or `mean` and `sd`, numbers or (G,) for the groups of
    `responses.group`. `bounds` limit "ml", "wle" and "map" (default: the scale's mean ± 10 SD). `cuts` ask for
    P(theta ≥ cut | responses) under that population, whatever the method. Persons without responses get the population
    (eap, map, eapsum, pv) or NaN (ml, wle), and a flag. Raises ScaleError for a method that is none or a population
    that is none, ResponsesError for a score that an item's parameters do not know.
    """
    on = scale or Scale()
    if method not in METHODS:
        raise ScaleError(f"method {method!r} is not known; choose one of {', '.join(METHODS)}")
    responses = with_sums_of(items, responses)
    known = {item.id: item for item in items}
    names = [name for name in responses.items if name in known]
    curves = Curves.of([known[name] for name in names], on)
    responses = in_categories_of([known[name] for name in names], responses)
    N = len(responses.persons)
    group = responses.group if responses.group is not None else np.zeros(N, np.int32)
    population = _population(group, on, mean, sd)
    layout = block_responses(responses, names, categories=curves.categories, keep_weightless=True)
    cut = np.atleast_1d(np.asarray(cuts, float))
    ends = bounds or (on.mean - BOUND_SD * on.sd, on.mean + BOUND_SD * on.sd)
    uniform = np.random.default_rng(seed).random((N, plausible_values if method == "pv" else 0))

    theta, se = population.mean[group], population.sd[group]
    above, drawn = _of_prior(cut, uniform, theta, se)
    if method in {"ml", "wle"}:
        theta, se = np.full(N, np.nan), np.full(N, np.nan)
    flag, answered = np.full(N, NO_RESPONSES, np.int8), np.zeros(N, np.intp)

    posteriors = Posteriors(curves, layout, population, cut, finer=method == "pv")
    modes = Modes(method, curves, layout, population, posteriors.limits if method == "map" else ends)
    sums = SumScoreTables(curves, layout, posteriors)
    for block in layout:
        at = block.persons
        flag[at], answered[at] = FINE, _answered(block)
        if method == "pv":
            theta[at], se[at], above[at], drawn[at] = posteriors.drawn(block, uniform[at])
        elif method == "eap":
            theta[at], se[at], above[at] = posteriors.expected(block)
        elif method == "eapsum":
            theta[at], se[at] = sums.estimates(block)
        else:
            theta[at], se[at], side = modes.estimates(block)
            flag[at] = np.choose(side + 1, (AT_LOWER_BOUND, FINE, AT_UPPER_BOUND))
        if len(cut) and method not in {"eap", "pv"}:
            *_, above[at] = posteriors.expected(block)
    return Scores(responses.persons, theta, se, method, flag, answered, above, drawn, ends)


def _population(group: NDArray[np.int32], scale: Scale, mean: ArrayLike | None, sd: ArrayLike | None) -> Population:
    population = Population.of(scale.mean if mean is None else mean, scale.sd if sd is None else sd)
    groups = int(group.max(initial=0)) + 1
    if len(population.mean) == 1 < groups:
        population = Population(np.repeat(population.mean, groups), np.repeat(population.sd, groups))
    if len(population.mean) < groups:
        raise ScaleError(f"{len(population.mean)} population means and SDs for {groups} groups: give one for each")
    if not (np.isfinite(population.mean).all() and np.isfinite(population.sd).all() and population.sd.min() > 0):
        raise ScaleError("the population needs a finite mean and an SD above 0")
    return population


def _of_prior(cuts: Matrix, uniform: Matrix, mean: Matrix, sd: Matrix) -> tuple[Matrix, Matrix]:
    """What is said of a person of whom nothing is known: P(theta ≥ each cut) and draws, (N, ·)."""
    from scipy.special import ndtr, ndtri  # noqa: PLC0415  (`import calibration` stays quick)

    above = ndtr((mean[:, None] - cuts) / sd[:, None])
    return above, mean[:, None] + sd[:, None] * ndtri(uniform)


def _answered(block: Block) -> NDArray[np.intp]:
    if block.row_start is not None:
        return np.diff(block.row_start)
    return np.asarray((block.codes != MISSING).sum(axis=1), np.intp)
