"""What a candidate may see does not depend on the key, and holds nothing else either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import CandidateProfile, Item, ItemType, choice_item, for_candidate, read_item
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

profiles = st.builds(
    CandidateProfile,
    stem=st.booleans(),
    options=st.booleans(),
    key=st.just(value=False),
    rationale=st.just(value=False),
    marking_table=st.just(value=False),
)


@given(written_items(), profiles)
def test_the_copy_is_the_same_whichever_option_is_the_key(
    written: dict[str, object], profile: CandidateProfile
) -> None:
    keys = written.pop("keys")
    copies = {
        for_candidate(choice_item(**written, key=key), profile).xml  # type: ignore[arg-type]
        for key in keys  # type: ignore[attr-defined]
    }
    assert len(copies) == 1


@given(written_items(), profiles, st.uuids())
def test_the_copy_holds_no_rationale(written: dict[str, object], profile: CandidateProfile, mark: object) -> None:
    written["rationale"] = f"因为{mark}"
    key = written.pop("keys")[0]  # type: ignore[index]
    copy = for_candidate(choice_item(**written, key=key), profile)  # type: ignore[arg-type]
    assert str(mark).encode() not in copy.xml
    assert copy.rationale is None


@given(
    st.permutations(["beijing", "lyon", "rome"]),
    st.lists(st.floats(-2, 2, allow_nan=False), min_size=3, max_size=3),
    st.integers(1, 3),
)
def test_the_copy_of_a_mapped_item_is_the_same_whatever_the_options_are_worth(
    order: list[str], worth: list[float], size: int
) -> None:
    def copy(declared: str, template: str) -> bytes:
        return for_candidate(read_item(capitals(declared, template))).xml

    mapped = mapping(dict(zip(order[:size], worth, strict=False)), 'upper-bound="3"')
    assert copy(mapped, "map_response") == copy(correct("rome"), "match_correct")
    assert copy(correct(*order[:size]) + mapped, "map_response") == copy(mapping({"lyon": 1}), "map_response")


@given(written_items())
def test_a_copy_of_a_copy_is_the_copy(written: dict[str, object]) -> None:
    key = written.pop("keys")[0]  # type: ignore[index]
    copy = for_candidate(choice_item(**written, key=key))  # type: ignore[arg-type]
    assert for_candidate(copy) == copy


def test_the_candidate_keeps_the_question_and_a_way_to_answer() -> None:
    copy = for_candidate(multiple())
    assert (copy.identifier, copy.item_type, copy.language) == ("Q2", ItemType.MULTIPLE, "zh-CN")
    assert copy.stem_text == multiple().stem_text
    assert copy.options == multiple().options
    assert (copy.key, copy.correct, copy.rationale, copy.max_score) == ("", (), None, None)


LEAKS = {
    "comment": "<!-- LEAK -->",
    "instruction": "<?key LEAK?>",
    "scorer rubric": '<qti-rubric-block view="scorer" use="scoring"><qti-content-body><p>LEAK</p></qti-content-body>'
    "</qti-rubric-block>",
    "author rubric": '<qti-rubric-block view="author tutor proctor" use="instructions"><qti-content-body>LEAK'
    "</qti-content-body></qti-rubric-block>",
    "feedback": '<qti-feedback-block outcome-identifier="F" identifier="a" show-hide="show"><qti-content-body>LEAK'
    "</qti-content-body></qti-feedback-block>",
    "inclusion": '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="LEAK.xml"/>',
    "foreign element": '<x:key xmlns:x="urn:x">LEAK</x:key>',
    "data attribute": '<p data-key="LEAK">see</p>',
    "class": '<p class="LEAK qti-align-left">see</p>',
    "foreign attribute": '<p xmlns:x="urn:LEAK" x:key="LEAK">see</p>',
    "foreign attribute of a choice": "<p is-correct='LEAK'>see</p>",
    "unknown element": "<answer>LEAK</answer>",
    "unknown QTI element": "<qti-answer>LEAK</qti-answer>",
    "script in a formula": '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi onclick="LEAK" data-x="LEAK">x</mi>'
    "</math>",
    "label": '<p label="LEAK">see</p>',
    "formula annotation": '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>x</mi>'
    '<annotation encoding="application/x-tex">LEAK</annotation></semantics></math>',
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_nothing_leaks_from_the_body(leak: str) -> None:
    source = capitals(correct("rome")).replace(b"<p>Read the list.</p>", f"<p>Read the list.</p>{leak}".encode())
    assert b"LEAK" in source
    copy = for_candidate(read_item(source))
    assert b"LEAK" not in copy.xml
    assert copy.stem_text.startswith("Read the list.")


OUTSIDE = {
    "modal feedback": '<qti-modal-feedback outcome-identifier="F" identifier="a" show-hide="show">'
    "<qti-content-body>LEAK</qti-content-body></qti-modal-feedback>",
    "catalogue": "<qti-catalog-info><qti-catalog id='c'><qti-card support='ext:x'>LEAK</qti-card></qti-catalog>"
    "</qti-catalog-info>",
    "template processing": '<qti-template-processing><qti-set-correct-response identifier="RESPONSE">'
    '<qti-base-value base-type="identifier">LEAK</qti-base-value></qti-set-correct-response></qti-template-processing>',
    "template value": '<qti-template-declaration identifier="T" cardinality="single" base-type="identifier">'
    "<qti-default-value><qti-value>LEAK</qti-value></qti-default-value></qti-template-declaration>",
    "match table": '<qti-outcome-declaration identifier="O" cardinality="single" base-type="identifier" '
    'interpretation="LEAK"><qti-match-table default-value="LEAK"/></qti-outcome-declaration>',
}


@pytest.mark.parametrize("leak", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_nothing_leaks_from_around_the_body(leak: str) -> None:
    copy = for_candidate(read_item(document(declaration(correct("LEAK")) + SCORE + leak + processing("match_correct"))))
    assert b"LEAK" not in copy.xml


def test_nothing_leaks_from_outside_the_item_or_its_attributes() -> None:
    source = document(
        "", attributes=' label="LEAK" tool-name="LEAK" xmlns:s="http://www.w3.org/2001/XMLSchema-instance" s:x="LEAK"'
    )
    copy = for_candidate(read_item(b"<!-- LEAK -->" + source + b"<!-- LEAK -->"))
    assert b"LEAK" not in copy.xml
    assert copy.title == "Capitals"


def test_text_behind_something_removed_stays() -> None:
    feedback = '<qti-feedback-inline outcome-identifier="F" identifier="a" show-hide="show">no</qti-feedback-inline>'
    source = document(f"<qti-item-body><p>a {feedback} b<em>c</em>{feedback} d</p></qti-item-body>")
    assert for_candidate(read_item(source)).stem_text == "a  bc d"


def test_instructions_for_candidates_stay_with_the_stem() -> None:
    rubric = (
        '<qti-rubric-block view="candidate scorer" use="instructions"><qti-content-body><p>HINT</p></qti-content-body>'
        "</qti-rubric-block>"
    )
    item = read_item(capitals(correct("rome")).replace(b"<p>Read the list.</p>", rubric.encode()))
    assert b"HINT" in for_candidate(item).xml
    assert b"HINT" not in for_candidate(item, CandidateProfile(stem=False)).xml


@pytest.mark.parametrize("item", [single(), multiple(), true_false()], ids=lambda item: str(item.item_type))
def test_each_part_can_be_kept_by_itself(item: Item) -> None:
    nothing = CandidateProfile(stem=False, options=False)
    bare = for_candidate(item, nothing)
    assert (bare.stem_text, {option.text for option in bare.options}) == ("", {""})
    assert [option.identifier for option in bare.options] == [option.identifier for option in item.options]

    with_stem = for_candidate(item, CandidateProfile(stem=True, options=False))
    assert (with_stem.stem_text, {option.text for option in with_stem.options}) == (item.stem_text, {""})

    with_options = for_candidate(item, CandidateProfile(stem=False, options=True))
    assert (with_options.stem_text, with_options.options) == ("", item.options)

    with_key = for_candidate(item, CandidateProfile(key=True))
    assert (with_key.key, with_key.rationale, with_key.template) == (item.key, None, None)

    with_rationale = for_candidate(item, CandidateProfile(rationale=True))
    assert (with_rationale.key, with_rationale.rationale) == ("", item.rationale)

    with_marking = for_candidate(item, CandidateProfile(marking_table=True))
    assert (with_marking.key, with_marking.template) == ("", "match_correct")


def test_the_marking_table_of_a_mapped_item_is_its_mapping() -> None:
    item = read_item(capitals(correct("rome") + mapping({"rome": 1}), "map_response"))
    assert for_candidate(item).response_declarations[0].mapping is None
    shown = for_candidate(item, CandidateProfile(marking_table=True)).response_declarations[0]
    assert shown.mapping == item.response_declarations[0].mapping
    assert shown.correct == ()


def test_the_marking_table_goes_without_comments() -> None:
    source = capitals(
        correct("rome") + "<qti-mapping><!-- LEAK --><qti-map-entry map-key='rome' mapped-value='1'/></qti-mapping>",
        "map_response",
    )
    copy = for_candidate(read_item(source), CandidateProfile(marking_table=True))
    assert b"LEAK" not in copy.xml
    assert copy.response_declarations[0].mapping is not None


def test_formulas_tables_and_pictures_stay() -> None:
    body = (
        '<qti-item-body><p>a <math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mi>x</mi></math></p>'
        '<table><tr><td colspan="2">b</td></tr></table><p><img alt="c" src="c.png"></img></p></qti-item-body>'
    )
    assert body.encode() in for_candidate(read_item(document(body))).xml


def test_without_its_stem_an_item_has_no_telling_title() -> None:
    assert for_candidate(single(title="监督学习"), CandidateProfile(stem=False)).title == "Q1"
    assert for_candidate(single(title="监督学习")).title == "监督学习"


def test_the_bank_keeps_what_the_candidate_does_not_get() -> None:
    item = single()
    before = item.xml
    for_candidate(item)
    assert item.xml == before
    assert (item.key, item.rationale) == ("A", "图像分类需要带标签的样本。")
