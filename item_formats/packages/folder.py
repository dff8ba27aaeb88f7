"""An unpacked package: a folder read by the rules of `archive`, nothing outside it and nothing endless."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Self

from item_formats.findings import Finding, ItemError
from item_formats.packages.archive import CHUNK, CONTROLS, SYSTEM_FILES, USUAL_LIMITS, Limits, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType


class Folder:
    """A folder whose names and sizes have been checked; `read` checks the content again. What `Archive` is of a zip.

    Hidden files and folders (``.git``) are no part of the package. A link to a file that lies in the folder is that
    file; every other link is refused, as are devices and pipes.
    """

    def __init__(self, source: Path, *, limits: Limits = USUAL_LIMITS) -> None:
        """Walk through the folder.

        Raises
        ------
        ItemError
            Names, links or sizes that break a rule; every broken rule has its own code.
        OSError
            A folder that cannot be read.
        """
        self.file = str(source)
        self.limits = limits
        self.findings: list[Finding] = []
        self._root = source.resolve()
        self._members: dict[str, tuple[Path, int]] = {}
        self._checked()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing stays open."""

    @property
    def names(self) -> Iterable[str]:
        """Paths of the files, with ``/``, in their order."""
        return self._members.keys()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        return self._members[name][1]

    def place(self, name: str) -> str:
        """How findings call a file: ``bank/items/Q1.xml``."""
        return f"{self.file}/{name}"

    def read(self, name: str) -> bytes:
        """The whole content of a file.

        Raises
        ------
        ItemError
            It was taken away, exchanged or changed in length since the folder was walked through.
        """
        return b"".join(self._chunks(name))

    def verify(self, name: str) -> bytes:
        """Read a file to its end without keeping it; its first bytes. Raises as `read` does."""
        head = b""
        for chunk in self._chunks(name):
            head = head or chunk[:64]
        return head

    def _chunks(self, name: str) -> Iterator[bytes]:
        path, size = self._members[name]
        length = 0
        try:
            # what became a link in the meantime is not followed
            handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
            with os.fdopen(handle, "rb") as stream:
                while (chunk := stream.read(CHUNK)) and length <= size:
                    length += len(chunk)
                    yield chunk
        except OSError as error:
            message = f"{name} cannot be read ({error.strerror or error}): put it back, or make it readable"
            raise ItemError(self._fault("unreadable", message, name)) from None
        if length != size:
            message = f"{name} changed while it was read: try again when nobody writes to the folder"
            raise ItemError(self._fault("wrong-size", message, name))

    def _fault(self, code: str, message: str, name: str | None = None) -> Finding:
        return Finding("error", code, message, file=self.place(printable(name)) if name else self.file)

    def _checked(self) -> None:
        faults: list[Finding] = []
        total = 0
        for path in self._walked(self._root, faults):
            name = path.relative_to(self._root).as_posix()
            real, fault = self._real(path, name)
            if real is None:
                faults += [fault] if fault is not None else []
                continue
            size = real.stat().st_size
            total += size
            if size > self.limits.member_bytes:
                message = f"{name} has {size:,} bytes; {self.limits.member_bytes:,} are allowed"
                faults.append(self._fault("large-member", message, name))
            self._members[name] = real, size
            if len(self._members) > self.limits.members:
                message = f"the folder has more than {self.limits.members:,} files: split the package"
                raise ItemError(self._fault("too-many-members", message), *faults)
        if total > self.limits.total_bytes:
            message = f"the folder holds {total:,} bytes; {self.limits.total_bytes:,} are allowed: split the package"
            faults.append(self._fault("large-package", message))
        if faults:
            raise ItemError(*faults)

    def _walked(self, folder: Path, faults: list[Finding]) -> Iterator[Path]:
        """Everything in the folder but folders, in order; folders behind links are not entered, they come as links."""
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(self._root).as_posix()
            if entry.name.startswith((".", "~$")) or SYSTEM_FILES.search(name):
                continue
            steps = name.count("/") + 1
            fault = None
            if CONTROLS.search(name) or "\\" in name:
                fault = "bad-name", f"“{printable(name)}” cannot be the name of a file: give it a plain one"
            elif steps > self.limits.depth:
                fault = "too-deep", f"{name} lies {steps} folders deep; {self.limits.depth} are allowed"
            elif len(name) > self.limits.name_length:
                message = f"{name[:200]}… is a name of {len(name):,} characters; {self.limits.name_length} are allowed"
                fault = "long-name", message
            if fault is not None:
                faults.append(self._fault(*fault, name))
            elif entry.is_dir(follow_symlinks=False):
                yield from self._walked(path, faults)
            else:
                yield path

    def _real(self, path: Path, name: str) -> tuple[Path | None, Finding | None]:
        """The file itself, or what is wrong with it."""
        if path.is_symlink():
            real = Path(os.path.realpath(path))  # what leads in circles does not raise here
            if not real.is_relative_to(self._root):
                message = f"{name} is a link that leads out of the folder: put the file itself there"
                return None, self._fault("symlink", message, name)
            if not real.is_file():
                message = f"{name} is a link to something that is no file: put the files themselves there"
                return None, self._fault("symlink", message, name)
            path = real
        if not stat.S_ISREG(path.lstat().st_mode):
            message = f"{name} is a device or pipe, not a file: take it out"
            return None, self._fault("special-file", message, name)
        return path, None
