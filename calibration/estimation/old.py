"""Marginal maximum likelihood for dichotomous models, by EM in blocks of persons (Bock & Aitkin, 1981).

Inside, an item is a slope and an intercept (z = slope · theta + intercept), because the expected complete-data
likelihood is concave in them; results are in a and b. Ability is N(0, 1) on the grid; the Rasch model is the
equal-slope model with its slope handed to the standard deviation of the ability. EM is Anderson-accelerated with a
fall-back to the plain step whenever the objective would drop (Walker & Ni, 2011; Henderson & Varadhan, 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.models import logistic
from calibration.priors import Priors, prior_terms
from calibration.responses import NOT_REACHED, Responses

Matrix = NDArray[np.float64]

START_NODES, HALF_RANGE = 61, 6.0
MOST_NODES = 481
BLOCK_PERSONS = 2048
FULL_INFORMATION_PARAMETERS = 500
ANDERSON_MEMORY = 5
OBSERVED = "observed information"
OBSERVED_BLOCKS = "observed information, per-item blocks"
NOT_IDENTIFIED = "observed information, which is singular: too few responses, or a slope without end; try priors"


@dataclass(frozen=True, slots=True)
class Block:
    """Persons with the same items: scores (n, j); where their items differ, `mask` (n, j) is 1 for an item they had."""

    persons: NDArray[np.intp]
    items: NDArray[np.intp]
    scores: Matrix
    mask: Matrix | None
    weight: Matrix


@dataclass(frozen=True, slots=True)
class Grid:
    """Quadrature nodes (Q,) of N(0, 1) and the logs of their weights, which sum to 1."""

    nodes: Matrix
    log_weights: Matrix

    @classmethod
    def normal(cls, size: int) -> Grid:
        nodes = np.linspace(-HALF_RANGE, HALF_RANGE, size)
        log_density = -0.5 * nodes**2
        return cls(nodes, log_density - np.log(np.exp(log_density).sum()))

    @property
    def spacing(self) -> float:
        return float(self.nodes[1] - self.nodes[0])


@dataclass(frozen=True, slots=True)
class Expected:
    """What the E-step leaves: expected persons n and right answers r at each node (J, Q), and the log-likelihood."""

    n: Matrix
    r: Matrix
    log_likelihood: float
    smallest_posterior_sd: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Slopes and intercepts (J,) at the maximum, with the evidence that it is one."""

    slope: Matrix
    intercept: Matrix
    covariance: Matrix  # (J, 2, 2) of slope and intercept, NaN where the data do not identify them
    log_likelihood: float
    log_prior: float
    converged: bool
    max_gradient: float
    iterations: int
    nodes: int
    se_kind: str


def blocks_of(responses: Responses, keep: NDArray[np.bool_], *, keep_weightless: bool = False) -> list[Block]:
    """Persons in blocks of at most BLOCK_PERSONS with the same items where they can be, else with a mask.

    Items outside `keep` (J,) are left out and the rest renumbered; so are persons of weight 0, who add nothing to a
    likelihood, unless `keep_weightless`.
    """
    number = np.cumsum(keep) - 1
    used = keep[responses.item] & (responses.status != NOT_REACHED)
    person, item, score = responses.person[used], number[responses.item[used]], responses.score[used]
    starts = np.searchsorted(person, np.arange(len(responses.persons) + 1))
    patterns: dict[bytes, list[int]] = {}
    counted = (responses.weight > 0) | keep_weightless
    for i in np.flatnonzero((np.diff(starts) > 0) & counted):
        patterns.setdefault(item[starts[i] : starts[i + 1]].tobytes(), []).append(int(i))
    blocks: list[Block] = []
    ragged: list[int] = []
    for members in patterns.values():
        if len(members) < 4 and len(patterns) > 64:
            ragged.extend(members)
            continue
        items = item[starts[members[0]] : starts[members[0] + 1]]
        for first in range(0, len(members), BLOCK_PERSONS):
            chunk = members[first : first + BLOCK_PERSONS]
            scores = np.stack([score[starts[i] : starts[i + 1]] for i in chunk]).astype(float)
            blocks.append(Block(np.array(chunk), items, scores, None, responses.weight[chunk]))
    for first in range(0, len(ragged), BLOCK_PERSONS):
        chunk = ragged[first : first + BLOCK_PERSONS]
        rows = [np.arange(starts[i], starts[i + 1]) for i in chunk]
        items, column = np.unique(item[np.concatenate(rows)], return_inverse=True)
        row = np.repeat(np.arange(len(chunk)), [len(r) for r in rows])
        scores, mask = np.zeros((len(chunk), len(items))), np.zeros((len(chunk), len(items)))
        scores[row, column] = score[np.concatenate(rows)]
        mask[row, column] = 1.0
        blocks.append(Block(np.array(chunk), items, scores, mask, responses.weight[chunk]))
    return blocks


def posterior(block: Block, grid: Grid, slope: Matrix, intercept: Matrix) -> tuple[Matrix, Matrix]:
    """P(node | responses), (n, Q), and log-likelihood (n,) of a block's persons."""
    z = slope[block.items, None] * grid.nodes + intercept[block.items, None]
    log_wrong = -np.logaddexp(0.0, z)
    log_joint = block.scores @ z + grid.log_weights
    log_joint += log_wrong.sum(axis=0) if block.mask is None else block.mask @ log_wrong
    peak = log_joint.max(axis=1, keepdims=True)
    density = np.exp(log_joint - peak)
    total = density.sum(axis=1, keepdims=True)
    density /= total
    return density, (peak + np.log(total))[:, 0]


def _e_step(blocks: list[Block], grid: Grid, slope: Matrix, intercept: Matrix) -> Expected:
    J, Q = len(slope), len(grid.nodes)
    n, r = np.zeros((J, Q)), np.zeros((J, Q))
    log_likelihood, narrowest = 0.0, np.inf
    for block in blocks:
        density, log_l = posterior(block, grid, slope, intercept)
        mean = density @ grid.nodes
        variance = density @ grid.nodes**2 - mean**2
        narrowest = min(narrowest, float(np.sqrt(max(variance.min(), 0.0))))
        density *= block.weight[:, None]
        n[block.items] += density.sum(axis=0) if block.mask is None else block.mask.T @ density
        r[block.items] += block.scores.T @ density
        log_likelihood += float(block.weight @ log_l)
    return Expected(n, r, log_likelihood, narrowest)


@dataclass(frozen=True, slots=True)
class _Step:
    gradient: Matrix  # (J, 2)
    curvature: Matrix  # (J, 2, 2), minus the Hessian of the expected complete-data objective


def _derivatives(expected: Expected, grid: Grid, priors: Priors, slope: Matrix, intercept: Matrix) -> _Step:
    P = logistic(slope[:, None] * grid.nodes + intercept[:, None])
    residual = expected.r - expected.n * P
    W = expected.n * P * (1 - P)
    terms = prior_terms(priors, slope, intercept)
    gradient = np.stack([residual @ grid.nodes, residual.sum(axis=1)], axis=1) + terms.gradient
    moments = [W @ grid.nodes**2, W @ grid.nodes, W.sum(axis=1)]
    curvature = np.empty((len(slope), 2, 2))
    curvature[:, 0, 0], curvature[:, 1, 1] = moments[0], moments[2]
    curvature[:, 0, 1] = curvature[:, 1, 0] = moments[1]
    return _Step(gradient, curvature - terms.hessian)


def _positive(curvature: Matrix) -> Matrix:
    """The curvature made safely positive definite: a Newton step on it goes uphill."""
    values, vectors = np.linalg.eigh(curvature)
    floor = 1e-6 * np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-6)
    return np.asarray((vectors * np.maximum(np.abs(values), floor)[:, None, :]) @ vectors.transpose(0, 2, 1))


def _newton_direction(step: _Step, *, shared_slope: bool) -> Matrix:
    H = _positive(step.curvature)
    if not shared_slope:
        return np.asarray(np.linalg.solve(H, step.gradient[:, :, None])[:, :, 0], float)
    # One slope for all items: the intercepts are eliminated first (an arrow-shaped system).
    ratio = H[:, 0, 1] / H[:, 1, 1]
    d_slope = (step.gradient[:, 0] - ratio * step.gradient[:, 1]).sum() / (H[:, 0, 0] - ratio * H[:, 0, 1]).sum()
    d_intercept = (step.gradient[:, 1] - H[:, 0, 1] * d_slope) / H[:, 1, 1]
    return np.stack([np.full(len(H), d_slope), d_intercept], axis=1)


def _m_step(
    expected: Expected, grid: Grid, priors: Priors, slope: Matrix, intercept: Matrix, *, shared_slope: bool
) -> tuple[Matrix, Matrix]:
    """Slopes and intercepts after a few damped Newton steps on the expected complete-data objective."""
    for _ in range(3):
        direction = _newton_direction(_derivatives(expected, grid, priors, slope, intercept), shared_slope=shared_slope)
        longest = np.abs(direction).max(axis=1)
        if shared_slope:
            longest = np.full_like(longest, longest.max())
        direction *= np.minimum(1.0, 1.0 / np.maximum(longest, 1e-300))[:, None]
        if priors.a is not None:  # a lognormal slope stays positive: at most halve it in one step
            direction[:, 0] = np.maximum(direction[:, 0], -0.5 * slope)
        slope, intercept = slope + direction[:, 0], intercept + direction[:, 1]
        if np.abs(direction).max() < 1e-10:
            break
    return slope, intercept


class _Anderson:
    """Anderson mixing of a fixed-point map x → G(x), remembering the last few residuals."""

    def __init__(self) -> None:
        self.points: list[Matrix] = []
        self.residuals: list[Matrix] = []

    def forget(self) -> None:
        self.points.clear()
        self.residuals.clear()

    def next(self, x: Matrix, image: Matrix) -> Matrix:
        residual = image - x
        self.points = [*self.points, image][-ANDERSON_MEMORY - 1 :]
        self.residuals = [*self.residuals, residual][-ANDERSON_MEMORY - 1 :]
        if len(self.residuals) < 2:
            return image
        changes = np.stack([residual - r for r in self.residuals[:-1]], axis=1)
        moves = np.stack([image - p for p in self.points[:-1]], axis=1)
        gram = changes.T @ changes
        size = float(np.trace(gram))
        if not size > 1e-200:  # nothing moves any more
            return image
        gram += 1e-12 * size * np.eye(len(gram))
        return np.asarray(image - moves @ np.linalg.solve(gram, changes.T @ residual))


def _start(blocks: list[Block], J: int) -> tuple[Matrix, Matrix]:
    n, r = np.zeros(J), np.zeros(J)
    for block in blocks:
        n[block.items] += block.weight.sum() if block.mask is None else block.weight @ block.mask
        r[block.items] += block.weight @ block.scores
    p = (r + 0.5) / (n + 1.0)
    return np.ones(J), 1.2 * np.log(p / (1 - p))  # 1.2 ≈ sqrt(1 + 1/1.7²): what marginalising over theta takes away


def fit(
    blocks: list[Block],
    J: int,
    priors: Priors,
    *,
    shared_slope: bool,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[int, float], None] | None = None,
) -> Fit:
    """Fit slopes and intercepts of J items. Converged when no parameter of an EM step moves by `tolerance`, twice
    running.

    The quadrature grid is refined until its spacing is at most 1.2 × the narrowest posterior standard deviation: a
    coarser one is blind between its nodes, which long tests punish.
    """
    slope, intercept = _start(blocks, J)
    grid = Grid.normal(START_NODES)
    mixer, accelerated = _Anderson(), False
    best, plain = -np.inf, (slope, intercept)
    calm = iteration = 0
    while True:
        expected = _e_step(blocks, grid, slope, intercept)
        objective = expected.log_likelihood + float(prior_terms(priors, slope, intercept).value.sum())
        if accelerated and not objective >= best - 1e-9 * abs(best):
            (slope, intercept), accelerated = plain, False
            mixer.forget()
            continue
        best = objective
        iteration += 1
        if on_iteration is not None:
            on_iteration(iteration, expected.log_likelihood)
        plain = _m_step(expected, grid, priors, slope, intercept, shared_slope=shared_slope)
        change = max(float(np.abs(plain[0] - slope).max()), float(np.abs(plain[1] - intercept).max()))
        calm = calm + 1 if change < tolerance else 0
        converged = calm >= 2
        if converged or iteration >= max_iterations:
            if converged and grid.spacing > 1.2 * expected.smallest_posterior_sd and len(grid.nodes) < MOST_NODES:
                grid, calm, best, accelerated = Grid.normal(2 * len(grid.nodes) - 1), 0, -np.inf, False
                mixer.forget()
                continue
            break
        mixed = mixer.next(np.concatenate([slope, intercept]), np.concatenate(plain))
        accelerated = bool(np.all(np.isfinite(mixed)) and (priors.a is None or mixed[:J].min() > 0))
        slope, intercept = (mixed[:J], mixed[J:]) if accelerated else plain
    step = _derivatives(expected, grid, priors, slope, intercept)
    gradient = step.gradient if not shared_slope else np.append(step.gradient[:, 1], step.gradient[:, 0].sum())
    full = shared_slope or 2 * J <= FULL_INFORMATION_PARAMETERS
    covariance = _covariance(blocks, grid, priors, slope, intercept, shared_slope=shared_slope, full=full)
    known = bool(np.isfinite(covariance).all())
    return Fit(
        slope=slope,
        intercept=intercept,
        covariance=covariance,
        log_likelihood=expected.log_likelihood,
        log_prior=float(prior_terms(priors, slope, intercept).value.sum()),
        converged=converged,
        max_gradient=float(np.abs(gradient).max()),
        iterations=iteration,
        nodes=len(grid.nodes),
        se_kind=(OBSERVED if full else OBSERVED_BLOCKS) if known else NOT_IDENTIFIED,
    )


def _covariance(
    blocks: list[Block],
    grid: Grid,
    priors: Priors,
    slope: Matrix,
    intercept: Matrix,
    *,
    shared_slope: bool,
    full: bool,
) -> Matrix:
    """Covariance (J, 2, 2) of slope and intercept from the observed information with the priors' curvature (Louis,
    1982).

    `full` inverts the whole information matrix; otherwise each item's own block is inverted, as if the other items were
    known. NaN where the information is not positive definite.
    """
    J = len(slope)
    P = logistic(slope[:, None] * grid.nodes + intercept[:, None])
    basis = np.stack([grid.nodes, np.ones_like(grid.nodes)])  # d z / d (slope, intercept)
    information = np.zeros((J, 2, J, 2)) if full or shared_slope else np.zeros((J, 2, 2))
    for block in blocks:
        density, _ = posterior(block, grid, slope, intercept)
        if full or shared_slope:
            _add_information(information, block, density, P, basis)
        else:
            _add_item_information(information, block, density, P, basis)
    curvature = -prior_terms(priors, slope, intercept).hessian
    if not (full or shared_slope):
        return np.stack([_inverse(block) for block in information + curvature])
    information[np.arange(J), :, np.arange(J), :] += curvature
    if shared_slope:
        reduced = np.empty((J + 1, J + 1))
        reduced[1:, 1:] = information[:, 1, :, 1]
        reduced[0, 1:] = reduced[1:, 0] = information[:, 0, :, 1].sum(axis=0)
        reduced[0, 0] = information[:, 0, :, 0].sum()
        inverse = _inverse(reduced)
        covariance = np.empty((J, 2, 2))
        covariance[:, 0, 0] = inverse[0, 0]
        covariance[:, 1, 1] = inverse.diagonal()[1:]
        covariance[:, 0, 1] = covariance[:, 1, 0] = inverse[0, 1:]
        return covariance
    inverse = _inverse(information.reshape(2 * J, 2 * J)).reshape(J, 2, J, 2)
    return np.ascontiguousarray(inverse[np.arange(J), :, np.arange(J), :])


def _inverse(information: Matrix) -> Matrix:
    """The inverse of an information matrix; NaN where it is not positive definite to ten digits."""
    values, vectors = np.linalg.eigh(information)
    if not values[0] > 1e-10 * values[-1]:
        return np.full_like(information, np.nan)
    return np.asarray((vectors / values) @ vectors.T)


def _expected_weights(block: Block, density: Matrix, P: Matrix) -> Matrix:
    """Σ over persons of weight · posterior · P(1 - P), (j, Q): the complete-data information at each node."""
    weighted = density * block.weight[:, None]
    n = weighted.sum(axis=0) if block.mask is None else block.mask.T @ weighted
    return np.asarray(n * (P * (1 - P))[block.items])


def _person_scores(block: Block, density: Matrix, P: Matrix, basis: Matrix) -> Matrix:
    """Each person's expected score vector (n, j, 2)."""
    scores = np.empty((*block.scores.shape, 2))
    for k in range(2):
        expected_P = density @ (P[block.items] * basis[k]).T
        mean_basis = (density @ basis[k])[:, None]
        own = 1.0 if block.mask is None else block.mask
        scores[:, :, k] = (block.scores * mean_basis - expected_P) * own
    return scores


def _add_information(information: Matrix, block: Block, density: Matrix, P: Matrix, basis: Matrix) -> None:
    both = np.arange(2)
    at = np.ix_(block.items, both, block.items, both)
    j = len(block.items)
    complete = np.zeros((j, 2, j, 2))
    W = _expected_weights(block, density, P)
    moments = np.einsum("jq,kq,lq->jkl", W, basis, basis)
    complete[np.arange(j), :, np.arange(j), :] = moments
    weighted = density * block.weight[:, None]
    missing = np.zeros((3, j, j))  # Σ E[residual residual' theta^m], m = 0, 1, 2
    for q, node in enumerate(basis[0]):
        residual = block.scores - P[block.items, q]
        if block.mask is not None:
            residual *= block.mask
        product = (residual * weighted[:, q, None]).T @ residual
        for m in range(3):
            missing[m] += node**m * product
    for k in range(2):
        for el in range(2):
            complete[:, k, :, el] -= missing[2 - k - el]
    means = _person_scores(block, density, P, basis).reshape(len(density), 2 * j)
    complete += ((means * block.weight[:, None]).T @ means).reshape(j, 2, j, 2)
    information[at] += complete


def _add_item_information(information: Matrix, block: Block, density: Matrix, P: Matrix, basis: Matrix) -> None:
    W = _expected_weights(block, density, P)
    products = np.einsum("kq,lq->klq", basis, basis)
    weighted = density * block.weight[:, None]
    right = block.scores.T @ weighted
    everyone = weighted.sum(axis=0) if block.mask is None else block.mask.T @ weighted
    PJ = P[block.items]
    squared = right * (1 - PJ) ** 2 + (everyone - right) * PJ**2  # Σ posterior · residual²
    means = _person_scores(block, density, P, basis)
    information[block.items] += np.einsum("jq,klq->jkl", W - squared, products) + np.einsum(
        "i,ijk,ijl->jkl", block.weight, means, means
    )
