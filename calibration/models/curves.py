"""What items in any mix of models say: probabilities of their categories, expected marks, information.

The categories of all items are stacked into C = Σ K_j rows, item by item (`start` has the first row of each), so that
mixed formats are one matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.models.dichotomous import ParameterTable, logistic
from calibration.models.parameters import DICHOTOMOUS, ItemParameters, Scale, check_parameters

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Alike:
    """Items of one family with K categories: their positions (m,), rows (m, K), and parameters with D taken in."""

    family: str
    items: NDArray[np.intp]
    rows: NDArray[np.intp]
    slope: Matrix  # logistic, graded: (m,); divide: (m, K)
    intercept: Matrix  # logistic: (m,); graded: (m, K - 1); divide: (m, K)
    lower: Matrix  # (m,), logistic only
    upper: Matrix


@dataclass(frozen=True, slots=True)
class Curves:
    """The response curves of J items with C categories in all; build it with `Curves.of`."""

    ids: tuple[str, ...]
    categories: NDArray[np.intp]  # (J,), K of each item
    start: NDArray[np.intp]  # (J + 1,), first row of each item
    marks: Matrix  # (C,)
    groups: tuple[_Alike, ...]

    @classmethod
    def of(cls, items: Sequence[ItemParameters], scale: Scale | None = None) -> Curves:
        """Curves of `items` on `scale`. Raises ModelError for parameters that make no curve."""
        check_parameters(items)
        D = (scale or Scale()).D
        categories = np.array([item.categories for item in items], np.intp)
        start = np.concatenate([[0], np.cumsum(categories)]).astype(np.intp)
        alike: dict[tuple[str, int], list[int]] = {}
        for j, item in enumerate(items):
            alike.setdefault((_family(item), item.categories), []).append(j)
        return cls(
            ids=tuple(item.id for item in items),
            categories=categories,
            start=start,
            marks=np.array([mark for item in items for mark in item.category_marks], float),
            groups=tuple(
                _alike(family, np.array(members), [items[j] for j in members], start, D)
                for (family, _), members in alike.items()
            ),
        )

    @classmethod
    def of_table(cls, table: ParameterTable, marks: ArrayLike) -> Curves:
        """Curves of dichotomous items, worth `marks` (J,) when right: thousands of them without an object each."""
        J = len(table.ids)
        start = 2 * np.arange(J + 1)
        worth = np.zeros((J, 2))
        worth[:, 1] = marks
        slope = table.D * table.a
        rows = start[:-1, None] + np.arange(2)
        alike = _Alike("logistic", np.arange(J), rows, slope, -slope * table.b, table.c, table.d)
        return cls(table.ids, np.full(J, 2, np.intp), start, worth.reshape(-1), (alike,))

    def log_probability(self, theta: ArrayLike) -> Matrix:
        """Log P(category) at each theta (Q,), (C, Q)."""
        nodes = np.atleast_1d(np.asarray(theta, float))[None, :]
        out = np.empty((len(self.marks), nodes.shape[1]))
        for group in self.groups:
            out[group.rows] = _log_probability(group, nodes)
        return out

    def probability(self, theta: ArrayLike) -> Matrix:
        """P(category) at each theta (Q,), (C, Q)."""
        nodes = np.atleast_1d(np.asarray(theta, float))[None, :]
        out = np.empty((len(self.marks), nodes.shape[1]))
        for group in self.groups:
            out[group.rows] = _probability(group, nodes)
        return out

    def log_derivatives(self, theta: ArrayLike) -> tuple[Matrix, Matrix]:
        """First and second derivative of log P(category) in theta, each (C, Q)."""
        nodes = np.atleast_1d(np.asarray(theta, float))[None, :]
        first, second = np.empty((2, len(self.marks), nodes.shape[1]))
        for group in self.groups:
            first[group.rows], second[group.rows] = _log_derivatives(group, nodes)
        return first, second

    def pairs(self, item: NDArray[np.intp], theta: Matrix) -> Iterator[tuple[NDArray[np.intp], Matrix, Matrix, Matrix]]:
        """The curves of item[r] at theta[r], R pairs, in parts of one family and one K each.

        Every part is the positions of its pairs (r,), and P(category), its first and its second log-derivative in
        theta, each (r, K).
        """
        part, place = np.empty((2, len(self.ids)), np.intp)
        for number, group in enumerate(self.groups):
            part[group.items], place[group.items] = number, np.arange(len(group.items))
        for number, group in enumerate(self.groups):
            chosen = np.flatnonzero(part[item] == number) if len(self.groups) > 1 else np.arange(len(item))
            m = place[item[chosen]]
            one = replace(
                group,
                slope=group.slope[m],
                intercept=group.intercept[m],
                lower=group.lower[m],
                upper=group.upper[m],
            )
            nodes = theta[chosen, None]
            P = _probability(one, nodes)
            first, second = _log_derivatives(one, nodes)
            yield chosen, P[:, :, 0], first[:, :, 0], second[:, :, 0]

    @property
    def increasing(self) -> bool:
        """Must expected marks rise with theta? True where every slope is at least 0 and better categories give more."""
        better = np.diff(self.marks) >= 0
        better[self.start[1:-1] - 1] = True  # from one item to the next
        return bool(better.all()) and all(
            bool(np.all(np.diff(group.slope) >= 0) if group.family == "divide" else np.all(group.slope >= 0))
            for group in self.groups
        )

    def expected_marks(self, theta: ArrayLike) -> Matrix:
        """Expected marks of each item, (J, Q)."""
        return self.sum_items(self.marks[:, None] * self.probability(theta))

    def marks_slope(self, theta: ArrayLike) -> Matrix:
        """Derivative of the expected marks in theta, (J, Q)."""
        first, _ = self.log_derivatives(theta)
        return self.sum_items(self.marks[:, None] * self.probability(theta) * first)

    def information(self, theta: ArrayLike) -> Matrix:
        """Fisher information of each item, Σ_k P_k (d log P_k / d theta)² (Samejima, 1969), (J, Q)."""
        first, _ = self.log_derivatives(theta)
        return self.sum_items(self.probability(theta) * first**2)

    def rows_of(self, items: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The stacked rows of some items (j,), item by item, and where each item begins among them, (j + 1,)."""
        K = self.categories[items]
        start = np.concatenate([[0], np.cumsum(K)]).astype(np.intp)
        return np.repeat(self.start[items] - start[:-1], K) + np.arange(start[-1]), start

    def sum_items(self, rows: Matrix) -> Matrix:
        """Sums of (C, …) over the categories of each item, (J, …)."""
        if not len(self.ids):
            return np.zeros((0, *rows.shape[1:]))
        return np.asarray(np.add.reduceat(rows, self.start[:-1], axis=0))


def _family(item: ItemParameters) -> str:
    if item.model in DICHOTOMOUS:
        return "logistic"
    return "graded" if item.model == "GRM" else "divide"


def _alike(
    family: str, positions: NDArray[np.intp], items: list[ItemParameters], start: NDArray[np.intp], D: float
) -> _Alike:
    K = items[0].categories
    a = D * np.array([item.a for item in items])
    b = np.array([item.b for item in items]) if family != "divide" else np.zeros(0)
    if family == "logistic":
        slope, intercept = a, -a * b[:, 0]
    elif family == "graded":
        slope, intercept = a, -a[:, None] * b
    else:
        slope, intercept = np.empty((len(items), K)), np.empty((len(items), K))
        for row, item in enumerate(items):
            if item.model == "NRM":
                slope[row], intercept[row] = D * np.array(item.slopes), np.array(item.intercepts)
            else:
                slope[row] = a[row] * np.arange(K)
                intercept[row] = -a[row] * np.concatenate([[0.0], np.cumsum(item.b)])
    return _Alike(
        family=family,
        items=positions,
        rows=start[positions][:, None] + np.arange(K),
        slope=slope,
        intercept=intercept,
        lower=np.array([item.c for item in items]),
        upper=np.array([item.d for item in items]),
    )


def _log_probability(group: _Alike, nodes: Matrix) -> Matrix:
    """Log P, (m, K, Q), at nodes (1, Q) that all items share, or (m, 1) one for each."""
    if group.family == "logistic":
        return _log_logistic(group, nodes)
    if group.family == "graded":
        return log_graded(group.slope[:, None, None] * nodes[:, None] + group.intercept[:, :, None])
    z = group.slope[:, :, None] * nodes[:, None] + group.intercept[:, :, None]
    z -= z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def _log_logistic(group: _Alike, nodes: Matrix) -> Matrix:
    z = group.slope[:, None] * nodes + group.intercept[:, None]
    out = np.empty((len(z), 2, z.shape[1]))
    plain = (group.lower == 0) & (group.upper == 1)
    out[:, 0], out[:, 1] = -np.logaddexp(0.0, z), -np.logaddexp(0.0, -z)
    if not plain.all():
        c, d = group.lower[~plain, None], group.upper[~plain, None]
        wrong, right = out[~plain, 0], out[~plain, 1]  # of an item without asymptotes
        with np.errstate(divide="ignore"):
            out[~plain, 0] = np.logaddexp(np.log(1 - d) + right, np.log(1 - c) + wrong)
            out[~plain, 1] = np.logaddexp(np.log(c) + wrong, np.log(d) + right)
    return out


def log_graded(z: Matrix) -> Matrix:
    """Log P of K categories, (m, K, Q), from decreasing logits z (m, K - 1, Q) of P(X ≥ k) = logistic(z_k).

    logistic(u) - logistic(v) = logistic(u) · logistic(-v) · (1 - exp(v - u)), which loses no digits where both are
    near 0 or 1.
    """
    out = np.empty((z.shape[0], z.shape[1] + 1, z.shape[2]))
    above, below = -np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)  # log P(X ≥ k), log P(X < k)
    out[:, 0] = below[:, 0]
    out[:, -1] = above[:, -1]
    with np.errstate(divide="ignore"):
        out[:, 1:-1] = above[:, :-1] + below[:, 1:] + np.log(-np.expm1(np.minimum(z[:, 1:] - z[:, :-1], 0.0)))
    return out


def _log_derivatives(group: _Alike, nodes: Matrix) -> tuple[Matrix, Matrix]:
    if group.family == "divide":
        P = np.exp(_log_probability(group, nodes))
        slope = group.slope[:, :, None]
        mean = (slope * P).sum(axis=1, keepdims=True)
        variance = (slope**2 * P).sum(axis=1, keepdims=True) - mean**2
        return np.broadcast_to(slope, P.shape) - mean, np.broadcast_to(-variance, P.shape)
    if group.family == "graded":
        a = group.slope[:, None, None]
        star = logistic(a * nodes[:, None] + group.intercept[:, :, None])
        ends = np.ones((len(star), 1, star.shape[2]))
        upper, lower = np.concatenate([ends, star], axis=1), np.concatenate([star, 0 * ends], axis=1)
        return a * (1 - upper - lower), -(a**2) * (upper * (1 - upper) + lower * (1 - lower))
    right, wrong, P = _logistic(group, nodes)
    c, d, a = group.lower[:, None], group.upper[:, None], group.slope[:, None]
    first = np.empty_like(P)
    # (d - c) · logistic / P, which is 0 / 0 far out where there is no asymptote; then it is 1
    first[:, 0] = -a * right * np.divide((d - c) * wrong, P[:, 0], out=np.ones_like(right), where=d < 1)
    first[:, 1] = a * wrong * np.divide((d - c) * right, P[:, 1], out=np.ones_like(right), where=c > 0)
    return first, first * (a * (wrong - right))[:, None] - first**2


def _logistic(group: _Alike, nodes: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """logistic(z), logistic(-z), each (m, Q), and P of both categories (m, 2, Q), without loss of digits at 0 or 1."""
    z = group.slope[:, None] * nodes + group.intercept[:, None]
    right, wrong = logistic(z), logistic(-z)
    c, d = group.lower[:, None], group.upper[:, None]
    return right, wrong, np.stack([(1 - d) + (d - c) * wrong, c + (d - c) * right], axis=1)


def _probability(group: _Alike, nodes: Matrix) -> Matrix:
    """P, (m, K, Q), at nodes as in `_log_probability`."""
    if group.family == "logistic":
        return _logistic(group, nodes)[2]
    if group.family == "graded":
        z = group.slope[:, None, None] * nodes[:, None] + group.intercept[:, :, None]
        above, below = logistic(z), logistic(-z)
        apart = -np.expm1(np.diff(group.intercept, axis=1))[:, :, None]  # as in log_graded
        return np.concatenate([below[:, :1], above[:, :-1] * below[:, 1:] * apart, above[:, -1:]], axis=1)
    return np.exp(_log_probability(group, nodes))
