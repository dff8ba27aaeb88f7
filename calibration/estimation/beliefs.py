"""Priors as an estimation uses them: log densities and derivatives in the items' own slopes and intercepts.

A prior is Gaussian in a transformed parameter u (a, log a, b, logit c, logit d), or Beta in c or d. With u = b = -(L ·
intercepts) / slope the chain rule brings second derivatives of u itself into the Hessian. A floating mean is at its
maximum, the mean of its family: the gradient holds as it stands, and the family's share in the Hessian is of rank one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lgamma

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.families import Batch
from calibration.models import logistic
from calibration.priors import Beta, LogitNormal, LogNormal, Normal, Priors

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gaussian:
    """u ~ N(mean, sd²) for some items (r,) of a batch; a family ≥ 0 instead of the mean lets it float."""

    batch: int
    items: NDArray[np.intp]
    target: str  # "a", "log a", "b", "logit"
    column: int  # of the parameter: for b the threshold from 0, for logit the column of c or d
    mean: Matrix
    sd: Matrix
    family: NDArray[np.intp]
    density_of_a: bool = False


@dataclass(frozen=True, slots=True)
class BetaTerm:
    batch: int
    items: NDArray[np.intp]
    column: int
    alpha: Matrix
    beta: Matrix


@dataclass(frozen=True, slots=True)
class Beliefs:
    """All priors of a calibration, in the order of its batches."""

    gaussians: tuple[Gaussian, ...] = ()
    betas: tuple[BetaTerm, ...] = ()
    families: int = 0

    @classmethod
    def of(cls, batches: Sequence[Batch], priors: Sequence[Priors], D: float = 1.0) -> Beliefs:
        """`priors` (J,) of all items; those of fixed parameters say nothing and are left out."""
        builder = _Builder(D)
        for number, batch in enumerate(batches):
            builder.add(number, batch, [priors[j] for j in batch.items])
        return cls(tuple(builder.gaussians), tuple(builder.betas), len(builder.families))

    def __bool__(self) -> bool:
        return bool(self.gaussians or self.betas)

    def log_slopes(self, number: int, m: int) -> NDArray[np.bool_]:
        """Which of the m items of a batch have a prior on the log of their slope."""
        out = np.zeros(m, bool)
        for term in self.gaussians:
            if term.batch == number and term.target == "log a":
                out[term.items] = True
        return out


@dataclass(frozen=True, slots=True)
class Terms:
    """Log prior; its gradient (m, p) and minus its Hessian (m, p, p) for every batch, families taken as fixed.

    `shared` has for every family the vector (m, p) by batch whose outer product, over `precision`, a floating mean
    takes away from minus the Hessian.
    """

    value: float
    gradient: list[Matrix]
    curvature: list[Matrix]
    shared: list[list[Matrix]]
    precision: Matrix


def prior_terms(beliefs: Beliefs, batches: Sequence[Batch]) -> Terms:
    """The priors at the batches' parameters."""
    gradient = [np.zeros_like(batch.parameters) for batch in batches]
    curvature = [np.zeros((*batch.parameters.shape, batch.size)) for batch in batches]
    shared = [[np.zeros_like(batch.parameters) for batch in batches] for _ in range(beliefs.families)]
    value = 0.0
    u = [_transformed(term, batches[term.batch]) for term in beliefs.gaussians]
    means, precision = _family_means(beliefs, [point for point, _, _ in u])
    for term, (point, first, second) in zip(beliefs.gaussians, u, strict=True):
        floating = term.family >= 0
        mean = np.where(floating, means[term.family], term.mean) if beliefs.families else term.mean
        away = (point - mean) / term.sd**2
        value += float((-0.5 * away * (point - mean) - 0.5 * np.log(2 * np.pi * term.sd**2)).sum())
        gradient[term.batch][term.items] -= away[:, None] * first
        curvature[term.batch][term.items] += (
            first[:, :, None] * first[:, None, :] / (term.sd**2)[:, None, None] + away[:, None, None] * second
        )
        if term.density_of_a:  # a density of a carries the factor 1 / a, one of log a does not
            slope = batches[term.batch].parameters[term.items, 0]
            own = ~floating
            value -= float(np.log(slope[own]).sum())
            gradient[term.batch][term.items, 0] -= own / slope
            curvature[term.batch][term.items, 0, 0] -= own / slope**2
        for family in np.unique(term.family[floating]):
            inside = term.family == family
            shared[family][term.batch][term.items[inside]] += first[inside] / (term.sd[inside] ** 2)[:, None]
    for beta in beliefs.betas:
        value += _add_beta(beta, batches[beta.batch], gradient[beta.batch], curvature[beta.batch])
    return Terms(value, gradient, curvature, shared, precision)


def settled(beliefs: Beliefs, batches: Sequence[Batch]) -> Beliefs:
    """The same priors with floating means where they are with the batches' parameters, no longer floating."""
    means, _ = _family_means(beliefs, [_transformed(term, batches[term.batch])[0] for term in beliefs.gaussians])
    kept = [
        replace(
            term,
            mean=np.where(term.family >= 0, means[term.family], term.mean) if beliefs.families else term.mean,
            family=np.full_like(term.family, -1),
        )
        for term in beliefs.gaussians
    ]
    return Beliefs(tuple(kept), beliefs.betas)


def log_density(beliefs: Beliefs, number: int, u: Matrix) -> Matrix:
    """Log of the density (m, M) that settled priors have at u (m, M, p), up to a constant.

    u are draws of log a (or a), b_1 …, logit c, logit d of a batch's items, and the density is one of these, whatever
    the prior itself is a density of.
    """
    out = np.zeros(u.shape[:2])
    for term in beliefs.gaussians:
        if term.batch == number:
            away = (u[term.items, :, _column(term)] - term.mean[:, None]) / term.sd[:, None]
            out[term.items] -= 0.5 * away**2
    for beta in beliefs.betas:
        if beta.batch == number:
            logit = u[beta.items, :, beta.column]
            A, B = beta.alpha[:, None], beta.beta[:, None]
            out[beta.items] -= A * np.logaddexp(0.0, -logit) + B * np.logaddexp(0.0, logit)
    return out


def _column(term: Gaussian) -> int:
    """The parameter of its item that a prior is of."""
    return {"b": 1 + term.column, "logit": term.column}.get(term.target, 0)


def without_prior(beliefs: Beliefs, batches: Sequence[Batch]) -> list[NDArray[np.bool_]]:
    """Which free parameters (m, p) of every batch no prior holds: a floating mean of one item alone is no prior."""
    out = [batch.free.copy() for batch in batches]
    members = np.zeros(beliefs.families + 1, np.intp)  # the last for those that do not float
    for term in beliefs.gaussians:
        np.add.at(members, term.family, 1)
    for term in beliefs.gaussians:
        held = (term.family < 0) | (members[term.family] > 1)
        out[term.batch][term.items[held], _column(term)] = False
    for beta in beliefs.betas:
        out[beta.batch][beta.items, beta.column] = False
    return out


def _family_means(beliefs: Beliefs, points: list[Matrix]) -> tuple[Matrix, Matrix]:
    total, precision = np.zeros(beliefs.families), np.zeros(beliefs.families)
    for term, point in zip(beliefs.gaussians, points, strict=True):
        inside = term.family >= 0
        np.add.at(total, term.family[inside], (point / term.sd**2)[inside])
        np.add.at(precision, term.family[inside], (1 / term.sd**2)[inside])
    return total / np.where(precision > 0, precision, 1.0), precision


def _transformed(term: Gaussian, batch: Batch) -> tuple[Matrix, Matrix, Matrix]:
    """U (r,), its first (r, p) and second (r, p, p) derivatives in the item's own parameters."""
    own = batch.parameters[term.items]
    first, second = np.zeros_like(own), np.zeros((*own.shape, batch.size))
    slope = own[:, 0]
    if term.target == "logit":
        first[:, term.column] = 1.0
        return own[:, term.column], first, second
    if term.target == "a":
        first[:, 0] = 1.0
        return slope, first, second
    if term.target == "log a":
        first[:, 0], second[:, 0, 0] = 1 / slope, -1 / slope**2
        return np.log(slope), first, second
    weights = np.zeros(batch.size)  # b = -(weights · parameters) / slope
    weights[1 + term.column] = 1.0
    if batch.family == "partial credit" and term.column > 0:
        weights[term.column] = -1.0
    b = -(own @ weights) / slope
    first[:] = -weights / slope[:, None]
    first[:, 0] = -b / slope
    second[:, 0, :] = second[:, :, 0] = weights / slope[:, None] ** 2
    second[:, 0, 0] = 2 * b / slope**2
    return b, first, second


def _add_beta(term: BetaTerm, batch: Batch, gradient: Matrix, curvature: Matrix) -> float:
    c = logistic(batch.parameters[term.items, term.column])
    A, B = term.alpha - 1, term.beta - 1
    gradient[term.items, term.column] += A * (1 - c) - B * c
    curvature[term.items, term.column, term.column] += (A + B) * c * (1 - c)
    norm = sum(lgamma(a + b) - lgamma(a) - lgamma(b) for a, b in zip(term.alpha, term.beta, strict=True))
    return float((A * np.log(c) + B * np.log1p(-c)).sum()) + norm


class _Builder:
    """Collects the priors of batches; families get numbers as they come."""

    def __init__(self, D: float) -> None:
        self.D = D
        self.gaussians: list[Gaussian] = []
        self.betas: list[BetaTerm] = []
        self.families: dict[tuple[str, str], int] = {}

    def add(self, number: int, batch: Batch, priors: Sequence[Priors]) -> None:
        if batch.family == "nominal":
            return
        thresholds = 1 if batch.family == "logistic" else batch.categories - 1
        self._slopes(number, batch, priors)
        for k in range(thresholds):
            free = batch.free[:, 1 + k] | batch.free[:, 0]
            chosen = [(i, p.b) for i, p in enumerate(priors) if p.b is not None and free[i]]
            self._gaussian(number, "b", k, chosen, 1.0)
        for column, name in ((2, "c"), (3, "d")):
            if batch.family == "logistic" and batch.size > column:
                self._asymptotes(number, batch, column, [getattr(p, name) for p in priors])

    def _slopes(self, number: int, batch: Batch, priors: Sequence[Priors]) -> None:
        free = batch.free[:, 0]
        log = [(i, p.a) for i, p in enumerate(priors) if isinstance(p.a, LogNormal) and free[i]]
        self._gaussian(number, "log a", 0, log, np.log(self.D), density_of_a=True)
        plain = [(i, p.a) for i, p in enumerate(priors) if isinstance(p.a, Normal) and free[i]]
        self._gaussian(number, "a", 0, plain, self.D)

    def _gaussian(
        self,
        number: int,
        target: str,
        column: int,
        chosen: Sequence[tuple[int, LogNormal | Normal]],
        D: float,
        *,
        density_of_a: bool = False,
    ) -> None:
        """`D` moves a prior of a to one of the slope D · a: by its log where the target is log a, else as a factor."""
        if not chosen:
            return
        factor = D if target == "a" else 1.0
        shift = D if target == "log a" else 0.0
        self.gaussians.append(
            Gaussian(
                number,
                np.array([i for i, _ in chosen]),
                target,
                column,
                np.array([0.0 if p.mean is None else factor * p.mean + shift for _, p in chosen]),
                np.array([factor * p.sd for _, p in chosen]),
                np.array([self._family(target, column, p) for _, p in chosen]),
                density_of_a,
            )
        )

    def _family(self, target: str, column: int, prior: LogNormal | Normal) -> int:
        if prior.mean is not None:
            return -1
        name = prior.family if isinstance(prior, Normal) else ""
        # thresholds of an unnamed family share one mean; those of clones have one each
        key = (target, f"{name}/{column}" if name else "")
        return self.families.setdefault(key, len(self.families))

    def _asymptotes(self, number: int, batch: Batch, column: int, priors: Sequence[Beta | LogitNormal | None]) -> None:
        free = batch.free[:, column]
        normal = [(i, p) for i, p in enumerate(priors) if isinstance(p, LogitNormal) and free[i]]
        if normal:
            self.gaussians.append(
                Gaussian(
                    number,
                    np.array([i for i, _ in normal]),
                    "logit",
                    column,
                    np.array([p.mean for _, p in normal]),
                    np.array([p.sd for _, p in normal]),
                    np.full(len(normal), -1),
                )
            )
        beta = [(i, p) for i, p in enumerate(priors) if isinstance(p, Beta) and free[i]]
        if beta:
            self.betas.append(
                BetaTerm(
                    number,
                    np.array([i for i, _ in beta]),
                    column,
                    np.array([p.alpha for _, p in beta]),
                    np.array([p.beta for _, p in beta]),
                )
            )
