"""Estimations of every kind, small, at a point that is no maximum: what derivatives are checked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from calibration import NO_PRIORS, Beta, LogitNormal, LogNormal, Normal, Priors, Responses
from calibration.estimation.beliefs import Beliefs, prior_terms
from calibration.estimation.blocks import ResponseBlocks
from calibration.estimation.expectation import Sums, expect
from calibration.estimation.maximisation import full_gradient
from calibration.estimation.population import Grid
from calibration.estimation.specification import specify
from calibration.estimation.testlets import expect_testlets
from calibration.estimation.unknowns import Tables, Unknowns
from calibration.models import MODELS
from calibration.preparing import Prepared, prepare
from calibration.priors import priors_of_items
from tests.calibration.simulated import Array, draw, responses_to, some_items

ASYMPTOTES = Priors(c=Beta(5, 17), d=Beta(17, 5))
FIXED = Priors(LogNormal(0.1, 0.5), Normal(0.2, 1.5), Beta(5, 17), LogitNormal(2.5, 0.7))
FLOATING = Priors(LogNormal(None, 0.4), Normal(None, 1.2, "clones"), LogitNormal(-1.2, 0.6), Beta(17, 5))
PLAIN = Priors(a=Normal(1.0, 0.4))
OF_ONE_SLOPE = Priors(b=Normal(0.2, 1.5))


@dataclass(frozen=True, slots=True)
class Case:
    """Unknowns and what they answer to; the objective and gradient are at any vector, on a grid that does not move."""

    prepared: Prepared
    unknowns: Unknowns
    beliefs: Beliefs
    grid: Grid

    @property
    def layout(self) -> ResponseBlocks:
        layout, _ = self.prepared.persons.sample(self.prepared.persons.persons)
        return layout

    def sums(self, unknowns: Unknowns) -> Sums:
        if unknowns.testlets is not None:
            return expect_testlets(self.layout, unknowns, self.grid)
        return expect(self.layout, Tables.of(unknowns, self.grid, self.layout.start))

    def objective(self, vector: Array) -> float:
        at = self.unknowns.at(vector)
        return self.sums(at).log_likelihood + prior_terms(self.beliefs, at.batches).value

    def gradient(self, vector: Array) -> Array:
        at = self.unknowns.at(vector)
        return full_gradient(at, self.sums(at), self.grid.nodes, self.layout.start, self.beliefs)

    @property
    def vector(self) -> Array:
        return self.unknowns.vector()


def case_of(
    responses: Responses, priors: Priors | Mapping[str, Priors] | None = None, *, D: float = 1.0, **options: Any
) -> Case:
    prepared = prepare(responses, **options)
    unknowns = specify(
        prepared.persons,
        prepared.items,
        prepared.models,
        prepared.population,
        anchors=prepared.anchors,
        D=D,
        facet=prepared.facet,
        testlets=prepared.testlets,
    )
    rng = np.random.default_rng(3)
    start = unknowns.vector()
    unknowns = unknowns.at(start + rng.uniform(-0.1, 0.1, len(start)))
    assert all(batch.allowed(batch.parameters).all() for batch in unknowns.batches)
    chosen = [
        NO_PRIORS if model == "NRM" else one
        for model, one in zip(prepared.models, priors_of_items(prepared.items, priors), strict=True)
    ]
    beliefs = Beliefs.of(unknowns.batches, chosen, D)
    spacing = 0.3 if unknowns.testlets is not None else 0.15
    return Case(prepared, unknowns, beliefs, Grid.covering(unknowns.population, spacing, reach=7))


def sample(model: str, *, N: int = 70, missing: bool = False, groups: int = 1, seed: int = 5) -> Responses:
    """Responses to four items of a model, with weights; some missing, in groups of different means, if asked for."""
    rng = np.random.default_rng(seed)
    items = some_items(model)
    group = np.arange(N) % groups
    scores = draw(rng, items, rng.standard_normal(N) + 0.5 * group)
    if missing:
        scores[rng.random(scores.shape) < 0.25] = np.nan
    K = items[0].categories
    scores[: K * 2] = np.arange(K * 2)[:, None] % K  # every category is seen
    responses = responses_to(items, scores, weight=rng.integers(1, 4, N).astype(float))
    names = tuple(f"g{g}" for g in range(groups))
    return replace(responses, group=group.astype(np.int32), groups=names) if groups > 1 else responses


def rated(model: str = "PCM", N: int = 40) -> Responses:
    """Every person's two tasks, by two of three raters each."""
    rng = np.random.default_rng(8)
    items = some_items(model, J=2, K=3)
    theta, severity = rng.standard_normal(N), np.array([-0.5, 0.0, 0.5])
    person, item, score, rater = [], [], [], []
    for i in range(N):
        for j in range(2):
            for r in sorted(rng.choice(3, 2, replace=False)):
                person.append(i)
                item.append(j)
                rater.append(r)
                score.append(draw(rng, [items[j]], theta[i : i + 1] - severity[r])[0, 0])
    plain = responses_to(items, np.zeros((N, 2)))
    return replace(
        plain,
        person=np.array(person, np.int32),
        item=np.array(item, np.int32),
        score=np.array(score, np.int16),
        status=np.zeros(len(person), np.uint8),
        rater=np.array(rater, np.int32),
        raters=("A", "B", "C"),
    )


def cases() -> dict[str, Callable[[], Case]]:
    made: dict[str, Callable[[], Case]] = {}

    def add(name: str, *arguments: Any, of: Callable[[], Responses], **options: Any) -> None:
        made[name] = lambda: case_of(of(), *arguments, **options)

    for model in MODELS:
        needed = ASYMPTOTES if model in {"3PL", "4PL"} else None
        plain, holes = partial(sample, model), partial(sample, model, missing=True)
        add(model, needed, of=plain, model=model)
        add(f"{model}, missing, groups", needed, of=partial(holes, groups=3), model=model)
        if model in {"Rasch", "PCM"}:
            add(f"{model}, prior on b", OF_ONE_SLOPE, of=plain, model=model)
        if model in {"2PL", "3PL", "4PL", "GPCM", "GRM"}:
            add(f"{model}, fixed priors", FIXED, of=plain, model=model)
            add(f"{model}, floating priors, missing", FLOATING, of=holes, model=model)
            add(f"{model}, normal prior on a", PLAIN.over(ASYMPTOTES), of=plain, model=model)
    two = partial(sample, "2PL")
    add("2PL, D = 1.7", FIXED, of=two, model="2PL", D=1.7)
    add("PCM, D = 1.7, regression", of=partial(sample, "PCM"), model="PCM", D=1.7, covariates=covariates(70))
    add("2PL, regression", of=two, model="2PL", covariates=covariates(70))
    add("mixed", FIXED, of=mixed_sample, model=MIXED)
    add("mixed, anchors", of=mixed_sample, model=MIXED, anchors={i.id: i for i in some_items("GPCM", J=2)})
    add("raters", of=rated, model="PCM")
    add("raters, rating scale", of=partial(rated, "RSM"), model="RSM")
    sets = {f"2PL{j}": "one" if j < 2 else "two" for j in range(4)}
    pair = {"2PL1": "one", "2PL2": "one"}
    few = partial(sample, N=30)
    add("testlets", of=partial(few, "2PL", missing=True), model="2PL", testlets=sets)
    add("testlets, groups, prior", FIXED, of=partial(few, "2PL", groups=2), model="2PL", testlets=pair)
    add("testlets, 1PL", of=partial(few, "1PL"), model="1PL", testlets={"1PL1": "one", "1PL2": "one"})
    of_kinds = {f"{model}{j}": f"set {j}" for model in MIXED.values() for j in range(2) if (model, j) != ("GRM", 1)}
    add("testlets, mixed", FIXED, of=partial(mixed_sample, 50), model=MIXED, testlets=of_kinds)
    return made


def covariates(N: int) -> dict[str, Array]:
    return {"age": np.arange(N) % 5 / 2.0 - 1, "again": (np.arange(N) % 3 == 0).astype(float)}


MIXED = {"2PL*": "2PL", "3PL*": "3PL", "GRM*": "GRM", "GPCM*": "GPCM", "NRM*": "NRM"}


def mixed_sample(N: int = 60) -> Responses:
    rng = np.random.default_rng(4)
    items = [item for model in MIXED.values() for item in some_items(model, J=2, K=3 if model == "NRM" else 4)]
    scores = draw(rng, items, rng.standard_normal(N))
    for j, item in enumerate(items):
        scores[: 2 * item.categories, j] = np.arange(2 * item.categories) % item.categories
    scores[10:][rng.random((N - 10, len(items))) < 0.2] = np.nan
    return responses_to(items, scores)
