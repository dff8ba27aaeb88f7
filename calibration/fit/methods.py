"""Differential functioning by any of its methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from calibration.fit.dif import dif_likelihood_ratio, dif_rmsd, dif_wald_refitted
from calibration.fit.persons import FitError
from calibration.fit.refitting import group_counts, grouped_fitter
from calibration.fit.sibtest import sibtest
from calibration.models import ItemParameters, Scale
from calibration.responses import Responses

DIF_METHODS = ("lr", "wald", "rmsd", "mh", "logistic", "sibtest")


def dif(
    responses: Responses,
    items: Sequence[ItemParameters],
    scale: Scale | None = None,
    *,
    method: str = "lr",
    reference: str | None = None,
    focal: str | None = None,
    rounds: int = 5,
) -> tuple[Any, ...]:
    """Items that say another thing of equally able persons of `reference` (the first group) and `focal` (the next).

    `method`: lr (likelihood ratio), wald, rmsd (observed curves, all groups), mh (Mantel–Haenszel), logistic or
    sibtest; the last three match persons on their marks and need no parameters. At most `rounds` rounds of
    purification. Raises FitError for a method or group that is none.
    """
    if method not in DIF_METHODS:
        raise FitError(f"method {method!r} is not known; choose one of {', '.join(DIF_METHODS)}")
    names = two_groups(responses, reference, focal)
    if method == "rmsd":
        return dif_rmsd(responses, items, scale, reference=names[0], rounds=rounds)
    if method == "sibtest":
        return tuple(sibtest(responses, reference=names[0], focal=names[1]))
    if method in {"mh", "logistic"}:
        from calibration.classical import dif as classical  # noqa: PLC0415

        test = classical.mantel_haenszel_dif if method == "mh" else classical.logistic_dif
        return tuple(test(responses, reference=names[0], focal=[names[1]], rounds=rounds))
    have = [item for item in items if item.id in set(responses.items)]
    fitter = grouped_fitter(responses, have, names)
    counts = group_counts(responses, names)
    if method == "lr":
        return dif_likelihood_ratio(have, fitter, n=counts, names=names, rounds=rounds, scale=scale)
    found = dif_wald_refitted(have, fitter, names=names, rounds=rounds, scale=scale)
    return tuple(replace(row, n_reference=counts[row.item][0], n_focal=counts[row.item][1]) for row in found)


def two_groups(responses: Responses, reference: str | None, focal: str | None) -> tuple[str, str]:
    """The groups to compare: the first against the next unless named. Raises FitError."""
    groups = responses.groups if responses.group is not None else ()
    if len(groups) < 2:
        raise FitError("the responses are of one group; two are needed: name the column that tells groups apart")
    for name in (reference, focal):
        if name is not None and name not in groups:
            raise FitError(f"no group {name!r}; the groups are {', '.join(groups)}")
    first = reference or next(name for name in groups if name != focal)
    second = focal or next(name for name in groups if name != first)
    if first == second:
        raise FitError(f"reference and focal group are both {first!r}; name two different ones")
    return first, second
