"""Marginal maximum likelihood by the EM algorithm (Bock & Aitkin, 1981), accelerated, ended by Newton steps.

EM brings the unknowns near the maximum; Anderson mixing makes tens of passes of hundreds. Then the observed information
is known, and Newton steps with it settle the last digits: a fit is converged when the next one is below the tolerance,
which says how far the maximum is and not how slowly the search moves. Large data start from the maximum of a sample,
with whose information a few Newton steps do. Where the information is too large to have whole, EM goes on to the
tolerance by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.blocks import category_counts
from calibration.estimation.expectation import Sums, expect
from calibration.estimation.item_blocks import RELIABLE, ItemBlocks
from calibration.estimation.maximisation import NEGLIGIBLE_TESTLET_SD, at_bound, full_gradient
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import REACH, Grid
from calibration.estimation.search import MARGIN, Search, inverse_of, widest_spacing
from calibration.estimation.testlets import expect_testlets
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]
Errors = Literal["observed", "cross-product", "sandwich"]

NEAR = 2e-5  # largest change of an EM step at which Newton takes over: a pass costs a tenth of the information
FAR = 1e-2  # the same in a sample, whose maximum is farther than that from that of all
SAME_INFORMATION = 1e-3  # a move of all parameters that leaves standard errors as they are, to three digits
MANY = 200_000  # persons, from which a pass is dear, and a quarter of the tolerance far below any standard error
SMALL = 5_000  # persons up to whom the information costs nothing
FULL_INFORMATION = 500  # parameters
CHECKED_PERSONS = 5_000
HISTOGRAM_SPACING = 0.1  # standard deviations between the bars of an empirical distribution
LEAST_SAMPLE, MOST_SAMPLE, SAMPLE_SHARE = 4_000, 50_000, 1 / 20
LEAST_IN_SAMPLE = 10  # persons in every category, for a sample to say anything
OBSERVED = "observed information"
OBSERVED_BLOCKS = "observed information, per-item blocks"
CROSS_PRODUCT = "cross-product of the persons' scores"
SANDWICH = "sandwich of observed information and cross-product"
NO_MAXIMUM = "none: the search did not converge"
NOT_IDENTIFIED = "observed information, which is singular: too few responses, or a slope without end; try priors"


@dataclass(frozen=True, slots=True)
class Fit:
    """The unknowns at the maximum, with the evidence that it is one.

    `covariance` is (P, P) of the unknowns' vector, or None; `item_covariance` (m, p, p) for every batch, of the items'
    own parameters, NaN where the data do not identify them. `integration_error` is the largest Newton step that a grid
    of half the spacing and one more standard deviation would still make, with the items' blocks where there is no whole
    information, and NaN where nothing is identified or the distribution is empirical.
    """

    unknowns: Unknowns
    covariance: Matrix | None
    item_covariance: list[Matrix]
    log_likelihood: float
    log_prior: float
    converged: bool
    max_gradient: float
    last_step: float
    integration_error: float
    iterations: int
    nodes: Matrix
    sums: Sums
    se_kind: str
    monotone: bool
    trace: tuple[float, ...] = field(default=())


def fit(
    persons: Partitions,
    unknowns: Unknowns,
    beliefs: Beliefs | None = None,
    *,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[int, float, Unknowns], None] | None = None,
    errors: Errors = "observed",
) -> Fit:
    """Fit the unknowns to the responses.

    `tolerance` is the largest distance of a parameter from the maximum, in the last Newton step where the information
    is had whole (up to 500 parameters, more where they are tied), in an EM step else.
    """
    beliefs = beliefs or Beliefs()
    if errors != "observed":
        result, search = _fit(persons, unknowns, beliefs, tolerance, max_iterations, on_iteration)
        return _with_scores(result, search, errors)
    return _fit(persons, unknowns, beliefs, tolerance, max_iterations, on_iteration)[0]


def _fit(
    persons: Partitions,
    unknowns: Unknowns,
    beliefs: Beliefs,
    tolerance: float,
    max_iterations: int,
    on_iteration: Callable[[int, float, Unknowns], None] | None,
) -> tuple[Fit, Search]:
    if unknowns.population.shape is not None:
        search = Search(persons, unknowns, beliefs, on_iteration)
        return _shaped(search, tolerance, max_iterations), search
    whole = len(unknowns.vector()) <= FULL_INFORMATION or unknowns.ties is not None or unknowns.testlets is not None
    sample, spacing = _of_a_sample(persons, unknowns, beliefs)
    search = Search(persons, sample or unknowns, beliefs, on_iteration, spacing=spacing)
    if sample is not None and whole and not _near_nothing(sample):
        result = _by_newton_alone(search, tolerance, max_iterations)
        if result is not None:
            return result, search
    sums, calm = search.climb(NEAR if whole else tolerance, max_iterations)
    held = at_bound(search.unknowns, sums)
    if held is not search.unknowns:
        search.unknowns = held
        sums, calm = search.climb(NEAR if whole else tolerance, max_iterations)
    if not whole:
        return _end(search, sums, converged=calm, information=None), search
    sums, information, step = _ended_by_newton(search, sums, tolerance, max_iterations)
    if not step < tolerance and search.iterations < max_iterations:
        sums, calm = search.climb(min(tolerance, NEAR) / 10, max_iterations)
        sums, information, step = _ended_by_newton(search, sums, tolerance, max_iterations)
        if not np.isfinite(step):  # no maximum that Newton knows of: EM alone says
            return _end(search, sums, converged=calm, information=None, singular=True), search
    return _end(search, sums, converged=bool(step < tolerance), information=information, last_step=step), search


def _by_newton_alone(search: Search, tolerance: float, most: int) -> Fit | None:
    """A fit from where a sample ended, after some EM steps where that is not near enough; None if it does not end so.

    A rough information brings the unknowns so near that the whole one, which the standard errors need, does the rest.
    """
    sums = search.settled()
    for climbs_left in (1, 0):
        sums, step = search.newton(sums, search.information(sums, rough=True), SAME_INFORMATION / 2, most)
        if step < SAME_INFORMATION:
            sums, information, step = _ended_by_newton(search, sums, tolerance, most)
            if step < tolerance:
                return _end(search, sums, converged=True, information=information, last_step=step)
        if climbs_left:
            sums, _ = search.climb(FAR, most)
    return None


def _shaped(search: Search, tolerance: float, most: int) -> Fit:
    """A fit whose ability distribution is found with the items, by EM until both stand still.

    A histogram goes on sharpening for thousands of steps that say nothing of the persons (its likelihood has hardly a
    maximum; Laird, 1978). Once it stands still to a share of the persons it is kept, and the items end at the maximum
    that they have with it; standard errors take it as known.
    """
    search.spacing = HISTOGRAM_SPACING
    search.grid = Grid.covering(search.unknowns.population, HISTOGRAM_SPACING)
    sums, calm = search.climb(tolerance, most)
    whole = len(search.unknowns.vector()) <= FULL_INFORMATION
    if calm:
        search.unknowns = search.unknowns.with_shape_kept()
        if whole:
            sums, information, step = _ended_by_newton(search, sums, tolerance, most)
            result = _end(search, sums, converged=bool(step < tolerance), information=information, last_step=step)
            return replace(result, integration_error=np.nan)  # a histogram is what it is between its bars
        sums, calm = search.climb(tolerance, most)
    result = _end(search, sums, converged=calm, information=search.information(sums) if whole else None)
    return replace(result, integration_error=np.nan)


def _with_scores(result: Fit, search: Search, errors: Errors) -> Fit:
    """The fit with standard errors from the persons' scores, or from these and the observed information."""
    if result.covariance is None:
        return result
    cross = search.cross_product()
    if errors == "sandwich":
        covariance: Matrix | None = result.covariance @ cross @ result.covariance
        kind = SANDWICH
    else:
        covariance, kind = inverse_of(cross, RELIABLE), CROSS_PRODUCT
    if covariance is None:
        return replace(result, covariance=None, se_kind=NOT_IDENTIFIED)
    return replace(
        result, covariance=covariance, item_covariance=own_covariance(result.unknowns, covariance), se_kind=kind
    )


def _ended_by_newton(search: Search, sums: Sums, tolerance: float, most: int) -> tuple[Sums, Matrix, float]:
    """The sums after Newton steps, the information there, and the size of the next step."""
    sums = search.in_double(sums)
    information = search.information(sums)
    at = search.unknowns.vector()
    enough = tolerance / (4 if search.persons.persons > MANY else 10)
    sums, step = search.newton(sums, information, enough, most)
    moved = float(np.abs(search.unknowns.vector() - at).max(initial=0.0))
    if np.isfinite(step) and moved > (SAME_INFORMATION if search.persons.persons > SMALL else 0.0):
        information = search.information(sums)
    return sums, information, step


def _of_a_sample(persons: Partitions, unknowns: Unknowns, beliefs: Beliefs) -> tuple[Unknowns | None, float | None]:
    """Where a search among a sample of the persons ends, and the spacing of nodes that is enough there.

    Neither where the persons are few, or a category is rare.
    """
    size = int(min(max(SAMPLE_SHARE * persons.persons, LEAST_SAMPLE), MOST_SAMPLE))
    if persons.persons < 2 * size:
        return None, None
    sample, _ = persons.sample(size)
    if category_counts(sample).min(initial=np.inf) < LEAST_IN_SAMPLE:
        return None, None
    search = Search(Partitions.of(sample), unknowns, beliefs)
    sums, _ = search.climb(FAR * np.sqrt(LEAST_SAMPLE / size), 100)  # a larger sample is nearer to all
    return search.unknowns, MARGIN * widest_spacing(search.unknowns, sums.narrowest)


def _near_nothing(unknowns: Unknowns) -> bool:
    """Whether an item set may share nothing: steps in the log of its standard deviation would go on for ever."""
    return unknowns.testlets is not None and bool((unknowns.testlets.sd < NEGLIGIBLE_TESTLET_SD).any())


def _end(
    search: Search,
    sums: Sums,
    *,
    converged: bool,
    information: Matrix | None,
    last_step: float = np.nan,
    singular: bool = False,
) -> Fit:
    sums = search.in_double(sums)
    unknowns, beliefs = search.unknowns, search.beliefs
    gradient = search.gradient(unknowns, sums)
    covariance = inverse_of(information, RELIABLE) if information is not None else None
    integration_error = np.nan
    if covariance is not None:
        blocks, kind = own_covariance(unknowns, covariance), OBSERVED
        integration_error = _integration_error(search, sums, covariance.__matmul__)
    elif information is None and not singular:
        apart = ItemBlocks.of(search.persons, unknowns, sums, search.grid, beliefs)
        blocks, kind = apart.covariance, OBSERVED_BLOCKS
        integration_error = _integration_error(search, sums, partial(apart.step, unknowns))
    else:
        blocks = [np.full((*batch.parameters.shape, batch.size), np.nan) for batch in unknowns.batches]
        kind = NOT_IDENTIFIED
    return Fit(
        unknowns=unknowns,
        covariance=covariance,
        item_covariance=blocks,
        log_likelihood=sums.log_likelihood,
        log_prior=prior_terms(beliefs, unknowns.batches).value if beliefs else 0.0,
        converged=converged,
        max_gradient=float(np.abs(gradient).max(initial=0.0)),
        last_step=last_step,
        integration_error=integration_error,
        iterations=search.iterations,
        nodes=search.grid.nodes,
        sums=sums,
        se_kind=kind,
        monotone=search.monotone,
        trace=tuple(search.trace),
    )


def own_covariance(unknowns: Unknowns, covariance: Matrix) -> list[Matrix]:
    """Covariance (m, p, p) of the items' own parameters from that of the vector."""
    B = unknowns.item_size
    out, first, number = [], 0, 0
    for batch in unknowns.batches:
        m, p = batch.parameters.shape
        if unknowns.ties is not None:
            E = unknowns.ties[first : first + m * p].toarray().reshape(m, p, B)
            out.append(E @ covariance[:B, :B] @ E.transpose(0, 2, 1))
            first += m * p
            continue
        at = np.full((m, p), -1)
        at[batch.free] = number + np.arange(int(batch.free.sum()))
        number += int(batch.free.sum())
        both = batch.free[:, :, None] & batch.free[:, None, :]
        out.append(np.where(both, covariance[at[:, :, None], at[:, None, :]], 0.0))
    return out


def _integration_error(search: Search, sums: Sums, step_for: Callable[[Matrix], Matrix]) -> float:
    """The largest parameter change that a finer and wider grid asks for, in one Newton step, on a sample of persons.

    `step_for` makes the step of a gradient: from the whole information, or item by item.
    """
    sample, share = search.persons.sample(CHECKED_PERSONS)
    unknowns = search.unknowns
    finer = Grid.covering(unknowns.population, search.grid.spacing / 2, reach=REACH + 1)
    refined = unknowns if unknowns.testlets is None else replace(unknowns, testlets=unknowns.testlets.finer())
    gradients = []
    for at, grid in ((unknowns, search.grid), (refined, finer)):
        if at is unknowns and grid is search.grid and share == 1:
            of_sample = sums
        elif at.testlets is not None:
            of_sample = expect_testlets(sample, at, grid)
        else:
            of_sample = expect(sample, Tables.of(at, grid, search.start))
        gradients.append(full_gradient(at, of_sample, grid.nodes, search.start, Beliefs()))
    return float(np.nanmax(np.abs(step_for((gradients[1] - gradients[0]) / share)), initial=0.0))
