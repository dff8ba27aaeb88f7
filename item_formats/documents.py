"""QTI 3 documents: bytes that never change and the tree behind them. Items are in `model`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from item_formats.declarations import OutcomeDeclaration, outcome_declarations
from item_formats.findings import Finding, ItemError
from item_formats.parsing import (
    QTI,
    XML_LANG,
    canonical_bytes,
    line_of,
    local_name,
    number_attribute,
    parse,
    qti,
    read_source,
)
from item_formats.upgrading import is_older, upgrade

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lxml import etree


@dataclass(frozen=True, eq=False, repr=False)
class Document:
    """A QTI 3 document: `xml` are its canonical bytes, `digest` their SHA-256 in hex; equal when the digests are.

    `reading_findings` are the warnings its reading gave, such as what an upgrade from QTI 2 changed; they do not
    travel with the document.
    """

    xml: bytes
    digest: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.identifier!r}, {self.digest[:8]})"

    def __getstate__(self) -> dict[str, object]:
        return {"xml": self.xml, "digest": self.digest}  # trees and views do not travel

    @cached_property
    def root(self) -> etree._Element:
        """The tree behind the views. Not to be changed: changing a document means making another."""
        return parse(self.xml)

    @cached_property
    def reading_findings(self) -> tuple[Finding, ...]:
        return ()

    @property
    def identifier(self) -> str:
        return self.root.get("identifier", "")

    @property
    def title(self) -> str:
        return self.root.get("title", "")

    @property
    def language(self) -> str:
        return self.root.get(XML_LANG, "")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a test or a section refers to: an item, a section in another file, or a stimulus.

    `href` is as written, relative to the document; `weights` are those of an item, by identifier.
    """

    identifier: str
    href: str
    categories: tuple[str, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    line: int | None = field(default=None, compare=False)


class _Collection(Document):
    """What tests and sections have in common: they refer to items and to other sections."""

    @cached_property
    def item_references(self) -> tuple[Reference, ...]:
        """The items, in document order, without those of sections in other files."""
        return tuple(_reference(element) for element in self.root.iter(qti("qti-assessment-item-ref")))

    @cached_property
    def section_references(self) -> tuple[Reference, ...]:
        """The sections in other files."""
        return tuple(_reference(element) for element in self.root.iter(qti("qti-assessment-section-ref")))


class Test(_Collection):
    """An assessment test; `sessions` reads its parts, sections and rules when it is run."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    @cached_property
    def outcome_declarations(self) -> tuple[OutcomeDeclaration, ...]:
        return outcome_declarations(self.root)


class Section(_Collection):
    """An assessment section in a file of its own."""


class Stimulus(Document):
    """What several items have in common: a text, a picture, a table."""

    @cached_property
    def body(self) -> etree._Element | None:
        return self.root.find(qti("qti-stimulus-body"))


Kind = TypeVar("Kind", bound=Document)

_WORDS = {
    "qti-assessment-item": "an item",
    "qti-assessment-test": "a test",
    "qti-assessment-section": "a section",
    "qti-assessment-stimulus": "a stimulus",
}


def read_root(source: bytes | Path, *, file: str | None = None) -> tuple[etree._Element, tuple[Finding, ...]]:
    """The QTI 3 tree of a document of any version from 2.0 on, and what its reading found.

    Raises
    ------
    ItemError
        Not XML, hostile XML (see `parsing`), or no QTI 2 or 3 document.
    """
    content, path = read_source(source)
    file = file or path
    root = parse(content, file=file)
    findings: tuple[Finding, ...] = ()
    if is_older(root):
        root, findings = upgrade(root, file=file)
    return root, findings


def read_as(kind: type[Kind], name: str, source: bytes | Path, *, file: str | None = None) -> Kind:
    """The document of one kind, whose root element is `name`."""
    file = file or (None if isinstance(source, bytes) else str(source))
    root, findings = read_root(source, file=file)
    return checked_document(kind, name, root, findings, file=file)


def checked_document(
    kind: type[Kind], name: str, root: etree._Element, findings: tuple[Finding, ...], *, file: str | None = None
) -> Kind:
    """The document of a tree that was just read, if it is of this kind and has an identifier."""
    if root.tag != qti(name):
        raise ItemError(another_document(root, (name,), file))
    if not root.get("identifier"):
        message = f'{_WORDS[name]} without identifier: add identifier="…" to {name}'
        raise ItemError(Finding("error", "no-identifier", message, file=file, line=line_of(root)))
    return document_of(kind, root, findings, file=file)


def read_test(source: bytes | Path, *, file: str | None = None) -> Test:
    """A test from bytes or a file, of QTI 3.0, or of 2.0, 2.1 or 2.2 and upgraded; raises as `read_item` does."""
    return read_as(Test, "qti-assessment-test", source, file=file)


def read_section(source: bytes | Path, *, file: str | None = None) -> Section:
    """A section of a test in a file of its own."""
    return read_as(Section, "qti-assessment-section", source, file=file)


def read_stimulus(source: bytes | Path, *, file: str | None = None) -> Stimulus:
    """A stimulus that items refer to."""
    return read_as(Stimulus, "qti-assessment-stimulus", source, file=file)


def document_of(
    kind: type[Kind], root: etree._Element, findings: tuple[Finding, ...] = (), *, file: str | None = None
) -> Kind:
    """The document of a tree nobody else will change."""
    xml = canonical_bytes(root, file=file)
    document = kind(xml, hashlib.sha256(xml).hexdigest())
    document.__dict__["root"] = root  # the cache of `root`: what was just parsed is not parsed again
    if findings:
        document.__dict__["reading_findings"] = findings
    return document


def _reference(element: etree._Element) -> Reference:
    return Reference(
        identifier=element.get("identifier", ""),
        href=element.get("href", ""),
        categories=tuple(element.get("category", "").split()),
        weights=tuple(
            (weight.get("identifier", ""), number_attribute(weight, "value") or 0.0)
            for weight in element.iterchildren(qti("qti-weight"))
        ),
        line=line_of(element),
    )


def another_document(root: etree._Element, names: Collection[str], file: str | None) -> Finding:
    """The finding on a document whose root is none of `names`."""
    found = local_name(root)
    if found in {"questestinterop", "item", "assessment", "section"}:
        code, message = "qti-version", f"<{found}> is QTI 1; QTI 2.0 to 3.0 are read: export it as QTI 2.1 or later"
    elif found in names:
        namespace = str(root.tag).rpartition("}")[0][1:] or "none"
        code, message = "wrong-namespace", f'the namespace is {namespace}; expected xmlns="{QTI}"'
    else:
        expected = ", ".join(f"<{name}>" for name in names)
        kinds = [f"not-{_WORDS[name].replace(' ', '-')}" for name in names]
        code = kinds[0] if len(kinds) == 1 else "not-qti"
        message = f"the document is <{found}>; expected {expected}"
    return Finding("error", code, message, file=file, line=line_of(root))


def appearance_of(target: str) -> str:
    """The item of which a branch target names one appearance: Q02 for ``Q02.3``; "" for any other target."""
    item, _, number = target.rpartition(".")
    return item if number.isdecimal() and int(number) > 0 else ""
