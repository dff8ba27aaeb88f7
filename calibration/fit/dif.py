"""Differential item functioning by models: does an item say the same of equally able persons of different groups?

Three ways. Wald compares two groups' parameters on one scale (Lord, 1980; with the covariances of a joint calibration
it is the improved test of Cai, Thissen & du Toit, 2011; Langer, 2008). The likelihood ratio compares calibrations with
an item's parameters equal and free (Thissen, Steinberg & Wainer, 1993). RMSD compares observed curves with the common
one (OECD, 2017). A test says whether there is a difference, the effect how much it matters: an item is flagged for
both. Anchors are purified: flagged items stop being anchors, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.false_discovery import benjamini_hochberg
from calibration.fit.curve_effects import NO_EFFECT, CurveEffect, curve_effect
from calibration.fit.observed_curves import NOTABLE_RMSD, curve_differences
from calibration.fit.persons import FitError, expected_counts, fitted, group_populations
from calibration.fit.unknowns import FIXED_SLOPE, parameter_value
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

Matrix = NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.05
ROUNDS = 5
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class ItemDif:
    """One item between a reference and a focal group.

    `statistic` is χ² with `df` and `p` (NaN for rmsd); `rmsd` and `md` are of the focal group. `anchor` says whether
    the item was one in the last round; `independent` that a Wald test took the groups' estimates to be independent, all
    else known, because the whole covariance is not had above 500 parameters. `flagged`: beyond chance at a false
    discovery rate of 5 % and of size B or C; by RMSD above 0.10.
    """

    item: str
    method: str
    reference: str
    focal: str
    n_reference: float
    n_focal: float
    statistic: float = NAN
    df: int = 0
    p: float = NAN
    effect: CurveEffect = field(default=NO_EFFECT)
    rmsd: float = NAN
    md: float = NAN
    anchor: bool = True
    flagged: bool = False
    independent: bool = False

    def row(self) -> dict[str, object]:
        """The result as one row, the effect's numbers among them."""
        names = [name for name in self.__slots__ if name != "effect"]
        row: dict[str, object] = {name: getattr(self, name) for name in names}
        return row | {name: getattr(self.effect, name) for name in self.effect.__slots__}


def dif_wald(
    reference: Sequence[ItemParameters],
    focal: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    mean: float = 0.0,
    sd: float = 1.0,
    joint: Mapping[str, ArrayLike] | None = None,
    names: tuple[str, str] = ("reference", "focal"),
    rate: float = FALSE_DISCOVERY_RATE,
) -> tuple[ItemDif, ...]:
    """Lord's (1980) χ² of the items that both groups have, on one scale; the focal group's ability is N(mean, sd²).

    χ² = v′ S⁻¹ v with v the differences of an item's parameters and S = S_reference + S_focal, or with S of the
    differences from `joint`, item → covariance (2p, 2p) of the reference group's parameters, then the focal group's.
    Parameters that were not estimated (variance 0 or unknown) are not compared. Raises FitError where the models of an
    item differ or no item has a covariance.
    """
    others = {item.id: item for item in focal}
    rows = []
    for item in reference:
        other = others.get(item.id)
        if other is None:
            continue
        rows.append(_wald(item, other, scale, names, (mean, sd), None if joint is None else joint.get(item.id)))
    _some_tested(rows)
    return flag_dif(rows, rate)


def _wald(
    item: ItemParameters,
    other: ItemParameters,
    scale: Scale | None,
    names: tuple[str, str],
    focal: tuple[float, float],
    joint: ArrayLike | None,
) -> ItemDif:
    from scipy.special import chdtrc  # noqa: PLC0415  (0.1 s at import)

    if (item.model, item.categories) != (other.model, other.categories):
        raise FitError(f"item {item.id}: {item.model} in one group and {other.model} in the other; use one model")
    v, S = _difference(item, other, joint)
    statistic = float(v @ np.linalg.lstsq(S, v)[0]) if len(v) else NAN
    return ItemDif(
        item=item.id,
        method="wald",
        reference=names[0],
        focal=names[1],
        n_reference=item.n,
        n_focal=other.n,
        statistic=statistic,
        df=len(v),
        p=float(chdtrc(len(v), statistic)) if len(v) else NAN,
        effect=curve_effect(item, other, scale, mean=focal[0], sd=focal[1]),
    )


def _some_tested(rows: Sequence[ItemDif]) -> None:
    if not any(row.df for row in rows):
        raise FitError("no item has a covariance in both groups: calibrate with standard errors, or take lr")


def _difference(item: ItemParameters, other: ItemParameters, joint: ArrayLike | None) -> tuple[Matrix, Matrix]:
    names = item.parameter_names
    p = len(names)
    v = np.array([parameter_value(item, name) - parameter_value(other, name) for name in names])
    if joint is not None:
        contrast = np.concatenate([np.eye(p), -np.eye(p)], axis=1)
        S = contrast @ np.asarray(joint, float) @ contrast.T
    elif item.covariance and other.covariance:
        S = np.array(item.covariance, float) + np.array(other.covariance, float)
    else:
        return np.zeros(0), np.zeros((0, 0))
    kept = np.isfinite(np.diag(S)) & (np.diag(S) > 0)
    return v[kept], S[np.ix_(kept, kept)]


def flag_dif(rows: Sequence[ItemDif], rate: float = FALSE_DISCOVERY_RATE) -> tuple[ItemDif, ...]:
    """The same rows, flagged where the test rejects at a false discovery rate of `rate` and the effect is B or C.

    Where no effect is known the test alone decides.
    """
    p = np.array([row.p for row in rows])
    beyond = benjamini_hochberg(np.where(np.isfinite(p), p, 1.0), rate)
    return tuple(
        replace(row, flagged=bool(hit) and row.effect.size != "A") for row, hit in zip(rows, beyond, strict=True)
    )


@dataclass(frozen=True, slots=True)
class GroupedFit:
    """A calibration in which some items have parameters of their own in each group.

    `groups` holds each group's items in full (common items are the same in all), `mean` and `sd` their abilities.
    `joint` is the covariance (2p, 2p) of the parameters of an item freed, the first group's, then the second's.
    """

    log_likelihood: float
    groups: Mapping[str, tuple[ItemParameters, ...]] = field(default_factory=dict)
    mean: Mapping[str, float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    joint: Mapping[str, Matrix] = field(default_factory=dict)


GroupFitter = Callable[[frozenset[str]], GroupedFit | float]


def dif_likelihood_ratio(
    items: Sequence[ItemParameters],
    fit: GroupFitter,
    *,
    names: tuple[str, str] = ("reference", "focal"),
    studied: Sequence[str] | None = None,
    rounds: int = ROUNDS,
    rate: float = FALSE_DISCOVERY_RATE,
    scale: Scale | None = None,
    n: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[ItemDif, ...]:
    """Likelihood ratio of freeing each item's parameters between two groups, the other items being anchors.

    `fit` gives the log-likelihood (alone or as GroupedFit, with which effects are computed) of a calibration in which
    the items named are free and all others equal; the groups' means and spreads must be free in it. Items flagged in
    one round are free in the next, at most `rounds` times. `studied` limits the items tested, `n` holds persons of both
    groups by item.
    """
    from scipy.special import chdtrc  # noqa: PLC0415  (0.1 s at import)

    known: dict[frozenset[str], GroupedFit] = {}

    def fitted_with(freed: frozenset[str]) -> GroupedFit:
        if freed not in known:
            result = fit(freed)
            known[freed] = result if isinstance(result, GroupedFit) else GroupedFit(float(result))
        return known[freed]

    chosen = set(studied) if studied is not None else {item.id for item in items}
    of_item = {item.id: item for item in items}
    freed: frozenset[str] = frozenset()
    rows: tuple[ItemDif, ...] = ()
    for _ in range(max(rounds, 1)):
        tested = []
        for item in items:
            if item.id not in chosen:
                continue
            free = fitted_with(freed | {item.id})
            statistic = max(2 * (free.log_likelihood - fitted_with(freed - {item.id}).log_likelihood), 0.0)
            df = free_parameters(of_item[item.id])
            persons = (n or {}).get(item.id, (NAN, NAN))
            tested.append(
                ItemDif(
                    item.id,
                    "lr",
                    *names,
                    *persons,
                    statistic,
                    df,
                    float(chdtrc(df, statistic)),
                    _effect(free, names, item.id, scale),
                    anchor=item.id not in freed,
                )
            )
        rows = flag_dif(tested, rate)
        flagged = frozenset(row.item for row in rows if row.flagged)
        if flagged == freed or len(flagged) >= len(of_item) - 1:
            break
        freed = flagged
    return rows


def dif_wald_refitted(
    items: Sequence[ItemParameters],
    fit: Callable[[frozenset[str]], GroupedFit],
    *,
    names: tuple[str, str] = ("reference", "focal"),
    rounds: int = ROUNDS,
    rate: float = FALSE_DISCOVERY_RATE,
    scale: Scale | None = None,
) -> tuple[ItemDif, ...]:
    """Wald tests of items freed one at a time, the others being anchors; flagged ones are free in the next round.

    `fit` as for `dif_likelihood_ratio`, with both groups' items and their covariances. Without the joint one the two
    estimates are taken to be independent, all else known, which rows say (`independent`): the anchors' share of the
    error, which links the groups, is missing. In simulations (2PL, 9 anchors, 400 persons a group) χ² is 4 % too large
    for that; with the hundreds of anchors of calibrations that large it is less.
    """
    freed: frozenset[str] = frozenset()
    rows: tuple[ItemDif, ...] = ()
    for _ in range(max(rounds, 1)):
        tested: list[ItemDif] = []
        for item in items:
            result = fit(freed | {item.id})
            pair = [[one for one in result.groups[name] if one.id == item.id] for name in names]
            mean, sd = result.mean.get(names[1], 0.0), result.sd.get(names[1], 1.0)
            row = ItemDif(item.id, "wald", *names, NAN, NAN)  # not in both groups, or of one score in one of them
            if pair[0] and pair[1]:
                row = _wald(pair[0][0], pair[1][0], scale, names, (mean, sd), result.joint.get(item.id))
            tested.append(replace(row, anchor=item.id not in freed, independent=not result.joint))
        _some_tested(tested)
        rows = flag_dif(tested, rate)
        flagged = frozenset(row.item for row in rows if row.flagged)
        if flagged == freed or len(flagged) >= len(items) - 1:
            break
        freed = flagged
    return rows


def free_parameters(item: ItemParameters) -> int:
    """Parameters of an item that may differ between groups: its own, without a slope that is fixed or common."""
    return len(item.parameter_names) - (item.model in {*FIXED_SLOPE, "1PL"})


def _effect(fit: GroupedFit, names: tuple[str, str], item: str, scale: Scale | None) -> CurveEffect:
    found = [one for name in names for one in fit.groups.get(name, ()) if one.id == item]
    if len(found) < 2:  # not administered to one of the groups, or everybody in it has the same score
        return NO_EFFECT
    one, other = found
    return curve_effect(one, other, scale, mean=fit.mean.get(names[1], 0.0), sd=fit.sd.get(names[1], 1.0))


def purified(
    test: Callable[[frozenset[str]], Sequence[ItemDif]],
    anchors: Sequence[str],
    *,
    rounds: int = ROUNDS,
    least_anchors: int = 2,
) -> tuple[ItemDif, ...]:
    """Rows of `test` given the items that are anchors, repeated with the unflagged ones as anchors until they stay.

    At most `rounds` times, and never with fewer than `least_anchors`: then the last rows stand.
    """
    current = frozenset(anchors)
    rows: tuple[ItemDif, ...] = ()
    for _ in range(max(rounds, 1)):
        rows = tuple(replace(row, anchor=row.item in current) for row in test(current))
        unflagged = frozenset(row.item for row in rows) - {row.item for row in rows if row.flagged}
        if unflagged == current or len(unflagged) < least_anchors:
            break
        current = unflagged
    return rows


def dif_rmsd(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    reference: str | None = None,
    notable: float = NOTABLE_RMSD,
    rounds: int = ROUNDS,
) -> tuple[ItemDif, ...]:
    """RMSD and MD of each item in each group against the common parameters, a row a group that had the item.

    The groups' abilities are estimated from the items that are not flagged in any group. `reference` names the group
    that the rows are given against (default the first); its own rows stand as well, as the common curve is nobody's.
    """
    if responses.group is None or len(responses.groups) < 2:
        raise FitError("the responses are of one group; name the column that tells groups apart")
    first = reference or responses.groups[0]
    if first not in responses.groups:
        raise FitError(f"no group {first!r}; the groups are {', '.join(responses.groups)}")

    def test(anchors: frozenset[str]) -> tuple[ItemDif, ...]:
        known = group_populations(responses, [item for item in items if item.id in anchors], scale)
        data = fitted(responses, items, scale, known)
        rmsd, md, n = curve_differences(data, expected_counts(data))
        at = responses.groups.index(first)
        return tuple(
            ItemDif(
                item=item.id,
                method="rmsd",
                reference=first,
                focal=name,
                n_reference=float(n[at, j]),
                n_focal=float(n[g, j]),
                rmsd=float(rmsd[g, j]),
                md=float(md[g, j]),
                flagged=bool(rmsd[g, j] > notable),
            )
            for j, item in enumerate(data.items)
            for g, name in enumerate(responses.groups)
            if n[g, j] > 0
        )

    return purified(test, [item.id for item in items], rounds=rounds)
