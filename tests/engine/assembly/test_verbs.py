"""`tiku assemble`: forms on the fly, panels, proofs and skill papers, from files to files."""

from __future__ import annotations

import csv
import json
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import html

from engine import Assembly, assemble, assemble_on_the_fly, read_blueprint, read_pool
from engine.assembly.cli import assemble as command
from engine.assembly.exposure import exposure
from tests.engine.pages import Page, assert_whole, facts_of, rows_under
from tests.engine.samples import EXAMPLES, sample_pool

QUIZ, PANEL, SKILL = EXAMPLES / "quiz.toml", EXAMPLES / "panel.toml", EXAMPLES / "skill.toml"


@pytest.fixture(scope="module")
def pool_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pool") / "pool.csv"
    sample_pool().write_csv(path)
    return path


def run(pool: Path, blueprint: Path, out: Path, *options: str) -> Result:
    files = ["--pool", str(pool), "--blueprint", str(blueprint), "--out", str(out)]
    return CliRunner().invoke(command, [*files, *options])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page_of(folder: Path) -> Page:
    """The report, which needs nothing from elsewhere."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = html.fromstring(text.encode())
    assert_whole(text, page)
    return page


def test_forms_on_the_fly_stand_in_one_table(pool_file: Path, tmp_path: Path) -> None:
    result = run(pool_file, QUIZ, tmp_path, "--on-the-fly", "6", "--seed", "2", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    rows = rows_of(tmp_path / "forms.csv")
    for form in document["forms"]:
        assert [row["id"] for row in rows if row["form"] == form["name"]] == form["items"]
    assert len(rows) == 6 * 40
    assert all(line["ok"] for line in document["recount"])
    page = page_of(tmp_path)
    assert facts_of(page)["试卷 forms"] == "6"
    assert ["single choice", "32", "32", "32", "32", "6", "符合 yes"] in rows_under(page, "Recount")


def test_what_forms_share_is_what_pairs_of_them_share() -> None:
    assembly: Assembly = assemble_on_the_fly(sample_pool(), read_blueprint(QUIZ), 5, seed=3)
    used, sets = exposure(assembly), [set(form.items) for form in assembly.forms]
    pairs = [len(a & b) / 40 for n, a in enumerate(sets) for b in sets[:n]]
    assert used.overlap == pytest.approx(sum(pairs) / len(pairs))
    assert used.used == len(set().union(*sets))
    assert used.most == max(sum(item in one for one in sets) for item in used.share) / 5


def test_panels_are_modules_routes_and_a_page(pool_file: Path, tmp_path: Path) -> None:
    (tmp_path / "panel3.csv").write_text("module\n", encoding="utf-8")  # of an earlier run
    result = run(pool_file, QUIZ, tmp_path, "--panel", str(PANEL), "--panels", "2", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["panel1.csv", "panel2.csv", "report.html", "routes.csv"]
    for number, panel in enumerate(document["panels"], start=1):
        rows = rows_of(tmp_path / f"panel{number}.csv")
        assert {name: [r["id"] for r in rows if r["module"] == name] for name in "REH"} == panel["modules"]
        assert all(line["ok"] for line in panel["recount"])
        (route,) = panel["routes"]
        easy, hard = (row for row in rows_of(tmp_path / "routes.csv") if row["panel"] == str(number))
        assert (easy["module"], hard["module"]) == ("E", "H")
        assert float(easy["below_marks"]) == float(hard["from_marks"]) == pytest.approx(route["marks"], abs=5e-4)
    assert facts_of(page_of(tmp_path))["题组套数 panels"] == "2"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--on-the-fly", "3", "--forms", "2"), "exclude each other"),
        (("--on-the-fly", "3", "--panel", str(PANEL)), "exclude each other"),
        (("--panels", "2"), "--panels needs --panel"),
    ],
)
def test_what_excludes_each_other_is_said(
    pool_file: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = run(pool_file, QUIZ, tmp_path, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_proof_bounds_every_form_and_comes_no_further(pool_file: Path, tmp_path: Path) -> None:
    pool, quiz = read_pool(pool_file), read_blueprint(QUIZ)
    plain, proof = (assemble(pool, quiz, seed=1, prove=prove).forms[0] for prove in (False, True))
    assert 0 <= proof.bound <= proof.deviation <= plain.deviation
    result = run(pool_file, QUIZ, tmp_path, "--prove", "--seed", "1")
    assert result.exit_code == 0, result.stderr
    assert "prove" in result.output


def test_a_skill_paper_has_one_task_a_module_and_exact_marks_and_minutes(tmp_path: Path) -> None:
    result = run(EXAMPLES / "skill.csv", SKILL, tmp_path, "--forms", "2")
    assert result.exit_code == 0, result.stderr
    tasks = {row["id"]: row for row in rows_of(EXAMPLES / "skill.csv")}
    slots = [[name for name, task in tasks.items() if task["slot"] == slot] for slot in "123"]
    allowed = {
        paper
        for paper in product(*slots)
        if sum(float(tasks[name]["marks"]) for name in paper) == 100
        and sum(float(tasks[name]["minutes"]) for name in paper) == 150
        and sum(tasks[name]["equipment"] == "GPU" for name in paper) <= 1
    }
    papers = [tuple(row["id"] for row in rows_of(tmp_path / f"{name}.csv")) for name in "AB"]
    assert set(papers) <= allowed
    assert not set(papers[0]) & set(papers[1])
