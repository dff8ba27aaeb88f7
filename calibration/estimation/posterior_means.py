"""Posterior means and covariances of item parameters, where the fit has given their modes.

A posterior that data say little of is skew: the mode of a slope lies below its mean, and an interval about the mode is
not where the parameter is. What is known of one item, everything else at its mode, is a density of a few dimensions,

    p(xi) Π_i Σ_q P_i(q) · P(x_i | theta_q, xi) / P(x_i | theta_q, mode)

with P_i(q) the person's posterior at the modes, so that all draws of all items share the E-step. Its moments come from
importance sampling (Owen, 2013, ch. 9): quasi-random draws from a t distribution about the mode with the spread of the
information, then from one with the centre and spread that these have found.

The other items and the population are not known but estimated. To first order their errors move an item's mean along
its regression on them, which adds to its covariance what the marginal information has beyond that of the item's own
block (the second term of the law of total variance), and a shift of theirs moves it in the same way (Tierney & Kadane,
1986, give the expansion; terms of items with themselves are exact here, those between items of first order).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.beliefs import Beliefs, log_density, settled
from calibration.estimation.blocks import ResponseBlocks, dense_codes
from calibration.estimation.expectation import posterior
from calibration.estimation.families import Batch
from calibration.estimation.fitting import Fit
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Grid
from calibration.estimation.reporting import traditional
from calibration.estimation.unknowns import Tables, Unknowns

Matrix = NDArray[np.float64]

TRIAL_DRAWS, DRAWS = 256, 1024  # powers of two, as Sobol's sequence asks for
DEGREES_OF_FREEDOM = 8.0  # of the t distribution: tails beyond a posterior's, so that no weight is without bound
LEAST_EFFECTIVE = 0.2  # share of the draws; less, and a few of them say everything
TABLE_NUMBERS = 2**23  # of curves at draws that are held at once, 64 MB
LARGEST_LOG_RATIO = 500.0  # of two probabilities: it stands where the posterior is 0, and must not overflow


@dataclass(frozen=True, slots=True)
class Moments:
    """Posterior means (m, p) and covariances (m, p, p) of a batch's reported parameters.

    `effective` (m,) is the effective sample size as a share of the draws (Kish): 1 / (M Σ weight²); NaN where there was
    nothing to draw from, or nothing to find. `found` (m,) says where it is enough.
    """

    mean: Matrix
    covariance: Matrix
    effective: Matrix

    @property
    def found(self) -> NDArray[np.bool_]:
        return np.asarray(self.effective >= LEAST_EFFECTIVE)


@dataclass(frozen=True, slots=True)
class _Sample:
    """Draws (m, M, p) of a batch's own parameters, with weights (m, M) that sum to 1."""

    draws: Matrix
    weights: Matrix

    def mean(self, values: Matrix) -> Matrix:
        """Of values (m, M, p): (m, p)."""
        return np.asarray((self.weights[:, None] @ values)[:, 0])

    def covariance(self, values: Matrix, others: Matrix) -> Matrix:
        """Of values (m, M, p) with others (m, M, r): (m, p, r)."""
        away = (values - self.mean(values)[:, None]) * self.weights[:, :, None]
        return np.asarray(away.transpose(0, 2, 1) @ (others - self.mean(others)[:, None]))


def posterior_means(persons: Partitions, result: Fit, beliefs: Beliefs, *, D: float = 1.0) -> list[Moments]:
    """Posterior moments of the reported parameters of every batch, from a fit that has converged.

    Every free parameter needs a prior (`beliefs.without_prior`), and none is tied to another's or in a testlet.
    """
    unknowns = result.unknowns
    tables = Tables.of(unknowns, Grid(result.nodes), persons.start)
    density = settled(beliefs, unknowns.batches)
    own = _own_blocks(result)
    samples = [
        _sampled(persons, unknowns, tables, density, number, covariance) for number, covariance in enumerate(own)
    ]
    shifts = _shifts(result, samples, own)
    return [
        _moments(batch, sample, marginal, conditional, shift, D)
        for batch, sample, marginal, conditional, shift in zip(
            unknowns.batches, samples, result.item_covariance, own, shifts, strict=True
        )
    ]


def _own_blocks(result: Fit) -> list[Matrix]:
    """Covariance (m, p, p) of every item's own parameters as if all else were known, NaN where it is not."""
    if result.covariance is None:
        return result.item_covariance
    information = np.linalg.inv(result.covariance)
    out, first = [], 0
    for batch in result.unknowns.batches:
        blocks = np.zeros((*batch.parameters.shape, batch.size))
        for block, free in zip(blocks, batch.free, strict=True):
            at = slice(first, first := first + int(free.sum()))
            block[np.ix_(free, free)] = np.linalg.inv(information[at, at])
        out.append(blocks)
    return out


def _sampled(
    persons: Partitions, unknowns: Unknowns, tables: Tables, density: Beliefs, number: int, covariance: Matrix
) -> _Sample:
    """Draws from the posterior of each of a batch's items, the others at their modes.

    They are made in the logs of slopes whose prior is lognormal, and in all other parameters as they are.
    """
    batch = unknowns.batches[number]
    logs = density.log_slopes(number, len(batch.items))
    centre = batch.parameters.copy()
    centre[logs, 0] = np.log(centre[logs, 0])
    scale = np.ones_like(centre)
    scale[logs, 0] = 1 / batch.parameters[logs, 0]
    spread = scale[:, :, None] * covariance * scale[:, None, :]
    sample = None
    for M in (TRIAL_DRAWS, DRAWS):
        drawn, log_proposal = _t_draws(centre, spread, batch.free, M)
        draws = drawn.copy()
        draws[logs, :, 0] = np.exp(draws[logs, :, 0])
        log_target = _log_likelihood(persons, unknowns, tables, number, draws) + _log_prior(batch, density, number, draws)
        sample = _Sample(draws, _weights(log_target - log_proposal))
        centre, spread = sample.mean(drawn), sample.covariance(drawn, drawn)
    return sample


def _t_draws(centre: Matrix, spread: Matrix, free: NDArray[np.bool_], M: int) -> tuple[Matrix, Matrix]:
    """Quasi-random draws (m, M, p) from multivariate t distributions, and their log densities (m, M) up to a constant.

    What is not free stays at the centre. Items whose spread is no covariance have NaN.
    """
    from scipy.special import gammaincinv, ndtri  # noqa: PLC0415  (scipy is loaded by what needs it)
    from scipy.stats import qmc  # noqa: PLC0415

    p = centre.shape[1]
    uniform = qmc.Sobol(p + 1, rng=np.random.default_rng(20260728)).random(M)
    chi_squared = 2 * gammaincinv(DEGREES_OF_FREEDOM / 2, uniform[:, p])
    standard = ndtri(uniform[:, :p])
    z = standard * np.sqrt(DEGREES_OF_FREEDOM / chi_squared)[:, None] * free[:, None, :]
    factor = _cholesky(spread + np.eye(p) * ~free[:, :, None])
    draws = centre[:, None] + (z @ factor.transpose(0, 2, 1)) * free[:, None]
    power = (DEGREES_OF_FREEDOM + free.sum(axis=1)) / 2
    return draws, -power[:, None] * np.log1p((z**2).sum(axis=2) / DEGREES_OF_FREEDOM)


def _cholesky(covariance: Matrix) -> Matrix:
    """Factors (m, p, p), NaN for what is not positive definite."""
    out = np.full_like(covariance, np.nan)
    for j, block in enumerate(covariance):
        try:
            out[j] = np.linalg.cholesky(block)
        except np.linalg.LinAlgError:
            continue
    return out


def _log_prior(batch: Batch, beliefs: Beliefs, number: int, draws: Matrix) -> Matrix:
    """Log prior density (m, M) of draws, as one of log a (or a), intercepts and logits; -inf where there is no curve."""
    m, M, _ = draws.shape
    allowed = _at_draws(batch, draws).allowed(draws.reshape(m * M, -1)).reshape(m, M)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_intercepts = -(batch.categories - 1) * np.log(np.abs(draws[:, :, 0]))  # |db / d intercept|
        return np.where(allowed, log_density(beliefs, number, batch, draws) + of_intercepts, -np.inf)


def _at_draws(batch: Batch, draws: Matrix) -> Batch:
    """A batch whose items are draws (m, M, p) of a batch's: M · m of them."""
    m, M, p = draws.shape
    return replace(
        batch,
        items=np.repeat(batch.items, M),
        parameters=draws.reshape(m * M, p),
        free=np.repeat(batch.free, M, axis=0),
    )


def _log_likelihood(
    persons: Partitions, unknowns: Unknowns, tables: Tables, number: int, draws: Matrix
) -> Matrix:
    """Log conditional likelihoods (m, M) of a batch's items at draws (m, M, p) of each, 0 at the modes."""
    m, M, _ = draws.shape
    batch = unknowns.batches[number]
    size = max(1, TABLE_NUMBERS // (batch.categories * len(tables.nodes) * M))
    return np.concatenate(
        [
            persons.total(_of_persons, tables, _part(batch, slice(first, first + size)), draws[first : first + size])
            for first in range(0, m, size)
        ]
    )


def _part(batch: Batch, which: slice) -> Batch:
    return replace(batch, items=batch.items[which], parameters=batch.parameters[which], free=batch.free[which])


def _of_persons(layout: ResponseBlocks, tables: Tables, batch: Batch, draws: Matrix) -> Matrix:
    """Σ weight · log Σ_q P(q | responses) · P(x | q, draw) / P(x | q, mode) of the persons in `layout`, (m, M)."""
    m, M, _ = draws.shape
    at_modes = batch.log_probability(tables.nodes)  # (m, K, Q)
    at_draws = _at_draws(batch, draws).log_probability(tables.nodes).reshape(m, M, *at_modes.shape[1:])
    ratios = at_draws.transpose(0, 2, 3, 1) - at_modes[:, :, :, None]  # (m, K, Q, M)
    np.exp(np.minimum(ratios, LARGEST_LOG_RATIO, out=ratios), out=ratios)
    out = np.zeros((m, M))
    for block in layout:
        density, _ = posterior(block, tables, layout)
        codes = dense_codes(block, len(layout.categories))[:, batch.items]
        for j in range(m):
            for k in range(batch.categories):
                chose = np.flatnonzero(codes[:, j] == k)
                if chose.size:
                    out[j] += block.weight[chose] @ np.log(density[chose] @ ratios[j, k])
    return out


def _weights(log_weight: Matrix) -> Matrix:
    """Weights (m, M) that sum to 1, NaN where none is finite."""
    with np.errstate(invalid="ignore"):
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _shifts(result: Fit, samples: Sequence[_Sample], own: Sequence[Matrix]) -> list[Matrix]:
    """How far each item's own parameters (m, p) move because the others' means are not their modes."""
    batches = result.unknowns.batches
    moved = [sample.mean(sample.draws) - batch.parameters for sample, batch in zip(samples, batches, strict=True)]
    if result.covariance is None:
        return [np.zeros_like(by) for by in moved]
    forces = [_solved(V, by[:, :, None], batch.free)[:, :, 0] for V, by, batch in zip(own, moved, batches, strict=True)]
    free = [batch.free for batch in batches]
    force = np.concatenate([of[which] for of, which in zip(forces, free, strict=True)])
    B = len(force)
    together = result.covariance[:B, :B] @ np.where(np.isfinite(force), force, 0.0)
    out, first = [], 0
    for by, which in zip(moved, free, strict=True):
        shift = np.zeros_like(by)
        shift[which] = together[first : first + int(which.sum())] - by[which]
        first += int(which.sum())
        out.append(shift)
    return out


def _solved(covariance: Matrix, right: Matrix, free: NDArray[np.bool_]) -> Matrix:
    """Covariance⁻¹ · right, (m, p, r), over the free parameters; 0 for the others."""
    both = free[:, :, None] & free[:, None, :]
    filled = np.where(both, covariance, np.eye(free.shape[1]) * ~free[:, :, None])
    return np.asarray(np.linalg.solve(filled, np.where(free[:, :, None], right, 0.0)))


def _moments(
    batch: Batch, sample: _Sample, marginal: Matrix, conditional: Matrix, shift: Matrix, D: float
) -> Moments:
    """Moments of the reported parameters: those of the item's own posterior, and what the others' errors add."""
    m, M, p = sample.draws.shape
    names = [""] * (m * M)
    with np.errstate(invalid="ignore", divide="ignore"):
        modes = traditional(batch, [""] * m, D)[0]
        numbers = traditional(_at_draws(batch, sample.draws), names, D)[0].reshape(m, M, p)
    away = numbers - modes[:, None]  # of what is fixed exactly 0
    cross = sample.covariance(sample.draws, away)  # (m, p of own, p of reported)
    regression = _solved(conditional, cross, batch.free).transpose(0, 2, 1)
    beyond = np.where(np.isfinite(marginal), marginal - conditional, 0.0)
    covariance = sample.covariance(away, away) + regression @ beyond @ regression.transpose(0, 2, 1)
    mean = modes + sample.mean(away) + (regression @ shift[:, :, None])[:, :, 0]
    effective = 1 / (M * (sample.weights**2).sum(axis=1))
    return Moments(mean, covariance, np.where(batch.free.any(axis=1), effective, np.nan))
