"""Pools with items of several categories and from Parquet: the same pool, and papers from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration import ItemParameters
from engine import Blueprint, Pool, PoolError, Rule, Target, assemble, read_pool
from tests.engine.samples import random_pool

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def mixed_pool(count: int = 40) -> Pool:
    """Right-or-wrong items and tasks of three or four categories, in turn 2PL, GRM, GPCM and NRM."""
    rng = np.random.default_rng(9)
    rows = []
    for j in range(count):
        name, a, b = f"q{j:02d}", float(rng.lognormal(0, 0.2)), sorted(rng.normal(0, 0.8, 3).tolist())
        curve = (
            ItemParameters(name, "2PL", a, (b[1],)),
            ItemParameters(name, "GRM", a, tuple(b)),
            ItemParameters(name, "GPCM", a, tuple(b[:2])),
            ItemParameters(name, "NRM", slopes=(0.0, a, 2 * a), intercepts=(0.0, b[0], b[1])),
        )[j % 4]
        kind = "item" if j % 4 == 0 else "task"
        rows.append({"id": name, "parameters": curve, "type": kind, "section": f"S{j % 3}"})
    return Pool.from_rows(rows)


def test_a_paper_of_all_models_keeps_marks_and_information() -> None:
    pool = mixed_pool()
    rule = Rule("tasks", "count", where={"type": "task"}, min=5, max=6)
    blueprint = Blueprint("", 10, 1.0, "type", {"item": 1.0, "task": 4.0}, (rule,), ("type",), Target(goal=0.05))
    assembly = assemble(pool, blueprint, seed=2)
    (form,) = assembly.forms
    at = [pool.ids.index(name) for name in form.items]
    assert form.information == pytest.approx(pool.information(assembly.theta)[at].sum(axis=0).tolist(), abs=1e-6)
    assert form.deviation <= 0.05
    assert len([line for line in assembly.recount if line.rule.startswith("expected marks")]) == 5
    assert all(line.ok for line in assembly.recount)


def test_csv_and_parquet_hold_the_same_pool(tmp_path: Path) -> None:
    pool = mixed_pool()
    pool.write_csv(tmp_path / "pool.csv")
    names = ["id", *dict.fromkeys(name for j in range(len(pool)) for name in pool.row(j) if name != "id")]
    columns = {name: [pool.row(j).get(name) for j in range(len(pool))] for name in names}
    pq.write_table(pa.table(columns), tmp_path / "pool.parquet")
    from_csv, from_parquet = read_pool(tmp_path / "pool.csv"), read_pool(tmp_path / "pool.parquet")
    theta = np.linspace(-2, 2, 5)
    for one in (from_csv, from_parquet):
        assert one.ids == pool.ids
        assert np.allclose(one.information(theta), pool.information(theta), atol=1e-12)
        assert np.allclose(one.expected_share(theta), pool.expected_share(theta), atol=1e-12)
    assert from_csv.digest == from_parquet.digest


def test_lists_and_truth_in_parquet_are_several_values_and_yes(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["q1", "q2"], "enemies": [["q2"], []], "tags": [["x", "y"], ["x"]], "flagged": [True, None]}
    )
    pq.write_table(table, tmp_path / "pool.parquet")
    pool = read_pool(tmp_path / "pool.parquet")
    assert pool.where({"tags": "y"}).tolist() == [True, False]
    assert pool.where({"flagged": "yes"}).tolist() == [True, False]
    assert pool.column("enemies") == (("q2",), ())


def test_what_is_no_parquet_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pool.parquet").write_text("id,a\n", encoding="utf-8")
    with pytest.raises(PoolError, match=r"pool.parquet: not Parquet"):
        read_pool(tmp_path / "pool.parquet")


def test_thresholds_without_a_model_name_the_item(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("id,a,b1,b2\nq1,1,0,1\n", encoding="utf-8")
    with pytest.raises(PoolError, match="item 'q1'"):
        read_pool(tmp_path / "pool.csv")


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    pool = random_pool(3, 12)
    pool.write_csv(tmp_path / "pool.csv")
    assert read_pool(tmp_path / "pool.csv").digest == pool.digest
