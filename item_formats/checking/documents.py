"""All rules on one document, and on the documents of a package together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from item_formats.checking import content, declarations, interactions, keys, rules, score_range, tasks, tests, wording
from item_formats.checking.facts import gather
from item_formats.checking.found import Found, error, refused, told
from item_formats.documents import Document, Test, read_root
from item_formats.findings import ItemError
from item_formats.model import Item
from item_formats.packages.addresses import folder_of, resolve
from item_formats.parsing import local_name, qti
from item_formats.skill_tasks import is_skill_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from item_formats.checking.facts import Facts
    from item_formats.findings import Finding
    from item_formats.packages import OpenPackage, Package, PackageDocument

_OF_ALL: tuple[Callable[[Facts], Iterator[Found]], ...] = (
    content.attributes_stand,
    content.pictures_are_described,
    content.shown_content_is_bound,
    content.rubrics_and_names_stand,
    content.foreign_content_is_named,
)
_OF_VARIABLES = (declarations.variables_are_declared_well, declarations.variables_are_used, rules.processing_is_sound)
_OF_TESTS = (
    tests.parts_stand,
    tests.parts_hold_sections,
    tests.selections_can_be_made,
    tests.times_are_possible,
    tests.branches_lead_somewhere,
    tests.weights_are_used,
    tests.expressions_name_what_there_is,
)
RULES: Mapping[str, tuple[Callable[[Facts], Iterator[Found]], ...]] = {
    "qti-assessment-item": (
        *_OF_ALL,
        *_OF_VARIABLES,
        interactions.interactions_are_bound,
        keys.keys_can_be_answered,
        rules.score_is_set,
        rules.adaptive_items_end,
        score_range.score_stays_in_range,
    ),
    "qti-assessment-test": (
        *_OF_ALL,
        *_OF_VARIABLES,
        *_OF_TESTS,
    ),
    "qti-assessment-section": (
        *_OF_ALL,
        *_OF_TESTS,
    ),
    "qti-assessment-stimulus": _OF_ALL,
}


def check(document: Document | Package, *, file: str | None = None, source: bytes | None = None) -> list[Finding]:
    """Findings on an item, a test, a section, a stimulus or a package: errors first, then as they stand in it.

    `file` is the name findings give. With `source`, the bytes the document was read from, they tell line and column
    exactly; without, the line where the element's start tag ends. A package's documents are named by their paths in it.
    """
    if not isinstance(document, Document):
        return _of_package(document)
    return told(_found_in(document), document=document.identifier, file=file, source=source)


def check_package(package: OpenPackage, *, place: Callable[[str], str] = str) -> Iterator[Finding]:
    """Findings on an open package, document by document, with the lines of its files; `place` names a path."""
    outcomes: dict[str, frozenset[str]] = {}
    tested: list[PackageDocument] = []
    yield from package.findings
    for one in package.documents():
        path = one.resource.path or ""
        if not isinstance(one.document, Document):
            continue
        if isinstance(one.document, Item):
            outcomes[path] = _variables(one.document)
        elif isinstance(one.document, Test):
            tested.append(one)
        if next(_found_in(one.document), None) is not None:  # read again, for the lines of the file
            source = package.read(path)
            again = type(one.document)(one.document.xml, one.document.digest)
            again.__dict__["root"] = read_root(source)[0]
            yield from told(_found_in(again), document=again.identifier, file=place(path), source=source)
    for one in tested:
        yield from _asked_of_items(one, outcomes, place(one.resource.path or ""))


def _of_package(package: Package) -> list[Finding]:
    findings = list(package.findings)
    outcomes: dict[str, frozenset[str]] = {}
    for one in package.documents:
        if isinstance(one.document, Document):
            findings += check(one.document, file=one.resource.path)
        if isinstance(one.document, Item):
            outcomes[one.resource.path or ""] = _variables(one.document)
    for one in package.documents:
        findings += _asked_of_items(one, outcomes, one.resource.path)
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _found_in(document: Document) -> Iterator[Found]:
    if isinstance(document, Item) and is_skill_task(document):
        yield from tasks.tasks_add_up(document)
        yield from (one for one in _found_by_rules(document) if one.code not in tasks.NOT_OF_TASKS)
    else:
        yield from _found_by_rules(document)


def _found_by_rules(document: Document) -> Iterator[Found]:
    facts = gather(document.root)
    told_already: set[str] = set()
    for rule in RULES.get(local_name(document.root), ()):
        try:
            for one in rule(facts):
                told_already.add(one.message)
                yield one
        except ItemError as failure:  # a reader that refuses is a finding too, once
            yield from (one for one in refused(document.root, failure) if one.message not in told_already)
    if isinstance(document, Item):
        try:
            yield from wording.items_read_well(document)
        except ItemError as failure:
            yield from (one for one in refused(document.root, failure) if one.message not in told_already)


def _variables(item: Item) -> frozenset[str]:
    return frozenset(variable.identifier for variable in gather(item.root).declared) | {
        "completionStatus",
        "numAttempts",
        "duration",
    }


def _asked_of_items(one: PackageDocument, variables: Mapping[str, frozenset[str]], file: str | None) -> list[Finding]:
    """What a test asks of its items that they do not declare."""
    if not isinstance(one.document, Test):
        return []
    root, folder = one.document.root, folder_of(one.resource.path or "")
    items: dict[str, frozenset[str]] = {}
    found: list[Found] = []
    for reference in root.iter(qti("qti-assessment-item-ref")):
        path = resolve(reference.get("href", ""), folder).path
        known = variables.get(path or "")
        if known is None:
            continue
        items[reference.get("identifier", "")] = known
        for default in reference.iterchildren(qti("qti-template-default")):
            if default.get("template-identifier") not in known:
                message = f'{path} has no template variable "{default.get("template-identifier")}"'
                found.append(error(default, "dangling-template", message))
        for mapping in reference.iterchildren(qti("qti-variable-mapping")):
            if mapping.get("source-identifier") not in known:
                message = f'{path} has no variable "{mapping.get("source-identifier")}" to map'
                found.append(error(mapping, "dangling-variable", message))
            else:
                items[reference.get("identifier", "")] |= {mapping.get("target-identifier", "")}
    for element in root.iter(qti("qti-variable")):
        name, dot, asked = element.get("identifier", "").partition(".")
        asked = asked.partition(".")[2] if asked.partition(".")[0].isdecimal() else asked
        if dot and name in items and asked not in items[name]:
            message = f'the item {name} has no variable "{asked}"; it has {", ".join(sorted(items[name]))}'
            found.append(error(element, "dangling-variable", message))
    return told(found, document=one.document.identifier, file=file)
