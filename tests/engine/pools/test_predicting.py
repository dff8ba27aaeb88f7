"""Predicted parameters: from the regression where enough items are calibrated, from the order of grades where not."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Pool, PoolError, Target, assemble
from engine.pools import with_predicted
from tests.engine.samples import item, small_blueprint


def graded(count: int, calibrated: int) -> Pool:
    """Items whose b is 0.5 · (grade - 3) exactly, the first of them calibrated with a = 1.2."""
    rows = []
    for j in range(count):
        grade = j % 5 + 1
        known = {"a": 1.2, "b": 0.5 * (grade - 3)} if j < calibrated else {"a": None, "b": None}
        rows.append(item(f"q{j:03d}", grade=str(grade), **known))
    return Pool.from_rows(rows)


def test_enough_calibrated_items_say_what_a_grade_is_worth() -> None:
    pool = with_predicted(graded(60, 40), "grade")
    grades = pool.numbers("grade")
    assert pool.predicted.sum() == 20
    assert pool.parameters.b == pytest.approx(0.5 * (grades - 3), abs=1e-9)
    assert pool.parameters.a[pool.predicted] == pytest.approx(1.2)


def test_too_few_leave_only_the_order_of_grades() -> None:
    pool = with_predicted(graded(50, 0), "grade")
    b, grades = pool.parameters.b, pool.numbers("grade")
    assert b.mean() == pytest.approx(0.0, abs=1e-12)
    assert b.std() == pytest.approx(0.7)
    assert np.corrcoef(b, grades)[0, 1] == pytest.approx(1.0)


def test_estimated_parameters_and_the_digest_stay() -> None:
    before = graded(60, 40)
    after = with_predicted(before, "grade")
    assert np.array_equal(after.parameters.b[:40], before.parameters.b[:40])
    assert after.digest == before.digest


def test_items_without_a_grade_stay_without_parameters_and_a_column_without_numbers_is_refused() -> None:
    rows = [item("q1", a=None, b=None, grade="2"), item("q2", a=None, b=None, grade=None)]
    assert with_predicted(Pool.from_rows(rows), "grade").predicted.tolist() == [True, False]
    with pytest.raises(PoolError, match="holds no numbers"):
        with_predicted(Pool.from_rows(rows), "section")


def test_papers_of_a_pool_without_parameters_are_parallel_by_predicted_information_and_say_so() -> None:
    pool = graded(120, 0)
    paper = small_blueprint(length=20, target=Target(predict="grade", goal=0.02))
    assembly = assemble(pool, paper, seed=1)
    assert assembly.predicted == 20
    assert assembly.forms[0].deviation <= 0.02
    assert assembly.pool_digest == pool.digest
