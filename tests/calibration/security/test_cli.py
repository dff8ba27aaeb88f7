"""`tiku security` as a person or a program meets it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calibration import Responses, Scale, cusum_charts, predictive_check, write_parameter_file
from calibration.security.cli import security
from tests.calibration.security.test_security import ITEMS, NAMES, SUSPECT, sat

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(security, [str(a) for a in arguments])


def saved(folder: Path, name: str, data: Responses) -> Path:
    path = folder / name
    rows = [",".join([f"p{i}", *(f"{x:.0f}" for x in row)]) for i, row in enumerate(data.dense(), start=1)]
    path.write_text("\n".join([",".join(["person", *NAMES]), *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def params(tmp_path: Path) -> Path:
    write_parameter_file(tmp_path / "params.json", ITEMS, Scale())
    return tmp_path / "params.json"


def test_a_known_item_signals_at_its_sitting(run: Run, tmp_path: Path, params: Path) -> None:
    sittings = [sat(300 + s, 105, leak=0.5 if s >= 2 else 0.0) for s in range(5)]
    files = [saved(tmp_path, f"{s}.csv", data) for s, data in enumerate(sittings)]
    items, out = tmp_path / "used.csv", tmp_path / "charts.csv"
    items.write_text("item,why\ni0,used twice\ni1,used once\n", encoding="utf-8")
    result = run("cusum", *files, "--params", params, "--items", items, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["sittings"] == [f"{s}.csv" for s in range(5)]
    expected = cusum_charts(sittings, ["i0", "i1"], ITEMS)
    assert expected[0].signal == 2
    for chart, one in zip(document["charts"], expected, strict=True):
        assert (chart["item"], chart["signal"]) == (one.item, one.signal)
        assert chart["z"] == pytest.approx(one.z)
    result = run("cusum", *files, "--params", params, "--items", items, "--out", out)
    assert result.stdout.startswith("1 of 2 items signal over 5 sittings")
    assert "2.csv" in result.stdout
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert [row["sitting"] for row in rows if row["signal"] == "1"] == ["2.csv", "3.csv", "4.csv"]


@pytest.mark.parametrize("method", ["predictive", "lr", "regression"])
def test_those_who_knew_the_items_stand_out(run: Run, tmp_path: Path, params: Path, method: str) -> None:
    data = sat(7, 400, mean=-1.0, cheats=5)
    responses, items, out = saved(tmp_path, "r.csv", data), tmp_path / "leaked.txt", tmp_path / "persons.csv"
    items.write_text("\n".join(SUSPECT), encoding="utf-8")
    arguments = ("preknowledge", responses, "--items", items, "--method", method)
    with_params = () if method == "regression" else ("--params", params)
    document = json.loads(run(*arguments, *with_params, "--json").stdout)
    assert len(document["persons"]) == 400
    flagged = {row["person"] for row in document["persons"] if row["flagged"]}
    assert len(flagged & {f"p{i}" for i in range(1, 6)}) >= 3
    assert len(flagged) <= 8
    if method == "predictive":
        assert [row["p"] for row in document["persons"]] == pytest.approx(
            [r.p for r in predictive_check(data, SUSPECT, ITEMS)]
        )
    text = run(*arguments, *with_params, "--out", out)
    assert text.stdout.startswith(f"{len(flagged)} of 400 persons stand out on 20 items ({method})")
    assert len(out.read_text(encoding="utf-8").splitlines()) == 401


def test_a_jump_of_the_pass_rate(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "sittings.csv"
    passed = [60, 66, 58, 70, 63, 95, 64, 62]
    path.write_text("sitting,n,passed\n" + "".join(f"s{t},105,{x}\n" for t, x in enumerate(passed)), encoding="utf-8")
    document = json.loads(run("pass-rates", path, "--json").stdout)
    assert [row["sitting"] for row in document["sittings"] if row["flagged"]] == ["s5"]
    assert document["sittings"][0]["before"] is None
    assert run("pass-rates", path).stdout.startswith("1 of 8 sittings passed more than those before them")
    path.write_text("sitting,n,passed\na,105,60.5\n", encoding="utf-8")
    result = run("pass-rates", path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{path}, row 2, field passed: expected a whole number, got '60.5'" in result.stderr


def test_wrong_input_is_said(run: Run, tmp_path: Path, params: Path) -> None:
    responses, items = saved(tmp_path, "r.csv", sat(7, 30)), tmp_path / "i.txt"
    items.write_text("i0\ni0\n", encoding="utf-8")
    result = run("cusum", responses, "--params", params, "--items", items)
    assert (result.exit_code, result.stderr) == (1, f"Error: {items}: item 'i0' stands twice\n")
    items.write_text("zz\n", encoding="utf-8")
    result = run("preknowledge", responses, "--params", params, "--items", items)
    assert (result.exit_code, result.stderr) == (1, "Error: suspect item 'zz' has no parameters\n")
    result = run("preknowledge", responses, "--items", items)
    assert (result.exit_code, "needs --params" in result.stderr) == (2, True)


@pytest.mark.parametrize("verb", ["cusum", "preknowledge", "pass-rates"])
def test_help_has_an_example(run: Run, verb: str) -> None:
    assert f"Example: tiku security {verb}" in " ".join(run(verb, "--help").stdout.split())
