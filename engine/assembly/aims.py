"""What the forms of a blueprint are held against: the reference form, and its marks and information in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration import ReferenceForm
from engine.blueprints import Blueprint, BlueprintError, InfeasibleBlueprintError, Shortfall, Target
from engine.pools import Pool, PoolError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

QUANTUM = 9  # decimals kept of information and expected marks: the same model on every machine
ROUNDS = 200
MARGIN = 1e-6  # marks: the solver's own tolerance stays inside ours


@dataclass(frozen=True, slots=True)
class Aim:
    """A target in numbers, at T abilities. What forms must match or make large are `features` (J, F) of the items.

    For a match, `wanted` (F,) is what a form's sum should be and `unit` (F,) what a deviation of 1 means; to make sums
    large, `unit` is what each is measured by, and the least of them counts.
    """

    target: Target
    cut: float
    theta: Vector
    marks: Vector  # (T,), of the reference form
    information: Vector  # (T,)
    item_marks: Matrix  # (J, T)
    item_information: Matrix  # (J, T)
    features: Matrix
    wanted: Vector
    unit: Vector
    reference: ReferenceForm | None

    @property
    def matching(self) -> bool:
        """Is a sum to be met (or to be made large)?"""
        return self.target.match not in {"maximize", "maximin"}

    @property
    def marks_bounds(self) -> tuple[Vector, Vector]:
        """The least and the most marks a form may expect at each ability, (T,): infinite without a tolerance."""
        wanted = (self.target.marks_tolerance, self.target.marks_between_forms / 2)
        slack = min((one - MARGIN for one in wanted if one > 0), default=np.inf)  # 0 is no rule
        return self.marks - slack, self.marks + slack

    def deviation(self, sums: Matrix, bound: float = np.nan) -> Vector:
        """How far forms are from the target: the largest deviation, or the distance from the `bound` of the least sum.

        `sums` (…, F) are the features' sums of forms; the result is (…,).
        """
        if self.matching:
            return np.asarray(np.abs((sums - self.wanted) / self.unit).max(axis=-1))
        return np.asarray(1 - (sums / self.unit).min(axis=-1) / bound)


def aim_of(pool: Pool, blueprint: Blueprint) -> Aim | None:
    """The target of a blueprint on a pool; None where it has none. Raises BlueprintError where the pool has no such."""
    target = blueprint.target
    if target is None:
        return None
    _check_enough(pool, blueprint)
    weights = reference_weights(pool, blueprint)
    if target.match == "moments":
        return _moments(pool, blueprint, target, weights)
    marks = blueprint.item_marks(pool)
    reference = _of_weights(pool, weights, marks)
    cut = reference.cut(target.cut_share)
    theta = np.array(target.theta) if target.theta else cut + np.array(target.theta_from_cut)
    information = np.round(pool.information(theta), QUANTUM)
    item_marks = np.round(marks[:, None] * pool.expected_share(theta), QUANTUM)
    have = np.round(weights @ information, QUANTUM)
    features, wanted, unit = information, have, have if target.deviation == "relative" else np.ones(len(theta))
    given = np.array(target.information)
    if target.match == "information" and len(given):
        wanted, unit = given, given if target.deviation == "relative" else unit
    elif target.match == "marks":
        features, wanted, unit = item_marks, weights @ item_marks, np.ones(len(theta))
    elif target.match == "maximize":
        features = np.round(pool.information([cut]), QUANTUM)
        wanted = unit = np.ones(1)
    elif target.match == "maximin":
        wanted = unit = given if len(given) else np.ones(len(theta))
    _check_reach(pool, blueprint, target, theta, features, wanted)
    return Aim(
        target=target,
        cut=cut,
        theta=theta,
        marks=np.round(weights @ item_marks, QUANTUM),
        information=have,
        item_marks=item_marks,
        item_information=information,
        features=features,
        wanted=wanted,
        unit=unit,
        reference=reference,
    )


def _check_enough(pool: Pool, blueprint: Blueprint) -> None:
    held, named = int(blueprint.eligible(pool).sum()), blueprint.target is not None and blueprint.target.reference
    if held >= blueprint.length or named:
        return
    lacking = int((~pool.calibrated).sum()) if blueprint.target and blueprint.target.needs_parameters else 0
    without = f"; {lacking} of {len(pool)} lack the parameters that the target needs" if lacking else ""
    raise InfeasibleBlueprintError(
        f"rule 'length' wants {blueprint.length} items, but only {held} of the pool may be chosen{without}",
        (Shortfall("length", blueprint.length - held),),
    )


def _check_reach(
    pool: Pool, blueprint: Blueprint, target: Target, theta: Vector, features: Matrix, wanted: Vector
) -> None:
    """Refuse a target that the best items of the pool together do not reach, whatever the rules."""
    if target.match != "information":
        return
    allowed = features[blueprint.eligible(pool)]
    most = np.sort(allowed, axis=0)[-blueprint.length :].sum(axis=0)
    for t in np.flatnonzero(most < wanted * (1 - target.goal)):
        raise InfeasibleBlueprintError(
            f"[target] wants information {wanted[t]:.4g} at theta = {theta[t]:.2f}, but the {blueprint.length} most "
            f"informative eligible items give {most[t]:.4g} there; lower the target or lengthen the paper"
        )


def _moments(pool: Pool, blueprint: Blueprint, target: Target, weights: Vector) -> Aim:
    """Mean and variance of a column: its sum and the sum of squares about the mean, each over the length."""
    try:
        values = pool.numbers(target.of)
    except PoolError as error:
        raise BlueprintError(f"[target] of: {error}") from None
    missing = np.flatnonzero((weights > 0) & ~np.isfinite(values))
    if len(missing):
        raise BlueprintError(
            f"[target] matches {target.of}, which item {pool.ids[missing[0]]!r} does not have as a number; exclude the "
            f"{len(missing)} items without it, or fill it in"
        )
    values = np.nan_to_num(values)
    length = blueprint.length
    mean = float(weights @ values / length) if target.mean is None else target.mean
    spread = float(np.sqrt(weights @ (values - mean) ** 2 / length)) if target.sd is None else target.sd
    if spread <= 0:
        raise BlueprintError(f"[target] {target.of} does not vary among the eligible items: nothing is there to match")
    nothing = np.zeros((len(pool), 0))
    return Aim(
        target=target,
        cut=float("nan"),
        theta=np.zeros(0),
        marks=np.zeros(0),
        information=np.zeros(0),
        item_marks=nothing,
        item_information=nothing,
        features=np.round(np.stack([values, (values - mean) ** 2], axis=1) / length, QUANTUM),
        wanted=np.array([mean, spread**2]),
        unit=np.array([spread, spread**2]),
        reference=None,
    )


def reference_form(pool: Pool, blueprint: Blueprint) -> ReferenceForm:
    """The reference form of a blueprint on a pool, whatever its target. Raises as `reference_weights` does."""
    return _of_weights(pool, reference_weights(pool, blueprint), blueprint.item_marks(pool))


def _of_weights(pool: Pool, weights: Vector, marks: Vector) -> ReferenceForm:
    on = np.flatnonzero(weights)
    return pool.reference_form(on, (weights * marks)[on])


def reference_weights(pool: Pool, blueprint: Blueprint) -> Vector:
    """How much of each item the reference form holds, (J,): the paper that the eligible pool would be on average.

    Weights start equal and are raked to the length and to the bounds of count and sum rules (iterative proportional
    fitting, Deming & Stephan, 1940), so that types and functions have their numbers and marks. Items named by the
    target are held whole instead. Raises InfeasibleBlueprintError when a rule that wants something has no eligible
    item, BlueprintError for a named item that the pool lacks or has no parameters for.
    """
    allowed = blueprint.eligible(pool)
    if blueprint.target is not None and blueprint.target.reference:
        return _named(pool, blueprint.target)
    weights = np.where(allowed, blueprint.length / max(allowed.sum(), 1), 0.0)
    wanted: list[tuple[str, float, float, NDArray[np.intp], Vector]] = []
    everyone = np.arange(len(pool))
    length = float(blueprint.length)
    wanted.append(("length", length, length, everyone, np.ones(len(pool))))
    for rule in blueprint.rules:
        if rule.what not in {"count", "sum"} or (rule.what == "sum" and rule.share is not None):
            continue
        low, high = rule.counts(blueprint.length) if rule.what == "count" else rule.bounds
        amount = blueprint.amounts(pool, rule)
        members = np.flatnonzero(pool.where(rule.where) & (amount > 0))
        if high <= 0:
            weights[members] = 0.0
        else:
            wanted.append((rule.id, low, high, members, amount[members]))
    for _ in range(ROUNDS):
        worst = 0.0
        for name, low, high, members, amount in wanted:
            have = float(weights[members] @ amount)
            if have <= 0 and low > 0:
                raise InfeasibleBlueprintError(
                    f"rule {name!r} wants {low:g}, but no eligible item of the pool meets it", (Shortfall(name, low),)
                )
            factor = low / have if have < low else high / have if have > high else 1.0
            if factor != 1.0:
                weights[members] *= factor
                worst = max(worst, abs(factor - 1))
        if worst < 1e-12:
            break
    return weights


def _named(pool: Pool, target: Target) -> Vector:
    at = {item: j for j, item in enumerate(pool.ids)}
    calibrated = pool.calibrated
    weights = np.zeros(len(pool))
    for item in target.reference:
        if item not in at:
            raise BlueprintError(f"[target] reference: item {item!r} is not in the pool")
        if target.needs_parameters and not calibrated[at[item]]:
            raise BlueprintError(f"[target] reference: item {item!r} has no parameters")
        weights[at[item]] = 1.0
    return weights
