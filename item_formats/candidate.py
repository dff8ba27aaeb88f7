"""What a candidate or the public may see of an item: the one door to the outside.

Everything that is shown, delivered or published goes through `for_candidate`. It works from what may stay, not from
what must go: attributes and elements it does not know are dropped.
"""

from __future__ import annotations

import hashlib
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from item_formats.model import RATIONALE, Item, item_of
from item_formats.parsing import MATHML, QTI, SSML, XML_LANG, is_true, local_name, qti, split_name
from item_formats.showing import show_values, take_out
from item_formats.vocabulary import CHOICES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from item_formats.showing import PlainValue

# The `use` of rubric blocks of skill tasks: a row of the marking table, a veto, the preparation notice.
CRITERION, VETO, PREPARATION = "ext:criterion", "ext:veto", "ext:preparation"


@dataclass(frozen=True, slots=True)
class CandidateProfile:
    """What stays, each part by itself; the default is what a candidate sits in front of.

    `stem` is everything but the options, `options` their texts, labels and pictures (identifiers stay, so that an
    answer can be given), `key` the correct response, `rationale` the 解析, `marking_table` mappings, response
    processing and the criteria of skill tasks.
    """

    stem: bool = True
    options: bool = True
    key: bool = False
    rationale: bool = False
    marking_table: bool = False


CANDIDATE = CandidateProfile()

_ROOT_ATTRIBUTES = frozenset({"identifier", "title", "adaptive", "time-dependent", XML_LANG})
_HTML_NAMES = """
    a abbr acronym address article aside audio b bdi bdo big blockquote br caption cite code col colgroup dd details
    dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img kbd label li nav object ol p picture
    pre q rb rp rt rtc ruby samp section small source span strong sub summary sup table tbody td tfoot th thead tr
    track tt u ul var video
"""
_SHOWN_NAMES = """
    qti-assessment-stimulus-ref qti-item-body qti-content-body qti-rubric-block qti-prompt qti-label
    qti-template-block qti-template-inline qti-printed-variable
    qti-choice-interaction qti-simple-choice qti-order-interaction qti-associate-interaction qti-match-interaction
    qti-simple-match-set qti-simple-associable-choice qti-gap-match-interaction qti-gap-text qti-gap-img qti-gap
    qti-inline-choice-interaction qti-inline-choice qti-text-entry-interaction qti-extended-text-interaction
    qti-hottext-interaction qti-hottext qti-hotspot-interaction qti-hotspot-choice qti-associable-hotspot
    qti-graphic-order-interaction qti-graphic-associate-interaction qti-graphic-gap-match-interaction
    qti-select-point-interaction qti-position-object-stage qti-position-object-interaction qti-slider-interaction
    qti-media-interaction qti-drawing-interaction qti-upload-interaction qti-end-attempt-interaction
    qti-custom-interaction qti-portable-custom-interaction qti-interaction-markup qti-interaction-modules
    qti-interaction-module qti-template-variable qti-context-variable
"""
_DECLARED_NAMES = """
    qti-response-declaration qti-outcome-declaration qti-template-declaration qti-context-declaration
    qti-default-value qti-value
"""
_KNOWN = frozenset((_HTML_NAMES + _SHOWN_NAMES + _DECLARED_NAMES).split())
_DECLARATIONS = frozenset(
    {"qti-response-declaration", "qti-outcome-declaration", "qti-template-declaration", "qti-context-declaration"}
)
_MARKING = frozenset(
    {"qti-mapping", "qti-area-mapping", "qti-response-processing", "qti-match-table", "qti-interpolation-table"}
)
_NO_MATHML = frozenset({"annotation", "annotation-xml", "maction"})

_DECLARATION_ATTRIBUTES = frozenset({"identifier", "cardinality", "base-type", "field-identifier"})
_QTI_ATTRIBUTE_NAMES = """
    identifier response-identifier template-identifier show-hide title href view use
    shuffle fixed required orientation max-choices min-choices max-associations min-associations max-strings
    min-strings match-group match-max match-min shape coords hotspot-label object-label top left center-point
    base string-identifier expected-length expected-lines pattern-mask placeholder-text format
    lower-bound upper-bound step step-label reverse type count-attempt autostart min-plays max-plays loop
    index power-form field delimiter mapping-indicator
    custom-interaction-type-identifier module id primary-path fallback-path
    data-min-selections-message data-max-selections-message data-patternmask-message data-prompt
    data-choices-container-width data-first-column-header
"""
_HTML_ATTRIBUTE_NAMES = """
    src alt width height longdesc href type data title cite colspan rowspan headers scope abbr span start reversed
    value controls muted loop preload poster kind srclang default for media
"""
_SHARED_ATTRIBUTE_NAMES = "dir lang class id role aria-label aria-labelledby aria-describedby aria-hidden aria-level"
_SHARED_ATTRIBUTES = frozenset({*_SHARED_ATTRIBUTE_NAMES.split(), XML_LANG})
_QTI_ATTRIBUTES = _SHARED_ATTRIBUTES | frozenset(_QTI_ATTRIBUTE_NAMES.split())
_HTML_ATTRIBUTES = _SHARED_ATTRIBUTES | frozenset(_HTML_ATTRIBUTE_NAMES.split())
_NO_MATH_ATTRIBUTES = frozenset({"href", "id", "class", "style", "definitionURL", "encoding", "cd", "other"})
_REFERENCES = ("aria-labelledby", "aria-describedby", "for", "headers")
# QTI's shared vocabulary by families: https://www.imsglobal.org/spec/qti/v3p0/impl, appendix of CSS classes.
_SHARED_CLASS = re.compile(
    r"qti-(align|valign|bordered|border|choices|clear|display|float|fullwidth|height|height-lines|hidden|horizontal|"
    r"input-width|italic|labels|label-suffix|layout|list-style|margin|match|orientation|padding|row|selections|stack|"
    r"stimulus|text-indent|underline|visually-hidden|well|width|writing-orientation|center-block)(-[a-z0-9-]{1,30})?"
)
_LETTERS_OF_ITS_OWN = "qti-choice-interaction"  # options there are named A, B, C … in the order they are written
_INLINE_INTERACTIONS = frozenset(
    {"qti-text-entry-interaction", "qti-inline-choice-interaction", "qti-end-attempt-interaction"}
)
_STIMULI = frozenset({"qti-media-interaction", "qti-drawing-interaction"})
_MEDIA = frozenset({"img", "object", "picture", "audio", "video", "source", "track"})
_SAFE_ADDRESS = re.compile(r"(https?:|data:(image|audio|video)/)?(?![a-zA-Z][a-zA-Z0-9+.\-]*:).*", re.DOTALL)


def for_candidate(
    item: Item, profile: CandidateProfile = CANDIDATE, *, values: Mapping[str, PlainValue] | None = None
) -> Item:
    """The item with only what the profile lets through.

    Removed always: feedback, comments, processing instructions, template processing, metadata (labels, tool names,
    `data-*`, classes outside QTI's shared vocabulary, catalogues, style sheets), inclusions and foreign elements,
    rubric blocks that are not for candidates. Identifiers of the page (`id`) are numbered anew or go; choices that may
    be shuffled are put into an order that says nothing (a choice interaction keeps its own: its options have letters).
    Removed unless the profile keeps them: correct responses; mappings, processing, and what outcomes start at and
    reach; the rationale; stem; option texts. The result does not depend on which option is the key.

    With the `values` of template and outcome variables, template content and printed variables become what they show,
    and feedback that these outcomes show stays, as ordinary content.
    """
    root = deepcopy(item.root)  # a copy of the element leaves comments around it behind
    if values is not None:
        show_values(root, values)
    for name in list(root.attrib):
        if name not in _ROOT_ATTRIBUTES:
            del root.attrib[name]
    for element in list(root.iter()):
        if element is not root and _goes(element, profile):
            take_out(element)
    for element in root.iterdescendants("*"):
        _strip_attributes(element, profile)
    _number_ids(root)
    _reorder_shuffled(root)
    if not profile.options:
        _strip_options(root, profile)
    if not profile.stem:
        _strip_stem(root, profile)
    etree.cleanup_namespaces(root)
    return item_of(root)


def _goes(element: etree._Element, profile: CandidateProfile) -> bool:
    namespace, name = split_name(element)
    if namespace != QTI:
        return name in _NO_MATHML or namespace not in {MATHML, SSML}
    if name == "qti-correct-response":
        return not profile.key
    if name in _MARKING:
        return not profile.marking_table
    if name == "qti-rubric-block":
        return not _rubric_stays(element, profile)
    if name == "qti-default-value":
        return not profile.marking_table and _starts_no_response(element)
    return name not in _KNOWN and not _is_marking(element)


def _is_marking(element: etree._Element) -> bool:
    """Part of a mapping, a table or the processing, which stay or go as a whole."""
    return any(local_name(ancestor) in _MARKING for ancestor in element.iterancestors())


def _starts_no_response(default: etree._Element) -> bool:
    parent = default.getparent()
    return parent is not None and local_name(parent) != "qti-response-declaration"


def _rubric_stays(element: etree._Element, profile: CandidateProfile) -> bool:
    use = element.get("use")
    if use == RATIONALE:
        return profile.rationale
    if use in {CRITERION, VETO}:
        return profile.marking_table
    return profile.stem and "candidate" in element.get("view", "").split()


def _strip_attributes(element: etree._Element, profile: CandidateProfile) -> None:
    namespace, name = split_name(element)
    allowed = _QTI_ATTRIBUTES if name.startswith("qti-") else _HTML_ATTRIBUTES
    if name in _DECLARATIONS or name == "qti-value":
        allowed = _DECLARATION_ATTRIBUTES
    marking = profile.marking_table and (name in _DECLARATIONS | _MARKING or _is_marking(element))
    for attribute in map(str, element.attrib):
        if marking:
            stays = not attribute.startswith(("data-", "{")) and attribute != "label"
        elif namespace == QTI:
            stays = attribute in allowed
        else:
            stays = not attribute.startswith(("{", "on", "data-", "xlink")) and attribute not in _NO_MATH_ATTRIBUTES
        if attribute in {"src", "href", "data", "poster"} and not _SAFE_ADDRESS.fullmatch(element.get(attribute, "")):
            stays = False
        if not stays:
            del element.attrib[attribute]
    shared = [word for word in element.get("class", "").split() if _SHARED_CLASS.fullmatch(word)]
    if shared:
        element.set("class", " ".join(shared))  # other classes can say "correct"
    elif "class" in element.attrib:
        del element.attrib["class"]


def _number_ids(root: etree._Element) -> None:
    """Identifiers of the page are free text and can say "the-key": those something refers to are numbered anew.

    The others go: an identifier that only one option has says something too.
    """
    referred = _referred_ids(root)
    numbered: dict[str, str] = {}
    for element in root.iterdescendants("*"):
        name = element.get("id")
        if name in referred:
            element.set("id", numbered.setdefault(name, f"id{len(numbered) + 1}"))
        elif name is not None and local_name(element) != "qti-interaction-module":  # there it names the module
            del element.attrib["id"]
    for element in root.iterdescendants("*"):
        for reference in _REFERENCES:
            names = [numbered[name] for name in element.get(reference, "").split() if name in numbered]
            if names:
                element.set(reference, " ".join(names))
            elif reference in element.attrib:
                del element.attrib[reference]
        address = element.get("href", "")
        if address.startswith("#"):
            element.set("href", f"#{numbered.get(address[1:], '')}")


def _referred_ids(root: etree._Element) -> set[str]:
    referred: set[str] = set()
    for element in root.iterdescendants("*"):
        for reference in _REFERENCES:
            referred.update(element.get(reference, "").split())
        referred.add(element.get("href", "").partition("#")[2])
    return referred


def _reorder_shuffled(root: etree._Element) -> None:
    """Authors write the steps of an order, and the partners of a match, in the right order, and let them be shuffled.

    The order here follows from the identifiers alone, through a digest, so that it says nothing about the key.
    """
    item = root.get("identifier", "")
    for interaction in list(root.iter(f"{{{QTI}}}*")):
        if not is_true(interaction, "shuffle") or local_name(interaction) == _LETTERS_OF_ITS_OWN:
            continue
        for group in (interaction, *interaction.iterchildren(qti("qti-simple-match-set"))):
            _reorder(group, f"{item} {interaction.get('response-identifier', '')}")


def _reorder(group: etree._Element, salt: str) -> None:
    choices = [child for child in group if local_name(child) in CHOICES]
    free = [choice for choice in choices if not is_true(choice, "fixed")]
    places = [group.index(choice) for choice in free]
    tails = [choice.tail for choice in free]
    free.sort(key=lambda choice: hashlib.sha256(f"{salt} {choice.get('identifier', '')}".encode()).digest())
    for choice in free:
        group.remove(choice)
    for place, choice, tail in zip(places, free, tails, strict=True):
        choice.tail = tail
        group.insert(place, choice)


def _strip_options(root: etree._Element, profile: CandidateProfile) -> None:
    for element in list(root.iterdescendants("*")):
        name = local_name(element)
        if name == "qti-gap-img":
            _blank_media(element)
        elif name in CHOICES:
            _empty(element)
        for attribute in ("hotspot-label", "object-label"):
            if attribute in element.attrib:
                del element.attrib[attribute]
        if not profile.stem and "coords" in element.attrib:
            parent = element.getparent()
            if parent is not None:
                _blank_media(parent)


def _strip_stem(root: etree._Element, profile: CandidateProfile) -> None:
    root.set("title", root.get("identifier", ""))  # a title often says what the stem asks
    body = root.find(qti("qti-item-body"))
    if body is None:
        return
    kept: list[etree._Element] = []
    for element in list(body.iterdescendants("*")):
        name = local_name(element)
        if name.endswith("-interaction"):
            kept.append(_bare_interaction(element, profile))
        elif name == "qti-rubric-block":  # only a rationale or a criterion is still here
            kept.append(element)
    _empty(body)
    body.extend(kept)
    if len(body) == 0:
        root.remove(body)  # an empty body is not valid, no body is


def _bare_interaction(interaction: etree._Element, profile: CandidateProfile) -> etree._Element:
    """An interaction without its prompt and the text around its gaps and choices, valid where it stands."""
    name = local_name(interaction)
    for prompt in list(interaction.iter(qti("qti-prompt"), qti("qti-label"))):
        take_out(prompt)
    interaction.tail = None
    if name in _STIMULI or not profile.options:
        _blank_media(interaction)
    if name == "qti-portable-custom-interaction":
        for markup in interaction.iter(qti("qti-interaction-markup")):
            _empty(markup)
    if name in {"qti-gap-match-interaction", "qti-hottext-interaction"}:
        _gather_gaps(interaction)
    if name == "qti-custom-interaction":
        _empty(interaction)
    if name == "qti-position-object-interaction":
        stage = interaction.getparent()
        whole = etree.Element(qti("qti-position-object-stage"))
        picture = None if stage is None else next((child for child in stage if local_name(child) in _MEDIA), None)
        if picture is not None:
            whole.append(deepcopy(picture))
        whole.append(interaction)
        return whole
    if name in _INLINE_INTERACTIONS:
        paragraph = etree.Element(qti("p"))
        paragraph.append(interaction)
        return paragraph
    return interaction


def _gather_gaps(interaction: etree._Element) -> None:
    """One paragraph with the gaps or hot texts takes the place of the text they stood in."""
    names = {"qti-gap", "qti-hottext"}
    inside = [element for element in interaction.iterdescendants("*") if local_name(element) in names]
    banked = [child for child in interaction if local_name(child) in {"qti-gap-text", "qti-gap-img"}]
    for element in (*inside, *banked):
        element.tail = None
    _empty(interaction)
    paragraph = etree.Element(qti("p"))
    paragraph.extend(inside)
    interaction.extend([*banked, paragraph])


def _blank_media(element: etree._Element) -> None:
    """Pictures and sounds keep their element, which the schema asks for, and lose what they show and say."""
    for media in element.iterdescendants("*"):
        if local_name(media) in _MEDIA:
            for attribute in ("src", "data", "alt", "poster", "longdesc", "title", "aria-label"):
                if attribute in media.attrib:
                    media.set(attribute, "")


def _empty(element: etree._Element) -> None:
    for child in list(element):
        element.remove(child)
    element.text = None
