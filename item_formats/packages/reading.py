"""Packages in: everything is checked before the first document is handed out, and none is when anything is wrong."""

from __future__ import annotations

import tempfile
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from item_formats.documents import Document, Section, Stimulus, Test, document_of, read_root
from item_formats.findings import Finding, ItemError, errors_among
from item_formats.model import Item
from item_formats.packages.addresses import folder_of, references_of, resolve, style_addresses
from item_formats.packages.archive import USUAL_LIMITS, Archive, Limits, is_zip
from item_formats.packages.folder import Folder
from item_formats.packages.manifest import (
    DOCUMENTS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    Kind,
    Manifest,
    Resource,
    read_manifest,
)
from item_formats.packages.usage_data import UsageData, usage_data_of
from item_formats.parsing import MAX_BYTES, QTI, line_of, local_name, parse, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from item_formats.packages.addresses import Reference
    from item_formats.packages.metadata import Metadata

_IN_MEMORY = 8 * 1024 * 1024  # of checked documents; more goes to a temporary file
_MOST_FINDINGS = 200  # on the addresses of one document; a hostile one could have a million
_KINDS: Mapping[str, tuple[type[Document], Kind]] = {
    "qti-assessment-item": (Item, Kind.ITEM),
    "qti-assessment-test": (Test, Kind.TEST),
    "qti-assessment-section": (Section, Kind.SECTION),
    "qti-assessment-stimulus": (Stimulus, Kind.STIMULUS),
}
_REFERRED = {
    "qti-assessment-item-ref": Kind.ITEM,
    "qti-assessment-section-ref": Kind.SECTION,
    "qti-assessment-stimulus-ref": Kind.STIMULUS,
}


@dataclass(frozen=True, slots=True)
class PackageDocument:
    """A document of a package and the entry of the manifest that names it."""

    resource: Resource
    document: Document | UsageData


@dataclass(frozen=True, slots=True)
class Package:
    """A whole package in memory; `media` are all files that are no document, by path."""

    manifest: Manifest
    documents: tuple[PackageDocument, ...] = ()
    media: Mapping[str, bytes] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def identifier(self) -> str:
        return self.manifest.identifier

    @property
    def resources(self) -> tuple[Resource, ...]:
        return self.manifest.resources

    @property
    def metadata(self) -> Metadata:
        return self.manifest.metadata

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(one.document for one in self.documents if isinstance(one.document, Item))

    @property
    def tests(self) -> tuple[Test, ...]:
        return tuple(one.document for one in self.documents if isinstance(one.document, Test))

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(one.document for one in self.documents if isinstance(one.document, Section))

    @property
    def stimuli(self) -> tuple[Stimulus, ...]:
        return tuple(one.document for one in self.documents if isinstance(one.document, Stimulus))

    @property
    def usage_data(self) -> tuple[UsageData, ...]:
        return tuple(one.document for one in self.documents if isinstance(one.document, UsageData))


def read_package(source: Path | bytes, *, limits: Limits = USUAL_LIMITS) -> Package:
    """A package as a whole, media included: a zip, or the folder it was unpacked to.

    `open_package` and `iter_package` are for large ones.

    Documents of QTI 2 become QTI 3. The warnings are the package's `findings`.

    Raises
    ------
    ItemError
        Anything that makes the package, or a single document in it, unusable: all that was found, errors first.
    """
    with open_package(source, limits=limits) as package:
        return Package(
            manifest=package.manifest,
            documents=tuple(package.documents()),
            media={name: package.read(name) for name in package.media},
            findings=package.findings,
        )


def iter_package(source: Path | bytes, *, limits: Limits = USUAL_LIMITS) -> Iterator[PackageDocument]:
    """The documents of a package one by one, in the order of the manifest; memory does not grow with their number.

    The whole package is checked before the first is given: raises as `read_package` does, or not at all.
    """
    with open_package(source, limits=limits) as package:
        yield from package.documents()


def open_package(source: Path | bytes, *, limits: Limits = USUAL_LIMITS) -> OpenPackage:
    """A package whose every file has been checked, ready to be read piece by piece; close it, or use `with`.

    Raises
    ------
    ItemError
        As `read_package`.
    """
    if isinstance(source, Path) and source.is_dir():
        archive: Archive | Folder = Folder(source, limits=limits)
    else:
        archive = Archive(source, limits=limits)
    try:
        return OpenPackage(archive)
    except BaseException:
        archive.close()
        raise


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where a checked document waits."""

    resource: Resource
    kind: type[Document] | None  # None: usage data
    start: int
    length: int
    digest: str


class OpenPackage:
    """A checked package. Made by `open_package`."""

    def __init__(self, archive: Archive | Folder) -> None:
        self._archive = archive
        self._kept: list[_Kept] = []
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by `close`
        try:
            checking = _Checking(archive)
            for resource, kind, xml, digest in checking.documents():
                self._kept.append(_Kept(resource, kind, self._spool.tell(), len(xml), digest))
                self._spool.write(xml)
            checking.finish()
        except BaseException:
            self._spool.close()
            raise
        self.manifest = checking.manifest
        self.findings = tuple(checking.findings)
        taken = {kept.resource.path for kept in self._kept} | {checking.manifest_path}
        self.media = tuple(name for name in archive.names if name not in taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._spool.close()
        self._archive.close()

    def documents(self) -> Iterator[PackageDocument]:
        """Items, tests, sections, stimuli and usage data, in the order of the manifest."""
        for kept in self._kept:
            self._spool.seek(kept.start)
            xml = self._spool.read(kept.length)
            document = usage_data_of(parse(xml)) if kept.kind is None else kept.kind(xml, kept.digest)
            yield PackageDocument(kept.resource, document)

    def read(self, name: str) -> bytes:
        """A file of the package by its path."""
        return self._archive.read(name)


class _Checking:
    """One pass over a package: what is in it, and everything that is wrong with it."""

    def __init__(self, archive: Archive | Folder) -> None:
        self.archive = archive
        self.findings = list(archive.findings)
        self.manifest_path = self._find_manifest()
        if archive.size(self.manifest_path) > MAX_MANIFEST_BYTES:
            message = f"the manifest has more than {MAX_MANIFEST_BYTES:,} bytes: split the package"
            raise ItemError(Finding("error", "too-large", message, file=archive.place(self.manifest_path)))
        content = archive.read(self.manifest_path)
        self.manifest, found = read_manifest(
            content, base=folder_of(self.manifest_path), file=archive.place(self.manifest_path)
        )
        self.findings += found
        self._folded: dict[str, str] | None = None
        self._identifiers: dict[tuple[Kind, str], str] = {}
        self._section_references: dict[str, set[str]] = {}
        self._named: set[str] = {self.manifest_path}
        resources = [self._checked_resource(resource) for resource in self.manifest.resources]
        self.manifest = replace(self.manifest, resources=tuple(resources))
        self._listed = {path for resource in resources for path in resource.files}
        self._named |= self._listed

    def add(self, severity: str, code: str, message: str, place: str, line: int | None = None, item: str = "") -> None:
        self.findings.append(
            Finding(
                "error" if severity == "error" else "warning",
                code,
                message,
                file=self.archive.place(place),
                line=line,
                item=item or None,
            )
        )

    def _find_manifest(self) -> str:
        if MANIFEST in self.archive:
            return MANIFEST
        found = [name for name in self.archive.names if name.rpartition("/")[2].lower() == MANIFEST]
        if len(found) == 1:
            message = (
                f"the manifest is {found[0]}; expected {MANIFEST} at the top of the zip: zip what is in the folder"
            )
            self.add("warning", "manifest-place", message, found[0])
            return found[0]
        message = f"there is no {MANIFEST} at the top of the zip: a content package needs one"
        raise ItemError(Finding("error", "no-manifest", message, file=self.archive.file), *self.findings)

    def _member(self, path: str) -> str | None:
        """The member a path means, though its case or composition may differ; None when there is none."""
        if path in self.archive:
            return path
        if self._folded is None:
            self._folded = {_folded(name): name for name in self.archive.names}
        return self._folded.get(_folded(path))

    def _checked_resource(self, resource: Resource) -> Resource:
        """The resource with its files as they are called in the zip."""
        called: dict[str, str] = {}
        for path in resource.files:
            member = self._member(path)
            if member is None:
                main = path == resource.path and resource.kind in DOCUMENTS
                message = f"the manifest names {path}, which is not in the package: put it in, or take the entry out"
                self.add(
                    "error" if main else "warning",
                    "missing-file",
                    message,
                    self.manifest_path,
                    resource.line,
                    resource.identifier,
                )
            elif member != path:
                message = f"the manifest names {path}, the file is called {member}: read as meant"
                self.add("warning", "case-mismatch", message, self.manifest_path, resource.line, resource.identifier)
            called[path] = member or path
        if all(path == member for path, member in called.items()):
            return resource
        return replace(
            resource,
            path=None if resource.path is None else called[resource.path],
            files=tuple(called.values()),
            file_metadata=tuple((called[path], xml) for path, xml in resource.file_metadata),
        )

    def documents(self) -> Iterator[tuple[Resource, type[Document] | None, bytes, str]]:
        """Every document that can be read, those that tests refer to and the manifest forgot last."""
        waiting = [one for one in self.manifest.resources if one.kind in DOCUMENTS and (one.path or "") in self.archive]
        known = {resource.path for resource in waiting}
        forgotten: list[Resource] = []
        for resource in waiting:
            path = resource.path or ""
            try:
                read = self._document(resource, path, known, forgotten)
            except ItemError as error:
                self.findings += error.findings
                continue
            yield resource, *read
            while forgotten:
                found = forgotten.pop()
                waiting.append(found)
                self.manifest = replace(self.manifest, resources=(*self.manifest.resources, found))

    def _document(
        self, resource: Resource, path: str, known: set[str | None], forgotten: list[Resource]
    ) -> tuple[type[Document] | None, bytes, str]:
        place = self.archive.place(path)
        if self.archive.size(path) > MAX_BYTES:
            message = f"{path} has {self.archive.size(path):,} bytes; a document may have {MAX_BYTES:,}"
            raise ItemError(Finding("error", "too-large", message, file=place, item=resource.identifier or None))
        content = self.archive.read(path)
        if resource.kind is Kind.USAGE_DATA:
            usage_data_of(parse(content, file=place), file=place)
            return None, content, ""
        root, findings = read_root(content, file=place)
        self.findings += findings
        name = local_name(root)
        if name not in _KINDS or split_name(root)[0] != QTI:
            message = f"the document is <{name}>; expected a QTI {resource.kind} as the manifest says"
            raise ItemError(Finding("error", "not-a-document", message, file=place, line=line_of(root)))
        kind, word = _KINDS[name]
        identifier = root.get("identifier", "")
        if not identifier:
            message = f'the {word} has no identifier: add identifier="…" to {name}'
            raise ItemError(Finding("error", "no-identifier", message, file=place, line=line_of(root)))
        if word is not resource.kind:
            message = f"the manifest calls this a {resource.kind}, it is a {word}: read as it is"
            self.add("warning", "type-mismatch", message, path, line_of(root), identifier)
        first = self._identifiers.setdefault((word, identifier), path)
        if first != path:
            message = f"{first} has the identifier {identifier} too: give each {word} its own"
            self.add("warning", "duplicate-identifier", message, path, line_of(root), identifier)
        before = len(self.findings)
        for reference in references_of(root):
            if len(self.findings) - before >= _MOST_FINDINGS:
                message = f"{_MOST_FINDINGS} addresses lead nowhere: mend these first, the rest was not looked at"
                self.add("error", "too-many-findings", message, path, reference.line, identifier)
                break
            self._follow(reference, path, identifier, known, forgotten)
        document = document_of(kind, root, file=place)
        return kind, document.xml, document.digest

    def _follow(
        self, reference: Reference, path: str, identifier: str, known: set[str | None], forgotten: list[Resource]
    ) -> None:
        """Where one address of a document leads."""

        def add(severity: str, code: str, message: str) -> None:
            self.add(severity, code, message, path, reference.line, identifier)

        shown = f"<{reference.element}> refers to {reference.address[:200]}"
        found = resolve(reference.address, folder_of(path))
        if found.kind == "outside":
            add("error", "outside-package", f"{shown}, which leads outside the package")
        elif found.kind == "remote" and not reference.followed:
            add("warning", "remote-reference", f"{shown}, which is never fetched: put the file into the package")
        elif found.path is not None:
            member = self._member(found.path)
            wanted = _REFERRED.get(reference.element)
            if member is None:
                code = f"missing-{wanted}" if wanted else "missing-media"
                add("error" if wanted else "warning", code, f"{shown}, which is not in the package: put it in")
                return
            if member != found.path:
                add("warning", "case-mismatch", f"{shown}, the file is called {member}: change one to the other")
            if member not in self._named:
                self._named.add(member)
                add("warning", "unlisted-file", f"{shown}, which the manifest does not name: read all the same")
            if wanted is not None and member not in known:
                known.add(member)
                forgotten.append(Resource("", f"imsqti_{wanted}_xmlv3p0", member, (member,)))
            if wanted is Kind.SECTION:
                self._section_references.setdefault(path, set()).add(member)

    def _follow_style(self, name: str) -> None:
        """Where the addresses of a style sheet lead: it is no document, so none is an error."""
        for address in style_addresses(self.archive.read(name)):
            found = resolve(address, folder_of(name))
            if found.kind in {"outside", "remote"}:
                message = f"the style sheet refers to {address[:200]}, which is never fetched: put the file in"
                self.add("warning", "remote-reference", message, name)
            elif found.path is not None and self._member(found.path) is None:
                message = f"the style sheet refers to {address[:200]}, which is not in the package: put it in"
                self.add("warning", "missing-media", message, name)

    def finish(self) -> None:
        """What can be said only of the whole; raises when there is any error."""
        read = {resource.path for resource in self.manifest.resources if resource.kind in DOCUMENTS}
        for name in self.archive.names:
            if name in read or name == self.manifest_path:
                continue
            listed = name in self._named
            if not listed:
                message = f"{name} is in the package but not in the manifest: kept, used by nothing"
                self.add("warning", "surplus-file", message, name)
            try:
                head = self.archive.verify(name)
            except ItemError as error:
                self.findings += error.findings
                continue
            if name.lower().endswith(".css") and self.archive.size(name) <= MAX_BYTES:
                self._follow_style(name)
            if is_zip(head) and name.lower().endswith(".zip"):
                message = f"{name} is a zip in the zip: never opened; packages hold their files themselves"
                self.add("warning" if listed else "error", "nested-zip", message, name)
        for cycle in _cycles(self._section_references):
            message = f"sections contain each other: {' → '.join(cycle)}; take one reference out"
            self.add("error", "cyclic-sections", message, cycle[0])
        if errors_among(self.findings):
            raise ItemError(*self.findings)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _cycles(references: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Ways that lead back to where they began, found in one walk and without recursion."""
    cycles: list[list[str]] = []
    done: set[str] = set()
    for start in sorted(references):
        path: list[str] = []
        ahead = [iter([start])]
        while ahead:
            name = next(ahead[-1], None)
            if name is None:
                ahead.pop()
                if path:
                    done.add(path.pop())
            elif name in path:
                cycles.append([*path[path.index(name) :], name])
            elif name not in done:
                path.append(name)
                ahead.append(iter(sorted(references.get(name, ()))))
    return cycles
