"""Metadata: LOM and QTI metadata as plain values, written back, and nothing lost that is not known."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from item_formats.packages.lom import (
    LOM,
    Classification,
    Educational,
    General,
    LangString,
    Lom,
    Taxon,
    TaxonPath,
    Term,
    lom_element,
    read_lom,
)
from item_formats.packages.metadata import Metadata, QtiMetadata, metadata_elements, read_metadata
from item_formats.packages.records import Record, fragment
from item_formats.parsing import parse

characters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn"))
texts = st.text(characters, max_size=8)


def records(record: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a record class, from the types of its fields."""
    hints = get_type_hints(record)
    known = {one.name: of_type(hints[one.name]) for one in fields(record) if not one.name.startswith("unknown")}
    return st.builds(record, **known)


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is tuple:
        return st.lists(of_type(get_args(hint)[0]), max_size=2).map(tuple)
    options = [one for one in get_args(hint) if one is not type(None)] or [hint]
    inner = options[0]
    if is_dataclass(inner):
        return st.none() | records(inner) if len(get_args(hint)) > 1 else records(inner)
    return st.none() | texts if type(None) in get_args(hint) else texts


def read(xml: str) -> Lom:
    return read_lom(parse(xml.encode()))


@given(records(Lom))
def test_every_lom_comes_back_as_it_was(lom: Lom) -> None:
    written = etree.tostring(lom_element(lom))
    assert read_lom(parse(written)) == lom


def test_a_classification_reads_as_the_path_through_a_standard() -> None:
    lom = read(
        f'<lom xmlns="{LOM}"><classification><purpose><source>LOMv1.0</source><value>competency</value></purpose>'
        '<taxonPath><source><string language="zh">国家职业技能标准</string></source>'
        '<taxon><id>3</id><entry><string language="zh">智能训练</string></entry></taxon>'
        "<taxon><id>3.1</id></taxon></taxonPath></classification></lom>"
    )
    assert lom.classifications == (
        Classification(
            purpose=Term(source="LOMv1.0", value="competency"),
            paths=(
                TaxonPath(
                    source=(LangString(text="国家职业技能标准", language="zh"),),
                    taxa=(
                        Taxon(identifier="3", entry=(LangString(text="智能训练", language="zh"),)),
                        Taxon(identifier="3.1"),
                    ),
                ),
            ),
        ),
    )


def test_metadata_of_qti_2_packages_are_the_same_values() -> None:
    lom = read(
        """<lom xmlns="http://www.imsglobal.org/xsd/imsmd_v1p2">
        <general><identifier>old</identifier>
          <title><langstring xml:lang="en">Addition</langstring><langstring xml:lang="x-none">Plus</langstring></title>
          <catalogentry><catalog>bank</catalog><entry><langstring>17</langstring></entry></catalogentry>
          <language>en</language></general>
        <lifecycle><version><langstring>2</langstring></version>
          <contribute><role><source><langstring>LOMv1.0</langstring></source><value><langstring>author</langstring>
          </value></role><centity><vcard>BEGIN:VCARD END:VCARD</vcard></centity>
          <date><datetime>2005</datetime></date></contribute></lifecycle>
        <educational><difficulty><source><langstring xml:lang="x-none">LOMv1.0</langstring></source>
          <value><langstring xml:lang="x-none">easy</langstring></value></difficulty>
          <typicallearningtime><datetime>PT5M</datetime></typicallearningtime></educational>
        <classification><taxonpath><source><langstring>s</langstring></source>
          <taxon><id>1</id><taxon><id>2</id><taxon><id>3</id></taxon></taxon></taxon></taxonpath></classification>
        </lom>"""
    )
    assert lom.general is not None
    assert lom.general.title == (LangString(text="Addition", language="en"), LangString(text="Plus"))
    assert [(one.catalog, one.entry) for one in lom.general.identifiers] == [(None, "old"), ("bank", "17")]
    assert lom.life_cycle is not None
    assert lom.life_cycle.version == (LangString(text="2"),)
    contribution = lom.life_cycle.contributions[0]
    assert contribution.role == Term(source="LOMv1.0", value="author")
    assert contribution.entities == ("BEGIN:VCARD END:VCARD",)
    assert contribution.date is not None
    assert contribution.date.moment == "2005"
    assert lom.educational[0].difficulty == Term(source="LOMv1.0", value="easy")
    assert lom.educational[0].learning_time is not None
    assert lom.educational[0].learning_time.duration == "PT5M"
    assert [taxon.identifier for taxon in lom.classifications[0].paths[0].taxa] == ["1", "2", "3"]


def unknown_parts(value: object) -> list[bytes]:
    if isinstance(value, tuple):
        return [found for one in value for found in unknown_parts(one)]
    if not isinstance(value, Record):
        return []
    inside = [
        found for one in fields(value) if one.name != "unknown" for found in unknown_parts(getattr(value, one.name))
    ]
    return [*value.unknown, *inside]


def test_what_is_not_known_is_kept_where_it_stood() -> None:
    xml = (
        f'<lom xmlns="{LOM}" xmlns:v="urn:v"><general><title><string>甲</string><v:title>乙</v:title></title>'
        "<v:mine a='1'>text <v:b/> tail</v:mine></general><v:other/></lom>"
    )
    lom = read(xml)
    assert len(unknown_parts(lom)) == 3
    again = read_lom(parse(etree.tostring(lom_element(lom))))
    assert again == lom
    written = fragment(lom_element(lom)).decode()
    for part in ("乙", "text <v:b></v:b> tail", "v:other"):
        assert part in written


def test_foreign_attributes_and_the_prefixes_values_use_are_kept() -> None:
    lom = read(
        f'<lom xmlns="{LOM}" xmlns:v="urn:v"><general v:kind="k"/><v:own xmlns:xsi="urn:xsi" xsi:type="v:Own"/></lom>'
    )
    assert lom.general is not None
    assert lom.general.unknown_attributes == (("{urn:v}kind", "k"),)
    written = parse(etree.tostring(lom_element(lom)))
    assert written[0].get("{urn:v}kind") == "k"
    assert written[1].nsmap["v"] == "urn:v"


def test_wrong_values_are_kept_not_refused() -> None:
    metadata = read_metadata(
        parse(
            b'<metadata><qtiMetadata xmlns="http://www.imsglobal.org/xsd/imsqti_metadata_v2p1">'
            b"<timeDependent>perhaps</timeDependent><composite>false</composite>"
            b"<interactionType>choiceInteraction</interactionType><interactionType>newInteraction</interactionType>"
            b"</qtiMetadata></metadata>"
        )
    )
    assert metadata.qti is not None
    assert metadata.qti.composite is False
    assert metadata.qti.time_dependent is None
    assert metadata.qti.interaction_types == ("choiceInteraction",)
    assert [b"perhaps" in metadata.qti.unknown[0], b"newInteraction" in metadata.qti.unknown[1]] == [True, True]


@pytest.mark.parametrize(
    "metadata",
    [
        Metadata(),
        Metadata(lom=Lom(educational=(Educational(difficulty=Term(value="difficult")),))),
        Metadata(qti=QtiMetadata(interaction_types=("choiceInteraction",), scoring_modes=("human",), composite=True)),
        Metadata(
            lom=Lom(general=General(title=(LangString(text="题"),))),
            unknown=(b'<x:own xmlns:x="urn:x"><x:a>1</x:a></x:own>',),
        ),
    ],
)
def test_metadata_come_back_from_an_element(metadata: Metadata) -> None:
    element = etree.Element("metadata")
    element.extend(metadata_elements(metadata))
    assert read_metadata(parse(etree.tostring(element))) == metadata
    assert bool(metadata) is (len(element) > 0)
