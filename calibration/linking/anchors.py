"""Which items two scales have in common, and how far each of them moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.linking.criteria import ThetaWeights
from calibration.linking.errors import LinkError
from calibration.linking.link import AnchorStatistics, Link
from calibration.linking.transform import constants_jacobian, transform_items, transformation_jacobian
from calibration.linking.vectors import covariance_block, parameter_vector, square_root
from calibration.models import DICHOTOMOUS, Curves, ItemParameters

Matrix = NDArray[np.float64]

ITEMS_NAMED = 3  # of those with one reason


@dataclass(frozen=True, slots=True)
class AnchorRules:
    """When an anchor is left out of a link.

    An item goes when its robust z (of difficulty or of slope) is beyond `robust_z` and it moved by at least
    `smallest_shift` (b in units of the base scale, slopes in logs: less matters to nobody, whatever its z); when it was
    displaced by more than `displacement`; or when its curves are apart by more than `rmsd` of its marks. A shift
    within two standard errors, where those are known, is no reason. One item goes at a time, the worst, and the link is
    made anew; never so many that fewer than `minimum` stay.
    """

    robust_z: float | None = 2.7
    smallest_shift: float = 0.1
    displacement: float | None = 0.5
    rmsd: float | None = 0.1
    minimum: int = 5


@dataclass(frozen=True, slots=True)
class Anchors:
    """Items that can be compared, in the same order on both scales, and why others cannot."""

    new: tuple[ItemParameters, ...]
    base: tuple[ItemParameters, ...]
    dropped: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(item.id for item in self.base)

    def without(self, item: str, reason: str) -> Anchors:
        keep = [j for j, name in enumerate(self.ids) if name != item]
        return Anchors(
            tuple(self.new[j] for j in keep), tuple(self.base[j] for j in keep), self.dropped | {item: reason}
        )


def common_anchors(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    named: Sequence[str] | None = None,
    *,
    thresholds_only: bool = False,
) -> Anchors:
    """The items of the same id on both scales, or those `named`, in the base's order.

    Items of another kind or number of categories there, items with a slope that is not positive and, with
    `thresholds_only`, nominal items (they have no thresholds) are dropped with the reason. Raises LinkError for a named
    anchor that one of the scales does not have, and where nothing is left.
    """
    ours, theirs = {item.id: item for item in new}, {item.id: item for item in base}
    for name in named or ():
        for where, items in (("new", ours), ("base", theirs)):
            if name not in items:
                raise LinkError(f"anchor {name!r} is not among the items of the {where} scale")
    wanted = set(named) if named is not None else set(ours) & set(theirs)
    if not wanted:
        raise LinkError("the scales have no items in common: the ids of anchors must be the same in both files")
    dropped: dict[str, str] = {}
    kept = []
    for other in base:
        if other.id in wanted:
            reason = _cannot_compare(ours[other.id], other, thresholds_only=thresholds_only)
            if reason is None:
                kept.append(other.id)
            else:
                dropped[other.id] = reason
    if not kept:
        raise LinkError(f"no anchor can be used: {'; '.join(reasons_of(dropped))}")
    return Anchors(tuple(ours[name] for name in kept), tuple(theirs[name] for name in kept), dropped)


def reasons_of(dropped: Mapping[str, str]) -> list[str]:
    """Why items were left out, every reason once, after the first items that it is of and how many more."""
    by_reason: dict[str, list[str]] = {}
    for item, why in dropped.items():
        by_reason.setdefault(why, []).append(item)
    told = []
    for why, items in by_reason.items():
        more = len(items) - ITEMS_NAMED
        told.append(f"{', '.join(items[:ITEMS_NAMED])}{f' and {more} more' if more > 0 else ''}: {why}")
    return told


def _family(item: ItemParameters) -> str:
    """Items of one family have one kind of curve: in two categories graded and partial credit items are 2PL ones."""
    if item.model in DICHOTOMOUS or (item.categories == 2 and item.model != "NRM"):
        return "dichotomous"
    return {"GRM": "graded", "NRM": "nominal"}.get(item.model, "partial credit")


def _cannot_compare(new: ItemParameters, base: ItemParameters, *, thresholds_only: bool) -> str | None:
    if _family(new) != _family(base):
        return f"{_family(new)} on the new scale, {_family(base)} on the base scale"
    if new.categories != base.categories:
        return f"{new.categories} categories on the new scale, {base.categories} on the base scale"
    if _family(new) == "nominal":
        return "a nominal item has no thresholds: use haebara or stocking-lord" if thresholds_only else None
    if min(new.a, base.a) <= 0:
        return f"its slope is not positive (a = {new.a:.3g} new, {base.a:.3g} base)"
    return None


def shifts(link: Link, anchors: Anchors) -> list[tuple[Matrix, Matrix | None]]:
    """Per anchor, base parameters minus those of the new scale put on the base scale (p,), and their covariance (p, p).

    The covariance holds the errors of both estimates and that of the link, which the item itself may be part of; None
    where an error is not known.
    """
    D, ratio = link.new.D, link.new.D / link.base.D
    moved = transform_items(anchors.new, link.A, link.B, scale=link.new, D=link.base.D)
    out: list[tuple[Matrix, Matrix | None]] = []
    for new, base, on_base in zip(anchors.new, anchors.base, moved, strict=True):
        p = len(parameter_vector(base))
        if len(parameter_vector(new)) != p:  # 2PL here, 3PL there: what they have in common is compared
            p = min(p, len(parameter_vector(new)))
        difference = (parameter_vector(base)[:p]) - (parameter_vector(on_base)[:p])
        blocks = covariance_block(new), covariance_block(base)
        if link.errors is None or blocks[0] is None or blocks[1] is None:
            out.append((difference, None))
            continue
        K = constants_jacobian(new, link.A, link.B, D=D, ratio=ratio)[:p]
        J = transformation_jacobian(new, link.A, link.B, D=D, ratio=ratio)[:p]
        parts = {key: -K @ part for key, part in link.errors.items()}
        own_parts = {
            link.source(new, base=False): -J @ square_root(blocks[0]),
            link.source(base, base=True): square_root(blocks[1])[:p],
        }
        for key, own in own_parts.items():
            parts[key] = parts[key] + own if key in parts else own
        covariance = np.sum([part @ part.T for part in parts.values()], axis=0)
        out.append((difference, covariance))
    return out


def anchor_statistics(link: Link, anchors: Anchors) -> tuple[AnchorStatistics, ...]:
    """Displacement, robust z, d² and RMSD of anchors under a link (see `AnchorStatistics`)."""
    weights = ThetaWeights.of(link.base)
    P = Curves.of(anchors.base, link.base)
    there = Curves.of(anchors.new, link.new)
    difference = P.probability(weights.nodes) - there.probability((weights.nodes - link.B) / link.A)
    d2 = 0.5 * P.sum_items(difference**2) @ weights.weights
    spans = np.array([max(item.category_marks) - min(item.category_marks) for item in anchors.base])
    marks = P.sum_items(P.marks[:, None] * difference)
    rmsd = np.sqrt(marks**2 @ weights.weights) / np.where(spans > 0, spans, 1.0)
    moved = [_moved(link, *one) for one in zip(shifts(link, anchors), anchors.new, anchors.base, strict=True)]
    z, z_slope = (robust_z(np.array([one[k] for one in moved])) for k in (0, 2))
    return tuple(
        AnchorStatistics(item, *moved[j], z[j], z_slope[j], float(d2[j]), float(rmsd[j]))
        for j, item in enumerate(anchors.ids)
    )


def _moved(
    link: Link, shift: tuple[Matrix, Matrix | None], new: ItemParameters, base: ItemParameters
) -> tuple[float, float | None, float, float | None]:
    """Displacement of the mean threshold and of log a, each with its standard error."""
    if base.model == "NRM":
        return float("nan"), None, float("nan"), None
    difference, covariance = shift
    b = slice(1, 1 + len(base.b))
    log_slope = float(np.log(base.a) - np.log(new.a * link.new.D / link.base.D / link.A))
    if covariance is None:
        return float(difference[b].mean()), None, log_slope, None
    se = float(np.sqrt(max(covariance[b, b].sum(), 0.0))) / len(base.b)
    return float(difference[b].mean()), se, log_slope, float(np.sqrt(max(covariance[0, 0], 0.0))) / base.a


def robust_z(differences: Matrix) -> list[float]:
    """(d - median) / (0.74 · interquartile range) (Huynh & Meyer, 2010); 0 where nothing varies, NaN stays NaN."""
    known = differences[~np.isnan(differences)]
    if not len(known):
        return [float("nan")] * len(differences)
    low, middle, high = np.percentile(known, [25, 50, 75])
    spread = 0.74 * (high - low)
    if spread < 1e-12:  # more than half of the items moved alike: any that did not is infinitely far away
        away = differences - middle
        return [float(np.copysign(np.inf, one)) if abs(one) > 1e-6 else 0.0 * one for one in away]
    return [float(one) for one in (differences - middle) / spread]


def worst_anchor(statistics: Sequence[AnchorStatistics], rules: AnchorRules) -> tuple[str, str] | None:
    """The anchor that breaks the rules most, and how; None where all keep to them."""
    worst: tuple[float, str, str] | None = None
    for one in statistics:
        for excess, reason in _breaches(one, rules):
            if worst is None or excess > worst[0]:
                worst = (excess, one.item, reason)
    return None if worst is None else worst[1:]


def surely_moved(shift: float, se: float | None, least: float) -> bool:
    """Whether a shift is `least` or more, and more than two standard errors where those are known."""
    return abs(shift) >= least and (se is None or abs(shift) > 2 * se)


def _breaches(one: AnchorStatistics, rules: AnchorRules) -> list[tuple[float, str]]:
    found = []
    b = (one.displacement, one.displacement_se)
    if rules.robust_z is not None:
        for z, (shift, se), what in (
            (one.robust_z, b, "b"),
            (one.robust_z_slope, (one.log_slope, one.log_slope_se), "log a"),
        ):
            if abs(z) > rules.robust_z and surely_moved(shift, se, rules.smallest_shift):
                found.append((abs(z) / rules.robust_z, f"robust z {z:.2f} of {what} ({shift:+.3f})"))
    if rules.displacement is not None and surely_moved(*b, rules.displacement):
        found.append(
            (abs(b[0]) / rules.displacement, f"displaced {one.displacement:+.3f}, more than {rules.displacement:g}")
        )
    if rules.rmsd is not None and one.rmsd > rules.rmsd:
        found.append((one.rmsd / rules.rmsd, f"curves apart by RMSD {one.rmsd:.3f}, more than {rules.rmsd:g}"))
    return found
