"""The manifest: what a package holds, of what kind, and what needs what."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.packages.addresses import address_of, folder_of, resolve
from item_formats.packages.lom import LOM
from item_formats.packages.metadata import NO_METADATA, Metadata, metadata_elements, read_metadata
from item_formats.packages.records import document_bytes, fragment, new_element
from item_formats.parsing import line_of, local_name, parse, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFEST = "imsmanifest.xml"
PACKAGING = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"
_FORMER_PACKAGING = "http://www.imsglobal.org/xsd/imscp_v1p1"
MAX_MANIFEST_BYTES = 128 * 1024 * 1024  # 10,000 items with full metadata have 30 MB

_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_QTI_TYPE = re.compile(r"imsqti_(?:apip)?([a-z]+)_xmlv(\d)p(\d)", re.IGNORECASE)
_OLD_QTI = re.compile(r"imsqti_xmlv(\d)p(\d)", re.IGNORECASE)


class Kind(StrEnum):
    """What a resource is, whatever version of QTI its type names."""

    ITEM = "item"
    TEST = "test"
    SECTION = "section"
    STIMULUS = "stimulus"
    TEMPLATE = "rptemplate"
    FRAGMENT = "fragment"
    OUTCOMES = "outcomes"
    RESPONSE_PROCESSING = "resprocessing"
    USAGE_DATA = "usage data"
    STYLE = "style sheet"
    CONTENT = "content"
    OTHER = "other"


DOCUMENTS = frozenset({Kind.ITEM, Kind.TEST, Kind.SECTION, Kind.STIMULUS, Kind.USAGE_DATA})
_TYPES = {
    "qtiusagedata/xml": Kind.USAGE_DATA,
    "imsqti_usagedata_xmlv2p2": Kind.USAGE_DATA,
    "css2": Kind.STYLE,
    "css3": Kind.STYLE,
    "webcontent": Kind.CONTENT,
    "associatedcontent/learning-application-resource": Kind.CONTENT,
    "controlfile": Kind.OTHER,
    "resourcemetadata/xml": Kind.OTHER,
    "resourceextmetadata/xml": Kind.OTHER,
    "imsbasiclti_xmlv1p3": Kind.OTHER,
    "pls": Kind.OTHER,
    "extension": Kind.OTHER,
}
_NAMES = {"assessment": Kind.TEST, "assessmentitem": Kind.ITEM, "assessmenttest": Kind.TEST}
_WRITTEN = {Kind.USAGE_DATA: "qtiusagedata/xml", Kind.STYLE: "css3", Kind.CONTENT: "webcontent"}


def kind_of(written: str) -> tuple[Kind | None, str]:
    """Kind and QTI version ("3.0", "2.2" …, "" for other content) of a resource type; None when it is not known."""
    qti = _QTI_TYPE.fullmatch(written)
    if qti and written.lower() not in _TYPES:
        name = qti[1].lower()
        kind = _NAMES.get(name) or (Kind(name) if name in {kind.value for kind in Kind} else None)
        return kind, f"{qti[2]}.{qti[3]}"
    if written.startswith(("associatedcontent/", "webcontent")):
        return Kind.CONTENT, ""
    return _TYPES.get(written.lower()), ""


def type_of(kind: Kind, written: str = "") -> str:
    """The type QTI 3 writes for a kind of resource; what it has no word for is an extension."""
    if kind in _WRITTEN:
        return written if kind_of(written)[0] is kind and written in _TYPES else _WRITTEN[kind]
    if kind is Kind.OTHER:
        return written if written in _TYPES else "extension"
    return f"imsqti_{kind.value}_xmlv3p0"


def older_type(kind: Kind, written: str, version: str) -> str:
    """The type QTI 2.1 or 2.2 writes for a kind of resource; what it has no word for is web content."""
    if kind in {Kind.STYLE, Kind.CONTENT, Kind.OTHER}:
        return written if written.startswith(("associatedcontent/imsqti_xml", "controlfile/")) else "webcontent"
    return f"imsqti_{kind.value.replace(' ', '')}_xmlv{version.replace('.', 'p')}"


@dataclass(frozen=True)
class Resource:
    """One entry of the manifest; paths are those of the zip.

    `metadata_xml` is kept as written and read when somebody asks for `metadata`: ten thousand items stay small.
    `file_metadata` has the files that carry some of their own. `unknown` are variants and foreign elements.
    """

    identifier: str
    type: str
    path: str | None = None
    files: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    metadata_xml: bytes | None = None
    file_metadata: tuple[tuple[str, bytes], ...] = ()
    unknown: tuple[bytes, ...] = ()
    line: int | None = field(default=None, compare=False)

    @property
    def kind(self) -> Kind:
        return kind_of(self.type)[0] or Kind.OTHER

    @property
    def version(self) -> str:
        return kind_of(self.type)[1]

    @cached_property
    def metadata(self) -> Metadata:
        return NO_METADATA if self.metadata_xml is None else read_metadata(parse(self.metadata_xml))


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schema_version` as written. `organizations` and `unknown` are kept for writing, as canonical XML."""

    identifier: str
    resources: tuple[Resource, ...] = ()
    metadata: Metadata = NO_METADATA
    schema: str = "QTI Package"
    schema_version: str = "3.0.0"
    organizations: bytes | None = None
    unknown: tuple[bytes, ...] = ()


def metadata_xml(metadata: Metadata) -> bytes | None:
    """Metadata as `Resource.metadata_xml` keeps them."""
    if not metadata:
        return None
    element = new_element("metadata", PACKAGING)
    element.extend(metadata_elements(metadata))
    return fragment(element)


def read_manifest(content: bytes, *, base: str = "", file: str | None = None) -> tuple[Manifest, list[Finding]]:
    """The manifest, resource after resource, and what is odd in it; `base` is the folder it lies in.

    Raises
    ------
    ItemError
        Not XML, hostile XML, or not a manifest; a resource that leads outside the package or names itself twice.
    """
    reading = _Reading(file, base)
    try:
        _walk(content, reading)
    except etree.XMLSyntaxError:
        parse(content[: 16 * 1024 * 1024], file=file)  # says what is wrong, as it does of every document
        message = "not well-formed XML: make the package again"
        raise ItemError(Finding("error", "not-xml", message, file=file)) from None
    except ValueError as error:
        if isinstance(error, ItemError):
            raise
        raise ItemError(Finding("error", "not-xml", f"not XML: {error}", file=file)) from None
    findings = [*reading.findings, *_faults(reading.resources, file)]
    if any(finding.severity == "error" for finding in findings):
        raise ItemError(*findings)
    return replace(reading.head, resources=tuple(reading.resources)), findings


class _Reading:
    """What has been read of a manifest so far."""

    def __init__(self, file: str | None, base: str) -> None:
        self.file = file
        self.base = base
        self.findings: list[Finding] = []
        self.resources: list[Resource] = []
        self.head = Manifest("", schema="", schema_version="")

    def finding(self, severity: str, code: str, message: str, element: etree._Element) -> None:
        line = line_of(element)
        self.findings.append(
            Finding("error" if severity == "error" else "warning", code, message, file=self.file, line=line)
        )


def _walk(content: bytes, reading: _Reading) -> None:
    """Each part of the manifest as soon as it is complete, then forgotten."""
    steps = etree.iterparse(
        io.BytesIO(content), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False
    )
    path: list[str] = []
    for event, element in steps:
        if event == "start":
            name = local_name(element)
            if not path:
                _check_root(element, reading)
            path.append(name)
            continue
        path.pop()
        if len(path) == 1:
            _take_part(element, reading)
            element.clear()
        elif path == ["manifest", "resources"]:
            _take_resource(element, reading)
            element.clear()
            parent = element.getparent()
            while parent is not None and len(parent) > 1:  # what is read does not stay
                del parent[0]


def _check_root(root: etree._Element, reading: _Reading) -> None:
    file = reading.file
    if root.getroottree().docinfo.internalDTD is not None:
        message = "the manifest has a <!DOCTYPE>; none is needed and entities are never read: remove the declaration"
        raise ItemError(Finding("error", "doctype", message, file=file, line=1))
    if local_name(root) != "manifest":
        message = f"{MANIFEST} is a <{local_name(root)}>; expected <manifest>"
        raise ItemError(Finding("error", "not-a-manifest", message, file=file, line=line_of(root)))
    namespace = split_name(root)[0]
    if "imscp" not in namespace:
        message = f'the namespace is “{namespace}”; expected xmlns="{PACKAGING}": read all the same'
        reading.finding("warning", "wrong-namespace", message, root)


def _take_part(element: etree._Element, reading: _Reading) -> None:
    name = local_name(element)
    root = element.getparent()
    identifier = "" if root is None else root.get("identifier", "")
    head = replace(reading.head, identifier=identifier)
    if name == "metadata":
        texts = {local_name(child): (child.text or "").strip() for child in element}
        head = replace(
            head,
            metadata=read_metadata(element),
            schema=texts.get("schema", ""),
            schema_version=texts.get("schemaversion", ""),
        )
    elif name == "organizations":
        if len(element) or element.attrib:
            head = replace(head, organizations=fragment(element))
    elif name == "manifest":
        reading.finding("warning", "submanifest", "a manifest inside the manifest is kept, not read", element)
        head = replace(head, unknown=(*head.unknown, fragment(element)))
    elif name and name != "resources":
        head = replace(head, unknown=(*head.unknown, fragment(element)))
    reading.head = head


def _take_resource(element: etree._Element, reading: _Reading) -> None:
    if local_name(element) != "resource":
        if split_name(element)[1]:
            reading.finding("warning", "unknown-element", f"<{local_name(element)}> among the resources", element)
        return
    base = _base(element, reading.base)
    files: list[str] = []
    dependencies: list[str] = []
    file_metadata: list[tuple[str, bytes]] = []
    unknown: list[bytes] = []
    metadata: bytes | None = None
    for child in element:
        name = local_name(child)
        if name == "file":
            path = _path(child, base, reading)
            files += [path] if path else []
            file_metadata += [(path, fragment(inner)) for inner in child if path and local_name(inner) == "metadata"]
        elif name == "dependency":
            dependencies.append(child.get("identifierref", ""))
        elif name == "metadata" and metadata is None:
            metadata = fragment(child)
        elif name:
            unknown.append(fragment(child))
    path = _path(element, base, reading) if element.get("href") else None
    if path is None and files and kind_of(element.get("type", ""))[0] in DOCUMENTS:
        path = files[0]
    if path is not None and path not in files:
        files.insert(0, path)
    reading.resources.append(
        Resource(
            identifier=element.get("identifier", ""),
            type=element.get("type", ""),
            path=path,
            files=tuple(dict.fromkeys(files)),
            dependencies=tuple(dict.fromkeys(dependencies)),
            metadata_xml=metadata,
            file_metadata=tuple(file_metadata),
            unknown=tuple(unknown),
            line=line_of(element),
        )
    )


def _base(element: etree._Element, base: str) -> str:
    """The folder of the manifest and every ``xml:base`` around the element."""
    around = [element, *element.iterancestors()]
    for one in reversed(around):
        step = one.get(_XML_BASE)
        if step:
            found = resolve(folder_of(step), base)
            base = f"{found.path}/" if found.path else base
    return base


def _path(element: etree._Element, base: str, reading: _Reading) -> str | None:
    address = element.get("href", "")
    found = resolve(address, base)
    if found.kind == "outside":
        message = f"<{local_name(element)}> leads outside the package: {address}"
        reading.finding("error", "outside-package", message, element)
    elif found.kind == "remote":
        message = f"{address} lies elsewhere and is never fetched: put the file into the package"
        reading.finding("warning", "remote-reference", message, element)
    return found.path


def _faults(resources: Iterable[Resource], file: str | None) -> list[Finding]:
    resources = list(resources)
    found: list[Finding] = []

    def add(severity: str, code: str, message: str, resource: Resource) -> None:
        which = resource.identifier or None
        found.append(
            Finding(
                "error" if severity == "error" else "warning", code, message, file=file, line=resource.line, item=which
            )
        )

    known = Counter(resource.identifier for resource in resources)
    for resource in resources:
        name = resource.identifier
        if not name:
            add("warning", "no-identifier", 'the resource has no identifier: add identifier="…"', resource)
        elif known[name] > 1:
            add("error", "duplicate-identifier", f"{known[name]} resources are named {name}: rename them", resource)
        kind, version = kind_of(resource.type)
        if _OLD_QTI.fullmatch(resource.type):
            add("warning", "qti-version", f"{resource.type} is QTI 1: its file is kept, not read", resource)
        elif kind is None:
            add("warning", "unknown-type", f"resources of type “{resource.type}” are kept, not read", resource)
        elif version and version not in {"2.0", "2.1", "2.2", "3.0"}:
            add("warning", "qti-version", f"{resource.type} is no version known here: read as the nearest", resource)
        for needed in resource.dependencies:
            if needed not in known:
                add("warning", "dangling-dependency", f"it depends on {needed}, which is no resource", resource)
    return found


def write_manifest(manifest: Manifest, version: str = "3.0") -> bytes:
    """The manifest as QTI 3, or 2.2 or 2.1, wants it, addresses relative to it.

    Raises
    ------
    ItemError
        Metadata that XML cannot hold.
    """
    namespace = PACKAGING if version == "3.0" else _FORMER_PACKAGING
    of_qti = f"http://www.imsglobal.org/xsd/imsqti_metadata_v{version.replace('.', 'p')}"
    root = new_element("manifest", namespace)
    root.set("identifier", manifest.identifier)
    metadata = _added(root, "metadata")
    _added(metadata, "schema").text = manifest.schema
    _added(metadata, "schemaversion").text = manifest.schema_version
    metadata.extend(metadata_elements(manifest.metadata, of_qti))
    if manifest.organizations is None:
        _added(root, "organizations")
    else:
        root.append(_in_namespace(manifest.organizations, namespace))
    resources = _added(root, "resources")
    for resource in manifest.resources:
        _write_resource(resource, resources, of_qti)
    root.extend(_in_namespace(xml, namespace) for xml in manifest.unknown)
    return document_bytes(root, LOM, of_qti)


def _write_resource(resource: Resource, parent: etree._Element, of_qti: str) -> None:
    element = _added(parent, "resource", identifier=resource.identifier, type=resource.type)
    if resource.path is not None:
        element.set("href", address_of(resource.path))
    if resource.metadata_xml is not None:
        metadata = _added(element, "metadata")
        metadata.extend(metadata_elements(resource.metadata, of_qti))
    of_files = dict(resource.file_metadata)
    for path in resource.files:
        file = _added(element, "file", href=address_of(path))
        if path in of_files:
            _added(file, "metadata").extend(list(parse(of_files[path])))
    for needed in resource.dependencies:
        _added(element, "dependency", identifierref=needed)
    element.extend(_in_namespace(xml, split_name(parent)[0]) for xml in resource.unknown)


def _in_namespace(xml: bytes, namespace: str) -> etree._Element:
    """An element that was kept, those of any version of content packaging in it as this version has them."""
    element = parse(xml)
    former = split_name(element)[0]
    if "imscp_" not in former or former == namespace:
        return element
    return parse(xml.replace(f'"{former}"'.encode(), f'"{namespace}"'.encode()))


def _added(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{split_name(parent)[0]}}}{name}", attributes)
