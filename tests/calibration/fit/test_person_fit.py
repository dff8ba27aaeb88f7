"""lz, lz*, infit and outfit of persons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import ItemParameters, Responses, Scale
from calibration.fit import abilities, fitted, group_populations, person_fit
from tests.calibration.fit import simulated
from tests.calibration.fit.reference import reference


@pytest.mark.parametrize(
    "name", ["lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm", "science__PCM"]
)
def test_equals_mirt_at_posterior_means(name: str) -> None:
    document, responses, items, scale = reference(name)
    fit = person_fit(responses, items, scale, method="eap")
    first = np.repeat(np.arange(len(responses.persons)), responses.weight.astype(int))[:20]
    columns = {"outfit": fit.outfit, "z.outfit": fit.outfit_t, "infit": fit.infit, "z.infit": fit.infit_t, "Zh": fit.lz}
    for name_, ours in columns.items():
        theirs = [row[name_] for row in document["personfit_first20rows"]]
        assert ours[first] == pytest.approx(theirs, abs=5e-6), name_


def test_weighted_likelihood_estimates_equal_mirt_and_tam() -> None:
    document, responses, items, scale = reference("lsat7__2PL")
    found = abilities(fitted(responses, items, scale), "wle")
    known = document["persons_first20_patterns"]["scores"]["WLE"]["theta"]
    assert found[:20] == pytest.approx(known, abs=2e-5)
    document, responses, items, scale = reference("sim_rasch_missing__Rasch_61")
    found = abilities(fitted(responses, items, scale), "wle")
    assert found[:20] == pytest.approx([row["theta"] for row in document["WLE_first20"]], abs=1e-5)


def test_posterior_modes_equal_mirt() -> None:
    document, responses, items, scale = reference("science__graded")
    distinct = document["persons_first20_patterns"]["patterns"]
    table = np.array(distinct, float) - 1
    found = abilities(fitted(Responses.from_matrix(table, responses.items), items, scale), "map")
    assert found == pytest.approx(document["persons_first20_patterns"]["scores"]["MAP"]["theta"], abs=2e-5)


def test_lz_star_of_one_person_step_by_step() -> None:
    """Snijders (2001) for dichotomous items, written out: W + c r0 over its standard deviation, at the mode."""
    a, b = np.array([1.2, 0.8, 1.6, 1.0]), np.array([-1.0, 0.0, 0.4, 1.2])
    items = [ItemParameters(str(j), "2PL", a[j], (b[j],)) for j in range(4)]
    x = np.array([0.0, 1.0, 1.0, 0.0])
    fit = person_fit(Responses.from_matrix(x[None], [item.id for item in items]), items, method="map")
    theta = fit.theta[0]
    P = 1 / (1 + np.exp(-a * (theta - b)))
    slope = a * P * (1 - P)
    w, r = np.log(P / (1 - P)), slope / (P * (1 - P))
    c = (slope * w).sum() / (slope * r).sum()
    W, r0 = ((x - P) * w).sum(), -theta  # of the mode under N(0, 1)
    tau = np.sqrt(((w - c * r) ** 2 * P * (1 - P)).sum())
    assert ((x - P) * r).sum() + r0 == pytest.approx(0, abs=1e-8)
    assert fit.lz_star[0] == pytest.approx((W + c * r0) / tau, abs=1e-7)
    assert fit.lz[0] == pytest.approx(W / np.sqrt((w**2 * P * (1 - P)).sum()), abs=1e-12)


@pytest.mark.parametrize("polytomous", [False, True])
def test_lz_star_is_standard_normal_where_lz_is_too_narrow(polytomous: bool) -> None:
    rng = np.random.default_rng(11)
    items = simulated.graded_items(rng, 30) if polytomous else simulated.two_parameter_items(rng, 40)
    theta = rng.normal(0, 1, 4000)
    fit = person_fit(simulated.responses(simulated.scores(rng, items, theta), items), items)
    inside = np.abs(theta) < 1.5  # at the ends nearly all answers are the same
    assert fit.lz_star[inside].mean() == pytest.approx(0.07, abs=0.07)  # tends to 0 as 1 / √J
    assert fit.lz_star[inside].std() == pytest.approx(1, abs=0.06)
    assert fit.lz[inside].std() < fit.lz_star[inside].std()
    assert (fit.p < 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_persons_who_answer_backwards_are_found_and_hardly_anybody_else() -> None:
    rng = np.random.default_rng(12)
    items = [ItemParameters(f"Q{j:02}", "2PL", 1.3, (float(b),)) for j, b in enumerate(np.linspace(-2, 2, 40))]
    table = simulated.scores(rng, items, rng.normal(0, 1, 500))
    table[:10] = np.arange(40) >= 20  # easy ones wrong, hard ones right
    fit = person_fit(simulated.responses(table, items), items)
    found = fit.unusual()
    assert set(range(10)) <= set(found.tolist())
    assert len(found) <= 12
    assert fit.outfit[:10].min() > 1.5
    assert found[0] < 10


def test_missing_responses_are_not_wrong_ones() -> None:
    rng = np.random.default_rng(13)
    items = simulated.two_parameter_items(rng, 30)
    table = simulated.scores(rng, items, rng.normal(0, 1, 40))
    table[:, 10:20] = np.nan
    short = [*items[:10], *items[20:]]
    with_gaps = person_fit(simulated.responses(table, items), items)
    without = person_fit(simulated.responses(np.delete(table, range(10, 20), axis=1), short), short)
    assert with_gaps.n_items.tolist() == [20] * 40
    for name in ("theta", "lz", "lz_star", "outfit", "infit", "infit_t"):
        assert getattr(with_gaps, name) == pytest.approx(getattr(without, name), abs=1e-8), name


def test_persons_without_responses_or_weight_keep_their_place() -> None:
    rng = np.random.default_rng(14)
    items = simulated.two_parameter_items(rng, 5)
    table = simulated.scores(rng, items, rng.normal(0, 1, 3))
    table[1] = np.nan
    made = replace(Responses.from_matrix(table, [i.id for i in items]), weight=np.array([1.0, 1.0, 0.0]))
    fit = person_fit(made, items)
    assert fit.n_items.tolist() == [5, 0, 5]
    assert np.isnan(fit.theta[1])
    assert np.isnan(fit.lz_star[1])
    assert np.isfinite(fit.lz_star[2])
    assert [row["person"] for row in fit.rows()] == ["1", "2", "3"]


def test_groups_on_a_fixed_scale_get_their_own_means_and_spreads() -> None:
    rng = np.random.default_rng(15)
    items = simulated.two_parameter_items(rng, 40)
    group = np.repeat([0, 1], 3000).astype(np.int32)
    theta = np.where(group == 0, rng.normal(0.2, 0.8, 6000), rng.normal(-2.5, 1.3, 6000))
    data = simulated.responses(simulated.scores(rng, items, theta), items, group)
    mean, sd = group_populations(data, items, Scale())
    assert mean == pytest.approx([0.2, -2.5], abs=0.08)
    assert sd == pytest.approx([0.8, 1.3], abs=0.08)
