"""Items in slope-intercept form with D = 1, in which most programs store them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from calibration.linking.transform import transform_items
from calibration.models import ItemParameters, Scale


def without_constant(items: Sequence[ItemParameters], scale: Scale) -> tuple[tuple[ItemParameters, ...], Scale]:
    """The same curves with D = 1: slopes are multiplied by D, standard errors follow."""
    if scale.D == 1:
        return tuple(items), scale
    return transform_items(items, 1.0, 0.0, scale=scale, D=1.0), replace(scale, D=1.0)


def category_terms(item: ItemParameters) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Slopes and intercepts (K each, the first 0) of log P_k = slope_k · theta + intercept_k + const, for D = 1."""
    if item.model == "NRM":
        slopes = tuple(slope - item.slopes[0] for slope in item.slopes)
        return slopes, tuple(intercept - item.intercepts[0] for intercept in item.intercepts)
    intercepts = [0.0]
    for threshold in item.b:
        intercepts.append(intercepts[-1] - item.a * threshold)
    return tuple(item.a * k for k in range(item.categories)), tuple(intercepts)


def divided_by_total(name: str, slopes: Sequence[float], intercepts: Sequence[float], *, fixed: bool) -> ItemParameters:
    """The item with these category terms: partial credit where slopes rise evenly, else nominal.

    `fixed`: the slope was not estimated, so that a = 1 means PCM.
    """
    first = slopes[1] - slopes[0]
    even = all(abs(after - before - first) <= 1e-9 * max(1.0, abs(first)) for before, after in pairwise(slopes))
    if not even or first == 0:
        zero = (slopes[0], intercepts[0])
        return ItemParameters(
            name, "NRM", slopes=tuple(s - zero[0] for s in slopes), intercepts=tuple(i - zero[1] for i in intercepts)
        )
    b = tuple(-(after - before) / first for before, after in pairwise(intercepts))
    return ItemParameters(name, "PCM" if fixed and first == 1 else "GPCM", a=first, b=b)
