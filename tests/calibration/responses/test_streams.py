"""Responses in chunks: whole persons, one list of items, and the same blocks and statistics as of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import Responses, ResponsesError, item_statistics, read_responses, sort_by_person, stream_responses
from calibration.classical_stream import streamed_statistics
from calibration.estimation.block_stream import StreamedResponses, block_stream
from calibration.estimation.blocks import MISSING
from calibration.responses import NOT_REACHED

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def simulated(N: int, J: int, *, forms: int = 1, routed: int = 0, seed: int = 7) -> dict[str, Any]:
    """A long table: everybody the items of a form, or (`routed`) so many items each in an order of their own."""
    rng = np.random.default_rng(seed)
    theta, b = rng.standard_normal(N), rng.standard_normal(J)
    person, item = [], []
    for i in range(N):
        mine = (
            rng.choice(J, routed, replace=False) if routed else np.flatnonzero(np.arange(J) % (forms + 1) != i % forms)
        )
        person += [f"p{i}"] * len(mine)
        item += [f"I{j}" for j in mine]
    index = np.array([int(name[1:]) for name in item])
    ability = theta[[int(name[1:]) for name in person]]
    score = 1 + (rng.random(len(item)) < 1 / (1 + np.exp(b[index] - ability))) + (rng.random(len(item)) < 0.3)
    cells = np.where(rng.random(len(item)) < 0.03, "", score.astype(str))
    cells[rng.random(len(item)) < 0.02] = "@NR"
    group = [("g", "h")[int(name[1:]) // 50 % 2] for name in person]
    return {"person": person, "item": item, "score": cells, "group": group}


def table_of(streamed: StreamedResponses) -> np.ndarray:
    """Scores (N, J) above the item's lowest from blocks, NaN for gaps."""
    table = np.full((streamed.n_persons, len(streamed.items)), np.nan)
    for block in streamed.blocks:
        if block.row_start is not None:
            table[np.repeat(block.persons, np.diff(block.row_start)), block.items] = block.codes
        else:
            codes = np.where(block.codes == MISSING, np.nan, block.codes.astype(float))
            assert block.complete == (not np.isnan(codes).any())
            table[np.ix_(block.persons, block.items)] = codes
    for name, scores in streamed.scores.items():  # categories of an item with a score that nobody got
        column = table[:, streamed.items.index(name)]
        had = ~np.isnan(column)
        column[had] = np.array(scores)[column[had].astype(int)] - streamed.shift.get(name, 0)
    return table


def same_persons(chunks: list[Responses], whole: Responses) -> None:
    assert tuple(name for chunk in chunks for name in chunk.persons) == whole.persons


@pytest.mark.parametrize("design", [{"forms": 1}, {"forms": 3}, {"routed": 6}])
@pytest.mark.parametrize("rows", [1, 7, 500, 100_000])
def test_chunks_are_the_whole_cut_between_persons(tmp_path: Path, design: dict[str, int], rows: int) -> None:
    columns = simulated(60, 8, **design)
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=100)
    whole = read_responses(path, shift={})
    chunks = list(stream_responses(path, batch_rows=rows))
    same_persons(chunks, whole)
    assert {chunk.items for chunk in chunks} == {whole.items}
    assert len(chunks) > 1 or rows == 100_000
    np.testing.assert_array_equal(np.concatenate([chunk.dense() for chunk in chunks]), whole.dense())


@pytest.mark.parametrize("memory", [0, 700, 2**30])
@pytest.mark.parametrize("design", [{"forms": 1}, {"forms": 2}, {"routed": 6}])
def test_blocks_of_a_stream_are_the_responses(tmp_path: Path, design: dict[str, int], memory: int) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(simulated(200, 8 if "routed" not in design else 150, **design)), path)
    whole = read_responses(path, omitted="missing")
    assert whole.shift  # scores are 1, 2, 3
    streamed = block_stream(stream_responses(path, batch_rows=300, omitted="missing"), memory=memory)
    np.testing.assert_array_equal(table_of(streamed), whole.dense())
    assert streamed.shift == whole.shift
    assert streamed.counts == whole.counts | {"not_administered": streamed.counts["not_administered"]}
    used = whole.status != NOT_REACHED
    top = np.zeros(len(whole.items), int)
    np.maximum.at(top, whole.item[used], whole.score[used])
    kinds = np.array(
        [len(streamed.scores.get(name, range(max(k + 1, 2)))) for name, k in zip(whole.items, top, strict=True)]
    )
    np.testing.assert_array_equal(streamed.blocks.categories, kinds)
    of_person = np.full(streamed.n_persons, -1)
    for block in streamed.blocks:
        of_person[block.persons] = block.group
    np.testing.assert_array_equal(of_person, whole.group)
    assert streamed.groups == whole.groups


def test_statistics_of_a_stream_are_those_of_the_whole(tmp_path: Path) -> None:
    columns = simulated(400, 8, forms=2)
    columns["score"] = np.where(columns["score"] == "@NR", "1", columns["score"])  # so that forms are the only patterns
    path = tmp_path / "x.parquet"
    weight = [1.0 + int(name[1:]) % 3 for name in columns["person"]]
    pq.write_table(pa.table(columns | {"weight": weight}), path)
    expected = item_statistics(read_responses(path))
    found = streamed_statistics(block_stream(stream_responses(path, batch_rows=500), keep_weightless=True))
    for one, other in zip(found, expected, strict=True):
        assert (one.item, one.n, one.omitted, one.effective_n) == (
            other.item,
            other.n,
            other.omitted,
            other.effective_n,
        )
        np.testing.assert_allclose(one.p_value, other.p_value, rtol=1e-12)
        np.testing.assert_allclose(one.point_biserial, other.point_biserial, rtol=1e-10)


@pytest.mark.parametrize("routed", [6, 20])
def test_statistics_of_persons_alike_in_blocks_of_persons_unlike(tmp_path: Path, routed: int) -> None:
    columns = simulated(300, 100, routed=routed)
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path)
    expected = item_statistics(read_responses(path))
    found = streamed_statistics(block_stream(stream_responses(path)))
    np.testing.assert_allclose([s.n for s in found], [s.n for s in expected])
    np.testing.assert_allclose([s.p_value for s in found], [s.p_value for s in expected])
    np.testing.assert_allclose([s.point_biserial for s in found], [s.point_biserial for s in expected])


def test_a_wide_stream_knows_what_is_on_a_form_from_all_of_it(tmp_path: Path) -> None:
    columns = {"person": ["x", "y", "z"], "form": ["A", "A", "B"], "Q1": ["1", "0", "1"], "Q2": ["", "1", ""]}
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(columns), path)
    chunks = list(stream_responses(path, batch_rows=1))
    assert [chunk.counts["omitted"] for chunk in chunks] == [1, 0, 0]
    assert [chunk.counts["not_administered"] for chunk in chunks] == [0, 0, 1]
    streamed = block_stream(iter(chunks))
    np.testing.assert_array_equal(table_of(streamed), read_responses(path).dense())
    np.testing.assert_array_equal(streamed.omitted, [0, 1])


def test_a_person_may_go_on_in_the_next_file(tmp_path: Path) -> None:
    rows = {"person": [1, 1, 2, 2, 2, 3], "item": list("ababca"), "score": [1, 0, 1, 1, 0, 1]}
    for k, (first, last) in enumerate([(0, 3), (3, 4), (4, 6)]):
        part = {name: values[first:last] for name, values in rows.items()}
        pq.write_table(pa.table(part), tmp_path / f"{k}.parquet")
    for size in (1, 2, 100):
        chunks = list(stream_responses(tmp_path, batch_rows=size))
        same_persons(chunks, read_responses(rows))
        np.testing.assert_array_equal(np.concatenate([c.dense() for c in chunks]), read_responses(rows).dense())


def test_rows_of_a_person_that_stand_apart_are_found_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rows = {"person": ["x", "y", "y", "x"], "item": list("abab"), "score": [1, 0, 1, 1], "seconds": [1.5, 2, 3, 4]}
    pq.write_table(pa.table(rows), path)
    for size in (1, 2, 100):
        with pytest.raises(ResponsesError, match=r"x\.parquet, row 4: the person of row 1 stands here again; sort"):
            next(stream_responses(path, batch_rows=size))
    sort_by_person(path, tmp_path / "sorted" / "y.parquet", parts=3)
    sorted_rows = read_responses(tmp_path / "sorted" / "y.parquet")
    assert sum(len(chunk.persons) for chunk in stream_responses(tmp_path / "sorted" / "y.parquet")) == 2
    assert set(sorted_rows.persons) == {"x", "y"}
    by_name = dict(zip(sorted_rows.persons, sorted_rows.dense().tolist(), strict=True))
    order = [sorted_rows.items.index(name) for name in "ab"]
    assert [by_name["x"][j] for j in order] == [1, 1]
    assert [by_name["y"][j] for j in order] == [1, 0]
    assert sorted_rows.seconds is not None
    assert sorted(sorted_rows.seconds.tolist()) == [1.5, 2, 3, 4]
    assert [p.name for p in (tmp_path / "sorted").iterdir()] == ["y.parquet"]


def test_sorting_joins_every_person_of_a_large_shuffled_file(tmp_path: Path) -> None:
    columns = simulated(300, 6)
    order = np.random.default_rng(1).permutation(len(columns["person"]))
    shuffled = {name: np.array(values)[order] for name, values in columns.items()}
    pq.write_table(pa.table(shuffled), tmp_path / "x.parquet", row_group_size=50)
    sort_by_person(tmp_path / "x.parquet", tmp_path / "y.parquet", parts=4)
    streamed = list(stream_responses(tmp_path / "y.parquet", batch_rows=200))
    whole = read_responses(tmp_path / "x.parquet", shift={})
    assert sorted(name for chunk in streamed for name in chunk.persons) == sorted(whole.persons)
    assert sum(int(chunk.score.sum()) for chunk in streamed) == int(whole.score.sum())


def test_a_person_with_two_rows_of_a_wide_stream_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"person": ["x", "y", "x"], "Q1": [1, 0, 1]}), tmp_path / "x.parquet")
    with pytest.raises(ResponsesError, match="row 3: the person of row 1 stands here again; give each person one row"):
        next(stream_responses(tmp_path / "x.parquet", batch_rows=1))


def test_mistakes_in_a_later_chunk_name_their_row(tmp_path: Path) -> None:
    rows = {"person": [1, 1, 2, 2], "item": list("abab"), "score": [1, 0, 1, -1]}
    pq.write_table(pa.table(rows), tmp_path / "x.parquet")
    with pytest.raises(ResponsesError, match=r"x\.parquet, row 4, column score: score -1 is outside"):
        list(stream_responses(tmp_path / "x.parquet", batch_rows=2))


def test_streams_that_cannot_be_blocked_say_why() -> None:
    one, other = (Responses.from_matrix(np.array([[1.0, 0], [0, 1]]), items) for items in (["a", "b"], ["a", "c"]))

    def nothing() -> Iterator[Responses]:
        yield from ()

    with pytest.raises(ResponsesError, match="chunks of different items"):
        block_stream([one, other])
    with pytest.raises(ResponsesError, match="the stream is empty"):
        block_stream(nothing())


def test_files_of_a_folder_have_the_same_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"person": ["x"], "Q1": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"person": ["y"], "Q2": [1]}), tmp_path / "2.parquet")
    with pytest.raises(ResponsesError, match=r"2\.parquet: column 'Q1' is not in all files of the folder"):
        next(stream_responses(tmp_path))
    with pytest.raises(ResponsesError, match=r"different columns|not in all files|cannot be read"):
        read_responses(tmp_path)
