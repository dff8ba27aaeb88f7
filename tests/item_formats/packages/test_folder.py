"""Unpacked packages: what the zip holds, and nothing that lies outside the folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from item_formats import ItemError, iter_package, read_package
from item_formats.packages import Limits
from tests.item_formats.packages.test_writing import rich
from tests.item_formats.packages.zips import ONE_ITEM, zip_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def unpacked(folder: Path, members: Mapping[str, bytes] = ONE_ITEM) -> Path:
    for name, content in members.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def codes_of(folder: Path, limits: Limits | None = None) -> set[str]:
    with pytest.raises(ItemError) as caught:
        read_package(folder, limits=limits or Limits())
    return {finding.code for finding in caught.value.findings if finding.severity == "error"}


def test_a_folder_gives_what_its_zip_gives(tmp_path: Path) -> None:
    import zipfile

    packed = rich(tmp_path / "a.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "a")
    assert read_package(tmp_path / "a") == read_package(packed)
    assert [one.document for one in iter_package(tmp_path / "a")] == [one.document for one in iter_package(packed)]


def test_findings_name_the_file_in_the_folder(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bank", {**ONE_ITEM, "items/Q1.xml": b"<broken"})
    with pytest.raises(ItemError) as caught:
        read_package(folder)
    assert caught.value.findings[0].file == f"{folder}/items/Q1.xml"


def test_hidden_files_are_no_part_of_the_package(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bank", {**ONE_ITEM, ".git/config": b"secret", "~$Q1.xml": b"", ".hidden": b"x"})
    read = read_package(folder)
    assert (dict(read.media), read.findings) == ({}, ())


def linked_out(folder: Path) -> None:
    (folder.parent / "secret.xml").write_bytes(ONE_ITEM["items/Q1.xml"])
    (folder / "items" / "Q1.xml").unlink()
    (folder / "items" / "Q1.xml").symlink_to(folder.parent / "secret.xml")


def linked_out_relative(folder: Path) -> None:
    (folder.parent / "secret.png").write_bytes(b"x")
    (folder / "a.png").symlink_to("../secret.png")


def linked_folder(folder: Path) -> None:
    (folder / "more").symlink_to(folder / "items")


def linked_to_itself(folder: Path) -> None:
    (folder / "more").symlink_to(folder / "more")


def linked_nowhere(folder: Path) -> None:
    (folder / "more").symlink_to(folder / "gone")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.xml")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (linked_out, "symlink"),
        (linked_out_relative, "symlink"),
        (linked_folder, "symlink"),
        (linked_to_itself, "symlink"),
        (linked_nowhere, "symlink"),
        (pipe, "special-file"),
    ],
)
def test_links_and_devices_are_refused(tmp_path: Path, change: Callable[[Path], None], code: str) -> None:
    folder = unpacked(tmp_path / "bank")
    change(folder)
    assert codes_of(folder) == {code}


def test_a_link_to_a_file_of_the_folder_is_that_file(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bank")
    (folder / "items" / "Q1.xml").rename(folder / "items" / "real.xml")
    (folder / "items" / "Q1.xml").symlink_to("real.xml")
    assert [item.identifier for item in read_package(folder).items] == ["Q1"]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(members=1), "too-many-members"),
        (Limits(member_bytes=100), "large-member"),
        (Limits(total_bytes=200), "large-package"),
        (Limits(depth=1), "too-deep"),
        (Limits(name_length=4), "long-name"),
    ],
)
def test_limits_are_those_of_a_zip(tmp_path: Path, limits: Limits, code: str) -> None:
    folder = unpacked(tmp_path / "bank")
    assert code in codes_of(folder, limits)
    with pytest.raises(ItemError) as caught:
        read_package(zip_of(ONE_ITEM), limits=limits)
    assert code in {finding.code for finding in caught.value.findings}


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "bank")
    (folder / "bad\x07name").write_bytes(b"")
    (folder / os.fsdecode(b"bad\xff")).write_bytes(b"")
    assert codes_of(folder) == {"bad-name"}


def test_a_document_that_refers_outside_the_folder_is_refused(tmp_path: Path) -> None:
    shown = ONE_ITEM["items/Q1.xml"].replace("<p>甲</p>".encode(), b'<p><img src="../../secret.png" alt=""/></p>')
    assert codes_of(unpacked(tmp_path / "bank", {**ONE_ITEM, "items/Q1.xml": shown})) == {"outside-package"}


def test_a_manifest_that_names_files_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.xml").write_bytes(ONE_ITEM["items/Q1.xml"])
    manifest = ONE_ITEM["imsmanifest.xml"].replace(b"items/Q1.xml", b"../secret.xml")
    assert codes_of(unpacked(tmp_path / "bank", {**ONE_ITEM, "imsmanifest.xml": manifest})) == {"outside-package"}
