"""Items that need nothing beside them: stimuli copied into the body, pictures and sounds embedded."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from item_formats.documents import document_of
from item_formats.findings import Finding, ItemError
from item_formats.model import Item
from item_formats.packages.addresses import ADDRESSES, folder_of, references_of, resolve
from item_formats.packages.stimuli import with_stimuli
from item_formats.parsing import line_of, local_name, parse, qti
from item_formats.rendering.pictures import media_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.documents import Document

MOST_EMBEDDED = 4 * 1024 * 1024  # bytes of one picture; a document has 16 MB, an attribute libxml2 reads 10


def self_contained(
    item: Item, path: str, documents: Mapping[str, Document], media: Mapping[str, bytes]
) -> tuple[Item, tuple[Finding, ...]]:
    """The item, which stands at `path`, with its stimuli in its body and its pictures, sounds and films embedded.

    Raises
    ------
    ItemError
        A stimulus or file that is not among `documents` and `media`, or that no item can hold: each is named.
    """
    whole, findings = with_stimuli(item, path, documents)
    missing = list(whole.root.iterchildren(qti("qti-assessment-stimulus-ref")))
    if missing:
        message = "the stimulus {} is not there: import it together with the item, as a package or a folder"
        raise ItemError(
            *(
                Finding("error", "missing-stimulus", message.format(one.get("href", "")[:200]), item=item.identifier)
                for one in missing
            )
        )
    return with_media(whole, path, media), findings


def with_media(item: Item, path: str, media: Mapping[str, bytes]) -> Item:
    """The item, which stands at `path`, with its pictures, sounds and films as ``data:`` addresses.

    Raises
    ------
    ItemError
        A file that `media` lacks, that is too large, or that no item can hold (style sheets, scripts): each is named.
    """
    addresses = [one for one in references_of(item.root) if not one.followed and not one.is_document]
    if not any(resolve(one.address, folder_of(path)).kind == "inside" for one in addresses):
        return item
    root = parse(item.xml)
    faults: list[Finding] = []
    for element in root.iter("*"):
        for name in ADDRESSES:
            where = resolve(element.get(name, ""), folder_of(path))
            if where.path is None or local_name(element) in {"a", "area"} or local_name(element).endswith("-ref"):
                continue
            fault, embedded = _embedded(where.path, media)
            if fault is None:
                element.set(name, embedded)
            else:
                message = f"<{local_name(element)}> shows {element.get(name, '')[:200]}, {fault}"
                faults.append(Finding("error", "not-embedded", message, line=line_of(element), item=item.identifier))
    for left in references_of(root) if not faults else ():
        if not left.followed and not left.is_document and resolve(left.address, folder_of(path)).kind == "inside":
            message = f"<{left.element}> needs {left.address[:200]}, which no item can hold: take it out of the item"
            faults.append(Finding("error", "not-embedded", message, line=left.line, item=item.identifier))
    if faults:
        raise ItemError(*faults)
    return document_of(Item, root)


def _embedded(path: str, media: Mapping[str, bytes]) -> tuple[str | None, str]:
    """What is wrong with a file, if anything, and its address."""
    content = media.get(path)
    if content is None:
        return "which is not there: put the file beside the item", ""
    if len(content) > MOST_EMBEDDED:
        return f"which has {len(content):,} bytes; {MOST_EMBEDDED:,} are allowed: make it smaller", ""
    kind = media_type(content)
    if not kind:
        return "which is no picture, sound or film: take it out of the item", ""
    return None, f"data:{kind};base64,{base64.b64encode(content).decode()}"


def picture_addresses(item: Item) -> list[str]:
    """The addresses of everything an item shows that is no text, in document order."""
    return [one.address for one in references_of(item.root) if not one.followed and not one.is_document]
