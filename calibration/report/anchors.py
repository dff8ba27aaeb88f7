"""Anchors estimated anew beside the other items: which of them still say what they did?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from calibration.linking.drift import DriftResult, item_drift
from calibration.own_data import own_population
from calibration.priors import DEFAULT_PRIORS
from calibration.responses import Responses

if TYPE_CHECKING:
    from calibration.result import Calibration


def anchors_again(calibration: Calibration, responses: Responses) -> DriftResult:
    """The anchors as they were against the same items calibrated freely from `responses`, linked on those that stayed.

    The free calibration has the same models, and the default priors where the calibration had any. Raises LinkError,
    CalibrationError or ResponsesError where that cannot be done.
    """
    from calibration.calibrating import calibrate  # noqa: PLC0415  (results offer the report: the import is a circle)

    anchored = set(calibration.scale.anchors)
    free = calibrate(
        responses,
        model={item.id: item.model for item in calibration.items} | {"*": calibration.items[0].model},
        priors=DEFAULT_PRIORS if calibration.priors != "none" else None,
        testlets=calibration.item_sets or None,
    )
    mean, sd = own_population(calibration)
    old = [item for item in calibration.items if item.id in anchored]
    new = [item for item in free.items if item.id in anchored]
    return item_drift(
        old,
        new,
        old_scale=replace(calibration.scale, id="anchors", mean=float(mean[0]), sd=float(sd[0])),
        new_scale=replace(free.scale, id="re-estimated"),
    )
