"""`tiku calibrate --stream` and `--cluster` give what reading everything gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from calibration.cli import calibrate
from tests.calibration.scoring.forms import MIXED, drawn

Run = Callable[..., Result]
SPEC = 'model = {"*" = "2PL", "g*" = "GRM"}\n'


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(calibrate, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three Parquet files, an item with a wrong key, one with a gap; in the last nobody has the lowest mark of one."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    names = {"2PL": "q", "GRM": "g"}
    items = [item for item in MIXED if item.model in names]
    assert {item.model for item in items} == set(names)
    table = drawn([*items, *items], np.random.default_rng(4).normal(0, 1, 1500))
    ids = [f"{names[item.model]}{j}" for j, item in enumerate([*items, *items])]
    graded = next(j for j, name in enumerate(ids) if name.startswith("g"))
    table[:, graded] += 1
    table[1000:, graded] = np.maximum(table[1000:, graded], 2)
    table[:, -1] = np.where(table[:, -1] == 1, 2, table[:, -1])  # a gap: nobody got 1
    table[:, 0] = 1 - table[:, 0]  # a wrong key
    out = tmp_path / "responses"
    out.mkdir()
    for k, part in enumerate(np.split(table.astype(int), 3)):
        columns = {"person": [f"{k}-{i}" for i in range(500)]} | dict(zip(ids, part.T, strict=True))
        pq.write_table(pa.table(columns), out / f"{k}.parquet", row_group_size=99)
    return out


@pytest.mark.filterwarnings("ignore")  # the cluster's own, when it closes
@pytest.mark.parametrize("way", [["--stream"], ["--cluster", "local"]])
def test_large_files_calibrate_to_the_same(run: Run, folder: Path, tmp_path: Path, way: list[str]) -> None:
    if "--cluster" in way:
        pytest.importorskip("distributed")
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC, encoding="utf-8")
    whole = run(folder, "--spec", spec, "--json")
    assert whole.exit_code == 0, whole.output
    large = run(folder, "--spec", spec, *way, "--json", "--out", tmp_path / "params.json")
    assert large.exit_code == 0, large.output
    one, other = json.loads(whole.stdout), json.loads(large.stdout)
    assert other["n_persons"] == 1500
    assert other["log_likelihood"] == pytest.approx(one["log_likelihood"], abs=1e-6)
    for item, same in zip(one["items"], other["items"], strict=True):
        assert (item["id"], item.get("scores")) == (same["id"], same.get("scores"))
        assert same["a"] == pytest.approx(item["a"], abs=1e-6)
        assert same["b"] == pytest.approx(item["b"], abs=1e-6)
        assert same["flags"] == item["flags"]
    assert one["items"][0]["flags"] == ["negative-discrimination"]
    assert [flag for flag in one["warnings"] if flag["code"] != "shifted"] == other["warnings"]
    assert [flag["message"][:12] for flag in one["warnings"] if flag["code"] == "unused-score"] == ["nobody got 1"]
    scores = [item["scores"] for item in other["items"] if "scores" in item]
    assert [1 not in known for known in scores] == [False, True]
    written = json.loads((tmp_path / "params.json").read_text(encoding="utf-8"))
    assert written["items"] == other["items"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stream", "--report", "x.html"], "--stream goes without --report"),
        (["--cluster", "local", "--group", "region"], "--cluster goes without --group"),
        (["--stream", "--form", "{params}"], "--stream goes without --form"),
        (["--stream", "--errors", "sandwich"], "--stream goes without --errors"),
        (["--stream", "--cluster", "local"], "choose one"),
    ],
)
def test_what_large_files_go_without_is_said(run: Run, folder: Path, arguments: list[str], message: str) -> None:
    params = next(folder.iterdir())  # any file: it is not read
    result = run(folder, *(text.format(params=params) for text in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_stream_is_parquet(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "r.csv"
    path.write_text("person,q1\na,1\n", encoding="utf-8")
    result = run(path, "--stream")
    assert result.exit_code == 1
    assert f"{path}: cannot be read as Parquet" in result.stderr
