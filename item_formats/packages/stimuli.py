"""Stimuli copied into the items that refer to them, for systems that have none."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.documents import Stimulus, document_of
from item_formats.findings import Finding
from item_formats.model import Item
from item_formats.packages.addresses import ADDRESSES, address_of, folder_of, resolve
from item_formats.parsing import line_of, parse, qti

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.documents import Document

STIMULUS_CLASS = "stimulus"


def with_stimuli(item: Item, path: str, documents: Mapping[str, Document]) -> tuple[Item, tuple[Finding, ...]]:
    """The item, which stands at `path`, with those of its stimuli that `documents` has as the first blocks of its body.

    A warning names each stimulus that was copied: it is no longer one text for all of its items.
    """
    references = list(item.root.iterchildren(qti("qti-assessment-stimulus-ref")))
    found = [_stimulus(one.get("href", ""), path, documents) for one in references]
    if not any(found):
        return item, ()
    root = parse(item.xml)
    body = root.find(qti("qti-item-body"))
    if body is None:
        return item, ()
    findings = []
    copied = []
    for reference, one in zip(list(root.iterchildren(qti("qti-assessment-stimulus-ref"))), found, strict=True):
        if one is None:
            continue
        where, stimulus = one
        message = f"the stimulus {stimulus.identifier} was copied into the item: a later change has to be made in each"
        lost = [name for name in ("qti-stylesheet", "qti-catalog-info") if stimulus.root.find(qti(name)) is not None]
        if lost:
            message += f"; its {' and '.join(lost)} stayed behind"
        findings.append(Finding("warning", "stimulus-copied", message, line=line_of(reference), item=item.identifier))
        copied.append(_block(stimulus, folder_of(where), folder_of(path)))
        _remove(reference)
    first, body.text = body.text, None
    for place, block in enumerate(copied):
        body.insert(place, block)
    if copied:
        copied[-1].tail = first
    return document_of(Item, root), tuple(findings)


def copied_stimulus(item: Item) -> str | None:
    """The same short text for all items that the same stimuli were copied into by `with_stimuli`; None without any.

    It is worked out from what the stimuli say (SHA-256 of the canonical XML, 16 hex digits): an item whose copy was
    changed no longer shares it.
    """
    blocks = () if item.body is None else item.body.iterchildren(qti("div"))
    copies = [deepcopy(one) for one in blocks if STIMULUS_CLASS in one.get("class", "").split()]
    for copy in copies:
        copy.tail = None
    texts = [etree.tostring(one, method="c14n", exclusive=True) for one in copies]
    return hashlib.sha256(b"".join(texts)).hexdigest()[:16] if texts else None


def _stimulus(address: str, path: str, documents: Mapping[str, Document]) -> tuple[str, Stimulus] | None:
    where = resolve(address, folder_of(path)).path
    found = None if where is None else documents.get(where)
    return (where, found) if where is not None and isinstance(found, Stimulus) else None


def _block(stimulus: Stimulus, folder: str, to: str) -> etree._Element:
    """The body of a stimulus as a block whose addresses lead from the folder `to` to where they led from `folder`."""
    block = deepcopy(stimulus.body) if stimulus.body is not None else parse(f'<x xmlns="{qti("")[1:-1]}"/>'.encode())
    block.tag = qti("div")
    block.set("class", f"{STIMULUS_CLASS} {block.get('class', '')}".strip())
    block.tail = None
    for element in block.iter("*"):
        for name in ADDRESSES:
            where = resolve(element.get(name, ""), folder)
            if where.path is not None:
                element.set(name, address_of(where.path, to))
    return block


def _remove(element: etree._Element) -> None:
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)
