"""What documents that were named refer to and lies beside them, and which of all documents no other one shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from item_formats.documents import Document, Stimulus, Test
from item_formats.findings import ItemError
from item_formats.packages.addresses import folder_of, references_of, resolve
from item_formats.sources import around, file_at, media_of, on_disk, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.sources import Content


def with_referred(content: Content) -> Content:
    """The content with the items, sections and stimuli in `placed` that its documents refer to and that were not named.

    They are looked for where media are: below the folder above that of the document that was named.
    """
    placed = dict(content.placed)
    files = dict(content.files)
    findings = list(content.findings)
    waiting = [
        (place, document, around(file_at(place))) for place, document in placed.items() if file_at(place).is_file()
    ]
    while waiting:
        place, document, within = waiting.pop()
        for found in _referred(document, place):
            lies = None if found in placed else on_disk(found, within)
            if lies is None:
                continue
            try:
                placed[found], _ = read_file(lies)
            except ItemError as error:
                findings += error.findings
                continue
            findings += placed[found].reading_findings
            files |= {path: content for _, path, content in media_of(placed[found], lies, findings, within=within)}
            waiting.append((found, placed[found], within))
    return replace(content, placed=placed, files=files, findings=tuple(findings))


def leading(content: Content) -> list[Document]:
    """The documents that no other one shows, or all when there is none: tests first, stimuli last."""
    shown = {
        found for place, document in content.placed.items() for found in _referred(document, place) if found != place
    }
    first = [document for place, document in content.placed.items() if place not in shown] or content.placed.values()
    return sorted(first, key=lambda one: (isinstance(one, Stimulus), not isinstance(one, Test)))


def _referred(document: Document, place: str) -> Iterator[str]:
    """The places of the documents that a document refers to."""
    for reference in references_of(document.root):
        found = resolve(reference.address, folder_of(place)).path
        if reference.is_document and found is not None:
            yield found
