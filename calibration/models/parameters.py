"""Parameters of items, and the scale they are on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

# name → what the model says of an item with K categories (docs/calibrate.md):
#   dichotomous, P = c + (d - c) · logistic(D · a · (theta - b)):  Rasch (a = 1), 1PL (one a), 2PL, 3PL (c), 4PL (c, d)
#   divide by total, log P_k = a · Σ_{h ≤ k} (theta - b_h) + const: PCM (a = 1), RSM (b_h = location + step_h), GPCM
#   nominal, log P_k = slope_k · theta + intercept_k + const:       NRM
#   cumulative, P(X ≥ k) = logistic(D · a · (theta - b_k)):         GRM
DICHOTOMOUS = ("Rasch", "1PL", "2PL", "3PL", "4PL")
DIVIDE_BY_TOTAL = ("PCM", "RSM", "GPCM")
MODELS = (*DICHOTOMOUS, *DIVIDE_BY_TOTAL, "GRM", "NRM")


class ModelError(ValueError):
    """A model, or parameters of an item, that do not make sense; the message names the item and what was expected."""


def model_named(name: str) -> str:
    """The model of that name in any case; `nominal`, `graded` and `rating scale` are understood as well.

    Raises ModelError for a name that is none.
    """
    spoken = {"nominal": "NRM", "graded": "GRM", "ratingscale": "RSM", "partialcredit": "PCM", "pc1": "PCM"}
    folded = name.lower().replace(" ", "").replace("_", "").replace("-", "")
    known = {model.lower(): model for model in MODELS} | spoken
    if folded not in known:
        raise ModelError(f"model {name!r} is not known; choose one of {', '.join(MODELS)}")
    return known[folded]


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale that parameters are on: D of the logistic, and the population theta ~ N(mean, sd²) they came from."""

    id: str = "theta"
    D: float = 1.0
    mean: float = 0.0
    sd: float = 1.0
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemParameters:
    """One item on a scale.

    `b` holds the difficulty of a dichotomous item, or the K - 1 thresholds of a polytomous one; nominal items have
    `slopes` and `intercepts` (K each, the first 0) instead of a and b. `location` and `steps` (K - 1) are those of the
    rating scale, b = location + steps. `marks` (K) are what each category is worth, `scores` (K) what stands for it in
    the responses; both empty for 0, 1, …, K - 1. `sum_of` names the items whose marks an item set's sum is of.

    `se` holds standard errors by the names of `parameter_names`, `covariance` their covariance block in that order
    (empty where unknown), `n` the weighted number of persons behind the estimates.
    """

    id: str
    model: str = "2PL"
    a: float = 1.0
    b: tuple[float, ...] = ()
    c: float = 0.0
    d: float = 1.0
    slopes: tuple[float, ...] = ()
    intercepts: tuple[float, ...] = ()
    location: float | None = None
    steps: tuple[float, ...] = ()
    marks: tuple[float, ...] = ()
    scores: tuple[int, ...] = ()
    sum_of: tuple[str, ...] = ()
    se: Mapping[str, float] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()
    n: float = 0.0
    version: str | None = None

    @property
    def categories(self) -> int:
        """K, the number of score categories."""
        return len(self.slopes) if self.model == "NRM" else len(self.b) + 1

    @property
    def difficulty(self) -> float:
        """B of a dichotomous item, the mean of the thresholds of a polytomous one; NaN for a nominal one."""
        return sum(self.b) / len(self.b) if self.b else float("nan")

    @property
    def category_marks(self) -> tuple[float, ...]:
        """Marks of each category, (K,)."""
        return self.marks or tuple(float(k) for k in range(self.categories))

    @property
    def category_scores(self) -> tuple[int, ...]:
        """The score of each category in the responses, (K,)."""
        return self.scores or tuple(range(self.categories))

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the parameters that an estimation of this model has, in the order of `covariance`."""
        return parameter_names(self.model, self.categories)


@cache
def parameter_names(model: str, categories: int) -> tuple[str, ...]:
    """Names of the parameters of an item of `model` with K = `categories`, in the order of `covariance`."""
    if model == "NRM":
        last = range(1, categories)
        return (*(f"slope{k}" for k in last), *(f"intercept{k}" for k in last))
    thresholds = ("b",) if model in DICHOTOMOUS else tuple(f"b{k}" for k in range(1, categories))
    asymptotes = {"3PL": ("c",), "4PL": ("c", "d")}.get(model, ())
    return ("a", *thresholds, *asymptotes)


def check_parameters(items: Sequence[ItemParameters]) -> None:
    """Raise ModelError where parameters make no curve: a threshold missing, graded ones out of order, c ≥ d, …."""
    for item in items:
        fault = _fault(item)
        if fault is not None:
            raise ModelError(f"item {item.id}: {fault}")


def _fault(item: ItemParameters) -> str | None:
    dichotomous = item.model in DICHOTOMOUS
    faults = {
        f"model {item.model!r} is not known; choose one of {', '.join(MODELS)}": item.model not in MODELS,
        "NRM needs as many slopes as intercepts, at least two of each": item.model == "NRM"
        and not 2 <= len(item.slopes) == len(item.intercepts),
        f"{item.model} needs b": item.model != "NRM" and not item.b,
        f"{item.model} has one b, got {len(item.b)}": dichotomous and len(item.b) > 1,
        f"c = {item.c:g}, d = {item.d:g}; needed is 0 ≤ c < d ≤ 1": dichotomous and not 0 <= item.c < item.d <= 1,
        f"the thresholds of GRM must increase, got {', '.join(map(str, item.b))}": item.model == "GRM"
        and any(low >= high for low, high in pairwise(item.b)),
        f"{len(item.marks)} marks for {item.categories} categories": len(item.marks) not in {0, item.categories},
        f"{len(item.scores)} scores for {item.categories} categories": len(item.scores) not in {0, item.categories},
        f"scores must increase from 0 or more, got {', '.join(map(str, item.scores))}": min(item.scores, default=0) < 0
        or any(low >= high for low, high in pairwise(item.scores)),
    }
    return next((fault for fault, found in faults.items() if found), None)
