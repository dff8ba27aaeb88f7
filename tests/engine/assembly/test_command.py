"""`tiku assemble` with parameters from a calibration, earlier papers, keys and a limit of time."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

from calibration import parameters_document
from engine import RecountLine, Rule, Target, assemble, read_pool
from engine.assembly.cli import assemble as command
from engine.assembly.cli import refuse_broken
from tests.engine.samples import keyed_pool, random_pool, small_blueprint

BLUEPRINT = """
title = "Quiz"
length = 8
order = ["type"]
[marks]
single = 0.5
multiple = 1
[minutes]
single = 1
multiple = 2.5
total = 20
[[rule]]
id = "letters"
what = "key_balance"
of = "key"
share = [0.2, 0.4]
run = 2
[[rule]]
id = "not last year's"
what = "overlap"
forms = "last year"
max = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keyed_pool(50).write_csv(tmp_path / "pool.csv")
    (tmp_path / "bp.toml").write_text(BLUEPRINT, encoding="utf-8")
    ids = [f"i{j:04d}" for j in range(0, 50, 2)]
    (tmp_path / "last.csv").write_text("position,id\n" + "".join(f"{n},{i}\n" for n, i in enumerate(ids, 1)), "utf-8")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    files = ["--pool", str(folder / "pool.csv"), "--blueprint", str(folder / "bp.toml"), "--out", str(folder / "out")]
    return CliRunner().invoke(command, [*files, *options])


def test_a_form_has_its_keys_as_they_are_printed(folder: Path) -> None:
    result = run(folder, "--earlier", f"last year={folder / 'last.csv'}", "--json")
    assert result.exit_code == 0, result.stderr
    (form,) = json.loads(result.stdout)["forms"]
    pool = read_pool(folder / "pool.csv")
    own = dict(zip(pool.ids, map(str, pool.column("key")), strict=True))
    kind = dict(zip(pool.ids, pool.column("type"), strict=True))
    with (folder / "out" / "A.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == form["items"]
    assert sum(int(row["id"][1:]) % 2 == 0 for row in rows) <= 1
    for row in rows:
        assert float(row["minutes"]) == (1 if kind[row["id"]] == "single" else 2.5)
        assert row["options"] == form["shuffles"].get(row["id"], "")
        assert row["key"] == ("ABCD"[row["options"].index(own[row["id"]])] if row["options"] else own[row["id"]])
    assert form["minutes"] == sum(float(row["minutes"]) for row in rows)
    assert all(2 <= sum(row["key"] == letter for row in rows) <= 3 for letter in "ABCD")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("last year", "--earlier 'last year': expected NAME=FILE.csv"),
        ("last year=nowhere.csv", "--earlier last year: there is no file nowhere.csv"),
        ("", "rule \"not last year's\" ([[rule]] 2): no earlier paper 'last year' was given; there are: none"),
    ],
)
def test_an_earlier_paper_that_is_not_there_is_one_line(folder: Path, option: str, message: str) -> None:
    result = run(folder, *(["--earlier", option] if option else []))
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert not (folder / "out").exists()


def test_parameters_of_a_calibration_take_the_place_of_the_pools(folder: Path) -> None:
    pool = read_pool(folder / "pool.csv")
    items = [pool.item_parameters(j) for j in range(0, len(pool), 2)]
    (folder / "params.json").write_text(json.dumps(parameters_document(items)), encoding="utf-8")
    text = (
        BLUEPRINT[: BLUEPRINT.index("[[rule]]")]
        + "[target]\nmarks_tolerance = 0\nmarks_between_forms = 0\ngoal = 0.3\n"
    )
    (folder / "bp.toml").write_text(text, encoding="utf-8")
    result = run(folder, "--params", str(folder / "params.json"), "--json")
    assert result.exit_code == 0, result.stderr
    (form,) = json.loads(result.stdout)["forms"]
    assert set(form["items"]) <= {item.id for item in items}


def test_a_limit_of_time_gives_the_best_found_and_says_so(folder: Path) -> None:
    pool = random_pool(7, 400)
    blueprint = small_blueprint(Rule("points", "at_most_one_per", of="point"), length=60, target=Target(goal=0.0))
    assembly = assemble(pool, blueprint, seconds=1.0)
    assert assembly.status == "not reproducible"
    assert assembly.timed_out
    assert np.isfinite(assembly.forms[0].deviation)
    assert all(line.ok for line in assembly.recount)
    assert assembly.seconds < 20
    (folder / "bp.toml").write_text(BLUEPRINT[: BLUEPRINT.index("[[rule]]")], encoding="utf-8")
    assert json.loads(run(folder, "--time-limit", "60", "--json").stdout)["status"] == "met"


def test_a_recount_that_does_not_hold_is_an_error_and_nothing_is_written() -> None:
    held, broken = RecountLine("A", "length", 4, 4, 4.0, ok=True), RecountLine("A", "enemies", None, 0, 2.0, ok=False)
    refuse_broken([held])
    with pytest.raises(click.ClickException, match=r"1 of 2 lines .* nothing was written: form A, rule 'enemies'"):
        refuse_broken([held, broken])
