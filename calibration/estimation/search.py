"""The search for the maximum: accelerated EM steps, Newton steps, and the grid they integrate on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.acceleration import Anderson
from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.cross_product import cross_product
from calibration.estimation.expectation import Sums, expect
from calibration.estimation.information import in_vector, missing_information, observed_information
from calibration.estimation.maximisation import full_gradient, maximise, within_bounds
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import START_SPACING, WIDEST_SPACING, Grid
from calibration.estimation.testlet_information import missing_information_of_testlets
from calibration.estimation.testlets import expect_testlets
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

MOST_NEWTON_STEPS = 8
# Persons behind the missing part of the information, a seventh of the whole for 40 items: as many as give this many
# scores, but never fewer than LEAST_PERSONS. Standard errors then differ from those of all persons by 0.1 to 0.3 %
# (median; docs/decisions/0009-estimation.md)
INFORMATION_SCORES, LEAST_PERSONS = 2_000_000, 10_000
SINGLE_PERSONS = 2_500  # from whom on passes with steps above SINGLE_STEP are in single precision
SINGLE_STEP, SINGLE_ROUNDING = 2e-3, 1e-6
FAR_STEP, COARSER = 0.2, 2.0  # EM steps above this are on a grid with nodes twice as far apart as may be
ROUNDING = 1e-10  # of the log-likelihood: what sums in another order may differ by
THINNING = 4  # of persons from one order of the missing part to the next, which is a twentieth of it
ROUGH_PERSONS = 4_000
INFORMATION_SHARE = 1 / 25  # of very many persons, so that the steps are good: a pass over all costs more
MARGIN = 0.9  # of the widest spacing of nodes: posteriors still become narrower
SHAPE_SHARE = 0.1  # of a step of a distribution, in persons below an ability, that counts as a parameter's step
MOST_HALVINGS = 20  # of a step that went down: tight priors bend more than a quadratic
SINGULAR = 1e-10  # of eigenvalues: an information matrix that is not positive definite to ten digits


class Search:
    """Where a search is, and the grid it integrates on."""

    def __init__(
        self,
        persons: Partitions,
        unknowns: Unknowns,
        beliefs: Beliefs,
        on_iteration: Callable[[int, float, Unknowns], None] | None = None,
        *,
        spacing: float | None = None,
    ) -> None:
        self.persons = persons
        self.start = persons.start
        self.unknowns = unknowns
        self.beliefs = beliefs
        self.on_iteration = on_iteration
        self.spacing = START_SPACING * float(unknowns.population.sd.min()) if spacing is None else spacing
        self.grid = Grid.covering(unknowns.population, self.spacing)
        normal = unknowns.testlets is None and unknowns.population.shape is None
        self.single = self.rough_sums = normal and persons.persons >= SINGLE_PERSONS
        self.far = normal and spacing is None
        self.expand = True  # EM steps by the scale of all items; no longer once one of them went down
        self.iterations = 0
        self.monotone = True
        self.trace: list[float] = []

    def expect(self, unknowns: Unknowns) -> Sums:
        """The E-step at some unknowns."""
        sums: Sums
        if unknowns.testlets is not None:
            sums = self.persons.total(expect_testlets, unknowns, self.grid)
        else:
            sums = self.persons.total(expect, Tables.of(unknowns, self.grid, self.start, single=self.single))
        self.rough_sums = self.single
        return sums

    def settled(self) -> Sums:
        """The E-step where the search is, on a grid that holds there."""
        self.far = False
        while True:
            sums = self.expect(self.unknowns)
            if self.grid_holds(self.unknowns, sums.narrowest):
                return sums

    def in_double(self, sums: Sums) -> Sums:
        """From here on passes in double precision; the sums at the unknowns in it."""
        self.single = False
        return self.settled() if self.rough_sums or self.far else sums

    def slack(self, objective: float) -> float:
        """What an objective may be lower than another for the rounding of the last sums alone."""
        return (SINGLE_ROUNDING if self.rough_sums else ROUNDING) * max(abs(objective), 1.0)

    def gradient(self, unknowns: Unknowns, sums: Sums) -> Matrix:
        """Gradient of log-likelihood + log prior in the unknowns' vector."""
        return full_gradient(unknowns, sums, self.grid.nodes, self.start, self.beliefs)

    def objective(self, unknowns: Unknowns, sums: Sums) -> float:
        """Log-likelihood + log prior."""
        if not self.beliefs:
            return sums.log_likelihood
        return sums.log_likelihood + prior_terms(self.beliefs, unknowns.batches).value

    def grid_holds(self, unknowns: Unknowns, narrowest: float) -> bool:
        """Whether the grid is fine and wide enough; if not, it is set anew."""
        widest = widest_spacing(unknowns, narrowest) * (COARSER if self.far else 1.0)
        if self.grid.spacing <= widest and self.grid.covers(unknowns.population):
            return True
        if self.grid.spacing > widest:
            # a little finer, so that a slope that still grows does not come back at once; but at most by half, because
            # a grid too coarse for a posterior shows it narrower than it is
            self.spacing = max(MARGIN * widest, 0.5 * self.spacing)
        finer = Grid.covering(unknowns.population, self.spacing)
        if len(finer.nodes) == len(self.grid.nodes) and self.grid.covers(unknowns.population):
            return True  # as fine as a grid may be
        self.grid = finer
        return False

    def climb(self, tolerance: float, most: int) -> tuple[Sums, bool]:
        """EM until no unknown moves by `tolerance` in a step: the sums at the unknowns, and whether it got there.

        A distribution that is still to be found moves by the largest change of a share of persons below some ability,
        and may by ten times as much: with 10,000 persons that share has a standard error of 5e-3.
        """
        mixer, accelerated, halved, step = Anderson(), False, 0, np.inf
        shaped = self.unknowns.population.shape is not None  # its distribution is no part of the vector
        best, plain = -np.inf, self.unknowns
        before: tuple[Unknowns, Sums] | None = None  # where the last step began
        while True:
            sums = self.expect(self.unknowns)
            objective = self.objective(self.unknowns, sums)
            if not objective >= best - self.slack(objective):
                if accelerated:
                    self.unknowns, accelerated = plain, False
                    mixer.forget()
                    continue
                if not shaped and before is not None and halved < MOST_HALVINGS:
                    self.expand = False
                    self.unknowns = self._shorter(*before, halved)
                    halved += 1
                    mixer.forget()
                    continue
                self.monotone &= shaped  # a short step cannot go down, save where a histogram is read between its nodes
            if not self.grid_holds(self.unknowns, sums.narrowest):
                best, accelerated = -np.inf, False
                mixer.forget()
                continue
            best, halved, before = objective, 0, (self.unknowns, sums)
            self.report(sums.log_likelihood)
            x = self.unknowns.vector()
            lines = self.unknowns.are_lines  # one step then is as good as two, and single precision enough for it
            nodes = self.grid.in_precision(single=self.rough_sums and lines)
            steps = 1 if lines and step < FAR_STEP else 2
            plain = maximise(self.unknowns, sums, nodes, self.start, self.beliefs, steps, expand=self.expand)
            image = plain.vector()
            step = max(float(np.abs(image - x).max(initial=0.0)), SHAPE_SHARE * self.shape_step(sums))
            if step < tolerance and not self.far:
                return sums, True
            if self.single and step < SINGLE_STEP:
                self.single, best = False, -np.inf
            if self.iterations >= most:
                return (self.settled() if self.far else sums), False
            if self._comes_near(step, sums):
                best = -np.inf
            mixed = plain.at(mixer.next(x, image))
            accelerated = within_bounds(mixed, self.beliefs)
            self.unknowns = mixed if accelerated else plain

    def _comes_near(self, step: float, sums: Sums) -> bool:
        """Whether the search is no longer far, and has another grid for it."""
        if not (self.far and step < FAR_STEP):
            return False
        self.far = False
        return not self.grid_holds(self.unknowns, sums.narrowest)

    def shape_step(self, sums: Sums) -> float:
        """How far an EM step moves the distribution of ability: the largest change of a share of persons below some
        ability; 0 where it is not to be found.
        """
        shape = self.unknowns.population.shape
        if shape is None or not shape.free:
            return 0.0
        now = np.exp(self.grid.log_weights(self.unknowns.population)[0])
        return float(np.abs(np.cumsum(sums.mass / sums.mass.sum() - now)).max())

    def _shorter(self, unknowns: Unknowns, sums: Sums, halved: int) -> Unknowns:
        """A part of one Newton-like step, which goes up where it is short enough; two of them may have gone too far, or
        the scale, with an item whose slope has no end: its curve falls between nodes wherever they come to be.
        """
        x = unknowns.vector()
        there = maximise(unknowns, sums, self.grid.nodes, self.start, self.beliefs, steps=1, expand=False)
        return unknowns.at(x + (there.vector() - x) / 2**halved)

    def newton(self, sums: Sums, information: Matrix, enough: float, most: int) -> tuple[Sums, float]:
        """Steps with one information matrix, mixed, until the next would be below `enough`: the sums at the end, and
        how large it would be.

        Infinite where the information is not positive definite, or a step leads out of bounds or down.
        """
        inverse = inverse_of(information)
        if inverse is None:
            return sums, np.inf
        mixer, step = Anderson(), np.inf
        for _ in range(MOST_NEWTON_STEPS):
            x = self.unknowns.vector()
            move = inverse @ self.gradient(self.unknowns, sums)
            before, step = step, float(np.abs(move).max(initial=0.0))
            if step < enough or step > 0.9 * before or self.iterations >= most:
                return sums, step
            next_step = step * step / before if before < np.inf else step
            self.single &= step > SINGLE_STEP and next_step > enough
            there = self._after(sums, mixer.next(x, x + move))
            if there is None:
                return sums, np.inf
            sums = there
        return sums, step

    def _after(self, sums: Sums, vector: Matrix) -> Sums | None:
        """The sums after a step to `vector`; None, and no step, where it leads out of bounds or down."""
        moved = self.unknowns.at(vector)
        if not within_bounds(moved, self.beliefs):
            return None
        before = self.objective(self.unknowns, sums)
        least = before - self.slack(before)
        there = self.expect(moved)
        if self.objective(moved, there) < least:
            return None
        self.unknowns = moved
        self.report(there.log_likelihood)
        return there if self.grid_holds(moved, there.narrowest) else self.settled()

    def information(self, sums: Sums, *, rough: bool = False) -> Matrix:
        """Observed information of the unknowns' vector, (P, P); a `rough` one for a direction to go in."""
        enough = max(ROUGH_PERSONS if rough else LEAST_PERSONS, INFORMATION_SHARE * self.persons.persons)
        if not rough:
            enough = max(enough, INFORMATION_SCORES / max(self.unknowns.own_size, 1))
        share = 1 / max(1, round(self.persons.persons / enough))
        thinning = THINNING if self.persons.persons > LEAST_PERSONS else 1
        if self.unknowns.testlets is not None:
            missing = self.persons.total(missing_information_of_testlets, self.unknowns, self.grid, share, thinning)
        else:
            tables = Tables.of(self.unknowns, self.grid, self.start)
            missing = self.persons.total(missing_information, self.unknowns, tables, share, thinning)
        return observed_information(missing, self.unknowns, sums, self.grid.nodes, self.start, self.beliefs)

    def cross_product(self) -> Matrix:
        """Σ over persons of score · score' over the unknowns' vector, (P, P)."""
        tables = Tables.of(self.unknowns, self.grid, self.start)
        return in_vector(self.persons.total(cross_product, self.unknowns, tables), self.unknowns)

    def report(self, log_likelihood: float) -> None:
        """Count a step, and tell whoever listens."""
        self.iterations += 1
        self.trace.append(log_likelihood)
        if self.on_iteration is not None:
            self.on_iteration(self.iterations, log_likelihood, self.unknowns)


def widest_spacing(unknowns: Unknowns, narrowest: float) -> float:
    """The widest spacing of nodes that posterior standard deviations from `narrowest` upwards allow."""
    return WIDEST_SPACING * min(narrowest, float(unknowns.population.sd.min()))


def inverse_of(information: Matrix, least: float = SINGULAR) -> Matrix | None:
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
