"""Which parameters of items and groups an estimation was free to choose: what degrees of freedom count.

It follows from the names of the models: Rasch, PCM and RSM fix a = 1 and leave the spread of ability free; 1PL has one
slope for all its items; RSM has one set of steps for all items of as many categories. Items that are anchors of the
scale are not free, and where there are any, so are the mean and spread of every group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.fit.persons import Fitted
from calibration.linking.vectors import covariance_block, square_root
from calibration.models import Curves, ItemParameters, Scale

Matrix = NDArray[np.float64]

FIXED_SLOPE = ("Rasch", "PCM", "RSM")
STEP = 1e-5  # of central differences: errors of about 1e-10


def item_unknowns(item: ItemParameters, scale: Scale) -> int:
    """Free parameters behind one item's curve, m of S-X²: its own, and the slope or spread it shares with others."""
    if item.id in scale.anchors:
        return 0
    names = item.parameter_names
    if item.model == "RSM":
        return 2  # its location, and the common spread; the steps are everybody's
    return len(names)  # Rasch and PCM have the common spread in place of a


@dataclass(frozen=True, slots=True)
class Unknowns:
    """How the F free parameters move the items: `design` (P, F) takes them to the P parameters named one item after
    another, `mean` and `sd` (G,) say which groups' distributions are free.
    """

    design: Matrix
    mean: NDArray[np.bool_]
    sd: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return int(self.design.shape[1]) + int(self.mean.sum() + self.sd.sum())


def unknowns(items: Sequence[ItemParameters], scale: Scale, groups: int) -> Unknowns:
    """The free parameters of `items` and `groups`; the first group identifies the scale where no item is an anchor."""
    columns: dict[tuple[str, ...], int] = {}
    entries: list[tuple[int, tuple[str, ...], float]] = []
    row = 0
    anchored = {item.id for item in items} & set(scale.anchors)
    for item in items:
        for name in item.parameter_names:
            if item.id not in anchored:
                for column, value in _moved_by(item, name):
                    columns.setdefault(column, len(columns))
                    entries.append((row, column, value))
            row += 1
    design = np.zeros((row, len(columns)))
    for at, column, value in entries:
        design[at, columns[column]] += value
    later = np.arange(groups) > 0
    spread = any(item.model in FIXED_SLOPE for item in items)
    return Unknowns(design, later | bool(anchored), later | bool(anchored) | spread)


def _moved_by(item: ItemParameters, name: str) -> list[tuple[tuple[str, ...], float]]:
    """Free parameters that move this one, with how much."""
    if name == "a" and item.model in FIXED_SLOPE:
        return []
    if name == "a" and item.model == "1PL":
        return [(("1PL", "a"), 1.0)]
    if item.model == "RSM":
        K = item.categories
        step = int(name[1:])
        location = [((item.id, "location"), 1.0)]
        if step < K - 1:
            return [*location, (("RSM", str(K), str(step)), 1.0)]
        return [*location, *((("RSM", str(K), str(h)), -1.0) for h in range(1, K - 1))]  # steps sum to 0
    return [((item.id, name), 1.0)]


def anchor_errors(data: Fitted) -> dict[int, Matrix]:
    """Square roots R, (p, p), of the covariance of those anchors' parameters whose errors are known, by item number.

    R Rᵀ is the covariance of the estimates that the anchors came with: they are fixed here, and yet not exact.
    """
    anchors = set(data.scale.anchors)
    blocks = {j: covariance_block(item) for j, item in enumerate(data.items) if item.id in anchors}
    return {j: square_root(block) for j, block in blocks.items() if block is not None}


def probability_derivatives(data: Fitted) -> list[Matrix]:
    """Derivatives of P(category) in each item's parameters, one (p, K, Q) an item, by central differences.

    All items move at once, each by its own parameter of the same rank, as their curves do not depend on each other.
    """
    items = data.items
    ranks = max(len(item.parameter_names) for item in items)
    out = [np.empty((len(i.parameter_names), i.categories, len(data.nodes))) for i in items]
    for rank in range(ranks):
        moved = [j for j, item in enumerate(items) if rank < len(item.parameter_names)]
        names = [items[j].parameter_names[rank] for j in moved]
        sides = [_step(items[j], name) for j, name in zip(moved, names, strict=True)]
        tables = [
            Curves.of(
                [_moved(items[j], name, h[side]) for j, name, h in zip(moved, names, sides, strict=True)], data.scale
            )
            for side in (0, 1)
        ]
        low, high = (table.probability(data.nodes) for table in tables)
        start = tables[0].start
        for n, (j, h) in enumerate(zip(moved, sides, strict=True)):
            rows = slice(start[n], start[n + 1])
            out[j][rank] = (high[rows] - low[rows]) / (h[1] - h[0])
    return out


def _step(item: ItemParameters, name: str) -> tuple[float, float]:
    """How far a parameter goes down and up without leaving where the model is defined."""
    value = parameter_value(item, name)
    h = STEP * max(1.0, abs(value))
    if name in {"c", "d"}:
        return max(-h, -value), min(h, 1 - value)
    if item.model == "GRM" and name != "a":
        h = min(h, 0.25 * float(np.diff(item.b).min(initial=np.inf)))
    return -h, h


def parameter_value(item: ItemParameters, name: str) -> float:
    """The parameter of that name of `parameter_names`."""
    if name in {"a", "c", "d"}:
        return float(getattr(item, name))
    if name == "b":
        return item.b[0]
    kind, k = name.rstrip("0123456789"), int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))
    values = {"b": item.b, "slope": item.slopes[1:], "intercept": item.intercepts[1:]}[kind]
    return values[k - 1]


def _moved(item: ItemParameters, name: str, by: float) -> ItemParameters:
    if name in {"a", "c", "d"}:
        return replace(item, **{name: getattr(item, name) + by})
    if name == "b":
        return replace(item, b=(item.b[0] + by,))
    kind, k = name.rstrip("0123456789"), int(name.lstrip("abcdefghijklmnopqrstuvwxyz"))
    field, at = {"b": ("b", k - 1), "slope": ("slopes", k), "intercept": ("intercepts", k)}[kind]
    values = list(getattr(item, field))
    values[at] += by
    return replace(item, **{field: tuple(values)})  # type: ignore[arg-type]
