"""QTI 2.0, 2.1 and 2.2 become 3.0 with nothing lost in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError, check, read_item, read_section, read_stimulus, read_test
from item_formats.conversion import convert, read_document
from item_formats.parsing import MATHML, QTI, XML_LANG, qti
from item_formats.upgrading import split_closing, split_opening, standard_template
from item_formats.vocabulary import ELEMENTS, QTI_21, QTI_22, camel
from tests.item_formats.fixtures import fixture

ITEM_20, ITEM_21, ITEM_22 = (fixture(f"qti2/item_{version}.xml") for version in ("20", "21", "22"))


def old(body: str, *, namespace: str = QTI_22, attributes: str = "", before: str = "", after: str = "") -> bytes:
    return (
        f'<assessmentItem xmlns="{namespace}" identifier="Q" title="t" adaptive="false" timeDependent="false"'
        f"{attributes}>{before}<itemBody>{body}</itemBody>{after}</assessmentItem>"
    ).encode()


def body_of(source: bytes) -> str:
    """The upgraded body as text, without namespace declarations."""
    body = read_item(source).body
    assert body is not None
    return etree.tostring(body, encoding="unicode").replace(f' xmlns="{QTI}"', "")[len("<qti-item-body>") : -16]


def codes(source: bytes) -> list[str]:
    return [finding.code for finding in read_document(source).reading_findings]


def test_an_item_of_2_1_is_an_item_of_3_0() -> None:
    item = read_item(ITEM_21)
    assert item.root.tag == qti("qti-assessment-item")
    assert (item.identifier, item.title, item.language) == ("Q21", "批量大小", "zh-CN")
    assert (item.root.get("time-dependent"), item.root.get("tool-name"), item.adaptive) == ("false", "tiku", True)
    assert item.template == "map_response"
    assert item.response_declarations[0].mapping is not None
    assert item.response_declarations[0].mapping.entries[0].case_sensitive
    assert item.outcome_declarations[0].interpolation_table is not None
    assert not item.outcome_declarations[0].interpolation_table.entries[0].include_boundary
    assert item.template_declarations[0].mathematical
    assert [interaction.name for interaction in item.interactions] == [
        "qti-choice-interaction",
        "qti-extended-text-interaction",
    ]
    assert read_item(item.xml) == item
    assert [finding.code for finding in item.reading_findings] == ["info-control"]
    assert item.reading_findings[0].line == 30


def test_all_that_stood_in_a_2_x_namespace_stands_in_that_of_3_0() -> None:
    for source in (ITEM_20, ITEM_21, ITEM_22):
        spaces = {etree.QName(element).namespace for element in read_item(source).root.iter("*")}
        assert spaces <= {QTI, MATHML, "http://www.imsglobal.org/xsd/apip/apipv1p0/imsapip_qtiv1p0"}


def test_every_element_and_attribute_of_3_0_is_found_under_its_2_x_name() -> None:
    for name, attributes in ELEMENTS.items():
        if name in {"qti-content-body", "qti-custom-interaction"}:
            continue
        written = "".join(f' {camel(attribute)}="x"' for attribute in attributes)
        upgraded = read_item(old(f"<{camel(name.removeprefix('qti-'))}{written}/>")).root
        found = upgraded.find(f"{qti('qti-item-body')}/{qti(name)}")
        assert found is not None, name
        assert attributes <= set(map(str, found.attrib)), name


def test_tests_sections_and_stimuli_are_upgraded_too() -> None:
    test = read_test(fixture("qti2/test_21.xml"))
    reference = test.item_references[0]
    assert (reference.href, reference.categories, reference.weights) == (
        "item_21.xml",
        ("knowledge", "skill"),
        (("W", 2.0),),
    )
    names = {etree.QName(element).localname for element in test.root.iter("*")}
    assert {"qti-pre-condition", "qti-branch-rule", "qti-duration-gte", "qti-number-correct", "qti-exit-test"} <= names
    (part,) = test.root.iter(qti("qti-test-part"))
    assert (part.get("navigation-mode"), part.get("submission-mode")) == ("linear", "individual")
    (block,) = test.root.iter(qti("qti-rubric-block"))
    assert block.get("use") is None  # required in items only
    assert [element.tag for element in block] == [qti("qti-content-body")]
    assert read_section(fixture("qti2/section_21.xml")).item_references[0].identifier == "I3"
    stimulus = read_stimulus(fixture("qti2/stimulus_22.xml"))
    assert stimulus.body is not None


@pytest.mark.parametrize(
    "address",
    [
        "http://www.imsglobal.org/question/qti_v2p0/rptemplates/match_correct",
        "http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct.xml",
        "http://www.imsglobal.org/question/qtiv2p1/rptemplates/match_correct",
        "https://purl.imsglobal.org/spec/qti/v2p2/rptemplates/match_correct.xml",
    ],
)
def test_standard_templates_get_their_address_in_3_0(address: str) -> None:
    assert standard_template(address) == "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"


@pytest.mark.parametrize(
    "address",
    ["http://www.imsglobal.org/question/qti_v2p1/rptemplates/CC2_match", "urn:own/rptemplates/match_correct"],
)
def test_other_templates_keep_theirs(address: str) -> None:
    assert standard_template(address) == address


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            '<feedbackBlock outcomeIdentifier="F" identifier="a" showHide="show"><p>好</p></feedbackBlock>',
            (
                '<qti-feedback-block outcome-identifier="F" identifier="a" show-hide="show"><qti-content-body><p>好</p>'
                "</qti-content-body></qti-feedback-block>"
            ),
        ),
        (
            '<templateBlock templateIdentifier="T" identifier="a">文字<p>段</p>尾</templateBlock>',
            (
                '<qti-template-block template-identifier="T" identifier="a"><qti-content-body>文字<p>段</p>尾'
                "</qti-content-body></qti-template-block>"
            ),
        ),
        (
            '<rubricBlock view="scorer" use="scoring"><p>一</p><stylesheet href="a" type="text/css"/></rubricBlock>',
            (
                '<qti-rubric-block view="scorer" use="scoring"><qti-stylesheet href="a" type="text/css"/>'
                "<qti-content-body><p>一</p></qti-content-body></qti-rubric-block>"
            ),
        ),
        (
            '<rubricBlock view="scorer" use="scoring">字<stylesheet href="a" type="text/css"/>段</rubricBlock>',
            (
                '<qti-rubric-block view="scorer" use="scoring"><qti-stylesheet href="a" type="text/css"/>'
                "<qti-content-body>字段</qti-content-body></qti-rubric-block>"
            ),
        ),
        (
            '<rubricBlock view="scorer"/>',
            '<qti-rubric-block view="scorer" use="scoring"><qti-content-body/></qti-rubric-block>',
        ),
        (
            '<feedbackBlock outcomeIdentifier="F" identifier="a"/>',
            '<qti-feedback-block outcome-identifier="F" identifier="a"/>',
        ),
        (
            '<rubricBlock view="candidate" use="作答 hint">x</rubricBlock>',
            (
                '<qti-rubric-block view="candidate" use="ext:hint" data-use="作答 hint"><qti-content-body>x'
                "</qti-content-body></qti-rubric-block>"
            ),
        ),
        (
            '<infoControl title="公式" class="wide">看 <m>x</m></infoControl>',
            '<div class="wide qti-info-control"><details><summary>公式</summary>看 <qti-m>x</qti-m></details></div>',
        ),
        (
            '<extendedTextInteraction responseIdentifier="R" format="preFormatted"/>',
            '<qti-extended-text-interaction response-identifier="R" format="preformatted"/>',
        ),
        (
            '<positionObjectInteraction responseIdentifier="R" centrePoint="1 2"/>',
            '<qti-position-object-interaction response-identifier="R" center-point="1 2"/>',
        ),
        (
            "<p>a<u>b</u> <hotText identifier='H'>c</hotText></p>",
            '<p>a<u>b</u> <qti-hottext identifier="H">c</qti-hottext></p>',
        ),
        ('<p id="i" class="c" align="left">x</p>', '<p id="i" class="c" align="left">x</p>'),
    ],
)
def test_what_is_said_otherwise_in_3_0(written: str, expected: str) -> None:
    assert body_of(old(written)) == expected


def test_indented_blocks_get_their_content_body_inside_the_indent() -> None:
    block = '<rubricBlock view="tutor" use="scoring">\n    <p>一</p>\n  </rubricBlock>'
    assert body_of(old(block)) == (
        '<qti-rubric-block view="tutor" use="scoring">\n    <qti-content-body><p>一</p></qti-content-body>\n  '
        "</qti-rubric-block>"
    )


@given(st.text(" \n\ta", max_size=8))
def test_splitting_text_loses_nothing(text: str) -> None:
    before, opening = split_opening(text)
    closing, after = split_closing(text)
    assert (before + opening, closing + after) == (text, text)
    assert not before.strip()
    assert not after.strip()


def test_the_namespaces_of_2_2_extras_become_those_of_3_0() -> None:
    root = read_item(ITEM_22).root
    assert root.find(f".//{qti('figure')}/{qti('figcaption')}") is not None
    assert root.find(f".//{qti('ruby')}/{qti('rt')}") is not None
    assert root.find(f".//{{{MATHML}}}mfrac") is not None
    assert set(root.nsmap.values()) == {QTI, "http://www.imsglobal.org/xsd/apip/apipv1p0/imsapip_qtiv1p0"}
    (paragraph,) = (one for one in root.iter(qti("p")) if one.get("role"))
    assert paragraph.get("aria-label") == "读音"


def test_foreign_parts_stay_but_qti_inside_them_is_upgraded() -> None:
    source = old('<p><x:y xmlns:x="urn:x" k="1"><x:z/><simpleChoice identifier="A"/></x:y></p>')
    assert body_of(source) == ('<p><x:y xmlns:x="urn:x" k="1"><x:z/><qti-simple-choice identifier="A"/></x:y></p>')
    assert "apipAccessibility" in read_item(ITEM_22).xml.decode()


def test_a_portable_custom_interaction_of_1_0_is_one_of_3_0() -> None:
    (pci,) = read_item(ITEM_22).root.iter(qti("qti-portable-custom-interaction"))
    assert dict(pci.attrib) == {
        "response-identifier": "RESPONSE",
        "custom-interaction-type-identifier": "urn:tiku:switch",
        "module": "main",
        "data-version": "1.2",
        "data-start": "关",
        "data-labels__on-text": "开",
        "data-labels__1": "关",
    }
    modules = [(one.get("id"), one.get("primary-path")) for one in pci.iter(qti("qti-interaction-module"))]
    assert modules == [("main", "switch/main.js"), ("jquery_1", None)]
    (markup,) = pci.iter(qti("qti-interaction-markup"))
    assert [(child.tag, child.text) for child in markup] == [(qti("div"), "拨动开关")]


def test_what_a_portable_custom_interaction_cannot_keep_is_named() -> None:
    pci = '<portableCustomInteraction xmlns="http://www.imsglobal.org/xsd/portableCustomInteraction_v1" '
    pci += 'customInteractionTypeIdentifier="urn:x"><responseSchema href="s.json"/></portableCustomInteraction>'
    assert codes(old(f'<customInteraction responseIdentifier="R">{pci}</customInteraction>')) == [
        "portable-custom-interaction"
    ]


def test_other_custom_interactions_keep_their_content() -> None:
    source = old('<customInteraction responseIdentifier="R"><e xmlns="urn:e">x</e></customInteraction>')
    assert body_of(source) == (
        '<qti-custom-interaction response-identifier="R"><e xmlns="urn:e">x</e></qti-custom-interaction>'
    )


def test_attributes_that_3_0_dropped_become_data_and_are_named() -> None:
    item = read_item(ITEM_20, file="old.xml")
    assert item.root.get("data-difficulty") == "3"
    assert [(finding.code, finding.file, finding.line) for finding in item.reading_findings] == [
        ("unusual-namespace", "old.xml", 1),
        ("attribute-not-in-qti-3", "old.xml", 1),
    ]


def test_elements_that_are_no_qti_are_kept_and_named() -> None:
    source = old(
        "<p>x</p>", after="<responseProcessing><isNotNull><variable identifier='A'/></isNotNull></responseProcessing>"
    )
    assert codes(source) == ["unknown-element"]
    assert read_item(source).root.find(f".//{qti('qti-is-not-null')}/{qti('qti-variable')}") is not None


@pytest.mark.parametrize("namespace", ["", "urn:vendor:items", "http://www.imsglobal.org/xsd/imsqti_item_v2p1"])
def test_items_without_namespace_or_with_one_of_their_own_are_read_with_a_warning(namespace: str) -> None:
    usual = read_item(old('<choiceInteraction responseIdentifier="R" maxChoices="1"/>', namespace=QTI_21))
    source = old('<choiceInteraction responseIdentifier="R" maxChoices="1"/>', namespace=namespace)
    assert read_item(source) == usual
    assert codes(source) == ["unusual-namespace"]


def test_prefixed_documents_keep_their_prefix() -> None:
    source = (
        f'<q:assessmentItem xmlns:q="{QTI_21}" identifier="Q"><q:itemBody><q:p>x</q:p></q:itemBody></q:assessmentItem>'
    )
    assert read_item(source.encode()).xml.decode() == (
        f'<q:qti-assessment-item xmlns:q="{QTI}" identifier="Q"><q:qti-item-body><q:p>x</q:p></q:qti-item-body>'
        "</q:qti-assessment-item>"
    )


def test_schema_locations_point_to_3_0() -> None:
    location = read_item(ITEM_21).root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
    assert location == (f"{QTI} https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd")


def test_comments_instructions_and_the_text_around_them_stay() -> None:
    source = old("<p>a<!-- b -->c<?d e?>f</p>").replace(b"<assessmentItem", b"<!-- 1 --><?x 2?><assessmentItem", 1)
    item = read_item(source + b"<!-- 3 -->")
    assert body_of(source) == "<p>a<!-- b -->c<?d e?>f</p>"
    assert item.xml.startswith(b"<!-- 1 -->\n<?x 2?>\n<qti-assessment-item")
    assert item.xml.endswith(b"\n<!-- 3 -->")


def test_lines_are_those_of_the_old_document() -> None:
    item = read_item(ITEM_21)
    assert [interaction.line for interaction in item.interactions] == [31, 36]
    assert item.response_declarations[1].line == 8


def test_base_and_language_stay() -> None:
    item = read_item(old('<p xml:base="media/" xml:lang="en">x</p>'))
    (paragraph,) = item.root.iter(qti("p"))
    assert paragraph.get(XML_LANG) == "en"
    assert paragraph.get("{http://www.w3.org/XML/1998/namespace}base") == "media/"


def test_content_bodies_may_not_nest_documents_too_deeply() -> None:
    block = '<feedbackBlock outcomeIdentifier="F" identifier="a">'
    assert read_item(read_item(old(block * 100 + "</feedbackBlock>" * 100)).xml)
    with pytest.raises(ItemError) as caught:
        read_item(old(block * 200 + "</feedbackBlock>" * 200))
    assert [finding.code for finding in caught.value.findings] == ["too-deep"]


@given(st.data())
def test_a_broken_old_document_gives_findings_or_a_document_that_reads_back(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["item_20", "item_21", "item_22", "test_21", "stimulus_22"]))
    source = bytearray(fixture(f"qti2/{name}.xml"))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(source) - 1))
        source[place : place + data.draw(st.integers(0, 30))] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"<p>", b"</p>", b" xmlns=''", b"<!--", b"<rubricBlock/>"])
        )
    try:
        document = read_document(bytes(source))
    except ItemError as error:
        assert error.findings  # noqa: PT017 (either outcome is right)
    else:
        assert read_document(document.xml) == document
        assert read_document(convert(document, to="qti22")).identifier == document.identifier
        check(document)
