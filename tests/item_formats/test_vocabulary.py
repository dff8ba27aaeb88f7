"""The words of QTI 3: complete, and spelled in 2.x in exactly one way."""

from __future__ import annotations

import pytest
from lxml import etree

from item_formats.vocabulary import ELEMENTS, HTML, HTML5, INTERACTIONS, camel, kebab
from tests.shared import shared

XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMA = "qti/schemas/qtiv3p0/imsqti_asiv3p0_sbacv1p0_v1p0.xsd"


def test_there_are_202_elements_and_22_interactions() -> None:
    assert len(ELEMENTS) == 202
    assert len(INTERACTIONS) == 22
    assert set(INTERACTIONS) == {name for name in ELEMENTS if name.endswith("-interaction")}
    assert HTML5 < HTML
    assert not HTML & set(ELEMENTS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("simpleMatchSet", "simple-match-set"),
        ("durationGTE", "duration-gte"),
        ("anyN", "any-n"),
        ("gapImg", "gap-img"),
        ("incrementSI", "increment-si"),
        ("hottextInteraction", "hottext-interaction"),
        ("p", "p"),
    ],
)
def test_names_are_spelled_in_camel_case_in_2_and_with_hyphens_in_3(old: str, new: str) -> None:
    assert kebab(old) == new
    assert camel(new) == old


def test_every_name_has_its_way_back() -> None:
    names = {name.removeprefix("qti-") for name in ELEMENTS}.union(*ELEMENTS.values())
    assert {name: kebab(camel(name)) for name in names} == {name: name for name in names}
    assert len({camel(name.removeprefix("qti-")) for name in ELEMENTS}) == len(ELEMENTS)


def test_the_elements_and_their_attributes_are_those_of_the_schema() -> None:
    schema = etree.parse(str(shared(SCHEMA))).getroot()
    types = {one.get("name"): one for one in schema.iterchildren(XS + "complexType")}
    groups = {one.get("name"): one for one in schema.iterchildren(XS + "attributeGroup")}

    def attributes(node: etree._Element) -> set[str]:
        found = {str(one.get("name") or one.get("ref")) for one in node.iterchildren(XS + "attribute")}
        for one in node.iterchildren(XS + "attributeGroup"):
            found |= attributes(groups[one.get("ref")]) if one.get("ref") in groups else set()
        for one in node.iterchildren(*(XS + name for name in ("simpleContent", "complexContent"))):
            found |= attributes(one)
        for one in node.iterchildren(*(XS + name for name in ("extension", "restriction"))):
            found |= attributes(one) | (attributes(types[one.get("base")]) if one.get("base") in types else set())
        return found

    common = {"id", "class", "label", "lang", "dir", "role", "xml:lang", "xml:base"}
    of_schema: dict[str, set[str]] = {}
    for element in schema.iter(XS + "element"):
        name, kind = element.get("name"), element.get("type")
        if name is not None and name.startswith("qti-"):
            own = of_schema.setdefault(name, set())
            own |= attributes(types[kind]) if kind in types else set()
    assert {
        name: {one for one in own - common if not one.startswith(("aria-", "data-"))} for name, own in of_schema.items()
    } == {name: set(own) for name, own in ELEMENTS.items()}
