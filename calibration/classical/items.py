"""Classical item statistics: how hard, how discriminating, and what each option drew.

Persons who saw different forms have totals that cannot be compared, so every moment is taken within groups of persons
with the same items and pooled over the groups. The corrected correlation is the item's with the total of the *other*
items (Henrysson, 1963), so that the item cannot vouch for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.responses import NOT_REACHED, OMITTED, Responses, right_options
from calibration.subsets import AlikePersons, alike_persons, some_items, some_persons

CHUNK = 20_000  # persons of a set taken together: their deviations are float64

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OptionStatistics:
    """What one response code drew: its share of the item's persons and its corrected correlation with the rest."""

    option: str
    n: float
    share: float
    correlation: float
    correlation_with_key: float
    is_key: bool


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """One item: persons, proportion of the maximum score, corrected point-biserial (NaN without variance), options.

    `n` counts everybody who had the item. Correlations rest on persons who share all their items with somebody:
    `effective_n` is their number less one for every group but the first whose mean was taken out. The correlation of a
    polytomous item is its item-rest correlation. `mean` and `sd` are of the score, `top` is the highest score seen.
    """

    item: str
    n: float
    p_value: float
    point_biserial: float
    effective_n: float
    omitted: int
    options: tuple[OptionStatistics, ...] = ()
    mean: float = float("nan")
    sd: float = float("nan")
    top: int = 1


@dataclass(slots=True)
class _Moments:
    """Pooled within-group sums of squares and products of an indicator x, the item score u and the total T."""

    xx: FloatArray
    xt: FloatArray
    xu: FloatArray
    tt: FloatArray
    tu: FloatArray
    uu: FloatArray

    @classmethod
    def zeros(cls, *shape: int) -> _Moments:
        return cls(*(np.zeros(shape) for _ in range(6)))

    def correlation_with_rest(self) -> FloatArray:
        covariance = self.xt - self.xu
        rest = self.tt - 2 * self.tu + self.uu
        varies = (self.xx > 1e-12) & (rest > 1e-12 * (self.tt + self.uu))  # what is left of a difference is no variance
        denominator = np.sqrt(self.xx * np.abs(rest))
        return np.divide(covariance, denominator, out=np.full_like(covariance, np.nan), where=varies)


def item_statistics(responses: Responses) -> tuple[ItemStatistics, ...]:
    """Statistics of every item in the order of `responses.items`; options only where response codes were read."""
    responses = responses.unshifted()
    J = len(responses.items)
    used = responses.status != NOT_REACHED
    item, score, weight_of = responses.item[used], responses.score[used], responses.weight[responses.person[used]]
    n, total = np.bincount(item, weight_of, J), np.bincount(item, weight_of * score, J)
    squares = np.bincount(item, weight_of * score.astype(float) ** 2, J)
    mean = np.divide(total, n, out=np.full(J, np.nan), where=n > 0)
    top = np.ones(J)
    np.maximum.at(top, item, score)
    omitted = np.bincount(responses.item[responses.status == OMITTED], minlength=J)
    scores = _Moments.zeros(J)
    K = len(responses.options)
    options = _Moments.zeros(K, J)
    chosen = np.zeros((K, J))
    if responses.option is not None:
        code = responses.option[used]
        np.add.at(chosen, (code[code >= 0], item[code >= 0]), weight_of[code >= 0])
    compared, groups = np.zeros(J), np.zeros(J)
    for alike in alike_persons(responses):
        if alike.weight.sum() < 2:
            continue
        compared[alike.items] += alike.weight.sum()
        groups[alike.items] += 1
        _add_set(scores, options, alike)
    point_biserial = scores.correlation_with_rest()
    option_correlation = options.correlation_with_rest()
    with np.errstate(divide="ignore", invalid="ignore"):
        key_correlation = options.xu / np.sqrt(options.xx * options.uu)
    return tuple(
        ItemStatistics(
            item=name,
            n=float(n[j]),
            p_value=float(total[j] / (n[j] * top[j])) if n[j] else float("nan"),
            point_biserial=float(point_biserial[j]),
            effective_n=float(max(compared[j] - groups[j] + 1, 0)),
            omitted=int(omitted[j]),
            mean=float(mean[j]),
            sd=float(np.sqrt(max(squares[j] - n[j] * mean[j] ** 2, 0.0) / (n[j] - 1))) if n[j] > 1 else float("nan"),
            top=int(top[j]),
            options=tuple(
                OptionStatistics(
                    option=responses.options[k],
                    n=float(chosen[k, j]),
                    share=float(chosen[k, j] / n[j]),
                    correlation=float(option_correlation[k, j]),
                    correlation_with_key=float(key_correlation[k, j]),
                    is_key=responses.options[k] in right,
                )
                for k in sorted(np.flatnonzero(chosen[:, j] > 0), key=lambda k: responses.options[k])
            ),
        )
        for j, name in enumerate(responses.items)
        for right in [right_options(responses.key.get(name, ""))]
    )


def statistics_by_form(responses: Responses) -> dict[str, tuple[ItemStatistics, ...]]:
    """The statistics of the items of each form, from the persons of that form alone."""
    by_form = {}
    for f, name in enumerate(responses.forms):
        part = some_persons(responses, responses.form == f)
        seen = np.unique(part.item)
        by_form[name] = item_statistics(some_items(part, [responses.items[j] for j in seen]))
    return by_form


def _add_set(scores: _Moments, options: _Moments, alike: AlikePersons) -> None:
    """Add the sums of squares and products about the means of persons with the same items."""
    total_weight = alike.weight.sum()
    means = alike.weight @ alike.scores / total_weight
    K = options.xx.shape[0] if alike.options is not None else 0
    shares = [alike.weight @ (alike.options == k) / total_weight for k in range(K)]
    for first in range(0, len(alike.persons), CHUNK):
        rows = slice(first, first + CHUNK)
        weight = alike.weight[rows]
        deviation = alike.scores[rows] - means
        rest = deviation.sum(axis=1)
        known = (weight @ deviation**2, float(weight @ rest**2), (weight * rest) @ deviation)
        _add(scores, alike.items, deviation, deviation, rest, weight, known)
        if alike.options is None:
            continue
        for k, share in enumerate(shares):
            part = _Moments(*(getattr(options, name)[k] for name in _Moments.__slots__))
            _add(part, alike.items, (alike.options[rows] == k) - share, deviation, rest, weight, known)


def _add(
    moments: _Moments,
    items: NDArray[np.intp],
    columns: FloatArray,
    deviation: FloatArray,
    rest: FloatArray,
    weight: FloatArray,
    known: tuple[FloatArray, float, FloatArray],
) -> None:
    uu, tt, tu = known
    moments.xx[items] += weight @ columns**2
    moments.xt[items] += (weight * rest) @ columns
    moments.xu[items] += weight @ (columns * deviation)
    moments.uu[items] += uu
    moments.tt[items] += tt
    moments.tu[items] += tu
