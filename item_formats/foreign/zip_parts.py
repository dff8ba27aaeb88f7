"""The parts of an Office document: a zip from anywhere, read with limits."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.findings import Finding, ItemError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MEMBERS = 20_000
MAX_PART = 256 * 1024 * 1024
MAX_TOTAL = 512 * 1024 * 1024
MAX_RATIO = 200  # text of one repeated character reaches more; real documents stay far below
_SMALL = 1024 * 1024  # below this any ratio is harmless


class Parts:
    """Members of one zip by name; each is checked again when it is read."""

    def __init__(self, archive: zipfile.ZipFile, file: str) -> None:
        self._archive = archive
        self._file = file
        self.names = frozenset(archive.namelist())

    def read(self, name: str) -> bytes:
        """The bytes of a part.

        Raises
        ------
        ItemError
            Damaged, or larger than its header says.
        """
        try:
            with self._archive.open(name) as part:
                content = part.read(MAX_PART + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise ItemError(self._fault("damaged-zip", f"the part {name} cannot be read ({error})")) from None
        if len(content) > MAX_PART:
            raise ItemError(self._fault("too-large", f"the part {name} is larger than {MAX_PART:,} bytes"))
        return content

    def xml(self, name: str) -> etree._Element:
        """The root of an XML part; document types and entities are refused."""
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False
        )
        try:
            root = etree.fromstring(self.read(name), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise ItemError(self._fault("not-xml", f"the part {name} is not well-formed: {error}")) from None
        if root.getroottree().docinfo.internalDTD is not None:
            raise ItemError(self._fault("doctype", f"the part {name} has a <!DOCTYPE>, which Office never writes"))
        return root

    def _fault(self, code: str, message: str) -> Finding:
        return Finding("error", code, f"{message}: open the file in Office and save it again", file=self._file)


def open_parts(content: bytes, *, file: str) -> tuple[Parts | None, list[Finding]]:
    """The parts of a zip, or None and why it is refused."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        message = f"the file is damaged ({error}): open it in Office and save it again"
        return None, [Finding("error", "damaged-zip", message, file=file)]
    fault = _fault(archive.infolist())
    if fault is not None:
        code, message = fault
        return None, [Finding("error", code, f"{message}; nothing was read", file=file)]
    return Parts(archive, file), []


def _fault(members: Sequence[zipfile.ZipInfo]) -> tuple[str, str] | None:
    if len(members) > MAX_MEMBERS:
        return "too-many-members", f"the zip has {len(members):,} members; {MAX_MEMBERS:,} are allowed"
    if len({member.filename for member in members}) < len(members):
        return "repeated-member", "the zip holds two members of one name"
    for member in members:
        fault = _member_fault(member)
        if fault is not None:
            return fault
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL:
        return "too-large", f"the members would have {total:,} bytes together; {MAX_TOTAL:,} are allowed"
    return None


def _member_fault(member: zipfile.ZipInfo) -> tuple[str, str] | None:
    if member.flag_bits & 1:
        return "encrypted", f"{member.filename} is encrypted: save the document without a password"
    if member.file_size > MAX_PART:
        return "too-large", f"{member.filename} would have {member.file_size:,} bytes; {MAX_PART:,} are allowed"
    if member.file_size > _SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        return "zip-bomb", f"{member.filename} would grow {member.file_size // max(member.compress_size, 1)} times"
    return None
