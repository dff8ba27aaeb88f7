"""Releases: in the bank's proportions, with secrets kept, chosen by the seed only among equals."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from engine import InfeasibleReleaseError, Pool, PoolError, Release, ReleaseError, ReleasePolicy, choose_release
from engine import read_policy as read
from engine.release import INFORMATION_THETA, kolmogorov_smirnov, strata
from tests.engine.samples import EXAMPLES, item, random_pool, sample_pool

POLICY = read(EXAMPLES / "policy.toml")


@pytest.fixture(scope="module")
def tenth() -> Release:
    return choose_release(sample_pool(), POLICY, seed=7)


def members(pool: Pool, release: Release) -> np.ndarray:
    return np.isin(np.array(pool.ids), release.items)


def test_the_example_policy_is_a_tenth_without_flagged_items() -> None:
    assert read(EXAMPLES / "policy.toml") == ReleasePolicy(0.10, withhold=({"flagged": "yes"},))


def test_a_tenth_of_570_items_is_57(tenth: Release) -> None:
    assert len(tenth.items) == len(set(tenth.items)) == 57
    assert set(tenth.reasons) == set(tenth.items)
    assert tenth.pool_digest == sample_pool().digest


def test_every_margin_is_within_one_item_of_proportional(tenth: Release) -> None:
    pool, chosen = sample_pool(), members(sample_pool(), tenth)
    for column in POLICY.margins:
        for value in dict.fromkeys(pool.column(column)):
            inside = pool.where({column: value})
            assert abs(int((inside & chosen).sum()) - 0.1 * int(inside.sum())) < 1
    assert tenth.worst(1) < 1


def test_every_stratum_is_reported_as_counted(tenth: Release) -> None:
    pool, chosen = sample_pool(), members(sample_pool(), tenth)
    assert len({(s.columns, s.values) for s in tenth.strata}) == len(tenth.strata)
    assert sum(s.items for s in tenth.strata if len(s.columns) == 3) == 570
    for stratum in tenth.strata:
        inside = pool.where(dict(zip(stratum.columns, stratum.values, strict=True)))
        assert (stratum.items, stratum.published) == (inside.sum(), (inside & chosen).sum())
        assert stratum.quota == pytest.approx(0.1 * inside.sum())
    assert tenth.worst(3) == max(abs(s.deviation) for s in tenth.strata if len(s.columns) > 1)


def test_every_point_keeps_a_secret_item_and_nothing_flagged_is_published(tenth: Release) -> None:
    pool, chosen = sample_pool(), members(sample_pool(), tenth)
    assert not (chosen & pool.where({"flagged": "yes"})).any()
    secret = {point for point, out in zip(pool.column("point"), chosen, strict=True) if not out}
    assert secret == set(pool.column("point"))


def test_two_secret_items_are_kept_where_the_policy_says_so() -> None:
    pool = Pool.from_rows([item(f"{p}{n}", point=p, section="S1", grade="3") for p in "ABCD" for n in range(3)])
    release = choose_release(pool, ReleasePolicy(1 / 3, keep_per_point=2))
    assert sorted(name[0] for name in release.items) == list("ABCD")


def test_items_without_a_point_keep_no_secret() -> None:
    pool = Pool.from_rows([item(f"q{n}", point=None) for n in range(4)])
    assert len(choose_release(pool, ReleasePolicy(0.75, keep_per_point=3)).items) == 3


def test_withheld_items_stay_and_a_value_nobody_has_withholds_none() -> None:
    pool = random_pool(3, 60)
    grades = ({"grade": ["1", "2"]}, {"grade": {"min": 5}}, {"section": "S9"})
    policy = ReleasePolicy(0.2, margins=("type",), cells=("type",), keep_per_point=0, withhold=grades)
    out = members(pool, choose_release(pool, policy))
    assert out.sum() == 12
    assert set(np.array(pool.column("grade"))[out]) <= {"3", "4"}


def test_the_same_seed_gives_the_same_items_and_another_seed_others_as_good(tenth: Release) -> None:
    again, other = choose_release(sample_pool(), POLICY, seed=7), choose_release(sample_pool(), POLICY, seed=8)
    assert again == tenth
    assert set(other.items) != set(tenth.items)
    assert cell_deviation(other) == pytest.approx(cell_deviation(tenth), abs=57e-4)


def cell_deviation(release: Release) -> float:
    return sum(abs(s.deviation) for s in release.strata if len(s.columns) > 1)


def test_a_second_round_adds_the_difference_and_never_takes_back(tenth: Release) -> None:
    pool = sample_pool()
    rows = [pool.row(j) | {"published": "yes" if name in tenth.items else "no"} for j, name in enumerate(pool.ids)]
    later = Pool.from_rows(rows)
    with pytest.raises(InfeasibleReleaseError, match="means 57 public ones; 57 are public already"):
        choose_release(later, POLICY, seed=7)
    second = choose_release(later, replace(POLICY, share=0.2), seed=7)
    assert len(second.items) == 57
    assert set(second.items) == set(second.reasons)
    assert not set(second.items) & set(tenth.items)
    public = members(later, tenth) | members(later, second)
    for column in POLICY.margins:
        for value in dict.fromkeys(later.column(column)):
            inside = later.where({column: value})
            assert abs(int((inside & public).sum()) - 0.2 * int(inside.sum())) < 1
    assert sum(s.published for s in second.strata if s.columns == ("type",)) == 114


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.2, 0.3, 0.5]))
def test_cells_deviate_as_little_as_any_admissible_set(seed: int, share: float) -> None:
    pool = random_pool(seed, 10)
    policy = ReleasePolicy(share, margins=("type",), cells=("type", "section"), keep_per_point=1)
    count = round(share * 10)
    points, kinds, cells = (strata(pool, columns) for columns in (("point",), ("type",), ("type", "section")))
    least = np.inf
    for chosen in combinations(range(10), count):
        out = np.isin(np.arange(10), chosen)
        keeps = all(out[inside].sum() <= len(inside) - 1 for _, inside in points)
        proportional = all(abs(out[inside].sum() - share * len(inside)) < 1 - 1e-9 for _, inside in kinds)
        if keeps and proportional:
            least = min(least, sum(abs(out[inside].sum() - share * len(inside)) for _, inside in cells))
    if np.isinf(least):
        with pytest.raises(InfeasibleReleaseError):
            choose_release(pool, policy, seed=seed)
    else:
        assert cell_deviation(choose_release(pool, policy, seed=seed)) == pytest.approx(least, abs=count * 1e-4)


@settings(max_examples=50, deadline=None)
@given(
    one=st.lists(st.floats(-3, 3), min_size=2, max_size=30), other=st.lists(st.floats(-3, 3), min_size=2, max_size=30)
)
def test_the_distance_of_distributions_is_kolmogorov_and_smirnovs(one: list[float], other: list[float]) -> None:
    expected = ks_2samp(one, other, method="asymp").statistic
    assert kolmogorov_smirnov(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-12)


def test_the_distances_of_a_release_are_of_its_calibrated_items(tenth: Release) -> None:
    pool, chosen = sample_pool(), members(sample_pool(), tenth)
    b, known = pool.parameters.b, pool.calibrated
    assert tenth.ks_difficulty == pytest.approx(ks_2samp(b[chosen & known], b[known]).statistic)
    a = pool.parameters.a
    assert tenth.ks_discrimination == pytest.approx(ks_2samp(a[chosen & known], a[known]).statistic)


def test_difficulty_and_discrimination_are_spread_as_the_banks(tenth: Release) -> None:
    """Nearer than 95 of 100 random tenths, and within the twentieth that is allowed for difficulty."""
    pool, rng = sample_pool(), np.random.default_rng(1)
    b = pool.parameters.b[pool.calibrated]
    random = [kolmogorov_smirnov(rng.choice(b, 57, replace=False), b) for _ in range(200)]
    assert tenth.ks_difficulty <= 0.05
    assert tenth.ks_discrimination <= 0.05
    assert tenth.ks_difficulty < np.quantile(random, 0.05)


def test_the_information_given_away_is_that_of_the_published_items(tenth: Release) -> None:
    pool, chosen = sample_pool(), members(sample_pool(), tenth)
    information = pool.parameters.information([0.0])[:, 0]
    assert tuple(tenth.information_share) == INFORMATION_THETA
    assert tenth.information_share[0.0] == pytest.approx(information[chosen].sum() / np.nansum(information))


def test_a_pool_without_parameters_has_no_distances_and_no_information() -> None:
    pool = Pool.from_rows([item(f"q{n}", a=None, b=None) for n in range(10)])
    release = choose_release(pool, ReleasePolicy(0.2, keep_per_point=0))
    assert len(release.items) == 2
    assert np.isnan([release.ks_difficulty, release.ks_discrimination, *release.information_share.values()]).all()


# What is refused


def test_a_share_that_the_points_do_not_allow_says_what_to_change() -> None:
    pool = Pool.from_rows([item(f"q{n}") for n in range(10)])  # a point each: nothing may go
    with pytest.raises(InfeasibleReleaseError) as caught:
        choose_release(pool, ReleasePolicy(0.3))
    assert str(caught.value) == (
        "no 3 items keep the margins of section, type, grade within one item and 1 secret items at every point; "
        "lower the share or drop a margin"
    )


def test_a_share_that_withholding_does_not_allow_is_counted() -> None:
    pool = Pool.from_rows([item(f"q{n}", flagged="yes" if n else None) for n in range(10)])
    with pytest.raises(InfeasibleReleaseError, match="means 3 public ones; 0 are public already and 1 more may be"):
        choose_release(pool, replace(POLICY, share=0.3))


def test_a_share_of_less_than_one_item_is_no_release() -> None:
    with pytest.raises(InfeasibleReleaseError, match=r"share 0\.01 of 10 items means 0 public ones"):
        choose_release(random_pool(1, 10), ReleasePolicy(0.01))


def test_a_margin_the_pool_lacks_is_named() -> None:
    with pytest.raises(PoolError, match="no column 'grades'; did you mean 'grade'"):
        choose_release(random_pool(1, 10), ReleasePolicy(0.5, margins=("grades",)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "share is missing"),
        ("share = 0\n", "share = 0: expected a share of the bank between 0 and 1"),
        ("share = 1.0\n", "share = 1: expected a share of the bank between 0 and 1"),
        ('share = "10 %"\n', "share = '10 %': expected float, got str"),
        ("share = 0.1\nmargin = []\n", "'margin' is not known; did you mean 'margins'?"),
        ('share = 0.1\nmargins = "type"\n', "margins = 'type': expected array, got str"),
        ("share = 0.1\nkeep_per_point = -1\n", "keep_per_point = -1: expected 0 or more"),
        ('share = 0.1\nwithhold = ["flagged"]\n', "withhold = ['flagged']: expected object, got str, at [0]"),
        ("share 0.1\n", "not TOML"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReleaseError) as caught:
        read(path)
    assert not isinstance(caught.value, InfeasibleReleaseError)
    assert str(caught.value).startswith(f"{path}: {message}")
