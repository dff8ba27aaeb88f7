"""The demo's output folder: made beside the old one, then put in its place whole."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from authoring.errors import BankError

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = ".tiku-demo"
# What holds keys, secret items or their parameters; what is released is for everybody.
SECRET = ("bank.db*", "audit.jsonl", "params.json", "pool.csv", "calibration.html", "adaptive.html", "papers/*")


def refuse_foreign(out: Path, *, force: bool) -> None:
    """Raise `BankError` when `out` holds something that a demo did not make, or is a folder nobody means to replace."""
    target = out.resolve()
    if out.exists() and not out.is_dir():
        raise BankError("not-a-folder", f"{out} is a file: name a folder for the demo's output")
    home, here = Path.home().resolve(), Path.cwd().resolve()
    if target in {home, *home.parents, here, *here.parents}:
        raise BankError("precious-folder", f"{out} is not replaced, forced or not: name a folder of its own")
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file() and not force:
        raise BankError(
            "foreign-folder",
            f"{out} holds something that is not a demo's output: name another folder, or replace it with --force",
        )


def keep_to_owner(folder: Path) -> None:
    """Let only the owner read the `SECRET` files; nobody else could while they were written beside the output."""
    for pattern in SECRET:
        for path in folder.glob(pattern):
            path.chmod(0o600)


@contextmanager
def replaced_whole(out: Path, *, force: bool = False) -> Iterator[Path]:
    """A new folder to fill; it takes the place of `out` only when everything in it is done."""
    refuse_foreign(out, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        new.mkdir()
        yield new
        keep_to_owner(new)
        (new / MARKER).write_text("made by tiku demo; a second run replaces this folder whole\n", encoding="utf-8")
        refuse_foreign(out, force=force)  # somebody may have put something there meanwhile
        if out.exists():
            out.replace(old)
        try:
            new.replace(out)
        except BaseException:
            if old.exists():
                old.replace(out)
            raise
