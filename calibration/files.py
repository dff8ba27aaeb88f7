"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def check_writable(path: Path) -> None:
    """Raise OSError where `write_text_whole` could not write: for before what takes long."""
    folder = next(one for one in (path.parent, *path.parent.parents) if one.exists())
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "its folder is a file", str(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder; give a file", str(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "its folder may not be written to", str(path))


def write_text_whole(path: Path, text: str) -> None:
    """Write UTF-8 text through a temporary file in the same folder, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
