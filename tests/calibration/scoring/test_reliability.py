"""Reliability against mirt, and against what it means."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from calibration import Curves, ItemParameters, Scale, empirical_reliability, marginal_reliability, score_responses
from tests.calibration.scoring.forms import MIXED, REFERENCE, drawn, mirt_result, responses


@pytest.mark.parametrize("tag", ["lsat6__2PL", "lsat6__Rasch", "lsat7__2PL", "science__graded", "science__gpcm"])
def test_reliability_is_that_of_mirt(tag: str) -> None:
    found, items, scale = mirt_result(tag)
    name = {"lsat6": "lsat6_tab", "lsat7": "lsat7_tab"}.get(tag[:5], "science")
    with (REFERENCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        table = np.array(list(csv.reader(file))[1:], float)
    weight = table[:, -1] if name != "science" else np.ones(len(table))
    data = responses(table[:, : len(items)] - (name == "science"), items)
    scores = score_responses(data, items, scale)
    assert empirical_reliability(scores.theta, scores.se, weight=weight) == pytest.approx(
        found["empirical_rxx_EAP"], abs=2e-6
    )
    if scale.sd == 1:  # with a free variance mirt integrates I / (I + variance) over a standard normal
        assert marginal_reliability(items, scale) == pytest.approx(found["marginal_rxx"], abs=1e-7)


def test_the_promised_reliability_does_not_depend_on_the_unit_of_the_scale() -> None:
    wide = [ItemParameters(f"q{j}", "2PL", 0.5, (2.0 * b,)) for j, b in enumerate((-1.0, 0.0, 1.0))]
    narrow = [ItemParameters(f"q{j}", "2PL", 1.0, (b,)) for j, b in enumerate((-1.0, 0.0, 1.0))]
    assert marginal_reliability(wide, Scale(sd=2.0)) == pytest.approx(marginal_reliability(narrow), abs=1e-12)
    assert marginal_reliability(Curves.of(narrow)) == marginal_reliability(narrow)


def test_reliability_is_the_squared_correlation_with_true_ability() -> None:
    items = [item for item in MIXED for _ in range(5)]
    items = [ItemParameters(**{n: getattr(i, n) for n in i.__slots__} | {"id": f"q{k}"}) for k, i in enumerate(items)]
    theta = np.random.default_rng(1).standard_normal(20_000)
    data = responses(drawn(items, theta), items)
    for method in ("eap", "wle"):
        scores = score_responses(data, items, method=method)
        rho = np.corrcoef(theta, scores.theta)[0, 1] ** 2
        assert empirical_reliability(scores.theta, scores.se, method) == pytest.approx(rho, abs=0.01)


def test_fewer_than_two_persons_have_no_reliability() -> None:
    assert np.isnan(empirical_reliability([0.3], [0.2]))
    assert np.isnan(empirical_reliability([0.3, 0.1], [np.nan, np.nan], "ml"))


def test_an_estimate_is_weighed_by_its_person() -> None:
    theta, se = np.array([0.0, 1.0, 1.0]), np.array([0.3, 0.4, 0.4])
    assert empirical_reliability(theta, se) == pytest.approx(empirical_reliability(theta[:2], se[:2], weight=[1, 2]))
    variance, noise = 1 / 3, (0.09 + 0.16 + 0.16) / 3
    assert empirical_reliability(theta, se) == pytest.approx(variance / (variance + noise))
    assert empirical_reliability(theta, se, "wle") == pytest.approx(1 - noise / variance)
