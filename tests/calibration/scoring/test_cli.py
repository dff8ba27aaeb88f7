"""`tiku score` from files to files, and what it says of input that is wrong."""

from __future__ import annotations

import csv
import itertools
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from calibration import (
    Curves,
    ItemParameters,
    ReferenceForm,
    Responses,
    Scale,
    marginal_reliability,
    read_parameter_file,
    score_responses,
    sum_score_table,
    write_parameter_file,
)
from calibration.scoring.cli import score
from tests.calibration.scoring.forms import drawn, responses

ITEMS = [
    ItemParameters("q1", "2PL", 1.2, (-0.5,)),
    ItemParameters("q2", "2PL", 0.9, (0.4,)),
    ItemParameters("q3", "3PL", 1.4, (0.1,), c=0.2),
    ItemParameters("q4", "GPCM", 0.8, (-0.3, 0.9), marks=(0.0, 1.0, 3.0)),
]
SCALE = Scale(mean=0.2, sd=1.1)
TABLE = drawn(ITEMS, np.linspace(-2, 2, 9))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{name: value for name, value in asdict(item).items() if value is not None} for item in ITEMS]
    document = {"scale": asdict(SCALE), "items": rows}
    (tmp_path / "params.json").write_text(json.dumps(document), encoding="utf-8")
    lines = ["person,q1,q2,q3,q4"] + [",".join([f"p{i}", *(f"{v:.0f}" for v in row)]) for i, row in enumerate(TABLE)]
    (tmp_path / "responses.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "form.csv").write_text("item,marks\nq1,1\nq2,2\nq4,0;1;3\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    places = [str(folder / a) if a.endswith((".csv", ".json")) else a for a in arguments]
    return CliRunner().invoke(score, [str(folder / "responses.csv"), "--params", str(folder / "params.json"), *places])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("method", ["eap", "map", "ml", "wle", "eapsum", "pv"])
def test_the_file_holds_what_python_gives(folder: Path, method: str) -> None:
    result = run(folder, "--method", method, "--out", "scores.csv", "--seed", "3")
    assert result.exit_code == 0, result.output
    rows = table(folder / "scores.csv")
    scores = score_responses(responses(TABLE, ITEMS), ITEMS, SCALE, method=method, seed=3)
    assert [row["person"] for row in rows] == [f"p{i}" for i in range(9)]
    for i, row in enumerate(rows):
        assert float(row["theta"]) == pytest.approx(scores.theta[i], abs=1e-6)
        assert row["se"] == ("" if np.isnan(scores.se[i]) else f"{scores.se[i]:.6f}")
        assert row["items"] == "4"
        drawn_values = [float(row[name]) for name in row if name.startswith("pv")]
        np.testing.assert_allclose(drawn_values, scores.draws[i], atol=1e-6)
    assert f"{method}: 9 persons on 4 items" in result.output


def test_percentages_are_of_the_reference_form(folder: Path) -> None:
    """WLE unless another method is asked for; the decision is that of the percentage at the cut."""
    result = run(folder, "--reference", "form.csv", "--cut", "55", "--out", "scores.csv", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.output)
    form = ReferenceForm.of([ITEMS[0], ITEMS[1], ITEMS[3]], SCALE, [1, 2, 3])
    cut = form.cut(0.55)
    scores = score_responses(responses(TABLE, ITEMS), ITEMS, SCALE, method="wle", cuts=[cut])
    assert document["method"] == "wle"
    assert document["reference"]["theta_cut"] == pytest.approx(cut, abs=1e-9)
    assert document["reference"]["marks"] == 6
    for i, (row, cells) in enumerate(zip(document["scores"], table(folder / "scores.csv"), strict=True)):
        assert row["percent"] == pytest.approx(float(form.percent(scores.theta[i])[0]), abs=1e-9)
        assert row["percent_se"] == pytest.approx(float(form.percent_se(scores.theta[i], scores.se[i])[0]), abs=1e-9)
        assert row["p_above_cut"] == pytest.approx(scores.above[i, 0], abs=1e-9)
        assert row["passed"] == (row["percent"] >= 55)
        assert cells["passed"] == str(int(row["passed"]))
        assert float(cells["percent"]) == pytest.approx(row["percent"], abs=1e-6)
    assert 0 < document["reference"]["passed"] < 9
    assert 0.5 < document["reference"]["accuracy"] < 1


def test_without_finite_estimate_there_is_no_standard_error(folder: Path) -> None:
    lines = "person,q1,q2\nall,1,1\nnone,0,0\nsome,1,0\n"
    (folder / "responses.csv").write_text(lines, encoding="utf-8")
    result = run(folder, "--method", "ml", "--bounds", "-4", "5", "--json")
    document: dict[str, Any] = json.loads(result.output)
    assert [row["theta"] for row in document["scores"][:2]] == [5.0, -4.0]
    assert [row["se"] for row in document["scores"][:2]] == [None, None]
    assert [row["flag"] for row in document["scores"]] == ["upper bound", "lower bound", ""]
    assert document["flags"] == {"upper bound": 1, "lower bound": 1}
    assert document["bounds"] == [-4.0, 5.0]
    assert document["mean"] == document["scores"][2]["theta"]
    said = run(folder, "--method", "ml", "--bounds", "-4", "5").output
    assert "upper bound of [-4, 5]: 1 of 3 persons" in said


def test_the_table_of_sums_is_written(folder: Path) -> None:
    result = run(folder, "--method", "eapsum", "--table", "sums.csv")
    assert result.exit_code == 0, result.output
    wanted = sum_score_table(ITEMS, SCALE)
    rows = table(folder / "sums.csv")
    assert [float(row["marks"]) for row in rows] == wanted.marks.tolist() == [0, 1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose([float(row["theta"]) for row in rows], wanted.theta, atol=1e-6)
    np.testing.assert_allclose([float(row["probability"]) for row in rows], wanted.probability, atol=1e-6)


def test_items_without_parameters_are_named(folder: Path) -> None:
    (folder / "responses.csv").write_text("person,q1,new\na,1,1\nb,0,1\n", encoding="utf-8")
    assert "items without parameters, passed over (1): new" in run(folder).output
    assert json.loads(run(folder, "--json").output)["items_without_parameters"] == ["new"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--cut", "60"], 2, "--cut is a percentage of a form: give the form with --reference"),
        (["--bounds", "3", "-3"], 2, "--bounds: the lowest ability first"),
        (["--table", "sums.csv"], 2, "--table is of sums of marks: it goes with --method eapsum"),
        (["--method", "best"], 2, "'best' is not one of"),
        (["--reference", "form.csv", "--cut", "99.99999"], 1, "is never reached"),
        (["--reference", "responses.csv"], 1, "responses.csv, row 1: expected the columns item,marks"),
        (["--reference", "params.json", "--key", "form.csv"], 1, "expected the columns item,key"),
    ],
)
def test_wrong_input_is_one_line(folder: Path, arguments: list[str], code: int, message: str) -> None:
    result = run(folder, *arguments, "--out", "scores.csv")
    assert (result.exit_code, message in result.output) == (code, True), result.output
    assert "Traceback" not in result.output
    assert not (folder / "scores.csv").exists()


def test_parameters_that_are_none_are_refused(folder: Path) -> None:
    (folder / "params.json").write_text(
        '{"items": [{"id": "q1", "model": "3PL", "a": 1, "b": [0], "c": 1.2}]}', encoding="utf-8"
    )
    result = run(folder)
    assert (result.exit_code, "item q1: c = 1.2, d = 1; needed is 0 ≤ c < d ≤ 1" in result.output) == (1, True)
    (folder / "params.json").write_text("[]", encoding="utf-8")
    assert run(folder).exit_code == 1


def test_parquet_is_scored_as_csv_is(folder: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"person": [f"p{i}" for i in range(len(TABLE))]}
    columns |= {f"q{j}": [None if np.isnan(v) else int(v) for v in TABLE[:, j - 1]] for j in range(1, 5)}
    pq.write_table(pa.table(columns), folder / "r.parquet")
    result = CliRunner().invoke(
        score, [str(folder / "r.parquet"), "--params", str(folder / "params.json"), "--out", str(folder / "p.csv")]
    )
    assert result.exit_code == 0, result.output
    assert run(folder, "--out", "scores.csv").exit_code == 0
    assert table(folder / "p.csv") == table(folder / "scores.csv")


def test_parameters_may_be_of_another_program_and_may_not_be_of_a_search_that_failed(folder: Path) -> None:
    items, scale = read_parameter_file(folder / "params.json")
    write_parameter_file(folder / "values.csv", items, scale, "mirt")
    run(folder, "--method", "wle", "--out", "ours.csv")
    result = CliRunner().invoke(
        score,
        [
            *(str(folder / "responses.csv"), "--params", str(folder / "values.csv")),
            *("--method", "wle", "--out", str(folder / "theirs.csv"), "--bounds", "-10.8", "11.2"),
        ],
    )
    assert (result.exit_code, result.stderr) == (0, "")
    for ours, theirs in zip(table(folder / "ours.csv"), table(folder / "theirs.csv"), strict=True):
        assert float(theirs["theta"]) == pytest.approx(float(ours["theta"]), abs=2e-6)
    document = json.loads((folder / "params.json").read_text(encoding="utf-8")) | {"converged": False}
    (folder / "params.json").write_text(json.dumps(document), encoding="utf-8")
    assert "did not converge" in run(folder).stderr


def rated(folder: Path) -> tuple[Path, Path]:
    """Parameters with severities, and persons rated by one or two raters."""
    item = {"id": "T", "model": "PCM", "a": 1.0, "b": [-0.5, 0.7]}
    document = {"scale": asdict(SCALE), "items": [item], "raters": {"A": {"value": -0.4}, "B": {"value": 0.4}}}
    params, path = folder / "rated.json", folder / "ratings.csv"
    params.write_text(json.dumps(document), encoding="utf-8")
    path.write_text("person,item,rater,score\nx,T,A,1\nx,T,B,1\ny,T,A,2\nz,T,B,0\n", encoding="utf-8")
    return params, path


def test_reliability_counts_ratings(folder: Path) -> None:
    """By hand: a mean over persons of that of A and B, of A alone, and of B alone."""
    params, path = rated(folder)
    result = CliRunner().invoke(score, [str(path), "--params", str(params), "--json"])
    document = json.loads(result.stdout)
    A, B = (ItemParameters(name, "PCM", b=(-0.5 + by, 0.7 + by)) for name, by in (("A", -0.4), ("B", 0.4)))
    each = [marginal_reliability(items, SCALE) for items in ([A, B], [A], [B])]
    assert document["marginal_reliability"] == pytest.approx(np.mean(each), abs=1e-12)
    assert document["n_items"] == 1


def test_ratings_without_severities_are_refused_unless_asked_for(folder: Path) -> None:
    params, path = rated(folder)
    document = json.loads(params.read_text("utf-8"))
    del document["raters"]
    params.write_text(json.dumps(document), "utf-8")
    refused = CliRunner().invoke(score, [str(path), "--params", str(params)])
    assert refused.exit_code == 1
    assert "--equal-raters" in refused.stderr
    path.write_text(path.read_text("utf-8") + "w,T,,1\n", "utf-8")  # marked by nobody named
    asked = CliRunner().invoke(score, [str(path), "--params", str(params), "--equal-raters", "--json"])
    theta = [row["theta"] for row in json.loads(asked.stdout)["scores"]]
    plain = ItemParameters("T", "PCM", b=(-0.5, 0.7))
    both = [replace(plain, id="T1"), replace(plain, id="T2")]
    two = score_responses(Responses.from_matrix(np.array([[1.0, 1.0]]), ["T1", "T2"]), both, SCALE).theta
    one = score_responses(Responses.from_matrix(np.array([[2.0], [0.0], [1.0]]), ["T"]), [plain], SCALE).theta
    assert theta == pytest.approx([*two, *one])


def test_decisions_by_marks_are_those_of_lee(folder: Path) -> None:
    """Against all patterns of the form's items, summed up by hand over the population."""
    result = run(folder, "--reference", "form.csv", "--cut", "60", "--json")
    given = json.loads(result.stdout)["reference"]["by_marks"]
    form = [ITEMS[0], ITEMS[1], ITEMS[3]]
    marks = [(0.0, 1.0), (0.0, 2.0), (0.0, 1.0, 3.0)]
    theta = SCALE.mean + SCALE.sd * np.linspace(-6, 6, 4801)
    weight = np.exp(-0.5 * ((theta - SCALE.mean) / SCALE.sd) ** 2)
    weight /= weight.sum()
    P = [Curves.of([item], SCALE).probability(theta) for item in form]
    above, expected = np.zeros_like(theta), np.zeros_like(theta)
    for pattern in itertools.product(*(range(len(p)) for p in P)):
        likely = np.prod([p[k] for p, k in zip(P, pattern, strict=True)], axis=0)
        total = sum(worth[k] for worth, k in zip(marks, pattern, strict=True))
        above += likely * (total >= 3.6)
        expected += likely * total
    able = expected >= 3.6
    assert given["accuracy"] == pytest.approx(weight @ np.where(able, above, 1 - above), abs=1e-3)
    assert given["consistency"] == pytest.approx(weight @ (above**2 + (1 - above) ** 2), abs=1e-6)
    assert given["false_positive"] == pytest.approx(weight @ np.where(able, 0, above), abs=1e-3)
    text = run(folder, "--reference", "form.csv", "--cut", "60").stdout
    assert f"by marks on the form, in the population: decisions right {given['accuracy']:.1%}" in text
    (folder / "form.csv").write_text("item,marks\nq1,1\nq2,1.4142135623730951\n", encoding="utf-8")
    assert "not known" in run(folder, "--reference", "form.csv").stdout
