"""Packages for the tests, made byte by byte where a zip program would not make them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CP = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"
QTI = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"


def item_xml(identifier: str = "Q1", body: str = "<p>甲</p>") -> bytes:
    return (
        f'<qti-assessment-item xmlns="{QTI}" identifier="{identifier}" title="题" time-dependent="false">'
        '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>'
        f"<qti-item-body>{body}</qti-item-body></qti-assessment-item>"
    ).encode()


def paper_xml(*references: str, identifier: str = "T1") -> bytes:
    inside = "".join(
        f'<qti-assessment-item-ref identifier="i{place}" href="{reference}"/>'
        for place, reference in enumerate(references)
    )
    return (
        f'<qti-assessment-test xmlns="{QTI}" identifier="{identifier}" title="卷"><qti-test-part identifier="P" '
        'navigation-mode="linear" submission-mode="individual"><qti-assessment-section identifier="S" title="s" '
        f'visible="true">{inside}</qti-assessment-section></qti-test-part></qti-assessment-test>'
    ).encode()


def section_xml(identifier: str, *sections: str) -> bytes:
    inside = "".join(f'<qti-assessment-section-ref identifier="r{one[0]}" href="{one}"/>' for one in sections)
    return (
        f'<qti-assessment-section xmlns="{QTI}" identifier="{identifier}" title="s" visible="true">{inside}'
        "</qti-assessment-section>"
    ).encode()


def manifest_xml(resources: str, *, attributes: str = "", metadata: str = "", namespace: str = CP) -> bytes:
    return (
        f'<manifest xmlns="{namespace}" identifier="M"><metadata><schema>QTI Package</schema>'
        f"<schemaversion>3.0.0</schemaversion>{metadata}</metadata><organizations/>"
        f"<resources{attributes}>{resources}</resources></manifest>"
    ).encode()


def resource(identifier: str, path: str, kind: str = "item", *, inside: str = "", more: str = "") -> str:
    kinds = {"media": "webcontent", "usage": "qtiusagedata/xml"}
    written = kinds.get(kind, f"imsqti_{kind}_xmlv3p0")
    return (
        f'<resource identifier="{identifier}" type="{written}" href="{path}"{more}>{inside}<file href="{path}"/>'
        "</resource>"
    )


ONE_ITEM: dict[str, bytes] = {
    "imsmanifest.xml": manifest_xml(resource("R1", "items/Q1.xml")),
    "items/Q1.xml": item_xml(),
}


def zip_of(
    members: Mapping[str, bytes],
    change: Callable[[zipfile.ZipInfo], None] | None = None,
    *,
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A zip of these members; `change` may alter what is said of each."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            member.compress_type = compression
            if change is not None:
                change(member)
            archive.writestr(member, content)
    return buffer.getvalue()


def package(members: Mapping[str, bytes] | None = None, **more: bytes) -> bytes:
    return zip_of({**ONE_ITEM, **(members or {}), **more})
