"""What a document declares, asks and sets, gathered once for all rules; nothing here raises on a bad document."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from item_formats.parsing import is_qti, local_name, qti
from item_formats.processing.variables import KINDS
from item_formats.vocabulary import INTERACTIONS, template_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

PROCESSING = ("qti-template-processing", "qti-response-processing", "qti-outcome-processing")
SETTERS = {
    "qti-set-outcome-value": "outcome",
    "qti-lookup-outcome-value": "outcome",
    "qti-set-template-value": "template",
    "qti-set-correct-response": "response",
    "qti-set-default-value": "any",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A declaration as it is written; `correct` and `default` are texts. Built-in variables have no element."""

    kind: str
    identifier: str
    cardinality: str
    base_type: str
    element: etree._Element | None = None

    @property
    def correct(self) -> tuple[str, ...]:
        return self._texts("qti-correct-response")

    @property
    def default(self) -> tuple[str, ...]:
        return self._texts("qti-default-value")

    def child(self, name: str) -> etree._Element | None:
        return None if self.element is None else self.element.find(qti(name))

    def _texts(self, name: str) -> tuple[str, ...]:
        parent = self.child(name)
        if parent is None:
            return ()
        return tuple(value.text or "" for value in parent.iterchildren(qti("qti-value")))


BUILT_IN = {
    "completionStatus": Variable("outcome", "completionStatus", "single", "identifier"),
    "numAttempts": Variable("response", "numAttempts", "single", "integer"),
    "duration": Variable("response", "duration", "single", "duration"),
}
IN_TESTS = {"duration": BUILT_IN["duration"]}


@dataclass(frozen=True, slots=True)
class Facts:
    """`variables` by identifier, the first of a name, built-in ones included; `declared` are all, in order.

    `uses` are the elements that read a variable, `sets` the rules that set one. `template` is the name of the standard
    response-processing template, or the address of another one.
    """

    root: etree._Element
    declared: tuple[Variable, ...]
    variables: dict[str, Variable]
    interactions: tuple[etree._Element, ...]
    processing: etree._Element | None
    template: str | None
    uses: dict[str, list[etree._Element]] = field(default_factory=dict)
    sets: dict[str, list[etree._Element]] = field(default_factory=dict)

    @property
    def is_test(self) -> bool:
        return local_name(self.root) == "qti-assessment-test"

    def of_kind(self, kind: str) -> Iterator[Variable]:
        return (variable for variable in self.declared if variable.kind == kind)

    def names(self, kind: str) -> str:
        """The declared identifiers of a kind, for messages."""
        return ", ".join(variable.identifier for variable in self.of_kind(kind)) or "none"


def gather(root: etree._Element) -> Facts:
    declared = tuple(
        Variable(
            KINDS[local_name(child)],
            child.get("identifier", ""),
            child.get("cardinality", ""),
            "" if child.get("cardinality") == "record" else child.get("base-type", ""),
            child,
        )
        for child in root
        if is_qti(child) and local_name(child) in KINDS
    )
    built_in = IN_TESTS if local_name(root) == "qti-assessment-test" else BUILT_IN
    variables = dict(built_in)
    for variable in reversed(declared):
        variables[variable.identifier] = variable
    uses: dict[str, list[etree._Element]] = defaultdict(list)
    sets: dict[str, list[etree._Element]] = defaultdict(list)
    interactions = []
    for element in root.iter("*"):
        name = local_name(element)
        if not is_qti(element):
            continue
        if name in INTERACTIONS:
            interactions.append(element)
        elif name in SETTERS:
            sets[element.get("identifier", "")].append(element)
        for used in _used(element, name):
            uses[used].append(element)
    name = "qti-outcome-processing" if local_name(root) == "qti-assessment-test" else "qti-response-processing"
    processing = root.find(qti(name))
    address = None if processing is None else processing.get("template")
    template = None if address is None else template_name(address)
    return Facts(root, declared, variables, tuple(interactions), processing, template, uses, sets)


_READERS = frozenset(
    {
        "qti-variable", "qti-correct", "qti-default", "qti-map-response", "qti-map-response-point",
        "qti-printed-variable", "qti-context-variable",
    }
)  # fmt: skip
# Attributes that take a number or, bare or in braces, the name of a variable.
NUMBER_OR_VARIABLE = ("n", "min", "max", "step", "number-repeats", "figures", "tolerance")


def _used(element: etree._Element, name: str) -> Iterator[str]:
    if name in _READERS:
        yield element.get("identifier", "")
    for attribute in ("template-identifier", "outcome-identifier", "source-identifier"):
        if attribute in element.attrib:
            yield element.get(attribute, "")
    for attribute in NUMBER_OR_VARIABLE:
        for word in element.get(attribute, "").split():
            yield word.strip("{}")
