"""Equating tables against POLYEQUATE and Equating Recipes, enumeration, and linking again with everything moved."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from calibration import (
    Curves,
    ItemParameters,
    LinkError,
    Scale,
    ThetaWeights,
    link_scales,
    observed_score_equating,
    transform_items,
    true_score_equating,
)
from calibration.linking import bootstrap_errors, equipercentile, percentile_ranks
from calibration.linking.marks import marks_unit, sum_distribution, sum_score_likelihood
from calibration.linking.vectors import covariance_block, parameter_vector, square_root, with_parameters
from tests.calibration.linking import kolen_brennan as kb
from tests.calibration.linking.items import EVERY_MODEL, three_parameter_items, with_covariance


def test_true_scores_of_kolen_and_brennan() -> None:
    table = true_score_equating(kb.X, kb.Y, scale=kb.SCALE)
    np.testing.assert_array_equal(table.marks, np.arange(37))
    np.testing.assert_allclose(table.equivalent, kb.TRUE_SCORES, atol=2e-6)
    assert table.theta is not None
    np.testing.assert_allclose(table.theta[7:36], kb.THETA_7_TO_35, atol=1e-6)
    assert np.isnan(table.theta[[0, 6, 36]]).all()  # below the guessing of all items together, and full marks
    assert table.se is None


@pytest.mark.parametrize(
    ("new", "base", "expected"),
    [(kb.GPCM_X, kb.GPCM_Y, kb.GPCM_TRUE_SCORES), (kb.GRM_X, kb.GRM_Y, kb.GRM_TRUE_SCORES)],
    ids=["GPCM", "GRM"],
)
def test_true_scores_of_mixed_formats(
    new: list[ItemParameters], base: list[ItemParameters], expected: list[float]
) -> None:
    np.testing.assert_allclose(true_score_equating(new, base, scale=kb.SCALE).equivalent, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("new", "base", "populations", "expected"),
    [
        (kb.X_ROUNDED, kb.Y_ROUNDED, (kb.POPULATION_X, kb.POPULATION_Y), kb.OBSERVED_SCORES),
        (
            kb.OBSERVED_MIXED_X,
            kb.OBSERVED_MIXED_Y,
            (kb.MIXED_POPULATION_X, kb.MIXED_POPULATION_Y),
            kb.MIXED_OBSERVED_SCORES,
        ),
    ],
    ids=["3PL", "3PL and GRM"],
)
def test_observed_scores_of_equating_recipes(
    new: list[ItemParameters],
    base: list[ItemParameters],
    populations: tuple[tuple[list[float], list[float]], ...],
    expected: list[float],
) -> None:
    on_new, on_base = (ThetaWeights.given(*one) for one in populations)
    table = observed_score_equating(
        new, base, scale=kb.SCALE, new_population=on_new, base_population=on_base, new_weight=1.0
    )
    np.testing.assert_allclose(table.equivalent, expected, atol=6e-6)


def test_a_form_equated_to_itself_is_itself_whatever_scale_it_is_on() -> None:
    base = [item for item in EVERY_MODEL if item.id != "nrm"]
    new = transform_items(base, 0.8, 0.3)
    link = link_scales(new, base, new_scale=Scale("new", mean=0.3, sd=0.8))
    table = true_score_equating(new, base, link)
    assert table.marks[1] - table.marks[0] == 0.5
    np.testing.assert_allclose(table.equivalent, table.marks, atol=1e-5)
    observed = observed_score_equating(new, base, link)
    np.testing.assert_allclose(observed.equivalent, observed.marks, atol=1e-5)


def test_percentile_ranks_and_equivalents_by_hand() -> None:
    # Kolen & Brennan (2004), table 2.4: a four-item test
    f_X, f_Y = np.array([0.2, 0.3, 0.2, 0.2, 0.1]), np.array([0.1, 0.2, 0.2, 0.3, 0.2])
    np.testing.assert_allclose(percentile_ranks(f_X), [10, 35, 60, 80, 95])
    np.testing.assert_allclose(equipercentile(f_X, np.arange(5), f_Y), [0.5, 1.75, 2.8333333, 3.5, 4.25], atol=1e-7)
    halves = equipercentile(f_X, 0.5 * np.arange(5), f_Y)
    np.testing.assert_allclose(halves, [0.25, 0.875, 1.4166667, 1.75, 2.125], atol=1e-7)
    gap = np.array([0.5, 0.0, 0.5])  # nobody has the middle sum: its rank is that of the whole gap
    np.testing.assert_allclose(equipercentile(gap, np.arange(3), gap), [0, 1, 2])


def test_the_recursion_is_the_sum_over_all_patterns_of_marks() -> None:
    items = [
        ItemParameters("half", "3PL", a=1.0, b=(0.0,), c=0.2, marks=(0.0, 0.5)),
        ItemParameters("grm", "GRM", a=1.2, b=(-1.0, 0.5), marks=(0.0, 1.0, 1.5)),
        ItemParameters("gpcm", "GPCM", a=0.8, b=(0.3, -0.2), marks=(1.0, 2.0, 4.0)),
    ]
    assert marks_unit(items) == 0.5
    theta = np.array([-1.0, 0.4])
    curves = Curves.of(items)
    P = curves.probability(theta)
    scores, likelihood = sum_distribution(items, curves, theta)
    np.testing.assert_allclose(scores, np.arange(1.0, 6.01, 0.5))
    expected = np.zeros_like(likelihood)
    for pattern in product(*(range(item.categories) for item in items)):
        total = sum(item.category_marks[k] for item, k in zip(items, pattern, strict=True))
        expected[round((total - 1) / 0.5)] += np.prod([P[curves.start[j] + k] for j, k in enumerate(pattern)], axis=0)
    np.testing.assert_allclose(likelihood, expected, atol=1e-14)
    plain, again = sum_score_likelihood(P, curves.start, curves.marks)
    np.testing.assert_allclose((plain, again.sum(axis=0).tolist())[1], 1.0)


def test_errors_are_those_of_linking_and_equating_again() -> None:
    rng = np.random.default_rng(6)
    new = [with_covariance(item, rng) for item in three_parameter_items(5, rng)]
    new.append(with_covariance(ItemParameters("g", "GRM", a=1.1, b=(-0.5, 0.8), marks=(0.0, 0.5, 1.0)), rng))
    base = [with_covariance(item, rng) for item in transform_items(new, 1.1, 0.2)]
    base[4] = replace(base[4], id="own of base")

    def equivalents(ours: list[ItemParameters], theirs: list[ItemParameters]) -> np.ndarray:
        link = link_scales(ours, theirs, method="mean-sigma")
        return true_score_equating(ours, theirs, link).equivalent

    table = true_score_equating(new, base, link_scales(new, base, method="mean-sigma"))
    variance, h = np.zeros(len(table.marks)), 1e-5
    for which in (0, 1):
        for j, item in enumerate((new, base)[which]):
            block = covariance_block(item)
            assert block is not None
            columns = []
            for e in h * np.eye(len(block)):
                sides = []
                for sign in (1, -1):
                    forms = [list(new), list(base)]
                    forms[which][j] = with_parameters(item, parameter_vector(item) + sign * e)
                    sides.append(equivalents(*forms))
                columns.append((sides[0] - sides[1]) / (2 * h))
            variance += ((np.stack(columns, axis=1) @ square_root(block)) ** 2).sum(axis=1)
    assert table.se is not None
    np.testing.assert_allclose(table.se, np.sqrt(variance), rtol=1e-4, atol=1e-8)
    assert table.se[0] == table.se[-1] == 0


def test_a_bootstrap_of_true_scores_agrees() -> None:
    rng = np.random.default_rng(9)
    items = [with_covariance(item, rng, 0.05) for item in three_parameter_items(12, rng)]
    table = true_score_equating(items, [replace(item, n=1.0) for item in kept_apart(items)], scale=Scale())
    drawn = bootstrap_errors(
        items,
        kept_apart(items),
        lambda ours, theirs: true_score_equating(ours, theirs, scale=Scale()).equivalent,
        replications=100,
        seed=1,
    )
    assert table.se is not None
    middle = slice(4, 11)
    np.testing.assert_allclose(drawn[middle], table.se[middle], rtol=0.25)  # 100 draws: the error of an SD is 7 %


def kept_apart(items: list[ItemParameters]) -> list[ItemParameters]:
    """The same items under other ids: estimated apart, so that their errors do not cancel."""
    return [replace(item, id=f"{item.id}'") for item in items]


def test_what_cannot_be_equated_is_refused() -> None:
    falling = [ItemParameters("f", "2PL", a=-1.0, b=(0.0,))]
    rising = [ItemParameters("r", "2PL", a=1.0, b=(0.0,))]
    with pytest.raises(LinkError, match="new form do not increase"):
        true_score_equating(falling, rising)
    with pytest.raises(LinkError, match="base form do not increase"):
        true_score_equating(rising, falling)
    with pytest.raises(LinkError, match="within 0…1"):
        observed_score_equating(rising, rising, new_weight=2.0)
    with pytest.raises(LinkError, match="finer than thousandths"):
        true_score_equating([replace(rising[0], marks=(0.0, 0.12345))], rising)
    with pytest.raises(LinkError, match="no sums to equate"):
        true_score_equating([replace(rising[0], marks=(1.0, 1.0))], rising)


def test_the_table_as_csv() -> None:
    items = [ItemParameters("r", "2PL", a=1.0, b=(0.0,), marks=(0.0, 0.5)), ItemParameters("s", "2PL", a=1.0, b=(0.0,))]
    lines = true_score_equating(items, items).csv_text().splitlines()
    assert lines[0] == "marks,equivalent,theta"
    assert lines[1] == "0,0.000000,"
    assert lines[2].startswith("0.5,0.500000,-0.693147")  # 1.5 · logistic(theta) = 0.5
    assert lines[4] == "1.5,1.500000,"
