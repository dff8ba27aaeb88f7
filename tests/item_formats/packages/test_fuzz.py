"""Packages and reports changed in thousands of ways: findings or a result, never a traceback, never half a package."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError
from item_formats.packages import (
    Limits,
    check_result,
    item_statistics,
    iter_package,
    read_package,
    read_result,
    read_usage_data,
    save_package,
    usage_data,
    write_result,
    write_usage_data,
)
from item_formats.packages.records import fragment
from tests.item_formats.packages.test_reading import FULL, PICTURE, old
from tests.item_formats.packages.test_results import report
from tests.item_formats.packages.zips import manifest_xml, resource, zip_of

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits(members=50, member_bytes=1_000_000, total_bytes=5_000_000)
LOM = (
    '<metadata><lom xmlns="http://ltsc.ieee.org/xsd/LOM"><general><title><string language="zh">题</string></title>'
    "</general></lom></metadata>"
)
MEMBERS = {
    **FULL,
    "imsmanifest.xml": manifest_xml(
        resource("T", "tests/T1.xml", "test", inside=LOM)
        + resource("I", "items/Q1.xml")
        + resource("S", "stimuli/S1.xml", "stimulus")
        + resource("P", "images/a.png", "media")
        + resource("U", "usage.xml", "usage")
    ),
    "usage.xml": write_usage_data(usage_data(item_statistics("Q1", context="c", n=1, a=1.0, choices={"A": 1.0}))),
}
OLD = old("v2p1", "http://www.imsglobal.org/xsd/imsqti_v2p1")
REPORT = write_result(report(), correct_responses=True)

# What attackers, broken programs and editors put into documents.
NASTY = [
    b"",
    b"..",
    b"../../../etc/passwd",
    b"C:\\x",
    b"file:///etc/passwd",
    b"http://a.example/",
    b"%00",
    b"%2e%2e/",
    b"\x00",
    b"\xff\xfe",
    b"\xc3\x28",
    b"&#0;",
    b"&#x110000;",
    b"&amp;",
    b"&xxe;",
    b"<",
    b">",
    b"]]>",
    b"<!--",
    b"<?xml version='1.1'?>",
    b"<!DOCTYPE a>",
    b"<a xmlns='relative'/>",
    b"xmlns:x=''",
    b' xmlns=""',
    b"-1",
    b"NaN",
    b"1e999",
    b"9" * 400,
    b"A" * 3000,
    "；，。".encode(),
    "\u202e".encode(),
    b"imsqti_item_xmlv9p9",
    b"imsqti_test_xmlv2p1",
    b"webcontent",
    b"<a>" * 300,
    b"identifier",
    b'" href="',
    b"xml:base='../'",
]


@st.composite
def changed(draw: st.DrawFn, content: bytes, most: int = 4) -> bytes:
    """The bytes with a few places overwritten, taken out, doubled, cut off, or filled with something nasty."""
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        how = draw(st.sampled_from(["nasty", "bytes", "out", "twice", "cut", "swap"]))
        if how == "nasty":
            content = content[:start] + draw(st.sampled_from(NASTY)) + content[end:]
        elif how == "bytes":
            content = content[:start] + draw(st.binary(min_size=1, max_size=8)) + content[end:]
        elif how == "out":
            content = content[:start] + content[end:]
        elif how == "twice":
            content = content[:end] + content[start:]
        elif how == "cut":
            content = content[:start]
        else:
            other = draw(st.integers(0, len(content)))
            content = content[:start] + content[other : other + 40] + content[end:]
    return content


@st.composite
def changed_texts(draw: st.DrawFn, content: bytes) -> bytes:
    """The document still well-formed as far as it goes: an attribute value or a text replaced."""
    quotes = [place for place, byte in enumerate(content) if byte in b'"><']
    start, end = sorted(draw(st.lists(st.sampled_from(quotes), min_size=2, max_size=2, unique=True)))
    if end - start > 200:
        end = next(place for place in quotes if place > start)
    return content[: start + 1] + draw(st.sampled_from(NASTY)) + content[end:]


Result = TypeVar("Result")


def refused(act: Callable[[], Result]) -> Result | None:
    """What the act gives; None when it was refused, for reasons that are told."""
    try:
        return act()
    except ItemError as error:
        findings = error.findings
    assert any(finding.severity == "error" for finding in findings)
    assert all(finding.code and finding.message for finding in findings)
    return None


def survives(content: bytes) -> None:
    """Reading gives a package that can be written, or findings; streaming gives the same, or nothing at all."""
    package = refused(lambda: read_package(content, limits=LIMITS))
    stream = iter_package(content, limits=LIMITS)
    first = refused(lambda: next(stream, None))
    if package is None:
        assert first is None
        return
    rest = tuple(stream)
    assert ((first, *rest) if first is not None else ()) == package.documents
    assert all(one.metadata is not None for one in package.resources)
    with tempfile.TemporaryDirectory() as folder:
        refused(lambda: save_package(Path(folder) / "again.zip", package, modified=MOMENT))


def read_and_write_result(content: bytes) -> None:
    result = read_result(content)
    check_result(result)
    root = etree.fromstring(write_result(result))
    assert next(root.iter("{*}correctResponse"), None) is None


MUTATED_ZIPS = st.sampled_from([zip_of(MEMBERS), zip_of(OLD), zip_of(MEMBERS, compression=0)]).flatmap(changed)


@st.composite
def mutated_members(draw: st.DrawFn) -> bytes:
    members = dict(draw(st.sampled_from([MEMBERS, OLD])))
    name = draw(st.sampled_from(sorted(name for name in members if name.endswith(".xml"))))
    members[name] = draw(changed(members[name]) | changed_texts(members[name]))
    return zip_of(members)


@st.composite
def mutated_names(draw: st.DrawFn) -> bytes:
    members = dict(MEMBERS)
    name = draw(st.sampled_from(sorted(members)))
    new = draw(changed(name.encode(), 2).map(lambda name: name.decode("utf-8", "replace")[:300]))
    members[new or "x"] = members.pop(name)
    return zip_of(members)


def survives_as_report(content: bytes) -> None:
    refused(lambda: read_and_write_result(content))


def survives_as_statistics(content: bytes) -> None:
    refused(lambda: write_usage_data(read_usage_data(content)))


USAGE = MEMBERS["usage.xml"]
CASES: dict[str, tuple[st.SearchStrategy[bytes], Callable[[bytes], None]]] = {
    "zips": (MUTATED_ZIPS, survives),
    "documents": (mutated_members(), survives),
    "names": (mutated_names(), survives),
    "reports": (changed(REPORT) | changed_texts(REPORT), survives_as_report),
    "statistics": (changed(USAGE) | changed_texts(USAGE), survives_as_statistics),
}


def run(name: str, examples: int) -> None:
    content, check = CASES[name]
    settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(given(content)(check))()


@pytest.mark.parametrize("name", CASES)
def test_hundreds_of_changes(name: str) -> None:
    run(name, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_thousands_of_changes(name: str) -> None:
    run(name, 20_000)


def test_the_unchanged_package_is_read() -> None:
    read = read_package(zip_of(MEMBERS))
    assert (len(read.items), len(read.tests), len(read.usage_data), read.media) == (1, 1, 1, {"images/a.png": PICTURE})
    survives(zip_of(MEMBERS))
    survives(zip_of(OLD))


def test_a_namespace_with_an_ampersand_is_kept_and_read_again() -> None:
    """Found by the thousands of changes: metadata of such a manifest could not be read."""
    name = b'"http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"'
    manifest = MEMBERS["imsmanifest.xml"].replace(name, name.replace(b"imsglobal", b"ims&amp;global"))
    assert manifest != MEMBERS["imsmanifest.xml"]
    survives(zip_of({**MEMBERS, "imsmanifest.xml": manifest}))
    kept = fragment(etree.fromstring(b'<a xmlns="urn:a?b&amp;c"/>'))
    assert kept == b'<a xmlns="urn:a?b&amp;c"></a>'
