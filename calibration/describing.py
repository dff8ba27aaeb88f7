"""What a fit says, in the words of the field: parameters, groups, raters, item sets, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.estimation.fitting import NOT_IDENTIFIED, Fit, own_covariance
from calibration.estimation.posterior_means import Moments
from calibration.estimation.reporting import reported
from calibration.estimation.specification import without_raters
from calibration.estimation.unknowns import Unknowns
from calibration.models import ItemParameters, Scale
from calibration.preparing import Prepared
from calibration.result import Estimate, Group
from calibration.screening import Flag

Matrix = NDArray[np.float64]

LARGEST_INTEGRATION_ERROR = 1e-3


def items_of(prepared: Prepared, result: Fit) -> tuple[ItemParameters, ...]:
    """Parameters of the items, with standard errors where the run converged and the data identify them."""
    if prepared.facet is not None:
        items = _rated_items(prepared, result)
    else:
        items = parameters_of(prepared, result.unknowns, result.item_covariance, with_errors=result.converged)
    told = (prepared.scores.keys() | prepared.sums.keys()) - prepared.anchors.keys()
    return tuple(
        replace(item, scores=prepared.scores.get(item.id, item.scores), sum_of=prepared.sums.get(item.id, item.sum_of))
        if item.id in told
        else item
        for item in items
    )


def parameters_of(
    prepared: Prepared, unknowns: Unknowns, covariance: Sequence[Matrix], *, with_errors: bool
) -> tuple[ItemParameters, ...]:
    """The items as `reported`, by the names, counts, anchors and marks of what was prepared."""
    return reported(
        prepared.items,
        prepared.models,
        unknowns,
        covariance,
        prepared.counts,
        D=prepared.scale.D,
        anchors=prepared.anchors,
        marks=prepared.marks,
        with_errors=with_errors,
    )


def _rated_items(prepared: Prepared, result: Fit) -> tuple[ItemParameters, ...]:
    """Items as no rater in particular marks them (the mean severity is 0)."""
    facet = prepared.facet
    if facet is None:
        return ()
    unknowns = without_raters(result.unknowns)
    covariance = result.item_covariance
    if result.covariance is not None:
        covariance = own_covariance(unknowns, result.covariance)
    every = parameters_of(prepared, unknowns, covariance, with_errors=result.converged)
    n = np.bincount(facet.item, prepared.counts, len(facet.items))
    _, first = np.unique(facet.item, return_index=True)
    return tuple(replace(every[k], id=facet.items[facet.item[k]], n=float(n[facet.item[k]])) for k in first)


def scale_of(prepared: Prepared, result: Fit) -> Scale:
    """The anchors' scale as it is, or the scale on which the reference group has the mean and sd found."""
    scale, population = prepared.scale, result.unknowns.population
    if prepared.anchors:
        return replace(scale, anchors=tuple(prepared.anchors))
    if prepared.covariates is not None:
        return replace(scale, mean=0.0, sd=float(population.sd[0]))
    fixed = np.flatnonzero(((population.design != 0).sum(axis=1) == 0) & (result.sums.moments.persons > 0))
    at = int(fixed[0]) if fixed.size else 0
    return replace(scale, mean=float(population.mean[at]), sd=float(population.sd[at]))


def _population_errors(result: Fit) -> Matrix | None:
    """Covariance of the population's vector."""
    if result.covariance is None or not result.converged:
        return None
    B = result.unknowns.item_size
    S = result.unknowns.population.size
    return result.covariance[B : B + S, B : B + S]


def groups_of(result: Fit, names: Sequence[str]) -> tuple[Group, ...]:
    """Mean and standard deviation of every group, with standard errors."""
    population, covariance = result.unknowns.population, _population_errors(result)
    groups = []
    P = len(population.coefficients)
    for g, name in enumerate(names):
        mean_se = sd_se = None
        if covariance is not None:
            variance = float(population.design[g] @ covariance[:P, :P] @ population.design[g])
            mean_se = float(np.sqrt(variance)) if population.design[g].any() else None
            if population.sd_of[g] >= 0:
                at = P + population.sd_of[g]
                sd_se = float(population.sd[g] * np.sqrt(covariance[at, at]))
        groups.append(
            Group(
                name,
                float(result.sums.moments.persons[g]),
                Estimate(float(population.mean[g]), mean_se),
                Estimate(float(population.sd[g]), sd_se),
            )
        )
    return tuple(groups)


def regression_of(result: Fit, names: Sequence[str]) -> dict[str, Estimate]:
    """Coefficients of the covariates, and the residual standard deviation."""
    population, covariance = result.unknowns.population, _population_errors(result)
    P = len(population.coefficients)
    if len(names) < P:
        names = (*names, "(intercept)")
    errors = [None] * P if covariance is None else np.sqrt(np.diagonal(covariance)[:P]).tolist()
    out = {
        name: Estimate(float(value), error)
        for name, value, error in zip(names, population.coefficients, errors, strict=True)
    }
    return out | {"(residual sd)": Estimate(float(population.sd[0]))}


def regressed_to(prepared: Prepared, result: Fit) -> Matrix | None:
    """What the covariates lead one to expect of every person's ability, (N,); None without a latent regression."""
    if prepared.regressed is None:
        return None
    return np.asarray(result.unknowns.population.mean[prepared.regressed])


def raters_of(prepared: Prepared, result: Fit) -> dict[str, Estimate]:
    """Severities in logits, with standard errors; they sum to 0."""
    facet = prepared.facet
    if facet is None or result.unknowns.tied is None:
        return {}
    R, names = len(facet.raters), result.unknowns.tied_names
    pick = np.zeros((R, len(names)))
    for r in range(R - 1):
        column = names.index(("rater", r))
        pick[r, column], pick[R - 1, column] = 1.0, -1.0
    values = pick @ result.unknowns.tied
    errors: list[float | None] = [None] * R
    if result.covariance is not None and result.converged:
        B = len(names)
        errors = np.sqrt(np.diagonal(pick @ result.covariance[:B, :B] @ pick.T)).tolist()
    return {
        rater: Estimate(float(value), error) for rater, value, error in zip(facet.raters, values, errors, strict=True)
    }


def testlets_of(result: Fit) -> dict[str, Estimate]:
    """Standard deviation of what each item set shares, with its standard error."""
    testlets = result.unknowns.testlets
    if testlets is None:
        return {}
    free = np.flatnonzero(testlets.free)
    errors: list[float | None] = [None] * len(testlets.names)
    if result.covariance is not None and result.converged:
        of_free = np.diagonal(result.covariance)[len(result.covariance) - len(free) :]
        for t, variance in zip(free, of_free, strict=True):
            errors[t] = float(testlets.sd[t] * np.sqrt(variance))
    return {name: Estimate(float(sd), se) for name, sd, se in zip(testlets.names, testlets.sd, errors, strict=True)}


def warnings_of(result: Fit) -> list[Flag]:
    """What a reader of the parameters has to know first."""
    found = []
    if not result.converged:
        found.append(
            Flag(
                "",
                "not-converged",
                f"the search ended after {result.iterations} iterations without a maximum: parameters are where it "
                "stopped, and have no standard errors. Try priors, fewer parameters or more iterations",
            )
        )
    if result.converged and result.se_kind == NOT_IDENTIFIED:
        found.append(Flag("", "not-identified", f"no standard errors: {NOT_IDENTIFIED}"))
    if not result.monotone:
        found.append(Flag("", "not-monotone", "the likelihood fell in a step that cannot lower it: report this run"))
    if result.integration_error > LARGEST_INTEGRATION_ERROR:
        found.append(
            Flag("", "integration-error", f"a finer grid would move a parameter by {result.integration_error:.1e}")
        )
    return found


def means_missing(items: Sequence[str], result: Fit, moments: Sequence[Moments]) -> list[Flag]:
    """Which of the items have modes where posterior means were asked for, and why."""
    if not moments:
        return [
            Flag("", "modes-kept", "posterior means start from a maximum with standard errors: parameters are modes")
        ]
    return [
        Flag(
            items[batch.items[i]],
            "mode-kept",
            "its posterior is so unlike a normal one that its mean was not found (the draws are worth "
            f"{np.nan_to_num(of.effective[i]):.0%} of their number): parameters are its mode. Try narrower priors",
        )
        for batch, of in zip(result.unknowns.batches, moments, strict=True)
        for i in np.flatnonzero(batch.free.any(axis=1) & ~of.found)
    ]
