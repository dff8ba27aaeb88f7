"""Content packages: a QTI 3 zip with manifest, items and test, the same bytes from the same content."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from item_formats.choice import IDENTIFIER
from item_formats.findings import Finding, ItemError
from item_formats.parsing import line_of, local_name
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from item_formats.assessment import TestDocument
    from item_formats.model import Item

_EARLIEST_ZIP_YEAR = 1980
_MEDIA_ATTRIBUTES = ("src", "data", "href", "srcset")


def write_package(
    path: Path,
    *,
    identifier: str,
    title: str,
    items: Sequence[Item],
    test: TestDocument | None = None,
    modified: datetime,
) -> None:
    """Write ``imsmanifest.xml``, ``items/ID.xml`` and, with a test, ``tests/ID.xml``.

    What is written is what the items hold: take keys out with `for_candidate` first where they must not go along.
    `modified` dates every member of the zip, so that the same content gives the same bytes.

    Raises
    ------
    ItemError
        Two items with one identifier, an identifier that cannot be a file name, an item of the test that is not
        given, or an item that refers to media (packages do not carry them yet).
    """
    faults = _faults(items, test)
    if faults:
        raise ItemError(*faults)
    members = {"imsmanifest.xml": _manifest(identifier, title, items, test)}
    members |= {f"items/{item.identifier}.xml": item.xml for item in items}
    if test is not None:
        members[f"tests/{test.identifier}.xml"] = test.xml
    write_whole(path, _zipped(members, modified))


def _faults(items: Sequence[Item], test: TestDocument | None) -> list[Finding]:
    faults = []
    identifiers = [item.identifier for item in items]
    for identifier, times in Counter(identifiers).items():
        if times > 1:
            message = f"{times} items have the identifier {identifier}: give each its own"
            faults.append(Finding("error", "duplicate-identifier", message, item=identifier))
        if not IDENTIFIER.fullmatch(identifier):
            message = f"“{identifier}” cannot be a file name in the package: use letters, digits, _ - or . (at most 64)"
            faults.append(Finding("error", "bad-identifier", message, item=identifier))
    for identifier in test.item_ids if test is not None else ():
        if identifier not in identifiers:
            message = f"the test names the item {identifier}, which was not given: add it to the items"
            faults.append(Finding("error", "missing-item", message, item=identifier))
    for item in items:
        faults += _media_faults(item)
    return faults


def _media_faults(item: Item) -> list[Finding]:
    found = []
    for element in item.body.iterdescendants() if item.body is not None else ():
        for attribute in _MEDIA_ATTRIBUTES:
            address = element.get(attribute, "")
            if address and not address.startswith(("data:", "#", "http:", "https:", "mailto:")):
                message = f"<{local_name(element)}> refers to {address}; packages carry no media yet: embed it as data:"
                found.append(Finding("error", "media", message, line=line_of(element), item=item.identifier))
    return found


def _zipped(members: dict[str, bytes], modified: datetime) -> bytes:
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


def _manifest(identifier: str, title: str, items: Sequence[Item], test: TestDocument | None) -> bytes:
    resources = "".join(_ITEM_RESOURCE.format(identifier=escape(item.identifier)) for item in items)
    if test is not None:
        dependencies = "".join(_DEPENDENCY.format(identifier=item) for item in test.item_ids)
        resources = _TEST_RESOURCE.format(identifier=test.identifier, dependencies=dependencies) + resources
    return _MANIFEST.format(identifier=escape(identifier), title=escape(title), resources=resources).encode()


_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="MANIFEST-{identifier}">
  <metadata>
    <schema>QTI Package</schema>
    <schemaversion>3.0.0</schemaversion>
    <lom xmlns="http://ltsc.ieee.org/xsd/LOM">
      <general>
        <title><string language="zh-CN">{title}</string></title>
      </general>
    </lom>
  </metadata>
  <organizations/>
  <resources>{resources}
  </resources>
</manifest>
"""
_ITEM_RESOURCE = """
    <resource identifier="item-{identifier}" type="imsqti_item_xmlv3p0" href="items/{identifier}.xml">
      <file href="items/{identifier}.xml"/>
    </resource>"""
_TEST_RESOURCE = """
    <resource identifier="test-{identifier}" type="imsqti_test_xmlv3p0" href="tests/{identifier}.xml">
      <file href="tests/{identifier}.xml"/>{dependencies}
    </resource>"""
_DEPENDENCY = """
      <dependency identifierref="item-{identifier}"/>"""
