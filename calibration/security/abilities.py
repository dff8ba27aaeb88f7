"""What the secure items say of each person, so that the others can be held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.blocks import block_responses
from calibration.estimation.likelihood import log_likelihood
from calibration.models.curves import Curves
from calibration.models.parameters import ItemParameters, Scale
from calibration.responses import Responses, ResponsesError

FloatArray = NDArray[np.float64]

NODES = 121
REACH = 6.0  # standard deviations of the population on either side
EM_ITERATIONS = 200


@dataclass(frozen=True, slots=True)
class Abilities:
    """The posterior (N, Q) over `nodes` (Q,) of each person; rows of persons without a secure response are `known`
    False and hold the population, whose `mean` and `sd` were estimated from the same responses.
    """

    nodes: FloatArray
    posterior: FloatArray
    known: NDArray[np.bool_]
    mean: float
    sd: float


def abilities(responses: Responses, items: Sequence[ItemParameters], scale: Scale | None = None) -> Abilities:
    """Posteriors of theta from the responses to `items`, over a normal population fitted to them by EM.

    Scores are categories of the items. Raises ResponsesError where nobody answered any of the items.
    """
    scale = scale or Scale()
    nodes = scale.mean + scale.sd * np.linspace(-REACH, REACH, NODES)
    loglik, known = person_likelihoods(responses, items, nodes, scale)
    if not known.any():
        raise ResponsesError("nobody answered any of the secure items")
    likelihood = np.exp(loglik - loglik.max(axis=1, keepdims=True))
    weight = responses.weight * known
    mean, sd = scale.mean, scale.sd
    for _ in range(EM_ITERATIONS):
        posterior = _posterior(likelihood, nodes, mean, sd)
        density = weight @ posterior / weight.sum()
        before, mean = mean, float(density @ nodes)
        sd_before, sd = sd, float(np.sqrt(density @ (nodes - mean) ** 2))
        if abs(mean - before) + abs(sd - sd_before) < 1e-6 * scale.sd:
            break
    return Abilities(nodes, _posterior(likelihood, nodes, mean, sd), known, mean, sd)


def _posterior(likelihood: FloatArray, nodes: FloatArray, mean: float, sd: float) -> FloatArray:
    joint = likelihood * np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def person_likelihoods(
    responses: Responses, items: Sequence[ItemParameters], nodes: FloatArray, scale: Scale | None
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Log-likelihood (N, Q) of each person's responses to `items` at the nodes, and who has any; 0 for the others.

    Scores are categories of the items, as `in_categories_of` gives them.
    """
    curves = Curves.of(items, scale)
    table = curves.log_probability(nodes)
    layout = block_responses(responses, [item.id for item in items], categories=curves.categories, keep_weightless=True)
    out, known = np.zeros((len(responses.persons), len(nodes))), np.zeros(len(responses.persons), bool)
    for block in layout:
        out[block.persons] = log_likelihood(block, table, layout)
        known[block.persons] = True
    return out, known


def parted(
    items: Sequence[ItemParameters], suspect: Sequence[str]
) -> tuple[tuple[ItemParameters, ...], tuple[ItemParameters, ...]]:
    """The secure and the suspect items. Raises ResponsesError where a suspect one has no parameters or none is left."""
    known = {item.id for item in items}
    unknown = [name for name in suspect if name not in known]
    if unknown:
        raise ResponsesError(f"suspect item {unknown[0]!r} has no parameters")
    secure = tuple(item for item in items if item.id not in set(suspect))
    if not secure or not suspect:
        raise ResponsesError("both secure and suspect items are needed")
    return secure, tuple(item for item in items if item.id in set(suspect))
