"""Items, responses and reference results that the tests of scoring share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import Curves, ItemParameters, Responses, Scale
from tests.calibration.simulated import Array

REFERENCE = Path(__file__).parents[4] / "shared" / "data" / "calibration"
MIRT_MODELS = {"2PL": "2PL", "Rasch": "Rasch", "graded": "GRM", "gpcm": "GPCM", "PCM": "PCM"}

MIXED = (
    ItemParameters("rasch", "Rasch", 1.0, (-0.4,)),
    ItemParameters("two", "2PL", 1.7, (0.3,)),
    ItemParameters("three", "3PL", 1.3, (0.6,), c=0.2),
    ItemParameters("four", "4PL", 1.1, (-0.8,), c=0.1, d=0.95),
    ItemParameters("partial", "PCM", 1.0, (-1.0, 0.2, 1.1)),
    ItemParameters("general", "GPCM", 0.8, (-0.6, 0.9)),
    ItemParameters("graded", "GRM", 1.4, (-1.2, 0.1, 1.0)),
    ItemParameters("nominal", "NRM", slopes=(0.0, 0.7, 1.5), intercepts=(0.0, 0.4, -0.3)),
)


def two_parameter_items(a: Array, b: Array) -> list[ItemParameters]:
    return [ItemParameters(f"item{j + 1}", "2PL", float(a[j]), (float(b[j]),)) for j in range(len(a))]


def drawn(items: list[ItemParameters] | tuple[ItemParameters, ...], theta: Array, seed: int = 1) -> Array:
    """Scores (N, J) of persons theta (N,) on items of any models."""
    curves, rng = Curves.of(items), np.random.default_rng(seed)
    P = curves.probability(theta)
    columns = []
    for first, last in zip(curves.start[:-1], curves.start[1:], strict=True):
        columns.append((rng.random(len(theta)) > np.cumsum(P[first:last], axis=0)[:-1]).sum(axis=0))
    return np.stack(columns, axis=1).astype(float)


def responses(table: Array, items: list[ItemParameters] | tuple[ItemParameters, ...]) -> Responses:
    return Responses.from_matrix(table, [item.id for item in items])


def log_likelihood(theta: Any, scores: Array, items: tuple[ItemParameters, ...] | list[ItemParameters]) -> Any:
    """Of one person, from the models' definitions (independent of the package's curves), at one theta or many."""
    with np.errstate(divide="ignore"):  # so far from the answers that P is 0 in double precision
        return sum(
            np.log(category_probabilities(item, theta)[int(score)])
            for item, score in zip(items, scores, strict=True)
            if not np.isnan(score)
        )


def category_probabilities(item: ItemParameters, theta: Any) -> Array:
    """P of each category at one theta, (K,), or at many, (K, Q)."""
    at, b = np.asarray(theta, float), np.array(item.b)
    if item.model == "NRM":
        z = np.exp(np.multiply.outer(np.array(item.slopes), at).T + np.array(item.intercepts)).T
        return np.asarray(z / z.sum(axis=0))
    away = np.subtract.outer(at, b).T  # (K - 1, …)
    ends = np.ones((1, *at.shape))
    star = 1 / (1 + np.exp(-item.a * away))
    if item.model == "GRM":
        return np.asarray(-np.diff(np.concatenate([ends, star, 0 * ends]), axis=0))
    if item.model in {"PCM", "GPCM", "RSM"}:
        z = np.exp(np.concatenate([0 * ends, np.cumsum(item.a * away, axis=0)]))
        return np.asarray(z / z.sum(axis=0))
    P = item.c + (item.d - item.c) * star[0]
    return np.stack([1 - P, P])


def information(theta: float, scores: Array, items: tuple[ItemParameters, ...] | list[ItemParameters]) -> Array:
    """Test information and Warm's J, Σ P'²/P and Σ P'P''/P, by finite differences of the definitions, (2,)."""
    h, total = 1e-3, np.zeros(2)
    for item, score in zip(items, scores, strict=True):
        if not np.isnan(score):
            low, P, high = (category_probabilities(item, theta + step) for step in (-h, 0.0, h))
            first, second = (high - low) / (2 * h), (high - 2 * P + low) / h**2
            total += np.array([(first**2 / P).sum(), (first * second / P).sum()])
    return total


def posterior_moments(
    scores: Array, items: tuple[ItemParameters, ...] | list[ItemParameters], scale: Scale, cut: float | None = None
) -> tuple[float, float, float]:
    """Posterior mean, standard deviation and P(theta ≥ cut) of one person: 400 Gauss-Legendre panels over ± 12 SD."""
    low, high = scale.mean - 12 * scale.sd, scale.mean + 12 * scale.sd
    edges = np.unique(np.append(np.linspace(low, high, 401), [] if cut is None else [cut]))
    x, w = np.polynomial.legendre.leggauss(12)
    half = np.diff(edges)[:, None] / 2
    nodes, weights = (edges[:-1, None] + half * (x + 1)).ravel(), (half * w).ravel()
    log_density = log_likelihood(nodes, scores, items) - 0.5 * ((nodes - scale.mean) / scale.sd) ** 2
    density = weights * np.exp(log_density - log_density.max())
    density /= density.sum()
    mean = float(density @ nodes)
    return mean, float(density @ (nodes - mean) ** 2) ** 0.5, float(density[nodes >= (cut or np.inf)].sum())


def mirt_result(tag: str) -> tuple[dict[str, Any], list[ItemParameters], Scale]:
    """A reference result of R's mirt with its items and scale; skips where the reference data are not at hand."""
    path = REFERENCE / "reference" / f"{tag}.json"
    if not path.exists():
        pytest.skip(f"the reference result {path.name} is not at hand")
    found = json.loads(path.read_text(encoding="utf-8"))
    rows: dict[str, dict[str, float]] = {}
    for row in found["parameters_traditional"]:
        rows.setdefault(row["item"], {})[row["par"]] = row["est"]
    variance = [row["est"] for row in found["parameters_slope_intercept"] if row["par"] == "COV_11"]
    model = MIRT_MODELS[tag.split("__")[1]]
    items = [
        ItemParameters(name, model, p["a"], tuple(v for key, v in p.items() if key.startswith("b")))
        for name, p in rows.items()
        if name != "GroupPars"
    ]
    return found, items, Scale(sd=(variance[0] if variance else 1.0) ** 0.5)
