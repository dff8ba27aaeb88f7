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
from item_formats.text import BLOCKS


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

_QTI_NAMES = """
    qti-response-declaration qti-outcome-declaration qti-template-declaration qti-context-declaration
    qti-default-value qti-value qti-correct-response qti-assessment-stimulus-ref qti-item-body
    qti-rubric-block qti-content-body qti-template-block qti-template-inline qti-printed-variable qti-prompt
    qti-simple-choice qti-inline-choice qti-simple-match-set qti-simple-associable-choice
    qti-gap qti-gap-text qti-gap-img qti-hottext qti-hotspot-choice qti-associable-hotspot
    qti-position-object-stage qti-interaction-markup qti-interaction-modules qti-interaction-module
"""
_INLINE_NAMES = """
    a abbr acronym b bdi bdo big br cite code dfn em i kbd label q rb rp rt rtc ruby samp small span strong sub sup
    tt var col colgroup td th img object param audio video source track picture
"""
_ATTRIBUTE_NAMES = """
    identifier response-identifier cardinality base-type view use id class lang dir title alt role href hreflang type
    src srcset data width height longdesc media param-name name value colspan rowspan headers scope span controls kind
    shuffle orientation fixed show-hide template-identifier max-choices min-choices match-max match-min match-group
    max-associations min-associations required object-label shape coords hotspot-label lower-bound upper-bound step
    step-label reverse expected-length expected-lines pattern-mask placeholder-text format max-strings min-strings
    autostart min-plays max-plays loop center-point custom-interaction-type-identifier module
    data-min-selections-message data-max-selections-message
"""
_ELEMENTS = frozenset(_QTI_NAMES.split()) | frozenset(_INLINE_NAMES.split()) | BLOCKS
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split()) | {XML_LANG}
_ROOT_ATTRIBUTES = frozenset({"identifier", "title", "adaptive", "time-dependent", XML_LANG})
_MARKING = frozenset(
    {"qti-mapping", "qti-area-mapping", "qti-response-processing", "qti-match-table", "qti-interpolation-table"}
)
# What these start at, reach and mean can give the marking away.
_VARIABLES = frozenset({"qti-outcome-declaration", "qti-template-declaration", "qti-context-declaration"})
_VARIABLE_ATTRIBUTES = frozenset({"identifier", "cardinality", "base-type"})


def for_candidate(item: Item, profile: CandidateProfile = CANDIDATE) -> Item:
    """The item with only what the profile lets through; the result does not depend on which option is the key.

    Removed always: feedback, comments, processing instructions, template processing, metadata (labels, tool names,
    `data-*`, classes outside QTI's shared vocabulary, catalogues, style sheets), inclusions, unknown elements and
    attributes, rubric blocks that are not for candidates.
    Removed unless the profile keeps them: correct responses; mappings, processing, and what outcomes start at and
    reach; the rationale; the stem; the option texts of choice interactions. Without the stem, other interactions
    than choices go with it.
    """
    root = deepcopy(item.root)  # a copy of the element leaves comments around it behind
    for name in list(root.attrib):
        if name not in _ROOT_ATTRIBUTES:
            del root.attrib[name]
    _prune(root, profile)
    if not profile.options:
        for choice in root.iter(qti("qti-simple-choice")):
            _empty(choice)
    if not profile.stem:
        _without_stem(root)
    etree.cleanup_namespaces(root)
    return item_of(root)


def _prune(parent: etree._Element, profile: CandidateProfile) -> None:
    """Remove what may not stay below `parent`, and the attributes that may not stay on the rest."""
    for element in list(parent):
        namespace, name = split_name(element)
        if not _stays(element, namespace, name, profile):
            _remove(element)
        elif name in _MARKING:
            etree.strip_tags(element, etree.Comment, etree.ProcessingInstruction)
        else:
            _strip_attributes(element, namespace, name, profile)
            _prune(element, profile)


def _stays(element: etree._Element, namespace: str, name: str, profile: CandidateProfile) -> bool:
    if namespace != QTI:
        return namespace in {MATHML, SSML} and name not in {"annotation", "annotation-xml"}
    if name in _MARKING:
        return profile.marking_table
    if name == "qti-rubric-block":
        return _rubric_stays(element, profile)
    if name == "qti-correct-response":
        return profile.key
    if name == "qti-default-value" and not profile.marking_table:
        parent = element.getparent()
        return parent is None or local_name(parent) not in _VARIABLES
    return name in _ELEMENTS or name.endswith("-interaction")


def _rubric_stays(element: etree._Element, profile: CandidateProfile) -> bool:
    if element.get("use") == RATIONALE:
        return profile.rationale
    return profile.stem and "candidate" in element.get("view", "").split()


def _strip_attributes(element: etree._Element, namespace: str, name: str, profile: CandidateProfile) -> None:
    allowed = _ATTRIBUTES
    if name in _VARIABLES:
        allowed = frozenset(map(str, element.attrib)) if profile.marking_table else _VARIABLE_ATTRIBUTES
    for attribute in map(str, element.attrib):
        formula = namespace != QTI and not attribute.startswith(("{", "data-", "on"))
        if not (attribute in allowed or attribute.startswith("aria-") or formula):
            del element.attrib[attribute]
    if "class" in element.attrib:
        shared = [word for word in element.get("class", "").split() if word.startswith("qti-")]
        if shared:
            element.set("class", " ".join(shared))  # the shared vocabulary; other classes can say "correct"
        else:
            del element.attrib["class"]


def _without_stem(root: etree._Element) -> None:
    root.set("title", root.get("identifier", ""))  # a title often says what the stem asks
    body = root.find(qti("qti-item-body"))
    if body is None:
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
