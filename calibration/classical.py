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
    `effective_n` is their number less one for every group but the first whose mean was taken out.
    """

    item: str
    n: float
    p_value: float
    point_biserial: float
    effective_n: float
    omitted: int
    options: tuple[OptionStatistics, ...] = ()


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
    J = len(responses.items)
    used = responses.status != NOT_REACHED
    item, score, weight_of = responses.item[used], responses.score[used], responses.weight[responses.person[used]]
    n, total = np.bincount(item, weight_of, J), np.bincount(item, weight_of * score, J)
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
    for items, table, codes, weight in _groups(responses):
        compared[items] += weight.sum()
        groups[items] += 1
        T = table.sum(axis=1)
        deviation, rest = _centred(table, weight), _centred(T, weight)
        uu = weight @ deviation**2
        tt, tu = float(weight @ rest**2), (weight * rest) @ deviation
        _add(scores, items, deviation, deviation, rest, weight, (uu, tt, tu))
        if codes is None:
            continue
        for k in range(K):
            indicator = np.equal(codes, k).astype(float)
            part = _Moments(*(getattr(options, name)[k] for name in _Moments.__slots__))
            _add(part, items, _centred(indicator, weight), deviation, rest, weight, (uu, tt, tu))
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


def _centred(values: FloatArray, weight: FloatArray) -> FloatArray:
    return np.asarray(values - weight @ values / weight.sum())


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


_Group = tuple[NDArray[np.intp], FloatArray, NDArray[np.int16] | None, FloatArray]


def _groups(responses: Responses) -> list[_Group]:
    """Groups of at least two persons with the same items: items, scores (n, j), option codes (n, j), weights (n,)."""
    used = responses.status != NOT_REACHED
    person, item, score = responses.person[used], responses.item[used], responses.score[used]
    option = responses.option[used] if responses.option is not None else None
    starts = np.searchsorted(person, np.arange(len(responses.persons) + 1))
    members: dict[bytes, list[int]] = {}
    for i in np.flatnonzero(np.diff(starts) > 0):
        members.setdefault(item[starts[i] : starts[i + 1]].tobytes(), []).append(int(i))
    groups: list[_Group] = []
    for persons in members.values():
        weight = responses.weight[persons]
        if weight.sum() < 2:
            continue
        rows = [slice(starts[i], starts[i + 1]) for i in persons]
        codes = np.stack([option[row] for row in rows]) if option is not None else None
        groups.append(
            (item[rows[0]].astype(np.intp), np.stack([score[row] for row in rows]).astype(float), codes, weight)
        )
    return groups
