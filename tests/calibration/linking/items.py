"""Items of every model with covariance blocks, and estimates drawn around them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration import ItemParameters
from calibration.linking.vectors import parameter_vector

EVERY_MODEL = (
    ItemParameters("rasch", "Rasch", a=1.0, b=(-0.4,)),
    ItemParameters("one", "1PL", a=1.3, b=(0.2,)),
    ItemParameters("two", "2PL", a=0.8, b=(-1.1,)),
    ItemParameters("three", "3PL", a=1.1, b=(0.7,), c=0.2),
    ItemParameters("four", "4PL", a=1.4, b=(0.1,), c=0.15, d=0.95),
    ItemParameters("pcm", "PCM", a=1.0, b=(-0.8, 0.9)),
    ItemParameters("rsm", "RSM", a=1.0, b=(-0.7, 0.1, 1.2), location=0.2, steps=(-0.9, -0.1, 1.0)),
    ItemParameters("gpcm", "GPCM", a=0.7, b=(0.5, -0.3, 1.4)),
    ItemParameters("grm", "GRM", a=1.6, b=(-1.2, 0.0, 0.9), marks=(0.0, 0.5, 1.0, 2.0)),
    ItemParameters("nrm", "NRM", slopes=(0.0, 0.6, -0.3, 1.1), intercepts=(0.0, 0.4, -0.2, 0.3)),
)


def with_covariance(item: ItemParameters, rng: np.random.Generator, size: float = 0.1) -> ItemParameters:
    """The item with a random covariance block of standard errors around `size`; what the model fixes has none."""
    p = len(parameter_vector(item))
    root = size * (np.eye(p) + 0.3 * rng.standard_normal((p, p)))
    scale = np.array([0.3 if name in {"c", "d"} else 1.0 for name in item.parameter_names])
    if item.model in {"Rasch", "PCM", "RSM"}:
        scale[0] = 0.0
    block = scale[:, None] * (root @ root.T) * scale
    se = {
        name: float(error)
        for name, error in zip(item.parameter_names, np.sqrt(np.diag(block)), strict=True)
        if error > 0
    }
    return replace(item, covariance=tuple(tuple(row) for row in block.tolist()), se=se, n=500.0)


def three_parameter_items(J: int, rng: np.random.Generator) -> list[ItemParameters]:
    return [
        ItemParameters(
            f"i{j:02}", "3PL", a=float(rng.uniform(0.6, 1.6)), b=(float(rng.normal()),), c=float(rng.uniform(0.1, 0.25))
        )
        for j in range(J)
    ]
