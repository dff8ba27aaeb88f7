"""What the schema cannot say."""

from __future__ import annotations

import re

import pytest

from item_formats import Finding, check, for_candidate, read_item
from tests.item_formats.documents import (
    SCORE,
    correct,
    declaration,
    document,
    mapping,
    multiple,
    processing,
    single,
    true_false,
)
from tests.item_formats.documents import (
    capitals as with_feedback,
)


def capitals(*arguments: object, **options: object) -> bytes:
    """The item made elsewhere, without the feedback that depends on an outcome it does not declare."""
    source = with_feedback(*arguments, **options)  # type: ignore[arg-type]
    return re.sub(rb"<qti-feedback-inline.*?</qti-feedback-inline>", b"", source, flags=re.DOTALL)


def found(source: bytes) -> list[tuple[str, str]]:
    return [(finding.severity, finding.code) for finding in check(read_item(source))]


def test_our_own_items_have_nothing_to_report() -> None:
    assert [check(item) for item in (single(), multiple(), true_false())] == [[], [], []]


def test_a_good_item_from_elsewhere_has_nothing_to_report() -> None:
    assert found(capitals(correct("rome", "beijing"))) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (capitals(correct("paris")), ("error", "key-not-an-option")),
        (capitals(mapping({"paris": 1, "rome": 1}), "map_response"), ("error", "map-key-not-an-option")),
        (capitals(mapping({"rome": 1}), "map_response"), ("warning", "option-without-map-entry")),
        (capitals(correct("rome"), cardinality="single"), ("error", "cardinality-against-interaction")),
        (capitals(correct("rome"), cardinality="ordered"), ("error", "cardinality-against-interaction")),
        (capitals(correct("rome"), cardinality="several"), ("error", "bad-cardinality")),
        (capitals(correct("rome", "beijing"), max_choices=1), ("error", "unreachable-key")),
        (capitals(correct("rome", "lyon"), cardinality="single", max_choices=1), ("error", "too-many-values")),
        (capitals(""), ("error", "no-correct-answer")),
        (capitals(correct("rome"), "map_response"), ("error", "no-mapping")),
        (capitals(correct("rome"), "map_response_point"), ("error", "no-mapping")),
        (capitals(correct("rome")).replace(SCORE.encode(), b""), ("error", "missing-outcome")),
        (
            capitals(correct("rome")).replace(b"purl.imsglobal.org", b"example.invalid"),
            ("warning", "processing-not-understood"),
        ),
        (
            capitals(correct("rome")).replace(b'identifier="lyon"', b'identifier="rome"'),
            ("error", "repeated-option-identifier"),
        ),
        (
            capitals(correct("rome")).replace(b'-identifier="RESPONSE"', b'-identifier="ANSWER"'),
            ("error", "dangling-response"),
        ),
        (
            capitals(correct("rome")).replace(b'max-choices="0"', b'max-choices="1" min-choices="2"'),
            ("error", "impossible-choices"),
        ),
        (capitals(correct("rome")).replace(b'base-type="float"', b'base-type="real"'), ("error", "bad-base-type")),
        (capitals(correct("rome")).replace(b'max-choices="0"', b'max-choices="x"'), ("error", "bad-attribute")),
        (capitals(correct("rome")).replace(b">Rome<", b"><"), ("warning", "empty-option")),
        (capitals(correct("rome")).replace(b'title="Capitals" ', b""), ("warning", "missing-attribute")),
        (document(declaration(correct("a")) + SCORE + processing("match_correct")), ("warning", "no-interaction")),
        (document(declaration("", base_type="colour") + SCORE), ("error", "bad-base-type")),
        (document(SCORE + SCORE), ("error", "repeated-declaration")),
        (document(SCORE + processing("match_correct")), ("error", "dangling-response")),
    ],
)
def test_each_fault_has_its_code(source: bytes, expected: tuple[str, str]) -> None:
    assert expected in found(source)


def test_a_response_nobody_can_answer_is_a_warning() -> None:
    other = declaration("").replace("RESPONSE", "OTHER")
    source = capitals(correct("rome")).replace(SCORE.encode(), (other + SCORE).encode())
    assert found(source) == [("warning", "unanswered-response")]


def test_a_candidates_copy_is_told_as_such_and_is_no_error() -> None:
    assert [(finding.severity, finding.code) for finding in check(for_candidate(single()))] == [
        ("warning", "no-processing")
    ]


def test_what_a_person_scores_needs_no_processing() -> None:
    human = SCORE.replace("/>", ' external-scored="human"/>')
    source = capitals(correct("rome")).replace(SCORE.encode(), human.encode())
    start = source.index(b"<qti-response-processing")
    assert found(source[:start] + b"</qti-assessment-item>") == [("warning", "scored-elsewhere")]


def test_findings_name_file_line_and_item_and_come_errors_first() -> None:
    source = capitals(correct("paris")).replace(b'title="Capitals" ', b"")
    findings = check(read_item(b'<?xml version="1.0"?>\n' + source), file="bank/q7.xml")
    assert findings[0] == Finding(
        "error",
        "key-not-an-option",
        'the correct response "paris" is no option; the options are beijing, lyon, rome',
        file="bank/q7.xml",
        line=2,
        item="foreign",
    )
    assert [finding.severity for finding in findings] == ["error", "warning"]
    assert str(findings[0]).startswith("bank/q7.xml:2 error key-not-an-option: [foreign] the correct response")


def test_one_unreadable_attribute_is_reported_once() -> None:
    source = capitals(correct("rome")).replace(b'max-choices="0"', b'max-choices="-1"')
    assert [finding.code for finding in check(read_item(source))].count("bad-attribute") == 1


def test_chinese_items_are_checked_for_house_style_and_others_are_not() -> None:
    assert [finding.code for finding in check(single(stem="哪一个正确？"))] == ["no-blank"]
    assert check(single(stem="Which one is right?", language="en")) == []
