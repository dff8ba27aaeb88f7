"""In which order does a candidate meet the items of a form?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.assembly.paper import Paper


def arrange(paper: Paper, members: NDArray[np.intp], *, seed: int = 0) -> tuple[list[int], Mapping[str, str]]:
    """Positions in the order a candidate meets them, and the letters that shuffled keys have become.

    Items stand by the blueprint's columns (the marked kinds in the order of [marks]), id last.
    """
    pool, blueprint = paper.pool, paper.blueprint
    kinds = list(blueprint.marks)

    def rank(j: int) -> tuple[object, ...]:
        keys: list[object] = []
        for column in blueprint.order:
            value = str(pool.column(column)[j])
            keys.append(
                (kinds.index(value), "") if column == blueprint.marks_by and value in kinds else (len(kinds), value)
            )
        return (*keys, pool.ids[j])

    return sorted((int(j) for j in members), key=rank), {}
