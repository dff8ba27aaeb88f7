"""Pools: what a file says, what is refused with row and column, and which items a condition means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import Scale
from engine import Pool, PoolError, read_pool
from tests.engine.samples import item, random_rows, sample_pool


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


def test_a_file_gives_parameters_attributes_and_several_values_in_a_cell(tmp_path: Path) -> None:
    text = "id,a,b,c,type,tags,enemies\nq2,1.5,-0.25,,single,x;y,q1\nq1,,,,multiple,,\n"
    pool = read_pool(write(tmp_path / "pool.csv", text), scale=Scale(D=1.7))
    assert pool.ids == ("q1", "q2")
    assert pool.calibrated.tolist() == [False, True]
    assert (pool.parameters.a[1], pool.parameters.b[1], pool.parameters.c[1], pool.parameters.d[1]) == (
        1.5,
        -0.25,
        0.0,
        1.0,
    )
    assert pool.parameters.D == 1.7
    assert pool.column("type") == ("multiple", "single")
    assert pool.column("tags") == (None, ("x", "y"))
    assert pool.column("enemies") == ((), ("q1",))


def test_a_file_from_a_spreadsheet_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read_pool(write(tmp_path / "pool.csv", "id,type\n题一,single\n", "utf-8-sig")).ids == ("题一",)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    pool = sample_pool()
    pool.write_csv(tmp_path / "pool.csv")
    again = read_pool(tmp_path / "pool.csv")
    assert len(again) == 570
    assert again.attributes == pool.attributes
    assert np.array_equal(again.parameters.a, pool.parameters.a, equal_nan=True)
    assert np.array_equal(again.parameters.b, pool.parameters.b, equal_nan=True)
    assert again.digest == pool.digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1: no column 'id'; it has no header"),
        ("item,a\nq1,1\n", "row 1: no column 'id'; it has item, a"),
        ("id,type,type\nq1,x,y\n", "row 1: column 'type' stands twice"),
        ("id,a\n", "no items below the header"),
        ("id,a\nq1,1\nq2,one\n", "row 3, column a: 'one' is not a number"),
        ("id,b\nq1,nan\n", "row 2, column b: 'nan' is not a number"),
        ("id,b\nq1,-inf\n", "row 2, column b: '-inf' is not a number"),
        ("id,a,b,c,d\nq1,1,0,0.9,0.2\n", "item 'q1': c = 0.9, d = 0.2; needed is 0 ≤ c < d ≤ 1"),
        ("id,a,b\nq1,1,0\nq2,1\n", "row 3: the row has another number of cells than the header"),
        ("id,a\nq1,1,9\n", "row 2: the row has another number of cells than the header"),
        ("id,a\nq1,1\n ,1\n", "row 3, column id: empty; every item needs an id"),
        ("id,a\nq1,1\nq2,1\nq1,2\n", "row 4, column id: 'q1' stands in row 2 already"),
    ],
)
def test_a_file_that_is_no_pool_is_refused_with_row_and_column(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "pool.csv", text)
    with pytest.raises(PoolError) as caught:
        read_pool(path)
    assert str(caught.value) in {f"{path}, {message}", f"{path}: {message}"}


def test_a_file_in_another_encoding_is_refused_with_the_byte(tmp_path: Path) -> None:
    path = write(tmp_path / "pool.csv", "id,type\nq1,单选\n", "gbk")
    with pytest.raises(PoolError, match="not UTF-8 at byte 11; save the file as UTF-8 CSV"):
        read_pool(path)


def test_rows_without_or_with_the_same_id_are_refused() -> None:
    with pytest.raises(PoolError, match="item 2: no id"):
        Pool.from_rows([item("q1"), {"a": 1.0}])
    with pytest.raises(PoolError, match="item 'q1' stands twice in the pool"):
        Pool.from_rows([item("q1"), item("q2"), item("q1")])


POOL = Pool.from_rows(
    [
        item("q1", type="single", grade="1", point="A-001", tags=("law", "ethics")),
        item("q2", type="single", grade=3.0, point="A-002", tags="law"),
        item("q3", type="multiple", grade="5", point="B-001", tags=None),
        item("q4", type="true_false", grade=None, point=None, tags=("data", "law")),
    ]
)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, "q1 q2 q3 q4"),
        ({"type": "single"}, "q1 q2"),
        ({"type": ["single", "multiple"]}, "q1 q2 q3"),
        ({"type": "single", "grade": 3}, "q2"),
        ({"grade": 1}, "q1"),
        ({"grade": "3"}, "q2"),
        ({"grade": {"min": 3}}, "q2 q3"),
        ({"grade": {"min": 1, "max": 3}}, "q1 q2"),
        ({"point": {"prefix": "A-"}}, "q1 q2"),
        ({"point": ""}, "q4"),
        ({"tags": "law"}, "q1 q2 q4"),
        ({"tags": ["ethics", "data"]}, "q1 q4"),
        ({"not": {"type": "single"}}, "q3 q4"),
        ({"any": [{"type": "multiple"}, {"grade": 1}]}, "q1 q3"),
        ({"any": []}, ""),
        ({"not": {"any": [{"type": "multiple"}, {"tags": "ethics"}]}, "grade": {"max": 4}}, "q2"),
    ],
)
def test_a_condition_means_these_items(condition: dict[str, object], expected: str) -> None:
    assert [POOL.ids[j] for j in np.flatnonzero(POOL.where(condition))] == expected.split()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"tipe": "single"}, "the pool has no column 'tipe'; did you mean 'type'?"),
        ({"colour": "red"}, "the pool has no column 'colour'; it has type, section, point, grade"),
        ({"type": "singel"}, "no item has type = 'singel'; did you mean 'single'?"),
        ({"grade": 9}, "no item has grade = '9'"),
        ({"grade": {"mim": 3}}, "grade = {'mim': 3}: expected min and/or max, or prefix alone"),
        ({"grade": {"min": "3"}}, "min and max are numbers"),
        ({"not": "single"}, "not = 'single': expected a condition"),
        ({"any": {"type": "single"}}, "expected a list of conditions"),
        ({"any": ["single"]}, "any = 'single': expected a condition"),
    ],
)
def test_a_condition_on_nothing_is_refused(condition: dict[str, object], message: str) -> None:
    with pytest.raises(PoolError) as caught:
        POOL.where(condition)
    assert message in str(caught.value)


def test_a_lenient_condition_on_a_value_nobody_has_means_no_item() -> None:
    assert not POOL.where({"type": "essay"}, strict=False).any()
    assert POOL.where({"not": {"type": "essay"}}, strict=False).all()


@given(seed=st.integers(0, 50), order=st.randoms(use_true_random=False))
def test_the_digest_does_not_hang_on_the_order_of_rows(seed: int, order: object) -> None:
    rows = random_rows(seed, 8)
    pool = Pool.from_rows(rows)
    order.shuffle(rows)  # type: ignore[attr-defined]
    assert Pool.from_rows(rows).digest == pool.digest


@given(data=st.data())
def test_any_changed_cell_changes_the_digest(data: st.DataObject) -> None:
    rows = random_rows(1, 6)
    before = Pool.from_rows(rows).digest
    row = data.draw(st.sampled_from(rows))
    name = data.draw(st.sampled_from(["id", "a", "b", "type", "section", "point", "grade", "flagged", "enemies"]))
    value = row[name]
    changed = value + 1e-6 if isinstance(value, float) else (*value, "z") if isinstance(value, tuple) else f"{value}z"
    row[name] = changed
    assert Pool.from_rows(rows).digest != before


def test_an_item_that_loses_its_parameters_changes_the_digest() -> None:
    rows = random_rows(1, 6)
    before = Pool.from_rows(rows).digest
    rows[2] |= {"a": None, "b": None}
    assert Pool.from_rows(rows).digest != before


def test_true_in_a_condition_is_yes_in_the_pool() -> None:
    pool = Pool.from_rows(
        [{"id": "q1", "flagged": "yes"}, {"id": "q2", "flagged": "no"}, {"id": "q3", "flagged": True}]
    )
    assert pool.where({"flagged": True}).tolist() == [True, False, True]
    assert pool.where({"flagged": False}).tolist() == [False, True, False]
