"""Was who got an item decided by ability? Margins and summed scores are fair only where it was not."""

from __future__ import annotations

import numpy as np

from calibration.fit.persons import Fitted, posterior

LEAST_SHIFT = 0.25  # of the mean ability of those who had the item, in standard deviations of their groups
LEAST_Z = 4.0


def routed_items(data: Fitted) -> tuple[str, ...]:
    """Items whose takers are abler or weaker than their groups: a mean ability off by LEAST_SHIFT and LEAST_Z errors.

    Not a test of the routing, but it finds what matters: adaptive tests, multistage tests and forms by level. The mean
    is that of posterior means, which shrink towards the group, so that a shift is understated and never invented.
    """
    J = len(data.items)
    n, shift, square = np.zeros(J), np.zeros(J), np.zeros(J)
    log_probability = data.curves.log_probability(data.nodes)
    for block in data.layout:
        z = (posterior(block, data, log_probability) @ data.nodes - data.mean[block.group]) / data.sd[block.group]
        if block.row_start is None:
            had = (block.codes != 255).astype(float) if not block.complete else np.ones(block.codes.shape)
            parts = (block.weight @ had, (block.weight * z) @ had, (block.weight * z**2) @ had)
            at = block.items
        else:
            lengths = np.diff(block.row_start)
            at = np.arange(J)
            parts = tuple(
                np.bincount(block.items, np.repeat(value, lengths), J)
                for value in (block.weight, block.weight * z, block.weight * z**2)
            )
        for total, part in zip((n, shift, square), parts, strict=True):
            total[at] += part
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = shift / n
        z = mean / np.sqrt(np.maximum(square / n - mean**2, 1e-12) / n)
    routed = (np.abs(mean) >= LEAST_SHIFT) & (np.abs(z) >= LEAST_Z)
    return tuple(item.id for item, hit in zip(data.items, routed, strict=True) if hit)
