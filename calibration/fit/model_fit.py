"""Fit of the whole model from margins of one and two items: M2, M2*, C2, RMSEA2, SRMSR, CFI and TLI.

The statistic is n · r′ [Γ⁻¹ - Γ⁻¹Δ(Δ′Γ⁻¹Δ)⁻¹Δ′Γ⁻¹] r with r the residuals of the margins, Γ their covariance and Δ the
derivatives in the free parameters (Maydeu-Olivares & Joe, 2005, eq. 12; 2006, eq. 10). Where persons had different
items every margin comes from those who had its items: Γ of two margins is then divided by the persons of each and
multiplied by the persons of both, which is exact where who got what does not depend on ability.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.fit.correlations import PairSums
from calibration.fit.margins import Kind, Margins, expected, jacobian, margins, observed
from calibration.fit.persons import FitError, Fitted, fitted, tables
from calibration.fit.selection import selection
from calibration.fit.unknowns import Unknowns, probability_derivatives, unknowns
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

Matrix = NDArray[np.float64]

LEAST_PAIR = 50  # persons behind a margin: fewer, and its distribution is far from normal
MOST_MARGINS = 6000  # a matrix of 288 MB


@dataclass(frozen=True, slots=True)
class ModelFit:
    """How well the model reproduces the margins of one and two items.

    `n` counts persons, `n_margin` holds the smallest and the median number of persons behind a margin of two items
    (their median stands for the sample size in `rmsea`); `margins` counts margins, `left_out` those with fewer than
    LEAST_PAIR persons. `rmsea` has its 90 % interval. CFI and TLI compare with the model of independent items.
    """

    kind: str
    statistic: float
    df: int
    p: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmsr: float
    cfi: float
    tli: float
    n: float
    n_margin: tuple[float, float]
    margins: int
    left_out: int
    unknowns: int
    routed: tuple[str, ...] = ()  # items given by ability: the statistic is not valid for them
    note: str = ""  # what else the statistic leaves out, in words

    def row(self) -> dict[str, object]:
        """The result as one row."""
        names = [name for name in self.__slots__ if name not in {"n_margin", "routed", "note"}]
        row: dict[str, object] = {name: getattr(self, name) for name in names}
        return row | {
            "n_margin_least": self.n_margin[0],
            "n_margin_median": self.n_margin[1],
            "routed": len(self.routed),
            "note": self.note,
        }

    def __str__(self) -> str:
        text = (
            f"{self.kind} = {self.statistic:.2f}, df = {self.df}, p = {self.p:.4f}; "
            f"RMSEA = {self.rmsea:.4f} [{self.rmsea_low:.4f}, {self.rmsea_high:.4f}], SRMSR = {self.srmsr:.4f}, "
            f"CFI = {self.cfi:.3f}, TLI = {self.tli:.3f} "
            f"({self.n:.0f} persons; behind a pair {self.n_margin[0]:.0f} or more, median {self.n_margin[1]:.0f})"
        )
        if self.routed:
            text += (
                f"\nnot valid: {len(self.routed)} items were given by ability (routed): {', '.join(self.routed[:5])} …"
            )
        if self.note:
            text += f"\napproximate: {self.note}"
        return text


def model_fit(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    population: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    kind: Kind | None = None,
    least_pair: float = LEAST_PAIR,
    free_population: tuple[ArrayLike, ArrayLike] | None = None,
) -> ModelFit:
    """M2 (all items dichotomous), M2* or C2 of a calibration.

    `kind` None takes M2 for dichotomous items, else M2* where it has degrees of freedom, else C2. Groups have margins
    of their own. `free_population` says which means and standard deviations were estimated, (G,) each, where that is
    not what `unknowns` takes from the models and anchors. Raises FitError where too few margins are left to test.
    """
    data = fitted(responses, items, scale, population)
    polytomous = bool((data.curves.categories > 2).any())
    free = unknowns(data.items, data.scale, len(data.mean))
    if free_population is not None:
        free = replace(free, mean=np.asarray(free_population[0], bool), sd=np.asarray(free_population[1], bool))
    kinds: tuple[Kind, ...] = (kind,) if kind is not None else ("M2*", "C2") if polytomous else ("M2",)
    for name in kinds:
        try:
            return _model_fit(data, name, free, least_pair)
        except _NothingToTestError as error:
            last = error
    raise FitError(str(last))


class _NothingToTestError(FitError):
    pass


@dataclass(frozen=True, slots=True)
class _Part:
    """One group's margins: residuals (S,), covariance of the observed ones (S, S), derivatives (S, F), persons (S,)."""

    residual: Matrix
    covariance: Matrix
    derivatives: Matrix
    n: Matrix
    pair: NDArray[np.bool_]


def _model_fit(data: Fitted, kind: Kind, free: Unknowns, least_pair: float) -> ModelFit:
    which = margins(data.curves.categories, kind)
    G = len(data.mean)
    if len(which.first) * G > MOST_MARGINS:
        most = int(np.sqrt(2 * MOST_MARGINS)) - 1
        other = ", or C2, which has one margin a pair" if kind == "M2*" else ""
        raise FitError(
            f"{len(which.first) * G} margins of one and two items, {MOST_MARGINS} are the most that {kind} is computed "
            f"from ({most} items right or wrong, in one group). Test one form at a time, with its own items and "
            f"persons{other}"
        )
    seen = [_seen(data, which, g) for g in range(G)]
    left_out = sum(int((s.n < least_pair).sum()) for s in seen)
    parts, nulls = [], []
    for g, s in enumerate(seen):
        kept = s.n >= least_pair
        if kept.any():
            chosen = which.take(kept)
            parts.append(_part(data, chosen, s, kept, g, free))
            nulls.append(_null_part(data, chosen, s, kept))
    if not parts:
        raise FitError(
            f"no two items were had by {least_pair:g} persons, which a margin needs to say something. Pool sittings, "
            "or look at the fit of items, which takes them one by one"
        )
    statistic, df, F = _statistic(parts)
    if df <= 0:
        raise _NothingToTestError(
            f"{kind} has {sum(len(p.residual) for p in parts)} margins for {F} free parameters: nothing is left to "
            "test. Take more items (2PL: 4 or more, 3PL: 6 or more, had together), or a model with fewer parameters; "
            "with few persons behind the pairs, pool sittings"
        )
    pairs = np.concatenate([part.n[part.pair] for part in parts])
    N = float(np.median(pairs))
    rmsea, low, high = rmsea_interval(statistic, df, N)
    cfi, tli = _against(nulls, statistic, df)
    return ModelFit(
        kind=kind,
        statistic=statistic,
        df=df,
        p=_chi_square_tail(statistic, df),
        rmsea=rmsea,
        rmsea_low=low,
        rmsea_high=high,
        srmsr=_srmsr(data, least_pair),
        cfi=cfi,
        tli=tli,
        n=float(sum(block.weight.sum() for block in data.layout)),
        n_margin=(float(pairs.min()), N),
        margins=sum(len(part.residual) for part in parts),
        left_out=left_out,
        unknowns=F,
        routed=tuple(item.id for item, hit in zip(data.items, selection(data).routed, strict=True) if hit),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    value: Matrix  # (S,) observed margins
    n: Matrix  # (S,)
    patterns: NDArray[np.bool_]  # (U, J) distinct sets of items had
    persons: Matrix  # (U,) weighted persons with each
    shares: Matrix  # (C,) of those who had the item


def _seen(data: Fitted, which: Margins, group: int) -> _Seen:
    S, J = len(which.first), len(data.items)
    total, n = np.zeros(S), np.zeros(S)
    counts = np.zeros(int(data.curves.start[-1]))
    patterns: dict[bytes, float] = {}
    for chosen, had, weight in _indicators(data, group):
        sums, persons = observed(which, chosen, had, weight)
        total += sums
        n += persons
        counts += weight @ chosen
        distinct, of = np.unique(had.astype(bool), axis=0, return_inverse=True)
        for row, count in zip(distinct, np.bincount(of.reshape(-1), weight), strict=True):
            patterns[row.tobytes()] = patterns.get(row.tobytes(), 0.0) + float(count)
    rows = np.array([np.frombuffer(key, bool) for key in patterns]).reshape(-1, J)
    item = np.repeat(np.arange(J), data.curves.categories)
    behind = data.curves.sum_items(counts)[item]
    shares = np.divide(counts, behind, out=np.zeros_like(counts), where=behind > 0)
    value = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    return _Seen(value, n, rows, np.array(list(patterns.values())), shares)


def _indicators(data: Fitted, group: int) -> Iterator[tuple[Matrix, Matrix, Matrix]]:
    """Chosen categories (n, C), items had (n, J) and weights (n,) of the persons of one group, part by part."""
    C, J = int(data.curves.start[-1]), len(data.items)
    for table in tables(data):
        inside = table.group == group
        if not inside.any():
            continue
        had = table.had[inside]
        row, column = np.nonzero(had)
        chosen, wide = np.zeros((len(had), C)), np.zeros((len(had), J))
        chosen[row, data.curves.start[table.items[column]] + table.codes[inside][row, column]] = 1.0
        wide[:, table.items] = had
        yield chosen, wide, table.weight[inside]


def _sampling(which: Margins, seen: _Seen, kept: NDArray[np.bool_], covariance: Matrix) -> Matrix:
    """The covariance of observed margins from that of one person's: persons of both / (persons of one · of other)."""
    first, second = which.items
    had = (seen.patterns[:, first] & seen.patterns[:, second]).astype(float)
    both = had.T @ (seen.persons[:, None] * had)
    n = seen.n[kept]
    return np.asarray(covariance * both / np.outer(n, n))


def _part(data: Fitted, which: Margins, seen: _Seen, kept: NDArray[np.bool_], group: int, free: Unknowns) -> _Part:
    P, prior = data.curves.probability(data.nodes), data.weights[group]
    value, covariance = expected(which, P, prior)
    items = jacobian(which, P, prior, probability_derivatives(data), data.curves.start) @ free.design
    z = (data.nodes - data.mean[group]) / data.sd[group]
    own = np.arange(len(data.mean)) == group
    moved = []
    for is_free, slope in ((free.mean, z), (free.sd, z**2)):  # d log density / d mean ∝ z, / d sd ∝ z² - 1
        change = expected(which, P, prior * (slope - slope @ prior))[0]
        moved.append(np.outer(change, (own & is_free)[is_free]))
    return _Part(
        residual=seen.value[kept] - value,
        covariance=_sampling(which, seen, kept, covariance),
        derivatives=np.concatenate([items, *moved], axis=1),
        n=seen.n[kept],
        pair=which.second >= 0,
    )


def _null_part(data: Fitted, which: Margins, seen: _Seen, kept: NDArray[np.bool_]) -> _Part:
    """The same for independent items whose shares of categories are free."""
    P, prior = seen.shares[:, None], np.ones(1)
    value, covariance = expected(which, P, prior)
    derivatives = []
    for K in data.curves.categories:
        one = np.zeros((K - 1, K, 1))
        one[np.arange(K - 1), np.arange(1, K), 0] = 1.0
        one[:, 0, 0] = -1.0
        derivatives.append(one)
    return _Part(
        residual=seen.value[kept] - value,
        covariance=_sampling(which, seen, kept, covariance),
        derivatives=jacobian(which, P, prior, derivatives, data.curves.start),
        n=seen.n[kept],
        pair=which.second >= 0,
    )


def _statistic(parts: Sequence[_Part]) -> tuple[float, int, int]:
    """The statistic, its degrees of freedom and the number of free parameters that the margins can see."""
    from scipy.linalg import LinAlgError, cholesky, qr, solve_triangular  # noqa: PLC0415  (0.1 s at import)

    residual, derivatives = [], []
    for part in parts:
        try:
            root = cholesky(part.covariance, lower=True)
        except LinAlgError:
            raise FitError(
                "the margins are linearly dependent: an item has a category that nobody can choose, or two items are "
                "the same. Join that category with its neighbour, or leave one of the two items out"
            ) from None
        residual.append(solve_triangular(root, part.residual, lower=True))
        derivatives.append(solve_triangular(root, part.derivatives, lower=True))
    r, D = np.concatenate(residual), np.concatenate(derivatives)
    if not D.shape[1]:
        return float(r @ r), len(r), 0
    size = np.sqrt((D**2).sum(axis=0))
    Q, R, _ = qr(D / np.where(size > 0, size, 1.0), mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(R)) > 1e-8).sum())
    inside = Q[:, :rank].T @ r
    return float(r @ r - inside @ inside), len(r) - rank, rank


def rmsea_interval(statistic: float, df: int, n: float, level: float = 0.90) -> tuple[float, float, float]:
    """RMSEA and its interval from the noncentral χ² (Browne & Cudeck, 1993; Maydeu-Olivares & Joe, 2014)."""
    from scipy.optimize import brentq  # noqa: PLC0415
    from scipy.special import chndtr  # noqa: PLC0415

    rmsea = np.sqrt(max(statistic - df, 0.0) / (df * max(n - 1, 1.0)))

    def bound(tail: float) -> float:
        if chndtr(statistic, df, 0.0) <= tail:
            return 0.0
        most = max(statistic, 1.0)
        while chndtr(statistic, df, most) > tail:
            most *= 2
        noncentrality = brentq(lambda value: chndtr(statistic, df, value) - tail, 0.0, most, xtol=1e-10)
        return float(np.sqrt(noncentrality / (df * n)))

    return float(rmsea), bound((1 + level) / 2), bound((1 - level) / 2)


def _chi_square_tail(statistic: float, df: float) -> float:
    from scipy.special import chdtrc  # noqa: PLC0415

    return float(chdtrc(df, max(statistic, 0.0)))


def _against(nulls: Sequence[_Part], statistic: float, df: int) -> tuple[float, float]:
    """CFI and TLI against independent items (Cai, Chung & Lee, 2023); NaN where that model has nothing to test."""
    try:
        null, null_df, _ = _statistic(nulls)
    except FitError:
        return float("nan"), float("nan")
    if null_df <= 0 or null <= null_df:
        return float("nan"), float("nan")
    cfi = 1 - max(statistic - df, 0.0) / max(null - null_df, statistic - df)
    return float(cfi), float((null / null_df - statistic / df) / (null / null_df - 1))


def _srmsr(data: Fitted, least_pair: float) -> float:
    """Root mean square of observed less expected correlations of item scores, over pairs and groups."""
    P = data.curves.probability(data.nodes)
    category = data.category[:, None]
    mean, square = data.curves.sum_items(category * P), data.curves.sum_items(category**2 * P)
    total, pairs = 0.0, 0
    upper = np.triu_indices(len(data.items), 1)
    for g, prior in enumerate(data.weights):
        sums = PairSums.zeros(len(data.items))
        for chosen, had, weight in _indicators(data, g):
            scores = data.curves.sum_items((chosen * data.category).T).T
            sums.add(np.arange(len(data.items)), scores, had, weight)
        E = mean @ prior
        covariance = (mean * prior) @ mean.T - np.outer(E, E)
        np.fill_diagonal(covariance, square @ prior - E**2)
        spread = np.sqrt(np.diag(covariance))
        difference = (sums.correlations() - covariance / np.outer(spread, spread))[upper]
        kept = (sums.n[upper] >= least_pair) & np.isfinite(difference)
        total += float((difference[kept] ** 2).sum())
        pairs += int(kept.sum())
    return float(np.sqrt(total / pairs)) if pairs else float("nan")
