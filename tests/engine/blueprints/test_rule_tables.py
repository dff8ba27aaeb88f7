"""Rules from a spreadsheet: the same rules as in TOML, and what is wrong with row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import BlueprintError, Rule, read_blueprint
from engine.blueprints.reading import condition_of, read_rules

HEADER = "id,what,of,where,min,max,share,forms,items,then,run,priority\n"
TABLE = (
    HEADER
    + "\ufeffsingles,count,,type=single,10,12,,,,,,2\n".lstrip("\ufeff")
    + "hard ones,count,,grade=4..5; not section=S1|S2,,,0.2..0.3,,,,,\n"
    + "marks of A,sum,marks,point=A-*,9.5,10.5,,,,,,\n"
    + "barred,exclude,,,,,,,q1;q2,,,\n"
    + "so then,if_then,,grade=5,1,,,,,grade=1,,\n"
    + "letters,key_balance,key,type=single,,,0.2..0.3,,,,3,\n"
    + "last year's,overlap,,,,5,,last year,,,,\n"
    + ",enemies,,,,,,,,,,\n"
)


def test_a_table_makes_the_rules_it_says(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text(TABLE, encoding="utf-8-sig")
    assert read_rules(tmp_path / "rules.csv") == [
        Rule("singles", "count", where={"type": "single"}, min=10, max=12, priority=2),
        Rule(
            "hard ones",
            "count",
            where={"grade": {"min": 4, "max": 5}, "not": {"section": ["S1", "S2"]}},
            share=(0.2, 0.3),
        ),
        Rule("marks of A", "sum", of="marks", where={"point": {"prefix": "A-"}}, min=9.5, max=10.5),
        Rule("barred", "exclude", items=("q1", "q2")),
        Rule("so then", "if_then", where={"grade": "5"}, then={"grade": "1"}, min=1),
        Rule("letters", "key_balance", of="key", where={"type": "single"}, share=(0.2, 0.3), run=3),
        Rule("last year's", "overlap", forms="last year", max=5),
        Rule("row 9", "enemies"),
    ]


def test_a_blueprint_takes_them_after_its_own(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("id,what,where,min\nb,count,type=single,1\n", encoding="utf-8")
    text = 'length = 4\nrules = "rules.csv"\n[marks]\nsingle = 1\n[[rule]]\nid = "a"\nwhat = "enemies"\n'
    (tmp_path / "bp.toml").write_text(text, encoding="utf-8")
    assert [rule.id for rule in read_blueprint(tmp_path / "bp.toml").rules] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("grade=..3", {"grade": {"max": 3}}),
        ("grade=2..", {"grade": {"min": 2}}),
        ("not a=1; not b=2", {"not": {"any": [{"a": "1"}, {"b": "2"}]}}),
        ("a = x | y", {"a": ["x", "y"]}),
        ("", {}),
    ],
)
def test_a_condition_in_words(text: str, condition: dict[str, object]) -> None:
    assert condition_of(text) == condition


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("r,count,,single,1,,,,,,,", "row 2, column where: 'single': expected column=value"),
        ("r,count,,type=single,one,,,,,,,", "row 2, column min: 'one' is not a number"),
        ("r,count,,grade=a..b,1,,,,,,,", "row 2, column where: 'a' is not a number"),
        ("r,count,,type=single,1", "row 2: the row has another number of cells than the header"),
        ("r,cuont,,,,,,,,,,", "rule 'r': what = 'cuont'; choose one of"),
        ("r,count,,,3,2,,,,,,", "rule 'r': min 3 is above max 2"),
        ("r,key_balance,key,,,,,,,,inf,", "row 2, column run: 'inf' is not a whole number"),
        ("r,key_balance,key,,,,,,,,2.5,", "row 2, column run: '2.5' is not a whole number"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "rules.csv").write_text(HEADER + row + "\n", encoding="utf-8")
    (tmp_path / "bp.toml").write_text('length = 4\nrules = "rules.csv"\n', encoding="utf-8")
    with pytest.raises(BlueprintError) as caught:
        read_blueprint(tmp_path / "bp.toml")
    assert message in str(caught.value).replace(" (rules.csv, row 2)", "")
    assert "rules.csv, row 2" in str(caught.value)
