"""Two years of one examination as they would come from calibration: `2024.json` and `2025.json`.

Simulated. Forms of 20 right-wrong items (3PL) and 4 tasks (GPCM, half marks), 9 of the 24 common. Estimates are drawn
around true parameters with the standard errors that 1,500 and 1,200 candidates give (expected information). The
candidates of 2025 are abler by 0.35 SD and differ more (SD 1.15). Item C05 has leaked: it is easier by 0.8 in 2025.

    python examples/linking/make_calibrations.py FOLDER
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from calibration import Curves, ItemParameters, Scale, transform_items, write_parameter_file
from calibration.linking.vectors import curve_slopes, parameter_vector, with_parameters

MEAN, SD = 0.35, 1.15  # of 2025 on the scale of 2024


def true_items(prefix: str, tests: int, tasks: int, rng: np.random.Generator) -> list[ItemParameters]:
    choice = [
        ItemParameters(
            f"{prefix}{j:02}",
            "3PL",
            a=float(rng.lognormal(0.2, 0.25)),
            b=(float(rng.normal(0, 0.9)),),
            c=float(rng.uniform(0.12, 0.28)),
        )
        for j in range(1, tests + 1)
    ]
    task = [
        ItemParameters(
            f"{prefix}T{j}",
            "GPCM",
            a=float(rng.lognormal(-0.1, 0.2)),
            b=tuple(sorted(float(one) for one in rng.normal(0, 0.9, 3))),
            marks=(0.0, 0.5, 1.0, 2.0),
        )
        for j in range(1, tasks + 1)
    ]
    return choice + task


def estimated(item: ItemParameters, n: int, rng: np.random.Generator) -> ItemParameters:
    """An estimate from n candidates, theta ~ N(0, 1), with its covariance block."""
    z = np.linspace(-5, 5, 81)
    w = np.exp(-(z**2) / 2)
    w /= w.sum()
    slopes = curve_slopes([item], Scale(), z).probability[: len(parameter_vector(item))]
    P = Curves.of([item]).probability(z)
    information = n * np.einsum("pcq,rcq,q->pr", slopes, slopes / P, w)
    if item.model == "3PL":
        information[2, 2] += 1 / 0.05**2  # what a prior on the guessing adds
    covariance = np.linalg.inv(information)
    vector = rng.multivariate_normal(parameter_vector(item), covariance)
    if item.model == "3PL":
        vector[2] = np.clip(vector[2], 0.02, 0.45)
    se = dict(zip(item.parameter_names, np.sqrt(np.diag(covariance)).round(6).tolist(), strict=True))
    block = tuple(tuple(row) for row in covariance.round(9).tolist())
    return replace(with_parameters(item, vector.round(6)), se=se, covariance=block, n=float(n))


def main(folder: Path) -> None:
    rng = np.random.default_rng(20251128)
    common, old, new = (
        true_items(prefix, *counts, rng) for prefix, counts in (("C", (8, 1)), ("A", (12, 3)), ("B", (12, 3)))
    )
    leaked = [replace(item, b=(item.b[0] - 0.8,)) if item.id == "C05" else item for item in common]
    on_own_scale = transform_items([*leaked, *new], 1 / SD, -MEAN / SD)
    write_parameter_file(folder / "2024.json", [estimated(item, 1500, rng) for item in (*common, *old)], Scale("2024"))
    write_parameter_file(folder / "2025.json", [estimated(item, 1200, rng) for item in on_own_scale], Scale("2025"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
