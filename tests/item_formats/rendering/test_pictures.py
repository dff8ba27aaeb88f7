"""Pictures and sounds by what they are, not by what they are called."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats.parsing import QTI
from item_formats.rendering.pictures import image_size, media_bytes, media_type, picture_of

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 40, 30)
GIF = b"GIF89a" + struct.pack("<HH", 7, 5)
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 20, 50) + b"\0" * 8
SVG = b'<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"/>'


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (PNG, "image/png", (40, 30)),
        (GIF, "image/gif", (7, 5)),
        (JPEG, "image/jpeg", (50, 20)),
        (SVG, "image/svg+xml", (120, 80)),
        (b'<svg viewBox="0 0 30 20">', "image/svg+xml", (30, 20)),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp", (0, 0)),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav", (0, 0)),
        (b"ID3\x04", "audio/mpeg", (0, 0)),
        (b"\0\0\0\x18ftypisom", "video/mp4", (0, 0)),
        (b"<html><script>", "", (0, 0)),
        (b"%PDF-1.7", "", (0, 0)),
        (b"", "", (0, 0)),
    ],
)
def test_files_are_known_by_their_first_bytes(content: bytes, kind: str, size: tuple[float, float]) -> None:
    assert media_type(content) == kind
    assert image_size(content) == size


@given(st.sampled_from([PNG, GIF, JPEG, SVG]), st.data())
def test_broken_pictures_have_no_size_and_raise_nothing(content: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(content)))
    width, height = image_size(content[:cut] + data.draw(st.binary(max_size=8)))
    assert width >= 0
    assert height >= 0


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("images/a.png", PNG),
        ("./images/a.png", PNG),
        ("x/../images/a.png", PNG),
        ("images/%E5%9B%BE.png", GIF),
        ("images/a.png#part", PNG),
        ("images/b.png", b""),
        ("http://host/images/a.png", b""),
        ("//host/images/a.png", b""),
        ("file:///images/a.png", b""),
        ("http://[", b""),
        ("", b""),
        (f"data:image/png;base64,{base64.b64encode(PNG).decode()}", PNG),
        (f"data:text/html;base64,{base64.b64encode(PNG).decode()}", b""),
        ("data:image/png;base64,A", b""),
    ],
)
def test_addresses_lead_into_the_package_or_nowhere(address: str, found: bytes) -> None:
    assert media_bytes(address, {"images/a.png": PNG, "images/图.png": GIF}) == found


@pytest.mark.parametrize(
    ("markup", "address", "alt", "size"),
    [
        ("<img src='a.png' alt='x' width='80' height='60'/>", "data:image/png", "x", (80, 60)),
        ("<img src='a.png' alt='x'/>", "data:image/png", "x", (40, 30)),
        ("<object data='a.png' type='image/png' width='9px'>told</object>", "data:image/png", "told", (9, 30)),
        ("<picture><source src='gone.webp'/><img src='a.png' alt='x'/></picture>", "data:image/png", "x", (40, 30)),
        ("<img src='page.png' alt='no picture'/>", "", "no picture", (0, 0)),
    ],
)
def test_every_way_to_show_a_picture(markup: str, address: str, alt: str, size: tuple[float, float]) -> None:
    element = etree.fromstring(f'<x xmlns="{QTI}">{markup}</x>')[0]
    picture = picture_of(element, {"a.png": PNG, "page.png": b"<html>"})
    assert picture.address.startswith(address)
    assert bool(picture.address) == bool(address)
    assert (picture.alt, (picture.width, picture.height)) == (alt, size)
