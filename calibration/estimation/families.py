"""Items as an estimation sees them: families of curves in slopes and intercepts, and their derivatives.

An item's own parameters (p of them) are chosen so that the expected complete-data likelihood is as nearly quadratic as
can be; a, b, c, d are made from them at the end (`reporting`). Arrays are over m items alike: (m, p) parameters,
(m, K, Q) probabilities, (m, K, p, Q) scores, the derivatives of log P of category k at each node. Logistic curves are
as precise as the nodes: in single precision they cost a tenth.

    logistic        slope, intercept [, logit c [, logit d]]     P = c + (d - c) · logistic(slope · theta + intercept)
    graded          slope, intercept_1 > … > intercept_{K-1}     P(X ≥ k) = logistic(slope · theta + intercept_k)
    partial credit  slope, intercept_1 … intercept_{K-1}         log P_k = k · slope · theta + intercept_k + const
    nominal         slope_1 …, intercept_1 … (K - 1 of each)     log P_k = slope_k · theta + intercept_k + const
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calibration.models import logistic
from calibration.models.curves import log_graded

Matrix = NDArray[np.float64]
Family = Literal["logistic", "graded", "partial credit", "nominal"]

LARGEST_STEP = 1.0  # of a parameter in one Newton step: farther away its curve is another


@dataclass(frozen=True, slots=True)
class Batch:
    """m items of one family with K categories: which they are (m,), their parameters and which of them are `free`."""

    family: Family
    categories: int
    items: NDArray[np.intp]
    parameters: Matrix  # (m, p)
    free: NDArray[np.bool_]  # (m, p)
    testlet: int = -1  # the testlet that all of them belong to, -1 for none

    @property
    def size(self) -> int:
        return int(self.parameters.shape[1])

    @property
    def is_line(self) -> bool:
        """Whether log odds of success are slope · theta + intercept, without asymptotes."""
        return self.family == "logistic" and self.size == 2

    def at(self, parameters: Matrix) -> Batch:
        return replace(self, parameters=parameters.reshape(self.parameters.shape))

    def log_probability(self, nodes: Matrix) -> Matrix:
        """Log P of each category, (m, K, Q)."""
        return _LOG_PROBABILITY[self.family](self, nodes)

    def scores(self, nodes: Matrix) -> Matrix:
        """Derivatives of log P of each category in each parameter, (m, K, p, Q)."""
        return _SCORES[self.family](self, nodes)

    def score_terms(self, nodes: Matrix) -> list[ScoreTerm]:
        """The scores as a few products of what was answered and where on the ability scale."""
        return _SCORE_TERMS[self.family](self, nodes)

    def along_ability(self) -> Matrix:
        """How parameters (m, p) change where ability moves by 1 and they take it up: intercepts by slopes."""
        K = self.categories
        slopes = self.parameters[:, : K - 1] if self.family == "nominal" else self.parameters[:, :1]
        first = slopes.shape[1]
        out = np.zeros_like(self.parameters)
        steps = np.arange(1, K) if self.family == "partial credit" else 1.0
        out[:, first : first + K - 1] = slopes * steps
        return out

    def on_scale(self, mean: float, sd: float) -> Batch:
        """The same items where ability is (ability - mean) / sd: no probability changes."""
        own = self.parameters + mean * self.along_ability()
        own[:, : self.categories - 1 if self.family == "nominal" else 1] *= sd
        return self.at(own)

    def allowed(self, parameters: Matrix) -> NDArray[np.bool_]:
        """Which items (m,) have a curve with these parameters: graded intercepts fall, c stays below d."""
        if self.family == "graded":
            return np.asarray((np.diff(parameters[:, 1:], axis=1) < 0).all(axis=1))
        if self.family == "logistic" and self.size == 4:
            return np.asarray(parameters[:, 2] < parameters[:, 3])
        return np.ones(len(parameters), bool)


@dataclass(frozen=True, slots=True)
class ScoreTerm:
    """by_category[category] · curve(theta), one of the terms of a score.

    `parameters` (c,) are the parameters it belongs to; `by_category` (K, c), or None for 1 whatever was answered;
    `curves` is (m, c, Q), or (Q,) where all are alike. What does not depend on ability has no covariance with anything
    and is left out.
    """

    parameters: NDArray[np.intp]
    by_category: Matrix | None
    curves: Matrix


def gradient(batch: Batch, counts: Matrix, nodes: Matrix) -> Matrix:
    """Gradient (m, p) of Σ counts · log P, the expected complete-data log-likelihood; `counts` is (m, K, Q)."""
    if batch.is_line:
        return _two_parameters(batch, counts, nodes)[0]
    return np.asarray(np.einsum("mkq,mkpq->mp", counts, batch.scores(nodes), optimize=True))


def gradient_and_fisher(batch: Batch, counts: Matrix, nodes: Matrix) -> tuple[Matrix, Matrix]:
    """The gradient (m, p), and the expected information (m, p, p), which is never negative."""
    if batch.is_line:
        return _two_parameters(batch, counts, nodes)
    scores = batch.scores(nodes)
    slope = np.einsum("mkq,mkpq->mp", counts, scores, optimize=True)
    weight = counts.sum(axis=1)[:, None] * np.exp(batch.log_probability(nodes))  # (m, K, Q)
    m, K, p, Q = scores.shape
    flat = scores.transpose(0, 2, 1, 3).reshape(m, p, K * Q)
    return slope, (flat * weight.reshape(m, 1, K * Q)) @ flat.transpose(0, 2, 1)


def _two_parameters(batch: Batch, counts: Matrix, nodes: Matrix) -> tuple[Matrix, Matrix]:
    """`gradient_and_fisher` where log odds are a line: residuals and weights against 1, theta and theta²."""
    n = counts.sum(axis=1)
    P = logistic(_logits(batch, nodes))
    powers = np.stack([nodes**2, nodes, np.ones_like(nodes)], axis=1)
    g = (counts[:, 1] - n * P) @ powers[:, 1:]
    moments = (n * P * (1 - P)) @ powers
    return np.asarray(g), moments[:, [[0, 1], [1, 2]]]


def curvature(batch: Batch, counts: Matrix, nodes: Matrix, step: float = 1e-4) -> Matrix:
    """Minus the Hessian (m, p, p) of the expected complete-data log-likelihood.

    Where log P is linear in the parameters but for its constant it is the expected information; else central
    differences of the gradient, all items at once, which costs 2 p gradients.
    """
    if batch.is_line or batch.family in {"partial credit", "nominal"}:
        return gradient_and_fisher(batch, counts, nodes)[1]
    m, p = batch.parameters.shape
    out = np.empty((m, p, p))
    for k in range(p):
        shift = np.zeros(p)
        shift[k] = step
        up = gradient(batch.at(batch.parameters + shift), counts, nodes)
        down = gradient(batch.at(batch.parameters - shift), counts, nodes)
        out[:, k] = (down - up) / (2 * step)
    return np.asarray((out + out.transpose(0, 2, 1)) / 2)


def _asymptotes(batch: Batch) -> tuple[Matrix, Matrix]:
    """C and d, (m, 1) each."""
    m = len(batch.items)
    c = logistic(batch.parameters[:, 2:3]) if batch.size > 2 else np.zeros((m, 1))
    d = logistic(batch.parameters[:, 3:4]) if batch.size > 3 else np.ones((m, 1))
    return c, d


def _logits(batch: Batch, nodes: Matrix) -> Matrix:
    return np.asarray(batch.parameters[:, :1] * nodes + batch.parameters[:, 1:2], nodes.dtype)


def _log_logistic(batch: Batch, nodes: Matrix) -> Matrix:
    z = _logits(batch, nodes)
    if batch.is_line:
        right = np.minimum(z, 0) - np.log(1 + np.exp(-np.abs(z)))  # to 1e-16, at half the cost of the other
        return np.stack([right - z, right], axis=1)
    right = -np.logaddexp(0.0, -z)
    wrong = right - z
    c, d = _asymptotes(batch)
    with np.errstate(divide="ignore"):
        wrong, right = (
            np.logaddexp(np.log1p(-c) + wrong, np.log1p(-d) + right),
            np.logaddexp(np.log(c) + wrong, np.log(d) + right),
        )
    return np.stack([wrong, right], axis=1)


def _logistic_scores(batch: Batch, nodes: Matrix) -> Matrix:
    z = _logits(batch, nodes)
    star = logistic(z)
    out = np.empty((len(z), 2, batch.size, len(nodes)))
    if batch.size == 2:
        out[:, 0, 1], out[:, 1, 1] = -star, 1 - star
        out[:, :, 0] = out[:, :, 1] * nodes
        return out
    c, d = _asymptotes(batch)
    change = np.empty((len(z), batch.size, len(nodes)))  # of P in each parameter
    change[:, 1] = (d - c) * star * (1 - star)
    change[:, 0] = change[:, 1] * nodes
    change[:, 2] = c * (1 - c) * (1 - star)
    if batch.size > 3:
        change[:, 3] = d * (1 - d) * star
    P = np.exp(_log_logistic(batch, nodes))
    out[:, 0], out[:, 1] = -change / P[:, :1], change / P[:, 1:]
    return out


def _graded_logits(batch: Batch, nodes: Matrix) -> Matrix:
    return np.asarray(batch.parameters[:, :1, None] * nodes + batch.parameters[:, 1:, None])


def _log_graded(batch: Batch, nodes: Matrix) -> Matrix:
    return log_graded(_graded_logits(batch, nodes))


def _graded_scores(batch: Batch, nodes: Matrix) -> Matrix:
    z = _graded_logits(batch, nodes)
    star = logistic(z)  # P(X ≥ k), k = 1 … K - 1
    log_slope = -np.logaddexp(0.0, z) - np.logaddexp(0.0, -z)
    log_P = log_graded(z)
    out = np.zeros((len(z), batch.categories, batch.size, len(nodes)))
    out[:, 0, 0], out[:, -1, 0] = -star[:, 0] * nodes, (1 - star[:, -1]) * nodes
    out[:, 1:-1, 0] = (1 - star[:, :-1] - star[:, 1:]) * nodes
    for k in range(1, batch.categories):
        out[:, k, k] = np.exp(log_slope[:, k - 1] - log_P[:, k])
        out[:, k - 1, k] = -np.exp(log_slope[:, k - 1] - log_P[:, k - 1])
    return out


def _log_divide(z: Matrix) -> Matrix:
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def _log_partial_credit(batch: Batch, nodes: Matrix) -> Matrix:
    z = np.zeros((len(batch.items), batch.categories, len(nodes)))
    z[:, 1:] = batch.parameters[:, 1:, None]
    z += np.arange(batch.categories)[:, None] * (batch.parameters[:, :1] * nodes)[:, None]
    return _log_divide(z)


def _partial_credit_scores(batch: Batch, nodes: Matrix) -> Matrix:
    P = np.exp(_log_partial_credit(batch, nodes))
    K = batch.categories
    out = np.empty((len(P), K, K, len(nodes)))
    k = np.arange(K)[:, None]
    out[:, :, 0] = (k - (k * P).sum(axis=1, keepdims=True)) * nodes
    out[:, :, 1:] = np.eye(K)[:, 1:, None] - P[:, None, 1:]
    return out


def _log_nominal(batch: Batch, nodes: Matrix) -> Matrix:
    last = batch.categories - 1
    z = np.zeros((len(batch.items), batch.categories, len(nodes)))
    z[:, 1:] = batch.parameters[:, :last, None] * nodes + batch.parameters[:, last:, None]
    return _log_divide(z)


def _nominal_scores(batch: Batch, nodes: Matrix) -> Matrix:
    P = np.exp(_log_nominal(batch, nodes))
    K = batch.categories
    own = np.eye(K)[:, 1:, None] - P[:, None, 1:]  # (m, K, K - 1, Q)
    return np.concatenate([own * nodes, own], axis=2)


def _logistic_terms(batch: Batch, nodes: Matrix) -> list[ScoreTerm]:
    scores = _logistic_scores(batch, nodes)
    everything = ScoreTerm(np.arange(batch.size), None, scores[:, 0])
    if batch.size == 2:  # right - wrong is theta for the slope and 1 for the intercept
        return [everything, ScoreTerm(np.array([0]), np.array([[0.0], [1.0]]), nodes)]
    return [everything, ScoreTerm(np.arange(batch.size), np.array([0.0, 1.0])[:, None], scores[:, 1] - scores[:, 0])]


def _partial_credit_terms(batch: Batch, nodes: Matrix) -> list[ScoreTerm]:
    k = np.arange(batch.categories, dtype=float)[:, None]
    return [
        ScoreTerm(np.arange(batch.size), None, _partial_credit_scores(batch, nodes)[:, 0]),
        ScoreTerm(np.array([0]), k, nodes),
    ]


def _nominal_terms(batch: Batch, nodes: Matrix) -> list[ScoreTerm]:
    last = batch.categories - 1
    return [
        ScoreTerm(np.arange(batch.size), None, _nominal_scores(batch, nodes)[:, 0]),
        ScoreTerm(np.arange(last), np.eye(batch.categories)[:, 1:], nodes),
    ]


def _graded_terms(batch: Batch, nodes: Matrix) -> list[ScoreTerm]:
    scores = _graded_scores(batch, nodes)
    K = batch.categories
    chosen, thresholds = np.eye(K), np.arange(1, K)
    terms = [ScoreTerm(np.array([0]), chosen[:, k : k + 1], scores[:, k, :1]) for k in range(K)]
    at = np.stack([scores[:, k, k] for k in thresholds], axis=1)
    below = np.stack([scores[:, k - 1, k] for k in thresholds], axis=1)
    return [
        *terms,
        ScoreTerm(thresholds, chosen[:, 1:], at),
        ScoreTerm(thresholds, chosen[:, :-1], below),
    ]


_SCORE_TERMS = {
    "logistic": _logistic_terms,
    "graded": _graded_terms,
    "partial credit": _partial_credit_terms,
    "nominal": _nominal_terms,
}
_LOG_PROBABILITY = {
    "logistic": _log_logistic,
    "graded": _log_graded,
    "partial credit": _log_partial_credit,
    "nominal": _log_nominal,
}
_SCORES = {
    "logistic": _logistic_scores,
    "graded": _graded_scores,
    "partial credit": _partial_credit_scores,
    "nominal": _nominal_scores,
}
