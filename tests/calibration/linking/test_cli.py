"""`tiku link`, `tiku equate` and `tiku drift` as a person or a program meets them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from calibration import Scale, read_parameter_file, transform_items, write_parameter_file
from calibration.linking.cli import drift, equate, link
from tests.calibration.linking import kolen_brennan as kb
from tests.calibration.linking.items import three_parameter_items, with_covariance
from tests.calibration.linking.test_anchors import two_calibrations


def run(command: object, *arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    new, base = two_calibrations(12, 7, 0.02)
    base[4] = replace(base[4], b=(base[4].b[0] + 1.5,))
    paths = tmp_path / "new.json", tmp_path / "bank.json"
    write_parameter_file(paths[0], new, Scale("2025", D=1.7))
    write_parameter_file(paths[1], base, Scale("bank", D=1.7))
    return paths


def test_link_prints_the_constants_and_the_anchors_and_writes_the_items(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    out, report = tmp_path / "linked.json", tmp_path / "link.html"
    code, text, _ = run(link, *files, "--out", out, "--report", report)
    lines = text.splitlines()
    assert code == 0
    assert lines[0] == f"stocking-lord: {files[1]} = A · {files[0]} + B"
    assert lines[1].startswith("A = 1.19")
    assert "(SE 0.0" in lines[1]
    assert lines[2].startswith("11 anchors kept: i00, i01, i02, i03, i05")
    assert lines[3].startswith("left out i04: robust z ")
    assert lines[-2:] == [f"wrote {out}", f"wrote {report}"]
    items, scale = read_parameter_file(out)
    new, _ = read_parameter_file(files[0])
    document = json.loads(out.read_text(encoding="utf-8"))
    A, B = document["link"]["A"], document["link"]["B"]
    assert scale == Scale("bank", D=1.7, mean=B, sd=A, anchors=tuple(document["link"]["anchors"]))
    assert items == transform_items(new, A, B, scale=Scale(D=1.7))
    page = report.read_text(encoding="utf-8")
    assert "i04" in page
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://www.w3.org", "")


def test_link_as_json_and_with_named_anchors(files: tuple[Path, Path], tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.csv"
    anchors.write_text("item,why\ni00,x\ni01,y\ni04,z\n", encoding="utf-8")
    code, text, _ = run(link, *files, "--anchors", anchors, "--keep-all", "--method", "mean-mean", "--json")
    document = json.loads(text)
    assert code == 0
    assert document["anchors"] == ["i00", "i01", "i04"]
    assert document["dropped"] == {}
    assert [row["item"] for row in document["statistics"]] == ["i00", "i01", "i04"]
    assert document["se"]["A"] > 0


def test_a_chain_through_a_calibration_in_the_middle(files: tuple[Path, Path], tmp_path: Path) -> None:
    middle = tmp_path / "middle.json"
    items, _ = read_parameter_file(files[0])
    write_parameter_file(middle, transform_items(items, 0.8, 0.1, scale=Scale(D=1.7)), Scale(D=1.7))
    code, text, _ = run(link, *files, "--through", middle, "--json")
    document = json.loads(text)
    assert code == 0
    first, second = document["links"]
    assert first["A"] == pytest.approx(0.8, abs=1e-6)
    assert document["whole"]["A"] == pytest.approx(first["A"] * second["A"])
    assert document["whole"]["B"] == pytest.approx(second["A"] * first["B"] + second["B"])
    assert "whole chain: A = " in run(link, *files, "--through", middle)[1]
    assert run(link, *files, "--through", middle, "--report", tmp_path / "r.html")[0] == 2


def test_what_is_wrong_is_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.txt"
    anchors.write_text("i00\nzz\n", encoding="utf-8")
    code, out, err = run(link, *files, "--anchors", anchors)
    assert (code, out, err) == (1, "", "Error: anchor 'zz' is not among the items of the new scale\n")
    anchors.write_text("i00\ni00\n", encoding="utf-8")
    assert run(link, *files, "--anchors", anchors)[2].endswith("item 'i00' stands twice\n")
    assert run(link, *files, "--anchors", tmp_path / "none.txt")[0] == 1
    assert run(link, *files, "--method", "linear")[0] == 2
    other = tmp_path / "other.json"
    write_parameter_file(other, [replace(kb.X[0], id="z")], Scale())
    assert "no items in common" in run(link, files[0], other)[2]


def test_equate_gives_the_table_of_kolen_and_brennan(tmp_path: Path) -> None:
    paths = tmp_path / "x.csv", tmp_path / "y.csv"
    for path, items in zip(paths, (kb.X, kb.Y), strict=True):
        write_parameter_file(path, items, kb.SCALE)
    out = tmp_path / "table.csv"
    code, text, _ = run(equate, *paths, "--one-scale", "--out", out)
    assert code == 0
    assert text.splitlines() == [
        "true-score equating, 37 sums of marks",
        "no standard errors: some items have none",
        f"wrote {out}",
    ]
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose([float(row["equivalent"]) for row in rows], kb.TRUE_SCORES, atol=2e-6)
    assert rows[0]["theta"] == ""
    text = run(equate, *paths, "--one-scale")[1]
    assert text.splitlines()[2:4] == ["marks,equivalent,theta", "0,0.000000,"]


def test_equate_observed_scores_with_bootstrap_errors(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    new = [with_covariance(item, rng, 0.05) for item in three_parameter_items(6, rng)]
    paths = tmp_path / "x.json", tmp_path / "y.json"
    write_parameter_file(paths[0], new, Scale("x"))
    write_parameter_file(paths[1], transform_items(new, 1.1, 0.2), Scale("y"))
    arguments = (*paths, "--score", "observed", "--errors", "bootstrap", "--replications", 20, "--seed", 5, "--json")
    code, text, _ = run(equate, *arguments)
    document = json.loads(text)
    assert code == 0
    assert document["method"] == "observed-score"
    assert document["table"]["equivalent"] == pytest.approx(document["table"]["marks"], abs=1e-4)
    assert all(0 < se < 0.5 for se in document["table"]["se"])
    assert document["notes"] == ["standard errors by bootstrap, 20 draws, seed 5"]
    assert run(equate, *arguments)[1] == text
    plain = run(equate, *paths, "--score", "observed")[1]
    assert "no standard errors: use --errors bootstrap" in plain
    true = json.loads(run(equate, *paths, "--json")[1])["table"]
    assert true["se"][3] > 0
    assert json.loads(run(equate, *paths, "--errors", "none", "--json")[1])["table"]["se"] is None


def test_one_scale_must_be_one_scale(tmp_path: Path) -> None:
    paths = tmp_path / "x.json", tmp_path / "y.json"
    write_parameter_file(paths[0], kb.X, Scale(D=1.7))
    write_parameter_file(paths[1], kb.Y, Scale(D=1.0))
    code, _, err = run(equate, *paths, "--one-scale")
    assert (code, err) == (1, "Error: x.json has D = 1.7, y.json D = 1: they are not on one scale\n")


def test_drift_names_what_moved(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "drift.csv"
    code, text, _ = run(drift, files[1], files[0], "--out", out)
    lines = text.splitlines()
    assert code == 0
    flagged = [line for line in lines if line.startswith("i")]
    assert [line.split(":")[0] for line in flagged] == ["i04"]
    assert "robust-z, wald, rmsd: b -1." in flagged[0]
    assert lines[-2:] == ["1 of 12 items flagged", f"wrote {out}"]
    with out.open(encoding="utf-8", newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    assert rows["i04"]["flags"] == "robust-z wald rmsd"
    assert rows["i04"]["anchor"] == "False"
    document = json.loads(run(drift, files[1], files[0], "--json")[1])
    assert [row["item"] for row in document["items"] if row["flags"]] == ["i04"]
