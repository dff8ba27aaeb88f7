"""What would an adaptive test do? Simulated examinees of known ability take it, all at once.

Item by item it does what `adaptive.step` does for one examinee (a test holds the two together), with arrays over
examinees.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration import ReferenceForm
from engine.adaptive import TestDesign, closes, draws, posterior_moments, prior_log_density, select, tables_for
from engine.pools import Pool

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Simulation:
    """N simulated tests: true and estimated ability, standard error, length, and the items asked (N, L; -1 none)."""

    ids: tuple[str, ...]
    theta: FloatArray
    estimate: FloatArray
    standard_error: FloatArray
    length: NDArray[np.intp]
    asked: NDArray[np.intp]
    seed: int
    seconds: float

    @property
    def exposure(self) -> FloatArray:
        """Share of the examinees who met each item, (J,)."""
        return np.bincount(self.asked[self.asked >= 0], minlength=len(self.ids)) / len(self.theta)

    @property
    def bias(self) -> float:
        return float((self.estimate - self.theta).mean())

    @property
    def rmse(self) -> float:
        return float(np.sqrt(((self.estimate - self.theta) ** 2).mean()))

    @property
    def overlap(self) -> float:
        """Mean share of items that two examinees have in common (Chen, Ankenmann & Spray, 2003); NaN for one alone."""
        if len(self.theta) < 2:
            return float("nan")
        N, counts = len(self.theta), self.exposure * len(self.theta)
        return float((counts * (counts - 1)).sum() / (N * (N - 1)) / self.length.mean())

    def decisions(self, cut: float) -> dict[str, float]:
        """Shares of right decisions, false passes and false fails at a cut on theta."""
        truly, passed = self.theta >= cut, self.estimate >= cut
        return {
            "accuracy": float((truly == passed).mean()),
            "false_pass": float((~truly & passed).mean()),
            "false_fail": float((truly & ~passed).mean()),
            "pass_rate": float(passed.mean()),
        }


def simulate(pool: Pool, design: TestDesign, *, examinees: int | FloatArray, seed: int = 0) -> Simulation:
    """Simulate `examinees` tests; a number draws abilities from the design's population, an array (N,) gives them.

    Answers follow the pool's parameters. Raises DesignError as `tables_for` does.
    """
    begun = time.perf_counter()
    tables = tables_for(design, pool)
    rng = np.random.default_rng(seed)
    if isinstance(examinees, int):
        theta = design.start.mean + design.start.sd * rng.standard_normal(examinees)
    else:
        theta = np.asarray(examinees, float)
    N, J, L = len(theta), len(tables.ids), design.stop.max_items
    answer_draws = rng.random((N, L))
    choice_draws = np.stack([draws(design, examinee_seed(seed, i)) for i in range(N)])
    closing = np.stack([closes(tables, j) for j in range(J)])
    log_density = np.tile(prior_log_density(tables, design.start), (N, 1))
    open_items = np.ones((N, J), bool)
    counts = np.zeros((N, len(tables.weights)))
    estimate, error = np.full(N, design.start.mean), np.full(N, design.start.sd)
    asked = np.full((N, L), -1, np.intp)
    active = np.arange(N)
    for n in range(L):
        chosen = select(design, tables, estimate[active], open_items[active], counts[active], choice_draws[active, n])
        active, chosen = active[chosen >= 0], chosen[chosen >= 0]
        if not active.size:
            break
        asked[active, n] = chosen
        z = tables.D * tables.a[chosen] * (theta[active] - tables.b[chosen])
        right = answer_draws[active, n] < 1 / (1 + np.exp(-z))
        log_density[active] += np.where(right[:, None], tables.log_right[chosen], tables.log_wrong[chosen])
        open_items[active] &= ~closing[chosen]
        counts[active, tables.group[chosen]] += 1
        estimate[active], error[active] = posterior_moments(tables, log_density[active])
        precise = (n + 1 >= design.stop.min_items) & (error[active] <= design.stop.standard_error)
        active = active[~precise]
    return Simulation(
        ids=tables.ids,
        theta=theta,
        estimate=estimate,
        standard_error=error,
        length=(asked >= 0).sum(axis=1),
        asked=asked,
        seed=seed,
        seconds=time.perf_counter() - begun,
    )


def examinee_seed(seed: int, examinee: int) -> int:
    """The seed of one examinee's test within a simulation."""
    return int(np.random.SeedSequence([seed, examinee]).generate_state(1)[0])


def content_shares(simulation: Simulation, pool: Pool, column: str) -> dict[str, float]:
    """Mean share of the asked items by the values of a pool column."""
    at = {item: j for j, item in enumerate(pool.ids)}
    values = [str(pool.column(column)[at[item]]) for item in simulation.ids]
    total = simulation.exposure.sum()
    shares: dict[str, float] = {}
    for value, exposure in zip(values, simulation.exposure, strict=True):
        shares[value] = shares.get(value, 0.0) + float(exposure) / total
    return dict(sorted(shares.items()))


def percent_on(simulation: Simulation, reference: ReferenceForm) -> FloatArray:
    """Each examinee's reported result: the percentage expected on the reference form at the estimate, (N,)."""
    return reference.percent(simulation.estimate)
