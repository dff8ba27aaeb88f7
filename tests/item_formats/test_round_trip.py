"""Nothing is lost: by reading and writing, and by going to QTI 2 and back."""

from __future__ import annotations

import functools
from pathlib import Path
from xml.etree.ElementTree import canonicalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from item_formats import ItemError, read_item
from item_formats.conversion import convert, converted, read_document
from item_formats.vocabulary import ELEMENTS, HTML, INTERACTIONS
from tests.item_formats.documents import document
from tests.item_formats.fixtures import DOCUMENTS, QTI_2
from tests.item_formats.fixtures import INTERACTIONS as INTERACTION_FIXTURES
from tests.shared import shared, shared_folder

SCHEMA = "qti/schemas/qtiv3p0/imsqti_asiv3p0_sbacv1p0_v1p0.xsd"
SHARED_FILES = sorted((shared_folder() / "qti" / "files").rglob("*.xml"))
# What 2.2 has no place for; the export names it.
LOST = ("qti-context-declaration", "qti-companion-materials-info", "qti-catalog-info", "qti-adaptive-selection")


@functools.cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(shared(SCHEMA))))


def assert_valid(xml: bytes) -> None:
    """Valid by the schema, which is a profile: it allows no data-* beyond its own, and APIP is not its matter."""
    root = etree.fromstring(xml)
    for element in list(root.iter("*")):
        for name in [str(name) for name in element.attrib if str(name).startswith("data-")]:
            del element.attrib[name]
        if "apip" in str(element.tag):
            element.getparent().remove(element)
    schema().assertValid(root)


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", [*INTERACTION_FIXTURES, *DOCUMENTS], ids=name_of)
def test_what_is_read_is_written(path: Path) -> None:
    source = path.read_bytes()
    read = read_document(source)
    assert canonicalize(read.xml.decode(), with_comments=True) == canonicalize(source.decode(), with_comments=True)
    assert read_document(read.xml) == read


@pytest.mark.parametrize("path", [*INTERACTION_FIXTURES, *DOCUMENTS], ids=name_of)
def test_own_fixtures_are_valid(path: Path) -> None:
    assert_valid(path.read_bytes())


@pytest.mark.parametrize("path", QTI_2, ids=name_of)
def test_what_was_upgraded_is_valid(path: Path) -> None:
    assert_valid(read_document(path).xml)


def test_there_is_a_fixture_for_each_interaction() -> None:
    found = {interaction.name for path in INTERACTION_FIXTURES for interaction in read_item(path).interactions}
    assert found == set(INTERACTIONS)


@pytest.mark.parametrize("path", INTERACTION_FIXTURES, ids=name_of)
def test_every_interaction_comes_back_from_2_2(path: Path) -> None:
    item = read_item(path)
    assert read_item(convert(item, to="qti22")) == item


@pytest.mark.parametrize("path", INTERACTION_FIXTURES, ids=name_of)
def test_every_interaction_comes_back_from_2_1_save_what_was_named(path: Path) -> None:
    item = read_item(path)
    conversion = converted(item, to="qti21")
    again = read_item(conversion.xml)
    assert [interaction.name for interaction in again.interactions] == [one.name for one in item.interactions]
    assert again.response_declarations == item.response_declarations
    lost = [finding for finding in conversion.findings if finding.code != "portable-custom-interaction"]
    assert (again == item) is not bool(lost)


@pytest.mark.parametrize("path", QTI_2, ids=name_of)
def test_what_came_from_2_x_comes_back_from_2_2(path: Path) -> None:
    upgraded = read_document(path)
    assert read_document(convert(upgraded, to="qti22")) == upgraded


def test_of_a_rich_item_only_what_was_named_is_lost() -> None:
    source = next(path for path in DOCUMENTS if path.stem == "rich_item").read_bytes()
    root = etree.fromstring(source)
    for element in list(root):
        if isinstance(element.tag, str) and etree.QName(element).localname in LOST:
            previous = element.getprevious()
            if previous is None:
                root.text = (root.text or "") + (element.tail or "")
            else:
                previous.tail = (previous.tail or "") + (element.tail or "")
            element.tail = None
            root.remove(element)
    rest = read_item(etree.tostring(root.getroottree(), encoding="utf-8"))
    assert read_item(convert(rest, to="qti22")) == rest
    assert read_item(convert(source, to="qti22")) == rest
    assert len(converted(source, to="qti22").findings) == 3


@pytest.mark.parametrize("name", [name for name in ELEMENTS if name not in {*LOST, "qti-portable-custom-interaction"}])
def test_every_element_with_every_attribute_comes_back_from_2_2(name: str) -> None:
    attributes = "".join(f' {attribute}="v"' for attribute in sorted(ELEMENTS[name]))
    use = "" if name == "qti-rubric-block" else attributes
    body = "<qti-content-body><p>一</p></qti-content-body>"
    content = body if name in {"qti-rubric-block", "qti-modal-feedback"} else "一"
    rubric = ' view="scorer" use="scoring"' if name == "qti-rubric-block" else use
    source = document(f'<qti-item-body><p>前<{name}{rubric} class="c">{content}</{name}>后</p></qti-item-body>')
    item = read_item(source)
    if name in {"qti-feedback-block", "qti-template-block", "qti-test-feedback"}:
        item = read_item(source.replace("一".encode(), body.encode()))
    assert read_item(convert(item, to="qti22")) == item


@pytest.mark.parametrize("name", sorted(HTML))
def test_every_html_element_comes_back_from_2_2(name: str) -> None:
    item = read_item(document(f'<qti-item-body><div>前<{name} class="c" title="t">x</{name}>后</div></qti-item-body>'))
    assert read_item(convert(item, to="qti22")) == item


_space = st.text(" \n\t", max_size=4)
_text = st.text(" \n甲", max_size=4)
_leaf = st.sampled_from(
    ["<p>甲</p>", "<br/>", "<!-- 注 -->", "<?p i?>", '<div class="qti-content-body">乙</div>', '<div class="k"/>']
)
_content = st.lists(st.one_of(_text, _leaf), max_size=4).map("".join)


@st.composite
def _blocks(draw: st.DrawFn) -> str:
    """A block with a content body, white space and comments anywhere they may stand."""
    name = draw(st.sampled_from(["rubric-block", "feedback-block", "template-block", "modal-feedback"]))
    attributes = {
        "rubric-block": 'view="scorer" use="scoring"',
        "feedback-block": 'outcome-identifier="F" identifier="a"',
        "template-block": 'template-identifier="T" identifier="a"',
        "modal-feedback": 'outcome-identifier="F" identifier="a" show-hide="show"',
    }[name]
    style = draw(st.sampled_from(["", '<qti-stylesheet href="a.css" type="text/css"/>', "<!-- 注 -->"]))
    own = draw(st.sampled_from(["", ' class="k"', ' class="qti-content-body"']))
    body = f"<qti-content-body{own}>{draw(_content)}</qti-content-body>"
    inside = f"{draw(_space)}{style}{draw(_space)}{body}{draw(_space)}"
    return f"<qti-{name} {attributes}>{inside}</qti-{name}>"


@settings(max_examples=400)
@given(st.lists(_blocks(), min_size=1, max_size=2), _text)
def test_content_bodies_come_back_to_the_last_space(blocks: list[str], between: str) -> None:
    item = read_item(document(f"<qti-item-body>{between.join(blocks)}</qti-item-body>"))
    assert read_item(convert(item, to="qti22")) == item


def shared_documents() -> list[Path]:
    return [path for path in SHARED_FILES if b"assessmentResult" not in path.read_bytes()[:400]]


@pytest.mark.skipif(not SHARED_FILES, reason="the shared test data is not beside this checkout (TIKU_SHARED)")
def test_the_documents_of_other_engines_come_back_from_2_2() -> None:
    read = 0
    for path in shared_documents():
        original = read_document(path)
        assert read_document(original.xml) == original, path
        assert read_document(convert(original, to="qti22")) == original, path
        read += 1
    assert read > 150


@pytest.mark.skipif(not SHARED_FILES, reason="the shared test data is not beside this checkout (TIKU_SHARED)")
def test_the_documents_of_other_engines_are_written_to_2_1() -> None:
    for path in shared_documents():
        original = read_document(path)
        conversion = converted(original, to="qti21")
        assert read_document(conversion.xml).identifier == original.identifier
        if not conversion.findings:
            assert read_document(conversion.xml) == original, path


def test_no_document_is_written_half() -> None:
    with pytest.raises(ItemError):
        convert(b"<assessmentItem", to="qti22")


def test_an_ampersand_in_the_address_of_a_namespace_is_written_as_xml() -> None:
    """libxml2 leaves it bare in canonical XML, which nobody could read again."""
    inside = (
        '<!-- <x xmlns="a&b"> --><?keep <x xmlns="a&b">?><v:x xmlns:v="http://v.example/?a=1&amp;b=2" v:y="c&amp;d">'
        ' xmlns="e&amp;f"<z xmlns="urn:z?&amp;amp;"/></v:x>'
    )
    item = read_item(document(f"<qti-item-body>{inside}</qti-item-body>"))
    assert read_item(item.xml).xml == item.xml
    assert inside.replace('amp;"/></v:x>', 'amp;"></z></v:x>').encode() in item.xml
