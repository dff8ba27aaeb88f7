"""Content written where a path and a format say: packages, folders of documents, tables, other programs' files."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from item_formats.choice import IDENTIFIER
from item_formats.conversion import converted
from item_formats.findings import Finding, ItemError
from item_formats.packages.writing import save_package, write_package
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from item_formats.conversion import Target
    from item_formats.documents import Document
    from item_formats.sources import Content

QTI_FORMATS = ("qti3", "qti22", "qti21")
# Writers in `foreign`, which is only imported for the formats it writes.
WRITERS = {
    "csv": "write_items_csv",
    "xlsx": "write_excel",
    "docx": "write_word",
    "moodle": "write_moodle",
    "gift": "write_gift",
    "aiken": "write_aiken",
}
FORMATS = (*QTI_FORMATS, *WRITERS)
_WITH_MEDIA = frozenset({"docx", "moodle"})  # the others say what became of pictures
_SUFFIXES = {".csv": "csv", ".xlsx": "xlsx", ".docx": "docx", ".gift": "gift", ".txt": "aiken"}


def format_for(destination: Path) -> str:
    """The format a destination's name asks for: a package or a folder of QTI 3 unless it is a table's."""
    return _SUFFIXES.get(destination.suffix.lower(), "qti3")


@dataclass(frozen=True, slots=True)
class Written:
    """How many items were written, and what the format could not say of them."""

    items: int
    findings: tuple[Finding, ...] = ()


def write_content(content: Content, destination: Path, to: str, *, name: str, modified: datetime) -> Written:
    """Write everything the format can hold: whole or not at all.

    QTI goes to a package (``.zip``), one document (``.xml``) or a new folder. `name` is the package's
    title and, where it can be, identifier; `modified` dates it, so that the same content gives the same bytes.

    Raises
    ------
    ItemError
        The destination cannot take it, or an item cannot be written in the format at all.
    """
    if to in WRITERS:
        return _to_table(content, destination, to)
    documents: list[Document] = [*content.tests, *content.sections, *content.items, *content.stimuli]
    if destination.suffix.lower() == ".zip":
        written = _to_package(content, destination, cast("Target", to), name=name, modified=modified)
        return Written(len(content.rows), written)
    findings: list[Finding] = []
    if destination.suffix.lower() == ".xml":
        if len(documents) != 1:
            raise _refused(destination, f"one document fits into .xml, got {len(documents)}: name a folder or a .zip")
        write_whole(destination, _as(documents[0], to, findings))
    else:
        _to_folder(content, documents, destination, to, findings)
    return Written(len(content.rows), tuple(findings))


def _as(document: Document, to: str, findings: list[Finding]) -> bytes:
    found = converted(document, to=cast("Target", to), file=document.identifier)
    findings += found.findings
    return found.xml


def _to_package(
    content: Content, destination: Path, to: Target, *, name: str, modified: datetime
) -> tuple[Finding, ...]:
    if content.package is not None:
        return save_package(destination, content.package, modified=modified, to=to)
    if len(content.tests) > 1:
        message = f"a package takes one test, got {len(content.tests)}: name the files of one test"
        raise _refused(destination, message)
    return write_package(
        destination,
        identifier=name if IDENTIFIER.fullmatch(name) else "items",
        title=name,
        items=content.items,
        test=content.tests[0] if content.tests else None,
        stimuli=content.stimuli,
        sections=content.sections,
        media=content.media,
        modified=modified,
        to=to,
    )


def _to_folder(
    content: Content, documents: Sequence[Document], destination: Path, to: str, findings: list[Finding]
) -> None:
    """Documents side by side; with media, documents in ``items/`` and media where the items expect them."""
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise _refused(destination, "the destination exists and is not an empty folder: name a new one, or a .zip")
    destination.parent.mkdir(parents=True, exist_ok=True)
    folder = "items/" if content.media else ""
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as staged:
        whole = Path(staged) / "whole"
        for document in documents:
            path = _safe(f"{folder}{document.identifier}.xml", destination)
            if (whole / path).exists():
                raise _refused(destination, f"two documents are called {document.identifier}: rename one")
            _put(whole / path, _as(document, to, findings))
        for address, held in content.media.items():
            _put(whole / _safe(address, destination), held)
        whole.mkdir(exist_ok=True)
        whole.replace(destination)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _safe(path: str, destination: Path) -> PurePosixPath:
    found = PurePosixPath(path)
    if found.is_absolute() or ".." in found.parts or "\\" in path or "\x00" in path or len(found.name.encode()) > 255:
        raise _refused(destination, f"“{path[:200]}” cannot be a file name: rename the document")
    return found


def _to_table(content: Content, destination: Path, to: str) -> Written:
    write = cast("Callable[..., object]", getattr(import_module("item_formats.foreign"), WRITERS[to]))
    if destination.is_dir():
        raise _refused(destination, f"the destination is a folder: name a file for {to}")
    if to in _WITH_MEDIA:
        found = write(destination, content.rows, media=content.media)
    else:
        found = write(destination, content.rows)
    findings = tuple(one for one in found if isinstance(one, Finding)) if isinstance(found, (list, tuple)) else ()
    left = len(content.tests) + len(content.sections) + len(content.stimuli)
    if left:
        message = f"{left} tests, sections or stimuli are left out: {to} holds items only"
        findings += (Finding("warning", "left-out", message, file=str(destination)),)
    return Written(len(content.rows), findings)


def _refused(destination: Path, message: str) -> ItemError:
    return ItemError(Finding("error", "bad-destination", message, file=str(destination)))


def dated(paths: Sequence[Path]) -> datetime:
    """The newest of the files that paths name: when what they hold was last changed."""
    moments = [path.stat().st_mtime for path in paths]
    return datetime.fromtimestamp(max(moments), tz=UTC)
