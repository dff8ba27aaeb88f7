"""What is believed of item parameters before the data: densities of a and b and their derivatives.

The densities are of a and b themselves. Estimation works in slope and intercept, so every derivative goes through the
chain rule b = -intercept / slope; no Jacobian is added, because the maximum of a density times a likelihood does not
depend on the variables it is searched in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LogNormal:
    """log a ~ N(mean, sd²), as a density of a. With mean None it is a density of log a around the items' own mean."""

    mean: float | None
    sd: float

    def __str__(self) -> str:
        return f"lognormal({_mean(self.mean)}, {self.sd:g})"


@dataclass(frozen=True, slots=True)
class Normal:
    """b ~ N(mean, sd²); with mean None around the items' own mean."""

    mean: float | None
    sd: float

    def __str__(self) -> str:
        return f"normal({_mean(self.mean)}, {self.sd:g})"


def _mean(mean: float | None) -> str:
    return "floating" if mean is None else f"{mean:g}"


@dataclass(frozen=True, slots=True)
class Priors:
    """Priors of a calibration; None leaves the parameter to the data."""

    a: LogNormal | None = None
    b: Normal | None = None

    def __str__(self) -> str:
        named = [f"{name} ~ {prior}" for name, prior in (("a", self.a), ("b", self.b)) if prior is not None]
        return ", ".join(named) or "none"


# With about 200 responses an item, slopes need a gentle hand, difficulties none. The mean floats with the items
# (BILOG-MG's FLOAT option): hundreds of items pulled to a fixed mean would together move the scale
# (docs/decisions/0004-default-priors.md).
DEFAULT_PRIORS = Priors(a=LogNormal(None, 0.5))
NO_PRIORS = Priors()


@dataclass(frozen=True, slots=True)
class PriorTerms:
    """log prior (J,), its gradient (J, 2) and Hessian (J, 2, 2) in (slope, intercept)."""

    value: NDArray[np.float64]
    gradient: NDArray[np.float64]
    hessian: NDArray[np.float64]


def prior_terms(priors: Priors, slope: NDArray[np.float64], intercept: NDArray[np.float64]) -> PriorTerms:
    """Log density of the priors at slopes and intercepts (J,) with D = 1, and its derivatives.

    A floating mean is the maximum over the mean, so the gradient holds as it stands; the Hessian leaves out its 1 / J
    share.
    """
    J = len(slope)
    value, gradient, hessian = np.zeros(J), np.zeros((J, 2)), np.zeros((J, 2, 2))
    if priors.a is not None:
        log_a, variance = np.log(slope), priors.a.sd**2
        of_a = priors.a.mean is not None  # a density of a carries the factor 1 / a, one of log a does not
        away = log_a - (log_a.mean() if priors.a.mean is None else priors.a.mean)
        value += -(away**2) / (2 * variance) - of_a * log_a - 0.5 * np.log(2 * np.pi * variance)
        gradient[:, 0] += -(away / variance + of_a) / slope
        hessian[:, 0, 0] += (away / variance + of_a - 1 / variance) / slope**2
    if priors.b is not None:
        variance = priors.b.sd**2
        b = -intercept / slope
        away = b - (b.mean() if priors.b.mean is None else priors.b.mean)
        value += -(away**2) / (2 * variance) - 0.5 * np.log(2 * np.pi * variance)
        db = np.stack([-b / slope, -1 / slope], axis=1)
        ddb = np.zeros((J, 2, 2))
        ddb[:, 0, 0] = 2 * b / slope**2
        ddb[:, 0, 1] = ddb[:, 1, 0] = 1 / slope**2
        gradient += -(away / variance)[:, None] * db
        hessian += -(db[:, :, None] * db[:, None, :]) / variance - (away / variance)[:, None, None] * ddb
    return PriorTerms(value, gradient, hessian)
