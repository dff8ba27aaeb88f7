"""M2, M2* and C2: against R mirt, against every response pattern one by one, and by their distribution."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import Curves, ItemParameters, Responses, Scale, calibrate
from calibration.fit import FitError, model_fit, rmsea_interval
from tests.calibration.fit import simulated
from tests.calibration.fit.reference import reference

Matrix = NDArray[np.float64]


@pytest.mark.parametrize(
    ("name", "statistic", "digits"),
    [
        ("lsat6__2PL", "M2_M2", 1e-6),
        ("lsat7__2PL", "M2_M2", 1e-6),
        ("science__graded", "M2_C2", 1e-6),
        # mirt leaves the derivative in the variance out of Δ, and yet takes its degree of freedom off: below 1 % here
        ("lsat6__Rasch", "M2_M2", 1e-5),
        ("science__PCM", "M2_C2", 0.1),
    ],
)
def test_equals_mirt(name: str, statistic: str, digits: float) -> None:
    document, responses, items, scale = reference(name)
    fit, theirs = model_fit(responses, items, scale), document[statistic][0]
    assert fit.kind == statistic.removeprefix("M2_")
    assert fit.df == theirs["df"]
    assert fit.statistic == pytest.approx(theirs["M2"], abs=digits)
    assert fit.srmsr == pytest.approx(theirs["SRMSR"], abs=1e-6)
    wide = max(digits / 10, 1e-7)
    for ours, key in ((fit.p, "p"), (fit.rmsea, "RMSEA"), (fit.rmsea_low, "RMSEA_5"), (fit.rmsea_high, "RMSEA_95")):
        assert ours == pytest.approx(theirs[key], abs=wide), key
    assert (fit.cfi, fit.tli) == pytest.approx((theirs["CFI"], theirs["TLI"]), abs=max(wide, 1e-6))


@pytest.mark.parametrize(("name", "statistic"), [("lsat6__Rasch", "M2_M2"), ("science__PCM", "M2_C2")])
def test_equals_mirt_where_the_spread_is_taken_as_known(name: str, statistic: str) -> None:
    document, responses, items, scale = reference(name)
    fit = model_fit(responses, items, scale, free_population=([False], [False]))
    assert fit.df == document[statistic][0]["df"] + 1
    assert fit.statistic == pytest.approx(document[statistic][0]["M2"], abs=1e-6)


def test_polytomous_margins_too_few_are_refused() -> None:
    _, responses, items, scale = reference("science__graded")
    with pytest.raises(FitError, match="M2\\* has 10 margins for"):
        model_fit(responses, items, scale, kind="M2*")


# every pattern one by one

GRADED = [
    ItemParameters("1", "GRM", 1.4, (-1.0, 0.3)),
    ItemParameters("2", "GRM", 0.8, (-0.4, 1.1)),
    ItemParameters("3", "GRM", 1.9, (-0.2, 0.5)),
    ItemParameters("4", "GRM", 1.1, (-1.4, 0.1)),
]
CREDIT = [replace(item, model="GPCM") for item in GRADED]
BINARY = [ItemParameters(str(a), "2PL", a, (b,)) for a, b in [(0.9, -1.0), (1.5, 0.2), (1.2, 0.8), (2.0, 0.0)]]
MIXED = [BINARY[0], GRADED[1], CREDIT[2], BINARY[3]]
NODES = np.linspace(-6, 6, 61)


def pattern_probabilities(items: list[ItemParameters], mean: float = 0.0, sd: float = 1.0) -> Matrix:
    """P of all response patterns in the order of itertools.product."""
    prior = np.exp(-0.5 * ((NODES - mean) / sd) ** 2)
    prior /= prior.sum()
    curves = Curves.of(items)
    P = curves.probability(NODES)
    rows = [range(curves.start[j], curves.start[j + 1]) for j in range(len(items))]
    return np.array([np.prod(P[list(pattern)], axis=0) @ prior for pattern in itertools.product(*rows)])


def by_enumeration(items: list[ItemParameters], share: Matrix, n: float, kind: str) -> tuple[float, int]:
    """The statistic from the multinomial of all patterns: margins as a matrix, derivatives by differences."""
    patterns = np.array(list(itertools.product(*(range(item.categories) for item in items))))
    univariate = [patterns[:, j] == k for j, item in enumerate(items) for k in range(1, item.categories)]
    means = [patterns[:, j] for j in range(len(items))]
    pairs = list(itertools.combinations(range(len(items)), 2))
    products = [patterns[:, i] * patterns[:, j] for i, j in pairs]
    cells = [
        (patterns[:, i] == k) & (patterns[:, j] == m)
        for i, j in pairs
        for k in range(1, items[i].categories)
        for m in range(1, items[j].categories)
    ]
    rows = {"M2": univariate + cells, "M2*": means + products, "C2": univariate + products}[kind]
    L = np.array(rows, float)
    pi = pattern_probabilities(items)
    moved = []
    for j, item in enumerate(items):
        for k in range(item.categories):  # the slope, then each threshold
            sides = []
            for h in (1e-5, -1e-5):
                b = tuple(value + h * (n == k - 1) for n, value in enumerate(item.b))
                new = replace(item, a=item.a + h * (k == 0), b=b)
                sides.append(pattern_probabilities([*items[:j], new, *items[j + 1 :]]))
            moved.append((sides[0] - sides[1]) / 2e-5)
    delta = L @ np.array(moved).T
    gamma = L @ (np.diag(pi) - np.outer(pi, pi)) @ L.T
    full, _ = np.linalg.qr(delta, mode="complete")
    complement = full[:, delta.shape[1] :]
    z = complement.T @ (L @ (share - pi))
    return float(n * z @ np.linalg.solve(complement.T @ gamma @ complement, z)), complement.shape[1]


@pytest.mark.parametrize(
    ("items", "kind"),
    [(BINARY, "M2"), (GRADED, "M2"), (GRADED, "C2"), (CREDIT, "C2"), (CREDIT, "M2"), (MIXED, "M2"), (MIXED, "C2")],
)
def test_equals_enumeration_of_all_patterns(items: list[ItemParameters], kind: str) -> None:
    rng = np.random.default_rng(3)
    patterns = np.array(list(itertools.product(*(range(item.categories) for item in items))), float)
    count = rng.multinomial(900, 0.8 * pattern_probabilities(items) + 0.2 / len(patterns)).astype(float)
    seen = Responses.from_matrix(patterns, [item.id for item in items], weight=count)
    statistic, df = by_enumeration(items, count / 900, 900, kind)
    if df > 0:
        fit = model_fit(seen, items, kind=kind)  # type: ignore[arg-type]
        assert (fit.df, fit.n) == (df, 900)
        assert fit.statistic == pytest.approx(statistic, rel=1e-7)
    else:
        with pytest.raises(FitError, match=r"nothing is left to test\. Take more items \(2PL: 4 or more"):
            model_fit(seen, items, kind=kind)  # type: ignore[arg-type]


# incomplete data


def test_margins_have_their_own_persons_where_booklets_differ() -> None:
    """With booklets of their own items, and no pair in common, the statistic is the sum of the booklets'."""
    rng = np.random.default_rng(51)
    items = simulated.two_parameter_items(rng, 10)
    table = simulated.scores(rng, items, rng.normal(0, 1, 1500))
    table[:500, 5:] = np.nan
    table[500:, :5] = np.nan
    whole = model_fit(simulated.responses(table, items), items)
    parts = [
        model_fit(simulated.responses(table[rows][:, columns], items[columns]), items[columns])
        for rows, columns in ((slice(0, 500), slice(0, 5)), (slice(500, 1500), slice(5, 10)))
    ]
    assert whole.statistic == pytest.approx(sum(part.statistic for part in parts), rel=1e-9)
    assert whole.df == sum(part.df for part in parts)
    assert (whole.n, whole.n_margin, whole.left_out) == (1500, (500, 750), 25)


def test_sampling_covariance_of_incomplete_margins_is_that_of_simulated_ones() -> None:
    """Three booklets of two of three parts: at the true parameters the statistic is χ² with all margins."""
    rng = np.random.default_rng(52)
    items = simulated.two_parameter_items(rng, 6)
    found = []
    for _ in range(300):
        table = simulated.scores(rng, items, rng.normal(0, 1, 900))
        for booklet, absent in enumerate((slice(0, 2), slice(2, 4), slice(4, 6))):
            table[300 * booklet : 300 * (booklet + 1), absent] = np.nan
        anchored = Scale(anchors=tuple(item.id for item in items))
        fit = model_fit(simulated.responses(table, items), items, anchored, free_population=([False], [False]))
        assert (fit.df, fit.unknowns) == (21, 0)
        found.append(fit.statistic)
    assert np.mean(found) == pytest.approx(21, abs=3 * np.sqrt(2 * 21 / 300))
    assert np.var(found) == pytest.approx(42, rel=0.3)


def test_groups_have_margins_of_their_own() -> None:
    rng = np.random.default_rng(53)
    items = simulated.two_parameter_items(rng, 8)
    group = np.repeat([0, 1], 1000).astype(np.int32)
    table = simulated.scores(rng, items, rng.normal(-0.7 * group, 1.0))
    data = simulated.responses(table, items, group)
    right = model_fit(data, items, population=([0.0, -0.7], [1.0, 1.0]))
    wrong = model_fit(data, items, population=([0.0, 0.0], [1.0, 1.0]), free_population=([False] * 2, [False] * 2))
    assert (right.margins, right.unknowns, right.df) == (2 * 36, 16 + 2, 54)
    assert right.p > 0.001
    assert wrong.rmsea > 0.04 > right.rmsea


def test_routed_items_make_the_statistic_void_and_it_says_so() -> None:
    rng = np.random.default_rng(54)
    items = simulated.two_parameter_items(rng, 10)
    theta = rng.normal(0, 1, 2000)
    table = simulated.scores(rng, items, theta)
    table[table[:, :6].sum(axis=1) < 3, 6:] = np.nan
    fit = model_fit(simulated.responses(table, items), items)
    assert fit.routed == ("Q7", "Q8", "Q9", "Q10")
    assert "not valid: 4 items were given by ability" in str(fit)


def test_too_many_margins_are_refused_before_memory_is() -> None:
    items = [ItemParameters(f"i{j}", "2PL", 1.0, (0.0,)) for j in range(120)]
    with pytest.raises(
        FitError,
        match=r"7260 margins .* 6000 .* \(108 items .*\)\. Test one form at a time",
    ):
        model_fit(Responses.from_matrix(np.zeros((2, 120)), [item.id for item in items]), items)


def test_rmsea_interval_is_that_of_the_noncentral_chi_square() -> None:
    from scipy.stats import ncx2

    rmsea, low, high = rmsea_interval(80.0, 40, 500)
    assert rmsea == pytest.approx(np.sqrt(40 / (40 * 499)))
    assert ncx2.cdf(80, 40, low**2 * 40 * 500) == pytest.approx(0.95)
    assert ncx2.cdf(80, 40, high**2 * 40 * 500) == pytest.approx(0.05)
    assert rmsea_interval(20.0, 40, 500) == (0.0, 0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize("polytomous", [False, True])
def test_type_one_errors_are_near_nominal(polytomous: bool) -> None:
    """400 replications at estimated (M2) or true (M2* of graded items, no parameter free) parameters."""
    rng = np.random.default_rng(55)
    items = simulated.graded_items(rng, 8) if polytomous else simulated.two_parameter_items(rng, 10)
    known = Scale(anchors=tuple(item.id for item in items))
    p = []
    for _ in range(400):
        data = simulated.responses(simulated.scores(rng, items, rng.normal(0, 1, 1000)), items)
        if polytomous:
            p.append(model_fit(data, items, known, kind="M2*", free_population=([False], [False])).p)
        else:
            p.append(model_fit(data, calibrate(data).items).p)
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.08
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)
