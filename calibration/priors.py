"""What is believed of item parameters before the data.

The densities are of the reported parameters themselves (a, b or b1 …, c, d); estimation works in slopes and intercepts,
and its derivatives go through the chain rule (`calibration.estimation.beliefs`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from calibration.patterns import ordered_patterns, settings_of


class PriorError(ValueError):
    """A prior that makes no sense; the message names it and says what was expected."""


@dataclass(frozen=True, slots=True)
class LogNormal:
    """log a ~ N(mean, sd²), as a density of a. With mean None it is a density of log a around the items' own mean."""

    mean: float | None
    sd: float

    def __post_init__(self) -> None:
        _positive(self.sd, self)

    def __str__(self) -> str:
        return f"lognormal({_mean(self.mean)}, {self.sd:g})"


@dataclass(frozen=True, slots=True)
class Normal:
    """N(mean, sd²) of a or of every b; with mean None around the mean of the items that share `family`."""

    mean: float | None
    sd: float
    family: str = ""

    def __post_init__(self) -> None:
        _positive(self.sd, self)

    def __str__(self) -> str:
        shared = f" of {self.family}" if self.family else ""
        return f"normal({_mean(self.mean)}{shared}, {self.sd:g})"


@dataclass(frozen=True, slots=True)
class LogitNormal:
    """logit c ~ N(mean, sd²), as a density of logit c (mirt's and flexMIRT's normal prior on the guessing logit)."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _positive(self.sd, self)

    def __str__(self) -> str:
        return f"logitnormal({self.mean:g}, {self.sd:g})"


@dataclass(frozen=True, slots=True)
class Beta:
    """c ~ Beta(alpha, beta), as a density of c."""

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        _positive(self.alpha, self)
        _positive(self.beta, self)

    def __str__(self) -> str:
        return f"beta({self.alpha:g}, {self.beta:g})"


def _positive(value: float, prior: object) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise PriorError(f"{type(prior).__name__}: {value:g} must be a positive number")


def _mean(mean: float | None) -> str:
    return "floating" if mean is None else f"{mean:g}"


@dataclass(frozen=True, slots=True)
class Priors:
    """Priors of an item's parameters; None leaves one to the data."""

    a: LogNormal | Normal | None = None
    b: Normal | None = None
    c: Beta | LogitNormal | None = None
    d: Beta | LogitNormal | None = None

    def __str__(self) -> str:
        named = [f"{name} ~ {prior}" for name in ("a", "b", "c", "d") if (prior := getattr(self, name)) is not None]
        return ", ".join(named) or "none"

    def over(self, other: Priors) -> Priors:
        """These priors, with `other` where they say nothing."""
        return Priors(self.a or other.a, self.b or other.b, self.c or other.c, self.d or other.d)


# With about 200 responses an item, slopes need a gentle hand, difficulties none. The mean floats with the items
# (BILOG-MG's FLOAT option): hundreds of items pulled to a fixed mean would together move the scale
# (docs/decisions/0004-default-priors.md). Guessing is found by no sample this field has: 4 options, as 20 persons.
DEFAULT_PRIORS = Priors(a=LogNormal(None, 0.5), c=Beta(5, 17), d=Beta(17, 5))
NO_PRIORS = Priors()


def priors_of_items(items: Sequence[str], priors: Priors | Mapping[str, Priors] | None) -> tuple[Priors, ...]:
    """The priors of every item: `priors` for all, or by id or pattern (`*`, `CR*`), the most exact pattern first.

    Where the more exact one leaves a parameter out, the next that names it is used. Raises PatternError for a pattern
    or id that fits no item.
    """
    if priors is None or isinstance(priors, Priors):
        return (priors or NO_PRIORS,) * len(items)
    ordered = ordered_patterns(priors, items, "priors")
    found = []
    for item in items:
        of_item = NO_PRIORS
        for setting in settings_of(item, priors, ordered):
            of_item = of_item.over(setting)
        found.append(of_item)
    return tuple(found)


def family_priors(families: Mapping[str, str], sd: float = 0.3) -> dict[str, Priors]:
    """Priors for clones: items (id → family) whose difficulties scatter by `sd` around their family's own mean.

    Sinharay, Johnson and Williamson (2003) fit such families by simulation; here the mean is at its maximum.
    """
    return {item: Priors(b=Normal(None, sd, family)) for item, family in families.items()}


def with_difficulty(priors: Priors, mean: float, sd: float) -> Priors:
    """The same priors with b ~ N(mean, sd²)."""
    return replace(priors, b=Normal(mean, sd))


def read_priors(text: str) -> Priors:
    """`none`, `default`, or densities such as `a=lognormal(0, 0.5), c=beta(5, 17)` → priors. Raises PriorError.

    Densities are lognormal and normal of a, normal of b, beta and logitnormal of c and d; `floating` for a mean is the
    items' own.
    """
    named = {"default": DEFAULT_PRIORS, "none": NO_PRIORS}
    if text.strip().lower() in named:
        return named[text.strip().lower()]
    found = list(_DENSITY.finditer(text))
    if not found or _DENSITY.sub("", text).strip(" ,;"):
        raise PriorError(f"priors {text!r}: expected default, none, or e.g. a=lognormal(0, 0.5), c=beta(5, 17)")
    return priors_from({match["parameter"]: match["density"] for match in found})


def priors_from(densities: Mapping[str, str]) -> Priors:
    """Densities by parameter, `{"a": "lognormal(0, 0.5)"}`, as priors. Raises PriorError for one that cannot be."""
    chosen: dict[str, Any] = {parameter: density(parameter, text) for parameter, text in densities.items()}
    return Priors(**chosen)


_DENSITY = re.compile(r"(?P<parameter>[abcd])\s*=\s*(?P<density>\w+\s*\([^()]*\))")
_KINDS = {"a": (LogNormal, Normal), "b": (Normal,), "c": (Beta, LogitNormal), "d": (Beta, LogitNormal)}


def density(parameter: str, text: str) -> LogNormal | Normal | Beta | LogitNormal:
    """One density, `lognormal(0, 0.5)`, of a parameter. Raises PriorError for one it cannot have."""
    name, _, inside = text.strip().rstrip(")").partition("(")
    kinds = {kind.__name__.lower(): kind for kind in _KINDS.get(parameter, ())}
    kind = kinds.get(name.strip().lower())
    numbers = [part.strip().lower() for part in inside.split(",")]
    if kind is None or len(numbers) != 2:
        raise PriorError(f"prior {text!r} of {parameter}: expected {' or '.join(f'{k}(…, …)' for k in kinds)}")
    try:
        first = None if numbers[0] == "floating" and kind in {LogNormal, Normal} else float(numbers[0])
        second = float(numbers[1])
    except ValueError:
        raise PriorError(f"prior {text!r} of {parameter}: {inside} are not two numbers") from None
    try:
        return kind(first, second)  # type: ignore[arg-type]
    except PriorError as error:
        raise PriorError(f"prior {text!r} of {parameter}: {error}") from None
