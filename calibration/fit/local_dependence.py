"""Do pairs of items have more in common than ability? Q3 and LD-X².

Q3 is the correlation of two items' residuals at the posterior means of ability (Yen, 1984). It is negative on average,
about -1 / (J - 1), so pairs are judged by Q3 less the mean of all pairs (Christensen, Makransky & Horton, 2017). LD-X²
compares the table of two items' responses with the expected one (Chen & Thissen, 1997), signed by whether they go
together more (+) or less (-) than expected, and standardised, (X² - df) / √(2 df).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.false_discovery import benjamini_hochberg
from calibration.fit.correlations import PairSums
from calibration.fit.persons import FitError, Fitted, ScoreMoments, abilities, fitted, tables
from calibration.fit.selection import selection
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

Matrix = NDArray[np.float64]

LEAST_PAIR = 50  # persons who had both items
NOTABLE_Q3 = 0.20  # above the mean of all pairs (Christensen et al., 2017)
NOTABLE_LD = 10.0  # standardised LD-X² (Chen & Thissen, 1997; as in IRTPRO's manual)
MOST_CATEGORIES = 6000  # of all items: a table of 288 MB


@dataclass(frozen=True, slots=True)
class LocalDependence:
    """Pairs of items, (J, J) matrices in the order of `items`, NaN on the diagonal and below `least_pair` persons.

    `n` counts the persons behind each pair. `ld_x2` and `ld_z` are NaN for pairs with a routed item.
    """

    items: tuple[str, ...]
    n: Matrix
    q3: Matrix
    ld_x2: Matrix
    ld_df: Matrix
    ld_z: Matrix
    least_pair: float

    @property
    def mean_q3(self) -> float:
        return float(np.nanmean(self.q3)) if np.isfinite(self.q3).any() else float("nan")

    def _beyond_chance(self, adjusted: Matrix, n: Matrix) -> NDArray[np.bool_]:
        """Pairs whose adjusted Q3 is above 0 by Fisher's z at a false discovery rate of 5 %."""
        from scipy.special import ndtr  # noqa: PLC0415  (0.1 s at import)

        z = np.arctanh(np.clip(np.nan_to_num(adjusted, nan=-1.0), -0.999999, 0.999999)) * np.sqrt(np.maximum(n - 3, 0))
        return benjamini_hochberg(np.asarray(ndtr(-z)), 0.05)

    def rows(self, *, all_pairs: bool = False) -> list[dict[str, object]]:
        """One row a pair, the strongest first: the flagged ones, beyond chance and of notable size, or all."""
        first, second = np.triu_indices(len(self.items), 1)
        adjusted = self.q3 - self.mean_q3
        flagged = np.zeros(self.q3.shape, bool)
        flagged[first, second] = (
            self._beyond_chance(adjusted[first, second], self.n[first, second])
            & ((adjusted >= NOTABLE_Q3) | (self.ld_z >= NOTABLE_LD))[first, second]
        )
        strength = np.nan_to_num(adjusted[first, second], nan=-np.inf)
        rows: list[dict[str, object]] = []
        for at in np.argsort(-strength, kind="stable"):
            i, j = first[at], second[at]
            if not np.isfinite(self.q3[i, j]) or not (all_pairs or flagged[i, j]):
                continue
            rows.append(
                {
                    "first": self.items[i],
                    "second": self.items[j],
                    "n": float(self.n[i, j]),
                    "q3": float(self.q3[i, j]),
                    "q3_adjusted": float(adjusted[i, j]),
                    "ld_x2": float(self.ld_x2[i, j]),
                    "ld_df": int(self.ld_df[i, j]),
                    "ld_z": float(self.ld_z[i, j]),
                    "flagged": bool(flagged[i, j]),
                }
            )
        return rows


def local_dependence(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    population: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    theta: Matrix | None = None,
    least_pair: float = LEAST_PAIR,
) -> LocalDependence:
    """Q3 at the posterior means (or at `theta`) and LD-X² of every pair that `least_pair` persons had."""
    data = fitted(responses, items, scale, population)
    C, J = int(data.curves.start[-1]), len(data.items)
    if C > MOST_CATEGORIES:
        raise FitError(
            f"{C} categories of {J} items in all; pairs are compared for up to {MOST_CATEGORIES}: take one form"
        )
    at = abilities(data) if theta is None else np.asarray(theta, float)
    sums, together = PairSums.zeros(J), np.zeros((len(data.mean), C, C))
    for table in tables(data):
        had = table.had
        mean = ScoreMoments.at(table.curves, at[table.persons]).mean.T
        sums.add(table.items, np.where(had, table.codes - mean, 0.0), had.astype(float), table.weight)
        row, column = np.nonzero(had)
        at_row = data.curves.start[table.items[column]] + table.codes[row, column]
        for g in np.unique(table.group):
            _add_tables(together[g], row, at_row, table.weight * (table.group == g))
    q3 = sums.correlations()
    x2, df, z = _ld_x2(data, together)
    few = (sums.n < least_pair) | np.eye(J, dtype=bool)
    routed = selection(data).routed
    unfair = few | routed[:, None] | routed
    return LocalDependence(
        tuple(item.id for item in data.items),
        sums.n,
        np.where(few, np.nan, q3),
        np.where(unfair, np.nan, x2),
        df,
        np.where(unfair, np.nan, z),
        least_pair,
    )


def _add_tables(together: Matrix, row: NDArray[np.intp], category: NDArray[np.intp], weight: Matrix) -> None:
    """Add the weighted persons who chose both of two categories (C, C), from who (R,) chose which (R,)."""
    from scipy.sparse import csr_array  # noqa: PLC0415  (0.1 s at import)

    shape = (len(weight), len(together))
    chosen = csr_array((np.ones(len(row)), (row, category)), shape=shape)
    weighted = csr_array((weight[row], (row, category)), shape=shape)
    if len(row) > 0.05 * shape[0] * shape[1]:
        together += chosen.toarray().T @ weighted.toarray()
        return
    both = (chosen.T @ weighted).tocoo()
    together[both.row, both.col] += both.data


def _ld_x2(data: Fitted, together: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """LD-X² signed, its degrees of freedom and its standardised value, (J, J) each; groups add up."""
    P = data.curves.probability(data.nodes)
    item = np.repeat(np.arange(len(data.items)), data.curves.categories)
    category = data.category
    x2 = np.zeros((len(data.items),) * 2)
    lean = np.zeros_like(x2)
    for observed, prior in zip(together, data.weights, strict=True):
        n = _sum_both(data, observed)
        share = (P * prior) @ P.T
        expected = n[np.ix_(item, item)] * share
        cell = np.divide((observed - expected) ** 2, expected, out=np.zeros_like(observed), where=expected > 1e-12)
        x2 += _sum_both(data, cell)
        lean += _sum_both(data, np.outer(category, category) * (observed - expected)) - _marginal_lean(
            data, observed, expected
        )
    above = data.curves.categories - 1.0
    df = np.outer(above, above)
    return np.where(lean < 0, -x2, x2), df, np.where(lean < 0, -1, 1) * (x2 - df) / np.sqrt(2 * df)


def _marginal_lean(data: Fitted, observed: Matrix, expected: Matrix) -> Matrix:
    """How much of the difference of mean products comes from the means alone."""
    category = data.category
    n = np.maximum(_sum_both(data, observed), 1e-12)

    def product_of_means(table: Matrix) -> Matrix:
        first = _sum_both(data, category[:, None] * table)
        return np.asarray(first * first.T / n)

    return product_of_means(observed) - product_of_means(expected)


def _sum_both(data: Fitted, table: Matrix) -> Matrix:
    return data.curves.sum_items(data.curves.sum_items(table).T).T
