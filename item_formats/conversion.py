"""One version of QTI to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from item_formats.documents import Document, Section, Stimulus, Test, another_document, checked_document, read_root
from item_formats.downgrading import Version, downgrade
from item_formats.findings import Finding, ItemError
from item_formats.model import Item
from item_formats.parsing import canonical_bytes, local_name

if TYPE_CHECKING:
    from pathlib import Path

Target = Literal["qti3", "qti22", "qti21"]

_VERSIONS: dict[Target, Version] = {"qti22": "2.2", "qti21": "2.1"}
_KINDS: dict[str, type[Item | Test | Section | Stimulus]] = {
    "qti-assessment-item": Item,
    "qti-assessment-test": Test,
    "qti-assessment-section": Section,
    "qti-assessment-stimulus": Stimulus,
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """A document in another version, and warnings on what that version says otherwise or not at all."""

    xml: bytes
    findings: tuple[Finding, ...]


def read_document(source: bytes | Path, *, file: str | None = None) -> Item | Test | Section | Stimulus:
    """An item, test, section or stimulus, whichever the source holds, of QTI 2.0 to 3.0.

    Raises
    ------
    ItemError
        As `read_item`, and for any other document.
    """
    file = file or (None if isinstance(source, bytes) else str(source))
    root, findings = read_root(source, file=file)
    kind = _KINDS.get(local_name(root))
    if kind is None:
        raise ItemError(another_document(root, tuple(_KINDS), file))
    return checked_document(kind, local_name(root), root, findings, file=file)


def convert(document: Document | bytes | Path, *, to: Target = "qti3") -> bytes:
    """The document's canonical bytes in QTI 3.0, 2.2 or 2.1; `converted` also says what was lost."""
    return converted(document, to=to).xml


def converted(document: Document | bytes | Path, *, to: Target = "qti3", file: str | None = None) -> Conversion:
    """The document in another version, with what that version cannot say.

    Raises
    ------
    ItemError
        A source that cannot be read, or a stimulus for 2.1.
    """
    read = document if isinstance(document, Document) else read_document(document, file=file)
    if to == "qti3":
        return Conversion(read.xml, read.reading_findings)
    root, findings = downgrade(read.root, _VERSIONS[to], file=file)
    return Conversion(canonical_bytes(root, file=file), (*read.reading_findings, *findings))
