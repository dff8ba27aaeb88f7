"""XML from anywhere is hostile until it has been read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from item_formats import ItemError, check, read_item
from item_formats.parsing import MAX_BYTES, canonical_bytes, parse
from tests.item_formats.documents import QTI, capitals, correct, document, single

if TYPE_CHECKING:
    from pathlib import Path

ENTITY_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<qti-assessment-item xmlns="%s" identifier="x" title="&d;"/>""" % QTI.encode()


def code_of(source: bytes | Path) -> str:
    with pytest.raises(ItemError) as caught:
        read_item(source)
    (finding,) = caught.value.findings
    assert finding.severity == "error"
    return finding.code


def test_an_entity_bomb_is_refused() -> None:
    assert code_of(ENTITY_BOMB) in {"doctype", "entity"}


def test_an_external_entity_is_refused_and_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("机密", encoding="utf-8")
    source = (
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
        f'<qti-assessment-item xmlns="{QTI}" identifier="x"><p>&e;</p></qti-assessment-item>'
    )
    with pytest.raises(ItemError) as caught:
        read_item(source.encode())
    assert caught.value.findings[0].code == "doctype"
    assert "机密" not in str(caught.value)


def test_a_document_type_is_refused_even_without_entities() -> None:
    assert code_of(b"<!DOCTYPE html>" + document("")) == "doctype"


def test_a_million_levels_are_refused_not_climbed() -> None:
    deep = 1_000_000
    assert code_of(document("<p>" * deep + "</p>" * deep)) == "too-deep"


def test_a_truncated_document_is_refused_with_its_line() -> None:
    with pytest.raises(ItemError) as caught:
        read_item(capitals(correct("rome"))[:-40], file="cut.xml")
    (finding,) = caught.value.findings
    assert (finding.code, finding.file) == ("not-xml", "cut.xml")
    assert finding.line is not None
    assert finding.line > 5


@pytest.mark.parametrize("source", [b"", b"   ", b"no xml at all", b"\xff\xfe\x00", b"\x00" * 40])
def test_what_is_no_xml_is_a_finding_not_a_traceback(source: bytes) -> None:
    assert code_of(source) == "not-xml"


def test_the_wrong_namespace_says_which_one_was_expected() -> None:
    with pytest.raises(ItemError, match=QTI) as caught:
        read_item(document("").replace(QTI.encode(), b"http://example.org/other"))
    assert caught.value.findings[0].code == "wrong-namespace"


def test_other_qti_versions_and_other_documents_are_told_apart() -> None:
    assert code_of(b'<questestinterop><item ident="x"/></questestinterop>') == "qti-version"
    assert code_of(f'<qti-assessment-test xmlns="{QTI}" identifier="x"/>'.encode()) == "not-an-item"


def test_an_item_without_identifier_is_refused() -> None:
    assert code_of(document("", identifier="")) == "no-identifier"


def test_too_much_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    assert code_of(b"<" * (MAX_BYTES + 1)) == "too-large"
    huge = tmp_path / "huge.xml"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert code_of(huge) == "too-large"


def test_a_relative_namespace_has_no_canonical_form() -> None:
    assert code_of(document('<p xmlns:r="relative/address" r:a="1"/>')) == "not-canonical"


def test_canonical_bytes_do_not_depend_on_how_the_document_was_typed() -> None:
    plain = document('<qti-item-body><p class="a" id="b"></p></qti-item-body>')
    typed = b'<?xml version="1.0" encoding="UTF-8"?>\n' + plain.replace(
        b'<p class="a" id="b"></p>', b"<p  id='b' class='a' />"
    )
    assert read_item(plain) == read_item(typed)
    assert read_item(typed).xml == plain.replace(
        b'identifier="foreign" title="Capitals" time-dependent="false"',
        b'identifier="foreign" time-dependent="false" title="Capitals"',
    )


def test_nothing_is_lost_also_not_comments_instructions_and_strange_elements() -> None:
    source = b'<!-- before --><?pi x?>\n<a xmlns:s="urn:s"><!-- in --><s:b c="1">t</s:b> tail</a>\n<!-- after -->'
    assert canonical_bytes(parse(source)) == source.replace(b"<?pi x?>", b"\n<?pi x?>")


@given(st.data())
def test_a_broken_item_gives_findings_or_an_item_that_can_be_checked(data: st.DataObject) -> None:
    source = bytearray(single().xml)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(source) - 1))
        source[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=6))
    try:
        item = read_item(bytes(source))
    except ItemError as error:
        assert error.findings  # noqa: PT017 (either outcome is right)
    else:
        assert read_item(item.xml) == item
        check(item)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("a" * 10_100_000, "too-long"),
        (f"<{'a' * 60_000}/>", "too-long"),
        ("<p" + "".join(f' a{place}="1"' for place in range(300)) + "/>", "too-many-attributes"),
        ("<p" + "".join(f' xmlns:a{place}="urn:{place}"' for place in range(70)) + "/>", "too-many-namespaces"),
        ("".join(f'<p xmlns:a{place}="urn:{place}">' for place in range(70)) + "</p>" * 70, "too-many-namespaces"),
        ("<p>&nbsp;</p>", "entity"),
    ],
    ids=["text", "name", "attributes", "namespaces", "nested namespaces", "entity"],
)
def test_every_limit_has_a_code_of_its_own(content: str, code: str) -> None:
    assert code_of(document(content)) == code
    if code.startswith("too-many"):
        assert code_of(document(content).decode().encode("utf-16")) == code


def test_many_namespaces_beside_each_other_are_fine() -> None:
    read_item(document('<x:p xmlns:x="urn:x"/>' * 200))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_documents_in_an_encoding_they_name_are_read(encoding: str) -> None:
    text = document("<p>题库</p>").decode()
    declared = "" if encoding.startswith("utf") else f'<?xml version="1.0" encoding="{encoding}"?>'
    assert read_item((declared + text).encode(encoding)) == read_item(text.encode())


@pytest.mark.parametrize("declared", ["", '<?xml version="1.0" encoding="klingon"?>'])
def test_a_wrong_encoding_is_a_finding_that_says_what_to_do(declared: str) -> None:
    text = declared + document("<p>题库</p>").decode()
    with pytest.raises(ItemError, match="save it as UTF-8") as caught:
        read_item(text.encode("utf-8" if declared else "gb18030"))
    assert caught.value.findings[0].code == "encoding"
