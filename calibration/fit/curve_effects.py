"""How much two groups' curves of an item differ, in units that mean something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.models import Curves, ItemParameters, Scale

Matrix = NDArray[np.float64]

AREA_REACH = 12.0  # standard deviations of the focal group: beyond, two curves with the same asymptotes are one
SMALL, LARGE = 0.05, 0.10  # of the maximum score, standardised p-differences (Dorans & Kulick, 1986)


@dataclass(frozen=True, slots=True)
class CurveEffect:
    """The focal group's expected score less the reference group's at the same ability.

    `signed_area` and `unsigned_area` are integrals over ability (Raju, 1988); `mean_difference` (SIDS) and
    `mean_absolute_difference` (UIDS) are averages over the focal group's abilities, and `essd` is the first in standard
    deviations of the expected score (Meade, 2010). `size` is A, B or C: a mean absolute difference below 5 % of the
    maximum score, below 10 %, or more, the limits of standardised p-differences (Dorans & Kulick, 1986).
    """

    signed_area: float
    unsigned_area: float
    mean_difference: float
    mean_absolute_difference: float
    essd: float
    size: str


NO_EFFECT = CurveEffect(*(float("nan"),) * 5, "")


def curve_effect(
    reference: ItemParameters, focal: ItemParameters, scale: Scale | None = None, *, mean: float = 0.0, sd: float = 1.0
) -> CurveEffect:
    """Effect of one item on persons of a focal group with ability N(mean, sd²), both curves on one scale."""
    curves = Curves.of([reference, focal], scale)
    z = np.linspace(-AREA_REACH, AREA_REACH, 2401)
    expected = curves.expected_marks(mean + sd * z)
    difference = expected[1] - expected[0]
    step = sd * (z[1] - z[0])
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    average = expected @ weight
    variance = ((expected - average[:, None]) ** 2) @ weight
    pooled = np.sqrt(variance.mean())
    absolute = float(weight @ np.abs(difference))
    top = max(reference.category_marks) - min(reference.category_marks)
    share = absolute / top
    return CurveEffect(
        signed_area=float(difference.sum() * step),
        unsigned_area=float(np.abs(difference).sum() * step),
        mean_difference=float(weight @ difference),
        mean_absolute_difference=absolute,
        essd=float((average[1] - average[0]) / pooled) if pooled > 0 else float("nan"),
        size="A" if share < SMALL else "B" if share < LARGE else "C",
    )
