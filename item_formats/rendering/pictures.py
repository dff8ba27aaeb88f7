"""Pictures and sounds of a package, put into the page itself as `data:` addresses."""

from __future__ import annotations

import base64
import posixpath
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from item_formats.parsing import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

# What a file is, by its first bytes: names lie, and a browser must never take a picture for a page.
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"BM.{8}", re.DOTALL), "image/bmp"),
    (re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<svg[\s>]", re.DOTALL), "image/svg+xml"),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"ID3|\xff[\xfb\xf3\xf2]"), "audio/mpeg"),
    (re.compile(rb"OggS"), "audio/ogg"),
    (re.compile(rb"fLaC"), "audio/flac"),
    (re.compile(rb"....ftypM4A", re.DOTALL), "audio/mp4"),
    (re.compile(rb"....ftyp", re.DOTALL), "video/mp4"),
    (re.compile(rb"\x1a\x45\xdf\xa3"), "video/webm"),
)
_DATA = re.compile(
    r"data:(?:image|audio|video)/[a-z0-9.+\-]+(?:;[a-z0-9=.\-]+)*;base64,([A-Za-z0-9+/=\s]+)", re.IGNORECASE
)
_SVG_LENGTH = re.compile(rb"""\s(width|height)\s*=\s*["']\s*([0-9.]+)(?:px)?\s*["']""")
_SVG_BOX = re.compile(rb"""viewBox\s*=\s*["']\s*[-0-9.]+[\s,]+[-0-9.]+[\s,]+([0-9.]+)[\s,]+([0-9.]+)""")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture element shows: `address` is a `data:` address, "" when the file is not there. Sizes in pixels."""

    address: str
    kind: str
    alt: str
    width: float
    height: float


def picture_of(element: etree._Element, media: Mapping[str, bytes]) -> Picture:
    """The picture, sound or film of an `img`, `object`, `picture`, `audio` or `video` element."""
    content = next((found for found in (media_bytes(one, media) for one in _addresses(element)) if found), b"")
    kind = media_type(content)
    inner = next((child for child in element if local_name(child) == "img"), element)
    width, height = image_size(content)
    alt = inner.get("alt") or element.get("aria-label") or " ".join("".join(map(str, element.itertext())).split())
    return Picture(
        address=f"data:{kind};base64,{base64.b64encode(content).decode()}" if kind else "",
        kind=kind.partition("/")[0],
        alt=alt,
        width=_length(inner.get("width")) or width,
        height=_length(inner.get("height")) or height,
    )


def media_bytes(address: str, media: Mapping[str, bytes]) -> bytes:
    """The bytes behind an address: embedded, or of the package; b"" when it leads anywhere else."""
    embedded = _DATA.fullmatch(address.strip())
    if embedded:
        try:
            return base64.b64decode(embedded[1])
        except ValueError:
            return b""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return b""
    if parts.scheme or parts.netloc or not parts.path:
        return b""
    path = unquote(parts.path)
    for candidate in (address, path, posixpath.normpath(path)):
        if candidate in media:
            return media[candidate]
    return b""


def media_type(content: bytes) -> str:
    """`image/png` and the like, "" for anything that is no picture, sound or film."""
    return next((kind for signature, kind in _SIGNATURES if signature.match(content)), "")


def image_size(content: bytes) -> tuple[float, float]:
    """Width and height of a picture in pixels, (0, 0) when it does not say."""
    kind = media_type(content)
    try:
        if kind == "image/png":
            return _pair(struct.unpack(">II", content[16:24]))
        if kind == "image/gif":
            return _pair(struct.unpack("<HH", content[6:10]))
        if kind == "image/bmp":
            return _pair(struct.unpack("<ii", content[18:26]))
        if kind == "image/jpeg":
            return _jpeg_size(content)
    except struct.error:
        return 0.0, 0.0
    return _svg_size(content) if kind == "image/svg+xml" else (0.0, 0.0)


def _addresses(element: etree._Element) -> Iterator[str]:
    for one in (element, *element.iterchildren("*")):
        for attribute in ("src", "data"):
            if attribute in one.attrib:
                yield one.get(attribute, "")


def _pair(sizes: tuple[int, int]) -> tuple[float, float]:
    return float(sizes[0]), float(abs(sizes[1]))


def _jpeg_size(content: bytes) -> tuple[float, float]:
    place = 2
    while place + 9 < len(content):
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return float(width), float(height)
        place += 2 + max(length, 2)
    return 0.0, 0.0


def _svg_size(content: bytes) -> tuple[float, float]:
    start = content.find(b"<svg")
    opening = content[start : content.find(b">", start)]
    lengths = {name: float(length) for name, length in _SVG_LENGTH.findall(opening) if length.count(b".") <= 1}
    if len(lengths) == 2:
        return lengths[b"width"], lengths[b"height"]
    box = _SVG_BOX.search(opening)
    return (float(box[1]), float(box[2])) if box else (0.0, 0.0)


def _length(text: str | None) -> float:
    number = re.fullmatch(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:px)?\s*", text or "")
    return float(number[1]) if number else 0.0
