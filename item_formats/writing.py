"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the destination, then put it in place in one step; a reader never sees half a file."""
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "the folder does not exist", str(path.parent))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as staged:
        try:
            staged.write(content)
            staged.close()
            Path(staged.name).chmod(0o644)
            Path(staged.name).replace(path)
        except BaseException:
            Path(staged.name).unlink(missing_ok=True)
            raise
