"""What a candidate may see does not depend on the key, and holds nothing else either."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from item_formats import CandidateProfile, Item, ItemType, choice_item, for_candidate, read_item
from item_formats.model import item_of
from tests.item_formats.documents import (
    QTI,
    SCORE,
    TEMPLATES,
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
from tests.item_formats.rendering.samples import NAMES, sample
from tests.shared import shared

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


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared("qti/schemas") / "qtiv3p0/imsqti_asiv3p0_sbacv1p0_v1p0.xsd"))


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


# Every interaction: the copy does not depend on what is right, what it is worth or how it is scored.

KEYS_OF = {
    "associate": ["SUPER CLASS", "UNSUPER CLUSTER", "SUPER UNSUPER"],
    "choice": ["A", "B", "C", "D"],
    "custom": ["4", "5"],
    "end_attempt": ["0.5", "0.25"],
    "gap_match": ["TRAIN G1", "TEST G2", "PICTURE G1"],
    "graphic_associate": ["STORE SWITCH", "GPU SWITCH", "STORE GPU"],
    "graphic_gap_match": ["L1 STORE", "L2 SWITCH", "L3 STORE"],
    "graphic_order": ["STORE", "SWITCH", "GPU"],
    "hotspot": ["STORE", "GPU", "SWITCH", "DESK"],
    "hottext": ["W1", "W2", "W3"],
    "inline_choice": ["LOW", "FAST", "SAME"],
    "match": ["P TP_FP", "R TP_FN", "P TP_FN"],
    "order": ["CLEAN", "LABEL", "CHECK", "DELIVER"],
    "portable_custom": ["on", "off"],
    "position_object": ["120 40", "200 40", "1 1"],
    "select_point": ["120 40", "3 4"],
    "slider": ["5", "6"],
    "text_entry": ["0.85", "0.5"],
}
ANY_KEY = {name: KEYS_OF.get(name, ["X", "Y"]) for name in NAMES}


def keyed(name: str, values: list[str], worth: list[float], template: str) -> Item:
    """The sample with another key, another mapping and area mapping, and other processing."""
    root = deepcopy(sample(name).root)
    declaration = root.find(f"{{{QTI}}}qti-response-declaration")
    assert declaration is not None
    for child in list(declaration):
        declaration.remove(child)
    entries = "".join(
        f'<qti-map-entry map-key="{value}" mapped-value="{mark}"/>' for value, mark in zip(values, worth, strict=False)
    )
    areas = "".join(
        f'<qti-area-map-entry shape="circle" coords="{round(mark * 10)},5,5" mapped-value="{mark}"/>' for mark in worth
    )
    added = etree.fromstring(
        f'<x xmlns="{QTI}">{correct(*values)}<qti-mapping default-value="{worth[0]}">{entries}</qti-mapping>'
        f'<qti-area-mapping default-value="{worth[0]}">{areas}</qti-area-mapping></x>'
    )
    declaration.extend(list(added))
    rules = root.find(f"{{{QTI}}}qti-response-processing")
    assert rules is not None
    rules.clear()
    rules.set("template", f"{TEMPLATES}/{template}.xml")
    for element in root.iter("*"):
        if element.get("identifier") in " ".join(values).split() and element.tag != declaration.tag:
            # what authors and editors leave behind at the right option
            element.set("class", "right-answer qti-key")
            element.set("label", "key")
            element.set("data-correct", "true")
            element.set("id", f"key-{element.get('identifier')}")
            element.append(etree.Comment("this is it"))
    return item_of(root)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(
    data=st.data(),
    worth=st.lists(st.floats(-2, 9, allow_nan=False), min_size=1, max_size=4),
    template=st.sampled_from(["match_correct", "map_response", "map_response_point"]),
    profile=profiles,
)
def test_the_copy_of_every_interaction_is_the_same_whatever_is_right(
    name: str, data: st.DataObject, worth: list[float], template: str, profile: CandidateProfile
) -> None:
    values = data.draw(st.lists(st.sampled_from(ANY_KEY[name]), min_size=1, unique=True))
    numbered = keyed(name, ANY_KEY[name], [1.0], "match_correct")  # identifiers of the page at every option
    plain = for_candidate(sample(name), profile)
    assert for_candidate(keyed(name, values, worth, template), profile).xml == plain.xml
    assert for_candidate(numbered, profile).xml == plain.xml


@pytest.mark.parametrize("name", NAMES)
@given(profile=profiles)
@settings(max_examples=8)
def test_a_copy_of_a_copy_of_every_interaction_is_the_copy(name: str, profile: CandidateProfile) -> None:
    copy = for_candidate(sample(name), profile)
    assert for_candidate(copy, profile) == copy


@pytest.mark.parametrize("name", NAMES)
@given(profile=profiles)
@settings(max_examples=4)
def test_the_copy_of_every_interaction_is_valid_qti(name: str, profile: CandidateProfile) -> None:
    copy = for_candidate(sample(name), profile)
    assert schema().validate(etree.fromstring(copy.xml)), schema().error_log


@pytest.mark.parametrize("name", NAMES)
def test_every_interaction_can_still_be_answered(name: str) -> None:
    item = sample(name)

    def answerable(one: Item) -> list[tuple[str, str, str]]:
        return sorted(
            (str(element.tag), element.get("identifier", ""), element.get("response-identifier", ""))
            for element in one.root.iter("*")
            if {"identifier", "response-identifier"} & set(element.attrib)
            and element.tag != f"{{{QTI}}}qti-variable"
            and not any(
                "processing" in str(above.tag) or "feedback" in str(above.tag)
                for above in (element, *element.iterancestors())
            )
        )

    assert answerable(for_candidate(item)) == answerable(item)
    bare = for_candidate(item, CandidateProfile(stem=False, options=False))
    assert answerable(bare) == answerable(item)


@given(st.permutations(["CLEAN", "LABEL", "CHECK", "DELIVER"]))
def test_an_order_to_be_shuffled_does_not_stand_in_the_order_it_was_written(order: list[str]) -> None:
    root = deepcopy(sample("order").root)
    interaction = next(root.iter(f"{{{QTI}}}qti-order-interaction"))
    choices = {choice.get("identifier"): choice for choice in interaction.iterchildren(f"{{{QTI}}}qti-simple-choice")}
    for name in order:
        interaction.append(choices[name])
    for choice in choices.values():
        choice.tail = None
    written = [
        choice.get("identifier") for choice in for_candidate(item_of(root)).root.iter(f"{{{QTI}}}qti-simple-choice")
    ]
    copy = [one.get("identifier") for one in for_candidate(sample("order")).root.iter(f"{{{QTI}}}qti-simple-choice")]
    assert written == copy


def test_fixed_choices_keep_their_place() -> None:
    source = sample("inline_choice").xml.replace(b'identifier="FAST"', b'fixed="true" identifier="FAST"')
    shown = [one.get("identifier") for one in for_candidate(read_item(source)).root.iter(f"{{{QTI}}}qti-inline-choice")]
    assert shown[1] == "FAST"


def test_identifiers_of_the_page_are_numbered_and_references_follow() -> None:
    source = document(
        '<qti-item-body><p id="the-answer-is-b">text</p><p aria-describedby="the-answer-is-b gone" id="z">more</p>'
        '<p><a href="#z">see</a></p></qti-item-body>'
    )
    xml = for_candidate(read_item(source)).xml.decode()
    assert "answer" not in xml
    assert '<p id="id1">' in xml
    assert '<p aria-describedby="id1" id="id2">' in xml
    assert '<a href="#id2">' in xml


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "vbscript:x"])
def test_addresses_that_run_or_reach_elsewhere_go(address: str) -> None:
    source = document(f'<qti-item-body><p><a href="{address}">see</a></p></qti-item-body>')
    assert address not in for_candidate(read_item(source)).xml.decode()


def test_the_options_of_every_kind_can_be_kept_back() -> None:
    for name, secret in (
        ("gap_match", "训练集"),
        ("match", "精确率"),
        ("hottext", "反复调整超参数"),
        ("inline_choice", "震荡不收敛"),
        ("hotspot", "服务器"),
        ("graphic_gap_match", "绿色标签"),
        ("order", "质检"),
    ):
        item = sample(name)
        assert secret in for_candidate(item).xml.decode()
        assert secret not in without_prompts(for_candidate(item, CandidateProfile(options=False)))


def without_prompts(item: Item) -> str:
    return re.sub(r"<qti-prompt>.*?</qti-prompt>", "", item.xml.decode(), flags=re.DOTALL)


def test_without_the_stem_the_text_around_the_gaps_goes() -> None:
    xml = for_candidate(sample("gap_match"), CandidateProfile(stem=False)).xml.decode()
    assert "拟合参数" not in xml
    assert "训练集" in xml
    assert xml.count("<qti-gap ") == 2
    assert "不参与训练" in for_candidate(sample("hottext"), CandidateProfile(stem=False)).xml.decode()
    assert "测试集" not in for_candidate(sample("hottext"), CandidateProfile(stem=False)).xml.decode()


# Values: a clone shows what it drew, and nothing of what it did not; feedback shows when an outcome says so.

CLONE = """
  <qti-template-declaration identifier="N" cardinality="single" base-type="integer" math-variable="true">
    <qti-default-value><qti-value>41</qti-value></qti-default-value>
  </qti-template-declaration>
  <qti-template-declaration identifier="UNIT" cardinality="single" base-type="identifier"/>
  <qti-item-body>
    <p>n = <qti-printed-variable identifier="N"/>, half <qti-printed-variable identifier="HALF" format="%.2f"/>
      <math xmlns="http://www.w3.org/1998/Math/MathML"><mi>N</mi><mo>+</mo><mi>x</mi></math></p>
    <qti-template-block template-identifier="UNIT" identifier="kg" show-hide="show"><p>in KILOGRAMS</p>
    </qti-template-block>
    <p><qti-template-inline template-identifier="UNIT" identifier="kg" show-hide="hide">in GRAMS
      </qti-template-inline></p>
    <qti-feedback-block outcome-identifier="F" identifier="ok" show-hide="show">
      <qti-content-body><p>WELL DONE</p></qti-content-body></qti-feedback-block>
    <qti-choice-interaction response-identifier="RESPONSE" max-choices="1">
      <qti-simple-choice identifier="a" template-identifier="SEEN" show-hide="show">A</qti-simple-choice>
      <qti-simple-choice identifier="b" template-identifier="SEEN" show-hide="show">B</qti-simple-choice>
    </qti-choice-interaction>
  </qti-item-body>
  <qti-modal-feedback outcome-identifier="F" identifier="no" show-hide="show" title="Sorry">
    <qti-content-body><p>TRY AGAIN</p></qti-content-body></qti-modal-feedback>"""


def clone(values: dict[str, object]) -> str:
    item = read_item(document(declaration(correct("a"), cardinality="single") + CLONE))
    return for_candidate(item, values=values).xml.decode()  # type: ignore[arg-type]


def test_a_clone_shows_its_values_and_no_other_part() -> None:
    xml = clone({"N": 7, "HALF": 3.5, "UNIT": "kg", "SEEN": ["b"]})
    assert "n = <span>7</span>, half <span>3.50</span>" in xml
    assert ">7</mn>" in xml.replace('<mn xmlns="http://www.w3.org/1998/Math/MathML"', "<mn")
    assert "KILOGRAMS" in xml
    assert "GRAMS" not in xml.replace("KILOGRAMS", "")
    assert 'identifier="b"' in xml
    assert 'identifier="a"' not in xml
    assert "template-identifier" not in xml
    assert "41" not in xml


def test_feedback_shows_only_what_the_outcome_says() -> None:
    assert "WELL DONE" in clone({"F": "ok"})
    assert "TRY AGAIN" not in clone({"F": "ok"})
    assert "TRY AGAIN" in clone({"F": ["no", "other"]})
    assert "WELL DONE" not in clone({"F": None})
    assert "WELL DONE" not in clone({})


def test_a_copy_made_without_values_shows_no_value() -> None:
    item = read_item(document(declaration(correct("a"), cardinality="single") + CLONE))
    xml = for_candidate(item).xml.decode()
    assert "41" not in xml
    assert "WELL DONE" not in xml


@pytest.mark.parametrize(
    ("attributes", "value", "text"),
    [
        ("", 3, "3"),
        ("", 2.5, "2.5"),
        ("", True, "true"),
        ("", None, ""),
        ("", [1, 2], "1;2"),
        ('delimiter=", "', [1, 2], "1, 2"),
        ('index="2"', [1, 2], "2"),
        ('base="2"', 10, "1010"),
        ('base="16"', -255, "-FF"),
        ('format="%05.1f kg"', 2.25, "002.2 kg"),
        ('format="%i"', 2.0, "2"),
        ('format="%x"', 255, "ff"),
        ('format="100%"', 5, "5"),
        ('power-form="true" format="%.1e"', 1200.0, "1.2 × 103"),
        ("", {"a": 1, "b": "x"}, "a=1;b=x"),
        ('field="b"', {"a": 1, "b": "x"}, "x"),
        ('mapping-indicator=": "', {"a": 1}, "a: 1"),
    ],
)
def test_printed_variables_are_written_as_they_ask(attributes: str, value: object, text: str) -> None:
    item = read_item(
        document(f'<qti-item-body><p><qti-printed-variable identifier="V" {attributes}/></p></qti-item-body>')
    )
    assert for_candidate(item, values={"V": value}).stem_text == text  # type: ignore[dict-item]


def test_index_and_base_of_a_printed_variable_can_be_variables() -> None:
    printed = "".join(
        f'<p><qti-printed-variable identifier="V" {attribute}/></p>' for attribute in ('index="N"', 'base="{N}"')
    )
    item = read_item(document(f"<qti-item-body>{printed}</qti-item-body>"))
    assert for_candidate(item, values={"V": [5, 6], "N": 2}).stem_text.split() == ["6", "101;110"]
