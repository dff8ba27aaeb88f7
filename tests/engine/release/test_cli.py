"""`tiku release`: files in, files out, one line for what is wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine import read_pool
from engine.release.cli import release
from tests.engine.samples import EXAMPLES, random_pool, sample_pool

READY = '[[readiness]]\ndecided_by = "孙丽"\ndate = 2026-11-20\nreference = "会议纪要 12 号"\n'
POLICY = 'share = 0.2\nmargins = ["type"]\ncells = ["type", "section"]\nkeep = {}\n' + READY
BLUEPRINT = """
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
id = "apart"
what = "overlap"
forms = "parallel"
share = 0.0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random_pool(4, 60).write_csv(tmp_path / "pool.csv")
    for name, text in (("policy", POLICY), ("blueprint", BLUEPRINT)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    files = ["--pool", str(folder / "pool.csv"), "--policy", str(folder / "policy.toml")]
    return CliRunner().invoke(release, [*files, "--out", str(folder / "out"), *options])


def with_papers(folder: Path, *options: str) -> Result:
    return run(folder, "--blueprint", str(folder / "blueprint.toml"), *options)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def no_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def assert_one_line(result: Result, code: int, *parts: str) -> None:
    assert result.exit_code == code
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    for part in parts:
        assert part in lines[0]


def test_it_writes_the_items_with_reasons_and_a_report(folder: Path) -> None:
    result = run(folder, "--seed", "2")
    assert (result.exit_code, result.stderr) == (0, "")
    rows = rows_of(folder / "out" / "release.csv")
    assert len(rows) == 12
    assert all("代表 represents" in row["reason"] for row in rows)
    assert result.stdout.startswith("12 items, 12 of 60 public; worst margin ")
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["release.csv", "report.html"]


def test_json_is_one_document_with_everything(folder: Path) -> None:
    result = with_papers(folder, "--papers", "2", "--papers-limit", "3", "--seed", "2", "--json")
    assert result.stdout.count("\n") == 1
    document = json.loads(result.stdout, parse_constant=no_constant)
    assert document["items"] == [row["id"] for row in rows_of(folder / "out" / "release.csv")]
    assert (document["status"], document["seed"], document["share"]) == ("feasible", 2, 0.2)
    assert (document["papers"]["asked"], document["papers"]["limit"]) == (2, 3)
    assert document["shares"][0]["readiness"]["date"] == "2026-11-20"
    assert document["publish"] == {
        "stem": True,
        "options": True,
        "key": False,
        "rationale": False,
        "marking_table": False,
    }
    assert document["usage"]["mean_uses"] is None
    assert len(document["effects"]["rows"]) == 8
    assert document["pool_digest"] == read_pool(folder / "pool.csv").digest
    assert {"reasons", "strata", "ks_difficulty", "information_share", "notes", "kept", "versions"} <= set(document)


def test_the_papers_that_remain_are_written_and_an_earlier_runs_are_not_left(folder: Path) -> None:
    result = with_papers(folder, "--papers", "2")
    assert result.exit_code == 0
    assert "2 papers assembled of secret items; " in result.stdout
    rows = rows_of(folder / "out" / "papers.csv")
    assert [(row["paper"], row["position"]) for row in rows] == [(p, f"{n}") for p in "12" for n in range(1, 7)]
    public = {row["id"] for row in rows_of(folder / "out" / "release.csv")}
    assert not public & {row["id"] for row in rows}
    assert run(folder).exit_code == 0
    assert not (folder / "out" / "papers.csv").exists()


def test_the_same_command_gives_the_same_files(folder: Path) -> None:
    texts = []
    for _ in range(2):
        with_papers(folder, "--papers", "2", "--seed", "3")
        texts.append([(folder / "out" / name).read_bytes() for name in ("release.csv", "papers.csv", "report.html")])
    assert texts[0] == texts[1]


def test_the_example_policy_runs_as_it_is(tmp_path: Path) -> None:
    sample_pool().write_csv(tmp_path / "pool.csv")
    (tmp_path / "policy.toml").write_bytes((EXAMPLES / "policy.toml").read_bytes())
    assert run(tmp_path).stdout.startswith("57 items, 57 of 570 public; worst margin 0.")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("share = 2\n", "share = 2: expected a share of the bank between 0 and 1"),
        ("share = 0.2\nkeep = {pint = 1}\n" + READY, "no column 'pint'; did you mean 'point'?"),
        ("share = 0.2\n", "nobody has decided that the bank is ready to be published"),
        ('share = 0.2\nscope = {type = "singel"}\n' + READY, "no item has type = 'singel'; did you mean 'single'?"),
    ],
)
def test_wrong_input_is_one_line_and_exit_1(folder: Path, policy: str, message: str) -> None:
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    assert_one_line(run(folder), 1, message)
    assert not (folder / "out").exists()


def test_a_blueprint_that_does_not_fit_the_pool_is_found_before_anything_is_chosen(folder: Path) -> None:
    text = BLUEPRINT.replace('"multiple" }', '"multipel" }')
    (folder / "blueprint.toml").write_text(text, encoding="utf-8")
    assert_one_line(with_papers(folder), 1, "no item has type = 'multipel'; did you mean 'multiple'?")


def test_no_solution_is_exit_3_with_the_reason_and_no_file(folder: Path) -> None:
    assert_one_line(with_papers(folder, "--papers", "40"), 3, "40 future papers cannot be assembled even if nothing")
    (folder / "policy.toml").write_text('share = 0.5\nwithhold = [{ type = "single" }]\n' + READY, encoding="utf-8")
    assert_one_line(run(folder), 3, "share 0.5 of 60 items means 30 public ones")
    assert not (folder / "out").exists()


def test_a_wrong_call_is_exit_2(folder: Path) -> None:
    assert CliRunner().invoke(release, []).exit_code == 2
    assert run(folder, "--seed", "-1").exit_code == 2
    result = run(folder, "--papers", "3")
    assert result.exit_code == 2
    assert "--papers needs --blueprint" in result.stderr


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_1(folder: Path) -> None:
    (folder / "file").write_text("", encoding="utf-8")
    assert_one_line(run(folder, "--out", str(folder / "file" / "out")), 1, "file")


def test_files_are_all_there_or_none(folder: Path) -> None:
    """A folder where the report should go: the list is not written either."""
    (folder / "out" / "report.html").mkdir(parents=True)
    assert run(folder).exit_code == 1
    assert [path.name for path in (folder / "out").iterdir()] == ["report.html"]


def test_help_has_an_example_that_is_a_call_it_understands() -> None:
    text = " ".join(CliRunner().invoke(release, ["--help"]).stdout.split())
    example = text[text.index("Example: tiku release ") :].split()[3:]
    given = {word for word in example if word.startswith("--")}
    known = {option for parameter in release.params for option in parameter.opts}
    required = {parameter.opts[0] for parameter in release.params if parameter.required}
    assert required <= given <= known
