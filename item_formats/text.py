"""Text as a person reads it: of marked-up content, and of marks."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from item_formats.parsing import local_name

if TYPE_CHECKING:
    from decimal import Decimal

    from lxml import etree

_BLOCK_NAMES = """
    p div pre h1 h2 h3 h4 h5 h6 address dl dt dd ol ul li hr blockquote table caption thead tbody tfoot tr figure
    figcaption article aside footer header nav section details summary
    qti-prompt qti-content-body qti-template-block qti-simple-choice
"""
BLOCKS = frozenset(_BLOCK_NAMES.split())
# Never part of what an element says to its reader by itself.
ASIDES = frozenset(
    {"qti-rubric-block", "qti-feedback-block", "qti-feedback-inline", "qti-modal-feedback", "annotation"}
)

_FORMATTING = re.compile(r"[ \t\r]*\n[ \t\r\n]*")  # line breaks of the XML file: markup writes <br/> for its own
_BOUNDARY = "\x00"  # between blocks; cannot occur in XML
_EDGES = f" \t\n{_BOUNDARY}"
_BOUNDARIES = re.compile(rf"[ \t]*{_BOUNDARY}[ \t{_BOUNDARY}]*")
_XML_CHARACTERS = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def visible_text(element: etree._Element, *, without: frozenset[str] = frozenset()) -> str:
    """The element's text: blocks and ``<br/>`` on lines of their own, no rubrics, feedback or comments.

    Elements named in `without` are left out too. Runs of spaces stay (they can be code); line breaks that only
    format the XML become one space.
    """
    name = local_name(element)
    if not len(element) and name != "pre":  # most options are text and nothing else
        return without_formatting(element.text or "").strip(" \t\n")
    pieces: list[str] = []
    _collect(element, name, pieces, ASIDES | without if without else ASIDES, preformatted=False)
    text = "".join(pieces).strip(_EDGES)
    return _BOUNDARIES.sub("\n", text) if _BOUNDARY in text else text


def without_formatting(text: str) -> str:
    """A text node without the line breaks that only format the XML."""
    return _FORMATTING.sub(" ", text) if "\n" in text else text


def as_markup(text: str) -> str:
    """Plain text as XML content, a ``<br/>`` for every line break; `visible_text` gives the text back."""
    return escape(text, quote=False).replace("\n", "<br/>")


def forbidden_characters(text: str) -> list[str]:
    """Characters that XML 1.0 cannot hold, such as U+0000."""
    return _XML_CHARACTERS.findall(text)


def _collect(
    element: etree._Element, name: str, pieces: list[str], without: frozenset[str], *, preformatted: bool
) -> None:
    if name == "br":
        pieces.append("\n")
        return
    preformatted = preformatted or name == "pre"
    block = name in BLOCKS
    if block:
        pieces.append(_BOUNDARY)
    elif name in {"td", "th"}:
        pieces.append(" ")
    if element.text:
        pieces.append(element.text if preformatted else without_formatting(element.text))
    for child in element:
        child_name = local_name(child)
        if child_name and child_name not in without:
            _collect(child, child_name, pieces, without, preformatted=preformatted)
        if child.tail:
            pieces.append(child.tail if preformatted else without_formatting(child.tail))
    if block:
        pieces.append(_BOUNDARY)


def plain_marks(marks: Decimal) -> str:
    """Marks without trailing zeros or exponent: 0.5, 20, 100."""
    return f"{marks.normalize():f}" if marks.is_finite() else str(marks)
