"""A calibration: parameters on one scale, and the evidence that they are right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calibration.files import write_text_whole
from calibration.models import DICHOTOMOUS, ItemParameters, Scale, check_parameters
from calibration.screening import Flag

if TYPE_CHECKING:
    from calibration.estimation.fitting import Fit
    from calibration.responses import Responses


class CalibrationError(ValueError):
    """A calibration that cannot be run, or a parameter file that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its standard error (None where it is fixed or not known)."""

    value: float
    se: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Ability of a group of persons: mean and standard deviation, and how many persons say so."""

    name: str
    n: float
    mean: Estimate
    sd: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Item parameters on one scale, and how they came about."""

    model: str  # the model of all items, or "mixed"
    items: tuple[ItemParameters, ...]
    excluded: Mapping[str, str]
    scale: Scale
    priors: str
    n_persons: int
    log_likelihood: float
    log_prior: float
    converged: bool
    max_gradient: float
    iterations: int
    integration_error: float
    nodes: int
    se_kind: str
    seconds: float
    data_digest: str
    groups: tuple[Group, ...] = ()
    regression: Mapping[str, Estimate] = field(default_factory=dict)
    raters: Mapping[str, Estimate] = field(default_factory=dict)
    testlets: Mapping[str, Estimate] = field(default_factory=dict)
    shift: Mapping[str, int] = field(default_factory=dict)
    free_parameters: int = 0
    data_note: str = ""  # whose responses these are, in words; "simulated" where they are
    warnings: tuple[Flag, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    responses: Responses | None = field(default=None, repr=False, compare=False)
    fit: Fit | None = field(default=None, repr=False, compare=False)

    def document(self) -> dict[str, Any]:
        """The calibration as plain JSON data."""
        apart = {"items", "scale", "flags", "warnings", "groups", "responses", "fit"}
        head: dict[str, Any] = {}
        for name in self.__slots__:
            if name not in apart:
                value = getattr(self, name)
                head[name] = {k: _plain(v) for k, v in value.items()} if isinstance(value, Mapping) else _number(value)
        return head | {
            "n_items": len(self.items),
            "scale": asdict(self.scale),
            "groups": [asdict(group) for group in self.groups],
            "warnings": [asdict(flag) for flag in self.warnings],
            "items": [item_document(item) | {"flags": list(self.flags.get(item.id, ()))} for item in self.items],
        }

    def with_flags(self, flags: Sequence[Flag]) -> Calibration:
        """The same calibration with the items' flags noted beside their parameters."""
        codes: dict[str, tuple[str, ...]] = dict(self.flags)
        for flag in flags:
            codes[flag.item] = (*codes.get(flag.item, ()), flag.code)
        return replace(self, flags=codes)

    def save(self, path: Path) -> None:
        """Write the parameters as JSON, whole or not at all."""
        write_text_whole(path, json.dumps(self.document(), ensure_ascii=False, indent=1) + "\n")

    def __str__(self) -> str:
        state = "converged" if self.converged else "NOT CONVERGED"
        return (
            f"{self.model}, {len(self.items)} items, {self.n_persons} persons: "
            f"log-likelihood {self.log_likelihood:.3f}, {state} after {self.iterations} iterations "
            f"(largest gradient {self.max_gradient:.1e}, integration error {self.integration_error:.1e}); "
            f"priors {self.priors}; standard errors from the {self.se_kind}"
        )


def item_document(item: ItemParameters) -> dict[str, Any]:
    """An item's parameters as plain JSON data: one b as a number, several as a list; what it does not have left out."""
    row: dict[str, Any] = {"id": item.id, "model": item.model}
    if item.model == "NRM":
        row |= {"slopes": list(item.slopes), "intercepts": list(item.intercepts)}
    else:
        row |= {"a": item.a, "b": item.b[0] if item.model in DICHOTOMOUS else list(item.b)}
        if item.model in DICHOTOMOUS:
            row |= {"c": item.c, "d": item.d}
    if item.location is not None:
        row |= {"location": item.location, "steps": list(item.steps)}
    if item.marks:
        row["marks"] = list(item.marks)
    row |= {"se": dict(item.se), "covariance": [list(line) for line in item.covariance], "n": item.n}
    if item.version is not None:
        row["version"] = item.version
    return row


def _plain(value: Any) -> Any:  # noqa: ANN401
    return asdict(value) if isinstance(value, Estimate) else value


def _number(value: Any) -> Any:  # noqa: ANN401
    """JSON has no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def item_from_document(row: Mapping[str, Any]) -> ItemParameters:
    """Item parameters from what `item_document` makes of them, or a file of that kind says."""
    known = {name: value for name, value in row.items() if name in ItemParameters.__slots__}
    for name in ("b", "slopes", "intercepts", "steps", "marks"):
        if name in known:
            value = known[name]
            known[name] = tuple(value) if isinstance(value, list | tuple) else (float(value),)
    if "covariance" in known:
        known["covariance"] = tuple(tuple(line) for line in known["covariance"] or ())
    return ItemParameters(**known)


def read_parameters(path: Path) -> tuple[Scale, tuple[ItemParameters, ...]]:
    """Scale and item parameters from a JSON file that `Calibration.save` wrote. Raises CalibrationError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        scale = document.get("scale", {})
        scale = Scale(**scale | {"anchors": tuple(scale.get("anchors", ()))})
        items = tuple(item_from_document(row) for row in document["items"])
        check_parameters(items)
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise CalibrationError(
            f"{path}: not a parameter file ({error}); expected what `tiku calibrate --out` writes"
        ) from None
    return scale, items
