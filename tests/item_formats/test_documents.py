"""Tests, sections and stimuli are documents as items are."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING

import pytest

from item_formats import Item, ItemError, Section, Stimulus, Test, read_item, read_section, read_stimulus, read_test
from item_formats.conversion import read_document
from item_formats.documents import Reference
from tests.item_formats.fixtures import fixture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEST, SECTION, STIMULUS = (fixture(f"documents/{name}.xml") for name in ("test", "section", "stimulus"))
CHOICE = fixture("interactions/choice.xml")


def test_a_test_is_its_bytes_with_the_views_sessions_and_packages_need() -> None:
    test = read_test(TEST)
    assert test.digest == hashlib.sha256(test.xml).hexdigest()
    assert (test.identifier, test.title) == ("T30", "理论知识试卷")
    assert test.item_references == (
        Reference("I1", "../interactions/choice.xml", ("data",), (("MARKS", 1.5),)),
        Reference("I2", "../interactions/slider.xml", ("data", "method")),
    )
    assert test.section_references == (Reference("S2", "section.xml"),)
    assert test.outcome_declarations[0].normal_maximum == 3
    assert repr(test) == f"Test('T30', {test.digest[:8]})"


def test_a_section_and_a_stimulus_stand_alone() -> None:
    section, stimulus = read_section(SECTION), read_stimulus(STIMULUS)
    assert [one.href for one in section.item_references] == ["../interactions/match.xml"]
    assert (stimulus.title, stimulus.language) == ("产线材料", "zh-CN")
    assert stimulus.body is not None
    assert len(stimulus.body) == 3


def test_documents_are_equal_when_their_bytes_are_and_travel_as_them() -> None:
    test = read_test(TEST)
    assert test == read_test(test.xml)
    assert hash(test) == hash(read_test(TEST))
    assert test != read_test(TEST.replace("试卷".encode(), "样卷".encode()))
    assert test != test.xml
    travelled = pickle.loads(pickle.dumps(test))  # noqa: S301 (our own bytes)
    assert (travelled, travelled.item_references) == (test, test.item_references)


@pytest.mark.parametrize(
    ("source", "kind"),
    [(TEST, Test), (SECTION, Section), (STIMULUS, Stimulus), (CHOICE, Item)],
    ids=["test", "section", "stimulus", "item"],
)
def test_a_document_of_unknown_kind_is_read_as_what_it_is(source: bytes, kind: type) -> None:
    assert type(read_document(source)) is kind


@pytest.mark.parametrize(
    ("reader", "source", "code"),
    [
        (read_test, CHOICE, "not-a-test"),
        (read_section, TEST, "not-a-section"),
        (read_stimulus, CHOICE, "not-a-stimulus"),
        (read_item, TEST, "not-an-item"),
        (read_document, b"<html/>", "not-qti"),
        (read_test, TEST.replace(b"imsqtiasi_v3p0", b"other"), "wrong-namespace"),
        (read_document, TEST.replace(b"imsqtiasi_v3p0", b"other"), "wrong-namespace"),
        (read_test, TEST.replace(b'"T30"', b'""'), "no-identifier"),
        (read_test, b"<questestinterop/>", "qti-version"),
        (read_document, b"<questestinterop/>", "qti-version"),
    ],
)
def test_another_document_is_refused_by_name(reader: Callable[[bytes], object], source: bytes, code: str) -> None:
    with pytest.raises(ItemError) as caught:
        reader(source)
    assert [finding.code for finding in caught.value.findings] == [code]


def test_findings_name_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "t.xml"
    path.write_bytes(b"<!-- -->\n" + CHOICE.split(b"?>\n", 1)[1])
    with pytest.raises(ItemError) as caught:
        read_test(path)
    (finding,) = caught.value.findings
    assert (finding.file, finding.line) == (str(path), 2)
