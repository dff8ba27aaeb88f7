"""Packages in QTI 2.2 and 2.1: every document, the manifest and what it says of them in the words of that version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from item_formats.conversion import converted, read_document
from item_formats.findings import Finding
from item_formats.model import Item
from item_formats.packages.manifest import Kind, metadata_xml, older_type
from item_formats.packages.metadata import CURRICULUM, Metadata
from item_formats.packages.stimuli import with_stimuli
from item_formats.packages.usage_data import FORMER_USAGE_DATA, USAGE_DATA
from item_formats.parsing import parse, split_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from item_formats.documents import Document
    from item_formats.packages.manifest import Manifest, Resource

Older = Literal["qti22", "qti21"]

VERSIONS: dict[Older, str] = {"qti22": "2.2", "qti21": "2.1"}
_DOCUMENTS = frozenset({Kind.ITEM, Kind.TEST, Kind.SECTION, Kind.STIMULUS})
_FRAGMENTS = frozenset({Kind.TEMPLATE, Kind.FRAGMENT, Kind.OUTCOMES, Kind.RESPONSE_PROCESSING})


def older_package(
    manifest: Manifest, members: Mapping[str, bytes], to: Older
) -> tuple[Manifest, dict[str, bytes], tuple[Finding, ...]]:
    """A package of QTI 3 documents in another version, and warnings on what that version says otherwise or not at all.

    QTI 2.1 has no stimuli: they are copied into the items that refer to them. It has no resource type for usage data,
    which is left out.
    """
    version = VERSIONS[to]
    findings: list[Finding] = []
    written = dict(members)
    stimuli: dict[str, Document] = {}
    for resource in manifest.resources:
        path = resource.path
        if version == "2.1" and resource.kind is Kind.STIMULUS and path is not None and path in members:
            stimuli[path] = read_document(members[path], file=path)
    left_out = set(_left_out(manifest, version, findings))
    for resource in manifest.resources:
        path = resource.path
        if path is None or path not in members or path in left_out or resource.kind not in _DOCUMENTS:
            continue
        document = read_document(members[path], file=path)
        if stimuli and isinstance(document, Item):
            document, copied = with_stimuli(document, path, stimuli)
            findings += (replace(one, file=path) for one in copied)
        found = converted(document, to=to, file=path)
        findings += found.findings
        written[path] = found.xml
    for path in left_out:
        del written[path]
    resources = []
    for resource in manifest.resources:
        if resource.path in left_out:
            continue
        if resource.kind is Kind.USAGE_DATA and resource.path is not None and resource.path in written:
            written[resource.path] = written[resource.path].replace(USAGE_DATA.encode(), FORMER_USAGE_DATA.encode())
        findings += _not_said(resource, version)
        resources.append(_older(resource, manifest, left_out, version))
    older = replace(
        manifest,
        resources=tuple(resources),
        metadata=_metadata(manifest.metadata, version),
        schema=f"QTIv{version} Package",
        schema_version="1.0.0",
    )
    return older, written, tuple(findings)


def _left_out(manifest: Manifest, version: str, findings: list[Finding]) -> Iterator[str]:
    """Paths of what QTI 2.1 has no place for."""
    told = {
        Kind.USAGE_DATA: "QTI 2.1 packages have no resource type for usage data; it was left out",
        Kind.STIMULUS: "QTI 2.1 has no stimuli; it was copied into the items that refer to it",
    }
    for resource in manifest.resources:
        if version == "2.1" and resource.path is not None and resource.kind in told:
            findings.append(Finding("warning", "not-in-qti-2", told[resource.kind], file=resource.path))
            yield resource.path


def _older(resource: Resource, manifest: Manifest, left_out: set[str], version: str) -> Resource:
    """The entry in the words of the version; who needed what was left out needs what that needed."""
    gone = {one.identifier: one.dependencies for one in manifest.resources if one.path in left_out}
    needed: dict[str, None] = {}
    for identifier in resource.dependencies:
        needed |= dict.fromkeys(gone.get(identifier, (identifier,)))
    own = None if resource.metadata_xml is None else metadata_xml(_metadata(resource.metadata, version))
    return replace(
        resource,
        type=older_type(resource.kind, resource.type, version),
        dependencies=tuple(one for one in needed if one not in gone),
        metadata_xml=own,
    )


def _metadata(metadata: Metadata, version: str) -> Metadata:
    """QTI 2.1 knows no modes of scoring."""
    if version != "2.1" or metadata.qti is None or not metadata.qti.scoring_modes:
        return metadata
    return replace(metadata, qti=replace(metadata.qti, scoring_modes=()))


def _not_said(resource: Resource, version: str) -> Iterator[Finding]:
    def warning(code: str, message: str) -> Finding:
        return Finding("warning", code, message, file=resource.path, item=resource.identifier)

    if resource.kind in _FRAGMENTS:
        yield warning("not-converted", f"a {resource.kind} is no document of its own: the file stays QTI 3")
    if resource.kind is Kind.OTHER:
        yield warning(
            "not-in-qti-2", f"QTI {version} has no resource type {resource.type}; it is written as webcontent"
        )
    if resource.metadata_xml is None:
        return
    metadata = resource.metadata
    if version == "2.1" and metadata.qti is not None and metadata.qti.scoring_modes:
        yield warning("not-in-qti-2", "QTI 2.1 metadata have no scoringMode; it was left out")
    if any(split_name(parse(xml))[0] == CURRICULUM for xml in metadata.unknown):
        yield warning("kept-for-qti-3", "curriculum standards stay as QTI 3 has them")
