"""Priors as people write them, for which items they are, and what the default does to a scale."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import (
    DEFAULT_PRIORS,
    NO_PRIORS,
    Beta,
    LogitNormal,
    LogNormal,
    Normal,
    PriorError,
    Priors,
    Responses,
    calibrate,
    eap_scores,
    family_priors,
    read_priors,
)
from calibration.patterns import PatternError
from calibration.priors import priors_of_items, with_difficulty
from tests.calibration.simulated import booklets, two_parameter_scores


@pytest.mark.parametrize(
    "priors",
    [
        DEFAULT_PRIORS,
        Priors(a=LogNormal(0.2, 0.5), b=Normal(-0.5, 1.5)),
        Priors(a=Normal(1, 0.3), c=LogitNormal(-1.1, 2), d=Beta(17, 5)),
        Priors(a=LogNormal(None, 0.5), b=Normal(None, 2), c=Beta(5, 17)),
    ],
    ids=str,
)
def test_priors_read_back_as_they_name_themselves(priors: Priors) -> None:
    assert read_priors(str(priors).replace("~", "=")) == priors


def test_names_stand_for_priors() -> None:
    assert read_priors(" Default ") == DEFAULT_PRIORS
    assert read_priors("none") == NO_PRIORS
    assert str(NO_PRIORS) == "none"
    assert str(DEFAULT_PRIORS) == "a ~ lognormal(floating, 0.5), c ~ beta(5, 17), d ~ beta(17, 5)"
    assert with_difficulty(DEFAULT_PRIORS, 1.0, 0.4).b == Normal(1.0, 0.4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("strong", "priors 'strong': expected default, none, or e.g. a=lognormal"),
        ("a=lognormal(0, 0.5) and more", "expected default, none"),
        ("a=beta(5, 17)", "of a: expected lognormal"),
        ("c=normal(0, 1)", "of c: expected beta"),
        ("b=normal(0)", "of b: expected normal"),
        ("b=normal(x, 1)", "x, 1 are not two numbers"),
        ("b=normal(0, 0)", "Normal: 0 must be a positive number"),
        ("c=beta(-1, 4)", "Beta: -1 must be a positive number"),
        ("a=lognormal(0, inf)", "LogNormal: inf must be a positive number"),
    ],
)
def test_a_prior_that_makes_no_sense_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(PriorError, match=message):
        read_priors(text)


def test_the_most_exact_pattern_speaks_first_and_the_next_fills_in() -> None:
    priors = {
        "*": Priors(a=LogNormal(0, 0.5), b=Normal(0, 3)),
        "CR*": Priors(b=Normal(1, 1)),
        "CR7": Priors(a=Normal(1, 0.1)),
    }
    found = priors_of_items(["MC1", "CR1", "CR7"], priors)
    assert found[0] == priors["*"]
    assert found[1] == Priors(a=LogNormal(0, 0.5), b=Normal(1, 1))
    assert found[2] == Priors(a=Normal(1, 0.1), b=Normal(1, 1))
    with pytest.raises(PatternError, match="priors for 'X1': no item has that id"):
        priors_of_items(["MC1"], {"X1": NO_PRIORS})


def test_clones_share_a_mean_that_floats() -> None:
    assert family_priors({"17a": "17", "17b": "17"}, 0.2) == {
        "17a": Priors(b=Normal(None, 0.2, "17")),
        "17b": Priors(b=Normal(None, 0.2, "17")),
    }


# Decision 0004: 300 easy items, each answered by 200 of 400 persons, as in the pretests of a bank.


@pytest.fixture(scope="module")
def easy_bank() -> Responses:
    rng = np.random.default_rng(5)
    b, a = rng.normal(-0.9, 1.0, 300), np.exp(rng.normal(np.log(0.95), 0.3, 300))
    return Responses.from_matrix(booklets(two_parameter_scores(rng, rng.standard_normal(400), a, b), rng))


def moved(responses: Responses, priors: Priors) -> tuple[float, float]:
    """How far the mean of the abilities is from 0, and their standard deviation from what N(0, 1) implies."""
    scores = eap_scores(responses, calibrate(responses, priors=priors, tolerance=1e-4).items)
    return float(scores.theta.mean()), float(scores.theta.std() - np.sqrt(1 - (scores.se**2).mean()))


def test_the_default_priors_leave_the_scale_where_it_was(easy_bank: Responses) -> None:
    assert (easy_bank.item_counts() == 200).all()
    mean, spread = moved(easy_bank, DEFAULT_PRIORS)
    assert abs(mean) < 0.05
    assert abs(spread) < 0.05


def test_a_fixed_prior_on_b_pulls_the_scale_with_it(easy_bank: Responses) -> None:
    mean, spread = moved(easy_bank, Priors(LogNormal(None, 0.5), Normal(0, 2)))
    assert mean > 0.1
    assert spread < -0.1


def test_a_fixed_density_of_a_stretches_the_scale(easy_bank: Responses) -> None:
    mean, spread = moved(easy_bank, Priors(LogNormal(0, 0.5)))
    assert abs(mean) < 0.05
    assert spread > 0.05
