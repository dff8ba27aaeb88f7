"""flexMIRT's `-prm.txt` files: tab-separated, slope-intercept form, D = 1 (Cai, 2017).

A row an item: 1, name, group, factors, type, categories, then by type
  1 (3PL)      logit g, c, a
  2 (graded)   c_1 … c_(K-1), a
  3 (nominal)  T, alpha_1 … alpha_(K-1), a, L, gamma_1 … gamma_(K-1)    slopes a · T alpha, intercepts L gamma
and a row a group: 0, name, group, factors, 0, mean, variance. T and L are 0 for the trend basis (Fourier functions,
Thissen, Cai & Bock, 2010), 1 for the identity and 2 for a matrix that follows (K rows of K - 1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.exchange.errors import ExchangeError
from calibration.exchange.slope_intercept import category_terms, divided_by_total, without_constant
from calibration.exchange.tables import number, number_text
from calibration.models import DICHOTOMOUS, ItemParameters, Scale

Matrix = NDArray[np.float64]


def flexmirt_parameters(items: Sequence[ItemParameters], scale: Scale | None = None) -> str:
    """Items as a `-prm.txt` file of one group; D is taken into the slopes.

    Rasch, 1PL and 2PL items are written as graded ones with two categories, partial credit ones as nominal with
    scoring 0, 1, …. Raises ExchangeError for a 4PL item or a 3PL with c = 0 or 1, which flexMIRT has no place for.
    """
    plain, on = without_constant(items, scale or Scale())
    lines = []
    for item in plain:
        if any(sign in item.id for sign in "\t\n\r"):
            raise ExchangeError(f"item {item.id!r}: a name with a tab or line break cannot be written")
        lines.append([1, item.id, 1, 1, *_item_cells(item)])
    lines.append([0, "Group1", 1, 1, 0, on.mean, on.sd**2])
    return "".join("\t".join(number_text(cell) for cell in line) + "\n" for line in lines)


def items_from_flexmirt(text: str, where: str, *, group: str | None = None) -> tuple[tuple[ItemParameters, ...], Scale]:
    """Items and population of one group of a `-prm.txt` file.

    Of several groups one must be named, by name or number. Two-category graded items become 2PL; nominal items whose
    scoring is 0, 1, … become GPCM. Raises ExchangeError naming row and item.
    """
    rows = []
    for line_number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if line.strip():
            cells = [cell.strip() for cell in line.split("\t")]
            while cells and not cells[-1]:
                cells.pop()
            rows.append((f"{where}, row {line_number}", cells))
    if not rows or any(len(cells) < 6 for _, cells in rows):
        place = next((place for place, cells in rows if len(cells) < 6), where)
        raise ExchangeError(f"{place}: not a flexMIRT parameter file; expected tab-separated rows of numbers")
    names = {cells[2]: cells[1] for _, cells in rows if cells[0] == "0"}
    numbers = list(dict.fromkeys(cells[2] for _, cells in rows))
    chosen = _chosen_group(numbers, names, group, where)
    items, scale = [], Scale()
    for place, cells in rows:
        if cells[2] != chosen:
            continue
        if cells[3] != "1":
            raise ExchangeError(f"{place}, {cells[1]}: {cells[3]} factors; models of one dimension are known here")
        if cells[0] == "0":
            scale = _population(cells, place)
        elif cells[0] == "1":
            items.append(_item(_Cells(cells, f"{place}, item {cells[1]}")))
        else:
            raise ExchangeError(f"{place}: begins with {cells[0]!r}; expected 1 for an item or 0 for a group")
    return tuple(items), scale


def trend_basis(K: int) -> Matrix:
    """The Fourier basis (K, K - 1): 0 … K - 1, then sin(π k h / (K - 1)) (Thissen, Cai & Bock, 2010)."""
    T = np.zeros((K, K - 1))
    k = np.arange(K)
    T[:, 0] = k
    for h in range(1, K - 1):
        T[1:-1, h] = np.sin(np.pi * h * k[1:-1] / (K - 1))
    return T


def identity_basis(K: int, *, slopes: bool) -> Matrix:
    """The identity basis (K, K - 1): each category its own; of slopes the first column is the last category's."""
    T = np.zeros((K, K - 1))
    if not slopes:
        T[1:] = np.eye(K - 1)
        return T
    T[-1, 0] = K - 1
    T[1:-1, 1:] = np.eye(K - 2)
    return T


def _item_cells(item: ItemParameters) -> list[object]:
    if item.model == "4PL":
        raise ExchangeError(f"item {item.id}: 4PL has an upper asymptote, which flexMIRT's file cannot hold")
    if item.model == "3PL":
        if item.c == 0:  # logit 0 is not a number; the curve is that of a 2PL
            return [2, 2, -item.a * item.b[0], item.a]
        return [1, 2, math.log(item.c / (1 - item.c)), -item.a * item.b[0], item.a]
    if item.model in DICHOTOMOUS or item.model == "GRM":
        return [2, item.categories, *(-item.a * b for b in item.b), item.a]
    K = item.categories
    slopes, intercepts = category_terms(item)
    if item.model == "NRM":
        a = slopes[-1] / (K - 1) or 1.0
        alpha = np.linalg.solve(trend_basis(K)[1:], np.array(slopes[1:]) / a).tolist()
    else:
        a, alpha = item.a, [1.0, *[0.0] * (K - 2)]
    gamma = np.linalg.solve(trend_basis(K)[1:], np.array(intercepts[1:])).tolist()
    return [3, K, 0, *alpha, a, 0, *gamma]


def _chosen_group(numbers: Sequence[str], names: dict[str, str], group: str | None, where: str) -> str:
    shown = ", ".join(names.get(one, one) for one in numbers)
    if group is None:
        if len(numbers) > 1:
            raise ExchangeError(f"{where}: holds the groups {shown}; say which to read")
        return numbers[0]
    found = [one for one in numbers if group in {one, names.get(one)}]
    if not found:
        raise ExchangeError(f"{where}: no group {group!r}; it holds {shown}")
    return found[0]


def _population(cells: list[str], place: str) -> Scale:
    first = {"0": 5, "1": 7}.get(cells[4])
    if first is None or len(cells) < first + 2:
        raise ExchangeError(f"{place}: expected a group row with mean and variance")
    mean, variance = number(cells[first], place, "mean"), number(cells[first + 1], place, "variance")
    if variance <= 0:
        raise ExchangeError(f"{place}: the variance must be above 0, got {variance:g}")
    return Scale(mean=mean, sd=variance**0.5)


class _Cells:
    """The numbers of a row, taken one after the other."""

    def __init__(self, cells: Sequence[str], place: str) -> None:
        self.cells, self.place, self.at = cells, place, 4
        self.name = cells[1]

    def next(self, field: str) -> float:
        if self.at >= len(self.cells):
            raise ExchangeError(f"{self.place}: the row ends before {field}")
        value = number(self.cells[self.at], self.place, field)
        self.at += 1
        return value

    def several(self, n: int, field: str) -> Matrix:
        return np.array([self.next(f"{field}{k}") for k in range(1, n + 1)])

    def end(self) -> None:
        if self.at != len(self.cells):
            raise ExchangeError(f"{self.place}: {len(self.cells) - self.at} more cells than its type has")


def _item(row: _Cells) -> ItemParameters:
    kind, K = row.next("type"), int(row.next("categories"))
    if K < 2:
        raise ExchangeError(f"{row.place}: {K} categories; at least 2 are needed")
    if kind == 1:
        logit_g, c, a = row.next("logit g"), row.next("c"), row.next("a")
        row.end()
        g = 1 / (1 + math.exp(-logit_g)) if logit_g > -700 else 0.0
        return ItemParameters(row.name, "3PL", a=_slope(a, row.place), b=(-c / a,), c=g)
    if kind == 2:
        c_k, a = row.several(K - 1, "c"), row.next("a")
        row.end()
        _slope(a, row.place)
        b = tuple(float(-one / a) for one in c_k)
        return ItemParameters(row.name, "2PL" if K == 2 else "GRM", a=a, b=b)
    if kind == 3:
        T = _basis(row, K, slopes=True)
        alpha, a = row.several(K - 1, "alpha"), row.next("a")
        L = _basis(row, K, slopes=False)
        gamma = row.several(K - 1, "gamma")
        row.end()
        return divided_by_total(row.name, (a * (T @ alpha)).tolist(), (L @ gamma).tolist(), fixed=False)
    raise ExchangeError(f"{row.place}: type {kind:g} is not known; 1 (3PL), 2 (graded) and 3 (nominal) are")


def _basis(row: _Cells, K: int, *, slopes: bool) -> Matrix:
    code = row.next("basis")
    if code == 2:
        return row.several(K * (K - 1), "basis").reshape(K, K - 1)
    if code not in {0, 1}:
        raise ExchangeError(f"{row.place}: basis {code:g} is not known; expected 0, 1 or 2")
    return trend_basis(K) if code == 0 else identity_basis(K, slopes=slopes)


def _slope(a: float, place: str) -> float:
    if a == 0:
        raise ExchangeError(f"{place}: its slope is 0, so it has no difficulty")
    return a
