"""S-X², PV-Q1, infit, outfit and RMSD of items."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from calibration import Curves, ItemParameters, Responses, ResponsesError, Scale, calibrate
from calibration.fit import FitError, item_fit
from calibration.fit.persons import fitted
from calibration.fit.summed_scores import add_item, collapsed, rest_score_distributions, summed_score_fit
from tests.calibration.fit import simulated
from tests.calibration.fit.reference import reference

COMPLETE = ["lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm", "science__PCM"]


@pytest.mark.parametrize("name", COMPLETE)
def test_summed_score_fit_equals_mirt(name: str) -> None:
    document, responses, items, scale = reference(name)
    for ours, theirs in zip(item_fit(responses, items, scale, draws=0), document["itemfit_S_X2"], strict=True):
        assert (ours.item, ours.s_x2_df) == (theirs["item"], theirs["df.S_X2"])
        assert ours.s_x2 == pytest.approx(theirs["S_X2"], abs=1e-7)
        assert ours.s_x2_p == pytest.approx(theirs["p.S_X2"], abs=1e-7)
        assert ours.s_x2_rmsea == pytest.approx(theirs["RMSEA.S_X2"], abs=1e-7)
        assert (ours.n, ours.s_x2_n, ours.s_x2_sets) == (document["N"], document["N"], 1)


@pytest.mark.parametrize("name", ["lsat6__Rasch", "science__PCM"])
def test_mean_squares_at_weighted_likelihood_estimates_equal_mirt(name: str) -> None:
    document, responses, items, scale = reference(name)
    rows = item_fit(responses, items, scale, mean_squares="wle", draws=0)
    for ours, theirs in zip(rows, document["itemfit_infit"], strict=True):
        found = (ours.outfit, ours.outfit_t, ours.infit, ours.infit_t)
        assert found == pytest.approx([theirs[k] for k in ("outfit", "z.outfit", "infit", "z.infit")], abs=1e-5)
        assert ours.mean_squares == "wle"


def test_marginal_mean_squares_with_missing_data_equal_tam() -> None:
    document, responses, items, scale = reference("sim_rasch_missing__Rasch_61")
    for ours, theirs in zip(item_fit(responses, items, scale, draws=0), document["itemfit_msq"], strict=True):
        assert (ours.outfit, ours.infit) == pytest.approx((theirs["Outfit"], theirs["Infit"]), abs=1e-6)
        assert (ours.outfit_t, ours.infit_t) == pytest.approx((theirs["Outfit_t"], theirs["Infit_t"]), abs=2e-5)


def test_rest_scores_are_those_of_all_patterns() -> None:
    rng = np.random.default_rng(1)
    curves = [rng.dirichlet(np.ones(K), 5).T for K in (2, 3, 2, 4)]
    for left_out, distribution in enumerate(rest_score_distributions(curves)):
        others = [curve for j, curve in enumerate(curves) if j != left_out]
        expected = np.zeros_like(distribution)
        for pattern in itertools.product(*(range(len(curve)) for curve in others)):
            expected[sum(pattern)] += np.prod([curve[k] for curve, k in zip(others, pattern, strict=True)], axis=0)
        assert distribution == pytest.approx(expected, abs=1e-14)
    assert add_item(rest_score_distributions(curves)[0], curves[0]).sum(axis=0) == pytest.approx(np.ones(5))


def test_collapsing_keeps_persons_and_leaves_no_small_cell() -> None:
    rng = np.random.default_rng(2)
    for K in (2, 3, 5):
        observed = rng.poisson(3.0, (20, K)).astype(float)
        share = rng.dirichlet(np.ones(K), 20)
        expected = share * observed.sum(axis=1, keepdims=True)
        seen, left = collapsed(observed, expected)
        assert seen.sum() == pytest.approx(observed.sum())
        assert left.sum() == pytest.approx(expected.sum())
        assert ((left == 0) | (left >= 1)).all()


def booklet_responses(seed: int) -> tuple[list[ItemParameters], np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    items = simulated.two_parameter_items(rng, 15)
    table = simulated.scores(rng, items, rng.normal(0, 1, 1200))
    table[:600, 10:] = np.nan
    table[600:, :5] = np.nan
    return items, table, rng


def test_sets_of_booklets_add_up() -> None:
    items, table, _ = booklet_responses(3)
    whole = summed_score_fit(fitted(simulated.responses(table, items), items))
    halves = [summed_score_fit(fitted(simulated.responses(part, items), items)) for part in (table[:600], table[600:])]
    first, last = ([item.id for item in items[:10]], [item.id for item in items[5:]])
    total = {item.id: 0.0 for item in items}
    for ids, half in zip((first, last), halves, strict=True):
        for item, value in zip(ids, half.statistic, strict=True):
            total[item] += value
    assert whole.statistic == pytest.approx(list(total.values()))
    assert whole.sets.tolist() == [1] * 5 + [2] * 5 + [1] * 5
    assert whole.n.tolist() == [600] * 5 + [1200] * 5 + [600] * 5


def test_every_person_counts_where_rows_are_incomplete() -> None:
    """A fifth of the cells missing at random leaves 3 % of rows complete; infit, PV-Q1 and RMSD still rest on all."""
    rng = np.random.default_rng(4)
    items = simulated.two_parameter_items(rng, 15)
    table = simulated.scores(rng, items, rng.normal(0, 1, 800))
    table[rng.random(table.shape) < 0.2] = np.nan
    rows = item_fit(simulated.responses(table, items), items)
    assert [row.n for row in rows] == (~np.isnan(table)).sum(axis=0).tolist()
    assert all(np.isnan(row.s_x2) and row.s_x2_sets == 0 for row in rows)
    assert all(0.85 < row.infit < 1.15 and min(row.pv_q1_p, row.residual_p) > 0.001 and row.rmsd < 0.07 for row in rows)


def test_weights_are_persons() -> None:
    document, responses, items, scale = reference("lsat7__2PL")
    repeated = Responses.from_matrix(
        np.repeat(responses.dense(), responses.weight.astype(int), axis=0), responses.items
    )
    for one, many in zip(item_fit(responses, items, scale), item_fit(repeated, items, scale), strict=True):
        for name in ("n", "s_x2", "outfit", "outfit_t", "infit", "infit_t", "rmsd", "md"):
            assert getattr(one, name) == pytest.approx(getattr(many, name), abs=1e-9), name
        assert one.pv_q1 == pytest.approx(many.pv_q1, rel=0.25)  # other draws
    assert document["N"] == len(repeated.persons)


def test_an_item_of_another_shape_is_found() -> None:
    rng = np.random.default_rng(5)
    items = simulated.two_parameter_items(rng, 20)
    theta = rng.normal(0, 1, 2000)
    table = simulated.scores(rng, items, theta)
    table[:, 7] = rng.random(2000) < 0.25 + 0.6 * (np.abs(theta) > 1)  # able and weak persons do equally well
    wrong = [replace(item, a=1.0, b=(0.0,)) if item.id == "Q8" else item for item in items]
    rows = item_fit(simulated.responses(table, items), wrong)
    assert {"misfit", "curve-differs"} <= set(rows[7].flags)
    assert rows[7].residual_p < 1e-20
    assert all("misfit" not in row.flags for row in rows if row.item != "Q8")
    assert rows[7].pv_q1_p < 1e-6


def test_random_answers_are_noisy_and_copies_overfit() -> None:
    rng = np.random.default_rng(6)
    items = [ItemParameters(f"Q{j}", "Rasch", 1.0, (float(b),)) for j, b in enumerate(np.linspace(-2, 2, 20))]
    theta = rng.normal(0, 1.5, 3000)
    table = simulated.scores(rng, items, theta)
    table[:, 3] = rng.random(3000) < 0.85
    table[:, 12] = theta > items[12].b[0]
    rows = item_fit(simulated.responses(table, items), items, Scale(sd=1.5))
    assert rows[3].outfit > 1.3
    assert "noisy" in rows[3].flags
    assert "weak" in rows[3].flags
    assert rows[12].infit < 0.7
    assert "overfit" in rows[12].flags
    assert all(0.85 < row.infit < 1.15 for j, row in enumerate(rows) if j not in {3, 12})


def routed(rng: np.random.Generator, items: list[ItemParameters], theta: np.ndarray) -> np.ndarray:
    """Ten items for all; the ten easier of the others for those below 5 points, the ten harder for the rest."""
    table = simulated.scores(rng, items, theta)
    low = table[:, :10].sum(axis=1) < 5
    table[low, 20:] = np.nan
    table[~low, 10:20] = np.nan
    return table


def test_routed_items_are_named_and_not_compared_by_summed_scores() -> None:
    rng = np.random.default_rng(7)
    first, second, third = (simulated.two_parameter_items(rng, 10) for _ in range(3))
    items = [replace(item, id=f"I{n}") for n, item in enumerate([*first, *second, *third])]
    rows = item_fit(simulated.responses(routed(rng, items, rng.normal(0, 1, 2000)), items), items)
    assert [row.item for row in rows if "routed" in row.flags] == [item.id for item in items[10:]]
    assert all(row.s_x2_sets == 0 and np.isnan(row.s_x2) for row in rows)
    assert sum(row.residual_p < 0.05 for row in rows) <= 5
    assert all(row.pv_q1_p > 0.01 for row in rows)
    assert sum("misfit" in row.flags for row in rows) <= 1


def test_misfit_of_routed_items_is_found() -> None:
    rng = np.random.default_rng(17)
    first, second, third = (simulated.two_parameter_items(rng, 10) for _ in range(3))
    items = [replace(item, id=f"I{n}") for n, item in enumerate([*first, *second, *third])]
    theta = rng.normal(0, 1, 4000)
    table = routed(rng, items, theta)
    harder = ~np.isnan(table[:, 24])
    table[harder, 24] = rng.random(harder.sum()) < np.where(np.abs(theta[harder] - 0.7) < 0.5, 0.9, 0.3)
    data = simulated.responses(table, items)
    rows = item_fit(data, calibrate(data).items)
    assert [row.item for row in rows if "misfit" in row.flags] == ["I24"]
    assert rows[24].pv_q1_p < 0.01


def test_bad_input_is_named() -> None:
    _, responses, items, scale = reference("lsat7__2PL")
    with pytest.raises(FitError, match="none of the items with parameters has responses"):
        item_fit(responses, [replace(item, id=f"x{item.id}") for item in items], scale)
    with pytest.raises(FitError, match="2 means and 1 standard deviations"):
        item_fit(responses, items, scale, ([0, 1], [1]))
    high = Responses.from_matrix(np.array([[0.0, 2.0], [1.0, 1.0]]), ["Item.1", "Item.2"], persons=["a", "b"])
    with pytest.raises(
        ResponsesError, match=r"person a, item Item\.2: score 2, but its parameters know the scores 0…1"
    ):
        item_fit(high, items, scale)


@pytest.mark.slow
def test_type_one_errors_are_near_nominal() -> None:
    """500 replications, parameters estimated: rejections at 5 %."""
    rng = np.random.default_rng(8)
    items = simulated.two_parameter_items(rng, 12)
    s_x2, residual, q1 = [], [], []
    for _ in range(500):
        table = simulated.scores(rng, items, rng.normal(0, 1, 1000))
        data = simulated.responses(table, items)
        rows = item_fit(data, calibrate(data).items, draws=5)
        s_x2 += [row.s_x2_p < 0.05 for row in rows]
        residual += [row.residual_p < 0.05 for row in rows]
        q1 += [row.pv_q1_p < 0.05 for row in rows]
    assert 0.035 < np.mean(s_x2) < 0.065
    assert 0.04 < np.mean(residual) < 0.08
    assert np.mean(q1) < 0.05


def test_expected_scores_use_the_curves_of_every_model() -> None:
    """Marginal mean squares of data without noise in them: expected persons exactly as the model has them give 1."""
    from calibration.fit.mean_squares import marginal_mean_squares

    rng = np.random.default_rng(9)
    items = [
        *simulated.graded_items(rng, 2),
        ItemParameters("N", "NRM", slopes=(0, 0.5, 1.2), intercepts=(0, 0.3, -0.2)),
    ]
    table = simulated.scores(rng, items, rng.normal(0, 1, 50))
    data = fitted(simulated.responses(table, items), items)
    counts = 1000 * Curves.of(items).probability(data.nodes) * data.weights[0]
    squares = marginal_mean_squares(data, counts)
    assert squares.outfit == pytest.approx(np.ones(3))
    assert squares.infit == pytest.approx(np.ones(3))
