"""Log-likelihoods of persons at quadrature nodes, and expected counts back: the two matrix products of an E-step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike, NDArray

from calibration.estimation.blocks import MISSING, Block, ResponseBlocks

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Matrix = NDArray[np.float64]


def chosen_categories(block: Block, layout: ResponseBlocks, dtype: DTypeLike = float) -> Matrix | csr_array:
    """1 where a person of a block chose a category: of all stacked ones, (n, C), where the block is sparse, of those
    above 0 of a table's items, (n, Σ (K - 1)), else.
    """
    return _higher(block, layout, dtype) if block.row_start is None else _sparse(block, layout, dtype)


def log_likelihood(
    block: Block, log_probability: Matrix, layout: ResponseBlocks, X: Matrix | csr_array | None = None
) -> Matrix:
    """Log P(responses | node) of a block's persons, (n, Q), from log P of the stacked categories, (C, Q).

    The dtype of `log_probability` is kept; `X` are the block's `chosen_categories`, where they are known already.
    """
    if X is None:
        X = chosen_categories(block, layout, log_probability.dtype)
    if block.row_start is not None:
        return np.asarray(X @ log_probability)
    first = log_probability[layout.start[block.items]]
    higher, item_of = _higher_rows(block, layout)
    out = np.asarray(X @ (log_probability[higher] - first[item_of]))
    if block.complete:
        out += first.sum(axis=0)
    else:
        out += (block.codes != MISSING).astype(log_probability.dtype) @ first
    return out


def add_counts(
    counts: Matrix, block: Block, density: Matrix, layout: ResponseBlocks, X: Matrix | csr_array | None = None
) -> None:
    """Add the expected persons in each category at each node to `counts` (C, Q); `density` (n, Q) is weighted."""
    if X is None:
        X = chosen_categories(block, layout, density.dtype)
    if block.row_start is not None:
        counts += X.T @ density
        return
    higher, item_of = _higher_rows(block, layout)
    chosen = X.T @ density
    counts[higher] += chosen
    if block.complete:
        everyone = np.broadcast_to(column_sums(density), (len(block.items), density.shape[1]))
    else:
        everyone = (block.codes != MISSING).astype(density.dtype).T @ density
    if len(higher) == len(block.items):
        counts[layout.start[block.items]] += everyone - chosen
    else:
        sums = np.add.reduceat(chosen, np.searchsorted(item_of, np.arange(len(block.items))), axis=0)
        counts[layout.start[block.items]] += everyone - sums


def column_sums(density: Matrix) -> Matrix:
    """Sums over the persons of a density (n, Q), as a matrix product."""
    return np.asarray(np.ones(len(density), density.dtype) @ density)


def _higher_rows(block: Block, layout: ResponseBlocks) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Stacked rows of the categories above 0 of a table's items, and the column in the table each belongs to."""
    above = layout.categories[block.items] - 1
    if above.max(initial=1) == 1:
        return layout.start[block.items] + 1, np.arange(len(block.items))
    item_of = np.repeat(np.arange(len(block.items)), above)
    within = np.arange(len(item_of)) - np.repeat(np.cumsum(above) - above, above)
    return layout.start[block.items][item_of] + within + 1, item_of


def _higher(block: Block, layout: ResponseBlocks, dtype: DTypeLike) -> Matrix:
    """1 where a person of a table chose a category above 0, (n, Σ (K - 1))."""
    above = layout.categories[block.items] - 1
    if above.max(initial=1) == 1:
        codes = block.codes if block.complete else np.where(block.codes == MISSING, np.uint8(0), block.codes)
        return codes.astype(dtype)
    item_of = np.repeat(np.arange(len(block.items)), above)
    category = (np.arange(len(item_of)) - np.repeat(np.cumsum(above) - above, above) + 1).astype(np.uint8)
    return np.asarray((block.codes[:, item_of] == category).astype(dtype))


def _sparse(block: Block, layout: ResponseBlocks, dtype: DTypeLike) -> csr_array:
    from scipy.sparse import csr_array  # noqa: PLC0415  (a tenth of a second that only sparse data need)

    if block.row_start is None:
        raise AssertionError("a table is no sparse block")
    columns = np.take(layout.start.astype(np.int32), block.items) + block.codes
    ones = np.ones(len(columns), dtype)
    shape = (len(block.persons), int(layout.start[-1]))
    return csr_array((ones, columns, block.row_start.astype(np.int32)), shape=shape)
