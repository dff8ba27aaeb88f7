"""A and B against published programs, exact recovery, closed forms, and errors against brute force."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration import ItemParameters, Link, LinkError, Scale, ThetaWeights, link_scales, transform_items
from calibration.linking import METHODS, bootstrap_errors
from calibration.linking.vectors import covariance_block, parameter_vector, square_root, with_parameters
from tests.calibration.linking.items import EVERY_MODEL, three_parameter_items, with_covariance

ON_LOGITS = Scale(D=1.7)


def shared_folder() -> Path:
    for parent in Path(__file__).resolve().parents:
        found = parent / "shared" / "data" / "calibration"
        if found.is_dir():
            return found
    pytest.skip("the reference results of Kolen & Brennan's forms are not here")


def form(path: Path, names: Sequence[str]) -> list[ItemParameters]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        ItemParameters(name, "3PL", a=float(row["a"]), b=(float(row["b"]),), c=float(row["c"]))
        for name, row in zip(names, rows, strict=True)
    ]


def forms() -> tuple[list[ItemParameters], list[ItemParameters]]:
    """Forms X and Y of Kolen & Brennan (2004, table 6.5); every third item is common."""
    folder = shared_folder()
    names = [[f"common{j}" if j % 3 == 0 else f"{which}{j}" for j in range(1, 37)] for which in "xy"]
    return form(folder / "kb04_form_x.csv", names[0]), form(folder / "kb04_form_y.csv", names[1])


RUNS = {
    "default_weights": (ThetaWeights.uniform(40, -4, 4), False),
    "normal41": (ThetaWeights.normal(41), False),
    "normal41_symmetric": (ThetaWeights.normal(41), True),
}


@pytest.mark.parametrize("run", RUNS)
def test_plink_says_the_same_of_the_forms_of_kolen_and_brennan(run: str) -> None:
    X, Y = forms()
    reference = json.loads((shared_folder() / "reference" / "kb04_linking.json").read_text(encoding="utf-8"))
    weights, symmetric = RUNS[run]
    for row in reference["runs"][run]:
        method = row["method"].lower().replace("/", "-")
        link = link_scales(
            X,
            Y,
            new_scale=ON_LOGITS,
            base_scale=ON_LOGITS,
            method=method,
            weights=weights,
            new_weights=weights,
            symmetric=symmetric,
        )
        assert len(link.anchors) == 12
        A, B = link.A, link.B
        if method in {"mean-mean", "mean-sigma"}:  # plink rounds means and standard deviations before it uses them
            A, B = rounded_moments(X, Y, set(link.anchors), method)
            assert (pytest.approx(A, abs=1e-6), pytest.approx(B, abs=1e-6)) == (link.A, link.B)
        assert (round(A, 6), round(B, 6)) == (row["A"], row["B"])


def rounded_moments(
    X: list[ItemParameters], Y: list[ItemParameters], common: set[str], method: str
) -> tuple[float, float]:
    a_X, a_Y = (round(float(np.mean([item.a for item in items if item.id in common])), 6) for items in (X, Y))
    b_X, b_Y = ([item.b[0] for item in items if item.id in common] for items in (X, Y))
    A = a_X / a_Y if method == "mean-mean" else round(float(np.std(b_Y)), 6) / round(float(np.std(b_X)), 6)
    return A, round(float(np.mean(b_Y)), 6) - A * round(float(np.mean(b_X)), 6)


@pytest.mark.parametrize(
    ("key", "weights"), [("normal41", ThetaWeights.normal(41)), ("equal40", ThetaWeights.uniform())]
)
def test_direct_minimisation_of_the_criterion_finds_no_less(key: str, weights: ThetaWeights) -> None:
    X, Y = forms()
    reference = json.loads((shared_folder() / "reference" / "kb04_linking.json").read_text(encoding="utf-8"))["base_R"]
    for method, name in (("haebara", "Haebara"), ("stocking-lord", "StockingLord")):
        link = link_scales(X, Y, new_scale=ON_LOGITS, base_scale=ON_LOGITS, method=method, weights=weights)
        row = reference[key][name]
        assert link.criterion is not None
        assert link.criterion <= row["criterion"] + 1e-14
        assert link.criterion == pytest.approx(row["criterion"], abs=1e-10)
        assert (pytest.approx(row["A"], abs=3e-6), pytest.approx(row["B"], abs=3e-6)) == (link.A, link.B)
    assert (
        pytest.approx(reference["mean_sigma_population_sd"]["A"], abs=1e-12) == link_scales(X, Y, method="mean-sigma").A
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_items_of_every_model_are_brought_back_exactly(method: str, symmetric: bool) -> None:
    A, B = 1.3, -0.7
    base = transform_items(EVERY_MODEL, A, B, scale=Scale(D=1.7), D=1.0)
    link = link_scales(EVERY_MODEL, base, new_scale=Scale("new", D=1.7), method=method, symmetric=symmetric)
    assert (pytest.approx(A, abs=1e-7), pytest.approx(B, abs=1e-7)) == (link.A, link.B)
    nominal_has_thresholds = method in {"haebara", "stocking-lord"}
    assert ("nrm" in link.anchors) == nominal_has_thresholds
    assert ("no thresholds" in link.dropped.get("nrm", "")) != nominal_has_thresholds
    for one, other in zip(link.items(EVERY_MODEL), base, strict=True):
        np.testing.assert_allclose(parameter_vector(one), parameter_vector(other), atol=1e-6)


def test_a_far_away_scale_is_found_from_nominal_items_alone() -> None:
    rng = np.random.default_rng(8)
    items = [
        ItemParameters(f"n{j}", "NRM", slopes=(0.0, *rng.normal(0.8, 0.5, 2)), intercepts=(0.0, *rng.normal(0, 1, 2)))
        for j in range(8)
    ]
    base = transform_items(items, 0.6, 2.2)
    for method in ("haebara", "stocking-lord"):
        weights = ThetaWeights.normal(mean=2.0)
        link = link_scales(items, base, method=method, weights=weights)
        assert (pytest.approx(0.6, abs=1e-6), pytest.approx(2.2, abs=1e-6)) == (link.A, link.B)


def test_rasch_scales_keep_their_unit_and_b_is_the_mean_difference() -> None:
    rng = np.random.default_rng(2)
    b, noise = rng.normal(size=10), rng.normal(0, 0.2, 10)
    new = [ItemParameters(f"r{j}", "Rasch", b=(float(one),), se={"b": 0.1 + 0.01 * j}) for j, one in enumerate(b)]
    base = [ItemParameters(f"r{j}", "Rasch", b=(float(one),), se={"b": 0.2}) for j, one in enumerate(b + 0.8 + noise)]
    for method in ("mean-mean", "mean-sigma"):
        link = link_scales(new, base, method=method)
        assert link.A == 1.0
        assert pytest.approx(0.8 + noise.mean(), abs=1e-12) == link.B
        assert link.se is not None
        expected = np.sqrt(sum((0.1 + 0.01 * j) ** 2 + 0.2**2 for j in range(10))) / 10
        assert link.se == (0.0, pytest.approx(expected, abs=1e-12))
    for method in ("haebara", "stocking-lord"):
        link = link_scales(new, base, method=method)
        assert link.A == 1.0
        assert pytest.approx(0.8 + noise.mean(), abs=0.05) == link.B
    free = link_scales(new, base, method="mean-sigma", fixed_slope=False)
    assert pytest.approx((b + noise).std() / b.std(), abs=1e-12) == free.A


def relinked_derivatives(new: list[ItemParameters], base: list[ItemParameters], **how: object) -> np.ndarray:
    """Covariance of A and B by linking again with every parameter moved: independent of the analytic derivatives."""
    total = np.zeros((2, 2))
    h = 1e-4
    for which in (0, 1):
        for j, item in enumerate((new, base)[which]):
            block = covariance_block(item)
            assert block is not None
            columns = []
            for e in h * np.eye(len(block)):
                sides = []
                for sign in (1, -1):
                    forms_ = [list(new), list(base)]
                    forms_[which][j] = with_parameters(item, parameter_vector(item) + sign * e)
                    link = link_scales(*forms_, fixed_slope=False, errors=False, **how)  # type: ignore[arg-type]
                    sides.append(np.array([link.A, link.B]))
                columns.append((sides[0] - sides[1]) / (2 * h))
            part = np.stack(columns, axis=1) @ square_root(block)
            total += part @ part.T
    return total


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("symmetric", [False, True])
def test_errors_of_the_constants_are_those_of_linking_again(method: str, symmetric: bool) -> None:
    rng = np.random.default_rng(4)
    new = [with_covariance(item, rng) for item in EVERY_MODEL if item.model in {"2PL", "3PL", "GPCM", "GRM", "NRM"}]
    base = [
        with_parameters(
            one,
            parameter_vector(one) + square_root(np.array(one.covariance)) @ rng.normal(size=len(one.covariance)) * 0.5,
        )
        for one in transform_items(new, 1.2, 0.3)
    ]
    how = {
        "method": method,
        "symmetric": symmetric,
        "weights": ThetaWeights.normal(21),
        "new_weights": ThetaWeights.normal(15),
    }
    link = link_scales(new, base, fixed_slope=False, **how)  # type: ignore[arg-type]
    kept = [[item for item in items if item.id in link.anchors] for items in (new, base)]
    covariance = relinked_derivatives(*kept, **how)
    np.testing.assert_allclose(link.covariance, covariance, rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_a_bootstrap_agrees(method: str) -> None:
    rng = np.random.default_rng(10)
    new = [with_covariance(item, rng, 0.08) for item in three_parameter_items(12, rng)]
    base = list(transform_items(new, 1.1, -0.3))

    def constants(ours: Sequence[ItemParameters], theirs: Sequence[ItemParameters]) -> np.ndarray:
        link = link_scales(ours, theirs, method=method, errors=False)
        return np.array([link.A, link.B])

    se = link_scales(new, base, method=method).se
    drawn = bootstrap_errors(new, base, constants, replications=150, seed=3)
    assert se is not None
    np.testing.assert_allclose(drawn, se, rtol=0.17)  # 150 draws: the error of an SD is 6 %


def test_without_standard_errors_the_constants_have_none_and_it_is_said() -> None:
    base = transform_items(EVERY_MODEL, 1.1, 0.2)
    link = link_scales(EVERY_MODEL, base)
    assert link.se is None
    assert any("not known" in note for note in link.notes)


def test_what_cannot_be_linked_is_refused_with_the_reason() -> None:
    items = three_parameter_items(4, np.random.default_rng(0))
    with pytest.raises(LinkError, match="no items in common"):
        link_scales(items, [replace(item, id=f"other-{item.id}") for item in items])
    with pytest.raises(LinkError, match="anchor 'z' is not among the items of the new scale"):
        link_scales(items, items, anchors=["z"])
    with pytest.raises(LinkError, match="method 'linear' is not known"):
        link_scales(items, items, method="linear")
    with pytest.raises(LinkError, match="1 anchor left of 1; at least 2"):
        link_scales(items, items, anchors=[items[0].id])
    same = [replace(item, b=(0.5,)) for item in items]
    with pytest.raises(LinkError, match="different difficulty"):
        link_scales(same, same, method="mean-sigma")
    graded = [ItemParameters(item.id, "GRM", a=1.0, b=(0.0, 1.0)) for item in items]
    with pytest.raises(LinkError, match="i00, i01, i02 and 1 more: dichotomous on the new scale, graded"):
        link_scales(items, graded)


def test_weights_must_be_weights() -> None:
    with pytest.raises(LinkError, match="same length"):
        ThetaWeights.given([0.0, 1.0], [1.0])
    with pytest.raises(LinkError, match="from 0"):
        ThetaWeights.given([0.0, 1.0], [1.0, -1.0])
    weights = ThetaWeights.of(Scale(mean=1.0, sd=2.0))
    assert weights.weights.sum() == pytest.approx(1)
    assert weights.nodes @ weights.weights == pytest.approx(1.0)
    assert ((weights.nodes - 1) ** 2) @ weights.weights == pytest.approx(4.0, rel=2e-3)


def test_the_link_prints_itself() -> None:
    rng = np.random.default_rng(1)
    items = [with_covariance(item, rng) for item in three_parameter_items(6, rng)]
    link: Link = link_scales(items, transform_items(items, 2.0, 1.0))
    assert str(link).startswith("stocking-lord: A = 2.000000 (SE ")
    assert link.scale.sd == pytest.approx(2.0)
    assert link.document()["anchors"] == [item.id for item in items]
