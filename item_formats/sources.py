"""What a path holds: items, tests and stimuli from QTI files, folders, packages, tables and other programs' files."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from item_formats.conversion import read_document
from item_formats.documents import Document, Section, Stimulus, Test
from item_formats.findings import Finding, ItemError
from item_formats.model import Item
from item_formats.packages.addresses import folder_of, references_of, resolve
from item_formats.packages.manifest import MANIFEST
from item_formats.packages.reading import read_package
from item_formats.parsing import MAX_BYTES, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from item_formats.foreign import ItemRow, ItemTable
    from item_formats.packages import Package

# Readers in `foreign`, which is only imported for the formats it reads.
TABLES = {
    "csv": "read_items_csv",
    "xlsx": "read_excel",
    "docx": "read_word",
    "moodle": "read_moodle",
    "gift": "read_gift",
    "aiken": "read_aiken",
}
_SUFFIXES = {
    ".xml": "qti",
    ".zip": "package",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".xls": "xlsx",
    ".xlsb": "xlsx",
    ".ods": "xlsx",
    ".docx": "docx",
    ".gift": "gift",
    ".txt": "aiken",
    ".aiken": "aiken",
}
_BESIDE = frozenset({"not-qti", "wrong-namespace", "qti-version"})  # of other XML in a folder of items
_AIKEN_KEY = re.compile(rb"^ANSWER:\s*[A-Z]\s*$", re.MULTILINE)
_MOODLE = re.compile(rb"<quiz[\s>]")


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that paths hold. `media` go by their path in a package whose items are in ``items/``.

    `package` is the package as it was, when the paths name that one package and nothing else. `placed` and `files` are
    all documents and media by the places they came from, so that what several sources call alike stays apart:
    addresses lead from one place to another.
    """

    rows: tuple[ItemRow, ...] = ()
    tests: tuple[Test, ...] = ()
    sections: tuple[Section, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    media: dict[str, bytes] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    package: Package | None = None
    placed: dict[str, Document] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(row.item for row in self.rows)


def files_in(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files that paths name or folders hold, and whether the file itself was named.

    A folder with a manifest in it is an unpacked package and comes as it is.
    """
    for path in paths:
        if not path.is_dir() or _is_package(path):
            yield path, True
        else:
            yield from ((found, False) for found in _below(path))


def _is_package(path: Path) -> bool:
    return path.is_dir() and (path / MANIFEST).is_file()


def _below(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        found = waiting.pop()
        if found.is_dir() and (found == folder or not found.is_symlink()):
            if _is_package(found):
                yield found
            else:
                inside = (one for one in found.iterdir() if not one.name.startswith((".", "~$")))
                waiting += sorted(inside, reverse=True)
        elif found.suffix.lower() in _SUFFIXES.keys() - {".txt"} and found.is_file():
            yield found


def format_of(path: Path) -> str:
    """``qti``, ``package`` or a key of `TABLES`, by the name of a file and, where names say little, its beginning."""
    found = "package" if path.is_dir() else _SUFFIXES.get(path.suffix.lower(), "qti")
    if found not in {"qti", "aiken"}:
        return found
    with path.open("rb") as file:
        beginning = file.read(65536)
    if found == "aiken":
        return "aiken" if _AIKEN_KEY.search(beginning.replace(b"\r", b"")) else "gift"
    return "moodle" if _MOODLE.search(beginning[:4096]) else "qti"


def read_table(path: Path, kind: str) -> ItemTable:
    """The items of a file in another format.

    Raises
    ------
    ItemError
        A file too large to be one.
    """
    if path.stat().st_size > 16 * MAX_BYTES:
        message = f"{path.stat().st_size:,} bytes are more than any table of items has: split the file"
        raise ItemError(Finding("error", "too-large", message, file=str(path)))
    read = cast("Callable[[Path], ItemTable]", getattr(import_module("item_formats.foreign"), TABLES[kind]))
    return read(path)


def read_file(path: Path) -> tuple[Document, bytes]:
    """The QTI document in a file, of whatever kind, and the bytes it was read from; raises as `read_document` does."""
    content, file = read_source(path)
    return read_document(content, file=file), content


def beside(error: ItemError, *, named: bool) -> tuple[Finding, ...]:
    """Its findings: only warnings for other XML that lies in a folder beside the items."""
    if not named and all(finding.code in _BESIDE for finding in error.findings):
        return tuple(replace(finding, severity="warning") for finding in error.findings)
    return error.findings


def read_content(paths: Sequence[Path]) -> Content:
    """Everything that paths hold, whole in memory; what is wrong with it is in the findings, errors too.

    Raises
    ------
    OSError
        A file or folder that cannot be read.
    """
    from item_formats.foreign import ItemRow  # noqa: PLC0415  # heavy

    rows: list[ItemRow] = []
    documents: list[Document] = []
    media: dict[str, bytes] = {}
    findings: list[Finding] = []
    only: Package | None = None
    placed: dict[str, Document] = {}
    files: dict[str, bytes] = {}
    for file, named in files_in(paths):
        kind = format_of(file)
        try:
            if kind == "package":
                package = read_package(file)
                only = package if [file] == list(paths) else None
                found = [one.document for one in package.documents if isinstance(one.document, Document)]
                placed |= {
                    f"{place_of(file)}/{one.resource.path}": one.document
                    for one in package.documents
                    if isinstance(one.document, Document)
                }
                media.update(package.media)
                files |= {f"{place_of(file)}/{path}": content for path, content in package.media.items()}
                findings += package.findings
            elif kind == "qti":
                document, _ = read_file(file)
                found = [document]
                placed[place_of(file)] = document
                findings += document.reading_findings
                for path, place, content in media_of(document, file, findings, within=around(file)):
                    media[path] = files[place] = content
            else:
                table = read_table(file, kind)
                rows += table.rows
                media.update(table.media)
                placed |= {f"{place_of(file)}/items/{row.identifier}.xml": row.item for row in table.rows}
                files |= {f"{place_of(file)}/{path}": content for path, content in table.media.items()}
                findings += table.findings
                continue
        except ItemError as error:
            findings += beside(error, named=named)
            continue
        rows += [ItemRow(item.identifier, item) for item in found if isinstance(item, Item)]
        documents += [one for one in found if not isinstance(one, Item)]
    return Content(
        rows=tuple(rows),
        tests=tuple(one for one in documents if isinstance(one, Test)),
        sections=tuple(one for one in documents if isinstance(one, Section)),
        stimuli=tuple(one for one in documents if isinstance(one, Stimulus)),
        media=media,
        findings=tuple(findings),
        package=only,
        placed=placed,
        files=files,
    )


def place_of(file: Path) -> str:
    """Where a file stands among all others, as addresses name it: its path without the root."""
    absolute = Path(os.path.normpath(file.absolute()))
    return absolute.relative_to(absolute.anchor).as_posix()


def file_at(place: str) -> Path:
    """The file that stands at a place."""
    return Path(Path.cwd().anchor, place)


def media_of(
    document: Document, file: Path, findings: list[Finding], *, within: Path
) -> Iterator[tuple[str, str, bytes]]:
    """Files in the folder `within` a document refers to: by their path beside ``items/``, and by their place.

    Those that are not there are told.
    """
    for reference in references_of(document.root):
        if reference.is_document or reference.followed:
            continue
        here = resolve(reference.address, "items/")
        place = resolve(reference.address, folder_of(place_of(file)))
        if here.path is None or place.path is None:
            continue
        lies = on_disk(place.path, within)
        if lies is not None:
            yield here.path, place.path, lies.read_bytes()
        else:
            message = f"{reference.address[:200]} is not there: put the file beside the item"
            findings.append(Finding("warning", "missing-media", message, file=str(file), line=reference.line))


def around(file: Path) -> Path:
    """The folder below which a document in `file` finds what it refers to: the one above its own."""
    return file.resolve().parent.parent


def on_disk(place: str, within: Path) -> Path | None:
    """The file at a place, if it lies in the folder `within`."""
    lies = file_at(place)
    inside = lies.is_file() and lies.resolve().is_relative_to(within)
    return lies if inside and lies.stat().st_size <= MAX_BYTES else None
