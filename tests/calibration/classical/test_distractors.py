"""Options by ability, idle distractors and double keys, on planted responses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from calibration import Responses, ResponsesError, item_statistics
from calibration.classical import statistics_by_form
from calibration.classical.distractors import distractor_flags, option_curves
from tests.calibration.simulated import two_parameter_scores


def planted(seed: int = 1, N: int = 600) -> Responses:
    """Key A. In item 1 the able choose B when they miss A; in item 2 hardly anybody chooses D; the rest is chance."""
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal(N)
    table = two_parameter_scores(rng, theta, np.full(20, 1.3), np.linspace(-1, 1.2, 20))
    wrong = rng.integers(1, 4, table.shape)
    wrong[:, 0] = np.where(theta + rng.normal(0, 0.3, N) > 0, 1, 2)
    wrong[:, 1] = np.where(rng.random(N) < 0.02, 3, 1 + (wrong[:, 1] == 2))
    table[:, 0] *= rng.random(N) < 0.6  # so that many of the able miss it
    code = np.where(table == 1, 0, wrong).ravel().astype(np.int16)
    scored = Responses.from_matrix(table)
    return dataclasses.replace(scored, option=code, options=("A", "B", "C", "D"), key=dict.fromkeys(scored.items, "A"))


def test_a_second_right_answer_and_an_idle_option_are_flagged_and_nothing_else() -> None:
    flags = distractor_flags(item_statistics(planted()))
    assert [(f.item, f.code) for f in flags] == [("item1", "double-key"), ("item2", "idle-option")]
    assert flags[0].message.startswith("option B draws the able as the key does (r = 0.")
    assert "of 600 persons hardly anybody chose D (" in flags[1].message


def test_chance_distractors_are_left_in_peace() -> None:
    for seed in range(10, 15):
        data = planted(seed)
        codes = {(f.item, f.code) for f in distractor_flags(item_statistics(data))}
        assert {item for item, code in codes if code == "double-key"} <= {"item1"}


def test_combinations_of_options_are_not_idle() -> None:
    data = dataclasses.replace(planted(), options=("A", "B", "C", "AB"))
    assert "idle-option" not in {f.code for f in distractor_flags(item_statistics(data))}


def test_curves_are_the_shares_of_each_fifth() -> None:
    data = planted()
    curves = option_curves(data, "item3")
    table = data.dense()
    rest = table.sum(axis=1) - table[:, 2]
    assert data.option is not None
    code = data.option.reshape(table.shape)[:, 2]
    assert curves.options == ("A", "B", "C", "D")
    assert sum(curves.n) == 600
    assert np.abs(np.array(curves.n) - 120).max() <= 60  # equal scores stay together
    cuts = np.cumsum(curves.n[:-1])
    lowest = np.argsort(rest, kind="stable")[: int(cuts[0])]
    assert curves.shares[0][0] == pytest.approx(np.mean(code[lowest] == 0))
    assert curves.rest_share[0] == pytest.approx(rest[lowest].mean() / 19)
    np.testing.assert_allclose(np.sum(curves.shares, axis=0), 1)
    assert curves.chosen == tuple(np.bincount(code, minlength=4))
    assert curves.shares[0][4] > curves.shares[0][0]  # the key draws the able


def test_silence_is_an_option_of_its_own() -> None:
    data = planted()
    assert data.option is not None
    option = data.option.copy()
    option[2] = -1  # person 1, item 3
    curves = option_curves(dataclasses.replace(data, option=option), "item3", groups=2)
    assert curves.options[-1] == ""
    assert curves.chosen[-1] == 1


def test_curves_need_options_and_the_item() -> None:
    with pytest.raises(ResponsesError, match="hold scores, not the options chosen"):
        option_curves(Responses.from_matrix(np.ones((2, 2))), "item1")
    with pytest.raises(ResponsesError, match="'zz' is not in the responses"):
        option_curves(planted(), "zz")


def test_statistics_of_a_form_are_those_of_its_persons_alone() -> None:
    rng = np.random.default_rng(2)
    table = two_parameter_scores(rng, rng.standard_normal(60), np.ones(6), np.zeros(6))
    table[:30, 4:], table[30:, :2] = np.nan, np.nan
    forms = statistics_by_form(Responses.from_matrix(table))
    first = next(stats for stats in forms.values() if stats[0].item == "item1")
    assert [s.item for s in first] == ["item1", "item2", "item3", "item4"]
    alone = item_statistics(Responses.from_matrix(table[:30, :4]))
    assert [s.point_biserial for s in first] == pytest.approx([s.point_biserial for s in alone])
    assert [s.mean for s in first] == pytest.approx(table[:30, :4].mean(axis=0).tolist())
    assert [s.sd for s in first] == pytest.approx(table[:30, :4].std(axis=0, ddof=1).tolist())
