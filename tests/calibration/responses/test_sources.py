"""The same responses from every kind of source, wide and long, are the same."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibration import Responses, ResponsesError, item_statistics, read_responses
from tests.calibration.responses.same import assert_same

SLOW_OK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELLS = {0: "0", 1: "1", 2: "2", -1: "", -2: "@NR"}


@dataclass(frozen=True)
class Data:
    """Cells (N, J): a score, -1 empty, -2 not reached; and what is known of each person."""

    cells: np.ndarray
    weight: np.ndarray
    form: list[str]
    group: list[str]
    order: np.ndarray  # of the rows of the long table

    def wide(self) -> dict[str, list[Any]]:
        head = {"person": self.persons, "Weight": self.weight.tolist(), "form": self.form, "group": self.group}
        return head | {f"Q{j}": [CELLS[c] for c in self.cells[:, j].tolist()] for j in range(self.cells.shape[1])}

    def long(self) -> dict[str, list[Any]]:
        """A row for each response: for each pair of a person and an item of the person's form."""
        N, J = self.cells.shape
        on = {f: (self.cells[[g == f for g in self.form]] != -1).any(axis=0) for f in self.form}
        pairs = [(i, j) for i in range(N) for j in range(J) if on[self.form[i]][j]]
        pairs = [pairs[k] for k in np.argsort(self.order[: len(pairs)])]
        return {
            "score": [CELLS[int(self.cells[i, j])] for i, j in pairs],
            "item": [f"Q{j}" for _, j in pairs],
            "person": [self.persons[i] for i, _ in pairs],
            "form": [self.form[i] for i, _ in pairs],
            "group": [self.group[i] for i, _ in pairs],
            "weight": [float(self.weight[i]) for i, _ in pairs],
        }

    @property
    def persons(self) -> list[str]:
        return [f"p{i}" for i in range(len(self.form))]


@st.composite
def data(draw: st.DrawFn) -> Data:
    N, J = draw(st.integers(2, 6)), draw(st.integers(2, 4))
    cells = np.array(draw(st.lists(st.sampled_from([0, 1, 2, -1, -2]), min_size=N * J, max_size=N * J))).reshape(N, J)
    cells[0] = 1  # somebody answered something
    cells[:, 0] = np.abs(cells[:, 0])  # everybody has a row
    return Data(
        cells,
        np.array(draw(st.lists(st.sampled_from([1.0, 2.0, 0.5]), min_size=N, max_size=N))),
        draw(st.lists(st.sampled_from(["A", "B"]), min_size=N, max_size=N)),
        draw(st.lists(st.sampled_from(["g", "h"]), min_size=N, max_size=N)),
        np.array(draw(st.permutations(range(N * J)))),
    )


def write_csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@SLOW_OK
@given(data())
def test_wide_and_long_csv_parquet_and_tables_are_the_same(tmp_path_factory: pytest.TempPathFactory, d: Data) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    folder = tmp_path_factory.mktemp("same")
    wide, long = d.wide(), d.long()
    expected = read_responses(write_csv(folder / "wide.csv", wide))
    assert expected.counts["answered"] == int((d.cells >= 0).sum())
    for columns in (wide, long):
        pq.write_table(pa.table(columns), folder / "x.parquet")
        for source in (
            write_csv(folder / "x.csv", columns),
            folder / "x.parquet",
            pa.table(columns),
            pandas.DataFrame(columns),
            polars.DataFrame(columns),
            {name: np.array(values) for name, values in columns.items()},
        ):
            assert_same(expected, read_responses(source))


@SLOW_OK
@given(data())
def test_numbers_of_every_type_read_like_text(d: Data) -> None:
    """Whole numbers, floats with NaN and nullable columns for gaps, categories for names."""
    pandas, polars, pa = pytest.importorskip("pandas"), pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    cells = np.where(d.cells < 0, np.nan, d.cells)
    expected = Responses.from_matrix(cells, [f"Q{j}" for j in range(cells.shape[1])], persons=d.persons)
    columns = {"person": d.persons} | {f"Q{j}": cells[:, j] for j in range(cells.shape[1])}
    person, item = np.nonzero(~np.isnan(cells))
    whole = cells[person, item].astype(np.int8)
    names, items = np.array(d.persons)[person], np.array(expected.items)[item]
    long = {"person": names, "item": items, "score": whole}
    for source in (
        columns,
        pandas.DataFrame(columns),
        pandas.DataFrame(columns).set_index("person"),
        pandas.DataFrame(columns).convert_dtypes(),
        polars.DataFrame(columns),
        long,
        pandas.DataFrame(long).astype({"person": "category", "item": "category"}),
        polars.DataFrame(long).with_columns(polars.col("item").cast(polars.Categorical)),
        pa.table(long | {"item": pa.array(items).dictionary_encode()}),
    ):
        read = read_responses(source)
        table = np.full(cells.shape, np.nan)
        table[np.ix_([d.persons.index(p) for p in read.persons], [expected.items.index(i) for i in read.items])] = (
            read.dense()
        )
        np.testing.assert_array_equal(table, expected.dense())
        assert read.shift == expected.shift
    np.testing.assert_array_equal(read_responses(cells).dense(), expected.dense())


@SLOW_OK
@given(data())
def test_a_weight_of_2_is_the_person_twice(d: Data) -> None:
    wide = d.wide()
    whole = np.array([1 + i % 2 for i in range(len(d.form))])
    repeated = {
        name: [v for v, w in zip(values, whole, strict=True) for _ in range(w)] for name, values in wide.items()
    }
    del repeated["Weight"], repeated["person"]
    once = read_responses(wide | {"Weight": whole.tolist()})
    twice = read_responses({name: np.array(values) for name, values in repeated.items()})
    np.testing.assert_array_equal(once.item_counts(), twice.item_counts())
    np.testing.assert_array_equal(once.category_counts(), twice.category_counts())
    for one, other in zip(item_statistics(once), item_statistics(twice), strict=True):
        assert one.n == other.n
        np.testing.assert_allclose(one.p_value, other.p_value, rtol=1e-12)
        np.testing.assert_allclose(one.point_biserial, other.point_biserial, rtol=1e-9, atol=1e-9)


def test_without_pyarrow_csv_and_arrays_are_read_and_parquet_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "x.csv"
    path.write_text("Q1,Q2\n1,0\n", encoding="utf-8")
    assert read_responses(path).score.tolist() == [1, 0]
    assert read_responses({"Q1": np.array([1]), "Q2": np.array([0])}).score.tolist() == [1, 0]
    with pytest.raises(ResponsesError, match=r"need pyarrow: pip install 'tiku\[tables\]', or give a CSV file"):
        read_responses(tmp_path / "x.parquet")


def test_a_folder_of_parquet_is_its_files_one_after_the_other(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for k in (2, 1):
        pq.write_table(pa.table({"person": [f"p{k}"], "item": ["Q1"], "score": [k - 1]}), tmp_path / f"{k}.parquet")
    read = read_responses(tmp_path)
    assert read.persons == ("p1", "p2")
    assert read.score.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Q1": [0, 1], "Q2": [1.5, 0]}, r"table, row 1, column Q2: '1\.5' is not a score"),
        ({"person": ["x", "x"], "item": ["a", "a"], "score": [1, 0]}, r"row 2: person 'x', item 'a' already stands in"),
        ({"person": ["x", None], "item": ["a", "a"], "score": [1, 0]}, r"table, row 2: the person is empty"),
        ({"Q1": [1, 0], "weight": [1.0, -1.0]}, r"table, row 2: weight '-1'; expected a number from 0"),
        ({"Q1": [[1], [0]]}, r"column 'Q1': list<.*> is neither numbers nor text"),
        ({"person": ["x"]}, r"no column of an item; expected one column an item"),
    ],
)
def test_mistakes_in_tables_are_reported_with_their_place(columns: dict[str, list[Any]], message: str) -> None:
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(ResponsesError, match=message):
        read_responses(pa.table(columns))


def test_a_file_that_is_not_parquet_is_said_not_to_be(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    path.write_bytes(b"person,Q1\n")
    with pytest.raises(ResponsesError, match=r"x\.parquet: cannot be read as Parquet"):
        read_responses(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResponsesError, match=r"no Parquet file in the folder"):
        read_responses(tmp_path / "empty")


def test_arrays_of_other_lengths_and_shapes_are_refused() -> None:
    with pytest.raises(ResponsesError, match=r"column 'b' has the shape \(2,\), the first has \(1,\)"):
        read_responses({"a": np.array([1]), "b": np.array([1, 0])})
    with pytest.raises(ResponsesError, match=r"an array of the shape \(3,\) is no table of scores"):
        read_responses(np.zeros(3))


def test_batches_are_read_as_the_table_they_make() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"person": ["a", "b", "c"], "Q1": [1, 0, 1], "Q2": [0, 0, 1]})
    from_batches = read_responses(iter(table.to_batches(max_chunksize=2)))
    np.testing.assert_array_equal(from_batches.dense(), read_responses(table).dense())
    assert from_batches.persons == ("a", "b", "c")
    with pytest.raises(ResponsesError, match="gave nothing; expected Arrow record batches"):
        read_responses(iter([]))
    with pytest.raises(ResponsesError, match="gave a dict"):
        read_responses(iter([{"person": "a"}]))  # type: ignore[list-item]


def test_what_holds_no_responses_is_named() -> None:
    with pytest.raises(ResponsesError, match="a int holds no responses: expected a path"):
        read_responses(7)  # type: ignore[arg-type]


def test_a_matrix_needs_a_name_of_its_own_for_every_column_and_row() -> None:
    scores = np.array([[1.0, 0], [0, 1]])
    with pytest.raises(ResponsesError, match="items: 'a' stands twice"):
        Responses.from_matrix(scores, ["a", "a"])
    with pytest.raises(ResponsesError, match="1 items for 2 columns"):
        Responses.from_matrix(scores, ["a"])
    with pytest.raises(ResponsesError, match="3 persons for 2 rows"):
        Responses.from_matrix(scores, ["a", "b"], persons=["x", "y", "z"])
