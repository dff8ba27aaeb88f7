"""Angoff, bookmark and group methods: hand computation, closed forms, bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

from calibration import Curves, ItemParameters, Scale
from calibration.classical.angoff import Ratings, StandardSettingError, angoff, read_ratings, variance_components
from calibration.classical.bookmark import bookmark_cut, borderline_cut, contrasting_cut, ordered_booklet

TABLE = np.array([[0.6, 0.8, 0.5, 0.7], [0.7, 0.9, 0.4, 0.6], [0.5, 0.8, 0.6, 0.8]])
RATINGS = Ratings(("1",), ("x", "y", "z"), ("a", "b", "c", "d"), TABLE[None])


def test_the_cut_is_the_mean_of_the_ratings() -> None:
    result = angoff(RATINGS)[0]
    assert result.cut == pytest.approx(TABLE.mean())
    assert result.marks == pytest.approx(TABLE.mean(axis=0).sum())
    assert result.total_marks == 4
    judges = TABLE.mean(axis=1)
    assert result.se_judges == pytest.approx(judges.std(ddof=1) / 3**0.5)
    assert [j.cut for j in result.judges] == pytest.approx(judges.tolist())
    others = TABLE[1:].mean(axis=0)
    assert result.judges[0].agreement == pytest.approx(np.corrcoef(TABLE[0], others)[0, 1])
    assert result.judges[0].distance == pytest.approx(np.sqrt(np.mean((TABLE[0] - others) ** 2)))


def test_variance_components_by_hand() -> None:
    # Two judges, two items: 1 3 / 2 6. Mean 3; judges 2, 4; items 1.5, 4.5; MS_judge = 2·2 = 4; MS_item = 2·4.5 = 9;
    # residuals ±0.5, MS = 1. Judge (4 - 1) / 2, item (9 - 1) / 2.
    assert variance_components(np.array([[1.0, 3.0], [2.0, 6.0]])) == pytest.approx((1.5, 4.0, 1.0))


def test_standard_errors_are_those_of_generalizability_theory() -> None:
    judge, item, residual = variance_components(TABLE)
    result = angoff(RATINGS)[0]
    assert result.se**2 == pytest.approx(judge / 3 + item / 4 + residual / 12)
    rng = np.random.default_rng(1)
    cuts, inside = [], []
    for _ in range(1500):  # judges, items and residuals drawn anew each time
        table = 0.6 + rng.normal(0, 0.06, (8, 1)) + rng.normal(0, 0.1, (1, 30)) + rng.normal(0, 0.08, (8, 30))
        drawn = angoff(Ratings(("1",), tuple("abcdefgh"), tuple(map(str, range(30))), table[None]))[0]
        cuts.append(drawn.cut)
        inside.append(drawn.se**2)
    assert np.var(cuts) == pytest.approx(np.mean(inside), rel=0.1)


def test_marks_weigh_the_items() -> None:
    marks = {"a": 1.0, "b": 2.0, "c": 5.0, "d": 2.0}
    result = angoff(RATINGS, marks=marks)[0]
    worth = np.array([1, 2, 5, 2.0])
    assert result.marks == pytest.approx(float((TABLE @ worth).mean()))
    assert result.cut == pytest.approx(result.marks / 10)
    with pytest.raises(StandardSettingError, match="item d has no marks"):
        angoff(RATINGS, marks={"a": 1, "b": 1, "c": 1})


def test_reality_data_are_held_against_each_judge() -> None:
    p = {"a": 0.6, "b": 0.9, "c": 0.3, "d": 0.7}
    judge = angoff(RATINGS, reality=p)[0].judges[1]
    assert judge.reality_correlation == pytest.approx(np.corrcoef(TABLE[1], list(p.values()))[0, 1])
    assert judge.reality_gap == pytest.approx((TABLE[1] - list(p.values())).mean())
    assert np.isnan(angoff(RATINGS)[0].judges[1].reality_gap)


def test_rounds_wide_and_long_say_the_same(tmp_path: Path) -> None:
    wide, long = tmp_path / "wide.csv", tmp_path / "long.csv"
    wide.write_text("judge,round,a,b\nx,1,50,70\ny,1,60,80\nx,2,55,75\ny,2,55,80\n", "utf-8")
    rows = ["judge,item,rating,round"]
    for line in wide.read_text("utf-8").splitlines()[1:]:
        judge, round_, a, b = line.split(",")
        rows += [f"{judge},a,{float(a) / 100},{round_}", f"{judge},b,{float(b) / 100},{round_}"]
    long.write_text("\n".join(rows), "utf-8")
    one, other = read_ratings(wide, percent=True), read_ratings(long)
    np.testing.assert_allclose(one.table, other.table)
    assert (one.rounds, one.judges, one.items) == (("1", "2"), ("x", "y"), ("a", "b"))
    first, second = angoff(one)
    assert (first.cut, second.cut) == pytest.approx((0.65, 0.6625))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("judge,item,rating\nx,a,0.5\nx,a,0.6\n", "row 3: judge x, item a is rated twice"),
        ("judge,a,b\nx,0.5,70\n", r"row 2, item b: '70'; expected a rating from 0 to 1; for percentages"),
        ("judge,item,rating\nx,a,0.5\ny,b,0.5\n", "judge x has no rating of item b in round 1"),
        ("name,a\nx,0.5\n", "row 1: no column judge"),
        ("judge,a\nx\n", "row 2: not as many cells"),
        ("judge,a\n", "a header and at least one row"),
        ("judge,a\nx,\n", "row 2, item a: ''"),
    ],
)
def test_bad_ratings_are_refused_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(StandardSettingError, match=message):
        read_ratings(path)


def test_one_judge_is_no_study() -> None:
    with pytest.raises(StandardSettingError, match="two judges and two items"):
        angoff(Ratings(("1",), ("x",), ("a", "b"), np.full((1, 1, 2), 0.5)))


# Bookmark

ITEMS = [
    ItemParameters("easy", "2PL", 1.0, (-1.0,)),
    ItemParameters("steep", "2PL", 2.0, (0.0,)),
    ItemParameters("guess", "3PL", 1.0, (0.5,), c=0.2),
    ItemParameters("task", "PCM", b=(-0.5, 0.7)),
]


def test_places_in_the_booklet_are_where_the_probability_is_reached() -> None:
    scale = Scale(D=1.7)
    booklet = ordered_booklet(ITEMS, scale)
    by_item = {(p.item, p.score): p.theta for p in booklet}
    logit = np.log(2)  # of 2/3
    assert by_item["easy", 1] == pytest.approx(-1 + logit / 1.7)
    assert by_item["steep", 1] == pytest.approx(logit / 3.4)
    odds = (2 / 3 - 0.2) / (1 - 2 / 3)
    assert by_item["guess", 1] == pytest.approx(0.5 + np.log(odds) / 1.7)
    curves = Curves.of(ITEMS, scale)
    for score in (1, 2):
        P = curves.probability(by_item["task", score])[curves.start[3] :, 0]
        assert P[score:].sum() == pytest.approx(2 / 3)
    assert [p.page for p in booklet] == [1, 2, 3, 4, 5]
    assert [p.theta for p in booklet] == sorted(p.theta for p in booklet)


def test_at_one_half_items_stand_at_their_difficulty() -> None:
    by_item = {p.item: p.theta for p in ordered_booklet(ITEMS[:2], response_probability=0.5)}
    assert by_item == pytest.approx({"easy": -1.0, "steep": 0.0})


def test_the_cut_is_the_page_before_the_bookmark() -> None:
    booklet = ordered_booklet(ITEMS)
    cut = bookmark_cut(booklet, {"x": 3, "y": 4, "z": 6}, ITEMS)
    thetas = [booklet[1].theta, booklet[2].theta, booklet[4].theta]
    assert cut.theta == pytest.approx(np.median(thetas))
    assert cut.se == pytest.approx(1.2533 * np.std(thetas, ddof=1) / 3**0.5)
    assert cut.marks == pytest.approx(Curves.of(ITEMS).expected_marks(cut.theta).sum())
    assert (cut.total_marks, cut.share) == (5, pytest.approx(cut.marks / 5))
    mean = bookmark_cut(booklet, {"x": 3, "y": 4, "z": 6}, ITEMS, statistic="mean")
    assert mean.theta == pytest.approx(np.mean(thetas))


@pytest.mark.parametrize(
    ("items", "rp", "message"),
    [
        (
            [ItemParameters("g", "3PL", 1.0, (0.0,), c=0.7)],
            0.67,
            "item g, score 1: a response probability of 0.67 is reached",
        ),
        ([ItemParameters("g", "4PL", 1.0, (0.0,), d=0.6)], 0.67, "is never reached"),
        ([ItemParameters("n", "NRM", slopes=(0, 1.0), intercepts=(0, 0.0))], 0.67, "no order of scores"),
        ([ITEMS[0]], 1.0, "between 0 and 1"),
    ],
)
def test_items_without_a_place_are_refused(items: list[ItemParameters], rp: float, message: str) -> None:
    with pytest.raises(StandardSettingError, match=message):
        ordered_booklet(items, response_probability=rp)


def test_pages_that_cannot_be_are_refused() -> None:
    booklet = ordered_booklet(ITEMS)
    with pytest.raises(StandardSettingError, match="judge x: page 1; expected 2 to 6"):
        bookmark_cut(booklet, {"x": 1}, ITEMS)
    with pytest.raises(StandardSettingError, match="no bookmarks"):
        bookmark_cut(booklet, {}, ITEMS)


# Groups of candidates


def test_borderline_candidates_give_their_median() -> None:
    assert borderline_cut([55, 60, 58, 63, 71])[0] == 60


def test_contrasting_groups_meet_where_the_logistic_curve_is_one_half() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(60, 10, 300)
    qualified = rng.random(300) < 1 / (1 + np.exp(-(scores - 62) / 4))
    cut, se = contrasting_cut(scores.tolist(), qualified.tolist())

    def minus(ab: np.ndarray) -> float:  # type: ignore[type-arg]
        z = ab[0] + ab[1] * (scores - 60) / 10
        return float(np.sum(np.logaddexp(0, z) - qualified * z))

    best = optimize.minimize(minus, np.zeros(2)).x
    assert cut == pytest.approx(60 - 10 * best[0] / best[1], abs=1e-3)
    assert abs(cut - 62) < 3 * se
    assert 0.3 < se < 1.5


def test_contrasting_groups_that_do_not_meet_are_refused() -> None:
    with pytest.raises(StandardSettingError, match="separate the two groups"):
        contrasting_cut([1, 2, 3, 4], [False, False, True, True])
    with pytest.raises(StandardSettingError, match="do not score higher"):
        contrasting_cut([1, 2, 3, 4, 2, 3], [True, True, False, False, False, True])
    with pytest.raises(StandardSettingError, match="both qualified and unqualified"):
        contrasting_cut([1, 2], [True, True])
