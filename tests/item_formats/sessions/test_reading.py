"""Tests that cannot be delivered are refused before anybody begins, with everything that is wrong."""

from __future__ import annotations

import pytest

from item_formats.documents import read_section
from item_formats.findings import ItemError
from item_formats.parsing import QTI
from item_formats.sessions import begin_test
from tests.item_formats.sessions.papers import YES, begun, branch, items, keys, limit, paper, part, pre, ref, section


def codes(test_parts: str, names: str = "A B") -> list[str]:
    with pytest.raises(ItemError) as refusal:
        begun(paper(test_parts), names)
    return [finding.code for finding in refusal.value.findings]


def test_a_test_needs_a_part() -> None:
    assert codes("") == ["no-test-part"]


def test_items_and_sections_must_be_there() -> None:
    absent = '<qti-assessment-section-ref identifier="T" href="T.xml"/>'
    assert codes(part(section("A C") + absent)) == ["missing-item", "missing-section"]


def test_names_are_used_once_and_are_not_those_of_exits() -> None:
    assert codes(part(section("A A"))) == ["repeated-identifier"]
    assert codes(part(section("A", identifier="EXIT_TEST"))) == ["bad-identifier"]


def test_branches_lead_to_something() -> None:
    assert codes(part(section(ref("A", branch("Z", YES))))) == ["bad-branch-target"]


def test_rules_hold_one_expression_that_can_be_run() -> None:
    assert codes(part(section(ref("A", pre(YES + YES))))) == ["wrong-operands"]
    assert codes(part(section(ref("A", pre("<qti-unheard-of/>"))))) == ["unknown-expression"]


def test_attributes_are_what_qti_says() -> None:
    assert codes(part(section("A"), navigation="circular")) == ["bad-attribute"]
    assert codes(part(section("A") + limit(shortest=9, longest=3))) == ["time-limits"]
    assert codes(part('<qti-item-session-control max-attempts="many"/>' + section("A"))) == ["bad-attribute"]


def test_an_outside_engine_is_not_run() -> None:
    chosen = '<qti-adaptive-selection><qti-adaptive-engine-ref identifier="E" href="x"/></qti-adaptive-selection>'
    assert codes(part(section(chosen + ref("A")))) == ["adaptive-selection"]


def shared_section(identifier: str, inside: str) -> bytes:
    return section(inside, identifier=identifier).replace(" title=", f' xmlns="{QTI}" title=', 1).encode()


def test_sections_may_be_documents_of_their_own() -> None:
    reference = '<qti-assessment-section-ref identifier="T" href="T.xml"/>'
    test = paper(part(section(ref("A")) + reference))
    sections = {"T.xml": read_section(shared_section("T", "B"))}
    assert keys(begin_test(test, items("A B"), 1, sections=sections)) == ["A.1", "B.1"]


def test_sections_that_contain_themselves_are_refused() -> None:
    to = '<qti-assessment-section-ref identifier="{0}" href="{0}.xml"/>'
    sections = {
        "T.xml": read_section(shared_section("T", to.format("U"))),
        "U.xml": read_section(shared_section("U", to.format("T"))),
    }
    with pytest.raises(ItemError) as refusal:
        begin_test(paper(part(to.format("T"))), {}, 1, sections=sections)
    assert [finding.code for finding in refusal.value.findings] == ["cyclic-section"]


def test_items_are_found_by_href_or_by_name() -> None:
    test = paper(part(section("A")))
    found = items("A")["A"]
    for bank in ({"A.xml": found}, {"A": found}):
        assert begin_test(test, bank, 1).definition.refs["A"].item == found


def test_sections_are_not_nested_without_end() -> None:
    inside = "A"
    for level in range(60):
        inside = section(inside, identifier=f"S{level}")
    assert codes(part(inside)) == ["too-deep"]


def test_a_section_document_is_referred_to_once() -> None:
    to = '<qti-assessment-section-ref identifier="{0}" href="{0}.xml"/>'
    sections = {f"T{n}.xml": read_section(shared_section(f"T{n}", to.format(f"T{n + 1}") * 2)) for n in range(40)}
    with pytest.raises(ItemError) as refusal:
        begin_test(paper(part(to.format("T0"))), {}, 1, sections=sections)
    assert {finding.code for finding in refusal.value.findings} == {"repeated-section", "missing-section"}
