"""A calibration over a dask cluster: files stay with the workers that read them, sums come back.

A pass sends every worker the probabilities at the quadrature nodes and gets expected counts in return, J · Q numbers
each way. Files are parts in a fixed order, so that the sums are the same as in one process. A file is read again where
a worker is lost: what is kept of it is a task of the cluster, not a message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calibration.calibrating import PointEstimate, Progress, run
from calibration.classical_stream import classical_sums, statistics_of, worths
from calibration.estimation.blocks import ResponseBlocks, block_responses, category_counts
from calibration.estimation.partitions import Partitions
from calibration.estimation.population import Population
from calibration.estimation.specification import FIXED_SLOPE
from calibration.models import ModelError, Scale
from calibration.patterns import PatternError
from calibration.preparing import Prepared, digest, models_of
from calibration.priors import PriorError, Priors
from calibration.recoding import Coding, Seen, coded, coding_of, scores_seen
from calibration.responses import ResponsesError, read_responses
from calibration.result import Calibration, CalibrationError
from calibration.screening import Flag, screen

if TYPE_CHECKING:
    from distributed import Client


def calibrate_files(files: Sequence[Path], client: Client, **options: Any) -> Calibration:  # noqa: ANN401
    """`calibrate` over files of responses on the workers of `client`; no person may stand in two files.

    Workers need the files under the same paths and tiku of the same version. The result is that of one process over the
    files in this order, to rounding, with the flags of classical statistics beside its items. `options` are those of
    `calibrate_and_screen_files`. Raises as `calibrate` and `read` do.
    """
    result, flags = calibrate_and_screen_files(files, client, **options)
    return result.with_flags(flags)


def calibrate_and_screen_files(
    files: Sequence[Path],
    client: Client,
    *,
    model: str | Mapping[str, str] = "2PL",
    priors: Priors | Mapping[str, Priors] | None = None,
    read: Callable[[Path], Any] = read_responses,
    estimate: PointEstimate = "mode",
    tolerance: float = 1e-5,
    max_iterations: int = 2000,
    on_iteration: Callable[[Progress], None] | None = None,
) -> tuple[Calibration, tuple[Flag, ...]]:
    """The calibration of `calibrate_files`, and the flags of `screen` with their messages.

    Options of answers are not compared with the key, and items without variance are left out before they are screened.
    """
    if not files:
        raise ResponsesError("no files: give at least one file of responses")
    try:
        parts = [client.submit(read, Path(path), pure=False) for path in files]
        seen: list[Seen] = _gather(client, [client.submit(scores_seen, part) for part in parts])
        coding = coding_of(seen)
        if not coding.items:
            raise ResponsesError("no item has both right and wrong answers: nothing can be calibrated")
        models = models_of(coding.items, model)
        blocks = [client.submit(_blocks, part, coding) for part in parts]
        facts = _gather(client, [client.submit(_facts, part, block) for part, block in zip(parts, blocks, strict=True)])
        del parts
        categories = coding.categories
        start = np.concatenate([[0], np.cumsum(categories)]).astype(np.intp)
        free_sd = np.array([any(name in FIXED_SLOPE for name in models)])
        prepared = Prepared(
            items=coding.items,
            models=tuple(models),
            persons=Partitions(categories, start, sum(fact[0] for fact in facts), _sweep(client, blocks)),
            counts=np.sum([fact[1] for fact in facts], axis=0),
            population=Population.of_groups(np.zeros(1), np.ones(1), np.zeros(1, bool), free_sd),
            groups=("",),
            scale=Scale(),
            data_digest=hashlib.sha256("".join(fact[2] for fact in facts).encode()).hexdigest(),
            marks=coding.marks,
            scores=coding.unusual,
            excluded=coding.excluded,
            flags=coding.flags,
        )
        worth = worths(categories, coding.items, coding.scores)
        sums = prepared.persons.total(classical_sums, worth)
        lowest = np.array([scores[0] for scores in coding.scores.values()])
        statistics = statistics_of(sums, coding.items, categories, worth, lowest, np.zeros(len(lowest), np.int64))
        result = run(
            prepared,
            priors=priors,
            estimate=estimate,
            tolerance=tolerance,
            max_iterations=max_iterations,
            on_iteration=on_iteration,
        )
        return result, screen(statistics)
    except (ModelError, PatternError, PriorError) as error:
        raise CalibrationError(str(error)) from None


def _gather(client: Client, futures: Sequence[Any]) -> list[Any]:
    """Results of futures, in their order."""
    gather: Callable[[Sequence[Any]], list[Any]] = client.gather
    return gather(futures)


def _blocks(responses: Any, coding: Coding) -> ResponseBlocks:  # noqa: ANN401
    return block_responses(coded(responses, coding), coding.items, categories=coding.categories)


def _facts(responses: Any, layout: ResponseBlocks) -> tuple[int, np.ndarray[Any, Any], str]:  # noqa: ANN401
    """Persons, weighted persons of every item, digest."""
    counts = np.add.reduceat(category_counts(layout), layout.start[:-1])
    return layout.persons, counts, digest(responses)


def _sweep(client: Client, blocks: Sequence[Any]) -> Callable[..., list[Any]]:
    def sweep(function: Callable[..., Any], *arguments: Any) -> list[Any]:  # noqa: ANN401
        futures = [client.submit(function, block, *arguments, pure=False) for block in blocks]
        return _gather(client, futures)

    return sweep
