"""The report of an assembly: every rule side by side, the target of every kind, order and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import Assembly, RecountLine, Rule, Target, assemble, form_overlaps, write_assembly_report
from tests.engine.pages import assert_whole, facts_of, rows_under, written
from tests.engine.samples import SHARE_NOTHING, keyed_pool, random_pool, real_blueprint, sample_pool, small_blueprint


def test_the_recount_has_a_row_for_each_rule_with_the_forms_side_by_side(
    tmp_path: Path, real_assembly: Assembly
) -> None:
    text, page = written(
        tmp_path / "report.html",
        lambda path: write_assembly_report(path, real_assembly, real_blueprint(), sample_pool(), lead="题库"),
    )
    assert_whole(text, page)
    lines = real_assembly.recount
    rows = rows_under(page, "Recount")
    assert len(rows) == len({(line.rule, line.min, line.max) for line in lines})
    shown = {(row[0], name): value for row in rows for name, value in zip("ABC", row[3:6], strict=True) if value}
    assert len(shown) == len(lines)
    for line in lines:
        assert float(shown[line.rule, line.form if len(line.form) == 1 else "A"]) == pytest.approx(line.value, rel=1e-4)
    assert {row[6] for row in rows} == {"符合 yes", "–"}
    assert facts_of(page)["规则复核 rules recounted"] == f"{len(lines)} / {len(lines)}"
    assert facts_of(page)["结果 status"] == real_assembly.status


def test_the_forms_stand_with_marks_deviation_and_what_they_share(tmp_path: Path, real_assembly: Assembly) -> None:
    _, page = written(tmp_path / "r.html", lambda path: write_assembly_report(path, real_assembly, real_blueprint()))
    rows = rows_under(page, "Forms")
    shared = form_overlaps(real_assembly)
    assert [row[:5] for row in rows] == [
        ["A", "平行 parallel", "190", "100", "90"],
        ["B", "平行 parallel", "190", "100", "90"],
        ["C", "备用 spare", "190", "100", "90"],
    ]
    assert [row[5] for row in rows] == [f"{form.deviation:.2%}" for form in real_assembly.forms]
    assert rows[0][8] == f"A/B 0, A/C {shared['A', 'C']}"
    assert len(page.xpath("//*[name()='svg']")) == 2


def test_a_broken_rule_stands_out(tmp_path: Path, real_assembly: Assembly) -> None:
    spoiled = replace(real_assembly, recount=(RecountLine("A", "enemies apart", None, 0, 2.0, ok=False),))
    _, page = written(tmp_path / "report.html", lambda path: write_assembly_report(path, spoiled, real_blueprint()))
    (row,) = page.xpath("//tr[@class='flagged']")
    assert [cell.text_content() for cell in row] == ["enemies apart", "", "0", "2", "", "", "不符 NO (A)"]
    assert facts_of(page)["规则复核 rules recounted"] == "0 / 1"


def test_without_a_target_there_is_no_chart(tmp_path: Path) -> None:
    blueprint = replace(small_blueprint(), title="a < b & c")
    text, page = written(
        tmp_path / "report.html",
        lambda path: write_assembly_report(path, assemble(random_pool(1, 10), blueprint), blueprint),
    )
    assert_whole(text, page)
    assert page.xpath("//*[name()='svg']") == []
    assert "“a < b & c”" in page.text_content()


@pytest.mark.parametrize(
    ("target", "charts", "words"),
    [
        (Target(), 2, "red dashes: the target"),
        (Target(match="marks"), 2, "What is matched are expected marks"),
        (Target(match="maximize"), 2, "At the cut it is as large as can be"),
        (Target(match="maximin"), 2, "The least of it is as large as can be"),
        (Target(match="moments", of="grade"), 1, "Mean and standard deviation of grade"),
    ],
)
def test_every_kind_of_target_has_its_picture(tmp_path: Path, target: Target, charts: int, words: str) -> None:
    pool, blueprint = random_pool(3, 60), small_blueprint(SHARE_NOTHING, length=8, target=replace(target, goal=0.05))
    assembly = assemble(pool, blueprint, forms=2)
    text, page = written(tmp_path / "report.html", lambda path: write_assembly_report(path, assembly, blueprint, pool))
    assert_whole(text, page)
    assert len(page.xpath("//*[name()='svg']")) == charts
    assert words in page.text_content()


def test_mean_and_spread_are_those_of_the_items(tmp_path: Path) -> None:
    pool = random_pool(3, 60)
    blueprint = small_blueprint(length=8, target=Target(match="moments", of="grade", mean=3.0, sd=1.0, goal=0.1))
    assembly = assemble(pool, blueprint)
    _, page = written(tmp_path / "r.html", lambda path: write_assembly_report(path, assembly, blueprint, pool))
    grade = dict(zip(pool.ids, map(float, pool.column("grade")), strict=True))  # type: ignore[arg-type]
    values = [grade[name] for name in assembly.forms[0].items]
    wanted = ["A", f"{np.mean(values):.4f}", f"{np.std(values):.4f}"]
    assert rows_under(page, "Target") == [["目标 target", "3.0000", "1.0000"], wanted]


def test_order_and_keys_are_those_a_candidate_meets(tmp_path: Path) -> None:
    pool = keyed_pool(40)
    rule = Rule("letters", "key_balance", of="key", share=(0.2, 0.3), run=2)
    blueprint = small_blueprint(rule, length=12)
    assembly = assemble(pool, blueprint, seed=3)
    _, page = written(tmp_path / "r.html", lambda path: write_assembly_report(path, assembly, blueprint, pool))
    ((form, keys, counts, shuffled),) = rows_under(page, "Order and keys")
    own = dict(zip(pool.ids, map(str, pool.column("key")), strict=True))
    printed = [assembly.forms[0].printed_key(name, own[name]) for name in assembly.forms[0].items]
    assert (form, keys, shuffled) == ("A", " ".join(printed), str(len(assembly.forms[0].shuffles)))
    assert counts == ", ".join(f"{letter} {printed.count(letter)}" for letter in "ABCD")
    (details,) = page.xpath("//details//tbody")
    assert [row[1].text_content() for row in details] == list(assembly.forms[0].items)
    assert [row[-2].text_content() for row in details] == printed
