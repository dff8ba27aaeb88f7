"""What a candidate or the public may see of an item: the one door to the outside.

Everything that is shown, delivered or published goes through `for_candidate`. It works from what may stay, not from
what must go: attributes and elements it does not know are dropped.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from lxml import etree

from item_formats.model import RATIONALE, Item, item_of
from item_formats.parsing import MATHML, QTI, SSML, XML_LANG, local_name, qti, split_name


@dataclass(frozen=True, slots=True)
class CandidateProfile:
    """What stays, each part by itself; the default is what a candidate sits in front of.

    `stem` is everything before the options, `options` their texts (identifiers stay, so that an answer can be given),
    `key` the correct response, `rationale` the 解析, `marking_table` mappings and response processing.
    """

    stem: bool = True
    options: bool = True
    key: bool = False
    rationale: bool = False
    marking_table: bool = False


CANDIDATE = CandidateProfile()

_ROOT_ATTRIBUTES = frozenset({"identifier", "title", "adaptive", "time-dependent", XML_LANG})
_NEVER = frozenset(
    {
        "qti-modal-feedback",
        "qti-feedback-block",
        "qti-feedback-inline",
        "qti-template-processing",
        "qti-companion-materials-info",
        "qti-catalog-info",
        "qti-stylesheet",
        "annotation",
        "annotation-xml",
    }
)
_MARKING = frozenset(
    {"qti-mapping", "qti-area-mapping", "qti-response-processing", "qti-match-table", "qti-interpolation-table"}
)
_DECLARATIONS = frozenset({"qti-outcome-declaration", "qti-template-declaration", "qti-context-declaration"})
_DECLARATION_ATTRIBUTES = frozenset({"identifier", "cardinality", "base-type"})
_INTERACTION_DATA = frozenset({"data-min-selections-message", "data-max-selections-message"})
_KNOWN_NAMESPACES = frozenset({QTI, MATHML, SSML})


def for_candidate(item: Item, profile: CandidateProfile = CANDIDATE) -> Item:
    """The item with only what the profile lets through.

    Removed always: feedback, comments, processing instructions, template processing, metadata (labels, tool names,
    `data-*`, classes outside QTI's shared vocabulary, catalogues, style sheets), inclusions and foreign elements,
    rubric blocks that are not for candidates.
    Removed unless the profile keeps them: correct responses; mappings, processing, and what outcomes start at and
    reach; the rationale; stem; option texts. The result does not depend on which option is the key.
    """
    root = deepcopy(item.root)  # a copy of the element leaves comments around it behind
    _strip_attributes(root, profile)
    for element in list(root.iter()):
        if element is not root and _goes(element, profile):
            _remove(element)
    _strip_content(root, profile)
    etree.cleanup_namespaces(root)
    return item_of(root)


def _goes(element: etree._Element, profile: CandidateProfile) -> bool:
    namespace, name = split_name(element)
    if namespace not in _KNOWN_NAMESPACES or name in _NEVER:
        return True
    if name == "qti-correct-response":
        return not profile.key
    if name in _MARKING:
        return not profile.marking_table
    if name == "qti-rubric-block":
        return not _rubric_stays(element, profile)
    return name == "qti-default-value" and not profile.marking_table and _starts_an_outcome(element)


def _starts_an_outcome(default: etree._Element) -> bool:
    parent = default.getparent()
    return parent is not None and local_name(parent) in _DECLARATIONS


def _rubric_stays(element: etree._Element, profile: CandidateProfile) -> bool:
    if element.get("use") == RATIONALE:
        return profile.rationale
    return profile.stem and "candidate" in element.get("view", "").split()


def _strip_attributes(root: etree._Element, profile: CandidateProfile) -> None:
    for name in list(root.attrib):
        if name not in _ROOT_ATTRIBUTES:
            del root.attrib[name]
    if not profile.stem:
        root.set("title", root.get("identifier", ""))  # a title often says what the stem asks
    for element in root.iterdescendants("*"):
        bare = local_name(element) in _DECLARATIONS and not profile.marking_table
        for name in map(str, element.attrib):
            private = name == "label" or (name.startswith("data-") and name not in _INTERACTION_DATA)
            foreign = name.startswith("{") and name != XML_LANG
            if private or foreign or (bare and name not in _DECLARATION_ATTRIBUTES):
                del element.attrib[name]
        shared = [word for word in element.get("class", "").split() if word.startswith("qti-")]
        if shared:
            element.set("class", " ".join(shared))  # the shared vocabulary; other classes can say "correct"
        elif "class" in element.attrib:
            del element.attrib["class"]


def _strip_content(root: etree._Element, profile: CandidateProfile) -> None:
    if not profile.options:
        for choice in root.iter(qti("qti-simple-choice")):
            _empty(choice)
    body = root.find(qti("qti-item-body"))
    if body is None or profile.stem:
        return
    for prompt in list(body.iter(qti("qti-prompt"))):
        _remove(prompt)
    interactions = list(body.iter(qti("qti-choice-interaction")))
    rationale = [block for block in body.iter(qti("qti-rubric-block")) if block.get("use") == RATIONALE]
    _empty(body)
    body.extend([*interactions, *rationale])
    if len(body) == 0:
        root.remove(body)  # an empty body is not valid, no body is


def _empty(element: etree._Element) -> None:
    for child in list(element):
        element.remove(child)
    element.text = None


def _remove(element: etree._Element) -> None:
    """Take an element out; text after it stays, the line break that set it off in the XML file goes."""
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail or ""
    previous = element.getprevious()
    if tail.strip() or "\n" not in tail:
        if previous is not None:
            previous.tail = (previous.tail or "") + tail
        else:
            parent.text = (parent.text or "") + tail
    element.tail = None
    parent.remove(element)
    if len(parent) == 0 and not (parent.text or "").strip():
        parent.text = None
