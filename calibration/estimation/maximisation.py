"""The M-step: items by damped Fisher scoring on expected counts, groups by their posterior moments."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.expectation import Sums
from calibration.estimation.families import LARGEST_STEP, Batch, gradient, gradient_and_fisher
from calibration.estimation.population import Shape, maximised
from calibration.estimation.population import gradient as population_gradient
from calibration.estimation.unknowns import Unknowns

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix = NDArray[np.float64]

SMALLEST_TESTLET_SD = 0.02  # a testlet that adds nothing ends here
NEGLIGIBLE_TESTLET_SD = 0.1  # … once it is below this and still falls: 1 % of the variance of ability
FAR_PAST = 0.5  # of the slope that a step began with: what it may fall with where it ends
MOST_DENSE = 1500  # tied parameters: a larger system is solved sparse


def maximise(
    unknowns: Unknowns,
    sums: Sums,
    nodes: Matrix,
    start: NDArray[np.intp],
    beliefs: Beliefs,
    steps: int = 2,
    *,
    expand: bool = True,
) -> Unknowns:
    """The unknowns after `steps` Newton-like steps for the items and the exact step for the population; where nothing
    else holds the scale it is taken up with them, unless `expand` is false.
    """
    expected = [(sums.of(batch, start), unknowns.nodes_of(batch, nodes)) for batch in unknowns.batches]
    before: list[tuple[Batch, Matrix]] = []  # where the last step began, and the gradients there
    for _ in range(steps):
        moves = [
            gradient_and_fisher(batch, counts, at)
            for batch, (counts, at) in zip(unknowns.batches, expected, strict=True)
        ]
        if beliefs:
            terms = prior_terms(beliefs, unknowns.batches)
            moves = [
                (g + of_prior, H + _positive(bend))
                for (g, H), of_prior, bend in zip(moves, terms.gradient, terms.curvature, strict=True)
            ]
        if unknowns.ties is not None:
            unknowns = _tied_step(unknowns, moves)
            continue
        began = [(batch, g) for batch, (g, _) in zip(unknowns.batches, moves, strict=True)]
        unknowns = _free_step(unknowns, moves, beliefs, before)
        before = began
    testlets = unknowns.testlets
    if testlets is not None:
        variance = sums.testlet_spread / np.maximum(sums.testlet_persons, 1e-300)
        found = np.sqrt(np.maximum(variance, SMALLEST_TESTLET_SD**2))
        testlets = replace(testlets, sd=np.where(testlets.free, found, testlets.sd))
    moved = replace(unknowns, population=maximised(unknowns.population, sums.moments), testlets=testlets)
    if unknowns.population.shape is not None:
        return _reshaped(moved, sums.mass, nodes) if unknowns.population.shape.free else moved
    return _expanded(moved, sums) if expand and not beliefs and _scale_is_convention(moved) else moved


def _reshaped(unknowns: Unknowns, mass: Matrix, nodes: Matrix) -> Unknowns:
    """The unknowns with ability distributed as the persons are now thought to be (Mislevy, 1984; Woods, 2007).

    The distribution is standardised and the items moved with it, which changes no probability.
    """
    shape, mean, sd = Shape.of_mass(nodes, mass)
    batches = tuple(batch.on_scale(mean, sd) for batch in unknowns.batches)
    return replace(unknowns, batches=batches, population=replace(unknowns.population, shape=shape))


def _scale_is_convention(unknowns: Unknowns) -> bool:
    """Whether only the reference groups' N(0, 1) holds the scale, where no prior does: all items and all other groups
    may move.
    """
    return (
        unknowns.ties is None
        and unknowns.testlets is None
        and all(bool(batch.free.all()) for batch in unknowns.batches)
        and unknowns.population.is_standardised()
    )


def _expanded(unknowns: Unknowns, sums: Sums) -> Unknowns:
    """The unknowns on the scale on which the reference groups, as they are now thought to be, are N(0, 1).

    EM with parameters expanded by the reference's mean and standard deviation (Liu, Rubin & Wu, 1998): the items move
    together at once, where plain EM makes 7 % of the way in a step if persons are known with reliability 0.93.
    """
    reference, moments = unknowns.population.is_reference(), sums.moments
    persons = float(moments.persons[reference].sum())
    if not persons > 0:
        return unknowns
    mean = float(moments.first[reference].sum()) / persons
    sd = float(np.sqrt(moments.second[reference].sum() / persons - mean**2))
    batches = tuple(batch.on_scale(mean, sd) for batch in unknowns.batches)
    return replace(unknowns, batches=batches, population=unknowns.population.on_scale(mean, sd))


def item_gradient(unknowns: Unknowns, sums: Sums, nodes: Matrix, start: NDArray[np.intp], beliefs: Beliefs) -> Matrix:
    """Gradient (M,) of log-likelihood + log prior in the items' own parameters, at the parameters `sums` come from.

    By Fisher's identity it is that of the expected complete-data log-likelihood.
    """
    parts = [gradient(batch, sums.of(batch, start), unknowns.nodes_of(batch, nodes)) for batch in unknowns.batches]
    if beliefs:
        parts = [g + more for g, more in zip(parts, prior_terms(beliefs, unknowns.batches).gradient, strict=True)]
    return np.concatenate([part.reshape(-1) for part in parts]) if parts else np.zeros(0)


def full_gradient(unknowns: Unknowns, sums: Sums, nodes: Matrix, start: NDArray[np.intp], beliefs: Beliefs) -> Matrix:
    """Gradient of log-likelihood + log prior in the vector of the unknowns."""
    own = item_gradient(unknowns, sums, nodes, start, beliefs)
    items = unknowns.ties.T @ own if unknowns.ties is not None else own[unknowns.free_positions()]
    parts = [items, population_gradient(unknowns.population, sums.moments)]
    if unknowns.testlets is not None:
        of_log_sd = sums.testlet_spread / unknowns.testlets.sd**2 - sums.testlet_persons
        parts.append(of_log_sd[unknowns.testlets.free])
    return np.concatenate(parts)


def at_bound(unknowns: Unknowns, sums: Sums) -> Unknowns:
    """The unknowns with the testlets that go to nothing held there: a log standard deviation would fall for ever."""
    testlets = unknowns.testlets
    if testlets is None:
        return unknowns
    falling = sums.testlet_spread / testlets.sd**2 < sums.testlet_persons
    gone = testlets.free & falling & (testlets.sd < NEGLIGIBLE_TESTLET_SD)
    if not gone.any():
        return unknowns
    sd = np.where(gone, SMALLEST_TESTLET_SD, testlets.sd)
    return replace(unknowns, testlets=replace(testlets, sd=sd, free=testlets.free & ~gone))


def _positive(curvature: Matrix) -> Matrix:
    """The positive part of a prior's curvature (m, p, p): a step on it goes uphill."""
    values, vectors = np.linalg.eigh(curvature)
    return np.asarray((vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.transpose(0, 2, 1))


def _free_step(
    unknowns: Unknowns, moves: list[tuple[Matrix, Matrix]], beliefs: Beliefs, before: list[tuple[Batch, Matrix]]
) -> Unknowns:
    positive = _slopes_kept_positive(unknowns.batches, beliefs)
    batches = [
        _step_of(batch, g, H, above_zero)
        for batch, (g, H), above_zero in zip(unknowns.batches, moves, positive, strict=True)
    ]
    if before:
        batches = [
            _cut_back(after, batch, g, *began)
            for after, batch, (g, _), began in zip(batches, unknowns.batches, moves, before, strict=True)
        ]
    return replace(unknowns, batches=tuple(batches))


def _cut_back(after: Batch, batch: Batch, g: Matrix, began: Batch, g_began: Matrix) -> Batch:
    """The batch after its next step, save items whose last one, from `began` to `batch`, went far past the maximum on
    its way: these go to where the secant of the gradients (m, p) has that.

    The expected information of an item with asymptotes may be less than half of the curvature there is; steps with it
    go to and fro for ever.
    """
    step = np.where(batch.free, batch.parameters - began.parameters, 0.0)
    rise, now = (step * g_began).sum(axis=1), (step * g).sum(axis=1)
    past = (rise > 0) & (now < -FAR_PAST * rise)
    if not past.any():
        return after
    parameters = after.parameters.copy()
    share = rise[past] / (rise[past] - now[past])
    parameters[past] = began.parameters[past] + share[:, None] * step[past]
    return after.at(parameters)


def _step_of(batch: Batch, g: Matrix, H: Matrix, above_zero: NDArray[np.bool_]) -> Batch:
    free = batch.free
    held = ~free
    g = np.where(free, g, 0.0)
    H = np.where(free[:, :, None] & free[:, None, :], H, 0.0)
    diagonal = np.einsum("mpp->mp", H)
    diagonal += np.where(held, 1.0, 1e-9 * np.maximum(diagonal, 1e-3))
    step = np.linalg.solve(H, g[:, :, None])[:, :, 0]
    step *= np.minimum(1.0, LARGEST_STEP / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
    low = np.where(above_zero, -0.5 * batch.parameters[:, 0], -np.inf)  # at most halve it in one step
    step[:, 0] = np.maximum(step[:, 0], low)
    moved = batch.parameters + step
    for _ in range(30):
        wrong = ~batch.allowed(moved)
        if not wrong.any():
            break
        step[wrong] *= 0.5
        moved[wrong] = batch.parameters[wrong] + step[wrong]
    return batch.at(np.where(batch.allowed(moved)[:, None], moved, batch.parameters))


def _slopes_kept_positive(batches: tuple[Batch, ...], beliefs: Beliefs) -> list[NDArray[np.bool_]]:
    """Which items' slopes have a density on the positive half-line only."""
    positive = [np.zeros(len(batch.items), bool) for batch in batches]
    for term in beliefs.gaussians:
        if term.target == "log a":
            positive[term.batch][term.items] = True
    return positive


def within_bounds(unknowns: Unknowns, beliefs: Beliefs) -> bool:
    """Whether every item has a curve, and a positive slope where its prior needs one."""
    positive = _slopes_kept_positive(unknowns.batches, beliefs)
    return all(
        bool(np.isfinite(batch.parameters).all())
        and bool(batch.allowed(batch.parameters).all())
        and bool((batch.parameters[above, 0] > 0).all())
        for batch, above in zip(unknowns.batches, positive, strict=True)
    )


def _tied_step(unknowns: Unknowns, moves: list[tuple[Matrix, Matrix]]) -> Unknowns:
    from scipy.sparse import block_diag  # noqa: PLC0415  (only tied parameters need it)

    ties: csr_array | None = unknowns.ties
    if ties is None or unknowns.tied is None:
        raise AssertionError("tied step without ties")
    g = ties.T @ np.concatenate([g.reshape(-1) for g, _ in moves])
    H = ties.T @ block_diag([H for _, stack in moves for H in stack], format="csr") @ ties
    step = solve_symmetric(H, g)
    step *= min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
    population = unknowns.population.vector()
    for _ in range(30):
        moved = unknowns.at(np.concatenate([unknowns.tied + step, population]))
        if all(batch.allowed(batch.parameters).all() for batch in moved.batches):
            return moved
        step = step / 2
    return unknowns


def solve_symmetric(H: csr_array, g: Matrix) -> Matrix:
    """X with H x = g for a symmetric positive matrix, dense where it is small."""
    from scipy.sparse import eye_array  # noqa: PLC0415
    from scipy.sparse.linalg import splu  # noqa: PLC0415

    ridge = 1e-9 * max(float(H.diagonal().max(initial=0.0)), 1e-3)
    if H.shape[0] <= MOST_DENSE:
        return np.asarray(np.linalg.solve(H.toarray() + ridge * np.eye(H.shape[0]), g))
    return np.asarray(splu((H + ridge * eye_array(H.shape[0])).tocsc()).solve(g))
