"""The verbs assemble and simulate: files in, files out, one line for what is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from engine import read_pool
from engine.assembly.cli import assemble
from engine.cli import simulate
from tests.engine.samples import EXAMPLES, random_pool, sample_pool

BLUEPRINT = """
title = "Quiz"
length = 6
minutes = 10
order = ["type"]
[marks]
single = 0.5
multiple = 1
[[rule]]
id = "multiples"
what = "count"
where = { type = "multiple" }
min = 2
max = 2
[[rule]]
id = "apart"
what = "overlap"
forms = "parallel"
share = 0.0
"""
TARGET = "[target]\nmarks_tolerance = 0.4\nmarks_between_forms = 0.8\ngoal = 0.2\n"
DESIGN = "[stop]\nmin_items = 5\nmax_items = 10\nstandard_error = 0.4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random_pool(4, 60).write_csv(tmp_path / "pool.csv")
    for name, text in (("blueprint", BLUEPRINT + TARGET), ("design", DESIGN)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def run(command: click.Command, folder: Path, *options: str) -> Result:
    """The command on the files of the folder, as it would be typed there."""
    second = {assemble: "blueprint", simulate: "design"}[command]
    files = ["--pool", str(folder / "pool.csv"), f"--{second}", str(folder / f"{second}.toml")]
    return CliRunner().invoke(command, [*files, "--out", str(folder / "out"), *options])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_assemble_writes_a_csv_a_form_and_a_report(folder: Path) -> None:
    result = run(assemble, folder, "--forms", "2", "--seed", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    pool = read_pool(folder / "pool.csv")
    kind = dict(zip(pool.ids, pool.column("type"), strict=True))
    for name in "AB":
        rows = read_csv(folder / "out" / f"{name}.csv")
        assert [row["position"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
        assert [kind[row["id"]] for row in rows] == ["single"] * 4 + ["multiple"] * 2
        assert [float(row["marks"]) for row in rows] == [0.5] * 4 + [1.0] * 2
    assert (folder / "out" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert result.stdout.splitlines()[0].startswith("A: 6 items, information within ")
    assert "met; recount: 27 of 27 lines hold" in result.stdout


def test_forms_of_an_earlier_run_do_not_stay_beside_the_new_ones(folder: Path) -> None:
    assert run(assemble, folder, "--forms", "2").exit_code == 0
    assert (folder / "out" / "B.csv").is_file()
    (folder / "out" / "notes.csv").write_text("mine\n", encoding="utf-8")
    assert run(assemble, folder, "--forms", "1").exit_code == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["A.csv", "notes.csv", "report.html"]


def test_assemble_prints_one_json_document(folder: Path) -> None:
    result = run(assemble, folder, "--forms", "2", "--seed", "3", "--json")
    document = json.loads(result.stdout)
    assert set(document) == {
        "status",
        "forms",
        "bound",
        "gap",
        "seconds",
        "seed",
        "pool_digest",
        "recount",
    }
    assert (document["status"], document["seed"]) == ("met", 3)
    assert document["pool_digest"] == read_pool(folder / "pool.csv").digest
    for form in document["forms"]:
        assert set(form) == {
            *("name", "items", "deviation", "marks", "minutes", "expected_score_at_cut", "accuracy", "shuffles")
        }
        assert form["items"] == [row["id"] for row in read_csv(folder / "out" / f"{form['name']}.csv")]
        rows = read_csv(folder / "out" / f"{form['name']}.csv")
        assert (form["marks"], form["minutes"]) == (4.0, sum(float(row["minutes"]) for row in rows))
        assert abs(form["expected_score_at_cut"] - 2.4) <= 0.4
        assert 0.5 < form["accuracy"] < 1
    assert set(document["recount"][0]) == {"form", "rule", "min", "max", "value", "ok"}
    assert all(line["ok"] for line in document["recount"])
    assert document["gap"] == pytest.approx(max(form["deviation"] for form in document["forms"]) - document["bound"])


def no_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def test_what_does_not_exist_is_null_in_json(folder: Path) -> None:
    (folder / "blueprint.toml").write_text(BLUEPRINT, encoding="utf-8")
    result = run(assemble, folder, "--json")
    document = json.loads(result.stdout, parse_constant=no_constant)
    assert (document["bound"], document["forms"][0]["deviation"]) == (None, None)
    assert run(assemble, folder).stdout.startswith("A: 6 items, no target\n")
    alone = json.loads(run(simulate, folder, "--examinees", "1", "--json").stdout, parse_constant=no_constant)
    assert alone["overlap"] is None


def test_the_same_command_gives_the_same_files(folder: Path) -> None:
    texts = []
    for _ in range(2):
        run(assemble, folder, "--forms", "2", "--seed", "3")
        texts.append([(folder / "out" / name).read_bytes() for name in ("A.csv", "B.csv", "report.html")])
    assert texts[0] == texts[1]


def test_simulate_writes_the_examinees_and_prints_a_summary(folder: Path) -> None:
    report = str(folder / "new" / "r.html")
    result = run(simulate, folder, "--examinees", "40", "--seed", "20260701", "--report", report)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "\nseed               20260701\n" in result.stdout
    rows = read_csv(folder / "out" / "examinees.csv")
    assert [int(row["examinee"]) for row in rows] == list(range(1, 41))
    assert all(5 <= int(row["items"]) <= 10 for row in rows)
    assert (folder / "new" / "r.html").exists()
    document = json.loads(run(simulate, folder, "--examinees", "40", "--seed", "20260701", "--json").stdout)
    assert document["examinees"] == 40
    assert document["mean_length"] == pytest.approx(sum(int(row["items"]) for row in rows) / 40)
    errors = [float(row["estimate"]) - float(row["theta"]) for row in rows]
    assert document["bias"] == pytest.approx(sum(errors) / 40, abs=1e-5)
    assert {"rmse", "mean_se", "highest_exposure", "overlap", "theta_cut", "accuracy", "false_pass"} <= set(document)


def test_the_example_files_run_as_they_are(tmp_path: Path) -> None:
    sample_pool().write_csv(tmp_path / "pool.csv")
    for name in ("blueprint", "design"):
        (tmp_path / f"{name}.toml").write_bytes((EXAMPLES / f"{name}.toml").read_bytes())
    assert run(assemble, tmp_path).exit_code == 0
    assert run(simulate, tmp_path, "--examinees", "20").exit_code == 0


# What goes wrong


def assert_one_line(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    for part in parts:
        assert part in lines[0]


@pytest.mark.parametrize("command", [assemble, simulate])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "row 1: no column 'id'"),
        (b"id,a,b\nq1,x,0\n", "row 2, column a: 'x' is not a number"),
        ("id,type\nq1,单选\n".encode("gbk"), "not UTF-8"),
        (b"\x00\xff\x00", "not UTF-8"),
        (b'id,a\n"q1,1\n', "row 2: the row has another number of cells"),
        (b"id,a\n" + b"q" * 200_000 + b",1\n", "not CSV: field larger than field limit"),
    ],
)
def test_a_file_that_is_no_pool_is_one_line_and_exit_1(
    folder: Path, command: click.Command, content: bytes, message: str
) -> None:
    (folder / "pool.csv").write_bytes(content)
    assert_one_line(run(command, folder), 1, "pool.csv", message)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("command", "name", "text", "message"),
    [
        (assemble, "blueprint", "length = ", "not TOML"),
        (assemble, "blueprint", 'length = "six"\n[marks]\n', "length = 'six': expected int, got str"),
        (assemble, "blueprint", BLUEPRINT.replace("type =", "tipe ="), "no column 'tipe'; did you mean 'type'?"),
        (assemble, "blueprint", BLUEPRINT.replace("multiple = 1", ""), "[marks] has no entry for type = 'multiple'"),
        (assemble, "blueprint", BLUEPRINT.replace('order = ["type"]', 'order = ["kind"]'), "no column 'kind'"),
        (simulate, "design", "[stop]\nmin_items = 0\n", "[stop] min_items = 0"),
        (simulate, "design", "[stop]\nmin_items = 61\nmax_items = 70\n", "the pool has 60 calibrated items"),
    ],
)
def test_wrong_input_is_one_line_and_exit_1(
    folder: Path, command: click.Command, name: str, text: str, message: str
) -> None:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    assert_one_line(run(command, folder), 1, message)
    assert not (folder / "out").exists()


def test_no_solution_is_exit_3_with_the_reason(folder: Path) -> None:
    (folder / "blueprint.toml").write_text(BLUEPRINT.replace("= 2", "= 40").replace("= 6", "= 41"), encoding="utf-8")
    assert_one_line(run(assemble, folder), 3, "rule 'multiples' wants 40, but the pool holds")


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_1(folder: Path) -> None:
    (folder / "file").write_text("", encoding="utf-8")
    for command in (assemble, simulate):
        assert_one_line(run(command, folder, "--out", str(folder / "file" / "out")), 1, "file")


@pytest.mark.parametrize("command", [assemble, simulate])
def test_a_wrong_call_is_exit_2(folder: Path, command: click.Command) -> None:
    assert CliRunner().invoke(command, []).exit_code == 2
    assert run(command, folder, "--seed", "-1").exit_code == 2
    (folder / "pool.csv").unlink()
    assert run(command, folder).exit_code == 2


@pytest.mark.parametrize(("command", "name"), [(assemble, "assemble"), (simulate, "simulate")])
def test_help_has_an_example_that_is_a_call_it_understands(command: click.Command, name: str) -> None:
    text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
    example = text[text.index(f"Example: tiku {name} ") :].split()[3:]
    given = {word for word in example if word.startswith("--")}
    known = {option for parameter in command.params for option in parameter.opts}
    required = {parameter.opts[0] for parameter in command.params if parameter.required}
    assert required <= given <= known
