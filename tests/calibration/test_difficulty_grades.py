"""Priors from writers' difficulty grades: the regression by hand, and its worth to an item with few responses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from calibration import (
    CalibrationError,
    Graded,
    ItemParameters,
    LogNormal,
    Normal,
    Priors,
    calibrate,
    grade_priors,
    read_grades,
)
from tests.calibration.simulated import draw, responses_to


def bank(n: int, seed: int = 1) -> tuple[list[ItemParameters], dict[str, Graded]]:
    """Items whose b is -1 + 0.6 · grade (single choice) or 0.5 + 0.2 · grade (essay), each ± 0.4."""
    rng = np.random.default_rng(seed)
    items, grades = [], {}
    for j in range(n):
        grade, kind = float(rng.integers(1, 6)), "essay" if j % 3 == 0 else "choice"
        mean = 0.5 + 0.2 * grade if kind == "essay" else -1 + 0.6 * grade
        items.append(ItemParameters(f"K{j}", "2PL", 1.0, (float(mean + rng.normal(0, 0.4)),)))
        grades[f"K{j}"] = Graded(grade, kind)
    return items, grades


def test_the_priors_are_the_regression_by_type() -> None:
    items, grades = bank(90)
    asked = {"N1": Graded(3, "choice"), "N2": Graded(5, "essay"), "N3": Graded(2, "matching")}
    found = grade_priors(items, grades | asked, ["N1", "N2", "N3", "N4"])
    assert (found.n, found.weak, found.flags) == (90, False, ())
    assert set(found.priors) == {"N1", "N2", "N3"}  # without a grade, no prior
    squares = 0.0
    for name, kind in (("N1", "choice"), ("N2", "essay")):
        of_kind = [item for item in items if grades[item.id].type == kind]
        x, y = np.array([grades[item.id].grade for item in of_kind]), np.array([item.b[0] for item in of_kind])
        line = stats.linregress(x, y)
        squares += float(((y - line.intercept - line.slope * x) ** 2).sum())
        prior = found.priors[name].b
        assert prior is not None
        assert prior.mean == pytest.approx(line.intercept + line.slope * asked[name].grade, abs=1e-9)
    assert found.residual_sd == pytest.approx(np.sqrt(squares / (90 - 4)), abs=1e-9)
    assert found.residual_sd == pytest.approx(0.4, abs=0.08)
    assert found.priors["N1"].b == Normal(found.priors["N1"].b.mean, found.residual_sd)  # type: ignore[union-attr]


def test_a_few_calibrated_items_make_a_weak_prior_and_say_so() -> None:
    items, grades = bank(29)
    found = grade_priors(items, grades | {"N": Graded(3, "choice")}, ["N"])
    assert found.weak
    assert found.priors == {"N": Priors(b=Normal(float(np.mean([item.b[0] for item in items])), 2.0))}
    assert [flag.code for flag in found.flags] == ["grade-prior-weak"]
    assert "29 calibrated items have grades, 30 are needed" in found.flags[0].message
    assert not grade_priors(*bank(30), ["K0"]).weak


def test_an_item_of_forty_responses_is_nearer_the_truth_with_its_grade() -> None:
    known, grades = bank(120)
    rng = np.random.default_rng(7)
    new, error = [], {"grade": 0.0, "alone": 0.0}
    for j in range(30):
        grade = float(rng.integers(1, 6))
        new.append(ItemParameters(f"N{j}", "2PL", 1.0, (float(-1 + 0.6 * grade + rng.normal(0, 0.4)),)))
        grades[f"N{j}"] = Graded(grade, "choice")
    anchors = known[:20]
    scores = draw(rng, [*anchors, *new], rng.standard_normal(40))
    slope = Priors(a=LogNormal(0, 0.3))
    by_grade = grade_priors(known, grades, [item.id for item in new]).priors
    for name, priors in (("alone", {"*": slope}), ("grade", {"*": slope} | dict(by_grade))):
        result = calibrate(responses_to([*anchors, *new], scores), anchors=anchors, priors=priors)
        found = {item.id: item for item in result.items}
        error[name] = float(
            np.sqrt(np.mean([(found[item.id].b[0] - item.b[0]) ** 2 for item in new if item.id in found]))
        )
        if name == "grade":
            z = [(found[item.id].b[0] - item.b[0]) / found[item.id].se["b"] for item in new if item.id in found]
            assert 0.6 < np.std(z) < 1.5
    assert error["grade"] < 0.42
    assert error["grade"] < 0.75 * error["alone"]


def test_grades_are_read_with_what_is_wrong_by_row(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    path.write_text("item,grade,type\nQ1,3,choice\nQ2,4.5,\n", encoding="utf-8")
    assert read_grades(path) == {"Q1": Graded(3, "choice"), "Q2": Graded(4.5)}
    for text, message in (
        ("item,grade\nQ1,hard\n", "row 2, item Q1: grade 'hard' is not a number"),
        ("item,grade\nQ1,3\nQ1,4\n", "row 3: item Q1 stands twice"),
        ("name,grade\nQ1,3\n", "row 2: no item; expected columns item, grade and type"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CalibrationError, match=message):
            read_grades(path)
