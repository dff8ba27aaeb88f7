"""Where addresses lead: into the package, elsewhere, or out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats.packages.addresses import address_of, folder_of, references_of, resolve, style_addresses
from item_formats.parsing import parse
from tests.item_formats.packages.zips import item_xml


@pytest.mark.parametrize(
    ("address", "base", "kind", "path"),
    [
        ("Q1.xml", "", "inside", "Q1.xml"),
        ("Q1.xml", "items/", "inside", "items/Q1.xml"),
        ("../images/a.png", "items/", "inside", "images/a.png"),
        ("./a.png", "items/", "inside", "items/a.png"),
        ("a%20b.png", "", "inside", "a b.png"),
        ("%E5%9B%BE.png", "", "inside", "图.png"),
        ("图.png", "", "inside", "图.png"),
        ("a.svg#part", "", "inside", "a.svg"),
        ("a.html?x=1", "", "inside", "a.html"),
        ("images\\a.png", "", "inside", "images/a.png"),
        ("../a.png", "", "outside", None),
        ("../../a.png", "items/", "outside", None),
        ("..\\..\\a.png", "items/", "outside", None),
        ("%2e%2e%2fa.png", "", "outside", None),
        ("/etc/passwd", "items/", "outside", None),
        ("C:\\a.png", "", "outside", None),
        ("file:///etc/passwd", "", "outside", None),
        ("http://a.example/b.png", "", "remote", None),
        ("//a.example/b.png", "", "remote", None),
        ("mailto:a@b.example", "", "remote", None),
        ("data:image/png;base64,AA", "", "here", None),
        ("#top", "", "here", None),
        ("", "", "here", None),
    ],
)
def test_addresses_lead_where_they_should(address: str, base: str, kind: str, path: str | None) -> None:
    found = resolve(address, base)
    assert (found.kind, found.path) == (kind, path)


steps = st.text(st.characters(exclude_characters="/\\\x00", exclude_categories=("Cs",)), min_size=1, max_size=8)
paths = st.lists(steps.filter(lambda step: step not in {".", ".."}), min_size=1, max_size=4).map("/".join)


@given(paths, paths)
def test_a_relative_address_leads_back(path: str, document: str) -> None:
    assert resolve(address_of(path, folder_of(document)), folder_of(document)).path == path


@given(st.text(), paths)
def test_no_address_leads_out(address: str, document: str) -> None:
    found = resolve(address, folder_of(document))
    assert found.path is None or not {"", "..", "."} & set(found.path.split("/"))


def test_every_address_of_a_document_is_found() -> None:
    body = (
        '<p><img src="a.png" srcset="b.png 2x, c.png 3x" alt=""/><a href="d.pdf">d</a></p>'
        '<object data="e.mp4" type="video/mp4"/><video poster="f.jpg"><source src="g.mp4"/></video>'
    )
    found = {one.address: one.followed for one in references_of(parse(item_xml(body=body)))}
    assert found == {
        "a.png": False,
        "b.png": False,
        "c.png": False,
        "d.pdf": True,
        "e.mp4": False,
        "f.jpg": False,
        "g.mp4": False,
    }


def test_addresses_of_a_style_sheet_are_found() -> None:
    style = b"""@import 'base.css'; p { background: url("a.png") } @font-face { src: url(b.woff2) }"""
    assert style_addresses(style) == ["base.css", "a.png", "b.woff2"]
