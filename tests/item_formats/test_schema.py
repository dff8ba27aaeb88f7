"""What is written validates against the QTI 3 schemas, where a copy of them lies beside the checkout."""

from __future__ import annotations

import functools
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from lxml import etree

from item_formats import CandidateProfile, build_test, choice_item, for_candidate, read_item, validate, write_package
from tests.item_formats.documents import capitals, correct, mapping, multiple, single, true_false, written_items
from tests.shared import shared

if TYPE_CHECKING:
    from item_formats import Item

SCHEMAS = shared("qti/schemas/qtiv3p0")
ITEMS, PACKAGE = "imsqti_asiv3p0_sbacv1p0_v1p0.xsd", "imsqtiv3p0_imscpv1p2_v1p0.xsd"


@functools.cache
def schema(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / name)))


def valid(xml: bytes, name: str = ITEMS) -> bool:
    schema(name).assertValid(etree.fromstring(xml))
    return True


OURS = [single(), multiple(), true_false(), single(rationale=None), single(stem="甲\n\n乙（ ）", title='"<&>')]


@pytest.mark.parametrize("item", OURS, ids=lambda item: item.digest[:8])
def test_choice_items_are_valid(item: Item) -> None:
    assert valid(item.xml)


@pytest.mark.parametrize("item", [*OURS, read_item(capitals(correct("rome") + mapping({"rome": 1})))], ids=repr)
@pytest.mark.parametrize("shown", [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("extra", [False, True])
def test_candidates_copies_are_valid(item: Item, shown: tuple[bool, bool], extra: bool) -> None:
    profile = CandidateProfile(stem=shown[0], options=shown[1], key=extra, rationale=extra, marking_table=extra)
    assert valid(for_candidate(item, profile).xml)


def test_an_invalid_document_would_be_noticed() -> None:
    with pytest.raises(etree.DocumentInvalid):
        valid(single().xml.replace(b"qti-prompt", b"qti-question"))


def test_packages_are_valid(tmp_path: Path) -> None:
    test = build_test(
        "A", "试卷 A", [("TF", "判断", [("Q3", 0.5)]), ("S", "选择", [("Q1", 1)])], time_limit_seconds=5400
    )
    path = tmp_path / "a.zip"
    items = [single(), true_false(), multiple()]
    write_package(path, identifier="A", title="试卷", items=items, test=test, modified=datetime(2026, 1, 1, tzinfo=UTC))
    with zipfile.ZipFile(path) as archive:
        assert valid(archive.read("imsmanifest.xml"), PACKAGE)
        assert all(valid(archive.read(name)) for name in archive.namelist() if name != "imsmanifest.xml")


@settings(max_examples=50, deadline=None)  # the first example compiles the schema
@given(written_items())
def test_generated_items_are_valid(written: dict[str, object]) -> None:
    key = written.pop("keys")[-1]  # type: ignore[index]
    assert valid(choice_item(**written, key=key).xml)  # type: ignore[arg-type]


def test_what_the_schema_has_against_values_of_match_tables_is_left_out() -> None:
    grade = (
        '<qti-outcome-declaration identifier="GRADE" cardinality="single" base-type="identifier"><qti-match-table>'
        '<qti-match-table-entry source-value="1" target-value="low"/></qti-match-table></qti-outcome-declaration>'
    )
    real = read_item(capitals(correct("rome")).replace(b"<qti-item-body>", f"{grade}<qti-item-body>".encode()))
    with pytest.raises(etree.DocumentInvalid, match=r"'low' is not an element of the set \{'boolean', 'directedPair'"):
        valid(real.xml)
    assert validate(real, SCHEMAS) == []
    broken = read_item(real.xml.replace(b'source-value="1"', b'source-value="one"'))
    assert [finding.code for finding in validate(broken, SCHEMAS)] == ["schema"]
