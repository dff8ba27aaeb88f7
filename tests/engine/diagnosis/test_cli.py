"""`tiku diagnose` and `tiku capacity`, as they are typed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authoring.cli import main
from tests.engine.samples import item, random_pool

PAPER = """
title = "Quiz"
length = 6
minutes = 10
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
id = "nothing shared"
what = "overlap"
forms = "parallel"
share = 0.0
"""
TOO_MANY = """
[[rule]]
id = "nothing but S1"
what = "count"
where = { section = "S1" }
min = 6
"""
OLD = """
[[rule]]
id = "not last year's"
what = "overlap"
forms = "2025"
max = 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from engine import Pool

    rows = [item(f"i{j:02d}", type="multiple" if j % 4 == 0 else "single", section=f"S{1 + j % 5}") for j in range(20)]
    Pool.from_rows(rows).write_csv(tmp_path / "pool.csv")
    (tmp_path / "paper.toml").write_text(PAPER, encoding="utf-8")
    return tmp_path


def run(verb: str, folder: Path, *options: str) -> Result:
    files = ["--pool", str(folder / "pool.csv"), "--blueprint", str(folder / "paper.toml")]
    return CliRunner().invoke(main, [verb, *files, *options])


def test_a_paper_that_can_be_met(folder: Path) -> None:
    result = run("diagnose", folder, "--forms", "2")
    assert (result.exit_code, result.output) == (0, "can be met: 2 papers were found that keep every rule\n")


def test_a_paper_that_cannot_says_why_and_exits_with_3(folder: Path) -> None:
    (folder / "paper.toml").write_text(PAPER + TOO_MANY, encoding="utf-8")
    result = run("diagnose", folder)
    assert result.exit_code == 3
    assert "rule 'nothing but S1' wants 6, but the pool holds 4" in result.output
    assert "rule 'nothing but S1': min 6 → 4 items" in result.output
    assert "The least change (assembled, every rule kept)" in result.output


def test_the_same_as_json(folder: Path) -> None:
    (folder / "paper.toml").write_text(PAPER + TOO_MANY, encoding="utf-8")
    document = json.loads(run("diagnose", folder, "--json").output)
    assert document["status"] == "cannot be met"
    assert document["shortages"][0]["held"] == 4
    assert document["conflict"] == ["nothing but S1"]
    assert [(one["old"], one["new"]) for one in document["changes"]] == [(6.0, 4.0)]
    assert document["proposal"]["rules"][-1]["min"] == 4
    assert len(document["papers"][0]) == 6


def test_earlier_papers_by_name(folder: Path) -> None:
    (folder / "paper.toml").write_text(PAPER + OLD, encoding="utf-8")
    (folder / "old.csv").write_text("position,id,marks\n1,i00,1\n2,i04,1\n", encoding="utf-8")
    (folder / "all.csv").write_text("\n".join(["id", *(f"i{j:02d}" for j in range(16))]), encoding="utf-8")
    assert run("diagnose", folder, "--earlier", f"2025={folder / 'old.csv'}").exit_code == 0
    result = run("diagnose", folder, "--earlier", f"2025={folder / 'all.csv'}")
    assert result.exit_code == 3
    assert "not last year's" in result.output


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--earlier", "2025"], 1, "expected NAME=FILE"),
        (["--earlier", "2025=nowhere.csv"], 1, "there is no file nowhere.csv"),
        (["--earlier", "2025={folder}/bad.csv"], 1, "no column 'id'"),
        (["--earlier", "2025={folder}/empty.csv"], 1, "no column 'id'"),
    ],
)
def test_what_is_wrong_with_an_earlier_paper_is_said(folder: Path, options: list[str], code: int, said: str) -> None:
    (folder / "bad.csv").write_text("position,item\n1,i00\n", encoding="utf-8")
    (folder / "empty.csv").write_text("", encoding="utf-8")
    result = run("diagnose", folder, *(option.replace("{folder}", str(folder)) for option in options))
    assert result.exit_code == code
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_rule_on_a_column_the_pool_lacks_is_wrong_input_not_infeasible(folder: Path) -> None:
    (folder / "paper.toml").write_text(PAPER.replace("type = ", "typ = "), encoding="utf-8")
    result = run("diagnose", folder)
    assert result.exit_code == 1
    assert "did you mean 'type'?" in result.output


def test_capacity_and_the_order_that_it_writes(folder: Path) -> None:
    out = folder / "write" / "order.csv"
    result = run("capacity", folder, "--cells", "type", "--ahead", "1", "--out", str(out))
    assert result.exit_code == 0
    assert result.output.startswith("2 papers assembled that share no item; more there cannot be")
    assert "multiples: 5 / 2 = 2" in result.output
    with out.open(encoding="utf-8", newline="") as file:
        [line] = list(csv.DictReader(file))
    assert line == {"paper": "3", "type": "multiple", "items": "1", "assembled": "yes"}


def test_capacity_as_json_has_no_infinite_number(folder: Path) -> None:
    random_pool(3, 40).write_csv(folder / "pool.csv")
    document = json.loads(run("capacity", folder, "--ahead", "1", "--json").output)
    assert document["papers"] == len(document["forms"]) <= document["bound"]
    assert all(cell["papers"] is None or cell["papers"] > 0 for cell in document["cells"])
    assert all(step["items"] == sum(line["items"] for line in step["lines"]) for step in document["steps"])
