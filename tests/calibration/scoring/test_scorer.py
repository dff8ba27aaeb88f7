"""One person at a time, as in a server: the same numbers as for many."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import Scale, ScaleError, Scorer, eap_scores
from tests.calibration.scoring.forms import MIXED, drawn, posterior_moments, responses


def test_one_person_gets_what_many_get() -> None:
    scale = Scale(mean=0.4, sd=1.4)
    scorer = Scorer.of(MIXED, scale)
    table = drawn(MIXED, np.linspace(-2, 2, 20))
    table[10:, 2:5] = np.nan
    scores = eap_scores(responses(table, MIXED), MIXED, scale)
    for i in range(20):
        codes = np.where(np.isnan(table[i]), -1, table[i]).astype(int)
        theta, se = scorer.eap(codes)
        assert (theta, se) == (pytest.approx(scores.theta[i], abs=1e-6), pytest.approx(scores.se[i], abs=1e-6))
        given = {item.id: int(code) for item, code in zip(MIXED, codes, strict=True) if code >= 0}
        assert scorer.eap_of(given) == (theta, se)
        mean, sd, _ = posterior_moments(table[i], MIXED, scale)
        assert (theta, se) == (pytest.approx(mean, abs=1e-7), pytest.approx(sd, abs=1e-6))


def test_nobody_knows_more_than_the_population_before_the_first_answer() -> None:
    scorer = Scorer.of(MIXED, mean=0.5, sd=2.0)
    assert scorer.eap_of({}) == (pytest.approx(0.5, abs=1e-7), pytest.approx(2.0, abs=1e-6))
    assert scorer.eap([-1] * 8) == scorer.eap_of({})
    assert scorer.posterior([-1] * 8).sum() == pytest.approx(1.0)
    assert float(scorer.posterior([1] * 8) @ scorer.quadrature.nodes) == pytest.approx(scorer.eap([1] * 8)[0])


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([0] * 7, "7 codes for 8 items: one for each, -1 for an item not seen"),
        ([0, 2, 0, 0, 0, 0, 0, 0], r"item two: score 2; expected 0…1, or -1"),
        ([0, 0, 0, 0, -2, 0, 0, 0], r"item partial: score -2; expected 0…3, or -1"),
    ],
)
def test_codes_that_are_none_are_named(codes: list[int], message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        Scorer.of(MIXED).eap(codes)


def test_answers_that_are_none_are_named() -> None:
    scorer = Scorer.of(MIXED)
    with pytest.raises(ScaleError, match="item 'unknown' has no parameters"):
        scorer.eap_of({"two": 1, "unknown": 1})
    with pytest.raises(ScaleError, match=r"item graded: score 4; expected 0…3"):
        scorer.eap_of({"graded": 4})
