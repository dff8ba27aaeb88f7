"""The command line: one line for a person, one document for a program, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from authoring import cli
from authoring.database import Bank, open_bank, reading, writing
from authoring.errors import BankError
from authoring.items.views import list_items
from authoring.people.rules import caller_of
from authoring.standards.rules import load_outline
from tests.authoring.conftest import SERVER, Staff
from tests.authoring.sample import outline

OUR_VERBS = {"serve", "db", "bank", "user", "audit"}
TIKU = str(Path(sys.executable).with_name("tiku"))


def tiku(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments), prog_name="tiku")


def ok(*arguments: str) -> str:
    result = tiku(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> Any:
    return json.loads(ok(*arguments, "--json"))


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        inner = commands(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]
        found += inner
    return found


OURS = [("serve",), *commands(cli.db, "db")]


def all_verbs() -> list[tuple[str, ...]]:
    from authoring.audit.cli import audit
    from authoring.items.cli import bank
    from authoring.people.cli import user

    return [*OURS, *commands(bank, "bank"), *commands(user, "user"), *commands(audit, "audit")]


def test_help_lists_every_verb_and_imports_none_of_them() -> None:
    code = (
        "import sys; from authoring.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'sqlalchemy', 'litestar', 'numpy', 'lxml', 'alembic', 'msgspec'} & sys.modules.keys()))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"
    for verb in cli.VERBS:
        assert f"\n  {verb} " in printed


def test_the_version_is_printed() -> None:
    assert ok("--version").startswith("tiku, version 0.")


@pytest.mark.parametrize("verb", all_verbs(), ids=" ".join)
def test_every_verb_helps_with_an_example(verb: tuple[str, ...]) -> None:
    assert f"Example: tiku {' '.join(verb)}" in ok(*verb, "--help")


@pytest.mark.parametrize("verb", ["nothing", "User"])
def test_an_unknown_verb_is_wrong_usage(verb: str) -> None:
    assert tiku(verb).exit_code == 2


def test_verbs_that_are_not_ours_are_named_where_they_live() -> None:
    homes = {verb: module.split(".")[0] for verb, (module, _, _) in cli.VERBS.items()}
    assert {verb for verb, home in homes.items() if home == "authoring"} == {*OUR_VERBS, "demo", "params"}
    assert set(homes.values()) == {"authoring", "engine", "calibration", "item_formats"}


@pytest.mark.skipif(SERVER is not None, reason="makes a SQLite file")
def test_a_bank_from_nothing(tmp_path: Path) -> None:
    file = str(tmp_path / "new.db")
    missing = tiku("user", "list", "--database", file)
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr == f"tiku: there is no bank at {file}: make one with `tiku db upgrade --database {file}`\n"
    assert ok("db", "upgrade", "--database", file) == f"{file}: created at 0003\n"
    assert document("db", "upgrade", "--database", file) == {"database": file, "before": "0003", "after": "0003"}
    assert document("db", "check", "--database", file) == {"ok": True, "differences": []}
    assert ok("user", "list", "--database", file).startswith("nobody yet: tiku user add")


def test_a_damaged_bank_fails_its_check(bank: Bank, database: str) -> None:
    with bank.engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_point_area_id")
    result = tiku("db", "check", "--database", database)
    assert result.exit_code == 1
    assert "ix_point_area_id" in result.stdout
    result = tiku("db", "check", "--database", database, "--json")
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (1, False)


def test_people_and_tokens(bank: Bank, database: str) -> None:
    said = ok("user", "add", "li.na", "李娜", "--role", "author", "--role", "reviewer", "--database", database)
    assert said == "li.na 李娜: author(命题) reviewer(审题)\n"
    result = tiku("user", "token", "li.na", "--right", "items:read", "--days", "3", "--database", database)
    token = result.stdout.strip()
    assert "cannot be shown again" in result.stderr
    with reading(bank) as session:
        caller = caller_of(session, token)
    assert caller is not None
    assert caller.actor.code == "li.na"
    listed = ok("user", "list", "--database", database)
    assert "token 1 items:read expires 20" in listed
    assert token not in listed
    assert ok("user", "revoke", "1", "--database", database) == "token 1 opens nothing from now on\n"
    (person,) = document("user", "list", "--database", database)
    assert person["tokens"][0]["revoked_at"] is not None
    with reading(bank) as session:
        assert caller_of(session, token) is None


def test_what_a_command_records_is_linked_at_its_end(bank: Bank, database: str) -> None:
    assert bank.url is not None
    ok("user", "add", "li.na", "李娜", "--database", database)
    report = document("audit", "verify", "--database", database)
    assert (report["ok"], report["linked"], report["waiting"]) == (True, 1, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("user", "add", "Li", "李娜"), "tiku: person code 'Li': expected 1-32 of a-z 0-9 . _ -"),
        (("user", "token", "nobody", "--right", "items:read"), "tiku: there is no person 'nobody'"),
        (("user", "revoke", "9"), "tiku: there is no token 9"),
    ],
)
def test_a_wrong_input_is_one_line_and_exit_1(database: str, arguments: tuple[str, ...], said: str) -> None:
    result = tiku(*arguments, "--database", database)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("user", "add", "li.na"), ("user", "token", "li.na"), ("user", "token", "li.na", "--right", "everything")],
)
def test_wrong_usage_is_exit_2(database: str, arguments: tuple[str, ...]) -> None:
    assert tiku(*arguments, "--database", database).exit_code == 2


HEADER = "编号,题型,知识点,难度,题干,选项A,选项B,选项C,选项D,答案,解析,出处,互斥\n"
GOOD = "Q1,单选,A-A-A-001,2,数据标注的第一步是（ ）。,明确规则,开始标注,抽查质量,交付结果,A,先有规则。,教材,\n"
BAD = "Q2,单选,A-A-A-001,9,模型评估常用的指标是（ ）。,准确率,显示器,电源,机箱,A,准确率。,教材,\n"
FAR = "Q3,判断,Z-Z-Z-001,2,标注规则应当在标注之前写好。,,,,,√,先有规则。,教材,\n"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "items.csv"
    file.write_text(HEADER + GOOD + BAD + FAR, encoding="utf-8")
    return file


def test_an_import_keeps_good_rows_and_says_where_the_others_are_wrong(
    bank: Bank, database: str, standard_id: int, written: Path
) -> None:
    arguments = ("bank", "import", str(written), "--standard", "4-04-05-05", "--as", "li.na", "--database", database)
    result = tiku(*arguments)
    assert (result.exit_code, result.stderr) == (1, "")
    grade, point, counts = result.stdout.splitlines()
    assert grade.startswith(f"{written}:3:难度 error bad-grade: [Q2] ")
    assert point.startswith(f"{written}:4:知识点 error unknown-point: [Q3] the outline has no point Z-Z-Z-001")
    assert counts == "1 created, 0 unchanged, 2 errors, 0 warnings"
    again = json.loads(tiku(*arguments, "--json").stdout)
    assert (again["standard"], again["created"], again["unchanged"], again["errors"]) == (standard_id, [], ["Q1"], 2)
    assert [(finding["line"], finding["column"]) for finding in again["findings"]] == [(3, "难度"), (4, "知识点")]
    written.write_text(HEADER + GOOD, encoding="utf-8")
    assert ok(*arguments) == "0 created, 1 unchanged, 0 errors, 0 warnings\n"
    with reading(bank) as session:
        assert [item.code for item in list_items(session).items] == ["Q1"]
    assert document("audit", "verify", "--database", database)["waiting"] == 0


def test_an_import_counts_items_with_other_enemies(database: str, standard_id: int, written: Path) -> None:
    arguments = ("bank", "import", str(written), "--standard", str(standard_id), "--as", "li.na")
    far = FAR.replace("Z-Z-Z-001", "A-A-A-001")
    written.write_text(HEADER + GOOD + far, encoding="utf-8")
    assert ok(*arguments, "--database", database).startswith("2 created, ")
    written.write_text(HEADER + GOOD.replace("教材,", "教材,Q3") + far, encoding="utf-8")
    said = "0 created, 0 unchanged, 2 with other 互斥, 0 errors, 0 warnings\n"
    assert ok(*arguments, "--database", database) == said


@pytest.mark.parametrize(
    ("standard", "person", "said"),
    [
        ("9", "li.na", "tiku: there is no standard 9; the bank has: 1 (4-04-05-05)"),
        ("4-04", "li.na", "tiku: there is no standard 4-04; the bank has: 1 (4-04-05-05)"),
        ("1", "li.an", "tiku: there is no person 'li.an' (did you mean 'li.na'?)"),
        ("1", "wang.wei", "tiku: 王伟 (wang.wei) needs the role 'author'"),
    ],
)
def test_an_import_needs_a_standard_and_an_author(
    database: str, standard_id: int, written: Path, standard: str, person: str, said: str
) -> None:
    assert standard_id == 1
    result = tiku("bank", "import", str(written), "--standard", standard, "--as", person, "--database", database)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(said)


def test_an_occupation_code_that_several_standards_have_is_not_guessed(
    bank: Bank, staff: Staff, database: str, standard_id: int, written: Path
) -> None:
    with writing(bank, staff.author) as session:
        load_outline(session, staff.author, outline(level=4))
    result = tiku("bank", "import", str(written), "--standard", "4-04-05-05", "--as", "li.na", "--database", database)
    assert (result.exit_code, standard_id) == (1, 1)
    assert "give an id of 1 人工智能训练师 2021 L3; 2 人工智能训练师 2021 L4" in result.stderr


def test_the_trail_is_exported_verified_and_found_broken(bank: Bank, database: str, tmp_path: Path) -> None:
    for code in ("a", "b", "c"):
        ok("user", "add", code, "某人", "--database", database)
    file = tmp_path / "audit.jsonl"
    assert ok("audit", "export", "--database", database, "--out", str(file)) == f"{file}: 3 events\n"
    assert ok("audit", "verify", "--database", database, "--against", str(file)).endswith("the chain is whole\n")
    assert ok("audit", "verify-file", str(file)).endswith("the chain is whole\n")
    on = " ON audit_event" if SERVER is not None else ""
    with bank.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER audit_event_no_rewrite{on}")
        connection.exec_driver_sql("UPDATE audit_event SET actor = 'x' WHERE seq = 2")
    result = tiku("audit", "verify", "--database", database)
    assert result.exit_code == 1
    assert "changed: event 2 is not what was recorded\nthe chain is BROKEN\n" in result.stdout
    file.write_text(file.read_text(encoding="utf-8").replace('"b"', '"z"'), encoding="utf-8")
    result = tiku("audit", "verify-file", str(file), "--json")
    assert (result.exit_code, json.loads(result.stdout)["faults"][0]["seq"]) == (1, 2)


def test_a_file_that_is_not_there_is_named() -> None:
    result = tiku("audit", "verify-file", "none.jsonl")
    assert result.exit_code == 2
    assert "none.jsonl" in result.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (BankError("rule", "first line\nsecond line"), "tiku: first line second line\n"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "tiku: a.csv: No such file or directory\n"),
        (PermissionError("no"), "tiku: no\n"),
    ],
)
def test_errors_for_people_are_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception, line: str) -> None:
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setattr(cli, "db", broken)
    result = tiku("db")
    assert (result.exit_code, result.stderr) == (1, line)


def test_a_mistake_of_ours_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "db", broken)
    assert isinstance(tiku("db").exception, ZeroDivisionError)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_the_server_starts_answers_links_and_ends_on_ctrl_c(database: str, staff: Staff, free_port: int) -> None:
    token = ok("user", "token", staff.author.code, "--right", "items:read", "--database", database).strip()
    arguments = [TIKU, "serve", "--database", database, "--port", str(free_port)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            base = f"http://127.0.0.1:{free_port}"
            for _ in range(100):
                try:
                    health = httpx.get(f"{base}/health")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            assert health.json() == {"status": "ok"}
            assert httpx.get(f"{base}/items").status_code == 401
            page = httpx.get(f"{base}/items", headers={"authorization": f"Bearer {token}"})
            assert page.json() == {"items": [], "next": None}
        finally:
            server.send_signal(signal.SIGINT)
            printed, errors = server.communicate(timeout=30)
    assert (server.returncode, errors) == (0, "")
    assert printed.splitlines()[0].endswith(f"on http://127.0.0.1:{free_port} (Ctrl-C ends it)")
    assert "tiku user token CODE --right items:read" in printed
    assert token not in printed
    bank = open_bank(database)
    bank.close()


def test_a_port_in_use_is_said_in_one_line(database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = tiku("serve", "--database", database, "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == f"tiku: cannot listen on 127.0.0.1:{port}: Address already in use\n"


ITEM_FILE = str(Path(__file__).parents[1] / "item_formats" / "fixtures" / "interactions" / "choice.xml")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (
            ("item", "check", "no such file"),
            2,
            "tiku: Invalid value for 'PATH...': Path 'no such file' does not exist.",
        ),
        (("item", "render", ITEM_FILE, "--out", "nowhere/x.html"), 1, "tiku: nowhere: the folder does not exist"),
        (("bank", "import", "no such file"), 2, "tiku: Invalid value for 'PATH': Path 'no such file' does not exist."),
        (("user", "add"), 2, "tiku: Missing argument 'CODE'."),
        (("calibrate", "gone.csv"), 2, "tiku: "),
        (("nonsense",), 2, "tiku: No such command 'nonsense'."),
        (("--nonsense",), 2, "tiku: No such option"),
    ],
)
def test_every_verb_words_its_errors_alike(arguments: tuple[str, ...], exit_code: int, said: str) -> None:
    result = tiku(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert "Error:" not in result.stderr
    assert said in result.stderr


@pytest.mark.parametrize("group", ["item", "db", "bank", "user", "audit"])
def test_groups_of_verbs_have_an_example_too(group: str) -> None:
    assert f"Example: tiku {group} " in ok(group, "--help")


@pytest.mark.skipif(SERVER is not None, reason="makes a SQLite file")
def test_a_new_bank_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    ok("db", "upgrade", "--database", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)  # what somebody allowed stays allowed
    ok("db", "upgrade", "--database", str(file))
    assert file.stat().st_mode & 0o777 == 0o640
