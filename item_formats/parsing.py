"""QTI XML as hostile input: no document type, no entities, no network, bounded depth and size."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import cast

from lxml import etree

from item_formats import vocabulary
from item_formats.findings import Finding, ItemError

QTI, MATHML, SSML = vocabulary.QTI, vocabulary.MATHML, vocabulary.SSML
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# An item with a few embedded pictures stays far below; a megabyte of XML takes libxml2 about 10 ms.
MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 256  # libxml2's own
# Canonical XML takes time with the square of both; honest documents have a tenth of this.
MAX_ATTRIBUTES = 256  # of one element
MAX_NAMESPACES = 64  # declared around one element

# libxml2 without huge_tree also refuses more than 256 levels, text nodes over 10 MB and amplification by entities.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False)
_WHOLE = re.compile(r"\s*\+?[0-9]{1,9}\s*")
_SIGNED = re.compile(r"\s*[+-]?[0-9]{1,9}\s*")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*")


def qti(name: str) -> str:
    """The qualified name lxml uses: ``qti("qti-value")`` is ``{http://…qtiasi_v3p0}qti-value``."""
    return f"{{{QTI}}}{name}"


def split_name(element: etree._Element) -> tuple[str, str]:
    """Namespace and local name; both "" for comments and processing instructions, whose tag is no text."""
    tag: object = element.tag
    return _split(tag) if isinstance(tag, str) else ("", "")


@lru_cache(maxsize=4096)  # the same few hundred names over and over
def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


def local_name(element: etree._Element) -> str:
    return split_name(element)[1]


def first_children(element: etree._Element) -> dict[str, etree._Element]:
    """The first child of each name, by qualified name; one walk costs a fraction of several ``find``."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(child.tag, child)
    return found


def is_qti(element: etree._Element) -> bool:
    return split_name(element)[0] == QTI


def read_source(source: bytes | Path) -> tuple[bytes, str | None]:
    """The bytes of a document and the name findings give it."""
    if isinstance(source, Path):
        if source.stat().st_size > MAX_BYTES:
            raise ItemError(_too_large(source.stat().st_size, str(source)))
        return source.read_bytes(), str(source)
    return source, None


def parse(source: bytes, *, file: str | None = None) -> etree._Element:
    """The root of an XML document from anywhere.

    Raises
    ------
    ItemError
        Not well-formed, too large, too deep, or with a document type declaration (entities are never expanded).
    """
    if len(source) > MAX_BYTES:
        raise ItemError(_too_large(len(source), file))
    try:
        root = etree.fromstring(source, _PARSER)
    except etree.XMLSyntaxError as error:
        raise ItemError(_syntax_finding(error, file)) from None
    except ValueError as error:  # lxml's word for an empty document or an impossible encoding declaration
        raise ItemError(Finding("error", "not-xml", f"not XML: {error}", file=file)) from None
    if root.getroottree().docinfo.internalDTD is not None:
        message = "the document has a <!DOCTYPE>; QTI 3 needs none and entities are never read: remove the declaration"
        raise ItemError(Finding("error", "doctype", message, file=file, line=1))
    _refuse_crowds(root, source, file)
    return root


def _refuse_crowds(root: etree._Element, source: bytes, file: str | None) -> None:
    """Limits libxml2 does not have; only documents long enough to break them are walked."""
    wide = b"\0" in source  # UTF-16 and UTF-32, in which the counts below see nothing
    if wide or source.count(b"=") > MAX_ATTRIBUTES:
        for element in root.iter("*"):
            if len(element.attrib) > MAX_ATTRIBUTES:
                message = f"<{local_name(element)}> has {len(element.attrib)} attributes; {MAX_ATTRIBUTES} are allowed"
                raise ItemError(Finding("error", "too-many-attributes", message, file=file, line=line_of(element)))
    if wide or source.count(b"xmlns") > MAX_NAMESPACES:
        declared = 0
        for event, _ in etree.iterwalk(root, events=("start-ns", "end-ns")):
            declared += 1 if event == "start-ns" else -1
            if declared > MAX_NAMESPACES:
                message = f"more than {MAX_NAMESPACES} namespaces are declared around one element: remove unused ones"
                raise ItemError(Finding("error", "too-many-namespaces", message, file=file))


def canonical_bytes(root: etree._Element, *, file: str | None = None) -> bytes:
    """The whole document as canonical XML 1.0 with comments, in UTF-8: equal documents give equal bytes."""
    try:
        return with_namespaces_escaped(etree.tostring(root.getroottree(), method="c14n", with_comments=True))
    except etree.C14NError as error:  # e.g. a relative namespace address, which canonical XML does not allow
        raise ItemError(Finding("error", "not-canonical", f"cannot be canonical XML: {error}", file=file)) from None


def with_namespaces_escaped(canonical: bytes) -> bytes:
    """Canonical XML as libxml2 writes it, which leaves an ``&`` in the address of a namespace as it is: no XML."""
    if not _AMPERSAND.search(canonical):
        return canonical
    return _BEGINNINGS.sub(
        lambda found: found[0] if found[1] is None else found[0].replace(b"&", b"&amp;"),
        canonical,
    )


# Namespaces are the first in a tag; comments and processing instructions, which may hold anything, are left alone.
_AMPERSAND = re.compile(rb'xmlns[^=\s"]*="[^"]*&')
_BEGINNINGS = re.compile(rb'<!--.*?-->|<\?.*?\?>|<[^\s<>/]+((?: xmlns(?::[^=\s]+)?="[^"]*")+)', re.DOTALL)


def attributes_of(element: etree._Element) -> dict[str, str]:
    """All attributes, by qualified name."""
    return cast("dict[str, str]", dict(element.items()))


def take_attribute(element: etree._Element, name: str) -> str | None:
    """An attribute's value, None without one; the element loses it."""
    value = element.get(name)
    if value is not None:
        del element.attrib[name]
    return value


def bad_attribute(element: etree._Element, name: str, expected: str) -> ItemError:
    message = f'{local_name(element)} has {name}="{element.get(name)}"; expected {expected}'
    return ItemError(Finding("error", "bad-attribute", message, line=line_of(element)))


def integer_attribute(element: etree._Element, name: str, default: int, *, signed: bool = False) -> int:
    text = element.get(name)
    if text is None:
        return default
    if not (_SIGNED if signed else _WHOLE).fullmatch(text):
        raise bad_attribute(element, name, "a whole number" if signed else "a whole number, 0 or more")
    return int(text)


def is_true(element: etree._Element, name: str, *, default: bool = False) -> bool:
    text = element.get(name)
    return default if text is None else text.strip() in {"true", "1"}


def number_attribute(element: etree._Element, name: str, default: float | None = None) -> float | None:
    text = element.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        raise bad_attribute(element, name, "a number such as 0.5")
    return float(text)


def line_of(element: etree._Element) -> int | None:
    """The line in the document the element was parsed from."""
    line: object = element.sourceline
    return line if isinstance(line, int) else None


def _too_large(size: int, file: str | None) -> Finding:
    return Finding(
        "error",
        "too-large",
        f"{size:,} bytes; an item may have {MAX_BYTES:,}: keep large media beside the item instead of inside it",
        file=file,
    )


def _syntax_finding(error: etree.XMLSyntaxError, file: str | None) -> Finding:
    line, column = error.position
    reason = error.msg or "empty document"
    code, message = next(
        ((code, f"{said} ({reason}); {advice}") for code, words, said, advice in _REASONS if words.search(reason)),
        ("not-xml", f"not well-formed XML: {reason}"),
    )
    return Finding("error", code, message, file=file, line=line, column=str(column) if column else None)


# What libxml2 says, and what that means for the person who made the document.
_REASONS = (
    (
        "too-deep",
        re.compile("Excessive depth|xmlParseStartTag"),
        "elements are nested too deeply",
        f"{MAX_DEPTH} levels are allowed",
    ),
    (
        "entity",
        re.compile("[Ee]ntity|mplification|internal subset|PEReference"),
        "the document uses entities",
        "write the characters themselves",
    ),
    (
        "too-long",
        re.compile("too long|too big|size limit|Resource limit|Huge input|huge text node"),
        "a name, a value or a text is too long",
        "10 million characters are allowed, in names 50,000",
    ),
    (
        "encoding",
        re.compile("encoding|invalid character in UTF|not proper UTF"),
        "the characters are not what the document says",
        "save it as UTF-8",
    ),
)
