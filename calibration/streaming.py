"""A calibration of more responses than memory holds: they are read once, into one byte each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from math import nan

import numpy as np

from calibration.calibrating import PointEstimate, Progress, run
from calibration.estimation.block_stream import StreamedResponses
from calibration.estimation.blocks import category_counts, only_items
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Population
from calibration.estimation.specification import FIXED_SLOPE
from calibration.models import ModelError, Scale
from calibration.patterns import PatternError
from calibration.preparing import Prepared, models_of
from calibration.priors import PriorError, Priors
from calibration.recoding import coding_of
from calibration.responses import ResponsesError
from calibration.result import Calibration, CalibrationError


def calibrate_stream(
    streamed: StreamedResponses,
    *,
    model: str | Mapping[str, str] = "2PL",
    priors: Priors | Mapping[str, Priors] | None = None,
    estimate: PointEstimate = "mode",
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[Progress], None] | None = None,
    threads: int = 1,
) -> Calibration:
    """`calibrate` of what `block_stream` has read, in groups where the stream has them.

    Items without variance are left out. Raises CalibrationError as `calibrate` does.
    """
    try:
        prepared = prepare_stream(streamed, model=model, threads=threads)
        return run(
            prepared,
            priors=priors,
            estimate=estimate,
            tolerance=tolerance,
            max_iterations=max_iterations,
            on_iteration=on_iteration,
        )
    except (ModelError, PatternError, PriorError) as error:
        raise CalibrationError(str(error)) from None


def prepare_stream(streamed: StreamedResponses, *, model: str | Mapping[str, str], threads: int = 1) -> Prepared:
    """What a calibration of a stream starts from."""
    layout = streamed.blocks
    counts = category_counts(layout)
    of_item = np.split(counts, layout.start[1:-1])
    varied = [j for j, n in enumerate(of_item) if (n > 0).sum() > 1]
    if not varied:
        raise ResponsesError("no item has both right and wrong answers: nothing can be calibrated")
    items = tuple(streamed.items[j] for j in varied)
    models = models_of(items, model)
    kept = layout if len(varied) == len(streamed.items) else only_items(layout, varied)
    gaps = coding_of(
        [{name: frozenset(streamed.scores[name]) for name in items if name in streamed.scores}],
        {name: (nan,) * streamed.shift.get(name, 0) + marks for name, marks in streamed.marks.items()},
    )
    groups = streamed.groups or ("",)
    free = np.arange(len(groups)) > 0
    free_sd = free | any(name in FIXED_SLOPE for name in models)
    return Prepared(
        items=items,
        models=tuple(models),
        persons=Partitions.of(kept, threads),
        counts=np.array([of_item[j].sum() for j in varied]),
        population=Population.of_groups(np.zeros(len(groups)), np.ones(len(groups)), free, free_sd),
        groups=groups,
        scale=Scale(),
        data_digest=_digest(streamed),
        marks={name: marks for name, marks in streamed.marks.items() if name in set(items)} | dict(gaps.marks),
        scores={
            name: tuple(range(by, by + int(layout.categories[streamed.items.index(name)])))
            for name, by in streamed.shift.items()
            if name in set(items)
        }
        | gaps.unusual,
        flags=gaps.flags,
        excluded={name: "no-variance" for name in streamed.items if name not in set(items)},
    )


def _digest(streamed: StreamedResponses) -> str:
    sha = hashlib.sha256("\0".join(streamed.items).encode())
    for block in streamed.blocks:
        for column in (block.persons, block.weight, block.items, block.codes):
            sha.update(np.ascontiguousarray(column).tobytes())
    return sha.hexdigest()
