"""Anchors that moved are found, one by one, and it is said why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import AnchorRules, Curves, ItemParameters, Scale, link_scales, transform_items
from calibration.linking import LinkError, robust_z
from calibration.linking.vectors import parameter_vector, square_root, with_parameters
from tests.calibration.linking.items import three_parameter_items, with_covariance


def estimates(item: ItemParameters, rng: np.random.Generator) -> ItemParameters:
    block = np.array(item.covariance)
    vector = parameter_vector(item) + square_root(block) @ rng.standard_normal(len(block))
    if item.model == "3PL":
        vector[-1] = np.clip(vector[-1], 0.01, 0.5)
    return with_parameters(item, vector)


def two_calibrations(J: int, seed: int, size: float = 0.04) -> tuple[list[ItemParameters], list[ItemParameters]]:
    rng = np.random.default_rng(seed)
    true = [with_covariance(item, rng, size) for item in three_parameter_items(J, rng)]
    new = [estimates(item, rng) for item in true]
    return new, [estimates(item, rng) for item in transform_items(true, 1.2, 0.5)]


def test_robust_z_by_hand() -> None:
    # quartiles of 0, 1, 2, 3, 10 are 1 and 3, the median 2: z = (d - 2) / (0.74 · 2)
    np.testing.assert_allclose(robust_z(np.array([0.0, 1.0, 2.0, 3.0, 10.0])), np.array([-2, -1, 0, 1, 8]) / 1.48)
    with_nominal = robust_z(np.array([0.0, 1.0, np.nan, 2.0, 3.0, 10.0]))
    assert np.isnan(with_nominal[2])
    assert with_nominal[5] == pytest.approx(8 / 1.48)
    assert robust_z(np.array([1.0, 1.0, 1.0, 1.0])) == [0, 0, 0, 0]
    assert robust_z(np.array([1.0, 1.0, 1.0, 1.0, 1.0, 2.0]))[-1] == np.inf


def test_moved_anchors_are_left_out_and_the_link_is_that_without_them() -> None:
    new, base = two_calibrations(15, 4, 0.02)
    base[2] = replace(base[2], b=(base[2].b[0] + 1.5,))
    base[9] = replace(base[9], a=base[9].a * 3)
    all_of_them = link_scales(new, base)
    link = link_scales(new, base, rules=AnchorRules())
    assert set(link.dropped) == {"i02", "i09"}
    without = link_scales(*([item for item in items if item.id not in {"i02", "i09"}] for items in (new, base)))
    assert (pytest.approx(without.A), pytest.approx(without.B)) == (link.A, link.B)
    assert abs(all_of_them.B - link.B) > 0.05
    assert "i02" not in link.anchors
    assert {one.item for one in link.statistics} == set(link.anchors)


def test_each_rule_says_what_it_saw() -> None:
    new, base = two_calibrations(12, 4, 0.02)
    new[5] = replace(new[5], a=1.2, b=(0.0,), c=0.2)
    base[5] = replace(base[5], a=1.0, b=(0.5 - 0.9,), c=0.2)  # A = 1.2, B = 0.5
    none = AnchorRules(robust_z=None, displacement=None, rmsd=None)
    assert link_scales(new, base, rules=none).dropped == {}
    by_z = link_scales(new, base, rules=replace(none, robust_z=2.7))
    assert by_z.dropped["i05"].startswith("robust z -")
    by_shift = link_scales(new, base, rules=replace(none, displacement=0.5))
    assert by_shift.dropped["i05"].startswith("displaced -0.")
    by_curves = link_scales(new, base, rules=replace(none, rmsd=0.1))
    assert by_curves.dropped["i05"].startswith("curves apart by RMSD 0.1")


def test_a_displacement_within_two_standard_errors_is_no_reason() -> None:
    new, base = two_calibrations(12, 5, 0.02)
    wide = np.array(base[5].covariance) * 900  # of an item with few responses
    base[5] = replace(base[5], b=(base[5].b[0] + 0.7,), covariance=tuple(map(tuple, wide.tolist())))
    rules = AnchorRules(robust_z=None, rmsd=None)
    assert link_scales(new, base, rules=rules).dropped == {}
    base[5] = replace(base[5], covariance=base[4].covariance)
    assert set(link_scales(new, base, rules=rules).dropped) == {"i05"}


def test_tiny_differences_are_left_alone_whatever_their_z() -> None:
    rng = np.random.default_rng(0)
    items = three_parameter_items(10, rng)
    base = [replace(item, b=(item.b[0] + 1e-4 * rng.normal(),)) for item in items]
    base[0] = replace(base[0], b=(items[0].b[0] + 0.01,))
    link = link_scales(items, base, rules=AnchorRules())
    assert link.dropped == {}
    assert abs(link.statistics[0].robust_z) > 10


def test_never_fewer_than_the_minimum_stay() -> None:
    rng = np.random.default_rng(1)
    items = three_parameter_items(6, rng)
    base = [replace(item, b=(item.b[0] + float(rng.normal(0, 1.5)),)) for item in items]
    link = link_scales(items, base, rules=AnchorRules(minimum=5))
    assert len(link.anchors) == 5
    assert any("would be left out" in note and "only 5 are left" in note for note in link.notes)
    few = link_scales(items[:3], base[:3], rules=AnchorRules(robust_z=None, displacement=None, rmsd=None))
    assert any(note == "only 3 anchors; 5 are the minimum asked for" for note in few.notes)


def test_many_left_out_is_said() -> None:
    new, base = two_calibrations(10, 6)
    for j in (0, 1, 2):
        base[j] = replace(base[j], b=(base[j].b[0] + 2.0,))
    link = link_scales(new, base, rules=AnchorRules())
    assert set(link.dropped) == {"i00", "i01", "i02"}
    assert any("3 of 10 anchors were left out" in note for note in link.notes)


def test_d2_and_rmsd_are_the_weighted_differences_of_curves() -> None:
    new = [
        ItemParameters("a", "2PL", a=1.0, b=(0.0,)),
        ItemParameters("g", "GRM", a=1.0, b=(-1.0, 1.0), marks=(0.0, 1.0, 2.0)),
    ]
    base = [replace(new[0], b=(0.3,)), replace(new[1], b=(-0.7, 1.3))]
    scale = Scale(mean=0.2, sd=1.1)
    link = link_scales(new, base, base_scale=scale, method="mean-mean")
    assert (pytest.approx(1), pytest.approx(0.3)) == (link.A, link.B)
    link = replace(link, B=0.0)
    from calibration.linking import anchor_statistics, common_anchors

    one, two = anchor_statistics(link, common_anchors(new, base))
    z = np.linspace(-4, 4, 41)
    w = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    theta = 0.2 + 1.1 * z
    P, Q = (Curves.of(items).probability(theta) for items in (base, new))
    assert one.d2 == pytest.approx(w @ (P[1] - Q[1]) ** 2)
    assert one.rmsd == pytest.approx(np.sqrt(one.d2))
    assert two.d2 == pytest.approx(0.5 * (w @ ((P[2:] - Q[2:]) ** 2).sum(axis=0)))
    marks = (P[3] + 2 * P[4]) - (Q[3] + 2 * Q[4])
    assert two.rmsd == pytest.approx(np.sqrt(w @ marks**2) / 2)
    assert (one.displacement, two.displacement) == (pytest.approx(0.3), pytest.approx(0.3))


def test_two_categories_are_one_model_whatever_it_is_called() -> None:
    """2PL, GRM and GPCM with one threshold have one curve, so that the link is the same."""
    rng = np.random.default_rng(3)
    plain = [
        with_covariance(ItemParameters(f"i{j}", "2PL", a, (b,)), rng, 0.02)
        for j, (a, b) in enumerate(zip(rng.lognormal(0, 0.3, 12), rng.normal(size=12), strict=True))
    ]
    base = [estimates(item, rng) for item in transform_items(plain, 1.2, 0.5)]
    expected = link_scales(plain, base, rules=AnchorRules())
    for model in ("GRM", "GPCM"):
        other = [replace(item, model=model, se={}) for item in base]
        link = link_scales(plain, other, rules=AnchorRules())
        assert pytest.approx((expected.A, expected.B), abs=1e-9) == (link.A, link.B)
        assert link.se == pytest.approx(expected.se, abs=1e-9)
        assert link.anchors == expected.anchors


def test_a_reason_that_many_items_share_is_said_once() -> None:
    new = [ItemParameters(f"i{j}", "2PL", 1.0, (0.0,)) for j in range(20)]
    base = [ItemParameters(f"i{j}", "GRM", 1.0, (0.0, 1.0)) for j in range(20)]
    reason = "dichotomous on the new scale, graded on the base scale"
    with pytest.raises(LinkError, match=f"no anchor can be used: i0, i1, i2 and 17 more: {reason}$"):
        link_scales(new, base)
