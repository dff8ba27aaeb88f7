"""Packages in: documents of every version, files where the manifest says, and everything odd said aloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from item_formats import Finding, Item, ItemError
from item_formats.packages import Kind, iter_package, open_package, read_package
from tests.item_formats.packages.zips import (
    ONE_ITEM,
    QTI,
    item_xml,
    manifest_xml,
    package,
    paper_xml,
    resource,
    section_xml,
    zip_of,
)

if TYPE_CHECKING:
    from pathlib import Path

STIMULUS = (
    f'<qti-assessment-stimulus xmlns="{QTI}" identifier="S1" title="材料">'
    "<qti-stimulus-body><p>材料</p></qti-stimulus-body></qti-assessment-stimulus>"
).encode()
PICTURE = b"\x89PNG\r\n\x1a\n"
FULL = {
    "imsmanifest.xml": manifest_xml(
        resource("T", "tests/T1.xml", "test")
        + resource("I", "items/Q1.xml")
        + resource("S", "stimuli/S1.xml", "stimulus")
        + resource("P", "images/a.png", "media")
    ),
    "tests/T1.xml": paper_xml("../items/Q1.xml"),
    "items/Q1.xml": item_xml(
        body='<p><img src="../images/a.png" alt="甲"/></p>',
    ).replace(
        b"<qti-item-body>",
        b'<qti-assessment-stimulus-ref identifier="S1" href="../stimuli/S1.xml"/><qti-item-body>',
    ),
    "stimuli/S1.xml": STIMULUS,
    "images/a.png": PICTURE,
}
Q1 = resource("R", "items/Q1.xml")
DANGLING = ONE_ITEM["imsmanifest.xml"].replace(b"</resource>", b'<dependency identifierref="no"/></resource>')
STYLED = manifest_xml(Q1 + resource("C", "a.css", "media"))


def warnings_of(content: bytes) -> dict[str, Finding]:
    return {finding.code: finding for finding in read_package(content).findings}


def errors_of(content: bytes) -> dict[str, Finding]:
    with pytest.raises(ItemError) as caught:
        read_package(content)
    return {finding.code: finding for finding in caught.value.findings if finding.severity == "error"}


def test_a_package_gives_its_documents_media_and_entries() -> None:
    read = read_package(zip_of(FULL))
    assert [item.identifier for item in read.items] == ["Q1"]
    assert [test.identifier for test in read.tests] == ["T1"]
    assert [stimulus.identifier for stimulus in read.stimuli] == ["S1"]
    assert read.media == {"images/a.png": PICTURE}
    assert [(one.identifier, one.kind, one.path) for one in read.resources] == [
        ("T", Kind.TEST, "tests/T1.xml"),
        ("I", Kind.ITEM, "items/Q1.xml"),
        ("S", Kind.STIMULUS, "stimuli/S1.xml"),
        ("P", Kind.CONTENT, "images/a.png"),
    ]
    assert read.findings == ()


def test_documents_come_one_by_one_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zip_of(FULL))
    found = [(one.resource.identifier, one.document) for one in iter_package(path)]
    assert [name for name, _ in found] == ["T", "I", "S"]
    assert isinstance(found[1][1], Item)


def test_an_open_package_reads_files_one_by_one() -> None:
    with open_package(zip_of(FULL)) as opened:
        assert opened.media == ("images/a.png",)
        assert opened.read("images/a.png") == PICTURE


def test_documents_that_outgrow_memory_are_given_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("item_formats.packages.reading._IN_MEMORY", 100)
    assert [one.resource.identifier for one in iter_package(zip_of(FULL))] == ["T", "I", "S"]


def test_one_broken_document_refuses_the_whole_package_before_any_is_given() -> None:
    members = {
        "imsmanifest.xml": manifest_xml(resource("A", "a.xml") + resource("B", "b.xml") + resource("C", "c.xml")),
        "a.xml": item_xml("A"),
        "b.xml": b"<broken",
        "c.xml": item_xml("C").replace(b' identifier="C"', b""),
    }
    given = iter_package(zip_of(members))
    with pytest.raises(ItemError) as caught:
        next(given)
    assert {(finding.code, finding.file) for finding in caught.value.findings} == {
        ("not-xml", "b.xml"),
        ("no-identifier", "c.xml"),
    }


def old(version: str, namespace: str) -> dict[str, bytes]:
    item = (
        f'<assessmentItem xmlns="{namespace}" identifier="OLD" title="t" adaptive="false" timeDependent="false">'
        '<responseDeclaration identifier="RESPONSE" cardinality="single" baseType="identifier">'
        "<correctResponse><value>A</value></correctResponse></responseDeclaration>"
        '<outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"/>'
        '<itemBody><p><img src="images/a%20b.png" alt=""/></p>'
        '<choiceInteraction responseIdentifier="RESPONSE" shuffle="false" maxChoices="1">'
        '<simpleChoice identifier="A">甲</simpleChoice><simpleChoice identifier="B">乙</simpleChoice>'
        "</choiceInteraction></itemBody>"
        '<responseProcessing template="http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct"/>'
        "</assessmentItem>"
    ).encode()
    manifest = (
        f'<manifest xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" identifier="M"><metadata/><organizations/>'
        f'<resources><resource identifier="1" type="imsqti_item_xml{version}" href="items/old.xml">'
        '<file href="items/old.xml"/><file href="items/images/a%20b.png"/></resource></resources></manifest>'
    ).encode()
    return {"imsmanifest.xml": manifest, "items/old.xml": item, "items/images/a b.png": PICTURE}


@pytest.mark.parametrize(
    ("version", "namespace"),
    [
        ("v2p0", "http://www.imsglobal.org/xsd/imsqti_v2p0"),
        ("v2p1", "http://www.imsglobal.org/xsd/imsqti_v2p1"),
        ("v2p2", "http://www.imsglobal.org/xsd/imsqti_v2p2"),
    ],
)
def test_older_packages_are_read_as_qti_3(version: str, namespace: str) -> None:
    read = read_package(zip_of(old(version, namespace)))
    assert read.items[0].key == "A"
    assert read.items[0].xml.startswith(b"<qti-assessment-item")
    assert read.resources[0].version == f"2.{version[-1]}"
    assert read.media == {"items/images/a b.png": PICTURE}
    assert not [finding for finding in read.findings if finding.severity == "error"]


def test_bases_around_an_entry_count() -> None:
    resources = '<resource identifier="R" type="imsqti_item_xmlv3p0" href="Q1.xml" xml:base="b/"><file href="Q1.xml"/>'
    manifest = manifest_xml(f"{resources}</resource>", attributes=' xml:base="a/"')
    assert read_package(zip_of({"imsmanifest.xml": manifest, "a/b/Q1.xml": item_xml()})).items[0].identifier == "Q1"


def test_a_package_zipped_with_its_folder_is_read_and_said_so() -> None:
    content = zip_of({f"bank/{name}": text for name, text in FULL.items()})
    read = read_package(content)
    assert read.items[0].identifier == "Q1"
    assert [finding.code for finding in read.findings] == ["manifest-place"]


@pytest.mark.parametrize(
    ("members", "code", "says"),
    [
        ({"surplus.txt": b"x"}, "surplus-file", "surplus.txt"),
        ({"items/Q1.xml": item_xml(body='<p><img src="no.png" alt=""/></p>')}, "missing-media", "no.png"),
        (
            {"items/Q1.xml": item_xml(body='<p><img src="http://a.example/b.png" alt=""/></p>')},
            "remote-reference",
            "never fetched",
        ),
        (
            {"items/Q1.xml": item_xml(body='<p><img src="B.PNG" alt=""/></p>'), "items/b.png": b"x"},
            "case-mismatch",
            "items/b.png",
        ),
        (
            {"items/Q1.xml": item_xml(body='<p><img src="b.png" alt=""/></p>'), "items/b.png": b"x"},
            "unlisted-file",
            "b.png",
        ),
        ({"imsmanifest.xml": manifest_xml(resource("R", "Items/q1.XML"))}, "case-mismatch", "items/Q1.xml"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "items/Q1.xml", "test"))}, "type-mismatch", "item"),
        (
            {
                "imsmanifest.xml": manifest_xml(Q1 + resource("M", "gone.png", "media"))
            },
            "missing-file",
            "gone.png",
        ),
        (
            {"imsmanifest.xml": STYLED, "a.css": b"p{background:url(b.png)}"},
            "missing-media",
            "b.png",
        ),
        (
            {"imsmanifest.xml": STYLED, "a.css": b"@import 'http://a.example/'"},
            "remote-reference",
            "http://a.example/",
        ),
        ({"imsmanifest.xml": manifest_xml(Q1, namespace="urn:x")}, "wrong-namespace", "urn:x"),
        ({"imsmanifest.xml": DANGLING}, "dangling-dependency", "no"),
        (
            {"imsmanifest.xml": manifest_xml(Q1 + resource("X", "x.bin", "unheard")), "x.bin": b""},
            "unknown-type",
            "unheard",
        ),
        (
            {"imsmanifest.xml": manifest_xml(Q1 + resource("B", "b.xml")), "b.xml": item_xml()},
            "duplicate-identifier",
            "Q1",
        ),
    ],
)  # fmt: skip
def test_what_is_odd_imports_with_a_warning(members: dict[str, bytes], code: str, says: str) -> None:
    found = warnings_of(package(members))
    assert code in found
    assert found[code].severity == "warning"
    assert says in found[code].message


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"imsmanifest.xml": b"<manifest><resources/>"}, "not-xml"),
        ({"imsmanifest.xml": b""}, "not-xml"),
        ({"imsmanifest.xml": b"<html/>"}, "not-a-manifest"),
        ({"imsmanifest.xml": b'<!DOCTYPE m [<!ENTITY a "b">]>' + ONE_ITEM["imsmanifest.xml"]}, "doctype"),
        ({"imsmanifest.xml": manifest_xml("<a>" * 400 + "</a>" * 400)}, "too-deep"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "items/gone.xml"))}, "missing-file"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "../items/Q1.xml"))}, "outside-package"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "file:///etc/passwd"))}, "outside-package"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "%2e%2e/%2e%2e/etc/passwd"))}, "outside-package"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "C:\\items\\Q1.xml"))}, "outside-package"),
        ({"imsmanifest.xml": manifest_xml(resource("R", "items/Q1.xml") * 2)}, "duplicate-identifier"),
        ({"items/Q1.xml": item_xml(body='<p><img src="../../x.png" alt=""/></p>')}, "outside-package"),
        ({"items/Q1.xml": item_xml(body='<object data="file:///etc/passwd" type="text/plain"/>')}, "outside-package"),
        ({"items/Q1.xml": b"<p xmlns='http://www.w3.org/1999/xhtml'/>"}, "not-a-document"),
        ({"items/Q1.xml": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'}, "doctype"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(members: dict[str, bytes], code: str) -> None:
    assert code in errors_of(package(members))


def test_a_test_whose_item_is_not_there_is_refused() -> None:
    members = {name: content for name, content in FULL.items() if name != "items/Q1.xml"}
    members["imsmanifest.xml"] = manifest_xml(resource("T", "tests/T1.xml", "test"))
    assert errors_of(zip_of(members))["missing-item"].item == "T1"


def test_an_item_that_only_the_test_names_is_read_and_said_so() -> None:
    members = {
        "imsmanifest.xml": manifest_xml(resource("T", "T1.xml", "test")),
        "T1.xml": paper_xml("Q1.xml"),
        "Q1.xml": item_xml(),
    }
    read = read_package(zip_of(members))
    assert [item.identifier for item in read.items] == ["Q1"]
    assert [finding.code for finding in read.findings] == ["unlisted-file"]
    assert read.media == {}


def test_sections_that_contain_each_other_are_refused() -> None:
    names = {"a.xml": ("b.xml",), "b.xml": ("c.xml",), "c.xml": ("a.xml",), "d.xml": ("a.xml",)}
    entries = "".join(resource(name[0], name, "section") for name in names)
    members = {name: section_xml(name[0].upper(), *inside) for name, inside in names.items()}
    found = errors_of(zip_of({"imsmanifest.xml": manifest_xml(entries), **members}))
    assert "a.xml → b.xml → c.xml → a.xml" in found["cyclic-sections"].message


def test_sections_used_in_several_places_are_no_circle() -> None:
    names = {f"s{depth}.xml": (f"s{depth + 1}.xml", f"t{depth + 1}.xml") for depth in range(30)}
    names |= {f"t{depth}.xml": (f"s{depth + 1}.xml", f"t{depth + 1}.xml") for depth in range(1, 30)}
    names |= {"s30.xml": (), "t30.xml": ()}
    entries = "".join(resource(name.partition(".")[0], name, "section") for name in names)
    members = {
        name: section_xml(name.partition(".")[0], *(inside)).replace(b'identifier="rs"', b'identifier="ra"')
        for name, inside in names.items()
    }
    read = read_package(zip_of({"imsmanifest.xml": manifest_xml(entries), **members}))  # 2**30 ways through it
    assert len(read.sections) == 61


def test_a_document_that_leads_nowhere_a_thousand_times_is_not_followed_for_ever() -> None:
    pictures = "".join(f'<img src="{place}.png" alt=""/>' for place in range(5000))
    with pytest.raises(ItemError) as caught:
        read_package(package({"items/Q1.xml": item_xml(body=f"<p>{pictures}</p>")}))
    assert caught.value.findings[0].code == "too-many-findings"
    assert len(caught.value.findings) == 201


def test_a_manifest_larger_than_any_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("item_formats.packages.reading.MAX_MANIFEST_BYTES", 300)
    assert set(errors_of(package())) == {"too-large"}


def test_qti_1_is_kept_and_said_to_be_so() -> None:
    manifest = ONE_ITEM["imsmanifest.xml"].replace(
        b"</resources>", b'<resource identifier="O" type="imsqti_xmlv1p2"><file href="o.xml"/></resource></resources>'
    )
    read = read_package(package({"imsmanifest.xml": manifest, "o.xml": b"<questestinterop/>"}))
    assert read.media == {"o.xml": b"<questestinterop/>"}
    assert [finding.code for finding in read.findings] == ["qti-version"]


def test_a_large_manifest_is_read_entry_by_entry() -> None:
    entries = "".join(resource(f"R{place}", f"items/Q{place}.xml") for place in range(3000))
    members = {f"items/Q{place}.xml": item_xml(f"Q{place}") for place in range(3000)}
    read = read_package(zip_of({"imsmanifest.xml": manifest_xml(entries), **members}))
    assert [item.identifier for item in read.items] == [f"Q{place}" for place in range(3000)]
