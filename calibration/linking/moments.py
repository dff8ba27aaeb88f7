"""Linking by the moments of the anchors' parameters: mean/mean and mean/sigma."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.linking.criteria import Solution
from calibration.linking.errors import LinkError
from calibration.models import ItemParameters, Scale

Matrix = NDArray[np.float64]


def mean_mean(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    new_scale: Scale,
    base_scale: Scale,
    *,
    fixed_slope: bool = False,
) -> Solution:
    """A = mean a_new / mean a_base (Loyd & Hoover, 1980), B = mean b_base - A · mean b_new over all thresholds.

    With `fixed_slope` A = 1, as between Rasch scales. Raises LinkError where the mean slope is not positive.
    """
    ratio = new_scale.D / base_scale.D
    mean_new, mean_base = ratio * _mean_slope(new), _mean_slope(base)
    if not fixed_slope and min(mean_new, mean_base) <= 0:
        raise LinkError("the mean slope of the anchors is not positive on one of the scales: leave such items out")
    A = 1.0 if fixed_slope else mean_new / mean_base
    J = len(new)
    dA_new = [np.zeros(len(item.parameter_names)) for item in new]
    dA_base = [np.zeros(len(item.parameter_names)) for item in base]
    if not fixed_slope:
        for one, other in zip(dA_new, dA_base, strict=True):
            one[0] = ratio / (J * mean_base)
            other[0] = -A / (J * mean_base)
    return _with_location(A, new, base, dA_new, dA_base)


def mean_sigma(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    new_scale: Scale,  # noqa: ARG001
    base_scale: Scale,  # noqa: ARG001
    *,
    fixed_slope: bool = False,
) -> Solution:
    """A = SD b_base / SD b_new (Marco, 1977), B = mean b_base - A · mean b_new, over all thresholds.

    With `fixed_slope` A = 1. Raises LinkError where all thresholds of a scale are the same.
    """
    b_new, b_base = _thresholds(new), _thresholds(base)
    sd_new, sd_base = float(b_new.std()), float(b_base.std())
    if not fixed_slope and min(sd_new, sd_base) <= 0:
        raise LinkError("mean/sigma needs anchors of different difficulty; use stocking-lord, or mean-mean")
    A = 1.0 if fixed_slope else sd_base / sd_new
    m = len(b_new)
    dA_new, dA_base = [], []
    for one, other in zip(new, base, strict=True):
        d_new, d_base = np.zeros(len(one.parameter_names)), np.zeros(len(other.parameter_names))
        if not fixed_slope:
            places = slice(1, 1 + len(one.b))
            d_new[places] = -A * (np.array(one.b) - b_new.mean()) / (m * sd_new**2)
            d_base[places] = A * (np.array(other.b) - b_base.mean()) / (m * sd_base**2)
        dA_new.append(d_new)
        dA_base.append(d_base)
    return _with_location(A, new, base, dA_new, dA_base)


def _with_location(
    A: float,
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    dA_new: Sequence[Matrix],
    dA_base: Sequence[Matrix],
) -> Solution:
    b_new, b_base = _thresholds(new), _thresholds(base)
    B = float(b_base.mean() - A * b_new.mean())
    m = len(b_new)

    def both(item: ItemParameters, dA: Matrix, own: float) -> Matrix:
        dB = -dA * b_new.mean()
        dB[1 : 1 + len(item.b)] += own / m
        return np.stack([dA, dB])

    return Solution(
        A,
        B,
        None,
        tuple(both(item, dA, -A) for item, dA in zip(new, dA_new, strict=True)),
        tuple(both(item, dA, 1.0) for item, dA in zip(base, dA_base, strict=True)),
    )


def _mean_slope(items: Sequence[ItemParameters]) -> float:
    return float(np.mean([item.a for item in items]))


def _thresholds(items: Sequence[ItemParameters]) -> Matrix:
    return np.array([threshold for item in items for threshold in item.b])
