"""How far information is overstated where item sets are not in the model.

The same data are fitted once more with a testlet for every set, on a sample of the persons and only to three digits;
what the sets' sums of marks then tell of ability (`set_information`) is compared with what they seem to tell without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.describing import parameters_of
from calibration.estimation.beliefs import Beliefs
from calibration.estimation.fitting import Fit
from calibration.estimation.partitions import Partitions
from calibration.estimation.search import Search
from calibration.estimation.specification import specify
from calibration.estimation.unknowns import Unknowns
from calibration.models import ItemParameters
from calibration.preparing import Prepared, divided
from calibration.priors import Priors
from calibration.screening import Flag
from calibration.set_information import information_of

Matrix = NDArray[np.float64]

SAMPLE_PERSONS = 5_000
ENOUGH, MOST_PASSES = 1e-3, 100  # of the search: the figures have two digits
VISIBLE = 1.02  # below, nothing is seen of what a set may share
NODES = np.linspace(-5, 5, 61)
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()


@dataclass(frozen=True, slots=True)
class Overstated:
    """How many times its information each set seems to have, the same of all items, and the marginal reliability that
    is claimed and the one that there is.
    """

    of_set: Mapping[str, float]
    of_test: float
    claimed: float
    reliability: float


def overstated_information(prepared: Prepared, fit: Fit, priors: Sequence[Priors]) -> Overstated | None:
    """What the sets cost that are not in the model; None where there are none, and for ratings."""
    if not prepared.ignored_sets or prepared.facet is not None:
        return None
    layout, _ = prepared.persons.sample(SAMPLE_PERSONS)
    item_sets, _ = divided(prepared.ignored_sets, prepared.items, layout)
    if not item_sets:
        return None
    sample = Partitions.of(layout)
    unknowns = specify(
        sample,
        prepared.items,
        prepared.models,
        fit.unknowns.population if fit.unknowns.population.shape is None else prepared.population,
        anchors=prepared.anchors,
        D=prepared.scale.D,
        testlets=item_sets,
    )
    search = Search(sample, unknowns, Beliefs.of(unknowns.batches, list(priors), prepared.scale.D))
    search.climb(ENOUGH, MOST_PASSES)
    found = search.unknowns
    spread = dict(zip(found.item_sets.names, found.item_sets.sd.tolist(), strict=True))
    persons = fit.sums.moments.persons
    seeming = _Information.of(prepared, fit.unknowns, persons, item_sets, dict.fromkeys(spread, 0.0))
    real = _Information.of(prepared, found, persons, item_sets, spread)
    of_set = {name: max(seeming.set(item_sets, name) / real.set(item_sets, name), 1.0) for name in spread}
    return Overstated(of_set, seeming.test / real.test, seeming.reliability, real.reliability)


def overstated_flags(item_sets: Mapping[str, str], overstated: Overstated | None) -> list[Flag]:
    """One flag for every set that is not in the model."""
    found = []
    for name in dict.fromkeys(item_sets.values()):
        size = sum(of == name for of in item_sets.values())
        if size < 2:
            continue
        head = f"item set {name} ({size} items) is not in the model: "
        factor = overstated.of_set.get(name) if overstated is not None else None
        if overstated is None or factor is None:
            message = head + "information and reliability are overstated, standard errors too small"
        elif factor < VISIBLE:
            message = head + "its items are not seen to share anything, and nothing keeps it out if they do"
        else:
            message = head + (
                f"its information is overstated {factor:.1f} times, that of all items by "
                f"{100 * (overstated.of_test - 1):.0f} % (reliability {overstated.claimed:.2f}, is "
                f"{overstated.reliability:.2f}); standard errors are too small"
            )
        found.append(Flag("", "overstated-information", message))
    return found


@dataclass(frozen=True, slots=True)
class _Information:
    """Items on a scale, and the abilities of the persons: per group nodes (Q,), weights, variance and share."""

    items: tuple[ItemParameters, ...]
    prepared: Prepared
    item_sets: Mapping[str, str]
    spread: Mapping[str, float]
    groups: list[tuple[Matrix, float, float]]

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        unknowns: Unknowns,
        persons: Matrix,
        item_sets: Mapping[str, str],
        spread: Mapping[str, float],
    ) -> _Information:
        nothing = [np.zeros((*batch.parameters.shape, batch.size)) for batch in unknowns.batches]
        items = parameters_of(prepared, unknowns, nothing, with_errors=False)
        mean, sd = unknowns.population.mean, unknowns.population.sd
        share = persons / persons.sum()
        groups = [(m + s * NODES, float(s**2), float(w)) for m, s, w in zip(mean, sd, share, strict=True)]
        return cls(items, prepared, item_sets, spread, groups)

    def set(self, item_sets: Mapping[str, str], name: str) -> float:
        """Of one set, in units of the variance of ability."""
        return self._mean([item for item in self.items if item_sets.get(item.id) == name])

    @property
    def test(self) -> float:
        """Of all items, in units of the variance of ability."""
        return self._mean(self.items)

    @property
    def reliability(self) -> float:
        """Marginal: E[I / (I + 1 / variance)]."""
        return sum(share * float(WEIGHTS @ (told / (told + 1))) for told, share in self._at_nodes(self.items))

    def _mean(self, items: Sequence[ItemParameters]) -> float:
        return sum(share * float(WEIGHTS @ told) for told, share in self._at_nodes(items))

    def _at_nodes(self, items: Sequence[ItemParameters]) -> list[tuple[Matrix, float]]:
        """Information times the variance of ability at every group's nodes, and the group's share of the persons."""
        return [
            (variance * information_of(items, self.prepared.scale, nodes, self.item_sets, self.spread), share)
            for nodes, variance, share in self.groups
        ]
