"""Reading a test document for its sessions: everything wrong with it is found at once, before anybody begins."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from item_formats.documents import appearance_of
from item_formats.findings import Finding, ItemError
from item_formats.parsing import (
    bad_attribute,
    integer_attribute,
    is_qti,
    is_true,
    line_of,
    local_name,
    number_attribute,
    qti,
)
from item_formats.processing import compile_expression, compile_rules, compiled, read_declarations
from item_formats.sessions.definition import (
    EXITS,
    NO_LIMITS,
    BranchRule,
    Definition,
    Feedback,
    ItemRef,
    Part,
    Section,
    SessionControl,
    TimeLimits,
)
from item_formats.sessions.routes import MOST_STOPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lxml import etree

    from item_formats.documents import Section as SectionDocument
    from item_formats.documents import Test
    from item_formats.model import Item
    from item_formats.processing import Declaration
    from item_formats.sessions.definition import Expression, Rules

T = TypeVar("T")

_FLAGS = ("show-feedback", "allow-review", "show-solution", "allow-comment", "allow-skipping", "validate-responses")
MOST_LEVELS = 50  # of sections within one another
_MOST_DEFINED = 64  # tests ready at once in a process: a sitting has one, a demonstration a few
_defined: dict[str, Definition] = {}


def definition_of(
    test: Test, items: Mapping[str, Item] | None, sections: Mapping[str, SectionDocument] | None = None
) -> Definition:
    """The definition of a test, worked out once for the same test and items in a process.

    `items` are found by href or by reference identifier, `sections` in documents of their own by href. Without
    `items` the definition is only good for processing outcomes.

    Raises
    ------
    ItemError
        With every fault of the test: items and sections that are not there, sections that contain themselves, names
        used twice, branches to nowhere, selections of more than there is, rules that cannot be run.
    """
    roots = {href: section.root for href, section in (sections or {}).items()}
    digest = _digest(test, items, sections or {})
    definition = _defined.get(digest)
    if definition is None:
        definition = _define(test.root, digest, items, roots)
        if len(_defined) >= _MOST_DEFINED:
            _defined.clear()
        _defined[digest] = definition
    return definition


def _digest(test: Test, items: Mapping[str, Item] | None, sections: Mapping[str, SectionDocument]) -> str:
    """What a session depends on: the test, its sections, and the items it refers to, as they are."""
    parts = [test.digest]
    documents = [test.root]
    for href in sorted(sections):
        parts += [href, sections[href].digest]
        documents.append(sections[href].root)
    if items is not None:
        for root in documents:
            for element in root.iter(qti("qti-assessment-item-ref")):
                item = _item_for(element, items)
                parts.append("" if item is None else item.digest)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _item_for(element: etree._Element, items: Mapping[str, Item]) -> Item | None:
    return items.get(element.get("href", "")) or items.get(element.get("identifier", ""))


def _define(
    root: etree._Element, digest: str, items: Mapping[str, Item] | None, sections: Mapping[str, etree._Element]
) -> Definition:
    reader = _Reader(items, sections)
    parts = tuple(reader.part(element) for element in root.iterchildren(qti("qti-test-part")))
    if not parts:
        reader.fault("no-test-part", "the test has no qti-test-part: give it one with a section", root)
    rules = root.find(qti("qti-outcome-processing"))
    outcome_rules: Rules | None = None
    if rules is not None:
        outcome_rules = reader.reading(lambda: compile_rules(rules), None)
    definition = Definition(
        identifier=root.get("identifier", ""),
        digest=digest,
        parts=parts,
        sections=reader.sections,
        refs=reader.refs,
        limits=reader.limits(root),
        declarations=reader.reading(lambda: read_declarations(root), {}),
        outcome_rules=outcome_rules,
        feedback=reader.feedback(root),
    )
    reader.check_names(root)
    reader.check_targets(root, definition)
    if reader.faults:
        raise ItemError(*reader.faults)
    return definition


class _Reader:
    """Reads on after a fault, so that a person learns of all of them at once."""

    def __init__(self, items: Mapping[str, Item] | None, documents: Mapping[str, etree._Element]) -> None:
        self.items = items
        self.documents = documents
        self.faults: list[Finding] = []
        self.refs: dict[str, ItemRef] = {}
        self.sections: dict[str, Section] = {}
        self.names: Counter[str] = Counter()
        self.open_documents: list[str] = []
        self.read_documents: set[str] = set()
        self.level = 0

    def fault(self, code: str, message: str, element: etree._Element) -> None:
        self.faults.append(Finding("error", code, message, line=line_of(element)))

    def reading(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except ItemError as error:
            self.faults.extend(error.findings)
            return otherwise

    def part(self, element: etree._Element) -> Part:
        identifier = self.name(element)
        control = self.control(element, {})
        modes = {"navigation-mode": ("linear", "nonlinear"), "submission-mode": ("individual", "simultaneous")}
        for attribute, allowed in modes.items():
            if element.get(attribute) not in allowed:
                self.faults.extend(bad_attribute(element, attribute, " or ".join(allowed)).findings)
        return Part(
            identifier=identifier,
            linear=element.get("navigation-mode") == "linear",
            simultaneous=element.get("submission-mode") == "simultaneous",
            preconditions=self.preconditions(element),
            branch_rules=self.branch_rules(element),
            limits=self.limits(element),
            sections=tuple(child for child in self.children(element, control) if isinstance(child, Section)),
            feedback=self.feedback(element),
        )

    def children(self, parent: etree._Element, control: dict[str, str]) -> Iterator[Section | ItemRef]:
        for child in parent:
            name = local_name(child) if is_qti(child) else ""
            if name == "qti-assessment-section":
                yield self.section(child, control)
            elif name == "qti-assessment-item-ref":
                yield self.item_ref(child, control)
            elif name == "qti-assessment-section-ref":
                yield from self.section_ref(child, control)

    def section_ref(self, element: etree._Element, control: dict[str, str]) -> Iterator[Section]:
        href = element.get("href", "")
        document = self.documents.get(href)
        if href in self.open_documents:
            chain = " → ".join([*self.open_documents, href])
            self.fault("cyclic-section", f"the section {href} contains itself ({chain}): break the circle", element)
        elif document is None:
            self.fault("missing-section", f"the section {href} is not among the sections given: add it", element)
        elif href in self.read_documents:
            self.fault("repeated-section", f"the section {href} is referred to twice: once is allowed", element)
        else:
            self.open_documents.append(href)
            self.read_documents.add(href)
            yield self.section(document, control)
            self.open_documents.pop()

    def section(self, element: etree._Element, control: dict[str, str]) -> Section:
        identifier = self.name(element)
        control = self.control(element, control)
        children = self.nested(element, control)
        select, with_replacement = self.selection(element, children)
        ordering = element.find(qti("qti-ordering"))
        if element.find(qti("qti-adaptive-selection")) is not None:
            message = f"the section {identifier} leaves its items to an outside engine, which is not run here"
            self.fault("adaptive-selection", message, element)
        section = Section(
            identifier=identifier,
            title=element.get("title", ""),
            required=is_true(element, "required"),
            fixed=is_true(element, "fixed"),
            visible=is_true(element, "visible", default=True),
            keep_together=is_true(element, "keep-together", default=True),
            preconditions=self.preconditions(element),
            branch_rules=self.branch_rules(element),
            limits=self.limits(element),
            select=select,
            with_replacement=with_replacement,
            shuffle=ordering is not None and is_true(ordering, "shuffle"),
            children=children,
        )
        self.sections[identifier] = section
        return section

    def nested(self, element: etree._Element, control: dict[str, str]) -> tuple[Section | ItemRef, ...]:
        if self.level >= MOST_LEVELS:
            self.fault("too-deep", f"sections are nested more than {MOST_LEVELS} levels deep: flatten them", element)
            return ()
        self.level += 1
        children = tuple(self.children(element, control))
        self.level -= 1
        return children

    def selection(self, section: etree._Element, children: tuple[Section | ItemRef, ...]) -> tuple[int | None, bool]:
        element = section.find(qti("qti-selection"))
        if element is None:
            return None, False
        identifier = section.get("identifier")
        select = self.reading(lambda: integer_attribute(element, "select", 0), 0)
        with_replacement = is_true(element, "with-replacement")
        required = sum(child.required for child in children)
        most = MOST_STOPS if with_replacement else len(children)
        if select > most:
            message = f"the section {identifier} selects {select} of {len(children)}: select fewer, or with replacement"
            if with_replacement:
                message = f"the section {identifier} selects {select}: select at most {MOST_STOPS:,}"
            self.fault("selects-too-many", message, element)
        if select < required:
            message = f"the section {identifier} selects {select}, but {required} of its children are required"
            self.fault("selects-too-few", message, element)
        if select and not children and with_replacement:
            self.fault("selects-too-many", f"the section {identifier} has nothing to select from", element)
        return select, with_replacement

    def item_ref(self, element: etree._Element, control: dict[str, str]) -> ItemRef:
        identifier = self.name(element)
        item = None
        if self.items is not None:
            item = _item_for(element, self.items)
            if item is None:
                message = f"the item {element.get('href')} of {identifier} is not among the items given: add it"
                self.fault("missing-item", message, element)
        declarations: dict[str, Declaration] = {}
        if item is not None:
            declarations = self.reading(lambda: compiled(item).declarations, declarations)
        reference = ItemRef(
            identifier=identifier,
            categories=tuple(element.get("category", "").split()),
            required=is_true(element, "required"),
            fixed=is_true(element, "fixed"),
            preconditions=self.preconditions(element),
            branch_rules=self.branch_rules(element),
            control=self.session_control(element, self.control(element, control)),
            limits=self.limits(element),
            mappings={
                mapping.get("target-identifier", ""): mapping.get("source-identifier", "")
                for mapping in element.iterchildren(qti("qti-variable-mapping"))
            },
            weights={
                weight.get("identifier", ""): self.reading(_number(weight, "value"), None) or 0.0
                for weight in element.iterchildren(qti("qti-weight"))
            },
            template_defaults={
                default.get("template-identifier", ""): expression
                for default in element.iterchildren(qti("qti-template-default"))
                for expression in self.expressions(default)
            },
            item=item,
            declarations=declarations,
        )
        self.refs[identifier] = reference
        return reference

    def name(self, element: etree._Element) -> str:
        identifier = element.get("identifier", "")
        self.names[identifier] += 1
        return identifier

    def control(self, element: etree._Element, inherited: dict[str, str]) -> dict[str, str]:
        """The settings that hold here: attribute by attribute, the nearest one said."""
        own = element.find(qti("qti-item-session-control"))
        return inherited if own is None else {**inherited, **{str(name): str(own.get(name)) for name in own.attrib}}

    def session_control(self, element: etree._Element, settings: dict[str, str]) -> SessionControl:
        attempts = settings.get("max-attempts", "1")
        if not attempts.strip().isdecimal():
            message = f'the max-attempts of {element.get("identifier")} is "{attempts}"; expected 0 or more'
            self.fault("bad-attribute", message, element)
            attempts = "1"
        given = {name.replace("-", "_"): settings[name].strip() in {"true", "1"} for name in _FLAGS if name in settings}
        return replace(SessionControl(max_attempts=int(attempts)), **given)

    def limits(self, parent: etree._Element) -> TimeLimits:
        element = parent.find(qti("qti-time-limits"))
        if element is None:
            return NO_LIMITS
        shortest = self.reading(_number(element, "min-time"), None) or 0.0
        longest = self.reading(_number(element, "max-time"), None)
        if longest is not None and shortest > longest:
            message = f"the time limits of {parent.get('identifier')} allow at most {longest} s and ask for {shortest}"
            self.fault("time-limits", message, element)
        return TimeLimits(shortest, longest, late=is_true(element, "allow-late-submission"))

    def expressions(self, parent: etree._Element) -> tuple[Expression, ...]:
        """The one expression inside an element, compiled; nothing when it is faulty."""
        inside = [child for child in parent if local_name(child)]
        if len(inside) != 1:
            message = f"{local_name(parent)} holds {len(inside)} expressions; expected one"
            self.fault("wrong-operands", message, parent)
            return ()
        expression = self.reading(lambda: compile_expression(inside[0]), None)
        return () if expression is None else (expression,)

    def preconditions(self, parent: etree._Element) -> tuple[Expression, ...]:
        found = parent.iterchildren(qti("qti-pre-condition"))
        return tuple(expression for element in found for expression in self.expressions(element))

    def branch_rules(self, parent: etree._Element) -> tuple[BranchRule, ...]:
        return tuple(
            BranchRule(element.get("target", ""), expression)
            for element in parent.iterchildren(qti("qti-branch-rule"))
            for expression in self.expressions(element)
        )

    def feedback(self, parent: etree._Element) -> tuple[Feedback, ...]:
        return tuple(
            Feedback(element.get("identifier", ""), element.get("access", ""), element.get("title", ""), element)
            for element in parent.iterchildren(qti("qti-test-feedback"))
        )

    def check_names(self, root: etree._Element) -> None:
        for name, times in self.names.items():
            if times > 1 or name in EXITS or not name:
                code, why = ("repeated-identifier", f"“{name}” names {times} parts, sections or items of the test")
                if times == 1:
                    code, why = ("bad-identifier", f"“{name}” cannot name a part, section or item of a test")
                self.fault(code, f"{why}: give each a name of its own", root)

    def check_targets(self, root: etree._Element, definition: Definition) -> None:
        """Every branch leads to something of the test; one that leads backward is passed over in the session."""
        known = {*self.names, *EXITS}
        holders: list[Part | Section | ItemRef] = [*definition.parts]
        for holder in [*holders, *definition.sections.values(), *definition.refs.values()]:
            for rule in holder.branch_rules:
                if rule.target not in known and appearance_of(rule.target) not in definition.refs:
                    target = f"“{rule.target}”, which is nothing in the test" if rule.target else "nowhere"
                    message = f"the branch rule of {holder.identifier} leads to {target}: name a later item or section"
                    self.fault("bad-branch-target", message, root)


def _number(element: etree._Element, name: str) -> Callable[[], float | None]:
    return lambda: number_attribute(element, name)
