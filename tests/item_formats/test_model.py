"""An item is its bytes; everything else is a view of them."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from item_formats import ItemError, ItemType, Option, choice_item, read_item, type_label
from tests.item_formats.documents import (
    SCORE,
    capitals,
    correct,
    declaration,
    document,
    mapping,
    multiple,
    processing,
    single,
    true_false,
    written_items,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_the_digest_is_the_sha256_of_the_bytes() -> None:
    item = single()
    assert item.digest == hashlib.sha256(item.xml).hexdigest()


def test_items_are_equal_and_hash_alike_when_their_documents_are() -> None:
    assert single() == single()
    assert len({single(), single(), multiple()}) == 2
    assert single() != single(key="B")


@given(written_items())
def test_reading_what_was_written_gives_the_item_back(written: dict[str, object]) -> None:
    keys = written.pop("keys")
    for key in keys:  # type: ignore[attr-defined]
        item = choice_item(**written, key=key)  # type: ignore[arg-type]
        again = read_item(item.xml)
        assert again == item
        assert (again.key, again.stem_text, again.rationale) == (key, written["stem"], written["rationale"])
        if written["options"]:
            assert [option.text for option in again.options] == written["options"]


def test_an_item_travels_between_processes_as_its_bytes() -> None:
    item = multiple()
    assert item.key == "ABD"  # the views are there, and must not travel
    travelled = pickle.loads(pickle.dumps(item))  # noqa: S301 (our own bytes)
    assert travelled == item
    assert travelled.key == "ABD"
    assert len(pickle.dumps(item)) < len(item.xml) + 300


def test_the_type_is_recognised_from_the_structure_alone() -> None:
    assert [item.item_type for item in (true_false(), single(), multiple())] == [
        ItemType.TRUE_FALSE,
        ItemType.SINGLE,
        ItemType.MULTIPLE,
    ]
    assert read_item(capitals(correct("rome"))).item_type is ItemType.MULTIPLE
    assert read_item(document("<qti-item-body><p>Nothing asked.</p></qti-item-body>")).item_type is None


def test_an_item_with_something_else_to_answer_has_none_of_our_types() -> None:
    essay = '<qti-extended-text-interaction response-identifier="ESSAY"/></qti-item-body>'
    item = read_item(capitals(correct("rome")).replace(b"</qti-item-body>", essay.encode()))
    assert item.item_type is None
    assert item.other_interactions == ("qti-extended-text-interaction",)


def test_types_have_the_labels_of_the_bank() -> None:
    assert [type_label(item_type) for item_type in ItemType] == ["判断", "单选", "多选"]


def test_keys_are_written_as_people_write_them() -> None:
    assert (single(key="C").key, multiple(key="DBA").key) == ("C", "ABD")
    assert (true_false(key="√").key, true_false(key="错").key) == ("√", "×")


def test_options_of_foreign_items_get_the_letters_they_are_printed_with() -> None:
    item = read_item(capitals(correct("rome", "beijing")))
    assert item.options == (
        Option("beijing", "Beijing", "A"),
        Option("lyon", "Lyon", "B"),
        Option("rome", "Rome", "C"),
    )
    assert (item.correct, item.key) == (("beijing", "rome"), "AC")


def test_the_stem_is_everything_before_the_options() -> None:
    item = read_item(capitals(correct("rome")))
    assert item.stem_text == "Read the list.\nWhich of these are capitals?"
    assert item.choice_interactions[0].prompt == "Which of these are capitals?"
    assert (item.title, item.language, item.rationale) == ("Capitals", "en", None)


@pytest.mark.parametrize(
    ("declared", "template", "cardinality", "max_choices", "expected"),
    [
        (correct("rome"), "match_correct", "single", 1, 1.0),
        (mapping({"rome": 1, "beijing": 0.5, "lyon": -1}), "map_response", "multiple", 0, 1.5),
        (mapping({"rome": 1, "beijing": 0.5, "lyon": -1}), "map_response", "multiple", 1, 1.0),
        (mapping({"rome": 1, "beijing": 0.5}), "map_response", "single", 1, 1.0),
        (mapping({"rome": 3}, 'upper-bound="2" default-value="0"'), "map_response", "multiple", 0, 2.0),
        (mapping({"rome": -1, "beijing": -2, "lyon": -3}), "map_response", "single", 1, 0.0),  # nothing answered: 0
        (mapping({"rome": 1}, 'default-value="2"'), "map_response", "multiple", 2, 4.0),
        ("", "match_correct", "single", 1, None),
    ],
)
def test_the_most_an_item_can_score(
    declared: str, template: str, cardinality: str, max_choices: int, expected: float | None
) -> None:
    item = read_item(capitals(declared, template, cardinality=cardinality, max_choices=max_choices))
    assert item.max_score == expected


def test_a_declared_maximum_counts_more_than_a_computed_one() -> None:
    source = capitals(correct("rome")).replace(b'base-type="float"/>', b'base-type="float" normal-maximum="2.5"/>')
    assert read_item(source).max_score == 2.5


def test_templates_of_other_publishers_keep_their_address() -> None:
    ours = document(declaration(correct("a")) + SCORE + processing("match_correct"))
    assert read_item(ours).template == "match_correct"
    theirs = ours.replace(b"https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml", b"urn:own")
    assert read_item(theirs).template == "urn:own"
    old = ours.replace(
        b"https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml",
        b"http://www.imsglobal.org/question/qti_v2p2/rptemplates/match_correct",
    )
    assert read_item(old).template == "match_correct"


def test_an_attribute_that_is_no_number_is_an_error_of_the_view_with_its_line() -> None:
    item = read_item(capitals(correct("rome")).replace(b'max-choices="0"', b'max-choices="many"'))
    with pytest.raises(ItemError, match='max-choices="many"; expected a whole number') as caught:
        _ = item.options
    assert caught.value.findings[0].line == 4


def test_an_item_is_read_from_a_file_that_findings_name(tmp_path: Path) -> None:
    path = tmp_path / "q.xml"
    path.write_bytes(single().xml)
    assert read_item(path) == single()
    path.write_bytes(b"<oops")
    with pytest.raises(ItemError, match=r"q\.xml"):
        read_item(path)
