"""A zip from anywhere as a closed set of named contents: nothing outside it, nothing twice, nothing endless."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from item_formats.findings import Finding, ItemError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

_ENCRYPTED = 0x1 | 0x40 | 0x2000  # of the general-purpose flags: password, strong encryption, masked headers
_UTF8_NAME = 0x800
_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # what content packaging allows
CHUNK = 1 << 20
_SMALL = 1 << 20  # a megabyte of blanks is no attack, whatever its ratio
SYSTEM_FILES = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._[^/]*$)")
_DRIVE = re.compile(r"[A-Za-z]:")
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # and halves of characters, which are no text
# What zipfile and zlib raise on bytes that are no zip, or were changed on the way.
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,  # NotImplementedError among them
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package may need of the machine that reads it. Bytes are bytes after decompression.

    `ratio` is how many times larger than its compressed form a member of more than a megabyte may be; deflate can
    reach 1032, XML stays below 50.
    """

    members: int = 100_000
    member_bytes: int = 256 * 1024 * 1024
    total_bytes: int = 4 * 1024 * 1024 * 1024
    ratio: int = 200
    depth: int = 16
    name_length: int = 255


USUAL_LIMITS = Limits()


class Archive:
    """An open zip whose directory has been checked; `read` checks the content. Close it, or use `with`."""

    def __init__(self, source: Path | bytes, *, limits: Limits = USUAL_LIMITS) -> None:
        """Open and check the directory.

        Raises
        ------
        ItemError
            Not a zip, or a directory that breaks a rule; every broken rule has its own code.
        """
        self.file = str(source) if isinstance(source, Path) else None
        self.limits = limits
        self.findings: list[Finding] = []
        self._zip = _opened(source, self.file)
        try:
            self._members = self._checked(self._zip.infolist())
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._zip.close()

    @property
    def names(self) -> Iterable[str]:
        """Paths of the files, with ``/``, in the order of the zip; folders and system files are left out."""
        return self._members.keys()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        return self._members[name].file_size

    def place(self, name: str) -> str:
        """How findings call a member: ``bank.zip/items/Q1.xml``."""
        return f"{self.file}/{name}" if self.file else name

    def read(self, name: str) -> bytes:
        """The whole content of a member.

        Raises
        ------
        ItemError
            It cannot be decompressed, or is not what the directory says it is (size, checksum, name).
        """
        return b"".join(self._chunks(name))

    def verify(self, name: str) -> bytes:
        """Read a member to its end without keeping it; its first bytes. Raises as `read` does."""
        head = b""
        for chunk in self._chunks(name):
            head = head or chunk[:64]
        return head

    def _chunks(self, name: str) -> Iterator[bytes]:
        member = self._members[name]
        length = 0
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(CHUNK):  # reading to the end is what makes zipfile compare the checksum
                    length += len(chunk)
                    yield chunk
        except _BROKEN as error:
            raise ItemError(self._broken(name, error)) from None
        if length != member.file_size:
            message = f"{name} is not as long as the zip says ({member.file_size:,} bytes): make the package again"
            raise ItemError(self._fault("wrong-size", message, name))

    def _broken(self, name: str, error: Exception) -> Finding:
        reason = str(error)
        if "CRC" in reason:
            message = f"the checksum of {name} is wrong, the file was damaged: send the package again"
            return self._fault("wrong-crc", message, name)
        message = f"{name} cannot be decompressed ({reason or type(error).__name__}): send the package again"
        return self._fault("damaged-member", message, name)

    def _fault(self, code: str, message: str, name: str | None = None) -> Finding:
        return Finding("error", code, message, file=self.place(name) if name else self.file)

    def _checked(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        if len(infos) > self.limits.members:
            message = f"the package has {len(infos):,} files; {self.limits.members:,} are allowed: split it"
            raise ItemError(self._fault("too-many-members", message))
        faults: list[Finding] = []
        members: dict[str, zipfile.ZipInfo] = {}
        folded: dict[str, str] = {}
        for info in infos:
            name = self._name(info)
            found = [*self._name_faults(name, info), *self._content_faults(name, info)]
            if not found and not info.is_dir() and not SYSTEM_FILES.search(name):
                found += self._twin_faults(name, members, folded)
                members.setdefault(name, info)
                folded.setdefault(_folded(name), name)
            faults += found
        faults += self._total_faults(infos)
        if faults:
            raise ItemError(*faults, *self.findings)
        return members

    def _name(self, info: zipfile.ZipInfo) -> str:
        """The member's path as its author meant it: ``/`` between folders, Chinese names readable."""
        name = info.orig_filename
        if not info.flag_bits & _UTF8_NAME and not name.isascii():
            name = _decoded(name)
            message = f"the name {name} is not marked as UTF-8: read as it most likely was meant"
            self.findings.append(Finding("warning", "name-encoding", message, file=self.place(name)))
        if "\\" in name:
            name = name.replace("\\", "/")
            message = f"{name} was written with backslashes: read as folders"
            self.findings.append(Finding("warning", "backslash", message, file=self.place(name)))
        return name.removeprefix("./")

    def _name_faults(self, name: str, info: zipfile.ZipInfo) -> list[Finding]:
        shown = printable(name)
        steps = name.rstrip("/").split("/")
        found: list[tuple[str, str]] = []
        if name.startswith("/"):
            found.append(("absolute-path", f"{shown} is an absolute path: files of a package lie inside it"))
        if _DRIVE.match(name):
            found.append(("drive-letter", f"{shown} names a drive: files of a package lie inside it"))
        if ".." in steps:
            found.append(("outside-package", f"{shown} leads outside the package: remove the “..”"))
        if CONTROLS.search(name) or not name.strip("/ ."):
            found.append(("bad-name", f"“{shown}” cannot be the name of a file: give it a plain one"))
        if len(steps) > self.limits.depth:
            message = f"{shown} lies {len(steps)} folders deep; {self.limits.depth} are allowed"
            found.append(("too-deep", message))
        if len(name) > self.limits.name_length:
            message = f"{shown}… is a name of {len(name):,} characters; {self.limits.name_length} are allowed"
            found.append(("long-name", message))
        mode = info.external_attr >> 16
        if info.create_system == 3 and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            code = "symlink" if stat.S_ISLNK(mode) else "special-file"
            found.append((code, f"{shown} is a link or device, not a file: put the file itself into the package"))
        return [self._fault(code, message, shown) for code, message in found]

    def _content_faults(self, name: str, info: zipfile.ZipInfo) -> list[Finding]:
        shown = printable(name)
        found: list[tuple[str, str]] = []
        if info.flag_bits & _ENCRYPTED:
            found.append(("encrypted", f"{shown} is encrypted: make the package without a password"))
        if info.compress_type not in _READABLE:
            message = f"{shown} is compressed by method {info.compress_type}: use deflate, as every zip program can"
            found.append(("compression", message))
        if info.file_size > self.limits.member_bytes:
            message = f"{shown} has {info.file_size:,} bytes; {self.limits.member_bytes:,} are allowed"
            found.append(("large-member", message))
        if info.file_size > max(_SMALL, self.limits.ratio * info.compress_size):
            message = f"{shown} grows {info.file_size // max(1, info.compress_size):,} times: not an honest file"
            found.append(("ratio", message))
        return [self._fault(code, message, shown) for code, message in found]

    def _twin_faults(self, name: str, members: dict[str, zipfile.ZipInfo], folded: dict[str, str]) -> list[Finding]:
        if name in members:
            return [self._fault("duplicate-member", f"{name} is in the package twice: keep one", name)]
        twin = folded.get(_folded(name))
        if twin is None:
            return []
        message = f"{name} and {twin} are one file on many machines: rename one of them"
        return [self._fault("case-clash", message, name)]

    def _total_faults(self, infos: list[zipfile.ZipInfo]) -> list[Finding]:
        found = []
        total = sum(info.file_size for info in infos)
        if total > self.limits.total_bytes:
            message = f"the package holds {total:,} bytes; {self.limits.total_bytes:,} are allowed: split it"
            found.append(self._fault("large-package", message))
        end = 0
        for info in sorted(infos, key=lambda info: info.header_offset):
            if info.header_offset < end:  # the way a small zip holds terabytes
                message = "files of the zip lie over one another: not an honest package"
                found.append(self._fault("overlap", message, info.filename[:200]))
                break
            end = info.header_offset + 30 + info.compress_size  # 30: the shortest header
        return found


def printable(name: str) -> str:
    """A name as messages show it."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", name)[:200]


def is_zip(content: bytes) -> bool:
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _opened(source: Path | bytes, file: str | None) -> zipfile.ZipFile:
    head = _head(source)
    try:
        return zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source))
    except FileNotFoundError:
        raise
    except _BROKEN as error:
        if is_zip(head):
            code, message = "truncated", f"the zip has no readable end ({error}): send the package again"
        else:
            code, message = "not-a-zip", "this is not a zip: a content package is one, with imsmanifest.xml in it"
        raise ItemError(Finding("error", code, message, file=file)) from None


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:4]
    with source.open("rb") as stream:
        return stream.read(4)


def _folded(name: str) -> str:
    """What a file system that knows no case and composes accents calls the file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _decoded(name: str) -> str:
    """A name that zipfile had to read as code page 437: UTF-8 without its mark, or GB 18030 as Windows writes it."""
    with contextlib.suppress(UnicodeEncodeError):
        written = name.encode("cp437")
        for encoding in ("utf-8", "gb18030"):
            with contextlib.suppress(UnicodeDecodeError):
                return written.decode(encoding)
    return name
