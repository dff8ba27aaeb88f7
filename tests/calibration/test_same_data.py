"""The same data in other clothes: orders, weights, layouts, blocks, threads, streams, and a cluster."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration import Calibration, LogNormal, Normal, Priors, Responses, calibrate, read_responses
from calibration.estimation import blocks, partitions
from calibration.estimation.block_stream import block_stream
from calibration.estimation.blocks import block_responses, every_kth
from calibration.estimation.partitions import Partitions
from calibration.streaming import calibrate_stream
from tests.calibration.estimation.cases import MIXED, mixed_sample
from tests.calibration.simulated import Array, draw, responses_to, some_items, two_parameter_scores

FIRM = Priors(LogNormal(0.0, 0.5), Normal(0.0, 2.0))  # one maximum, however small the data


def errors(result: Calibration) -> Array:
    """Standard errors, in the order of the items' names."""
    return np.array([se for item in sorted(result.items, key=lambda item: item.id) for se in item.se.values()])


def assert_equal(one: Calibration, other: Calibration) -> None:
    """Estimates within 1e-8; standard errors, whose sum ends at 1e-7 of the missing information, within 1e-6."""
    np.testing.assert_allclose(numbers(one), numbers(other), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(errors(one), errors(other), rtol=1e-6)


def numbers(result: Calibration) -> Array:
    """Everything estimated, in the order of the items' names."""
    items = sorted(result.items, key=lambda item: item.id)
    values = [(item.a, *item.b, item.c, item.d, *item.slopes, *item.intercepts) for item in items]
    groups = [(g.mean.value, g.sd.value) for g in sorted(result.groups, key=lambda g: g.name)]
    return np.array([result.log_likelihood, *(v for row in values for v in row), *(v for row in groups for v in row)])


def assert_same(one: Responses, other: Responses, tolerance: float = 1e-6, **options: Any) -> None:
    options = {"priors": FIRM, "tolerance": 1e-9} | options
    results = [calibrate(data, **options) for data in (one, other)]
    assert all(result.converged for result in results)
    np.testing.assert_allclose(numbers(results[1]), numbers(results[0]), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(errors(results[1]), errors(results[0]), rtol=max(tolerance, 1e-5))


@st.composite
def small_data(draw: st.DrawFn) -> Array:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    N, J = draw(st.integers(20, 60)), draw(st.integers(2, 5))
    table = two_parameter_scores(rng, rng.standard_normal(N), rng.uniform(0.5, 2, J), rng.normal(0, 0.5, J))
    table[rng.random((N, J)) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    table[:2] = [[1] * J, [0] * J]
    return table


@settings(max_examples=15)
@given(table=small_data(), seed=st.integers(0, 1000))
def test_the_order_of_persons_and_items_does_not_matter(table: Array, seed: int) -> None:
    rng = np.random.default_rng(seed)
    persons, items = rng.permutation(len(table)), rng.permutation(table.shape[1])
    names = [f"Q{j}" for j in range(table.shape[1])]
    assert_same(
        Responses.from_matrix(table, names),
        Responses.from_matrix(table[persons][:, items], [names[j] for j in items]),
    )


@settings(max_examples=15)
@given(table=small_data(), seed=st.integers(0, 1000))
def test_weights_are_repetitions(table: Array, seed: int) -> None:
    weight = np.random.default_rng(seed).integers(0, 4, len(table))
    weight[:2] = 1
    assert_same(
        Responses.from_matrix(table, weight=weight.astype(float)),
        Responses.from_matrix(np.repeat(table, weight, axis=0)),
    )


@settings(max_examples=10)
@given(table=small_data())
def test_long_and_wide_files_calibrate_to_the_same(tmp_path_factory: pytest.TempPathFactory, table: Array) -> None:
    cells = [(i, j, int(u)) for (i, j), u in np.ndenumerate(table) if not np.isnan(u)]
    path = tmp_path_factory.mktemp("long") / "r.csv"
    lines = ["person,item,score", *(f"{i},item{j + 1},{u}" for i, j, u in reversed(cells))]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert_same(Responses.from_matrix(table), read_responses(path))


@settings(max_examples=10)
@given(table=small_data(), least_dense=st.sampled_from([0.0, 1.1]), persons=st.sampled_from([3, 17]))
def test_sparse_and_dense_blocks_of_any_size_are_the_same(table: Array, least_dense: float, persons: int) -> None:
    whole = calibrate(Responses.from_matrix(table), priors=FIRM, tolerance=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LEAST_DENSE", least_dense)
        patch.setattr(blocks, "BLOCK_PERSONS", persons)
        patch.setattr(blocks, "LEAST_ALIKE", 10_000)
        other = calibrate(Responses.from_matrix(table), priors=FIRM, tolerance=1e-9)
    np.testing.assert_allclose(numbers(other), numbers(whole), rtol=1e-6, atol=1e-7)


def test_mixed_formats_in_groups_are_the_same_in_any_order() -> None:
    data = mixed_sample(80)
    scores = data.dense()
    group = (np.arange(80) % 2).astype(np.int32)
    rng = np.random.default_rng(1)
    rows, columns = rng.permutation(80), rng.permutation(scores.shape[1])
    one = replace(data, group=group, groups=("x", "y"))
    other = replace(
        Responses.from_matrix(scores[rows][:, columns], [data.items[j] for j in columns]),
        group=(1 - group)[rows],
        groups=("y", "x"),
    )
    assert_same(one, other, model=MIXED, reference="x", tolerance=1e-5)


def test_not_reached_items_do_not_enter(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    rows = ["Q1,Q2,Q3", "1,1,@NR", "0,0,1", "1,0,1", "0,1,0", "1,1,1", "0,0,@NR"]
    path.write_text("\n".join(rows), encoding="utf-8")
    without = tmp_path / "w.csv"
    without.write_text("\n".join(rows).replace("@NR", ""), encoding="utf-8")
    assert_same(read_responses(path), read_responses(without))


# In parts


def in_groups(N: int = 3000, seed: int = 3) -> Responses:
    rng = np.random.default_rng(seed)
    items = [*some_items("2PL", J=4), *some_items("GRM", J=2)]
    group = (np.arange(N) % 3 == 0).astype(np.int32)
    scores = draw(rng, items, rng.standard_normal(N) * (1 + 0.3 * group) + 0.4 * group)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    return replace(responses_to(items, scores), group=group, groups=("x", "y"))


OF_PARTS = {"2PL*": "2PL", "GRM*": "GRM"}


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PERSONS", 100)
    data = in_groups(1500)
    one = calibrate(data, model=OF_PARTS)
    for threads in (2, 3):
        other = calibrate(data, model=OF_PARTS, threads=threads)
        assert_equal(other, one)
    sets = {"2PL0": "t", "2PL1": "t"}
    few = in_groups(250)
    one, other = (calibrate(few, model=OF_PARTS, testlets=sets, threads=t, max_iterations=3) for t in (1, 2))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-8)


def test_parts_hold_all_persons_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PERSONS", 50)
    layout = block_responses(in_groups(1000))
    parts = Partitions.of(layout, 3)
    shares = parts.sweep(lambda part: np.concatenate([block.persons for block in part]))
    assert len(shares) == 3
    assert max(map(len, shares)) < 1.3 * min(map(len, shares))
    np.testing.assert_array_equal(np.concatenate(shares), np.concatenate([block.persons for block in layout]))
    np.testing.assert_allclose(parts.category_counts(), Partitions.of(layout).category_counts())


def test_a_sample_is_every_kth_person_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_PERSONS", 7)
    layout = block_responses(in_groups(1000))
    order = np.concatenate([block.persons for block in layout])
    for every in (1, 3, 10):
        found = np.concatenate([block.persons for block in every_kth(layout, every)])
        np.testing.assert_array_equal(found, order[::every])
    sample, share = Partitions.of(layout).sample(100)
    assert sample.persons == 100
    assert share == pytest.approx(0.1)


def test_a_stream_is_the_whole() -> None:
    data = in_groups()
    whole = calibrate(data, model=OF_PARTS, tolerance=1e-9)
    streamed = calibrate_stream(block_stream(pieces(data, 7)), model=OF_PARTS, tolerance=1e-9)
    assert_equal(streamed, whole)
    assert streamed.n_persons == whole.n_persons


def test_a_stream_from_a_file_is_the_whole(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    from calibration import stream_responses

    data = replace(in_groups(600), group=None, groups=())
    table = pa.table(
        {
            "person": [data.persons[i] for i in data.person],
            "item": [data.items[j] for j in data.item],
            "score": data.score,
        }
    )
    pq.write_table(table, tmp_path / "r.parquet", row_group_size=501)
    chunks = stream_responses(tmp_path / "r.parquet")
    streamed = calibrate_stream(block_stream(chunks), model=OF_PARTS, tolerance=1e-9)
    assert_equal(streamed, calibrate(data, model=OF_PARTS, tolerance=1e-9))


def pieces(data: Responses, parts: int) -> list[Responses]:
    """The same persons in runs, each with all items."""
    out = []
    for chosen in np.array_split(np.arange(len(data.persons)), parts):
        rows = np.isin(data.person, chosen)
        out.append(
            replace(
                data,
                persons=tuple(data.persons[i] for i in chosen),
                person=data.person[rows] - chosen[0],
                item=data.item[rows],
                score=data.score[rows],
                status=data.status[rows],
                weight=data.weight[chosen],
                form=data.form[chosen],
                group=data.group[chosen] if data.group is not None else None,
            )
        )
    return out


# Over a cluster


def files_of(data: Responses, folder: Path, parts: int) -> list[Path]:
    paths = []
    for number, piece in enumerate(pieces(data, parts)):
        lines = ["person,item,score"]
        lines += [
            f"{piece.persons[i]},{piece.items[j]},{u}"
            for i, j, u in zip(piece.person, piece.item, piece.score, strict=True)
        ]
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths


@pytest.mark.filterwarnings("ignore")  # the cluster's own, when it closes or a worker goes
def test_two_workers_are_one_process_and_one_of_them_may_be_lost(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from calibration.distributed import calibrate_files

    data = replace(in_groups(800), group=None, groups=())
    paths = files_of(data, tmp_path, 4)
    whole = calibrate(data, model=OF_PARTS, tolerance=1e-9)
    lost: list[int] = []

    def lose_one(_: object) -> None:
        if len(lost) < 1:
            victim = next(iter(cluster.workers.values())).pid
            os.kill(victim, signal.SIGKILL)
            lost.append(victim)

    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, silence_logs=50) as cluster, distributed.Client(cluster) as client:
        over = calibrate_files(paths, client, model=OF_PARTS, tolerance=1e-9)
        after = calibrate_files(paths, client, model=OF_PARTS, tolerance=1e-9, on_iteration=lose_one)
    assert_equal(over, whole)
    assert over.n_persons == whole.n_persons
    assert len(lost) == 1
    np.testing.assert_allclose(numbers(after), numbers(over), rtol=1e-12, atol=1e-12)


def test_shares_are_all_blocks_once() -> None:
    def persons(parts: Sequence[tuple[Any, ...]]) -> list[int]:
        return [len(block.persons) for part in parts for block in part]

    layout = block_responses(in_groups(1000))
    assert persons(partitions._shares(layout.blocks, 2)) == [len(block.persons) for block in layout]
