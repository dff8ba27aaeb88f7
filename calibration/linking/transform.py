"""Items and populations moved to another scale: theta* = A · theta + B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.linking.vectors import covariance_block, parameter_vector, with_parameters
from calibration.models import ItemParameters, Scale

Matrix = NDArray[np.float64]

# a model that fixes a = 1 keeps that only where A = 1 and D stays
_FREE = {"Rasch": "1PL", "PCM": "GPCM"}


def transform_items(
    items: Sequence[ItemParameters], A: float, B: float, *, scale: Scale | None = None, D: float | None = None
) -> tuple[ItemParameters, ...]:
    """Items on the scale theta* = A · theta + B, with the constant D (that of `scale` unless another is given).

    a* = a · D_old / (A · D), b* = A · b + B, c and d stay; of nominal items slope* = slope · D_old / (A · D) and
    intercept* = intercept - slope · D_old · B / A (Kolen & Brennan, 2004, sec. 6.2; Baker, 1993). Standard errors and
    covariances follow; they do not hold the error of A and B. Where a changes, Rasch items become 1PL ones and PCM
    items GPCM ones. The curves say the same at A · theta + B as before at theta.
    """
    old = (scale or Scale()).D
    ratio = old / (old if D is None else D)
    return tuple(_transformed(item, A, B, old, ratio) for item in items)


def transform_scale(scale: Scale, A: float, B: float, *, id: str | None = None, D: float | None = None) -> Scale:  # noqa: A002
    """The scale with its population moved along: mean* = A · mean + B, sd* = |A| · sd."""
    return replace(
        scale,
        id=scale.id if id is None else id,
        D=scale.D if D is None else D,
        mean=A * scale.mean + B,
        sd=abs(A) * scale.sd,
    )


def transformation_jacobian(item: ItemParameters, A: float, B: float, *, D: float = 1.0, ratio: float = 1.0) -> Matrix:
    """Derivatives (p, p) of the transformed parameters in the original ones; they are linear in them but for NRM's."""
    names = item.parameter_names
    if item.model == "NRM":
        half = len(names) // 2
        eye, zero = np.eye(half), np.zeros((half, half))
        return np.block([[ratio / A * eye, zero], [-D * B / A * eye, eye]])
    return np.diag([ratio / A if name == "a" else A if name.startswith("b") else 1.0 for name in names])


def constants_jacobian(item: ItemParameters, A: float, B: float, *, D: float = 1.0, ratio: float = 1.0) -> Matrix:
    """Derivatives (p, 2) of the transformed parameters in A and B."""
    vector = parameter_vector(item)
    out = np.zeros((len(vector), 2))
    if item.model == "NRM":
        half = len(vector) // 2
        slopes = vector[:half]
        out[:half, 0] = -ratio * slopes / A**2
        out[half:, 0], out[half:, 1] = D * slopes * B / A**2, -D * slopes / A
        return out
    out[0, 0] = -ratio * vector[0] / A**2
    thresholds = slice(1, 1 + len(item.b))
    out[thresholds, 0], out[thresholds, 1] = vector[thresholds], 1.0
    return out


def _transformed(item: ItemParameters, A: float, B: float, D: float, ratio: float) -> ItemParameters:
    J = transformation_jacobian(item, A, B, D=D, ratio=ratio)
    moved = with_parameters(item, J @ parameter_vector(item) + _offset(item, B))
    if item.model == "NRM":  # the first category is the origin, whatever value it was given
        moved = replace(
            moved,
            slopes=tuple(ratio / A * slope for slope in item.slopes),
            intercepts=tuple(
                intercept - D * B / A * slope for slope, intercept in zip(item.slopes, item.intercepts, strict=True)
            ),
        )
    if item.location is not None:
        location, steps = A * item.location + B, tuple(A * step for step in item.steps)
        moved = replace(moved, location=location, steps=steps)
    if item.model in _FREE and moved.a != item.a:
        moved = replace(moved, model=_FREE[item.model])
    block = covariance_block(item)
    if block is None:
        return moved
    changed = J @ block @ J.T
    errors = dict(zip(item.parameter_names, np.sqrt(np.diag(changed)).tolist(), strict=True))
    # an intercept mixes with its slope: without their covariance its error is not known
    known = {
        name: error
        for name, error in errors.items()
        if name in item.se and (item.covariance or not name.startswith("intercept") or B == 0)
    }
    se = known | {name: value * abs(A) for name, value in item.se.items() if name not in errors}
    covariance = tuple(tuple(row) for row in changed.tolist()) if item.covariance else ()
    return replace(moved, se=se, covariance=covariance)


def _offset(item: ItemParameters, B: float) -> Matrix:
    if item.model == "NRM":
        return np.zeros(len(item.parameter_names))
    return np.array([B if name.startswith("b") else 0.0 for name in item.parameter_names])
