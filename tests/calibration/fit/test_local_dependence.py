"""Q3 and LD-X² of pairs."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import Curves, ItemParameters, Responses, calibrate
from calibration.fit import FitError, local_dependence
from tests.calibration.fit import simulated
from tests.calibration.fit.reference import reference


@pytest.mark.parametrize(
    "name", ["lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm", "science__PCM"]
)
def test_q3_equals_mirt(name: str) -> None:
    document, responses, items, scale = reference(name)
    found = local_dependence(responses, items, scale).q3
    off = ~np.eye(len(items), dtype=bool)
    assert found[off] == pytest.approx(np.array(document["Q3"])[off], abs=1e-6)
    assert np.isnan(np.diag(found)).all()


def test_ld_x2_is_pearsons_of_the_table_of_two_items() -> None:
    """Chen & Thissen (1997): observed against expected, N ∫ P P g, and the sign of the difference in association."""
    _, responses, items, scale = reference("science__graded")
    found = local_dependence(responses, items, scale)
    nodes = np.linspace(-8, 8, 801)
    prior = np.exp(-0.5 * nodes**2)
    prior /= prior.sum()
    curves = Curves.of(items)
    P = curves.probability(nodes)
    table = responses.dense().astype(int)
    for i, j in [(0, 1), (1, 3), (0, 3)]:
        own = [P[curves.start[k] : curves.start[k + 1]] for k in (i, j)]
        expected = len(table) * (own[0] * prior) @ own[1].T
        observed = np.zeros_like(expected)
        np.add.at(observed, (table[:, i], table[:, j]), 1)
        assert abs(found.ld_x2[i, j]) == pytest.approx(((observed - expected) ** 2 / expected).sum(), rel=1e-6)
        assert found.ld_df[i, j] == 9
        assert abs(found.ld_z[i, j]) == pytest.approx(abs(abs(found.ld_x2[i, j]) - 9) / np.sqrt(18), rel=1e-9)

        def covariance(cells: np.ndarray) -> float:
            k = np.arange(4)
            share = cells / cells.sum()
            return float(k @ share @ k - (k @ share.sum(axis=1)) * (share.sum(axis=0) @ k))

        assert np.sign(found.ld_x2[i, j]) == np.sign(covariance(observed) - covariance(expected))


def dependent(rng: np.random.Generator, N: int) -> tuple[list[ItemParameters], np.ndarray]:
    items = simulated.two_parameter_items(rng, 15)
    table = simulated.scores(rng, items, rng.normal(0, 1, N))
    copied = rng.random(N) < 0.5
    table[copied, 4] = table[copied, 3]
    return items, table


def test_a_copied_item_is_found_with_and_without_missing_data() -> None:
    rng = np.random.default_rng(21)
    items, table = dependent(rng, 3000)
    data = simulated.responses(table, items)
    whole = local_dependence(data, calibrate(data).items)
    assert [(row["first"], row["second"]) for row in whole.rows()] == [("Q4", "Q5")]
    table[rng.random(table.shape) < 0.3] = np.nan
    data = simulated.responses(table, items)
    gaps = local_dependence(data, calibrate(data).items)
    assert [(row["first"], row["second"]) for row in gaps.rows()] == [("Q4", "Q5")]
    had = ~np.isnan(table)
    assert gaps.n[3, 4] == (had[:, 3] & had[:, 4]).sum()
    assert len(gaps.rows(all_pairs=True)) == 15 * 14 / 2


def test_independent_items_have_the_mean_q3_that_theory_says_and_no_flags() -> None:
    """About -1 / (J - 1) (Yen, 1993)."""
    rng = np.random.default_rng(22)
    items = simulated.two_parameter_items(rng, 20)
    data = simulated.responses(simulated.scores(rng, items, rng.normal(0, 1, 4000)), items)
    found = local_dependence(data, items)
    assert found.mean_q3 == pytest.approx(-1 / 19, abs=0.015)
    assert found.rows() == []
    z = found.ld_z[np.triu_indices(20, 1)]
    assert np.abs(z).mean() < 2


def test_pairs_nobody_or_few_had_are_left_out_and_too_many_items_refused() -> None:
    rng = np.random.default_rng(23)
    items = simulated.two_parameter_items(rng, 6)
    table = simulated.scores(rng, items, rng.normal(0, 1, 200))
    table[:100, 3:] = np.nan
    table[100:, :3] = np.nan
    found = local_dependence(simulated.responses(table, items), items)
    assert np.isnan(found.q3[:3, 3:]).all()
    assert found.n[0, 5] == 0
    many = [ItemParameters(f"i{j}", "2PL", 1.0, (0.0,)) for j in range(3001)]
    with pytest.raises(FitError, match="6002 categories of 3001 items"):
        local_dependence(Responses.from_matrix(np.ones((1, 3001)), [item.id for item in many]), many)
