"""An adaptive test as a pure function: `step(design, pool, state, event)` gives the next state and the item it asks.

The content of the exam comes first (the function furthest below its weight is asked next, Kingsbury & Zara, 1989), then
information at the ability so far. Exposure is held down by drawing among the best few (Kingsbury & Zara's randomesque
rule).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pools import Pool, Value
from engine.toml_files import read_document, refuse_unknown, value_of

Z = np.linspace(-6.0, 6.0, 121)  # nodes of ability in standard deviations of the population
FloatArray = NDArray[np.float64]


class DesignError(ValueError):
    """An adaptive design that cannot be run; the message names the table and key of the design file."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where ability is before the first answer: the population N(mean, sd²)."""

    mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True, slots=True)
class Content:
    """Weights by the values of a column (shares of the items), and columns of which no value is asked twice."""

    by: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)
    once: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """The next item is drawn from the `best` most informative."""

    best: int = 5


@dataclass(frozen=True, slots=True)
class Stop:
    """The test ends at `max_items`, or from `min_items` on once the standard error is at most `standard_error`."""

    min_items: int = 20
    max_items: int = 60
    standard_error: float = 0.30


@dataclass(frozen=True, slots=True)
class TestDesign:
    """Plain data: everything that decides which item is asked and when the test ends. Estimation is EAP."""

    start: Start = field(default_factory=Start)
    content: Content = field(default_factory=Content)
    exposure: Exposure = field(default_factory=Exposure)
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        if not 0 < self.stop.min_items <= self.stop.max_items:
            raise DesignError(
                f"[stop] min_items = {self.stop.min_items}, max_items = {self.stop.max_items}: "
                "need 0 < min_items <= max_items"
            )
        if self.exposure.best < 1:
            raise DesignError(f"[exposure] best = {self.exposure.best}: need at least 1")
        if self.start.sd <= 0:
            raise DesignError(f"[start] sd = {self.start.sd:g}: need more than 0")
        if any(weight < 0 for weight in self.content.weights.values()) or (
            self.content.weights and sum(self.content.weights.values()) <= 0
        ):
            raise DesignError("[content.weights]: weights are shares, 0 or more, not all 0")
        if bool(self.content.by) != bool(self.content.weights):
            raise DesignError("[content]: `by` names the column whose values have `weights`: give both or neither")


TestDesign.__test__ = False  # type: ignore[attr-defined]  # a value of the field, not a test case


def read_design(path: Path) -> TestDesign:
    """A design from TOML with the tables [start] [content] [exposure] [stop] (docs/adaptive.md describes it).

    Raises DesignError naming the table and key.
    """
    parts: dict[str, type] = {"start": Start, "content": Content, "exposure": Exposure, "stop": Stop}
    document = read_document(path, DesignError)
    refuse_unknown(document, parts, str(path), DesignError)
    values: dict[str, Any] = {
        name: value_of(parts[name], table, f"{path}, [{name}]", DesignError) for name, table in document.items()
    }
    try:
        return TestDesign(**values)
    except DesignError as error:
        raise DesignError(f"{path}: {error}") from None


@dataclass(frozen=True, slots=True)
class Answered:
    """The event that moves a test on: an item was answered and scored 0 or 1."""

    item: str
    score: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything about one test in progress; plain, so that it can be stored and resumed.

    `next_item` is None once the test is over, with the reason in `ended`.
    """

    seed: int
    answers: tuple[Answered, ...]
    theta: float
    standard_error: float
    next_item: str | None
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Tables:
    """What selection looks up, computed once for a pool and design: calibrated items only, in the pool's order."""

    ids: tuple[str, ...]
    nodes: FloatArray  # (Q,) abilities over the population ± 6 SD
    log_right: FloatArray  # (J, Q)
    log_wrong: FloatArray
    a: FloatArray
    b: FloatArray
    D: float
    group: NDArray[np.intp]  # (J,) position in `weights`
    weights: FloatArray
    once: tuple[NDArray[np.intp], ...]  # (J,) code of each once-only column


def tables_for(design: TestDesign, pool: Pool) -> Tables:
    """Raises DesignError when the pool cannot give the shortest test or lacks a weighted value."""
    usable = np.flatnonzero(pool.calibrated)
    if len(usable) < design.stop.min_items:
        raise DesignError(
            f"[stop] min_items = {design.stop.min_items}, but the pool has {len(usable)} calibrated items"
        )
    parameters = pool.parameters.take(usable)
    if np.any(parameters.c != 0) or np.any(parameters.d != 1):
        raise DesignError("items with c or d cannot be selected yet: calibrate with 2PL, 1PL or Rasch")
    nodes = design.start.mean + design.start.sd * Z
    P = np.clip(parameters.probability(nodes), 1e-12, 1 - 1e-12)
    names = list(design.content.weights)
    group = np.zeros(len(usable), np.intp)
    if design.content.by:
        values = [str(pool.column(design.content.by)[j]) for j in usable]
        stray = sorted(set(names) ^ set(values))
        if stray:
            raise DesignError(f"[content.weights]: {stray[0]!r} stands in the weights or in the pool, not in both")
        group = np.array([names.index(value) for value in values])
    weights = np.array([design.content.weights[name] for name in names]) if names else np.ones(1)
    once = tuple(_codes([pool.column(name)[j] for j in usable]) for name in design.content.once)
    return Tables(
        tuple(pool.ids[j] for j in usable),
        nodes,
        np.log(P),
        np.log(1 - P),
        parameters.a,
        parameters.b,
        parameters.D,
        group,
        weights / weights.sum(),
        once,
    )


def _codes(values: Sequence[Value]) -> NDArray[np.intp]:
    """Equal values have equal codes, (J,); every empty cell is a value of its own."""
    texts = [f"={value}" if value else f"{j}" for j, value in enumerate(values)]
    return np.asarray(np.unique(texts, return_inverse=True)[1], np.intp)


def prior_log_density(tables: Tables, start: Start) -> FloatArray:
    """Log of the starting distribution on the nodes, unnormalised, (Q,)."""
    return np.asarray(-0.5 * ((tables.nodes - start.mean) / start.sd) ** 2)


def posterior_moments(tables: Tables, log_density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of densities given as logs on the nodes, (…, Q) → (…,)."""
    density = np.exp(log_density - log_density.max(axis=-1, keepdims=True))
    density /= density.sum(axis=-1, keepdims=True)
    mean = density @ tables.nodes
    return mean, np.sqrt(np.maximum(density @ tables.nodes**2 - mean**2, 0.0))


def draws(design: TestDesign, seed: int) -> FloatArray:
    """The uniform numbers of one test, (max_items,): drawn at once, so that a resumed test goes on as it would have."""
    return np.random.default_rng(seed).random(design.stop.max_items)


def select(
    design: TestDesign,
    tables: Tables,
    theta: FloatArray,
    open_items: NDArray[np.bool_],
    group_counts: FloatArray,
    uniform: FloatArray,
) -> NDArray[np.intp]:
    """The next item of N tests at once, (N,): -1 where nothing is open.

    `open_items` (N, J) may still be asked, `group_counts` (N, G) were asked by content group, `uniform` (N,) decides
    among the best. Ties go to the first id.
    """
    asked = group_counts.sum(axis=1, keepdims=True)
    deficit = tables.weights * (asked + 1) - group_counts
    has_items = np.stack([(open_items & (tables.group == g)).any(axis=1) for g in range(len(tables.weights))], axis=1)
    wanted = np.where(has_items, np.round(deficit, 9), -np.inf).argmax(axis=1)
    z = tables.D * tables.a * (theta[:, None] - tables.b)
    half = 0.5 / np.cosh(0.5 * z)
    information = np.round((tables.D * tables.a * half) ** 2, 9)
    information[~(open_items & (tables.group == wanted[:, None]))] = -1.0
    best = np.argsort(-information, axis=1, kind="stable")[:, : design.exposure.best]
    count = np.take_along_axis(information, best, axis=1) >= 0
    rank = np.minimum((uniform * count.sum(axis=1)).astype(int), np.maximum(count.sum(axis=1) - 1, 0))
    chosen = best[np.arange(len(best)), rank]
    return np.where(count.any(axis=1), chosen, -1)


def closes(tables: Tables, item: int) -> NDArray[np.bool_]:
    """Items that may not be asked any more once `item` was: itself and those that share a once-only value, (J,)."""
    closed = np.arange(len(tables.ids)) == item
    for codes in tables.once:
        closed |= codes == codes[item]
    return np.asarray(closed)


def begin(design: TestDesign, tables: Tables, *, seed: int) -> State:
    """A test before its first answer, with the first item chosen."""
    return _next(design, tables, State(seed, (), design.start.mean, design.start.sd, None))


def step(design: TestDesign, tables: Tables, state: State, event: Answered) -> State:
    """The state after an answer.

    Raises DesignError when the answer is not to the item that was asked, or is scored other than 0 or 1.
    """
    if event.item != state.next_item:
        asked = state.next_item or f"nothing: the test ended ({state.ended})"
        raise DesignError(f"the answer is to item {event.item!r}; asked was {asked}")
    if event.score not in (0, 1):
        raise DesignError(f"item {event.item!r} is scored {event.score}: an adaptive test needs 0 or 1")
    answers = (*state.answers, event)
    at = {item: j for j, item in enumerate(tables.ids)}
    log_density = prior_log_density(tables, design.start)
    for one in answers:
        log_density = log_density + (tables.log_right if one.score else tables.log_wrong)[at[one.item]]
    theta, error = posterior_moments(tables, log_density)
    moved = replace(state, answers=answers, theta=float(theta), standard_error=float(error), next_item=None)
    reason = _ended(design, len(answers), float(error))
    return replace(moved, ended=reason) if reason else _next(design, tables, moved)


def _ended(design: TestDesign, asked: int, error: float) -> str:
    if asked >= design.stop.max_items:
        return "max_items"
    if asked >= design.stop.min_items and error <= design.stop.standard_error:
        return "standard_error"
    return ""


def _next(design: TestDesign, tables: Tables, state: State) -> State:
    at = {item: j for j, item in enumerate(tables.ids)}
    open_items = np.ones(len(tables.ids), bool)
    counts = np.zeros(len(tables.weights))
    for answer in state.answers:
        open_items &= ~closes(tables, at[answer.item])
        counts[tables.group[at[answer.item]]] += 1
    uniform = draws(design, state.seed)[len(state.answers)]
    chosen = select(design, tables, np.array([state.theta]), open_items[None], counts[None], np.array([uniform]))[0]
    if chosen < 0:
        return replace(state, ended="no items left")
    return replace(state, next_item=tables.ids[chosen])
