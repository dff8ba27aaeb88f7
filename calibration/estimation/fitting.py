"""Marginal maximum likelihood by the EM algorithm (Bock & Aitkin, 1981), accelerated, ended by Newton steps.

EM brings the unknowns near the maximum; Anderson mixing makes tens of passes of hundreds. Then the observed information
is known, and Newton steps with it settle the last digits: a fit is converged when the next one is below the tolerance,
which says how far the maximum is and not how slowly the search moves. Where the information is too large to have whole,
EM goes on to the tolerance by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.acceleration import Anderson
from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.blocks import category_counts
from calibration.estimation.expectation import Sums, expect
from calibration.estimation.information import (
    complete_item_information,
    missing_information,
    missing_item_information,
    observed_information,
)
from calibration.estimation.maximisation import at_bound, full_gradient, maximise, within_bounds
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import REACH, START_SPACING, WIDEST_SPACING, Grid
from calibration.estimation.testlets import expect_testlets, numeric_information
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

COARSE = 1e-3  # largest change of an EM step at which single precision hands over to double
NEAR = 1e-4  # … and at which EM hands over to Newton
MOST_NEWTON_STEPS = 8
MOST_HALVINGS = 20  # of a step that went down: tight priors bend more than a quadratic
FULL_INFORMATION = 500  # parameters
INFORMATION_PERSONS = 100_000  # behind the missing part of the information: it errs by a few tenths of a percent
SAME_INFORMATION = 1e-3  # a move of all parameters that leaves standard errors as they are, to three digits
RELIABLE = 1e-6  # share of the largest eigenvalue: the information is summed to 1e-7, less than that is rounding
SMALL = 5_000  # persons up to whom all is cheap: neither single precision nor spared information pay
CHECKED_PERSONS = 20_000
SAMPLE_PERSONS = 4_000
LEAST_IN_SAMPLE = 10  # persons in every category, for a sample to say anything
OBSERVED = "observed information"
OBSERVED_BLOCKS = "observed information, per-item blocks"
NOT_IDENTIFIED = "observed information, which is singular: too few responses, or a slope without end; try priors"


@dataclass(frozen=True, slots=True)
class Fit:
    """The unknowns at the maximum, with the evidence that it is one.

    `covariance` is (P, P) of the unknowns' vector, or None; `item_covariance` (m, p, p) for every batch, of the items'
    own parameters, NaN where the data do not identify them. `integration_error` is the largest Newton step that a grid
    of half the spacing and one more standard deviation would still make, NaN without the whole information.
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


class _Search:
    """The state of a search: where it is, and the grid it integrates on."""

    def __init__(
        self,
        persons: Partitions,
        unknowns: Unknowns,
        beliefs: Beliefs,
        on_iteration: Callable[[int, float, Unknowns], None] | None,
    ) -> None:
        self.persons = persons
        self.start = persons.start
        self.unknowns = unknowns
        self.beliefs = beliefs
        self.on_iteration = on_iteration
        self.spacing = START_SPACING * float(unknowns.population.sd.min())
        self.grid = Grid.covering(unknowns.population, self.spacing)
        self.iterations = 0
        self.single = False
        self.monotone = True
        self.trace: list[float] = []

    def expect(self, unknowns: Unknowns) -> Sums:
        sums: Sums
        if unknowns.testlets is not None:
            sums = self.persons.total(expect_testlets, unknowns, self.grid)
        else:
            sums = self.persons.total(expect, Tables.of(unknowns, self.grid, self.start, single=self.single))
        return sums

    def gradient(self, vector: Matrix) -> Matrix:
        """Gradient of log-likelihood + log prior at a vector."""
        unknowns = self.unknowns.at(vector)
        return full_gradient(unknowns, self.expect(unknowns), self.grid.nodes, self.start, self.beliefs)

    def objective(self, unknowns: Unknowns, sums: Sums) -> float:
        if not self.beliefs:
            return sums.log_likelihood
        return sums.log_likelihood + prior_terms(self.beliefs, unknowns.batches).value

    def grid_holds(self, unknowns: Unknowns, narrowest: float) -> bool:
        """Whether the grid is fine and wide enough; if not, it is set anew."""
        widest = WIDEST_SPACING * min(narrowest, float(unknowns.population.sd.min()))
        if self.grid.spacing <= widest and self.grid.covers(unknowns.population):
            return True
        if self.grid.spacing > widest:
            self.spacing = 0.9 * widest  # a little finer, so that a slope that still grows does not come back at once
        finer = Grid.covering(unknowns.population, self.spacing)
        if len(finer.nodes) == len(self.grid.nodes) and self.grid.covers(unknowns.population):
            return True  # as fine as a grid may be
        self.grid = finer
        return False

    def climb(self, tolerance: float, most: int) -> tuple[Sums, bool]:
        """EM until no unknown moves by `tolerance` in a step: the sums at the unknowns, and whether it got there."""
        mixer, accelerated, halved = Anderson(), False, 0
        best, plain = -np.inf, self.unknowns
        before: tuple[Unknowns, Sums] | None = None  # where the last step began
        while True:
            sums = self.expect(self.unknowns)
            objective = self.objective(self.unknowns, sums)
            slack = (1e-6 if self.single else 1e-10) * max(abs(objective), 1.0)
            if not objective >= best - slack:
                if accelerated:
                    self.unknowns, accelerated = plain, False
                    mixer.forget()
                    continue
                much = not self.single or not objective >= best - 100 * slack
                if much and before is not None and halved < MOST_HALVINGS:
                    self.unknowns = self.shorter(*before, halved)
                    halved += 1
                    mixer.forget()
                    continue
                self.monotone &= self.single  # a short step that goes down is a defect, save for rounding
            if not self.grid_holds(self.unknowns, sums.narrowest):
                best, accelerated = -np.inf, False
                mixer.forget()
                continue
            best, halved, before = objective, 0, (self.unknowns, sums)
            self.report(sums.log_likelihood)
            x = self.unknowns.vector()
            plain = maximise(self.unknowns, sums, self.grid.nodes, self.start, self.beliefs)
            image = plain.vector()
            change = float(np.abs(image - x).max(initial=0.0))
            if self.single and change < COARSE:
                self.single, best = False, -np.inf
                self.unknowns, accelerated = plain, False
                continue
            if change < tolerance:
                return sums, True
            if self.iterations >= most:
                return sums, False
            mixed = self.unknowns.at(mixer.next(x, image))
            accelerated = within_bounds(mixed, self.beliefs)
            self.unknowns = mixed if accelerated else plain

    def shorter(self, unknowns: Unknowns, sums: Sums, halved: int) -> Unknowns:
        """A part of one Newton-like step, which goes up where it is short enough; two of them may have gone too far."""
        step = maximise(unknowns, sums, self.grid.nodes, self.start, self.beliefs, steps=1).vector() - unknowns.vector()
        return unknowns.at(unknowns.vector() + step / 2**halved)

    def report(self, log_likelihood: float) -> None:
        self.iterations += 1
        self.trace.append(log_likelihood)
        if self.on_iteration is not None:
            self.on_iteration(self.iterations, log_likelihood, self.unknowns)


def fit(
    persons: Partitions,
    unknowns: Unknowns,
    beliefs: Beliefs | None = None,
    *,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[int, float, Unknowns], None] | None = None,
) -> Fit:
    """Fit the unknowns to the responses.

    `tolerance` is the largest distance of a parameter from the maximum, in the last Newton step where the information
    is had whole (up to 500 parameters, more where they are tied), in an EM step else.
    """
    beliefs = beliefs or Beliefs()
    unknowns = _from_a_sample(persons, unknowns, beliefs)
    search = _Search(persons, unknowns, beliefs, on_iteration)
    whole = len(unknowns.vector()) <= FULL_INFORMATION or unknowns.ties is not None or unknowns.testlets is not None
    search.single = persons.persons > SMALL and unknowns.testlets is None
    sums, calm = search.climb(NEAR if whole else tolerance, max_iterations)
    held = at_bound(search.unknowns, sums)
    if held is not search.unknowns:
        search.unknowns = held
        sums, calm = search.climb(NEAR if whole else tolerance, max_iterations)
    if not whole:
        return _end(search, sums, converged=calm, information=None)
    step, information = np.inf, np.zeros((0, 0))
    sums, information, step = _newton(search, sums, tolerance)
    if not step < tolerance and search.iterations < max_iterations:
        sums, calm = search.climb(min(tolerance, NEAR) / 10, max_iterations)
        sums, information, step = _newton(search, sums, tolerance)
        if not np.isfinite(step):  # no maximum that Newton knows of: EM alone says
            return _end(search, sums, converged=calm, information=None, singular=True)
    return _end(search, sums, converged=bool(step < tolerance), information=information, last_step=step)


def _newton(search: _Search, sums: Sums, tolerance: float) -> tuple[Sums, Matrix, float]:
    """Newton steps with the information at their start: sums at the end, the information there, and the size of the
    next step (infinite where the information is not positive definite or a step goes down).
    """
    information = _information(search, sums)
    at = search.unknowns.vector()
    step = np.inf
    for _ in range(MOST_NEWTON_STEPS):
        inverse = inverse_of(information)
        if inverse is None:
            return sums, information, np.inf
        gradient = full_gradient(search.unknowns, sums, search.grid.nodes, search.start, search.beliefs)
        move = inverse @ gradient
        before, step = step, float(np.abs(move).max(initial=0.0))
        if step < tolerance / 10 or step > 0.9 * before:
            break
        there = _after(search, sums, move)
        if there is None:
            return sums, information, np.inf
        sums = there
    moved = float(np.abs(search.unknowns.vector() - at).max(initial=0.0))
    dear = search.persons.persons > SMALL or search.unknowns.testlets is not None
    if moved > (SAME_INFORMATION if dear else 0.0):
        information = _information(search, sums)
    return sums, information, step


def _after(search: _Search, sums: Sums, move: Matrix) -> Sums | None:
    """The sums after a Newton step; None, and no step, where it leads out of bounds or down."""
    moved = search.unknowns.at(search.unknowns.vector() + move)
    if not within_bounds(moved, search.beliefs):
        return None
    there = search.expect(moved)
    if search.objective(moved, there) < search.objective(search.unknowns, sums) - 1e-9 * abs(sums.log_likelihood):
        return None
    search.unknowns = moved
    search.report(there.log_likelihood)
    return there if search.grid_holds(moved, there.narrowest) else search.expect(moved)


def _information(search: _Search, sums: Sums) -> Matrix:
    if search.unknowns.testlets is not None:
        return numeric_information(search.gradient, search.unknowns.vector())
    share = 1 / max(1, round(search.persons.persons / INFORMATION_PERSONS))
    tables = Tables.of(search.unknowns, search.grid, search.start)
    missing = search.persons.total(missing_information, search.unknowns, tables, share)
    return observed_information(missing, search.unknowns, sums, search.grid.nodes, search.start, search.beliefs)


def inverse_of(information: Matrix, least: float = 1e-10) -> Matrix | None:
    """The inverse of an information matrix; None where an eigenvalue is less than `least` times the largest."""
    if not len(information):
        return information
    if not np.isfinite(information).all():
        return None
    scale = np.sqrt(np.abs(np.diagonal(information)))
    if not (scale > 0).all():
        return None
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    if not values[0] > least * values[-1]:
        return None
    return np.asarray((vectors / values) @ vectors.T / np.outer(scale, scale))


def _end(
    search: _Search,
    sums: Sums,
    *,
    converged: bool,
    information: Matrix | None,
    last_step: float = np.nan,
    singular: bool = False,
) -> Fit:
    unknowns, beliefs = search.unknowns, search.beliefs
    gradient = full_gradient(unknowns, sums, search.grid.nodes, search.start, beliefs)
    covariance = inverse_of(information, RELIABLE) if information is not None else None
    if covariance is not None:
        blocks, kind = own_covariance(unknowns, covariance), OBSERVED
    elif information is None and not singular:
        blocks = _item_covariance(search, sums)
        kind = OBSERVED_BLOCKS
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
        integration_error=_integration_error(search, covariance) if covariance is not None else np.nan,
        iterations=search.iterations,
        nodes=search.grid.nodes,
        sums=sums,
        se_kind=kind,
        monotone=search.monotone,
        trace=tuple(search.trace),
    )


def _item_covariance(search: _Search, sums: Sums) -> list[Matrix]:
    """Covariance (m, p, p) of every item's own parameters, as if all else were known."""
    unknowns = search.unknowns
    complete = complete_item_information(unknowns, sums, search.grid.nodes, search.start, search.beliefs)
    tables = Tables.of(unknowns, search.grid, search.start)
    parts = search.persons.sweep(missing_item_information, unknowns, tables)
    return [
        _inverses(H + sum(part[number] for part in parts), batch.free)
        for number, (H, batch) in enumerate(zip(complete, unknowns.batches, strict=True))
    ]


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


def _inverses(information: Matrix, free: NDArray[np.bool_]) -> Matrix:
    """The inverse of every item's block over its free parameters, NaN where it has none."""
    out = np.zeros_like(information)
    for j, H in enumerate(information):
        keep = np.ix_(free[j], free[j])
        inverse = inverse_of(H[keep], RELIABLE)
        out[j][keep] = np.nan if inverse is None else inverse
    return out


def _integration_error(search: _Search, covariance: Matrix) -> float:
    """The largest parameter change that a finer and wider grid asks for, in one Newton step, on a sample of persons."""
    sample, share = search.persons.sample(CHECKED_PERSONS)
    unknowns = search.unknowns
    finer = Grid.covering(unknowns.population, search.grid.spacing / 2, reach=REACH + 1)
    refined = unknowns if unknowns.testlets is None else replace(unknowns, testlets=unknowns.testlets.finer())
    gradients = []
    for at, grid in ((unknowns, search.grid), (refined, finer)):
        if at.testlets is not None:
            sums = expect_testlets(sample, at, grid)
        else:
            sums = expect(sample, Tables.of(at, grid, search.start))
        gradients.append(full_gradient(at, sums, grid.nodes, search.start, Beliefs()))
    return float(np.abs(covariance @ (gradients[1] - gradients[0])).max(initial=0.0) / share)


def _from_a_sample(persons: Partitions, unknowns: Unknowns, beliefs: Beliefs) -> Unknowns:
    """Where a sample of the persons would end: large data then need a handful of passes."""
    if persons.persons < 2 * SAMPLE_PERSONS:
        return unknowns
    sample, _ = persons.sample(SAMPLE_PERSONS)
    if category_counts(sample).min(initial=0.0) < LEAST_IN_SAMPLE:
        return unknowns
    search = _Search(Partitions.of(sample), unknowns, beliefs, None)
    search.climb(10 * COARSE, 100)
    return search.unknowns
