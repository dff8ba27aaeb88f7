"""What would memorised items do to the scores? How many who should fail would pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration import ReferenceForm, Scale
from engine.pools import Pool
from engine.raw_scores import RIGHT_WHEN_KNOWN, effect_of_knowing

SHARES = (0.10, 0.20, 0.30, 0.50)  # of a paper's marks that published items carry, besides the policy's cap
MEMORISED = (0.30, 1.00)
TYPICAL = 100  # items of the paper that stands for the bank's papers where none was assembled


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What happens when published items carry `share` of a paper's marks and every candidate knows `memorised` of them.

    `marks_at_cut` is the percentage of the marks that a candidate at the cut is expected to get, `false_passes` the
    share of true failers who pass.
    """

    share: float
    memorised: float
    marks_at_cut: float
    false_passes: float


@dataclass(frozen=True, slots=True)
class Effects:
    """The table, and what it is of: the paper, the population N(mean, sd²), the cut and the pass mark.

    `cap` is the policy's: more of a paper's marks than that published items never carry. `now` is the share of true
    failers who pass although nothing is known; `right` is P(right | known).
    """

    rows: tuple[EffectRow, ...]
    cap: float
    paper: str
    items: int
    mean: float
    sd: float
    cut: float
    pass_share: float
    right: float
    now: float


def typical_paper(pool: Pool) -> NDArray[np.intp]:
    """Positions of items that are as hard as the bank: evenly spaced in order of difficulty."""
    known = np.flatnonzero(pool.dichotomous)
    ordered = known[np.lexsort((known, pool.parameters.b[known]))]
    count = min(TYPICAL, len(known))
    return ordered[np.floor((np.arange(count) + 0.5) * len(known) / max(count, 1)).astype(np.intp)]


def effects_of(
    pool: Pool,
    items: NDArray[np.intp],
    marks: NDArray[np.float64],
    *,
    cap: float,
    paper: str,
    cut: float | None = None,
    pass_share: float = 0.60,
    scale: Scale | None = None,
) -> Effects | None:
    """The effect on a paper of `items` (j,) worth `marks` (j,) each; None where the paper has no cut on the scale.

    Items of several categories are left out: what knowing one by heart gives is not said by P(right | known). Without
    `cut` it is where the paper expects `pass_share` of its marks.
    """
    usable = pool.dichotomous[items]
    table, worth = pool.parameters.take(items[usable]), marks[usable]
    if not usable.any():
        return None
    scale = scale or pool.scale
    try:
        theta = ReferenceForm.of_table(table, worth, scale).cut(pass_share) if cut is None else cut
    except ValueError:  # the whole population lies on one side of the pass mark
        return None
    found = [
        (share, memorised, effect_of_knowing(table, worth, scale, theta, share * memorised, pass_share))
        for share in sorted({cap, *SHARES})
        for memorised in MEMORISED
    ]
    return Effects(
        rows=tuple(
            EffectRow(share, memorised, 100 * one.marks_at_cut / float(worth.sum()), one.false_passes)
            for share, memorised, one in found
        ),
        cap=cap,
        paper=paper,
        items=int(usable.sum()),
        mean=scale.mean,
        sd=scale.sd,
        cut=float(theta),
        pass_share=pass_share,
        right=RIGHT_WHEN_KNOWN,
        now=effect_of_knowing(table, worth, scale, theta, 0.0, pass_share).false_passes,
    )
