"""Classical statistics, computed by hand, by numpy, and as properties."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration import (
    ItemStatistics,
    Responses,
    block_stream,
    item_statistics,
    read_responses,
    reliability,
    streamed_statistics,
)
from tests.calibration import lsat
from tests.calibration.simulated import two_parameter_scores

NAN = np.nan


def options_read(chosen: list[list[str]], key: list[str], folder: Path) -> tuple[ItemStatistics, ...]:
    names = [f"Q{j + 1}" for j in range(len(key))]
    path = folder / "options.csv"
    path.write_text("\n".join(",".join(row) for row in [["form", *names], *(["F", *row] for row in chosen)]), "utf-8")
    return item_statistics(read_responses(path, key=dict(zip(names, key, strict=True))))


def test_a_small_table_by_hand() -> None:
    # Item 1: scores 1 1 1 0 0, rest 2 1 0 1 0. Σ(u - 0.6)(r - 0.8) = 3 - 5·0.48 = 0.6; Σ(u - 0.6)² = 1.2;
    # Σ(r - 0.8)² = 6 - 5·0.64 = 2.8; so r = 0.6 / √3.36.
    table = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]], float)
    first, _, third = item_statistics(Responses.from_matrix(table, items=["a", "b", "c"]))
    assert (first.item, first.n, first.p_value, first.effective_n) == ("a", 5, 0.6, 5)
    assert first.point_biserial == pytest.approx(0.6 / 3.36**0.5, abs=1e-12)
    # Item 3: scores 1 0 0 0 0, rest 2 2 1 1 0: 2 - 5·0.2·1.2 = 0.8; 0.8; 10 - 5·1.44 = 2.8.
    assert third.point_biserial == pytest.approx(0.8 / (0.8 * 2.8) ** 0.5, abs=1e-12)


def test_on_complete_data_it_is_numpys_correlation_with_the_rest_score() -> None:
    rng = np.random.default_rng(3)
    table = two_parameter_scores(rng, rng.standard_normal(300), np.full(12, 1.2), np.linspace(-2, 2, 12))
    for j, statistics in enumerate(item_statistics(Responses.from_matrix(table))):
        rest = table.sum(axis=1) - table[:, j]
        assert statistics.point_biserial == pytest.approx(np.corrcoef(table[:, j], rest)[0, 1], abs=1e-12)
        assert statistics.p_value == pytest.approx(table[:, j].mean(), abs=1e-12)


def test_partial_credit_counts_as_a_share_of_the_highest_score() -> None:
    statistics = item_statistics(Responses.from_matrix(np.array([[0, 1], [1, 0], [2, 1], [2, 1]], float)))
    assert [s.p_value for s in statistics] == [5 / 8, 3 / 4]


def test_forms_of_different_difficulty_are_pooled_within() -> None:
    # Items 2-4 are easy, 5-7 hard; the abler group sat the hard form. Across the forms the common item 1 would seem to
    # go with low totals; within each it goes with high ones.
    easy = [[0, 1, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    hard = [[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    table = np.full((8, 7), NAN)
    table[:4, :4] = easy
    table[4:, [0, 4, 5, 6]] = hard
    common = item_statistics(Responses.from_matrix(table))[0]
    # Rest scores 2 3 3 3 and 0 0 1 1, item 0 0 1 1 and 1 0 1 1, each about its own mean.
    u = np.array([-0.5, -0.5, 0.5, 0.5, 0.25, -0.75, 0.25, 0.25])
    rest = np.array([-0.75, 0.25, 0.25, 0.25, -0.5, -0.5, 0.5, 0.5])
    assert common.point_biserial == pytest.approx(u @ rest / np.sqrt((u @ u) * (rest @ rest)), abs=1e-12)
    assert (common.n, common.effective_n) == (8, 7)
    naive = np.corrcoef([0, 0, 1, 1, 1, 0, 1, 1], [2, 3, 3, 3, 0, 0, 1, 1])[0, 1]
    assert naive < 0 < common.point_biserial


def test_weights_count_as_that_many_persons() -> None:
    weighted = lsat.responses(lsat.LSAT7)
    repeated = Responses.from_matrix(np.repeat(weighted.dense(), weighted.weight.astype(int), axis=0))
    for one, other in zip(item_statistics(weighted), item_statistics(repeated), strict=True):
        assert one.n == other.n == 1000
        assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
        assert one.point_biserial == pytest.approx(other.point_biserial, abs=1e-12)
    assert item_statistics(weighted)[0].p_value == pytest.approx(0.828)  # Bock & Lieberman (1970): 828 of 1000


def test_a_person_whose_items_nobody_else_had_counts_in_n_and_p_but_not_in_the_correlation() -> None:
    table = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 1], [0, 1, NAN]], float)
    first = item_statistics(Responses.from_matrix(table))[0]
    without = item_statistics(Responses.from_matrix(table[:3]))[0]
    assert (first.n, first.p_value, first.effective_n) == (4, 0.5, 3)
    assert first.point_biserial == without.point_biserial


def test_where_no_two_persons_share_their_items_there_is_no_correlation_but_a_p_value() -> None:
    table = np.array([[1, 0, NAN], [0, NAN, 1], [NAN, 1, 1]])
    statistics = item_statistics(Responses.from_matrix(table))
    assert [s.p_value for s in statistics] == [0.5, 0.5, 1.0]
    assert all(np.isnan(s.point_biserial) and s.effective_n == 1 for s in statistics)


def test_an_item_without_variance_has_no_correlation() -> None:
    statistics = item_statistics(Responses.from_matrix(np.array([[1, 1, 0], [1, 0, 1], [1, 1, 1]], float)))
    assert np.isnan(statistics[0].point_biserial)
    assert statistics[0].p_value == 1.0


def test_not_reached_is_ignored_and_omitted_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("form,Q1,Q2\nF,1,@NR\nF,1,0\nF,0,1\nF,,1\n", "utf-8")
    first, second = item_statistics(read_responses(path))
    assert (first.n, first.p_value, first.omitted) == (4, 0.5, 1)
    assert (second.n, second.p_value, second.omitted) == (3, pytest.approx(2 / 3), 0)


# Options


def test_the_keys_own_correlation_is_the_items(tmp_path: Path) -> None:
    chosen = [["A", "B", "C"], ["A", "B", "B"], ["C", "B", "A"], ["B", "A", "A"], ["A", "A", "C"], ["A", "", "C"]]
    for statistics in options_read(chosen, ["A", "B", "C"], tmp_path):
        key = next(option for option in statistics.options if option.is_key)
        assert key.correlation == pytest.approx(statistics.point_biserial, abs=1e-12)
        assert key.correlation_with_key == pytest.approx(1.0)
        assert key.share == pytest.approx(statistics.p_value)


def test_options_are_counted_and_an_omission_is_none_of_them(tmp_path: Path) -> None:
    statistics = options_read([["A", "B"], ["C", "B"], ["", "A"], ["A", "A"]], ["A", "B"], tmp_path)[0]
    assert [(o.option, o.n, o.share, o.is_key) for o in statistics.options] == [
        ("A", 2, 0.5, True),
        ("C", 1, 0.25, False),
    ]
    assert statistics.omitted == 1


@given(arrays(np.int8, st.tuples(st.integers(6, 20), st.just(3)), elements=st.integers(0, 3)))
def test_options_share_out_the_persons_and_their_covariances_cancel(
    tmp_path_factory: pytest.TempPathFactory, codes: np.ndarray
) -> None:
    # Σ over options of an indicator is 1 for everybody, so Σ r(option, rest) · sd(option) = 0.
    chosen = [["ABCD"[code] for code in row] for row in codes]
    for statistics in options_read(chosen, ["A", "B", "C"], tmp_path_factory.mktemp("o")):
        assert sum(option.share for option in statistics.options) == pytest.approx(1.0)
        terms = [option.correlation * (option.share * (1 - option.share)) ** 0.5 for option in statistics.options]
        if np.isfinite(terms).all():  # not where the other items are the same for everybody
            assert sum(terms) == pytest.approx(0.0, abs=1e-9)


def test_an_options_correlation_is_numpys_with_the_rest_score() -> None:
    rng = np.random.default_rng(8)
    table = two_parameter_scores(rng, rng.standard_normal(200), np.ones(6), np.linspace(-1, 1, 6))
    scored = Responses.from_matrix(table)
    wrong = rng.integers(1, 3, table.size)
    code = np.where(table.ravel() == 1, 0, wrong).astype(np.int16)
    responses = dataclasses.replace(scored, option=code, options=("A", "B", "C"), key=dict.fromkeys(scored.items, "A"))
    for j, statistics in enumerate(item_statistics(responses)):
        rest, right = table.sum(axis=1) - table[:, j], table[:, j]
        for k, option in enumerate(statistics.options):
            drew = code.reshape(table.shape)[:, j] == k
            assert option.correlation == pytest.approx(np.corrcoef(drew, rest)[0, 1], abs=1e-12)
            assert option.correlation_with_key == pytest.approx(np.corrcoef(drew, right)[0, 1], abs=1e-12)


def test_marks_that_nobody_missed_count() -> None:
    """Where nobody has less than 3 of 5 marks, the mean is of the marks and not of what is left of them."""
    table = np.array([[3.0, 1], [4, 0], [5, 1], [4, 0]])
    found = item_statistics(Responses.from_matrix(table))[0]
    assert (found.mean, found.top, found.p_value) == (4.0, 5, 0.8)
    assert reliability(Responses.from_matrix(table)).mean == pytest.approx(4.5)
    streamed = streamed_statistics(block_stream([Responses.from_matrix(table)]))[0]
    assert (streamed.p_value, streamed.n) == (pytest.approx(0.8), 4)
