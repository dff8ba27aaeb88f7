"""Items that drifted are flagged, and only those."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import DriftRules, ItemParameters, Scale, item_drift
from calibration.linking.anchors import AnchorRules
from tests.calibration.linking.test_anchors import two_calibrations


def test_what_moved_is_flagged_with_its_direction_and_takes_no_part_in_the_link() -> None:
    new, old = two_calibrations(20, 11, 0.02)
    new[3] = replace(new[3], b=(new[3].b[0] - 1.0,))  # leaked: easier than it was
    result = item_drift(old, new, old_scale=Scale("2024"), new_scale=Scale("2025"))
    (moved,) = result.flagged
    assert moved.item == "i03"
    assert not moved.anchor
    assert moved.displacement < -0.8
    assert moved.robust_z < -2.7
    assert {"robust-z", "wald", "rmsd"} <= set(moved.flags)
    assert moved.p_adjusted is not None
    assert moved.p_adjusted < 1e-4
    assert len(result.items) == 20
    assert (result.link.new.id, result.link.base.id) == ("2025", "2024")
    assert pytest.approx(1.2, abs=0.1) == result.link.A


def test_the_wald_test_keeps_its_level_where_nothing_moved() -> None:
    everything = AnchorRules(robust_z=None, displacement=None, rmsd=None)
    values, p = [], []
    for seed in range(40):
        new, old = two_calibrations(12, 100 + seed, 0.03)
        found = item_drift(old, new, method="mean-sigma", anchor_rules=everything)
        values += [one.wald for one in found.items]
        p += [one.p for one in found.items]
    assert {one.df for one in found.items} == {3}
    assert np.mean(values) == pytest.approx(3, abs=0.3)  # 480 values of chi² on 3: SE 0.11
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_the_wald_test_of_a_rasch_item_by_hand() -> None:
    b = np.array([-1.0, 0.0, 1.0, 0.4])
    old = [ItemParameters(f"r{j}", "Rasch", b=(float(one),), se={"b": 0.1}) for j, one in enumerate(b)]
    shift = np.array([0.0, 0.0, 0.0, 0.4])
    new = [ItemParameters(f"r{j}", "Rasch", b=(float(one),), se={"b": 0.1}) for j, one in enumerate(b + shift)]
    keep = AnchorRules(robust_z=None, displacement=None, rmsd=None)
    result = item_drift(old, new, method="mean-mean", anchor_rules=keep)
    last = result.items[3]
    assert last.displacement == pytest.approx(0.3)  # 0.4 less the mean shift of the four
    # d_4 - mean(d): variance 0.02 · (1 - 1/4)
    assert last.displacement_se == pytest.approx((0.02 * 0.75) ** 0.5)
    assert last.wald == pytest.approx(0.3**2 / (0.02 * 0.75))
    assert last.df == 1


def test_without_standard_errors_there_is_no_wald_test_but_the_rest() -> None:
    new, old = two_calibrations(10, 12)
    bare = [replace(item, covariance=(), se={}) for item in new]
    result = item_drift(old, bare)
    assert all(one.wald is None and one.p_adjusted is None for one in result.items)
    assert all(np.isfinite(one.rmsd) for one in result.items)


def test_significance_alone_flags_nothing() -> None:
    new, old = two_calibrations(12, 13, 0.0005)
    old[4] = replace(old[4], b=(old[4].b[0] + 0.03,))
    (item,) = [one for one in item_drift(old, new).items if one.item == "i04"]
    assert item.p_adjusted is not None
    assert item.p_adjusted < 1e-6
    assert item.rmsd < 0.02
    assert item.flags == ()
    strict = DriftRules(smallest_rmsd=0.001)
    assert "wald" in {one.item: one for one in item_drift(old, new, rules=strict).items}["i04"].flags


def test_what_cannot_be_compared_is_named() -> None:
    new, old = two_calibrations(8, 14)
    old[0] = ItemParameters("i00", "GRM", a=1.0, b=(0.0, 1.0))
    result = item_drift(old, new)
    assert result.not_compared == {"i00": "dichotomous on the new scale, graded on the base scale"}
    assert [row["item"] for row in result.document()["items"]] == [f"i{j:02}" for j in range(1, 8)]
