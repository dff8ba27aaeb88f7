"""The reference form: its cut against the equation that defines it, its percentages, and how it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration import (
    ItemParameters,
    ParameterTable,
    ReferenceForm,
    Scale,
    ScaleError,
    read_reference,
)
from tests.calibration.scoring.forms import MIXED, category_probabilities, two_parameter_items
from tests.calibration.simulated import Array


@given(
    a=arrays(float, 5, elements=st.floats(0.3, 2.5)),
    b=arrays(float, 5, elements=st.floats(-3, 2)),
    marks=arrays(float, 5, elements=st.sampled_from([0.5, 1.0, 2.0, 0.37])),
    share=st.floats(0.2, 0.9),
    D=st.sampled_from([1.0, 1.702]),
)
def test_at_the_cut_the_stated_share_of_the_marks_is_expected(
    a: Array, b: Array, marks: Array, share: float, D: float
) -> None:
    scale = Scale(D=D)
    form = ReferenceForm.of(two_parameter_items(a, b), scale, marks)
    T = form.expected_marks([-6, 6])
    if not T[0] < share * form.total < T[1]:
        with pytest.raises(ScaleError, match="is never reached"):
            form.cut(share)
        return
    cut = form.cut(share)
    assert float(form.expected_marks(cut)[0]) == pytest.approx(share * marks.sum(), abs=1e-9)
    assert float(form.percent(cut)[0]) == pytest.approx(100 * share, abs=1e-8)


def test_expected_marks_are_the_sum_by_hand() -> None:
    items = two_parameter_items(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    form = ReferenceForm.of(items, marks=[0.5, 1.0])
    # At theta = 1: 0.5 · 1/(1 + e⁻¹) + 1 · 0.5 = 0.8655293 of 1.5 marks
    assert form.expected_marks(1.0)[0] == pytest.approx(0.8655293, abs=1e-7)
    assert form.percent(1.0)[0] == pytest.approx(57.7019524, abs=1e-6)
    # T' = 0.5 · 1 · P Q + 1 · 2 · ¼ = 0.0983060 + 0.5
    assert form.marks_slope(1.0)[0] == pytest.approx(0.5983060, abs=1e-7)
    assert form.percent_se(1.0, 0.3)[0] == pytest.approx(100 * 0.5983060 * 0.3 / 1.5, abs=1e-5)
    # Var of the marks: 0.25 · P Q + 1 · ¼
    assert form.conditional_sem(1.0)[0] == pytest.approx((0.25 * 0.1966119 + 0.25) ** 0.5, abs=1e-7)


def test_items_of_any_models_have_marks_for_each_category() -> None:
    items = [replace(item, marks=tuple(0.5 * k for k in range(item.categories))) for item in MIXED]
    items[4] = replace(items[4], marks=(0.0, 2.0, 2.0, 5.0))
    form = ReferenceForm.of(items)
    for theta in (-1.0, 0.4):
        marks = [np.array(item.category_marks) for item in items]
        P = [category_probabilities(item, theta) for item in items]
        wanted = sum(float(p @ m) for p, m in zip(P, marks, strict=True))
        variance = sum(float(p @ m**2 - (p @ m) ** 2) for p, m in zip(P, marks, strict=True))
        assert form.expected_marks(theta)[0] == pytest.approx(wanted, abs=1e-12)
        assert form.conditional_sem(theta)[0] == pytest.approx(variance**0.5, abs=1e-12)
    assert form.total == 4 * 0.5 + 5.0 + 1.0 + 1.5 + 1.0
    assert form.item_marks.tolist() == [0.5, 0.5, 0.5, 0.5, 5.0, 1.0, 1.5, 1.0]
    twice = ReferenceForm.of(items, marks=2 * form.item_marks)
    np.testing.assert_allclose(twice.expected_marks([0.0, 1.0]), 2 * form.expected_marks([0.0, 1.0]))
    assert twice.cut(0.6) == pytest.approx(form.cut(0.6), abs=1e-12)


def test_a_form_of_a_table_is_the_form_of_its_items() -> None:
    scale = Scale(D=1.7)
    items = [*MIXED[:4]]
    table = ParameterTable.of(items, scale)
    one, other = ReferenceForm.of_table(table, [1, 2, 0.5, 1]), ReferenceForm.of(items, scale, [1, 2, 0.5, 1])
    theta = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(one.expected_marks(theta), other.expected_marks(theta), atol=1e-12)
    assert one.cut() == pytest.approx(other.cut(), abs=1e-9)


def test_a_cut_follows_the_scale_of_the_population() -> None:
    form = ReferenceForm.of(
        two_parameter_items(np.full(3, 0.5), np.array([18.0, 20.0, 22.0])), Scale(mean=20, sd=4), np.ones(3)
    )
    assert form.cut(0.5) == pytest.approx(20.0, abs=1e-9)


def test_a_form_that_does_not_increase_has_no_cut() -> None:
    form = ReferenceForm.of(two_parameter_items(np.array([0.3, -2.0]), np.zeros(2)), marks=np.ones(2))
    with pytest.raises(
        ScaleError, match="do not increase with ability on the reference form; remove items with a <= 0"
    ):
        form.cut()


def test_a_form_so_steep_that_it_is_flat_elsewhere_has_a_cut() -> None:
    form = ReferenceForm.of(two_parameter_items(np.full(5, 40.0), np.linspace(-1, 1, 5)))
    assert float(form.expected_marks(form.cut(0.5))[0]) == pytest.approx(2.5, abs=1e-9)


@pytest.mark.parametrize(
    ("marks", "message"), [([1.0], "marks for 1 items, but the form has 2"), ([1.0, -1.0], "item item2: marks of -1")]
)
def test_marks_that_fit_no_form_are_refused(marks: list[float], message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        ReferenceForm.of(two_parameter_items(np.ones(2), np.zeros(2)), marks=marks)


def csv_file(folder: Path, text: str) -> Path:
    path = folder / "form.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_form_is_read_from_a_table_of_items_and_marks(tmp_path: Path) -> None:
    form = read_reference(csv_file(tmp_path, "item,marks\ntwo,2\npartial,0;1;1.5;4\ngeneral,1\n"), MIXED)
    assert form.curves.ids == ("two", "partial", "general")
    assert form.curves.marks.tolist() == [0, 2, 0, 1, 1.5, 4, 0, 0.5, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,points\ntwo,2\n", "row 1: expected the columns item,marks"),
        ("", "row 1: expected the columns item,marks"),
        ("item,marks\n", "no items below the header"),
        ("item,marks\nnone,2\n", "row 2, column item: 'none' has no parameters"),
        ("item,marks\ntwo,2\ntwo,2\n", "row 3, column item: 'two' stands twice"),
        ("item,marks\ntwo,much\n", "row 2, column marks: 'much'; expected a number above 0"),
        ("item,marks\ntwo,0\n", "row 2, column marks: '0'; expected a number above 0"),
        ("item,marks\ntwo,nan\n", "row 2, column marks: 'nan'"),
        ("item,marks\npartial,0;1\n", "row 2, column marks: 2 marks, but item 'partial' has 4 categories"),
        ("item,marks\ntwo\n", "row 2: 1 cells, the header has 2"),
    ],
)
def test_what_is_wrong_with_a_form_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScaleError, match=message):
        read_reference(csv_file(tmp_path, text), MIXED)


def test_a_form_is_read_from_parameters(tmp_path: Path) -> None:
    items = two_parameter_items(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    path = tmp_path / "form.json"
    saved(path, items)
    form = read_reference(path, scale=Scale())
    np.testing.assert_allclose(form.expected_marks([0.5]), ReferenceForm.of(items).expected_marks([0.5]))
    with pytest.raises(ScaleError, match="the form is on scale 'theta', the scores on 'other': link them first"):
        read_reference(path, scale=Scale(id="other"))


def saved(path: Path, items: list[ItemParameters]) -> None:
    """A parameter file as a calibration writes it."""
    import json
    from dataclasses import asdict

    rows = [{name: value for name, value in asdict(item).items() if value is not None} for item in items]
    path.write_text(json.dumps({"scale": asdict(Scale()), "items": rows}), encoding="utf-8")
