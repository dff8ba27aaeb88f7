"""The demo's folder: what it may replace, and that it appears whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from authoring.cli import main
from authoring.demo import loop
from authoring.demo.folder import MARKER, refuse_foreign, replaced_whole
from authoring.errors import BankError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, and a current folder that is elsewhere."""
    home, here = tmp_path / "people" / "li", tmp_path / "work" / "here"
    home.mkdir(parents=True)
    here.mkdir(parents=True)
    (home / "letter.txt").write_text("keep me", encoding="utf-8")
    (here / "notes.txt").write_text("keep me", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return home


def written(out: Path, *names: str, force: bool = False, then: Callable[[], object] = dict) -> None:
    """A stand-in for a demo: a folder with these files, and what happens when they are written."""
    with replaced_whole(out, force=force) as work:
        for name in names:
            (work / name).write_text(name, encoding="utf-8")
        then()


def interrupted() -> None:
    raise KeyboardInterrupt


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("make", [None, "empty"])
def test_a_new_or_empty_folder_is_filled_and_marked(tmp_path: Path, make: str | None) -> None:
    out = tmp_path / "deep" / "down" / "out"
    if make:
        out.mkdir(parents=True)
    written(out, "bank.db")
    assert names_in(out) == [MARKER, "bank.db"]
    assert names_in(out.parent) == ["out"]
    (plain := tmp_path / "plain").mkdir()
    assert out.stat().st_mode == plain.stat().st_mode


def test_a_demos_folder_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    written(out, "old.html")
    (out / "stray.txt").write_text("from outside", encoding="utf-8")
    written(out, "new.html")
    assert names_in(out) == [MARKER, "new.html"]
    assert names_in(tmp_path) == ["out"]


def test_a_foreign_folder_is_refused_with_the_way_to_force(tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(BankError, match=r"thesis holds something .* replace it with --force") as refused:
        written(out, "bank.db")
    assert refused.value.rule == "foreign-folder"
    assert (out / "chapter.txt").read_text(encoding="utf-8") == "years of work"
    assert names_in(tmp_path) == ["thesis"]
    written(out, "bank.db", force=True)
    assert names_in(out) == [MARKER, "bank.db"]


def test_a_folder_named_like_the_marker_is_no_marker(tmp_path: Path) -> None:
    (tmp_path / "out" / MARKER).mkdir(parents=True)
    with pytest.raises(BankError, match="--force"):
        refuse_foreign(tmp_path / "out", force=False)


@pytest.mark.parametrize("where", [".", "..", "../..", "~", "~/..", "~/../..", "/", "../here", "link"])
@pytest.mark.parametrize("force", [False, True])
def test_no_force_replaces_home_the_current_folder_or_one_above_them(home: Path, where: str, force: bool) -> None:
    Path("link").symlink_to(home)
    with pytest.raises(BankError, match="is not replaced, forced or not") as refused:
        written(Path(where.replace("~", str(home))), "bank.db", force=force)
    assert refused.value.rule == "precious-folder"
    assert (home / "letter.txt").is_file()
    assert Path("notes.txt").is_file()


@pytest.mark.parametrize("force", [False, True])
def test_a_run_that_breaks_off_leaves_the_old_folder_alone(tmp_path: Path, force: bool) -> None:
    out = tmp_path / "out"
    written(out, "old.html")
    with pytest.raises(KeyboardInterrupt):
        written(out, "half.html", "old.html", force=force, then=interrupted)
    assert names_in(out) == [MARKER, "old.html"]
    assert names_in(tmp_path) == ["out"]


def test_a_first_run_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path / "out", "half.html", then=interrupted)
    assert names_in(tmp_path) == []


def test_a_new_folder_that_cannot_take_its_place_gives_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    written(out, "old.html")
    replace = Path.replace

    def stubborn(self: Path, target: Path) -> Path:
        if (self / "new.html").exists():
            raise PermissionError("no")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stubborn)
    with pytest.raises(PermissionError):
        written(out, "new.html")
    assert names_in(out) == [MARKER, "old.html"]
    assert names_in(tmp_path) == ["out"]


def test_somebody_who_fills_the_folder_meanwhile_is_not_overrun(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def somebody() -> None:
        out.mkdir()
        (out / "thesis.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(BankError, match="--force"):
        written(out, "new.html", then=somebody)
    assert names_in(out) == ["thesis.txt"]
    assert names_in(tmp_path) == ["out"]


def test_a_file_as_out_is_one_line_and_exit_1(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_text("%PDF", encoding="utf-8")
    for out in (file, file / "below"):
        for more in ([], ["--force"]):
            result = CliRunner().invoke(main, ["demo", "--out", str(out), *more])
            assert result.exit_code == 1
            assert result.stdout == ""
            assert result.stderr.count("\n") == 1
            assert result.stderr.startswith("tiku: ")
            assert str(file) in result.stderr
    assert file.read_text(encoding="utf-8") == "%PDF"
    assert names_in(tmp_path) == ["paper.pdf"]


def test_the_command_refuses_a_foreign_folder_before_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "run", lambda *_: pytest.fail("the demo ran"))
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "--force" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_command_forces_and_prints_its_json_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def quick(out: Path, say: Callable[[str], None]) -> loop.Log:
        (out / "bank.db").write_text("a bank", encoding="utf-8")
        log = loop.Log(say, files=[("bank.db", "the bank")])
        log.step("bank", "题" * 500)
        return log

    monkeypatch.setattr(loop, "run", quick)
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("not that dear", encoding="utf-8")
    result = CliRunner().invoke(main, ["demo", "--out", str(out), "--force", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["steps"] == [{"step": "bank", "result": "题" * 500}]
    assert json.loads(result.stdout)["files"] == [{"file": "bank.db", "what": "the bank"}]
    assert result.stderr == ""  # progress is for terminals
    assert names_in(out) == [MARKER, "bank.db"]


def test_files_with_keys_are_their_owners_and_what_is_released_is_not(home: Path) -> None:
    out = home / "out"
    with replaced_whole(out) as new:
        for name in ("bank.db", "params.json", "pool.csv", "papers/A.zip", "papers/A-key.html", "release/public.zip"):
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text("x", encoding="utf-8")
            (new / name).chmod(0o644)
    modes = {path.relative_to(out).as_posix(): path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()}
    assert modes == {
        MARKER: modes[MARKER],
        "release/public.zip": 0o644,
        **dict.fromkeys(("bank.db", "params.json", "pool.csv", "papers/A.zip", "papers/A-key.html"), 0o600),
    }
