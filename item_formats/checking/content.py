"""Rules on what people read: feedback and template content, pictures, words, attributes that stray in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.checking.facts import BUILT_IN, Variable
from item_formats.checking.found import Found, error, refused, warning
from item_formats.parsing import MATHML, XML_LANG, bad_attribute, is_qti, local_name, qti, split_name
from item_formats.vocabulary import COMMON_ATTRIBUTES, ELEMENTS, HTML, RUBRIC_USES, VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts

_FEEDBACK = frozenset({"qti-feedback-block", "qti-feedback-inline", "qti-modal-feedback", "qti-test-feedback"})
_NEEDED = {
    "qti-assessment-item": ("title", "time-dependent", XML_LANG),
    "qti-assessment-test": ("title",),
    "qti-assessment-stimulus": ("title",),
    "qti-assessment-section": ("title", "visible"),
    "qti-assessment-item-ref": ("href",),
    "qti-assessment-section-ref": ("href",),
    "qti-assessment-stimulus-ref": ("href",),
    "qti-test-part": ("navigation-mode", "submission-mode"),
    "qti-selection": ("select",),
    "qti-rubric-block": ("view",),
}
_NEVER_STRAY = frozenset({*COMMON_ATTRIBUTES, "xmlns"})
_HTML_EVENTS = "on"


def attributes_stand(facts: Facts) -> Iterator[Found]:
    """Attributes QTI needs, and those it does not have."""
    for element in facts.root.iter("*"):
        name = local_name(element)
        if not is_qti(element):
            continue
        for attribute in _NEEDED.get(name, ()):
            if element.get(attribute) is None:
                said = attribute.replace("{http://www.w3.org/XML/1998/namespace}", "xml:")
                yield warning(element, "missing-attribute", f"{name} has no {said}: add it")
        if name.startswith("qti-"):
            yield from _is_known(element, name)
        elif name not in HTML:
            message = f"<{name}> is no element of QTI 3; it is kept, but nobody knows what it means"
            yield warning(element, "unknown-element", message)
        yield from _is_safe(element, name)


def _is_known(element: etree._Element, name: str) -> Iterator[Found]:
    if name not in ELEMENTS:
        message = f"<{name}> is no element of QTI 3; it is kept, but nobody knows what it means"
        yield warning(element, "unknown-element", message)
        return
    for attribute in element.attrib:
        text = str(attribute)
        if text.startswith(("{", "data-", "aria-", "data_")) or text in ELEMENTS[name] or text in _NEVER_STRAY:
            continue
        message = f'{name} has {text}="{element.get(text)}", which QTI 3 does not know: remove it or write data-{text}'
        yield warning(element, "stray-attribute", message)


def _is_safe(element: etree._Element, name: str) -> Iterator[Found]:
    for attribute, value in element.attrib.items():
        text, said = str(attribute), str(value).strip().lower()
        if text.startswith(_HTML_EVENTS) and not name.startswith("qti-"):
            message = f"{name} has the script {text}: remove it, it is never run"
            yield warning(element, "script", message)
        elif said.startswith(("javascript:", "vbscript:")):
            yield warning(element, "script", f"{name} has a script as {text}: remove it, it is never run")


def pictures_are_described(facts: Facts) -> Iterator[Found]:
    for image in facts.root.iter(qti("img")):
        if image.get("alt") is None and image.get("aria-hidden") != "true" and image.get("role") != "presentation":
            source = image.get("src", "")[:80]
            message = f'the picture "{source}" has no alt: describe it, or write alt="" where it only decorates'
            yield warning(image, "missing-alt", message)
        if not image.get("src"):
            yield error(image, "missing-attribute", "img has no src: name the picture")
    for media in facts.root.iter(qti("object")):
        described = "".join(str(text) for text in media.itertext()).strip() or media.get("aria-label")
        is_picture = media.get("type", "").startswith("image/")
        if is_picture and not described and not _describes_itself(media):
            message = (
                f'the picture "{media.get("data", "")[:80]}" has no description: write it inside the object element'
            )
            yield warning(media, "missing-alt", message)


def _describes_itself(media: etree._Element) -> bool:
    """Whether an interaction's prompt speaks for its picture, or a picture inside has an alt."""
    return any(one.get("alt") is not None for one in media.iter(qti("img")))


def shown_content_is_bound(facts: Facts) -> Iterator[Found]:
    """Feedback names outcomes, template content template variables, printed variables something declared."""
    for element in facts.root.iter("*"):
        if not is_qti(element):
            continue
        name = local_name(element)
        if name in _FEEDBACK:
            yield from _feedback_stands(facts, element, name)
        elif name == "qti-printed-variable":
            printed = element.get("identifier", "")
            if facts.variables.get(printed, Variable("", "", "", "")).kind not in {"outcome", "template", "context"}:
                message = f'the printed variable "{printed}" is declared neither as outcome nor as template variable'
                yield error(element, "dangling-variable", message)
        elif name == "qti-template-default":
            continue  # names a variable of the item that a test refers to
        elif "template-identifier" in element.attrib:
            yield from _template_stands(facts, element, name)
        show = element.get("show-hide")
        if show is not None and show not in {"show", "hide"}:
            yield from refused(element, bad_attribute(element, "show-hide", "show or hide"))


def _feedback_stands(facts: Facts, element: etree._Element, name: str) -> Iterator[Found]:
    outcome = element.get("outcome-identifier", "")
    variable = facts.variables.get(outcome)
    if variable is None or variable.kind != "outcome":
        message = (
            f'{name} depends on the outcome "{outcome}", which is not declared; declared are {facts.names("outcome")}'
        )
        yield error(element, "dangling-outcome", message)
        return
    if variable.base_type not in {"identifier", "string"} or variable.cardinality not in {"single", "multiple"}:
        message = f"{name} compares identifiers, but {outcome} is {variable.cardinality} {variable.base_type}"
        yield warning(element, "feedback-type", message)
        return
    given = _constants(facts, outcome)
    identifier = element.get("identifier", "")
    if given is not None and element.get("show-hide", "show") == "show" and identifier not in given:
        message = f'nothing sets {outcome} to "{identifier}", so this feedback is never shown; it may be {_some(given)}'
        yield warning(element, "feedback-never-shown", message)


def _constants(facts: Facts, outcome: str) -> set[str] | None:
    """Every value an outcome can have, where all are written out; None where one is worked out."""
    if outcome in BUILT_IN or outcome not in facts.sets:
        return None
    given = {text.strip() for text in facts.variables[outcome].default}
    for rule in facts.sets[outcome]:
        for part in rule:
            if local_name(rule) != "qti-set-outcome-value":
                return None
            for one in part.iter("*"):
                name = local_name(one)
                if name == "qti-base-value":
                    given.add((one.text or "").strip())
                elif name == "qti-variable" and one.get("identifier") == outcome:
                    continue
                elif name not in {"qti-multiple", "qti-null"}:
                    return None
    return given


def _some(given: set[str]) -> str:
    return ", ".join(sorted(given)) or "nothing"


def _template_stands(facts: Facts, element: etree._Element, name: str) -> Iterator[Found]:
    template = element.get("template-identifier", "")
    variable = facts.variables.get(template)
    if variable is None or variable.kind != "template":
        declared = facts.names("template")
        message = (
            f'{name} depends on the template variable "{template}", which is not declared; declared are {declared}'
        )
        yield error(element, "dangling-template", message)


def rubrics_and_names_stand(facts: Facts) -> Iterator[Found]:
    for block in facts.root.iter(qti("qti-rubric-block")):
        for view in block.get("view", "").split():
            if view not in VIEWS:
                yield from refused(block, bad_attribute(block, "view", " ".join(VIEWS)))
        use = block.get("use")
        if use is not None and use not in RUBRIC_USES and not use.startswith("ext:"):
            expected = f"{', '.join(RUBRIC_USES)} or ext:NAME"
            message = f'qti-rubric-block has use="{use}"; expected {expected}'
            yield warning(block, "stray-attribute", message)
    names = Counter(element.get("id") for element in facts.root.iter("*") if "id" in element.attrib)
    for element in facts.root.iter("*"):
        name = element.get("id")
        if name is not None and names[name] > 1:
            names[name] = 0  # told once
            yield warning(element, "repeated-id", f'several elements have id="{name}": give each its own')
    cards = {card.get("id") for card in facts.root.iter(qti("qti-catalog"))}
    for element in facts.root.iter("*"):
        reference = element.get("data-catalog-idref")
        if reference is not None and reference not in cards:
            message = f'data-catalog-idref="{reference}" names no qti-catalog of this document: add it or remove this'
            yield warning(element, "dangling-catalog", message)


def foreign_content_is_named(facts: Facts) -> Iterator[Found]:
    """MathML that is no MathML, and other foreign content, is kept and named."""
    for element in facts.root.iter("{*}*"):
        space, name = split_name(element)
        parent = element.getparent()
        outermost = parent is None or split_name(parent)[0] != space
        if space and not is_qti(element) and outermost and space not in _KNOWN_SPACES:
            message = f"<{name}> is of another vocabulary ({space}); it is kept, but not shown or scored"
            yield warning(element, "foreign-element", message)


_KNOWN_SPACES = frozenset(
    {MATHML, "http://www.w3.org/2001/10/synthesis", "http://www.w3.org/1999/xhtml", "http://www.w3.org/2001/XInclude"}
)
