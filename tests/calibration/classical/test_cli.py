"""The classical verbs as a person or a program meets them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from calibration import calibrate
from calibration.classical import cli
from calibration.own_data import own_data
from calibration.raters import fair_marks, rating_fit
from tests.calibration import lsat
from tests.calibration.report import samples

SITTINGS = Path(__file__).parents[3] / "examples" / "ai_trainer_l3" / "sittings"
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda verb, *arguments: CliRunner().invoke(getattr(cli, verb), [str(a) for a in arguments])


@pytest.fixture
def lsat7(tmp_path: Path) -> Path:
    path = tmp_path / "lsat7.csv"
    rows = [",".join([*pattern, str(count)]) for pattern, count in lsat.LSAT7.items()]
    path.write_text("\n".join(["a,b,c,d,e,freq", *rows]), encoding="utf-8")
    return path


def test_sittings_in_json(run: Run) -> None:
    result = run("classical", SITTINGS / "1.csv", SITTINGS / "2.csv", "--key", SITTINGS / "keys.csv", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert set(document["forms"]) == {"1/F1", "2/F2"}
    form = document["forms"]["1/F1"]
    assert (form["items"], form["n"]) == (190, 105)
    assert form["alpha_interval"][0] < form["alpha"] < form["alpha_interval"][1] < 1
    assert form["omega_interval"][0] < form["omega"] < form["omega_interval"][1] < 1
    assert "NaN" not in result.stdout


def test_text_says_forms_items_and_flags(run: Run, lsat7: Path, tmp_path: Path) -> None:
    out, strata = tmp_path / "items.csv", tmp_path / "strata.csv"
    strata.write_text("item,stratum\na,1\nb,1\nc,2\nd,2\ne,2\n", "utf-8")
    result = run("classical", lsat7, "--strata", strata, "--out", out)
    assert result.exit_code == 0
    assert "(all)      5  1000  3.707  1.199  0.453" in result.stdout
    assert "stratified alpha 0.4" in result.stdout
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["p"]) for row in rows] == pytest.approx([0.828, 0.658, 0.772, 0.606, 0.843])
    assert [row["n"] for row in rows] == ["1000.0"] * 5


def test_options_are_shown_by_fifths(run: Run) -> None:
    result = run("classical", SITTINGS / "1.csv", "--key", SITTINGS / "keys.csv", "--options")
    assert result.exit_code == 0
    assert "fifth 5" in result.stdout
    assert " *" in result.stdout


def test_angoff_prints_rounds_and_judges(run: Run, tmp_path: Path) -> None:
    ratings, reality = tmp_path / "r.csv", tmp_path / "p.csv"
    ratings.write_text("judge,a,b,c\nx,0.5,0.7,0.6\ny,0.6,0.8,0.7\n", "utf-8")
    reality.write_text("item,p\na,0.4\nb,0.9\nc,0.5\n", "utf-8")
    result = run("angoff", ratings, "--reality", reality)
    assert result.exit_code == 0
    assert result.stdout.startswith("round 1: cut 1.95 of 3 marks (65.0%), standard error 5.0% over judges")
    document = json.loads(run("angoff", ratings, "--json").stdout)
    assert document["rounds"][0]["judges"][0]["reality_gap"] is None


def test_bookmark_prints_booklet_and_cut(run: Run, tmp_path: Path) -> None:
    params, pages = tmp_path / "params.json", tmp_path / "pages.csv"
    items = [{"id": f"q{j}", "model": "2PL", "a": 1.0, "b": [float(j)]} for j in range(3)]
    params.write_text(json.dumps({"scale": {"id": "t"}, "items": items}), "utf-8")
    pages.write_text("judge,page\nx,2\ny,3\nz,3\n", "utf-8")
    booklet = run("bookmark", params, "--rp", "0.5").stdout.splitlines()
    assert booklet[1].split() == ["1", "q0", "1", "0.000"]
    cut = run("bookmark", params, "--rp", "0.5", "--bookmarks", pages)
    assert "at theta 1.000 (median of 3 judges" in cut.stdout


def test_compare_shows_girth_beside_ours(run: Run, lsat7: Path) -> None:
    pytest.importorskip("girth")
    document = json.loads(run("compare", lsat7, "--json").stdout)
    assert document["largest_a"] < 0.01
    rasch = run("compare", lsat7, "--model", "rasch")
    assert rasch.exit_code == 0
    assert rasch.stdout.startswith("Rasch, 1000 persons, 5 items")
    forms = run("compare", SITTINGS / "1.csv", SITTINGS / "2.csv", "--key", SITTINGS / "keys.csv")
    assert forms.exit_code == 1
    assert "missing by design" in forms.stderr


@pytest.mark.parametrize(
    ("verb", "text", "message"),
    [
        ("classical", "person,a\nx,seven\n", "row 2, column a: 'seven' is not a score"),
        ("raters", "person,a,b\nx,1,0\n", "name no raters"),
        ("angoff", "judge,a\nx,2\n", "row 2, item a: '2'"),
        ("bookmark", "{}", 'expected an object with "items"'),
    ],
)
def test_bad_files_are_one_line_and_exit_1(run: Run, tmp_path: Path, verb: str, text: str, message: str) -> None:
    path = tmp_path / "file"
    path.write_text(text, "utf-8")
    result = run(verb, path)
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("verb", ["classical", "angoff", "bookmark", "raters", "compare"])
def test_help_has_an_example(run: Run, verb: str) -> None:
    assert "Example: tiku" in run(verb, "--help").stdout


def test_raters_of_a_file(run: Run, tmp_path: Path) -> None:
    """Shrout and Fleiss' (1979) table as a long file; their ICC(2,1) is 0.29. Marks are shown as they were given."""
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    lines = [f"p{i},task,r{k},{x}" for i, row in enumerate(table, start=1) for k, x in enumerate(row, start=1)]
    path = tmp_path / "practical.csv"
    path.write_text("person,item,rater,score\n" + "\n".join(lines) + "\n", "utf-8")
    document = json.loads(run("raters", path, "--gap", "0.65", "--json").stdout)
    assert document["agreement"]["task"]["icc2"] == pytest.approx(0.29, abs=0.005)
    assert len(document["pairs"]) == 6
    assert [row["person"] for row in document["third_scorer"]] == ["p1"]
    text = run("raters", path, "--gap", "0.65").stdout
    assert "p1, task: r1 9, r2 2, r3 5, r4 8 of 10: a third scorer should look" in text


def test_fit_of_raters_and_fair_marks_of_a_file(run: Run, tmp_path: Path) -> None:
    """What the calibration's own parts say; fair marks of all go to the file, the first to the screen."""
    data = samples.rated()
    calibration = calibrate(data, model="PCM")
    params, path, out = tmp_path / "params.json", tmp_path / "practical.csv", tmp_path / "fair.csv"
    calibration.save(params)
    assert data.rater is not None
    rows = zip(data.person, data.item, data.rater, data.given_scores, strict=True)
    lines = [f"{data.persons[p]},{data.items[j]},{data.raters[r]},{x}" for p, j, r, x in rows]
    path.write_text("person,item,rater,score\n" + "\n".join(lines) + "\n", "utf-8")
    document = json.loads(run("raters", path, "--params", params, "--out", out, "--json").stdout)
    places = (list(calibration.raters), [item.id for item in calibration.items])
    of_raters, of_items = (
        sorted(rows, key=lambda row: place.index(row.name))
        for rows, place in zip(rating_fit(own_data(calibration), calibration.scale), places, strict=True)
    )
    assert [row["rater"] for row in document["raters"]] == list(calibration.raters)
    for rows_given, expected in ((document["raters"], of_raters), (document["rated_items"], of_items)):
        assert [row["n"] for row in rows_given] == pytest.approx([row.n for row in expected])
        for name in ("outfit", "infit", "infit_t"):
            own = [getattr(one, name) for one in expected]
            assert [row[name] for row in rows_given] == pytest.approx(own, abs=2e-3)
    severity = {name: estimate.value for name, estimate in calibration.raters.items()}
    assert {row["rater"]: row["severity"] for row in document["raters"]} == pytest.approx(severity)
    fair = fair_marks(data, calibration.items, severity, calibration.scale)
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["person"] for row in written] == [one.person for one in fair]
    assert [float(row["fair"]) for row in written] == pytest.approx([one.fair for one in fair])
    text = run("raters", path, "--params", params).stdout
    assert f"… {len(fair) - 20} more" in text
    assert run("raters", path, "--out", out).exit_code == 2
