"""Parameters foretold from the writers' grades for items that nobody has answered: better than none, and marked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calibration import Graded, ParameterTable, grade_priors
from engine.pools.errors import PoolError
from engine.pools.pool import Pool

GRADE_SD = 0.7  # of b that grades account for, where too few calibrated items say how much: half of its variance


def with_predicted(pool: Pool, column: str) -> Pool:
    """The pool with parameters for items that have none but a grade in `column`, marked in `predicted`.

    b is what the regression of b on grade × type says that the calibrated items of the pool give
    (`calibration.grade_priors`), a their geometric mean. With fewer than 30 of them grades are only taken to order:
    standardised over the pool and spread by 0.7 about the scale's mean, with a = 1. Raises PoolError where the column
    holds no numbers.
    """
    grades = pool.numbers(column)
    missing = ~pool.calibrated & np.isfinite(grades)
    if not np.isfinite(grades).any():
        raise PoolError(f"the column {column!r} holds no numbers, so that no parameters can be predicted from it")
    known = np.flatnonzero(pool.dichotomous & np.isfinite(grades))
    kinds = pool.column("type") if "type" in pool.attributes else ("",) * len(pool)
    graded = {pool.ids[j]: Graded(float(grades[j]), str(kinds[j] or "")) for j in np.flatnonzero(np.isfinite(grades))}
    wanted = [pool.ids[j] for j in np.flatnonzero(missing)]
    found = grade_priors([pool.item_parameters(int(j)) for j in known], graded, wanted)
    if found.weak:
        spread = float(grades[np.isfinite(grades)].std()) or 1.0
        middle = float(grades[np.isfinite(grades)].mean())
        b = pool.scale.mean + GRADE_SD * pool.scale.sd * (grades[missing] - middle) / spread
        slope = 1.0
    else:
        b = np.array([found.priors[item].b.mean for item in wanted])  # type: ignore[union-attr]
        slope = float(np.exp(np.log(pool.parameters.a[known]).mean()))
    table = pool.parameters
    a, difficulty, c, d = table.a.copy(), table.b.copy(), table.c.copy(), table.d.copy()
    a[missing], difficulty[missing], c[missing], d[missing] = slope, b, 0.0, 1.0
    return replace(
        pool, parameters=ParameterTable(table.ids, a, difficulty, c, d, table.D), predicted=pool.predicted | missing
    )
