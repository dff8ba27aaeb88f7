"""Content packages: complete, consistent, and the same bytes every time."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from item_formats import Item, ItemError, build_test, for_candidate, read_item, write_package
from item_formats.documents import Stimulus, read_stimulus
from item_formats.packages import (
    Metadata,
    QtiMetadata,
    item_statistics,
    read_package,
    save_package,
    usage_data,
)
from item_formats.packages.lom import General, LangString, Lom
from tests.item_formats.documents import capitals, correct, document, multiple, single, true_false
from tests.item_formats.packages.test_reading import old
from tests.item_formats.packages.zips import QTI, item_xml, manifest_xml, resource, zip_of
from tests.shared import shared

if TYPE_CHECKING:
    from pathlib import Path

MOMENT = datetime(2026, 3, 1, 9, 30, 12, tzinfo=UTC)
NAMESPACE = {"cp": "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"}
TEST = build_test("A", "试卷 A", [("TF", "一、判断题", [("Q3", 0.5)]), ("S", "二、选择题", [("Q1", 0.5), ("Q2", 1)])])


def package(path: Path, **changes: object) -> Path:
    usual: dict[str, object] = {
        "identifier": "A",
        "title": "试卷 <A>",
        "items": [single(), multiple(), true_false()],
        "test": TEST,
        "modified": MOMENT,
    }
    write_package(path, **usual | changes)  # type: ignore[arg-type]
    return path


def test_the_package_holds_the_items_and_the_test_as_they_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(package(tmp_path / "a.zip")) as archive:
        assert archive.namelist() == [
            "imsmanifest.xml",
            "items/Q1.xml",
            "items/Q2.xml",
            "items/Q3.xml",
            "tests/A.xml",
        ]
        assert read_item(archive.read("items/Q2.xml")) == multiple()
        assert archive.read("tests/A.xml") == TEST.xml
        assert archive.testzip() is None


def test_the_manifest_names_every_file_and_the_test_depends_on_its_items(tmp_path: Path) -> None:
    with zipfile.ZipFile(package(tmp_path / "a.zip")) as archive:
        manifest = etree.fromstring(archive.read("imsmanifest.xml"))
        files = {file.get("href") for file in manifest.iterfind(".//cp:file", NAMESPACE)}
        assert files == set(archive.namelist()) - {"imsmanifest.xml"}
    resources = {resource.get("identifier"): resource for resource in manifest.iterfind(".//cp:resource", NAMESPACE)}
    assert {name: resource.get("type") for name, resource in resources.items()} == {
        "test-A": "imsqti_test_xmlv3p0",
        "item-Q1": "imsqti_item_xmlv3p0",
        "item-Q2": "imsqti_item_xmlv3p0",
        "item-Q3": "imsqti_item_xmlv3p0",
    }
    needed = [one.get("identifierref") for one in resources["test-A"].iterfind("cp:dependency", NAMESPACE)]
    assert needed == ["item-Q3", "item-Q1", "item-Q2"]


def test_references_of_the_test_lead_to_files_of_the_package(tmp_path: Path) -> None:
    with zipfile.ZipFile(package(tmp_path / "a.zip")) as archive:
        test = etree.fromstring(archive.read("tests/A.xml"))
        targets = {str(one.get("href")) for one in test.iter("{*}qti-assessment-item-ref")}
        assert {target.removeprefix("../") for target in targets} <= set(archive.namelist())


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = package(tmp_path / "1.zip").read_bytes(), package(tmp_path / "2.zip").read_bytes()
    assert first == second
    later = package(tmp_path / "3.zip", modified=MOMENT.replace(year=2027)).read_bytes()
    assert first != later


def test_members_are_dated_by_the_job(tmp_path: Path) -> None:
    with zipfile.ZipFile(package(tmp_path / "a.zip")) as archive:
        assert {member.date_time for member in archive.infolist()} == {(2026, 3, 1, 9, 30, 12)}


def test_a_package_of_candidates_copies_holds_no_key(tmp_path: Path) -> None:
    copies = [for_candidate(item) for item in (single(), multiple(), true_false())]
    with zipfile.ZipFile(package(tmp_path / "a.zip", items=copies)) as archive:
        everything = b"".join(map(archive.read, archive.namelist()))
    assert b"qti-correct-response" not in everything
    assert "图像分类需要带标签的样本".encode() not in everything


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"items": [single(), single(), multiple(), true_false()]}, "duplicate-identifier"),
        ({"items": [single()]}, "missing-item"),
        ({"items": [read_item(document("", identifier="../../etc/passwd"))], "test": None}, "bad-identifier"),
        (
            {
                "items": [read_item(capitals(correct("rome")).replace(b">Rome<", b'><img src="rome.png" alt=""/><'))],
                "test": None,
            },
            "missing-media",
        ),
    ],
)
def test_what_would_make_a_broken_package_is_refused_and_nothing_is_written(
    tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ItemError) as caught:
        package(tmp_path / "a.zip", **changes)
    assert code in {finding.code for finding in caught.value.findings}
    assert list(tmp_path.iterdir()) == []


PICTURE = b"\x89PNG\r\n\x1a\n"
MEDIA = {"images/图 1.png": PICTURE, "css/paper.css": b"p { background: url(../images/%E5%9B%BE%201.png) }"}


def illustrated() -> Item:
    body = '<p><img src="../images/%E5%9B%BE%201.png" alt="甲"/></p>'
    stimulus = b'<qti-assessment-stimulus-ref identifier="S1" href="../stimuli/S1.xml"/>'
    style = b'<qti-stylesheet href="../css/paper.css" type="text/css"/>'
    return read_item(item_xml("Q9", body=body).replace(b"<qti-item-body>", stimulus + style + b"<qti-item-body>"))


def stimulus() -> Stimulus:
    return read_stimulus(
        f'<qti-assessment-stimulus xmlns="{QTI}" identifier="S1" title="材料"><qti-stimulus-body><p>材料</p>'
        "</qti-stimulus-body></qti-assessment-stimulus>".encode()
    )


def rich(path: Path) -> Path:
    metadata = Metadata(
        lom=Lom(general=General(title=(LangString(text="第九题", language="zh-CN"),))),
        qti=QtiMetadata(time_dependent=False, interaction_types=("choiceInteraction",)),
    )
    return package(
        path,
        items=[single(), multiple(), true_false(), illustrated()],
        stimuli=[stimulus()],
        media=MEDIA,
        metadata={"Q9": metadata},
        usage_data=usage_data(item_statistics("Q9", context="urn:example", n=10, p_value=0.5)),
    )


def test_media_stimuli_statistics_and_metadata_go_along_and_come_back(tmp_path: Path) -> None:
    read = read_package(rich(tmp_path / "a.zip"))
    assert read.findings == ()
    assert read.media == MEDIA
    assert read.items == (single(), multiple(), true_false(), illustrated())
    assert read.stimuli == (stimulus(),)
    assert read.tests[0].xml == TEST.xml
    assert read.usage_data[0].of("Q9") == {"n": 10, "pValue": 0.5}
    described = next(one for one in read.resources if one.identifier == "item-Q9")
    assert described.metadata.qti is not None
    assert described.metadata.qti.interaction_types == ("choiceInteraction",)
    assert read.metadata.lom is not None
    assert read.metadata.lom.general is not None
    assert read.metadata.lom.general.title[0].text == "试卷 <A>"


def test_documents_depend_on_what_they_show(tmp_path: Path) -> None:
    read = read_package(rich(tmp_path / "a.zip"))
    paths = {one.identifier: one.path for one in read.resources}
    needed = {one.path: {paths[name] for name in one.dependencies} for one in read.resources}
    assert needed["items/Q9.xml"] == {"stimuli/S1.xml", "css/paper.css", "images/图 1.png"}
    assert needed["css/paper.css"] == {"images/图 1.png"}
    assert needed["tests/A.xml"] == {"items/Q1.xml", "items/Q2.xml", "items/Q3.xml"}
    assert needed["items/Q1.xml"] == set()


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "imsmanifest.xml", "items/Q9.xml", "a//b.png", ""])
def test_media_lie_inside_the_package_and_beside_the_documents(tmp_path: Path, name: str) -> None:
    with pytest.raises(ItemError) as caught:
        package(tmp_path / "a.zip", items=[illustrated()], test=None, media={**MEDIA, name: b""}, stimuli=[stimulus()])
    assert "bad-path" in {finding.code for finding in caught.value.findings}


def test_a_stimulus_that_is_not_given_is_missed(tmp_path: Path) -> None:
    with pytest.raises(ItemError) as caught:
        package(tmp_path / "a.zip", items=[illustrated()], test=None, media=MEDIA)
    assert [finding.code for finding in caught.value.findings] == ["missing-stimulus"]


def test_a_package_that_was_read_is_written_the_same(tmp_path: Path) -> None:
    first = read_package(rich(tmp_path / "a.zip"))
    save_package(tmp_path / "b.zip", first, modified=MOMENT)
    second = read_package(tmp_path / "b.zip")
    assert second == first
    save_package(tmp_path / "c.zip", second, modified=MOMENT)
    assert (tmp_path / "c.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_an_older_package_is_written_as_qti_3_with_everything_it_had(tmp_path: Path) -> None:
    members = old("v2p1", "http://www.imsglobal.org/xsd/imsqti_v2p1")
    lom = (
        b'<metadata><m:lom xmlns:m="http://www.imsglobal.org/xsd/imsmd_v1p2"><m:general><m:title><m:langstring>T'
        b'</m:langstring></m:title></m:general></m:lom><x:own xmlns:x="urn:x">1</x:own></metadata><file '
    )
    members["imsmanifest.xml"] = members["imsmanifest.xml"].replace(b"<file ", lom, 1)
    save_package(tmp_path / "new.zip", read_package(zip_of(members)), modified=MOMENT)
    new = read_package(tmp_path / "new.zip")
    assert new.findings == ()
    entry = new.resources[0]
    assert (entry.identifier, entry.type, entry.path) == ("_1", "imsqti_item_xmlv3p0", "items/old.xml")
    assert entry.files == ("items/old.xml", "items/images/a b.png")
    assert entry.metadata.lom is not None
    assert entry.metadata.lom.general is not None
    assert entry.metadata.lom.general.title == (LangString(text="T"),)
    assert entry.metadata.unknown == (b'<x:own xmlns:x="urn:x">1</x:own>',)
    assert new.items[0].key == "A"
    assert new.media == {"items/images/a b.png": PICTURE}


def test_identifiers_xml_does_not_allow_become_ones_it_does_and_stay_apart(tmp_path: Path) -> None:
    entries = (
        resource("1", "a.xml").replace("</resource>", '<dependency identifierref="_1"/></resource>')
        + resource("_1", "b.xml")
        + resource("题", "c.xml")
    )  # fmt: skip
    members = {f"{name}.xml": item_xml(name) for name in "abc"}
    save_package(
        tmp_path / "a.zip", read_package(zip_of({"imsmanifest.xml": manifest_xml(entries), **members})), modified=MOMENT
    )
    assert [(one.identifier, one.dependencies) for one in read_package(tmp_path / "a.zip").resources] == [
        ("_1_", ("_1",)),
        ("_1", ()),
        ("_", ()),
    ]


def valid_manifest(path: Path) -> bool:
    schema = etree.XMLSchema(etree.parse(str(shared("qti/schemas/qtiv3p0/imsqtiv3p0_imscpv1p2_v1p0.xsd"))))
    with zipfile.ZipFile(path) as archive:
        schema.assertValid(etree.fromstring(archive.read("imsmanifest.xml")))
    return True


def test_manifests_are_valid(tmp_path: Path) -> None:
    assert valid_manifest(rich(tmp_path / "a.zip"))
    assert valid_manifest(package(tmp_path / "plain.zip"))
    members = old("v2p2", "http://www.imsglobal.org/xsd/imsqti_v2p2")
    save_package(tmp_path / "new.zip", read_package(zip_of(members)), modified=MOMENT)
    assert valid_manifest(tmp_path / "new.zip")
