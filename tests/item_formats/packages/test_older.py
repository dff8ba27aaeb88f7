"""Packages in QTI 2.2 and 2.1: valid in their words, the same again when they are read, and losses are named."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from item_formats import read_item, read_stimulus
from item_formats.packages import Kind, Metadata, QtiMetadata, read_package, save_package
from item_formats.packages.older import Older
from tests.item_formats.documents import multiple, single, true_false
from tests.item_formats.fixtures import fixture
from tests.item_formats.packages.test_writing import MEDIA, MOMENT, PICTURE, package, rich
from tests.item_formats.packages.zips import QTI, item_xml

if TYPE_CHECKING:
    from pathlib import Path

    from item_formats.packages import Package

CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"


def older(source: Path, to: Older) -> Path:
    written = source.with_name(f"{to}.zip")
    save_package(written, read_package(source), modified=MOMENT, to=to)
    return written


def manifest_of(path: Path) -> etree._Element:
    with zipfile.ZipFile(path) as archive:
        return etree.fromstring(archive.read("imsmanifest.xml"))


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("to", ["qti22", "qti21"])
def test_a_package_of_items_and_a_test_comes_back_with_every_byte_of_its_files(tmp_path: Path, to: Older) -> None:
    first = package(tmp_path / "a.zip")
    written = older(first, to)
    save_package(tmp_path / "b.zip", read_package(written), modified=MOMENT)
    assert members_of(tmp_path / "b.zip") == members_of(first)


@pytest.mark.parametrize(("to", "year"), [("qti22", "2.2"), ("qti21", "2.1")])
def test_every_part_is_in_the_words_of_the_version(tmp_path: Path, to: Older, year: str) -> None:
    written = older(package(tmp_path / "a.zip"), to)
    root = manifest_of(written)
    word = f"v{year.replace('.', 'p')}"
    assert root.tag == f"{CP}manifest"
    assert root.findtext(f"{CP}metadata/{CP}schema") == f"QTIv{year} Package"
    assert root.findtext(f"{CP}metadata/{CP}schemaversion") == "1.0.0"
    types = {one.get("identifier"): one.get("type") for one in root.iter(f"{CP}resource")}
    assert types == {
        "test-A": f"imsqti_test_xml{word}",
        **{f"item-Q{number}": f"imsqti_item_xml{word}" for number in (1, 2, 3)},
    }
    with zipfile.ZipFile(written) as archive:
        spaces = {etree.QName(etree.fromstring(archive.read(name))).namespace for name in archive.namelist()[1:]}
    assert spaces == {f"http://www.imsglobal.org/xsd/imsqti_{word}"}


def described(read: Package) -> dict[str | None, object]:
    """What the manifest says, but for the types of files that are no documents."""
    return {
        one.path: (one.identifier, one.files, one.dependencies, one.metadata, one.kind in {Kind.STYLE, Kind.CONTENT})
        for one in read.resources
    }


def test_a_rich_package_comes_back_from_2_2_with_media_metadata_dependencies_and_statistics(tmp_path: Path) -> None:
    first = read_package(rich(tmp_path / "a.zip"))
    findings = save_package(tmp_path / "old.zip", first, modified=MOMENT, to="qti22")
    assert findings == ()
    second = read_package(tmp_path / "old.zip")
    assert second.findings == ()
    assert [one.document for one in second.documents] == [one.document for one in first.documents]
    assert second.media == first.media == MEDIA
    assert described(second) == described(first)
    assert second.metadata == first.metadata
    types = {one.path: one.type for one in second.resources}
    assert types["stimuli/S1.xml"] == "imsqti_stimulus_xmlv2p2"
    assert types["usage_data.xml"] == "imsqti_usagedata_xmlv2p2"
    assert types["css/paper.css"] == types["images/图 1.png"] == "webcontent"
    namespaces = {str(one.tag).partition("}")[0] for one in manifest_of(tmp_path / "old.zip").iter("*")}
    assert namespaces == {
        "{http://www.imsglobal.org/xsd/imscp_v1p1",
        "{http://www.imsglobal.org/xsd/imsqti_metadata_v2p2",
        "{http://ltsc.ieee.org/xsd/LOM",
    }


def test_2_1_has_the_stimulus_in_the_items_and_the_manifest_what_it_needs(tmp_path: Path) -> None:
    stimulus = (
        f'<qti-assessment-stimulus xmlns="{QTI}" identifier="S1" title="材料"><qti-stimulus-body class="wide">'
        '<p>材料<img src="plan.png" alt="p"/></p></qti-stimulus-body></qti-assessment-stimulus>'
    ).encode()
    metadata = Metadata(qti=QtiMetadata(time_dependent=False, scoring_modes=("human",)))
    first = rich(tmp_path / "a.zip")
    read = read_package(first)
    package(
        first,
        items=read.items,
        stimuli=[read_stimulus(stimulus)],
        media={**MEDIA, "stimuli/plan.png": PICTURE},
        metadata={"Q9": metadata},
        usage_data=read.usage_data[0],
    )
    findings = save_package(tmp_path / "old.zip", read_package(first), modified=MOMENT, to="qti21")
    assert {(one.code, one.file) for one in findings} == {
        ("not-in-qti-2", "stimuli/S1.xml"),
        ("not-in-qti-2", "usage_data.xml"),
        ("not-in-qti-2", "items/Q9.xml"),  # scoringMode
        ("stimulus-copied", "items/Q9.xml"),
    }
    old = read_package(tmp_path / "old.zip")
    assert old.findings == ()
    assert (old.stimuli, old.usage_data) == ((), ())
    assert old.items[:3] == (single(), multiple(), true_false())
    body = etree.tostring(old.items[3].body, encoding="unicode")  # type: ignore[arg-type]
    assert 'class="stimulus wide"><p>材料<img alt="p" src="../stimuli/plan.png"/></p></div><p><img' in body
    needed = next(one for one in old.resources if one.identifier == "item-Q9").dependencies
    paths = {one.identifier: one.path for one in old.resources}
    assert {paths[one] for one in needed} == {"stimuli/plan.png", "css/paper.css", "images/图 1.png"}


def test_what_an_item_loses_is_named_with_its_file(tmp_path: Path) -> None:
    lost = read_item(
        item_xml("Q1").replace(
            b"</qti-item-body>", b'</qti-item-body><qti-catalog-info><qti-catalog id="c"/></qti-catalog-info>'
        )
    )
    package(tmp_path / "a.zip", items=[lost], test=None)
    findings = save_package(tmp_path / "b.zip", read_package(tmp_path / "a.zip"), modified=MOMENT, to="qti22")
    assert [(one.code, one.file, one.severity) for one in findings] == [("not-in-qti-2", "items/Q1.xml", "warning")]


def test_interactions_survive_a_package_of_2_2(tmp_path: Path) -> None:
    names = ("choice", "match", "order", "hottext", "inline_choice", "text_entry", "extended_text", "slider", "upload")
    items = [read_item(fixture(f"interactions/{name}.xml")) for name in names]
    package(tmp_path / "a.zip", items=items, test=None)
    assert read_package(older(tmp_path / "a.zip", "qti22")).items == tuple(items)


def test_organizations_are_in_the_namespace_of_their_manifest(tmp_path: Path) -> None:
    read = read_package(package(tmp_path / "a.zip"))
    organized = (
        b'<organizations xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" default="o">'
        b'<organization identifier="o"></organization></organizations>'
    )
    read = replace(read, manifest=replace(read.manifest, organizations=organized))
    save_package(tmp_path / "b.zip", read, modified=MOMENT, to="qti22")
    assert manifest_of(tmp_path / "b.zip").find(f"{CP}organizations/{CP}organization") is not None
