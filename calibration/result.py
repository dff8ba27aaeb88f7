"""A calibration: parameters on one scale, and the evidence that they are right.

What follows a calibration (scores, fit, linking, the report) is imported when it is asked for: those modules take
calibrations themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.exchange.document import item_document, scale_document
from calibration.exchange.errors import ExchangeError
from calibration.exchange.formats import read_parameter_file
from calibration.files import write_text_whole
from calibration.models import ItemParameters, Scale
from calibration.screening import Flag

if TYPE_CHECKING:
    from calibration.estimation.fitting import Fit
    from calibration.fit import ItemFit, ModelFit, PersonFit
    from calibration.linking import Link
    from calibration.responses import Responses
    from calibration.scoring import Scores

Matrix = NDArray[np.float64]


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
    estimate: str = "mode"  # what items' parameters are: "mode" of posterior or likelihood, or posterior "mean"
    groups: tuple[Group, ...] = ()
    regression: Mapping[str, Estimate] = field(default_factory=dict)
    raters: Mapping[str, Estimate] = field(default_factory=dict)
    testlets: Mapping[str, Estimate] = field(default_factory=dict)
    item_sets: Mapping[str, str] = field(default_factory=dict)  # item → its set, of those in `testlets`
    overstated: Mapping[str, float] = field(default_factory=dict)  # set that is no part of the model → how many times
    shift: Mapping[str, int] = field(default_factory=dict)
    free_parameters: int = 0
    data_note: str = ""  # whose responses these are, in words; "simulated" where they are
    warnings: tuple[Flag, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    responses: Responses | None = field(default=None, repr=False, compare=False)
    regressed_to: Matrix | None = field(default=None, repr=False, compare=False)  # (N,), after a latent regression
    fit: Fit | None = field(default=None, repr=False, compare=False)

    def document(self) -> dict[str, Any]:
        """The calibration as plain JSON data, which is the same whenever and wherever the calibration runs."""
        apart = {"items", "scale", "flags", "warnings", "groups", "responses", "regressed_to", "fit", "seconds"}
        head: dict[str, Any] = {}
        for name in self.__slots__:
            if name not in apart:
                value = getattr(self, name)
                head[name] = {k: _plain(v) for k, v in value.items()} if isinstance(value, Mapping) else _number(value)
        return head | {
            "n_items": len(self.items),
            "scale": scale_document(self.scale),
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

    def score(self, responses: Responses | None = None, *, method: str = "eap", **options: Any) -> Scores:  # noqa: ANN401
        """Abilities of the calibrated persons under their groups' distributions, or of the persons of `responses`.

        `method` and `options` are those of `score_responses`. Ratings are scored with the severities of their raters.
        After a latent regression the calibrated persons are scored under what it says of each, so that regressions of
        plausible values on its covariates are right (Mislevy, 1991); "eapsum" goes by one population of all of them.
        """
        from calibration.own_data import as_rated, each_as_regressed, own_data
        from calibration.scoring import score_responses

        if responses is not None and self.raters and len(responses.raters) > 0:
            severity = {name: estimate.value for name, estimate in self.raters.items()}
            rated, items = as_rated(responses, self.items, severity)
            return score_responses(rated, items, self.scale, method=method, **options)
        if responses is not None:
            return score_responses(responses, self.items, self.scale, method=method, **options)
        data = own_data(self)
        if self.regressed_to is not None and method != "eapsum":
            data = each_as_regressed(data, self.regressed_to, self.regression["(residual sd)"].value)
        mean, sd = data.population
        usual: dict[str, Any] = {"mean": mean, "sd": sd} | options
        return score_responses(data.responses, data.items, self.scale, method=method, **usual)

    def fit_items(self, **options: Any) -> tuple[ItemFit, ...]:  # noqa: ANN401
        """Fit of every item (`item_fit`); of every item as marked by each rater where there are raters."""
        from calibration.fit import item_fit
        from calibration.own_data import own_data

        data = own_data(self)
        return item_fit(data.responses, data.items, self.scale, data.population, **options)

    def fit_model(self, **options: Any) -> ModelFit:  # noqa: ANN401
        """Fit of the whole model: M2, M2* or C2 with RMSEA and SRMSR (`model_fit`)."""
        from calibration.fit import model_fit
        from calibration.own_data import own_data, population_note

        data = own_data(self)
        found = model_fit(data.responses, data.items, self.scale, data.population, **options)
        return replace(found, note=population_note(self))

    def fit_persons(self, **options: Any) -> PersonFit:  # noqa: ANN401
        """Fit of every person (`person_fit`)."""
        from calibration.fit import person_fit
        from calibration.own_data import own_data

        data = own_data(self)
        return person_fit(data.responses, data.items, self.scale, data.population, **options)

    def dif(
        self, method: str = "lr", *, reference: str | None = None, focal: str | None = None, rounds: int = 5
    ) -> tuple[Any, ...]:
        """Items that work differently in two groups of the persons, by any method of `calibration.fit.methods.dif`."""
        from calibration.fit.methods import dif
        from calibration.own_data import own_data

        data = own_data(self)
        return dif(
            data.responses, data.items, self.scale, method=method, reference=reference, focal=focal, rounds=rounds
        )

    def link(
        self,
        base: Calibration | Sequence[ItemParameters],
        base_scale: Scale | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Link:
        """The link from this calibration's scale to that of `base`, on the items both have (`link_scales`)."""
        from calibration.linking import link_scales

        items, scale = (base.items, base.scale) if isinstance(base, Calibration) else (base, base_scale)
        return link_scales(self.items, items, new_scale=self.scale, base_scale=scale, **options)

    def report(self, path: Path, **options: Any) -> None:  # noqa: ANN401
        """Write the report as one HTML file (`write_report`)."""
        from calibration.report import write_report

        write_report(path, self, **options)

    def __str__(self) -> str:
        from calibration.showing import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from calibration.showing import as_html

        return as_html(self)


def _plain(value: Any) -> Any:  # noqa: ANN401
    return asdict(value) if isinstance(value, Estimate) else value


def _number(value: Any) -> Any:  # noqa: ANN401
    """JSON has no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def read_parameters(path: Path) -> tuple[Scale, tuple[ItemParameters, ...]]:
    """Scale and item parameters from a file of any known format. Raises CalibrationError."""
    try:
        items, scale = read_parameter_file(path)
    except ExchangeError as error:
        raise CalibrationError(str(error)) from None
    return scale, items
