"""QTI 3.0 to 2.2 and 2.1: in their words, and what they have no words for is named."""

from __future__ import annotations

from xml.etree.ElementTree import canonicalize

import pytest
from lxml import etree

from item_formats import ItemError, read_item, read_stimulus, read_test
from item_formats.conversion import Target, convert, converted, read_document
from item_formats.documents import Document
from item_formats.upgrading import CONTENT_BODY_CLASS
from item_formats.vocabulary import HTML5_22, PCI_1, QTI_21, QTI_22, XHTML
from tests.item_formats.documents import document
from tests.item_formats.fixtures import fixture

RICH = fixture("documents/rich_item.xml")


def written(body: str, to: Target = "qti22") -> str:
    """The item body of the export, without the namespace declarations of its root."""
    root = etree.fromstring(convert(document(f"<qti-item-body>{body}</qti-item-body>"), to=to))
    space = {"qti22": QTI_22, "qti21": QTI_21}[to]
    text = etree.tostring(root[0], encoding="unicode", with_tail=False)
    for declaration in (f' xmlns="{space}"', f' xmlns:qh5="{HTML5_22}"'):
        text = text.replace(declaration, "")
    return text[len("<itemBody>") : -len("</itemBody>")]


def canonical(body: str) -> str:
    return canonicalize(f'<x xmlns:qh5="{HTML5_22}">{body}</x>')


def findings(source: bytes | Document, to: Target) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in converted(source, to=to).findings]


def test_an_item_is_written_in_the_names_of_2_2() -> None:
    root = etree.fromstring(convert(fixture("interactions/match.xml"), to="qti22"))
    assert root.tag == f"{{{QTI_22}}}assessmentItem"
    assert root.get("timeDependent") == "false"
    names = {etree.QName(element).localname for element in root.iter("*")}
    assert {"responseDeclaration", "mapEntry", "matchInteraction", "simpleMatchSet", "simpleAssociableChoice"} <= names
    (interaction,) = root.iter(f"{{{QTI_22}}}matchInteraction")
    assert dict(interaction.attrib) == {
        "responseIdentifier": "RESPONSE",
        "shuffle": "false",
        "maxAssociations": "2",
        "minAssociations": "1",
    }


@pytest.mark.parametrize(
    ("to", "address"),
    [
        ("qti22", "http://www.imsglobal.org/question/qti_v2p2/rptemplates/map_response"),
        ("qti21", "http://www.imsglobal.org/question/qti_v2p1/rptemplates/map_response"),
    ],
)
def test_standard_templates_get_the_address_of_the_version(to: Target, address: str) -> None:
    root = etree.fromstring(convert(fixture("interactions/match.xml"), to=to))
    assert root.xpath("string(//*[local-name()='responseProcessing']/@template)") == address


def test_a_document_of_3_0_is_its_canonical_bytes() -> None:
    assert convert(RICH) == read_item(RICH).xml
    assert convert(fixture("qti2/test_21.xml"), to="qti3") == read_test(fixture("qti2/test_21.xml")).xml


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            (
                '<qti-rubric-block view="scorer" use="scoring"><qti-content-body><p>一</p></qti-content-body>'
                "</qti-rubric-block>"
            ),
            '<rubricBlock view="scorer" use="scoring"><p>一</p></rubricBlock>',
        ),
        (
            (
                '<qti-feedback-block outcome-identifier="F" identifier="a"><qti-content-body id="b"></qti-content-body>'
                "</qti-feedback-block>"
            ),
            (
                f'<feedbackBlock outcomeIdentifier="F" identifier="a"><div id="b" class="{CONTENT_BODY_CLASS}"/>'
                "</feedbackBlock>"
            ),
        ),
        (
            '<qti-extended-text-interaction response-identifier="R" format="preformatted"/>',
            '<extendedTextInteraction responseIdentifier="R" format="preFormatted"/>',
        ),
        (
            '<section><video src="a.mp4"><track src="a.vtt"/></video></section>',
            '<qh5:section><qh5:video src="a.mp4"><qh5:track src="a.vtt"/></qh5:video></qh5:section>',
        ),
        ("<p data-x='1' aria-label='y' role='note'>z</p>", '<p data-x="1" aria-label="y" role="note">z</p>'),
        (
            '<qti-gap-img identifier="G" match-max="1"><img src="g.JPG" alt="标签" class="k"/></qti-gap-img>',
            (
                '<gapImg identifier="G" matchMax="1"><object data="g.JPG" type="image/jpeg" class="qti-img k">'
                "标签</object></gapImg>"
            ),
        ),
        ('<p><img src="a.png" alt="图"/></p>', '<p><img src="a.png" alt="图"/></p>'),
        ("<p lang='en'>x</p>", '<p data-qti3-lang="en">x</p>'),
        ("<p>前<qti-label>标</qti-label>后</p>", "<p>前<label>标</label>后</p>"),
    ],
)
def test_what_2_2_says_otherwise(body: str, expected: str) -> None:
    assert canonical(written(body)) == canonical(expected)


@pytest.mark.parametrize(
    ("body", "expected", "codes"),
    [
        (
            "<figure>甲<figcaption>乙</figcaption></figure>",
            "<div>甲<div>乙</div></div>",
            ["html5", "html5"],
        ),
        ("<p><ruby>损<rt>sun</rt></ruby></p>", "<p><span>损<span>sun</span></span></p>", ["html5", "html5"]),
        (
            '<audio><source src="a.mp3" type="audio/mpeg"/>听</audio>',
            '<object data="a.mp3" type="audio/mpeg">听</object>',
            ["html5"],
        ),
        ("<p data-x='1' aria-label='y' dir='ltr'>z</p>", "<p>z</p>", ["not-in-qti-2"] * 3),
        ("<p>前<qti-label>标</qti-label>后</p>", "<p>前后</p>", ["not-in-qti-2"]),
        (
            '<qti-inline-choice-interaction response-identifier="R" min-choices="1"/>',
            '<inlineChoiceInteraction responseIdentifier="R"/>',
            ["not-in-qti-2"],
        ),
    ],
)
def test_what_2_1_has_no_words_for(body: str, expected: str, codes: list[str]) -> None:
    assert canonical(written(body, "qti21")) == canonical(expected)
    assert [code for code, _ in findings(document(f"<qti-item-body>{body}</qti-item-body>"), "qti21")] == codes


def test_what_is_left_out_is_named_once_with_its_line() -> None:
    conversion = converted(RICH, to="qti22", file="rich.xml")
    assert [(finding.message, finding.file, finding.line) for finding in conversion.findings] == [
        ("QTI 2.2 has no <qti-context-declaration>; it was left out", "rich.xml", 5),
        ("QTI 2.2 has no <qti-companion-materials-info>; it was left out", "rich.xml", 21),
        ("QTI 2.2 has no <qti-catalog-info>; it was left out", "rich.xml", 38),
    ]
    many = document("<qti-item-body>" + '<p data-a="1">x</p>' * 3 + "</qti-item-body>")
    assert findings(many, "qti21") == [("not-in-qti-2", "QTI 2.1 has no attribute data-*; it was left out (3 times)")]


def test_attributes_2_2_does_not_know_are_kept_for_readers_of_3_0() -> None:
    source = fixture("interactions/gap_match.xml")
    (finding,) = converted(source, to="qti22").findings
    assert finding.code == "kept-for-qti-3"
    assert b'data-qti3-max-associations="2"' in convert(source, to="qti22")
    assert b"max-associations" not in convert(source, to="qti21")


def test_warnings_of_the_reading_come_along() -> None:
    codes = [finding.code for finding in converted(fixture("qti2/item_20.xml"), to="qti22").findings]
    assert codes == ["unusual-namespace", "attribute-not-in-qti-3"]


def test_a_portable_custom_interaction_is_a_custom_interaction_with_a_pci_1_0() -> None:
    root = etree.fromstring(convert(fixture("interactions/portable_custom.xml"), to="qti22"))
    (custom,) = root.iter(f"{{{QTI_22}}}customInteraction")
    assert dict(custom.attrib) == {"responseIdentifier": "RESPONSE"}
    (pci,) = custom
    assert pci.tag == f"{{{PCI_1}}}portableCustomInteraction"
    assert dict(pci.attrib) == {"customInteractionTypeIdentifier": "urn:tiku:switch", "module": "switch"}
    (module,) = pci.iter(f"{{{PCI_1}}}module")
    assert dict(module.attrib) == {
        "id": "switch",
        "primaryPath": "modules/switch.js",
        "fallbackPath": "modules/switch_fallback.js",
    }
    (markup,) = pci.iter(f"{{{XHTML}}}markup")
    assert [child.tag for child in markup] == [f"{{{XHTML}}}div"]


def test_stimuli_are_in_2_2_and_refused_for_2_1() -> None:
    stimulus = read_stimulus(fixture("documents/stimulus.xml"))
    assert etree.fromstring(convert(stimulus, to="qti22")).tag == f"{{{QTI_22}}}assessmentStimulus"
    with pytest.raises(ItemError, match="has no stimuli") as caught:
        convert(stimulus, to="qti21")
    assert caught.value.findings[0].code == "not-in-qti-2-1"


def test_exporting_leaves_the_document_as_it_is() -> None:
    item = read_item(RICH)
    before = item.xml
    convert(item, to="qti22")
    convert(item, to="qti21")
    assert etree.tostring(item.root.getroottree(), method="c14n") == before == item.xml


def test_an_unusual_schema_address_survives() -> None:
    source = RICH.replace(b"imsqti_asiv3p0_v1p0.xsd", b"imsqti_asiv3p0p1_v1p0.xsd")
    exported = convert(source, to="qti22")
    assert f"{QTI_22} http".encode() in exported
    assert b"imsqti_asiv3p0p1_v1p0.xsd" in read_document(exported).xml
