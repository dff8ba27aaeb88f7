"""From responses to one immutable calibration: parameters, standard errors and the evidence behind them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from calibration.estimation import Fit, blocks_of, fit
from calibration.files import write_text_whole
from calibration.models import MODELS, ItemParameters, Scale
from calibration.priors import DEFAULT_PRIORS, NO_PRIORS, Priors
from calibration.responses import NOT_REACHED, Responses, ResponsesError
from calibration.screening import Flag

NO_VARIANCE = "no-variance"


class CalibrationError(ValueError):
    """A calibration that cannot be run, or a parameter file that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Item parameters on one scale, and how they came about."""

    model: str
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
    nodes: int
    se_kind: str
    data_digest: str
    data_note: str = ""  # whose responses these are, in words; "simulated" where they are
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The calibration as plain JSON data."""
        head = {name: getattr(self, name) for name in self.__slots__ if name not in {"items", "scale", "flags"}}
        items = []
        for item in self.items:
            row = {name: value for name, value in asdict(item).items() if value is not None}
            items.append(row | {"flags": list(self.flags.get(item.id, ()))})
        return head | {"excluded": dict(self.excluded), "scale": asdict(self.scale), "items": items}

    def with_flags(self, flags: Sequence[Flag]) -> Calibration:
        """The same calibration with the items' flags noted beside their parameters."""
        codes: dict[str, tuple[str, ...]] = {}
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
            f"(largest gradient {self.max_gradient:.1e}); "
            f"priors {self.priors}; standard errors from the {self.se_kind}"
        )


def calibrate(
    responses: Responses,
    *,
    model: str = "2PL",
    priors: Priors | None = None,
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[int, float], None] | None = None,
) -> Calibration:
    """Calibrate dichotomous items by marginal maximum likelihood.

    `model` (any case) is 2PL, 1PL (one slope, theta ~ N(0, 1)) or Rasch (a = 1, theta ~ N(0, sd²), sd estimated). Items
    that everybody or nobody answered right carry no information and are left out (`excluded`). Standard errors are left
    out where the run did not converge or the data do not identify a parameter (`se_kind` says so). A floating prior on
    a says nothing about the one slope of 1PL and Rasch and is dropped. Raises CalibrationError for an unknown model, an
    item with more than two score categories, a slope of 0 or priors the model cannot have, ResponsesError when nothing
    is left to fit.
    """
    name = next((known for known in MODELS if known.lower() == model.lower()), None)
    if name is None:
        raise CalibrationError(f"model {model!r} is not known; choose one of {', '.join(MODELS)}")
    chosen = _priors_of(name, priors or NO_PRIORS)
    if chosen.b is not None and chosen.a is None:
        raise CalibrationError(
            "a prior on b needs one on a as well: where a slope may cross 0, b = -intercept / a has no meaning"
        )
    used = responses.status != NOT_REACHED
    top = np.zeros(len(responses.items), int)
    np.maximum.at(top, responses.item[used], responses.score[used])
    if top.max(initial=0) > 1:
        worst = int(top.argmax())
        raise CalibrationError(
            f"item {responses.items[worst]}: score {top[worst]}, but {name} is for items scored 0 or 1"
        )
    n = responses.item_counts()
    right = np.bincount(
        responses.item[used], responses.weight[responses.person[used]] * responses.score[used], len(responses.items)
    )
    varies = (right > 0) & (right < n)
    if not varies.any():
        raise ResponsesError("no item has both right and wrong answers: nothing can be calibrated")
    J = int(varies.sum())
    result = fit(
        blocks_of(responses, varies),
        J,
        chosen,
        shared_slope=name != "2PL",
        tolerance=tolerance,
        max_iterations=max_iterations,
        on_iteration=on_iteration,
    )
    ids = [item for item, keep in zip(responses.items, varies, strict=True) if keep]
    scale, items = _parameters(name, ids, n[varies], result)
    return Calibration(
        model=name,
        items=items,
        excluded={item: NO_VARIANCE for item, keep in zip(responses.items, varies, strict=True) if not keep},
        scale=scale,
        priors=str(chosen),
        n_persons=round(float(responses.weight.sum())),
        log_likelihood=result.log_likelihood,
        log_prior=result.log_prior,
        converged=result.converged,
        max_gradient=result.max_gradient,
        iterations=result.iterations,
        nodes=result.nodes,
        se_kind=result.se_kind,
        data_digest=digest(responses),
    )


def _priors_of(model: str, priors: Priors) -> Priors:
    if model == "2PL":
        return priors
    if priors.b is not None or (priors.a is not None and priors.a.mean is not None):
        raise CalibrationError(f"priors {priors}: {model} has one slope for all items; use them with 2PL")
    return NO_PRIORS


def _parameters(
    model: str, ids: list[str], n: np.ndarray[Any, np.dtype[np.float64]], result: Fit
) -> tuple[Scale, tuple[ItemParameters, ...]]:
    """Slopes and intercepts as a and b with standard errors by the delta method; Rasch moves the slope to the scale."""
    a, intercept = result.slope, result.intercept
    flat = np.flatnonzero(np.abs(a) < 1e-8)
    if flat.size:
        raise CalibrationError(
            f"item {ids[flat[0]]}: its slope is 0, so it has no difficulty; the responses are too few or show no "
            "common ability: collect more, or leave the item out"
        )
    b = -intercept / a
    # d(a, b) / d(slope, intercept) = [[1, 0], [-b / a, -1 / a]]
    jacobian = np.zeros((len(a), 2, 2))
    jacobian[:, 0, 0], jacobian[:, 1, 0], jacobian[:, 1, 1] = 1.0, -b / a, -1 / a
    scale, model_b, sd = Scale(), b, 1.0
    if model == "Rasch":  # b on the scale with a = 1 is minus the intercept
        sd = float(a[0])
        scale, model_b, a = Scale(sd=abs(sd)), -intercept, np.ones_like(a)
        jacobian[:, 0, 0], jacobian[:, 1, 0], jacobian[:, 1, 1] = 0.0, 0.0, -1.0
    covariance = jacobian @ result.covariance @ jacobian.transpose(0, 2, 1)
    items = []
    for j, item in enumerate(ids):
        known = result.converged and bool(np.isfinite(covariance[j]).all())
        se = {"b": float(np.sqrt(covariance[j, 1, 1]))} if known else {}
        if known and model != "Rasch":
            se = {"a": float(np.sqrt(covariance[j, 0, 0]))} | se
        items.append(
            ItemParameters(
                item,
                model,
                float(a[j]),
                (float(model_b[j]),),
                se=se,
                covariance=tuple(map(tuple, covariance[j].tolist())) if known else (),
                n=float(n[j]),
            )
        )
    return scale, tuple(items)


def digest(responses: Responses) -> str:
    """SHA-256 of the data a calibration saw, so that it can be found again."""
    sha = hashlib.sha256("\0".join((*responses.persons, "", *responses.items)).encode())
    for column in (responses.person, responses.item, responses.score, responses.status, responses.weight):
        sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()


def read_parameters(path: Path) -> tuple[Scale, tuple[ItemParameters, ...]]:
    """Scale and item parameters from a JSON file that `Calibration.save` wrote. Raises CalibrationError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        scale = Scale(**document.get("scale", {}))
        known = set(ItemParameters.__slots__)
        items = tuple(
            ItemParameters(**{name: value for name, value in row.items() if name in known}) for row in document["items"]
        )
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CalibrationError(
            f"{path}: not a parameter file ({error}); expected what `tiku calibrate --out` writes"
        ) from None
    return scale, items


def named_priors(name: str) -> Priors:
    """`default` or `none` → priors. Raises CalibrationError."""
    choices = {"default": DEFAULT_PRIORS, "none": NO_PRIORS}
    if name not in choices:
        raise CalibrationError(f"priors {name!r} are not known; choose one of {', '.join(choices)}")
    return choices[name]
