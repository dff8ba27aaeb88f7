"""What the charts are made of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from calibration import ItemParameters, Responses, Scale, calibrate
from calibration.fit.persons import expected_counts, fitted
from calibration.own_data import averaged_over_set
from calibration.report.curves import characteristic_curve
from calibration.report.drawing import Frame, ticks
from calibration.report.fit import surely_dependent
from calibration.report.flags import TEXTS
from calibration.report.observed import Observed, observed_shares
from calibration.set_information import information_of
from tests.calibration import lsat

ITEM = ItemParameters("X", "2PL", a=1.0, b=(0.0,))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(2, 12))
def test_ticks_are_round_evenly_apart_and_within(low: float, width: float, most: int) -> None:
    found = ticks(low, low + width, most)
    assert len(found) <= most + 1
    assert all(low - 1e-6 * width <= tick <= low + width + 1e-6 * width for tick in found)
    if len(found) > 1:
        steps = np.diff(found)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
        mantissa = steps[0] / 10 ** np.floor(np.log10(steps[0]) + 1e-9)
        assert min(abs(mantissa - round_) for round_ in (1, 2, 2.5, 5, 10)) < 1e-6


def test_a_curve_passes_one_half_at_its_difficulty() -> None:
    seen = Observed(np.array([0.0]), np.array([20.0]), np.array([[0.5], [0.5]]))
    drawing = etree.fromstring(characteristic_curve(ITEM, seen, (-4.0, 4.0), Scale()))
    line, dots = drawing.findall("path")
    assert "66 23" in line.get("d")  # theta = 0 is the middle of 132, P = 0.5 the middle of 46
    assert dots.get("d") == "M66 23h0"


def test_values_beyond_a_chart_stand_at_its_edge() -> None:
    frame = Frame((0, 1), (0, 1), 100, 100, left=10, right=10, top=10, bottom=10)
    assert frame.across([-5, 0.5, 5]).tolist() == [10, 50, 90]
    assert frame.down([-5, 0.5, 5]).tolist() == [90, 50, 10]
    assert frame.path([0, 0.5, 1], [0, np.nan, 1]) == "M10 90M90 10"


def test_wilsons_interval() -> None:
    """Newcombe (1998), table I: 81 of 263, 95 %: 0.2553 to 0.3662; 15 of 148: 0.0624 to 0.1605."""
    for right, n, limits in ((81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605))):
        p = right / n
        seen = Observed(np.zeros(1), np.array([float(n)]), np.array([[1 - p], [p]]))
        low, high = seen.interval()
        np.testing.assert_allclose((low[0], high[0]), limits, atol=6e-5)


def test_observed_points_lie_on_the_curves_of_a_true_model_even_of_a_short_test() -> None:
    """Where points by estimated ability would not: of five items an estimate is pulled far to the middle."""
    rng = np.random.default_rng(3)
    theta = rng.normal(size=40_000)
    items = [ItemParameters(f"I{j}", "2PL", a=1.2, b=(b,)) for j, b in enumerate((-1, -0.5, 0, 0.5, 1))]
    P = np.stack([1 / (1 + np.exp(-1.2 * (theta - item.b[0]))) for item in items], axis=1)
    responses = Responses.from_matrix((rng.random(P.shape) < P).astype(float), [item.id for item in items])
    data = fitted(responses, items, Scale())
    found = observed_shares(data, expected_counts(data)[0], [item.id for item in items])
    for item in items:
        seen = found[item.id]
        assert len(seen.theta) == 8
        np.testing.assert_allclose(seen.n.sum(), 40_000)
        np.testing.assert_allclose(seen.share.sum(axis=0), 1)
        np.testing.assert_allclose(seen.score, 1 / (1 + np.exp(-1.2 * (seen.theta - item.b[0]))), atol=0.02)


def test_observed_shares_weigh_persons() -> None:
    weighted = lsat.responses(lsat.LSAT7)
    repeated = Responses.from_matrix(
        np.repeat(weighted.dense(), weighted.weight.astype(int), axis=0), list(weighted.items)
    )
    items = calibrate(weighted).items
    names = [item.id for item in items]
    one, other = (
        observed_shares(data, expected_counts(data)[0], names)
        for data in (fitted(weighted, items), fitted(repeated, items))
    )
    for name in names:
        np.testing.assert_allclose(one[name].share, other[name].share, atol=1e-9)


def test_a_set_without_an_effect_tells_what_its_sum_of_marks_does() -> None:
    """Of items with one slope the sum is sufficient: nothing is lost (Birnbaum, 1968)."""
    items = [ItemParameters(f"I{j}", "2PL", a=1.3, b=(b,)) for j, b in enumerate((-1.0, 0.0, 0.7, 1.5))]
    theta = np.linspace(-3, 3, 13)
    plain = information_of(items, Scale(), theta, {}, {})
    sets = {item.id: "T" for item in items}
    np.testing.assert_allclose(information_of(items, Scale(), theta, sets, {"T": 1e-9}), plain, rtol=1e-5)
    less = information_of(items, Scale(), theta, sets, {"T": 0.8})
    assert (less[2:-2] < 0.9 * plain[2:-2]).all()  # in the middle; far out a flatter curve tells more
    # a set of one item is the item with its slope averaged out
    one = information_of(items[:1], Scale(), theta, {"I0": "T"}, {"T": 0.8})
    averaged = information_of([averaged_over_set(items[0], 0.8)], Scale(), theta, {}, {})
    np.testing.assert_allclose(one, averaged, rtol=0.06, atol=0.01)


def test_an_item_averaged_over_its_set() -> None:
    """The logistic averaged over a normal effect, by quadrature (Zeger, Liang & Albert, 1988)."""
    item = ItemParameters("X", "3PL", a=1.4, b=(0.3,), c=0.2)
    alone = averaged_over_set(item, 0.9)
    z = np.linspace(-6, 6, 241)
    weight = np.exp(-0.5 * z**2) / np.exp(-0.5 * z**2).sum()
    theta = np.linspace(-3, 3, 25)
    true = (0.2 + 0.8 / (1 + np.exp(-1.4 * (theta[:, None] + 0.9 * z - 0.3)))) @ weight
    near = 0.2 + 0.8 / (1 + np.exp(-alone.a * (theta - 0.3)))
    np.testing.assert_allclose(near, true, atol=0.007)
    assert alone.a < item.a


def test_pairs_that_chance_explains_are_not_called_dependent() -> None:
    rng = np.random.default_rng(11)
    theta = rng.normal(size=105)
    b = rng.normal(size=60)
    scores = (rng.random((105, 60)) < 1 / (1 + np.exp(-(theta[:, None] - b)))).astype(float)
    scores[:, 1] = np.where(rng.random(105) < 0.9, scores[:, 0], scores[:, 1])  # a copy, nearly
    calibration = calibrate(Responses.from_matrix(scores), model="Rasch")
    from calibration.fit import local_dependence

    found = local_dependence(
        Responses.from_matrix(scores), calibration.items, calibration.scale, ([0.0], [calibration.scale.sd])
    )
    beyond = [row for row in found.rows(all_pairs=True) if abs(float(str(row["q3"]))) > 0.2]
    assert len(beyond) > 20  # by chance, at 105 persons
    assert [(row["first"], row["second"]) for row in surely_dependent(found)] == [("item1", "item2")]


def test_every_flag_that_the_package_raises_has_words() -> None:
    from pathlib import Path

    import calibration

    known = set(TEXTS)
    for code in ("no-variance", "negative-discrimination", "key-suspect", "double-key", "idle-option", "misfit"):
        assert code in known
    text = (Path(calibration.__file__).parent / "responses" / "findings.py").read_text(encoding="utf-8")
    documented = text[text.index("Codes:") : text.index("disconnected.")]
    for code in ("unused-category", "key-without-item", "shifted"):
        assert code in documented
        assert code in known


def test_dots_are_written_short() -> None:
    frame = Frame((0, 1), (0, 1), 100, 100, left=0, right=0, top=0, bottom=0)
    assert 'd="M50 50h0M100 0h0"' in frame.points([0.5, 1], [0.5, 1], color="#000")


def test_an_item_keeps_its_own_name_and_place_when_averaged() -> None:
    item = dataclasses.replace(ITEM, id="题 1", model="GRM", b=(-1.0, 1.0))
    assert averaged_over_set(item, 0.5).b == (-1.0, 1.0)
    assert averaged_over_set(item, 0.5).id == "题 1"
    assert averaged_over_set(item, 0.0).a == pytest.approx(1.0)
