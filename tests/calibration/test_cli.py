"""`tiku calibrate` as a person or a program meets it."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import calibration
from calibration.cli import calibrate
from tests.calibration import lsat
from tests.calibration.simulated import draw, some_items

SITTINGS = Path(__file__).parents[2] / "examples" / "ai_trainer_l3" / "sittings"

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    return lambda *arguments, **how: CliRunner().invoke(calibrate, [str(argument) for argument in arguments], **how)


@pytest.fixture
def lsat7(tmp_path: Path) -> Path:
    path = tmp_path / "lsat7.csv"
    rows = [",".join([*pattern, str(count)]) for pattern, count in lsat.LSAT7.items()]
    path.write_text("\n".join(["Item.1,Item.2,Item.3,Item.4,Item.5,freq", *rows]), encoding="utf-8")
    return path


def test_json_is_one_document_and_nothing_else(run: Run, lsat7: Path) -> None:
    result = run(lsat7, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document["model"] == "2PL"
    assert document["n_persons"] == 1000
    assert document["converged"] is True
    assert document["log_likelihood"] == pytest.approx(lsat.LSAT7_2PL.log_likelihood, abs=1e-3)
    assert document["max_gradient"] < 1e-2
    assert document["scale"] == {"id": "theta", "D": 1.0, "mean": 0.0, "sd": 1.0, "anchors": []}
    assert document["seconds"] >= 0
    item = document["items"][2]
    assert (item["id"], item["model"], item["n"], item["flags"]) == ("Item.3", "2PL", 1000, [])
    assert item["a"] == pytest.approx(lsat.LSAT7_2PL.a[2], abs=1e-3)
    assert item["se"]["b"] == pytest.approx(lsat.LSAT7_2PL.se_b[2], abs=1e-3)


def test_without_json_it_prints_counts_result_and_files(run: Run, lsat7: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "params.json", tmp_path / "report.html"
    result = run(lsat7, "--model", "rasch", "--out", out, "--report", report)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "responses: 160 answered, 0 omitted, 0 not reached, 0 not administered"
    assert lines[1].startswith("Rasch, 5 items, 1000 persons: log-likelihood -2664.")
    assert lines[-2:] == [f"wrote {out}", f"wrote {report}"]
    assert "lsat7.csv" in report.read_text(encoding="utf-8")
    _, items = calibration.read_parameters(out)
    assert [item.a for item in items] == [1.0] * 5


def test_means_are_estimated_where_every_parameter_has_a_prior(run: Run, lsat7: Path) -> None:
    priors = "a=lognormal(0, 0.5), b=normal(0, 2)"
    result = run(lsat7, "--priors", priors, "--estimate", "mean", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    document, modes = json.loads(result.stdout), json.loads(run(lsat7, "--priors", priors, "--json").stdout)
    assert (document["estimate"], modes["estimate"]) == ("mean", "mode")
    assert document["log_likelihood"] == modes["log_likelihood"]
    assert document["items"][2]["a"] > modes["items"][2]["a"]
    refused = run(lsat7, "--priors", "default", "--estimate", "mean")
    assert refused.exit_code == 1
    assert "posterior means need a prior on every parameter, and b of 2PL has none" in refused.stderr


def test_sittings_with_a_key_are_pooled_calibrated_and_flagged(run: Run) -> None:
    files = [SITTINGS / f"{s}.csv" for s in range(1, 7)]
    result = run(*files, "--key", SITTINGS / "keys.csv", "--priors", "default", "--json")
    document = json.loads(result.stdout)
    assert document["priors"] == "a ~ lognormal(floating, 0.5)"  # 2PL has no c and no d
    assert document["integration_error"] < 1e-3  # 1,138 parameters: by the items' blocks
    assert len(document["items"]) + len(document["excluded"]) == 570
    assert {item["n"] for item in document["items"]} == {210}
    flags = {item["id"]: item["flags"] for item in document["items"] if item["flags"]}
    assert flags == {"AIT3-0029": ["key-suspect", "negative-discrimination"], "AIT3-0360": ["key-suspect"]}


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("person,Q1\nx,1\ny,7\n", [], "row 3, column Q1: score 7 is outside 0…1"),
        ("person,Q1\nx,1\nx,0\n", [], "row 3: person 'x' already stands in row 2"),
        ("person,Q1\nx,1\ny,1\n", [], "no item has both right and wrong answers: nothing can be calibrated"),
        ("Q1,Q2\n1,0\n0,1\n", ["--model", "9PL"], "model '9PL' is not known; choose one of Rasch, 1PL, 2PL"),
        ("Q1,Q2\n1,0\n0,1\n", ["--priors", "strong"], "priors 'strong': expected default, none, or e.g. a=lognormal"),
        ("Q1\n\udcff\n", [], "row 2: not UTF-8; save the file as UTF-8 CSV"),
    ],
)
def test_wrong_input_ends_in_one_line_and_exit_code_1(
    run: Run, tmp_path: Path, text: str, arguments: list[str], message: str
) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    out = tmp_path / "params.json"
    result = run(path, "--out", out, "--json", *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not out.exists()


def test_a_bad_key_ends_in_one_line_too(run: Run, lsat7: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    key.write_text("item,key\nItem.1\n", encoding="utf-8")
    result = run(lsat7, "--key", key)
    assert (result.exit_code, result.stderr) == (1, f"Error: {key}, row 2: 1 cells, the header has 2\n")


def test_a_place_that_cannot_be_written_ends_in_one_line(run: Run, lsat7: Path) -> None:
    result = run(lsat7, "--out", lsat7 / "inside" / "params.json")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1


def test_usage_errors_have_exit_code_2(run: Run, lsat7: Path) -> None:
    assert run().exit_code == 2
    assert run(lsat7.with_name("absent.csv")).exit_code == 2
    assert run(lsat7, "--tolerance", "0").exit_code == 2


def test_help_shows_an_example(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "Example: tiku calibrate responses.csv" in " ".join(result.stdout.split())


def test_files_are_written_whole_or_not_at_all(
    run: Run, lsat7: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "params.json"
    assert run(lsat7, "--out", out).exit_code == 0
    before = out.read_bytes()

    def interrupted(_: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", interrupted)
    result = run(lsat7, "--model", "1PL", "--out", out)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["params.json"]


# Interrupted


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Responses that take a few seconds to calibrate."""
    rng = np.random.default_rng(1)
    items = [replace(item, id=f"Q{j:02}") for j, item in enumerate(some_items("GRM", J=30, K=4))]
    scores = draw(rng, items, rng.standard_normal(4000)).astype(int)
    path = tmp_path_factory.mktemp("many") / "many.csv"
    rows = [",".join(map(str, row)) for row in scores]
    path.write_text("\n".join([",".join(item.id for item in items), *rows]) + "\n", encoding="utf-8")
    return path


def start(*arguments: object) -> subprocess.Popen[str]:
    """`tiku calibrate` as a process of its own, each iteration slowed so that a signal finds it at work."""
    code = (
        "import sys, time; from calibration import cli\n"
        "watch = cli._watch\n"
        "def slow(*a):\n"
        "    inner = watch(*a)\n"
        "    def each(progress):\n"
        "        inner(progress); print('iteration', progress.iteration, flush=True); time.sleep(0.3)\n"
        "    return each\n"
        "cli._watch = slow\n"
        "cli.calibrate()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(Path(calibration.__file__).parents[1])},
    )


def test_ctrl_c_keeps_the_state_and_resume_ends_at_the_same_parameters(run: Run, many: Path, tmp_path: Path) -> None:
    whole, out, state = tmp_path / "whole.json", tmp_path / "p.json", tmp_path / "p.state.json"
    assert run(many, "--model", "GRM", "--max-score", 4, "--tolerance", "1e-6", "--out", whole).exit_code == 0
    process = start(many, "--model", "GRM", "--max-score", 4, "--tolerance", "1e-6", "--out", out)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("iteration 5"):
            process.send_signal(signal.SIGINT)
            break
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"go on with --resume {state}" in stderr
    assert "Traceback" not in stderr
    assert not out.exists()
    assert json.loads(state.read_text(encoding="utf-8"))["iteration"] >= 5
    arguments = (many, "--model", "GRM", "--max-score", 4, "--tolerance", "1e-6", "--resume", state, "--out", out)
    short = run(*arguments, "--max-iterations", 1)
    assert "not-converged" in short.stdout
    assert state.exists()  # there is something left to go on with
    resumed = run(*arguments)
    assert resumed.exit_code == 0, resumed.stderr
    assert not state.exists()
    (_, one), (_, other) = calibration.read_parameters(whole), calibration.read_parameters(out)
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose((mine.a, *mine.b), (theirs.a, *theirs.b), atol=2e-6)
        np.testing.assert_allclose(list(mine.se.values()), list(theirs.se.values()), rtol=1e-4)


def test_a_state_of_other_responses_is_refused(run: Run, lsat7: Path, tmp_path: Path) -> None:
    state = tmp_path / "s.json"
    calibration.write_state(state, calibration.Progress(3, -1.0, (0.0,)), "other")
    result = run(lsat7, "--resume", state)
    assert result.exit_code == 1
    assert (
        result.stderr == f"Error: {state}: the state of a calibration of other responses; give the files it came from\n"
    )


def test_only_the_state_of_the_run_that_ended_is_removed(run: Run, lsat7: Path, tmp_path: Path) -> None:
    other, out = tmp_path / "notes.json", tmp_path / "p.json"
    other.write_text('{"mine": 1}', encoding="utf-8")
    assert run(lsat7, "--state", other).exit_code == 0
    assert other.read_text(encoding="utf-8") == '{"mine": 1}'
    digest = calibration.digest(calibration.read_responses(lsat7))
    calibration.write_state(out.with_suffix(".state.json"), calibration.Progress(3, -1.0, (0.0,)), digest)
    assert run(lsat7, "--out", out).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lsat7.csv", "notes.json", "p.json"]


def test_a_spec_file_says_models_and_priors(run: Run, lsat7: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text('[models]\n"*" = "2PL"\n[priors."*"]\na = "lognormal(0, 0.5)"\n', encoding="utf-8")
    document = json.loads(run(lsat7, "--spec", spec, "--json").stdout)
    assert document["log_prior"] == pytest.approx(lsat.LSAT7_2PL_LOGNORMAL.log_prior, abs=1e-3)
    assert document["items"][2]["a"] == pytest.approx(lsat.LSAT7_2PL_LOGNORMAL.a[2], abs=1e-3)


def test_anchors_keep_their_parameters_and_the_group_is_free(run: Run, lsat7: Path, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.json"
    assert run(lsat7, "--out", anchors).exit_code == 0
    document = json.loads(run(lsat7, "--anchors", anchors, "--json").stdout)
    _, items = calibration.read_parameters(anchors)
    assert [item["a"] for item in document["items"]] == [item.a for item in items]
    assert document["groups"][0]["mean"]["value"] == pytest.approx(0, abs=1e-3)  # where they were found, they stay
    assert document["groups"][0]["sd"]["value"] == pytest.approx(1, abs=1e-3)


def test_the_reports_numbers_stand_beside_it(run: Run, lsat7: Path, tmp_path: Path) -> None:
    numbers, rows, form = tmp_path / "r.json", tmp_path / "r.csv", tmp_path / "form.csv"
    form.write_text("item,marks\n" + "".join(f"{name},2\n" for name in lsat7_items(lsat7)), encoding="utf-8")
    result = run(lsat7, "--report", tmp_path / "r.html", "--numbers", numbers, "--form", form, "--cut", "50")
    assert result.exit_code == 0
    document = json.loads(numbers.read_text(encoding="utf-8"))
    cut = document["estimation"]["cut"]
    items = [row for row in document["items"] if row["model"]]
    expected = sum(1 / (1 + math.exp(-row["a"] * (cut - row["b"]))) for row in items)
    assert expected == pytest.approx(0.5 * len(items))
    assert run(lsat7, "--numbers", rows).exit_code == 0
    assert rows.read_text(encoding="utf-8").startswith("id,label,model,n,p,")
    refused = run(lsat7, "--numbers", rows, "--form", numbers)
    assert refused.exit_code == 1


def lsat7_items(path: Path) -> list[str]:
    header = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    return [name for name in header if name.lower() not in {"person", "freq", "weight"}]


def test_what_can_be_refused_is_refused_before_the_run(
    run: Run, lsat7: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(calibration, "calibrate", never, raising=False)
    form, report, a_file = tmp_path / "form.csv", tmp_path / "r.html", tmp_path / "a_file"
    a_file.write_text("", encoding="utf-8")
    for text, message in (
        ("item,marks\nItem.1,2\nItem.9,2\n", "row 3, column item: 'Item.9' has no parameters"),
        ("item,marks\nItem.1,two\n", "row 2, column marks: 'two'"),
        ("item,points\nItem.1,2\n", "expected the columns item,marks"),
    ):
        form.write_text(text, encoding="utf-8")
        refused = run(lsat7, "--report", report, "--form", form)
        assert (refused.exit_code, message in refused.stderr) == (1, True), refused.stderr
    for option in ("--out", "--report", "--numbers", "--state"):
        refused = run(lsat7, option, a_file / "x.json")
        assert (refused.exit_code, "its folder is a file" in refused.stderr) == (1, True), refused.stderr
    assert run(lsat7, "--out", report, "--report", report).exit_code == 2
    assert run(lsat7, "--form", form).exit_code == 2
    form.write_text("item,marks\nItem.1,2\nItem.2,0;0.5\n", encoding="utf-8")
    with pytest.raises(AssertionError):  # a good one goes on to the run
        run(lsat7, "--report", report, "--form", form, catch_exceptions=False)
