"""QTI 3.0 to 2.2 and 2.1, so that reading the result gives the same 3.0 document again.

What 2.x has other words for is written in them. Attributes it does not know are written to 2.2 as ``data-qti3-*``,
which other systems leave alone; 2.1 has no such attributes. Whatever is lost or only understood by a reader of QTI 3
is named in the findings.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Literal, cast

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.parsing import QTI, attributes_of, line_of, split_name
from item_formats.portable import downgrade_portable
from item_formats.text import visible_text
from item_formats.upgrading import (
    CONTENT_BODY_CLASS,
    IMAGE_CLASS,
    KEPT,
    SCHEMA_ADDRESS,
    SCHEMA_LOCATION,
    copy_surroundings,
    mark,
    split_closing,
    split_opening,
    stands_for,
)
from item_formats.vocabulary import (
    COMMON_ATTRIBUTES,
    ELEMENTS,
    HTML5,
    HTML5_22,
    QTI_21,
    QTI_22,
    TEMPLATES,
    TEMPLATES_AT,
    WITH_CONTENT_BODY,
    camel,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Version = Literal["2.1", "2.2"]

_SCHEMAS = {
    "2.1": (QTI_21, "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"),
    "2.2": (QTI_22, "http://www.imsglobal.org/xsd/qti/qtiv2p2/imsqti_v2p2.xsd"),
}
_HTML5_PREFIX = "qh5"  # what QTI 2.2 documents usually write
# Not in 2.x: what they hold has no place there at all.
_LOST = frozenset(
    {"qti-catalog-info", "qti-companion-materials-info", "qti-context-declaration", "qti-adaptive-selection"}
)
_LOST_IN_21 = frozenset({"qti-assessment-stimulus-ref", "qti-label", "source", "track"})
# In 3.0 alone, or (after "2.1") not in 2.1.
_NEW_ATTRIBUTES = {
    "qti-gap-match-interaction": {"min-associations", "max-associations"},
    "qti-graphic-gap-match-interaction": {"min-associations", "max-associations"},
    "qti-inline-choice-interaction": {"min-choices"},
    "qti-text-entry-interaction": {"format"},
    "qti-test-part": {"title"},
}
_NEW_ATTRIBUTES_22 = {"qti-outcome-declaration": {"external-scored", "variable-identifier-ref"}}
_UNIVERSAL_21 = frozenset({"id", "class", "label"})
# Where 2.x takes an object and 3.0 also an img.
_OBJECT_PARENTS = frozenset(
    {
        "qti-drawing-interaction",
        "qti-gap-img",
        "qti-graphic-associate-interaction",
        "qti-graphic-gap-match-interaction",
        "qti-graphic-order-interaction",
        "qti-hotspot-interaction",
        "qti-position-object-interaction",
        "qti-position-object-stage",
        "qti-select-point-interaction",
    }
)
_BLOCKS_21 = frozenset(
    {"article", "aside", "details", "figcaption", "figure", "footer", "header", "nav", "section", "summary"}
)
_IMAGE_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
_DATA_TYPE = re.compile(r"data:([\w.+-]+/[\w.+-]+)[;,]")
_STANDARD_TEMPLATES = {f"{TEMPLATES_AT}{name}.xml": name for name in TEMPLATES}


def downgrade(
    root: etree._Element, version: Version, *, file: str | None = None
) -> tuple[etree._Element, tuple[Finding, ...]]:
    """The 2.1 or 2.2 tree of a 3.0 one, and warnings on what it cannot say; the 3.0 tree stays as it is.

    Raises
    ------
    ItemError
        A stimulus, for 2.1.
    """
    if version == "2.1" and root.tag == f"{{{QTI}}}qti-assessment-stimulus":
        message = "QTI 2.1 has no stimuli: export to 2.2, or put the content into the items"
        raise ItemError(Finding("error", "not-in-qti-2-1", message, file=file, line=line_of(root)))
    return _Downgrade(root, version, file).run()


class _Downgrade:
    """One pass over one document; what was lost is counted, so that it is told once."""

    def __init__(self, root: etree._Element, version: Version, file: str | None) -> None:
        self.old = root
        self.version = version
        self.file = file
        self.namespace, self.schema = _SCHEMAS[version]
        self.told: dict[tuple[str, str], tuple[str, int | None, int]] = {}
        self.inner_namespaces = etree.tostring(root).count(b"xmlns") > len(root.nsmap)

    def run(self) -> tuple[etree._Element, tuple[Finding, ...]]:
        _, name = split_name(self.old)
        nsmap = self.namespaces(self.old)
        if self.version == "2.2" and next(self.old.iter(*(f"{{{QTI}}}{name}" for name in HTML5)), None) is not None:
            nsmap[_HTML5_PREFIX] = HTML5_22
        root = etree.Element(self.tag(name), self.attributes(self.old, name), nsmap)
        root.text = self.old.text
        for child in self.old:
            self.copy(child, root)
        copy_surroundings(self.old, root)
        return root, tuple(
            Finding("warning", code, message + (f" ({times} times)" if times > 1 else ""), file=self.file, line=line)
            for (code, _), (message, line, times) in self.told.items()
        )

    def warn(self, code: str, what: str, message: str, old: etree._Element) -> None:
        first, line, times = self.told.get((code, what), (message, line_of(old), 0))
        self.told[code, what] = (first, line, times + 1)

    def lose(self, what: str, old: etree._Element) -> None:
        self.warn("not-in-qti-2", what, f"QTI {self.version} has no {what}; it was left out", old)

    def namespaces(self, old: etree._Element) -> dict[str, str]:
        kept = {prefix: self.namespace if address == QTI else address for prefix, address in old.nsmap.items()}
        return cast("dict[str, str]", kept)

    def tag(self, name: str) -> str:
        if name.startswith("qti-"):
            return f"{{{self.namespace}}}{camel(name.removeprefix('qti-'))}"
        return f"{{{HTML5_22 if name in HTML5 and self.version == '2.2' else self.namespace}}}{name}"

    def copy(self, old: etree._Element, parent: etree._Element) -> None:
        tag: object = old.tag
        if not isinstance(tag, str):  # comments and processing instructions
            parent.append(deepcopy(old))
            return
        space, name = split_name(old)
        if space != QTI:
            self.copy_foreign(old, parent)
            return
        if name in _LOST or (self.version == "2.1" and name in _LOST_IN_21):
            self.lose(f"<{name}>", old)
            _follow(parent, old.tail)
            return
        special = _SPECIAL.get(name)
        if special is None or not special(self, old, parent):
            self.copy_element(old, parent, self.tag(name))

    def copy_element(self, old: etree._Element, parent: etree._Element, tag: str) -> etree._Element:
        _, name = split_name(old)
        nsmap = self.namespaces(old) if self.inner_namespaces else None
        new = etree.SubElement(parent, tag, self.attributes(old, name), nsmap)
        new.text = old.text
        new.tail = old.tail
        for child in old:
            self.copy(child, new)
        return new

    def copy_foreign(self, old: etree._Element, parent: etree._Element) -> None:
        if not any(split_name(below)[0] == QTI for below in old.iterdescendants("*")):
            parent.append(deepcopy(old))
            return
        new = etree.SubElement(parent, str(old.tag), attributes_of(old), self.namespaces(old))
        new.text = old.text
        new.tail = old.tail
        for child in old:
            self.copy(child, new)

    def attributes(self, old: etree._Element, name: str) -> dict[str, str]:
        own = ELEMENTS.get(name)
        unknown = _NEW_ATTRIBUTES.get(name, set())
        if self.version == "2.1":
            unknown = unknown | _NEW_ATTRIBUTES_22.get(name, set())
        new: dict[str, str] = {}
        for key, value in attributes_of(old).items():
            if key.startswith("{"):
                new[key] = self.schema_locations(value) if key == SCHEMA_LOCATION else value
            elif own is None:  # HTML
                self.html_attribute(old, key, value, new)
            elif key in own and key not in unknown:
                new[camel(key)] = _value(name, key, value, self.version)
            elif key in COMMON_ATTRIBUTES or key.startswith(("data-", "aria-")):
                self.html_attribute(old, key, value, new)
            else:
                self.unknown_attribute(old, key, value, new)
        return new

    def html_attribute(self, old: etree._Element, key: str, value: str, new: dict[str, str]) -> None:
        if self.version == "2.1" and key not in _UNIVERSAL_21 and key in COMMON_ATTRIBUTES:
            self.lose(f"attribute {key}", old)
        elif self.version == "2.1" and key.startswith(("data-", "aria-")):
            self.lose(f"attribute {key.partition('-')[0]}-*", old)
        elif key == "lang":
            self.unknown_attribute(old, key, value, new)
        else:
            new[key] = value

    def unknown_attribute(self, old: etree._Element, key: str, value: str, new: dict[str, str]) -> None:
        _, name = split_name(old)
        if self.version == "2.1":
            self.lose(f"attribute {key} of <{name}>", old)
            return
        new[f"{KEPT}{key}"] = value
        message = (
            f"QTI 2.2 has no attribute {key} of <{name}>; it is kept as {KEPT}{key}, which only QTI 3 readers know"
        )
        self.warn("kept-for-qti-3", f"{key} of {name}", message, old)

    def schema_locations(self, value: str) -> str:
        """The addresses of schemas, spaced as they were; one that is not the usual stays beside the 2.x one."""
        words = re.split(r"(\s+)", value)
        for place in [place for place, word in enumerate(words) if word == QTI]:
            if words[place + 2 : place + 3] == [SCHEMA_ADDRESS]:
                words[place], words[place + 2] = self.namespace, self.schema
            else:
                words[place] = f"{self.namespace} {self.schema} {QTI}"
        return "".join(words)

    def portable(self, old: etree._Element, parent: etree._Element) -> bool:
        downgrade_portable(old, parent, self.namespace, self.copy)
        message = "the portable custom interaction is written as PCI 1.0 inside customInteraction"
        self.warn("portable-custom-interaction", "", message, old)
        return True

    def content_block(self, old: etree._Element, parent: etree._Element) -> bool:
        """A block without its content body, or with a div for it where taking it out could not be undone."""
        _, name = split_name(old)
        body = next((child for child in old if child.tag == f"{{{QTI}}}qti-content-body"), None)
        if body is None:
            return False
        new = etree.SubElement(
            parent,
            self.tag(name),
            self.attributes(old, name),
            self.namespaces(old) if self.inner_namespaces else None,
        )
        new.text = old.text
        new.tail = old.tail
        plain = _can_be_unwrapped(old, body)
        for child in old:
            if child is not body:
                self.copy(child, new)
            elif plain:
                _follow(new, body.text)
                for inner in body:
                    self.copy(inner, new)
                _follow(new, body.tail)
            else:
                wrapper = self.copy_element(body, new, f"{{{self.namespace}}}div")
                mark(wrapper, CONTENT_BODY_CLASS)
        return True

    def picture(self, old: etree._Element, parent: etree._Element) -> bool:
        """An img where 2.x takes only objects."""
        above = old.getparent()
        if above is None or split_name(above)[1] not in _OBJECT_PARENTS:
            return False
        _, name = split_name(old)
        image = old if name == "img" else next(old.iter(f"{{{QTI}}}img"), None)
        if image is None:
            return False
        if image is not old:
            self.warn("picture", "", "QTI 2 has no <picture> in graphic interactions; its <img> is written", old)
        attributes = attributes_of(image)
        source, alternative = attributes.pop("src", ""), attributes.pop("alt", None)
        new = etree.SubElement(parent, f"{{{self.namespace}}}object", {"data": source, "type": _image_type(source)})
        for key, value in attributes.items():
            kept: dict[str, str] = {}
            if key in {"width", "height"} or key.startswith("{"):
                kept[key] = value
            elif key in COMMON_ATTRIBUTES or key.startswith(("data-", "aria-")):
                self.html_attribute(old, key, value, kept)
            else:
                self.unknown_attribute(old, key, value, kept)
            for known, text in kept.items():
                new.set(known, text)
        mark(new, IMAGE_CLASS)
        new.text = alternative or None
        if alternative == "" and self.version == "2.2":
            new.set(f"{KEPT}alt", "")
        new.tail = old.tail
        return True

    def html5(self, old: etree._Element, parent: etree._Element) -> bool:
        """HTML 5 in 2.1: media are objects, the rest division or text."""
        if self.version == "2.2":
            return False
        _, name = split_name(old)
        source = old.get("src") or next((one.get("src", "") for one in old.iter(f"{{{QTI}}}source")), "")
        if name in {"audio", "video"}:
            kind = old.get("type") or next((one.get("type", "") for one in old.iter(f"{{{QTI}}}source")), "")
            new = etree.SubElement(
                parent, f"{{{self.namespace}}}object", {"data": source, "type": kind or f"{name}/mpeg"}
            )
            new.text = visible_text(old) or None
            new.tail = old.tail
            written = "object"
        else:
            written = "div" if name in _BLOCKS_21 else "span"
            self.copy_element(old, parent, f"{{{self.namespace}}}{written}")
        self.warn("html5", name, f"QTI 2.1 has no <{name}>; it is written as <{written}>", old)
        return True


def _can_be_unwrapped(block: etree._Element, body: etree._Element) -> bool:
    """Whether `upgrade` would put back exactly this content body."""
    before = [child for child in block if child is not body]
    styles = [child for child in before if child.tag == f"{{{QTI}}}qti-stylesheet"]
    kept = [child for child in before if split_name(child)[1] not in _LOST]
    if body.attrib or len(styles) != len(kept) or len(before) != len(kept) or list(block).index(body) != len(styles):
        return False
    text = body.text or ""
    if len(body) == 0:
        if not text.strip():
            return False
        opening = (styles[-1].tail if styles else block.text) or ""
        outside, rest = split_opening(opening + text + (body.tail or ""))
        return (outside, *split_closing(rest)) == (opening, text, body.tail or "")
    opening = (styles[-1].tail if styles else block.text) or ""
    closing = body[-1].tail or ""
    if any(stands_for(child, CONTENT_BODY_CLASS) for child in body.iterchildren(f"{{{QTI}}}div")):
        return False
    return split_opening(opening + text) == (opening, text) and split_closing(closing + (body.tail or "")) == (
        closing,
        body.tail or "",
    )


def _value(name: str, key: str, value: str, version: Version) -> str:
    if name == "qti-extended-text-interaction" and key == "format" and value == "preformatted":
        return "preFormatted"
    if name == "qti-response-processing" and value in _STANDARD_TEMPLATES:
        year = version.replace(".", "p")
        return f"http://www.imsglobal.org/question/qti_v{year}/rptemplates/{_STANDARD_TEMPLATES[value]}"
    return value


def _image_type(source: str) -> str:
    embedded = _DATA_TYPE.match(source)
    return embedded[1] if embedded else _IMAGE_TYPES.get(source.rpartition(".")[2].lower(), "image/png")


def _follow(parent: etree._Element, text: str | None) -> None:
    """Text after what stands in `parent` so far."""
    if not text:
        return
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


_SPECIAL: dict[str, Callable[[_Downgrade, etree._Element, etree._Element], bool]] = {
    **dict.fromkeys(WITH_CONTENT_BODY, _Downgrade.content_block),
    **dict.fromkeys(HTML5, _Downgrade.html5),
    "img": _Downgrade.picture,
    "picture": _Downgrade.picture,
    "qti-portable-custom-interaction": _Downgrade.portable,
}
