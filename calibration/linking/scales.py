"""Two scales joined by their common items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calibration.linking.anchors import (
    AnchorRules,
    Anchors,
    anchor_statistics,
    common_anchors,
    reasons_of,
    worst_anchor,
)
from calibration.linking.criteria import Solution, ThetaWeights, characteristic_curve_link
from calibration.linking.errors import LinkError
from calibration.linking.link import Link, link_errors
from calibration.linking.moments import mean_mean, mean_sigma
from calibration.models import ItemParameters, Scale, check_parameters

METHODS = ("mean-mean", "mean-sigma", "haebara", "stocking-lord")
_MOMENTS = {"mean-mean": mean_mean, "mean-sigma": mean_sigma}


def link_scales(
    new: Sequence[ItemParameters],
    base: Sequence[ItemParameters],
    *,
    new_scale: Scale | None = None,
    base_scale: Scale | None = None,
    method: str = "stocking-lord",
    anchors: Sequence[str] | None = None,
    weights: ThetaWeights | None = None,
    symmetric: bool = False,
    new_weights: ThetaWeights | None = None,
    fixed_slope: bool | None = None,
    rules: AnchorRules | None = None,
    errors: bool = True,
) -> Link:
    """A and B of theta_base = A · theta_new + B from the items both scales have.

    `anchors` are all common items unless named. `method` is one of METHODS. The criterion of the characteristic-curve
    methods is weighted with `weights` over the base scale (the base's population, N(mean, sd²) on 41 points, unless
    given); `symmetric` adds the same in the other direction, weighted with `new_weights` over the new scale. A = 1 is
    fixed between scales of Rasch and partial credit items (a = 1 everywhere) unless `fixed_slope` says otherwise.
    With `rules` anchors that moved are left out one after the other; without them all are kept. Without `errors` A and
    B come alone, without standard errors and statistics of the anchors, which is three times as fast. Raises LinkError.
    """
    if method not in METHODS:
        raise LinkError(f"method {method!r} is not known; choose one of {', '.join(METHODS)}")
    scales = new_scale or Scale(), base_scale or Scale()
    check_parameters([*new, *base])
    chosen = common_anchors(new, base, anchors, thresholds_only=method in _MOMENTS)
    if fixed_slope is None:
        fixed_slope = _rasch(chosen, *scales)
    fewest = 1 if fixed_slope else 2
    errors = errors or rules is not None
    notes: list[str] = []
    while True:
        if len(chosen.ids) < fewest:
            raise LinkError(
                f"{len(chosen.ids)} anchor left of {len(chosen.ids) + len(chosen.dropped)}; at least {fewest} are "
                f"needed{''.join(f'; {reason}' for reason in reasons_of(chosen.dropped))}"
            )
        solution = _solve(
            method,
            chosen,
            *scales,
            weights=weights or ThetaWeights.of(scales[1]),
            new_weights=(new_weights or ThetaWeights.of(scales[0])) if symmetric else None,
            fixed_slope=fixed_slope,
            errors=errors,
        )
        link = _link(method, solution, chosen, *scales, errors=errors)
        if rules is None:
            break
        worst = worst_anchor(link.statistics, rules)
        if worst is None:
            break
        if len(chosen.ids) <= max(rules.minimum, fewest):
            notes.append(f"anchor {worst[0]} would be left out ({worst[1]}), but only {len(chosen.ids)} are left")
            break
        chosen = chosen.without(*worst)
    if rules is not None:
        notes += _warnings(chosen, rules)
    if errors and link.errors is None:
        notes.append("standard errors of A and B are not known: some anchors have none")
    return replace(link, notes=tuple(notes))


def _solve(
    method: str,
    anchors: Anchors,
    new_scale: Scale,
    base_scale: Scale,
    *,
    weights: ThetaWeights,
    new_weights: ThetaWeights | None,
    fixed_slope: bool,
    errors: bool,
) -> Solution:
    if method in _MOMENTS:
        return _MOMENTS[method](anchors.new, anchors.base, new_scale, base_scale, fixed_slope=fixed_slope)
    return characteristic_curve_link(
        anchors.new,
        anchors.base,
        new_scale,
        base_scale,
        per_item=method == "haebara",
        on_base=weights,
        on_new=new_weights,
        fixed_slope=fixed_slope,
        starts=_starts(anchors, new_scale, base_scale, fixed_slope=fixed_slope),
        errors=errors,
    )


def _starts(anchors: Anchors, new_scale: Scale, base_scale: Scale, *, fixed_slope: bool) -> list[tuple[float, float]]:
    pairs = [(one, other) for one, other in zip(anchors.new, anchors.base, strict=True) if one.model != "NRM"]
    if not pairs:
        return [(1.0, 0.0)]
    new, base = [one for one, _ in pairs], [other for _, other in pairs]
    found = []
    for moments in (mean_mean, mean_sigma):
        try:
            start = moments(new, base, new_scale, base_scale, fixed_slope=fixed_slope)
        except LinkError:
            continue
        found.append((start.A, start.B))
    return found


def _rasch(anchors: Anchors, new_scale: Scale, base_scale: Scale) -> bool:
    """Whether both scales have the unit of the logit: a = 1 in models that fix it."""
    fixed = {"Rasch", "PCM", "RSM"}
    items = (*anchors.new, *anchors.base)
    return new_scale.D == base_scale.D and all(item.model in fixed and item.a == 1 for item in items)


def _link(
    method: str, solution: Solution, anchors: Anchors, new_scale: Scale, base_scale: Scale, *, errors: bool
) -> Link:
    link = Link(
        solution.A,
        solution.B,
        new_scale,
        base_scale,
        method,
        anchors.ids,
        anchors.dropped,
        criterion=solution.criterion,
    )
    if not errors:
        return link
    new, base = (zip(*pair, strict=True) for pair in ((anchors.new, solution.new), (anchors.base, solution.base)))
    link = replace(link, errors=link_errors(link, new, base))
    return replace(link, statistics=anchor_statistics(link, anchors))


def _warnings(anchors: Anchors, rules: AnchorRules) -> list[str]:
    kept, all_of_them = len(anchors.ids), len(anchors.ids) + len(anchors.dropped)
    notes = []
    if kept < rules.minimum:
        notes.append(f"only {kept} anchors; {rules.minimum} are the minimum asked for")
    if len(anchors.dropped) > 0.2 * all_of_them:
        notes.append(f"{len(anchors.dropped)} of {all_of_them} anchors were left out: do the scales measure the same?")
    return notes
