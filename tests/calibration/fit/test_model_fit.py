"""M2, M2* and C2: against R mirt, against every response pattern one by one, and by their distribution."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import Curves, ItemParameters, Responses
from calibration.fit import FitError, model_fit
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
        changes = [{"a": item.a}, *({"b": k} for k in range(len(item.b)))]
        changes += [{"c": item.c}] if item.model == "3PL" else []
        for change in changes:
            sides = []
            for h in (1e-5, -1e-5):
                ((name, value),) = change.items()
                new = (
                    replace(item, b=tuple(b + h * (k == value) for k, b in enumerate(item.b)))
                    if name == "b"
                    else replace(item, **{name: value + h})
                )
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
        with pytest.raises(FitError, match="nothing is left"):
            model_fit(seen, items, kind=kind)  # type: ignore[arg-type]
