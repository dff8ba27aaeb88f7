"""Parameters remember which score is which category, whatever scores later data happen to hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from calibration import (
    CalibrationError,
    ItemParameters,
    Responses,
    ResponsesError,
    calibrate,
    person_fit,
    read_parameters,
    read_responses,
    score_responses,
)
from calibration.exchange.csv_table import items_from_csv, parameters_csv
from calibration.exchange.usage import items_from_usage, usage_statistics
from calibration.recoding import in_categories_of
from tests.calibration.scoring.forms import drawn

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["q1", "q2", "q3", "q4", "q5"]


def ratings(N: int, seed: int = 3) -> NDArray[np.float64]:
    """Marks 1 to 4 on five items."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 1, N)
    items = [
        ItemParameters(name, "GRM", 1.5, (b - 1, b, b + 1))
        for name, b in zip(NAMES, (-1, -0.5, 0, 0.5, 1), strict=True)
    ]
    return drawn(items, theta, seed) + 1


def test_a_calibration_says_which_scores_its_categories_are(tmp_path: Path) -> None:
    table = ratings(800)
    table[table[:, 4] == 2, 4] = 3  # nobody has 2 on the last item
    result = calibrate(Responses.from_matrix(table, NAMES), model="GRM")
    assert [item.scores for item in result.items] == [(1, 2, 3, 4)] * 4 + [(1, 3, 4)]
    assert result.items[4].marks == (0, 2, 3)
    assert result.shift == dict.fromkeys(NAMES, 1)
    result.save(tmp_path / "params.json")
    assert read_parameters(tmp_path / "params.json")[1] == result.items
    # and without the shift, the same curves
    again = calibrate(Responses.from_matrix(table - 1, NAMES), model="GRM")
    assert again.items[4].scores == (0, 2, 3)
    assert again.items[0].scores == ()
    assert [item.b for item in again.items] == [item.b for item in result.items]


def test_persons_are_scored_alike_whatever_the_others_scored(tmp_path: Path) -> None:
    """Without those who have the lowest mark, reading a file takes more from the scores: not from the persons."""
    table = ratings(600)
    items = calibrate(Responses.from_matrix(table, NAMES), model="GRM").items
    able = (table > 1).all(axis=1)
    assert 20 < able.sum() < 580
    part = Responses.from_matrix(table[able], NAMES)
    assert set(part.shift.values()) == {2}
    whole = Responses.from_matrix(table, NAMES)
    for method in ("eap", "wle", "eapsum"):
        expected = score_responses(whole, items, method=method).theta[able]
        np.testing.assert_allclose(score_responses(part, items, method=method).theta, expected, atol=1e-6)
    np.testing.assert_allclose(person_fit(part, items).lz_star, person_fit(whole, items).lz_star[able], atol=1e-9)
    path = tmp_path / "able.csv"
    path.write_text(
        ",".join(NAMES) + "\n" + "".join(",".join(f"{x:.0f}" for x in row) + "\n" for row in table[able]), "utf-8"
    )
    expected = score_responses(whole, items).theta[able]
    np.testing.assert_allclose(score_responses(read_responses(path), items).theta, expected, atol=1e-6)


def test_anchors_keep_their_categories() -> None:
    """Anchored and free items of able persons: the anchors' lowest mark is not in the data."""
    first = calibrate(Responses.from_matrix(ratings(1500), NAMES), model="GRM")
    table = ratings(1500, seed=4)
    able = (table > 1).all(axis=1)
    fixed = calibrate(Responses.from_matrix(table[able], NAMES), model="GRM", anchors=first.items[:4])
    assert fixed.items[:4] == first.items[:4]
    by_hand = Responses.from_matrix(table[able], NAMES)
    by_hand = replace(by_hand, score=(by_hand.score + np.where(by_hand.item < 4, 1, 0)).astype(np.int16), shift={})
    plain = [replace(item, scores=()) for item in first.items[:4]]
    expected = calibrate(by_hand, model="GRM", anchors=plain)
    assert fixed.log_likelihood == pytest.approx(expected.log_likelihood, abs=1e-6)
    assert fixed.items[4].b == pytest.approx(expected.items[4].b, abs=1e-6)
    assert fixed.groups[0].mean.value == pytest.approx(expected.groups[0].mean.value, abs=1e-6)
    too_high = Responses.from_matrix(np.where(table == 4, 5, table), NAMES)
    with pytest.raises(
        (ResponsesError, CalibrationError), match="q1: score 5, but its parameters know the scores 1, 2"
    ):
        calibrate(too_high, model="GRM", anchors=first.items[:4])


def test_a_score_between_the_categories_is_refused() -> None:
    items = [ItemParameters("q1", "GRM", 1.0, (-1.0, 1.0), scores=(0, 2, 3)), ItemParameters("q2", b=(0.0,))]
    fine = Responses.from_matrix(np.array([[3.0, 1], [2, 0], [0, 1]]), ["q1", "q2"])
    assert in_categories_of(items, fine).dense().tolist() == [[2, 1], [1, 0], [0, 1]]
    with pytest.raises(ResponsesError, match="person 2, item q1: score 1, but its parameters know the scores 0, 2, 3"):
        in_categories_of(items, Responses.from_matrix(np.array([[3.0, 1], [1, 0], [0, 1]]), ["q1", "q2"]))


def test_omissions_are_the_lowest_category_and_items_without_parameters_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("person,form,q1,zz\na,A,3,4\nb,A,,3\nc,A,@NR,5\n", "utf-8")
    items = [ItemParameters("q1", "GRM", 1.0, (-1.0, 1.0), scores=(1, 2, 3))]
    found = in_categories_of(items, read_responses(path))
    assert found.score[found.item == 0].tolist() == [2, 0, 0]
    assert found.score[found.item == 1].tolist() == [1, 0, 2]
    assert found.shift == {"zz": 3}


@pytest.mark.parametrize("scores", [(), (1, 2, 4)])
def test_scores_survive_files(scores: tuple[int, ...]) -> None:
    item = ItemParameters("q", "GRM", 1.0, (-1.0, 1.0), scores=scores)
    assert items_from_csv(parameters_csv([item]), "x")[0] == (item,)
    rows: Any = usage_statistics([item])
    assert items_from_usage(rows, "x")[0] == (item,)


def test_an_anchor_keeps_its_categories_where_nobody_has_the_lowest_or_a_middle_score() -> None:
    bank = calibrate(Responses.from_matrix(ratings(900) - 1, NAMES), model="GRM")
    table = ratings(600, seed=4) - 1
    table = table[(table[:, 1] > 0) & (table[:, 2] != 1)]
    data = Responses.from_matrix(table, [*NAMES[:4], "new"])
    result = calibrate(data, model="GRM", anchors=bank.items[:4], scale=bank.scale)
    np.testing.assert_array_equal(
        result.score(method="wle").theta, score_responses(data, result.items, result.scale, method="wle").theta
    )
    outfit = [one.outfit for one in result.fit_items()]
    assert max(outfit) < 1.3


def test_an_anchor_that_everybody_got_right_says_how_able_they_are() -> None:
    bank = calibrate(Responses.from_matrix((ratings(900) > 2).astype(float), NAMES), model="2PL")
    table = (ratings(300, seed=4) > 2).astype(float)
    table = table[table[:, 0] == 1]
    table[:, 1] = 1
    data = Responses.from_matrix(table, [*NAMES[:4], "new"])
    result = calibrate(data, anchors=bank.items[:4], scale=bank.scale)
    assert result.excluded == {}
    assert result.items[0] == bank.items[0]
    without = calibrate(
        Responses.from_matrix(table[:, 2:], [*NAMES[2:4], "new"]), anchors=bank.items[2:4], scale=bank.scale
    )
    assert result.groups[0].mean.value > without.groups[0].mean.value + 0.1
    assert len(result.fit_items()) == 5
    assert np.isfinite(result.score().theta).all()
