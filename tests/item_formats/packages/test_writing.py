"""Content packages: complete, consistent, and the same bytes every time."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from item_formats import ItemError, build_test, for_candidate, read_item, write_package
from tests.item_formats.documents import capitals, correct, document, multiple, single, true_false

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
