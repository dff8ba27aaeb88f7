"""Posterior means and covariances of item parameters, where the fit has given their modes.

A posterior that data say little of is skew: the mode of a slope lies below its mean, and an interval about the mode is
not where the parameter is. What is known of one item, everything else at its mode, is a density of a few dimensions,

    p(xi) Π_i Σ_q P_i(q) · P(x_i | theta_q, xi) / P(x_i | theta_q, mode)

with P_i(q) the person's posterior at the modes, so that all draws of all items share the E-step. Its moments come from
importance sampling (Owen, 2013, ch. 9): quasi-random draws from a t distribution about the mode with the spread of the
information, then from one with the centre and spread that these have found. Draws are of log a (of a where its prior is
normal), b, logit c and logit d, in which posteriors are nearest to normal and the priors have their densities.

The other items and the population are not known but estimated. What their errors add to the covariance is taken from
the information: that of the item with all else estimated, less that with all else known, by the delta method (the
second term of the law of total variance; Tierney & Kadane, 1986, give the expansion behind both). That the others'
means are not their modes is left out: to first order in their own shifts alone it makes means worse, not better.
"""

from __future__ import annotations

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
from calibration.estimation.unknowns import Tables
from calibration.models import logistic

Matrix = NDArray[np.float64]

TRIAL_DRAWS, DRAWS = 512, 1024  # means of 4PL are then within 0.015 of a posterior standard deviation
DEGREES_OF_FREEDOM = 5.0  # of the t distribution: tails beyond a posterior's, so that no weight is without bound
LEAST_EFFECTIVE = 0.2  # share of the draws; less, and a few of them say everything
TABLE_NUMBERS = 2**23  # of curves at draws that are held at once, 64 MB
LARGEST_LOG_RATIO = 80.0  # of two probabilities: it stands where the posterior is 0, and must not overflow
FACTORS = 4  # persons whose likelihoods are multiplied before their logarithm is taken
LEAST_DENSITY = 1e-30  # of a person's posterior: with smaller numbers single precision is slow


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
    """Draws (m, M, p) with weights (m, M) that sum to 1."""

    draws: Matrix
    weights: Matrix

    @property
    def mean(self) -> Matrix:
        """(m, p)."""
        return np.asarray((self.weights[:, None] @ self.draws)[:, 0])

    @property
    def covariance(self) -> Matrix:
        """(m, p, p)."""
        away = self.draws - self.mean[:, None]
        return np.asarray((away * self.weights[:, :, None]).transpose(0, 2, 1) @ away)


def posterior_means(persons: Partitions, result: Fit, beliefs: Beliefs, *, D: float = 1.0) -> list[Moments]:
    """Posterior moments of the reported parameters of every batch, from a fit that has converged.

    Every free parameter needs a prior (`beliefs.without_prior`), and none is tied to another's or in a testlet.
    """
    unknowns = result.unknowns
    tables = Tables.of(unknowns, Grid(result.nodes), persons.start)
    density = settled(beliefs, unknowns.batches)
    moments = []
    for number, (batch, own, marginal) in enumerate(
        zip(unknowns.batches, _own_blocks(result), result.item_covariance, strict=True)
    ):
        sample = _sampled(persons, tables, batch, density, number, own, D)
        modes, jacobian = traditional(batch, [str(j) for j in batch.items], D)
        of_others = jacobian @ (marginal - own) @ jacobian.transpose(0, 2, 1)
        effective = 1 / (DRAWS * (sample.weights**2).sum(axis=1))
        both = batch.free[:, :, None] & batch.free[:, None, :]  # what is fixed stays as it is, without rounding
        moments.append(
            Moments(
                np.where(batch.free, sample.mean, modes),
                np.where(both, sample.covariance + of_others, 0.0),
                np.where(batch.free.any(axis=1), effective, np.nan),
            )
        )
    return moments


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
    persons: Partitions, tables: Tables, batch: Batch, beliefs: Beliefs, number: int, covariance: Matrix, D: float
) -> _Sample:
    """Draws from the posterior of each of a batch's items, all others at their modes."""
    logs = beliefs.log_slopes(number, len(batch.items))
    centre, jacobian = _coordinates(batch, logs)
    spread = jacobian @ covariance @ jacobian.transpose(0, 2, 1)
    for M in (TRIAL_DRAWS, DRAWS):
        u, log_proposal = _t_draws(centre, spread, batch.free, M)
        own, reported = _parameters(batch, logs, u, D)
        drawn = _at_draws(batch, own)
        log_posterior = _log_likelihood(persons, tables, batch, own) + log_density(beliefs, number, u)
        log_posterior[~drawn.allowed(drawn.parameters).reshape(-1, M)] = -np.inf
        weights = _weights(log_posterior - log_proposal)
        found = _Sample(u, weights)
        centre, spread = found.mean, found.covariance
    return _Sample(reported, weights)


def _coordinates(batch: Batch, logs: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """What is drawn, (m, p), and its derivatives (m, p, p) in the items' own parameters."""
    u, jacobian = traditional(batch, [str(j) for j in batch.items], 1.0)
    K, slope = batch.categories, batch.parameters[logs, 0]
    u[logs, 0], jacobian[logs, 0, 0] = np.log(slope), 1 / slope
    u[:, K:], jacobian[:, K:] = batch.parameters[:, K:], np.eye(batch.size)[K:]
    return u, jacobian


def _parameters(batch: Batch, logs: NDArray[np.bool_], u: Matrix, D: float) -> tuple[Matrix, Matrix]:
    """The items' own parameters and the reported ones at draws u, all (m, M, p)."""
    own, reported, K = u.copy(), u.copy(), batch.categories
    own[logs, :, 0] = np.exp(u[logs, :, 0])
    steps = u[:, :, 1:K]
    own[:, :, 1:K] = -own[:, :, :1] * (np.cumsum(steps, axis=2) if batch.family == "partial credit" else steps)
    reported[:, :, 0] = own[:, :, 0] / D
    reported[:, :, K:] = logistic(u[:, :, K:])
    return own, reported


def _t_draws(centre: Matrix, spread: Matrix, free: NDArray[np.bool_], M: int) -> tuple[Matrix, Matrix]:
    """Draws (m, M, p) from multivariate t distributions, and their log densities (m, M) up to a constant.

    What is not free stays at the centre. Items whose spread is no covariance have NaN. Uniform numbers are fractions of
    multiples of square roots of primes (Niederreiter, 1978), the same for all items and whenever this runs.
    """
    from scipy.special import gammaincinv, ndtri  # noqa: PLC0415  (scipy is loaded by what needs it)

    p, half = centre.shape[1], DEGREES_OF_FREEDOM / 2
    uniform = (np.arange(1, M + 1)[:, None] * np.sqrt(_primes(p + 1))) % 1
    over = gammaincinv(half, uniform[:, p:]) / half  # chi-squared over its degrees of freedom
    z = ndtri(uniform[:, :p]) / np.sqrt(over) * free[:, None, :]
    factor = _cholesky(spread + np.eye(p) * ~free[:, :, None])
    draws = centre[:, None] + (z @ factor.transpose(0, 2, 1)) * free[:, None]
    power = half + free.sum(axis=1) / 2
    return draws, -power[:, None] * np.log1p((z**2).sum(axis=2) / DEGREES_OF_FREEDOM)


def _primes(n: int) -> Matrix:
    """The first n primes."""
    found: list[int] = []
    candidate = 2
    while len(found) < n:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 1
    return np.array(found, float)


def _cholesky(covariance: Matrix) -> Matrix:
    """Factors (m, p, p), NaN for what is not positive definite."""
    out = np.full_like(covariance, np.nan)
    for j, block in enumerate(covariance):
        try:
            out[j] = np.linalg.cholesky(block)
        except np.linalg.LinAlgError:
            continue
    return out


def _at_draws(batch: Batch, draws: Matrix) -> Batch:
    """A batch whose items are draws (m, M, p) of a batch's: M · m of them."""
    m, M, p = draws.shape
    return replace(
        batch,
        items=np.repeat(batch.items, M),
        parameters=draws.reshape(m * M, p),
        free=np.repeat(batch.free, M, axis=0),
    )


def _log_likelihood(persons: Partitions, tables: Tables, batch: Batch, draws: Matrix) -> Matrix:
    """Log conditional likelihoods (m, M) of a batch's items at draws (m, M, p) of each, 0 at the modes."""
    out = np.zeros(draws.shape[:2])
    size = max(1, TABLE_NUMBERS // (batch.categories * len(tables.nodes) * draws.shape[1]))
    estimated = np.flatnonzero(batch.free.any(axis=1))
    for first in range(0, len(estimated), size):
        which = estimated[first : first + size]
        part = replace(batch, items=batch.items[which], parameters=batch.parameters[which], free=batch.free[which])
        out[which] = persons.total(_of_persons, tables, part, draws[which])
    return out


def _of_persons(layout: ResponseBlocks, tables: Tables, batch: Batch, draws: Matrix) -> Matrix:
    """Σ weight · log Σ_q P(q | responses) · P(x | q, draw) / P(x | q, mode) of the persons in `layout`, (m, M)."""
    m, M, _ = draws.shape
    at_modes = batch.log_probability(tables.nodes)  # (m, K, Q)
    at_draws = _at_draws(batch, draws).log_probability(tables.nodes).reshape(m, M, *at_modes.shape[1:])
    ratios = (at_draws.transpose(0, 2, 3, 1) - at_modes[:, :, :, None]).astype(np.float32)  # (m, K, Q, M)
    np.exp(np.clip(ratios, -LARGEST_LOG_RATIO, LARGEST_LOG_RATIO, out=ratios), out=ratios)
    out = np.zeros((m, M))
    for block in layout:
        density, _ = posterior(block, tables, layout)
        density, weight = density.astype(np.float32), block.weight.astype(np.float32)
        density[density < LEAST_DENSITY] = 0.0
        codes = dense_codes(block, len(layout.categories))[:, batch.items]
        for j in range(m):
            for k in range(batch.categories):
                chose = np.flatnonzero(codes[:, j] == k)
                if chose.size:
                    likelihoods = density[chose] @ ratios[j, k]
                    out[j] += _log_total(likelihoods, None if block.unweighted else weight[chose])
    return out


def _log_total(likelihoods: NDArray[np.float32], weight: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Σ weight · log of likelihoods (n, M), (M,); logarithms of few products are quicker than those of many factors."""
    with np.errstate(divide="ignore"):  # a draw that makes an answer impossible
        if weight is not None:
            return np.asarray(weight @ np.log(likelihoods))
        whole = len(likelihoods) // FACTORS * FACTORS
        products = likelihoods[:whole].reshape(FACTORS, -1, likelihoods.shape[1]).prod(axis=0)
        return np.asarray(np.log(products).sum(axis=0) + np.log(likelihoods[whole:]).sum(axis=0))


def _weights(log_weight: Matrix) -> Matrix:
    """Weights (m, M) that sum to 1, NaN where none is finite."""
    with np.errstate(invalid="ignore"):
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        return np.asarray(weight / weight.sum(axis=1, keepdims=True))
