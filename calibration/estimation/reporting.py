"""From the items' own slopes and intercepts to a, b, c, d, with standard errors by the delta method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.families import Batch
from calibration.estimation.unknowns import Unknowns
from calibration.models import ItemParameters, ModelError, logistic, parameter_names

if TYPE_CHECKING:
    from calibration.estimation.posterior_means import Moments

Matrix = NDArray[np.float64]

NO_SLOPE = 1e-8


def reported(
    items: Sequence[str],
    models: Sequence[str],
    unknowns: Unknowns,
    covariance: Sequence[Matrix],
    n: Matrix,
    *,
    D: float = 1.0,
    anchors: Mapping[str, ItemParameters] | None = None,
    marks: Mapping[str, tuple[float, ...]] | None = None,
    with_errors: bool = True,
) -> tuple[ItemParameters, ...]:
    """Parameters of the items in their order, with standard errors from `covariance` (m, p, p) of every batch.

    Anchors are given back as they came. Raises ModelError where a slope is 0 and has no difficulty.
    """
    anchors, marks = anchors or {}, marks or {}
    found: dict[int, ItemParameters] = {}
    for batch, own_covariance in zip(unknowns.batches, covariance, strict=True):
        names = [items[j] for j in batch.items]
        numbers, jacobian = _nominal(batch, D) if batch.family == "nominal" else traditional(batch, names, D)
        blocks = jacobian @ own_covariance @ jacobian.transpose(0, 2, 1)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(blocks).all(axis=(1, 2)) & with_errors)
        errors = np.sqrt(np.maximum(np.einsum("mpp->mp", np.where(known[:, None, None], blocks, 0.0)), 0.0))
        estimated = (np.abs(jacobian) @ batch.free[:, :, None].astype(float))[:, :, 0] > 0
        listed = (array.tolist() for array in (batch.items, known, errors, estimated, blocks))
        about = zip(names, _items(batch, numbers), *listed, strict=True)
        for name, item, j, sure, error, free, block in about:
            if name in anchors:
                found[j] = anchors[name]
                continue
            parameters = parameter_names(models[j], batch.categories)
            if models[j] == "RSM":
                location = float(np.mean(item["b"]))
                item |= {"location": location, "steps": tuple(b - location for b in item["b"])}
            found[j] = ItemParameters(
                id=name,
                model=models[j],
                **item,
                marks=marks.get(name, ()),
                se={p: error[k] for k, p in enumerate(parameters) if sure and free[k]},
                covariance=tuple(map(tuple, block)) if sure else (),
                n=float(n[j]),
            )
    return tuple(found[j] for j in range(len(items)))


def with_means(
    items: Sequence[ItemParameters], unknowns: Unknowns, moments: Sequence[Moments]
) -> tuple[ItemParameters, ...]:
    """The items with posterior means, standard deviations and covariances where they were found."""
    out = list(items)
    for batch, of in zip(unknowns.batches, moments, strict=True):
        errors = np.sqrt(np.einsum("mpp->mp", of.covariance))
        about = zip(batch.items, _items(batch, of.mean), errors.tolist(), of.covariance, of.found, strict=True)
        for j, numbers, error, block, found in about:
            if found:
                estimated = {name: error[k] for k, name in enumerate(out[j].parameter_names) if name in out[j].se}
                out[j] = replace(out[j], **numbers, se=estimated, covariance=tuple(map(tuple, block.tolist())))
    return tuple(out)


def joint_covariance(unknowns: Unknowns, covariance: Matrix, items: Sequence[int], *, D: float = 1.0) -> Matrix:
    """Covariance of the reported parameters of several items together, item by item, from that of the vector.

    Items of one calibration are not independent: they share the scale, and groups' means and spreads with it.
    """
    B = unknowns.item_size
    rows: dict[int, Matrix] = {}  # derivatives (p, B) of an item's reported parameters in the vector
    own = number = 0
    for batch in unknowns.batches:
        names = [str(j) for j in batch.items]
        jacobian = (_nominal(batch, D) if batch.family == "nominal" else traditional(batch, names, D))[1]
        for at, j in enumerate(batch.items):
            free = batch.free[at]
            if j in items:
                moved = np.zeros((batch.size, B))
                if unknowns.ties is not None:
                    moved = unknowns.ties[own : own + batch.size].toarray()
                else:
                    moved[np.flatnonzero(free), number + np.arange(int(free.sum()))] = 1.0
                rows[int(j)] = jacobian[at] @ moved
            own += batch.size
            number += int(free.sum())
    together = np.concatenate([rows[j] for j in items])
    return np.asarray(together @ covariance[:B, :B] @ together.T)


def _items(batch: Batch, numbers: Matrix) -> Iterator[dict[str, Any]]:
    """The reported numbers (m, p) of every item by name."""
    last = batch.categories - 1
    for row in numbers.tolist():
        if batch.family == "nominal":
            yield {"slopes": (0.0, *row[:last]), "intercepts": (0.0, *row[last:])}
        else:
            yield {"a": row[0], "b": tuple(row[1 : last + 1])} | dict(zip(("c", "d"), row[last + 1 :], strict=False))


def _nominal(batch: Batch, D: float) -> tuple[Matrix, Matrix]:
    """Slopes and intercepts (m, p), and their derivatives (m, p, p) in the items' own parameters."""
    last = batch.categories - 1
    scale = np.concatenate([np.full(last, 1 / D), np.ones(last)])
    return batch.parameters * scale, np.broadcast_to(np.diag(scale), (len(batch.items), batch.size, batch.size))


def traditional(batch: Batch, names: Sequence[str], D: float) -> tuple[Matrix, Matrix]:
    """a, b_k = -(L · own)_k / slope, c and d, (m, p), and their derivatives (m, p, p) in the items' own parameters."""
    own, K, p = batch.parameters, batch.categories, batch.size
    slope = own[:, :1]
    flat = np.flatnonzero(np.abs(slope[:, 0]) < NO_SLOPE)
    if flat.size:
        raise ModelError(
            f"item {names[flat[0]]}: its slope is 0, so it has no difficulty; the responses are too few or show no "
            "common ability: collect more, or leave the item out"
        )
    L = np.eye(K - 1, p, 1)
    if batch.family == "partial credit":
        L -= np.eye(K - 1, p, 0) * (np.arange(p) > 0)
    numbers, jacobian = np.empty_like(own), np.zeros((*own.shape, p))
    numbers[:, 0], jacobian[:, 0, 0] = slope[:, 0] / D, 1 / D
    numbers[:, 1:K] = b = -(own @ L.T) / slope
    jacobian[:, 1:K] = -L / slope[:, :, None]
    jacobian[:, 1:K, 0] = -b / slope
    if p > K:
        numbers[:, K:] = asymptotes = logistic(own[:, K:])
        k = np.arange(K, p)
        jacobian[:, k, k] = asymptotes * (1 - asymptotes)
    return numbers, jacobian
