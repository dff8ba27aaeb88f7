"""A policy as a file, and what is wrong with one: table, key and the nearest name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from engine import (
    Earlier,
    Exposed,
    InfeasibleReleaseError,
    Limits,
    Publish,
    Readiness,
    ReleaseError,
    ReleasePolicy,
    StratumPolicy,
    read_policy,
)
from tests.engine.samples import EXAMPLES

READY = '[[readiness]]\ndecided_by = "孙丽"\ndate = 2026-11-20\nreference = "会议纪要 12 号"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_policy_is_a_tenth_without_flagged_items() -> None:
    assert read_policy(EXAMPLES / "policy.toml") == ReleasePolicy(
        0.10,
        readiness=(Readiness("示例决定 sample decision", date(2026, 11, 20), "sample, no office has decided this"),),
        margins=("section", "type", "grade"),
        cells=("section", "type", "grade"),
        keep={"point": 1},
        withhold=({"flagged": "yes"},),
    )


def test_every_table_becomes_its_value(tmp_path: Path) -> None:
    (tmp_path / "2024.csv").write_text("id,reason\nq1,代表\nq2,代表\n", encoding="utf-8")
    text = (
        "share = 0.3\nby = ['level', 'component']\nyear = 2026\nmax_per_round = 0.1\nscope = {component = 'skill'}\n"
        "[exposed]\nuses = 5\n[limits]\nhighest = 1.1\n[publish]\nkey = true\n"
        "[[stratum]]\nwhere = {level = 3}\nshare = 0.4\nkeep = {module = 2}\n"
        "[[earlier]]\nyear = 2024\nfile = '2024.csv'\n[[earlier]]\nyear = 2025\nitems = ['q9']\n" + READY
    )
    found = read_policy(written(tmp_path, text))
    assert found.by == ("level", "component")
    assert (found.year, found.max_per_round, found.scope) == (2026, 0.1, {"component": "skill"})
    assert (found.exposed, found.limits) == (Exposed(uses=5.0), Limits(highest=1.1))
    assert found.publish == Publish(key=True)
    assert found.strata == (StratumPolicy({"level": 3}, share=0.4, keep={"module": 2}),)
    assert found.earlier == (Earlier(2024, ("q1", "q2")), Earlier(2025, ("q9",)))
    assert found.readiness == (Readiness("孙丽", date(2026, 11, 20), "会议纪要 12 号"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": share is missing"),
        ("share = 0\n", ": share = 0: expected a share of the bank between 0 and 1"),
        ("share = 1.0\n", ": share = 1: expected a share of the bank between 0 and 1"),
        ('share = "10 %"\n', ": share = '10 %': expected float, got str"),
        ("share = 0.1\nmargin = []\n", ": 'margin' is not known; did you mean 'margins'?"),
        ("share = 0.1\nstrata = []\n", ": 'strata' is not known"),
        ('share = 0.1\nmargins = "type"\n', ": margins = 'type': expected array"),
        ("share = 0.1\nkeep = {point = -1}\n", ": keep: point = -1: expected 0 or more secret items"),
        ("share = 0.1\nmax_per_round = 0\n", ": max_per_round = 0: expected a share of the bank above 0"),
        ("share = 0.1\nmarks_cap = 20\n", ": marks_cap = 20: expected a share of a paper's marks"),
        ("share = 0.1\nrotation_years = -1\n", ": rotation_years = -1: expected 0 or more"),
        ('share = 0.1\nwithhold = ["flagged"]\n', ": withhold = ['flagged']: expected object, got str, at [0]"),
        ("share = 0.1\n[limits]\ndiscrimination = nan\n", ", [limits]: difficulty and discrimination are distances"),
        ("share = 0.1\n[limits]\nlowest = 1.2\n", ", [limits]: lowest = 1.2, highest = 1.02: expected 0 <= lowest"),
        ("share = 0.1\n[limits]\ndifficulty = -1\n", ", [limits]: difficulty and discrimination are distances"),
        ("share = 0.1\n[publish]\nanswer = true\n", ", [publish]: 'answer' is not known"),
        ("share = 0.1\n[publish]\nstem = false\noptions = false\n", ", [publish]: every switch is off"),
        ("share = 0.1\n[[stratum]]\nshare = 0.2\n", ", [[stratum]] 1: where is missing"),
        ("share = 0.1\n[[stratum]]\nwhere = {}\nshare = 2\n", ", [[stratum]] 1: share = 2: expected a share"),
        (
            "share = 0.1\n[[stratum]]\nwhere = {}\nshares = 0.2\n",
            ", [[stratum]] 1: 'shares' is not known; did you mean",
        ),
        ("share = 0.1\n[[readiness]]\ndate = 2026-01-01\n", ", [[readiness]] 1: decided_by is missing"),
        ("share = 0.1\n" + READY.replace("孙丽", " "), ", [[readiness]] 1: decided_by is empty: say who decided"),
        ("share = 0.1\n" + READY.replace("2026-11-20", '"soon"'), ", [[readiness]] 1: date = 'soon'"),
        ("share = 0.1\n[[earlier]]\nyear = 2024\nfile = 'no.csv'\n", ", [[earlier]] 1: cannot read "),
        ("share = 0.1\n[[earlier]]\nyear = 2024\nfile = 'policy.toml'\n", "policy.toml has no column 'id'"),
        ("share = 0.1\n[[earlier]]\nyear = 1\nitems = []\nfile = 'x'\n", ", [[earlier]] 1: give items or the file"),
        ("share = 0.1\nreadiness = 3\n", ": readiness = 3: expected array, got int"),
        ("share 0.1\n", ": not TOML"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_table_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ReleaseError) as caught:
        read_policy(path)
    assert not isinstance(caught.value, InfeasibleReleaseError)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
