"""Small readings of formula trees that every converter here needs."""

from __future__ import annotations

from lxml import etree

from item_formats.parsing import local_name
from item_formats.vocabulary import MATHML


def elements_in(node: etree._Element) -> list[etree._Element]:
    """Child elements, without comments and processing instructions."""
    return [child for child in node if local_name(child)]


def text_of(node: etree._Element) -> str:
    return "".join(str(text) for text in node.itertext())


def math_element() -> etree._Element:
    """An empty ``<math>`` whose namespace is the default one."""
    return etree.fromstring(f'<math xmlns="{MATHML}"/>')
