"""QTI 2.0, 2.1 and 2.2 to 3.0, in one pass over the tree.

Names become kebab-case, content moves into content bodies, templates get their 3.0 addresses. What 3.0 has no word for
stays: attributes as ``data-*``, elements under a name of the same form, each with a finding.
"""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from lxml import etree

from item_formats.findings import Finding, ItemError
from item_formats.parsing import MAX_DEPTH, QTI, attributes_of, line_of, local_name, split_name, take_attribute
from item_formats.portable import upgrade_portable
from item_formats.vocabulary import (
    COMMON_ATTRIBUTES,
    ELEMENTS,
    HTML,
    HTML5_22,
    MOVED_NAMESPACES,
    PCI_1,
    QTI_21,
    QTI_22,
    RUBRIC_USES,
    TEMPLATES_AT,
    WITH_CONTENT_BODY,
    XHTML,
    XSI,
    camel,
    kebab,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OLDER_ROOTS = frozenset({"assessmentItem", "assessmentTest", "assessmentSection", "assessmentStimulus"})
# The namespaces 2.x documents stand in, APIP's profiles of 2.1 and 2.2 among them; the root's own is always added.
OLDER_NAMESPACES = frozenset(
    {
        "http://www.imsglobal.org/xsd/imsqti_v2p0",
        QTI_21,
        QTI_22,
        "http://www.imsglobal.org/xsd/apip/apipv1p0/qtiitem/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/apip/apipv1p0/qtitest/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/apip/apipv1p0/qtisection/imsqti_v2p1",
    }
)
SCHEMA_LOCATION = f"{{{XSI}}}schemaLocation"
SCHEMA_ADDRESS = "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd"
CONTENT_BODY_CLASS = "qti-content-body"  # a div of 2.x that stands for a content body (see `downgrading`)
IMAGE_CLASS = "qti-img"  # an object of 2.x that stands for an img
INFORMATION_CLASS = "qti-info-control"  # a div of 3.0 that was an infoControl
KEPT = "data-qti3-"  # attributes of 3.0 that 2.2 has no word for

_BODY = f"{{{QTI}}}qti-content-body"
_STYLESHEET = f"{{{QTI}}}qti-stylesheet"
_RUBRIC = f"{{{QTI}}}qti-rubric-block"
_DIV = f"{{{QTI}}}div"
_NAMES = {camel(name.removeprefix("qti-")): name for name in ELEMENTS}
_ANY_CASE = {name.lower(): new for name, new in _NAMES.items()}
_TEMPLATE = re.compile(
    r"https?://(?:www|purl)\.imsglobal\.org/(?!spec/qti/v3p0/).*/rptemplates/(match_correct|map_response|map_response_point)(?:\.xml)?/?"
)
_USE = re.compile(r"ext:[A-Za-z0-9_.\-]+")
_NOT_USE = re.compile(r"[^A-Za-z0-9_.\-]+")
# HTML that neither version has, but that people write; QTI's own words are in `vocabulary`.
_LOOSE_HTML = """
button canvas center del embed font form hgroup iframe input ins main mark s script select strike style svg textarea
time u wbr
"""
_SPELLINGS = {"centrePoint": "center-point", "centrepoint": "center-point"}


def is_older(root: etree._Element) -> bool:
    """Whether this is a QTI 2 item, test, section or stimulus, in whatever namespace."""
    return local_name(root) in OLDER_ROOTS


def upgrade(root: etree._Element, *, file: str | None = None) -> tuple[etree._Element, tuple[Finding, ...]]:
    """The QTI 3.0 tree of a 2.x one, and findings (warnings) on what 3.0 says otherwise or not at all.

    Raises
    ------
    ItemError
        Content bodies would nest elements deeper than documents may be.
    """
    return _Upgrade(root, file).run()


def standard_template(address: str) -> str:
    """The 3.0 address of a standard response-processing template; any other address as it is."""
    known = _TEMPLATE.fullmatch(address)
    return f"{TEMPLATES_AT}{known[1]}.xml" if known else address


def split_opening(text: str) -> tuple[str, str]:
    """White space before a content body and the text inside it, of text that opened a block of 2.x.

    One line break is the block's own, further ones are the content's: this is what indented documents look like.
    """
    inner = text.lstrip()
    space = text[: len(text) - len(inner)]
    first = space.find("\n")
    if first < 0:
        return "", text
    second = space.find("\n", first + 1)
    return (space, inner) if second < 0 else (space[:second], space[second:] + inner)


def split_closing(text: str) -> tuple[str, str]:
    """Text that ends a content body and white space after it, of text that ended a block of 2.x."""
    inner = text.rstrip()
    space = text[len(inner) :]
    last = space.rfind("\n")
    return (text, "") if last < 0 else (inner + space[:last], space[last:])


class _Upgrade:
    """One pass over one document: the namespaces that count as 2.x, and what was found on the way."""

    def __init__(self, root: etree._Element, file: str | None) -> None:
        self.old = root
        self.file = file
        own, _ = split_name(root)
        self.older = OLDER_NAMESPACES if own in OLDER_NAMESPACES else OLDER_NAMESPACES | {own}
        self.findings: list[Finding] = []
        self.depth = 1
        # Declarations below the root are rare; only then every element is asked for its own.
        self.inner_namespaces = etree.tostring(root).count(b"xmlns") > len(root.nsmap)

    def run(self) -> tuple[etree._Element, tuple[Finding, ...]]:
        own, name = split_name(self.old)
        if own not in OLDER_NAMESPACES:
            what = f"the namespace {own}" if own else "no namespace"
            self.warn("unusual-namespace", f"<{name}> stands in {what}; it was read as QTI 2: use {QTI_22}", self.old)
        nsmap = self.namespaces(self.old)
        if not own:
            nsmap |= cast("dict[str, str]", {None: QTI})
        new_name, names = _plan(name)
        root = etree.Element(f"{{{QTI}}}{new_name}", self.attributes(self.old, new_name, names), nsmap)
        root.sourceline = self.old.sourceline
        root.text = self.old.text
        for child in self.old:
            self.copy(child, root)
        copy_surroundings(self.old, root)
        return root, tuple(self.findings)

    def warn(self, code: str, message: str, old: etree._Element) -> None:
        self.findings.append(Finding("warning", code, message, file=self.file, line=line_of(old)))

    def namespaces(self, old: etree._Element) -> dict[str, str]:
        """The declarations an element keeps, the 2.x ones turned to 3.0."""
        kept: dict[object, str] = {}
        for prefix, address in old.nsmap.items():
            if address in self.older:
                kept[prefix] = QTI
            elif address not in {HTML5_22, XHTML, PCI_1}:
                kept[prefix] = MOVED_NAMESPACES.get(address, address)
        return cast("dict[str, str]", kept)  # a default namespace has the prefix None, which lxml's types deny

    def copy(self, old: etree._Element, parent: etree._Element) -> None:
        tag: object = old.tag
        if not isinstance(tag, str):  # comments and processing instructions
            parent.append(deepcopy(old))
            return
        space, name = split_name(old)
        if space in self.older:
            new_name, names = _plan(name)
            if new_name.startswith("qti-") and new_name not in ELEMENTS and name != "infoControl":
                self.warn("unknown-element", f"<{name}> is not QTI 2; it is kept as <{new_name}>", old)
        elif space in {HTML5_22, XHTML, QTI}:
            new_name, names = name, None
        else:
            self.copy_foreign(old, parent)
            return
        if new_name == "qti-custom-interaction" and upgrade_portable(old, parent, self.copy, self.warn):
            return
        nsmap = self.namespaces(old) if self.inner_namespaces else None
        new = etree.SubElement(parent, f"{{{QTI}}}{new_name}", self.attributes(old, new_name, names), nsmap)
        new.sourceline = old.sourceline
        new.text = old.text
        new.tail = old.tail
        below = 2 if new_name in WITH_CONTENT_BODY else 1
        self.depth += below
        if self.depth > MAX_DEPTH:
            message = f"with the content bodies of QTI 3, elements nest more than {MAX_DEPTH} levels deep"
            raise ItemError(Finding("error", "too-deep", message, file=self.file, line=line_of(old)))
        for child in old:
            self.copy(child, new)
        self.depth -= below
        finish = _FINISHES.get(new_name)
        if finish is not None:
            finish(self, new, old)

    def copy_foreign(self, old: etree._Element, parent: etree._Element) -> None:
        """MathML, SSML, inclusions and extensions as they are; QTI inside them is turned to 3.0 all the same."""
        space, name = split_name(old)
        moved = MOVED_NAMESPACES.get(space, space)
        nsmap = self.namespaces(old)
        if moved == space and not any(self.speaks_older(below) for below in old.iterdescendants("*")):
            parent.append(deepcopy(old))
            return
        new = etree.SubElement(parent, f"{{{moved}}}{name}" if moved else name, attributes_of(old), nsmap)
        new.sourceline = old.sourceline
        new.text = old.text
        new.tail = old.tail
        for child in old:
            self.copy(child, new)

    def speaks_older(self, element: etree._Element) -> bool:
        space, _ = split_name(element)
        return space in self.older or space in MOVED_NAMESPACES or space in {HTML5_22, XHTML}

    def attributes(self, old: etree._Element, name: str, names: dict[str, str] | None) -> dict[str, str]:
        if names is None:
            return {key.removeprefix(KEPT): value for key, value in attributes_of(old).items()}
        new: dict[str, str] = {}
        for key, value in attributes_of(old).items():
            known = names.get(key)
            if known is not None:
                new[known] = value
            else:
                self.strange_attribute(old, name, key, value, new)
        change = _VALUES.get(name)
        if change is not None:
            change(new)
        return new

    def strange_attribute(self, old: etree._Element, name: str, key: str, value: str, new: dict[str, str]) -> None:
        if key == SCHEMA_LOCATION:
            new[key] = self.schema_locations(value)
        elif key in _SPELLINGS:
            new[_SPELLINGS[key]] = value
        elif key.startswith(KEPT):
            new[key.removeprefix(KEPT)] = value
        elif key.startswith(("{", "data-", "aria-")) or name not in ELEMENTS:
            new[key] = value
        else:
            kept = f"data-{kebab(key)}"
            new.setdefault(kept, value)
            message = f'{local_name(old)} has {key}="{value}", which QTI 3 does not know; it is kept as {kept}'
            self.warn("attribute-not-in-qti-3", message, old)

    def schema_locations(self, value: str) -> str:
        """The addresses of schemas, the 2.x ones turned to 3.0, spaced as they were."""
        words = re.split(r"(\s+)", value)
        spaces = [place for place, word in enumerate(words) if word.strip()][::2]
        for place in spaces:
            space = words[place]
            if space in self.older and place + 2 < len(words):
                if QTI in words:  # an export of ours that kept the 3.0 address
                    words[place : place + 4] = [""] * 4
                else:
                    words[place], words[place + 2] = QTI, SCHEMA_ADDRESS
            elif space in MOVED_NAMESPACES:
                words[place] = MOVED_NAMESPACES[space]
        return "".join(words)

    def wrap_content(self, new: etree._Element, old: etree._Element) -> None:
        """Put what a block of 2.x says into a content body."""
        if new.tag == _RUBRIC:
            _use(new)
        for child in new.iterchildren(_DIV):
            if stands_for(child, CONTENT_BODY_CLASS):
                child.tag = _BODY
                _unmark(child, CONTENT_BODY_CLASS)
                return
        styles = [child for child in new if child.tag == _STYLESHEET]
        content = [child for child in new if child.tag != _STYLESHEET]
        if styles and new.index(styles[-1]) >= len(styles):
            self.warn("stylesheet-moved", "stylesheets stand before the content in QTI 3; moved there", old)
            for place, style in enumerate(styles):
                new.insert(place, style)
        lead = (styles[-1].tail if styles else new.text) or ""
        if styles and (new.text or "").strip():  # text before a stylesheet is content too
            lead, new.text = f"{new.text}{lead}", None
        if not content and not lead.strip() and new.tag != _RUBRIC:
            return
        before, opening = split_opening(lead)
        body = etree.Element(_BODY)
        body.sourceline = new.sourceline
        new.insert(len(styles), body)
        if styles:
            styles[-1].tail = before or None
        else:
            new.text = before or None
        body.text = opening or None
        body.extend(content)  # with what follows each of them
        closing = content[-1].tail if content else opening
        inside, body.tail = split_closing(closing or "")
        if content:
            content[-1].tail = inside or None
        else:
            body.text = inside or None

    def image_of_object(self, new: etree._Element, _old: etree._Element) -> None:
        if not stands_for(new, IMAGE_CLASS):
            return
        new.tag = f"{{{QTI}}}img"
        _unmark(new, IMAGE_CLASS)
        new.set("src", take_attribute(new, "data") or "")
        take_attribute(new, "type")
        if new.text:
            new.set("alt", new.text)
        new.text = None

    def information(self, new: etree._Element, old: etree._Element) -> None:
        """infoControl, which 3.0 dropped, is a summary that opens its details, in a div as item bodies need it."""
        new.tag = _DIV
        new.set("class", f"{new.get('class', '')} {INFORMATION_CLASS}".strip())
        children = list(new)
        details = etree.SubElement(new, f"{{{QTI}}}details")
        summary = etree.SubElement(details, f"{{{QTI}}}summary")
        summary.text = take_attribute(new, "title") or ""
        summary.tail, new.text = new.text, None
        details.extend(children)
        self.warn("info-control", "infoControl is not in QTI 3; it became details with a summary", old)


def mark(element: etree._Element, name: str) -> None:
    """Put a class before those an element has, so that `stands_for` says so."""
    classes = element.get("class")
    element.set("class", name if classes is None else f"{name} {classes}")


def stands_for(element: etree._Element, name: str) -> bool:
    classes = element.get("class", "")
    return classes == name or classes.startswith(f"{name} ")


def _unmark(element: etree._Element, name: str) -> None:
    classes = take_attribute(element, "class") or ""
    if classes != name:
        element.set("class", classes.removeprefix(f"{name} "))


def copy_surroundings(old: etree._Element, root: etree._Element) -> None:
    """Comments and processing instructions that stand beside a root stand beside its successor."""
    for before in reversed(list(old.itersiblings(preceding=True))):
        root.addprevious(_detached(before))
    for after in reversed(list(old.itersiblings())):
        root.addnext(_detached(after))


def _detached(node: etree._Element) -> etree._Element:
    copy = deepcopy(node)
    copy.tail = None
    return copy


@lru_cache(maxsize=1024)
def _plan(name: str) -> tuple[str, dict[str, str] | None]:
    """The 3.0 name of a 2.x element, and the 3.0 names of its attributes (None: they stay)."""
    if name == "infoControl":
        return "qti-info-control", None
    new = _NAMES.get(name)
    if new is None:
        if name in HTML or name in _LOOSE_HTML.split():
            return name, None
        new = _ANY_CASE.get(name.lower(), f"qti-{kebab(name)}")
    if new not in ELEMENTS:
        return new, None
    own = {camel(attribute): attribute for attribute in ELEMENTS[new]}
    return new, own | {attribute: attribute for attribute in (*ELEMENTS[new], *COMMON_ATTRIBUTES)}


def _preformatted(attributes: dict[str, str]) -> None:
    if attributes.get("format") == "preFormatted":
        attributes["format"] = "preformatted"


def _use(new: etree._Element) -> None:
    """What a rubric block is for: one of three words or ext:…, and required in items; 2.x took any text or none."""
    use = new.get("use")
    if use is None:
        views = set(new.get("view", "").split())
        if next(new.iterancestors(f"{{{QTI}}}qti-item-body"), None) is not None:
            new.set("use", "scoring" if views and views <= {"scorer", "tutor"} else "instructions")
    elif use not in RUBRIC_USES and not _USE.fullmatch(use):
        plain = _NOT_USE.sub("-", use).strip("-")
        new.set("use", f"ext:{plain or 'other'}")
        if plain != use:
            new.set("data-use", use)


def _template(attributes: dict[str, str]) -> None:
    for name in ("template", "template-location"):
        if name in attributes:
            attributes[name] = standard_template(attributes[name])


_VALUES: dict[str, Callable[[dict[str, str]], None]] = {
    "qti-extended-text-interaction": _preformatted,
    "qti-response-processing": _template,
}
_FINISHES: dict[str, Callable[[_Upgrade, etree._Element, etree._Element], None]] = {
    **dict.fromkeys(WITH_CONTENT_BODY, _Upgrade.wrap_content),
    "object": _Upgrade.image_of_object,
    "qti-info-control": _Upgrade.information,
}
