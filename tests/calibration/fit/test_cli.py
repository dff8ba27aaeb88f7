"""`tiku fit` and `tiku dif` as a person or a program meets them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from calibration import ItemParameters, Scale, calibrate, read_responses, write_parameter_file
from calibration.fit import group_populations, model_fit
from calibration.fit.cli import dif, fit
from tests.calibration import lsat
from tests.calibration.fit.test_dif import grouped
from tests.calibration.simulated import draw

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    commands = {"fit": fit, "dif": dif}
    return lambda verb, *arguments: CliRunner().invoke(commands[verb], [str(argument) for argument in arguments])


@pytest.fixture
def lsat7(tmp_path: Path) -> tuple[Path, Path]:
    data, params = tmp_path / "lsat7.csv", tmp_path / "params.json"
    rows = [",".join([*pattern, str(count)]) for pattern, count in lsat.LSAT7.items()]
    data.write_text("\n".join(["Item.1,Item.2,Item.3,Item.4,Item.5,freq", *rows]), encoding="utf-8")
    calibrate(read_responses(data)).save(params)
    return data, params


@pytest.fixture
def two_groups(tmp_path: Path) -> tuple[Path, Path]:
    data, params = tmp_path / "two.csv", tmp_path / "params.json"
    _, responses, group = grouped(41, 2000, 0.9)
    calibrate(responses).save(params)
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person", "region", *responses.items])
        for person, row in enumerate(responses.dense().astype(int).tolist()):
            writer.writerow([f"p{person}", "NS"[group[person]], *row])
    return data, params


def test_fit_json_is_one_document_and_nothing_else(run: Run, lsat7: tuple[Path, Path]) -> None:
    data, params = lsat7
    result = run("fit", data, "--params", params, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["model"]["kind"] == "M2"
    assert document["model"]["statistic"] == pytest.approx(11.938, abs=1e-2)  # R mirt 1.47
    item = document["items"][1]
    assert (item["item"], item["n"], item["s_x2_df"], item["s_x2_sets"]) == ("Item.2", 1000, 2, 1)
    assert item["s_x2"] == pytest.approx(14.4535, abs=1e-2)
    assert document["pairs"]["mean_q3"] == pytest.approx(-0.1112, abs=1e-3)
    assert document["persons"] == {"method": "wle", "n": 32, "unusual": []}


def test_fit_says_the_model_then_what_is_flagged_and_writes_files(
    run: Run, lsat7: tuple[Path, Path], tmp_path: Path
) -> None:
    data, params = lsat7
    out, persons, pairs = (tmp_path / name for name in ("fit.csv", "persons.csv", "pairs.csv"))
    result = run("fit", data, "--params", params, "--out", out, "--persons", persons, "--pairs", pairs)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("M2 = 11.94, df = 5, p = 0.0356; RMSEA = 0.0373 [0.0090, 0.0650], SRMSR = 0.0320")
    assert lines[-3:] == [f"wrote {path}" for path in (out, persons, pairs)]
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["item"] for row in rows] == [f"Item.{j}" for j in range(1, 6)]
    assert float(rows[1]["s_x2"]) == pytest.approx(14.4535, abs=1e-2)
    assert len(pairs.read_text(encoding="utf-8").splitlines()) == 1 + 10
    assert len(persons.read_text(encoding="utf-8").splitlines()) == 1 + 32


def test_fit_goes_on_where_the_model_cannot_be_tested(run: Run, tmp_path: Path) -> None:
    data, params = tmp_path / "three.csv", tmp_path / "params.json"
    rng = np.random.default_rng(42)
    theta = rng.normal(size=400)
    rows = (rng.random((400, 3)) < 1 / (1 + np.exp(-theta[:, None]))).astype(int)
    data.write_text("\n".join(["a,b,c", *(",".join(map(str, row)) for row in rows.tolist())]), encoding="utf-8")
    calibrate(read_responses(data)).save(params)
    result = run("fit", data, "--params", params, "--json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["model"] is None
    assert "6 margins for 6 free parameters" in document["model_message"]
    assert len(document["items"]) == 3
    refused = run("fit", data, "--params", params, "--kind", "M2")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "nothing is left to test" in refused.stderr


@pytest.mark.parametrize("method", ["lr", "wald", "rmsd", "sibtest"])
def test_dif_finds_the_harder_item_by_every_method(run: Run, two_groups: tuple[Path, Path], method: str) -> None:
    data, params = two_groups
    result = run("dif", data, "--params", params, "--group", "region", "--method", method, "--rounds", 2, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert (document["groups"], document["reference"], document["focal"]) == (["N", "S"], "N", "S")
    flagged = {row["item"] for row in document["items"] if row["flagged"]}
    worst = max(document["items"], key=lambda row: row["rmsd"] if method == "rmsd" else -row["p"])
    assert worst["item"] == "Q4"
    if method != "rmsd":  # both groups lie half of the difference off the common curve: 0.08, below the limit
        assert "Q4" in flagged


def test_wald_without_the_groups_covariance_says_so(
    run: Run, two_groups: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, params = two_groups
    arguments = ["dif", data, "--params", params, "--group", "region", "--method", "wald", "--rounds", 1]
    joint = json.loads(run(*arguments, "--json").stdout)["items"]
    monkeypatch.setattr("calibration.estimation.fitting.FULL_INFORMATION", 5)  # as if there were more than 500
    assert "the groups' estimates are taken as independent" in run(*arguments).stdout
    alone = json.loads(run(*arguments, "--json").stdout)["items"]
    assert {row["independent"] for row in joint} == {False}
    assert {row["independent"] for row in alone} == {True}
    ratio = [two["statistic"] / one["statistic"] for one, two in zip(joint, alone, strict=True)]
    assert 0.8 < np.median(ratio) < 1.25


def test_dif_writes_a_table_and_says_who_is_compared(run: Run, two_groups: tuple[Path, Path], tmp_path: Path) -> None:
    data, params = two_groups
    out = tmp_path / "dif.csv"
    arguments = ["--group", "region", "--reference", "S", "--method", "sibtest", "--out", out]
    result = run("dif", data, "--params", params, *arguments)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("sibtest: N against S, 10 rows, ")
    assert len(out.read_text(encoding="utf-8").splitlines()) == 11


def test_wrong_input_is_one_line_and_exit_code_1(run: Run, two_groups: tuple[Path, Path], tmp_path: Path) -> None:
    data, params = two_groups
    cases = [
        (["--group", "sex"], "no column 'sex' to tell groups apart"),
        (["--group", "region", "--focal", "X"], "no group 'X' in column region; the groups are N, S"),
        (["--group", "region", "--reference", "N", "--focal", "N"], "reference and focal group are both 'N'"),
    ]
    for arguments, message in cases:
        result = run("dif", data, "--params", params, *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
    bad = tmp_path / "bad.csv"
    bad.write_text("person,region,Q1\np1,N,7\n", encoding="utf-8")
    result = run("dif", bad, "--params", params, "--group", "region")
    assert result.exit_code == 1
    assert f"{bad}, row 2, column Q1" in result.stderr
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")
    result = run("fit", data, "--params", broken)
    assert result.exit_code == 1
    assert 'expected an object with "items"' in result.stderr


def test_python_and_command_line_give_the_same_numbers(run: Run, lsat7: tuple[Path, Path]) -> None:
    data, params = lsat7
    responses = read_responses(data)
    result = calibrate(responses)
    document = json.loads(run("fit", data, "--params", params, "--json").stdout)
    population = group_populations(responses, result.items)
    by_hand = model_fit(responses, result.items, population=population)
    assert document["model"]["statistic"] == pytest.approx(by_hand.statistic, abs=1e-12)
    np.testing.assert_allclose(population, [[0], [1]], atol=1e-4)  # that of the calibration


def test_parquet_is_read_as_csv_is(run: Run, two_groups: tuple[Path, Path], tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    data, params = two_groups
    with data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {
        name: [row[name] if name in {"person", "region"} else int(row[name]) for row in rows] for name in rows[0]
    }
    pq.write_table(pa.table(columns), tmp_path / "r.parquet")
    about = ("--params", params, "--group", "region", "--method", "rmsd", "--json")
    assert run("dif", tmp_path / "r.parquet", *about).stdout == run("dif", data, *about).stdout


def test_fit_goes_by_the_persons_own_population(run: Run, tmp_path: Path) -> None:
    """The scale says N(0, 1), the persons are N(1.2, 1.5): the items fit them as well as they do their own."""
    items = [ItemParameters(f"q{j}", "2PL", 0.8 + 0.05 * j, (b,)) for j, b in enumerate(np.linspace(-1.5, 2.5, 12))]
    rng = np.random.default_rng(5)
    scores = draw(rng, items, rng.normal(1.2, 1.5, 1500)).astype(int)
    responses, params = tmp_path / "responses.csv", tmp_path / "params.json"
    header = ",".join(item.id for item in items)
    responses.write_text("\n".join([header, *(",".join(map(str, row)) for row in scores)]), encoding="utf-8")
    write_parameter_file(params, items, Scale(anchors=tuple(item.id for item in items)))
    document = json.loads(run("fit", responses, "--params", params, "--json").stdout)
    assert document["groups"][0]["mean"] == pytest.approx(1.2, abs=0.15)
    assert document["groups"][0]["sd"] == pytest.approx(1.5, abs=0.15)
    assert document["model"]["p"] > 0.01
    assert document["model"]["rmsea"] < 0.03
    assert min(item["residual_p"] for item in document["items"]) > 0.001
