"""Rules on tests and sections: what they refer to, select, branch to and weigh."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from item_formats.checking.declarations import identifier_stands
from item_formats.checking.found import Found, error, refused, warning
from item_formats.documents import appearance_of
from item_formats.findings import ItemError
from item_formats.parsing import bad_attribute, integer_attribute, is_true, local_name, number_attribute, qti

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from item_formats.checking.facts import Facts

ITEM_REF, SECTION, SECTION_REF = "qti-assessment-item-ref", "qti-assessment-section", "qti-assessment-section-ref"
_NAMED = (ITEM_REF, SECTION, SECTION_REF, "qti-test-part")
_EXITS = frozenset({"EXIT_TEST", "EXIT_TESTPART", "EXIT_SECTION"})
_MODES = {"navigation-mode": ("linear", "nonlinear"), "submission-mode": ("individual", "simultaneous")}
_SUBSETS = tuple(
    map(
        qti,
        (
            "qti-test-variables", "qti-outcome-minimum", "qti-outcome-maximum", "qti-number-correct",
            "qti-number-incorrect", "qti-number-presented", "qti-number-responded", "qti-number-selected",
        ),
    )
)  # fmt: skip


def parts_stand(facts: Facts) -> Iterator[Found]:
    if facts.is_test and facts.root.find(qti("qti-test-part")) is None:
        yield error(facts.root, "no-test-part", "the test has no qti-test-part: add one with a section in it")
    names = Counter(element.get("identifier", "") for element in _named(facts))
    for element in _named(facts):
        identifier = element.get("identifier", "")
        if not identifier:
            yield error(element, "missing-attribute", f"{local_name(element)} has no identifier: add it")
        elif names[identifier] > 1:
            names[identifier] = 0  # told once
            message = f'"{identifier}" names several parts, sections or items of the test: give each its own name'
            yield error(element, "repeated-identifier", message)
        else:
            yield from identifier_stands(element, identifier)
    for reference in facts.root.iter(qti(ITEM_REF), qti(SECTION_REF), qti("qti-assessment-stimulus-ref")):
        if reference.get("href") == "":
            yield error(reference, "missing-attribute", f"{local_name(reference)} has an empty href: name the file")


def parts_hold_sections(facts: Facts) -> Iterator[Found]:
    for part in facts.root.iter(qti("qti-test-part")):
        for attribute, allowed in _MODES.items():
            if part.get(attribute) is not None and part.get(attribute) not in allowed:
                yield from refused(part, bad_attribute(part, attribute, " or ".join(allowed)))
        if not any(local_name(child) in {SECTION, SECTION_REF, ITEM_REF} for child in part):
            yield error(part, "empty-section", "the part holds no section: add one")


def _named(facts: Facts) -> Iterator[etree._Element]:
    return facts.root.iter(*map(qti, _NAMED))


def members(section: etree._Element) -> list[etree._Element]:
    """What a section is made of: sections, references to sections, references to items."""
    return [child for child in section if local_name(child) in {ITEM_REF, SECTION, SECTION_REF}]


def selections_can_be_made(facts: Facts) -> Iterator[Found]:
    for section in facts.root.iter(qti(SECTION)):
        children = members(section)
        selection = section.find(qti("qti-selection"))
        if not children:
            name = section.get("identifier", "")
            yield warning(section, "empty-section", f"the section {name} holds no item: add one, or remove it")
        if selection is None or "select" not in selection.attrib:
            continue
        try:
            number = integer_attribute(selection, "select", 0)
        except ItemError as failure:
            yield from refused(selection, failure)
            continue
        replaced = is_true(selection, "with-replacement")
        required = sum(is_true(child, "required") for child in children)
        if number > len(children) and not replaced:
            message = f"select={number}, but the section holds {len(children)}: lower it, or add to the section"
            yield error(selection, "selection-too-large", message)
        if required > number:
            message = f"{required} of the section are required, but only {number} are selected: select more"
            yield error(selection, "required-not-selected", message)


def times_are_possible(facts: Facts) -> Iterator[Found]:
    for limits in facts.root.iter(qti("qti-time-limits")):
        try:
            least, most = number_attribute(limits, "min-time"), number_attribute(limits, "max-time")
        except ItemError as failure:
            yield from refused(limits, failure)
            continue
        if least is not None and most is not None and least > most:
            message = f"min-time {least:g} is longer than max-time {most:g}: exchange them"
            yield error(limits, "impossible-times", message)
    for control in facts.root.iter(qti("qti-item-session-control")):
        try:
            integer_attribute(control, "max-attempts", 1)
        except ItemError as failure:
            yield from refused(control, failure)


def branches_lead_somewhere(facts: Facts) -> Iterator[Found]:
    for part in [*facts.root.iter(qti("qti-test-part"))] or [facts.root]:
        nonlinear = part.get("navigation-mode") == "nonlinear"
        places = {element: place for place, element in enumerate(part.iter("*"))}
        inside = {one.get("identifier", ""): one for one in part.iter(qti(ITEM_REF), qti(SECTION), qti(SECTION_REF))}
        parts = {one.get("identifier", ""): one for one in facts.root.iter(qti("qti-test-part"))}
        for rule in part.iter(qti("qti-branch-rule"), qti("qti-pre-condition")):
            holder = rule.getparent()
            of_part = holder is part
            if nonlinear and not of_part:
                message = f"{local_name(rule)} is ignored in a nonlinear part: make the part linear, or remove it"
                yield warning(rule, "rule-ignored", message)
            if local_name(rule) != "qti-branch-rule" or holder is None:
                continue
            target = rule.get("target", "")
            reachable = parts if of_part else inside
            if target in _EXITS:
                continue
            if target not in reachable and not of_part:
                target = appearance_of(target) or target
            if target in parts and not of_part:
                message = (
                    f'the branch leads to the part "{target}"; QTI lets items and sections branch within their part'
                )
                yield warning(rule, "branch-out-of-part", message)
                continue
            if target not in reachable:
                message = f'the branch leads to "{target}", not found in this part: expected {_targets(reachable)}'
                yield error(rule, "branch-to-nowhere", message)
                continue
            to = reachable[target]
            forward = _follows(to, part) if of_part else places[to] > places[holder]
            if not forward:
                yield error(
                    rule, "branch-backwards", f'the branch leads back to "{target}": branches only lead forward'
                )


def _follows(later: etree._Element, earlier: etree._Element) -> bool:
    return any(sibling is later for sibling in earlier.itersiblings())


def _targets(reachable: dict[str, etree._Element]) -> str:
    names = list(reachable)
    shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
    return f"{shown}{' or ' if shown else ''}EXIT_TEST, EXIT_TESTPART or EXIT_SECTION"


def weights_are_used(facts: Facts) -> Iterator[Found]:
    declared: dict[str, list[etree._Element]] = {}
    for weight in facts.root.iter(qti("qti-weight")):
        declared.setdefault(weight.get("identifier", ""), []).append(weight)
        try:
            if number_attribute(weight, "value") is None:
                yield error(weight, "missing-attribute", "qti-weight has no value: add it")
        except ItemError as failure:
            yield from refused(weight, failure)
    used = set()
    for element in facts.root.iter(*_SUBSETS, qti("qti-variable")):
        name = element.get("weight-identifier")
        used.add(name)
        if name is not None and name not in declared and not _is_open_ended(facts):
            message = f'no item has the weight "{name}", so every weight is 1: add it or name another'
            yield warning(element, "dangling-weight", message)
    for name, weights in declared.items():
        if name not in used and facts.is_test:
            message = f"the weight {name} stands on {len(weights)} items, but nothing uses it: use weight-identifier"
            yield warning(weights[0], "unused-weight", message)


def expressions_name_what_there_is(facts: Facts) -> Iterator[Found]:
    if _is_open_ended(facts):
        return
    items = {one.get("identifier", "") for one in facts.root.iter(qti(ITEM_REF))}
    categories = {word for one in facts.root.iter(qti(ITEM_REF)) for word in one.get("category", "").split()}
    sections = {one.get("identifier", "") for one in facts.root.iter(qti(SECTION), qti("qti-test-part"))}
    for element in facts.root.iter(*_SUBSETS):
        section = element.get("section-identifier")
        if section is not None and section not in sections:
            yield error(element, "dangling-section", f'there is no section "{section}" in the test: name one that is')
        asked = f"{element.get('include-category', '')} {element.get('exclude-category', '')}"
        for word in asked.split():
            if word not in categories:
                yield warning(element, "dangling-category", f'no item is of the category "{word}": name one that is')
    for element in facts.root.iter(qti("qti-variable")):
        name, dot, _ = element.get("identifier", "").partition(".")
        if dot and name not in items | sections | {facts.root.get("identifier", "")}:
            yield error(element, "dangling-item", f'the test has no item "{name}"; {_some_of(items)}')


def _is_open_ended(facts: Facts) -> bool:
    """Whether sections, and so items and weights, stand in other files."""
    return next(facts.root.iter(qti(SECTION_REF)), None) is not None


def _some_of(items: set[str]) -> str:
    names = sorted(items)
    return f"it has {', '.join(names[:6])}{' …' if len(names) > 6 else ''}" if names else "it has none"
