"""Where an address in a package leads: paths inside it, other places, and what tries to leave."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote, unquote

from lxml import etree

from item_formats.parsing import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")  # two letters at least: one letter is a drive
_DRIVE = re.compile(r"[A-Za-z]:")
_STYLE_ADDRESS = re.compile(r"""url\(\s*(['"]?)(.*?)\1\s*\)|@import\s+(['"])(.*?)\3""", re.IGNORECASE)

# Elements whose href a person follows, or that only name something: no part of the document.
_LINKS = frozenset({"a", "area", "qti-response-processing"})
ADDRESSES = ("src", "href", "data", "poster")  # each one address, and no list of them
_ATTRIBUTES = ("src", "href", "data", "poster", "srcset", "primary-path", "fallback-path", "template-location")
_ADDRESSED = etree.XPath(f"//*[{' or '.join(f'@{name}' for name in _ATTRIBUTES)} or local-name() = 'qti-file-href']")


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is the member an address leads to; None when it leads elsewhere, as `kind` says."""

    kind: Literal["inside", "outside", "remote", "here"]
    path: str | None = None


HERE = Address("here")  # data:, #fragment, or nothing
OUTSIDE = Address("outside")
REMOTE = Address("remote")


def resolve(address: str, base: str = "") -> Address:
    """Where an ``href`` leads from the folder `base` (a path that ends in ``/``, or "").

    Escapes are undone, query and fragment dropped, and backslashes are what people meant by them.
    """
    address = address.strip()
    if not address or address.startswith(("#", "?")) or address[:5].lower() == "data:":
        return HERE
    if _SCHEME.match(address):
        return REMOTE if address.partition(":")[0].lower() != "file" else OUTSIDE
    if address.startswith("//"):
        return REMOTE
    path = unquote(address.partition("#")[0].partition("?")[0]).replace("\\", "/")
    if path.startswith("/") or _DRIVE.match(path) or "\x00" in path:
        return OUTSIDE
    joined = posixpath.normpath(base + path)
    if joined == ".." or joined.startswith("../"):
        return OUTSIDE
    return HERE if joined == "." else Address("inside", joined)


def folder_of(path: str) -> str:
    """The folder a document lies in, as `resolve` wants it: ``items/`` of ``items/Q1.xml``."""
    return path[: path.rfind("/") + 1]


def address_of(path: str, base: str = "") -> str:
    """The relative address that leads from the folder `base` to a path of the package."""
    return quote(posixpath.relpath(path, base or ".") if base else path)


@dataclass(frozen=True, slots=True)
class Reference:
    """An address in a document, with the element it stands in."""

    address: str
    element: str
    line: int | None
    followed: bool = False  # a person follows it; the document is whole without

    @property
    def is_document(self) -> bool:
        return self.element.endswith("-ref")


def references_of(root: etree._Element) -> Iterator[Reference]:
    """Every address of a QTI 3 document: pictures, sounds, style sheets, stimuli, sections, items."""
    for element in cast("list[etree._Element]", _ADDRESSED(root)):
        name = local_name(element)
        line: object = element.sourceline
        addresses = [element.text or ""] if name == "qti-file-href" else []
        for attribute in _ATTRIBUTES:
            text = element.get(attribute, "")
            addresses += [one.split()[0] for one in text.split(",") if one.strip()] if attribute == "srcset" else [text]
        for address in addresses:
            if address.strip():
                found_in = line if isinstance(line, int) else None
                yield Reference(address.strip(), name, found_in, followed=name in _LINKS)


def style_addresses(style: bytes) -> list[str]:
    """Addresses in a style sheet: fonts, backgrounds, other sheets."""
    text = style.decode("utf-8", errors="replace")
    return [match[2] or match[4] for match in _STYLE_ADDRESS.finditer(text) if match[2] or match[4]]
