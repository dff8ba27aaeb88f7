"""A zip from anywhere: whatever is wrong with it has a code of its own, and nothing of it is read."""

from __future__ import annotations

import io
import random
import stat
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

import pytest

from item_formats import ItemError
from item_formats.packages import Limits, read_package
from item_formats.packages.archive import Archive
from tests.item_formats.packages.zips import ONE_ITEM, package, zip_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def codes_of(content: bytes, limits: Limits | None = None) -> set[str]:
    with pytest.raises(ItemError) as caught:
        read_package(content, limits=limits or Limits())
    return {finding.code for finding in caught.value.findings if finding.severity == "error"}


def named(name: str) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of duplicate names
        return zip_of(ONE_ITEM | {name: b"x"})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/etc/passwd", "absolute-path"),
        ("\\\\server\\share", "absolute-path"),
        ("C:/windows/system.ini", "drive-letter"),
        ("c:evil", "drive-letter"),
        ("../outside.xml", "outside-package"),
        ("items/../../outside.xml", "outside-package"),
        ("items\\..\\..\\outside.xml", "outside-package"),
        ("items/bad\x07name.xml", "bad-name"),
        ("/".join("abcdefghijklmnopq"), "too-deep"),
        ("x" * 300, "long-name"),
        ("ITEMS/q1.XML", "case-clash"),
        ("Items/Q1.xml", "case-clash"),
    ],
)
def test_names_that_lead_elsewhere_or_clash_are_refused(name: str, code: str) -> None:
    assert codes_of(named(name)) == {code}


def test_a_name_with_a_null_byte_is_refused() -> None:
    assert codes_of(named("itemsZQ2.xml").replace(b"itemsZQ2.xml", b"items\x00Q2.xml")) == {"bad-name"}


def test_two_members_of_one_name_are_refused() -> None:
    content = zip_of(ONE_ITEM | {"items/Q2.xml": b"x"}).replace(b"items/Q2.xml", b"items/Q1.xml")
    assert codes_of(content) == {"duplicate-member"}


def test_accents_composed_and_apart_are_one_name() -> None:
    assert codes_of(zip_of(ONE_ITEM | {"caf\u00e9": b"1", "cafe\u0301": b"2"})) == {"case-clash"}


def mode(kind: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(member: zipfile.ZipInfo) -> None:
        member.create_system = 3
        if member.filename == "link":
            member.external_attr = (kind | 0o777) << 16

    return change


@pytest.mark.parametrize(
    ("kind", "code"), [(stat.S_IFLNK, "symlink"), (stat.S_IFIFO, "special-file"), (stat.S_IFCHR, "special-file")]
)
def test_links_and_devices_are_refused(kind: int, code: str) -> None:
    assert codes_of(zip_of(ONE_ITEM | {"link": b"/etc/passwd"}, mode(kind))) == {code}


def central_changed(content: bytes, name: bytes, offset: int, form: str, value: int) -> bytes:
    """The zip with one number of a member's entry in the directory changed."""
    place = content.rindex(name) - 46
    assert content[place : place + 4] == b"PK\x01\x02"
    changed = bytearray(content)
    struct.pack_into(form, changed, place + offset, value)
    return bytes(changed)


def test_encrypted_members_are_refused() -> None:
    assert codes_of(central_changed(package(), b"items/Q1.xml", 8, "<H", 1)) == {"encrypted"}


def test_compression_that_packages_do_not_have_is_refused() -> None:
    assert codes_of(zip_of(ONE_ITEM, compression=zipfile.ZIP_BZIP2)) == {"compression"}
    assert codes_of(central_changed(package(), b"items/Q1.xml", 10, "<H", 99)) == {"compression"}


def test_a_wrong_checksum_is_told_from_other_damage() -> None:
    assert codes_of(central_changed(package(), b"items/Q1.xml", 16, "<L", 12345)) == {"wrong-crc"}
    whole = package()
    stream = whole.index(b"items/Q1.xml") + len("items/Q1.xml")
    broken = whole[:stream] + b"\xff" * 20 + whole[stream + 20 :]
    assert codes_of(broken) == {"damaged-member"}


def test_a_member_longer_than_the_directory_says_is_refused() -> None:
    whole = package()
    member = zipfile.ZipFile(io.BytesIO(whole)).getinfo("items/Q1.xml")
    assert codes_of(central_changed(whole, b"items/Q1.xml", 24, "<L", member.file_size + 5)) & {
        "wrong-size",
        "damaged-member",
    }
    assert codes_of(central_changed(whole, b"items/Q1.xml", 24, "<L", member.file_size - 5)) & {
        "wrong-size",
        "wrong-crc",
    }


@pytest.mark.parametrize("kept", [4, 30, 100, 0.5, 0.9, -1])
def test_a_truncated_zip_is_called_so(kept: float) -> None:
    whole = package()
    length = int(len(whole) * kept) if 0 < kept < 1 else int(kept)
    assert codes_of(whole[:length]) == {"truncated"}


@pytest.mark.parametrize("content", [b"", b"PK", b"<manifest/>", b"\x00" * 1000, b"Rar!\x1a\x07\x00"])
def test_what_is_no_zip_is_called_so(content: bytes) -> None:
    assert codes_of(content) == {"not-a-zip"}


def test_an_empty_zip_has_no_manifest() -> None:
    assert codes_of(zip_of({})) == {"no-manifest"}


def test_a_member_that_grows_beyond_measure_is_refused_unread() -> None:
    bomb = zip_of(ONE_ITEM | {"zeros.bin": bytes(20_000_000)})
    assert len(bomb) < 100_000
    assert codes_of(bomb) == {"ratio"}


def test_a_lie_about_the_size_cannot_make_a_member_grow() -> None:
    bomb = zip_of(ONE_ITEM | {"zeros.bin": bytes(20_000_000)})
    small = central_changed(bomb, b"zeros.bin", 24, "<L", 1000)
    assert codes_of(small) & {"wrong-size", "wrong-crc", "damaged-member"}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(members=1), "too-many-members"),
        (Limits(member_bytes=100), "large-member"),
        (Limits(total_bytes=500), "large-package"),
        (Limits(depth=1), "too-deep"),
        (Limits(name_length=10), "long-name"),
    ],
)
def test_every_limit_has_its_own_code(limits: Limits, code: str) -> None:
    assert code in codes_of(package(), limits)


def test_members_that_share_their_bytes_are_refused() -> None:
    """The way a zip of 40 kB holds 5 GB (Fifield, 2019): many entries for one compressed stream."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(900_000))
        for name in "bcd":
            twin = zipfile.ZipInfo(name)
            first = archive.getinfo("a")
            for attribute in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(twin, attribute, getattr(first, attribute))
            archive.filelist.append(twin)
            archive.NameToInfo[name] = twin
    assert codes_of(buffer.getvalue()) == {"overlap"}


def test_a_zip_in_the_zip_is_never_opened() -> None:
    inner = package()
    assert codes_of(package({"inner.zip": inner})) == {"nested-zip"}


def test_files_of_operating_systems_are_left_out() -> None:
    read = read_package(package({"__MACOSX/items/._Q1.xml": b"x", ".DS_Store": b"x", "items/Thumbs.db": b"x"}))
    assert read.media == {}
    assert read.findings == ()


def test_names_from_a_chinese_windows_are_read_as_written() -> None:
    """Windows writes zip names in GB 18030 without saying so."""
    placeholder = b"t" * len("图片/题一.png".encode("gb18030"))
    content = zip_of(ONE_ITEM | {placeholder.decode(): b"png"})
    content = content.replace(placeholder, "图片/题一.png".encode("gb18030"))
    read = read_package(content)
    assert read.media == {"图片/题一.png": b"png"}
    assert "name-encoding" in {finding.code for finding in read.findings}


def test_backslashes_are_folders_and_said_so() -> None:
    members = {"imsmanifest.xml": ONE_ITEM["imsmanifest.xml"], "items\\Q1.xml": ONE_ITEM["items/Q1.xml"]}
    read = read_package(zip_of(members))
    assert [item.identifier for item in read.items] == ["Q1"]
    assert {finding.code for finding in read.findings} == {"backslash"}


def test_findings_name_the_package_and_the_member(tmp_path: Path) -> None:
    path = tmp_path / "bank.zip"
    path.write_bytes(package({"items/Q1.xml": b"<broken"}))
    with pytest.raises(ItemError) as caught:
        read_package(path)
    assert caught.value.findings[0].file == f"{path}/items/Q1.xml"


def test_an_archive_reads_a_member_as_it_was_put_in() -> None:
    content = random.Random(1).randbytes(1_500_000)  # noqa: S311 - more than one chunk
    with Archive(package({"data.bin": content})) as archive:
        assert archive.read("data.bin") == content
        assert archive.verify("data.bin") == content[:64]
