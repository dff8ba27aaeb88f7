"""Ways in which documents are broken: bytes, encodings, attributes, elements, nesting; all of it from a seed."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.vocabulary import ELEMENTS, HTML, QTI

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = [*sorted(ELEMENTS), *sorted(HTML)]
ATTRIBUTES = sorted({name for names in ELEMENTS.values() for name in names})
VALUES = (
    "", " ", "0", "1", "-1", "2.5", "99999999999999999999", "1e999", "-INF", "NaN", "INF", "true", "false", "x", "A",
    "A B", "A B C", "10 20", "0,0,10,10", "{x}", "单选", "SCORE", "RESPONSE", "completionStatus", "duration",
    "numAttempts", "B",
    "single", "multiple", "ordered", "record", "identifier", "string", "integer", "float", "boolean", "pair",
    "directedPair", "point", "file", "uri", "show", "hide", "rect", "circle", "poly", "default", "ellipse", "EXIT_TEST",
    "Q01.SCORE", "javascript:alert(1)", "../../etc/passwd", "http://example.invalid/x", "data:image/png;base64,AAAA",
    "(a+)+b", "[", "\\p{L}", "%n%d%s%*", "exact", "relative 0.1 0.1", "P1D", "PT1.5S", "1.0E400",
    "\U0001f600" * 40, "é" * 3000,
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-32", "gb18030", "big5", "latin-1", "shift_jis", "cp1252")
DECLARED = ("UTF-8", "UTF-16", "GB18030", "ISO-8859-1", "EBCDIC-CP-US", "nonsense", "UTF-7")


def mutated(document: bytes, seed: int) -> bytes:
    """The document after one to six accidents, the last of which may leave no XML."""
    random = Random(seed)  # noqa: S311  # accidents, not secrets
    if random.random() < 0.75:
        document = _broken_tree(document, random)
    if random.random() < 0.4:
        document = random.choice(_ON_BYTES)(document, random)
    return document


def _broken_tree(document: bytes, random: Random) -> bytes:
    root = etree.fromstring(document)
    for _ in range(random.randint(1, 6)):
        elements = list(root.iter("*"))
        random.choice(_ON_TREES)(random.choice(elements), random)
    return etree.tostring(root)


def _drop_attribute(element: etree._Element, random: Random) -> None:
    if element.attrib:
        del element.attrib[random.choice(sorted(map(str, element.attrib)))]


def _change_attribute(element: etree._Element, random: Random) -> None:
    if element.attrib:
        element.set(random.choice(sorted(map(str, element.attrib))), random.choice(VALUES))


def _add_attribute(element: etree._Element, random: Random) -> None:
    element.set(random.choice(ATTRIBUTES), random.choice(VALUES))


def _change_text(element: etree._Element, random: Random) -> None:
    element.text = random.choice(VALUES)


def _rename(element: etree._Element, random: Random) -> None:
    space = random.choice([QTI, QTI, QTI, "", "http://www.w3.org/1998/Math/MathML", "http://example.invalid/"])
    name = random.choice(NAMES)
    element.tag = f"{{{space}}}{name}" if space else name


def _remove(element: etree._Element, random: Random) -> None:  # noqa: ARG001
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _empty(element: etree._Element, random: Random) -> None:  # noqa: ARG001
    if element.getparent() is not None:
        for child in list(element):
            element.remove(child)
        element.text = None


def _double(element: etree._Element, random: Random) -> None:
    parent = element.getparent()
    if parent is not None:
        for _ in range(random.choice([1, 1, 2, 30])):
            parent.insert(random.randint(0, len(parent)), deepcopy(element))


def _move(element: etree._Element, random: Random) -> None:
    root = element.getroottree().getroot()
    others = [one for one in root.iter("*") if one is not element and element not in one.iterancestors()]
    if element is not root and others:
        random.choice(others).append(element)


def _wrap(element: etree._Element, random: Random) -> None:
    parent = element.getparent()
    if parent is None:
        return
    place = parent.index(element)
    outer = inner = etree.Element(f"{{{QTI}}}{random.choice(NAMES)}")
    for _ in range(random.choice([0, 1, 60, 240])):
        inner = etree.SubElement(inner, inner.tag)
    inner.append(element)
    parent.insert(place, outer)


def _insert(element: etree._Element, random: Random) -> None:
    new = etree.SubElement(element, f"{{{QTI}}}{random.choice(NAMES)}")
    new.text = random.choice(VALUES)
    for _ in range(random.randint(0, 3)):
        _add_attribute(new, random)


def _comment(element: etree._Element, random: Random) -> None:
    element.insert(0, random.choice([etree.Comment("x"), etree.ProcessingInstruction("x", "y")]))


_ON_TREES: tuple[Callable[[etree._Element, Random], None], ...] = (
    _drop_attribute, _change_attribute, _change_attribute, _add_attribute, _change_text, _rename, _remove, _empty,
    _double, _move, _wrap, _insert, _comment,
)  # fmt: skip


def _cut(document: bytes, random: Random) -> bytes:
    return document[: random.randint(0, len(document))]


def _flip(document: bytes, random: Random) -> bytes:
    broken = bytearray(document)
    for _ in range(random.choice([1, 1, 3, 50])):
        broken[random.randrange(len(broken))] = random.randrange(256)
    return bytes(broken)


def _shuffle(document: bytes, random: Random) -> bytes:
    first, last = sorted(random.randint(0, len(document)) for _ in range(2))
    to = random.randint(0, len(document))
    return document[:to] + document[first:last] + document[to:]


def _doctype(document: bytes, random: Random) -> bytes:  # noqa: ARG001
    start = document.find(b"?>") + 2 if document.startswith(b"<?") else 0
    return document[:start] + b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + document[start:]


def _encode(document: bytes, random: Random) -> bytes:
    text = document.decode("utf-8", "replace")
    if random.random() < 0.5:
        body = text.partition("?>")[2] if text.startswith("<?") else text
        text = f'<?xml version="1.0" encoding="{random.choice(DECLARED)}"?>{body}'
    return text.encode(random.choice(ENCODINGS), "replace")


def _nest(document: bytes, random: Random) -> bytes:
    place = document.find(b">") + 1
    return document[:place] + b"<p>" * random.choice([200, 300, 100_000]) + document[place:]


_ON_BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (_cut, _flip, _flip, _shuffle, _doctype, _encode, _nest)
