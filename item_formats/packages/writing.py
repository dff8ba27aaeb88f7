"""Packages out: zips with manifest, documents, media and metadata; the same bytes from the same content."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError
from item_formats.packages.addresses import folder_of, references_of, resolve, style_addresses
from item_formats.packages.lom import General, LangString, Lom
from item_formats.packages.manifest import (
    MANIFEST,
    Kind,
    Manifest,
    Resource,
    metadata_xml,
    type_of,
    write_manifest,
)
from item_formats.packages.metadata import Metadata
from item_formats.packages.older import VERSIONS, older_package
from item_formats.packages.usage_data import UsageData, write_usage_data
from item_formats.parsing import parse
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from lxml import etree

    from item_formats.assessment import TestDocument
    from item_formats.conversion import Target
    from item_formats.documents import Section, Stimulus, Test
    from item_formats.model import Item
    from item_formats.packages.reading import Package

_EARLIEST_ZIP_YEAR = 1980
_USAGE = "usage_data.xml"
_STYLE = re.compile(r"\.css$", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^\w.\-]", re.ASCII)
_SCHEMAS = frozenset(
    {
        "QTI Package",
        "QTI Test Bank",
        "QTI Item Bank",
        "QTI Object Bank",
        "QTI Test",
        "QTI Section",
        "QTI Item",
    }
)
_MISSING = {
    "qti-assessment-item-ref": ("missing-item", "add it to the items"),
    "qti-assessment-section-ref": ("missing-section", "add it to the sections"),
    "qti-assessment-stimulus-ref": ("missing-stimulus", "add it to the stimuli"),
}


def write_package(
    path: Path,
    *,
    identifier: str,
    title: str,
    items: Sequence[Item],
    test: TestDocument | Test | None = None,
    modified: datetime,
    stimuli: Sequence[Stimulus] = (),
    sections: Sequence[Section] = (),
    media: Mapping[str, bytes] | None = None,
    metadata: Mapping[str, Metadata] | None = None,
    usage_data: UsageData | None = None,
    to: Target = "qti3",
) -> tuple[Finding, ...]:
    """Write ``imsmanifest.xml``, ``items/ID.xml``, ``tests/ID.xml``, ``stimuli/ID.xml``, ``sections/ID.xml``, media.

    What is written is what the items hold: take keys out with `for_candidate` first where they must not go along.
    `media` go by their path in the package; documents find them by relative addresses (``../images/a.png`` from an
    item leads to ``images/a.png``). `metadata` go by the identifier of the document, or of the package itself.
    `modified` dates every member of the zip, so that the same content gives the same bytes. What QTI 2 (`to`) says
    otherwise or not at all comes back as warnings.

    Raises
    ------
    ItemError
        Two documents of a kind with one identifier, an identifier that cannot be a file name, or anything a document
        refers to that is not given.
    """
    groups: list[tuple[Kind, str, Sequence[Item | TestDocument | Test | Stimulus | Section]]] = [
        (Kind.TEST, "tests", [] if test is None else [test]),
        (Kind.SECTION, "sections", sections),
        (Kind.ITEM, "items", items),
        (Kind.STIMULUS, "stimuli", stimuli),
    ]
    contents = _Contents(dict(media or {}))
    for kind, folder, documents in groups:
        contents.faults += _name_faults(kind, folder, documents)
        for document in documents:
            contents.add(kind, folder, document)
    if usage_data is not None:
        contents.members[_USAGE] = write_usage_data(usage_data)
        contents.resources.append(Resource("usage-data", type_of(Kind.USAGE_DATA), _USAGE, (_USAGE,)))
    described = metadata or {}
    resources = contents.described(described)
    if contents.faults:
        raise ItemError(*contents.faults)
    general = General(title=(LangString(text=title, language="zh-CN"),))
    manifest = Manifest(
        identifier=f"MANIFEST-{identifier}",
        resources=tuple(resources),
        metadata=described.get(identifier) or Metadata(lom=Lom(general=general)),
    )
    members = {name: contents.members[name] for name in sorted(contents.members, key=contents.rank)}
    return _write(path, manifest, members, modified, to)


def save_package(path: Path, package: Package, *, modified: datetime, to: Target = "qti3") -> tuple[Finding, ...]:
    """Write a package that was read: the same paths, files, dependencies and metadata.

    Identifiers of resources that XML does not allow (they begin with a digit, say) get the nearest it does. What QTI 2
    (`to`) says otherwise or not at all comes back as warnings.

    Raises
    ------
    ItemError
        Metadata or statistics that XML cannot hold.
    """
    members = dict(package.media)
    for one in package.documents:
        document = one.document
        content = write_usage_data(document) if isinstance(document, UsageData) else document.xml
        members[one.resource.path or ""] = content
    names = _legal_names(resource.identifier for resource in package.resources)
    resources = [
        replace(
            resource,
            identifier=names[resource.identifier] if resource.identifier else _free(f"resource-{place}", names),
            type=type_of(resource.kind, resource.type),
            dependencies=tuple(names[one] for one in resource.dependencies if one in names),
        )
        for place, resource in enumerate(package.resources, 1)
    ]
    manifest = replace(
        package.manifest,
        identifier=_legal(package.identifier),
        resources=tuple(resources),
        schema=package.manifest.schema if package.manifest.schema in _SCHEMAS else "QTI Package",
        schema_version="3.0.0",
    )
    members.pop(MANIFEST, None)
    return _write(path, manifest, members, modified, to)


def _write(
    path: Path, manifest: Manifest, members: dict[str, bytes], modified: datetime, to: Target
) -> tuple[Finding, ...]:
    findings: tuple[Finding, ...] = ()
    version = "3.0"
    if to != "qti3":
        version = VERSIONS[to]
        manifest, members, findings = older_package(manifest, members, to)
    write_whole(path, zipped({MANIFEST: write_manifest(manifest, version), **members}, modified))
    return findings


def zipped(members: Mapping[str, bytes], modified: datetime) -> bytes:
    """A zip whose bytes depend on nothing but its content and `modified`."""
    moment = (max(modified.year, _EARLIEST_ZIP_YEAR), *modified.timetuple()[1:6])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=moment)
            member.compress_type = zipfile.ZIP_STORED  # what deflate writes depends on the machine's zlib
            member.create_system = 3  # Unix, whatever machine writes
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def _name_faults(
    kind: Kind, folder: str, documents: Iterable[Item | TestDocument | Test | Stimulus | Section]
) -> list[Finding]:
    faults = []
    for identifier, times in Counter(document.identifier for document in documents).items():
        if times > 1:
            message = f"{times} {folder} have the identifier {identifier}: give each {kind} its own"
            faults.append(Finding("error", "duplicate-identifier", message, item=identifier))
        if not IDENTIFIER.fullmatch(identifier):
            message = f"“{identifier}” cannot be a file name in the package: use letters, digits, _ - or . (at most 64)"
            faults.append(Finding("error", "bad-identifier", message, item=identifier))
    return faults


@dataclass(slots=True)
class _Contents:
    """What goes into a package, as far as it has been put together."""

    media: dict[str, bytes]
    members: dict[str, bytes] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    roots: dict[str, etree._Element] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    def add(self, kind: Kind, folder: str, document: Item | TestDocument | Test | Stimulus | Section) -> None:
        name = document.identifier
        path = f"{folder}/{name}.xml"
        self.members[path] = document.xml
        self.resources.append(Resource(f"{kind.value}-{name}", type_of(kind), path, (path,)))

    def rank(self, path: str) -> tuple[bool, str]:
        """Where a member stands in the zip: documents by folder, then media, each in the order given."""
        return (True, "") if path in self.media else (False, folder_of(path) or "~")

    def described(self, metadata: Mapping[str, Metadata]) -> list[Resource]:
        """All resources, media included, with what they need; finds out what is missing."""
        for path in self.media:
            found = resolve(path)
            if found.path != path or path in self.members or path == MANIFEST:
                message = f"“{path}” cannot be the path of a file in the package: use folders and names, no “..”"
                self.faults.append(Finding("error", "bad-path", message))
        owners = {resource.path: resource.identifier for resource in self.resources}
        owners |= {path: f"media-{place}" for place, path in enumerate(self.media, 1)}
        documents = [
            resource
            if resource.path == _USAGE
            else replace(
                resource,
                dependencies=self._needed(resource, owners),
                metadata_xml=_metadata_xml(metadata.get(resource.identifier.partition("-")[2])),
            )
            for resource in self.resources
        ]
        self.members |= self.media
        return documents + [
            Resource(owners[path], type_of(_kind_of_media(path)), path, (path,), tuple(self._of_style(path, owners)))
            for path in self.media
        ]

    def _needed(self, resource: Resource, owners: Mapping[str | None, str]) -> tuple[str, ...]:
        """Identifiers of the resources a document refers to, each once, in their order."""
        path = resource.path or ""
        document = resource.identifier.partition("-")[2]
        needed: dict[str, None] = {}
        for reference in references_of(parse(self.members[path])):
            found = resolve(reference.address, folder_of(path))
            shown = f"<{reference.element}> refers to {reference.address[:200]}"
            fault: tuple[str, str] | None = None
            if found.kind == "outside":
                fault = "outside-package", f"{shown}, which leads outside the package"
            elif found.kind == "inside" and found.path in owners:
                needed[owners[found.path]] = None
            elif found.kind == "inside":
                code, what = _MISSING.get(
                    reference.element, ("missing-media", "give it as media, or embed it as data:")
                )
                fault = code, f"{shown} ({found.path}), which was not given: {what}"
            if fault is not None:
                self.faults.append(Finding("error", *fault, line=reference.line, item=document))
        return tuple(needed)

    def _of_style(self, path: str, owners: Mapping[str | None, str]) -> Iterator[str]:
        if _kind_of_media(path) is not Kind.STYLE:
            return
        for address in style_addresses(self.media[path]):
            owner = owners.get(resolve(address, folder_of(path)).path)
            if owner is not None:
                yield owner


def _metadata_xml(metadata: Metadata | None) -> bytes | None:
    return None if metadata is None else metadata_xml(metadata)


def _kind_of_media(path: str) -> Kind:
    return Kind.STYLE if _STYLE.search(path) else Kind.CONTENT


def _legal(identifier: str) -> str:
    name = _NOT_IN_NAMES.sub("_", identifier)
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def _legal_names(identifiers: Iterable[str]) -> dict[str, str]:
    """A name XML allows for each identifier, no two the same; those that are allowed stay."""
    given = [identifier for identifier in identifiers if identifier]
    names = {identifier: identifier for identifier in given if _legal(identifier) == identifier}
    for identifier in given:
        if identifier not in names:
            names[identifier] = _free(_legal(identifier), names)
    return names


def _free(name: str, names: Mapping[str, str]) -> str:
    taken = set(names.values())
    while name in taken:
        name += "_"
    return name
